/* links: dsl */
/*
 * Any text as a program: reading ends, in work linear in the text, with places inside of it and a bounded number of
 * findings; whatever is shown of them is UTF-8; and the fixes of a program without errors make none.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/utf8.h"
#include "dsl/findings.h"
#include "dsl/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORK_PER_BYTE = 24, WORK_MORE = 4000 };

static void check_places(const struct dsl_parsed *parsed, const struct findings *findings) {
    const struct tokens *tokens = &parsed->tokens;
    size_t len = parsed->source.len, at = 0;
    for (size_t i = 0; i < tokens->n; i++) {
        VSR_ASSERT(tokens->items[i].at.start >= at && tokens->items[i].at.end <= len);
        at = tokens->items[i].at.end;
    }
    VSR_ASSERT(tokens->items[tokens->n - 1].kind == TOKEN_END && at == len);
    for (size_t i = 0; i < findings->n; i++) {
        VSR_ASSERT(findings->items[i].at.start <= findings->items[i].at.end && findings->items[i].at.end <= len);
        VSR_ASSERT(findings->items[i].at.line > 0 && findings->items[i].at.col > 0);
    }
    for (size_t i = 0; i < parsed->program.n; i++) {
        const struct dsl_decl *decl = &parsed->program.decls[i];
        VSR_ASSERT(decl->whole.start <= decl->whole.end && decl->whole.end <= len);
        VSR_ASSERT(i == 0 || decl->whole.start >= parsed->program.decls[i - 1].whole.end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    vsr_str source = str_make((const char *)data, size);
    struct findings findings;
    struct findings_style style = { .source = source, .hints = true };
    struct dsl_parsed parsed, again;
    struct json_writer w;
    struct buf out;
    findings_init(&findings, arena);
    dsl_parse(arena, source, &parsed, &findings);
    VSR_ASSERT(parsed.work <= WORK_PER_BYTE * size + WORK_MORE);
    check_places(&parsed, &findings);
    buf_init(&out, 64u << 20);
    findings_print(&findings, &style, &out);
    VSR_ASSERT(!buf_failed(&out) && utf8_check(buf_str(&out)) == out.len);
    buf_reset(&out);
    json_write_init(&w, &out);
    findings_json(&findings, source, true, &w);
    VSR_ASSERT(!buf_failed(&out) && utf8_check(buf_str(&out)) == out.len);
    buf_reset(&out);
    dsl_tree_json(&parsed, &out);
    VSR_ASSERT(!buf_failed(&out) && utf8_check(buf_str(&out)) == out.len);
    buf_reset(&out);
    if (findings_apply(&findings, source, &out) > 0) {
        bool whole = findings.n_of[FINDING_ERROR] == 0;
        findings_init(&findings, arena);
        dsl_parse(arena, buf_str(&out), &again, &findings);
        VSR_ASSERT(again.work <= WORK_PER_BYTE * out.len + WORK_MORE);
        VSR_ASSERT(!whole || (findings.n_of[FINDING_ERROR] == 0 && again.program.n == parsed.program.n));
    }
    buf_done(&out);
    arena_free(arena);
    return 0;
}
