#include "net/http2_conn.h"

#include "core/mem.h"
#include "http2_client.h"
#include "net/server.h"
#include "net/server_conn.h"
#include "net/stream.h"

/*
 * A handler whose behaviour is the target's first word:
 *   /echo   answers the body at its end         /early  answers inside on_request
 *   /big    sends BIG_LEN bytes, with backpressure      /hold  answers when the test says so
 *   /pause  pauses the body until the test says so      /abort  cuts inside on_request
 *   /cut    cuts after a part of the answer     /short  ends before its content-length
 *   /over   exceeds its content-length          /huge   sends a head that nothing holds
 *   /retract  thinks twice                      /none   204
 *   /trailers  streams, with trailers behind    /only   trailers and no body
 *   /whole  WHOLE_LEN bytes in one piece
 */
enum { BIG_LEN = 8 << 20, UPLOAD_LEN = 5 << 20, HUGE_LEN = 2 << 20, WHOLE_LEN = 24 << 20 };

struct app;

struct request {
    struct app *app;
    struct request *next;
    struct exchange *exchange;
    const struct http1_head *head;
    struct buf body;
    size_t sent;
    bool ended, closed;
};

struct app {
    struct loop *loop;
    struct server *server;
    uint16_t port;
    struct request *requests; /* newest first */
    int n_requests, n_closed, n_completed, n_refused, n_vanished;
    size_t queued_max;
    bool drained;
    struct http2_client client;
};

static bool is(const struct request *request, const char *target) {
    return str_starts(request->head->target, str_from_c(target));
}

static void reply_text(struct request *request, vsr_str text) {
    const struct http1_field fields[] = { { VSR_STR_INIT("Content-Type"), VSR_STR_INIT("text/plain") },
                                          { VSR_STR_INIT("connection"), VSR_STR_INIT("close") } };
    exchange_reply(request->exchange, 200, fields, 2, text);
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

static void answer_huge(struct exchange *exchange) {
    char *value = mem_alloc(HUGE_LEN);
    const struct http1_field field = { VSR_STR("x-huge"), str_make(value, HUGE_LEN) };
    memset(value, 'h', HUGE_LEN);
    exchange_head(exchange, 200, &field, 1, EXCHANGE_LENGTH_UNKNOWN);
    exchange_body(exchange, VSR_STR("more"));
    exchange_end(exchange);
    mem_free(value);
}

static void answer_whole(struct request *request) {
    char *body = mem_alloc(WHOLE_LEN);
    reply_text(request, str_make(body, WHOLE_LEN));
    mem_free(body);
}

static void *on_request(void *app_data, struct exchange *exchange, const struct http1_head *head) {
    struct app *app = app_data;
    struct request *request = MEM_NEW(struct request);
    *request = (struct request){ .app = app, .next = app->requests, .exchange = exchange, .head = head };
    app->requests = request;
    app->n_requests++;
    buf_init(&request->body, 64 << 20);
    CHECK(exchange_tag(exchange) == app, "tag");
    CHECK(exchange_loop(exchange) == app->loop, "loop");
    CHECK(exchange_protocol(exchange) == EXCHANGE_HTTP2, "protocol");
    CHECK_STR(exchange_peer(exchange), "127.0.0.1", "peer");
    if (is(request, "/early"))
        reply_text(request, VSR_STR("early"));
    else if (is(request, "/abort"))
        exchange_abort(exchange);
    else if (is(request, "/pause"))
        exchange_pause(exchange);
    return request;
}

static void on_body(void *data, vsr_str bytes) {
    struct request *request = data;
    CHECK(!request->closed, "no body after the end");
    buf_append(&request->body, bytes);
}

static void on_end(void *data) {
    static const struct http1_field trailers[] = { { VSR_STR_INIT("grpc-status"), VSR_STR_INIT("0") },
                                                   { VSR_STR_INIT("x-end"), VSR_STR_INIT("yes") } };
    struct request *request = data;
    struct exchange *exchange = request->exchange;
    request->ended = true;
    if (is(request, "/echo") || is(request, "/pause")) {
        reply_text(request, buf_str(&request->body));
    } else if (is(request, "/big")) {
        exchange_head(exchange, 200, NULL, 0, is(request, "/big-unknown") ? EXCHANGE_LENGTH_UNKNOWN : BIG_LEN);
        pour(request);
    } else if (is(request, "/none")) {
        exchange_reply(exchange, 204, NULL, 0, VSR_STR(""));
    } else if (is(request, "/cut")) {
        exchange_head(exchange, 200, NULL, 0, 100);
        exchange_body(exchange, VSR_STR("part"));
        exchange_abort(exchange);
    } else if (is(request, "/short")) {
        exchange_head(exchange, 200, NULL, 0, 100);
        exchange_end(exchange);
    } else if (is(request, "/over")) {
        exchange_head(exchange, 200, NULL, 0, 4);
        exchange_body(exchange, VSR_STR("12345"));
        exchange_body(exchange, VSR_STR("more"));
        exchange_end(exchange);
        CHECK(!request->closed, "not inside the call");
    } else if (is(request, "/whole")) {
        answer_whole(request);
    } else if (is(request, "/huge")) {
        answer_huge(exchange);
    } else if (is(request, "/retract")) {
        exchange_head(exchange, 500, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
        exchange_body(exchange, VSR_STR("never mind"));
        CHECK(exchange_retract(exchange), "nothing has gone out");
        reply_text(request, VSR_STR("second thought"));
    } else if (is(request, "/trailers")) {
        exchange_head(exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
        exchange_body(exchange, VSR_STR("text"));
        exchange_end_trailers(exchange, trailers, 2);
    } else if (is(request, "/only")) {
        exchange_head(exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
        exchange_end_trailers(exchange, trailers, 2);
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
    request->app->n_vanished += how == EXCHANGE_VANISHED;
}

static void error_body(void *app, const struct http1_head *head, int status, vsr_str message,
                       struct server_error *ret) {
    (void)app;
    CHECK(head != NULL, "always one in HTTP/2");
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
    .body_len_max = 16 << 20,
    .connections_max = 100,
};

static void app_begin(struct app *app, const struct server_limits *limits) {
    struct vsr_err err = VSR_ERR_NONE;
    *app = (struct app){ 0 };
    CHECK_MSG(loop_new(&app->loop, &err) == 0, "%s", err.text);
    CHECK_MSG(server_new(app->loop, &handler, app, limits, &app->server, &err) == 0, "%s", err.text);
    CHECK_MSG(server_listen(app->server, VSR_STR("127.0.0.1"), 0, app, &app->port, &err) == 0, "%s", err.text);
    http2_client_open(&app->client, app->port, NULL, 0);
}

static void app_end(struct app *app) {
    http2_client_close(&app->client);
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

static const struct {
    const char *name, *method, *path, *body;
    const char *head; /* what it says, among others; NULL: no head comes */
    const char *text; /* the answer's body */
    uint32_t error_code;
    char how; /* c(ompleted), r(efused), v(anished), - never asked */
} talks[] = {
    { "get", "GET", "/echo", NULL, ":status: 200\ncontent-type: text/plain\ncontent-length: 0\ndate: ", "", 0, 'c' },
    { "post", "POST", "/echo", "hello", "content-length: 5\n", "hello", 0, 'c' },
    { "early", "POST", "/early", "hello", ":status: 200\n", "early", 0, 'c' },
    { "head", "HEAD", "/early", NULL, "content-length: 5\n", "", 0, 'c' },
    { "none", "GET", "/none", NULL, ":status: 204\ndate: ", "", 0, 'c' },
    { "retracted", "GET", "/retract", NULL, ":status: 200\n", "second thought", 0, 'c' },
    { "abort", "POST", "/abort", "hello", NULL, "", NGHTTP2_INTERNAL_ERROR, 'v' },
    { "cut", "POST", "/cut", "hello", NULL, "", NGHTTP2_INTERNAL_ERROR, 'v' },
    { "short", "GET", "/short", NULL, NULL, "", NGHTTP2_INTERNAL_ERROR, 'v' },
    { "over", "GET", "/over", NULL, NULL, "", NGHTTP2_INTERNAL_ERROR, 'v' },
    { "huge", "GET", "/huge", NULL, NULL, "", NGHTTP2_INTERNAL_ERROR, 'v' },
    { "connect", "CONNECT", "/", NULL, NULL, "", NGHTTP2_PROTOCOL_ERROR, '-' }, /* with a path: RFC 9113 8.5 */
    { "fragment", "GET", "/a#b", NULL, ":status: 400\nx-kind: server\n", "{\"status\":400,", 0, '-' },
};

TEST(conversations) {
    struct app app;
    app_begin(&app, &patient);
    for (size_t i = 0; i < VSR_COUNT(talks); i++) {
        int completed = app.n_completed, refused = app.n_refused, vanished = app.n_vanished;
        struct http2_talk *talk = http2_ask(&app.client, talks[i].method, talks[i].path, talks[i].body);
        HTTP2_RUN(&app.client, app.loop, talk->closed, talks[i].name);
        CHECK_INT(talk->error_code, talks[i].error_code, talks[i].name);
        CHECK(talks[i].head ? http2_says(&talk->head, talks[i].head) : talk->head.len == 0, talks[i].name);
        CHECK(!http2_says(&talk->head, "connection"), talks[i].name);
        CHECK(str_starts(buf_str(&talk->body), str_from_c(talks[i].text)), talks[i].name);
        CHECK_INT(app.n_completed - completed, talks[i].how == 'c', talks[i].name);
        CHECK_INT(app.n_refused - refused, talks[i].how == 'r', talks[i].name);
        CHECK_INT(app.n_vanished - vanished, talks[i].how == 'v', talks[i].name);
        CHECK_INT(app.client.n_goaways, 0, talks[i].name);
    }
    CHECK_INT(server_stats(app.server).exchanges, 0, "none is left");
    CHECK_INT(server_stats(app.server).http2_connections_total, 1, "one connection");
    app_end(&app);
}

TEST(trailers_both_ways) {
    static const nghttp2_nv upload[] = { HTTP2_NV("x-sum", "42"), HTTP2_NV("x-more", "") };
    static const char *const paths[] = { "/trailers", "/only" };
    struct app app;
    app_begin(&app, &patient);
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        struct http2_talk *talk = http2_ask(&app.client, "POST", paths[i], "body");
        talk->upload_trailers = upload;
        talk->n_upload_trailers = 2;
        HTTP2_RUN(&app.client, app.loop, talk->closed, paths[i]);
        CHECK_STR(buf_str(&app.requests->body), "body", paths[i]);
        CHECK_STR(buf_str(&talk->body), i == 0 ? "text" : "", paths[i]);
        CHECK_STR(buf_str(&talk->trailers), "grpc-status: 0\nx-end: yes\n", paths[i]);
        CHECK_INT(talk->error_code, 0, paths[i]);
    }
    CHECK_INT(app.n_completed, 2, "both");
    app_end(&app);
}

TEST(side_by_side) {
    enum { N = 100 };
    struct app app;
    struct http2_talk *asked[N];
    char *body = mem_alloc(N * 1000);
    size_t n_closed = 0;
    memset(body, 'b', N * 1000);
    app_begin(&app, &patient);
    for (size_t i = 0; i < N; i++)
        asked[i] = http2_ask_with(&app.client, "POST", "/echo", body, i * 1000, NULL, 0);
    while (n_closed < N) {
        n_closed = 0;
        http2_client_turn(&app.client, app.loop);
        loop_run_once(app.loop, 2);
        for (size_t i = 0; i < N; i++)
            n_closed += asked[i]->closed;
    }
    for (size_t i = 0; i < N; i++)
        CHECK_INT(asked[i]->body.len, i * 1000, "each has its own");
    CHECK_INT(app.n_completed, N, "all");
    app_end(&app);
    mem_free(body);
}

TEST(megabytes) {
    static const char *const paths[] = { "/big", "/big-unknown" };
    struct app app;
    struct http2_talk *talk;
    char *body = mem_alloc(UPLOAD_LEN);
    for (size_t i = 0; i < UPLOAD_LEN; i++)
        body[i] = (char)('a' + i % 23);
    app_begin(&app, &patient);
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        talk = http2_ask(&app.client, "GET", paths[i], NULL);
        HTTP2_RUN(&app.client, app.loop, talk->closed, paths[i]);
        CHECK_INT(talk->body.len, BIG_LEN, paths[i]);
    }
    CHECK(app.queued_max < STREAM_QUEUE_HIGH + (16 << 10) + 1, "a handler that heeds exchange_queued() bounds it");
    talk = http2_ask_with(&app.client, "POST", "/echo", body, UPLOAD_LEN, NULL, 0);
    HTTP2_RUN(&app.client, app.loop, talk->closed, "up and down");
    CHECK(str_eq(buf_str(&talk->body), str_make(body, UPLOAD_LEN)), "byte by byte");
    app_end(&app);
    mem_free(body);
}

/* Who waits for a large answer on a slow connection does not make the other streams wait, older or younger. */
static void check_large_answer(bool is_first) {
    static const nghttp2_settings_entry wide[] = { { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2 * WHOLE_LEN } };
    const char *name = is_first ? "the large one is the first" : "the large one is the second";
    struct app app;
    struct http2_talk *whole, *other;
    struct request *held;
    app_begin(&app, &patient);
    http2_client_close(&app.client);
    http2_client_open(&app.client, app.port, wide, 1);
    CHECK(nghttp2_session_set_local_window_size(app.client.session, 0, 0, 2 * WHOLE_LEN) == 0, "window");
    whole = is_first ? http2_ask(&app.client, "GET", "/whole", NULL) : NULL;
    if (is_first)
        HTTP2_RUN(&app.client, app.loop, whole->n_heads == 1, name);
    other = http2_ask(&app.client, "GET", "/hold", NULL);
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 1 + is_first, name);
    held = app.requests;
    exchange_head(held->exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
    if (!is_first) {
        whole = http2_ask(&app.client, "GET", "/whole", NULL);
        HTTP2_RUN(&app.client, app.loop, whole->n_heads == 1, name);
    }
    for (int i = 0; i < 2; i++) {
        size_t len = other->body.len;
        exchange_body(held->exchange, VSR_STR("event"));
        HTTP2_RUN(&app.client, app.loop, other->body.len > len, name);
        CHECK(!whole->closed, name);
    }
    exchange_end(held->exchange);
    HTTP2_RUN(&app.client, app.loop, whole->closed && other->closed, name);
    CHECK_INT(whole->body.len, WHOLE_LEN, name);
    app_end(&app);
}

TEST(a_large_answer_lets_others_pass) {
    check_large_answer(true);
    check_large_answer(false);
}

TEST(a_paused_body_holds_its_client_back_and_no_other) {
    enum { LEN = 2 << 20 };
    struct app app;
    struct http2_talk *paused, *other;
    struct request *request;
    char *body = mem_alloc(LEN);
    memset(body, 'p', LEN);
    app_begin(&app, &patient);
    paused = http2_ask_with(&app.client, "POST", "/pause", body, LEN, NULL, 0);
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 1, "asked");
    request = app.requests;
    for (int i = 0; i < 50; i++) {
        http2_client_turn(&app.client, app.loop);
        loop_run_once(app.loop, 1);
    }
    CHECK_INT(request->body.len, 0, "nothing while it pauses");
    CHECK_INT(LEN - paused->upload.len, HTTP2_STREAM_WINDOW, "a window and no more has come");
    other = http2_ask_with(&app.client, "POST", "/echo", body, LEN, NULL, 0);
    HTTP2_RUN(&app.client, app.loop, other->closed, "another one goes on");
    CHECK_INT(other->body.len, LEN, "whole");
    exchange_resume(request->exchange);
    HTTP2_RUN(&app.client, app.loop, paused->closed, "resumed");
    CHECK_INT(paused->body.len, LEN, "whole, too");
    app_end(&app);
    mem_free(body);
}

TEST(cancelled_by_the_client) {
    struct app app;
    struct http2_talk *talk;
    app_begin(&app, &patient);
    talk = http2_ask(&app.client, "GET", "/hold", NULL);
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 1, "asked");
    nghttp2_submit_rst_stream(app.client.session, 0, talk->stream_id, NGHTTP2_CANCEL);
    HTTP2_RUN(&app.client, app.loop, app.n_vanished == 1, "the handler knows");
    talk = http2_ask(&app.client, "GET", "/hold", NULL);
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 2, "asked again");
    peer_reset(&app.client.peer);
    PUMP(app.loop, app.n_vanished == 2, "and of a broken connection");
    app_end(&app);
}

TEST(answered_before_the_body_came) {
    struct app app;
    struct http2_talk *talk;
    app_begin(&app, &patient);
    talk = http2_ask(&app.client, "POST", "/early", "some");
    talk->hold_upload = true;
    HTTP2_RUN(&app.client, app.loop, talk->closed, "the rest is not wanted");
    CHECK_INT(talk->error_code, NGHTTP2_NO_ERROR, "and that is no error");
    CHECK_STR(buf_str(&talk->body), "early", "whole");
    CHECK_INT(app.n_completed, 1, "completed");
    app_end(&app);
}

static const nghttp2_nv expects[] = { HTTP2_NV("expect", "100-continue") };

TEST(continues) {
    struct app app;
    struct http2_talk *talk;
    app_begin(&app, &patient);
    talk = http2_ask_with(&app.client, "POST", "/echo", "body", 4, expects, 1);
    HTTP2_RUN(&app.client, app.loop, talk->closed, "answered");
    CHECK(str_starts(buf_str(&talk->head), VSR_STR(":status: 100\n:status: 200\n")), "100, then the answer");
    app_end(&app);
}

/* ---- limits */

TEST(limits_are_answered) {
    static char value[60000];
    static const char body[100];
    static nghttp2_nv large[2], many[140], length = HTTP2_NV("content-length", "100");
    const struct {
        const char *name;
        const nghttp2_nv *fields;
        size_t n_fields, body_len;
        const char *status;
        char how;
    } cases[] = {
        { "body", NULL, 0, 100, ":status: 413\n", 'r' },
        { "announced body", &length, 1, 100, ":status: 413\n", '-' },
        { "bytes of the head", large, 2, 0, ":status: 431\n", '-' },
        { "fields", many, 140, 0, ":status: 431\n", '-' },
        { "at the limit", many, 127, 10, ":status: 200\n", 'c' },
    };
    struct server_limits limits = patient;
    struct app app;
    memset(value, 'v', sizeof(value) - 1);
    large[0] = large[1] = (nghttp2_nv)HTTP2_NV("x-large", value);
    for (size_t i = 0; i < 140; i++)
        many[i] = (nghttp2_nv)HTTP2_NV("x", "y");
    limits.body_len_max = 99;
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct http2_talk *talk;
        app_begin(&app, &limits);
        /* 128 KiB of head is past what nghttp2 sends of itself: the values repeat, and HPACK packs the second. */
        talk = http2_ask_with(&app.client, "POST", "/echo", cases[i].body_len ? body : NULL, cases[i].body_len,
                              cases[i].fields, cases[i].n_fields);
        HTTP2_RUN(&app.client, app.loop, talk->closed, cases[i].name);
        CHECK(http2_says(&talk->head, cases[i].status), cases[i].name);
        CHECK_INT(app.n_requests, cases[i].how != '-', cases[i].name);
        CHECK_INT(app.n_refused, cases[i].how == 'r', cases[i].name);
        CHECK_INT(app.client.n_goaways, 0, cases[i].name);
        app_end(&app);
    }
}

TEST(streams_past_the_limit_are_refused) {
    struct server_limits limits = patient;
    struct app app;
    struct http2_talk *first[2];
    limits.http2_streams_max = 2;
    app_begin(&app, &limits);
    HTTP2_RUN(&app.client, app.loop,
              nghttp2_session_get_remote_settings(app.client.session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) == 2,
              "told");
    for (int i = 0; i < 2; i++)
        first[i] = http2_ask(&app.client, "GET", "/hold", NULL);
    (void)http2_ask(&app.client, "GET", "/echo", NULL);
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 2, "two");
    for (int i = 0; i < 20; i++) {
        http2_client_turn(&app.client, app.loop);
        loop_run_once(app.loop, 1);
    }
    CHECK_INT(app.n_requests, 2, "the third waits at the client");
    reply_text(app.requests, VSR_STR("done"));
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 3, "until there is room");
    reply_text(app.requests->next->next, VSR_STR("done"));
    HTTP2_RUN(&app.client, app.loop, first[0]->closed && first[1]->closed, "all");
    app_end(&app);
}

/* ---- clocks */

TEST(slow_body) {
    struct server_limits limits = patient;
    struct app app;
    struct http2_talk *talk;
    limits.body_timeout_ms = 50;
    app_begin(&app, &limits);
    talk = http2_ask(&app.client, "POST", "/echo", "part");
    talk->hold_upload = true;
    HTTP2_RUN(&app.client, app.loop, talk->closed, "answered");
    CHECK(http2_says(&talk->head, ":status: 408\n"), "late");
    CHECK_INT(app.n_refused, 1, "refused");
    talk = http2_ask(&app.client, "GET", "/echo", NULL);
    HTTP2_RUN(&app.client, app.loop, talk->closed, "the connection lives");
    CHECK(http2_says(&talk->head, ":status: 200\n"), "on");
    app_end(&app);
}

TEST(idle) {
    struct server_limits limits = patient;
    struct app app;
    struct http2_talk *talk;
    limits.idle_timeout_ms = 50;
    app_begin(&app, &limits);
    talk = http2_ask(&app.client, "GET", "/echo", NULL);
    HTTP2_RUN(&app.client, app.loop, talk->closed, "answered");
    HTTP2_RUN(&app.client, app.loop, app.client.n_goaways > 0, "told");
    CHECK_INT(app.client.goaway_code, NGHTTP2_NO_ERROR, "kindly");
    CHECK_INT(app.client.goaway_last, 1, "with the last stream");
    HTTP2_RUN(&app.client, app.loop, peer_gone(&app.client.peer), "closed");
    app_end(&app);
}

TEST(a_client_that_takes_nothing_of_one_stream) {
    static const nghttp2_settings_entry no_window[] = { { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 } };
    struct server_limits limits = patient;
    struct app app;
    struct http2_talk *talk;
    limits.write_timeout_ms = 50;
    app_begin(&app, &limits);
    http2_client_close(&app.client);
    http2_client_open(&app.client, app.port, no_window, 1);
    talk = http2_ask(&app.client, "POST", "/echo", "text");
    HTTP2_RUN(&app.client, app.loop, talk->closed, "cut");
    CHECK(http2_says(&talk->head, ":status: 200\n"), "the head needs no window");
    CHECK_INT(talk->error_code, NGHTTP2_CANCEL, "cut");
    CHECK_INT(app.n_vanished, 1, "the handler knows");
    talk = http2_ask(&app.client, "GET", "/none", NULL);
    HTTP2_RUN(&app.client, app.loop, talk->closed, "the connection lives");
    CHECK(http2_says(&talk->head, ":status: 204\n"), "on");
    app_end(&app);
}

/* ---- drain */

static void on_drained(void *data) {
    ((struct app *)data)->drained = true;
}

TEST(drain_loses_no_request) {
    struct app app;
    struct http2_talk *before, *crossing;
    app_begin(&app, &patient);
    before = http2_ask(&app.client, "GET", "/hold", NULL);
    HTTP2_RUN(&app.client, app.loop, app.n_requests == 1, "under way");
    server_drain(app.server, 60000, on_drained, &app);
    crossing = http2_ask(&app.client, "POST", "/echo", "crossing"); /* sent before the client can know */
    HTTP2_RUN(&app.client, app.loop, crossing->closed, "still taken");
    CHECK_STR(buf_str(&crossing->body), "crossing", "and answered");
    HTTP2_RUN(&app.client, app.loop, app.client.n_goaways == 2, "the notice, then the last stream");
    CHECK_INT(app.client.goaway_code, NGHTTP2_NO_ERROR, "kindly");
    CHECK_INT(app.client.goaway_last, crossing->stream_id, "the last one that was taken");
    CHECK(!app.drained, "one is under way");
    reply_text(app.requests->next, VSR_STR("at last"));
    HTTP2_RUN(&app.client, app.loop, before->closed && peer_gone(&app.client.peer), "answered, closed");
    CHECK_STR(buf_str(&before->body), "at last", "whole");
    peer_close(&app.client.peer);
    PUMP(app.loop, app.drained, "drained");
    app_end(&app);
}

TEST(drain_of_a_silent_client) {
    struct app app;
    app_begin(&app, &patient);
    HTTP2_RUN(&app.client, app.loop, server_stats(app.server).http2_connections_total == 1, "there");
    server_drain(app.server, 60000, on_drained, &app);
    PUMP(app.loop, peer_gone(&app.client.peer), "it never acknowledged the ping");
    peer_close(&app.client.peer);
    PUMP(app.loop, app.drained, "drained");
    app_end(&app);
}

/* ---- by hand */

static void raw_end(struct app *app, struct peer *peer) {
    peer_close(peer);
    app_end(app);
}

TEST(the_preface_in_any_slices) {
    struct app app;
    struct buf all;
    app_begin(&app, &patient);
    buf_init(&all, 4096);
    buf_append(&all, VSR_STR(HTTP2_PREFACE));
    http2_frame(&all, NGHTTP2_SETTINGS, 0, 0, VSR_STR(""));
    http2_frame(&all, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, VSR_STR(HTTP2_GET_HOLD));
    for (size_t cut = 1; cut <= 30; cut++) {
        struct peer peer;
        int before = app.n_requests;
        peer_connect(&peer, app.port);
        for (size_t at = 0; at < all.len; at += cut) {
            CHECK(peer_send_str(&peer, str_sub(buf_str(&all), at, at + cut < all.len ? at + cut : all.len), NULL),
                  "send");
            pump_turns(app.loop, 2);
        }
        PUMP(app.loop, app.n_requests == before + 1, "asked");
        CHECK_STR(app.requests->head->target, "/hold", "read");
        peer_close(&peer);
    }
    PUMP(app.loop, app.n_vanished == 30, "gone");
    buf_done(&all);
    app_end(&app);
}

/* Windows without end, and nothing is taken from the socket: what waits there is bounded all the same. */
TEST(a_client_that_does_not_read) {
    enum { N = 4 };
    struct app app;
    struct peer peer;
    struct buf out;
    struct server_conn *conn;
    app_begin(&app, &patient);
    buf_init(&out, 4096);
    peer_connect(&peer, app.port);
    buf_append(&out, VSR_STR(HTTP2_PREFACE));
    http2_frame(&out, NGHTTP2_SETTINGS, 0, 0, VSR_STR("\0\4\x7f\xff\xff\xff"));
    http2_frame(&out, NGHTTP2_WINDOW_UPDATE, 0, 0, VSR_STR("\x7f\xff\0\0"));
    for (uint32_t i = 0; i < N; i++)
        http2_frame(&out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * i + 1,
                    VSR_STR("\x82\x86\x44\x04/big\x41\x01x"));
    CHECK(peer_send_str(&peer, buf_str(&out), NULL), "send");
    PUMP(app.loop, app.n_requests == N, "asked");
    pump_turns(app.loop, 100);
    conn = app.server->conns;
    while (conn->state != SERVER_CONN_HTTP2 || conn->http2->n_exchanges == 0)
        conn = conn->next;
    CHECK(stream_queued(conn->stream) >= STREAM_QUEUE_HIGH / 2, "it waits");
    CHECK(stream_queued(conn->stream) <= STREAM_QUEUE_HIGH + STREAM_READ_LEN + (32 << 10), "and no more than that");
    CHECK_INT(app.n_completed, 0, "none is done");
    PUMP(app.loop, (peer_poll(&peer), app.n_completed == N), "once it reads, all comes");
    buf_done(&out);
    raw_end(&app, &peer);
}

/* Each is sent until the server hangs up. */
enum { FLOOD_BYTES_MAX = 8 << 20 };

struct flood {
    const char *name;
    enum http2_cause cause;
    void (*write)(struct buf *out, uint32_t round);
};

static void write_resets(struct buf *out, uint32_t round) {
    http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * round + 1,
                VSR_STR(HTTP2_GET_HOLD));
    http2_frame(out, NGHTTP2_RST_STREAM, 0, 2 * round + 1, VSR_STR("\0\0\0\x08"));
}

/* The server is made to reset: the window that the client gives is past all bounds. */
static void write_made_resets(struct buf *out, uint32_t round) {
    http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * round + 1,
                VSR_STR(HTTP2_GET_HOLD));
    http2_frame(out, NGHTTP2_WINDOW_UPDATE, 0, 2 * round + 1, VSR_STR("\x7f\xff\xff\xff"));
}

static void write_malformed(struct buf *out, uint32_t round) {
    http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * round + 1,
                VSR_STR(HTTP2_GET_HOLD "\x40\x01X\x01y"));
}

static void write_pings(struct buf *out, uint32_t round) {
    (void)round;
    http2_frame(out, NGHTTP2_PING, 0, 0, VSR_STR("12345678"));
}

static void write_settings(struct buf *out, uint32_t round) {
    (void)round;
    http2_frame(out, NGHTTP2_SETTINGS, 0, 0, VSR_STR("\0\4\0\0\x10\0"));
}

static void write_empty_data(struct buf *out, uint32_t round) {
    if (round == 0)
        http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, VSR_STR(HTTP2_GET_HOLD));
    http2_frame(out, NGHTTP2_DATA, 0, 1, VSR_STR(""));
}

static void write_priority(struct buf *out, uint32_t round) {
    http2_frame(out, NGHTTP2_PRIORITY, 0, 2 * round + 1, VSR_STR("\0\0\0\0\x10"));
}

static void write_windows(struct buf *out, uint32_t round) {
    if (round == 0)
        http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, VSR_STR(HTTP2_GET_HOLD));
    http2_frame(out, NGHTTP2_WINDOW_UPDATE, 0, 1, VSR_STR("\0\0\0\1"));
}

static void write_continuations(struct buf *out, uint32_t round) {
    if (round == 0)
        http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, VSR_STR(HTTP2_GET_HOLD));
    http2_frame(out, NGHTTP2_CONTINUATION, 0, 1, VSR_STR("\x40\x01x\x01y"));
}

/* A field of 4000 bytes goes into the table once; each further byte of the block repeats it. */
static void write_bomb(struct buf *out, uint32_t round) {
    static char block[16000];
    static const char head[] = HTTP2_GET_HOLD "\x40\x01x\x7f\xa1\x1e"; /* 127 + 0x21 + 0x1e * 128 = 4000 */
    size_t n = sizeof(head) - 1;
    memset(block, '\xbe', sizeof(block)); /* the newest entry of the table: 62 */
    memcpy(block, head, n);
    memset(block + n, 'v', 4000);
    http2_frame(out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 2 * round + 1,
                str_make(block, sizeof(block)));
}

static const struct flood floods[] = {
    { "rapid reset", HTTP2_RESETS, write_resets },
    { "resets that the server is made to send", HTTP2_RESETS, write_made_resets },
    { "malformed requests", HTTP2_RESETS, write_malformed },
    { "pings", HTTP2_PINGS, write_pings },
    { "settings", HTTP2_SETTINGS, write_settings },
    { "empty data", HTTP2_EMPTY_DATA, write_empty_data },
    { "priorities", HTTP2_PRIORITIES, write_priority },
    { "windows of one byte", HTTP2_WINDOW_UPDATES, write_windows },
    { "continuations", HTTP2_CONTINUATIONS, write_continuations },
    { "bomb", HTTP2_HEADERS, write_bomb },
};

/* The code of the last GOAWAY among the server's frames, or -1. */
static int64_t goaway_code(vsr_str got) {
    int64_t code = -1;
    while (got.len >= 9) {
        const unsigned char *p = (const unsigned char *)got.ptr;
        size_t len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (got.len < 9 + len)
            break;
        if (p[3] == NGHTTP2_GOAWAY)
            code = (int64_t)p[13] << 24 | (int64_t)p[14] << 16 | (int64_t)p[15] << 8 | p[16];
        got = str_sub(got, 9 + len, got.len);
    }
    return code;
}

TEST(floods_end_the_connection_and_no_other) {
    for (size_t i = 0; i < VSR_COUNT(floods); i++) {
        struct app app;
        struct peer peer;
        struct buf out;
        struct http2_talk *other;
        size_t sent = 0;
        app_begin(&app, &patient);
        buf_init(&out, 1 << 20);
        peer_connect(&peer, app.port);
        buf_append(&out, VSR_STR(HTTP2_PREFACE));
        http2_frame(&out, NGHTTP2_SETTINGS, 0, 0, VSR_STR(""));
        for (uint32_t round = 0; !peer_gone(&peer); round++) {
            floods[i].write(&out, round);
            sent += out.len;
            CHECK_MSG(sent < FLOOD_BYTES_MAX, "case \"%s\": it goes on", floods[i].name);
            if (!peer_send_str(&peer, buf_str(&out), app.loop))
                break;
            buf_reset(&out);
            if (round % 50 == 0 || goaway_code(peer_poll(&peer)) >= 0)
                pump_turns(app.loop, 3);
        }
        CHECK_INT(goaway_code(peer_poll(&peer)), NGHTTP2_ENHANCE_YOUR_CALM, floods[i].name);
        CHECK_INT(server_stats(app.server).http2_goaways[floods[i].cause], 1, floods[i].name);
        other = http2_ask(&app.client, "POST", "/echo", "unharmed");
        HTTP2_RUN(&app.client, app.loop, other->closed, floods[i].name);
        CHECK_STR(buf_str(&other->body), "unharmed", floods[i].name);
        CHECK_INT(server_stats(app.server).exchanges, 0, floods[i].name);
        buf_done(&out);
        raw_end(&app, &peer);
    }
}

/* What is rapid reset from one client is everyday from a proxy with thousands of them. */
TEST(a_proxy_may_reset_what_its_clients_gave_up) {
    struct server_limits limits = patient;
    struct app app;
    limits.http2_trusted = true;
    app_begin(&app, &limits);
    for (int i = 0; i < 2000; i++) {
        struct buf out;
        struct peer *peer = &app.client.peer;
        buf_init(&out, 1 << 20);
        if (i == 0) {
            buf_append(&out, VSR_STR(HTTP2_PREFACE));
            http2_frame(&out, NGHTTP2_SETTINGS, 0, 0, VSR_STR(""));
        }
        write_resets(&out, (uint32_t)i);
        CHECK(peer_send_str(peer, buf_str(&out), app.loop), "send");
        buf_done(&out);
        CHECK(!peer_gone(peer), "it stays");
    }
    PUMP(app.loop, app.n_vanished == 2000, "all are told");
    CHECK_INT(goaway_code(peer_poll(&app.client.peer)), -1, "no GOAWAY");
    app_end(&app);
}

TEST(a_head_that_does_not_end) {
    struct server_limits limits = patient;
    struct app app;
    struct peer peer;
    struct buf out;
    limits.head_timeout_ms = 50;
    app_begin(&app, &limits);
    buf_init(&out, 4096);
    peer_connect(&peer, app.port);
    buf_append(&out, VSR_STR(HTTP2_PREFACE));
    http2_frame(&out, NGHTTP2_SETTINGS, 0, 0, VSR_STR(""));
    http2_frame(&out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, VSR_STR(HTTP2_GET_HOLD));
    CHECK(peer_send_str(&peer, buf_str(&out), NULL), "send");
    PUMP(app.loop, peer_gone(&peer), "late");
    CHECK_INT(goaway_code(peer_poll(&peer)), NGHTTP2_ENHANCE_YOUR_CALM, "told");
    CHECK_INT(app.n_requests, 0, "never asked");
    buf_done(&out);
    raw_end(&app, &peer);
}

TEST(a_client_that_says_the_preface_and_no_more) {
    struct server_limits limits = patient;
    struct app app;
    struct peer peer;
    limits.head_timeout_ms = 50;
    app_begin(&app, &limits);
    peer_connect(&peer, app.port);
    peer_send(&peer, HTTP2_PREFACE);
    PUMP(app.loop, peer_gone(&peer), "late");
    raw_end(&app, &peer);
}

/* Everything that RFC 9113 8.2 and 8.3 call malformed is a reset of that stream, and the connection goes on. */
static const struct {
    const char *name, *block;
    size_t len;
} malformed[] = {
#define BLOCK(text) text, sizeof(text) - 1
    { "no method", BLOCK("\x86\x84\x41\x01x") },
    { "no path", BLOCK("\x82\x86\x41\x01x") },
    { "no scheme", BLOCK("\x82\x84\x41\x01x") },
    { "method twice", BLOCK("\x82\x82\x86\x84\x41\x01x") },
    { "unknown pseudo-header", BLOCK("\x82\x86\x84\x41\x01x\x40\x02:x\x01y") },
    { "pseudo-header behind a field", BLOCK("\x82\x86\x41\x01x\x40\x01x\x01y\x84") },
    { "upper case", BLOCK("\x82\x86\x84\x41\x01x\x40\x01X\x01y") },
    { "space in a name", BLOCK("\x82\x86\x84\x41\x01x\x40\x02x \x01y") },
    { "line end in a value", BLOCK("\x82\x86\x84\x41\x01x\x40\x01x\x03"
                                   "a\nb") },
    { "white space around a value", BLOCK("\x82\x86\x84\x41\x01x\x40\x01x\x02 a") },
    { "connection", BLOCK("\x82\x86\x84\x41\x01x\x40\x0a"
                          "connection\x05"
                          "close") },
    { "transfer-encoding", BLOCK("\x82\x86\x84\x41\x01x\x40\x11transfer-encoding\x07"
                                 "chunked") },
    { "upgrade", BLOCK("\x82\x86\x84\x41\x01x\x40\x07upgrade\x03h2c") },
    { "te", BLOCK("\x82\x86\x84\x41\x01x\x40\x02te\x04gzip") },
    { "another host", BLOCK("\x82\x86\x84\x41\x01x\x40\x04host\x01y") },
    { "length and no body", BLOCK("\x82\x86\x84\x41\x01x\x40\x0e"
                                  "content-length\x01"
                                  "5") },
    { "two lengths", BLOCK("\x82\x86\x84\x41\x01x\x40\x0e"
                           "content-length\x01"
                           "0\x40\x0e"
                           "content-length\x01"
                           "0") },
    { "empty path", BLOCK("\x82\x86\x44\x00\x41\x01x") },
    { "path without a slash", BLOCK("\x82\x86\x44\x01"
                                    "a\x41\x01x") },
};

TEST(malformed_requests) {
    struct app app;
    app_begin(&app, &patient);
    for (size_t i = 0; i < VSR_COUNT(malformed); i++) {
        struct peer peer;
        struct buf out;
        buf_init(&out, 4096);
        peer_connect(&peer, app.port);
        buf_append(&out, VSR_STR(HTTP2_PREFACE));
        http2_frame(&out, NGHTTP2_SETTINGS, 0, 0, VSR_STR(""));
        http2_frame(&out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                    str_make(malformed[i].block, malformed[i].len));
        http2_frame(&out, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 3,
                    VSR_STR("\x82\x86\x44\x05/echo\x41\x01x"));
        CHECK(peer_send_str(&peer, buf_str(&out), NULL), "send");
        PUMP(app.loop, app.n_completed == (int)i + 1, malformed[i].name);
        CHECK_INT(app.n_requests, i + 1, malformed[i].name);
        /* RST_STREAM of stream 1, PROTOCOL_ERROR */
        CHECK(str_find(peer_poll(&peer), str_make("\0\0\4\3\0\0\0\0\1\0\0\0\1", 13)) >= 0, malformed[i].name);
        CHECK_INT(goaway_code(peer_poll(&peer)), -1, malformed[i].name);
        buf_done(&out);
        peer_close(&peer);
    }
    app_end(&app);
}

RUN_TESTS(T(conversations), T(trailers_both_ways), T(side_by_side), T(megabytes), T(a_large_answer_lets_others_pass),
          T(a_paused_body_holds_its_client_back_and_no_other), T(cancelled_by_the_client),
          T(answered_before_the_body_came), T(continues), T(limits_are_answered), T(streams_past_the_limit_are_refused),
          T(slow_body), T(idle), T(a_client_that_takes_nothing_of_one_stream), T(drain_loses_no_request),
          T(drain_of_a_silent_client), T(the_preface_in_any_slices), T(a_client_that_does_not_read),
          T(floods_end_the_connection_and_no_other), T(a_proxy_may_reset_what_its_clients_gave_up),
          T(a_head_that_does_not_end), T(a_client_that_says_the_preface_and_no_more), T(malformed_requests))
