#include "cli/dsl_test_run.h"

#include <string.h>

#include "cli/chat_body.h"
#include "cli/cli.h"
#include "cli/dsl_facts.h"
#include "cli/dsl_source.h"
#include "cli/dsl_verdict.h"
#include "cli/http_call.h"
#include "cli/profile_models.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/json.h"
#include "evidence/run.h"
#include "route/route.h"
#include "serve/eval.h"
#include "serve/snapshot.h"
#include "signal/family.h"

enum { ROUTER_TIMEOUT_MS = 120 * 1000 };

/* ---- loading */

int test_asker_open(struct test_asker *asker, const char *file) {
    const struct cli *cli = asker->cli;
    bool asks = !options_has(cli->options, "no-models");
    struct profile_options options = { .file = file,
                                       .n_threads = 1,
                                       .models_dir = asks ? options_text(cli->options, "models-dir") : NULL };
    int code = CLI_OK;
    if (asker->runner == TEST_FACTS)
        return dsl_policy_load(cli, file, &asker->source);
    if (asker->runner != TEST_NATIVE)
        return CLI_OK;
    code = profile_base(cli, file, &options.base);
    if (code != CLI_OK)
        return code;
    if (profile_load_with(&options, &asker->profile) < 0)
        return dsl_refuse_policy(cli, file, &asker->profile.diag, &asker->profile.err);
    if (asker->profile.models)
        profile_models_load(asker->profile.models, cli, asker->profile.snapshot);
    return CLI_OK;
}

void test_asker_done(struct test_asker *asker) {
    if (asker->profile.arena)
        profile_done(&asker->profile);
    if (asker->source.arena)
        config_source_done(&asker->source);
}

/* ---- names that are gathered one after the other */

struct names {
    struct arena *arena;
    vsr_str *items;
    size_t n, cap;
};

static void add_name(struct names *names, const char *family, vsr_str name) {
    names->items = arena_grow(names->arena, names->items, sizeof(vsr_str), names->n, &names->cap);
    names->items[names->n++] = arena_printf(names->arena, "%s:%.*s", family, VSR_FMT(name));
}

static void add_names(void *data, const char *family, const vsr_str *items, size_t n) {
    for (size_t i = 0; i < n; i++)
        add_name(data, family, items[i]);
}

static void join(struct arena *arena, vsr_str *text, vsr_str more) {
    *text = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(*text), text->len ? ", " : "", VSR_FMT(more));
}

struct missing {
    struct arena *arena;
    vsr_str text;
    const char *last;
};

static void add_missing(void *data, const char *family, vsr_str name, const char *code) {
    struct missing *missing = data;
    (void)name;
    (void)code;
    if (!missing->last || strcmp(missing->last, family) != 0)
        join(missing->arena, &missing->text, str_from_c(family));
    missing->last = family;
}

/* ---- the engine in this process */

static uint64_t now_ms(void *data) {
    (void)data;
    return clock_mono_ms();
}

static struct route_state *evaluate(const struct test_asker *asker, const struct snapshot_recipe *recipe,
                                    struct arena *arena, const struct request_facts *facts, struct vsr_err *err) {
    struct evidence_lane *lane = profile_models_lane(asker->profile.models, 0);
    bool asks = lane && recipe->evidence;
    const struct route_options options = { .full = true,
                                           .evidence = asks ? ROUTE_EVIDENCE_ANSWERS : ROUTE_EVIDENCE_NONE,
                                           .clock = { .now_ms = now_ms } };
    struct route_state *state = route_begin(recipe->route, recipe->scratch[0], arena, facts, &options);
    while (route_step(state, err) == ROUTE_NEEDS_EVIDENCE)
        evidence_run_wait_route(lane, recipe->evidence, state, arena);
    return state;
}

static int ask_engine(struct test_asker *asker, struct arena *arena, vsr_str recipe_name, vsr_str query,
                      struct test_answer *answer, struct vsr_err *err) {
    const struct snapshot *snapshot = asker->profile.snapshot;
    const struct snapshot_recipe *recipe =
        recipe_name.len ? snapshot_recipe(snapshot, recipe_name) : &snapshot->recipes[0];
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct names matched = { .arena = arena };
    struct missing missing = { .arena = arena };
    struct route_state *state;
    const struct route_outcome *outcome;
    int rc = json_parse(arena, chat_body_from_prompt(arena, VSR_STR(""), query), doc, err);
    if (rc == 0)
        rc = eval_read(snapshot, arena, doc, facts, err);
    if (rc < 0)
        return rc;
    if (!recipe)
        return err_set(err, VSR_E_NOT_FOUND, "there is no recipe \"%.*s\"", VSR_FMT(recipe_name));
    state = evaluate(asker, recipe, arena, facts, err);
    outcome = route_outcome(state);
    if (outcome->refusal)
        return err_set(err, VSR_E_REFUSED, "refused with 403: %s", outcome->refusal);
    route_matches(state, add_names, &matched);
    route_errors(state, add_missing, &missing);
    *answer = (struct test_answer){ .decision = outcome->decision ? outcome->decision->name : VSR_STR(""),
                                    .confidence = outcome->confidence,
                                    .matched = matched.items,
                                    .n_matched = matched.n,
                                    .missing = missing.text };
    for (size_t i = 0; i < outcome->n_matched_rules; i++)
        join(arena, &answer->because, outcome->matched_rules[i]);
    return 0;
}

/* ---- facts alone */

bool test_facts(const struct dsl_test_case *test, bool (*fn)(void *data, vsr_str type, vsr_str name), void *data) {
    bool fine = true;
    for (size_t i = 0; i < test->facts.n && fine; i++) {
        const struct dsl_field *field = &test->facts.items[i];
        const struct dsl_value *value = &field->value;
        if (field->overridden)
            continue;
        if (value->kind == DSL_STRING)
            fine = fn(data, field->key.text, value->text);
        else if (value->kind != DSL_ARRAY)
            return false;
        for (size_t k = 0; value->kind == DSL_ARRAY && k < value->n_items && fine; k++)
            fine = value->items[k].kind == DSL_STRING && fn(data, field->key.text, value->items[k].text);
    }
    return fine;
}

struct saying {
    struct facts *facts;
    struct names matched;
    struct vsr_err *err;
    int rc;
};

static bool say(void *data, vsr_str type, vsr_str name) {
    struct saying *saying = data;
    const struct fact fact = { .type = type, .name = name, .matched = true };
    saying->rc = facts_say(saying->facts, &fact, saying->err);
    add_name(&saying->matched, arena_c_str(saying->matched.arena, type), name);
    return saying->rc == 0;
}

static int ask_facts(struct test_asker *asker, struct arena *arena, vsr_str recipe, const struct dsl_test_case *test,
                     struct test_answer *answer, struct vsr_err *err) {
    const struct config_document *doc = asker->source.doc;
    const struct config_scope *scope = recipe.len ? config_scope(doc, recipe) : &doc->scopes[0];
    struct saying saying = { .matched = { .arena = arena }, .err = err };
    const struct rule_leaf *const *leaves;
    size_t n;
    int rc;
    if (!scope)
        return err_set(err, VSR_E_NOT_FOUND, "there is no recipe \"%.*s\"", VSR_FMT(recipe));
    rc = facts_build(arena, doc, scope, &saying.facts, err);
    if (rc < 0)
        return rc;
    if (!test_facts(test, say, &saying))
        return saying.rc < 0 ? saying.rc : err_set(err, VSR_E_INVALID, "facts are names of signals by their type");
    facts_decide(saying.facts);
    n = facts_because(saying.facts, &leaves);
    *answer = (struct test_answer){ .matched = saying.matched.items, .n_matched = saying.matched.n };
    if (saying.facts->verdict.winner) {
        answer->decision = saying.facts->verdict.winner->config->name;
        answer->confidence = saying.facts->verdict.confidence;
    }
    for (size_t i = 0; i < n; i++)
        join(arena, &answer->because, leaves[i]->text);
    return 0;
}

/* ---- a running router */

/* The model name that leads to a recipe; empty: none does. */
static vsr_str entry_of(const struct dsl_program *program, vsr_str recipe) {
    DSL_EACH(decl, program, DSL_ENTRYPOINT) {
        const struct dsl_field *target = dsl_field(&decl->fields, VSR_STR("recipe"));
        const struct dsl_field *names = dsl_field(&decl->fields, VSR_STR("model_names"));
        if (target && str_eq(target->value.text, recipe) && names && names->value.kind == DSL_ARRAY &&
            names->value.n_items > 0)
            return names->value.items[0].text;
    }
    return VSR_STR("");
}

static void read_matched(const struct json_doc *doc, json_ref signals, struct names *names) {
    json_ref value;
    size_t n_families;
    const struct signal_family *const *families = signal_families(&n_families);
    for (size_t i = 0; i <= n_families; i++) {
        const char *family = i < n_families ? families[i]->config.type : "projection";
        value = signals == JSON_NONE ? JSON_NONE : json_get(doc, signals, str_from_c(eval_response_key(family)));
        if (value == JSON_NONE || !json_is(doc, value, JSON_ARRAY))
            continue;
        for (json_ref item = json_first(doc, value); item != JSON_NONE; item = json_next(doc, value, item)) {
            vsr_str name;
            if (json_is(doc, item, JSON_STRING) && json_str(names->arena, doc, item, &name))
                add_name(names, family, name);
        }
    }
}

static int read_answer(struct arena *arena, vsr_str body, struct test_answer *answer, struct vsr_err *err) {
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    struct names matched = { .arena = arena };
    json_ref result, field;
    int rc = json_parse(arena, body, doc, err);
    if (rc < 0)
        return rc;
    *answer = (struct test_answer){ 0 };
    result = json_get(doc, 0, VSR_STR("decision_result"));
    if (result == JSON_NONE || !json_is(doc, result, JSON_OBJECT))
        return err_set(err, VSR_E_INVALID, "the router's answer has no decision_result");
    field = json_get(doc, result, VSR_STR("decision_name"));
    if (field != JSON_NONE && json_is(doc, field, JSON_STRING))
        (void)json_str(arena, doc, field, &answer->decision);
    field = json_get(doc, result, VSR_STR("confidence"));
    if (field != JSON_NONE)
        (void)json_double(doc, field, &answer->confidence);
    field = json_get(doc, result, VSR_STR("matched_rules"));
    for (json_ref item = field == JSON_NONE ? JSON_NONE : json_first(doc, field); item != JSON_NONE;
         item = json_next(doc, field, item)) {
        vsr_str rule;
        if (json_is(doc, item, JSON_STRING) && json_str(arena, doc, item, &rule))
            join(arena, &answer->because, rule);
    }
    read_matched(doc, json_get(doc, result, VSR_STR("matched_signals")), &matched);
    answer->matched = matched.items;
    answer->n_matched = matched.n;
    return 0;
}

static int ask_router(struct test_asker *asker, struct arena *arena, vsr_str recipe, vsr_str query,
                      struct test_answer *answer, struct vsr_err *err) {
    vsr_str model = recipe.len ? entry_of(asker->program, recipe) : VSR_STR("");
    const struct http_call call = { .url = asker->url,
                                    .method = VSR_STR("POST"),
                                    .path = VSR_STR("/api/v1/eval"),
                                    .body = chat_body_from_prompt(arena, model, query),
                                    .timeout_ms = ROUTER_TIMEOUT_MS,
                                    .token = asker->token };
    struct http_answer http;
    int rc;
    if (recipe.len && !model.len)
        return err_set(err, VSR_E_INVALID, "no ENTRYPOINT leads to the recipe \"%.*s\", so a router cannot be asked",
                       VSR_FMT(recipe));
    rc = http_call(arena, &call, &http, err);
    if (rc < 0)
        return rc;
    if (http.status != 200)
        return err_set(err, VSR_E_UNAVAILABLE, "the router answers %d: %.200s", http.status,
                       arena_c_str(arena, http.body));
    return read_answer(arena, http.body, answer, err);
}

int test_ask(struct test_asker *asker, struct arena *arena, vsr_str recipe, const struct dsl_test_case *test,
             struct test_answer *ret_answer, struct vsr_err *err) {
    switch (asker->runner) {
    case TEST_FACTS:
        return ask_facts(asker, arena, recipe, test, ret_answer, err);
    case TEST_ROUTER:
        return ask_router(asker, arena, recipe, test->query.text, ret_answer, err);
    case TEST_NATIVE:
        break;
    }
    return ask_engine(asker, arena, recipe, test->query.text, ret_answer, err);
}
