#include "dsl/tree.h"

#include "config/predicate.h"

const struct dsl_field *dsl_field(const struct dsl_fields *fields, vsr_str key) {
    for (size_t i = fields->n; i > 0; i--) {
        if (str_eq(fields->items[i - 1].key.text, key))
            return &fields->items[i - 1];
    }
    return NULL;
}

const struct dsl_value *dsl_value_of(const struct dsl_fields *fields, const char *key) {
    const struct dsl_field *field = dsl_field(fields, str_from_c(key));
    return field && field->value.kind != DSL_NULL ? &field->value : NULL;
}

vsr_str dsl_text_of(const struct dsl_fields *fields, const char *key) {
    const struct dsl_value *value = dsl_value_of(fields, key);
    return value && value->kind == DSL_STRING ? value->text : VSR_STR("");
}

bool dsl_number_of(const struct dsl_fields *fields, const char *key, double *ret) {
    const struct dsl_value *value = dsl_value_of(fields, key);
    if (!value || !dsl_is_number(value))
        return false;
    *ret = value->number;
    return true;
}

struct bounds dsl_bounds_of(const struct dsl_fields *fields) {
    struct bounds bounds = { 0 };
    bounds.set = (dsl_number_of(fields, "gt", &bounds.gt) ? BOUND_GT : 0u) |
                 (dsl_number_of(fields, "gte", &bounds.gte) ? BOUND_GTE : 0u) |
                 (dsl_number_of(fields, "lt", &bounds.lt) ? BOUND_LT : 0u) |
                 (dsl_number_of(fields, "lte", &bounds.lte) ? BOUND_LTE : 0u);
    return bounds;
}

const struct dsl_value *dsl_items_of(const struct dsl_fields *fields, const char *key, size_t *ret_n) {
    const struct dsl_value *value = dsl_value_of(fields, key);
    *ret_n = value && value->kind == DSL_ARRAY ? value->n_items : 0;
    return *ret_n ? value->items : NULL;
}

const struct dsl_item *dsl_item(const struct dsl_body *body, enum dsl_item_kind kind) {
    for (size_t i = body->n; i > 0; i--) {
        if (body->items[i - 1].kind == kind)
            return &body->items[i - 1];
    }
    return NULL;
}

const char *dsl_decl_keyword(enum dsl_decl_kind kind) {
    static const char *const keywords[] = {
        [DSL_ROUTING] = "ROUTING",
        [DSL_ENTRYPOINT] = "ENTRYPOINT",
        [DSL_RECIPE] = "RECIPE",
        [DSL_SIGNAL_DECL] = "SIGNAL",
        [DSL_PARTITION] = "PROJECTION partition",
        [DSL_SCORE] = "PROJECTION score",
        [DSL_MAPPING] = "PROJECTION mapping",
        [DSL_ROUTE] = "ROUTE",
        [DSL_TREE] = "DECISION_TREE",
        [DSL_MODEL] = "MODEL",
        [DSL_PLUGIN] = "PLUGIN",
        [DSL_TEST] = "TEST",
    };
    return keywords[kind];
}
