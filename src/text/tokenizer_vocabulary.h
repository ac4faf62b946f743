/*
 * tokenizer_vocabulary - the strings of a vocabulary by id, and ids by string.
 *
 * Built once in an arena: the bytes in one block, one record per id, an open-addressed table of hashes. Immutable
 * afterwards: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_VOCABULARY_H
#define VSR_TEXT_TOKENIZER_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

struct vocabulary {
    struct arena *arena; /* keeps */
    char *bytes;
    size_t bytes_len, bytes_cap;
    struct vocabulary_entry {
        uint32_t offset, len; /* len 0 with offset UINT32_MAX: no such id */
    } * entries;              /* by id */
    size_t n, cap;            /* highest id + 1 */
    uint64_t *slots;          /* upper half of the hash, id + 1; 0: free */
    size_t n_slots, n_used;
};

/* Makes room for `n` strings of `bytes_len` bytes together; more may follow. Keeps `arena`. */
void vocabulary_init(struct vocabulary *vocabulary, struct arena *arena, size_t n, size_t bytes_len);
/* Asks for the memory that putting `token` will need. */
void vocabulary_fetch(const struct vocabulary *vocabulary, vsr_str token);
/* Copies `token`. A string that is there already gets the new id. `id` is below TOKENIZER_VOCABULARY_MAX. */
void vocabulary_put(struct vocabulary *vocabulary, vsr_str token, uint32_t id);

/* TOKEN_NONE when absent. */
uint32_t vocabulary_id(const struct vocabulary *vocabulary, vsr_str token);

/* A string to look up, and its id. */
struct vocabulary_query {
    vsr_str token;
    uint64_t hash;
    uint32_t id; /* TOKEN_NONE when absent */
};
/* Answers `n` queries. Far quicker than one by one: big tables are in no cache, and here the waits for them overlap. */
void vocabulary_find(const struct vocabulary *vocabulary, struct vocabulary_query *queries, size_t n);

static inline bool vocabulary_has(const struct vocabulary *vocabulary, uint32_t id) {
    return id < vocabulary->n && vocabulary->entries[id].offset != UINT32_MAX;
}

/* Empty when nothing has this id. */
static inline vsr_str vocabulary_token(const struct vocabulary *vocabulary, uint32_t id) {
    if (!vocabulary_has(vocabulary, id))
        return (vsr_str){ "", 0 };
    return str_make(vocabulary->bytes + vocabulary->entries[id].offset, vocabulary->entries[id].len);
}

#endif
