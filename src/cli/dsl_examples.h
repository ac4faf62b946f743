/*
 * dsl_examples - what the examples of signals say once a model has embedded them: rules that match together (W410), and
 * members of a softmax partition that it hardly tells apart (W413). One thread.
 */
#ifndef VSR_CLI_DSL_EXAMPLES_H
#define VSR_CLI_DSL_EXAMPLES_H

#include <stdbool.h>
#include <stdint.h>

struct dsl_program;
struct findings;
struct profile;

/* Whether a program has anything to look at: two embedding rules. */
bool examples_are_there(const struct dsl_program *program);

/*
 * Adds to `findings`, with places of the profile's file. `profile`: with its models loaded (profile_models_load()); of
 * examples that have no vectors nothing is told. `budget_ms`: of one recipe; 0: PROVE_BUDGET_MS.
 */
void examples_look(const struct profile *profile, int64_t budget_ms, struct findings *findings);

#endif
