/*
 * path_chain - the directory lookups that lead from a path to its file.
 *
 * A path such as a Kubernetes mount, /etc/vsr/config.yaml -> ..data/config.yaml with ..data -> ..2026_01, is found by
 * looking up a name in one directory after the other: `etc` in /, `vsr` in /etc, `config.yaml` in /etc/vsr, `..data` in
 * /etc/vsr, and so on. Whoever wants to know when the path leads elsewhere has to look at these places, also at those
 * in front of a name that is not there yet. Pure but for lstat and readlink. Private to net/.
 */
#ifndef VSR_NET_PATH_CHAIN_H
#define VSR_NET_PATH_CHAIN_H

#include <stdbool.h>

enum { PATH_CHAIN_LINKS_MAX = 40 }; /* as the kernel's own limit */

/* `dir` holds no symbolic link and is absolute; `name` is looked up in it. Both are valid during the call. */
typedef void path_chain_fn(void *data, const char *dir, const char *name);

/*
 * Calls `fn` for each lookup, before that name is looked at: an observer of `dir` that begins there misses nothing.
 * `path` is absolute. Writes where the path ends to `ret_end` (PATH_MAX bytes, absolute, no links) and returns true
 * when it leads to something that exists; ends early and returns false otherwise.
 */
bool path_chain_walk(const char *path, path_chain_fn *fn, void *data, char *ret_end);

#endif
