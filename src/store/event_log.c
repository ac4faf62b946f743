#include "store/event_log.h"

#include "core/arena.h"
#include "store/record_copy.h"
#include "store/store_lane.h"

/* What is counted on from a number does not overflow. */
#define SEQ_MAX (INT64_MAX - 16)

static int check(vsr_str id, const struct event_record *events, size_t n, struct vsr_err *err) {
    int rc = event_id_check(id, err);
    if (rc == 0 && n > EVENT_LOG_APPEND_MAX)
        rc = err_set(err, VSR_E_LIMIT, "%zu events at once; at most %d", n, EVENT_LOG_APPEND_MAX);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (events[i].seq < 0 || events[i].seq > SEQ_MAX || (i && events[i].seq != events[i - 1].seq + 1))
            rc = err_set(err, VSR_E_INVALID, "the numbers of events have to be consecutive");
        else if (event_id_check(events[i].type, NULL) < 0)
            rc = err_set(err, VSR_E_INVALID, "an event has no type that could be kept");
        else if (event_len(&events[i]) > EVENT_LOG_BYTES_MAX)
            rc = err_set(err, VSR_E_LIMIT, "an event is too long");
    }
    return rc;
}

static size_t events_len(const struct event_record *events, size_t n) {
    size_t len = n * sizeof(*events);
    for (size_t i = 0; i < n; i++)
        len += event_len(&events[i]);
    return len;
}

struct store_op *event_log_append(struct store_lane *lane, vsr_str id, const struct event_record *events, size_t n,
                                  store_done_fn *done, void *owner) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = check(id, events, n, &err);
    struct store_op *op = store_lane_make(STORE_OP_APPEND, id, rc == 0 ? events_len(events, n) : 0);
    if (rc == 0) {
        op->new_events = ARENA_ARRAY(op->arena, struct event_record, n);
        for (; rc == 0 && op->n_new_events < n; op->n_new_events += rc == 0)
            rc = event_copy(op->arena, &events[op->n_new_events], &op->new_events[op->n_new_events]);
    }
    if (rc < 0)
        store_op_fail(op, rc, "%s", err.code ? err.text : "no memory for events");
    return store_lane_start(lane, op, done, owner);
}

struct store_op *event_log_read(struct store_lane *lane, vsr_str id, int64_t after, size_t limit, store_done_fn *done,
                                void *owner) {
    bool possible = event_id_check(id, NULL) == 0;
    struct store_op *op = store_lane_make(STORE_OP_READ, possible ? id : VSR_STR(""), 0);
    op->after = after < -1 ? -1 : after > SEQ_MAX ? SEQ_MAX : after;
    op->limit = limit && limit < EVENT_LOG_READ_MAX ? limit : EVENT_LOG_READ_MAX;
    if (!possible)
        store_op_fail(op, VSR_E_NOT_FOUND, "no such log of events");
    return store_lane_start(lane, op, done, owner);
}
