#include <stdio.h>

#include "cli/backend_request.h"

enum { CUT_DELAY_MS = 20 }; /* between the last byte and the cut: both must leave, and arrive, apart */

size_t backend_reply_field(struct http1_field *fields, size_t n, const char *name, vsr_str value) {
    fields[n] = (struct http1_field){ str_from_c(name), value };
    return n + 1;
}

size_t backend_reply_fields(const struct backend_request *request, const char *type, struct http1_field *fields) {
    size_t n = backend_reply_field(fields, 0, "content-type", str_from_c(type));
    n = backend_reply_field(fields, n, "x-backend-name", request->worker->backend->name);
    if (request->dialect == &backend_messages)
        n = backend_reply_field(fields, n, "request-id", str_from_c(request->shown_id));
    return backend_reply_field(fields, n, "x-backend-listener", str_from_c(request->listener->shown));
}

static void cut_now(void *data) {
    struct backend_request *request = data;
    backend_request_enter(request);
    if (!request->closed)
        exchange_abort(request->exchange);
    backend_request_leave(request);
}

static void cut_later(struct backend_request *request) {
    request->cut = true;
    if (request->closed)
        return;
    loop_timer_start(request->worker->loop, &request->timer, CUT_DELAY_MS, cut_now, request);
}

bool backend_reply_slice(struct backend_request *request, vsr_str bytes) {
    uint64_t left = request->behaviour.cut - request->n_sent;
    bool whole = bytes.len <= left;
    /* A cut behind the last byte is none. */
    vsr_str part = whole ? bytes : str_sub(bytes, 0, left);
    request->n_sent += part.len;
    if (part.len > 0)
        exchange_body(request->exchange, part);
    if (!whole)
        cut_later(request);
    return whole && !request->closed;
}

void backend_reply(struct backend_request *request, int status, const char *type, vsr_str body) {
    struct http1_field fields[BACKEND_FIELDS_MAX];
    size_t n = backend_reply_fields(request, type, fields);
    char seconds[24];
    if (status >= 400 && request->behaviour.retry_after > 0 && backend_request_is_model(request)) {
        (void)snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)request->behaviour.retry_after);
        n = backend_reply_field(fields, n, "retry-after", str_from_c(seconds));
    }
    exchange_head(request->exchange, status, fields, n, (int64_t)body.len);
    if (!request->closed && backend_reply_slice(request, body))
        exchange_end(request->exchange);
}

void backend_reply_refusal(struct backend_request *request, const struct backend_refusal *refusal) {
    buf_reset(&request->out);
    request->dialect->error(refusal, request->id, &request->out);
    backend_reply(request, refusal->status, "application/json", buf_str(&request->out));
}

void backend_reply_error(struct backend_request *request, int status, vsr_str message) {
    const struct backend_refusal refusal = { .status = status, .message = message };
    backend_reply_refusal(request, &refusal);
}

void backend_reply_json(struct backend_request *request) {
    if (buf_failed(&request->out))
        backend_reply_error(request, 500, VSR_STR("the answer is too long"));
    else
        backend_reply(request, 200, "application/json", buf_str(&request->out));
}
