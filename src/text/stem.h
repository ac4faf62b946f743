/*
 * stem - English words without their endings (Snowball's English stemmer, "Porter2").
 *
 * A stemmer works in memory of its own: one thread at a time. Equal words have equal stems, whatever went before.
 */
#ifndef VSR_TEXT_STEM_H
#define VSR_TEXT_STEM_H

#include "core/err.h"
#include "core/str.h"

struct stemmer;

/* Fails with VSR_E_NOMEM. */
int stemmer_new(struct stemmer **ret_stemmer, struct vsr_err *err) VSR_MUST_CHECK;
void stemmer_free(struct stemmer *stemmer);

/* The stem of a word of a-z. Valid until the next call; the word itself when memory runs out. */
vsr_str stemmer_stem(struct stemmer *stemmer, vsr_str word);

#endif
