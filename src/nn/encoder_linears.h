/*
 * encoder_linears - the linear layers of an encoder by the names of its checkpoint: what an adapter may change.
 *
 * Names of the trunk are without prefix, as weights_get() takes them. Read-only: any thread.
 */
#ifndef VSR_NN_ENCODER_LINEARS_H
#define VSR_NN_ENCODER_LINEARS_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/encoder_config.h"
#include "nn/weights.h"

struct arena;

#define LINEAR_NO_LAYER SIZE_MAX

struct encoder_linear {
    vsr_str name; /* without ".weight" */
    enum weights_part part;
    size_t layer;   /* LINEAR_NO_LAYER: behind the last one */
    size_t out, in; /* `out` 0: as many as there are classes */
    bool output;    /* gives the classes' scores; adapters of "all linear layers" leave it out */
};

struct encoder_linears {
    const struct encoder_linear *items; /* layer by layer, then what follows them */
    size_t n;
};

/* In `arena`. With the heads of every task: which of them exist is the checkpoint's to say. */
struct encoder_linears encoder_linears(struct arena *arena, const struct encoder_config *config);

/* NULL when there is none of that name. */
const struct encoder_linear *encoder_linear_find(const struct encoder_linears *linears, vsr_str name);

#endif
