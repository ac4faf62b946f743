#include "serve/run_front.h"

#include "core/arena.h"
#include "core/json_edit.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/mem.h"
#include "serve/pipeline.h"
#include "serve/request.h"
#include "serve/responses.h"
#include "serve/responses_service.h"
#include "serve/run_log.h"
#include "serve/worker.h"
#include "store/response_store.h"
#include "wire/encoder.h"
#include "wire/responses_encoder.h"
#include "wire/responses_events.h"
#include "wire/sse.h"

enum {
    LOOK_MS = 2000,           /* between two looks at the record, which others may end or delete */
    ERROR_LEN_MAX = 64 << 10, /* of an error that vsr or the backend answers with */
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
    struct run_log log;
    struct arena *scratch;
    struct store_op *op; /* a look at the record, or its end */
    struct loop_timer looking;
    bool overtaken;      /* the record is final, and not by us: the answer is not kept */
    bool completed;      /* of one that has failed: the front end had all of the answer */
    bool told;           /* somebody in this process has ended or deleted it */
    vsr_str failed;      /* the object that the store is asked to keep; in the scratch memory; empty: not yet */
    const char *outcome; /* as metrics say it */
};

/* ---- events */

static void on_event(void *user, const struct sse_event *event) {
    if (!event->comment_only)
        run_log_add(user, event->type, event->data);
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
    vsr_str type = responses_event_type(event);
    if (run->streamed && !run->log.ended)
        run_log_add(&run->log, type,
                    arena_printf(run->scratch, "{\"type\":\"%.*s\",\"sequence_number\":%lld,\"response\":%.*s}",
                                 VSR_FMT(type), (long long)run->log.sequence, VSR_FMT(object)));
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

/* Nothing was answered that could be kept: the response has failed. Whether it may say so, or has another end already,
 * is what `done` is told. */
static struct store_op *put_failed(struct run *run, store_done_fn *done) {
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
    run->failed = record.object_json;
    return response_store_update(run->worker->store, &record, done, run);
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
    vsr_str outcome = str_from_c(run->outcome);
    responses_service_remove(worker->responses_service, run->meta.id);
    if (run->prev)
        run->prev->next = run->next;
    else
        worker->runs = run->next;
    if (run->next)
        run->next->prev = run->prev;
    worker->n_runs--;
    metric_add(worker->telemetry->background_running, -1);
    metric_inc(metric_with(worker->telemetry->background_ended, &outcome, 1));
    store_op_cancel(run->op);
    loop_timer_stop(&run->looking);
    if (run->streamed)
        run_log_done(&run->log);
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

/* ---- a record that others end or delete: in this process, or in another one that shares the store */

static bool is_settled(const struct run *run) {
    return run->failed.len || (run->request->responses && run->request->responses->settled);
}

static void end_as(struct run *run, const char *outcome) {
    run->outcome = outcome;
    close_run(run, false);
}

static void end_deleted(struct run *run) {
    if (!run->told)
        LOG_WARN("a response was deleted while it ran: its run ends", LOG_S("id", run->meta.id));
    end_as(run, "deleted");
}

static void look(void *data);

static void look_later(struct run *run) {
    loop_timer_start(run->worker->loop, &run->looking, LOOK_MS, look, run);
}

/* The name of a final status, as a constant. */
static const char *outcome_of(vsr_str status) {
    for (int i = RESPONSE_STATUS_COMPLETED; i <= RESPONSE_STATUS_CANCELLED; i++)
        if (str_eq_c(status, response_status_name((enum response_status)i)))
            return response_status_name((enum response_status)i);
    return "failed";
}

/* The last event says what the record does. Whoever cancelled the response knew nothing of its output: that is added.
 */
static void tell_end(struct run *run, const struct response_record *ended) {
    struct encoder *encoder = run->request->encoder;
    vsr_str object = ended->object_json;
    if (encoder && str_eq_c(ended->status, response_status_name(RESPONSE_STATUS_CANCELLED)) &&
        responses_encoder_cancel(encoder)) {
        struct response_record record = run->record;
        object = responses_encoder_object(encoder);
        record.status = ended->status;
        record.object_json = object;
        (void)response_store_update(run->worker->store, &record, NULL, NULL);
    }
    log_object(run, responses_end_event(ended->status), object);
}

static void on_ended(void *owner, const struct store_reply *reply) {
    struct run *run = owner;
    run->op = NULL;
    if (reply->rc == VSR_E_NOT_FOUND) { /* it had ended, so nobody else writes it any more */
        end_deleted(run);
    } else if (reply->rc == 0 && reply->n > 0 && store_status_is_final(reply->records[0].status)) {
        tell_end(run, &reply->records[0]);
        end_as(run, outcome_of(reply->records[0].status));
    } else {
        look_later(run);
    }
}

static void run_overtaken(struct run *run) {
    if (run->overtaken && run->op)
        return;
    run->overtaken = true;
    store_op_cancel(run->op);
    run->op = response_store_get(run->worker->store, run->meta.id, on_ended, run);
}

void run_refused(struct run *run, const struct store_reply *reply) {
    if (reply->deleted)
        end_deleted(run);
    else
        run_overtaken(run);
}

/* The place had no room, or has forgotten it, or is another one now: the response is still wanted. */
static void put_again(struct run *run) {
    struct response_record record = run->record;
    LOG_WARN("the store has lost a response that is under way: it is written again", LOG_S("id", run->meta.id));
    record.status = VSR_STR("in_progress");
    (void)response_store_update(run->worker->store, &record, NULL, NULL);
}

static void on_looked(void *owner, const struct store_reply *reply) {
    struct run *run = owner;
    run->op = NULL;
    if (is_settled(run)) /* its end is on the way, and may be what was found */
        return;
    if (reply->deleted || reply->kept) {
        run_refused(run, reply);
        return;
    }
    if (reply->rc == VSR_E_NOT_FOUND)
        put_again(run);
    look_later(run);
}

static void on_failed(void *owner, const struct store_reply *reply) {
    struct run *run = owner;
    run->op = NULL;
    if (reply->deleted || reply->kept) {
        run_refused(run, reply);
        return;
    }
    log_object(run, RESPONSES_EVENT_FAILED, run->failed);
    close_run(run, run->completed);
}

/* Ends as failed, unless it has ended otherwise. */
static void fail(struct run *run, bool completed) {
    run->completed = completed;
    loop_timer_stop(&run->looking);
    store_op_cancel(run->op);
    run->op = put_failed(run, on_failed);
}

static void look(void *data) {
    struct run *run = data;
    if (run->op)
        return;
    loop_timer_stop(&run->looking);
    if (run->overtaken)
        run_overtaken(run);
    else
        run->op = response_store_progress(run->worker->store, run->meta.id, on_looked, run);
}

void run_begins(struct run *run) {
    look(run);
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
    run_log_write(&run->log);
}

static void run_end(void *handle) {
    struct run *run = handle;
    if (run->status >= 300) {
        fail(run, true);
        return;
    }
    if (run->request->encoder)
        run->outcome = response_status_name(responses_encoder_status(run->request->encoder));
    close_run(run, true);
}

static bool run_retract(void *handle) {
    struct run *run = handle;
    if (run->streamed && run->log.sequence > RESPONSES_QUEUED_EVENTS)
        return false;
    run->status = 0;
    return true;
}

static void run_abort(void *handle) {
    fail(handle, false);
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
    run->outcome = "failed";
    if (run->streamed)
        run_log_init(&run->log, worker->loop, worker->store, run->meta.id, RESPONSES_QUEUED_EVENTS);
    sse_init(&run->parser, on_event, &run->log);
    sse_set_max(&run->parser, 2 * (size_t)ENCODER_BODY_LEN_MAX); /* our own, and the last has the texts twice */
    buf_init(&run->error, ERROR_LEN_MAX);
    run->next = worker->runs;
    if (run->next)
        run->next->prev = run;
    worker->runs = run;
    worker->n_runs++;
    metric_add(worker->telemetry->background_running, 1);
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
    if (!run)
        return;
    run->told = true;
    if (is_settled(run) || run->overtaken)
        return; /* it ends by itself */
    store_op_cancel(run->op);
    run->op = NULL;
    look(run);
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
        if (!is_settled(run)) { /* else it has its end already */
            buf_reset(&run->error);
            (void)buf_append_c(&run->error, "{\"error\":{\"message\":\"the server was stopped\"}}");
            run->status = 503;
            (void)put_failed(run, NULL); /* what has ended already stays */
        }
        if (run->failed.len)
            log_object(run, RESPONSES_EVENT_FAILED, run->failed);
        close_run(run, false);
    }
}
