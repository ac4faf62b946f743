/*
 * http_call - one HTTP request to a running gateway, waiting for the answer. For commands; blocks the calling thread.
 */
#ifndef VSR_CLI_HTTP_CALL_H
#define VSR_CLI_HTTP_CALL_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "net/http1.h"

struct arena;

enum { HTTP_CALL_BODY_LEN_MAX = 64 << 20 };

struct http_call {
    vsr_str url;    /* of the server: scheme, host, port; a path in it goes before `path` */
    vsr_str method; /* GET, POST */
    vsr_str path;
    vsr_str body; /* JSON; empty: none */
    uint64_t timeout_ms;
    vsr_str token; /* sent as a bearer token; empty: none */
};

struct http_answer {
    int status;
    struct http1_field *fields; /* in the arena, like the body */
    size_t n_fields;
    vsr_str body;
};

/* VSR_E_INVALID for a bad URL or token; what net/client.h reports; VSR_E_LIMIT past HTTP_CALL_BODY_LEN_MAX. Any status
 * is a success. */
int http_call(struct arena *arena, const struct http_call *call, struct http_answer *ret_answer,
              struct vsr_err *err) VSR_MUST_CHECK;

/* First field of that name without case; empty when absent. */
vsr_str http_answer_field(const struct http_answer *answer, const char *name);

#endif
