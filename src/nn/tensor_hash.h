/*
 * tensor_hash - whether two tensors hold the same: type, shape and bytes. Any thread.
 *
 * Fine-tuned models often share frozen tensors, above all the embedding table; equal ones are kept once. The hash is
 * keyed by a secret of this process, for else whoever publishes a model could make a tensor of it pass for another
 * model's. It is therefore another number in each process, and not to be stored.
 */
#ifndef VSR_NN_TENSOR_HASH_H
#define VSR_NN_TENSOR_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/safetensors.h"

struct tensor_hash {
    uint64_t low, high;
};

struct tensor_hash tensor_hash(const struct tensor *tensor);

static inline bool tensor_hash_eq(struct tensor_hash a, struct tensor_hash b) {
    return a.low == b.low && a.high == b.high;
}

#endif
