/*
 * sidecar - what an Anthropic request says that Chat Completions cannot, for the way back to an Anthropic backend.
 *
 * messages_to_chat() notes for every chat message and tool that it writes which Anthropic blocks it stands for.
 * chat_to_messages() finds a message or tool that nobody has changed by its bytes, and puts the client's own blocks in
 * its place: cache_control, thinking with its signature, is_error, result arrays, documents, all byte for byte,
 * wherever plugins have moved it and whatever they put beside it. A changed message is translated like any other; tool
 * results and calls are then recognised by their ids, so that is_error and signed thinking still survive.
 *
 * Slices borrow from the client's body or live in the request's arena. Written once, read-only afterwards.
 */
#ifndef VSR_WIRE_SIDECAR_H
#define VSR_WIRE_SIDECAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

enum { SIDECAR_LOOK_MAX = 1024 };

/* Bytes that were written, known by length and hash: a copy would double the memory of a long conversation. */
struct sidecar_mark {
    size_t len;
    uint64_t hash;
};

struct sidecar_origin {
    struct sidecar_mark written; /* the chat message or tool, as JSON text */
    vsr_str raw;                 /* the Anthropic blocks (joined by commas), or the tool, as JSON text */
    vsr_str thinking;            /* assistant: the thinking blocks among them, joined by commas */
    vsr_str result_id;           /* of a result: the call's id; else empty */
    vsr_str call_id;             /* of an assistant message: its first call's id; else empty */
    bool is_error;               /* of a result */
};

struct sidecar_origins {
    struct sidecar_origin *items;
    size_t n, cap;
};

struct sidecar {
    struct arena *arena;
    struct sidecar_origins messages, tools;
    struct sidecar_mark system_written; /* the chat message of `system` */
    vsr_str system;                     /* raw string or array; empty: there was none */
    vsr_str server_tools;               /* raw tools that the provider runs, joined by commas */
    vsr_str thinking, metadata, top_k;  /* raw members */
    vsr_str user_id;                    /* metadata.user_id, decoded */
    vsr_str tool_choice;                /* raw member */
    struct sidecar_mark tool_choice_written;
    vsr_str output_config;                       /* raw member */
    struct sidecar_mark response_format_written; /* its format, if it has one */
    vsr_str members;                             /* further top-level members, `"name":value` joined by commas */
};

/* Keeps `arena`. */
void sidecar_init(struct sidecar *sidecar, struct arena *arena);

struct sidecar_mark sidecar_mark(vsr_str written);
bool sidecar_mark_is(struct sidecar_mark mark, vsr_str text);

/* 0 or VSR_E_NOMEM. Keeps the origin's slices. */
int sidecar_note(struct sidecar *sidecar, struct sidecar_origins *origins, const struct sidecar_origin *origin);

/*
 * The origin of exactly these bytes: the first one at or behind `*cursor`, else the first one at all, since equal
 * messages may stand for different blocks. Moves the cursor behind it. NULL when there is none. Looks at no more than
 * SIDECAR_LOOK_MAX origins: plugins change or add a few messages, and a long list of changed ones must not cost a
 * search through everything for each.
 */
const struct sidecar_origin *sidecar_find(const struct sidecar_origins *origins, vsr_str written, size_t *cursor);

/* The last origin with this id, which is not empty, within the same limit. NULL when there is none. */
const struct sidecar_origin *sidecar_find_result(const struct sidecar *sidecar, vsr_str result_id);
const struct sidecar_origin *sidecar_find_call(const struct sidecar *sidecar, vsr_str call_id);

#endif
