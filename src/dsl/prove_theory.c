#include "dsl/prove_theory.h"

#include <math.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "core/buf.h"

enum { MEANING_LEN_MAX = 64 << 20, LEAF_TEXT_MAX = 1024 };

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
    buf_init(&out, MEANING_LEN_MAX);
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

/* ---- slots */

static vsr_str type_of(const struct theory_scope *scope, int family) {
    if (family == CONFIG_PROJECTION)
        return VSR_STR("projection");
    if (family == CONFIG_KB_METRIC)
        return VSR_STR("kb_metric");
    if (family < 0 || (size_t)family >= scope->theory->families->n)
        return VSR_STR("unknown");
    return str_from_c(scope->theory->families->items[family].type);
}

static struct theory_slot *slot_new(struct theory *theory, vsr_str type) {
    struct theory_slot *slot = ARENA_NEW(theory->arena, struct theory_slot);
    slot->id = theory->n_slots++;
    slot->later = theory->n_scopes > 1;
    slot->match = solver_var(theory->solver);
    slot->never_fails = theory_family_never_fails(type);
    return slot;
}

/* Which slots a rule tree reads: two trees that read the same, and are written alike, hold alike. */
static void add_tree_meaning(struct theory_scope *scope, const struct config_rule *rule, struct buf *out) {
    if (rule->type.len)
        buf_printf(out, " %u", (unsigned)theory_slot(scope, rule->family, rule->name)->id);
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    add_tree_meaning(scope, child, out);
}

/* What the rules of a family mean together, for families whose rules depend on each other. */
static void add_family_meaning(struct theory_scope *scope, int family, struct buf *out) {
    const struct config_family *f = &scope->theory->families->items[family];
    const struct config_list *rules = &scope->routing->signals.rules[family];
    buf_printf(out, "%s %lld\n", f->type,
               (long long)scope->doc->global.model_catalog.embeddings.semantic.embedding_config.top_k);
    for (size_t i = 0; i < rules->n; i++) {
        const void *rule = rule_at(rules, f->schema, i);
        struct config_rule *tree = f->tree ? f->tree(rule) : NULL;
        schema_print_flow(f->schema, rule, SCHEMA_MEANING, out);
        if (tree)
            add_tree_meaning(scope, tree, out);
    }
    CONFIG_EACH(const struct config_partition, partition, &scope->routing->projections.partitions)
    for (size_t i = 0; i < partition->members.n && partition->family == family; i++)
        buf_printf(out, "\n%d %a %.*s %.*s %.*s", partition->semantics, partition->temperature,
                   VSR_FMT(partition->name), VSR_FMT(partition->members.items[i]), VSR_FMT(partition->fallback));
}

static uintptr_t family_meaning(struct theory_scope *scope, int family) {
    struct theory *theory = scope->theory;
    uintptr_t *meaning = &scope->family_meanings[family];
    struct buf out;
    if (*meaning)
        return *meaning;
    buf_init(&out, MEANING_LEN_MAX);
    add_family_meaning(scope, family, &out);
    *meaning = buf_failed(&out) ? 0 : (uintptr_t)map_get(&theory->meanings, buf_str(&out));
    if (!*meaning) {
        *meaning = theory->meanings.n + 1;
        map_put(&theory->meanings, arena_str(theory->arena, buf_str(&out)), (void *)*meaning);
    }
    buf_done(&out);
    return *meaning;
}

/* Where a rule stands alone: two that are written alike report alike. */
static bool stands_alone(vsr_str type) {
    static const char *const alone[] = { "keyword",    "fact_check", "user_feedback", "context",
                                         "structure",  "pii",        "jailbreak",     "kb",
                                         "modality",   "event",      "conversation",  "metadata",
                                         "classifier", NULL };
    for (size_t i = 0; alone[i]; i++)
        if (str_eq_c(type, alone[i]))
            return true;
    return false;
}

/* "type:name", to be given back by rewinding. */
static vsr_str key_of(const struct theory_scope *scope, int family, vsr_str name) {
    return arena_printf(scope->theory->arena, "%.*s:%.*s", VSR_FMT(type_of(scope, family)), VSR_FMT(name));
}

const void *theory_rule(struct theory_scope *scope, int family, vsr_str name) {
    struct arena_mark mark = arena_mark(scope->theory->arena);
    const void *rule = map_get(&scope->rules, key_of(scope, family, name));
    arena_rewind(scope->theory->arena, mark);
    return rule;
}

/* The rule that a slot of that name belongs to; NULL: none is declared. */
static const void *rule_of_slot(struct theory_scope *scope, int family, vsr_str name) {
    const struct config_family *f = &scope->theory->families->items[family];
    ptrdiff_t colon = f->levels || f->labels ? str_find_last_char(name, ':') : -1;
    const void *rule = theory_rule(scope, family, name);
    return rule || colon < 0 ? rule : theory_rule(scope, family, str_sub(name, 0, (size_t)colon));
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

/* What a slot stands for, to find it in another document. Empty: it is this scope's alone. */
static vsr_str meaning_of(struct theory_scope *scope, int family, vsr_str name, vsr_str key) {
    struct theory *theory = scope->theory;
    const void *rule;
    if (family == CONFIG_KB_METRIC)
        return key;
    if (family == CONFIG_PROJECTION)
        return theory_output_meaning(scope, name);
    if (family < 0 || (size_t)family >= theory->families->n)
        return (vsr_str){ 0 };
    if (!stands_alone(type_of(scope, family)))
        return arena_printf(theory->arena, "%.*s #%zu", VSR_FMT(key), (size_t)family_meaning(scope, family));
    rule = rule_of_slot(scope, family, name);
    if (!rule)
        return (vsr_str){ 0 };
    return arena_printf(theory->arena, "%.*s\n%.*s", VSR_FMT(key),
                        VSR_FMT(rule_meaning(theory->arena, theory->families->items[family].schema, rule)));
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
        meaning = meaning_of(scope, family, name, key);
        slot = meaning.len ? map_get(&theory->shared, meaning) : NULL;
    }
    if (!slot)
        slot = slot_new(theory, type_of(scope, family));
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
    const void *rule = str_eq_c(type_of(scope, family), "domain") ? theory_rule(scope, family, name) : NULL;
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

static struct reading read_slot(struct theory_scope *scope, const struct config_rule *rule, bool before,
                                bool needs_failed) {
    struct theory *theory = scope->theory;
    const struct config_strings *also = also_named(scope, rule->family, rule->name);
    struct theory_slot *own = theory_slot(scope, rule->family, rule->name);
    size_t n_also = also ? also->n : 0, n = 0;
    int *matches = ARENA_ARRAY(theory->arena, int, n_also + 1);
    int *failures = ARENA_ARRAY(theory->arena, int, n_also + 1);
    for (size_t i = 0; i <= n_also; i++) {
        struct theory_slot *slot = own;
        if (i < n_also && (str_eq(also->items[i], rule->name) || !theory_rule(scope, rule->family, also->items[i])))
            continue;
        if (i < n_also)
            slot = theory_slot(scope, rule->family, also->items[i]);
        matches[n] = match_of(slot, before);
        failures[n++] = needs_failed ? theory_failed(theory, slot) : -theory->solver->yes;
    }
    return (struct reading){ solver_or(theory->solver, matches, n), solver_or(theory->solver, failures, n) };
}

static enum config_on_unknown settle(const struct theory_scope *scope, const struct config_rule *rule,
                                     enum config_on_unknown decision) {
    if (theory_family_never_fails(type_of(scope, rule->family)))
        return ON_UNKNOWN_NO_MATCH;
    if (rule->on_error != 0)
        return rule->on_error == 1 ? ON_UNKNOWN_MATCH : ON_UNKNOWN_NO_MATCH;
    if (rule->on_unknown != ON_UNKNOWN_UNSET)
        return (enum config_on_unknown)rule->on_unknown;
    return decision != ON_UNKNOWN_UNSET ? decision : theory_family_unknown(type_of(scope, rule->family));
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
        name = arena_printf(theory->arena, "%.*s:%.*s", VSR_FMT(rule->name), VSR_FMT(rule->label));
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

static void write_bounds(struct buf *out, const struct config_predicate *predicate) {
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
    buf_printf(&out, "%.*s(%.*s", VSR_FMT(type_of(scope, rule->family)), VSR_FMT(rule->name));
    if (rule->label.len)
        buf_printf(&out, ":%.*s", VSR_FMT(rule->label));
    if (rule->predicate)
        write_bounds(&out, rule->predicate);
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
        vsr_str key = arena_printf(scope->theory->arena, "%.*s:%.*s", VSR_FMT(type_of(scope, partition->family)),
                                   VSR_FMT(partition->members.items[i]));
        uintptr_t n = (uintptr_t)map_get(&scope->members, key);
        map_put(&scope->members, key, (void *)(n + 1));
    }
}

void theory_scope_init(struct theory_scope *scope, struct theory *theory, const struct config_document *doc,
                       const struct config_routing *routing, bool sharing) {
    *scope = (struct theory_scope){ .theory = theory, .doc = doc, .routing = routing, .sharing = sharing };
    theory->n_scopes++;
    map_init(&scope->slots, theory->arena);
    map_init(&scope->rules, theory->arena);
    map_init(&scope->score_configs, theory->arena);
    map_init(&scope->mappings, theory->arena);
    map_init(&scope->scores, theory->arena);
    map_init(&scope->members, theory->arena);
    index_rules(scope);
    count_members(scope);
    theory_say_projections(scope);
    theory_say_families(scope);
}
