/*
 * peer - the other end of a connection in tests of net/: a raw socket that sends exact bytes and keeps what it gets.
 *
 * Everything runs in one thread: PUMP turns the loop until a condition holds, which asks the peers to take what has
 * come.
 */
#ifndef VSR_TESTS_NET_PEER_H
#define VSR_TESTS_NET_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "net/loop.h"
#include "test.h"

enum { PEER_GOT_MAX = 256 << 20, PUMP_MS_MAX = 60000 };

struct peer {
    int fd;
    struct buf got;
    bool eof, reset;
};

/* Turns the loop until `cond`; a test that would hang fails instead. */
#define PUMP(loop, cond, name) \
    do { \
        uint64_t pump_end_ = clock_mono_ms() + PUMP_MS_MAX; \
        while (!(cond)) { \
            CHECK_MSG(clock_mono_ms() < pump_end_, "case \"%s\": waited in vain for %s", (name), #cond); \
            loop_run_once((loop), 2); \
        } \
    } while (0)

static inline void pump_turns(struct loop *loop, int n) {
    for (int i = 0; i < n; i++)
        loop_run_once(loop, 0);
}

static inline struct sockaddr_in peer_addr(uint16_t port) {
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Loopback connections are made by the kernel alone: connect() returns before the server accepts. */
static inline void peer_connect(struct peer *peer, uint16_t port) {
    struct sockaddr_in addr = peer_addr(port);
    int one = 1;
    *peer = (struct peer){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    buf_init(&peer->got, PEER_GOT_MAX);
    CHECK_MSG(connect(peer->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "connect: %s", strerror(errno));
    CHECK(setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0, "nodelay");
}

/* False where this machine has no IPv6. */
static inline bool peer_connect6(struct peer *peer, uint16_t port) {
    struct sockaddr_in6 addr = { .sin6_family = AF_INET6,
                                 .sin6_port = htons(port),
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    *peer = (struct peer){ .fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    buf_init(&peer->got, PEER_GOT_MAX);
    return connect(peer->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
}

static inline int peer_listen(uint16_t *ret_port) {
    struct sockaddr_in addr = peer_addr(0);
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    CHECK(listen(fd, 128) == 0, "listen");
    CHECK(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "getsockname");
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

static inline bool peer_accept(struct peer *peer, int listen_fd) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    *peer = (struct peer){ .fd = fd };
    buf_init(&peer->got, PEER_GOT_MAX);
    return true;
}

/* Takes what has come. Returns the bytes so far. */
static inline vsr_str peer_poll(struct peer *peer) {
    char bytes[64 << 10];
    while (!peer->eof && !peer->reset) {
        ssize_t n = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0)
            buf_append(&peer->got, str_make(bytes, (size_t)n));
        else if (n == 0)
            peer->eof = true;
        else if (errno == EAGAIN)
            break;
        else
            peer->reset = true;
    }
    return buf_str(&peer->got);
}

static inline bool peer_gone(struct peer *peer) {
    peer_poll(peer);
    return peer->eof || peer->reset;
}

static inline bool peer_has(struct peer *peer, const char *text) {
    return str_find(peer_poll(peer), str_from_c(text)) >= 0;
}

static inline size_t peer_count(struct peer *peer, const char *text) {
    vsr_str got = peer_poll(peer), needle = str_from_c(text);
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find(got, needle)) >= 0; n++)
        got = str_sub(got, (size_t)at + needle.len, got.len);
    return n;
}

/* For megabytes: each search above costs the whole rest under a sanitizer. */
static inline size_t peer_count_char(struct peer *peer, char c) {
    vsr_str got = peer_poll(peer);
    size_t n = 0;
    for (size_t i = 0; i < got.len; i++)
        n += got.ptr[i] == c;
    return n;
}

/* Sends everything, turning the loop while the other side does not take it. False when the connection broke. */
static inline bool peer_send_str(struct peer *peer, vsr_str bytes, struct loop *loop) {
    while (bytes.len > 0) {
        ssize_t n = send(peer->fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            bytes = str_sub(bytes, (size_t)n, bytes.len);
        else if (errno == EAGAIN && loop)
            loop_run_once(loop, 1);
        else
            return false;
    }
    return true;
}

static inline void peer_send(struct peer *peer, const char *text) {
    CHECK(peer_send_str(peer, str_from_c(text), NULL), "send");
}

static inline void peer_shutdown(struct peer *peer) {
    shutdown(peer->fd, SHUT_WR);
}

static inline void peer_close(struct peer *peer) {
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    buf_done(&peer->got);
}

/* Closes with a reset instead of a FIN. */
static inline void peer_reset(struct peer *peer) {
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    peer_close(peer);
}

#endif
