/*
 * model_file - the small files of a model directory, read whole.
 *
 * Any thread. Files may be symbolic links, as a hub cache makes them; only ordinary files are read.
 */
#ifndef VSR_NN_MODEL_FILE_H
#define VSR_NN_MODEL_FILE_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    MODEL_FILE_LEN_MAX = 16 << 20, /* a config.json is 2 KB, an index of shards 100 KB */
    MODEL_PATH_LEN_MAX = 4096,
};

/* Text of "directory/name"; "name" may hold folders. It lives in `arena`. VSR_E_NOT_FOUND when there is no such file,
 * VSR_E_IO when it cannot be read or is no ordinary file, VSR_E_LIMIT past MODEL_FILE_LEN_MAX, VSR_E_INVALID for a path
 * that no file can have. */
int model_file_read(struct arena *arena, vsr_str directory, vsr_str name, vsr_str *ret_text,
                    struct vsr_err *err) VSR_MUST_CHECK;

/* Whether something stands at "directory/name". */
bool model_file_exists(vsr_str directory, vsr_str name);

/* An open descriptor of an ordinary file and its length, or an error as above. */
int model_file_open(const char *path, int *ret_fd, size_t *ret_len, struct vsr_err *err) VSR_MUST_CHECK;

/* "directory/name", NUL-terminated, in `path`. False when it is too long or holds a NUL. */
bool model_path(char path[static MODEL_PATH_LEN_MAX], vsr_str directory, vsr_str name);

/* A name without folders: not empty, no separator, no NUL, not "." or "..". */
bool model_file_is_basename(vsr_str name);

/* A path below the model's directory: basenames joined by "/". */
bool model_file_is_below(vsr_str path);

#endif
