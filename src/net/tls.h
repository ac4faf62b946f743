/*
 * tls - OpenSSL contexts for both directions.
 *
 * A context is immutable after it was made and shared by all threads. Clients verify against the system store by
 * default, TLS 1.2 and newer. The byte work happens in net/tls_session.c.
 */
#ifndef VSR_NET_TLS_H
#define VSR_NET_TLS_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"

struct tls_client;
struct tls_server;

struct tls_client_options {
    vsr_str ca_file; /* empty: the system store */
    bool insecure;   /* no verification; for tests */
};

int tls_client_new(const struct tls_client_options *options, struct tls_client **ret_tls,
                   struct vsr_err *err) VSR_MUST_CHECK;
void tls_client_free(struct tls_client *tls);

int tls_server_new(vsr_str cert_file, vsr_str key_file, struct tls_server **ret_tls,
                   struct vsr_err *err) VSR_MUST_CHECK;
void tls_server_free(struct tls_server *tls);

/* The SSL_CTX inside, for net/tls_session.c. */
void *tls_client_ctx(const struct tls_client *tls);
void *tls_server_ctx(const struct tls_server *tls);

#endif
