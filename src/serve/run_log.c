#include "serve/run_log.h"

#include "core/arena.h"
#include "core/log.h"
#include "store/event_log.h"
#include "store/response_store.h"
#include "wire/responses_events.h"

enum {
    GATHER_MS = 50,       /* between two writes: a store has many streams to write */
    RETRY_MS = 1000,      /* after a failure to write that the log has ended */
    APPEND_LEN = 1 << 20, /* of events that are written together */
};

void run_log_init(struct run_log *log, struct loop *loop, struct store_lane *lane, vsr_str id, int64_t sequence) {
    *log = (struct run_log){ .loop = loop, .lane = lane, .id = id, .sequence = sequence, .arena = arena_new(0, 0) };
    log->given = log->stored = sequence - 1;
}

/* ---- what waits */

static size_t len_of(const struct event_record *event) {
    return event->type.len + event->json.len;
}

static void clear(struct run_log *log) {
    arena_reset(log->arena);
    log->events = NULL;
    log->begin = log->n = log->cap = log->len = 0;
}

static void push(struct run_log *log, vsr_str type, vsr_str json, bool last) {
    if (log->n == log->cap) {
        struct event_record *more = ARENA_ARRAY(log->arena, struct event_record, log->cap ? 2 * log->cap : 16);
        if (log->n)
            memcpy(more, log->events, log->n * sizeof(*more));
        log->events = more;
        log->cap = log->cap ? 2 * log->cap : 16;
    }
    log->events[log->n++] = (struct event_record){
        .seq = log->sequence++,
        .type = arena_str(log->arena, type),
        .json = arena_str(log->arena, json),
        .last = last,
    };
    log->len += type.len + json.len;
    log->ended = last;
}

/* The next event says that those behind it are missing. */
static void push_error(struct run_log *log) {
    char json[256];
    (void)
        snprintf(json, sizeof(json),
                 "{\"type\":\"error\",\"sequence_number\":%lld,\"code\":\"events_lost\",\"message\":\"the events that "
                 "follow could not be kept; the response goes on: retrieve it\",\"param\":null}",
                 (long long)log->sequence);
    push(log, responses_event_type(RESPONSES_EVENT_ERROR), str_from_c(json), true);
}

/* ---- to the store */

static void on_appended(void *owner, const struct store_reply *reply);

/* Some of what waits. */
static struct store_op *append(struct run_log *log, store_done_fn *done) {
    const struct event_record *events = log->events + log->begin;
    size_t n = 0, len = 0;
    struct store_op *op;
    while (log->begin + n < log->n && n < EVENT_LOG_APPEND_MAX && (n == 0 || len + len_of(&events[n]) <= APPEND_LEN))
        len += len_of(&events[n++]);
    op = event_log_append(log->lane, log->id, events, n, done, log);
    log->given = events[n - 1].seq;
    log->begin += n;
    if (log->begin == log->n)
        clear(log);
    return op;
}

static void on_due(void *data) {
    run_log_write(data);
}

void run_log_write(struct run_log *log) {
    if (log->begin == log->n || log->op || (loop_timer_active(&log->gathering) && !log->ended))
        return;
    log->op = append(log, on_appended);
    loop_timer_start(log->loop, &log->gathering, GATHER_MS, on_due, log);
}

/* What waits is given up, and the log ends behind what the store has, or is about to have. */
static void break_log(struct run_log *log) {
    clear(log);
    log->broken = true;
    log->sequence = (log->op ? log->given : log->stored) + 1;
    push_error(log);
}

static void on_appended(void *owner, const struct store_reply *reply) {
    struct run_log *log = owner;
    bool first = !log->broken;
    log->op = NULL;
    if (reply->rc == 0) {
        log->stored = log->given;
        run_log_write(log);
        return;
    }
    if (first)
        LOG_WARN("events of a response could not be kept: its stream ends", LOG_S("id", log->id),
                 LOG_C("error", reply->err ? reply->err->text : ""));
    if (!first && reply->rc != VSR_E_UNAVAILABLE) {
        clear(log); /* it takes no end either: who follows it learns that from the record */
        return;
    }
    break_log(log);
    if (first)
        log->op = append(log, on_appended);
    else
        loop_timer_start(log->loop, &log->gathering, RETRY_MS, on_due, log);
}

void run_log_add(struct run_log *log, vsr_str type, vsr_str json) {
    bool last = responses_event_flags(responses_event_find(type)) & RESPONSES_EVENT_ENDS;
    if (log->ended)
        return;
    if (type.len + json.len > EVENT_LOG_BYTES_MAX) {
        log->broken = true;
        push_error(log);
    } else if (log->len + type.len + json.len > EVENT_LOG_BYTES_MAX || log->n - log->begin >= EVENT_LOG_EVENTS_MAX) {
        break_log(log);
    } else {
        push(log, type, json, last);
    }
}

void run_log_done(struct run_log *log) {
    store_op_cancel(log->op); /* it is written all the same */
    log->op = NULL;
    loop_timer_stop(&log->gathering);
    while (log->begin < log->n)
        (void)append(log, NULL);
    arena_free(log->arena);
}
