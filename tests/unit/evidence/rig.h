/*
 * rig - an engine and a store with small models of random weights, and the evidence over them.
 */
#ifndef VSR_TESTS_EVIDENCE_RIG_H
#define VSR_TESTS_EVIDENCE_RIG_H

#include "core/arena.h"
#include "core/clock.h"
#include "evidence/evidence.h"
#include "evidence/lane.h"
#include "model/engine.h"
#include "model/readiness.h"
#include "model/store.h"
#include "net/loop.h"
#include "nn/runtime.h"
#include "unit/model/files.h"

enum { RIG_PATIENCE_MS = 120000 };

struct rig {
    struct tree tree;
    struct arena *arena;
    struct nn_runtime *runtime;
    struct engine *engine;
    struct readiness *readiness;
    struct store *store;
    struct evidence *evidence;
    struct evidence_lane *lane;
    struct loop *loop; /* the lane's */
    bool no_models;
    size_t vectors_len_max;
};

static inline void rig_models(void *owner, struct engine **ret_engine, struct store **ret_store) {
    struct rig *rig = owner;
    *ret_engine = rig->no_models ? NULL : rig->engine;
    *ret_store = rig->no_models ? NULL : rig->store;
}

static inline const char *rig_env(void *data, const char *name) {
    struct rig *rig = data;
    return strcmp(name, "VSR_STATE_DIR") == 0 ? tree_path(&rig->tree, "state") : NULL;
}

static inline void rig_open_evidence(struct rig *rig, bool own_loop) {
    const struct evidence_options options = {
        .models = rig_models, .owner = rig, .env = rig_env, .env_data = rig, .vectors_len_max = rig->vectors_len_max
    };
    struct evidence_lane_options lane = { .evidence = evidence_new(&options) };
    struct vsr_err err = VSR_ERR_NONE;
    rig->evidence = lane.evidence;
    if (!own_loop)
        CHECK_MSG(loop_new(&rig->loop, &err) == 0, "%s", err.text);
    lane.loop = rig->loop;
    lane.patient = own_loop;
    CHECK_MSG(evidence_lane_new(&lane, &rig->lane, &err) == 0, "%s", err.text);
}

static inline void rig_close_evidence(struct rig *rig) {
    evidence_lane_free(rig->lane);
    evidence_free(rig->evidence);
    loop_free(rig->loop);
    rig->lane = NULL;
    rig->evidence = NULL;
    rig->loop = NULL;
}

/* Models by the names of their fixtures. */
static inline void rig_begin(struct rig *rig, const char *const *models, size_t n, enum store_load load,
                             bool own_loop) {
    const struct engine_options engine = { .threads = 1 };
    struct store_options options = { 0 };
    struct store_model wanted[8];
    struct vsr_err err = VSR_ERR_NONE;
    *rig = (struct rig){ .arena = arena_new(0, 0) };
    tree_make(&rig->tree);
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, &engine, &rig->engine, &err) == 0, "%s", err.text);
    options.runtime = rig->runtime;
    options.engine = rig->engine;
    options.readiness = rig->readiness = readiness_new();
    options.places.models_dir = tree_str(&rig->tree, "models");
    CHECK_MSG(store_new(&options, &rig->store, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < n; i++) {
        char name[128], target[512];
        snprintf(name, sizeof(name), "models/%s", models[i]);
        snprintf(target, sizeof(target), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), models[i]);
        tree_link(&rig->tree, name, target);
        wanted[i] = (struct store_model){ .name = str_from_c(models[i]), .type = VSR_STR("embedding"), .load = load };
    }
    wanted[n] = (struct store_model){ .name = VSR_STR("absent"), .type = VSR_STR("embedding"), .load = load };
    CHECK_MSG(store_configure(rig->store, wanted, n + 1, &err) == 0, "%s", err.text);
    rig_open_evidence(rig, own_loop);
}

static inline void rig_end(struct rig *rig) {
    if (rig->lane)
        rig_close_evidence(rig);
    store_free(rig->store);
    engine_free(rig->engine);
    nn_runtime_free(rig->runtime);
    readiness_free(rig->readiness);
    tree_remove(&rig->tree);
    arena_free(rig->arena);
}

static inline void rig_load(struct rig *rig, const char *name) {
    struct store_handle handle;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(store_get(rig->store, str_from_c(name), clock_mono_ms() + RIG_PATIENCE_MS, &handle, &err) == 0, "%s",
              err.text);
    store_put(&handle);
}

#endif
