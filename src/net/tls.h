/*
 * tls - OpenSSL contexts for both directions.
 *
 * A context is immutable after it was made and shared by all threads. TLS 1.2 and newer; of 1.2 only suites with ECDHE
 * and AEAD on the server's side, no renegotiation, no compression, no early data. Clients verify against the system
 * store by default. The byte work happens in net/tls_session.c.
 */
#ifndef VSR_NET_TLS_H
#define VSR_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct tls_client;
struct tls_server;

enum { TLS_ALPN_LEN_MAX = 255 }; /* of all names, each with a length byte */

struct tls_client_options {
    vsr_str ca_file;             /* empty: the system store */
    vsr_str cert_file, key_file; /* what the client shows when it is asked; empty: nothing */
    bool insecure;               /* no verification; for tests */
    const vsr_str *alpn;         /* in order of preference; none: http/1.1 */
    size_t n_alpn;
};

/* Reads the files named; nothing of the options is kept. Errors name the file. */
int tls_client_new(const struct tls_client_options *options, struct tls_client **ret_tls,
                   struct vsr_err *err) VSR_MUST_CHECK;
void tls_client_free(struct tls_client *tls); /* NULL is allowed */

enum tls_client_auth {
    TLS_CLIENT_NONE,    /* clients are not asked for a certificate */
    TLS_CLIENT_REQUEST, /* they may show one; a bad one is refused */
    TLS_CLIENT_REQUIRE,
};

struct tls_server_options {
    vsr_str cert_file, key_file; /* PEM; the certificate's chain behind it */
    vsr_str client_ca_file;      /* needed unless client_auth is NONE */
    enum tls_client_auth client_auth;
    int min_version;     /* 12 or 13; 0 is 12 */
    const vsr_str *alpn; /* in order of preference, which counts, not the client's; none: http/1.1 */
    size_t n_alpn;
};

/*
 * As above. A client that offers protocols of which none is in the list is refused; one that offers none at all gets
 * HTTP/1.1. The result has one reference.
 */
int tls_server_new(const struct tls_server_options *options, struct tls_server **ret_tls,
                   struct vsr_err *err) VSR_MUST_CHECK;
/* Any thread. */
struct tls_server *tls_server_ref(struct tls_server *tls);
void tls_server_unref(struct tls_server *tls); /* NULL is allowed */

/* The SSL_CTX inside, for net/tls_session.c. */
void *tls_client_ctx(const struct tls_client *tls);
void *tls_server_ctx(const struct tls_server *tls);

#endif
