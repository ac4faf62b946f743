/*
 * dsl_base - the configuration that a program belongs to, read as it stands: nothing about it is checked. Blocking.
 */
#ifndef VSR_CLI_DSL_BASE_H
#define VSR_CLI_DSL_BASE_H

#include <sys/types.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct cli;
struct diag;
struct yaml_node;

struct dsl_base {
    vsr_str file; /* as it was named */
    vsr_str text;
    mode_t mode;
    struct yaml_node *root; /* a mapping, comments included, that can be changed; NULL: there is none */
};

/*
 * Reads it into `arena`. VSR_E_IO and VSR_E_LIMIT, of which `err` tells, or VSR_E_INVALID, of which `diag` does, which
 * is initialised here: it is no YAML, or no mapping.
 */
int dsl_base_read(struct arena *arena, const char *file, struct dsl_base *ret_base, struct diag *diag,
                  struct vsr_err *err) VSR_MUST_CHECK;

/* The file that --base names, or the variable in its place; none leaves *ret_base empty. Refuses (cli/dsl_verdict.h);
 * returns an exit code. */
int dsl_base_open(const struct cli *cli, struct arena *arena, struct dsl_base *ret_base);
/* This file. */
int dsl_base_open_file(const struct cli *cli, struct arena *arena, const char *file, struct dsl_base *ret_base);

#endif
