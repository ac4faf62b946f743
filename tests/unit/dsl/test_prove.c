/* What is proved of small policies: every report, where it is due and where it is not. */
#include "routings.h"
#include "worlds.h"

#include "config/load.h"
#include "dsl/notation.h"
#include "dsl/prove_theory.h"

static const struct {
    const char *name, *routing, *want;
} cases[] = {
    { "nothing to tell", KEYWORDS DECISIONS ROUTE("r", "priority: 1", K, "a") ROUTE("s", "priority: 2", L, "b") ALWAYS,
      "" },

    /* W401 */
    { "a subset behind its superset",
      KEYWORDS DECISIONS ROUTE("hi", "priority: 9", K, "a") ROUTE("lo", "priority: 1", AND(K ", " L), "b") ALWAYS,
      "W401 route \"lo\" is unreachable: every match is taken by \"hi\" {keyword(k) true, keyword(l) true}\n" },
    { "together two routes leave nothing",
      KEYWORDS DECISIONS ROUTE("x", "priority: 9", AND(K ", " L), "a")
          ROUTE("y", "priority: 8", AND(K ", " NOT(L)), "a") ROUTE("other", "priority: 7", M, "b")
              ROUTE("lo", "priority: 1", K, "b") ALWAYS,
      "W401 route \"lo\" is unreachable: every match is taken by \"x\" or \"y\" {keyword(k) true}\n" },
    { "the same priority takes nothing for certain",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", K, "a") ROUTE("y", "priority: 1", AND(K ", " L), "a") ALWAYS, "" },
    { "behind a route without a condition", KEYWORDS DECISIONS ROUTE("lo", "priority: -10", K, "b") ALWAYS,
      "W401 route \"lo\" is unreachable: every match is taken by \"rest\" {keyword(k) true}\n" },
    { "tiers come before priorities",
      KEYWORDS DECISIONS ROUTE("first", "priority: 1, tier: 1", K, "a") ROUTE("second", "priority: 9, tier: 2", K, "b"),
      "W401 route \"second\" is unreachable: every match is taken by \"first\" {keyword(k) true}\n"
      "W408 no route takes some requests; a route without WHEN, of the least rank, "
      "would take them {keyword(k) false}\n" },
    { "under strategy confidence nothing is certain",
      "  strategy: confidence\n" KEYWORDS DECISIONS ROUTE("hi", "priority: 9", K, "a")
          ROUTE("lo", "priority: 1", AND(K ", " L), "b") ALWAYS,
      "" },
    { "an unknown signal lets a route be reached",
      "  signals: {jailbreak: [{name: j}]}\n" DECISIONS ROUTE("bad", "priority: 9", LEAF("jailbreak", "j"), "a")
          ROUTE("good", "priority: 8", NOT(LEAF("jailbreak", "j")), "a")
              ROUTE("rest", "priority: 7", OR(LEAF("jailbreak", "j") ", " NOT(LEAF("jailbreak", "j"))), "b"),
      "W401 route \"rest\" is unreachable: every match is taken by \"bad\" or \"good\" {jailbreak(j) false}\n"
      "W408 no route takes some requests while a signal cannot be evaluated; a "
      "route "
      "without WHEN, of the least rank, would take them {jailbreak(j) unknown}\n" },

    /* W402, W403 */
    { "a condition against itself", KEYWORDS DECISIONS ROUTE("r", "priority: 1", AND(K ", " NOT(K)), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "ranges of tokens that do not meet",
      "  signals: {context: [{name: s, max_tokens: 99}, {name: l, min_tokens: 100}]}\n" DECISIONS ROUTE(
          "r", "priority: 1", AND(LEAF("context", "s") ", " LEAF("context", "l")), "a")
          ROUTE("t", "priority: 2", OR(LEAF("context", "s") ", " LEAF("context", "l")), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n"
      "W403 route \"t\": WHEN is always true; without it the route says that it takes every request\n"
      "W401 route \"rest\" is unreachable: every match is taken by \"t\" {any request}\n" },
    { "ranges of tokens that meet in one",
      "  signals: {context: [{name: s, max_tokens: 100}, {name: l, min_tokens: 100}]}\n" DECISIONS ROUTE(
          "r", "priority: 1", AND(LEAF("context", "s") ", " LEAF("context", "l")), "a") ALWAYS,
      "" },
    { "two languages",
      "  signals: {language: [{name: en}, {name: zh}]}\n" DECISIONS ROUTE(
          "r", "priority: 1", AND(LEAF("language", "en") ", " LEAF("language", "zh")), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "two levels of complexity",
      "  signals: {complexity: [{name: x, hard: {candidates: [h]}, easy: {candidates: [e]}}]}\n" DECISIONS ROUTE(
          "r", "priority: 1", AND(LEAF("complexity", "x:easy") ", " LEAF("complexity", "x:hard")), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "all levels of complexity, but not without text",
      "  signals: {complexity: [{name: x, hard: {candidates: [h]}, easy: {candidates: [e]}}]}\n" DECISIONS ROUTE(
          "r", "priority: 1",
          OR(LEAF("complexity", "x:easy") ", " LEAF("complexity", "x:medium") ", " LEAF("complexity", "x:hard")), "a"),
      "W408 no route takes some requests while a signal cannot be evaluated; a "
      "route "
      "without WHEN, of the least rank, would take them {complexity(x:easy) false, complexity(x:medium) false, "
      "complexity(x:hard) false}\n" },
    { "no level of complexity without text, even where failures match",
      "  signals: {complexity: [{name: x, hard: {candidates: [h]}, easy: {candidates: [e]}}]}\n" DECISIONS ROUTE(
          "r", "priority: 1, on_unknown: match",
          OR(LEAF("complexity", "x:easy") ", " LEAF("complexity", "x:medium") ", " LEAF("complexity", "x:hard")), "a"),
      "W408 no route takes some requests when there is no text; a route "
      "without "
      "WHEN, of the least rank, would take them {complexity(x:easy) false, complexity(x:medium) false, "
      "complexity(x:hard) false}\n" },
    { "counts of one pattern",
      "  signals:\n    structure:\n      - {name: many, feature: {type: count, source: {type: regex, pattern: q}}, "
      "predicate: {gt: 3}}\n      - {name: few, feature: {type: count, source: {type: regex, pattern: q}}, predicate: "
      "{lt: "
      "4}}\n      - {name: none, feature: {type: count, source: {type: regex, pattern: w}}, predicate: {lt: "
      "1}}\n" DECISIONS ROUTE("r", "priority: 1", AND(LEAF("structure", "many") ", " LEAF("structure", "few")), "a")
          ROUTE("s", "priority: 2", AND(LEAF("structure", "many") ", " LEAF("structure", "none")), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "what is counted where there are no words is not dense",
      STRUCTURES DECISIONS ROUTE("odd", "priority: 3", AND(LEAF("structure", "some") ", " LEAF("structure", "sparse")),
                                 "a")
          ROUTE("even", "priority: 2", AND(LEAF("structure", "some") ", " LEAF("structure", "dense")), "a")
              ROUTE("never", "priority: 1", AND(LEAF("structure", "none") ", " LEAF("structure", "dense")), "a") ALWAYS,
      "W402 route \"never\": WHEN is never true\n" },
    { "densities of one text are zero together when it has no words",
      STRUCTURES DECISIONS ROUTE(
          "r", "priority: 2",
          AND(LEAF("structure", "some") ", " LEAF("structure", "sparse") ", " LEAF("structure", "other")), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "no words in a recipe",
      "  decisions:\n" ALWAYS "recipes:\n  - name: fast\n    routing:\n" DEEP_STRUCTURES
      "      decisions:\n        - {name: odd, priority: 9, rules: " AND(LEAF("structure", "some") ", " LEAF(
          "structure",
          "sparse")) ", modelRefs: [{model: a, use_reasoning: false}]}\n"
                     "        - {name: rest, priority: 1, modelRefs: [{model: a, use_reasoning: false}]}\n",
      "" },
    { "labels of a classifier",
      "  signals: {classifiers: [{name: c, type: local, model_path: m, labels: [t, f]}]}\n" DECISIONS ROUTE(
          "r", "priority: 1",
          AND("{type: classifier, name: c, label: t, predicate: {gte: 0.9}}, "
              "{operator: NOT, conditions: [{type: classifier, name: c, label: t, predicate: {gte: 0.8}}]}"),
          "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "values of one key",
      "  signals:\n    metadata:\n      - {name: x, key: t, predicate: {equals: x}}\n      - {name: y, key: t, "
      "predicate: "
      "{in: [y, z]}}\n      - {name: there, key: t, predicate: {exists: true}}\n" DECISIONS ROUTE(
          "r", "priority: 1", AND(LEAF("metadata", "x") ", " LEAF("metadata", "y")), "a")
          ROUTE("s", "priority: 2", AND(LEAF("metadata", "x") ", " NOT(LEAF("metadata", "there"))), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\nW402 route \"s\": WHEN is never true\n" },
    { "members of a partition",
      "  signals: {domains: [{name: law}, {name: math}, {name: other}]}\n"
      "  projections: {partitions: [{name: p, semantics: exclusive, members: [law, math], default: math}]}\n" DECISIONS
          ROUTE("r", "priority: 1", AND(LEAF("domain", "law") ", " LEAF("domain", "math")), "a")
              ROUTE("s", "priority: 2", AND(LEAF("domain", "law") ", " LEAF("domain", "other")), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\n" },
    { "bands of two mappings over one score",
      KEYWORDS
      "  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 1}]}]\n"
      "    mappings:\n      - {name: a, source: s, method: threshold_bands, outputs: [{name: low, lt: 0.5}, {name: "
      "high, "
      "gte: 0.5}]}\n      - {name: b, source: s, method: threshold_bands, outputs: [{name: top, gte: 0.8}]}\n" DECISIONS
          ROUTE("r", "priority: 1", AND(LEAF("projection", "low") ", " LEAF("projection", "top")), "a")
              ROUTE("s", "priority: 2", AND(LEAF("projection", "high") ", " NOT(K)), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\nW402 route \"s\": WHEN is never true\n" },

    /* W404, W405, W406 */
    { "bands with a gap, an overlap, and one that nothing reaches",
      KEYWORDS
      "  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 1}, "
      "{type: keyword, name: l, weight: 1, value_source: confidence}]}]\n"
      "    mappings:\n      - {name: a, source: s, method: threshold_bands, outputs: [{name: low, lt: 0.5}, {name: "
      "mid, "
      "gt: 0.5, lte: 1}, {name: high, gte: 1, lt: 1.5}, {name: never, gt: 2.5}]}\n" DECISIONS ALWAYS,
      "W404 PROJECTION mapping a: no band holds the score 0.5, between \"low\" and \"mid\"\n"
      "W405 PROJECTION mapping a: bands \"mid\" and \"high\" both hold scores of 1; \"mid\" counts\n"
      "W404 PROJECTION mapping a: no band holds scores from 1.5, between \"high\" and \"never\"\n"
      "W406 PROJECTION mapping a: the band \"never\" is never reached; score \"s\" lies between 0 and 2, and "
      "earlier "
      "bands count first\n" },
    { "bands that tile the line",
      KEYWORDS
      "  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 1}]}]\n"
      "    mappings:\n      - {name: a, source: s, method: threshold_bands, outputs: [{name: low, lt: 0.5}, {name: "
      "high, "
      "gte: 0.5}]}\n" DECISIONS ALWAYS,
      "" },
    { "overlaps are meant where all count",
      KEYWORDS
      "  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 1}]}]\n"
      "    mappings:\n      - {name: a, source: s, method: multi_emit, outputs: [{name: low, lt: 0.7}, {name: high, "
      "gte: "
      "0.5}, {name: high2, gte: 0.6}]}\n" DECISIONS ALWAYS,
      "" },

    /* W407 */
    { "one priority, two models",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", K, "a") ROUTE("y", "priority: 1", L, "b") ALWAYS,
      "W407 routes \"x\" and \"y\" have the same priority and can both match: the confidence decides between their "
      "models, then the name {keyword(k) true, keyword(l) true}\n" },
    { "one priority, one model",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", K, "a") ROUTE("y", "priority: 1", L, "a") ALWAYS, "" },
    { "one priority, never together",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", K, "a") ROUTE("y", "priority: 1", AND(L ", " NOT(K)), "b") ALWAYS,
      "" },
    { "a tie that somebody else always wins",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", K, "a") ROUTE("y", "priority: 1", L, "b")
          ROUTE("z", "priority: 2", AND(K ", " L), "b") ALWAYS,
      "" },

    /* W408 */
    { "nothing for the rest", KEYWORDS DECISIONS ROUTE("x", "priority: 1", OR(K ", " NOT(L)), "a"),
      "W408 no route takes some requests; a route without WHEN, of the least rank, "
      "would take them {keyword(l) true, keyword(k) false}\n" },
    { "two routes that take all",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", K, "a") ROUTE("y", "priority: 2", NOT(K), "a"), "" },

    /* W409 */
    { "a term twice", KEYWORDS DECISIONS ROUTE("x", "priority: 1", AND(K ", " K), "a") ALWAYS,
      "W409 route \"x\": keyword(k) can be left out; WHEN is true for the same requests without it\n" },
    { "a term that another implies",
      KEYWORDS DECISIONS ROUTE("x", "priority: 1", AND(K ", " OR(K ", " L) ", " NOT(AND(L ", " NOT(K)))), "a") ALWAYS,
      "W409 route \"x\": this OR of 2 terms can be left out; WHEN is true for the same requests without it\n"
      "W409 route \"x\": this NOT can be left out; WHEN is true for the same requests without it\n" },
    { "terms that are needed", KEYWORDS DECISIONS ROUTE("x", "priority: 1", AND(K ", " OR(L ", " M)), "a") ALWAYS, "" },

    /* profiles */
    { "a recipe is named",
      KEYWORDS DECISIONS ALWAYS "recipes:\n  - name: fast\n    routing:\n      decisions:\n"
                                "        - {name: one, priority: 2, modelRefs: [{model: a, use_reasoning: false}]}\n"
                                "        - {name: two, priority: 1, modelRefs: [{model: b, use_reasoning: false}]}\n",
      "W401 recipe \"fast\": route \"two\" is unreachable: every match is taken by \"one\" {any request}\n" },
    { "no routes at all", "  decisions: []\n", "" },
};

/* The lines as they are told of a recipe `x`. */
static vsr_str in_recipe(struct arena *arena, const char *want) {
    vsr_str rest = str_from_c(want), all = VSR_STR("");
    while (rest.len > 0) {
        vsr_str line = str_split(&rest, '\n'), code = str_split(&line, ' ');
        all = arena_printf(arena, "%.*s%.*s recipe \"x\": %.*s\n", VSR_FMT(all), VSR_FMT(code), VSR_FMT(line));
    }
    return all;
}

TEST(reports_of_recipes) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct proved p = { 0 };
        if (strstr(cases[i].routing, "\nrecipes:") || strstr(cases[i].routing, "\nglobal:"))
            continue; /* it says itself where it stands */
        p.arena = arena_new(0, 0);
        proved_document(&p, loaded(p.arena, proved_recipe_yaml(p.arena, cases[i].routing), cases[i].name));
        CHECK_STR(proved_text(&p), arena_c_str(p.arena, in_recipe(p.arena, cases[i].want)), cases[i].name);
        proved_done(&p);
    }
}

TEST(reports) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct proved p;
        proved_make(&p, cases[i].routing);
        CHECK_STR(proved_text(&p), cases[i].want, cases[i].name);
        CHECK(p.summary.complete, cases[i].name);
        proved_done(&p);
    }
}

/* ---- programs of the language: places */

static const struct config_document *load_program(struct arena *arena, const char *text) {
    struct config_load_options options = {
        .parts = *dsl_parts(), .notation = &dsl_notation, .keep_env = true, .no_files = true
    };
    const struct config_document *doc = NULL;
    struct diag diag;
    char folder[] = "/tmp/vsr-prove-XXXXXX", path[64];
    FILE *file;
    CHECK(mkdtemp(folder) != NULL, "a folder");
    snprintf(path, sizeof(path), "%s/policy.dsl", folder);
    file = fopen(path, "w");
    CHECK(file != NULL, "a file");
    fputs(text, file);
    fclose(file);
    CHECK(config_load_file(arena, path, &options, &doc, &diag) == 0, "the program loads");
    remove(path);
    remove(folder);
    return doc;
}

TEST(the_default_model_answers_where_there_is_one) {
    static const char yaml[] =
        "version: v0.3\nproviders: {defaults: {default_model: a}, models: [{name: a, backend_refs: [{endpoint: "
        "\"127.0.0.1:1\"}]}]}\nrouting:\n  modelCards: [{name: a}]\n" KEYWORDS DECISIONS ROUTE("x", "priority: 1", K,
                                                                                               "a");
    struct findings_style style = { .hints = true, .examples = true };
    struct proved p = { .arena = arena_new(0, 0) };
    struct buf out;
    proved_document(&p, loaded(p.arena, str_from_c(yaml), "a default"));
    buf_init(&out, PROVED_LEN_MAX);
    findings_print(&p.findings, &style, &out);
    CHECK_STR(buf_str(&out),
              "8:7: hint: no route takes some requests, and the default model answers them; a route without WHEN, of "
              "the least rank, would take them [W408]\n    example: keyword(k) false\n",
              "told, with its example");
    buf_done(&out);
    proved_done(&p);
}

TEST(places_are_those_of_the_program) {
    struct proved p = { .arena = arena_new(0, 0) };
    struct findings_style style = { .hints = true };
    struct buf out;
    proved_document(&p, load_program(p.arena,
                                     "SIGNAL keyword k { operator: \"OR\" keywords: [\"x\"] }\n"
                                     "SIGNAL domain law {}\n"
                                     "ROUTE hi { PRIORITY 9 WHEN keyword(\"k\") MODEL \"m\" }\n"
                                     "ROUTE lo { PRIORITY 1 WHEN keyword(\"k\") AND domain(\"law\") MODEL \"n\" }\n"
                                     "ROUTE no {\n  PRIORITY 3\n"
                                     "  WHEN keyword(\"k\") AND NOT keyword(\"k\")\n  MODEL \"n\"\n}\n"
                                     "ROUTE rest { MODEL \"m\" }\n"
                                     "RECIPE fast {\n  ROUTE one { PRIORITY 2 MODEL \"m\" }\n"
                                     "  ROUTE two { PRIORITY 1 MODEL \"n\" }\n}\n"));
    buf_init(&out, PROVED_LEN_MAX);
    findings_print(&p.findings, &style, &out);
    CHECK_STR(buf_str(&out),
              "4:1: warning: route \"lo\" is unreachable: every match is taken by \"hi\" [W401]\n"
              "7:8: warning: route \"no\": WHEN is never true [W402]\n"
              "13:3: warning: recipe \"fast\": route \"two\" is unreachable: every match is taken by \"one\" [W401]\n",
              "places");
    buf_done(&out);
    proved_done(&p);
}

/* A tree's branch is denied what those before it take; nobody wrote that, so nobody can leave it out. */
TEST(terms_of_trees_are_those_that_are_written) {
    static const char tree[] = "%sSIGNAL language en {}\nSIGNAL language de {}\nDECISION_TREE t {\n"
                               "  IF language(\"en\") { NAME \"a\" MODEL \"m\" }\n"
                               "  ELSE IF language(\"de\")%s { NAME \"b\" MODEL \"n\" }\n"
                               "  ELSE { NAME \"c\" MODEL \"o\" }\n}\n%s";
    static const struct {
        const char *name, *before, *more, *after, *want;
    } cases_of_trees[] = {
        { "nothing that is written", "", "", "", "" },
        { "a term that is written", "", " AND NOT language(\"en\")", "",
          "W409 route \"b\": NOT language(en) can be left out; WHEN is true for the same requests without it\n" },
        { "in a recipe", "RECIPE fast {\n", "", "}\n", "" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases_of_trees); i++) {
        struct proved p = { .arena = arena_new(0, 0) };
        proved_document(&p, load_program(p.arena, arena_printf(p.arena, tree, cases_of_trees[i].before,
                                                               cases_of_trees[i].more, cases_of_trees[i].after)
                                                      .ptr));
        CHECK_STR(proved_text(&p), cases_of_trees[i].want, cases_of_trees[i].name);
        proved_done(&p);
    }
}

/* ---- limits */

/* Each of n + 1 pigeons sits in one of n holes, and no two in one: not so, and hard to see. */
static vsr_str pigeons(struct arena *arena, int n) {
    struct buf out;
    vsr_str text;
    buf_init(&out, PROVED_LEN_MAX);
    buf_append_c(&out, "  signals:\n    keywords: [");
    for (int i = 0; i < (n + 1) * n; i++)
        buf_printf(&out, "%s{name: k%d, operator: OR, keywords: [x%d]}", i ? ", " : "", i, i);
    buf_append_c(&out,
                 "]\n  decisions:\n    - {name: r, modelRefs: [{model: a, use_reasoning: false}], rules: {operator: "
                 "AND, conditions: [");
    for (int pigeon = 0; pigeon <= n; pigeon++) {
        buf_printf(&out, "%s{operator: OR, conditions: [", pigeon ? ", " : "");
        for (int hole = 0; hole < n; hole++)
            buf_printf(&out, "%s{type: keyword, name: k%d}", hole ? ", " : "", pigeon * n + hole);
        buf_append_c(&out, "]}");
    }
    for (int hole = 0; hole < n; hole++)
        for (int a = 0; a <= n; a++)
            for (int b = 0; b < a; b++)
                buf_printf(&out,
                           ", {operator: NOT, conditions: [{operator: AND, conditions: [{type: keyword, name: k%d}, "
                           "{type: keyword, name: k%d}]}]}",
                           a * n + hole, b * n + hole);
    buf_append_c(&out, "]}}\n");
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

TEST(what_is_too_hard_is_given_up) {
    struct proved p = { .arena = arena_new(0, 0) };
    struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1, .conflicts = 10 };
    const struct config_document *doc = loaded(p.arena, proved_yaml(p.arena, pigeons(p.arena, 8).ptr), "pigeons.yaml");
    findings_init(&p.findings, p.arena);
    dsl_prove(p.arena, doc, &options, &p.findings, &p.summary);
    CHECK(!p.summary.complete, "ten conflicts are not enough for nine pigeons");
    CHECK(str_find(proved_text(&p), VSR_STR("W411 analysis incomplete: a question was too hard")) >= 0, "it is said");
    CHECK(str_find(proved_text(&p), VSR_STR("W402")) < 0, "nothing is claimed");
    proved_done(&p);
}

TEST(easier_pigeons_are_proved) {
    struct proved p;
    struct arena *arena = arena_new(0, 0);
    proved_make(&p, pigeons(arena, 4).ptr);
    CHECK(str_find(proved_text(&p), VSR_STR("W402 route \"r\": WHEN is never true")) >= 0, "five pigeons");
    CHECK(p.summary.complete, "five pigeons");
    proved_done(&p);
    arena_free(arena);
}

TEST(too_many_routes_are_given_up) {
    struct arena *arena = arena_new(0, 0);
    struct proved p;
    struct buf out;
    buf_init(&out, PROVED_LEN_MAX);
    buf_append_c(&out, "  decisions:\n");
    for (int i = 0; i <= PROVE_ROUTES_MAX; i++)
        buf_printf(&out, "    - {name: r%d, priority: %d, modelRefs: [{model: a, use_reasoning: false}]}\n", i, i);
    proved_make(&p, arena_c_str(arena, buf_str(&out)));
    CHECK_STR(proved_text(&p),
              "W411 analysis incomplete: it has too many routes; what was found holds, and there may be more\n",
              "limit");
    buf_done(&out);
    proved_done(&p);
    arena_free(arena);
}

/* ---- what is known of families is what signal/ says of them */

TEST(families_are_those_of_the_engine) {
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    for (size_t i = 0; i < n + 1; i++) {
        const struct signal_family *family = i < n ? families[i] : &signal_kb_metric;
        vsr_str type = i < n ? str_from_c(family->config.type) : VSR_STR("kb_metric");
        struct theory_limits limits = theory_family_limits(type);
        bool any = family->value_least == 0 && family->value_greatest == 0;
        CHECK_INT(theory_family_unknown(type), family->on_unknown, type.ptr);
        CHECK(!family->never_unknown || theory_family_never_fails(type), type.ptr);
        CHECK(limits.confidence_least == family->confidence_least, type.ptr);
        CHECK(limits.confidence_most == (family->confidence_max > 0 ? family->confidence_max : 1), type.ptr);
        CHECK(limits.value_least == (any ? -INFINITY : family->value_least), type.ptr);
        CHECK(limits.value_most == (any ? INFINITY : family->value_greatest), type.ptr);
    }
}

/* ---- published profiles */

static const struct {
    const char *name, *want;
} profiles[] = {
    { "accuracy", "" },
    { "balance", "W409 route \"formal_math_proof\": projection(verification_required)\n"
                 "W409 route \"reasoning_deep\": NOT keyword(reasoning_request_markers)\n"
                 "W409 route \"reasoning_deep\": projection(verification_required)\n"
                 "W409 route \"verified_health\": projection(verification_required)\n"
                 "W409 route \"verified_explainer\": projection(verification_required)\n"
                 "W409 route \"medium_explainer\": projection(verification_required)\n"
                 "W409 route \"fast_qa\": projection(verification_required)\n" },
    { "feedback", "W409 route \"feedback_verified_recovery\": projection(feedback_verified_escalate)\n" },
    { "privacy", "" },
};

TEST(published_profiles) {
    const char *shared = test_shared_dir();
    if (!shared)
        skip();
    for (size_t i = 0; i < VSR_COUNT(profiles); i++) {
        struct proved p = { .arena = arena_new(0, 0) };
        struct config_load_options options = { .parts = *dsl_parts(), .keep_env = true, .no_files = true };
        const struct config_document *doc = NULL;
        vsr_str rest = str_from_c(profiles[i].want);
        struct diag diag;
        char path[1024];
        size_t n = 0;
        snprintf(path, sizeof(path), "%s/recipes/%s/config.yaml", shared, profiles[i].name);
        CHECK(config_load_file(p.arena, path, &options, &doc, &diag) == 0, profiles[i].name);
        proved_document(&p, doc);
        for (; rest.len > 0; n++) {
            vsr_str line = str_split(&rest, '\n'), start = str_sub(line, 5, line.len);
            CHECK(n < p.findings.n && str_starts(p.findings.items[n].message, start), profiles[i].name);
        }
        CHECK_INT(p.findings.n, n, profiles[i].name);
        CHECK(p.summary.complete, profiles[i].name);
        proved_done(&p);
    }
}

RUN_TESTS(T(reports), T(reports_of_recipes), T(the_default_model_answers_where_there_is_one),
          T(places_are_those_of_the_program), T(terms_of_trees_are_those_that_are_written),
          T(what_is_too_hard_is_given_up), T(easier_pigeons_are_proved), T(too_many_routes_are_given_up),
          T(families_are_those_of_the_engine), T(published_profiles))
