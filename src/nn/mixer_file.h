/*
 * mixer_file - the tensors of one file of a mixer or of one of its heads, as numbers that can be multiplied with.
 *
 * What is read is counted: a tensor that nobody asked for is an error of mixer_file_finish(), because a misspelt one
 * that is optional would otherwise be missed silently. A matrix X.weight is F32, F16 or BF16, or I8 with a scale for
 * each row in X.scale. One thread; what was read is immutable.
 */
#ifndef VSR_NN_MIXER_FILE_H
#define VSR_NN_MIXER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/kernels.h"
#include "nn/safetensors.h"

struct arena;

enum {
    MIXER_SIDE_MAX = 1 << 13, /* of a matrix; what a pool or a comparison reads is a few times as wide as the trunk */
    MIXER_NAME_LEN_MAX = 128,
    MIXER_TABLE_ROWS_MAX = 1 << 20,
    MIXER_TABLE_COLS_MAX = 2048,
};

struct mixer_file {
    struct arena *arena; /* of all that is read */
    struct safetensors tensors;
    bool *used; /* [tensors.n] */
    struct vsr_err *err;
};

/* y = x weight' + bias, packed: columns in panels, each [in][its columns]. */
struct mixer_linear {
    size_t in, out;
    const float *panels; /* NULL: there is no such thing */
    const float *bias;   /* [out]; NULL: none */
};

/* Keeps `arena`, `bytes` and `err`. VSR_E_INVALID, VSR_E_SYNTAX, VSR_E_LIMIT. */
int mixer_file_open(struct arena *arena, vsr_str bytes, struct mixer_file *ret, struct vsr_err *err) VSR_MUST_CHECK;

bool mixer_file_has(const struct mixer_file *file, const char *name);

/* Counts it as used. VSR_E_NOT_FOUND; VSR_E_INVALID unless it has `n_dims` dimensions, each from 1 to `side_max`. */
int mixer_file_tensor(struct mixer_file *file, const char *name, size_t n_dims, size_t side_max,
                      const struct tensor **ret) VSR_MUST_CHECK;

/*
 * "X.weight" and the like: [rows][cols] in the arena, at 64 bytes. A side of 0 is what the file says and is written
 * back; any other must be the file's.
 */
int mixer_file_matrix(struct mixer_file *file, const char *name, size_t *rows, size_t *cols,
                      const float **ret) VSR_MUST_CHECK;
int mixer_file_vector(struct mixer_file *file, const char *name, size_t n, const float **ret) VSR_MUST_CHECK;
/* "module.weight" and, unless it is not there, "module.bias". `out` 0: what the file says. */
int mixer_file_linear(struct mixer_file *file, const char *module, size_t in, size_t out,
                      struct mixer_linear *ret) VSR_MUST_CHECK;
/*
 * A table of rows that are looked up: "module.weight" of I8 with "module.scale" for each row, BF16 or F32; the weights
 * are read in place. Sides as in mixer_file_matrix(), but up to MIXER_TABLE_ROWS_MAX and MIXER_TABLE_COLS_MAX.
 */
int mixer_file_table(struct mixer_file *file, const char *module, size_t *rows, size_t *cols,
                     struct embed_table *ret) VSR_MUST_CHECK;
/* A whole number of the metadata, `fallback` when there is none. */
int mixer_file_number(const struct mixer_file *file, const char *key, size_t fallback, size_t least, size_t most,
                      size_t *ret) VSR_MUST_CHECK;

/* VSR_E_INVALID names a tensor that was not asked for. */
int mixer_file_finish(const struct mixer_file *file) VSR_MUST_CHECK;

/* Rows `ids` [n] of a table, each below its rows, to `ret` [n][cols]. */
void mixer_table_gather(const struct embed_table *table, const uint32_t *ids, size_t n, size_t cols, float *ret);

/* y += x weight' + bias for `n` rows. */
void mixer_linear_add(const struct mixer_linear *linear, const float *x, size_t x_stride, size_t n, float *y,
                      size_t y_stride);
/* The same with y = 0 before; rows of `y` are `out` apart. */
void mixer_linear_run(const struct mixer_linear *linear, const float *x, size_t x_stride, size_t n, float *y);

/* GELU of `rows` [n][width], in place. `width` at most MIXER_SIDE_MAX. */
void mixer_activate(float *rows, size_t n, size_t width);

#endif
