/*
 * run_front - a front end without a client: responses that run in the background (gateway.md 6.5).
 *
 *     POST background:true -> record queued -> run_start() -> the same request once more, detached, with this front end
 *         events of the stream -> event log of the response -> whoever follows it, now or later
 *         the object at the end -> its record             -> whoever polls it
 *
 * A run belongs to a worker and goes on when the client that began it is gone. It ends with its answer, with its record
 * (POST .../cancel and DELETE, also in another process that shares the store, which it notices within two seconds), or
 * with the worker. A record that the store has lost ends nothing: it is written again. Worker thread only.
 */
#ifndef VSR_SERVE_RUN_FRONT_H
#define VSR_SERVE_RUN_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "serve/front.h"

struct request;
struct response_meta;
struct response_record;
struct run;
struct store_reply;
struct worker;

/* A place for one more among `runs_max` that may run here, until run_promise_end(). False: there is none. */
bool run_promise(struct worker *worker, size_t runs_max);
void run_promise_end(struct worker *worker);

/*
 * Runs what this client's request asks for under the response that it was given: `record`, as it was queued. Copies
 * what it needs. The place that the client holds among requests at once becomes the run's.
 */
void run_start(struct request *request, const struct response_record *record);

/* The run behind a request; NULL: a client waits for it. */
struct run *run_of(const struct request *request);
/* Name and birth of the response that a run is for, and its conversation. */
const struct response_meta *run_meta(const struct run *run);

/* Its work begins: the record says so, and is looked at every now and then, since others may end or delete it. */
void run_begins(struct run *run);

/* What it was about to keep was refused, `kept` or `deleted`: it ends as the record says. */
void run_refused(struct run *run, const struct store_reply *reply);

/* The record of that response was ended or deleted: the run, if it is here, looks at it and ends as it says. */
void run_stop(struct worker *worker, vsr_str id);

/* No further ones: on_drained(worker), once, when those that are here have ended, or after `drain_ms`. */
void runs_drain(struct worker *worker, uint64_t drain_ms, void (*on_drained)(void *worker));

/* The worker ends, and they with it. */
void runs_end(struct worker *worker);

#endif
