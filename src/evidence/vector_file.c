#include "evidence/vector_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/fd.h"

#define MAGIC 0x3143455652535631u /* "1VSRVEC1" as a little-endian machine writes it */
#define SUFFIX ".vectors"

enum {
    ALIGN = 8,
    SUM_LEN = 8,
    UNIT_TOLERANCE_INVERSE = 1000,
    NAME_LEN = 32,           /* of a file, before the suffix */
    FRESH_LEN = 7,           /* what mkostemp() puts behind it, with a dot */
    LEFTOVER_AGE_S = 15 * 60 /* nobody writes one file for so long */
};

struct head {
    uint64_t magic;
    uint32_t dims, key_len;
    uint64_t n;
};
_Static_assert(sizeof(struct head) == 24 && sizeof(struct vector_hash) == 16, "no padding reaches the disk");

struct vector_hash vector_hash_of(vsr_str text) {
    XXH128_hash_t hash = XXH3_128bits(text.ptr, text.len);
    return (struct vector_hash){ hash.low64, hash.high64 };
}

/* ---- reading */

static size_t padded(size_t len) {
    return (len + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t entry_len(size_t dims) {
    return padded(sizeof(struct vector_hash) + dims * sizeof(float));
}

static int damaged(struct vsr_err *err, const char *what) {
    return err_set(err, VSR_E_INVALID, "not a file of vectors, or a damaged one: %s", what);
}

static bool is_unit(const float *vector, size_t dims) {
    double sum = 0;
    for (size_t i = 0; i < dims; i++)
        sum += (double)vector[i] * vector[i];
    return fabs(sum - 1) * UNIT_TOLERANCE_INVERSE <= 1; /* false for what is no number */
}

static int check_head(const struct head *head, size_t len, struct vsr_err *err) {
    size_t before = sizeof(*head) + SUM_LEN;
    if (head->magic != MAGIC)
        return damaged(err, "it begins otherwise");
    if (head->dims == 0 || head->dims > VECTOR_DIMS_MAX || head->key_len > VECTOR_KEY_LEN_MAX)
        return damaged(err, "sizes that no embedder has");
    before += padded(head->key_len);
    if (head->n > VECTOR_FILE_LEN_MAX || len != before + head->n * entry_len(head->dims))
        return damaged(err, "it ends elsewhere than it says");
    return 0;
}

int vector_set_parse(struct arena *arena, vsr_str bytes, struct vector_set *ret, struct vsr_err *err) {
    struct vector_entry *entries;
    struct head head;
    uint64_t sum;
    const char *at;
    int rc;
    if (bytes.len < sizeof(head) + SUM_LEN)
        return damaged(err, "it is too short");
    memcpy(&head, bytes.ptr, sizeof(head));
    rc = check_head(&head, bytes.len, err);
    if (rc < 0)
        return rc;
    memcpy(&sum, bytes.ptr + bytes.len - SUM_LEN, SUM_LEN);
    if (sum != XXH3_64bits(bytes.ptr, bytes.len - SUM_LEN))
        return damaged(err, "its checksum is of other bytes");
    at = bytes.ptr + sizeof(head) + padded(head.key_len);
    entries = ARENA_ARRAY(arena, struct vector_entry, head.n);
    for (uint64_t i = 0; i < head.n; i++, at += entry_len(head.dims)) {
        memcpy(&entries[i].hash, at, sizeof(entries[i].hash));
        entries[i].vector = (const void *)(at + sizeof(entries[i].hash));
        if (!is_unit(entries[i].vector, head.dims))
            return damaged(err, "a vector that is not of length 1");
    }
    *ret = (struct vector_set){ str_make(bytes.ptr + sizeof(head), head.key_len), head.dims, entries, head.n };
    return 0;
}

/* The path without what marks a file that is being written. */
static bool path_of(char path[static PATH_MAX], vsr_str directory, vsr_str key) {
    struct vector_hash hash = vector_hash_of(key);
    int len = snprintf(path, PATH_MAX, "%.*s/%016llx%016llx" SUFFIX, VSR_FMT(directory), (unsigned long long)hash.high,
                       (unsigned long long)hash.low);
    return len > 0 && len < PATH_MAX && !memchr(directory.ptr, 0, directory.len);
}

/* Whoever can write vectors decides what rules match. */
static int check_private(const struct stat *status, const char *path, struct vsr_err *err) {
    if (status->st_uid != geteuid() && status->st_uid != 0)
        return err_set(err, VSR_E_INVALID, "\"%s\" belongs to another user (%u) and is not trusted", path,
                       (unsigned)status->st_uid);
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, VSR_E_INVALID, "\"%s\" can be written by others and is not trusted: chmod go-w", path);
    return 0;
}

static int check_folder(const char *path, struct vsr_err *err) {
    struct stat status;
    if (stat(path, &status) < 0)
        return err_set(err, errno == ENOENT ? VSR_E_NOT_FOUND : VSR_E_IO, "cannot look at \"%s\": %s", path,
                       strerror(errno));
    return check_private(&status, path, err);
}

static int read_whole(struct arena *arena, int fd, const char *path, vsr_str *ret, struct vsr_err *err) {
    struct stat status;
    size_t len, have = 0;
    char *bytes;
    int rc;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return err_set(err, VSR_E_IO, "\"%s\" is no ordinary file", path);
    rc = check_private(&status, path, err);
    if (rc < 0)
        return rc;
    if (status.st_size > VECTOR_FILE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "\"%s\" is larger than %d bytes", path, VECTOR_FILE_LEN_MAX);
    len = (size_t)status.st_size;
    bytes = arena_try_alloc_raw(arena, len + 1);
    if (!bytes)
        return err_set(err, VSR_E_NOMEM, "out of memory");
    while (have < len) {
        ssize_t n = read(fd, bytes + have, len - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, VSR_E_IO, "cannot read \"%s\": %s", path, n < 0 ? strerror(errno) : "it got shorter");
        have += (size_t)n;
    }
    *ret = str_make(bytes, len);
    return 0;
}

int vector_file_read(struct arena *arena, vsr_str directory, vsr_str key, struct vector_set *ret, struct vsr_err *err) {
    char path[PATH_MAX], folder[PATH_MAX];
    vsr_str bytes;
    int fd, rc;
    if (!path_of(path, directory, key))
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is too long for a path", VSR_FMT(directory));
    (void)snprintf(folder, sizeof(folder), "%.*s", VSR_FMT(directory)); /* shorter than the path */
    rc = check_folder(folder, err);
    if (rc < 0)
        return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? VSR_E_NOT_FOUND : VSR_E_IO, "cannot read \"%s\": %s", path,
                       strerror(errno));
    rc = read_whole(arena, fd, path, &bytes, err);
    (void)close(fd); /* it was only read */
    if (rc == 0)
        rc = vector_set_parse(arena, bytes, ret, err);
    if (rc == 0 && !str_eq(ret->key, key))
        rc = damaged(err, "it is of another embedder");
    return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

/* ---- writing */

static size_t fitting(const struct vector_set *set) {
    size_t room = VECTOR_FILE_LEN_MAX - sizeof(struct head) - VECTOR_KEY_LEN_MAX - SUM_LEN;
    return set->n < room / entry_len(set->dims) ? set->n : room / entry_len(set->dims);
}

static void put(struct buf *out, const void *bytes, size_t len) {
    (void)buf_append(out, str_make(bytes, len)); /* whoever writes the buffer asks whether it failed */
    while (out->len % ALIGN != 0)
        (void)buf_append_char(out, 0);
}

static void print_set(const struct vector_set *set, struct buf *out) {
    const struct head head = { MAGIC, (uint32_t)set->dims, (uint32_t)set->key.len, fitting(set) };
    uint64_t sum;
    put(out, &head, sizeof(head));
    put(out, set->key.ptr, set->key.len);
    for (size_t i = 0; i < head.n; i++) {
        put(out, &set->entries[i].hash, sizeof(set->entries[i].hash));
        put(out, set->entries[i].vector, set->dims * sizeof(float));
    }
    sum = XXH3_64bits(out->ptr, out->len);
    put(out, &sum, sizeof(sum));
}

static int make_folders(const char *path, struct vsr_err *err) {
    char part[PATH_MAX];
    size_t len = strlen(path);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        part[i] = 0;
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return err_set(err, VSR_E_IO, "cannot make the folder \"%s\": %s", part, strerror(errno));
        part[i] = path[i];
    }
    return 0;
}

static bool is_ours(const char *name) {
    size_t len = strlen(name);
    return len > sizeof(SUFFIX) - 1 && strcmp(name + len - (sizeof(SUFFIX) - 1), SUFFIX) == 0;
}

/* What a process was writing when it ended. */
static bool is_leftover(const char *name) {
    return strlen(name) == NAME_LEN + sizeof(SUFFIX) - 1 + FRESH_LEN &&
           strncmp(name + NAME_LEN, SUFFIX ".", sizeof(SUFFIX)) == 0;
}

static void remove_leftovers(const char *directory) {
    DIR *dir = opendir(directory);
    int64_t now_s = (int64_t)(clock_wall_ms() / 1000);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat status;
        if (is_leftover(entry->d_name) && fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            now_s - status.st_mtim.tv_sec > LEFTOVER_AGE_S)
            (void)unlinkat(dirfd(dir), entry->d_name, 0); /* else the next one tries */
    }
    if (dir)
        (void)closedir(dir);
}

/* The oldest gives way once there are too many. What cannot be looked at or removed is left alone. */
static void tidy(const char *directory) {
    DIR *dir = opendir(directory);
    char oldest[NAME_MAX + 1] = "";
    struct timespec oldest_time = { 0 };
    size_t n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat status;
        if (!is_ours(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (n++ == 0 || status.st_mtim.tv_sec < oldest_time.tv_sec ||
            (status.st_mtim.tv_sec == oldest_time.tv_sec && status.st_mtim.tv_nsec < oldest_time.tv_nsec)) {
            oldest_time = status.st_mtim;
            (void)snprintf(oldest, sizeof(oldest), "%s", entry->d_name); /* a name fits */
        }
    }
    if (n > VECTOR_FILES_MAX)
        (void)unlinkat(dirfd(dir), oldest, 0);
    if (dir)
        (void)closedir(dir);
}

static int write_file(const char *path, const struct buf *bytes, struct vsr_err *err) {
    char fresh[PATH_MAX];
    int fd, rc = 0;
    if (snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path) >= (int)sizeof(fresh))
        return err_set(err, VSR_E_INVALID, "\"%s\" is too long for a path", path);
    fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, VSR_E_IO, "cannot write \"%s\": %s", path, strerror(errno));
    if (fd_write_all(fd, buf_str(bytes)) < 0 || fsync(fd) < 0)
        rc = err_set(err, VSR_E_IO, "cannot write \"%s\": %s", fresh, strerror(errno));
    if (close(fd) < 0 && rc == 0)
        rc = err_set(err, VSR_E_IO, "cannot write \"%s\": %s", fresh, strerror(errno));
    if (rc == 0 && rename(fresh, path) < 0)
        rc = err_set(err, VSR_E_IO, "cannot replace \"%s\": %s", path, strerror(errno));
    if (rc < 0)
        (void)unlink(fresh);
    return rc;
}

int vector_file_write(vsr_str directory, const struct vector_set *set, struct vsr_err *err) {
    char path[PATH_MAX], folder[PATH_MAX];
    struct buf bytes;
    int rc;
    if (set->dims == 0 || set->dims > VECTOR_DIMS_MAX || set->key.len > VECTOR_KEY_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "%zu dimensions, a key of %zu bytes", set->dims, set->key.len);
    if (!path_of(path, directory, set->key))
        return err_set(err, VSR_E_INVALID, "\"%.*s\" is too long for a path", VSR_FMT(directory));
    (void)snprintf(folder, sizeof(folder), "%.*s", VSR_FMT(directory)); /* shorter than the path */
    rc = make_folders(folder, err);
    if (rc == 0)
        rc = check_folder(folder, err);
    if (rc < 0)
        return rc;
    remove_leftovers(folder);
    buf_init(&bytes, VECTOR_FILE_LEN_MAX);
    print_set(set, &bytes);
    rc = buf_failed(&bytes) ? err_set(err, VSR_E_NOMEM, "out of memory") : write_file(path, &bytes, err);
    buf_done(&bytes);
    if (rc == 0)
        tidy(folder);
    return rc;
}
