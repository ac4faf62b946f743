/*
 * examine - all that is said of a program without a proof: compiling, checks, and what its base knows. Any thread.
 */
#ifndef VSR_DSL_EXAMINE_H
#define VSR_DSL_EXAMINE_H

#include "dsl/parse.h"

struct findings;
struct language;
struct yaml_node;

/*
 * Adds to the findings of parsing, which must be there already, and does not sort them. `base`: the configuration that
 * the program is merged into, as it was read; NULL: none is known. Returns what was compiled, which lives in `arena`
 * and borrows the text.
 */
struct yaml_node *dsl_examine(struct arena *arena, const struct language *language, const struct dsl_parsed *parsed,
                              const struct yaml_node *base, struct findings *findings);

#endif
