/* What each kind of signal guarantees (the list stands in dsl/prove_theory.h; the facts are signals.md §5 and §6). */
#include <math.h>
#include <stdlib.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "dsl/prove_theory.h"

/* The rules of one family in a scope. */
struct family {
    struct theory_scope *scope;
    struct theory *theory;
    struct solver *solver;
    const struct config_family *config;
    const struct config_list *rules;
    struct theory_slot **slots; /* per rule, when the family has a slot for each */
    int index;
};

static const void *rule(const struct family *family, size_t i) {
    return rule_at(family->rules, family->config->schema, i);
}

static vsr_str name_of(const struct family *family, size_t i) {
    return rule_text(family->config->schema, rule(family, i), "name");
}

static struct theory_slot *slot_of(const struct family *family, size_t i) {
    if (!family->slots[i])
        family->slots[i] = theory_slot(family->scope, family->index, name_of(family, i));
    return family->slots[i];
}

static int64_t int_of(const struct family *family, size_t i, const char *name, enum field_kind kind) {
    const int64_t *number = rule_field(family->config->schema, rule(family, i), name, kind);
    return number ? *number : 0;
}

static struct theory_slot *find_slot(const struct family *family, vsr_str name) {
    if (!theory_rule(family->scope, family->index, name))
        return NULL;
    return theory_slot(family->scope, family->index, name);
}

/* ---- one of several */

static void say_exclusive(const struct family *family) {
    int *matches = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    for (size_t i = 0; i < family->rules->n; i++)
        matches[i] = slot_of(family, i)->match;
    solver_at_most_one(family->solver, matches, family->rules->n);
}

/* One of the names matches, given `when`; says nothing unless all are declared. */
static void say_one_of(const struct family *family, const char *const *names, size_t n, int when) {
    int *clause = ARENA_ARRAY(family->theory->arena, int, 2 * n + 1);
    size_t n_literals = 0;
    for (size_t i = 0; i < n; i++) {
        struct theory_slot *slot = find_slot(family, str_from_c(names[i]));
        if (!slot)
            return;
        clause[n_literals++] = slot->match;
        clause[n_literals++] = theory_failed(family->theory, slot);
    }
    clause[n_literals++] = -when;
    solver_clause(family->solver, clause, n_literals);
}

static void say_fact_check(const struct family *family) {
    static const char *const names[] = { "needs_fact_check", "no_fact_check_needed" };
    struct theory_slot *needed = find_slot(family, str_from_c(names[0]));
    struct theory_slot *not_needed = find_slot(family, str_from_c(names[1]));
    if (needed && not_needed)
        SOLVER_CLAUSE(family->solver, -needed->match, -not_needed->match);
    say_one_of(family, names, VSR_COUNT(names), family->solver->yes);
}

static void say_modality(const struct family *family) {
    static const char *const names[] = { "AR", "DIFFUSION", "BOTH" };
    say_exclusive(family);
    say_one_of(family, names, VSR_COUNT(names), family->solver->yes);
}

/* Names are told apart without case, and SAT is as good as satisfied; a label is one name's. */
static void say_user_feedback(const struct family *family) {
    struct map labels; /* -> literal: one of its rules matches */
    int *literals = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    size_t n = 0;
    map_init(&labels, family->theory->arena);
    for (size_t i = 0; i < family->rules->n; i++) {
        vsr_str label = arena_str_lower(family->theory->arena, name_of(family, i));
        int literal;
        if (str_eq_c(label, "sat"))
            label = VSR_STR("satisfied");
        literal = (int)(uintptr_t)map_get(&labels, label);
        if (!literal) {
            literal = literals[n++] = solver_var(family->solver);
            map_put(&labels, label, (void *)(uintptr_t)literal);
        }
        SOLVER_CLAUSE(family->solver, -slot_of(family, i)->match, literal);
    }
    solver_at_most_one(family->solver, literals, n);
}

/* ---- embedding */

static bool is_member(const struct family *family, size_t i) {
    vsr_str key = arena_printf(family->theory->arena, "%s:%.*s", family->config->type, VSR_FMT(name_of(family, i)));
    return map_get(&family->scope->members, key) != NULL;
}

static void say_embedding(const struct family *family) {
    int64_t top_k = family->scope->doc->global.model_catalog.embeddings.semantic.embedding_config.top_k;
    int *matches = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    size_t n = 0;
    for (size_t i = 0; i < family->rules->n; i++) {
        struct theory_slot *slot = slot_of(family, i);
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

static struct rail composer_rail(const struct family *family, const struct config_rule *rule) {
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
static void say_levels(const struct family *family, size_t i) {
    struct solver *solver = family->solver;
    struct config_rule *tree = family->config->tree ? family->config->tree(rule(family, i)) : NULL;
    int composed = tree ? composer_rail(family, tree).is : solver->yes;
    int levels[8], clause[8 + 3];
    struct theory_slot *first = NULL;
    size_t n = 0;
    for (size_t k = 0; family->config->levels[k] && n < VSR_COUNT(levels); k++) {
        vsr_str name =
            arena_printf(family->theory->arena, "%.*s:%s", VSR_FMT(name_of(family, i)), family->config->levels[k]);
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

static void say_complexity(const struct family *family) {
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

static void say_reask(const struct family *family) {
    struct reask *rules = ARENA_ARRAY(family->theory->arena, struct reask, family->rules->n);
    int *firsts = ARENA_ARRAY(family->theory->arena, int, family->rules->n);
    size_t n_firsts = 0;
    for (size_t i = 0; i < family->rules->n; i++) {
        const double *threshold = rule_field(family->config->schema, rule(family, i), "threshold", FIELD_NUMBER);
        int64_t lookback = int_of(family, i, "lookback_turns", FIELD_INT);
        rules[i] =
            (struct reask){ lookback > 0 ? lookback : LOOKBACK_DEFAULT,
                            threshold && *threshold > 0 ? *threshold : threshold_default, slot_of(family, i)->match };
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
static void say_authz(const struct family *family) {
    struct map roles;
    map_init(&roles, family->theory->arena);
    for (size_t i = 0; i < family->rules->n; i++)
        map_put(&roles, rule_text(family->config->schema, rule(family, i), "role"), (void *)rule(family, i));
    for (size_t i = 0; i < family->rules->n; i++) {
        vsr_str role = rule_text(family->config->schema, rule(family, i), "role");
        if (!map_get(&roles, name_of(family, i)))
            SOLVER_CLAUSE(family->solver, -slot_of(family, i)->match,
                          theory_slot(family->scope, family->index, role)->match);
    }
}

/* ---- context */

static void measure_context(const struct family *family, size_t i) {
    struct bounds bounds = { .set = BOUND_GTE };
    const bool *reserve = rule_field(family->config->schema, rule(family, i), "include_output_reserve", FIELD_BOOL);
    vsr_str key = !reserve || *reserve ? VSR_STR("context") : VSR_STR("context without reserve");
    struct number *number = theory_number(family->theory, key, true, 0, INFINITY);
    struct theory_slot *slot = slot_of(family, i);
    int within;
    bounds.gte = (double)int_of(family, i, "min_tokens", FIELD_TOKENS);
    bounds.lte = (double)int_of(family, i, "max_tokens", FIELD_TOKENS);
    if (bounds.lte > 0)
        bounds.set |= BOUND_LTE;
    theory_measure(slot, number, family->solver->yes);
    within = number_within(number, family->solver->yes, &bounds);
    SOLVER_CLAUSE(family->solver, -slot->match, within);
    SOLVER_CLAUSE(family->solver, slot->match, -within);
}

static void say_context(const struct family *family) {
    for (size_t i = 0; i < family->rules->n; i++)
        measure_context(family, i);
}

/* ---- structure and conversation */

struct feature {
    vsr_str type, source;
};

static vsr_str choice_of(const struct schema *schema, const void *object, const char *name) {
    const struct field *field = schema_field(schema, str_from_c(name));
    const int *choice = rule_field(schema, object, name, FIELD_ENUM);
    return choice && field->choices ? str_from_c(field->choices[*choice]) : (vsr_str){ 0 };
}

static struct feature feature_of(const struct family *family, size_t i) {
    const struct field *field = schema_field(family->config->schema, VSR_STR("feature"));
    const void *feature = rule_field(family->config->schema, rule(family, i), "feature", FIELD_OBJECT);
    const struct field *source_field = feature ? schema_field(field->object, VSR_STR("source")) : NULL;
    const void *source = feature ? rule_field(field->object, feature, "source", FIELD_OBJECT) : NULL;
    if (!source)
        return (struct feature){ 0 };
    return (struct feature){ choice_of(field->object, feature, "type"),
                             rule_meaning(family->theory->arena, source_field->object, source) };
}

static void say_same(struct solver *solver, int a, int b) {
    SOLVER_CLAUSE(solver, -a, b);
    SOLVER_CLAUSE(solver, a, -b);
}

static vsr_str feature_key(const struct family *family, const char *type, vsr_str source) {
    return arena_printf(family->theory->arena, "%s %s %.*s", family->config->type, type, VSR_FMT(source));
}

/* What is measured; of one source, `exists`, `density` and `count` are above zero together. */
static struct number *feature_number(const struct family *family, const struct feature *feature) {
    struct theory *theory = family->theory;
    struct number *count = theory_number(theory, feature_key(family, "count", feature->source), true, 0, INFINITY);
    bool density = str_eq_c(feature->type, "density"), exists = str_eq_c(feature->type, "exists"), known;
    struct number *number;
    vsr_str key;
    if (str_eq_c(feature->type, "sequence")) /* occurs or not */
        return theory_number(theory, feature_key(family, "sequence", feature->source), true, 0, 1);
    if (!density && !exists)
        return count;
    key = feature_key(family, density ? "density" : "exists", feature->source);
    known = map_get(&theory->numbers, key) != NULL;
    number = theory_number(theory, key, exists, 0, exists ? 1 : INFINITY);
    if (!known)
        say_same(family->solver, number_above(number, 0, true), number_above(count, 0, true));
    return number;
}

/* Without a predicate, a structure matches above zero, and a conversation when it is counted at all. */
static int feature_holds(const struct family *family, size_t i, const struct feature *feature, struct number *number,
                         int there) {
    const struct config_predicate *const *predicate =
        rule_field(family->config->schema, rule(family, i), "predicate", FIELD_OPTIONAL);
    bool counted = str_eq_c(str_from_c(family->config->type), "conversation") && str_eq_c(feature->type, "count");
    struct bounds bounds = { .set = counted ? 0 : BOUND_GT };
    if (predicate && *predicate && !str_eq_c(feature->type, "exists"))
        bounds = bounds_of_predicate(*predicate);
    return number_within(number, there, &bounds);
}

static void say_features(const struct family *family) {
    for (size_t i = 0; i < family->rules->n; i++) {
        struct feature feature = feature_of(family, i);
        struct theory_slot *slot = slot_of(family, i);
        struct number *number = feature_number(family, &feature);
        int there = -theory_failed(family->theory, slot);
        theory_measure(slot, number, there);
        say_same(family->solver, slot->match, feature_holds(family, i, &feature, number, there));
    }
}

/* ---- metadata */

struct metadata_key {
    int there;  /* the request has the key */
    int one_of; /* its value is one of those seen so far; 0: none was */
    struct map values;
};

static struct metadata_key *metadata_key(const struct family *family, vsr_str key) {
    struct metadata_key *found = map_get(&family->theory->metadata, key);
    if (found)
        return found;
    found = ARENA_NEW(family->theory->arena, struct metadata_key);
    found->there = solver_var(family->solver);
    map_init(&found->values, family->theory->arena);
    map_put(&family->theory->metadata, key, found);
    return found;
}

/* That the value is this one. */
static int metadata_value(const struct family *family, struct metadata_key *key, vsr_str value) {
    struct solver *solver = family->solver;
    uintptr_t known = (uintptr_t)map_get(&key->values, value);
    int is, one_of;
    if (known)
        return (int)known;
    is = solver_var(solver);
    one_of = solver_var(solver);
    SOLVER_CLAUSE(solver, -is, key->there);
    SOLVER_CLAUSE(solver, -is, one_of);
    if (key->one_of) {
        SOLVER_CLAUSE(solver, -is, -key->one_of);
        SOLVER_CLAUSE(solver, -key->one_of, one_of);
    }
    key->one_of = one_of;
    map_put(&key->values, value, (void *)(uintptr_t)is);
    return is;
}

static int metadata_holds(const struct family *family, const struct schema *schema, const void *predicate,
                          struct metadata_key *key) {
    const struct config_strings *in = rule_field(schema, predicate, "in", FIELD_STRINGS);
    const bool *exists = rule_field(schema, predicate, "exists", FIELD_BOOL);
    int *values = ARENA_ARRAY(family->theory->arena, int, in ? in->n : 0);
    if (exists && schema_present(schema, predicate, "exists"))
        return *exists ? key->there : -key->there;
    if (schema_present(schema, predicate, "equals"))
        return metadata_value(family, key, rule_text(schema, predicate, "equals"));
    for (size_t i = 0; in && i < in->n; i++)
        values[i] = metadata_value(family, key, in->items[i]);
    return solver_or(family->solver, values, in ? in->n : 0);
}

static void say_metadata(const struct family *family) {
    const struct field *field = schema_field(family->config->schema, VSR_STR("predicate"));
    for (size_t i = 0; i < family->rules->n; i++) {
        const void *predicate = rule_field(family->config->schema, rule(family, i), "predicate", FIELD_OBJECT);
        vsr_str key = rule_text(family->config->schema, rule(family, i), "key");
        if (predicate && key.len)
            say_same(family->solver, slot_of(family, i)->match,
                     metadata_holds(family, field->object, predicate, metadata_key(family, key)));
    }
}

/* ---- classifier */

static void say_classifier(const struct family *family) {
    for (size_t i = 0; i < family->rules->n; i++) {
        const struct config_strings *labels =
            rule_field(family->config->schema, rule(family, i), "labels", FIELD_STRINGS);
        for (size_t k = 0; labels && k < labels->n; k++) {
            vsr_str name = arena_printf(family->theory->arena, "%.*s:%.*s", VSR_FMT(name_of(family, i)),
                                        VSR_FMT(labels->items[k]));
            struct theory_slot *slot = theory_slot(family->scope, family->index, name);
            if (!slot->number)
                theory_measure(slot, theory_own_number(family->theory, 0, 1), solver_var(family->solver));
        }
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
    void (*say)(const struct family *family);
} kinds[] = {
    { "keyword", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, NULL },
    { "embedding", ON_UNKNOWN_NO_MATCH, false, { 0, 1, -1, 1 }, say_embedding },
    { "domain", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, NULL },
    { "fact_check", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_fact_check },
    { "user_feedback", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_user_feedback },
    { "reask", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, INFINITY }, say_reask },
    { "preference", ON_UNKNOWN_NO_MATCH, false, { -1, 1, -1, 1 }, say_exclusive },
    { "language", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_exclusive },
    { "context", ON_UNKNOWN_NO_MATCH, true, { 0, 1, 0, 0 }, say_context },
    { "structure", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_features },
    { "complexity", ON_UNKNOWN_NO_MATCH, false, { 0, 2, -2, 2 }, say_complexity },
    { "modality", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, say_modality },
    { "authz", ON_UNKNOWN_UNKNOWN, false, { 0, 1, 0, 0 }, say_authz },
    { "jailbreak", ON_UNKNOWN_UNKNOWN, false, { 0, 2, 0, 0 }, NULL },
    { "pii", ON_UNKNOWN_UNKNOWN, false, { 0, 1, 0, INFINITY }, NULL },
    { "kb", ON_UNKNOWN_NO_MATCH, false, { -1, 1, -1, 1 }, NULL },
    { "kb_metric", ON_UNKNOWN_NO_MATCH, false, { 0, 1, -2, 2 }, NULL },
    { "conversation", ON_UNKNOWN_NO_MATCH, true, { 0, 1, 0, 0 }, say_features },
    { "event", ON_UNKNOWN_NO_MATCH, false, { 0, 1, 0, 0 }, NULL },
    { "metadata", ON_UNKNOWN_NO_MATCH, true, { 0, 1, 0, 0 }, say_metadata },
    { "classifier", ON_UNKNOWN_UNKNOWN, false, { 0, 1, 0, 1 }, say_classifier },
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
    struct family family = { scope, theory, theory->solver, config, rules, NULL, index };
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

void theory_close(struct theory *theory) {
    struct number *less = map_get(&theory->numbers, VSR_STR("context without reserve"));
    struct number *more = map_get(&theory->numbers, VSR_STR("context"));
    if (less && more)
        number_order(less, more);
}
