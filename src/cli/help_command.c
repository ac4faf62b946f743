#include "cli/commands.h"
#include "cli/help.h"
#include "core/buf.h"

#define HELP_EXIT_CODES "exit-codes"

enum { HELP_LEN_MAX = 64 << 10 };

static int no_help(const struct cli *cli, const struct command *family, const char *name) {
    const struct command *nearest = command_nearest(family, str_from_c(name));
    return nearest ? cli_usage(cli, "no help on \"%s\"; did you mean \"%s\"?", name, nearest->name)
                   : cli_usage(cli, "no help on \"%s\"", name);
}

static int help_run(const struct cli *cli, int argc, char **argv) {
    const struct command *family = NULL, *command = NULL;
    bool exit_codes = argc == 1 && strcmp(argv[0], HELP_EXIT_CODES) == 0;
    struct buf out;
    int code;
    for (int i = 0; i < argc && !exit_codes; i++) {
        if (command && !command->members)
            return cli_usage(cli, "unexpected argument \"%s\"", argv[i]);
        family = command;
        command = command_find(family, str_from_c(argv[i]));
        if (!command)
            return no_help(cli, family, argv[i]);
    }
    buf_init(&out, HELP_LEN_MAX);
    if (exit_codes)
        help_exit_codes(&out, cli->colour);
    else if (command)
        help_command(&out, family, command, cli->colour);
    else
        help_main(&out, cli->colour);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

const struct command command_help_spec = {
    .name = "help",
    .summary = "explain the commands",
    .usage = "vsr help [COMMAND]...\n"
             "vsr help exit-codes",
    .operands = OPERANDS_COMMAND,
    .operands_most = 2,
    .run = help_run,
};
