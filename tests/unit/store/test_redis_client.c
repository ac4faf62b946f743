#include "store/redis_client.h"

#include "core/buf.h"
#include "net/loop.h"
#include "net/tls.h"
#include "server.h"
#include "store/counter_store.h"

enum { WAIT_MS_MAX = 30000 };

#define PUMP(loop, cond, name) \
    do { \
        uint64_t pump_end_ = clock_mono_ms() + WAIT_MS_MAX; \
        while (!(cond)) { \
            CHECK_MSG(clock_mono_ms() < pump_end_, "case \"%s\": waited in vain for %s", (name), #cond); \
            loop_run_once((loop), 2); \
        } \
    } while (0)

static struct loop *make_loop(void) {
    struct vsr_err err = VSR_ERR_NONE;
    struct loop *loop;
    CHECK(loop_new(&loop, &err) == 0, err.text);
    loop_run_once(loop, 0);
    return loop;
}

/* ---- addresses */

TEST(addresses) {
    static const struct {
        const char *text, *host;
        int port;
    } cases[] = {
        { "localhost:6380", "localhost", 6380 },
        { "redis", "redis", 6379 },
        { "[::1]:7000", "::1", 7000 },
        { "[::1]", "::1", 6379 },
        { "10.0.0.1:1", "10.0.0.1", 1 },
        { "", NULL, 0 },
        { "a:", NULL, 0 },
        { ":6379", NULL, 0 },
        { "a:0", NULL, 0 },
        { "a:65536", NULL, 0 },
        { "a:b", NULL, 0 },
        { "::1", NULL, 0 },
        { "[::1", NULL, 0 },
        { "[::1]7", NULL, 0 },
        { "[::1]:", NULL, 0 },
        { "redis://a:6379", NULL, 0 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str host = { 0 };
        uint16_t port = 0;
        bool ok = redis_address_parse(str_from_c(cases[i].text), &host, &port);
        CHECK_INT(ok, cases[i].host != NULL, cases[i].text);
        if (ok) {
            CHECK_STR(host, cases[i].host, cases[i].text);
            CHECK_INT(port, cases[i].port, cases[i].text);
        }
    }
}

/* ---- against a real server */

struct fixture {
    struct server_process server;
    struct loop *loop;
    struct redis_options options;
    struct tls_client *tls;
    struct redis_client *client;
    char address[64], ca[128];
};

static bool begin(struct fixture *f, enum redis_flavour flavour) {
    struct vsr_err err = VSR_ERR_NONE;
    char reason[128];
    *f = (struct fixture){ 0 };
    if (!redis_server_begin(&f->server, flavour, reason, sizeof(reason))) {
        print_message("%s\n", reason);
        return false;
    }
    f->loop = make_loop();
    (void)snprintf(f->address, sizeof(f->address), "127.0.0.1:%u", f->server.port);
    (void)snprintf(f->ca, sizeof(f->ca), "%s/cert.pem", f->server.dir);
    f->options = (struct redis_options){ .address = str_from_c(f->address), .retries = 3, .connect_ms = 3000 };
    if (flavour == REDIS_PASSWORD)
        f->options.password = VSR_STR(REDIS_TEST_PASSWORD);
    if (flavour == REDIS_TLS) {
        f->options.tls = true;
        f->options.tls_ca = str_from_c(f->ca);
        f->options.tls_cert = str_from_c(f->ca); /* with its key: the server asks who we are */
        f->options.tls_key = (vsr_str){ 0 };
    }
    (void)err;
    return true;
}

static void open_client(struct fixture *f) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(redis_tls_new(&f->options, &f->tls, &err) == 0, err.text);
    CHECK(redis_client_new(f->loop, &f->options, f->tls, &f->client, &err) == 0, err.text);
}

static void close_client(struct fixture *f) {
    redis_client_free(f->client);
    tls_client_free(f->tls);
    f->client = NULL;
    f->tls = NULL;
}

static void end(struct fixture *f) {
    close_client(f);
    loop_run_once(f->loop, 0);
    loop_free(f->loop);
    server_end(&f->server);
}

struct got {
    size_t n, n_errors;
    int code;
    enum redis_type type;
    char text[512];
    int64_t integer;
};

static void on_value(void *owner, const struct redis_value *value, const struct vsr_err *err) {
    struct got *got = owner;
    CHECK_INT(value != NULL, err == NULL, "either");
    got->n++;
    got->n_errors += err != NULL;
    got->code = err ? err->code : 0;
    got->type = value ? value->type : REDIS_NIL;
    got->integer = value ? value->integer : 0;
    if (value)
        (void)snprintf(got->text, sizeof(got->text), "%.*s", VSR_FMT(value->text));
    else
        (void)snprintf(got->text, sizeof(got->text), "%s", err->text);
}

#define SEND(f, got, repeatable_, ...) \
    redis_send((f)->client, \
               &(const struct redis_command){ .argv = (const vsr_str[]){ __VA_ARGS__ }, \
                                              .n = sizeof((const vsr_str[]){ __VA_ARGS__ }) / sizeof(vsr_str), \
                                              .repeatable = (repeatable_) }, \
               on_value, (got))

static void check_commands(struct fixture *f, const char *name) {
    enum { MANY = 5000 };
    struct got got = { 0 };
    open_client(f);
    (void)SEND(f, &got, true, VSR_STR("FLUSHALL"));
    PUMP(f->loop, got.n == 1, name);
    got.n = 0;
    (void)SEND(f, &got, true, VSR_STR("SET"), VSR_STR("k"), VSR_STR("v\r\n1"));
    (void)SEND(f, &got, true, VSR_STR("GET"), VSR_STR("k"));
    CHECK_INT(got.n, 0, name);
    PUMP(f->loop, got.n == 2, name);
    CHECK_INT(got.n_errors, 0, got.text);
    CHECK_STR(str_from_c(got.text), "v\r\n1", name);
    (void)SEND(f, &got, true, VSR_STR("NONSENSE"));
    PUMP(f->loop, got.n == 3, name);
    CHECK_INT(got.type, REDIS_ERROR, name);
    for (int i = 0; i < MANY; i++)
        (void)SEND(f, &got, false, VSR_STR("INCR"), VSR_STR("n"));
    PUMP(f->loop, got.n == 3 + MANY, name);
    CHECK_INT(got.integer, MANY, name);
    redis_call_cancel(SEND(f, &got, false, VSR_STR("INCR"), VSR_STR("n")));
    (void)SEND(f, &got, true, VSR_STR("GET"), VSR_STR("n"));
    PUMP(f->loop, got.n == 4 + MANY, name);
    CHECK_STR(str_from_c(got.text), "5001", name);
    close_client(f);
}

TEST(commands_plain) {
    struct fixture f;
    if (!begin(&f, REDIS_PLAIN))
        return;
    check_commands(&f, "plain");
    f.options.db = 3;
    open_client(&f);
    struct got got = { 0 };
    (void)SEND(&f, &got, true, VSR_STR("EXISTS"), VSR_STR("k"));
    PUMP(f.loop, got.n == 1, "another database");
    CHECK_INT(got.integer, 0, "another database");
    close_client(&f);
    f.options.db = 99;
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("EXISTS"), VSR_STR("k"));
    PUMP(f.loop, got.n == 2, "no such database");
    CHECK_INT(got.code, VSR_E_UNAVAILABLE, "no such database");
    CHECK(strstr(got.text, "out of range"), got.text);
    end(&f);
}

TEST(commands_with_a_password) {
    struct fixture f;
    struct got got = { 0 };
    if (!begin(&f, REDIS_PASSWORD))
        return;
    check_commands(&f, "password");
    f.options.username = VSR_STR("default");
    check_commands(&(struct fixture){ .server = f.server, .loop = f.loop, .options = f.options }, "user");
    f.options.username = VSR_STR("");
    f.options.password = VSR_STR("wrong");
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 1, "wrong password");
    CHECK_INT(got.code, VSR_E_UNAVAILABLE, "wrong password");
    CHECK(strstr(got.text, "WRONGPASS"), got.text);
    close_client(&f);
    f.options.password = VSR_STR("");
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 2, "no password");
    CHECK(strstr(got.text, "NOAUTH"), got.text);
    end(&f);
}

TEST(commands_over_tls) {
    struct fixture f;
    struct got got = { 0 };
    char key[128];
    if (!begin(&f, REDIS_TLS))
        return;
    (void)snprintf(key, sizeof(key), "%s/key.pem", f.server.dir);
    f.options.tls_key = str_from_c(key);
    check_commands(&f, "TLS");
    f.options.tls_ca = VSR_STR(""); /* nobody vouches for it */
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 1, "unknown authority");
    CHECK_INT(got.code, VSR_E_UNAVAILABLE, "unknown authority");
    close_client(&f);
    f.options.tls_skip_verify = true;
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 2, "whoever it is");
    CHECK_INT(got.code, 0, got.text);
    close_client(&f);
    f.options.tls_skip_verify = false;
    f.options.tls_ca = str_from_c(f.ca);
    f.options.tls_name = VSR_STR("somebody.else");
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 3, "another name");
    CHECK_INT(got.code, VSR_E_UNAVAILABLE, "another name");
    end(&f);
}

/* What was under way is repeated or fails, what comes later fails at once, and then all is as before. */
TEST(a_server_that_dies_and_comes_back) {
    struct fixture f;
    struct got lost = { 0 }, repeated = { 0 }, later = { 0 }, after = { 0 };
    if (!begin(&f, REDIS_PLAIN))
        return;
    open_client(&f);
    (void)SEND(&f, &after, true, VSR_STR("PING"));
    PUMP(f.loop, after.n == 1, "first");
    (void)kill(f.server.pid, SIGSTOP);
    (void)SEND(&f, &lost, false, VSR_STR("INCR"), VSR_STR("n"));
    (void)SEND(&f, &repeated, true, VSR_STR("SET"), VSR_STR("k"), VSR_STR("v"));
    loop_run_once(f.loop, 1);
    server_kill(&f.server, SIGKILL);
    PUMP(f.loop, lost.n == 1 && repeated.n == 1, "lost");
    CHECK_INT(lost.code, VSR_E_CLOSED, lost.text);
    CHECK_INT(repeated.code, VSR_E_UNAVAILABLE, repeated.text);
    (void)SEND(&f, &later, true, VSR_STR("PING"));
    PUMP(f.loop, later.n == 1, "away");
    CHECK_INT(later.code, VSR_E_UNAVAILABLE, later.text);
    server_start(&f.server);
    uint64_t give_up = clock_mono_ms() + WAIT_MS_MAX;
    do {
        size_t n = after.n;
        usleep(20000);
        (void)SEND(&f, &after, true, VSR_STR("PING"));
        PUMP(f.loop, after.n == n + 1, "back");
    } while (after.code < 0 && clock_mono_ms() < give_up);
    CHECK_INT(after.code, 0, after.text);
    end(&f);
}

/* A connection that is cut while the server lives: what may be repeated is answered. */
TEST(a_connection_that_is_cut) {
    struct fixture f;
    struct got first = { 0 }, killed = { 0 }, repeated = { 0 };
    if (!begin(&f, REDIS_PLAIN))
        return;
    open_client(&f);
    (void)SEND(&f, &first, true, VSR_STR("CLIENT"), VSR_STR("ID"));
    PUMP(f.loop, first.n == 1, "id");
    (void)SEND(&f, &killed, false, VSR_STR("CLIENT"), VSR_STR("KILL"), VSR_STR("SKIPME"), VSR_STR("no"));
    (void)SEND(&f, &repeated, true, VSR_STR("SET"), VSR_STR("k"), VSR_STR("v"));
    PUMP(f.loop, repeated.n == 1, "repeated");
    CHECK_INT(repeated.code, 0, repeated.text);
    CHECK_STR(str_from_c(repeated.text), "OK", "repeated");
    end(&f);
}

TEST(a_server_that_hangs) {
    struct fixture f;
    struct got got = { 0 };
    if (!begin(&f, REDIS_PLAIN))
        return;
    f.options.io_ms = 200;
    f.options.connect_ms = 300;
    f.options.retries = 0;
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 1, "first");
    CHECK_INT(got.code, 0, got.text);
    (void)kill(f.server.pid, SIGSTOP);
    (void)SEND(&f, &got, true, VSR_STR("PING"));
    PUMP(f.loop, got.n == 2, "hangs");
    CHECK_INT(got.code, VSR_E_TIMEOUT, got.text);
    (void)SEND(&f, &got, true, VSR_STR("PING")); /* accepted by the kernel alone */
    PUMP(f.loop, got.n == 3, "still hangs");
    CHECK(got.code < 0, got.text);
    (void)kill(f.server.pid, SIGCONT);
    end(&f);
}

/* ---- counters */

struct counted {
    size_t n;
    int rc, refused;
    double used[COUNTER_NEEDS_MAX];
    size_t n_passed;
};

static void on_counted(void *owner, const struct counter_reply *reply) {
    struct counted *counted = owner;
    counted->n++;
    counted->rc = reply->rc;
    counted->refused = reply->refused;
    counted->n_passed += reply->rc == 0 && reply->refused < 0;
    for (size_t i = 0; i < reply->n; i++)
        counted->used[i] = reply->used[i];
    CHECK_INT(reply->err != NULL, reply->rc < 0, "a failure says why");
}

#define HOUR_US 3600000000ull

static void check_used(double got, double want, const char *name) {
    CHECK_MSG(got > want - 0.5 && got < want + 0.5, "case \"%s\": %g is used, want %g", name, got, want);
}

TEST(counters_take_all_or_nothing) {
    struct fixture f;
    struct counter_store *store;
    struct counted c = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    if (!begin(&f, REDIS_PLAIN))
        return;
    CHECK(counter_store_new(f.loop, &f.options, &store, &err) == 0, err.text);
    struct counter_need needs[] = { { VSR_STR("a"), 10, HOUR_US, 3 }, { VSR_STR("b"), 4, HOUR_US, 2 } };
    for (size_t i = 1; i <= 3; i++) {
        (void)counter_take(store, needs, 2, 0, on_counted, &c);
        PUMP(f.loop, c.n == i, "take");
        CHECK_INT(c.rc, 0, "take");
    }
    CHECK_INT(c.refused, 1, "the second is full");
    check_used(c.used[0], 6, "nothing was taken of the first");
    check_used(c.used[1], 4, "nor of the second");
    /* debts and giving back */
    needs[1].amount = 3;
    (void)counter_add(store, needs + 1, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 4, "debt");
    check_used(c.used[0], 7, "debt");
    needs[1].amount = -100;
    (void)counter_add(store, needs + 1, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 5, "given back");
    check_used(c.used[0], 0, "given back");
    /* asking without taking */
    needs[0].amount = 0;
    (void)counter_take(store, needs, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 6, "asked");
    CHECK_INT(c.refused, -1, "asked");
    needs[0] = (struct counter_need){ VSR_STR("full"), 10, 0, 10 };
    (void)counter_take(store, needs, 1, 0, on_counted, &c);
    needs[0].amount = 0;
    (void)counter_take(store, needs, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 8, "full");
    CHECK_INT(c.refused, 0, "full");
    /* the same one twice in one call */
    struct counter_need twice[] = { { VSR_STR("t"), 5, HOUR_US, 3 }, { VSR_STR("t"), 5, HOUR_US, 3 } };
    (void)counter_take(store, twice, 2, 0, on_counted, &c);
    PUMP(f.loop, c.n == 9, "twice");
    CHECK_INT(c.refused, 1, "twice");
    check_used(c.used[0], 0, "twice");
    /* a short window empties */
    struct counter_need quick = { VSR_STR("q"), 2, 100000, 2 };
    (void)counter_take(store, &quick, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 10, "quick");
    usleep(120000);
    (void)counter_take(store, &quick, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 11, "quick");
    CHECK_INT(c.refused, -1, "empty again");
    /* never by itself */
    struct counter_need held = { VSR_STR("h"), 1, 0, 1 };
    (void)counter_take(store, &held, 1, 0, on_counted, &c);
    (void)counter_take(store, &held, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == 13, "held");
    CHECK_INT(c.refused, 0, "held");
    counter_call_cancel(counter_take(store, &held, 1, 0, on_counted, &c));
    (void)counter_add(store, &held, 1, 0, NULL, NULL);
    counter_store_free(store);
    end(&f);
}

/* However many ask at once, and from however many connections: exactly as many pass as there are. */
TEST(counters_have_no_races) {
    enum { STORES = 4, EACH = 64, LIMIT = 37 };
    struct fixture f;
    struct counter_store *stores[STORES];
    struct counted c = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    const struct counter_need need = { VSR_STR("shared"), LIMIT, 24 * HOUR_US, 1 };
    if (!begin(&f, REDIS_PLAIN))
        return;
    for (int i = 0; i < STORES; i++)
        CHECK(counter_store_new(f.loop, &f.options, &stores[i], &err) == 0, err.text);
    for (int i = 0; i < STORES * EACH; i++)
        (void)counter_take(stores[i % STORES], &need, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == STORES * EACH, "all answered");
    CHECK_INT(c.rc, 0, "no failure");
    CHECK_INT(c.n_passed, LIMIT, "exactly the limit");
    /* a server that has lost the script, and one that is away */
    struct got got = { 0 };
    open_client(&f);
    (void)SEND(&f, &got, true, VSR_STR("SCRIPT"), VSR_STR("FLUSH"));
    PUMP(f.loop, got.n == 1, "flushed");
    (void)counter_take(stores[0], &need, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == STORES * EACH + 1, "without the script");
    CHECK_INT(c.rc, 0, "without the script");
    CHECK_INT(c.refused, 0, "without the script");
    server_kill(&f.server, SIGKILL);
    (void)counter_take(stores[1], &need, 1, 0, on_counted, &c);
    PUMP(f.loop, c.n == STORES * EACH + 2, "away");
    CHECK(c.rc < 0, "away");
    for (int i = 0; i < STORES; i++)
        counter_store_free(stores[i]);
    end(&f);
}

RUN_TESTS(T(addresses), T(commands_plain), T(commands_with_a_password), T(commands_over_tls),
          T(a_server_that_dies_and_comes_back), T(a_connection_that_is_cut), T(a_server_that_hangs),
          T(counters_take_all_or_nothing), T(counters_have_no_races))
