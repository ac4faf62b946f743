/*
 * store_op - one operation on its way through the store. Private to store/.
 *
 * Made on a lane's thread, executed on the store's, answered on the lane's again; at each time one of them has it.
 */
#ifndef VSR_STORE_STORE_OP_H
#define VSR_STORE_STORE_OP_H

#include "store/event_log.h"
#include "store/response_store.h"

struct arena;

enum store_op_kind {
    STORE_OP_PUT,
    STORE_OP_PROGRESS,
    STORE_OP_GET,
    STORE_OP_CHAIN,
    STORE_OP_DELETE,
    STORE_OP_APPEND,
    STORE_OP_READ,
    STORE_OP_KINDS,
    STORE_OP_CONFIGURE = STORE_OP_KINDS, /* of the store itself */
};

struct store_op {
    struct store_op *next;                  /* in the queue, and in the lane's list of answers */
    struct store_op *lane_prev, *lane_next; /* among those that the lane waits for; loop thread only */
    struct store_lane *lane;                /* NULL: nobody waits */
    enum store_op_kind kind;
    struct arena *arena; /* of what was asked and of the answer */
    size_t len;          /* of what it carries */

    /* what was asked */
    struct response_record record; /* of the others than put only the id */
    bool update;                   /* put: also in place of the same end */
    bool held; /* memory writes to the place what it has answered for: a gap in a log is allowed, and what is deleted
                  stays so even if it was never there */
    unsigned hops_max;
    int64_t after;
    size_t limit;
    struct event_record *new_events;
    size_t n_new_events;
    const struct response_store_options *options;

    /* the answer */
    bool settled;
    int rc;
    struct vsr_err *err;
    struct response_record *records;
    size_t n_records;
    bool kept, deleted;
    struct event_record *events;
    size_t n_events;

    /* loop thread only */
    store_done_fn *done;
    void *owner;
    uint64_t due_ms; /* of a read */
    bool dropped;    /* cancelled or timed out: the answer goes to nobody */
};

static inline bool store_op_is_read(const struct store_op *op) {
    return op->kind == STORE_OP_GET || op->kind == STORE_OP_CHAIN || op->kind == STORE_OP_READ;
}

/* Whether something is lost when it is not done. */
static inline bool store_op_is_write(const struct store_op *op) {
    return !store_op_is_read(op) && op->kind != STORE_OP_PROGRESS;
}

void store_op_free(struct store_op *op);

/* ---- for those who execute it */

void store_op_settle(struct store_op *op);
void store_op_fail(struct store_op *op, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A copy joins the answer. VSR_E_NOMEM. */
int store_op_add_record(struct store_op *op, const struct response_record *record);
int store_op_add_event(struct store_op *op, const struct event_record *event);
/* What records were read youngest first is answered oldest first. */
void store_op_reverse(struct store_op *op);
/* Whether a record of that id is in the answer. */
bool store_op_has(const struct store_op *op, vsr_str id);
/* Forgets an answer that was begun, so that it can be executed again. */
void store_op_restart(struct store_op *op);
/* How a put, or a progress, ends that has changed nothing. Each settles it. */
void store_op_settle_kept(struct store_op *op);
void store_op_fail_absent(struct store_op *op, bool deleted);
/* How an append ends that would leave a gap behind `last_seq`; below 0: behind no log. Settles it. */
void store_op_refuse_gap(struct store_op *op, int64_t last_seq);
/* Whether an append whose first new event is that one would leave a gap which is not allowed. */
bool store_op_leaves_gap(const struct store_op *op, size_t first_new, int64_t last_seq);
/* How a read of events ends that had `first` as the oldest and no new one may be missing. Settles it. */
void store_op_settle_events(struct store_op *op, int64_t first);

#endif
