/*
 * fleet - a configuration with one or two models, built by hand for tests of provider/: no file is read.
 */
#ifndef VSR_TESTS_FLEET_H
#define VSR_TESTS_FLEET_H

#include "core/arena.h"
#include "provider/provider.h"
#include "test.h"

enum { FLEET_ENDPOINTS_MAX = 16, FLEET_REQUESTS_MAX = 4096 };

struct fleet {
    struct arena *arena;
    struct config_document doc;
    struct config_provider_model models[2];
    struct config_backend_ref refs[2][FLEET_ENDPOINTS_MAX];
    struct provider_registry *registry;
    struct provider_set *set;
    struct provider_model *model; /* the first */
};

static inline void fleet_endpoint(struct fleet *fleet, size_t model, int64_t weight) {
    struct config_provider_model *config = &fleet->models[model];
    size_t i = config->backend_refs.n++;
    struct config_backend_ref *ref = &fleet->refs[model][i];
    ref->name = arena_printf(fleet->arena, "e%zu", i);
    ref->host = VSR_STR("127.0.0.1");
    ref->port = (uint16_t)(9000 + i);
    ref->authority = arena_printf(fleet->arena, "127.0.0.1:%zu", 9000 + i);
    ref->weight = weight;
    ref->auth_name = VSR_STR("Authorization");
    ref->dialect = DIALECT_VLLM;
}

/* A document with models `m` and `n`; endpoints and reliability are the test's to add. `registry` NULL: a new one. */
static inline void fleet_init(struct fleet *fleet, struct provider_registry *registry) {
    memset(fleet, 0, sizeof(*fleet));
    fleet->arena = arena_new(0, 0);
    fleet->registry = registry ? registry : provider_registry_new();
    fleet->models[0].name = VSR_STR("m");
    fleet->models[1].name = VSR_STR("n");
    for (size_t i = 0; i < 2; i++) {
        struct config_provider_model *config = &fleet->models[i];
        config->backend_refs.items = fleet->refs[i];
        config->reliability.base_ejection_time_ms = 30000;
        config->reliability.max_ejection_percent = 50;
        config->reliability.circuit =
            (struct config_circuit){ .max_requests = FLEET_REQUESTS_MAX, .max_pending = 1024, .max_connections = 1024 };
    }
    fleet->doc.providers.models = (struct config_list){ .items = fleet->models, .n = 2 };
}

static inline void fleet_build(struct fleet *fleet, size_t n_workers) {
    struct provider_options options = { .registry = fleet->registry, .n_workers = n_workers, .seed = 42 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(provider_set_build(fleet->arena, &fleet->doc, &options, &fleet->set, &err) == 0, "%s", err.text);
    fleet->model = provider_set_at(fleet->set, 0);
}

static inline void fleet_done(struct fleet *fleet, bool free_registry) {
    arena_free(fleet->arena);
    if (free_registry)
        provider_registry_free(fleet->registry);
}

#endif
