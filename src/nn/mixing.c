#include "nn/mixing.h"

#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "nn/kernels.h"
#include "nn/pages.h"

enum {
    ROOM_FLOATS = 1 << 14, /* of a block of rows between the two products of a layer: 64 KiB, in the second cache */
    ROWS_LEAST = 8,
};
#define NORM_EPS 1e-5f

struct mixing_block {
    const float *taps; /* [n_taps][M] */
    size_t n_taps, step;
    const float *conv_bias; /* [M]; NULL: none */
    struct norm norm;
    struct mixer_linear up, down;
};

/* ---- reading */

/* The file has each column's taps side by side, a pass over rows wants them apart. */
static int read_conv(struct mixing *mixing, struct mixer_file *file, size_t number, struct mixing_block *block) {
    char name[MIXER_NAME_LEN_MAX];
    size_t width = mixing->width;
    const float *weights;
    float *taps;
    int rc;
    (void)snprintf(name, sizeof(name), "mixer.%zu.conv.weight", number);
    rc = mixer_file_matrix(file, name, &width, &block->n_taps, &weights);
    if (rc < 0)
        return rc;
    if (block->n_taps > MIXING_TAPS_MAX || block->n_taps % 2 == 0)
        return err_set(file->err, VSR_E_INVALID, "tensor \"%s\" has %zu taps, expected an odd number up to %d", name,
                       block->n_taps, MIXING_TAPS_MAX);
    taps = ARENA_ARRAY(file->arena, float, block->n_taps *width);
    for (size_t i = 0; i < width; i++)
        for (size_t k = 0; k < block->n_taps; k++)
            taps[k * width + i] = weights[i * block->n_taps + k];
    block->taps = taps;
    (void)snprintf(name, sizeof(name), "mixer.%zu.conv.bias", number);
    if (mixer_file_has(file, name))
        rc = mixer_file_vector(file, name, width, &block->conv_bias);
    (void)snprintf(name, sizeof(name), "mixer.%zu.dilation", number);
    return rc < 0 ? rc : mixer_file_number(file, name, 1, 1, MIXING_STEP_MAX, &block->step);
}

static int read_block(struct mixing *mixing, struct mixer_file *file, size_t number, struct mixing_block *block) {
    char name[MIXER_NAME_LEN_MAX];
    int rc = read_conv(mixing, file, number, block);
    block->norm = (struct norm){ .kind = NORM_LAYER, .eps = NORM_EPS };
    (void)snprintf(name, sizeof(name), "mixer.%zu.norm.weight", number);
    if (rc == 0)
        rc = mixer_file_vector(file, name, mixing->width, &block->norm.gamma);
    (void)snprintf(name, sizeof(name), "mixer.%zu.norm.bias", number);
    if (rc == 0)
        rc = mixer_file_vector(file, name, mixing->width, &block->norm.beta);
    (void)snprintf(name, sizeof(name), "mixer.%zu.up", number);
    if (rc == 0)
        rc = mixer_file_linear(file, name, mixing->width, 0, &block->up);
    (void)snprintf(name, sizeof(name), "mixer.%zu.down", number);
    return rc < 0 ? rc : mixer_file_linear(file, name, block->up.out, mixing->width, &block->down);
}

static int read_blocks(struct mixing *mixing, struct mixer_file *file) {
    char name[MIXER_NAME_LEN_MAX];
    size_t n = 0;
    int rc = 0;
    do
        (void)snprintf(name, sizeof(name), "mixer.%zu.conv.weight", n);
    while (mixer_file_has(file, name) && ++n <= MIXING_BLOCKS_MAX);
    if (n > MIXING_BLOCKS_MAX)
        return err_set(file->err, VSR_E_LIMIT, "more than %d blocks of convolutions", MIXING_BLOCKS_MAX);
    mixing->blocks = ARENA_ARRAY(file->arena, struct mixing_block, n);
    mixing->n_blocks = n;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = read_block(mixing, file, i, &mixing->blocks[i]);
    return rc;
}

static int read_words(struct mixing *mixing, struct mixer_file *file, size_t n_words) {
    if (!mixer_file_has(file, "mixer.word.weight"))
        return 0;
    return mixer_file_table(file, "mixer.word", &n_words, &mixing->width, &mixing->words);
}

int mixing_read(struct mixer_file *file, size_t dims, size_t n_words, struct mixing *ret) {
    struct mixing mixing = { .width = 0 };
    size_t shapes = MIXING_SHAPES;
    int rc = 0;
    *ret = mixing;
    if (!mixer_file_has(file, "mixer.in.weight"))
        return 0;
    rc = mixer_file_linear(file, "mixer.in", dims, 0, &mixing.in);
    if (rc < 0)
        return rc;
    mixing.width = mixing.in.out;
    if (mixing.width > MIXING_WIDTH_MAX)
        return err_set(file->err, VSR_E_LIMIT, "tensor \"mixer.in.weight\" has %zu rows, at most %d", mixing.width,
                       MIXING_WIDTH_MAX);
    rc = mixer_file_matrix(file, "mixer.shape.weight", &shapes, &mixing.width, &mixing.shapes);
    if (rc == 0)
        rc = read_words(&mixing, file, n_words);
    if (rc == 0)
        rc = read_blocks(&mixing, file);
    if (rc == 0)
        *ret = mixing;
    return rc;
}

/* ---- running */

/* How many rows pass through both products of a layer together. */
static size_t rows_at_once(size_t hidden) {
    size_t rows = ROOM_FLOATS / hidden;
    return rows < ROWS_LEAST ? ROWS_LEAST : rows;
}

static void run_block(const struct mixing *mixing, const struct mixing_block *block, size_t n, float *h, float *conv,
                      float *up) {
    const struct convolution convolution = {
        .taps = block->taps, .n_taps = block->n_taps, .step = block->step, .bias = block->conv_bias
    };
    size_t width = mixing->width, hidden = block->up.out, rows = rows_at_once(hidden);
    const struct rows_in in = { .type = ROWS_F32, .data = conv, .stride = width };
    const struct rows_out out = { .type = ROWS_F32, .data = conv, .stride = width };
    kernel_convolve(&convolution, h, conv, n, width);
    kernel_norm(&block->norm, &in, NULL, 0, false, &out, NULL, n, width);
    for (size_t at = 0; at < n; at += rows) {
        size_t some = n - at < rows ? n - at : rows;
        mixer_linear_run(&block->up, conv + at * width, width, some, up);
        mixer_activate(up, some, hidden);
        mixer_linear_add(&block->down, up, hidden, some, h + at * width, width);
    }
}

/* Floats between the two products of a layer, enough for each block: narrow ones take more rows at once. */
static size_t room_between(const struct mixing *mixing) {
    size_t most = 1;
    for (size_t i = 0; i < mixing->n_blocks; i++) {
        size_t hidden = mixing->blocks[i].up.out, floats = rows_at_once(hidden) * hidden;
        most = floats > most ? floats : most;
    }
    return most;
}

static void begin(const struct mixing *mixing, const float *x, const uint32_t *ids, const uint8_t *shapes, size_t n,
                  float *h) {
    size_t width = mixing->width;
    if (mixing->words.data)
        mixer_table_gather(&mixing->words, ids, n, width, h);
    for (size_t i = 0; i < n; i++) {
        const float *shape = mixing->shapes + shapes[i] * width;
        float *row = h + i * width;
        if (!mixing->words.data)
            memcpy(row, shape, width * sizeof(*row));
        for (size_t k = 0; mixing->words.data && k < width; k++)
            row[k] += shape[k];
    }
    mixer_linear_add(&mixing->in, x, mixing->in.in, n, h, width);
}

int mixing_run(const struct mixing *mixing, const float *x, const uint32_t *ids, const uint8_t *shapes, size_t n,
               struct pages *work, float *h, struct vsr_err *err) {
    size_t width = mixing->width;
    float *conv;
    int rc = pages_grow(work, (n * width + room_between(mixing)) * sizeof(float), err);
    if (rc < 0)
        return rc;
    conv = work->data;
    begin(mixing, x, ids, shapes, n, h);
    for (size_t i = 0; i < mixing->n_blocks; i++)
        run_block(mixing, &mixing->blocks[i], n, h, conv, conv + n * width);
    return 0;
}
