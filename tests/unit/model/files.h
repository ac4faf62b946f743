/*
 * files - temporary trees for the tests of model/: directories, files, safetensors of a given shape.
 */
#ifndef VSR_TESTS_UNIT_MODEL_FILES_H
#define VSR_TESTS_UNIT_MODEL_FILES_H

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct tree {
    char root[64];
};

static inline void tree_make(struct tree *tree) {
    snprintf(tree->root, sizeof(tree->root), "/tmp/vsr-model-XXXXXX");
    CHECK(mkdtemp(tree->root) != NULL, "temporary directory");
}

static inline int tree_remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void tree_remove(struct tree *tree) {
    nftw(tree->root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* "ROOT/path" in one of a few static buffers. */
static inline const char *tree_path(const struct tree *tree, const char *path) {
    static char paths[8][512];
    static size_t next;
    char *out = paths[next++ % 8];
    snprintf(out, sizeof(paths[0]), "%s%s%s", tree->root, *path ? "/" : "", path);
    return out;
}

static inline vsr_str tree_str(const struct tree *tree, const char *path) {
    return str_from_c(tree_path(tree, path));
}

/* Makes the directories above it. */
static inline void tree_parents(const struct tree *tree, const char *path) {
    char part[512];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
        mkdir(tree_path(tree, part), 0755);
    }
}

static inline void tree_bytes(const struct tree *tree, const char *path, const void *bytes, size_t len) {
    FILE *file;
    tree_parents(tree, path);
    file = fopen(tree_path(tree, path), "wb");
    CHECK(file != NULL, path);
    CHECK(fwrite(bytes, 1, len, file) == len, path);
    CHECK(fclose(file) == 0, path);
}

static inline void tree_text(const struct tree *tree, const char *path, const char *text) {
    tree_bytes(tree, path, text, strlen(text));
}

static inline void tree_link(const struct tree *tree, const char *path, const char *target) {
    tree_parents(tree, path);
    CHECK(symlink(target, tree_path(tree, path)) == 0, path);
}

/* A safetensors file with this header and `data_len` bytes of data behind it. */
static inline void tree_weights(const struct tree *tree, const char *path, const char *header, size_t data_len) {
    unsigned char bytes[4096] = { 0 };
    size_t header_len = strlen(header);
    CHECK(8 + header_len + data_len <= sizeof(bytes), path);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)header_len >> (8 * i));
    memcpy(bytes + 8, header, header_len);
    tree_bytes(tree, path, bytes, 8 + header_len + data_len);
}

#define WEIGHTS_HEADER "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"

/* A small complete model. */
static inline void tree_model(const struct tree *tree, const char *dir) {
    char path[256];
    snprintf(path, sizeof(path), "%s/config.json", dir);
    tree_text(tree, path, "{\"model_type\":\"bert\"}");
    snprintf(path, sizeof(path), "%s/tokenizer.json", dir);
    tree_text(tree, path, "{}");
    snprintf(path, sizeof(path), "%s/model.safetensors", dir);
    tree_weights(tree, path, WEIGHTS_HEADER, 8);
}

#endif
