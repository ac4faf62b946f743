/* links: net */
/*
 * The first two bytes say how: whether the client's preface goes in front, in what slices the rest comes, whether the
 * client reads, and what the handler does; the rest is what the client sends. It goes through a real connection over a
 * socket pair. Whatever comes, a handler sees only heads that HTTP/1.1 could carry on, each request is closed once, and
 * nothing is left when the connection is gone.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/server_conn.h"

enum {
    HAS_PREFACE = 1,
    READS = 2,
    DRAINS = 4,
    CUT_SHIFT = 3, /* the other five bits of the first byte: length of a slice, 0: all at once */
    INPUT_LEN_MAX = 1 << 20,
    ANSWER_LEN = 40000, /* more than a frame, and than a window that the client may have given */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct app {
    uint8_t behaviour;
    size_t n_running, n_opened, n_closed;
    struct request *paused;
};

struct request {
    struct app *app;
    struct exchange *exchange;
    struct request *next_paused;
    bool ended, closed, answered, is_paused;
};

static struct loop *loop;
static struct server *server;
static struct app app;
static char answer[ANSWER_LEN];

static void check_field(struct http1_field field) {
    VSR_ASSERT(http1_name_ok(field.name));
    VSR_ASSERT(http1_value_ok(field.value));
    for (size_t i = 0; i < field.name.len; i++)
        VSR_ASSERT(field.name.ptr[i] < 'A' || field.name.ptr[i] > 'Z');
}

static void check_head(const struct http1_head *head) {
    VSR_ASSERT(http1_name_ok(head->method));
    VSR_ASSERT(http1_target_ok(head->target));
    VSR_ASSERT(head->method.len <= HTTP1_METHOD_LEN_MAX);
    VSR_ASSERT(head->target.len <= HTTP1_TARGET_LEN_MAX);
    VSR_ASSERT(head->n_fields <= HTTP1_FIELDS_MAX + 1); /* `host` may be one more */
    for (size_t i = 0; i < head->n_fields; i++) {
        check_field(head->fields[i]);
        VSR_ASSERT(i == 0 || !str_eq(head->fields[i].name, VSR_STR("host")));
        VSR_ASSERT(!str_eq(head->fields[i].name, VSR_STR("transfer-encoding")));
        VSR_ASSERT(!str_eq(head->fields[i].name, VSR_STR("connection")));
    }
}

static void respond(struct request *request) {
    static const struct http1_field fields[] = { { VSR_STR_INIT("x-end"), VSR_STR_INIT("yes") } };
    struct exchange *exchange = request->exchange;
    uint8_t how = request->app->behaviour;
    if (request->answered)
        return;
    request->answered = true;
    if (how & 8) {
        exchange_head(exchange, 200, fields, 1, EXCHANGE_LENGTH_UNKNOWN);
        exchange_body(exchange, str_make(answer, how & 16 ? ANSWER_LEN : 5));
        if ((how & 32) && exchange_retract(exchange))
            exchange_head(exchange, 500, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
        exchange_end_trailers(exchange, fields, how & 64 ? 1 : 0);
    } else if (how & 16) {
        exchange_abort(exchange);
    } else {
        exchange_reply(exchange, 200, fields, 1, str_make(answer, how & 64 ? ANSWER_LEN : 5));
    }
}

static void *on_request(void *data, struct exchange *exchange, const struct http1_head *head) {
    struct request *request = MEM_NEW(struct request);
    *request = (struct request){ .app = data, .exchange = exchange };
    check_head(head);
    app.n_opened++;
    app.n_running++;
    if ((app.behaviour & 3) == 1) {
        respond(request);
    } else if ((app.behaviour & 3) == 2) {
        exchange_pause(exchange);
        request->is_paused = true;
        request->next_paused = app.paused;
        app.paused = request;
    }
    return request;
}

static void on_body(void *data, vsr_str bytes) {
    struct request *request = data;
    VSR_ASSERT(!request->closed && !request->ended && !request->is_paused && bytes.len > 0);
    if (app.behaviour & 4)
        respond(request);
}

static void on_end(void *data) {
    struct request *request = data;
    VSR_ASSERT(!request->closed && !request->ended && !request->is_paused);
    request->ended = true;
    respond(request);
}

static void on_drain(void *data) {
    VSR_ASSERT(!((struct request *)data)->closed);
}

static void forget_paused(struct request *request) {
    struct request **link = &app.paused;
    while (*link && *link != request)
        link = &(*link)->next_paused;
    if (*link)
        *link = request->next_paused;
}

static void on_close(void *data, enum exchange_outcome how) {
    struct request *request = data;
    (void)how;
    VSR_ASSERT(!request->closed);
    forget_paused(request);
    app.n_closed++;
    app.n_running--;
    mem_free(request);
}

static void error_body(void *data, const struct http1_head *head, int status, vsr_str message,
                       struct server_error *ret) {
    (void)data, (void)head;
    VSR_ASSERT(status >= 400 && status < 600);
    buf_printf(&ret->body, "{\"message\":\"%.*s\"}", VSR_FMT(message));
}

static const struct server_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_close = on_close,
    .error_body = error_body,
};

static void set_up(void) {
    static const struct server_limits limits = {
        .head_timeout_ms = 60000,
        .body_timeout_ms = 60000,
        .idle_timeout_ms = 60000,
        .write_timeout_ms = 60000,
        .body_len_max = 1 << 16,
        .connections_max = 10,
    };
    struct vsr_err err;
    if (loop)
        return;
    memset(answer, 'a', sizeof(answer));
    VSR_ASSERT(loop_new(&loop, &err) == 0);
    VSR_ASSERT(server_new(loop, &handler, &app, &limits, &server, &err) == 0);
    VSR_ASSERT(server_listen(server, VSR_STR("127.0.0.1"), 0, &app, NULL, &err) == 0);
}

static void turn(int client, bool reads) {
    char bytes[16 << 10];
    loop_run_once(loop, 0);
    while (reads && recv(client, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

static void resume_one(void) {
    struct request *request = app.paused;
    if (!request)
        return;
    app.paused = request->next_paused;
    request->is_paused = false;
    exchange_resume(request->exchange);
}

static void send_all(int client, vsr_str bytes, size_t slice, bool reads) {
    while (bytes.len > 0 && server->conns) {
        size_t len = slice && slice < bytes.len ? slice : bytes.len;
        ssize_t n = send(client, bytes.ptr, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            bytes = str_sub(bytes, (size_t)n, bytes.len);
        else if (n < 0 && !server->conns)
            return;
        turn(client, reads);
        resume_one();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    int fds[2];
    if (len < 2 || len > INPUT_LEN_MAX)
        return 0;
    set_up();
    app = (struct app){ .behaviour = data[1] };
    VSR_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    server_conn_open(server, server->listeners, fds[0], false);
    if (data[0] & HAS_PREFACE)
        send_all(fds[1], str_make(preface, sizeof(preface)), 0, true);
    send_all(fds[1], str_make((const char *)data + 2, len - 2), data[0] >> CUT_SHIFT, data[0] & READS);
    if ((data[0] & DRAINS) && server->conns)
        server_conn_drain(server->conns);
    for (int i = 0; i < 3; i++)
        turn(fds[1], data[0] & READS);
    while (app.paused)
        resume_one();
    turn(fds[1], data[0] & READS);
    close(fds[1]);
    while (server->conns)
        server_conn_close(server->conns);
    loop_run_once(loop, 0);
    loop_run_once(loop, 0);
    VSR_ASSERT(app.n_running == 0);
    VSR_ASSERT(app.n_opened == app.n_closed);
    VSR_ASSERT(server_stats(server).exchanges == 0);
    return 0;
}
