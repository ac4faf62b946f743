/* dsl_decompile - `vsr dsl decompile`: the program that a configuration stands for. */
#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "core/arena.h"
#include "core/buf.h"

static int write_result(const struct cli *cli, const struct dsl_source *source) {
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    buf_append(&out, source->text);
    code = dsl_source_write(cli, options_text(cli->options, "output"), &out, source->mode); /* its secrets too */
    buf_done(&out);
    return code;
}

static int decompile_run(const struct cli *cli, int argc, char **argv) {
    struct dsl_source source;
    int code;
    (void)argc; /* exactly one, by the table */
    code = dsl_source_open_yaml(cli, argv[0], &source);
    if (code == CLI_OK) {
        dsl_source_complain(cli, &source);
        code = dsl_source_code(&source, options_has(cli->options, "strict"));
    }
    if (code == CLI_OK)
        code = write_result(cli, &source);
    dsl_source_done(&source);
    return code;
}

static const struct option_spec decompile_options[] = {
    DSL_OPTION_OUTPUT,
    DSL_OPTION_STRICT,
};

const struct command command_dsl_decompile_spec = {
    .name = "decompile",
    .summary = "turn configuration into a program",
    .usage = "vsr dsl decompile [OPTION]... FILE",
    .details =
        "FILE is a configuration in YAML, or the part of one that is about routing. The program is in canonical form:\n"
        "compiled and decompiled again it is the same text. What the language cannot say is told as W501 and is kept\n"
        "by compiling with that configuration as --base.\n",
    .examples = "vsr dsl decompile config.yaml >policy.dsl\n"
                "vsr dsl decompile --strict -o policy.dsl config.yaml\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = decompile_options,
    .n_options = VSR_COUNT(decompile_options),
    .run = decompile_run,
};
