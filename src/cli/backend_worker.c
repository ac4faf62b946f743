#include "cli/backend_worker.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "core/assert.h"
#include "net/listen_socket.h"
#include "net/loop.h"

/* A test server has no adversary; only what keeps a forgotten connection from living for ever. */
static const struct server_limits limits = {
    .head_timeout_ms = 60 * 1000,
    .body_timeout_ms = 600 * 1000,
    .idle_timeout_ms = 600 * 1000,
    .write_timeout_ms = 600 * 1000,
    .body_len_max = BACKEND_BODY_LEN_MAX,
    .connections_max = 65536,
};

double backend_random(struct backend_worker *worker) {
    /* splitmix64 (Steele, Lea, Flood): one addition and two multiplications, and a seed that is a single number. */
    uint64_t z = worker->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0; /* 2^53 */
}

/* ---- listeners */

struct behaviour backend_listener_behaviour(struct backend_listener *listener) {
    struct behaviour behaviour;
    if (atomic_load_explicit(&listener->plain, memory_order_relaxed))
        return behaviour_none();
    pthread_mutex_lock(&listener->lock);
    behaviour = listener->behaviour;
    pthread_mutex_unlock(&listener->lock);
    return behaviour;
}

void backend_listener_set(struct backend_listener *listener, const struct behaviour *behaviour) {
    pthread_mutex_lock(&listener->lock);
    listener->behaviour = *behaviour;
    atomic_store_explicit(&listener->plain, behaviour_is_plain(behaviour), memory_order_relaxed);
    pthread_mutex_unlock(&listener->lock);
}

void backend_listener_show(struct backend_listener *listener) {
    char host[sizeof(listener->host)]; /* a copy: to gcc, two members of one listener may overlap */
    bool v6 = strchr(listener->host, ':') != NULL;
    memcpy(host, listener->host, sizeof(host));
    (void)snprintf(listener->shown, sizeof(listener->shown), "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "",
                   listener->port);
}

static bool is_address(const char *host) {
    struct in6_addr v6;
    struct in_addr v4;
    return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1;
}

int backend_add_listener(struct backend *backend, vsr_str address, struct vsr_err *err) {
    struct backend_listener *listener = &backend->listeners[backend->n_listeners];
    ptrdiff_t colon = (ptrdiff_t)address.len;
    vsr_str host, port;
    uint64_t number;
    if (backend->n_listeners == BACKEND_LISTENERS_MAX)
        return err_set(err, VSR_E_LIMIT, "more than %d addresses", BACKEND_LISTENERS_MAX);
    while (colon > 0 && address.ptr[colon - 1] != ':')
        colon--;
    host = colon > 0 ? str_sub(address, 0, (size_t)colon - 1) : VSR_STR("");
    port = str_sub(address, (size_t)colon, address.len);
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 1);
    if (host.len == 0 || str_eq(host, VSR_STR("localhost")))
        host = VSR_STR("127.0.0.1");
    (void)snprintf(listener->host, sizeof(listener->host), "%.*s", VSR_FMT(host));
    if (!str_to_u64(port, &number) || number > UINT16_MAX || host.len >= sizeof(listener->host) ||
        !is_address(listener->host))
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is no address: write 127.0.0.1:8000, [::1]:8000 or 8000",
                       VSR_FMT(address));
    listener->backend = backend;
    listener->port = (uint16_t)number;
    pthread_mutex_init(&listener->lock, NULL);
    backend_listener_set(listener, &backend->behaviour);
    backend_listener_show(listener);
    backend->n_listeners++;
    return 0;
}

/* ---- workers */

static int worker_listen(struct backend_worker *worker, struct backend_listener *listener, struct vsr_err *err) {
    struct tls_server *tls = listener->backend->tls;
    vsr_str host = str_from_c(listener->host);
    uint16_t port = 0;
    int rc = tls ? server_listen_tls(worker->server, host, listener->port, tls, listener, &port, err)
                 : server_listen(worker->server, host, listener->port, listener, &port, err);
    if (rc < 0)
        return err_wrap(err, "cannot listen on %s", listener->shown);
    listener->port = port;
    backend_listener_show(listener);
    return 0;
}

static int worker_open(struct backend_worker *worker, struct backend *backend, size_t index, struct vsr_err *err) {
    int rc;
    *worker = (struct backend_worker){ .backend = backend, .index = index };
    worker->random = backend->seed + index;
    rc = loop_new(&worker->loop, err);
    if (rc < 0)
        return rc;
    rc = server_new(worker->loop, &backend_handler, worker, &limits, &worker->server, err);
    for (size_t i = 0; rc == 0 && i < backend->n_listeners; i++)
        rc = worker_listen(worker, &backend->listeners[i], err);
    return rc;
}

/* On the worker's thread, or before that has started. */
static void worker_close(struct backend_worker *worker) {
    server_free(worker->server);
    worker->server = NULL;
    backend_worker_done(worker);
    loop_free(worker->loop);
    worker->loop = NULL;
}

static void *worker_run(void *data) {
    struct backend_worker *worker = data;
    loop_run(worker->loop);
    worker_close(worker);
    return NULL;
}

/* Every worker shares the ports with the others; another process, a forgotten backend perhaps, must not. */
static int probe_listeners(const struct backend *backend, struct vsr_err *err) {
    for (size_t i = 0; i < backend->n_listeners; i++) {
        const struct backend_listener *listener = &backend->listeners[i];
        struct listen_sockets sockets;
        int rc = listen_sockets_open(str_from_c(listener->host), listener->port, LISTEN_PROBE, &sockets, err);
        if (rc < 0)
            return err_wrap(err, "cannot listen on %s", listener->shown);
        listen_sockets_close(&sockets);
    }
    return 0;
}

int backend_start(struct backend *backend, struct backend_worker *workers, size_t n_workers, struct vsr_err *err) {
    int rc = probe_listeners(backend, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n_workers; i++) {
        rc = worker_open(&workers[i], backend, i, err);
        if (rc < 0) {
            for (size_t j = 0; j <= i; j++)
                worker_close(&workers[j]);
            return rc;
        }
    }
    for (size_t i = 0; i < n_workers; i++)
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0)
            vsr_out_of_memory(0); /* a thread is memory, and there is no use in half a server */
    return 0;
}

void backend_stop(struct backend_worker *workers, size_t n_workers) {
    for (size_t i = 0; i < n_workers; i++)
        loop_stop(workers[i].loop);
    for (size_t i = 0; i < n_workers; i++)
        pthread_join(workers[i].thread, NULL);
}
