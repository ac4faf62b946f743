/*
 * config_migrate_file - reads an old document and writes a new one, whole or not at all.
 *
 * The new file is written beside its place under another name, with the permissions of the old document, and moved
 * there at the end: readers see nothing, or all of it. Blocking; one thread.
 */
#ifndef VSR_CLI_CONFIG_MIGRATE_FILE_H
#define VSR_CLI_CONFIG_MIGRATE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

/* Reads at most `len_max` bytes into `arena`. VSR_E_IO or VSR_E_LIMIT. */
int config_file_read(struct arena *arena, const char *path, size_t len_max, vsr_str *ret_text, mode_t *ret_mode,
                     struct vsr_err *err) VSR_MUST_CHECK;

/* Writes `text` to `path`. VSR_E_EXISTS when something is there and `replace` is not set; VSR_E_IO. */
int config_file_write(const char *path, vsr_str text, mode_t mode, bool replace, struct vsr_err *err) VSR_MUST_CHECK;

/* Whether both names lead to one file. */
bool config_file_same(const char *a, const char *b);

#endif
