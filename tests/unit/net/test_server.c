#include "net/server.h"

#include <netdb.h>
#include <sys/resource.h>

#include "core/mem.h"
#include "net/listen_socket.h"
#include "net/loop.h"
#include "net/server_conn.h"
#include "net/stream.h"
#include "peer.h"

/*
 * A handler whose behaviour is the target's first word:
 *   /echo   answers the body at its end        /wait    answers when the test says so
 *   /early  answers inside on_request          /mid     answers at the first body slice
 *   /later  answers from a timer               /stream  answers in chunks of unknown length, one per turn
 *   /big    sends BIG_LEN bytes with backpressure       /hold  pauses the body until the test says so
 *   /abort  cuts inside on_request             /cut     cuts after a part of the answer
 *   /short  ends before its content-length     /head    sends the head only and waits
 *   /none   204                                /retract  thinks twice
 *   /hello  sends the head inside on_request
 *   /over   exceeds its content-length         /huge   sends a head that no buffer holds
 * With "early-" in front, /over and /huge do it inside on_request.
 */
enum { BIG_LEN = 8 << 20, STREAM_PIECES = 5, HUGE_LEN = 2 << 20 };

struct app;

struct request {
    struct app *app;
    struct request *next;
    struct exchange *exchange;
    const struct http1_head *head;
    struct buf body;
    struct loop_timer timer;
    size_t sent;
    int pieces;
    bool ended, closed;
};

struct app {
    struct loop *loop;
    struct server *server;
    uint16_t port;
    struct request *requests; /* newest first */
    int n_requests, n_closed, n_completed, n_refused, n_ended;
    int n_errors; /* error_body */
    size_t queued_max;
    bool drained;
    bool second; /* its address is the tag of a second listener */
    int n_gone;
};

static bool is(const struct request *request, const char *target) {
    return str_starts(request->head->target, str_from_c(target));
}

static void reply_text(struct request *request, vsr_str text) {
    const struct http1_field fields[] = { { VSR_STR_INIT("content-type"), VSR_STR_INIT("text/plain") } };
    exchange_reply(request->exchange, 200, fields, 1, text);
}

static void reply_body(void *data) {
    struct request *request = data;
    reply_text(request, buf_str(&request->body));
}

static void stream_piece(void *data) {
    struct request *request = data;
    if (request->pieces == 0)
        exchange_head(request->exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
    if (request->pieces++ < STREAM_PIECES) {
        exchange_body(request->exchange, VSR_STR("piece "));
        exchange_body(request->exchange, VSR_STR("of cake;"));
        loop_timer_start(request->app->loop, &request->timer, 0, stream_piece, request);
    } else {
        exchange_end(request->exchange);
    }
}

static void pour(struct request *request) {
    static char block[16 << 10];
    struct app *app = request->app;
    memset(block, 'x', sizeof(block));
    while (request->sent < BIG_LEN && exchange_queued(request->exchange) < STREAM_QUEUE_HIGH) {
        exchange_body(request->exchange, str_make(block, sizeof(block)));
        request->sent += sizeof(block);
    }
    if (exchange_queued(request->exchange) > app->queued_max)
        app->queued_max = exchange_queued(request->exchange);
    if (request->sent == BIG_LEN)
        exchange_end(request->exchange);
}

/* A handler in the middle of its answer does not lose its request under its feet. */
static void write_on(struct request *request) {
    struct exchange *exchange = request->exchange;
    CHECK(!request->closed, "not inside the call");
    exchange_body(exchange, VSR_STR("more"));
    exchange_end(exchange);
    CHECK(!request->closed, "not at the end either");
    CHECK(!exchange_retract(exchange), "broken");
    CHECK(exchange_head_sent(exchange), "still to be asked");
}

static void answer_over(struct request *request) {
    exchange_head(request->exchange, 200, NULL, 0, 4);
    exchange_body(request->exchange, VSR_STR("12345"));
    write_on(request);
}

static void answer_huge(struct request *request) {
    struct buf value;
    struct http1_field field = { VSR_STR("x-huge"), VSR_STR("") };
    buf_init(&value, 2 * HUGE_LEN);
    buf_printf(&value, "%0*d", HUGE_LEN, 0);
    field.value = buf_str(&value);
    exchange_head(request->exchange, 200, &field, 1, EXCHANGE_LENGTH_UNKNOWN);
    write_on(request);
    buf_done(&value);
}

static void *on_request(void *app_data, struct exchange *exchange, const struct http1_head *head) {
    struct app *app = app_data;
    struct request *request = MEM_NEW(struct request);
    *request = (struct request){ .app = app, .next = app->requests, .exchange = exchange, .head = head };
    app->requests = request;
    app->n_requests++;
    buf_init(&request->body, 64 << 20);
    CHECK(exchange_tag(exchange) == app || exchange_tag(exchange) == &app->second, "tag");
    CHECK(exchange_loop(exchange) == app->loop, "loop");
    if (is(request, "/early-over"))
        answer_over(request);
    else if (is(request, "/early-huge"))
        answer_huge(request);
    else if (is(request, "/hello"))
        exchange_head(exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
    else if (is(request, "/early"))
        reply_text(request, VSR_STR("early"));
    else if (is(request, "/abort"))
        exchange_abort(exchange);
    else if (is(request, "/hold"))
        exchange_pause(exchange);
    return request;
}

static void on_body(void *data, vsr_str bytes) {
    struct request *request = data;
    CHECK(!request->closed, "no body after the end");
    buf_append(&request->body, bytes);
    if (is(request, "/mid"))
        reply_text(request, VSR_STR("mid"));
}

static void cut(struct request *request) {
    exchange_head(request->exchange, 200, NULL, 0, 100);
    exchange_body(request->exchange, VSR_STR("part"));
    exchange_abort(request->exchange);
}

static void on_end(void *data) {
    struct request *request = data;
    struct exchange *exchange = request->exchange;
    request->ended = true;
    request->app->n_ended++;
    if (is(request, "/echo") || is(request, "/hold")) {
        reply_body(request);
    } else if (is(request, "/later")) {
        loop_timer_start(request->app->loop, &request->timer, 1, reply_body, request);
    } else if (is(request, "/stream")) {
        stream_piece(request);
    } else if (is(request, "/big")) {
        exchange_head(exchange, 200, NULL, 0, is(request, "/big-chunked") ? EXCHANGE_LENGTH_UNKNOWN : BIG_LEN);
        pour(request);
    } else if (is(request, "/over")) {
        answer_over(request);
    } else if (is(request, "/huge")) {
        answer_huge(request);
    } else if (is(request, "/none")) {
        exchange_reply(exchange, 204, NULL, 0, VSR_STR(""));
    } else if (is(request, "/cut")) {
        cut(request);
    } else if (is(request, "/short")) {
        exchange_head(exchange, 200, NULL, 0, 100);
        exchange_end(exchange);
    } else if (is(request, "/retract")) {
        exchange_head(exchange, 500, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
        exchange_body(exchange, VSR_STR("never mind"));
        CHECK(exchange_retract(exchange), "nothing has gone out");
        reply_text(request, VSR_STR("second thought"));
    } else if (is(request, "/late-retract")) {
        exchange_head(exchange, 200, NULL, 0, 4);
        exchange_body(exchange, VSR_STR("gone"));
        CHECK(!exchange_retract(exchange), "too late");
        exchange_end(exchange);
    } else if (is(request, "/head")) {
        exchange_head(exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
    }
}

static void on_drain(void *data) {
    struct request *request = data;
    if (is(request, "/big") && request->sent < BIG_LEN)
        pour(request);
}

static void on_close(void *data, enum exchange_outcome how) {
    struct request *request = data;
    CHECK(!request->closed, "on_close once");
    request->closed = true;
    request->app->n_closed++;
    request->app->n_completed += how == EXCHANGE_COMPLETED;
    request->app->n_refused += how == EXCHANGE_REFUSED;
    loop_timer_stop(&request->timer);
}

static void error_body(void *app, const struct http1_head *head, int status, vsr_str message,
                       struct server_error *ret) {
    struct app *front = app;
    (void)head;
    front->n_errors++;
    (void)snprintf(ret->scratch, sizeof(ret->scratch), "e%d", status);
    ret->fields[ret->n_fields++] = (struct http1_field){ VSR_STR("x-error"), str_from_c(ret->scratch) };
    ret->fields[ret->n_fields++] = (struct http1_field){ VSR_STR("x-kind"), VSR_STR("server") };
    buf_printf(&ret->body, "{\"status\":%d,\"message\":\"%.*s\"}", status, VSR_FMT(message));
}

static const struct server_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_close = on_close,
    .error_body = error_body,
};

static const struct server_limits patient = {
    .head_timeout_ms = 60000,
    .body_timeout_ms = 60000,
    .idle_timeout_ms = 60000,
    .write_timeout_ms = 60000,
    .body_len_max = 1 << 20,
    .connections_max = 4000,
};

static void app_begin(struct app *app, const struct server_limits *limits) {
    struct vsr_err err = VSR_ERR_NONE;
    *app = (struct app){ 0 };
    CHECK_MSG(loop_new(&app->loop, &err) == 0, "%s", err.text);
    CHECK_MSG(server_new(app->loop, &handler, app, limits, &app->server, &err) == 0, "%s", err.text);
    CHECK_MSG(server_listen(app->server, VSR_STR("127.0.0.1"), 0, app, &app->port, &err) == 0, "%s", err.text);
}

static void app_end(struct app *app) {
    server_free(app->server);
    CHECK_INT(app->n_closed, app->n_requests, "every request is closed");
    while (app->requests) {
        struct request *request = app->requests;
        app->requests = request->next;
        buf_done(&request->body);
        mem_free(request);
    }
    loop_free(app->loop);
}

/* ---- whole conversations */

#define POST(target, len, body) "POST " target " HTTP/1.1\r\nhost: x\r\ncontent-length: " len "\r\n\r\n" body
#define GET(target) "GET " target " HTTP/1.1\r\nhost: x\r\n\r\n"
#define CHUNKED(target, chunks) "POST " target " HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" chunks

static const struct {
    const char *name, *send;
    const char *want[5]; /* in this order */
    int n_answers;       /* final status lines */
    bool closes;
} talks[] = {
    { "get", GET("/echo"), { "HTTP/1.1 200 OK\r\n", "content-length: 0\r\n" }, 1, false },
    { "post", POST("/echo", "5", "hello"), { "content-length: 5\r\n", "date: ", "\r\n\r\nhello" }, 1, false },
    { "chunked request",
      CHUNKED("/echo", "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nt: v\r\n\r\n"),
      { "\r\n\r\nabcdefg" },
      1,
      false },
    { "two in a row",
      POST("/echo", "1", "a") POST("/later", "1", "b") GET("/echo"),
      { "\r\n\r\na", "\r\n\r\nb", "content-length: 0" },
      3,
      false },
    { "answers keep their order",
      GET("/stream") POST("/echo", "1", "z") GET("/early") POST("/later", "1", "l"),
      { "chunked", "0\r\n\r\n", "\r\n\r\nz", "\r\n\r\nearly", "\r\n\r\nl" },
      4,
      false },
    { "early answer, body dropped",
      POST("/early", "5", "hello") POST("/echo", "1", "b"),
      { "early", "\r\n\r\nb" },
      2,
      false },
    { "answer in the middle", POST("/mid", "5", "hello") POST("/echo", "1", "b"), { "mid", "\r\n\r\nb" }, 2, false },
    { "answer in the middle of chunks",
      CHUNKED("/mid", "1\r\na\r\n1\r\nb\r\n0\r\n\r\n") POST("/echo", "1", "c"),
      { "mid", "\r\n\r\nc" },
      2,
      false },
    { "chunks out",
      GET("/stream"),
      { "transfer-encoding: chunked\r\n", "\r\n\r\n6\r\npiece \r\n8\r\nof cake;\r\n", "0\r\n\r\n" },
      1,
      false },
    { "retracted", GET("/retract") GET("/late-retract"), { "HTTP/1.1 200 OK", "second thought", "gone" }, 2, false },
    { "head", "HEAD /stream HTTP/1.1\r\nhost: x\r\n\r\n" POST("/echo", "1", "b"), { "200 OK", "\r\n\r\nb" }, 2, false },
    { "head with length",
      "HEAD /early HTTP/1.1\r\nhost: x\r\n\r\n" POST("/echo", "1", "b"),
      { "content-length: 5\r\n", "\r\n\r\nHTTP/1.1 200", "\r\n\r\nb" },
      2,
      false },
    { "no content",
      GET("/none") POST("/echo", "1", "b"),
      { "204 No Content", "\r\n\r\nHTTP/1.1 200", "\r\n\r\nb" },
      2,
      false },
    { "close",
      "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\na" GET("/echo"),
      { "connection: close\r\n", "\r\n\r\na" },
      1,
      true },
    { "1.0",
      "POST /echo HTTP/1.0\r\ncontent-length: 1\r\n\r\na",
      { "HTTP/1.1 200 OK", "connection: close", "\r\n\r\na" },
      1,
      true },
    { "1.0 keeps alive",
      "POST /echo HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na" GET("/echo"),
      { "connection: keep-alive", "\r\n\r\na", "200 OK" },
      2,
      false },
    { "1.0 never chunked",
      "GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
      { "connection: close", "\r\n\r\npiece of cake;piece of cake;" },
      1,
      true },
    { "expect",
      "POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n",
      { "HTTP/1.1 100 Continue\r\n\r\n" },
      0,
      false },
    { "expect, body at hand",
      "POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\na",
      { "HTTP/1.1 200 OK" },
      1,
      false },
    { "expect, answered at once",
      "POST /early HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n",
      { "HTTP/1.1 200 OK", "connection: close", "early" },
      1,
      true },
    { "abort", GET("/abort"), { NULL }, 0, true },
    { "cut", GET("/cut"), { "content-length: 100", "part" }, 1, true },
    { "short", GET("/short"), { NULL }, 0, true }, /* no byte of it: nobody can take it for an answer */
    { "longer than announced", GET("/over"), { NULL }, 0, true },
    { "longer than announced, at once", GET("/early-over"), { NULL }, 0, true },
    { "head without bounds", POST("/huge", "1", "a"), { NULL }, 0, true },
    { "head without bounds, at once", POST("/early-huge", "1", "a"), { NULL }, 0, true },
    { "no host",
      "GET / HTTP/1.1\r\n\r\n",
      { "HTTP/1.1 400 ", "x-error: e400\r\nx-kind: server\r\n", "application/json", "connection: close",
        "{\"status\":400" },
      1,
      true },
    { "garbage", "\x16\x03\x01\x02\x01 hello\r\n\r\n", { "HTTP/1.1 400 " }, 1, true },
    { "version", "GET / HTTP/2.0\r\nhost: x\r\n\r\n", { "HTTP/1.1 505 " }, 1, true },
    { "transfer coding",
      "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
      { "HTTP/1.1 501 " },
      1,
      true },
    { "both lengths",
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      { "HTTP/1.1 400 " },
      1,
      true },
    { "bad chunk", CHUNKED("/echo", "xyz\r\n"), { "HTTP/1.1 400 ", "{\"status\":400" }, 1, true },
    { "bad after good", POST("/echo", "1", "a") "BAD\r\n\r\n", { "200 OK", "\r\n\r\na", "HTTP/1.1 400 " }, 2, true },
    { "bad while answering", GET("/later") "BAD\r\n\r\n", { "200 OK", "HTTP/1.1 400 " }, 2, true },
    { "too long by length",
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n",
      { "HTTP/1.1 413 ", "{\"status\":413" },
      1,
      true },
    { "too long by far",
      "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
      { "HTTP/1.1 4" },
      1,
      true },
    { "empty lines first", "\r\n\r\n" POST("/echo", "1", "a"), { "\r\n\r\na" }, 1, false },
};

static int count_answers(struct peer *peer) {
    return (int)(peer_count(peer, "HTTP/1.1 ") - peer_count(peer, "HTTP/1.1 100"));
}

static void check_order(struct peer *peer, const char *const *want, const char *name) {
    vsr_str got = peer_poll(peer), rest = got;
    for (int i = 0; i < 5 && want[i]; i++) {
        ptrdiff_t at = str_find(rest, str_from_c(want[i]));
        CHECK_MSG(at >= 0, "case \"%s\": \"%s\" is not in its place in \"%.*s\"", name, want[i], VSR_FMT(got));
        rest = str_sub(rest, (size_t)at, rest.len);
    }
}

static bool answered(struct app *app, struct peer *peer, size_t i) {
    bool all = count_answers(peer) >= talks[i].n_answers && app->n_closed == app->n_requests;
    for (int k = 0; k < 5 && talks[i].want[k]; k++)
        all = all && peer_has(peer, talks[i].want[k]);
    return talks[i].closes ? peer_gone(peer) : all || peer_gone(peer);
}

static void talk(size_t i, size_t split) {
    struct app app;
    struct peer peer;
    vsr_str send = str_from_c(talks[i].send);
    app_begin(&app, &patient);
    peer_connect(&peer, app.port);
    for (size_t at = 0; at < send.len; at += split) {
        if (!peer_send_str(&peer, str_sub(send, at, at + split), app.loop))
            break; /* refused meanwhile */
        if (split < send.len)
            pump_turns(app.loop, 2);
    }
    if (str_eq_c(str_from_c(talks[i].name), "expect"))
        PUMP(app.loop, peer_has(&peer, "100 Continue"), talks[i].name);
    else
        PUMP(app.loop, answered(&app, &peer, i), talks[i].name);
    check_order(&peer, talks[i].want, talks[i].name);
    CHECK_MSG(count_answers(&peer) == talks[i].n_answers, "case \"%s\": %d answers in \"%.*s\"", talks[i].name,
              count_answers(&peer), VSR_FMT(peer_poll(&peer)));
    CHECK_MSG(peer.eof == talks[i].closes && !peer.reset, "case \"%s\": eof %d, reset %d", talks[i].name, peer.eof,
              peer.reset);
    peer_close(&peer);
    app_end(&app);
}

TEST(conversations) {
    for (size_t i = 0; i < VSR_COUNT(talks); i++)
        talk(i, SIZE_MAX / 2);
}

TEST(conversations_byte_by_byte) {
    for (size_t i = 0; i < VSR_COUNT(talks); i++) {
        if (str_eq_c(str_from_c(talks[i].name), "expect, body at hand"))
            continue; /* by definition */
        talk(i, 1);
    }
}

TEST(conversations_split_everywhere) {
    static const char send[] =
        POST("/echo", "5", "hello") CHUNKED("/echo", "3\r\nabc\r\n0\r\n\r\n") POST("/echo", "1", "!");
    for (size_t at = 1; at < sizeof(send) - 1; at++) {
        struct app app;
        struct peer peer;
        app_begin(&app, &patient);
        peer_connect(&peer, app.port);
        peer_send_str(&peer, str_make(send, at), app.loop);
        pump_turns(app.loop, 3);
        peer_send_str(&peer, str_make(send + at, sizeof(send) - 1 - at), app.loop);
        PUMP(app.loop, peer_has(&peer, "\r\n\r\n!"), "split");
        CHECK(peer_has(&peer, "\r\n\r\nhello"), "first");
        CHECK(peer_has(&peer, "\r\n\r\nabc"), "second");
        peer_close(&peer);
        app_end(&app);
    }
}

/* ---- limits */

TEST(heads_and_targets_too_long) {
    static const struct {
        const char *name;
        size_t target_len, field_len, n_fields;
        const char *want;
    } cases[] = {
        { "target at the limit", HTTP1_TARGET_LEN_MAX - 5, 1, 1, "HTTP/1.1 200 " },
        { "target", HTTP1_TARGET_LEN_MAX, 1, 1, "HTTP/1.1 414 " },
        { "field", 1, 70000, 1, "HTTP/1.1 431 " },
        { "fields", 1, 1, 200, "HTTP/1.1 431 " },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct app app;
        struct peer peer;
        struct buf head;
        buf_init(&head, 1 << 20);
        buf_printf(&head, "GET /echo%0*d HTTP/1.1\r\nhost: x\r\n", (int)cases[i].target_len, 0);
        for (size_t k = 0; k < cases[i].n_fields; k++)
            buf_printf(&head, "f: %0*d\r\n", (int)cases[i].field_len, 0);
        buf_append_c(&head, "\r\n");
        app_begin(&app, &patient);
        peer_connect(&peer, app.port);
        peer_send_str(&peer, buf_str(&head), app.loop);
        PUMP(app.loop, peer_has(&peer, cases[i].want), cases[i].name);
        peer_close(&peer);
        app_end(&app);
        buf_done(&head);
    }
}

/* A body that grows past the limit chunk by chunk: the client gets its answer although it goes on sending. */
TEST(chunked_body_too_long) {
    struct app app;
    struct peer peer;
    static char block[4096];
    app_begin(&app, &patient);
    peer_connect(&peer, app.port);
    peer_send(&peer, "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    memset(block, 'b', sizeof(block));
    for (int i = 0; i < 300; i++) {
        if (!peer_send_str(&peer, VSR_STR("1000\r\n"), app.loop) ||
            !peer_send_str(&peer, str_make(block, sizeof(block)), app.loop) ||
            !peer_send_str(&peer, VSR_STR("\r\n"), app.loop))
            break;
    }
    PUMP(app.loop, peer_gone(&peer), "closed");
    CHECK(peer_has(&peer, "HTTP/1.1 413 "), "413");
    CHECK(peer_has(&peer, "x-error: e413\r\n"), "field");
    CHECK(peer.eof && !peer.reset, "no reset");
    CHECK_INT(app.n_closed, 1, "closed");
    CHECK_INT(app.n_completed, 0, "not completed");
    CHECK_INT(app.n_refused, 1, "by the server");
    peer_close(&peer);
    app_end(&app);
}

static struct server_limits hasty(uint64_t head, uint64_t body, uint64_t idle, uint64_t write) {
    struct server_limits limits = patient;
    limits.head_timeout_ms = head ? head : 60000;
    limits.body_timeout_ms = body ? body : 60000;
    limits.idle_timeout_ms = idle ? idle : 60000;
    limits.write_timeout_ms = write ? write : 60000;
    return limits;
}

TEST(times_out) {
    static const struct {
        const char *name, *send, *want;
        uint64_t head, body, idle;
        int n_refused, n_errors;
    } cases[] = {
        { "idle", "", "", 0, 0, 30 },
        { "idle after a request", GET("/echo"), "200 OK", 0, 0, 30 },
        { "slow head", "GET / HT", "HTTP/1.1 408 ", 30, 0, 0, 0, 1 },
        { "part of a preface of HTTP/2", "PRI * HT", "", 30, 0, 0 },
        { "slow body", "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab", "HTTP/1.1 408 ", 0, 30, 0, 1,
          1 },
        { "slow body of a begun answer", "POST /hello HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab", "200 OK", 0,
          30, 0, 0, 0 },
        { "slow rest after an early answer", "POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab", "early",
          30, 0, 0 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct app app;
        struct peer peer;
        struct server_limits limits = hasty(cases[i].head, cases[i].body, cases[i].idle, 0);
        app_begin(&app, &limits);
        peer_connect(&peer, app.port);
        peer_send(&peer, cases[i].send);
        PUMP(app.loop, peer_gone(&peer), cases[i].name);
        CHECK(peer.eof, cases[i].name);
        CHECK_MSG(peer_has(&peer, cases[i].want), "case \"%s\"", cases[i].name);
        CHECK_INT(app.n_closed, app.n_requests, cases[i].name);
        CHECK_INT(app.n_refused, cases[i].n_refused, cases[i].name);
        CHECK_INT(app.n_errors, cases[i].n_errors, cases[i].name);
        peer_close(&peer);
        app_end(&app);
    }
}

/* A head that trickles in byte by byte does not move its deadline. */
TEST(trickling_head_times_out) {
    struct app app;
    struct peer peer;
    struct server_limits limits = hasty(60, 0, 0, 0);
    app_begin(&app, &limits);
    peer_connect(&peer, app.port);
    for (int i = 0; i < 2000 && !peer_gone(&peer); i++) {
        send(peer.fd, "G", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        loop_run_once(app.loop, 2);
    }
    PUMP(app.loop, peer_gone(&peer), "closed");
    CHECK(peer_has(&peer, "HTTP/1.1 408 "), "408");
    peer_close(&peer);
    app_end(&app);
}

TEST(client_that_takes_nothing) {
    struct app app;
    struct peer peer;
    struct server_limits limits = hasty(0, 0, 0, 100);
    app_begin(&app, &limits);
    peer_connect(&peer, app.port);
    peer_send(&peer, GET("/big"));
    PUMP(app.loop, app.n_closed == 1, "cut");
    CHECK_INT(app.n_completed, 0, "not completed");
    CHECK(app.queued_max < 2 * STREAM_QUEUE_HIGH, "the queue stays small");
    peer_close(&peer);
    app_end(&app);
}

TEST(too_many_connections) {
    struct app app;
    struct peer first, second, third;
    struct server_limits limits = patient;
    limits.connections_max = 1;
    app_begin(&app, &limits);
    peer_connect(&first, app.port);
    PUMP(app.loop, server_stats(app.server).connections == 1, "first");
    peer_connect(&second, app.port);
    peer_send(&second, POST("/echo", "5", "hello"));
    PUMP(app.loop, peer_gone(&second), "second");
    CHECK(peer_has(&second, "HTTP/1.1 503 "), "503");
    CHECK(peer_has(&second, "\"status\":503"), "body");
    CHECK(peer_has(&second, "x-error: e503\r\n"), "field");
    CHECK(second.eof && !second.reset, "no reset");
    peer_close(&second);
    peer_send(&first, POST("/echo", "5", "hello"));
    PUMP(app.loop, peer_has(&first, "hello"), "first still works");
    peer_close(&first);
    PUMP(app.loop, server_stats(app.server).connections == 0, "room again");
    peer_connect(&third, app.port);
    peer_send(&third, POST("/echo", "5", "hello"));
    PUMP(app.loop, peer_has(&third, "hello"), "third");
    peer_close(&third);
    app_end(&app);
}

/* ---- backpressure */

static void big(const char *request, const char *end) {
    struct app app;
    struct peer peer;
    app_begin(&app, &patient);
    peer_connect(&peer, app.port);
    peer_send(&peer, request);
    peer_send(&peer, POST("/echo", "5", "hello"));
    for (int i = 0; i < 50; i++)
        loop_run_once(app.loop, 1);
    CHECK_INT(app.n_closed, 0, "waits for the client");
    PUMP(app.loop, (peer_poll(&peer), app.n_completed == 2), "big");
    PUMP(app.loop, peer_has(&peer, "hello"), "the next");
    CHECK(peer_has(&peer, end), "end");
    CHECK(peer_count_char(&peer, 'x') >= BIG_LEN, "every byte");
    CHECK(app.queued_max < 2 * STREAM_QUEUE_HIGH, "the queue stays small");
    peer_close(&peer);
    app_end(&app);
}

TEST(big_answers) {
    big(GET("/big"), "xHTTP/1.1 200");
    big(GET("/big-chunked"), "x\r\n0\r\n\r\nHTTP/1.1 200");
}

TEST(handler_holds_the_body_back) {
    struct app app;
    struct peer peer;
    static char block[600 << 10];
    struct server_limits limits = hasty(0, 50, 0, 0);
    uint64_t begin;
    app_begin(&app, &limits);
    peer_connect(&peer, app.port);
    peer_send(&peer, "POST /hold HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 614400\r\n\r\n");
    PUMP(app.loop, app.n_requests == 1, "request");
    for (begin = clock_mono_ms(); clock_mono_ms() < begin + 120;)
        loop_run_once(app.loop, 5);
    CHECK_INT(app.n_closed, 0, "its time does not run");
    CHECK(!peer_has(&peer, "100 Continue"), "not invited yet");
    exchange_resume(app.requests->exchange);
    PUMP(app.loop, peer_has(&peer, "100 Continue"), "invited");
    exchange_pause(app.requests->exchange);
    memset(block, 'h', sizeof(block));
    peer_send_str(&peer, str_make(block, 100 << 10), app.loop);
    for (int i = 0; i < 20; i++)
        loop_run_once(app.loop, 1);
    CHECK_INT(app.requests->body.len, 0, "held back");
    exchange_resume(app.requests->exchange);
    peer_send_str(&peer, str_make(block, sizeof(block) - (100 << 10)), app.loop);
    PUMP(app.loop, (peer_poll(&peer), app.n_completed == 1), "done");
    PUMP(app.loop, peer_poll(&peer).len > sizeof(block), "echoed");
    CHECK(peer_count_char(&peer, 'h') >= sizeof(block), "every byte");
    peer_close(&peer);
    app_end(&app);
}

/* ---- clients that vanish */

static const struct {
    const char *name, *send;
    int n_requests;
} vanish_cases[] = {
    { "before", "", 0 },
    { "inside the head", "GET / HT", 0 },
    { "inside the body", "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab", 1 },
    { "while the handler thinks", GET("/wait"), 1 },
    { "with pipelined requests behind", GET("/wait") GET("/echo") GET("/echo"), 1 },
    { "while the body is held back", POST("/hold", "5", "hello"), 1 },
    { "while the answer streams", GET("/head"), 1 },
    { "inside a big answer", GET("/big"), 1 },
};

static void vanish(size_t i, void (*leave)(struct peer *)) {
    struct app app;
    struct peer peer;
    app_begin(&app, &patient);
    peer_connect(&peer, app.port);
    peer_send(&peer, vanish_cases[i].send);
    PUMP(app.loop, server_stats(app.server).connections == 1 && app.n_requests == vanish_cases[i].n_requests,
         vanish_cases[i].name);
    pump_turns(app.loop, 5);
    leave(&peer);
    PUMP(app.loop, server_stats(app.server).connections == 0, vanish_cases[i].name);
    CHECK_INT(app.n_closed, vanish_cases[i].n_requests, vanish_cases[i].name);
    CHECK_INT(app.n_completed + app.n_refused, 0, vanish_cases[i].name);
    CHECK_INT(server_stats(app.server).exchanges, 0, vanish_cases[i].name);
    if (peer.fd >= 0)
        peer_close(&peer);
    app_end(&app);
}

TEST(client_vanishes) {
    for (size_t i = 0; i < VSR_COUNT(vanish_cases); i++) {
        vanish(i, peer_close);
        vanish(i, peer_reset);
        if (!str_eq_c(str_from_c(vanish_cases[i].name), "inside a big answer"))
            vanish(i, peer_shutdown);
    }
}

/* ---- drain */

static void on_drained(void *data) {
    struct app *app = data;
    app->drained = true;
}

TEST(drain) {
    struct app app;
    struct peer idle, busy;
    app_begin(&app, &patient);
    peer_connect(&idle, app.port);
    peer_connect(&busy, app.port);
    peer_send(&busy, POST("/wait", "5", "hello"));
    PUMP(app.loop, app.n_ended == 1 && server_stats(app.server).connections == 2, "both");
    server_drain(app.server, 60000, on_drained, &app);
    PUMP(app.loop, peer_gone(&idle), "idle goes");
    CHECK(!app.drained, "one is busy");
    reply_body(app.requests);
    PUMP(app.loop, peer_gone(&busy), "answered and closed");
    CHECK(peer_has(&busy, "connection: close"), "says so");
    CHECK(peer_has(&busy, "hello"), "answer");
    peer_close(&busy);
    PUMP(app.loop, app.drained, "drained");
    CHECK_INT(app.n_completed, 1, "completed");
    peer_close(&idle);
    app_end(&app);
}

TEST(drain_deadline) {
    struct app app;
    struct peer busy;
    app_begin(&app, &patient);
    peer_connect(&busy, app.port);
    peer_send(&busy, GET("/wait"));
    PUMP(app.loop, app.n_ended == 1, "busy");
    server_drain(app.server, 20, on_drained, &app);
    PUMP(app.loop, app.drained, "drained");
    CHECK_INT(app.n_closed, 1, "cut");
    CHECK_INT(app.n_completed, 0, "not completed");
    peer_close(&busy);
    app_end(&app);
}

TEST(drain_of_nothing) {
    struct app app;
    app_begin(&app, &patient);
    server_drain(app.server, 60000, on_drained, &app);
    CHECK(!app.drained, "not inside the call");
    PUMP(app.loop, app.drained, "drained");
    app_end(&app);
}

/* ---- listeners that come and go */

static void on_gone(void *data) {
    struct app *app = data;
    app->n_gone++;
}

/* 0, or the errno of an attempt that has 20 ms: EINPROGRESS when nobody said anything. */
static int try_connect(uint16_t port) {
    struct sockaddr_in addr = peer_addr(port);
    const struct timeval patience = { .tv_usec = 20000 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* else it would block, and fail */
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
        error = errno;
    close(fd);
    return error;
}

static bool refuses(uint16_t port) {
    return try_connect(port) == ECONNREFUSED;
}

TEST(adopt) {
    struct app app;
    struct peer peer;
    struct listen_sockets sockets, rival;
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port;
    app_begin(&app, &patient);
    CHECK(listen_sockets_open(VSR_STR("127.0.0.1"), 0, LISTEN_BOUND, &sockets, &err) == 0, "bound");
    port = sockets.port;
    CHECK(refuses(port), "bound only");
    CHECK(listen_sockets_open(VSR_STR("127.0.0.1"), port, LISTEN_BOUND, &rival, &err) == 0, "shared with a worker");
    listen_sockets_close(&rival);
    CHECK(listen_sockets_start(&sockets, &err) == 0, "listens");
    CHECK_INT(server_probe(VSR_STR("127.0.0.1"), port, &err), VSR_E_EXISTS, "taken");
    peer_connect(&peer, port);
    peer_send(&peer, POST("/echo", "1", "a"));
    CHECK(server_adopt(app.server, &sockets, NULL, &app.second, &err) == 0, "adopted");
    CHECK_INT(sockets.n, 0, "taken over");
    PUMP(app.loop, peer_has(&peer, "\r\n\r\na"), "who had connected before is served");
    peer_close(&peer);
    app_end(&app);
}

TEST(retire) {
    enum { BUSY, BODY, COMING, QUEUED, IDLE, OTHER, N };
    struct app app;
    struct peer peers[N];
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t other;
    app_begin(&app, &patient);
    CHECK(server_listen(app.server, VSR_STR("localhost"), 0, &app.second, &other, &err) == 0, "another listener");
    for (int i = 0; i < N; i++)
        if (i != QUEUED)
            peer_connect(&peers[i], i == OTHER ? other : app.port);
    peer_send(&peers[BUSY], POST("/wait", "4", "busy"));
    peer_send(&peers[BODY], POST("/echo", "4", "bo"));
    PUMP(app.loop, app.n_ended == 1 && app.n_requests == 2 && server_stats(app.server).connections == 5, "all");
    peer_send(&peers[COMING], POST("/echo", "6", "coming"));
    peer_connect(&peers[QUEUED], app.port);
    peer_send(&peers[QUEUED], POST("/echo", "6", "queued"));
    server_retire(app.server, &app, on_gone, &app);
    CHECK_INT(try_connect(app.port), EINPROGRESS, "a new one is not heard");
    peer_send(&peers[BODY], "dy");
    PUMP(app.loop, peer_gone(&peers[BODY]) && peer_gone(&peers[COMING]) && peer_gone(&peers[QUEUED]), "answered");
    CHECK(peer_has(&peers[BODY], "connection: close") && peer_has(&peers[BODY], "\r\n\r\nbody"), "body");
    CHECK(peer_has(&peers[COMING], "connection: close") && peer_has(&peers[COMING], "\r\n\r\ncoming"), "coming");
    CHECK(peer_has(&peers[QUEUED], "connection: close") && peer_has(&peers[QUEUED], "\r\n\r\nqueued"), "queued");
    PUMP(app.loop, peer_gone(&peers[IDLE]), "an idle one goes");
    CHECK(refuses(app.port), "nobody listens");
    CHECK_INT(app.n_gone, 0, "one is busy");
    for (struct request *request = app.requests; request; request = request->next)
        if (is(request, "/wait"))
            reply_body(request);
    PUMP(app.loop, peer_gone(&peers[BUSY]), "the busy one");
    CHECK(peer_has(&peers[BUSY], "connection: close") && peer_has(&peers[BUSY], "\r\n\r\nbusy"), "busy");
    for (int i = 0; i < OTHER; i++)
        peer_close(&peers[i]);
    PUMP(app.loop, app.n_gone == 1, "gone");
    peer_send(&peers[OTHER], POST("/echo", "5", "other"));
    PUMP(app.loop, peer_has(&peers[OTHER], "\r\n\r\nother"), "the other listener lives on");
    CHECK(!peer_has(&peers[OTHER], "connection: close"), "and its connections");
    server_retire(app.server, &app.second, on_gone, &app);
    peer_close(&peers[OTHER]);
    PUMP(app.loop, app.n_gone == 2, "both families of localhost, told once");
    app_end(&app);
}

/* The newcomer has the same port on every address: it is heard as soon as the special one is closed. */
TEST(retire_for_a_newcomer) {
    struct app app;
    struct listen_sockets sockets;
    struct vsr_err err = VSR_ERR_NONE;
    app_begin(&app, &patient);
    CHECK(listen_sockets_open(VSR_STR("0.0.0.0"), app.port, LISTEN_SHARED, &sockets, &err) == 0, "newcomer");
    CHECK(server_adopt(app.server, &sockets, NULL, &app.second, &err) == 0, "adopted");
    server_retire(app.server, &app, on_gone, &app);
    PUMP(app.loop, app.n_gone == 1, "closed without a connection");
    CHECK_INT(try_connect(app.port), 0, "heard by the newcomer");
    app_end(&app);
}

TEST(retire_and_free) {
    struct app app;
    struct peer peer;
    app_begin(&app, &patient);
    peer_connect(&peer, app.port);
    peer_send(&peer, GET("/wait"));
    PUMP(app.loop, app.n_ended == 1, "busy");
    server_retire(app.server, &app, on_gone, &app);
    app_end(&app);
    CHECK_INT(app.n_gone, 0, "not told");
    peer_close(&peer);
}

TEST(new_limits) {
    struct app app;
    struct peer peer;
    struct server_limits tight = patient;
    app_begin(&app, &patient);
    peer_connect(&peer, app.port);
    peer_send(&peer, POST("/echo", "5", "first"));
    PUMP(app.loop, peer_has(&peer, "\r\n\r\nfirst"), "as before");
    tight.body_len_max = 4;
    server_set_limits(app.server, &tight);
    peer_send(&peer, POST("/echo", "6", "second"));
    PUMP(app.loop, peer_gone(&peer), "refused");
    CHECK(peer_has(&peer, "HTTP/1.1 413 "), "the next request of an old connection has the new limits");
    peer_close(&peer);
    app_end(&app);
}

TEST(free_with_everything_open) {
    struct app app;
    struct peer peers[4];
    static const char *const sends[4] = { "", "GET /", GET("/wait"), POST("/hold", "3", "abc") };
    app_begin(&app, &patient);
    for (int i = 0; i < 4; i++) {
        peer_connect(&peers[i], app.port);
        peer_send(&peers[i], sends[i]);
    }
    PUMP(app.loop, app.n_requests == 2 && server_stats(app.server).connections == 4, "all");
    app_end(&app);
    for (int i = 0; i < 4; i++)
        peer_close(&peers[i]);
}

TEST(addresses) {
    struct app app;
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port = 0;
    app_begin(&app, &patient);
    CHECK(server_listen(app.server, VSR_STR("not an address"), 0, &app, &port, &err) < 0, "bad address");
    CHECK(str_find(str_from_c(err.text), VSR_STR("not an address")) >= 0, "named in the error");
    CHECK(server_listen(app.server, VSR_STR("192.0.2.1"), 0, &app, &port, &err) < 0, "not ours");
    CHECK(server_listen(app.server, VSR_STR("127.0.0.1"), app.port, &app, &port, &err) == 0, "same port again");
    CHECK_INT(port, app.port, "port");
    if (server_listen(app.server, VSR_STR("[::1]"), 0, &app, &port, &err) < 0)
        print_message("no IPv6 here: %s\n", err.text);
    app_end(&app);
}

/* Whether the name stands for an IPv6 address that this machine has. */
static bool has_ipv6(const char *name) {
    const struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list = NULL;
    bool has = false;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (getaddrinfo(*name ? name : NULL, "0", &hints, &list) == 0) {
        has = bind(fd, list->ai_addr, list->ai_addrlen) == 0;
        freeaddrinfo(list);
    }
    close(fd);
    return has;
}

/* A port that was shared unnoticed would lose requests to another process. */
TEST(a_port_in_use) {
    struct app app;
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port = 0;
    app_begin(&app, &patient);
    CHECK_INT(server_probe(VSR_STR("127.0.0.1"), app.port, &err), VSR_E_EXISTS, "probe");
    CHECK(str_find(str_from_c(err.text), VSR_STR("in use")) >= 0, err.text);
    CHECK_INT(server_probe(VSR_STR("0.0.0.0"), app.port, &err), VSR_E_EXISTS, "probe of every address");
    CHECK_INT(server_probe(VSR_STR(""), app.port, &err), VSR_E_EXISTS, "probe of every family");
    CHECK_INT(server_probe(VSR_STR("localhost"), app.port, &err), VSR_E_EXISTS, "probe of a name");
    CHECK_INT(server_probe(VSR_STR("not an address"), 1, &err), VSR_E_INVALID, "bad address");
    CHECK_INT(server_probe(VSR_STR("127.0.0.2"), app.port, &err), 0, "another address");
    CHECK_INT(server_probe(VSR_STR("127.0.0.1"), 0, &err), 0, "any port");
    CHECK_INT(server_listen_exclusive(app.server, VSR_STR("127.0.0.1"), app.port, &app, &port, &err), VSR_E_EXISTS,
              "exclusive");
    CHECK_INT(server_listen_exclusive(app.server, VSR_STR("127.0.0.1"), 0, &app, &port, &err), 0, "free");
    CHECK_INT(server_listen_exclusive(app.server, VSR_STR("127.0.0.1"), port, &app, NULL, &err), VSR_E_EXISTS, "twice");
    CHECK_INT(server_listen(app.server, VSR_STR("127.0.0.1"), port, &app, NULL, &err), VSR_E_EXISTS, "shared");
    app_end(&app);
}

TEST(a_port_is_free_again) {
    struct app app;
    struct peer peer;
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port;
    app_begin(&app, &patient);
    port = app.port;
    peer_connect(&peer, port);
    peer_send(&peer, "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\na");
    PUMP(app.loop, peer_gone(&peer), "the server closes first: TIME_WAIT");
    peer_close(&peer);
    PUMP(app.loop, server_stats(app.server).connections == 0, "closed");
    app_end(&app);
    CHECK_INT(server_probe(VSR_STR("127.0.0.1"), port, &err), 0, err.text);
}

TEST(every_address_of_a_name) {
    static const char *const names[] = { "localhost", "" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct app app;
        struct peer v4, v6;
        struct vsr_err err = VSR_ERR_NONE;
        uint16_t port = 0;
        app_begin(&app, &patient);
        CHECK_MSG(server_listen(app.server, str_from_c(names[i]), 0, &app, &port, &err) == 0, "%s", err.text);
        CHECK_INT(server_listen(app.server, str_from_c(names[i]), port, &app, NULL, &err), 0, "a second worker");
        peer_connect(&v4, port);
        peer_send(&v4, POST("/echo", "2", "v4"));
        PUMP(app.loop, peer_has(&v4, "\r\n\r\nv4"), names[i]);
        peer_close(&v4);
        if (has_ipv6(names[i])) {
            CHECK(peer_connect6(&v6, port), "the other family");
            peer_send(&v6, POST("/echo", "2", "v6"));
            PUMP(app.loop, peer_has(&v6, "\r\n\r\nv6"), names[i]);
            peer_close(&v6);
        }
        app_end(&app);
    }
}

/* ---- many */

enum { MANY = 2000 };

static size_t descriptors(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

TEST(many_connections) {
    static struct peer peers[MANY];
    struct app app;
    size_t n = descriptors() > 2 * MANY + 100 ? MANY : (descriptors() - 100) / 2, n_answered = 0;
    app_begin(&app, &patient);
    for (size_t i = 0; i < n; i++) {
        peer_connect(&peers[i], app.port);
        peer_send(&peers[i], POST("/wait", "5", "hello"));
        if (i % 100 == 99)
            pump_turns(app.loop, 3);
    }
    PUMP(app.loop, app.n_ended == (int)n, "all ask");
    CHECK_INT(server_stats(app.server).exchanges, n, "at the same time");
    for (struct request *request = app.requests; request; request = request->next)
        reply_body(request);
    for (size_t i = 0; i < n; i++) {
        PUMP(app.loop, peer_has(&peers[i], "hello"), "all answered");
        n_answered++;
    }
    for (size_t i = 0; i < n; i++)
        peer_close(&peers[i]);
    PUMP(app.loop, server_stats(app.server).connections == 0, "all gone");
    CHECK_INT(n_answered, n, "answered");
    CHECK_INT(app.n_completed, n, "completed");
    app_end(&app);
}

RUN_TESTS(T(conversations), T(conversations_byte_by_byte), T(conversations_split_everywhere),
          T(heads_and_targets_too_long), T(chunked_body_too_long), T(times_out), T(trickling_head_times_out),
          T(client_that_takes_nothing), T(too_many_connections), T(big_answers), T(handler_holds_the_body_back),
          T(client_vanishes), T(drain), T(drain_deadline), T(drain_of_nothing), T(adopt), T(retire),
          T(retire_for_a_newcomer), T(retire_and_free), T(new_limits), T(free_with_everything_open), T(addresses),
          T(a_port_in_use), T(a_port_is_free_again), T(every_address_of_a_name), T(many_connections))
