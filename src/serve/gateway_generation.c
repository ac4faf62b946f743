/*
 * Generations: how one comes to serve, what goes with it (files to watch, models, tool servers, vectors of examples),
 * and how long a former one lives.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "evidence/evidence.h"
#include "evidence/fill.h"
#include "evidence/lane.h"
#include "net/file_watch.h"
#include "provider/health.h"
#include "serve/gateway_state.h"
#include "serve/model_service.h"
#include "serve/read_files.h"
#include "serve/snapshot.h"
#include "serve/stores.h"

struct snapshot_options gateway_snapshot_options(const struct gateway *gateway, struct read_files *files) {
    struct snapshot_options options = {
        .telemetry = gateway->telemetry,
        .registry = gateway->registry,
        .tls = gateway->tls,
        .evidence = gateway->evidence,
        .load = gateway->options->load,
        .extproc_tls_dir = gateway->options->extproc.address.len ? gateway->options->extproc.tls_dir : NULL,
        .n_workers = gateway->n_workers,
        .generation = gateway->generation + 1,
    };
    options.listens = true;
    options.load.on_file = read_files_note;
    options.load.on_file_data = files;
    return options;
}

/* ---- the files to watch */

/* Whether `path` has been watched for as long as the generation that serves has been there. */
static bool is_old(const struct gateway *gateway, vsr_str path) {
    for (size_t i = 0; gateway->files && i < read_files_count(gateway->files); i++)
        if (str_eq(read_files_path(gateway->files, i), path))
            return true;
    return false;
}

/* False when there are more than can be watched. */
static bool add_paths(const struct read_files *files, vsr_str *paths, size_t *n) {
    for (size_t i = 0; files && i < read_files_count(files); i++) {
        if (*n == FILE_WATCH_PATHS_MAX)
            return false;
        paths[(*n)++] = read_files_path(files, i);
    }
    return true;
}

void gateway_watch_files(struct gateway *gateway, const struct read_files *more) {
    vsr_str paths[FILE_WATCH_PATHS_MAX];
    struct vsr_err err = VSR_ERR_NONE;
    size_t n = 0;
    if (!gateway->watch)
        return;
    paths[n++] = str_from_c(gateway->options->config_file);
    if (!add_paths(gateway->files, paths, &n) || !add_paths(more, paths, &n))
        (void)err_set(&err, VSR_E_LIMIT, "there are more than %d", FILE_WATCH_PATHS_MAX);
    if (file_watch_set(gateway->watch, paths, n, &err) < 0 || err.code < 0)
        LOG_WARN("not all files of the configuration are watched", LOG_C("error", err.text));
}

/* ---- generations */

/* What changed between the reading of a file and the watch over it has to be looked for. */
static bool has_new_file(const struct gateway *gateway, const struct read_files *files) {
    for (size_t i = 0; i < read_files_count(files); i++)
        if (!is_old(gateway, read_files_path(files, i)))
            return true;
    return false;
}

static void replace_files(struct gateway *gateway, struct read_files *files) {
    bool has_new = gateway->watch && has_new_file(gateway, files);
    read_files_free(gateway->files);
    gateway->files = files;
    gateway_watch_files(gateway, NULL);
    if (has_new)
        gateway_reload(gateway, false, NULL, NULL);
}

/* Requests are served without models, too: what needs one is unavailable. The readiness knows. */
static void configure_models(struct gateway *gateway) {
    struct vsr_err err = VSR_ERR_NONE;
    if (model_service_configure(gateway->models, gateway->snapshot, &err) < 0)
        LOG_WARN("models cannot be loaded", LOG_C("error", err.text));
}

/* A former generation, until no dry run asks servers in its name. Each has a reference of its own, so there are no more
 * of them than dry runs under way, and generations whose requests or examples have not come to their end. */
struct retired_snapshot {
    struct retired_snapshot *next;
    struct snapshot *snapshot; /* one reference */
};

static void free_retired(struct gateway *gateway, struct retired_snapshot *retired) {
    for (size_t i = 0; i < retired->snapshot->n_recipes; i++)
        evidence_lane_forget(gateway->lane, retired->snapshot->recipes[i].evidence);
    snapshot_unref(retired->snapshot);
    mem_free(retired);
}

void gateway_release_retired(struct gateway *gateway, bool all) {
    VSR_ASSERT(!all || evidence_lane_is_idle(gateway->lane));
    for (struct retired_snapshot **link = &gateway->retired; *link;) {
        struct retired_snapshot *retired = *link;
        if (!all && !snapshot_is_last(retired->snapshot)) {
            link = &retired->next;
            continue;
        }
        *link = retired->next;
        free_retired(gateway, retired);
    }
}

static void retire(struct gateway *gateway, struct snapshot *snapshot) {
    struct retired_snapshot *retired;
    if (!snapshot)
        return;
    retired = MEM_NEW(struct retired_snapshot);
    retired->snapshot = snapshot;
    retired->next = gateway->retired;
    gateway->retired = retired;
}

static void release(void *data) {
    snapshot_unref(data);
}

/* Tool servers are ready when they are asked, and stay what they are through reloads that leave them alone. */
static void begin_tools(struct gateway *gateway) {
    const struct snapshot *snapshot = gateway->snapshot;
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        evidence_lane_begin(gateway->lane, snapshot->recipes[i].evidence);
}

/* Examples whose vectors take time. Until they are there, rules that need them are unavailable. */
static void fill_banks(struct gateway *gateway) {
    struct snapshot *snapshot = gateway->snapshot;
    struct arena *arena = arena_new(0, 0);
    struct evidence_binding **bindings = ARENA_ARRAY(arena, struct evidence_binding *, snapshot->n_recipes);
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        bindings[i] = snapshot->recipes[i].evidence;
    evidence_fill_later(gateway->evidence, bindings, snapshot->n_recipes, release, snapshot_ref(snapshot));
    arena_free(arena);
}

void gateway_adopt(struct gateway *gateway, struct snapshot *snapshot, struct read_files *files) {
    struct snapshot *old = gateway->snapshot;
    VSR_ASSERT(snapshot != NULL);
    if (gateway->stores)
        stores_configure(gateway->stores, snapshot->doc);
    gateway->snapshot = snapshot;
    metric_add(gateway->telemetry->generation, (double)(snapshot->generation - gateway->generation));
    gateway->generation = snapshot->generation;
    health_watch(gateway->health, snapshot->providers);
    replace_files(gateway, files);
    configure_models(gateway);
    begin_tools(gateway);
    fill_banks(gateway);
    retire(gateway, old);
    gateway_release_retired(gateway, false);
}

int gateway_load(struct gateway *gateway, struct vsr_err *err) {
    const struct gateway_options *options = gateway->options;
    struct read_files *files = read_files_new();
    const struct snapshot_options snapshot_options = gateway_snapshot_options(gateway, files);
    struct arena *arena = arena_new(0, 0);
    struct snapshot *snapshot = NULL;
    struct diag diag;
    int rc;
    diag_init(&diag, arena, options->config_file ? str_from_c(options->config_file) : options->config_name);
    rc = snapshot_load(options->config_file, options->config_text, options->config_name, &snapshot_options, &diag,
                       &snapshot, err);
    gateway_print_diag(gateway, &diag);
    arena_free(arena);
    if (rc < 0) {
        read_files_free(files);
        return rc;
    }
    gateway_adopt(gateway, snapshot, files);
    metric_add(gateway->telemetry->reload_success, 1);
    metric_add(gateway->telemetry->reload_success_s, (double)clock_wall_ms() / 1000);
    return 0;
}
