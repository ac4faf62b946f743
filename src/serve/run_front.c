#include "serve/run_front.h"

#include "core/arena.h"
#include "core/json_edit.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "serve/pipeline.h"
#include "serve/request.h"
#include "serve/responses.h"
#include "serve/responses_service.h"
#include "serve/worker.h"
#include "store/event_log.h"
#include "store/response_store.h"
#include "wire/encoder.h"
#include "wire/responses_events.h"
#include "wire/sse.h"

enum {
    BATCH_MAX = 64,            /* events that are logged together */
    BATCH_LEN_MAX = 256 << 10, /* and what they carry */
    GATHER_MS = 50,            /* between two writes: a store has many streams to write */
    ERROR_LEN_MAX = 64 << 10,  /* of an error that vsr or the backend answers with */
};

struct run {
    struct run *prev, *next; /* of the worker */
    struct worker *worker;
    struct arena *arena; /* of the texts below */
    struct request *request;
    struct response_meta meta;
    struct response_record record; /* as it was queued */
    bool streamed;                 /* its events are logged */
    int status;                    /* of the answer's head; 0: none yet */
    struct sse_parser parser;
    struct buf error; /* body of an answer that is none */
    int64_t sequence; /* of the next event */
    bool ended;       /* the last event has been logged */

    /* events that are written next */
    struct arena *scratch;
    struct event_record batch[BATCH_MAX];
    size_t n_batch, batch_len;
    struct loop_timer gathering; /* since the last ones were written */
};

/* ---- the event log */

static void write_batch(struct run *run) {
    if (run->n_batch > 0)
        (void)event_log_append(run->worker->store, run->meta.id, run->batch, run->n_batch, NULL, NULL);
    run->n_batch = run->batch_len = 0;
    arena_reset(run->scratch);
}

/* The first ones at once, what follows them soon together, and the end at once. */
static void write_some(void *data) {
    struct run *run = data;
    if (run->n_batch == 0 || (loop_timer_active(&run->gathering) && !run->ended))
        return;
    write_batch(run);
    loop_timer_start(run->worker->loop, &run->gathering, GATHER_MS, write_some, run);
}

static void log_event(struct run *run, vsr_str type, vsr_str json) {
    bool last = responses_event_flags(responses_event_find(type)) & RESPONSES_EVENT_ENDS;
    if (run->ended)
        return;
    run->ended = last;
    run->batch_len += type.len + json.len;
    run->batch[run->n_batch++] = (struct event_record){
        .seq = run->sequence++,
        .type = arena_str(run->scratch, type),
        .json = arena_str(run->scratch, json),
        .last = last,
    };
    if (run->n_batch == BATCH_MAX || run->batch_len > BATCH_LEN_MAX)
        write_batch(run);
}

static void on_event(void *user, const struct sse_event *event) {
    if (!event->comment_only)
        log_event(user, event->type, event->data);
}

/* ---- ends that no encoder wrote */

/* The object as it was queued, with another status and an error (raw JSON; empty: none). In the scratch memory. */
static vsr_str make_object(struct run *run, enum response_status status, vsr_str error) {
    const struct json_step status_path[] = { JSON_KEY("status") }, error_path[] = { JSON_KEY("error") };
    vsr_str text = run->record.object_json;
    struct json_edit *edit;
    struct json_doc doc;
    struct buf out;
    if (json_parse(run->scratch, text, &doc, NULL) < 0)
        return text;
    edit = json_edit_new(run->scratch, &doc);
    buf_init(&out, STORE_RECORD_BYTES_MAX);
    if (json_edit_set(edit, status_path, 1, arena_printf(run->scratch, "\"%s\"", response_status_name(status)), NULL) ==
            0 &&
        (error.len == 0 || json_edit_set(edit, error_path, 1, error, NULL) == 0) && json_edit_apply(edit, &out) == 0)
        text = arena_str(run->scratch, buf_str(&out));
    buf_done(&out);
    return text;
}

static void log_object(struct run *run, enum responses_event event, vsr_str object) {
    if (run->streamed && !run->ended)
        log_event(run, responses_event_type(event),
                  arena_printf(run->scratch, "{\"type\":\"%.*s\",\"sequence_number\":%lld,\"response\":%.*s}",
                               VSR_FMT(responses_event_type(event)), (long long)run->sequence, VSR_FMT(object)));
    write_batch(run);
}

/* The message of an error body, whoever wrote it. */
static void read_error(struct run *run, struct arena *arena, vsr_str *code, vsr_str *message) {
    struct json_doc doc;
    json_ref error, ref;
    *code = VSR_STR("");
    *message = VSR_STR("the request failed");
    if (json_parse(arena, buf_str(&run->error), &doc, NULL) < 0)
        return;
    error = json_get(&doc, 0, VSR_STR("error"));
    ref = json_get(&doc, error, VSR_STR("message"));
    if (json_is(&doc, ref, JSON_STRING))
        (void)json_str(arena, &doc, ref, message);
    ref = json_get(&doc, error, VSR_STR("code"));
    if (json_is(&doc, ref, JSON_STRING))
        (void)json_str(arena, &doc, ref, code);
}

/* Nothing was answered that could be kept: the response has failed. */
static void fail(struct run *run) {
    struct response_record record = run->record;
    struct json_writer w;
    struct buf error;
    vsr_str code, message;
    read_error(run, run->scratch, &code, &message);
    buf_init(&error, 8 * ERROR_LEN_MAX);
    json_write_init(&w, &error);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("code"));
    json_write_str(&w, response_error_code(run->status, code));
    json_write_key(&w, VSR_STR("message"));
    json_write_str(&w, message);
    json_write_end(&w);
    record.status = VSR_STR("failed");
    record.object_json = make_object(run, RESPONSE_STATUS_FAILED, buf_str(&error));
    buf_done(&error);
    (void)response_store_put(run->worker->store, &record, NULL, NULL); /* what has ended already stays */
    log_object(run, RESPONSES_EVENT_FAILED, record.object_json);
}

static void drained(void *data) {
    struct worker *worker = data;
    void (*on_drained)(void *) = worker->on_runs_drained;
    loop_timer_stop(&worker->runs_timer);
    worker->on_runs_drained = NULL;
    if (on_drained)
        on_drained(worker);
}

static void run_free(struct run *run) {
    struct worker *worker = run->worker;
    responses_service_remove(worker->responses_service, run->meta.id);
    if (run->prev)
        run->prev->next = run->next;
    else
        worker->runs = run->next;
    if (run->next)
        run->next->prev = run->prev;
    worker->n_runs--;
    write_batch(run);
    loop_timer_stop(&run->gathering);
    sse_done(&run->parser);
    buf_done(&run->error);
    arena_free(run->scratch);
    arena_free(run->arena);
    mem_free(run);
    if (worker->n_runs == 0)
        drained(worker);
}

static void close_run(struct run *run, bool completed) {
    struct request *request = run->request;
    pipeline_closed(request, completed);
    run_free(run);
}

/* ---- the front end */

static void run_head(void *handle, int status, const struct http1_field *fields, size_t n_fields, int64_t length) {
    struct run *run = handle;
    (void)fields;
    (void)n_fields;
    (void)length;
    run->status = status;
}

static void run_body(void *handle, vsr_str bytes) {
    struct run *run = handle;
    if (run->status >= 300) {
        (void)buf_append(&run->error, bytes); /* what is longer is not read */
        return;
    }
    if (!run->streamed)
        return; /* the object is in the store when it ends */
    sse_feed(&run->parser, bytes);
    write_some(run);
}

static void run_end(void *handle) {
    struct run *run = handle;
    if (run->status >= 300)
        fail(run);
    close_run(run, true);
}

static bool run_retract(void *handle) {
    struct run *run = handle;
    if (run->sequence > RESPONSES_QUEUED_EVENTS)
        return false;
    run->status = 0;
    return true;
}

static void run_abort(void *handle) {
    struct run *run = handle;
    fail(run);
    close_run(run, false);
}

static size_t run_queued(void *handle) {
    (void)handle;
    return 0; /* the store's queue has limits of its own */
}

static const struct front_ops run_ops = {
    .head = run_head,
    .body = run_body,
    .end = run_end,
    .retract = run_retract,
    .abort = run_abort,
    .queued = run_queued,
};

/* ---- life */

bool run_promise(struct worker *worker, size_t runs_max) {
    if (worker->n_runs + worker->n_runs_promised >= runs_max || worker->draining)
        return false;
    worker->n_runs_promised++;
    return true;
}

void run_promise_end(struct worker *worker) {
    worker->n_runs_promised--;
}

struct run *run_of(const struct request *request) {
    return request->front.ops == &run_ops ? request->front.handle : NULL;
}

const struct response_meta *run_meta(const struct run *run) {
    return &run->meta;
}

/* What outlives the client's request. */
static void copy_record(struct run *run, const struct response_record *record) {
    run->record = *record;
    run->record.id = run->meta.id;
    run->record.previous_id = arena_str(run->arena, record->previous_id);
    run->record.conversation_id = run->meta.conversation_id;
    run->record.owner = arena_str(run->arena, record->owner);
    run->record.object_json = arena_str(run->arena, record->object_json);
    run->record.input_json = arena_str(run->arena, record->input_json);
}

void run_start(struct request *request, const struct response_record *record) {
    const struct response_meta *meta = &request->responses->meta;
    struct worker *worker = request->worker;
    struct run *run = MEM_NEW(struct run);
    run->worker = worker;
    run->arena = arena_new(1024, 0);
    run->scratch = arena_new(0, 0);
    run->streamed = request->responses->request.stream;
    run->meta.id = arena_str(run->arena, meta->id);
    run->meta.created_s = meta->created_s;
    run->meta.conversation_id = arena_str(run->arena, meta->conversation_id);
    run->meta.queued = true;
    copy_record(run, record);
    run->sequence = run->streamed ? RESPONSES_QUEUED_EVENTS : 0;
    sse_init(&run->parser, on_event, run);
    sse_set_max(&run->parser, 2 * (size_t)ENCODER_BODY_LEN_MAX); /* our own, and the last has the texts twice */
    buf_init(&run->error, ERROR_LEN_MAX);
    run->next = worker->runs;
    if (run->next)
        run->next->prev = run;
    worker->runs = run;
    worker->n_runs++;
    responses_service_add(worker->responses_service, run->meta.id, worker);
    run->request = pipeline_begin_detached(worker, request->snapshot, (struct front){ &run_ops, run },
                                           request->listener, request->head, buf_str(&request->body));
    (void)request_hold_bytes(run->request, run->record.input_json.len); /* there was room when it was promised */
    limit_hand_over(&request->ticket, &run->request->ticket, run->request->arena);
}

void run_stop(struct worker *worker, vsr_str id) {
    struct run *run = worker->runs;
    while (run && !str_eq(run->meta.id, id))
        run = run->next;
    if (!run || (run->request->responses && run->request->responses->settled))
        return; /* it ended by itself */
    log_object(run, RESPONSES_EVENT_CANCELLED, make_object(run, RESPONSE_STATUS_CANCELLED, VSR_STR("")));
    close_run(run, false);
}

void runs_drain(struct worker *worker, uint64_t drain_ms, void (*on_drained)(void *worker)) {
    worker->on_runs_drained = on_drained;
    loop_timer_start(worker->loop, &worker->runs_timer, worker->n_runs > 0 ? drain_ms : 0, drained, worker);
}

void runs_end(struct worker *worker) {
    worker->on_runs_drained = NULL;
    loop_timer_stop(&worker->runs_timer);
    while (worker->runs) {
        struct run *run = worker->runs;
        if (!run->request->responses || !run->request->responses->settled) { /* else it has its end already */
            buf_reset(&run->error);
            (void)buf_append_c(&run->error, "{\"error\":{\"message\":\"the server was stopped\"}}");
            run->status = 503;
            fail(run);
        }
        close_run(run, false);
    }
}
