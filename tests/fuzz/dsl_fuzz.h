/*
 * dsl_fuzz - what the targets of the routing language's texts share: the tables, and texts of programs.
 */
#ifndef VSR_TESTS_FUZZ_DSL_FUZZ_H
#define VSR_TESTS_FUZZ_DSL_FUZZ_H

#include "../unit/dsl/parts.h"
#include "config/yaml_tree.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "dsl/compile.h"
#include "dsl/decompile.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

enum { FUZZ_TEXT_LEN_MAX = 256 << 20 };

static inline vsr_str fuzz_kept(struct arena *arena, struct buf *out) {
    vsr_str text;
    VSR_ASSERT(!buf_failed(out) && utf8_check(buf_str(out)) == out->len);
    text = arena_str(arena, buf_str(out));
    buf_done(out);
    return text;
}

static inline vsr_str fuzz_decompiled(struct arena *arena, const struct yaml_node *root, struct findings *findings) {
    struct buf out;
    findings_init(findings, arena);
    buf_init(&out, FUZZ_TEXT_LEN_MAX);
    dsl_decompile(arena, dsl_language(), root, findings, &out);
    return fuzz_kept(arena, &out);
}

static inline vsr_str fuzz_yaml(struct arena *arena, const struct yaml_node *root) {
    struct buf out;
    buf_init(&out, FUZZ_TEXT_LEN_MAX);
    yaml_write(root, &out);
    return fuzz_kept(arena, &out);
}

/* Whether the text has mistakes of its own: it does not read, or says something twice. */
static inline bool fuzz_is_clean(const struct findings *findings) {
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].code[1] == '1')
            return false;
    return true;
}

#endif
