/*
 * messages_edit - the changes that routing makes to an Anthropic Messages request that stays one.
 *
 * As chat_edit.h: edits over the client's own bytes, so that cache_control, signatures, documents and whatever else is
 * not named here survive as they were written. The model's name is edited with chat_edit_model(), as both protocols
 * call it `model`. One thread, as the edit.
 */
#ifndef VSR_WIRE_MESSAGES_EDIT_H
#define VSR_WIRE_MESSAGES_EDIT_H

#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/json_edit.h"
#include "core/str.h"

struct arena;
struct chat_reasoning;

enum {
    MESSAGES_BUDGET_LOW = 1024, /* and the least that Anthropic takes */
    MESSAGES_BUDGET_MEDIUM = 4096,
    MESSAGES_BUDGET_HIGH = 16384,
};

/*
 * Tokens that thinking may take at this effort, always fewer than `max_tokens`; 0: thinking stays off, because fewer
 * than MESSAGES_BUDGET_LOW would be left. An unknown effort is medium; `minimal` is low, `xhigh` and `max` are high.
 */
int64_t messages_thinking_budget(vsr_str effort, int64_t max_tokens);

/*
 * Whether thinking can be switched on: when the conversation ends in results of tools, Anthropic wants the assistant
 * message that called them to begin with its thinking, which only exists when it was on then.
 */
bool messages_may_think(const struct json_doc *doc);

/*
 * What a decision says of reasoning (config.md 6.6). On: `thinking` with its budget, without temperature, top_k and a
 * forced tool_choice, which the API refuses together with it. Off: no `thinking`; but a model without a reasoning
 * family keeps the client's.
 */
int messages_edit_reasoning(struct arena *arena, struct json_edit *edit, const struct json_doc *doc,
                            const struct chat_reasoning *reasoning, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Removes thinking blocks without a signature: vsr made them of another model's reasoning, and Anthropic refuses them.
 * `thinking` goes with them when it is impossible without (messages_may_think()).
 */
int messages_edit_unsigned_thinking(struct json_edit *edit, const struct json_doc *doc,
                                    struct vsr_err *err) VSR_MUST_CHECK;

/* Says MESSAGES_MAX_TOKENS_DEFAULT where the client left out what the API requires, as in a translation. */
int messages_edit_max_tokens(struct json_edit *edit, const struct json_doc *doc, struct vsr_err *err) VSR_MUST_CHECK;

/* Puts `text` before the system prompt, as a block of its own where that is blocks, so that caching keeps its marks. */
int messages_edit_system(struct arena *arena, struct json_edit *edit, const struct json_doc *doc, vsr_str text,
                         struct vsr_err *err) VSR_MUST_CHECK;

#endif
