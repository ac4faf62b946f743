/* What TEST says: queries, routes and signals that are expected (dsl.md §6.6). */
#include "dsl/check_parts.h"

static void check_test(const struct check_scope *scope, const struct dsl_decl *test,
                       const struct dsl_test_case *entry) {
    struct check *c = scope->c;
    if (str_trim(entry->query.text).len == 0)
        CHECK_TELL(c, CONSTRAINT, "C315", entry->query.at, "TEST %.*s: the query must not be empty",
                   VSR_FMT(test->name.text));
    if (!map_get(&scope->routes, entry->route.text) && !dsl_check_may_be_lost(c, entry->route.text))
        dsl_check_suggest(c,
                          CHECK_TELL(c, WARNING, "W209", entry->query.at, "TEST %.*s: route \"%.*s\" is not defined",
                                     VSR_FMT(test->name.text), VSR_FMT(entry->route.text)),
                          &entry->route, &scope->routes);
}

/* Signals that the query is expected to match: `{ keyword: ["urgent"] }`. */
static void check_facts(struct check_scope *scope, const struct dsl_decl *test, const struct dsl_fields *facts) {
    struct check *c = scope->c;
    for (size_t i = 0; i < facts->n; i++) {
        const struct dsl_field *fact = &facts->items[i];
        const struct dsl_value *names = fact->value.kind == DSL_ARRAY ? fact->value.items : &fact->value;
        size_t n = fact->value.kind == DSL_ARRAY ? fact->value.n_items : 1;
        if (!str_eq_c(fact->key.text, "projection") && !dsl_check_family(c, fact->key.text)) {
            dsl_check_suggest_type(c,
                                   CHECK_TELL(c, CONSTRAINT, "C301", fact->key.at,
                                              "TEST %.*s: unknown signal type \"%.*s\"", VSR_FMT(test->name.text),
                                              VSR_FMT(fact->key.text)),
                                   &fact->key, "projection", NULL);
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            struct dsl_name name = dsl_check_name_of(&names[k]);
            if (names[k].kind == DSL_STRING)
                (void)dsl_check_signal(scope, fact->key.text, &name, &name.at, false);
            else
                CHECK_TELL(c, CONSTRAINT, "C302", names[k].at,
                           "TEST %.*s: %.*s should be the name of a signal, or a list of names",
                           VSR_FMT(test->name.text), VSR_FMT(fact->key.text));
        }
    }
}

void dsl_check_tests(struct check_scope *scope) {
    DSL_EACH(decl, scope->program, DSL_TEST) {
        scope->c->findings->decl = decl->at;
        for (size_t i = 0; i < decl->n_cases; i++) {
            check_test(scope, decl, &decl->cases[i]);
            check_facts(scope, decl, &decl->cases[i].facts);
        }
    }
}
