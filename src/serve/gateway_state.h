/*
 * gateway_state - what the control thread holds. Private to gateway.c, gateway_generation.c and reload.c.
 */
#ifndef VSR_SERVE_GATEWAY_STATE_H
#define VSR_SERVE_GATEWAY_STATE_H

#include <pthread.h>

#include "net/loop.h"
#include "serve/admission.h"
#include "serve/gateway.h"

struct client;
struct evidence;
struct evidence_lane;
struct file_watch;
struct health;
struct limit_state;
struct listeners;
struct metrics_socket;
struct mcp_hub;
struct model_service;
struct provider_registry;
struct read_files;
struct reload_job;
struct reload_request;
struct responses_service;
struct retired_snapshot;
struct signal_watch;
struct snapshot;
struct snapshot_options;
struct stores;
struct telemetry;
struct tls_client;
struct token_estimate;
struct worker;

enum { GATEWAY_WORKERS_MAX = 256 };

/* Callers wait in `waiting` while a transaction runs for those in `served`; the next one serves all of them. */
struct reload_state {
    pthread_mutex_t lock; /* guards `waiting`, where any thread puts its request */
    struct reload_request *waiting, **waiting_end;
    struct reload_request *served;
    struct reload_job *job; /* the transaction under way; NULL: none */
};

struct gateway {
    const struct gateway_options *options;
    struct loop *loop;
    struct telemetry *telemetry;
    struct token_estimate *token_estimate;
    struct model_service *models;
    struct responses_service *responses_service;
    struct stores *stores;
    struct provider_registry *registry;
    struct limit_state *limits;
    struct extproc_seen extproc_seen;
    struct admission *admission;
    struct admission_counts admission_seen; /* as the metrics say */
    struct tls_client *tls;
    struct client *client; /* of the control thread: health checks, and servers that a dry run asks */
    struct evidence *evidence;
    struct mcp_hub *tools;      /* tool servers that signals ask */
    struct evidence_lane *lane; /* of the control thread: dry runs */
    struct health *health;
    struct metrics_socket *metrics_socket;
    struct signal_watch *signals[3];
    struct file_watch *watch;         /* NULL: files are not watched */
    struct read_files *files;         /* of the generation that serves */
    struct snapshot *snapshot;        /* one reference */
    struct retired_snapshot *retired; /* that dry runs may still use */
    struct worker *workers[GATEWAY_WORKERS_MAX];
    size_t n_workers;
    size_t n_running; /* workers whose thread has not ended */
    uint64_t generation;
    bool draining;
    bool started; /* on_start() was called and did not fail */
    struct loop_timer stats_timer;
    struct reload_state reload;
};

/* ---- gateway.c */

/* Problems and warnings of a document, for people, to stderr. */
void gateway_print_diag(const struct gateway *gateway, struct diag *diag);

/* ---- gateway_generation.c */

/* How the next generation is to be made; the files that it is made of are noted in `files`. */
struct snapshot_options gateway_snapshot_options(const struct gateway *gateway, struct read_files *files);
/* The first generation, of the policy that the gateway was started with. */
int gateway_load(struct gateway *gateway, struct vsr_err *err) VSR_MUST_CHECK;
/* `snapshot` serves from now on, as far as the control thread goes. Takes the reference, and the files it was made of.
 */
void gateway_adopt(struct gateway *gateway, struct snapshot *snapshot, struct read_files *files);
/* Frees the former generations that nobody uses; with `all` every one, because no dry run is under way any more. */
void gateway_release_retired(struct gateway *gateway, bool all);
/*
 * Watches the configuration's file, those that the serving generation was made of, and `more` (NULL: none): those of a
 * document that was refused, since any of them may be what has to be mended.
 */
void gateway_watch_files(struct gateway *gateway, const struct read_files *more);

/* ---- reload.c */

void reload_init(struct gateway *gateway);
/* Waits for a load under way and drops its result. The workers have ended, the loop has not been freed. */
void reload_done(struct gateway *gateway);

#endif
