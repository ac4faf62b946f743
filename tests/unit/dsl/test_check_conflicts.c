/* Conditions that get in each other's way: C402, W400, W412; and what bounds the search. */
#include "checked.h"

static const struct checked_case cases[] = {
    { "C402: nested, negated, once for each pair", 0,
      "SIGNAL domain a {}\n"
      "SIGNAL domain b {}\n"
      "SIGNAL domain c {}\n"
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"a\", \"b\", \"c\"] default: \"a\" }\n"
      "ROUTE r {\n"
      "  WHEN (domain(\"a\") OR keyword(\"k\")) AND (domain(\"b\") OR NOT domain(\"c\")) AND domain(\"b\")\n"
      "  MODEL m\n"
      "}\n"
      "ROUTE s { WHEN NOT (NOT domain(\"a\") OR NOT domain(\"c\")) MODEL m }\n"
      "ROUTE t { WHEN domain(\"a\") OR domain(\"b\") OR NOT (domain(\"a\") AND domain(\"c\")) AND keyword(\"k\") MODEL "
      "m }",
      "7:43: constraint: route \"r\": WHEN requires domain(\"a\") and domain(\"b\"), which partition \"p\" makes "
      "mutually exclusive [C402]\n"
      "10:44: constraint: route \"s\": WHEN requires domain(\"a\") and domain(\"c\"), which partition \"p\" makes "
      "mutually exclusive [C402]\n"
      "11:1: warning: routes \"r\" and \"t\" share 2 signals with no mutual exclusion guard (domain=1, keyword=1): "
      "domain(\"b\"), keyword(\"k\") [W400]\n" },
    { "C402: a branch", 0,
      "SIGNAL domain a {}\n"
      "SIGNAL domain b {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"a\", \"b\"] default: \"a\" }\n"
      "DECISION_TREE t { IF domain(\"a\") { MODEL m } ELSE IF domain(\"b\") AND domain(\"a\") { MODEL m } ELSE { MODEL "
      "m } }",
      "4:70: constraint: DECISION_TREE \"t\" branch 2: WHEN requires domain(\"b\") and domain(\"a\"), which partition "
      "\"p\" makes mutually exclusive [C402]\n" },
    { "domains without a partition go together", 0,
      "SIGNAL domain a {}\n"
      "SIGNAL domain b {}\n"
      "ROUTE r { WHEN domain(\"a\") AND domain(\"b\") MODEL m }",
      "" },
    { "W412: domains", 0,
      "SIGNAL domain math {}\n"
      "SIGNAL domain stem { mmlu_categories: [\"physics\", \"math\"] }\n"
      "SIGNAL domain nature { mmlu_categories: [\"biology\", \"physics\"] }\n"
      "SIGNAL domain law {}",
      "2:51: warning: SIGNAL domain stem: category \"math\" belongs to domain \"math\" too [W412]\n"
      "3:53: warning: SIGNAL domain nature: category \"physics\" belongs to domain \"stem\" too [W412]\n" },
    { "W400: counts and examples", 0,
      "SIGNAL keyword a { keywords: [\"x\"] }\n"
      "SIGNAL keyword b { keywords: [\"x\"] }\n"
      "SIGNAL keyword c { keywords: [\"x\"] }\n"
      "SIGNAL domain law {}\n"
      "SIGNAL language en {}\n"
      "ROUTE r { PRIORITY 2 WHEN keyword(\"b\") AND keyword(\"a\") AND keyword(\"c\") AND domain(\"law\") MODEL m }\n"
      "ROUTE s { PRIORITY 2 WHEN keyword(\"a\") AND keyword(\"b\") AND keyword(\"c\") AND domain(\"law\") AND NOT "
      "language(\"en\") OR keyword(\"a\") AND language(\"en\") MODEL n }",
      "7:1: warning: routes \"r\" and \"s\" share 4 signals with no mutual exclusion guard (domain=1, keyword=3): "
      "domain(\"law\"), keyword(\"a\"), keyword(\"b\"), ... [W400]\n" },
    { "W400: guards", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "SIGNAL language en {}\n"
      "SIGNAL language de {}\n"
      "SIGNAL context small { max_tokens: \"999\" }\n"
      "SIGNAL context big { min_tokens: \"1K\" }\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\n"
      "ROUTE a { WHEN keyword(\"k\") AND domain(\"d\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") AND NOT domain(\"d\") AND language(\"en\") MODEL m }\n"
      "ROUTE c { WHEN keyword(\"k\") AND NOT domain(\"d\") AND language(\"de\") AND context(\"small\") MODEL m }\n"
      "ROUTE d { WHEN keyword(\"k\") AND language(\"de\") AND context(\"big\") AND NOT domain(\"d\") AND "
      "complexity(\"c:hard\") MODEL m }\n"
      "ROUTE e { WHEN keyword(\"k\") AND language(\"de\") AND context(\"big\") AND NOT domain(\"d\") AND "
      "complexity(\"c:easy\") MODEL m }",
      "" },
    { "W400: ranges that meet", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL context small { max_tokens: \"1K\" }\n"
      "SIGNAL context big { min_tokens: \"1K\" }\n"
      "ROUTE a { WHEN keyword(\"k\") AND context(\"small\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") AND context(\"big\") MODEL m }",
      "5:1: warning: routes \"a\" and \"b\" share 1 signal with no mutual exclusion guard (keyword=1): keyword(\"k\") "
      "[W400]\n" },
    { "W400: ranges that meet in one route", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL context small { max_tokens: \"1K\" }\n"
      "SIGNAL context big { min_tokens: \"1K\" }\n"
      "ROUTE a { WHEN keyword(\"k\") AND context(\"small\") AND context(\"big\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") MODEL m }",
      "5:1: warning: routes \"a\" and \"b\" share 1 signal with no mutual exclusion guard (keyword=1): keyword(\"k\") "
      "[W400]\n" },
    { "W400: ranges that never meet in one route", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL context small { max_tokens: \"999\" }\n"
      "SIGNAL context big { min_tokens: \"1K\" }\n"
      "ROUTE a { WHEN keyword(\"k\") AND context(\"small\") AND context(\"big\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") MODEL m }",
      "" },
    { "W400: what contradicts itself is in no one's way", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "ROUTE a { WHEN keyword(\"k\") AND domain(\"d\") AND NOT domain(\"d\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") MODEL m }",
      "" },
    { "W400: bands", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping m { source: \"s\" outputs: [{ name: \"low\", lt: 0.5 }, { name: \"high\", gte: 0.5 }] }\n"
      "ROUTE a { WHEN keyword(\"k\") AND projection(\"low\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") AND projection(\"high\") MODEL m }\n"
      "ROUTE c { WHEN projection(\"high\") MODEL m }",
      "" },
    { "W400: bands that are emitted together", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping m { source: \"s\" method: \"multi_emit\" outputs: [{ name: \"low\", lt: 0.6 }, { name: "
      "\"high\", gte: 0.5 }] }\n"
      "ROUTE a { WHEN keyword(\"k\") AND projection(\"low\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") AND projection(\"high\") MODEL m }",
      "5:1: warning: routes \"a\" and \"b\" share 1 signal with no mutual exclusion guard (keyword=1): keyword(\"k\") "
      "[W400]\n" },
    { "W400: members", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain a {}\n"
      "SIGNAL domain b {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"a\", \"b\"] default: \"a\" }\n"
      "ROUTE x { WHEN keyword(\"k\") AND domain(\"a\") MODEL m }\n"
      "ROUTE y { WHEN keyword(\"k\") AND domain(\"b\") MODEL m }",
      "" },
    { "W400: not for overlays", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL user_feedback bad {}\n"
      "ROUTE a { WHEN keyword(\"k\") AND user_feedback(\"bad\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") MODEL m }",
      "" },
    { "W400: feedback in one way alone is no overlay", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL user_feedback bad {}\n"
      "SIGNAL domain d {}\n"
      "ROUTE a { WHEN domain(\"d\") OR user_feedback(\"bad\") MODEL m }\n"
      "ROUTE b { WHEN keyword(\"k\") AND domain(\"d\") MODEL m }",
      "5:1: warning: routes \"a\" and \"b\" share 1 signal with no mutual exclusion guard (domain=1): domain(\"d\") "
      "[W400]\n" },
    { "W400: a special case above its general case is meant", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "ROUTE special { PRIORITY 9 WHEN keyword(\"k\") AND domain(\"d\") MODEL m }\n"
      "ROUTE general { PRIORITY 1 WHEN keyword(\"k\") MODEL n }",
      "" },
    { "W400: but confidence may turn them round", 0,
      "ROUTING { strategy: confidence }\n"
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "ROUTE special { PRIORITY 9 WHEN keyword(\"k\") AND domain(\"d\") MODEL m }\n"
      "ROUTE general { PRIORITY 1 WHEN keyword(\"k\") MODEL n }",
      "5:1: warning: routes \"special\" and \"general\" share 1 signal with no mutual exclusion guard (keyword=1): "
      "keyword(\"k\") [W400]\n" },
    { "W400: within a tier, too", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "ROUTE special { TIER 1 PRIORITY 9 WHEN keyword(\"k\") AND domain(\"d\") MODEL m }\n"
      "ROUTE general { TIER 1 PRIORITY 1 WHEN keyword(\"k\") MODEL n }\n"
      "ROUTE last { TIER 2 PRIORITY 10 WHEN domain(\"d\") MODEL n }",
      "4:1: warning: routes \"special\" and \"general\" share 1 signal with no mutual exclusion guard (keyword=1): "
      "keyword(\"k\") [W400]\n" },
    { "W400: the later tier is the place", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "ROUTE later { TIER 2 PRIORITY 9 WHEN keyword(\"k\") MODEL m }\n"
      "ROUTE sooner { TIER 1 WHEN keyword(\"k\") AND domain(\"d\") OR keyword(\"k\") AND NOT domain(\"d\") MODEL n }\n"
      "ROUTE untiered { PRIORITY 99 WHEN domain(\"d\") AND keyword(\"k\") MODEL o }",
      "5:1: warning: routes \"later\" and \"untiered\" share 1 signal with no mutual exclusion guard (keyword=1): "
      "keyword(\"k\") [W400]\n" },
    { "W400: untiered routes first", 0,
      "ROUTING { strategy: priority untiered: \"first\" }\n"
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL domain d {}\n"
      "ROUTE tiered { TIER 1 WHEN keyword(\"k\") AND domain(\"d\") MODEL m }\n"
      "ROUTE untiered { WHEN keyword(\"k\") MODEL o }",
      "4:1: warning: routes \"untiered\" and \"tiered\" share 1 signal with no mutual exclusion guard (keyword=1): "
      "keyword(\"k\") [W400]\n" },
    { "W400: equal routes go by name", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "ROUTE b { WHEN keyword(\"k\") MODEL m }\n"
      "ROUTE a { WHEN keyword(\"k\") MODEL m }",
      "2:1: warning: routes \"a\" and \"b\" share 1 signal with no mutual exclusion guard (keyword=1): keyword(\"k\") "
      "[W400]\n" },
    { "W400: other bounds are another leaf", 0,
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "ROUTE a { WHEN classifier(\"t\", label: \"toxic\", predicate: { gte: 0.8 }) MODEL m }\n"
      "ROUTE b { WHEN classifier(\"t\", label: \"toxic\", predicate: { lt: 0.8 }) MODEL m }\n"
      "ROUTE c { WHEN classifier(\"t\", label: \"toxic\", predicate: { lt: 0.80 }) MODEL m }",
      "4:1: warning: routes \"b\" and \"c\" share 1 signal with no mutual exclusion guard (classifier=1): "
      "classifier(\"t\") [W400]\n" },
    { "W400: trees are cascades", 0,
      "SIGNAL domain d {}\n"
      "DECISION_TREE t { IF domain(\"d\") { MODEL m } ELSE { MODEL m } }\n"
      "DECISION_TREE u { IF domain(\"d\") { MODEL m } ELSE { MODEL m } }",
      "" },
};

TEST(each_case_is_told) {
    checked_cases(cases, VSR_COUNT(cases));
}

/* ---- limits */

/* `(k("a0") OR k("a1") OR ...) AND (...)`: n_factors factors of n_terms signals each, all different. */
static vsr_str product(struct arena *arena, size_t n_factors, size_t n_terms, const char *priority) {
    struct buf out;
    vsr_str text;
    buf_init(&out, COMPILED_LEN_MAX);
    for (size_t i = 0; i < n_factors * n_terms; i++)
        buf_printf(&out, "SIGNAL keyword a%zu { keywords: [\"x\"] } ", i);
    buf_printf(&out, "ROUTE r { PRIORITY %s WHEN ", priority);
    for (size_t f = 0; f < n_factors; f++)
        for (size_t t = 0; t < n_terms; t++)
            buf_printf(&out, "%skeyword(\"a%zu\")%s",
                       t   ? " OR "
                       : f ? " AND ("
                           : "(",
                       f * n_terms + t, t + 1 == n_terms ? ")" : "");
    buf_printf(&out, " MODEL m }\nROUTE s { WHEN keyword(\"a0\") MODEL m }\n");
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static const struct {
    const char *name;
    size_t n_factors, n_terms;
    bool compared;
} products[] = {
    { "two ways", 1, 2, true },
    { "as many ways as there may be", 12, 2, true }, /* 4096 */
    { "one factor more", 13, 2, false },
    { "twelve times six", 12, 6, false },
    { "thousands of factors", 2000, 3, false },
    { "thousands of terms", 1, 4096, true },
    { "one term too many", 1, 4097, false },
};

TEST(conditions_do_not_blow_up) {
    for (size_t i = 0; i < VSR_COUNT(products); i++) {
        struct arena *arena = arena_new(0, 0);
        struct compiled c;
        bool told = false, given_up = false;
        checked_make(&c, product(arena, products[i].n_factors, products[i].n_terms, "0"), NULL);
        for (size_t k = 0; k < c.findings.n; k++) {
            const struct finding *finding = &c.findings.items[k];
            bool conflict = strcmp(finding->code, "W400") == 0;
            told |= conflict && finding->level == FINDING_WARNING;
            given_up |= conflict && finding->level == FINDING_HINT;
        }
        CHECK_INT(told, products[i].compared, products[i].name);
        CHECK_INT(given_up, !products[i].compared, products[i].name);
        compiled_done(&c);
        arena_free(arena);
    }
}

/* Each route can hold in 1024 ways and meets each other one in a signal: comparing them all is too much. */
TEST(the_search_ends) {
    enum { ROUTES = 400, FACTORS = 10 };
    struct compiled c;
    struct buf out;
    size_t n_hints = 0;
    buf_init(&out, COMPILED_LEN_MAX);
    for (size_t i = 0; i < (size_t)2 * FACTORS; i++)
        buf_printf(&out, "SIGNAL keyword a%zu { keywords: [\"x\"] } ", i);
    for (size_t i = 0; i < ROUTES; i++) {
        buf_printf(&out, "ROUTE r%zu { WHEN NOT keyword(\"b%zu\")", i, i);
        for (size_t f = 0; f < FACTORS; f++)
            buf_printf(&out, " AND (keyword(\"a%zu\") OR keyword(\"a%zu\"))", 2 * f, 2 * f + 1);
        buf_printf(&out, " MODEL m }\n");
    }
    checked_make(&c, buf_str(&out), NULL);
    for (size_t k = 0; k < c.findings.n; k++)
        n_hints += strcmp(c.findings.items[k].code, "W400") == 0 && c.findings.items[k].level == FINDING_HINT;
    CHECK_MSG(n_hints > 0, "all %d routes were compared", ROUTES);
    compiled_done(&c);
    buf_done(&out);
}

/* A condition that names many members of a partition at once: pairs are told once each, up to the limit of findings. */
TEST(pairs_of_members_are_bounded) {
    enum { MEMBERS = 3000 };
    struct compiled c;
    struct buf out;
    size_t n = 0;
    buf_init(&out, COMPILED_LEN_MAX);
    for (size_t i = 0; i < MEMBERS; i++)
        buf_printf(&out, "SIGNAL domain d%zu {}\n", i);
    buf_printf(&out, "PROJECTION partition p { semantics: \"exclusive\" default: \"d0\" members: [");
    for (size_t i = 0; i < MEMBERS; i++)
        buf_printf(&out, "%s\"d%zu\"", i ? ", " : "", i);
    buf_printf(&out, "] }\nROUTE r { WHEN ");
    for (size_t i = 0; i < MEMBERS; i++)
        buf_printf(&out, "%sdomain(\"d%zu\")", i ? " AND " : "", i);
    buf_printf(&out, " MODEL m }\n");
    checked_make(&c, buf_str(&out), NULL);
    for (size_t k = 0; k < c.findings.n; k++)
        n += strcmp(c.findings.items[k].code, "C402") == 0;
    CHECK_INT(n, FINDINGS_MAX, "as many as are kept");
    compiled_done(&c);
    buf_done(&out);
}

RUN_TESTS(T(each_case_is_told), T(conditions_do_not_blow_up), T(the_search_ends), T(pairs_of_members_are_bounded))
