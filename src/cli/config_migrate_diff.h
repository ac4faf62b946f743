/*
 * config_migrate_diff - the lines in which two texts differ, in the unified format.
 *
 * The shortest edit script (Myers, An O(ND) Difference Algorithm, 1986), as long as it is not longer than
 * DIFF_EDITS_MAX; beyond that everything between the common beginning and end counts as changed, which is true as well
 * and bounds time and memory. Any thread.
 */
#ifndef VSR_CLI_CONFIG_MIGRATE_DIFF_H
#define VSR_CLI_CONFIG_MIGRATE_DIFF_H

#include <stdbool.h>

#include "core/str.h"

struct buf;

enum {
    DIFF_EDITS_MAX = 3000, /* the trace of its search takes its square of words: 36 MB */
    DIFF_CONTEXT = 3,      /* unchanged lines around changed ones */
};

/* Appends the difference under the names of the texts; nothing when they are the same. */
void diff_print(struct buf *out, vsr_str old_name, vsr_str old_text, vsr_str new_name, vsr_str new_text, bool colour);

#endif
