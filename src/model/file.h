/*
 * file - small helpers around the files of a model. Any thread; they block.
 */
#ifndef VSR_MODEL_FILE_H
#define VSR_MODEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

/* close() that keeps errno and accepts a negative descriptor, for __attribute__((cleanup)). */
void file_close(int *fd);
#define FILE_AUTO __attribute__((cleanup(file_close))) int

/* Takes a descriptor out of the hands of its FILE_AUTO, which then closes nothing. */
static inline int file_take(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

/*
 * The text of a regular file of at most `len_max` bytes, in `arena`. Symbolic links are followed: the hub's cache
 * consists of them. VSR_E_NOT_FOUND, VSR_E_IO, VSR_E_LIMIT, VSR_E_INVALID (no regular file), VSR_E_NOMEM.
 */
int file_read(struct arena *arena, int dir_fd, const char *path, size_t len_max, vsr_str *ret_text,
              struct vsr_err *err) VSR_MUST_CHECK;

/* Size of a regular file, links followed; false when there is none. */
bool file_size(int dir_fd, const char *path, uint64_t *ret_size);
bool file_exists(int dir_fd, const char *path);

enum file_side { FILE_SIDE_FROM, FILE_SIDE_TO };

/* What a copy did not do: with the errno of that. */
struct file_failure {
    enum file_side side;
    int error;
};

/*
 * From where `from` is to its end. `seen`, which may be NULL, is given every piece that was written. Negative on
 * failure; then `*ret_failure` is set, of which the caller, who knows names, makes an error: file_write_hint().
 */
int file_copy(int from, int to, void (*seen)(void *data, vsr_str bytes), void *data,
              struct file_failure *ret_failure) VSR_MUST_CHECK;

/* What to do about an errno of writing below the directory of models: "; ...", or "". */
const char *file_write_hint(int error);

/* Opens a directory for the *at() family. VSR_E_NOT_FOUND or VSR_E_IO. */
int file_open_dir(int dir_fd, const char *path, int *ret_fd, struct vsr_err *err) VSR_MUST_CHECK;

#endif
