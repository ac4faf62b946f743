#include "mcp/hub.h"

#include <pthread.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/mem.h"
#include "mcp/session.h"
#include "net/bell.h"
#include "net/loop.h"

enum { KEY_LEN_MAX = 16 << 20, TURN_MS = 50 };

struct mcp_server {
    struct mcp_server *next;
    struct mcp_hub *hub;
    struct buf key;
    size_t n_refs; /* under the hub's lock; without any it ends on the hub's loop */
    struct mcp_session *session;
    struct mcp_task begin;
    void *user;
    void (*free_user)(void *user);
};

struct mcp_hub {
    struct mcp_place place;
    pthread_mutex_t lock; /* guards what follows, and references */
    struct bell *bell;
    struct mcp_server *servers;
    struct mcp_task *tasks, **tasks_end;
    size_t n_ending; /* hub's loop only: sessions, and servers that sessions have lost, that are not gone yet */
};

static void lock(struct mcp_hub *hub) {
    (void)pthread_mutex_lock(&hub->lock);
}

static void unlock(struct mcp_hub *hub) {
    (void)pthread_mutex_unlock(&hub->lock);
}

/* ---- work for the loop */

static struct mcp_task *next_task(struct mcp_hub *hub) {
    struct mcp_task *task;
    lock(hub);
    task = hub->tasks;
    if (task)
        hub->tasks = task->next;
    if (!hub->tasks)
        hub->tasks_end = &hub->tasks;
    unlock(hub);
    return task;
}

void mcp_hub_submit(struct mcp_hub *hub, struct mcp_task *task, void (*fn)(void *data), void *data) {
    *task = (struct mcp_task){ .fn = fn, .data = data };
    lock(hub);
    *hub->tasks_end = task;
    hub->tasks_end = &task->next;
    bell_ring(hub->bell);
    unlock(hub);
}

/* ---- servers that nobody needs */

static void on_session_gone(void *data) {
    struct mcp_hub *hub = data;
    hub->n_ending--;
}

static void end_server(struct mcp_server *server) {
    struct mcp_hub *hub = server->hub;
    if (server->user)
        server->free_user(server->user);
    hub->n_ending++;
    mcp_session_free(server->session, on_session_gone, hub);
    buf_done(&server->key);
    mem_free(server);
}

static struct mcp_server *take_unused(struct mcp_hub *hub) {
    struct mcp_server **link, *server;
    lock(hub);
    for (link = &hub->servers; *link && (*link)->n_refs > 0;)
        link = &(*link)->next;
    server = *link;
    if (server)
        *link = server->next;
    unlock(hub);
    return server;
}

static void on_bell(void *data) {
    struct mcp_hub *hub = data;
    for (struct mcp_task *task; (task = next_task(hub)) != NULL;)
        task->fn(task->data);
    for (struct mcp_server *server; (server = take_unused(hub)) != NULL;)
        end_server(server);
}

/* ---- servers */

static void add_text(struct buf *key, vsr_str text) {
    buf_printf(key, "%zu:", text.len);
    buf_append(key, text);
}

/* All that makes a server what it is; lengths keep neighbours apart. */
static void write_key(struct buf *key, const struct mcp_server_options *options, vsr_str purpose) {
    buf_printf(key, "%d,%zu,%zu,", (int)options->kind, options->n_args, options->n_env);
    add_text(key, purpose);
    add_text(key, options->command);
    for (size_t i = 0; i < options->n_args; i++)
        add_text(key, options->args[i]);
    for (size_t i = 0; i < options->n_env; i++) {
        add_text(key, options->env[i].name);
        add_text(key, options->env[i].value);
    }
    add_text(key, options->folder);
    add_text(key, options->url);
    add_text(key, options->token);
}

static void on_begin(void *data) {
    struct mcp_server *server = data;
    mcp_session_wake(server->session);
    mcp_server_unref(server);
}

/* Under the lock. */
static struct mcp_server *find(struct mcp_hub *hub, vsr_str key) {
    for (struct mcp_server *server = hub->servers; server; server = server->next)
        if (str_eq(buf_str(&server->key), key))
            return server;
    return NULL;
}

struct mcp_server *mcp_hub_server(struct mcp_hub *hub, const struct mcp_server_options *options, vsr_str purpose) {
    struct mcp_server *server;
    struct buf key;
    bool is_new;
    buf_init(&key, KEY_LEN_MAX);
    write_key(&key, options, purpose);
    VSR_ASSERT(!buf_failed(&key)); /* a part of one configuration document */
    lock(hub);
    server = find(hub, buf_str(&key));
    is_new = !server;
    if (is_new) {
        server = MEM_NEW(struct mcp_server);
        server->hub = hub;
        server->key = key;
        server->session = mcp_session_new(&hub->place, options); /* touches nothing of the loop */
        server->next = hub->servers;
        server->n_refs = 1; /* until it was begun */
        hub->servers = server;
    }
    server->n_refs++;
    unlock(hub);
    if (is_new)
        mcp_hub_submit(hub, &server->begin, on_begin, server);
    else
        buf_done(&key);
    return server;
}

struct mcp_server *mcp_server_ref(struct mcp_server *server) {
    lock(server->hub);
    server->n_refs++;
    unlock(server->hub);
    return server;
}

void mcp_server_unref(struct mcp_server *server) {
    struct mcp_hub *hub;
    if (!server)
        return;
    hub = server->hub;
    lock(hub);
    VSR_ASSERT(server->n_refs > 0);
    if (--server->n_refs == 0)
        bell_ring(hub->bell);
    unlock(hub);
}

struct mcp_session *mcp_server_session(const struct mcp_server *server) {
    return server->session;
}

void *mcp_server_user(const struct mcp_server *server) {
    return server->user;
}

void mcp_server_set_user(struct mcp_server *server, void *user, void (*free_user)(void *user)) {
    VSR_ASSERT(!server->user);
    server->user = user;
    server->free_user = free_user;
}

/* ---- life */

int mcp_hub_new(const struct mcp_place *place, struct mcp_hub **ret_hub, struct vsr_err *err) {
    struct mcp_hub *hub = MEM_NEW(struct mcp_hub);
    int rc = bell_new(place->loop, on_bell, hub, &hub->bell, err);
    if (rc < 0) {
        mem_free(hub);
        return rc;
    }
    hub->place = *place;
    hub->place.n_ending = &hub->n_ending;
    hub->tasks_end = &hub->tasks;
    (void)pthread_mutex_init(&hub->lock, NULL); /* default attributes cannot fail */
    *ret_hub = hub;
    return 0;
}

void mcp_hub_free(struct mcp_hub *hub) {
    if (!hub)
        return;
    on_bell(hub);
    VSR_ASSERT(!hub->servers);
    while (hub->n_ending > 0)
        (void)loop_run_once(hub->place.loop, TURN_MS);
    bell_free(hub->bell);
    (void)pthread_mutex_destroy(&hub->lock);
    mem_free(hub);
}
