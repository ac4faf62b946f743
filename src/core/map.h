/*
 * map - from a string to a pointer.
 *
 * Open addressing with linear probing in an arena; entries keep their order of insertion, so iteration is
 * deterministic. Keys are borrowed and must outlive the map. Nothing is removed one by one. Reading is any thread once
 * building has ended.
 */
#ifndef VSR_CORE_MAP_H
#define VSR_CORE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

struct map_entry {
    vsr_str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct arena *arena;       /* keeps */
    struct map_entry *entries; /* [0, n) in order of insertion */
    uint32_t *slots;           /* index + 1 into entries; 0 = free */
    size_t n, cap, n_slots;
};

/* Keeps `arena`. */
void map_init(struct map *map, struct arena *arena);

/* Adds or replaces; returns the former value or NULL. `value` must not be NULL. */
void *map_put(struct map *map, vsr_str key, void *value);

/* NULL when absent. */
void *map_get(const struct map *map, vsr_str key);

#endif
