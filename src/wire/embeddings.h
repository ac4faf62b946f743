/*
 * embeddings - what `POST /v1/embeddings` asks for, and the answer of vectors that were made here.
 *
 * Pure: any thread.
 */
#ifndef VSR_WIRE_EMBEDDINGS_H
#define VSR_WIRE_EMBEDDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;
struct buf;

enum { EMBEDDINGS_INPUTS_MAX = 2048 }; /* of one request, as OpenAI's API says */

struct embeddings_request {
    const vsr_str *inputs; /* [n], none of them empty */
    size_t n;
    size_t dimensions; /* 0: all that there are */
    bool base64;       /* `encoding_format` */
};

/*
 * Reads all but `model`. VSR_E_INVALID with words for the client (err->where is the member), VSR_E_NOMEM. Lists of
 * token ids are refused: they are numbers of another model's vocabulary.
 */
int embeddings_read(struct arena *arena, const struct json_doc *doc, struct embeddings_request *ret_request,
                    struct vsr_err *err) VSR_MUST_CHECK;

struct embeddings_answer {
    vsr_str model;
    const float *vectors; /* [n][width] */
    size_t n, width;
    uint64_t prompt_tokens;
    bool base64; /* little-endian 32-bit floats */
};

/* Appends the JSON object. Failure is the buffer's sticky error. */
void embeddings_write(struct buf *out, const struct embeddings_answer *answer);

#endif
