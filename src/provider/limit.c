#include "provider/limit.h"

#include <math.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "provider/limit_table.h"

struct limit_state {
    struct limit_table *table;
};

struct limit_lane {
    struct limit_state *state;
    struct loop *loop;
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

void limit_lane_free(struct limit_lane *lane) {
    mem_free(lane);
}

static uint64_t now_us(void) {
    return clock_mono_ns() / 1000;
}

/* ---- what a request needs */

/* The needs of one ask, and which rule each is of. */
struct needs {
    struct limit_need *items;
    struct limit_hold *holds;
    size_t n;
};

/* Whether the rule's budget of that kind is asked for now. */
static bool is_due(const struct limit_rule *rule, enum limit_kind kind, const struct limit_ask *ask) {
    bool counts = kind == LIMIT_REQUESTS || kind == LIMIT_CONCURRENT;
    if (rule->limits[kind] <= 0)
        return false;
    if (ask->phase == LIMIT_EARLY)
        return !rule->by_model;
    if (kind == LIMIT_COST)
        return str_eq(rule->config->currency, ask->subject.currency);
    return !counts || rule->by_model;
}

static double amount_of(enum limit_kind kind, const struct limit_ask *ask) {
    if (kind == LIMIT_REQUESTS || kind == LIMIT_CONCURRENT)
        return 1;
    if (ask->phase == LIMIT_EARLY)
        return 0;
    return kind == LIMIT_TOKENS ? ask->tokens : ask->cost;
}

static void add_needs(struct needs *needs, const struct limit_provider *provider, const struct limit_rule *rule,
                      const struct limit_ask *ask) {
    for (enum limit_kind kind = 0; kind < LIMIT_KINDS; kind++) {
        vsr_str key;
        if (!is_due(rule, kind, ask))
            continue;
        key = limit_bucket_name(ask->arena, rule, kind, &ask->subject);
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

static struct needs needs_of(const struct limit_ask *ask, enum config_ratelimit_type type) {
    struct needs needs = { 0 };
    for (size_t p = 0; p < ask->set->n_providers; p++) {
        const struct limit_provider *provider = &ask->set->providers[p];
        for (size_t r = 0; (int)type == provider->config->type && r < provider->n_rules; r++) {
            if (!limit_rule_matches(&provider->rules[r], &ask->subject))
                continue;
            if (!needs.items) {
                needs.items = ARENA_ARRAY(ask->arena, struct limit_need, ask->set->n_rules * LIMIT_KINDS);
                needs.holds = ARENA_ARRAY(ask->arena, struct limit_hold, ask->set->n_rules * LIMIT_KINDS);
            }
            add_needs(&needs, provider, &provider->rules[r], ask);
        }
    }
    return needs;
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

static enum limit_answer refuse(struct limit_lane *lane, struct limit_ticket *ticket, const struct limit_hold *hold,
                                const struct limit_level *level) {
    struct limit_verdict *verdict = &ticket->verdict;
    limit_refund(lane, ticket);
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
    limit_refund(lane, ticket);
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

static void give(struct limit_lane *lane, struct limit_hold *hold, double delta) {
    limit_table_give(lane->state->table, hold->bucket, isfinite(delta) ? delta : 0, now_us());
}

/* Early, budgets of tokens and money are only looked at; the later ask takes from them. */
static bool is_look(const struct limit_hold *hold, const struct limit_ask *ask) {
    return ask->phase == LIMIT_EARLY && (hold->kind == LIMIT_TOKENS || hold->kind == LIMIT_COST);
}

static enum limit_answer take_local(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket) {
    struct needs needs = needs_of(ask, RATELIMIT_LOCAL);
    struct limit_bucket **buckets;
    struct limit_level *levels;
    int refused;
    if (needs.n == 0)
        return LIMIT_PASSED;
    buckets = ARENA_ARRAY(ask->arena, struct limit_bucket *, needs.n);
    levels = ARENA_ARRAY(ask->arena, struct limit_level, needs.n);
    refused = limit_table_take(lane->state->table, needs.items, needs.n, now_us(), buckets, levels);
    if (refused < -1)
        return fail(lane, ticket, ask, needs.holds[0].provider);
    if (refused >= 0)
        return refuse(lane, ticket, &needs.holds[refused], &levels[refused]);
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

enum limit_answer limit_take(struct limit_lane *lane, const struct limit_ask *ask, struct limit_ticket *ticket,
                             void (*done)(void *owner), void *owner) {
    (void)done;
    (void)owner;
    return ticket->answer = take_local(lane, ask, ticket);
}

/* ---- the end */

/* What goes into a bucket beyond what was taken. */
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

void limit_settle(struct limit_lane *lane, struct limit_ticket *ticket, double tokens, double cost) {
    for (size_t i = 0; i < ticket->n_held; i++)
        give(lane, &ticket->held[i], rest_of(&ticket->held[i], tokens, cost));
    ticket->n_held = 0;
}

void limit_refund(struct limit_lane *lane, struct limit_ticket *ticket) {
    for (size_t i = 0; i < ticket->n_held; i++)
        give(lane, &ticket->held[i], -ticket->held[i].taken);
    ticket->n_held = 0;
}
