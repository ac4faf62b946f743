/*
 * limit_shared - budgets that are counted by a server for several processes, and the asks that wait for its answer.
 */
#include <math.h>

#include "core/arena.h"
#include "core/mem.h"
#include "provider/limit_lane.h"
#include "store/counter_store.h"

enum { SHARED_KEPT = 8 }; /* servers that a lane stays connected to although nobody uses them now */

/* ---- servers */

void limit_shared_free(struct limit_shared *shared) {
    counter_store_free(shared->store);
    arena_free(shared->arena);
    mem_free(shared);
}

void limit_shared_give(struct limit_ticket *ticket, size_t first, struct limit_shared *shared) {
    struct counter_need needs[COUNTER_NEEDS_MAX];
    size_t n = 0;
    for (size_t i = first; i < ticket->n_held; i++) {
        struct limit_hold *hold = &ticket->held[i];
        if (hold->shared != shared)
            continue;
        hold->shared = NULL;
        shared->n_users--;
        if (hold->rest == 0 || !isfinite(hold->rest))
            continue;
        if (n == COUNTER_NEEDS_MAX) {
            (void)counter_add(shared->store, needs, n, 0, NULL, NULL);
            n = 0;
        }
        needs[n++] = (struct counter_need){ .key = hold->key,
                                            .limit = hold->rule->limits[hold->kind],
                                            .window_us = hold->rule->window_us,
                                            .amount = hold->rest };
    }
    if (n > 0)
        (void)counter_add(shared->store, needs, n, 0, NULL, NULL);
}

static bool same_server(const struct redis_options *a, const struct redis_options *b) {
    return str_eq(a->address, b->address) && str_eq(a->password, b->password) && str_eq(a->key_prefix, b->key_prefix) &&
           a->db == b->db && a->tls == b->tls && a->tls_skip_verify == b->tls_skip_verify;
}

/* Reloads bring other servers: one that nobody uses makes room. */
static void drop_unused(struct limit_lane *lane) {
    for (struct limit_shared **link = &lane->shared; *link && lane->n_shared >= SHARED_KEPT;) {
        struct limit_shared *shared = *link;
        if (shared->n_users > 0) {
            link = &shared->next;
            continue;
        }
        *link = shared->next;
        lane->n_shared--;
        limit_shared_free(shared);
    }
}

/* NULL: its certificates cannot be read. */
static struct limit_shared *shared_of(struct limit_lane *lane, const struct redis_options *options) {
    struct limit_shared *shared = lane->shared;
    while (shared && !same_server(&shared->options, options))
        shared = shared->next;
    if (shared)
        return shared;
    drop_unused(lane);
    shared = MEM_NEW(struct limit_shared);
    shared->arena = arena_new(1024, 0);
    shared->options = *options;
    shared->options.address = arena_str(shared->arena, options->address);
    shared->options.password = arena_str(shared->arena, options->password);
    shared->options.key_prefix = arena_str(shared->arena, options->key_prefix);
    if (counter_store_new(lane->loop, &shared->options, &shared->store, NULL) < 0) {
        arena_free(shared->arena);
        mem_free(shared);
        return NULL;
    }
    shared->next = lane->shared;
    lane->shared = shared;
    lane->n_shared++;
    return shared;
}

/* ---- asks that wait */

void limit_wait_free(struct limit_wait *wait) {
    *(wait->prev ? &wait->prev->next : &wait->lane->waits) = wait->next;
    if (wait->next)
        wait->next->prev = wait->prev;
    if (wait->ticket)
        wait->ticket->wait = NULL;
    arena_free(wait->arena); /* it lies in there */
}

struct limit_wait *limit_wait_new(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket) {
    struct arena *arena = arena_new(2048, 0);
    struct limit_wait *wait = ARENA_NEW(arena, struct limit_wait);
    *wait = (struct limit_wait){ .lane = lane, .arena = arena, .ask = *ask, .ticket = ticket, .next = lane->waits };
    if (lane->waits)
        lane->waits->prev = wait;
    lane->waits = wait;
    ticket->wait = wait;
    return wait;
}

static struct counter_need counter_of(const struct limit_need *need, double amount) {
    return (
        struct counter_need){ .key = need->key, .limit = need->limit, .window_us = need->window_us, .amount = amount };
}

/* Whoever went away while the server was asked gets nothing. */
static void give_back(struct limit_wait *wait) {
    struct counter_need *needs = ARENA_ARRAY(wait->arena, struct counter_need, wait->needs.n);
    for (size_t i = 0; i < wait->needs.n; i++)
        needs[i] = counter_of(&wait->needs.items[i], -wait->needs.items[i].amount);
    (void)counter_add(wait->shared->store, needs, wait->needs.n, 0, NULL, NULL);
}

static void keep_shared(struct limit_wait *wait) {
    for (size_t i = 0; i < wait->needs.n; i++) {
        struct limit_hold hold = wait->needs.holds[i];
        if (limit_is_look(&hold, &wait->ask))
            continue;
        hold.shared = wait->shared;
        hold.key = arena_str(wait->ask.arena, hold.key);
        wait->shared->n_users++;
        limit_keep(wait->ticket, wait->ask.arena, &hold);
    }
}

/* What the server has said of one provider's budgets. */
static enum limit_answer judge(struct limit_wait *wait, const struct counter_reply *reply) {
    struct limit_ticket *ticket = wait->ticket;
    struct limit_level *levels;
    if (reply->rc < 0)
        return limit_fail(wait->lane, ticket, &wait->ask, wait->needs.holds[0].provider);
    levels = ARENA_ARRAY(wait->arena, struct limit_level, wait->needs.n);
    for (size_t i = 0; i < wait->needs.n; i++)
        levels[i] = limit_level(reply->used[i], &wait->needs.items[i], (int)i != reply->refused);
    if (reply->refused >= 0)
        return limit_refuse(wait->lane, ticket, &wait->ask, &wait->needs.holds[reply->refused],
                            &levels[reply->refused]);
    limit_note_levels(ticket, &wait->needs, levels);
    keep_shared(wait);
    return LIMIT_PASSED;
}

static void on_counted(void *owner, const struct counter_reply *reply) {
    struct limit_wait *wait = owner;
    enum limit_answer answer;
    wait->shared->n_users--;
    if (!wait->ticket) {
        if (reply->rc == 0 && reply->refused < 0)
            give_back(wait);
        limit_wait_free(wait);
        return;
    }
    answer = judge(wait, reply);
    if (answer == LIMIT_PASSED)
        answer = limit_wait_ask(wait);
    if (answer != LIMIT_WAITING) {
        void (*done)(void *) = wait->done;
        void *asker = wait->owner;
        wait->ticket->answer = answer;
        limit_wait_free(wait);
        done(asker);
    }
}

/* False: its server cannot be asked at all. */
static bool start(struct limit_wait *wait, const struct limit_provider *provider) {
    struct counter_need *needs = ARENA_ARRAY(wait->arena, struct counter_need, wait->needs.n);
    wait->shared = wait->lane->loop ? shared_of(wait->lane, provider->redis) : NULL;
    if (!wait->shared || wait->needs.n > COUNTER_NEEDS_MAX)
        return false;
    for (size_t i = 0; i < wait->needs.n; i++)
        needs[i] = counter_of(&wait->needs.items[i], wait->needs.items[i].amount);
    wait->shared->n_users++;
    (void)counter_take(wait->shared->store, needs, wait->needs.n, LIMIT_SHARED_MS, on_counted, wait);
    return true;
}

/* Goes on with the next provider that counts this caller elsewhere. */
enum limit_answer limit_wait_ask(struct limit_wait *wait) {
    const struct limit_set *set = wait->ask.set;
    while (wait->provider < set->n_providers) {
        const struct limit_provider *provider = &set->providers[wait->provider++];
        enum limit_answer answer = LIMIT_PASSED;
        if (provider->config->type != RATELIMIT_REDIS)
            continue;
        wait->needs = (struct limit_needs){ 0 };
        limit_collect(&wait->needs, wait->arena, provider, &wait->ask);
        if (wait->needs.n == 0)
            continue;
        if (start(wait, provider))
            return LIMIT_WAITING;
        answer = limit_fail(wait->lane, wait->ticket, &wait->ask, provider);
        if (answer != LIMIT_PASSED)
            return answer;
    }
    return LIMIT_PASSED;
}
