#include "nn/embedder.h"

#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/encoder.h"
#include "nn/gemm.h"
#include "nn/pages.h"
#include "nn/runtime.h"
#include "nn/sentence_files.h"
#include "nn/weights.h"

struct step {
    const struct gemm *dense; /* NULL: unit length */
    bool has_activation;
    enum activation activation;
};

struct embedder {
    struct tensor_holding *holding; /* of the steps */
    size_t hidden, dims, widest;
    enum pool_kind pooling;
    bool include_prompt;
    struct step steps[SENTENCE_STEPS_MAX];
    size_t n_steps;
};

struct embedder_scratch {
    struct pages rows[2]; /* a step reads one and writes the other */
};

/* ---- reading */

static int read_dense(struct embedder *embedder, struct nn_runtime *runtime, const struct sentence_step *from,
                      struct weights *weights, const struct gemm **ret, struct vsr_err *err) {
    const struct weights_shape shape = WEIGHTS_SHAPE(from->out, from->in);
    const struct tensor *tensor = NULL;
    struct pages pages = { .data = NULL };
    float *values, *bias;
    /* Memory only for what the file holds, whatever its configuration claims. */
    int rc = weights_get(weights, WEIGHTS_HEAD, VSR_STR("linear.weight"), shape, &tensor, err);
    if (rc == 0)
        rc = pages_new((from->out * from->in + from->out) * sizeof(*values), "a dense step in f32", &pages, err);
    if (rc < 0)
        return rc;
    values = pages.data;
    bias = values + from->out * from->in;
    rc = weights_get_f32(weights, WEIGHTS_HEAD, VSR_STR("linear.weight"), shape, values, err);
    if (rc == 0 && from->bias)
        rc = weights_get_f32(weights, WEIGHTS_HEAD, VSR_STR("linear.bias"), WEIGHTS_SHAPE(from->out), bias, err);
    if (rc == 0)
        rc = weights_finish(weights, err);
    if (rc == 0)
        rc = tensor_holding_gemm(embedder->holding, runtime->gemm, values, from->bias ? bias : NULL, from->out,
                                 from->in, PRECISION_F32, ret, err);
    pages_free(&pages);
    return rc;
}

static int add_dense(struct embedder *embedder, struct nn_runtime *runtime, const struct sentence_step *from,
                     vsr_str directory, struct vsr_err *err) {
    struct step *step = &embedder->steps[embedder->n_steps];
    struct arena *scratch = arena_new(0, 0);
    struct weights *weights = NULL;
    vsr_str path = arena_printf(scratch, "%.*s/%.*s", VSR_FMT(directory), VSR_FMT(from->path));
    int rc;
    if (from->in != embedder->dims)
        rc = err_set(err, VSR_E_INVALID, "takes %zu numbers, %zu come", from->in, embedder->dims);
    else
        rc = weights_open(path, &weights, err);
    if (rc == 0)
        rc = read_dense(embedder, runtime, from, weights, &step->dense, err);
    weights_unref(weights);
    if (rc < 0)
        (void)err_wrap(err, "%.*s", VSR_FMT(path));
    arena_free(scratch);
    step->has_activation = from->has_activation;
    step->activation = from->activation;
    embedder->n_steps++;
    embedder->dims = from->out;
    embedder->widest = from->out > embedder->widest ? from->out : embedder->widest;
    return rc;
}

static enum pool_kind pool_of(enum sentence_pooling pooling) {
    static const enum pool_kind kinds[] = {
        [SENTENCE_FIRST] = ROWS_FIRST,
        [SENTENCE_MAX] = ROWS_MAX,
        [SENTENCE_MEAN] = ROWS_MEAN,
        [SENTENCE_MEAN_SQRT] = ROWS_MEAN_SQRT,
        [SENTENCE_WEIGHTED] = ROWS_WEIGHTED_MEAN,
        [SENTENCE_LAST] = ROWS_LAST,
    };
    return kinds[pooling];
}

/* A decoder's last token has seen all others; an encoder's tokens are all alike. */
static void use_family(struct embedder *embedder, const struct encoder_config *config) {
    embedder->pooling = config->causal ? ROWS_LAST : ROWS_MEAN;
    embedder->steps[embedder->n_steps++] = (struct step){ .dense = NULL };
}

static int use_files(struct embedder *embedder, struct nn_runtime *runtime, const struct sentence_files *files,
                     vsr_str directory, struct vsr_err *err) {
    int rc = 0;
    embedder->pooling = pool_of(files->pooling);
    embedder->include_prompt = files->include_prompt;
    if (files->dims && files->dims != embedder->hidden)
        return err_set(err, VSR_E_INVALID, "the pooling's word_embedding_dimension is %zu, the model's hidden_size %zu",
                       files->dims, embedder->hidden);
    for (size_t i = 0; i < files->n_steps && rc == 0; i++) {
        if (files->steps[i].kind == SENTENCE_DENSE)
            rc = add_dense(embedder, runtime, &files->steps[i], directory, err);
        else
            embedder->steps[embedder->n_steps++] = (struct step){ .dense = NULL };
    }
    return rc;
}

int embedder_new(struct nn_runtime *runtime, const struct encoder_config *config, const struct sentence_files *files,
                 vsr_str directory, struct embedder **ret, struct vsr_err *err) {
    struct embedder *embedder = MEM_NEW(struct embedder);
    int rc = 0;
    embedder->holding = tensor_holding_new(runtime->tensors);
    embedder->hidden = embedder->dims = embedder->widest = config->hidden;
    embedder->include_prompt = true;
    if (files->has_modules)
        rc = use_files(embedder, runtime, files, directory, err);
    else
        use_family(embedder, config);
    if (rc < 0) {
        embedder_free(embedder);
        return rc;
    }
    *ret = embedder;
    return 0;
}

void embedder_free(struct embedder *embedder) {
    if (!embedder)
        return;
    tensor_holding_free(embedder->holding);
    mem_free(embedder);
}

size_t embedder_dims(const struct embedder *embedder) {
    return embedder->dims;
}

struct tensor_holding_bytes embedder_bytes(const struct embedder *embedder) {
    return tensor_holding_bytes(embedder->holding);
}

/* ---- running */

struct embedder_scratch *embedder_scratch_new(void) {
    return MEM_NEW(struct embedder_scratch);
}

void embedder_scratch_free(struct embedder_scratch *scratch) {
    if (!scratch)
        return;
    pages_free(&scratch->rows[0]);
    pages_free(&scratch->rows[1]);
    mem_free(scratch);
}

static void pool(const struct embedder *embedder, const float *hidden, const struct encoder_batch *batch,
                 const uint32_t *skip, float *ret) {
    for (size_t s = 0; s < batch->n; s++) {
        size_t first = batch->starts[s], n = batch->starts[s + 1] - first;
        size_t left_out = skip && !embedder->include_prompt && skip[s] < n ? skip[s] : 0;
        kernel_pool(embedder->pooling, hidden + (first + left_out) * embedder->hidden, embedder->hidden, n - left_out,
                    embedder->hidden, ret + s * embedder->hidden);
    }
}

/* The rows lie in rows[0], before and after. */
static int run_step(const struct step *step, struct embedder_scratch *scratch, struct gemm_context *context, size_t n,
                    size_t *dims, struct vsr_err *err) {
    float *rows = scratch->rows[0].data;
    struct pages swapped = scratch->rows[0];
    struct rows_in product;
    int rc;
    if (!step->dense) {
        for (size_t s = 0; s < n; s++)
            kernel_normalize(rows + s * *dims, rows + s * *dims, *dims);
        return 0;
    }
    rc = gemm_run(step->dense, context, rows, NULL, n, scratch->rows[1].data, &product, err);
    if (rc < 0)
        return rc;
    *dims = gemm_out(step->dense);
    scratch->rows[0] = scratch->rows[1];
    scratch->rows[1] = swapped;
    if (step->has_activation) {
        const struct rows_out out = { .type = ROWS_F32, .data = scratch->rows[0].data, .stride = *dims };
        kernel_activate(step->activation, &product, &out, n, *dims);
    }
    return 0;
}

/* Whole vectors stay as the last step left them; cut ones are made to unit length again. */
static void cut(const struct embedder *embedder, const float *rows, size_t n, size_t dims, float *ret) {
    for (size_t s = 0; s < n; s++) {
        if (dims < embedder->dims)
            kernel_normalize(rows + s * embedder->dims, ret + s * dims, dims);
        else
            memcpy(ret + s * dims, rows + s * dims, dims * sizeof(*ret));
    }
}

int embedder_run(const struct embedder *embedder, struct embedder_scratch *scratch, struct gemm_context *context,
                 const float *hidden, const struct encoder_batch *batch, const uint32_t *skip, size_t dims, float *ret,
                 struct vsr_err *err) {
    size_t len = batch->n * embedder->widest * sizeof(float), width = embedder->hidden;
    int rc;
    if (dims > embedder->dims)
        return err_set(err, VSR_E_LIMIT, "%zu dimensions, the model has %zu", dims, embedder->dims);
    rc = pages_grow(&scratch->rows[0], len, err);
    if (rc == 0)
        rc = pages_grow(&scratch->rows[1], len, err);
    if (rc < 0)
        return rc;
    pool(embedder, hidden, batch, skip, scratch->rows[0].data);
    for (size_t i = 0; i < embedder->n_steps && rc == 0; i++)
        rc = run_step(&embedder->steps[i], scratch, context, batch->n, &width, err);
    if (rc == 0)
        cut(embedder, scratch->rows[0].data, batch->n, dims ? dims : embedder->dims, ret);
    return rc;
}
