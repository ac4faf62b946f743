/*
 * mixer - a small encoder without attention: static vectors of subwords, averaged, and mixed by short convolutions.
 *
 *     tokens t_1..t_n, each of a shape class (text/token_shape.h)
 *     x_i = embedding[t_i]                                                      [D]
 *     s   = sum a_i x_i / sum a_i, a_i = exp(importance[t_i])                   [D]
 *     y   = s + down(gelu(up(s)))           the sentence; up and down optional  [D]
 *     m   = y, or such a mean by a table and importance of its own              [W]
 *     v   = m at unit length, beside it which tokens there are (l: nn/word_signs.h) and what the text is taken for
 *           (k: nn/concepts.h), each optional: [sqrt((1 - c)(1 - s)) m; sqrt((1 - c) s) l; sqrt(c) k] of unit m, l
 *           and k and their shares s and c; what texts are compared by
 *     h   = the tokens mixed (nn/mixing.h)                                      [n][M]
 *
 * Several light heads (nn/mixer_head.h) read one pass, and each of the above is computed when the first of them wants
 * it: most never need the convolutions; v alone is made anew each time. Sizes are those of the file's tensors,
 * training/README.md names them. Sums are in f32, in a fixed order: a text's numbers depend on the text alone and the
 * processor's level (nn/cpu.h). Without tokens every sum is 0.
 *
 * A mixer is immutable: any thread. A mixer_text belongs to one thread, and allocates nothing once it has grown.
 */
#ifndef VSR_NN_MIXER_H
#define VSR_NN_MIXER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/concepts.h"
#include "nn/mixer_file.h"
#include "nn/ngrams.h"
#include "nn/similarity.h"
#include "nn/word_signs.h"

struct mixer;
struct mixer_text; /* one text in work */
struct mixing;

enum {
    MIXER_TOKENS_MAX = 8192, /* of a text: some 30 KB of English; bounds what a thread keeps to some tens of MB */
    MIXER_DIMS_MAX = MIXER_TABLE_COLS_MAX,
    MIXER_VECTOR_DIMS_MAX = (int)MIXER_DIMS_MAX + (int)WORD_SIGNS_DIMS_MAX + (int)CONCEPTS_DIMS_MAX, /* of v */
    MIXER_HIDDEN_MAX = 8192,
};

/*
 * From the bytes of a safetensors file, which are kept: the table of subwords is read in place. VSR_E_INVALID,
 * VSR_E_NOT_FOUND, VSR_E_SYNTAX and VSR_E_LIMIT name the tensor and what was expected of it.
 */
int mixer_new(vsr_str bytes, struct mixer **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* NULL is allowed. */
void mixer_free(struct mixer *mixer);

size_t mixer_vocabulary(const struct mixer *mixer); /* ids are below it */
size_t mixer_dims(const struct mixer *mixer);       /* D */
size_t mixer_width(const struct mixer *mixer);      /* M; 0: it has no h */
size_t mixer_vector_dims(const struct mixer *mixer);
/* Of its vectors: metadata "similarity". */
const struct similarity_scale *mixer_similarity(const struct mixer *mixer);
/* Of what it keeps in memory itself. */
size_t mixer_bytes(const struct mixer *mixer);

struct mixer_text *mixer_text_new(void);
/* NULL is allowed. */
void mixer_text_free(struct mixer_text *text);

/*
 * Begins with another text. `ids` and `shapes` [n] are borrowed until the next one. VSR_E_LIMIT past MIXER_TOKENS_MAX
 * or for an id past the vocabulary.
 */
int mixer_text_set(struct mixer_text *text, const struct mixer *mixer, const uint32_t *ids, const uint8_t *shapes,
                   size_t n, struct vsr_err *err) VSR_MUST_CHECK;

/* In the text, until it is set again. VSR_E_NOMEM. */
int mixer_text_tokens(struct mixer_text *text, const float **ret_x, struct vsr_err *err) VSR_MUST_CHECK;
int mixer_text_sentence(struct mixer_text *text, const float **ret_y, struct vsr_err *err) VSR_MUST_CHECK;
/* VSR_E_INVALID for a mixer without. */
int mixer_text_mixed(struct mixer_text *text, const float **ret_h, struct vsr_err *err) VSR_MUST_CHECK;

/* By the convolutions that a head brings; until the next such call. VSR_E_NOMEM. */
int mixer_text_mixed_by(struct mixer_text *text, const struct mixing *own, const float **ret_h,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* v: `ret` holds mixer_vector_dims() numbers. VSR_E_NOMEM. */
int mixer_text_vector(struct mixer_text *text, float *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* Its runs of tokens, found once for all heads of that space. */
int mixer_text_ngrams(struct mixer_text *text, const struct ngram_space *space, const uint32_t **ret_features,
                      size_t *ret_n, struct vsr_err *err) VSR_MUST_CHECK;

/* Room for the work of heads over this text, which the next call with the same text may reuse. */
int mixer_text_room(struct mixer_text *text, size_t n_floats, float **ret, struct vsr_err *err) VSR_MUST_CHECK;

const uint32_t *mixer_text_ids(const struct mixer_text *text, size_t *ret_n);

#endif
