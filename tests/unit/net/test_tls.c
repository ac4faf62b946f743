#include "net/tls.h"

#include <netinet/in.h>

#include "certificates.h"
#include "core/mem.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/stream.h"
#include "peer.h"

/* What a handler sees of its client, and a client of its server. */
struct rig {
    struct loop *loop;
    struct server *server;
    uint16_t port;
    char client_name[256], alpn[32], server_name[256];
    enum exchange_protocol protocol;
    bool asked, opened, failed, answered;
    struct stream *stream;
};

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct rig *rig = app;
    vsr_str name = exchange_client_name(exchange);
    (void)head;
    snprintf(rig->client_name, sizeof(rig->client_name), "%.*s", VSR_FMT(name));
    CHECK(exchange_client_name(exchange).ptr == name.ptr, "made once");
    rig->protocol = exchange_protocol(exchange);
    rig->asked = true;
    exchange_reply(exchange, 200, NULL, 0, VSR_STR("ok"));
    return rig;
}

static void on_body(void *request, vsr_str bytes) {
    (void)request;
    (void)bytes;
}

static void on_end(void *request) {
    (void)request;
}

static void on_close(void *request, enum exchange_outcome how) {
    (void)request;
    (void)how;
}

static const struct server_handler handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_close = on_close,
};

static void client_open(void *owner) {
    struct rig *rig = owner;
    rig->opened = true;
    snprintf(rig->alpn, sizeof(rig->alpn), "%.*s", VSR_FMT(stream_alpn(rig->stream)));
    snprintf(rig->server_name, sizeof(rig->server_name), "%.*s", VSR_FMT(stream_tls_peer_name(rig->stream)));
    if (strcmp(rig->alpn, "h2") != 0)
        stream_write(rig->stream, VSR_STR("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    else
        stream_write(rig->stream, VSR_STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                                          "\0\0\6\1\5\0\0\0\1\x82\x86\x84\x41\x01x"));
}

static void client_read(void *owner, vsr_str bytes) {
    struct rig *rig = owner;
    rig->answered |= str_find(bytes, VSR_STR("ok")) >= 0;
}

static void client_eof(void *owner) {
    ((struct rig *)owner)->failed = true;
}

static void client_error(void *owner, const struct vsr_err *err) {
    (void)err;
    ((struct rig *)owner)->failed = true;
}

static const struct stream_events client_events = {
    .on_open = client_open,
    .on_read = client_read,
    .on_eof = client_eof,
    .on_error = client_error,
};

static void rig_open(struct rig *rig, struct tls_server *tls) {
    static const struct server_limits limits = {
        .head_timeout_ms = 60000, .idle_timeout_ms = 60000, .write_timeout_ms = 60000, .connections_max = 10
    };
    struct vsr_err err;
    *rig = (struct rig){ .failed = false };
    CHECK(loop_new(&rig->loop, &err) == 0, err.text);
    CHECK(server_new(rig->loop, &handler, rig, &limits, &rig->server, &err) == 0, err.text);
    CHECK(server_listen_tls(rig->server, VSR_STR("127.0.0.1"), 0, tls, rig, &rig->port, &err) == 0, err.text);
}

static void rig_close(struct rig *rig) {
    server_free(rig->server);
    loop_free(rig->loop);
}

/* One request on a connection of its own. */
static void talk(struct rig *rig, struct tls_client *tls, const char *name) {
    struct sockaddr_in addr = peer_addr(rig->port);
    struct vsr_err err;
    rig->asked = rig->opened = rig->failed = rig->answered = false;
    rig->client_name[0] = rig->alpn[0] = rig->server_name[0] = '\0';
    CHECK(stream_connect(rig->loop, (struct sockaddr *)&addr, tls, VSR_STR("localhost"), &client_events, rig,
                         &rig->stream, &err) == 0,
          err.text);
    PUMP(rig->loop, rig->answered || rig->failed, name);
    stream_close(rig->stream);
    pump_turns(rig->loop, 3);
}

static struct tls_client *client_with(const char *dir, const char *ca, const char *identity, const vsr_str *alpn,
                                      size_t n_alpn) {
    char ca_file[256], cert[256], key[256], cert_name[64], key_name[64];
    struct tls_client_options options = { .ca_file = in_dir(dir, ca, ca_file, sizeof(ca_file)),
                                          .alpn = alpn,
                                          .n_alpn = n_alpn };
    struct tls_client *tls = NULL;
    struct vsr_err err;
    if (identity) {
        snprintf(cert_name, sizeof(cert_name), "%s.pem", identity);
        snprintf(key_name, sizeof(key_name), "%s.key", identity);
        options.cert_file = in_dir(dir, cert_name, cert, sizeof(cert));
        options.key_file = in_dir(dir, key_name, key, sizeof(key));
    }
    CHECK(tls_client_new(&options, &tls, &err) == 0, err.text);
    return tls;
}

static struct tls_server *server_with(const char *dir, const char *identity, enum tls_client_auth auth,
                                      const vsr_str *alpn, size_t n_alpn) {
    char ca[256], cert[256], key[256], cert_name[64], key_name[64];
    struct tls_server_options options = { .client_auth = auth, .alpn = alpn, .n_alpn = n_alpn };
    struct tls_server *tls = NULL;
    struct vsr_err err;
    snprintf(cert_name, sizeof(cert_name), "%s.pem", identity);
    snprintf(key_name, sizeof(key_name), "%s.key", identity);
    options.cert_file = in_dir(dir, cert_name, cert, sizeof(cert));
    options.key_file = in_dir(dir, key_name, key, sizeof(key));
    options.client_ca_file = in_dir(dir, "ca.pem", ca, sizeof(ca));
    CHECK(tls_server_new(&options, &tls, &err) == 0, err.text);
    return tls;
}

static const vsr_str h2[] = { VSR_STR_INIT("h2") }, http1[] = { VSR_STR_INIT("http/1.1") },
                     h2_first[] = { VSR_STR_INIT("h2"), VSR_STR_INIT("http/1.1") },
                     http1_first[] = { VSR_STR_INIT("http/1.1"), VSR_STR_INIT("h2") },
                     strange[] = { VSR_STR_INIT("spdy/3") };

TEST(alpn) {
    static const struct {
        const char *name;
        const vsr_str *server, *client;
        size_t n_server, n_client;
        const char *want; /* NULL: refused */
    } cases[] = {
        { "ours first", h2_first, http1_first, 2, 2, "h2" },
        { "ours first, the other way", http1_first, h2_first, 2, 2, "http/1.1" },
        { "one in common", h2_first, http1, 2, 1, "http/1.1" },
        { "none in common", http1, h2, 1, 1, NULL },
        { "unknown", h2_first, strange, 2, 1, NULL },
        { "defaults", NULL, NULL, 0, 0, "http/1.1" },
    };
    char dir[64];
    if (!make_certificates(dir, sizeof(dir)))
        skip(); /* no openssl command */
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct tls_server *server = server_with(dir, "server", TLS_CLIENT_NONE, cases[i].server, cases[i].n_server);
        struct tls_client *client = client_with(dir, "ca.pem", NULL, cases[i].client, cases[i].n_client);
        struct rig rig;
        rig_open(&rig, server);
        talk(&rig, client, cases[i].name);
        CHECK_INT(rig.answered, cases[i].want != NULL, cases[i].name);
        CHECK_STR(str_from_c(rig.alpn), cases[i].want ? cases[i].want : "", cases[i].name);
        CHECK_STR(str_from_c(rig.server_name), cases[i].want ? "CN=server" : "", cases[i].name);
        CHECK_STR(str_from_c(rig.client_name), "", cases[i].name);
        if (cases[i].want)
            CHECK((rig.protocol == EXCHANGE_HTTP2) == (strcmp(cases[i].want, "h2") == 0), cases[i].name);
        rig_close(&rig);
        tls_server_unref(server);
        tls_client_free(client);
    }
    remove_certificates(dir);
}

TEST(client_certificates) {
    static const struct {
        const char *name, *identity, *want;
        enum tls_client_auth auth;
        bool answered;
    } cases[] = {
        { "not asked", "server", "", TLS_CLIENT_NONE, true },
        { "asked, nothing shown", NULL, "", TLS_CLIENT_REQUEST, true },
        { "asked, shown", "server", "CN=server", TLS_CLIENT_REQUEST, true },
        { "asked, a stranger's", "stranger", "", TLS_CLIENT_REQUEST, false },
        { "required, nothing shown", NULL, "", TLS_CLIENT_REQUIRE, false },
        { "required, shown", "server", "CN=server", TLS_CLIENT_REQUIRE, true },
    };
    char dir[64], command[512];
    if (!make_certificates(dir, sizeof(dir)))
        skip();
    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=stranger "
             "-keyout stranger.key -out stranger.pem 2>/dev/null",
             dir);
    CHECK(system(command) == 0, "stranger");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct tls_server *server = server_with(dir, "server", cases[i].auth, h2_first, 2);
        struct tls_client *client = client_with(dir, "ca.pem", cases[i].identity, h2_first, 2);
        struct rig rig;
        rig_open(&rig, server);
        talk(&rig, client, cases[i].name);
        CHECK_INT(rig.answered, cases[i].answered, cases[i].name);
        CHECK_INT(rig.asked, cases[i].answered, cases[i].name);
        CHECK_STR(str_from_c(rig.client_name), cases[i].want, cases[i].name);
        rig_close(&rig);
        tls_server_unref(server);
        tls_client_free(client);
    }
    remove_certificates(dir);
}

TEST(renewed) {
    char dir[64], command[1024];
    struct tls_server *first, *second;
    struct tls_client *client;
    struct rig rig;
    if (!make_certificates(dir, sizeof(dir)))
        skip();
    snprintf(command, sizeof(command),
             "cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=renewed -keyout "
             "renewed.key -out renewed.csr 2>/dev/null && openssl x509 -req -in renewed.csr -CA ca.pem -CAkey ca.key "
             "-CAcreateserial -days 2 -extfile ext -out renewed.pem 2>/dev/null",
             dir);
    CHECK(system(command) == 0, "renewed");
    first = server_with(dir, "server", TLS_CLIENT_NONE, NULL, 0);
    second = server_with(dir, "renewed", TLS_CLIENT_NONE, NULL, 0);
    client = client_with(dir, "ca.pem", NULL, NULL, 0);
    rig_open(&rig, first);
    tls_server_unref(first); /* the listener has its own */
    talk(&rig, client, "before");
    CHECK_STR(str_from_c(rig.server_name), "CN=server", "before");
    server_set_tls(rig.server, &rig, second);
    tls_server_unref(second);
    talk(&rig, client, "after");
    CHECK_STR(str_from_c(rig.server_name), "CN=renewed", "after");
    rig_close(&rig);
    tls_client_free(client);
    remove_certificates(dir);
}

TEST(what_cannot_be_used_says_why) {
    static const struct {
        const char *name, *cert, *key, *ca, *want;
    } cases[] = {
        { "no certificate", "nowhere.pem", "server.key", "ca.pem", "certificate file" },
        { "no key", "server.pem", "nowhere.key", "ca.pem", "key file" },
        { "another's key", "server.pem", "ca.key", "ca.pem", "key values mismatch" },
        { "a key for a certificate", "server.key", "server.key", "ca.pem", "certificate file" },
        { "no authority", "server.pem", "server.key", "nowhere.pem", "client CA file" },
        { "an authority that is none", "server.pem", "server.key", "server.key", "client CA file" },
    };
    char dir[64], cert[256], key[256], ca[256], long_name[300];
    struct tls_server *tls = NULL;
    struct vsr_err err;
    vsr_str names[] = { { long_name, 256 } };
    if (!make_certificates(dir, sizeof(dir)))
        skip();
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        const struct tls_server_options options = {
            .cert_file = in_dir(dir, cases[i].cert, cert, sizeof(cert)),
            .key_file = in_dir(dir, cases[i].key, key, sizeof(key)),
            .client_ca_file = in_dir(dir, cases[i].ca, ca, sizeof(ca)),
            .client_auth = TLS_CLIENT_REQUIRE,
        };
        CHECK_INT(tls_server_new(&options, &tls, &err), VSR_E_TLS, cases[i].name);
        CHECK_MSG(str_find(str_from_c(err.text), str_from_c(cases[i].want)) >= 0, "case \"%s\": %s", cases[i].name,
                  err.text);
        CHECK(tls == NULL, cases[i].name);
    }
    memset(long_name, 'n', sizeof(long_name));
    CHECK_INT(tls_server_new(&(struct tls_server_options){ .cert_file = in_dir(dir, "server.pem", cert, sizeof(cert)),
                                                           .key_file = in_dir(dir, "server.key", key, sizeof(key)),
                                                           .alpn = names,
                                                           .n_alpn = 1 },
                             &tls, &err),
              VSR_E_INVALID, "a name of ALPN that is too long");
    remove_certificates(dir);
}

RUN_TESTS(T(alpn), T(client_certificates), T(renewed), T(what_cannot_be_used_says_why))
