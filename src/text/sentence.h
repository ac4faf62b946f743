/*
 * sentence - the sentences of a text, and the words that ranking them looks at (signals.md §8).
 *
 * A sentence ends behind a run of terminators of the scripts that have some, and at the end of a line: code, lists and
 * logs have no other mark. A full stop inside a number ("3.14") or behind an initial ("J. Doe") ends nothing. Invalid
 * UTF-8 is text like any other. Pure: any thread.
 */
#ifndef VSR_TEXT_SENTENCE_H
#define VSR_TEXT_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

/*
 * Cuts the first sentence off `*rest`, without blanks at its ends, and moves `*rest` behind it and the blanks that
 * follow. False when nothing but blanks is left.
 */
bool sentence_next(vsr_str *rest, vsr_str *ret_sentence);

/* The next run of characters between blanks; false at the end. */
bool sentence_field(vsr_str *rest, vsr_str *ret_field);

/*
 * About how many tokens the text costs: 1.5 for each CJK character and 1.3 for each field that holds anything else, cut
 * to a whole number, but at least 1 unless the text is blank.
 */
uint64_t sentence_tokens(vsr_str text);
/* Whether that is more than `most`; reads no further than it must. */
bool sentence_tokens_exceed(vsr_str text, uint64_t most);

/*
 * Calls fn for each word, in the case of the text. A field gives itself, without what is neither letter nor digit at
 * its ends. One with CJK characters gives the runs of others between them, trimmed likewise, each such character, and
 * each pair of neighbours among them. Stops when fn returns false.
 */
void sentence_words(vsr_str text, bool (*fn)(void *data, vsr_str word), void *data);

#endif
