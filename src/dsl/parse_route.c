/* What stands in a route or in a branch of a decision tree. */
#include <stdlib.h>

#include "core/arena.h"
#include "dsl/findings.h"
#include "dsl/parse.h"
#include "dsl/parser.h"

struct item_word {
    const char *word;
    enum dsl_item_kind kind;
    bool in_route, in_branch;
    bool once; /* the last one counts */
    bool (*parse)(struct parser *p, struct dsl_item *item);
};

static bool parse_integer(struct parser *p, struct dsl_item *item) {
    return parse_peek(p, 0)->kind == TOKEN_INT ? parse_value(p, &item->value) : parse_unexpected(p, "integer");
}

static bool parse_text(struct parser *p, struct dsl_item *item) {
    return parse_peek(p, 0)->kind == TOKEN_STRING ? parse_value(p, &item->value) : parse_unexpected(p, "string");
}

static bool parse_when(struct parser *p, struct dsl_item *item) {
    return parse_expr(p, &item->when);
}

static bool parse_branch_name(struct parser *p, struct dsl_item *item) {
    return parse_name(p, "branch name", &item->name);
}

static bool parse_models(struct parser *p, struct dsl_item *item);

static bool parse_algorithm(struct parser *p, struct dsl_item *item) {
    return parse_identifier(p, "algorithm type", &item->name) &&
           (!parse_at_sign(p, '{') || parse_fields(p, &item->fields));
}

static bool parse_plugin(struct parser *p, struct dsl_item *item) {
    return parse_name(p, "plugin name", &item->name) && (!parse_at_sign(p, '{') || parse_fields(p, &item->fields));
}

static bool parse_for(struct parser *p, struct dsl_item *item);

static bool parse_emit(struct parser *p, struct dsl_item *item) {
    return parse_identifier(p, "kind of emission", &item->name) && parse_fields(p, &item->fields);
}

static bool parse_extra(struct parser *p, struct dsl_item *item) {
    return parse_fields(p, &item->fields);
}

static const struct item_word item_words[] = {
    { "PRIORITY", DSL_ITEM_PRIORITY, true, false, true, parse_integer },
    { "TIER", DSL_ITEM_TIER, true, true, true, parse_integer },
    { "WHEN", DSL_ITEM_WHEN, true, false, true, parse_when },
    { "DESCRIPTION", DSL_ITEM_DESCRIPTION, true, true, true, parse_text },
    { "NAME", DSL_ITEM_NAME, false, true, true, parse_branch_name },
    { "MODEL", DSL_ITEM_MODEL, true, true, false, parse_models },
    { "ALGORITHM", DSL_ITEM_ALGORITHM, true, true, true, parse_algorithm },
    { "PLUGIN", DSL_ITEM_PLUGIN, true, true, false, parse_plugin },
    { "FOR", DSL_ITEM_FOR, true, true, false, parse_for },
    { "EMIT", DSL_ITEM_EMIT, true, true, false, parse_emit },
    { "EXTRA", DSL_ITEM_EXTRA, true, true, false, parse_extra },
};

static const struct item_word *find_word(const struct token *token) {
    for (size_t i = 0; token->kind == TOKEN_IDENT && i < VSR_COUNT(item_words); i++) {
        if (str_eq_c(token->text, item_words[i].word))
            return &item_words[i];
    }
    return NULL;
}

bool dsl_is_item_word(vsr_str word) {
    const struct token token = { .kind = TOKEN_IDENT, .text = word };
    return find_word(&token) != NULL;
}

/* ---- models */

/* Behind MODEL a bare word that begins an item is that item: `MODEL a,` and `PLUGIN x` on the next line are two. */
static bool parse_model(struct parser *p, bool bare_words) {
    struct dsl_model_ref ref = { 0 };
    if (!bare_words && find_word(parse_peek(p, 0)))
        return parse_unexpected(p, "model name");
    if (!parse_name(p, "model name", &ref.model))
        return false;
    if (parse_at_sign(p, '(') && !parse_options(p, COMMAS_NEEDED, false, &ref.options))
        return false;
    parse_push(p, &p->refs, &ref, sizeof(ref));
    return true;
}

static bool begins_model(const struct parser *p) {
    const struct token *token = parse_peek(p, 0);
    return token->kind == TOKEN_STRING || (token->kind == TOKEN_IDENT && !find_word(token));
}

static bool parse_models(struct parser *p, struct dsl_item *item) {
    size_t base = p->refs.n;
    do {
        if (!parse_model(p, false))
            return false;
    } while (parse_accept(p, ',') && begins_model(p));
    item->models.items = parse_take(p, &p->refs, base, sizeof(*item->models.items), &item->models.n);
    return true;
}

/* ---- FOR v IN [a, b] { MODEL v } */

static bool parse_listed(struct parser *p, struct dsl_model_list *ret) {
    size_t base = p->refs.n;
    if (!parse_expect(p, '[', "\"[\""))
        return false;
    do {
        if (!parse_model(p, true))
            return false;
    } while (parse_accept(p, ',') && !parse_at_sign(p, ']'));
    ret->items = parse_take(p, &p->refs, base, sizeof(*ret->items), &ret->n);
    return parse_expect(p, ']', "\",\" or \"]\"");
}

static bool parse_outputs(struct parser *p, struct dsl_model_list *ret) {
    size_t base = p->refs.n;
    if (!parse_expect(p, '{', "\"{\""))
        return false;
    while (!parse_at_sign(p, '}')) {
        if (!parse_expect_word(p, "MODEL", "\"MODEL\" or \"}\""))
            return false;
        do {
            if (!parse_model(p, false))
                return false;
        } while (parse_accept(p, ',') && begins_model(p));
    }
    parse_advance(p);
    ret->items = parse_take(p, &p->refs, base, sizeof(*ret->items), &ret->n);
    return true;
}

static bool parse_for(struct parser *p, struct dsl_item *item) {
    if (!parse_identifier(p, "variable name", &item->name) || !parse_expect_word(p, "IN", "\"IN\""))
        return false;
    if (parse_at_sign(p, '[') ? !parse_listed(p, &item->models)
                              : !parse_name(p, "list of models or source", &item->source))
        return false;
    return parse_outputs(p, &item->outputs);
}

/* ---- the list of items */

static void tell_repeated(struct parser *p, const struct dsl_item *item, const char *word) {
    (void)finding_add(p->findings, FINDING_WARNING, "W106", item->at, "%s is given twice; the last one counts", word);
}

static bool is_here(const struct item_word *word, enum parse_body kind) {
    return kind == BODY_ROUTE ? word->in_route : word->in_branch;
}

/* Behind a condition `and` may have been meant to go on with it. */
static bool tell_no_item(struct parser *p, enum parse_body kind) {
    const char *words[VSR_COUNT(item_words) + 2] = { "AND", "OR" };
    size_t n = 2;
    for (size_t i = 0; i < VSR_COUNT(item_words); i++) {
        if (is_here(&item_words[i], kind))
            words[n++] = item_words[i].word;
    }
    return parse_misspelled(p, kind == BODY_ROUTE ? "route item or \"}\"" : "branch item or \"}\"", words, n);
}

static bool parse_item(struct parser *p, enum parse_body kind, unsigned *seen) {
    const struct item_word *word = find_word(parse_peek(p, 0));
    struct dsl_item item = { 0 };
    if (!word || !is_here(word, kind))
        return tell_no_item(p, kind);
    item.kind = word->kind;
    item.at = parse_peek(p, 0)->at;
    parse_advance(p);
    if (!word->parse(p, &item))
        return false;
    item.whole = parse_whole(p, item.at);
    if (word->once && (*seen & 1u << word->kind))
        tell_repeated(p, &item, word->word);
    *seen |= 1u << word->kind;
    parse_push(p, &p->items, &item, sizeof(item));
    return true;
}

struct extra_field {
    struct dsl_field *field;
    size_t at; /* in the order of the text */
};

static int compare_extras(const void *a, const void *b) {
    const struct extra_field *one = a, *other = b;
    int order = str_cmp(one->field->key.text, other->field->key.text);
    return order ? order : one->at < other->at ? -1 : 1;
}

/* All EXTRA of a route are one block; what one of them says twice has been told. */
static void check_extras(struct parser *p, const struct dsl_body *body) {
    struct arena_mark mark = arena_mark(p->scratch);
    struct extra_field *fields;
    size_t n = 0, n_extras = 0;
    for (size_t i = 0; i < body->n; i++) {
        n_extras += body->items[i].kind == DSL_ITEM_EXTRA;
        n += body->items[i].kind == DSL_ITEM_EXTRA ? body->items[i].fields.n : 0;
    }
    if (n_extras < 2 || n == 0)
        return;
    fields = ARENA_ARRAY(p->scratch, struct extra_field, n);
    n = 0;
    for (size_t i = 0; i < body->n; i++)
        for (size_t k = 0; body->items[i].kind == DSL_ITEM_EXTRA && k < body->items[i].fields.n; k++, n++)
            fields[n] = (struct extra_field){ &body->items[i].fields.items[k], n };
    qsort(fields, n, sizeof(*fields), compare_extras);
    for (size_t i = 1; i < n; i++)
        if (!fields[i - 1].field->overridden && str_eq(fields[i].field->key.text, fields[i - 1].field->key.text))
            parse_override(p, fields[i - 1].field, fields[i].field);
    arena_rewind(p->scratch, mark);
}

bool parse_body(struct parser *p, enum parse_body kind, struct dsl_body *ret) {
    struct dsl_at start = parse_peek(p, 0)->at;
    size_t base = p->items.n;
    unsigned seen = 0;
    if (!parse_expect(p, '{', "\"{\""))
        return false;
    while (!parse_at_sign(p, '}')) {
        if (!parse_item(p, kind, &seen))
            return false;
    }
    parse_advance(p);
    ret->at = parse_whole(p, start);
    ret->items = parse_take(p, &p->items, base, sizeof(*ret->items), &ret->n);
    check_extras(p, ret);
    return true;
}
