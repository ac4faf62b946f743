/*
 * family - what a signal family is: one descriptor per kind of rule under routing.signals.
 *
 * A family owns the config struct and table of its rules, compiles them when a recipe is built, and evaluates them
 * against one request's facts. Descriptors are constant; a state made by build() is read-only: any thread. families.c
 * lists them all.
 */
#ifndef VSR_SIGNAL_FAMILY_H
#define VSR_SIGNAL_FAMILY_H

#include "config/document.h"
#include "core/err.h"
#include "signal/bank.h"
#include "signal/evidence.h"
#include "signal/models.h"
#include "signal/request.h"
#include "signal/results.h"

/* When a family runs: cheap ones first, and later ones only while they can still change the outcome. */
enum signal_stage {
    SIGNAL_STAGE_CHEAP,    /* facts at hand, and the one scan over the text: a few microseconds together */
    SIGNAL_STAGE_TEXT,     /* works on the text at length: tens of microseconds */
    SIGNAL_STAGE_EMBED,    /* compares vectors; one forward pass serves all */
    SIGNAL_STAGE_CLASSIFY, /* a model of its own per family */
    SIGNAL_STAGE_REMOTE,   /* may ask another server */
    SIGNAL_STAGES,
};

/* What a family may use while it compiles its rules. */
struct signal_builder {
    struct arena *arena;
    const struct config_document *doc;
    const struct config_routing *routing; /* of the recipe; NULL: not known */
    const struct config_list *rules;      /* of this family; NULL: it has none */
    uint32_t first_slot;                  /* rule i reports to slot first_slot + i, unless the family names its slots */
    uint32_t n_slots;                     /* of the family */
    enum signal_stage stage;              /* the family's; build() may put its rules off to a later one */
    enum signal_text text;                /* which text the family reads */
    struct signal_slots *slots;           /* for values beside the rules */
    struct pattern_list *patterns;        /* all patterns of the recipe */
    struct signal_places *places;         /* where each pattern was written first */
    struct signal_sources *sources;       /* all that the recipe's families ask */
    struct signal_banks *banks;           /* all examples of the recipe */
    struct diag *diag;                    /* problems that only compiling shows */
    uint32_t *asked;                      /* signal_source_add()'s: whom the family asks, each once */
    size_t n_asked, asked_cap;
    bool needs_stemmer; /* set by a family whose eval() wants request->stemmer */
};

/* Places of patterns by index, for the engine's own complaints. */
struct signal_places {
    struct diag_at *items;
    size_t n, cap;
};

/* Remembers where pattern `index` stands; the first place wins. */
void signal_place(struct signal_builder *builder, uint32_t index, struct diag_at at);

/*
 * The members of a descriptor that work on requests: SIGNAL_RUNS(.build = build, .eval = eval). Where there are none,
 * in a build for editors alone (VSR_TABLES_ONLY, config/schema.h), they are left out, and with them engines and models.
 */
#ifdef VSR_TABLES_ONLY
#define SIGNAL_RUNS(...) .build = NULL
#else
#define SIGNAL_RUNS(...) __VA_ARGS__
#endif

struct signal_family {
    struct config_family config;
    enum signal_stage stage;
    const char *needs_evidence; /* what a model does for it: "domain classification"; NULL: it gets along without */
    bool judges_alone;          /* with `needs_evidence`: part of it needs nobody, and is judged when nobody answers */
    signal_models *models;      /* which of this process its rules would ask; NULL: none */
    bool all_or_nothing;        /* rules compete or share one cost: a wanted rule brings all */
    bool never_skipped;         /* run even where it cannot change the outcome any more, as long as a decision
                                   of higher rank than the winner refers to it */
    bool keeps_best;            /* of its matches outside partitions, only the best `top_k` stay */
    bool never_unknown;         /* a failure reads as "no match" */
    bool needs_identity;        /* asks who the caller is: a request that does not say is refused */
    enum config_on_unknown on_unknown; /* how leaves read a failure when the configuration does not say */

    /*
     * What its numbers can be at most, for those who reason about rules that were not evaluated: confidences from
     * `confidence_least` to `confidence_max` (0: 1), values from `value_least` to `value_greatest` (both 0: anything).
     */
    double confidence_least, confidence_max, value_least, value_greatest;

    /*
     * Optional: the different names that the family reports under, when these are not simply those of its rules. The
     * first `*ret_n_listed` are what matches are listed by; leaves may name the others too. The family finds its slots
     * by name then.
     */
    size_t (*names)(const struct config_list *rules, struct arena *arena, vsr_str **ret_names, size_t *ret_n_listed);
    /* With `names`: the rule behind name `index`. */
    size_t (*rule_of)(const void *state, size_t index);
    /* Optional: rules (indexes) whose match also makes a leaf of that name match. At most rules->n; returns how many.
     */
    size_t (*alternates)(const struct config_list *rules, vsr_str name, uint32_t *ret_rules);
    /* Compiles the rules. Problems go to the builder's diag. The state lives in its arena. */
    void *(*build)(struct signal_builder *builder);
    /*
     * Optional: asks what the wanted rules need to know, with evidence_ask(). Called once before eval(), and only when
     * somebody will answer; all wanted rules apply to the request.
     */
    void (*ask)(const void *state, struct signal_request *request);
    /*
     * Evaluates the wanted rules; called once more when others are wanted later. A failure here makes all of them
     * unavailable; one rule alone is failed with signal_fail(). A wanted rule that it says nothing about does not
     * match. A family with `needs_evidence` is evaluated only when somebody answers its asks, or when it judges alone:
     * it judges the answers, and need not look at `applies`, `is_settled` and `blocks`.
     */
    int (*eval)(const void *state, struct signal_request *request, struct signal_results *results, struct vsr_err *err);
    /* Optional: whether the rule has anything to look at in the request. If not, it does not match, and is not unknown.
     */
    bool (*applies)(const void *state, const struct request_facts *facts, size_t rule);
    /* Optional: whether the rule matches for sure, with nothing to look at. */
    bool (*is_settled)(const void *state, const struct request_facts *facts, size_t rule);
    /* Optional: whether the rule matches when it could not be evaluated. */
    bool (*blocks)(const void *state, size_t rule);
    /* Optional: the examples that the rule stands for. */
    const struct signal_bank *(*bank)(const void *state, size_t rule);
    /* Optional, after eval: what of rule `index` was found in the text, for people. Returns how many of `max`. */
    size_t (*found)(const void *state, const struct signal_request *request, size_t index, vsr_str *ret_texts,
                    size_t max);
};

/* Metrics of knowledge bases, which scores read. No rules are written for it, so it is not one of signal_families(). */
extern const struct signal_family signal_kb_metric;

/* All families, in the order of the catalogue (signals.md §1). Static. */
const struct signal_family *const *signal_families(size_t *ret_n);

#endif
