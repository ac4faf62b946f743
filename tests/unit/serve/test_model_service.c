/* Which models of this process a generation needs, and with which settings. What happens to them is tested with the
 * store, and from outside in tests/integration/models_serve.test.mjs. */
#include "serve/model_service.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "model/store.h"
#include "serve/snapshot.h"
#include "test.h"

enum { TEXT_LEN_MAX = 1 << 16 };

static const struct config_kind algorithms[] = { { .type = "static", .ready = true } };

/* A policy with this catalogue, these signals, and a decision that asks for these. */
struct loaded {
    struct telemetry *telemetry;
    struct provider_registry *registry;
    struct snapshot *snapshot;
};

static void load(struct arena *arena, const char *catalog, const char *signals, const char *rules, struct loaded *ret) {
    struct snapshot_options options = { .n_workers = 1 };
    vsr_str text = arena_printf(
        arena,
        "version: v0.3\nglobal: {model_catalog: {%s}}\nrouting:\n  modelCards: [{name: a}]\n  signals: {%s}\n"
        "  decisions: [{name: d, modelRefs: [{model: a}], rules: {operator: OR, conditions: [%s]}}]\n",
        catalog, signals, rules);
    struct vsr_err err = VSR_ERR_NONE;
    struct buf printed;
    struct diag diag;
    *ret = (struct loaded){ .telemetry = telemetry_new(), .registry = provider_registry_new() };
    options.telemetry = ret->telemetry;
    options.registry = ret->registry;
    options.load.parts.families = route_families();
    options.load.parts.algorithms = (struct config_kinds){ algorithms, 1 };
    diag_init(&diag, arena, VSR_STR("t"));
    buf_init(&printed, TEXT_LEN_MAX);
    if (snapshot_load(NULL, text, VSR_STR("t"), &options, &diag, &ret->snapshot, &err) < 0)
        diag_print(&diag, &printed, false);
    CHECK_MSG(ret->snapshot != NULL, "%s %.*s\n%.*s", err.text, VSR_FMT(buf_str(&printed)), VSR_FMT(text));
    buf_done(&printed);
}

static void unload(struct loaded *loaded) {
    snapshot_unref(loaded->snapshot);
    provider_registry_free(loaded->registry);
    telemetry_free(loaded->telemetry);
}

/* "type path, type path". */
static vsr_str needed(struct arena *arena, const char *catalog, const char *signals, const char *rules,
                      struct store_model **ret_models) {
    struct store_model *models = NULL;
    vsr_str all = VSR_STR("");
    struct loaded loaded;
    size_t n;
    load(arena, catalog, signals, rules, &loaded);
    n = model_service_needed(loaded.snapshot, arena, &models);
    for (size_t i = 0; i < n; i++)
        all = arena_printf(arena, "%.*s%s%.*s %.*s", VSR_FMT(all), i ? ", " : "", VSR_FMT(models[i].type),
                           VSR_FMT(models[i].name));
    all = arena_str(arena, all);
    for (size_t i = 0; i < n; i++) {
        models[i].name = arena_str(arena, models[i].name);
        models[i].label_file = arena_str(arena, models[i].label_file);
    }
    if (ret_models)
        *ret_models = models;
    unload(&loaded);
    return all;
}

#define DOMAIN "domains: [{name: math}]"
#define ASK_DOMAIN "{type: domain, name: math}"
#define EMBEDDING "embeddings: [{name: near, threshold: 0.5, candidates: [x]}]"
#define ASK_EMBEDDING "{type: embedding, name: near}"
#define SEMANTIC(text) "embeddings: {semantic: {" text "}}"

TEST(which) {
    static const struct {
        const char *name, *catalog, *signals, *rules, *want;
    } cases[] = {
        { "a default", "", DOMAIN, ASK_DOMAIN, "domain-classification builtin/domain" },
        { "not asked by any decision", "", DOMAIN ", keywords: [{name: k, operator: OR, keywords: [x]}]",
          "{type: keyword, name: k}", "" },
        { "switched off", "modules: {classifier: {domain: {enabled: false}}}", DOMAIN, ASK_DOMAIN, "" },
        { "a path of its own", "modules: {classifier: {domain: {model_id: ./mine}}}", DOMAIN, ASK_DOMAIN,
          "domain-classification ./mine" },
        { "an embedder", "", EMBEDDING, ASK_EMBEDDING, "embedding builtin/embedding" },
        { "of another kind", SEMANTIC("qwen3_model_path: models/q, embedding_config: {model_type: qwen3}"), EMBEDDING,
          ASK_EMBEDDING, "embedding models/q" },
        { "a sentence transformer without a path", SEMANTIC("embedding_config: {model_type: bert}"), EMBEDDING,
          ASK_EMBEDDING, "semantic-similarity sentence-transformers/all-MiniLM-L6-v2" },
        { "two of one", SEMANTIC("mmbert_model_path: m"), EMBEDDING ", reasks: [{name: r}]",
          ASK_EMBEDDING ", {type: reask, name: r}", "embedding m" },
        { "one of the user's own", "", "classifiers: [{name: c, type: local, labels: [x, y], model_path: models/c}]",
          "{type: classifier, name: c, label: x, predicate: {gte: 0.6}}", "classifier models/c" },
        { "words alone need none", "modules: {modality_detector: {enabled: true, method: keyword, keywords: [draw]}}",
          "modality: [{name: DIFFUSION}]", "{type: modality, name: DIFFUSION}", "" },
        { "words and a model",
          "modules: {modality_detector: {enabled: true, method: hybrid, keywords: [draw], confidence_threshold: 0.6, "
          "lower_threshold_ratio: 0.7, "
          "classifier: {model_path: models/m}}}",
          "modality: [{name: DIFFUSION}]", "{type: modality, name: DIFFUSION}", "modality-detection models/m" },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(needed(arena, cases[i].catalog, cases[i].signals, cases[i].rules, NULL), cases[i].want,
                  cases[i].name);
    arena_free(arena);
}

TEST(settings) {
    static const char both[] = ASK_DOMAIN ", " ASK_EMBEDDING;
    struct arena *arena = arena_new(0, 0);
    struct store_model *models;
    (void)needed(arena, "inference: {precision: int8, load: lazy, max_tokens: 700, long_text: sample}",
                 DOMAIN ", " EMBEDDING, both, &models);
    for (size_t i = 0; i < 2; i++) {
        bool embeds = str_eq_c(models[i].type, "embedding");
        CHECK_INT(models[i].precision, PRECISION_INT8, "for all");
        CHECK_INT(models[i].load, STORE_LAZY, "for all");
        CHECK_INT(models[i].long_text, LONG_TEXT_SAMPLE, "for all");
        CHECK_INT(models[i].tokens_max, embeds ? 0 : 700, "not for embedders");
        CHECK(!models[i].mandatory, "for all");
    }
    (void)needed(arena,
                 "modules: {classifier: {domain: {model_id: models/d, category_mapping_path: models/d/map.json}}}, "
                 "inference: {precision: int8, models: [{model: d, precision: f32, load: lazy, max_tokens: 9, "
                 "long_text: truncate, mandatory: true}]}",
                 DOMAIN, ASK_DOMAIN, &models);
    CHECK_INT(models[0].precision, PRECISION_F32, "its own");
    CHECK_INT(models[0].load, STORE_LAZY, "its own");
    CHECK_INT(models[0].long_text, LONG_TEXT_TRUNCATE, "its own");
    CHECK_INT(models[0].tokens_max, 9, "its own");
    CHECK(models[0].mandatory, "its own");
    arena_free(arena);
}

TEST(label_files) {
    static const struct {
        const char *model, *mapping, *want;
    } cases[] = {
        { "models/d", "models/d/map.json", "map.json" },
        { "models/d/", "models/d/map.json", "map.json" },
        { "models/d", "./models/d//map.json", "map.json" },
        { "d", "models/d/sub/map.json", "sub/map.json" },
        { "models/mmbert32k-intent-classifier-merged", "models/mmbert32k-intent-merged/map.json", "map.json" },
        { "models/d", "map.json", "map.json" },
        { "models/d", "models/dd/map.json", "" },
        { "models/d", "elsewhere/map.json", "" },
        { "models/d", "models/d/", "" },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct store_model *models;
        vsr_str catalog =
            arena_printf(arena, "modules: {classifier: {domain: {model_id: %s, category_mapping_path: %s}}}",
                         cases[i].model, cases[i].mapping);
        (void)needed(arena, arena_c_str(arena, catalog), DOMAIN, ASK_DOMAIN, &models);
        CHECK_STR(models[0].label_file, cases[i].want, cases[i].mapping);
    }
    arena_free(arena);
}

/* More threads than there can be: nothing is loaded, and that is told. */
TEST(not_started) {
    static const char *const mandatory[] = { "false", "true" };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(mandatory); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        struct model_service *service;
        struct loaded loaded;
        vsr_str catalog = arena_printf(arena,
                                       "modules: {classifier: {domain: {model_id: models/d}}}, "
                                       "inference: {models: [{model: d, mandatory: %s}]}",
                                       mandatory[i]);
        load(arena, arena_c_str(arena, catalog), DOMAIN, ASK_DOMAIN, &loaded);
        ((struct config_document *)(uintptr_t)loaded.snapshot->doc)->global.model_catalog.inference.threads = 257;
        service = model_service_new(loaded.telemetry, "models");
        CHECK(model_service_configure(service, loaded.snapshot, &err) < 0, "it cannot start");
        CHECK(model_service_ready(service) == (i == 0), mandatory[i]);
        model_service_free(service);
        unload(&loaded);
    }
    arena_free(arena);
}

/* The models of a generation can be asked for until it ends, which may be long after another one took its place. */
TEST(generations) {
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct telemetry *telemetry = telemetry_new();
    struct model_service *service = model_service_new(telemetry, "/nonexistent");
    struct loaded first, second;
    struct store *store;
    load(arena, "", DOMAIN ", " EMBEDDING, ASK_DOMAIN ", " ASK_EMBEDDING, &first);
    load(arena, "", DOMAIN, ASK_DOMAIN, &second);
    CHECK_INT(model_service_configure(service, first.snapshot, &err), 0, "the first");
    store = model_service_store(service);
    CHECK_INT(store_stats(store).models, 2, "both");
    (void)snapshot_ref(first.snapshot); /* a request */
    CHECK_INT(model_service_configure(service, second.snapshot, &err), 0, "the second");
    snapshot_unref(first.snapshot);
    CHECK_INT(store_stats(store).models, 2, "a request may ask for it");
    CHECK_INT(store_stats(store).claimed, 1, "which nobody else does");
    unload(&first);
    CHECK_INT(store_stats(store).models, 1, "the request is over");
    unload(&second);
    CHECK_INT(store_stats(store).models, 1, "what was configured last stays");
    model_service_free(service);
    telemetry_free(telemetry);
    arena_free(arena);
}

RUN_TESTS(T(generations), T(which), T(settings), T(label_files), T(not_started))
