/*
 * vector_signals - `signals` of a shared vector as synthetic results.
 */
#ifndef VSR_TESTS_POLICY_VECTOR_SIGNALS_H
#define VSR_TESTS_POLICY_VECTOR_SIGNALS_H

#include "synthetic.h"
#include "unit/vectors.h"

/* Calls body for every member of `object`: key_ (text) and value_ (ref). */
#define VECTOR_MEMBERS(v, object, key_, value_) \
    for (json_ref key_ref_ = (object) == JSON_NONE ? JSON_NONE : json_first(&(v)->doc, (object)), value_ = JSON_NONE; \
         key_ref_ != JSON_NONE && (value_ = json_next(&(v)->doc, (object), key_ref_), true); \
         key_ref_ = json_next(&(v)->doc, (object), value_)) \
        for (vsr_str key_ = vectors_text((v), key_ref_), once_ = VSR_STR("1"); once_.len; once_.len = 0)

#define VECTOR_ITEMS(v, array, item_) \
    for (json_ref item_ = (array) == JSON_NONE ? JSON_NONE : json_first(&(v)->doc, (array)); item_ != JSON_NONE; \
         item_ = json_next(&(v)->doc, (array), item_))

static inline double vector_double(struct vectors *v, json_ref ref) {
    double number = 0;
    CHECK(json_double(&v->doc, ref, &number), v->name);
    return number;
}

/* Label lists of domains, before policy is built. */
static inline void vector_domains(struct vectors *v, json_ref signals, struct synthetic *s) {
    VECTOR_MEMBERS(v, vectors_get(v, signals, "domains"), name, list) {
        struct synthetic_labels *labels = ARENA_NEW(v->arena, struct synthetic_labels);
        vsr_str *items = ARENA_ARRAY(v->arena, vsr_str, vectors_count(v, list));
        VECTOR_ITEMS(v, list, item)
        items[labels->n++] = vectors_text(v, item);
        labels->items = items;
        map_put(&s->domains, name, labels);
    }
}

static inline void vector_set_error(struct synthetic *s, vsr_str key) {
    if (!str_ends(key, VSR_STR(":*"))) {
        uint32_t slot = synthetic_key(s, key);
        if (slot != POLICY_SLOT_NONE)
            bits_add(s->view.unavailable, slot);
        return;
    }
    for (uint32_t slot = 0; slot < s->n; slot++)
        if (str_eq(s->types[slot]->name, str_sub(key, 0, key.len - 2)))
            bits_add(s->view.unavailable, slot);
}

/* The results themselves, once policy has asked for its slots. */
static inline void vector_signals(struct vectors *v, json_ref signals, struct synthetic *s) {
    VECTOR_MEMBERS(v, vectors_get(v, signals, "matched"), type, list)
    VECTOR_ITEMS(v, list, item) {
        uint32_t slot =
            synthetic_key(s, arena_printf(v->arena, "%.*s:%.*s", VSR_FMT(type), VSR_FMT(vectors_text(v, item))));
        if (slot != POLICY_SLOT_NONE)
            bits_add(s->view.matched, slot);
    }
    VECTOR_MEMBERS(v, vectors_get(v, signals, "confidences"), key, number) {
        uint32_t slot = synthetic_key(s, key);
        bits_add(s->view.has_confidence, slot);
        s->view.confidence[slot] = vector_double(v, number);
    }
    VECTOR_MEMBERS(v, vectors_get(v, signals, "values"), key, number) {
        uint32_t slot = synthetic_key(s, key);
        bits_add(s->view.has_value, slot);
        s->view.value[slot] = vector_double(v, number);
    }
    VECTOR_MEMBERS(v, vectors_get(v, signals, "kb_metrics"), key, number) {
        uint32_t slot = synthetic_key(s, arena_printf(v->arena, "kb_metric:%.*s", VSR_FMT(key)));
        bits_add(s->view.has_value, slot);
        s->view.value[slot] = vector_double(v, number);
    }
    VECTOR_MEMBERS(v, vectors_get(v, signals, "errors"), key, code) {
        (void)code;
        vector_set_error(s, key);
    }
}

static inline unsigned vector_bounds(struct vectors *v, json_ref object, double *gt, double *gte, double *lt,
                                     double *lte) {
    *gt = vectors_number(v, object, "gt", 0);
    *gte = vectors_number(v, object, "gte", 0);
    *lt = vectors_number(v, object, "lt", 0);
    *lte = vectors_number(v, object, "lte", 0);
    return (vectors_get(v, object, "gt") != JSON_NONE ? BOUND_GT : 0u) |
           (vectors_get(v, object, "gte") != JSON_NONE ? BOUND_GTE : 0u) |
           (vectors_get(v, object, "lt") != JSON_NONE ? BOUND_LT : 0u) |
           (vectors_get(v, object, "lte") != JSON_NONE ? BOUND_LTE : 0u);
}

#endif
