/*
 * ordered_table - things by name, in the order in which they came.
 *
 * A node is embedded in what it stands for and is the owner's; the table only links it. One thread.
 */
#ifndef VSR_STORE_ORDERED_TABLE_H
#define VSR_STORE_ORDERED_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct ordered_node {
    struct ordered_node *chain;       /* the next one of its slot */
    struct ordered_node *prev, *next; /* by age */
    uint64_t hash;
    vsr_str key; /* borrowed while it is linked */
};

/* Zero-initialised is empty. Free with ordered_table_done(). */
struct ordered_table {
    struct ordered_node **slots;
    size_t n_slots, n;
    struct ordered_node *first, *last; /* oldest, youngest */
};

/* Its nodes are forgotten. */
void ordered_table_done(struct ordered_table *table);

/* NULL when absent. */
struct ordered_node *ordered_table_find(const struct ordered_table *table, vsr_str key);
/* As the youngest. The key must be absent, and stay where it is. */
void ordered_table_add(struct ordered_table *table, struct ordered_node *node, vsr_str key);
void ordered_table_remove(struct ordered_table *table, struct ordered_node *node);

#endif
