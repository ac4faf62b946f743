/*
 * partition - of several matches that exclude each other, one stays (signals.md §7.1).
 *
 * Works on the matches of one family, in match order, whatever the family: contenders are matched members with a
 * measured confidence. The winner may have its confidence replaced by a softmax over the contenders. Without any
 * contender the default is added as a synthesised match of confidence 0. Immutable once built: any thread.
 */
#ifndef VSR_POLICY_PARTITION_H
#define VSR_POLICY_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/document.h"
#include "core/str.h"

struct arena;

enum { PARTITION_MEMBERS_MIN = 2 }; /* with fewer declared members there is nothing to decide */

struct partition {
    vsr_str name;
    bool softmax;
    double temperature;
    const uint32_t *members; /* declared ones only */
    size_t n_members;
    uint32_t fallback; /* the default */
};

struct partition_match {
    uint32_t rule; /* whatever number the caller gives its rules */
    double confidence;
    bool has_confidence;
    bool synthesized;
};

struct partition_matches {
    struct partition_match *items; /* room for one more than there are, per partition applied */
    size_t n;
};

struct partition_contender {
    uint32_t rule;
    double raw, normalized;
};

struct partition_trace {
    const struct partition *partition;
    struct partition_contender *contenders; /* in match order; in the arena */
    size_t n_contenders;
    uint32_t winner;
    double winner_score, raw_winner_score, margin;
    bool normalized; /* scores went through the softmax */
    bool default_used;
};

/*
 * Compiles `config`, which it keeps; `find` gives a member's number, or UINT32_MAX when the family does not declare it.
 * False when too few members are left, and the partition is to be skipped.
 */
bool partition_build(struct arena *arena, const struct config_partition *config,
                     uint32_t (*find)(void *data, vsr_str name), void *data, struct partition *ret_partition);

/* Applies one partition to the matches. Returns false, and does nothing, when it has too few members. */
bool partition_apply(const struct partition *partition, struct partition_matches *matches, struct arena *arena,
                     struct partition_trace *ret_trace);

#endif
