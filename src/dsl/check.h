/*
 * check - whether a program says something sensible: references, contracts of values, projections, overlaps (dsl.md
 * §6).
 *
 * Needs no configuration beside it and asks no model. What needs a proof is in dsl/prove.h. Any thread.
 */
#ifndef VSR_DSL_CHECK_H
#define VSR_DSL_CHECK_H

#include "dsl/parse.h"

struct findings;
struct language;
struct yaml_node;

/*
 * All checks of dsl.md §6.1 to 6.4, over all scopes, but for what makes a program impossible to compile: those errors
 * (E2xx) are told by dsl_compile(), once, and whoever validates runs both. `base`: the configuration that
 * the program is merged into, whose models and stores count as declared; NULL: none is known.
 */
void dsl_check(struct arena *arena, const struct language *language, const struct dsl_parsed *parsed,
               const struct yaml_node *base, struct findings *findings);

#endif
