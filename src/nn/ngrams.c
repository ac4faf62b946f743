#include "nn/ngrams.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "nn/mixer_file.h"
#include "nn/pages.h"

#define HASH_STEP 0x9E3779B97F4A7C15u
#define HASH_TOKEN 0xC2B2AE3D27D4EB4Fu
#define HASH_FINISH 0xBF58476D1CE4E5B9u

enum { CLASSES_TOGETHER = 64 }; /* sums that are kept on the stack */

static int read_common(struct mixer_file *file, struct ngram_space *space) {
    const struct tensor *common;
    int rc;
    if (!mixer_file_has(file, "ngram.common"))
        return 0;
    rc = mixer_file_tensor(file, "ngram.common", 1, NGRAMS_ROWS_MAX, &common);
    if (rc < 0)
        return rc;
    if (common->dtype != DTYPE_I8 || common->dims[0] != space->pieces)
        return err_set(file->err, VSR_E_INVALID, "tensor \"ngram.common\" is %zu of %s, expected %zu of I8",
                       common->dims[0], dtype_name(common->dtype), space->pieces);
    space->common = common->data;
    return 0;
}

int ngrams_read(struct mixer_file *file, size_t pieces, size_t classes, struct ngrams *ret) {
    const struct tensor *weight;
    int rc = mixer_file_tensor(file, "ngram.weight", 2, NGRAMS_ROWS_MAX, &weight);
    if (rc < 0)
        return rc;
    if (weight->dtype != DTYPE_I8)
        return err_set(file->err, VSR_E_INVALID, "tensor \"ngram.weight\" is of %s, expected I8",
                       dtype_name(weight->dtype));
    if (weight->dims[0] <= pieces || weight->dims[1] != classes)
        return err_set(file->err, VSR_E_INVALID,
                       "tensor \"ngram.weight\" is [%zu, %zu], expected a row for each of %zu tokens and more for runs "
                       "of them, and %zu columns",
                       weight->dims[0], weight->dims[1], pieces, classes);
    *ret = (struct ngrams){ .space = { .pieces = pieces, .buckets = weight->dims[0] - pieces },
                            .classes = classes,
                            .weight = weight->data };
    rc = read_common(file, &ret->space);
    if (rc == 0)
        rc = mixer_file_vector(file, "ngram.scale", classes, &ret->scale);
    return rc < 0 ? rc : mixer_file_number(file, "ngram_orders", 3, 1, NGRAMS_ORDERS_MAX, &ret->space.orders);
}

/* ---- features */

/* A set of features, with open addressing, and the list of them. 0 is a free place, so features are kept plus one. */
struct feature_set {
    uint32_t *places, *list;
    size_t mask, n;
};

static void set_add(struct feature_set *set, uint32_t feature) {
    size_t at = feature * 2654435761u >> 4;
    for (;; at++) {
        uint32_t *place = &set->places[at & set->mask];
        if (*place == feature + 1)
            return;
        if (*place == 0) {
            *place = feature + 1;
            set->list[set->n++] = feature;
            return;
        }
    }
}

static int set_open(struct feature_set *set, size_t most, struct pages *room, struct vsr_err *err) {
    size_t places = 16;
    int rc;
    while (places < 2 * most)
        places *= 2;
    rc = pages_grow(room, (places + most) * sizeof(uint32_t), err);
    if (rc < 0)
        return rc;
    *set = (struct feature_set){ .places = room->data, .list = (uint32_t *)room->data + places, .mask = places - 1 };
    memset(set->places, 0, places * sizeof(uint32_t));
    return 0;
}

static uint32_t bucket(const struct ngram_space *space, uint64_t hash) {
    uint64_t mixed = ((hash ^ hash >> 29) * HASH_FINISH) >> 20;
    return (uint32_t)(space->pieces + mixed % space->buckets);
}

static bool is_common(const struct ngram_space *space, uint32_t token) {
    return space->common && space->common[token] != 0;
}

int ngrams_find(const struct ngram_space *space, const uint32_t *ids, size_t n, struct pages *room,
                const uint32_t **ret_features, size_t *ret_n, struct vsr_err *err) {
    struct feature_set set;
    int rc;
    if (n > NGRAMS_TOKENS_MAX)
        n = NGRAMS_TOKENS_MAX;
    rc = set_open(&set, n * space->orders, room, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = ids[i];
        bool dull = is_common(space, ids[i]);
        if (!dull)
            set_add(&set, ids[i]);
        for (size_t j = 1; j < space->orders && i + j < n; j++) {
            hash = hash * HASH_STEP + ids[i + j] * HASH_TOKEN + j;
            dull = dull && is_common(space, ids[i + j]);
            if (!dull)
                set_add(&set, bucket(space, hash));
        }
    }
    *ret_features = set.list;
    *ret_n = set.n;
    return 0;
}

/* ---- logits */

static void add_some(const struct ngrams *ngrams, const uint32_t *features, size_t n, size_t from, size_t some,
                     float *logits) {
    int32_t sums[CLASSES_TOGETHER] = { 0 };
    float factor = 1 / sqrtf((float)n);
    for (size_t i = 0; i < n; i++) {
        const int8_t *row = ngrams->weight + features[i] * ngrams->classes + from;
        for (size_t c = 0; c < some; c++)
            sums[c] += row[c];
    }
    for (size_t c = 0; c < some; c++)
        logits[from + c] += ngrams->scale[from + c] * (float)sums[c] * factor;
}

void ngrams_add(const struct ngrams *ngrams, const uint32_t *features, size_t n, float *logits) {
    for (size_t at = 0; at < ngrams->classes && n > 0; at += CLASSES_TOGETHER) {
        size_t left = ngrams->classes - at;
        add_some(ngrams, features, n, at, left < CLASSES_TOGETHER ? left : CLASSES_TOGETHER, logits);
    }
}
