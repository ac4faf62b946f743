#include "cli/backend_schema.h"

#include "core/arena.h"
#include "core/json_write.h"

struct sampler {
    struct arena *arena;
    const struct json_doc *doc;
    struct json_writer *w;
    json_ref root;
    size_t n_nodes;
};

static void sample(struct sampler *s, json_ref schema, vsr_str name, int depth);

static json_ref member(const struct sampler *s, json_ref schema, const char *key) {
    return json_get(s->doc, schema, str_from_c(key));
}

static json_ref first_of(const struct sampler *s, json_ref schema, const char *key) {
    json_ref list = member(s, schema, key);
    return json_is(s->doc, list, JSON_ARRAY) ? json_first(s->doc, list) : JSON_NONE;
}

/* `#/$defs/name` and the like. */
static json_ref follow(const struct sampler *s, json_ref reference) {
    vsr_str rest, step;
    json_ref at = s->root;
    if (!json_str(s->arena, s->doc, reference, &rest) || !str_starts(rest, VSR_STR("#")))
        return JSON_NONE;
    (void)str_split(&rest, '/');
    while (rest.ptr && at != JSON_NONE) {
        step = str_split(&rest, '/');
        at = json_get(s->doc, at, step);
    }
    return at;
}

static void write_member(struct sampler *s, json_ref properties, vsr_str name, int depth) {
    json_write_key(s->w, name);
    sample(s, json_get(s->doc, properties, name), name, depth + 1);
}

/* What is required; where a schema does not say, all of it. */
static void sample_object(struct sampler *s, json_ref schema, int depth) {
    json_ref properties = member(s, schema, "properties"), required = member(s, schema, "required");
    bool listed = json_is(s->doc, required, JSON_ARRAY);
    json_ref from = listed ? required : properties;
    size_t n = 0;
    vsr_str name;
    json_write_begin_object(s->w);
    if (json_is(s->doc, from, JSON_ARRAY) || json_is(s->doc, from, JSON_OBJECT)) {
        for (json_ref item = json_first(s->doc, from); item != JSON_NONE && n < BACKEND_SCHEMA_MEMBERS_MAX; n++) {
            if (json_str(s->arena, s->doc, item, &name) && json_get(s->doc, properties, name) != JSON_NONE)
                write_member(s, properties, name, depth);
            item = json_next(s->doc, from, item);
            if (!listed && item != JSON_NONE)
                item = json_next(s->doc, from, item);
        }
    }
    json_write_end(s->w);
}

static void sample_array(struct sampler *s, json_ref schema, vsr_str name, int depth) {
    json_ref items = member(s, schema, "items");
    json_write_begin_array(s->w);
    if (items != JSON_NONE)
        sample(s, items, name, depth + 1);
    json_write_end(s->w);
}

static void sample_number(struct sampler *s, json_ref schema) {
    json_ref least = member(s, schema, "minimum");
    if (json_is(s->doc, least, JSON_NUMBER))
        json_write_raw(s->w, json_raw(s->doc, least));
    else
        json_write_u64(s->w, 1);
}

static vsr_str type_of(const struct sampler *s, json_ref schema) {
    json_ref type = member(s, schema, "type");
    vsr_str name;
    if (json_is(s->doc, type, JSON_ARRAY))
        type = json_first(s->doc, type);
    if (type != JSON_NONE && json_str(s->arena, s->doc, type, &name))
        return name;
    return member(s, schema, "properties") != JSON_NONE ? VSR_STR("object") : VSR_STR("string");
}

static void sample_type(struct sampler *s, json_ref schema, vsr_str name, int depth) {
    vsr_str type = type_of(s, schema);
    if (str_eq_c(type, "object"))
        sample_object(s, schema, depth);
    else if (str_eq_c(type, "array"))
        sample_array(s, schema, name, depth);
    else if (str_eq_c(type, "number") || str_eq_c(type, "integer"))
        sample_number(s, schema);
    else if (str_eq_c(type, "boolean"))
        json_write_bool(s->w, true);
    else if (str_eq_c(type, "null"))
        json_write_null(s->w);
    else
        json_write_str(s->w, name);
}

static void sample(struct sampler *s, json_ref schema, vsr_str name, int depth) {
    static const char *const alternatives[] = { "anyOf", "oneOf", "allOf" };
    json_ref value = member(s, schema, "const");
    if (value == JSON_NONE)
        value = first_of(s, schema, "enum");
    if (depth > BACKEND_SCHEMA_DEPTH_MAX || ++s->n_nodes > BACKEND_SCHEMA_NODES_MAX) {
        json_write_null(s->w);
        return;
    }
    if (value != JSON_NONE) {
        json_write_raw(s->w, json_raw(s->doc, value));
        return;
    }
    value = member(s, schema, "$ref");
    if (value != JSON_NONE)
        value = follow(s, value);
    for (size_t i = 0; i < VSR_COUNT(alternatives) && value == JSON_NONE; i++)
        value = first_of(s, schema, alternatives[i]);
    if (value != JSON_NONE)
        sample(s, value, name, depth + 1);
    else
        sample_type(s, schema, name, depth);
}

void backend_schema_write(struct arena *arena, const struct json_doc *doc, json_ref schema, struct json_writer *w) {
    struct sampler s = { .arena = arena, .doc = doc, .w = w, .root = schema };
    if (schema == JSON_NONE) {
        json_write_begin_object(w);
        json_write_end(w);
        return;
    }
    sample(&s, schema, VSR_STR("value"), 0);
}
