/*
 * responses_chat - a Responses API request as a Chat Completions request (gateway.md 6.1).
 *
 * Signals, plugins and chat backends know Chat Completions; a Responses request is brought there once, together with
 * the turns that `previous_response_id` stands for:
 *
 *     [system: instructions] + for each stored turn, oldest first, its input and its output + the request's input
 *
 * Items become messages: consecutive function calls one assistant message, together with the text and the reasoning
 * before them; outputs of tools stand directly behind the message that called them, wherever the client put them.
 * Reasoning goes along only behind the last user message, within a loop of tool calls: before it backends ignore it,
 * and some refuse it. What chat cannot say is dropped with a warning; what would change the task (an item that stands
 * for something stored elsewhere, an output that belongs to no call) is an error of the caller. Tools that are no
 * functions are left out here: whether somebody can run them is known when the backend is (responses_request.h,
 * foreign_tool). Pure: any thread.
 */
#ifndef VSR_WIRE_RESPONSES_CHAT_H
#define VSR_WIRE_RESPONSES_CHAT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct buf;
struct responses_request;
struct warnings;

enum { RESPONSES_ITEMS_MAX = 1 << 20 }; /* of all turns together; bounds what one chain may cost */

/* A stored turn: arrays of items, as responses_input_items() and the response's `output` are. */
struct responses_turn {
    vsr_str input, output;
};

struct responses_chat {
    const struct responses_turn *turns; /* oldest first */
    size_t n_turns;
    bool trimmed; /* older turns were left out: outputs whose call is gone are dropped, not refused */
    /* Opens an `encrypted_content`: 0 and its text, or VSR_E_INVALID. NULL: sealed reasoning is dropped. */
    int (*unseal)(void *user, struct arena *arena, vsr_str sealed, vsr_str *ret_text);
    void *unseal_user;
};

/*
 * Appends the request as a Chat Completions body to `out`. VSR_E_INVALID with a message for the client and what is
 * wrong in err->where (`input[3].call_id`); VSR_E_LIMIT (items, or the buffer's ceiling); VSR_E_NOMEM.
 */
int responses_to_chat(struct arena *arena, const struct responses_request *request, const struct responses_chat *chat,
                      struct warnings *warnings, struct buf *out, struct vsr_err *err) VSR_MUST_CHECK;

#endif
