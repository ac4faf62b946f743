/* What kinds of signals measure or read: context, structure, conversation, metadata, classifiers. */
#include <math.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "dsl/prove_families.h"

/* Both hold, or neither. */
static void say_same(struct solver *solver, int a, int b) {
    SOLVER_CLAUSE(solver, -a, b);
    SOLVER_CLAUSE(solver, a, -b);
}

/* What is measured under that name, of the text as `global` has signals of this kind see it. */
static vsr_str inherited_key(const struct prove_family *family, vsr_str name) {
    return arena_printf(family->theory->arena, "%.*s @%u", VSR_FMT(name),
                        theory_inherited(family->scope, str_from_c(family->config->type)));
}

/* ---- context */

/* Tokens of the request, with what is reserved for the answer or without, which are never more. */
static struct number *context_number(const struct prove_family *family, bool reserve) {
    struct theory *theory = family->theory;
    struct number *more = theory_number(theory, inherited_key(family, VSR_STR("context")), true, 0, INFINITY), *less;
    size_t n_numbers = theory->numbers.n;
    if (reserve)
        return more;
    less = theory_number(theory, inherited_key(family, VSR_STR("context without reserve")), true, 0, INFINITY);
    if (theory->numbers.n > n_numbers)
        theory_order(theory, less, more);
    return less;
}

static void measure_context(const struct prove_family *family, size_t i) {
    struct bounds bounds = { .set = BOUND_GTE };
    const bool *reserve =
        rule_field(family->config->schema, prove_rule(family, i), "include_output_reserve", FIELD_BOOL);
    struct number *number = context_number(family, !reserve || *reserve);
    struct theory_slot *slot = prove_slot(family, i);
    bounds.gte = (double)prove_rule_int(family, i, "min_tokens", FIELD_TOKENS);
    bounds.lte = (double)prove_rule_int(family, i, "max_tokens", FIELD_TOKENS);
    if (bounds.lte > 0)
        bounds.set |= BOUND_LTE;
    theory_measure(slot, number, family->solver->yes);
    say_same(family->solver, slot->match, number_within(number, family->solver->yes, &bounds));
}

void prove_say_context(const struct prove_family *family) {
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

static struct feature feature_of(const struct prove_family *family, size_t i) {
    const struct field *field = schema_field(family->config->schema, VSR_STR("feature"));
    const void *feature = rule_field(family->config->schema, prove_rule(family, i), "feature", FIELD_OBJECT);
    const struct field *source_field = feature ? schema_field(field->object, VSR_STR("source")) : NULL;
    const void *source = feature ? rule_field(field->object, feature, "source", FIELD_OBJECT) : NULL;
    if (!source)
        return (struct feature){ 0 };
    return (struct feature){ choice_of(field->object, feature, "type"),
                             rule_meaning(family->theory->arena, source_field->object, source) };
}

static vsr_str feature_key(const struct prove_family *family, const char *type, vsr_str source) {
    vsr_str name = arena_printf(family->theory->arena, "%s %s %.*s", family->config->type, type, VSR_FMT(source));
    return inherited_key(family, name);
}

/*
 * A density is the count by the number of words, and zero without any, however much was counted: `???` has three marks
 * and no word.
 */
static void say_density(const struct prove_family *family, int above_zero, int counted) {
    struct solver *solver = family->solver;
    struct number *words = theory_number(family->theory, inherited_key(family, VSR_STR("words")), true, 0, INFINITY);
    int any = number_above(words, 0, true);
    SOLVER_CLAUSE(solver, -above_zero, counted);
    SOLVER_CLAUSE(solver, -above_zero, any);
    SOLVER_CLAUSE(solver, above_zero, -counted, -any);
}

/* What is measured; of one source, `exists` and `count` are above zero together, and so is `density` where there are
 * words. */
static struct number *feature_number(const struct prove_family *family, const struct feature *feature) {
    struct theory *theory = family->theory;
    struct number *count = theory_number(theory, feature_key(family, "count", feature->source), true, 0, INFINITY);
    bool density = str_eq_c(feature->type, "density"), exists = str_eq_c(feature->type, "exists"), known;
    struct number *number;
    int above_zero, counted;
    vsr_str key;
    if (str_eq_c(feature->type, "sequence")) /* occurs or not */
        return theory_number(theory, feature_key(family, "sequence", feature->source), true, 0, 1);
    if (!density && !exists)
        return count;
    key = feature_key(family, density ? "density" : "exists", feature->source);
    known = map_get(&theory->numbers, key) != NULL;
    number = theory_number(theory, key, exists, 0, exists ? 1 : INFINITY);
    if (known)
        return number;
    above_zero = number_above(number, 0, true);
    counted = number_above(count, 0, true);
    if (density)
        say_density(family, above_zero, counted);
    else
        say_same(family->solver, above_zero, counted);
    return number;
}

/* Without a predicate, a structure matches above zero, and a conversation when it is counted at all. */
static int feature_holds(const struct prove_family *family, size_t i, const struct feature *feature,
                         struct number *number, int there) {
    const struct config_predicate *const *predicate =
        rule_field(family->config->schema, prove_rule(family, i), "predicate", FIELD_OPTIONAL);
    bool counted = str_eq_c(str_from_c(family->config->type), "conversation") && str_eq_c(feature->type, "count");
    struct bounds bounds = { .set = counted ? 0 : BOUND_GT };
    if (predicate && *predicate && !str_eq_c(feature->type, "exists"))
        bounds = bounds_of_predicate(*predicate);
    return number_within(number, there, &bounds);
}

void prove_say_features(const struct prove_family *family) {
    for (size_t i = 0; i < family->rules->n; i++) {
        struct feature feature = feature_of(family, i);
        struct theory_slot *slot = prove_slot(family, i);
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

static struct metadata_key *metadata_key(const struct prove_family *family, vsr_str key) {
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
static int metadata_value(const struct prove_family *family, struct metadata_key *key, vsr_str value) {
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

static int metadata_holds(const struct prove_family *family, const struct schema *schema, const void *predicate,
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

void prove_say_metadata(const struct prove_family *family) {
    const struct field *field = schema_field(family->config->schema, VSR_STR("predicate"));
    for (size_t i = 0; i < family->rules->n; i++) {
        const void *predicate = rule_field(family->config->schema, prove_rule(family, i), "predicate", FIELD_OBJECT);
        vsr_str key = rule_text(family->config->schema, prove_rule(family, i), "key");
        if (predicate && key.len)
            say_same(family->solver, prove_slot(family, i)->match,
                     metadata_holds(family, field->object, predicate, metadata_key(family, key)));
    }
}

/* ---- classifier */

void prove_say_classifier(const struct prove_family *family) {
    for (size_t i = 0; i < family->rules->n; i++) {
        const struct config_strings *labels =
            rule_field(family->config->schema, prove_rule(family, i), "labels", FIELD_STRINGS);
        for (size_t k = 0; labels && k < labels->n; k++) {
            vsr_str name = arena_printf(family->theory->arena, "%.*s:%.*s", VSR_FMT(prove_rule_name(family, i)),
                                        VSR_FMT(labels->items[k]));
            struct theory_slot *slot = theory_slot(family->scope, family->index, name);
            if (!slot->number)
                theory_measure(slot, theory_own_number(family->theory, 0, 1), solver_var(family->solver));
        }
    }
}
