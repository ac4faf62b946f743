/*
 * upstream_headers - the header fields of a request to a backend.
 *
 * Starts from the client's fields; drops what belongs to the client's connection, to vsr, or to the caller's identity;
 * sets the credential, `accept-encoding: identity`, the request id, the trace and the routed model, and what
 * Anthropic's API wants; the endpoint's extra_headers come last and win. Names and values are valid for
 * http1_write_field(): what came from a client was checked by the parser, the rest by config.
 */
#ifndef VSR_PROVIDER_UPSTREAM_HEADERS_H
#define VSR_PROVIDER_UPSTREAM_HEADERS_H

#include <stddef.h>

#include "core/err.h"
#include "net/http1.h"
#include "provider/credentials.h"
#include "wire/protocol.h"

struct arena;
struct trace_context;

struct upstream_headers_input {
    const struct http1_head *head; /* of the client */
    const struct config_backend_ref *ref;
    const struct credentials *credentials;
    vsr_str selected_model;            /* logical alias, for x-selected-model */
    vsr_str request_id;                /* empty: the client's own passes */
    const struct trace_context *trace; /* NULL or without a trace: none goes out, whatever the client sent */
    enum protocol protocol;            /* that the endpoint is asked in */
    bool stream;                       /* ... for an answer in pieces */
    bool translated;                   /* the body is not in the client's protocol */
    bool trust_injected;
    bool authorization_is_ours;
};

struct upstream_headers {
    struct http1_field *fields; /* in the arena; values borrow from head, config or arena */
    size_t n_fields;
    struct credential credential;
};

/* 0, VSR_E_INVALID (no credential: answer 401 CREDENTIALS_REFUSED), VSR_E_NOMEM. */
int upstream_headers_build(struct arena *arena, const struct upstream_headers_input *input,
                           struct upstream_headers *ret_headers, struct vsr_err *err) VSR_MUST_CHECK;

#endif
