/*
 * long_text - what is done with a text of more tokens than a model takes at once.
 */
#ifndef VSR_MODEL_LONG_TEXT_H
#define VSR_MODEL_LONG_TEXT_H

#include <stdbool.h>

#include "core/str.h"

#define LONG_TEXTS(X) \
    X(TRUNCATE, "truncate") /* its end is left out */ \
    X(CHUNK, "chunk")       /* windows that overlap, and one answer made of theirs */ \
    X(SAMPLE, "sample")     /* head, middle and tail */

enum long_text {
#define X(name, text) LONG_TEXT_##name,
    LONG_TEXTS(X)
#undef X
};

const char *long_text_name(enum long_text long_text);
bool long_text_named(vsr_str name, enum long_text *ret_long_text);

#endif
