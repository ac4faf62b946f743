#include "nn/runtime.h"

#include "core/mem.h"
#include "nn/gemm.h"
#include "nn/rope.h"
#include "nn/tensor_store.h"

int nn_runtime_new(struct nn_runtime **ret, struct vsr_err *err) {
    struct nn_runtime *runtime = MEM_NEW(struct nn_runtime);
    int rc = gemm_library_new(&runtime->gemm, err);
    if (rc < 0) {
        mem_free(runtime);
        return rc;
    }
    runtime->ropes = rope_library_new();
    runtime->tensors = tensor_store_new();
    *ret = runtime;
    return 0;
}

void nn_runtime_free(struct nn_runtime *runtime) {
    if (!runtime)
        return;
    tensor_store_free(runtime->tensors);
    rope_library_free(runtime->ropes);
    gemm_library_free(runtime->gemm);
    mem_free(runtime);
}
