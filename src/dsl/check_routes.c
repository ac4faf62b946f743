/* Routes, and what their items say (dsl.md §6.1, §6.2). */
#include "core/arena.h"
#include "dsl/check_parts.h"

enum { PRIORITY_MAX = 2147483647 };

/* ---- conditions */

/* A classifier's leaf compares the probability of a label; others just match. */
static void check_leaf_shape(struct check *c, const struct dsl_expr *leaf, struct check_declared *declared,
                             vsr_str what) {
    const struct config_family *family = dsl_check_family(c, leaf->type.text);
    const struct dsl_value *label = dsl_value_of(&leaf->fields, "label");
    const struct dsl_value *predicate = dsl_value_of(&leaf->fields, "predicate");
    const struct dsl_field *on_error = dsl_field(&leaf->fields, VSR_STR("on_error"));
    if (predicate && predicate->kind == DSL_OBJECT)
        dsl_check_bounds(c, arena_printf(c->scratch, "%.*s: predicate", VSR_FMT(what)), &predicate->fields,
                         &predicate->at);
    if (family && family->labels) {
        if (!label || !predicate)
            CHECK_TELL(c, CONSTRAINT, "C307", leaf->name.at, "%.*s needs %s", VSR_FMT(what),
                       label       ? "a predicate, as in predicate: { gte: 0.5 }"
                       : predicate ? "a label"
                                   : "a label and a predicate");
        if (label && label->kind == DSL_STRING && declared) {
            struct dsl_name name = dsl_check_name_of(label);
            dsl_check_label(c, declared, label->text, &name);
        }
        return;
    }
    if (label)
        CHECK_TELL(c, CONSTRAINT, "C307", label->at, "%.*s takes no label: only a classifier has labels",
                   VSR_FMT(what));
    if (on_error && on_error->value.kind != DSL_NULL)
        CHECK_TELL(c, CONSTRAINT, "C307", on_error->key.at,
                   "%.*s takes no on_error: only a classifier has it; use on_unknown", VSR_FMT(what));
}

static void check_leaf(struct check_scope *scope, const struct dsl_expr *leaf) {
    struct check *c = scope->c;
    struct check_declared *declared = NULL;
    struct check_block block = {
        .what = arena_printf(c->scratch, "%.*s(\"%.*s\")", VSR_FMT(leaf->type.text), VSR_FMT(leaf->name.text)),
        .block = c->language->leaf,
        .fields = &leaf->fields,
        .at = leaf->at,
    };
    if (!str_eq_c(leaf->type.text, "projection") && !dsl_check_family(c, leaf->type.text))
        return; /* E201 */
    declared = dsl_check_signal(scope, leaf->type.text, &leaf->name, &leaf->at, false);
    if (leaf->fields.n > 0)
        dsl_check_block(c, &block);
    check_leaf_shape(c, leaf, declared, block.what);
}

/* The parser bounds its depth. */
static void check_condition(struct check_scope *scope, const struct dsl_expr *expr) {
    if (expr->kind == DSL_SIGNAL)
        check_leaf(scope, expr);
    for (size_t i = 0; i < expr->n_items; i++)
        check_condition(scope, expr->items[i]);
}

/* ---- models */

static void check_lora(struct check *c, const struct dsl_model_ref *ref) {
    const struct dsl_value *lora = dsl_value_of(&ref->options, "lora");
    const struct check_model *model = map_get(&c->models, ref->model.text);
    struct finding *finding;
    struct dsl_name found;
    if (!lora || lora->kind != DSL_STRING || !model || map_get(&model->loras, lora->text))
        return;
    finding = CHECK_TELL(c, WARNING, "W206", ref->model.at,
                         model->loras.n ? "LoRA \"%.*s\" is not declared for model \"%.*s\""
                                        : "LoRA \"%.*s\": model \"%.*s\" declares no LoRA adapters",
                         VSR_FMT(lora->text), VSR_FMT(ref->model.text));
    found = dsl_check_name_of(lora);
    dsl_check_suggest(c, finding, &found, &model->loras);
}

static void check_model_list(const struct check_route *route, const struct dsl_model_list *list) {
    struct check *c = route->scope->c;
    for (size_t i = 0; i < list->n; i++) {
        const struct dsl_model_ref *ref = &list->items[i];
        struct check_block block = {
            .what = arena_printf(c->scratch, "%.*sMODEL \"%.*s\"", VSR_FMT(route->what), VSR_FMT(ref->model.text)),
            .block = c->language->ref,
            .fields = &ref->options,
            .at = ref->model.at,
            .also = "param_size",
        };
        dsl_check_model_name(c, VSR_STR(""), &ref->model);
        check_lora(c, ref);
        if (ref->options.n > 0)
            dsl_check_block(c, &block);
    }
}

/* ---- loops (dsl.md §4.6) */

static bool has_models(const struct dsl_body *body) {
    for (size_t i = 0; i < body->n; i++)
        if (body->items[i].kind == DSL_ITEM_MODEL && body->items[i].models.n > 0)
            return true;
    return false;
}

static void check_loop(const struct check_route *route, const struct dsl_item *loop) {
    struct check *c = route->scope->c;
    bool over_list = loop->source.at.line == 0;
    if (!over_list && !str_eq_c(loop->source.text, "decision.candidates"))
        CHECK_TELL(c, CONSTRAINT, "C314", loop->source.at,
                   "%.*sFOR %.*s: source must be decision.candidates or a list of models, got \"%.*s\"",
                   VSR_FMT(route->what), VSR_FMT(loop->name.text), VSR_FMT(loop->source.text));
    else if (!over_list && !has_models(route->body))
        CHECK_TELL(c, CONSTRAINT, "C314", loop->source.at,
                   "%.*sFOR %.*s: decision.candidates needs a MODEL in the same route", VSR_FMT(route->what),
                   VSR_FMT(loop->name.text));
    check_model_list(route, &loop->models);
    for (size_t i = 0; i < loop->outputs.n; i++) {
        const struct dsl_name *output = &loop->outputs.items[i].model;
        if (!str_eq(output->text, loop->name.text))
            finding_fix(CHECK_TELL(c, CONSTRAINT, "C314", output->at,
                                   "%.*sFOR %.*s: MODEL must name the variable, got \"%.*s\"", VSR_FMT(route->what),
                                   VSR_FMT(loop->name.text), VSR_FMT(output->text)),
                        output->at, loop->name.text, "change to \"%.*s\"", VSR_FMT(loop->name.text));
    }
}

static bool loop_gives_models(const struct dsl_item *loop) {
    for (size_t i = 0; i < loop->outputs.n; i++)
        if (loop->source.at.line == 0 && loop->models.n > 0 &&
            str_eq(loop->outputs.items[i].model.text, loop->name.text))
            return true;
    return false;
}

/* ---- algorithms */

/* Fields that name models, by algorithm and path. That of remom's synthesis is E208. */
static const struct {
    const char *algorithm;
    const char *path[3];
} model_fields[] = {
    { "fusion", { "model" } },
    { "fusion", { "analysis_models" } },
    { "workflows", { "roles", "models" } },
    { "workflows", { "final", "model" } },
    { "workflows", { "planner", "model" } },
    { "prompt", { "prompt", "model" } },
};

static void check_named_models(struct check *c, vsr_str where, const struct dsl_value *value, const char *const *path) {
    if (value->kind == DSL_ARRAY) {
        for (size_t i = 0; i < value->n_items; i++)
            check_named_models(c, where, &value->items[i], path);
    } else if (*path && value->kind == DSL_OBJECT) {
        const struct dsl_value *below = dsl_value_of(&value->fields, *path);
        if (below)
            check_named_models(c, where, below, path + 1);
    } else if (!*path && value->kind == DSL_STRING) {
        struct dsl_name name = dsl_check_name_of(value);
        dsl_check_model_name(c, where, &name);
    }
}

static void check_algorithm(const struct check_route *route, const struct dsl_item *item) {
    struct check *c = route->scope->c;
    const struct language_block *known = language_block(c->language, LANGUAGE_ALGORITHMS, item->name.text);
    struct check_block block = {
        .what = arena_printf(c->scratch, "%.*sALGORITHM %.*s", VSR_FMT(route->what), VSR_FMT(item->name.text)),
        .block = known,
        .fields = &item->fields,
        .at = item->name.at,
        /* E208 tells of the one that remom needs */
        .partial = str_eq_c(item->name.text, "remom"),
    };
    vsr_str where = arena_printf(c->scratch, "%.*s: ", VSR_FMT(block.what));
    if (!known)
        return; /* E204 */
    dsl_check_block(c, &block);
    for (size_t i = 0; i < VSR_COUNT(model_fields); i++) {
        const struct dsl_value *value = dsl_value_of(&item->fields, model_fields[i].path[0]);
        if (value && str_eq_c(known->name, model_fields[i].algorithm))
            check_named_models(c, where, value, model_fields[i].path + 1);
    }
}

/* ---- other items */

static void check_emit(const struct check_route *route, const struct dsl_item *item) {
    struct check *c = route->scope->c;
    const struct dsl_value *drop = dsl_value_of(&item->fields, "drop");
    const struct dsl_value *ttl = dsl_value_of(&item->fields, "ttl_turns");
    if (!str_eq_c(item->name.text, "retention"))
        return; /* E220 */
    if (item->fields.n == 0)
        CHECK_TELL(c, WARNING, "W210", item->at, "%.*sEMIT retention has no effect: it says nothing",
                   VSR_FMT(route->what));
    if (ttl && ttl->kind == DSL_INT && ttl->integer == 0 && !drop)
        CHECK_TELL(c, WARNING, "W210", ttl->at,
                   "%.*sEMIT retention: ttl_turns=0 keeps nothing; say drop: true if that is meant",
                   VSR_FMT(route->what));
}

static void check_extra(const struct check_route *route, const struct dsl_item *item) {
    struct check_block block = {
        .what = arena_printf(route->scope->c->scratch, "%.*sEXTRA", VSR_FMT(route->what)),
        .block = route->scope->c->language->extra,
        .fields = &item->fields,
        .at = item->at,
        .partial = true,
    };
    dsl_check_block(route->scope->c, &block);
}

/* PRIORITY and TIER. */
static void check_rank(const struct check_route *route, const struct dsl_item *item, const char *keyword) {
    const struct dsl_value *value = &item->value;
    bool low = value->integer < 0;
    if (low || value->integer > PRIORITY_MAX)
        finding_fix(CHECK_TELL(route->scope->c, CONSTRAINT, "C310", value->at, "%.*s%s must be %s %d, got %.*s",
                               VSR_FMT(route->what), keyword, low ? ">=" : "<=", low ? 0 : PRIORITY_MAX,
                               VSR_FMT(value->text)),
                    value->at, low ? VSR_STR("0") : VSR_STR("2147483647"), "set to %d", low ? 0 : PRIORITY_MAX);
}

static void check_item(const struct check_route *route, const struct dsl_item *item) {
    switch (item->kind) {
    case DSL_ITEM_PRIORITY:
        check_rank(route, item, "PRIORITY");
        break;
    case DSL_ITEM_TIER:
        check_rank(route, item, "TIER");
        break;
    case DSL_ITEM_WHEN:
        check_condition(route->scope, item->when);
        break;
    case DSL_ITEM_MODEL:
        check_model_list(route, &item->models);
        break;
    case DSL_ITEM_ALGORITHM:
        check_algorithm(route, item);
        break;
    case DSL_ITEM_PLUGIN:
        dsl_check_plugin(route, item);
        break;
    case DSL_ITEM_FOR:
        check_loop(route, item);
        break;
    case DSL_ITEM_EMIT:
        check_emit(route, item);
        break;
    case DSL_ITEM_EXTRA:
        check_extra(route, item);
        break;
    case DSL_ITEM_DESCRIPTION:
    case DSL_ITEM_NAME:
        break;
    }
}

static void check_body(const struct check_route *route) {
    for (size_t i = 0; i < route->body->n; i++)
        check_item(route, &route->body->items[i]);
}

static void check_route(struct check_scope *scope, const struct dsl_decl *decl) {
    struct check *c = scope->c;
    static const struct language_field no_fields[1];
    static const struct language_block header = { .fields = no_fields };
    struct check_route route = { scope, arena_printf(c->scratch, "route \"%.*s\": ", VSR_FMT(decl->name.text)),
                                 &decl->body };
    struct check_block options = {
        .what = arena_printf(c->scratch, "ROUTE %.*s", VSR_FMT(decl->name.text)),
        .block = &header,
        .fields = &decl->options,
        .at = decl->at,
        .also = "description",
    };
    bool models = has_models(&decl->body);
    for (size_t i = 0; i < decl->body.n && !models; i++)
        models = decl->body.items[i].kind == DSL_ITEM_FOR && loop_gives_models(&decl->body.items[i]);
    if (!models && !dsl_check_answers_itself(&route))
        CHECK_TELL(c, WARNING, "W204", decl->at, "route \"%.*s\" has no model. Add MODEL \"<name>\"",
                   VSR_FMT(decl->name.text));
    dsl_check_block(c, &options);
    check_body(&route);
}

static void check_tree(struct check_scope *scope, const struct dsl_decl *tree) {
    struct check *c = scope->c;
    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct dsl_branch *branch = &tree->branches[i];
        struct check_route route = {
            scope, arena_printf(c->scratch, "DECISION_TREE \"%.*s\" branch %zu: ", VSR_FMT(tree->name.text), i + 1),
            &branch->body
        };
        if (branch->when)
            check_condition(scope, branch->when);
        check_body(&route);
    }
}

void dsl_check_routes(struct check_scope *scope) {
    dsl_check_templates(scope);
    for (size_t i = 0; i < scope->program->n; i++) {
        const struct dsl_decl *decl = &scope->program->decls[i];
        scope->c->findings->decl = decl->at;
        if (decl->kind == DSL_ROUTE)
            check_route(scope, decl);
        else if (decl->kind == DSL_TREE)
            check_tree(scope, decl);
    }
}
