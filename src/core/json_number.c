/*
 * A literal becomes `digits * 10^exponent` with the point taken out, so the C library never sees the one character
 * whose meaning depends on the locale. Small cases are one exact multiplication or division; the rest goes to strtod()
 * on a bounded copy. A double lies on the border between two neighbours only with at most 767 significant digits, so
 * more than that need not be copied: one digit that says "and something more" keeps the rounding right.
 */
#include "core/json_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"

enum {
    DIGITS_MAX = 800,        /* more than the 767 that can matter */
    EXPONENT_CLAMP = 100000, /* past every double, whatever the digits */
    EXACT_POWER_MAX = 22,    /* 10^22 is the largest power of ten that is a double */
    EXACT_DIGITS_MAX = 15,   /* any 15 digits are a double */
    PRINT_DIGITS_MIN = 15,   /* every decimal of 15 digits survives a double */
    PRINT_DIGITS_MAX = 17,   /* every double survives 17 digits */
    FIXED_EXPONENT_MAX = 21, /* JavaScript writes 1e21 with an exponent, less without */
    FIXED_EXPONENT_MIN = -6,
};

static const int64_t literal_exponent_max = (int64_t)1
                                            << 40; /* past any count of digits in a text; sums cannot overflow */

_Static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1, "exact small cases need arithmetic in double");

struct decimal {
    char digits[DIGITS_MAX + 1]; /* no leading zero */
    size_t n_digits;             /* 0: the value is zero */
    int64_t exponent;            /* value = digits * 10^exponent */
    bool negative, more;         /* more: a digit other than 0 was dropped */
};

static void take_digit(struct decimal *d, char digit, bool behind_point) {
    if (d->n_digits == DIGITS_MAX) {
        d->more |= digit != '0';
        d->exponent += !behind_point;
        return;
    }
    if (digit != '0' || d->n_digits > 0)
        d->digits[d->n_digits++] = digit;
    d->exponent -= behind_point;
}

static int64_t read_exponent(const char *p, const char *end) {
    bool negative = p < end && *p == '-';
    int64_t value = 0;
    for (p += p < end && (*p == '-' || *p == '+'); p < end; p++) {
        if (value < literal_exponent_max)
            value = value * 10 + (*p - '0');
    }
    return negative ? -value : value;
}

static void read_decimal(vsr_str literal, struct decimal *d) {
    const char *p = literal.ptr, *end = p + literal.len;
    bool behind_point = false;
    d->n_digits = 0;
    d->exponent = 0;
    d->more = false;
    d->negative = p < end && *p == '-';
    for (p += d->negative; p < end && (ascii_is_digit(*p) || *p == '.'); p++) {
        if (*p == '.')
            behind_point = true;
        else
            take_digit(d, *p, behind_point);
    }
    if (p < end)
        d->exponent += read_exponent(p + 1, end);
}

/* Both factors are exact, so the one rounding is the right one. */
static bool small_double(const struct decimal *d, double *ret_value) {
    static const double powers[EXACT_POWER_MAX + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    uint64_t value = 0;
    if (d->n_digits > EXACT_DIGITS_MAX || d->exponent < -EXACT_POWER_MAX || d->exponent > EXACT_POWER_MAX)
        return false;
    for (size_t i = 0; i < d->n_digits; i++)
        value = value * 10 + (uint64_t)(d->digits[i] - '0');
    *ret_value = d->exponent < 0 ? (double)value / powers[-d->exponent] : (double)value * powers[d->exponent];
    return true;
}

static double big_double(const struct decimal *d) {
    char text[DIGITS_MAX + 32];
    int64_t exponent = d->exponent - d->more;
    if (exponent > EXPONENT_CLAMP)
        exponent = EXPONENT_CLAMP;
    if (exponent < -EXPONENT_CLAMP)
        exponent = -EXPONENT_CLAMP;
    (void)snprintf(text, sizeof(text), "%.*s%se%d", (int)d->n_digits, d->digits, d->more ? "1" : "", (int)exponent);
    return strtod(text, NULL);
}

bool json_number_double(vsr_str literal, double *ret_value) {
    struct decimal d;
    double value = 0;
    read_decimal(literal, &d);
    if (d.n_digits > 0 && !small_double(&d, &value))
        value = big_double(&d);
    if (isinf(value))
        return false;
    *ret_value = d.negative ? -value : value;
    return true;
}

bool json_number_i64(vsr_str literal, int64_t *ret_value) {
    const char *p = literal.ptr, *end = p + literal.len;
    bool negative = p < end && *p == '-';
    int64_t value = 0;
    for (p += negative; p < end; p++) {
        int digit = *p - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) /* downwards: INT64_MIN has no positive twin */
            return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *ret_value = value;
    return true;
}

/* Significant digits and the power of ten of the first one. */
struct shortest {
    char digits[PRINT_DIGITS_MAX];
    int n_digits, exponent;
};

/* `value` is finite, not zero. */
static void print_digits(double value, int n_digits, struct shortest *ret) {
    char text[PRINT_DIGITS_MAX + 32];
    int n = 0;
    const char *p = text;
    (void)snprintf(text, sizeof(text), "%.*e", n_digits - 1, value); /* always fits: 17 digits and an exponent */
    for (; *p && *p != 'e'; p++) {
        if (ascii_is_digit(*p)) /* passes over whatever the locale's point is */
            ret->digits[n++] = *p;
    }
    VSR_ASSERT(n == n_digits && *p == 'e');
    ret->n_digits = n;
    ret->exponent = (int)strtol(p + 1, NULL, 10);
}

/* The next decimal of as many digits. */
static void next_up(struct shortest *s) {
    int i = s->n_digits;
    while (i > 0 && s->digits[i - 1] == '9')
        s->digits[--i] = '0';
    if (i > 0) {
        s->digits[i - 1]++;
    } else {
        s->digits[0] = '1';
        s->exponent++;
    }
}

static bool reads_back(const struct shortest *s, double value) {
    struct decimal d;
    double back;
    d.n_digits = (size_t)s->n_digits;
    d.exponent = s->exponent - s->n_digits + 1;
    d.more = d.negative = false;
    memcpy(d.digits, s->digits, d.n_digits);
    return (small_double(&d, &back) ? back : big_double(&d)) == value;
}

/*
 * Most doubles have 15 to 17 digits; below the normal range precision fades and fewer will do. If any decimal of n
 * digits reads back to the value, the nearest does, except at a power of two, whose lower neighbour is nearer than the
 * upper one: there the nearest may lie just outside below and the next one inside above.
 */
static void find_shortest(double value, struct shortest *s) {
    for (int n = value < DBL_MIN ? 1 : PRINT_DIGITS_MIN; n <= PRINT_DIGITS_MAX; n++) {
        print_digits(value, n, s);
        if (n == PRINT_DIGITS_MAX || reads_back(s, value))
            break;
        next_up(s);
        if (reads_back(s, value))
            break;
    }
    while (s->n_digits > 1 && s->digits[s->n_digits - 1] == '0')
        s->n_digits--;
}

static size_t put_zeros(char *out, int n) {
    memset(out, '0', (size_t)n);
    return (size_t)n;
}

static size_t put_digits(char *out, const char *digits, int n) {
    memcpy(out, digits, (size_t)n);
    return (size_t)n;
}

/* 0.00123, 123.45, 12300 */
static size_t lay_out_fixed(const struct shortest *s, char *out) {
    int before_point = s->exponent + 1;
    size_t len = 0;
    if (before_point <= 0) {
        len += put_digits(out, "0.", 2);
        len += put_zeros(out + len, -before_point);
        return len + put_digits(out + len, s->digits, s->n_digits);
    }
    if (before_point >= s->n_digits) {
        len += put_digits(out, s->digits, s->n_digits);
        return len + put_zeros(out + len, before_point - s->n_digits);
    }
    len += put_digits(out, s->digits, before_point);
    out[len++] = '.';
    return len + put_digits(out + len, s->digits + before_point, s->n_digits - before_point);
}

/* 1.23e-7, 1e+21 */
static size_t lay_out_scientific(const struct shortest *s, char *out) {
    size_t len = put_digits(out, s->digits, 1);
    if (s->n_digits > 1) {
        out[len++] = '.';
        len += put_digits(out + len, s->digits + 1, s->n_digits - 1);
    }
    return len + (size_t)snprintf(out + len, 8, "e%+d", s->exponent); /* at most e-324 */
}

size_t json_number_print(double value, char out[static JSON_NUMBER_LEN_MAX]) {
    struct shortest s;
    size_t sign = signbit(value) ? 1 : 0;
    VSR_ASSERT(isfinite(value));
    if (sign) {
        out[0] = '-';
        value = -value;
    }
    if (value == 0) {
        out[sign] = '0';
        return sign + 1;
    }
    find_shortest(value, &s);
    if (s.exponent < FIXED_EXPONENT_MAX && s.exponent >= FIXED_EXPONENT_MIN)
        return sign + lay_out_fixed(&s, out + sign);
    return sign + lay_out_scientific(&s, out + sign);
}
