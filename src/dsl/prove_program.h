/*
 * prove_program - what proofs (dsl/prove.h) say of a program, before anybody saved or loaded it.
 *
 * The program becomes a document as config_load makes one, with its base and without looking at other files or the
 * environment. One thread; costs what loading and dsl_prove() cost.
 */
#ifndef VSR_DSL_PROVE_PROGRAM_H
#define VSR_DSL_PROVE_PROGRAM_H

#include "dsl/prove.h"

struct language;
struct yaml_node;

/*
 * `compiled`: a program without errors and broken contracts (dsl_examine()). `base`: its base, NULL: none; one that
 * does not load with it is left out, since routes are the program's. Neither is changed. Adds W401 to W411 with places
 * of the program's text to `findings`, unsorted. False: the configuration refuses the program, and nothing is said.
 * `options->families` need not be set: they are the language's. `ret_summary` may be NULL.
 */
bool dsl_prove_program(struct arena *arena, const struct language *language, const struct yaml_node *compiled,
                       const struct yaml_node *base, const struct prove_options *options, struct findings *findings,
                       struct prove_summary *ret_summary);

#endif
