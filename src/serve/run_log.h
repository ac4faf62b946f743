/*
 * run_log - the writer of an event log: the events of a response that runs in the background, on their way to the
 * store.
 *
 * Written together, twenty times a second at most, one append at a time: what comes meanwhile waits here. A log that
 * the store does not take any further, or whose writer has to wait for too long, ends with an event `error`, so that
 * whoever follows it learns that something is missing; the response goes on. Worker thread only.
 */
#ifndef VSR_SERVE_RUN_LOG_H
#define VSR_SERVE_RUN_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "net/loop.h"

struct arena;
struct event_record;
struct store_lane;
struct store_op;

struct run_log {
    struct loop *loop;
    struct store_lane *lane;
    vsr_str id;            /* of the response */
    int64_t sequence;      /* of the next event */
    int64_t given, stored; /* the last event that the store was given, and that it has */
    bool ended;            /* the last event is among them */
    bool broken;           /* by an error */

    /* what the store has not been given yet */
    struct arena *arena;
    struct event_record *events; /* events[begin..n) */
    size_t begin, n, cap, len;
    struct store_op *op;         /* an append under way */
    struct loop_timer gathering; /* since the last one */
};

/* `sequence`: of the first event; those before it are in the store. Keeps `loop`, `lane`, `id`. */
void run_log_init(struct run_log *log, struct loop *loop, struct store_lane *lane, vsr_str id, int64_t sequence);
/* Gives the store what is left. */
void run_log_done(struct run_log *log);

/* Nothing when it has ended. Copies. */
void run_log_add(struct run_log *log, vsr_str type, vsr_str json);
/* What was added is written: the first ones at once, what follows them soon together, and the end at once. */
void run_log_write(struct run_log *log);

#endif
