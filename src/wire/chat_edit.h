/*
 * chat_edit - the changes that routing makes to a Chat Completions request.
 *
 * Each function adds edits to a json_edit over the client's own bytes, so all that is not named here survives as it was
 * written (gateway.md 4.1). How reasoning is switched on and off is chat_reasoning.h. One thread, as the edit.
 */
#ifndef VSR_WIRE_CHAT_EDIT_H
#define VSR_WIRE_CHAT_EDIT_H

#include "core/err.h"
#include "core/json.h"
#include "core/json_edit.h"
#include "core/str.h"

struct arena;

/* `model` becomes `model_id`; no edit when it is that already. 0, VSR_E_INVALID or VSR_E_NOMEM. */
int chat_edit_model(struct arena *arena, struct json_edit *edit, const struct json_doc *doc, vsr_str model_id,
                    struct vsr_err *err) VSR_MUST_CHECK;

/* Makes a streaming backend report usage: stream_options.include_usage = true; other members of stream_options stay. */
int chat_edit_include_usage(struct json_edit *edit, const struct json_doc *doc, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Sets the value at a path of member names, where everything on the way that is no object is replaced by one. `raw` is
 * JSON text.
 */
int chat_edit_set(struct arena *arena, struct json_edit *edit, const vsr_str *keys, size_t n_keys, vsr_str raw,
                  struct vsr_err *err) VSR_MUST_CHECK;

/* `text` as a JSON string in the arena. */
vsr_str chat_edit_quote(struct arena *arena, vsr_str text);

#endif
