/*
 * scheduler - inference threads that pack the work of many callers into batches.
 *
 * Jobs wait in one bounded queue, by priority and then in the order they came. A thread that is free takes the first
 * one, and with it others of the same kind (one model, one task) up to the budget: there is no waiting for company, so
 * a lone job starts at once, and what arrives during a pass makes up the next. Heavy jobs leave threads and places to
 * others. A job that is too late, or cancelled before it began, is never run; a late one leaves the queue within
 * milliseconds, however long the threads are busy with others. Any thread may submit; done() is called exactly once for
 * each job that was accepted and not cancelled: on an inference thread, of a late job also on the one thread that keeps
 * the deadlines of all, and on that of scheduler_free() when it never ran. It has to be short: the next batch, or the
 * next that is late, waits for it.
 */
#ifndef VSR_NN_SCHEDULER_H
#define VSR_NN_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct scheduler;
struct scheduler_job;

enum scheduler_priority {
    PRIORITY_SAFETY,  /* a request waits for a verdict without which it may not go on */
    PRIORITY_ROUTING, /* a request waits */
    PRIORITY_COMFORT, /* warming up, filling stores */
    PRIORITIES,
};

enum { SCHEDULER_THREADS_MAX = 256, SCHEDULER_BATCH_MAX = 256 };

/* The caller's storage; it stays where it is until done(), or until it was cancelled. */
struct scheduler_job {
    const void *kind; /* jobs of the same kind may run together */
    enum scheduler_priority priority;
    size_t tokens;
    bool heavy; /* takes long: it runs alone, and such jobs have half of the threads at most, or the only one */
    uint64_t deadline_ms; /* of clock_mono_ms(); 0: none */
    /* `rc` 0: it was run. VSR_E_TIMEOUT: too late to begin. VSR_E_CLOSED: the scheduler went away. Others are run's. */
    void (*done)(struct scheduler_job *job, int rc, const struct vsr_err *err);
    void *owner;
    /* The scheduler's own. */
    struct scheduler_job *prev, *next;
    bool queued;
};

struct scheduler_options {
    size_t threads;
    size_t jobs_max;   /* waiting, all together; a priority has an eighth less than the one before, heavy jobs half */
    size_t tokens_max; /* of a batch; a longer job runs alone */
    size_t batch_max;  /* jobs of a batch, at most SCHEDULER_BATCH_MAX */
    /* Runs jobs of one kind together; `thread` is below `threads`. What it returns is told to all of them. */
    int (*run)(void *owner, struct scheduler_job *const *jobs, size_t n, size_t thread, struct vsr_err *err);
    void *owner;
};

struct scheduler_stats {
    uint64_t submitted, refused, expired, cancelled, run, batches, batch_tokens;
    size_t waiting, running; /* now */
};

int scheduler_new(const struct scheduler_options *options, struct scheduler **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* Ends what runs; what waits is told VSR_E_CLOSED. Nobody may submit any more. NULL is allowed. */
void scheduler_free(struct scheduler *scheduler);

/* Keeps `job`. VSR_E_UNAVAILABLE when too many of its priority and better wait: then done() is not called. */
int scheduler_submit(struct scheduler *scheduler, struct scheduler_job *job, struct vsr_err *err) VSR_MUST_CHECK;

/* The same without waking a thread, so that what is submitted until scheduler_wake() can run together. A thread that is
 * awake may begin with it. */
int scheduler_submit_quietly(struct scheduler *scheduler, struct scheduler_job *job,
                             struct vsr_err *err) VSR_MUST_CHECK;
void scheduler_wake(struct scheduler *scheduler);

/*
 * Somebody else needs the result of `job` too: it gets the better of both priorities, at the end of that line, and the
 * later of both deadlines. Nothing happens to a job that has begun.
 */
void scheduler_hurry(struct scheduler *scheduler, struct scheduler_job *job, enum scheduler_priority priority,
                     uint64_t deadline_ms);

/* True: it had not begun, will not, and done() is not called. False: done() has been or will be. */
bool scheduler_cancel(struct scheduler *scheduler, struct scheduler_job *job);

struct scheduler_stats scheduler_stats(struct scheduler *scheduler);

#endif
