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

bool pii_preceded_by(vsr_str text, size_t pos, size_t window, const char *const *words) {
    for (size_t at = pos > window ? pos - window : 0; at < pos; at++)
        for (size_t i = 0; words[i]; i++)
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

static bool make_room(struct arena *arena, struct pii_find_span **spans, size_t n, size_t *cap) {
    size_t next = *cap ? 2 * *cap : 8;
    struct pii_find_span *more;
    if (n < *cap)
        return true;
    more = arena_try_alloc(arena, next * sizeof(*more));
    if (!more)
        return false;
    if (n > 0)
        memcpy(more, *spans, n * sizeof(*more));
    *spans = more;
    *cap = next;
    return true;
}

int pii_find(struct arena *arena, vsr_str text, struct pii_find_span **ret_spans, size_t *ret_n, struct vsr_err *err) {
    struct pii_find_span *spans = NULL, span;
    size_t n = 0, cap = 0;
    for (size_t pos = 0; pos < text.len;) {
        if (pii_is_word(pii_byte_before(text, pos)) || !find_at(text, pos, &span)) {
            pos++;
            continue;
        }
        if (!make_room(arena, &spans, n, &cap))
            return err_set(err, VSR_E_NOMEM, "no memory for the personal data that was found");
        spans[n++] = span;
        pos = span.end;
    }
    *ret_spans = spans;
    *ret_n = n;
    return 0;
}
