/*
 * http_chat - one turn with a chat model: the question's body, and the text of the answer. Any thread.
 */
#ifndef VSR_EVIDENCE_HTTP_CHAT_H
#define VSR_EVIDENCE_HTTP_CHAT_H

#include "core/err.h"
#include "core/str.h"

struct arena;
struct buf;
struct json_doc;

#define HTTP_CHAT_SUFFIX "/v1/chat/completions"

enum http_chat_reply {
    HTTP_CHAT_TEXT,
    HTTP_CHAT_JSON,   /* the server is asked for a JSON object */
    HTTP_CHAT_SCHEMA, /* and for one of a certain form */
};

struct http_chat {
    vsr_str model;
    vsr_str system; /* empty: none */
    vsr_str user;
    double temperature;
    int64_t max_tokens;
    enum http_chat_reply reply;
    vsr_str schema;   /* HTTP_CHAT_SCHEMA: JSON text of ours */
    int top_logprobs; /* alternatives of each token that are asked for; 0: no log-probabilities */
};

void http_chat_write(struct buf *out, const struct http_chat *chat);

/*
 * What the model said: choices[0].message.content, text parts joined, without blanks around it and without a block of
 * thoughts (`<think>...</think>`) in front. Lives in `arena` or the body. VSR_E_SYNTAX, VSR_E_INVALID when there is
 * none, also when the model refused or was cut short before it said anything.
 */
int http_chat_read(vsr_str body, struct arena *arena, vsr_str *ret_text, struct vsr_err *err) VSR_MUST_CHECK;

/* The same of an answer that is needed for more; `*ret_doc` keeps `body`. */
int http_chat_parse(vsr_str body, struct arena *arena, struct json_doc *ret_doc, vsr_str *ret_text,
                    struct vsr_err *err) VSR_MUST_CHECK;

/* From the first `{` to the last `}`; empty: none. */
vsr_str http_chat_object(vsr_str text);

#endif
