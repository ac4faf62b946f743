#include "dsl/compile.h"

#include <stdlib.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile_parts.h"

static const struct dsl_at nowhere = { .line = 1, .col = 1 };

/* ---- signals and projections */

static void tell_signal_type(struct compile *c, const struct dsl_name *type) {
    const struct language *language = c->language;
    struct finding *finding = finding_add(c->findings, FINDING_ERROR, "E201", type->at,
                                          "unknown signal type \"%.*s\". Supported signal types: %.*s",
                                          VSR_FMT(type->text), VSR_FMT(compile_names(c, LANGUAGE_SIGNALS)));
    compile_suggest(c, finding, type, language->names[LANGUAGE_SIGNALS], language->n_blocks[LANGUAGE_SIGNALS]);
}

/* A declaration with a name and the fields of a block. */
static struct yaml_node *declared(struct compile *c, const struct language_block *block, const struct dsl_decl *decl) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &decl->at);
    c->findings->decl = decl->at;
    compile_put(c, node, VSR_STR("name"), &decl->name.at, compile_text(c, decl->name.text, &decl->name.at));
    compile_block(c, block, PLACE_INSIDE, &decl->fields, &decl->at, node);
    return node;
}

static struct yaml_node *declared_list(const struct compile_scope *scope, const struct language_block *block,
                                       enum dsl_decl_kind kind, const struct dsl_at *at) {
    struct compile *c = scope->c;
    struct yaml_node *list = compile_node(c, YAML_SEQUENCE, at);
    DSL_EACH(decl, scope->program, kind) {
        if (kind == DSL_SIGNAL_DECL && !str_eq(decl->type.text, block->name))
            continue;
        yaml_push(c->arena, list, declared(c, block, decl));
        if (kind == DSL_SIGNAL_DECL)
            compile_check_signal(c, decl);
        if (kind == DSL_PARTITION)
            compile_check_partition(scope, decl);
    }
    return list;
}

static struct yaml_node *signals(struct compile_scope *scope, const struct dsl_at *at) {
    struct compile *c = scope->c;
    const struct language *language = c->language;
    struct yaml_node *node = compile_node(c, YAML_MAPPING, at);
    map_init(&scope->domains, c->arena);
    DSL_EACH(decl, scope->program, DSL_SIGNAL_DECL) {
        c->findings->decl = decl->at;
        if (!language_block(language, LANGUAGE_SIGNALS, decl->type.text))
            tell_signal_type(c, &decl->type);
        if (str_eq_c(decl->type.text, "domain"))
            map_put(&scope->domains, decl->name.text, (void *)decl);
    }
    for (size_t i = 0; i < language->n_blocks[LANGUAGE_SIGNALS]; i++) {
        const struct language_block *block = language->lists[i];
        struct yaml_node *list = declared_list(scope, block, DSL_SIGNAL_DECL, at);
        if (list->n_items)
            compile_put(c, node, block->list, at, list);
    }
    return node;
}

static struct yaml_node *projections(const struct compile_scope *scope, const struct dsl_at *at) {
    struct compile *c = scope->c;
    struct yaml_node *node = compile_node(c, YAML_MAPPING, at);
    compile_put_filled(c, node, "partitions", at, declared_list(scope, c->language->partition, DSL_PARTITION, at));
    compile_put_filled(c, node, "scores", at, declared_list(scope, c->language->score, DSL_SCORE, at));
    compile_put_filled(c, node, "mappings", at, declared_list(scope, c->language->mapping, DSL_MAPPING, at));
    return node;
}

/* ---- profiles */

static const struct dsl_decl *last_routing(const struct dsl_program *program) {
    const struct dsl_decl *last = NULL;
    DSL_EACH(decl, program, DSL_ROUTING)
    last = decl;
    return last;
}

/* `strategy` and what else a profile says of itself; `options`: those of its recipe, which its ROUTING overrides. */
static void put_settings(struct compile *c, const struct dsl_program *program, const struct dsl_fields *options,
                         struct yaml_node *node) {
    const struct dsl_decl *routing = last_routing(program);
    const struct dsl_field *strategy = options ? dsl_field(options, VSR_STR("strategy")) : NULL;
    struct dsl_fields own = { .items = (struct dsl_field *)strategy, .n = strategy ? 1 : 0 };
    struct dsl_at at = routing ? routing->at : nowhere;
    if (routing) {
        own = compile_joined(c, &own, &routing->fields);
        c->findings->decl = routing->at;
        if (!dsl_value_of(&routing->fields, "strategy"))
            finding_add(c->findings, FINDING_ERROR, "E209", routing->at, "ROUTING requires strategy");
    }
    compile_block(c, c->language->routing, PLACE_INSIDE, &own, &at, node);
}

/* Everything of a scope but the catalogue of models. */
static void put_profile(struct compile_scope *scope, const struct dsl_fields *options, const struct dsl_at *at,
                        struct yaml_node *node) {
    struct compile *c = scope->c;
    struct yaml_node *decisions = compile_node(c, YAML_SEQUENCE, at);
    compile_check_names(c, scope->program);
    compile_templates(scope);
    compile_put_filled(c, node, "signals", at, signals(scope, at));
    compile_put_filled(c, node, "projections", at, projections(scope, at));
    compile_routes(scope, decisions);
    compile_put_filled(c, node, "decisions", at, decisions);
    put_settings(c, scope->program, options, node);
}

/* ---- recipes and entrypoints */

static struct yaml_node *recipe(struct compile *c, const struct dsl_decl *decl) {
    struct compile_scope scope = { .c = c, .program = decl->recipe };
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &decl->at);
    struct yaml_node *routing = compile_node(c, YAML_MAPPING, &decl->at);
    const struct dsl_field *description = dsl_field(&decl->options, VSR_STR("description"));
    vsr_str prefix = c->findings->prefix;
    compile_put(c, node, VSR_STR("name"), &decl->name.at, compile_text(c, decl->name.text, &decl->name.at));
    if (description && description->value.kind == DSL_STRING && description->value.text.len)
        compile_put(c, node, VSR_STR("description"), &description->key.at,
                    compile_text(c, description->value.text, &description->value.at));
    c->findings->prefix = arena_printf(c->arena, "recipe \"%.*s\": ", VSR_FMT(decl->name.text));
    put_profile(&scope, &decl->options, &decl->at, routing);
    c->findings->prefix = prefix;
    compile_put(c, node, VSR_STR("routing"), &decl->at, routing);
    return node;
}

static struct yaml_node *recipes(struct compile *c) {
    struct yaml_node *list = compile_node(c, YAML_SEQUENCE, &nowhere);
    DSL_EACH(decl, c->program, DSL_RECIPE)
    yaml_push(c->arena, list, recipe(c, decl));
    return list;
}

static void check_entrypoint(struct compile *c, const struct dsl_decl *decl, const struct map *names) {
    const struct dsl_field *recipe = dsl_field(&decl->fields, VSR_STR("recipe"));
    const struct dsl_field *models = dsl_field(&decl->fields, VSR_STR("model_names"));
    struct finding *finding;
    struct dsl_name name;
    vsr_str *known;
    if (!recipe || recipe->value.kind != DSL_STRING || recipe->value.text.len == 0)
        finding_add(c->findings, FINDING_ERROR, "E207", recipe ? recipe->value.at : decl->at,
                    "ENTRYPOINT requires recipe: \"default\" or the name of a RECIPE");
    if (!models || models->value.kind != DSL_ARRAY || models->value.n_items == 0)
        finding_add(c->findings, FINDING_ERROR, "E207", models ? models->value.at : decl->at,
                    "ENTRYPOINT requires model_names: a list of at least one name");
    if (!recipe || recipe->value.kind != DSL_STRING || recipe->value.text.len == 0 ||
        map_get(names, recipe->value.text))
        return;
    name = (struct dsl_name){ .text = recipe->value.text, .at = recipe->value.at, .quoted = true };
    finding = finding_add(c->findings, FINDING_ERROR, "E207", name.at, "ENTRYPOINT references unknown recipe \"%.*s\"",
                          VSR_FMT(name.text));
    if (!finding || names->n > COMPILE_SUGGEST_MAX)
        return;
    known = ARENA_ARRAY(c->arena, vsr_str, names->n);
    for (size_t i = 0; i < names->n; i++)
        known[i] = names->entries[i].key;
    compile_suggest(c, finding, &name, known, names->n);
}

static struct yaml_node *entrypoints(struct compile *c) {
    struct yaml_node *list = compile_node(c, YAML_SEQUENCE, &nowhere);
    struct map names;
    map_init(&names, c->arena);
    map_put(&names, VSR_STR("default"), c);
    DSL_EACH(decl, c->program, DSL_RECIPE)
    map_put(&names, decl->name.text, (void *)decl);
    DSL_EACH(decl, c->program, DSL_ENTRYPOINT) {
        struct yaml_node *node = compile_node(c, YAML_MAPPING, &decl->at);
        c->findings->decl = decl->at;
        check_entrypoint(c, decl, &names);
        compile_block(c, c->language->entrypoint, PLACE_INSIDE, &decl->fields, &decl->at, node);
        yaml_push(c->arena, list, node);
    }
    return list;
}

/* ---- the catalogue of models */

static int compare_cards(const void *a, const void *b) {
    const struct yaml_node *const *one = a, *const *other = b;
    return str_cmp((*one)->items[0]->text, (*other)->items[0]->text);
}

static void note_loras(struct compile *c, const struct dsl_decl *model, struct map *loras) {
    const struct dsl_field *list = dsl_field(&model->fields, VSR_STR("loras"));
    for (size_t i = 0; list && list->value.kind == DSL_ARRAY && i < list->value.n_items; i++) {
        const struct dsl_value *lora = &list->value.items[i];
        vsr_str name = lora->kind == DSL_OBJECT ? compile_string(&lora->fields, "name") : VSR_STR("");
        if (name.len)
            map_put(loras, name, c);
    }
}

/* Entries without a name are no LoRAs (§4.2). */
static void drop_nameless(struct yaml_node *card) {
    struct yaml_node *loras = yaml_get(card, VSR_STR("loras"));
    for (size_t i = loras ? loras->n_items : 0; i > 0; i--) {
        const struct yaml_node *name = yaml_get(loras->items[i - 1], VSR_STR("name"));
        if (!name || name->text.len == 0)
            yaml_remove(loras, i - 1);
    }
    if (loras && loras->n_items == 0)
        yaml_remove(card, (size_t)yaml_find(card, VSR_STR("loras")));
}

/* What a reference says of the model's size holds where its declaration says nothing. */
static void put_size(struct compile *c, struct yaml_node *card) {
    const struct dsl_value *size = map_get(&c->sizes, card->items[0]->text);
    const struct yaml_node *own = yaml_get(card, VSR_STR("param_size"));
    struct yaml_node *rest;
    if (size && own && !str_eq(own->text, size->text))
        finding_add(c->findings, FINDING_WARNING, "W106", size->at,
                    "model \"%.*s\": its declaration has the param_size \"%.*s\", which counts",
                    VSR_FMT(card->items[0]->text), VSR_FMT(own->text));
    if (!size || own)
        return;
    rest = yaml_clone(c->arena, card);
    card->n_items = 1;
    compile_put(c, card, VSR_STR("param_size"), &size->at, compile_text(c, size->text, &size->at));
    for (size_t i = 1; i < rest->n_items; i++)
        yaml_append(c->arena, card, rest->keys[i], rest->items[i]);
}

/* Declared models, and those that are used and neither declared nor a LoRA: each once, sorted by name. */
static struct yaml_node *cards(struct compile *c) {
    struct yaml_node *list = compile_node(c, YAML_SEQUENCE, &nowhere);
    struct map known, loras;
    map_init(&known, c->arena);
    map_init(&loras, c->arena);
    DSL_EACH(decl, c->program, DSL_MODEL) {
        struct yaml_node *card = declared(c, c->language->model, decl);
        drop_nameless(card);
        note_loras(c, decl, &loras);
        if (!map_put(&known, decl->name.text, card))
            yaml_push(c->arena, list, card);
    }
    for (size_t i = 0; i < c->models.n; i++) {
        const struct dsl_name *name = c->models.entries[i].value;
        struct yaml_node *card = compile_node(c, YAML_MAPPING, &name->at);
        if (map_get(&known, name->text) || map_get(&loras, name->text))
            continue;
        compile_put(c, card, VSR_STR("name"), &name->at, compile_text(c, name->text, &name->at));
        yaml_push(c->arena, list, card);
    }
    c->findings->decl = (struct dsl_at){ 0 };
    for (size_t i = 0; i < list->n_items; i++)
        put_size(c, list->items[i]);
    if (list->n_items)
        qsort(list->items, list->n_items, sizeof(*list->items), compare_cards);
    return list;
}

/* ---- limits of the configuration */

struct extent {
    size_t n_nodes;
    const struct yaml_node *deepest; /* the first that lies too deep */
};

static void measure(const struct yaml_node *node, size_t depth, struct extent *extent) {
    bool block = node->kind == YAML_SEQUENCE || node->kind == YAML_MAPPING;
    extent->n_nodes++;
    if (block && depth >= YAML_DEPTH_MAX && !extent->deepest)
        extent->deepest = node;
    if (block && depth >= YAML_DEPTH_MAX)
        return;
    for (size_t i = 0; i < node->n_items && extent->n_nodes <= YAML_NODES_MAX; i++) {
        extent->n_nodes += node->kind == YAML_MAPPING;
        measure(node->items[i], depth + 1, extent);
    }
}

/* What compiles must be readable as YAML. */
static void check_extent(struct compile *c, const struct yaml_node *root) {
    struct extent extent = { 0 };
    measure(root, 0, &extent);
    c->findings->decl = (struct dsl_at){ 0 };
    if (extent.deepest)
        finding_add(
            c->findings, FINDING_ERROR, "E105",
            (struct dsl_at){ extent.deepest->start, extent.deepest->end, extent.deepest->line, extent.deepest->col },
            "nested too deeply: a configuration has at most %d levels, of which each NOT and each group takes two",
            YAML_DEPTH_MAX);
    if (extent.n_nodes > YAML_NODES_MAX)
        finding_add(c->findings, FINDING_ERROR, "E106", nowhere,
                    "the program is too large: a configuration has at most %d values", YAML_NODES_MAX);
}

struct yaml_node *dsl_compile(struct arena *arena, const struct language *language, const struct dsl_program *program,
                              struct findings *findings) {
    struct compile c = { .arena = arena, .language = language, .findings = findings, .program = program };
    struct compile_scope scope = { .c = &c, .program = program };
    struct yaml_node *root = compile_node(&c, YAML_MAPPING, &nowhere);
    struct yaml_node *routing = compile_node(&c, YAML_MAPPING, &nowhere);
    struct yaml_node *profile = compile_node(&c, YAML_MAPPING, &nowhere);
    struct yaml_node *entries, *profiles;
    map_init(&c.models, arena);
    map_init(&c.sizes, arena);
    put_profile(&scope, NULL, &nowhere, profile);
    profiles = recipes(&c);
    entries = entrypoints(&c);
    compile_put_filled(&c, routing, "modelCards", &nowhere, cards(&c)); /* the first of its keys; knows all models */
    for (size_t i = 0; i < profile->n_items; i++)
        yaml_append(arena, routing, profile->keys[i], profile->items[i]);
    compile_put_filled(&c, root, "routing", &nowhere, routing);
    compile_put_filled(&c, root, "entrypoints", &nowhere, entries);
    compile_put_filled(&c, root, "recipes", &nowhere, profiles);
    check_extent(&c, root);
    findings->decl = (struct dsl_at){ 0 };
    return root;
}
