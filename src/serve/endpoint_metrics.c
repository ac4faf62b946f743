#include "serve/endpoint_metrics.h"

#include "provider/provider.h"
#include "serve/telemetry.h"

enum { SERIES_ENDPOINTS_MAX = 4096 };

static const char *const label_names[] = { "model", "endpoint" };

/* Brings a counter up to `total`. It never falls: a state that was forgotten and made anew starts from zero. */
static void raise_counter(struct telemetry *telemetry, const char *name, const char *help, const vsr_str *labels,
                          uint64_t total) {
    struct metric *metric =
        metric_with(metrics_counter(telemetry->metrics, name, help, label_names, 2, SERIES_ENDPOINTS_MAX), labels, 2);
    double missing = (double)total - metric_value(metric);
    if (missing > 0)
        metric_add(metric, missing);
}

static void set_gauge(struct telemetry *telemetry, const char *name, const char *help, const vsr_str *labels,
                      double value) {
    struct metric *metric =
        metric_with(metrics_gauge(telemetry->metrics, name, help, label_names, 2, SERIES_ENDPOINTS_MAX), labels, 2);
    metric_add(metric, value - metric_value(metric));
}

static void publish_endpoint(struct telemetry *telemetry, const struct provider_model *model,
                             const struct provider_endpoint *endpoint) {
    const vsr_str labels[] = { model->name, endpoint->ref->name };
    set_gauge(telemetry, "vsr_endpoint_available", "1 while the endpoint takes traffic.", labels,
              provider_endpoint_available(endpoint) ? 1 : 0);
    raise_counter(telemetry, "vsr_endpoint_requests_total", "Attempts sent to the endpoint.", labels,
                  atomic_load(&endpoint->state->requests_total));
    raise_counter(telemetry, "vsr_endpoint_failures_total", "Attempts that failed or got a 5xx.", labels,
                  atomic_load(&endpoint->state->failures_total));
    raise_counter(telemetry, "vsr_endpoint_ejections_total", "Times the endpoint was ejected.", labels,
                  atomic_load(&endpoint->state->ejections_total));
}

void endpoint_metrics_publish(struct telemetry *telemetry, const struct provider_set *providers) {
    for (size_t i = 0; i < provider_set_count(providers); i++) {
        const struct provider_model *model = provider_set_at(providers, i);
        for (size_t j = 0; j < model->n_endpoints; j++)
            publish_endpoint(telemetry, model, &model->endpoints[j]);
    }
}
