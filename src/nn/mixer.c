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

_Static_assert((int)MIXER_HIDDEN_MAX <= (int)MIXER_SIDE_MAX, "a matrix of the file can be as wide");

/* What a mean of tokens is made of. */
struct meaning {
    struct embed_table words;
    const float *weight; /* [V] e^importance; NULL: there is none */
    size_t dims;
};

struct mixer {
    struct arena *arena;
    size_t n_words;
    struct meaning token, vector; /* of x and s; of m, where the file has one */
    size_t mean_dims;             /* of m that v has */
    struct word_signs signs;
    struct concepts concepts; /* of the tokens and the mean that m is of */
    struct similarity_scale similarity;
    struct mixer_linear sentence_up, sentence_down; /* panels NULL: there are none */
    struct mixing mixing;
};

struct mixer_text {
    const struct mixer *mixer;
    const uint32_t *ids;
    const uint8_t *shapes;
    size_t n;
    struct pages tokens, sentence, vector, mixed, own_mixed, work, room, grams;
    bool has_tokens, has_sentence, has_mixed;
    struct ngram_space space; /* of the features that are there; orders 0: none */
    const uint32_t *features;
    size_t n_features;
};

/* ---- reading */

static int read_importance(struct mixer *mixer, struct mixer_file *file, const char *name, struct meaning *ret) {
    size_t n = mixer->n_words;
    const float *importance;
    float *weight = ARENA_ARRAY(mixer->arena, float, n);
    int rc = 0;
    ret->weight = weight;
    if (!mixer_file_has(file, name)) {
        for (size_t i = 0; i < n; i++)
            weight[i] = 1;
        return 0;
    }
    rc = mixer_file_vector(file, name, n, &importance);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (fabsf(importance[i]) > IMPORTANCE_MAX)
            return err_set(file->err, VSR_E_INVALID, "tensor \"%s\": %g of token %zu, expected -%d to %d", name,
                           (double)importance[i], i, IMPORTANCE_MAX, IMPORTANCE_MAX);
        weight[i] = expf(importance[i]);
    }
    return rc;
}

static int read_tokens(struct mixer *mixer, struct mixer_file *file) {
    struct meaning *token = &mixer->token;
    int rc = mixer_file_table(file, "embedding", &mixer->n_words, &token->dims, &token->words);
    return rc < 0 ? rc : read_importance(mixer, file, "embedding.importance", token);
}

static int read_vector(struct mixer *mixer, struct mixer_file *file) {
    struct meaning *vector = &mixer->vector;
    size_t dims = mixer->token.dims;
    int rc = 0;
    if (mixer_file_has(file, "vector.weight")) {
        rc = mixer_file_table(file, "vector", &mixer->n_words, &vector->dims, &vector->words);
        if (rc == 0)
            rc = read_importance(mixer, file, "vector.importance", vector);
        dims = vector->dims;
    }
    if (rc == 0)
        rc = mixer_file_number(file, "dims", dims, 1, dims, &mixer->mean_dims);
    if (rc == 0)
        rc = word_signs_read(file, mixer->n_words, &mixer->signs);
    return rc < 0 ? rc : concepts_read(file, dims, &mixer->concepts);
}

static int read_sentence(struct mixer *mixer, struct mixer_file *file) {
    size_t dims = mixer->token.dims;
    int rc = 0;
    if (mixer_file_has(file, "sentence.up.weight")) {
        rc = mixer_file_linear(file, "sentence.up", dims, 0, &mixer->sentence_up);
        if (rc == 0)
            rc = mixer_file_linear(file, "sentence.down", mixer->sentence_up.out, dims, &mixer->sentence_down);
    }
    return rc;
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
        rc = read_tokens(mixer, &file);
    if (rc == 0)
        rc = read_sentence(mixer, &file);
    if (rc == 0)
        rc = read_vector(mixer, &file);
    if (rc == 0)
        rc = read_similarity(mixer, &file);
    if (rc == 0)
        rc = mixing_read(&file, mixer->token.dims, mixer->n_words, &mixer->mixing);
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
    return mixer->token.dims;
}

size_t mixer_width(const struct mixer *mixer) {
    return mixer->mixing.width;
}

const struct similarity_scale *mixer_similarity(const struct mixer *mixer) {
    return &mixer->similarity;
}

size_t mixer_vector_dims(const struct mixer *mixer) {
    return mixer->mean_dims + mixer->signs.dims + concepts_dims(&mixer->concepts);
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
    pages_free(&text->vector);
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
        const struct meaning *token = &text->mixer->token;
        int rc = floats(&text->tokens, (text->n + 1) * token->dims, err);
        if (rc < 0)
            return rc;
        mixer_table_gather(&token->words, text->ids, text->n, token->dims, text->tokens.data);
        text->has_tokens = true;
    }
    *ret_x = text->tokens.data;
    return 0;
}

/* sum a_i x_i / sum a_i, to `s`; `weights` [n] is room. */
static void average(const struct mixer_text *text, const struct meaning *meaning, const float *x, float *weights,
                    float *s) {
    const struct low_rank sum = {
        .x = weights, .x_stride = text->n, .factor = x, .rank = text->n, /* a row of weights times all tokens */
    };
    float total = 0;
    for (size_t i = 0; i < text->n; i++)
        total += weights[i] = meaning->weight[text->ids[i]];
    for (size_t i = 0; i < text->n; i++)
        weights[i] /= total;
    memset(s, 0, meaning->dims * sizeof(*s));
    kernel_add_low_rank(&sum, s, meaning->dims, 1, meaning->dims);
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
            rc = floats(&text->sentence, mixer->token.dims, err);
        if (rc == 0)
            rc = floats(&text->work, text->n > hidden ? text->n : hidden, err);
        if (rc < 0)
            return rc;
        y = text->sentence.data;
        average(text, &mixer->token, x, text->work.data, y);
        if (mixer->sentence_up.panels) {
            mixer_linear_run(&mixer->sentence_up, y, mixer->token.dims, 1, text->work.data);
            mixer_activate(text->work.data, 1, hidden);
            mixer_linear_add(&mixer->sentence_down, text->work.data, hidden, 1, y, mixer->token.dims);
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

/* By a table of its own: only this vector wants its rows, so each call gathers them anew. */
static int own_mean(struct mixer_text *text, const float **ret_x, const float **ret_m, struct vsr_err *err) {
    const struct meaning *vector = &text->mixer->vector;
    float *x, *m;
    int rc = floats(&text->vector, (text->n + 2) * vector->dims, err);
    if (rc == 0)
        rc = floats(&text->work, text->n, err);
    if (rc < 0)
        return rc;
    m = text->vector.data;
    x = m + vector->dims;
    mixer_table_gather(&vector->words, text->ids, text->n, vector->dims, x);
    average(text, vector, x, text->work.data, m);
    *ret_x = x;
    *ret_m = m;
    return 0;
}

static int token_mean(struct mixer_text *text, const float **ret_x, const float **ret_m, struct vsr_err *err) {
    int rc = mixer_text_tokens(text, ret_x, err);
    return rc < 0 ? rc : mixer_text_sentence(text, ret_m, err);
}

static void scale(float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

/* `part` [n] behind `v` [at], which is of unit length, as the given share of the square of the length of both. */
static void stand_beside(float *v, size_t at, size_t n, float share) {
    float *part = v + at;
    kernel_normalize(part, part, n);
    scale(v, at, sqrtf(1 - share));
    scale(part, n, sqrtf(share));
}

int mixer_text_vector(struct mixer_text *text, float *ret, struct vsr_err *err) {
    const struct mixer *mixer = text->mixer;
    const struct concepts *concepts = &mixer->concepts;
    size_t dims = mixer->mean_dims;
    const float *x, *m;
    int rc = mixer->vector.weight ? own_mean(text, &x, &m, err) : token_mean(text, &x, &m, err);
    if (rc == 0)
        rc = floats(&text->work, concepts_room(concepts, text->n), err);
    if (rc < 0)
        return rc;
    kernel_normalize(m, ret, dims);
    if (mixer->signs.dims > 0) {
        word_signs_sum(&mixer->signs, text->ids, text->n, ret + dims);
        stand_beside(ret, dims, mixer->signs.dims, mixer->signs.share);
        dims += mixer->signs.dims;
    }
    if (concepts_dims(concepts) > 0) {
        concepts_of(concepts, x, text->n, m, text->work.data, ret + dims);
        stand_beside(ret, dims, concepts_dims(concepts), concepts->share);
    }
    return 0;
}
