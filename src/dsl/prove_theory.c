#include "dsl/prove_theory.h"

#include <math.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "core/buf.h"

enum { LEAF_TEXT_MAX = 1024 };

/* ---- decoded rules */

const void *rule_at(const struct config_list *rules, const struct schema *schema, size_t index) {
    return (const char *)rules->items + index * schema->size;
}

const void *rule_field(const struct schema *schema, const void *rule, const char *name, enum field_kind kind) {
    const struct field *field = schema_field(schema, str_from_c(name));
    return field && field->kind == kind ? (const char *)rule + field->offset : NULL;
}

vsr_str rule_text(const struct schema *schema, const void *rule, const char *name) {
    const vsr_str *text = rule_field(schema, rule, name, FIELD_STRING);
    return text ? *text : (vsr_str){ 0 };
}

vsr_str rule_meaning(struct arena *arena, const struct schema *schema, const void *rule) {
    struct buf out;
    vsr_str text;
    buf_init(&out, THEORY_MEANING_LEN_MAX);
    schema_print_flow(schema, rule, SCHEMA_MEANING, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* ---- rails */

struct rail rail_not(struct rail rail) {
    return (struct rail){ rail.not, rail.is };
}

struct rail rail_and(struct solver *solver, const struct rail *rails, size_t n) {
    int *literals = ARENA_ARRAY(solver->arena, int, n);
    struct rail rail;
    bool two_valued = true;
    for (size_t i = 0; i < n; i++) {
        literals[i] = rails[i].is;
        two_valued &= rails[i].not == -rails[i].is;
    }
    rail.is = solver_and(solver, literals, n);
    for (size_t i = 0; i < n; i++)
        literals[i] = rails[i].not ;
    rail.not = two_valued ? -rail.is : solver_or(solver, literals, n);
    return rail;
}

struct rail rail_or(struct solver *solver, const struct rail *rails, size_t n) {
    struct rail *negated = ARENA_ARRAY(solver->arena, struct rail, n);
    for (size_t i = 0; i < n; i++)
        negated[i] = rail_not(rails[i]);
    return rail_not(rail_and(solver, negated, n));
}

/* ---- theory */

void theory_init(struct theory *theory, struct arena *arena, struct solver *solver,
                 const struct config_families *families) {
    *theory = (struct theory){ .arena = arena, .solver = solver, .families = families };
    map_init(&theory->shared, arena);
    map_init(&theory->meanings, arena);
    map_init(&theory->numbers, arena);
    map_init(&theory->score_ids, arena);
    map_init(&theory->metadata, arena);
    map_init(&theory->leaf_index, arena);
    theory->text = solver_var(solver);
    theory->ordinary = solver_var(solver);
    SOLVER_CLAUSE(solver, -theory->ordinary, theory->text);
}

struct number *theory_number(struct theory *theory, vsr_str key, bool whole, double least, double greatest) {
    struct number *number = map_get(&theory->numbers, key);
    if (number)
        return number;
    number = ARENA_NEW(theory->arena, struct number);
    number_init(number, theory->solver, whole, least, greatest);
    map_put(&theory->numbers, arena_str(theory->arena, key), number);
    return number;
}

struct number *theory_own_number(struct theory *theory, double least, double greatest) {
    struct number *number = ARENA_NEW(theory->arena, struct number);
    number_init(number, theory->solver, false, least, greatest);
    return number;
}

void theory_order(struct theory *theory, struct number *less, struct number *more) {
    theory->orders =
        arena_grow(theory->arena, theory->orders, sizeof(*theory->orders), theory->n_orders, &theory->orders_cap);
    theory->orders[theory->n_orders++] = (struct theory_order){ less, more };
}

void theory_close(struct theory *theory) {
    for (size_t i = 0; i < theory->n_orders; i++)
        number_order(theory->orders[i].less, theory->orders[i].more);
    for (size_t i = 0; i < theory->n_scores; i++)
        sum_close(theory, theory->scores[i]);
}

/* ---- slots */

static struct theory_slot *slot_new(struct theory *theory, vsr_str type) {
    struct theory_slot *slot = ARENA_NEW(theory->arena, struct theory_slot);
    slot->id = theory->n_slots++;
    slot->match = solver_var(theory->solver);
    slot->never_fails = theory_family_never_fails(type);
    return slot;
}

/* "type:name", to be given back by rewinding. */
static vsr_str key_of(const struct theory_scope *scope, int family, vsr_str name) {
    return arena_printf(scope->theory->arena, "%.*s:%.*s", VSR_FMT(theory_type_of(scope, family)), VSR_FMT(name));
}

const void *theory_rule(struct theory_scope *scope, int family, vsr_str name) {
    struct arena_mark mark = arena_mark(scope->theory->arena);
    const void *rule = map_get(&scope->rules, key_of(scope, family, name));
    arena_rewind(scope->theory->arena, mark);
    return rule;
}

static void index_rules(struct theory_scope *scope) {
    const struct config_families *families = scope->theory->families;
    for (size_t i = 0; i < families->n && i < CONFIG_FAMILIES_MAX; i++) {
        const struct config_list *rules = &scope->routing->signals.rules[i];
        const struct schema *schema = families->items[i].schema;
        for (size_t k = 0; k < rules->n; k++) {
            const void *rule = rule_at(rules, schema, k);
            map_put(&scope->rules, key_of(scope, (int)i, rule_text(schema, rule, "name")), (void *)rule);
        }
    }
    CONFIG_EACH(struct config_score, score, &scope->routing->projections.scores)
    map_put(&scope->score_configs, score->name, score);
    CONFIG_EACH(struct config_mapping, mapping, &scope->routing->projections.mappings)
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs)
    map_put(&scope->mappings, output->name, mapping);
}

/* That the first document has no such slot. */
static bool is_later(const struct theory_scope *scope, int family, vsr_str name, vsr_str key, vsr_str meaning) {
    struct theory_scope *first = scope->theory->first;
    return scope != first && !(meaning.len && str_eq(theory_slot_meaning(first, family, name, key), meaning));
}

struct theory_slot *theory_slot(struct theory_scope *scope, int family, vsr_str name) {
    struct theory *theory = scope->theory;
    struct arena_mark mark = arena_mark(theory->arena);
    vsr_str key = key_of(scope, family, name), meaning = { 0 };
    struct theory_slot *slot = map_get(&scope->slots, key);
    if (slot) {
        arena_rewind(theory->arena, mark);
        return slot;
    }
    if (scope->sharing) {
        meaning = theory_slot_meaning(scope, family, name, key);
        slot = meaning.len ? map_get(&theory->shared, meaning) : NULL;
    }
    if (!slot) {
        slot = slot_new(theory, theory_type_of(scope, family));
        slot->later = is_later(scope, family, name, key, meaning);
    }
    map_put(&scope->slots, key, slot);
    if (meaning.len)
        map_put(&theory->shared, meaning, slot);
    return slot;
}

int theory_failed(struct theory *theory, struct theory_slot *slot) {
    if (slot->never_fails)
        return -theory->solver->yes;
    if (!slot->failed) {
        slot->failed = solver_var(theory->solver);
        SOLVER_CLAUSE(theory->solver, -theory->ordinary, -slot->failed);
    }
    return slot->failed;
}

void theory_measure(struct theory_slot *slot, struct number *number, int there) {
    slot->number = number;
    slot->there = there;
}

/* ---- leaves */

/* Names of rules whose match also makes a leaf of that name match: what a domain lists. */
static const struct config_strings *also_named(struct theory_scope *scope, int family, vsr_str name) {
    const void *rule = str_eq_c(theory_type_of(scope, family), "domain") ? theory_rule(scope, family, name) : NULL;
    if (!rule)
        return NULL;
    return rule_field(scope->theory->families->items[family].schema, rule, "mmlu_categories", FIELD_STRINGS);
}

/* That the rule matches, or one of its other names, and that one of them could not be evaluated. */
struct reading {
    int match, failed;
};

static int match_of(const struct theory_slot *slot, bool before) {
    return before && slot->before ? slot->before : slot->match;
}

/* The slot of the rule, and those of its other names; at most `also->n + 1`. */
static size_t named_slots(struct theory_scope *scope, const struct config_rule *rule, const struct config_strings *also,
                          struct theory_slot **ret_slots) {
    size_t n_also = also ? also->n : 0, n = 0;
    ret_slots[n++] = theory_slot(scope, rule->family, rule->name);
    for (size_t i = 0; i < n_also; i++)
        if (!str_eq(also->items[i], rule->name) && theory_rule(scope, rule->family, also->items[i]))
            ret_slots[n++] = theory_slot(scope, rule->family, also->items[i]);
    return n;
}

static struct reading read_slot(struct theory_scope *scope, const struct config_rule *rule, bool before,
                                bool needs_failed) {
    struct theory *theory = scope->theory;
    const struct config_strings *also = also_named(scope, rule->family, rule->name);
    size_t n_most = (also ? also->n : 0) + 1, n;
    struct theory_slot **slots = ARENA_ARRAY(theory->arena, struct theory_slot *, n_most);
    int *matches = ARENA_ARRAY(theory->arena, int, n_most), *failures = ARENA_ARRAY(theory->arena, int, n_most);
    n = named_slots(scope, rule, also, slots);
    for (size_t i = 0; i < n; i++) {
        matches[i] = match_of(slots[i], before);
        failures[i] = needs_failed ? theory_failed(theory, slots[i]) : -theory->solver->yes;
    }
    return (struct reading){ solver_or(theory->solver, matches, n), solver_or(theory->solver, failures, n) };
}

static vsr_str label_name(const struct theory *theory, const struct config_rule *rule) {
    return arena_printf(theory->arena, "%.*s:%.*s", VSR_FMT(rule->name), VSR_FMT(rule->label));
}

const struct theory_slot *const *theory_leaf_slots(struct theory_scope *scope, const struct config_rule *rule,
                                                   size_t *ret_n) {
    struct theory *theory = scope->theory;
    const struct config_strings *also = also_named(scope, rule->family, rule->name);
    struct theory_slot **slots = ARENA_ARRAY(theory->arena, struct theory_slot *, (also ? also->n : 0) + 2);
    *ret_n = named_slots(scope, rule, also, slots);
    if (rule->label.len)
        slots[(*ret_n)++] = theory_slot(scope, rule->family, label_name(theory, rule));
    return (const struct theory_slot *const *)slots;
}

static enum config_on_unknown settle(const struct theory_scope *scope, const struct config_rule *rule,
                                     enum config_on_unknown decision) {
    if (theory_family_never_fails(theory_type_of(scope, rule->family)))
        return ON_UNKNOWN_NO_MATCH;
    if (rule->on_error != 0)
        return rule->on_error == 1 ? ON_UNKNOWN_MATCH : ON_UNKNOWN_NO_MATCH;
    if (rule->on_unknown != ON_UNKNOWN_UNSET)
        return (enum config_on_unknown)rule->on_unknown;
    return decision != ON_UNKNOWN_UNSET ? decision : theory_family_unknown(theory_type_of(scope, rule->family));
}

/* `holds` is what is TRUE by itself; what `failed` says is settled. */
static struct rail settled(struct solver *solver, int holds, int failed, enum config_on_unknown on_unknown) {
    struct rail rail = { holds, -holds };
    if (on_unknown == ON_UNKNOWN_MATCH) {
        rail.is = solver_or2(solver, holds, failed);
        rail.not = -rail.is;
    } else if (on_unknown == ON_UNKNOWN_UNKNOWN) {
        rail.not = solver_and2(solver, -holds, -failed);
    }
    return rail;
}

static struct rail predicate_rail(struct theory_scope *scope, const struct config_rule *rule, bool before,
                                  enum config_on_unknown on_unknown) {
    struct theory *theory = scope->theory;
    struct bounds bounds = bounds_of_predicate(rule->predicate);
    bool needs_failed = on_unknown != ON_UNKNOWN_NO_MATCH;
    struct reading reading = read_slot(scope, rule, before, needs_failed);
    vsr_str name = rule->name;
    struct theory_slot *slot;
    int holds, missing;
    if (rule->label.len)
        name = label_name(theory, rule);
    slot = theory_slot(scope, rule->family, name);
    if (!slot->number)
        theory_measure(slot, theory_own_number(theory, -INFINITY, INFINITY), solver_var(theory->solver));
    holds = number_within(slot->number, slot->there, &bounds);
    missing = solver_and2(theory->solver, -slot->there, reading.failed);
    return settled(theory->solver, holds, missing, on_unknown);
}

static struct rail leaf_rail(struct theory_scope *scope, const struct config_rule *rule, bool before,
                             enum config_on_unknown on_unknown) {
    struct theory *theory = scope->theory;
    bool by_label =
        rule->family >= 0 && (size_t)rule->family < theory->families->n && theory->families->items[rule->family].labels;
    struct reading reading;
    if (by_label && (!rule->label.len || !rule->predicate))
        return (struct rail){ -theory->solver->yes, theory->solver->yes };
    if (rule->predicate)
        return predicate_rail(scope, rule, before, on_unknown);
    reading = read_slot(scope, rule, before, on_unknown != ON_UNKNOWN_NO_MATCH);
    return settled(theory->solver, reading.match, reading.failed, on_unknown); /* a match before the error stays */
}

void theory_write_bounds(const struct config_predicate *predicate, struct buf *out) {
    const struct {
        unsigned flag;
        const char *sign;
        double value;
    } parts[] = { { BOUND_GT, ">", predicate->gt },
                  { BOUND_GTE, ">=", predicate->gte },
                  { BOUND_LT, "<", predicate->lt },
                  { BOUND_LTE, "<=", predicate->lte } };
    for (size_t i = 0; i < VSR_COUNT(parts); i++)
        if (predicate->bounds & parts[i].flag)
            buf_printf(out, " %s %g", parts[i].sign, parts[i].value);
}

static vsr_str leaf_text(struct theory_scope *scope, const struct config_rule *rule, bool before) {
    struct buf out;
    vsr_str text;
    buf_init(&out, LEAF_TEXT_MAX);
    buf_printf(&out, "%.*s(%.*s", VSR_FMT(theory_type_of(scope, rule->family)), VSR_FMT(rule->name));
    if (rule->label.len)
        buf_printf(&out, ":%.*s", VSR_FMT(rule->label));
    if (rule->predicate)
        theory_write_bounds(rule->predicate, &out);
    buf_append_c(&out, before ? ") before ranking" : ")");
    if (theory_slot(scope, rule->family, rule->name)->later)
        buf_append_c(&out, " after the change");
    text = arena_str(scope->theory->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static vsr_str leaf_key(struct theory_scope *scope, const struct config_rule *rule, bool before,
                        enum config_on_unknown on_unknown) {
    struct theory *theory = scope->theory;
    struct theory_slot *slot = theory_slot(scope, rule->family, rule->name);
    struct bounds b = { 0 };
    uint32_t id = slot->id;
    if (rule->predicate)
        b = bounds_of_predicate(rule->predicate);
    return arena_printf(theory->arena, "%u %d %d %d %u %a %a %a %a %.*s", (unsigned)id, before, (int)on_unknown,
                        rule->predicate != NULL, b.set, b.gt, b.gte, b.lt, b.lte, VSR_FMT(rule->label));
}

uint32_t theory_leaf(struct theory_scope *scope, const struct config_rule *rule, enum config_on_unknown on_unknown,
                     bool before) {
    struct theory *theory = scope->theory;
    enum config_on_unknown settling = settle(scope, rule, on_unknown);
    uintptr_t found; /* index + 1 */
    vsr_str key;
    before = before && theory_slot(scope, rule->family, rule->name)->before;
    key = leaf_key(scope, rule, before, settling);
    found = (uintptr_t)map_get(&theory->leaf_index, key);
    if (found)
        return (uint32_t)(found - 1);
    theory->leaves =
        arena_grow(theory->arena, theory->leaves, sizeof(*theory->leaves), theory->n_leaves, &theory->leaves_cap);
    theory->leaves[theory->n_leaves] =
        (struct theory_leaf){ leaf_text(scope, rule, before), leaf_rail(scope, rule, before, settling) };
    map_put(&theory->leaf_index, key, (void *)((uintptr_t)theory->n_leaves + 1));
    return (uint32_t)theory->n_leaves++;
}

/* ---- scopes */

static void count_members(struct theory_scope *scope) {
    CONFIG_EACH(const struct config_partition, partition, &scope->routing->projections.partitions)
    for (size_t i = 0; i < partition->members.n; i++) {
        vsr_str key = arena_printf(scope->theory->arena, "%.*s:%.*s", VSR_FMT(theory_type_of(scope, partition->family)),
                                   VSR_FMT(partition->members.items[i]));
        uintptr_t n = (uintptr_t)map_get(&scope->members, key);
        map_put(&scope->members, key, (void *)(n + 1));
    }
}

void theory_scope_init(struct theory_scope *scope, struct theory *theory, const struct config_document *doc,
                       const struct config_routing *routing, bool sharing) {
    *scope = (struct theory_scope){ .theory = theory, .doc = doc, .routing = routing, .sharing = sharing };
    if (!theory->first)
        theory->first = scope;
    map_init(&scope->slots, theory->arena);
    map_init(&scope->rules, theory->arena);
    map_init(&scope->score_configs, theory->arena);
    map_init(&scope->mappings, theory->arena);
    map_init(&scope->scores, theory->arena);
    map_init(&scope->members, theory->arena);
    map_init(&scope->inherited, theory->arena);
    index_rules(scope);
    count_members(scope);
    theory_say_projections(scope);
    theory_say_families(scope);
}
