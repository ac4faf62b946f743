/*
 * extproc_server - the socket on which Envoy asks: external processing and grpc.health.v1.Health over HTTP/2.
 *
 * Every worker has one, on the same address (SO_REUSEPORT). With a folder of `tls.crt` and `tls.key` it speaks TLS, and
 * takes renewed files as the listeners do theirs, with the generation that read them. Worker thread only.
 */
#ifndef VSR_SERVE_EXTPROC_SERVER_H
#define VSR_SERVE_EXTPROC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "net/server.h"

struct extproc_server;
struct tls_server;
struct worker;

/* What `vsr serve` was told. Outlives the workers. */
struct extproc_options {
    vsr_str address; /* empty: off */
    uint16_t port;
    bool trust_identity;
    const char *tls_dir; /* NULL: plain */
};

/* Whether the port is free, and the certificate there: asked once, before the workers start. */
int extproc_server_check(const struct extproc_options *options, struct vsr_err *err) VSR_MUST_CHECK;

/* Reads `tls.crt` and `tls.key` of the folder. */
int extproc_server_tls(const char *dir, struct tls_server **ret_tls, struct vsr_err *err) VSR_MUST_CHECK;

/* Listens. Keeps `worker` and `options`. `tls` as extproc_server_tls() made it; NULL: plain. */
int extproc_server_new(struct worker *worker, const struct extproc_options *options, struct tls_server *tls,
                       struct extproc_server **ret_server, struct vsr_err *err) VSR_MUST_CHECK;
/* Connections from now on speak with this. */
void extproc_server_set_tls(struct extproc_server *server, struct tls_server *tls);
/* The worker has a new generation, with limits of its own. */
void extproc_server_refresh(struct extproc_server *server);
/* NOT_SERVING, no new connections; then on_drained(data) when the streams have ended, at the latest after `drain_ms`. */
void extproc_server_drain(struct extproc_server *server, uint64_t drain_ms, void (*on_drained)(void *data), void *data);
/* NULL is allowed. */
void extproc_server_free(struct extproc_server *server);
struct server_stats extproc_server_stats(const struct extproc_server *server);

#endif
