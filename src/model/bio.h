/*
 * bio - from the class probabilities of tokens to spans of the text: "B-PERSON I-PERSON O" and the like.
 *
 * Labels begin with "B-" (first of a span) or "I-" (inside one), or are plain: then neighbours of one label are one
 * span. "O" is outside; without an "O" the first label is. Spans are bytes of the text that was tokenised.
 *
 * An "I-" without its beginning opens a span all the same (BIO_LENIENT), because what is missed is worse than what is
 * cut short. BIO_STRICT drops it. BIO_VITERBI takes the likeliest sequence of labels in which it does not occur.
 */
#ifndef VSR_MODEL_BIO_H
#define VSR_MODEL_BIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct bio;

enum bio_rule { BIO_LENIENT, BIO_STRICT, BIO_VITERBI };

struct bio_span {
    uint32_t start, end; /* bytes */
    uint32_t type;       /* of bio_type() */
    /* Of the type, over the tokens of the span: p(B-type) + p(I-type). */
    float mean, least, greatest;
};

/* Tokens of the text alone: those of the template are left out by the caller. */
struct bio_tokens {
    const float *probabilities; /* [n][classes] */
    const uint32_t *starts, *ends;
    size_t n;
};

/* `labels` [n], one for each class. VSR_E_INVALID when nothing but "O" is in them. In `arena`; copies the names. */
int bio_build(struct arena *arena, const vsr_str *labels, size_t n, struct bio **ret,
              struct vsr_err *err) VSR_MUST_CHECK;

size_t bio_types(const struct bio *bio);
vsr_str bio_type(const struct bio *bio, uint32_t type);

/*
 * Spans in order of the text, in `arena`. Each is trimmed of white space, grown to the ends of the words that it cuts,
 * and joined with a neighbour of its type when at most one space or punctuation mark is between them. Of two types that
 * grew to the very same words the surer one stays; others may overlap. A tie between classes goes to the first.
 */
size_t bio_decode(const struct bio *bio, enum bio_rule rule, vsr_str text, const struct bio_tokens *tokens,
                  struct arena *arena, struct bio_span **ret);

#endif
