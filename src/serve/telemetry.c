#include "serve/telemetry.h"

#include "core/mem.h"
#include "wire/token_estimate.h"

enum {
    SERIES_MODELS_MAX = 4096,
    SERIES_PAIRS_MAX = 8192,
    SERIES_CODES_MAX = 64,
    SERIES_SIGNALS_MAX = 8192,
    SERIES_TRANSLATION_MAX = 1024, /* three protocols each way, and the reasons that are words of ours */
};

/* From far below a millisecond, where routing lives, to the five minutes that a long answer may take. */
static const double seconds_bounds[] = { .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1,
                                         .25,    .5,    1,      2.5,   5,    10,    30,   60,  120,  300 };
static const double signal_bounds[] = { .00005, .0001, .00025, .0005, .001, .0025, .005, .01,
                                        .025,   .05,   .1,     .25,   .5,   1,     2.5 };
static const double token_bounds[] = { 10, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000 };
static const double unit_bounds[] = { .1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .99, 1 };

static const double percent_bounds[] = { -50, -30, -20, -10, -5, 0, 5, 10, 20, 30, 50 };

static const char *const label_model[] = { "model" };
static const char *const label_model_reason[] = { "model", "reason" };
static const char *const label_model_currency[] = { "model", "currency" };
static const char *const label_decision[] = { "decision_name" };
static const char *const label_code[] = { "code" };
static const char *const label_result[] = { "result" };
static const char *const label_backend_status[] = { "backend", "status" };
static const double image_bounds[] = { 1, 2, 5, 10, 20, 30, 60, 120 };
static const char *const label_priority[] = { "priority" };
static const char *const label_rule_kind[] = { "rule", "kind" };
static const char *const label_provider[] = { "provider" };
static const char *const label_source_target[] = { "source_model", "target_model" };
static const char *const label_signal[] = { "signal_type", "signal_name" };
static const char *const label_signal_type[] = { "signal_type" };
static const char *const label_signal_code[] = { "signal_type", "code" };
static const char *const label_signal_reason[] = { "signal_type", "reason" };
static const char *const label_failover[] = { "from", "to", "reason" };
static const char *const label_hedge[] = { "model", "outcome" };
static const char *const label_translation[] = { "inbound", "outbound", "severity", "reason" };
static const char *const label_version[] = { "version" };
static const char *const label_category[] = { "category" };
static const char *const label_phase[] = { "phase" };
static const char *const label_status[] = { "status" };
static const char *const label_cause[] = { "cause" };

static const char *const reason_names[] = {
#define X(name) #name,
    TELEMETRY_REASONS(X)
#undef X
};

static struct metric *plain_counter(struct metrics *m, const char *name, const char *help) {
    return metric_with(metrics_counter(m, name, help, NULL, 0, 1), NULL, 0);
}

static struct metric *plain_gauge(struct metrics *m, const char *name, const char *help) {
    return metric_with(metrics_gauge(m, name, help, NULL, 0, 1), NULL, 0);
}

static struct metric *plain_seconds(struct metrics *m, const char *name, const char *help) {
    return metric_with(metrics_histogram(m, name, help, NULL, 0, 1, seconds_bounds, VSR_COUNT(seconds_bounds)), NULL,
                       0);
}

static void register_process(struct telemetry *t) {
    struct metrics *m = t->metrics;
    struct metric_family *reloads, *build;
    t->requests_active = plain_gauge(m, "vsr_requests_active", "Requests under way.");
    t->request_seconds =
        plain_seconds(m, "vsr_request_duration_seconds", "From request head to the end of the answer.");
    t->routing_seconds =
        plain_seconds(m, "llm_model_routing_latency_seconds", "From complete request to dispatch: what routing adds.");
    t->evaluation_seconds =
        plain_seconds(m, "llm_decision_evaluation_latency_seconds", "Signals, projections and decisions.");
    t->evaluations = plain_counter(m, "llm_decision_evaluation_total", "Evaluations of the decision list.");
    t->usage_missing = plain_counter(m, "vsr_usage_missing_total", "Answers without readable token usage.");
    t->generation = plain_gauge(m, "vsr_config_generation", "Generation of the configuration that serves.");
    t->ready = plain_gauge(m, "vsr_ready", "1 while new requests are accepted.");
    t->connections = plain_gauge(m, "vsr_client_connections", "Open client connections.");
    t->upstream_connections = plain_gauge(m, "vsr_upstream_connections", "Open connections to backends.");
    t->rejected =
        plain_counter(m, "vsr_client_rejected_total", "Connections and requests refused by a limit or for bad HTTP.");
    t->bytes_in = plain_counter(m, "vsr_client_received_bytes_total", "Bytes received from clients.");
    t->bytes_out = plain_counter(m, "vsr_client_sent_bytes_total", "Bytes sent to clients.");
    t->snapshots = plain_gauge(m, "vsr_config_snapshots",
                               "Generations in memory: the one that serves, and those that requests still hold.");
    t->reload_success = plain_gauge(m, "vsr_config_last_reload_success",
                                    "1 while the configuration that serves is the last one that was asked for.");
    t->reload_success_s = plain_gauge(m, "vsr_config_last_reload_success_timestamp_seconds",
                                      "When that was last so, in seconds since 1970.");
    reloads = metrics_counter(m, "vsr_config_reloads_total", "Configuration reloads.", label_result, 1, 3);
    t->reloads_ok = metric_with(reloads, &VSR_STR("ok"), 1);
    t->reloads_unchanged = metric_with(reloads, &VSR_STR("unchanged"), 1);
    t->reloads_failed = metric_with(reloads, &VSR_STR("failed"), 1);
    build = metrics_gauge(m, "vsr_build_info", "Always 1; the version is a label.", label_version, 1, 1);
    metric_add(metric_with(build, &VSR_STR(VSR_VERSION), 1), 1);
}

static void register_tls(struct telemetry *t) {
    static const vsr_str causes[TELEMETRY_TLS_COUNT] = {
        [TELEMETRY_TLS_REFUSED] = VSR_STR_INIT("refused"),
        [TELEMETRY_TLS_CLOSED] = VSR_STR_INIT("closed"),
        [TELEMETRY_TLS_TIMEOUT] = VSR_STR_INIT("timeout"),
    };
    struct metric_family *failures =
        metrics_counter(t->metrics, "vsr_tls_handshake_failures_total",
                        "Connections to TLS listeners that ended before they could ask anything.", label_cause, 1,
                        TELEMETRY_TLS_COUNT);
    for (int i = 0; i < TELEMETRY_TLS_COUNT; i++)
        t->tls_failures[i] = metric_with(failures, &causes[i], 1);
}

static void register_http2(struct telemetry *t) {
    struct metrics *m = t->metrics;
    struct metric_family *goaways =
        metrics_counter(m, "vsr_http2_goaway_total", "HTTP/2 connections ended because their clients misbehaved.",
                        label_cause, 1, HTTP2_CAUSE_COUNT);
    t->http2_connections = plain_counter(m, "vsr_http2_connections_total", "Connections of clients that spoke HTTP/2.");
    for (int i = 0; i < HTTP2_CAUSE_COUNT; i++) {
        vsr_str cause = str_from_c(http2_cause_name((enum http2_cause)i));
        t->http2_goaways[i] = metric_with(goaways, &cause, 1);
    }
}

static void register_tokens(struct telemetry *t) {
    t->token_errors =
        metrics_histogram(t->metrics, "vsr_token_estimation_error_pct",
                          "Estimated prompt tokens against those that backends report: how many percent too many.",
                          label_category, 1, TOKEN_ESTIMATE_CATEGORIES_MAX + 1, percent_bounds,
                          VSR_COUNT(percent_bounds));
    t->token_errors_all = metric_with(t->token_errors, &VSR_STR(TOKEN_ESTIMATE_DEFAULT), 1);
}

static void register_signals(struct telemetry *t) {
    struct metrics *m = t->metrics;
    t->signals = metrics_counter(m, "llm_signal_extraction_total", "Signals that were looked at, by rule.",
                                 label_signal, 2, SERIES_SIGNALS_MAX);
    t->signal_matches = metrics_counter(m, "llm_signal_match_total", "Signals that matched, by rule.", label_signal, 2,
                                        SERIES_SIGNALS_MAX);
    t->signal_errors = metrics_counter(m, "llm_signal_errors_total", "Signals that could not be evaluated.",
                                       label_signal_code, 2, SERIES_CODES_MAX * 4);
    t->failovers = metrics_counter(m, "llm_model_failover_total",
                                   "Requests that another model took over, which was not the decision's first choice.",
                                   label_failover, 3, SERIES_PAIRS_MAX);
    t->hedges = metrics_counter(m, "vsr_hedges_total", "Second attempts beside a slow first one, by how they ended.",
                                label_hedge, 2, SERIES_PAIRS_MAX);
    t->translation_lossy = metrics_counter(m, "llm_translation_lossy_total",
                                           "What translations between the client's and the backend's protocol lost.",
                                           label_translation, 4, SERIES_TRANSLATION_MAX);
    t->signals_skipped =
        metrics_counter(m, "llm_signal_skipped_total",
                        "Families that were not looked at: the decision was certain, or none needs them.",
                        label_signal_reason, 2, SERIES_CODES_MAX * 4);
    t->signal_seconds =
        metrics_histogram(m, "llm_signal_extraction_latency_seconds", "What a family of signals took.",
                          label_signal_type, 1, SERIES_CODES_MAX, signal_bounds, VSR_COUNT(signal_bounds));
}

static void register_extproc(struct telemetry *t) {
    struct metrics *m = t->metrics;
    t->extproc_streams = plain_gauge(m, "vsr_extproc_streams", "Exchanges of Envoy's under way.");
    t->extproc_messages = metrics_counter(m, "vsr_extproc_messages_total", "Messages of Envoy's, by phase.",
                                          label_phase, 1, SERIES_CODES_MAX);
    t->extproc_seconds = metrics_histogram(m, "vsr_extproc_seconds", "From a message of Envoy's to its answer.",
                                           label_phase, 1, SERIES_CODES_MAX, signal_bounds, VSR_COUNT(signal_bounds));
}

struct telemetry *telemetry_new(void) {
    struct telemetry *t = MEM_NEW(struct telemetry);
    struct metrics *m = metrics_new();
    t->metrics = m;
    register_process(t);
    register_tls(t);
    register_http2(t);
    register_tokens(t);
    t->responses =
        metrics_counter(m, "vsr_http_responses_total", "Answers by status code.", label_code, 1, SERIES_CODES_MAX);
    t->admission_active =
        plain_gauge(m, "vsr_admission_active", "Requests that hold a place, where places are limited.");
    t->admission_queued = plain_gauge(m, "vsr_admission_queued", "Requests that wait for a place.");
    t->admission_shed = metrics_counter(m, "vsr_admission_shed_total", "Requests turned away under overload.",
                                        label_priority, 1, SERIES_CODES_MAX);
    t->image_requests = metrics_counter(m, "image_gen_requests_total", "Pictures that were asked for.",
                                        label_backend_status, 2, SERIES_CODES_MAX);
    t->image_seconds =
        metrics_histogram(m, "image_gen_latency_seconds", "What making a picture took.", label_backend_status, 1,
                          SERIES_CODES_MAX, image_bounds, VSR_COUNT(image_bounds));
    t->rate_limited = metrics_counter(m, "vsr_rate_limited_total", "Requests refused by a rate limit or budget.",
                                      label_rule_kind, 2, SERIES_MODELS_MAX);
    t->limit_errors =
        metrics_counter(m, "vsr_limit_errors_total", "Times that a provider of limits could not be asked.",
                        label_provider, 1, SERIES_CODES_MAX);
    t->errors = metrics_counter(m, "llm_request_errors_total", "Requests that failed, by reason.", label_model_reason,
                                2, SERIES_PAIRS_MAX);
    t->modifications =
        metrics_counter(m, "llm_model_routing_modifications_total", "Requests whose model routing changed.",
                        label_source_target, 2, SERIES_PAIRS_MAX);
    t->background_running = plain_gauge(m, "vsr_background_responses", "Responses that run in the background.");
    t->background_ended =
        metrics_counter(m, "vsr_background_responses_total", "Responses that ran in the background, by how they ended.",
                        label_status, 1, SERIES_CODES_MAX);
    register_signals(t);
    register_extproc(t);
    return t;
}

void telemetry_free(struct telemetry *telemetry) {
    if (!telemetry)
        return;
    metrics_free(telemetry->metrics);
    mem_free(telemetry);
}

static struct metric *model_counter(struct metrics *m, vsr_str model, const char *name, const char *help) {
    return metric_with(metrics_counter(m, name, help, label_model, 1, SERIES_MODELS_MAX), &model, 1);
}

static struct metric *model_histogram(struct metrics *m, vsr_str model, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds) {
    return metric_with(metrics_histogram(m, name, help, label_model, 1, SERIES_MODELS_MAX, bounds, n_bounds), &model,
                       1);
}

static struct metric *cost_counter(struct metrics *m, vsr_str model, vsr_str currency, const char *name,
                                   const char *help) {
    return metric_with(metrics_counter(m, name, help, label_model_currency, 2, SERIES_MODELS_MAX),
                       (vsr_str[]){ model, currency }, 2);
}

static struct metric *model_seconds(struct metrics *m, vsr_str model, const char *name, const char *help) {
    return model_histogram(m, model, name, help, seconds_bounds, VSR_COUNT(seconds_bounds));
}

void telemetry_model_errors(struct telemetry *t, vsr_str model, struct metric *ret_errors[TELEMETRY_REASON_COUNT]) {
    for (size_t i = 0; i < TELEMETRY_REASON_COUNT; i++)
        ret_errors[i] = metric_with(t->errors, (vsr_str[]){ model, str_from_c(reason_names[i]) }, 2);
}

void telemetry_model(struct telemetry *t, vsr_str model, vsr_str currency, struct model_metrics *ret) {
    struct metrics *m = t->metrics;
    *ret = (struct model_metrics){
        .requests = model_counter(m, model, "llm_model_requests_total", "Requests sent to a model."),
        .tokens = model_counter(m, model, "llm_model_tokens_total", "Prompt and completion tokens, as reported."),
        .prompt_tokens = model_counter(m, model, "llm_model_prompt_tokens_total", "Prompt tokens, as reported."),
        .completion_tokens =
            model_counter(m, model, "llm_model_completion_tokens_total", "Completion tokens, as reported."),
        .retries = model_counter(m, model, "vsr_upstream_retries_total", "Second and later attempts."),
        .inflight = metric_with(metrics_gauge(m, "llm_model_inflight_requests", "Requests under way.", label_model, 1,
                                              SERIES_MODELS_MAX),
                                &model, 1),
        .prompt_per_request = model_histogram(m, model, "llm_prompt_tokens_per_request", "Prompt tokens of a request.",
                                              token_bounds, VSR_COUNT(token_bounds)),
        .completion_per_request =
            model_histogram(m, model, "llm_completion_tokens_per_request", "Completion tokens of a request.",
                            token_bounds, VSR_COUNT(token_bounds)),
        .ttft_seconds =
            model_seconds(m, model, "llm_model_ttft_seconds", "From dispatch to the first byte of the answer."),
        .tpot_seconds = model_seconds(m, model, "llm_model_tpot_seconds", "Time per completion token after the first."),
        .completion_seconds =
            model_seconds(m, model, "llm_model_completion_latency_seconds", "From dispatch to the end of the answer."),
    };
    telemetry_model_errors(t, model, ret->errors);
    if (currency.len == 0)
        return;
    ret->cost = cost_counter(m, model, currency, "llm_model_cost_total", "What answers cost.");
    ret->compared_cost = cost_counter(m, model, currency, "vsr_savings_actual_cost_total",
                                      "What those answers cost that could be compared with a baseline.");
    ret->baseline_cost = cost_counter(m, model, currency, "vsr_savings_baseline_cost_total",
                                      "What the same tokens would have cost from the baseline.");
}

void telemetry_decision(struct telemetry *t, vsr_str decision, struct decision_metrics *ret) {
    struct metrics *m = t->metrics;
    ret->matches = metric_with(metrics_counter(m, "llm_decision_match_total", "Requests that a decision routed.",
                                               label_decision, 1, SERIES_MODELS_MAX),
                               &decision, 1);
    ret->unknown = metric_with(metrics_counter(m, "vsr_decision_unknown_total",
                                               "Requests that left a decision neither matched nor unmatched.",
                                               label_decision, 1, SERIES_MODELS_MAX),
                               &decision, 1);
    ret->confidence =
        metric_with(metrics_histogram(m, "llm_decision_confidence", "Confidence of the decision that won.",
                                      label_decision, 1, SERIES_MODELS_MAX, unit_bounds, VSR_COUNT(unit_bounds)),
                    &decision, 1);
}
