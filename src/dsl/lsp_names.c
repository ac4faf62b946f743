/* lsp_names - what names of a program mean, and what its keywords say. */
#include "dsl/lsp_parts.h"

/* ---- keywords */

struct keyword {
    const char *name, *help;
};

static const struct keyword keywords[] = {
    { "ROUTING", "`ROUTING { strategy: priority }`: how one of several routes that match is chosen." },
    { "ENTRYPOINT",
      "`ENTRYPOINT { model_names: [\"auto-fast\"] recipe: \"fast\" }`: model names of clients that a recipe "
      "answers." },
    { "RECIPE",
      "`RECIPE name (description = \"...\") { ... }`: a policy of its own, with its own signals and routes; models "
      "are shared." },
    { "SIGNAL", "`SIGNAL type name { ... }`: something that is found out about a request." },
    { "PROJECTION", "`PROJECTION partition|score|mapping name { ... }`: what several signals say together." },
    { "ROUTE", "`ROUTE name { PRIORITY 1 WHEN ... MODEL ... }`: which models answer, and when." },
    { "DECISION_TREE",
      "`DECISION_TREE name { IF ... { ... } ELSE { ... } }`: routes of which the first that matches wins." },
    { "MODEL",
      "A model: its card at the top level, or one that a route may choose: `MODEL \"name\" (reasoning = true)`." },
    { "PLUGIN",
      "A plugin: `PLUGIN name type { ... }` declares a template, `PLUGIN name { ... }` in a route uses a template or "
      "a type." },
    { "TEST", "`TEST name { \"query\" -> route }`: what requests are expected to come to; `vsr dsl test` runs it." },
    { "PRIORITY", "`PRIORITY 10`: among routes that match, the greatest wins." },
    { "TIER", "`TIER 1`: routes of a lower tier win over those of a higher one, whatever their priority." },
    { "WHEN", "`WHEN type(\"name\") AND NOT type(\"other\")`: the condition; without one, the route always matches." },
    { "DESCRIPTION", "`DESCRIPTION \"...\"`: of the route, for people." },
    { "NAME", "`NAME name`: of the route that a branch becomes." },
    { "ALGORITHM", "`ALGORITHM type { ... }`: how one of the route's models is chosen, or several work together." },
    { "FOR", "`FOR m IN [\"a\", \"b\"] { MODEL m }`: candidates from a list." },
    { "EMIT", "`EMIT retention { ... }`: what is told of a request that took this route." },
    { "EXTRA", "`EXTRA { ... }`: fields of the decision that the language has no word for." },
    { "IF", "`IF condition { ... }`: a branch of a decision tree." },
    { "ELSE", "`ELSE { ... }`: the last branch of a decision tree; every tree has one." },
    { "AND", "Both conditions hold. Binds closer than OR." },
    { "OR", "At least one of the conditions holds." },
    { "NOT", "The condition does not hold. Binds closest." },
    { "IN", "`FOR m IN [...]`: the list of candidates." },
    { "partition",
      "`PROJECTION partition name { members: [...] default: \"...\" }`: exactly one of its members matches." },
    { "score", "`PROJECTION score name { method: \"weighted_sum\" inputs: [...] }`: a number made of signals." },
    { "mapping", "`PROJECTION mapping name { source: \"score\" outputs: [...] }`: bands of a score, each of which is a "
                 "condition: `projection(\"output\")`." },
    { "retention", "`EMIT retention { ... }`: how long the session stays with its model." },
    { "projection", "`projection(\"output\")`: whether the score lies in that band of a mapping." },
};

const char *lsp_keyword_help(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(keywords); i++)
        if (str_eq_c(name, keywords[i].name))
            return keywords[i].help;
    return NULL;
}

const char *const *lsp_keywords(const struct lsp_context *context) {
    static const char *const none[] = { NULL };
    static const char *const declarations[] = { "SIGNAL",        "ROUTE", "PLUGIN", "PROJECTION", "TEST", "ROUTING",
                                                "DECISION_TREE", "MODEL", "RECIPE", "ENTRYPOINT", NULL };
    static const char *const of_recipes[] = { "SIGNAL", "ROUTE",   "PLUGIN",        "PROJECTION",
                                              "TEST",   "ROUTING", "DECISION_TREE", NULL };
    static const char *const items[] = { "PRIORITY", "TIER", "WHEN", "DESCRIPTION", "MODEL", "ALGORITHM",
                                         "PLUGIN",   "FOR",  "EMIT", "EXTRA",       NULL };
    static const char *const of_branches[] = { "NAME",   "DESCRIPTION", "TIER", "MODEL", "ALGORITHM",
                                               "PLUGIN", "FOR",         "EMIT", "EXTRA", NULL };
    static const char *const branches[] = { "IF", "ELSE", NULL };
    static const char *const operators[] = { "AND", "OR", NULL };
    static const char *const projections[] = { "partition", "score", "mapping", NULL };
    static const char *const emits[] = { "retention", NULL };
    static const char *const conditions[] = { "NOT", NULL };
    switch (context->role) {
    case ROLE_DECLARATION:
        return context->in_recipe ? of_recipes : declarations;
    case ROLE_ITEM:
        return context->in_branch ? of_branches : items;
    case ROLE_BRANCH:
        return branches;
    case ROLE_OPERATOR:
        return operators;
    case ROLE_PROJECTION:
        return projections;
    case ROLE_EMIT:
        return emits;
    case ROLE_CONDITION:
        return conditions;
    default:
        return none;
    }
}

/* ---- declarations */

const struct dsl_value *lsp_outputs(const struct dsl_decl *mapping, size_t *ret_n) {
    const struct dsl_field *outputs = dsl_field(&mapping->fields, VSR_STR("outputs"));
    *ret_n = outputs && outputs->value.kind == DSL_ARRAY ? outputs->value.n_items : 0;
    return *ret_n > 0 ? outputs->value.items : NULL;
}

const struct dsl_value *lsp_output_name(const struct dsl_value *output) {
    const struct dsl_field *name = output->kind == DSL_OBJECT ? dsl_field(&output->fields, VSR_STR("name")) : NULL;
    return name && name->value.kind == DSL_STRING ? &name->value : NULL;
}

static struct lsp_declared of_decl(const struct dsl_decl *decl) {
    return (struct lsp_declared){ decl, decl->name.at.line ? decl->name.at : decl->at, decl->whole };
}

static struct lsp_declared find_decl(const struct dsl_program *program, enum dsl_decl_kind kind, vsr_str name) {
    DSL_EACH(decl, program, kind)
    if (str_eq(decl->name.text, name))
        return of_decl(decl);
    return (struct lsp_declared){ 0 };
}

static struct lsp_declared find_output(const struct dsl_program *program, vsr_str name) {
    DSL_EACH(decl, program, DSL_MAPPING) {
        size_t n;
        const struct dsl_value *outputs = lsp_outputs(decl, &n);
        for (size_t i = 0; i < n; i++) {
            const struct dsl_value *said = lsp_output_name(&outputs[i]);
            if (said && str_eq(said->text, name))
                return (struct lsp_declared){ decl, said->at, decl->whole };
        }
    }
    return (struct lsp_declared){ 0 };
}

static struct lsp_declared find_signal(const struct dsl_program *program, vsr_str type, vsr_str name) {
    if (str_eq_c(type, "projection"))
        return find_output(program, name);
    DSL_EACH(decl, program, DSL_SIGNAL_DECL)
    if ((type.len == 0 || str_eq(decl->type.text, type)) && str_eq(decl->name.text, name))
        return of_decl(decl);
    return (struct lsp_declared){ 0 };
}

static struct lsp_declared find_route(const struct dsl_program *program, vsr_str name) {
    struct lsp_declared found = find_decl(program, DSL_ROUTE, name);
    if (found.decl)
        return found;
    DSL_EACH(decl, program, DSL_TREE)
    for (size_t i = 0; i < decl->n_branches; i++) {
        const struct dsl_item *item = dsl_item(&decl->branches[i].body, DSL_ITEM_NAME);
        if (item && str_eq(item->name.text, name))
            return (struct lsp_declared){ decl, item->name.at, decl->whole };
    }
    return found;
}

struct lsp_declared lsp_declared(const struct lsp_document *document, const struct lsp_context *context, vsr_str name) {
    const struct dsl_program *whole = &document->parsed.program;
    switch (context->role) {
    case ROLE_SIGNAL: {
        struct lsp_declared found = find_signal(context->program, context->type, name);
        ptrdiff_t colon = str_find_char(name, ':'); /* a level, or a label */
        if (!found.decl && colon > 0)
            found = find_signal(context->program, context->type, str_sub(name, 0, (size_t)colon));
        return found;
    }
    case ROLE_MODEL:
        return find_decl(whole, DSL_MODEL, name);
    case ROLE_PLUGIN:
        return find_decl(context->program, DSL_PLUGIN, name);
    case ROLE_SCORE:
        return find_decl(context->program, DSL_SCORE, name);
    case ROLE_ROUTE:
        return find_route(context->program, name);
    case ROLE_RECIPE:
        return find_decl(whole, DSL_RECIPE, name);
    default:
        return (struct lsp_declared){ 0 };
    }
}
