/*
 * tokenizer_unigram - the cut of a piece into vocabulary entries whose scores add up to most (Viterbi).
 *
 * One pass over the piece with a trie; wherever no entry reaches across, what lies before is settled and its memory
 * used again. Two families share it: tokenizer.json counts in double precision and fuses what is unknown before looking
 * it up, SentencePiece models count in single precision, skip unused pieces and prefer what users defined. Immutable
 * once built: any thread, each with its own working memory.
 */
#ifndef VSR_TEXT_TOKENIZER_UNIGRAM_H
#define VSR_TEXT_TOKENIZER_UNIGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/tokenizer_trie.h"
#include "text/tokenizer_vocabulary.h"

struct token_text;
struct tokenizer_work;

struct unigram {
    const struct vocabulary *vocabulary;
    struct token_trie trie; /* of what a text may become */
    const double *scores;   /* by id */
    uint32_t unk;           /* TOKEN_NONE: what is unknown vanishes */
    double unk_score;
    bool byte_fallback;
    uint32_t byte_ids[256];  /* of <0xHH>; TOKEN_NONE: there is none */
    const uint64_t *special; /* bit per id: never the result of a text; NULL: none */
    bool sentencepiece;
    double score_max;             /* SentencePiece: of the ordinary pieces */
    const uint64_t *user_defined; /* SentencePiece: bit per id; NULL: none */
};

/* Appends the tokens of bytes [start, end) of `text`. */
void unigram_encode(const struct unigram *model, struct tokenizer_work *work, const struct token_text *text,
                    size_t start, size_t end);

#endif
