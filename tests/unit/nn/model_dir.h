/*
 * model_dir - a temporary model directory, and safetensors files to put into it.
 */
#ifndef VSR_TESTS_NN_MODEL_DIR_H
#define VSR_TESTS_NN_MODEL_DIR_H

#include "test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"

enum { MODEL_DIR_BYTES_MAX = 1 << 24 };

struct model_dir {
    char path[256];
};

static inline struct model_dir model_dir_make(void) {
    struct model_dir dir;
    const char *base = getenv("TMPDIR");
    snprintf(dir.path, sizeof(dir.path), "%s/vsr-nn-XXXXXX", base ? base : "/tmp");
    CHECK_MSG(mkdtemp(dir.path) != NULL, "cannot make %s", dir.path);
    return dir;
}

static inline int model_dir_unlink(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline void model_dir_remove(struct model_dir *dir) {
    nftw(dir->path, model_dir_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

static inline vsr_str model_dir_str(const struct model_dir *dir) {
    return str_from_c(dir->path);
}

/* Folders in `name` are made. */
static inline void model_dir_write(const struct model_dir *dir, const char *name, vsr_str bytes) {
    char path[512];
    const char *slash = strchr(name, '/');
    FILE *file;
    if (slash) {
        snprintf(path, sizeof(path), "%s/%.*s", dir->path, (int)(slash - name), name);
        (void)mkdir(path, 0700); /* it may be there */
    }
    snprintf(path, sizeof(path), "%s/%s", dir->path, name);
    file = fopen(path, "wb");
    CHECK_MSG(file != NULL, "cannot write %s", path);
    CHECK(fwrite(bytes.ptr ? bytes.ptr : "", 1, bytes.len, file) == bytes.len, name);
    CHECK(fclose(file) == 0, name);
}

static inline void model_dir_write_c(const struct model_dir *dir, const char *name, const char *text) {
    model_dir_write(dir, name, str_from_c(text));
}

/* ---- safetensors */

struct tensor_file {
    struct buf header, data, bytes;
};

static inline void tensor_file_begin(struct tensor_file *file) {
    buf_init(&file->header, MODEL_DIR_BYTES_MAX);
    buf_init(&file->data, MODEL_DIR_BYTES_MAX);
    buf_init(&file->bytes, MODEL_DIR_BYTES_MAX);
}

/* `shape` as in JSON. */
static inline void tensor_file_add(struct tensor_file *file, const char *name, const char *dtype, const char *shape,
                                   const void *data, size_t len) {
    size_t begin = file->data.len;
    buf_append(&file->data, str_make(data, len));
    buf_printf(&file->header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
               file->header.len ? "," : "", name, dtype, shape, begin, file->data.len);
}

/* `n` numbers, value[i] = first + i. */
static inline void tensor_file_add_f32(struct tensor_file *file, const char *name, const char *shape, size_t n,
                                       float first) {
    float *values = calloc(n ? n : 1, sizeof(*values));
    for (size_t i = 0; i < n; i++)
        values[i] = first + (float)i;
    tensor_file_add(file, name, "F32", shape, values, n * sizeof(*values));
    free(values);
}

/* Length, header and data joined; `header` is JSON. */
static inline vsr_str tensor_file_join(struct tensor_file *file, vsr_str header, vsr_str data) {
    buf_reset(&file->bytes);
    for (int i = 0; i < 8; i++)
        buf_append_char(&file->bytes, (char)((uint64_t)header.len >> (8 * i)));
    buf_append(&file->bytes, header);
    buf_append(&file->bytes, data);
    return buf_str(&file->bytes);
}

static inline vsr_str tensor_file_bytes(struct tensor_file *file) {
    struct buf whole;
    vsr_str bytes;
    buf_init(&whole, MODEL_DIR_BYTES_MAX);
    buf_printf(&whole, "{");
    buf_append(&whole, buf_str(&file->header));
    buf_printf(&whole, "}");
    bytes = tensor_file_join(file, buf_str(&whole), buf_str(&file->data));
    buf_done(&whole);
    return bytes;
}

static inline void tensor_file_end(struct tensor_file *file) {
    buf_done(&file->header);
    buf_done(&file->data);
    buf_done(&file->bytes);
}

/* A directory's file with these tensors, each of f32: "name shape n", by NULL. */
struct named_tensor {
    const char *name, *shape;
    size_t n;
    float first;
};

static inline void model_dir_write_tensors(const struct model_dir *dir, const char *file_name,
                                           const struct named_tensor *tensors, size_t n) {
    struct tensor_file file;
    tensor_file_begin(&file);
    for (size_t i = 0; i < n; i++)
        tensor_file_add_f32(&file, tensors[i].name, tensors[i].shape, tensors[i].n, tensors[i].first);
    model_dir_write(dir, file_name, tensor_file_bytes(&file));
    tensor_file_end(&file);
}

#define CHECK_ERR(err, want, name) \
    CHECK_MSG(str_find(str_from_c((err).text), str_from_c(want)) >= 0, "case \"%s\": \"%s\" does not say \"%s\"", \
              (name), (err).text, (want))

#endif
