/*
 * lane - what one thread needs to obtain evidence: its loop, connections to servers that are asked, and a mailbox for
 * what models answer on their threads.
 *
 * Connections to a server are made when it is asked first, and belong to the recipe that asks: they end with its
 * binding. Loop thread only.
 */
#ifndef VSR_EVIDENCE_LANE_H
#define VSR_EVIDENCE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct client;
struct evidence;
struct evidence_binding;
struct evidence_lane;
struct loop;
struct remote_client;

struct evidence_lane_options {
    struct evidence *evidence; /* kept, as are the next two */
    struct loop *loop;         /* NULL: a loop of its own, for callers who wait (evidence_run_wait()) */
    struct client *client;     /* NULL: a client of its own, made when a server is asked first */
    bool patient; /* models that are being loaded are waited for, however they are loaded: nobody else is served */
};

int evidence_lane_new(const struct evidence_lane_options *options, struct evidence_lane **ret,
                      struct vsr_err *err) VSR_MUST_CHECK;
/* Runs must be over; the loop runs no more. NULL is allowed. */
void evidence_lane_free(struct evidence_lane *lane);

/* What the last request's texts gave is not used for the next one even if they are the same: for measurements. */
void evidence_lane_refresh(struct evidence_lane *lane);

/* No run is under way. */
bool evidence_lane_is_idle(const struct evidence_lane *lane);

/* Begins the sessions with tool servers that the recipe asks, which live as long as its use here. NULL is allowed. */
void evidence_lane_begin(struct evidence_lane *lane, const struct evidence_binding *binding);

/* The recipe is used by this thread no more, and its runs here are over. NULL is allowed. */
void evidence_lane_forget(struct evidence_lane *lane, const struct evidence_binding *binding);

#endif
