/*
 * language - which natural language a text is written in.
 *
 * Code, URLs, addresses, digits and punctuation are taken out first; then scripts that belong to one language decide by
 * their share of the letters, and CLD2 tells the languages of the shared scripts (Latin, Cyrillic, Arabic, Devanagari)
 * apart. Same text, same answer: nothing depends on the configuration. Any thread; the tables are constant data, so
 * there is nothing to load.
 */
#ifndef VSR_TEXT_LANGUAGE_H
#define VSR_TEXT_LANGUAGE_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum { LANGUAGE_LETTERS_MIN = 3 }; /* below it nothing is detected, except in CJK scripts */

struct language_guess {
    vsr_str code;      /* ISO 639-1, static; empty: not detected */
    double confidence; /* 0..1 */
};

/* Whether `code` is one of the 75 languages that can be detected. */
bool language_supported(vsr_str code);

/* Reads through the tables once, so that no request waits for the disk. Call it when a recipe is built. */
void language_warm_up(struct arena *arena);

/* Detects over UTF-8. Scratch comes from `arena` and is given back. Fails with VSR_E_NOMEM only. */
int language_detect(struct arena *arena, vsr_str text, struct language_guess *ret_guess,
                    struct vsr_err *err) VSR_MUST_CHECK;

#endif
