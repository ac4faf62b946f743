/*
 * options - reads a command's arguments by a table of what it accepts.
 *
 * Understands `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, flags in a cluster (`-qv`), options after
 * operands, and
 * `--`, behind which everything is an operand; `-` alone is one too. A value is checked against its table row as it is
 * read, wherever it comes from: the command line, the environment variable of the row, or the row's default. The same
 * table prints the help (help.h) and the shell completions (completion_command.c). One thread.
 */
#ifndef VSR_CLI_OPTIONS_H
#define VSR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum {
    OPTIONS_TABLE_MAX = 64,  /* rows of one command */
    OPTIONS_GIVEN_MAX = 256, /* values on one command line */
};

enum option_kind {
    OPTION_FLAG,    /* takes no value */
    OPTION_TEXT,    /* any value, or one of `words` */
    OPTION_NUMBER,  /* whole number in [least, greatest] */
    OPTION_DECIMAL, /* number in [least, greatest] */
};

enum {
    OPTION_FILE = 1u << 0,       /* the value names a file: completion offers some */
    OPTION_REPEATABLE = 1u << 1, /* every value counts, not only the last one */
    OPTION_MAYBE = 1u << 2,      /* the value may be left out, and is only taken from `--name=VALUE` */
};

struct option_spec {
    const char *name; /* without the dashes */
    char letter;      /* 0: no short form */
    enum option_kind kind;
    unsigned flags;
    const char *argument;     /* what help calls the value; NULL for flags */
    const char *help;         /* half a sentence, without a full stop */
    const char *fallback;     /* value when nothing is given; NULL: none */
    const char *env;          /* environment variable that stands in for the option; NULL: none */
    const char *const *words; /* TEXT: the only allowed values, NULL-terminated; NULL: any */
    uint64_t least, greatest; /* NUMBER, DECIMAL: inclusive */
};

struct options {
    const struct option_spec *specs; /* kept */
    size_t n_specs;
    struct option_given {
        size_t spec;
        const char *value; /* NULL: a flag, or a value that was left out */
    } given[OPTIONS_GIVEN_MAX];
    size_t n_given;
    char **operands; /* what is no option, in order; lives in argv */
    size_t n_operands;
};

/*
 * Reads argv[0..argc), which holds the arguments behind the command's name; operands are moved to its front. Keeps
 * `specs` and argv. Fails with VSR_E_INVALID (unknown option, missing or bad value) or VSR_E_LIMIT; the text names the
 * option as the user wrote it.
 */
int options_parse(const struct option_spec *specs, size_t n_specs, int argc, char **argv, struct options *ret_options,
                  struct vsr_err *err) VSR_MUST_CHECK;

/*
 * The functions below take a name that is in the table (asserted). "Given" means on the command line; the environment
 * and the default stand in for values only.
 */

/* Whether the table has such a row: for what several commands share. The only one that may be asked about any name. */
bool options_knows(const struct options *options, const char *name);

/* Whether the option was given; for flags, whether it is set. */
bool options_has(const struct options *options, const char *name);

/* The last value; else the environment's, else the default; NULL when there is none. */
const char *options_text(const struct options *options, const char *name);

/* The same as a number. 0 when there is no value. */
uint64_t options_number(const struct options *options, const char *name);
double options_decimal(const struct options *options, const char *name);

/* Number of values of a repeatable option, and each of them in order. Without any given: the environment's or default's
 * one. */
size_t options_count(const struct options *options, const char *name);
const char *options_nth(const struct options *options, const char *name, size_t nth);

#endif
