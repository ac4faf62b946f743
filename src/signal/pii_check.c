#include "signal/pii_check.h"

#include <stdint.h>

/* ---- digits */

static unsigned digit(char c) {
    return (unsigned)(c - '0');
}

bool pii_luhn(vsr_str digits) {
    unsigned sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned d = digit(digits.ptr[digits.len - 1 - i]);
        if (i % 2)
            d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return digits.len > 0 && sum % 10 == 0;
}

/* The number that the first `n` digits make. */
static unsigned head(vsr_str digits, size_t n) {
    unsigned number = 0;
    for (size_t i = 0; i < n && i < digits.len; i++)
        number = number * 10 + digit(digits.ptr[i]);
    return number;
}

/* ---- cards */

/* First four digits, and lengths as bits. Cards of 13 digits are history, and look like article numbers. */
#define LENGTHS(least, greatest) ((2u << (greatest)) - (1u << (least)))
static const struct {
    unsigned from, to, lengths;
} issuers[] = {
    { 2200, 2204, LENGTHS(16, 19) },                /* Mir */
    { 2221, 2720, LENGTHS(16, 16) },                /* Mastercard */
    { 3000, 3059, LENGTHS(14, 14) },                /* Diners Club */
    { 3400, 3499, LENGTHS(15, 15) },                /* American Express */
    { 3528, 3589, LENGTHS(16, 19) },                /* JCB */
    { 3600, 3699, LENGTHS(14, 14) },                /* Diners Club */
    { 3700, 3799, LENGTHS(15, 15) },                /* American Express */
    { 3800, 3999, LENGTHS(14, 14) },                /* Diners Club */
    { 4000, 4999, 1u << 16 | 1u << 19 },            /* Visa */
    { 5018, 5020, 1u << 16 | 1u << 18 | 1u << 19 }, /* Maestro, like those below without a name */
    { 5038, 5038, 1u << 16 | 1u << 18 | 1u << 19 },
    { 5100, 5599, LENGTHS(16, 16) }, /* Mastercard */
    { 5893, 5893, 1u << 16 | 1u << 18 | 1u << 19 },
    { 6011, 6011, LENGTHS(16, 19) }, /* Discover */
    { 6200, 6299, LENGTHS(16, 19) }, /* UnionPay */
    { 6304, 6304, 1u << 16 | 1u << 18 | 1u << 19 },
    { 6440, 6599, LENGTHS(16, 19) }, /* Discover */
    { 6759, 6763, 1u << 16 | 1u << 18 | 1u << 19 },
};

static bool is_issued(vsr_str digits) {
    unsigned begin = head(digits, 4);
    for (size_t i = 0; i < VSR_COUNT(issuers); i++)
        if (begin >= issuers[i].from && begin <= issuers[i].to)
            return issuers[i].lengths >> digits.len & 1;
    return false;
}

bool pii_is_card(vsr_str digits) {
    return digits.len >= PII_CARD_MIN && digits.len <= PII_CARD_MAX && is_issued(digits) && pii_luhn(digits);
}

/* ---- persons */

/* Three were printed in leaflets, and are nobody's. */
bool pii_is_us_ssn(vsr_str digits) {
    unsigned area = head(digits, 3), group, serial;
    if (digits.len != 9)
        return false;
    group = head(str_sub(digits, 3, 9), 2);
    serial = head(str_sub(digits, 5, 9), 4);
    return area != 0 && area != 666 && area < 900 && group != 0 && serial != 0 && !str_eq_c(digits, "078051120") &&
           !str_eq_c(digits, "219099999") && !str_eq_c(digits, "457555462");
}

/* ---- telephones */

bool pii_is_nanp(vsr_str digits) {
    return digits.len == 10 && digits.ptr[0] >= '2' && digits.ptr[3] >= '2';
}

/* By the first two digits: how long a calling code is that begins so; 0: there is none. */
static int calling_code_len(unsigned first_two) {
    static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 "
                              "63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
    static const char three[] = "21 22 23 24 25 26 29 35 37 38 42 50 59 67 68 80 85 87 88 96 97 99 ";
    char wanted[] = { (char)('0' + first_two / 10), (char)('0' + first_two % 10), ' ', 0 };
    if (first_two / 10 == 1 || first_two / 10 == 7)
        return 1;
    return strstr(two, wanted) ? 2 : strstr(three, wanted) ? 3 : 0;
}

bool pii_is_international(vsr_str digits) {
    if (digits.len < 8 || digits.len > 15 || calling_code_len(head(digits, 2)) == 0)
        return false;
    return digits.ptr[0] != '1' || pii_is_nanp(str_sub(digits, 1, digits.len));
}

/* ---- accounts */

/* Country and length, of every country in the register. */
static const char ibans[] = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29"
                            "ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28"
                            "LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25"
                            "QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

size_t pii_iban_len(vsr_str country) {
    if (country.len < 2)
        return 0;
    for (const char *at = ibans; *at; at += 4)
        if (ascii_lower(at[0]) == ascii_lower(country.ptr[0]) && ascii_lower(at[1]) == ascii_lower(country.ptr[1]))
            return digit(at[2]) * 10 + digit(at[3]);
    return 0;
}

/* A letter counts as two digits, from 10 for A. */
static unsigned mod_97(unsigned rest, char c) {
    char lower = ascii_lower(c);
    return ascii_is_digit(c) ? (rest * 10 + digit(c)) % 97 : (rest * 100 + (unsigned)(lower - 'a') + 10) % 97;
}

bool pii_is_iban(vsr_str text) {
    unsigned rest = 0;
    if (text.len < 5 || text.len != pii_iban_len(text) || !ascii_is_digit(text.ptr[2]) || !ascii_is_digit(text.ptr[3]))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[(i + 4) % text.len], lower = ascii_lower(c);
        if (!ascii_is_digit(c) && (lower < 'a' || lower > 'z'))
            return false;
        rest = mod_97(rest, c);
    }
    return rest == 1;
}

/* ---- entities that somebody else found */

enum { COMPACT_MAX = 40 };

/* Letters and digits of the text alone. False when there are more than fit, or a letter stands where none is wanted. */
static bool compact(vsr_str text, bool letters, char out[COMPACT_MAX], vsr_str *ret) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i], lower = ascii_lower(c);
        bool is_letter = lower >= 'a' && lower <= 'z';
        if (!ascii_is_digit(c) && !is_letter)
            continue;
        if (n == COMPACT_MAX || (is_letter && !letters))
            return false;
        out[n++] = c;
    }
    *ret = str_make(out, n);
    return true;
}

static enum pii_verdict verdict(bool right) {
    return right ? PII_CONFIRMED : PII_REFUTED;
}

/* Masked numbers ("**** 1234") and parts of one are left to who found them. */
enum pii_verdict pii_check(vsr_str type, vsr_str text) {
    char bytes[COMPACT_MAX];
    vsr_str all;
    if (str_eq_nocase(type, VSR_STR("EMAIL_ADDRESS")))
        return str_find_char(text, '@') > 0 ? PII_UNDECIDED : PII_REFUTED;
    if (!compact(text, str_eq_nocase(type, VSR_STR("IBAN_CODE")), bytes, &all))
        return PII_UNDECIDED;
    if (str_eq_nocase(type, VSR_STR("CREDIT_CARD")))
        return all.len < PII_CARD_MIN || all.len > PII_CARD_MAX ? PII_UNDECIDED : verdict(pii_luhn(all));
    if (str_eq_nocase(type, VSR_STR("US_SSN")))
        return all.len != 9 ? PII_UNDECIDED : verdict(pii_is_us_ssn(all));
    if (str_eq_nocase(type, VSR_STR("IBAN_CODE")))
        return pii_iban_len(all) == 0 || all.len < pii_iban_len(all) ? PII_UNDECIDED : verdict(pii_is_iban(all));
    if (str_eq_nocase(type, VSR_STR("PHONE_NUMBER")))
        return all.len < 5 || all.len > 18 ? PII_REFUTED : PII_UNDECIDED;
    return PII_UNDECIDED;
}
