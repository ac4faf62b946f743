/*
 * tokenizer_split - the pre-tokenizer: cuts a normalised text into the pieces that the model sees one by one.
 *
 * A list of steps, each over the pieces of the one before. Most only cut; Metaspace and ByteLevel may also write a new
 * text. Immutable once built: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_SPLIT_H
#define VSR_TEXT_TOKENIZER_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "text/tokenizer_pattern.h"

struct arena;
struct token_spans;
struct token_text;
struct tokenizer_work;

enum { SPLITTER_STEPS_MAX = 64 };

enum split_kind {
    SPLIT_PATTERN,
    SPLIT_BERT, /* at white space, which goes, and around punctuation */
    SPLIT_METASPACE,
    SPLIT_BYTES,
};

enum split_behaviour { SPLIT_REMOVED, SPLIT_ISOLATED, SPLIT_CONTIGUOUS, SPLIT_WITH_PREVIOUS, SPLIT_WITH_NEXT };

enum split_prepend { PREPEND_NEVER, PREPEND_FIRST, PREPEND_ALWAYS };

struct split_step {
    enum split_kind kind;
    const struct token_pattern *pattern; /* PATTERN; METASPACE and BYTES: what cuts, NULL for nothing */
    enum split_behaviour behaviour;
    bool invert;
    vsr_str replacement;        /* METASPACE: of a space */
    enum split_prepend prepend; /* METASPACE; BYTES: a space, NEVER or ALWAYS */
    bool keep_bytes;            /* BYTES: the model reads raw bytes instead of the byte alphabet */
};

struct splitter {
    struct split_step *steps;
    size_t n_steps, cap;
};

/* Copies `step`. False when there are SPLITTER_STEPS_MAX already. */
bool splitter_add(struct splitter *splitter, struct arena *arena, struct split_step step);

/* Replaces `*text` where a step writes one; returns its pieces, none of them empty, which live in `work`. */
const struct token_spans *splitter_run(const struct splitter *splitter, struct tokenizer_work *work,
                                       struct token_text *text);

#endif
