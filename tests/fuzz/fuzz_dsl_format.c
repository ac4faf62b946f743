/* links: dsl route select looper plugin */
/*
 * Any text as a program that is laid out. A program without syntax errors, laid out, has none either, compiles to the
 * same configuration, keeps its comments, and is laid out already.
 */
#include <stdlib.h>

#include "../unit/dsl/parts.h"
#include "config/yaml_tree.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "dsl/compile.h"
#include "dsl/findings.h"
#include "dsl/format.h"
#include "dsl/language.h"
#include "dsl/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_LEN_MAX = 256 << 20 };

static const struct language *language(void) {
    static const struct language *built;
    static struct arena *arena; /* for as long as the process lives */
    if (!built) {
        arena = arena_new(0, 0);
        built = language_build(arena, dsl_parts());
    }
    return built;
}

/* The configuration as text; its errors count too. */
static vsr_str compile(struct arena *arena, const struct dsl_parsed *parsed) {
    struct findings findings;
    struct buf out;
    vsr_str text;
    findings_init(&findings, arena);
    buf_init(&out, TEXT_LEN_MAX);
    yaml_write(dsl_compile(arena, language(), &parsed->program, &findings), &out);
    buf_printf(&out, "%zu errors\n", findings.n_of[FINDING_ERROR]);
    VSR_ASSERT(!buf_failed(&out));
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static vsr_str format(struct arena *arena, const struct dsl_parsed *parsed) {
    struct buf out;
    vsr_str text;
    buf_init(&out, TEXT_LEN_MAX);
    dsl_format(language(), parsed, &out);
    VSR_ASSERT(!buf_failed(&out));
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct dsl_parsed parsed, again;
    findings_init(&findings, arena);
    dsl_parse(arena, str_make((const char *)data, size), &parsed, &findings);
    if (findings.n_of[FINDING_ERROR] == 0) {
        vsr_str text = format(arena, &parsed);
        dsl_parse(arena, text, &again, &findings);
        VSR_ASSERT(findings.n_of[FINDING_ERROR] == 0);
        VSR_ASSERT(again.tokens.n_comments == parsed.tokens.n_comments);
        VSR_ASSERT(str_eq(compile(arena, &again), compile(arena, &parsed)));
        VSR_ASSERT(str_eq(format(arena, &again), text));
    }
    arena_free(arena);
    return 0;
}
