#include "serve/snapshot.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "provider/credentials.h"
#include "provider/pricing.h"
#include "serve/models_list.h"

enum { SNAPSHOT_CHUNK_LEN = 64 << 10 };

static void add_name(struct snapshot *snapshot, vsr_str name, enum target_kind kind) {
    struct model_name *entry;
    if (map_get(&snapshot->names, name))
        return; /* disjoint by validation; an alias listed twice means the same */
    entry = ARENA_NEW(snapshot->arena, struct model_name);
    entry->kind = kind;
    entry->name = name;
    map_init(&entry->modifications, snapshot->arena);
    (void)map_put(&snapshot->names, name, entry); /* was absent */
}

static void add_names(struct snapshot *snapshot) {
    const struct config_router *router = &snapshot->doc->global.router;
    const struct config_list *cards = &snapshot->doc->routing.model_cards;
    for (size_t i = 0; i < router->auto_model_names.n; i++) /* the effective list, written or not */
        add_name(snapshot, router->auto_model_names.items[i], TARGET_AUTO);
    for (size_t i = 0; i < cards->n; i++) {
        const struct config_model_card *card = (const struct config_model_card *)cards->items + i;
        add_name(snapshot, card->name, TARGET_MODEL);
        for (size_t j = 0; j < card->loras.n; j++)
            add_name(snapshot, ((const struct config_lora *)card->loras.items)[j].name, TARGET_MODEL);
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

/* One series for each alias and model that it may become. */
static void add_modifications(struct snapshot *snapshot, struct telemetry *telemetry) {
    for (size_t i = 0; i < snapshot->names.n; i++) {
        struct model_name *name = snapshot->names.entries[i].value;
        for (size_t j = 0; name->kind == TARGET_AUTO && j < snapshot->models.n; j++) {
            vsr_str model = snapshot->models.entries[j].key;
            (void)map_put(&name->modifications, model,
                          metric_with(telemetry->modifications, (vsr_str[]){ name->name, model }, 2)); /* unique */
        }
    }
}

static void add_decisions(struct snapshot *snapshot, struct telemetry *telemetry) {
    const struct config_list *decisions = &snapshot->doc->routing.decisions;
    for (size_t i = 0; i < decisions->n; i++) {
        struct snapshot_decision *decision = ARENA_NEW(snapshot->arena, struct snapshot_decision);
        decision->config = (const struct config_decision *)decisions->items + i;
        telemetry_decision(telemetry, decision->config->name, &decision->metrics);
        (void)map_put(&snapshot->decisions, decision->config->name, decision); /* names are unique by validation */
    }
}

static void add_signal_metric(struct map *names, struct telemetry *telemetry, vsr_str family, vsr_str name) {
    (void)map_put(names, name,
                  metric_with(telemetry->signal_matches, (vsr_str[]){ family, name }, 2)); /* same series */
}

static struct map *signal_map(struct snapshot *snapshot, vsr_str family) {
    struct map *names = ARENA_NEW(snapshot->arena, struct map);
    map_init(names, snapshot->arena);
    (void)map_put(&snapshot->signal_metrics, family, names); /* families are unique */
    return names;
}

static void add_signals(struct snapshot *snapshot, const struct config_families *families,
                        struct telemetry *telemetry) {
    const struct config_list *mappings = &snapshot->doc->routing.projections.mappings;
    struct map *outputs = signal_map(snapshot, VSR_STR("projection"));
    for (size_t i = 0; i < families->n; i++) {
        const struct config_list *rules = &snapshot->doc->routing.signals.rules[i];
        const struct schema *schema = families->items[i].schema;
        vsr_str type = str_from_c(families->items[i].type);
        struct map *names = signal_map(snapshot, type);
        for (size_t j = 0; j < rules->n; j++) {
            const char *rule = (const char *)rules->items + j * schema->size;
            add_signal_metric(names, telemetry, type,
                              *(const vsr_str *)(const void *)(rule + schema->fields[0].offset));
        }
    }
    for (size_t i = 0; i < mappings->n; i++) {
        const struct config_mapping *mapping = (const struct config_mapping *)mappings->items + i;
        for (size_t j = 0; j < mapping->outputs.n; j++)
            add_signal_metric(outputs, telemetry, VSR_STR("projection"),
                              ((const struct config_mapping_output *)mapping->outputs.items)[j].name);
    }
}

static void free_scratch(void *data) {
    struct snapshot *snapshot = data;
    for (size_t i = 0; i < snapshot->n_workers; i++)
        route_scratch_free(snapshot->scratch[i]);
}

static int make_scratch(struct snapshot *snapshot, size_t n_workers, struct vsr_err *err) {
    snapshot->scratch = ARENA_ARRAY(snapshot->arena, struct route_scratch *, n_workers);
    snapshot->n_workers = n_workers;
    arena_on_free(snapshot->arena, free_scratch, snapshot);
    for (size_t i = 0; i < n_workers; i++) {
        int rc = route_scratch_new(snapshot->route, &snapshot->scratch[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compile(struct snapshot *snapshot, const struct snapshot_options *options, struct diag *diag,
                   struct vsr_err *err) {
    const struct provider_options provider = {
        .registry = options->registry,
        .tls = options->tls,
        .n_workers = options->n_workers,
        .seed = clock_mono_ns(),
    };
    int rc = route_build(snapshot->arena, snapshot->doc, &snapshot->route, diag);
    if (rc < 0)
        return err_set(err, rc, "the routing policy could not be compiled");
    rc = make_scratch(snapshot, options->n_workers, err);
    if (rc < 0)
        return rc;
    rc = provider_set_build(snapshot->arena, snapshot->doc, &provider, &snapshot->providers, err);
    if (rc < 0)
        return rc;
    snapshot->credentials = credentials_build(snapshot->arena, snapshot->doc);
    add_names(snapshot);
    add_models(snapshot, options->telemetry);
    add_modifications(snapshot, options->telemetry);
    add_decisions(snapshot, options->telemetry);
    add_signals(snapshot, &options->load.families, options->telemetry);
    models_list_build(snapshot);
    return 0;
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
    map_init(&snapshot->decisions, arena);
    map_init(&snapshot->model_entries, arena);
    map_init(&snapshot->signal_metrics, arena);
    rc = file ? config_load_file(arena, file, &options->load, &snapshot->doc, diag)
              : config_load_text(arena, text, name, &options->load, &snapshot->doc, diag);
    if (rc < 0)
        (void)err_set(err, rc, "the configuration has errors");
    else
        rc = compile(snapshot, options, diag, err);
    if (rc < 0) {
        arena_on_free(outer, free_failed, arena); /* the problems live in it */
        return rc;
    }
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

const struct model_name *snapshot_resolve(const struct snapshot *snapshot, vsr_str model) {
    return map_get(&snapshot->names, model);
}

vsr_str snapshot_suggest(const struct snapshot *snapshot, struct arena *arena, vsr_str model, bool listed_only) {
    vsr_str best = { NULL, 0 };
    size_t least = model.len / 3 + 1; /* what differs in more than a third is no slip of the finger */
    for (size_t i = 0; i < snapshot->names.n; i++) {
        size_t distance;
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

const struct snapshot_decision *snapshot_decision(const struct snapshot *snapshot, vsr_str name) {
    return map_get(&snapshot->decisions, name);
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
