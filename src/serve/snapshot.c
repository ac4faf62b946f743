#include "serve/snapshot.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "evidence/evidence.h"
#include "evidence/fill.h"
#include "net/tls.h"
#include "provider/credentials.h"
#include "provider/limit_rules.h"
#include "provider/pricing.h"
#include "serve/backend_tls.h"
#include "serve/cost_baseline.h"
#include "serve/extproc_server.h"
#include "serve/listener_tls.h"
#include "serve/models_list.h"
#include "serve/signal_metrics.h"

#define SNAPSHOT_HAS_ERRORS "the configuration has errors" /* `diag` tells them */

enum { SNAPSHOT_CHUNK_LEN = 64 << 10 };

static void add_name(struct snapshot *snapshot, vsr_str name, enum target_kind kind,
                     const struct snapshot_recipe *recipe, int64_t priority) {
    struct model_name *entry;
    if (map_get(&snapshot->names, name))
        return; /* disjoint by validation; an alias listed twice means the same */
    entry = ARENA_NEW(snapshot->arena, struct model_name);
    entry->kind = kind;
    entry->name = name;
    entry->recipe = recipe;
    entry->priority = (unsigned)priority;
    map_init(&entry->modifications, snapshot->arena);
    (void)map_put(&snapshot->names, name, entry); /* was absent */
}

static void add_names(struct snapshot *snapshot) {
    const struct config_document *doc = snapshot->doc;
    const struct config_router *router = &doc->global.router;
    int64_t priority = router->admission.default_priority;
    for (size_t i = 0; i < router->auto_model_names.n; i++) /* the effective list, written or not */
        add_name(snapshot, router->auto_model_names.items[i], TARGET_AUTO, &snapshot->recipes[0], priority);
    CONFIG_EACH(const struct config_entrypoint, entrypoint, &doc->entrypoints)
    for (size_t i = 0; i < entrypoint->model_names.n; i++)
        add_name(snapshot, entrypoint->model_names.items[i], TARGET_ENTRYPOINT,
                 &snapshot->recipes[entrypoint->scope - doc->scopes], entrypoint->priority);
    CONFIG_EACH(const struct config_model_card, card, &doc->routing.model_cards) {
        add_name(snapshot, card->name, TARGET_MODEL, NULL, priority);
        CONFIG_EACH(const struct config_lora, lora, &card->loras)
        add_name(snapshot, lora->name, TARGET_MODEL, NULL, priority);
    }
}

static void add_models(struct snapshot *snapshot, struct telemetry *telemetry) {
    for (size_t i = 0; i < provider_set_count(snapshot->providers); i++) {
        struct snapshot_model *model = ARENA_NEW(snapshot->arena, struct snapshot_model);
        const struct config_pricing *pricing;
        model->provider = provider_set_at(snapshot->providers, i);
        pricing = model->provider->config->pricing;
        telemetry_model(telemetry, model->provider->name,
                        pricing_configured(pricing) ? pricing_currency(pricing) : VSR_STR(""), &model->metrics);
        (void)map_put(&snapshot->models, model->provider->name, model); /* names are unique by validation */
    }
}

/* One series for each virtual name and model that it may become. */
static void add_modifications(struct snapshot *snapshot, struct telemetry *telemetry) {
    for (size_t i = 0; i < snapshot->names.n; i++) {
        struct model_name *name = snapshot->names.entries[i].value;
        for (size_t j = 0; name->recipe && j < snapshot->models.n; j++) {
            vsr_str model = snapshot->models.entries[j].key;
            (void)map_put(&name->modifications, model,
                          metric_with(telemetry->modifications, (vsr_str[]){ name->name, model }, 2)); /* unique */
        }
    }
}

/* ---- recipes */

vsr_str snapshot_global_name(struct arena *arena, const struct snapshot_recipe *recipe, vsr_str name) {
    vsr_str prefix = recipe->scope->prefix;
    return prefix.len == 0
               ? name
               : arena_printf(arena, "%.*s%.*s", VSR_FMT(prefix), VSR_FMT(config_scope_escape(arena, name)));
}

static void add_decisions(struct snapshot *snapshot, struct snapshot_recipe *recipe, struct telemetry *telemetry) {
    CONFIG_EACH(const struct config_decision, config, &recipe->scope->routing->decisions) {
        struct snapshot_decision *decision = ARENA_NEW(snapshot->arena, struct snapshot_decision);
        decision->config = config;
        telemetry_decision(telemetry, snapshot_global_name(snapshot->arena, recipe, config->name), &decision->metrics);
        (void)map_put(&recipe->decisions, config->name, decision); /* names are unique by validation */
    }
}

struct names {
    struct arena *arena;
    const struct snapshot_recipe *recipe;
};

static vsr_str name_signal(const void *data, vsr_str name) {
    const struct names *names = data;
    return snapshot_global_name(names->arena, names->recipe, name);
}

static void free_scratch(void *data) {
    struct snapshot_recipe *recipe = data;
    for (size_t i = 0; i < recipe->n_scratch; i++)
        route_scratch_free(recipe->scratch[i]);
}

static int make_scratch(struct snapshot *snapshot, struct snapshot_recipe *recipe, size_t n_scratch,
                        struct vsr_err *err) {
    recipe->scratch = ARENA_ARRAY(snapshot->arena, struct route_scratch *, n_scratch);
    recipe->n_scratch = n_scratch;
    arena_on_free(snapshot->arena, free_scratch, recipe);
    for (size_t i = 0; i < n_scratch; i++) {
        int rc = route_scratch_new(recipe->route, &recipe->scratch[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compile_recipe(struct snapshot *snapshot, struct snapshot_recipe *recipe,
                          const struct snapshot_options *options, struct diag *diag, struct vsr_err *err) {
    int rc = route_build(snapshot->arena, snapshot->doc, recipe->scope, &recipe->route, diag);
    if (rc < 0)
        return err_set(err, rc, "the routing policy of recipe %.*s could not be compiled",
                       VSR_FMT(recipe->scope->name));
    if (options->evidence) {
        recipe->evidence = evidence_bind(options->evidence, snapshot->arena, snapshot->doc, recipe->route);
        evidence_fill_now(recipe->evidence);
    }
    map_init(&recipe->decisions, snapshot->arena);
    add_decisions(snapshot, recipe, options->telemetry);
    recipe->signal_metrics = signal_metrics_new(snapshot->arena, options->telemetry, recipe->route, name_signal,
                                                &(struct names){ snapshot->arena, recipe });
    return make_scratch(snapshot, recipe, options->n_workers + 1, err);
}

static int compile_recipes(struct snapshot *snapshot, const struct snapshot_options *options, struct diag *diag,
                           struct vsr_err *err) {
    snapshot->n_recipes = snapshot->doc->n_scopes;
    snapshot->recipes = ARENA_ARRAY(snapshot->arena, struct snapshot_recipe, snapshot->n_recipes);
    for (size_t i = 0; i < snapshot->n_recipes; i++) {
        int rc;
        snapshot->recipes[i].scope = &snapshot->doc->scopes[i];
        rc = compile_recipe(snapshot, &snapshot->recipes[i], options, diag, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void unref_tls(void *data) {
    tls_server_unref(data);
}

/* The certificate of the socket for Envoy: renewed with the generation, and one that is no good leaves the former. */
static int read_extproc_tls(struct snapshot *snapshot, const struct snapshot_options *options, struct vsr_err *err) {
    int rc;
    if (!options->extproc_tls_dir)
        return 0;
    rc = extproc_server_tls(options->extproc_tls_dir, &options->load, &snapshot->extproc_tls, err);
    if (rc == 0)
        arena_on_free(snapshot->arena, unref_tls, snapshot->extproc_tls);
    return rc;
}

static int read_tls(struct snapshot *snapshot, const struct snapshot_options *options, struct vsr_err *err) {
    int rc = 0;
    if (options->listens)
        rc = listener_tls_build(snapshot->arena, snapshot->doc, &options->load, &snapshot->listener_tls, err);
    return rc < 0 ? rc : read_extproc_tls(snapshot, options, err);
}

static int compile(struct snapshot *snapshot, const struct snapshot_options *options, struct diag *diag,
                   struct vsr_err *err) {
    struct backend_tls *backend_tls = NULL;
    struct provider_options provider = {
        .registry = options->registry,
        .tls = options->tls,
        .tls_of = backend_tls_of,
        .n_workers = options->n_workers,
        .seed = clock_mono_ns(),
    };
    int rc = read_tls(snapshot, options, err);
    if (rc == 0)
        rc = compile_recipes(snapshot, options, diag, err);
    if (rc == 0)
        rc = limit_set_build(snapshot->arena, snapshot->doc, &snapshot->limits, err);
    if (rc < 0)
        return rc;
    /* Last of what can fail: what these have of the registry lives as long as the arena, which `diag` keeps. */
    rc = backend_tls_build(snapshot->arena, snapshot->doc, &options->load, options->registry, &backend_tls, diag);
    if (rc < 0)
        return err_set(err, rc, SNAPSHOT_HAS_ERRORS);
    provider.tls_data = backend_tls;
    rc = provider_set_build(snapshot->arena, snapshot->doc, &provider, &snapshot->providers, err);
    if (rc < 0)
        return rc;
    snapshot->tls = options->tls;
    snapshot->credentials = credentials_build(snapshot->arena, snapshot->doc);
    add_names(snapshot);
    add_models(snapshot, options->telemetry);
    add_modifications(snapshot, options->telemetry);
    cost_baseline_build(snapshot);
    models_list_build(snapshot);
    return 0;
}

static void forget(void *data) {
    const struct telemetry *telemetry = data;
    metric_add(telemetry->snapshots, -1);
}

static void free_failed(void *data) {
    arena_free(data);
}

int snapshot_load(const char *file, vsr_str text, vsr_str name, const struct snapshot_options *options,
                  struct diag *diag, struct snapshot **ret_snapshot, struct vsr_err *err) {
    struct arena *arena = arena_new(SNAPSHOT_CHUNK_LEN, 0);
    struct snapshot *snapshot = ARENA_NEW(arena, struct snapshot);
    struct arena *outer = diag->arena; /* config_load makes `diag` anew in its own arena */
    int rc;
    atomic_init(&snapshot->refs, 1);
    snapshot->arena = arena;
    snapshot->generation = options->generation;
    snapshot->created_s = clock_wall_ms() / 1000;
    map_init(&snapshot->names, arena);
    map_init(&snapshot->models, arena);
    map_init(&snapshot->model_entries, arena);
    rc = file ? config_load_file(arena, file, &options->load, &snapshot->doc, diag)
              : config_load_text(arena, text, name, &options->load, &snapshot->doc, diag);
    if (rc < 0)
        (void)err_set(err, rc, SNAPSHOT_HAS_ERRORS);
    else
        rc = compile(snapshot, options, diag, err);
    if (rc < 0) {
        arena_on_free(outer, free_failed, arena); /* the problems live in it */
        return rc;
    }
    metric_add(options->telemetry->snapshots, 1);
    arena_on_free(arena, forget, options->telemetry);
    *ret_snapshot = snapshot;
    return 0;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot) {
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot) {
    /* Release and acquire: whoever frees must see everything that other threads did with it. */
    if (snapshot && atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) == 1)
        arena_free(snapshot->arena); /* the snapshot itself lies in it */
}

bool snapshot_is_last(const struct snapshot *snapshot) {
    /* Acquire: what those did who have let go of it is over. */
    return atomic_load_explicit(&snapshot->refs, memory_order_acquire) == 1;
}

const struct model_name *snapshot_resolve(const struct snapshot *snapshot, vsr_str model) {
    return map_get(&snapshot->names, model);
}

vsr_str snapshot_suggest(const struct snapshot *snapshot, struct arena *arena, vsr_str model, bool listed_only) {
    vsr_str best = { NULL, 0 };
    size_t least = model.len / 3 + 1; /* what differs in more than a third is no slip of the finger */
    for (size_t i = 0; i < snapshot->names.n; i++) {
        size_t distance;
        if (str_eq(model, snapshot->names.entries[i].key))
            continue; /* it is there, but not for what was asked */
        if (listed_only && !models_list_shows(snapshot, snapshot->names.entries[i].value))
            continue;
        distance = str_distance(model, snapshot->names.entries[i].key, least);
        if (distance < least || (distance == least && !best.ptr)) {
            least = distance;
            best = snapshot->names.entries[i].key;
        }
    }
    return best.ptr ? arena_printf(arena, "; did you mean \"%.*s\"?", VSR_FMT(best)) : VSR_STR("");
}

const struct snapshot_model *snapshot_model(const struct snapshot *snapshot, vsr_str name) {
    return map_get(&snapshot->models, name);
}

const struct snapshot_decision *snapshot_decision(const struct snapshot_recipe *recipe, vsr_str name) {
    return map_get(&recipe->decisions, name);
}

const struct snapshot_recipe *snapshot_recipe(const struct snapshot *snapshot, vsr_str name) {
    const struct config_scope *scope = config_scope(snapshot->doc, name);
    return scope ? &snapshot->recipes[scope - snapshot->doc->scopes] : NULL;
}

size_t snapshot_control_scratch(const struct snapshot *snapshot) {
    return snapshot->recipes[0].n_scratch - 1;
}

const struct config_listener *snapshot_listener(const struct snapshot *snapshot, vsr_str address, uint16_t port) {
    const struct config_list *listeners = &snapshot->doc->listeners;
    for (size_t i = 0; i < listeners->n; i++) {
        const struct config_listener *listener = (const struct config_listener *)listeners->items + i;
        if (listener->port == port && str_eq(listener->address, address))
            return listener;
    }
    return NULL;
}

struct tls_server *snapshot_listener_tls(const struct snapshot *snapshot, const struct config_listener *listener) {
    const struct config_listener *listeners = snapshot->doc->listeners.items;
    return listener && snapshot->listener_tls ? snapshot->listener_tls[listener - listeners] : NULL;
}
