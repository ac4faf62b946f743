/*
 * token_metrics - what answers teach about the size of tokens: learning from them, and how well the estimate does.
 *
 * Errors are counted as answers come, on the worker's thread. What has been learned is brought to the metrics registry
 * once a second by the control thread. Series are as many as the estimate has categories.
 */
#ifndef VSR_SERVE_TOKEN_METRICS_H
#define VSR_SERVE_TOKEN_METRICS_H

#include <stdint.h>

#include "core/str.h"

struct telemetry;
struct token_estimate;

/* As token_estimate_observe(); counts how far the estimate was off before. */
void token_metrics_observe(struct telemetry *telemetry, struct token_estimate *estimate, vsr_str category,
                           uint64_t bytes, uint64_t tokens);

/* One thread at a time. */
void token_metrics_publish(struct telemetry *telemetry, struct token_estimate *estimate);

#endif
