#include "nn/gemm_rows.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What a primitive reads and writes. */
enum { SOURCE, WEIGHTS, BIAS, TARGET, SCRATCH, MEMORIES };

static const struct {
    dnnl_query_t query;
    int index, argument;
} places[MEMORIES] = {
    [SOURCE] = { dnnl_query_src_md, 0, DNNL_ARG_SRC },
    [WEIGHTS] = { dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS },
    [BIAS] = { dnnl_query_weights_md, 1, DNNL_ARG_BIAS },
    [TARGET] = { dnnl_query_dst_md, 0, DNNL_ARG_DST },
    [SCRATCH] = { dnnl_query_scratchpad_md, 0, DNNL_ARG_SCRATCHPAD },
};

enum { COMPARED = 4096 }; /* numbers that must agree; of few, some other order of sums may by chance give the same */

/* A primitive with memory of its own. Weights and bias are the same random numbers in all that have the same shape. */
struct trial {
    dnnl_memory_t memories[MEMORIES];
    float *x, *y;
    size_t x_len, y_len;
};

static void trial_end(struct trial *trial) {
    for (size_t i = 0; i < MEMORIES; i++)
        (void)dnnl_memory_destroy(trial->memories[i]); /* NULL is allowed */
}

/* Packed weights are filled as they lie: what is compared need not be a particular matrix. */
static void fill(float *values, size_t n) {
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        values[i] = (float)(state >> 8) * 0x1p-24f - 0.5f;
    }
}

static dnnl_status_t trial_begin(struct trial *trial, dnnl_engine_t engine, const_dnnl_primitive_desc_t desc) {
    dnnl_status_t status = dnnl_success;
    *trial = (struct trial){ .x = NULL };
    for (size_t i = 0; status == dnnl_success && i < MEMORIES; i++) {
        const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(desc, places[i].query, places[i].index);
        size_t len = md ? dnnl_memory_desc_get_size(md) : 0;
        void *data = NULL;
        if (len == 0) /* no bias, or nothing to scratch on */
            continue;
        status = dnnl_memory_create(&trial->memories[i], md, engine, DNNL_MEMORY_ALLOCATE);
        if (status == dnnl_success)
            status = dnnl_memory_get_data_handle(trial->memories[i], &data);
        if (status == dnnl_success && i != TARGET && i != SCRATCH)
            fill(data, len / sizeof(float));
        if (i == SOURCE) {
            trial->x = data;
            trial->x_len = len;
        } else if (i == TARGET) {
            trial->y = data;
            trial->y_len = len;
        }
    }
    return status;
}

static dnnl_status_t trial_run(struct trial *trial, dnnl_stream_t stream, const_dnnl_primitive_t primitive) {
    dnnl_exec_arg_t arguments[MEMORIES];
    dnnl_status_t status;
    int n = 0;
    for (size_t i = 0; i < MEMORIES; i++) {
        if (trial->memories[i])
            arguments[n++] = (dnnl_exec_arg_t){ places[i].argument, trial->memories[i] };
    }
    status = dnnl_primitive_execute(primitive, stream, n, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

/* Runs a primitive on one block of the rows of `most` after the other. */
static dnnl_status_t agrees(const struct trial *most, struct trial *trial, dnnl_stream_t stream,
                            const_dnnl_primitive_t primitive, bool *ret_same) {
    size_t blocks = most->x_len / trial->x_len, needed = COMPARED * sizeof(float) / trial->y_len + 1;
    dnnl_status_t status = dnnl_success;
    bool same = true;
    for (size_t i = 0; status == dnnl_success && same && i < blocks && i < needed; i++) {
        memcpy(trial->x, (const char *)most->x + i * trial->x_len, trial->x_len);
        status = trial_run(trial, stream, primitive);
        same = memcmp(trial->y, (const char *)most->y + i * trial->y_len, trial->y_len) == 0;
    }
    *ret_same = same;
    return status;
}

static dnnl_status_t compare_all(dnnl_engine_t engine, dnnl_stream_t stream, const struct trial *most,
                                 const dnnl_primitive_desc_t *descs, const dnnl_primitive_t *primitives, size_t n,
                                 unsigned *same) {
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; status == dnnl_success && i < n; i++) {
        struct trial trial;
        bool agree = false;
        status = trial_begin(&trial, engine, descs[i]);
        if (status == dnnl_success)
            status = agrees(most, &trial, stream, primitives[i], &agree);
        *same |= (unsigned)agree << i;
        trial_end(&trial);
    }
    return status;
}

dnnl_status_t gemm_rows_compare(dnnl_engine_t engine, const dnnl_primitive_desc_t *descs,
                                const dnnl_primitive_t *primitives, size_t n, unsigned *ret_same) {
    struct trial most;
    unsigned same = 1u << (n - 1);
    dnnl_stream_t stream = NULL;
    dnnl_status_t status = trial_begin(&most, engine, descs[n - 1]);
    if (status == dnnl_success)
        status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = trial_run(&most, stream, primitives[n - 1]);
    if (status == dnnl_success)
        status = compare_all(engine, stream, &most, descs, primitives, n - 1, &same);
    (void)dnnl_stream_destroy(stream);
    trial_end(&most);
    if (status == dnnl_success)
        *ret_same = same;
    return status;
}
