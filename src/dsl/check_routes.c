/* What routes refer to and what their items say (dsl.md §6.1, §6.2). */
#include "core/arena.h"
#include "dsl/check_parts.h"

enum { PRIORITY_MAX = 2147483647 };

/* ---- signals */

const struct config_family *dsl_check_family(const struct check *c, vsr_str type) {
    const struct config_families *families = &c->language->parts->families;
    for (size_t i = 0; i < families->n; i++)
        if (str_eq_c(type, families->items[i].type))
            return &families->items[i];
    return NULL;
}

vsr_str dsl_check_rule_of(vsr_str name, vsr_str *ret_rest) {
    ptrdiff_t colon = str_find_last_char(name, ':');
    *ret_rest = colon < 0 ? VSR_STR("") : str_sub(name, (size_t)colon + 1, name.len);
    return colon < 0 ? name : str_sub(name, 0, (size_t)colon);
}

struct check_declared *dsl_check_find(const struct check_scope *scope, vsr_str type, vsr_str name) {
    const struct map *names = map_get(&scope->types, type);
    if (str_eq_c(type, "projection"))
        return map_get(&scope->outputs, name);
    return names ? map_get(names, name) : NULL;
}

static void tell_undefined(const struct check_scope *scope, vsr_str type, vsr_str rule, const struct dsl_name *name,
                           const struct dsl_at *at) {
    struct check *c = scope->c;
    struct finding *finding;
    if (dsl_check_may_be_lost(c, rule))
        return;
    if (str_eq_c(type, "projection")) {
        finding = CHECK_TELL(c, WARNING, "W201", *at,
                             "signal projection(\"%.*s\") is not defined. Add an output %.*s to a PROJECTION mapping",
                             VSR_FMT(name->text), VSR_FMT(dsl_check_spelled(c, name->text)));
        dsl_check_suggest(c, finding, name, &scope->outputs);
        return;
    }
    finding = CHECK_TELL(c, WARNING, "W201", *at, "signal %.*s(\"%.*s\") is not defined. Add SIGNAL %.*s %.*s { ... }",
                         VSR_FMT(type), VSR_FMT(name->text), VSR_FMT(type), VSR_FMT(dsl_check_spelled(c, rule)));
    if (rule.len == name->text.len)
        dsl_check_suggest(c, finding, name, map_get(&scope->types, type));
}

static void check_level(struct check *c, const struct config_family *family, vsr_str rule, vsr_str level,
                        const struct dsl_name *name) {
    vsr_str names = VSR_STR("");
    for (const char *const *known = family->levels; *known; known++) {
        if (str_eq_c(level, *known))
            return;
        names = arena_printf(c->scratch, "%.*s%s%.*s:%s", VSR_FMT(names), names.len ? ", " : "", VSR_FMT(rule), *known);
    }
    CHECK_TELL(c, CONSTRAINT, "C303", name->at, "%s(\"%.*s\") needs a level: one of %.*s", family->type,
               VSR_FMT(name->text), VSR_FMT(names));
}

/* All labels of the classifier. */
static const struct map *labels_of(struct check *c, struct check_declared *declared) {
    size_t n;
    const struct dsl_value *labels;
    if (declared->labels)
        return declared->labels;
    declared->labels = ARENA_NEW(c->scratch, struct map);
    map_init(declared->labels, c->scratch);
    labels = dsl_check_items_of(&declared->decl->fields, "labels", &n);
    for (size_t i = 0; i < n; i++)
        if (labels[i].kind == DSL_STRING)
            map_put(declared->labels, labels[i].text, (void *)&labels[i]);
    return declared->labels;
}

static void check_label_of(struct check *c, struct check_declared *declared, vsr_str label, const struct dsl_name *at) {
    const struct map *labels = labels_of(c, declared);
    struct finding *finding;
    if (labels->n == 0 || map_get(labels, label))
        return;
    finding = CHECK_TELL(c, WARNING, "W208", at->at, "SIGNAL %.*s %.*s has no label \"%.*s\"",
                         VSR_FMT(declared->decl->type.text), VSR_FMT(declared->name), VSR_FMT(label));
    if (str_eq(at->text, label))
        dsl_check_suggest(c, finding, at, labels);
}

struct check_declared *dsl_check_signal(struct check_scope *scope, vsr_str type, const struct dsl_name *name,
                                        const struct dsl_at *at, bool label) {
    const struct config_family *family = dsl_check_family(scope->c, type);
    vsr_str rule = name->text, rest = VSR_STR("");
    struct check_declared *declared;
    bool split = family && (family->levels || (family->labels && label));
    if (split)
        rule = dsl_check_rule_of(name->text, &rest);
    declared = dsl_check_find(scope, type, rule);
    if (!declared) {
        tell_undefined(scope, type, rule, name, at);
        return NULL;
    }
    declared->used = true;
    if (declared->mapping)
        declared->mapping->used = true;
    if (split && family->levels)
        check_level(scope->c, family, rule, rest, name);
    else if (split && rest.len == 0)
        CHECK_TELL(scope->c, CONSTRAINT, "C323", name->at, "%s \"%.*s\" needs a label, as in %.*s:label", family->type,
                   VSR_FMT(rule), VSR_FMT(rule));
    else if (split)
        check_label_of(scope->c, declared, rest, name);
    return declared;
}

/* ---- conditions */

/* A classifier's leaf compares the probability of a label; others just match. */
static void check_leaf_shape(struct check *c, const struct dsl_expr *leaf, struct check_declared *declared,
                             vsr_str what) {
    const struct config_family *family = dsl_check_family(c, leaf->type.text);
    const struct dsl_value *label = dsl_check_value_of(&leaf->fields, "label");
    const struct dsl_value *predicate = dsl_check_value_of(&leaf->fields, "predicate");
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
            check_label_of(c, declared, label->text, &name);
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

void dsl_check_model_name(struct check *c, vsr_str where, const struct dsl_name *name) {
    struct check_model *model = map_get(&c->models, name->text);
    struct finding *finding;
    model = model ? model : map_get(&c->loras, name->text);
    if (model)
        model->used = true;
    if (model || c->models.n == 0 || name->text.len == 0 || dsl_check_may_be_lost(c, name->text))
        return;
    finding = CHECK_TELL(c, WARNING, "W205", name->at, "%.*smodel \"%.*s\" is not declared. Add MODEL %.*s { ... }",
                         VSR_FMT(where), VSR_FMT(name->text), VSR_FMT(dsl_check_spelled(c, name->text)));
    dsl_check_suggest(c, finding, name, &c->models);
}

static void check_lora(struct check *c, const struct dsl_model_ref *ref) {
    const struct dsl_value *lora = dsl_check_value_of(&ref->options, "lora");
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

/* A route, or a branch of a tree. */
struct route {
    struct check_scope *scope;
    vsr_str what; /* `route "r": ` */
    const struct dsl_body *body;
};

static void check_model_list(const struct route *route, const struct dsl_model_list *list) {
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

static void check_loop(const struct route *route, const struct dsl_item *loop) {
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
        const struct dsl_value *below = dsl_check_value_of(&value->fields, *path);
        if (below)
            check_named_models(c, where, below, path + 1);
    } else if (!*path && value->kind == DSL_STRING) {
        struct dsl_name name = dsl_check_name_of(value);
        dsl_check_model_name(c, where, &name);
    }
}

static void check_algorithm(const struct route *route, const struct dsl_item *item) {
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
        const struct dsl_value *value = dsl_check_value_of(&item->fields, model_fields[i].path[0]);
        if (value && str_eq_c(known->name, model_fields[i].algorithm))
            check_named_models(c, where, value, model_fields[i].path + 1);
    }
}

/* ---- plugins */

/*
 * Plugins that do nothing unless one of these says something. All plugins are on when `enabled` is not said, so that
 * leaving it out is no mistake.
 */
static const struct {
    const char *type;
    const char *fields[5];
} idle_without[] = {
    { "system_prompt", { "system_prompt" } },
    { "header_mutation", { "add", "update", "delete" } },
    { "request_params", { "blocked_params", "max_tokens_limit", "max_n", "strip_unknown" } },
};

static bool says_something(const struct dsl_fields *fields, const char *key) {
    const struct dsl_value *value = fields ? dsl_check_value_of(fields, key) : NULL;
    if (!value)
        return false;
    if (value->kind == DSL_STRING)
        return value->text.len > 0;
    if (value->kind == DSL_ARRAY)
        return value->n_items > 0;
    return value->kind != DSL_BOOL || value->truth;
}

static bool is_switched_off(const struct dsl_fields *fields, const struct dsl_fields *inherited) {
    const struct dsl_value *enabled = dsl_check_value_of(fields, "enabled");
    if (!enabled && inherited)
        enabled = dsl_check_value_of(inherited, "enabled");
    return enabled && enabled->kind == DSL_BOOL && !enabled->truth;
}

static void check_effect(const struct check_scope *scope, const struct check_block *block,
                         const struct dsl_name *name) {
    if (is_switched_off(block->fields, block->inherited))
        return; /* on purpose */
    for (size_t i = 0; i < VSR_COUNT(idle_without); i++) {
        bool works = false;
        vsr_str keys = VSR_STR("");
        if (!str_eq_c(block->block->name, idle_without[i].type))
            continue;
        for (size_t k = 0; k < VSR_COUNT(idle_without[i].fields) && idle_without[i].fields[k]; k++) {
            const char *key = idle_without[i].fields[k];
            works |= says_something(block->fields, key) || says_something(block->inherited, key);
            keys = arena_printf(scope->c->scratch, "%.*s%s%s", VSR_FMT(keys), k ? ", " : "", key);
        }
        if (!works)
            CHECK_TELL(scope->c, WARNING, "W303", name->at, "%.*s has no effect: it says nothing of %.*s",
                       VSR_FMT(block->what), VSR_FMT(keys));
    }
}

static void check_plugin(const struct route *route, const struct dsl_item *item) {
    struct check *c = route->scope->c;
    struct check_declared *template = map_get(&route->scope->templates, item->name.text);
    vsr_str type = template ? template->decl->type.text : item->name.text;
    struct check_block block = {
        .what = arena_printf(c->scratch, "%.*sPLUGIN %.*s", VSR_FMT(route->what), VSR_FMT(item->name.text)),
        .block = language_block(c->language, LANGUAGE_PLUGINS, type),
        .fields = &item->fields,
        .inherited = template ? &template->decl->fields : NULL,
        .at = item->name.at,
    };
    if (template)
        template->used = true;
    if (!block.block)
        return; /* E203 */
    dsl_check_block(c, &block);
    check_effect(route->scope, &block, &item->name);
}

static void check_templates(const struct check_scope *scope) {
    struct check *c = scope->c;
    DSL_EACH(decl, scope->program, DSL_PLUGIN) {
        struct check_block block = {
            .what = arena_printf(c->scratch, "PLUGIN %.*s", VSR_FMT(decl->name.text)),
            .block = language_block(c->language, LANGUAGE_PLUGINS, decl->type.text),
            .fields = &decl->fields,
            .at = decl->at,
            .partial = true, /* what is missing may be said where it is used */
        };
        c->findings->decl = decl->at;
        if (block.block)
            dsl_check_block(c, &block);
    }
}

/* ---- other items */

static void check_emit(const struct route *route, const struct dsl_item *item) {
    struct check *c = route->scope->c;
    const struct dsl_value *drop = dsl_check_value_of(&item->fields, "drop");
    const struct dsl_value *ttl = dsl_check_value_of(&item->fields, "ttl_turns");
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

static void check_extra(const struct route *route, const struct dsl_item *item) {
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
static void check_rank(const struct route *route, const struct dsl_item *item, const char *keyword) {
    const struct dsl_value *value = &item->value;
    bool low = value->integer < 0;
    if (low || value->integer > PRIORITY_MAX)
        finding_fix(CHECK_TELL(route->scope->c, CONSTRAINT, "C310", value->at, "%.*s%s must be %s %d, got %.*s",
                               VSR_FMT(route->what), keyword, low ? ">=" : "<=", low ? 0 : PRIORITY_MAX,
                               VSR_FMT(value->text)),
                    value->at, low ? VSR_STR("0") : VSR_STR("2147483647"), "set to %d", low ? 0 : PRIORITY_MAX);
}

static void check_item(const struct route *route, const struct dsl_item *item) {
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
        check_plugin(route, item);
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

static void check_body(const struct route *route) {
    for (size_t i = 0; i < route->body->n; i++)
        check_item(route, &route->body->items[i]);
}

/* A plugin that answers by itself needs no model. */
static bool answers_itself(const struct route *route) {
    for (size_t i = 0; i < route->body->n; i++) {
        const struct dsl_item *item = &route->body->items[i];
        const struct check_declared *template = map_get(&route->scope->templates, item->name.text);
        const struct language_block *block =
            item->kind == DSL_ITEM_PLUGIN ? language_block(route->scope->c->language, LANGUAGE_PLUGINS,
                                                           template ? template->decl->type.text : item->name.text)
                                          : NULL;
        if (block && str_eq_c(block->name, "fast_response"))
            return true;
    }
    return false;
}

static void check_route(struct check_scope *scope, const struct dsl_decl *decl) {
    struct check *c = scope->c;
    static const struct language_field no_fields[1];
    static const struct language_block header = { .fields = no_fields };
    struct route route = { scope, arena_printf(c->scratch, "route \"%.*s\": ", VSR_FMT(decl->name.text)), &decl->body };
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
    if (!models && !answers_itself(&route))
        CHECK_TELL(c, WARNING, "W204", decl->at, "route \"%.*s\" has no model. Add MODEL \"<name>\"",
                   VSR_FMT(decl->name.text));
    dsl_check_block(c, &options);
    check_body(&route);
}

static void check_tree(struct check_scope *scope, const struct dsl_decl *tree) {
    struct check *c = scope->c;
    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct dsl_branch *branch = &tree->branches[i];
        struct route route = {
            scope, arena_printf(c->scratch, "DECISION_TREE \"%.*s\" branch %zu: ", VSR_FMT(tree->name.text), i + 1),
            &branch->body
        };
        if (branch->when)
            check_condition(scope, branch->when);
        check_body(&route);
    }
}

void dsl_check_routes(struct check_scope *scope) {
    check_templates(scope);
    for (size_t i = 0; i < scope->program->n; i++) {
        const struct dsl_decl *decl = &scope->program->decls[i];
        scope->c->findings->decl = decl->at;
        if (decl->kind == DSL_ROUTE)
            check_route(scope, decl);
        else if (decl->kind == DSL_TREE)
            check_tree(scope, decl);
    }
}

/* ---- tests (dsl.md §6.6) */

static void check_test(const struct check_scope *scope, const struct dsl_decl *test,
                       const struct dsl_test_case *entry) {
    struct check *c = scope->c;
    if (str_trim(entry->query.text).len == 0)
        CHECK_TELL(c, CONSTRAINT, "C315", entry->query.at, "TEST %.*s: the query must not be empty",
                   VSR_FMT(test->name.text));
    if (!map_get(&scope->routes, entry->route.text) && !dsl_check_may_be_lost(c, entry->route.text))
        dsl_check_suggest(c,
                          CHECK_TELL(c, WARNING, "W209", entry->query.at, "TEST %.*s: route \"%.*s\" is not defined",
                                     VSR_FMT(test->name.text), VSR_FMT(entry->route.text)),
                          &entry->route, &scope->routes);
}

/* Signals that the query is expected to match: `{ keyword: ["urgent"] }`. */
static void check_facts(struct check_scope *scope, const struct dsl_decl *test, const struct dsl_fields *facts) {
    struct check *c = scope->c;
    for (size_t i = 0; i < facts->n; i++) {
        const struct dsl_field *fact = &facts->items[i];
        const struct dsl_value *names = fact->value.kind == DSL_ARRAY ? fact->value.items : &fact->value;
        size_t n = fact->value.kind == DSL_ARRAY ? fact->value.n_items : 1;
        if (!str_eq_c(fact->key.text, "projection") && !dsl_check_family(c, fact->key.text)) {
            dsl_check_suggest_type(c,
                                   CHECK_TELL(c, CONSTRAINT, "C301", fact->key.at,
                                              "TEST %.*s: unknown signal type \"%.*s\"", VSR_FMT(test->name.text),
                                              VSR_FMT(fact->key.text)),
                                   &fact->key, "projection", NULL);
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            struct dsl_name name = dsl_check_name_of(&names[k]);
            if (names[k].kind == DSL_STRING)
                (void)dsl_check_signal(scope, fact->key.text, &name, &name.at, false);
            else
                CHECK_TELL(c, CONSTRAINT, "C302", names[k].at,
                           "TEST %.*s: %.*s should be the name of a signal, or a list of names",
                           VSR_FMT(test->name.text), VSR_FMT(fact->key.text));
        }
    }
}

void dsl_check_tests(struct check_scope *scope) {
    DSL_EACH(decl, scope->program, DSL_TEST) {
        scope->c->findings->decl = decl->at;
        for (size_t i = 0; i < decl->n_cases; i++) {
            check_test(scope, decl, &decl->cases[i]);
            check_facts(scope, decl, &decl->cases[i].facts);
        }
    }
}
