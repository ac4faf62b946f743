#include "net/file_watch.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

enum { SETTLE_MS = 20, QUIET_TURNS = 40, NOBODY = 65534 };

struct probe {
    char dir[PATH_MAX];
    struct loop *loop;
    struct file_watch *watch;
    int n;
};

static void on_change(void *data) {
    struct probe *probe = data;
    probe->n++;
}

/* Runs a shell script in the test's directory, with descriptors even where a test leaves itself none. */
static void sh(const struct probe *probe, const char *script) {
    char command[2 * PATH_MAX];
    int status;
    (void)snprintf(command, sizeof(command), "ulimit -S -n 256 && cd '%s' && set -e && %s", probe->dir, script);
    status = system(command);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "script failed: %s", script);
}

static void probe_init(struct probe *probe, const struct file_watch_options *options) {
    struct vsr_err err = VSR_ERR_NONE;
    const char *tmp = getenv("TMPDIR");
    *probe = (struct probe){ .n = 0 };
    (void)snprintf(probe->dir, sizeof(probe->dir), "%s/vsr-watch-XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(probe->dir) != NULL, "temporary directory");
    CHECK_MSG(loop_new(&probe->loop, &err) == 0, "%s", err.text);
    probe->watch = file_watch_new(probe->loop, options, on_change, probe);
}

static void probe_done(struct probe *probe) {
    file_watch_free(probe->watch);
    loop_free(probe->loop);
    sh(probe, "chmod -R u+rwx . && rm -rf -- \"$PWD\"");
}

static void watch_one(struct probe *probe, const char *name) {
    char path[2 * PATH_MAX];
    struct vsr_err err = VSR_ERR_NONE;
    (void)snprintf(path, sizeof(path), "%s/%s", probe->dir, name);
    CHECK_MSG(file_watch_set(probe->watch, &(vsr_str){ path, strlen(path) }, 1, &err) == 0, "%s", err.text);
}

static void quiet(struct probe *probe, int n, const char *name) {
    for (int i = 0; i < QUIET_TURNS; i++)
        loop_run_once(probe->loop, 5);
    CHECK_INT(probe->n, n, name);
}

static const struct file_watch_options brisk = { .debounce_ms = SETTLE_MS, .debounce_max_ms = 10 * SETTLE_MS };

/* ---- what counts as a change, and what does not */

#define MOUNT \
    "mkdir ..1 ..2 ..3 && echo 1 >..1/config.yaml && echo 2 >..2/config.yaml && echo 3 >..3/config.yaml && " \
    "ln -s ..1 ..data && ln -s ..data/config.yaml config.yaml"
#define SWAP(n) "ln -s .." n " ..data_tmp && mv -T ..data_tmp ..data"

static const struct {
    const char *name, *path, *before, *change;
    bool noticed;
} cases[] = {
    { "written in place", "c.yaml", "echo a >c.yaml", "echo b >c.yaml", true },
    { "appended to", "c.yaml", "echo a >c.yaml", "echo b >>c.yaml", true },
    { "truncated", "c.yaml", "echo a >c.yaml", ": >c.yaml", true },
    { "replaced by a rename", "c.yaml", "echo a >c.yaml", "echo b >.c.new && mv .c.new c.yaml", true },
    { "replaced by a rename, with a backup", "c.yaml", "echo a >c.yaml", "mv c.yaml c.yaml~ && echo b >c.yaml", true },
    { "replaced by a link", "c.yaml", "echo a >c.yaml && echo b >d", "ln -sf d c.yaml", true },
    { "replaced by a hard link", "c.yaml", "echo a >c.yaml && echo b >d", "ln -f d c.yaml", true },
    { "mode", "c.yaml", "echo a >c.yaml", "chmod 600 c.yaml", true },
    { "touched", "c.yaml", "echo a >c.yaml", "touch c.yaml", true },
    { "removed", "c.yaml", "echo a >c.yaml", "rm c.yaml", true },
    { "moved away", "c.yaml", "echo a >c.yaml", "mv c.yaml d.yaml", true },
    { "made", "c.yaml", ":", "echo a >c.yaml", true },
    { "its directory made", "sub/c.yaml", ":", "mkdir sub && echo a >sub/c.yaml", true },
    { "directories made one by one", "a/b/c.yaml", ":",
      "mkdir a && sleep .05 && mkdir a/b && sleep .05 && echo a >a/b/c.yaml", true },
    { "its directory removed", "sub/c.yaml", "mkdir sub && echo a >sub/c.yaml", "rm -r sub", true },
    { "its directory moved", "sub/c.yaml", "mkdir sub && echo a >sub/c.yaml", "mv sub bus", true },
    { "another directory in its place", "sub/c.yaml", "mkdir sub other && echo a >sub/c.yaml && echo b >other/c.yaml",
      "mv sub old && mv other sub", true },
    { "a directory further up moved", "a/b/c.yaml", "mkdir -p a/b && echo a >a/b/c.yaml", "mv a z", true },
    { "a mount swapped", "config.yaml", MOUNT, SWAP("2"), true },
    { "a sibling ..data", "config.yaml", "echo a >config.yaml", "mkdir ..1 && ln -s ..1 ..data", true },
    { "a linked directory turned", "now/c.yaml",
      "mkdir r1 r2 && echo a >r1/c.yaml && echo b >r2/c.yaml && ln -s r1 now", "ln -s r2 next && mv -T next now",
      true },
    { "the target of a link", "c.yaml", "mkdir far && echo a >far/d && ln -s far/d c.yaml", "echo b >far/d", true },
    { "the target of a link replaced", "c.yaml", "mkdir far && echo a >far/d && ln -s far/../far/./d c.yaml",
      "echo b >far/e && mv far/e far/d", true },
    { "an absolute link", "c.yaml", "mkdir far && echo a >far/d && ln -s \"$PWD/far/d\" c.yaml", "rm far/d", true },
    { "a dangling link's target made", "c.yaml", "ln -s far/d c.yaml", "mkdir far && echo a >far/d", true },
    { "a circle of links undone", "c.yaml", "ln -s d c.yaml && ln -s c.yaml d", "rm d && echo a >d", true },
    { "read", "c.yaml", "echo a >c.yaml", "cat c.yaml >/dev/null", false },
    { "editor temporaries", "c.yaml", "echo a >c.yaml",
      "echo x >.c.yaml.swp && echo x >4913 && rm 4913 && echo x >c.yaml~ && echo x >'#c.yaml#' && ln -s x '.#c.yaml' "
      "&& "
      "echo x >.c.yaml.new && rm .c.yaml.swp",
      false },
    { "a sibling", "c.yaml", "echo a >c.yaml && echo a >d.yaml", "echo b >d.yaml && rm d.yaml && mkdir e", false },
    { "a file of that name elsewhere", "c.yaml", "echo a >c.yaml && mkdir sub", "echo a >sub/c.yaml", false },
    { "what it once linked to", "c.yaml", "mkdir far && echo a >far/d && echo a >c.yaml", "echo b >far/d", false },
};

TEST(changes) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct probe probe;
        probe_init(&probe, &brisk);
        sh(&probe, cases[i].before);
        watch_one(&probe, cases[i].path);
        CHECK(!file_watch_polls(probe.watch), cases[i].name);
        sh(&probe, cases[i].change);
        if (cases[i].noticed)
            PUMP(probe.loop, probe.n > 0, cases[i].name);
        else
            quiet(&probe, 0, cases[i].name);
        probe_done(&probe);
    }
}

/* Each step must be seen although the one before changed what there is to watch. */
static void sequence(const char *path, const char *before, const char *const *steps) {
    struct probe probe;
    probe_init(&probe, &brisk);
    sh(&probe, before);
    watch_one(&probe, path);
    for (size_t i = 0; steps[i]; i++) {
        probe.n = 0;
        sh(&probe, steps[i]);
        PUMP(probe.loop, probe.n > 0, steps[i]);
        for (int j = 0; j < QUIET_TURNS; j++) /* a step may count twice, but its echo not as the next one */
            loop_run_once(probe.loop, 2);
    }
    probe_done(&probe);
}

TEST(sequences) {
    static const char *const renames[] = { "echo 1 >n && mv n c", "echo 2 >n && mv n c", "echo 3 >>c", "echo 4 >c",
                                           "echo 5 >n && mv n c", "chmod 640 c",         NULL };
    static const char *const swaps[] = { SWAP("2"), SWAP("3"), SWAP("1") " && rm -r ..2", "echo x >..1/config.yaml",
                                         NULL };
    static const char *const returns[] = { "rm c", "echo 1 >c", "rm c", "echo 2 >n && mv n c", "echo 3 >c", NULL };
    static const char *const homeless[] = { "rm -r d",     "mkdir d", "echo 1 >d/c",
                                            "echo 2 >d/c", "mv d e",  "mv e d",
                                            "echo 3 >d/c", "rm -r d", "mkdir d && echo 4 >d/c",
                                            NULL };
    sequence("c", "echo 0 >c", renames);
    sequence("config.yaml", MOUNT, swaps);
    sequence("c", "echo 0 >c", returns);
    sequence("d/c", "mkdir d && echo 0 >d/c", homeless);
}

/* ---- bursts */

TEST(burst_is_one_event) {
    struct probe probe;
    probe_init(&probe, &brisk);
    sh(&probe, "echo 0 >c");
    watch_one(&probe, "c");
    sh(&probe, "for i in 1 2 3 4 5 6 7 8 9; do echo $i >c; echo $i >n; mv n c; done");
    PUMP(probe.loop, probe.n > 0, "burst");
    quiet(&probe, 1, "burst");
    probe_done(&probe);
}

TEST(endless_burst_is_reported) {
    static const struct file_watch_options patient = { .debounce_ms = 3600000, .debounce_max_ms = 50 };
    struct probe probe;
    probe_init(&probe, &patient);
    sh(&probe, "echo 0 >c");
    watch_one(&probe, "c");
    while (probe.n < 2) { /* quiet never comes, so only the longest wait can end it */
        sh(&probe, "echo 1 >>c");
        loop_run_once(probe.loop, 2);
    }
    probe_done(&probe);
}

TEST(quiet_is_awaited) {
    static const struct file_watch_options patient = { .debounce_ms = 3600000, .debounce_max_ms = 3600000 };
    struct probe probe;
    probe_init(&probe, &patient);
    sh(&probe, "echo 0 >c");
    watch_one(&probe, "c");
    sh(&probe, "echo 1 >c");
    quiet(&probe, 0, "too early");
    probe_done(&probe);
}

/* ---- several paths */

TEST(set_replaces) {
    struct probe probe;
    struct vsr_err err = VSR_ERR_NONE;
    char a[2 * PATH_MAX], b[2 * PATH_MAX];
    vsr_str paths[2];
    probe_init(&probe, &brisk);
    sh(&probe, "echo 0 >a && echo 0 >b");
    (void)snprintf(a, sizeof(a), "%s/a", probe.dir);
    (void)snprintf(b, sizeof(b), "%s/b", probe.dir);
    paths[0] = str_from_c(a);
    paths[1] = str_from_c(b);
    CHECK(file_watch_set(probe.watch, paths, 2, &err) == 0, "both");
    sh(&probe, "echo 1 >b");
    PUMP(probe.loop, probe.n == 1, "the second path");
    sh(&probe, "echo 1 >a");
    PUMP(probe.loop, probe.n == 2, "the first path");
    CHECK(file_watch_set(probe.watch, paths, 1, &err) == 0, "only a");
    sh(&probe, "echo 2 >b");
    quiet(&probe, 2, "b is no longer watched");
    sh(&probe, "echo 2 >a");
    PUMP(probe.loop, probe.n == 3, "a still is");
    CHECK(file_watch_set(probe.watch, NULL, 0, &err) == 0, "none");
    sh(&probe, "echo 3 >a");
    quiet(&probe, 3, "nothing is watched");
    probe_done(&probe);
}

TEST(relative_path) {
    struct probe probe;
    struct vsr_err err = VSR_ERR_NONE;
    char before[PATH_MAX];
    probe_init(&probe, &brisk);
    sh(&probe, "mkdir s && echo 0 >s/c");
    CHECK(getcwd(before, sizeof(before)) != NULL && chdir(probe.dir) == 0, "chdir");
    CHECK(file_watch_set(probe.watch, &VSR_STR("s/../s/c"), 1, &err) == 0, "relative");
    CHECK(chdir(before) == 0, "back");
    sh(&probe, "echo 1 >s/c");
    PUMP(probe.loop, probe.n == 1, "relative");
    probe_done(&probe);
}

TEST(limits) {
    struct probe probe;
    struct vsr_err err = VSR_ERR_NONE;
    static vsr_str paths[FILE_WATCH_PATHS_MAX + 1];
    static char names[FILE_WATCH_PATHS_MAX + 1][2 * PATH_MAX], far[PATH_MAX + 1];
    probe_init(&probe, &brisk);
    for (size_t i = 0; i <= FILE_WATCH_PATHS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%s/f%zu", probe.dir, i);
        paths[i] = str_from_c(names[i]);
    }
    CHECK_INT(file_watch_set(probe.watch, paths, FILE_WATCH_PATHS_MAX, &err), 0, "as many as there may be");
    CHECK_INT(file_watch_set(probe.watch, paths, FILE_WATCH_PATHS_MAX + 1, &err), VSR_E_LIMIT, "one more");
    memset(far, 'x', PATH_MAX);
    far[0] = '/';
    CHECK_INT(file_watch_set(probe.watch, &(vsr_str){ far, PATH_MAX }, 1, &err), VSR_E_LIMIT, "too long");
    CHECK_INT(file_watch_set(probe.watch, &(vsr_str){ far, PATH_MAX - 1 }, 1, &err), 0, "as long as may be");
    CHECK_INT(file_watch_set(probe.watch, paths, FILE_WATCH_PATHS_MAX, &err), 0, "again");
    sh(&probe, "echo 1 >f255");
    PUMP(probe.loop, probe.n == 1, "the last of many");
    probe_done(&probe);
}

/* ---- without inotify */

static const struct file_watch_options polling = { .debounce_ms = SETTLE_MS, .debounce_max_ms = 100, .poll_ms = 30 };

/* No descriptor is left for inotify: the same error as when the user's instances are used up. */
TEST(no_inotify) {
    struct probe probe;
    struct rlimit before, tight;
    int next;
    probe_init(&probe, &polling);
    sh(&probe, "echo 0 >c");
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0, "limit");
    next = dup(STDERR_FILENO);
    CHECK(next >= 0 && close(next) == 0, "the next descriptor");
    tight = before;
    tight.rlim_cur = (rlim_t)next;
    CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0, "tight");
    watch_one(&probe, "c");
    CHECK(file_watch_polls(probe.watch), "polls");
    quiet(&probe, 0, "no change");
    sh(&probe, "echo 11 >c");
    PUMP(probe.loop, probe.n == 1, "written in place");
    sh(&probe, "echo 2 >n && mv n c");
    PUMP(probe.loop, probe.n == 2, "renamed");
    sh(&probe, "rm c");
    PUMP(probe.loop, probe.n == 3, "removed");
    sh(&probe, "echo 3 >c");
    PUMP(probe.loop, probe.n == 4, "returned");
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0, "as before");
    PUMP(probe.loop, !file_watch_polls(probe.watch), "inotify is taken up when it can be had");
    sh(&probe, "echo 44 >c");
    PUMP(probe.loop, probe.n == 5, "by inotify");
    probe_done(&probe);
}

/* inotify may not look into a directory that the user may only pass through. */
TEST(unreadable_directory) {
    struct probe probe;
    bool root = geteuid() == 0;
    probe_init(&probe, &polling);
    sh(&probe, "chmod 755 . && mkdir d && echo 0 >d/c && chmod 311 d");
    if (root)
        CHECK(seteuid(NOBODY) == 0, "give up what root may");
    watch_one(&probe, "d/c");
    CHECK(file_watch_polls(probe.watch), "polls");
    if (root)
        CHECK(seteuid(0) == 0, "root again");
    sh(&probe, "chmod 755 d && echo 1 >d/n && mv d/n d/c && chmod 311 d");
    if (root)
        CHECK(seteuid(NOBODY) == 0, "nobody again");
    PUMP(probe.loop, probe.n > 0, "seen all the same");
    if (root)
        CHECK(seteuid(0) == 0, "root again");
    probe_done(&probe);
}

RUN_TESTS(T(changes), T(sequences), T(burst_is_one_event), T(endless_burst_is_reported), T(quiet_is_awaited),
          T(set_replaces), T(relative_path), T(limits), T(no_inotify), T(unreadable_directory))
