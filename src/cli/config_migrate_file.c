#include "cli/config_migrate_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/fd.h"

enum { READ_LEN = 65536 };

/* ---- reading */

static int read_all(int fd, struct buf *bytes) {
    ssize_t n = 1;
    while (n != 0) {
        int rc = buf_reserve(bytes, bytes->max - bytes->len < READ_LEN ? bytes->max - bytes->len : READ_LEN);
        if (rc < 0)
            return rc;
        n = read(fd, bytes->ptr + bytes->len, bytes->cap - bytes->len);
        if (n < 0 && errno != EINTR)
            return VSR_E_IO;
        bytes->len += n > 0 ? (size_t)n : 0;
        if (bytes->len == bytes->max)
            return VSR_E_LIMIT;
    }
    return 0;
}

int config_file_read(struct arena *arena, const char *path, size_t len_max, vsr_str *ret_text, mode_t *ret_mode,
                     struct vsr_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    struct stat status;
    struct buf bytes;
    if (fd < 0)
        return err_set(err, VSR_E_IO, "cannot read \"%s\": %s", path, strerror(errno));
    buf_init(&bytes, len_max + 1);
    rc = fstat(fd, &status) == 0 ? read_all(fd, &bytes) : VSR_E_IO;
    if (rc == VSR_E_LIMIT)
        (void)err_set(err, rc, "\"%s\" is larger than %zu bytes", path, len_max);
    else if (rc < 0)
        (void)err_set(err, rc, "cannot read \"%s\": %s", path, strerror(errno));
    if (rc == 0) {
        *ret_text = arena_str(arena, buf_str(&bytes));
        *ret_mode = status.st_mode;
    }
    buf_done(&bytes);
    (void)close(fd);
    return rc;
}

/* ---- writing */

/* Moves the file to its place. Where the system cannot do that without replacing, a look before has to do. */
static int move_file(const char *from, const char *to, bool replace) {
    if (replace)
        return rename(from, to);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

int config_file_write(const char *path, vsr_str text, mode_t mode, bool replace, struct vsr_err *err) {
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path), fd, failure = 0;
    if (len < 0 || (size_t)len >= sizeof(temporary))
        return err_set(err, VSR_E_IO, "cannot write \"%s\": %s", path, strerror(ENAMETOOLONG));
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, VSR_E_IO, "cannot write \"%s\": %s", path, strerror(errno));
    if (fd_write_all(fd, text) < 0 || fchmod(fd, mode & (S_IRWXU | S_IRWXG | S_IRWXO)) < 0 || fsync(fd) < 0)
        failure = errno;
    if (close(fd) < 0 && failure == 0)
        failure = errno;
    if (failure == 0 && move_file(temporary, path, replace) < 0)
        failure = errno;
    if (failure == 0)
        return 0;
    (void)unlink(temporary);
    return err_set(err, failure == EEXIST ? VSR_E_EXISTS : VSR_E_IO, "cannot write \"%s\": %s", path,
                   strerror(failure));
}

bool config_file_same(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}
