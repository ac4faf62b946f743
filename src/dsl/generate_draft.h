/*
 * generate_draft - what a model answered when it was asked for a program: the program in it, and what is wrong with it.
 *
 * Answers are hostile: any bytes of any length, which cost linear time. Any thread.
 */
#ifndef VSR_DSL_GENERATE_DRAFT_H
#define VSR_DSL_GENERATE_DRAFT_H

#include "dsl/findings.h"
#include "dsl/parse.h"

struct language;
struct yaml_node;

/*
 * The part of `answer` that is the program, a slice of it; empty when there is none. Left out are thoughts (`<think>`),
 * what is not inside of the first fence (```), what stands before the first declaration, and what stands behind the
 * last closed one. A program that is cut off in the middle of a declaration stays as it is.
 */
vsr_str generate_sanitise(struct arena *arena, vsr_str answer);

struct generate_draft {
    vsr_str answer; /* as it came */
    vsr_str text;   /* the program in it */
    struct dsl_parsed parsed;
    struct findings syntax;     /* of parsing; also that there is no program, or only a part of one */
    struct findings findings;   /* all: syntax, compiling, checks, proofs; sorted */
    struct yaml_node *compiled; /* NULL: it did not parse */
};

/*
 * Reads, compiles, checks, and proves what would be errors of logic: routes that nothing reaches, conditions that are
 * never true, ties, requests that no route takes (a warning here). `base`: what the program will belong to, NULL: none
 * is known. `cut_off`: the model had more to say, so that the program is incomplete even where it reads well.
 * Everything in `arena`; keeps `answer`.
 */
void generate_judge(struct arena *arena, const struct language *language, const struct yaml_node *base, vsr_str answer,
                    bool cut_off, struct generate_draft *ret_draft);

/* The same for a program that nothing has to be looked for in. */
void generate_judge_text(struct arena *arena, const struct language *language, const struct yaml_node *base,
                         vsr_str text, struct generate_draft *ret_draft);

/* The errors of syntax, joined by "; "; empty: none. In `arena`. */
vsr_str generate_parse_error(struct arena *arena, const struct generate_draft *draft);

/* Findings that a better draft would not have: all but hints. */
size_t generate_faults(const struct generate_draft *draft);

/* Whether `a` is nearer to what was asked for than `b`: whether it parses, then by errors, then by faults. */
bool generate_is_better(const struct generate_draft *a, const struct generate_draft *b);

#endif
