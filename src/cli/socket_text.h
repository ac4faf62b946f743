/*
 * socket_text - an address and a port as options write them.
 */
#ifndef VSR_CLI_SOCKET_TEXT_H
#define VSR_CLI_SOCKET_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* `ADDR:PORT`, `[v6]:PORT` or `off`, which is an empty address. False when it is none of them. Borrows `text`. */
bool socket_text_read(const char *text, vsr_str *ret_address, uint16_t *ret_port);

#endif
