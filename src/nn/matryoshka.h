/*
 * matryoshka - the sizes that an embedder's vectors may be cut to, and the layers after which it may be left.
 *
 *     family       dimensions                                     layers
 *     ModernBERT   any                                            any; trained for those that the files name
 *     Qwen3        32 and more                                    all
 *     Gemma        of EmbeddingGemma 768, 512, 256 or 128         all
 *     multi-modal  those that config.json lists                   any of its texts' part
 *     others       any                                            all
 *
 * More dimensions than there are give all of them, and layers of a model that is not left early are not looked at: both
 * are no errors but notes, for the caller to warn by. Immutable; any thread. Source: inference.md section 4.6.
 */
#ifndef VSR_NN_MATRYOSHKA_H
#define VSR_NN_MATRYOSHKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder_config.h"

struct arena;
struct multimodal;

enum { MATRYOSHKA_DIMS_LISTED = 8 };

struct matryoshka {
    size_t dims;                                     /* of a whole vector */
    size_t dims_least;                               /* it can be cut to */
    size_t n_listed, listed[MATRYOSHKA_DIMS_LISTED]; /* it can be cut to these only; none: to any */
    size_t layers;                                   /* of the model */
    bool leaves_early;
    size_t n_trained; /* layers that it was trained to be left after, in ascending order; none: not known */
    uint8_t trained[ENCODER_LAYERS_MAX];
    vsr_str warning; /* that the operator should see; empty: none */
};

enum matryoshka_note {
    MATRYOSHKA_DIMS_NATIVE = 1u << 0,      /* more were asked for than there are */
    MATRYOSHKA_LAYERS_IGNORED = 1u << 1,   /* this model runs all of its layers */
    MATRYOSHKA_LAYERS_UNTRAINED = 1u << 2, /* it was trained to be left after others */
};

/* What a call gets. */
struct matryoshka_cut {
    size_t dims;    /* of the vector */
    size_t layers;  /* 0: all */
    unsigned notes; /* enum matryoshka_note */
};

/* Of a model directory; `dims` is the size of a whole vector. Reads onnx/model_config.json where it is, which says of a
 * ModernBERT embedder which layers it was trained for; if it cannot be used, for whatever reason, they are not known,
 * and `warning`, in `arena`, says why. VSR_E_NOMEM. */
int matryoshka_read(struct arena *arena, vsr_str directory, const struct encoder_config *config, size_t dims,
                    struct matryoshka *ret, struct vsr_err *err) VSR_MUST_CHECK;
/* The same of a directory of several models. */
struct matryoshka matryoshka_of_multimodal(const struct multimodal *multimodal);
/* The text of that file. VSR_E_INVALID, VSR_E_SYNTAX, VSR_E_LIMIT, VSR_E_NOMEM; then `trained` is not to be used. */
int matryoshka_layers_parse(vsr_str json, struct matryoshka *matryoshka, struct vsr_err *err) VSR_MUST_CHECK;

/* 0 asks for all. VSR_E_INVALID for a size that the model was not trained for, VSR_E_LIMIT past its last layer. */
int matryoshka_fit(const struct matryoshka *matryoshka, size_t dims, size_t layers, struct matryoshka_cut *ret,
                   struct vsr_err *err) VSR_MUST_CHECK;

/* One line about one note of a cut, for people. In `arena`. */
vsr_str matryoshka_note_text(const struct matryoshka *matryoshka, enum matryoshka_note note, struct arena *arena);

#endif
