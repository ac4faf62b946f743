/*
 * endpoint_metrics - what the registry knows of endpoints, as metrics.
 *
 * Endpoint state is atomics that the request path keeps for its own use; once a second the control thread brings it to
 * the metrics registry. Any thread, one at a time.
 */
#ifndef VSR_SERVE_ENDPOINT_METRICS_H
#define VSR_SERVE_ENDPOINT_METRICS_H

struct provider_set;
struct telemetry;

void endpoint_metrics_publish(struct telemetry *telemetry, const struct provider_set *providers);

#endif
