#include "cli/dsl_facts.h"

#include "config/schema_value.h"
#include "config/yaml_tree.h"
#include "core/arena.h"
#include "dsl/findings.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

/* ---- names, as policy asks for them while it is built */

static void build_types(struct facts *facts) {
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    facts->types = ARENA_ARRAY(facts->arena, struct policy_type, n + 2);
    for (size_t i = 0; i < n; i++)
        facts->types[i] = (struct policy_type){ .name = str_from_c(families[i]->config.type),
                                                .on_unknown = families[i]->on_unknown,
                                                .never_unknown = families[i]->never_unknown,
                                                .by_label = families[i]->config.labels };
    facts->types[n] =
        (struct policy_type){ .name = VSR_STR("projection"), .on_unknown = ON_UNKNOWN_NO_MATCH, .never_unknown = true };
    facts->types[n + 1] = (struct policy_type){ .name = VSR_STR("kb_metric"), .on_unknown = ON_UNKNOWN_NO_MATCH };
}

static const struct policy_type *find_type(void *data, vsr_str type, int family) {
    const struct facts *facts = data;
    size_t n;
    (void)signal_families(&n);
    (void)type; /* config has looked it up in the same list */
    if (family == CONFIG_PROJECTION)
        return &facts->types[n];
    if (family == CONFIG_KB_METRIC)
        return &facts->types[n + 1];
    return family >= 0 && (size_t)family < n ? &facts->types[family] : NULL;
}

static vsr_str key_of(const struct facts *facts, vsr_str type, vsr_str name) {
    return arena_printf(facts->arena, "%.*s:%.*s", VSR_FMT(type), VSR_FMT(name));
}

static uint32_t slot_of(const struct facts *facts, vsr_str key) {
    uintptr_t found = (uintptr_t)map_get(&facts->slots, key);
    return found ? (uint32_t)(found - 1) : POLICY_SLOT_NONE;
}

/* Every name that policy reads, and every one that is declared, has a slot. */
static uint32_t add_slot(struct facts *facts, vsr_str type, vsr_str name) {
    vsr_str key = key_of(facts, type, name);
    uint32_t slot = slot_of(facts, key);
    if (slot != POLICY_SLOT_NONE)
        return slot;
    facts->names = arena_grow(facts->arena, facts->names, sizeof(vsr_str), facts->n_slots, &facts->names_cap);
    facts->names[facts->n_slots] = key;
    map_put(&facts->slots, key, (void *)((uintptr_t)facts->n_slots + 1));
    return (uint32_t)facts->n_slots++;
}

static uint32_t find_slot(void *data, const struct policy_type *type, vsr_str name) {
    return add_slot(data, type->name, name);
}

static size_t find_alternates(void *data, const struct policy_type *type, vsr_str name, const uint32_t **ret_slots) {
    struct facts *facts = data;
    size_t n_families, n, index = (size_t)(type - facts->types);
    const struct signal_family *const *families = signal_families(&n_families);
    const struct config_list *rules;
    uint32_t *slots;
    if (index >= n_families || !families[index]->alternates)
        return 0;
    rules = &facts->scope->routing->signals.rules[index];
    slots = ARENA_ARRAY(facts->arena, uint32_t, rules->n);
    n = families[index]->alternates(rules, name, slots);
    for (size_t i = 0; i < n; i++)
        slots[i] = add_slot(facts, type->name, rule_name(rules, families[index]->config.schema, slots[i]));
    *ret_slots = slots;
    return n;
}

static void declare(struct facts *facts) {
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    for (size_t i = 0; i < n; i++) {
        const struct config_list *rules = &facts->scope->routing->signals.rules[i];
        for (size_t k = 0; k < rules->n && !families[i]->config.levels; k++)
            (void)add_slot(facts, facts->types[i].name, rule_name(rules, families[i]->config.schema, k));
        for (size_t k = 0; k < rules->n && families[i]->config.levels; k++)
            for (const char *const *level = families[i]->config.levels; *level; level++)
                (void)add_slot(facts, facts->types[i].name,
                               arena_printf(facts->arena, "%.*s:%s",
                                            VSR_FMT(rule_name(rules, families[i]->config.schema, k)), *level));
    }
    CONFIG_EACH(const struct config_mapping, mapping, &facts->scope->routing->projections.mappings)
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs)
    (void)add_slot(facts, facts->types[n].name, output->name);
}

/* ---- building */

static void build_view(struct facts *facts) {
    struct arena *arena = facts->arena;
    size_t n = facts->n_slots, n_words = BITS_WORDS(n);
    uint64_t *bits = ARENA_ARRAY(arena, uint64_t, 5 * n_words);
    facts->view = (struct policy_view){ .n_slots = (uint32_t)n,
                                        .evaluated = bits,
                                        .matched = bits + n_words,
                                        .unavailable = bits + 2 * n_words,
                                        .has_confidence = bits + 3 * n_words,
                                        .has_value = bits + 4 * n_words,
                                        .confidence = ARENA_ARRAY(arena, double, n),
                                        .value = ARENA_ARRAY(arena, double, n) };
    for (size_t i = 0; i < n; i++)
        bits_add(facts->view.evaluated, i);
}

int facts_build(struct arena *arena, const struct config_document *doc, const struct config_scope *scope,
                struct facts **ret_facts, struct vsr_err *err) {
    struct facts *facts = ARENA_NEW(arena, struct facts);
    const struct config_routing *routing = scope->routing;
    const struct policy_options options = { .by_confidence = routing->strategy == STRATEGY_CONFIDENCE,
                                            .untiered_first = routing->untiered_first };
    struct policy_names names = { facts, find_type, find_slot, find_alternates };
    int rc;
    *facts = (struct facts){ .arena = arena, .doc = doc, .scope = scope };
    map_init(&facts->slots, arena);
    build_types(facts);
    declare(facts);
    rc = projections_build(arena, &routing->projections, &names, &facts->projections, err);
    if (rc < 0)
        return rc;
    facts->policy = policy_build(arena, &routing->decisions, &options, &names);
    projections_close(facts->projections, arena, facts->n_slots);
    build_view(facts);
    *ret_facts = facts;
    return 0;
}

/* ---- saying */

static int unknown(const struct facts *facts, const struct fact *fact, struct vsr_err *err) {
    vsr_str key = key_of(facts, fact->type, fact->name);
    vsr_str nearest = findings_nearest(key, facts->names, facts->n_slots);
    return err_set(err, VSR_E_NOT_FOUND, "%.*s(\"%.*s\") is no signal of this profile%s%.*s%s", VSR_FMT(fact->type),
                   VSR_FMT(fact->name), nearest.len ? "; did you mean " : "", VSR_FMT(nearest), nearest.len ? "?" : "");
}

bool facts_know(const struct facts *facts, vsr_str type, vsr_str name) {
    return slot_of(facts, key_of(facts, type, name)) != POLICY_SLOT_NONE;
}

/* Metrics of knowledge bases are raw; the families say what theirs can be. */
static int check_confidence(const struct fact *fact, struct vsr_err *err) {
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    double least = 0, most = 1;
    if (!fact->has_confidence || str_eq_c(fact->type, "kb_metric"))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq_c(fact->type, families[i]->config.type))
            continue;
        least = families[i]->confidence_least;
        most = families[i]->confidence_max > 0 ? families[i]->confidence_max : 1;
    }
    if (fact->confidence >= least && fact->confidence <= most)
        return 0;
    return err_set(err, VSR_E_INVALID, "a confidence of %.*s(\"%.*s\") is from %g to %g, found %g", VSR_FMT(fact->type),
                   VSR_FMT(fact->name), least, most, fact->confidence);
}

int facts_say(struct facts *facts, const struct fact *fact, struct vsr_err *err) {
    uint32_t slot = slot_of(facts, key_of(facts, fact->type, fact->name));
    int rc;
    if (slot == POLICY_SLOT_NONE)
        return unknown(facts, fact, err);
    rc = check_confidence(fact, err);
    if (rc < 0)
        return rc;
    facts->says_projections |= str_eq_c(fact->type, "projection");
    bits_put(facts->view.matched, slot, fact->matched);
    bits_put(facts->view.has_confidence, slot, fact->has_confidence);
    bits_put(facts->view.has_value, slot, fact->has_value);
    facts->view.confidence[slot] = fact->confidence;
    facts->view.value[slot] = fact->value;
    return 0;
}

static int wrong(const struct yaml_node *node, struct vsr_err *err, const char *want) {
    int rc = err_set(err, VSR_E_INVALID, "expected %s", want);
    err_at(err, VSR_STR(""), node->line, node->col);
    return rc;
}

static bool read_number(const struct yaml_node *node, double *ret) {
    return node->kind == YAML_SCALAR && !node->quoted && value_number(node->text, ret) == VALUE_OK;
}

static bool read_truth(const struct yaml_node *node, bool *ret) {
    bool yes = node->kind == YAML_SCALAR && !node->quoted && str_eq_c(node->text, "true");
    *ret = yes;
    return yes || (node->kind == YAML_SCALAR && !node->quoted && str_eq_c(node->text, "false"));
}

/* `{matched, confidence, value}` */
static int read_details(const struct yaml_node *node, struct fact *fact, struct vsr_err *err) {
    fact->matched = true;
    for (size_t i = 0; i < node->n_items; i++) {
        vsr_str key = node->keys[i]->text;
        const struct yaml_node *value = node->items[i];
        if (str_eq_c(key, "matched") && read_truth(value, &fact->matched))
            continue;
        if (str_eq_c(key, "confidence") && read_number(value, &fact->confidence))
            fact->has_confidence = true;
        else if (str_eq_c(key, "value") && read_number(value, &fact->value))
            fact->has_value = true;
        else
            return wrong(node->keys[i], err, "matched: true or false, confidence: a number, or value: a number");
    }
    return 0;
}

static int say_one(struct facts *facts, vsr_str type, const struct yaml_node *name, const struct yaml_node *said,
                   struct vsr_err *err) {
    struct fact fact = { .type = type, .name = name->text };
    int rc = 0;
    if (name->kind != YAML_SCALAR)
        return wrong(name, err, "the name of a signal");
    if (!said) {
        fact.matched = true;
    } else if (said->kind == YAML_MAPPING) {
        rc = read_details(said, &fact, err);
    } else if (read_number(said, &fact.confidence)) {
        fact.matched = fact.has_confidence = true;
    } else if (!read_truth(said, &fact.matched)) {
        return wrong(said, err, "true, false, a confidence, or {matched, confidence, value}");
    }
    if (rc < 0)
        return rc;
    rc = facts_say(facts, &fact, err);
    if (rc < 0 && (rc == VSR_E_NOT_FOUND || !said))
        err_at(err, VSR_STR(""), name->line, name->col);
    else if (rc < 0)
        err_at(err, VSR_STR(""), said->line, said->col);
    return rc;
}

int facts_say_all(struct facts *facts, const struct yaml_node *root, struct vsr_err *err) {
    int rc = 0;
    if (root->kind != YAML_MAPPING)
        return wrong(root, err, "a mapping from types of signals to what is said of them");
    for (size_t i = 0; i < root->n_items && rc == 0; i++) {
        const struct yaml_node *said = root->items[i];
        vsr_str type = root->keys[i]->text;
        if (said->kind == YAML_SCALAR)
            rc = say_one(facts, type, said, NULL, err);
        for (size_t k = 0; k < said->n_items && rc == 0; k++)
            rc = said->kind == YAML_MAPPING ? say_one(facts, type, said->keys[k], said->items[k], err)
                                            : say_one(facts, type, said->items[k], NULL, err);
    }
    return rc;
}

/* ---- deciding */

void facts_decide(struct facts *facts) {
    struct projection_result *results =
        ARENA_ARRAY(facts->arena, struct projection_result, facts->projections->n_scores);
    if (!facts->says_projections)
        projections_run(facts->projections, &facts->view, results);
    facts->states = ARENA_ARRAY(facts->arena, uint8_t, facts->policy->rules.n_leaves);
    rule_leaf_states(&facts->policy->rules, &facts->view, facts->states);
    (void)policy_decide(facts->policy, facts->states, &facts->view, &facts->verdict, NULL); /* nothing is pending */
}

enum rule_state facts_state(const struct facts *facts, size_t index) {
    return rule_state(&facts->policy->rules, facts->policy->decisions[index].root, facts->states);
}

size_t facts_because(const struct facts *facts, const struct rule_leaf *const **ret_leaves) {
    const struct rule_set *rules = &facts->policy->rules;
    const struct rule_leaf **leaves = ARENA_ARRAY(facts->arena, const struct rule_leaf *, rules->n_leaves);
    uint32_t *found = ARENA_ARRAY(facts->arena, uint32_t, rules->n_leaves);
    size_t n = 0;
    if (facts->verdict.winner)
        n = rule_matched(rules, facts->verdict.winner->root, facts->states, &facts->view, found, rules->n_leaves);
    if (n > rules->n_leaves)
        n = rules->n_leaves; /* a leaf that stands twice counts twice */
    for (size_t i = 0; i < n; i++)
        leaves[i] = &rules->leaves[found[i]];
    *ret_leaves = leaves;
    return n;
}
