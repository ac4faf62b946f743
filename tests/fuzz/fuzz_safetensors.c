/* links: nn */
/*
 * Any bytes as a file of tensors. What is accepted lies inside the file, in as many bytes as its shape takes, is found
 * by its name, and no two tensors share a byte.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "core/assert.h"
#include "nn/safetensors.h"
#include "nn/tensor_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_tensor(const struct safetensors *file, const struct tensor *tensor, vsr_str bytes) {
    const char *begin = tensor->data;
    size_t n = 1;
    float first;
    VSR_ASSERT(begin >= bytes.ptr && tensor->len <= (size_t)(bytes.ptr + bytes.len - begin));
    for (size_t i = 0; i < tensor->n_dims; i++)
        n *= tensor->dims[i];
    VSR_ASSERT(n == tensor->n && n * dtype_len(tensor->dtype) == tensor->len);
    VSR_ASSERT(safetensors_find(file, tensor->name) == tensor);
    (void)tensor_hash(tensor); /* reads every byte */
    if (n > 0)
        (void)dtype_to_f32(tensor->dtype, tensor->data, 1, &first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct arena *arena = arena_new(0, 0);
    struct safetensors file;
    vsr_str bytes = str_make((const char *)data, len);
    size_t total = 0;
    if (safetensors_parse(arena, bytes, &file, NULL) == 0) {
        for (size_t i = 0; i < file.n; i++) {
            check_tensor(&file, &file.tensors[i], bytes);
            total += file.tensors[i].len;
        }
        VSR_ASSERT(total + 8 <= len);
    }
    arena_free(arena);
    return 0;
}
