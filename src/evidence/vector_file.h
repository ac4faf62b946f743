/*
 * vector_file - vectors of texts on disk, so that a restart need not run a model for them again.
 *
 * One file for each embedder; its name is a hash of the `key`, a text that says which embedder it is down to the
 * content of its weights, and the key stands in the file, too. A file that is damaged, or is another's, is as good as
 * none: reading says so, and the next write replaces it. Writing is atomic: who reads sees the old file or the new one.
 * A file of another byte order has a wrong magic number. Folder and file must be the process's own, or root's, and
 * nobody else may write them: whoever can decides what rules match. What a process was writing when it was killed is
 * removed by a later write.
 *
 *     magic, dims u32, key length u32, n u64 | key, padded to 8 | n x (hash u64 u64, f32 [dims]) | XXH3 of all before
 *
 * Vectors are of unit length, which is checked: what is none was damaged before it was hashed. Any thread; two writers
 * of one file do not disturb each other, and the last one stays.
 */
#ifndef VSR_EVIDENCE_VECTOR_FILE_H
#define VSR_EVIDENCE_VECTOR_FILE_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    VECTOR_DIMS_MAX = 16384,
    VECTOR_KEY_LEN_MAX = 1024,
    VECTOR_FILE_LEN_MAX = 256 << 20, /* 80,000 vectors of 768 dimensions */
    VECTOR_FILES_MAX = 32,           /* in one folder; the oldest give way */
};

/* Which text a vector is of. */
struct vector_hash {
    uint64_t low, high;
};

struct vector_entry {
    struct vector_hash hash;
    const float *vector; /* [dims] */
};

struct vector_set {
    vsr_str key;
    size_t dims;
    const struct vector_entry *entries;
    size_t n;
};

struct vector_hash vector_hash_of(vsr_str text);

/* Of what stands in a file. Everything lives in `arena`, or in `bytes`, which has the alignment of memory from an
 * arena. VSR_E_INVALID: it is damaged, or no such file at all. */
int vector_set_parse(struct arena *arena, vsr_str bytes, struct vector_set *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* The file of `key` below `directory`, in `arena`. VSR_E_NOT_FOUND: there is none; VSR_E_INVALID: it is damaged or
 * another's, or others can write it; VSR_E_LIMIT; VSR_E_IO. */
int vector_file_read(struct arena *arena, vsr_str directory, vsr_str key, struct vector_set *ret,
                     struct vsr_err *err) VSR_MUST_CHECK;

/* Makes the directory; VSR_E_INVALID when it is there and others can write it. What is behind VECTOR_FILE_LEN_MAX is
 * left out. */
int vector_file_write(vsr_str directory, const struct vector_set *set, struct vsr_err *err) VSR_MUST_CHECK;

#endif
