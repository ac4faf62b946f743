#include "store/store_lane.h"

#include <pthread.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "net/bell.h"
#include "net/loop.h"
#include "store/event_follow.h"
#include "store/record_copy.h"
#include "store/store_op.h"
#include "store/store_queue.h"

struct store_lane {
    struct response_store *store;
    struct loop *loop;
    struct event_follow *follows;
    struct store_op *waiting, *waiting_last; /* what has not been answered, oldest first */
    struct loop_timer timer;                 /* for the oldest read */

    pthread_mutex_t lock; /* guards the rest */
    struct bell *bell;    /* NULL: the lane is gone, but for what is still under way */
    struct store_op *answers, **answers_last;
    size_t n_out; /* operations that will be answered */
};

/* ---- what the lane waits for */

static void link_op(struct store_lane *lane, struct store_op *op) {
    op->lane_prev = lane->waiting_last;
    op->lane_next = NULL;
    if (lane->waiting_last)
        lane->waiting_last->lane_next = op;
    else
        lane->waiting = op;
    lane->waiting_last = op;
}

static void unlink_op(struct store_lane *lane, struct store_op *op) {
    if (op->lane_prev)
        op->lane_prev->lane_next = op->lane_next;
    else
        lane->waiting = op->lane_next;
    if (op->lane_next)
        op->lane_next->lane_prev = op->lane_prev;
    else
        lane->waiting_last = op->lane_prev;
}

/* It comes back, to nobody. */
static void drop(struct store_lane *lane, struct store_op *op) {
    unlink_op(lane, op);
    op->dropped = true;
}

static void on_timer(void *data);

/* The oldest read is the first one that is due. */
static void arm_timer(struct store_lane *lane) {
    struct store_op *op = lane->waiting;
    uint64_t now = loop_now_ms(lane->loop);
    while (op && !store_op_is_read(op))
        op = op->lane_next;
    if (op)
        loop_timer_start(lane->loop, &lane->timer, op->due_ms > now ? op->due_ms - now : 1, on_timer, lane);
    else
        loop_timer_stop(&lane->timer);
}

static void on_timer(void *data) {
    struct store_lane *lane = data;
    struct vsr_err err = VSR_ERR_NONE;
    const struct store_reply reply = { .rc = VSR_E_UNAVAILABLE, .err = &err };
    struct store_op *op = lane->waiting;
    (void)err_set(&err, VSR_E_UNAVAILABLE, "the store did not answer within %llu ms",
                  (unsigned long long)store_read_ms(lane->store));
    while (op && !(store_op_is_read(op) && op->due_ms <= loop_now_ms(lane->loop)))
        op = op->lane_next;
    if (op)
        drop(lane, op);
    arm_timer(lane);
    if (op)
        op->done(op->owner, &reply);
}

/* ---- answers */

void store_lane_ring(struct store_lane *lane) {
    bell_ring(lane->bell);
}

static void free_lane(struct store_lane *lane) {
    (void)pthread_mutex_destroy(&lane->lock);
    mem_free(lane);
}

void store_lane_answer(struct store_lane *lane, struct store_op *op) {
    bool last;
    (void)pthread_mutex_lock(&lane->lock);
    if (lane->bell) { /* else nobody waits any more */
        op->next = NULL;
        *lane->answers_last = op;
        lane->answers_last = &op->next;
        bell_ring(lane->bell);
        op = NULL;
    }
    lane->n_out--;
    last = !lane->bell && lane->n_out == 0;
    (void)pthread_mutex_unlock(&lane->lock);
    store_op_free(op);
    if (last)
        free_lane(lane);
}

static struct store_op *take_answer(struct store_lane *lane) {
    struct store_op *op;
    (void)pthread_mutex_lock(&lane->lock);
    op = lane->answers;
    if (op) {
        lane->answers = op->next;
        if (!lane->answers)
            lane->answers_last = &lane->answers;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return op;
}

static void tell(struct store_op *op) {
    const struct store_reply reply = {
        .rc = op->rc,
        .records = op->records,
        .n = op->rc == 0 ? op->n_records : 0,
        .kept = op->kept,
        .deleted = op->deleted,
        .events = op->events,
        .n_events = op->rc == 0 ? op->n_events : 0,
        .err = op->rc < 0 ? op->err : NULL,
    };
    op->done(op->owner, &reply);
}

/* An owner may do anything in its callback but free the lane. */
static void on_bell(void *data) {
    struct store_lane *lane = data;
    struct store_op *op;
    while ((op = take_answer(lane))) {
        if (!op->dropped) {
            unlink_op(lane, op);
            tell(op);
        }
        store_op_free(op);
    }
    arm_timer(lane);
    for (struct event_follow *follow = lane->follows, *next; follow; follow = next) {
        next = event_follow_next(follow);
        event_follow_wake(follow);
    }
}

/* ---- operations */

struct store_op *store_lane_make(enum store_op_kind kind, vsr_str id, size_t len) {
    struct store_op *op = MEM_NEW(struct store_op);
    op->kind = kind;
    op->len = len + sizeof(*op);
    op->arena = arena_new(len + 256, 0);
    if (kind != STORE_OP_PUT)
        op->record.id = arena_str(op->arena, id);
    return op;
}

static void refuse(struct store_lane *lane, struct store_op *op) {
    if (!op->settled)
        store_op_fail(op, VSR_E_UNAVAILABLE, "too much waits for the store already");
    if (lane)
        store_lane_answer(lane, op);
    else
        store_op_free(op);
}

struct store_op *store_lane_start(struct store_lane *lane, struct store_op *op, store_done_fn *done, void *owner) {
    VSR_ASSERT(loop_on_thread(lane->loop));
    op->done = done;
    op->owner = owner;
    if (done) {
        op->lane = lane;
        op->due_ms = loop_now_ms(lane->loop) + store_read_ms(lane->store);
        link_op(lane, op);
        (void)pthread_mutex_lock(&lane->lock);
        lane->n_out++;
        (void)pthread_mutex_unlock(&lane->lock);
        if (store_op_is_read(op) && !loop_timer_active(&lane->timer))
            arm_timer(lane);
    }
    if (op->settled || !store_enqueue(lane->store, op))
        refuse(op->lane, op);
    return done ? op : NULL;
}

void store_op_cancel(struct store_op *op) {
    if (op)
        drop(op->lane, op);
}

static struct store_op *make_put(const struct response_record *record) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = record_check(record, &err);
    struct store_op *op = store_lane_make(STORE_OP_PUT, record->id, rc == 0 ? record_len(record) : 0);
    if (rc == 0)
        rc = record_copy(op->arena, record, &op->record);
    if (rc < 0)
        store_op_fail(op, rc, "%s", err.code ? err.text : "no memory for a response");
    return op;
}

struct store_op *response_store_put(struct store_lane *lane, const struct response_record *record, store_done_fn *done,
                                    void *owner) {
    return store_lane_start(lane, make_put(record), done, owner);
}

struct store_op *response_store_update(struct store_lane *lane, const struct response_record *record,
                                       store_done_fn *done, void *owner) {
    struct store_op *op = make_put(record);
    op->update = true;
    return store_lane_start(lane, op, done, owner);
}

/* Of a record that is there or not: an id that no record can have is not there. */
static struct store_op *make_for(enum store_op_kind kind, vsr_str id) {
    bool possible = event_id_check(id, NULL) == 0;
    struct store_op *op = store_lane_make(kind, possible ? id : VSR_STR(""), 0);
    if (!possible)
        store_op_fail(op, VSR_E_NOT_FOUND, "no such response");
    return op;
}

struct store_op *response_store_get(struct store_lane *lane, vsr_str id, store_done_fn *done, void *owner) {
    return store_lane_start(lane, make_for(STORE_OP_GET, id), done, owner);
}

struct store_op *response_store_chain(struct store_lane *lane, vsr_str id, unsigned hops_max, store_done_fn *done,
                                      void *owner) {
    struct store_op *op = make_for(STORE_OP_CHAIN, id);
    op->hops_max = hops_max && hops_max < STORE_CHAIN_HOPS_MAX ? hops_max : STORE_CHAIN_HOPS_MAX;
    return store_lane_start(lane, op, done, owner);
}

struct store_op *response_store_progress(struct store_lane *lane, vsr_str id, store_done_fn *done, void *owner) {
    return store_lane_start(lane, make_for(STORE_OP_PROGRESS, id), done, owner);
}

struct store_op *response_store_delete(struct store_lane *lane, vsr_str id, store_done_fn *done, void *owner) {
    return store_lane_start(lane, make_for(STORE_OP_DELETE, id), done, owner);
}

/* ---- follows */

struct event_follow **store_lane_follows(struct store_lane *lane) {
    return &lane->follows;
}

struct response_store *store_lane_store(const struct store_lane *lane) {
    return lane->store;
}

struct loop *store_lane_loop(const struct store_lane *lane) {
    return lane->loop;
}

/* ---- life */

int store_lane_new(struct response_store *store, struct loop *loop, struct store_lane **ret_lane, struct vsr_err *err) {
    struct store_lane *lane = MEM_NEW(struct store_lane);
    int rc = bell_new(loop, on_bell, lane, &lane->bell, err);
    if (rc < 0) {
        mem_free(lane);
        return rc;
    }
    lane->store = store;
    lane->loop = loop;
    lane->answers_last = &lane->answers;
    (void)pthread_mutex_init(&lane->lock, NULL); /* default attributes cannot fail */
    *ret_lane = lane;
    return 0;
}

void store_lane_free(struct store_lane *lane) {
    struct store_op *op;
    struct bell *bell;
    bool last;
    if (!lane)
        return;
    while (lane->follows)
        event_follow_free(lane->follows);
    loop_timer_stop(&lane->timer);
    while ((op = take_answer(lane)))
        store_op_free(op);
    (void)pthread_mutex_lock(&lane->lock);
    bell = lane->bell;
    lane->bell = NULL;
    op = lane->answers; /* those that came in between */
    lane->answers = NULL;
    last = lane->n_out == 0;
    (void)pthread_mutex_unlock(&lane->lock);
    bell_free(bell);
    while (op) {
        struct store_op *next = op->next;
        store_op_free(op);
        op = next;
    }
    if (last)
        free_lane(lane);
}
