/*
 * backend_media - what a stand-in makes that is no text: embeddings and pictures.
 *
 * Both follow from what was asked: the same text has the same embedding, of length one; the same prompt gives a picture
 * of the same colour, a PNG of one pixel, whatever size was wanted.
 */
#ifndef VSR_CLI_BACKEND_MEDIA_H
#define VSR_CLI_BACKEND_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct backend_refusal;
struct buf;

enum {
    BACKEND_EMBEDDING_DIMENSIONS = 64,
    BACKEND_EMBEDDING_DIMENSIONS_MAX = 4096,
    BACKEND_EMBEDDING_INPUTS_MAX = 2048,
    BACKEND_IMAGES_MAX = 10,
};

/* Answers POST /v1/embeddings. False: refused. */
bool backend_embeddings(struct arena *arena, vsr_str body, struct buf *out, struct backend_refusal *ret_refusal);

/* Answers POST /v1/images/generations. False: refused. */
bool backend_images(struct arena *arena, vsr_str body, uint64_t created_s, struct buf *out,
                    struct backend_refusal *ret_refusal);

/* Appends the picture of that prompt in base64. */
void backend_picture(vsr_str prompt, struct buf *out);

#endif
