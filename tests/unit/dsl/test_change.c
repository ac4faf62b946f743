/* What two policies say differently: the parts of routes, and settings beside routing. */
#include "dsl/change.h"

#include "core/arena.h"
#include "loaded.h"

enum { TEXT_LEN_MAX = 1 << 20 };

static vsr_str yaml(struct arena *arena, const char *routing) {
    return arena_printf(arena,
                        "version: v0.3\nlisteners: [{name: main, address: 127.0.0.1, port: 8080}]\nrouting:\n"
                        "  modelCards: [{name: a}, {name: b}]\n%s",
                        routing);
}

static vsr_str or_none(vsr_str text) {
    return text.len ? text : VSR_STR("none");
}

/* `* profile/route part: before -> after`, one a line; then settings. */
static vsr_str text_of(struct arena *arena, const struct changes *changes) {
    static const char signs[] = {
        [CHANGE_ADDED] = '+', [CHANGE_REMOVED] = '-', [CHANGE_VALUE] = '*', [CHANGE_ORDER] = '>'
    };
    struct buf out;
    vsr_str text;
    buf_init(&out, TEXT_LEN_MAX);
    for (size_t i = 0; i < changes->n_routes; i++) {
        const struct route_change *change = &changes->routes[i];
        const struct config_decision *decision = change->before ? change->before : change->after;
        buf_printf(&out, "%c %.*s/%.*s", signs[change->kind], VSR_FMT(change->profile), VSR_FMT(decision->name));
        for (size_t k = 0; k < change->n_parts; k++)
            buf_printf(&out, " %s: %.*s -> %.*s;", change->parts[k].name, VSR_FMT(or_none(change->parts[k].before)),
                       VSR_FMT(or_none(change->parts[k].after)));
        buf_append_c(&out, "\n");
    }
    for (size_t i = 0; i < changes->settings.n; i++)
        buf_printf(&out, "%c %.*s\n", signs[changes->settings.items[i].kind], VSR_FMT(changes->settings.items[i].path));
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

#define SIGNALS \
    "  signals:\n    keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, keywords: [y]}]\n" \
    "    classifiers: [{name: c, type: local, model_path: m, labels: [t, f]}]\n  decisions:\n"
#define ROUTE(name, more) "    - {name: " name more ", modelRefs: [{model: a, use_reasoning: false}]}\n"
#define K "{type: keyword, name: k}"
#define L "{type: keyword, name: l}"
#define RULES(text) ", rules: " text

static const struct {
    const char *name, *before, *after, *want;
} cases[] = {
    { "the same", SIGNALS ROUTE("r", ", priority: 1"), SIGNALS ROUTE("r", ", priority: 1"), "" },
    { "a default written out", SIGNALS ROUTE("r", ""), SIGNALS ROUTE("r", ", priority: 0, tier: 0"), "" },
    { "routes that come and go", SIGNALS ROUTE("r", "") ROUTE("s", ""), SIGNALS ROUTE("t", "") ROUTE("s", ""),
      "- default/r\n+ default/t\n" },
    { "another place is no change", SIGNALS ROUTE("r", "") ROUTE("s", ""), SIGNALS ROUTE("s", "") ROUTE("r", ""), "" },
    { "ranks", SIGNALS ROUTE("r", ", priority: 1"), SIGNALS ROUTE("r", ", priority: 2, tier: 3"),
      "* default/r priority: 1 -> 2; tier: 0 -> 3;\n" },
    { "readers", SIGNALS ROUTE("r", ""), SIGNALS ROUTE("r", ", description: new"),
      "* default/r description: none -> new;\n" },
    { "conditions as programs have them",
      SIGNALS ROUTE("r", RULES("{operator: AND, conditions: [" K ", {operator: OR, conditions: [" L ", {operator: NOT, "
                               "conditions: [" K "]}]}]}")),
      SIGNALS ROUTE("r",
                    RULES("{operator: NOT, conditions: [{operator: AND, conditions: [" K ", {type: classifier, name: "
                          "c, label: t, predicate: {gte: 0.5}}]}]}")),
      "* default/r condition: keyword(k) AND (keyword(l) OR NOT keyword(k)) -> NOT (keyword(k) AND classifier(c:t >= "
      "0.5));\n" },
    { "a condition more", SIGNALS ROUTE("r", ""), SIGNALS ROUTE("r", RULES(K)),
      "* default/r condition: none -> keyword(k);\n" },
    { "how failures count", SIGNALS ROUTE("r", RULES(K)),
      SIGNALS ROUTE("r", RULES("{type: keyword, name: k, on_unknown: match}")),
      "* default/r condition: {type: keyword, name: k} -> {type: keyword, name: k, on_unknown: match};\n" },
    { "what is done to requests", SIGNALS ROUTE("r", ""),
      SIGNALS ROUTE("r",
                    ", plugins: [{type: fast_response, configuration: {message: Stop}}], algorithm: {type: static}, "
                    "fallback: true"),
      "* default/r algorithm: none -> {type: static}; plugins: none -> [{type: fast_response, configuration: {message: "
      "Stop}}]; fallback: false -> true;\n" },
    { "settings", SIGNALS ROUTE("r", "") "global: {router: {signal_window_chars: 1000}}\n",
      SIGNALS ROUTE("r", "") "global: {router: {signal_window_chars: 2000}}\n",
      "* global.router.signal_window_chars\n" },
    { "signals show in requests", SIGNALS ROUTE("r", RULES(K)),
      "  signals: {keywords: [{name: k, operator: OR, keywords: [z]}]}\n  decisions:\n" ROUTE("r", RULES(K)), "" },
    { "recipes",
      "  decisions: []\nrecipes:\n  - {name: one, routing: {decisions: [{name: r, priority: 1, modelRefs: [{model: a, "
      "use_reasoning: false}]}]}}\n",
      "  decisions: []\nrecipes:\n  - {name: one, description: x, routing: {decisions: [{name: r, priority: 2, "
      "modelRefs: "
      "[{model: a, use_reasoning: false}]}]}}\n",
      "* one/r priority: 1 -> 2;\n" },
};

TEST(changes_of_policies) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct changes changes;
        changes_find(arena, config_schema(arena, dsl_parts()),
                     loaded(arena, yaml(arena, cases[i].before), "before.yaml"),
                     loaded(arena, yaml(arena, cases[i].after), "after.yaml"), &changes);
        CHECK_STR(text_of(arena, &changes), cases[i].want, cases[i].name);
        CHECK(changes.settings_compared, cases[i].name);
        arena_free(arena);
    }
}

/* A policy without a base says nothing of settings. */
TEST(settings_that_only_one_has) {
    struct arena *arena = arena_new(0, 0);
    struct changes changes;
    vsr_str providers =
        VSR_STR("providers: {defaults: {default_model: a}, models: [{name: a, backend_refs: [{endpoint: "
                "127.0.0.1:1}]}]}\nglobal: {router: {signal_window_chars: 1000}}\n");
    vsr_str routing = VSR_STR("  decisions:\n" ROUTE("r", ""));
    changes_find(arena, config_schema(arena, dsl_parts()),
                 loaded(arena, yaml(arena, arena_printf(arena, "%.*s%.*s", VSR_FMT(routing), VSR_FMT(providers)).ptr),
                        "a.yaml"),
                 loaded(arena, yaml(arena, routing.ptr), "b.yaml"), &changes);
    CHECK(!changes.settings_compared, "one has none");
    CHECK_STR(text_of(arena, &changes), "", "only routing");
    arena_free(arena);
}

RUN_TESTS(T(changes_of_policies), T(settings_that_only_one_has))
