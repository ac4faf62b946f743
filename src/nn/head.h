/*
 * head - from the vectors of a trunk to the logits of a classifier: one row for each text, or one for each token.
 *
 * Heads are small and always f32. Immutable: any thread. Several heads may read one trunk's vectors.
 */
#ifndef VSR_NN_HEAD_H
#define VSR_NN_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "nn/encoder_config.h"
#include "nn/tensor_store.h"

struct encoder_batch;
struct gemm_context;
struct head;
struct lora;
struct nn_runtime;
struct head_scratch; /* of one thread; grows to the largest batch and keeps it */
struct weights;

/*
 * Reads the head that config->task asks for (TASK_SEQUENCE or TASK_TOKENS), of a model whose trunk has been read from
 * `weights` already, with `lora` (NULL: none) in it. Keeps `runtime`. The number of classes is the rows of the
 * classifier; VSR_E_INVALID when the configuration names another number of labels.
 */
int head_new(struct nn_runtime *runtime, const struct encoder_config *config, struct weights *weights,
             struct lora *lora, struct head **ret, struct vsr_err *err) VSR_MUST_CHECK;
void head_free(struct head *head);

size_t head_classes(const struct head *head);
struct tensor_holding_bytes head_bytes(const struct head *head);
/* Whether there is a row for each token. */
bool head_is_per_token(const struct head *head);

struct head_scratch *head_scratch_new(void);
void head_scratch_free(struct head_scratch *scratch);

/*
 * `hidden` is what encoder_forward() gave for `batch`. `*ret_logits` is [sequences or tokens][classes] in `scratch`,
 * until its next use.
 */
int head_run(const struct head *head, struct head_scratch *scratch, struct gemm_context *context, const float *hidden,
             const struct encoder_batch *batch, const float **ret_logits, struct vsr_err *err) VSR_MUST_CHECK;

/* Logits to probabilities, in place: softmax, or each class by itself where the model is made so. */
void head_probabilities(const struct head *head, float *rows, size_t n_rows);

#endif
