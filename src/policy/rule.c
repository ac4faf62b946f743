#include "policy/rule.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/bits.h"

const char *rule_state_text(enum rule_state state) {
    static const char *const texts[] = {
        [RULE_FALSE] = "no_match", [RULE_TRUE] = "match", [RULE_UNKNOWN] = "unknown", [RULE_PENDING] = "pending"
    };
    return texts[state];
}

void rule_set_init(struct rule_set *set, struct arena *arena) {
    *set = (struct rule_set){ .arena = arena };
    map_init(&set->by_key, arena);
}

/* ---- leaves */

/* How an unknown leaf reads: the first of its own on_error and on_unknown, the decision's, the family's. */
static enum config_on_unknown settle(const struct config_rule *rule, enum config_on_unknown decision,
                                     const struct policy_type *type) {
    if (rule->on_error != 0)
        return rule->on_error == 1 ? ON_UNKNOWN_MATCH : ON_UNKNOWN_NO_MATCH;
    if (rule->on_unknown != ON_UNKNOWN_UNSET)
        return (enum config_on_unknown)rule->on_unknown;
    return decision != ON_UNKNOWN_UNSET ? decision : type->on_unknown;
}

static void leaf_resolve(struct rule_set *set, struct rule_leaf *leaf, const struct config_rule *rule,
                         enum config_on_unknown on_unknown, const struct policy_names *names) {
    const struct policy_type *type = names->type(names->data, leaf->type, rule->family);
    vsr_str value_name = leaf->name;
    leaf->slot = leaf->value_slot = POLICY_SLOT_NONE;
    if (!type || (type->by_label && (!rule->label.len || !rule->predicate))) {
        leaf->never = true;
        return;
    }
    if (leaf->label.len)
        value_name = arena_printf(set->arena, "%.*s:%.*s", VSR_FMT(leaf->name), VSR_FMT(leaf->label));
    leaf->slot = names->slot(names->data, type, leaf->name);
    leaf->value_slot = leaf->label.len ? names->slot(names->data, type, value_name) : leaf->slot;
    if (names->alternates)
        leaf->n_alternates = names->alternates(names->data, type, leaf->name, &leaf->alternates);
    leaf->never = leaf->slot == POLICY_SLOT_NONE && leaf->value_slot == POLICY_SLOT_NONE && leaf->n_alternates == 0;
    leaf->never_unknown = type->never_unknown;
    leaf->on_unknown = settle(rule, on_unknown, type);
    if (rule->predicate) {
        leaf->has_bounds = true;
        leaf->bounds = bounds_of_predicate(rule->predicate);
    }
}

/* Leaves that read the same are one. */
static vsr_str leaf_key(struct arena *arena, const struct rule_leaf *leaf) {
    const struct bounds *b = &leaf->bounds;
    return arena_printf(arena, "%d %u %a %a %a %a %zu:%.*s", (int)leaf->on_unknown, leaf->has_bounds ? b->set + 1 : 0,
                        b->gt, b->gte, b->lt, b->lte, leaf->name.len, VSR_FMT(leaf->text));
}

static uint32_t leaf_add(struct rule_set *set, const struct config_rule *rule, enum config_on_unknown on_unknown,
                         const struct policy_names *names) {
    struct rule_leaf leaf = { .type = arena_str_lower(set->arena, str_trim(rule->type)),
                              .name = rule->name,
                              .label = rule->label };
    uintptr_t found; /* index + 1 */
    vsr_str key;
    leaf.text = arena_printf(set->arena, "%.*s:%.*s%s%.*s", VSR_FMT(rule->type), VSR_FMT(rule->name),
                             rule->label.len ? ":" : "", VSR_FMT(rule->label));
    leaf_resolve(set, &leaf, rule, on_unknown, names);
    key = leaf_key(set->arena, &leaf);
    found = (uintptr_t)map_get(&set->by_key, key);
    if (found)
        return (uint32_t)(found - 1);
    set->leaves = arena_grow(set->arena, set->leaves, sizeof(*set->leaves), set->n_leaves, &set->leaves_cap);
    set->leaves[set->n_leaves] = leaf;
    map_put(&set->by_key, key, (void *)((uintptr_t)set->n_leaves + 1));
    return (uint32_t)set->n_leaves++;
}

static enum rule_state unknown_state(const struct rule_leaf *leaf) {
    if (leaf->never_unknown || leaf->on_unknown == ON_UNKNOWN_NO_MATCH)
        return RULE_FALSE;
    return leaf->on_unknown == ON_UNKNOWN_MATCH ? RULE_TRUE : RULE_UNKNOWN;
}

/* The leaf neither matched nor has a number: not evaluated yet, failed, or plainly not the case. */
static enum rule_state without_result(const struct rule_leaf *leaf, const struct policy_view *view) {
    if (leaf->slot != POLICY_SLOT_NONE && !bits_has(view->evaluated, leaf->slot))
        return RULE_PENDING;
    for (size_t i = 0; i < leaf->n_alternates; i++)
        if (!bits_has(view->evaluated, leaf->alternates[i]))
            return RULE_PENDING;
    for (size_t i = 0; i < leaf->n_alternates; i++)
        if (bits_has(view->unavailable, leaf->alternates[i]))
            return unknown_state(leaf);
    return policy_slot_in(view->unavailable, leaf->slot) ? unknown_state(leaf) : RULE_FALSE;
}

static enum rule_state predicate_state(const struct rule_leaf *leaf, const struct policy_view *view) {
    if (policy_slot_in(view->has_value, leaf->value_slot))
        return bounds_hold(&leaf->bounds, view->value[leaf->value_slot]) ? RULE_TRUE : RULE_FALSE;
    if (policy_slot_in(view->has_confidence, leaf->value_slot))
        return bounds_hold(&leaf->bounds, view->confidence[leaf->value_slot]) ? RULE_TRUE : RULE_FALSE;
    return without_result(leaf, view);
}

static enum rule_state leaf_state(const struct rule_leaf *leaf, const struct policy_view *view) {
    if (leaf->never)
        return RULE_FALSE;
    if (leaf->has_bounds)
        return predicate_state(leaf, view);
    if (policy_slot_in(view->matched, leaf->slot))
        return RULE_TRUE;
    for (size_t i = 0; i < leaf->n_alternates; i++)
        if (bits_has(view->matched, leaf->alternates[i]))
            return RULE_TRUE;
    return without_result(leaf, view);
}

void rule_leaf_slots(const struct rule_leaf *leaf, uint64_t *slots) {
    if (leaf->slot != POLICY_SLOT_NONE)
        bits_add(slots, leaf->slot);
    for (size_t i = 0; i < leaf->n_alternates; i++)
        bits_add(slots, leaf->alternates[i]);
}

void rule_leaf_states(const struct rule_set *set, const struct policy_view *view, uint8_t *states) {
    for (size_t i = 0; i < set->n_leaves; i++)
        states[i] = (uint8_t)leaf_state(&set->leaves[i], view);
}

double rule_leaf_confidence(const struct rule_leaf *leaf, const struct policy_view *view) {
    if (leaf->has_bounds || !policy_slot_in(view->has_confidence, leaf->slot))
        return 1.0;
    if (!policy_slot_in(view->matched, leaf->slot) && leaf->n_alternates == 0)
        return 1.0; /* true because a failure was told to match */
    return view->confidence[leaf->slot];
}

/* ---- trees */

static uint32_t node_add(struct rule_set *set, enum rule_op op) {
    set->nodes = arena_grow(set->arena, set->nodes, sizeof(*set->nodes), set->n_nodes, &set->nodes_cap);
    set->nodes[set->n_nodes] = (struct rule_node){ .op = op };
    return (uint32_t)set->n_nodes++;
}

struct tree_builder {
    struct rule_set *set;
    enum config_on_unknown on_unknown;
    const struct policy_names *names;
    int depth;
};

static void add_tree(struct tree_builder *b, const struct config_rule *rule);

static enum rule_op op_of(const struct config_rule *rule) {
    switch (rule->op) {
    case OPERATOR_AND:
        return RULE_AND;
    case OPERATOR_NOT:
        return rule->conditions.n == 1 ? RULE_NOT : RULE_NEVER;
    default: /* OR, and what is missing */
        return RULE_OR;
    }
}

static void add_branch(struct tree_builder *b, const struct config_rule *rule) {
    const struct config_rule *children = rule->conditions.items;
    uint32_t at = node_add(b->set, op_of(rule));
    if (b->set->nodes[at].op != RULE_NEVER)
        for (size_t i = 0; i < rule->conditions.n; i++)
            add_tree(b, &children[i]);
    b->set->nodes[at].end = (uint32_t)b->set->n_nodes;
}

static void add_tree(struct tree_builder *b, const struct config_rule *rule) {
    uint32_t negation = 0;
    b->depth++;
    VSR_ASSERT(b->depth <= POLICY_DEPTH_MAX); /* configuration bounds it */
    if (rule->negated)
        negation = node_add(b->set, RULE_NOT);
    if (rule->type.len > 0) {
        uint32_t leaf = leaf_add(b->set, rule, b->on_unknown, b->names);
        uint32_t at = node_add(b->set, RULE_LEAF);
        b->set->nodes[at].leaf = leaf;
        b->set->nodes[at].end = at + 1;
    } else {
        add_branch(b, rule);
    }
    if (rule->negated)
        b->set->nodes[negation].end = (uint32_t)b->set->n_nodes;
    b->depth--;
}

static bool is_unconditional(const struct config_rule *rule) {
    return !rule ||
           (rule->type.len == 0 && rule->name.len == 0 && rule->op == OPERATOR_NONE && rule->conditions.n == 0);
}

uint32_t rule_set_add(struct rule_set *set, const struct config_rule *rule, enum config_on_unknown on_unknown,
                      const struct policy_names *names) {
    struct tree_builder b = { .set = set, .on_unknown = on_unknown, .names = names };
    uint32_t root = (uint32_t)set->n_nodes;
    if (is_unconditional(rule)) {
        (void)node_add(set, RULE_ALWAYS);
        set->nodes[root].end = root + 1;
    } else {
        add_tree(&b, rule);
    }
    return root;
}

/* ---- evaluation */

static enum rule_state and_state(const struct rule_node *nodes, uint32_t at, const uint8_t *states);
static enum rule_state or_state(const struct rule_node *nodes, uint32_t at, const uint8_t *states);

static enum rule_state node_state(const struct rule_node *nodes, uint32_t at, const uint8_t *states) {
    enum rule_state state;
    switch ((enum rule_op)nodes[at].op) {
    case RULE_LEAF:
        return (enum rule_state)states[nodes[at].leaf];
    case RULE_AND:
        return and_state(nodes, at, states);
    case RULE_OR:
        return or_state(nodes, at, states);
    case RULE_NOT:
        state = node_state(nodes, at + 1, states);
        return state == RULE_TRUE ? RULE_FALSE : state == RULE_FALSE ? RULE_TRUE : state;
    case RULE_NEVER:
        return RULE_FALSE;
    case RULE_ALWAYS:
        return RULE_TRUE;
    }
    return RULE_FALSE;
}

static enum rule_state and_state(const struct rule_node *nodes, uint32_t at, const uint8_t *states) {
    enum rule_state result = RULE_TRUE;
    for (uint32_t child = at + 1; child < nodes[at].end; child = nodes[child].end) {
        enum rule_state state = nodes[child].op == RULE_LEAF ? (enum rule_state)states[nodes[child].leaf]
                                                             : node_state(nodes, child, states);
        if (state == RULE_FALSE)
            return RULE_FALSE;
        if (state > result)
            result = state;
    }
    return result;
}
_Static_assert(RULE_TRUE < RULE_UNKNOWN && RULE_UNKNOWN < RULE_PENDING,
               "the greatest state of the children is the node's");

static enum rule_state or_state(const struct rule_node *nodes, uint32_t at, const uint8_t *states) {
    enum rule_state result = RULE_FALSE;
    for (uint32_t child = at + 1; child < nodes[at].end; child = nodes[child].end) {
        enum rule_state state = node_state(nodes, child, states);
        if (state == RULE_TRUE)
            return RULE_TRUE;
        if (state > result)
            result = state;
    }
    return result;
}

enum rule_state rule_state(const struct rule_set *set, uint32_t root, const uint8_t *states) {
    return node_state(set->nodes, root, states);
}

static double and_confidence(const struct rule_set *set, uint32_t at, const uint8_t *states,
                             const struct policy_view *view, bool *exact) {
    double sum = 0;
    size_t n = 0;
    for (uint32_t child = at + 1; child < set->nodes[at].end; child = set->nodes[child].end, n++)
        sum += rule_confidence(set, child, states, view, exact);
    return n ? sum / (double)n : 0;
}

/* The best child of a TRUE `or` and its confidence, which is looked at once: a second look at each level would double
 * the work with every level. */
static uint32_t best_child(const struct rule_set *set, uint32_t at, const uint8_t *states,
                           const struct policy_view *view, bool *exact, double *ret_confidence) {
    uint32_t best = POLICY_SLOT_NONE;
    for (uint32_t child = at + 1; child < set->nodes[at].end; child = set->nodes[child].end) {
        enum rule_state state = node_state(set->nodes, child, states);
        double confidence;
        if (state == RULE_PENDING)
            *exact = false;
        if (state != RULE_TRUE)
            continue;
        confidence = rule_confidence(set, child, states, view, exact);
        if (best == POLICY_SLOT_NONE || confidence > *ret_confidence) {
            best = child;
            *ret_confidence = confidence;
        }
    }
    VSR_ASSERT(best != POLICY_SLOT_NONE);
    return best;
}

double rule_confidence(const struct rule_set *set, uint32_t at, const uint8_t *states, const struct policy_view *view,
                       bool *exact) {
    double confidence = 0;
    switch ((enum rule_op)set->nodes[at].op) {
    case RULE_LEAF:
        return rule_leaf_confidence(&set->leaves[set->nodes[at].leaf], view);
    case RULE_AND:
        return and_confidence(set, at, states, view, exact);
    case RULE_OR:
        (void)best_child(set, at, states, view, exact, &confidence);
        return confidence;
    case RULE_NOT:
        return 1.0;
    case RULE_NEVER:
    case RULE_ALWAYS:
        return 0;
    }
    return 0;
}

struct matched_list {
    uint32_t *leaves;
    size_t n, max;
};

static void collect_matched(const struct rule_set *set, uint32_t at, const uint8_t *states,
                            const struct policy_view *view, struct matched_list *list) {
    const struct rule_node *node = &set->nodes[at];
    double confidence = 0;
    bool exact = true;
    switch ((enum rule_op)node->op) {
    case RULE_LEAF:
        if (list->n < list->max)
            list->leaves[list->n] = node->leaf;
        list->n++;
        break;
    case RULE_AND:
        for (uint32_t child = at + 1; child < node->end; child = set->nodes[child].end)
            collect_matched(set, child, states, view, list);
        break;
    case RULE_OR:
        collect_matched(set, best_child(set, at, states, view, &exact, &confidence), states, view, list);
        break;
    case RULE_NOT: /* its child did not match */
    case RULE_NEVER:
    case RULE_ALWAYS:
        break;
    }
}

size_t rule_matched(const struct rule_set *set, uint32_t at, const uint8_t *states, const struct policy_view *view,
                    uint32_t *ret_leaves, size_t max) {
    struct matched_list list = { .leaves = ret_leaves, .max = max };
    collect_matched(set, at, states, view, &list);
    return list.n < max ? list.n : max;
}
