/*
 * dsl_verdict - what is wrong with a file, as `vsr dsl check` tells it, from every command of `vsr dsl`.
 *
 * A command that cannot do its work refuses: it says why in the lines of `check` on standard error, or, where --json
 * was given, in the object of `check --json` on standard output. Whoever asks for JSON gets JSON whatever fails, but
 * for a command line that is not understood.
 */
#ifndef VSR_CLI_DSL_VERDICT_H
#define VSR_CLI_DSL_VERDICT_H

#include <stdbool.h>

#include "core/err.h"

struct buf;
struct cli;
struct config_source;
struct diag;
struct dsl_source;

/* {"file", "valid", "loads" of a program that was tried, counts by level, "diagnostics"}; of a configuration also its
 * "program" and the "conversion". */
void dsl_verdict_json(const struct dsl_source *source, bool valid, bool hints, struct buf *out);

/* With the findings of a program. Returns CLI_FAILURE. */
int dsl_refuse(const struct cli *cli, const struct dsl_source *source);
/* With the problems of a configuration, or of what else is YAML. Returns CLI_FAILURE, or CLI_IO where there was nothing
 * to read. */
int dsl_refuse_diag(const struct cli *cli, const struct diag *diag);
/* With an error about `file`, and the place in it when there is one. `code`: of what is wrong, unless that is known
 * from the error. Returns CLI_FAILURE, or CLI_IO for VSR_E_IO. */
int dsl_refuse_err(const struct cli *cli, const char *file, const struct vsr_err *err, const char *code);

/*
 * Refuses a policy that was not loaded, for which `diag` says why, or `err` when there is nothing in it: a program with
 * its own findings, where those are the reason. `file` is read again.
 */
int dsl_refuse_policy(const struct cli *cli, const char *file, const struct diag *diag, const struct vsr_err *err);
/* A program with its base, or a configuration: as config_source_load(), but refuses as above, and standard
 * input is none. References to the environment stay. */
int dsl_policy_load(const struct cli *cli, const char *file, struct config_source *ret_source);

#endif
