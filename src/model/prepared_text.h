/*
 * prepared_text - the text that an embedder reads: its prompt, then the caller's text, as the library that the model
 * was made with hands it to the tokenizer.
 *
 *     join        prompt and text, with nothing between them
 *     strip       white space at both ends: what the library strips, which is White_Space and U+001C to U+001F
 *     lower       do_lower_case of sentence_bert_config.json: full lower case, final sigma too
 *
 * Classifiers, and embedders whose directory is not one of that library (no modules.json), read texts as they are: for
 * the library, too, such a directory is a bare encoder, of which it reads none of its own files. A prompt that a caller
 * gives stands before the text all the same.
 * Every byte knows the place in the caller's text that it came from. Values on the stack of one thread; nothing is
 * copied where nothing changes.
 */
#ifndef VSR_MODEL_PREPARED_TEXT_H
#define VSR_MODEL_PREPARED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

struct preparation {
    vsr_str prompt;    /* before the text; empty: none */
    bool strip, lower; /* none of it: the text itself */
};

struct prepared_text {
    vsr_str text;      /* the caller's, or in `joined` or `lowered` */
    size_t prompt_len; /* bytes at its start that are the prompt's */
    size_t from, to;   /* the bytes of the caller's text that are in it */
    struct buf joined, lowered;
    uint32_t *places; /* where each byte of `lowered` came from, and an end; NULL: counted from `from` */
};

/* Borrows both texts until prepared_text_done(). VSR_E_LIMIT when they are too long together for a tokenizer. */
int prepared_text_make(const struct preparation *how, vsr_str text, struct prepared_text *ret,
                       struct vsr_err *err) VSR_MUST_CHECK;
/* Also of one that could not be made. */
void prepared_text_done(struct prepared_text *prepared);

/* Makes the place [*start, *end) of a token one of the caller's text; of a token that is all prompt: 0, 0. */
void prepared_text_place(const struct prepared_text *prepared, uint32_t *start, uint32_t *end);

#endif
