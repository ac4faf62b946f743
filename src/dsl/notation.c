#include "dsl/notation.h"

#include "core/arena.h"
#include "core/err.h"
#include "dsl/check.h"
#include "dsl/compile.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

/*
 * What was written and does not get into the configuration is an error: nothing else would tell. What gets there is the
 * configuration's own to judge. Returns how many errors there are.
 */
static size_t tell_lost(const struct findings *findings, struct diag *diag) {
    size_t n = 0;
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->items[i];
        struct diag_at at = { .line = finding->at.line, .col = finding->at.col };
        if (!finding->lost)
            continue;
        diag_error(diag, finding->code, at, finding->fix.description, "%.*s", VSR_FMT(finding->message));
        n++;
    }
    return n;
}

static void tell(const struct findings *findings, struct diag *diag) {
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->items[i];
        struct diag_at at = { .line = finding->at.line, .col = finding->at.col };
        if (finding->level == FINDING_ERROR || finding->level == FINDING_CONSTRAINT)
            diag_error(diag, finding->code, at, finding->fix.description, "%.*s", VSR_FMT(finding->message));
        else if (finding->level == FINDING_WARNING)
            diag_warn(diag, finding->code, at, finding->fix.description, "%.*s", VSR_FMT(finding->message));
    }
}

static int read_program(struct arena *arena, const struct config_parts *parts, vsr_str text,
                        struct yaml_node **ret_root, struct diag *diag) {
    const struct language *language = language_build(arena, parts);
    struct dsl_parsed parsed;
    struct findings findings, checked;
    size_t n_lost;
    findings_init(&findings, arena);
    findings_init(&checked, arena);
    dsl_parse(arena, arena_str(arena, text), &parsed, &findings);
    *ret_root = dsl_compile(arena, language, &parsed.program, &findings);
    dsl_check(arena, language, &parsed, NULL, &checked);
    findings_sort(&checked);
    tell(&findings, diag);
    n_lost = tell_lost(&checked, diag);
    return findings.n_of[FINDING_ERROR] || findings.n_of[FINDING_CONSTRAINT] || n_lost ? VSR_E_INVALID : 0;
}

static int merge(struct arena *arena, const struct config_parts *parts, struct yaml_node *base, struct yaml_node *read,
                 struct diag *diag) {
    if (dsl_merge(arena, language_build(arena, parts), base, read) == 0)
        return 0;
    diag_error(diag, "E_LIMIT", (struct diag_at){ 0 }, VSR_STR("take the routing out of the base"),
               DSL_MERGE_TOO_LARGE);
    return VSR_E_INVALID;
}

const struct config_notation dsl_notation = { ".dsl", read_program, merge };
