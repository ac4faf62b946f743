#include "evidence/evidence_metrics.h"

#include "core/metrics.h"

enum { REMEMBERED = SIGNAL_TOO_LONG + 1 };

static const char *const places[] = {
    [PLACE_BUILTIN] = "builtin", [PLACE_MODEL] = "model", [PLACE_HTTP] = "http", [PLACE_MCP] = "mcp"
};
_Static_assert(VSR_COUNT(places) == PLACES, "each has a name");

static vsr_str outcome_text(int outcome) {
    return outcome == REMEMBERED  ? VSR_STR("remembered")
           : outcome == SIGNAL_OK ? VSR_STR("answered")
                                  : str_from_c(signal_code_text((enum signal_code)outcome));
}

void evidence_metrics_init(struct evidence_metrics *ret, struct metrics *metrics) {
    static const char *const label_asks[] = { "source", "outcome" };
    static const double bounds[] = { 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01,
                                     0.02,    0.05,    0.1,    0.2,    0.5,    1,     2,     5,     10 };
    struct metric_family *asks, *seconds;
    *ret = (struct evidence_metrics){ 0 };
    if (!metrics)
        return;
    asks = metrics_counter(metrics, "vsr_evidence_asks_total",
                           "Texts that signals asked about, by who was asked and what became of it.", label_asks, 2,
                           PLACES * EVIDENCE_OUTCOMES);
    seconds = metrics_histogram(metrics, "vsr_evidence_seconds", "Time from asking to the answer, by who was asked.",
                                label_asks, 1, PLACES, bounds, VSR_COUNT(bounds));
    for (int place = 0; place < PLACES; place++) {
        vsr_str values[2] = { str_from_c(places[place]) };
        ret->seconds[place] = metric_with(seconds, values, 1);
        for (int outcome = 0; outcome < EVIDENCE_OUTCOMES; outcome++) {
            values[1] = outcome_text(outcome);
            ret->asks[place][outcome] = metric_with(asks, values, 2);
        }
    }
}

void evidence_metrics_count(const struct evidence_metrics *metrics, enum evidence_place place,
                            const struct evidence_answer *answer, uint64_t ns) {
    int outcome = answer->code == SIGNAL_OK && answer->remembered ? REMEMBERED : (int)answer->code;
    if (!metrics->seconds[place])
        return;
    metric_inc(metrics->asks[place][outcome]);
    metric_observe(metrics->seconds[place], (double)ns / 1e9);
}
