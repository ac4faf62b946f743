/*
 * cost_baseline - which model an answer's cost is compared with: global.router.pricing.baseline.
 *
 * Found once for each model of a snapshot, and among the models of the decision where that is what was asked for.
 */
#ifndef VSR_SERVE_COST_BASELINE_H
#define VSR_SERVE_COST_BASELINE_H

struct priced_model;
struct snapshot;
struct snapshot_decision;
struct snapshot_model;

/* While the snapshot is built, once it has its models and decisions. */
void cost_baseline_build(struct snapshot *snapshot);

/* For an answer of `model`; `decision` is NULL when the client named the model. NULL: there is none. Any thread. */
const struct priced_model *cost_baseline(const struct snapshot *snapshot, const struct snapshot_model *model,
                                         const struct snapshot_decision *decision);

#endif
