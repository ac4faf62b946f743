/* dsl_prove - `vsr dsl prove`: what holds for every request, each with an example or a proof that there is none. */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/config_migrate_file.h"
#include "cli/config_source.h"
#include "cli/dsl_examples.h"
#include "cli/dsl_source.h"
#include "cli/dsl_test_run.h"
#include "cli/dsl_verdict.h"
#include "cli/model_row.h"
#include "cli/profile.h"
#include "cli/profile_models.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "dsl/prove.h"
#include "route/route.h"

struct proof {
    const struct cli *cli;
    struct config_source document;
    vsr_str text; /* of the file that the findings are about */
    struct findings findings;
    struct prove_summary summary;
};

static void print_text(struct proof *proof, struct buf *out) {
    const struct findings_style style = { .file = str_from_c(proof->document.file),
                                          .source = isatty(STDOUT_FILENO) ? proof->text : VSR_STR(""),
                                          .colour = proof->cli->colour,
                                          .hints = true,
                                          .examples = true };
    const struct prove_summary *s = &proof->summary;
    const size_t *n = proof->findings.n_of;
    findings_print(&proof->findings, &style, out);
    if (n[FINDING_WARNING] + n[FINDING_HINT] == 0)
        buf_append_c(out, "No issues found");
    else
        buf_printf(out, "%zu warning%s, %zu hint%s", n[FINDING_WARNING], n[FINDING_WARNING] == 1 ? "" : "s",
                   n[FINDING_HINT], n[FINDING_HINT] == 1 ? "" : "s");
    buf_printf(out, ": %zu route%s over %zu condition%s, %s\n", s->n_routes, s->n_routes == 1 ? "" : "s", s->n_leaves,
               s->n_leaves == 1 ? "" : "s", s->complete ? "all questions answered" : "some questions given up");
}

static void print_json(struct proof *proof, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("file"));
    json_write_str(&w, str_from_c(proof->document.file));
    json_write_key(&w, VSR_STR("complete"));
    json_write_bool(&w, proof->summary.complete);
    json_write_key(&w, VSR_STR("routes"));
    json_write_u64(&w, proof->summary.n_routes);
    json_write_key(&w, VSR_STR("conditions"));
    json_write_u64(&w, proof->summary.n_leaves);
    json_write_key(&w, VSR_STR("questions"));
    json_write_u64(&w, proof->summary.n_questions);
    json_write_key(&w, VSR_STR("diagnostics"));
    findings_json(&proof->findings, proof->text, true, &w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* What only vectors of the examples show. */
static int look_at_examples(struct proof *proof, int64_t budget_ms) {
    struct test_asker asker = { .cli = proof->cli, .runner = TEST_NATIVE };
    int code = test_asker_open(&asker, proof->document.file);
    if (code == CLI_OK)
        examples_look(&asker.profile, budget_ms, &proof->findings);
    test_asker_done(&asker);
    return code;
}

static int prove(struct proof *proof) {
    const struct prove_options options = { .families = route_families(),
                                           .budget_ms = (int64_t)options_number(proof->cli->options, "budget") * 1000 };
    bool strict = options_has(proof->cli->options, "strict");
    struct buf out;
    int code = CLI_OK;
    dsl_prove(proof->document.arena, proof->document.doc, &options, &proof->findings, &proof->summary);
    if (options_has(proof->cli->options, "runtime-checks"))
        code = look_at_examples(proof, options.budget_ms);
    if (code != CLI_OK)
        return code;
    findings_sort(&proof->findings);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(proof->cli->options, "json"))
        print_json(proof, &out);
    else
        print_text(proof, &out);
    code = dsl_source_write(proof->cli, NULL, &out, 0);
    buf_done(&out);
    if (code != CLI_OK)
        return code;
    return strict && proof->findings.n_of[FINDING_WARNING] > 0 ? CLI_FAILURE : CLI_OK;
}

static int prove_run(const struct cli *cli, int argc, char **argv) {
    struct proof proof = { .cli = cli };
    struct arena *arena;
    struct vsr_err err = VSR_ERR_NONE;
    mode_t mode;
    int code;
    (void)argc; /* exactly one, by the table */
    if (strcmp(argv[0], "-") == 0)
        return cli_usage(cli, "a policy is proved with what stands beside it: name its file");
    arena = arena_new(0, 0);
    findings_init(&proof.findings, arena);
    if (config_file_read(arena, argv[0], YAML_BYTES_MAX, &proof.text, &mode, &err) < 0) {
        code = dsl_refuse_err(cli, argv[0], &err, "E_IO");
    } else {
        code = dsl_policy_load(cli, argv[0], &proof.document);
        if (code == CLI_OK)
            code = prove(&proof);
        if (proof.document.arena)
            config_source_done(&proof.document);
    }
    arena_free(arena);
    return code;
}

static const struct option_spec prove_options[] = {
    PROFILE_OPTION_BASE,
    { "budget", 0, OPTION_NUMBER, 0, "SECONDS", "how long the questions about one profile may take", "10", .least = 1,
      .greatest = 3600 },
    DSL_OPTION_STRICT,
    { "runtime-checks", 0, OPTION_FLAG, 0, NULL, "also compare the examples of embedding rules, as a model sees them" },
    PROFILE_OPTIONS_MODELS,
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON, with an example for each finding" },
};

const struct command command_dsl_prove_spec = {
    .name = "prove",
    .summary = "find routes that nothing reaches, ties, gaps, and terms without effect",
    .usage = "vsr dsl prove [OPTION]... FILE",
    .details =
        "FILE is a program or a configuration in YAML. Decides over all requests at once: a route that is called\n"
        "unreachable is so whatever signals say, and what can happen is shown by an example. Questions that take\n"
        "longer than the budget are given up, and W411 says so.\n",
    .examples = "vsr dsl prove policy.dsl\n"
                "vsr dsl prove --strict --json config.yaml\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = prove_options,
    .n_options = VSR_COUNT(prove_options),
    .run = prove_run,
};
