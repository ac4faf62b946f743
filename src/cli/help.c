#include "cli/help.h"

#include "cli/commands.h"
#include "cli/term.h"
#include "core/buf.h"

enum { HELP_WIDTH = 100, HELP_NAMES_WIDTH = 32, HELP_COMMAND_WIDTH = 14 };

static void heading(struct buf *out, const char *text, bool colour) {
    buf_printf(out, "\n%s%s%s\n", term_if(colour, TERM_BOLD), text, term_if(colour, TERM_RESET));
}

/* Every line of `text` with two spaces before it. */
static void indented(struct buf *out, const char *text) {
    for (vsr_str rest = str_from_c(text); rest.ptr && rest.len > 0;) {
        vsr_str line = str_split(&rest, '\n');
        buf_printf(out, "%s%.*s\n", line.len > 0 ? "  " : "", VSR_FMT(line));
    }
}

/* `text` from column `column` on, broken at spaces before HELP_WIDTH. */
static void wrapped(struct buf *out, vsr_str text, int column) {
    int at = column;
    for (vsr_str rest = text; rest.ptr;) {
        vsr_str word = str_split(&rest, ' ');
        if (at > column && at + 1 + (int)word.len > HELP_WIDTH) {
            buf_printf(out, "\n%*s", column, "");
            at = column;
        }
        buf_printf(out, "%s%.*s", at > column ? " " : "", VSR_FMT(word));
        at += (at > column) + (int)word.len;
    }
    buf_append_char(out, '\n');
}

static void option_line(struct buf *out, const struct option_spec *spec, bool colour) {
    char names[64], text[320];
    char letter[] = { '-', spec->letter, ',', 0 };
    int n = snprintf(names, sizeof(names), "%3s --%s", spec->letter ? letter : "", spec->name);
    if (spec->argument)
        (void)snprintf(names + n, sizeof(names) - (size_t)n, spec->flags & OPTION_MAYBE ? "[=%s]" : " %s",
                       spec->argument);
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s%s", spec->help,
                   spec->flags & OPTION_REPEATABLE ? "; repeatable" : "", spec->fallback ? " (default: " : "",
                   spec->fallback ? spec->fallback : "", spec->fallback ? ")" : "", spec->env ? " [" : "",
                   spec->env ? spec->env : "", spec->env ? "]" : "");
    buf_printf(out, "  %s%-*s%s", term_if(colour, TERM_CYAN), HELP_NAMES_WIDTH - 2, names, term_if(colour, TERM_RESET));
    if (strlen(names) + 3 > HELP_NAMES_WIDTH)
        buf_printf(out, "\n%*s", HELP_NAMES_WIDTH, "");
    wrapped(out, str_from_c(text), HELP_NAMES_WIDTH);
}

static void command_lines(struct buf *out, const struct command *family, bool colour) {
    size_t n;
    const struct command *const *list = command_list(family, &n);
    heading(out, "Commands", colour);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "  %s%-*s%s%s\n", term_if(colour, TERM_CYAN), HELP_COMMAND_WIDTH, list[i]->name,
                   term_if(colour, TERM_RESET), list[i]->summary);
}

void help_command(struct buf *out, const struct command *family, const struct command *command, bool colour) {
    static const struct option_spec help = { "help", 'h', OPTION_FLAG, 0, NULL, "show this" };
    const char *above = command && family ? family->name : "";
    if (!command)
        command = family;
    buf_printf(out, "%svsr %s%s%s%s - %s\n", term_if(colour, TERM_BOLD), above, *above ? " " : "", command->name,
               term_if(colour, TERM_RESET), command->summary);
    heading(out, "Usage", colour);
    indented(out, command->usage);
    if (command->alias)
        buf_printf(out, "\nAlso called `%s`.\n", command->alias);
    if (command->details)
        buf_printf(out, "\n%s", command->details);
    if (command->members)
        command_lines(out, command, colour);
    heading(out, "Options", colour);
    for (size_t i = 0; i < command->n_options; i++)
        option_line(out, &command->options[i], colour);
    option_line(out, &help, colour);
    if (command->examples) {
        heading(out, "Examples", colour);
        indented(out, command->examples);
    }
}

void help_main(struct buf *out, bool colour) {
    buf_append_c(out, "vsr routes requests to large language models by policy.\n");
    heading(out, "Usage", colour);
    indented(out, "vsr COMMAND [OPTION]... [OPERAND]...");
    command_lines(out, NULL, colour);
    buf_append_c(out, "\n`vsr COMMAND --help` explains a command, `vsr help exit-codes` how commands end.\n");
}

void help_exit_codes(struct buf *out, bool colour) {
    static const struct {
        int code;
        const char *meaning;
    } codes[] = {
        { CLI_OK, "success" },
        { CLI_FAILURE,
          "the command was understood and did not succeed: an invalid policy, no route, an address in use" },
        { CLI_USAGE, "the command line was not understood, or a file that it names cannot be read" },
        { CLI_IO, "of `vsr dsl`, in place of 2: a file cannot be read or written" },
    };
    buf_printf(out, "%sExit codes of every command%s\n\n", term_if(colour, TERM_BOLD), term_if(colour, TERM_RESET));
    for (size_t i = 0; i < VSR_COUNT(codes); i++)
        buf_printf(out, "  %d  %s\n", codes[i].code, codes[i].meaning);
}
