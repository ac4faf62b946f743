#include "probe/report.h"

#include "core/buf.h"
#include "core/json_write.h"
#include "core/xml.h"

/* ---- text */

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RESET "\033[0m"

static const char *paint(bool colour, const char *sequence) {
    return colour ? sequence : "";
}

static void failures_text(const struct probe_outcome *outcome, bool colour, struct buf *out) {
    if (outcome->state == PROBE_NOT_ASKED)
        buf_printf(out, "    %.*s\n", VSR_FMT(outcome->error));
    for (size_t i = 0; i < outcome->verdict.n_failures; i++) {
        const struct probe_failure *failure = &outcome->verdict.failures[i];
        buf_printf(out, "    %s%-13s%s expected %.*s, got %.*s\n", paint(colour, DIM), probe_check_text(failure->check),
                   paint(colour, RESET), VSR_FMT(failure->expected), VSR_FMT(failure->got));
    }
}

static void outcomes_text(const struct probe_summary *s, enum probe_state state, const char *title, bool colour,
                          struct buf *out) {
    bool any = false;
    for (size_t i = 0; i < s->outcomes->n; i++) {
        const struct probe_outcome *outcome = &s->outcomes->items[i];
        if (outcome->state != state)
            continue;
        if (!any)
            buf_printf(out, "%s%s%s\n", paint(colour, BOLD), title, paint(colour, RESET));
        any = true;
        buf_printf(out, "  %s%.*s%s\n", paint(colour, state == PROBE_DEPENDENT ? YELLOW : RED), VSR_FMT(outcome->id),
                   paint(colour, RESET));
        failures_text(outcome, colour, out);
    }
    if (any)
        buf_append_char(out, '\n');
}

static void decisions_text(const struct probe_summary *s, bool colour, struct buf *out) {
    buf_printf(out, "%s%-40s %9s %8s%s\n", paint(colour, BOLD), "decision", "passed", "percent", paint(colour, RESET));
    for (size_t i = 0; i < s->n_decisions; i++) {
        const struct probe_decision_rate *rate = &s->decisions[i];
        double percent = probe_percent(rate->rate);
        buf_printf(out, "%-40.*s %4zu/%-4zu %s%7.1f%s\n", VSR_FMT(rate->decision->id), rate->rate.passed,
                   rate->rate.total, paint(colour, percent < rate->least ? RED : GREEN), percent, paint(colour, RESET));
    }
}

static void coverage_text(const struct probe_summary *s, struct buf *out) {
    for (int tag = 0; tag < PROBE_TAGS; tag++)
        if (s->tags[tag].total)
            buf_printf(out, "tagged %-33s %4zu/%-4zu %7.1f\n", probe_tag_text((enum probe_tag)tag), s->tags[tag].passed,
                       s->tags[tag].total, probe_percent(s->tags[tag]));
    for (size_t i = 0; s->whole && i < PROBE_COVERAGES; i++)
        if (s->coverage[i].configured)
            buf_printf(out, "asserted %-31s %4zu/%-4zu %7.1f\n", s->coverage[i].what, s->coverage[i].asserted,
                       s->coverage[i].configured,
                       probe_percent((struct probe_rate){ s->coverage[i].asserted, s->coverage[i].configured }));
}

static bool is_astray(const struct probe_outcome *outcome) {
    return outcome->state != PROBE_NOT_ASKED &&
           !str_eq(outcome->verdict.decision, outcome->decision->expected_decision);
}

/* Of outcomes [begin, end), those that went from the same decision to the same. */
static size_t count_like(const struct probe_outcome *outcome, const struct probe_outcome *begin,
                         const struct probe_outcome *end) {
    size_t n = 0;
    for (const struct probe_outcome *other = begin; other < end; other++)
        n += other->state != PROBE_NOT_ASKED && str_eq(other->verdict.decision, outcome->verdict.decision) &&
             str_eq(other->decision->expected_decision, outcome->decision->expected_decision);
    return n;
}

/* Which decision took what was meant for another. */
static void confusion_text(const struct probe_summary *s, bool colour, struct buf *out) {
    const struct probe_outcome *items = s->outcomes->items;
    bool any = false;
    for (size_t i = 0; i < s->outcomes->n; i++) {
        const struct probe_outcome *outcome = &items[i];
        if (!is_astray(outcome) || count_like(outcome, items, outcome) > 0)
            continue;
        if (!any)
            buf_printf(out, "%s%-40s %-40s %s%s\n", paint(colour, BOLD), "meant for", "went to", "probes",
                       paint(colour, RESET));
        any = true;
        buf_printf(out, "%-40.*s %-40.*s %6zu\n", VSR_FMT(outcome->decision->expected_decision),
                   VSR_FMT(outcome->verdict.decision.len ? outcome->verdict.decision : VSR_STR("none")),
                   count_like(outcome, outcome, items + s->outcomes->n));
    }
    if (any)
        buf_append_char(out, '\n');
}

void probe_report_text(const struct probe_summary *s, bool colour, struct buf *out) {
    outcomes_text(s, PROBE_FAILED, "failed", colour, out);
    outcomes_text(s, PROBE_NOT_ASKED, "not answered", colour, out);
    outcomes_text(s, PROBE_DEPENDENT, "not decided without the signals that are not available", colour, out);
    confusion_text(s, colour, out);
    decisions_text(s, colour, out);
    coverage_text(s, out);
    buf_printf(out, "\n%zu of %zu probes pass", s->rate.passed, s->rate.total);
    if (s->options->by_independence)
        buf_printf(out, " that depend on nothing unavailable; of %zu others %zu", s->n_dependent,
                   s->n_dependent_passed);
    buf_printf(out, "\nlatency us: min %.0f, p50 %.0f, p95 %.0f, p99 %.0f, max %.0f; %.0f probes/s\n", s->latency.min,
               s->latency.p50, s->latency.p95, s->latency.p99, s->latency.max, s->per_second);
    for (size_t i = 0; i < s->n_complaints; i++)
        buf_printf(out, "%snot accepted%s: %.*s\n", paint(colour, RED), paint(colour, RESET),
                   VSR_FMT(s->complaints[i]));
}

/* ---- JSON */

static void key(struct json_writer *w, const char *name) {
    json_write_key(w, str_from_c(name));
}

static void text_member(struct json_writer *w, const char *name, vsr_str text) {
    key(w, name);
    json_write_str(w, text);
}

static void number_member(struct json_writer *w, const char *name, double number) {
    key(w, name);
    json_write_double(w, number);
}

static void rate_members(struct json_writer *w, struct probe_rate rate) {
    key(w, "passed");
    json_write_u64(w, rate.passed);
    key(w, "total");
    json_write_u64(w, rate.total);
    number_member(w, "pass_rate", probe_percent(rate));
}

static void outcome_json(struct json_writer *w, const struct probe_outcome *outcome) {
    json_write_begin_object(w);
    text_member(w, "id", outcome->id);
    text_member(w, "state", str_from_c(probe_state_text(outcome->state)));
    text_member(w, "expected_decision", outcome->decision->expected_decision);
    text_member(w, "decision", outcome->verdict.decision);
    text_member(w, "model", outcome->model);
    key(w, "independent");
    json_write_bool(w, outcome->independent);
    number_member(w, "time_us", outcome->time_us);
    if (outcome->error.len)
        text_member(w, "error", outcome->error);
    key(w, "failures");
    json_write_begin_array(w);
    for (size_t i = 0; i < outcome->verdict.n_failures; i++) {
        json_write_begin_object(w);
        text_member(w, "check", str_from_c(probe_check_text(outcome->verdict.failures[i].check)));
        text_member(w, "expected", outcome->verdict.failures[i].expected);
        text_member(w, "got", outcome->verdict.failures[i].got);
        json_write_end(w);
    }
    json_write_end(w);
    json_write_end(w);
}

static void groups_json(struct json_writer *w, const struct probe_summary *s) {
    key(w, "decisions");
    json_write_begin_array(w);
    for (size_t i = 0; i < s->n_decisions; i++) {
        json_write_begin_object(w);
        text_member(w, "id", s->decisions[i].decision->id);
        rate_members(w, s->decisions[i].rate);
        json_write_end(w);
    }
    json_write_end(w);
    key(w, "tags");
    json_write_begin_object(w);
    for (int tag = 0; tag < PROBE_TAGS; tag++)
        if (s->tags[tag].total) {
            key(w, probe_tag_text((enum probe_tag)tag));
            json_write_begin_object(w);
            rate_members(w, s->tags[tag]);
            json_write_end(w);
        }
    json_write_end(w);
    key(w, "coverage");
    json_write_begin_object(w);
    for (size_t i = 0; s->whole && i < PROBE_COVERAGES; i++) {
        key(w, s->coverage[i].what);
        json_write_begin_object(w);
        key(w, "asserted");
        json_write_u64(w, s->coverage[i].asserted);
        key(w, "configured");
        json_write_u64(w, s->coverage[i].configured);
        json_write_end(w);
    }
    json_write_end(w);
}

void probe_report_json(const struct probe_summary *s, struct json_writer *w) {
    json_write_begin_object(w);
    text_member(w, "suite", s->options->suite->name);
    key(w, "accepted");
    json_write_bool(w, s->n_complaints == 0);
    rate_members(w, s->rate);
    if (s->options->by_independence) {
        key(w, "dependent");
        json_write_u64(w, s->n_dependent);
        key(w, "dependent_passed");
        json_write_u64(w, s->n_dependent_passed);
    }
    groups_json(w, s);
    key(w, "latency_us");
    json_write_begin_object(w);
    number_member(w, "min", s->latency.min);
    number_member(w, "p50", s->latency.p50);
    number_member(w, "p95", s->latency.p95);
    number_member(w, "p99", s->latency.p99);
    number_member(w, "max", s->latency.max);
    json_write_end(w);
    key(w, "errors");
    json_write_u64(w, s->n_not_asked);
    number_member(w, "probes_per_second", s->per_second);
    key(w, "complaints");
    json_write_begin_array(w);
    for (size_t i = 0; i < s->n_complaints; i++)
        json_write_str(w, s->complaints[i]);
    json_write_end(w);
    key(w, "probes");
    json_write_begin_array(w);
    for (size_t i = 0; i < s->outcomes->n; i++)
        outcome_json(w, &s->outcomes->items[i]);
    json_write_end(w);
    json_write_end(w);
}

/* ---- JUnit */

static void failure_junit(const struct probe_failure *failure, struct buf *out) {
    buf_printf(out, "<failure type=\"%s\" message=\"expected ", probe_check_text(failure->check));
    xml_append(out, failure->expected);
    (void)buf_append_c(out, ", got ");
    xml_append(out, failure->got);
    (void)buf_append_c(out, "\"/>");
}

static void case_junit(const struct probe_outcome *outcome, struct buf *out) {
    (void)buf_append_c(out, "    <testcase classname=\"");
    xml_append(out, outcome->decision->id);
    (void)buf_append_c(out, "\" name=\"");
    xml_append(out, outcome->variant->id);
    buf_printf(out, "\" time=\"%.6f\">", outcome->time_us / 1e6);
    if (outcome->state == PROBE_DEPENDENT)
        (void)buf_append_c(out, "<skipped message=\"depends on signals that are not available\"/>");
    if (outcome->state == PROBE_NOT_ASKED) {
        (void)buf_append_c(out, "<error message=\"");
        xml_append(out, outcome->error);
        (void)buf_append_c(out, "\"/>");
    }
    for (size_t i = 0; outcome->state == PROBE_FAILED && i < outcome->verdict.n_failures; i++)
        failure_junit(&outcome->verdict.failures[i], out);
    (void)buf_append_c(out, "</testcase>\n");
}

static void suite_junit(const struct probe_summary *s, const struct probe_decision *decision, struct buf *out) {
    size_t n = 0, counts[PROBE_DEPENDENT + 1] = { 0 };
    for (size_t i = 0; i < s->outcomes->n; i++)
        if (s->outcomes->items[i].decision == decision) {
            n++;
            counts[s->outcomes->items[i].state]++;
        }
    (void)buf_append_c(out, "  <testsuite name=\"");
    xml_append(out, decision->id);
    buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", n, counts[PROBE_FAILED],
               counts[PROBE_NOT_ASKED], counts[PROBE_DEPENDENT]);
    for (size_t i = 0; i < s->outcomes->n; i++)
        if (s->outcomes->items[i].decision == decision)
            case_junit(&s->outcomes->items[i], out);
    (void)buf_append_c(out, "  </testsuite>\n");
}

void probe_report_junit(const struct probe_summary *s, struct buf *out) {
    (void)buf_append_c(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"");
    xml_append(out, s->options->suite->name);
    (void)buf_append_c(out, "\">\n");
    for (size_t i = 0; i < s->n_decisions; i++)
        suite_junit(s, s->decisions[i].decision, out);
    (void)buf_append_c(out, "</testsuites>\n");
}
