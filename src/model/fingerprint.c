#include "model/fingerprint.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/arena.h"

enum {
    FILES_MAX = 4096, /* of a model; what is beyond does not count */
    FILES_DEPTH_MAX = 3,
    WHOLE_LEN_MAX = 1 << 20, /* and of a larger file, so much of its beginning */
    PLACES = 2048,
    PLACE_LEN = 256,
};

/* In no order: that of a directory's entries is nobody's. */
struct sum {
    struct arena *arena;
    char *room; /* [WHOLE_LEN_MAX] */
    uint64_t total;
    size_t n;
};

static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t len) {
    return XXH3_64bits_withSeed(bytes, len, hash);
}

static uint64_t add_range(uint64_t hash, int fd, const struct sum *sum, off_t at, size_t len) {
    ssize_t n = pread(fd, sum->room, len, at);
    return add_bytes(hash, sum->room, n > 0 ? (size_t)n : 0);
}

static uint64_t add_content(uint64_t hash, int fd, const struct sum *sum, off_t len) {
    off_t step = (len - WHOLE_LEN_MAX) / PLACES;
    hash = add_bytes(hash, &len, sizeof(len));
    hash = add_range(hash, fd, sum, 0, len < WHOLE_LEN_MAX ? (size_t)len : WHOLE_LEN_MAX);
    for (off_t i = 0; len > WHOLE_LEN_MAX && i < PLACES; i++)
        hash = add_range(hash, fd, sum, WHOLE_LEN_MAX + i * step, PLACE_LEN);
    return len > WHOLE_LEN_MAX ? add_range(hash, fd, sum, len - PLACE_LEN, PLACE_LEN) : hash;
}

/* `name` below the model's directory. */
static void add_file(struct sum *sum, int directory, const char *file, vsr_str name, off_t len) {
    int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    sum->total += add_content(add_bytes(0, name.ptr, name.len), fd, sum, len);
    (void)close(fd); /* it was only read */
}

/* Files as deep as modules.json can lead; links are followed, for a snapshot consists of them. */
static void add_directory(struct sum *sum, vsr_str path, vsr_str name, int depth) {
    DIR *dir = opendir(arena_c_str(sum->arena, path));
    struct dirent *entry;
    while (dir && sum->n < FILES_MAX && (entry = readdir(dir)) != NULL) {
        vsr_str below;
        struct stat status;
        if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &status, 0) != 0)
            continue;
        sum->n++;
        below = arena_printf(sum->arena, "%.*s/%s", VSR_FMT(name), entry->d_name);
        if (S_ISREG(status.st_mode))
            add_file(sum, dirfd(dir), entry->d_name, below, status.st_size);
        else if (S_ISDIR(status.st_mode) && depth < FILES_DEPTH_MAX)
            add_directory(sum, arena_printf(sum->arena, "%.*s/%s", VSR_FMT(path), entry->d_name), below, depth + 1);
    }
    if (dir)
        (void)closedir(dir);
}

void fingerprint_of(vsr_str directory, vsr_str base, char ret[static FINGERPRINT_LEN + 1]) {
    struct sum sum = { .arena = arena_new(0, 0) };
    sum.room = arena_alloc(sum.arena, WHOLE_LEN_MAX);
    add_directory(&sum, directory, VSR_STR(""), 1);
    if (base.len > 0)
        add_directory(&sum, base, VSR_STR("base:"), 1);
    arena_free(sum.arena);
    (void)snprintf(ret, FINGERPRINT_LEN + 1, "%016llx", (unsigned long long)sum.total); /* as many digits */
}
