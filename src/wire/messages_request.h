/*
 * messages_request - requests of Anthropic Messages as Chat Completions, and back (gateway.md 7.1, 7.2).
 *
 * Signals, decisions and plugins read and edit Chat Completions; what that cannot say goes into a sidecar. Unknown
 * roles and blocks never fail a request: they are left out with a warning. Warnings speak of a translation for good;
 * where the client's own body or its sidecar reaches an Anthropic backend nothing was lost, and the caller drops them.
 *
 * Decisions where the protocols differ:
 *   - a message whose content is one text block becomes a plain string, which every server takes; several blocks are
 *     parts;
 *   - a user message of which nothing can be said in chat is an empty one, so that its blocks keep their place;
 *   - thinking blocks without a signature are dropped: vsr makes those itself of other models' reasoning, and Anthropic
 *     refuses them;
 *   - system messages stand in one `system` however far down they were: joined by a blank line, or as blocks when the
 *     client's own blocks are among them.
 */
#ifndef VSR_WIRE_MESSAGES_REQUEST_H
#define VSR_WIRE_MESSAGES_REQUEST_H

#include <stdbool.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;
struct buf;
struct chat_reasoning;
struct sidecar;
struct warnings;

enum { MESSAGES_MAX_TOKENS_DEFAULT = 4096 };

/*
 * Whether the document has what every Messages request must have, whatever backend it is for: VSR_E_INVALID and a
 * message for the client, which names the field. `max_tokens` may be left out: MESSAGES_MAX_TOKENS_DEFAULT.
 */
int messages_check(const struct json_doc *doc, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Appends the request as Chat Completions to `out` and fills `ret_sidecar`, whose slices borrow from the document's
 * text. `warnings` may be NULL. Fails with VSR_E_INVALID as messages_check() does, VSR_E_NOMEM or VSR_E_LIMIT.
 */
int messages_to_chat(struct arena *arena, const struct json_doc *doc, struct sidecar *ret_sidecar,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

struct messages_write {
    const struct sidecar *sidecar; /* of the client's request; NULL: it did not speak Messages */
    vsr_str model_id;              /* the backend's name of the model; empty: as the document says */
    bool stream;
    const struct chat_reasoning *reasoning; /* what a decision says; NULL: nothing, the client's `thinking` stays */
};

/*
 * Appends a Chat Completions request as one for an Anthropic backend to `out`. Fails with VSR_E_INVALID where it cannot
 * be said (arguments of a tool call that are no JSON object), VSR_E_NOMEM or VSR_E_LIMIT; the text is for the client,
 * to whom the caller says "Request transformation error: " before it.
 */
int chat_to_messages(struct arena *arena, const struct json_doc *doc, const struct messages_write *options,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

#endif
