/*
 * chat_reasoning - switches a model's reasoning on or off in a Chat Completions request.
 *
 * The table of config.md 6.6: what is written depends on the model's reasoning family (how its template or API takes
 * the switch) and on the dialect of the endpoint that will be called. A pure function over an edit. For backends that
 * speak Anthropic's protocol, messages_edit.h and messages_request.h read the same struct.
 */
#ifndef VSR_WIRE_CHAT_REASONING_H
#define VSR_WIRE_CHAT_REASONING_H

#include <stdbool.h>

#include "core/err.h"
#include "core/json.h"
#include "core/json_edit.h"
#include "core/str.h"

struct arena;

/* Same order as enum config_reasoning_type and enum config_dialect, which live on this floor too and cannot be
 * included. */
enum chat_family { CHAT_FAMILY_TEMPLATE_KWARGS, CHAT_FAMILY_EFFORT, CHAT_FAMILY_TOP_LEVEL_EFFORT, CHAT_FAMILY_NONE };
enum chat_dialect {
    CHAT_DIALECT_VLLM,
    CHAT_DIALECT_OPENAI,
    CHAT_DIALECT_DEEPSEEK,
    CHAT_DIALECT_OPENROUTER,
    CHAT_DIALECT_GENERIC
};

struct chat_reasoning {
    enum chat_family family;
    enum chat_dialect dialect;
    vsr_str parameter; /* of the family; may be dotted for a nested top-level member */
    vsr_str effort;    /* empty: medium */
    bool on;
};

/* Without a family nothing is changed: the client's own `reasoning_effort` survives. 0, VSR_E_INVALID or VSR_E_NOMEM.
 */
int chat_reasoning_apply(struct arena *arena, struct json_edit *edit, const struct json_doc *doc,
                         const struct chat_reasoning *reasoning, struct vsr_err *err) VSR_MUST_CHECK;

#endif
