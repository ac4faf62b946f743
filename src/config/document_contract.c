/* Tables of what a decision says beside rules and models: learning, form of the answer, directives (config.md §7.5). */
#include <math.h>

#include "config/document.h"
#include "config/document_tables.h"
#include "core/arena.h"

/* ---- adaptations */

static const char *const adaptation_modes[] = { "apply", "observe", "bypass", NULL };
static const char *const candidate_sets[] = { "decision", "tier", "global", NULL };

static const struct field adaptation_fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct config_adaptation, mode), .flags = FIELD_UNSET, .choices = adaptation_modes,
      .help = "Of this component; absent: the decision's." },
    { "candidate_set", FIELD_ENUM, offsetof(struct config_adaptation, candidate_set), .fallback = "decision",
      .choices = candidate_sets, .help = "Whose models it may choose among." },
};
static const struct schema adaptation_schema = SCHEMA("adaptation", struct config_adaptation, adaptation_fields);

static const struct field protection_fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct config_protection, mode), .flags = FIELD_UNSET, .choices = adaptation_modes,
      .help = "Of this component; absent: the decision's." },
    { "stability_weight", FIELD_NUMBER, offsetof(struct config_protection, stability_weight), .flags = FIELD_RANGE,
      .least = 0, .greatest = INFINITY,
      .help = "How much staying with a model is worth; absent: as global.router says." },
    { "switch_margin", FIELD_NUMBER, offsetof(struct config_protection, switch_margin), .flags = FIELD_RANGE,
      .least = 0, .greatest = INFINITY,
      .help = "By how much another model must be better; absent: as global.router says." },
};
static const struct schema protection_schema = SCHEMA("protection", struct config_protection, protection_fields);

static const struct field adaptations_fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct config_adaptations, mode), .fallback = "apply", .choices = adaptation_modes,
      .help = "Whether learning changes the choice, only watches, or leaves it alone." },
    { "adaptation", FIELD_OBJECT, offsetof(struct config_adaptations, adaptation), .object = &adaptation_schema,
      .help = "Learning from outcomes." },
    { "protection", FIELD_OBJECT, offsetof(struct config_adaptations, protection), .object = &protection_schema,
      .help = "Staying with a session's model." },
};

/* A later mode allows less: bypass allows only bypass, observe does not allow apply. */
static void check_component(const struct config_adaptations *all, const struct schema *schema, const void *component,
                            int mode, struct arena *arena, struct diag *diag) {
    const struct config_at *at = component;
    if (at->node && schema_present(schema, component, "mode") && mode < all->mode)
        diag_error(diag, "E_CONFLICT", schema_field_at(schema, component, "mode", arena), VSR_STR(""),
                   "\"%s\" is wider than the decision's mode \"%s\"", adaptation_modes[mode],
                   adaptation_modes[all->mode]);
}

static void check_adaptations(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_adaptations *all = object;
    check_component(all, &adaptation_schema, &all->adaptation, all->adaptation.mode, arena, diag);
    check_component(all, &protection_schema, &all->protection, all->protection.mode, arena, diag);
}

const struct schema config_adaptations_schema =
    SCHEMA("adaptations", struct config_adaptations, adaptations_fields, .check = check_adaptations);

/* ---- output contract */

static const char *const contract_types[] = { "", "choice", "structured_json", "reference_selection", NULL };
static const char *const schema_refs[] = { "terminal_action_v1", NULL };
static const char *const reference_sources[] = { "candidate_responses", NULL };
static const char *const id_formats[] = { "index", "reference_number", NULL };
static const char *const render_modes[] = { "value", "template", NULL };
static const char *const extract_modes[] = { "exact", "json_object", NULL };
static const char *const step_types[] = { "dereference_selected_reference", NULL };
static const char *const extract_sources[] = { "content", "reasoning_content", "candidate_responses", NULL };

static const struct field choice_fields[] = {
    { "values", FIELD_STRINGS, offsetof(struct config_choice_set, values), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The answers that are allowed; different without case." },
};

static void check_choices(const void *object, struct arena *arena, struct diag *diag);

static const struct schema choice_schema =
    SCHEMA("choice set", struct config_choice_set, choice_fields, .check = check_choices);

static void check_choices(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_strings *values = &((const struct config_choice_set *)object)->values;
    for (size_t i = 0; i < values->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq_nocase(values->items[i], values->items[k]))
                diag_error(diag, "E_DUP", schema_field_at(&choice_schema, object, "values", arena), VSR_STR(""),
                           "\"%.*s\" and \"%.*s\" are the same without case", VSR_FMT(values->items[k]),
                           VSR_FMT(values->items[i]));
}

static const struct field json_fields[] = {
    { "schema_ref", FIELD_ENUM, offsetof(struct config_contract_schema, schema_ref), .flags = FIELD_REQUIRED,
      .choices = schema_refs, .help = "Built-in shape of the answer." },
};
static const struct schema json_schema = SCHEMA("json schema", struct config_contract_schema, json_fields);

static const struct field reference_fields[] = {
    { "source", FIELD_ENUM, offsetof(struct config_contract_reference, source), .fallback = "candidate_responses",
      .choices = reference_sources, .help = "What the answer refers to." },
    { "id_format", FIELD_ENUM, offsetof(struct config_contract_reference, id_format), .fallback = "index",
      .choices = id_formats, .help = "How: by a number, or by the words reference and number." },
};
static const struct schema reference_schema = SCHEMA("reference", struct config_contract_reference, reference_fields);

static const struct field render_fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct config_contract_render, mode), .fallback = "value", .choices = render_modes,
      .help = "Whether the choice is given as it is or in a template." },
    { "template", FIELD_STRING, offsetof(struct config_contract_render, template), .flags = FIELD_VERBATIM,
      .help = "Text with {choice} in it." },
};

static void check_render(const void *object, struct arena *arena, struct diag *diag);

static const struct schema render_schema =
    SCHEMA("render", struct config_contract_render, render_fields, .check = check_render);

static void check_render(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_contract_render *render = object;
    if (render->mode == 1 && str_find(render->template, VSR_STR("{choice}")) < 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&render_schema, object, "template", arena), VSR_STR(""),
                   "mode template needs a template that holds {choice}");
}

static const struct field extract_fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct config_contract_extract, mode), .fallback = "exact", .choices = extract_modes,
      .help = "Whether all of the text counts, or the JSON object in it." },
    { "sources", FIELD_STRINGS, offsetof(struct config_contract_extract, sources), .flags = FIELD_NONBLANK,
      .fallback = "[content]",
      .help = "Where it is looked for, in order: content, reasoning_content, candidate_responses." },
};

static void check_extract(const void *object, struct arena *arena, struct diag *diag);

static const struct schema extract_schema =
    SCHEMA("extract", struct config_contract_extract, extract_fields, .check = check_extract);

static bool is_source(vsr_str name) {
    for (size_t i = 0; extract_sources[i]; i++)
        if (str_eq_c(name, extract_sources[i]))
            return true;
    return false;
}

static void check_extract(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_strings *sources = &((const struct config_contract_extract *)object)->sources;
    struct diag_at at = schema_field_at(&extract_schema, object, "sources", arena);
    for (size_t i = 0; i < sources->n; i++) {
        bool repeated = false;
        for (size_t k = 0; k < i; k++)
            repeated |= str_eq(sources->items[i], sources->items[k]);
        if (repeated)
            diag_error(diag, "E_DUP", at, VSR_STR(""), "\"%.*s\" is listed twice", VSR_FMT(sources->items[i]));
        else if (!is_source(sources->items[i]))
            diag_error(diag, "E_ENUM", at, VSR_STR(""),
                       "\"%.*s\" is not one of content, reasoning_content, candidate_responses",
                       VSR_FMT(sources->items[i]));
    }
}

static const struct field normalize_fields[] = {
    { "field_order", FIELD_STRINGS, offsetof(struct config_contract_normalize, field_order), .flags = FIELD_NONBLANK,
      .help = "Order of the members." },
    { "defaults", FIELD_PAIRS, offsetof(struct config_contract_normalize, defaults), .flags = FIELD_ANY,
      .help = "Members that are added when they are missing." },
};
static const struct schema normalize_schema = SCHEMA("normalize", struct config_contract_normalize, normalize_fields);

static const struct field violation_fields[] = {
    { "repair", FIELD_BOOL, offsetof(struct config_contract_violation, repair), .fallback = "false",
      .help = "Whether the model is asked once more." },
    { "fallback", FIELD_STRING, offsetof(struct config_contract_violation, fallback),
      .help = "Answer when the contract cannot be met." },
};
static const struct schema violation_schema = SCHEMA("violation", struct config_contract_violation, violation_fields);

static const struct field step_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct config_contract_step, type), .flags = FIELD_REQUIRED, .choices = step_types,
      .help = "What is done with the selected reference." },
};
static const struct schema step_schema = SCHEMA("postprocessing step", struct config_contract_step, step_fields);

static const struct field contract_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct config_output_contract, type), .choices = contract_types,
      .help = "Form of the answer; may be left out when there is postprocessing." },
    { "choice_set", FIELD_OBJECT, offsetof(struct config_output_contract, choice_set), .flags = FIELD_UNSET,
      .object = &choice_schema, .help = "Type choice: the answers that are allowed." },
    { "json_schema", FIELD_OBJECT, offsetof(struct config_output_contract, json_schema), .flags = FIELD_UNSET,
      .object = &json_schema, .help = "Type structured_json: the shape." },
    { "reference", FIELD_OBJECT, offsetof(struct config_output_contract, reference), .flags = FIELD_UNSET,
      .object = &reference_schema, .help = "Type reference_selection: what is referred to." },
    { "render", FIELD_OBJECT, offsetof(struct config_output_contract, render), .object = &render_schema,
      .help = "How a choice is given." },
    { "extract", FIELD_OBJECT, offsetof(struct config_output_contract, extract), .object = &extract_schema,
      .help = "How the answer is found." },
    { "normalize", FIELD_OBJECT, offsetof(struct config_output_contract, normalize), .object = &normalize_schema,
      .help = "How a JSON answer is tidied." },
    { "on_violation", FIELD_OBJECT, offsetof(struct config_output_contract, on_violation), .object = &violation_schema,
      .help = "What happens when the answer does not fit." },
    { "postprocess", FIELD_OBJECTS, offsetof(struct config_output_contract, postprocess), .object = &step_schema,
      .help = "What is done with the answer." },
};

static void check_contract(const void *object, struct arena *arena, struct diag *diag);

/* The nested tables require their keys only where they are written: each belongs to one type. */
const struct schema config_output_contract_schema =
    SCHEMA("output contract", struct config_output_contract, contract_fields, .check = check_contract);

static struct diag_at contract_at(const void *object, const char *field, struct arena *arena) {
    return schema_field_at(&config_output_contract_schema, object, field, arena);
}

static void need_part(const struct config_output_contract *contract, enum config_contract_type type, const char *part,
                      bool required, struct arena *arena, struct diag *diag) {
    bool written = schema_present(&config_output_contract_schema, contract, part);
    if (contract->type == (int)type && required && !written)
        diag_error(diag, "E_REQUIRED", contract_at(contract, part, arena), VSR_STR(""), "type %s needs \"%s\"",
                   contract_types[type], part);
    else if (contract->type != (int)type && written)
        diag_error(diag, "E_CONFLICT", contract_at(contract, part, arena), VSR_STR(""), "\"%s\" belongs to type %s",
                   part, contract_types[type]);
}

static void check_contract(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_output_contract *contract = object;
    need_part(contract, CONTRACT_CHOICE, "choice_set", true, arena, diag);
    need_part(contract, CONTRACT_STRUCTURED_JSON, "json_schema", true, arena, diag);
    need_part(contract, CONTRACT_REFERENCE_SELECTION, "reference", false, arena, diag);
    if (contract->type == CONTRACT_NONE && contract->postprocess.n == 0)
        diag_error(diag, "E_REQUIRED", contract_at(contract, "type", arena), VSR_STR(""),
                   "a type is needed where there is no postprocessing");
    if (contract->postprocess.n > 0 && contract->type != CONTRACT_REFERENCE_SELECTION)
        diag_error(diag, "E_CONFLICT", contract_at(contract, "postprocess", arena), VSR_STR(""),
                   "dereference_selected_reference needs type reference_selection");
    if (contract->extract.mode == 1 && contract->type != CONTRACT_STRUCTURED_JSON)
        diag_error(diag, "E_CONFLICT", contract_at(contract, "extract", arena), VSR_STR(""),
                   "extract.mode json_object needs type structured_json");
}

/* ---- candidate iterations */

static const char *const iteration_sources[] = { "decision.candidates", "models", NULL };
static const char *const output_types[] = { "model", NULL };

static const struct field iteration_output_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct config_iteration_output, type), .flags = FIELD_REQUIRED,
      .choices = output_types, .help = "What the loop gives." },
    { "value", FIELD_STRING, offsetof(struct config_iteration_output, value), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The loop's variable." },
};
static const struct schema iteration_output_schema =
    SCHEMA("iteration output", struct config_iteration_output, iteration_output_fields);

static const struct field iteration_model_fields[] = {
    { "model", FIELD_STRING, offsetof(struct config_iteration_model, model), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Model card or LoRA; the name alone may stand for the block." },
    { "lora_name", FIELD_STRING, offsetof(struct config_iteration_model, lora_name), .help = "LoRA of that card." },
};

/* The name of a model stands for the model without a LoRA. */
static bool iteration_model_name(const struct yaml_node *node, void *object, struct arena *arena, struct diag *diag) {
    struct config_iteration_model *model = object;
    (void)arena;
    (void)diag;
    if (node->kind != YAML_SCALAR || str_trim(node->text).len == 0)
        return false;
    model->model = node->text;
    model->at.present = 1; /* of the first field */
    return true;
}

static const struct schema iteration_model_schema =
    SCHEMA("iteration model", struct config_iteration_model, iteration_model_fields, .shorthand = iteration_model_name);

static const struct field iteration_fields[] = {
    { "variable", FIELD_STRING, offsetof(struct config_candidate_iteration, variable),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Name of the candidate at hand." },
    { "source", FIELD_ENUM, offsetof(struct config_candidate_iteration, source), .flags = FIELD_REQUIRED,
      .choices = iteration_sources, .help = "What is gone through: the decision's modelRefs, or models." },
    { "models", FIELD_OBJECTS, offsetof(struct config_candidate_iteration, models), .object = &iteration_model_schema,
      .help = "With source models: these." },
    { "outputs", FIELD_OBJECTS, offsetof(struct config_candidate_iteration, outputs),
      .object = &iteration_output_schema, .help = "What comes of each turn." },
};

static void check_iteration(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_candidate_iteration *iteration = object;
    if (iteration->source == 1 && iteration->models.n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_candidate_iteration_schema, object, "models", arena),
                   VSR_STR(""), "source models needs at least one model");
    CONFIG_EACH(const struct config_iteration_output, output, &iteration->outputs)
    if (!str_eq(output->value, iteration->variable))
        diag_error(diag, "E_REF", schema_field_at(&iteration_output_schema, output, "value", arena), VSR_STR(""),
                   "\"%.*s\" is not the loop's variable \"%.*s\"", VSR_FMT(output->value),
                   VSR_FMT(iteration->variable));
}

const struct schema config_candidate_iteration_schema =
    SCHEMA("candidate iteration", struct config_candidate_iteration, iteration_fields, .check = check_iteration);

/* ---- emits */

static const char *const emit_kinds[] = { "retention", NULL };

static const struct field retention_fields[] = {
    { "drop", FIELD_BOOL, offsetof(struct config_retention, drop), .flags = FIELD_UNSET,
      .help = "The answer is not written to the cache." },
    { "ttl_turns", FIELD_INT, offsetof(struct config_retention, ttl_turns), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "It stays in the cache for so many turns of a minute each." },
    { "keep_current_model", FIELD_BOOL, offsetof(struct config_retention, keep_current_model), .flags = FIELD_UNSET,
      .help = "The session stays with its model." },
    { "prefer_prefix_retention", FIELD_BOOL, offsetof(struct config_retention, prefer_prefix_retention),
      .flags = FIELD_UNSET, .help = "The backend is asked to keep the prefix." },
};
static const struct schema retention_schema = SCHEMA("retention", struct config_retention, retention_fields);

static const struct field emit_fields[] = {
    { "kind", FIELD_ENUM, offsetof(struct config_emit, kind), .flags = FIELD_REQUIRED, .choices = emit_kinds,
      .help = "What is directed." },
    { "retention", FIELD_OBJECT, offsetof(struct config_emit, retention), .object = &retention_schema,
      .help = "How long the answer is kept; only what is written counts." },
};

static void check_emit(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_emit *emit = object;
    const struct config_retention *retention = &emit->retention;
    if (!schema_present(&config_emit_schema, emit, "retention"))
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_emit_schema, object, "retention", arena), VSR_STR(""),
                   "kind retention needs the key \"retention\"");
    else if (retention->drop && retention->ttl_turns > 0)
        diag_error(diag, "E_CONFLICT", schema_field_at(&retention_schema, retention, "ttl_turns", arena), VSR_STR(""),
                   "an answer that is dropped cannot be kept for turns");
    else if (retention->at.present == 0)
        diag_warn(diag, "W_EMPTY", schema_at(retention), VSR_STR(""), "nothing is said about retention");
    else if (schema_present(&retention_schema, retention, "ttl_turns") && retention->ttl_turns == 0 && !retention->drop)
        diag_warn(diag, "W_EMPTY", schema_field_at(&retention_schema, retention, "ttl_turns", arena), VSR_STR(""),
                  "ttl_turns 0 changes nothing without drop");
}

const struct schema config_emit_schema = SCHEMA("emit", struct config_emit, emit_fields, .check = check_emit);
