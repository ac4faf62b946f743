/*
 * spans - what a tagger says of a text's tokens, as spans that an ask is answered with. Any thread.
 */
#ifndef VSR_EVIDENCE_SPANS_H
#define VSR_EVIDENCE_SPANS_H

#include "core/err.h"
#include "model/bio.h"
#include "signal/evidence.h"

/*
 * Sets spans and labels of the answer, in `arena`. `labels` [n] are the tagger's, one for each number of a token. A
 * span is as sure as its tokens are on average.
 */
int evidence_spans(struct arena *arena, vsr_str text, const struct bio_tokens *tokens, enum bio_rule rule,
                   const vsr_str *labels, size_t n, struct evidence_answer *answer, struct vsr_err *err) VSR_MUST_CHECK;

#endif
