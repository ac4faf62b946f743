#include "nn/model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"

bool model_path(char path[static MODEL_PATH_LEN_MAX], vsr_str directory, vsr_str name) {
    int len;
    if (directory.len + name.len + 2 > MODEL_PATH_LEN_MAX ||
        (directory.len && memchr(directory.ptr, 0, directory.len)) || (name.len && memchr(name.ptr, 0, name.len)))
        return false;
    if (directory.len == 0)
        directory = VSR_STR(".");
    len = name.len == 0 ? snprintf(path, MODEL_PATH_LEN_MAX, "%.*s", VSR_FMT(directory))
                        : snprintf(path, MODEL_PATH_LEN_MAX, "%.*s/%.*s", VSR_FMT(directory), VSR_FMT(name));
    return len > 0 && len < MODEL_PATH_LEN_MAX;
}

bool model_file_is_basename(vsr_str name) {
    return name.len > 0 && !memchr(name.ptr, '/', name.len) && !memchr(name.ptr, '\\', name.len) &&
           !memchr(name.ptr, 0, name.len) && !str_eq_c(name, ".") && !str_eq_c(name, "..");
}

bool model_file_is_below(vsr_str path) {
    for (vsr_str rest = path; rest.ptr;) {
        if (!model_file_is_basename(str_split(&rest, '/')))
            return false;
    }
    return path.len > 0;
}

bool model_file_exists(vsr_str directory, vsr_str name) {
    char path[MODEL_PATH_LEN_MAX];
    return model_path(path, directory, name) && access(path, F_OK) == 0;
}

int model_file_open(const char *path, int *ret_fd, size_t *ret_len, struct vsr_err *err) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0)
        return err_set(err, errno == ENOENT || errno == ENOTDIR ? VSR_E_NOT_FOUND : VSR_E_IO, "cannot open \"%s\": %s",
                       path, strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        (void)close(fd); /* nothing was written */
        return err_set(err, VSR_E_IO, "\"%s\" is not an ordinary file", path);
    }
    *ret_fd = fd;
    *ret_len = (size_t)status.st_size;
    return 0;
}

/* A file that shrinks meanwhile gives what there was. */
static int read_whole(int fd, size_t len, char *to, size_t *ret_len) {
    size_t at = 0;
    while (at < len) {
        ssize_t got = read(fd, to + at, len - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return VSR_E_IO;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    *ret_len = at;
    return 0;
}

int model_file_read(struct arena *arena, vsr_str directory, vsr_str name, vsr_str *ret_text, struct vsr_err *err) {
    char path[MODEL_PATH_LEN_MAX], *text;
    size_t len = 0, got = 0;
    int fd = -1, rc;
    if (!model_path(path, directory, name))
        return err_set(err, VSR_E_INVALID, "the path of \"%.*s\" is too long or holds a NUL", VSR_FMT(name));
    rc = model_file_open(path, &fd, &len, err);
    if (rc < 0)
        return rc;
    if (len > MODEL_FILE_LEN_MAX) {
        rc = err_set(err, VSR_E_LIMIT, "\"%s\" is longer than %d bytes", path, MODEL_FILE_LEN_MAX);
    } else if (!(text = arena_try_alloc_raw(arena, len))) {
        rc = err_set(err, VSR_E_NOMEM, "no memory for \"%s\"", path);
    } else if (read_whole(fd, len, text, &got) < 0) {
        rc = err_set(err, VSR_E_IO, "cannot read \"%s\": %s", path, strerror(errno));
    } else {
        *ret_text = str_make(text, got);
    }
    (void)close(fd); /* it was only read */
    return rc;
}
