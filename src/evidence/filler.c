#include "evidence/filler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "evidence/evidence_state.h"
#include "evidence/fill.h"
#include "evidence/lane.h"
#include "route/route.h"

struct job {
    struct evidence_binding **bindings;
    size_t n;
    void (*release)(void *data);
    void *data;
};

struct filler {
    struct evidence *evidence;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest, but for `stop` */
    pthread_cond_t changed;
    struct job *next; /* NULL: nothing new */
    bool ending;
    _Atomic bool stop; /* what runs is superseded */
};

static void job_free(struct job *job) {
    if (!job)
        return;
    job->release(job->data);
    mem_free(job->bindings);
    mem_free(job);
}

static bool is_complete(const struct job *job) {
    struct evidence_fill_state state = { 0 };
    for (size_t i = 0; i < job->n; i++)
        evidence_fill_count(job->bindings[i], &state);
    return state.filled == state.banks;
}

static void warn_alike(void *data, const struct route_alike *alike) {
    (void)data;
    LOG_WARN("two rules of a softmax have nearly the same examples, so it hardly tells them apart",
             LOG_S("partition", alike->partition), LOG_S("rule", alike->a), LOG_S("other", alike->b),
             LOG_D("similarity", alike->similarity));
}

/* Once all examples have their vectors. */
static void check_examples(const struct job *job) {
    for (size_t i = 0; i < job->n; i++)
        if (job->bindings[i])
            route_alike(job->bindings[i]->route, warn_alike, NULL);
}

static void run_job(struct filler *filler, struct evidence_lane *lane, const struct job *job) {
    for (size_t i = 0; i < job->n; i++)
        if (job->bindings[i])
            (void)fill_banks(lane, job->bindings[i], &filler->stop, false); /* looked at as a whole below */
}

static void wait_until(struct filler *filler, uint64_t deadline_ms) {
    struct timespec deadline = { (time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000L };
    if (deadline_ms == 0)
        (void)pthread_cond_wait(&filler->changed, &filler->lock);
    else
        (void)pthread_cond_timedwait(&filler->changed, &filler->lock, &deadline); /* the loop looks at the time */
}

/* With the lock. The next job, or NULL: it is time to try again, or to end. */
static struct job *next_job(struct filler *filler, uint64_t retry_at_ms) {
    struct job *job;
    while (!filler->next && !filler->ending && (retry_at_ms == 0 || clock_mono_ms() < retry_at_ms))
        wait_until(filler, retry_at_ms);
    job = filler->next;
    filler->next = NULL;
    if (!filler->ending)
        atomic_store(&filler->stop, false);
    return job;
}

static void leave_job(struct evidence_lane *lane, struct job *job) {
    for (size_t i = 0; job && i < job->n; i++)
        evidence_lane_forget(lane, job->bindings[i]);
    job_free(job);
}

static void work(struct filler *filler, struct evidence_lane *lane) {
    struct job *job = NULL, *fresh;
    uint64_t retry_ms = 0, retry_at_ms = 0;
    (void)pthread_mutex_lock(&filler->lock);
    for (;;) {
        fresh = next_job(filler, retry_at_ms);
        if (filler->ending && !fresh)
            break;
        (void)pthread_mutex_unlock(&filler->lock);
        if (fresh) {
            leave_job(lane, job);
            job = fresh;
            retry_ms = FILL_RETRY_MS;
        } else {
            retry_ms = retry_ms * 2 < FILL_RETRY_MS_MAX ? retry_ms * 2 : FILL_RETRY_MS_MAX;
        }
        VSR_ASSERT(job != NULL); /* without one there is nothing to try again */
        run_job(filler, lane, job);
        if (is_complete(job)) {
            check_examples(job);
            leave_job(lane, job);
            job = NULL;
        }
        retry_at_ms = job ? clock_mono_ms() + retry_ms : 0;
        (void)pthread_mutex_lock(&filler->lock);
    }
    (void)pthread_mutex_unlock(&filler->lock);
    leave_job(lane, job);
}

static void *main_of(void *data) {
    struct filler *filler = data;
    const struct evidence_lane_options options = { .evidence = filler->evidence, .patient = true };
    struct vsr_err err = VSR_ERR_NONE;
    struct evidence_lane *lane;
    if (evidence_lane_new(&options, &lane, &err) < 0) {
        LOG_ERROR("examples have no vectors", LOG_C("because", err.text));
        return NULL;
    }
    work(filler, lane);
    evidence_lane_free(lane);
    return NULL;
}

static struct filler *filler_new(struct evidence *evidence, struct vsr_err *err) {
    struct filler *filler = MEM_NEW(struct filler);
    pthread_condattr_t monotonic;
    filler->evidence = evidence;
    atomic_init(&filler->stop, false);
    (void)pthread_mutex_init(&filler->lock, NULL); /* cannot fail with default attributes, nor can the others */
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the clock is there */
    (void)pthread_cond_init(&filler->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (pthread_create(&filler->thread, NULL, main_of, filler) == 0)
        return filler;
    (void)err_set(err, VSR_E_LIMIT, "no more threads");
    (void)pthread_cond_destroy(&filler->changed);
    (void)pthread_mutex_destroy(&filler->lock);
    mem_free(filler);
    return NULL;
}

void filler_free(struct filler *filler) {
    if (!filler)
        return;
    (void)pthread_mutex_lock(&filler->lock);
    filler->ending = true;
    atomic_store(&filler->stop, true);
    (void)pthread_cond_signal(&filler->changed);
    (void)pthread_mutex_unlock(&filler->lock);
    (void)pthread_join(filler->thread, NULL);
    job_free(filler->next);
    (void)pthread_cond_destroy(&filler->changed);
    (void)pthread_mutex_destroy(&filler->lock);
    mem_free(filler);
}

static struct filler *need_filler(struct evidence *evidence) {
    struct vsr_err err = VSR_ERR_NONE;
    if (!evidence->filler)
        evidence->filler = filler_new(evidence, &err);
    if (!evidence->filler)
        LOG_ERROR("examples have no vectors", LOG_C("because", err.text));
    return evidence->filler;
}

void evidence_fill_later(struct evidence *evidence, struct evidence_binding *const *bindings, size_t n,
                         void (*release)(void *data), void *data) {
    struct job *job = MEM_NEW(struct job), *old;
    struct filler *filler;
    *job = (struct job){ mem_alloc(n * sizeof(struct evidence_binding *) + 1), n, release, data };
    memcpy(job->bindings, bindings, n * sizeof(struct evidence_binding *));
    if (!evidence->filler && is_complete(job)) { /* nearly always: no thread is needed */
        check_examples(job);
        job_free(job);
        return;
    }
    filler = need_filler(evidence);
    if (!filler) {
        job_free(job);
        return;
    }
    (void)pthread_mutex_lock(&filler->lock);
    old = filler->next;
    filler->next = job;
    atomic_store(&filler->stop, true);
    (void)pthread_cond_signal(&filler->changed);
    (void)pthread_mutex_unlock(&filler->lock);
    job_free(old);
}
