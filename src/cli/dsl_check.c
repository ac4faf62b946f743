/* dsl_check - `vsr dsl check`: everything that is wrong with a program, or could be better. */
#include <string.h>

#include "cli/cli.h"
#include "cli/dsl_source.h"
#include "cli/dsl_test_run.h"
#include "cli/dsl_verdict.h"
#include "cli/model_row.h"
#include "cli/profile_models.h"
#include "core/buf.h"

/* Warnings and broken contracts leave the exit code at 0: what they come to is said. */
static void put_refused(const struct dsl_source *source, bool hints, struct buf *out) {
    const size_t *n_of = source->findings.n_of;
    bool is_clean = n_of[FINDING_WARNING] + n_of[FINDING_CONSTRAINT] + (hints ? n_of[FINDING_HINT] : 0) == 0;
    if (source->was_loaded && !source->loads && n_of[FINDING_ERROR] == 0 && !is_clean)
        buf_append_c(out, "Serving refuses this program as it is; with --strict the exit code says so.\n");
}

static int print_result(const struct cli *cli, const struct dsl_source *source) {
    bool hints = options_has(cli->options, "hints"), strict = options_has(cli->options, "strict");
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(cli->options, "json")) {
        dsl_verdict_json(source, dsl_source_code(source, strict) == CLI_OK, hints, &out);
    } else {
        dsl_source_print(cli, source, hints, &out);
        dsl_source_summary(source, hints, &out);
        put_refused(source, hints, &out);
    }
    code = dsl_source_write(cli, NULL, &out, 0);
    buf_done(&out);
    return code == CLI_OK ? dsl_source_code(source, strict) : code;
}

static int check_run(const struct cli *cli, int argc, char **argv) {
    bool runs = options_has(cli->options, "runtime-checks");
    struct dsl_source source;
    int code;
    (void)argc; /* exactly one, by the table */
    if (runs && strcmp(argv[0], "-") == 0)
        return cli_usage(cli, "a program is run with what stands beside it: name its file");
    code = dsl_source_open_any(cli, argv[0], &source);
    if (code == CLI_OK)
        code = dsl_source_find_base(cli, &source);
    if (code == CLI_OK) {
        dsl_source_examine(&source);
        dsl_source_load(&source);
        if (runs && test_can_run(&source))
            code = test_check(cli, &source);
    }
    if (code == CLI_OK) {
        findings_sort(&source.findings);
        findings_sort(&source.of_yaml);
        code = print_result(cli, &source);
    }
    dsl_source_done(&source);
    return code;
}

static const struct option_spec check_options[] = {
    DSL_OPTION_BASE_KNOWN,
    DSL_OPTION_STRICT,
    { "hints", 0, OPTION_FLAG, 0, NULL, "also what is only worth a thought: declarations that nothing uses" },
    { "runtime-checks", 0, OPTION_FLAG, 0, NULL,
      "also run the TEST blocks, and compare the examples of signals, when nothing keeps the program from running" },
    PROFILE_OPTIONS_MODELS,
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON, with ranges and fixes" },
};

const struct command command_dsl_check_spec = {
    .name = "check",
    .alias = "validate",
    .summary = "say what is wrong with a program, with places and fixes",
    .usage = "vsr dsl check [OPTION]... FILE",
    .details =
        "One line for each finding, FILE:LINE:COL: LEVEL: MESSAGE [CODE], and on a terminal the line that it is\n"
        "about; then how many there are, and whether serving refuses what has no errors. Errors keep a program\n"
        "from compiling. `vsr dsl fix` applies the fixes. A configuration in YAML is checked as the program\n"
        "that `vsr dsl decompile` prints.\n",
    .examples = "vsr dsl check policy.dsl\n"
                "vsr dsl check --strict --base config.yaml policy.dsl\n"
                "vsr dsl check --json - <policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = check_options,
    .n_options = VSR_COUNT(check_options),
    .run = check_run,
};
