#include "provider/health.h"

#include "net/client.h"
#include "net/loop.h"
#include "unit/provider/fleet.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(three_failures_one_success) {
    struct fleet f;
    struct endpoint_state *first;
    fleet_init(&f, NULL);
    fleet_endpoint(&f, 0, 1);
    f.models[0].reliability.health_check_path = VSR_STR("/health");
    fleet_build(&f, 1);
    first = f.model->endpoints[0].state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++) {
            health_report(f.model, &f.model->endpoints[0], false, 0);
            CHECK_INT(atomic_load(&first->unhealthy), i >= 2, "at the third");
        }
        health_report(f.model, &f.model->endpoints[0], true, 0);
        CHECK(!atomic_load(&first->unhealthy), "one success");
        health_report(f.model, &f.model->endpoints[0], false, 0);
        health_report(f.model, &f.model->endpoints[0], true, 0);
    }
    fleet_done(&f, true);
}

/* A backend that answers every request with the status it is told to. */
struct backend {
    int fd;
    uint16_t port;
    _Atomic int status;
    _Atomic int n_requests;
    pthread_t thread;
};

static void answer(struct backend *backend, int fd) {
    char bytes[4096];
    size_t len = 0;
    while (len < sizeof(bytes)) {
        ssize_t n = read(fd, bytes + len, sizeof(bytes) - len);
        if (n <= 0)
            return;
        len += (size_t)n;
        if (str_find(str_make(bytes, len), VSR_STR("\r\n\r\n")) < 0)
            continue;
        CHECK(str_starts(str_make(bytes, len), VSR_STR("GET /health HTTP/1.1\r\n")), "request line");
        len = 0;
        atomic_fetch_add(&backend->n_requests, 1);
        n = snprintf(bytes, sizeof(bytes), "HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                     atomic_load(&backend->status));
        (void)!write(fd, bytes, (size_t)n);
        return;
    }
}

static void *serve(void *data) {
    struct backend *backend = data;
    for (int fd; (fd = accept(backend->fd, NULL, NULL)) >= 0;) {
        answer(backend, fd);
        close(fd);
    }
    return NULL;
}

static void backend_start(struct backend *backend) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    backend->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(backend->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    CHECK(listen(backend->fd, 16) == 0, "listen");
    CHECK(getsockname(backend->fd, (struct sockaddr *)&addr, &len) == 0, "name");
    backend->port = ntohs(addr.sin_port);
    pthread_create(&backend->thread, NULL, serve, backend);
}

static void backend_stop(struct backend *backend) {
    shutdown(backend->fd, SHUT_RDWR);
    pthread_join(backend->thread, NULL);
    close(backend->fd);
}

/* Runs the loop until the endpoint's verdict is that, or too long. */
static bool wait_until(struct loop *loop, struct endpoint_state *state, bool unhealthy) {
    for (int i = 0; i < 500 && atomic_load(&state->unhealthy) != unhealthy; i++)
        loop_run_once(loop, 10);
    return atomic_load(&state->unhealthy) == unhealthy;
}

TEST(checks_a_backend) {
    struct backend backend = { .status = 200 };
    const struct client_limits limits = {
        .connect_timeout_ms = 1000, .pool_idle_ms = 1000, .connections_max = 4, .pending_max = 4, .dns_ttl_ms = 1000
    };
    struct fleet f;
    struct loop *loop;
    struct client *client;
    struct health *health;
    struct endpoint_state *first;
    struct vsr_err err = VSR_ERR_NONE;
    backend_start(&backend);
    fleet_init(&f, NULL);
    fleet_endpoint(&f, 0, 1);
    f.refs[0][0].port = backend.port;
    f.models[0].reliability.health_check_path = VSR_STR("/health");
    f.models[0].reliability.health_check_interval_ms = 20;
    f.models[0].reliability.health_check_timeout_ms = 1000;
    fleet_build(&f, 1);
    first = f.model->endpoints[0].state;
    CHECK_MSG(loop_new(&loop, &err) == 0, "%s", err.text);
    CHECK_MSG(client_new(loop, &limits, &client, &err) == 0, "%s", err.text);
    health = health_new(loop, client);
    health_watch(health, f.set);
    for (int i = 0; i < 500 && atomic_load(&backend.n_requests) < 3; i++)
        loop_run_once(loop, 10);
    CHECK(!atomic_load(&first->unhealthy), "200");
    atomic_store(&backend.status, 204);
    CHECK(wait_until(loop, first, true), "only 200 is healthy");
    atomic_store(&backend.status, 200);
    CHECK(wait_until(loop, first, false), "healthy again");
    backend_stop(&backend);
    CHECK(wait_until(loop, first, true), "gone");
    health_watch(health, f.set);
    health_free(health);
    client_free(client);
    loop_free(loop);
    fleet_done(&f, true);
}

RUN_TESTS(T(three_failures_one_success), T(checks_a_backend))
