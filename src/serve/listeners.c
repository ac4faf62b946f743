#include "serve/listeners.h"

#include <time.h>

#include "core/mem.h"
#include "net/server.h"
#include "serve/snapshot.h"

enum {
    FAREWELL_STEP_MS = 20,
    FAREWELL_WAIT_MS = 2 * SERVER_FAREWELL_MS, /* workers may be late */
};

static const struct config_listener *listener_at(const struct snapshot *snapshot, size_t i) {
    return (const struct config_listener *)snapshot->doc->listeners.items + i;
}

static bool has_port(const struct snapshot *snapshot, int64_t port) {
    for (size_t i = 0; snapshot && i < snapshot->doc->listeners.n; i++)
        if (listener_at(snapshot, i)->port == port)
            return true;
    return false;
}

/*
 * Whether another process has the port. Where this one has it, on another address, the question cannot be asked: its
 * own sockets would answer. Nor while a worker takes leave of it, since the last generation: that is waited for.
 */
static int probe(const struct snapshot *now, const struct config_listener *listener, struct vsr_err *err) {
    const struct timespec step = { .tv_nsec = FAREWELL_STEP_MS * 1000000L };
    int rc = has_port(now, listener->port) ? 0 : server_probe(listener->address, (uint16_t)listener->port, err);
    for (int waited = 0; now && rc == VSR_E_EXISTS && waited < FAREWELL_WAIT_MS; waited += FAREWELL_STEP_MS) {
        (void)nanosleep(&step, NULL); /* cut short by a signal: asks once more than planned */
        rc = server_probe(listener->address, (uint16_t)listener->port, err);
    }
    return rc;
}

static int bind_all(const struct snapshot *now, struct new_listener *fresh, size_t n_workers, struct vsr_err *err) {
    int rc = probe(now, fresh->config, err);
    for (size_t i = 0; i < n_workers && rc == 0; i++)
        rc = listen_sockets_open(fresh->address, fresh->port, LISTEN_BOUND, &fresh->sockets[i], err);
    return rc;
}

static int start_all(const struct new_listener *fresh, size_t n_workers, struct vsr_err *err) {
    int rc = 0;
    for (size_t i = 0; i < n_workers && rc == 0; i++)
        rc = listen_sockets_start(&fresh->sockets[i], err);
    return rc;
}

static int name_listener(const struct config_listener *listener, struct vsr_err *err) {
    return err_wrap(err, "listener \"%.*s\" on %.*s:%u", VSR_FMT(listener->name), VSR_FMT(listener->address),
                    (unsigned)listener->port);
}

static bool is_there(const struct snapshot *now, const struct config_listener *next) {
    const struct config_listener *old = now ? snapshot_listener(now, next->address, (uint16_t)next->port) : NULL;
    return old && !old->tls == !next->tls;
}

static int open_all(struct listeners *listeners, const struct snapshot *now, const struct snapshot *next,
                    struct vsr_err *err) {
    for (size_t i = 0; i < next->doc->listeners.n; i++) {
        const struct config_listener *listener = listener_at(next, i);
        struct new_listener *item = &listeners->items[listeners->n];
        if (is_there(now, listener))
            continue;
        item->address = listener->address;
        item->port = (uint16_t)listener->port;
        item->sockets = mem_alloc(listeners->n_workers * sizeof(*item->sockets));
        item->config = listener;
        listeners->n++;
        if (bind_all(now, item, listeners->n_workers, err) < 0)
            return name_listener(listener, err);
    }
    /* Connections come from here on, so nothing but the lack of memory may go wrong any more. */
    for (size_t i = 0; i < listeners->n; i++)
        if (start_all(&listeners->items[i], listeners->n_workers, err) < 0)
            return name_listener(listeners->items[i].config, err);
    return 0;
}

int listeners_open(const struct snapshot *now, const struct snapshot *next, size_t n_workers,
                   struct listeners **ret_listeners, struct vsr_err *err) {
    struct listeners *listeners;
    int rc;
    if (next->doc->listeners.n > LISTENERS_MAX)
        return err_set(err, VSR_E_LIMIT, "%zu listeners, at most %d", next->doc->listeners.n, LISTENERS_MAX);
    listeners = MEM_NEW(struct listeners);
    listeners->n_workers = n_workers;
    listeners->items = mem_alloc(LISTENERS_MAX * sizeof(*listeners->items));
    rc = open_all(listeners, now, next, err);
    if (rc < 0)
        listeners_free(listeners);
    else
        *ret_listeners = listeners;
    return rc;
}

void listeners_free(struct listeners *listeners) {
    if (!listeners)
        return;
    for (size_t i = 0; i < listeners->n; i++) {
        for (size_t j = 0; j < listeners->n_workers; j++)
            listen_sockets_close(&listeners->items[i].sockets[j]);
        mem_free(listeners->items[i].sockets);
    }
    mem_free(listeners->items);
    mem_free(listeners);
}
