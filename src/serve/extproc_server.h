/*
 * extproc_server - the socket on which Envoy asks: external processing and grpc.health.v1.Health over HTTP/2.
 *
 * Every worker has one, on the same address (SO_REUSEPORT). With a folder of `tls.crt` and `tls.key` it speaks TLS, and
 * takes renewed files as the listeners do theirs, with the generation that read them. Worker thread only.
 */
#ifndef VSR_SERVE_EXTPROC_SERVER_H
#define VSR_SERVE_EXTPROC_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "net/server.h"

struct config_load_options;
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

/* What the log was told of Envoy's filter, once for all workers. All false to begin with; any thread. */
struct extproc_seen {
    atomic_bool headers_lag;   /* headers of requests cannot follow their bodies */
    atomic_bool bodies_hidden; /* bodies of answers are not shown, though asked for */
    atomic_bool heads_hidden;  /* headers of answers are not shown */
};

/* Whether the port is free: asked once, before the workers start. */
int extproc_server_check(const struct extproc_options *options, struct vsr_err *err) VSR_MUST_CHECK;

/* Reads `tls.crt` and `tls.key` of the folder, and tells load->on_file() of them, found or not. */
int extproc_server_tls(const char *dir, const struct config_load_options *load, struct tls_server **ret_tls,
                       struct vsr_err *err) VSR_MUST_CHECK;

/* Listens. Keeps `worker`, `options` and `seen`. Limits and certificate are those of the worker's generation. */
int extproc_server_new(struct worker *worker, const struct extproc_options *options, struct extproc_seen *seen,
                       struct extproc_server **ret_server, struct vsr_err *err) VSR_MUST_CHECK;
/* The worker has a new generation. */
void extproc_server_refresh(struct extproc_server *server);
/* NOT_SERVING, no new connections; then on_drained(data) when the streams have ended, at the latest after `drain_ms`.
 */
void extproc_server_drain(struct extproc_server *server, uint64_t drain_ms, void (*on_drained)(void *data), void *data);
/* NULL is allowed. */
void extproc_server_free(struct extproc_server *server);

#endif
