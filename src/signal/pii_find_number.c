/* Numbers: of accounts, cards, persons and telephones. */
#include <stdint.h>

#include "signal/pii_check.h"
#include "signal/pii_find_parts.h"

enum { DIGITS_MAX = 20, GROUPS_MAX = 8, WORDS_BEFORE = 32, ORDERS_BEFORE = 24 };

/* ---- accounts */

/* In one piece, or in fours with one blank between them. */
size_t pii_find_iban(vsr_str text, size_t pos) {
    char bytes[PII_IBAN_MAX];
    size_t len = pii_iban_len(str_sub(text, pos, pos + 2)), n = 0, at = pos;
    bool spaced = pii_byte(text, pos + 4) == ' ';
    if (len == 0 || pii_is_one_of(pii_byte_before(text, pos), "-/."))
        return 0;
    for (; n < len; at++) {
        if (spaced && n > 0 && n % 4 == 0 && pii_byte(text, at++) != ' ')
            return 0;
        if (!pii_is_alnum(pii_byte(text, at)))
            return 0;
        bytes[n++] = text.ptr[at];
    }
    return !pii_is_word(pii_byte(text, at)) && pii_is_iban(str_make(bytes, n)) ? at : 0;
}

/* ---- digits in groups */

struct number {
    char digits[DIGITS_MAX];
    size_t n_groups;
    size_t from[GROUPS_MAX + 1]; /* into digits; the last is how many there are */
    size_t end[GROUPS_MAX];      /* into the text */
    char sep[GROUPS_MAX];        /* before the group: ' ', '-', '.' or '(' */
};

/* A separator at `pos`: how many bytes it has, 0: there is none. Dashes are '-', narrow and fixed blanks ' '. */
static size_t read_sep(vsr_str text, size_t pos, char *ret) {
    static const struct {
        const char *bytes;
        char is;
    } seps[] = { { " ", ' ' },      { "-", '-' },      { ".", '.' },      { "\u00A0", ' ' },
                 { "\u202F", ' ' }, { "\u2010", '-' }, { "\u2011", '-' }, { "\u2013", '-' } };
    if (!pii_is_one_of(pii_byte(text, pos), " -.\xC2\xE2"))
        return 0;
    for (size_t i = 0; i < VSR_COUNT(seps); i++)
        if (str_starts(str_sub(text, pos, pos + 3), str_from_c(seps[i].bytes))) {
            *ret = seps[i].is;
            return strlen(seps[i].bytes);
        }
    return 0;
}

/*
 * What may be between two groups of a telephone number: also a slash, or a parenthesis and a separator on either side
 * of it.
 */
static size_t read_phone_sep(vsr_str text, size_t pos, char *ret) {
    size_t at = pos + read_sep(text, pos, ret);
    if (pii_byte(text, pos) == '/') {
        *ret = '/';
        return 1;
    }
    if (pii_is_one_of(pii_byte(text, at), "()")) {
        char after;
        at++;
        at += read_sep(text, at, &after);
        *ret = '(';
    }
    return at - pos;
}

/* The groups from `pos` on, as many as fit. False when one of them does not: then it is no number of ours. */
static bool read_number(vsr_str text, size_t pos, size_t (*read)(vsr_str, size_t, char *), struct number *ret) {
    size_t n = 0, at = pos;
    *ret = (struct number){ 0 };
    while (ret->n_groups < GROUPS_MAX && n < DIGITS_MAX && ascii_is_digit(pii_byte(text, at))) {
        size_t begin = n;
        for (; at < text.len && ascii_is_digit(text.ptr[at]) && n < DIGITS_MAX; at++)
            ret->digits[n++] = text.ptr[at];
        if (ascii_is_digit(pii_byte(text, at)))
            return ret->n_groups > 0;
        ret->from[ret->n_groups] = begin;
        ret->end[ret->n_groups++] = at;
        ret->from[ret->n_groups] = n;
        if (ret->n_groups < GROUPS_MAX)
            at += read(text, at, &ret->sep[ret->n_groups]);
    }
    return ret->n_groups > 0;
}

static vsr_str digits_of(const struct number *number, size_t n_groups) {
    return str_make(number->digits, number->from[n_groups]);
}

static size_t group_len(const struct number *number, size_t group) {
    return number->from[group + 1] - number->from[group];
}

/* Whether the first groups have these lengths ("343"). */
static bool has_layout(const struct number *number, const char *layout) {
    size_t n = strlen(layout);
    for (size_t i = 0; i < n; i++)
        if (i >= number->n_groups || group_len(number, i) != (size_t)(layout[i] - '0'))
            return false;
    return true;
}

/* The one separator between the first groups; 0: they differ. ' ' for one group alone. */
static char one_sep(const struct number *number, size_t n_groups) {
    for (size_t i = 2; i < n_groups; i++)
        if (number->sep[i] != number->sep[1])
            return 0;
    return n_groups > 1 ? number->sep[1] : ' ';
}

/* An amount of pounds, yen or euros. */
static bool is_behind_currency(vsr_str text, size_t pos) {
    return str_ends(str_sub(text, 0, pos), VSR_STR("\u00A3")) || str_ends(str_sub(text, 0, pos), VSR_STR("\u00A5")) ||
           str_ends(str_sub(text, 0, pos), VSR_STR("\u20AC"));
}

/* Whether a number may begin at `pos`: not inside of a decimal, an amount or an identifier. */
static bool may_begin(vsr_str text, size_t pos) {
    return !pii_is_one_of(pii_byte_before(text, pos), ".,-+$/#") && !is_behind_currency(text, pos);
}

/* Whether it may end at `pos`: no digits go on behind a dot or the like, and nothing behind a hyphen. */
static bool may_end(vsr_str text, size_t pos) {
    char next = pii_byte(text, pos), after = pii_byte(text, pos + 1);
    if (pii_is_word(next) || next == '%' || (pii_is_one_of(next, ".,:") && ascii_is_digit(after)))
        return false;
    return !pii_is_one_of(next, "-/") || !pii_is_alnum(after);
}

/* A number with a plus is told by that; a word may be joined to it. */
static bool may_end_phone(vsr_str text, size_t pos) {
    return may_end(text, pos) || (pii_byte(text, pos) == '-' && pii_is_letter(pii_byte(text, pos + 1)));
}

static const char *const order_words[] = { "order",        "orders",    "invoice",  "tracking",    "ticket",  "case",
                                           "ref",          "reference", "serial",   "sku",         "isbn",    "issn",
                                           "part",         "model",     "version",  "po",          "rfc",     "id",
                                           "uuid",         "imei",      "ean",      "upc",         "barcode", "article",
                                           "item",         "batch",     "shipment", "transaction", "commit",  "build",
                                           "\u8BA2\u5355", NULL };

static bool is_of_an_order(vsr_str text, size_t pos) {
    return pii_preceded_by(text, pos, ORDERS_BEFORE, order_words);
}

/* ---- cards */

static const char *const card_words[] = { "card",    "cards", "visa",   "mastercard", "amex",        "maestro",
                                          "credit",  "debit", "cc",     "pan",        "kreditkarte", "karte",
                                          "tarjeta", "carte", "\u5361", NULL };

static bool has_card_layout(const struct number *number, size_t n_groups) {
    char sep = one_sep(number, n_groups);
    if (sep != ' ' && sep != '-')
        return false;
    if (n_groups == 1 || (n_groups == 3 && (has_layout(number, "465") || has_layout(number, "464"))))
        return true;
    for (size_t i = 0; i + 1 < n_groups; i++)
        if (group_len(number, i) != 4)
            return false;
    return n_groups >= 4 && group_len(number, n_groups - 1) <= 4;
}

/* Behind a word for cards any right check digit will do; without one the issuer must be known. */
size_t pii_find_card(vsr_str text, size_t pos) {
    struct number number;
    if (!may_begin(text, pos) || !read_number(text, pos, read_sep, &number))
        return 0;
    for (size_t n = number.n_groups; n > 0; n--) {
        vsr_str digits = digits_of(&number, n);
        bool named;
        if (digits.len < PII_CARD_MIN || digits.len > PII_CARD_MAX || !has_card_layout(&number, n) ||
            !may_end(text, number.end[n - 1]) || !pii_luhn(digits))
            continue;
        named = pii_preceded_by(text, pos, WORDS_BEFORE, card_words);
        if (named || (pii_is_card(digits) && !is_of_an_order(text, pos)))
            return number.end[n - 1];
    }
    return 0;
}

/* ---- persons */

static const char *const person_words[] = { "ssn", "social", "soc", "ssns", NULL };

size_t pii_find_ssn(vsr_str text, size_t pos) {
    struct number number;
    bool whole, named;
    size_t n;
    if (!may_begin(text, pos) || !read_number(text, pos, read_sep, &number))
        return 0;
    whole = group_len(&number, 0) == 9;
    n = whole ? 1 : 3;
    if ((!whole && !has_layout(&number, "324")) || !may_end(text, number.end[n - 1]) ||
        !pii_is_us_ssn(digits_of(&number, n)))
        return 0;
    named = pii_preceded_by(text, pos, WORDS_BEFORE, person_words);
    if (named || (!whole && one_sep(&number, n) == '-' && !is_of_an_order(text, pos)))
        return number.end[n - 1];
    return 0;
}

/* ---- telephones */

/* In ASCII and beyond; "text" and "call" alone are too common. */
static const char *const phone_words[] = { "phone",
                                           "phones",
                                           "telephone",
                                           "tel",
                                           "mobile",
                                           "cell",
                                           "cellphone",
                                           "fax",
                                           "whatsapp",
                                           "call me",
                                           "call us",
                                           "call him",
                                           "call her",
                                           "call them",
                                           "call at",
                                           "text me",
                                           "dial",
                                           "sms",
                                           "hotline",
                                           "reach me",
                                           "reach us",
                                           "reach him",
                                           "reach her",
                                           "contact",
                                           "callback",
                                           "reached at",
                                           "my number",
                                           "called me",
                                           "called from",
                                           "ring",
                                           "telefon",
                                           "handy",
                                           "mobil",
                                           "rufnummer",
                                           "telefono",
                                           "celular",
                                           "portable",
                                           "telefone",
                                           "telefoonnummer",
                                           "t\u00E9l\u00E9phone",
                                           "tel\u00E9fono",
                                           "m\u00F3vil",
                                           "\u7535\u8BDD",
                                           "\u96FB\u8A71",
                                           "\u624B\u673A",
                                           "\u624B\u6A5F",
                                           "\u8054\u7CFB",
                                           "\u643A\u5E2F",
                                           "\u81F4\u7535",
                                           "\uD734\uB300",
                                           "\uC804\uD654",
                                           "\u0442\u0435\u043B\u0435\u0444\u043E\u043D",
                                           NULL };

static bool is_year(const struct number *number, size_t group) {
    const char *digits = number->digits + number->from[group];
    return group_len(number, group) == 4 && (memcmp(digits, "19", 2) == 0 || memcmp(digits, "20", 2) == 0);
}

/* A day, a span of years. */
static bool is_date(const struct number *number, size_t n_groups) {
    if (n_groups == 2)
        return is_year(number, 0) && is_year(number, 1);
    if (n_groups != 3)
        return false;
    return (is_year(number, 0) && group_len(number, 1) <= 2 && group_len(number, 2) <= 2) ||
           (is_year(number, 2) && group_len(number, 0) <= 2 && group_len(number, 1) <= 2);
}

/* A number that is written as those of North America or of Chinese mobiles are: 2 groups more than a year has. */
static size_t find_written_phone(vsr_str text, size_t pos, const struct number *number) {
    bool led = number->n_groups > 3 && has_layout(number, "1334") && number->digits[0] == '1';
    size_t n = led ? 4 : 3, skip = led ? 1 : 0;
    vsr_str digits;
    if (number->n_groups < n || !may_end(text, number->end[n - 1]))
        return 0;
    digits = str_sub(digits_of(number, n), skip, DIGITS_MAX);
    if (!led && has_layout(number, "344") && digits.ptr[0] == '1' && digits.ptr[1] >= '3')
        return pii_is_one_of(one_sep(number, n), " -") && !is_of_an_order(text, pos) ? number->end[n - 1] : 0;
    if ((!led && !has_layout(number, "334")) || !pii_is_nanp(digits) || is_of_an_order(text, pos))
        return 0;
    if (!led && one_sep(number, n) == ' ') /* three numbers in a row */
        return 0;
    return number->end[n - 1];
}

/* `+` and what an international number has; one in groups may have an area that nobody has. */
static size_t find_international(vsr_str text, size_t pos) {
    struct number number;
    char before = pii_byte_before(text, pos);
    if (pii_is_word(before) || pii_is_one_of(before, "+-=)") || !read_number(text, pos + 1, read_phone_sep, &number))
        return 0;
    for (size_t n = number.n_groups; n > 0; n--) {
        vsr_str digits = digits_of(&number, n);
        bool grouped = n > 3 && has_layout(&number, "1334") && digits.len == 11;
        if ((n == 1 && digits.len < 9) || digits.ptr[0] == '0' || !may_end_phone(text, number.end[n - 1]))
            continue;
        if (pii_is_international(digits) || (grouped && digits.ptr[0] == '1'))
            return number.end[n - 1];
    }
    return 0;
}

/* "1159548 yuan" is a price, also of a telephone. */
static bool is_price(vsr_str text, size_t end) {
    vsr_str rest = str_sub(text, end, end + 4);
    return str_starts(rest, VSR_STR("\u5143")) || str_starts(rest, VSR_STR("\u20AC")) ||
           str_starts(rest, VSR_STR(" EUR")) || str_starts(rest, VSR_STR(" USD"));
}

/* Behind a word that says so: any number of the right length. */
static size_t find_named_phone(vsr_str text, size_t pos, const struct number *number) {
    for (size_t n = number->n_groups; n > 0; n--) {
        size_t n_digits = number->from[n];
        if (n_digits < 7 || n_digits > 15 || is_date(number, n) || !may_end(text, number->end[n - 1]) ||
            is_price(text, number->end[n - 1]))
            continue;
        return pii_preceded_by(text, pos, WORDS_BEFORE, phone_words) && !is_of_an_order(text, pos) ? number->end[n - 1]
                                                                                                   : 0;
    }
    return 0;
}

size_t pii_find_phone(vsr_str text, size_t pos) {
    bool open = text.ptr[pos] == '(';
    struct number number;
    size_t end;
    if (text.ptr[pos] == '+')
        return find_international(text, pos);
    if (open && pii_is_one_of(pii_byte_before(text, pos), "()[]"))
        return 0;
    if (!may_begin(text, pos) || !read_number(text, pos + open, read_phone_sep, &number))
        return 0;
    if (open && (number.n_groups < 2 || number.sep[1] != '('))
        return 0;
    end = find_written_phone(text, pos, &number);
    return end ? end : find_named_phone(text, pos, &number);
}
