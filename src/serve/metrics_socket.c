#include "serve/metrics_socket.h"

#include "core/buf.h"
#include "core/mem.h"
#include "core/metrics.h"
#include "net/server.h"

enum {
    TIMEOUT_MS = 10000,
    CONNECTIONS_MAX = 256, /* scrapers are few */
    BODY_LEN_MAX = 1024,
    TEXT_LEN_MAX = 64 << 20,
};

struct metrics_socket {
    struct server *server;
    struct metrics *metrics;
};

/* One scrape. */
struct scrape {
    struct metrics_socket *socket;
    struct exchange *exchange;
    int status;
};

static const struct server_limits limits = {
    .head_timeout_ms = TIMEOUT_MS,
    .body_timeout_ms = TIMEOUT_MS,
    .idle_timeout_ms = 6 * TIMEOUT_MS,
    .write_timeout_ms = TIMEOUT_MS,
    .body_len_max = BODY_LEN_MAX,
    .connections_max = CONNECTIONS_MAX,
};

static int status_for(const struct http1_head *head) {
    vsr_str path = head->target;
    ptrdiff_t query = str_find_char(path, '?');
    if (query >= 0)
        path.len = (size_t)query;
    if (!str_eq(path, VSR_STR("/metrics")))
        return 404;
    return str_eq(head->method, VSR_STR("GET")) || str_eq(head->method, VSR_STR("HEAD")) ? 200 : 405;
}

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct scrape *scrape = MEM_NEW(struct scrape);
    *scrape = (struct scrape){ app, exchange, status_for(head) };
    return scrape;
}

static void on_body(void *request, vsr_str bytes) {
    (void)request; /* a scrape has no body worth reading */
    (void)bytes;
}

static void on_end(void *request) {
    struct scrape *scrape = request;
    const struct http1_field type = { VSR_STR("content-type"), scrape->status == 200
                                                                   ? VSR_STR("text/plain; version=0.0.4; charset=utf-8")
                                                                   : VSR_STR("text/plain") };
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    if (scrape->status == 200)
        metrics_print(scrape->socket->metrics, &text);
    else
        (void)buf_append_c(&text, scrape->status == 404 ? "only /metrics is served here\n" : "GET only\n");
    exchange_reply(scrape->exchange, scrape->status, &type, 1, buf_str(&text));
    buf_done(&text);
}

static void on_close(void *request, enum exchange_outcome how) {
    (void)how;
    mem_free(request);
}

static const struct server_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_close = on_close,
};

int metrics_socket_new(struct loop *loop, struct metrics *metrics, vsr_str address, uint16_t port,
                       struct metrics_socket **ret_socket, struct vsr_err *err) {
    struct metrics_socket *socket = MEM_NEW(struct metrics_socket);
    int rc = server_new(loop, &handler, socket, &limits, &socket->server, err);
    socket->metrics = metrics;
    if (rc == 0)
        rc = server_listen_exclusive(socket->server, address, port, NULL, NULL, err);
    if (rc < 0) {
        (void)err_wrap(err, "metrics socket %.*s:%u", VSR_FMT(address), port);
        metrics_socket_free(socket);
        return rc;
    }
    *ret_socket = socket;
    return 0;
}

void metrics_socket_free(struct metrics_socket *socket) {
    if (!socket)
        return;
    server_free(socket->server);
    mem_free(socket);
}
