/*
 * address - where an endpoint is: scheme, host, port and path prefix out of `endpoint` or `base_url` (config.md §6.3).
 */
#ifndef VSR_CONFIG_ADDRESS_H
#define VSR_CONFIG_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

struct address {
    bool has_scheme, tls;
    vsr_str host; /* lower case, without brackets; in the arena */
    bool is_ipv6;
    uint16_t port;
    vsr_str path; /* without trailing slashes; empty for none. Slice of the text */
};

/*
 * Reads `host`, `host:port`, `[v6]:port`, a bare IPv6 address, each with an optional http or https scheme and path.
 * `tls` is the scheme when none is written. Returns NULL, or what is wrong with the text.
 */
const char *address_parse(vsr_str text, bool tls, struct arena *arena, struct address *ret_address);

/* The Host header: host, and the port unless it is the scheme's own. */
vsr_str address_authority(const struct address *address, struct arena *arena);

/* Whether the text is an IP address, and whether it is one that stands for all of the machine's. */
bool address_is_ip(vsr_str text);
bool address_is_any(vsr_str text);

#endif
