#include "serve/extproc_server.h"

#include <stdio.h>

#include <proto/health.pb-c.h>

#include "config/document.h"
#include "config/file_hash.h"
#include "config/load.h"
#include "core/arena.h"
#include "core/mem.h"
#include "net/loop.h"
#include "net/tls.h"
#include "serve/extproc_front.h"
#include "serve/model_service.h"
#include "serve/worker.h"

enum {
    LISTENER_TIMEOUT_MS = 300000, /* as listeners[].timeout */
    HEAD_TIMEOUT_MS = 10000,
    IDLE_TIMEOUT_MS = 600000, /* a proxy's connections, of which there are few */
    WRITE_TIMEOUT_MS = 60000,
    STREAMS_MAX = 16384,     /* of one connection: a proxy has one for all of its clients */
    CONNECTIONS_MAX = 4096,  /* of one worker */
    MESSAGE_SPARE = 1 << 20, /* a message is a body and its wrapping, or a head */
    MESSAGE_UNLIMITED = 1 << 30,
    HEALTH_MESSAGE_MAX = 4 << 10,
    HEALTH_CHECK_MS = 1000, /* how long a watcher may be behind */
    PATH_LEN_MAX = 4096,
};

struct health_call;

struct extproc_server {
    struct extproc front; /* its address is the app of every method */
    const struct extproc_options *options;
    struct server *server;
    struct config_listener listener;
    struct grpc_method methods[3];
    struct grpc_service service;
    bool draining;
    struct health_call *watchers;
    struct loop_timer watch_timer;
};

/* ---- grpc.health.v1.Health */

struct health_call {
    struct health_call *next;
    struct extproc_server *server;
    struct grpc_stream *stream;
    bool watches, asked;
    Health__CheckResponse__ServingStatus told;
};

/* The services that one may ask about: all of them together, and the one. */
static bool is_service(vsr_str name) {
    return name.len == 0 || str_eq(name, VSR_STR("envoy.service.ext_proc.v3.ExternalProcessor"));
}

static Health__CheckResponse__ServingStatus health_now(const struct extproc_server *server) {
    return !server->draining && model_service_ready(server->front.worker->models)
               ? HEALTH__CHECK_RESPONSE__SERVING_STATUS__SERVING
               : HEALTH__CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

static void tell_health(struct health_call *call, Health__CheckResponse__ServingStatus status) {
    Health__CheckResponse response = HEALTH__CHECK_RESPONSE__INIT;
    uint8_t bytes[16]; /* one number */
    response.status = call->told = status;
    grpc_stream_send(call->stream, str_make((const char *)bytes, health__check_response__pack(&response, bytes)));
}

static void *on_check(void *app, struct grpc_stream *stream, const struct http1_head *head) {
    struct health_call *call = MEM_NEW(struct health_call);
    (void)head; /* nothing in it matters */
    call->server = app;
    call->stream = stream;
    return call;
}

static void watch_health(void *data) {
    struct extproc_server *server = data;
    Health__CheckResponse__ServingStatus now = health_now(server);
    for (struct health_call *call = server->watchers; call; call = call->next)
        if (call->asked && call->told != now && call->told != HEALTH__CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN)
            tell_health(call, now);
    if (server->watchers)
        loop_timer_start(server->front.worker->loop, &server->watch_timer, HEALTH_CHECK_MS, watch_health, server);
}

static void *on_watch(void *app, struct grpc_stream *stream, const struct http1_head *head) {
    struct health_call *call = on_check(app, stream, head);
    call->watches = true;
    call->next = call->server->watchers;
    call->server->watchers = call;
    if (!loop_timer_active(&call->server->watch_timer))
        watch_health(call->server);
    return call;
}

static void on_health_message(void *data, vsr_str bytes) {
    struct health_call *call = data;
    Health__CheckRequest *request = health__check_request__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
    bool known;
    if (!request || call->asked) {
        grpc_stream_finish(call->stream, GRPC_INVALID_ARGUMENT, VSR_STR("one HealthCheckRequest is expected"));
        health__check_request__free_unpacked(request, NULL);
        return;
    }
    known = is_service(str_make((const char *)request->service.data, request->service.len));
    health__check_request__free_unpacked(request, NULL);
    call->asked = true;
    if (known)
        tell_health(call, health_now(call->server));
    else if (call->watches)
        tell_health(call, HEALTH__CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN);
    else
        grpc_stream_finish(call->stream, GRPC_NOT_FOUND, VSR_STR("there is no such service here"));
    if (!call->watches)
        grpc_stream_finish(call->stream, GRPC_OK, VSR_STR(""));
}

/* A watcher may say no more and listen on. */
static void on_health_end(void *data) {
    struct health_call *call = data;
    if (!call->asked)
        grpc_stream_finish(call->stream, GRPC_INVALID_ARGUMENT, VSR_STR("one HealthCheckRequest is expected"));
}

static void on_health_close(void *data, enum grpc_outcome how) {
    struct health_call *call = data;
    struct health_call **link = &call->server->watchers;
    (void)how;
    while (*link && *link != call)
        link = &(*link)->next;
    if (*link)
        *link = call->next;
    mem_free(call);
}

static struct grpc_method health_method(vsr_str path,
                                        void *(*on_open)(void *, struct grpc_stream *, const struct http1_head *)) {
    return (struct grpc_method){ .path = path,
                                 .message_len_max = HEALTH_MESSAGE_MAX,
                                 .on_open = on_open,
                                 .on_message = on_health_message,
                                 .on_half_close = on_health_end,
                                 .on_close = on_health_close };
}

/* ---- the socket */

static void on_handshake_failed(void *app, void *tag, vsr_str peer, const struct vsr_err *err) {
    const struct extproc_server *server = app;
    (void)tag; /* the only one */
    worker_handshake_failed(server->front.worker, server->options->address, server->options->port, peer, err);
}

static struct server_limits limits_of(void) {
    return (struct server_limits){
        .head_timeout_ms = HEAD_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
        .write_timeout_ms = WRITE_TIMEOUT_MS,
        .connections_max = CONNECTIONS_MAX,
        .http2_streams_max = STREAMS_MAX,
        .http2_trusted = true,
    };
}

/* gateway.md 10: what a body may have, and its wrapping. */
static size_t message_len_max(const struct worker *worker) {
    int64_t body = worker->snapshot->doc->global.router.streamed_body.max_bytes;
    return body > 0 && body < MESSAGE_UNLIMITED ? (size_t)body + MESSAGE_SPARE : MESSAGE_UNLIMITED;
}

void extproc_server_refresh(struct extproc_server *server) {
    struct tls_server *tls = server->front.worker->snapshot->extproc_tls;
    server->methods[0].message_len_max = message_len_max(server->front.worker);
    if (tls)
        server_set_tls(server->server, server, tls);
}

static void note_file(const struct config_load_options *load, const char *path) {
    char hash[FILE_HASH_LEN];
    bool present = file_hash(path, hash, NULL) == 0;
    if (load->on_file)
        load->on_file(load->on_file_data, str_from_c(path), str_make(hash, present ? sizeof(hash) : 0));
}

int extproc_server_tls(const char *dir, const struct config_load_options *load, struct tls_server **ret_tls,
                       struct vsr_err *err) {
    static const vsr_str alpn[] = { VSR_STR_INIT("h2") };
    char cert[PATH_LEN_MAX], key[PATH_LEN_MAX];
    struct tls_server_options options = { .alpn = alpn, .n_alpn = VSR_COUNT(alpn) };
    int n_cert = snprintf(cert, sizeof(cert), "%s/tls.crt", dir), n_key = snprintf(key, sizeof(key), "%s/tls.key", dir);
    int rc;
    if (n_cert < 0 || n_key < 0 || n_key >= PATH_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "--extproc-tls-dir: a path past %d bytes", PATH_LEN_MAX);
    note_file(load, cert);
    note_file(load, key);
    options.cert_file = str_from_c(cert);
    options.key_file = str_from_c(key);
    rc = tls_server_new(&options, ret_tls, err);
    return rc < 0 ? err_wrap(err, "--extproc-tls-dir wants tls.crt and tls.key in %s", dir) : 0;
}

int extproc_server_check(const struct extproc_options *options, struct vsr_err *err) {
    int rc;
    if (options->address.len == 0)
        return 0;
    rc = server_probe(options->address, options->port, err);
    return rc < 0 ? err_wrap(err, "--extproc-listen %.*s:%u", VSR_FMT(options->address), (unsigned)options->port) : 0;
}

static void find_metrics(struct extproc *front) {
    static const char *const phases[] = { "request_headers", "response_headers", "request_body",
                                          "response_body",   "request_trailers", "response_trailers" };
    const struct telemetry *telemetry = front->worker->telemetry;
    front->streams = telemetry->extproc_streams;
    for (size_t i = 0; i < VSR_COUNT(phases); i++) {
        const vsr_str phase = str_from_c(phases[i]);
        front->messages[i] = metric_with(telemetry->extproc_messages, &phase, 1);
        front->seconds[i] = metric_with(telemetry->extproc_seconds, &phase, 1);
    }
}

static int listen_on(struct extproc_server *server, struct vsr_err *err) {
    const struct extproc_options *options = server->options;
    struct tls_server *tls = server->front.worker->snapshot->extproc_tls;
    if (tls)
        return server_listen_tls(server->server, options->address, options->port, tls, server, NULL, err);
    return server_listen(server->server, options->address, options->port, server, NULL, err);
}

int extproc_server_new(struct worker *worker, const struct extproc_options *options, struct extproc_seen *seen,
                       struct extproc_server **ret_server, struct vsr_err *err) {
    const struct server_limits limits = limits_of();
    struct extproc_server *server = MEM_NEW(struct extproc_server);
    int rc;
    server->options = options;
    server->listener = (struct config_listener){ .name = VSR_STR("extproc"),
                                                 .address = options->address,
                                                 .port = options->port,
                                                 .timeout_ms = LISTENER_TIMEOUT_MS,
                                                 .trust_identity_headers = options->trust_identity };
    server->front.worker = worker;
    server->front.listener = &server->listener;
    server->front.seen = seen;
    server->front.scratch = arena_new(0, 0);
    buf_init(&server->front.out, SIZE_MAX);
    find_metrics(&server->front);
    server->methods[0] = extproc_front_method(message_len_max(worker));
    server->methods[1] = health_method(VSR_STR("/grpc.health.v1.Health/Check"), on_check);
    server->methods[2] = health_method(VSR_STR("/grpc.health.v1.Health/Watch"), on_watch);
    server->service = (struct grpc_service){ .methods = server->methods,
                                             .n_methods = VSR_COUNT(server->methods),
                                             .app = server,
                                             .on_handshake_failed = on_handshake_failed };
    rc = server_new(worker->loop, &grpc_server_handler, &server->service, &limits, &server->server, err);
    if (rc == 0)
        rc = listen_on(server, err);
    if (rc < 0) {
        extproc_server_free(server);
        return err_wrap(err, "--extproc-listen");
    }
    *ret_server = server;
    return 0;
}

void extproc_server_drain(struct extproc_server *server, uint64_t drain_ms, void (*on_drained)(void *data),
                          void *data) {
    server->draining = true;
    watch_health(server);
    for (struct health_call *call = server->watchers; call; call = call->next)
        grpc_stream_finish(call->stream, GRPC_UNAVAILABLE, VSR_STR("the server is going away"));
    server_drain(server->server, drain_ms, on_drained, data);
}

void extproc_server_free(struct extproc_server *server) {
    if (!server)
        return;
    server_free(server->server);
    loop_timer_stop(&server->watch_timer);
    arena_free(server->front.scratch);
    buf_done(&server->front.out);
    mem_free(server);
}
