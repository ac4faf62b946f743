/*
 * config_command - `vsr config`: what there is to know about configuration, its documents and the contract itself.
 *
 * To add a member: write config_<name>.c that defines `command_config_<name>_spec`, add X(<name>) here.
 */
#include "cli/cli.h"

#define CONFIG_COMMANDS(X) X(validate) X(print) X(diff) X(explain) X(migrate) X(envoy) X(defaults) X(schema) X(docs)

#define X(name) extern const struct command command_config_##name##_spec;
CONFIG_COMMANDS(X)
#undef X

static const struct command *const members[] = {
#define X(name) &command_config_##name##_spec,
    CONFIG_COMMANDS(X)
#undef X
};

const struct command command_config_spec = {
    .name = "config",
    .summary = "check, print, compare and explain configuration",
    .usage = "vsr config COMMAND [OPTION]... [OPERAND]...",
    .members = members,
    .n_members = VSR_COUNT(members),
};
