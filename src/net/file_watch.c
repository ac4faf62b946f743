#include "net/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <uv.h>

#include "core/mem.h"
#include "net/loop.h"
#include "net/path_chain.h"

enum {
    EVENTS_LEN = 16 << 10, /* bytes of events per read; one has at most sizeof(struct inotify_event) + NAME_MAX + 1 */
    DIR_MASK = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
               IN_ONLYDIR | IN_MASK_ADD,
    FILE_MASK = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD,
};

/* A name in a directory, or a file as such. A wd stands for an inode and is never used again by the kernel. */
struct place {
    int wd;
    char *name; /* owned; NULL: whatever the wd stands for */
};

struct places {
    struct place *items;
    size_t n, cap;
};

/* What stat(2) says of a path; differs whenever the file may have changed. */
struct fingerprint {
    int error; /* errno; the rest is zero then */
    dev_t dev;
    ino_t ino;
    off_t size;
    mode_t mode;
    struct timespec modified, changed;
};

struct watched_path {
    char *path; /* owned, absolute */
    struct fingerprint seen;
};

struct file_watch {
    struct loop *loop;
    struct file_watch_options options;
    void (*fn)(void *data);
    void *data;
    struct watched_path *paths;
    size_t n_paths;
    struct places places;
    int fd;          /* inotify; -1: not to be had at the moment */
    uv_poll_t *poll; /* of fd; NULL: none */
    bool impaired;   /* inotify does not see everything */
    struct loop_timer debounce_timer, poll_timer;
    bool pending;
    uint64_t pending_since_ms;
};

static char *copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}

/* ---- fingerprints */

static struct fingerprint fingerprint_of(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct fingerprint){ .error = errno };
    return (struct fingerprint){ .dev = status.st_dev,
                                 .ino = status.st_ino,
                                 .size = status.st_size,
                                 .mode = status.st_mode,
                                 .modified = status.st_mtim,
                                 .changed = status.st_ctim };
}

static bool same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_fingerprint(const struct fingerprint *a, const struct fingerprint *b) {
    return a->error == b->error && a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mode == b->mode &&
           same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* ---- places */

static bool places_have(const struct places *places, int wd, const char *name) {
    for (size_t i = 0; i < places->n; i++) {
        const struct place *place = &places->items[i];
        if (place->wd == wd && (name ? place->name && strcmp(place->name, name) == 0 : !place->name))
            return true;
    }
    return false;
}

static bool places_have_wd(const struct places *places, int wd) {
    for (size_t i = 0; i < places->n; i++)
        if (places->items[i].wd == wd)
            return true;
    return false;
}

static void places_add(struct places *places, int wd, const char *name) {
    if (places_have(places, wd, name))
        return;
    if (places->n == places->cap) {
        size_t cap = places->cap ? 2 * places->cap : 16;
        struct place *items = mem_alloc(cap * sizeof(*items));
        if (places->n)
            memcpy(items, places->items, places->n * sizeof(*items));
        mem_free(places->items);
        places->items = items;
        places->cap = cap;
    }
    places->items[places->n++] = (struct place){ wd, name ? copy_text(name) : NULL };
}

static void places_done(struct places *places) {
    for (size_t i = 0; i < places->n; i++)
        mem_free(places->items[i].name);
    mem_free(places->items);
    *places = (struct places){ .items = NULL };
}

/* ---- the inotify descriptor */

static void on_events(uv_poll_t *poll, int status, int events);

static void on_poll_closed(uv_handle_t *handle) {
    mem_free(handle);
}

static void close_inotify(struct file_watch *watch) {
    if (watch->poll)
        uv_close((uv_handle_t *)watch->poll, on_poll_closed);
    watch->poll = NULL;
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}

static void open_inotify(struct file_watch *watch) {
    if (watch->fd >= 0)
        return;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0)
        return;
    watch->poll = MEM_NEW(uv_poll_t);
    if (uv_poll_init(loop_uv(watch->loop), watch->poll, watch->fd) != 0) {
        mem_free(watch->poll); /* a handle that failed to begin needs no close */
        watch->poll = NULL;
        close_inotify(watch);
        return;
    }
    watch->poll->data = watch;
    (void)uv_poll_start(watch->poll, UV_READABLE, on_events); /* fails only for a handle that is closing */
    uv_unref((uv_handle_t *)watch->poll);                     /* waiting for a change keeps no loop alive */
}

/* ---- what to watch */

/* File systems whose files other machines, or programs outside the kernel's sight, change without an inotify event. */
static bool is_remote(const char *path) {
    static const unsigned long types[] = {
        0x6969,     /* NFS */
        0x517B,     /* SMB */
        0xFF534D42, /* CIFS */
        0xFE534D42, /* SMB 2 */
        0x65735546, /* FUSE, virtiofs */
        0x01021997, /* 9P */
        0x00C36400, /* Ceph */
        0x5346414F, /* AFS */
        0x786F4256, /* VirtualBox shares */
        0x0BD00BD0, /* Lustre */
        0x47504653, /* GPFS */
    };
    struct statfs status;
    if (statfs(path, &status) != 0)
        return false;
    for (size_t i = 0; i < VSR_COUNT(types); i++)
        if ((unsigned long)status.f_type == types[i])
            return true;
    return false;
}

struct scan {
    struct file_watch *watch;
    struct places places;
    bool impaired;
};

static void scan_place(struct scan *scan, const char *path, uint32_t mask, const char *name) {
    int wd = scan->watch->fd < 0 ? -1 : inotify_add_watch(scan->watch->fd, path, mask);
    if (wd >= 0)
        places_add(&scan->places, wd, name);
    /* What vanished since it was looked up: its directory, which is watched already, tells. */
    else if (scan->watch->fd < 0 || (errno != ENOENT && errno != ENOTDIR))
        scan->impaired = true;
}

static void scan_lookup(void *data, const char *dir, const char *name) {
    scan_place(data, dir, DIR_MASK, name);
}

static void scan_path(struct scan *scan, const char *path) {
    char end[PATH_MAX];
    if (!path_chain_walk(path, scan_lookup, scan, end))
        return;
    scan_place(scan, end, FILE_MASK, NULL);
    if (is_remote(end))
        scan->impaired = true;
}

static void drop_places(struct file_watch *watch, const struct places *kept) {
    for (size_t i = 0; i < watch->places.n; i++) {
        int wd = watch->places.items[i].wd;
        if (!places_have_wd(kept, wd))
            (void)inotify_rm_watch(watch->fd, wd); /* it may have gone with its inode, or been removed already */
    }
    places_done(&watch->places);
}

static void on_poll_timer(void *data);

/* Looks up all paths anew: what they lead over may have changed. */
static void rescan(struct file_watch *watch) {
    struct scan scan = { .watch = watch };
    open_inotify(watch);
    for (size_t i = 0; i < watch->n_paths; i++)
        scan_path(&scan, watch->paths[i].path);
    drop_places(watch, &scan.places);
    watch->places = scan.places;
    watch->impaired = scan.impaired;
    if (!watch->impaired)
        loop_timer_stop(&watch->poll_timer);
    else if (!loop_timer_active(&watch->poll_timer))
        loop_timer_start(watch->loop, &watch->poll_timer, watch->options.poll_ms, on_poll_timer, watch);
}

/* ---- changes */

static void on_settled(void *data) {
    struct file_watch *watch = data;
    watch->pending = false;
    watch->fn(watch->data);
}

static void note_change(struct file_watch *watch) {
    uint64_t now = loop_now_ms(watch->loop), due = now + watch->options.debounce_ms, last;
    if (!watch->pending) {
        watch->pending = true;
        watch->pending_since_ms = now;
    }
    last = watch->pending_since_ms + watch->options.debounce_max_ms;
    if (due > last)
        due = last;
    loop_timer_start(watch->loop, &watch->debounce_timer, due > now ? due - now : 0, on_settled, watch);
}

static bool is_relevant(const struct places *places, const struct inotify_event *event) {
    if (event->mask & IN_Q_OVERFLOW)
        return true; /* what it was is lost */
    if (event->mask & IN_IGNORED || !places_have_wd(places, event->wd))
        return false;
    if (event->len == 0)
        return true; /* of a watched file or directory itself */
    return strncmp(event->name, "..data", 6) == 0 || places_have(places, event->wd, event->name);
}

static bool read_events(const struct file_watch *watch, bool *ret_relevant) {
    _Alignas(struct inotify_event) char bytes[EVENTS_LEN];
    ssize_t len = read(watch->fd, bytes, sizeof(bytes));
    size_t at = 0;
    if (len <= 0)
        return false;
    while (at < (size_t)len) {
        const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);
        if (is_relevant(&watch->places, event))
            *ret_relevant = true;
        at += sizeof(*event) + event->len;
    }
    return true;
}

static void on_events(uv_poll_t *poll, int status, int events) {
    struct file_watch *watch = poll->data;
    bool relevant = false;
    (void)status;
    (void)events;
    while (read_events(watch, &relevant)) {
    }
    if (!relevant)
        return;
    rescan(watch); /* before the file is read: what changes from here on is seen */
    note_change(watch);
}

static void on_poll_timer(void *data) {
    struct file_watch *watch = data;
    bool changed = false;
    rescan(watch); /* arms the timer again where that is still needed */
    for (size_t i = 0; i < watch->n_paths; i++) {
        struct watched_path *path = &watch->paths[i];
        struct fingerprint now = fingerprint_of(path->path);
        changed |= !same_fingerprint(&now, &path->seen);
        path->seen = now;
    }
    if (changed)
        note_change(watch);
}

/* ---- life */

struct file_watch *file_watch_new(struct loop *loop, const struct file_watch_options *options, void (*fn)(void *data),
                                  void *data) {
    struct file_watch *watch = MEM_NEW(struct file_watch);
    watch->loop = loop;
    watch->options.debounce_ms = options->debounce_ms ? options->debounce_ms : FILE_WATCH_DEBOUNCE_MS;
    watch->options.debounce_max_ms = options->debounce_max_ms ? options->debounce_max_ms : FILE_WATCH_DEBOUNCE_MAX_MS;
    watch->options.poll_ms = options->poll_ms ? options->poll_ms : FILE_WATCH_POLL_MS;
    watch->fn = fn;
    watch->data = data;
    watch->fd = -1;
    return watch;
}

static void free_paths(struct watched_path *paths, size_t n) {
    for (size_t i = 0; i < n; i++)
        mem_free(paths[i].path);
    mem_free(paths);
}

void file_watch_free(struct file_watch *watch) {
    if (!watch)
        return;
    loop_timer_stop(&watch->debounce_timer);
    loop_timer_stop(&watch->poll_timer);
    close_inotify(watch);
    places_done(&watch->places);
    free_paths(watch->paths, watch->n_paths);
    mem_free(watch);
}

static int make_absolute(vsr_str path, char **ret_path, struct vsr_err *err) {
    char dir[PATH_MAX] = "", full[PATH_MAX];
    if (path.len && path.ptr[0] != '/' && !getcwd(dir, sizeof(dir)))
        return err_set(err, VSR_E_IO, "the current directory: %s", strerror(errno));
    if (snprintf(full, sizeof(full), "%s%s%.*s", dir, dir[0] ? "/" : "", VSR_FMT(path)) >= (int)sizeof(full))
        return err_set(err, VSR_E_LIMIT, "a path longer than %d bytes cannot be watched", PATH_MAX - 1);
    *ret_path = copy_text(full);
    return 0;
}

/* A path that was watched before keeps what was seen of it, so that a change between two polls is not lost. */
static struct fingerprint seen_of(const struct file_watch *watch, const char *path) {
    for (size_t i = 0; i < watch->n_paths; i++)
        if (strcmp(watch->paths[i].path, path) == 0)
            return watch->paths[i].seen;
    return fingerprint_of(path);
}

int file_watch_set(struct file_watch *watch, const vsr_str *paths, size_t n_paths, struct vsr_err *err) {
    struct watched_path *fresh;
    int rc = 0;
    if (n_paths > FILE_WATCH_PATHS_MAX)
        return err_set(err, VSR_E_LIMIT, "%zu files to watch, at most %d", n_paths, FILE_WATCH_PATHS_MAX);
    fresh = mem_alloc((n_paths ? n_paths : 1) * sizeof(*fresh));
    for (size_t i = 0; i < n_paths && rc == 0; i++) {
        rc = make_absolute(paths[i], &fresh[i].path, err);
        if (rc == 0)
            fresh[i].seen = seen_of(watch, fresh[i].path);
    }
    if (rc < 0) {
        free_paths(fresh, n_paths);
        return rc;
    }
    free_paths(watch->paths, watch->n_paths);
    watch->paths = fresh;
    watch->n_paths = n_paths;
    rescan(watch);
    return 0;
}

bool file_watch_polls(const struct file_watch *watch) {
    return watch->impaired;
}
