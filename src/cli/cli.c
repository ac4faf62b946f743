#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/term.h"
#include "config/diag.h"
#include "core/buf.h"
#include "core/fd.h"

enum { CLI_HELP_LEN_MAX = 64 << 10, CLI_DIAG_LEN_MAX = 16 << 20 };

/* ---- messages */

/* Writes "vsr", "vsr route" or "vsr config print". */
static void print_name(const struct cli *cli) {
    (void)fputs("vsr", stderr);
    if (cli->family)
        (void)fprintf(stderr, " %s", cli->family->name);
    if (cli->command)
        (void)fprintf(stderr, " %s", cli->command->name);
}

__attribute__((format(printf, 2, 0))) static void complain(const struct cli *cli, const char *format, va_list args) {
    print_name(cli);
    (void)fputs(": ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
}

int cli_usage(const struct cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    complain(cli, format, args);
    va_end(args);
    (void)fputs("see `", stderr);
    print_name(cli);
    (void)fputs(" --help`\n", stderr);
    return CLI_USAGE;
}

int cli_fail(const struct cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    complain(cli, format, args);
    va_end(args);
    return CLI_FAILURE;
}

int cli_fail_err(const struct cli *cli, const struct vsr_err *err) {
    char text[VSR_ERR_TEXT_LEN + VSR_ERR_WHERE_LEN + 32];
    return cli_fail(cli, "%s", err_print(err, text, sizeof(text)));
}

void cli_warn(const struct cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    print_name(cli);
    (void)fputs(": warning: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

int cli_finish(const struct cli *cli, const struct buf *out, int code) {
    if (buf_failed(out))
        return cli_fail(cli, "the output is too long");
    if (fd_write_all(STDOUT_FILENO, buf_str(out)) < 0)
        return cli_fail(cli, "cannot write the output: %s", strerror(errno));
    return code;
}

void cli_print_diag(const struct cli *cli, const struct diag *diag) {
    struct buf out;
    buf_init(&out, CLI_DIAG_LEN_MAX);
    diag_print(diag, &out, cli->colour_err);
    (void)fd_write_all(STDERR_FILENO, buf_str(&out)); /* nowhere left to complain */
    buf_done(&out);
}

/* ---- from arguments to a command */

static int print_help(const struct cli *cli) {
    struct buf out;
    int code;
    buf_init(&out, CLI_HELP_LEN_MAX);
    if (cli->command || cli->family)
        help_command(&out, cli->family, cli->command, cli->colour);
    else
        help_main(&out, cli->colour);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

/* Whether the user asks for help, before anything else is looked at: a half-typed command line must not hide it. */
static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int check_operands(const struct cli *cli) {
    const struct command *command = cli->command;
    size_t n = cli->options->n_operands;
    if (n > command->operands_most)
        return cli_usage(cli, "unexpected argument \"%s\"", cli->options->operands[command->operands_most]);
    if (n < command->operands_least)
        return cli_usage(cli, "an argument is missing");
    for (size_t i = 0; i < n && command->operands == OPERANDS_WORD; i++) {
        size_t w = 0;
        while (command->words[w] && strcmp(command->words[w], cli->options->operands[i]) != 0)
            w++;
        if (!command->words[w])
            return cli_usage(cli, "unknown argument \"%s\"", cli->options->operands[i]);
    }
    return CLI_OK;
}

static int run_command(struct cli *cli, int argc, char **argv) {
    struct options options;
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    if (wants_help(argc, argv))
        return print_help(cli);
    if (options_parse(cli->command->options, cli->command->n_options, argc, argv, &options, &err) < 0)
        return cli_usage(cli, "%s", err.text);
    cli->options = &options;
    code = check_operands(cli);
    if (code == CLI_OK)
        code = cli->command->run(cli, (int)options.n_operands, options.operands);
    cli->options = NULL;
    return code;
}

static int unknown_command(const struct cli *cli, const char *name) {
    const struct command *nearest = command_nearest(cli->family, str_from_c(name));
    if (nearest)
        return cli_usage(cli, "unknown command \"%s\"; did you mean \"%s\"?", name, nearest->name);
    return cli_usage(cli, "unknown command \"%s\"", name);
}

/* argv[0] is the member's name. */
static int run_member(struct cli *cli, int argc, char **argv) {
    cli->family = cli->command;
    cli->command = NULL;
    if (argc == 0)
        return cli_usage(cli, "which command?");
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
        return print_help(cli);
    if (argv[0][0] == '-')
        return wants_help(argc, argv) ? print_help(cli) : cli_usage(cli, "unknown option \"%s\"", argv[0]);
    cli->command = command_find(cli->family, str_from_c(argv[0]));
    if (!cli->command)
        return unknown_command(cli, argv[0]);
    return run_command(cli, argc - 1, argv + 1);
}

int cli_main(int argc, char **argv) {
    struct cli cli = { .colour = term_colour(STDOUT_FILENO), .colour_err = term_colour(STDERR_FILENO) };
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = argc > 1 ? argv[1] : "--help";
    if (argc > 0 && strcmp(slash ? slash + 1 : argv[0], "vsr-dsl") == 0) { /* a link of that name: the family */
        cli.command = &command_dsl_spec;
        return run_member(&cli, argc - 1, argv + 1);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_help(&cli);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    if (name[0] == '-')
        return cli_usage(&cli, "unknown option \"%s\"", name);
    cli.command = command_find(NULL, str_from_c(name));
    if (!cli.command)
        return unknown_command(&cli, name);
    if (cli.command->members)
        return run_member(&cli, argc - 2, argv + 2);
    return run_command(&cli, argc - 2, argv + 2);
}
