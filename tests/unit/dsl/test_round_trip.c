/*
 * What compiling and decompiling give each other (dsl.md §7.3): of a program P with C = compile(P) and
 * D = decompile(C), compile(D) is C, and D is its own canonical text; of a configuration Y, compile(decompile(Y)) means
 * the same.
 */
#include "config/diff.h"
#include "config/load.h"
#include "config/yaml_edit.h"
#include "decompiled.h"

static vsr_str compiled_text(struct compiled *c, vsr_str program, const char *name) {
    compiled_make(c, program);
    CHECK_STR(compiled_findings(c), "", name);
    return yaml_text(c->arena, c->root);
}

/* `text` is canonical: compiling loses nothing of it. */
static void check_canonical(vsr_str text, const char *name) {
    struct compiled c;
    vsr_str yaml = compiled_text(&c, text, name);
    check_same_text(decompiled(c.arena, c.root, NULL), text, name);
    check_same_text(decompiled(c.arena, yaml_parsed(c.arena, yaml), NULL), text, name);
    compiled_done(&c);
}

static void check_program(vsr_str program, const char *name) {
    struct compiled c, again;
    vsr_str yaml = compiled_text(&c, program, name), text = decompiled(c.arena, c.root, NULL);
    check_same_text(compiled_text(&again, text, name), yaml, name);
    compiled_done(&again);
    check_canonical(text, name);
    compiled_done(&c);
}

static const struct config_document *load(struct arena *arena, vsr_str text, const char *name) {
    struct config_load_options options = { .parts = *dsl_parts() };
    const struct config_document *doc = NULL;
    struct diag diag;
    int rc = config_load_text(arena, text, VSR_STR("test.yaml"), &options, &doc, &diag);
    CHECK_MSG(rc == 0, "case \"%s\": does not load: %.*s", name,
              VSR_FMT(diag.n_items ? diag.items[0].message : VSR_STR("")));
    return doc;
}

/*
 * What compiling says more than was written (dsl.md §4): cards are sorted, and models without one are given one; zeros
 * that are always written; `on_error` of an algorithm that has it in both places.
 */
static bool is_said_anyway(const struct config_change *change) {
    static const char *const zeros[] = { "0", "false", "[]", "{}", "\"\"" };
    bool cards = str_starts(change->path, VSR_STR("routing.modelCards"));
    if (cards && change->kind == CHANGE_ORDER)
        return true;
    if (cards && change->kind == CHANGE_ADDED)
        return str_find_char(change->after, ',') < 0;
    if (change->before.len == 0 && str_ends(change->path, VSR_STR(".algorithm.on_error")))
        return true;
    for (size_t i = 0; change->before.len == 0 && i < VSR_COUNT(zeros); i++)
        if (str_eq_c(change->after, zeros[i]))
            return true;
    return false;
}

/* ---- one form for what means the same: rules as compiling gives them */

static vsr_str operator_of(const struct yaml_node *rule) {
    const struct yaml_node *op = yaml_get(rule, VSR_STR("operator"));
    return op ? op->text : VSR_STR("");
}

static struct yaml_node *group_of(struct arena *arena, vsr_str op, struct yaml_node *conditions) {
    struct yaml_node *group = yaml_new(arena, YAML_MAPPING, NULL);
    yaml_append(arena, group, yaml_new_scalar(arena, VSR_STR("operator"), NULL), yaml_new_scalar(arena, op, NULL));
    if (conditions)
        yaml_append(arena, group, yaml_new_scalar(arena, VSR_STR("conditions"), NULL), conditions);
    return group;
}

/* Groups of one are what they hold, groups within a group of the same operator are part of it. */
static struct yaml_node *normal_rule(struct arena *arena, struct yaml_node *rule) {
    const struct yaml_node *conditions = yaml_get(rule, VSR_STR("conditions"));
    vsr_str op = operator_of(rule);
    bool is_not = str_eq_c(op, "NOT");
    struct yaml_node *flat = yaml_new(arena, YAML_SEQUENCE, NULL);
    if (!conditions)
        return rule;
    for (size_t i = 0; i < conditions->n_items; i++) {
        struct yaml_node *item = normal_rule(arena, conditions->items[i]);
        struct yaml_node *inner =
            is_not || !str_eq(operator_of(item), op) ? NULL : yaml_get(item, VSR_STR("conditions"));
        for (size_t j = 0; inner && j < inner->n_items; j++)
            yaml_push(arena, flat, inner->items[j]);
        if (!inner)
            yaml_push(arena, flat, item);
    }
    return !is_not && flat->n_items == 1 ? flat->items[0] : group_of(arena, op, flat);
}

static struct yaml_node *normal_root(struct arena *arena, struct yaml_node *rules) {
    struct yaml_node *rule, *conditions;
    if (!rules || rules->n_items == 0 || (operator_of(rules).len && !yaml_get(rules, VSR_STR("conditions"))))
        return group_of(arena, VSR_STR("AND"), NULL);
    rule = normal_rule(arena, rules);
    if (operator_of(rule).len)
        return rule;
    conditions = yaml_new(arena, YAML_SEQUENCE, NULL);
    yaml_push(arena, conditions, rule);
    return group_of(arena, VSR_STR("AND"), conditions);
}

static void normalise_profile(struct arena *arena, const struct yaml_node *routing) {
    const struct yaml_node *decisions = yaml_get(routing, VSR_STR("decisions"));
    for (size_t i = 0; decisions && i < decisions->n_items; i++) {
        struct yaml_node *decision = decisions->items[i];
        ptrdiff_t at = yaml_find(decision, VSR_STR("rules"));
        struct yaml_node *rules = normal_root(arena, at < 0 ? NULL : decision->items[at]);
        if (at < 0)
            yaml_append(arena, decision, yaml_new_scalar(arena, VSR_STR("rules"), NULL), rules);
        else
            decision->items[at] = rules;
    }
}

static void normalise(struct arena *arena, const struct yaml_node *root) {
    const struct yaml_node *recipes = yaml_get(root, VSR_STR("recipes"));
    normalise_profile(arena, yaml_get(root, VSR_STR("routing")));
    for (size_t i = 0; recipes && i < recipes->n_items; i++)
        normalise_profile(arena, yaml_get(recipes->items[i], VSR_STR("routing")));
}

/* ---- recipes */

/* The configuration with its routing replaced by what its canonical text compiles to loads to the same document. */
static void check_config(struct arena *arena, vsr_str yaml, const char *name) {
    struct yaml_node *root = yaml_parsed(arena, yaml);
    vsr_str text = decompiled(arena, root, NULL);
    const struct config_document *before;
    struct config_changes changes;
    struct compiled c;
    normalise(arena, root);
    before = load(arena, yaml_text(arena, root), name);
    compiled_make(&c, text);
    CHECK_STR(compiled_findings(&c), "", name);
    dsl_merge(c.arena, root, c.root);
    config_diff(config_schema(arena, dsl_parts()), before, load(arena, yaml_text(arena, root), name), arena, &changes);
    for (size_t i = 0; i < changes.n; i++)
        CHECK_MSG(is_said_anyway(&changes.items[i]), "case \"%s\": %.*s was\n%.*s\nis\n%.*s", name,
                  VSR_FMT(changes.items[i].path), VSR_FMT(changes.items[i].before), VSR_FMT(changes.items[i].after));
    compiled_done(&c);
    check_canonical(text, name);
}

TEST(published_profiles_are_fixed_points) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        check_program(read_published(arena, published_profiles[i], "recipe.dsl"), published_profiles[i]);
        check_config(arena, read_published(arena, published_profiles[i], "config.yaml"), published_profiles[i]);
        arena_free(arena);
    }
}

TEST(own_recipes_are_fixed_points) {
    static const char *const names[] = { "starter", "privacy-first", "long-context", "cost-saver", "demo", "coding" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str path = arena_printf(arena, "%s/recipes/%s/config.yaml%c", getenv("VSR_TEST_SOURCE"), names[i], '\0');
        check_config(arena, read_file(arena, path.ptr), names[i]);
        arena_free(arena);
    }
}

RUN_TESTS(T(published_profiles_are_fixed_points), T(own_recipes_are_fixed_points))
