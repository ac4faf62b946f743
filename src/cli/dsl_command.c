/*
 * dsl_command - `vsr dsl`: programs of the routing language, from the first line to what they make of a request.
 *
 * To add a member: write dsl_<name>.c that defines `command_dsl_<name>_spec`, add X(<name>) here.
 */
#include "cli/cli.h"

#define DSL_COMMANDS(X) \
    X(new) X(generate) X(check) X(fix) X(fmt) X(compile) X(decompile) X(test) X(explain) X(prove) X(diff) X(lsp) X(docs)

#define X(name) extern const struct command command_dsl_##name##_spec;
DSL_COMMANDS(X)
#undef X

static const struct command *const members[] = {
#define X(name) &command_dsl_##name##_spec,
    DSL_COMMANDS(X)
#undef X
};

const struct command command_dsl_spec = {
    .name = "dsl",
    .summary = "write, check and compile policies as programs",
    .usage = "vsr dsl COMMAND [OPTION]... [OPERAND]...",
    .details =
        "The routing language is described in docs/dsl.md. `-` stands for standard input where nothing beside the\n"
        "file is needed. Exits with 0 when all is well, 1 when the program or its base has errors (with --strict:\n"
        "any finding), 2 when the command line was not understood, 3 when a file cannot be read or written.\n",
    .members = members,
    .n_members = VSR_COUNT(members),
};
