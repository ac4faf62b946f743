/* Names of signals and models that conditions and items refer to (dsl.md §6.1). */
#include "core/arena.h"
#include "dsl/check_parts.h"

/* ---- signals */

const struct config_family *dsl_check_family(const struct check *c, vsr_str type) {
    const struct config_families *families = &c->language->parts->families;
    for (size_t i = 0; i < families->n; i++)
        if (str_eq_c(type, families->items[i].type))
            return &families->items[i];
    return NULL;
}

vsr_str dsl_check_rule_of(vsr_str name, vsr_str *ret_rest) {
    ptrdiff_t colon = str_find_last_char(name, ':');
    *ret_rest = colon < 0 ? VSR_STR("") : str_sub(name, (size_t)colon + 1, name.len);
    return colon < 0 ? name : str_sub(name, 0, (size_t)colon);
}

struct check_declared *dsl_check_find(const struct check_scope *scope, vsr_str type, vsr_str name) {
    const struct map *names = map_get(&scope->types, type);
    if (str_eq_c(type, "projection"))
        return map_get(&scope->outputs, name);
    return names ? map_get(names, name) : NULL;
}

static void tell_undefined(const struct check_scope *scope, vsr_str type, vsr_str rule, const struct dsl_name *name,
                           const struct dsl_at *at) {
    struct check *c = scope->c;
    struct finding *finding;
    if (dsl_check_may_be_lost(c, rule))
        return;
    if (str_eq_c(type, "projection")) {
        finding = CHECK_TELL(c, WARNING, "W201", *at,
                             "signal projection(\"%.*s\") is not defined. Add an output %.*s to a PROJECTION mapping",
                             VSR_FMT(name->text), VSR_FMT(dsl_check_spelled(c, name->text)));
        dsl_check_suggest(c, finding, name, &scope->outputs);
        return;
    }
    finding = CHECK_TELL(c, WARNING, "W201", *at, "signal %.*s(\"%.*s\") is not defined. Add SIGNAL %.*s %.*s { ... }",
                         VSR_FMT(type), VSR_FMT(name->text), VSR_FMT(type), VSR_FMT(dsl_check_spelled(c, rule)));
    if (rule.len == name->text.len)
        dsl_check_suggest(c, finding, name, map_get(&scope->types, type));
}

static void check_level(struct check *c, const struct config_family *family, vsr_str rule, vsr_str level,
                        const struct dsl_name *name) {
    vsr_str names = VSR_STR("");
    for (const char *const *known = family->levels; *known; known++) {
        if (str_eq_c(level, *known))
            return;
        names = arena_printf(c->scratch, "%.*s%s%.*s:%s", VSR_FMT(names), names.len ? ", " : "", VSR_FMT(rule), *known);
    }
    CHECK_TELL(c, CONSTRAINT, "C303", name->at, "%s(\"%.*s\") needs a level: one of %.*s", family->type,
               VSR_FMT(name->text), VSR_FMT(names));
}

/* All labels of the classifier. */
static const struct map *labels_of(struct check *c, struct check_declared *declared) {
    size_t n;
    const struct dsl_value *labels;
    if (declared->labels)
        return declared->labels;
    declared->labels = ARENA_NEW(c->scratch, struct map);
    map_init(declared->labels, c->scratch);
    labels = dsl_items_of(&declared->decl->fields, "labels", &n);
    for (size_t i = 0; i < n; i++)
        if (labels[i].kind == DSL_STRING)
            map_put(declared->labels, labels[i].text, (void *)&labels[i]);
    return declared->labels;
}

void dsl_check_label(struct check *c, struct check_declared *classifier, vsr_str label, const struct dsl_name *at) {
    const struct map *labels = labels_of(c, classifier);
    struct finding *finding;
    if (labels->n == 0 || map_get(labels, label))
        return;
    finding = CHECK_TELL(c, WARNING, "W208", at->at, "SIGNAL %.*s %.*s has no label \"%.*s\"",
                         VSR_FMT(classifier->decl->type.text), VSR_FMT(classifier->name), VSR_FMT(label));
    if (str_eq(at->text, label))
        dsl_check_suggest(c, finding, at, labels);
}

struct check_declared *dsl_check_signal(struct check_scope *scope, vsr_str type, const struct dsl_name *name,
                                        const struct dsl_at *at, bool label) {
    const struct config_family *family = dsl_check_family(scope->c, type);
    vsr_str rule = name->text, rest = VSR_STR("");
    struct check_declared *declared;
    bool split = family && (family->levels || (family->labels && label));
    if (split)
        rule = dsl_check_rule_of(name->text, &rest);
    declared = dsl_check_find(scope, type, rule);
    if (!declared) {
        tell_undefined(scope, type, rule, name, at);
        return NULL;
    }
    declared->used = true;
    if (declared->mapping)
        declared->mapping->used = true;
    if (split && family->levels)
        check_level(scope->c, family, rule, rest, name);
    else if (split && rest.len == 0)
        CHECK_TELL(scope->c, CONSTRAINT, "C323", name->at, "%s \"%.*s\" needs a label, as in %.*s:label", family->type,
                   VSR_FMT(rule), VSR_FMT(rule));
    else if (split)
        dsl_check_label(scope->c, declared, rest, name);
    return declared;
}

/* ---- models */

void dsl_check_model_name(struct check *c, vsr_str where, const struct dsl_name *name) {
    struct check_model *model = map_get(&c->models, name->text);
    struct finding *finding;
    model = model ? model : map_get(&c->loras, name->text);
    if (model)
        model->used = true;
    if (model || c->models.n == 0 || name->text.len == 0 || dsl_check_may_be_lost(c, name->text))
        return;
    finding = CHECK_TELL(c, WARNING, "W205", name->at, "%.*smodel \"%.*s\" is not declared. Add MODEL %.*s { ... }",
                         VSR_FMT(where), VSR_FMT(name->text), VSR_FMT(dsl_check_spelled(c, name->text)));
    dsl_check_suggest(c, finding, name, &c->models);
}
