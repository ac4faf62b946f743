/*
 * synthetic - signal results made up in a test, for any family: policy does not know where results come from.
 *
 * Names become slots when policy asks for them while it is built; then the test sets what each slot shall hold.
 */
#ifndef VSR_TESTS_POLICY_SYNTHETIC_H
#define VSR_TESTS_POLICY_SYNTHETIC_H

#include "test.h"

#include "core/arena.h"
#include "core/bits.h"
#include "core/map.h"
#include "policy/decision.h"
#include "policy/projection.h"

enum { SYNTHETIC_SLOTS_MAX = 4096 };

struct synthetic {
    struct arena *arena;
    struct map slots; /* "type:name" -> index + 1 */
    vsr_str keys[SYNTHETIC_SLOTS_MAX];
    const struct policy_type *types[SYNTHETIC_SLOTS_MAX];
    uint32_t n;
    struct policy_view view;
    uint64_t bits[5][BITS_WORDS(SYNTHETIC_SLOTS_MAX)];
    double numbers[2][SYNTHETIC_SLOTS_MAX];
    struct map domains; /* name -> struct synthetic_labels */
};

struct synthetic_labels {
    const vsr_str *items;
    size_t n;
};

static inline const struct policy_type *synthetic_type(void *data, vsr_str type, int family) {
#define KNOWN(label, ...) \
    { .name = VSR_STR_INIT(label), __VA_ARGS__ }
    static const struct policy_type types[] = {
        KNOWN("keyword", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("embedding", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("domain", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("fact_check", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("user_feedback", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("reask", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("preference", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("language", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("context", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("structure", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("complexity", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("kb_metric", .on_unknown = ON_UNKNOWN_NO_MATCH),
        KNOWN("authz", .on_unknown = ON_UNKNOWN_UNKNOWN),
        KNOWN("jailbreak", .on_unknown = ON_UNKNOWN_UNKNOWN),
        KNOWN("pii", .on_unknown = ON_UNKNOWN_UNKNOWN),
        KNOWN("classifier", .on_unknown = ON_UNKNOWN_UNKNOWN, .by_label = true),
        KNOWN("projection", .on_unknown = ON_UNKNOWN_NO_MATCH, .never_unknown = true),
        KNOWN("metadata", .on_unknown = ON_UNKNOWN_NO_MATCH, .never_unknown = true),
    };
#undef KNOWN
    (void)data;
    (void)family;
    for (size_t i = 0; i < VSR_COUNT(types); i++)
        if (str_eq(types[i].name, type))
            return &types[i];
    return NULL;
}

static inline uint32_t synthetic_slot(void *data, const struct policy_type *type, vsr_str name) {
    struct synthetic *s = data;
    vsr_str key = arena_printf(s->arena, "%.*s:%.*s", VSR_FMT(type->name), VSR_FMT(name));
    uintptr_t found = (uintptr_t)map_get(&s->slots, key);
    if (found)
        return (uint32_t)(found - 1);
    CHECK(s->n < SYNTHETIC_SLOTS_MAX, "slots");
    s->keys[s->n] = key;
    s->types[s->n] = type;
    map_put(&s->slots, key, (void *)((uintptr_t)s->n + 1));
    return s->n++;
}

static inline size_t synthetic_alternates(void *data, const struct policy_type *type, vsr_str name,
                                          const uint32_t **ret_slots) {
    struct synthetic *s = data;
    const struct synthetic_labels *labels = str_eq_c(type->name, "domain") ? map_get(&s->domains, name) : NULL;
    uint32_t *slots;
    if (!labels)
        return 0;
    *ret_slots = slots = ARENA_ARRAY(s->arena, uint32_t, labels->n);
    for (size_t i = 0; i < labels->n; i++)
        slots[i] = synthetic_slot(s, type, labels->items[i]);
    return labels->n;
}

static inline void synthetic_init(struct synthetic *s, struct arena *arena) {
    memset(s, 0, sizeof(*s));
    s->arena = arena;
    map_init(&s->slots, arena);
    map_init(&s->domains, arena);
    s->view = (struct policy_view){ SYNTHETIC_SLOTS_MAX, s->bits[0], s->bits[1],    s->bits[2],
                                    s->bits[3],          s->bits[4], s->numbers[0], s->numbers[1] };
    memset(s->bits[0], 0xFF, sizeof(s->bits[0])); /* everything is evaluated */
}

static inline struct policy_names synthetic_names(struct synthetic *s) {
    return (struct policy_names){ s, synthetic_type, synthetic_slot, synthetic_alternates };
}

/* Slot of "type:name", made when new; POLICY_SLOT_NONE for a type that does not exist. */
static inline uint32_t synthetic_key(struct synthetic *s, vsr_str key) {
    vsr_str rest = key, type_name = str_split(&rest, ':');
    const struct policy_type *type = synthetic_type(s, type_name, 0);
    return type ? synthetic_slot(s, type, rest) : POLICY_SLOT_NONE;
}

#endif
