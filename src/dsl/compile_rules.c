#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile_parts.h"

static const char *const operators[] = { [DSL_SIGNAL] = "", [DSL_AND] = "AND", [DSL_OR] = "OR", [DSL_NOT] = "NOT" };

/* Its list of conditions goes to *ret_conditions. */
static struct yaml_node *group(struct compile *c, enum dsl_expr_kind kind, const struct dsl_at *at,
                               struct yaml_node **ret_conditions) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, at);
    compile_put(c, node, VSR_STR("operator"), at, compile_plain(c, str_from_c(operators[kind]), at));
    *ret_conditions = compile_node(c, YAML_SEQUENCE, at);
    compile_put(c, node, VSR_STR("conditions"), at, *ret_conditions);
    return node;
}

static void check_type(struct compile *c, const struct dsl_name *type) {
    const struct language *language = c->language;
    struct finding *finding;
    vsr_str *names;
    size_t n = language->n_blocks[LANGUAGE_SIGNALS];
    if (str_eq_c(type->text, "projection") || language_block(language, LANGUAGE_SIGNALS, type->text))
        return;
    finding = finding_add(c->findings, FINDING_ERROR, "E201", type->at,
                          "unknown signal type \"%.*s\". Supported signal types: %.*s, and projection",
                          VSR_FMT(type->text), VSR_FMT(compile_names(c, LANGUAGE_SIGNALS)));
    if (!finding)
        return;
    names = ARENA_ARRAY(c->arena, vsr_str, n + 1);
    memcpy(names, language->names[LANGUAGE_SIGNALS], n * sizeof(*names));
    names[n] = VSR_STR("projection");
    compile_suggest(c, finding, type, names, n + 1);
}

static struct yaml_node *leaf(struct compile *c, const struct dsl_expr *expr) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &expr->at);
    check_type(c, &expr->type);
    compile_put(c, node, VSR_STR("type"), &expr->type.at, compile_text(c, expr->type.text, &expr->type.at));
    compile_put(c, node, VSR_STR("name"), &expr->name.at, compile_text(c, expr->name.text, &expr->name.at));
    compile_block(c, c->language->leaf, PLACE_INSIDE, &expr->fields, &expr->at, node);
    return node;
}

/* Chains of one operator are one list, however they were put in parentheses. Depth is bounded by the parser. */
static void push_flat(struct compile *c, enum dsl_expr_kind kind, const struct dsl_expr *expr,
                      struct yaml_node *conditions) {
    if (expr->kind != kind) {
        yaml_push(c->arena, conditions, compile_condition(c, expr));
        return;
    }
    for (size_t i = 0; i < expr->n_items; i++)
        push_flat(c, kind, expr->items[i], conditions);
}

struct yaml_node *compile_not(struct compile *c, struct yaml_node *condition, const struct dsl_at *at) {
    struct yaml_node *conditions, *node = group(c, DSL_NOT, at, &conditions);
    yaml_push(c->arena, conditions, condition);
    return node;
}

struct yaml_node *compile_condition(struct compile *c, const struct dsl_expr *expr) {
    struct yaml_node *conditions, *node;
    if (expr->kind == DSL_SIGNAL)
        return leaf(c, expr);
    if (expr->kind == DSL_NOT)
        return compile_not(c, compile_condition(c, expr->items[0]), &expr->at);
    if (expr->n_items == 1)
        return compile_condition(c, expr->items[0]);
    node = group(c, expr->kind, &expr->at, &conditions);
    push_flat(c, expr->kind, expr, conditions);
    return node;
}

static bool is_group(const struct yaml_node *node) {
    return yaml_get(node, VSR_STR("operator")) != NULL;
}

static bool is_and(const struct yaml_node *node) {
    const struct yaml_node *op = yaml_get(node, VSR_STR("operator"));
    return op && str_eq_c(op->text, "AND");
}

struct yaml_node *compile_all(struct compile *c, struct yaml_node *own, struct yaml_node *const *others,
                              size_t n_others, const struct dsl_at *at) {
    const struct yaml_node *spread = own && is_and(own) ? yaml_get(own, VSR_STR("conditions")) : NULL;
    struct yaml_node *conditions, *node;
    if (own && n_others == 0 && is_group(own))
        return own;
    if (!own && n_others == 1)
        return others[0];
    node = group(c, DSL_AND, at, &conditions);
    if (own && !spread)
        yaml_push(c->arena, conditions, own);
    for (size_t i = 0; spread && i < spread->n_items; i++)
        yaml_push(c->arena, conditions, spread->items[i]);
    for (size_t i = 0; i < n_others; i++)
        yaml_push(c->arena, conditions, others[i]);
    return node;
}

struct yaml_node *compile_rules(struct compile *c, const struct dsl_expr *expr, const struct dsl_at *at) {
    struct yaml_node *node;
    if (expr)
        return compile_all(c, compile_condition(c, expr), NULL, 0, &expr->at);
    node = compile_node(c, YAML_MAPPING, at);
    compile_put(c, node, VSR_STR("operator"), at, compile_plain(c, VSR_STR("AND"), at));
    return node;
}
