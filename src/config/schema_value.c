#include "config/schema_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

enum { NUMBER_LEN_MAX = 400 }; /* digits of any double, written out */

/* ---- bool */

enum value_fit value_bool(vsr_str text, bool *ret_value, bool *ret_old) {
    static const struct {
        vsr_str text;
        bool value, old;
    } words[] = {
        { VSR_STR_INIT("true"), true, false }, { VSR_STR_INIT("false"), false, false },
        { VSR_STR_INIT("yes"), true, true },   { VSR_STR_INIT("no"), false, true },
        { VSR_STR_INIT("on"), true, true },    { VSR_STR_INIT("off"), false, true },
    };
    for (size_t i = 0; i < VSR_COUNT(words); i++) {
        if (!str_eq_nocase(text, words[i].text))
            continue;
        *ret_value = words[i].value;
        *ret_old = words[i].old;
        return VALUE_OK;
    }
    return VALUE_TYPE;
}

/* ---- numbers */

static bool take_sign(vsr_str *text) {
    bool negative = text->len && text->ptr[0] == '-';
    if (text->len && (text->ptr[0] == '-' || text->ptr[0] == '+'))
        *text = str_sub(*text, 1, text->len);
    return negative;
}

static unsigned take_base(vsr_str *text) {
    unsigned base = 10;
    if (str_starts(*text, VSR_STR("0x")) || str_starts(*text, VSR_STR("0X")))
        base = 16;
    else if (str_starts(*text, VSR_STR("0o")))
        base = 8;
    if (base != 10)
        *text = str_sub(*text, 2, text->len);
    return base;
}

static unsigned digit_value(char c) {
    if (ascii_is_digit(c))
        return (unsigned)(c - '0');
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* An underscore is allowed between two digits. */
static enum value_fit magnitude(vsr_str digits, unsigned base, uint64_t *ret_value) {
    bool overflow = false;
    *ret_value = 0;
    if (digits.len == 0 || digits.ptr[0] == '_' || digits.ptr[digits.len - 1] == '_')
        return VALUE_TYPE;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = digit_value(digits.ptr[i]);
        if (digits.ptr[i] == '_' && digits.ptr[i - 1] != '_')
            continue;
        if (digit >= base)
            return VALUE_TYPE;
        overflow |= __builtin_mul_overflow(*ret_value, base, ret_value);
        overflow |= __builtin_add_overflow(*ret_value, digit, ret_value);
    }
    return overflow ? VALUE_RANGE : VALUE_OK;
}

static enum value_fit int_from_number(vsr_str text, int64_t *ret_value) {
    double number;
    enum value_fit fit = value_number(text, &number);
    if (fit != VALUE_OK)
        return fit;
    if (number != floor(number))
        return VALUE_TYPE;
    if (number < -0x1p63 || number >= 0x1p63)
        return VALUE_RANGE;
    *ret_value = (int64_t)number;
    return VALUE_OK;
}

enum value_fit value_int(vsr_str text, int64_t *ret_value) {
    vsr_str digits = text;
    bool negative = take_sign(&digits);
    unsigned base = take_base(&digits);
    uint64_t value;
    enum value_fit fit = magnitude(digits, base, &value);
    if (fit == VALUE_TYPE)
        return base == 10 ? int_from_number(text, ret_value) : VALUE_TYPE;
    if (fit == VALUE_RANGE || value > (uint64_t)INT64_MAX + negative)
        return VALUE_RANGE;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return VALUE_OK;
}

static size_t skip_digits(vsr_str text, size_t at) {
    while (at < text.len && ascii_is_digit(text.ptr[at]))
        at++;
    return at;
}

/* [digits][.digits][e[sign]digits] with at least one digit before the exponent. */
static bool is_decimal(vsr_str text) {
    size_t at = skip_digits(text, 0), n_digits = at, mark;
    if (at < text.len && text.ptr[at] == '.') {
        mark = ++at;
        at = skip_digits(text, at);
        n_digits += at - mark;
    }
    if (n_digits == 0)
        return false;
    if (at < text.len && ascii_lower(text.ptr[at]) == 'e') {
        at++;
        if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
            at++;
        mark = at;
        at = skip_digits(text, at);
        if (at == mark)
            return false;
    }
    return at == text.len;
}

static bool is_not_finite(vsr_str text) {
    return str_eq_nocase(text, VSR_STR(".inf")) || str_eq_nocase(text, VSR_STR(".nan"));
}

enum value_fit value_number(vsr_str text, double *ret_value) {
    char copy[NUMBER_LEN_MAX + 1];
    vsr_str rest = text;
    double value;
    bool negative = take_sign(&rest);
    if (is_not_finite(rest))
        return VALUE_RANGE;
    if (!is_decimal(rest))
        return VALUE_TYPE;
    if (rest.len > NUMBER_LEN_MAX)
        return VALUE_RANGE;
    memcpy(copy, rest.ptr, rest.len);
    copy[rest.len] = 0;
    value = strtod(copy, NULL);
    if (!isfinite(value))
        return VALUE_RANGE;
    *ret_value = negative ? -value : value;
    return VALUE_OK;
}

/* ---- decimals with a unit: durations and token counts */

/* Reads [digits][.digits] times `unit` at the front of `*text`, cut to a whole number. False when there is no digit or
 * too many. */
static bool take_decimal(vsr_str *text, uint64_t unit, uint64_t *ret_value) {
    size_t dot = skip_digits(*text, 0), end = dot;
    uint64_t whole = 0, scale = unit;
    if (dot < text->len && text->ptr[dot] == '.')
        end = skip_digits(*text, dot + 1);
    if (dot == 0 && end <= 1)
        return false;
    for (size_t i = 0; i < dot; i++)
        if (__builtin_mul_overflow(whole, 10u, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(text->ptr[i] - '0'), &whole))
            return false;
    if (__builtin_mul_overflow(whole, unit, ret_value))
        return false;
    /* Units are powers of ten times 60s, so each decimal is exact until `scale` runs out. */
    for (size_t i = dot + 1; i < end; i++) {
        uint64_t part = (uint64_t)(text->ptr[i] - '0') * scale / 10;
        if (__builtin_add_overflow(*ret_value, part, ret_value))
            return false;
        scale /= 10;
    }
    *text = str_sub(*text, end, text->len);
    return true;
}

enum { NS_PER_MS = 1000000 };

/* Writes the nanoseconds of the unit at the front of `text` and its length; 0 when there is none. Longest spelling
 * first. */
static size_t duration_unit(vsr_str text, uint64_t *ret_ns) {
    static const struct {
        vsr_str text;
        uint64_t ns;
    } units[] = {
        { VSR_STR_INIT("ns"), 1 },
        { VSR_STR_INIT("us"), 1000 },
        { VSR_STR_INIT("\xC2\xB5s"), 1000 }, /* micro sign */
        { VSR_STR_INIT("\xCE\xBCs"), 1000 }, /* Greek mu */
        { VSR_STR_INIT("ms"), NS_PER_MS },
        { VSR_STR_INIT("s"), 1000ull * NS_PER_MS },
        { VSR_STR_INIT("m"), 60000ull * NS_PER_MS },
        { VSR_STR_INIT("h"), 3600000ull * NS_PER_MS },
    };
    for (size_t i = 0; i < VSR_COUNT(units); i++) {
        if (str_starts(text, units[i].text)) {
            *ret_ns = units[i].ns;
            return units[i].text.len;
        }
    }
    return 0;
}

static size_t number_len(vsr_str text) {
    size_t end = skip_digits(text, 0);
    if (end < text.len && text.ptr[end] == '.')
        end = skip_digits(text, end + 1);
    return end;
}

bool schema_duration(vsr_str text, int64_t *ret_ms) {
    uint64_t total = 0;
    text = str_trim(text);
    if (str_eq_c(text, "0")) {
        *ret_ms = 0;
        return true;
    }
    if (text.len == 0)
        return false;
    while (text.len) {
        uint64_t unit, part;
        vsr_str number = str_sub(text, 0, number_len(text));
        vsr_str rest = str_sub(text, number.len, text.len);
        size_t unit_len = duration_unit(rest, &unit);
        if (unit_len == 0 || !take_decimal(&number, unit, &part) || number.len ||
            __builtin_add_overflow(total, part, &total))
            return false;
        text = str_sub(rest, unit_len, rest.len);
    }
    /* Rounded up: what is not zero must not become "no limit". */
    *ret_ms = (int64_t)(total / NS_PER_MS + (total % NS_PER_MS != 0));
    return true;
}

bool schema_tokens(vsr_str text, int64_t *ret_tokens) {
    uint64_t unit = 1, value;
    char last;
    text = str_trim(text);
    if (text.len == 0) {
        *ret_tokens = 0;
        return true;
    }
    last = ascii_lower(text.ptr[text.len - 1]);
    if (last == 'k')
        unit = 1000;
    else if (last == 'm')
        unit = 1000000;
    if (unit != 1)
        text.len--;
    if (!take_decimal(&text, unit, &value) || text.len || value > INT64_MAX)
        return false;
    *ret_tokens = (int64_t)value;
    return true;
}
