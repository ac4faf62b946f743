/* Names, values, fields and options; and what the other parts stand on: words, mistakes, lists. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json_number.h"
#include "core/utf8.h"
#include "dsl/findings.h"
#include "dsl/parser.h"

enum {
    SHOWN_CODE_POINTS = 40, /* of a token in a message */
    SHOWN_LEN_MAX = SHOWN_CODE_POINTS * 4 + 1,
    MESSAGE_LEN_MAX = 512,
    FEW_FIELDS = 8, /* compared each with each */
};

/* ---- words */

const struct token *parse_peek(const struct parser *p, size_t ahead) {
    const struct token *token = &p->tokens[p->at];
    for (; ahead > 0 && token->kind != TOKEN_END; ahead--)
        token++;
    return token;
}

void parse_advance(struct parser *p) {
    const struct token *token = &p->tokens[p->at];
    if (token->kind == TOKEN_END)
        return;
    p->braces += token_is(token, '{');
    p->braces -= token_is(token, '}') && p->braces > 0;
    p->at++;
    p->work++;
}

bool parse_at_sign(const struct parser *p, char sign) {
    return token_is(&p->tokens[p->at], sign);
}

bool parse_at_word(const struct parser *p, const char *word) {
    return token_is_word(&p->tokens[p->at], str_from_c(word));
}

bool parse_accept(struct parser *p, char sign) {
    if (!parse_at_sign(p, sign))
        return false;
    parse_advance(p);
    return true;
}

bool parse_expect(struct parser *p, char sign, const char *expected) {
    return parse_accept(p, sign) || parse_unexpected(p, expected);
}

struct dsl_at parse_whole(const struct parser *p, struct dsl_at start) {
    if (p->at > 0)
        start.end = p->tokens[p->at - 1].at.end;
    return start;
}

/* ---- mistakes */

struct finding *parse_error(struct parser *p, const char *code, struct dsl_at at, const char *format, ...) {
    char text[MESSAGE_LEN_MAX];
    va_list args;
    if (p->findings->n_of[FINDING_ERROR] - p->errors_before >= FINDINGS_SYNTAX_MAX) {
        p->findings->n_of[FINDING_ERROR]++;
        return NULL;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return finding_add(p->findings, FINDING_ERROR, code, at, "%s", text);
}

/* The beginning of what a token says. */
static vsr_str shown(vsr_str text) {
    size_t end = 0;
    for (int n = 0; n < SHOWN_CODE_POINTS && end < text.len; n++)
        (void)utf8_next(text, &end);
    return str_sub(text, 0, end);
}

/* Where the text ends, as people see it: behind the last token, not on the empty line below. */
static struct dsl_at end_place(const struct parser *p) {
    const struct token *token = &p->tokens[p->at];
    struct dsl_at at = token->at;
    if (p->at == 0)
        return at;
    token--;
    at.start = at.end = token->at.end;
    dsl_place(p->source, token->at, at.start, &at.line, &at.col);
    return at;
}

static struct finding *tell_unexpected(struct parser *p, const char *expected) {
    const struct token *token = &p->tokens[p->at];
    vsr_str text = shown(token->text);
    switch (token->kind) {
    case TOKEN_ERROR:
        return NULL; /* told */
    case TOKEN_END:
        return parse_error(p, "E101", end_place(p), "unexpected end of input (expected %s)", expected);
    default:
        return parse_error(p, "E101", token->at, "unexpected \"%.*s%s\" (expected %s)", VSR_FMT(text),
                           text.len < token->text.len ? "..." : "", expected);
    }
}

bool parse_unexpected(struct parser *p, const char *expected) {
    (void)tell_unexpected(p, expected);
    return false;
}

/* A letter may be wrong, two in long words; whether letters are capitals does not matter. */
static size_t slips_allowed(size_t len) {
    return len < 4 ? 0 : len <= 6 ? 1 : 2;
}

static vsr_str nearest_word(struct parser *p, vsr_str text, const char *const *words, size_t n) {
    struct arena_mark mark = arena_mark(p->scratch);
    vsr_str nearest = { 0 };
    size_t best = SIZE_MAX;
    text = arena_str_lower(p->scratch, text);
    for (size_t i = 0; i < n; i++) {
        vsr_str word = str_from_c(words[i]);
        size_t max = slips_allowed(word.len), distance = str_distance(text, arena_str_lower(p->scratch, word), max);
        if (distance <= max && distance < best) {
            best = distance;
            nearest = word;
        }
    }
    arena_rewind(p->scratch, mark);
    return nearest;
}

bool parse_misspelled(struct parser *p, const char *expected, const char *const *words, size_t n) {
    const struct token *token = &p->tokens[p->at];
    struct finding *finding = tell_unexpected(p, expected);
    vsr_str word;
    if (!finding || token->kind != TOKEN_IDENT || token->text.len > SHOWN_CODE_POINTS)
        return false;
    word = nearest_word(p, token->text, words, n);
    if (word.len > 0 && !str_eq(word, token->text))
        finding_fix(finding, token->at, word, "change to \"%.*s\"", VSR_FMT(word));
    return false;
}

bool parse_expect_word(struct parser *p, const char *word, const char *expected) {
    if (!parse_at_word(p, word))
        return parse_misspelled(p, expected, &word, 1);
    parse_advance(p);
    return true;
}

/* Fields have a colon, options an equals sign; who writes the other one means this one. */
static bool expect_assignment(struct parser *p, char sign, char other) {
    const struct token *token = &p->tokens[p->at];
    char text[2] = { sign, '\0' };
    struct finding *finding;
    if (parse_accept(p, sign))
        return true;
    finding = tell_unexpected(p, sign == ':' ? "\":\"" : "\"=\"");
    if (token_is(token, other))
        finding_fix(finding, token->at, str_from_c(text), "change to \"%c\"", sign);
    return false;
}

bool parse_enter(struct parser *p) {
    if (p->depth < DSL_DEPTH_MAX) {
        p->depth++;
        return true;
    }
    (void)parse_error(p, "E105", p->tokens[p->at].at, "nested deeper than %d levels", DSL_DEPTH_MAX);
    return false;
}

void parse_leave(struct parser *p) {
    p->depth--;
}

/* ---- lists */

void parse_push(struct parser *p, struct parse_stack *stack, const void *item, size_t size) {
    stack->items = arena_grow(p->scratch, stack->items, size, stack->n, &stack->cap);
    memcpy(stack->items + stack->n++ * size, item, size);
}

void *parse_take(struct parser *p, struct parse_stack *stack, size_t base, size_t size, size_t *ret_n) {
    size_t n = stack->n - base;
    void *array;
    *ret_n = n;
    stack->n = base;
    if (n == 0)
        return NULL;
    array = arena_alloc_array(p->arena, size, n);
    memcpy(array, stack->items + base * size, n * size);
    return array;
}

/* ---- names */

bool parse_identifier(struct parser *p, const char *expected, struct dsl_name *ret) {
    const struct token *token = &p->tokens[p->at];
    if (token->kind != TOKEN_IDENT)
        return parse_unexpected(p, expected);
    *ret = (struct dsl_name){ .text = token->text, .at = token->at };
    parse_advance(p);
    return true;
}

bool parse_name(struct parser *p, const char *expected, struct dsl_name *ret) {
    const struct token *token = &p->tokens[p->at];
    if (token->kind != TOKEN_STRING)
        return parse_identifier(p, expected, ret);
    *ret = (struct dsl_name){ .text = token->text, .at = token->at, .quoted = true };
    parse_advance(p);
    return true;
}

/* ---- values */

static void read_number(const struct token *token, struct dsl_value *ret) {
    vsr_str text = token->text;
    ret->kind = token->kind == TOKEN_INT ? DSL_INT : DSL_FLOAT;
    ret->text = text;
    if (text.ptr[0] == '+')
        text = str_sub(text, 1, text.len);
    (void)json_number_double(text, &ret->number); /* the lexer saw to it that numbers fit */
    if (token->kind == TOKEN_INT)
        (void)json_number_i64(text, &ret->integer);
}

static void read_word(vsr_str word, struct dsl_value *ret) {
    ret->bare = true;
    if (str_eq_c(word, "true") || str_eq_c(word, "false")) {
        ret->kind = DSL_BOOL;
        ret->bare = false;
        ret->truth = word.ptr[0] == 't';
    } else if (str_eq_c(word, "null")) {
        ret->kind = DSL_NULL;
    } else {
        ret->kind = DSL_STRING;
        ret->text = word;
    }
}

static bool parse_array(struct parser *p, struct dsl_value *ret) {
    size_t base = p->values.n;
    if (!parse_enter(p))
        return false;
    parse_advance(p);
    while (!parse_at_sign(p, ']')) {
        struct dsl_value item;
        if (!parse_value(p, &item))
            return false;
        parse_push(p, &p->values, &item, sizeof(item));
        if (!parse_accept(p, ',') && !parse_at_sign(p, ']'))
            return parse_unexpected(p, "\",\" or \"]\"");
    }
    parse_advance(p);
    parse_leave(p);
    ret->kind = DSL_ARRAY;
    ret->items = parse_take(p, &p->values, base, sizeof(*ret->items), &ret->n_items);
    return true;
}

static bool parse_object(struct parser *p, struct dsl_value *ret) {
    if (!parse_enter(p))
        return false;
    ret->kind = DSL_OBJECT;
    if (!parse_fields(p, &ret->fields))
        return false;
    parse_leave(p);
    return true;
}

bool parse_value(struct parser *p, struct dsl_value *ret) {
    const struct token *token = &p->tokens[p->at];
    bool read = true;
    *ret = (struct dsl_value){ .at = token->at };
    switch (token->kind) {
    case TOKEN_STRING:
        ret->kind = DSL_STRING;
        ret->text = token->text;
        parse_advance(p);
        break;
    case TOKEN_INT:
    case TOKEN_FLOAT:
        read_number(token, ret);
        parse_advance(p);
        break;
    case TOKEN_IDENT:
        read_word(token->text, ret);
        parse_advance(p);
        break;
    default:
        read = token_is(token, '[')   ? parse_array(p, ret)
               : token_is(token, '{') ? parse_object(p, ret)
                                      : parse_unexpected(p, "value");
    }
    ret->at = parse_whole(p, ret->at);
    return read;
}

/* ---- fields */

static int compare_keys(const void *a, const void *b) {
    const struct dsl_field *left = *(struct dsl_field *const *)a, *right = *(struct dsl_field *const *)b;
    int order = str_cmp(left->key.text, right->key.text);
    return order ? order : left < right ? -1 : left > right;
}

void parse_override(struct parser *p, struct dsl_field *earlier, const struct dsl_field *later) {
    vsr_str key = shown(later->key.text);
    earlier->overridden = true;
    (void)finding_add(p->findings, FINDING_WARNING, "W105", later->key.at,
                      "field \"%.*s\" is set twice; the last one counts", VSR_FMT(key));
}

static void check_few(struct parser *p, const struct dsl_fields *fields) {
    for (size_t later = 1; later < fields->n; later++) {
        for (size_t i = later; i > 0; i--) {
            if (str_eq(fields->items[later].key.text, fields->items[i - 1].key.text)) {
                parse_override(p, &fields->items[i - 1], &fields->items[later]);
                break;
            }
        }
    }
}

/* W105. */
static void check_repeated(struct parser *p, const struct dsl_fields *fields) {
    struct arena_mark mark;
    struct dsl_field **order;
    if (fields->n <= FEW_FIELDS) {
        check_few(p, fields);
        return;
    }
    mark = arena_mark(p->scratch);
    order = ARENA_ARRAY(p->scratch, struct dsl_field *, fields->n);
    for (size_t i = 0; i < fields->n; i++)
        order[i] = &fields->items[i];
    qsort(order, fields->n, sizeof(struct dsl_field *), compare_keys);
    for (size_t i = 1; i < fields->n; i++) {
        if (str_eq(order[i]->key.text, order[i - 1]->key.text))
            parse_override(p, order[i - 1], order[i]);
    }
    arena_rewind(p->scratch, mark);
}

/* `8K` is a number and a word; where tokens are counted it is one text. */
static void join_unit(struct parser *p, struct dsl_field *field) {
    const struct token *unit = &p->tokens[p->at];
    bool counts = str_eq_c(field->key.text, "min_tokens") || str_eq_c(field->key.text, "max_tokens");
    bool number = dsl_is_number(&field->value);
    if (!counts || !number || unit->kind != TOKEN_IDENT || unit->at.start != field->value.at.end || unit->text.len != 1)
        return;
    if (str_find_char(VSR_STR("KkMm"), unit->text.ptr[0]) < 0)
        return;
    parse_advance(p);
    field->value.at = parse_whole(p, field->value.at);
    field->value.kind = DSL_STRING;
    field->value.bare = true;
    field->value.text = str_sub(p->source, field->value.at.start, field->value.at.end);
}

static bool parse_field(struct parser *p, const char *expected) {
    struct dsl_field field = { 0 };
    bool in_object = p->depth > 0; /* its keys may be any text: headers, annotations */
    if (!(in_object ? parse_name : parse_identifier)(p, expected, &field.key) || !expect_assignment(p, ':', '=') ||
        !parse_value(p, &field.value))
        return false;
    if (p->token_counts)
        join_unit(p, &field);
    parse_push(p, &p->fields, &field, sizeof(field));
    return true;
}

bool parse_field_list(struct parser *p, char closer, struct dsl_fields *ret) {
    const char *expected = closer == '}' ? "field or \"}\"" : "field or \")\"";
    size_t base = p->fields.n;
    for (;;) {
        bool comma = parse_accept(p, ',');
        if (parse_at_sign(p, closer) && !(comma && closer == '}' && p->fields.n == base))
            break;
        if (!parse_field(p, expected))
            return false;
    }
    ret->items = parse_take(p, &p->fields, base, sizeof(*ret->items), &ret->n);
    check_repeated(p, ret);
    return true;
}

bool parse_fields(struct parser *p, struct dsl_fields *ret) {
    struct dsl_at start = p->tokens[p->at].at;
    if (!parse_expect(p, '{', "\"{\"") || !parse_field_list(p, '}', ret))
        return false;
    parse_advance(p);
    ret->at = parse_whole(p, start);
    return true;
}

static bool parse_option(struct parser *p, const char *expected) {
    struct dsl_field field = { 0 };
    if (!parse_identifier(p, expected, &field.key) || !expect_assignment(p, '=', ':') || !parse_value(p, &field.value))
        return false;
    parse_push(p, &p->fields, &field, sizeof(field));
    return true;
}

bool parse_options(struct parser *p, enum parse_commas commas, bool may_be_empty, struct dsl_fields *ret) {
    struct dsl_at start = p->tokens[p->at].at;
    size_t base = p->fields.n;
    if (!parse_expect(p, '(', "\"(\""))
        return false;
    while (!parse_at_sign(p, ')') || (p->fields.n == base && !may_be_empty)) {
        if (!parse_option(p, may_be_empty || p->fields.n > base ? "option or \")\"" : "option"))
            return false;
        if (!parse_accept(p, ',') && commas == COMMAS_NEEDED && !parse_at_sign(p, ')'))
            return parse_unexpected(p, "\",\" or \")\"");
    }
    parse_advance(p);
    ret->at = parse_whole(p, start);
    ret->items = parse_take(p, &p->fields, base, sizeof(*ret->items), &ret->n);
    check_repeated(p, ret);
    return true;
}
