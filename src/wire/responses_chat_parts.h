/*
 * responses_chat_parts - one translation of a Responses request to Chat Completions, while it is made.
 *
 * Private to the files responses_chat*.c; responses_chat.h is what others call, and tells what becomes of what.
 */
#ifndef VSR_WIRE_RESPONSES_CHAT_PARTS_H
#define VSR_WIRE_RESPONSES_CHAT_PARTS_H

#include "core/json_write.h"
#include "wire/responses_chat.h"
#include "wire/warnings.h"

/* What an item is to a conversation in chat. */
enum chat_item_kind {
    CHAT_ITEM_MESSAGE,   /* of user, system or developer */
    CHAT_ITEM_ASSISTANT, /* a message of the assistant */
    CHAT_ITEM_CALL,      /* function_call */
    CHAT_ITEM_OUTPUT,    /* function_call_output */
    CHAT_ITEM_DONE_CALL, /* mcp_call: a call and its output in one */
    CHAT_ITEM_REASONING,
    CHAT_ITEM_DROPPED,
};

struct chat_item {
    const struct json_doc *doc;
    json_ref ref;
    enum chat_item_kind kind;
    bool own;        /* of the request itself, not of a stored turn */
    bool answered;   /* OUTPUT: stands behind its call */
    size_t index;    /* in its array */
    vsr_str call_id; /* CALL, OUTPUT */
    size_t output;   /* CALL: index of its output + 1; 0: none */
};

/* `failed` is 0 or a sticky code. */
struct responses_translation {
    struct arena *arena;
    const struct responses_request *request;
    const struct responses_chat *chat;
    struct warnings *warnings;
    struct vsr_err *err;
    struct json_writer w;
    struct chat_item *items;
    size_t n, cap;
    size_t last_user; /* index of the last message of the user + 1; 0: none */
    int failed;

    /* The message of the assistant that is being put together: indexes into items. */
    size_t reasoning, text;        /* + 1; 0: none */
    size_t calls_begin, calls_end; /* items in between that are calls; begin == end: none */
};

/*
 * responses_chat_items.c: the items of the stored turns and of the request, each read and checked, outputs beside their
 * calls. The first thing that is wrong stays: at a member of an item ("": the item itself), or as a whole.
 */
void responses_chat_read(struct responses_translation *t);
json_ref responses_chat_member(const struct chat_item *item, const char *name);
int responses_chat_fail(struct responses_translation *t, int code, const char *text);
int responses_chat_refuse(struct responses_translation *t, const struct chat_item *item, const char *member,
                          const char *text);
void responses_chat_warn(struct responses_translation *t, enum warning_severity severity, const char *reason,
                         const struct chat_item *item, vsr_str detail);

/* responses_chat_messages.c: `messages`, of the instructions, the items and an input that is text */
void responses_chat_messages(struct responses_translation *t);

#endif
