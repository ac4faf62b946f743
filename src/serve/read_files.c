#include "serve/read_files.h"

#include <string.h>

#include "config/file_hash.h"
#include "core/arena.h"
#include "core/mem.h"

struct read_file {
    const char *path;
    char hash[FILE_HASH_LEN];
    bool present;
};

struct read_files {
    struct arena *arena;
    struct read_file *items;
    size_t n, cap;
};

struct read_files *read_files_new(void) {
    struct read_files *files = MEM_NEW(struct read_files);
    files->arena = arena_new(0, 0);
    return files;
}

void read_files_free(struct read_files *files) {
    if (!files)
        return;
    arena_free(files->arena);
    mem_free(files);
}

void read_files_note(void *data, vsr_str path, vsr_str hash) {
    struct read_files *files = data;
    struct read_file *file;
    files->items = arena_grow(files->arena, files->items, sizeof(*files->items), files->n, &files->cap);
    file = &files->items[files->n++];
    *file = (struct read_file){ .path = arena_c_str(files->arena, path), .present = hash.len == FILE_HASH_LEN };
    if (file->present)
        memcpy(file->hash, hash.ptr, FILE_HASH_LEN);
}

size_t read_files_count(const struct read_files *files) {
    return files->n;
}

vsr_str read_files_path(const struct read_files *files, size_t i) {
    return str_from_c(files->items[i].path);
}

/* One that cannot be read has not changed as long as it was not read before. */
static bool is_unchanged(const struct read_file *file) {
    char hash[FILE_HASH_LEN];
    bool present = file_hash(file->path, hash, NULL) == 0;
    return present == file->present && (!present || memcmp(hash, file->hash, sizeof(hash)) == 0);
}

bool read_files_unchanged(const struct read_files *files) {
    for (size_t i = 0; i < files->n; i++)
        if (!is_unchanged(&files->items[i]))
            return false;
    return true;
}
