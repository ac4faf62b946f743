/*
 * dsl_source - a program for the commands of `vsr dsl`: read, parsed, and everything found out about it.
 *
 * A configuration in YAML is read as the program that it stands for: its places are those of the canonical text.
 *
 * What a command writes goes into a file whole or not at all. Blocking; one thread.
 */
#ifndef VSR_CLI_DSL_SOURCE_H
#define VSR_CLI_DSL_SOURCE_H

#include <sys/types.h>

#include "cli/dsl_base.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

struct buf;
struct cli;
struct json_writer;
struct yaml_node;

enum { DSL_OUTPUT_LEN_MAX = 256 << 20 };

/* Rows for the tables of options. */
#define DSL_OPTION_OUTPUT \
    { "output", 'o', OPTION_TEXT, OPTION_FILE, "FILE", "where to write; standard output if left out, or `-`" }
/* Of commands that write a program over itself; `check`: what --check is for. See dsl_source_rewrite(). */
#define DSL_OPTIONS_REWRITE(check) \
    { \
        "output", 'o', OPTION_TEXT, OPTION_FILE, "FILE", "where to write; over FILE if left out, `-` is standard output" \
    }, \
        { "check", 0, OPTION_FLAG, 0, NULL, check }, { \
        "diff", 0, OPTION_FLAG, 0, NULL, "write nothing, print the difference" \
    }
#define DSL_OPTION_BASE \
    { \
        "base", 'b', OPTION_TEXT, OPTION_FILE, "FILE", \
            "the configuration (YAML) that the program belongs to: listeners, providers, settings" \
    }
/* The same for commands that only ask it what there is. */
#define DSL_OPTION_BASE_KNOWN \
    { \
        "base", 'b', OPTION_TEXT, OPTION_FILE, "FILE", \
            "the configuration (YAML) that the program belongs to: its models are known then", .env = "VSR_BASE" \
    }
#define DSL_OPTION_STRICT \
    { "strict", 0, OPTION_FLAG, 0, NULL, "warnings and broken contracts count as errors" }

struct dsl_source {
    struct arena *arena; /* of everything else */
    const char *file;    /* as the user named it */
    vsr_str name;        /* in messages */
    bool is_stream;      /* standard input, or a pipe: it has no place to be written back to */
    mode_t mode;
    vsr_str text;                /* of the program */
    vsr_str yaml;                /* what it was made from; NULL ptr: nothing, the file is the program */
    struct yaml_node *yaml_root; /* its tree */
    vsr_str program_name;        /* `name`, or what the text that nobody wrote is called in messages */
    struct findings of_yaml;     /* what became of `yaml` on the way: its places are those of the file */
    const struct language *language;
    struct dsl_parsed parsed;
    struct findings findings;
    struct yaml_node *compiled; /* by dsl_source_examine() */
    struct dsl_base base;       /* of --base */
    bool was_loaded, loads;     /* by dsl_source_load(), of a program: whether it tried, and how that went */
};

/*
 * Reads the program and the file that --base names, where the command has that option. Refuses (cli/dsl_verdict.h);
 * returns 0, CLI_IO, or CLI_FAILURE for a base that is no YAML. Call dsl_source_done() in any case.
 */
int dsl_source_open(const struct cli *cli, const char *file, struct dsl_source *ret_source);
/* The same; the file may also be a configuration in YAML, which is told by its name, else by its first line. */
int dsl_source_open_any(const struct cli *cli, const char *file, struct dsl_source *ret_source);
/* One that is written as the other of the two is refused, with what is for it: of commands that read programs alone. */
int dsl_source_open_program(const struct cli *cli, const char *file, struct dsl_source *ret_source);
/* Of one that reads configuration alone, and made the program that it stands for. */
int dsl_source_open_yaml(const struct cli *cli, const char *file, struct dsl_source *ret_source);
/* Makes the text, which is a configuration, the program that it stands for. Refuses when it is no YAML. */
int dsl_source_decompile(const struct cli *cli, struct dsl_source *source);
void dsl_source_done(struct dsl_source *source);
/* Whether this names standard input, or what else is no ordinary file and can be read only once. */
bool dsl_source_is_stream(const char *file);

/*
 * Where --base names none: the base that commands which read policies take, beside the program; none if there is none.
 * Complains and returns as dsl_source_open().
 */
int dsl_source_find_base(const struct cli *cli, struct dsl_source *source);

/* Parses, compiles and checks; findings are in the order of the text. Again after `text` was changed. */
void dsl_source_examine(struct dsl_source *source);
/* Then adds what loading with the base would refuse, unsorted. */
void dsl_source_load(struct dsl_source *source);

/* The language with everything that this program supports. */
const struct language *dsl_source_language(struct arena *arena);
/* The same without the building of the engine that checks try: patterns can make it take half a minute. */
const struct language *dsl_source_quick_language(struct arena *arena);

/* Prints the findings to stderr, or appends them to `out`; with excerpts where a terminal shows them. */
void dsl_source_complain(const struct cli *cli, const struct dsl_source *source);
/* The same of what was lost on the way from YAML alone. */
void dsl_source_complain_lost(const struct cli *cli, const struct dsl_source *source);
void dsl_source_print(const struct cli *cli, const struct dsl_source *source, bool hints, struct buf *out);
/* "2 errors, 1 warning, 0 constraints", or "No issues found." */
void dsl_source_summary(const struct dsl_source *source, bool hints, struct buf *out);
/* The counts as members of an object, by level. */
void dsl_source_counts_json(const struct dsl_source *source, struct json_writer *w);
/* CLI_FAILURE when there are errors, or when `strict` and there is anything that is no hint; else CLI_OK. */
int dsl_source_code(const struct dsl_source *source, bool strict);

/*
 * Writes to `file` (NULL, "-": stdout), atomically where it is an ordinary file, which keeps its mode. `mode`: of a new
 * one. Complains; returns 0, CLI_IO or CLI_FAILURE (the text is too long).
 */
int dsl_source_write(const struct cli *cli, const char *file, const struct buf *text, mode_t mode);
/*
 * Of commands with DSL_OPTIONS_REWRITE. Whether they are asked both to write and not to; the difference between the
 * text as it was and the new one, to stdout; and the new text to where it shall go: over a program's own file, when
 * nothing else is said and it is another text. Returns as dsl_source_write().
 */
bool dsl_source_is_contradiction(const struct cli *cli);
int dsl_source_show_diff(const struct cli *cli, const struct dsl_source *source, vsr_str before, vsr_str after);
int dsl_source_rewrite(const struct cli *cli, const struct dsl_source *source, vsr_str before, const struct buf *after);
/* Mode that the process gives to new files. */
mode_t dsl_source_new_mode(void);

#endif
