/*
 * gateway - the serving process: workers, configuration generations, signals, metrics socket.
 *
 * gateway_run() turns the calling thread into the control thread and returns when the process should end. A change of
 * the configuration's file, SIGHUP and gateway_reload() bring the configuration into service as it is now; SIGTERM and
 * SIGINT drain, a second one cuts.
 *
 * A reload is a transaction, and there is one at a time:
 *
 *     read       the file's hash; when it is that of the document that serves, there is nothing to do
 *     validate   the document, all of its problems
 *     build      the generation, beside the one that serves
 *     listen     its sockets, as far as they are new
 *     publish    every worker switches; requests under way stay with the generation that they began with
 *
 * The first three are on a thread of their own, so that neither requests nor health checks wait for them. A failure of
 * any changes nothing at all. The old generation is freed with its last request.
 */
#ifndef VSR_SERVE_GATEWAY_H
#define VSR_SERVE_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/load.h"
#include "core/err.h"
#include "core/str.h"
#include "serve/extproc_server.h"

struct evidence_lane;
struct gateway;
struct loop;
struct metrics;
struct model_service;
struct snapshot;
struct stores;

struct gateway_options {
    const char *config_file; /* NULL: `config_text` */
    vsr_str config_text;
    vsr_str config_name; /* of the text, for messages */
    struct config_load_options load;
    bool watch;              /* reload when the file changes */
    unsigned workers;        /* 0: one per core */
    vsr_str metrics_address; /* empty: no metrics socket */
    uint16_t metrics_port;
    struct extproc_options extproc;
    uint64_t drain_ms;
    const char *models_dir; /* what `models/` stands for */
    bool colour;            /* of diagnostics on stderr */
    /* Optional. On the control thread, when requests are about to be served; `gateway` is good for gateway_reload()
     * until gateway_run() returns. A failure, with `err`, ends it. */
    int (*on_start)(void *data, struct gateway *gateway, struct vsr_err *err);
    /* Optional. On the control thread, when the workers have ended and the loop is still there. */
    void (*on_stop)(void *data);
    void *data;
};

/* For those who add to the control thread, on it. The snapshot is that of the generation that serves, and lives until
 * the loop turns. */
struct loop *gateway_loop(const struct gateway *gateway);
struct snapshot *gateway_snapshot(const struct gateway *gateway);
struct metrics *gateway_metrics(const struct gateway *gateway);
struct model_service *gateway_models(const struct gateway *gateway);
struct stores *gateway_stores(const struct gateway *gateway);
/* Of the control thread. */
struct evidence_lane *gateway_lane(const struct gateway *gateway);
bool gateway_draining(const struct gateway *gateway);
/* False once it drains, and while a mandatory model is missing. */
bool gateway_ready(const struct gateway *gateway);

/* 0 after an orderly end, else VSR_E_INVALID (configuration; diagnostics went to stderr) or another code with `err`. */
int gateway_run(const struct gateway_options *options, struct vsr_err *err) VSR_MUST_CHECK;

enum gateway_result {
    GATEWAY_RELOADED,
    GATEWAY_UNCHANGED,     /* what serves is what the file says */
    GATEWAY_RELOAD_FAILED, /* what served goes on serving */
};

/* Valid during the call that brings it. */
struct gateway_report {
    enum gateway_result result;
    uint64_t generation; /* the one that serves */
    /* Of a failure: "read", "validate", "build", "listen", or "publish" when the process was about to end. */
    const char *stage;
    const struct vsr_err *err;
    const struct diag *diag; /* all problems of the document; NULL when it was not looked at */
};

/*
 * Brings the configuration into service. Any thread; done(data, report) follows on the control thread when every worker
 * has switched: a request that begins after that is of the reported generation or a later one. `done` may be NULL.
 * Calls that come while a transaction runs share the next one. `forced`: loads also when the file has not changed (its
 * surroundings may have: variables, side files).
 */
void gateway_reload(struct gateway *gateway, bool forced, void (*done)(void *data, const struct gateway_report *report),
                    void *data);

#endif
