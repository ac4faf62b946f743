#include <stdlib.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/map.h"
#include "dsl/compile.h"
#include "dsl/keep.h"

/* ---- cards of the base's models */

static const struct yaml_node *name_of(const struct yaml_node *entry) {
    const struct yaml_node *name = entry->kind == YAML_MAPPING ? yaml_get(entry, VSR_STR("name")) : NULL;
    return name && name->kind == YAML_SCALAR && !yaml_is_null(name) && name->text.len > 0 ? name : NULL;
}

static int compare_cards(const void *a, const void *b) {
    const struct yaml_node *const *one = a, *const *other = b;
    const struct yaml_node *name = name_of(*one), *other_name = name_of(*other);
    return str_cmp(name ? name->text : VSR_STR(""), other_name ? other_name->text : VSR_STR(""));
}

/* The value of a key of a mapping, made in front of all others where it is missing. */
static struct yaml_node *get_or_make(struct arena *arena, struct yaml_node *mapping, const char *key,
                                     enum yaml_kind kind) {
    ptrdiff_t at = yaml_find(mapping, str_from_c(key));
    struct yaml_node *made_key, *made;
    if (at >= 0)
        return mapping->items[at];
    made_key = yaml_new_scalar(arena, str_from_c(key), NULL);
    made = yaml_new(arena, kind, NULL);
    yaml_append(arena, mapping, made_key, made);
    for (size_t i = mapping->n_items - 1; i > 0; i--) {
        mapping->keys[i] = mapping->keys[i - 1];
        mapping->items[i] = mapping->items[i - 1];
    }
    mapping->keys[0] = made_key;
    mapping->items[0] = made;
    return made;
}

/* Its places are those of the model. */
static struct yaml_node *empty_card(struct arena *arena, const struct yaml_node *model) {
    struct yaml_node *card = yaml_new(arena, YAML_MAPPING, model), *name = yaml_clone(arena, name_of(model));
    name->notes = NULL; /* comments stay where they are */
    yaml_append(arena, card, yaml_new_scalar(arena, VSR_STR("name"), model), name);
    return card;
}

/* Each model of `providers.models` has a card (dsl.md §7.2), in a program that does not declare it an empty one. */
static void add_cards(struct arena *arena, const struct yaml_node *base, struct yaml_node *compiled) {
    const struct yaml_node *providers = yaml_get(base, VSR_STR("providers"));
    const struct yaml_node *models =
        providers && providers->kind == YAML_MAPPING ? yaml_get(providers, VSR_STR("models")) : NULL;
    struct yaml_node *cards;
    struct map known;
    if (!models || models->kind != YAML_SEQUENCE || models->n_items == 0)
        return;
    cards = get_or_make(arena, get_or_make(arena, compiled, "routing", YAML_MAPPING), "modelCards", YAML_SEQUENCE);
    map_init(&known, arena);
    for (size_t i = 0; i < cards->n_items; i++)
        if (name_of(cards->items[i]))
            map_put(&known, name_of(cards->items[i])->text, cards->items[i]);
    for (size_t i = 0; i < models->n_items; i++) {
        const struct yaml_node *name = name_of(models->items[i]);
        struct yaml_node *card;
        if (!name || map_get(&known, name->text))
            continue;
        card = empty_card(arena, models->items[i]);
        map_put(&known, name->text, card);
        yaml_push(arena, cards, card);
    }
    if (cards->n_items)
        qsort(cards->items, cards->n_items, sizeof(*cards->items), compare_cards);
}

/* ---- keys */

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

int dsl_merge(struct arena *arena, const struct language *language, struct yaml_node *base,
              struct yaml_node *compiled) {
    static const vsr_str keys[] = { VSR_STR_INIT("routing"), VSR_STR_INIT("entrypoints"), VSR_STR_INIT("recipes") };
    int rc;
    if (base->kind != YAML_MAPPING)
        return 0;
    add_cards(arena, base, compiled);
    rc = dsl_keep(arena, language, base, compiled);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        replace(arena, base, compiled, keys[i]);
    order_keys(arena, base);
    return 0;
}
