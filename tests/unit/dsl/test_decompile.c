/* Canonical text of configurations: the published profiles byte for byte, and what each construct becomes. */
#include "dsl/decompile.h"

#include "compiled.h"

/* The text in `arena`; the findings, one a line, to *ret_findings unless that is NULL. */
static vsr_str decompiled(struct arena *arena, const struct yaml_node *root, vsr_str *ret_findings) {
    struct findings_style style = { 0 };
    struct findings findings;
    struct buf out;
    vsr_str text;
    findings_init(&findings, arena);
    buf_init(&out, COMPILED_LEN_MAX);
    dsl_decompile(arena, language_build(arena, dsl_parts()), root, &findings, &out);
    text = arena_str(arena, buf_str(&out));
    buf_reset(&out);
    findings_sort(&findings);
    findings_print(&findings, &style, &out);
    if (ret_findings)
        *ret_findings = arena_str(arena, buf_str(&out));
    else
        CHECK_STR(buf_str(&out), "", "no findings");
    buf_done(&out);
    return text;
}

/* ---- published profiles */

static vsr_str read_file(struct arena *arena, const char *path) {
    FILE *file = fopen(path, "rb");
    struct buf out;
    vsr_str text;
    char part[65536];
    size_t n;
    CHECK_MSG(file != NULL, "%s cannot be read", path);
    buf_init(&out, COMPILED_LEN_MAX);
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        buf_append(&out, str_make(part, n));
    (void)fclose(file);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* The first line that differs. */
static void check_same_text(vsr_str got, vsr_str want, const char *name) {
    int line = 1;
    while (got.ptr && want.ptr && got.len && want.len) {
        vsr_str one = str_split(&got, '\n'), other = str_split(&want, '\n');
        CHECK_MSG(str_eq(one, other), "case \"%s\": line %d is\n%.*s\nwant\n%.*s", name, line, VSR_FMT(one),
                  VSR_FMT(other));
        line++;
    }
    CHECK_MSG(got.len == want.len, "case \"%s\": one text ends at line %d", name, line);
}

TEST(published_profiles_are_byte_for_byte) {
    static const char *const names[] = { "accuracy", "balance", "feedback", "privacy" };
    const char *shared = test_shared_dir();
    if (!shared)
        skip();
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str folder = arena_printf(arena, "%s/recipes/%s", shared, names[i]);
        vsr_str config = read_file(arena, arena_printf(arena, "%.*s/config.yaml%c", VSR_FMT(folder), '\0').ptr);
        vsr_str want = read_file(arena, arena_printf(arena, "%.*s/recipe.dsl%c", VSR_FMT(folder), '\0').ptr);
        struct yaml_node *root = yaml_parsed(arena, config);
        check_same_text(decompiled(arena, root, NULL), want, names[i]);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(published_profiles_are_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
