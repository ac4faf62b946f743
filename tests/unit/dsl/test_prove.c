/* What is proved of small policies: every report, where it is due and where it is not. */
#include "proved.h"

#define KEYWORDS \
    "  signals:\n    keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, keywords: [y]}]\n"
#define A "modelRefs: [{model: a, use_reasoning: false}]"
#define B "modelRefs: [{model: b, use_reasoning: false}]"

static const struct {
    const char *name, *routing, *want;
} cases[] = {
    { "a subset behind its superset",
      KEYWORDS "  decisions:\n"
               "    - {name: hi, priority: 9, rules: {type: keyword, name: k}, " A "}\n"
               "    - {name: lo, priority: 1, rules: {operator: AND, conditions: [{type: keyword, name: k}, {type: "
               "keyword, name: l}]}, " B "}\n"
               "    - {name: rest, " A "}\n",
      "W401 route \"lo\" is unreachable: every match is taken by \"hi\" {keyword(k) true, keyword(l) true}\n" },
};

TEST(reports) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct proved p;
        proved_make(&p, cases[i].routing);
        CHECK_STR(proved_text(&p), cases[i].want, cases[i].name);
        CHECK(p.summary.complete, cases[i].name);
        proved_done(&p);
    }
}

/* ---- published profiles */

TEST(profiles) {
    const char *shared = test_shared_dir();
    static const char *const profiles[] = { "accuracy", "balance", "feedback", "privacy" };
    if (!shared)
        skip();
    for (size_t i = 0; i < VSR_COUNT(profiles); i++) {
        struct proved p = { .arena = arena_new(0, 0) };
        char path[1024];
        struct config_load_options options = { .parts = *dsl_parts(), .keep_env = true, .no_files = true };
        const struct config_document *doc = NULL;
        struct diag diag;
        snprintf(path, sizeof(path), "%s/recipes/%s/config.yaml", shared, profiles[i]);
        CHECK(config_load_file(p.arena, path, &options, &doc, &diag) == 0, profiles[i]);
        proved_document(&p, doc);
        print_message("%s: %zu routes, %zu leaves, %zu questions\n%.*s\n", profiles[i], p.summary.n_routes,
                      p.summary.n_leaves, p.summary.n_questions, VSR_FMT(proved_text(&p)));
        CHECK(p.summary.complete, profiles[i]);
        proved_done(&p);
    }
}

RUN_TESTS(T(reports), T(profiles))
