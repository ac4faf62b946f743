/* lsp_names - what names of a program mean, and which keywords go where. */
#include "dsl/keywords.h"
#include "dsl/lsp_parts.h"

/* ---- keywords */

const char *const *lsp_keywords(const struct lsp_context *context) {
    static const char *const none[] = { NULL };
    switch (context->role) {
    case ROLE_DECLARATION:
        return dsl_keywords(context->in_recipe ? KEYWORD_OF_RECIPE : KEYWORD_DECLARATION);
    case ROLE_ITEM:
        return dsl_keywords(context->in_branch ? KEYWORD_OF_BRANCH : KEYWORD_ITEM);
    case ROLE_BRANCH:
        return dsl_keywords(KEYWORD_BRANCH);
    case ROLE_OPERATOR:
        return dsl_keywords(KEYWORD_OPERATOR);
    case ROLE_PROJECTION:
        return dsl_keywords(KEYWORD_PROJECTION);
    case ROLE_EMIT:
        return dsl_keywords(KEYWORD_EMIT);
    case ROLE_CONDITION:
        return dsl_keywords(KEYWORD_CONDITION);
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
