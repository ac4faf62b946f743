/*
 * compile - from a program to the part of the configuration that it stands for (dsl.md §4, §5).
 *
 * The result is a YAML tree with the keys `routing`, `entrypoints` and `recipes`, in the order of the written form; its
 * nodes carry the places of the program, so that the configuration's own checks point into it. Any thread.
 */
#ifndef VSR_DSL_COMPILE_H
#define VSR_DSL_COMPILE_H

#include "config/yaml_tree.h"
#include "core/err.h"
#include "dsl/tree.h"

struct findings;
struct language;

/*
 * Compiles what can be: findings of level ERROR say what could not (E201 to E220: all of them, with fixes; dsl_check()
 * tells none), or that no configuration holds it all (E105, E106, E111). Of what breaks a contract (C3xx) unknown
 * fields and values of another kind are left out silently; all else is written as it stands. The tree lives in `arena`
 * and borrows the program's text.
 */
struct yaml_node *dsl_compile(struct arena *arena, const struct language *language, const struct dsl_program *program,
                              struct findings *findings);

/*
 * Puts a compiled program into a whole configuration: `routing`, `entrypoints` and `recipes` are replaced, each model
 * of the base gets a card, and everything else stays, as does what the language cannot say of what is still there
 * (keep.h; dsl.md §7.5, §8.3). Changes both. Fails with VSR_E_LIMIT, the base as it was but `compiled` perhaps not,
 * where the base's own routing is more than a program may say.
 */
int dsl_merge(struct arena *arena, const struct language *language, struct yaml_node *base,
              struct yaml_node *compiled) VSR_MUST_CHECK;

/* What people are told when it fails. */
#define DSL_MERGE_TOO_LARGE \
    "the routing of the base would be a program of more than 8 MiB, and what the language cannot say of it would be " \
    "lost"

#endif
