/*
 * encoder - the trunk of a transformer: token ids to one vector per token.
 *
 * Immutable once loaded: any thread, each with work of its own. A batch is sequences end to end, without padding; no
 * sequence sees another, and its result does not depend on which others are in the batch. A forward pass allocates
 * nothing once its work has grown to the batch.
 *
 * Families (BERT, ModernBERT, Qwen3, ...) are tables in encoder_family.c. Arithmetic: inference.md section 18.
 */
#ifndef VSR_NN_ENCODER_H
#define VSR_NN_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "nn/encoder_config.h"
#include "nn/precision.h"
#include "nn/tensor_store.h"

struct encoder;
struct encoder_adapter;
struct encoder_work; /* activations and scratch of one pass at a time; grows to the largest batch and keeps it */
struct crew;
struct gemm_context;
struct lora;
struct nn_runtime;
struct weights;

enum { ENCODER_BATCH_TOKENS_MAX = 1 << 20, ENCODER_SEQUENCES_MAX = 4096 };

/* `n` sequences; sequence s is the tokens [starts[s], starts[s + 1]). Borrowed during a pass. */
struct encoder_batch {
    const uint32_t *ids;    /* NULL with patches */
    const uint8_t *types;   /* NULL: all 0 */
    const uint32_t *starts; /* [n + 1], starts[0] is 0; no sequence is empty */
    size_t n;
    /*
     * [n]: the adapter of each sequence (nn/encoder_adapter.h), NULL for the base; NULL: all are of the base. Sequences
     * of one adapter that stand side by side are multiplied together.
     */
    const struct encoder_adapter *const *adapters;
    bool no_final_norm;   /* the rows are as the last layer that runs leaves them */
    const float *patches; /* [tokens][encoder_patch_len()], 64-byte aligned, where tokens are patches; else NULL */
};

/*
 * Reads the trunk's tensors. Keeps `runtime`; keeps a reference to `weights`, whose embedding table is used in place.
 * `lora` (NULL: none; bound, borrowed) is an adapter that is folded into the weights. Heads are read by others, who
 * then call weights_finish() and lora_finish(). Errors name the tensor.
 */
int nn_encoder_new(struct nn_runtime *runtime, const struct encoder_config *config, struct weights *weights,
                   struct lora *lora, enum precision precision, struct encoder **ret,
                   struct vsr_err *err) VSR_MUST_CHECK;
void nn_encoder_free(struct encoder *encoder);

const struct encoder_config *encoder_config(const struct encoder *encoder);
/* Of packed weights and tables that were copied; not of what is mapped. */
struct tensor_holding_bytes encoder_bytes(const struct encoder *encoder);

/* On the thread that will run with it. */
struct encoder_work *encoder_work_new(struct nn_runtime *runtime);
void encoder_work_free(struct encoder_work *work);
/*
 * Whose threads run the next passes (nn/team.h), begun by the caller's thread; NULL: that one alone, as at first. What
 * comes out does not depend on it, to the bit.
 */
void encoder_work_crew(struct encoder_work *work, struct crew *crew);
/* For heads and embedders on the same thread. */
struct gemm_context *encoder_work_gemm(struct encoder_work *work);

/*
 * Runs the first `layers` layers (0: all) and the final norm, unless the batch says no. `*ret_hidden` is
 * [tokens][hidden] in `work`, until its next use. VSR_E_LIMIT for a batch past the limits, an id outside the
 * vocabulary, or a sequence past what a model with a table of positions can take; VSR_E_INVALID for an adapter of
 * another base; VSR_E_NOMEM.
 */
int encoder_forward(const struct encoder *encoder, struct encoder_work *work, const struct encoder_batch *batch,
                    size_t layers, const float **ret_hidden, struct vsr_err *err) VSR_MUST_CHECK;

#endif
