#include "cli/profile_models.h"

#include <pthread.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "evidence/evidence.h"
#include "evidence/fill.h"
#include "evidence/lane.h"
#include "mcp/hub.h"
#include "mcp/server.h"
#include "model/store.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/tls.h"
#include "serve/model_service.h"
#include "serve/snapshot.h"
#include "serve/telemetry.h"

enum { WAIT_TURN_MS = 1000 };

/* Tool servers have a thread of their own, so that whichever thread asks need not turn their loop. */
struct tools {
    pthread_t thread;
    pthread_mutex_t lock; /* guards the next */
    pthread_cond_t changed;
    bool started;
    struct loop *loop;
    struct mcp_hub *hub;
    struct tls_client *tls;
    struct vsr_err err; /* code 0: it runs */
};

struct profile_models {
    struct tools *tools; /* NULL: no recipe asks one */
    struct tls_client *tls;
    struct model_service *service;
    struct evidence *evidence;
    struct evidence_lane **lanes;
    size_t n_lanes;
};

static void find_models(void *owner, struct engine **ret_engine, struct store **ret_store) {
    struct profile_models *models = owner;
    *ret_engine = model_service_engine(models->service);
    *ret_store = model_service_store(models->service);
}

/* ---- tool servers */

static int open_tools(struct tools *tools, struct client **ret_client) {
    static const struct client_limits limits = { .connect_timeout_ms = 10000,
                                                 .pool_idle_ms = 30000,
                                                 .connections_max = 16,
                                                 .pending_max = 1024,
                                                 .dns_ttl_ms = 30000 };
    struct mcp_place place = { .tls = tools->tls };
    int rc = loop_new(&tools->loop, &tools->err);
    if (rc == 0)
        rc = client_new(tools->loop, &limits, ret_client, &tools->err);
    place.loop = tools->loop;
    place.client = *ret_client;
    return rc < 0 ? rc : mcp_hub_new(&place, &tools->hub, &tools->err);
}

static void *turn_tools(void *data) {
    struct tools *tools = data;
    struct client *client = NULL;
    int rc = open_tools(tools, &client);
    (void)pthread_mutex_lock(&tools->lock);
    tools->started = true;
    (void)pthread_cond_signal(&tools->changed);
    (void)pthread_mutex_unlock(&tools->lock);
    if (rc == 0)
        loop_run(tools->loop);
    mcp_hub_free(tools->hub);
    client_free(client);
    loop_free(tools->loop);
    return NULL;
}

static void tools_free(struct tools *tools) {
    if (!tools)
        return;
    if (tools->err.code == 0)
        loop_stop(tools->loop);
    (void)pthread_join(tools->thread, NULL);
    (void)pthread_cond_destroy(&tools->changed);
    (void)pthread_mutex_destroy(&tools->lock);
    mem_free(tools);
}

static struct tools *tools_new(struct tls_client *tls, struct vsr_err *err) {
    struct tools *tools = MEM_NEW(struct tools);
    tools->tls = tls;
    tools->err = VSR_ERR_NONE;
    (void)pthread_mutex_init(&tools->lock, NULL); /* default attributes cannot fail */
    (void)pthread_cond_init(&tools->changed, NULL);
    if (pthread_create(&tools->thread, NULL, turn_tools, tools) != 0) {
        (void)err_set(err, VSR_E_LIMIT, "no more threads");
        mem_free(tools);
        return NULL;
    }
    (void)pthread_mutex_lock(&tools->lock);
    while (!tools->started)
        (void)pthread_cond_wait(&tools->changed, &tools->lock);
    (void)pthread_mutex_unlock(&tools->lock);
    if (tools->err.code == 0)
        return tools;
    *err = tools->err;
    tools_free(tools);
    return NULL;
}

/* ---- life */

static int open_lanes(struct profile_models *models, size_t n, struct vsr_err *err) {
    const struct evidence_lane_options options = { .evidence = models->evidence, .patient = true };
    int rc = 0;
    models->lanes = mem_alloc(n * sizeof(struct evidence_lane *));
    while (rc == 0 && models->n_lanes < n) {
        rc = evidence_lane_new(&options, &models->lanes[models->n_lanes], err);
        models->n_lanes += rc == 0;
    }
    return rc;
}

int profile_models_new(const char *models_dir, size_t n_threads, struct telemetry *telemetry,
                       struct profile_models **ret, struct vsr_err *err) {
    struct profile_models *models = MEM_NEW(struct profile_models);
    const struct tls_client_options tls = { .insecure = false };
    struct evidence_options options = { .models = find_models, .owner = models };
    int rc = tls_client_new(&tls, &models->tls, err);
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, STDERR_FILENO); /* what is not there is said once, in our words */
    options.tls = models->tls;
    models->service = model_service_new(telemetry, models_dir);
    models->evidence = evidence_new(&options);
    if (rc == 0)
        rc = open_lanes(models, n_threads, err);
    if (rc < 0) {
        profile_models_free(models);
        return rc;
    }
    *ret = models;
    return 0;
}

void profile_models_end(struct profile_models *models) {
    if (!models)
        return;
    while (models->n_lanes > 0)
        evidence_lane_free(models->lanes[--models->n_lanes]);
    tools_free(models->tools);
    models->tools = NULL;
}

void profile_models_free(struct profile_models *models) {
    if (!models)
        return;
    profile_models_end(models);
    mem_free(models->lanes);
    evidence_free(models->evidence);
    model_service_free(models->service);
    tls_client_free(models->tls);
    mem_free(models);
}

struct evidence *profile_models_evidence(struct profile_models *models) {
    return models ? models->evidence : NULL;
}

struct evidence_lane *profile_models_lane(struct profile_models *models, size_t index) {
    return models ? models->lanes[index] : NULL;
}

/* ---- loading */

static void wait_for(struct store *store, const struct cli *cli, vsr_str name) {
    struct vsr_err err = VSR_ERR_NONE;
    struct store_handle handle;
    int rc;
    do
        rc = store_get(store, name, clock_mono_ms() + WAIT_TURN_MS, &handle, &err);
    while (rc == VSR_E_TIMEOUT);
    if (rc == 0)
        store_put(&handle);
    else
        cli_warn(cli, "%s", err.text);
}

static void wait_for_all(struct profile_models *models, const struct cli *cli, const struct snapshot *snapshot) {
    struct store *store = model_service_store(models->service);
    struct arena *arena = arena_new(0, 0);
    struct store_model *needed;
    size_t n = model_service_needed(snapshot, arena, &needed);
    for (size_t i = 0; store && i < n; i++)
        wait_for(store, cli, needed[i].name);
    arena_free(arena);
}

static void start_tools(struct profile_models *models, const struct cli *cli, const struct snapshot *snapshot) {
    struct vsr_err err = VSR_ERR_NONE;
    bool needed = false;
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        needed |= evidence_binding_has_tools(snapshot->recipes[i].evidence);
    if (!needed)
        return;
    models->tools = tools_new(models->tls, &err);
    if (models->tools)
        evidence_set_tools(models->evidence, models->tools->hub);
    else
        cli_warn(cli, "tool servers cannot be asked: %s", err.text);
}

void profile_models_load(struct profile_models *models, const struct cli *cli, struct snapshot *snapshot) {
    struct evidence_fill_state state = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct spinner *spinner;
    if (model_service_configure(models->service, snapshot, &err) < 0)
        cli_warn(cli, "models cannot be loaded: %s", err.text);
    start_tools(models, cli, snapshot);
    spinner = spinner_start("loading models");
    wait_for_all(models, cli, snapshot);
    for (size_t i = 0; i < snapshot->n_recipes; i++) {
        evidence_fill_wait(models->lanes[0], snapshot->recipes[i].evidence);
        evidence_fill_count(snapshot->recipes[i].evidence, &state);
    }
    spinner_stop(spinner);
    if (state.filled < state.banks)
        cli_warn(cli, "%zu of %zu sets of examples have no vectors: rules that need them are unavailable",
                 state.banks - state.filled, state.banks);
}
