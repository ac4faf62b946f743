#include "nn/mixer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/kernels.h"
#include "nn/mixer_file.h"
#include "nn/mixing.h"
#include "nn/pages.h"

enum {
    IMPORTANCE_MAX = 30, /* e^30 and its inverse are far inside of what a float holds */
};

_Static_assert((int)MIXER_HIDDEN_MAX <= (int)KERNELS_WIDTH_MAX, "an activation takes a row");
_Static_assert((int)MIXER_HIDDEN_MAX <= (int)MIXER_SIDE_MAX, "a matrix of the file can be as wide");

struct mixer {
    struct arena *arena;
    struct embed_table words;
    size_t n_words;
    const float *weight; /* [V] e^importance */
    size_t dims, vector_dims;
    struct similarity_scale similarity;
    struct mixer_linear sentence_up, sentence_down; /* panels NULL: there are none */
    struct mixing mixing;
};

struct mixer_text {
    const struct mixer *mixer;
    const uint32_t *ids;
    const uint8_t *shapes;
    size_t n;
    struct pages tokens, sentence, mixed, own_mixed, work, room, grams;
    bool has_tokens, has_sentence, has_mixed;
    struct ngram_space space; /* of the features that are there; orders 0: none */
    const uint32_t *features;
    size_t n_features;
};

/* ---- reading */

static int read_importance(struct mixer *mixer, struct mixer_file *file) {
    size_t n = mixer->n_words;
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

int mixer_new(vsr_str bytes, struct mixer **ret, struct vsr_err *err) {
    struct mixer *mixer = MEM_NEW(struct mixer);
    struct mixer_file file;
    int rc;
    mixer->arena = arena_new(0, 0);
    rc = mixer_file_open(mixer->arena, bytes, &file, err);
    if (rc == 0)
        rc = mixer_file_table(&file, "embedding", &mixer->n_words, &mixer->dims, &mixer->words);
    if (rc == 0)
        rc = read_importance(mixer, &file);
    if (rc == 0)
        rc = read_sentence(mixer, &file);
    if (rc == 0)
        rc = read_similarity(mixer, &file);
    if (rc == 0)
        rc = mixing_read(&file, mixer->dims, mixer->n_words, &mixer->mixing);
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
    return mixer->n_words;
}

size_t mixer_dims(const struct mixer *mixer) {
    return mixer->dims;
}

size_t mixer_width(const struct mixer *mixer) {
    return mixer->mixing.width;
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
    pages_free(&text->own_mixed);
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
        if (ids[i] >= mixer->n_words || shapes[i] >= MIXING_SHAPES)
            return err_set(err, VSR_E_LIMIT, "token %zu is %u of shape %u, the model has %zu and %d", i, ids[i],
                           shapes[i], mixer->n_words, MIXING_SHAPES);
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
    if (has->orders != space->orders || has->pieces != space->pieces || has->buckets != space->buckets ||
        has->common != space->common) {
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

int mixer_text_tokens(struct mixer_text *text, const float **ret_x, struct vsr_err *err) {
    if (!text->has_tokens) {
        int rc = floats(&text->tokens, (text->n + 1) * text->mixer->dims, err);
        if (rc < 0)
            return rc;
        mixer_table_gather(&text->mixer->words, text->ids, text->n, text->mixer->dims, text->tokens.data);
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

static int mix(struct mixer_text *text, const struct mixing *mixing, struct pages *pages, struct vsr_err *err) {
    const float *x;
    int rc = mixer_text_tokens(text, &x, err);
    if (rc == 0)
        rc = floats(pages, (text->n + 1) * mixing->width, err);
    return rc < 0 ? rc : mixing_run(mixing, x, text->ids, text->shapes, text->n, &text->work, pages->data, err);
}

int mixer_text_mixed(struct mixer_text *text, const float **ret_h, struct vsr_err *err) {
    const struct mixing *mixing = &text->mixer->mixing;
    if (mixing->width == 0)
        return err_set(err, VSR_E_INVALID, "the trunk has no convolutions");
    if (!text->has_mixed) {
        int rc = mix(text, mixing, &text->mixed, err);
        if (rc < 0)
            return rc;
        text->has_mixed = true;
    }
    *ret_h = text->mixed.data;
    return 0;
}

int mixer_text_mixed_by(struct mixer_text *text, const struct mixing *own, const float **ret_h, struct vsr_err *err) {
    int rc = mix(text, own, &text->own_mixed, err);
    if (rc == 0)
        *ret_h = text->own_mixed.data;
    return rc;
}

int mixer_text_vector(struct mixer_text *text, float *ret, struct vsr_err *err) {
    const float *y;
    int rc = mixer_text_sentence(text, &y, err);
    if (rc == 0)
        kernel_normalize(y, ret, text->mixer->vector_dims);
    return rc;
}
