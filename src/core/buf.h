/*
 * buf - a growing byte buffer with a ceiling.
 *
 * Heap-backed, because buffers outlive requests (connections) or change hands. The ceiling is stated when it is made;
 * reaching it is an ordinary error. The error is sticky: after a failed append the buffer ignores further ones and
 * buf_failed() is true, so a writer may append many pieces and check once. One thread at a time.
 */
#ifndef VSR_CORE_BUF_H
#define VSR_CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct buf {
    char *ptr; /* bytes [0, len) are content; NULL while nothing was reserved */
    size_t len;
    size_t cap;
    size_t max;
    int failed; /* 0, VSR_E_LIMIT or VSR_E_NOMEM */
};

/* `max` is the most bytes it may ever hold. Allocates nothing yet. */
void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);

/* Empties it, keeps the memory, clears the failure. */
void buf_reset(struct buf *buf);

/* Makes room for `len` more bytes. 0, VSR_E_LIMIT or VSR_E_NOMEM. */
int buf_reserve(struct buf *buf, size_t len);

/* 0, VSR_E_LIMIT or VSR_E_NOMEM; nothing is appended on failure. The result may be ignored thanks to buf_failed(). */
int buf_append(struct buf *buf, vsr_str bytes);
int buf_append_c(struct buf *buf, const char *text);
int buf_append_char(struct buf *buf, char c);
int buf_append_u64(struct buf *buf, uint64_t value);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Removes the first `len` bytes; the rest moves to the front. */
void buf_consume(struct buf *buf, size_t len);

static inline vsr_str buf_str(const struct buf *buf) {
    return (vsr_str){ buf->ptr, buf->len };
}

static inline int buf_failed(const struct buf *buf) {
    return buf->failed;
}

#endif
