/*
 * pii_find - personal data that is known by its form: e-mail and network addresses, domain names, account, card, social
 * security and telephone numbers.
 *
 * What has check digits must have the right ones. What has none, telephone numbers most of all, must be written as such
 * numbers are, or stand behind a word that says so ("phone"), and not behind one that says otherwise ("order"). So
 * versions, dates, amounts and identifiers are left alone; doubtful ones are a tagger's to judge.
 *
 * Not personal, and therefore not found: addresses of the machine itself (127.0.0.1, ::1) and masks (255.255.255.0),
 * the user `git` of a repository's address, and user and password before the host of a URL.
 *
 * Only ASCII counts: any other character ends what stands before it, so that texts without blanks are searched as well.
 * Each place of the text is looked at a bounded number of times: linear in its length. Pure: any thread.
 */
#ifndef VSR_SIGNAL_PII_FIND_H
#define VSR_SIGNAL_PII_FIND_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum pii_form { PII_EMAIL, PII_IP, PII_IBAN, PII_CARD, PII_SSN, PII_PHONE, PII_DOMAIN, PII_FORMS };

/* The entity type: "EMAIL_ADDRESS". */
const char *pii_form_type(enum pii_form form);

struct pii_find_span {
    size_t start, end; /* bytes */
    enum pii_form form;
};

/* In order of the text, without overlaps, in `arena`. VSR_E_NOMEM when there are more than fit there. */
int pii_find(struct arena *arena, vsr_str text, struct pii_find_span **ret_spans, size_t *ret_n,
             struct vsr_err *err) VSR_MUST_CHECK;

#endif
