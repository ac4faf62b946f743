/*
 * tokenizer_bpe - byte pair encoding: from the characters of a piece to tokens, by merging the best pair again and
 * again.
 *
 * Pairs are found in one table of 8-byte slots: 20 bits of the left id, 20 of the right, 24 the number of the merge.
 * Short pieces look for the best pair from left to right, long ones keep a heap, so that a piece of n characters costs
 * O(n log n) whatever its length. Pieces of up to BPE_CACHE_KEY_LEN bytes are remembered in the working memory.
 *
 * Two families share it. In a tokenizer.json the order of the merges is their rank. In a SentencePiece model there is
 * no list of merges: two neighbours may merge when their concatenation is a piece, by the piece's score, leftmost first
 * among equals. Characters that are no piece of their own but begin or end one have ids above the vocabulary here
 * ("parts"). Pieces marked unused take part in merging and are taken apart again at the end.
 *
 * Immutable once built: any thread, each with its own working memory.
 */
#ifndef VSR_TEXT_TOKENIZER_BPE_H
#define VSR_TEXT_TOKENIZER_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "text/tokenizer_trie.h"
#include "text/tokenizer_vocabulary.h"

struct arena;
struct bpe_work;
struct token_text;
struct tokenizer_work;

enum {
    BPE_MERGES_MAX = (1 << 24) - 1,
    BPE_CACHE_KEY_LEN = 22,
    BPE_CACHE_TOKENS = 8,
    BPE_BYTE_IDS = 256,
};

struct bpe {
    const struct vocabulary *vocabulary;
    uint64_t *slots; /* left << 44 | right << 24 | merge; all bits set: free */
    size_t n_slots, n_merges;
    uint32_t *results;    /* id that a merge gives */
    uint32_t *priorities; /* least first; NULL: the number of the merge itself */
    size_t longest;       /* bytes of the longest token, with ignore_merges */

    uint32_t unk; /* TOKEN_NONE: characters without a token vanish */
    bool fuse_unk, ignore_merges;
    bool bytes_are_chars;  /* pieces are raw bytes, the vocabulary is written in the byte alphabet */
    bool cut_before_space; /* no merge crosses from another character into U+2581 */
    bool sentencepiece;
    vsr_str prefix, suffix;          /* continuing_subword_prefix, end_of_word_suffix */
    uint32_t byte_ids[BPE_BYTE_IDS]; /* bytes_are_chars: the byte's character; else byte_fallback's <0xHH> */
    bool byte_fallback;
    uint32_t ascii_ids[128]; /* id of each ASCII character */
    const uint64_t *special; /* bit per id: never the result of a text; NULL: none */
    size_t n_special;
    const struct token_trie *frozen; /* SentencePiece: user-defined pieces, never merged; NULL: none */
    const uint64_t *unused;          /* SentencePiece: bit per id; NULL: none */
    size_t n_parts;                  /* ids above the vocabulary */
    struct vocabulary parts;         /* their characters, numbered from 0 */
    uint64_t cache_key;              /* tells the caches of tokenizers apart */
};

/* Prepares the table for `n_merges`. The fields above `slots` and the options are the caller's. */
void bpe_init(struct bpe *bpe, struct arena *arena, size_t n_merges);
/* Asks for the memory that bpe_add_merge() will need. */
void bpe_fetch_merge(const struct bpe *bpe, uint32_t left, uint32_t right);
/* Adds the next merge. A pair that is there already keeps its first number. */
void bpe_add_merge(struct bpe *bpe, uint32_t left, uint32_t right, uint32_t result);
/* Counts a merge that never takes place, because its result is no token for a text. */
void bpe_skip_merge(struct bpe *bpe, uint32_t result);
/* Once vocabulary, merges and options stand: finds ascii_ids, `longest`, and whether pieces may be cut at spaces. */
void bpe_finish(struct bpe *bpe);

/* Appends the tokens of bytes [start, end) of `text`. */
void bpe_encode(const struct bpe *bpe, struct tokenizer_work *work, const struct token_text *text, size_t start,
                size_t end);

void bpe_work_free(struct bpe_work *work);
/* Gives back what grew with the text; remembered pieces stay. */
void bpe_work_trim(struct bpe_work *work);

#endif
