/* Programs as documents: what a configuration that is loaded from one is told. */
#include "dsl/notation.h"

#include "compiled.h"

static const struct {
    const char *name, *source, *code; /* of the first error; NULL: there is none */
} cases[] = {
    { "a program", "ROUTE r { PRIORITY 1 MODEL m }", NULL },
    { "a syntax error", "ROUTE r { FOO }", "E101" },
    { "a hard error", "ROUTE r { MODEL m ALGORITHM x }", "E204" },
    { "an unknown field", "SIGNAL language en { treshold: 0.5 }", "C301" },
    { "in a recipe", "RECIPE x { SIGNAL language en { treshold: 0.5 } }", "C301" },
    { "a value of another kind", "SIGNAL language en { threshold: \"0.5\" }", "C302" },
    { "a token count that is a number, which counts", "SIGNAL context c { min_tokens: 8 }", NULL },
    { "a value that the configuration judges", "SIGNAL language en { threshold: 1.5 }", NULL },
    { "a reference that the configuration resolves", "ROUTE r { WHEN keyword(\"k\") MODEL m }", NULL },
};

TEST(nothing_is_left_out_silently) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *root = NULL;
        struct diag diag;
        const char *code = NULL;
        int rc;
        diag_init(&diag, arena, VSR_STR("policy.dsl"));
        rc = dsl_notation.read(arena, dsl_parts(), str_from_c(cases[i].source), &root, &diag);
        for (size_t k = 0; k < diag.n_items && !code; k++)
            if (diag.items[k].severity == DIAG_ERROR)
                code = diag.items[k].code;
        CHECK_INT(rc == 0, cases[i].code == NULL, cases[i].name);
        CHECK_STR(str_from_c(code ? code : ""), cases[i].code ? cases[i].code : "", cases[i].name);
        arena_free(arena);
    }
}

RUN_TESTS(T(nothing_is_left_out_silently))
