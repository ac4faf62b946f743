/*
 * suites - small suites from YAML text, for tests of probe/.
 */
#ifndef VSR_TESTS_PROBE_SUITES_H
#define VSR_TESTS_PROBE_SUITES_H

#include "test.h"

#include "config/diag.h"
#include "core/arena.h"
#include "core/buf.h"
#include "probe/suite.h"

enum { SUITES_TEXT_LEN_MAX = 1 << 24 };

/* What every suite begins with: one line for each line of a document that tests count. */
#define SUITE_HEAD \
    "schema_version: v1\n" \
    "name: t\n" \
    "routing_assets: {yaml: c.yaml, dsl: r.dsl}\n"
#define SUITE_COVERAGE "coverage: {}\n"

struct suite_fixture {
    struct arena *arena;
    const struct probe_suite *suite; /* NULL: it was refused */
    struct diag diag;
    struct buf problems; /* as they are printed */
};

static inline void suite_read(struct suite_fixture *f, vsr_str text) {
    int rc;
    *f = (struct suite_fixture){ .arena = arena_new(0, 0) };
    rc = probe_suite_parse(f->arena, text, VSR_STR("p"), &f->suite, &f->diag);
    buf_init(&f->problems, SUITES_TEXT_LEN_MAX);
    diag_print(&f->diag, &f->problems, false);
    CHECK_MSG((rc == 0) == (f->suite != NULL), "the code does not tell what happened");
}

static inline void suite_must_read(struct suite_fixture *f, const char *text) {
    suite_read(f, str_from_c(text));
    CHECK_MSG(f->suite, "the suite is refused: %.*s", (int)f->problems.len, f->problems.ptr);
}

static inline void suite_done(struct suite_fixture *f) {
    buf_done(&f->problems);
    arena_free(f->arena);
}

static inline const struct probe_decision *suite_decision(const struct suite_fixture *f, size_t index) {
    CHECK_MSG(index < f->suite->decisions.n, "no decision %zu", index);
    return (const struct probe_decision *)f->suite->decisions.items + index;
}

static inline const struct probe_variant *suite_variant(const struct suite_fixture *f, size_t decision, size_t index) {
    CHECK_MSG(index < suite_decision(f, decision)->variants.n, "no variant %zu", index);
    return (const struct probe_variant *)suite_decision(f, decision)->variants.items + index;
}

/* A suite of one decision with these flow-style variants: `{id: v, query: q}`. */
static inline void suite_of_variants(struct suite_fixture *f, const char *fixtures, const char *variants) {
    char *text;
    int len =
        asprintf(&text, SUITE_HEAD SUITE_COVERAGE "%sdecisions:\n- {id: d, expected_decision: d, variants: [%s]}\n",
                 fixtures, variants);
    CHECK_MSG(len > 0, "no memory");
    suite_must_read(f, text);
    free(text);
}

#endif
