/*
 * dsl_test_report - what became of the TEST blocks of a program, for people and for other programs. One thread.
 */
#ifndef VSR_CLI_DSL_TEST_REPORT_H
#define VSR_CLI_DSL_TEST_REPORT_H

#include "cli/dsl_test_run.h"
#include "dsl/findings.h"

struct buf;

/* One line of a TEST. */
struct test_outcome {
    const struct dsl_decl *decl;
    const struct dsl_test_case *test;
    vsr_str recipe; /* empty: of the program itself */
    struct test_answer answer;
    uint64_t time_us;
    const char *code; /* of the first thing that is wrong; NULL: it passed */
    bool unasked;     /* the query could not be evaluated */
    size_t first, n;  /* its findings, as far as they are kept */
};

struct test_report {
    vsr_str name; /* of the file */
    vsr_str text; /* the program, for the places of findings */
    const struct findings *findings;
    const struct test_outcome *outcomes; /* in the order of the program: those of a TEST follow each other */
    size_t n, n_passed;
};

/* TAP version 13. Names and queries are quoted and escaped where they would break its lines or be directives. */
void test_report_tap(const struct test_report *report, struct buf *out);
/* JUnit XML: a suite for each TEST. A query that could not be evaluated is an error, all else a failure. */
void test_report_junit(const struct test_report *report, struct buf *out);
void test_report_json(const struct test_report *report, struct buf *out);

#endif
