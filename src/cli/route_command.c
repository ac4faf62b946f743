/*
 * route_command - `vsr route`: what the policy makes of one request, and why. The gateway's engine, without a gateway.
 */
#include <stdio.h>
#include <string.h>

#include "cli/chat_body.h"
#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/profile.h"
#include "cli/profile_models.h"
#include "cli/route_time.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "route/route.h"
#include "serve/eval.h"
#include "wire/facts.h"

enum { ROUTE_LEN_MAX = 64 << 20 };

#define DEFAULT_REPETITIONS "1000"

/* ---- deciding */

static int read_body(const struct cli *cli, int argc, char **argv, struct arena *arena, vsr_str *ret_body,
                     struct vsr_err *err) {
    const char *file = options_text(cli->options, "messages");
    const char *asked = options_text(cli->options, "model");
    vsr_str model = str_from_c(asked ? asked : "");
    if (file)
        return chat_body_from_file(arena, file, model, options_has(cli->options, "model"), ret_body, err);
    *ret_body = chat_body_from_prompt(arena, model, chat_body_join(arena, argc, argv));
    return 0;
}

/* Who asks, by the options; groups as the header would list them. */
static int read_identity(const struct cli *cli, struct arena *arena, struct request_facts *facts, struct vsr_err *err) {
    vsr_str groups = { 0 };
    for (size_t i = 0; i < options_count(cli->options, "group"); i++)
        groups = arena_printf(arena, "%.*s%s%s", VSR_FMT(groups), i ? "," : "", options_nth(cli->options, "group", i));
    return facts_set_identity(arena, facts, str_from_c(options_text(cli->options, "user")), groups, err);
}

static int read_facts(const struct cli *cli, const struct snapshot *snapshot, struct arena *arena, vsr_str body,
                      struct request_facts *ret_facts, struct vsr_err *err) {
    struct json_doc doc;
    int rc = json_parse(arena, body, &doc, err);
    if (rc == 0)
        rc = eval_read(snapshot, arena, &doc, ret_facts, err);
    return rc < 0 ? rc : read_identity(cli, arena, ret_facts, err);
}

/* ---- printing */

static void eval_json(const struct eval *eval, const struct route_times *times, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    eval_members(eval, true, &w);
    if (times) {
        json_write_key(&w, VSR_STR("time"));
        route_times_json(times, &w);
    }
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static void line(struct buf *out, bool colour, const char *label, const char *paint, vsr_str value, const char *note) {
    buf_printf(out, "%s%-10s%s %s%.*s%s%s%s\n", term_if(colour, TERM_DIM), label, term_if(colour, TERM_RESET),
               term_if(colour, paint), VSR_FMT(value), term_if(colour, TERM_RESET), *note ? "  " : "", note);
}

static void model_line(const struct eval *eval, bool colour, struct buf *out) {
    char note[160] = "";
    vsr_str model = eval->model;
    if (str_eq_c(eval->method, "default"))
        (void)snprintf(note, sizeof(note), "(the default model)");
    else if (str_eq_c(eval->method, "passthrough"))
        (void)snprintf(note, sizeof(note), "(named by the request: no routing)");
    else if (eval->status != EVAL_SELECTED)
        (void)snprintf(note, sizeof(note), "(%.*s: %s)", VSR_FMT(eval->method),
                       eval->status == EVAL_PLANNED_FINAL ? "writes the answer" : "only running it tells");
    else if (eval->ref && eval->ref->use_reasoning)
        (void)snprintf(note, sizeof(note), "(reasoning%s%.*s)", eval->ref->reasoning_effort.len ? ", effort " : "",
                       VSR_FMT(eval->ref->reasoning_effort));
    if (model.len == 0)
        model = eval->status == EVAL_UNAVAILABLE ? VSR_STR("none") : VSR_STR("open");
    line(out, colour, "model", TERM_BOLD TERM_GREEN, model, note);
}

static void rules_line(const struct route_outcome *outcome, bool colour, struct buf *out) {
    if (outcome->n_matched_rules == 0)
        return;
    buf_printf(out, "%s%-10s%s ", term_if(colour, TERM_DIM), "because", term_if(colour, TERM_RESET));
    for (size_t i = 0; i < outcome->n_matched_rules; i++)
        buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", VSR_FMT(outcome->matched_rules[i]));
    buf_append_char(out, '\n');
}

static void eval_text(const struct eval *eval, const struct route_times *times, bool colour, struct buf *out) {
    char note[64] = "";
    if (eval->recipe && eval->recipe != &eval->snapshot->recipes[0])
        line(out, colour, "recipe", TERM_BOLD, eval->recipe->scope->name, "");
    if (eval->decision)
        (void)snprintf(note, sizeof(note), "(confidence %.4f)", eval->outcome->confidence);
    line(out, colour, "decision", TERM_BOLD TERM_GREEN, eval->decision ? eval->decision->name : VSR_STR("none"), note);
    model_line(eval, colour, out);
    if (eval->outcome)
        rules_line(eval->outcome, colour, out);
    if (times)
        route_times_text(times, out);
    if (eval->state) {
        buf_append_char(out, '\n');
        route_trace_text(eval->state, colour, out);
    }
}

/* ---- the command */

static bool wants_json(const struct cli *cli) {
    return options_has(cli->options, "json") || strcmp(options_text(cli->options, "trace"), "json") == 0;
}

static int print(const struct cli *cli, const struct eval *eval, const struct route_times *times) {
    struct buf out;
    int code;
    buf_init(&out, ROUTE_LEN_MAX);
    if (wants_json(cli))
        eval_json(eval, times, &out);
    else
        eval_text(eval, times, cli->colour, &out);
    code = cli_finish(cli, &out, eval->status != EVAL_UNAVAILABLE ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    if (eval->status == EVAL_UNAVAILABLE)
        return cli_fail(cli, "no decision names a model and there is no default model");
    return code;
}

static int run(const struct profile *profile, struct arena *arena, const struct request_facts *facts,
               struct eval *ret_eval, struct vsr_err *err) {
    const struct eval_options options = { .snapshot = profile->snapshot,
                                          .lane = profile_models_lane(profile->models, 0),
                                          .arena = arena };
    int rc = eval_run(&options, facts, ret_eval, err);
    if (rc == VSR_E_REFUSED)
        return err_set(err, rc, "refused with 403: %s; name the caller with --user and --group",
                       ret_eval->outcome->refusal);
    return rc;
}

static int route_with(const struct cli *cli, const struct profile *profile, struct arena *arena, vsr_str body) {
    const struct snapshot *snapshot = profile->snapshot;
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct eval eval;
    struct route_times times;
    struct vsr_err err = VSR_ERR_NONE;
    bool timed = options_has(cli->options, "time");
    if (read_facts(cli, snapshot, arena, body, facts, &err) < 0 || run(profile, arena, facts, &eval, &err) < 0)
        return cli_fail_err(cli, &err);
    /* A model that is named directly is not routed: the default recipe is measured. */
    if (timed && route_time(profile, eval.recipe ? eval.recipe : &snapshot->recipes[0], body, facts,
                            options_number(cli->options, "time"), &times, &err) < 0)
        return cli_fail_err(cli, &err);
    return print(cli, &eval, timed ? &times : NULL);
}

static int route_profile(const struct cli *cli, struct arena *arena, vsr_str body) {
    bool asks = !options_has(cli->options, "no-models");
    struct profile_options options = { .file = options_text(cli->options, "config"),
                                       .strict_env = options_has(cli->options, "strict-env"),
                                       .n_threads = 1,
                                       .models_dir = asks ? options_text(cli->options, "models-dir") : NULL };
    struct profile profile;
    int code = profile_base(cli, options.file, &options.base);
    if (code != CLI_OK)
        return code;
    if (profile_load_with(&options, &profile) < 0) {
        code = profile_complain(cli, &profile);
    } else {
        cli_print_diag(cli, &profile.diag); /* warnings */
        if (profile.models)
            profile_models_load(profile.models, cli, profile.snapshot);
        code = route_with(cli, &profile, arena, body);
    }
    profile_done(&profile);
    return code;
}

static int route_run(const struct cli *cli, int argc, char **argv) {
    bool has_file = options_text(cli->options, "messages") != NULL;
    struct arena *arena;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str body;
    int code;
    if (has_file && argc > 0)
        return cli_usage(cli, "a prompt and --messages exclude each other");
    if (!has_file && argc == 0)
        return cli_usage(cli, "which prompt?");
    arena = arena_new(0, 0);
    if (read_body(cli, argc, argv, arena, &body, &err) < 0) {
        code = cli_fail_err(cli, &err);
        if (err.code == VSR_E_IO)
            code = CLI_USAGE;
    } else {
        code = route_profile(cli, arena, body);
    }
    arena_free(arena);
    return code;
}

static const char *const trace_forms[] = { "text", "json", NULL };

static const struct option_spec route_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "policy; without it the built-in demo", .env = "VSR_CONFIG" },
    PROFILE_OPTION_BASE,
    { "messages", 'm', OPTION_TEXT, OPTION_FILE, "FILE",
      "instead of a prompt: a JSON array of messages, or a whole request body; `-` is standard input" },
    { "model", 0, OPTION_TEXT, 0, "NAME", "what the request asks for; without it the default recipe routes" },
    { "user", 'u', OPTION_TEXT, 0, "ID", "who asks, for policies about callers" },
    { "group", 'g', OPTION_TEXT, OPTION_REPEATABLE, "NAME", "a group of the user's" },
    { "time", 0, OPTION_NUMBER, OPTION_MAYBE, "N", "measure it, over N (" DEFAULT_REPETITIONS ") repetitions",
      .least = 1, .greatest = 10 * 1000 * 1000 },
    { "strict-env", 0, OPTION_FLAG, 0, NULL, "an unset ${VARIABLE} without a default is an error" },
    PROFILE_OPTIONS_MODELS,
    { "trace", 0, OPTION_TEXT, 0, "FORM", "how the reasons are printed: text, or json like the evaluation API", "text",
      .words = trace_forms },
    { "json", 0, OPTION_FLAG, 0, NULL, "the same as --trace json" },
};

const struct command command_route_spec = {
    .name = "route",
    .summary = "say where a prompt would go, and why",
    .usage = "vsr route [OPTION]... PROMPT\n"
             "vsr route [OPTION]... --messages FILE",
    .details =
        "Evaluates the policy as the gateway would, sends nothing, and prints the decision, the model, and what led\n"
        "there. Several operands are one prompt. Exits with 1 when no model comes out.\n",
    .examples = "vsr route \"Prove that 7 divides n^7 - n by induction.\"\n"
                "vsr route -c policy.yaml --json \"I get a segmentation fault\"\n"
                "vsr route --messages request.json --time\n",
    .operands = OPERANDS_TEXT,
    .operands_most = OPTIONS_GIVEN_MAX,
    .options = route_options,
    .n_options = VSR_COUNT(route_options),
    .run = route_run,
};
