#include "dsl/prove_program.h"

#include "config/diag.h"
#include "core/arena.h"
#include "dsl/language.h"
#include "dsl/loading.h"

bool dsl_prove_program(struct arena *arena, const struct language *language, const struct yaml_node *compiled,
                       const struct yaml_node *base, const struct prove_options *options, struct findings *findings,
                       struct prove_summary *ret_summary) {
    struct arena *scratch = arena_new(0, 0);
    struct prove_options with_families = *options;
    struct diag diag;
    const struct config_document *doc =
        dsl_load(scratch, language, compiled, &(struct dsl_base_of){ .root = base }, &diag);
    if (!doc && base)
        doc = dsl_load(scratch, language, compiled, &(struct dsl_base_of){ 0 }, &diag);
    with_families.families = language->parts->families;
    if (doc)
        dsl_prove(arena, doc, &with_families, findings, ret_summary);
    arena_free(scratch);
    return doc != NULL;
}
