/*
 * multimodal - a directory that holds several models of one space: an embedder of texts, and one of pictures.
 *
 *     config.json          embedding_dim, text_hidden_size, text_num_layers, matryoshka_dims; no family of encoders
 *     model.safetensors    text_encoder.encoder.*     BERT
 *                          image_encoder.*            vision_encoder.*: SigLIP (nn/vision.h); projection.*
 *                          audio_encoder.*            not read: nothing asks for sound
 *
 * The configuration says little, so sizes are those of the tensors; heads have 32 dimensions in the text part and 64 in
 * the other, as in the published model. What the file has beside these parts is an error. inference.md section 6.
 */
#ifndef VSR_NN_MULTIMODAL_H
#define VSR_NN_MULTIMODAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/encoder_config.h"

struct json_doc;
struct weights;

enum { MULTIMODAL_CUTS_MAX = 8 };

struct multimodal {
    size_t dims;                                  /* of all vectors */
    size_t n_cuts, cuts[MULTIMODAL_CUTS_MAX];     /* dimensions that they were trained to be cut to; none: not said */
    struct encoder_config text, image;            /* image: hidden 0 where the file has no such part */
    struct weights *text_weights, *image_weights; /* chosen and with a reference each; image: NULL without the part */
};

/* Whether the text of a config.json is of such a directory. */
bool multimodal_is(vsr_str json);
bool multimodal_is_doc(const struct json_doc *doc);

/* Reads configuration and shapes, no numbers. VSR_E_INVALID and VSR_E_NOT_FOUND name key or tensor. */
int multimodal_open(vsr_str directory, vsr_str json, struct multimodal *ret, struct vsr_err *err) VSR_MUST_CHECK;
/* Of what is all 0 too. */
void multimodal_close(struct multimodal *multimodal);

#endif
