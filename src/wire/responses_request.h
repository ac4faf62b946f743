/*
 * responses_request - what a Responses API request says (gateway.md 6.1).
 *
 * Reads and checks the members that vsr acts on; the others stay where they are, in the client's text. What the request
 * is as Chat Completions is responses_chat.h. Everything lives in the arena or borrows the request's text. Pure: any
 * thread.
 */
#ifndef VSR_WIRE_RESPONSES_REQUEST_H
#define VSR_WIRE_RESPONSES_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"

struct arena;
struct buf;

/* Members of the request, in the order of responses_member_names. */
enum responses_member {
    RESPONSES_BACKGROUND,
    RESPONSES_CONVERSATION,
    RESPONSES_CONVERSATION_ID,
    RESPONSES_INCLUDE,
    RESPONSES_INPUT,
    RESPONSES_INSTRUCTIONS,
    RESPONSES_MAX_OUTPUT_TOKENS,
    RESPONSES_MAX_TOOL_CALLS,
    RESPONSES_METADATA,
    RESPONSES_MODEL,
    RESPONSES_PARALLEL_TOOL_CALLS,
    RESPONSES_PREVIOUS_RESPONSE_ID,
    RESPONSES_PROMPT,
    RESPONSES_PROMPT_CACHE_KEY,
    RESPONSES_REASONING,
    RESPONSES_SAFETY_IDENTIFIER,
    RESPONSES_SERVICE_TIER,
    RESPONSES_STORE,
    RESPONSES_STREAM,
    RESPONSES_TEMPERATURE,
    RESPONSES_TEXT,
    RESPONSES_TOOL_CHOICE,
    RESPONSES_TOOLS,
    RESPONSES_TOP_LOGPROBS,
    RESPONSES_TOP_P,
    RESPONSES_TRUNCATION,
    RESPONSES_USER,
    RESPONSES_MEMBERS,
};

enum { RESPONSES_CONVERSATION_LEN_MAX = 256 }; /* as ids that a store keeps */

struct responses_request {
    const struct json_doc *doc;
    json_ref members[RESPONSES_MEMBERS]; /* JSON_NONE: absent or null */
    vsr_str model, instructions, previous_response_id, conversation_id;
    bool stream, background;
    bool store;                     /* default true */
    bool wants_encrypted_reasoning; /* include: reasoning.encrypted_content */
    bool wants_logprobs;            /* include: message.output_text.logprobs, or top_logprobs */
    bool wants_image;               /* tools: image_generation */
    bool wants_mcp;                 /* tools: mcp */
    vsr_str foreign_tool;           /* type of the first tool that is neither a function nor one of these two */
};

/* Raw JSON of a member; empty when it is absent. */
vsr_str responses_raw(const struct responses_request *request, enum responses_member member);

/*
 * Reads and checks the request. Keeps `doc`. VSR_E_INVALID with a message for the client and the member in err->where;
 * VSR_E_NOMEM.
 */
int responses_read(struct arena *arena, const struct json_doc *doc, struct responses_request *ret_request,
                   struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Appends the request's own items as a JSON array as they are stored and listed: a text is a message of the user, each
 * item has an id, a type and a status. New ids follow from `response_id` and the item's place, so that they are the
 * same whenever they are asked for.
 */
int responses_input_items(struct arena *arena, const struct responses_request *request, vsr_str response_id,
                          struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

#endif
