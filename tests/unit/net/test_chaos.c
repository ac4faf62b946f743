/*
 * Everything at once, at random but repeatable: clients that send in pieces, talk garbage, stop reading and vanish, a
 * relaying server with backpressure that cancels and aborts when it feels like it, and an origin that answers late, in
 * pieces, too much, or not at all. What is checked is what must hold whatever happens: every request is closed once, no
 * call speaks after its end, an answer that was completed is exact, and nothing is left at the end (the sanitizers see
 * to the rest).
 */
#include "certificates.h"
#include "core/mem.h"
#include "net/client.h"
#include "net/server.h"
#include "net/stream.h"
#include "net/tls.h"
#include "peer.h"

enum { SEEDS = 12, STEPS = 1500, PEERS = 24, BODY_MAX = 400 << 10, QUEUE_HIGH = 64 << 10 };

struct chaos {
    struct loop *loop;
    struct server *front, *origin;
    struct client *client;
    struct client_endpoint *endpoint;
    uint16_t front_port;
    uint32_t random;
    size_t n_open, n_relays, n_exact;
};

static uint32_t below(struct chaos *chaos, uint32_t n) {
    chaos->random = chaos->random * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)chaos->random * n) >> 32);
}

static char pattern[BODY_MAX];

static const struct server_limits limits = {
    .head_timeout_ms = 40,
    .body_timeout_ms = 200,
    .idle_timeout_ms = 60,
    .write_timeout_ms = 80,
    .body_len_max = 300 << 10,
    .connections_max = PEERS - 4,
};

static const struct server_limits origin_limits = {
    .head_timeout_ms = 1000,
    .body_timeout_ms = 1000,
    .idle_timeout_ms = 30,
    .write_timeout_ms = 1000,
    .connections_max = 1000,
};

/* ---- the origin: answers with the pattern's first bytes, as many as the target says */

struct answer {
    struct chaos *chaos;
    struct exchange *exchange;
    struct loop_timer timer;
    size_t len, sent;
    bool ended;
};

static void answer_some(void *data) {
    struct answer *answer = data;
    struct chaos *chaos = answer->chaos;
    while (answer->sent < answer->len) {
        size_t left = answer->len - answer->sent, n = 1 + below(chaos, 50000);
        if (exchange_queued(answer->exchange) > QUEUE_HIGH)
            return; /* on_drain goes on */
        if (below(chaos, 60) == 0) {
            exchange_abort(answer->exchange);
            return;
        }
        n = n < left ? n : left;
        exchange_body(answer->exchange, str_make(pattern + answer->sent, n));
        answer->sent += n;
        if (below(chaos, 3) == 0) {
            loop_timer_start(chaos->loop, &answer->timer, below(chaos, 4), answer_some, answer);
            return;
        }
    }
    if (!answer->ended) {
        answer->ended = true;
        exchange_end(answer->exchange);
    }
}

static void answer_begin(void *data) {
    struct answer *answer = data;
    bool known = below(answer->chaos, 2);
    exchange_head(answer->exchange, 200, NULL, 0, known ? (int64_t)answer->len : EXCHANGE_LENGTH_UNKNOWN);
    answer_some(answer);
}

static void *origin_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct chaos *chaos = app;
    struct answer *answer = MEM_NEW(struct answer);
    uint64_t len = 0;
    (void)str_to_u64(str_sub(head->target, 1, head->target.len), &len); /* a guest may have garbled it */
    *answer = (struct answer){ .chaos = chaos, .exchange = exchange, .len = len < BODY_MAX ? len : BODY_MAX };
    chaos->n_open++;
    if (below(chaos, 8) == 0)
        answer_begin(answer); /* without waiting for the body */
    return answer;
}

static void origin_body(void *request, vsr_str bytes) {
    (void)request;
    (void)bytes;
}

static void origin_end(void *request) {
    struct answer *answer = request;
    if (exchange_head_sent(answer->exchange))
        return;
    if (below(answer->chaos, 10) == 0)
        exchange_abort(answer->exchange);
    else if (below(answer->chaos, 10) > 0)
        loop_timer_start(answer->chaos->loop, &answer->timer, below(answer->chaos, 10), answer_begin, answer);
    /* else never answers */
}

static void origin_close(void *request, enum exchange_outcome how) {
    struct answer *answer = request;
    (void)how;
    answer->chaos->n_open--;
    loop_timer_stop(&answer->timer);
    mem_free(answer);
}

static void origin_drain(void *request) {
    struct answer *answer = request;
    if (exchange_head_sent(answer->exchange) && !answer->ended)
        answer_some(answer);
}

static const struct server_handler origin_handler = {
    .on_request = origin_request,
    .on_body = origin_body,
    .on_end = origin_end,
    .on_drain = origin_drain,
    .on_close = origin_close,
};

/* ---- the relay */

struct relay {
    struct chaos *chaos;
    struct exchange *exchange;
    struct client_call *call;
    struct loop_timer whim;
    struct buf body;
    char target[16];
    bool held;
};

static void relay_head(void *owner, const struct http1_head *head) {
    struct relay *relay = owner;
    int64_t len = head->has_length ? (int64_t)head->length : EXCHANGE_LENGTH_UNKNOWN;
    exchange_head(relay->exchange, head->status, NULL, 0, len);
}

static void relay_answer(void *owner, vsr_str bytes) {
    struct relay *relay = owner;
    exchange_body(relay->exchange, bytes);
    if (exchange_queued(relay->exchange) > QUEUE_HIGH)
        client_call_pause(relay->call);
}

static void relay_end(void *owner) {
    struct relay *relay = owner;
    relay->call = NULL;
    exchange_end(relay->exchange);
}

static void relay_error(void *owner, const struct vsr_err *err, bool connected) {
    struct relay *relay = owner;
    (void)connected;
    relay->call = NULL;
    if (exchange_head_sent(relay->exchange))
        exchange_abort(relay->exchange);
    else
        exchange_reply(relay->exchange, 502, NULL, 0, str_from_c(err->text));
}

static const struct client_events relay_events = {
    .on_head = relay_head,
    .on_body = relay_answer,
    .on_end = relay_end,
    .on_error = relay_error,
};

static void relay_whim(void *data) {
    struct relay *relay = data;
    struct chaos *chaos = relay->chaos;
    if (relay->held) {
        relay->held = false;
        exchange_resume(relay->exchange);
    } else if (below(chaos, 3) == 0) {
        exchange_abort(relay->exchange);
    } else if (!exchange_head_sent(relay->exchange)) {
        client_call_cancel(relay->call);
        relay->call = NULL;
        exchange_reply(relay->exchange, 504, NULL, 0, VSR_STR("whim"));
    }
}

static void *front_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct chaos *chaos = app;
    struct relay *relay = MEM_NEW(struct relay);
    *relay = (struct relay){ .chaos = chaos, .exchange = exchange };
    buf_init(&relay->body, BODY_MAX);
    snprintf(relay->target, sizeof(relay->target), "%.*s", VSR_FMT(head->target));
    chaos->n_open++;
    chaos->n_relays++;
    if (below(chaos, 10) == 0) {
        exchange_reply(exchange, 429, NULL, 0, VSR_STR("busy"));
    } else if (below(chaos, 30) == 0) {
        exchange_abort(exchange);
    } else if (below(chaos, 10) == 0) {
        relay->held = true;
        exchange_pause(exchange);
        loop_timer_start(chaos->loop, &relay->whim, below(chaos, 30), relay_whim, relay);
    }
    return relay;
}

static void front_body(void *request, vsr_str bytes) {
    struct relay *relay = request;
    buf_append(&relay->body, bytes);
    if (below(relay->chaos, 100) == 0)
        exchange_reply(relay->exchange, 400, NULL, 0, VSR_STR("enough"));
}

static void front_end(void *request) {
    struct relay *relay = request;
    struct client_request outbound = { .method = VSR_STR("POST"),
                                       .target = str_from_c(relay->target),
                                       .authority = VSR_STR("origin"),
                                       .body = buf_str(&relay->body) };
    struct client_timeouts timeouts = { .first_byte_ms = 60, .idle_ms = 60, .total_ms = 400 };
    relay->call = client_call_start(relay->chaos->endpoint, &outbound, &timeouts, &relay_events, relay);
    if (below(relay->chaos, 10) == 0)
        loop_timer_start(relay->chaos->loop, &relay->whim, below(relay->chaos, 30), relay_whim, relay);
}

static void front_drain(void *request) {
    struct relay *relay = request;
    if (relay->call)
        client_call_resume(relay->call);
}

static void front_close(void *request, enum exchange_outcome how) {
    struct relay *relay = request;
    (void)how;
    relay->chaos->n_open--;
    loop_timer_stop(&relay->whim);
    client_call_cancel(relay->call);
    buf_done(&relay->body);
    mem_free(relay);
}

static const struct server_handler front_handler = {
    .on_request = front_request,
    .on_body = front_body,
    .on_end = front_end,
    .on_drain = front_drain,
    .on_close = front_close,
};

/* ---- the clients */

struct guest {
    struct peer peer;
    struct buf out;
    size_t out_off;
    size_t want; /* length of the answer of its only request, when it asks properly */
    bool proper;
};

static void guest_write_request(struct chaos *chaos, struct guest *guest) {
    size_t body = below(chaos, 4) ? below(chaos, 2000) : below(chaos, BODY_MAX);
    guest->want = below(chaos, 4) ? below(chaos, 3000) : below(chaos, BODY_MAX);
    buf_printf(&guest->out, "POST /%zu HTTP/1.1\r\nhost: x\r\n", guest->want);
    if (below(chaos, 20) == 0)
        buf_append_c(&guest->out, "expect: 100-continue\r\n");
    if (below(chaos, 2)) {
        buf_printf(&guest->out, "content-length: %zu\r\n\r\n", body);
        buf_append(&guest->out, str_make(pattern, body));
    } else {
        buf_append_c(&guest->out, "transfer-encoding: chunked\r\n\r\n");
        while (body > 0) {
            size_t n = 1 + below(chaos, 9000);
            n = n < body ? n : body;
            http1_write_chunk_begin(&guest->out, n);
            buf_append(&guest->out, str_make(pattern, n));
            http1_write_chunk_end(&guest->out);
            body -= n;
        }
        http1_write_last_chunk(&guest->out);
    }
}

static void guest_begin(struct chaos *chaos, struct guest *guest) {
    uint32_t n_requests = below(chaos, 3) ? 1 : 1 + below(chaos, 4);
    guest->out_off = 0;
    buf_init(&guest->out, 16 << 20);
    peer_connect(&guest->peer, chaos->front_port);
    for (uint32_t i = 0; i < n_requests; i++)
        guest_write_request(chaos, guest);
    guest->proper = n_requests == 1;
    if (below(chaos, 10) == 0) {
        buf_append_c(&guest->out, "\r\nGARBAGE \x01\r\n\r\n");
        guest->proper = false;
    }
    if (below(chaos, 10) == 0 && guest->out.len > 2) {
        guest->out.ptr[below(chaos, (uint32_t)guest->out.len)] ^= 0x15;
        guest->proper = false;
    }
}

/* What came, if it says 200 and is complete, is the pattern. */
static void guest_check(struct chaos *chaos, struct guest *guest) {
    struct http1_parser parser = { 0 };
    vsr_str bytes = peer_poll(&guest->peer), body;
    struct vsr_err err;
    size_t len = 0;
    enum http1_event event;
    http1_init(&parser, HTTP1_RESPONSE);
    while ((event = http1_feed(&parser, &bytes, &body, &err)) == HTTP1_HEAD || event == HTTP1_BODY) {
        if (event == HTTP1_HEAD)
            continue;
        if (parser.head.status == 200)
            CHECK(len + body.len <= BODY_MAX && memcmp(pattern + len, body.ptr, body.len) == 0, "exact");
        len += body.len;
    }
    CHECK_MSG(event != HTTP1_ERROR, "the answer is malformed: %s", err.text);
    if (event == HTTP1_END && parser.head.status == 200) {
        CHECK_INT(len, guest->want, "complete");
        chaos->n_exact++;
    }
    http1_done(&parser);
}

static void guest_leave(struct chaos *chaos, struct guest *guest) {
    if (guest->proper)
        guest_check(chaos, guest);
    if (below(chaos, 3) == 0)
        peer_reset(&guest->peer);
    else
        peer_close(&guest->peer);
    buf_done(&guest->out);
    guest->peer.fd = 0;
}

static void guest_step(struct chaos *chaos, struct guest *guest) {
    size_t left = guest->out.len - guest->out_off;
    if (guest->peer.fd <= 0) {
        guest_begin(chaos, guest);
        return;
    }
    if (below(chaos, 4) == 0)
        peer_poll(&guest->peer);
    if (left > 0) {
        size_t n = 1 + (below(chaos, 3) ? below(chaos, 60000) : below(chaos, 60));
        ssize_t sent =
            send(guest->peer.fd, guest->out.ptr + guest->out_off, n < left ? n : left, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0)
            guest->out_off += (size_t)sent;
    }
    if (below(chaos, 120) == 0)
        peer_shutdown(&guest->peer);
    if (below(chaos, 80) == 0 || guest->peer.eof || guest->peer.reset)
        guest_leave(chaos, guest);
}

/* With certificates the relay and the origin speak TLS. */
static void chaos_begin(struct chaos *chaos, uint32_t seed, struct tls_server *tls_server,
                        struct tls_client *tls_client) {
    struct vsr_err err = VSR_ERR_NONE;
    struct client_limits client_limits = {
        .connect_timeout_ms = 200, .pool_idle_ms = 40, .connections_max = 8, .pending_max = 6, .dns_ttl_ms = 1000
    };
    uint16_t port;
    *chaos = (struct chaos){ .random = seed };
    CHECK(loop_new(&chaos->loop, &err) == 0, err.text);
    CHECK(server_new(chaos->loop, &origin_handler, chaos, &origin_limits, &chaos->origin, &err) == 0, err.text);
    CHECK(server_listen_tls(chaos->origin, VSR_STR("127.0.0.1"), 0, tls_server, NULL, &port, &err) == 0, err.text);
    CHECK(client_new(chaos->loop, &client_limits, &chaos->client, &err) == 0, err.text);
    chaos->endpoint =
        client_endpoint(chaos->client,
                        &(struct client_place){ .host = VSR_STR("127.0.0.1"), .port = port, .tls = tls_client });
    CHECK(server_new(chaos->loop, &front_handler, chaos, &limits, &chaos->front, &err) == 0, err.text);
    CHECK(server_listen(chaos->front, VSR_STR("127.0.0.1"), 0, NULL, &chaos->front_port, &err) == 0, err.text);
}

static void chaos_end(struct chaos *chaos, bool abruptly) {
    if (!abruptly) {
        PUMP(chaos->loop, server_stats(chaos->front).connections == 0, "the front empties");
        CHECK_INT(server_stats(chaos->front).exchanges, 0, "no exchange");
        PUMP(chaos->loop, client_stats(chaos->client).connections == 0, "the pool empties");
        PUMP(chaos->loop, server_stats(chaos->origin).connections == 0, "the origin empties");
        CHECK_INT(chaos->n_open, 0, "every request was closed");
    }
    server_free(chaos->front);
    client_free(chaos->client);
    server_free(chaos->origin);
    CHECK_INT(chaos->n_open, 0, "every request was closed");
    loop_free(chaos->loop);
}

static void run_chaos(struct tls_server *tls_server, struct tls_client *tls_client) {
    static struct guest guests[PEERS];
    size_t n_exact = 0, n_relays = 0;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char)('a' + i * 31 % 26);
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct chaos chaos;
        chaos_begin(&chaos, seed, tls_server, tls_client);
        for (int step = 0; step < STEPS; step++) {
            guest_step(&chaos, &guests[below(&chaos, PEERS)]);
            if (step % 3 == 0)
                loop_run_once(chaos.loop, (int)below(&chaos, 2));
        }
        if (seed % 3 == 0)
            chaos_end(&chaos, true);
        for (int i = 0; i < PEERS; i++) {
            if (guests[i].peer.fd > 0)
                guest_leave(&chaos, &guests[i]);
        }
        if (seed % 3 != 0)
            chaos_end(&chaos, false);
        n_exact += chaos.n_exact;
        n_relays += chaos.n_relays;
    }
    print_message("%zu requests relayed, %zu answers checked\n", n_relays, n_exact);
    CHECK(n_exact > 0, "not everything fails");
}

TEST(chaos) {
    run_chaos(NULL, NULL);
}

TEST(chaos_over_tls) {
    char dir[64], cert[256], key[256], ca[256];
    struct vsr_err err = VSR_ERR_NONE;
    struct tls_server *tls_server = NULL;
    struct tls_client *tls_client = NULL;
    struct tls_client_options options;
    if (!make_certificates(dir, sizeof(dir)))
        skip();
    options = (struct tls_client_options){ .ca_file = in_dir(dir, "ca.pem", ca, sizeof(ca)) };
    CHECK(tls_server_new(&(struct tls_server_options){ .cert_file = in_dir(dir, "server.pem", cert, sizeof(cert)),
                                                       .key_file = in_dir(dir, "server.key", key, sizeof(key)) },
                         &tls_server, &err) == 0,
          err.text);
    CHECK(tls_client_new(&options, &tls_client, &err) == 0, err.text);
    run_chaos(tls_server, tls_client);
    tls_server_unref(tls_server);
    tls_client_free(tls_client);
    remove_certificates(dir);
}

RUN_TESTS(T(chaos), T(chaos_over_tls))
