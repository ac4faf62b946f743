/* How decisions, scores and partitions may refer to the families that a model judges. */
#include "fixture.h"

#define RULES \
    "routing:\n" \
    "  signals:\n" \
    "    domains: [{name: law}, {name: coding}, {name: sums, mmlu_categories: [math]}]\n" \
    "    complexity: [{name: c, hard: {candidates: [x]}, easy: {candidates: [y]}}]\n" \
    "    kb: [{name: k, kb: privacy_kb, target: {kind: group, value: private}}]\n" \
    "    classifiers:\n" \
    "      - {name: tone, type: local, model_path: m, labels: [kind, rude]}\n" \
    "      - {name: judge, type: llm, model: j, instructions: i, labels: [yes, no]}\n"
#define GLOBAL \
    "global: {model_catalog: {external: [{name: j, model_role: classification, llm_model_name: m,\n" \
    "  llm_endpoint: {address: 127.0.0.1, port: 1}}, {name: guard, model_role: guardrail, llm_model_name: m,\n" \
    "  llm_endpoint: {address: 127.0.0.1, port: 1}}]}}\n"
#define LEAF(leaf) GLOBAL RULES "  decisions: [{name: d, rules: {" leaf "}}]\n"
#define INPUT(input) \
    GLOBAL RULES "  projections:\n    scores: [{name: s, inputs: [{" input ", weight: 1}]}]\n" \
                 "    mappings: [{name: m, source: s, outputs: [{name: o, gt: 0}]}]\n" \
                 "  decisions: [{name: d, rules: {type: projection, name: o}}]\n"
#define PARTITION(partition) \
    GLOBAL RULES "  projections: {partitions: [{name: p, " partition "}]}\n  decisions: [{name: d}]\n"
#define COMPOSER(tree) \
    "routing:\n  signals:\n    domains: [{name: law}]\n" \
    "    complexity: [{name: c, hard: {candidates: [x]}, easy: {candidates: [y]}, composer: " tree "}]\n" \
    "  decisions: [{name: d, rules: {type: complexity, name: 'c:hard'}}]\n"

static const struct {
    const char *document, *problem; /* NULL: none */
} cases[] = {
    { LEAF("type: complexity, name: 'c:hard'"), NULL },
    { LEAF("type: complexity, name: c"), "complexity \"c\" does not end in a level, as in c:hard, c:medium, c:easy" },
    { LEAF("type: complexity, name: 'c:harder'"), "did you mean \"hard\"?" },
    { LEAF("type: complexity, name: 'x:hard'"), "complexity rule \"x\" is not declared" },
    { LEAF("type: classifier, name: tone, label: rude, predicate: {gte: 0.5}"), NULL },
    { LEAF("type: classifier, name: tone, label: rude, predicate: {gte: 0.5}, on_error: match"), NULL },
    { LEAF("type: classifier, name: tone, label: rude"), "predicate: a leaf of type classifier needs this key" },
    { LEAF("type: classifier, name: tone, predicate: {gte: 0.5}"), "label: a leaf of type classifier needs this key" },
    { LEAF("type: classifier, name: tone, label: rud, predicate: {gte: 0.5}"),
      "classifier \"tone\" has no label \"rud\"; did you mean \"rude\"?" },
    { LEAF("type: classifier, name: tone, label: rude, predicate: {gte: 0.4}"), "gte alone, of at least 0.5" },
    { LEAF("type: classifier, name: tone, label: rude, predicate: {gt: 0.9}"), "gte alone, of at least 0.5" },
    { LEAF("type: classifier, name: judge, label: 'no', predicate: {lt: 0.4}"), NULL },
    { LEAF("type: kb, name: k"), NULL },
    { LEAF("type: kb_metric, name: k"), "\"kb_metric\" is not one of keyword" },
    { INPUT("type: complexity, name: 'c:easy'"), NULL },
    { INPUT("type: complexity, name: c"), "does not end in a level" },
    { INPUT("type: classifier, name: 'tone:kind', value_source: raw"), NULL },
    { INPUT("type: classifier, name: tone"), "classifier \"tone\" needs a label, as in tone:label" },
    { INPUT("type: classifier, name: 'tone:loud'"), "has no label \"loud\"" },
    { INPUT("type: kb_metric, kb: privacy_kb, metric: best_score"), NULL },
    { INPUT("type: kb_metric, kb: privacy_kb, metric: private_vs_public, value_source: score"), NULL },
    { INPUT("type: kb_metric, kb: privacy_kb, metric: worst_score"), "has no metric \"worst_score\"" },
    { INPUT("type: kb_metric, kb: privat_kb, metric: best_score"), "\"privat_kb\" is not declared" },
    { INPUT("type: kb_metric, kb: privacy_kb"), "metric: missing" },
    { INPUT("type: kb_metric, kb: privacy_kb, metric: best_score, value_source: raw"), "has a score and nothing else" },
    { INPUT("type: kb_metric, name: x, kb: privacy_kb, metric: best_score"), "has no name" },
    { PARTITION("semantics: exclusive, members: [law, coding], default: law"), NULL },
    { PARTITION("semantics: softmax_exclusive, temperature: 1, members: [law, sums], default: law"), NULL },
    { PARTITION("semantics: softmax_exclusive, temperature: 1, members: [law, coding], default: law"),
      "domain \"coding\" stands for no label of the classifier, so a softmax cannot weigh it" },
    { COMPOSER("{operator: NOT, conditions: [{type: domain, name: law}]}"), NULL },
    { COMPOSER("{type: domain, name: lawn}"), "domain rule \"lawn\" is not declared" },
    { COMPOSER("{type: complexity, name: 'c:easy'}"), "cannot be used in another rule of that family" },
    { COMPOSER("{operator: AND, conditions: [{type: projection, name: o}]}"), "a projection cannot be used here" },
    { "global: {model_catalog: {external: [{name: g, model_role: guardrail, llm_model_name: m,\n"
      "  llm_endpoint: {address: 127.0.0.1, port: 1}}]}}\n"
      "routing: {signals: {classifiers: [{name: a, type: llm, model: g, instructions: i, labels: [x]}]}}\n",
      "external model \"g\" has another model_role" },
    { "routing: {signals: {kb: [{name: k, kb: privacy_kb, target: {kind: group, value: privat}}]}}\n",
      "knowledge base \"privacy_kb\" has no group \"privat\"; did you mean \"private\"?" },
    { "routing: {signals: {embeddings: [{name: a, threshold: 0.5, candidates: [x], query_modality: image}]}}\n",
      "needs an embedding model of type multimodal" },
    { "global: {model_catalog: {modules: {classifier: {preference: {use_contrastive: false}}}}}\n"
      "routing: {signals: {preferences: [{name: a}]}}\n",
      NULL },
};

TEST(references_are_checked) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf document, out;
        struct fixture f;
        int rc;
        buf_init(&document, 1 << 16);
        buf_init(&out, 1 << 16);
        buf_printf(&document, FIXTURE_HEAD "%s", cases[i].document);
        buf_append_char(&document, '\0');
        rc = fixture_load(&f, document.ptr);
        diag_print(&f.diag, &out, false);
        CHECK_MSG((rc == 0) == !cases[i].problem &&
                      (!cases[i].problem || str_find(buf_str(&out), str_from_c(cases[i].problem)) >= 0),
                  "case %zu: want %s in %.*s of\n%s", i, cases[i].problem ? cases[i].problem : "nothing", (int)out.len,
                  out.ptr, cases[i].document);
        fixture_free(&f);
        buf_done(&document);
        buf_done(&out);
    }
}

RUN_TESTS(T(references_are_checked))
