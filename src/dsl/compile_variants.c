#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile_parts.h"

/* An object that a table of the configuration describes, without a block of the language. */
struct described {
    struct compile *c;
    const struct schema *schema;
    const struct dsl_fields *fields;
};

static void make_texts(struct yaml_node *node) {
    node->quoted |= node->kind == YAML_SCALAR;
    for (size_t i = 0; node->kind != YAML_SCALAR && i < node->n_items; i++)
        make_texts(node->items[i]);
}

struct yaml_node *compile_texts(struct compile *c, const struct dsl_value *value) {
    struct yaml_node *node = compile_free(c, value);
    if (node)
        make_texts(node);
    return node;
}

struct yaml_node *compile_pairs(struct compile *c, const struct dsl_value *value) {
    struct yaml_node *node = compile_free(c, value);
    for (size_t i = 0; i < node->n_items; i++)
        node->items[i]->quoted |= node->items[i]->kind == YAML_SCALAR;
    return node;
}

static struct yaml_node *object(struct compile *c, const struct schema *schema, const struct dsl_value *value);

/* The table that the fields choose for the variant, or NULL. */
static const struct schema *chosen(struct compile *c, const struct schema *schema, const struct field *field,
                                   const struct dsl_fields *fields) {
    struct yaml_node *mapping = yaml_new(c->arena, YAML_MAPPING, NULL);
    const struct dsl_field *said = dsl_field(fields, str_from_c(field->selector));
    const struct field_variant *variant;
    if (said && said->value.kind == DSL_STRING)
        compile_put(c, mapping, str_from_c(field->selector), &said->value.at,
                    compile_text(c, said->value.text, &said->value.at));
    variant = schema_variant(schema, field, mapping);
    return variant ? variant->schema : NULL;
}

static struct yaml_node *described_value(const struct described *d, const struct field *field,
                                         const struct dsl_value *value) {
    bool is_object = value->kind == DSL_OBJECT;
    const struct schema *nested = field ? field->object : NULL;
    switch (field ? field->kind : FIELD_NODE) {
    case FIELD_STRING:
    case FIELD_ENUM:
    case FIELD_DURATION:
    case FIELD_TOKENS:
        return is_object || value->kind == DSL_ARRAY ? compile_free(d->c, value) : compile_texts(d->c, value);
    case FIELD_STRINGS:
        return compile_texts(d->c, value);
    case FIELD_PAIRS:
        return is_object ? compile_pairs(d->c, value) : compile_free(d->c, value);
    case FIELD_VARIANT:
        nested = chosen(d->c, d->schema, field, d->fields);
        return is_object && nested ? object(d->c, nested, value) : compile_free(d->c, value);
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        return is_object ? object(d->c, nested, value) : compile_free(d->c, value);
    default:
        return compile_free(d->c, value);
    }
}

static struct yaml_node *object(struct compile *c, const struct schema *schema, const struct dsl_value *value) {
    struct described d = { c, schema, &value->fields };
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &value->at);
    size_t n;
    const struct dsl_field **sorted = compile_sorted(c, &value->fields, &n);
    for (size_t i = 0; i < n; i++) {
        const struct dsl_name *key = &sorted[i]->key;
        struct yaml_node *got = described_value(&d, schema_field(schema, key->text), &sorted[i]->value);
        if (got)
            yaml_append(c->arena, node, compile_text(c, key->text, &key->at), got);
    }
    return node;
}

struct yaml_node *compile_variant(struct compile *c, const struct language_block *block,
                                  const struct language_field *field, const struct dsl_fields *fields,
                                  const struct dsl_value *value) {
    const struct schema *schema = block->schema ? chosen(c, block->schema, field->field, fields) : NULL;
    return schema ? object(c, schema, value) : compile_free(c, value);
}
