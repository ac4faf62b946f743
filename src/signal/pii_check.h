/*
 * pii_check - whether a number can be what it looks like: check digits, known lengths, ranges that were never given
 * out. Pure: any thread.
 */
#ifndef VSR_SIGNAL_PII_CHECK_H
#define VSR_SIGNAL_PII_CHECK_H

#include <stdbool.h>

#include "core/str.h"

enum { PII_IBAN_MAX = 34, PII_CARD_MIN = 12, PII_CARD_MAX = 19 };

/* `digits` hold nothing but ASCII digits in all of these. */
bool pii_luhn(vsr_str digits);
/* A payment card: beginning and length are those of an issuer, and the check digit is right. */
bool pii_is_card(vsr_str digits);
/* A number of nine digits that the United States may have given to a person. */
bool pii_is_us_ssn(vsr_str digits);
/* Ten digits of the North American plan: neither area nor exchange begins with 0 or 1. */
bool pii_is_nanp(vsr_str digits);
/* With its calling code and without a plus: 8 to 15 digits, the code is one of a country. */
bool pii_is_international(vsr_str digits);

/* Letters and digits, no blanks. Length of an account number of that country, 0 when it has none. */
size_t pii_iban_len(vsr_str country);
/* Right length, and the remainder by 97 is 1. Case does not count. */
bool pii_is_iban(vsr_str text);

/* What the form of `text` says about its being of the entity type `type` ("CREDIT_CARD"). */
enum pii_verdict { PII_UNDECIDED, PII_CONFIRMED, PII_REFUTED };
enum pii_verdict pii_check(vsr_str type, vsr_str text);

#endif
