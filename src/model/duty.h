/*
 * duty - what a model must be to serve one of the things that vsr asks models about, and in what a given one falls
 * short.
 *
 *     domain       a classifier whose classes are the fourteen subjects
 *     jailbreak    a classifier with a class "jailbreak"
 *     pii          a tagger with "O" and spans of types that vsr knows
 *     fact-check   a classifier with a class FACT_CHECK_NEEDED
 *     feedback     a classifier of satisfied, need_clarification, wrong_answer and want_different
 *     modality     a classifier of AR, DIFFUSION and BOTH
 *     image-embedding   an embedder that reads pictures too
 *     ...          see duty.c
 *
 * Labels are compared without regard to case, and to what stands between words. Immutable: any thread.
 */
#ifndef VSR_MODEL_DUTY_H
#define VSR_MODEL_DUTY_H

#include <stddef.h>

#include "core/str.h"
#include "model/completeness.h"

struct arena;
struct duty;
struct model;

enum { DUTY_PROBLEMS_MAX = 8 };

/* Names of all duties, NULL behind the last. */
extern const char *const duty_names[];

/* NULL: there is no such duty. */
const struct duty *duty_named(vsr_str name);

/* Writes to `ret` what is wrong with an open model for it; 0: nothing. Texts live in `arena`. */
size_t duty_check(const struct duty *duty, const struct model *model, struct arena *arena,
                  struct model_problem ret[static DUTY_PROBLEMS_MAX]);

#endif
