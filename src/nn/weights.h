/*
 * weights - all tensors of a model directory, and the account of which of them were used.
 *
 * A directory has "model.safetensors", or "model.safetensors.index.json" and the shards that it names. Files are
 * mapped; what is handed out points into them, unaligned and in the type of the file, and stays valid until the last
 * weights_unref().
 *
 * Names. Checkpoints of one architecture differ in what stands before the names, by how they were saved:
 *
 *     [_orig_mod.|base_model.model.] [model.|bert.|roberta.|mpnet.|deberta.] layers.0.mlp.Wi.weight     the trunk
 *     [_orig_mod.|base_model.model.] classifier.weight                                                  a head
 *
 * weights_probe() finds out which, by the name of the embedding table; afterwards names are asked for without either.
 * "LayerNorm.gamma" and "LayerNorm.beta" of old files are found as "LayerNorm.weight" and "LayerNorm.bias".
 *
 * Nothing is missing and nothing is left over: a tensor that the model needs and the file has not is an error of
 * weights_get(), one that the file has and nobody asked for an error of weights_finish().
 *
 * Opening, probing and getting is one thread; references and the data of tensors are any thread.
 */
#ifndef VSR_NN_WEIGHTS_H
#define VSR_NN_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/safetensors.h"

struct weights;

enum {
    WEIGHTS_SHARDS_MAX = 512,
    WEIGHTS_NAME_LEN_MAX = 256, /* of a name that is asked for; names of files may be longer */
};

enum weights_part { WEIGHTS_TRUNK, WEIGHTS_HEAD };

struct weights_shape {
    size_t n_dims;
    size_t dims[TENSOR_DIMS_MAX];
};

/* WEIGHTS_SHAPE(out, in) */
#define WEIGHTS_SHAPE(...) \
    ((struct weights_shape){ sizeof((size_t[]){ __VA_ARGS__ }) / sizeof(size_t), { __VA_ARGS__ } })

/* What may stand before the trunk's names, behind the outer prefix; NULL behind the last. */
extern const char *const weights_trunk_prefixes[];

/* Copies nothing; one reference. VSR_E_NOT_FOUND when the directory has no weights that can be read, else as
 * safetensors_open(). */
int weights_open(vsr_str directory, struct weights **ret, struct vsr_err *err) VSR_MUST_CHECK;

struct weights *weights_ref(struct weights *weights);
void weights_unref(struct weights *weights);

/*
 * One of several models in a file, before weights_probe(): its names begin with `outer`, those of its trunk with
 * `outer` and `inner` ("image_encoder.", "vision_encoder."), and no other prefixes are tried. What begins otherwise is
 * not its own: weights_finish() leaves that to whoever opened the file for the others. Copies.
 */
void weights_choose(struct weights *weights, vsr_str outer, vsr_str inner);

/* Sets the prefixes by the trunk's embedding table, such as "embeddings.word_embeddings.weight". Before it there are
 * none. VSR_E_NOT_FOUND when no known prefix leads to it. */
int weights_probe(struct weights *weights, vsr_str embedding, struct vsr_err *err) VSR_MUST_CHECK;
/* What stands before the trunk's names in the file, outer prefix included. */
vsr_str weights_prefix(const struct weights *weights);

bool weights_has(const struct weights *weights, enum weights_part part, vsr_str name);

bool weights_has_shape(const struct tensor *tensor, struct weights_shape shape);

/* The tensor, counted as used. VSR_E_NOT_FOUND when it is missing, VSR_E_INVALID when its shape is another. */
int weights_get(struct weights *weights, enum weights_part part, vsr_str name, struct weights_shape shape,
                const struct tensor **ret, struct vsr_err *err) VSR_MUST_CHECK;

/* The same in f32, into `ret`, which holds the elements of `shape`. */
int weights_get_f32(struct weights *weights, enum weights_part part, vsr_str name, struct weights_shape shape,
                    float *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* The size of a dimension that only the file knows, such as the rows of a classifier. */
int weights_dim(const struct weights *weights, enum weights_part part, vsr_str name, size_t dim, size_t *ret_size,
                struct vsr_err *err) VSR_MUST_CHECK;

/* Counts the tensors whose name in trunk or head begins with `start` ("pooler.") as used: the task does without. */
void weights_ignore(struct weights *weights, vsr_str start);

/* Fails when a tensor was neither asked for nor ignored, except what no task of an encoder uses: position_ids and the
 * heads of pre-training. */
int weights_finish(const struct weights *weights, struct vsr_err *err) VSR_MUST_CHECK;

/* All tensors of the directory, for listings. */
size_t weights_count(const struct weights *weights);
const struct tensor *weights_at(const struct weights *weights, size_t index);

/* Lets go of the pages of a tensor that has been copied; read again, they come back from the file. */
void weights_forget_pages(const struct tensor *tensor);

#endif
