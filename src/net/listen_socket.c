#include "net/listen_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dns.h"

enum {
    PROBE_AFTER_S = 60, /* of silence */
    PROBE_EVERY_S = 10,
    PROBES = 6,
    LISTEN_ADDRESS_LEN_MAX = 255,
};

/* ---- addresses */

static int find_addresses(vsr_str address, uint16_t port, struct addrinfo **ret_list, struct vsr_err *err) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    bool loopback = dns_is_localhost(address);
    char host[LISTEN_ADDRESS_LEN_MAX + 1], service[8];
    int rc;
    if (address.len >= 2 && address.ptr[0] == '[' && address.ptr[address.len - 1] == ']')
        address = str_sub(address, 1, address.len - 1);
    if (address.len > LISTEN_ADDRESS_LEN_MAX || (address.len && memchr(address.ptr, '\0', address.len)))
        return err_set(err, VSR_E_INVALID, "not an address to listen on");
    (void)snprintf(host, sizeof(host), "%.*s", VSR_FMT(address));
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (!loopback) /* without a name: the wildcards; without this flag either: the loopback addresses */
        hints.ai_flags |= AI_PASSIVE;
    rc = getaddrinfo(address.len && !loopback ? host : NULL, service, &hints, ret_list);
    if (rc != 0)
        return err_set(err, VSR_E_INVALID, "not an address to listen on: %s", gai_strerror(rc));
    return 0;
}

/* Whether the list has the same address before: hosts files repeat themselves. */
static bool is_repeated(const struct addrinfo *list, const struct addrinfo *info) {
    for (; list != info; list = list->ai_next)
        if (list->ai_addrlen == info->ai_addrlen && memcmp(list->ai_addr, info->ai_addr, info->ai_addrlen) == 0)
            return true;
    return false;
}

static bool has_family(const struct addrinfo *list, int family) {
    while (list && list->ai_family != family)
        list = list->ai_next;
    return list != NULL;
}

static uint16_t port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } addr = { .v6 = { 0 } };
    socklen_t len = sizeof(addr);
    if (getsockname(fd, &addr.any, &len) != 0)
        return 0;
    return ntohs(addr.any.sa_family == AF_INET6 ? addr.v6.sin6_port : addr.v4.sin_port);
}

static void set_port(struct addrinfo *info, uint16_t port) {
    if (info->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)info->ai_addr)->sin6_port = htons(port);
    else if (info->ai_family == AF_INET)
        ((struct sockaddr_in *)(void *)info->ai_addr)->sin_port = htons(port);
}

/* ---- sockets */

static bool set_number(int fd, int level, int option, int number) {
    return setsockopt(fd, level, option, &number, sizeof(number)) == 0;
}

static bool set_option(int fd, int level, int option) {
    return set_number(fd, level, option, 1);
}

/*
 * A peer whose machine has gone without a word is found out, though nothing may be said to it for as long: a proxy's
 * connection has no silence of its own that would be too long while a request is under way.
 */
static bool probe_peers(int fd) {
    return set_option(fd, SOL_SOCKET, SO_KEEPALIVE) && set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S) &&
           set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S) &&
           set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}

static bool is_shared(enum listen_mode mode) {
    return mode == LISTEN_SHARED || mode == LISTEN_BOUND;
}

static bool listens(enum listen_mode mode) {
    return mode == LISTEN_SHARED || mode == LISTEN_EXCLUSIVE;
}

static bool bind_socket(int fd, const struct addrinfo *info, enum listen_mode mode, bool v6_only) {
    return set_option(fd, SOL_SOCKET, SO_REUSEADDR) && /* or connections in TIME_WAIT would hold the port */
           (!is_shared(mode) || set_option(fd, SOL_SOCKET, SO_REUSEPORT)) &&
           (!v6_only || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
           set_option(fd, IPPROTO_TCP, TCP_NODELAY) && /* accepted sockets inherit it, and what follows */
           probe_peers(fd) && bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
           (!listens(mode) || listen(fd, LISTEN_BACKLOG) == 0);
}

/* The descriptor, or -1 with errno. */
static int open_socket(const struct addrinfo *info, enum listen_mode mode, bool v6_only) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;
    if (fd < 0 || bind_socket(fd, info, mode, v6_only))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool is_missing(int error) {
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

/* 0, or the error that forbids the address as a whole. What is only missing stands in `*ret_missing`. */
static int open_all(struct addrinfo *list, enum listen_mode mode, struct listen_sockets *ret, int *ret_missing) {
    /* A wildcard of IPv6 would take the port of IPv4 too; where both are bound each keeps to its own. */
    bool mixed = has_family(list, AF_INET) && has_family(list, AF_INET6);
    for (struct addrinfo *info = list; info && ret->n < LISTEN_SOCKETS_MAX; info = info->ai_next) {
        int fd;
        if (is_repeated(list, info))
            continue;
        if (ret->n > 0)
            set_port(info, ret->port);
        fd = open_socket(info, mode, mixed && info->ai_family == AF_INET6);
        if (fd < 0 && !is_missing(errno))
            return errno;
        if (fd < 0) {
            *ret_missing = errno;
            continue;
        }
        ret->fds[ret->n++] = fd;
        ret->port = port_of(fd);
    }
    return 0;
}

int listen_sockets_open(vsr_str address, uint16_t port, enum listen_mode mode, struct listen_sockets *ret,
                        struct vsr_err *err) {
    struct addrinfo *list = NULL;
    int error, missing = 0, rc = find_addresses(address, port, &list, err);
    *ret = (struct listen_sockets){ .n = 0 };
    if (rc < 0)
        return rc;
    error = open_all(list, mode, ret, &missing);
    freeaddrinfo(list);
    if (error == 0 && ret->n > 0)
        return 0;
    listen_sockets_close(ret);
    if (error == EADDRINUSE)
        return err_set(err, VSR_E_EXISTS, "cannot listen: the port is in use already");
    return err_set(err, VSR_E_IO, "cannot listen: %s", strerror(error ? error : missing));
}

int listen_sockets_start(const struct listen_sockets *sockets, struct vsr_err *err) {
    for (size_t i = 0; i < sockets->n; i++)
        if (listen(sockets->fds[i], LISTEN_BACKLOG) != 0)
            return err_set(err, errno == EADDRINUSE ? VSR_E_EXISTS : VSR_E_IO, "cannot listen: %s", strerror(errno));
    return 0;
}

void listen_sockets_close(struct listen_sockets *sockets) {
    while (sockets->n > 0)
        close(sockets->fds[--sockets->n]);
}

bool listen_socket_deafen(int fd) {
    enum { FLAGS_OFFSET = 13, FLAG_SYN = 0x02 }; /* of a TCP header, RFC 9293 section 3.1 */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = { .len = VSR_COUNT(code), .filter = code };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}
