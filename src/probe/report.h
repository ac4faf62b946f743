/*
 * report - what a summary looks like: for people, for programs, for test dashboards. Pure; any thread.
 */
#ifndef VSR_PROBE_REPORT_H
#define VSR_PROBE_REPORT_H

#include "probe/summary.h"

struct buf;
struct json_writer;

/* What failed and why, where it went instead, a table of decisions, tags and coverage, and why it is not accepted. */
void probe_report_text(const struct probe_summary *summary, bool colour, struct buf *out);

/* One object: the rates, then every probe in the order of the suite. */
void probe_report_json(const struct probe_summary *summary, struct json_writer *w);

/* JUnit XML: one test suite per decision. A probe that depends on unavailable signals is skipped. */
void probe_report_junit(const struct probe_summary *summary, struct buf *out);

#endif
