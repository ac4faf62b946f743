/*
 * commands - the table of all commands. Static; any thread.
 *
 * To add one: write <name>_command.c defining `command_<name>_spec`, add a line to VSR_COMMANDS. Help and shell
 * completion follow by themselves. A member of a family (`vsr config`, `vsr model`) goes into the list of its own file
 * instead.
 */
#ifndef VSR_CLI_COMMANDS_H
#define VSR_CLI_COMMANDS_H

#include "cli/cli.h"

/* In the order of the list that `vsr help` prints. */
#define VSR_COMMANDS(X) \
    X(serve) \
    X(validate) \
    X(config) X(dsl) X(route) X(probe) X(model) X(chat) X(status) X(backend) X(version) X(completion) X(help)

#define X(name) extern const struct command command_##name##_spec;
VSR_COMMANDS(X)
#undef X

enum {
#define X(name) COMMAND_INDEX_##name,
    VSR_COMMANDS(X)
#undef X
        COMMANDS_COUNT
};

extern const struct command *const commands[COMMANDS_COUNT];

/* The commands, or the members of a `family`. */
const struct command *const *command_list(const struct command *family, size_t *ret_n);

/* Among these; NULL when there is no such command. */
const struct command *command_find(const struct command *family, vsr_str name);

/* The one whose name is nearest to a mistyped one; NULL when none is near. */
const struct command *command_nearest(const struct command *family, vsr_str name);

/* serve_command.c; its table is serve_spec.c. */
int command_serve(const struct cli *cli, int argc, char **argv);

#endif
