/*
 * reask - whether the user asks the same again (signals.md §6.5): how many of the latest turns resemble this one.
 *
 * As many of the latest turns are looked at as the rules look back, each through a window of its own. Only where a
 * score reads how long the streak is, more are: then the value may be greater than any rule's lookback.
 */
#include <math.h>

#include "core/arena.h"
#include "nn/similarity.h"
#include "signal/learned.h"
#include "signal/prototypes.h"
#include "text/window.h"

enum {
    TURNS_MAX = 1024,        /* that a rule may look back */
    STREAK_TURNS_LEAST = 32, /* looked at where the streak's length counts */
};

struct reask_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    int64_t lookback_turns;
};

static const struct field reask_fields[] = {
    RULE_FIELDS(struct reask_config),
    { "threshold", FIELD_NUMBER, offsetof(struct reask_config, threshold), .flags = FIELD_RANGE, .fallback = "0.8",
      .least = 0, .greatest = 1, .help = "Least similarity of two turns; 0: 0.8." },
    { "lookback_turns", FIELD_INT, offsetof(struct reask_config, lookback_turns), .flags = FIELD_RANGE, .fallback = "1",
      .least = 0, .greatest = TURNS_MAX, .help = "How many of the latest earlier turns must resemble this one; 0: 1." },
};
static const struct schema reask_schema = SCHEMA("reask rule", struct reask_config, reask_fields);

#define DEFAULT_THRESHOLD 0.8

/* ---- compiled */

struct reask_rule {
    double threshold;
    size_t lookback;
};

struct reask_state {
    struct reask_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
    uint32_t source;
    size_t turns_least; /* looked at whatever the rules say */
};

/* Whether a score of the recipe reads how many turns resemble this one. */
static bool counts_streaks(const struct config_routing *routing) {
    if (!routing)
        return false;
    CONFIG_EACH(const struct config_score, score, &routing->projections.scores)
    CONFIG_EACH(const struct config_score_input, input, &score->inputs)
    if (str_eq_c(input->type, "reask") && input->value_source == VALUE_SOURCE_RAW)
        return true;
    return false;
}

static void *build(struct signal_builder *builder) {
    const struct reask_config *rules = builder->rules->items;
    struct reask_state *state = ARENA_NEW(builder->arena, struct reask_state);
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct reask_rule, state->n_rules);
    state->first_slot = builder->first_slot;
    state->source = learned_embedder(builder, false);
    state->turns_least = counts_streaks(builder->routing) ? STREAK_TURNS_LEAST : 0;
    for (size_t i = 0; i < state->n_rules; i++)
        state->rules[i] = (struct reask_rule){ rules[i].threshold > 0 ? rules[i].threshold : DEFAULT_THRESHOLD,
                                               rules[i].lookback_turns > 0 ? (size_t)rules[i].lookback_turns : 1 };
    return state;
}

/* The rule needs as many earlier turns as it looks back. */
static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct reask_state *state = data;
    size_t n = 0;
    for (size_t i = 0; i < facts->prior_user.n; i++)
        n += str_trim(facts->prior_user.items[i]).len > 0;
    return n >= state->rules[index].lookback && str_trim(facts->current_user).len > 0;
}

/* ---- judged */

/* The turns to look at, newest first, with this one before them. */
struct turns {
    vsr_str *windows;
    size_t n;
};

static size_t count_wanted(const struct reask_state *state, const struct signal_request *request) {
    size_t n = state->turns_least;
    for (size_t i = 0; i < state->n_rules; i++)
        if (bits_has(request->wanted, state->first_slot + i) && state->rules[i].lookback > n)
            n = state->rules[i].lookback;
    return n;
}

static int add_turn(struct signal_request *request, struct turns *turns, vsr_str text, struct vsr_err *err) {
    vsr_str window = window_text(request->arena, text, request->window_max);
    if (!window.ptr)
        return err_set(err, VSR_E_NOMEM, "no memory for the part of a turn that is read");
    turns->windows[turns->n++] = window;
    return 0;
}

/* Once for ask() and eval(). */
static int find_turns(const struct reask_state *state, struct signal_request *request, const struct turns **ret_turns,
                      struct vsr_err *err) {
    const struct texts *prior = &request->facts->prior_user;
    size_t wanted = count_wanted(state, request);
    struct turns *turns = request->memo;
    int rc = 0;
    if (!turns) {
        turns = ARENA_NEW(request->arena, struct turns);
        turns->windows = ARENA_ARRAY(request->arena, vsr_str, (wanted < prior->n ? wanted : prior->n) + 1);
        rc = add_turn(request, turns, request->facts->current_user, err);
        for (size_t i = prior->n; i > 0 && turns->n <= wanted && rc == 0; i--)
            if (str_trim(prior->items[i - 1]).len > 0)
                rc = add_turn(request, turns, prior->items[i - 1], err);
    }
    if (rc < 0)
        return rc;
    *ret_turns = request->memo = turns;
    return 0;
}

static const struct evidence_answer *vector_of(const struct reask_state *state, struct signal_request *request,
                                               vsr_str turn) {
    return &evidence_ask(request->asks, EVIDENCE_VECTOR, state->source, turn)->answer;
}

static void ask(const void *data, struct signal_request *request) {
    const struct reask_state *state = data;
    const struct turns *turns;
    if (find_turns(state, request, &turns, NULL) < 0)
        return; /* eval() meets the same failure, and tells it */
    for (size_t i = 0; i < turns->n; i++)
        (void)vector_of(state, request, turns->windows[i]);
}

/* How this turn and those before it compare, newest first, up to the first that could not be. */
struct likeness {
    double *similarities;
    size_t n;
    struct evidence_answer failure; /* of the turn behind them; SIGNAL_OK: there is none */
};

static bool compare(const struct evidence_answer *now, const struct evidence_answer *then, struct likeness *likeness) {
    static const struct evidence_answer unlike = { .code = SIGNAL_FAILED,
                                                   .reason = "vectors of two turns differ in dimensions" };
    if (now->code != SIGNAL_OK || then->code != SIGNAL_OK) {
        likeness->failure = now->code != SIGNAL_OK ? *now : *then;
        return false;
    }
    if (now->n != then->n) {
        likeness->failure = unlike;
        return false;
    }
    likeness->similarities[likeness->n++] =
        similarity_of(now->similarity, fmax(-1, fmin(1, vector_dot(now->numbers, then->numbers, now->n))));
    return true;
}

static struct likeness compare_turns(const struct reask_state *state, struct signal_request *request,
                                     const struct turns *turns) {
    struct likeness likeness = { .similarities = ARENA_ARRAY(request->arena, double, turns->n) };
    const struct evidence_answer *now = vector_of(state, request, turns->windows[0]);
    for (size_t i = 1; i < turns->n; i++)
        if (!compare(now, vector_of(state, request, turns->windows[i]), &likeness))
            break;
    return likeness;
}

static size_t streak_of(const struct likeness *likeness, double threshold) {
    size_t n = 0;
    while (n < likeness->n && likeness->similarities[n] >= threshold)
        n++;
    return n;
}

static double least_of(const double *numbers, size_t n) {
    double least = numbers[0];
    for (size_t i = 1; i < n; i++)
        least = fmin(least, numbers[i]);
    return least;
}

/* Whether the rule matches. A streak that ends where a turn could not be compared may have been longer. */
static bool judge(const struct reask_rule *rule, const struct likeness *likeness, struct signal_results *results,
                  uint32_t slot) {
    size_t streak = streak_of(likeness, rule->threshold);
    if (streak == likeness->n && likeness->failure.code != SIGNAL_OK && streak < rule->lookback) {
        learned_fail(results, slot, &likeness->failure);
        return false;
    }
    signal_value(results, slot, (double)streak);
    return streak >= rule->lookback;
}

/* Of the rules that match, those that look back furthest stay. */
static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct reask_state *state = data;
    bool *matched = ARENA_ARRAY(request->arena, bool, state->n_rules);
    const struct turns *turns;
    struct likeness likeness;
    size_t furthest = 0;
    int rc = find_turns(state, request, &turns, err);
    if (rc < 0)
        return rc;
    likeness = compare_turns(state, request, turns);
    for (size_t i = 0; i < state->n_rules; i++) {
        uint32_t slot = state->first_slot + (uint32_t)i;
        matched[i] = bits_has(request->wanted, slot) && judge(&state->rules[i], &likeness, results, slot);
        if (matched[i] && state->rules[i].lookback > furthest)
            furthest = state->rules[i].lookback;
    }
    for (size_t i = 0; i < state->n_rules; i++)
        if (matched[i] && state->rules[i].lookback == furthest)
            signal_match(results, state->first_slot + (uint32_t)i, least_of(likeness.similarities, furthest));
    return 0;
}

const struct signal_family signal_reask = {
    .config = { .type = "reask", .list_key = "reasks", .schema = &reask_schema },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .all_or_nothing = true, /* the longest streak wins */
    .value_greatest = INFINITY,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_embedding, .build = build, .ask = ask, .eval = eval, .applies = applies),
};
