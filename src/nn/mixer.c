#include "nn/mixer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/kernels.h"
#include "nn/mixer_file.h"
#include "nn/pages.h"

enum {
    VOCABULARY_MAX = 1 << 20,
    IMPORTANCE_MAX = 30,   /* e^30 and its inverse are far inside of what a float holds */
    ROOM_FLOATS = 1 << 14, /* of a block of rows between the two products of a layer: 64 KiB, in the second cache */
    ROWS_LEAST = 8,
};
#define NORM_EPS 1e-5f

_Static_assert((int)MIXER_HIDDEN_MAX <= (int)KERNELS_WIDTH_MAX, "an activation takes a row");
_Static_assert((int)MIXER_HIDDEN_MAX <= (int)MIXER_SIDE_MAX, "a matrix of the file can be as wide");

struct block {
    const float *taps; /* [n_taps][M] */
    size_t n_taps, step;
    const float *conv_bias; /* [M]; NULL: none */
    struct norm norm;
    struct mixer_linear up, down;
};

struct mixer {
    struct arena *arena;
    struct embed words;
    const float *weight; /* [V] e^importance */
    size_t dims, vector_dims, width;
    struct similarity_scale similarity;
    struct mixer_linear sentence_up, sentence_down; /* panels NULL: there are none */
    struct mixer_linear in;
    const float *shapes; /* [MIXER_SHAPES][M] */
    struct block *blocks;
    size_t n_blocks;
};

struct mixer_text {
    const struct mixer *mixer;
    const uint32_t *ids;
    const uint8_t *shapes;
    size_t n;
    struct pages tokens, sentence, mixed, work, room, grams;
    bool has_tokens, has_sentence, has_mixed;
    struct ngram_space space; /* of the features that are there; orders 0: none */
    const uint32_t *features;
    size_t n_features;
};

/* ---- reading */

static int read_table(struct mixer *mixer, struct mixer_file *file) {
    struct embed_table *table = &mixer->words.words;
    const struct tensor *tensor;
    int rc = mixer_file_tensor(file, "embedding.weight", 2, VOCABULARY_MAX, &tensor);
    if (rc < 0)
        return rc;
    if (tensor->dims[1] > MIXER_DIMS_MAX)
        return err_set(file->err, VSR_E_LIMIT, "tensor \"embedding.weight\" has rows of %zu, at most %d",
                       tensor->dims[1], MIXER_DIMS_MAX);
    if (tensor->dtype != DTYPE_I8 && tensor->dtype != DTYPE_F32 && tensor->dtype != DTYPE_BF16)
        return err_set(file->err, VSR_E_INVALID, "tensor \"embedding.weight\" is of %s, expected I8, BF16 or F32",
                       dtype_name(tensor->dtype));
    *table = (struct embed_table){ .dtype = tensor->dtype, .data = tensor->data, .n_rows = tensor->dims[0] };
    mixer->words.scale = 1;
    mixer->dims = tensor->dims[1];
    if (tensor->dtype == DTYPE_I8)
        rc = mixer_file_vector(file, "embedding.scale", table->n_rows, &table->row_scale);
    return rc;
}

static int read_importance(struct mixer *mixer, struct mixer_file *file) {
    size_t n = mixer->words.words.n_rows;
    const float *importance;
    float *weight = ARENA_ARRAY(mixer->arena, float, n);
    int rc = 0;
    mixer->weight = weight;
    if (!mixer_file_has(file, "embedding.importance")) {
        for (size_t i = 0; i < n; i++)
            weight[i] = 1;
        return 0;
    }
    rc = mixer_file_vector(file, "embedding.importance", n, &importance);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (fabsf(importance[i]) > IMPORTANCE_MAX)
            return err_set(file->err, VSR_E_INVALID,
                           "tensor \"embedding.importance\": %g of token %zu, expected -%d to %d",
                           (double)importance[i], i, IMPORTANCE_MAX, IMPORTANCE_MAX);
        weight[i] = expf(importance[i]);
    }
    return rc;
}

static int read_sentence(struct mixer *mixer, struct mixer_file *file) {
    int rc = 0;
    if (mixer_file_has(file, "sentence.up.weight")) {
        rc = mixer_file_linear(file, "sentence.up", mixer->dims, 0, &mixer->sentence_up);
        if (rc == 0)
            rc = mixer_file_linear(file, "sentence.down", mixer->sentence_up.out, mixer->dims, &mixer->sentence_down);
    }
    return rc < 0 ? rc : mixer_file_number(file, "dims", mixer->dims, 1, mixer->dims, &mixer->vector_dims);
}

static int read_similarity(struct mixer *mixer, const struct mixer_file *file) {
    vsr_str points = safetensors_note(&file->tensors, VSR_STR("similarity"));
    int rc = similarity_scale_parse(points, &mixer->similarity, file->err);
    return rc < 0 ? err_wrap(file->err, "metadata \"similarity\"") : 0;
}

/* The file has each column's taps side by side, a pass over rows wants them apart. */
static int read_conv(struct mixer *mixer, struct mixer_file *file, size_t number, struct block *block) {
    char name[MIXER_NAME_LEN_MAX];
    size_t width = mixer->width;
    const float *weights;
    float *taps;
    int rc;
    (void)snprintf(name, sizeof(name), "mixer.%zu.conv.weight", number);
    rc = mixer_file_matrix(file, name, &width, &block->n_taps, &weights);
    if (rc < 0)
        return rc;
    if (block->n_taps > MIXER_TAPS_MAX || block->n_taps % 2 == 0)
        return err_set(file->err, VSR_E_INVALID, "tensor \"%s\" has %zu taps, expected an odd number up to %d", name,
                       block->n_taps, MIXER_TAPS_MAX);
    taps = ARENA_ARRAY(mixer->arena, float, block->n_taps *width);
    for (size_t i = 0; i < width; i++)
        for (size_t k = 0; k < block->n_taps; k++)
            taps[k * width + i] = weights[i * block->n_taps + k];
    block->taps = taps;
    (void)snprintf(name, sizeof(name), "mixer.%zu.conv.bias", number);
    if (mixer_file_has(file, name))
        rc = mixer_file_vector(file, name, width, &block->conv_bias);
    (void)snprintf(name, sizeof(name), "mixer.%zu.dilation", number);
    return rc < 0 ? rc : mixer_file_number(file, name, 1, 1, MIXER_STEP_MAX, &block->step);
}

static int read_block(struct mixer *mixer, struct mixer_file *file, size_t number, struct block *block) {
    char name[MIXER_NAME_LEN_MAX];
    int rc = read_conv(mixer, file, number, block);
    block->norm = (struct norm){ .kind = NORM_LAYER, .eps = NORM_EPS };
    (void)snprintf(name, sizeof(name), "mixer.%zu.norm.weight", number);
    if (rc == 0)
        rc = mixer_file_vector(file, name, mixer->width, &block->norm.gamma);
    (void)snprintf(name, sizeof(name), "mixer.%zu.norm.bias", number);
    if (rc == 0)
        rc = mixer_file_vector(file, name, mixer->width, &block->norm.beta);
    (void)snprintf(name, sizeof(name), "mixer.%zu.up", number);
    if (rc == 0)
        rc = mixer_file_linear(file, name, mixer->width, 0, &block->up);
    (void)snprintf(name, sizeof(name), "mixer.%zu.down", number);
    return rc < 0 ? rc : mixer_file_linear(file, name, block->up.out, mixer->width, &block->down);
}

static int read_blocks(struct mixer *mixer, struct mixer_file *file) {
    char name[MIXER_NAME_LEN_MAX];
    size_t n = 0, shapes = MIXER_SHAPES;
    int rc;
    if (!mixer_file_has(file, "mixer.in.weight"))
        return 0;
    rc = mixer_file_linear(file, "mixer.in", mixer->dims, 0, &mixer->in);
    if (rc < 0)
        return rc;
    mixer->width = mixer->in.out;
    if (mixer->width > MIXER_DIMS_MAX)
        return err_set(file->err, VSR_E_LIMIT, "tensor \"mixer.in.weight\" has %zu rows, at most %d", mixer->width,
                       MIXER_DIMS_MAX);
    rc = mixer_file_matrix(file, "mixer.shape.weight", &shapes, &mixer->width, &mixer->shapes);
    do
        (void)snprintf(name, sizeof(name), "mixer.%zu.conv.weight", n);
    while (mixer_file_has(file, name) && ++n <= MIXER_BLOCKS_MAX);
    if (n > MIXER_BLOCKS_MAX)
        return err_set(file->err, VSR_E_LIMIT, "more than %d blocks of convolutions", MIXER_BLOCKS_MAX);
    mixer->blocks = ARENA_ARRAY(mixer->arena, struct block, n);
    mixer->n_blocks = n;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = read_block(mixer, file, i, &mixer->blocks[i]);
    return rc;
}

int mixer_new(vsr_str bytes, struct mixer **ret, struct vsr_err *err) {
    struct mixer *mixer = MEM_NEW(struct mixer);
    struct mixer_file file;
    int rc;
    mixer->arena = arena_new(0, 0);
    rc = mixer_file_open(mixer->arena, bytes, &file, err);
    if (rc == 0)
        rc = read_table(mixer, &file);
    if (rc == 0)
        rc = read_importance(mixer, &file);
    if (rc == 0)
        rc = read_sentence(mixer, &file);
    if (rc == 0)
        rc = read_similarity(mixer, &file);
    if (rc == 0)
        rc = read_blocks(mixer, &file);
    if (rc == 0)
        rc = mixer_file_finish(&file);
    if (rc < 0) {
        mixer_free(mixer);
        return rc;
    }
    *ret = mixer;
    return 0;
}

void mixer_free(struct mixer *mixer) {
    if (!mixer)
        return;
    arena_free(mixer->arena);
    mem_free(mixer);
}

size_t mixer_vocabulary(const struct mixer *mixer) {
    return mixer->words.words.n_rows;
}

size_t mixer_dims(const struct mixer *mixer) {
    return mixer->dims;
}

size_t mixer_width(const struct mixer *mixer) {
    return mixer->width;
}

const struct similarity_scale *mixer_similarity(const struct mixer *mixer) {
    return &mixer->similarity;
}

size_t mixer_vector_dims(const struct mixer *mixer) {
    return mixer->vector_dims;
}

size_t mixer_bytes(const struct mixer *mixer) {
    return arena_bytes(mixer->arena);
}

/* ---- a text in work */

struct mixer_text *mixer_text_new(void) {
    return MEM_NEW(struct mixer_text);
}

void mixer_text_free(struct mixer_text *text) {
    if (!text)
        return;
    pages_free(&text->tokens);
    pages_free(&text->sentence);
    pages_free(&text->mixed);
    pages_free(&text->work);
    pages_free(&text->room);
    pages_free(&text->grams);
    mem_free(text);
}

int mixer_text_set(struct mixer_text *text, const struct mixer *mixer, const uint32_t *ids, const uint8_t *shapes,
                   size_t n, struct vsr_err *err) {
    if (n > MIXER_TOKENS_MAX)
        return err_set(err, VSR_E_LIMIT, "a text of %zu tokens, at most %d: it must be cut", n, MIXER_TOKENS_MAX);
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= mixer->words.words.n_rows || shapes[i] >= MIXER_SHAPES)
            return err_set(err, VSR_E_LIMIT, "token %zu is %u of shape %u, the model has %zu and %d", i, ids[i],
                           shapes[i], mixer->words.words.n_rows, MIXER_SHAPES);
    text->mixer = mixer;
    text->ids = ids;
    text->shapes = shapes;
    text->n = n;
    text->has_tokens = text->has_sentence = text->has_mixed = false;
    text->space.orders = 0;
    return 0;
}

const uint32_t *mixer_text_ids(const struct mixer_text *text, size_t *ret_n) {
    *ret_n = text->n;
    return text->ids;
}

static int floats(struct pages *pages, size_t n, struct vsr_err *err) {
    return pages_grow(pages, n * sizeof(float), err);
}

int mixer_text_ngrams(struct mixer_text *text, const struct ngram_space *space, const uint32_t **ret_features,
                      size_t *ret_n, struct vsr_err *err) {
    const struct ngram_space *has = &text->space;
    if (has->orders != space->orders || has->pieces != space->pieces || has->buckets != space->buckets) {
        int rc = ngrams_find(space, text->ids, text->n, &text->grams, &text->features, &text->n_features, err);
        text->space = *space;
        if (rc < 0) {
            text->space.orders = 0;
            return rc;
        }
    }
    *ret_features = text->features;
    *ret_n = text->n_features;
    return 0;
}

int mixer_text_room(struct mixer_text *text, size_t n_floats, float **ret, struct vsr_err *err) {
    int rc = floats(&text->room, n_floats, err);
    if (rc == 0)
        *ret = text->room.data;
    return rc;
}

/* Rows of the table are all over it: those ahead are asked for before they are read. */
static void gather(const struct mixer *mixer, const uint32_t *ids, size_t n, float *x) {
    enum { AHEAD = 8, LINE = 64 };
    const struct embed_table *table = &mixer->words.words;
    size_t len = mixer->dims * dtype_len(table->dtype);
    for (size_t i = 0; i < n; i++) {
        const char *ahead = (const char *)table->data + ids[i + AHEAD < n ? i + AHEAD : n - 1] * len;
        for (size_t at = 0; at < len; at += LINE)
            __builtin_prefetch(ahead + at);
        kernel_embed(&mixer->words, ids + i, NULL, NULL, x + i * mixer->dims, mixer->dims, 1, mixer->dims);
    }
}

int mixer_text_tokens(struct mixer_text *text, const float **ret_x, struct vsr_err *err) {
    if (!text->has_tokens) {
        int rc = floats(&text->tokens, (text->n + 1) * text->mixer->dims, err);
        if (rc < 0)
            return rc;
        gather(text->mixer, text->ids, text->n, text->tokens.data);
        text->has_tokens = true;
    }
    *ret_x = text->tokens.data;
    return 0;
}

/* s = sum a_i x_i / sum a_i; `weights` [n] is room. */
static void average(const struct mixer_text *text, const float *x, float *weights, float *s) {
    const struct mixer *mixer = text->mixer;
    const struct low_rank sum = {
        .x = weights, .x_stride = text->n, .factor = x, .rank = text->n, /* a row of weights times all tokens */
    };
    float total = 0;
    for (size_t i = 0; i < text->n; i++)
        total += weights[i] = mixer->weight[text->ids[i]];
    for (size_t i = 0; i < text->n; i++)
        weights[i] /= total;
    memset(s, 0, mixer->dims * sizeof(*s));
    kernel_add_low_rank(&sum, s, mixer->dims, 1, mixer->dims);
}

static void activate(float *rows, size_t n, size_t width) {
    const struct rows_in in = { .type = ROWS_F32, .data = rows, .stride = width };
    const struct rows_out out = { .type = ROWS_F32, .data = rows, .stride = width };
    kernel_activate(ACTIVATION_GELU, &in, &out, n, width);
}

int mixer_text_sentence(struct mixer_text *text, const float **ret_y, struct vsr_err *err) {
    const struct mixer *mixer = text->mixer;
    size_t hidden = mixer->sentence_up.out;
    const float *x;
    float *y;
    int rc = 0;
    if (!text->has_sentence) {
        rc = mixer_text_tokens(text, &x, err);
        if (rc == 0)
            rc = floats(&text->sentence, mixer->dims, err);
        if (rc == 0)
            rc = floats(&text->work, text->n > hidden ? text->n : hidden, err);
        if (rc < 0)
            return rc;
        y = text->sentence.data;
        average(text, x, text->work.data, y);
        if (mixer->sentence_up.panels) {
            mixer_linear_run(&mixer->sentence_up, y, mixer->dims, 1, text->work.data);
            activate(text->work.data, 1, hidden);
            mixer_linear_add(&mixer->sentence_down, text->work.data, hidden, 1, y, mixer->dims);
        }
        text->has_sentence = true;
    }
    *ret_y = text->sentence.data;
    return rc;
}

/* How many rows pass through both products of a layer together. */
static size_t rows_at_once(size_t hidden) {
    size_t rows = ROOM_FLOATS / hidden;
    return rows < ROWS_LEAST ? ROWS_LEAST : rows;
}

static void run_block(const struct mixer *mixer, const struct block *block, size_t n, float *h, float *conv,
                      float *up) {
    const struct convolution convolution = {
        .taps = block->taps, .n_taps = block->n_taps, .step = block->step, .bias = block->conv_bias
    };
    size_t width = mixer->width, hidden = block->up.out, rows = rows_at_once(hidden);
    const struct rows_in in = { .type = ROWS_F32, .data = conv, .stride = width };
    const struct rows_out out = { .type = ROWS_F32, .data = conv, .stride = width };
    kernel_convolve(&convolution, h, conv, n, width);
    kernel_norm(&block->norm, &in, NULL, 0, false, &out, NULL, n, width);
    for (size_t at = 0; at < n; at += rows) {
        size_t some = n - at < rows ? n - at : rows;
        mixer_linear_run(&block->up, conv + at * width, width, some, up);
        activate(up, some, hidden);
        mixer_linear_add(&block->down, up, hidden, some, h + at * width, width);
    }
}

static size_t widest(const struct mixer *mixer) {
    size_t most = 1;
    for (size_t i = 0; i < mixer->n_blocks; i++)
        most = mixer->blocks[i].up.out > most ? mixer->blocks[i].up.out : most;
    return most;
}

int mixer_text_mixed(struct mixer_text *text, const float **ret_h, struct vsr_err *err) {
    const struct mixer *mixer = text->mixer;
    size_t n = text->n, width = mixer->width, hidden;
    const float *x;
    float *h, *conv;
    int rc;
    if (text->has_mixed) {
        *ret_h = text->mixed.data;
        return 0;
    }
    if (width == 0)
        return err_set(err, VSR_E_INVALID, "the trunk has no convolutions");
    hidden = widest(mixer);
    rc = mixer_text_tokens(text, &x, err);
    if (rc == 0)
        rc = floats(&text->mixed, (n + 1) * width, err);
    if (rc == 0)
        rc = floats(&text->work, n * width + rows_at_once(hidden) * hidden, err);
    if (rc < 0)
        return rc;
    h = text->mixed.data;
    conv = text->work.data;
    for (size_t i = 0; i < n; i++)
        memcpy(h + i * width, mixer->shapes + text->shapes[i] * width, width * sizeof(*h));
    mixer_linear_add(&mixer->in, x, mixer->dims, n, h, width);
    for (size_t i = 0; i < mixer->n_blocks; i++)
        run_block(mixer, &mixer->blocks[i], n, h, conv, conv + n * width);
    text->has_mixed = true;
    *ret_h = h;
    return 0;
}

int mixer_text_vector(struct mixer_text *text, float *ret, struct vsr_err *err) {
    const float *y;
    int rc = mixer_text_sentence(text, &y, err);
    if (rc == 0)
        kernel_normalize(y, ret, text->mixer->vector_dims);
    return rc;
}
