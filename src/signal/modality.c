/*
 * modality - whether text, an image, or both are asked for (signals.md §6.9).
 */
#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

enum modality { MODALITY_AR, MODALITY_DIFFUSION, MODALITY_BOTH, MODALITIES };

static const char *const labels[MODALITIES] = { "AR", "DIFFUSION", "BOTH" };

struct modality_config {
    struct config_at at;
    vsr_str name, description;
};

static const struct field modality_fields[] = {
    { "name", FIELD_STRING, offsetof(struct modality_config, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "AR (text), DIFFUSION (an image) or BOTH." },
    { "description", FIELD_STRING, offsetof(struct modality_config, description), .help = "Documentation only." },
};

static const struct schema modality_schema;

static int find_label(vsr_str name) {
    for (int i = 0; i < MODALITIES; i++)
        if (str_eq_c(name, labels[i]))
            return i;
    return -1;
}

static vsr_str suggest_label(vsr_str name, struct arena *arena) {
    for (int i = 0; i < MODALITIES; i++)
        if (str_eq_nocase(str_trim(name), str_from_c(labels[i])))
            return arena_printf(arena, "did you mean \"%s\"?", labels[i]);
    return VSR_STR("AR is text, DIFFUSION an image");
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct modality_config *rule = object;
    if (find_label(rule->name) < 0)
        diag_error(diag, "E_ENUM", schema_field_at(&modality_schema, rule, "name", arena),
                   suggest_label(rule->name, arena), "\"%.*s\" is not one of AR, DIFFUSION, BOTH", VSR_FMT(rule->name));
}

static const struct schema modality_schema =
    SCHEMA("modality rule", struct modality_config, modality_fields, .check = check_rule);

struct modality_state {
    size_t n_rules;
    uint32_t first_slot;
};

static void *build(struct signal_builder *builder) {
    struct modality_state *state = ARENA_NEW(builder->arena, struct modality_state);
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    return state;
}

/* Without a detector nobody can tell. */
static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct modality_state *state = data;
    (void)request;
    (void)err;
    for (uint32_t i = 0; i < state->n_rules; i++)
        signal_fail(results, state->first_slot + i, SIGNAL_UNAVAILABLE);
    return 0;
}

const struct signal_family signal_modality = {
    .config = { .type = "modality", .list_key = "modality", .schema = &modality_schema },
    .stage = SIGNAL_STAGE_TEXT,
    .all_or_nothing = true, /* one detection serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = build,
    .eval = eval,
};
