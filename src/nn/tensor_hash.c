#include "nn/tensor_hash.h"

#include "nn/keyed_hash.h"

/* The three parts are hashed apart and the results together, so that no part can flow into the next. */
struct tensor_hash tensor_hash(const struct tensor *tensor) {
    struct {
        uint64_t dtype, n_dims, dims[TENSOR_DIMS_MAX];
        struct keyed_hash data;
    } parts = { .dtype = tensor->dtype, .n_dims = tensor->n_dims };
    struct keyed_hash hash;
    for (size_t i = 0; i < tensor->n_dims; i++)
        parts.dims[i] = tensor->dims[i];
    parts.data = keyed_hash(tensor->data, tensor->len);
    hash = keyed_hash(&parts, sizeof(parts));
    return (struct tensor_hash){ hash.low, hash.high };
}
