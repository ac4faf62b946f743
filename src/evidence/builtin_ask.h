/*
 * builtin_ask - asks that models of the program itself answer, on the caller's thread.
 *
 * All asks about one text are one pass over it. Any thread, each with a scratch of its own.
 */
#ifndef VSR_EVIDENCE_BUILTIN_ASK_H
#define VSR_EVIDENCE_BUILTIN_ASK_H

#include "core/err.h"
#include "signal/evidence.h"

struct arena;
struct builtin_model;
struct builtin_scratch;

enum { BUILTIN_ASKS_MAX = 16 }; /* of one pass */

/* Why `model` cannot answer that kind of ask; 0: it can. */
int builtin_check(const struct builtin_model *model, enum evidence_kind kind, struct vsr_err *err) VSR_MUST_CHECK;

/* One text, at most BUILTIN_ASKS_MAX models that can answer: `answers[i]` is of `models[i]`, in `arena`. False, and
 * there are none: the text has more tokens than these models take at once, and is for the engine, which cuts it. */
bool builtin_answer(struct builtin_scratch *scratch, vsr_str text, const struct builtin_model *const *models, size_t n,
                    struct arena *arena, struct evidence_answer *answers);

#endif
