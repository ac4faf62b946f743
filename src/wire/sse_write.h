/*
 * sse_write - writes server-sent events. Any thread.
 *
 * Between begin and end stands JSON on one line, as json_write() writes it: it holds no line end that would have to be
 * a line of its own.
 */
#ifndef VSR_WIRE_SSE_WRITE_H
#define VSR_WIRE_SSE_WRITE_H

#include "core/buf.h"
#include "core/str.h"

/* `type` empty: no `event:` line. */
static inline void sse_write_begin(struct buf *out, vsr_str type) {
    if (type.len > 0) {
        buf_append(out, VSR_STR("event: "));
        buf_append(out, type);
        buf_append_char(out, '\n');
    }
    buf_append(out, VSR_STR("data: "));
}

static inline void sse_write_end(struct buf *out) {
    buf_append(out, VSR_STR("\n\n"));
}

static inline void sse_write(struct buf *out, vsr_str type, vsr_str data) {
    sse_write_begin(out, type);
    buf_append(out, data);
    sse_write_end(out);
}

#endif
