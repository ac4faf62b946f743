/*
 * tokenizer_work - a text on its way through a tokenizer, and the working memory of that way.
 *
 * A text in work is bytes that each carry a range of the original text. Most steps on most texts change nothing that
 * moves a byte; then there are no arrays of ranges (`starts` is NULL) and byte i comes from the code point of the
 * original around `origin` + i. Steps that move bytes write a text of their own into one of the growing buffers here.
 *
 * All buffers grow and are kept up to WORK_KEPT_MAX, so that encoding texts of a usual length allocates nothing after
 * the first ones; what a huge text took is given back behind it. A failure (VSR_E_NOMEM, VSR_E_LIMIT) is sticky in
 * `failed`: writers go on, the one who started them looks once. One thread at a time.
 */
#ifndef VSR_TEXT_TOKENIZER_WORK_H
#define VSR_TEXT_TOKENIZER_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

#define TOKEN_NONE UINT32_MAX

enum {
    TOKEN_TEXT_LEN_MAX = 64 << 20, /* of a text after a step that makes it longer */
    WORK_KEPT_MAX = 8 << 20,       /* bytes; enough for texts of about 100 KB, the longest that a model reads */
};

struct token_text {
    const char *ptr; /* valid UTF-8 */
    size_t len;
    const uint32_t *starts, *ends; /* range of each byte; NULL: they are those of the original itself */
    uint32_t origin;               /* where byte 0 stands in the original, without `starts` */
};

/* A code point and the range of the original that it stands for. */
struct token_char {
    uint32_t cp, start, end;
};

struct token_chars {
    struct token_char *at;
    size_t n, cap;
};

/* A part of a text in work. */
struct token_span {
    uint32_t start, end;
};

struct token_spans {
    struct token_span *at;
    size_t n, cap;
};

/* A text being written. */
struct token_out {
    char *ptr;
    uint32_t *starts, *ends;
    size_t len, cap;
};

/* Tokens found so far, with the ranges of the original. */
struct token_list {
    uint32_t *ids, *starts, *ends;
    size_t n, cap;
};

struct bpe_work;
struct unigram_node;

struct tokenizer_work {
    int failed;                /* 0, VSR_E_NOMEM or VSR_E_LIMIT */
    size_t held;               /* bytes of all that token_reserve() gave */
    struct token_out clean;    /* the original with its ill-formed parts replaced */
    struct token_out texts[6]; /* by turns: one is read while the other is written; a pair for each stage */
    unsigned turn, stage;
    struct token_chars chars[2];
    struct token_spans spans[2];
    unsigned spans_turn;
    struct token_list tokens;
    struct bpe_work *bpe; /* NULL until a BPE model has worked here */
    struct unigram_node *nodes;
    size_t nodes_cap;
    uint32_t *stack;
    size_t stack_cap;
};

void tokenizer_work_done(struct tokenizer_work *work);
/* Between two texts: gives the buffers back when they hold more than WORK_KEPT_MAX together. */
void tokenizer_work_trim(struct tokenizer_work *work);

/* Room for `n` objects of `size` in `*array`; false (and `failed`) without memory. */
bool token_reserve(struct tokenizer_work *work, void *array, size_t *cap, size_t size, size_t n);

bool token_chars_reserve(struct tokenizer_work *work, struct token_chars *chars, size_t n);
void token_chars_push(struct tokenizer_work *work, struct token_chars *chars, struct token_char c);

bool token_out_reserve(struct tokenizer_work *work, struct token_out *out, size_t len);
void token_out_char(struct tokenizer_work *work, struct token_out *out, struct token_char c);
/* Bytes that all carry the same range. */
void token_out_bytes(struct tokenizer_work *work, struct token_out *out, vsr_str bytes, uint32_t start, uint32_t end);
/* Bytes [start, end) of `text` with their ranges. */
void token_out_copy(struct tokenizer_work *work, struct token_out *out, const struct token_text *text, size_t start,
                    size_t end);
struct token_text token_out_text(const struct token_out *out);
/* The buffer whose turn it is, emptied. The text that was written the time before stays valid, and so do texts of
 * another stage (0: normalising, 1: splitting, 2: normalising a part of a text). */
struct token_out *token_out_next(struct tokenizer_work *work);

static inline bool token_span_push(struct tokenizer_work *work, struct token_spans *spans, size_t start, size_t end) {
    if (spans->n == spans->cap &&
        !token_reserve(work, &spans->at, &spans->cap, sizeof(*spans->at), spans->cap ? spans->cap * 2 : 1024))
        return false;
    spans->at[spans->n++] = (struct token_span){ (uint32_t)start, (uint32_t)end };
    return true;
}

bool token_list_reserve(struct tokenizer_work *work, struct token_list *list, size_t more);
static inline void token_list_push(struct tokenizer_work *work, uint32_t id, uint32_t start, uint32_t end) {
    struct token_list *list = &work->tokens;
    if (list->n == list->cap && !token_list_reserve(work, list, 1))
        return;
    list->ids[list->n] = id;
    list->starts[list->n] = start;
    list->ends[list->n] = end;
    list->n++;
}

/* The range of byte `i`. */
static inline uint32_t token_text_start(const struct token_text *text, size_t i) {
    if (text->starts)
        return text->starts[i];
    while (i > 0 && ((uint8_t)text->ptr[i] & 0xC0) == 0x80)
        i--;
    return text->origin + (uint32_t)i;
}

static inline uint32_t token_text_end(const struct token_text *text, size_t i) {
    if (text->ends)
        return text->ends[i];
    for (i++; i < text->len && ((uint8_t)text->ptr[i] & 0xC0) == 0x80; i++) {
    }
    return text->origin + (uint32_t)i;
}

/* Bytes [start, end) as a text of their own; both at code point boundaries. */
static inline struct token_text token_text_sub(const struct token_text *text, size_t start, size_t end) {
    struct token_text sub = { .ptr = text->ptr + start, .len = end - start, .origin = text->origin + (uint32_t)start };
    if (text->starts) {
        sub.starts = text->starts + start;
        sub.ends = text->ends + start;
        sub.origin = 0;
    }
    return sub;
}

/* Token of bytes [start, end), which are not none. */
static inline void token_push(struct tokenizer_work *work, const struct token_text *text, uint32_t id, size_t start,
                              size_t end) {
    token_list_push(work, id, token_text_start(text, start), token_text_end(text, end - 1));
}

/* Decodes valid UTF-8. */
static inline uint32_t token_decode(const char *ptr, size_t *pos) {
    const uint8_t *p = (const uint8_t *)ptr + *pos;
    if (p[0] < 0x80) {
        *pos += 1;
        return p[0];
    }
    if (p[0] < 0xE0) {
        *pos += 2;
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3Fu);
    }
    if (p[0] < 0xF0) {
        *pos += 3;
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3Fu);
    }
    *pos += 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
           (p[3] & 0x3Fu);
}

/* Bytes of the code point that begins with `lead`. */
static inline size_t token_char_len(char lead) {
    uint8_t c = (uint8_t)lead;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

#endif
