#include "vector_signals.h"

/* ---- shared vectors */

static int choice(vsr_str text, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (str_eq_c(text, names[i]))
            return i + 1;
    return 0;
}

static void read_rule(struct vectors *v, json_ref ref, struct config_rule *rule);

static void read_children(struct vectors *v, json_ref list, struct config_rule *rule) {
    struct config_rule *children = ARENA_ARRAY(v->arena, struct config_rule, vectors_count(v, list));
    rule->conditions.items = children;
    VECTOR_ITEMS(v, list, item)
    read_rule(v, item, &children[rule->conditions.n++]);
}

static void read_rule(struct vectors *v, json_ref ref, struct config_rule *rule) {
    static const char *const operators[] = { "AND", "OR", "NOT", NULL };
    static const char *const on_errors[] = { "match", "no_match", NULL };
    static const char *const on_unknowns[] = { "match", "no_match", "unknown", NULL };
    vsr_str op = vectors_str(v, ref, "operator");
    json_ref predicate = vectors_get(v, ref, "predicate");
    rule->type = vectors_str(v, ref, "type");
    rule->name = vectors_str(v, ref, "name");
    rule->label = vectors_str(v, ref, "label");
    rule->on_error = choice(vectors_str(v, ref, "on_error"), on_errors);
    rule->on_unknown = choice(vectors_str(v, ref, "on_unknown"), on_unknowns);
    for (int i = 0; operators[i]; i++)
        if (str_eq_nocase(op, str_from_c(operators[i])))
            rule->op = i + 1;
    if (op.len && !rule->op)
        rule->op = OPERATOR_OR; /* configuration refuses it nowadays */
    if (predicate != JSON_NONE) {
        struct config_predicate *p = rule->predicate = ARENA_NEW(v->arena, struct config_predicate);
        p->bounds = vector_bounds(v, predicate, &p->gt, &p->gte, &p->lt, &p->lte);
    }
    read_children(v, vectors_get(v, ref, "conditions"), rule);
}

static struct config_list read_decisions(struct vectors *v) {
    static const char *const on_unknowns[] = { "match", "no_match", "unknown", NULL };
    json_ref list = vectors_get(v, v->given, "decisions");
    struct config_decision *decisions = ARENA_ARRAY(v->arena, struct config_decision, vectors_count(v, list));
    size_t n = 0;
    VECTOR_ITEMS(v, list, item) {
        struct config_decision *decision = &decisions[n++];
        json_ref rules = vectors_get(v, item, "rules");
        decision->name = vectors_str(v, item, "name");
        decision->priority = (int64_t)vectors_number(v, item, "priority", 0);
        decision->tier = (int64_t)vectors_number(v, item, "tier", 0);
        decision->on_unknown = choice(vectors_str(v, item, "on_unknown"), on_unknowns);
        if (rules != JSON_NONE)
            read_rule(v, rules, decision->rules = ARENA_NEW(v->arena, struct config_rule));
    }
    return (struct config_list){ decisions, n };
}

static void check_states(struct vectors *v, const struct policy *policy, const uint8_t *states) {
    VECTOR_MEMBERS(v, vectors_get(v, v->want, "states"), name, want) {
        bool found = false;
        for (size_t i = 0; i < policy->n_decisions; i++) {
            enum rule_state state = rule_state(&policy->rules, policy->decisions[i].root, states);
            if (!str_eq(policy->decisions[i].config->name, name))
                continue;
            found = true;
            CHECK_MSG(str_eq_c(vectors_text(v, want), rule_state_text(state)), "case \"%s\": %.*s is %s", v->name,
                      VSR_FMT(name), rule_state_text(state));
        }
        CHECK(found, v->name);
    }
}

static void check_winner(struct vectors *v, const struct policy *policy, const uint8_t *states,
                         const struct policy_view *view, const struct policy_verdict *verdict) {
    const struct rule_set *rules = &policy->rules;
    uint32_t leaves[64];
    vsr_str texts[64], category = { 0 };
    size_t n = rule_matched(rules, verdict->winner->root, states, view, leaves, 64);
    for (size_t i = 0; i < n; i++) {
        texts[i] = rules->leaves[leaves[i]].text;
        if (!category.len && str_eq_c(rules->leaves[leaves[i]].type, "domain"))
            category = rules->leaves[leaves[i]].name;
    }
    CHECK_MSG(str_eq(verdict->winner->config->name, vectors_str(v, v->want, "decision")), "case \"%s\": %.*s wins",
              v->name, VSR_FMT(verdict->winner->config->name));
    CHECK_NEAR(v, verdict->confidence, vectors_number(v, v->want, "confidence", -1), "confidence");
    vectors_check_list(v, vectors_get(v, v->want, "matched_rules"), texts, n, "matched_rules");
    CHECK_MSG(str_eq(category, vectors_str(v, v->want, "category")), "case \"%s\": category %.*s", v->name,
              VSR_FMT(category));
}

static void check_vector(struct vectors *v) {
    struct synthetic *s = ARENA_NEW(v->arena, struct synthetic);
    json_ref signals = vectors_get(v, v->given, "signals");
    struct config_list decisions = read_decisions(v);
    struct policy_options options = { .by_confidence = str_eq_c(vectors_str(v, v->given, "strategy"), "confidence") };
    struct policy_names names;
    struct policy *policy;
    struct policy_verdict verdict;
    uint8_t *states;
    synthetic_init(s, v->arena);
    vector_domains(v, signals, s);
    names = synthetic_names(s);
    policy = policy_build(v->arena, &decisions, &options, &names);
    vector_signals(v, signals, s);
    states = ARENA_ARRAY(v->arena, uint8_t, policy->rules.n_leaves);
    rule_leaf_states(&policy->rules, &s->view, states);
    CHECK(policy_decide(policy, states, &s->view, &verdict, NULL), v->name);
    CHECK_INT(verdict.winner == NULL, json_is(&v->doc, vectors_get(v, v->want, "decision"), JSON_NULL), v->name);
    if (verdict.winner)
        check_winner(v, policy, states, &s->view, &verdict);
    check_states(v, policy, states);
}

TEST(shared_rules) {
    VECTORS_EACH(v, "rules.json", "decisions")
    check_vector(&v);
}

TEST(shared_unknown) {
    VECTORS_EACH(v, "unknown.json", "decisions")
    check_vector(&v);
}

/* ---- our own table: rules as text, signals by letter */

/*
 * Rules: a letter is a leaf (upper case: of family jailbreak, whose failures stay unknown), `!x`, `&(..)`, `|(..)`, `*`
 * is empty. Signals: letters that match; behind `?` those that failed; behind `~` those not evaluated yet.
 */
static void parse_rule(struct arena *arena, const char **text, struct config_rule *rule) {
    char c = *(*text)++;
    if (c == '!') {
        rule->op = OPERATOR_NOT;
        rule->conditions = (struct config_list){ ARENA_NEW(arena, struct config_rule), 1 };
        parse_rule(arena, text, rule->conditions.items);
    } else if (c == '&' || c == '|') {
        struct config_rule *children = ARENA_ARRAY(arena, struct config_rule, 16);
        rule->op = c == '&' ? OPERATOR_AND : OPERATOR_OR;
        rule->conditions.items = children;
        for ((*text)++; **text != ')';)
            parse_rule(arena, text, &children[rule->conditions.n++]);
        (*text)++;
    } else {
        rule->type = c < 'a' ? VSR_STR("jailbreak") : VSR_STR("keyword");
        rule->name = arena_printf(arena, "%c", c);
    }
}

static void apply_letters(struct synthetic *s, const char *signals) {
    uint64_t *bits = s->view.matched;
    for (; *signals; signals++) {
        char c = *signals;
        uint32_t slot;
        if (c == '?' || c == '~') {
            bits = c == '?' ? s->view.unavailable : s->view.evaluated;
            continue;
        }
        slot = synthetic_key(s, arena_printf(s->arena, "%s:%c", c < 'a' ? "jailbreak" : "keyword", c));
        if (bits == s->view.evaluated)
            bits_put(bits, slot, false);
        else
            bits_add(bits, slot);
    }
}

static const struct {
    const char *rule, *signals, *state;
} trees[] = {
    { "a", "a", "match" },
    { "a", "", "no_match" },
    { "a", "~a", "pending" },
    { "a", "?a", "no_match" },
    { "A", "?A", "unknown" },
    { "A", "A?A", "match" },
    { "!A", "?A", "unknown" },
    { "!a", "?a", "match" },
    { "!a", "~a", "pending" },
    { "!!a", "a", "match" },
    { "&(ab)", "a~b", "pending" },
    { "&(ab)", "~b", "no_match" },
    { "&(ab)", "~a", "no_match" },
    { "&(Aab)", "a?A", "no_match" },
    { "&(Aa)", "a?A", "unknown" },
    { "&(Aab)", "a?A~b", "pending" },
    { "|(Aa)", "a?A", "match" },
    { "|(Aa)", "?A", "unknown" },
    { "|(Aa)", "?A~a", "pending" },
    { "|(ab)", "a~b", "match" },
    { "|()", "a", "no_match" },
    { "&()", "", "match" },
    { "!&(a!|(bA))", "a", "no_match" },
    { "!&(a!|(bA))", "?A", "match" },
    { "!&(a!|(bA))", "a?A", "unknown" },
};

static struct policy *build_letters(struct synthetic *s, struct arena *arena, struct config_list *decisions) {
    struct policy_names names = synthetic_names(s);
    return policy_build(arena, decisions, &(struct policy_options){ 0 }, &names);
}

TEST(three_values_and_pending) {
    for (size_t i = 0; i < VSR_COUNT(trees); i++) {
        struct arena *arena = arena_new(0, 0);
        struct synthetic *s = ARENA_NEW(arena, struct synthetic);
        struct config_rule rule = { 0 };
        struct config_decision decision = { .name = VSR_STR("x"), .rules = &rule };
        struct config_list decisions = { &decision, 1 };
        const char *text = trees[i].rule;
        uint8_t states[16];
        struct policy *policy;
        synthetic_init(s, arena);
        parse_rule(arena, &text, &rule);
        policy = build_letters(s, arena, &decisions);
        apply_letters(s, trees[i].signals);
        rule_leaf_states(&policy->rules, &s->view, states);
        CHECK_MSG(strcmp(rule_state_text(rule_state(&policy->rules, policy->decisions[0].root, states)),
                         trees[i].state) == 0,
                  "%s with %s: %s", trees[i].rule, trees[i].signals,
                  rule_state_text(rule_state(&policy->rules, policy->decisions[0].root, states)));
        arena_free(arena);
    }
}

TEST(equal_leaves_are_one) {
    struct arena *arena = arena_new(0, 0);
    struct synthetic *s = ARENA_NEW(arena, struct synthetic);
    struct config_rule rules[3] = { 0 };
    struct config_decision d[3] = { { .name = VSR_STR("x"), .rules = &rules[0] },
                                    { .name = VSR_STR("y"), .rules = &rules[1] },
                                    { .name = VSR_STR("z"), .rules = &rules[2], .on_unknown = ON_UNKNOWN_MATCH } };
    struct config_list decisions = { d, 3 };
    for (int i = 0; i < 3; i++) {
        const char *text = "&(ab)";
        parse_rule(arena, &text, &rules[i]);
    }
    synthetic_init(s, arena);
    CHECK_INT(build_letters(s, arena, &decisions)->rules.n_leaves, 4, "the third one reads failures differently");
    arena_free(arena);
}

/* A match that a pending alternative could still improve is not final. */
TEST(pending_alternatives_block_the_winner) {
    struct arena *arena = arena_new(0, 0);
    struct synthetic *s = ARENA_NEW(arena, struct synthetic);
    struct config_rule rule = { 0 };
    struct config_decision decision = { .name = VSR_STR("x"), .rules = &rule };
    struct config_list decisions = { &decision, 1 };
    const char *text = "|(ab)";
    struct policy_verdict verdict;
    uint64_t blocking = 0;
    uint8_t states[4];
    struct policy *policy;
    synthetic_init(s, arena);
    parse_rule(arena, &text, &rule);
    policy = build_letters(s, arena, &decisions);
    apply_letters(s, "a~b");
    rule_leaf_states(&policy->rules, &s->view, states);
    CHECK(!policy_decide(policy, states, &s->view, &verdict, &blocking), "not settled");
    CHECK_INT(blocking, 1, "blocking");
    arena_free(arena);
}

/* As deep as configuration allows. Work that doubled with every level would never end. */
TEST(deep_alternatives_cost_no_more_than_their_nodes) {
    enum { DEPTH = 60 };
    struct arena *arena = arena_new(0, 0);
    struct synthetic *s = ARENA_NEW(arena, struct synthetic);
    struct config_rule rule = { 0 };
    struct config_decision decision = { .name = VSR_STR("x"), .rules = &rule };
    struct config_list decisions = { &decision, 1 };
    char text[DEPTH * 3 + 2], *end = text;
    const char *rest = text;
    struct policy_verdict verdict;
    struct policy *policy;
    uint8_t states[4];
    uint32_t leaf;
    for (int i = 0; i < DEPTH; i++, end += 2)
        memcpy(end, "|(", 2);
    *end++ = 'a';
    memset(end, ')', DEPTH);
    end[DEPTH] = '\0';
    synthetic_init(s, arena);
    parse_rule(arena, &rest, &rule);
    policy = build_letters(s, arena, &decisions);
    apply_letters(s, "a");
    rule_leaf_states(&policy->rules, &s->view, states);
    CHECK(policy_decide(policy, states, &s->view, &verdict, NULL), "settled");
    CHECK(verdict.winner && verdict.confidence == 1, "matches");
    CHECK_INT(rule_matched(&policy->rules, policy->decisions[0].root, states, &s->view, &leaf, 1), 1, "matched rules");
    arena_free(arena);
}

RUN_TESTS(T(shared_rules), T(shared_unknown), T(three_values_and_pending), T(equal_leaves_are_one),
          T(pending_alternatives_block_the_winner), T(deep_alternatives_cost_no_more_than_their_nodes))
