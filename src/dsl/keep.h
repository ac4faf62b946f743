/*
 * keep - what a configuration says and no program can, put into what a program compiles to (dsl.md §7.5).
 *
 * What the language can say of the configuration is asked of itself: its program is made and compiled again. A value
 * that this loses, or changes, is the configuration's own: it stays wherever the new program still says of its
 * surroundings what the configuration's program said. Entries of lists are found again by their names (models by name
 * and LoRA, plugins by type, loops by variable). Costs one compilation of the configuration. Any thread.
 */
#ifndef VSR_DSL_KEEP_H
#define VSR_DSL_KEEP_H

#include "core/err.h"

struct arena;
struct language;
struct yaml_node;

/*
 * Changes `compiled`, which then shares nodes with `base`. Both are mappings. Fails with VSR_E_LIMIT, having changed
 * nothing, where the configuration's program would be larger than programs may be: nobody knows then what it loses.
 */
int dsl_keep(struct arena *arena, const struct language *language, const struct yaml_node *base,
             struct yaml_node *compiled) VSR_MUST_CHECK;

#endif
