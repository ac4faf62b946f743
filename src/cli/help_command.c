#include "cli/commands.h"
#include "cli/help.h"
#include "core/buf.h"

#define HELP_EXIT_CODES "exit-codes"

enum { HELP_LEN_MAX = 64 << 10 };

static int help_run(const struct cli *cli, int argc, char **argv) {
    const struct command *command = argc > 0 ? command_find(str_from_c(argv[0])) : NULL;
    bool exit_codes = argc > 0 && strcmp(argv[0], HELP_EXIT_CODES) == 0;
    struct buf out;
    int code;
    if (argc > 0 && !command && !exit_codes) {
        const struct command *nearest = command_nearest(str_from_c(argv[0]));
        return nearest ? cli_usage(cli, "no help on \"%s\"; did you mean \"%s\"?", argv[0], nearest->name)
                       : cli_usage(cli, "no help on \"%s\"", argv[0]);
    }
    buf_init(&out, HELP_LEN_MAX);
    if (exit_codes)
        help_exit_codes(&out, cli->colour);
    else if (command)
        help_command(&out, command, cli->colour);
    else
        help_main(&out, cli->colour);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

const struct command command_help_spec = {
    .name = "help",
    .summary = "explain the commands",
    .usage = "vsr help [COMMAND]\n"
             "vsr help exit-codes",
    .operands = OPERANDS_COMMAND,
    .operands_most = 1,
    .run = help_run,
};
