/*
 * profile - the policy that a command works with: a file, or the built-in demo.
 *
 * Loads through serve/snapshot, the gateway's own way, so that validate, route and serve accept the same documents and
 * mean the same by them. One place knows what the program's parts hand down to config_load (signal families, selection
 * algorithms). Read-only once loaded.
 */
#ifndef VSR_CLI_PROFILE_H
#define VSR_CLI_PROFILE_H

#include <stdbool.h>

#include "config/load.h"
#include "core/err.h"

struct arena;
struct cli;
struct profile_models;
struct snapshot;
struct telemetry;
struct provider_registry;

/* recipes/demo/config.yaml, built in, and the name under which messages speak of it. Static. */
vsr_str profile_demo_text(void);
#define PROFILE_DEMO_NAME "recipes/demo/config.yaml"

/* What this program supports, for config_load and snapshot_load. */
struct config_load_options profile_load_options(bool strict_env);

/* A file that cannot be read is the command line's mistake, not the policy's: it is told apart before loading.
 * VSR_E_IO. */
int profile_check_readable(const char *file, struct vsr_err *err) VSR_MUST_CHECK;

/* For the tables of options of commands that read a policy. */
#define PROFILE_OPTION_BASE \
    { \
        "base", 'b', OPTION_TEXT, OPTION_FILE, "FILE", \
            "of a policy in the routing language: the configuration that it belongs to; without it the one beside it", \
            .env = "VSR_BASE" \
    }

/*
 * What --base says of the policy `file`, where the command has that option; NULL: nothing. CLI_USAGE (having
 * complained) when it was given for a policy that has none, else CLI_OK.
 */
int profile_base(const struct cli *cli, const char *file, const char **ret_base);

struct profile {
    struct arena *arena;       /* of `diag` */
    struct diag diag;          /* errors when loading failed; warnings may be there in any case */
    struct vsr_err err;        /* what failed, when it was no configuration problem */
    struct snapshot *snapshot; /* NULL when loading failed */
    struct telemetry *telemetry;
    struct provider_registry *registry;
    struct profile_models *models; /* NULL: none is asked */
};

struct profile_options {
    const char *file; /* NULL: the demo */
    const char *base; /* of a policy in the routing language; NULL: the one beside it */
    bool strict_env;
    size_t n_threads;       /* that evaluate at the same time */
    const char *models_dir; /* what `models/` stands for; NULL: no model is asked, and what only one can say is
                               unavailable */
};

/*
 * Loads what the options say, but for models: those are loaded by profile_models_load(). Returns 0 or the code of what
 * failed; VSR_E_IO: the file could not be read. Call profile_done() in any case.
 */
int profile_load_with(const struct profile_options *options, struct profile *ret_profile) VSR_MUST_CHECK;
void profile_done(struct profile *profile);

/* Says on stderr why loading failed. Returns the exit code. */
int profile_complain(const struct cli *cli, const struct profile *profile);

#endif
