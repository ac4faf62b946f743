#include <stdlib.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile.h"
#include "dsl/keep.h"

/* Comments stay with the key that stays. */
static void replace(struct arena *arena, struct yaml_node *base, const struct yaml_node *compiled, vsr_str key) {
    ptrdiff_t at = yaml_find(base, key), from = yaml_find(compiled, key);
    if (at >= 0 && from >= 0)
        base->items[at] = compiled->items[from];
    else if (at >= 0)
        yaml_remove(base, (size_t)at);
    else if (from >= 0)
        yaml_append(arena, base, compiled->keys[from], compiled->items[from]);
}

static int rank_of(vsr_str key) {
    static const char *const order[] = { "version",     "listeners", "providers", "routing",
                                         "entrypoints", "recipes",   "global" };
    for (size_t i = 0; i < VSR_COUNT(order); i++)
        if (str_eq_c(key, order[i]))
            return (int)i;
    return (int)VSR_COUNT(order);
}

struct place {
    struct yaml_node *key, *item;
};

static int compare_places(const void *a, const void *b) {
    const struct place *one = a, *other = b;
    int rank = rank_of(one->key->text), other_rank = rank_of(other->key->text);
    if (rank != other_rank)
        return rank < other_rank ? -1 : 1;
    return str_cmp(one->key->text, other->key->text); /* no key is there twice */
}

static void order_keys(struct arena *arena, struct yaml_node *base) {
    struct place *places = ARENA_ARRAY(arena, struct place, base->n_items);
    for (size_t i = 0; i < base->n_items; i++)
        places[i] = (struct place){ base->keys[i], base->items[i] };
    if (base->n_items)
        qsort(places, base->n_items, sizeof(*places), compare_places);
    for (size_t i = 0; i < base->n_items; i++) {
        base->keys[i] = places[i].key;
        base->items[i] = places[i].item;
    }
}

void dsl_merge(struct arena *arena, const struct language *language, struct yaml_node *base,
               struct yaml_node *compiled) {
    static const vsr_str keys[] = { VSR_STR_INIT("routing"), VSR_STR_INIT("entrypoints"), VSR_STR_INIT("recipes") };
    if (base->kind != YAML_MAPPING)
        return;
    dsl_keep(arena, language, base, compiled);
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        replace(arena, base, compiled, keys[i]);
    order_keys(arena, base);
}
