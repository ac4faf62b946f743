/*
 * Parsing is recursive descent over the pattern: alternation, concatenation, repetition, atom. Flags are scoped to
 * their group, as in RE2. Case-insensitivity is resolved here: a set gets all that folds together with a member, before
 * it is negated.
 */
#include "text/regex.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/utf8.h"
#include "text/regex_ast.h"
#include "text/unicode.h"

enum {
    FLAG_CASE = 1u << 0,   /* i */
    FLAG_LINES = 1u << 1,  /* m */
    FLAG_DOT_NL = 1u << 2, /* s */
    FLAG_LAZY = 1u << 3,   /* U: swaps x* and x*? */
};

/* A general category that the pattern has named. */
struct category {
    vsr_str name; /* in the pattern */
    struct charset set;
    struct category *next;
};

struct parser {
    struct arena *arena;
    vsr_str text;
    size_t pos;
    unsigned flags;
    int depth;
    struct category *categories;
    struct vsr_err *err;
};

static int fail(struct parser *p, size_t at, int code, const char *what, vsr_str part) {
    if (part.len)
        err_set(p->err, code, "%s `%.*s`", what, VSR_FMT(part));
    else
        err_set(p->err, code, "%s", what);
    err_at(p->err, (vsr_str){ 0 }, 0, (uint32_t)at + 1);
    return code;
}

static int fail_from(struct parser *p, size_t at, const char *what) {
    return fail(p, at, VSR_E_SYNTAX, what, str_sub(p->text, at, p->pos));
}

static bool at_end(const struct parser *p) {
    return p->pos >= p->text.len;
}

static char peek(const struct parser *p) {
    return at_end(p) ? '\0' : p->text.ptr[p->pos];
}

static bool accept(struct parser *p, const char *word) {
    vsr_str want = str_from_c(word);
    if (!str_starts(str_sub(p->text, p->pos, p->text.len), want))
        return false;
    p->pos += want.len;
    return true;
}

static struct regex_node *node_new(struct parser *p, enum regex_node_kind kind) {
    struct regex_node *node = ARENA_NEW(p->arena, struct regex_node);
    node->kind = kind;
    charset_init(&node->set, p->arena);
    return node;
}

static void node_add(struct parser *p, struct regex_node *parent, struct regex_node *child) {
    parent->children =
        arena_grow(p->arena, parent->children, sizeof(struct regex_node *), parent->n_children, &parent->cap);
    parent->children[parent->n_children++] = child;
}

/* ---- named sets */

static const struct {
    const char *name;
    const char *ranges; /* pairs of bytes */
} posix_classes[] = {
    { "alnum", "09AZaz" },
    { "alpha", "AZaz" },
    { "ascii", "\x01\x7f" },
    { "blank", "\t\t  " },
    { "cntrl", "\x01\x1f\x7f\x7f" },
    { "digit", "09" },
    { "graph", "!~" },
    { "lower", "az" },
    { "print", " ~" },
    { "punct", "!/:@[`{~" },
    { "space", "\t\r  " },
    { "upper", "AZ" },
    { "word", "09AZaz__" },
    { "xdigit", "09AFaf" },
};

static void add_pairs(struct charset *set, const char *pairs) {
    for (; *pairs; pairs += 2)
        charset_add(set, (uint8_t)pairs[0], (uint8_t)pairs[1]);
}

/* Adds `part`, folded where flags ask for it and then negated: [^\W] under (?i) must not gain the letters of \w. */
static void add_set(struct parser *p, struct charset *set, struct charset *part, bool negated) {
    if (p->flags & FLAG_CASE)
        charset_add_folds(part);
    if (negated)
        charset_negate(part);
    for (size_t i = 0; i < part->n; i++)
        charset_add(set, part->ranges[i].first, part->ranges[i].last);
}

/* \d \D \s \S \w \W */
static bool add_perl_class(struct parser *p, struct charset *set, char letter) {
    struct charset part;
    charset_init(&part, p->arena);
    switch (letter) {
    case 'd':
    case 'D':
        add_pairs(&part, "09");
        break;
    case 's':
    case 'S': /* RE2's: no vertical tab */
        add_pairs(&part, "\t\n\f\r  ");
        break;
    case 'w':
    case 'W':
        add_pairs(&part, "09AZaz__");
        break;
    default:
        return false;
    }
    add_set(p, set, &part, letter < 'a');
    return true;
}

static void add_range(void *data, uint32_t first, uint32_t last) {
    charset_add(data, first, last);
}

/* utf8proc knows the category of each code point, so the ranges are found by walking all of them. */
static bool walk_category(struct charset *set, vsr_str name) {
    uint32_t first = 0;
    bool inside = false;
    for (uint32_t cp = 0; cp <= CHARSET_LAST + 1; cp++) {
        const char *category = cp <= CHARSET_LAST ? unicode_category(cp) : "  ";
        bool member = category[0] == name.ptr[0] && (name.len == 1 || category[1] == name.ptr[1]) &&
                      strncmp(category, "Cn", 2) != 0 && strncmp(category, "Cs", 2) != 0;
        if (member && !inside)
            first = cp;
        if (!member && inside)
            charset_add(set, first, cp - 1);
        inside = member;
    }
    return set->n > 0;
}

/* General category by one or two letters. Walking takes milliseconds, and a pattern has room for thousands of classes:
 * each is found once. */
static bool add_category(struct parser *p, struct charset *set, vsr_str name) {
    struct category *category = p->categories;
    if (name.len == 0 || name.len > 2 || !strchr("CLMNPSZ", name.ptr[0]))
        return false;
    while (category && !str_eq(category->name, name))
        category = category->next;
    if (!category) {
        category = ARENA_NEW(p->arena, struct category);
        charset_init(&category->set, p->arena);
        if (!walk_category(&category->set, name))
            return false;
        category->name = name;
        category->next = p->categories;
        p->categories = category;
    }
    for (size_t i = 0; i < category->set.n; i++)
        charset_add(set, category->set.ranges[i].first, category->set.ranges[i].last);
    return true;
}

static bool add_property(struct parser *p, struct charset *set, vsr_str name) {
    enum unicode_script script;
    if (str_eq_c(name, "Any")) {
        charset_add(set, 0, CHARSET_LAST);
        return true;
    }
    script = unicode_script_named(name);
    if (script == SCRIPT_OTHER)
        return add_category(p, set, name);
    unicode_script_ranges(script, add_range, set);
    return true;
}

/* Behind \p or \P: one letter, or {Name}, or {^Name}. */
static int parse_property(struct parser *p, size_t start, struct charset *set, bool negated) {
    struct charset part;
    vsr_str name;
    charset_init(&part, p->arena);
    if (accept(p, "{")) {
        ptrdiff_t len = str_find_char(str_sub(p->text, p->pos, p->text.len), '}');
        if (len < 0)
            return fail_from(p, start, "unclosed character class");
        name = str_sub(p->text, p->pos, p->pos + (size_t)len);
        p->pos += (size_t)len + 1;
        if (name.len && name.ptr[0] == '^') {
            negated = !negated;
            name = str_sub(name, 1, name.len);
        }
    } else {
        name = str_sub(p->text, p->pos, p->pos + 1);
        p->pos += name.len;
    }
    if (!add_property(p, &part, name))
        return fail_from(p, start, "unknown Unicode class");
    add_set(p, set, &part, negated);
    return 0;
}

/* ---- escapes */

static int hex_digit(char c) {
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind \x: two digits, or {digits}. */
static int parse_hex(struct parser *p, size_t start, uint32_t *ret_cp) {
    uint32_t cp = 0;
    size_t n = 0;
    bool braced = accept(p, "{");
    while (!at_end(p) && hex_digit(peek(p)) >= 0 && (braced ? n < 6 : n < 2)) {
        cp = cp * 16 + (uint32_t)hex_digit(peek(p));
        p->pos++;
        n++;
    }
    if (n == 0 || (!braced && n != 2) || (braced && !accept(p, "}")) || cp > CHARSET_LAST)
        return fail_from(p, start, "invalid escape sequence");
    *ret_cp = cp;
    return 0;
}

static uint32_t parse_octal(struct parser *p, uint32_t value) {
    for (int n = 1; n < 3 && peek(p) >= '0' && peek(p) <= '7'; n++, p->pos++)
        value = value * 8 + (uint32_t)(peek(p) - '0');
    return value;
}

/* One escaped character; p stands behind the backslash. Class escapes were tried before. */
static int parse_escape(struct parser *p, size_t start, uint32_t *ret_cp) {
    static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    char c = peek(p);
    const char *letter;
    if (at_end(p))
        return fail_from(p, start, "trailing backslash at end of pattern");
    if ((uint8_t)c >= 0x80) {
        p->pos++;
        return fail_from(p, start, "invalid escape sequence");
    }
    p->pos++;
    letter = strchr(letters, c);
    if (letter) {
        *ret_cp = (uint32_t)values[letter - letters];
        return 0;
    }
    if (c == 'x')
        return parse_hex(p, start, ret_cp);
    if (c == '0' || (c >= '1' && c <= '7' && peek(p) >= '0' && peek(p) <= '7')) {
        *ret_cp = parse_octal(p, (uint32_t)(c - '0'));
        return 0;
    }
    if (ascii_is_digit(c))
        return fail_from(p, start, "back-references are not supported:");
    if (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z')
        return fail_from(p, start, "invalid escape sequence");
    *ret_cp = (uint8_t)c;
    return 0;
}

static int next_code_point(struct parser *p, uint32_t *ret_cp) {
    size_t start = p->pos;
    *ret_cp = utf8_next(p->text, &p->pos);
    return *ret_cp == UTF8_INVALID ? fail(p, start, VSR_E_SYNTAX, "invalid UTF-8", (vsr_str){ 0 }) : 0;
}

/* ---- sets in brackets */

static int parse_posix(struct parser *p, struct charset *set, bool *ret_taken) {
    size_t start = p->pos;
    vsr_str rest = str_sub(p->text, p->pos, p->text.len), name;
    ptrdiff_t end = str_find(rest, VSR_STR(":]"));
    bool negated;
    struct charset part;
    *ret_taken = false;
    if (!str_starts(rest, VSR_STR("[:")) || end < 2)
        return 0;
    name = str_sub(rest, 2, (size_t)end);
    negated = name.len && name.ptr[0] == '^';
    if (negated)
        name = str_sub(name, 1, name.len);
    charset_init(&part, p->arena);
    for (size_t i = 0; i < VSR_COUNT(posix_classes); i++)
        if (str_eq_c(name, posix_classes[i].name)) {
            add_pairs(&part, posix_classes[i].ranges);
            if (i == 2 || i == 4) /* ascii and cntrl hold NUL, which ends the table's strings */
                charset_add(&part, 0, 0);
            add_set(p, set, &part, negated);
            p->pos += (size_t)end + 2;
            *ret_taken = true;
            return 0;
        }
    p->pos += (size_t)end + 2;
    return fail_from(p, start, "invalid character class");
}

/* A class that stands for itself inside brackets: \d, \pL, [:alpha:]. */
static int parse_inner_class(struct parser *p, struct charset *set, bool *ret_taken) {
    size_t start = p->pos;
    char letter;
    if (peek(p) == '[')
        return parse_posix(p, set, ret_taken);
    *ret_taken = false;
    if (peek(p) != '\\' || p->pos + 1 >= p->text.len)
        return 0;
    letter = p->text.ptr[p->pos + 1];
    if (letter == 'p' || letter == 'P') {
        p->pos += 2;
        *ret_taken = true;
        return parse_property(p, start, set, letter == 'P');
    }
    if (add_perl_class(p, set, letter)) {
        p->pos += 2;
        *ret_taken = true;
    }
    return 0;
}

static int parse_set_member(struct parser *p, uint32_t *ret_cp) {
    size_t start = p->pos;
    if (accept(p, "\\"))
        return parse_escape(p, start, ret_cp);
    return next_code_point(p, ret_cp);
}

/* One character or one range. */
static int parse_set_range(struct parser *p, struct charset *set) {
    size_t start = p->pos;
    uint32_t first = 0, last;
    int rc = parse_set_member(p, &first);
    if (rc < 0)
        return rc;
    last = first;
    if (peek(p) == '-' && p->pos + 1 < p->text.len && p->text.ptr[p->pos + 1] != ']') {
        p->pos++;
        rc = parse_set_member(p, &last);
        if (rc < 0)
            return rc;
        if (last < first)
            return fail_from(p, start, "invalid character class range");
    }
    charset_add(set, first, last);
    return 0;
}

/* p stands behind `[`. */
static int parse_brackets(struct parser *p, struct regex_node **ret_node) {
    size_t start = p->pos - 1;
    struct regex_node *node = node_new(p, REGEX_SET);
    struct charset plain; /* what is written as characters and ranges */
    bool negated = accept(p, "^");
    bool first = true;
    charset_init(&plain, p->arena);
    while (first || peek(p) != ']') {
        bool taken;
        int rc;
        if (at_end(p))
            return fail_from(p, start, "missing closing ]:");
        rc = parse_inner_class(p, &node->set, &taken);
        if (rc == 0 && !taken)
            rc = parse_set_range(p, &plain);
        if (rc < 0)
            return rc;
        first = false;
    }
    p->pos++;
    add_set(p, &node->set, &plain, false);
    if (negated)
        charset_negate(&node->set);
    charset_normalise(&node->set);
    *ret_node = node;
    return 0;
}

/* ---- atoms */

static struct regex_node *literal_new(struct parser *p, uint32_t cp) {
    struct regex_node *node = node_new(p, REGEX_SET);
    charset_add(&node->set, cp, cp);
    if (p->flags & FLAG_CASE)
        charset_add_folds(&node->set);
    charset_normalise(&node->set);
    return node;
}

static struct regex_node *assert_new(struct parser *p, enum regex_assert assert) {
    struct regex_node *node = node_new(p, REGEX_ASSERT);
    node->assert = assert;
    return node;
}

static struct regex_node *dot_new(struct parser *p) {
    struct regex_node *node = node_new(p, REGEX_SET);
    if (!(p->flags & FLAG_DOT_NL))
        charset_add(&node->set, '\n', '\n');
    charset_negate(&node->set);
    return node;
}

static int parse_quoted(struct parser *p, struct regex_node **ret_node) {
    struct regex_node *node = node_new(p, REGEX_CONCAT);
    while (!at_end(p) && !accept(p, "\\E")) {
        uint32_t cp;
        int rc = next_code_point(p, &cp);
        if (rc < 0)
            return rc;
        node_add(p, node, literal_new(p, cp));
    }
    *ret_node = node;
    return 0;
}

/* p stands at a backslash. */
static int parse_backslash(struct parser *p, struct regex_node **ret_node) {
    static const struct {
        char letter;
        enum regex_assert assert;
    } asserts[] = {
        { 'A', ASSERT_BEGIN_TEXT }, { 'z', ASSERT_END_TEXT }, { 'b', ASSERT_WORD }, { 'B', ASSERT_NOT_WORD }
    };
    size_t start = p->pos;
    char letter = p->pos + 1 < p->text.len ? p->text.ptr[p->pos + 1] : '\0';
    struct regex_node *node = NULL;
    bool taken;
    uint32_t cp;
    int rc;
    for (size_t i = 0; i < VSR_COUNT(asserts); i++)
        if (letter == asserts[i].letter) {
            p->pos += 2;
            *ret_node = assert_new(p, asserts[i].assert);
            return 0;
        }
    if (accept(p, "\\Q"))
        return parse_quoted(p, ret_node);
    node = node_new(p, REGEX_SET);
    rc = parse_inner_class(p, &node->set, &taken);
    if (rc < 0)
        return rc;
    if (taken) {
        charset_normalise(&node->set);
        *ret_node = node;
        return 0;
    }
    p->pos++;
    rc = parse_escape(p, start, &cp);
    if (rc == 0)
        *ret_node = literal_new(p, cp);
    return rc;
}

static int parse_alternation(struct parser *p, struct regex_node **ret_node);

static bool is_name_char(char c) {
    return ascii_is_digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static int parse_group_name(struct parser *p, size_t start) {
    size_t first = p->pos;
    while (is_name_char(peek(p)))
        p->pos++;
    if (p->pos == first || !accept(p, ">"))
        return fail_from(p, start, "invalid named capture");
    return 0;
}

/* Behind `(?`: flags up to `)` (they hold for the rest of the group around) or `:` (for this group). */
static int parse_flags(struct parser *p, size_t start, bool *ret_group) {
    unsigned flags = p->flags;
    bool negated = false, any = false;
    for (;; p->pos++) {
        static const char letters[] = "imsU";
        char c = peek(p);
        const char *letter = c ? strchr(letters, c) : NULL;
        if (letter) {
            unsigned flag = 1u << (letter - letters);
            flags = negated ? flags & ~flag : flags | flag;
            any = true;
        } else if (c == '-' && !negated) {
            negated = true;
            any = false;
        } else if ((c == ':' || c == ')') && (any || (!negated && c == ':'))) {
            p->pos++;
            p->flags = flags;
            *ret_group = c == ':';
            return 0;
        } else {
            p->pos += !at_end(p);
            return fail_from(p, start, "invalid or unsupported group syntax");
        }
    }
}
_Static_assert(FLAG_CASE == 1 && FLAG_LINES == 2 && FLAG_DOT_NL == 4 && FLAG_LAZY == 8, "order of the letters imsU");

/* p stands behind `(`. */
static int parse_group(struct parser *p, struct regex_node **ret_node) {
    size_t start = p->pos - 1;
    unsigned outer = p->flags;
    bool group = true;
    int rc = 0;
    if (accept(p, "?P<"))
        rc = parse_group_name(p, start);
    else if (accept(p, "?<=") || accept(p, "?<!") || accept(p, "?=") || accept(p, "?!"))
        rc = fail_from(p, start, "look-around is not supported:");
    else if (accept(p, "?<"))
        rc = parse_group_name(p, start);
    else if (accept(p, "?"))
        rc = parse_flags(p, start, &group);
    if (rc < 0)
        return rc;
    if (!group) {
        *ret_node = node_new(p, REGEX_EMPTY);
        return 0;
    }
    if (++p->depth > REGEX_DEPTH_MAX)
        return fail(p, start, VSR_E_LIMIT, "groups are nested too deeply", (vsr_str){ 0 });
    rc = parse_alternation(p, ret_node);
    p->depth--;
    if (rc < 0)
        return rc;
    if (!accept(p, ")"))
        return fail_from(p, start, "missing closing ):");
    p->flags = outer;
    return 0;
}

static int parse_atom(struct parser *p, struct regex_node **ret_node) {
    uint32_t cp;
    int rc;
    switch (peek(p)) {
    case '(':
        p->pos++;
        return parse_group(p, ret_node);
    case '[':
        p->pos++;
        return parse_brackets(p, ret_node);
    case '\\':
        return parse_backslash(p, ret_node);
    case '.':
        p->pos++;
        *ret_node = dot_new(p);
        return 0;
    case '^':
        p->pos++;
        *ret_node = assert_new(p, p->flags & FLAG_LINES ? ASSERT_BEGIN_LINE : ASSERT_BEGIN_TEXT);
        return 0;
    case '$':
        p->pos++;
        *ret_node = assert_new(p, p->flags & FLAG_LINES ? ASSERT_END_LINE : ASSERT_END_TEXT);
        return 0;
    case '*':
    case '+':
    case '?':
        p->pos++;
        return fail_from(p, p->pos - 1, "missing argument to repetition operator");
    default:
        rc = next_code_point(p, &cp);
        if (rc == 0)
            *ret_node = literal_new(p, cp);
        return rc;
    }
}

/* ---- repetition, concatenation, alternation */

static bool parse_number(struct parser *p, int *ret_number) {
    int number = 0;
    size_t start = p->pos;
    while (ascii_is_digit(peek(p)) && number <= REGEX_REPEAT_MAX)
        number = number * 10 + (p->text.ptr[p->pos++] - '0');
    while (ascii_is_digit(peek(p)))
        p->pos++;
    *ret_number = number;
    return p->pos > start;
}

/* {n} {n,} {n,m}; anything else is a literal brace, as in RE2. */
static bool parse_braces(struct parser *p, int *ret_min, int *ret_max) {
    size_t start = p->pos;
    if (accept(p, "{") && parse_number(p, ret_min)) {
        *ret_max = *ret_min;
        if (accept(p, ",") && !parse_number(p, ret_max))
            *ret_max = REGEX_UNBOUNDED;
        if (accept(p, "}"))
            return true;
    }
    p->pos = start;
    return false;
}

static bool parse_quantifier(struct parser *p, int *ret_min, int *ret_max) {
    *ret_min = 0;
    *ret_max = REGEX_UNBOUNDED;
    if (accept(p, "*"))
        return true;
    if (accept(p, "+")) {
        *ret_min = 1;
        return true;
    }
    if (accept(p, "?")) {
        *ret_max = 1;
        return true;
    }
    return parse_braces(p, ret_min, ret_max);
}

static int parse_repeat(struct parser *p, struct regex_node **ret_node) {
    struct regex_node *node = NULL;
    int min, max, rc;
    size_t start;
    rc = parse_atom(p, &node);
    if (rc < 0)
        return rc;
    start = p->pos;
    if (parse_quantifier(p, &min, &max)) {
        struct regex_node *repeat = node_new(p, REGEX_REPEAT);
        size_t behind;
        int more_min, more_max;
        if (min > REGEX_REPEAT_MAX || max > REGEX_REPEAT_MAX || (max != REGEX_UNBOUNDED && max < min))
            return fail_from(p, start, "invalid repeat count");
        repeat->min = min;
        repeat->max = max;
        repeat->lazy = accept(p, "?") != ((p->flags & FLAG_LAZY) != 0);
        node_add(p, repeat, node);
        node = repeat;
        behind = p->pos;
        if (parse_quantifier(p, &more_min, &more_max))
            return fail_from(p, behind, "invalid nested repetition operator");
    }
    *ret_node = node;
    return 0;
}

static int parse_concat(struct parser *p, struct regex_node **ret_node) {
    struct regex_node *concat = node_new(p, REGEX_CONCAT);
    while (!at_end(p) && peek(p) != '|' && peek(p) != ')') {
        struct regex_node *node = NULL;
        int rc = parse_repeat(p, &node);
        if (rc < 0)
            return rc;
        VSR_ASSERT(node);
        if (node->kind != REGEX_EMPTY)
            node_add(p, concat, node);
    }
    *ret_node = concat->n_children == 1 ? concat->children[0] : concat;
    return 0;
}

static int parse_alternation(struct parser *p, struct regex_node **ret_node) {
    struct regex_node *alternate = node_new(p, REGEX_ALTERNATE);
    do {
        struct regex_node *node = NULL;
        int rc = parse_concat(p, &node);
        if (rc < 0)
            return rc;
        node_add(p, alternate, node);
    } while (accept(p, "|"));
    *ret_node = alternate->n_children == 1 ? alternate->children[0] : alternate;
    return 0;
}

int regex_parse(struct arena *arena, vsr_str pattern, const struct regex_options *options, struct regex **ret_regex,
                struct vsr_err *err) {
    struct parser p = { .arena = arena, .text = pattern, .flags = options->ignore_case ? FLAG_CASE : 0, .err = err };
    struct regex *regex = ARENA_NEW(arena, struct regex);
    int rc;
    if (pattern.len > REGEX_LEN_MAX)
        return fail(&p, 0, VSR_E_LIMIT, "the pattern is too long", (vsr_str){ 0 });
    rc = parse_alternation(&p, &regex->root);
    if (rc < 0)
        return rc;
    if (!at_end(&p)) {
        p.pos++;
        return fail_from(&p, p.pos - 1, "unexpected");
    }
    rc = regex_program_build(arena, regex->root, &regex->program, err);
    if (rc == 0)
        *ret_regex = regex;
    return rc;
}

static bool node_matches_empty(const struct regex_node *node) {
    switch (node->kind) {
    case REGEX_SET:
        return false;
    case REGEX_EMPTY:
    case REGEX_ASSERT:
        return true;
    case REGEX_REPEAT:
        return node->min == 0 || node_matches_empty(node->children[0]);
    case REGEX_ALTERNATE:
        for (size_t i = 0; i < node->n_children; i++)
            if (node_matches_empty(node->children[i]))
                return true;
        return false;
    case REGEX_CONCAT:
        for (size_t i = 0; i < node->n_children; i++)
            if (!node_matches_empty(node->children[i]))
                return false;
        return true;
    }
    return true;
}

bool regex_matches_empty(const struct regex *regex) {
    return node_matches_empty(regex->root);
}

int regex_count(const struct regex *regex, struct arena *arena, vsr_str text, size_t *steps, size_t *ret_count,
                struct vsr_err *err) {
    return regex_program_count(regex->program, arena, text, SIZE_MAX, steps, ret_count, err);
}

int regex_occurs(const struct regex *regex, struct arena *arena, vsr_str text, size_t *steps, bool *ret_occurs,
                 struct vsr_err *err) {
    size_t count;
    int rc = regex_program_count(regex->program, arena, text, 1, steps, &count, err);
    if (rc == 0)
        *ret_occurs = count > 0;
    return rc;
}
