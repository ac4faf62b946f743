#include "nn/vision.h"

#include <math.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/gemm.h"
#include "nn/kernels.h"
#include "nn/pages.h"
#include "nn/picture_scale.h"
#include "nn/runtime.h"
#include "nn/weights.h"

enum { COLOURS = ENCODER_PATCH_COLOURS };

/*
 * The one query of the head is the same for every picture, so what it does to a token's key is too: its product with
 * the key W x + b is the product of x with W' q, and a number that all tokens share and the softmax does not see.
 * Likewise values are mixed first and mapped afterwards, as weights of a softmax add up to 1.
 */
struct vision {
    struct trunk *trunk;
    struct encoder_config config;
    struct tensor_holding *holding;
    struct pages small; /* what follows, in f32 */
    float *queries;     /* [heads][hidden]: W' q of each head, scaled */
    struct norm norm;   /* of the head */
    const struct gemm *values, *out, *mlp_in, *mlp_out, *projection;
    size_t side, intermediate, dims;
    float colours[256]; /* what the model makes of a byte */
};

struct vision_scratch {
    struct pages rgb, patches, scores, rows[2];
};

/* ---- reading */

struct reader {
    struct vision *vision;
    struct nn_runtime *runtime;
    struct weights *weights;
    struct pages staging;
    struct vsr_err *err;
};

static int read_values(const struct reader *r, const char *name, struct weights_shape shape, float *ret) {
    return weights_get_f32(r->weights, WEIGHTS_TRUNK, str_from_c(name), shape, ret, r->err);
}

/* Rows [from, from + out) of a matrix that has `rows` of them, and of its bias. */
static int read_part(struct reader *r, enum weights_part part, const char *matrix, const char *bias, size_t rows,
                     size_t from, size_t out, size_t in, const struct gemm **ret) {
    float *values, *biases;
    int rc;
    pages_free(&r->staging);
    rc = pages_new(rows * (in + 1) * sizeof(float), "a matrix in f32", &r->staging, r->err);
    if (rc < 0)
        return rc;
    values = r->staging.data;
    biases = values + rows * in;
    rc = weights_get_f32(r->weights, part, str_from_c(matrix), WEIGHTS_SHAPE(rows, in), values, r->err);
    if (rc == 0)
        rc = weights_get_f32(r->weights, part, str_from_c(bias), WEIGHTS_SHAPE(rows), biases, r->err);
    return rc < 0 ? rc
                  : tensor_holding_gemm(r->vision->holding, r->runtime->gemm, values + from * in, biases + from, out,
                                        in, PRECISION_F32, ret, r->err);
}

static int read_linear(struct reader *r, enum weights_part part, const char *matrix, const char *bias, size_t out,
                       size_t in, const struct gemm **ret) {
    return read_part(r, part, matrix, bias, out, 0, out, in, ret);
}

/* The staging holds queries, keys and values one below the other, then their biases. */
static void fold_query(const struct vision *vision, const float *probe, const float *staged) {
    size_t hidden = vision->config.hidden, head_dim = vision->config.head_dim;
    const float *keys = staged + hidden * hidden, *biases = staged + 3 * hidden * hidden;
    for (size_t row = 0; row < hidden; row++) {
        float *to = vision->queries + row / head_dim * hidden;
        double q = (double)biases[row];
        for (size_t i = 0; i < hidden; i++)
            q += (double)staged[row * hidden + i] * (double)probe[i];
        for (size_t i = 0; i < hidden; i++)
            to[i] += (float)(q * (double)keys[row * hidden + i] * (double)vision->config.attention_scale);
    }
}

static int read_attention(struct reader *r) {
    struct vision *vision = r->vision;
    size_t hidden = vision->config.hidden;
    float *probe = mem_alloc(hidden * sizeof(*probe));
    int rc = read_part(r, WEIGHTS_TRUNK, "head.attention.in_proj_weight", "head.attention.in_proj_bias", 3 * hidden,
                       2 * hidden, hidden, hidden, &vision->values);
    if (rc == 0)
        rc = read_values(r, "head.probe", WEIGHTS_SHAPE(1, 1, hidden), probe);
    if (rc == 0)
        fold_query(vision, probe, r->staging.data);
    mem_free(probe);
    return rc < 0 ? rc
                  : read_linear(r, WEIGHTS_TRUNK, "head.attention.out_proj.weight", "head.attention.out_proj.bias",
                                hidden, hidden, &vision->out);
}

static int read_mlp(struct reader *r) {
    struct vision *vision = r->vision;
    size_t hidden = vision->config.hidden;
    float *gamma = vision->queries + vision->config.heads * hidden, *beta = gamma + hidden;
    int rc = read_values(r, "head.layernorm.weight", WEIGHTS_SHAPE(hidden), gamma);
    if (rc == 0)
        rc = read_values(r, "head.layernorm.bias", WEIGHTS_SHAPE(hidden), beta);
    if (rc == 0)
        rc = weights_dim(r->weights, WEIGHTS_TRUNK, VSR_STR("head.mlp.fc1.weight"), 0, &vision->intermediate, r->err);
    if (rc == 0 && (vision->intermediate == 0 || vision->intermediate > KERNELS_WIDTH_MAX))
        rc = err_set(r->err, VSR_E_INVALID, "tensor \"head.mlp.fc1.weight\" has %zu rows, expected 1 to %d",
                     vision->intermediate, KERNELS_WIDTH_MAX);
    if (rc == 0)
        rc = read_linear(r, WEIGHTS_TRUNK, "head.mlp.fc1.weight", "head.mlp.fc1.bias", vision->intermediate, hidden,
                         &vision->mlp_in);
    if (rc == 0)
        rc = read_linear(r, WEIGHTS_TRUNK, "head.mlp.fc2.weight", "head.mlp.fc2.bias", hidden, vision->intermediate,
                         &vision->mlp_out);
    vision->norm = (struct norm){ .kind = NORM_LAYER, .eps = vision->config.norm_eps, .gamma = gamma, .beta = beta };
    return rc;
}

static int read_projection(struct reader *r) {
    struct vision *vision = r->vision;
    int rc = weights_dim(r->weights, WEIGHTS_HEAD, VSR_STR("projection.weight"), 0, &vision->dims, r->err);
    if (rc == 0 && (vision->dims == 0 || vision->dims > KERNELS_WIDTH_MAX))
        return err_set(r->err, VSR_E_INVALID, "tensor \"projection.weight\" has %zu rows, expected 1 to %d",
                       vision->dims, KERNELS_WIDTH_MAX);
    return rc < 0 ? rc
                  : read_linear(r, WEIGHTS_HEAD, "projection.weight", "projection.bias", vision->dims,
                                vision->config.hidden, &vision->projection);
}

static int read_all(struct reader *r, struct device device, enum precision precision) {
    struct vision *vision = r->vision;
    const struct encoder_config *config = &vision->config;
    int rc = trunk_new(r->runtime, device, config, r->weights, NULL, precision, &vision->trunk, r->err);
    if (rc == 0)
        rc =
            pages_new((config->heads + 2) * config->hidden * sizeof(float), "a head's vectors", &vision->small, r->err);
    vision->queries = vision->small.data;
    if (rc == 0)
        rc = read_attention(r);
    if (rc == 0)
        rc = read_mlp(r);
    if (rc == 0)
        rc = read_projection(r);
    return rc < 0 ? rc : weights_finish(r->weights, r->err);
}

int vision_new(struct nn_runtime *runtime, struct device device, const struct encoder_config *config,
               struct weights *weights, enum precision precision, struct vision **ret, struct vsr_err *err) {
    struct vision *vision = MEM_NEW(struct vision);
    struct reader r = { .vision = vision, .runtime = runtime, .weights = weights, .err = err };
    int rc;
    VSR_ASSERT(config->family == ENCODER_SIGLIP && config->patch_side > 0);
    vision->config = *config;
    vision->side = (size_t)lround(sqrt((double)config->positions)) * config->patch_side;
    vision->holding = tensor_holding_new(runtime->tensors);
    for (size_t i = 0; i < VSR_COUNT(vision->colours); i++)
        vision->colours[i] = ((float)i / 255 - 0.5f) / 0.5f;
    rc = read_all(&r, device, precision);
    pages_free(&r.staging);
    if (rc < 0)
        vision_free(vision);
    else
        *ret = vision;
    return rc;
}

void vision_free(struct vision *vision) {
    if (!vision)
        return;
    trunk_free(vision->trunk);
    tensor_holding_free(vision->holding);
    pages_free(&vision->small);
    mem_free(vision);
}

size_t vision_dims(const struct vision *vision) {
    return vision->dims;
}

size_t vision_tokens(const struct vision *vision) {
    return vision->config.positions;
}

size_t vision_side(const struct vision *vision) {
    return vision->side;
}

struct tensor_holding_bytes vision_bytes(const struct vision *vision) {
    struct tensor_holding_bytes trunk = trunk_bytes(vision->trunk), head = tensor_holding_bytes(vision->holding);
    return (struct tensor_holding_bytes){ .all = trunk.all + head.all + vision->small.len,
                                          .shared = trunk.shared + head.shared,
                                          .first = trunk.first + head.first };
}

/* ---- running */

struct vision_scratch *vision_scratch_new(void) {
    return MEM_NEW(struct vision_scratch);
}

void vision_scratch_free(struct vision_scratch *scratch) {
    if (!scratch)
        return;
    pages_free(&scratch->rgb);
    pages_free(&scratch->patches);
    pages_free(&scratch->scores);
    pages_free(&scratch->rows[0]);
    pages_free(&scratch->rows[1]);
    mem_free(scratch);
}

/* One patch: its red, then green and blue, each row by row. */
static void take_patch(const struct vision *vision, const uint8_t *rgb, float *ret) {
    size_t patch = vision->config.patch_side;
    for (size_t c = 0; c < COLOURS; c++)
        for (size_t y = 0; y < patch; y++)
            for (size_t x = 0; x < patch; x++)
                *ret++ = vision->colours[rgb[(y * vision->side + x) * COLOURS + c]];
}

int vision_prepare(const struct vision *vision, struct vision_scratch *scratch, vsr_str file, struct vsr_err *err) {
    size_t side = vision->side, patch = vision->config.patch_side, len = encoder_patch_len(&vision->config);
    float *patches;
    int rc = pages_grow(&scratch->rgb, side * side * COLOURS, err);
    if (rc == 0)
        rc = pages_grow(&scratch->patches, vision_tokens(vision) * len * sizeof(float), err);
    if (rc == 0)
        rc = picture_scale(file, side, side, scratch->rgb.data, err);
    if (rc < 0)
        return rc;
    patches = scratch->patches.data;
    for (size_t y = 0; y < side; y += patch)
        for (size_t x = 0; x < side; x += patch, patches += len)
            take_patch(vision, (const uint8_t *)scratch->rgb.data + (y * side + x) * COLOURS, patches);
    return 0;
}

/* What each head's query finds: [heads][hidden], tokens mixed by a softmax over all of them. */
static int mix_tokens(const struct vision *vision, struct vision_scratch *scratch, const float *hidden, float *ret,
                      struct vsr_err *err) {
    size_t n = vision_tokens(vision), cols = vision->config.hidden, heads = vision->config.heads;
    float *scores;
    struct low_rank mix;
    int rc = pages_grow(&scratch->scores, heads * n * sizeof(*scores), err);
    if (rc < 0)
        return rc;
    scores = scratch->scores.data;
    for (size_t h = 0; h < heads; h++)
        for (size_t t = 0; t < n; t++)
            scores[h * n + t] = kernel_dot(hidden + t * cols, vision->queries + h * cols, cols);
    kernel_softmax(scores, n, heads, n);
    memset(ret, 0, heads * cols * sizeof(*ret));
    mix = (struct low_rank){ .x = scores, .x_stride = n, .factor = hidden, .rank = n };
    kernel_add_low_rank(&mix, ret, cols, heads, cols);
    return 0;
}

/* A product of `n` rows in f32, into `to`. */
static int multiply(const struct gemm *gemm, struct gemm_context *context, const float *from, size_t n, float *to,
                    struct vsr_err *err) {
    struct rows_in rows; /* `to`, as it is */
    return gemm_run(gemm, context, from, NULL, n, to, &rows, err);
}

/* y += mlp(norm(y)) */
static int run_mlp(const struct vision *vision, struct gemm_context *context, float *y, float *normed, float *wide,
                   struct vsr_err *err) {
    size_t cols = vision->config.hidden;
    const struct rows_in in = { .type = ROWS_F32, .data = y, .stride = cols };
    const struct rows_out out = { .type = ROWS_F32, .data = normed, .stride = cols };
    const struct rows_in wide_in = { .type = ROWS_F32, .data = wide, .stride = vision->intermediate };
    const struct rows_out wide_out = { .type = ROWS_F32, .data = wide, .stride = vision->intermediate };
    const struct rows_in added = { .type = ROWS_F32, .data = normed, .stride = cols };
    int rc;
    kernel_norm(&vision->norm, &in, NULL, 0, false, &out, NULL, 1, cols);
    rc = multiply(vision->mlp_in, context, normed, 1, wide, err);
    if (rc < 0)
        return rc;
    kernel_activate(vision->config.activation, &wide_in, &wide_out, 1, vision->intermediate);
    rc = multiply(vision->mlp_out, context, wide, 1, normed, err);
    if (rc == 0)
        kernel_add(&added, y, cols, 1, cols);
    return rc;
}

/* Rows of the head begin where products may. */
static size_t aligned(size_t n) {
    return (n + 15) / 16 * 16;
}

static int run_head(const struct vision *vision, struct vision_scratch *scratch, struct gemm_context *context,
                    const float *hidden, float *ret, struct vsr_err *err) {
    size_t cols = vision->config.hidden, heads = vision->config.heads, head_dim = vision->config.head_dim;
    size_t room = aligned(heads * cols) + aligned(cols) * 2 + aligned(vision->intermediate) + aligned(vision->dims);
    float *mixed, *values, *y, *normed, *wide;
    int rc = pages_grow(&scratch->rows[0], aligned(heads * cols) * sizeof(*mixed), err);
    if (rc == 0)
        rc = pages_grow(&scratch->rows[1], room * sizeof(*mixed), err);
    if (rc < 0)
        return rc;
    mixed = scratch->rows[0].data;
    values = scratch->rows[1].data;
    y = values + aligned(heads * cols);
    normed = y + aligned(cols);
    wide = normed + aligned(cols);
    rc = mix_tokens(vision, scratch, hidden, mixed, err);
    if (rc == 0)
        rc = multiply(vision->values, context, mixed, heads, values, err);
    if (rc < 0)
        return rc;
    for (size_t h = 0; h < heads; h++) /* of each head's row the columns that are its own */
        memcpy(mixed + h * head_dim, values + h * cols + h * head_dim, head_dim * sizeof(*mixed));
    rc = multiply(vision->out, context, mixed, 1, y, err);
    if (rc == 0)
        rc = run_mlp(vision, context, y, normed, wide, err);
    if (rc == 0)
        rc = multiply(vision->projection, context, y, 1, wide + aligned(vision->intermediate), err);
    if (rc == 0)
        memcpy(ret, wide + aligned(vision->intermediate), vision->dims * sizeof(*ret));
    return rc;
}

int vision_run(const struct vision *vision, struct vision_scratch *scratch, struct trunk_work *work, struct crew *crew,
               struct gemm_context *gemm, float *ret, struct vsr_err *err) {
    const uint32_t starts[2] = { 0, (uint32_t)vision_tokens(vision) };
    const struct encoder_batch batch = { .patches = scratch->patches.data, .starts = starts, .n = 1 };
    const float *hidden;
    int rc = trunk_forward(vision->trunk, work, crew, &batch, 0, &hidden, err);
    return rc < 0 ? rc : run_head(vision, scratch, gemm, hidden, ret, err);
}
