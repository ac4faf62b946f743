/*
 * hop_headers - header fields of one connection, or that vsr makes anew for the next: they never pass it.
 *
 * One list for what a configuration may set and for what is dropped from a client's request. Read-only: any thread.
 */
#ifndef VSR_CONFIG_HOP_HEADERS_H
#define VSR_CONFIG_HOP_HEADERS_H

#include <stdbool.h>

#include "core/str.h"

enum { HOP_HEADERS = 13 };
extern const vsr_str hop_headers[HOP_HEADERS];

/* Without case. */
bool hop_headers_have(vsr_str name);

#endif
