#include "policy/partition.h"

#include <math.h>

#include "core/arena.h"

bool partition_build(struct arena *arena, const struct config_partition *config,
                     uint32_t (*find)(void *data, vsr_str name), void *data, struct partition *ret_partition) {
    struct partition partition = { .name = config->name,
                                   .softmax = config->semantics == 1,
                                   .temperature = config->temperature,
                                   .fallback = find(data, config->fallback) };
    uint32_t *members = ARENA_ARRAY(arena, uint32_t, config->members.n);
    for (size_t i = 0; i < config->members.n; i++) {
        uint32_t rule = find(data, config->members.items[i]);
        if (rule != UINT32_MAX)
            members[partition.n_members++] = rule;
    }
    partition.members = members;
    *ret_partition = partition;
    return partition.n_members >= PARTITION_MEMBERS_MIN;
}

static bool is_member(const struct partition *partition, uint32_t rule) {
    for (size_t i = 0; i < partition->n_members; i++)
        if (partition->members[i] == rule)
            return true;
    return false;
}

static bool is_contender(const struct partition *partition, const struct partition_match *match) {
    return match->has_confidence && !match->synthesized && is_member(partition, match->rule);
}

static void add_default(const struct partition *partition, struct partition_matches *matches,
                        struct partition_trace *trace) {
    trace->winner = partition->fallback;
    trace->default_used = true;
    for (size_t i = 0; i < matches->n; i++)
        if (matches->items[i].rule == partition->fallback)
            return;
    matches->items[matches->n++] =
        (struct partition_match){ .rule = partition->fallback, .has_confidence = true, .synthesized = true };
}

/* The highest raw score, the first of equals. */
static size_t find_winner(const struct partition_trace *trace) {
    size_t winner = 0;
    for (size_t i = 1; i < trace->n_contenders; i++)
        if (trace->contenders[i].raw > trace->contenders[winner].raw)
            winner = i;
    return winner;
}

static void normalize(const struct partition *partition, struct partition_trace *trace, double greatest) {
    double sum = 0;
    for (size_t i = 0; i < trace->n_contenders; i++)
        sum += trace->contenders[i].normalized = exp((trace->contenders[i].raw - greatest) / partition->temperature);
    for (size_t i = 0; i < trace->n_contenders; i++)
        trace->contenders[i].normalized /= sum;
    trace->normalized = true;
}

static double score_of(const struct partition_trace *trace, size_t contender) {
    return trace->normalized ? trace->contenders[contender].normalized : trace->contenders[contender].raw;
}

static double margin_of(const struct partition_trace *trace, size_t winner) {
    double second = -INFINITY;
    if (trace->n_contenders < 2)
        return 0;
    for (size_t i = 0; i < trace->n_contenders; i++)
        if (i != winner && score_of(trace, i) > second)
            second = score_of(trace, i);
    return score_of(trace, winner) - second;
}

/* Takes the losers out of the matches and gives the winner its confidence. */
static void keep_winner(const struct partition *partition, const struct partition_trace *trace,
                        struct partition_matches *matches) {
    size_t kept = 0;
    for (size_t i = 0; i < matches->n; i++) {
        struct partition_match match = matches->items[i];
        if (is_contender(partition, &match)) {
            if (match.rule != trace->winner)
                continue;
            match.confidence = trace->winner_score;
        }
        matches->items[kept++] = match;
    }
    matches->n = kept;
}

bool partition_apply(const struct partition *partition, struct partition_matches *matches, struct arena *arena,
                     struct partition_trace *ret_trace) {
    struct partition_trace trace = { .partition = partition };
    size_t winner;
    if (partition->n_members < PARTITION_MEMBERS_MIN)
        return false;
    trace.contenders = ARENA_ARRAY(arena, struct partition_contender, matches->n);
    for (size_t i = 0; i < matches->n; i++)
        if (is_contender(partition, &matches->items[i]))
            trace.contenders[trace.n_contenders++] =
                (struct partition_contender){ .rule = matches->items[i].rule, .raw = matches->items[i].confidence };
    if (trace.n_contenders == 0) {
        add_default(partition, matches, &trace);
        *ret_trace = trace;
        return true;
    }
    winner = find_winner(&trace);
    trace.winner = trace.contenders[winner].rule;
    trace.raw_winner_score = trace.contenders[winner].raw;
    if (partition->softmax && trace.n_contenders > 1)
        normalize(partition, &trace, trace.raw_winner_score);
    trace.winner_score = score_of(&trace, winner);
    trace.margin = margin_of(&trace, winner);
    keep_winner(partition, &trace, matches);
    *ret_trace = trace;
    return true;
}
