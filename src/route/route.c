/*
 * Evaluation runs in stages, cheap families first. Behind each stage the policy is asked whether anything that is still
 * open could change the outcome. Only if so do later families run, and only those that the open decisions need;
 * besides, rules that must not be skipped run as long as the winner does not outrank whoever refers to them. With
 * `full` nothing is left out. Both ways give the same outcome.
 */
#include "route/route.h"

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "route/answers.h"
#include "route/failure.h"
#include "route/plan.h"
#include "route/state.h"
#include "route/verdicts.h"
#include "signal/token_count.h"
#include "text/regex.h"
#include "text/stem.h"

/* ---- scratch */

struct route_scratch {
    struct pattern_scratch *patterns; /* NULL: the recipe has none */
    struct stemmer *stemmer;          /* NULL: no rule looks for stems */
};

int route_scratch_new(const struct route *route, struct route_scratch **ret_scratch, struct vsr_err *err) {
    struct route_scratch *scratch;
    int rc = 0;
    if (!route->patterns && !route->needs_stemmer) {
        *ret_scratch = NULL;
        return 0;
    }
    scratch = MEM_NEW(struct route_scratch);
    if (route->patterns)
        rc = pattern_scratch_new(route->patterns, &scratch->patterns, err);
    if (rc == 0 && route->needs_stemmer)
        rc = stemmer_new(&scratch->stemmer, err);
    if (rc < 0) {
        route_scratch_free(scratch);
        return rc;
    }
    *ret_scratch = scratch;
    return 0;
}

void route_scratch_free(struct route_scratch *scratch) {
    if (!scratch)
        return;
    pattern_scratch_free(scratch->patterns);
    stemmer_free(scratch->stemmer);
    mem_free(scratch);
}

/* ---- begin */

struct route_state *route_begin(const struct route *route, struct route_scratch *scratch, struct arena *arena,
                                const struct request_facts *facts, const struct route_options *options) {
    struct route_state *state = ARENA_NEW(arena, struct route_state);
    struct signal_results *results = &state->results;
    VSR_ASSERT(scratch || (!route->patterns && !route->needs_stemmer));
    state->route = route;
    state->arena = arena;
    state->full = options->full;
    state->evidence = options->evidence;
    evidence_asks_init(&state->asks, arena);
    state->asks.closed = options->evidence != ROUTE_EVIDENCE_ANSWERS;
    state->memos = ARENA_ARRAY(arena, void *, route->n_families);
    state->pending = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(route->slots.n));
    state->clock = options->clock;
    state->now_ns = options->now_ns;
    if (options->now_ns)
        state->family_ns = ARENA_ARRAY(arena, uint64_t, route->n_families);
    state->timeout_ms = options->clock.now_ms ? route->doc->global.router.signal_timeout_ms : 0;
    state->skipped = facts->eval_text.len == 0 && !facts_has_envelope(facts);
    state->request = (struct signal_request){ .arena = arena,
                                              .facts = facts,
                                              .bytes_per_token = options->bytes_per_token,
                                              .patterns = route->patterns,
                                              .scratch = scratch ? scratch->patterns : NULL,
                                              .stemmer = scratch ? scratch->stemmer : NULL,
                                              .regex_steps = REGEX_STEPS_MAX,
                                              .window_max = route->window_max,
                                              .asks = &state->asks,
                                              .compress = route->compresses ? &route->compress : NULL };
    signal_results_init(results, arena, route->slots.n);
    compete_begin(&state->compete, route, arena);
    state->view = (struct policy_view){ .n_slots = results->n_slots,
                                        .evaluated = results->evaluated,
                                        .matched = results->matched,
                                        .unavailable = results->unavailable,
                                        .has_confidence = results->has_confidence,
                                        .has_value = results->has_value,
                                        .confidence = results->confidence,
                                        .value = results->value };
    state->projections = ARENA_ARRAY(arena, struct projection_result, route->projections->n_scores);
    state->leaves = ARENA_ARRAY(arena, uint8_t, route->policy->rules.n_leaves);
    state->outcome.token_count = signal_token_count(facts, options->bytes_per_token, true);
    return state;
}

/* ---- stages */

static void fail_family(struct route_state *state, const struct route_family *family, enum signal_code code,
                        const char *reason) {
    for (uint32_t i = 0; i < family->n_slots; i++)
        if (bits_has(state->request.wanted, family->first_slot + i) &&
            !bits_has(state->results.evaluated, family->first_slot + i))
            failure_set(state, family, i, code, reason);
}

static void run_family(struct route_state *state, const struct route_family *family) {
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t begin_ns;
    int rc;
    if (failure_too_late(state)) {
        fail_family(state, family, SIGNAL_TIMEOUT, FAILURE_TOO_LATE);
        return;
    }
    begin_ns = state->now_ns ? state->now_ns() : 0;
    rc = family->family->eval(family->state, &state->request, &state->results, &err);
    if (state->now_ns)
        state->family_ns[family - state->route->families] += state->now_ns() - begin_ns;
    if (rc < 0)
        fail_family(state, family, rc == VSR_E_LIMIT ? SIGNAL_TOO_LONG : SIGNAL_FAILED,
                    err.text[0] ? arena_printf(state->arena, "%s", err.text).ptr : NULL);
}

/* Whether the request itself says what the rule's result is. */
static void settle_plain(struct route_state *state, const struct route_family *family, uint32_t index) {
    const struct signal_family *f = family->family;
    const struct request_facts *facts = state->request.facts;
    size_t rule = plan_rule_of(family, index);
    uint32_t slot = family->first_slot + index;
    if (f->is_settled && f->is_settled(family->state, facts, rule))
        signal_match(&state->results, slot, 1.0);
    else if (f->applies && !f->applies(family->state, facts, rule))
        signal_no_match(&state->results, slot);
}

static void ask_family(struct route_state *state, const struct route_family *family) {
    for (uint32_t i = 0; i < family->n_slots; i++)
        if (bits_has(state->request.wanted, family->first_slot + i) &&
            !bits_has(state->results.evaluated, family->first_slot + i))
            settle_plain(state, family, i);
    if (state->evidence == ROUTE_EVIDENCE_ANSWERS ||
        (state->evidence == ROUTE_EVIDENCE_NONE && family->family->judges_alone))
        answers_ask(state, family);
    else
        verdicts_ask(state, family);
}

/* Whether the family waits for what somebody else says. */
static bool asks(const struct route_state *state, const struct route_family *family) {
    return family->family->needs_evidence || (state->evidence == ROUTE_EVIDENCE_ANSWERS && family->family->ask);
}

/* Families of the stage with rules in `wanted`: those that ask, or those that do not. */
static bool run_families(struct route_state *state, const uint64_t *wanted, bool asking) {
    bool any = false;
    state->request.wanted = wanted;
    for (size_t i = 0; i < state->route->n_families; i++) {
        const struct route_family *family = &state->route->families[i];
        if ((int)family->stage != state->stage || asking != asks(state, family) || !plan_wants(family, wanted))
            continue;
        any = true;
        if (asking)
            ask_family(state, family);
        else
            run_family(state, family);
    }
    return any;
}

/*
 * Runs what the stage can by itself. Returns whether there was anything to run. Rules that nothing refers to come last:
 * on a text that is costly to search they must not take the steps of those that decide.
 */
static bool start_stage(struct route_state *state) {
    bool any = run_families(state, state->full ? state->route->wanted : state->wanted, false);
    if (state->full)
        any |= run_families(state, state->route->unwanted, false);
    any |= run_families(state, state->wanted, true);
    return any;
}

static void finish_stage(struct route_state *state) {
    compete_run(state);
    projections_run(state->route->projections, &state->view, state->projections);
}

/* ---- lazy evaluation */

static void wish_leaf(void *data, const struct rule_leaf *leaf) {
    rule_leaf_slots(leaf, data);
}

/* What the decisions that block the outcome still need. */
static void wish_for_blocking(struct route_state *state, const uint64_t *blocking, uint64_t *wishes) {
    const struct policy *policy = state->route->policy;
    for (size_t i = bits_next(blocking, 0, policy->n_decisions); i < policy->n_decisions;
         i = bits_next(blocking, i + 1, policy->n_decisions))
        policy_pending(policy, i, state->leaves, wish_leaf, wishes);
}

/* Rules that must not be skipped, of every decision that the best so far does not outrank. */
static void wish_for_unskipped(struct route_state *state, const struct policy_decision *best, uint64_t *wishes) {
    const struct policy *policy = state->route->policy;
    size_t last = policy->n_decisions - 1;
    if (!state->route->unskipped || policy->n_decisions == 0)
        return;
    if (best && policy->ordered)
        for (last = (size_t)(best - policy->decisions);
             last + 1 < policy->n_decisions && policy->decisions[last + 1].priority == best->priority;)
            last++;
    for (size_t w = 0; w < BITS_WORDS(state->route->slots.n); w++)
        wishes[w] |= state->route->unskipped[last][w];
}

/* Looks whether the winner is certain, and narrows what is wanted to what can still change it. */
static void narrow(struct route_state *state) {
    const struct policy *policy = state->route->policy;
    uint64_t *blocking = ARENA_ARRAY(state->arena, uint64_t, BITS_WORDS(policy->n_decisions));
    uint64_t *wishes = ARENA_ARRAY(state->arena, uint64_t, BITS_WORDS(state->route->slots.n));
    struct policy_verdict verdict = { 0 };
    rule_leaf_states(&policy->rules, &state->view, state->leaves);
    state->settled = policy_decide(policy, state->leaves, &state->view, &verdict, blocking);
    if (!state->settled)
        wish_for_blocking(state, blocking, wishes);
    wish_for_unskipped(state, verdict.winner, wishes);
    plan_complete(state->route, wishes);
    state->wanted = wishes;
}

/* Goes through the stages that are left. Returns false when one waits for evidence. */
static bool run_stages(struct route_state *state) {
    bool lazy = state->route->lazy && state->route->has_stages && !state->full;
    for (; state->stage < SIGNAL_STAGES; state->stage++) {
        if (!state->waiting) {
            if (!start_stage(state) && state->stage > SIGNAL_STAGE_CHEAP)
                continue;
            if (answers_open(state) || state->n_needs > 0) {
                state->waiting = true;
                return false;
            }
        }
        state->waiting = false;
        verdicts_close(state);
        answers_judge(state);
        finish_stage(state);
        if (lazy && state->stage < SIGNAL_STAGES - 1)
            narrow(state);
    }
    return true;
}

/* Nothing more will be evaluated: what is open reads as not matched. Only leaves that cannot change the outcome are
 * left open here. */
static void close_open(struct route_state *state) {
    for (size_t i = 0; i < state->route->policy->rules.n_leaves; i++)
        if (state->leaves[i] == RULE_PENDING)
            state->leaves[i] = RULE_FALSE;
}

static struct policy_verdict decide(struct route_state *state) {
    const struct policy *policy = state->route->policy;
    struct policy_verdict verdict = { 0 };
    uint64_t *blocking = ARENA_ARRAY(state->arena, uint64_t, BITS_WORDS(policy->n_decisions));
    rule_leaf_states(&policy->rules, &state->view, state->leaves);
    if (policy_decide(policy, state->leaves, &state->view, &verdict, blocking))
        return verdict;
    close_open(state);
    if (!policy_decide(policy, state->leaves, &state->view, &verdict, blocking))
        VSR_ASSERT(!"nothing is pending any more");
    return verdict;
}

/* ---- outcome */

static void write_matched_rules(struct route_state *state, const struct policy_decision *winner) {
    const struct rule_set *rules = &state->route->policy->rules;
    struct route_outcome *outcome = &state->outcome;
    size_t max = rules->nodes[winner->root].end - winner->root;
    uint32_t *leaves = ARENA_ARRAY(state->arena, uint32_t, max);
    size_t n = rule_matched(rules, winner->root, state->leaves, &state->view, leaves, max);
    vsr_str *texts = ARENA_ARRAY(state->arena, vsr_str, n);
    for (size_t i = 0; i < n; i++) {
        const struct rule_leaf *leaf = &rules->leaves[leaves[i]];
        texts[i] = leaf->text;
        if (!outcome->category.len && str_eq_c(leaf->type, "domain"))
            outcome->category = leaf->name;
    }
    outcome->matched_rules = texts;
    outcome->n_matched_rules = n;
}

/* Decisions that could not be judged, for the counter that operators watch. */
static void write_unknown(struct route_state *state) {
    const struct policy *policy = state->route->policy;
    const struct config_decision **unknown;
    size_t n = 0;
    if (!memchr(state->leaves, RULE_UNKNOWN, policy->rules.n_leaves))
        return;
    unknown = ARENA_ARRAY(state->arena, const struct config_decision *, policy->n_decisions);
    for (size_t i = 0; i < policy->n_decisions; i++)
        if (rule_state(&policy->rules, policy->decisions[i].root, state->leaves) == RULE_UNKNOWN)
            unknown[n++] = policy->decisions[i].config;
    state->outcome.unknown = unknown;
    state->outcome.n_unknown = n;
}

const char *route_refusal(const struct route *route, const struct request_facts *facts) {
    if (!route->needs_identity || facts->user_id.len > 0 || route->doc->global.services.authz.fail_open)
        return NULL;
    return "the policy asks who the caller is, and the request does not say";
}

/* Whether there is anything to evaluate. */
static bool begin(struct route_state *state) {
    state->begun = true;
    state->outcome.refusal = route_refusal(state->route, state->request.facts);
    state->skipped |= state->outcome.refusal != NULL;
    state->wanted = state->full ? state->route->all : state->route->wanted;
    if (state->clock.now_ms)
        state->begun_ms = state->clock.now_ms(state->clock.data);
    return !state->skipped;
}

enum route_status route_step(struct route_state *state, struct vsr_err *err) {
    struct policy_verdict verdict;
    (void)err; /* evidence that does not come is a signal's failure, not the step's */
    if (state->done)
        return ROUTE_DONE;
    if (state->begun || begin(state)) {
        if (!run_stages(state))
            return ROUTE_NEEDS_EVIDENCE;
        verdict = decide(state);
        if (verdict.winner) {
            state->outcome.decision = verdict.winner->config;
            state->outcome.confidence = verdict.confidence;
            write_matched_rules(state, verdict.winner);
        }
        write_unknown(state);
    }
    state->done = true;
    return ROUTE_DONE;
}

const struct route_outcome *route_outcome(const struct route_state *state) {
    VSR_ASSERT(state->done);
    return &state->outcome;
}

/* ---- matches */

static void report_names(const struct route *route, const char *family, uint32_t first, uint32_t n_slots,
                         void (*fn)(void *data, const char *family, vsr_str name), void *data) {
    for (uint32_t slot = first; slot < first + n_slots; slot++)
        fn(data, family, route->slots.items[slot].name);
}

void route_names(const struct route *route, void (*fn)(void *data, const char *family, vsr_str name), void *data) {
    for (size_t i = 0; i < route->n_families; i++)
        report_names(route, route->families[i].family->config.type, route->families[i].first_slot,
                     route->families[i].n_listed, fn, data);
    report_names(route, "projection", route->first_output, route->n_outputs, fn, data);
}

struct report {
    void (*fn)(void *data, const char *family, const vsr_str *names, size_t n_names);
    void *data;
};

/* Names of the slots in `which`, but not in `except` (NULL: none). */
static void report_slots(const struct route_state *state, const char *family, uint32_t first, uint32_t n_slots,
                         const uint64_t *which, const uint64_t *except, const struct report *report) {
    vsr_str *names = ARENA_ARRAY(state->arena, vsr_str, n_slots);
    size_t n = 0, end = first + n_slots;
    for (size_t slot = bits_next(which, first, end); slot < end; slot = bits_next(which, slot + 1, end))
        if (!except || !bits_has(except, slot))
            names[n++] = state->route->slots.items[slot].name;
    if (n > 0)
        report->fn(report->data, family, names, n);
}

static void report_all(const struct route_state *state, const uint64_t *which, const uint64_t *except,
                       const struct report *report) {
    const struct route *route = state->route;
    for (size_t i = 0; i < route->n_families; i++)
        report_slots(state, route->families[i].family->config.type, route->families[i].first_slot,
                     route->families[i].n_listed, which, except, report);
    report_slots(state, "projection", route->first_output, route->n_outputs, which, except, report);
}

void route_matches(const struct route_state *state,
                   void (*fn)(void *data, const char *family, const vsr_str *names, size_t n_names), void *data) {
    report_all(state, state->results.matched, NULL, &(struct report){ fn, data });
}

void route_used(const struct route_state *state, bool unmatched,
                void (*fn)(void *data, const char *family, const vsr_str *names, size_t n_names), void *data) {
    report_all(state, state->route->wanted, unmatched ? state->results.matched : NULL, &(struct report){ fn, data });
}

const char *route_modality(const struct route_state *state, const char **ret_method) {
    const struct modality_verdict *verdict = &state->request.modality;
    *ret_method = verdict->method;
    return verdict->method ? modality_label(verdict->label) : NULL;
}

static void tell_results(const struct route_state *state, const uint64_t *which, uint32_t first, uint32_t n,
                         size_t index, void (*fn)(void *data, const struct route_result *result), void *data) {
    const struct signal_results *results = &state->results;
    size_t end = first + n;
    for (size_t slot = bits_next(which, first, end); slot < end; slot = bits_next(which, slot + 1, end)) {
        bool failed = bits_has(results->unavailable, slot);
        fn(data, &(struct route_result){ .index = index + slot - first,
                                         .matched = bits_has(results->matched, slot),
                                         .code = failed ? (enum signal_code)results->codes[slot] : SIGNAL_OK });
    }
}

void route_results(const struct route_state *state, void (*fn)(void *data, const struct route_result *result),
                   void *data) {
    const struct route *route = state->route;
    size_t index = 0;
    for (size_t i = 0; i < route->n_families; i++) {
        const struct route_family *family = &route->families[i];
        tell_results(state, state->results.evaluated, family->first_slot, family->n_listed, index, fn, data);
        index += family->n_listed;
    }
    tell_results(state, state->results.matched, route->first_output, route->n_outputs, index, fn, data);
}

static bool has_any(const uint64_t *words, const struct route_family *family) {
    size_t end = family->first_slot + family->n_slots;
    return bits_next(words, family->first_slot, end) < end;
}

void route_skipped(const struct route_state *state, void (*fn)(void *data, const char *family, bool unused),
                   void *data) {
    const struct route *route = state->route;
    for (size_t i = 0; !state->skipped && i < route->n_families; i++) {
        const struct route_family *family = &route->families[i];
        if (!has_any(state->results.evaluated, family))
            fn(data, family->family->config.type, !has_any(route->wanted, family));
    }
}

void route_times(const struct route_state *state,
                 void (*fn)(void *data, const char *family, double ms, double confidence), void *data) {
    const struct signal_results *results = &state->results;
    for (size_t i = 0; state->family_ns && i < state->route->n_families; i++) {
        const struct route_family *family = &state->route->families[i];
        double best = 0;
        for (uint32_t slot = family->first_slot; slot < family->first_slot + family->n_listed; slot++) {
            double confidence = bits_has(results->has_confidence, slot) ? results->confidence[slot] : 1;
            if (bits_has(results->matched, slot) && confidence > best)
                best = confidence;
        }
        fn(data, family->family->config.type, (double)state->family_ns[i] / 1e6, best);
    }
}
