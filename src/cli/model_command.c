/*
 * model_command - `vsr model`: the models that run inside vsr, and their files.
 *
 * To add a member: write model_<name>.c that defines `command_model_<name>_spec`, add X(<name>) here.
 */
#include "cli/cli.h"

#define MODEL_COMMANDS(X) X(list) X(show) X(pull) X(verify) X(classify) X(embed) X(tokenize) X(bench)

#define X(name) extern const struct command command_model_##name##_spec;
MODEL_COMMANDS(X)
#undef X

static const struct command *const members[] = {
#define X(name) &command_model_##name##_spec,
    MODEL_COMMANDS(X)
#undef X
};

const struct command command_model_spec = {
    .name = "model",
    .summary = "list, download, check and try the models that run inside vsr",
    .usage = "vsr model COMMAND [OPTION]... [OPERAND]...",
    .members = members,
    .n_members = VSR_COUNT(members),
};
