/* dsl_diff - `vsr dsl diff`: which requests two policies route in different ways, with an example for each. */
#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/dsl_source.h"
#include "cli/dsl_verdict.h"
#include "cli/profile.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/shown.h"
#include "dsl/effect.h"
#include "dsl/spelling.h"
#include "route/route.h"

struct comparison {
    const struct cli *cli;
    struct arena *arena;
    struct config_source before, after;
    struct effects effects;
};

static const char *const kinds[] = {
    [EFFECT_ROUTE] = "route",      [EFFECT_MODELS] = "models", [EFFECT_CONFIDENCE] = "confidence",
    [EFFECT_ORDER] = "order",      [EFFECT_ADDED] = "added",   [EFFECT_REMOVED] = "removed",
    [EFFECT_ENTRY] = "entrypoint",
};

/* ---- routes that only one of them has */

static bool has_route(const struct config_scope *scope, vsr_str name) {
    CONFIG_EACH(const struct config_decision, decision, &scope->routing->decisions)
    if (str_eq(decision->name, name))
        return true;
    return false;
}

/* Calls fn for each route of `one` whose profile `other` has without it. */
static void each_lonely(const struct config_document *one, const struct config_document *other,
                        void (*fn)(void *data, vsr_str profile, vsr_str route), void *data) {
    for (size_t i = 0; i < one->n_scopes; i++) {
        const struct config_scope *scope = config_scope(other, one->scopes[i].name);
        CONFIG_EACH(const struct config_decision, decision, &one->scopes[i].routing->decisions)
        if (scope && !has_route(scope, decision->name))
            fn(data, one->scopes[i].name, decision->name);
    }
}

/* ---- text */

struct lines {
    const struct comparison *c;
    struct buf *out;
    char sign;
};

static void print_lonely(void *data, vsr_str profile, vsr_str route) {
    const struct lines *lines = data;
    bool colour = lines->c->cli->colour;
    buf_printf(lines->out, "%s%c route ", term_if(colour, lines->sign == '+' ? TERM_GREEN : TERM_RED), lines->sign);
    spell_name(lines->out, route);
    buf_printf(lines->out, "%s in ", term_if(colour, TERM_RESET));
    spell_name(lines->out, profile);
    buf_append_char(lines->out, '\n');
}

static void print_text(const struct comparison *c, struct buf *out) {
    struct lines removed = { c, out, '-' }, added = { c, out, '+' };
    each_lonely(c->before.doc, c->after.doc, print_lonely, &removed);
    each_lonely(c->after.doc, c->before.doc, print_lonely, &added);
    for (size_t i = 0; i < c->effects.n; i++) {
        const struct effect *effect = &c->effects.items[i];
        buf_printf(out, "%s~%s ", term_if(c->cli->colour, TERM_YELLOW), term_if(c->cli->colour, TERM_RESET));
        shown_append(out, effect->profile);
        buf_append_c(out, ": ");
        shown_append(out, effect_text(c->arena, effect));
        buf_append_char(out, '\n');
        if (effect->witness.len == 0)
            continue;
        buf_printf(out, "    %sexample:%s ", term_if(c->cli->colour, TERM_DIM), term_if(c->cli->colour, TERM_RESET));
        shown_append(out, effect->witness);
        buf_append_char(out, '\n');
    }
    if (!c->effects.complete)
        buf_printf(out, "there may be more: %s\n", c->effects.reason);
    else if (c->effects.n == 0)
        buf_append_c(out, "No request is routed in another way.\n");
}

/* ---- JSON */

static void json_lonely(void *data, vsr_str profile, vsr_str route) {
    struct json_writer *w = data;
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("profile"));
    json_write_str(w, profile);
    json_write_key(w, VSR_STR("route"));
    json_write_str(w, route);
    json_write_end(w);
}

static void json_route(struct json_writer *w, const char *key, const struct config_decision *decision) {
    json_write_key(w, str_from_c(key));
    if (decision)
        json_write_str(w, decision->name);
    else
        json_write_null(w);
}

static void json_effect(const struct comparison *c, const struct effect *effect, struct json_writer *w) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("kind"));
    json_write_str(w, str_from_c(kinds[effect->kind]));
    json_write_key(w, VSR_STR("profile"));
    json_write_str(w, effect->profile);
    json_route(w, "before", effect->before);
    json_route(w, "after", effect->after);
    json_write_key(w, VSR_STR("text"));
    json_write_str(w, effect_text(c->arena, effect));
    json_write_key(w, VSR_STR("example"));
    json_write_str(w, effect->witness);
    json_write_end(w);
}

static void print_json(const struct comparison *c, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("same"));
    json_write_bool(&w, c->effects.complete && c->effects.n == 0);
    json_write_key(&w, VSR_STR("complete"));
    json_write_bool(&w, c->effects.complete);
    json_write_key(&w, VSR_STR("removed"));
    json_write_begin_array(&w);
    each_lonely(c->before.doc, c->after.doc, json_lonely, &w);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("added"));
    json_write_begin_array(&w);
    each_lonely(c->after.doc, c->before.doc, json_lonely, &w);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("effects"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < c->effects.n; i++)
        json_effect(c, &c->effects.items[i], &w);
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

/* ---- the command */

static int compare(struct comparison *c) {
    const struct prove_options options = { .families = route_families(),
                                           .budget_ms = (int64_t)options_number(c->cli->options, "budget") * 1000 };
    struct buf out;
    int code;
    effects_find(c->arena, c->before.doc, c->after.doc, &options, &c->effects);
    buf_init(&out, DSL_OUTPUT_LEN_MAX);
    if (options_has(c->cli->options, "json"))
        print_json(c, &out);
    else
        print_text(c, &out);
    code = dsl_source_write(c->cli, NULL, &out, 0);
    buf_done(&out);
    return code == CLI_OK && (c->effects.n > 0 || !c->effects.complete) ? CLI_FAILURE : code;
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
        "OLD and NEW are programs or configurations in YAML. Each difference comes with an example, what signals say\n"
        "of such a request; without any it is proved that there is none. Exits with 0 when every request is routed\n"
        "as before, 1 when some are not, when that could not be found out in time, or when one of them is not\n"
        "valid.\n",
    .examples = "vsr dsl diff old.dsl new.dsl\n"
                "vsr dsl diff --json running.yaml policy.dsl\n",
    .operands = OPERANDS_FILE,
    .operands_least = 2,
    .operands_most = 2,
    .options = diff_options,
    .n_options = VSR_COUNT(diff_options),
    .run = diff_run,
};
