#include "serve/admission.h"

#include <pthread.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"

struct places {
    struct admission_place *first, *last;
    size_t n;
};

struct admission {
    pthread_mutex_t lock;
    struct admission_limits limits; /* the latest that somebody came with */
    size_t n_active, n_queued;
    struct places queues[ADMISSION_PRIORITIES];
    uint64_t left_us;   /* when a place last came free */
    double interval_us; /* between two that come free while somebody waits, averaged */
};

struct admission_lane {
    struct admission *admission;
    struct loop *loop;
    struct places told; /* places whose owners are to be told; under the lock */
    bool is_posted;
};

struct admission *admission_new(void) {
    struct admission *admission = MEM_NEW(struct admission);
    pthread_mutex_init(&admission->lock, NULL);
    return admission;
}

void admission_free(struct admission *admission) {
    if (!admission)
        return;
    VSR_ASSERT(admission->n_active == 0 && admission->n_queued == 0);
    pthread_mutex_destroy(&admission->lock);
    mem_free(admission);
}

struct admission_lane *admission_lane_new(struct admission *admission, struct loop *loop) {
    struct admission_lane *lane = MEM_NEW(struct admission_lane);
    lane->admission = admission;
    lane->loop = loop;
    return lane;
}

void admission_lane_free(struct admission_lane *lane) {
    VSR_ASSERT(!lane || !lane->told.first);
    mem_free(lane);
}

/* ---- lists */

static void append(struct places *list, struct admission_place *place) {
    place->next = NULL;
    place->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = place;
    list->last = place;
    list->n++;
}

static void unlink_place(struct places *list, struct admission_place *place) {
    *(place->prev ? &place->prev->next : &list->first) = place->next;
    *(place->next ? &place->next->prev : &list->last) = place->prev;
    place->prev = place->next = NULL;
    list->n--;
}

/* ---- telling, on the loop of who waits */

/* The next place whose owner is to be told; it is the owner's again. NULL: none. */
static struct admission_place *next_told(struct admission_lane *lane) {
    struct admission_place *place;
    (void)pthread_mutex_lock(&lane->admission->lock);
    place = lane->told.first;
    if (place) {
        unlink_place(&lane->told, place);
        place->state = place->granted;
    } else {
        lane->is_posted = false;
    }
    (void)pthread_mutex_unlock(&lane->admission->lock);
    return place;
}

static void tell(void *data) {
    struct admission_lane *lane = data;
    for (struct admission_place *place; (place = next_told(lane));) {
        loop_timer_stop(&place->timer);
        place->done(place->owner);
    }
}

/* The lane lives: it has a place that has not been left. */
static void post(struct admission_place *place, enum admission_state granted) {
    struct admission_lane *lane = place->lane;
    place->granted = granted;
    append(&lane->told, place);
    if (lane->is_posted)
        return;
    lane->is_posted = true;
    loop_post(lane->loop, tell, lane);
}

/* ---- places, under the lock */

static void take_place(struct admission *admission, struct admission_place *place) {
    admission->n_active++;
    place->counted = true;
}

static bool has_room(const struct admission *admission) {
    return admission->limits.active_max == 0 || admission->n_active < admission->limits.active_max;
}

static void leave_queue(struct admission *admission, struct admission_place *place) {
    unlink_place(&admission->queues[place->priority], place);
    admission->n_queued--;
}

/* Lets in who waits, as far as there is room. */
static void fill(struct admission *admission) {
    for (unsigned priority = ADMISSION_PRIORITIES; priority-- > 0;) {
        struct admission_place *place;
        while ((place = admission->queues[priority].first) && has_room(admission)) {
            leave_queue(admission, place);
            take_place(admission, place);
            post(place, ADMISSION_IN);
        }
    }
}

/* How long until somebody of that priority would be let in, by the pace of late. Asked for each that is turned away, so
 * that its cost may not grow with the queue. */
static unsigned retry_after_s(const struct admission *admission, unsigned priority) {
    size_t n_before = 1;
    double seconds;
    for (unsigned p = priority; p < ADMISSION_PRIORITIES; p++)
        n_before += admission->queues[p].n;
    seconds = (double)n_before * admission->interval_us / 1e6;
    if (seconds >= ADMISSION_RETRY_MAX_S)
        return ADMISSION_RETRY_MAX_S;
    return seconds > 1 ? (unsigned)(seconds + 0.999) : 1;
}

/* Turns away the newest of the lowest priority below `priority`. False: nobody is less important. */
static bool shed_for(struct admission *admission, unsigned priority) {
    for (unsigned p = 0; p < priority; p++) {
        struct admission_place *place = admission->queues[p].last;
        if (!place)
            continue;
        leave_queue(admission, place);
        place->retry_after_s = retry_after_s(admission, p);
        post(place, ADMISSION_SHED);
        return true;
    }
    return false;
}

/* Only while somebody waits does the time between two that leave say how fast places come free. */
static void note_pace(struct admission *admission) {
    uint64_t now_us = clock_mono_ns() / 1000;
    if (admission->n_queued > 0 && admission->left_us) {
        double interval_us = (double)(now_us - admission->left_us);
        admission->interval_us += (interval_us - admission->interval_us) / (admission->interval_us > 0 ? 16 : 1);
    }
    admission->left_us = now_us;
}

/* ---- coming and going */

static void on_timeout(void *data) {
    struct admission_place *place = data;
    struct admission *admission = place->lane->admission;
    bool waits;
    (void)pthread_mutex_lock(&admission->lock);
    waits = place->granted == ADMISSION_WAITING; /* else it is about to be told */
    if (waits) {
        leave_queue(admission, place);
        place->retry_after_s = retry_after_s(admission, place->priority);
        place->state = place->granted = ADMISSION_SHED;
    }
    (void)pthread_mutex_unlock(&admission->lock);
    if (waits)
        place->done(place->owner);
}

static enum admission_state enter(struct admission *admission, struct admission_place *place) {
    if (admission->limits.active_max == 0)
        return ADMISSION_IN;
    fill(admission); /* a new limit may have room for those who wait: they came first */
    if (has_room(admission)) {
        take_place(admission, place);
        return ADMISSION_IN;
    }
    if (admission->limits.timeout_ms == 0 || admission->limits.queued_max == 0 ||
        (admission->n_queued >= admission->limits.queued_max && !shed_for(admission, place->priority))) {
        place->retry_after_s = retry_after_s(admission, place->priority);
        return ADMISSION_SHED;
    }
    append(&admission->queues[place->priority], place);
    admission->n_queued++;
    return ADMISSION_WAITING;
}

enum admission_state admission_enter(struct admission_lane *lane, const struct admission_limits *limits,
                                     unsigned priority, struct admission_place *place, void (*done)(void *owner),
                                     void *owner) {
    struct admission *admission = lane->admission;
    VSR_ASSERT(place->state == ADMISSION_OUT && priority < ADMISSION_PRIORITIES);
    place->lane = lane;
    place->priority = priority;
    place->done = done;
    place->owner = owner;
    (void)pthread_mutex_lock(&admission->lock);
    admission->limits = *limits;
    place->state = place->granted = enter(admission, place);
    (void)pthread_mutex_unlock(&admission->lock);
    if (place->state == ADMISSION_WAITING)
        loop_timer_start(lane->loop, &place->timer, limits->timeout_ms, on_timeout, place);
    return place->state;
}

void admission_leave(struct admission_place *place) {
    struct admission *admission;
    if (place->state == ADMISSION_OUT)
        return;
    admission = place->lane->admission;
    loop_timer_stop(&place->timer);
    (void)pthread_mutex_lock(&admission->lock);
    if (place->state == ADMISSION_WAITING && place->granted == ADMISSION_WAITING)
        leave_queue(admission, place);
    else if (place->state == ADMISSION_WAITING)
        unlink_place(&place->lane->told, place);
    if (place->counted) {
        admission->n_active--;
        note_pace(admission);
    }
    place->counted = false;
    place->state = ADMISSION_OUT;
    fill(admission);
    (void)pthread_mutex_unlock(&admission->lock);
}

struct admission_counts admission_counts(struct admission *admission) {
    struct admission_counts counts;
    (void)pthread_mutex_lock(&admission->lock);
    counts = (struct admission_counts){ .active = admission->n_active, .queued = admission->n_queued };
    (void)pthread_mutex_unlock(&admission->lock);
    return counts;
}
