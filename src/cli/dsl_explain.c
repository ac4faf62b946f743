/* dsl_explain - `vsr dsl explain`: which routes hold for signals that somebody says, and why. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/config_migrate_file.h"
#include "cli/config_source.h"
#include "cli/dsl_facts.h"
#include "cli/dsl_source.h"
#include "cli/dsl_verdict.h"
#include "cli/profile.h"
#include "cli/term.h"
#include "config/schema_value.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "dsl/spelling.h"

struct explanation {
    const struct cli *cli;
    struct arena *arena;
    struct config_source source;
    struct facts *facts;
};

/* ---- what is said */

static int say_file(struct explanation *e, const char *file) {
    struct vsr_err err = VSR_ERR_NONE;
    struct yaml_node *root;
    struct diag diag;
    vsr_str text;
    mode_t mode;
    if (config_file_read(e->arena, strcmp(file, "-") == 0 ? "/dev/stdin" : file, YAML_BYTES_MAX, &text, &mode, &err) <
        0)
        return dsl_refuse_err(e->cli, file, &err, "E_IO");
    diag_init(&diag, e->arena, str_from_c(file));
    if (yaml_tree_parse_plain(e->arena, text, &root, &diag) < 0)
        return dsl_refuse_diag(e->cli, &diag);
    if (facts_say_all(e->facts, root, &err) == 0)
        return CLI_OK;
    err_at(&err, str_from_c(file), err.line, err.col);
    return dsl_refuse_err(e->cli, file, &err, "E_FACT");
}

/* `keyword:urgent`, `domain:law=0.9`; a name may hold colons, and what stands behind its last `=` is a number. */
static int say_option(struct explanation *e, const char *said) {
    const char *colon = strchr(said, ':'), *equals = strrchr(said, '=');
    struct fact fact = { .matched = true };
    struct vsr_err err = VSR_ERR_NONE;
    enum value_fit fit = VALUE_TYPE;
    if (!colon)
        return cli_usage(e->cli, "--fact: expected TYPE:NAME or TYPE:NAME=CONFIDENCE, found \"%s\"", said);
    if (equals && equals > colon)
        fit = value_number(str_from_c(equals + 1), &fact.confidence);
    if (fit == VALUE_RANGE)
        return cli_usage(e->cli, "--fact: a confidence is a finite number, found \"%s\"", equals + 1);
    fact.has_confidence = fit == VALUE_OK;
    fact.type = str_make(said, (size_t)(colon - said));
    fact.name = fact.has_confidence ? str_make(colon + 1, (size_t)(equals - colon - 1)) : str_from_c(colon + 1);
    if (fit == VALUE_TYPE && equals && equals > colon && !facts_know(e->facts, fact.type, fact.name) &&
        facts_know(e->facts, fact.type, str_make(colon + 1, (size_t)(equals - colon - 1))))
        return cli_usage(e->cli, "--fact: \"%s\" is no number", equals + 1);
    return facts_say(e->facts, &fact, &err) < 0 ? cli_usage(e->cli, "--fact: %s", err.text) : CLI_OK;
}

static int say(struct explanation *e) {
    const char *file = options_text(e->cli->options, "facts");
    int code = file ? say_file(e, file) : CLI_OK;
    for (size_t i = 0; code == CLI_OK && i < options_count(e->cli->options, "fact"); i++)
        code = say_option(e, options_nth(e->cli->options, "fact", i));
    return code;
}

/* ---- printing */

/* As the language writes it; nothing in a name can act on a terminal then. */
static void print_leaf(const struct rule_leaf *leaf, struct buf *out) {
    buf_printf(out, "%.*s(", VSR_FMT(leaf->type));
    spell_string(out, leaf->name);
    if (leaf->label.len) {
        buf_append_c(out, ", label: ");
        spell_string(out, leaf->label);
    }
    buf_append_char(out, ')');
}

static void print_node(const struct explanation *e, uint32_t at, int indent, struct buf *out) {
    const struct rule_set *rules = &e->facts->policy->rules;
    const struct rule_node *node = &rules->nodes[at];
    static const char *const names[] = { [RULE_AND] = "AND", [RULE_OR] = "OR", [RULE_NOT] = "NOT" };
    enum rule_state state = rule_state(rules, at, e->facts->states);
    const char *paint = state == RULE_TRUE ? TERM_GREEN : state == RULE_FALSE ? TERM_DIM : TERM_YELLOW;
    buf_printf(out, "%*s%s%s%s ", indent, "", term_if(e->cli->colour, paint),
               state == RULE_TRUE    ? "+"
               : state == RULE_FALSE ? "-"
                                     : "?",
               term_if(e->cli->colour, TERM_RESET));
    if (node->op == RULE_LEAF) {
        print_leaf(&rules->leaves[node->leaf], out);
        buf_append_char(out, '\n');
    } else if (node->op == RULE_ALWAYS || (node->op == RULE_AND && node->end == at + 1)) {
        buf_append_c(out, "always\n");
    } else {
        buf_printf(out, "%s\n", node->op == RULE_NEVER ? "never" : names[node->op]);
    }
    for (uint32_t child = at + 1; node->op != RULE_LEAF && child < node->end; child = rules->nodes[child].end)
        print_node(e, child, indent + 2, out);
}

static void print_decision(const struct explanation *e, size_t index, struct buf *out) {
    const struct policy_decision *decision = &e->facts->policy->decisions[index];
    bool holds = facts_state(e->facts, index) == RULE_TRUE;
    buf_printf(out, "\n%s", term_if(e->cli->colour, TERM_BOLD));
    spell_name(out, decision->config->name);
    buf_printf(out, "%s  priority %lld", term_if(e->cli->colour, TERM_RESET), (long long)decision->priority);
    if (decision->tier)
        buf_printf(out, ", tier %lld", (long long)decision->tier);
    buf_printf(out, ": %s\n",
               e->facts->verdict.winner == decision ? "wins"
               : holds                              ? "holds, and another one comes first"
                                                    : "does not hold");
    print_node(e, decision->root, 2, out);
}

static void print_text(const struct explanation *e, struct buf *out) {
    const struct policy_verdict *verdict = &e->facts->verdict;
    const struct rule_leaf *const *leaves;
    size_t n = facts_because(e->facts, &leaves);
    buf_append_c(out, "route     ");
    if (verdict->winner) {
        spell_name(out, verdict->winner->config->name);
        buf_printf(out, "  (confidence %.4f)\n", verdict->confidence);
    } else {
        buf_append_c(out, "none\n");
    }
    for (size_t i = 0; i < n; i++) {
        buf_append_c(out, i ? ", " : "because   ");
        print_leaf(leaves[i], out);
    }
    if (n > 0)
        buf_append_char(out, '\n');
    for (size_t i = 0; i < e->facts->policy->n_decisions; i++)
        print_decision(e, i, out);
}

static void json_decision(const struct explanation *e, size_t index, struct json_writer *w) {
    const struct policy_decision *decision = &e->facts->policy->decisions[index];
    const struct rule_set *rules = &e->facts->policy->rules;
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("name"));
    json_write_str(w, decision->config->name);
    json_write_key(w, VSR_STR("priority"));
    json_write_i64(w, decision->priority);
    json_write_key(w, VSR_STR("tier"));
    json_write_i64(w, decision->tier);
    json_write_key(w, VSR_STR("state"));
    json_write_str(w, str_from_c(rule_state_text(facts_state(e->facts, index))));
    json_write_key(w, VSR_STR("leaves"));
    json_write_begin_object(w);
    for (uint32_t at = decision->root; at < rules->nodes[decision->root].end; at++) {
        if (rules->nodes[at].op != RULE_LEAF)
            continue;
        json_write_key(w, rules->leaves[rules->nodes[at].leaf].text);
        json_write_str(w, str_from_c(rule_state_text(e->facts->states[rules->nodes[at].leaf])));
    }
    json_write_end(w);
    json_write_end(w);
}

static void print_json(const struct explanation *e, struct buf *out) {
    const struct policy_verdict *verdict = &e->facts->verdict;
    const struct rule_leaf *const *leaves;
    size_t n = facts_because(e->facts, &leaves);
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("route"));
    if (verdict->winner)
        json_write_str(&w, verdict->winner->config->name);
    else
        json_write_null(&w);
    json_write_key(&w, VSR_STR("confidence"));
    json_write_double(&w, verdict->winner ? verdict->confidence : 0);
    json_write_key(&w, VSR_STR("matched_rules"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        json_write_str(&w, leaves[i]->text);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("routes"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < e->facts->policy->n_decisions; i++)
        json_decision(e, i, &w);
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* ---- the command */

static int print_result(const struct explanation *e) {
    struct buf out;
    int code;
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(e->cli->options, "json"))
        print_json(e, &out);
    else
        print_text(e, &out);
    code = dsl_source_write(e->cli, NULL, &out, 0);
    buf_done(&out);
    return code;
}

static int explain(struct explanation *e) {
    const char *recipe = options_text(e->cli->options, "recipe");
    const struct config_scope *scope = config_scope(e->source.doc, str_from_c(recipe));
    struct vsr_err err = VSR_ERR_NONE;
    int code;
    if (!scope)
        return cli_usage(e->cli, "--recipe: there is no recipe \"%s\"", recipe);
    if (facts_build(e->arena, e->source.doc, scope, &e->facts, &err) < 0)
        return dsl_refuse_err(e->cli, e->source.file, &err, "E_BUILD");
    code = say(e);
    if (code != CLI_OK)
        return code;
    facts_decide(e->facts);
    return print_result(e);
}

static int explain_run(const struct cli *cli, int argc, char **argv) {
    struct explanation e = { .cli = cli, .arena = arena_new(0, 0) };
    int code = dsl_policy_load(cli, argv[0], &e.source);
    (void)argc; /* exactly one, by the table */
    if (code == CLI_OK)
        code = explain(&e);
    if (e.source.arena)
        config_source_done(&e.source);
    arena_free(e.arena);
    return code;
}

static const struct option_spec explain_options[] = {
    { "facts", 0, OPTION_TEXT, OPTION_FILE, "FILE", "what signals say, in JSON or YAML: {\"keyword\": [\"urgent\"]}" },
    { "fact", 0, OPTION_TEXT, OPTION_REPEATABLE, "TYPE:NAME[=N]", "a signal that matched, with a confidence" },
    { "recipe", 0, OPTION_TEXT, 0, "NAME", "the profile that is asked", "default" },
    PROFILE_OPTION_BASE,
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_dsl_explain_spec = {
    .name = "explain",
    .summary = "say which routes hold when signals say this or that, and why",
    .usage = "vsr dsl explain [OPTION]... FILE",
    .details =
        "No request and no model: signals are as they are said, and those that are not said have not matched. Scores\n"
        "are computed from them, unless outputs of projections are said. A fact may be a name, {NAME: true},\n"
        "{NAME: CONFIDENCE}, or {NAME: {matched, confidence, value}}; a classifier's is NAME:LABEL. A confidence\n"
        "is from 0 to 1 but where a type of signal goes beyond; a value is any number. FILE may also be a\n"
        "configuration in YAML.\n",
    .examples = "vsr dsl explain --fact keyword:urgent --fact domain:law=0.8 policy.dsl\n"
                "vsr dsl explain --facts facts.json --recipe fast policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 1,
    .operands_most = 1,
    .options = explain_options,
    .n_options = VSR_COUNT(explain_options),
    .run = explain_run,
};
