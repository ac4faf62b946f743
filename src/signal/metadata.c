/*
 * metadata - the request's own `metadata` map (signals.md §5.6). The caller writes it, so it is never an identity.
 */
#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

struct comparator_config {
    struct config_at at;
    vsr_str equals;
    struct config_strings in;
    bool exists;
};

struct metadata_config {
    struct config_at at;
    vsr_str name, description, key;
    struct comparator_config predicate;
};

static const struct field comparator_fields[] = {
    { "equals", FIELD_STRING, offsetof(struct comparator_config, equals), .help = "The value is exactly this." },
    { "in", FIELD_STRINGS, offsetof(struct comparator_config, in), .help = "The value is one of these." },
    { "exists", FIELD_BOOL, offsetof(struct comparator_config, exists), .flags = FIELD_UNSET,
      .help = "Whether the key is there; false matches its absence." },
};

static const struct schema comparator_schema;

static void check_comparator(const void *object, struct arena *arena, struct diag *diag) {
    const struct comparator_config *comparator = object;
    int n = schema_present(&comparator_schema, object, "equals") + schema_present(&comparator_schema, object, "in") +
            schema_present(&comparator_schema, object, "exists");
    if (n == 0)
        diag_error(diag, "E_REQUIRED", schema_at(object), (vsr_str){ 0 }, "one of equals, in or exists is required");
    if (n > 1)
        diag_error(diag, "E_CONFLICT", schema_at(object), (vsr_str){ 0 },
                   "only one of equals, in and exists may be given");
    if (schema_present(&comparator_schema, object, "in") && comparator->in.n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&comparator_schema, object, "in", arena), (vsr_str){ 0 },
                   "at least one value is required");
}

static const struct schema comparator_schema =
    SCHEMA("metadata predicate", struct comparator_config, comparator_fields, .check = check_comparator);

static const struct field metadata_fields[] = {
    RULE_FIELDS(struct metadata_config),
    { "key", FIELD_STRING, offsetof(struct metadata_config, key), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Key of the request's metadata." },
    { "predicate", FIELD_OBJECT, offsetof(struct metadata_config, predicate), .flags = FIELD_REQUIRED,
      .object = &comparator_schema, .help = "Exactly one of equals, in and exists." },
};

static const struct schema metadata_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct metadata_config *rule = object;
    if (str_trim(rule->key).len != rule->key.len)
        diag_error(diag, "E_RANGE", schema_field_at(&metadata_schema, rule, "key", arena), (vsr_str){ 0 },
                   "key \"%.*s\" must not begin or end with a blank", VSR_FMT(rule->key));
}

static const struct schema metadata_schema =
    SCHEMA("metadata rule", struct metadata_config, metadata_fields, .check = check_rule);

static void check_rules(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                        struct diag *diag) {
    (void)doc;
    rule_check_case_names(rules, &metadata_schema, arena, diag);
}

struct metadata_state {
    const struct metadata_config *rules;
    size_t n_rules;
    uint32_t first_slot;
};

static void *build(struct signal_builder *builder) {
    struct metadata_state *state = ARENA_NEW(builder->arena, struct metadata_state);
    state->rules = builder->rules->items;
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    return state;
}

static bool rule_matches(const struct metadata_config *rule, const struct request_facts *facts) {
    const struct comparator_config *comparator = &rule->predicate;
    const vsr_str *value = NULL;
    for (size_t i = 0; i < facts->n_metadata; i++)
        if (str_eq(facts->metadata[i].key, rule->key))
            value = &facts->metadata[i].value;
    if (schema_present(&comparator_schema, comparator, "exists"))
        return (value != NULL) == comparator->exists;
    if (!value)
        return false;
    if (schema_present(&comparator_schema, comparator, "equals"))
        return str_eq(*value, comparator->equals);
    for (size_t i = 0; i < comparator->in.n; i++)
        if (str_eq(*value, comparator->in.items[i]))
            return true;
    return false;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct metadata_state *state = data;
    (void)err;
    for (size_t i = 0; i < state->n_rules; i++) {
        uint32_t slot = state->first_slot + (uint32_t)i;
        if (!bits_has(request->wanted, slot))
            continue;
        if (rule_matches(&state->rules[i], request->facts))
            signal_match(results, slot, 1.0);
        else
            signal_no_match(results, slot);
    }
    return 0;
}

const struct signal_family signal_metadata = {
    .config = { .type = "metadata",
                .list_key = "metadata",
                .schema = &metadata_schema,
                .check = TABLE_CHECK(check_rules) },
    .stage = SIGNAL_STAGE_CHEAP,
    .never_unknown = true,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval),
};
