#include "dsl/token.h"

#include <limits.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_number.h"
#include "core/utf8.h"
#include "dsl/findings.h"
#include "dsl/spelling.h"
#include "dsl/token_string.h"

enum {
    SHOWN_CODE_POINTS = 16, /* of a text that is no token */
    SAFE_DIGITS = 18,       /* any integer of so many digits fits 64 bits, any decimal of so many a double */
    BYTES_PER_TOKEN = 5,    /* of ordinary programs: first guess of how many there will be */
    GUESS_MIN = 64,
    SPELLED_LEN_MAX = 12 * SHOWN_CODE_POINTS, /* an escape of a code point has at most ten bytes */
};

struct lexer {
    struct arena *arena;
    vsr_str text;
    size_t at;          /* next byte */
    uint32_t line, col; /* of it */
    size_t bad;         /* next byte that is no UTF-8; text.len: none */
    bool line_used;     /* a token stands before `at` on its line */
    size_t short_until; /* a string that begins before it ends on its line: this text was searched once already */
    bool doubting;
    struct tokens *tokens;
    struct findings *findings;
    size_t errors_before;
};

/* ---- classes of bytes */

enum { CLASS_BLANK = 1, CLASS_DIGIT = 2, CLASS_WORD = 4 /* first */, CLASS_WORD_REST = 8, CLASS_PUNCTUATION = 16 };

static unsigned class_of(char c) {
    unsigned char u = (unsigned char)c;
    if ((u | 32) >= 'a' && (u | 32) <= 'z')
        return CLASS_WORD | CLASS_WORD_REST;
    if (u >= '0' && u <= '9')
        return CLASS_DIGIT | CLASS_WORD_REST;
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case '\f':
    case '\v':
        return CLASS_BLANK;
    case '_':
        return CLASS_WORD | CLASS_WORD_REST;
    case '.':
    case '-':
    case '/':
        return CLASS_WORD_REST;
    case '{':
    case '}':
    case '(':
    case ')':
    case '[':
    case ']':
    case ':':
    case ',':
    case '>':
    case '=':
        return CLASS_PUNCTUATION;
    default:
        return 0;
    }
}

static bool is_class(const struct lexer *l, size_t at, unsigned class) {
    return at < l->text.len && (class_of(l->text.ptr[at]) & class) != 0;
}

static bool is_byte(const struct lexer *l, size_t at, char c) {
    return at < l->text.len && l->text.ptr[at] == c;
}

/* ---- places */

static struct dsl_at here(const struct lexer *l) {
    return (struct dsl_at){ (uint32_t)l->at, (uint32_t)l->at, l->line, l->col };
}

/* Moves to `end`, counting lines and columns. */
static void move_to(struct lexer *l, size_t end) {
    l->tokens->work += end - l->at;
    for (; l->at < end; l->at++) {
        char c = l->text.ptr[l->at];
        if (c == '\n') {
            l->line++;
            l->col = 1;
            l->line_used = false;
        } else {
            l->col += ((unsigned char)c & 0xC0) != 0x80;
        }
    }
}

/* The same over ASCII without a break. */
static void move_along(struct lexer *l, size_t end) {
    l->tokens->work += end - l->at;
    l->col += (uint32_t)(end - l->at);
    l->at = end;
}

/* ---- what is found wrong */

static bool syntax_full(const struct lexer *l) {
    return l->findings->n_of[FINDING_ERROR] - l->errors_before >= FINDINGS_SYNTAX_MAX;
}

#define LEXICAL_ERROR(l, code, at, ...) \
    do { \
        if (syntax_full(l)) \
            (l)->findings->n_of[FINDING_ERROR]++; \
        else \
            (void)finding_add((l)->findings, FINDING_ERROR, (code), (at), __VA_ARGS__); \
    } while (0)

/* Told once for each comment or token, at its first bad byte. Returns whether there is one before `end`. */
static bool tell_bad_bytes(struct lexer *l, size_t end) {
    struct dsl_at at = here(l);
    if (l->bad >= end)
        return false;
    dsl_place(l->text, at, (uint32_t)l->bad, &at.line, &at.col);
    at.start = (uint32_t)l->bad;
    at.end = at.start + 1;
    LEXICAL_ERROR(l, "E103", at, "invalid UTF-8: byte 0x%02x", (unsigned char)l->text.ptr[l->bad]);
    l->bad = end + utf8_check(str_sub(l->text, end, l->text.len));
    return true;
}

/* ---- the list */

static struct token *push_token(struct lexer *l, enum token_kind kind, size_t end) {
    struct tokens *tokens = l->tokens;
    struct token *token;
    tokens->items = arena_grow(l->arena, tokens->items, sizeof(*tokens->items), tokens->n, &tokens->cap);
    token = &tokens->items[tokens->n++];
    token->kind = kind;
    token->punctuation = '\0';
    token->at = here(l);
    token->at.end = (uint32_t)end;
    token->text = str_make(l->text.ptr + l->at, end - l->at);
    if (kind == TOKEN_STRING || kind == TOKEN_ERROR || kind == TOKEN_ARROW)
        move_to(l, end);
    else
        move_along(l, end);
    l->line_used = true;
    return token;
}

static void read_comment(struct lexer *l) {
    const char *start = l->text.ptr + l->at;
    const char *stop = memchr(start, '\n', l->text.len - l->at);
    size_t end = stop ? (size_t)(stop - l->text.ptr) : l->text.len, next = end;
    struct tokens *tokens = l->tokens;
    struct comment *comment;
    while (end > l->at && is_class(l, end - 1, CLASS_BLANK))
        end--;
    (void)tell_bad_bytes(l, next);
    tokens->comments =
        arena_grow(l->arena, tokens->comments, sizeof(*tokens->comments), tokens->n_comments, &tokens->comments_cap);
    comment = &tokens->comments[tokens->n_comments++];
    comment->at = here(l);
    comment->at.end = (uint32_t)end;
    comment->before = (uint32_t)tokens->n;
    comment->own_line = !l->line_used;
    move_to(l, next);
}

/* ---- numbers */

static size_t skip_digits(const struct lexer *l, size_t at) {
    while (is_class(l, at, CLASS_DIGIT))
        at++;
    return at;
}

/* End of the exponent that begins at `at`, or `at`: `7em` is a number and a word. */
static size_t skip_exponent(const struct lexer *l, size_t at) {
    size_t digits, end;
    if (!is_byte(l, at, 'e') && !is_byte(l, at, 'E'))
        return at;
    digits = at + 1;
    if (is_byte(l, digits, '+') || is_byte(l, digits, '-'))
        digits++;
    end = skip_digits(l, digits);
    return end == digits || is_class(l, end, CLASS_WORD_REST) ? at : end;
}

/*
 * Canonical text writes 1e21 as 1000000000000000000000. Such a number is read as the double that it was; any other
 * integer past 64 bits would be rounded, and is refused.
 */
static bool is_printed_double(vsr_str digits) {
    char text[JSON_NUMBER_LEN_MAX];
    vsr_str shortest = { text, 0 };
    size_t exponent = 0, n = 0;
    double value;
    while (digits.len > 0 && digits.ptr[0] == '0')
        digits = str_sub(digits, 1, digits.len);
    if (!json_number_double(digits, &value))
        return false;
    shortest.len = json_number_print(value, text);
    for (size_t i = 0; i < shortest.len && shortest.ptr[i] != 'e'; i++) {
        if (shortest.ptr[i] == '.')
            continue;
        if (n >= digits.len || shortest.ptr[i] != digits.ptr[n++])
            return false;
    }
    for (exponent = n; exponent < digits.len && digits.ptr[exponent] == '0';)
        exponent++;
    return exponent == digits.len;
}

/* Both are the kind that it is read as, or ERROR. */
static enum token_kind check_number(struct lexer *l, vsr_str text, bool decimal) {
    struct dsl_at at = here(l);
    int64_t integer;
    double number;
    at.end = at.start + (uint32_t)text.len;
    if (text.len <= SAFE_DIGITS && str_find_char(text, 'e') < 0 && str_find_char(text, 'E') < 0)
        return decimal ? TOKEN_FLOAT : TOKEN_INT;
    if (text.ptr[0] == '+')
        text = str_sub(text, 1, text.len);
    if (decimal) {
        if (json_number_double(text, &number))
            return TOKEN_FLOAT;
        LEXICAL_ERROR(l, "E102", at, "number is too large");
        return TOKEN_ERROR;
    }
    if (json_number_i64(text, &integer))
        return TOKEN_INT;
    if (is_printed_double(str_sub(text, text.ptr[0] == '-', text.len)))
        return TOKEN_FLOAT;
    LEXICAL_ERROR(l, "E102", at, "integer does not fit 64 bits");
    return TOKEN_ERROR;
}

static bool begins_number(const struct lexer *l) {
    return is_class(l, l->at + (is_byte(l, l->at, '+') || is_byte(l, l->at, '-')), CLASS_DIGIT);
}

static void read_number(struct lexer *l) {
    size_t end = skip_digits(l, l->at + 1), before;
    bool decimal = false;
    if (is_byte(l, end, '.') && is_class(l, end + 1, CLASS_DIGIT)) {
        decimal = true;
        end = skip_digits(l, end + 1);
    }
    before = end;
    end = skip_exponent(l, end);
    decimal |= end > before;
    (void)push_token(l, check_number(l, str_sub(l->text, l->at, end), decimal), end);
}

/* ---- strings */

/* Text right behind a closing quote: there is no reason to write that, but every string begins so. */
static bool is_doubtful_end(const struct lexer *l, size_t end) {
    return end < l->text.len && !strchr(" \t\r\n\f\v,:]})-#", l->text.ptr[end]);
}

/* Where the string that begins here ends, behind its closing quote; 0: not where it should. */
static size_t find_string_end(struct lexer *l, size_t *ret_broken_escape) {
    bool on_one_line = true;
    size_t at = l->at + 1;
    *ret_broken_escape = 0;
    for (; at < l->text.len && l->text.ptr[at] != '"'; at++) {
        if (is_byte(l, at, '\\') && is_byte(l, at + 1, '\n')) {
            *ret_broken_escape = *ret_broken_escape ? *ret_broken_escape : at;
        } else if (is_byte(l, at, '\\')) {
            at++;
        } else if (is_byte(l, at, '\n')) {
            on_one_line = false;
            if (l->at < l->short_until)
                break;
        }
    }
    l->tokens->work += at - l->at;
    if (!is_byte(l, at, '"')) {
        if (at >= l->text.len)
            l->short_until = l->text.len;
        return 0;
    }
    if (on_one_line || !is_doubtful_end(l, at + 1))
        return at + 1;
    l->tokens->doubtful = true;
    if (!l->doubting)
        return at + 1;
    l->short_until = at;
    return 0;
}

static size_t end_of_line(const struct lexer *l) {
    const char *stop = memchr(l->text.ptr + l->at, '\n', l->text.len - l->at);
    size_t end = stop ? (size_t)(stop - l->text.ptr) : l->text.len;
    while (end > l->at + 1 && is_class(l, end - 1, CLASS_BLANK))
        end--;
    return end;
}

static void read_string(struct lexer *l) {
    size_t broken_escape, end = find_string_end(l, &broken_escape);
    struct dsl_at at = here(l);
    struct token *token;
    vsr_str text;
    bool bad;
    if (end == 0) {
        end = end_of_line(l);
        at.end = (uint32_t)end;
        LEXICAL_ERROR(l, "E102", at, "unterminated string");
        (void)push_token(l, TOKEN_ERROR, end);
        return;
    }
    at.end = (uint32_t)end;
    bad = tell_bad_bytes(l, end);
    if (broken_escape) {
        dsl_place(l->text, at, (uint32_t)broken_escape, &at.line, &at.col);
        at.start = (uint32_t)broken_escape;
        at.end = at.start + 1;
        LEXICAL_ERROR(l, "E102", at, "a backslash cannot stand at the end of a line in a string");
        bad = true;
    }
    if (bad) {
        (void)push_token(l, TOKEN_ERROR, end);
        return;
    }
    bad = !token_string(l->arena, l->text, at, l->findings, &text);
    if (bad)
        LEXICAL_ERROR(l, "E103", at, "string is not valid UTF-8 once its escapes are read");
    token = push_token(l, bad ? TOKEN_ERROR : TOKEN_STRING, end);
    token->text = text;
}

/* ---- all tokens */

static bool is_arrow(const struct lexer *l, size_t *ret_len) {
    vsr_str rest = str_sub(l->text, l->at, l->text.len);
    *ret_len = str_starts(rest, VSR_STR("->")) ? 2 : str_starts(rest, VSR_STR("\xE2\x86\x92")) ? 3 : 0;
    return *ret_len > 0;
}

/* Whether a token, a comment or a blank begins at `at`. */
static bool begins_something(struct lexer *l, size_t at) {
    size_t was = l->at, len;
    bool begins;
    l->at = at;
    begins = is_class(l, at, CLASS_BLANK | CLASS_DIGIT | CLASS_WORD | CLASS_PUNCTUATION) || is_byte(l, at, '"') ||
             is_byte(l, at, '#') || is_arrow(l, &len) || begins_number(l);
    l->at = was;
    return begins;
}

/* As it stands; with a NUL, which no message holds, as a string of the language. */
static vsr_str quoted(struct lexer *l, vsr_str text) {
    struct buf out;
    vsr_str spelled;
    if (str_find_char(text, '\0') < 0)
        return arena_printf(l->arena, "\"%.*s\"", VSR_FMT(text));
    buf_init(&out, SPELLED_LEN_MAX);
    spell_string(&out, text);
    spelled = arena_str(l->arena, buf_str(&out));
    buf_done(&out);
    return spelled;
}

/* A stretch of text that is no token: one error. */
static void read_rest(struct lexer *l) {
    size_t end = l->at, shown = l->at, n = 0;
    struct dsl_at at = here(l);
    while (end < l->text.len && end < l->bad && !begins_something(l, end))
        (void)utf8_next(l->text, &end);
    if (end == l->at) { /* at a bad byte */
        while (end < l->text.len && (unsigned char)l->text.ptr[end] >= 0x80)
            end++;
        (void)tell_bad_bytes(l, end);
        (void)push_token(l, TOKEN_ERROR, end);
        return;
    }
    at.end = (uint32_t)end;
    while (shown < l->bad && n < SHOWN_CODE_POINTS && !is_byte(l, shown, '\n')) {
        (void)utf8_next(l->text, &shown);
        n++;
    }
    while (shown > end && is_class(l, shown - 1, CLASS_BLANK))
        shown--;
    LEXICAL_ERROR(l, "E102", at, "invalid input text %.*s", VSR_FMT(quoted(l, str_sub(l->text, l->at, shown))));
    (void)push_token(l, TOKEN_ERROR, end);
}

static size_t skip_class(const struct lexer *l, size_t at, unsigned class) {
    while (is_class(l, at, class))
        at++;
    return at;
}

static void read_one(struct lexer *l) {
    char c = l->text.ptr[l->at];
    unsigned class = class_of(c);
    size_t len;
    if (class & CLASS_BLANK) {
        move_to(l, skip_class(l, l->at, CLASS_BLANK));
    } else if (class & CLASS_WORD) {
        (void)push_token(l, TOKEN_IDENT, skip_class(l, l->at, CLASS_WORD_REST));
    } else if (class & CLASS_PUNCTUATION) {
        push_token(l, TOKEN_PUNCTUATION, l->at + 1)->punctuation = c;
    } else if (begins_number(l)) {
        read_number(l);
    } else if (c == '"') {
        read_string(l);
    } else if (c == '#') {
        read_comment(l);
    } else if (is_arrow(l, &len)) {
        (void)push_token(l, TOKEN_ARROW, l->at + len);
    } else {
        read_rest(l);
    }
}

static void refuse(struct lexer *l, const char *what, size_t limit) {
    (void)finding_add(l->findings, FINDING_ERROR, "E106", here(l), "a program has at most %zu %s; split it", limit,
                      what);
    l->tokens->n = 0;
    l->tokens->n_comments = 0;
    l->text.len = 0;
    l->at = 0;
}

static void read_all(struct arena *arena, vsr_str source, bool doubting, struct tokens *ret_tokens,
                     struct findings *findings) {
    struct lexer l = {
        .arena = arena, .text = source, .line = 1, .col = 1, .tokens = ret_tokens, .findings = findings
    };
    *ret_tokens = (struct tokens){ 0 };
    if (!source.ptr)
        l.text.ptr = "";
    l.doubting = doubting;
    l.errors_before = findings->n_of[FINDING_ERROR];
    if (source.len > DSL_BYTES_MAX)
        refuse(&l, "bytes", DSL_BYTES_MAX);
    ret_tokens->cap = l.text.len / BYTES_PER_TOKEN + GUESS_MIN;
    if (ret_tokens->cap > DSL_TOKENS_MAX)
        ret_tokens->cap = DSL_TOKENS_MAX;
    ret_tokens->items = ARENA_ARRAY(arena, struct token, ret_tokens->cap);
    l.bad = utf8_check(l.text);
    if (str_starts(l.text, VSR_STR("\xEF\xBB\xBF")))
        l.at = 3;
    while (l.at < l.text.len) {
        read_one(&l);
        if (ret_tokens->n >= DSL_TOKENS_MAX || ret_tokens->n_comments >= DSL_TOKENS_MAX)
            refuse(&l, "words and signs", DSL_TOKENS_MAX);
    }
    (void)push_token(&l, TOKEN_END, l.at);
}

void tokens_read(struct arena *arena, vsr_str source, struct tokens *ret_tokens, struct findings *findings) {
    read_all(arena, source, false, ret_tokens, findings);
}

void tokens_read_doubting(struct arena *arena, vsr_str source, struct tokens *ret_tokens, struct findings *findings) {
    read_all(arena, source, true, ret_tokens, findings);
}
