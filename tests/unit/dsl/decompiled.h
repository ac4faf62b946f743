/*
 * decompiled - trees of YAML to canonical text, and texts compared line by line.
 */
#ifndef VSR_TESTS_DSL_DECOMPILED_H
#define VSR_TESTS_DSL_DECOMPILED_H

#include "compiled.h"
#include "dsl/decompile.h"

/* The text in `arena`; the findings, one a line, to *ret_findings unless that is NULL. */
static inline vsr_str decompiled(struct arena *arena, const struct yaml_node *root, vsr_str *ret_findings) {
    struct findings_style style = { 0 };
    struct findings findings;
    struct buf out;
    vsr_str text;
    findings_init(&findings, arena);
    buf_init(&out, COMPILED_LEN_MAX);
    dsl_decompile(arena, dsl_language(), root, &findings, &out);
    text = arena_str(arena, buf_str(&out));
    buf_reset(&out);
    findings_sort(&findings);
    findings_print(&findings, &style, &out);
    if (ret_findings)
        *ret_findings = arena_str(arena, buf_str(&out));
    else
        CHECK_STR(buf_str(&out), "", "no findings");
    buf_done(&out);
    return text;
}

/* The first line that differs. */
static inline void check_same_text(vsr_str got, vsr_str want, const char *name) {
    int line = 1;
    while (got.ptr && want.ptr && got.len && want.len) {
        vsr_str one = str_split(&got, '\n'), other = str_split(&want, '\n');
        CHECK_MSG(str_eq(one, other), "case \"%s\": line %d is\n%.*s\nwant\n%.*s", name, line, VSR_FMT(one),
                  VSR_FMT(other));
        line++;
    }
    CHECK_MSG(got.len == want.len, "case \"%s\": one text ends at line %d", name, line);
}

#endif
