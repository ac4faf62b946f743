/* header_mutation - headers that the backend gets, or does not get (plugins.md). */
#include "net/http1.h"
#include "plugin/plugin.h"

struct header_value {
    struct config_at at;
    vsr_str name, value;
};

struct header_mutation_config {
    struct config_at at;
    struct config_list add, update; /* struct header_value */
    struct config_strings names;    /* key `delete` */
};

static const struct field value_fields[] = {
    { "name", FIELD_STRING, offsetof(struct header_value, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the header." },
    { "value", FIELD_STRING, offsetof(struct header_value, value), .help = "Its value." },
};

static void check_value(const void *object, struct arena *arena, struct diag *diag);

static const struct schema value_schema = SCHEMA("header", struct header_value, value_fields, .check = check_value);

static void check_value(const void *object, struct arena *arena, struct diag *diag) {
    const struct header_value *header = object;
    if (!http1_name_ok(header->name))
        diag_error(diag, "E_TYPE", schema_field_at(&value_schema, object, "name", arena), VSR_STR(""),
                   "\"%.*s\" is not the name of a header", VSR_FMT(header->name));
    if (!http1_value_ok(header->value))
        diag_error(diag, "E_TYPE", schema_field_at(&value_schema, object, "value", arena), VSR_STR(""),
                   "the value has characters that no header may carry");
}

static const struct field fields[] = {
    { "add", FIELD_OBJECTS, offsetof(struct header_mutation_config, add), .object = &value_schema,
      .help = "Sent unless the request has the header already." },
    { "update", FIELD_OBJECTS, offsetof(struct header_mutation_config, update), .object = &value_schema,
      .help = "Sent in place of what the request has." },
    { "delete", FIELD_STRINGS, offsetof(struct header_mutation_config, names), .flags = FIELD_NONBLANK,
      .help = "Not sent." },
};
static const struct schema schema = SCHEMA("header_mutation", struct header_mutation_config, fields);

const struct config_kind plugin_header_mutation = { .type = "header_mutation",
                                                    .schema = &schema,
                                                    .block_required = true };
