/*
 * format - a program in its usual layout, as it was meant: order, comments, templates, trees and tests stay.
 *
 * Spacing, quotes, numbers and the order of fields are normalised; long lists are broken one item a line. Formatting
 * twice changes nothing. Any thread.
 */
#ifndef VSR_DSL_FORMAT_H
#define VSR_DSL_FORMAT_H

#include "dsl/parse.h"

struct language;

enum { DSL_FORMAT_COLUMNS = 100 };

/* The program must have parsed without an error. Appends the text. */
void dsl_format(const struct language *language, const struct dsl_parsed *parsed, struct buf *out);

#endif
