/*
 * key - several texts as one key of a map, of which no two lists of texts have the same; any byte may be in them.
 */
#ifndef VSR_DSL_KEY_H
#define VSR_DSL_KEY_H

#include "core/str.h"

struct arena;

vsr_str dsl_key(struct arena *arena, const vsr_str *parts, size_t n);

#endif
