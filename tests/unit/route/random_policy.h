/*
 * random_policy - random recipes over all kinds of families, and verdicts made up for the rules that a model would
 * judge.
 *
 * A verdict depends on the case's salt and the rule's name alone, so that every way to evaluate one case sees the same.
 */
#ifndef VSR_TESTS_RANDOM_POLICY_H
#define VSR_TESTS_RANDOM_POLICY_H

#include "fixture.h"

#include <math.h>
#include <stdlib.h>

#include "signal/bank.h"

struct random_source {
    uint64_t state;
};

static inline uint64_t random_next(struct random_source *source) { /* splitmix64 */
    uint64_t z = source->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint32_t random_below(struct random_source *source, uint32_t n) {
    return (uint32_t)(random_next(source) >> 33) % n;
}

/* ---- recipes */

static const char random_signals[] =
    "  signals:\n"
    "    keywords:\n"
    "      - {name: k0, operator: OR, keywords: [refund, Haus, maison]}\n"
    "      - {name: k1, operator: AND, keywords: [the, house]}\n"
    "      - {name: k2, operator: NOR, keywords: [code, '{']}\n"
    "    language: [{name: en}, {name: de}, {name: zh}]\n"
    "    context: [{name: short, max_tokens: 12}, {name: long, min_tokens: 13}]\n"
    "    structure:\n"
    "      - {name: q, feature: {type: density, source: {type: regex, pattern: '[?？]'}}, predicate: {gt: 0.1}}\n"
    "    embeddings:\n"
    "      - {name: e0, threshold: 0.5, candidates: [a]}\n"
    "      - {name: e1, threshold: 0.5, candidates: [b]}\n"
    "      - {name: e2, threshold: 0.5, candidates: [c]}\n"
    "      - {name: e3, threshold: 0.5, candidates: [d]}\n"
    "    domains: [{name: law}, {name: math}, {name: other}, {name: any, mmlu_categories: [law, physics]}]\n"
    "    fact_check: [{name: needs_fact_check}]\n"
    "    user_feedbacks: [{name: wrong_answer}]\n"
    "    reasks: [{name: again}]\n"
    "    preferences: [{name: p, description: x}]\n"
    "    complexity:\n"
    "      - {name: c0, hard: {candidates: [x]}, easy: {candidates: [y]}}\n"
    "      - {name: c1, hard: {candidates: [x]}, easy: {candidates: [y]}, composer: {operator: AND, conditions: [\n"
    "          {type: domain, name: law}, {operator: NOT, conditions: [{type: embedding, name: e3}]}]}}\n"
    "      - {name: c2, hard: {candidates: [x]}, easy: {candidates: [y]}, composer: {type: language, name: en}}\n"
    "    jailbreak: [{name: j0}, {name: j1}]\n"
    "    pii: [{name: pii0}, {name: pii1, on_error: block}]\n"
    "    classifiers: [{name: s, type: local, model_path: m, labels: [yes, no]}]\n";

static const char *const random_leaves[] = {
    "type: keyword, name: k0",
    "type: keyword, name: k1",
    "type: keyword, name: k2",
    "type: language, name: en",
    "type: language, name: de",
    "type: context, name: short",
    "type: structure, name: q",
    "type: structure, name: q, predicate: {lt: 0.2}",
    "type: embedding, name: e0",
    "type: embedding, name: e1",
    "type: embedding, name: e2",
    "type: embedding, name: e3",
    "type: embedding, name: e0, predicate: {gte: 0.6}",
    "type: domain, name: law",
    "type: domain, name: math",
    "type: domain, name: other",
    "type: domain, name: any",
    "type: fact_check, name: needs_fact_check",
    "type: user_feedback, name: wrong_answer",
    "type: reask, name: again",
    "type: preference, name: p",
    "type: complexity, name: 'c0:hard'",
    "type: complexity, name: 'c1:medium'",
    "type: complexity, name: 'c2:easy'",
    "type: jailbreak, name: j0",
    "type: jailbreak, name: j1",
    "type: pii, name: pii0",
    "type: pii, name: pii1",
    "type: classifier, name: s, label: 'yes', predicate: {gte: 0.7}",
    "type: projection, name: low",
    "type: projection, name: high",
    "type: projection, name: warm",
    "type: projection, name: hot",
};

static const char *const random_inputs[] = {
    "type: keyword, name: k0",
    "type: structure, name: q",
    "type: language, name: de",
    "type: embedding, name: e0",
    "type: embedding, name: e2",
    "type: domain, name: law",
    "type: domain, name: other",
    "type: complexity, name: 'c1:hard'",
    "type: complexity, name: 'c0:easy'",
    "type: jailbreak, name: j1",
    "type: pii, name: pii0",
    "type: reask, name: again",
    "type: classifier, name: 's:no'",
    "type: context, name: long",
    "type: preference, name: p",
    "type: kb_metric, kb: privacy_kb, metric: best_score",
};

static inline void random_rule(struct random_source *r, struct buf *out, int depth) {
    static const char *const operators[] = { "AND", "OR", "NOT" };
    static const char *const readings[] = { "match", "no_match", "unknown" };
    uint32_t op = random_below(r, 3), n = op == 2 ? 1 : 1 + random_below(r, 3);
    if (depth == 0 || random_below(r, 3) == 0) {
        buf_printf(out, "{%s", random_leaves[random_below(r, VSR_COUNT(random_leaves))]);
        if (random_below(r, 5) == 0)
            buf_printf(out, ", on_unknown: %s", readings[random_below(r, 3)]);
        buf_append_c(out, "}");
        return;
    }
    buf_printf(out, "{operator: %s, conditions: [", operators[op]);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_append_c(out, ", ");
        random_rule(r, out, depth - 1);
    }
    buf_append_c(out, "]}");
}

static inline void random_score(struct random_source *r, struct buf *out, const char *name, const char *extra) {
    static const char *const sources[] = { "binary", "confidence", "raw" };
    uint32_t n = 1 + random_below(r, 4);
    buf_printf(out, "      - {name: %s, inputs: [%s", name, extra);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t input = random_below(r, VSR_COUNT(random_inputs));
        buf_printf(out, "%s{%s, weight: %g", i || extra[0] ? ", " : "", random_inputs[input],
                   (random_below(r, 21) - 10.0) / 10);
        if (input != VSR_COUNT(random_inputs) - 1) /* a metric has a score only */
            buf_printf(out, ", value_source: %s", sources[random_below(r, 3)]);
        if (random_below(r, 6) == 0)
            buf_append_c(out, ", match: 0.5, miss: -0.5");
        buf_append_c(out, "}");
    }
    buf_append_c(out, "]}\n");
}

static inline void random_projections(struct random_source *r, struct buf *out) {
    static const char *const semantics[] = { "exclusive", "softmax_exclusive, temperature: 0.2" };
    buf_append_c(out, "  projections:\n    partitions:\n");
    if (random_below(r, 3))
        buf_printf(out, "      - {name: d, semantics: %s, members: [law, math, other], default: other}\n",
                   semantics[random_below(r, 2)]);
    if (random_below(r, 3))
        buf_printf(out, "      - {name: e, semantics: %s, members: [e0, e1], default: e1}\n",
                   semantics[random_below(r, 2)]);
    if (random_below(r, 6) == 0)
        buf_printf(out, "      - {name: f, semantics: %s, members: [e1, e2], default: e2}\n",
                   semantics[random_below(r, 2)]);
    buf_append_c(out, "    scores:\n");
    random_score(r, out, "dear", "{type: projection, name: cheap, weight: 1}");
    random_score(r, out, "cheap", "");
    random_score(r, out, "last", "{type: projection, name: warm, weight: 0.3, value_source: confidence}");
    buf_append_c(out, "    mappings:\n"
                      "      - {name: m0, source: cheap, outputs: [{name: low, lt: 0.3}, {name: high, gte: 0.3}]}\n"
                      "      - {name: m1, source: dear, method: multi_emit, outputs: [{name: warm, gt: 0.2}, {name: "
                      "lukewarm, gt: -0.3, lt: 0.5}]}\n"
                      "      - {name: m2, source: last, outputs: [{name: hot, gte: 0.4}]}\n");
}

struct random_shape {
    uint32_t n_decisions;
    int depth;
};

static inline void random_recipe(struct random_source *r, struct buf *out, struct random_shape shape) {
    static const char *const readings[] = { "match", "no_match", "unknown" };
    bool tiers = random_below(r, 3) == 0;
    struct arena *texts = arena_new(0, 0);
    vsr_str last = { 0 }; /* rules of the decision before */
    buf_reset(out);
    buf_printf(out,
               FIXTURE_HEAD "global: {model_catalog: {embeddings: {semantic: {embedding_config: {top_k: %u}}},\n"
                            "  modules: {prompt_guard: {on_error: %s}}}}\n",
               random_below(r, 3), random_below(r, 4) ? "allow" : "block");
    buf_printf(out, "routing:\n  strategy: %s\n  untiered: %s\n%s", random_below(r, 3) ? "priority" : "confidence",
               random_below(r, 4) ? "last" : "first", random_signals);
    random_projections(r, out);
    buf_append_c(out, "  decisions:\n");
    for (uint32_t i = 0; i < shape.n_decisions; i++) {
        buf_printf(out, "    - {name: d%u, priority: %u, tier: %u", i, random_below(r, 5),
                   tiers ? random_below(r, 4) : 0);
        if (random_below(r, 5) == 0)
            buf_printf(out, ", on_unknown: %s", readings[random_below(r, 3)]);
        if (random_below(r, 14)) {
            size_t begin;
            buf_append_c(out, ", rules: ");
            begin = out->len;
            if (last.len && random_below(r, 4) == 0) { /* what implies the one before, or is implied by it */
                buf_printf(out, "{operator: %s, conditions: [%.*s, ", random_below(r, 2) ? "AND" : "OR", VSR_FMT(last));
                random_rule(r, out, 1);
                buf_append_c(out, "]}");
            } else {
                random_rule(r, out, shape.depth);
            }
            last = arena_str(texts, str_make(out->ptr + begin, out->len - begin));
        }
        buf_append_c(out, "}\n");
    }
    buf_append_char(out, '\0');
    arena_free(texts);
}

/* ---- requests */

static const char *const random_words[] = { "refund",         "the",       "house", "Haus", "maison",
                                            "code",           "{",         "?",     "42",   "ich möchte bitte",
                                            "please tell me", "水的化学式" };

static inline void random_prompt(struct random_source *r, struct buf *out) {
    buf_reset(out);
    for (uint32_t n = random_below(r, 8); n > 0; n--) {
        buf_append_c(out, random_words[random_below(r, VSR_COUNT(random_words))]);
        buf_append_char(out, ' ');
    }
}

/* A conversation: an earlier turn and an answer, or only a prompt. */
static inline const struct request_facts *random_facts(struct random_source *r, struct fixture *f, struct buf *prompt) {
    const struct request_facts *facts;
    struct buf body;
    random_prompt(r, prompt);
    if (random_below(r, 2))
        return fixture_prompt(f, buf_str(prompt));
    buf_init(&body, 1 << 20);
    buf_append_c(&body, "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},"
                        "{\"role\":\"assistant\",\"content\":\"hi\"},{\"role\":\"user\",\"content\":");
    json_quote(&body, buf_str(prompt));
    buf_append_c(&body, "}]}");
    facts = fixture_facts(f, buf_str(&body));
    buf_done(&body);
    return facts;
}

/* ---- verdicts */

static inline struct route_verdict random_verdict(uint64_t salt, const char *family, vsr_str name, uint32_t failing) {
    struct random_source r = { salt };
    struct route_verdict verdict = { 0 };
    for (const char *p = family; *p; p++)
        r.state = (r.state ^ (unsigned char)*p) * UINT64_C(0x100000001B3);
    for (size_t i = 0; i < name.len; i++)
        r.state = (r.state ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001B3);
    if (failing && random_below(&r, failing) == 0) {
        verdict.code = random_below(&r, 2) ? SIGNAL_UNAVAILABLE : SIGNAL_TIMEOUT;
        verdict.reason = "made up";
        return verdict;
    }
    verdict.matched = random_below(&r, 2);
    verdict.has_confidence = random_below(&r, 8) != 0;
    verdict.confidence = random_below(&r, 11) / 10.0;
    verdict.has_value = random_below(&r, 3) != 0;
    verdict.value = random_below(&r, 21) / 10.0 - 1;
    if (strcmp(family, "reask") == 0 || strcmp(family, "pii") == 0 || strcmp(family, "classifier") == 0)
        verdict.value = fabs(verdict.value); /* counts and probabilities */
    return verdict;
}

/* Answers everything that the state asks for. `failing`: one rule in so many fails; 0: none does. */
static inline void random_answer(struct route_state *state, uint64_t salt, uint32_t failing, size_t *n_asked) {
    size_t n;
    const struct route_need *needs = route_needs(state, &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < needs[i].n_rules; k++) {
            struct route_verdict verdict = random_verdict(salt, needs[i].family, needs[i].rules[k].name, failing);
            route_bring(state, needs[i].rules[k].handle, &verdict);
            ++*n_asked;
        }
}

/* ---- answers of models: they depend on the salt and on what is asked */

enum { RANDOM_DIMS = 4, RANDOM_LABELS_MAX = 14 };

static inline void random_vector(uint64_t salt, vsr_str text, float vector[RANDOM_DIMS]) {
    struct random_source r = { str_hash(text, salt) };
    for (size_t i = 0; i < RANDOM_DIMS; i++)
        vector[i] = (float)(random_below(&r, 2001) / 1000.0 - 1) + 0.0001F;
}

/* Fills the banks of a recipe; one in `failing` stays empty, or fails. */
static inline void random_fill(const struct route *route, uint64_t salt, uint32_t failing) {
    size_t n;
    struct signal_bank *const *banks = route_banks(route, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_texts;
        const vsr_str *texts = signal_bank_texts(banks[i], &n_texts);
        struct random_source r = { str_hash(n_texts ? texts[0] : VSR_STR(""), salt + i) };
        float(*rows)[RANDOM_DIMS] = calloc(n_texts + 1, sizeof(*rows));
        const float **vectors = calloc(n_texts + 1, sizeof(*vectors));
        for (size_t k = 0; k < n_texts; k++) {
            random_vector(salt, texts[k], rows[k]);
            vectors[k] = rows[k];
        }
        if (!failing || random_below(&r, failing))
            signal_bank_fill(banks[i], vectors, RANDOM_DIMS, NULL);
        else if (random_below(&r, 2))
            signal_bank_fail(banks[i], SIGNAL_FAILED, "made up");
        free(rows);
        free(vectors);
    }
}

/* What a model of that type tells apart. Returns how many. */
static inline size_t random_labels(const char *type, const vsr_str **ret_labels) {
    static const struct {
        const char *type;
        size_t n;
        vsr_str labels[RANDOM_LABELS_MAX];
    } known[] = {
#define L(text) VSR_STR_INIT(text)
        { "domain-classification", 4, { L("law"), L("math"), L("physics"), L("other") } },
        { "hallucination-sentinel", 2, { L("no_fact_check_needed"), L("needs_fact_check") } },
        { "feedback-detection",
          4,
          { L("need_clarification"), L("satisfied"), L("want_different"), L("wrong_answer") } },
        { "jailbreak-detection", 2, { L("benign"), L("jailbreak") } },
        { "pii-detection", 3, { L("EMAIL_ADDRESS"), L("PERSON"), L("TITLE") } },
        { "classifier", 2, { L("yes"), L("no") } },
#undef L
    };
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        if (strcmp(known[i].type, type) == 0) {
            *ret_labels = known[i].labels;
            return known[i].n;
        }
    return 0;
}

static inline void random_classes(struct random_source *r, float *numbers, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += numbers[i] = (float)(1 + random_below(r, 100) * random_below(r, 100));
    for (size_t i = 0; i < n; i++)
        numbers[i] /= sum;
}

static inline struct evidence_answer random_numbers(struct random_source *r, struct arena *arena, uint64_t salt,
                                                    const struct evidence_ask *ask, const char *type) {
    struct evidence_answer answer = { .model = type };
    struct evidence_span *span = ARENA_NEW(arena, struct evidence_span);
    float *numbers = ARENA_ARRAY(arena, float, RANDOM_LABELS_MAX);
    answer.n_labels = random_labels(type, &answer.labels);
    answer.numbers = numbers;
    if (ask->kind == EVIDENCE_VECTOR) {
        answer.n = RANDOM_DIMS;
        random_vector(salt, ask->text, numbers);
    } else if (answer.n_labels == 0) {
        answer.code = SIGNAL_UNAVAILABLE;
    } else if (ask->kind == EVIDENCE_CLASSES) {
        answer.n = answer.n_labels;
        random_classes(r, numbers, answer.n);
    } else if (ask->text.len > 0) {
        *span = (struct evidence_span){ 0, ask->text.len, random_below(r, (uint32_t)answer.n_labels),
                                        random_below(r, 11) / 10.0 };
        answer.spans = span;
        answer.n_spans = random_below(r, 2);
    }
    return answer;
}

/* Answers what the state asks; one in `failing` fails or is left out. */
static inline void random_answers(struct route_state *state, const struct route *route, struct arena *arena,
                                  uint64_t salt, uint32_t failing, size_t *n_asked) {
    size_t n, n_sources;
    const struct signal_source *sources = route_sources(route, &n_sources);
    struct evidence_ask *const *asks = route_asks(state, &n);
    for (size_t i = 0; i < n; i++) {
        const struct signal_source *source = &sources[asks[i]->source];
        struct random_source r = { str_hash(asks[i]->text, salt + (uint64_t)asks[i]->kind * 7) };
        struct evidence_answer answer = { .code = SIGNAL_FAILED, .reason = "made up" };
        ++*n_asked;
        if (!failing || random_below(&r, failing))
            answer = random_numbers(&r, arena, salt, asks[i], source->model.type ? source->model.type : "none");
        else if (random_below(&r, 2))
            continue;
        route_answer(state, asks[i], &answer);
    }
}

#endif
