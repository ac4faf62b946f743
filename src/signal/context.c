/*
 * context - how many tokens the request is about to need (signals.md §5.3, §11).
 *
 * The count is the larger of the estimate from the text's bytes, by the ratio learned from backends, and the floor that
 * the envelope guarantees (tools, images, framing, reserved output).
 */
#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"
#include "signal/token_count.h"
#include "wire/token_estimate.h"

struct context_config {
    struct config_at at;
    vsr_str name, description;
    int64_t min_tokens, max_tokens; /* max 0: no upper bound */
    bool include_output_reserve;
};

static const struct field context_fields[] = {
    RULE_FIELDS(struct context_config),
    { "min_tokens", FIELD_TOKENS, offsetof(struct context_config, min_tokens),
      .help = "Least number of tokens, such as 8K." },
    { "max_tokens", FIELD_TOKENS, offsetof(struct context_config, max_tokens),
      .help = "Greatest number of tokens, inclusive; 0 or left out: no upper bound." },
    { "include_output_reserve", FIELD_BOOL, offsetof(struct context_config, include_output_reserve), .fallback = "true",
      .help = "Whether the client's limit for the answer counts too." },
};

static const struct schema context_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct context_config *rule = object;
    if (rule->max_tokens > 0 && rule->min_tokens > rule->max_tokens)
        diag_error(diag, "E_RANGE", schema_field_at(&context_schema, rule, "min_tokens", arena), (vsr_str){ 0 },
                   "min_tokens %lld is more than max_tokens %lld", (long long)rule->min_tokens,
                   (long long)rule->max_tokens);
}

static const struct schema context_schema =
    SCHEMA("context rule", struct context_config, context_fields, .check = check_rule);

struct context_state {
    const struct context_config *rules;
    size_t n_rules;
    uint32_t first_slot, input_slot, reserve_slot;
};

/* Of a value of the request; a rule of that name keeps its own. */
static uint32_t value_slot(struct signal_builder *builder, vsr_str name) {
    static const vsr_str type = VSR_STR_INIT("context");
    bool taken = signal_slots_find(builder->slots, type, name) != SIGNAL_SLOT_NONE;
    return taken ? SIGNAL_SLOT_NONE : signal_slots_add(builder->slots, type, name);
}

static void write_value(struct signal_results *results, uint32_t slot, uint64_t number) {
    if (slot != SIGNAL_SLOT_NONE)
        signal_value(results, slot, (double)number);
}

static void *build(struct signal_builder *builder) {
    struct context_state *state = ARENA_NEW(builder->arena, struct context_state);
    state->rules = builder->rules->items;
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    state->input_slot = value_slot(builder, VSR_STR("input_tokens"));
    state->reserve_slot = value_slot(builder, VSR_STR("reserve_tokens"));
    return state;
}

uint64_t signal_token_count(const struct request_facts *facts, double bytes_per_token, bool with_reserve) {
    uint64_t estimate = token_estimate_tokens(facts->context_text.len, bytes_per_token);
    uint64_t floor = with_reserve ? facts->token_floor : facts->token_floor_input;
    return estimate > floor ? estimate : floor;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct context_state *state = data;
    (void)err;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct context_config *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        uint64_t count;
        if (!bits_has(request->wanted, slot))
            continue;
        count = signal_token_count(request->facts, request->bytes_per_token, rule->include_output_reserve);
        signal_value(results, slot, (double)count);
        if (count >= (uint64_t)rule->min_tokens && (rule->max_tokens == 0 || count <= (uint64_t)rule->max_tokens))
            signal_match(results, slot, 1.0);
    }
    write_value(results, state->input_slot, request->facts->token_floor_input);
    write_value(results, state->reserve_slot, request->facts->output_reserve);
    return 0;
}

const struct signal_family signal_context = {
    .config = { .type = "context", .list_key = "context", .schema = &context_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval),
};
