/*
 * language - the natural language of the text (signals.md §6.8). Each rule names one language and may ask for its own
 * certainty. The likelihood of every language that has a share of the text is a value, whether or not a rule names it.
 */
#include "text/language.h"

#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

/* What a rule without a threshold asks for, and what a fallback counts. */
#define LANGUAGE_THRESHOLD 0.3
#define FALLBACK_CONFIDENCE 0.5

struct language_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    vsr_str fallback;
};

static const struct field language_fields[] = {
    { "name", FIELD_STRING, offsetof(struct language_config, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Language as a lower-case ISO 639-1 code, such as en." },
    { "description", FIELD_STRING, offsetof(struct language_config, description), .help = "Documentation only." },
    { "threshold", FIELD_NUMBER, offsetof(struct language_config, threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = 1, .help = "Least certainty; 0 or left out: 0.3." },
    { "fallback", FIELD_STRING, offsetof(struct language_config, fallback),
      .help =
          "Language that a text counts as, with certainty 0.5, when no rule matches because none is detected, or the "
          "likeliest is less certain than this rule's threshold. Of several rules the first decides. Left out: such a "
          "text matches nothing." },
};

static const struct schema language_schema;

/* The likely slips: upper case, or a region as in en-US. */
static vsr_str suggest_code(vsr_str name, struct arena *arena) {
    vsr_str lower = arena_str_lower(arena, str_sub(name, 0, 2));
    if (language_find(lower) == LANGUAGE_NONE || (name.len > 2 && name.ptr[2] != '-' && name.ptr[2] != '_'))
        return VSR_STR("codes look like en, de, zh");
    return arena_printf(arena, "did you mean \"%.*s\"?", VSR_FMT(lower));
}

static void check_code(const struct language_config *rule, const char *field, vsr_str code, struct arena *arena,
                       struct diag *diag) {
    if (language_find(code) == LANGUAGE_NONE)
        diag_error(diag, "E_ENUM", schema_field_at(&language_schema, rule, field, arena), suggest_code(code, arena),
                   "\"%.*s\" is not the ISO 639-1 code of a language that can be detected", VSR_FMT(code));
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct language_config *rule = object;
    check_code(rule, "name", rule->name, arena, diag);
    if (rule->fallback.len > 0)
        check_code(rule, "fallback", rule->fallback, arena, diag);
}

static const struct schema language_schema =
    SCHEMA("language rule", struct language_config, language_fields, .check = check_rule);

/* A rule, compiled. */
struct language_rule {
    enum language language, fallback; /* fallback: LANGUAGE_NONE without */
    double threshold, floor;          /* as written, and what detection must reach */
};

struct language_state {
    struct language_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
    uint32_t value_slots[LANGUAGE_COUNT];
    enum signal_text text;
};

static void warn_without_rule(struct signal_builder *builder, const struct language_config *rule,
                              const struct language_state *state, enum language fallback) {
    for (size_t i = 0; i < state->n_rules; i++)
        if (state->rules[i].language == fallback)
            return;
    diag_warn(builder->diag, "W_UNUSED", schema_field_at(&language_schema, rule, "fallback", builder->arena),
              VSR_STR("add a rule of that name, or leave the fallback out"),
              "no rule is named \"%.*s\", so this fallback matches nothing", VSR_FMT(rule->fallback));
}

static void *build(struct signal_builder *builder) {
    struct language_state *state = ARENA_NEW(builder->arena, struct language_state);
    const struct language_config *configs = builder->rules->items;
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct language_rule, state->n_rules);
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    for (size_t i = 0; i < state->n_rules; i++)
        state->rules[i] =
            (struct language_rule){ .language = language_find(configs[i].name),
                                    .fallback = language_find(configs[i].fallback),
                                    .threshold = configs[i].threshold,
                                    .floor = configs[i].threshold > 0 ? configs[i].threshold : LANGUAGE_THRESHOLD };
    for (size_t i = 0; i < state->n_rules; i++)
        if (state->rules[i].fallback != LANGUAGE_NONE)
            warn_without_rule(builder, &configs[i], state, state->rules[i].fallback);
    for (int i = 0; i < LANGUAGE_COUNT; i++)
        state->value_slots[i] = signal_slots_add(builder->slots, VSR_STR("language"), language_code((enum language)i));
    language_warm_up();
    return state;
}

/* The language that a text counts as when no rule matched what was detected. */
static enum language fallback_language(const struct language_state *state, const struct language_guess *guess) {
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct language_rule *rule = &state->rules[i];
        if (rule->fallback != LANGUAGE_NONE && (guess->language == LANGUAGE_NONE || guess->confidence < rule->floor))
            return rule->fallback;
    }
    return LANGUAGE_NONE;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct language_state *state = data;
    struct language_guess guess;
    bool any = false;
    vsr_str text;
    int rc = signal_request_window(request, state->text, &text, err);
    if (rc < 0)
        return rc;
    language_detect(text, &guess);
    for (size_t i = 0; i < guess.n_shares; i++)
        signal_value(results, state->value_slots[guess.shares[i].language], guess.shares[i].p);
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct language_rule *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        if (rule->language == guess.language && guess.confidence >= rule->floor) {
            signal_match(results, slot, guess.confidence);
            any = true;
        } else {
            signal_no_match(results, slot);
        }
    }
    if (!any) {
        enum language language = fallback_language(state, &guess);
        for (size_t i = 0; i < state->n_rules; i++)
            if (language != LANGUAGE_NONE && state->rules[i].language == language &&
                FALLBACK_CONFIDENCE >= state->rules[i].threshold)
                signal_match(results, state->first_slot + (uint32_t)i, FALLBACK_CONFIDENCE);
    }
    return 0;
}

const struct signal_family signal_language = {
    .config = { .type = "language", .list_key = "language", .schema = &language_schema },
    .stage = SIGNAL_STAGE_TEXT,
    .all_or_nothing = true, /* one detection serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval),
};
