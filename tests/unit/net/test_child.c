#include "net/child.h"

#include <signal.h>

#include "net/bell.h"
#include "peer.h"

struct watch {
    struct loop *loop;
    struct child *child;
    struct buf out, err;
    int n_exit, code, n_gone;
    bool stop_in_out;
};

static void on_gone(void *data) {
    struct watch *watch = data;
    watch->n_gone++;
}

static void on_out(void *owner, vsr_str bytes) {
    struct watch *watch = owner;
    CHECK(watch->n_exit == 0 && watch->child, "no output behind the end");
    buf_append(&watch->out, bytes);
    if (watch->stop_in_out) {
        child_stop(watch->child, 0, on_gone, watch);
        watch->child = NULL;
    }
}

static void on_err(void *owner, vsr_str bytes) {
    struct watch *watch = owner;
    buf_append(&watch->err, bytes);
}

static void on_end(void *owner, int code) {
    struct watch *watch = owner;
    watch->n_exit++;
    watch->code = code;
}

static const struct child_events events = { .on_out = on_out, .on_err = on_err, .on_exit = on_end };

static void watch_begin(struct watch *watch) {
    struct vsr_err err = VSR_ERR_NONE;
    *watch = (struct watch){ 0 };
    buf_init(&watch->out, PEER_GOT_MAX);
    buf_init(&watch->err, PEER_GOT_MAX);
    CHECK_MSG(loop_new(&watch->loop, &err) == 0, "%s", err.text);
}

static void watch_end(struct watch *watch) {
    if (watch->child)
        child_stop(watch->child, 0, NULL, NULL);
    loop_free(watch->loop);
    buf_done(&watch->out);
    buf_done(&watch->err);
}

static void start(struct watch *watch, const char *script) {
    const char *const argv[] = { "sh", "-c", script, "sh", "an argument", NULL };
    const char *const env[] = { "PATH=/usr/bin:/bin", "GIVEN=yes", NULL };
    const struct child_options options = { .argv = argv, .env = env, .folder = "/" };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(child_start(watch->loop, &options, &events, watch, &watch->child, &err) == 0, "%s", err.text);
}

TEST(talks) {
    struct watch watch;
    watch_begin(&watch);
    start(&watch, "read line; echo \"$line, $1, $GIVEN, $HOME, $(pwd)\"; echo problem >&2; exit 3");
    CHECK(child_write(watch.child, VSR_STR("hello\n")) == 0, "write");
    PUMP(watch.loop, watch.n_exit == 1, "exit");
    CHECK_STR(buf_str(&watch.out), "hello, an argument, yes, , /\n", "all output came before the end");
    CHECK_STR(buf_str(&watch.err), "problem\n", "standard error");
    CHECK_INT(watch.code, 3, "status");
    CHECK_INT(child_write(watch.child, VSR_STR("x")), VSR_E_CLOSED, "writing to the dead");
    watch_end(&watch);
}

TEST(takes_more_than_a_pipe) {
    enum { LEN = 3 << 20 };
    struct watch watch;
    struct buf bytes;
    watch_begin(&watch);
    buf_init(&bytes, LEN);
    CHECK(buf_reserve(&bytes, LEN) == 0, "memory");
    memset(bytes.ptr, 'x', LEN);
    bytes.ptr[LEN - 1] = '\n';
    bytes.len = LEN;
    start(&watch, "head -c 3145728");
    CHECK(child_write(watch.child, buf_str(&bytes)) == 0, "write");
    PUMP(watch.loop, watch.n_exit == 1, "exit");
    CHECK(str_eq(buf_str(&watch.out), buf_str(&bytes)), "the same came back");
    watch_end(&watch);
    buf_done(&bytes);
}

TEST(a_queue_has_an_end) {
    struct watch watch;
    struct buf bytes;
    int rc = 0;
    watch_begin(&watch);
    buf_init(&bytes, 16 << 20);
    CHECK(buf_reserve(&bytes, 16 << 20) == 0, "memory");
    memset(bytes.ptr, 'x', 16 << 20);
    bytes.len = 16 << 20;
    start(&watch, "exec sleep 1000");
    for (int i = 0; i < 5 && rc == 0; i++)
        rc = child_write(watch.child, buf_str(&bytes));
    CHECK_INT(rc, VSR_E_LIMIT, "full");
    watch_end(&watch);
    buf_done(&bytes);
}

TEST(no_such_program) {
    static const char *const argv[] = { "/nowhere/program", NULL }, *const env[] = { NULL };
    const struct child_options options = { .argv = argv, .env = env };
    struct vsr_err err = VSR_ERR_NONE;
    struct watch watch;
    watch_begin(&watch);
    CHECK_INT(child_start(watch.loop, &options, &events, &watch, &watch.child, &err), VSR_E_NOT_FOUND, "code");
    CHECK(strstr(err.text, "/nowhere/program"), "names it");
    watch_end(&watch);
}

static const struct {
    const char *name, *script;
} endings[] = {
    { "ends with its input", "cat" },
    { "heeds SIGTERM", "exec sleep 1000" },
    { "needs SIGKILL", "trap '' TERM; while :; do sleep 0.01; done" },
    { "ended already", "exit 0" },
};

TEST(stops) {
    for (size_t i = 0; i < VSR_COUNT(endings); i++) {
        struct watch watch;
        watch_begin(&watch);
        start(&watch, endings[i].script);
        if (i == 3)
            PUMP(watch.loop, watch.n_exit == 1, endings[i].name);
        else
            pump_turns(watch.loop, 5);
        child_stop(watch.child, 20, on_gone, &watch);
        watch.child = NULL;
        PUMP(watch.loop, watch.n_gone == 1, endings[i].name);
        CHECK_INT(watch.n_exit, i == 3, endings[i].name);
        watch_end(&watch);
    }
}

TEST(stops_what_it_started) {
    struct watch watch;
    uint64_t pid = 0;
    watch_begin(&watch);
    start(&watch, "sleep 1000 & echo $!; wait");
    PUMP(watch.loop, watch.out.len > 0 && watch.out.ptr[watch.out.len - 1] == '\n', "its child runs");
    CHECK(str_to_u64(str_trim(buf_str(&watch.out)), &pid), "pid");
    child_stop(watch.child, 0, on_gone, &watch);
    watch.child = NULL;
    PUMP(watch.loop, watch.n_gone == 1, "gone");
    for (int i = 0; i < 1000 && kill((pid_t)pid, 0) == 0; i++) /* until somebody reaps it */
        loop_run_once(watch.loop, 2);
    if (kill((pid_t)pid, 0) == 0) { /* nobody does in this container: then it must be dead at least */
        char path[64], line[64] = "";
        FILE *file;
        snprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)pid);
        file = fopen(path, "r");
        CHECK(file && fgets(line, sizeof(line), file) && strstr(line, ") Z"), "a zombie");
        fclose(file);
    }
    watch_end(&watch);
}

TEST(stops_inside_an_event) {
    struct watch watch;
    watch_begin(&watch);
    watch.stop_in_out = true;
    start(&watch, "echo x; exec sleep 1000");
    PUMP(watch.loop, watch.n_gone == 1, "gone");
    CHECK_INT(watch.n_exit, 0, "nothing further is told");
    watch_end(&watch);
}

/* ---- bells */

static void count(void *data) {
    ++*(int *)data;
}

TEST(bells) {
    struct vsr_err err = VSR_ERR_NONE;
    struct bell *bell = NULL;
    struct watch watch;
    int n = 0;
    watch_begin(&watch);
    CHECK(bell_new(watch.loop, count, &n, &bell, &err) == 0, "made");
    bell_ring(bell);
    bell_ring(bell);
    PUMP(watch.loop, n >= 1, "rings");
    bell_ring(bell);
    n = 0;
    bell_free(bell);
    pump_turns(watch.loop, 5);
    CHECK_INT(n, 0, "a bell that is gone is silent");
    watch_end(&watch);
}

RUN_TESTS(T(talks), T(takes_more_than_a_pipe), T(a_queue_has_an_end), T(no_such_program), T(stops),
          T(stops_what_it_started), T(stops_inside_an_event), T(bells))
