/*
 * token_string - what a string of the routing language says (dsl.md §2).
 *
 * A string with an escape that the language does not know is taken literally, all of its backslashes included: that is
 * how regular expressions came to be written, and what existing programs rely on. Any thread.
 */
#ifndef VSR_DSL_TOKEN_STRING_H
#define VSR_DSL_TOKEN_STRING_H

#include <stdbool.h>

#include "dsl/token.h"

/*
 * `at`: the string with its quotes. The text lies in `arena` or in the source. W104 tells the first unknown escape; its
 * fix writes the same text with known ones. False: the text is no UTF-8.
 */
bool token_string(struct arena *arena, vsr_str source, struct dsl_at at, struct findings *findings, vsr_str *ret_text);

#endif
