/*
 * child - a process of ours that is talked to over its standard input and output.
 *
 * It leads a process group, so that stopping it also stops what it started, and a Ctrl-C on the terminal is ours to
 * pass on. Descriptors other than its three are closed in it, signals are as a new process has them. Loop thread only.
 *
 * Inside every event the owner may write and stop the child.
 */
#ifndef VSR_NET_CHILD_H
#define VSR_NET_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct child;
struct loop;

enum { CHILD_QUEUE_MAX = 64 << 20 }; /* bytes that wait for a child that does not read */

struct child_options {
    const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH of `env` when it has no slash */
    const char *const *env;  /* "NAME=value", ends with NULL: all that it gets */
    const char *folder;      /* NULL: that of this process */
};

struct child_events {
    void (*on_out)(void *owner, vsr_str bytes); /* of its standard output; valid during the call */
    void (*on_err)(void *owner, vsr_str bytes);
    /*
     * It ended, and what it wrote has been delivered. `code` is its exit status, or 128 and the signal that ended it.
     * No event follows; it must still be freed with child_stop().
     */
    void (*on_exit)(void *owner, int code);
};

/* `options` is borrowed. VSR_E_NOT_FOUND: no such program; VSR_E_IO. */
int child_start(struct loop *loop, const struct child_options *options, const struct child_events *events, void *owner,
                struct child **ret_child, struct vsr_err *err) VSR_MUST_CHECK;

/* Copies what is not taken at once. VSR_E_LIMIT past CHILD_QUEUE_MAX, VSR_E_CLOSED when it does not read any more. */
int child_write(struct child *child, vsr_str bytes) VSR_MUST_CHECK;

/*
 * Forgets the owner and ends the process in steps: its input ends; `grace_ms` later it gets SIGTERM, and as much later
 * SIGKILL; 0: SIGKILL at once. `on_gone`, which may be NULL, is called when it is over, or at once when it was. NULL is
 * allowed.
 */
void child_stop(struct child *child, uint64_t grace_ms, void (*on_gone)(void *data), void *data);
/* The same again with less patience: SIGKILL now. Only before on_gone. */
void child_kill(struct child *child);

int child_pid(const struct child *child);

#endif
