/* dsl_diff - `vsr dsl diff`: which requests two policies route in different ways, with an example for each. */
#include "cli/config_source.h"
#include "cli/dsl_diff_report.h"
#include "cli/dsl_source.h"
#include "cli/dsl_verdict.h"
#include "cli/profile.h"
#include "core/arena.h"
#include "core/buf.h"
#include "route/route.h"

struct comparison {
    const struct cli *cli;
    struct arena *arena;
    struct config_source before, after;
};

static int compare(struct comparison *c) {
    const struct prove_options options = { .families = route_families(),
                                           .budget_ms = (int64_t)options_number(c->cli->options, "budget") * 1000 };
    const struct config_document *before = c->before.doc, *after = c->after.doc;
    struct dsl_difference difference;
    struct buf out;
    int code;
    effects_find(c->arena, c->before.schema, before, after, &options, &difference.effects);
    changes_find(c->arena, c->before.schema, before, after, &difference.changes);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(c->cli->options, "json"))
        dsl_difference_json(c->arena, &difference, &out);
    else
        dsl_difference_text(c->cli, c->arena, &difference, &out);
    code = dsl_source_write(c->cli, NULL, &out, 0);
    buf_done(&out);
    return code == CLI_OK && !dsl_difference_is_none(&difference) ? CLI_FAILURE : code;
}

static int diff_run(const struct cli *cli, int argc, char **argv) {
    struct comparison c = { .cli = cli, .arena = arena_new(0, 0) };
    int code = dsl_policy_load(cli, argv[0], &c.before);
    (void)argc; /* exactly two, by the table */
    if (code == CLI_OK)
        code = dsl_policy_load(cli, argv[1], &c.after);
    if (code == CLI_OK)
        code = compare(&c);
    if (c.after.arena)
        config_source_done(&c.after);
    if (c.before.arena)
        config_source_done(&c.before);
    arena_free(c.arena);
    return code;
}

static const struct option_spec diff_options[] = {
    PROFILE_OPTION_BASE,
    { "budget", 0, OPTION_NUMBER, 0, "SECONDS", "how long the questions about one profile may take", "10", .least = 1,
      .greatest = 3600 },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_dsl_diff_spec = {
    .name = "diff",
    .summary = "say which requests two policies route in different ways",
    .usage = "vsr dsl diff [OPTION]... OLD NEW",
    .details =
        "OLD and NEW are programs or configurations in YAML. Lists the routes that were added, removed and changed,\n"
        "settings beside routing that were, and the requests that notice it, each with an example: what signals say\n"
        "of such a request. Without any it is proved that there is none. Settings are not compared with a policy\n"
        "that has no base. Exits with 0 when every request is routed and handled as before, 1 when some are not,\n"
        "when that could not be found out in time, or when one of them is not valid.\n",
    .examples = "vsr dsl diff old.dsl new.dsl\n"
                "vsr dsl diff --json running.yaml policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 2,
    .operands_most = 2,
    .options = diff_options,
    .n_options = VSR_COUNT(diff_options),
    .run = diff_run,
};
