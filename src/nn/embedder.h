/*
 * embedder - from the vectors of a trunk to one vector for each text: pooling, linear maps, unit length.
 *
 * What is done is what the model's directory says (nn/sentence_files.h); a directory that says nothing gets its
 * family's own way, then unit length. A vector can be cut to fewer dimensions (Matryoshka) and is then made to unit
 * length again. Immutable: any thread.
 */
#ifndef VSR_NN_EMBEDDER_H
#define VSR_NN_EMBEDDER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder_config.h"
#include "nn/tensor_store.h"

struct embedder;
struct embedder_scratch; /* of one thread; grows to the largest batch and keeps it */
struct encoder_batch;
struct gemm_context;
struct nn_runtime;
struct sentence_files;

/* Reads the linear maps below `directory`. Copies what it needs of `files`. Keeps `runtime`. */
int embedder_new(struct nn_runtime *runtime, const struct encoder_config *config, const struct sentence_files *files,
                 vsr_str directory, struct embedder **ret, struct vsr_err *err) VSR_MUST_CHECK;
void embedder_free(struct embedder *embedder);

/* Of the vectors, uncut. */
size_t embedder_dims(const struct embedder *embedder);
struct tensor_holding_bytes embedder_bytes(const struct embedder *embedder);

struct embedder_scratch *embedder_scratch_new(void);
void embedder_scratch_free(struct embedder_scratch *scratch);

/*
 * `hidden` is what encoder_forward() gave for `batch`. `skip` [sequences] says how many tokens at the start of each
 * belong to a prompt: they are left out where the model says so; NULL: none. Writes [sequences][dims] to `ret`, cut to
 * `dims`; 0 is all. VSR_E_LIMIT for more than there are.
 */
int embedder_run(const struct embedder *embedder, struct embedder_scratch *scratch, struct gemm_context *context,
                 const float *hidden, const struct encoder_batch *batch, const uint32_t *skip, size_t dims, float *ret,
                 struct vsr_err *err) VSR_MUST_CHECK;

#endif
