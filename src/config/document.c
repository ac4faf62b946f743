#include "config/document.h"

#include "config/config_index.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "core/assert.h"

static const struct field document_fields[] = {
    { "version", FIELD_STRING, offsetof(struct config_document, version), .flags = FIELD_REQUIRED,
      .help = "The contract: v0.3." },
    { "listeners", FIELD_OBJECTS, offsetof(struct config_document, listeners), .object = &config_listener_schema,
      .help = "Sockets that accept requests; absent: port 8899 on all addresses." },
    { "providers", FIELD_OBJECT, offsetof(struct config_document, providers), .object = &config_providers_schema,
      .help = "Models and where they run; absent: the document is for evaluation only." },
    { "routing", FIELD_OBJECT, offsetof(struct config_document, routing), .object = &config_routing_schema,
      .help = "The catalogue of models and the routing policy." },
    { "global", FIELD_OBJECT, offsetof(struct config_document, global), .object = &config_global_schema,
      .help = "Settings of the process." },
};
const struct schema config_document_schema = SCHEMA("document", struct config_document, document_fields);

/* ---- the table with families */

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

/* A copy of the table in which the field of that name holds objects of another table. */
static const struct schema *with_nested(struct arena *arena, const struct schema *schema, const char *name,
                                        const struct schema *nested) {
    struct schema *copy = ARENA_NEW(arena, struct schema);
    struct field *fields = ARENA_ARRAY(arena, struct field, schema->n_fields);
    for (size_t i = 0; i < schema->n_fields; i++) {
        fields[i] = schema->fields[i];
        if (str_eq_c(str_from_c(name), fields[i].name))
            fields[i].object = nested;
    }
    *copy = *schema;
    copy->fields = fields;
    return copy;
}

const struct schema *config_schema(struct arena *arena, const struct config_families *families) {
    const struct schema *signals = signals_schema(arena, families);
    const struct schema *routing = with_nested(arena, &config_routing_schema, "signals", signals);
    return with_nested(arena, &config_document_schema, "routing", routing);
}

/* ---- lookups */

const struct config_model_card *config_card(const struct config_document *doc, vsr_str name) {
    return map_get(&doc->index->cards, name);
}

const struct config_provider_model *config_provider_model(const struct config_document *doc, vsr_str name) {
    return map_get(&doc->index->models, name);
}
