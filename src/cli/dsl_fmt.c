/*
 * dsl_fmt - `vsr dsl fmt`: a program in its usual layout, or in canonical form.
 *
 * What would be written is read again first: where it compiles to something else, nothing is written.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/compile.h"
#include "dsl/decompile.h"
#include "dsl/format.h"

/* ---- canonical text */

static size_t count_tests(const struct dsl_program *program) {
    size_t n = 0;
    for (size_t i = 0; i < program->n; i++)
        n += program->decls[i].kind == DSL_TEST;
    return n;
}

/* Tests are no configuration, so what was decompiled has none of them. */
static void write_tests(struct dsl_source *source, struct buf *out) {
    static const char rule[] = "# =============================================================================\n";
    const struct dsl_program *program = &source->parsed.program;
    struct dsl_parsed tests = source->parsed;
    tests.tokens.n_comments = 0;
    tests.program = (struct dsl_program){ .decls = ARENA_ARRAY(source->arena, struct dsl_decl, count_tests(program)) };
    for (size_t i = 0; i < program->n; i++)
        if (program->decls[i].kind == DSL_TEST)
            tests.program.decls[tests.program.n++] = program->decls[i];
    if (tests.program.n == 0)
        return;
    buf_printf(out, "\n%s# TESTS\n%s\n", rule, rule);
    dsl_format(source->language, &tests, out);
}

static void write_canonical(const struct cli *cli, struct dsl_source *source, struct buf *out) {
    struct findings lost;
    findings_init(&lost, source->arena);
    dsl_decompile(source->arena, source->language, source->compiled, &lost, out);
    write_tests(source, out);
    for (size_t i = 0; i < source->parsed.program.n; i++) {
        const struct dsl_decl *decl = &source->parsed.program.decls[i];
        if (decl->kind == DSL_RECIPE && count_tests(decl->recipe) > 0)
            cli_warn(cli, "%.*s:%u: canonical text has no place for the tests of the recipe \"%.*s\"",
                     VSR_FMT(source->name), decl->at.line, VSR_FMT(decl->name.text));
    }
}

/* ---- the proof that nothing changed */

static vsr_str meaning_of(struct dsl_source *source) {
    struct buf out;
    vsr_str text;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    yaml_write(source->compiled, &out);
    text = arena_str(source->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* Examines the new text in place of the old one, and compares what both stand for. */
static bool means_the_same(struct dsl_source *source, vsr_str text) {
    vsr_str before = meaning_of(source), old = source->text;
    bool same;
    source->text = text;
    dsl_source_examine(source);
    same = source->findings.n_of[FINDING_ERROR] == 0 && str_eq(before, meaning_of(source));
    source->text = old;
    return same;
}

/* ---- the command */

static int finish(const struct cli *cli, struct dsl_source *source, struct buf *out) {
    bool check = options_has(cli->options, "check"), diff = options_has(cli->options, "diff");
    bool changes = !str_eq(buf_str(out), source->text);
    int code = CLI_OK;
    if (buf_failed(out))
        return cli_fail(cli, "the output is too long");
    if (!means_the_same(source, arena_str(source->arena, buf_str(out))))
        return cli_fail(cli,
                        "%.*s: the formatted program would not compile to the same configuration, so it is not written",
                        VSR_FMT(source->name));
    if (diff)
        code = dsl_source_show_diff(cli, source, source->text, buf_str(out));
    if (code != CLI_OK || diff || check) {
        if (code == CLI_OK && check && changes) {
            (void)fprintf(stderr, "%.*s: would be laid out anew\n", VSR_FMT(source->name));
            code = CLI_FAILURE;
        }
        return code;
    }
    return dsl_source_rewrite(cli, source, source->text, out);
}

/* Findings that do not keep it from compiling are not this command's business. */
static int format(const struct cli *cli, struct dsl_source *source) {
    struct buf out;
    int code;
    dsl_source_examine(source);
    if (dsl_source_code(source, false) != CLI_OK) {
        dsl_source_complain(cli, source);
        return CLI_FAILURE;
    }
    dsl_source_complain_lost(cli, source);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(cli->options, "canonical"))
        write_canonical(cli, source, &out);
    else
        dsl_format(source->language, &source->parsed, &out);
    code = finish(cli, source, &out);
    buf_done(&out);
    return code;
}

static int fmt_run(const struct cli *cli, int argc, char **argv) {
    struct dsl_source source;
    int code;
    (void)argc; /* exactly one, by the table */
    if (dsl_source_is_contradiction(cli))
        return cli_usage(cli, "--check and --diff write no file");
    code = dsl_source_open_any(cli, argv[0], &source);
    if (code == CLI_OK)
        code = format(cli, &source);
    dsl_source_done(&source);
    return code;
}

static const struct option_spec fmt_options[] = {
    DSL_OPTIONS_REWRITE("write nothing, exit with 1 when the layout would change"),
    { "canonical", 0, OPTION_FLAG, 0, NULL,
      "the text that decompiling the compiled program gives: without comments, templates and trees are written out" },
};

const struct command command_dsl_fmt_spec = {
    .name = "fmt",
    .alias = "format",
    .summary = "lay a program out in the usual way",
    .usage = "vsr dsl fmt [OPTION]... FILE",
    .details =
        "Order, comments, templates, trees and tests stay; spacing, quotes, numbers and the order of fields become\n"
        "what they usually are. A program with errors is left alone. What is written always compiles to the same\n"
        "configuration as before. A configuration in YAML is printed as a program; what the language\n"
        "cannot say of it is told as W501.\n",
    .examples = "vsr dsl fmt policy.dsl\n"
                "vsr dsl fmt --check --diff policy.dsl\n"
                "vsr dsl fmt --canonical -o - policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = fmt_options,
    .n_options = VSR_COUNT(fmt_options),
    .run = fmt_run,
};
