/*
 * extproc_request - the request's half of a stream: headers, body and trailers in, and what Envoy is to send instead.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/log.h"
#include "provider/credentials.h"
#include "serve/endpoints.h"
#include "serve/extproc_bodies.h"
#include "serve/extproc_call.h"
#include "serve/extproc_front.h"
#include "serve/extproc_server.h"
#include "serve/pipeline.h"
#include "serve/request.h"
#include "serve/worker.h"

/* ---- headers */

/* Envoy does not wait for an answer to the headers before it sends the body, so their answer may bring the changes. */
static bool may_hold(const struct extproc_call *call) {
    return call->request_mode == EXTPROC_DUPLEX || (call->request_mode == EXTPROC_STREAMED && call->body_unasked);
}

/*
 * What of a client's header may go on to anybody (gateway.md 12.3, 13.3). Identity and keys that a trusted filter has
 * added are for vsr alone, which has read them by then.
 */
static bool passes(const struct snapshot *snapshot, vsr_str name) {
    switch (credentials_header_class(snapshot->credentials, name)) {
    case HEADER_INTERNAL:
    case HEADER_IDENTITY:
        return false;
    case HEADER_PLAIN:
    case HEADER_HOP:
    case HEADER_AUTHORIZATION:
        break;
    }
    return true;
}

/* The fields without those that only vsr may say, into `out`, which has room. */
static size_t clean_fields(const struct snapshot *snapshot, const struct http1_head *head, struct http1_field *out) {
    size_t n = 0;
    for (size_t i = 0; i < head->n_fields; i++)
        if (passes(snapshot, head->fields[i].name))
            out[n++] = head->fields[i];
    return n;
}

/* Nothing is to be done: the request goes on without what nobody but vsr may say. */
static void let_pass(struct extproc_call *call, const struct extproc_message *message) {
    static const struct extproc_modes nothing = { .nothing_more = true };
    struct arena *scratch = call->extproc->scratch;
    struct http1_field *now = ARENA_ARRAY(scratch, struct http1_field, message->head.n_fields);
    struct extproc_mutation mutation;
    size_t n = clean_fields(call->extproc->worker->snapshot, &message->head, now);
    call->state = EXTPROC_PASSING;
    extproc_diff(scratch, message->head.fields, message->head.n_fields, now, n, &mutation);
    extproc_send(call, &(struct extproc_answer){ .kind = EXTPROC_REQUEST_HEADERS,
                                                 .headers = &mutation,
                                                 /* Envoy has chosen a route by what the client said */
                                                 .clear_route_cache = mutation.n_remove > 0,
                                                 .modes = &nothing });
}

static bool is_true(const struct http1_head *head, vsr_str name) {
    return str_eq_nocase(str_trim(http1_field(head, name)), VSR_STR("true"));
}

/*
 * Callers who want nothing done where the deployment lets them (gateway.md 4). Only within the API: what is outside of
 * it is answered with 404 as by a listener, since whatever a backend has there (its model management, its metrics) is
 * not for whom only the API was opened.
 */
static bool is_skipped(const struct snapshot *snapshot, const struct http1_head *head) {
    vsr_str path = endpoints_path(endpoints_origin(head->target));
    return snapshot->doc->global.router.skip_processing.enabled && is_true(head, VSR_STR("x-vsr-skip-processing")) &&
           str_starts(path, VSR_STR("/v1/")) && !str_starts(path, VSR_STR("/v1/router_replay"));
}

/* Headers that are answered before the body is known. */
static void answer_headers(struct extproc_call *call) {
    struct arena *arena = call->request->arena;
    struct http1_field *now = ARENA_ARRAY(arena, struct http1_field, call->head->n_fields + 1);
    const struct extproc_modes modes = { .request = EXTPROC_BUFFERED, .response = call->response_mode };
    bool asks = call->has_config && (call->request_mode == EXTPROC_STREAMED || call->request_mode == EXTPROC_NONE);
    struct extproc_mutation mutation;
    size_t n = 0, n_clean = clean_fields(call->request->snapshot, call->head, now);
    for (size_t i = 0; i < n_clean; i++)
        if (!str_eq_nocase(now[i].name, VSR_STR("accept-encoding")))
            now[n++] = now[i];
    now[n++] = (struct http1_field){ VSR_STR("accept-encoding"), VSR_STR("identity") }; /* answers must be readable */
    extproc_diff(arena, call->fields, call->n_fields, now, n, &mutation);
    if (asks && call->head->has_length)
        extproc_remove(&mutation, VSR_STR("content-length")); /* of another body, in case the mode stays */
    extproc_send(call, &(struct extproc_answer){
                           .kind = EXTPROC_REQUEST_HEADERS, .headers = &mutation, .modes = asks ? &modes : NULL });
    call->fields = now;
    call->n_fields = n;
    call->headers_owed = false;
}

static void on_body_late(void *data) {
    struct extproc_call *call = data;
    request_error(call->request, 408, TELEMETRY_REASON_timeout, NULL, VSR_STR("the request body did not come in time"));
    pipeline_fail(call->request);
    extproc_settle(call);
}

static void begin(struct extproc_call *call, const struct extproc_message *message) {
    struct worker *worker = call->extproc->worker;
    int64_t timeout_s = worker->snapshot->doc->global.router.streamed_body.timeout_sec;
    call->request =
        request_new(worker, worker->snapshot, message->observability ? extproc_watcher(call) : extproc_front(call));
    call->head = extproc_keep_head(call->request->arena, &message->head);
    call->fields = call->head->fields;
    call->n_fields = call->head->n_fields;
    call->state = message->observability ? EXTPROC_WATCHING : EXTPROC_ASKING;
    call->headers_owed = true;
    call->no_body = message->end_of_stream;
    if (!call->no_body && timeout_s > 0)
        loop_timer_start(worker->loop, &call->body_timer, (uint64_t)timeout_s * 1000, on_body_late, call);
}

static void end_body(struct extproc_call *call) {
    loop_timer_stop(&call->body_timer);
    call->body_complete = true;
    pipeline_body_end(call->request);
}

/* Whether the pipeline has refused or answered, so that nothing else of the request matters. */
static bool is_decided(const struct extproc_call *call) {
    return call->has_head || call->ended || call->aborted;
}

/* What is routed can be watched; the rest has nothing to measure, and would be answered or done. */
static bool is_watched(const struct http1_head *head) {
    vsr_str id;
    const struct endpoint_row *row = endpoints_find(endpoints_path(endpoints_origin(head->target)), &id);
    return row && row->routed;
}

void extproc_request_headers(struct extproc_call *call, const struct extproc_message *message) {
    call->has_config = message->has_config;
    call->request_mode = message->has_config ? message->request_mode : EXTPROC_BUFFERED;
    call->response_mode = message->has_config ? message->response_mode : EXTPROC_BUFFERED;
    call->body_unasked = message->body_unasked;
    if (message->observability && !is_watched(&message->head)) {
        call->state = EXTPROC_WATCHING; /* without a request */
        return;
    }
    if (!message->observability && is_skipped(call->extproc->worker->snapshot, &message->head)) {
        let_pass(call, message);
        return;
    }
    begin(call, message);
    pipeline_begin(call->request, call->head, call->extproc->listener);
    if (call->no_body)
        end_body(call);
    else if (!is_decided(call) && !may_hold(call))
        answer_headers(call);
}

/* ---- body */

/* White space behind the text that was taken for the whole; anything else was no JSON in the first place. */
static void take_more(struct extproc_call *call, const struct extproc_message *message) {
    (void)json_end_feed(&call->body_end, message->body);
    if (call->body_end.more && call->state == EXTPROC_ASKING && !is_decided(call) && !call->outbound) {
        request_error(call->request, 400, TELEMETRY_REASON_parse_error, NULL, VSR_STR("malformed JSON body"));
        pipeline_fail(call->request);
        return;
    }
    if (call->state == EXTPROC_ASKING && !call->outbound) {
        call->chunks_owed++;
        return;
    }
    extproc_send(call, &(struct extproc_answer){ .kind = EXTPROC_REQUEST_BODY, .body_kind = EXTPROC_BODY_REPLACE });
}

/* Whether this is the last piece, though it may not say so. */
static bool is_last(struct extproc_call *call, const struct extproc_message *message) {
    if (message->end_of_stream)
        return true;
    if (call->request_mode == EXTPROC_DUPLEX || call->state == EXTPROC_WATCHING)
        return false; /* trailers come whether the body is answered or not */
    return (call->has_config && call->request_mode == EXTPROC_BUFFERED) || call->body_end.complete;
}

static void take_piece(struct extproc_call *call, const struct extproc_message *message) {
    bool duplex = call->request_mode == EXTPROC_DUPLEX;
    call->n_chunks++;
    (void)json_end_feed(&call->body_end, message->body);
    pipeline_body(call->request, message->body);
    if (is_decided(call))
        return;
    if (!duplex)
        call->chunks_owed++;
    if (is_last(call, message)) {
        end_body(call);
    } else if (call->request_mode == EXTPROC_BUFFERED_PARTIAL) {
        request_error(call->request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the request body is larger than the proxy's buffer"));
        pipeline_fail(call->request);
    } else if (!duplex && !call->headers_owed) {
        call->chunks_owed--;
        extproc_send(call, &(struct extproc_answer){ .kind = EXTPROC_REQUEST_BODY, .body_kind = EXTPROC_BODY_REPLACE });
    } else if (call->n_chunks > EXTPROC_CHUNKS_MAX) {
        request_error(call->request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the request body comes in too many pieces"));
        pipeline_fail(call->request);
    }
}

void extproc_request_body(struct extproc_call *call, const struct extproc_message *message) {
    if (call->state == EXTPROC_PASSING || !call->request)
        extproc_pass(call, message);
    else if (is_decided(call))
        return; /* the immediate response is on its way */
    else if (call->body_complete)
        take_more(call, message);
    else
        take_piece(call, message);
}

void extproc_request_trailers(struct extproc_call *call, const struct extproc_message *message) {
    if (call->state == EXTPROC_PASSING || !call->request || (call->state != EXTPROC_ASKING && call->body_complete)) {
        extproc_pass(call, message);
        return;
    }
    if (is_decided(call))
        return;
    call->trailers_owed = true;
    if (!call->body_complete)
        end_body(call);
}

/* ---- what Envoy is to send */

enum { DATA_MAX = 6 };

/* For access logs and other filters of Envoy's (gateway.md 10). */
static size_t describe(const struct request *request, struct extproc_datum data[DATA_MAX]) {
    size_t n = 0;
    if (request->name && request->name->kind != TARGET_MODEL)
        data[n++] = (struct extproc_datum){ .key = "recipe", .text = request->name->recipe->scope->name };
    if (request->decision)
        data[n++] = (struct extproc_datum){ .key = "decision", .text = request->decision->config->name };
    data[n++] = (struct extproc_datum){ .key = "model", .text = request->selected_model };
    if (request->decision)
        data[n++] = (struct extproc_datum){ .key = "confidence", .number = request->outcome->confidence };
    if (request->outcome)
        data[n++] = (struct extproc_datum){ .key = "tokens", .number = (double)request->outcome->token_count };
    return n;
}

static void warn_once(struct extproc_call *call) {
    if (atomic_exchange(&call->extproc->seen->headers_lag, true))
        return;
    LOG_WARN("Envoy streams request bodies and does not let the mode be changed: the headers of a request, the routed "
             "model among them, cannot follow its body; set allow_mode_override or request_body_mode BUFFERED");
}

static void send_duplex_body(struct extproc_call *call, vsr_str body) {
    do {
        struct extproc_answer answer = { .kind = EXTPROC_REQUEST_BODY, .body_kind = EXTPROC_BODY_CHUNK };
        answer.body = str_sub(body, 0, EXTPROC_CHUNK_LEN);
        body = str_sub(body, answer.body.len, body.len);
        answer.end_of_stream = body.len == 0 && !call->trailers_owed;
        extproc_send(call, &answer);
    } while (body.len > 0);
}

/* The first of the pieces that still want an answer takes the whole body; the others were part of it. */
static void send_body(struct extproc_call *call, struct extproc_answer *answer, const struct outbound *outbound) {
    bool replaces = outbound->body_changed || call->n_chunks > 1;
    answer->kind = EXTPROC_REQUEST_BODY;
    answer->body_kind = replaces ? EXTPROC_BODY_REPLACE : EXTPROC_BODY_KEEP;
    answer->body = outbound->body;
    extproc_send(call, answer);
    for (call->chunks_owed--; call->chunks_owed > 0; call->chunks_owed--)
        extproc_send(call, &(struct extproc_answer){ .kind = EXTPROC_REQUEST_BODY, .body_kind = EXTPROC_BODY_REPLACE });
}

static void send_headers(struct extproc_call *call, struct extproc_answer *answer) {
    answer->kind = EXTPROC_REQUEST_HEADERS;
    extproc_send(call, answer);
    call->headers_owed = false;
    answer->headers = NULL;
    answer->clear_route_cache = false;
    answer->n_data = 0;
}

/*
 * Envoy has been asked for bodies of answers before, and did not show them. Who is to get an answer in other words
 * would get the backend's; before anybody works for that it is refused.
 */
static bool refuse_hidden(struct extproc_call *call) {
    uint64_t *notes = grpc_stream_notes(call->stream);
    if (call->response_mode != EXTPROC_NONE || !notes || !extproc_translates(call) ||
        !extproc_bodies_refuse(notes, loop_now_ms(call->extproc->worker->loop)))
        return false;
    call->outbound = NULL;
    request_error(call->request, 502, TELEMETRY_REASON_translation, NULL,
                  VSR_STR("the proxy does not show the bodies of answers, and this one would have to be translated: "
                          "response_body_mode must be BUFFERED, STREAMED or FULL_DUPLEX_STREAMED"));
    pipeline_fail(call->request);
    return true;
}

void extproc_forward(struct extproc_call *call) {
    const struct outbound *outbound = call->outbound;
    struct arena *arena = call->request->arena;
    struct extproc_datum data[DATA_MAX];
    struct extproc_mutation mutation;
    struct extproc_answer answer = { .headers = &mutation,
                                     .clear_route_cache = outbound->clear_route_cache,
                                     .data = data,
                                     .n_data = describe(call->request, data) };
    VSR_ASSERT(call->body_complete);
    if (refuse_hidden(call))
        return;
    extproc_diff(arena, call->fields, call->n_fields, outbound->fields, outbound->n_fields, &mutation);
    if (!str_eq(outbound->path, call->head->target))
        extproc_set(&mutation, VSR_STR(":path"), outbound->path);
    if (call->headers_owed && !call->no_body)
        extproc_remove(&mutation, VSR_STR("content-length")); /* Envoy frames what it streams */
    else if (!call->no_body && (outbound->body_changed || call->n_chunks > 1))
        extproc_set(&mutation, VSR_STR("content-length"),
                    arena_printf(arena, "%zu", outbound->body.len)); /* Envoy compares it with the body */
    call->state = EXTPROC_FORWARDED;
    if (call->headers_owed)
        send_headers(call, &answer);
    else if (call->request_mode == EXTPROC_STREAMED && call->n_chunks > 1)
        warn_once(call);
    if (call->request_mode == EXTPROC_DUPLEX && !call->no_body)
        send_duplex_body(call, outbound->body);
    else if (call->chunks_owed > 0)
        send_body(call, &answer, outbound);
    if (call->trailers_owed)
        extproc_send(call, &(struct extproc_answer){ .kind = EXTPROC_REQUEST_TRAILERS });
    call->trailers_owed = false;
}
