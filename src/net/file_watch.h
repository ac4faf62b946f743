/*
 * file_watch - says when files that were read may have changed.
 *
 * Whatever way a file is changed in counts: written in place, replaced by a rename, removed and made again, its mode
 * changed, a symbolic link on the way to it turned elsewhere, a directory on that way moved. To that end every lookup
 * of each path (net/path_chain.h) is watched with inotify, and the file itself. Siblings whose name starts with
 * `..data` count too: Kubernetes swaps the files of a mount by renaming that link. All other names are nobody's
 * business, so the temporary files of editors go unnoticed.
 *
 * A burst of changes is one event: it comes when nothing has happened for `debounce_ms`, and at the latest
 * `debounce_max_ms` after the first. It says only that something may have changed; compare contents to know.
 *
 * Where inotify is not to be had (no more instances or watches, a directory that may not be read, a file system that
 * other machines write to), the files are also looked at every `poll_ms`, until it can be had.
 *
 * Loop thread only. A rescan after a change costs a few system calls for each directory on the way to each path.
 */
#ifndef VSR_NET_FILE_WATCH_H
#define VSR_NET_FILE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct file_watch;
struct loop;

enum {
    FILE_WATCH_PATHS_MAX = 256,
    FILE_WATCH_DEBOUNCE_MS = 250,
    FILE_WATCH_DEBOUNCE_MAX_MS = 2000,
    FILE_WATCH_POLL_MS = 5000,
};

struct file_watch_options {
    uint64_t debounce_ms, debounce_max_ms, poll_ms; /* 0: as above */
};

/* Keeps `loop`. Watches nothing until file_watch_set(). Never called from inside a function of this module. */
struct file_watch *file_watch_new(struct loop *loop, const struct file_watch_options *options, void (*fn)(void *data),
                                  void *data);
/* NULL is allowed. */
void file_watch_free(struct file_watch *watch);

/*
 * Watches these paths and no others from now on; relative ones are those of the current directory. They need not exist.
 * Copies. A change before this call goes unnoticed, so watch first and read afterwards. On failure (VSR_E_LIMIT: too
 * many paths, or one too long; VSR_E_IO: no current directory) the old paths stay.
 */
int file_watch_set(struct file_watch *watch, const vsr_str *paths, size_t n_paths, struct vsr_err *err) VSR_MUST_CHECK;

/* Whether some of it is looked at every `poll_ms`, because inotify does not see all. */
bool file_watch_polls(const struct file_watch *watch);

#endif
