/*
 * http2_client - a client of HTTP/2 for tests, over nghttp2 and a raw socket, in the test's own thread; and the few
 * frames that a hostile one writes by hand.
 */
#ifndef VSR_TESTS_NET_HTTP2_CLIENT_H
#define VSR_TESTS_NET_HTTP2_CLIENT_H

#include <string.h>

#include <nghttp2/nghttp2.h>

#include "peer.h"

enum { HTTP2_TALKS_MAX = 256, HTTP2_TEXT_MAX = 32 << 20 };

/* One stream as the client sees it. */
struct http2_talk {
    struct http2_client *client;
    int32_t stream_id;
    struct buf head, body, trailers; /* "name: value\n" */
    vsr_str upload;                  /* what is left of the body */
    const nghttp2_nv *upload_trailers;
    size_t n_upload_trailers;
    bool hold_upload; /* its end does not come */
    int n_heads;      /* 1xx included */
    bool ended, closed;
    uint32_t error_code;
};

struct http2_client {
    struct peer peer;
    size_t taken; /* of peer.got */
    nghttp2_session *session;
    struct http2_talk talks[HTTP2_TALKS_MAX];
    size_t n_talks;
    int n_goaways;
    uint32_t goaway_code;
    int32_t goaway_last;
    bool lazy; /* opens no windows by itself */
};

static inline struct http2_talk *http2_talk_of(struct http2_client *client, int32_t stream_id) {
    for (size_t i = 0; i < client->n_talks; i++)
        if (client->talks[i].stream_id == stream_id)
            return &client->talks[i];
    return NULL;
}

static inline int http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user) {
    struct http2_talk *talk = http2_talk_of(user, frame->hd.stream_id);
    struct buf *out = &talk->head;
    (void)session, (void)flags;
    if (frame->headers.cat == NGHTTP2_HCAT_HEADERS && talk->body.len + talk->n_heads > 0 &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        out = &talk->trailers;
    buf_append(out, str_make((const char *)name, name_len));
    buf_append(out, VSR_STR(": "));
    buf_append(out, str_make((const char *)value, value_len));
    buf_append(out, VSR_STR("\n"));
    return 0;
}

static inline int http2_on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                                size_t len, void *user) {
    (void)session, (void)flags;
    buf_append(&http2_talk_of(user, stream_id)->body, str_make((const char *)bytes, len));
    return 0;
}

static inline int http2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_client *client = user;
    struct http2_talk *talk = http2_talk_of(client, frame->hd.stream_id);
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->n_goaways++;
        client->goaway_code = frame->goaway.error_code;
        client->goaway_last = frame->goaway.last_stream_id;
    }
    if (talk && frame->hd.type == NGHTTP2_HEADERS)
        talk->n_heads++;
    if (talk && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
        talk->ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    return 0;
}

static inline int http2_on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user) {
    struct http2_talk *talk = http2_talk_of(user, stream_id);
    (void)session;
    if (talk) {
        talk->closed = true;
        talk->error_code = error_code;
    }
    return 0;
}

static inline ssize_t http2_read_upload(nghttp2_session *session, int32_t stream_id, uint8_t *bytes, size_t len,
                                        uint32_t *flags, nghttp2_data_source *source, void *user) {
    struct http2_talk *talk = source->ptr;
    size_t n = talk->upload.len < len ? talk->upload.len : len;
    (void)user;
    if (n > 0)
        memcpy(bytes, talk->upload.ptr, n);
    talk->upload = str_sub(talk->upload, n, talk->upload.len);
    if (talk->upload.len > 0)
        return (ssize_t)n;
    if (talk->hold_upload)
        return n ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (talk->n_upload_trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, stream_id, talk->upload_trailers, talk->n_upload_trailers);
    }
    return (ssize_t)n;
}

static inline void http2_client_open(struct http2_client *client, uint16_t port, const nghttp2_settings_entry *settings,
                                     size_t n_settings) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    bool lazy = client->lazy;
    *client = (struct http2_client){ .lazy = lazy };
    peer_connect(&client->peer, port);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, lazy);
    nghttp2_option_set_max_send_header_block_length(options, 1 << 20);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, http2_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, http2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, http2_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, http2_on_stream_close);
    CHECK(nghttp2_session_client_new2(&client->session, callbacks, client, options) == 0, "client");
    CHECK(nghttp2_submit_settings(client->session, 0, settings, n_settings) == 0, "settings");
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
}

static inline void http2_client_close(struct http2_client *client) {
    for (size_t i = 0; i < client->n_talks; i++) {
        buf_done(&client->talks[i].head);
        buf_done(&client->talks[i].body);
        buf_done(&client->talks[i].trailers);
    }
    nghttp2_session_del(client->session);
    peer_close(&client->peer);
}

#define HTTP2_NV(name, value) \
    { (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), strlen(name), strlen(value), 0 }

/* Starts a request with further fields. `body` NULL: none. */
static inline struct http2_talk *http2_ask_with(struct http2_client *client, const char *method, const char *path,
                                                const char *body, size_t body_len, const nghttp2_nv *more,
                                                size_t n_more) {
    struct http2_talk *talk = &client->talks[client->n_talks++];
    nghttp2_nv nvs[160] = { HTTP2_NV(":method", method), HTTP2_NV(":scheme", "http"), HTTP2_NV(":authority", "x"),
                            HTTP2_NV(":path", path) };
    nghttp2_data_provider provider = { .source.ptr = talk, .read_callback = http2_read_upload };
    CHECK(client->n_talks <= HTTP2_TALKS_MAX && n_more <= 150, "room");
    *talk = (struct http2_talk){ .client = client, .upload = body ? str_make(body, body_len) : VSR_STR("") };
    buf_init(&talk->head, HTTP2_TEXT_MAX);
    buf_init(&talk->body, HTTP2_TEXT_MAX);
    buf_init(&talk->trailers, HTTP2_TEXT_MAX);
    if (n_more)
        memcpy(nvs + 4, more, n_more * sizeof(*more));
    talk->stream_id = nghttp2_submit_request(client->session, NULL, nvs, 4 + n_more, body ? &provider : NULL, NULL);
    CHECK(talk->stream_id > 0, path);
    return talk;
}

static inline struct http2_talk *http2_ask(struct http2_client *client, const char *method, const char *path,
                                           const char *body) {
    return http2_ask_with(client, method, path, body, body ? strlen(body) : 0, NULL, 0);
}

/* Moves bytes both ways. */
static inline void http2_client_turn(struct http2_client *client, struct loop *loop) {
    const uint8_t *frames;
    ssize_t n;
    vsr_str got = peer_poll(&client->peer);
    got = str_sub(got, client->taken, got.len);
    client->taken += got.len;
    if (got.len) {
        n = nghttp2_session_mem_recv(client->session, (const uint8_t *)got.ptr, got.len);
        CHECK_MSG(n >= 0, "the server's frames: %s", nghttp2_strerror((int)n));
    }
    while ((n = nghttp2_session_mem_send(client->session, &frames)) > 0)
        if (!peer_send_str(&client->peer, str_make((const char *)frames, (size_t)n), loop))
            return;
}

#define HTTP2_RUN(client, loop, cond, name) PUMP(loop, (http2_client_turn(client, loop), (cond)), name)

static inline bool http2_says(const struct buf *text, const char *what) {
    return str_find(buf_str(text), str_from_c(what)) >= 0;
}

/* ---- frames by hand */

static inline void http2_frame(struct buf *out, int type, int flags, uint32_t stream_id, vsr_str payload) {
    const char head[9] = {
        (char)(payload.len >> 16), (char)(payload.len >> 8),      (char)payload.len,      (char)type,     (char)flags,
        (char)(stream_id >> 24),   (char)(stream_id >> 16 & 255), (char)(stream_id >> 8), (char)stream_id
    };
    buf_append(out, str_make(head, sizeof(head)));
    buf_append(out, payload);
}

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HTTP2_NO_SETTINGS "\0\0\0\4\0\0\0\0\0"
/* HPACK: GET, http, :path /hold, :authority x, from the static table and as literals. */
#define HTTP2_GET_HOLD "\x82\x86\x44\x05/hold\x41\x01x"

#endif
