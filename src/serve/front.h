/*
 * front - how the pipeline answers, whatever the request came in by.
 *
 * The pipeline knows no sockets: it emits abstract actions, and each front end (HTTP listener; later ext_proc) lowers
 * them to its own wire form. All calls are on the worker's thread. After end() or abort() the request may be gone.
 */
#ifndef VSR_SERVE_FRONT_H
#define VSR_SERVE_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "net/http1.h"

struct front_ops {
    /* Starts an answer. `length` -1: unknown. */
    void (*head)(void *handle, int status, const struct http1_field *fields, size_t n_fields, int64_t length);
    void (*body)(void *handle, vsr_str bytes);
    void (*end)(void *handle);
    /* Takes back what was answered while no byte of it has gone out; head() may follow again. False: too late. */
    bool (*retract)(void *handle);
    /* The client must not take what it got for a complete answer. */
    void (*abort)(void *handle);
    /* Bytes that wait for the client. */
    size_t (*queued)(void *handle);
};

struct front {
    const struct front_ops *ops;
    void *handle;
};

#endif
