/*
 * vision - the part of a multi-modal embedder that reads pictures: SigLIP's tower, and a map into the space that its
 * texts are in.
 *
 *     picture     scaled to side x side, colours from -1 to 1 (nn/picture_scale.h), cut into patches row by row
 *     trunk       patches as tokens, learned positions, layers with norms in front (nn/encoder.h), a last norm
 *     head        one learned query asks all tokens; what it gets goes through an MLP beside itself
 *     projection  to the dimensions of the texts' vectors
 *
 * inference.md section 6. Immutable: any thread, each with scratch of its own.
 */
#ifndef VSR_NN_VISION_H
#define VSR_NN_VISION_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/backend.h"
#include "nn/tensor_store.h"

struct crew;
struct gemm_context;
struct nn_runtime;
struct vision;
struct vision_scratch; /* of one thread; one picture */

/*
 * Reads trunk, head and projection of `weights`, which have been chosen (nn/weights.h), and closes their account. Keeps
 * `runtime`. `config` is of ENCODER_SIGLIP.
 */
int vision_new(struct nn_runtime *runtime, struct device device, const struct encoder_config *config,
               struct weights *weights, enum precision precision, struct vision **ret,
               struct vsr_err *err) VSR_MUST_CHECK;
/* NULL is allowed. */
void vision_free(struct vision *vision);

/* Of its vectors. */
size_t vision_dims(const struct vision *vision);
/* That a picture is. */
size_t vision_tokens(const struct vision *vision);
/* Of the picture that it sees, in pixels. */
size_t vision_side(const struct vision *vision);
struct tensor_holding_bytes vision_bytes(const struct vision *vision);

struct vision_scratch *vision_scratch_new(void);
/* NULL is allowed. */
void vision_scratch_free(struct vision_scratch *scratch);

/* Reads a picture's file into the scratch: what takes memory by the picture's size does so here. Errors of
 * nn/picture.h. */
int vision_prepare(const struct vision *vision, struct vision_scratch *scratch, vsr_str file,
                   struct vsr_err *err) VSR_MUST_CHECK;

/* The vector of what was prepared last, [dims], not of unit length. On the threads of `crew`; NULL: on the caller's. */
int vision_run(const struct vision *vision, struct vision_scratch *scratch, struct trunk_work *work, struct crew *crew,
               struct gemm_context *gemm, float *ret, struct vsr_err *err) VSR_MUST_CHECK;

#endif
