#include "serve/http_front.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "serve/pipeline.h"
#include "serve/request.h"
#include "serve/worker.h"
#include "wire/error_body.h"

/* gateway.md 12.5 */
enum {
    HEAD_TIMEOUT_MS = 10000,
    IDLE_TIMEOUT_MS = 60000,
    WRITE_TIMEOUT_MS = 60000,
};

static void front_head(void *handle, int status, const struct http1_field *fields, size_t n_fields, int64_t length) {
    exchange_head(handle, status, fields, n_fields, length);
}

static void front_body(void *handle, vsr_str bytes) {
    exchange_body(handle, bytes);
}

static void front_end(void *handle) {
    exchange_end(handle);
}

static bool front_retract(void *handle) {
    return exchange_retract(handle);
}

static void front_abort(void *handle) {
    exchange_abort(handle);
}

static size_t front_queued(void *handle) {
    return exchange_queued(handle);
}

static const struct front_ops http_ops = {
    .head = front_head,
    .body = front_body,
    .end = front_end,
    .retract = front_retract,
    .abort = front_abort,
    .queued = front_queued,
};

/* Who asks, for the log; the connection may be gone by then. */
static void note_client(struct request *request, const struct exchange *exchange) {
    if (!log_enabled(LOG_LEVEL_DEBUG))
        return;
    request->client = arena_str(request->arena, exchange_peer(exchange));
    request->client_cert = arena_str(request->arena, exchange_client_name(exchange));
}

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct worker *worker = app;
    const struct worker_listener *socket = exchange_tag(exchange);
    struct snapshot *snapshot = socket->retired ? socket->retired : worker->snapshot;
    struct request *request = request_new(worker, snapshot, (struct front){ &http_ops, exchange });
    note_client(request, exchange);
    pipeline_begin(request, head, snapshot_listener(snapshot, str_from_c(socket->address), socket->port));
    return request;
}

static void on_body(void *request, vsr_str bytes) {
    pipeline_body(request, bytes);
}

static void on_end(void *request) {
    pipeline_body_end(request);
}

static void on_drain(void *request) {
    pipeline_drained(request);
}

static void on_close(void *request, enum exchange_outcome how) {
    if (how == EXCHANGE_REFUSED)
        pipeline_refused(request); /* error_body() counts it */
    else
        pipeline_closed(request, how == EXCHANGE_COMPLETED);
}

static void error_field(struct server_error *error, vsr_str name, vsr_str value) {
    error->fields[error->n_fields++] = (struct http1_field){ name, value };
}

static enum protocol protocol_of(const struct http1_head *head) {
    return endpoints_protocol(endpoints_path(endpoints_origin(head->target)));
}

/* The keystone headers of gateway.md 13.2, as on every answer. No request was parsed whose id could be kept. */
static void error_body(void *app, const struct http1_head *head, int status, vsr_str message,
                       struct server_error *ret) {
    struct worker *worker = app;
    char *generation = ret->scratch + RANDOM_UUID_LEN;
    random_uuid_v7(&worker->random, clock_wall_ms(), ret->scratch);
    error_field(ret, VSR_STR("x-request-id"), str_make(ret->scratch, RANDOM_UUID_LEN));
    error_field(ret, VSR_STR("x-vsr-schema-version"), VSR_STR("2"));
    error_field(ret, VSR_STR("x-vsr-response-path"), VSR_STR("error"));
    (void)snprintf(generation, SERVER_ERROR_SCRATCH_LEN - RANDOM_UUID_LEN, "%llu",
                   (unsigned long long)worker->snapshot->generation);
    error_field(ret, VSR_STR("x-vsr-config-generation"), str_from_c(generation));
    metric_inc(worker_response_metric(worker, status));
    error_body_write(&ret->body, &(struct error_body){ .status = status,
                                                       .message = message,
                                                       .protocol = head ? protocol_of(head) : PROTOCOL_CHAT });
}

static void on_handshake_failed(void *app, void *tag, vsr_str peer, const struct vsr_err *err) {
    const struct worker_listener *socket = tag;
    worker_handshake_failed(app, str_from_c(socket->address), socket->port, peer, err);
}

const struct server_handler http_front_handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_close = on_close,
    .error_body = error_body,
    .on_handshake_failed = on_handshake_failed,
};

struct server_limits http_front_limits(const struct snapshot *snapshot) {
    const struct config_streamed_body *body = &snapshot->doc->global.router.streamed_body;
    return (struct server_limits){
        .head_timeout_ms = HEAD_TIMEOUT_MS,
        .body_timeout_ms = (uint64_t)body->timeout_sec * 1000,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
        .write_timeout_ms = WRITE_TIMEOUT_MS,
        .body_len_max = (uint64_t)body->max_bytes,
        .connections_max = WORKER_CONNECTIONS_MAX,
    };
}
