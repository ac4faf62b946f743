/*
 * effect - what a change of a policy does: which requests are routed or handled in another way, with an example for
 * each, or a proof that there are none.
 *
 * Two loaded documents are put into one theory (dsl/prove_theory.h). Signals that are written alike, and inherit the
 * same of `global`, report alike; what is written in another way may report anything. So "no effect" holds for every
 * request as long as models answer as before, and an example is one as far as the theory goes. What changes beside
 * routing is listed by dsl/change.h.
 *
 * Costs no more than the budget for each profile. One thread.
 */
#ifndef VSR_DSL_EFFECT_H
#define VSR_DSL_EFFECT_H

#include "config/document.h"
#include "dsl/prove.h"

enum {
    EFFECTS_MAX = 200, /* of one profile; behind it the list is not complete */
};

enum effect_kind {
    EFFECT_ROUTE,      /* requests go to another route */
    EFFECT_MODELS,     /* the same route, or none, but other models */
    EFFECT_HANDLING,   /* the same route, which does something else to them: plugins, the algorithm */
    EFFECT_CONFIDENCE, /* among the same routes of one rank, another may win: what they report is less or more sure */
    EFFECT_ORDER,      /* the same, since whether a tier matches has changed, and `untiered: first` asks for that */
    EFFECT_ADDED,      /* a profile that was not there */
    EFFECT_REMOVED,    /* one that is not there any more */
    EFFECT_ENTRY,      /* a model name leads to another profile */
};

struct effect {
    enum effect_kind kind;
    vsr_str profile;
    /* NULL: no route takes the request, and the default model answers. ADDED, REMOVED and ENTRY have neither. */
    const struct config_decision *before, *after;
    vsr_str parts;            /* HANDLING: which parts of the route are others, `algorithm, plugins` */
    const char *circumstance; /* what is odd about the example: " while a signal cannot be evaluated"; else empty */
    vsr_str witness;          /* `keyword(a) true, domain(b) false`; ENTRY: the model name, and the profiles */
};

struct effects {
    struct effect *items;
    size_t n, cap;
    bool complete;      /* there are no others */
    const char *reason; /* why not; NULL: complete */
};

/* `schema`: the table of both documents, which are kept. Results live in `arena`. Options as for dsl_prove(). */
void effects_find(struct arena *arena, const struct schema *schema, const struct config_document *before,
                  const struct config_document *after, const struct prove_options *options,
                  struct effects *ret_effects);

/* `requests of "a" go to "b" when there is no text`: one effect in words, without its profile and example. */
vsr_str effect_text(struct arena *arena, const struct effect *effect);

#endif
