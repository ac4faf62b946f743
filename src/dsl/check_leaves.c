#include "dsl/check_leaves.h"

#include "core/arena.h"

enum { MEMBERSHIPS_MAX = 16 /* partitions that one signal is looked for in */ };

bool dsl_check_spend(struct check_conflicts *k, size_t cost) {
    if (cost > k->budget)
        return false;
    k->budget -= cost;
    return true;
}

static uint32_t group_number(struct check_conflicts *k, const char *kind, vsr_str name) {
    vsr_str key = arena_printf(k->c->scratch, "%s%c%.*s", kind, '\0', VSR_FMT(name));
    struct check_membership *group = map_get(&k->groups, key);
    if (!group) {
        group = ARENA_NEW(k->c->scratch, struct check_membership);
        group->group = (uint32_t)k->groups.n;
        map_put(&k->groups, key, group);
    }
    return group->group;
}

static void join(struct check_conflicts *k, struct check_leaf *leaf, const char *kind, vsr_str name) {
    struct check_membership *membership = ARENA_NEW(k->c->scratch, struct check_membership);
    *membership = (struct check_membership){ group_number(k, kind, name), NULL, leaf->groups };
    leaf->groups = membership;
}

static vsr_str member_key(struct check_conflicts *k, vsr_str type, vsr_str name) {
    return arena_printf(k->c->scratch, "%.*s%c%.*s", VSR_FMT(type), '\0', VSR_FMT(name));
}

static void note_member(struct check_conflicts *k, const struct dsl_decl *partition, const char *type, vsr_str name) {
    vsr_str key = member_key(k, str_from_c(type), name);
    struct check_membership *membership;
    size_t n = 0;
    for (const struct check_membership *m = map_get(&k->partitions, key); m; m = m->next)
        n++;
    if (n >= MEMBERSHIPS_MAX)
        return;
    membership = ARENA_NEW(k->c->scratch, struct check_membership);
    *membership = (struct check_membership){ group_number(k, "partition", partition->name.text), partition,
                                             map_get(&k->partitions, key) };
    map_put(&k->partitions, key, membership);
}

void dsl_check_note_partitions(struct check_conflicts *k) {
    const struct config_families *families = &k->c->language->parts->families;
    DSL_EACH(decl, k->scope->program, DSL_PARTITION) {
        size_t n;
        const struct dsl_value *members = dsl_items_of(&decl->fields, "members", &n);
        for (size_t i = 0; i < n; i++)
            for (size_t f = 0; f < families->n && members[i].kind == DSL_STRING; f++)
                if (families->items[f].partition_members)
                    note_member(k, decl, families->items[f].type, members[i].text);
    }
}

static void read_context(const struct check_conflicts *k, struct check_leaf *leaf) {
    const struct check_declared *declared = dsl_check_find(k->scope, leaf->type, leaf->name);
    const struct dsl_value *low = declared ? dsl_value_of(&declared->decl->fields, "min_tokens") : NULL;
    const struct dsl_value *high = declared ? dsl_value_of(&declared->decl->fields, "max_tokens") : NULL;
    leaf->is_context = true;
    if (!low || !schema_tokens(low->text, &leaf->low))
        leaf->low = 0;
    if (!high || !schema_tokens(high->text, &leaf->high) || leaf->high == 0)
        leaf->high = INT64_MAX;
}

/* What the leaf excludes: other outputs of its mapping, other languages, other levels, other members. */
static void describe(struct check_conflicts *k, struct check_leaf *leaf) {
    const struct config_family *family = dsl_check_family(k->c, leaf->type);
    leaf->groups = map_get(&k->partitions, member_key(k, leaf->type, leaf->name));
    leaf->shared = !str_eq_c(leaf->type, "projection") && !str_eq_c(leaf->type, "context");
    if (str_eq_c(leaf->type, "projection")) {
        const struct check_declared *output = map_get(&k->scope->outputs, leaf->name);
        /* multi_emit gives every output that fits */
        if (output && !str_eq_c(dsl_text_of(&output->decl->fields, "method"), "multi_emit"))
            join(k, leaf, "mapping", output->decl->name.text);
    } else if (str_eq_c(leaf->type, "language")) {
        join(k, leaf, "language", VSR_STR(""));
    } else if (str_eq_c(leaf->type, "context")) {
        read_context(k, leaf);
    } else if (family && family->levels) {
        vsr_str level;
        vsr_str rule = dsl_check_rule_of(leaf->name, &level);
        join(k, leaf, family->type, rule);
    }
}

/* Leaves that compare the same label with other bounds are others. */
static vsr_str leaf_key(struct check_conflicts *k, const struct dsl_expr *expr) {
    static const char *const bounds[] = { "gt", "gte", "lt", "lte" };
    struct arena *arena = k->c->scratch;
    vsr_str key = member_key(k, expr->type.text, expr->name.text);
    const struct dsl_value *predicate = dsl_value_of(&expr->fields, "predicate");
    if (expr->fields.n == 0)
        return key;
    key = arena_printf(arena, "%.*s%c%.*s", VSR_FMT(key), '\0', VSR_FMT(dsl_text_of(&expr->fields, "label")));
    for (size_t i = 0; predicate && predicate->kind == DSL_OBJECT && i < VSR_COUNT(bounds); i++) {
        double number;
        if (dsl_number_of(&predicate->fields, bounds[i], &number))
            key = arena_printf(arena, "%.*s%c%s%.17g", VSR_FMT(key), '\0', bounds[i], number);
    }
    return key;
}

struct check_leaf *dsl_check_leaf(struct check_conflicts *k, const struct dsl_expr *expr) {
    vsr_str key = leaf_key(k, expr);
    struct check_leaf *leaf = map_get(&k->ids, key);
    if (leaf)
        return leaf;
    leaf = ARENA_NEW(k->c->scratch, struct check_leaf);
    *leaf = (struct check_leaf){ .id = (uint32_t)k->n_leaves, .type = expr->type.text, .name = expr->name.text };
    describe(k, leaf);
    map_put(&k->ids, key, leaf);
    k->leaves = arena_grow(k->c->scratch, k->leaves, sizeof(*k->leaves), k->n_leaves, &k->cap);
    k->leaves[k->n_leaves++] = leaf;
    return leaf;
}

const struct check_membership *dsl_check_common_group(const struct check_leaf *a, const struct check_leaf *b,
                                                      bool partition) {
    for (const struct check_membership *one = a->groups; one; one = one->next)
        for (const struct check_membership *other = b->groups; other; other = other->next)
            if (one->group == other->group && (one->partition || !partition))
                return one;
    return NULL;
}

bool dsl_check_exclude(void *data, uint32_t one, uint32_t other) {
    const struct check_conflicts *k = data;
    const struct check_leaf *a = k->leaves[one], *b = k->leaves[other];
    if (one == other || str_eq(a->name, b->name))
        return false;
    if (a->is_context && b->is_context)
        return a->high < b->low || b->high < a->low;
    return dsl_check_common_group(a, b, false) != NULL;
}
