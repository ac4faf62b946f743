/* exchange - the answering half of server.h, for every protocol. */
#include "core/assert.h"
#include "net/exchange_ops.h"
#include "net/server.h"
#include "net/server_conn.h"
#include "net/stream.h"

static void check(const struct exchange *exchange) {
    VSR_ASSERT(exchange->running);
    VSR_DEBUG_ASSERT(loop_on_thread(exchange->server->loop));
}

/* ---- facts */

void *exchange_tag(const struct exchange *exchange) {
    return exchange->listener->tag;
}

struct loop *exchange_loop(const struct exchange *exchange) {
    return exchange->server->loop;
}

enum exchange_protocol exchange_protocol(const struct exchange *exchange) {
    return exchange->ops->protocol;
}

vsr_str exchange_peer(const struct exchange *exchange) {
    struct stream *stream = exchange->ops->stream(exchange);
    return stream ? stream_peer(stream) : VSR_STR("");
}

vsr_str exchange_client_name(const struct exchange *exchange) {
    struct stream *stream = exchange->ops->stream(exchange);
    return stream ? stream_tls_peer_name(stream) : VSR_STR("");
}

_Static_assert((int)EXCHANGE_NOTES == (int)STREAM_NOTES, "the words are the stream's");

uint64_t *exchange_notes(const struct exchange *exchange) {
    struct stream *stream = exchange->ops->stream(exchange);
    return stream ? stream_notes(stream) : NULL;
}

bool exchange_head_sent(const struct exchange *exchange) {
    return exchange->head_sent;
}

size_t exchange_queued(const struct exchange *exchange) {
    return exchange->ops->queued(exchange);
}

/* ---- reading */

void exchange_pause(struct exchange *exchange) {
    check(exchange);
    exchange->ops->pause(exchange);
}

void exchange_resume(struct exchange *exchange) {
    check(exchange);
    exchange->ops->resume(exchange);
}

/* ---- answering */

void exchange_head(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                   int64_t content_length) {
    check(exchange);
    VSR_ASSERT(!exchange->head_sent);
    VSR_ASSERT(content_length >= EXCHANGE_LENGTH_UNKNOWN);
    exchange->ops->head(exchange, status, fields, n_fields, content_length);
}

void exchange_body(struct exchange *exchange, vsr_str bytes) {
    check(exchange);
    exchange->ops->body(exchange, bytes);
}

void exchange_end(struct exchange *exchange) {
    check(exchange);
    exchange->ops->end(exchange, NULL, 0);
}

void exchange_end_trailers(struct exchange *exchange, const struct http1_field *trailers, size_t n_trailers) {
    check(exchange);
    exchange->ops->end(exchange, trailers, n_trailers);
}

bool exchange_retract(struct exchange *exchange) {
    check(exchange);
    return exchange->ops->retract(exchange);
}

void exchange_abort(struct exchange *exchange) {
    check(exchange);
    exchange->ops->abort(exchange);
}

void exchange_reply(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                    vsr_str body) {
    check(exchange);
    VSR_ASSERT(body.len <= INT64_MAX);
    VSR_ASSERT(!exchange->head_sent);
    exchange->ops->reply(exchange, status, fields, n_fields, body);
}
