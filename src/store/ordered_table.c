#include "store/ordered_table.h"

#include "core/assert.h"
#include "core/mem.h"

enum { SLOTS_LEAST = 64 };

void ordered_table_done(struct ordered_table *table) {
    mem_free(table->slots);
    *table = (struct ordered_table){ 0 };
}

static struct ordered_node **slot_of(const struct ordered_table *table, uint64_t hash) {
    return &table->slots[hash & (table->n_slots - 1)];
}

struct ordered_node *ordered_table_find(const struct ordered_table *table, vsr_str key) {
    uint64_t hash = str_hash(key, 0);
    struct ordered_node *node = table->n_slots ? *slot_of(table, hash) : NULL;
    while (node && (node->hash != hash || !str_eq(node->key, key)))
        node = node->chain;
    return node;
}

static void grow(struct ordered_table *table) {
    size_t n_slots = table->n_slots ? table->n_slots * 2 : SLOTS_LEAST;
    mem_free(table->slots);
    table->slots = mem_alloc(n_slots * sizeof(*table->slots));
    table->n_slots = n_slots;
    for (struct ordered_node *node = table->first; node; node = node->next) {
        struct ordered_node **slot = slot_of(table, node->hash);
        node->chain = *slot;
        *slot = node;
    }
}

void ordered_table_add(struct ordered_table *table, struct ordered_node *node, vsr_str key) {
    struct ordered_node **slot;
    VSR_DEBUG_ASSERT(!ordered_table_find(table, key));
    if (table->n >= table->n_slots)
        grow(table);
    node->key = key;
    node->hash = str_hash(key, 0);
    slot = slot_of(table, node->hash);
    node->chain = *slot;
    *slot = node;
    node->next = NULL;
    node->prev = table->last;
    if (table->last)
        table->last->next = node;
    else
        table->first = node;
    table->last = node;
    table->n++;
}

void ordered_table_remove(struct ordered_table *table, struct ordered_node *node) {
    struct ordered_node **link = slot_of(table, node->hash);
    while (*link != node)
        link = &(*link)->chain;
    *link = node->chain;
    if (node->prev)
        node->prev->next = node->next;
    else
        table->first = node->next;
    if (node->next)
        node->next->prev = node->prev;
    else
        table->last = node->prev;
    table->n--;
}
