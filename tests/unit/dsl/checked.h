/*
 * checked - programs of tests through parser, compiler and checks: everything that is told of them.
 */
#ifndef VSR_TESTS_DSL_CHECKED_H
#define VSR_TESTS_DSL_CHECKED_H

#include "compiled.h"
#include "dsl/check.h"

/* Borrows `text`. `base`: NULL for none. */
static inline void checked_make(struct compiled *c, vsr_str text, const struct yaml_node *base) {
    compiled_make(c, text);
    dsl_check(c->arena, c->language, &c->parsed, base, &c->findings);
    findings_sort(&c->findings);
}

/* The findings as they are shown, one a line. */
static inline vsr_str checked_findings(struct compiled *c, bool hints) {
    struct findings_style style = { .hints = hints };
    struct buf out;
    vsr_str text;
    buf_init(&out, COMPILED_LEN_MAX);
    findings_print(&c->findings, &style, &out);
    text = arena_str(c->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

#endif
