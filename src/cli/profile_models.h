/*
 * profile_models - the models and servers that a policy asks, for commands that evaluate it without a gateway.
 *
 * As the configuration says, and as the gateway would ask them; but a command waits until every model is loaded and
 * every example has its vector before it evaluates anything, so that what it says does not depend on when.
 */
#ifndef VSR_CLI_PROFILE_MODELS_H
#define VSR_CLI_PROFILE_MODELS_H

#include <stddef.h>

#include "core/err.h"

struct cli;
struct evidence;
struct evidence_lane;
struct profile_models;
struct snapshot;
struct telemetry;

/* For the tables of options of commands that evaluate. */
#define PROFILE_OPTIONS_MODELS \
    MODEL_OPTION_DIR, { \
        "no-models", 0, OPTION_FLAG, 0, NULL, "ask no model and no server: what only they can say is unavailable" \
    }

/* For `n_threads` that evaluate at the same time. Keeps `telemetry`. */
int profile_models_new(const char *models_dir, size_t n_threads, struct telemetry *telemetry,
                       struct profile_models **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* Before the snapshot's end: nobody is asked any more. NULL is allowed, as below. */
void profile_models_end(struct profile_models *models);
/* After it. */
void profile_models_free(struct profile_models *models);

/* For snapshot_load(). */
struct evidence *profile_models_evidence(struct profile_models *models);

/* Loads what the snapshot needs, and waits for it. What is not there is said on stderr. */
void profile_models_load(struct profile_models *models, const struct cli *cli, struct snapshot *snapshot);

/* Of thread `index`. NULL without models, too: nobody is asked then. */
struct evidence_lane *profile_models_lane(struct profile_models *models, size_t index);

#endif
