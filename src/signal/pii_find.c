#include "signal/pii_find.h"

#include "core/arena.h"
#include "core/assert.h"
#include "signal/pii_find_parts.h"

const char *pii_form_type(enum pii_form form) {
    static const char *const types[PII_FORMS] = { "EMAIL_ADDRESS", "IP_ADDRESS",   "IBAN_CODE",  "CREDIT_CARD",
                                                  "US_SSN",        "PHONE_NUMBER", "DOMAIN_NAME" };
    VSR_ASSERT(form < PII_FORMS);
    return types[form];
}

/* ---- words before */

enum { DIGITS_BETWEEN = 4 };

static bool is_at(vsr_str text, size_t pos, size_t end, const char *word) {
    size_t len = strlen(word);
    bool ascii = (unsigned char)word[0] < 0x80;
    if (len > end - pos)
        return false;
    for (size_t i = 0; i < len; i++)
        if (ascii_lower(text.ptr[pos + i]) != word[i])
            return false;
    return !ascii || (!pii_is_alnum(pii_byte_before(text, pos)) && !pii_is_letter(pii_byte(text, pos + len)));
}

/* Words begin with a letter, and behind none. */
static bool may_be_word(vsr_str text, size_t pos) {
    char c = text.ptr[pos];
    return (unsigned char)c >= 0x80 || (pii_is_letter(c) && !pii_is_letter(pii_byte_before(text, pos)));
}

static size_t count_digits(vsr_str text, size_t from, size_t to) {
    size_t n = 0;
    for (size_t at = from; at < to; at++)
        n += ascii_is_digit(text.ptr[at]);
    return n;
}

bool pii_preceded_by(vsr_str text, size_t pos, size_t window, const char *const *words) {
    size_t from = pos > window ? pos - window : 0;
    while (count_digits(text, from, pos) > DIGITS_BETWEEN)
        from++;
    for (size_t at = from; at < pos; at++)
        for (size_t i = 0; may_be_word(text, at) && words[i]; i++)
            if (words[i][0] == ascii_lower(text.ptr[at]) && is_at(text, at, pos, words[i]))
                return true;
    return false;
}

/* ---- the search */

struct finder {
    const char *begins; /* what the first byte can be: a letter, a digit, or one of these */
    size_t (*find)(vsr_str text, size_t pos);
    enum pii_form form;
    bool at_letter, at_digit;
};

/* In order: what is told apart best comes first. */
static const struct finder finders[] = {
    { "_", pii_find_email, PII_EMAIL, true, true },   { "", pii_find_iban, PII_IBAN, true, false },
    { "", pii_find_ipv6, PII_IP, true, true },        { "", pii_find_ipv4, PII_IP, false, true },
    { "", pii_find_card, PII_CARD, false, true },     { "", pii_find_ssn, PII_SSN, false, true },
    { "+(", pii_find_phone, PII_PHONE, false, true }, { "", pii_find_domain, PII_DOMAIN, true, true },
};

static bool begins(const struct finder *finder, char c) {
    return pii_is_letter(c)    ? finder->at_letter
           : ascii_is_digit(c) ? finder->at_digit
                               : pii_is_one_of(c, finder->begins);
}

/* What begins at `pos`. */
static bool find_at(vsr_str text, size_t pos, struct pii_find_span *ret) {
    for (size_t i = 0; i < VSR_COUNT(finders); i++) {
        size_t end = begins(&finders[i], text.ptr[pos]) ? finders[i].find(text, pos) : 0;
        if (end == 0)
            continue;
        VSR_ASSERT(end > pos && end <= text.len);
        *ret = (struct pii_find_span){ pos, end, finders[i].form };
        return true;
    }
    return false;
}

/* Behind no word, except that "IP" is often written close to the address. */
static bool is_beginning(vsr_str text, size_t pos) {
    if (!pii_is_word(pii_byte_before(text, pos)))
        return true;
    return pos > 1 && ascii_is_digit(text.ptr[pos]) && str_eq_nocase(str_sub(text, pos - 2, pos), VSR_STR("ip")) &&
           !pii_is_word(pii_byte_before(text, pos - 2));
}

/*
 * Where a word ends that can be the beginning of nothing: one of letters that no other part is joined to. 0: it can.
 * Most words of most texts are such.
 */
static size_t skip_word(vsr_str text, size_t pos) {
    size_t end = pos;
    while (end < text.len && pii_is_letter(text.ptr[end]))
        end++;
    return end > pos && !pii_is_word(pii_byte(text, end)) && !pii_is_one_of(pii_byte(text, end), ".@%+-:") ? end : 0;
}

int pii_find(struct arena *arena, vsr_str text, struct pii_find_span **ret_spans, size_t *ret_n, struct vsr_err *err) {
    struct pii_find_span *spans = NULL, *more, span;
    size_t n = 0, cap = 0;
    for (size_t pos = 0; pos < text.len;) {
        size_t end = is_beginning(text, pos) ? skip_word(text, pos) : pos + 1;
        if (end == 0 && !find_at(text, pos, &span))
            end = pos + 1;
        if (end > 0) {
            pos = end;
            continue;
        }
        more = arena_try_grow(arena, spans, sizeof(*spans), n, 1, &cap);
        if (!more)
            return err_set(err, VSR_E_NOMEM, "no memory for the personal data that was found");
        spans = more;
        spans[n++] = span;
        pos = span.end;
    }
    *ret_spans = spans;
    *ret_n = n;
    return 0;
}
