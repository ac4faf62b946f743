#include "nn/matryoshka.h"

#include <stdio.h>

#include "core/arena.h"
#include "nn/embedder_sizes.h"
#include "nn/json_fields.h"
#include "nn/model_file.h"
#include "nn/multimodal.h"

static const size_t gemma_sizes[] = GEMMA_SIZES;
static const uint8_t mmbert_exits[] = MMBERT_EXITS;
_Static_assert((int)VSR_COUNT(gemma_sizes) <= (int)MATRYOSHKA_DIMS_LISTED &&
                   (int)MULTIMODAL_CUTS_MAX <= (int)MATRYOSHKA_DIMS_LISTED,
               "there is room");

#define LAYERS_FILE "onnx/model_config.json"

/* ---- reading */

int matryoshka_layers_parse(vsr_str json, struct matryoshka *matryoshka, struct vsr_err *err) {
    struct json_fields f;
    size_t n = 0;
    if (fields_open(&f, json, err) == 0) {
        json_ref list = fields_typed(&f, 0, "available_layers", JSON_ARRAY);
        int64_t last = 0, layer = 0;
        for (json_ref item = list == JSON_NONE ? JSON_NONE : json_first(&f.doc, list); item != JSON_NONE && f.rc == 0;
             item = json_next(&f.doc, list, item)) {
            if (!json_i64(&f.doc, item, &layer) || layer <= last || (uint64_t)layer > matryoshka->layers)
                fields_wrong(&f, 0, "available_layers", "expected ascending numbers from 1 to %zu", matryoshka->layers);
            else
                matryoshka->trained[n++] = (uint8_t)layer;
            last = layer;
        }
        if (list != JSON_NONE)
            matryoshka->n_trained = n;
    }
    return fields_end(&f);
}

/* Only a note depends on that file: without it nothing is known, and the model runs as well. */
static int read_layers(struct arena *arena, vsr_str directory, struct matryoshka *m, struct vsr_err *err) {
    struct vsr_err own = VSR_ERR_NONE; /* a file that is not there leaves no trace in the caller's */
    vsr_str text = { 0 };
    int rc = model_file_read(arena, directory, VSR_STR(LAYERS_FILE), &text, &own);
    if (rc == VSR_E_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = matryoshka_layers_parse(text, m, &own);
    if (rc == VSR_E_NOMEM) {
        *err = own;
        return err_wrap(err, LAYERS_FILE);
    }
    if (rc < 0) {
        m->n_trained = 0;
        m->warning =
            arena_printf(arena, LAYERS_FILE ": %s: the layers that it was trained to be left after are not known",
                         own.text);
    }
    return 0;
}

int matryoshka_read(struct arena *arena, vsr_str directory, const struct encoder_config *config, size_t dims,
                    struct matryoshka *ret, struct vsr_err *err) {
    struct matryoshka m = { .dims = dims, .dims_least = 1, .layers = config->layers };
    int rc = 0;
    if (config->family == ENCODER_QWEN3)
        m.dims_least = dims < QWEN3_DIMS_LEAST ? dims : QWEN3_DIMS_LEAST;
    if (config->family == ENCODER_GEMMA3 && dims == GEMMA_DIMS) {
        m.n_listed = VSR_COUNT(gemma_sizes);
        memcpy(m.listed, gemma_sizes, sizeof(gemma_sizes));
    }
    if (config->family == ENCODER_MODERNBERT) {
        m.leaves_early = true;
        if (m.layers == MMBERT_LAYERS) {
            m.n_trained = VSR_COUNT(mmbert_exits);
            memcpy(m.trained, mmbert_exits, sizeof(mmbert_exits));
        }
        rc = read_layers(arena, directory, &m, err);
    }
    if (rc == 0)
        *ret = m;
    return rc;
}

struct matryoshka matryoshka_of_multimodal(const struct multimodal *multimodal) {
    struct matryoshka m = {
        .dims = multimodal->dims, .dims_least = 1, .layers = multimodal->text.layers, .leaves_early = true
    };
    m.n_listed = multimodal->n_cuts;
    memcpy(m.listed, multimodal->cuts, multimodal->n_cuts * sizeof(*m.listed));
    return m;
}

/* ---- asking */

static bool is_listed(const struct matryoshka *m, size_t dims) {
    for (size_t i = 0; i < m->n_listed; i++)
        if (m->listed[i] == dims)
            return true;
    return m->n_listed == 0;
}

static bool is_trained(const struct matryoshka *m, size_t layers) {
    for (size_t i = 0; i < m->n_trained; i++)
        if (m->trained[i] == layers)
            return true;
    return m->n_trained == 0;
}

/* "512, 256 or 128": what is less than all of them. */
static const char *listed_names(const struct matryoshka *m, char *text, size_t len) {
    size_t less[MATRYOSHKA_DIMS_LISTED], n = 0, used = 0;
    for (size_t i = 0; i < m->n_listed; i++)
        if (m->listed[i] < m->dims)
            less[n++] = m->listed[i];
    (void)snprintf(text, len, "no other");
    for (size_t i = 0; i < n && used < len; i++)
        used += (size_t)snprintf(text + used, len - used, "%s%zu", i == 0 ? "" : i + 1 == n ? " or " : ", ", less[i]);
    return text;
}

static int fit_dims(const struct matryoshka *m, size_t dims, struct matryoshka_cut *cut, struct vsr_err *err) {
    char names[24 * MATRYOSHKA_DIMS_LISTED];
    cut->dims = m->dims;
    if (dims == 0 || dims == m->dims)
        return 0;
    if (dims > m->dims) {
        cut->notes |= MATRYOSHKA_DIMS_NATIVE;
        return 0;
    }
    if (dims < m->dims_least)
        return err_set(err, VSR_E_INVALID, "%zu dimensions: the model can be cut to %zu and more", dims, m->dims_least);
    if (!is_listed(m, dims))
        return err_set(err, VSR_E_INVALID, "%zu dimensions: the model can be cut to %s", dims,
                       listed_names(m, names, sizeof(names)));
    cut->dims = dims;
    return 0;
}

static int fit_layers(const struct matryoshka *m, size_t layers, struct matryoshka_cut *cut, struct vsr_err *err) {
    if (layers == 0)
        return 0;
    if (!m->leaves_early) {
        cut->notes |= MATRYOSHKA_LAYERS_IGNORED;
        return 0;
    }
    if (layers > m->layers)
        return err_set(err, VSR_E_LIMIT, "layer %zu, the model has %zu", layers, m->layers);
    if (!is_trained(m, layers) && layers < m->layers)
        cut->notes |= MATRYOSHKA_LAYERS_UNTRAINED;
    cut->layers = layers == m->layers ? 0 : layers;
    return 0;
}

int matryoshka_fit(const struct matryoshka *matryoshka, size_t dims, size_t layers, struct matryoshka_cut *ret,
                   struct vsr_err *err) {
    struct matryoshka_cut cut = { .notes = 0 };
    int rc = fit_dims(matryoshka, dims, &cut, err);
    if (rc == 0)
        rc = fit_layers(matryoshka, layers, &cut, err);
    if (rc == 0)
        *ret = cut;
    return rc;
}

static vsr_str layer_names(const struct matryoshka *m, struct arena *arena) {
    vsr_str names = { 0 };
    for (size_t i = 0; i < m->n_trained; i++)
        names = arena_printf(arena, "%.*s%s%u", VSR_FMT(names),
                             i == 0                  ? ""
                             : i + 1 == m->n_trained ? " or "
                                                     : ", ",
                             m->trained[i]);
    return names;
}

vsr_str matryoshka_note_text(const struct matryoshka *matryoshka, enum matryoshka_note note, struct arena *arena) {
    switch (note) {
    case MATRYOSHKA_DIMS_NATIVE:
        return arena_printf(arena, "the model has %zu dimensions: vectors are not cut", matryoshka->dims);
    case MATRYOSHKA_LAYERS_IGNORED:
        return arena_printf(arena, "the model cannot be left early: all of its %zu layers run", matryoshka->layers);
    case MATRYOSHKA_LAYERS_UNTRAINED:
        return arena_printf(arena, "the model was trained to be left after layer %.*s",
                            VSR_FMT(layer_names(matryoshka, arena)));
    }
    return VSR_STR("");
}
