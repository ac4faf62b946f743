/*
 * Conditions that get in each other's way, as far as it shows without a proof (dsl.md §6.4): domains that overlap,
 * conditions that ask for two members of a partition, and routes that share a signal with nothing to keep them apart.
 * Where the route that wins asks for what the other one asks for and more, it is a cascade, not a conflict; told is
 * what may be an oversight, such as a general case above its special case. Everything is bounded: by CLAUSES_MAX ways
 * in which one condition can hold, and by the leaves that one check looks at.
 */
#include "dsl/check_leaves.h"
#include "dsl/domain_labels.h"

/* Leaves looked at in one scope: some 0.2 s; the largest published profile takes 0.1 M. */
enum { BUDGET_LEAVES = 4000000 };

/* ---- domains */

static void check_category(const struct check_scope *scope, struct map *owners, const struct dsl_decl *decl,
                           vsr_str category, const struct dsl_at *at) {
    const struct dsl_decl *owner = map_get(owners, category);
    if (!owner)
        map_put(owners, category, (void *)decl);
    else if (owner != decl)
        CHECK_TELL(scope->c, WARNING, "W412", *at,
                   "SIGNAL domain %.*s: category \"%.*s\" belongs to domain \"%.*s\" too", VSR_FMT(decl->name.text),
                   VSR_FMT(category), VSR_FMT(owner->name.text));
}

/* A domain without categories stands for the one that it is called like. */
static void check_domains(const struct check_scope *scope) {
    struct map owners;
    map_init(&owners, scope->c->scratch);
    DSL_EACH(decl, scope->program, DSL_SIGNAL_DECL) {
        size_t n;
        const struct dsl_value *categories = dsl_items_of(&decl->fields, "mmlu_categories", &n);
        if (!str_eq_c(decl->type.text, "domain"))
            continue;
        scope->c->findings->decl = decl->at;
        for (size_t i = 0; i < n; i++)
            if (categories[i].kind == DSL_STRING)
                check_category(scope, &owners, decl, categories[i].text, &categories[i].at);
        if (n == 0 && domain_is_label(decl->name.text))
            check_category(scope, &owners, decl, decl->name.text, &decl->name.at);
    }
}

void dsl_check_conflicts(struct check_scope *scope) {
    struct check_conflicts k = { .scope = scope, .c = scope->c, .budget = BUDGET_LEAVES };
    map_init(&k.ids, scope->c->scratch);
    map_init(&k.groups, scope->c->scratch);
    map_init(&k.partitions, scope->c->scratch);
    check_domains(scope);
    dsl_check_note_partitions(&k);
    dsl_check_conjunctions(&k);
    dsl_check_guards(&k);
}
