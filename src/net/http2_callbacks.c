/*
 * http2_callbacks - what nghttp2 tells of frames that come and go.
 */
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "core/assert.h"
#include "net/http2_conn.h"
#include "net/server_conn.h"

/* ---- what nghttp2 tells while bytes are read */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    h2->heard = true;
    switch (hd->type) {
    case NGHTTP2_DATA:
        return hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM) ? http2_conn_count(h2, HTTP2_EMPTY_DATA) : 0;
    case NGHTTP2_SETTINGS:
        return http2_conn_count(h2, HTTP2_SETTINGS);
    case NGHTTP2_PING:
        return http2_conn_count(h2, HTTP2_PINGS);
    case NGHTTP2_WINDOW_UPDATE:
        return http2_conn_count(h2, HTTP2_WINDOW_UPDATES);
    case NGHTTP2_PRIORITY:
        return http2_conn_count(h2, HTTP2_PRIORITIES);
    default:
        return 0; /* RST_STREAM counts where the stream closes, and what nobody knows costs nothing */
    }
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    http2_block_begin(&h2->block, frame->hd.stream_id, http2_now_ms(h2));
    http2_conn_arm(h2, h2->block.since_ms + h2->conn->limits.head_timeout_ms);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    (void)frame;
    (void)flags;
    if (http2_block_add(&h2->block, str_make((const char *)name, name_len), str_make((const char *)value, value_len)))
        return 0;
    return http2_conn_leave_in_anger(h2, HTTP2_HEADERS);
}

/* nghttp2 would leave the field out; RFC 9113 8.2.1 calls the request malformed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                             const uint8_t *value, size_t value_len, uint8_t flags, void *user) {
    struct http2_conn *h2 = user;
    (void)session, (void)frame, (void)name, (void)name_len, (void)value, (void)value_len, (void)flags;
    h2->block.bad = true;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_conn *h2 = user;
    bool end_stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            return http2_conn_take_head(h2, frame->hd.stream_id, end_stream);
        return http2_conn_take_trailers(h2, frame->hd.stream_id); /* nghttp2 asks for END_STREAM */
    case NGHTTP2_DATA:
        if (end_stream)
            http2_exchange_note_complete(http2_exchange_of(h2, frame->hd.stream_id));
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) &&
            memcmp(frame->ping.opaque_data, http2_leaving_ping, HTTP2_PING_LEN) == 0) {
            h2->left_since_ms = 0; /* the round trip is over */
            http2_conn_flush_later(h2);
        }
        return 0;
    default:
        return 0;
    }
}

/* nghttp2 answers it with RST_STREAM or GOAWAY. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    (void)error;
    if (frame->hd.type == NGHTTP2_HEADERS && h2->block.open)
        http2_block_end(&h2->block);
    return http2_conn_count(h2, HTTP2_RESETS);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes, size_t len,
                   void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange = http2_exchange_of(h2, stream_id);
    vsr_str slice = { (const char *)bytes, len };
    (void)flags;
    (void)nghttp2_session_consume_connection(session, len); /* fails without memory only */
    http2_conn_flush_later(h2);
    if (!http2_exchange_listens(exchange)) {
        http2_conn_open_window(h2, stream_id, len);
        return 0;
    }
    exchange->body_received += len;
    if (h2->conn->limits.body_len_max && exchange->body_received > h2->conn->limits.body_len_max) {
        http2_exchange_refuse(exchange, 413, "the request body is too large");
    } else if (exchange->paused || exchange->held.len > 0) {
        if (buf_append(&exchange->held, slice) < 0) /* the window bounds it */
            http2_exchange_cut(exchange, NGHTTP2_INTERNAL_ERROR);
    } else {
        exchange->base.server->handler->on_body(exchange->base.request, slice);
        http2_conn_open_window(h2, stream_id, len);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange = http2_exchange_of(h2, stream_id);
    (void)session;
    (void)error_code;
    if (h2->block.open && h2->block.stream_id == stream_id)
        http2_block_end(&h2->block);
    if (!exchange)
        return 0;
    http2_exchange_free(exchange, EXCHANGE_VANISHED);
    return http2_conn_count(h2, HTTP2_RESETS);
}

/* ---- what nghttp2 tells while frames leave */

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange;
    bool complete;
    (void)session;
    if (frame->hd.type == NGHTTP2_DATA) { /* whoever measures the path pings for what comes (gRPC) */
        http2_guard_give(&h2->guard, HTTP2_WINDOW_UPDATES, 2);
        http2_guard_give(&h2->guard, HTTP2_PINGS, 1);
    }
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    exchange = http2_exchange_of(h2, frame->hd.stream_id);
    if (!exchange)
        return 0;
    complete = exchange->complete;
    http2_exchange_free(exchange, EXCHANGE_COMPLETED);
    if (!complete) /* the rest of the request would come for nothing (RFC 9113 8.1) */
        http2_conn_reset_stream(h2, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

/* An answer's head or trailers that nghttp2 could not send. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange = http2_exchange_of(h2, frame->hd.stream_id);
    (void)session;
    (void)error;
    if (exchange && frame->hd.type == NGHTTP2_HEADERS) {
        exchange->broken = true;
        http2_exchange_put(exchange, HTTP2_READY);
    }
    return 0;
}

/* ---- all of them */

nghttp2_session_callbacks *http2_callbacks_new(void) {
    nghttp2_session_callbacks *callbacks;
    VSR_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    return callbacks;
}
