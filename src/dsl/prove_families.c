/* What each kind of signal guarantees (the list stands in dsl/prove_theory.h; the facts are signals.md §5 and §6). */
#include "dsl/prove_families.h"

#include <math.h>
#include <stdlib.h>

#include "core/arena.h"

const void *prove_rule(const struct prove_family *family, size_t i) {
    return rule_at(family->rules, family->config->schema, i);
}

vsr_str prove_rule_name(const struct prove_family *family, size_t i) {
    return rule_text(family->config->schema, prove_rule(family, i), "name");
}

struct theory_slot *prove_slot(const struct prove_family *family, size_t i) {
    if (!family->slots[i])
        family->slots[i] = theory_slot(family->scope, family->index, prove_rule_name(family, i));
    return family->slots[i];
}

int64_t prove_rule_int(const struct prove_family *family, size_t i, const char *name, enum field_kind kind) {
    const int64_t *number = rule_field(family->config->schema, prove_rule(family, i), name, kind);
    return number ? *number : 0;
}

static struct theory_slot *find_slot(const struct prove_family *family, vsr_str name) {
    if (!theory_rule(family->scope, family->index, name))
        return NULL;
    return theory_slot(family->scope, family->index, name);
}

/* ---- one of several */

static void say_exclusive(const struct prove_family *family) {
    int *matches = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    for (size_t i = 0; i < family->rules->n; i++)
        matches[i] = prove_slot(family, i)->match;
    solver_at_most_one(family->solver, matches, family->rules->n);
}

/* One of the names matches; says nothing unless all are declared. */
static void say_one_of(const struct prove_family *family, const char *const *names, size_t n) {
    int *clause = ARENA_ARRAY(family->theory->arena, int, 2 * n);
    size_t n_literals = 0;
    for (size_t i = 0; i < n; i++) {
        struct theory_slot *slot = find_slot(family, str_from_c(names[i]));
        if (!slot)
            return;
        clause[n_literals++] = slot->match;
        clause[n_literals++] = theory_failed(family->theory, slot);
    }
    solver_clause(family->solver, clause, n_literals);
}

static void say_fact_check(const struct prove_family *family) {
    static const char *const names[] = { "needs_fact_check", "no_fact_check_needed" };
    struct theory_slot *needed = find_slot(family, str_from_c(names[0]));
    struct theory_slot *not_needed = find_slot(family, str_from_c(names[1]));
    if (needed && not_needed)
        SOLVER_CLAUSE(family->solver, -needed->match, -not_needed->match);
    say_one_of(family, names, VSR_COUNT(names));
}

static void say_modality(const struct prove_family *family) {
    static const char *const names[] = { "AR", "DIFFUSION", "BOTH" };
    say_exclusive(family);
    say_one_of(family, names, VSR_COUNT(names));
}

/* Names are told apart without case, and SAT is as good as satisfied; a label is one name's. */
static void say_user_feedback(const struct prove_family *family) {
    struct map labels; /* -> literal: one of its rules matches */
    int *literals = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    size_t n = 0;
    map_init(&labels, family->theory->arena);
    for (size_t i = 0; i < family->rules->n; i++) {
        vsr_str label = arena_str_lower(family->theory->arena, prove_rule_name(family, i));
        int literal;
        if (str_eq_c(label, "sat"))
            label = VSR_STR("satisfied");
        literal = (int)(uintptr_t)map_get(&labels, label);
        if (!literal) {
            literal = literals[n++] = solver_var(family->solver);
            map_put(&labels, label, (void *)(uintptr_t)literal);
        }
        SOLVER_CLAUSE(family->solver, -prove_slot(family, i)->match, literal);
    }
    solver_at_most_one(family->solver, literals, n);
}

/* ---- embedding */

static bool is_member(const struct prove_family *family, size_t i) {
    vsr_str key =
        arena_printf(family->theory->arena, "%s:%.*s", family->config->type, VSR_FMT(prove_rule_name(family, i)));
    return map_get(&family->scope->members, key) != NULL;
}

static void say_embedding(const struct prove_family *family) {
    int64_t top_k = family->scope->doc->global.model_catalog.embeddings.semantic.embedding_config.top_k;
    int *matches = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    size_t n = 0;
    for (size_t i = 0; i < family->rules->n; i++) {
        struct theory_slot *slot = prove_slot(family, i);
        if (top_k == 0 || is_member(family, i))
            continue;
        if (!slot->before) {
            slot->before = solver_var(family->solver);
            SOLVER_CLAUSE(family->solver, -slot->match, slot->before);
        }
        matches[n++] = slot->match;
    }
    if (top_k == 1 || top_k < 0)
        solver_at_most_one(family->solver, matches, n);
}

/* ---- complexity */

static struct rail composer_rail(const struct prove_family *family, const struct config_rule *rule) {
    struct theory *theory = family->theory;
    struct rail *rails = ARENA_ARRAY(theory->arena, struct rail, rule->conditions.n);
    struct rail rail;
    size_t n = 0;
    if (rule->type.len) {
        uint32_t leaf = theory_leaf(family->scope, rule, ON_UNKNOWN_UNSET, true);
        rail = theory->leaves[leaf].rail;
        return rule->negated ? rail_not(rail) : rail;
    }
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    rails[n++] = composer_rail(family, child);
    if (rule->op == OPERATOR_AND)
        rail = rail_and(theory->solver, rails, n);
    else if (rule->op != OPERATOR_NOT)
        rail = rail_or(theory->solver, rails, n);
    else
        rail = n == 1 ? rail_not(rails[0]) : (struct rail){ -theory->solver->yes, theory->solver->yes };
    return rule->negated ? rail_not(rail) : rail;
}

/* All levels of a rule fail together, and then none matches. */
static void say_levels(const struct prove_family *family, size_t i) {
    struct solver *solver = family->solver;
    struct config_rule *tree = family->config->tree ? family->config->tree(prove_rule(family, i)) : NULL;
    int composed = tree ? composer_rail(family, tree).is : solver->yes;
    int levels[8], clause[8 + 3];
    struct theory_slot *first = NULL;
    size_t n = 0;
    for (size_t k = 0; family->config->levels[k] && n < VSR_COUNT(levels); k++) {
        vsr_str name = arena_printf(family->theory->arena, "%.*s:%s", VSR_FMT(prove_rule_name(family, i)),
                                    family->config->levels[k]);
        struct theory_slot *slot = theory_slot(family->scope, family->index, name);
        first = first ? first : slot;
        slot->failed = theory_failed(family->theory, first);
        SOLVER_CLAUSE(solver, -slot->match, composed);
        SOLVER_CLAUSE(solver, -slot->match, -slot->failed);
        clause[n] = levels[n] = slot->match;
        n++;
    }
    solver_at_most_one(solver, levels, n);
    if (n == 0)
        return;
    clause[n++] = -family->theory->text;
    clause[n++] = -composed;
    clause[n++] = theory_failed(family->theory, first);
    solver_clause(solver, clause, n);
}

static void say_complexity(const struct prove_family *family) {
    for (size_t i = 0; i < family->rules->n && family->config->levels; i++)
        say_levels(family, i);
}

/* ---- reask */

enum { LOOKBACK_DEFAULT = 1 };
static const double threshold_default = 0.8;

struct reask {
    int64_t lookback;
    double threshold;
    int match;
};

static int reask_cmp(const void *left, const void *right) {
    const struct reask *a = left, *b = right;
    if (a->lookback != b->lookback)
        return a->lookback < b->lookback ? -1 : 1;
    return a->threshold != b->threshold ? (a->threshold < b->threshold ? -1 : 1) : a->match - b->match;
}

static void say_reask(const struct prove_family *family) {
    struct reask *rules = ARENA_ARRAY(family->theory->arena, struct reask, family->rules->n);
    int *firsts = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    size_t n_firsts = 0;
    for (size_t i = 0; i < family->rules->n; i++) {
        const double *threshold = rule_field(family->config->schema, prove_rule(family, i), "threshold", FIELD_NUMBER);
        int64_t lookback = prove_rule_int(family, i, "lookback_turns", FIELD_INT);
        rules[i] = (struct reask){ lookback > 0 ? lookback : LOOKBACK_DEFAULT,
                                   threshold && *threshold > 0 ? *threshold : threshold_default,
                                   prove_slot(family, i)->match };
    }
    qsort(rules, family->rules->n, sizeof(*rules), reask_cmp);
    for (size_t i = 0; i < family->rules->n; i++)
        if (i == 0 || rules[i - 1].lookback != rules[i].lookback) /* the lowest threshold: all others imply it */
            firsts[n_firsts++] = rules[i].match;
        else
            SOLVER_CLAUSE(family->solver, -rules[i].match, rules[i - 1].match);
    solver_at_most_one(family->solver, firsts, n_firsts);
}

/* ---- authz */

/* A binding whose name is also a role stands for the role, which others may give too. */
static void say_authz(const struct prove_family *family) {
    struct map roles;
    map_init(&roles, family->theory->arena);
    for (size_t i = 0; i < family->rules->n; i++)
        map_put(&roles, rule_text(family->config->schema, prove_rule(family, i), "role"),
                (void *)prove_rule(family, i));
    for (size_t i = 0; i < family->rules->n; i++) {
        vsr_str role = rule_text(family->config->schema, prove_rule(family, i), "role");
        if (!map_get(&roles, prove_rule_name(family, i)))
            SOLVER_CLAUSE(family->solver, -prove_slot(family, i)->match,
                          theory_slot(family->scope, family->index, role)->match);
    }
}

/* ---- the table */

/*
 * Every kind of signal. What a failure reads as, and how far numbers go, is what signal/ says of its families; a test
 * compares the two tables. All zero limits of values: anything.
 */
static const struct {
    const char *type;
    enum config_on_unknown on_unknown;
    bool never_fails;
    struct theory_limits limits;
    void (*say)(const struct prove_family *family);
} kinds[] = {
    { "keyword", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, NULL },
    { "embedding", ON_UNKNOWN_NO_MATCH, false, { 0, 1, -1, 1 }, say_embedding },
    { "domain", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, NULL },
    { "fact_check", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_fact_check },
    { "user_feedback", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_user_feedback },
    { "reask", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, INFINITY }, say_reask },
    { "preference", ON_UNKNOWN_NO_MATCH, false, { -1, 1, -1, 1 }, say_exclusive },
    { "language", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_exclusive },
    { "context", ON_UNKNOWN_NO_MATCH, true, { 0, 1, 0, 0 }, prove_say_context },
    { "structure", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, prove_say_features },
    { "complexity", ON_UNKNOWN_NO_MATCH, false, { 0, 2, -2, 2 }, say_complexity },
    { "modality", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_modality },
    { "authz", ON_UNKNOWN_UNKNOWN, false, { 0, 1, 0, 0 }, say_authz },
    { "jailbreak", ON_UNKNOWN_UNKNOWN, false, { 0, 2, 0, 0 }, NULL },
    { "pii", ON_UNKNOWN_UNKNOWN, false, { 0, 1, 0, INFINITY }, NULL },
    { "kb", ON_UNKNOWN_NO_MATCH, false, { -1, 1, -1, 1 }, NULL },
    { "kb_metric", ON_UNKNOWN_NO_MATCH, false, { 0, 1, -2, 2 }, NULL },
    { "conversation", ON_UNKNOWN_NO_MATCH, true, { 0, 1, 0, 0 }, prove_say_features },
    { "event", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, NULL },
    { "metadata", ON_UNKNOWN_NO_MATCH, true, { 0, 1, 0, 0 }, prove_say_metadata },
    { "classifier", ON_UNKNOWN_UNKNOWN, false, { 0, 1, 0, 1 }, prove_say_classifier },
    { "projection", ON_UNKNOWN_NO_MATCH, true, { 0.5, 1, 0, 0 }, NULL },
};

static size_t kind_of(vsr_str type) {
    size_t i = 0;
    while (i < VSR_COUNT(kinds) && !str_eq_c(type, kinds[i].type))
        i++;
    return i;
}

struct theory_limits theory_family_limits(vsr_str type) {
    size_t kind = kind_of(type);
    if (kind == VSR_COUNT(kinds))
        return (struct theory_limits){ -INFINITY, INFINITY, -INFINITY, INFINITY };
    if (kinds[kind].limits.value_least == 0 && kinds[kind].limits.value_most == 0) {
        struct theory_limits limits = kinds[kind].limits;
        limits.value_least = -INFINITY;
        limits.value_most = INFINITY;
        return limits;
    }
    return kinds[kind].limits;
}

enum config_on_unknown theory_family_unknown(vsr_str type) {
    size_t kind = kind_of(type);
    return kind == VSR_COUNT(kinds) ? ON_UNKNOWN_UNKNOWN : kinds[kind].on_unknown;
}

bool theory_family_never_fails(vsr_str type) {
    size_t kind = kind_of(type);
    return kind < VSR_COUNT(kinds) && kinds[kind].never_fails;
}

static void say_family(struct theory_scope *scope, int index) {
    struct theory *theory = scope->theory;
    const struct config_family *config = &theory->families->items[index];
    const struct config_list *rules = &scope->routing->signals.rules[index];
    struct prove_family family = { scope, theory, theory->solver, config, rules, NULL, index };
    size_t kind = kind_of(str_from_c(config->type));
    if (rules->n == 0 || kind == VSR_COUNT(kinds) || !kinds[kind].say)
        return;
    family.slots = ARENA_ARRAY(theory->arena, struct theory_slot *, rules->n);
    kinds[kind].say(&family);
}

/* Those whose rules have trees over other signals come last. */
void theory_say_families(struct theory_scope *scope) {
    const struct config_families *families = scope->theory->families;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < families->n && i < CONFIG_FAMILIES_MAX; i++)
            if ((families->items[i].tree != NULL) == (pass == 1))
                say_family(scope, (int)i);
}
