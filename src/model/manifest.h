/*
 * manifest - what a downloaded model consists of: `.vsr-manifest.json` beside its files.
 *
 * Written last, so a directory with a manifest was once complete; sizes and hashes tell whether it still is. It also
 * records the commit that the files are of, and thereby whether the hub has newer ones. Plain data in an arena.
 *
 *     {"format": 1, "repo_id": "owner/name", "revision": "main", "commit": "5b4e...", "endpoint": "https://...",
 *      "files": [{"path": "config.json", "size": 1201, "sha256": "9f86..."}, ...]}
 */
#ifndef VSR_MODEL_MANIFEST_H
#define VSR_MODEL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/digest.h"

struct arena;
struct buf;

#define MANIFEST_NAME ".vsr-manifest.json"

enum {
    MANIFEST_FILES_MAX = 4096,
    MANIFEST_LEN_MAX = 8 << 20,
    MANIFEST_PATH_LEN_MAX = 512, /* of a file, below its model's directory */
    MANIFEST_PATH_DEPTH_MAX = 8,
};

struct manifest_file {
    vsr_str path; /* below the directory; safe by model_path_safe() */
    uint64_t size;
    struct digest sha256;
};

struct manifest {
    vsr_str repo_id, revision, commit, endpoint; /* empty when the files came from somewhere else */
    struct manifest_file *files;                 /* sorted by path */
    size_t n_files;
};

/*
 * Whether `path` stays below the directory that it is joined to, whatever the file system: no leading or doubled `/`,
 * no `.` or `..`, no backslash, colon or control character, valid UTF-8, within MANIFEST_PATH_*_MAX.
 */
bool model_path_safe(vsr_str path);

/* From text; strings are copied to `arena`. VSR_E_SYNTAX, VSR_E_INVALID (which member, what was expected), VSR_E_LIMIT.
 */
int manifest_parse(struct arena *arena, vsr_str text, struct manifest *ret_manifest,
                   struct vsr_err *err) VSR_MUST_CHECK;
/* The one in the directory `dir_fd`. VSR_E_NOT_FOUND: there is none. */
int manifest_read(struct arena *arena, int dir_fd, struct manifest *ret_manifest, struct vsr_err *err) VSR_MUST_CHECK;
void manifest_write(const struct manifest *manifest, struct buf *out);

/* NULL when it is not listed. */
const struct manifest_file *manifest_find(const struct manifest *manifest, vsr_str path);
/* By path, as files are to be; for qsort. */
int manifest_file_compare(const void *a, const void *b);

#endif
