#include "net/client.h"

#include <sys/un.h>

#include "certificates.h"
#include "core/mem.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/stream.h"
#include "net/tls.h"
#include "peer.h"

/* What an owner saw of a call; its `act` runs inside the named event. */
struct watch {
    struct client_call *call;
    int n_sent, n_head, n_end, n_error, status;
    struct buf body;
    struct vsr_err err;
    bool connected;
    const char *act_in;
    void (*act)(struct watch *watch);
    void *act_data;
    bool cancelled;
};

struct rig {
    struct loop *loop;
    struct client *client;
    struct client_endpoint *endpoint;
    int listen_fd;
    uint16_t port;
};

static const struct client_limits generous = {
    .connect_timeout_ms = 60000,
    .pool_idle_ms = 60000,
    .connections_max = 2000,
    .pending_max = 4000,
    .dns_ttl_ms = 60000,
};

static const struct client_timeouts no_hurry = { 0, 0, 0 };

static void act(struct watch *watch, const char *event) {
    CHECK(!watch->cancelled, "no event after cancel");
    if (watch->act && strcmp(watch->act_in, event) == 0)
        watch->act(watch);
}

static void on_sent(void *owner) {
    struct watch *watch = owner;
    watch->n_sent++;
    act(watch, "sent");
}

static void on_head(void *owner, const struct http1_head *head) {
    struct watch *watch = owner;
    watch->n_head++;
    watch->status = head->status;
    act(watch, "head");
}

static void on_body(void *owner, vsr_str bytes) {
    struct watch *watch = owner;
    buf_append(&watch->body, bytes);
    act(watch, "body");
}

static void on_end(void *owner) {
    struct watch *watch = owner;
    watch->n_end++;
    act(watch, "end");
    watch->call = NULL;
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct watch *watch = owner;
    watch->n_error++;
    watch->err = *err;
    watch->connected = connected;
    act(watch, "error");
    watch->call = NULL;
}

static const struct client_events events = {
    .on_sent = on_sent,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

static void rig_begin_with(struct rig *rig, const struct client_limits *limits) {
    struct vsr_err err = VSR_ERR_NONE;
    *rig = (struct rig){ .listen_fd = -1 };
    CHECK_MSG(loop_new(&rig->loop, &err) == 0, "%s", err.text);
    CHECK_MSG(client_new(rig->loop, limits, &rig->client, &err) == 0, "%s", err.text);
    rig->listen_fd = peer_listen(&rig->port);
    rig->endpoint =
        client_endpoint(rig->client, &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = rig->port });
}

static void rig_begin(struct rig *rig) {
    rig_begin_with(rig, &generous);
}

static void rig_end(struct rig *rig) {
    client_free(rig->client);
    close(rig->listen_fd);
    loop_free(rig->loop);
}

static void start_method(struct rig *rig, struct watch *watch, const char *method, vsr_str body,
                         const struct client_timeouts *timeouts) {
    struct http1_field field = { VSR_STR("content-type"), VSR_STR("application/json") };
    struct client_request request = { .method = str_from_c(method),
                                      .target = VSR_STR("/v1/x?y"),
                                      .authority = VSR_STR("origin:80"),
                                      .fields = &field,
                                      .n_fields = 1,
                                      .body = body };
    if (!watch->body.max)
        buf_init(&watch->body, 256 << 20);
    watch->call = client_call_start(rig->endpoint, &request, timeouts, &events, watch);
    CHECK(watch->n_head + watch->n_end + watch->n_error == 0, "no event inside start");
}

static void start(struct rig *rig, struct watch *watch) {
    start_method(rig, watch, "POST", VSR_STR("question"), &no_hurry);
}

static bool over(const struct watch *watch) {
    return watch->n_end + watch->n_error > 0;
}

static void forget(struct watch *watch) {
    buf_done(&watch->body);
    *watch = (struct watch){ 0 };
}

static void cancel(struct watch *watch) {
    watch->cancelled = true;
    client_call_cancel(watch->call);
    watch->call = NULL;
}

/* Accepts the client's next connection and waits for the request. */
static void expect_request(struct rig *rig, struct peer *peer, const char *name) {
    if (peer->fd <= 0)
        PUMP(rig->loop, peer_accept(peer, rig->listen_fd), name);
    PUMP(rig->loop, peer_has(peer, "\r\n\r\nquestion"), name);
    buf_reset(&peer->got);
}

#define OK(length, body) "HTTP/1.1 200 OK\r\ncontent-length: " length "\r\n\r\n" body

/* ---- answers */

static const struct {
    const char *name, *answer;
    int status; /* 0: an error */
    const char *body;
    int code;
    bool eof;    /* the origin closes behind it */
    bool pooled; /* the connection may be used again */
} answers[] = {
    { "length", OK("5", "hello"), 200, "hello", 0, false, true },
    { "empty", OK("0", ""), 200, "", 0, false, true },
    { "no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", 0, false, true },
    { "chunked", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\n\r\n", 200,
      "abcde", 0, false, true },
    { "until close", "HTTP/1.1 200 OK\r\n\r\nall there is", 200, "all there is", 0, true, false },
    { "1.0", "HTTP/1.0 200 OK\r\n\r\nold", 200, "old", 0, true, false },
    { "says close", "HTTP/1.1 500 Oops\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno", 500, "no", 0, false,
      false },
    { "interim first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" OK("1", "a"), 200,
      "a", 0, false, true },
    { "bytes behind", OK("1", "a") "HTTP/1.1 200", 200, "a", 0, false, false },
    { "cut head", "HTTP/1.1 200 OK\r\ncont", 0, "", VSR_E_CLOSED, true, false },
    { "cut body", OK("5", "hel"), 200, "hel", VSR_E_CLOSED, true, false },
    { "cut chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", 200, "abc", VSR_E_CLOSED, true,
      false },
    { "nothing", "", 0, "", VSR_E_CLOSED, true, false },
    { "garbage", "SSH-2.0-OpenSSH_9.2\r\n", 0, "", VSR_E_PROTOCOL, false, false },
    { "two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na", 0, "", VSR_E_PROTOCOL, false,
      false },
    { "bad chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 200, "", VSR_E_PROTOCOL, false,
      false },
    { "switch", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", 0, "", VSR_E_PROTOCOL,
      false, false },
};

static void answer(size_t i, size_t split) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    vsr_str bytes = str_from_c(answers[i].answer);
    const char *name = answers[i].name;
    rig_begin(&rig);
    start(&rig, &watch);
    expect_request(&rig, &origin, name);
    for (size_t at = 0; at < bytes.len; at += split) {
        peer_send_str(&origin, str_sub(bytes, at, at + split), rig.loop);
        if (split < bytes.len)
            pump_turns(rig.loop, 2);
    }
    if (answers[i].eof)
        peer_shutdown(&origin);
    PUMP(rig.loop, over(&watch), name);
    CHECK_INT(watch.status, answers[i].status, name);
    CHECK_STR(buf_str(&watch.body), answers[i].body, name);
    CHECK_INT(watch.n_end, answers[i].code == 0, name);
    CHECK_INT(watch.err.code, answers[i].code, name);
    CHECK_INT(watch.n_sent, 1, name);
    if (watch.n_error)
        CHECK(watch.connected, name);
    if (split >= bytes.len)
        CHECK_INT(client_stats(rig.client).idle, answers[i].pooled, name);
    CHECK_INT(client_stats(rig.client).connections, client_stats(rig.client).idle, name);
    peer_close(&origin);
    forget(&watch);
    rig_end(&rig);
}

TEST(all_answers) {
    for (size_t i = 0; i < VSR_COUNT(answers); i++)
        answer(i, SIZE_MAX / 2);
}

TEST(all_answers_byte_by_byte) {
    for (size_t i = 0; i < VSR_COUNT(answers); i++)
        answer(i, 1);
}

/* The connection is cut behind every byte of an answer: never a success, never silence. */
TEST(answer_cut_everywhere) {
    static const char full[] = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (size_t at = 0; at < sizeof(full) - 1; at++) {
        struct rig rig;
        struct watch watch = { 0 };
        struct peer origin = { 0 };
        rig_begin(&rig);
        start(&rig, &watch);
        expect_request(&rig, &origin, "cut");
        peer_send_str(&origin, str_make(full, at), rig.loop);
        if (at % 2)
            peer_close(&origin);
        else
            peer_reset(&origin);
        PUMP(rig.loop, over(&watch), "cut");
        CHECK_INT(watch.n_error, 1, "an error");
        CHECK_INT(watch.err.code, VSR_E_CLOSED, "closed");
        forget(&watch);
        rig_end(&rig);
    }
}

TEST(request_on_the_wire) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    rig_begin(&rig);
    start(&rig, &watch);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    PUMP(rig.loop, peer_has(&origin, "question"), "request");
    CHECK_STR(peer_poll(&origin),
              "POST /v1/x?y HTTP/1.1\r\nhost: origin:80\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n"
              "question",
              "wire");
    peer_send(&origin, OK("0", ""));
    PUMP(rig.loop, over(&watch), "end");
    forget(&watch);
    buf_reset(&origin.got);
    start_method(&rig, &watch, "HEAD", VSR_STR(""), &no_hurry);
    PUMP(rig.loop, peer_has(&origin, "\r\n\r\n"), "request");
    CHECK(!peer_has(&origin, "content-length"), "no length without a body");
    peer_send(&origin, OK("500", ""));
    PUMP(rig.loop, over(&watch), "a HEAD has no body");
    CHECK_INT(watch.n_end, 1, "end");
    CHECK_INT(client_stats(rig.client).idle, 1, "pooled");
    peer_close(&origin);
    forget(&watch);
    rig_end(&rig);
}

/* ---- the pool */

TEST(reuse) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    rig_begin(&rig);
    for (int i = 0; i < 20; i++) {
        start(&rig, &watch);
        expect_request(&rig, &origin, "reuse");
        peer_send(&origin, OK("2", "ok"));
        PUMP(rig.loop, over(&watch), "reuse");
        CHECK_INT(watch.n_end, 1, "reuse");
        forget(&watch);
    }
    CHECK_INT(client_stats(rig.client).connects_total, 1, "one connection");
    CHECK_INT(client_stats(rig.client).reused_total, 19, "reused");
    CHECK_INT(client_stats(rig.client).calls_total, 20, "calls");
    CHECK(client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = rig.port }) ==
              rig.endpoint,
          "same endpoint");
    CHECK(client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = 1 }) !=
              rig.endpoint,
          "other port");
    peer_close(&origin);
    PUMP(rig.loop, client_stats(rig.client).connections == 0, "an idle connection that ends leaves the pool");
    rig_end(&rig);
}

/* A socket in the file system, which is found by its path alone. */
TEST(unix_socket) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    char dir[] = "/tmp/vsr-unix-XXXXXX";
    char long_path[200];
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(mkdtemp(dir) != NULL, "directory");
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/backend.sock", dir);
    rig_begin(&rig);
    rig.endpoint = client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("localhost"),
                                                                       .unix_path = str_from_c(addr.sun_path) });
    start(&rig, &watch);
    PUMP(rig.loop, over(&watch), "nobody there");
    CHECK_INT(watch.err.code, VSR_E_REFUSED, watch.err.text);
    CHECK(str_find(str_from_c(watch.err.text), VSR_STR("/backend.sock")) >= 0, watch.err.text);
    forget(&watch);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 8) == 0, "listen");
    for (int i = 0; i < 3; i++) {
        start(&rig, &watch);
        if (i == 0)
            PUMP(rig.loop, peer_accept(&origin, fd), "accept");
        expect_request(&rig, &origin, "request");
        peer_send(&origin, OK("2", "ok"));
        PUMP(rig.loop, over(&watch), "answer");
        CHECK_INT(watch.n_end, 1, watch.err.text);
        forget(&watch);
    }
    CHECK_INT(client_stats(rig.client).reused_total, 2, "reused");
    CHECK(client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("localhost"),
                                                              .unix_path = VSR_STR("/other") }) != rig.endpoint,
          "other path");
    memset(long_path, 'x', sizeof(long_path));
    rig.endpoint =
        client_endpoint(rig.client, &(struct client_place){ .unix_path = str_make(long_path, sizeof(long_path)) });
    start(&rig, &watch);
    PUMP(rig.loop, over(&watch), "path too long");
    CHECK_INT(watch.err.code, VSR_E_DNS, watch.err.text);
    forget(&watch);
    peer_close(&origin);
    rig_end(&rig);
    close(fd);
    CHECK(unlink(addr.sun_path) == 0 && rmdir(dir) == 0, "clean up");
}

/* The pool to a server by way of a proxy, which is this rig's listener. */
static void behind_proxy(struct rig *rig, struct client_proxy *proxy, struct tls_client *tls) {
    *proxy = (struct client_proxy){ VSR_STR("127.0.0.1"), rig->port, VSR_STR("Basic eA==") };
    rig->endpoint =
        client_endpoint(rig->client, &(struct client_place){
                                         .host = VSR_STR("server.invalid"), .port = 8443, .tls = tls, .proxy = proxy });
}

/* A proxy passes plain requests on: it gets the absolute form and is told who asks; a 407 is its own answer. */
TEST(proxy_passes_on) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    struct client_proxy proxy;
    rig_begin(&rig);
    behind_proxy(&rig, &proxy, NULL);
    CHECK(client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("server.invalid"), .port = 8443 }) !=
              rig.endpoint,
          "another way is another pool");
    start(&rig, &watch);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    PUMP(rig.loop, str_find(peer_poll(&origin), VSR_STR("\r\n\r\n")) >= 0, "request");
    CHECK(str_find(buf_str(&origin.got), VSR_STR(" http://")) >= 0, "absolute");
    CHECK(str_find(buf_str(&origin.got), VSR_STR("proxy-authorization: Basic eA==\r\n")) >= 0, "who asks");
    peer_send(&origin, "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
    PUMP(rig.loop, over(&watch), "answer");
    CHECK_INT(watch.n_head, 0, "not the server's");
    CHECK_INT(watch.err.code, VSR_E_REFUSED, watch.err.text);
    CHECK(!watch.connected, "went nowhere");
    forget(&watch);
    peer_close(&origin);
    rig_end(&rig);
}

/* To a server with TLS it opens the way, or does not: in whatever manner, the call fails as unconnected. */
TEST(proxy_opens_no_way) {
    static const struct {
        const char *answer;
        int code;
    } cases[] = {
        { "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", VSR_E_REFUSED },
        { "HTTP/1.1 502 No\r\n\r\nwhy", VSR_E_REFUSED },
        { "HTTP/1.1 301 There\r\nLocation: x\r\n\r\n", VSR_E_REFUSED },
        { "220 mail.example.com ESMTP\r\n\r\n", VSR_E_PROTOCOL },
        { "HTTP/1.1 200 OK\r\n\r\n220 too early", VSR_E_PROTOCOL },
        { "", VSR_E_REFUSED }, /* closed */
        { "HTTP/1.1 20", VSR_E_REFUSED },
        { "HTTP/1.1 200 OK\r\n\r\n", VSR_E_TLS }, /* open, and then closed */
    };
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_client *tls = NULL;
    CHECK(tls_client_new(&(struct tls_client_options){ .insecure = true }, &tls, &err) == 0, "client");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct rig rig;
        struct watch watch = { 0 };
        struct peer origin = { 0 };
        struct client_proxy proxy;
        rig_begin(&rig);
        behind_proxy(&rig, &proxy, tls);
        start(&rig, &watch);
        PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), cases[i].answer);
        PUMP(rig.loop, str_find(peer_poll(&origin), VSR_STR("\r\n\r\n")) >= 0, cases[i].answer);
        CHECK_STR(buf_str(&origin.got),
                  "CONNECT server.invalid:8443 HTTP/1.1\r\nhost: server.invalid:8443\r\n"
                  "proxy-authorization: Basic eA==\r\n\r\n",
                  cases[i].answer);
        if (cases[i].answer[0])
            peer_send(&origin, cases[i].answer);
        if (cases[i].code == VSR_E_TLS)
            PUMP(rig.loop, str_find_char(peer_poll(&origin), '\x16') >= 0, "a TLS greeting");
        peer_close(&origin);
        PUMP(rig.loop, over(&watch), cases[i].answer);
        CHECK_MSG(watch.err.code == cases[i].code, "case \"%s\": %d %s", cases[i].answer, watch.err.code,
                  watch.err.text);
        CHECK(!watch.connected, cases[i].answer);
        forget(&watch);
        rig_end(&rig);
    }
    tls_client_free(tls);
}

/* Leaves one used connection in the pool. */
static void warm_up(struct rig *rig, struct peer *origin) {
    struct watch watch = { 0 };
    start(rig, &watch);
    expect_request(rig, origin, "warm up");
    peer_send(origin, OK("2", "ok"));
    PUMP(rig->loop, over(&watch), "warm up");
    CHECK_INT(client_stats(rig->client).idle, 1, "warm");
    forget(&watch);
}

/* Given back inside the last event of its last call, an endpoint goes with its pool, unless somebody asks again. */
static void release(struct watch *watch) {
    client_endpoint_unref(watch->act_data);
}

static void give_back(struct rig *rig, struct peer *origin) {
    struct watch watch = { .act_in = "end", .act = release, .act_data = rig->endpoint };
    start(rig, &watch);
    expect_request(rig, origin, "the last call");
    peer_send(origin, OK("2", "ok"));
    PUMP(rig->loop, over(&watch), "the last call");
    forget(&watch);
}

TEST(references) {
    struct rig rig;
    struct peer origin = { 0 }, fresh = { 0 };
    rig_begin(&rig);
    warm_up(&rig, &origin);
    CHECK(client_endpoint_ref(rig.endpoint) == rig.endpoint, "a second user");
    give_back(&rig, &origin);
    pump_turns(rig.loop, 5);
    CHECK_INT(client_stats(rig.client).idle, 1, "one user is left");
    client_endpoint_unref(rig.endpoint);
    CHECK(client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = rig.port }) ==
              rig.endpoint,
          "asked for in time");
    pump_turns(rig.loop, 5);
    CHECK_INT(client_stats(rig.client).idle, 1, "so its connection lives on");
    give_back(&rig, &origin);
    PUMP(rig.loop, client_stats(rig.client).connections == 0 && peer_gone(&origin), "gone with its connection");
    rig.endpoint =
        client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = rig.port });
    warm_up(&rig, &fresh);
    CHECK_INT(client_stats(rig.client).connects_total, 2, "made anew");
    peer_close(&origin);
    peer_close(&fresh);
    rig_end(&rig);
}

/* The origin closes the pooled connection at the moment a call goes out on it. */
static void stale(void (*leave)(struct peer *), bool again) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 }, fresh = { 0 };
    rig_begin(&rig);
    warm_up(&rig, &origin);
    leave(&origin); /* the loop has not noticed */
    start(&rig, &watch);
    expect_request(&rig, &fresh, "sent again");
    if (again) {
        peer_close(&fresh);
        PUMP(rig.loop, over(&watch), "only once");
        CHECK_INT(watch.err.code, VSR_E_CLOSED, "closed");
    } else {
        peer_send(&fresh, OK("2", "ok"));
        PUMP(rig.loop, over(&watch), "answered");
        CHECK_INT(watch.n_end, 1, "end");
        CHECK(watch.n_sent > 0, "sent"); /* the first time may have failed before it could be told */
        peer_close(&fresh);
    }
    CHECK_INT(client_stats(rig.client).connects_total, 2, "connects");
    forget(&watch);
    rig_end(&rig);
}

TEST(stale_connection) {
    stale(peer_close, false);
    stale(peer_reset, false);
    stale(peer_close, true);
}

/* The whole request had arrived: whether it took effect is not known. */
static void lost_after_the_request(void (*leave)(struct peer *), bool resent) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 }, fresh = { 0 };
    rig_begin(&rig);
    warm_up(&rig, &origin);
    start(&rig, &watch);
    expect_request(&rig, &origin, "second");
    leave(&origin);
    if (resent) {
        expect_request(&rig, &fresh, "sent again");
        peer_send(&fresh, OK("2", "ok"));
        PUMP(rig.loop, over(&watch), "answered");
        CHECK_INT(watch.n_end, 1, "end");
        peer_close(&fresh);
    } else {
        PUMP(rig.loop, over(&watch), "error");
        CHECK_INT(watch.err.code, VSR_E_CLOSED, "closed");
        CHECK(watch.connected, "it may have taken effect");
    }
    CHECK_INT(client_stats(rig.client).connects_total, resent ? 2 : 1, "connects");
    forget(&watch);
    rig_end(&rig);
}

TEST(reset_after_the_request_is_an_error) {
    lost_after_the_request(peer_reset, false);
    lost_after_the_request(peer_close, true);
}

/* A long request that was cut short cannot have taken effect. */
TEST(reset_inside_the_request_is_resent) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 }, fresh = { 0 };
    static char body[8 << 20];
    rig_begin(&rig);
    warm_up(&rig, &origin);
    memset(body, 'q', sizeof(body));
    start_method(&rig, &watch, "POST", str_make(body, sizeof(body)), &no_hurry);
    for (int i = 0; i < 10; i++)
        loop_run_once(rig.loop, 1);
    peer_reset(&origin);
    PUMP(rig.loop, peer_accept(&fresh, rig.listen_fd), "sent again");
    PUMP(rig.loop, peer_count_char(&fresh, 'q') >= sizeof(body), "whole");
    peer_send(&fresh, OK("2", "ok"));
    PUMP(rig.loop, over(&watch), "answered");
    CHECK_INT(watch.n_end, 1, "end");
    peer_close(&fresh);
    forget(&watch);
    rig_end(&rig);
}

TEST(stale_after_the_first_byte_is_an_error) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    rig_begin(&rig);
    warm_up(&rig, &origin);
    start(&rig, &watch);
    expect_request(&rig, &origin, "second");
    peer_send(&origin, "HTTP/1.1 2");
    peer_close(&origin);
    PUMP(rig.loop, over(&watch), "error");
    CHECK_INT(watch.err.code, VSR_E_CLOSED, "closed");
    CHECK_INT(client_stats(rig.client).connects_total, 1, "not sent again");
    forget(&watch);
    rig_end(&rig);
}

TEST(unsolicited_bytes) {
    struct rig rig;
    struct peer origin = { 0 };
    rig_begin(&rig);
    warm_up(&rig, &origin);
    peer_send(&origin, OK("3", "bad"));
    PUMP(rig.loop, client_stats(rig.client).connections == 0, "closed");
    peer_close(&origin);
    rig_end(&rig);
}

TEST(idle_connections_are_dropped) {
    struct rig rig;
    struct peer origin = { 0 };
    struct client_limits limits = generous;
    limits.pool_idle_ms = 30;
    rig_begin_with(&rig, &limits);
    warm_up(&rig, &origin);
    PUMP(rig.loop, client_stats(rig.client).connections == 0, "dropped");
    PUMP(rig.loop, peer_gone(&origin), "closed");
    peer_close(&origin);
    rig_end(&rig);
}

TEST(limits_and_the_waiting_line) {
    struct rig rig;
    struct watch watches[4] = { 0 };
    struct peer origin = { 0 };
    struct client_limits limits = generous;
    limits.connections_max = 1;
    limits.pending_max = 2;
    rig_begin_with(&rig, &limits);
    warm_up(&rig, &origin);
    for (int i = 0; i < 4; i++)
        start(&rig, &watches[i]);
    CHECK_INT(client_stats(rig.client).pending, 2, "two wait");
    CHECK_INT(client_stats(rig.client).connections, 1, "one connection");
    PUMP(rig.loop, over(&watches[3]), "the fourth is refused");
    CHECK_INT(watches[3].err.code, VSR_E_LIMIT, "limit");
    CHECK(!watches[3].connected, "never sent");
    for (int i = 0; i < 3; i++) {
        expect_request(&rig, &origin, "in order");
        peer_send(&origin, OK("1", "a"));
        PUMP(rig.loop, over(&watches[i]), "in order");
        CHECK_INT(watches[i].n_end, 1, "end");
    }
    for (int i = 0; i < 4; i++)
        forget(&watches[i]);
    peer_close(&origin);
    rig_end(&rig);
}

/* Calls that a connection is being opened for take no place in the line, however slow the others are to accept. */
TEST(connecting_calls_do_not_queue) {
    enum { N = 6 };
    struct rig rig;
    struct watch watches[N] = { 0 };
    struct client_limits limits = generous;
    limits.connections_max = N - 1;
    limits.pending_max = 1;
    rig_begin_with(&rig, &limits);
    for (int i = 0; i < N; i++)
        start(&rig, &watches[i]);
    CHECK_INT(client_stats(rig.client).pending, N, "one of them in excess");
    for (int i = 0; i < N; i++)
        CHECK(!over(&watches[i]), "none is refused");
    for (int i = 0; i < N; i++)
        cancel(&watches[i]);
    for (int i = 0; i < N; i++)
        forget(&watches[i]);
    rig_end(&rig);
}

/* The only connection there may be is stale, and the call that found out needs a fresh one. */
TEST(stale_at_the_limit) {
    struct rig rig;
    struct watch watches[3] = { 0 };
    struct peer origin = { 0 }, fresh = { 0 };
    struct client_limits limits = generous;
    limits.connections_max = 1;
    rig_begin_with(&rig, &limits);
    warm_up(&rig, &origin);
    peer_close(&origin);
    for (int i = 0; i < 3; i++)
        start(&rig, &watches[i]);
    for (int i = 0; i < 3; i++) {
        expect_request(&rig, &fresh, "fresh");
        peer_send(&fresh, OK("1", "a"));
        PUMP(rig.loop, over(&watches[i]), "in order");
        CHECK_INT(watches[i].n_end, 1, "end");
        forget(&watches[i]);
    }
    CHECK_INT(client_stats(rig.client).connects_total, 2, "connects");
    peer_close(&fresh);
    rig_end(&rig);
}

/* ---- failures to connect */

TEST(refused) {
    struct rig rig;
    struct watch watches[3] = { 0 };
    rig_begin(&rig);
    close(rig.listen_fd);
    for (int i = 0; i < 3; i++)
        start(&rig, &watches[i]);
    for (int i = 0; i < 3; i++) {
        PUMP(rig.loop, over(&watches[i]), "refused");
        CHECK_INT(watches[i].err.code, VSR_E_REFUSED, "code");
        CHECK(!watches[i].connected, "not connected");
        CHECK(str_find(str_from_c(watches[i].err.text), VSR_STR("127.0.0.1:")) >= 0, "names the endpoint");
        forget(&watches[i]);
    }
    CHECK_INT(client_stats(rig.client).connections, 0, "nothing left");
    rig.listen_fd = -1;
    rig_end(&rig);
}

static void check_dns_error(const char *host) {
    struct rig rig;
    struct watch watches[2] = { 0 };
    rig_begin(&rig);
    rig.endpoint = client_endpoint(rig.client, &(struct client_place){ .host = str_from_c(host), .port = 80 });
    start(&rig, &watches[0]);
    start(&rig, &watches[1]);
    for (int i = 0; i < 2; i++) {
        PUMP(rig.loop, over(&watches[i]), host);
        CHECK_INT(watches[i].err.code, VSR_E_DNS, host);
        CHECK(!watches[i].connected, host);
        forget(&watches[i]);
    }
    rig_end(&rig);
}

TEST(names_that_do_not_resolve) {
    check_dns_error("no-such-host.invalid");
    check_dns_error("");
    check_dns_error("two words");
}

TEST(name_that_resolves) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    rig_begin(&rig);
    /* May give ::1 first, where nobody listens: then the next address is tried. */
    rig.endpoint =
        client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("localhost"), .port = rig.port });
    CHECK(client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("LocalHost"), .port = rig.port }) ==
              rig.endpoint,
          "names have no case");
    start(&rig, &watch);
    expect_request(&rig, &origin, "localhost");
    peer_send(&origin, OK("2", "ok"));
    PUMP(rig.loop, over(&watch), "localhost");
    CHECK_INT(watch.n_end, 1, "end");
    peer_close(&origin);
    forget(&watch);
    rig_end(&rig);
}

TEST(freed_while_resolving) {
    struct rig rig;
    struct watch watch = { 0 };
    rig_begin(&rig);
    rig.endpoint =
        client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("no-such-host.invalid"), .port = 80 });
    start(&rig, &watch);
    rig_end(&rig);
    CHECK(!over(&watch), "no event");
    forget(&watch);
}

/* ---- timeouts */

TEST(times_out) {
    static const struct {
        const char *name, *answer;
        struct client_timeouts timeouts;
        int n_head;
    } cases[] = {
        { "first byte", "", { .first_byte_ms = 30 }, 0 },
        { "inside the head", "HTTP/1.1 2", { .first_byte_ms = 30 }, 0 },
        { "between bytes", OK("9", "abc"), { .first_byte_ms = 60000, .idle_ms = 30 }, 1 },
        { "total", OK("9", "abc"), { .total_ms = 30 }, 1 },
        { "total before the head", "", { .first_byte_ms = 60000, .total_ms = 30 }, 0 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct rig rig;
        struct watch watch = { 0 };
        struct peer origin = { 0 };
        rig_begin(&rig);
        start_method(&rig, &watch, "POST", VSR_STR("question"), &cases[i].timeouts);
        PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), cases[i].name);
        peer_send(&origin, cases[i].answer);
        PUMP(rig.loop, over(&watch), cases[i].name);
        CHECK_INT(watch.err.code, VSR_E_TIMEOUT, cases[i].name);
        CHECK_INT(watch.n_head, cases[i].n_head, cases[i].name);
        CHECK(watch.connected, cases[i].name);
        PUMP(rig.loop, peer_gone(&origin), cases[i].name);
        peer_close(&origin);
        forget(&watch);
        rig_end(&rig);
    }
}

/* Neither a head that comes byte by byte nor interim answers move the deadline of the head. */
TEST(trickling_head_times_out) {
    static const char *const pieces[] = { "x: y\r\n", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" };
    static const char *const starts[] = { "HTTP/1.1 200 OK\r\n", "" };
    const struct client_timeouts timeouts = { .first_byte_ms = 100, .idle_ms = 60000 };
    for (size_t i = 0; i < VSR_COUNT(pieces); i++) {
        struct rig rig;
        struct watch watch = { 0 };
        struct peer origin = { 0 };
        uint64_t begin;
        rig_begin(&rig);
        start_method(&rig, &watch, "POST", VSR_STR("question"), &timeouts);
        expect_request(&rig, &origin, "trickle");
        begin = clock_mono_ms();
        peer_send(&origin, starts[i]);
        for (int k = 0; k < 60 && !over(&watch); k++) {
            (void)peer_send_str(&origin, str_from_c(pieces[i]), rig.loop); /* the client may be gone */
            for (uint64_t pause = clock_mono_ms() + 20; clock_mono_ms() < pause && !over(&watch);)
                loop_run_once(rig.loop, 5);
        }
        CHECK(over(&watch), pieces[i]);
        CHECK_INT(watch.err.code, VSR_E_TIMEOUT, pieces[i]);
        CHECK_INT(watch.n_head, 0, pieces[i]);
        CHECK_MSG(clock_mono_ms() - begin >= 90, "case \"%s\": too early", pieces[i]);
        peer_close(&origin);
        forget(&watch);
        rig_end(&rig);
    }
}

/* Waiting in line counts as connecting. */
/* Nobody has failed to be reached: all connections that may be are at work. */
TEST(waiting_times_out) {
    struct rig rig;
    struct watch first = { 0 }, second = { 0 };
    struct peer origin = { 0 };
    struct client_limits limits = generous;
    limits.connections_max = 1;
    limits.connect_timeout_ms = 60;
    rig_begin_with(&rig, &limits);
    start(&rig, &first);
    expect_request(&rig, &origin, "first");
    start(&rig, &second);
    PUMP(rig.loop, over(&second), "waits in vain");
    CHECK_INT(second.err.code, VSR_E_LIMIT, second.err.text);
    CHECK(!second.connected, "never sent");
    CHECK(!over(&first), "the first has time");
    peer_close(&origin);
    PUMP(rig.loop, over(&first), "closed");
    forget(&first);
    forget(&second);
    rig_end(&rig);
}

/* A full backlog swallows the connection attempt. */
TEST(connecting_times_out) {
    struct rig rig;
    struct watch watches[8] = { 0 };
    struct client_limits limits = generous;
    int n_errors = 0;
    limits.connect_timeout_ms = 60;
    rig_begin_with(&rig, &limits);
    CHECK(listen(rig.listen_fd, 0) == 0, "no backlog");
    for (int i = 0; i < 8; i++)
        start(&rig, &watches[i]);
    for (int i = 0; i < 40; i++)
        loop_run_once(rig.loop, 5);
    for (int i = 0; i < 8; i++) {
        n_errors += watches[i].n_error;
        CHECK(!watches[i].n_error || watches[i].err.code == VSR_E_TIMEOUT, "timeout");
        if (!over(&watches[i]))
            cancel(&watches[i]);
        forget(&watches[i]);
    }
    CHECK(n_errors > 0, "some were swallowed");
    rig_end(&rig);
}

/* ---- big bodies and backpressure */

enum { BIG = 16 << 20 };

TEST(big_request) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    char *body = mem_alloc(BIG);
    struct client_timeouts timeouts = { .first_byte_ms = 60000 };
    memset(body, 'q', BIG);
    rig_begin(&rig);
    start_method(&rig, &watch, "POST", str_make(body, BIG), &timeouts);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    PUMP(rig.loop, peer_poll(&origin).len > BIG, "nearly all");
    PUMP(rig.loop, peer_count_char(&origin, 'q') >= BIG, "all");
    peer_send(&origin, OK("2", "ok"));
    PUMP(rig.loop, over(&watch), "end");
    CHECK_INT(watch.n_end, 1, watch.err.text);
    CHECK_INT(client_stats(rig.client).idle, 1, "pooled");
    peer_close(&origin);
    forget(&watch);
    rig_end(&rig);
    mem_free(body);
}

/* The origin answers and closes while the request is still being sent; unread bytes turn its close into a reset. */
TEST(early_answer) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    char *body = mem_alloc(BIG);
    rig_begin(&rig);
    start_method(&rig, &watch, "POST", str_make(body, BIG), &no_hurry);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    pump_turns(rig.loop, 5);
    peer_send(&origin, "HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig");
    peer_close(&origin);
    PUMP(rig.loop, over(&watch), "end");
    CHECK_INT(watch.status, 413, "status");
    CHECK_STR(buf_str(&watch.body), "big", "body");
    CHECK_INT(watch.n_end, 1, "end");
    CHECK_INT(client_stats(rig.client).connections, 0, "not pooled");
    forget(&watch);
    rig_end(&rig);
    mem_free(body);
}

/* An answer to an unfinished request, on a connection that stays open: it must not be pooled. */
TEST(early_answer_without_close) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    char *body = mem_alloc(BIG);
    rig_begin(&rig);
    start_method(&rig, &watch, "POST", str_make(body, BIG), &no_hurry);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    pump_turns(rig.loop, 5);
    peer_send(&origin, OK("2", "no"));
    PUMP(rig.loop, over(&watch), "end");
    CHECK_INT(watch.n_end, 1, "end");
    CHECK_INT(client_stats(rig.client).connections, 0, "not pooled");
    peer_close(&origin);
    forget(&watch);
    rig_end(&rig);
    mem_free(body);
}

static void pause_call(struct watch *watch) {
    client_call_pause(watch->call);
}

static bool send_some(struct peer *peer, const char *bytes, size_t len, size_t *sent) {
    ssize_t n = send(peer->fd, bytes + *sent, len - *sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        *sent += (size_t)n;
    return *sent == len;
}

TEST(paused_answer) {
    struct rig rig;
    struct watch watch = { .act_in = "body", .act = pause_call };
    struct peer origin = { 0 };
    char *body = mem_alloc(BIG);
    size_t sent = 0, stuck;
    struct client_timeouts timeouts = { .idle_ms = 40 };
    memset(body, 'a', BIG);
    rig_begin(&rig);
    start_method(&rig, &watch, "POST", VSR_STR("question"), &timeouts);
    expect_request(&rig, &origin, "pause");
    peer_send(&origin, "HTTP/1.1 200 OK\r\ncontent-length: 16777216\r\n\r\n");
    for (int i = 0; i < 60; i++) {
        send_some(&origin, body, BIG, &sent);
        loop_run_once(rig.loop, 2);
    }
    stuck = watch.body.len;
    CHECK(stuck <= STREAM_READ_LEN, "it stopped");
    CHECK(sent < BIG, "the origin feels it");
    CHECK(!over(&watch), "a paused call does not time out");
    while (!over(&watch)) {
        send_some(&origin, body, BIG, &sent);
        loop_run_once(rig.loop, 1);
        if (watch.call)
            client_call_resume(watch.call);
    }
    CHECK_INT(watch.n_end, 1, "end");
    CHECK_INT(watch.body.len, BIG, "every byte");
    CHECK_INT(client_stats(rig.client).idle, 1, "pooled");
    peer_close(&origin);
    forget(&watch);
    rig_end(&rig);
    mem_free(body);
}

/* Everything, with its end and the connection's, has come while the call was paused. */
TEST(paused_until_the_end) {
    static const char *const all[] = { OK("5", "hello"), "HTTP/1.1 200 OK\r\n\r\nhello",
                                       "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" };
    for (size_t i = 0; i < VSR_COUNT(all); i++) {
        struct rig rig;
        struct watch watch = { .act_in = "head", .act = pause_call };
        struct peer origin = { 0 };
        rig_begin(&rig);
        start(&rig, &watch);
        expect_request(&rig, &origin, all[i]);
        peer_send(&origin, all[i]);
        peer_close(&origin);
        for (int k = 0; k < 10; k++)
            loop_run_once(rig.loop, 1);
        CHECK_INT(watch.n_head, 1, all[i]);
        CHECK_INT(watch.body.len, 0, all[i]);
        CHECK(!over(&watch), all[i]);
        client_call_resume(watch.call);
        CHECK_INT(watch.body.len, 0, "not inside resume");
        PUMP(rig.loop, over(&watch), all[i]);
        CHECK_INT(watch.n_end, 1, all[i]);
        CHECK_STR(buf_str(&watch.body), "hello", all[i]);
        forget(&watch);
        rig_end(&rig);
    }
}

/* ---- cancelling */

TEST(cancel_in_every_event) {
    static const char *const names[] = { "sent", "head", "body", "end", "error" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct rig rig;
        struct watch watch = { .act_in = names[i], .act = cancel };
        struct peer origin = { 0 };
        rig_begin(&rig);
        start(&rig, &watch);
        PUMP(rig.loop, watch.cancelled || peer_accept(&origin, rig.listen_fd), names[i]);
        if (origin.fd > 0)
            peer_send(&origin, strcmp(names[i], "error") == 0 ? "BAD\r\n\r\n" : OK("3", "abc"));
        PUMP(rig.loop, watch.cancelled, names[i]);
        for (int k = 0; k < 5; k++)
            loop_run_once(rig.loop, 1);
        CHECK_INT(client_stats(rig.client).connections, client_stats(rig.client).idle, "nothing busy");
        if (origin.fd > 0)
            peer_close(&origin);
        forget(&watch);
        rig_end(&rig);
    }
}

TEST(cancel_at_every_stage) {
    for (int turns = 0; turns < 12; turns++) {
        struct rig rig;
        struct watch watch = { 0 }, waiting = { 0 };
        struct peer origin = { 0 };
        struct client_limits limits = generous;
        limits.connections_max = 1;
        rig_begin_with(&rig, &limits);
        start(&rig, &watch);
        start(&rig, &waiting);
        for (int i = 0; i < turns && !over(&watch); i++) {
            loop_run_once(rig.loop, 1);
            if (origin.fd <= 0)
                (void)peer_accept(&origin, rig.listen_fd);
            if (i == 6 && origin.fd > 0)
                peer_send(&origin, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe");
        }
        cancel(&watch);
        if (turns % 2)
            cancel(&waiting);
        for (int i = 0; i < 5; i++)
            loop_run_once(rig.loop, 1);
        CHECK_INT(client_stats(rig.client).pending, 0, "nobody waits");
        if (origin.fd > 0)
            peer_close(&origin);
        forget(&watch);
        forget(&waiting);
        rig_end(&rig);
    }
    client_call_cancel(NULL);
}

TEST(cancel_before_a_refusal_is_told) {
    struct rig rig;
    struct watch busy = { 0 }, refused_call = { 0 }, told = { 0 };
    struct client_limits limits = generous;
    limits.connections_max = 1;
    limits.pending_max = 0;
    rig_begin_with(&rig, &limits);
    start(&rig, &busy);
    start(&rig, &refused_call);
    start(&rig, &told);
    cancel(&refused_call);
    PUMP(rig.loop, over(&told), "told");
    CHECK_INT(told.err.code, VSR_E_LIMIT, "limit");
    cancel(&busy);
    forget(&told);
    forget(&busy);
    forget(&refused_call);
    rig_end(&rig);
}

/* ---- new calls inside events */

struct chain {
    struct rig *rig;
    struct watch *next;
};

static void start_next(struct watch *watch) {
    struct chain *chain = watch->act_data;
    start(chain->rig, chain->next);
}

TEST(start_inside_events) {
    static const char *const names[] = { "end", "error", "head" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct rig rig;
        struct watch second = { 0 };
        struct chain chain = { &rig, &second };
        struct watch first = { .act_in = names[i], .act = start_next, .act_data = &chain };
        struct peer origin = { 0 }, other = { 0 };
        rig_begin(&rig);
        start(&rig, &first);
        expect_request(&rig, &origin, names[i]);
        peer_send(&origin, strcmp(names[i], "error") == 0 ? "BAD\r\n\r\n" : OK("1", "a"));
        PUMP(rig.loop, over(&first), names[i]);
        if (strcmp(names[i], "end") == 0) {
            expect_request(&rig, &origin, "on the same connection");
            peer_send(&origin, OK("1", "b"));
        } else {
            /* Inside "head" the first connection is busy; it ends first and takes the call that waits for another. */
            bool first_free = strcmp(names[i], "head") == 0;
            PUMP(rig.loop, peer_accept(&other, rig.listen_fd), names[i]);
            PUMP(rig.loop, peer_has(first_free ? &origin : &other, "question"), names[i]);
            peer_send(first_free ? &origin : &other, OK("1", "b"));
        }
        PUMP(rig.loop, over(&second), names[i]);
        CHECK_INT(second.n_end, 1, names[i]);
        CHECK_STR(buf_str(&second.body), "b", names[i]);
        peer_close(&origin);
        if (other.fd > 0)
            peer_close(&other);
        forget(&first);
        forget(&second);
        rig_end(&rig);
    }
}

/* ---- against our own server: many at once, and TLS */

static void *echo_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    (void)app;
    (void)head;
    return exchange;
}

static void echo_body(void *request, vsr_str bytes) {
    struct exchange *exchange = request;
    if (!exchange_head_sent(exchange))
        exchange_head(exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
    exchange_body(exchange, bytes);
}

static void echo_end(void *request) {
    struct exchange *exchange = request;
    if (!exchange_head_sent(exchange))
        exchange_head(exchange, 200, NULL, 0, EXCHANGE_LENGTH_UNKNOWN);
    exchange_end(exchange);
}

static void echo_close(void *request, enum exchange_outcome how) {
    (void)request;
    (void)how;
}

static const struct server_handler echo = {
    .on_request = echo_request,
    .on_body = echo_body,
    .on_end = echo_end,
    .on_close = echo_close,
};

static const struct server_limits echo_limits = {
    .head_timeout_ms = 60000,
    .body_timeout_ms = 60000,
    .idle_timeout_ms = 60000,
    .write_timeout_ms = 60000,
    .connections_max = 4000,
};

static struct server *echo_server(struct rig *rig, struct tls_server *tls, uint16_t *port) {
    struct vsr_err err = VSR_ERR_NONE;
    struct server *server = NULL;
    CHECK_MSG(server_new(rig->loop, &echo, NULL, &echo_limits, &server, &err) == 0, "%s", err.text);
    CHECK_MSG(server_listen_tls(server, VSR_STR("127.0.0.1"), 0, tls, NULL, port, &err) == 0, "%s", err.text);
    return server;
}

enum { MANY = 1000 };

TEST(many_calls) {
    static struct watch watches[MANY];
    struct rig rig;
    struct server *server;
    uint16_t port;
    rig_begin(&rig);
    server = echo_server(&rig, NULL, &port);
    rig.endpoint = client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = port });
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            start(&rig, &watches[i]);
        for (int i = 0; i < MANY; i++) {
            PUMP(rig.loop, over(&watches[i]), "many");
            CHECK_INT(watches[i].n_end, 1, watches[i].err.text);
            CHECK_STR(buf_str(&watches[i].body), "question", "many");
            forget(&watches[i]);
        }
    }
    CHECK_INT(client_stats(rig.client).connects_total, MANY, "connections are reused");
    CHECK_INT(server_stats(server).requests_total, 3 * MANY, "requests");
    server_free(server);
    rig_end(&rig);
}

struct tls_case {
    const char *name, *host;
    bool trusts, insecure;
    int code;
    const char *server_name; /* NULL: the host */
};

static void tls_talk(const struct tls_case *c, const char *dir, struct tls_server *tls_server, vsr_str body) {
    struct rig rig;
    struct watch watch = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_client *tls = NULL;
    struct server *server;
    uint16_t port;
    char ca[256];
    struct tls_client_options options = { .insecure = c->insecure };
    if (c->trusts)
        options.ca_file = in_dir(dir, "ca.pem", ca, sizeof(ca));
    CHECK_MSG(tls_client_new(&options, &tls, &err) == 0, "%s", err.text);
    rig_begin(&rig);
    server = echo_server(&rig, tls_server, &port);
    rig.endpoint =
        client_endpoint(rig.client,
                        &(struct client_place){ .host = str_from_c(c->host),
                                                .port = port,
                                                .tls = tls,
                                                .server_name = str_from_c(c->server_name ? c->server_name : "") });
    for (int i = 0; i < 3; i++) {
        start_method(&rig, &watch, "POST", body, &no_hurry);
        PUMP(rig.loop, over(&watch), c->name);
        CHECK_MSG(watch.err.code == c->code, "case \"%s\": %d %s", c->name, watch.err.code, watch.err.text);
        if (c->code == 0)
            CHECK(str_eq(buf_str(&watch.body), body), c->name);
        forget(&watch);
    }
    if (c->code == 0)
        CHECK_INT(client_stats(rig.client).connects_total, 1, c->name);
    server_free(server);
    rig_end(&rig);
    tls_client_free(tls);
}

TEST(tls) {
    static const struct tls_case cases[] = {
        { "by address", "127.0.0.1", true, false, 0 },
        { "by name", "localhost", true, false, 0 },
        { "unknown authority", "127.0.0.1", false, false, VSR_E_TLS },
        /* Where the name has another address too, nobody listens there, which is not what is wrong. */
        { "unknown authority by name", "localhost", false, false, VSR_E_TLS },
        { "wrong name", "127.0.0.2", true, false, VSR_E_TLS },
        { "another name than asked for", "127.0.0.1", true, false, VSR_E_TLS, "other.example" },
        { "not verified", "127.0.0.1", false, true, 0 },
    };
    char dir[64], cert[256], key[256];
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_server *tls_server = NULL;
    char *big = mem_alloc(3 << 20);
    if (!make_certificates(dir, sizeof(dir))) {
        mem_free(big);
        skip(); /* no openssl command */
    }
    memset(big, 't', 3 << 20);
    CHECK_MSG(tls_server_new(&(struct tls_server_options){ .cert_file = in_dir(dir, "server.pem", cert, sizeof(cert)),
                                                           .key_file = in_dir(dir, "server.key", key, sizeof(key)) },
                             &tls_server, &err) == 0,
              "%s", err.text);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        if (strcmp(cases[i].host, "127.0.0.2") == 0)
            continue; /* the server listens on 127.0.0.1 only; below */
        tls_talk(&cases[i], dir, tls_server, VSR_STR("question"));
    }
    tls_talk(&cases[0], dir, tls_server, str_make(big, 3 << 20));
    tls_server_unref(tls_server);
    mem_free(big);
    remove_certificates(dir);
}

/* The certificate is good and the authority known, but it names somebody else. */
TEST(tls_wrong_name) {
    char dir[64], cert[256], key[256], ca[256];
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_server *tls_server = NULL;
    struct tls_client *tls = NULL;
    struct server *server = NULL;
    struct rig rig;
    struct watch watch = { 0 };
    uint16_t port;
    if (!make_certificates(dir, sizeof(dir)))
        skip();
    CHECK_MSG(tls_server_new(&(struct tls_server_options){ .cert_file = in_dir(dir, "server.pem", cert, sizeof(cert)),
                                                           .key_file = in_dir(dir, "server.key", key, sizeof(key)) },
                             &tls_server, &err) == 0,
              "%s", err.text);
    CHECK(tls_client_new(&(struct tls_client_options){ .ca_file = in_dir(dir, "ca.pem", ca, sizeof(ca)) }, &tls,
                         &err) == 0,
          "client");
    rig_begin(&rig);
    CHECK(server_new(rig.loop, &echo, NULL, &echo_limits, &server, &err) == 0, "server");
    CHECK(server_listen_tls(server, VSR_STR("127.0.0.2"), 0, tls_server, NULL, &port, &err) == 0, err.text);
    rig.endpoint =
        client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.2"), .port = port, .tls = tls });
    start(&rig, &watch);
    PUMP(rig.loop, over(&watch), "wrong name");
    CHECK_INT(watch.err.code, VSR_E_TLS, watch.err.text);
    CHECK(str_find(str_from_c(watch.err.text), VSR_STR("mismatch")) >= 0, watch.err.text);
    forget(&watch);
    /* The same address under the name that the certificate has. */
    rig.endpoint = client_endpoint(rig.client, &(struct client_place){ .host = VSR_STR("127.0.0.2"),
                                                                       .port = port,
                                                                       .tls = tls,
                                                                       .server_name = VSR_STR("localhost") });
    start(&rig, &watch);
    PUMP(rig.loop, over(&watch), "own name");
    CHECK_INT(watch.n_end, 1, watch.err.text);
    forget(&watch);
    server_free(server);
    rig_end(&rig);
    tls_client_free(tls);
    tls_server_unref(tls_server);
    remove_certificates(dir);
}

/* Plain text where TLS is spoken, and the other way round. */
TEST(tls_mistaken) {
    struct rig rig;
    struct watch watch = { 0 };
    struct peer origin = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_client *tls = NULL;
    CHECK(tls_client_new(&(struct tls_client_options){ .insecure = true }, &tls, &err) == 0, "client");
    rig_begin(&rig);
    rig.endpoint =
        client_endpoint(rig.client,
                        &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = rig.port, .tls = tls });
    start(&rig, &watch);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    peer_send(&origin, "HTTP/1.1 400 Bad Request\r\n\r\n");
    PUMP(rig.loop, over(&watch), "error");
    CHECK_INT(watch.err.code, VSR_E_TLS, "TLS");
    CHECK(!watch.connected, "not sent");
    peer_close(&origin);
    forget(&watch);
    start(&rig, &watch);
    PUMP(rig.loop, peer_accept(&origin, rig.listen_fd), "accept");
    peer_close(&origin);
    PUMP(rig.loop, over(&watch), "closed in the handshake");
    CHECK_INT(watch.err.code, VSR_E_TLS, "TLS");
    forget(&watch);
    rig_end(&rig);
    tls_client_free(tls);
}

TEST(tls_bad_files) {
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_server *server = NULL;
    struct tls_client *client = NULL;
    CHECK(tls_server_new(&(struct tls_server_options){ .cert_file = VSR_STR("/no/such/file"),
                                                       .key_file = VSR_STR("/no/such/file") },
                         &server, &err) < 0,
          "server");
    CHECK(str_find(str_from_c(err.text), VSR_STR("/no/such/file")) >= 0, err.text);
    CHECK(tls_client_new(&(struct tls_client_options){ .ca_file = VSR_STR("/no/such/file") }, &client, &err) < 0,
          "client");
    CHECK(server == NULL && client == NULL, "written only on success");
    tls_server_unref(NULL);
    tls_client_free(NULL);
}

RUN_TESTS(T(all_answers), T(all_answers_byte_by_byte), T(answer_cut_everywhere), T(request_on_the_wire), T(reuse),
          T(unix_socket), T(proxy_passes_on), T(proxy_opens_no_way), T(references), T(stale_connection),
          T(reset_after_the_request_is_an_error), T(reset_inside_the_request_is_resent),
          T(stale_after_the_first_byte_is_an_error), T(unsolicited_bytes), T(idle_connections_are_dropped),
          T(limits_and_the_waiting_line), T(connecting_calls_do_not_queue), T(stale_at_the_limit), T(refused),
          T(names_that_do_not_resolve), T(name_that_resolves), T(freed_while_resolving), T(times_out),
          T(trickling_head_times_out), T(waiting_times_out), T(connecting_times_out), T(big_request), T(early_answer),
          T(early_answer_without_close), T(paused_answer), T(paused_until_the_end), T(cancel_in_every_event),
          T(cancel_at_every_stage), T(cancel_before_a_refusal_is_told), T(start_inside_events), T(many_calls), T(tls),
          T(tls_wrong_name), T(tls_mistaken), T(tls_bad_files))
