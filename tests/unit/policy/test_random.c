/*
 * Random policies over random results: the compiled evaluation against decisions.md read literally, and a verdict
 * reached early against the one with everything known.
 */
#include <math.h>

#include "synthetic.h"

enum { LEAVES = 12, DECISIONS = 8, ROUNDS = 4000 };

static uint64_t seed = 42;
static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char *const types[] = { "keyword", "jailbreak", "domain", "projection" };

static void random_rule(struct arena *arena, struct config_rule *rule, int depth) {
    if (depth == 0 || below(3) == 0) {
        rule->type = str_from_c(types[below(VSR_COUNT(types))]);
        rule->name = arena_printf(arena, "%u", below(LEAVES / VSR_COUNT(types)));
        rule->on_unknown = below(5) ? ON_UNKNOWN_UNSET : (int)below(4);
        rule->negated = below(6) == 0;
        if (below(5) == 0) {
            rule->predicate = ARENA_NEW(arena, struct config_predicate);
            rule->predicate->gte = below(10) / 10.0;
            rule->predicate->bounds = BOUND_GTE;
        }
        return;
    }
    rule->op = 1 + (int)below(3);
    rule->conditions.n = rule->op == OPERATOR_NOT ? (below(8) ? 1 : below(3)) : below(4);
    rule->conditions.items = ARENA_ARRAY(arena, struct config_rule, rule->conditions.n);
    for (size_t i = 0; i < rule->conditions.n; i++)
        random_rule(arena, (struct config_rule *)rule->conditions.items + i, depth - 1);
}

static struct config_list random_decisions(struct arena *arena) {
    struct config_decision *decisions = ARENA_ARRAY(arena, struct config_decision, DECISIONS);
    bool tiers = below(3) == 0;
    for (uint32_t i = 0; i < DECISIONS; i++) {
        decisions[i].name = arena_printf(arena, "%c%u", 'a' + (char)below(26), i);
        decisions[i].priority = below(4);
        decisions[i].tier = tiers ? below(3) : 0;
        decisions[i].on_unknown = below(4) ? ON_UNKNOWN_UNSET : (int)below(4);
        if (below(10) == 0)
            continue;
        decisions[i].rules = ARENA_NEW(arena, struct config_rule);
        random_rule(arena, decisions[i].rules, 3);
    }
    return (struct config_list){ decisions, DECISIONS };
}

static void random_results(struct synthetic *s) {
    for (uint32_t slot = 0; slot < s->n; slot++) {
        bits_put(s->view.matched, slot, below(2));
        bits_put(s->view.unavailable, slot, below(4) == 0);
        bits_put(s->view.has_confidence, slot, below(2));
        bits_put(s->view.has_value, slot, below(3) == 0);
        s->view.confidence[slot] = below(11) / 10.0;
        s->view.value[slot] = below(11) / 10.0;
    }
}

/* ---- decisions.md §2.3-2.6, literally */

struct answer {
    enum rule_state state;
    double confidence;
    vsr_str rules[64];
    size_t n_rules;
};

static struct answer true_leaf(const struct config_rule *rule, struct arena *arena, double confidence) {
    struct answer answer = { .state = RULE_TRUE, .confidence = confidence, .n_rules = 1 };
    answer.rules[0] = arena_printf(arena, "%.*s:%.*s", VSR_FMT(rule->type), VSR_FMT(rule->name));
    return answer;
}

static struct answer literal_unknown(const struct synthetic *s, const struct config_rule *rule, int on_unknown) {
    const struct policy_type *type = synthetic_type(NULL, rule->type, 0);
    int mode = rule->on_unknown ? rule->on_unknown : on_unknown ? on_unknown : (int)type->on_unknown;
    if (type->never_unknown || mode == ON_UNKNOWN_NO_MATCH)
        return (struct answer){ .state = RULE_FALSE };
    if (mode == ON_UNKNOWN_MATCH)
        return true_leaf(rule, s->arena, 1.0);
    return (struct answer){ .state = RULE_UNKNOWN };
}

static struct answer literal_leaf(struct synthetic *s, const struct config_rule *rule, int on_unknown) {
    uint32_t slot = synthetic_slot(s, synthetic_type(NULL, rule->type, 0), rule->name);
    const struct policy_view *view = &s->view;
    if (rule->predicate && (bits_has(view->has_value, slot) || bits_has(view->has_confidence, slot))) {
        double number = bits_has(view->has_value, slot) ? view->value[slot] : view->confidence[slot];
        return number >= rule->predicate->gte ? true_leaf(rule, s->arena, 1.0) : (struct answer){ .state = RULE_FALSE };
    }
    if (!rule->predicate && bits_has(view->matched, slot))
        return true_leaf(rule, s->arena, bits_has(view->has_confidence, slot) ? view->confidence[slot] : 1.0);
    if (bits_has(view->unavailable, slot))
        return literal_unknown(s, rule, on_unknown);
    return (struct answer){ .state = RULE_FALSE };
}

static struct answer literal_rule(struct synthetic *s, const struct config_rule *rule, int on_unknown);

static struct answer literal_branch(struct synthetic *s, const struct config_rule *rule, int on_unknown) {
    const struct config_rule *children = rule->conditions.items;
    struct answer result = { .state = rule->op == OPERATOR_AND ? RULE_TRUE : RULE_FALSE };
    bool unknown = false, first = true;
    if (rule->op == OPERATOR_NOT && rule->conditions.n != 1)
        return result;
    for (size_t i = 0; i < rule->conditions.n; i++) {
        struct answer child = literal_rule(s, &children[i], on_unknown);
        unknown |= child.state == RULE_UNKNOWN;
        if (rule->op == OPERATOR_NOT)
            return (struct answer){ .state = child.state == RULE_TRUE    ? RULE_FALSE
                                             : child.state == RULE_FALSE ? RULE_TRUE
                                                                         : RULE_UNKNOWN,
                                    .confidence = child.state == RULE_FALSE };
        if (rule->op == OPERATOR_AND) {
            if (child.state == RULE_FALSE)
                return (struct answer){ .state = RULE_FALSE };
            result.confidence += child.confidence;
            for (size_t k = 0; k < child.n_rules; k++)
                result.rules[result.n_rules++] = child.rules[k];
        } else if (child.state == RULE_TRUE && (first || child.confidence > result.confidence)) {
            result = child;
            first = false;
        }
    }
    if (unknown && !(rule->op == OPERATOR_OR && result.state == RULE_TRUE))
        return (struct answer){ .state = RULE_UNKNOWN };
    if (rule->op == OPERATOR_AND && rule->conditions.n)
        result.confidence /= (double)rule->conditions.n;
    return result;
}

static struct answer literal_rule(struct synthetic *s, const struct config_rule *rule, int on_unknown) {
    struct answer answer = rule->type.len ? literal_leaf(s, rule, on_unknown) : literal_branch(s, rule, on_unknown);
    if (rule->negated && answer.state != RULE_UNKNOWN)
        return (struct answer){ .state = answer.state == RULE_TRUE ? RULE_FALSE : RULE_TRUE,
                                .confidence = answer.state == RULE_FALSE };
    return answer;
}

static struct answer literal_decision(struct synthetic *s, const struct config_decision *decision) {
    if (!decision->rules)
        return (struct answer){ .state = RULE_TRUE };
    return literal_rule(s, decision->rules, decision->on_unknown);
}

static bool literal_before(const struct config_decision *a, double confidence_a, const struct config_decision *b,
                           double confidence_b, bool tiered, bool by_confidence) {
    long long left = llround(confidence_a * 1e9), right = llround(confidence_b * 1e9);
    int64_t tier_a = a->tier ? a->tier : INT64_MAX, tier_b = b->tier ? b->tier : INT64_MAX;
    if (tiered && tier_a != tier_b)
        return tier_a < tier_b;
    if (tiered || by_confidence) {
        if (left != right)
            return left > right;
        if (a->priority != b->priority)
            return a->priority > b->priority;
    } else {
        if (a->priority != b->priority)
            return a->priority > b->priority;
        if (left != right)
            return left > right;
    }
    return str_cmp(a->name, b->name) < 0;
}

static const struct config_decision *literal_winner(const struct config_list *list, const struct answer *answers,
                                                    bool by_confidence, double *ret_confidence) {
    const struct config_decision *decisions = list->items, *winner = NULL;
    bool tiered = false;
    for (size_t i = 0; i < list->n; i++)
        tiered |= answers[i].state == RULE_TRUE && decisions[i].tier > 0;
    for (size_t i = 0; i < list->n; i++) {
        if (answers[i].state != RULE_TRUE)
            continue;
        if (winner &&
            !literal_before(&decisions[i], answers[i].confidence, winner, *ret_confidence, tiered, by_confidence))
            continue;
        winner = &decisions[i];
        *ret_confidence = answers[i].confidence;
    }
    return winner;
}

/* ---- the comparison */

struct trial {
    struct arena *arena;
    struct synthetic *s;
    struct config_list decisions;
    struct policy *policy;
    uint8_t *states;
    struct policy_verdict verdict;
    uint32_t matched[64];
    size_t n_matched;
};

static void decide_all(struct trial *t) {
    memset(t->s->bits[0], 0xFF, sizeof(t->s->bits[0]));
    rule_leaf_states(&t->policy->rules, &t->s->view, t->states);
    CHECK(policy_decide(t->policy, t->states, &t->s->view, &t->verdict, NULL), "everything is known");
    if (t->verdict.winner)
        t->n_matched = rule_matched(&t->policy->rules, t->verdict.winner->root, t->states, &t->s->view, t->matched, 64);
}

static void compare_literally(struct trial *t, bool by_confidence, int round) {
    const struct config_decision *decisions = t->decisions.items, *winner;
    struct answer answers[DECISIONS];
    double confidence = 0;
    for (size_t i = 0; i < t->policy->n_decisions; i++) {
        const struct config_decision *config = t->policy->decisions[i].config;
        struct answer answer = answers[config - decisions] = literal_decision(t->s, config);
        enum rule_state state = rule_state(&t->policy->rules, t->policy->decisions[i].root, t->states);
        CHECK_MSG(state == answer.state, "round %d, %.*s: %s, literally %s", round, VSR_FMT(config->name),
                  rule_state_text(state), rule_state_text(answer.state));
    }
    winner = literal_winner(&t->decisions, answers, by_confidence, &confidence);
    CHECK_MSG(winner == (t->verdict.winner ? t->verdict.winner->config : NULL), "round %d: another winner", round);
    if (!winner)
        return;
    CHECK_MSG(fabs(confidence - t->verdict.confidence) < 1e-12, "round %d: confidence", round);
    CHECK_INT(t->n_matched, answers[winner - decisions].n_rules, "matched rules");
    for (size_t i = 0; i < t->n_matched; i++)
        CHECK_MSG(str_eq(t->policy->rules.leaves[t->matched[i]].text, answers[winner - decisions].rules[i]),
                  "round %d: rule %zu", round, i);
}

/* Hides some results: a verdict that is given all the same must be the final one. */
static size_t compare_early(struct trial *t, int round) {
    size_t early = 0;
    for (int k = 0; k < 8; k++) {
        struct policy_verdict verdict = { 0 };
        uint64_t blocking[BITS_WORDS(DECISIONS)] = { 0 };
        uint32_t leaves[64];
        size_t n = 0;
        for (uint32_t slot = 0; slot < t->s->n; slot++) { /* what is not evaluated has no results at all */
            bool hide = below(3) == 0;
            bits_put(t->s->view.evaluated, slot, !hide);
        }
        struct policy_view view = t->s->view;
        uint64_t hidden[4][BITS_WORDS(SYNTHETIC_SLOTS_MAX)];
        uint64_t **fields[] = { &view.matched, &view.unavailable, &view.has_confidence, &view.has_value };
        for (size_t f = 0; f < VSR_COUNT(fields); f++) {
            for (size_t w = 0; w < BITS_WORDS(t->s->n); w++)
                hidden[f][w] = (*fields[f])[w] & view.evaluated[w];
            *fields[f] = hidden[f];
        }
        rule_leaf_states(&t->policy->rules, &view, t->states);
        if (!policy_decide(t->policy, t->states, &view, &verdict, blocking)) {
            CHECK(bits_next(blocking, 0, DECISIONS) < DECISIONS, "somebody blocks");
            continue;
        }
        early++;
        CHECK_MSG(verdict.winner == t->verdict.winner && verdict.confidence == t->verdict.confidence,
                  "round %d.%d: early verdict", round, k);
        if (verdict.winner)
            n = rule_matched(&t->policy->rules, verdict.winner->root, t->states, &view, leaves, 64);
        CHECK_MSG(!verdict.winner || (n == t->n_matched && memcmp(leaves, t->matched, n * sizeof(*leaves)) == 0),
                  "round %d.%d: early rules", round, k);
    }
    return early;
}

TEST(compiled_equals_literal_and_early_equals_final) {
    size_t early = 0;
    struct synthetic *s = malloc(sizeof(*s));
    for (int round = 0; round < ROUNDS; round++) {
        struct trial t = { .arena = arena_new(0, 0), .s = s };
        bool by_confidence = below(3) == 0;
        struct policy_names names;
        synthetic_init(s, t.arena);
        names = synthetic_names(s);
        t.decisions = random_decisions(t.arena);
        t.policy =
            policy_build(t.arena, &t.decisions, &(struct policy_options){ .by_confidence = by_confidence }, &names);
        t.states = ARENA_ARRAY(t.arena, uint8_t, t.policy->rules.n_leaves);
        random_results(s);
        decide_all(&t);
        compare_literally(&t, by_confidence, round);
        early += compare_early(&t, round);
        arena_free(t.arena);
    }
    free(s);
    CHECK(early > ROUNDS, "early verdicts happen");
}

RUN_TESTS(T(compiled_equals_literal_and_early_equals_final))
