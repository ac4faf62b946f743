#include "config/document.h"

#include <string.h>

#include "config/config_index.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "core/assert.h"

/* Loading looks at the version before anything else; here it is for those who read the tables. */
static const char *const versions[] = { CONFIG_CONTRACT, NULL };

static const struct field document_fields[] = {
    { "version", FIELD_STRING, offsetof(struct config_document, version), .flags = FIELD_REQUIRED, .choices = versions,
      .help = "The contract: v0.3." },
#ifndef VSR_TABLES_ONLY /* of no use to the routing language, and the greater part of all tables */
    { "listeners", FIELD_OBJECTS, offsetof(struct config_document, listeners), .object = &config_listener_schema,
      .help = "Sockets that accept requests; absent: port 8899 on all addresses." },
    { "providers", FIELD_OBJECT, offsetof(struct config_document, providers), .flags = FIELD_UNSET,
      .object = &config_providers_schema,
      .help = "Models and where they run; absent: the document is for evaluation only." },
#endif
    { "routing", FIELD_OBJECT, offsetof(struct config_document, routing), .object = &config_routing_schema,
      .help = "The catalogue of models and the routing policy." },
    { "entrypoints", FIELD_OBJECTS, offsetof(struct config_document, entrypoints), .object = &config_entrypoint_schema,
      .help = "Virtual model names that lead to recipes." },
    { "recipes", FIELD_OBJECTS, offsetof(struct config_document, recipes), .object = &config_recipe_schema,
      .help = "Further routing profiles, each isolated from the others." },
#ifndef VSR_TABLES_ONLY
    { "global", FIELD_OBJECT, offsetof(struct config_document, global), .object = &config_global_schema,
      .help = "Settings of the process." },
#endif
    { "setup", FIELD_NODE, offsetof(struct config_document, setup),
      .help = "Notes of the onboarding page; kept as they are." },
};
const struct schema config_document_schema = SCHEMA("document", struct config_document, document_fields);

/* ---- the table with what the upper floors hand down */

static const struct schema *signals_schema(struct arena *arena, const struct config_families *families) {
    struct schema *schema = ARENA_NEW(arena, struct schema);
    struct field *fields = ARENA_ARRAY(arena, struct field, families->n);
    VSR_ASSERT(families->n <= CONFIG_FAMILIES_MAX);
    for (size_t i = 0; i < families->n; i++)
        fields[i] = (struct field){
            .name = families->items[i].list_key,
            .kind = FIELD_OBJECTS,
            .offset = offsetof(struct config_signals, rules) + i * sizeof(struct config_list),
            .object = families->items[i].schema,
            .help = "Rules of this family.",
        };
    *schema = config_signals_schema;
    schema->fields = fields;
    schema->n_fields = families->n;
    return schema;
}

/* For readers of the table; an unknown type is found by the checks, beside other broken references. */
static void tell_types(struct arena *arena, struct field *fields, size_t n, const struct config_kinds *kinds) {
    const char **types = ARENA_ARRAY(arena, const char *, kinds->n + 1);
    for (size_t i = 0; i < kinds->n; i++)
        types[i] = kinds->items[i].type;
    for (size_t i = 0; i < n && kinds->n > 0; i++)
        if (strcmp(fields[i].name, "type") == 0) {
            fields[i].choices = types;
            fields[i].flags |= FIELD_HINT;
        }
}

/* The common keys, then a block for each algorithm that takes one. */
static const struct schema *algorithm_schema(struct arena *arena, const struct config_kinds *kinds) {
    const struct schema *common = &config_algorithm_schema;
    struct schema *schema = ARENA_NEW(arena, struct schema);
    struct field *fields = ARENA_ARRAY(arena, struct field, common->n_fields + kinds->n);
    size_t n = common->n_fields;
    VSR_ASSERT(kinds->n <= CONFIG_ALGORITHMS_MAX);
    memcpy(fields, common->fields, n * sizeof(*fields));
    tell_types(arena, fields, n, kinds);
    for (size_t i = 0; i < kinds->n; i++)
        if (kinds->items[i].schema)
            fields[n++] = (struct field){
                .name = kinds->items[i].type,
                .kind = FIELD_OPTIONAL,
                .offset = offsetof(struct config_algorithm, blocks) + i * sizeof(void *),
                .object = kinds->items[i].schema,
                .help = "Settings of the algorithm of this name.",
            };
    *schema = *common;
    schema->fields = fields;
    schema->n_fields = n;
    return schema;
}

/* A copy of the table with room to change its fields. */
static struct schema *copy_schema(struct arena *arena, const struct schema *schema) {
    struct schema *copy = ARENA_NEW(arena, struct schema);
    struct field *fields = ARENA_ARRAY(arena, struct field, schema->n_fields);
    memcpy(fields, schema->fields, schema->n_fields * sizeof(*fields));
    *copy = *schema;
    copy->fields = fields;
    return copy;
}

static struct field *field_named(struct schema *schema, const char *name) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (str_eq_c(str_from_c(name), schema->fields[i].name))
            return (struct field *)&schema->fields[i]; /* a copy of ours */
    VSR_ASSERT(!"the table has that field");
    return NULL;
}

static size_t n_old_types(const struct config_kinds *kinds) {
    size_t n = 0;
    for (size_t i = 0; i < kinds->n; i++)
        for (const char *const *old = kinds->items[i].old_types; old && *old; old++)
            n++;
    return n;
}

static const struct schema *plugin_schema(struct arena *arena, const struct config_kinds *kinds) {
    struct schema *schema = copy_schema(arena, &config_plugin_schema);
    struct field_variant *variants = ARENA_ARRAY(arena, struct field_variant, kinds->n + n_old_types(kinds));
    struct field *field = field_named(schema, "configuration");
    size_t n = 0;
    for (size_t i = 0; i < kinds->n; i++)
        variants[n++] = (struct field_variant){ kinds->items[i].type, kinds->items[i].schema, false };
    for (size_t i = 0; i < kinds->n; i++)
        for (const char *const *old = kinds->items[i].old_types; old && *old; old++)
            variants[n++] = (struct field_variant){ *old, kinds->items[i].schema, true };
    field->variants = variants;
    field->n_variants = n;
    return schema;
}

/* A copy of the table in which the field of that name holds objects of another table. */
static const struct schema *with_nested(struct arena *arena, const struct schema *schema, const char *name,
                                        const struct schema *nested) {
    struct schema *copy = copy_schema(arena, schema);
    field_named(copy, name)->object = nested;
    return copy;
}

/* A profile's table, of the top level or of a recipe. */
static const struct schema *profile_schema(struct arena *arena, const struct schema *profile,
                                           const struct schema *signals, const struct schema *decision) {
    return with_nested(arena, with_nested(arena, profile, "signals", signals), "decisions", decision);
}

const struct schema *config_schema(struct arena *arena, const struct config_parts *parts) {
    const struct schema *signals = signals_schema(arena, &parts->families);
    const struct schema *decision =
        with_nested(arena, &config_decision_schema, "algorithm", algorithm_schema(arena, &parts->algorithms));
    const struct schema *profile, *recipe;
    decision = with_nested(arena, decision, "plugins", plugin_schema(arena, &parts->plugins));
    profile = profile_schema(arena, &config_routing_schema, signals, decision);
    recipe = profile_schema(arena, &config_recipe_routing_schema, signals, decision);
    recipe = with_nested(arena, &config_recipe_schema, "routing", recipe);
    return with_nested(arena, with_nested(arena, &config_document_schema, "routing", profile), "recipes", recipe);
}

/* ---- lookups */

const struct config_model_card *config_card(const struct config_document *doc, vsr_str name) {
    return map_get(&doc->index->cards, name);
}

const struct config_model_card *config_lora_card(const struct config_document *doc, vsr_str name) {
    return map_get(&doc->index->loras, name);
}

const struct config_provider_model *config_provider_model(const struct config_document *doc, vsr_str name) {
    return map_get(&doc->index->models, name);
}

const struct config_scope *config_scope(const struct config_document *doc, vsr_str name) {
    for (size_t i = 0; i < doc->n_scopes; i++)
        if (str_eq(doc->scopes[i].name, name))
            return &doc->scopes[i];
    return NULL;
}

const struct config_plugin *config_decision_plugin(const struct config_decision *decision, vsr_str type) {
    CONFIG_EACH(const struct config_plugin, plugin, &decision->plugins)
    if (str_eq(plugin->type, type))
        return plugin;
    return NULL;
}

vsr_str config_ref_name(const struct config_model_ref *ref) {
    return ref->lora_name.len ? ref->lora_name : ref->model;
}

vsr_str config_decision_algorithm(const struct config_decision *decision) {
    return decision->algorithm ? decision->algorithm->type : VSR_STR("static");
}
