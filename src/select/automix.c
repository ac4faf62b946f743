/* automix - cheap models first, as far as their record carries (decisions.md §5.6). */
#include "select/selector.h"

struct automix_config {
    struct config_at at;
    double verification_threshold, cost_quality_tradeoff, discount_factor;
    int64_t max_escalations;
    bool cost_aware_routing, use_logprob_verification;
};

static const struct field fields[] = {
    { "verification_threshold", FIELD_NUMBER, offsetof(struct automix_config, verification_threshold),
      .flags = FIELD_RANGE, .fallback = "0.7", .least = 0, .greatest = 1,
      .help = "Chance of passing verification from which a model is trusted." },
    { "max_escalations", FIELD_INT, offsetof(struct automix_config, max_escalations), .flags = FIELD_RANGE,
      .fallback = "2", .least = 0, .greatest = 100, .help = "How often a larger model is tried." },
    { "cost_aware_routing", FIELD_BOOL, offsetof(struct automix_config, cost_aware_routing), .fallback = "true",
      .help = "Whether prices count." },
    { "cost_quality_tradeoff", FIELD_NUMBER, offsetof(struct automix_config, cost_quality_tradeoff),
      .flags = FIELD_RANGE, .fallback = "0.3", .least = 0, .greatest = 1, .help = "0: quality alone; 1: cost alone." },
    { "discount_factor", FIELD_NUMBER, offsetof(struct automix_config, discount_factor), .flags = FIELD_RANGE,
      .fallback = "0.95", .least = 0, .greatest = 1, .help = "Weight of what a later escalation would gain." },
    { "use_logprob_verification", FIELD_BOOL, offsetof(struct automix_config, use_logprob_verification),
      .fallback = "true", .help = "Whether log-probabilities verify answers." },
};
static const struct schema schema = SCHEMA("automix block", struct automix_config, fields);

const struct config_kind selector_automix = { .type = "automix", .schema = &schema };
