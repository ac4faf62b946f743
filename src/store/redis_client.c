#include "store/redis_client.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "store/store_options.h"

enum {
    PORT = 6379,
    DNS_TTL_MS = 30000,
    TICK_MS = 50, /* how exactly deadlines are kept */
    BACK_OFF_MIN_MS = 100,
    BACK_OFF_MAX_MS = 5000,
    OUT_LEN_MAX = 2 * REDIS_QUEUE_BYTES_MAX,
};

enum state {
    STATE_IDLE,       /* no connection; the next command makes one */
    STATE_CONNECTING, /* name, socket, TLS */
    STATE_GREETING,   /* password, database */
    STATE_READY,
};

struct redis_call {
    struct redis_call *next;
    struct redis_client *client;
    redis_done_fn *done; /* NULL: nobody waits */
    void *owner;
    uint64_t due_ms;
    unsigned retries;
    bool greeting; /* ours, not the caller's */
    struct buf bytes;
};

struct call_list {
    struct redis_call *first, **last;
};

struct redis_client {
    struct loop *loop;
    struct arena *arena; /* of the options */
    struct redis_options options;
    struct tls_client *tls;
    vsr_str host;
    struct dns_host *dns;
    struct stream *stream;
    enum state state;
    size_t address, n_tried; /* of the name's addresses */
    struct loop_timer connect_timer, tick_timer;
    struct loop_task refuse_task, flush_task;
    struct buf out; /* goes out when the loop turns: many small commands are one write */
    struct redis_reader reader;
    struct arena *scratch;                 /* of the reply that is delivered */
    struct call_list queue, sent, refused; /* not sent; not answered; to fail in the next turn */
    size_t n_calls, queue_bytes;
    size_t n_greeting; /* answers that the greeting still waits for */
    uint64_t back_off_ms, retry_ms;
    struct vsr_err last_err; /* why there is no connection */
};

/* ---- addresses */

bool redis_address_parse(vsr_str address, vsr_str *ret_host, uint16_t *ret_port) {
    vsr_str host = address, digits = VSR_STR("");
    ptrdiff_t colon = str_find_last_char(address, ':');
    uint64_t port = PORT;
    if (address.len && address.ptr[0] == '[') {
        ptrdiff_t end = str_find_char(address, ']');
        if (end < 0 || ((size_t)end + 1 < address.len && address.ptr[end + 1] != ':'))
            return false;
        host = str_sub(address, 1, (size_t)end);
        digits = str_sub(address, (size_t)end + 2, address.len);
        if ((size_t)end + 2 == address.len)
            return false;
    } else if (colon >= 0) {
        host = str_sub(address, 0, (size_t)colon);
        digits = str_sub(address, (size_t)colon + 1, address.len);
        if (digits.len == 0 || str_find_char(host, ':') >= 0)
            return false;
    }
    if (digits.len && (!str_to_u64(digits, &port) || port == 0 || port > UINT16_MAX))
        return false;
    if (host.len == 0 || host.len > DNS_NAME_LEN_MAX || str_find_char(host, '/') >= 0)
        return false;
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}

int redis_tls_new(const struct redis_options *options, struct tls_client **ret_tls, struct vsr_err *err) {
    static const vsr_str alpn = VSR_STR_INIT("redis");
    const struct tls_client_options tls = {
        .ca_file = options->tls_ca,
        .cert_file = options->tls_cert,
        .key_file = options->tls_key,
        .insecure = options->tls_skip_verify,
        .alpn = &alpn,
        .n_alpn = 1,
    };
    *ret_tls = NULL;
    return options->tls ? tls_client_new(&tls, ret_tls, err) : 0;
}

/* ---- calls */

static void list_init(struct call_list *list) {
    list->first = NULL;
    list->last = &list->first;
}

static void list_add(struct call_list *list, struct redis_call *call) {
    call->next = NULL;
    *list->last = call;
    list->last = &call->next;
}

static struct redis_call *list_take(struct call_list *list) {
    struct redis_call *call = list->first;
    if (!call)
        return NULL;
    list->first = call->next;
    if (!list->first)
        list->last = &list->first;
    return call;
}

/* All of `more` behind what is there. */
static void list_join(struct call_list *list, struct call_list *more) {
    struct redis_call *call;
    while ((call = list_take(more)))
        list_add(list, call);
}

static void call_free(struct redis_call *call) {
    call->client->n_calls--;
    call->client->queue_bytes -= call->bytes.len;
    buf_done(&call->bytes);
    mem_free(call);
}

static void fail_list(struct call_list *list, const struct vsr_err *err) {
    struct redis_call *call;
    while ((call = list_take(list))) {
        if (call->done)
            call->done(call->owner, NULL, err);
        call_free(call);
    }
}

static void refuse_later(void *data) {
    struct redis_client *client = data;
    struct call_list refused = { 0 };
    struct vsr_err err = client->last_err;
    list_init(&refused);
    list_join(&refused, &client->refused);
    fail_list(&refused, &err);
}

/* ---- the connection */

static void connect_next(struct redis_client *client);
static void fail_connect(struct redis_client *client, const struct vsr_err *err);
static void on_tick(void *data);

static void drop_stream(struct redis_client *client) {
    stream_close(client->stream);
    client->stream = NULL;
    redis_reader_reset(&client->reader);
    buf_done(&client->out);
    loop_timer_stop(&client->connect_timer);
    client->n_greeting = 0;
}

static bool may_repeat(const struct redis_client *client, struct redis_call *call) {
    if (call->greeting || !call->done || call->retries == 0 || call->due_ms <= loop_now_ms(client->loop))
        return false;
    call->retries--;
    return true;
}

/* What was sent goes out again, before the rest, or fails. */
static void lose(struct redis_client *client, const struct vsr_err *cause) {
    struct call_list again, failed;
    struct redis_call *call;
    struct vsr_err err = *cause;
    list_init(&again);
    list_init(&failed);
    drop_stream(client);
    client->state = STATE_IDLE;
    while ((call = list_take(&client->sent)))
        list_add(may_repeat(client, call) ? &again : &failed, call);
    list_join(&again, &client->queue);
    list_join(&client->queue, &again);
    if (client->queue.first)
        connect_next(client);
    fail_list(&failed, &err);
}

static void pause_connecting(struct redis_client *client, const struct vsr_err *err) {
    client->last_err = *err;
    client->last_err.code = VSR_E_UNAVAILABLE;
    client->retry_ms = loop_now_ms(client->loop) + client->back_off_ms;
    client->back_off_ms *= 2;
    if (client->back_off_ms > BACK_OFF_MAX_MS)
        client->back_off_ms = BACK_OFF_MAX_MS;
    client->state = STATE_IDLE;
}

/* Nobody answers at any address, or nobody who lets us in. */
static void fail_connect(struct redis_client *client, const struct vsr_err *err) {
    struct call_list failed;
    struct redis_call *call;
    struct vsr_err copy = *err;
    list_init(&failed);
    drop_stream(client);
    while ((call = list_take(&client->sent))) /* the greeting */
        call_free(call);
    dns_host_expire(client->dns);
    pause_connecting(client, &copy);
    list_join(&failed, &client->queue);
    fail_list(&failed, &client->last_err);
}

static void flush(void *data) {
    struct redis_client *client = data;
    if (client->stream)
        stream_write(client->stream, buf_str(&client->out));
    buf_done(&client->out);
}

static void send_call(struct redis_client *client, struct redis_call *call) {
    (void)buf_append(&client->out, buf_str(&call->bytes)); /* no more than REDIS_QUEUE_BYTES_MAX and a call */
    loop_defer(client->loop, &client->flush_task, flush, client);
    if (call->retries == 0) {
        client->queue_bytes -= call->bytes.len;
        buf_done(&call->bytes);
    }
    list_add(&client->sent, call);
}

static void send_queue(struct redis_client *client) {
    struct redis_call *call;
    while (client->stream && client->state == STATE_READY && (call = list_take(&client->queue)))
        send_call(client, call);
}

static struct redis_call *make_call(struct redis_client *client, const struct redis_command *command) {
    struct redis_call *call = MEM_NEW(struct redis_call);
    uint64_t deadline_ms = command->deadline_ms ? command->deadline_ms : client->options.io_ms;
    size_t len = 32;
    for (size_t i = 0; i < command->n; i++)
        len += command->argv[i].len + 32;
    call->client = client;
    call->due_ms = loop_now_ms(client->loop) + deadline_ms;
    call->retries = command->repeatable ? client->options.retries : 0;
    buf_init(&call->bytes, len);
    (void)buf_reserve(&call->bytes, len);
    redis_command_write(&call->bytes, command->argv, command->n);
    client->n_calls++;
    client->queue_bytes += call->bytes.len;
    return call;
}

static void on_greeted(struct redis_client *client, const struct redis_value *value) {
    struct vsr_err err = VSR_ERR_NONE;
    if (value->type == REDIS_ERROR) {
        (void)err_set(&err, VSR_E_REFUSED, "Redis at %.*s refuses: %.*s", VSR_FMT(client->options.address),
                      VSR_FMT(value->text));
        fail_connect(client, &err);
        return;
    }
    if (--client->n_greeting)
        return;
    client->state = STATE_READY;
    client->back_off_ms = BACK_OFF_MIN_MS;
    loop_timer_stop(&client->connect_timer);
    dns_host_prefer(client->dns, client->address);
    send_queue(client);
}

static void greet_with(struct redis_client *client, const vsr_str *argv, size_t n) {
    const struct redis_command command = { .argv = argv, .n = n, .deadline_ms = client->options.connect_ms };
    struct redis_call *call = make_call(client, &command);
    call->greeting = true;
    client->n_greeting++;
    send_call(client, call);
}

/* PING is answered only by a server that lets us in. */
static void greet(struct redis_client *client) {
    const struct redis_options *o = &client->options;
    char db[24];
    const vsr_str auth[] = { VSR_STR("AUTH"), o->username, o->password };
    const vsr_str password[] = { VSR_STR("AUTH"), o->password };
    const vsr_str ping[] = { VSR_STR("PING") };
    client->state = STATE_GREETING;
    if (o->username.len)
        greet_with(client, auth, 3);
    else if (o->password.len)
        greet_with(client, password, 2);
    if (o->db) {
        (void)snprintf(db, sizeof(db), "%lld", (long long)o->db);
        greet_with(client, (const vsr_str[]){ VSR_STR("SELECT"), str_from_c(db) }, 2);
    }
    greet_with(client, ping, 1);
}

/* ---- events of the stream */

static void on_open(void *owner) {
    greet(owner);
}

/* False: the connection is gone. */
static bool deliver(struct redis_client *client, const struct redis_value *value) {
    struct redis_call *call = list_take(&client->sent);
    struct vsr_err err = VSR_ERR_NONE;
    if (!call) {
        (void)err_set(&err, VSR_E_PROTOCOL, "Redis at %.*s answered what nobody asked",
                      VSR_FMT(client->options.address));
        lose(client, &err);
        return false;
    }
    if (call->greeting) {
        call_free(call);
        on_greeted(client, value);
        return client->stream != NULL;
    }
    if (call->done)
        call->done(call->owner, value, NULL);
    call_free(call);
    return client->stream != NULL;
}

static void on_read(void *owner, vsr_str bytes) {
    struct redis_client *client = owner;
    struct vsr_err err = VSR_ERR_NONE;
    struct redis_value value;
    int rc = redis_reader_feed(&client->reader, bytes);
    if (rc < 0)
        (void)err_set(&err, rc, "Redis at %.*s: a reply is too large", VSR_FMT(client->options.address));
    else
        while ((rc = redis_reader_next(&client->reader, client->scratch, &value, &err)) > 0) {
            bool alive = deliver(client, &value);
            arena_reset(client->scratch);
            if (!alive)
                return;
        }
    if (rc < 0) {
        err_wrap(&err, "Redis at %.*s", VSR_FMT(client->options.address));
        if (client->state == STATE_READY)
            lose(client, &err);
        else
            fail_connect(client, &err);
    }
}

static void on_error(void *owner, const struct vsr_err *cause) {
    struct redis_client *client = owner;
    struct vsr_err err = *cause;
    err_wrap(&err, "Redis at %.*s", VSR_FMT(client->options.address));
    if (client->state == STATE_READY) {
        lose(client, &err);
        return;
    }
    client->last_err = err;
    stream_close(client->stream);
    client->stream = NULL;
    redis_reader_reset(&client->reader);
    if (client->state == STATE_CONNECTING && ++client->n_tried < dns_host_count(client->dns)) {
        client->address++;
        connect_next(client);
    } else {
        fail_connect(client, &err);
    }
}

static void on_eof(void *owner) {
    struct vsr_err err = VSR_ERR_NONE;
    (void)err_set(&err, VSR_E_CLOSED, "the server closed the connection");
    on_error(owner, &err);
}

static const struct stream_events events = {
    .on_open = on_open, .on_read = on_read, .on_eof = on_eof, .on_error = on_error
};

static void on_connect_timeout(void *data) {
    struct redis_client *client = data;
    struct vsr_err err = VSR_ERR_NONE;
    (void)err_set(&err, VSR_E_TIMEOUT, "Redis at %.*s did not let us in within %llu ms",
                  VSR_FMT(client->options.address), (unsigned long long)client->options.connect_ms);
    fail_connect(client, &err);
}

static void on_resolved(void *data, const struct vsr_err *cause) {
    struct redis_client *client = data;
    if (client->state != STATE_CONNECTING || client->stream)
        return;
    if (cause) {
        struct vsr_err err = *cause;
        fail_connect(client, &err);
        return;
    }
    client->address = dns_host_first(client->dns);
    client->n_tried = 0;
    connect_next(client);
}

/* The next address of the name, or first the name. Failures come later, never inside. */
static void connect_next(struct redis_client *client) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str name = client->options.tls_name.len ? client->options.tls_name : client->host;
    int rc;
    if (client->state == STATE_IDLE) {
        client->state = STATE_CONNECTING;
        loop_timer_start(client->loop, &client->connect_timer, client->options.connect_ms, on_connect_timeout, client);
        dns_host_resolve(client->dns, on_resolved, client);
        return;
    }
    rc = stream_connect(client->loop, dns_host_addr(client->dns, client->address), client->tls, name, &events, client,
                        &client->stream, &err);
    if (rc < 0)
        fail_connect(client, &err);
}

/* ---- deadlines */

static void expire_queue(struct redis_client *client, struct call_list *expired) {
    struct call_list rest;
    struct redis_call *call;
    list_init(&rest);
    while ((call = list_take(&client->queue)))
        list_add(call->due_ms <= loop_now_ms(client->loop) ? expired : &rest, call);
    list_join(&client->queue, &rest);
}

/* The server owes an answer to somebody who does not wait any longer: whoever is behind waits in vain, too. */
static bool is_hung(const struct redis_client *client) {
    for (const struct redis_call *call = client->sent.first; call; call = call->next)
        if (call->due_ms <= loop_now_ms(client->loop))
            return true;
    return false;
}

static void arm_tick(struct redis_client *client) {
    if (client->n_calls && !loop_timer_active(&client->tick_timer))
        loop_timer_start(client->loop, &client->tick_timer, TICK_MS, on_tick, client);
}

static void on_tick(void *data) {
    struct redis_client *client = data;
    struct call_list expired;
    struct vsr_err err = VSR_ERR_NONE;
    list_init(&expired);
    expire_queue(client, &expired);
    (void)err_set(&err, VSR_E_TIMEOUT, "Redis at %.*s did not answer in time", VSR_FMT(client->options.address));
    if (client->state == STATE_READY && is_hung(client))
        lose(client, &err);
    fail_list(&expired, &err);
    arm_tick(client);
}

/* ---- commands */

struct redis_call *redis_send(struct redis_client *client, const struct redis_command *command, redis_done_fn *done,
                              void *owner) {
    struct redis_call *call = make_call(client, command);
    VSR_ASSERT(loop_on_thread(client->loop));
    call->done = done;
    call->owner = owner;
    if (client->n_calls > REDIS_CALLS_MAX || client->queue_bytes > REDIS_QUEUE_BYTES_MAX || call->bytes.failed) {
        (void)err_set(&client->last_err, VSR_E_LIMIT, "too much waits for Redis at %.*s",
                      VSR_FMT(client->options.address));
        list_add(&client->refused, call);
        loop_defer(client->loop, &client->refuse_task, refuse_later, client);
        return call;
    }
    if (client->state == STATE_IDLE && loop_now_ms(client->loop) < client->retry_ms) {
        list_add(&client->refused, call);
        loop_defer(client->loop, &client->refuse_task, refuse_later, client);
        return call;
    }
    list_add(&client->queue, call);
    arm_tick(client);
    if (client->state == STATE_IDLE)
        connect_next(client);
    send_queue(client);
    return call;
}

void redis_call_cancel(struct redis_call *call) {
    if (call)
        call->done = NULL;
}

/* ---- life */

int redis_client_new(struct loop *loop, const struct redis_options *options, struct tls_client *tls,
                     struct redis_client **ret_client, struct vsr_err *err) {
    struct redis_client *client;
    vsr_str host;
    uint16_t port;
    if (!redis_address_parse(options->address, &host, &port))
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is no address of a server; expected host:port",
                       VSR_FMT(options->address));
    client = MEM_NEW(struct redis_client);
    client->loop = loop;
    client->tls = tls;
    client->arena = arena_new(1024, 0);
    client->scratch = arena_new(0, 0);
    redis_options_copy(client->arena, options, &client->options);
    client->host = arena_str(client->arena, host);
    client->dns = dns_host_new(loop, client->host, port, DNS_TTL_MS);
    client->back_off_ms = BACK_OFF_MIN_MS;
    client->last_err = VSR_ERR_NONE;
    redis_reader_init(&client->reader);
    buf_init(&client->out, OUT_LEN_MAX);
    list_init(&client->queue);
    list_init(&client->sent);
    list_init(&client->refused);
    *ret_client = client;
    return 0;
}

static void free_list(struct call_list *list) {
    struct redis_call *call;
    while ((call = list_take(list)))
        call_free(call);
}

void redis_client_free(struct redis_client *client) {
    if (!client)
        return;
    drop_stream(client);
    loop_timer_stop(&client->tick_timer);
    loop_defer_cancel(&client->refuse_task);
    loop_defer_cancel(&client->flush_task);
    free_list(&client->queue);
    free_list(&client->sent);
    free_list(&client->refused);
    dns_host_free(client->dns);
    redis_reader_done(&client->reader);
    arena_free(client->scratch);
    arena_free(client->arena);
    mem_free(client);
}
