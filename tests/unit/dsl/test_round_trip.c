/*
 * What compiling and decompiling give each other (dsl.md §7.3): of a program P with C = compile(P) and
 * D = decompile(C), compile(D) is C, and D is its own canonical text; of a configuration Y, compile(decompile(Y)) means
 * the same.
 */
#include "config/diff.h"
#include "config/load.h"
#include "config/yaml_edit.h"
#include "formatted.h"
#include "generated.h"
#include "generated_program.h"
#include "texts.h"

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
    CHECK_INT(dsl_merge(c.arena, c.language, root, c.root), 0, "merged");
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
        check_program(text_of_published(arena, published_profiles[i], "recipe.dsl"), published_profiles[i]);
        check_config(arena, text_of_published(arena, published_profiles[i], "config.yaml"), published_profiles[i]);
        arena_free(arena);
    }
}

TEST(own_recipes_are_fixed_points) {
    static const char *const names[] = { "starter", "privacy-first", "long-context", "cost-saver", "demo", "coding" };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct arena *arena = arena_new(0, 0);
        check_config(arena, text_of_project(arena, "recipes", names[i], "/config.yaml"), names[i]);
        arena_free(arena);
    }
}

/* ---- what once was none */

static const char *const programs[] = {
    "ROUTE r { FOR NAME IN [\"a\"] { MODEL \"NAME\" } }",
    "ROUTE r { FOR FOR IN [MODEL, \"PLUGIN\"] { MODEL \"FOR\", \"PLUGIN\" } }",
    "ROUTE r { MODEL m FOR a-b IN [\"x\"] { MODEL a_b } }",
    "ROUTE r { MODEL m FOR a-b IN [\"x\"] { MODEL a-b } FOR a_b IN [\"y\"] { MODEL \"a-b\" } }",
    "ROUTE r { FOR m IN [\"x\\x00a\", \"x\\x00b\", \"x\\x00a\" (lora = \"l\")] { MODEL m } }",
    "SIGNAL domain \"a\\x00b\" {} SIGNAL domain \"a\\x00c\" {}",
    "DECISION_TREE \"t\\x00u\" { IF domain(\"d\\x00\") { MODEL m } ELSE { MODEL \"n\\x00\" } }",
    "RECIPE \"r\\x00\" { ROUTE r {} } RECIPE \"r\\x00s\" { ROUTE r {} }",
    "PROJECTION score s { inputs: [{ type: \"domain\", name: \"d\", value_source: \"confidencE\" }] }",
    "ROUTE r { MODEL m EXTRA { annotations: { a: [1, 2.5, true, \"3\"], b: 2.0, c: { d: false, e: \"\" } } } }",
};

TEST(programs_are_fixed_points) {
    for (size_t i = 0; i < VSR_COUNT(programs); i++)
        check_program(str_from_c(programs[i]), programs[i]);
}

TEST(names_with_nul_are_whole) {
    struct compiled c;
    vsr_str yaml = compiled_text(&c, str_from_c(programs[6]), "tree");
    CHECK(str_find(yaml, VSR_STR("\"t\\0u__branch_02\"")) > 0, "the name of a branch");
    compiled_done(&c);
}

/* A configuration's text is the text of what it compiles to. */
static const char *const configs[] = {
    "routing: {signals: {keywords: [{name: k, operator: or, keywords: [a], case_sensitive: no, fuzzy_match: Off}]}}",
    "routing: {signals: {keywords: [{name: k, operator: OR, keywords: [a], case_sensitive: Yes}]}}",
    "routing: {decisions: [{name: r, annotations: {a: [1, 2.0, true, no, '3'], b: 2.0, c: true}}]}",
    "routing: {decisions: [{name: r, modelRefs: [{model: a}], candidateIterations: [{variable: FOR, source: models, "
    "models: [a], outputs: [{type: model, value: FOR}]}]}]}",
    "routing: {projections: {scores: [{name: load, method: [x]}]}}",
    "routing: {decisions: [{name: r, modelRefs: [{model: a}], candidateIterations: [{variable: two words, source: "
    "models, "
    "models: [b], outputs: [{type: model, value: two words}]}, {variable: m, source: models, models: [a], outputs: "
    "[{type: model, value: m}]}]}]}",
};

TEST(configurations_are_fixed_points) {
    for (size_t i = 0; i < VSR_COUNT(configs); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str findings; /* what cannot be said is left out, and no more than that */
        check_canonical(decompiled(arena, yaml_parsed(arena, str_from_c(configs[i])), &findings), configs[i]);
        arena_free(arena);
    }
}

/* ---- configurations made at random */

/* In all, of which each kind has its share. */
enum { CASES = 10000, CASES_LONG = 100000, CONFIGS_PERCENT = 40, PROGRAMS_PERCENT = 40, LAYOUTS_PERCENT = 20 };

static void prune(const struct schema *schema, struct yaml_node *node);

static void prune_value(const struct schema *schema, const struct field *field, const struct yaml_node *object,
                        struct yaml_node *value) {
    const struct field_variant *variant = field->kind == FIELD_VARIANT ? schema_variant(schema, field, object) : NULL;
    bool list = field->kind == FIELD_OBJECTS || field->kind == FIELD_OBJECT_MAP;
    if (variant && variant->schema)
        prune(variant->schema, value);
    else if (field->object && !list)
        prune(field->object, value);
    for (size_t i = 0; list && i < value->n_items; i++)
        prune(field->object, value->items[i]);
}

/* Whether the value is what holds unsaid: zero, where the table has no default and absence has no meaning of its own.
 */
static bool is_unsaid(const struct schema *schema, const struct field *field, const struct yaml_node *value) {
    bool block = strcmp(schema->name, "algorithm") == 0; /* an empty one is as good as none */
    double number;
    if (field->fallback || field->flags & FIELD_UNSET)
        return false;
    if (value->kind != YAML_SCALAR)
        return value->n_items == 0 && (block || field->kind != FIELD_OPTIONAL) && field->kind != FIELD_NODE;
    return value->text.len == 0 || str_eq_c(value->text, "false") ||
           ((field->kind == FIELD_INT || field->kind == FIELD_NUMBER) &&
            value_number(value->text, &number) == VALUE_OK && number == 0);
}

/* Leaves out what holds anyway, so that configurations which mean the same say the same. */
static void prune(const struct schema *schema, struct yaml_node *node) {
    for (size_t i = node->kind == YAML_MAPPING ? node->n_items : 0; i > 0; i--) {
        const struct field *field = schema_field(schema, node->keys[i - 1]->text);
        if (!field)
            continue;
        prune_value(schema, field, node, node->items[i - 1]);
        if (field->kind == FIELD_NUMBER && str_eq_c(node->items[i - 1]->text, "-0")) /* the same number */
            node->items[i - 1]->text = VSR_STR("0");
        if (is_unsaid(schema, field, node->items[i - 1]))
            yaml_remove(node, i - 1);
    }
}

/* Keys have no order of their own. By insertion: there are few. */
static void sort_keys(struct yaml_node *node) {
    for (size_t i = 0; node->kind != YAML_SCALAR && i < node->n_items; i++) {
        struct yaml_node *value = node->items[i], *key = node->kind == YAML_MAPPING ? node->keys[i] : NULL;
        size_t at = i;
        sort_keys(value);
        for (; key && at > 0 && str_cmp(node->keys[at - 1]->text, key->text) > 0; at--) {
            node->keys[at] = node->keys[at - 1];
            node->items[at] = node->items[at - 1];
        }
        if (key) {
            node->keys[at] = key;
            node->items[at] = value;
        }
    }
}

/* What the tables make of it, with everything that holds. */
static vsr_str meaning(struct arena *arena, const struct schema *schema, struct yaml_node *node) {
    struct yaml_node *root = yaml_copy(arena, node);
    void *object = arena_alloc(arena, schema->size);
    struct diag diag;
    struct buf out;
    vsr_str text;
    diag_init(&diag, arena, VSR_STR("t"));
    prune(schema, root);
    sort_keys(root);
    (void)schema_decode(schema, root, VSR_STR(""), object, arena, &diag);
    buf_init(&out, COMPILED_LEN_MAX);
    schema_print_flow(schema, object, SCHEMA_MEANING, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* The first place where they differ, with what stands around it. */
static void check_same_meaning(vsr_str got, vsr_str want, vsr_str text, const char *name) {
    size_t at = 0, from;
    while (at < got.len && at < want.len && got.ptr[at] == want.ptr[at])
        at++;
    from = at > 200 ? at - 200 : 0;
    CHECK_MSG(at == got.len && at == want.len, "case \"%s\": means\n%.*s\nwant\n%.*s\nof\n%.*s", name,
              VSR_FMT(str_sub(got, from, at + 200)), VSR_FMT(str_sub(want, from, at + 200)), VSR_FMT(text));
}

/* Canonical text has no mistake of its own, whatever is wrong with what it says. */
static void check_reads(struct compiled *c, const char *name) {
    for (size_t i = 0; i < c->findings.n; i++)
        CHECK_MSG(c->findings.items[i].code[1] != '1', "case \"%s\": %.*s\n%.*s", name, VSR_FMT(compiled_findings(c)),
                  VSR_FMT(c->parsed.source));
}

/* Reading YAML costs more than all the rest: a part of the cases is enough. */
enum { WRITTEN_PERCENT = 25 };

/* What the text cannot say is in the base: put into it, the program means what the base meant. */
static void check_merged(struct gen *g, struct compiled *c, struct yaml_node *root, vsr_str text, const char *name) {
    struct yaml_node *base = yaml_copy(g->arena, root);
    CHECK_INT(dsl_merge(g->arena, c->language, base, yaml_copy(g->arena, c->root)), 0, "merged");
    check_same_meaning(meaning(g->arena, g->document, base), meaning(g->arena, g->document, root), text, name);
}

static void check_generated(struct gen *g, const char *name) {
    struct yaml_node *root = gen_config(g);
    vsr_str lost, text = decompiled(g->arena, root, &lost);
    bool written = gen_chance(g, WRITTEN_PERCENT);
    struct compiled c;
    if (written)
        check_same_text(decompiled(g->arena, yaml_parsed(g->arena, yaml_text(g->arena, root)), &lost), text, name);
    compiled_make(&c, text);
    check_reads(&c, name);
    if (lost.len == 0)
        check_same_meaning(meaning(g->arena, g->document, c.root), meaning(g->arena, g->document, root), text, name);
    check_merged(g, &c, root, text, name);
    check_same_text(decompiled(g->arena, c.root, NULL), text, name);
    if (written)
        check_same_text(decompiled(g->arena, yaml_parsed(g->arena, yaml_text(g->arena, c.root)), NULL), text, name);
    compiled_done(&c);
}

/* The document's table with what belongs to routing alone. */
static const struct schema *routing_schema(struct arena *arena) {
    static const vsr_str names[] = { VSR_STR_INIT("routing"), VSR_STR_INIT("entrypoints"), VSR_STR_INIT("recipes") };
    const struct schema *document = config_schema(arena, dsl_parts());
    struct schema *schema = ARENA_NEW(arena, struct schema);
    struct field *fields = ARENA_ARRAY(arena, struct field, VSR_COUNT(names));
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        fields[i] = *schema_field(document, names[i]);
    *schema = *document;
    schema->fields = fields;
    schema->n_fields = VSR_COUNT(names);
    schema->check = NULL;
    return schema;
}

static void run_cases(void (*check)(struct gen *, const char *), size_t percent) {
    const char *only = getenv("VSR_TEST_SEED");
    struct arena *tables = arena_new(0, 0);
    const struct schema *document = routing_schema(tables);
    size_t n = (getenv("VSR_TEST_LONG") ? CASES_LONG : CASES) * percent / 100;
    for (size_t i = 0; i < n; i++) {
        struct gen g = { .arena = arena_new(0, 0), .document = document };
        char name[64];
        size_t seed = only ? strtoul(only, NULL, 10) : i;
        gen_seed(&g, seed);
        (void)snprintf(name, sizeof(name), "VSR_TEST_SEED=%zu", seed);
        check(&g, name);
        arena_free(g.arena);
        if (only)
            break;
    }
    arena_free(tables);
}

TEST(configurations_mean_what_their_text_means) {
    run_cases(check_generated, CONFIGS_PERCENT);
}

/* ---- programs made at random */

/* D = decompile(compile(P)) compiles to the same and is its own canonical text, also by way of YAML's. */
static void check_generated_program(struct gen *g, const char *name) {
    vsr_str program = gen_program(g), text, yaml;
    struct compiled c, again;
    compiled_make(&c, program);
    for (size_t i = 0; i < c.findings.n; i++)
        CHECK_MSG(c.findings.items[i].level != FINDING_ERROR || c.findings.items[i].code[1] != '1',
                  "case \"%s\": %.*s\n%.*s", name, VSR_FMT(compiled_findings(&c)), VSR_FMT(program));
    text = decompiled(g->arena, c.root, NULL);
    yaml = yaml_text(g->arena, c.root);
    compiled_make(&again, text);
    check_reads(&again, name);
    check_same_text(yaml_text(g->arena, again.root), yaml, name);
    check_same_text(decompiled(g->arena, again.root, NULL), text, name);
    if (gen_chance(g, WRITTEN_PERCENT))
        check_same_text(decompiled(g->arena, yaml_parsed(g->arena, yaml), NULL), text, name);
    compiled_done(&again);
    compiled_done(&c);
}

TEST(programs_are_what_their_canonical_text_is) {
    run_cases(check_generated_program, PROGRAMS_PERCENT);
}

static void check_generated_layout(struct gen *g, const char *name) {
    (void)check_formatted(g->arena, gen_program(g), name);
}

TEST(programs_are_laid_out_as_they_were_meant) {
    run_cases(check_generated_layout, LAYOUTS_PERCENT);
}

int main(void) {
    const struct CMUnitTest tests[] = { T(published_profiles_are_fixed_points),
                                        T(own_recipes_are_fixed_points),
                                        T(programs_are_fixed_points),
                                        T(names_with_nul_are_whole),
                                        T(configurations_are_fixed_points),
                                        T(configurations_mean_what_their_text_means),
                                        T(programs_are_what_their_canonical_text_is),
                                        T(programs_are_laid_out_as_they_were_meant) };
    cmocka_set_test_filter(getenv("VSR_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
