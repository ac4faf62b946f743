#include "cli/dsl_test_report.h"

#include "core/buf.h"
#include "core/json_write.h"
#include "core/xml.h"
#include "dsl/spelling.h"

enum { TEXT_LEN_MAX = 64 << 20 };

/* ---- names */

/* `recipe/test`, each as the program would write it: nothing in it ends a line. */
static void spell_test(const struct test_outcome *o, struct buf *out) {
    if (o->recipe.len) {
        spell_name(out, o->recipe);
        buf_append_char(out, '/');
    }
    spell_name(out, o->decl->name.text);
}

/* `"query" -> route`; nothing in it ends a line. */
static void spell_case(const struct test_outcome *o, struct buf *out) {
    json_quote(out, o->test->query.text);
    buf_append_c(out, " -> ");
    spell_name(out, o->test->route.text);
}

/* ---- TAP */

static void quote_place(const struct test_report *report, const struct finding *finding, struct buf *out) {
    struct buf place;
    buf_init(&place, TEXT_LEN_MAX);
    buf_printf(&place, "%.*s:%u:%u", VSR_FMT(report->name), finding->at.line, finding->at.col);
    json_quote(out, buf_str(&place));
    buf_done(&place);
}

/* In a description `#` begins a directive that turns a failure into none, and a backslash takes its meaning away. */
static void append_description(const struct test_outcome *o, struct buf *out) {
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    spell_test(o, &text);
    buf_append_c(&text, ": ");
    spell_case(o, &text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '#' || text.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.ptr[i]);
    }
    buf_done(&text);
}

void test_report_tap(const struct test_report *report, struct buf *out) {
    buf_printf(out, "TAP version 13\n1..%zu\n", report->n);
    for (size_t i = 0; i < report->n; i++) {
        const struct test_outcome *o = &report->outcomes[i];
        buf_printf(out, "%sok %zu - ", o->code ? "not " : "", i + 1);
        append_description(o, out);
        buf_append_char(out, '\n');
        for (size_t k = o->first; k < o->first + o->n; k++) {
            const struct finding *finding = &report->findings->items[k];
            buf_printf(out, "  ---\n  code: %s\n  at: ", finding->code);
            quote_place(report, finding, out);
            buf_append_c(out, "\n  message: ");
            json_quote(out, finding->message);
            buf_append_c(out, "\n  ...\n");
        }
    }
}

/* ---- JUnit */

static void attribute(struct buf *out, const char *name, vsr_str text) {
    buf_printf(out, " %s=\"", name);
    xml_append(out, text);
    buf_append_char(out, '"');
}

static void spelled(struct buf *out, const char *name, const struct test_outcome *o,
                    void (*spell)(const struct test_outcome *, struct buf *)) {
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    spell(o, &text);
    attribute(out, name, buf_str(&text));
    buf_done(&text);
}

struct counts {
    size_t n, failures, errors;
    uint64_t time_us;
};

static void count(struct counts *counts, const struct test_outcome *o) {
    counts->n++;
    counts->failures += o->code && !o->unasked;
    counts->errors += o->unasked;
    counts->time_us += o->time_us;
}

static void print_counts(struct buf *out, const struct counts *counts) {
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.6f\">\n", counts->n,
               counts->failures, counts->errors, (double)counts->time_us / 1e6);
}

/* What is wrong twice with one case is told in one element: readers of JUnit XML keep the last of several. */
static void print_failure(const struct test_report *report, const struct test_outcome *o, struct buf *out) {
    const char *tag = o->unasked ? "error" : "failure";
    const struct finding *items = report->findings->items;
    buf_printf(out, "\n      <%s type=\"%s\"", tag, o->code);
    attribute(out, "message", o->n > 0 ? items[o->first].message : VSR_STR("too many tests fail to say more"));
    buf_append_char(out, '>');
    for (size_t k = o->first; k < o->first + o->n; k++) {
        if (k > o->first)
            buf_append_char(out, '\n');
        xml_append(out, report->name);
        buf_printf(out, ":%u:%u: ", items[k].at.line, items[k].at.col);
        xml_append(out, items[k].message);
        buf_printf(out, " [%s]", items[k].code);
    }
    buf_printf(out, "</%s>\n    ", tag);
}

static void print_case(const struct test_report *report, const struct test_outcome *o, struct buf *out) {
    buf_append_c(out, "    <testcase");
    spelled(out, "classname", o, spell_test);
    spelled(out, "name", o, spell_case);
    attribute(out, "file", report->name);
    buf_printf(out, " line=\"%u\" time=\"%.6f\">", o->test->query.at.line, (double)o->time_us / 1e6);
    if (o->code)
        print_failure(report, o, out);
    buf_append_c(out, "</testcase>\n");
}

/* From outcome `i` on; returns where the next suite begins. */
static size_t print_suite(const struct test_report *report, size_t i, struct buf *out) {
    struct counts counts = { 0 };
    size_t end = i;
    for (; end < report->n && report->outcomes[end].decl == report->outcomes[i].decl; end++)
        count(&counts, &report->outcomes[end]);
    buf_append_c(out, "  <testsuite");
    spelled(out, "name", &report->outcomes[i], spell_test);
    attribute(out, "file", report->name);
    print_counts(out, &counts);
    for (; i < end; i++)
        print_case(report, &report->outcomes[i], out);
    buf_append_c(out, "  </testsuite>\n");
    return end;
}

void test_report_junit(const struct test_report *report, struct buf *out) {
    struct counts counts = { 0 };
    for (size_t i = 0; i < report->n; i++)
        count(&counts, &report->outcomes[i]);
    buf_append_c(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    attribute(out, "name", report->name);
    print_counts(out, &counts);
    for (size_t i = 0; i < report->n;)
        i = print_suite(report, i, out);
    buf_append_c(out, "</testsuites>\n");
}

/* ---- JSON */

static void write_text(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    if (text.len)
        json_write_str(w, text);
    else
        json_write_null(w);
}

static void write_outcome(const struct test_outcome *o, struct json_writer *w) {
    json_write_begin_object(w);
    write_text(w, "test", o->decl->name.text);
    write_text(w, "recipe", o->recipe);
    write_text(w, "query", o->test->query.text);
    write_text(w, "expected", o->test->route.text);
    write_text(w, "route", o->answer.decision);
    json_write_key(w, VSR_STR("passed"));
    json_write_bool(w, !o->code);
    json_write_key(w, VSR_STR("confidence"));
    json_write_double(w, o->answer.confidence);
    json_write_key(w, VSR_STR("matched_signals"));
    json_write_begin_array(w);
    for (size_t i = 0; i < o->answer.n_matched; i++)
        json_write_str(w, o->answer.matched[i]);
    json_write_end(w);
    json_write_key(w, VSR_STR("line"));
    json_write_u64(w, o->test->query.at.line);
    json_write_key(w, VSR_STR("column"));
    json_write_u64(w, o->test->query.at.col);
    json_write_end(w);
}

void test_report_json(const struct test_report *report, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    write_text(&w, "file", report->name);
    json_write_key(&w, VSR_STR("passed"));
    json_write_u64(&w, report->n_passed);
    json_write_key(&w, VSR_STR("failed"));
    json_write_u64(&w, report->n - report->n_passed);
    json_write_key(&w, VSR_STR("tests"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < report->n; i++)
        write_outcome(&report->outcomes[i], &w);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("diagnostics"));
    findings_json(report->findings, report->text, false, &w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}
