/* latency_aware - the model that answers fastest, by observed percentiles (decisions.md §5.3). */
#include "select/selector.h"

struct latency_aware_config {
    struct config_at at;
    int64_t tpot_percentile, ttft_percentile; /* 0: not asked for */
    vsr_str description;
};

static const struct field fields[] = {
    { "tpot_percentile", FIELD_INT, offsetof(struct latency_aware_config, tpot_percentile), .flags = FIELD_RANGE,
      .least = 1, .greatest = 100, .help = "Percentile of the time per output token that is compared." },
    { "ttft_percentile", FIELD_INT, offsetof(struct latency_aware_config, ttft_percentile), .flags = FIELD_RANGE,
      .least = 1, .greatest = 100, .help = "Percentile of the time to the first token that is compared." },
    { "description", FIELD_STRING, offsetof(struct latency_aware_config, description), .help = "For readers." },
};

static void check_block(const void *object, struct arena *arena, struct diag *diag) {
    const struct latency_aware_config *config = object;
    (void)arena;
    if (!config->tpot_percentile && !config->ttft_percentile)
        diag_error(diag, "E_REQUIRED", schema_at(object), VSR_STR(""),
                   "at least one of tpot_percentile and ttft_percentile is required");
    else if (!config->tpot_percentile || !config->ttft_percentile)
        diag_warn(diag, "W_ONE_PERCENTILE", schema_at(object), VSR_STR("add the other one to weigh both"),
                  "only %s counts", config->tpot_percentile ? "tpot_percentile" : "ttft_percentile");
}

static const struct schema schema =
    SCHEMA("latency_aware block", struct latency_aware_config, fields, .check = check_block);

const struct config_kind selector_latency_aware = { .type = "latency_aware",
                                                    .schema = &schema,
                                                    .block_required = true };
