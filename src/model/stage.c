#include "model/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"
#include "model/file.h"

enum { DIR_MODE = 0755, FILE_MODE = 0644, LOCK_TRIES_MAX = 100, LOCK_TEXT_LEN = 32 };

struct stage {
    struct arena *arena;
    vsr_str target; /* without a link at its end */
    vsr_str parent;
    const char *name;      /* of the target in its parent */
    const char *dir_name;  /* of the stage in the parent */
    const char *lock_name; /* likewise */
    int parent_fd, fd, target_fd, lock_fd;
};

static int io_error(const char *what, const char *path, struct vsr_err *err) {
    return err_set(err, VSR_E_IO, "cannot %s \"%s\": %s%s", what, path, strerror(errno), file_write_hint(errno));
}

/* Of the target's file: another place would not help. */
static int read_error(const char *path, int error, struct vsr_err *err) {
    return err_set(err, VSR_E_IO, "cannot read \"%s\": %s", path, strerror(error));
}

/* ---- opening */

/* mkdir -p */
static int make_dirs(vsr_str path, struct vsr_err *err) {
    char *text = mem_alloc(path.len + 1);
    int rc = 0;
    if (path.len > 0)
        memcpy(text, path.ptr, path.len);
    for (char *slash = text + 1; rc == 0 && *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = 0;
        if (mkdir(text, DIR_MODE) != 0 && errno != EEXIST)
            rc = io_error("make directory", text, err);
        *slash = '/';
    }
    if (rc == 0 && mkdir(text, DIR_MODE) != 0 && errno != EEXIST)
        rc = io_error("make directory", text, err);
    mem_free(text);
    return rc;
}

static vsr_str resolve(struct arena *arena, vsr_str target) {
    char *real = realpath(arena_c_str(arena, target), NULL);
    vsr_str resolved = real ? arena_str(arena, str_from_c(real)) : target;
    free(real);
    return resolved;
}

static void split_path(struct stage *stage) {
    ptrdiff_t slash = str_find_last_char(stage->target, '/');
    vsr_str name = str_sub(stage->target, (size_t)(slash + 1), stage->target.len);
    stage->parent = slash < 0    ? VSR_STR(".")
                    : slash == 0 ? VSR_STR("/")
                                 : arena_str(stage->arena, str_sub(stage->target, 0, (size_t)slash));
    stage->name = arena_c_str(stage->arena, name);
    stage->dir_name = arena_printf(stage->arena, ".%.*s.pull", VSR_FMT(name)).ptr;
    stage->lock_name = arena_printf(stage->arena, ".%.*s.lock", VSR_FMT(name)).ptr;
}

static int busy(const struct stage *stage, int fd, struct vsr_err *err) {
    char holder[LOCK_TEXT_LEN] = "";
    ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
    holder[n > 0 ? n : 0] = 0;
    holder[strspn(holder, "0123456789")] = 0;
    return err_set(err, VSR_E_EXISTS, "process %s is at work on \"%.*s\": wait until it is done",
                   *holder ? holder : "of another user", VSR_FMT(stage->target));
}

/* The lock's file is removed by whoever holds it, so the one that was locked may no longer be the one of that name. */
static bool is_current(const struct stage *stage, int fd) {
    struct stat mine, named;
    return fstat(fd, &mine) == 0 && fstatat(stage->parent_fd, stage->lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

static int take_lock(struct stage *stage, struct vsr_err *err) {
    for (int i = 0; i < LOCK_TRIES_MAX; i++) {
        FILE_AUTO fd = openat(stage->parent_fd, stage->lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
        if (fd < 0)
            return io_error("write into", stage->parent.ptr, err);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0)
            return errno == EWOULDBLOCK ? busy(stage, fd, err) : io_error("lock", stage->lock_name, err);
        if (!is_current(stage, fd))
            continue;
        if (ftruncate(fd, 0) == 0)
            (void)dprintf(fd, "%ld\n", (long)getpid()); /* for the message of others only */
        stage->lock_fd = file_take(&fd);
        return 0;
    }
    return err_set(err, VSR_E_EXISTS, "\"%s\" changes all the time: is another process at work?", stage->lock_name);
}

static int open_target(struct stage *stage, struct vsr_err *err) {
    stage->target_fd = openat(stage->parent_fd, stage->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (stage->target_fd >= 0 || errno == ENOENT)
        return 0;
    if (errno == ENOTDIR || errno == ELOOP)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is there and no directory", VSR_FMT(stage->target));
    return io_error("open", stage->target.ptr, err);
}

static int open_all(struct stage *stage, struct vsr_err *err) {
    int rc = make_dirs(stage->parent, err);
    if (rc < 0 || (rc = file_open_dir(AT_FDCWD, stage->parent.ptr, &stage->parent_fd, err)) < 0 ||
        (rc = take_lock(stage, err)) < 0 || (rc = open_target(stage, err)) < 0)
        return rc;
    if (mkdirat(stage->parent_fd, stage->dir_name, DIR_MODE) != 0 && errno != EEXIST)
        return io_error("make directory", stage->dir_name, err);
    stage->fd = openat(stage->parent_fd, stage->dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return stage->fd < 0 ? io_error("open", stage->dir_name, err) : 0;
}

int stage_open(struct arena *arena, vsr_str target, struct stage **ret_stage, struct vsr_err *err) {
    struct stage *stage = ARENA_NEW(arena, struct stage);
    int rc;
    *stage = (struct stage){ .arena = arena, .parent_fd = -1, .fd = -1, .target_fd = -1, .lock_fd = -1 };
    stage->target = resolve(arena, target);
    split_path(stage);
    if (stage->name[0] == 0 || strcmp(stage->name, ".") == 0 || strcmp(stage->name, "..") == 0)
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is no place for a model", VSR_FMT(target));
    rc = open_all(stage, err);
    if (rc < 0) {
        stage_close(stage);
        return rc;
    }
    *ret_stage = stage;
    return 0;
}

void stage_close(struct stage *stage) {
    if (!stage)
        return;
    file_close(&stage->fd);
    file_close(&stage->target_fd);
    if (stage->lock_fd >= 0)
        unlinkat(stage->parent_fd, stage->lock_name, 0); /* while it is held, see is_current() */
    file_close(&stage->lock_fd);
    file_close(&stage->parent_fd);
}

int stage_target_fd(const struct stage *stage) {
    return stage->target_fd;
}

int stage_fd(const struct stage *stage) {
    return stage->fd;
}

vsr_str stage_path(const struct stage *stage) {
    return arena_printf(stage->arena, "%.*s/%s", VSR_FMT(stage->parent), stage->dir_name);
}

uint64_t stage_free_bytes(const struct stage *stage) {
    struct statvfs space;
    uint64_t bytes;
    if (fstatvfs(stage->fd, &space) != 0 ||
        __builtin_mul_overflow((uint64_t)space.f_bavail, (uint64_t)space.f_frsize, &bytes))
        return UINT64_MAX;
    return bytes;
}

/* ---- walking a tree */

/* What to do with an entry that is no directory, `path` below the root; and with a directory once it was walked. */
struct walk {
    struct arena *arena; /* of the paths */
    int (*file)(struct walk *walk, int dir_fd, const char *name, vsr_str path, struct vsr_err *err);
    void (*left_dir)(struct walk *walk, int dir_fd, const char *name);
    void *data;
    size_t n;
};

static int walk_dir(struct walk *walk, int dir_fd, const char *name, vsr_str path, int depth, struct vsr_err *err);

static int walk_entry(struct walk *walk, int dir_fd, const char *name, vsr_str above, int depth, struct vsr_err *err) {
    vsr_str path = above.len > 0 ? arena_printf(walk->arena, "%.*s/%s", VSR_FMT(above), name)
                                 : arena_str(walk->arena, str_from_c(name));
    struct stat status;
    int rc;
    if (++walk->n > STAGE_ENTRIES_MAX)
        return err_set(err, VSR_E_LIMIT, "a model's directory has more than %d entries", STAGE_ENTRIES_MAX);
    if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return io_error("look at", path.ptr, err);
    if (!S_ISDIR(status.st_mode))
        return walk->file(walk, dir_fd, name, path, err);
    rc = walk_dir(walk, dir_fd, name, path, depth + 1, err);
    if (rc == 0 && walk->left_dir)
        walk->left_dir(walk, dir_fd, name);
    return rc;
}

static int walk_dir(struct walk *walk, int dir_fd, const char *name, vsr_str path, int depth, struct vsr_err *err) {
    int rc = 0, fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (!dir) {
        file_close(&fd);
        return io_error("list", name, err);
    }
    if (depth > STAGE_DEPTH_MAX)
        rc = err_set(err, VSR_E_LIMIT, "\"%.*s\" lies more than %d directories deep", VSR_FMT(path), STAGE_DEPTH_MAX);
    while (rc == 0 && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = walk_entry(walk, dirfd(dir), entry->d_name, path, depth, err);
    closedir(dir);
    return rc;
}

static void remove_empty_dir(struct walk *walk, int dir_fd, const char *name) {
    (void)walk;
    unlinkat(dir_fd, name, AT_REMOVEDIR); /* stays while something is in it */
}

static int remove_file(struct walk *walk, int dir_fd, const char *name, vsr_str path, struct vsr_err *err) {
    (void)walk;
    return unlinkat(dir_fd, name, 0) == 0 ? 0 : io_error("remove", path.ptr, err);
}

static int remove_tree(struct stage *stage, int dir_fd, const char *name, struct vsr_err *err) {
    struct walk walk = { .arena = stage->arena, .file = remove_file, .left_dir = remove_empty_dir };
    int rc = walk_dir(&walk, dir_fd, name, VSR_STR(""), 1, err);
    if (rc == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) != 0)
        return io_error("remove", name, err);
    return rc;
}

/* ---- sweeping */

static vsr_str part_name(struct arena *arena, vsr_str path, vsr_str key) {
    return arena_printf(arena, "%.*s.%.*s.part", VSR_FMT(path), VSR_FMT(str_sub(key, 0, STAGE_KEY_LEN)));
}

static int sweep_file(struct walk *walk, int dir_fd, const char *name, vsr_str path, struct vsr_err *err) {
    const struct map *expected = walk->data;
    return map_get(expected, path) ? 0 : remove_file(walk, dir_fd, name, path, err);
}

int stage_sweep(struct stage *stage, const vsr_str *paths, const vsr_str *keys, size_t n, struct vsr_err *err) {
    static char yes;
    struct arena *scratch = arena_new(0, 0);
    struct map expected;
    struct walk walk = { .arena = scratch, .file = sweep_file, .left_dir = remove_empty_dir, .data = &expected };
    int rc;
    map_init(&expected, scratch);
    for (size_t i = 0; i < n; i++) {
        map_put(&expected, paths[i], &yes);
        map_put(&expected, part_name(scratch, paths[i], keys[i]), &yes);
    }
    rc = walk_dir(&walk, stage->fd, ".", VSR_STR(""), 1, err);
    arena_free(scratch);
    return rc;
}

/* ---- files */

/* The directories above `path` in the stage. */
static int make_parents(struct stage *stage, vsr_str path, struct vsr_err *err) {
    for (size_t i = 0; i < path.len; i++) {
        const char *dir;
        if (path.ptr[i] != '/')
            continue;
        dir = arena_c_str(stage->arena, str_sub(path, 0, i));
        if (mkdirat(stage->fd, dir, DIR_MODE) != 0 && errno != EEXIST)
            return io_error("make directory", dir, err);
    }
    return 0;
}

/* Whether the file is regular, of that size and content. */
static int compare(int dir_fd, const char *path, int64_t size, const struct digest *digest, bool *ret_equal,
                   struct digest *ret_sha256, struct vsr_err *err) {
    struct digest found = { .kind = DIGEST_NONE };
    struct stat status;
    FILE_AUTO fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;
    *ret_equal = false;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || digest->kind == DIGEST_NONE ||
        (size >= 0 && status.st_size != size))
        return 0;
    rc = digest_fd(fd, DIGEST_SHA256, 0, NULL, ret_sha256, err);
    if (rc == 0 && digest->kind == DIGEST_GIT_BLOB) {
        if (lseek(fd, 0, SEEK_SET) != 0)
            return io_error("read", path, err);
        rc = digest_fd(fd, DIGEST_GIT_BLOB, (uint64_t)status.st_size, NULL, &found, err);
    } else {
        found = *ret_sha256;
    }
    *ret_equal = rc == 0 && digest_eq(&found, digest);
    return rc;
}

/* A second name for the target's file, or a copy of it where the file system knows no second names. */
static int bring_over(struct stage *stage, vsr_str path, struct vsr_err *err) {
    const char *text = arena_c_str(stage->arena, path);
    FILE_AUTO from = -1;
    FILE_AUTO to = -1;
    struct file_failure failure;
    int rc = make_parents(stage, path, err);
    if (rc < 0)
        return rc;
    if (unlinkat(stage->fd, text, 0) != 0 && errno != ENOENT)
        return io_error("replace", text, err);
    if (linkat(stage->target_fd, text, stage->fd, text, 0) == 0)
        return 0;
    from = openat(stage->target_fd, text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return read_error(text, errno, err);
    to = openat(stage->fd, text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (to < 0)
        return io_error("write", text, err);
    if (file_copy(from, to, NULL, NULL, &failure) < 0) {
        errno = failure.error;
        return failure.side == FILE_SIDE_FROM ? read_error(text, errno, err) : io_error("write", text, err);
    }
    return fsync(to) == 0 ? 0 : io_error("write", text, err);
}

int stage_has(struct stage *stage, vsr_str path, int64_t size, const struct digest *digest, bool *ret_has,
              bool *ret_differs, struct digest *ret_sha256, struct vsr_err *err) {
    const char *text = arena_c_str(stage->arena, path);
    bool equal = false, has = false;
    struct stat status;
    int rc = compare(stage->fd, text, size, digest, &has, ret_sha256, err);
    *ret_has = false;
    *ret_differs = false;
    if (rc == 0 && stage->target_fd >= 0 && fstatat(stage->target_fd, text, &status, 0) == 0) {
        struct digest sha256 = { .kind = DIGEST_NONE };
        rc = compare(stage->target_fd, text, size, digest, &equal, &sha256, err);
        *ret_differs = rc == 0 && !equal;
        if (rc == 0 && equal && !has) {
            *ret_sha256 = sha256;
            rc = bring_over(stage, path, err);
            has = true;
        }
    }
    *ret_has = rc == 0 && has;
    return rc;
}

int stage_part_open(struct stage *stage, vsr_str path, vsr_str key, int *ret_fd, uint64_t *ret_len,
                    struct vsr_err *err) {
    vsr_str name = part_name(stage->arena, path, key);
    struct stat status;
    int rc = make_parents(stage, path, err);
    FILE_AUTO fd = -1;
    if (rc < 0)
        return rc;
    fd = openat(stage->fd, name.ptr, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    if (fd < 0 || fstat(fd, &status) != 0)
        return io_error("write", name.ptr, err);
    if (!S_ISREG(status.st_mode))
        return err_set(err, VSR_E_IO, "\"%s\" is no regular file", name.ptr);
    *ret_fd = file_take(&fd);
    *ret_len = (uint64_t)status.st_size;
    return 0;
}

int stage_part_finish(struct stage *stage, vsr_str path, vsr_str key, int fd, struct vsr_err *err) {
    vsr_str from = part_name(stage->arena, path, key);
    const char *to = arena_c_str(stage->arena, path);
    bool ok = fsync(fd) == 0;
    if (close(fd) != 0 || !ok)
        return io_error("write", from.ptr, err);
    return renameat(stage->fd, from.ptr, stage->fd, to) == 0 ? 0 : io_error("write", to, err);
}

int stage_write_manifest(struct stage *stage, const struct manifest *manifest, struct vsr_err *err) {
    vsr_str path = VSR_STR(MANIFEST_NAME), key = VSR_STR("new");
    struct buf text;
    uint64_t len;
    int fd = -1, rc = stage_part_open(stage, path, key, &fd, &len, err);
    if (rc < 0)
        return rc;
    buf_init(&text, MANIFEST_LEN_MAX);
    manifest_write(manifest, &text);
    if (buf_failed(&text)) {
        rc = err_set(err, VSR_E_LIMIT, "the manifest would be larger than %d bytes", MANIFEST_LEN_MAX);
    } else if (ftruncate(fd, 0) != 0 || pwrite(fd, text.ptr, text.len, 0) != (ssize_t)text.len) {
        rc = io_error("write", MANIFEST_NAME, err);
    } else {
        rc = stage_part_finish(stage, path, key, fd, err);
        fd = -1;
    }
    file_close(&fd);
    buf_done(&text);
    return rc;
}

/* ---- installing */

struct keep {
    struct stage *stage;
    const struct manifest *old;
};

static int keep_file(struct walk *walk, int dir_fd, const char *name, vsr_str path, struct vsr_err *err) {
    const struct keep *keep = walk->data;
    const char *text = arena_c_str(walk->arena, path);
    struct stat status;
    (void)dir_fd;
    (void)name;
    if (str_eq_c(path, MANIFEST_NAME) || (keep->old && manifest_find(keep->old, path)) ||
        fstatat(keep->stage->fd, text, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return bring_over(keep->stage, path, err);
}

static int exchange(struct stage *stage, struct vsr_err *err) {
    const char *aside = arena_printf(stage->arena, ".%s.old", stage->name).ptr;
    if (stage->target_fd < 0)
        return renameat(stage->parent_fd, stage->dir_name, stage->parent_fd, stage->name) == 0
                   ? 0
                   : io_error("make", stage->target.ptr, err);
    if (renameat2(stage->parent_fd, stage->dir_name, stage->parent_fd, stage->name, RENAME_EXCHANGE) == 0)
        return 0;
    /* A file system that cannot exchange: for a moment there is no model of that name. */
    if (renameat(stage->parent_fd, stage->name, stage->parent_fd, aside) != 0)
        return io_error("replace", stage->target.ptr, err);
    if (renameat(stage->parent_fd, stage->dir_name, stage->parent_fd, stage->name) != 0) {
        int saved = errno;
        renameat(stage->parent_fd, aside, stage->parent_fd, stage->name); /* as it was, if that is possible */
        errno = saved;
        return io_error("replace", stage->target.ptr, err);
    }
    return renameat(stage->parent_fd, aside, stage->parent_fd, stage->dir_name) == 0
               ? 0
               : io_error("clear away", aside, err);
}

int stage_install(struct stage *stage, const struct manifest *old, struct vsr_err *err) {
    struct keep keep = { .stage = stage, .old = old };
    struct walk walk = { .arena = stage->arena, .file = keep_file, .data = &keep };
    int rc = stage->target_fd < 0 ? 0 : walk_dir(&walk, stage->target_fd, ".", VSR_STR(""), 1, err);
    if (rc < 0)
        return rc;
    if (fsync(stage->fd) != 0)
        return io_error("write", stage->dir_name, err);
    if ((rc = exchange(stage, err)) < 0)
        return rc;
    if (fsync(stage->parent_fd) != 0)
        return io_error("write", stage->parent.ptr, err);
    return stage->target_fd < 0 ? 0 : remove_tree(stage, stage->parent_fd, stage->dir_name, err);
}
