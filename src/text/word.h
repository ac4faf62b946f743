/*
 * word - where a literal stands as a whole word (signals.md §5.1).
 *
 * The rule is about edges: on a side where the literal's own outermost character is a word character, the neighbouring
 * character of the text must not be one. Nothing is required beside CJK characters, punctuation and symbols, and the
 * ends of the text are fine. Texts are compared byte by byte, so fold both sides first. Pure: any thread.
 */
#ifndef VSR_TEXT_WORD_H
#define VSR_TEXT_WORD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

/* The sides of a literal that need a boundary. */
struct word_edges {
    bool before, behind;
};

/* `literal` is not empty. */
struct word_edges word_edges(vsr_str literal);

/* Whether text[from, to), an occurrence of a literal with these edges, is a whole word. */
bool word_stands(struct word_edges edges, vsr_str text, size_t from, size_t to);

/* Whether `literal` occurs in `text` as a whole word; every occurrence is tried. For short texts: pattern_set serves
 * long ones. */
bool word_occurs(vsr_str literal, vsr_str text);

#endif
