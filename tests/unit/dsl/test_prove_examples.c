/* Embedding rules whose examples are near each other, and the routes that ask for them: whoever knows vectors is
 * played. */
#include "dsl/prove_examples.h"

#include "proved.h"

#define RULES(more) \
    "  signals:\n    embeddings:\n" \
    "      - {name: e, threshold: 0.7, candidates: [x]}\n" \
    "      - {name: f, threshold: 0.8, candidates: [y]" more "}\n" \
    "    keywords: [{name: k, operator: OR, keywords: [z]}]\n"
#define ROUTE(name, rank, rules, model) \
    "    - {name: " name ", " rank ", rules: " rules ", modelRefs: [{model: " model ", use_reasoning: false}]}\n"
#define E "{type: embedding, name: e}"
#define F "{type: embedding, name: f}"
#define K "{type: keyword, name: k}"
#define AND(...) "{operator: AND, conditions: [" __VA_ARGS__ "]}"
#define OR(...) "{operator: OR, conditions: [" __VA_ARGS__ "]}"
#define NOT(x) "{operator: NOT, conditions: [" x "]}"
#define DECISIONS "  decisions:\n"
#define REST ROUTE("rest", "priority: -9", "{}", "a")
#define TWO DECISIONS ROUTE("r", "priority: 2", E, "a") ROUTE("s", "priority: 1", F, "b") REST
#define PARTITION(members) \
    "  projections: {partitions: [{name: p, semantics: exclusive, members: [" members "], default: e}]}\n"

#define ALL \
    "global: {model_catalog: {embeddings: {semantic: {embedding_config: {top_k: 0, enable_soft_matching: false}}}}}\n"
#define SOFT \
    "global: {model_catalog: {embeddings: {semantic: {embedding_config: {top_k: 0, enable_soft_matching: true, " \
    "min_score_threshold: 0.4}}}}}\n"

#define TOLD(verb, alike, a, b, what) \
    "embedding rules \"e\" and \"f\" " verb " match one text (their nearest examples are " alike \
    " alike), so routes \"" a "\" and \"" b "\" can hold together, and the " what \
    " decides between their models; in a softmax partition the nearer rule would"

static const struct {
    const char *name, *global, *routing;
    bool meet;
    double similarity;
    const char *want; /* `least_a least_b` of each question; then what is told */
} cases[] = {
    { "an example in the other's cap", ALL, RULES("") TWO, true, 0.75,
      "0.7 0.8;W410 1 " TOLD("can", "0.75", "r", "s",
                             "order of the routes") " {embedding(e) true, embedding(f) true}\n" },
    { "exactly there", ALL, RULES("") TWO, true, 0.7,
      "0.7 0.8;W410 1 " TOLD("can", "0.70", "r", "s",
                             "order of the routes") " {embedding(e) true, embedding(f) true}\n" },
    { "only between them", ALL, RULES("") TWO, true, 0.69,
      "0.7 0.8;W410 3 " TOLD("could", "0.69", "r", "s",
                             "order of the routes") " {embedding(e) true, embedding(f) true}\n" },
    { "caps that do not meet", ALL, RULES("") TWO, false, 0.1, "0.7 0.8;" },
    { "what is near enough matches softly", SOFT, RULES("") TWO, true, 0.5,
      "0.4 0.4;W410 3 " TOLD("could", "0.50", "r", "s",
                             "order of the routes") " {embedding(e) true, embedding(f) true}\n" },
    { "the confidence decides", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", E, "a") ROUTE("s", "priority: 2", F, "b") REST, true, 0.9,
      "0.7 0.8;W410 1 " TOLD("can", "0.90", "r", "s", "confidence") " {embedding(e) true, embedding(f) true}\n" },
    { "conditions with more in them", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", AND(E ", " K), "a")
          ROUTE("s", "priority: 1", OR(F ", " NOT(K)), "b") REST,
      true, 0.9,
      "0.7 0.8;W410 1 " TOLD("can", "0.90", "r", "s", "order of the routes") " {embedding(e) true, keyword(k) true, "
                                                                             "embedding(f) true}\n" },
    { "only the best one stays", "", RULES("") TWO, true, 0.9, "" },
    { "one partition", ALL, RULES("") PARTITION("e, f") TWO, true, 0.9, "" },
    { "the same models", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", E, "a") ROUTE("s", "priority: 1", F, "a") REST, true, 0.9, "" },
    { "one route asks for both", ALL, RULES("") DECISIONS ROUTE("r", "priority: 2", AND(E ", " F), "b") REST, true, 0.9,
      "" },
    { "one of two routes asks for both", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", AND(E ", " F), "a") ROUTE("s", "priority: 1", F, "b") REST, true,
      0.9, "" },
    { "the other one is thought of", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", AND(E ", " NOT(F)), "a") ROUTE("s", "priority: 1", F, "b") REST,
      true, 0.9, "" },
    { "what a route does not want", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", E, "a") ROUTE("s", "priority: 1", NOT(F), "b") REST, true, 0.9,
      "" },
    { "twice not is wanted", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", NOT(NOT(E)), "a") ROUTE("s", "priority: 1", F, "b") REST, true, 0.9,
      "0.7 0.8;W410 1 " TOLD("can", "0.90", "r", "s",
                             "order of the routes") " {embedding(e) true, embedding(f) true}\n" },
    { "conditions that exclude each other", ALL,
      RULES("") DECISIONS ROUTE("r", "priority: 2", AND(E ", " K), "a")
          ROUTE("s", "priority: 1", AND(F ", " NOT(K)), "b") REST,
      true, 0.9, "" },
    { "nobody asks for one", ALL, RULES("") DECISIONS ROUTE("r", "priority: 2", E, "a") REST, true, 0.9, "" },
};

struct answers {
    struct buf out;
    bool meet;
    double similarity;
};

static bool meet(void *data, const struct prove_meeting *m, bool *ret_meet, double *ret_similarity) {
    struct answers *answers = data;
    CHECK_STR(m->type, "embedding", "type");
    CHECK(str_eq_c(m->a, "e") && str_eq_c(m->b, "f"), "names");
    buf_printf(&answers->out, "%g %g;", m->least_a, m->least_b);
    *ret_meet = answers->meet;
    *ret_similarity = answers->similarity;
    return true;
}

static void look(struct proved *p, vsr_str text, struct answers *answers) {
    const struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
    const struct prove_examples examples = { meet, answers };
    *p = (struct proved){ .arena = arena_new(0, 0) };
    p->doc = loaded(p->arena, arena_str(p->arena, text), "test.yaml");
    findings_init(&p->findings, p->arena);
    dsl_prove_examples(p->arena, p->doc, &options, &examples, &p->findings);
}

TEST(rules_that_match_together) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct answers answers = { .meet = cases[i].meet, .similarity = cases[i].similarity };
        struct arena *arena = arena_new(0, 0);
        struct proved p;
        buf_init(&answers.out, PROVED_LEN_MAX);
        look(&p, arena_printf(arena, "%.*s%s", VSR_FMT(proved_yaml(arena, cases[i].routing)), cases[i].global),
             &answers);
        for (size_t k = 0; k < p.findings.n; k++) {
            const struct finding *finding = &p.findings.items[k];
            buf_printf(&answers.out, "%s %d %.*s {%.*s}\n", finding->code, finding->level, VSR_FMT(finding->message),
                       VSR_FMT(finding->witness));
            CHECK_INT(finding->at.line, 8, "where the second rule stands");
        }
        CHECK_STR(buf_str(&answers.out), cases[i].want, cases[i].name);
        buf_done(&answers.out);
        proved_done(&p);
        arena_free(arena);
    }
}

/* Pictures and texts are never compared with one vector; a rule nobody knows vectors of is not told of. */
static bool nothing(void *data, const struct prove_meeting *m, bool *ret_meet, double *ret_similarity) {
    size_t *asked = data;
    (void)m;
    (void)ret_meet;
    (void)ret_similarity;
    ++*asked;
    return false;
}

TEST(what_is_not_known_is_not_told) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    size_t asked = 0;
    const struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
    const struct prove_examples examples = { nothing, &asked };
    const struct config_document *doc =
        loaded(arena, arena_printf(arena, "%.*s%s", VSR_FMT(proved_yaml(arena, RULES("") TWO)), ALL), "test.yaml");
    findings_init(&findings, arena);
    dsl_prove_examples(arena, doc, &options, &examples, &findings);
    CHECK_INT(asked, 1, "asked");
    CHECK_INT(findings.n, 0, "told");
    arena_free(arena);
}

RUN_TESTS(T(rules_that_match_together), T(what_is_not_known_is_not_told))
