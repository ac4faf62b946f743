/*
 * language_words - the words of a text that can tell its language, one after the other.
 *
 * Leaves out code between back-quotes, URLs, mail addresses, digits and punctuation. A word is a run of letters of one
 * script with its marks and apostrophes, in lower case. Detection and training read texts through here, so that the
 * model sees what it was trained on. Any thread; a reader belongs to one.
 */
#ifndef VSR_TEXT_LANGUAGE_WORDS_H
#define VSR_TEXT_LANGUAGE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "text/unicode.h"

enum { LANGUAGE_WORD_LEN_MAX = 46 }; /* letters kept of one word; longer ones are chains of words, or noise */

struct language_word {
    enum unicode_script script;
    size_t n_letters; /* of the word, also those not kept */
    size_t n;         /* kept letters, marks and apostrophes */
    uint32_t chars[LANGUAGE_WORD_LEN_MAX];
};

/* What comes next: a word, or what ends a thought. Colons count where space, a quotation or a wide character follows.
 */
enum language_token { LANGUAGE_TOKEN_END, LANGUAGE_TOKEN_WORD, LANGUAGE_TOKEN_COLON, LANGUAGE_TOKEN_LINE };

struct language_reader {
    vsr_str text;
    size_t pos;
    size_t run_end;   /* what was looked at for addresses */
    size_t n_symbols; /* characters that code is full of, so far; whoever counts resets it */
    size_t gap_at;    /* what lies between these two is not read */
    size_t gap_end;
};

/* Reads at most `len_max` bytes of the text: three quarters of them at its beginning, one at its end. */
void language_reader_init(struct language_reader *reader, vsr_str text, size_t len_max);

/* Writes `ret_word` when it returns LANGUAGE_TOKEN_WORD. */
enum language_token language_read(struct language_reader *reader, struct language_word *ret_word);

#endif
