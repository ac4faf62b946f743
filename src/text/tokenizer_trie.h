/*
 * tokenizer_trie - which keys are a prefix of the text here, one step a byte.
 *
 * A double array: the child of node s by byte c is t = base[s] ^ c, if parent[t] == s. Built once from sorted keys in
 * an arena; immutable afterwards, any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_TRIE_H
#define VSR_TEXT_TOKENIZER_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

enum {
    TRIE_ROOT = 0,
    /* For whoever builds one from a file: bounds what a place in a text costs. Published ones have up to 256 bytes. */
    TRIE_KEY_LEN_MAX = 512,
};

struct token_trie {
    struct trie_node {
        uint32_t base, parent, value; /* value TOKEN_NONE: no key ends here */
    } * nodes;
    size_t n_nodes; /* a multiple of 256 */
};

struct trie_key {
    vsr_str key;
    uint32_t value;
};

/* Sorts `keys`. Empty keys are left out; of equal keys the one with the greatest value counts. */
void token_trie_build(struct token_trie *trie, struct arena *arena, struct trie_key *keys, size_t n);

/* The node behind `node` by byte `c`, or TOKEN_NONE. */
static inline uint32_t token_trie_step(const struct token_trie *trie, uint32_t node, uint8_t c) {
    uint32_t next = trie->nodes[node].base ^ c;
    return trie->nodes[next].parent == node ? next : UINT32_MAX;
}

static inline uint32_t token_trie_value(const struct token_trie *trie, uint32_t node) {
    return trie->nodes[node].value;
}

/* Length of the longest key that `text` begins with, 0 when none does; its value in `*ret_value`. */
size_t token_trie_longest(const struct token_trie *trie, vsr_str text, uint32_t *ret_value);

#endif
