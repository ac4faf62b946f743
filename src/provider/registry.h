/*
 * registry - what this process knows of each endpoint, over all configurations.
 *
 * A snapshot's endpoints come and go with reloads; their health, ejection, load and counters must not. They live here,
 * found by identity (`<model>_<name>`, host, port, TLS) and shared by every snapshot that names the same endpoint; the
 * last one to let go frees them. Cells are atomics, changed on the request path without a lock; the rare changes of
 * state (ejection, return, health) are serialised by the registry's mutex. Time is handed in, in milliseconds of a
 * monotonic clock. Any thread.
 */
#ifndef VSR_PROVIDER_REGISTRY_H
#define VSR_PROVIDER_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct provider_registry;
struct tls_client;
struct tls_client_options;

enum endpoint_mode {
    ENDPOINT_CLOSED,  /* takes traffic */
    ENDPOINT_EJECTED, /* takes none until ejected_until_ms, then one probe */
};

/* What every state begins with; the registry's own, under its mutex. */
struct registry_entry {
    struct registry_entry *next;
    vsr_str key; /* owned */
    unsigned refs;
};

/* One endpoint of one model. */
struct endpoint_state {
    struct registry_entry entry; /* first */

    _Atomic int mode;       /* enum endpoint_mode */
    _Atomic bool unhealthy; /* by active checks */
    _Atomic uint64_t ejected_until_ms;
    _Atomic uint64_t probe_since_ms; /* 0: no probe is under way */
    _Atomic uint32_t consecutive_failures;
    _Atomic int64_t active; /* attempts under way */

    uint32_t times_ejected;       /* registry mutex; decays while the endpoint is well */
    _Atomic uint64_t returned_ms; /* when it was last let in again, or found healthy again; 0: never */
    uint32_t check_failures;      /* registry mutex; consecutive failed active checks */

    _Atomic uint64_t requests_total, failures_total, ejections_total;
};

/* One logical model. */
struct model_state {
    struct registry_entry entry; /* first */

    _Atomic int64_t active;       /* calls under way */
    _Atomic int64_t retries;      /* of these, calls in a second or later attempt, or in two at once */
    _Atomic int64_t hedge_credit; /* hundredths of a second attempt that calls have earned (call.c) */
    _Atomic uint64_t hedges_total;
};

struct provider_registry *provider_registry_new(void);
/* After every snapshot has let go. */
void provider_registry_free(struct provider_registry *registry);

/* The state of that key, made when absent, with one more reference. `key` is copied. */
struct endpoint_state *registry_endpoint(struct provider_registry *registry, vsr_str key);
struct model_state *registry_model(struct provider_registry *registry, vsr_str key);
void registry_endpoint_unref(struct provider_registry *registry, struct endpoint_state *state);
void registry_model_unref(struct provider_registry *registry, struct model_state *state);

/*
 * The TLS context of that key, made of `options` when absent, with one more reference: a key stands for the contents of
 * the files, too, so that a reload shares what it does not change, and connections live on. Errors are
 * tls_client_new()'s.
 */
int registry_tls(struct provider_registry *registry, vsr_str key, const struct tls_client_options *options,
                 struct tls_client **ret_tls, struct vsr_err *err) VSR_MUST_CHECK;
/* No connection is opened with it any more; those that are open have what they need. */
void registry_tls_unref(struct provider_registry *registry, struct tls_client *tls);

/* Guards the fields marked above. */
void registry_lock(struct provider_registry *registry);
void registry_unlock(struct provider_registry *registry);

/* Endpoints known, for tests and status pages. */
size_t registry_endpoint_count(struct provider_registry *registry);

#endif
