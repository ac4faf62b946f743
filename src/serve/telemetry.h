/*
 * telemetry - the data plane's metrics (operations.md §1), resolved once so that the request path only adds.
 *
 * One per process. Series of a model or decision are looked up when a snapshot is built and kept beside it; they
 * outlive it, so counters go on over reloads. Any thread.
 */
#ifndef VSR_SERVE_TELEMETRY_H
#define VSR_SERVE_TELEMETRY_H

#include "core/metrics.h"
#include "core/str.h"
#include "net/http2_guard.h"

struct telemetry;

/* vsr_tls_handshake_failures_total causes. */
enum telemetry_tls { TELEMETRY_TLS_REFUSED, TELEMETRY_TLS_CLOSED, TELEMETRY_TLS_TIMEOUT, TELEMETRY_TLS_COUNT };

/* llm_request_errors_total reasons; the label is the lower-case name. */
#define TELEMETRY_REASONS(X) \
    X(parse_error) \
    X(model_not_found) \
    X(no_model_selected) \
    X(no_backend) \
    X(upstream_4xx) \
    X(upstream_5xx) \
    X(upstream_connect) \
    X(upstream_reset) \
    X(upstream_garbage) \
    X(timeout) \
    X(stream_aborted) \
    X(cancellation) \
    X(unauthorized) \
    X(forbidden) \
    X(translation) \
    X(overloaded) \
    X(rate_limited)

enum telemetry_reason {
#define X(name) TELEMETRY_REASON_##name,
    TELEMETRY_REASONS(X)
#undef X
        TELEMETRY_REASON_COUNT,
};

struct model_metrics {
    struct metric *requests, *tokens, *prompt_tokens, *completion_tokens;
    struct metric *prompt_per_request, *completion_per_request;
    struct metric *ttft_seconds, *tpot_seconds, *completion_seconds;
    struct metric *cost;                          /* NULL without pricing, as are the next */
    struct metric *compared_cost, *baseline_cost; /* of answers that have a baseline */
    struct metric *retries, *inflight;
    struct metric *errors[TELEMETRY_REASON_COUNT];
};

struct decision_metrics {
    struct metric *matches, *unknown, *confidence;
};

struct telemetry {
    struct metrics *metrics;
    struct metric *routing_seconds, *evaluation_seconds, *evaluations;
    struct metric *requests_active, *request_seconds;
    struct metric *usage_missing;
    struct metric_family *token_errors; /* by category */
    struct metric *token_errors_all;    /* its series of all answers */
    struct metric *reloads_ok, *reloads_unchanged, *reloads_failed, *reload_success, *reload_success_s;
    struct metric *generation, *snapshots, *ready;
    struct metric *connections, *upstream_connections;
    struct metric *rejected, *bytes_in, *bytes_out;   /* of client connections */
    struct metric *tls_failures[TELEMETRY_TLS_COUNT]; /* vsr_tls_handshake_failures_total{cause} */
    struct metric *http2_connections;
    struct metric *http2_goaways[HTTP2_CAUSE_COUNT]; /* vsr_http2_goaway_total{cause} */
    struct metric_family *responses;                 /* vsr_http_responses_total{code} */
    struct metric_family *errors;                    /* llm_request_errors_total{model,reason} */
    struct metric_family *modifications; /* llm_model_routing_modifications_total{source_model,target_model} */
    struct metric *admission_active, *admission_queued;
    struct metric_family *admission_shed;    /* vsr_admission_shed_total{priority} */
    struct metric_family *image_requests;    /* image_gen_requests_total{backend,status} */
    struct metric_family *image_seconds;     /* image_gen_latency_seconds{backend} */
    struct metric_family *rate_limited;      /* vsr_rate_limited_total{rule,kind} */
    struct metric_family *limit_errors;      /* vsr_limit_errors_total{provider} */
    struct metric_family *signals;           /* llm_signal_extraction_total{signal_type,signal_name} */
    struct metric_family *signal_matches;    /* llm_signal_match_total{signal_type,signal_name} */
    struct metric_family *signal_errors;     /* llm_signal_errors_total{signal_type,code} */
    struct metric_family *signals_skipped;   /* llm_signal_skipped_total{signal_type,reason} */
    struct metric_family *failovers;         /* llm_model_failover_total{from,to,reason} */
    struct metric_family *hedges;            /* vsr_hedges_total{model,outcome} */
    struct metric_family *translation_lossy; /* llm_translation_lossy_total{inbound,outbound,severity,reason} */
    struct metric_family *signal_seconds;    /* llm_signal_extraction_latency_seconds{signal_type} */
    struct metric *background_running;
    struct metric_family *background_ended; /* vsr_background_responses_total{status} */
    struct metric *extproc_streams;
    struct metric_family *extproc_messages, *extproc_seconds; /* {phase} */
};

struct telemetry *telemetry_new(void);
void telemetry_free(struct telemetry *telemetry);

/* `currency` empty: no cost series. */
void telemetry_model(struct telemetry *telemetry, vsr_str model, vsr_str currency, struct model_metrics *ret_metrics);
/* Only the error series; `model` is "unknown" for requests that never got one. */
void telemetry_model_errors(struct telemetry *telemetry, vsr_str model,
                            struct metric *ret_errors[TELEMETRY_REASON_COUNT]);
void telemetry_decision(struct telemetry *telemetry, vsr_str decision, struct decision_metrics *ret_metrics);

#endif
