/*
 * lane_state - what a lane holds. Private to evidence/.
 */
#ifndef VSR_EVIDENCE_LANE_STATE_H
#define VSR_EVIDENCE_LANE_STATE_H

#include "evidence/lane.h"

struct builtin_scratch;
struct mailbox;

struct lane_remote {
    struct lane_remote *next;
    const struct evidence_binding *binding;
    uint32_t source;
    struct remote_client *client;
};

struct evidence_lane {
    struct evidence *evidence;
    struct loop *loop;
    struct client *client;
    bool owns_loop, owns_client, patient;
    struct mailbox *mailbox;
    struct builtin_scratch *scratch; /* made when a built-in model is asked first */
    struct lane_remote *remotes;
    size_t n_runs;
};

/* The client that asks this source, made when absent. */
int lane_remote(struct evidence_lane *lane, const struct evidence_binding *binding, uint32_t source,
                struct remote_client **ret, struct vsr_err *err) VSR_MUST_CHECK;

#endif
