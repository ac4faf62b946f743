/*
 * base64 - RFC 4648 §4, padded, into a buffer. Any thread.
 */
#ifndef VSR_CORE_BASE64_H
#define VSR_CORE_BASE64_H

#include "core/str.h"

struct buf;

/* Failure is the buffer's sticky error. */
void base64_write(struct buf *out, vsr_str bytes);

#endif
