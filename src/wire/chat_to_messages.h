/*
 * chat_to_messages - one translation of a Chat Completions request to Messages, while it is written.
 *
 * Private to the files chat_to_messages*.c, which stand for the parts of the request; messages_request.h is what others
 * call. Members of the body that have a part of their own are written by its function, the rest by
 * chat_to_messages.c.
 */
#ifndef VSR_WIRE_CHAT_TO_MESSAGES_H
#define VSR_WIRE_CHAT_TO_MESSAGES_H

#include "core/json_write.h"

struct arena;
struct messages_write;
struct sidecar;
struct vsr_err;
struct warnings;

/* Whose turn of the conversation a message belongs to: results of tools are said by the user. */
enum turn { TURN_NONE, TURN_USER, TURN_ASSISTANT, TURN_SYSTEM };

/* `rc` is sticky; `err` tells what was wrong. */
struct to_messages {
    struct arena *arena;
    const struct json_doc *doc;
    const struct messages_write *options;
    const struct sidecar *sidecar; /* never NULL: an empty one stands for none */
    struct warnings *warnings;
    struct vsr_err *err;
    struct json_writer w;
    enum turn open; /* whose message is open, in its content array */
    size_t cursor;  /* in the sidecar's messages */
    size_t message; /* place of the message that is read */
    int64_t max_tokens;
    bool results_last; /* the conversation ends in results of tools */
    bool has_thinking; /* the last assistant message begins with signed thinking */
    int rc;
};

/* chat_to_messages_turns.c: `messages`, and what it leaves to the system prompt */
void to_messages_turns(struct to_messages *job, json_ref messages);
enum turn to_messages_turn_of(const struct to_messages *job, json_ref message);
/* A text block in the open array; of TURN_USER and TURN_ASSISTANT, which is opened for it. `quoted`: a raw string. */
void to_messages_text_block(struct to_messages *job, enum turn turn, vsr_str quoted);

/* chat_to_messages_system.c: `system`, where there is anything to say */
void to_messages_system(struct to_messages *job, json_ref messages);

/*
 * chat_to_messages_tools.c: `tools`; whether there are any. The client's server tools go with the others when a policy
 * has taken those out. `tool_choice` only then: `serial` when calls may not come side by side; under `thinking` nothing
 * is forced, because the API refuses both together.
 */
bool to_messages_tools(struct to_messages *job, json_ref tools, json_ref functions);
void to_messages_tool_choice(struct to_messages *job, json_ref choice, bool serial, bool thinking);

#endif
