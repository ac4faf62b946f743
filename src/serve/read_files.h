/*
 * read_files - the files beside a document that its load looked at: where they are, and what was in them.
 *
 * Tells whether a document that has not changed itself would still be loaded the same, and what to watch to learn of
 * it. A place where nothing was found counts: a file that appears there changes the outcome. One thread at a time.
 */
#ifndef VSR_SERVE_READ_FILES_H
#define VSR_SERVE_READ_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct read_files;

struct read_files *read_files_new(void);
void read_files_free(struct read_files *files); /* NULL is allowed */

/* For config_load_options.on_file, with the files as its data. Copies. `hash` empty: nothing was there. */
void read_files_note(void *files, vsr_str path, vsr_str hash);

size_t read_files_count(const struct read_files *files);
vsr_str read_files_path(const struct read_files *files, size_t i);

/* Whether all of them hold now what they held then. Reads them; blocks. */
bool read_files_unchanged(const struct read_files *files);

#endif
