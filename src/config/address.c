#include "config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/arena.h"
#include "net/http1.h"

enum {
    PORT_HTTP = 80,
    PORT_HTTPS = 443,
    PORT_MAX = 65535,
    HOST_LEN_MAX = 253, /* RFC 1035 */
};

static const char *take_scheme(vsr_str *text, struct address *address) {
    ptrdiff_t end = str_find(*text, VSR_STR("://"));
    vsr_str scheme;
    if (end < 0)
        return NULL;
    scheme = str_sub(*text, 0, (size_t)end);
    if (!str_eq_nocase(scheme, VSR_STR("http")) && !str_eq_nocase(scheme, VSR_STR("https")))
        return "the scheme must be http or https";
    address->has_scheme = true;
    address->tls = scheme.len == sizeof("https") - 1;
    *text = str_sub(*text, (size_t)end + 3, text->len);
    return NULL;
}

static const char *take_path(vsr_str *text, struct address *address) {
    ptrdiff_t slash = str_find_char(*text, '/');
    vsr_str path;
    if (slash < 0)
        return NULL;
    path = str_sub(*text, (size_t)slash, text->len);
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len && (!http1_target_ok(path) || str_find_char(path, '?') >= 0))
        return "the path must not hold a query, a fragment or blanks";
    address->path = path;
    *text = str_sub(*text, 0, (size_t)slash);
    return NULL;
}

static ptrdiff_t last_colon(vsr_str text) {
    for (size_t i = text.len; i > 0; i--)
        if (text.ptr[i - 1] == ':')
            return (ptrdiff_t)i - 1;
    return -1;
}

static const char *read_port(vsr_str text, struct address *address) {
    uint64_t port;
    if (!str_to_u64(text, &port))
        return "the port must be a number";
    if (port < 1 || port > PORT_MAX)
        return "the port must be between 1 and 65535";
    address->port = (uint16_t)port;
    return NULL;
}

/* `[v6]` or `[v6]:port`. */
static const char *take_bracketed(vsr_str text, struct address *address) {
    ptrdiff_t end = str_find_char(text, ']');
    vsr_str rest;
    if (end < 0)
        return "the bracket is not closed";
    address->host = str_sub(text, 1, (size_t)end);
    address->is_ipv6 = true;
    rest = str_sub(text, (size_t)end + 1, text.len);
    if (rest.len == 0)
        return NULL;
    if (rest.ptr[0] != ':')
        return "only a port may follow the bracket";
    return read_port(str_sub(rest, 1, rest.len), address);
}

static const char *take_host(vsr_str text, struct address *address) {
    ptrdiff_t colon = last_colon(text);
    if (text.len && text.ptr[0] == '[')
        return take_bracketed(text, address);
    address->host = text;
    if (colon < 0)
        return NULL;
    if (str_find_char(text, ':') != colon) {
        address->is_ipv6 = true; /* more than one colon and no bracket: an address without a port */
        return NULL;
    }
    address->host = str_sub(text, 0, (size_t)colon);
    return read_port(str_sub(text, (size_t)colon + 1, text.len), address);
}

static bool is_ipv6(const char *text) {
    struct in6_addr address;
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_host_name(vsr_str host) {
    if (host.len > HOST_LEN_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static const char *check_host(struct address *address, struct arena *arena) {
    address->host = arena_str_lower(arena, address->host);
    if (address->host.len == 0)
        return "the host is empty";
    if (str_find_char(address->host, '\0') >= 0)
        return "this is not a host name";
    if (address->is_ipv6)
        return is_ipv6(address->host.ptr) ? NULL : "this is not an IPv6 address";
    return is_host_name(address->host) ? NULL : "this is not a host name";
}

const char *address_parse(vsr_str text, bool tls, struct arena *arena, struct address *ret_address) {
    struct address address = { .tls = tls };
    const char *wrong;
    text = str_trim(text);
    wrong = take_scheme(&text, &address);
    if (!wrong)
        wrong = take_path(&text, &address);
    if (!wrong)
        wrong = take_host(text, &address);
    if (!wrong)
        wrong = check_host(&address, arena);
    if (wrong)
        return wrong;
    if (address.port == 0)
        address.port = address.tls ? PORT_HTTPS : PORT_HTTP;
    *ret_address = address;
    return NULL;
}

vsr_str address_authority(const struct address *address, struct arena *arena) {
    vsr_str host = address->host;
    if (address->is_ipv6)
        host = arena_printf(arena, "[%.*s]", VSR_FMT(host));
    if (address->port == (address->tls ? PORT_HTTPS : PORT_HTTP))
        return host;
    return arena_printf(arena, "%.*s:%u", VSR_FMT(host), address->port);
}

/* The bytes of the address, or 0 of them. */
static size_t ip_bytes(vsr_str text, unsigned char bytes[sizeof(struct in6_addr)]) {
    char copy[INET6_ADDRSTRLEN] = "";
    if (text.len >= sizeof(copy) || memchr(text.ptr ? text.ptr : "", 0, text.len))
        return 0;
    memcpy(copy, text.ptr ? text.ptr : "", text.len);
    if (inet_pton(AF_INET, copy, bytes) == 1)
        return sizeof(struct in_addr);
    return inet_pton(AF_INET6, copy, bytes) == 1 ? sizeof(struct in6_addr) : 0;
}

bool address_is_ip(vsr_str text) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return ip_bytes(text, bytes) > 0;
}

bool address_is_any(vsr_str text) {
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF }; /* ::ffff:0.0.0.0 */
    unsigned char bytes[sizeof(struct in6_addr)], any = 0;
    size_t n = ip_bytes(text, bytes);
    for (size_t i = n == sizeof(bytes) && memcmp(bytes, mapped, sizeof(mapped)) == 0 ? sizeof(mapped) : 0; i < n; i++)
        any |= bytes[i];
    return n > 0 && any == 0;
}
