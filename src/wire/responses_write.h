/*
 * responses_write - requests to a backend that speaks the Responses API.
 *
 * From a client that speaks it, too: the client's own body, edited; what it refers to here (previous_response_id) is
 * put in its place, since the backend never had it, and nothing is kept there. From any other client: the request as
 * chat, written anew. Pure: any thread.
 */
#ifndef VSR_WIRE_RESPONSES_WRITE_H
#define VSR_WIRE_RESPONSES_WRITE_H

#include <stdbool.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;
struct buf;
struct responses_chat;
struct responses_request;
struct warnings;

/* Appends the body for the backend's model `model_id`. `effort`: what a decision says about reasoning; empty: what the
 * request says. VSR_E_INVALID, VSR_E_LIMIT, VSR_E_NOMEM. */
int responses_forward(struct arena *arena, const struct responses_request *request, const struct responses_chat *chat,
                      vsr_str model_id, vsr_str effort, struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

/* The same from a request as chat. */
int chat_to_responses(struct arena *arena, const struct json_doc *chat, vsr_str model_id, vsr_str effort,
                      struct warnings *warnings, struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

#endif
