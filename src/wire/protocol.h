/*
 * protocol - the languages that clients and backends of language models speak. Any thread.
 */
#ifndef VSR_WIRE_PROTOCOL_H
#define VSR_WIRE_PROTOCOL_H

#include "core/str.h"

struct arena;

enum protocol {
    PROTOCOL_CHAT,     /* OpenAI Chat Completions: what signals and plugins read, and requests are translated through */
    PROTOCOL_MESSAGES, /* Anthropic Messages */
    PROTOCOL_RESPONSES, /* OpenAI Responses */
    PROTOCOL_COMPLETIONS,
    PROTOCOL_EMBEDDINGS,
    PROTOCOL_IMAGES,
    PROTOCOL_COUNT
};

/* As in headers, logs and metrics: "openai", "anthropic", "openai-responses", "openai-completions", ... */
vsr_str protocol_name(enum protocol protocol);

enum { PROTOCOL_ID_LEN = 24 };

/*
 * `prefix` and PROTOCOL_ID_LEN hexadecimal digits from the kernel's generator, in `arena`: ids of answers and items
 * that nobody can guess ("chatcmpl-", "msg_", "toolu_", "call_", "resp_", ...).
 */
vsr_str protocol_mint_id(struct arena *arena, vsr_str prefix);

#endif
