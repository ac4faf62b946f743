/*
 * safetensors - the tensors of one file, in place.
 *
 *     8 bytes N, little-endian │ N bytes of JSON: {"name": {"dtype", "shape", "data_offsets": [begin, end)}, ...} │
 * data
 *
 * The file is mapped read-only and checked whole before anything is handed out: each tensor lies inside the file, has
 * as many bytes as its shape says, overlaps no other, and leaves no hole (bytes behind the last one are tolerated).
 * Data are row-major, little-endian and of any alignment.
 *
 * Read-only afterwards: any thread. A mapped file that somebody truncates kills the reader with SIGBUS; models are
 * replaced by renaming, never written in place.
 */
#ifndef VSR_NN_SAFETENSORS_H
#define VSR_NN_SAFETENSORS_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/precision.h"

struct arena;

enum {
    SAFETENSORS_HEADER_LEN_MAX = 100 << 20, /* the format's own limit */
    SAFETENSORS_TENSORS_MAX = 1 << 16,      /* a model of 128 layers has some 2,000 */
    SAFETENSORS_NOTES_MAX = 1 << 12,
    TENSOR_DIMS_MAX = 8,
};

struct tensor {
    vsr_str name;
    const void *data; /* not aligned */
    size_t len;       /* bytes */
    size_t n;         /* elements */
    enum dtype dtype;
    uint32_t n_dims; /* 0: a scalar */
    size_t dims[TENSOR_DIMS_MAX];
};

/* One entry of "__metadata__". */
struct safetensors_note {
    vsr_str key, value;
};

struct safetensors {
    struct tensor *tensors; /* [n], in byte order of their names */
    size_t n;
    vsr_str format;                 /* "pt", "tf", ... of the metadata; empty when it names none */
    struct safetensors_note *notes; /* [n_notes], all of the metadata, in the order of the file */
    size_t n_notes;
};

/* Maps the file; the mapping and all else lives in `arena`. VSR_E_NOT_FOUND, VSR_E_IO, VSR_E_LIMIT, or VSR_E_INVALID
 * and VSR_E_SYNTAX with the reason. */
int safetensors_open(struct arena *arena, const char *path, struct safetensors *ret,
                     struct vsr_err *err) VSR_MUST_CHECK;

/* The same over bytes in memory, which must outlive the result. */
int safetensors_parse(struct arena *arena, vsr_str bytes, struct safetensors *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* NULL when there is none of that name. */
const struct tensor *safetensors_find(const struct safetensors *file, vsr_str name);

/* What the metadata says under `key`; empty when it says nothing. */
vsr_str safetensors_note(const struct safetensors *file, vsr_str key);

/* "[768, 3072]" for messages, in `text`, which is returned. */
enum { TENSOR_SHAPE_TEXT_LEN = 24 * TENSOR_DIMS_MAX };
const char *tensor_shape_text(const size_t *dims, size_t n_dims, char text[static TENSOR_SHAPE_TEXT_LEN]);

#endif
