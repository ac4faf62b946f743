#include "text/token_shape.h"

#include "core/utf8.h"
#include "text/unicode.h"

/* What a character is here; a token is the set of these that occur in it. */
enum kind {
    KIND_SPACE = 1u << 0,
    KIND_DIGIT = 1u << 1,
    KIND_UPPER = 1u << 2,
    KIND_LOWER = 1u << 3,
    KIND_CJK = 1u << 4,
    KIND_CASELESS = 1u << 5,
    KIND_AT = 1u << 6,
    KIND_STOP = 1u << 7,
    KIND_DASH = 1u << 8,
    KIND_BRACKET = 1u << 9,
    KIND_OTHER = 1u << 10,
};

enum { LETTERS = KIND_UPPER | KIND_LOWER | KIND_CJK | KIND_CASELESS };

static unsigned ascii_kind(uint32_t c) {
    if (c >= 'a' && c <= 'z')
        return KIND_LOWER;
    if (c >= 'A' && c <= 'Z')
        return KIND_UPPER;
    if (c >= '0' && c <= '9')
        return KIND_DIGIT;
    switch (c) {
    case ' ':
    case '\t':
    case '\n':
    case '\v':
    case '\f':
    case '\r':
        return KIND_SPACE;
    case '@':
        return KIND_AT;
    case '.':
    case ',':
    case ';':
    case ':':
    case '!':
    case '?':
        return KIND_STOP;
    case '-':
    case '_':
    case '/':
    case '\\':
        return KIND_DASH;
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '<':
    case '>':
    case '"':
    case '\'':
    case '`':
        return KIND_BRACKET;
    default:
        return KIND_OTHER;
    }
}

static unsigned letter_kind(uint32_t cp, char second) {
    if (unicode_is_cjk(cp))
        return KIND_CJK;
    return second == 'u' || second == 't' ? KIND_UPPER : second == 'l' ? KIND_LOWER : KIND_CASELESS;
}

static unsigned kind_of(uint32_t cp) {
    const char *category;
    if (cp < 0x80)
        return ascii_kind(cp);
    if (unicode_is_space(cp))
        return KIND_SPACE;
    category = unicode_category(cp);
    if (category[0] == 'L')
        return letter_kind(cp, category[1]);
    if (category[0] == 'N')
        return category[1] == 'd' ? KIND_DIGIT : KIND_OTHER;
    if (category[0] == 'P' && category[1] == 'd')
        return KIND_DASH;
    return category[0] == 'P' && strchr("seif", category[1]) ? KIND_BRACKET : KIND_OTHER;
}

/* Of letters only. `first`: the kind of the first; `n`: how many. */
static enum token_shape letters_shape(unsigned kinds, unsigned first, unsigned behind, size_t n) {
    if (kinds == KIND_CJK)
        return TOKEN_SHAPE_CJK;
    if (kinds == KIND_UPPER)
        return n == 1 ? TOKEN_SHAPE_UPPER_ONE : TOKEN_SHAPE_UPPER;
    if (first == KIND_UPPER && behind == KIND_LOWER)
        return TOKEN_SHAPE_CAPITALIZED;
    if (kinds == KIND_LOWER)
        return TOKEN_SHAPE_LOWER;
    return kinds == (KIND_UPPER | KIND_LOWER) ? TOKEN_SHAPE_MIXED : TOKEN_SHAPE_CASELESS;
}

static enum token_shape signs_shape(unsigned kinds) {
    switch (kinds) {
    case KIND_AT:
        return TOKEN_SHAPE_AT;
    case KIND_STOP:
        return TOKEN_SHAPE_STOP;
    case KIND_DASH:
        return TOKEN_SHAPE_DASH;
    case KIND_BRACKET:
        return TOKEN_SHAPE_BRACKET;
    default:
        return TOKEN_SHAPE_OTHER;
    }
}

enum token_shape token_shape(vsr_str bytes) {
    unsigned kinds = 0, first = 0, behind = 0, gap = 0;
    size_t n = 0;
    for (size_t pos = 0; pos < bytes.len;) {
        unsigned kind = kind_of(utf8_next(bytes, &pos));
        if (kind == KIND_SPACE) { /* counts once something follows that is none */
            gap = n ? KIND_OTHER : 0;
            continue;
        }
        behind |= n ? kind | gap : 0;
        first = n ? first : kind;
        kinds |= kind | gap;
        gap = 0;
        n++;
    }
    if (n == 0)
        return TOKEN_SHAPE_EMPTY;
    if (kinds & KIND_DIGIT) {
        if (kinds == KIND_DIGIT)
            return TOKEN_SHAPE_DIGITS;
        return kinds & LETTERS ? TOKEN_SHAPE_DIGIT_AND_LETTER : TOKEN_SHAPE_DIGIT_AND_OTHER;
    }
    return kinds & ~(unsigned)LETTERS ? signs_shape(kinds) : letters_shape(kinds, first, behind, n);
}
