#include "model/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/fd.h"
#include "core/mem.h"

enum { COPY_LEN = 1 << 20 };

void file_close(int *fd) {
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

static int system_error(const char *what, const char *path, struct vsr_err *err) {
    return err_set(err, errno == ENOENT || errno == ENOTDIR ? VSR_E_NOT_FOUND : VSR_E_IO, "cannot %s \"%s\": %s", what,
                   path, strerror(errno));
}

static int read_all(struct arena *arena, int fd, size_t size, const char *path, vsr_str *ret_text,
                    struct vsr_err *err) {
    char *bytes = arena_try_alloc_raw(arena, size + 1);
    size_t len = 0;
    if (!bytes)
        return err_set(err, VSR_E_NOMEM, "no memory for the %zu bytes of \"%s\"", size, path);
    while (len < size) {
        ssize_t n = read(fd, bytes + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read", path, err);
        if (n == 0)
            break; /* it has shrunk meanwhile */
        len += (size_t)n;
    }
    bytes[len] = 0;
    *ret_text = str_make(bytes, len);
    return 0;
}

int file_read(struct arena *arena, int dir_fd, const char *path, size_t len_max, vsr_str *ret_text,
              struct vsr_err *err) {
    struct stat status;
    FILE_AUTO fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* or a pipe would keep us */
    if (fd < 0)
        return system_error("read", path, err);
    if (fstat(fd, &status) != 0)
        return system_error("read", path, err);
    if (!S_ISREG(status.st_mode))
        return err_set(err, VSR_E_INVALID, "\"%s\" is no regular file", path);
    if ((uint64_t)status.st_size > len_max)
        return err_set(err, VSR_E_LIMIT, "\"%s\" has %lld bytes, at most %zu are expected", path,
                       (long long)status.st_size, len_max);
    return read_all(arena, fd, (size_t)status.st_size, path, ret_text, err);
}

bool file_size(int dir_fd, const char *path, uint64_t *ret_size) {
    struct stat status;
    if (fstatat(dir_fd, path, &status, 0) != 0 || !S_ISREG(status.st_mode))
        return false;
    *ret_size = (uint64_t)status.st_size;
    return true;
}

bool file_exists(int dir_fd, const char *path) {
    uint64_t size;
    return file_size(dir_fd, path, &size);
}

static int copy_failed(enum file_side side, struct file_failure *ret) {
    *ret = (struct file_failure){ .side = side, .error = errno };
    return VSR_E_IO;
}

int file_copy(int from, int to, void (*seen)(void *data, vsr_str bytes), void *data, struct file_failure *ret_failure) {
    char *bytes = mem_alloc(COPY_LEN);
    ssize_t n;
    int rc = 0;
    while (rc == 0 && (n = read(from, bytes, COPY_LEN)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = copy_failed(FILE_SIDE_FROM, ret_failure);
        else if (fd_write_all(to, str_make(bytes, (size_t)n)) != 0)
            rc = copy_failed(FILE_SIDE_TO, ret_failure);
        else if (seen)
            seen(data, str_make(bytes, (size_t)n));
    }
    mem_free(bytes);
    return rc;
}

const char *file_write_hint(int error) {
    return error == ENOSPC || error == EDQUOT  ? "; free some space and try again, what is here already is used"
           : error == EACCES || error == EROFS ? "; choose another place with --models-dir"
                                               : "";
}

int file_open_dir(int dir_fd, const char *path, int *ret_fd, struct vsr_err *err) {
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return system_error("open directory", path, err);
    *ret_fd = fd;
    return 0;
}
