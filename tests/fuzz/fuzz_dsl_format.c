/* links: dsl route select looper plugin */
/*
 * Any program, laid out: that reads, is laid out already, has as many comments and compiles to the same. And the
 * canonical text of what it compiles to compiles to the same as well.
 */
#include "dsl/format.h"
#include "dsl_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vsr_str formatted(struct arena *arena, const struct dsl_parsed *parsed) {
    struct buf out;
    buf_init(&out, FUZZ_TEXT_LEN_MAX);
    dsl_format(dsl_language(), parsed, &out);
    return fuzz_kept(arena, &out);
}

static struct yaml_node *compiled(struct arena *arena, vsr_str text, struct dsl_parsed *ret_parsed,
                                  struct findings *ret_findings) {
    findings_init(ret_findings, arena);
    dsl_parse(arena, text, ret_parsed, ret_findings);
    return dsl_compile(arena, dsl_language(), &ret_parsed->program, ret_findings);
}

/* Whether the program reads, whatever is wrong with what it says. */
static bool reads(const struct findings *findings) {
    for (size_t i = 0; i < findings->n; i++)
        if (findings->items[i].level == FINDING_ERROR && findings->items[i].code[1] == '1')
            return false;
    return true;
}

static void check_layout(struct arena *arena, const struct dsl_parsed *parsed, size_t n_errors, vsr_str yaml) {
    vsr_str text = formatted(arena, parsed);
    struct findings findings;
    struct dsl_parsed again;
    struct yaml_node *root;
    if (text.len > DSL_BYTES_MAX) /* indents and escapes: it was close to the limit */
        return;
    root = compiled(arena, text, &again, &findings);
    VSR_ASSERT(reads(&findings) && findings.n_of[FINDING_ERROR] == n_errors);
    VSR_ASSERT(str_eq(fuzz_yaml(arena, root), yaml));
    VSR_ASSERT(again.tokens.n_comments == parsed->tokens.n_comments);
    VSR_ASSERT(str_eq(formatted(arena, &again), text));
}

static void check_canonical(struct arena *arena, const struct yaml_node *root, vsr_str yaml) {
    struct findings findings;
    struct dsl_parsed parsed;
    vsr_str text = fuzz_decompiled(arena, root, &findings);
    VSR_ASSERT(findings.n == 0);
    root = compiled(arena, text, &parsed, &findings);
    VSR_ASSERT(fuzz_is_clean(&findings));
    VSR_ASSERT(str_eq(fuzz_yaml(arena, root), yaml));
    VSR_ASSERT(str_eq(fuzz_decompiled(arena, root, &findings), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *root = compiled(arena, str_make((const char *)data, size), &parsed, &findings);
    if (reads(&findings)) {
        vsr_str yaml = fuzz_yaml(arena, root);
        check_layout(arena, &parsed, findings.n_of[FINDING_ERROR], yaml);
        if (findings.n_of[FINDING_ERROR] == 0)
            check_canonical(arena, root, yaml);
    }
    arena_free(arena);
    return 0;
}
