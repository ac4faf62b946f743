/*
 * prove_examples - what the examples of embedding rules say together with the routes that ask for them (dsl.md §6.5,
 * §6.6).
 *
 * No model is known here: whoever has the vectors of the examples answers a question about two rules.
 *
 *   W410  warning  two rules in no common partition match one text, as far as their examples and thresholds go: an
 *                  example of one of them is itself near enough to one of the other. And two routes of different models
 *                  that ask for one rule each can hold together, which is proved, with an example. Nothing is told
 *                  where only the best rule stays (top_k), or where conditions exclude each other.
 *         hint     the same where only a text between two examples would be near enough to both: the caps around them
 *                  meet, though no text may lie there
 *
 * Costs no more processor time than the budget for each profile, answers aside. One thread.
 */
#ifndef VSR_DSL_PROVE_EXAMPLES_H
#define VSR_DSL_PROVE_EXAMPLES_H

#include "dsl/prove.h"

enum { PROVE_MEETINGS_MAX = 100 }; /* told of one profile */

struct prove_meeting {
    const struct config_scope *profile;
    vsr_str type, a, b;      /* the rules */
    double least_a, least_b; /* similarities from which on they can match */
};

struct prove_examples {
    /*
     * Whether a text may be as similar to an example of each, and how similar the nearest two of them are. False: it is
     * not known, or they are not compared with the same text.
     */
    bool (*meet)(void *data, const struct prove_meeting *meeting, bool *ret_meet, double *ret_similarity);
    void *data;
};

/* Adds to `findings`, whose prefix it sets and clears. Keeps nothing. */
void dsl_prove_examples(struct arena *arena, const struct config_document *doc, const struct prove_options *options,
                        const struct prove_examples *examples, struct findings *findings);

#endif
