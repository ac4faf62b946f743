/*
 * stop_words - English words that say nothing about what a text is about (signals.md §9.1).
 *
 * A short list on purpose: words that requests turn on, such as "now" and "help", are not in it. Any thread.
 */
#ifndef VSR_TEXT_STOP_WORDS_H
#define VSR_TEXT_STOP_WORDS_H

#include <stdbool.h>

#include "core/str.h"

/* `token` as tokens.h gives it. */
bool stop_word(vsr_str token);

#endif
