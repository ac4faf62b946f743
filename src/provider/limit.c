#include "provider/limit.h"

#include <math.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "provider/limit_lane.h"
#include "provider/limit_table.h"

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

struct limit_lane *limit_lane_new(struct limit_state *state, struct loop *loop) {
    struct limit_lane *lane = MEM_NEW(struct limit_lane);
    lane->state = state;
    lane->loop = loop;
    return lane;
}

void limit_lane_free(struct limit_lane *lane) {
    if (!lane)
        return;
    while (lane->shared) {
        struct limit_shared *next = lane->shared->next;
        limit_shared_free(lane->shared);
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

static void add_needs(struct limit_needs *needs, struct arena *arena, const struct limit_provider *provider,
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

void limit_collect(struct limit_needs *needs, struct arena *arena, const struct limit_provider *provider,
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

void limit_note_levels(struct limit_ticket *ticket, const struct limit_needs *needs, const struct limit_level *levels) {
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

/* Puts each hold's `rest` where it is counted, from `first` on; the ticket holds none of them then. */
static void give_from(struct limit_lane *lane, struct limit_ticket *ticket, size_t first) {
    for (size_t i = first; i < ticket->n_held; i++) {
        struct limit_hold *hold = &ticket->held[i];
        if (hold->bucket)
            give(lane, hold, hold->rest);
        else if (hold->shared)
            limit_shared_give(ticket, first, hold->shared);
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

enum limit_answer limit_refuse(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask,
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

enum limit_answer limit_fail(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_ask *ask,
                             const struct limit_provider *provider) {
    ticket->failed = provider;
    if (ask->set->fail_open)
        return ticket->answer = LIMIT_PASSED;
    refund(lane, ticket, ask);
    ticket->verdict =
        (struct limit_verdict){ .failed = true, .provider = provider, .retry_after_s = LIMIT_RETRY_FAILED_S };
    return ticket->answer = LIMIT_DENIED;
}

void limit_keep(struct limit_ticket *ticket, struct arena *arena, const struct limit_hold *hold) {
    if (ticket->n_held == ticket->cap)
        ticket->held = arena_grow(arena, ticket->held, sizeof(*ticket->held), ticket->n_held, &ticket->cap);
    ticket->held[ticket->n_held++] = *hold;
}

/* ---- budgets of this process */

/* Early, budgets of tokens and money are only looked at; the later ask takes from them. */
bool limit_is_look(const struct limit_hold *hold, const struct limit_ask *ask) {
    return ask->phase == LIMIT_EARLY && (hold->kind == LIMIT_TOKENS || hold->kind == LIMIT_COST);
}

static enum limit_answer take_local(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket) {
    struct limit_needs needs = { 0 };
    struct limit_bucket **buckets;
    struct limit_level *levels;
    int refused;
    for (size_t i = 0; i < ask->set->n_providers; i++)
        if (ask->set->providers[i].config->type == RATELIMIT_LOCAL)
            limit_collect(&needs, ask->arena, &ask->set->providers[i], ask);
    if (needs.n == 0)
        return LIMIT_PASSED;
    buckets = ARENA_ARRAY(ask->arena, struct limit_bucket *, needs.n);
    levels = ARENA_ARRAY(ask->arena, struct limit_level, needs.n);
    refused = limit_table_take(lane->state->table, needs.items, needs.n, now_us(), buckets, levels);
    if (refused < -1)
        return limit_fail(lane, ticket, ask, needs.holds[0].provider);
    if (refused >= 0)
        return limit_refuse(lane, ticket, ask, &needs.holds[refused], &levels[refused]);
    limit_note_levels(ticket, &needs, levels);
    for (size_t i = 0; i < needs.n; i++) {
        needs.holds[i].bucket = buckets[i];
        if (limit_is_look(&needs.holds[i], ask))
            give(lane, &needs.holds[i], 0);
        else
            limit_keep(ticket, ask->arena, &needs.holds[i]);
    }
    return LIMIT_PASSED;
}

/* ---- asking */

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
        wait = limit_wait_new(lane, ask, ticket);
        wait->done = done;
        wait->owner = owner;
        answer = limit_wait_ask(wait);
        if (answer != LIMIT_WAITING)
            limit_wait_free(wait);
    }
    return ticket->answer = answer;
}

void limit_hand_over(struct limit_ticket *from, struct limit_ticket *to, struct arena *arena) {
    size_t n = 0;
    for (size_t i = 0; i < from->n_held; i++)
        if (from->held[i].kind == LIMIT_CONCURRENT && from->held[i].bucket) /* those are never shared */
            limit_keep(to, arena, &from->held[i]);
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
