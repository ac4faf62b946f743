/*
 * generate_model - the model that writes programs for `vsr dsl generate`: a server of Chat Completions, or a file of
 * canned answers. One thread; blocks while it waits.
 */
#ifndef VSR_CLI_GENERATE_MODEL_H
#define VSR_CLI_GENERATE_MODEL_H

#include "core/json.h"
#include "dsl/generate.h"

enum { GENERATE_MOCK_LEN_MAX = 64 << 20 };

struct generate_model {
    vsr_str url, model, key; /* `key` is empty for none */
    double temperature;
    uint64_t max_tokens, timeout_ms;

    bool canned; /* by generate_model_mock(): nothing is sent */
    vsr_str mock, mock_name;
    vsr_str next_line; /* what is left of `mock` */
    size_t line;

    int record_fd; /* a line for each answer: `{"request":{...},"response":{...}}`; -1: none */
};

/*
 * Reads the file of canned answers, JSON lines taken in turn, the last one again and again. A line is a text, or
 * `{"content":"..."}`, `{"error":"..."}`, a chat completion, or what was recorded. VSR_E_IO, VSR_E_LIMIT,
 * VSR_E_INVALID.
 */
int generate_model_mock(struct generate_model *model, struct arena *arena, const char *file,
                        struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Where the server's chat completions are: `/v1/chat/completions` is appended unless it, or a part of it, is there. A
 * URL without a scheme is http for port 80 and for this machine, else https. In `arena`.
 */
vsr_str generate_model_url(struct arena *arena, vsr_str url);

/* Asks it; a generate_ask() whose owner is the model. */
int generate_model_ask(void *owner, const struct generate_message messages[GENERATE_MESSAGES], struct arena *arena,
                       struct generate_reply *ret_reply, struct vsr_err *err) VSR_MUST_CHECK;

#endif
