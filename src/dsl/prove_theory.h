/*
 * prove_theory - what a profile's signals, projections and conditions mean to the solver.
 *
 * Every rule has a slot, as at run time: whether it matches, whether it could not be evaluated, and the number that it
 * reports. A leaf reads slots as policy/rule does and has three states, held in two literals: `is` (TRUE) and `not`
 * (FALSE); neither is UNKNOWN. Gates over both rails follow decisions.md §2.4 to the letter. What is said about slots
 * is only what the engine guarantees:
 *
 *   - context, structure, conversation: rules over one source read one number. Counts are whole and never negative.
 *     A density is above zero when the count is, unless the text has no words.
 *   - metadata: rules over one key read one value, or none.
 *   - language, modality, preference: at most one rule matches; user_feedback, fact_check, complexity: at most one of
 *     the names. Unless it failed, one of modality's three does match, and one of fact_check's two; and one of a
 *     complexity rule's levels, while the request has text and the composer holds.
 *   - embedding rules outside partitions: at most one, where the catalogue keeps one (top_k).
 *   - reask: of several lookbacks only the furthest; of one lookback, what the higher threshold matches the lower does.
 *   - authz: whoever has a binding has its role.
 *   - partitions: exactly one member, the default when nothing else; none only when a member failed. A partition that
 *     shares a member with another one says nothing.
 *   - scores: a weighted sum of inputs that match or not, with confidences and values as far as the family's can go;
 *     mappings over one score read one number, the first band that holds counts unless `multi_emit`. Where inputs match
 *     or not the sum is the engine's to the last bit; where they report more than that, and in scores with too many
 * sums to tell apart, one within 1e-9 of a bound may be on either side of it.
 *   - domain leaves also hold when a rule matched that is called like one of their categories.
 *
 * All else is taken as possible: what a model says of a text, which keywords occur together, how two regular
 * expressions relate. A proof that something is impossible therefore holds for every request; an example is one as far
 * as these rules go, and may be one that no text produces.
 *
 * With several documents in one theory, slots whose rules mean the same in both, and inherit the same of `global`, are
 * one. Keeps the documents. One
 * thread.
 */
#ifndef VSR_DSL_PROVE_THEORY_H
#define VSR_DSL_PROVE_THEORY_H

#include "config/document.h"
#include "core/map.h"
#include "dsl/prove_number.h"

struct buf;

enum { THEORY_MEANING_LEN_MAX = 64 << 20 };

/* What is nearer to a bound may be on either side of it, unless it is known to the last bit. */
#define THEORY_TOLERANCE 1e-9

/* The two truths of a condition. Not both hold; for what is never UNKNOWN, `not` is `-is`. */
struct rail {
    int is, not ;
};

struct theory_slot {
    uint32_t id;
    bool later;            /* of a document that is not the theory's first, and not one of that one's */
    int match;             /* literal: the rule is matched, once competitions are over */
    int failed;            /* literal: could not be evaluated; 0: nobody asked yet */
    bool never_fails;      /* then `failed` is never */
    int before;            /* literal: it matched before only the best of the family were kept; 0: as `match` */
    struct number *number; /* NULL: nobody asked yet */
    int there;             /* literal: it reports a number */
};

struct theory_leaf {
    vsr_str text; /* `keyword(a)` */
    struct rail rail;
};

/* A term of a score: within [on_least, on_most] while the literal holds, else within [off_least, off_most]. */
struct theory_term {
    int literal; /* 0: there is none; always within the first two */
    double on_least, on_most, off_least, off_most;
};

/* What a score, or a part of it, comes to while the literal holds. */
struct theory_sum {
    int literal;
    double least, most;
};

/* What is added to a score: another one, or a term. */
struct theory_input {
    double weight;
    const struct theory_score *score; /* NULL: a term */
    struct theory_term term;          /* weighted */
};

struct theory_score {
    struct number *number;
    double least, most;          /* over all requests; infinite where an input has no bound */
    struct theory_input *inputs; /* as the engine adds them up */
    size_t n_inputs, inputs_cap, n_steps;
    /* Of the inputs so far, as the engine adds them up: one of these holds. None: they are too many to be told apart.
     */
    struct theory_sum *sums;
    size_t n_sums;
    struct theory_term *terms;
    size_t n_terms, cap;
    vsr_str key; /* what it is made of */
    uint32_t id; /* of all that are made of the same */
};

/* Two numbers of which the first is never greater. */
struct theory_order {
    struct number *less, *more;
};

struct theory {
    struct arena *arena;
    struct solver *solver;
    const struct config_families *families;
    struct map shared;    /* what a rule means -> struct theory_slot */
    struct map meanings;  /* what rules mean together, or inherit -> a number from 1, as a pointer */
    struct map score_ids; /* what a score is made of -> a number from 1, as a pointer */
    struct map numbers;   /* what is measured -> struct number */
    struct map metadata;  /* key -> struct metadata_key */
    struct map leaf_index;
    struct theory_leaf *leaves;
    size_t n_leaves, leaves_cap;
    struct theory_score **scores; /* of all scopes */
    size_t n_scores, scores_cap;
    size_t n_nodes; /* in the diagrams of their sums */
    struct theory_order *orders;
    size_t n_orders, orders_cap;
    uint32_t n_slots;
    struct theory_scope *first;
    int text;     /* literal: the request has text */
    int ordinary; /* literal: it has, and everything could be evaluated */
};

/* One profile in a theory. */
struct theory_scope {
    struct theory *theory;
    const struct config_document *doc;
    const struct config_routing *routing;
    struct map slots;         /* "type:name" -> struct theory_slot */
    struct map rules;         /* "type:name" -> the decoded rule of a family */
    struct map score_configs; /* name -> struct config_score */
    struct map mappings;      /* output -> struct config_mapping */
    int depth;                /* scores that are being built because one reads the output of another */
    struct map scores;        /* name -> struct theory_score */
    struct map members;       /* "type:name" -> how many partitions it is in, as a pointer */
    bool sharing;             /* slots are looked for in `theory->shared` */
    uintptr_t family_meanings[CONFIG_FAMILIES_MAX]; /* numbers of `theory->meanings`; 0: not asked for yet */
    struct map inherited;                           /* type -> such a number, as a pointer */
};

/* Keeps `families`. */
void theory_init(struct theory *theory, struct arena *arena, struct solver *solver,
                 const struct config_families *families);

/* Says what holds in the profile. `sharing`: its slots may be those of another scope. */
void theory_scope_init(struct theory_scope *scope, struct theory *theory, const struct config_document *doc,
                       const struct config_routing *routing, bool sharing);

/* The kind of signal, also of what no family declares. */
vsr_str theory_type_of(const struct theory_scope *scope, int family);
/* What a slot stands for, to find it in another document (prove_meaning.c). Empty: it is this scope's alone. */
vsr_str theory_slot_meaning(struct theory_scope *scope, int family, vsr_str name, vsr_str key);

/* What signals of that kind read of `global`, as a number that is the same where it is. */
unsigned theory_inherited(struct theory_scope *scope, vsr_str type);

/* The slot of that rule; made when nothing declares it, for then anything may be. `family` as in config_rule. */
struct theory_slot *theory_slot(struct theory_scope *scope, int family, vsr_str name);
/* Whether it could not be evaluated. */
int theory_failed(struct theory *theory, struct theory_slot *slot);
/* Gives the slot a number that it reports while `there` holds. */
void theory_measure(struct theory_slot *slot, struct number *number, int there);
/* The number that is measured under that key; made on the first call. */
struct number *theory_number(struct theory *theory, vsr_str key, bool whole, double least, double greatest);
/* `less` is never greater than `more`; said by theory_close(). */
void theory_order(struct theory *theory, struct number *less, struct number *more);
/* A fresh number of its own. */
struct number *theory_own_number(struct theory *theory, double least, double greatest);

/* ` >= 0.5 < 1` */
void theory_write_bounds(const struct config_predicate *predicate, struct buf *out);

/* The condition of a leaf, as index in `theory->leaves`. `before`: as composers read it. */
uint32_t theory_leaf(struct theory_scope *scope, const struct config_rule *rule, enum config_on_unknown on_unknown,
                     bool before);

/* What it reads: the rule's slot, that of its label, and those of what else makes it match. */
const struct theory_slot *const *theory_leaf_slots(struct theory_scope *scope, const struct config_rule *rule,
                                                   size_t *ret_n);

/* When all leaves are known: what can only be said then. */
void theory_close(struct theory *theory);

/* What every kind of signal says. */
void theory_say_families(struct theory_scope *scope);
/* Partitions, scores and mappings. */
void theory_say_projections(struct theory_scope *scope);

/* What an output of a mapping stands for, to find it in another document; empty: it is this scope's alone. */
vsr_str theory_output_meaning(struct theory_scope *scope, vsr_str name);

/*
 * The sums of a score (prove_sums.c), input after input in the order of the configuration, then its end; `other` may be
 * NULL: anything. theory_close() says on which side of the bands' bounds they are.
 */
void sum_add_term(struct theory *theory, struct theory_score *score, const struct theory_term *term);
void sum_add_score(struct theory *theory, struct theory_score *score, double weight, const struct theory_score *other);
void sum_end(struct theory *theory, struct theory_score *score);
void sum_close(const struct theory *theory, const struct theory_score *score);
/* Between which ends it lies in the solver's example. */
void sum_in_example(const struct solver *solver, const struct theory_score *score, double *ret_least, double *ret_most);
bool sum_is_above(double sum, const struct number_cut *cut);

/* The solver's refute(): looks whether the scores of an example can be what their bands say. `data`: the theory. */
bool theory_refute(void *theory);

/* For scores: what a family's numbers are at most. */
struct theory_limits {
    double confidence_least, confidence_most, value_least, value_most;
};
struct theory_limits theory_family_limits(vsr_str type);
/* How its leaves read a failure when the configuration does not say; whether they never do. */
enum config_on_unknown theory_family_unknown(vsr_str type);
bool theory_family_never_fails(vsr_str type);

/* Gates over rails. */
struct rail rail_not(struct rail rail);
struct rail rail_and(struct solver *solver, const struct rail *rails, size_t n);
struct rail rail_or(struct solver *solver, const struct rail *rails, size_t n);

/* The declared rule, or NULL. */
const void *theory_rule(struct theory_scope *scope, int family, vsr_str name);

/* ---- decoded rules, read by their tables */

const void *rule_at(const struct config_list *rules, const struct schema *schema, size_t index);
/* The field's place in the object, NULL when the table has no such field of that kind. */
const void *rule_field(const struct schema *schema, const void *rule, const char *name, enum field_kind kind);
vsr_str rule_text(const struct schema *schema, const void *rule, const char *name);
vsr_str rule_meaning(struct arena *arena, const struct schema *schema, const void *rule);

#endif
