/*
 * name_pattern - regular expressions over the names of a model's parts, as adapter files use them.
 *
 * Python's spelling, and of it what such files need: literals, `.`, classes, `\d \w \s \.`, groups, `|`, `* + ?` (lazy
 * ones too: a whole name matches or not), `{m,n}`, `^`, `$`. Anything else is an error, not a guess. Matching takes
 * time proportional to name times pattern whatever the pattern is: files are not trusted. Read-only: any thread.
 */
#ifndef VSR_NN_NAME_PATTERN_H
#define VSR_NN_NAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct name_pattern; /* in an arena */

enum {
    NAME_PATTERN_LEN_MAX = 4096,
    NAME_PATTERN_STEPS_MAX = 4096, /* after repetitions are written out */
    NAME_PATTERN_DEPTH_MAX = 32,
};

/* What it takes beyond matching is given back before the return: patterns stay as small as they are written. */
int name_pattern_build(struct arena *arena, vsr_str regex, struct name_pattern **ret,
                       struct vsr_err *err) VSR_MUST_CHECK;

/* Steps that a byte of a name may take: 1 for a pattern without alternatives and repetitions. */
size_t name_pattern_cost(const struct name_pattern *pattern);

/* The whole of `name`. */
bool name_pattern_matches(const struct name_pattern *pattern, vsr_str name);

#endif
