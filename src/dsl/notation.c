#include "dsl/notation.h"

#include "core/arena.h"
#include "core/err.h"
#include "dsl/compile.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

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
    struct dsl_parsed parsed;
    struct findings findings;
    findings_init(&findings, arena);
    dsl_parse(arena, arena_str(arena, text), &parsed, &findings);
    *ret_root = dsl_compile(arena, language_build(arena, parts), &parsed.program, &findings);
    tell(&findings, diag);
    return findings.n_of[FINDING_ERROR] || findings.n_of[FINDING_CONSTRAINT] ? VSR_E_INVALID : 0;
}

const struct config_notation dsl_notation = { ".dsl", read_program, dsl_merge };
