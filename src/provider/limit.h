/*
 * limit - how many requests, tokens and how much money callers may have (gateway.md 12.4).
 *
 * A request asks twice. Early, before its body is read: requests and requests at once, by rules that name no model; and
 * budgets of tokens and money that are used up or in debt end it there. Once the model is chosen: rules that name
 * models, and what the prompt is thought to take of tokens and money. What it was given is on its ticket. All rules
 * must agree, or none is charged: what a ticket held goes back when a later rule says no. At its end the ticket is
 * settled with what the backend reported.
 *
 *     limit_set     the rules of a generation; immutable (limit_rules.h)
 *     limit_state   what has been used, of the process; any thread, outlasts generations
 *     limit_lane    one worker's connections to those who count elsewhere; that worker's thread
 *     limit_ticket  one request's; that worker's thread
 */
#ifndef VSR_PROVIDER_LIMIT_H
#define VSR_PROVIDER_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider/limit_rules.h"

struct arena;
struct limit_bucket;
struct limit_lane;
struct limit_shared;
struct limit_state;
struct limit_wait;
struct loop;

enum {
    LIMIT_RETRY_DEFAULT_S = 60, /* of a refusal that time does not heal, and of services that say no time */
    LIMIT_RETRY_FAILED_S = 5,   /* who counts could not be asked */
    LIMIT_RETRY_BUSY_S = 1,     /* a place comes free when some request ends */
    LIMIT_SHARED_MS = 1000,     /* for the server of shared budgets to answer; then it has failed */
};

enum limit_phase { LIMIT_EARLY, LIMIT_ROUTED };
enum limit_answer { LIMIT_PASSED, LIMIT_DENIED, LIMIT_WAITING };

/* The budget that is nearest to its end, or the one that refused. */
struct limit_verdict {
    bool has; /* some rule counts this caller */
    enum limit_kind kind;
    const struct limit_rule *rule;         /* NULL: somebody else's */
    const struct limit_provider *provider; /* whose */
    double limit, remaining;
    int64_t reset_s;       /* wall clock, seconds since 1970: then all of it is there again */
    int64_t retry_after_s; /* refused */
    bool too_large;        /* refused: more than the whole limit, waiting does not help */
    bool failed;           /* refused: nobody could be asked */
};

struct limit_hold {
    const struct limit_provider *provider;
    const struct limit_rule *rule;
    enum limit_kind kind;
    double taken, rest;          /* `rest`: what is to be put in at the end */
    struct limit_bucket *bucket; /* in this process; NULL: shared */
    struct limit_shared *shared; /* where it is counted, and under which name */
    vsr_str key;
};

/* Zero is a ticket without anything on it. In the caller's memory, its list in the arena of the asks. */
struct limit_ticket {
    struct limit_hold *held;
    size_t n_held, cap;
    bool is_routed;             /* the model is known; how the ticket was before: */
    size_t n_early;             /* of those held */
    struct limit_verdict early; /* what was known by then */
    struct limit_wait *wait;    /* an answer that is under way */
    enum limit_answer answer;
    struct limit_verdict verdict;
    const struct limit_provider *failed; /* could not be asked, whether or not that refused the request */
};

struct limit_ask {
    const struct limit_set *set; /* kept, with its arena, until the ticket is settled */
    enum limit_phase phase;
    struct limit_subject subject; /* its texts are kept while waiting */
    double tokens, cost;          /* LIMIT_ROUTED: what the prompt is thought to take */
    bool again;                   /* LIMIT_ROUTED: a refusal leaves on the ticket what the early ask was given */
    /* LIMIT_ROUTED: of another model's part in the same request; what counts requests counts it once. NULL: none. */
    const struct limit_ticket *beside;
    struct arena *arena; /* of the request */
};

struct limit_state *limit_state_new(void);
/* After every ticket has been settled. NULL is allowed. */
void limit_state_free(struct limit_state *state);

/* Keeps both; `loop` NULL: nothing is shared. */
struct limit_lane *limit_lane_new(struct limit_state *state, struct loop *loop);
void limit_lane_free(struct limit_lane *lane);

/*
 * Asks. PASSED and DENIED are final, and ticket->verdict says more; a denied ticket holds nothing any more. WAITING:
 * `done` is called later on the loop, and ticket->answer is final then.
 */
enum limit_answer limit_take(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket,
                             void (*done)(void *owner), void *owner);

/* What `from` holds of requests at once is `to`'s from now on, whose list lies in `arena`. Both are of one set. */
void limit_hand_over(struct limit_ticket *from, struct limit_ticket *to, struct arena *arena);

/* Another model is to answer: what was given for the first one goes back, and the next one can be asked for. */
void limit_reroute(struct limit_lane *lane, struct limit_ticket *ticket);

/* The request is over: `tokens` and `cost` are what it really took. Ends a wait. May be called twice. */
void limit_settle(struct limit_lane *lane, struct limit_ticket *ticket, double tokens, double cost);
/* The request was not served after all: everything goes back. */
void limit_refund(struct limit_lane *lane, struct limit_ticket *ticket);

#endif
