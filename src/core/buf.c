#include "core/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/err.h"

enum { BUF_CAP_MIN = 256 };

void buf_init(struct buf *buf, size_t max) {
    *buf = (struct buf){ .max = max };
}

void buf_done(struct buf *buf) {
    free(buf->ptr);
    *buf = (struct buf){ .max = buf->max };
}

void buf_reset(struct buf *buf) {
    buf->len = 0;
    buf->failed = 0;
}

static int fail(struct buf *buf, int code) {
    buf->failed = code;
    return code;
}

int buf_reserve(struct buf *buf, size_t len) {
    size_t need, cap;
    char *bigger;
    if (buf->failed)
        return buf->failed;
    if (len > buf->max - buf->len)
        return fail(buf, VSR_E_LIMIT);
    need = buf->len + len;
    if (need <= buf->cap)
        return 0;
    cap = buf->cap < BUF_CAP_MIN ? BUF_CAP_MIN : buf->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > buf->max)
        cap = buf->max;
    bigger = realloc(buf->ptr, cap);
    if (!bigger)
        return fail(buf, VSR_E_NOMEM);
    buf->ptr = bigger;
    buf->cap = cap;
    return 0;
}

int buf_append(struct buf *buf, vsr_str bytes) {
    int rc = buf_reserve(buf, bytes.len);
    if (rc < 0)
        return rc;
    if (bytes.len)
        memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    return 0;
}

int buf_append_c(struct buf *buf, const char *text) {
    return buf_append(buf, str_from_c(text));
}

int buf_append_char(struct buf *buf, char c) {
    return buf_append(buf, str_make(&c, 1));
}

int buf_append_u64(struct buf *buf, uint64_t value) {
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return buf_append(buf, str_make(digits + at, sizeof(digits) - at));
}

int buf_vprintf(struct buf *buf, const char *format, va_list args) {
    char small[256];
    va_list again;
    int len, rc;
    va_copy(again, args);
    len = vsnprintf(small, sizeof(small), format, args);
    VSR_ASSERT(len >= 0);
    if ((size_t)len < sizeof(small)) {
        rc = buf_append(buf, str_make(small, (size_t)len));
    } else {
        rc = buf_reserve(buf, (size_t)len + 1); /* vsnprintf writes a NUL behind the text */
        if (rc == 0) {
            (void)vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again); /* room for all was reserved */
            buf->len += (size_t)len;
        }
    }
    va_end(again);
    return rc;
}

int buf_printf(struct buf *buf, const char *format, ...) {
    va_list args;
    int rc;
    va_start(args, format);
    rc = buf_vprintf(buf, format, args);
    va_end(args);
    return rc;
}

void buf_consume(struct buf *buf, size_t len) {
    VSR_ASSERT(len <= buf->len);
    if (len == 0)
        return;
    memmove(buf->ptr, buf->ptr + len, buf->len - len);
    buf->len -= len;
}
