#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "serve/models_list.h"
#include "serve/snapshot.h"

static const struct config_kind algorithms[] = { { .type = "static", .ready = true } };

static const char policy[] = "version: v0.3\n"
                             "providers:\n"
                             "  defaults: {default_model: small}\n"
                             "  models:\n"
                             "    - {name: small, backend_refs: [{endpoint: '127.0.0.1:1'}]}\n"
                             "routing:\n"
                             "  modelCards:\n"
                             "    - {name: small, loras: [{name: small-law}]}\n"
                             "    - {name: idle, description: not routable}\n"
                             "  decisions: [{name: all, modelRefs: [{model: small}]}]\n";

struct world {
    struct telemetry *telemetry;
    struct provider_registry *registry;
    struct arena *arena;
    struct diag diag;
    struct snapshot *snapshot;
};

static int load(struct world *world, const char *text) {
    struct snapshot_options options = { .n_workers = 2, .generation = 7 };
    struct vsr_err err = VSR_ERR_NONE;
    *world = (struct world){ .telemetry = telemetry_new(), .registry = provider_registry_new() };
    options.telemetry = world->telemetry;
    options.registry = world->registry;
    options.load.parts.families = route_families();
    options.load.parts.algorithms = (struct config_kinds){ algorithms, 1 };
    world->arena = arena_new(0, 0);
    diag_init(&world->diag, world->arena, VSR_STR("policy.yaml"));
    return snapshot_load(NULL, str_from_c(text), VSR_STR("policy.yaml"), &options, &world->diag, &world->snapshot,
                         &err);
}

static void done(struct world *world) {
    snapshot_unref(world->snapshot);
    arena_free(world->arena);
    provider_registry_free(world->registry);
    telemetry_free(world->telemetry);
}

TEST(names_resolve) {
    static const struct {
        const char *name;
        int kind;
    } cases[] = {
        { "auto", TARGET_AUTO },
        { "vllm-sr/auto", TARGET_AUTO },
        { "MoM", TARGET_AUTO },
        { "small", TARGET_MODEL },
        { "small-law", TARGET_MODEL },
        { "idle", TARGET_MODEL },
        { "Auto", -1 },
        { "smal", -1 },
        { "", -1 },
    };
    struct world world;
    CHECK_INT(load(&world, policy), 0, "loads");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        const struct model_name *name = snapshot_resolve(world.snapshot, str_from_c(cases[i].name));
        CHECK_INT(name ? (int)name->kind : -1, cases[i].kind, cases[i].name);
    }
    CHECK_STR(snapshot_suggest(world.snapshot, world.arena, VSR_STR("smal"), false), "; did you mean \"small\"?",
              "close");
    CHECK_STR(snapshot_suggest(world.snapshot, world.arena, VSR_STR("qqqqqqqqqqqq"), false), "", "far");
    CHECK_STR(snapshot_suggest(world.snapshot, world.arena, VSR_STR("smal"), true), "", "not listed, not told");
    CHECK(snapshot_decision(&world.snapshot->recipes[0], VSR_STR("all")) != NULL, "decision");
    CHECK(snapshot_model(world.snapshot, VSR_STR("idle")) == NULL, "a card alone is no provider model");
    done(&world);
}

TEST(catalogue_is_json) {
    struct world world;
    struct json_doc doc;
    json_ref data, first;
    CHECK_INT(load(&world, policy), 0, "loads");
    CHECK_INT(json_parse(world.arena, world.snapshot->models_json, &doc, NULL), 0, "parses");
    data = json_get(&doc, 0, VSR_STR("data"));
    first = json_at(&doc, data, 0);
    CHECK_INT(json_count(&doc, data), 3, "aliases only");
    CHECK(json_str_eq(&doc, json_get(&doc, first, VSR_STR("id")), VSR_STR("vllm-sr/auto")), "order");
    CHECK(models_list_entry(world.snapshot, VSR_STR("small")).ptr != NULL, "concrete model by id");
    CHECK(models_list_entry(world.snapshot, VSR_STR("nope")).ptr == NULL, "unknown");
    done(&world);
}

TEST(listeners_by_address) {
    struct world world;
    CHECK_INT(load(&world, policy), 0, "loads");
    CHECK(snapshot_listener(world.snapshot, VSR_STR("0.0.0.0"), 8899) != NULL, "the default listener");
    CHECK(snapshot_listener(world.snapshot, VSR_STR("0.0.0.0"), 8898) == NULL, "another port");
    CHECK(snapshot_listener(world.snapshot, VSR_STR("127.0.0.1"), 8899) == NULL, "another address");
    done(&world);
}

/* The problems of a document must outlive the generation that they prevented. */
TEST(problems_stay_readable) {
    struct world world;
    struct buf text;
    CHECK(load(&world, "version: v0.3\nrouting: {modelCards: [{name: a}], decisions: [{name: d, tirr: 1}]}\n") < 0,
          "refused");
    buf_init(&text, 1 << 16);
    diag_print(&world.diag, &text, false);
    CHECK(str_find(buf_str(&text), VSR_STR("policy.yaml:2:")) >= 0, "position");
    CHECK(str_find(buf_str(&text), VSR_STR("E_UNKNOWN")) >= 0, "code");
    buf_done(&text);
    done(&world);
}

TEST(references_keep_it_alive) {
    struct world world;
    struct snapshot *second;
    CHECK_INT(load(&world, policy), 0, "loads");
    second = snapshot_ref(world.snapshot);
    snapshot_unref(world.snapshot);
    CHECK_INT(second->generation, 7, "still there");
    world.snapshot = second;
    done(&world);
}

RUN_TESTS(T(names_resolve), T(catalogue_is_json), T(listeners_by_address), T(problems_stay_readable),
          T(references_keep_it_alive))
