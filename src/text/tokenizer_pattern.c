#include "text/tokenizer_pattern.h"

#include <utf8proc.h>

#include "core/arena.h"
#include "text/tokenizer_work.h"
#include "text/unicode.h"

/* The classes that the large expressions tell apart. */
enum char_class { OTHER, LETTER, NUMBER, SPACE };

#define L LETTER
#define N NUMBER
#define S SPACE
static const uint8_t ascii_classes[128] = {
    [' '] = S, ['\t'] = S, ['\n'] = S, ['\v'] = S, ['\f'] = S, ['\r'] = S, ['0'] = N, ['1'] = N, ['2'] = N, ['3'] = N,
    ['4'] = N, ['5'] = N,  ['6'] = N,  ['7'] = N,  ['8'] = N,  ['9'] = N,  ['A'] = L, ['B'] = L, ['C'] = L, ['D'] = L,
    ['E'] = L, ['F'] = L,  ['G'] = L,  ['H'] = L,  ['I'] = L,  ['J'] = L,  ['K'] = L, ['L'] = L, ['M'] = L, ['N'] = L,
    ['O'] = L, ['P'] = L,  ['Q'] = L,  ['R'] = L,  ['S'] = L,  ['T'] = L,  ['U'] = L, ['V'] = L, ['W'] = L, ['X'] = L,
    ['Y'] = L, ['Z'] = L,  ['a'] = L,  ['b'] = L,  ['c'] = L,  ['d'] = L,  ['e'] = L, ['f'] = L, ['g'] = L, ['h'] = L,
    ['i'] = L, ['j'] = L,  ['k'] = L,  ['l'] = L,  ['m'] = L,  ['n'] = L,  ['o'] = L, ['p'] = L, ['q'] = L, ['r'] = L,
    ['s'] = L, ['t'] = L,  ['u'] = L,  ['v'] = L,  ['w'] = L,  ['x'] = L,  ['y'] = L, ['z'] = L,
};
#undef L
#undef N
#undef S

static utf8proc_category_t category_of(uint32_t cp) {
    return utf8proc_category((utf8proc_int32_t)cp);
}

static bool is_number(uint32_t cp) {
    utf8proc_category_t category = category_of(cp);
    return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}
_Static_assert(UTF8PROC_CATEGORY_ND + 2 == UTF8PROC_CATEGORY_NO, "the numbers are neighbours");
_Static_assert(UTF8PROC_CATEGORY_PC + 6 == UTF8PROC_CATEGORY_PO, "the punctuation marks are neighbours");

static enum char_class class_of_wide(uint32_t cp) {
    if (unicode_is_letter(cp))
        return LETTER;
    if (is_number(cp))
        return NUMBER;
    return unicode_is_space(cp) ? SPACE : OTHER;
}

/* Class of the character at `*pos`, which moves behind it. */
static inline enum char_class next_class(vsr_str text, size_t *pos) {
    uint8_t c = (uint8_t)text.ptr[*pos];
    if (c < 0x80) {
        ++*pos;
        return (enum char_class)ascii_classes[c];
    }
    return class_of_wide(token_decode(text.ptr, pos));
}

/* End of the run of characters of `class` from `pos` on. */
static inline size_t run_end(vsr_str text, size_t pos, enum char_class class) {
    while (pos < text.len) {
        size_t next = pos;
        if (next_class(text, &next) != class)
            break;
        pos = next;
    }
    return pos;
}

static bool is_letter_at(vsr_str text, size_t pos, char c, bool any_case) {
    return pos < text.len && (text.ptr[pos] == c || (any_case && ascii_lower(text.ptr[pos]) == c));
}

/* Length of 's 't 're 've 'm 'll 'd here, 0 when none stands here. */
static size_t contraction(vsr_str text, size_t pos, bool any_case) {
    if (text.ptr[pos] != '\'' || pos + 1 >= text.len)
        return 0;
    for (const char *c = "stmd"; *c; c++)
        if (is_letter_at(text, pos + 1, *c, any_case))
            return 2;
    if ((is_letter_at(text, pos + 1, 'r', any_case) || is_letter_at(text, pos + 1, 'v', any_case)) &&
        is_letter_at(text, pos + 2, 'e', any_case))
        return 3;
    if (is_letter_at(text, pos + 1, 'l', any_case) && is_letter_at(text, pos + 2, 'l', any_case))
        return 3;
    return 0;
}

static size_t last_char_start(vsr_str text, size_t end) {
    do
        end--;
    while (((uint8_t)text.ptr[end] & 0xC0) == 0x80);
    return end;
}

/* \s+(?!\S)|\s+ : a run of spaces leaves its last one to what follows, unless it is alone. */
static size_t spaces_end(vsr_str text, size_t pos) {
    size_t end = run_end(text, pos, SPACE), last;
    if (end == text.len)
        return end;
    last = last_char_start(text, end);
    return last == pos ? end : last;
}

static size_t gpt2_end(vsr_str text, size_t pos) {
    size_t next = pos, lead = contraction(text, pos, false);
    enum char_class class;
    if (lead)
        return pos + lead;
    class = next_class(text, &next);
    if (text.ptr[pos] == ' ' && next < text.len) {
        size_t behind = next;
        enum char_class joined = next_class(text, &behind);
        if (joined != SPACE)
            return run_end(text, behind, joined);
    }
    return class == SPACE ? spaces_end(text, pos) : run_end(text, next, class);
}

static size_t line_ends_end(vsr_str text, size_t pos) {
    while (pos < text.len && (text.ptr[pos] == '\r' || text.ptr[pos] == '\n'))
        pos++;
    return pos;
}

/* \s*[\r\n]+ : up to the last line end of the run; 0 when it has none. */
static size_t last_line_end(vsr_str text, size_t pos) {
    size_t end = run_end(text, pos, SPACE);
    while (end > pos && text.ptr[end - 1] != '\r' && text.ptr[end - 1] != '\n')
        end--;
    return end > pos ? end : 0;
}

static size_t numbers_end(vsr_str text, size_t pos, size_t max) {
    while (max-- > 0 && pos < text.len) {
        size_t next = pos;
        if (next_class(text, &next) != NUMBER)
            break;
        pos = next;
    }
    return pos;
}

static size_t qwen_end(vsr_str text, size_t pos, size_t digits_max) {
    size_t next = pos, behind, end;
    char c = text.ptr[pos];
    enum char_class class, joined = SPACE;
    size_t lead = contraction(text, pos, true);
    if (lead)
        return pos + lead;
    class = next_class(text, &next);
    if (class == LETTER)
        return run_end(text, next, LETTER);
    if (class == NUMBER)
        return numbers_end(text, pos, digits_max);
    behind = next;
    if (next < text.len)
        joined = next_class(text, &behind);
    if (joined == LETTER && next < text.len && c != '\r' && c != '\n')
        return run_end(text, behind, LETTER);
    if (class == OTHER)
        return line_ends_end(text, run_end(text, next, OTHER));
    if (c == ' ' && next < text.len && joined == OTHER)
        return line_ends_end(text, run_end(text, behind, OTHER));
    end = last_line_end(text, pos);
    return end ? end : spaces_end(text, pos);
}

bool token_is_word(uint32_t cp) {
    utf8proc_category_t category;
    if (cp < 0x80)
        return (cp | 32) - 'a' < 26 || cp - '0' < 10 || cp == '_';
    category = category_of(cp);
    if ((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) || category == UTF8PROC_CATEGORY_PC)
        return true;
    return cp == 0x200C || cp == 0x200D || (cp >= 0x24B6 && cp <= 0x24E9) || (cp >= 0x1F130 && cp <= 0x1F149) ||
           (cp >= 0x1F150 && cp <= 0x1F169) || (cp >= 0x1F170 && cp <= 0x1F189); /* Other_Alphabetic symbols */
}
_Static_assert(UTF8PROC_CATEGORY_LU + 9 == UTF8PROC_CATEGORY_NL, "letters, marks, Nd and Nl are neighbours");

bool token_is_punctuation(uint32_t cp) {
    utf8proc_category_t category;
    if (cp < 0x80)
        return cp - 33 < 15 || cp - 58 < 7 || cp - 91 < 6 || cp - 123 < 4;
    category = category_of(cp);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static bool is_unicode_punctuation(uint32_t cp) {
    utf8proc_category_t category = category_of(cp);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static bool is_member(const struct token_class *class, uint32_t cp) {
    if ((class->space && unicode_is_space(cp)) || (class->not_space && !unicode_is_space(cp)) ||
        (class->word && token_is_word(cp)) || (class->not_word && !token_is_word(cp)) ||
        (class->digit && unicode_is_digit(cp)) || (class->not_digit && !unicode_is_digit(cp)) ||
        (class->letter && unicode_is_letter(cp)) || (class->number && is_number(cp)) ||
        (class->punctuation && is_unicode_punctuation(cp)) || (class->bert_punctuation && token_is_punctuation(cp)))
        return true;
    for (size_t i = 0; i < class->n_ranges; i++)
        if (cp >= class->ranges[i].first && cp <= class->ranges[i].last)
            return true;
    return false;
}

bool token_class_has(const struct token_class *class, uint32_t cp) {
    return is_member(class, cp) != class->negated;
}

static bool find_run(const struct token_pattern *pattern, vsr_str text, size_t from, size_t *ret_start,
                     size_t *ret_end) {
    while (from < text.len) {
        size_t start = from, n = 0;
        while (from < text.len && n < pattern->most) {
            size_t next = from;
            if (!token_class_has(&pattern->class, token_decode(text.ptr, &next)))
                break;
            from = next;
            n++;
        }
        if (n >= pattern->least) {
            *ret_start = start;
            *ret_end = from;
            return true;
        }
        if (from < text.len)
            from += token_char_len(text.ptr[from]);
    }
    return false;
}

static bool find_literal(vsr_str literal, vsr_str text, size_t from, size_t *ret_start, size_t *ret_end) {
    const char *found;
    if (from >= text.len)
        return false;
    found = memmem(text.ptr + from, text.len - from, literal.ptr, literal.len);
    if (!found)
        return false;
    *ret_start = (size_t)(found - text.ptr);
    *ret_end = *ret_start + literal.len;
    return true;
}

static bool find_word_or_other(vsr_str text, size_t from, size_t *ret_start, size_t *ret_end) {
    size_t next;
    bool word;
    for (;; from = next) {
        if (from >= text.len)
            return false;
        next = from;
        uint32_t cp = token_decode(text.ptr, &next);
        word = token_is_word(cp);
        if (word || !unicode_is_space(cp))
            break;
    }
    *ret_start = from;
    while (next < text.len) {
        size_t behind = next;
        uint32_t cp = token_decode(text.ptr, &behind);
        if (token_is_word(cp) != word || (!word && unicode_is_space(cp)))
            break;
        next = behind;
    }
    *ret_end = next;
    return true;
}

bool token_pattern_find(const struct token_pattern *pattern, vsr_str text, size_t from, size_t *ret_start,
                        size_t *ret_end) {
    switch (pattern->kind) {
    case PATTERN_LITERAL:
        return find_literal(pattern->literal, text, from, ret_start, ret_end);
    case PATTERN_RUN:
        return find_run(pattern, text, from, ret_start, ret_end);
    case PATTERN_WORD_OR_OTHER:
        return find_word_or_other(text, from, ret_start, ret_end);
    case PATTERN_GPT2:
    case PATTERN_QWEN:
        break;
    }
    if (from >= text.len)
        return false;
    *ret_start = from;
    *ret_end = pattern->kind == PATTERN_GPT2 ? gpt2_end(text, from) : qwen_end(text, from, pattern->digits_max);
    return true;
}

static void add_range(struct token_class *class, uint32_t first, uint32_t last) {
    class->ranges[class->n_ranges].first = first;
    class->ranges[class->n_ranges++].last = last;
}

/* Reads what follows a backslash, into the class or as one character. False for what is not known. */
static bool read_escape(vsr_str text, size_t *pos, struct token_class *class, uint32_t *ret_cp, bool *ret_is_char) {
    static const struct {
        char name;
        uint32_t cp;
    } controls[] = { { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }, { 'v', '\v' }, { 'f', '\f' } };
    char c;
    if (*pos >= text.len)
        return false;
    c = text.ptr[(*pos)++];
    *ret_is_char = false;
    switch (c) {
    case 's':
        return class->space = true;
    case 'S':
        return class->not_space = true;
    case 'w':
        return class->word = true;
    case 'W':
        return class->not_word = true;
    case 'd':
        return class->digit = true;
    case 'D':
        return class->not_digit = true;
    case 'p':
        if (*pos + 3 > text.len || text.ptr[*pos] != '{' || text.ptr[*pos + 2] != '}')
            return false;
        c = text.ptr[*pos + 1];
        *pos += 3;
        class->letter |= c == 'L';
        class->number |= c == 'N';
        class->punctuation |= c == 'P';
        return c == 'L' || c == 'N' || c == 'P';
    default:
        break;
    }
    *ret_is_char = true;
    for (size_t i = 0; i < VSR_COUNT(controls); i++)
        if (c == controls[i].name) {
            *ret_cp = controls[i].cp;
            return true;
        }
    *ret_cp = (uint8_t)c;
    return token_is_punctuation((uint8_t)c) || c == ' ';
}

/* One member of a bracket, or the atom itself. */
static bool read_char(vsr_str text, size_t *pos, struct token_class *class, uint32_t *ret_cp, bool *ret_is_char) {
    if (*pos >= text.len)
        return false;
    if (text.ptr[*pos] == '\\') {
        ++*pos;
        return read_escape(text, pos, class, ret_cp, ret_is_char);
    }
    *ret_cp = token_decode(text.ptr, pos);
    *ret_is_char = true;
    return true;
}

static bool read_bracket(vsr_str text, size_t *pos, struct token_class *class) {
    if (*pos < text.len && text.ptr[*pos] == '^') {
        class->negated = true;
        ++*pos;
    }
    while (*pos < text.len && text.ptr[*pos] != ']') {
        uint32_t first = 0, last = 0;
        bool is_char;
        if (class->n_ranges == PATTERN_ITEMS_MAX || text.ptr[*pos] == '[' ||
            !read_char(text, pos, class, &first, &is_char))
            return false;
        if (!is_char)
            continue;
        last = first;
        if (*pos + 1 < text.len && text.ptr[*pos] == '-' && text.ptr[*pos + 1] != ']') {
            ++*pos;
            if (!read_char(text, pos, class, &last, &is_char) || !is_char || last < first)
                return false;
        }
        add_range(class, first, last);
    }
    return (*pos)++ < text.len;
}

static bool read_count(vsr_str text, size_t *pos, size_t *ret_count) {
    size_t start = *pos;
    uint64_t value;
    while (*pos < text.len && ascii_is_digit(text.ptr[*pos]))
        ++*pos;
    if (*pos - start > 6 || !str_to_u64(str_sub(text, start, *pos), &value))
        return false;
    *ret_count = (size_t)value;
    return true;
}

static bool read_quantifier(vsr_str text, size_t *pos, struct token_pattern *pattern) {
    pattern->least = pattern->most = 1;
    if (*pos == text.len)
        return true;
    if (text.ptr[*pos] == '+') {
        ++*pos;
        pattern->most = SIZE_MAX;
        return true;
    }
    if (text.ptr[(*pos)++] != '{' || !read_count(text, pos, &pattern->least) || *pos >= text.len)
        return false;
    pattern->most = pattern->least;
    if (text.ptr[*pos] == ',') {
        ++*pos;
        if (*pos < text.len && text.ptr[*pos] == '}')
            pattern->most = SIZE_MAX;
        else if (!read_count(text, pos, &pattern->most))
            return false;
    }
    return *pos < text.len && text.ptr[(*pos)++] == '}' && pattern->least >= 1 && pattern->least <= pattern->most;
}

static bool read_simple(vsr_str text, struct token_pattern *pattern) {
    size_t pos = 0;
    uint32_t cp;
    bool is_char;
    *pattern = (struct token_pattern){ .kind = PATTERN_RUN };
    if (text.len == 0)
        return false;
    if (text.ptr[0] == '[') {
        pos = 1;
        if (!read_bracket(text, &pos, &pattern->class))
            return false;
    } else if (str_find_char(VSR_STR(".^$*+?()]{}|"), text.ptr[0]) >= 0) {
        return false;
    } else {
        if (!read_char(text, &pos, &pattern->class, &cp, &is_char))
            return false;
        if (is_char)
            add_range(&pattern->class, cp, cp);
    }
    return read_quantifier(text, &pos, pattern) && pos == text.len;
}

/* A plain word is a regular expression too. */
static bool read_literal(struct arena *arena, vsr_str text, struct token_pattern *pattern) {
    for (size_t i = 0; i < text.len; i++)
        if (str_find_char(VSR_STR(".^$*+?()[]{}|\\"), text.ptr[i]) >= 0)
            return false;
    *pattern = (struct token_pattern){ .kind = PATTERN_LITERAL, .literal = arena_str(arena, text) };
    return text.len > 0;
}

#define CL100K(digits) \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

int token_pattern_parse(struct arena *arena, vsr_str expression, struct token_pattern *ret, struct vsr_err *err) {
    static const struct {
        const char *text;
        enum token_pattern_kind kind;
        size_t digits_max;
    } known[] = {
        { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", PATTERN_GPT2, 0 },
        { CL100K("\\p{N}"), PATTERN_QWEN, 1 },
        { CL100K("\\p{N}{1,3}"), PATTERN_QWEN, 3 },
        { "\\w+|[^\\w\\s]+", PATTERN_WORD_OR_OTHER, 0 },
    };
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        if (str_eq_c(expression, known[i].text)) {
            *ret = (struct token_pattern){ .kind = known[i].kind, .digits_max = known[i].digits_max };
            return 0;
        }
    if (read_simple(expression, ret) || read_literal(arena, expression, ret))
        return 0;
    return err_set(err, VSR_E_INVALID,
                   "regular expression \"%.*s\" is not one of those that tokenizers are known to use",
                   (int)(expression.len < 200 ? expression.len : 200), expression.ptr);
}
