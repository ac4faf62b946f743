#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/map.h"
#include "dsl/compile.h"

/* What a compiled decision never says unless EXTRA said it, and what it keeps of the base then (dsl.md §7.5). */
static const char *const decision_fields[] = {
    "output_contract", "output_contract_spec", "adaptations", "annotations", "on_unknown", "fallback", NULL,
};
static const char *const ref_fields[] = { "reasoning_description", NULL };

static vsr_str name_of(const struct yaml_node *node, const char *key) {
    const struct yaml_node *name = yaml_get(node, str_from_c(key));
    return name && name->kind == YAML_SCALAR ? name->text : VSR_STR("");
}

static void keep_fields(struct arena *arena, const struct yaml_node *from, struct yaml_node *to,
                        const char *const *fields) {
    for (; *fields; fields++) {
        ptrdiff_t at = yaml_find(from, str_from_c(*fields));
        if (at >= 0 && yaml_find(to, str_from_c(*fields)) < 0)
            yaml_append(arena, to, from->keys[at], from->items[at]);
    }
}

/* Objects of a list by that key of theirs; of equal ones the first. */
static void index_by(struct map *map, struct arena *arena, const struct yaml_node *list, const char *key) {
    map_init(map, arena);
    for (size_t i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++) {
        vsr_str name = name_of(list->items[i], key);
        if (name.len && !map_get(map, name))
            map_put(map, name, list->items[i]);
    }
}

static struct yaml_node *list_of(const struct yaml_node *node, const char *key) {
    struct yaml_node *list = yaml_get(node, str_from_c(key));
    return list && list->kind == YAML_SEQUENCE ? list : NULL;
}

static void keep_of_refs(struct arena *arena, const struct yaml_node *from, struct yaml_node *to) {
    struct yaml_node *refs = list_of(to, "modelRefs");
    struct map olds;
    index_by(&olds, arena, list_of(from, "modelRefs"), "model");
    for (size_t i = 0; refs && i < refs->n_items; i++) {
        const struct yaml_node *old = map_get(&olds, name_of(refs->items[i], "model"));
        if (old)
            keep_fields(arena, old, refs->items[i], ref_fields);
    }
}

/* Of a profile: what the language cannot say of decisions that are still there. */
static void keep_of_profile(struct arena *arena, const struct yaml_node *from, struct yaml_node *to) {
    struct yaml_node *decisions = list_of(to, "decisions");
    struct map olds;
    index_by(&olds, arena, list_of(from, "decisions"), "name");
    for (size_t i = 0; decisions && i < decisions->n_items; i++) {
        const struct yaml_node *old = map_get(&olds, name_of(decisions->items[i], "name"));
        if (!old)
            continue;
        keep_fields(arena, old, decisions->items[i], decision_fields);
        keep_of_refs(arena, old, decisions->items[i]);
    }
}

static void keep_of_recipes(struct arena *arena, const struct yaml_node *from, struct yaml_node *to) {
    struct map olds;
    index_by(&olds, arena, from, "name");
    for (size_t i = 0; to && to->kind == YAML_SEQUENCE && i < to->n_items; i++) {
        const struct yaml_node *old = map_get(&olds, name_of(to->items[i], "name"));
        struct yaml_node *routing = yaml_get(to->items[i], VSR_STR("routing"));
        if (old && routing)
            keep_of_profile(arena, yaml_get(old, VSR_STR("routing")), routing);
    }
}

/* ---- keys of the document */

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

static bool comes_before(vsr_str key, vsr_str other) {
    int rank = rank_of(key), other_rank = rank_of(other);
    if (rank != other_rank)
        return rank < other_rank;
    return rank == rank_of(VSR_STR("")) && str_cmp(key, other) < 0;
}

/* Few keys: by insertion. */
static void order_keys(struct yaml_node *base) {
    for (size_t i = 1; i < base->n_items; i++) {
        struct yaml_node *key = base->keys[i], *item = base->items[i];
        size_t at = i;
        for (; at > 0 && comes_before(key->text, base->keys[at - 1]->text); at--) {
            base->keys[at] = base->keys[at - 1];
            base->items[at] = base->items[at - 1];
        }
        base->keys[at] = key;
        base->items[at] = item;
    }
}

void dsl_merge(struct arena *arena, struct yaml_node *base, struct yaml_node *compiled) {
    static const vsr_str keys[] = { VSR_STR_INIT("routing"), VSR_STR_INIT("entrypoints"), VSR_STR_INIT("recipes") };
    struct yaml_node *routing = yaml_get(compiled, keys[0]);
    if (base->kind != YAML_MAPPING)
        return;
    if (routing)
        keep_of_profile(arena, yaml_get(base, keys[0]), routing);
    keep_of_recipes(arena, yaml_get(base, keys[2]), yaml_get(compiled, keys[2]));
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        replace(arena, base, compiled, keys[i]);
    order_keys(base);
}
