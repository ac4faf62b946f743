/*
 * tokenizer_normalize - the normalizer of a tokenizer: a list of steps, each from text to text with ranges.
 *
 * Where all steps only map ASCII characters to ASCII characters, an ASCII text takes one pass and keeps its places.
 * Immutable once built: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_NORMALIZE_H
#define VSR_TEXT_TOKENIZER_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "text/normal_form.h"
#include "text/tokenizer_charsmap.h"
#include "text/tokenizer_pattern.h"

struct arena;
struct token_out;
struct token_text;
struct tokenizer_work;

enum { NORMALIZER_STEPS_MAX = 64 };

enum normal_step_kind {
    NORMAL_STEP_FORM,
    NORMAL_STEP_LOWER,
    NORMAL_STEP_STRIP_MARKS,      /* Mn, Mc, Me */
    NORMAL_STEP_STRIP_NONSPACING, /* Mn */
    NORMAL_STEP_STRIP,
    NORMAL_STEP_REPLACE,
    NORMAL_STEP_PREPEND,
    NORMAL_STEP_CLEAN,   /* BERT: control characters vanish, white space becomes a space */
    NORMAL_STEP_CHINESE, /* BERT: spaces around ideographs */
    NORMAL_STEP_CHARSMAP,
    NORMAL_STEP_BYTES, /* each byte becomes its character of the byte alphabet */
    NORMAL_STEP_NMT,
};

struct normal_step {
    enum normal_step_kind kind;
    const struct normal_form *form;
    bool left, right; /* STRIP */
    const struct token_pattern *pattern;
    vsr_str content; /* REPLACE, PREPEND: valid UTF-8 */
    const struct charsmap *charsmap;
};

struct normalizer {
    struct normal_step *steps;
    size_t n_steps, cap;
    bool maps_ascii;    /* every step does no more to an ASCII text than `ascii` says */
    bool changes_ascii; /* `ascii` changes some character */
    uint8_t ascii[128]; /* what a character becomes; NORMALIZER_DROP: it vanishes */
};

enum { NORMALIZER_DROP = 0xFF };

void normalizer_init(struct normalizer *normalizer);
/* Copies `step`. False when there are NORMALIZER_STEPS_MAX already. */
bool normalizer_add(struct normalizer *normalizer, struct arena *arena, struct normal_step step);

/* Replaces `*text`; what it leads to lies in `work` or is the text itself. */
void normalizer_run(const struct normalizer *normalizer, struct tokenizer_work *work, struct token_text *text);

/* The 256 characters of the byte alphabet, as code points. */
uint32_t byte_alphabet(uint8_t byte);
/* Writes bytes [start, end) of `text` in the byte alphabet; each has the range of its code point. */
void write_byte_alphabet(struct tokenizer_work *work, struct token_out *out, const struct token_text *text,
                         size_t start, size_t end);

#endif
