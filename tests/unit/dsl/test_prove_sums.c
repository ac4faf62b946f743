/* What scores can come to: sums that hit a bound, sums of what is measured, too many sums. */
#include "proved.h"
#include "routings.h"

#define SUMMED(inputs, bands) \
    KEYWORDS \
    "  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [" inputs "]}]\n" \
    "    mappings: [{name: m, source: s, method: threshold_bands, outputs: [" bands "]}]\n"

static const struct {
    const char *name, *routing, *want;
} cases[] = {
    { "sums that are a bound are on one side of it",
      SUMMED("{type: keyword, name: k, weight: 1}",
             "{name: neg, lt: 0}, {name: low, gte: 0, lt: 1}, {name: hi, gte: 1}")
          DECISIONS ROUTE("r", "priority: 3", LEAF("projection", "neg"), "a")
              ROUTE("s", "priority: 2", AND(LEAF("projection", "low") ", " K), "a")
                  ROUTE("t", "priority: 1", OR(LEAF("projection", "low") ", " LEAF("projection", "hi")), "a"),
      "W406 PROJECTION mapping m: the band \"neg\" is never reached; score \"s\" lies between 0 and 1, and earlier "
      "bands "
      "count first\n"
      "W402 route \"r\": WHEN is never true\n"
      "W402 route \"s\": WHEN is never true\n"
      "W403 route \"t\": WHEN is always true; without it the route says that it takes every request\n" },
    { "sums as the machine adds them: 0.1 + 0.2 is more than 0.3",
      SUMMED("{type: keyword, name: k, weight: 0.1}, {type: keyword, name: l, weight: 0.2}",
             "{name: low, lte: 0.3}, {name: hi, gt: 0.3}")
          DECISIONS ROUTE("r", "priority: 3", AND(LEAF("projection", "low") ", " K ", " L), "a")
              ROUTE("s", "priority: 2", AND(LEAF("projection", "hi") ", " NOT(K)), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\nW402 route \"s\": WHEN is never true\n" },
    { "what is measured may be on either side",
      SUMMED("{type: keyword, name: k, weight: 1, value_source: confidence}", "{name: low, lt: 1}, {name: hi, gte: 1}")
          DECISIONS ROUTE("r", "priority: 3", AND(LEAF("projection", "low") ", " K), "a")
              ROUTE("s", "priority: 2", LEAF("projection", "hi"), "a")
                  ROUTE("t", "priority: 1", AND(LEAF("projection", "hi") ", " NOT(K)), "a") ALWAYS,
      "W402 route \"t\": WHEN is never true\n" },
    { "scores of scores",
      KEYWORDS "  projections:\n    scores: [{name: t, method: weighted_sum, inputs: [{type: keyword, name: k, weight: "
               "1}, {type: "
               "keyword, name: l, weight: 1}]}, {name: s, method: weighted_sum, inputs: [{type: projection, name: t, "
               "value_source: score, weight: 0.5}, {type: keyword, name: m, weight: 1}]}]\n"
               "    mappings: [{name: m, source: s, method: threshold_bands, outputs: [{name: half, gt: 0, lt: 1}, "
               "{name: whole, "
               "gte: 1, lte: 1}, {name: more, gt: 1}]}]\n" DECISIONS ROUTE(
                   "r", "priority: 3", AND(LEAF("projection", "whole") ", " K ", " NOT(L)), "a")
                   ROUTE("s", "priority: 2", AND(LEAF("projection", "half") ", " K ", " L), "a")
                       ROUTE("t", "priority: 1", AND(LEAF("projection", "more") ", " NOT(L)), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\nW402 route \"s\": WHEN is never true\n" },
    { "sums in a recipe",
      "  decisions:\n" ALWAYS "recipes:\n  - name: fast\n    routing:\n"
      "      signals: {conversation: [{name: tools, feature: {type: exists, source: {type: tool_definition}}}]}\n"
      "      projections:\n        scores: [{name: s, method: weighted_sum, inputs: [{type: conversation, name: tools, "
      "weight: 1}]}]\n        mappings: [{name: m, source: s, method: threshold_bands, outputs: [{name: low, gte: 0, "
      "lt: 1}, {name: hi, gte: 1}]}]\n"
      "      decisions:\n        - {name: hi, rules: " LEAF("projection",
                                                            "hi") ", modelRefs: [{model: a, use_reasoning: "
                                                                  "false}]}\n        - {name: low, rules: " LEAF(
                                                                      "projection",
                                                                      "low") ", modelRefs: [{model: a, use_reasoning: "
                                                                             "false}]}\n",
      "" },
};

TEST(sums) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct proved p;
        proved_make(&p, cases[i].routing);
        CHECK_STR(proved_text(&p), cases[i].want, cases[i].name);
        CHECK(p.summary.complete, cases[i].name);
        proved_done(&p);
    }
}

/* Twenty inputs, each with twice the weight of the one before it (`doubling`) or the same; the bands are those given.
 */
static vsr_str twenty(struct arena *arena, bool doubling, const char *bands, const char *routes) {
    struct buf out;
    vsr_str text;
    buf_init(&out, PROVED_LEN_MAX);
    buf_append_c(&out, "  signals:\n    keywords: [");
    for (int i = 0; i < 20; i++)
        buf_printf(&out, "%s{name: k%d, operator: OR, keywords: [x%d]}", i ? ", " : "", i, i);
    buf_append_c(&out, "]\n  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [");
    for (int i = 0; i < 20; i++)
        buf_printf(&out, "%s{type: keyword, name: k%d, weight: %d}", i ? ", " : "", i, doubling ? 1 << i : 1);
    buf_printf(&out, "]}]\n    mappings: [{name: m, source: s, method: multi_emit, outputs: [%s]}]\n  decisions:\n%s",
               bands, routes);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static const struct {
    const char *name;
    bool doubling;
    const char *bands, *routes, *want;
} twenties[] = {
    /* Each set of inputs has a sum of its own: too many to be said beforehand. */
    { "too many sums", true, "{name: all, gte: 1048575}, {name: most, gte: 1048574.5}, {name: some, gte: 8}",
      ROUTE("r", "priority: 3", AND(LEAF("projection", "most") ", " NOT(LEAF("keyword", "k3"))), "a")
          ROUTE("s", "priority: 2", AND(LEAF("projection", "all") ", " NOT(LEAF("keyword", "k0"))), "a")
              ROUTE("t", "priority: 1", AND(LEAF("projection", "some") ", " NOT(LEAF("keyword", "k3"))), "a") ALWAYS,
      "W402 route \"r\": WHEN is never true\nW402 route \"s\": WHEN is never true\n" },
    { "a sum that is a bound, among too many", true, "{name: gap, gt: 8, lt: 9}, {name: eight, gte: 8, lte: 8}",
      ROUTE("r", "priority: 3", LEAF("projection", "gap"), "a")
          ROUTE("s", "priority: 2", AND(LEAF("projection", "eight") ", " LEAF("keyword", "k3")), "a") ALWAYS,
      "W406 PROJECTION mapping m: the band \"gap\" is never reached; score \"s\" lies between 0 and 1.04858e+06, and "
      "earlier bands count first\nW402 route \"r\": WHEN is never true\nW409 route \"s\": keyword(k3) can be left out; "
      "WHEN is true for the same requests without it\n" },
    { "a bound that only all of them reach", true, "{name: over, gt: 1048575}, {name: all, gte: 1048575}",
      ROUTE("r", "priority: 3", LEAF("projection", "over"), "a") ALWAYS,
      "W406 PROJECTION mapping m: the band \"over\" is never reached; score \"s\" lies between 0 and 1.04858e+06, and "
      "earlier bands count first\nW402 route \"r\": WHEN is never true\n" },
    /* 184,756 sets of ten, and one sum. */
    { "many ways to a sum", false, "{name: between, gt: 10, lt: 11}, {name: ten, gte: 10, lte: 10}",
      ROUTE("r", "priority: 3", LEAF("projection", "between"), "a")
          ROUTE("s", "priority: 2", LEAF("projection", "ten"), "a") ALWAYS,
      "W406 PROJECTION mapping m: the band \"between\" is never reached; score \"s\" lies between 0 and 20, and "
      "earlier "
      "bands count first\nW402 route \"r\": WHEN is never true\n" },
};

TEST(twenty_inputs) {
    for (size_t i = 0; i < VSR_COUNT(twenties); i++) {
        struct arena *arena = arena_new(0, 0);
        struct proved p;
        proved_make(&p, twenty(arena, twenties[i].doubling, twenties[i].bands, twenties[i].routes).ptr);
        CHECK_STR(proved_text(&p), twenties[i].want, twenties[i].name);
        CHECK(p.summary.complete, twenties[i].name);
        proved_done(&p);
        arena_free(arena);
    }
}

RUN_TESTS(T(sums), T(twenty_inputs))
