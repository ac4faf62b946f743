/* Compiled programs inside whole configurations: what is replaced, what stays, and that published profiles stay same.
 */
#include "compiled.h"
#include "loaded.h"
#include "texts.h"

#include "config/diff.h"

/* ---- profiles: the program that stands beside a configuration is its routing */

/*
 * What canonical form changes and means the same: cards are sorted, a single condition is put into an AND, a decision
 * without a condition says so, and what two algorithms do with errors stands in both places (dsl.md §4.9).
 */
static bool is_canonical(const struct config_change *change) {
    vsr_str one = VSR_STR("{operator: OR, conditions: [{"), all = VSR_STR("{operator: AND, conditions: [{");
    if (change->kind == CHANGE_ORDER)
        return str_ends(change->path, VSR_STR("modelCards"));
    if (str_ends(change->path, VSR_STR(".algorithm.on_error")))
        return change->before.len == 0;
    if (!str_ends(change->path, VSR_STR(".rules")))
        return false;
    if (change->before.len == 0)
        return str_eq_c(change->after, "{operator: AND}");
    return str_starts(change->before, one) && str_starts(change->after, all) &&
           str_eq(str_sub(change->before, one.len, change->before.len),
                  str_sub(change->after, all.len, change->after.len)) &&
           str_find(change->before, VSR_STR("}, {")) < 0;
}

static void check_same(struct arena *arena, vsr_str before, vsr_str after, const char *name) {
    struct config_changes changes;
    config_diff(config_schema(arena, dsl_parts()), loaded(arena, before, name), loaded(arena, after, name), arena,
                &changes);
    for (size_t i = 0; i < changes.n; i++)
        CHECK_MSG(is_canonical(&changes.items[i]), "%s: %.*s: %.*s -> %.*s", name, VSR_FMT(changes.items[i].path),
                  VSR_FMT(changes.items[i].before), VSR_FMT(changes.items[i].after));
}

TEST(profiles_stay_the_same) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        const char *name = published_profiles[i];
        vsr_str yaml = text_of_published(arena, name, "config.yaml");
        struct compiled c;
        struct yaml_node *base;
        compiled_make(&c, text_of_published(arena, name, "recipe.dsl"));
        CHECK_STR(compiled_findings(&c), "", name);
        base = yaml_parsed(arena, yaml);
        dsl_merge(arena, base, c.root);
        check_same(arena, yaml, yaml_text(arena, base), name);
        compiled_done(&c);
        arena_free(arena);
    }
}

/* ---- what stays */

static const struct {
    const char *name, *base, *program, *want;
} merges[] = {
    { "the rest of the document, in order",
      "zoo: 1\nglobal: {a: 1}\nrouting: {decisions: []}\nalpha: 2\nversion: v0.3\nproviders: {x: 1}\n",
      "ROUTE r { MODEL m }",
      "version: v0.3\nproviders: {x: 1}\nrouting: {modelCards: [{name: m}], decisions: [{name: r, rules: {operator: "
      "AND}, modelRefs: [{model: m}]}]}\nglobal: {a: 1}\nalpha: 2\nzoo: 1\n" },
    { "entrypoints and recipes go when the program has none",
      "version: v0.3\nrouting: {strategy: priority}\nentrypoints: [{model_names: [a], recipe: x}]\nrecipes: [{name: "
      "x}]\n",
      "SIGNAL domain law {}", "version: v0.3\nrouting: {signals: {domains: [{name: law}]}}\n" },
    { "routing goes too", "version: v0.3\nrouting: {strategy: priority}\n", "# nothing", "version: v0.3\n" },
    { "fields without words, by recipe and name",
      "routing:\n  decisions:\n  - {name: r, annotations: {a: b}, fallback: true, adaptations: {mode: observe}, "
      "modelRefs: "
      "[{model: m, reasoning_description: why}, {model: n}]}\n  - {name: gone, annotations: {c: d}}\n"
      "recipes:\n- {name: x, routing: {decisions: [{name: r, output_contract: short}]}}\n",
      "ROUTE r { MODEL m, n EXTRA { fallback: false } } RECIPE x { ROUTE r { MODEL m } ROUTE s { MODEL m } } RECIPE y "
      "{ ROUTE "
      "r { MODEL m } }",
      "routing: {modelCards: [{name: m}, {name: n}], decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: "
      "m, "
      "reasoning_description: why}, {model: n}], fallback: false, annotations: {a: b}, adaptations: {mode: "
      "observe}}]}\n"
      "recipes: [{name: x, routing: {decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: m}], "
      "output_contract: short}, {name: s, rules: {operator: AND}, modelRefs: [{model: m}]}]}},"
      "{name: y, routing: {decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: m}]}]}}]" },
};

static bool same_keys(const struct yaml_node *a, const struct yaml_node *b) {
    for (size_t i = 0; i < a->n_items; i++)
        if (!str_eq(a->keys[i]->text, b->keys[i]->text))
            return false;
    return true;
}

TEST(what_is_not_said_stays) {
    for (size_t i = 0; i < VSR_COUNT(merges); i++) {
        struct compiled c;
        struct yaml_node *base, *want;
        compiled_make(&c, str_from_c(merges[i].program));
        CHECK_STR(compiled_findings(&c), "", merges[i].name);
        base = yaml_parsed(c.arena, str_from_c(merges[i].base));
        want = yaml_parsed(c.arena, str_from_c(merges[i].want));
        dsl_merge(c.arena, base, c.root);
        CHECK_MEANS(c.arena, base, want, merges[i].name);
        CHECK(same_keys(base, want), merges[i].name);
        compiled_done(&c);
    }
}

RUN_TESTS(T(profiles_stay_the_same), T(what_is_not_said_stays))
