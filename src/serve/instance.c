#include "serve/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd.h"

enum { SLOTS_MAX = 64 }; /* processes in one state directory that have a name */

static int make_directory(const char *dir, struct vsr_err *err) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/", dir) >= (int)sizeof(path))
        return err_set(err, VSR_E_LIMIT, "the path of the state directory is too long");
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_set(err, VSR_E_IO, "cannot make the state directory %s: %s", path, strerror(errno));
        *slash = '/';
    }
    return 0;
}

static bool is_name(const char *text) {
    return strlen(text) == INSTANCE_LEN && strspn(text, "0123456789abcdef") == INSTANCE_LEN;
}

/* The name in the file; a file without one gets one. */
static int read_name(int fd, char *name, struct vsr_err *err) {
    unsigned char random[INSTANCE_LEN / 2];
    ssize_t n = pread(fd, name, INSTANCE_LEN, 0);
    name[n > 0 ? n : 0] = 0;
    if (is_name(name))
        return 0;
    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_set(err, VSR_E_INTERNAL, "no random numbers");
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(name + 2 * i, 3, "%02x", random[i]);
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 || fd_write_all(fd, str_from_c(name)) < 0)
        return err_set(err, VSR_E_IO, "cannot write into the state directory: %s", strerror(errno));
    return 0;
}

int instance_claim(const char *state_dir, struct instance *ret_instance, struct vsr_err *err) {
    int rc = make_directory(state_dir, err);
    ret_instance->fd = -1;
    ret_instance->name[0] = 0;
    for (int slot = 0; rc == 0 && slot < SLOTS_MAX; slot++) {
        char path[PATH_MAX], name[INSTANCE_LEN + 1];
        int fd;
        (void)snprintf(path, sizeof(path), "%s/instance-%d", state_dir, slot);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            return err_set(err, VSR_E_IO, "cannot write %s: %s", path, strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            (void)close(fd);
            continue;
        }
        rc = read_name(fd, name, err);
        if (rc < 0) {
            (void)close(fd);
            return rc;
        }
        ret_instance->fd = fd;
        memcpy(ret_instance->name, name, sizeof(name));
        return 0;
    }
    return rc < 0
               ? rc
               : err_set(err, VSR_E_LIMIT, "more than %d processes share the state directory %s", SLOTS_MAX, state_dir);
}

void instance_release(struct instance *instance) {
    if (instance->fd >= 0)
        (void)close(instance->fd);
    instance->fd = -1;
}
