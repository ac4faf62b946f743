/*
 * http1_trace - what an HTTP/1 parser reports for some input, as text, however the input is cut.
 *
 * Body slices of one message are joined, because where they end depends on the cuts; everything else must not. Each
 * slice is fed from a heap block of its exact size, so that a sanitizer sees any byte read beyond it.
 *
 *     POST /x 1.1 keep [host=a] chunked {body}
 *     error 400: a LF without CR
 *     eof more
 */
#ifndef VSR_TESTS_HTTP1_TRACE_H
#define VSR_TESTS_HTTP1_TRACE_H

#include <stdlib.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/err.h"
#include "net/http1.h"

/* Says how long the next slice is, from 1 to `left`. */
typedef size_t (*http1_trace_cut)(void *ctx, size_t left);

struct http1_trace {
    enum http1_side side;
    bool head_request; /* of every response */
    http1_trace_cut cut;
    void *ctx;
};

static inline void http1_trace_head(struct buf *out, enum http1_side side, const struct http1_head *head) {
    if (side == HTTP1_REQUEST)
        buf_printf(out, "%.*s %.*s", VSR_FMT(head->method), VSR_FMT(head->target));
    else
        buf_printf(out, "%d \"%.*s\"", head->status, VSR_FMT(head->reason));
    buf_printf(out, " 1.%d %s [", head->minor_version, head->keep_alive ? "keep" : "close");
    for (size_t i = 0; i < head->n_fields; i++)
        buf_printf(out, "%s%.*s=%.*s", i ? "|" : "", VSR_FMT(head->fields[i].name), VSR_FMT(head->fields[i].value));
    buf_append_c(out, "]");
    if (head->has_length)
        buf_printf(out, " length=%llu", (unsigned long long)head->length);
    if (head->chunked)
        buf_append_c(out, " chunked");
    if (head->expect_continue)
        buf_append_c(out, " expect");
    buf_append_c(out, " {");
}

/* The next event as text. False when there is nothing more to feed to this connection. */
static inline bool http1_trace_event(struct buf *out, struct http1_parser *parser, vsr_str *bytes, bool *in_body,
                                     bool *ret_more, const struct http1_trace *how) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str body = { NULL, 0 };
    const char *start = bytes->ptr;
    bool keep_alive;
    *ret_more = false;
    switch (http1_feed(parser, bytes, &body, &err)) {
    case HTTP1_MORE:
        VSR_ASSERT(bytes->len == 0);
        *ret_more = true;
        return true;
    case HTTP1_HEAD:
        VSR_ASSERT(http1_in_message(parser) || parser->head.length == 0 || parser->side == HTTP1_RESPONSE);
        http1_trace_head(out, how->side, &parser->head);
        *in_body = true;
        return true;
    case HTTP1_BODY:
        VSR_ASSERT(body.len > 0);
        VSR_ASSERT(body.ptr >= start);
        VSR_ASSERT(body.ptr + body.len == bytes->ptr);
        buf_append(out, body);
        return true;
    case HTTP1_END:
        VSR_ASSERT(!http1_in_message(parser));
        buf_append_c(out, "}\n");
        keep_alive = parser->head.keep_alive;
        *in_body = false;
        http1_reset(parser);
        parser->head_request = how->head_request;
        return keep_alive;
    default:
        VSR_ASSERT(parser->error_status >= 400);
        VSR_ASSERT(err.code < 0);
        buf_printf(out, "%serror %d: %s\n", *in_body ? "...}\n" : "", parser->error_status, err.text);
        VSR_ASSERT(http1_feed(parser, bytes, &body, &err) == HTTP1_ERROR);
        VSR_ASSERT(http1_eof(parser, &err) == HTTP1_ERROR);
        return false;
    }
}

static inline void http1_trace_eof(struct buf *out, struct http1_parser *parser, bool in_body) {
    struct vsr_err err = VSR_ERR_NONE;
    switch (http1_eof(parser, &err)) {
    case HTTP1_MORE:
        buf_append_c(out, "eof more\n");
        return;
    case HTTP1_END:
        buf_append_c(out, "}\neof end\n");
        return;
    default:
        buf_printf(out, "%seof error %d\n", in_body ? "...}\n" : "", parser->error_status);
    }
}

/* Appends to `out` what a parser reports for a connection that carries `input` and is then closed. */
static inline void http1_trace(struct buf *out, const struct http1_trace *how, vsr_str input) {
    struct http1_parser *parser = malloc(sizeof(*parser));
    bool open = true, in_body = false;
    VSR_ASSERT(parser);
    memset(parser, 0xa5, sizeof(*parser)); /* http1_init() must set whatever is read */
    http1_init(parser, how->side);
    parser->head_request = how->head_request;
    while (open && input.len) {
        size_t len = how->cut ? how->cut(how->ctx, input.len) : input.len;
        char *block = malloc(len);
        vsr_str bytes = { block, len };
        bool more = false;
        VSR_ASSERT(block);
        VSR_ASSERT(len > 0);
        VSR_ASSERT(len <= input.len);
        memcpy(block, input.ptr, len);
        while (open && !more)
            open = http1_trace_event(out, parser, &bytes, &in_body, &more, how);
        free(block);
        input = str_make(input.ptr + len, input.len - len);
    }
    if (open)
        http1_trace_eof(out, parser, in_body);
    http1_done(parser);
    free(parser);
}

#endif
