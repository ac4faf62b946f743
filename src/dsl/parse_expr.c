/* Conditions: `a AND NOT (b OR c)`. NOT binds closest, then AND, then OR. */
#include "core/arena.h"
#include "dsl/parse.h"
#include "dsl/parser.h"

static const char expected_factor[] = "signal reference, \"NOT\" or \"(\"";

static bool parse_factor(struct parser *p, struct dsl_expr **ret);

static const char *const operators[] = { "AND", "OR", "NOT" };

bool dsl_is_signal_word(vsr_str word) {
    static const char *const taken[] = { "PRIORITY", "TIER", "WHEN", "DESCRIPTION", "MODEL", "ALGORITHM", "PLUGIN",
                                         "FOR",      "EMIT", "NAME", "EXTRA",       "IF",    "ELSE" };
    for (size_t i = 0; i < VSR_COUNT(taken); i++) {
        if (str_eq_c(word, taken[i]))
            return false;
    }
    for (size_t i = 0; i < VSR_COUNT(operators); i++) {
        if (str_eq_nocase(word, str_from_c(operators[i])))
            return false;
    }
    return true;
}

/* `type("name", label: "x", ...)` */
static bool parse_signal(struct parser *p, struct dsl_expr **ret) {
    struct dsl_expr *expr;
    struct dsl_at open;
    if (parse_peek(p, 0)->kind == TOKEN_IDENT && !dsl_is_signal_word(parse_peek(p, 0)->text))
        return parse_misspelled(p, expected_factor, operators, VSR_COUNT(operators));
    expr = ARENA_NEW(p->arena, struct dsl_expr);
    expr->kind = DSL_SIGNAL;
    if (!parse_identifier(p, expected_factor, &expr->type))
        return false;
    open = parse_peek(p, 0)->at;
    if (!parse_expect(p, '(', "\"(\"") || !parse_name(p, "signal name", &expr->name) ||
        !parse_field_list(p, ')', &expr->fields))
        return false;
    parse_advance(p);
    expr->at = parse_whole(p, expr->type.at);
    if (expr->fields.n > 0)
        expr->fields.at = parse_whole(p, open);
    *ret = expr;
    return true;
}

static bool parse_not(struct parser *p, struct dsl_expr **ret) {
    struct dsl_expr *expr = ARENA_NEW(p->arena, struct dsl_expr);
    struct dsl_at start = parse_peek(p, 0)->at;
    if (!parse_enter(p))
        return false;
    parse_advance(p);
    expr->kind = DSL_NOT;
    expr->items = ARENA_NEW(p->arena, struct dsl_expr *);
    expr->n_items = 1;
    if (!parse_factor(p, &expr->items[0]))
        return false;
    parse_leave(p);
    expr->at = parse_whole(p, start);
    *ret = expr;
    return true;
}

static bool parse_group(struct parser *p, struct dsl_expr **ret) {
    struct dsl_at start = parse_peek(p, 0)->at;
    if (!parse_enter(p))
        return false;
    parse_advance(p);
    if (!parse_expr(p, ret))
        return false;
    if (!parse_accept(p, ')'))
        return parse_misspelled(p, "\"AND\", \"OR\" or \")\"", operators, VSR_COUNT(operators));
    parse_leave(p);
    (*ret)->parens = true;
    (*ret)->at = parse_whole(p, start);
    return true;
}

static bool parse_factor(struct parser *p, struct dsl_expr **ret) {
    if (parse_at_word(p, "NOT"))
        return parse_not(p, ret);
    if (parse_at_sign(p, '('))
        return parse_group(p, ret);
    return parse_signal(p, ret);
}

/* One part, or a chain of them: `part word part word part`. */
static bool parse_chain(struct parser *p, const char *word, enum dsl_expr_kind kind,
                        bool (*parse_part)(struct parser *p, struct dsl_expr **ret), struct dsl_expr **ret) {
    size_t base = p->exprs.n;
    struct dsl_expr *part = NULL, *chain;
    if (!parse_part(p, &part))
        return false;
    *ret = part;
    if (!parse_at_word(p, word))
        return true;
    parse_push(p, &p->exprs, &part, sizeof(part));
    while (parse_at_word(p, word)) {
        parse_advance(p);
        if (!parse_part(p, &part))
            return false;
        parse_push(p, &p->exprs, &part, sizeof(part));
    }
    chain = ARENA_NEW(p->arena, struct dsl_expr);
    chain->kind = kind;
    chain->items = parse_take(p, &p->exprs, base, sizeof(part), &chain->n_items);
    chain->at = parse_whole(p, chain->items[0]->at);
    *ret = chain;
    return true;
}

static bool parse_and(struct parser *p, struct dsl_expr **ret) {
    return parse_chain(p, "AND", DSL_AND, parse_factor, ret);
}

bool parse_expr(struct parser *p, struct dsl_expr **ret) {
    return parse_chain(p, "OR", DSL_OR, parse_and, ret);
}
