/* links: dsl route select looper plugin */
/*
 * Any text as a program that is checked. Findings stand inside of the text, the same ones each time; and mending a
 * program that can be read gives one that can be read.
 */
#include "../unit/dsl/parts.h"
#include "config/diag.h"
#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "dsl/check.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_LEN_MAX = 64 << 20 };

static const char base_text[] = "routing: {modelCards: [{name: m, loras: [{name: sql}]}]}\n"
                                "providers: {models: [{name: n}]}\n";

static const struct yaml_node *base(void) {
    static struct yaml_node *parsed;
    static struct arena *arena; /* for as long as the process lives */
    struct diag diag;
    if (parsed)
        return parsed;
    arena = arena_new(0, 0);
    diag_init(&diag, arena, VSR_STR("base"));
    VSR_ASSERT(yaml_tree_parse(arena, str_from_c(base_text), &parsed, &diag) == 0);
    return parsed;
}

static bool is_readable(struct arena *arena, vsr_str source) {
    struct findings findings;
    struct dsl_parsed parsed;
    findings_init(&findings, arena);
    dsl_parse(arena, source, &parsed, &findings);
    return findings.n_of[FINDING_ERROR] == 0;
}

static void check_place(struct dsl_at at, size_t len) {
    VSR_ASSERT(at.line > 0 && at.col > 0 && at.start <= at.end && at.end <= len);
}

/* What is told, as text. `apart`: by the checks alone, which then know nothing of syntax errors. */
static void examine(struct arena *arena, vsr_str source, const struct yaml_node *beside, bool apart,
                    struct findings *findings, struct buf *told) {
    struct findings_style style = { .hints = true };
    struct dsl_parsed parsed;
    findings_init(findings, arena);
    dsl_parse(arena, source, &parsed, findings);
    if (apart)
        findings_init(findings, arena);
    dsl_check(arena, dsl_language(), &parsed, beside, findings);
    findings_sort(findings);
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->items[i];
        VSR_ASSERT(!apart || finding->level != FINDING_ERROR);
        check_place(finding->at, source.len);
        if (finding->fix.description.len)
            check_place(finding->fix.at, source.len);
    }
    findings_print(findings, &style, told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    vsr_str source = str_make((const char *)data, size);
    struct findings findings;
    struct buf told, again, mended;
    buf_init(&told, TEXT_LEN_MAX);
    buf_init(&again, TEXT_LEN_MAX);
    buf_init(&mended, TEXT_LEN_MAX);
    examine(arena, source, base(), false, &findings, &told);
    examine(arena, source, base(), false, &findings, &again);
    VSR_ASSERT(str_eq(buf_str(&told), buf_str(&again)));
    examine(arena, source, NULL, true, &findings, &again);
    if (is_readable(arena, source) && findings_apply(&findings, source, &mended) > 0)
        VSR_ASSERT(is_readable(arena, buf_str(&mended)));
    buf_done(&told);
    buf_done(&again);
    buf_done(&mended);
    arena_free(arena);
    return 0;
}
