/* Random recipes and prompts through the whole engine: evaluated in stages, the outcome is that of evaluating
 * everything. */
#include "fixture.h"

#include "route/state.h"

enum { RECIPES = 60, PROMPTS = 40, DECISIONS = 10 };

static uint64_t seed = 1;
static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char signals[] =
    "  signals:\n"
    "    keywords:\n"
    "      - {name: k0, operator: OR, keywords: [refund, Haus, maison]}\n"
    "      - {name: k1, operator: AND, keywords: [the, house]}\n"
    "      - {name: k2, operator: NOR, keywords: [code, '{']}\n"
    "    language: [{name: en}, {name: de}, {name: fr, threshold: 0.9}, {name: zh}]\n"
    "    context: [{name: short, max_tokens: 12}, {name: long, min_tokens: 13}]\n"
    "    structure:\n"
    "      - {name: q, feature: {type: density, source: {type: regex, pattern: '[?？]'}}, predicate: {gt: 0.1}}\n"
    "      - {name: n, feature: {type: count, source: {type: regex, pattern: '\\d+'}}, predicate: {gte: 1}}\n"
    "  projections:\n"
    "    scores:\n"
    "      - {name: cheap, method: weighted_sum, inputs: [{type: structure, name: q, weight: 0.3, value_source: "
    "confidence},\n"
    "          {type: keyword, name: k0, weight: 0.4}]}\n"
    "      - {name: dear, method: weighted_sum, inputs: [{type: language, name: de, weight: 0.7, value_source: "
    "confidence},\n"
    "          {type: projection, name: cheap, weight: 1}]}\n"
    "    mappings:\n"
    "      - {name: m0, source: cheap, outputs: [{name: low, lt: 0.3}, {name: high, gte: 0.3}]}\n"
    "      - {name: m1, source: dear, method: multi_emit, outputs: [{name: warm, gt: 0.2}, {name: hot, gt: 0.6}]}\n";

static const char *const leaves[] = {
    "{type: keyword, name: k0}",
    "{type: keyword, name: k1}",
    "{type: keyword, name: k2}",
    "{type: language, name: en}",
    "{type: language, name: de}",
    "{type: language, name: fr}",
    "{type: language, name: zh}",
    "{type: context, name: short}",
    "{type: context, name: long}",
    "{type: structure, name: q}",
    "{type: structure, name: n, predicate: {lt: 2}}",
    "{type: projection, name: low}",
    "{type: projection, name: high}",
    "{type: projection, name: warm}",
    "{type: projection, name: hot}",
};

static void random_rule(struct buf *out, int depth) {
    static const char *const operators[] = { "AND", "OR", "NOT" };
    uint32_t op = below(3), n = op == 2 ? 1 : 1 + below(3);
    if (depth == 0 || below(3) == 0) {
        buf_append_c(out, leaves[below(VSR_COUNT(leaves))]);
        return;
    }
    buf_printf(out, "{operator: %s, conditions: [", operators[op]);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_append_c(out, ", ");
        random_rule(out, depth - 1);
    }
    buf_append_c(out, "]}");
}

static void random_recipe(struct buf *out) {
    bool tiers = below(4) == 0;
    buf_reset(out);
    buf_printf(out, FIXTURE_HEAD "routing:\n  strategy: %s\n%s  decisions:\n", below(4) ? "priority" : "confidence",
               signals);
    for (uint32_t i = 0; i < DECISIONS; i++) {
        buf_printf(out, "    - {name: d%u, priority: %u, tier: %u", i, below(5), tiers ? below(3) : 0);
        if (below(12)) {
            buf_append_c(out, ", rules: ");
            random_rule(out, 3);
        }
        buf_append_c(out, "}\n");
    }
    buf_append_char(out, '\0');
}

static const char *const words[] = {
    "refund",           "the",         "house",          "Haus",       "maison", "code", "{", "?", "7", "42",
    "ich möchte bitte", "je voudrais", "please tell me", "水的化学式", "und",    "et",   "。"
};

static void random_prompt(struct buf *out) {
    buf_reset(out);
    for (uint32_t n = below(10); n > 0; n--) {
        buf_append_c(out, words[below(VSR_COUNT(words))]);
        buf_append_char(out, ' ');
    }
}

static vsr_str name_of(const struct route_outcome *outcome) {
    return outcome->decision ? outcome->decision->name : VSR_STR("none");
}

static void compare(const struct route_outcome *staged, const struct route_outcome *full, const struct buf *prompt) {
    CHECK_MSG(staged->decision == full->decision, "\"%.*s\": %.*s in stages, %.*s in full", (int)prompt->len,
              prompt->ptr, VSR_FMT(name_of(staged)), VSR_FMT(name_of(full)));
    CHECK(staged->confidence == full->confidence, "confidence to the bit");
    CHECK_INT(staged->n_matched_rules, full->n_matched_rules, "rules");
    for (size_t i = 0; i < full->n_matched_rules; i++)
        CHECK(str_eq(staged->matched_rules[i], full->matched_rules[i]), "rule");
    CHECK(str_eq(staged->category, full->category), "category");
}

TEST(stages_give_the_same_outcome) {
    struct buf recipe, prompt;
    buf_init(&recipe, 1 << 20);
    buf_init(&prompt, 1 << 16);
    for (int i = 0; i < RECIPES; i++) {
        struct fixture f;
        random_recipe(&recipe);
        fixture_must_load(&f, recipe.ptr);
        for (int k = 0; k < PROMPTS; k++) {
            const struct request_facts *facts;
            const struct route_outcome *staged;
            random_prompt(&prompt);
            facts = fixture_prompt(&f, buf_str(&prompt));
            staged = fixture_route(&f, facts, false);
            compare(staged, fixture_route(&f, facts, true), &prompt);
        }
        fixture_free(&f);
    }
    buf_done(&recipe);
    buf_done(&prompt);
}

/* Rules share the steps that a text may cost. Those that nothing refers to get what is left of them. */
TEST(unused_rules_take_nothing_from_others) {
    enum { LEN = 60000, UNUSED = 12 };
    struct buf recipe, text;
    struct fixture f;
    buf_init(&recipe, 1 << 16);
    buf_init(&text, 1 << 20);
    buf_append_c(&recipe, FIXTURE_HEAD "routing:\n  signals:\n    structure:\n");
    for (int i = 0; i < UNUSED + 1; i++)
        buf_printf(&recipe,
                   "      - {name: r%d, feature: {type: count, source: {type: regex, pattern: '[^x]{1,%d}[?]'}}}\n", i,
                   i < UNUSED ? 200 + i : 20);
    buf_printf(&recipe,
               "    keywords:\n"
               "      - {name: near, operator: OR, method: fuzzy, keywords: [refnud]}\n"
               "      - {name: unused, operator: OR, method: fuzzy, keywords: [refnud, other]}\n"
               "  decisions:\n"
               "    - {name: counted, priority: 2, rules: {operator: AND, conditions: [{type: structure, name: r%d},\n"
               "        {type: keyword, name: near}]}}\n"
               "    - {name: rest}\n",
               UNUSED);
    buf_append_char(&recipe, '\0');
    buf_append_c(&text, "refund? ");
    for (int i = 0; i < LEN; i++)
        buf_append_char(&text, 'a');
    fixture_must_load(&f, recipe.ptr);
    for (int full = 0; full <= 1; full++) {
        fixture_route(&f, fixture_prompt(&f, buf_str(&text)), full);
        CHECK_STR(f.outcome->decision->name, "counted", full ? "in full" : "in stages");
        CHECK(!full || bits_has(f.state->results.unavailable, 2), "there is not enough for all of them"); /* r0 */
    }
    fixture_free(&f);
    buf_done(&recipe);
    buf_done(&text);
}

/* A trace tells what was found by rules that ran, and nothing of the others. */
TEST(rules_that_did_not_run_found_nothing) {
    static const char recipe[] = FIXTURE_HEAD "routing:\n"
                                              "  signals:\n"
                                              "    keywords:\n"
                                              "      - {name: used, operator: OR, keywords: [refund]}\n"
                                              "      - {name: slip, operator: OR, method: fuzzy, keywords: [urgent]}\n"
                                              "      - {name: word, operator: OR, method: bm25, keywords: [refund]}\n"
                                              "      - {name: gram, operator: OR, method: ngram, keywords: [refund]}\n"
                                              "  decisions:\n"
                                              "    - {name: d, rules: {type: keyword, name: used}}\n";
    struct json_writer w;
    struct fixture f;
    struct buf out;
    fixture_must_load(&f, recipe);
    buf_init(&out, 1 << 20);
    for (int full = 0; full <= 1; full++) {
        static const char *const found[] = { "\"matched_keywords\":{\"used\":[\"refund\"]}",
                                             "\"matched_keywords\":{\"used\":[\"refund\"],\"word\":[\"refund\"],"
                                             "\"gram\":[\"refund\"]}" };
        buf_reset(&out);
        json_write_init(&w, &out);
        fixture_route(&f, fixture_prompt(&f, VSR_STR("my refund")), full);
        route_trace_json(f.state, &w);
        CHECK_MSG(str_find(buf_str(&out), str_from_c(found[full])) >= 0, "%.*s", (int)out.len, out.ptr);
    }
    buf_done(&out);
    fixture_free(&f);
}

RUN_TESTS(T(stages_give_the_same_outcome), T(unused_rules_take_nothing_from_others),
          T(rules_that_did_not_run_found_nothing))
