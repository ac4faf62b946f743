/*
 * unicode - what kind of character a code point is, and its simple case folding.
 *
 * Categories come from utf8proc; foldings and scripts from tables of our own (unicode_tables.h). Invalid code points,
 * which includes UTF8_INVALID, are of no class and fold to themselves. Pure: any thread.
 */
#ifndef VSR_TEXT_UNICODE_H
#define VSR_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

/* clang-format off */
#define UNICODE_SCRIPTS(X) \
    X(LATIN, "Latin") X(GREEK, "Greek") X(CYRILLIC, "Cyrillic") X(ARMENIAN, "Armenian") X(HEBREW, "Hebrew") \
    X(ARABIC, "Arabic") X(SYRIAC, "Syriac") X(THAANA, "Thaana") X(DEVANAGARI, "Devanagari") \
    X(BENGALI, "Bengali") X(GURMUKHI, "Gurmukhi") X(GUJARATI, "Gujarati") X(ORIYA, "Oriya") X(TAMIL, "Tamil") \
    X(TELUGU, "Telugu") X(KANNADA, "Kannada") X(MALAYALAM, "Malayalam") X(SINHALA, "Sinhala") X(THAI, "Thai") \
    X(LAO, "Lao") X(TIBETAN, "Tibetan") X(MYANMAR, "Myanmar") X(GEORGIAN, "Georgian") X(HANGUL, "Hangul") \
    X(ETHIOPIC, "Ethiopic") X(CHEROKEE, "Cherokee") X(KHMER, "Khmer") X(MONGOLIAN, "Mongolian") \
    X(HIRAGANA, "Hiragana") X(KATAKANA, "Katakana") X(BOPOMOFO, "Bopomofo") X(HAN, "Han") X(YI, "Yi")
/* clang-format on */

enum unicode_script {
    SCRIPT_OTHER, /* common, inherited, and scripts that nobody here asks for */
#define X(id, name) SCRIPT_##id,
    UNICODE_SCRIPTS(X)
#undef X
        SCRIPTS
};

enum unicode_script unicode_script(uint32_t cp);
/* SCRIPT_OTHER when the name is not one of the above. */
enum unicode_script unicode_script_named(vsr_str name);
/* Calls fn for each range of the script, in order. */
void unicode_script_ranges(enum unicode_script script, void (*fn)(void *data, uint32_t first, uint32_t last),
                           void *data);

bool unicode_is_letter(uint32_t cp); /* L */
bool unicode_is_alnum(uint32_t cp);  /* L or Nd */
bool unicode_is_digit(uint32_t cp);  /* Nd */
bool unicode_is_upper(uint32_t cp);  /* a letter that lower-casing changes */
bool unicode_is_space(uint32_t cp);  /* White_Space */
bool unicode_is_cased(uint32_t cp);  /* Cased */
/* Case_Ignorable: what may stand between a letter and the end of its word when the case of a final letter is found. */
bool unicode_is_case_ignorable(uint32_t cp);
/* Two-letter general category, "Cn" for what is not assigned. */
const char *unicode_category(uint32_t cp);

/*
 * Han, Hiragana, Katakana or Hangul. Counts the prolonged sound mark (U+30FC, U+FF70) and the iteration marks, whose
 * script is formally "common", because they are used with these scripts only.
 */
bool unicode_is_cjk(uint32_t cp);

/* Word character of signals.md §5.1: letter, mark, decimal digit or `_`, and not CJK. */
bool unicode_is_word(uint32_t cp);

/* Simple case folding (CaseFolding.txt, C and S). */
uint32_t unicode_fold(uint32_t cp);
/* Simple lower-case mapping. */
uint32_t unicode_lower(uint32_t cp);

enum { UNICODE_DECOMPOSED_MAX = 18 }; /* Unicode's own bound */

/* Compatibility decomposition (NFKD) of one code point. Returns how many it gives: itself when it has none. */
size_t unicode_decompose(uint32_t cp, uint32_t ret_parts[static UNICODE_DECOMPOSED_MAX]);

/* Calls fn for every code point that folds to another one. */
void unicode_fold_pairs(void (*fn)(void *data, uint32_t cp, uint32_t folded), void *data);

/* Whether all bytes are below 0x80. */
bool unicode_is_ascii(vsr_str text);

/*
 * Text units of signals.md §5.2: each CJK code point is one, each maximal run of other letters and digits is one.
 */
size_t unicode_count_units(vsr_str text);

#endif
