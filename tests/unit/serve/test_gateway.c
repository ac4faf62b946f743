#include "serve/gateway.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "route/route.h"
#include "test.h"

enum { CALLERS = 6, CALLS_EACH = 10, LATE_CALLS = 40 };

/* A gateway in a thread of its own. */
struct world {
    char dir[64], file[96];
    uint16_t port;
    struct gateway_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct gateway *gateway;
    bool ended;
    int rc;
    struct vsr_err err;
};

static const struct config_kind algorithms[] = { { .type = "static", .ready = true } };

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A socket that listens on a port of its own. */
static int hold_port(uint16_t *ret_port) {
    struct sockaddr_in addr = loopback(0);
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 1) == 0, "listen");
    CHECK(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "port");
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

static bool reachable(uint16_t port) {
    struct sockaddr_in addr = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
    close(fd);
    return ok;
}

static void write_text(const struct world *world, const char *text) {
    FILE *file = fopen(world->file, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "write");
}

/* A policy with one or two listeners; `note` makes the text differ. */
static void write_policy(const struct world *world, uint16_t second, const char *note) {
    char text[1024], more[128] = "";
    if (second)
        (void)snprintf(more, sizeof(more), "  - {name: second, address: 127.0.0.1, port: %u}\n", second);
    (void)snprintf(text, sizeof(text),
                   "version: v0.3 # %s\n"
                   "listeners:\n"
                   "  - {name: first, address: 127.0.0.1, port: %u}\n%s"
                   "providers:\n"
                   "  defaults: {default_model: m}\n"
                   "  models: [{name: m, backend_refs: [{endpoint: '127.0.0.1:1'}]}]\n"
                   "routing: {modelCards: [{name: m}]}\n",
                   note, world->port, more);
    write_text(world, text);
}

static int on_start(void *data, struct gateway *gateway, struct vsr_err *err) {
    struct world *world = data;
    (void)err;
    pthread_mutex_lock(&world->lock);
    world->gateway = gateway;
    pthread_cond_signal(&world->changed);
    pthread_mutex_unlock(&world->lock);
    return 0;
}

static void *run(void *data) {
    struct world *world = data;
    int rc = gateway_run(&world->options, &world->err);
    pthread_mutex_lock(&world->lock);
    world->rc = rc;
    world->ended = true;
    pthread_cond_signal(&world->changed);
    pthread_mutex_unlock(&world->lock);
    return NULL;
}

static void begin(struct world *world) {
    *world = (struct world){ .dir = "/tmp/vsr-gateway-XXXXXX" };
    CHECK(mkdtemp(world->dir) != NULL, "directory");
    (void)snprintf(world->file, sizeof(world->file), "%s/config.yaml", world->dir);
    close(hold_port(&world->port));
    write_policy(world, 0, "one");
    world->options = (struct gateway_options){
        .config_file = world->file,
        .load.parts = { .families = route_families(), .algorithms = { algorithms, 1 } },
        .workers = 2,
        .on_start = on_start,
        .data = world,
    };
    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT, STDERR_FILENO);
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->changed, NULL);
    CHECK(pthread_create(&world->thread, NULL, run, world) == 0, "thread");
    pthread_mutex_lock(&world->lock);
    while (!world->gateway && !world->ended)
        pthread_cond_wait(&world->changed, &world->lock);
    pthread_mutex_unlock(&world->lock);
    CHECK_MSG(!world->ended, "did not start: %s", world->err.text);
}

static void end(struct world *world) {
    CHECK(kill(getpid(), SIGTERM) == 0, "signal");
    pthread_join(world->thread, NULL);
    CHECK_MSG(world->rc == 0, "ended badly: %s", world->err.text);
    unlink(world->file);
    rmdir(world->dir);
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->lock);
}

/* ---- calls that wait for their report */

struct call {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int n_reports;
    struct gateway_report report;
    struct vsr_err err;
    char stage[16];
    size_t n_problems;
};

static void on_report(void *data, const struct gateway_report *report) {
    struct call *call = data;
    pthread_mutex_lock(&call->lock);
    call->n_reports++;
    call->report = *report;
    if (report->err)
        call->err = *report->err;
    (void)snprintf(call->stage, sizeof(call->stage), "%s", report->stage ? report->stage : "");
    call->n_problems = report->diag ? report->diag->n_errors : 0;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->lock);
}

static void call_init(struct call *call) {
    *call = (struct call){ .err = VSR_ERR_NONE };
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->done, NULL);
}

static void call_wait(struct call *call) {
    pthread_mutex_lock(&call->lock);
    while (call->n_reports == 0)
        pthread_cond_wait(&call->done, &call->lock);
    pthread_mutex_unlock(&call->lock);
}

static void call_done(struct call *call) {
    pthread_cond_destroy(&call->done);
    pthread_mutex_destroy(&call->lock);
}

static void check_reload(struct world *world, bool forced, enum gateway_result result, uint64_t generation,
                         const char *stage, const char *text, const char *name) {
    struct call call;
    call_init(&call);
    gateway_reload(world->gateway, forced, on_report, &call);
    call_wait(&call);
    CHECK_INT(call.report.result, result, name);
    CHECK_INT(call.report.generation, generation, name);
    CHECK_STR(str_from_c(call.stage), stage, name);
    CHECK_MSG(str_find(str_from_c(call.err.text), str_from_c(text)) >= 0, "case \"%s\": \"%s\" lacks \"%s\"", name,
              call.err.text, text);
    CHECK(call.n_problems == 0 || str_eq_c(str_from_c(call.stage), "validate"), name);
    call_done(&call);
}

TEST(results_and_stages) {
    struct world world;
    uint16_t taken, fresh;
    int holder;
    begin(&world);
    check_reload(&world, false, GATEWAY_UNCHANGED, 1, "", "", "nothing to do");
    check_reload(&world, true, GATEWAY_RELOADED, 2, "", "", "forced");
    write_policy(&world, 0, "two");
    check_reload(&world, false, GATEWAY_RELOADED, 3, "", "", "changed");
    write_text(&world, "version: v0.3\nrouting: {modelCards: [{nam: x}]}\nproviders: 7\n");
    check_reload(&world, false, GATEWAY_RELOAD_FAILED, 3, "validate", "config.yaml:2:", "bad");
    check_reload(&world, true, GATEWAY_RELOAD_FAILED, 3, "validate", "errors, the first at", "forced and bad");
    write_policy(&world, 0, "two");
    check_reload(&world, false, GATEWAY_UNCHANGED, 3, "", "", "what serves is back");
    unlink(world.file);
    check_reload(&world, false, GATEWAY_RELOAD_FAILED, 3, "read", "cannot read", "no file");
    CHECK(mkfifo(world.file, 0600) == 0, "pipe");
    check_reload(&world, true, GATEWAY_RELOAD_FAILED, 3, "read", "no regular file", "a pipe does not block");
    unlink(world.file);
    holder = hold_port(&taken);
    write_policy(&world, taken, "three");
    check_reload(&world, false, GATEWAY_RELOAD_FAILED, 3, "listen", "listener \"second\" on 127.0.0.1", "port taken");
    CHECK(reachable(world.port), "the first listener still listens");
    close(holder);
    check_reload(&world, false, GATEWAY_RELOADED, 4, "", "", "port free");
    CHECK(reachable(taken), "the second listens");
    close(hold_port(&fresh));
    write_policy(&world, fresh, "four");
    check_reload(&world, false, GATEWAY_RELOADED, 5, "", "", "another port");
    CHECK(reachable(fresh) && !reachable(taken), "one opened, one closed");
    write_policy(&world, 0, "five");
    check_reload(&world, false, GATEWAY_RELOADED, 6, "", "", "removed");
    CHECK(reachable(world.port) && !reachable(fresh), "only the first");
    write_text(&world, "version: v0.3\nglobal: {services: {management_api: {port: 1234}}}\n");
    check_reload(&world, false, GATEWAY_RELOAD_FAILED, 6, "validate", "E_RELOAD_UNSAFE", "the process's own socket");
    CHECK(reachable(world.port), "nothing has changed");
    end(&world);
}

/* ---- many callers */

static void *call_often(void *data) {
    struct world *world = data;
    for (int i = 0; i < CALLS_EACH; i++) {
        struct call call;
        call_init(&call);
        gateway_reload(world->gateway, i % 2 == 0, on_report, &call);
        call_wait(&call);
        CHECK(call.report.result != GATEWAY_RELOAD_FAILED, call.err.text);
        call_done(&call);
    }
    return NULL;
}

TEST(many_callers) {
    struct world world;
    struct call call;
    pthread_t threads[CALLERS];
    begin(&world);
    for (int i = 0; i < CALLERS; i++)
        CHECK(pthread_create(&threads[i], NULL, call_often, &world) == 0, "thread");
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    call_init(&call);
    gateway_reload(world.gateway, true, on_report, &call);
    call_wait(&call);
    CHECK(call.report.generation > CALLS_EACH / 2 && call.report.generation <= 2 + CALLERS * CALLS_EACH, "generation");
    call_done(&call);
    end(&world);
}

TEST(every_call_is_answered_at_the_end) {
    struct world world;
    struct call calls[LATE_CALLS];
    begin(&world);
    for (int i = 0; i < LATE_CALLS; i++) {
        call_init(&calls[i]);
        gateway_reload(world.gateway, true, on_report, &calls[i]);
    }
    end(&world);
    for (int i = 0; i < LATE_CALLS; i++) {
        CHECK_INT(calls[i].n_reports, 1, "one report");
        call_done(&calls[i]);
    }
}

RUN_TESTS(T(results_and_stages), T(many_callers), T(every_call_is_answered_at_the_end))
