#include "serve/pipeline.h"

#include "core/arena.h"
#include "core/clock.h"
#include "serve/answer.h"
#include "serve/embeddings.h"
#include "serve/image.h"
#include "serve/responses.h"
#include "serve/stages.h"
#include "serve/worker.h"

/*
 * The life of a request. A stage that has nothing to do says NEXT; what comes after dispatch (relay, record) is driven
 * by the backend's events and ends the exchange.
 */
static const struct stage {
    const char *name;
    enum stage_result (*run)(struct request *request);
} stages[] = {
    { "admit", stage_admit },         /* method, path, listener keys          -> 401/404/405 */
    { "limit", stage_limit },         /* who asks, requests of callers        -> 429 */
    { "receive", stage_receive },     /* waits for the body                   -> 408/413 by the front end */
    { "stored", stage_stored },       /* responses that are there             -> 400/404/503 */
    { "parse", stage_parse },         /* JSON tape                            -> 400 */
    { "translate", stage_translate }, /* the request as chat                -> 400 */
    { "facts", stage_facts },         /* texts, counts, model                 -> 400 */
    { "embed", stage_embeddings },    /* vectors of the built-in embedder     -> 200/400 */
    { "resolve", stage_resolve },     /* model name -> recipe or pass-through -> 404 */
    { "admission", stage_admission }, /* a place among those at once    -> 503 */
    { "session", stage_session },     /* conversation */
    { "signals", stage_signals },     /* signals, projections, decisions */
    { "select", stage_select },       /* one model of the decision            -> 400/503 */
    { "adapt", stage_adapt },         /* what the model cannot do             -> 400 */
    { "image", stage_image },         /* a picture in place of text           -> 503 */
    { "budget", stage_budget },       /* tokens and money of callers          -> 429 */
    { "dispatch", stage_dispatch },   /* endpoint, credentials, retries       -> 401/502/503/504 */
};

_Static_assert(VSR_COUNT(stages) <= REQUEST_STAGES_MAX, "each stage has its time");

/* What a stage took, waiting included. Only who asks for it pays for the clock. */
static void note_time(struct request *request) {
    uint64_t now_ns;
    if (!request->debug)
        return;
    now_ns = clock_mono_ns();
    request->stage_us[request->stage] = (uint32_t)((now_ns - request->stage_began_ns) / 1000);
    request->stage_began_ns = now_ns;
}

void pipeline_note_dispatch(struct request *request) {
    if (request->stage < VSR_COUNT(stages))
        note_time(request);
}

vsr_str pipeline_stage_times(const struct request *request) {
    vsr_str text = VSR_STR("");
    for (size_t i = 0; i < VSR_COUNT(stages) && i <= request->stage; i++)
        text = arena_printf(request->arena, "%.*s%s%s=%u", VSR_FMT(text), i > 0 ? "," : "", stages[i].name,
                            (unsigned)request->stage_us[i]);
    return text;
}

/* Runs stages until one waits or ends the exchange. */
static void run(struct request *request) {
    while (request->stage < VSR_COUNT(stages)) {
        switch (stages[request->stage].run(request)) {
        case STAGE_NEXT:
            note_time(request);
            request->stage++;
            continue;
        case STAGE_WAIT:
            if (request->resumed) {
                request->resumed = false;
                continue;
            }
            request->running = false;
            return;
        case STAGE_REPLY:
            answer_reply(request);
            return;
        case STAGE_FAIL:
            answer_error(request);
            return;
        case STAGE_DONE:
            return;
        }
    }
    request->running = false;
}

void pipeline_resume(struct request *request) {
    if (request->answered || request->finished)
        return;
    if (request->running) { /* the awaited came at once, from within the stage */
        request->resumed = true;
        return;
    }
    request->running = true;
    run(request);
}

void pipeline_begin(struct request *request, const struct http1_head *head, const struct config_listener *listener) {
    request->head = head;
    request->listener = listener;
    request->start_ns = request->stage_began_ns = clock_mono_ns();
    pipeline_resume(request);
}

/* ---- requests without a connection */

static void begin_detached(void *data) {
    struct request *request = data;
    request->body_complete = true;
    pipeline_begin(request, request->head, request->listener);
}

struct request *pipeline_begin_detached(struct worker *worker, struct snapshot *snapshot, struct front front,
                                        const struct config_listener *listener, const struct http1_head *head,
                                        vsr_str body) {
    struct request *request = request_new(worker, snapshot, front);
    request->head = request_copy_head(request, head);
    request->listener = listener;
    (void)buf_append(&request->body, body);               /* within the limit that it had to pass before */
    (void)request_hold_bytes(request, request->body.len); /* there was room for it when the run was promised */
    loop_defer(worker->loop, &request->begin, begin_detached, request);
    return request;
}

/* ---- what the front end tells */

void pipeline_body(struct request *request, vsr_str bytes) {
    if (request->answered)
        return; /* an early answer was given; the rest of the body is read and dropped */
    if (!request_hold_bytes(request, bytes.len)) {
        pipeline_fail(request);
        return;
    }
    if (buf_append(&request->body, bytes) < 0) {
        request_error(request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the request body is larger than this server accepts"));
        pipeline_fail(request);
    }
}

void pipeline_body_end(struct request *request) {
    request->body_complete = true;
    pipeline_resume(request);
}

void pipeline_drained(struct request *request) {
    if (!responses_drained(request))
        relay_drained(request);
}

void pipeline_closed(struct request *request, bool completed) {
    record_request(request, completed);
    request_free(request);
}

void pipeline_refused(struct request *request) {
    request->refused = true;
    pipeline_closed(request, false);
}

void pipeline_fail(struct request *request) {
    answer_error(request);
}

void pipeline_reply(struct request *request) {
    answer_reply(request);
}
