#include "config/yaml_edit.h"

#include "core/arena.h"
#include "core/assert.h"

struct yaml_node *yaml_new(struct arena *arena, enum yaml_kind kind, const struct yaml_node *at) {
    struct yaml_node *node = ARENA_NEW(arena, struct yaml_node);
    node->kind = kind;
    if (at) {
        node->line = at->line;
        node->col = at->col;
    }
    return node;
}

struct yaml_node *yaml_new_scalar(struct arena *arena, vsr_str text, const struct yaml_node *at) {
    struct yaml_node *node = yaml_new(arena, YAML_SCALAR, at);
    node->text = arena_str(arena, text);
    return node;
}

static struct yaml_node **copy_pointers(struct arena *arena, struct yaml_node **from, size_t n) {
    struct yaml_node **to = ARENA_ARRAY(arena, struct yaml_node *, n);
    if (n)
        memcpy(to, from, n * sizeof(*to));
    return to;
}

struct yaml_node *yaml_clone(struct arena *arena, const struct yaml_node *node) {
    struct yaml_node *copy = ARENA_NEW(arena, struct yaml_node);
    *copy = *node;
    if (node->items)
        copy->items = copy_pointers(arena, node->items, node->n_items);
    if (node->keys)
        copy->keys = copy_pointers(arena, node->keys, node->n_items);
    copy->cap = (uint32_t)node->n_items;
    return copy;
}

struct yaml_node *yaml_copy(struct arena *arena, struct yaml_node *node) {
    struct yaml_node *copy = yaml_clone(arena, node);
    node->notes = NULL;
    for (size_t i = 0; i < copy->n_items; i++) {
        if (copy->kind == YAML_MAPPING)
            copy->keys[i] = yaml_copy(arena, copy->keys[i]);
        copy->items[i] = yaml_copy(arena, copy->items[i]);
    }
    return copy;
}

ptrdiff_t yaml_find(const struct yaml_node *mapping, vsr_str key) {
    if (!mapping || mapping->kind != YAML_MAPPING)
        return -1;
    for (size_t i = 0; i < mapping->n_items; i++)
        if (str_eq(mapping->keys[i]->text, key))
            return (ptrdiff_t)i;
    return -1;
}

/* Parsed nodes have arrays of exactly their size and `cap` 0. */
static void reserve(struct arena *arena, struct yaml_node *node) {
    size_t cap;
    if (node->n_items < node->cap)
        return;
    cap = node->n_items < 4 ? 8 : node->n_items * 2;
    struct yaml_node **items = ARENA_ARRAY(arena, struct yaml_node *, cap);
    if (node->n_items)
        memcpy(items, node->items, node->n_items * sizeof(*items));
    node->items = items;
    if (node->kind == YAML_MAPPING) {
        struct yaml_node **keys = ARENA_ARRAY(arena, struct yaml_node *, cap);
        if (node->n_items)
            memcpy(keys, node->keys, node->n_items * sizeof(*keys));
        node->keys = keys;
    }
    node->cap = (uint32_t)cap;
}

void yaml_append(struct arena *arena, struct yaml_node *mapping, struct yaml_node *key, struct yaml_node *value) {
    VSR_ASSERT(mapping->kind == YAML_MAPPING);
    reserve(arena, mapping);
    mapping->keys[mapping->n_items] = key;
    mapping->items[mapping->n_items++] = value;
}

void yaml_push(struct arena *arena, struct yaml_node *list, struct yaml_node *item) {
    VSR_ASSERT(list->kind == YAML_SEQUENCE);
    reserve(arena, list);
    list->items[list->n_items++] = item;
}

void yaml_remove(struct yaml_node *node, size_t index) {
    size_t behind = node->n_items - index - 1;
    VSR_ASSERT(index < node->n_items);
    memmove(node->items + index, node->items + index + 1, behind * sizeof(struct yaml_node *));
    if (node->kind == YAML_MAPPING)
        memmove(node->keys + index, node->keys + index + 1, behind * sizeof(struct yaml_node *));
    node->n_items--;
}
