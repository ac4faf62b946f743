/* hybrid - experience, description and price, weighed together (decisions.md §5.5). */
#include "select/selector.h"

struct hybrid_config {
    struct config_at at;
    double experience_weight, router_dc_weight, automix_weight, cost_weight, quality_gap_threshold;
    bool normalize_scores;
};

#define WEIGHT(name, number, text) \
    { \
#name, FIELD_NUMBER, offsetof(struct hybrid_config, name), .flags = FIELD_RANGE, .fallback = number, \
                                                                   .least = 0, .greatest = 1, .help = text \
    }
static const struct field fields[] = {
    WEIGHT(experience_weight, "0.3", "Weight of outcomes seen so far."),
    WEIGHT(router_dc_weight, "0.3", "Weight of the similarity of query and description."),
    WEIGHT(automix_weight, "0.2", "Weight of the cheap-first estimate."),
    WEIGHT(cost_weight, "0.2", "Weight of the price."),
    WEIGHT(quality_gap_threshold, "0.1", "Kept for published documents; without effect."),
    { "normalize_scores", FIELD_BOOL, offsetof(struct hybrid_config, normalize_scores), .fallback = "true",
      .help = "Whether each component's scores are scaled to 0..1 first." },
};
#undef WEIGHT

static void check_block(const void *object, struct arena *arena, struct diag *diag) {
    const struct hybrid_config *config = object;
    (void)arena;
    if (config->experience_weight + config->router_dc_weight + config->automix_weight + config->cost_weight <= 0)
        diag_error(diag, "E_RANGE", schema_at(object), VSR_STR(""), "at least one weight must be greater than 0");
}

static const struct schema schema = SCHEMA("hybrid block", struct hybrid_config, fields, .check = check_block);

const struct config_kind selector_hybrid = { .type = "hybrid", .schema = &schema };
