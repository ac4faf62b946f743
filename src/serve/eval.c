#include "serve/eval.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "evidence/run.h"
#include "route/route.h"

const char *eval_status_text(enum eval_status status) {
    static const char *const texts[] = {
        [EVAL_SELECTED] = "selected",
        [EVAL_PLANNED_FINAL] = "planned_final",
        [EVAL_EXECUTION_REQUIRED] = "execution_required",
        [EVAL_UNAVAILABLE] = "unavailable",
    };
    return texts[status];
}

const char *eval_response_key(const char *family) {
    static const char *const keys[][2] = { { "keyword", "keywords" },
                                           { "embedding", "embeddings" },
                                           { "domain", "domains" },
                                           { "preference", "preferences" } };
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        if (strcmp(family, keys[i][0]) == 0)
            return keys[i][1];
    return family;
}

/* ---- reading */

static struct facts_options facts_options(const struct snapshot *snapshot) {
    return (struct facts_options){
        .structured_bytes_per_token = snapshot->doc->global.router.context_estimate.structured_bytes_per_token,
        .model_optional = true,
    };
}

/* Everything but the text goes along: model, tools, metadata. */
static void copy_members(struct json_writer *w, const struct json_doc *doc) {
    json_ref value;
    for (json_ref key = json_first(doc, 0); key != JSON_NONE; key = json_next(doc, 0, value)) {
        vsr_str name = json_raw(doc, key);
        value = json_next(doc, 0, key);
        if (json_str_eq(doc, key, VSR_STR("text")) || json_str_eq(doc, key, VSR_STR("messages")))
            continue;
        json_write_key(w, str_sub(name, 1, name.len - 1)); /* a key with escapes is no member that anybody reads */
        json_write_raw(w, json_raw(doc, value));
    }
}

/* `{"text": ...}` stands for one message of the user. */
static vsr_str chat_of_text(struct arena *arena, const struct json_doc *doc, vsr_str text) {
    struct json_writer w;
    struct buf body;
    vsr_str copy = { 0 };
    buf_init(&body, 8 * doc->text.len + 256); /* a text that was unescaped may grow again */
    json_write_init(&w, &body);
    json_write_begin_object(&w);
    copy_members(&w, doc);
    json_write_key(&w, VSR_STR("messages"));
    json_write_begin_array(&w);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("role"));
    json_write_str(&w, VSR_STR("user"));
    json_write_key(&w, VSR_STR("content"));
    json_write_str(&w, text);
    json_write_end(&w);
    json_write_end(&w);
    json_write_end(&w);
    if (!buf_failed(&body))
        copy = arena_str(arena, buf_str(&body));
    buf_done(&body);
    return copy;
}

static int read_text(const struct snapshot *snapshot, struct arena *arena, const struct json_doc *doc, json_ref ref,
                     struct request_facts *ret_facts, struct vsr_err *err) {
    struct facts_options options = facts_options(snapshot);
    struct json_doc *chat = ARENA_NEW(arena, struct json_doc);
    vsr_str text, body;
    int rc;
    if (!json_is(doc, ref, JSON_STRING) || json_get(doc, 0, VSR_STR("messages")) != JSON_NONE)
        return err_set(err, VSR_E_INVALID, "expected either text, a string, or messages, a list");
    if (!json_str(arena, doc, ref, &text))
        return err_set(err, VSR_E_NOMEM, "out of memory");
    body = chat_of_text(arena, doc, text);
    if (!body.ptr)
        return err_set(err, VSR_E_NOMEM, "out of memory");
    rc = json_parse(arena, body, chat, err);
    return rc < 0 ? rc : facts_read_chat(arena, chat, &options, ret_facts, err);
}

int eval_read(const struct snapshot *snapshot, struct arena *arena, const struct json_doc *doc,
              struct request_facts *ret_facts, struct vsr_err *err) {
    struct facts_options options = facts_options(snapshot);
    json_ref text = json_get(doc, 0, VSR_STR("text"));
    if (text != JSON_NONE)
        return read_text(snapshot, arena, doc, text, ret_facts, err);
    return facts_read_chat(arena, doc, &options, ret_facts, err);
}

/* ---- running */

static uint64_t now_ms(void *data) {
    (void)data;
    return clock_mono_ms();
}

static void begin(struct eval *eval, size_t worker, const struct request_facts *facts) {
    const struct route_options options = {
        .full = true,
        .evidence = eval->wait.lane && eval->recipe->evidence ? ROUTE_EVIDENCE_ANSWERS : ROUTE_EVIDENCE_NONE,
        .clock = { .now_ms = now_ms },
        .now_ns = clock_mono_ns,
    };
    eval->state = route_begin(eval->recipe->route, eval->recipe->scratch[worker], eval->wait.arena, facts, &options);
}

static void on_evidence(void *data) {
    struct eval *eval = data;
    eval->wait.run = NULL;
    eval->wait.done(eval->wait.owner);
}

/* 0, or EVAL_WAITS. */
static int step(struct eval *eval, struct vsr_err *err) {
    const struct eval_wait *wait = &eval->wait;
    while (route_step(eval->state, err) == ROUTE_NEEDS_EVIDENCE) {
        if (!wait->done) {
            evidence_run_wait_route(wait->lane, eval->recipe->evidence, eval->state, wait->arena);
            continue;
        }
        eval->wait.run =
            evidence_run_route(wait->lane, eval->recipe->evidence, eval->state, wait->arena, on_evidence, eval);
        if (wait->run)
            return EVAL_WAITS;
    }
    return 0;
}

static const struct config_model_ref *find_ref(const struct config_decision *decision, vsr_str model) {
    CONFIG_EACH(const struct config_model_ref, ref, &decision->model_refs)
    if (model.len && (str_eq(config_ref_name(ref), model) || str_eq(ref->model, model)))
        return ref;
    return NULL;
}

static void select_ref(struct eval *eval, const struct config_model_ref *ref, enum eval_status status) {
    eval->ref = ref;
    eval->model = ref ? config_ref_name(ref) : VSR_STR("");
    eval->status = status;
}

/* A model outside the decision's own may write the answer: then only running it names one of them. */
static void plan_looper(struct eval *eval, const struct config_algorithm *algorithm) {
    const struct config_kind *kind = algorithm->info;
    vsr_str final = kind->final_model ? kind->final_model(algorithm->block, eval->decision) : VSR_STR("");
    const struct config_model_ref *ref = find_ref(eval->decision, final);
    select_ref(eval, ref, ref ? EVAL_PLANNED_FINAL : EVAL_EXECUTION_REQUIRED);
}

static void select_of_decision(struct eval *eval) {
    const struct config_algorithm *algorithm = eval->decision->algorithm;
    const struct config_list *refs = &eval->decision->model_refs;
    eval->method = config_decision_algorithm(eval->decision);
    if (algorithm && algorithm->info && algorithm->info->looper) {
        plan_looper(eval, algorithm);
    } else if (refs->n == 1) {
        eval->method = VSR_STR("single");
        select_ref(eval, refs->items, EVAL_SELECTED);
    } else if (!algorithm || !algorithm->info || algorithm->info->ready) {
        select_ref(eval, refs->items, EVAL_SELECTED); /* static: the first */
    } else {
        select_ref(eval, NULL, EVAL_EXECUTION_REQUIRED);
    }
}

static void select_model(struct eval *eval) {
    if (eval->decision && eval->decision->model_refs.n > 0) {
        select_of_decision(eval);
        return;
    }
    eval->method = VSR_STR("default");
    eval->model = eval->snapshot->doc->providers.defaults.default_model;
    eval->status = eval->model.len ? EVAL_SELECTED : EVAL_UNAVAILABLE;
}

static int resolve(struct eval *eval, struct arena *arena, struct vsr_err *err) {
    const struct snapshot *snapshot = eval->snapshot;
    if (eval->requested_model.len == 0) {
        eval->recipe = &snapshot->recipes[0];
        return 0;
    }
    eval->name = snapshot_resolve(snapshot, eval->requested_model);
    if (!eval->name)
        return err_set(err, VSR_E_NOT_FOUND, "model \"%.*s\" is not available%.*s", VSR_FMT(eval->requested_model),
                       VSR_FMT(snapshot_suggest(snapshot, arena, eval->requested_model, false)));
    eval->recipe = eval->name->recipe;
    return 0;
}

int eval_go_on(struct eval *eval, struct vsr_err *err) {
    int rc = eval->state ? step(eval, err) : 0;
    if (rc == EVAL_WAITS)
        return rc;
    if (eval->state) {
        eval->outcome = route_outcome(eval->state);
        eval->decision = eval->outcome->decision;
        if (eval->outcome->refusal)
            return err_set(err, VSR_E_REFUSED, "%s", eval->outcome->refusal);
    }
    select_model(eval);
    return 0;
}

int eval_start(const struct eval_options *options, const struct request_facts *facts, struct eval *ret_eval,
               struct vsr_err *err) {
    struct eval *eval = ret_eval;
    int rc;
    *eval = (struct eval){
        .snapshot = options->snapshot,
        .requested_model = facts->model,
        .wait = { .lane = options->lane, .arena = options->arena, .done = options->done, .owner = options->owner },
    };
    rc = resolve(eval, options->arena, err);
    if (rc < 0)
        return rc;
    if (!eval->recipe) {
        eval->model = eval->name->name;
        eval->method = VSR_STR("passthrough");
        return 0;
    }
    /* Without anything to judge by the gateway evaluates nothing either. */
    if (facts->eval_text.len > 0 || facts_has_envelope(facts) || route_refusal(eval->recipe->route, facts))
        begin(eval, options->worker, facts);
    return eval_go_on(eval, err);
}

int eval_run(const struct eval_options *options, const struct request_facts *facts, struct eval *ret_eval,
             struct vsr_err *err) {
    struct eval_options waiting = *options;
    waiting.done = NULL;
    return eval_start(&waiting, facts, ret_eval, err);
}

void eval_cancel(struct eval *eval) {
    evidence_run_cancel(eval->wait.run);
    eval->wait.run = NULL;
}

/* ---- the document */

static void write_key(struct json_writer *w, const char *key) {
    json_write_key(w, str_from_c(key));
}

static void write_text(struct json_writer *w, const char *key, vsr_str text) {
    write_key(w, key);
    if (text.len)
        json_write_str(w, text);
    else
        json_write_null(w);
}

static void write_names(void *data, const char *family, const vsr_str *names, size_t n_names) {
    struct json_writer *w = data;
    write_key(w, eval_response_key(family));
    json_write_begin_array(w);
    for (size_t i = 0; i < n_names; i++)
        json_write_str(w, names[i]);
    json_write_end(w);
}

static void write_signals(struct json_writer *w, const struct route_state *state) {
    write_key(w, "matched_signals");
    json_write_begin_object(w);
    route_matches(state, write_names, w);
    json_write_end(w);
    write_key(w, "used_signals");
    json_write_begin_object(w);
    route_used(state, false, write_names, w);
    json_write_end(w);
    write_key(w, "unmatched_signals");
    json_write_begin_object(w);
    route_used(state, true, write_names, w);
    json_write_end(w);
}

static void write_decision_result(struct json_writer *w, const struct eval *eval) {
    const struct config_decision *decision = eval->decision;
    write_key(w, "decision_result");
    json_write_begin_object(w);
    write_text(w, "decision_name", decision ? decision->name : VSR_STR(""));
    write_key(w, "confidence");
    json_write_double(w, eval->outcome->confidence);
    write_text(w, "algorithm", decision ? config_decision_algorithm(decision) : VSR_STR(""));
    write_key(w, "plugins");
    json_write_begin_array(w);
    if (decision)
        CONFIG_EACH(const struct config_plugin, plugin, &decision->plugins)
    json_write_str(w, plugin->type);
    json_write_end(w);
    write_key(w, "matched_rules");
    json_write_begin_array(w);
    for (size_t i = 0; i < eval->outcome->n_matched_rules; i++)
        json_write_str(w, eval->outcome->matched_rules[i]);
    json_write_end(w);
    write_signals(w, eval->state);
    json_write_end(w);
}

static void write_selection(struct json_writer *w, const struct eval *eval) {
    write_key(w, "recommended_models");
    json_write_begin_array(w);
    if (eval->decision)
        CONFIG_EACH(const struct config_model_ref, ref, &eval->decision->model_refs)
    json_write_str(w, config_ref_name(ref));
    json_write_end(w);
    write_text(w, "selected_model", eval->model);
    write_text(w, "selection_status", str_from_c(eval_status_text(eval->status)));
    write_text(w, "selection_method", eval->method);
    write_key(w, "reasoning");
    json_write_bool(w, eval->ref && eval->ref->use_reasoning);
    write_text(w, "reasoning_effort", eval->ref ? eval->ref->reasoning_effort : VSR_STR(""));
}

static void write_time(void *data, const char *family, double ms, double confidence) {
    struct json_writer *w = data;
    write_key(w, eval_response_key(family));
    json_write_begin_object(w);
    write_key(w, "execution_time_ms");
    json_write_double(w, ms);
    write_key(w, "confidence");
    json_write_double(w, confidence);
    json_write_end(w);
}

void eval_members(const struct eval *eval, bool trace, struct json_writer *w) {
    write_text(w, "requested_model", eval->requested_model);
    write_text(w, "recipe", eval->recipe ? eval->recipe->scope->name : VSR_STR(""));
    write_text(w, "routing_decision", eval->decision ? eval->decision->name : VSR_STR(""));
    write_selection(w, eval);
    write_key(w, "generation");
    json_write_u64(w, eval->snapshot->generation);
    if (!eval->outcome)
        return;
    write_text(w, "category", eval->outcome->category);
    write_key(w, "token_count");
    json_write_u64(w, eval->outcome->token_count);
    write_decision_result(w, eval);
    route_trace_results(eval->state, w);
    write_key(w, "metrics");
    json_write_begin_object(w);
    route_times(eval->state, write_time, w);
    json_write_end(w);
    if (!trace)
        return;
    write_key(w, "eval_trace");
    route_trace_decisions(eval->state, w);
}
