/*
 * route - the pure engine: from facts to a decision, with a trace.
 *
 * A `struct route` is one recipe compiled: signal rules interned to bits, keyword patterns in one automaton,
 * projections in dependency order, decisions as programs over bits, sorted. Built once per snapshot, read-only: any
 * thread. Evaluation has no I/O, no clock and no globals; all its memory comes from the request's arena. It asks for
 * evidence it cannot compute (embeddings, probabilities) instead of obtaining it, so the gateway, the CLI and replay
 * agree to the bit.
 */
#ifndef VSR_ROUTE_ROUTE_H
#define VSR_ROUTE_ROUTE_H

#include <stdbool.h>

#include "config/document.h"
#include "core/err.h"
#include "signal/evidence.h"
#include "signal/models.h"
#include "signal/results.h"
#include "wire/facts.h"

struct arena;
struct json_writer;
struct buf;
struct route;
struct route_state;
struct signal_bank;

/* Families known to the engine, in the form that config_load wants. Static. */
struct config_families route_families(void);

/*
 * Compiles one recipe of `doc`. Keeps both. Cost: the automaton. Fails with VSR_E_INVALID; problems are in `diag`.
 * Native resources (the pattern database) are freed with `arena`.
 */
int route_build(struct arena *arena, const struct config_document *doc, const struct config_scope *scope,
                struct route **ret_route, struct diag *diag);

/* The same for all recipes, for what it tells alone: for config_parts.try_build. */
void route_try_build(struct arena *arena, const struct config_document *doc, struct diag *diag);

/* Per-thread scratch of the pattern engine and the stemmer; one per worker and snapshot. NULL when the recipe needs
 * none. */
struct route_scratch;
int route_scratch_new(const struct route *route, struct route_scratch **ret_scratch, struct vsr_err *err);
void route_scratch_free(struct route_scratch *scratch);

/* Every name that route_matches() can list, in its order. Names live with the route. */
void route_names(const struct route *route, void (*fn)(void *data, const char *family, vsr_str name), void *data);

/*
 * Calls `fn` for each model of this process that a rule which some decision can need would ask; the same may come more
 * than once.
 */
void route_models(const struct route *route, signal_model_fn *fn, void *data);

/* Whom the rules of each family that decisions need may ask, each once. Sources live with the route. */
void route_asked(const struct route *route,
                 void (*fn)(void *data, const char *family, const struct signal_source *source), void *data);

/* Why the request is refused before anything is evaluated, or NULL. The outcome says the same. */
const char *route_refusal(const struct route *route, const struct request_facts *facts);

struct route_outcome {
    const struct config_decision *decision; /* NULL: nothing matched */
    double confidence;
    vsr_str category;             /* of the first matched `domain:` leaf, or empty */
    const vsr_str *matched_rules; /* `type:name` of the winner */
    size_t n_matched_rules;
    uint64_t token_count; /* what context rules saw */
    const struct config_decision *const
        *unknown; /* of those that were looked at: what a failed signal left undecided */
    size_t n_unknown;
    const char *refusal; /* NULL, or why the request must be answered with 403; nothing was evaluated then. Static. */
};

enum route_status { ROUTE_DONE, ROUTE_NEEDS_EVIDENCE };

/* Milliseconds on a clock that only goes forward. */
struct route_clock {
    uint64_t (*now_ms)(void *data); /* NULL: there is none, and no deadline */
    void *data;
};

/* What only a model can say: who brings it, and in which form. */
enum route_evidence {
    ROUTE_EVIDENCE_NONE,     /* nobody: rules that need it are unavailable */
    ROUTE_EVIDENCE_ANSWERS,  /* the caller answers route_asks() with a model's numbers; the engine judges them */
    ROUTE_EVIDENCE_VERDICTS, /* the caller says what became of each rule in route_needs(): recorded evaluations */
};

struct route_options {
    bool full; /* evaluate everything and keep the trace of every decision */
    enum route_evidence evidence;
    struct route_clock clock; /* for the deadline of signals, global.router.signal_timeout_ms */
    uint64_t (*now_ns)(void); /* NULL, or a finer one: how long each family takes is kept */
    double bytes_per_token;   /* calibrated ratio of signals.md §11.1; 0: 4.0 */
};

/* Begins an evaluation of `facts` (kept) in `arena`. */
struct route_state *route_begin(const struct route *route, struct route_scratch *scratch, struct arena *arena,
                                const struct request_facts *facts, const struct route_options *options);

/* Runs until done, or until it needs evidence that the caller must bring. */
enum route_status route_step(struct route_state *state, struct vsr_err *err);

/* ---- evidence as answers: numbers of models, which the engine judges (signal/evidence.h) */

/* Everybody whom the recipe's rules may ask, by the numbers that asks name. Live with the route. */
const struct signal_source *route_sources(const struct route *route, size_t *ret_n);

/* Examples of the recipe's rules, for the caller to fill, at any time and from any thread (signal/bank.h). */
struct signal_bank *const *route_banks(const struct route *route, size_t *ret_n);

/* Two members of a softmax partition whose examples are so alike that it can hardly tell which is meant. */
struct route_alike {
    vsr_str partition, a, b; /* live with the route */
    double similarity;       /* of what their prototypes have in the middle (signal/bank.h) */
};
/*
 * Whether a text may be so similar to examples of both rules of the family that each can match; `least_*`: from which
 * similarity on it does. *ret_similarity: of the nearest two examples. False: examples of one are not there, or the two
 * are not compared with the same vector. Any thread. See signal_bank_meet().
 */
bool route_examples_meet(const struct route *route, vsr_str type, vsr_str a, double least_a, vsr_str b, double least_b,
                         bool *ret_meet, double *ret_similarity);

/* Of those whose banks are filled. Any thread. */
void route_alike(const struct route *route, void (*fn)(void *data, const struct route_alike *alike), void *data);

/* After ROUTE_NEEDS_EVIDENCE, until the next step: what is not answered yet, at least one. */
struct evidence_ask *const *route_asks(const struct route_state *state, size_t *ret_n);

/*
 * Answers one of them, at most once. What `answer` points to must live as long as the evaluation. What is not answered
 * by the next step counts as unavailable, or as a timeout behind the deadline.
 */
void route_answer(struct route_state *state, struct evidence_ask *ask, const struct evidence_answer *answer);

/* ---- evidence as verdicts */

struct route_question {
    uint32_t handle;
    vsr_str name; /* as leaves name it: "law", "math:hard" */
};

/* Rules of one family that wait for a verdict. */
struct route_need {
    const char *family; /* "domain" */
    const char *what;   /* "domain classification" */
    const struct route_question *rules;
    size_t n_rules;
    int64_t timeout_ms; /* how long the answer is worth waiting for; 0: no limit */
};

/* After ROUTE_NEEDS_EVIDENCE, until the next step. */
const struct route_need *route_needs(const struct route_state *state, size_t *ret_n);

/*
 * What was found out about one rule. A failure says why in `code` and, for people, in `reason` (kept); a match beside
 * it was found before. What is left out counts as unavailable at the next step, and a number that is not finite as a
 * failure.
 */
struct route_verdict {
    enum signal_code code; /* SIGNAL_OK: no failure */
    const char *reason;
    bool matched, has_confidence, has_value;
    double confidence, value;
};
void route_bring(struct route_state *state, uint32_t handle, const struct route_verdict *verdict);

/* Valid once route_step returned ROUTE_DONE; lives in the arena. */
const struct route_outcome *route_outcome(const struct route_state *state);

/*
 * Whether `expected` (NULL: no decision) wins whatever the signals that could not be evaluated had said: matched or
 * not, with any number that their family can give. Needs a finished evaluation with `full`. False says nothing: a proof
 * may be missed, and is never given wrongly.
 */
bool route_independent(const struct route_state *state, const struct config_decision *expected);

/* Names matched per family, for headers: calls fn once per family with at least one match. `names` in declaration
 * order. */
void route_matches(const struct route_state *state,
                   void (*fn)(void *data, const char *family, const vsr_str *names, size_t n_names), void *data);

/* The same for names that some decision can need, or of these only those that did not match. */
void route_used(const struct route_state *state, bool unmatched,
                void (*fn)(void *data, const char *family, const vsr_str *names, size_t n_names), void *data);

/* What became of one name that route_names() lists: `index` counts them, in that order. */
struct route_result {
    size_t index;
    bool matched;
    enum signal_code code; /* SIGNAL_OK: it was evaluated */
};
/* Of names that were looked at; of outputs of projections, those that hold. */
void route_results(const struct route_state *state, void (*fn)(void *data, const struct route_result *result),
                   void *data);

/* Families of which no rule was looked at, though the request was. `unused`: no decision can need them; else the
 * decision was certain without them. */
void route_skipped(const struct route_state *state, void (*fn)(void *data, const char *family, bool unused),
                   void *data);

/* What each family of the recipe took, and the best confidence among its matches; 0 for one that was not run. Only with
 * `now_ns`. */
void route_times(const struct route_state *state,
                 void (*fn)(void *data, const char *family, double ms, double confidence), void *data);

/* Parts of the JSON trace, for documents that have more to say: confidences, values, errors, scores and projections as
 * members of an object that was begun; the trees of all decisions as one array. */
void route_trace_results(const struct route_state *state, struct json_writer *w);
void route_trace_decisions(const struct route_state *state, struct json_writer *w);

/* What could not be evaluated, family by family: `name` is a rule's, or `*` when it is true of all that were tried.
 * Texts live with the route. */
void route_errors(const struct route_state *state,
                  void (*fn)(void *data, const char *family, vsr_str name, const char *code), void *data);

/* Which kind of answer is asked for (signals.md §6.9): "AR", "DIFFUSION" or "BOTH", and who said so. NULL when no rule
 * asked, or nobody could tell. Static. */
const char *route_modality(const struct route_state *state, const char **ret_method);

/* The whole evaluation as one JSON object: signals, confidences, values, errors, projections, decisions with their
 * trees. */
void route_trace_json(const struct route_state *state, struct json_writer *w);
/* The same for people: which signals matched, scores and bands, decisions in order, why the winner won. */
void route_trace_text(const struct route_state *state, bool colour, struct buf *out);

#endif
