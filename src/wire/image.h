/*
 * image - asking a backend for a picture, reading what it gave, and saying it as an answer of Chat Completions
 * (gateway.md 14).
 *
 * Two kinds of backend: those that speak OpenAI's images API, and diffusion or omni models behind vLLM, which are asked
 * by a chat completion. Pure: any thread.
 */
#ifndef VSR_WIRE_IMAGE_H
#define VSR_WIRE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"
#include "wire/usage.h"

struct arena;
struct buf;

enum image_backend { IMAGE_OMNI, IMAGE_OPENAI };

struct image_request {
    enum image_backend backend;
    vsr_str model, prompt;
    int64_t width, height;
    vsr_str quality, style; /* IMAGE_OPENAI; empty: not said */
    int64_t steps;          /* the rest: IMAGE_OMNI */
    double cfg_scale;
    bool has_seed;
    int64_t seed;
};

/* Appends the body. Failure is the buffer's sticky error. */
void image_write_request(struct buf *out, const struct image_request *request);

struct image_answer {
    vsr_str url;  /* http, https, or data: */
    vsr_str text; /* what an omni model said beside it; may be empty */
    struct usage usage;
};

/*
 * Reads an answer of status 200. VSR_E_INVALID when there is no picture in it, VSR_E_NOMEM. The url lives in `arena` or
 * the document's text.
 */
int image_read_answer(struct arena *arena, const struct json_doc *doc, enum image_backend backend,
                      struct image_answer *ret_answer, struct vsr_err *err) VSR_MUST_CHECK;

struct image_chat {
    vsr_str id, model;
    int64_t created;
    vsr_str text, url; /* either may be empty, not both */
    struct usage usage;
    bool streamed;      /* one chunk with all of it, one that ends it, `[DONE]` */
    bool include_usage; /* streamed: the client asked for it */
};

/* Appends a chat completion whose content is a list of parts, or its stream. */
void image_write_chat(struct buf *out, const struct image_chat *chat);

/* The text without the first of the prefixes that it begins with, whatever their case; blanks around it are cut. */
vsr_str image_prompt(vsr_str text, const vsr_str *prefixes, size_t n);

#endif
