/*
 * Names whose addresses change, while requests run. What a name resolves to is this program's own choice: the
 * getaddrinfo() below stands before the C library's, for libuv, too.
 */
#include "net/dns.h"

#include <netdb.h>
#include <pthread.h>

#include "core/mem.h"
#include "net/client.h"
#include "net/server.h"
#include "peer.h"

enum { ADDRS_MAX = 3, CHAINS = 6, TTL_MS = 5, PLACES = 2 };

/* ---- the resolver; asked on libuv's threads */

static struct {
    pthread_mutex_t lock;
    int status;
    bool alternates; /* the first address, then the second, by turns */
    const char *addrs[ADDRS_MAX];
    int n_asked;
} resolver = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void resolve_to(int status, const char *first, const char *second, bool alternates) {
    pthread_mutex_lock(&resolver.lock);
    resolver.status = status;
    resolver.addrs[0] = first;
    resolver.addrs[1] = second;
    resolver.alternates = alternates;
    pthread_mutex_unlock(&resolver.lock);
}

static int times_asked(void) {
    int n;
    pthread_mutex_lock(&resolver.lock);
    n = resolver.n_asked;
    pthread_mutex_unlock(&resolver.lock);
    return n;
}

struct entry {
    struct addrinfo info;
    struct sockaddr_in addr;
};

static struct addrinfo *entry_of(const char *text, struct addrinfo *next) {
    struct entry *entry = MEM_NEW(struct entry);
    entry->addr = (struct sockaddr_in){ .sin_family = AF_INET };
    CHECK(inet_pton(AF_INET, text, &entry->addr.sin_addr) == 1, text);
    entry->info = (struct addrinfo){ .ai_family = AF_INET,
                                     .ai_socktype = SOCK_STREAM,
                                     .ai_addr = (struct sockaddr *)&entry->addr,
                                     .ai_addrlen = sizeof(entry->addr),
                                     .ai_next = next };
    return &entry->info;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict name, const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict ret_list) {
    struct in_addr literal;
    int status, turn;
    (void)hints;
    if (name && inet_pton(AF_INET, name, &literal) == 1) { /* who listens */
        *ret_list = entry_of(name, NULL);
        ((struct entry *)*ret_list)->addr.sin_port = htons((uint16_t)(service ? strtoul(service, NULL, 10) : 0));
        return 0;
    }
    pthread_mutex_lock(&resolver.lock);
    status = resolver.status;
    turn = resolver.n_asked++ % 2;
    *ret_list = NULL;
    if (status == 0 && resolver.alternates)
        *ret_list = entry_of(resolver.addrs[turn], NULL);
    for (size_t i = ADDRS_MAX; status == 0 && !resolver.alternates && i-- > 0;)
        if (resolver.addrs[i])
            *ret_list = entry_of(resolver.addrs[i], *ret_list);
    pthread_mutex_unlock(&resolver.lock);
    return status;
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *list) {
    while (list) {
        struct addrinfo *next = list->ai_next;
        mem_free(list); /* an entry's first member */
        list = next;
    }
}

/* ---- the name alone */

struct answer {
    int n;
    int code;
};

static void on_answer(void *data, const struct vsr_err *err) {
    struct answer *answer = data;
    answer->n++;
    answer->code = err ? err->code : 0;
}

static uint32_t address_at(const struct dns_host *host, size_t index) {
    const struct sockaddr_in *addr = (const struct sockaddr_in *)(const void *)dns_host_addr(host, index);
    CHECK_INT(ntohs(addr->sin_port), 80, "port");
    return ntohl(addr->sin_addr.s_addr);
}

TEST(a_name) {
    static const struct {
        const char *name;
        int status;
        const char *first, *second;
        int code;
        size_t n_addrs; /* afterwards */
        uint32_t at_first;
    } steps[] = {
        { "two addresses", 0, "127.0.0.1", "127.0.0.2", 0, 2, 0x7f000001 },
        { "another one", 0, "127.0.0.2", NULL, 0, 1, 0x7f000002 },
        { "the resolver is out of order", EAI_AGAIN, NULL, NULL, 0, 1, 0x7f000002 },
        { "denied", EAI_NONAME, NULL, NULL, VSR_E_DNS, 1, 0x7f000002 },
        { "no address", 0, NULL, NULL, VSR_E_DNS, 0, 0 },
    };
    const struct sockaddr_in first = peer_addr(80);
    struct loop *loop = NULL;
    struct dns_host *host;
    struct answer answer = { 0 };
    CHECK_INT(loop_new(&loop, NULL), 0, "loop");
    host = dns_host_new(loop, VSR_STR("moving.test"), 80, 60000);
    CHECK(!dns_host_ready(host), "nothing is known");
    for (size_t i = 0; i < VSR_COUNT(steps); i++) {
        int n = answer.n;
        resolve_to(steps[i].status, steps[i].first, steps[i].second, false);
        dns_host_resolve(host, on_answer, &answer);
        dns_host_resolve(host, on_answer, &answer);
        CHECK_INT(answer.n, n, "never inside the call");
        PUMP(loop, answer.n > n, steps[i].name);
        CHECK_INT(answer.n, n + 1, "once for both");
        CHECK_INT(answer.code, steps[i].code, steps[i].name);
        CHECK_INT(dns_host_count(host), steps[i].n_addrs, steps[i].name);
        CHECK_INT(dns_host_ready(host), steps[i].code == 0, steps[i].name);
        if (steps[i].n_addrs)
            CHECK_INT(address_at(host, dns_host_first(host)), steps[i].at_first, steps[i].name);
        CHECK_INT(dns_host_names(host, (const struct sockaddr *)&first), i == 0, steps[i].name);
        dns_host_expire(host);
        CHECK(!dns_host_ready(host), "expired");
    }
    dns_host_resolve(host, on_answer, &answer);
    dns_host_free(host); /* while it is asked */
    loop_free(loop);
}

/* ---- requests to it */

struct place {
    int n_served;
};

struct world {
    struct loop *loop;
    struct server *server; /* listens on the same port of both addresses */
    uint16_t port;
    struct place places[PLACES];
    struct exchange *held; /* `/hold` waits here */
    struct client *client;
    struct client_endpoint *endpoint;
    bool stops;
    int n_running, n_errors;
    struct vsr_err err;
};

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct world *world = app;
    struct place *place = exchange_tag(exchange);
    place->n_served++;
    if (str_eq(head->target, VSR_STR("/hold")))
        world->held = exchange;
    else
        exchange_reply(exchange, 200, NULL, 0, VSR_STR("ok"));
    return world;
}

static void on_request_body(void *request, vsr_str bytes) {
    (void)request, (void)bytes;
}

static void on_request_end(void *request) {
    (void)request;
}

static void on_request_close(void *request, enum exchange_outcome how) {
    (void)request, (void)how;
}

static const struct server_handler handler = {
    .on_request = on_request,
    .on_body = on_request_body,
    .on_end = on_request_end,
    .on_close = on_request_close,
};

static void start(struct world *world, const char *target);

static void on_head(void *owner, const struct http1_head *head) {
    (void)owner;
    CHECK_INT(head->status, 200, "status");
}

static void on_body(void *owner, vsr_str bytes) {
    (void)owner, (void)bytes;
}

static void on_end(void *owner) {
    struct world *world = owner;
    world->n_running--;
    if (!world->stops)
        start(world, "/");
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct world *world = owner;
    (void)connected;
    world->n_running--;
    world->n_errors++;
    world->err = *err;
}

static void start(struct world *world, const char *target) {
    static const struct client_events events = {
        .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error
    };
    const struct client_request request = { .method = VSR_STR("GET"),
                                            .target = str_from_c(target),
                                            .authority = VSR_STR("moving.test") };
    const struct client_timeouts no_hurry = { 0 };
    world->n_running++;
    (void)client_call_start(world->endpoint, &request, &no_hurry, &events, world);
}

static void world_begin(struct world *world) {
    static const struct server_limits patient = { 60000, 60000, 60000, 60000, 1 << 20, 100 };
    static const struct client_limits limits = { 60000, 60000, 100, 100, TTL_MS };
    struct vsr_err err = VSR_ERR_NONE;
    uint16_t port;
    *world = (struct world){ .n_errors = 0 };
    CHECK_INT(loop_new(&world->loop, &err), 0, err.text);
    CHECK_INT(server_new(world->loop, &handler, world, &patient, &world->server, &err), 0, err.text);
    CHECK_INT(server_listen(world->server, VSR_STR("127.0.0.1"), 0, &world->places[0], &world->port, &err), 0,
              err.text);
    CHECK_INT(server_listen(world->server, VSR_STR("127.0.0.2"), world->port, &world->places[1], &port, &err), 0,
              err.text);
    CHECK_INT(client_new(world->loop, &limits, &world->client, &err), 0, err.text);
    world->endpoint =
        client_endpoint(world->client, &(struct client_place){ .host = VSR_STR("moving.test"), .port = world->port });
}

static void world_end(struct world *world) {
    world->stops = true;
    PUMP(world->loop, world->n_running == 0, "the end");
    client_free(world->client);
    server_free(world->server);
    loop_free(world->loop);
}

/* Turns until that many more requests were served, or names were asked for. */
static void serve_more(struct world *world, const struct place *place, int n) {
    int from = place->n_served;
    PUMP(world->loop, place->n_served >= from + n, "requests");
}

static void ask_more(struct world *world, int n) {
    int from = times_asked();
    PUMP(world->loop, times_asked() >= from + n, "resolutions");
}

/* The connections are always busy or just reused, and the old address goes on answering: only the name tells. */
TEST(moves_under_load) {
    struct world world;
    int before;
    resolve_to(0, "127.0.0.1", NULL, false);
    world_begin(&world);
    start(&world, "/hold");
    for (int i = 0; i < CHAINS; i++)
        start(&world, "/");
    serve_more(&world, &world.places[0], 50);
    CHECK_INT(world.places[1].n_served, 0, "nobody knows of it");
    CHECK(world.held != NULL, "one takes long");
    resolve_to(0, "127.0.0.2", NULL, false);
    ask_more(&world, 6);
    serve_more(&world, &world.places[1], 50);
    before = world.places[0].n_served;
    serve_more(&world, &world.places[1], 200);
    CHECK_INT(world.places[0].n_served, before, "nobody asks there any more");
    CHECK_INT(world.n_errors, 0, world.err.text);
    exchange_reply(world.held, 200, NULL, 0, VSR_STR("ok"));
    world_end(&world);
    CHECK_INT(world.n_errors, 0, "nor is the long one lost");
}

/* Some names have another address of the same servers in every answer. */
TEST(alternating_answers_cost_no_connections) {
    struct world world;
    uint64_t connects;
    resolve_to(0, "127.0.0.1", "127.0.0.2", true);
    world_begin(&world);
    for (int i = 0; i < CHAINS; i++)
        start(&world, "/");
    ask_more(&world, 3);
    connects = client_stats(world.client).connects_total;
    ask_more(&world, 12);
    CHECK_INT(client_stats(world.client).connects_total, connects, "they stay");
    world_end(&world);
    CHECK_INT(world.n_errors, 0, world.err.text);
}

/* A resolver that is out of order, or denies the name, takes no connection away; a new one is another matter. */
TEST(no_answer_for_a_while) {
    static const int statuses[] = { EAI_AGAIN, EAI_FAIL, EAI_NONAME };
    struct world world;
    resolve_to(0, "127.0.0.1", NULL, false);
    world_begin(&world);
    start(&world, "/");
    serve_more(&world, &world.places[0], 5);
    for (size_t i = 0; i < VSR_COUNT(statuses); i++) {
        resolve_to(statuses[i], NULL, NULL, false);
        ask_more(&world, 8);
        serve_more(&world, &world.places[0], 20);
        CHECK_INT(client_stats(world.client).connects_total, 1, "the same connection");
    }
    start(&world, "/");
    start(&world, "/");
    PUMP(world.loop, world.n_errors > 0, "no connection to a name that is denied");
    CHECK_INT(world.err.code, VSR_E_DNS, world.err.text);
    resolve_to(0, "127.0.0.2", NULL, false);
    serve_more(&world, &world.places[1], 20);
    world_end(&world);
}

RUN_TESTS(T(a_name), T(moves_under_load), T(alternating_answers_cost_no_connections), T(no_answer_for_a_while))
