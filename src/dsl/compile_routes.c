#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile_parts.h"

/*
 * Trees become routes whose priorities fall from branch to branch and from tree to tree (dsl.md §4.8). A tree has a
 * band of its own, so that no branch of a later tree comes before one of an earlier tree.
 */
enum { TREE_PRIORITY = 1000000, TREE_BRANCHES_MAX = 1000, TREES_MAX = TREE_PRIORITY / TREE_BRANCHES_MAX };

/* What a decision is made of, whether it was a route or a branch. */
struct decision {
    struct compile_route route;
    struct dsl_at name_at;
    vsr_str description;
    const struct dsl_at *description_at;
    int64_t priority; /* of a branch; a route says its own */
    struct yaml_node *rules;
};

static void put_text(struct compile *c, struct yaml_node *node, const char *key, vsr_str text,
                     const struct dsl_at *at) {
    if (text.len)
        compile_put(c, node, str_from_c(key), at, compile_text(c, text, at));
}

/* PRIORITY and TIER: zero says nothing. */
static void put_number(struct compile *c, struct yaml_node *node, const char *key, const struct dsl_body *body,
                       enum dsl_item_kind kind) {
    const struct dsl_item *item = dsl_item(body, kind);
    if (item && item->value.integer != 0)
        compile_put(c, node, str_from_c(key), &item->at, compile_int(c, item->value.integer, &item->value.at));
}

/* Fields of EXTRA, each at its place among the others. */
static struct dsl_fields extra_fields(struct compile *c, const struct dsl_body *body) {
    struct dsl_fields all = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++)
        n += body->items[i].kind == DSL_ITEM_EXTRA ? body->items[i].fields.n : 0;
    all.items = ARENA_ARRAY(c->arena, struct dsl_field, n);
    for (size_t i = 0; i < body->n; i++)
        for (size_t j = 0; body->items[i].kind == DSL_ITEM_EXTRA && j < body->items[i].fields.n; j++)
            all.items[all.n++] = body->items[i].fields.items[j];
    return all;
}

static void put_extra(struct compile *c, struct yaml_node *node, const char *name, const struct dsl_fields *extra,
                      const struct dsl_at *at) {
    const struct language_field *field = language_field(c->language->extra, str_from_c(name));
    if (field && extra->n > 0)
        compile_field(c, c->language->extra, field, extra, at, node);
}

static const char *const extras_early[] = { "output_contract", "output_contract_spec", NULL };
static const char *const extras_late[] = { "annotations", NULL };

static void put_other_extras(struct compile *c, struct yaml_node *node, const struct dsl_fields *extra,
                             const struct dsl_at *at) {
    const struct language_block *block = c->language->extra;
    for (size_t i = 0; i < block->n_fields && extra->n > 0; i++)
        if (yaml_find(node, str_from_c(block->yaml[i]->field->name)) < 0)
            compile_field(c, block, block->yaml[i], extra, at, node);
}

static struct yaml_node *decision_node(struct compile *c, const struct decision *decision) {
    const struct compile_route *route = &decision->route;
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &route->at), *refs = compile_model_refs(route);
    struct dsl_fields extra = extra_fields(c, route->body);
    compile_put(c, node, VSR_STR("name"), &decision->name_at, compile_text(c, route->name, &decision->name_at));
    put_text(c, node, "description", decision->description, decision->description_at);
    if (decision->priority)
        compile_put(c, node, VSR_STR("priority"), &route->at, compile_int(c, decision->priority, &route->at));
    else
        put_number(c, node, "priority", route->body, DSL_ITEM_PRIORITY);
    put_number(c, node, "tier", route->body, DSL_ITEM_TIER);
    for (const char *const *name = extras_early; *name; name++)
        put_extra(c, node, *name, &extra, &route->at);
    compile_put(c, node, VSR_STR("rules"), &route->at, decision->rules);
    compile_put_filled(c, node, "modelRefs", &route->at, refs);
    compile_put_filled(c, node, "algorithm", &route->at, compile_algorithm(route, refs));
    put_extra(c, node, "adaptations", &extra, &route->at);
    compile_put_filled(c, node, "plugins", &route->at, compile_plugins(route));
    compile_put_filled(c, node, "candidateIterations", &route->at, compile_iterations(route));
    compile_put_filled(c, node, "emits", &route->at, compile_emits(route));
    for (const char *const *name = extras_late; *name; name++)
        put_extra(c, node, *name, &extra, &route->at);
    put_other_extras(c, node, &extra, &route->at);
    return node;
}

/* DESCRIPTION in the body, else the option in the header. */
static void describe(struct decision *decision, const struct dsl_fields *options) {
    const struct dsl_item *item = dsl_item(decision->route.body, DSL_ITEM_DESCRIPTION);
    const struct dsl_field *option = options ? dsl_field(options, VSR_STR("description")) : NULL;
    if (item) {
        decision->description = item->value.text;
        decision->description_at = &item->value.at;
    } else if (option && option->value.kind == DSL_STRING) {
        decision->description = option->value.text;
        decision->description_at = &option->value.at;
    }
}

static void add_route(struct compile_scope *scope, const struct dsl_decl *decl, struct yaml_node *decisions) {
    struct compile *c = scope->c;
    const struct dsl_item *when = dsl_item(&decl->body, DSL_ITEM_WHEN);
    struct decision decision = { .route = { scope, decl->name.text, decl->at, &decl->body }, .name_at = decl->name.at };
    describe(&decision, &decl->options);
    decision.rules = compile_rules(c, when ? when->when : NULL, when ? &when->at : &decl->at);
    yaml_push(c->arena, decisions, decision_node(c, &decision));
}

/* ---- trees */

/* `own`: its condition, NULL for ELSE; `denied`: the negations of the conditions above. */
static void add_branch(struct compile_scope *scope, const struct dsl_decl *tree, size_t index, int64_t priority,
                       struct yaml_node *own, struct yaml_node *const *denied, struct yaml_node *decisions) {
    struct compile *c = scope->c;
    const struct dsl_branch *branch = &tree->branches[index];
    const struct dsl_item *name = dsl_item(&branch->body, DSL_ITEM_NAME);
    struct decision decision = { .route = { scope, name ? name->name.text : VSR_STR(""), branch->at, &branch->body },
                                 .name_at = name ? name->name.at : branch->at,
                                 .priority = priority };
    if (!name)
        decision.route.name = compile_branch_name(c, tree, index);
    describe(&decision, NULL);
    /* The negations are shared by all branches below: their number grows with the square of the branches. */
    decision.rules = compile_all(c, own, denied, index, branch->when ? &branch->when->at : &branch->at);
    yaml_push(c->arena, decisions, decision_node(c, &decision));
}

static void add_tree(struct compile_scope *scope, const struct dsl_decl *tree, size_t n_before,
                     struct yaml_node *decisions) {
    struct compile *c = scope->c;
    struct yaml_node **denied = ARENA_ARRAY(c->arena, struct yaml_node *, tree->n_branches);
    int64_t priority = TREE_PRIORITY - (int64_t)n_before * TREE_BRANCHES_MAX;
    if (n_before >= TREES_MAX) {
        finding_add(c->findings, FINDING_ERROR, "E111", tree->at,
                    "DECISION_TREE \"%.*s\": a program has at most %d trees", VSR_FMT(tree->name.text), TREES_MAX);
        return;
    }
    if (tree->n_branches > TREE_BRANCHES_MAX) /* has been told */
        return;
    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct dsl_branch *branch = &tree->branches[i];
        c->n_denied += i;
        if (c->n_denied > YAML_NODES_MAX) {
            finding_add(c->findings, FINDING_ERROR, "E106", branch->at,
                        "the program is too large: its trees have more than %d conditions", YAML_NODES_MAX);
            return;
        }
        struct yaml_node *own = branch->when ? compile_condition(c, branch->when) : NULL;
        add_branch(scope, tree, i, priority - (int64_t)i, own, denied, decisions);
        if (own)
            denied[i] = compile_not(c, own, &branch->when->at);
    }
}

void compile_routes(struct compile_scope *scope, struct yaml_node *decisions) {
    const struct dsl_program *program = scope->program;
    size_t n_trees = 0;
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        scope->c->findings->decl = decl->at;
        if (decl->kind == DSL_ROUTE)
            add_route(scope, decl, decisions);
        else if (decl->kind == DSL_TREE)
            add_tree(scope, decl, n_trees++, decisions);
    }
}
