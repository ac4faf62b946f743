/* links: dsl route select looper plugin */
/*
 * Any YAML as a configuration whose canonical text is wanted. Whatever is wrong with it, the text reads without a
 * mistake; and where nothing was no routing at all, what compiles of it without an error has that same canonical text.
 */
#include "config/diag.h"
#include "dsl_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *root;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("fuzz"));
    if (yaml_tree_parse(arena, str_make((const char *)data, size), &root, &diag) == 0) {
        vsr_str text = fuzz_decompiled(arena, root, &findings);
        bool too_long = text.len > DSL_BYTES_MAX, whole = findings.n_of[FINDING_ERROR] == 0;
        findings_init(&findings, arena);
        dsl_parse(arena, text, &parsed, &findings);
        VSR_ASSERT(too_long || fuzz_is_clean(&findings));
        root = dsl_compile(arena, dsl_language(), &parsed.program, &findings);
        if (whole && !too_long && findings.n_of[FINDING_ERROR] == 0)
            VSR_ASSERT(str_eq(fuzz_decompiled(arena, root, &findings), text));
    }
    arena_free(arena);
    return 0;
}
