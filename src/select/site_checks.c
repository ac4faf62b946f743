#include "select/site_checks.h"

#include "core/arena.h"

bool site_has_model(const struct config_site *site, vsr_str name) {
    CONFIG_EACH(const struct config_model_ref, ref, &site->decision->model_refs)
    if (str_eq(ref->model, name) || str_eq(config_ref_name(ref), name))
        return true;
    return false;
}

static void report_model(const struct config_site *site, struct diag_at at, vsr_str name) {
    const struct config_list *refs = &site->decision->model_refs;
    vsr_str *names = ARENA_ARRAY(site->arena, vsr_str, refs->n);
    size_t n = 0;
    CONFIG_EACH(const struct config_model_ref, ref, refs)
    names[n++] = config_ref_name(ref);
    diag_error(site->diag, "E_REF", at, diag_suggest(site->diag, name, names, n),
               "model \"%.*s\" is not one of the decision's modelRefs", VSR_FMT(name));
}

void site_need_model(const struct config_site *site, const struct schema *schema, const void *object, const char *field,
                     vsr_str name) {
    if (name.len && !site_has_model(site, name))
        report_model(site, schema_field_at(schema, object, field, site->arena), name);
}

struct diag_at site_entry_at(const struct config_site *site, const struct schema *schema, const void *object,
                             const char *field, const struct config_strings *strings, size_t index) {
    struct diag_at at = schema_field_at(schema, object, field, site->arena);
    at.line = strings->nodes[index]->line;
    at.col = strings->nodes[index]->col;
    at.path = arena_printf(site->arena, "%.*s[%zu]", VSR_FMT(at.path), index);
    return at;
}

void site_need_models(const struct config_site *site, const struct schema *schema, const void *object,
                      const char *field, const struct config_strings *names) {
    for (size_t i = 0; i < names->n; i++) {
        struct diag_at at = site_entry_at(site, schema, object, field, names, i);
        bool repeated = false;
        for (size_t k = 0; k < i; k++)
            repeated |= str_eq(names->items[k], names->items[i]);
        if (repeated)
            diag_error(site->diag, "E_DUP", at, VSR_STR(""), "\"%.*s\" is listed twice", VSR_FMT(names->items[i]));
        else if (!site_has_model(site, names->items[i]))
            report_model(site, at, names->items[i]);
    }
}
