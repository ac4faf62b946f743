#include "cli/commands.h"
#include "core/buf.h"

/*
 * Shell scripts, printed from the command table. Bash gets a function with one `case` arm for each command and offers
 * words only; zsh gets the help texts too. A command that is a family has such a `case` of its own, one word later.
 */

enum { COMPLETION_LEN_MAX = 1 << 20 };

static const char *const shells[] = { "bash", "zsh", NULL };

/* ---- bash */

static void bash_commands(struct buf *out, const struct command *family) {
    size_t n;
    const struct command *const *list = command_list(family, &n);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", list[i]->name);
}

static void bash_options(struct buf *out, const struct command *command) {
    for (size_t i = 0; i < command->n_options; i++) {
        const struct option_spec *spec = &command->options[i];
        buf_printf(out, "--%s ", spec->name);
        if (spec->letter)
            buf_printf(out, "-%c ", spec->letter);
    }
    buf_append_c(out, "--help -h");
}

/* The pattern of a `case` arm: every spelling of an option that stands before its value. */
static void bash_value_pattern(struct buf *out, const struct option_spec *spec) {
    buf_printf(out, "--%s", spec->name);
    if (spec->letter)
        buf_printf(out, "|-%c", spec->letter);
}

static void bash_words(struct buf *out, const char *const *words) {
    for (size_t i = 0; words[i]; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", words[i]);
}

static void bash_values(struct buf *out, const struct command *command) {
    buf_append_c(out, "        case $prev in\n");
    for (size_t i = 0; i < command->n_options; i++) {
        const struct option_spec *spec = &command->options[i];
        if (spec->kind == OPTION_FLAG || (spec->flags & OPTION_MAYBE))
            continue;
        buf_append_c(out, "        ");
        bash_value_pattern(out, spec);
        if (spec->flags & OPTION_FILE) {
            buf_append_c(out, ") _vsr_files; return ;;\n");
        } else if (spec->words) {
            buf_append_c(out, ") _vsr_words \"");
            bash_words(out, spec->words);
            buf_append_c(out, "\"; return ;;\n");
        } else {
            buf_append_c(out, ") return ;;\n");
        }
    }
    buf_append_c(out, "        esac\n");
}

static void bash_operands(struct buf *out, const struct command *command) {
    switch (command->operands) {
    case OPERANDS_FILE:
        buf_append_c(out, "        _vsr_files\n");
        break;
    case OPERANDS_WORD:
        buf_append_c(out, "        _vsr_words \"");
        bash_words(out, command->words);
        buf_append_c(out, "\"\n");
        break;
    case OPERANDS_COMMAND:
        buf_append_c(out, "        _vsr_words \"");
        bash_commands(out, NULL);
        buf_append_c(out, " exit-codes\"\n");
        break;
    case OPERANDS_NONE:
    case OPERANDS_TEXT:
        break;
    }
}

static void bash_command(struct buf *out, const struct command *command);

static void bash_family(struct buf *out, const struct command *family) {
    buf_append_c(out, "        if ((COMP_CWORD == 2)); then\n"
                      "            _vsr_words \"");
    bash_commands(out, family);
    buf_append_c(out, " --help\"\n"
                      "            return\n"
                      "        fi\n"
                      "        case ${COMP_WORDS[2]} in\n");
    for (size_t i = 0; i < family->n_members; i++)
        bash_command(out, family->members[i]);
    buf_append_c(out, "        esac\n"
                      "        ;;\n");
}

static void bash_command(struct buf *out, const struct command *command) {
    buf_printf(out, "    %s%s%s)\n", command->name, command->alias ? "|" : "", command->alias ? command->alias : "");
    if (command->members) {
        bash_family(out, command);
        return;
    }
    bash_values(out, command);
    buf_append_c(out, "        case $cur in\n        -*) _vsr_words \"");
    bash_options(out, command);
    buf_append_c(out, "\"; return ;;\n        esac\n");
    bash_operands(out, command);
    buf_append_c(out, "        ;;\n");
}

static void bash_script(struct buf *out) {
    buf_append_c(out, "# Completion of vsr for bash. Put it where your bash looks for completions, or:\n"
                      "#     source <(vsr completion bash)\n"
                      "\n"
                      "_vsr_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
                      "_vsr_files() {\n"
                      "    compopt -o filenames 2>/dev/null\n"
                      "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                      "}\n"
                      "\n"
                      "_vsr() {\n"
                      "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                      "    COMPREPLY=()\n"
                      "    if ((COMP_CWORD == 1)); then\n"
                      "        _vsr_words \"");
    bash_commands(out, NULL);
    buf_append_c(out, " --help --version\"\n"
                      "        return\n"
                      "    fi\n"
                      "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        bash_command(out, commands[i]);
    buf_append_c(out, "    esac\n"
                      "}\n"
                      "\n"
                      "complete -F _vsr vsr\n");
}

/* ---- zsh */

/* Text between single quotes in an _arguments specification: brackets and colons mean something there. */
static void zsh_text(struct buf *out, const char *text) {
    for (const char *at = text; *at; at++) {
        if (*at == '\'') {
            buf_append_c(out, "'\\''");
            continue;
        }
        if (strchr("[]:\\", *at))
            buf_append_char(out, '\\');
        buf_append_char(out, *at);
    }
}

/* What completes a value. */
static void zsh_action(struct buf *out, const struct option_spec *spec) {
    if (spec->flags & OPTION_FILE) {
        buf_append_c(out, "_files");
    } else if (spec->words) {
        buf_append_char(out, '(');
        bash_words(out, spec->words);
        buf_append_char(out, ')');
    }
}

/* `'(-c --config)'{-c,--config=}'[help]:FILE:_files'` */
static void zsh_option(struct buf *out, const struct option_spec *spec) {
    const char *value = spec->kind == OPTION_FLAG ? "" : spec->flags & OPTION_MAYBE ? "=-" : "=";
    bool repeatable = spec->flags & OPTION_REPEATABLE;
    buf_append_c(out, "            ");
    if (spec->letter && !repeatable)
        buf_printf(out, "'(-%c --%s)'", spec->letter, spec->name);
    else if (repeatable)
        buf_append_c(out, "'*'");
    if (spec->letter)
        buf_printf(out, "{-%c,--%s%s}'[", spec->letter, spec->name, value);
    else
        buf_printf(out, "'--%s%s[", spec->name, value);
    zsh_text(out, spec->help);
    buf_append_char(out, ']');
    if (spec->kind != OPTION_FLAG) {
        buf_append_c(out, spec->flags & OPTION_MAYBE ? "::" : ":");
        zsh_text(out, spec->argument);
        buf_append_char(out, ':');
        zsh_action(out, spec);
    }
    buf_append_c(out, "' \\\n");
}

static void zsh_operands(struct buf *out, const struct command *command) {
    switch (command->operands) {
    case OPERANDS_FILE:
        buf_append_c(out, "            '*:file:_files'\n");
        break;
    case OPERANDS_WORD:
        buf_append_c(out, "            '1:argument:(");
        bash_words(out, command->words);
        buf_append_c(out, ")'\n");
        break;
    case OPERANDS_COMMAND:
        buf_append_c(out, "            '1:command:(");
        bash_commands(out, NULL);
        buf_append_c(out, " exit-codes)'\n");
        break;
    case OPERANDS_TEXT:
        buf_append_c(out, "            '*:text:'\n");
        break;
    case OPERANDS_NONE:
        buf_append_c(out, "            && return\n");
        break;
    }
}

static void zsh_command(struct buf *out, const struct command *command);

/* The names of the commands with their summaries, offered when the word to complete is one of them. */
static void zsh_choose(struct buf *out, const struct command *family) {
    size_t n;
    const struct command *const *list = command_list(family, &n);
    buf_append_c(out, "    names=(\n");
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "        '%s:", list[i]->name);
        zsh_text(out, list[i]->summary);
        buf_append_c(out, "'\n");
    }
    buf_append_c(out, "    )\n"
                      "    if ((CURRENT == 2)); then\n"
                      "        _describe 'command' names\n"
                      "        return\n"
                      "    fi\n");
}

static void zsh_family(struct buf *out, const struct command *family) {
    buf_printf(out, "    %s)\n", family->name);
    zsh_choose(out, family);
    buf_append_c(out, "    command=$words[2]\n"
                      "    shift words\n"
                      "    ((CURRENT--))\n"
                      "    case $command in\n");
    for (size_t i = 0; i < family->n_members; i++)
        zsh_command(out, family->members[i]);
    buf_append_c(out, "    esac\n"
                      "        ;;\n");
}

static void zsh_command(struct buf *out, const struct command *command) {
    if (command->members) {
        zsh_family(out, command);
        return;
    }
    buf_printf(out, "    %s%s%s)\n        _arguments \\\n", command->name, command->alias ? "|" : "",
               command->alias ? command->alias : "");
    for (size_t i = 0; i < command->n_options; i++)
        zsh_option(out, &command->options[i]);
    buf_append_c(out, "            '(-h --help)'{-h,--help}'[show help]' \\\n");
    zsh_operands(out, command);
    buf_append_c(out, "        ;;\n");
}

static void zsh_script(struct buf *out) {
    buf_append_c(out, "#compdef vsr\n"
                      "# Completion of vsr for zsh. Put it as _vsr into a folder of $fpath.\n"
                      "\n"
                      "_vsr() {\n"
                      "    local -a names\n");
    zsh_choose(out, NULL);
    buf_append_c(out, "    local command=$words[2]\n"
                      "    shift words\n"
                      "    ((CURRENT--))\n"
                      "    case $command in\n");
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        zsh_command(out, commands[i]);
    buf_append_c(out, "    esac\n"
                      "}\n"
                      "\n"
                      "if [[ $funcstack[1] == _vsr ]]; then\n"
                      "    _vsr \"$@\"\n"
                      "else\n"
                      "    compdef _vsr vsr\n"
                      "fi\n");
}

static int completion_run(const struct cli *cli, int argc, char **argv) {
    struct buf out;
    int code;
    (void)argc;
    buf_init(&out, COMPLETION_LEN_MAX);
    if (strcmp(argv[0], "bash") == 0)
        bash_script(&out);
    else
        zsh_script(&out);
    code = cli_finish(cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

const struct command command_completion_spec = {
    .name = "completion",
    .summary = "print a script that completes vsr's commands in a shell",
    .usage = "vsr completion bash|zsh",
    .examples = "source <(vsr completion bash)\n"
                "vsr completion zsh >\"${fpath[1]}/_vsr\"\n",
    .operands = OPERANDS_WORD,
    .operands_least = 1,
    .operands_most = 1,
    .words = shells,
    .run = completion_run,
};
