/*
 * limit_lane - a lane from inside: for limit.c, which decides, and limit_shared.c, which asks servers.
 */
#ifndef VSR_PROVIDER_LIMIT_LANE_H
#define VSR_PROVIDER_LIMIT_LANE_H

#include "provider/limit.h"
#include "provider/limit_table.h"
#include "store/response_store.h"

struct counter_store;

struct limit_state {
    struct limit_table *table;
};

/* The needs of one ask, and which rule each is of. */
struct limit_needs {
    struct limit_need *items;
    struct limit_hold *holds;
    size_t n;
};

/* A server of shared budgets, as this lane speaks to it. */
struct limit_shared {
    struct limit_shared *next;
    struct redis_options options; /* borrowed from the set that it was made for: never read once another one is */
    struct arena *arena;          /* of the options */
    struct counter_store *store;
    size_t n_users; /* holds of tickets, and waits */
};

/* An ask that a server is to answer. Its own memory, because it outlives a request that goes away meanwhile. */
struct limit_wait {
    struct limit_wait *prev, *next; /* of the lane */
    struct limit_lane *lane;
    struct arena *arena;
    struct limit_ask ask;
    struct limit_ticket *ticket; /* NULL: the request is gone, what it gets goes back */
    void (*done)(void *owner);
    void *owner;
    size_t provider; /* that is asked */
    struct limit_needs needs;
    struct limit_shared *shared;
};

struct limit_lane {
    struct limit_state *state;
    struct loop *loop;
    struct limit_shared *shared;
    size_t n_shared;
    struct limit_wait *waits;
};

/* ---- limit.c */

/* Adds those of one provider. What is made lies in `arena`. */
void limit_collect(struct limit_needs *needs, struct arena *arena, const struct limit_provider *provider,
                   const struct limit_ask *ask);
/* Whether it is only looked at: early, budgets of tokens and money; the later ask takes from them. */
bool limit_is_look(const struct limit_hold *hold, const struct limit_ask *ask);
/* The ticket has it from now on. */
void limit_keep(struct limit_ticket *ticket, struct arena *arena, const struct limit_hold *hold);
/* What is told to the client, of the budget that is nearest to its end. */
void limit_note_levels(struct limit_ticket *ticket, const struct limit_needs *needs, const struct limit_level *levels);
/* No: that budget is used up. What the ticket holds goes back. */
enum limit_answer limit_refuse(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask,
                               const struct limit_hold *hold, const struct limit_level *level);
/* Nobody could be asked: whether that is a refusal is the operator's choice. */
enum limit_answer limit_fail(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask,
                             const struct limit_provider *provider);

/* ---- limit_shared.c */

struct limit_wait *limit_wait_new(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket);
void limit_wait_free(struct limit_wait *wait);
/* Asks the next provider that counts this caller elsewhere. PASSED: there is none. */
enum limit_answer limit_wait_ask(struct limit_wait *wait);
/* Tells one server of all that is to be put into its buckets, of the holds from `first` on. */
void limit_shared_give(struct limit_ticket *ticket, size_t first, struct limit_shared *shared);
void limit_shared_free(struct limit_shared *shared);

#endif
