/* multi_factor - quality, latency, cost and load, weighted, within limits (decisions.md §5.4). */
#include <math.h>

#include "select/selector.h"

struct multi_factor_weights {
    struct config_at at;
    double quality, latency, cost, load;
};

struct multi_factor_slo {
    struct config_at at;
    double max_tpot_ms, max_ttft_ms, max_cost_per_1m;
    int64_t max_inflight;
};

struct multi_factor_config {
    struct config_at at;
    struct multi_factor_weights weights;
    struct multi_factor_slo slo;
    int64_t latency_percentile;
    int on_no_candidates; /* 0 cheapest, 1 first, 2 fail */
};

static const char *const policies[] = { "cheapest", "first", "fail", NULL };

#define WEIGHT(name, text) \
    { \
#name, FIELD_NUMBER, offsetof(struct multi_factor_weights, name), \
            .flags = FIELD_RANGE, .fallback = "0.25", .least = 0, .greatest = INFINITY, .help = text \
    }
static const struct field weight_fields[] = {
    WEIGHT(quality, "Weight of the card's quality_score."),
    WEIGHT(latency, "Weight of observed latency."),
    WEIGHT(cost, "Weight of the price of prompt tokens."),
    WEIGHT(load, "Weight of requests in flight."),
};
#undef WEIGHT
static const struct schema weights_schema = SCHEMA("weights", struct multi_factor_weights, weight_fields);

#define LIMIT(name, text) \
    { \
#name, FIELD_NUMBER, offsetof(struct multi_factor_slo, name), .flags = FIELD_RANGE, .fallback = "0", \
                                                                      .least = 0, .greatest = INFINITY, .help = text \
    }
static const struct field slo_fields[] = {
    LIMIT(max_tpot_ms, "Slower models, per output token, are left out; 0: no limit."),
    LIMIT(max_ttft_ms, "Models with a later first token are left out; 0: no limit."),
    LIMIT(max_cost_per_1m, "Models with dearer prompt tokens are left out; 0: no limit."),
    { "max_inflight", FIELD_INT, offsetof(struct multi_factor_slo, max_inflight), .flags = FIELD_RANGE, .fallback = "0",
      .least = 0, .greatest = INFINITY, .help = "Models with more requests in flight are left out; 0: no limit." },
};
#undef LIMIT
static const struct schema slo_schema = SCHEMA("slo", struct multi_factor_slo, slo_fields);

static const struct field fields[] = {
    { "weights", FIELD_OBJECT, offsetof(struct multi_factor_config, weights), .object = &weights_schema,
      .help = "What counts how much; normalised to a sum of 1." },
    { "slo", FIELD_OBJECT, offsetof(struct multi_factor_config, slo), .object = &slo_schema,
      .help = "Limits that exclude a model." },
    { "latency_percentile", FIELD_INT, offsetof(struct multi_factor_config, latency_percentile), .flags = FIELD_RANGE,
      .fallback = "95", .least = 1, .greatest = 100, .help = "Percentile of the latencies that are compared." },
    { "on_no_candidates", FIELD_ENUM, offsetof(struct multi_factor_config, on_no_candidates), .fallback = "cheapest",
      .choices = policies, .help = "What is taken when the limits leave no model." },
};
static const struct schema schema = SCHEMA("multi_factor block", struct multi_factor_config, fields);

const struct config_kind selector_multi_factor = { .type = "multi_factor", .schema = &schema };
