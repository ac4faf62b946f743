/*
 * reask - whether the user asks the same again (signals.md §6.5): how many of the latest turns resemble this one.
 */
#include <math.h>

#include "core/arena.h"
#include "signal/learned.h"

struct reask_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    int64_t lookback_turns;
};

static const struct field reask_fields[] = {
    RULE_FIELDS(struct reask_config),
    { "threshold", FIELD_NUMBER, offsetof(struct reask_config, threshold), .flags = FIELD_RANGE, .fallback = "0.8",
      .least = 0, .greatest = 1, .help = "Least similarity of two turns; 0: 0.8." },
    { "lookback_turns", FIELD_INT, offsetof(struct reask_config, lookback_turns), .flags = FIELD_RANGE, .fallback = "1",
      .least = 0, .greatest = INFINITY, .help = "How many of the latest earlier turns must resemble this one; 0: 1." },
};
static const struct schema reask_schema = SCHEMA("reask rule", struct reask_config, reask_fields);

/* The rule needs as many earlier turns as it looks back. */
static bool applies(const void *state, const struct request_facts *facts, size_t index) {
    const struct config_list *rules = state;
    const struct reask_config *rule = (const struct reask_config *)rules->items + index;
    int64_t wanted = rule->lookback_turns > 0 ? rule->lookback_turns : 1, n = 0;
    for (size_t i = 0; i < facts->prior_user.n; i++)
        n += str_trim(facts->prior_user.items[i]).len > 0;
    return n >= wanted && str_trim(facts->current_user).len > 0;
}

const struct signal_family signal_reask = {
    .config = { .type = "reask", .list_key = "reasks", .schema = &reask_schema },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .models = signal_models_embedding,
    .all_or_nothing = true, /* the longest streak wins */
    .value_greatest = INFINITY,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = learned_build,
    .applies = applies,
};
