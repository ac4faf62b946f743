/*
 * route_command - `vsr route`: what the policy makes of one request, and why. The gateway's engine, without a gateway.
 */
#include <stdlib.h>

#include "cli/chat_body.h"
#include "cli/cli.h"
#include "cli/profile.h"
#include "cli/route_time.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "route/route.h"
#include "serve/snapshot.h"
#include "wire/facts.h"

enum { ROUTE_LEN_MAX = 64 << 20 };

#define DEFAULT_MODEL "auto"
#define DEFAULT_REPETITIONS "1000"

/* What came out of it. */
struct verdict {
    const struct model_name *name;       /* what the request asked for */
    struct route_state *state;           /* NULL: nothing was evaluated */
    const struct route_outcome *outcome; /* NULL likewise */
    const struct config_model_ref *ref;  /* NULL: default model or pass-through */
    vsr_str model;                       /* empty: none */
    const char *how;                     /* "passthrough", "single", "static" or "default" */
};

/* ---- deciding */

static int read_body(const struct cli *cli, int argc, char **argv, struct arena *arena, vsr_str *ret_body,
                     struct vsr_err *err) {
    const char *file = options_text(cli->options, "messages");
    vsr_str model = str_from_c(options_text(cli->options, "model"));
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
    const struct facts_options options = {
        .structured_bytes_per_token = snapshot->doc->global.router.context_estimate.structured_bytes_per_token,
    };
    struct json_doc doc;
    int rc = json_parse(arena, body, &doc, err);
    if (rc == 0)
        rc = facts_read_chat(arena, &doc, &options, ret_facts, err);
    return rc < 0 ? rc : read_identity(cli, arena, ret_facts, err);
}

static int evaluate(const struct snapshot_recipe *recipe, struct arena *arena, const struct request_facts *facts,
                    bool full, struct verdict *verdict, struct vsr_err *err) {
    const struct route_options options = { .full = full };
    verdict->state = route_begin(recipe->route, recipe->scratch[0], arena, facts, &options);
    if (route_step(verdict->state, err) != ROUTE_DONE)
        return err->code < 0 ? err->code
                             : err_set(err, VSR_E_UNAVAILABLE,
                                       "the policy asks for evidence that only a "
                                       "running gateway can obtain");
    verdict->outcome = route_outcome(verdict->state);
    if (verdict->outcome->refusal)
        return err_set(err, VSR_E_REFUSED, "refused with 403: %s; name the caller with --user and --group",
                       verdict->outcome->refusal);
    return 0;
}

/* The model of the first reference; without one the default model (decisions.md 2.7). */
static void select_model(const struct snapshot *snapshot, struct verdict *verdict) {
    const struct config_decision *decision = verdict->outcome ? verdict->outcome->decision : NULL;
    if (decision && decision->model_refs.n > 0) {
        verdict->ref = decision->model_refs.items;
        verdict->model = verdict->ref->lora_name.len > 0 ? verdict->ref->lora_name : verdict->ref->model;
        verdict->how = decision->model_refs.n == 1 ? "single" : "static";
    }
    if (verdict->model.len == 0) {
        verdict->model = snapshot->doc->providers.defaults.default_model;
        verdict->how = "default";
    }
}

static int decide(const struct snapshot *snapshot, struct arena *arena, const struct request_facts *facts,
                  struct verdict *verdict, struct vsr_err *err) {
    int rc = 0;
    verdict->name = snapshot_resolve(snapshot, facts->model);
    if (!verdict->name)
        return err_set(err, VSR_E_NOT_FOUND, "model \"%.*s\" is not available%.*s", VSR_FMT(facts->model),
                       VSR_FMT(snapshot_suggest(snapshot, arena, facts->model, false)));
    if (!verdict->name->recipe) {
        verdict->model = verdict->name->name;
        verdict->how = "passthrough";
        return 0;
    }
    /* Without anything to judge by the gateway evaluates nothing either. */
    if (facts->eval_text.len > 0 || facts_has_envelope(facts) || route_refusal(verdict->name->recipe->route, facts))
        rc = evaluate(verdict->name->recipe, arena, facts, true, verdict, err);
    if (rc == 0)
        select_model(snapshot, verdict);
    return rc;
}

/* ---- printing */

static void write_member(struct json_writer *w, vsr_str key, vsr_str value) {
    json_write_key(w, key);
    if (value.len > 0)
        json_write_str(w, value);
    else
        json_write_null(w);
}

static void outcome_json(const struct route_outcome *outcome, struct json_writer *w) {
    json_write_key(w, VSR_STR("confidence"));
    json_write_double(w, outcome->confidence);
    write_member(w, VSR_STR("category"), outcome->category);
    json_write_key(w, VSR_STR("matched_rules"));
    json_write_begin_array(w);
    for (size_t i = 0; i < outcome->n_matched_rules; i++)
        json_write_str(w, outcome->matched_rules[i]);
    json_write_end(w);
    json_write_key(w, VSR_STR("token_count"));
    json_write_u64(w, outcome->token_count);
}

static void verdict_json(const struct request_facts *facts, const struct verdict *verdict,
                         const struct route_times *times, struct buf *out) {
    const struct config_decision *decision = verdict->outcome ? verdict->outcome->decision : NULL;
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    write_member(&w, VSR_STR("requested_model"), facts->model);
    write_member(&w, VSR_STR("decision"), decision ? decision->name : VSR_STR(""));
    write_member(&w, VSR_STR("model"), verdict->model);
    write_member(&w, VSR_STR("selection"), verdict->model.len ? str_from_c(verdict->how) : VSR_STR(""));
    json_write_key(&w, VSR_STR("reasoning"));
    json_write_bool(&w, verdict->ref && verdict->ref->use_reasoning);
    if (verdict->ref)
        write_member(&w, VSR_STR("reasoning_effort"), verdict->ref->reasoning_effort);
    if (verdict->outcome)
        outcome_json(verdict->outcome, &w);
    if (times) {
        json_write_key(&w, VSR_STR("time"));
        route_times_json(times, &w);
    }
    if (verdict->state) {
        json_write_key(&w, VSR_STR("trace"));
        route_trace_json(verdict->state, &w);
    }
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static void line(struct buf *out, bool colour, const char *label, const char *paint, vsr_str value, const char *note) {
    buf_printf(out, "%s%-10s%s %s%.*s%s%s%s\n", term_if(colour, TERM_DIM), label, term_if(colour, TERM_RESET),
               term_if(colour, paint), VSR_FMT(value), term_if(colour, TERM_RESET), *note ? "  " : "", note);
}

static void model_line(const struct verdict *verdict, bool colour, struct buf *out) {
    char note[160] = "";
    if (strcmp(verdict->how, "default") == 0)
        (void)snprintf(note, sizeof(note), "(the default model)");
    else if (strcmp(verdict->how, "passthrough") == 0)
        (void)snprintf(note, sizeof(note), "(named by the request: no routing)");
    else if (verdict->ref && verdict->ref->use_reasoning)
        (void)snprintf(note, sizeof(note), "(reasoning%s%.*s)", verdict->ref->reasoning_effort.len ? ", effort " : "",
                       VSR_FMT(verdict->ref->reasoning_effort));
    line(out, colour, "model", TERM_BOLD TERM_GREEN, verdict->model.len ? verdict->model : VSR_STR("none"), note);
}

static void rules_line(const struct route_outcome *outcome, bool colour, struct buf *out) {
    if (outcome->n_matched_rules == 0)
        return;
    buf_printf(out, "%s%-10s%s ", term_if(colour, TERM_DIM), "because", term_if(colour, TERM_RESET));
    for (size_t i = 0; i < outcome->n_matched_rules; i++)
        buf_printf(out, "%s%.*s", i == 0 ? "" : ", ", VSR_FMT(outcome->matched_rules[i]));
    buf_append_char(out, '\n');
}

static void verdict_text(const struct verdict *verdict, const struct route_times *times, bool colour, struct buf *out) {
    const struct route_outcome *outcome = verdict->outcome;
    char note[64] = "";
    if (outcome && outcome->decision)
        (void)snprintf(note, sizeof(note), "(confidence %.4f)", outcome->confidence);
    line(out, colour, "decision", TERM_BOLD TERM_GREEN,
         outcome && outcome->decision ? outcome->decision->name : VSR_STR("none"), note);
    model_line(verdict, colour, out);
    if (outcome)
        rules_line(outcome, colour, out);
    if (times)
        route_times_text(times, out);
    if (verdict->state) {
        buf_append_char(out, '\n');
        route_trace_text(verdict->state, colour, out);
    }
}

/* ---- the command */

static int print(const struct cli *cli, const struct request_facts *facts, const struct verdict *verdict,
                 const struct route_times *times) {
    struct buf out;
    int code;
    buf_init(&out, ROUTE_LEN_MAX);
    if (options_has(cli->options, "json"))
        verdict_json(facts, verdict, times, &out);
    else
        verdict_text(verdict, times, cli->colour, &out);
    code = cli_finish(cli, &out, verdict->model.len > 0 ? CLI_OK : CLI_FAILURE);
    buf_done(&out);
    if (verdict->model.len == 0)
        return cli_fail(cli, "no decision names a model and there is no default model");
    return code;
}

static int route_with(const struct cli *cli, const struct snapshot *snapshot, struct arena *arena, vsr_str body) {
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct verdict verdict = { 0 };
    struct route_times times;
    struct vsr_err err = VSR_ERR_NONE;
    bool timed = options_has(cli->options, "time");
    if (read_facts(cli, snapshot, arena, body, facts, &err) < 0 || decide(snapshot, arena, facts, &verdict, &err) < 0)
        return cli_fail_err(cli, &err);
    /* A model that is named directly is not routed: the default recipe is measured. */
    if (timed && route_time(snapshot, verdict.name->recipe ? verdict.name->recipe : &snapshot->recipes[0], body, facts,
                            options_number(cli->options, "time"), &times, &err) < 0)
        return cli_fail_err(cli, &err);
    return print(cli, facts, &verdict, timed ? &times : NULL);
}

static int route_profile(const struct cli *cli, struct arena *arena, vsr_str body) {
    struct profile profile;
    int code;
    if (profile_load(options_text(cli->options, "config"), options_has(cli->options, "strict-env"), &profile) < 0) {
        code = profile_complain(cli, &profile);
    } else {
        cli_print_diag(cli, &profile.diag); /* warnings */
        code = route_with(cli, profile.snapshot, arena, body);
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

static const struct option_spec route_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "policy; without it the built-in demo", .env = "VSR_CONFIG" },
    { "messages", 'm', OPTION_TEXT, OPTION_FILE, "FILE",
      "instead of a prompt: a JSON array of messages, or a whole request body; `-` is standard input" },
    { "model", 0, OPTION_TEXT, 0, "NAME", "what the request asks for", DEFAULT_MODEL },
    { "user", 'u', OPTION_TEXT, 0, "ID", "who asks, for policies about callers" },
    { "group", 'g', OPTION_TEXT, OPTION_REPEATABLE, "NAME", "a group of the user's; may be given several times" },
    { "time", 0, OPTION_NUMBER, OPTION_MAYBE, "N", "measure it, over N (" DEFAULT_REPETITIONS ") repetitions",
      .least = 1, .greatest = 10 * 1000 * 1000 },
    { "strict-env", 0, OPTION_FLAG, 0, NULL, "an unset ${VARIABLE} without a default is an error" },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
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
