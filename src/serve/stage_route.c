/*
 * stage_route - from the model name to one logical model: resolve, evaluate the policy, select.
 */
#include "core/arena.h"
#include "core/clock.h"
#include "evidence/evidence.h"
#include "evidence/run.h"
#include "serve/signal_metrics.h"
#include "serve/stages.h"
#include "serve/worker.h"

/* Why the name of a recipe is of no use to this request, and what is. */
static const char *why_not_routed(const struct request *request) {
    switch (request->endpoint) {
    case ENDPOINT_EMBEDDINGS:
        return "it routes conversations; name a model that makes embeddings, such as builtin/embedding";
    case ENDPOINT_IMAGES:
        return "it routes conversations; name a model that makes pictures";
    default:
        return "it is routed, and x-vsr-skip-processing asks for no routing; name a model";
    }
}

/* gateway.md 3. A skipped request, and one that is no chat, may only name a concrete model. */
enum stage_result stage_resolve(struct request *request) {
    request->name = snapshot_resolve(request->snapshot, request->facts.model);
    if (request->name && !((request->skip || !request->as_chat) && request->name->recipe))
        return STAGE_NEXT;
    if (request->name)
        request_model_unfit(request, request->facts.model, why_not_routed(request));
    else
        request_model_unknown(request, request->facts.model);
    request->reply.param = VSR_STR("model");
    return STAGE_FAIL;
}

static void count_unknown(const struct snapshot_recipe *recipe, const struct route_outcome *outcome) {
    for (size_t i = 0; i < outcome->n_unknown; i++)
        metric_inc(snapshot_decision(recipe, outcome->unknown[i]->name)->metrics.unknown);
}

/* signals.md 5.7: a policy about callers decides nothing for a caller that nobody vouches for. */
static enum stage_result refuse(struct request *request, const char *refusal) {
    request_error(request, 403, TELEMETRY_REASON_forbidden, "identity_required", str_from_c(refusal));
    return STAGE_FAIL;
}

static uint64_t now_ms(void *data) {
    (void)data;
    return clock_mono_ms();
}

/* What was asked is answered, or its time is over. */
static void on_evidence(void *data) {
    struct request *request = data;
    request->evidence = NULL;
    pipeline_resume(request);
}

static void begin_evaluation(struct request *request) {
    const struct snapshot_recipe *recipe = request->name->recipe;
    const struct route_options options = {
        .full = request->debug,
        .evidence = recipe->evidence ? ROUTE_EVIDENCE_ANSWERS : ROUTE_EVIDENCE_NONE,
        .clock = { .now_ms = now_ms },
        .now_ns = clock_mono_ns,
        .bytes_per_token = token_estimate_ratio(request->worker->token_estimate),
    };
    request->evaluation_ns = clock_mono_ns();
    request->route =
        route_begin(recipe->route, recipe->scratch[request->worker->index], request->arena, &request->facts, &options);
}

/* False: it waits for models, and goes on when they have answered. */
static bool evaluate(struct request *request) {
    struct vsr_err err = VSR_ERR_NONE;
    while (route_step(request->route, &err) == ROUTE_NEEDS_EVIDENCE) {
        request->evidence = evidence_run_route(request->worker->lane, request->name->recipe->evidence, request->route,
                                               request->arena, on_evidence, request);
        if (request->evidence)
            return false;
    }
    return true;
}

static void record_evaluation(struct request *request) {
    const struct telemetry *telemetry = request->worker->telemetry;
    const struct snapshot_recipe *recipe = request->name->recipe;
    metric_observe(telemetry->evaluation_seconds, (double)(clock_mono_ns() - request->evaluation_ns) / 1e9);
    metric_inc(telemetry->evaluations);
    signal_metrics_record(recipe->signal_metrics, request->route);
    count_unknown(recipe, request->outcome);
}

enum stage_result stage_signals(struct request *request) {
    const struct snapshot_recipe *recipe = request->name->recipe;
    const char *refusal;
    if (!recipe)
        return STAGE_NEXT;
    if (request->evidence)
        return STAGE_WAIT;
    if (!request->route) {
        refusal = route_refusal(recipe->route, &request->facts);
        if (refusal)
            return refuse(request, refusal);
        if (request->facts.eval_text.len == 0 && !facts_has_envelope(&request->facts))
            return STAGE_NEXT; /* nothing to judge by: the default model */
        begin_evaluation(request);
    }
    if (!evaluate(request))
        return STAGE_WAIT;
    request->outcome = route_outcome(request->route);
    if (request->outcome->decision)
        request->decision = snapshot_decision(recipe, request->outcome->decision->name);
    record_evaluation(request);
    return STAGE_NEXT;
}

/* decisions.md 4.2: one candidate is `single`, several are `static`: the first. */
static void select_of_decision(struct request *request) {
    const struct config_list *refs = &request->decision->config->model_refs;
    if (refs->n == 0)
        return;
    request->model_ref = (const struct config_model_ref *)refs->items;
    request->selected_model = config_ref_name(request->model_ref);
    request->reasoning = request->model_ref->use_reasoning;
    request->algorithm = refs->n == 1 ? "single" : "static";
}

static enum stage_result no_model(struct request *request) {
    request_error(request, 400, TELEMETRY_REASON_no_model_selected, NULL,
                  VSR_STR("unable to route request: no model selected and no default model configured"));
    return STAGE_FAIL;
}

static enum stage_result no_backend(struct request *request) {
    request_error(request, 503, TELEMETRY_REASON_no_backend, "no_backend",
                  arena_printf(request->arena, "model \"%.*s\" has no backend to call",
                               VSR_FMT(request->selected_model)));
    return STAGE_FAIL;
}

static void count_modification(const struct request *request) {
    struct metric *metric = map_get(&request->name->modifications, request->target.model->name);
    if (metric)
        metric_inc(metric);
}

enum stage_result stage_select(struct request *request) {
    if (!request->name->recipe)
        request->selected_model = request->name->name;
    else if (request->decision)
        select_of_decision(request);
    if (request->selected_model.len == 0) {
        request->selected_model = request->snapshot->doc->providers.defaults.default_model;
        request->algorithm = "default";
    }
    if (request->selected_model.len == 0)
        return no_model(request);
    if (!provider_set_find(request->snapshot->providers, request->selected_model, &request->target))
        return no_backend(request);
    request->model = snapshot_model(request->snapshot, request->target.model->name);
    if (request->target.model->n_endpoints == 0)
        return no_backend(request);
    count_modification(request);
    request->routed_ns = clock_mono_ns();
    metric_observe(request->worker->telemetry->routing_seconds,
                   (double)(request->routed_ns - request->received_ns) / 1e9);
    return STAGE_NEXT;
}
