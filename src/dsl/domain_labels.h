/*
 * domain_labels - the fields of knowledge that signals of type domain stand for (dsl.md §4.3).
 */
#ifndef VSR_DSL_DOMAIN_LABELS_H
#define VSR_DSL_DOMAIN_LABELS_H

#include <stdbool.h>

#include "core/str.h"

struct arena;

bool domain_is_label(vsr_str name);

/*
 * The label that was meant: with blanks for underscores, else the one that begins so (`chem`), else the nearest;
 * empty: none is near. `*ret_certain`: as of findings_suggest().
 */
vsr_str domain_suggest(struct arena *arena, vsr_str name, bool *ret_certain);

#endif
