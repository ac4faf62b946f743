/*
 * shown - text that somebody else wrote, put into a line for a terminal or a log.
 *
 * Control characters act on a terminal and direction characters turn the text around them: both are shown as escapes,
 * never sent. Any thread.
 */
#ifndef VSR_CORE_SHOWN_H
#define VSR_CORE_SHOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/* Whether a code point, or UTF8_INVALID, would act on a terminal rather than stand there. */
bool shown_is_active(uint32_t code_point);

/* Appends the text on one line: `\n`, `\t`, `\x1b`, `\u202e` for what is active, U+FFFD for bytes that are no UTF-8. */
void shown_append(struct buf *out, vsr_str text);

#endif
