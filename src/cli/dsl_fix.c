/*
 * dsl_fix - `vsr dsl fix`: applies the fixes of findings, where there is one that is certain.
 *
 * One round may uncover what the next one mends (a misspelt keyword hides its block), so rounds follow each other until
 * nothing changes; a round that makes errors more is taken back.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "core/arena.h"
#include "core/buf.h"

enum { ROUNDS_MAX = 10 };

/* ---- fixing */

/* Applies a round; returns how many fixes it took, 0 when the text is as it was. */
static size_t fix_round(struct dsl_source *source) {
    struct buf out;
    vsr_str before = source->text;
    size_t n_errors = source->findings.n_of[FINDING_ERROR], n;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    n = findings_apply(&source->findings, source->text, &out);
    if (buf_failed(&out))
        n = 0;
    if (n > 0) {
        source->text = arena_str(source->arena, buf_str(&out));
        dsl_source_examine(source);
        if (source->findings.n_of[FINDING_ERROR] > n_errors) {
            source->text = before;
            dsl_source_examine(source);
            n = 0;
        }
    }
    buf_done(&out);
    return n;
}

static size_t fix(struct dsl_source *source) {
    size_t n = 0, more = 1;
    dsl_source_examine(source);
    for (int round = 0; round < ROUNDS_MAX && more > 0; round++) {
        more = fix_round(source);
        n += more;
    }
    return n;
}

/* ---- the command */

static int write_fixed(const struct cli *cli, const struct dsl_source *source, vsr_str before) {
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    buf_append(&out, source->text);
    code = dsl_source_rewrite(cli, source, before, &out);
    buf_done(&out);
    return code;
}

/* Says what was done, and what is left for a human. */
static void report(const struct cli *cli, const struct dsl_source *source, size_t n) {
    bool dry = options_has(cli->options, "check") || options_has(cli->options, "diff");
    struct buf left;
    dsl_source_complain(cli, source);
    buf_init(&left, 4096);
    dsl_source_summary(source, false, &left);
    (void)fprintf(stderr, "%.*s: %zu fix%s%s; left: %.*s", VSR_FMT(source->name), n, n == 1 ? "" : "es",
                  dry ? " to apply" : " applied", VSR_FMT(buf_str(&left)));
    buf_done(&left);
}

static int finish(const struct cli *cli, struct dsl_source *source) {
    vsr_str before = source->text;
    size_t n = fix(source);
    bool check = options_has(cli->options, "check"), diff = options_has(cli->options, "diff");
    int code = CLI_OK;
    if (diff)
        code = dsl_source_show_diff(cli, source, before, source->text);
    else if (!check)
        code = write_fixed(cli, source, before);
    if (code != CLI_OK)
        return code;
    dsl_source_load(source);
    findings_sort(&source->findings);
    report(cli, source, n);
    if (check && n > 0)
        return CLI_FAILURE;
    return dsl_source_code(source, options_has(cli->options, "strict"));
}

static int fix_run(const struct cli *cli, int argc, char **argv) {
    struct dsl_source source;
    int code;
    (void)argc; /* exactly one, by the table */
    if (dsl_source_is_contradiction(cli))
        return cli_usage(cli, "--check and --diff write no file");
    code = dsl_source_open(cli, argv[0], &source);
    if (code == CLI_OK)
        code = dsl_source_find_base(cli, &source);
    if (code == CLI_OK)
        code = finish(cli, &source);
    dsl_source_done(&source);
    return code;
}

static const struct option_spec fix_options[] = {
    DSL_OPTIONS_REWRITE("write nothing, exit with 1 when there is something to fix"),
    DSL_OPTION_BASE_KNOWN,
    DSL_OPTION_STRICT,
};

const struct command command_dsl_fix_spec = {
    .name = "fix",
    .summary = "apply the fixes that `check` proposes, where they are certain",
    .usage = "vsr dsl fix [OPTION]... FILE",
    .details =
        "Misspelt names are mended, values move into their range. Every fix is one that `vsr dsl check` shows as\n"
        "(fix: ...), but a name is changed only where one is surely meant: it differs in capitals, `_` or `-`,\n"
        "has a letter wrong (two, in more than five), or is cut short behind four or more. What is left is told on\n"
        "standard error, with what may have been meant.\n",
    .examples = "vsr dsl fix --diff policy.dsl\n"
                "vsr dsl fix policy.dsl\n"
                "vsr dsl fix - <policy.dsl >fixed.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = fix_options,
    .n_options = VSR_COUNT(fix_options),
    .run = fix_run,
};
