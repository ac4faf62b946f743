#include "text/tokenizer_vocabulary.h"

#include "core/arena.h"
#include "text/tokenizer_work.h"

static size_t slots_for(size_t n) {
    size_t n_slots = 64;
    while (n_slots < n * 2)
        n_slots *= 2;
    return n_slots;
}

void vocabulary_init(struct vocabulary *vocabulary, struct arena *arena, size_t n, size_t bytes_len) {
    *vocabulary = (struct vocabulary){ .arena = arena };
    vocabulary->bytes_cap = bytes_len + 64;
    vocabulary->bytes = arena_alloc(arena, vocabulary->bytes_cap);
    vocabulary->cap = n + 16;
    vocabulary->entries = ARENA_ARRAY(arena, struct vocabulary_entry, vocabulary->cap);
    vocabulary->n_slots = slots_for(n);
    vocabulary->slots = ARENA_ARRAY(arena, uint64_t, vocabulary->n_slots);
}

static uint64_t slot_of(uint64_t hash, uint32_t id) {
    return (hash & ~(uint64_t)UINT32_MAX) | (id + 1);
}

/* The slot of `token`, or the free one where it would stand. */
static size_t find(const struct vocabulary *vocabulary, vsr_str token, uint64_t hash) {
    size_t mask = vocabulary->n_slots - 1, i = hash & mask;
    for (; vocabulary->slots[i]; i = (i + 1) & mask)
        if (vocabulary->slots[i] >> 32 == hash >> 32 &&
            str_eq(vocabulary_token(vocabulary, (uint32_t)vocabulary->slots[i] - 1), token))
            return i;
    return i;
}

static void grow_slots(struct vocabulary *vocabulary) {
    size_t n_slots = vocabulary->n_slots * 2;
    uint64_t *old = vocabulary->slots;
    vocabulary->slots = ARENA_ARRAY(vocabulary->arena, uint64_t, n_slots);
    for (size_t i = 0; i < vocabulary->n_slots; i++) {
        size_t at;
        if (!old[i])
            continue;
        at = str_hash(vocabulary_token(vocabulary, (uint32_t)old[i] - 1), 0) & (n_slots - 1);
        while (vocabulary->slots[at])
            at = (at + 1) & (n_slots - 1);
        vocabulary->slots[at] = old[i];
    }
    vocabulary->n_slots = n_slots;
}

static void grow_entries(struct vocabulary *vocabulary, uint32_t id) {
    while (id >= vocabulary->cap)
        vocabulary->entries = arena_grow(vocabulary->arena, vocabulary->entries, sizeof(*vocabulary->entries),
                                         vocabulary->cap, &vocabulary->cap);
    for (; vocabulary->n <= id; vocabulary->n++)
        vocabulary->entries[vocabulary->n] = (struct vocabulary_entry){ UINT32_MAX, 0 };
}

static uint32_t add_bytes(struct vocabulary *vocabulary, vsr_str token) {
    uint32_t offset = (uint32_t)vocabulary->bytes_len;
    if (vocabulary->bytes_cap - vocabulary->bytes_len < token.len) {
        size_t cap = vocabulary->bytes_cap * 2 + token.len;
        char *moved = arena_alloc(vocabulary->arena, cap);
        memcpy(moved, vocabulary->bytes, vocabulary->bytes_len);
        vocabulary->bytes = moved;
        vocabulary->bytes_cap = cap;
    }
    if (token.len)
        memcpy(vocabulary->bytes + offset, token.ptr, token.len);
    vocabulary->bytes_len += token.len;
    return offset;
}

void vocabulary_fetch(const struct vocabulary *vocabulary, vsr_str token) {
    __builtin_prefetch(&vocabulary->slots[str_hash(token, 0) & (vocabulary->n_slots - 1)], 1);
}

void vocabulary_put(struct vocabulary *vocabulary, vsr_str token, uint32_t id) {
    uint64_t hash = str_hash(token, 0);
    size_t slot = find(vocabulary, token, hash);
    uint32_t old = vocabulary->slots[slot] ? (uint32_t)vocabulary->slots[slot] - 1 : TOKEN_NONE;
    struct vocabulary_entry entry;
    if (old == id)
        return;
    grow_entries(vocabulary, id);
    if (old != TOKEN_NONE) {
        entry = vocabulary->entries[old];
        vocabulary->entries[old] = (struct vocabulary_entry){ UINT32_MAX, 0 };
    } else {
        entry = (struct vocabulary_entry){ add_bytes(vocabulary, token), (uint32_t)token.len };
        vocabulary->n_used++;
    }
    vocabulary->entries[id] = entry;
    vocabulary->slots[slot] = slot_of(hash, id);
    if (vocabulary->n_used * 2 > vocabulary->n_slots)
        grow_slots(vocabulary);
}

uint32_t vocabulary_id(const struct vocabulary *vocabulary, vsr_str token) {
    size_t slot = find(vocabulary, token, str_hash(token, 0));
    return vocabulary->slots[slot] ? (uint32_t)vocabulary->slots[slot] - 1 : TOKEN_NONE;
}

/* Each pass asks for the memory that the next one reads: slot, entry, bytes. What a pass sees of another string with
 * the same slot is fetched for nothing, and no harm. */
void vocabulary_find(const struct vocabulary *vocabulary, struct vocabulary_query *queries, size_t n) {
    size_t mask = vocabulary->n_slots - 1;
    for (size_t i = 0; i < n; i++) {
        queries[i].hash = str_hash(queries[i].token, 0);
        __builtin_prefetch(&vocabulary->slots[queries[i].hash & mask]);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = vocabulary->slots[queries[i].hash & mask];
        if (slot)
            __builtin_prefetch(&vocabulary->entries[(uint32_t)slot - 1]);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = vocabulary->slots[queries[i].hash & mask];
        if (slot)
            __builtin_prefetch(vocabulary_token(vocabulary, (uint32_t)slot - 1).ptr);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t slot = vocabulary->slots[find(vocabulary, queries[i].token, queries[i].hash)];
        queries[i].id = slot ? (uint32_t)slot - 1 : TOKEN_NONE;
    }
}
