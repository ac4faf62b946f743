/* Tables of the block `routing` (config.md §7). */
#include <math.h>

#include "config/document.h"
#include "config/document_tables.h"
#include "config/predicate.h"

enum {
    ANNOTATIONS_MAX = 32, /* config.md §7.5 */
    ANNOTATIONS_LEN_MAX = 4096,
};

/* ---- model cards */

static const struct field lora_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_lora, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the adapter, as the backend knows it." },
    { "description", FIELD_STRING, offsetof(struct config_lora, description), .help = "What it is good at." },
};
const struct schema config_lora_schema = SCHEMA("LoRA", struct config_lora, lora_fields);

static const struct field model_card_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_model_card, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Logical name of the model." },
    { "param_size", FIELD_STRING, offsetof(struct config_model_card, param_size),
      .help = "Size such as 8B or 35B-A3B; orders cascades." },
    { "context_window_size", FIELD_INT, offsetof(struct config_model_card, context_window_size), .flags = FIELD_RANGE,
      .least = 1, .greatest = INFINITY, .help = "Tokens that fit into the model's window." },
    { "description", FIELD_STRING, offsetof(struct config_model_card, description),
      .help = "What the model is good at." },
    { "capabilities", FIELD_STRINGS, offsetof(struct config_model_card, capabilities),
      .help = "What the model can do." },
    { "quality_score", FIELD_NUMBER, offsetof(struct config_model_card, quality_score), .flags = FIELD_RANGE,
      .least = 0, .greatest = 1, .help = "Quality from 0 to 1, for selection." },
    { "modality", FIELD_STRING, offsetof(struct config_model_card, modality),
      .help = "ar or text; diffusion; omni, multimodal or both." },
    { "tags", FIELD_STRINGS, offsetof(struct config_model_card, tags), .help = "Free labels." },
    { "loras", FIELD_OBJECTS, offsetof(struct config_model_card, loras), .object = &config_lora_schema,
      .help = "Adapters served on top of this model." },
};
const struct schema config_model_card_schema = SCHEMA("model card", struct config_model_card, model_card_fields);

/* ---- bounds: predicates and mapping outputs */

static unsigned written_bounds(const struct schema *schema, const void *object) {
    return (schema_present(schema, object, "lt") ? BOUND_LT : 0u) |
           (schema_present(schema, object, "lte") ? BOUND_LTE : 0u) |
           (schema_present(schema, object, "gt") ? BOUND_GT : 0u) |
           (schema_present(schema, object, "gte") ? BOUND_GTE : 0u);
}

static void check_bounds(const struct bounds *bounds, const struct schema *schema, const void *object,
                         struct arena *arena, struct diag *diag) {
    unsigned faults = bounds_faults(bounds);
    if (faults & BOUNDS_MISSING)
        diag_error(diag, "E_REQUIRED", schema_at(object), VSR_STR(""), "needs at least one of gt, gte, lt and lte");
    if (faults & BOUNDS_TWO_LOWER)
        diag_error(diag, "E_CONFLICT", schema_field_at(schema, object, "gte", arena), VSR_STR(""),
                   "gt and gte exclude each other");
    if (faults & BOUNDS_TWO_UPPER)
        diag_error(diag, "E_CONFLICT", schema_field_at(schema, object, "lte", arena), VSR_STR(""),
                   "lt and lte exclude each other");
    if (faults & BOUNDS_EMPTY)
        diag_error(diag, "E_RANGE", schema_at(object), VSR_STR(""), "no number lies within these bounds");
}

/* Records in the object which bounds were written: the one thing that a table's check adds to what it checks. */
static void check_predicate(const void *object, struct arena *arena, struct diag *diag) {
    struct config_predicate *predicate = (struct config_predicate *)object;
    struct bounds bounds;
    predicate->bounds = written_bounds(&config_predicate_schema, object);
    bounds = bounds_of_predicate(predicate);
    check_bounds(&bounds, &config_predicate_schema, object, arena, diag);
}

static const struct field predicate_fields[] = {
    { "gt", FIELD_NUMBER, offsetof(struct config_predicate, gt), .help = "The value is greater than this." },
    { "gte", FIELD_NUMBER, offsetof(struct config_predicate, gte), .help = "The value is at least this." },
    { "lt", FIELD_NUMBER, offsetof(struct config_predicate, lt), .help = "The value is less than this." },
    { "lte", FIELD_NUMBER, offsetof(struct config_predicate, lte), .help = "The value is at most this." },
};
const struct schema config_predicate_schema =
    SCHEMA("predicate", struct config_predicate, predicate_fields, .check = check_predicate);

/* ---- projections */

static const char *const semantics[] = { "exclusive", "softmax_exclusive", NULL };

static const struct field partition_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_partition, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the partition." },
    { "semantics", FIELD_ENUM, offsetof(struct config_partition, semantics), .flags = FIELD_REQUIRED,
      .choices = semantics, .help = "Whether the winner keeps its confidence or gets its share of a softmax." },
    { "temperature", FIELD_NUMBER, offsetof(struct config_partition, temperature),
      .flags = FIELD_RANGE | FIELD_LEAST_OPEN, .least = 0, .greatest = INFINITY,
      .help = "Temperature of softmax_exclusive." },
    { "members", FIELD_STRINGS, offsetof(struct config_partition, members), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Rules of one family of which at most one shall match." },
    { "default", FIELD_STRING, offsetof(struct config_partition, fallback), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Member that matches when none does." },
};

static void check_partition(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_partition *partition = object;
    if (partition->semantics != 1 || schema_present(&config_partition_schema, object, "temperature"))
        return;
    diag_error(diag, "E_REQUIRED", schema_field_at(&config_partition_schema, object, "temperature", arena), VSR_STR(""),
               "softmax_exclusive needs a temperature greater than 0");
}

const struct schema config_partition_schema =
    SCHEMA("partition", struct config_partition, partition_fields, .check = check_partition);

static const char *const value_sources[] = { "", "binary", "confidence", "raw", "score", NULL };

static const struct field score_input_fields[] = {
    { "type", FIELD_STRING, offsetof(struct config_score_input, type), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Signal family, or projection." },
    { "name", FIELD_STRING, offsetof(struct config_score_input, name),
      .help = "Rule of the family; score or mapping output of a projection." },
    { "kb", FIELD_STRING, offsetof(struct config_score_input, kb), .help = "Knowledge base of a kb_metric." },
    { "metric", FIELD_STRING, offsetof(struct config_score_input, metric), .help = "Metric of a kb_metric." },
    { "weight", FIELD_NUMBER, offsetof(struct config_score_input, weight), .flags = FIELD_REQUIRED,
      .help = "Factor of the value; may be negative." },
    { "value_source", FIELD_ENUM, offsetof(struct config_score_input, value_source), .flags = FIELD_NOCASE,
      .choices = value_sources, .help = "Which number of the signal is used." },
    { "match", FIELD_NUMBER, offsetof(struct config_score_input, match), .fallback = "1",
      .help = "Value of a binary input that matches." },
    { "miss", FIELD_NUMBER, offsetof(struct config_score_input, miss), .fallback = "0",
      .help = "Value of a binary input that does not match." },
};
const struct schema config_score_input_schema = SCHEMA("score input", struct config_score_input, score_input_fields);

static const char *const score_methods[] = { "weighted_sum", NULL };

static const struct field score_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_score, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the score." },
    { "method", FIELD_ENUM, offsetof(struct config_score, method), .fallback = "weighted_sum", .choices = score_methods,
      .help = "How inputs are put together." },
    { "inputs", FIELD_OBJECTS, offsetof(struct config_score, inputs), .flags = FIELD_REQUIRED,
      .object = &config_score_input_schema, .help = "What is added up." },
};

static void check_score(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_score *score = object;
    if (score->inputs.n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_score_schema, object, "inputs", arena), VSR_STR(""),
                   "must have at least one entry");
}

const struct schema config_score_schema = SCHEMA("score", struct config_score, score_fields, .check = check_score);

static const char *const calibration_methods[] = { "sigmoid_distance", NULL };

static const struct field calibration_fields[] = {
    { "method", FIELD_ENUM, offsetof(struct config_calibration, method), .fallback = "sigmoid_distance",
      .choices = calibration_methods, .help = "How the distance to a bound becomes a confidence." },
    { "slope", FIELD_NUMBER, offsetof(struct config_calibration, slope),
      .help = "Steepness; 12 when it is not greater than 0." },
};
static const struct schema calibration_schema = SCHEMA("calibration", struct config_calibration, calibration_fields);

static void check_mapping_output(const void *object, struct arena *arena, struct diag *diag) {
    struct config_mapping_output *output = (struct config_mapping_output *)object;
    struct bounds bounds;
    output->bounds = written_bounds(&config_mapping_output_schema, object);
    bounds = bounds_of_output(output);
    check_bounds(&bounds, &config_mapping_output_schema, object, arena, diag);
}

static const struct field mapping_output_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_mapping_output, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name that decisions use." },
    { "gt", FIELD_NUMBER, offsetof(struct config_mapping_output, gt), .help = "The score is greater than this." },
    { "gte", FIELD_NUMBER, offsetof(struct config_mapping_output, gte), .help = "The score is at least this." },
    { "lt", FIELD_NUMBER, offsetof(struct config_mapping_output, lt), .help = "The score is less than this." },
    { "lte", FIELD_NUMBER, offsetof(struct config_mapping_output, lte), .help = "The score is at most this." },
};
const struct schema config_mapping_output_schema =
    SCHEMA("mapping output", struct config_mapping_output, mapping_output_fields, .check = check_mapping_output);

static const char *const mapping_methods[] = { "threshold_bands", "multi_emit", NULL };

static const struct field mapping_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_mapping, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the mapping." },
    { "source", FIELD_STRING, offsetof(struct config_mapping, source), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Score that is mapped." },
    { "method", FIELD_ENUM, offsetof(struct config_mapping, method), .fallback = "threshold_bands",
      .choices = mapping_methods, .help = "Whether the first output that fits is emitted, or every one." },
    { "calibration", FIELD_OBJECT, offsetof(struct config_mapping, calibration), .object = &calibration_schema,
      .help = "Confidence of an emitted output." },
    { "outputs", FIELD_OBJECTS, offsetof(struct config_mapping, outputs), .flags = FIELD_REQUIRED,
      .object = &config_mapping_output_schema, .help = "Bands of the score." },
};

static void check_mapping(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_mapping *mapping = object;
    size_t least = mapping->method == 1 ? 2 : 1;
    if (mapping->outputs.n < least)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_mapping_schema, object, "outputs", arena), VSR_STR(""),
                   "%s needs at least %zu of them", mapping_methods[mapping->method], least);
}

const struct schema config_mapping_schema =
    SCHEMA("mapping", struct config_mapping, mapping_fields, .check = check_mapping);

static const struct field projections_fields[] = {
    { "partitions", FIELD_OBJECTS, offsetof(struct config_projections, partitions), .object = &config_partition_schema,
      .help = "Groups of rules of which at most one shall match." },
    { "scores", FIELD_OBJECTS, offsetof(struct config_projections, scores), .object = &config_score_schema,
      .help = "Weighted sums over signals." },
    { "mappings", FIELD_OBJECTS, offsetof(struct config_projections, mappings), .object = &config_mapping_schema,
      .help = "Bands of scores, usable in decisions." },
};
static const struct schema projections_schema = SCHEMA("projections", struct config_projections, projections_fields);

/* ---- rules */

static const char *const operators[] = { "", "AND", "OR", "NOT", NULL };
static const char *const on_errors[] = { "", "match", "no_match", NULL };
static const char *const on_unknowns[] = { "", "match", "no_match", "unknown", NULL };

static const struct field rule_fields[] = {
    { "type", FIELD_STRING, offsetof(struct config_rule, type), .help = "Leaf: signal family, or projection." },
    { "name", FIELD_STRING, offsetof(struct config_rule, name),
      .help = "Leaf: rule of the family, or mapping output." },
    { "label", FIELD_STRING, offsetof(struct config_rule, label), .help = "Leaf: label of a classifier." },
    { "predicate", FIELD_OPTIONAL, offsetof(struct config_rule, predicate), .object = &config_predicate_schema,
      .help = "Leaf: test on the signal's value instead of its match." },
    { "on_error", FIELD_ENUM, offsetof(struct config_rule, on_error), .choices = on_errors,
      .help = "Leaf: what a failed classifier counts as." },
    { "on_unknown", FIELD_ENUM, offsetof(struct config_rule, on_unknown), .choices = on_unknowns,
      .help = "Leaf: what a signal that could not be evaluated counts as." },
    { "not", FIELD_BOOL, offsetof(struct config_rule, negated), .help = "The node's result is negated." },
    { "operator", FIELD_ENUM, offsetof(struct config_rule, op), .flags = FIELD_NOCASE, .choices = operators,
      .help = "Branch: AND, OR or NOT." },
    { "conditions", FIELD_OBJECTS, offsetof(struct config_rule, conditions), .object = &config_rule_schema,
      .help = "Branch: what is combined." },
};
const struct schema config_rule_schema = SCHEMA("rule node", struct config_rule, rule_fields);

/* ---- decisions */

/*
 * `use_reasoning` is false when it is not written: config.md §1 (step 10) says so, decisions.md §2.8 calls it required.
 * The default wins, because published profiles leave it out.
 */
static const struct field model_ref_fields[] = {
    { "model", FIELD_STRING, offsetof(struct config_model_ref, model), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Model card or LoRA." },
    { "lora_name", FIELD_STRING, offsetof(struct config_model_ref, lora_name), .help = "LoRA of that card." },
    { "weight", FIELD_NUMBER, offsetof(struct config_model_ref, weight), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "Share of calls where an algorithm distributes by weight; 0 is unweighted." },
    { "use_reasoning", FIELD_BOOL, offsetof(struct config_model_ref, use_reasoning),
      .help = "Whether the model shall reason." },
    { "reasoning_effort", FIELD_STRING, offsetof(struct config_model_ref, reasoning_effort),
      .help = "Effort, passed through to the model." },
    { "reasoning_description", FIELD_STRING, offsetof(struct config_model_ref, reasoning_description),
      .help = "Why it reasons, for readers." },
};
const struct schema config_model_ref_schema = SCHEMA("model reference", struct config_model_ref, model_ref_fields);

/* One block for each algorithm that takes one is added by config_schema. */
static const struct field algorithm_fields[] = {
    { "type", FIELD_STRING, offsetof(struct config_algorithm, type), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "How one of the models is selected, or several are called." },
    { "on_error", FIELD_STRING, offsetof(struct config_algorithm, on_error),
      .help = "What a failure of the algorithm does: skip or fail; fallback, and only that, with prompt." },
};
const struct schema config_algorithm_schema = SCHEMA("algorithm", struct config_algorithm, algorithm_fields);

/* The kinds of `configuration` are added by config_schema. */
static const struct field plugin_fields[] = {
    { "type", FIELD_STRING, offsetof(struct config_plugin, type), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "What is done to requests or answers of the decision." },
    { "configuration", FIELD_VARIANT, offsetof(struct config_plugin, configuration), .selector = "type",
      .help = "Settings of that type." },
};
const struct schema config_plugin_schema = SCHEMA("plugin", struct config_plugin, plugin_fields);

static const struct field decision_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_decision, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name in headers, metrics and traces." },
    { "description", FIELD_STRING, offsetof(struct config_decision, description), .help = "For readers." },
    { "priority", FIELD_INT, offsetof(struct config_decision, priority), .fallback = "0",
      .help = "The highest wins under the strategy priority." },
    { "tier", FIELD_INT, offsetof(struct config_decision, tier), .flags = FIELD_RANGE, .fallback = "0", .least = 0,
      .greatest = INFINITY, .help = "The lowest tier greater than 0 wins before all else." },
    { "rules", FIELD_OPTIONAL, offsetof(struct config_decision, rules), .object = &config_rule_schema,
      .help = "When the decision matches; absent: always." },
    { "modelRefs", FIELD_OBJECTS, offsetof(struct config_decision, model_refs), .object = &config_model_ref_schema,
      .help = "Candidate models; none: the default model." },
    { "algorithm", FIELD_OPTIONAL, offsetof(struct config_decision, algorithm), .object = &config_algorithm_schema,
      .help = "How one of the models is selected." },
    { "plugins", FIELD_OBJECTS, offsetof(struct config_decision, plugins), .object = &config_plugin_schema,
      .help = "What is done to requests and answers; each type at most once." },
    { "on_unknown", FIELD_ENUM, offsetof(struct config_decision, on_unknown), .choices = on_unknowns,
      .help = "What signals that could not be evaluated count as." },
    { "annotations", FIELD_PAIRS, offsetof(struct config_decision, annotations), .flags = FIELD_ANY,
      .help = "Inert notes." },
    { "adaptations", FIELD_OBJECT, offsetof(struct config_decision, adaptations), .object = &config_adaptations_schema,
      .help = "How far learning may change what the decision chooses." },
    { "output_contract", FIELD_STRING, offsetof(struct config_decision, output_contract),
      .help = "What is said to models about the form of the answer." },
    { "output_contract_spec", FIELD_OPTIONAL, offsetof(struct config_decision, output_contract_spec),
      .object = &config_output_contract_schema, .help = "What vsr makes of the answer." },
    { "candidateIterations", FIELD_OBJECTS, offsetof(struct config_decision, candidate_iterations),
      .object = &config_candidate_iteration_schema, .help = "Loops of the routing language over candidates; inert." },
    { "emits", FIELD_OBJECTS, offsetof(struct config_decision, emits), .object = &config_emit_schema,
      .help = "Directives for what follows the answer; each kind at most once." },
    { "fallback", FIELD_BOOL, offsetof(struct config_decision, fallback), .fallback = "false",
      .help = "Whether the next candidate answers when all endpoints of the chosen one failed." },
};

/* Bytes of `{"key":"value",...}`, but for escapes: the limit guards memory, it is no wire format. */
static size_t pairs_json_len(const struct config_pairs *pairs) {
    size_t len = 2;
    for (size_t i = 0; i < pairs->n; i++)
        len += pairs->keys[i].len + pairs->values[i].len + sizeof("\"\":\"\",") - 1;
    return len;
}

static void check_emit_kinds(const struct config_decision *decision, struct diag *diag) {
    const struct config_emit *emits = decision->emits.items;
    for (size_t i = 1; i < decision->emits.n; i++) /* there is one kind */
        diag_error(diag, "E_DUP", schema_at(&emits[i]), VSR_STR(""), "the kind retention already stands at line %u",
                   schema_at(&emits[0]).line);
}

static void check_iterations(const struct config_decision *decision, struct arena *arena, struct diag *diag) {
    CONFIG_EACH(const struct config_candidate_iteration, iteration, &decision->candidate_iterations)
    if (iteration->source == 0 && decision->model_refs.n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_candidate_iteration_schema, iteration, "source", arena),
                   VSR_STR(""), "source decision.candidates needs modelRefs");
}

static void check_decision(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_decision *decision = object;
    const struct config_pairs *notes = &decision->annotations;
    if (notes->n > ANNOTATIONS_MAX || pairs_json_len(notes) > ANNOTATIONS_LEN_MAX)
        diag_error(diag, "E_RANGE", schema_field_at(&config_decision_schema, object, "annotations", arena), VSR_STR(""),
                   "at most %d keys and %d bytes are allowed", ANNOTATIONS_MAX, ANNOTATIONS_LEN_MAX);
    check_emit_kinds(decision, diag);
    check_iterations(decision, arena, diag);
}

const struct schema config_decision_schema =
    SCHEMA("decision", struct config_decision, decision_fields, .check = check_decision);

/* ---- routing */

static const char *const strategies[] = { "", "priority", "confidence", NULL };
static const char *const untiered_places[] = { "last", "first", NULL };

const struct schema config_signals_schema = { .name = "signals", .size = sizeof(struct config_signals) };

static const struct field routing_fields[] = {
    { "strategy", FIELD_ENUM, offsetof(struct config_routing, strategy), .choices = strategies,
      .help = "Whether priority or confidence chooses among matching decisions." },
    { "untiered", FIELD_ENUM, offsetof(struct config_routing, untiered), .fallback = "last", .choices = untiered_places,
      .help = "Where decisions without a tier stand among tiers." },
    { "modelCards", FIELD_OBJECTS, offsetof(struct config_routing, model_cards), .object = &config_model_card_schema,
      .help = "The catalogue of models." },
    { "signals", FIELD_OBJECT, offsetof(struct config_routing, signals), .object = &config_signals_schema,
      .help = "Rules that read a request, by family." },
    { "projections", FIELD_OBJECT, offsetof(struct config_routing, projections), .object = &projections_schema,
      .help = "What is computed from signals." },
    { "decisions", FIELD_OBJECTS, offsetof(struct config_routing, decisions), .object = &config_decision_schema,
      .help = "Where requests go." },
};
const struct schema config_routing_schema = SCHEMA("routing", struct config_routing, routing_fields);

/* ---- recipes and entrypoints */

/* The table of a profile without the catalogue of models: the same struct, one key less. */
static const struct field recipe_routing_fields[] = {
    { "strategy", FIELD_ENUM, offsetof(struct config_routing, strategy), .choices = strategies,
      .help = "Whether priority or confidence chooses among matching decisions; absent: as global.router says." },
    { "untiered", FIELD_ENUM, offsetof(struct config_routing, untiered), .fallback = "last", .choices = untiered_places,
      .help = "Where decisions without a tier stand among tiers." },
    { "signals", FIELD_OBJECT, offsetof(struct config_routing, signals), .object = &config_signals_schema,
      .help = "Rules that read a request, by family; their names are local to the recipe." },
    { "projections", FIELD_OBJECT, offsetof(struct config_routing, projections), .object = &projections_schema,
      .help = "What is computed from signals." },
    { "decisions", FIELD_OBJECTS, offsetof(struct config_routing, decisions), .object = &config_decision_schema,
      .help = "Where requests go." },
};
const struct schema config_recipe_routing_schema =
    SCHEMA("recipe routing", struct config_routing, recipe_routing_fields);

static const struct field recipe_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_recipe, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Unique name, shown in x-vsr-selected-recipe." },
    { "description", FIELD_STRING, offsetof(struct config_recipe, description),
      .help = "For readers and for the list of models." },
    { "routing", FIELD_OBJECT, offsetof(struct config_recipe, routing), .object = &config_recipe_routing_schema,
      .help = "The profile; it shares the catalogue of models, and nothing else, with other recipes." },
};
const struct schema config_recipe_schema = SCHEMA("recipe", struct config_recipe, recipe_fields);

static const struct field entrypoint_fields[] = {
    { "model_names", FIELD_STRINGS, offsetof(struct config_entrypoint, model_names), .flags = FIELD_REQUIRED,
      .help = "Virtual models: what clients send as model." },
    { "recipe", FIELD_STRING, offsetof(struct config_entrypoint, recipe), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The recipe that routes them." },
    { "priority", FIELD_INT, offsetof(struct config_entrypoint, priority), .flags = FIELD_RANGE | FIELD_UNSET,
      .least = 0, .greatest = CONFIG_PRIORITY_MAX,
      .help = "Under overload, requests of higher priority come first; global.router.admission.default_priority unless "
              "written." },
};
const struct schema config_entrypoint_schema = SCHEMA("entrypoint", struct config_entrypoint, entrypoint_fields);
