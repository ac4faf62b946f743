/*
 * outlier - passive ejection: endpoints that keep failing rest for a while (config.md 6.4).
 *
 * consecutive_5xx failures in a row eject an endpoint for base_ejection_time times the number of ejections, at most 300
 * s; then one probe request decides. The number decays by one per OUTLIER_SWEEP_MS of good standing. Only with two
 * endpoints or more, and only while at most max_ejection_percent of them are out (one may always be). Any thread.
 */
#ifndef VSR_PROVIDER_OUTLIER_H
#define VSR_PROVIDER_OUTLIER_H

#include <stdbool.h>
#include <stdint.h>

struct provider_endpoint;
struct provider_model;

enum {
    OUTLIER_SWEEP_MS = 10000,
    OUTLIER_EJECTION_MAX_MS = 300000,
    OUTLIER_PROBE_MAX_MS = 600000, /* a probe that never came back no longer bars others */
};

/* One attempt went well or badly. `deciding`: it was the probe, or was sent in panic, so it may end an ejection. */
void outlier_report(struct provider_model *model, const struct provider_endpoint *endpoint, bool failed, bool deciding,
                    uint64_t now_ms);

/* Whether its rest is over and nobody is probing it. */
bool outlier_probe_due(const struct provider_endpoint *endpoint, uint64_t now_ms);
/* Takes the right to probe an endpoint whose ejection has run out. */
bool outlier_probe_begin(const struct provider_endpoint *endpoint, uint64_t now_ms);
/* Gives it back without a verdict. */
void outlier_probe_cancel(const struct provider_endpoint *endpoint);

#endif
