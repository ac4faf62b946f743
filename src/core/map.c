#include "core/map.h"

#include "core/arena.h"
#include "core/assert.h"

enum { MAP_SLOTS_MIN = 16 };

/* The seed is fixed: keys come from configuration, never from clients. */
static const uint64_t map_seed = 0x9e3779b97f4a7c15u;

void map_init(struct map *map, struct arena *arena) {
    *map = (struct map){ .arena = arena };
}

/* The slot of `key`, or the free one where it belongs. The table is never full. */
static uint32_t *find_slot(const struct map *map, vsr_str key, uint64_t hash) {
    size_t mask = map->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &map->slots[i];
        const struct map_entry *entry;
        if (*slot == 0)
            return slot;
        entry = &map->entries[*slot - 1];
        if (entry->hash == hash && str_eq(entry->key, key))
            return slot;
    }
}

static void rehash(struct map *map) {
    map->n_slots = map->n_slots ? map->n_slots * 2 : MAP_SLOTS_MIN;
    map->slots = ARENA_ARRAY(map->arena, uint32_t, map->n_slots);
    for (size_t i = 0; i < map->n; i++)
        *find_slot(map, map->entries[i].key, map->entries[i].hash) = (uint32_t)i + 1;
}

void *map_put(struct map *map, vsr_str key, void *value) {
    uint64_t hash = str_hash(key, map_seed);
    uint32_t *slot;
    VSR_ASSERT(value != NULL);
    if ((map->n + 1) * 2 > map->n_slots)
        rehash(map);
    slot = find_slot(map, key, hash);
    if (*slot) {
        void *old = map->entries[*slot - 1].value;
        map->entries[*slot - 1].value = value;
        return old;
    }
    map->entries = arena_grow(map->arena, map->entries, sizeof(*map->entries), map->n, &map->cap);
    map->entries[map->n++] = (struct map_entry){ key, value, hash };
    *slot = (uint32_t)map->n;
    return NULL;
}

void *map_get(const struct map *map, vsr_str key) {
    uint32_t *slot;
    if (map->n == 0)
        return NULL;
    slot = find_slot(map, key, str_hash(key, map_seed));
    return *slot ? map->entries[*slot - 1].value : NULL;
}
