#include "dsl/base.h"

#include "core/arena.h"
#include "core/map.h"
#include "dsl/findings.h"

static const struct yaml_node *list_of(const struct yaml_node *node, const char *key) {
    const struct yaml_node *list = node && node->kind == YAML_MAPPING ? yaml_get(node, str_from_c(key)) : NULL;
    return list && list->kind == YAML_SEQUENCE ? list : NULL;
}

static const struct yaml_node *block_of(const struct yaml_node *base, const char *key) {
    return base && base->kind == YAML_MAPPING ? yaml_get(base, str_from_c(key)) : NULL;
}

static const struct yaml_node *text_of(const struct yaml_node *node, const char *key) {
    const struct yaml_node *text = node->kind == YAML_MAPPING ? yaml_get(node, str_from_c(key)) : NULL;
    return text && text->kind == YAML_SCALAR && text->text.len > 0 ? text : NULL;
}

/* ---- models */

static void each_named(const struct yaml_node *list, void (*fn)(void *, vsr_str, const struct yaml_node *),
                       void *data) {
    for (size_t i = 0; list && i < list->n_items; i++) {
        const struct yaml_node *name = text_of(list->items[i], "name");
        if (name)
            fn(data, name->text, list->items[i]);
    }
}

void dsl_base_models(const struct yaml_node *base, void (*fn)(void *data, vsr_str name, const struct yaml_node *model),
                     void *data) {
    each_named(list_of(block_of(base, "routing"), "modelCards"), fn, data);
    each_named(list_of(block_of(base, "providers"), "models"), fn, data);
}

/* ---- W211 */

struct bound {
    struct map names;
    struct findings *findings;
};

static void add_bound(void *data, vsr_str name, const struct yaml_node *model) {
    struct bound *bound = data;
    map_put(&bound->names, name, (void *)model);
}

/* An adapter is reached where its model is. */
static void add_adapters(struct bound *bound, const struct yaml_node *cards) {
    for (size_t i = 0; cards && i < cards->n_items; i++) {
        const struct yaml_node *model = text_of(cards->items[i], "name");
        if (model && map_get(&bound->names, model->text))
            each_named(list_of(cards->items[i], "loras"), add_bound, bound);
    }
}

static void check_routing(struct bound *bound, const struct yaml_node *routing) {
    const struct yaml_node *decisions = list_of(routing, "decisions");
    for (size_t i = 0; decisions && i < decisions->n_items; i++) {
        const struct yaml_node *refs = list_of(decisions->items[i], "modelRefs");
        for (size_t k = 0; refs && k < refs->n_items; k++) {
            const struct yaml_node *model = text_of(refs->items[k], "model");
            if (!model || map_get(&bound->names, model->text))
                continue;
            map_put(&bound->names, model->text, (void *)model);
            bound->findings->decl = (struct dsl_at){ 0 };
            (void)
                finding_add(bound->findings, FINDING_WARNING, "W211",
                            (struct dsl_at){ model->start, model->end, model->line, model->col },
                            "model \"%.*s\" has no entry in providers.models of the base, so nothing can be sent to it",
                            VSR_FMT(model->text));
        }
    }
}

void dsl_base_check(const struct yaml_node *base, const struct yaml_node *compiled, struct findings *findings) {
    const struct yaml_node *models = list_of(block_of(base, "providers"), "models");
    const struct yaml_node *recipes = list_of(compiled, "recipes");
    struct dsl_at decl = findings->decl;
    struct arena *scratch;
    struct bound bound = { .findings = findings };
    if (!models)
        return;
    scratch = arena_new(0, 0);
    map_init(&bound.names, scratch);
    each_named(models, add_bound, &bound);
    add_adapters(&bound, list_of(block_of(compiled, "routing"), "modelCards"));
    check_routing(&bound, yaml_get(compiled, VSR_STR("routing")));
    for (size_t i = 0; recipes && i < recipes->n_items; i++)
        check_routing(&bound, block_of(recipes->items[i], "routing"));
    findings->decl = decl;
    arena_free(scratch);
}
