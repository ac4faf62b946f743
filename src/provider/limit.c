#include "provider/limit.h"

#include <math.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "provider/limit_table.h"
#include "store/counter_store.h"
#include "store/response_store.h"

enum { SHARED_KEPT = 8 }; /* servers that a lane stays connected to although nobody uses them now */

struct limit_state {
    struct limit_table *table;
};

/* The needs of one ask, and which rule each is of. */
struct needs {
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
    struct needs needs;
    struct limit_shared *shared;
};

struct limit_lane {
    struct limit_state *state;
    struct loop *loop;
    struct limit_shared *shared;
    size_t n_shared;
    struct limit_wait *waits;
};

struct limit_state *limit_state_new(void) {
    struct limit_state *state = MEM_NEW(struct limit_state);
    state->table = limit_table_new();
    return state;
}

void limit_state_free(struct limit_state *state) {
    if (!state)
        return;
    limit_table_free(state->table);
    mem_free(state);
}

size_t limit_state_count(struct limit_state *state) {
    return limit_table_count(state->table);
}

struct limit_lane *limit_lane_new(struct limit_state *state, struct loop *loop) {
    struct limit_lane *lane = MEM_NEW(struct limit_lane);
    lane->state = state;
    lane->loop = loop;
    return lane;
}

static void free_shared(struct limit_shared *shared) {
    counter_store_free(shared->store);
    arena_free(shared->arena);
    mem_free(shared);
}

void limit_lane_free(struct limit_lane *lane) {
    if (!lane)
        return;
    while (lane->shared) {
        struct limit_shared *next = lane->shared->next;
        free_shared(lane->shared);
        lane->shared = next;
    }
    while (lane->waits) { /* of requests that are gone; no callback follows any more */
        struct limit_wait *next = lane->waits->next;
        arena_free(lane->waits->arena);
        lane->waits = next;
    }
    mem_free(lane);
}

static uint64_t now_us(void) {
    return clock_mono_ns() / 1000;
}

/* ---- what a request needs */

static bool counts_requests(enum limit_kind kind) {
    return kind == LIMIT_REQUESTS || kind == LIMIT_CONCURRENT;
}

/* Whether the rule's budget of that kind is asked for now. */
static bool is_due(const struct limit_rule *rule, enum limit_kind kind, const struct limit_ask *ask) {
    if (rule->limits[kind] <= 0)
        return false;
    if (ask->phase == LIMIT_EARLY)
        return !rule->by_model;
    if (kind == LIMIT_COST)
        return str_eq(rule->config->currency, ask->subject.currency);
    return !counts_requests(kind) || rule->by_model;
}

/* Whether the other ticket of the request has counted it in that bucket. */
static bool is_counted(const struct limit_ticket *beside, vsr_str key) {
    for (size_t i = 0; beside && i < beside->n_held; i++)
        if (str_eq(beside->held[i].key, key))
            return true;
    return false;
}

static double amount_of(enum limit_kind kind, const struct limit_ask *ask) {
    if (counts_requests(kind))
        return 1;
    if (ask->phase == LIMIT_EARLY)
        return 0;
    return kind == LIMIT_TOKENS ? ask->tokens : ask->cost;
}

static void add_needs(struct needs *needs, struct arena *arena, const struct limit_provider *provider,
                      const struct limit_rule *rule, const struct limit_ask *ask) {
    for (enum limit_kind kind = 0; kind < LIMIT_KINDS; kind++) {
        vsr_str key;
        if (!is_due(rule, kind, ask))
            continue;
        key = limit_bucket_name(arena, rule, kind, &ask->subject);
        if (counts_requests(kind) && is_counted(ask->beside, key))
            continue;
        needs->items[needs->n] = (struct limit_need){
            .key = key,
            .limit = rule->limits[kind],
            .window_us = kind == LIMIT_CONCURRENT ? 0 : rule->window_us,
            .amount = amount_of(kind, ask),
        };
        needs->holds[needs->n++] = (struct limit_hold){
            .provider = provider, .rule = rule, .kind = kind, .taken = amount_of(kind, ask), .key = key
        };
    }
}

/* Adds those of one provider. What is made lies in `arena`. */
static void collect(struct needs *needs, struct arena *arena, const struct limit_provider *provider,
                    const struct limit_ask *ask) {
    for (size_t r = 0; r < provider->n_rules; r++) {
        if (!limit_rule_matches(&provider->rules[r], &ask->subject))
            continue;
        if (!needs->items) {
            needs->items = ARENA_ARRAY(arena, struct limit_need, ask->set->n_rules * LIMIT_KINDS);
            needs->holds = ARENA_ARRAY(arena, struct limit_hold, ask->set->n_rules * LIMIT_KINDS);
        }
        add_needs(needs, arena, provider, &provider->rules[r], ask);
    }
}

/* ---- verdicts */

static int64_t seconds_up(uint64_t us) {
    return (int64_t)(us / 1000000) + (us % 1000000 != 0);
}

static struct limit_verdict verdict_of(const struct limit_hold *hold, const struct limit_level *level) {
    double limit = hold->rule->limits[hold->kind], left = limit - level->used;
    return (struct limit_verdict){
        .has = true,
        .kind = hold->kind,
        .rule = hold->rule,
        .provider = hold->provider,
        .limit = limit,
        .remaining = left > 0 ? left : 0,
        .reset_s = (int64_t)(clock_wall_ms() / 1000) + seconds_up(level->empty_us),
    };
}

/* The least that is left of requests or tokens; money and places are told only where nothing else is counted. */
static bool is_nearer(const struct limit_verdict *a, const struct limit_verdict *b) {
    bool a_plain = a->kind == LIMIT_REQUESTS || a->kind == LIMIT_TOKENS;
    bool b_plain = b->kind == LIMIT_REQUESTS || b->kind == LIMIT_TOKENS;
    if (!b->has || a_plain != b_plain)
        return !b->has || a_plain;
    return a->remaining < b->remaining || (a->remaining <= b->remaining && a->limit < b->limit);
}

static void note_levels(struct limit_ticket *ticket, const struct needs *needs, const struct limit_level *levels) {
    for (size_t i = 0; i < needs->n; i++) {
        struct limit_verdict verdict = verdict_of(&needs->holds[i], &levels[i]);
        if (is_nearer(&verdict, &ticket->verdict))
            ticket->verdict = verdict;
    }
}

/* ---- giving back */

/* What goes into a bucket beyond what was taken, once it is known what the request used. */
static double rest_of(const struct limit_hold *hold, double tokens, double cost) {
    switch (hold->kind) {
    case LIMIT_TOKENS:
        return tokens - hold->taken;
    case LIMIT_COST:
        return cost - hold->taken;
    case LIMIT_CONCURRENT:
        return -hold->taken;
    default:
        return 0;
    }
}

static void give(struct limit_lane *lane, struct limit_hold *hold, double delta) {
    limit_table_give(lane->state->table, hold->bucket, isfinite(delta) ? delta : 0, now_us());
}

/* Tells one server of all that is to be put into its buckets, of the holds from `first` on. */
static void give_shared(struct limit_ticket *ticket, size_t first, struct limit_shared *shared) {
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

/* Puts each hold's `rest` where it is counted, from `first` on; the ticket holds none of them then. */
static void give_from(struct limit_lane *lane, struct limit_ticket *ticket, size_t first) {
    for (size_t i = first; i < ticket->n_held; i++) {
        struct limit_hold *hold = &ticket->held[i];
        if (hold->bucket)
            give(lane, hold, hold->rest);
        else if (hold->shared)
            give_shared(ticket, first, hold->shared);
    }
    if (first < ticket->n_held)
        ticket->n_held = first;
}

static void refund_from(struct limit_lane *lane, struct limit_ticket *ticket, size_t first) {
    for (size_t i = first; i < ticket->n_held; i++)
        ticket->held[i].rest = -ticket->held[i].taken;
    give_from(lane, ticket, first);
}

/* Of a request that is refused: all of it, unless another model is asked for in its place. */
static void refund(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask) {
    refund_from(lane, ticket, ask->again ? ticket->n_early : 0);
}

static enum limit_answer refuse(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask,
                                const struct limit_hold *hold, const struct limit_level *level) {
    struct limit_verdict *verdict = &ticket->verdict;
    refund(lane, ticket, ask);
    *verdict = verdict_of(hold, level);
    verdict->too_large = level->wait_us == UINT64_MAX;
    if (hold->kind == LIMIT_CONCURRENT)
        verdict->retry_after_s = LIMIT_RETRY_BUSY_S;
    else if (verdict->too_large)
        verdict->retry_after_s = LIMIT_RETRY_DEFAULT_S;
    else
        verdict->retry_after_s = level->wait_us > 1000000 ? seconds_up(level->wait_us) : 1;
    return ticket->answer = LIMIT_DENIED;
}

/* Nobody could be asked: whether that is a refusal is the operator's choice. */
static enum limit_answer fail(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask,
                              const struct limit_provider *provider) {
    ticket->failed = provider;
    if (ask->set->fail_open)
        return ticket->answer = LIMIT_PASSED;
    refund(lane, ticket, ask);
    ticket->verdict =
        (struct limit_verdict){ .failed = true, .provider = provider, .retry_after_s = LIMIT_RETRY_FAILED_S };
    return ticket->answer = LIMIT_DENIED;
}

static void keep(struct limit_ticket *ticket, struct arena *arena, const struct limit_hold *hold) {
    if (ticket->n_held == ticket->cap)
        ticket->held = arena_grow(arena, ticket->held, sizeof(*ticket->held), ticket->n_held, &ticket->cap);
    ticket->held[ticket->n_held++] = *hold;
}

/* ---- budgets of this process */

/* Early, budgets of tokens and money are only looked at; the later ask takes from them. */
static bool is_look(const struct limit_hold *hold, const struct limit_ask *ask) {
    return ask->phase == LIMIT_EARLY && (hold->kind == LIMIT_TOKENS || hold->kind == LIMIT_COST);
}

static enum limit_answer take_local(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket) {
    struct needs needs = { 0 };
    struct limit_bucket **buckets;
    struct limit_level *levels;
    int refused;
    for (size_t i = 0; i < ask->set->n_providers; i++)
        if (ask->set->providers[i].config->type == RATELIMIT_LOCAL)
            collect(&needs, ask->arena, &ask->set->providers[i], ask);
    if (needs.n == 0)
        return LIMIT_PASSED;
    buckets = ARENA_ARRAY(ask->arena, struct limit_bucket *, needs.n);
    levels = ARENA_ARRAY(ask->arena, struct limit_level, needs.n);
    refused = limit_table_take(lane->state->table, needs.items, needs.n, now_us(), buckets, levels);
    if (refused < -1)
        return fail(lane, ticket, ask, needs.holds[0].provider);
    if (refused >= 0)
        return refuse(lane, ticket, ask, &needs.holds[refused], &levels[refused]);
    note_levels(ticket, &needs, levels);
    for (size_t i = 0; i < needs.n; i++) {
        needs.holds[i].bucket = buckets[i];
        if (is_look(&needs.holds[i], ask))
            give(lane, &needs.holds[i], 0);
        else
            keep(ticket, ask->arena, &needs.holds[i]);
    }
    return LIMIT_PASSED;
}

/* ---- shared budgets */

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
        free_shared(shared);
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

static void free_wait(struct limit_wait *wait) {
    *(wait->prev ? &wait->prev->next : &wait->lane->waits) = wait->next;
    if (wait->next)
        wait->next->prev = wait->prev;
    if (wait->ticket)
        wait->ticket->wait = NULL;
    arena_free(wait->arena); /* it lies in there */
}

static struct limit_wait *make_wait(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket) {
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
        if (is_look(&hold, &wait->ask))
            continue;
        hold.shared = wait->shared;
        hold.key = arena_str(wait->ask.arena, hold.key);
        wait->shared->n_users++;
        keep(wait->ticket, wait->ask.arena, &hold);
    }
}

/* What the server has said of one provider's budgets. */
static enum limit_answer judge(struct limit_wait *wait, const struct counter_reply *reply) {
    struct limit_ticket *ticket = wait->ticket;
    struct limit_level *levels;
    if (reply->rc < 0)
        return fail(wait->lane, ticket, &wait->ask, wait->needs.holds[0].provider);
    levels = ARENA_ARRAY(wait->arena, struct limit_level, wait->needs.n);
    for (size_t i = 0; i < wait->needs.n; i++)
        levels[i] = limit_level(reply->used[i], &wait->needs.items[i], (int)i != reply->refused);
    if (reply->refused >= 0)
        return refuse(wait->lane, ticket, &wait->ask, &wait->needs.holds[reply->refused], &levels[reply->refused]);
    note_levels(ticket, &wait->needs, levels);
    keep_shared(wait);
    return LIMIT_PASSED;
}

static enum limit_answer ask_next(struct limit_wait *wait);

static void on_counted(void *owner, const struct counter_reply *reply) {
    struct limit_wait *wait = owner;
    enum limit_answer answer;
    wait->shared->n_users--;
    if (!wait->ticket) {
        if (reply->rc == 0 && reply->refused < 0)
            give_back(wait);
        free_wait(wait);
        return;
    }
    answer = judge(wait, reply);
    if (answer == LIMIT_PASSED)
        answer = ask_next(wait);
    if (answer != LIMIT_WAITING) {
        void (*done)(void *) = wait->done;
        void *asker = wait->owner;
        wait->ticket->answer = answer;
        free_wait(wait);
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
static enum limit_answer ask_next(struct limit_wait *wait) {
    const struct limit_set *set = wait->ask.set;
    while (wait->provider < set->n_providers) {
        const struct limit_provider *provider = &set->providers[wait->provider++];
        enum limit_answer answer = LIMIT_PASSED;
        if (provider->config->type != RATELIMIT_REDIS)
            continue;
        wait->needs = (struct needs){ 0 };
        collect(&wait->needs, wait->arena, provider, &wait->ask);
        if (wait->needs.n == 0)
            continue;
        if (start(wait, provider))
            return LIMIT_WAITING;
        answer = fail(wait->lane, wait->ticket, &wait->ask, provider);
        if (answer != LIMIT_PASSED)
            return answer;
    }
    return LIMIT_PASSED;
}

static bool is_shared(const struct limit_set *set) {
    for (size_t i = 0; i < set->n_providers; i++)
        if (set->providers[i].config->type == RATELIMIT_REDIS)
            return true;
    return false;
}

enum limit_answer limit_take(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket,
                             void (*done)(void *owner), void *owner) {
    enum limit_answer answer;
    struct limit_wait *wait;
    if (ask->phase == LIMIT_ROUTED && !ticket->is_routed) {
        ticket->is_routed = true;
        ticket->n_early = ticket->n_held;
        ticket->early = ticket->verdict;
    }
    answer = take_local(lane, ask, ticket);
    if (answer == LIMIT_PASSED && is_shared(ask->set)) {
        wait = make_wait(lane, ask, ticket);
        wait->done = done;
        wait->owner = owner;
        answer = ask_next(wait);
        if (answer != LIMIT_WAITING)
            free_wait(wait);
    }
    return ticket->answer = answer;
}

void limit_hand_over(struct limit_ticket *from, struct limit_ticket *to, struct arena *arena) {
    size_t n = 0;
    for (size_t i = 0; i < from->n_held; i++)
        if (from->held[i].kind == LIMIT_CONCURRENT && from->held[i].bucket) /* those are never shared */
            keep(to, arena, &from->held[i]);
        else
            from->held[n++] = from->held[i];
    from->n_held = n;
}

/* ---- the end */

/* Who is not waited for any more is told nothing; what comes for it goes back. */
static void abandon(struct limit_ticket *ticket) {
    if (!ticket->wait)
        return;
    ticket->wait->ticket = NULL;
    ticket->wait = NULL;
}

void limit_settle(struct limit_lane *lane, struct limit_ticket *ticket, double tokens, double cost) {
    abandon(ticket);
    for (size_t i = 0; i < ticket->n_held; i++)
        ticket->held[i].rest = rest_of(&ticket->held[i], tokens, cost);
    give_from(lane, ticket, 0);
}

void limit_reroute(struct limit_lane *lane, struct limit_ticket *ticket) {
    abandon(ticket);
    if (!ticket->is_routed)
        return;
    refund_from(lane, ticket, ticket->n_early);
    ticket->verdict = ticket->early;
}

void limit_refund(struct limit_lane *lane, struct limit_ticket *ticket) {
    abandon(ticket);
    refund_from(lane, ticket, 0);
}
