/* links: dsl route select looper plugin */
/*
 * Any document that loads is analysed, within a budget of conflicts: what is found has a place and a text, examples
 * hold when they are evaluated, and compared with itself it has no effects.
 */
#include <string.h>

#include "../unit/dsl/parts.h"
#include "config/load.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/utf8.h"
#include "dsl/effect.h"
#include "dsl/findings.h"
#include "dsl/prove.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONFLICTS = 200, BUDGET_MS = 2000 };

static void check(const struct findings *findings) {
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->items[i];
        VSR_ASSERT(finding->at.line > 0 && finding->at.col > 0 && finding->at.start <= finding->at.end);
        VSR_ASSERT(finding->message.len > 0);
        VSR_ASSERT(str_find(finding->message, VSR_STR("did not hold")) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct config_load_options load = { .parts = *dsl_parts(), .keep_env = true, .no_files = true };
    struct prove_options options = { .families = load.parts.families, .budget_ms = BUDGET_MS, .conflicts = CONFLICTS };
    const struct config_document *docs[2] = { NULL, NULL };
    vsr_str text = str_make((const char *)data, size);
    struct findings findings;
    struct effects effects;
    struct diag diag;
    bool loads = true;
    for (int i = 0; i < 2; i++)
        loads &= config_load_text(arena, text, VSR_STR("fuzz.yaml"), &load, &docs[i], &diag) == 0;
    if (loads) {
        findings_init(&findings, arena);
        dsl_prove(arena, docs[0], &options, &findings, NULL);
        check(&findings);
        effects_find(arena, config_schema(arena, dsl_parts()), docs[0], docs[1], &options, &effects);
        VSR_ASSERT(effects.n == 0);
    }
    arena_free(arena);
    return 0;
}
