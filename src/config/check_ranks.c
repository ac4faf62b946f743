/*
 * Decisions that can never win, and ranks that only a name tells apart (decisions.md §2.6).
 *
 * A decision is shadowed when another one that surely comes before it matches whenever it does. Whether the rules of
 * one imply those of the other is judged by their form alone: leaves are the same or have nothing to do with each
 * other. That finds every subset of an AND and every superset of an OR, at any depth, and never sees a shadow where
 * there is none. Under three-valued logic "a true makes b true" and "a false makes b false" are two different things,
 * and NOT turns one into the other.
 */
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"

enum {
    /* What lies behind a limit is not judged. */
    RANK_STEPS_MAX = 2000000,  /* comparisons of nodes in one recipe: about 20 ms */
    RANK_PAIRS_MAX = 50000000, /* looks at two decisions: those of 5,000 decisions, about 100 ms */
};

enum rank_op { RANK_LEAF, RANK_AND, RANK_OR, RANK_NOT, RANK_ALWAYS };

struct rank_node {
    enum rank_op op;
    uintptr_t leaf; /* the same number for the same leaf */
    uint32_t end;   /* index behind the subtree; the first child follows the node itself */
};

struct rank_tree {
    const struct config_decision *decision;
    uint32_t root;
    uint64_t leaves; /* bit by number, modulo 64: trees without a common bit have no leaf in common */
};

struct ranks {
    struct check *c;
    struct rank_node *nodes;
    size_t n_nodes, cap;
    struct map leaves;
    struct rank_tree *trees;
    size_t n_trees;
    size_t steps, pairs;
};

/* ---- trees in pre-order */

static uintptr_t leaf_number(struct ranks *r, const struct config_rule *rule, const struct config_decision *decision) {
    const struct config_predicate *p = rule->predicate;
    int unknown = rule->on_unknown ? rule->on_unknown : decision->on_unknown;
    vsr_str key = arena_printf(r->c->scratch, "%d %d %d %u %a %a %a %a %zu:%.*s%.*s", rule->family, rule->on_error,
                               unknown, p ? p->bounds + 1 : 0, p ? p->gt : 0, p ? p->gte : 0, p ? p->lt : 0,
                               p ? p->lte : 0, rule->name.len, VSR_FMT(rule->name), VSR_FMT(rule->label));
    uintptr_t number = (uintptr_t)map_get(&r->leaves, key);
    if (!number) {
        number = r->leaves.n + 1;
        map_put(&r->leaves, key, (void *)number);
    }
    return number;
}

static uint32_t add_node(struct ranks *r, enum rank_op op) {
    r->nodes = arena_grow(r->c->scratch, r->nodes, sizeof(*r->nodes), r->n_nodes, &r->cap);
    r->nodes[r->n_nodes] = (struct rank_node){ .op = op };
    return (uint32_t)r->n_nodes++;
}

static void add_rule(struct ranks *r, struct rank_tree *tree, const struct config_rule *rule) {
    static const enum rank_op ops[] = {
        [OPERATOR_NONE] = RANK_OR, [OPERATOR_AND] = RANK_AND, [OPERATOR_OR] = RANK_OR, [OPERATOR_NOT] = RANK_NOT
    };
    uint32_t negation = 0, at;
    if (rule->negated)
        negation = add_node(r, RANK_NOT);
    at = add_node(r, rule->type.len ? RANK_LEAF : ops[rule->op]);
    if (rule->type.len) {
        uintptr_t number = leaf_number(r, rule, tree->decision);
        r->nodes[at].leaf = number;
        tree->leaves |= UINT64_C(1) << (number % 64);
    } else {
        CONFIG_EACH(const struct config_rule, child, &rule->conditions)
        add_rule(r, tree, child);
    }
    r->nodes[at].end = (uint32_t)r->n_nodes;
    if (rule->negated)
        r->nodes[negation].end = (uint32_t)r->n_nodes;
}

static void add_tree(struct ranks *r, const struct config_decision *decision) {
    struct rank_tree *tree = &r->trees[r->n_trees++];
    *tree = (struct rank_tree){ .decision = decision, .root = (uint32_t)r->n_nodes };
    if (decision->rules)
        add_rule(r, tree, decision->rules);
    else
        (void)add_node(r, RANK_ALWAYS);
    r->nodes[tree->root].end = (uint32_t)r->n_nodes;
}

/* ---- implication */

/* What a value of one node says about the other: true makes true, or false makes false. */
enum direction { TRUE_MAKES_TRUE, FALSE_MAKES_FALSE };

static bool implies(struct ranks *r, uint32_t a, uint32_t b, enum direction direction);

static bool all_children(struct ranks *r, uint32_t parent, uint32_t other, bool parent_is_left,
                         enum direction direction) {
    for (uint32_t child = parent + 1; child < r->nodes[parent].end; child = r->nodes[child].end)
        if (!(parent_is_left ? implies(r, child, other, direction) : implies(r, other, child, direction)))
            return false;
    return true;
}

static bool any_child(struct ranks *r, uint32_t parent, uint32_t other, bool parent_is_left, enum direction direction) {
    for (uint32_t child = parent + 1; child < r->nodes[parent].end; child = r->nodes[child].end)
        if (parent_is_left ? implies(r, child, other, direction) : implies(r, other, child, direction))
            return true;
    return false;
}

/* A false OR is what a true AND is: every child has the value. */
static bool is_every(const struct rank_node *node, enum direction direction) {
    return node->op == (direction == TRUE_MAKES_TRUE ? RANK_AND : RANK_OR);
}

static bool is_some(const struct rank_node *node, enum direction direction) {
    return node->op == (direction == TRUE_MAKES_TRUE ? RANK_OR : RANK_AND);
}

static bool implies(struct ranks *r, uint32_t a, uint32_t b, enum direction direction) {
    const struct rank_node *left = &r->nodes[a], *right = &r->nodes[b];
    if (++r->steps > RANK_STEPS_MAX)
        return false;
    if (right->op == RANK_ALWAYS)
        return direction == TRUE_MAKES_TRUE;
    if (left->op == RANK_ALWAYS)
        return direction == FALSE_MAKES_FALSE;
    if (is_every(right, direction))
        return all_children(r, b, a, false, direction);
    if (is_some(left, direction))
        return all_children(r, a, b, true, direction);
    if (left->op == RANK_NOT && right->op == RANK_NOT)
        return implies(r, a + 1, b + 1, direction == TRUE_MAKES_TRUE ? FALSE_MAKES_FALSE : TRUE_MAKES_TRUE);
    if (is_some(right, direction) && any_child(r, b, a, false, direction))
        return true;
    if (is_every(left, direction))
        return any_child(r, a, b, true, direction);
    return left->op == RANK_LEAF && right->op == RANK_LEAF && left->leaf == right->leaf;
}

/* ---- ranks */

/* Whether `a` comes before `b` whenever both match, whatever their confidences. */
static bool surely_before(const struct ranks *r, const struct config_decision *a, const struct config_decision *b,
                          bool tiers) {
    const struct config_routing *routing = r->c->routing;
    if (a->tier > 0 && b->tier > 0)
        return a->tier < b->tier;
    if (a->tier > 0)
        return !routing->untiered_first;
    if (b->tier > 0)
        return routing->untiered_first;
    return !tiers && routing->strategy == STRATEGY_PRIORITY && a->priority > b->priority;
}

static void warn_shadowed(struct ranks *r, const struct rank_tree *tree, bool tiers) {
    for (size_t i = 0; i < r->n_trees && r->pairs++ < RANK_PAIRS_MAX; i++) {
        const struct rank_tree *other = &r->trees[i];
        if (other == tree || !surely_before(r, other->decision, tree->decision, tiers) ||
            (other->leaves != 0 && !(other->leaves & tree->leaves)))
            continue;
        if (!implies(r, tree->root, other->root, TRUE_MAKES_TRUE))
            continue;
        diag_warn(r->c->diag, "W_SHADOWED", schema_at(tree->decision), VSR_STR("give it a better rank, or remove it"),
                  "decision \"%.*s\" can never win: \"%.*s\" comes before it and matches whenever it does",
                  VSR_FMT(tree->decision->name), VSR_FMT(other->decision->name));
        return;
    }
}

/* Whether every true child of an AND at the root is a negation, or the root is one: then nothing speaks for the
 * decision. */
static bool only_negations(const struct ranks *r, const struct rank_tree *tree) {
    const struct rank_node *root = &r->nodes[tree->root];
    if (root->op == RANK_NOT)
        return true;
    if (root->op != RANK_AND || root->end == tree->root + 1)
        return false;
    for (uint32_t child = tree->root + 1; child < root->end; child = r->nodes[child].end)
        if (r->nodes[child].op != RANK_NOT)
            return false;
    return true;
}

/* Under the strategy `priority` alone, a catch-all of the least rank may well consist of negations. */
static void warn_negations(struct ranks *r, const struct rank_tree *tree) {
    if (r->c->routing->strategy == STRATEGY_CONFIDENCE && only_negations(r, tree))
        diag_warn(r->c->diag, "W_NEGATIONS", schema_at(tree->decision), VSR_STR("add what speaks for the decision"),
                  "decision \"%.*s\" consists of negations, each of confidence 1, so it beats what was measured",
                  VSR_FMT(tree->decision->name));
}

static bool contradict(struct ranks *r, uint32_t a, uint32_t b) {
    const struct rank_node *left = &r->nodes[a], *right = &r->nodes[b];
    if (left->op == RANK_NOT && right->op != RANK_NOT)
        return implies(r, b, a + 1, TRUE_MAKES_TRUE);
    return right->op == RANK_NOT && left->op != RANK_NOT && implies(r, a, b + 1, TRUE_MAKES_TRUE);
}

/* Whether both can match one request, as far as their form tells: a part of the one excludes a part of the other. */
static bool exclude(struct ranks *r, uint32_t a, uint32_t b) {
    uint32_t parts[2] = { a, b };
    if (contradict(r, a, b))
        return true;
    for (int i = 0; i < 2; i++) {
        uint32_t parent = parts[i], other = parts[1 - i];
        if (r->nodes[parent].op != RANK_AND)
            continue;
        for (uint32_t child = parent + 1; child < r->nodes[parent].end; child = r->nodes[child].end)
            if (++r->steps > RANK_STEPS_MAX || exclude(r, child, other))
                return true;
    }
    return false;
}

/* Only where ranks are what chooses: under `confidence`, equal priorities are the rule. */
static void warn_equal(struct ranks *r, size_t index, bool tiers) {
    const struct rank_tree *tree = &r->trees[index];
    const struct config_decision *decision = tree->decision;
    if (r->c->routing->strategy == STRATEGY_CONFIDENCE || tiers)
        return;
    for (size_t i = 0; i < index && r->pairs++ < RANK_PAIRS_MAX; i++) {
        const struct config_decision *other = r->trees[i].decision;
        if (other->priority != decision->priority || exclude(r, r->trees[i].root, tree->root))
            continue;
        diag_warn(
            r->c->diag, "W_EQUAL_RANK", schema_field_at(&config_decision_schema, decision, "priority", r->c->arena),
            VSR_STR("give them different priorities"),
            "decisions \"%.*s\" and \"%.*s\" both have priority %lld: where both match, the higher confidence wins, "
            "and then the name",
            VSR_FMT(other->name), VSR_FMT(decision->name), (long long)decision->priority);
        return;
    }
}

void check_ranks(struct check *c) {
    const struct config_list *decisions = &c->routing->decisions;
    struct ranks r = { .c = c };
    bool tiers = false;
    map_init(&r.leaves, c->scratch);
    r.trees = ARENA_ARRAY(c->scratch, struct rank_tree, decisions->n);
    CONFIG_EACH(const struct config_decision, decision, decisions) {
        add_tree(&r, decision);
        tiers |= decision->tier > 0;
    }
    for (size_t i = 0; i < r.n_trees; i++) {
        warn_shadowed(&r, &r.trees[i], tiers);
        warn_negations(&r, &r.trees[i]);
        warn_equal(&r, i, tiers);
    }
}
