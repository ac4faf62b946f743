/*
 * language - the natural language of the text (signals.md §6.8). Each rule names one language and may ask for its own
 * certainty.
 */
#include "text/language.h"

#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

/* What a rule without a threshold asks for. */
#define LANGUAGE_THRESHOLD 0.3

struct language_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
};

static const struct field language_fields[] = {
    { "name", FIELD_STRING, offsetof(struct language_config, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Language as a lower-case ISO 639-1 code, such as en." },
    { "description", FIELD_STRING, offsetof(struct language_config, description), .help = "Documentation only." },
    { "threshold", FIELD_NUMBER, offsetof(struct language_config, threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = 1, .help = "Least certainty; 0 or left out: 0.3." },
};

static const struct schema language_schema;

/* The likely slips: upper case, or a region as in en-US. */
static vsr_str suggest_code(vsr_str name, struct arena *arena) {
    vsr_str lower = arena_str_lower(arena, str_sub(name, 0, 2));
    if (!language_supported(lower) || (name.len > 2 && name.ptr[2] != '-' && name.ptr[2] != '_'))
        return VSR_STR("codes look like en, de, zh");
    return arena_printf(arena, "did you mean \"%.*s\"?", VSR_FMT(lower));
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct language_config *rule = object;
    if (!language_supported(rule->name))
        diag_error(diag, "E_ENUM", schema_field_at(&language_schema, rule, "name", arena),
                   suggest_code(rule->name, arena),
                   "\"%.*s\" is not the ISO 639-1 code of a language that can be detected", VSR_FMT(rule->name));
}

static const struct schema language_schema =
    SCHEMA("language rule", struct language_config, language_fields, .check = check_rule);

struct language_state {
    const struct language_config *rules;
    size_t n_rules;
    uint32_t first_slot;
    enum signal_text text;
};

static void *build(struct signal_builder *builder) {
    struct language_state *state = ARENA_NEW(builder->arena, struct language_state);
    state->rules = builder->rules->items;
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    language_warm_up(builder->arena);
    state->text = builder->text;
    return state;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct language_state *state = data;
    struct language_guess guess;
    vsr_str text;
    int rc = signal_request_window(request, state->text, &text, err);
    if (rc < 0)
        return rc;
    rc = language_detect(request->arena, text, &guess, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct language_config *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        if (guess.code.len && str_eq(rule->name, guess.code) &&
            guess.confidence >= (rule->threshold > 0 ? rule->threshold : LANGUAGE_THRESHOLD))
            signal_match(results, slot, guess.confidence);
        else
            signal_no_match(results, slot);
    }
    return 0;
}

const struct signal_family signal_language = {
    .config = { .type = "language", .list_key = "language", .schema = &language_schema },
    .stage = SIGNAL_STAGE_TEXT,
    .all_or_nothing = true, /* one detection serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = build,
    .eval = eval,
};
