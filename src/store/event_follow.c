#include "store/event_follow.h"

#include <stdatomic.h>

#include "core/arena.h"
#include "core/mem.h"
#include "net/loop.h"
#include "store/record_copy.h"
#include "store/store_lane.h"
#include "store/store_queue.h"

enum {
    PATIENCE_MS = 15000,
    GONE_MS = 10000, /* after which it is noticed that a log has left which this process writes */
};

struct event_follow {
    struct store_watch watch;
    struct event_follow *prev, *next; /* of its lane */
    int64_t after;
    store_done_fn *fn;
    void *owner;
    struct store_op *op;     /* a read under way; NULL: none */
    struct loop_timer timer; /* the next look */
    uint64_t patience_ms;    /* until when failures are not told */
    uint64_t pause_ms;       /* before the next look at what others may have written */
    bool written_here;       /* its events come from this process: it is woken for each */
    bool paused;
    bool *freed; /* set when the owner frees it inside its call */
};

static void look(struct event_follow *follow);

static void on_timer(void *data) {
    look(data);
}

/* False: the follow is gone. */
static bool tell(struct event_follow *follow, const struct store_reply *reply) {
    bool freed = false;
    follow->freed = &freed;
    follow->fn(follow->owner, reply);
    if (!freed)
        follow->freed = NULL;
    return !freed;
}

/* A place that is away for a moment, or slow, is no reason to end a stream that has begun. */
static bool has_patience(struct event_follow *follow, const struct store_reply *reply) {
    uint64_t now = loop_now_ms(store_lane_loop(follow->watch.lane));
    if (reply->rc == 0) {
        follow->patience_ms = now + PATIENCE_MS;
        return false;
    }
    return reply->rc == VSR_E_UNAVAILABLE && now < follow->patience_ms;
}

static bool is_complete(const struct store_reply *reply) {
    return reply->n_events && reply->events[reply->n_events - 1].last;
}

static void look_later(struct event_follow *follow, uint64_t ms) {
    loop_timer_start(store_lane_loop(follow->watch.lane), &follow->timer, ms, on_timer, follow);
}

/* What nobody tells of is looked for: soon while it comes, and more rarely the longer it does not. */
static void await_more(struct event_follow *follow, bool found) {
    if (follow->written_here || !store_is_shared(store_lane_store(follow->watch.lane)))
        follow->pause_ms = GONE_MS;
    else if (found || follow->pause_ms == 0)
        follow->pause_ms = EVENT_LOG_POLL_MS;
    else if (follow->pause_ms < EVENT_LOG_POLL_MAX_MS)
        follow->pause_ms *= 2;
    look_later(follow, follow->pause_ms);
}

static void on_events(void *owner, const struct store_reply *reply) {
    struct event_follow *follow = owner;
    bool ended = reply->rc < 0 || is_complete(reply), more = reply->n_events == EVENT_LOG_READ_MAX;
    follow->op = NULL;
    if (has_patience(follow, reply)) {
        look_later(follow, EVENT_LOG_POLL_MS);
        return;
    }
    if (reply->n_events)
        follow->after = reply->events[reply->n_events - 1].seq;
    if ((reply->rc < 0 || reply->n_events) && !tell(follow, reply))
        return;
    if (ended)
        event_follow_free(follow);
    else if (more || atomic_load(&follow->watch.woken))
        look(follow);
    else
        await_more(follow, reply->n_events > 0);
}

static void look(struct event_follow *follow) {
    if (follow->paused || follow->op)
        return;
    loop_timer_stop(&follow->timer);
    atomic_store(&follow->watch.woken, false);
    follow->op = event_log_read(follow->watch.lane, follow->watch.id, follow->after, 0, on_events, follow);
}

struct event_follow *event_follow_next(const struct event_follow *follow) {
    return follow->next;
}

void event_follow_wake(struct event_follow *follow) {
    if (!atomic_load(&follow->watch.woken))
        return;
    follow->written_here = true;
    look(follow);
}

void event_follow_pause(struct event_follow *follow) {
    follow->paused = true;
    loop_timer_stop(&follow->timer);
    store_op_cancel(follow->op); /* read again when it resumes */
    follow->op = NULL;
}

void event_follow_resume(struct event_follow *follow) {
    follow->paused = false;
    look(follow);
}

struct event_follow *event_log_follow(struct store_lane *lane, vsr_str id, int64_t after, store_done_fn *fn,
                                      void *owner) {
    struct event_follow *follow = mem_alloc(sizeof(*follow) + id.len), **first = store_lane_follows(lane);
    char *copy = (char *)(follow + 1);
    if (id.len)
        memcpy(copy, id.ptr, id.len);
    follow->watch.id = str_make(copy, id.len);
    follow->watch.lane = lane;
    follow->after = after;
    follow->fn = fn;
    follow->owner = owner;
    follow->next = *first;
    if (*first)
        (*first)->prev = follow;
    *first = follow;
    store_watch_add(store_lane_store(lane), &follow->watch);
    look(follow);
    return follow;
}

void event_follow_free(struct event_follow *follow) {
    struct event_follow **first;
    if (!follow)
        return;
    if (follow->freed)
        *follow->freed = true;
    store_watch_remove(store_lane_store(follow->watch.lane), &follow->watch);
    first = store_lane_follows(follow->watch.lane);
    if (follow->prev)
        follow->prev->next = follow->next;
    else
        *first = follow->next;
    if (follow->next)
        follow->next->prev = follow->prev;
    loop_timer_stop(&follow->timer);
    store_op_cancel(follow->op);
    mem_free(follow);
}
