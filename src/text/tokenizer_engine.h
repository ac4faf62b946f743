/*
 * tokenizer_engine - what a tokenizer is made of, for the files that make one and the one that runs it.
 */
#ifndef VSR_TEXT_TOKENIZER_ENGINE_H
#define VSR_TEXT_TOKENIZER_ENGINE_H

#include "text/sentencepiece.h"
#include "text/tokenizer.h"
#include "text/tokenizer_added.h"
#include "text/tokenizer_bpe.h"
#include "text/tokenizer_normalize.h"
#include "text/tokenizer_split.h"
#include "text/tokenizer_template.h"
#include "text/tokenizer_unigram.h"
#include "text/tokenizer_vocabulary.h"
#include "text/tokenizer_wordpiece.h"

enum tokenizer_model { MODEL_WORDPIECE, MODEL_BPE, MODEL_UNIGRAM, MODEL_WORD_LEVEL };

struct tokenizer {
    struct arena *arena;
    struct vocabulary vocabulary; /* added tokens included */
    struct added_token *added;
    size_t n_added;
    struct added_matcher raw, normalized;
    struct normalizer normalizer;
    struct splitter splitter;
    struct sentencepiece *sentencepiece; /* instead of normalizer and splitter; NULL: a tokenizer.json */
    enum tokenizer_model kind;
    union {
        struct wordpiece wordpiece;
        struct bpe bpe;
        struct unigram unigram;
        struct word_level word_level;
    } model;
    struct token_template template;
    uint32_t bos, eos; /* of a SentencePiece model; TOKEN_NONE: none */
    bool truncates_left;
    size_t length_max;
};

/* Builds the matchers of `added`, whose contents are as written. Normalised ones pass through the normalizer first. */
int tokenizer_build_added(struct tokenizer *tokenizer, struct vsr_err *err) VSR_MUST_CHECK;

#endif
