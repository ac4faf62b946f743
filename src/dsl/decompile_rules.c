#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/parse.h"
#include "dsl/spelling.h"

/*
 * Rule trees as expressions (dsl.md §5). A tree is brought into the form that compiling gives it first: groups of one
 * are what they hold, groups inside a group of the same operator are part of it, `not` is a NOT.
 */

enum rule_kind { RULE_NONE, RULE_LEAF, RULE_AND, RULE_OR, RULE_NOT };

struct rule {
    enum rule_kind kind;
    const struct yaml_node *leaf;
    struct rule **items;
    size_t n, cap;
};

static const char *const group_keys[] = { "operator", "conditions", "not", NULL };
static const char *const leaf_keys[] = { "type", "name", "not", NULL };

static struct rule *rule_new(struct decompile *d, enum rule_kind kind) {
    struct rule *rule = ARENA_NEW(d->arena, struct rule);
    *rule = (struct rule){ .kind = kind };
    return rule;
}

static void push(struct decompile *d, struct rule *rule, struct rule *item) {
    rule->items = arena_grow(d->arena, rule->items, sizeof(struct rule *), rule->n, &rule->cap);
    rule->items[rule->n++] = item;
}

static void push_flat(struct decompile *d, struct rule *rule, struct rule *item) {
    if (item->kind != rule->kind) {
        push(d, rule, item);
        return;
    }
    for (size_t i = 0; i < item->n; i++)
        push(d, rule, item->items[i]);
}

static enum rule_kind operator_of(struct decompile *d, const struct yaml_node *node) {
    static const struct {
        vsr_str word;
        enum rule_kind kind;
    } words[] = { { VSR_STR_INIT("AND"), RULE_AND },
                  { VSR_STR_INIT("OR"), RULE_OR },
                  { VSR_STR_INIT("NOT"), RULE_NOT } };
    const struct yaml_node *op = yaml_get(node, VSR_STR("operator"));
    vsr_str word = decompile_text(node, "operator");
    for (size_t i = 0; i < VSR_COUNT(words); i++)
        if (str_eq_nocase(word, words[i].word))
            return words[i].kind;
    if (!yaml_is_null(op) && (op->kind != YAML_SCALAR || word.len)) {
        decompile_wrong(d, "E210", op, "operator \"%.*s\" is none of AND, OR and NOT", VSR_FMT(word));
        return RULE_NONE;
    }
    decompile_lost(d, node, "a group without an operator counts as OR"); /* that is what evaluation makes of it */
    return RULE_OR;
}

static struct rule *read_rule(struct decompile *d, const struct yaml_node *node);

static struct rule *negated(struct decompile *d, struct rule *rule) {
    struct rule *not = rule_new(d, RULE_NOT);
    push(d, not, rule);
    return not ;
}

/* Whether `not` stands there and holds. */
static bool says_not(const struct yaml_node *node) {
    return str_eq_nocase(decompile_text(node, "not"), VSR_STR("true"));
}

/* What NOT holds is one thing; any other group that is left with one is that one. */
static struct rule *read_group(struct decompile *d, const struct yaml_node *node, const struct yaml_node *conditions) {
    size_t n = conditions ? conditions->n_items : 0;
    enum rule_kind kind = operator_of(d, node);
    struct rule *group = rule_new(d, kind), *item;
    if (kind == RULE_NONE)
        return NULL;
    if (n == 0 || (kind == RULE_NOT && n != 1)) {
        decompile_wrong(d, "E210", node, n == 0 ? "a group of conditions is empty" : "NOT takes one condition");
        return NULL;
    }
    decompile_lost_keys(d, node, NULL, group_keys);
    for (size_t i = 0; i < n; i++) {
        item = read_rule(d, conditions->items[i]);
        if (!item)
            return NULL;
        if (kind == RULE_NOT)
            push(d, group, item);
        else
            push_flat(d, group, item);
    }
    return kind != RULE_NOT && group->n == 1 ? group->items[0] : group;
}

static bool is_group(const struct yaml_node *node) {
    return !yaml_is_null(yaml_get(node, VSR_STR("operator"))) || !yaml_is_null(yaml_get(node, VSR_STR("conditions")));
}

/* NULL: what stands there is no condition, which was told. */
static struct rule *read_rule(struct decompile *d, const struct yaml_node *node) {
    vsr_str type = decompile_text(node, "type");
    struct rule *rule;
    if (!decompile_is_mapping(d, node))
        return NULL;
    if (is_group(node)) {
        rule = read_group(d, node, decompile_list(d, node, "conditions"));
    } else if (!spelling_is_identifier(type) || !dsl_is_signal_word(type)) {
        decompile_wrong(d, "E201", node, "a condition needs a type of signal and a name");
        return NULL;
    } else {
        rule = rule_new(d, RULE_LEAF);
        rule->leaf = node;
        decompile_lost_keys(d, node, d->language->leaf, leaf_keys);
    }
    return rule && says_not(node) ? negated(d, rule) : rule;
}

/* ---- writing */

static void write_rule(struct decompile *d, const struct rule *rule);

static void write_leaf(struct decompile *d, const struct yaml_node *node) {
    struct decompile_fields fields = { d->language->leaf, node, NULL };
    bool first = false;
    buf_append(d->out, decompile_text(node, "type"));
    buf_append_char(d->out, '(');
    spell_string(d->out, decompile_text(node, "name"));
    for (size_t i = 0; i < fields.block->n_fields; i++) {
        const struct yaml_node *value = decompile_shown(d, &fields, &fields.block->fields[i]);
        if (value)
            decompile_inline(d, &fields.block->fields[i], value, ": ", &first);
    }
    buf_append_char(d->out, ')');
}

static void write_items(struct decompile *d, const struct rule *rule, const char *between) {
    for (size_t i = 0; i < rule->n; i++) {
        if (i)
            buf_append_c(d->out, between);
        write_rule(d, rule->items[i]);
    }
}

static void write_rule(struct decompile *d, const struct rule *rule) {
    bool grouped = rule->kind == RULE_NOT && rule->items[0]->kind == RULE_AND;
    switch (rule->kind) {
    case RULE_NONE:
        break;
    case RULE_LEAF:
        write_leaf(d, rule->leaf);
        break;
    case RULE_AND:
        write_items(d, rule, " AND ");
        break;
    case RULE_OR:
        buf_append_char(d->out, '(');
        write_items(d, rule, " OR ");
        buf_append_char(d->out, ')');
        break;
    case RULE_NOT:
        buf_append_c(d->out, grouped ? "NOT (" : "NOT ");
        write_rule(d, rule->items[0]);
        buf_append_c(d->out, grouped ? ")" : "");
        break;
    }
}

/* Whether it always holds: nothing is there, or an AND of nothing. */
static bool is_unconditional(const struct yaml_node *rules) {
    const struct yaml_node *conditions = yaml_get(rules, VSR_STR("conditions"));
    vsr_str op = decompile_text(rules, "operator");
    return yaml_is_null(rules) || (rules->kind == YAML_MAPPING && yaml_is_null(yaml_get(rules, VSR_STR("type"))) &&
                                   (!conditions || conditions->n_items == 0) && !says_not(rules) &&
                                   (op.len == 0 || str_eq_nocase(op, VSR_STR("AND"))));
}

void decompile_condition(struct decompile *d, const struct yaml_node *rules, const char *before, const char *after) {
    struct rule *rule;
    if (is_unconditional(rules)) {
        if (rules && rules->kind == YAML_MAPPING)
            decompile_lost_keys(d, rules, NULL, group_keys);
        return;
    }
    rule = read_rule(d, rules);
    if (!rule)
        return;
    buf_append_c(d->out, before);
    write_rule(d, rule);
    buf_append_c(d->out, after);
}
