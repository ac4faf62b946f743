/*
 * runtime - what all models of a process share: kernels of matrix products, tables of rotary positions, and weights
 * that several of them have alike. Any thread.
 */
#ifndef VSR_NN_RUNTIME_H
#define VSR_NN_RUNTIME_H

#include "core/err.h"

struct gemm_library;
struct rope_library;
struct tensor_store;

struct nn_runtime {
    struct gemm_library *gemm;
    struct rope_library *ropes;
    struct tensor_store *tensors;
};

int nn_runtime_new(struct nn_runtime **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* After everything that was made with it. NULL is allowed. */
void nn_runtime_free(struct nn_runtime *runtime);

#endif
