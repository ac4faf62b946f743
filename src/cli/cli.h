/*
 * cli - the `vsr` program: commands, what they share, and how they end.
 *
 * A command is one file with one `const struct command`, listed in commands.c; one that is a family (`vsr config`)
 * lists its members itself. cli_main() finds it, reads the options by its table (answering --help and mistakes itself)
 * and calls its function with the operands. Results go to stdout, everything else to stderr; with --json stdout holds
 * nothing but JSON. One thread, unless a command makes more.
 */
#ifndef VSR_CLI_CLI_H
#define VSR_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

struct buf;
struct diag;

/* Exit codes of every command; `vsr help exit-codes` explains them. */
enum {
    CLI_OK = 0,
    CLI_FAILURE = 1, /* the command was understood and did not succeed: an invalid policy, an address in use */
    CLI_USAGE = 2,   /* the command line was not understood, or a file that it names cannot be read */
    CLI_IO = 3,      /* of `vsr dsl` (dsl.md §9), where scripts tell it from USAGE: a file cannot be read or written */
};

struct cli;

/* What the operands of a command are, for help and completion. */
enum command_operands { OPERANDS_NONE, OPERANDS_FILE, OPERANDS_TEXT, OPERANDS_WORD, OPERANDS_COMMAND };

struct command {
    const char *name;
    const char *alias;    /* another name for it; NULL: none */
    const char *summary;  /* half a sentence for the list of commands */
    const char *usage;    /* "vsr route [OPTION]... PROMPT", one form a line */
    const char *details;  /* paragraphs below the usage; may be NULL */
    const char *examples; /* lines to try; may be NULL */
    enum command_operands operands;
    size_t operands_least, operands_most;
    const char *const *words; /* OPERANDS_WORD: the allowed ones, NULL-terminated */
    const struct option_spec *options;
    size_t n_options;
    /* A command that is a family: its members; it has no options, operands and run() of its own. NULL otherwise. */
    const struct command *const *members;
    size_t n_members;
    /* argv[0..argc) are the operands, the options are in cli->options. Returns the exit code. */
    int (*run)(const struct cli *cli, int argc, char **argv);
};

struct cli {
    const struct command *family;  /* whose member `command` is; NULL: none's */
    const struct command *command; /* NULL while it is not known */
    const struct options *options; /* of the command, read and checked */
    bool colour;                   /* stdout is a terminal that wants colour */
    bool colour_err;               /* so is stderr */
};

/* The whole program. Returns the exit code. */
int cli_main(int argc, char **argv);

/* Prints `vsr COMMAND: text` and where help is to stderr. Returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints `vsr COMMAND: text` to stderr. Returns CLI_FAILURE. */
int cli_fail(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an error, with its place. */
int cli_fail_err(const struct cli *cli, const struct vsr_err *err);

/* Prints `vsr COMMAND: warning: text` to stderr. */
void cli_warn(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes everything to stdout. Returns `code`, or CLI_FAILURE (with a message) when stdout does not take it. */
int cli_finish(const struct cli *cli, const struct buf *out, int code);

/* Prints all problems to stderr, one line each. */
void cli_print_diag(const struct cli *cli, const struct diag *diag);

#endif
