/*
 * messages_to_chat - one translation of a Messages request to Chat Completions, while it is written.
 *
 * Private to the files messages_to_chat*.c, which stand for the parts of the request; messages_request.h is what others
 * call. Whatever is written for a block, a message or a tool of the client is noted in the sidecar together with its
 * bytes, so that the way back finds them.
 */
#ifndef VSR_WIRE_MESSAGES_TO_CHAT_H
#define VSR_WIRE_MESSAGES_TO_CHAT_H

#include "core/json_write.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

struct arena;

/* `failed` is sticky: the sidecar found no memory. */
struct to_chat {
    struct arena *arena;
    const struct json_doc *doc;
    struct sidecar *sidecar;
    struct warnings *warnings;
    struct json_writer w;
    size_t message_start; /* of the message that is being written, in the output */
    size_t message;       /* its place in the request, for warnings */
    bool failed;
};

/* ---- messages_to_chat_write.c */

/* A string's text; empty for anything else. */
vsr_str to_chat_text(struct to_chat *job, json_ref string);

/* The elements of an array that pass, as the client wrote them, joined by commas in the arena. */
vsr_str to_chat_join(struct to_chat *job, json_ref content, bool (*passes)(const struct to_chat *, json_ref));

/* The warning's detail is the `type` of `block`, where it has one (JSON_NONE: none). */
void to_chat_warn(struct to_chat *job, enum warning_severity severity, const char *reason, vsr_str field,
                  json_ref block);
/* About block `index` of the message, or element `index` of `list`. */
void to_chat_warn_block(struct to_chat *job, enum warning_severity severity, const char *reason, size_t index,
                        json_ref block);
void to_chat_warn_item(struct to_chat *job, enum warning_severity severity, const char *reason, const char *list,
                       size_t index, json_ref item);

/* A message up to its role; its content follows. The end tells how to find it again. */
void to_chat_begin_message(struct to_chat *job, vsr_str role);
struct sidecar_mark to_chat_end_message(struct to_chat *job);
void to_chat_note(struct to_chat *job, struct sidecar_origins *origins, const struct sidecar_origin *origin);

/* `content` of a run of parts; nothing is written before the first, so that a lone text can be a string. */
struct to_chat_parts {
    json_ref lone; /* a text that may still turn out to be alone */
    bool open;
};

#define TO_CHAT_PARTS_NONE ((struct to_chat_parts){ .lone = JSON_NONE })

/* Anything but a string that is not empty adds nothing. */
void to_chat_add_text(struct to_chat *job, struct to_chat_parts *parts, json_ref string);
/* A part of another kind follows. */
void to_chat_open_parts(struct to_chat *job, struct to_chat_parts *parts);
/* `empty` is written where there was nothing: a string or null. */
void to_chat_close_parts(struct to_chat *job, struct to_chat_parts *parts, vsr_str empty);

/* ---- messages_to_chat_user.c, messages_to_chat_assistant.c: messages of blocks */

void to_chat_user(struct to_chat *job, json_ref content);
void to_chat_assistant(struct to_chat *job, json_ref content);

/* ---- messages_to_chat_tools.c: what is no tool of a client stays in the sidecar */

void to_chat_tools(struct to_chat *job, json_ref tools);
void to_chat_tool_choice(struct to_chat *job, json_ref choice);

#endif
