/*
 * tls_session - one TLS connection on a non-blocking socket.
 *
 * A thin dress for OpenSSL's SSL: each call moves as many bytes as the socket allows now and says what it waits for.
 * The socket stays the caller's. For stream.c only; one thread.
 */
#ifndef VSR_NET_TLS_SESSION_H
#define VSR_NET_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct ssl_st; /* OpenSSL's SSL */
struct tls_client;
struct tls_server;

enum tls_status {
    TLS_OK,
    TLS_WANT_READ,
    TLS_WANT_WRITE,
    TLS_EOF,    /* close_notify */
    TLS_CUT,    /* the connection ended without close_notify, or was reset */
    TLS_FAILED, /* protocol or verification; the error says why */
};

/*
 * `server_name` is sent as SNI unless it is an address, and the certificate is checked against it (unless the context
 * is insecure). NULL on failure.
 */
struct ssl_st *tls_session_client(const struct tls_client *tls, int fd, vsr_str server_name, struct vsr_err *err);
struct ssl_st *tls_session_server(const struct tls_server *tls, int fd, struct vsr_err *err);

enum tls_status tls_session_handshake(struct ssl_st *ssl, struct vsr_err *err);
/*
 * Fills `ptr` as far as bytes are there; `*ret_len` may be above zero with any status. TLS_OK: the buffer is full and
 * more may wait inside the session, which the socket's readiness does not show.
 */
enum tls_status tls_session_read(struct ssl_st *ssl, char *ptr, size_t len, size_t *ret_len, struct vsr_err *err);
/* The same bytes must be offered again after a WANT; their address may change. */
enum tls_status tls_session_write(struct ssl_st *ssl, vsr_str bytes, size_t *ret_len, struct vsr_err *err);

/* The protocol that both agreed on; empty before the handshake, or when none was negotiated. Lives in the session. */
vsr_str tls_session_alpn(const struct ssl_st *ssl);
/* Writes the subject of the peer's certificate, when one was shown and verified; else 0. Returns its length. */
size_t tls_session_peer_name(const struct ssl_st *ssl, char *out, size_t len_max);

/* Sends close_notify if the socket takes it. */
void tls_session_shutdown(struct ssl_st *ssl);
/* NULL is allowed. */
void tls_session_free(struct ssl_st *ssl);

#endif
