/*
 * dsl_diff_report - what `vsr dsl diff` found out, as text and as JSON.
 */
#ifndef VSR_CLI_DSL_DIFF_REPORT_H
#define VSR_CLI_DSL_DIFF_REPORT_H

#include "cli/cli.h"
#include "dsl/change.h"
#include "dsl/effect.h"

struct dsl_difference {
    struct changes changes; /* what is written */
    struct effects effects; /* what requests notice of it */
};

/* Whether it is proved that no request notices anything. */
bool dsl_difference_is_none(const struct dsl_difference *difference);

/* Texts that are made for it live in `arena`. */
void dsl_difference_text(const struct cli *cli, struct arena *arena, const struct dsl_difference *difference,
                         struct buf *out);
void dsl_difference_json(struct arena *arena, const struct dsl_difference *difference, struct buf *out);

#endif
