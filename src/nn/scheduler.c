#include "nn/scheduler.h"

#include <pthread.h>
#include <time.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"

enum {
    RIDE = 8,     /* what nobody waits for fills up a batch to this part */
    RESERVED = 8, /* each priority leaves this part of the places to the ones before it */
    LATE_MS = 5,  /* between two looks for jobs that are late: one goes through the whole queue */
};

struct line {
    struct scheduler_job *first, *last;
};

struct thread {
    struct scheduler *scheduler;
    size_t index;
    pthread_t id;
};

struct scheduler {
    struct scheduler_options options;
    struct thread *threads;
    size_t n_threads;
    pthread_t keeper;
    bool has_keeper;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t wake;
    pthread_cond_t sooner; /* the keeper's: `late_ms` was brought forward, or the scheduler stops */
    uint64_t late_ms;      /* no job that waits is late before that; UINT64_MAX: none will be */
    struct line lines[PRIORITIES];
    struct scheduler_stats stats;
    size_t n_heavy; /* that run */
    bool stopping;
};

struct batch {
    struct scheduler_job *jobs[SCHEDULER_BATCH_MAX];
    size_t n, tokens;
};

/* ---- the queue; the mutex is held */

static void line_append(struct line *line, struct scheduler_job *job) {
    job->prev = line->last;
    job->next = NULL;
    if (line->last)
        line->last->next = job;
    else
        line->first = job;
    line->last = job;
    job->queued = true;
}

static void line_remove(struct line *line, struct scheduler_job *job) {
    if (job->prev)
        job->prev->next = job->next;
    else
        line->first = job->next;
    if (job->next)
        job->next->prev = job->prev;
    else
        line->last = job->prev;
    job->prev = job->next = NULL;
    job->queued = false;
}

static void take(struct scheduler *scheduler, struct scheduler_job *job, struct batch *batch) {
    line_remove(&scheduler->lines[job->priority], job);
    scheduler->stats.waiting--;
    batch->jobs[batch->n++] = job;
    batch->tokens += job->tokens;
}

static bool is_late(const struct scheduler_job *job, uint64_t now_ms) {
    return job->deadline_ms != 0 && job->deadline_ms <= now_ms;
}

/* Up to a batch of jobs whose time is over. */
static void take_late(struct scheduler *scheduler, uint64_t now_ms, struct batch *batch) {
    for (size_t i = 0; i < PRIORITIES; i++) {
        struct scheduler_job *next;
        for (struct scheduler_job *job = scheduler->lines[i].first; job; job = next) {
            next = job->next;
            if (batch->n < SCHEDULER_BATCH_MAX && is_late(job, now_ms))
                take(scheduler, job, batch);
        }
    }
    scheduler->stats.expired += batch->n;
}

/* What may go with the first job: whoever waits for an answer is not kept waiting for much that nobody waits for. */
static size_t room_for(const struct scheduler *scheduler, const struct batch *batch, const struct scheduler_job *job) {
    bool rides = job->priority == PRIORITY_COMFORT && batch->jobs[0]->priority != PRIORITY_COMFORT;
    return rides ? scheduler->options.tokens_max / RIDE : scheduler->options.tokens_max;
}

static bool fits(const struct scheduler *scheduler, const struct batch *batch, const struct scheduler_job *job) {
    size_t room;
    if (batch->n == 0)
        return !job->heavy || scheduler->n_heavy == 0 || scheduler->n_heavy < scheduler->options.threads / 2;
    if (job->heavy || batch->jobs[0]->heavy)
        return false;
    room = room_for(scheduler, batch, job);
    return batch->n < scheduler->options.batch_max && job->kind == batch->jobs[0]->kind && job->tokens <= room &&
           batch->tokens <= room - job->tokens;
}

/* The first job, and whoever can go with it. A job that does not fit any more is passed by: smaller ones fill the room.
 */
static void take_batch(struct scheduler *scheduler, uint64_t now_ms, struct batch *batch) {
    for (size_t i = 0; i < PRIORITIES; i++) {
        struct scheduler_job *next;
        for (struct scheduler_job *job = scheduler->lines[i].first; job; job = next) {
            next = job->next;
            if (!is_late(job, now_ms) && fits(scheduler, batch, job)) /* more may be late than were told together */
                take(scheduler, job, batch);
        }
    }
    scheduler->n_heavy += batch->n > 0 && batch->jobs[0]->heavy;
    scheduler->stats.running += batch->n;
    scheduler->stats.batches += batch->n > 0;
    scheduler->stats.batch_tokens += batch->tokens;
}

/* ---- threads */

static void tell(const struct batch *batch, int rc, const struct vsr_err *err) {
    for (size_t i = 0; i < batch->n; i++)
        batch->jobs[i]->done(batch->jobs[i], rc, err);
}

static void tell_late(const struct batch *batch) {
    struct vsr_err err;
    tell(batch, err_set(&err, VSR_E_TIMEOUT, "the inference queue was too long for the deadline"), &err);
}

/* The statistics know of a batch before those do who wait for it. */
static void run_batch(struct thread *thread, const struct batch *batch) {
    struct scheduler *scheduler = thread->scheduler;
    const struct scheduler_options *options = &scheduler->options;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = options->run(options->owner, batch->jobs, batch->n, thread->index, &err);
    (void)pthread_mutex_lock(&scheduler->mutex);
    if (batch->jobs[0]->heavy) {
        scheduler->n_heavy--;
        if (scheduler->stats.waiting > 0) /* this thread may go on with something else than the next of them */
            (void)pthread_cond_signal(&scheduler->wake);
    }
    scheduler->stats.running -= batch->n;
    scheduler->stats.run += batch->n;
    (void)pthread_mutex_unlock(&scheduler->mutex);
    tell(batch, rc, &err);
}

/* The mutex is held, and given up meanwhile. */
static void give_up_late(struct scheduler *scheduler, uint64_t now_ms) {
    struct batch late;
    do {
        late.n = 0;
        take_late(scheduler, now_ms, &late);
        (void)pthread_mutex_unlock(&scheduler->mutex);
        tell_late(&late);
        (void)pthread_mutex_lock(&scheduler->mutex);
    } while (late.n == SCHEDULER_BATCH_MAX && !scheduler->stopping);
}

/* The mutex is held: when the first of the jobs that wait will be late. */
static uint64_t first_late_ms(const struct scheduler *scheduler) {
    uint64_t first_ms = UINT64_MAX;
    for (size_t i = 0; i < PRIORITIES; i++)
        for (const struct scheduler_job *job = scheduler->lines[i].first; job; job = job->next)
            if (job->deadline_ms != 0 && job->deadline_ms < first_ms)
                first_ms = job->deadline_ms;
    return first_ms;
}

/* The mutex is held, and given up meanwhile. */
static void sleep_until(struct scheduler *scheduler, uint64_t ms) {
    const struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };
    if (ms == UINT64_MAX)
        (void)pthread_cond_wait(&scheduler->sooner, &scheduler->mutex);
    else
        (void)pthread_cond_timedwait(&scheduler->sooner, &scheduler->mutex, &time); /* whoever asks looks again */
}

/* What is late leaves the queue in time though all threads are busy: it takes nobody's place, and keeps nobody waiting.
 */
static void *keeper_main(void *data) {
    struct scheduler *scheduler = data;
    uint64_t rested_ms = 0;
    (void)pthread_mutex_lock(&scheduler->mutex); /* fails only for a mutex that is none */
    while (!scheduler->stopping) {
        uint64_t now_ms = clock_mono_ms(), due_ms = scheduler->late_ms > rested_ms ? scheduler->late_ms : rested_ms;
        if (now_ms < due_ms) {
            sleep_until(scheduler, due_ms);
            continue;
        }
        give_up_late(scheduler, now_ms);
        scheduler->late_ms = first_late_ms(scheduler);
        rested_ms = now_ms + LATE_MS;
    }
    (void)pthread_mutex_unlock(&scheduler->mutex);
    return NULL;
}

/* The mutex is held, and given up while jobs run. False: it was kept, for nothing that waits may run now. */
static bool work_once(struct thread *thread) {
    struct scheduler *scheduler = thread->scheduler;
    struct batch late = { .n = 0 }, batch = { .n = 0 };
    uint64_t now_ms = clock_mono_ms();
    take_late(scheduler, now_ms, &late);
    take_batch(scheduler, now_ms, &batch);
    if (late.n == 0 && batch.n == 0)
        return false;
    (void)pthread_mutex_unlock(&scheduler->mutex);
    tell_late(&late);
    if (batch.n > 0)
        run_batch(thread, &batch);
    (void)pthread_mutex_lock(&scheduler->mutex);
    return true;
}

static void *thread_main(void *data) {
    struct thread *thread = data;
    struct scheduler *scheduler = thread->scheduler;
    (void)pthread_mutex_lock(&scheduler->mutex); /* fails only for a mutex that is none */
    while (!scheduler->stopping) {
        if (scheduler->stats.waiting == 0 || !work_once(thread))
            (void)pthread_cond_wait(&scheduler->wake, &scheduler->mutex);
    }
    (void)pthread_mutex_unlock(&scheduler->mutex);
    return NULL;
}

/* ---- life */

static int start_threads(struct scheduler *scheduler, struct vsr_err *err) {
    if (pthread_create(&scheduler->keeper, NULL, keeper_main, scheduler) != 0)
        return err_set(err, VSR_E_NOMEM, "cannot start the thread that looks after deadlines");
    scheduler->has_keeper = true;
    scheduler->threads = mem_alloc(scheduler->options.threads * sizeof(*scheduler->threads));
    for (size_t i = 0; i < scheduler->options.threads; i++) {
        struct thread *thread = &scheduler->threads[i];
        *thread = (struct thread){ .scheduler = scheduler, .index = i };
        if (pthread_create(&thread->id, NULL, thread_main, thread) != 0)
            return err_set(err, VSR_E_NOMEM, "cannot start inference thread %zu", i + 1);
        scheduler->n_threads++;
    }
    return 0;
}

int scheduler_new(const struct scheduler_options *options, struct scheduler **ret, struct vsr_err *err) {
    struct scheduler *scheduler;
    pthread_condattr_t monotonic;
    int rc;
    if (options->threads == 0 || options->threads > SCHEDULER_THREADS_MAX || options->jobs_max == 0 ||
        options->batch_max == 0 || options->batch_max > SCHEDULER_BATCH_MAX)
        return err_set(err, VSR_E_INVALID, "a scheduler needs 1 to %d threads, room for jobs, and batches of 1 to %d",
                       SCHEDULER_THREADS_MAX, SCHEDULER_BATCH_MAX);
    scheduler = MEM_NEW(struct scheduler);
    scheduler->options = *options;
    scheduler->late_ms = UINT64_MAX;
    (void)pthread_mutex_init(&scheduler->mutex, NULL); /* cannot fail with default attributes, nor can the others */
    (void)pthread_cond_init(&scheduler->wake, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the clock is there */
    (void)pthread_cond_init(&scheduler->sooner, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    rc = start_threads(scheduler, err);
    if (rc < 0) {
        scheduler_free(scheduler);
        return rc;
    }
    *ret = scheduler;
    return 0;
}

static void tell_closed(struct scheduler *scheduler) {
    struct vsr_err err;
    int rc = err_set(&err, VSR_E_CLOSED, "inference was stopped");
    for (size_t i = 0; i < PRIORITIES; i++) {
        while (scheduler->lines[i].first) {
            struct scheduler_job *job = scheduler->lines[i].first;
            line_remove(&scheduler->lines[i], job);
            job->done(job, rc, &err);
        }
    }
}

void scheduler_free(struct scheduler *scheduler) {
    if (!scheduler)
        return;
    (void)pthread_mutex_lock(&scheduler->mutex);
    scheduler->stopping = true;
    (void)pthread_cond_broadcast(&scheduler->wake);
    (void)pthread_cond_signal(&scheduler->sooner);
    (void)pthread_mutex_unlock(&scheduler->mutex);
    if (scheduler->has_keeper)
        (void)pthread_join(scheduler->keeper, NULL);
    for (size_t i = 0; i < scheduler->n_threads; i++)
        (void)pthread_join(scheduler->threads[i].id, NULL);
    tell_closed(scheduler);
    (void)pthread_cond_destroy(&scheduler->sooner);
    (void)pthread_cond_destroy(&scheduler->wake);
    (void)pthread_mutex_destroy(&scheduler->mutex);
    mem_free(scheduler->threads);
    mem_free(scheduler);
}

/* The last places are for the better priorities: a store that is being filled does not keep safety out. The last half
 * is not for heavy jobs: they would keep others out for long. */
static size_t places_for(const struct scheduler *scheduler, const struct scheduler_job *job) {
    size_t max = scheduler->options.jobs_max, places = max - max / RESERVED * job->priority;
    return job->heavy ? (places + 1) / 2 : places;
}

/* With the mutex. A deadline that is put off later needs nothing: the keeper looks once too often. */
static void watch(struct scheduler *scheduler, const struct scheduler_job *job) {
    if (job->deadline_ms == 0 || job->deadline_ms >= scheduler->late_ms)
        return;
    scheduler->late_ms = job->deadline_ms;
    (void)pthread_cond_signal(&scheduler->sooner);
}

static int submit(struct scheduler *scheduler, struct scheduler_job *job, bool wake, struct vsr_err *err) {
    size_t places = places_for(scheduler, job);
    bool full;
    VSR_DEBUG_ASSERT(!job->queued && job->priority < PRIORITIES);
    (void)pthread_mutex_lock(&scheduler->mutex);
    full = scheduler->stats.waiting >= places;
    if (full) {
        scheduler->stats.refused++;
    } else {
        line_append(&scheduler->lines[job->priority], job);
        scheduler->stats.submitted++;
        scheduler->stats.waiting++;
        watch(scheduler, job);
        if (wake)
            (void)pthread_cond_signal(&scheduler->wake);
    }
    (void)pthread_mutex_unlock(&scheduler->mutex);
    if (full)
        return err_set(err, VSR_E_UNAVAILABLE, "the inference queue is full: %zu jobs wait", places);
    return 0;
}

int scheduler_submit(struct scheduler *scheduler, struct scheduler_job *job, struct vsr_err *err) {
    return submit(scheduler, job, true, err);
}

int scheduler_submit_quietly(struct scheduler *scheduler, struct scheduler_job *job, struct vsr_err *err) {
    return submit(scheduler, job, false, err);
}

void scheduler_wake(struct scheduler *scheduler) {
    (void)pthread_mutex_lock(&scheduler->mutex);
    if (scheduler->stats.waiting > 0)
        (void)pthread_cond_broadcast(&scheduler->wake);
    (void)pthread_mutex_unlock(&scheduler->mutex);
}

void scheduler_hurry(struct scheduler *scheduler, struct scheduler_job *job, enum scheduler_priority priority,
                     uint64_t deadline_ms) {
    (void)pthread_mutex_lock(&scheduler->mutex);
    if (job->queued) {
        if (deadline_ms == 0 || (job->deadline_ms != 0 && job->deadline_ms < deadline_ms))
            job->deadline_ms = deadline_ms;
        if (priority < job->priority) {
            line_remove(&scheduler->lines[job->priority], job);
            job->priority = priority;
            line_append(&scheduler->lines[priority], job);
        }
    }
    (void)pthread_mutex_unlock(&scheduler->mutex);
}

bool scheduler_cancel(struct scheduler *scheduler, struct scheduler_job *job) {
    bool queued;
    (void)pthread_mutex_lock(&scheduler->mutex);
    queued = job->queued;
    if (queued) {
        line_remove(&scheduler->lines[job->priority], job);
        scheduler->stats.waiting--;
        scheduler->stats.cancelled++;
    }
    (void)pthread_mutex_unlock(&scheduler->mutex);
    return queued;
}

struct scheduler_stats scheduler_stats(struct scheduler *scheduler) {
    struct scheduler_stats stats;
    (void)pthread_mutex_lock(&scheduler->mutex);
    stats = scheduler->stats;
    (void)pthread_mutex_unlock(&scheduler->mutex);
    return stats;
}
