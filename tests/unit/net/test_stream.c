#include "net/stream.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/un.h>

#include "certificates.h"
#include "core/mem.h"
#include "net/tls.h"
#include "peer.h"

/* One end of a connection and what it saw. */
struct side {
    struct stream *stream;
    struct buf got;
    int n_open, n_eof, n_drain, n_error, n_hangup;
    struct vsr_err err;
    const char *close_in; /* closes the stream inside this event */
    bool pause_in_read;
};

struct pair {
    struct loop *loop;
    struct side a, b; /* a connects, b accepts */
    int listen_fd;
    uint16_t port;
};

static void close_if(struct side *side, const char *event) {
    if (!side->close_in || strcmp(side->close_in, event) != 0)
        return;
    stream_close(side->stream);
    side->stream = NULL;
}

static void on_open(void *owner) {
    struct side *side = owner;
    side->n_open++;
    close_if(side, "open");
}

static void on_read(void *owner, vsr_str bytes) {
    struct side *side = owner;
    CHECK(bytes.len > 0 && bytes.len <= STREAM_READ_LEN, "a slice");
    buf_append(&side->got, bytes);
    if (side->pause_in_read)
        stream_pause(side->stream);
    close_if(side, "read");
}

static void on_eof(void *owner) {
    struct side *side = owner;
    side->n_eof++;
    close_if(side, "eof");
}

static void on_drain(void *owner) {
    struct side *side = owner;
    side->n_drain++;
    close_if(side, "drain");
}

static void on_error(void *owner, const struct vsr_err *err) {
    struct side *side = owner;
    side->n_error++;
    side->err = *err;
    close_if(side, "error");
}

static void on_hangup(void *owner) {
    struct side *side = owner;
    side->n_hangup++;
    close_if(side, "hangup");
}

static const struct stream_events events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_eof = on_eof,
    .on_drain = on_drain,
    .on_error = on_error,
};

static const struct stream_events watchful = {
    .on_open = on_open,
    .on_read = on_read,
    .on_eof = on_eof,
    .on_drain = on_drain,
    .on_error = on_error,
    .on_hangup = on_hangup,
};

static struct tls_server *tls_server; /* NULL: plain */
static struct tls_client *tls_client;

static void pair_begin(struct pair *pair, const struct stream_events *b_events) {
    struct vsr_err err = VSR_ERR_NONE;
    struct sockaddr_in addr;
    int fd = -1;
    *pair = (struct pair){ 0 };
    buf_init(&pair->a.got, PEER_GOT_MAX);
    buf_init(&pair->b.got, PEER_GOT_MAX);
    CHECK(loop_new(&pair->loop, &err) == 0, err.text);
    pair->listen_fd = peer_listen(&pair->port);
    addr = peer_addr(pair->port);
    CHECK(stream_connect(pair->loop, (struct sockaddr *)&addr, tls_client, VSR_STR("127.0.0.1"), &events, &pair->a,
                         &pair->a.stream, &err) == 0,
          err.text);
    CHECK_INT(pair->a.n_open, 0, "not inside the call");
    PUMP(pair->loop, (fd = accept4(pair->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0, "accept");
    CHECK(stream_accept(pair->loop, fd, tls_server, b_events, &pair->b, &pair->b.stream, &err) == 0, err.text);
    PUMP(pair->loop, pair->a.n_open == 1 && pair->b.n_open == (tls_server ? 1 : 0), "open");
}

static void pair_end(struct pair *pair) {
    stream_close(pair->a.stream);
    stream_close(pair->b.stream);
    close(pair->listen_fd);
    loop_free(pair->loop);
    buf_done(&pair->a.got);
    buf_done(&pair->b.got);
}

enum { BIG = 6 << 20 };

static char *big_bytes(void) {
    char *bytes = mem_alloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    return bytes;
}

static void both_ways(void) {
    struct pair pair;
    char *bytes = big_bytes();
    pair_begin(&pair, &events);
    CHECK_STR(stream_peer(pair.b.stream), "127.0.0.1", "peer");
    stream_write(pair.a.stream, VSR_STR("ping"));
    stream_write2(pair.a.stream, VSR_STR(""), VSR_STR("!"));
    PUMP(pair.loop, pair.b.got.len == 5, "ping");
    CHECK_STR(buf_str(&pair.b.got), "ping!", "ping");
    stream_writev(pair.b.stream, (vsr_str[]){ VSR_STR("po"), str_make(bytes, BIG), VSR_STR("ng") }, 3);
    CHECK(stream_queued(pair.b.stream) > 0, "more than the socket takes");
    stream_write(pair.b.stream, VSR_STR("."));
    PUMP(pair.loop, pair.b.n_drain == 1, "drain");
    CHECK_INT(stream_queued(pair.b.stream), 0, "empty");
    CHECK_INT(stream_written(pair.b.stream), BIG + 5, "written");
    PUMP(pair.loop, pair.a.got.len == BIG + 5, "big");
    CHECK(memcmp(pair.a.got.ptr + 2, bytes, BIG) == 0, "exact");
    CHECK_STR(str_sub(buf_str(&pair.a.got), BIG + 2, BIG + 5), "ng.", "order");
    mem_free(bytes);
    pair_end(&pair);
}

/* Everything queued arrives before the FIN, and the other direction stays open. */
static void half_close(void) {
    struct pair pair;
    char *bytes = big_bytes();
    pair_begin(&pair, &events);
    stream_write(pair.a.stream, str_make(bytes, BIG));
    stream_shutdown(pair.a.stream);
    stream_write(pair.a.stream, VSR_STR("too late"));
    PUMP(pair.loop, pair.b.n_eof == 1, "eof");
    CHECK_INT(pair.b.got.len, BIG, "all");
    stream_write(pair.b.stream, VSR_STR("answer"));
    PUMP(pair.loop, pair.a.got.len == 6, "answer");
    CHECK_INT(pair.a.n_eof + pair.a.n_error, 0, "still open");
    stream_shutdown(pair.b.stream);
    PUMP(pair.loop, pair.a.n_eof == 1, "eof");
    mem_free(bytes);
    pair_end(&pair);
}

static void pauses(void) {
    struct pair pair;
    char *bytes = big_bytes();
    pair_begin(&pair, &events);
    pair.b.pause_in_read = true;
    stream_write(pair.a.stream, str_make(bytes, BIG));
    for (int i = 0; i < 30; i++)
        loop_run_once(pair.loop, 1);
    CHECK(pair.b.got.len > 0 && pair.b.got.len <= STREAM_READ_LEN, "one slice");
    CHECK(stream_paused(pair.b.stream), "paused");
    CHECK(stream_queued(pair.a.stream) > 0, "the writer feels it");
    while (pair.b.got.len < BIG) {
        size_t before = pair.b.got.len;
        stream_resume(pair.b.stream);
        CHECK_INT(pair.b.got.len, before, "not inside resume");
        PUMP(pair.loop, pair.b.got.len > before, "next slice");
    }
    CHECK(memcmp(pair.b.got.ptr, bytes, BIG) == 0, "exact");
    /* A stream that was paused sees the end like any other. */
    stream_resume(pair.b.stream);
    pair.b.pause_in_read = false;
    for (int i = 0; i < 5; i++)
        loop_run_once(pair.loop, 1);
    stream_pause(pair.b.stream);
    stream_write(pair.a.stream, VSR_STR("x"));
    for (int i = 0; i < 5; i++)
        loop_run_once(pair.loop, 1);
    stream_resume(pair.b.stream);
    PUMP(pair.loop, pair.b.got.len == BIG + 1, "last");
    stream_close(pair.a.stream);
    pair.a.stream = NULL;
    PUMP(pair.loop, pair.b.n_eof + pair.b.n_error == 1, "end");
    mem_free(bytes);
    pair_end(&pair);
}

static void hangs_up(void) {
    for (int unread = 0; unread < 2; unread++) {
        struct pair pair;
        pair_begin(&pair, &watchful);
        stream_pause(pair.b.stream);
        if (unread)
            stream_write(pair.a.stream, VSR_STR("unread"));
        for (int i = 0; i < 5; i++)
            loop_run_once(pair.loop, 1);
        CHECK_INT(pair.b.n_hangup, 0, "not yet");
        stream_close(pair.a.stream);
        pair.a.stream = NULL;
        PUMP(pair.loop, pair.b.n_hangup == 1, "hangup");
        for (int i = 0; i < 5; i++)
            loop_run_once(pair.loop, 1);
        CHECK_INT(pair.b.n_hangup, 1, "once");
        CHECK_INT(pair.b.got.len, 0, "nothing was read");
        stream_resume(pair.b.stream);
        PUMP(pair.loop, pair.b.n_eof + pair.b.n_error == 1, "end");
        CHECK_STR(buf_str(&pair.b.got), unread ? "unread" : "", "what was left");
        pair_end(&pair);
    }
}

static void closes_inside(const char *event) {
    struct pair pair;
    char *bytes = big_bytes();
    pair_begin(&pair, &watchful);
    pair.b.close_in = event;
    if (strcmp(event, "drain") == 0)
        stream_write(pair.b.stream, str_make(bytes, BIG));
    else if (strcmp(event, "read") == 0)
        stream_write(pair.a.stream, str_make(bytes, BIG));
    else if (strcmp(event, "eof") == 0)
        stream_shutdown(pair.a.stream);
    else if (strcmp(event, "hangup") == 0)
        stream_pause(pair.b.stream);
    if (strcmp(event, "hangup") == 0 || strcmp(event, "error") == 0) {
        stream_write(pair.b.stream, str_make(bytes, BIG)); /* unread bytes make the close a reset */
        for (int i = 0; i < 3; i++)
            loop_run_once(pair.loop, 1);
        stream_close(pair.a.stream);
        pair.a.stream = NULL;
    }
    PUMP(pair.loop, pair.b.stream == NULL || pair.b.n_eof > 0, event);
    mem_free(bytes);
    pair_end(&pair);
}

static void closes_inside_events(void) {
    static const char *const names[] = { "read", "eof", "drain", "error", "hangup" };
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        closes_inside(names[i]);
}

static void closes_gracefully(void) {
    struct pair pair;
    char *bytes = big_bytes();
    pair_begin(&pair, &events);
    stream_write(pair.a.stream, str_make(bytes, BIG));
    stream_close_gracefully(pair.a.stream, 60000);
    pair.a.stream = NULL;
    stream_write(pair.b.stream, str_make(bytes, BIG)); /* nobody reads this */
    PUMP(pair.loop, pair.b.n_eof == 1, "eof");
    CHECK_INT(pair.b.got.len, BIG, "everything queued has come");
    CHECK(memcmp(pair.b.got.ptr, bytes, BIG) == 0, "exact");
    stream_close(pair.b.stream);
    pair.b.stream = NULL;
    PUMP(pair.loop, !loop_run_once(pair.loop, 0), "gone");
    pair_end(&pair);
    /* A peer that does not close is left after a while. */
    pair_begin(&pair, &events);
    stream_close_gracefully(pair.a.stream, 20);
    pair.a.stream = NULL;
    PUMP(pair.loop, pair.b.n_eof == 1, "eof");
    for (int i = 0; i < 20; i++)
        loop_run_once(pair.loop, 5);
    stream_write(pair.b.stream, VSR_STR("hello?"));
    PUMP(pair.loop, (stream_write(pair.b.stream, VSR_STR("?")), pair.b.n_error == 1), "nobody there");
    mem_free(bytes);
    pair_end(&pair);
}

/* A reset does not swallow what the peer had said before. */
static void last_words(void) {
    struct pair pair;
    char *bytes = big_bytes();
    pair_begin(&pair, &events);
    stream_write(pair.a.stream, str_make(bytes, BIG)); /* b never reads it all */
    stream_pause(pair.b.stream);
    for (int i = 0; i < 5; i++)
        loop_run_once(pair.loop, 1);
    stream_write(pair.b.stream, VSR_STR("last words"));
    stream_close(pair.b.stream);
    pair.b.stream = NULL;
    PUMP(pair.loop, pair.a.n_error == 1, "error");
    CHECK_STR(buf_str(&pair.a.got), "last words", "heard");
    CHECK_INT(pair.a.err.code, VSR_E_CLOSED, pair.a.err.text);
    mem_free(bytes);
    pair_end(&pair);
}

static size_t memory_in_use(void) {
    struct mallinfo2 info = mallinfo2(); /* zeros under a sanitizer */
    return info.uordblks + info.hblkhd;
}

/* A queue that never runs empty forgets what has been sent. */
static void never_drains(void) {
    enum { QUEUE = 8 << 20, TOTAL = 96 << 20 };
    struct pair pair;
    char *bytes = big_bytes();
    size_t before;
    pair_begin(&pair, &events);
    before = memory_in_use();
    while (stream_written(pair.b.stream) < TOTAL) {
        while (stream_queued(pair.b.stream) < QUEUE)
            stream_write(pair.b.stream, str_make(bytes, 1 << 20));
        loop_run_once(pair.loop, 10);
        buf_reset(&pair.a.got);
    }
    CHECK_INT(pair.b.n_drain, 0, "never empty");
    CHECK_MSG(memory_in_use() < before + 5 * QUEUE, "%zu bytes more", memory_in_use() - before);
    mem_free(bytes);
    pair_end(&pair);
}

static void all_of_it(void) {
    never_drains();
    both_ways();
    half_close();
    pauses();
    hangs_up();
    closes_inside_events();
    closes_gracefully();
    last_words();
}

TEST(plain) {
    all_of_it();
}

TEST(over_tls) {
    char dir[64], cert[256], key[256], ca[256];
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_client_options options;
    if (!make_certificates(dir, sizeof(dir)))
        skip();
    options = (struct tls_client_options){ .ca_file = in_dir(dir, "ca.pem", ca, sizeof(ca)) };
    CHECK(tls_server_new(&(struct tls_server_options){ .cert_file = in_dir(dir, "server.pem", cert, sizeof(cert)),
                                                       .key_file = in_dir(dir, "server.key", key, sizeof(key)) },
                         &tls_server, &err) == 0,
          err.text);
    CHECK(tls_client_new(&options, &tls_client, &err) == 0, err.text);
    all_of_it();
    tls_server_unref(tls_server);
    tls_client_free(tls_client);
    tls_server = NULL;
    tls_client = NULL;
    remove_certificates(dir);
}

TEST(refused) {
    struct side side = { 0 };
    struct loop *loop = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port;
    int fd = peer_listen(&port);
    struct sockaddr_in addr = peer_addr(port);
    close(fd);
    CHECK(loop_new(&loop, &err) == 0, err.text);
    if (stream_connect(loop, (struct sockaddr *)&addr, NULL, VSR_STR(""), &events, &side, &side.stream, &err) == 0) {
        stream_write(side.stream, VSR_STR("written before it is open"));
        PUMP(loop, side.n_error == 1, "refused");
        CHECK_INT(side.err.code, VSR_E_REFUSED, side.err.text);
    } else {
        CHECK_INT(err.code, VSR_E_REFUSED, err.text);
    }
    stream_close(side.stream);
    stream_close(NULL);
    loop_free(loop);
}

/* Bytes written while connecting leave when the connection is there. */
TEST(early_write) {
    struct side side = { 0 };
    struct peer peer = { 0 };
    struct loop *loop = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port;
    int fd = peer_listen(&port);
    struct sockaddr_in addr = peer_addr(port);
    CHECK(loop_new(&loop, &err) == 0, err.text);
    CHECK(stream_connect(loop, (struct sockaddr *)&addr, NULL, VSR_STR(""), &events, &side, &side.stream, &err) == 0,
          err.text);
    stream_write(side.stream, VSR_STR("early"));
    stream_shutdown(side.stream);
    PUMP(loop, peer_accept(&peer, fd), "accept");
    PUMP(loop, peer_gone(&peer), "eof");
    CHECK(peer_has(&peer, "early"), "bytes");
    peer_close(&peer);
    stream_close(side.stream);
    close(fd);
    loop_free(loop);
}

/* A burst of connections beyond the backlog of a Unix socket waits, as it would with TCP, until the server takes them.
 */
TEST(full_backlog) {
    enum { N = 12 };
    struct side sides[N] = { 0 };
    struct peer peers[N] = { 0 };
    struct loop *loop = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    char dir[] = "/tmp/vsr-backlog-XXXXXX";
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n_open = 0, n_accepted = 0;
    CHECK(mkdtemp(dir) != NULL, "directory");
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 1) == 0, "listen");
    CHECK(loop_new(&loop, &err) == 0, err.text);
    for (int i = 0; i < N; i++) {
        CHECK(stream_connect(loop, (struct sockaddr *)&addr, NULL, VSR_STR(""), &events, &sides[i], &sides[i].stream,
                             &err) == 0,
              err.text);
        stream_write(sides[i].stream, VSR_STR("early"));
    }
    pump_turns(loop, 10);
    for (int i = 0; i < N; i++)
        n_open += sides[i].n_open;
    CHECK(n_open > 0 && n_open < N - 1, "some wait");
    stream_close(sides[N - 1].stream); /* waiting; nothing comes of it */
    while (n_accepted < N - 1) {
        PUMP(loop, peer_accept(&peers[n_accepted], fd), "accept");
        PUMP(loop, peer_has(&peers[n_accepted], "early"), "bytes");
        n_accepted++;
    }
    for (int i = 0; i < N; i++) {
        CHECK_INT(sides[i].n_error, 0, sides[i].err.text);
        CHECK_INT(sides[i].n_open, i < N - 1, "open");
    }
    for (int i = 0; i < N - 1; i++) {
        stream_close(sides[i].stream);
        peer_close(&peers[i]);
    }
    close(fd);
    loop_free(loop);
    CHECK(unlink(addr.sun_path) == 0 && rmdir(dir) == 0, "clean up");
}

/* The server goes while somebody waits for its backlog. */
TEST(full_backlog_ends) {
    enum { N = 4 };
    struct side sides[N] = { 0 };
    struct loop *loop = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    char dir[] = "/tmp/vsr-backlog-XXXXXX";
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(mkdtemp(dir) != NULL, "directory");
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 0) == 0, "listen");
    CHECK(loop_new(&loop, &err) == 0, err.text);
    for (int i = 0; i < N; i++)
        CHECK(stream_connect(loop, (struct sockaddr *)&addr, NULL, VSR_STR(""), &events, &sides[i], &sides[i].stream,
                             &err) == 0,
              err.text);
    pump_turns(loop, 10);
    CHECK_INT(sides[N - 1].n_open + sides[N - 1].n_error, 0, "waits");
    close(fd);
    PUMP(loop, sides[N - 1].n_error == 1, "refused");
    CHECK_INT(sides[N - 1].err.code, VSR_E_REFUSED, sides[N - 1].err.text);
    CHECK_INT(sides[N - 1].n_open, 0, "never open");
    for (int i = 0; i < N; i++)
        stream_close(sides[i].stream);
    loop_free(loop);
    CHECK(unlink(addr.sun_path) == 0 && rmdir(dir) == 0, "clean up");
}

RUN_TESTS(T(plain), T(over_tls), T(refused), T(early_write), T(full_backlog), T(full_backlog_ends))
