/*
 * base64 - RFC 4648 §4, written padded into a buffer, and read. Any thread.
 */
#ifndef VSR_CORE_BASE64_H
#define VSR_CORE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct buf;

/* Failure is the buffer's sticky error. */
void base64_write(struct buf *out, vsr_str bytes);

/* Bytes that reading so many characters gives, at most. */
static inline size_t base64_room(size_t len) {
    return len / 4 * 3 + 3;
}

/*
 * Reads `text` into `out`, which has base64_room() for it. Canonical: padded, nothing between, unused bits zero, not
 * empty. Else as people write it: white space is passed over, padding may be missing. False: it is none.
 */
bool base64_read(vsr_str text, bool canonical, char *out, size_t *ret_len);

#endif
