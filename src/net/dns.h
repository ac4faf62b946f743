/*
 * dns - the addresses of one host, resolved in the background and trusted for a while.
 *
 * Resolution is getaddrinfo() on libuv's thread pool, so hosts files, search domains and both address families behave
 * as everywhere else on the machine. IPv4 and IPv6 literals and the paths of Unix sockets need no resolution and never
 * expire. Loop thread only.
 */
#ifndef VSR_NET_DNS_H
#define VSR_NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct loop;
struct sockaddr;
struct dns_host;

enum { DNS_ADDRS_MAX = 16, DNS_NAME_LEN_MAX = 255 };

/* RFC 6761 6.3: `localhost` and what ends with it is loopback by definition; no resolver is asked, none has to know it.
 */
bool dns_is_localhost(vsr_str name);

/* Copies `host`. Addresses come with `port` filled in. Free with dns_host_free(). */
struct dns_host *dns_host_new(struct loop *loop, vsr_str host, uint16_t port, uint64_t ttl_ms);
/* The address of a Unix socket: one, that never expires. Copies `path`. */
struct dns_host *dns_host_new_unix(struct loop *loop, vsr_str path);
/* A resolution that runs is forgotten: no callback follows. NULL is allowed. */
void dns_host_free(struct dns_host *host);

/* Whether there are addresses that are still trusted. */
bool dns_host_ready(const struct dns_host *host);

/*
 * Resolves anew; fn(data, NULL) or fn(data, error) follows, never inside this call. While a resolution runs further
 * calls change nothing. When the resolver is out of order (not: when it denies the name) former addresses are used on.
 */
void dns_host_resolve(struct dns_host *host, void (*fn)(void *data, const struct vsr_err *err), void *data);

/*
 * Addresses are tried in a ring, beginning at dns_host_first(). `index` may be past the end; a later resolution may
 * change what it means, which is harmless.
 */
size_t dns_host_count(const struct dns_host *host);
size_t dns_host_first(const struct dns_host *host);
const struct sockaddr *dns_host_addr(const struct dns_host *host, size_t index);
/* Whether that is one of them; it always is where they are known without asking. */
bool dns_host_names(const struct dns_host *host, const struct sockaddr *addr);
/* Connecting to the address at `index` worked: begin with it from now on. */
void dns_host_prefer(struct dns_host *host, size_t index);
/* None of them worked: ask again before the next connection. */
void dns_host_expire(struct dns_host *host);

#endif
