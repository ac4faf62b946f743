/*
 * mixer_head - what a mixer's numbers (nn/mixer.h) say about one thing: classes of a text, of each token, of a pair.
 *
 *     classify   f = [pools over x; pools over h; y], each optional; logits = out(gelu(hidden(f))) + n-grams
 *     tag        for each token: logits = out(gelu(hidden(h_i)))
 *     pair-tag   for each token b of the second text: logits = out(c_b)
 *     pair       logits = out(gelu(hidden([mean c_b; max c_b; mean c_a; max c_a])))
 *
 * h are the mixed tokens of the trunk; a tagger may bring convolutions of its own (nn/mixing.h).
 *
 * A pool is a learned query (nn/pooling.h). A token b of one text is compared with the other text a by vectors
 * u = align x of unit length:
 *
 *     w = softmax over a of temperature * u_b.u_a,  g = sum w_a h_a,  m = max u_b.u_a,  e = 1 if a has the same token
 *     c_b = gelu(compare([h_b; g; |h_b - g|; h_b * g; m; e]))
 *
 * `hidden` is optional in each, n-grams (nn/ngrams.h) too, and with them everything else. Logits are calibrated (times
 * a factor, plus a bias for each class) and made probabilities: softmax, or sigmoid of a single class. What a head is,
 * and its labels, stand in the metadata of its file. Immutable: any thread.
 */
#ifndef VSR_NN_MIXER_HEAD_H
#define VSR_NN_MIXER_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct mixer;
struct mixer_head;
struct mixer_text;

#define MIXER_HEADS(X) X(CLASSIFY, "classify") X(TAG, "tag") X(PAIR, "pair") X(PAIR_TAG, "pair-tag")

enum mixer_head_kind {
#define X(name, text) MIXER_HEAD_##name,
    MIXER_HEADS(X)
#undef X
};

enum { MIXER_LABELS_MAX = 1024, MIXER_QUERIES_MAX = 64 };

/*
 * From the bytes of a safetensors file, which are kept: n-grams are read in place. For `mixer`, whose sizes it must
 * fit. VSR_E_INVALID, VSR_E_NOT_FOUND, VSR_E_SYNTAX and VSR_E_LIMIT name the tensor or the metadata and what was
 * expected.
 */
int mixer_head_new(const struct mixer *mixer, vsr_str bytes, struct mixer_head **ret,
                   struct vsr_err *err) VSR_MUST_CHECK;
/* NULL is allowed. */
void mixer_head_free(struct mixer_head *head);

enum mixer_head_kind mixer_head_kind(const struct mixer_head *head);
const char *mixer_head_kind_name(enum mixer_head_kind kind);
bool mixer_head_is_pair(const struct mixer_head *head);
/* "domain": what the file says it was trained for. */
vsr_str mixer_head_task(const struct mixer_head *head);
const vsr_str *mixer_head_labels(const struct mixer_head *head, size_t *ret_n);
size_t mixer_head_bytes(const struct mixer_head *head);

/* How many rows of probabilities it gives: 1, or the tokens of the text that it tags. `second` NULL: no pair. */
size_t mixer_head_rows(const struct mixer_head *head, const struct mixer_text *text, const struct mixer_text *second);

/*
 * Writes [rows][labels] to `ret`. `second` is of a pair, else NULL; both are set (mixer_text_set()) for the mixer that
 * the head was made for. VSR_E_NOMEM.
 */
int mixer_head_run(const struct mixer_head *head, struct mixer_text *text, struct mixer_text *second, float *ret,
                   struct vsr_err *err) VSR_MUST_CHECK;

#endif
