/*
 * stage - a hidden directory in which a model is put together before it takes its place in one step.
 *
 *     models/.NAME.pull/           files that are whole and checked, and FILE.KEY.part, which are not yet
 *     models/.NAME.lock            held while somebody works there; says who
 *     models/NAME/                 the model: untouched until everything is there
 *
 * Whoever opens models/NAME sees the old model or the new one, never a mixture, whenever the work is interrupted; what
 * has been fetched by then is used by the next attempt. Files in the old directory that are neither the old model's nor
 * the new one's are the user's and move along. One thread.
 */
#ifndef VSR_MODEL_STAGE_H
#define VSR_MODEL_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "model/digest.h"
#include "model/manifest.h"

struct arena;

enum { STAGE_KEY_LEN = 16, STAGE_ENTRIES_MAX = 1 << 16, STAGE_DEPTH_MAX = 16 };

struct stage;

/*
 * For a model at `target`, which may not exist, or be a link to a directory. Makes the directories above it. Copies
 * what it needs into `arena`. VSR_E_EXISTS: another process holds the lock; VSR_E_INVALID: `target` is a file;
 * VSR_E_IO.
 */
int stage_open(struct arena *arena, vsr_str target, struct stage **ret_stage, struct vsr_err *err) VSR_MUST_CHECK;
/* Gives the lock up; what is in the stage stays. NULL is allowed. */
void stage_close(struct stage *stage);

/* Descriptor of the target, or -1; and of the stage. They belong to the stage. */
int stage_target_fd(const struct stage *stage);
int stage_fd(const struct stage *stage);
/* Where the stage lies, for completeness_check() and messages. */
vsr_str stage_path(const struct stage *stage);
/* Bytes that the file system has to give; UINT64_MAX when it does not say. */
uint64_t stage_free_bytes(const struct stage *stage);

/* Removes what is neither one of `paths` (whole or as a part) nor on the way to one. */
int stage_sweep(struct stage *stage, const vsr_str *paths, const vsr_str *keys, size_t n,
                struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Whether the file is there, whole: in the stage already, or in the target, from where it is then linked or copied. Its
 * content is read and compared; a DIGEST_NONE is never equal. `ret_sha256` is set with it. `*ret_differs`: the target
 * has a file of that name with other content.
 */
int stage_has(struct stage *stage, vsr_str path, int64_t size, const struct digest *digest, bool *ret_has,
              bool *ret_differs, struct digest *ret_sha256, struct vsr_err *err) VSR_MUST_CHECK;

/* Opens the part of a file for reading and writing, made if there is none. `key` tells versions of the file apart. */
int stage_part_open(struct stage *stage, vsr_str path, vsr_str key, int *ret_fd, uint64_t *ret_len,
                    struct vsr_err *err) VSR_MUST_CHECK;
/* The part is whole and right: brings it to the disk and gives it its name. Closes `fd`, also on failure. */
int stage_part_finish(struct stage *stage, vsr_str path, vsr_str key, int fd, struct vsr_err *err) VSR_MUST_CHECK;

/* Writes the manifest into the stage. */
int stage_write_manifest(struct stage *stage, const struct manifest *manifest, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Puts the stage in the target's place and removes what was there. `old`: the manifest of what was there, NULL when it
 * has none; then only files of the same names are replaced.
 */
int stage_install(struct stage *stage, const struct manifest *old, struct vsr_err *err) VSR_MUST_CHECK;

#endif
