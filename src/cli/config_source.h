/*
 * config_source - a document for commands that look at its text and not at what it compiles to.
 *
 * Loads and checks like `vsr validate`, without building the engine. References to the environment stay as they are,
 * unless they are asked for: what a command prints then depends on the file alone.
 */
#ifndef VSR_CLI_CONFIG_SOURCE_H
#define VSR_CLI_CONFIG_SOURCE_H

#include "config/load.h"

struct arena;
struct cli;

struct config_source {
    struct arena *arena;               /* of everything else */
    const char *file;                  /* as the user named it */
    const struct schema *schema;       /* of the whole document */
    const struct config_document *doc; /* NULL when loading failed */
    struct diag diag;
};

/*
 * The file named by the operand, else by --config or its variable. NULL: none is named. Fails with CLI_USAGE (having
 * complained) when both name one, else returns 0.
 */
int config_source_name(const struct cli *cli, int argc, char **argv, const char **ret_file);

/*
 * Loads `file`; NULL: the built-in demo; "-": standard input. Complains on stderr and returns CLI_FAILURE for an
 * invalid document, CLI_USAGE for one that cannot be read, else 0; warnings are not printed. Call config_source_done()
 * in any case.
 */
int config_source_load(const struct cli *cli, const char *file, bool keep_env, struct config_source *ret_source);
/* The same, but what is wrong with the document is left to the caller to tell: CLI_FAILURE, and `diag` says it. */
int config_source_read(const struct cli *cli, const char *file, bool keep_env, struct config_source *ret_source);
void config_source_done(struct config_source *source);

/* The table of a whole document, with everything that this program supports. Lives in `arena`. */
const struct schema *config_source_schema(struct arena *arena);

#endif
