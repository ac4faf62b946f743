/*
 * completions_request - a legacy completion (POST /v1/completions) as signals read it.
 *
 * Its body goes to the backend as it is; only for routing the `prompt` stands as one user message of a chat request:
 * a text as it is, several texts joined by a line end, tokens as an empty message, since what they say is not known.
 * `model`, `stream`, `stream_options`, `max_tokens`, `metadata` and `user` are taken over. Pure; any thread.
 */
#ifndef VSR_WIRE_COMPLETIONS_REQUEST_H
#define VSR_WIRE_COMPLETIONS_REQUEST_H

#include "core/err.h"
#include "core/json.h"

struct arena;
struct buf;

/*
 * Appends the chat request to `out_chat`. Fails with VSR_E_INVALID and a message for the client (err->where is the
 * member), or VSR_E_NOMEM. A member may not occur twice.
 */
int completions_to_chat(struct arena *arena, const struct json_doc *doc, struct buf *out_chat,
                        struct vsr_err *err) VSR_MUST_CHECK;

#endif
