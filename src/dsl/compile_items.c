#include <inttypes.h>
#include <math.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/compile_parts.h"
#include "dsl/key.h"

/* Walks the items of one kind: ITEMS(item, route->body, DSL_ITEM_MODEL) { ... } */
#define ITEMS(item, body, which) \
    for (const struct dsl_item *item = (body)->items, *item##_end = item ? item + (body)->n : NULL; \
         item != item##_end; item++) \
        if (item->kind == (which))

/* ---- models */

static void note_size(struct compile *c, vsr_str model, const struct dsl_value *size) {
    const struct dsl_value *first = map_get(&c->sizes, model);
    if (!first)
        map_put(&c->sizes, model, (void *)size);
    else if (!str_eq(first->text, size->text))
        finding_add(c->findings, FINDING_WARNING, "W106", size->at,
                    "model \"%.*s\": param_size is given twice, at line %u as \"%.*s\"; the first one counts",
                    VSR_FMT(model), first->at.line, VSR_FMT(first->text));
}

static void note_model(struct compile *c, const struct dsl_model_ref *ref) {
    const struct dsl_field *size = dsl_field(&ref->options, VSR_STR("param_size"));
    if (!map_get(&c->models, ref->model.text))
        map_put(&c->models, ref->model.text, (void *)&ref->model);
    if (size && size->value.kind == DSL_STRING && size->value.text.len)
        note_size(c, ref->model.text, &size->value);
}

static struct yaml_node *model_ref(struct compile *c, const struct dsl_model_ref *ref) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &ref->model.at);
    compile_put(c, node, VSR_STR("model"), &ref->model.at, compile_text(c, ref->model.text, &ref->model.at));
    compile_block(c, c->language->ref, PLACE_INSIDE, &ref->options, &ref->model.at, node);
    return node;
}

static vsr_str text_of(const struct yaml_node *mapping, const char *key) {
    const struct yaml_node *node = yaml_get(mapping, str_from_c(key));
    return node ? node->text : VSR_STR("");
}

/* Model and LoRA, which tell two references apart. */
static vsr_str ref_key(struct compile *c, const struct yaml_node *ref) {
    const vsr_str parts[] = { text_of(ref, "model"), text_of(ref, "lora_name") };
    return dsl_key(c->arena, parts, VSR_COUNT(parts));
}

/* Variables have no dash, as in canonical text. */
static vsr_str variable_name(struct compile *c, vsr_str name) {
    char *text = ARENA_ARRAY(c->arena, char, name.len);
    for (size_t i = 0; i < name.len; i++)
        text[i] = name.ptr[i] == '-' ? '_' : name.ptr[i];
    return str_make(text, name.len);
}

/* A loop whose turns give the candidate at hand adds its list to the route's models. */
static bool gives_candidates(struct compile *c, const struct dsl_item *loop) {
    vsr_str variable = variable_name(c, loop->name.text);
    for (size_t i = 0; i < loop->outputs.n; i++) {
        vsr_str output = loop->outputs.items[i].model.text;
        if (str_eq(output, loop->name.text) || str_eq(output, variable))
            return true;
    }
    return false;
}

/* `seen`: the references that there are, by model and LoRA. */
static void add_loop_models(struct compile *c, const struct dsl_item *loop, struct map *seen, struct yaml_node *refs) {
    for (size_t i = 0; i < loop->models.n; i++) {
        struct yaml_node *ref = model_ref(c, &loop->models.items[i]);
        note_model(c, &loop->models.items[i]);
        if (!map_put(seen, ref_key(c, ref), ref))
            yaml_push(c->arena, refs, ref);
    }
}

struct yaml_node *compile_model_refs(const struct compile_route *route) {
    struct compile *c = route->scope->c;
    struct yaml_node *refs = compile_node(c, YAML_SEQUENCE, &route->at);
    struct map seen;
    map_init(&seen, c->arena);
    ITEMS(item, route->body, DSL_ITEM_MODEL)
    for (size_t i = 0; i < item->models.n; i++) {
        struct yaml_node *ref = model_ref(c, &item->models.items[i]);
        note_model(c, &item->models.items[i]);
        map_put(&seen, ref_key(c, ref), ref);
        yaml_push(c->arena, refs, ref);
    }
    ITEMS(loop, route->body, DSL_ITEM_FOR)
    if (!loop->source.at.line && gives_candidates(c, loop))
        add_loop_models(c, loop, &seen, refs);
    return refs;
}

/* ---- loops: what they were, for readers */

/* The model and its LoRA: what a loop goes through. */
static struct yaml_node *loop_model(struct compile *c, const struct dsl_model_ref *ref) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &ref->model.at);
    const struct dsl_field *lora = dsl_field(&ref->options, VSR_STR("lora"));
    compile_put(c, node, VSR_STR("model"), &ref->model.at, compile_text(c, ref->model.text, &ref->model.at));
    if (lora && lora->value.kind == DSL_STRING && lora->value.text.len)
        compile_put(c, node, VSR_STR("lora_name"), &lora->key.at, compile_text(c, lora->value.text, &lora->value.at));
    return node;
}

/* What a loop gives has its options in the list. */
static void tell_options(struct compile *c, const struct dsl_item *loop, const struct dsl_model_ref *output) {
    for (size_t i = 0; i < output->options.n; i++) {
        const struct dsl_name *key = &output->options.items[i].key;
        struct finding *finding =
            finding_add(c->findings, FINDING_CONSTRAINT, "C301", key->at,
                        "FOR %.*s: MODEL %.*s takes no option, so \"%.*s\" goes nowhere; give it in the list of models",
                        VSR_FMT(loop->name.text), VSR_FMT(output->model.text), VSR_FMT(key->text));
        if (finding)
            finding->lost = true;
    }
}

static struct yaml_node *loop_output(struct compile *c, const struct dsl_item *loop, const struct dsl_name *model) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &model->at);
    vsr_str value = str_eq(model->text, loop->name.text) ? variable_name(c, model->text) : model->text;
    compile_put(c, node, VSR_STR("type"), &model->at, compile_plain(c, VSR_STR("model"), &model->at));
    compile_put(c, node, VSR_STR("value"), &model->at, compile_text(c, value, &model->at));
    return node;
}

static struct yaml_node *loop_node(struct compile *c, const struct dsl_item *loop) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &loop->at);
    struct yaml_node *models = compile_node(c, YAML_SEQUENCE, &loop->at);
    struct yaml_node *outputs = compile_node(c, YAML_SEQUENCE, &loop->at);
    bool named = loop->source.at.line != 0;
    const struct dsl_at *at = named ? &loop->source.at : &loop->at;
    compile_put(c, node, VSR_STR("variable"), &loop->name.at,
                compile_text(c, variable_name(c, loop->name.text), &loop->name.at));
    compile_put(c, node, VSR_STR("source"), at, compile_text(c, named ? loop->source.text : VSR_STR("models"), at));
    for (size_t i = 0; i < loop->models.n; i++)
        yaml_push(c->arena, models, loop_model(c, &loop->models.items[i]));
    for (size_t i = 0; i < loop->outputs.n; i++) {
        tell_options(c, loop, &loop->outputs.items[i]);
        yaml_push(c->arena, outputs, loop_output(c, loop, &loop->outputs.items[i].model));
    }
    compile_put_filled(c, node, "models", &loop->at, models);
    compile_put_filled(c, node, "outputs", &loop->at, outputs);
    return node;
}

struct yaml_node *compile_iterations(const struct compile_route *route) {
    struct compile *c = route->scope->c;
    struct yaml_node *loops = compile_node(c, YAML_SEQUENCE, &route->at);
    ITEMS(loop, route->body, DSL_ITEM_FOR)
    yaml_push(c->arena, loops, loop_node(c, loop));
    return loops;
}

/* ---- algorithm */

static void tell_algorithm(struct compile *c, const struct dsl_name *type) {
    const struct language *language = c->language;
    struct finding *finding = finding_add(c->findings, FINDING_ERROR, "E204", type->at,
                                          "unknown algorithm type \"%.*s\". Supported types: %.*s", VSR_FMT(type->text),
                                          VSR_FMT(compile_names(c, LANGUAGE_ALGORITHMS)));
    compile_suggest(c, finding, type, language->names[LANGUAGE_ALGORITHMS], language->n_blocks[LANGUAGE_ALGORITHMS]);
}

struct yaml_node *compile_algorithm(const struct compile_route *route, const struct yaml_node *refs) {
    struct compile *c = route->scope->c;
    const struct dsl_item *item = dsl_item(route->body, DSL_ITEM_ALGORITHM);
    const struct language_block *block;
    struct yaml_node *node, *inside;
    if (!item)
        return NULL;
    block = language_block(c->language, LANGUAGE_ALGORITHMS, item->name.text);
    if (!block) {
        tell_algorithm(c, &item->name);
        return NULL;
    }
    node = compile_node(c, YAML_MAPPING, &item->name.at);
    inside = compile_node(c, YAML_MAPPING, item->fields.at.line ? &item->fields.at : &item->name.at);
    compile_put(c, node, VSR_STR("type"), &item->name.at, compile_text(c, block->name, &item->name.at));
    compile_block(c, block, PLACE_INSIDE, &item->fields, &item->name.at, inside);
    if (inside->n_items > 0 || block->required)
        compile_put(c, node, block->name, &item->name.at, inside);
    compile_block(c, block, PLACE_BESIDE, &item->fields, &item->name.at, node);
    if (str_eq_c(block->name, "remom"))
        compile_check_remom(c, route, item, refs);
    return node;
}

/* ---- plugins */

static void tell_plugin(const struct compile_scope *scope, const struct dsl_name *name) {
    struct compile *c = scope->c;
    const struct language *language = c->language;
    size_t n_types = language->n_blocks[LANGUAGE_PLUGINS], n = 0;
    vsr_str *names;
    struct finding *finding =
        finding_add(c->findings, FINDING_ERROR, "E203", name->at,
                    "unknown plugin type \"%.*s\"; not a template and not one of the %zu plugin types",
                    VSR_FMT(name->text), n_types);
    if (!finding || n_types + scope->templates.n > COMPILE_SUGGEST_MAX)
        return;
    names = ARENA_ARRAY(c->arena, vsr_str, n_types + scope->templates.n);
    for (; n < n_types; n++)
        names[n] = language->names[LANGUAGE_PLUGINS][n];
    for (size_t i = 0; i < scope->templates.n; i++)
        names[n++] = scope->templates.entries[i].key;
    compile_suggest(c, finding, name, names, n);
}

/* The fields that the type has, the last of each name. */
static struct dsl_fields known_fields(struct compile *c, const struct language_block *block,
                                      const struct dsl_fields *fields) {
    struct dsl_fields known = { .at = fields->at };
    known.items = ARENA_ARRAY(c->arena, struct dsl_field, block->n_fields);
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct dsl_field *field = dsl_field(fields, block->fields[i].name);
        if (field)
            known.items[known.n++] = *field;
    }
    return known;
}

void compile_templates(struct compile_scope *scope) {
    struct compile *c = scope->c;
    map_init(&scope->templates, c->arena);
    DSL_EACH(decl, scope->program, DSL_PLUGIN) {
        struct compile_template *template = ARENA_NEW(c->arena, struct compile_template);
        template->block = language_block(c->language, LANGUAGE_PLUGINS, decl->type.text);
        if (template->block)
            template->fields = known_fields(c, template->block, &decl->fields);
        map_put(&scope->templates, decl->name.text, template);
    }
    DSL_EACH(decl, scope->program, DSL_PLUGIN) {
        c->findings->decl = decl->at;
        if (!language_block(c->language, LANGUAGE_PLUGINS, decl->type.text))
            tell_plugin(scope, &decl->type);
    }
}

/* The exact name of a template comes first, then types by all their spellings. */
static struct yaml_node *plugin_node(const struct compile_scope *scope, const struct dsl_item *item) {
    struct compile *c = scope->c;
    const struct compile_template *template = map_get(&scope->templates, item->name.text);
    const struct language_block *block =
        template ? template->block : language_block(c->language, LANGUAGE_PLUGINS, item->name.text);
    struct dsl_fields fields;
    struct yaml_node *node, *settings;
    if (!block) {
        if (!template)
            tell_plugin(scope, &item->name);
        return NULL;
    }
    fields = template ? compile_joined(c, &template->fields, &item->fields) : item->fields;
    node = compile_node(c, YAML_MAPPING, &item->name.at);
    settings = compile_node(c, YAML_MAPPING, item->fields.at.line ? &item->fields.at : &item->name.at);
    compile_put(c, node, VSR_STR("type"), &item->name.at, compile_text(c, block->name, &item->name.at));
    compile_block(c, block, PLACE_INSIDE, &fields, &item->name.at, settings);
    if (settings->n_items > 0 || block->required)
        compile_put(c, node, VSR_STR("configuration"), &item->name.at, settings);
    return node;
}

struct yaml_node *compile_plugins(const struct compile_route *route) {
    struct compile *c = route->scope->c;
    struct yaml_node *plugins = compile_node(c, YAML_SEQUENCE, &route->at);
    ITEMS(item, route->body, DSL_ITEM_PLUGIN) {
        struct yaml_node *plugin = plugin_node(route->scope, item);
        if (plugin)
            yaml_push(c->arena, plugins, plugin);
    }
    return plugins;
}

/* ---- emits (dsl.md §4.7): what is wrong with them is told as an error, there is no lesser meaning to fall back to */

/* 3.0 is as good as 3; 1e30 is more than an integer holds. */
static bool is_count(const struct dsl_value *value) {
    return dsl_is_number(value) && value->number >= 0 && (value->kind == DSL_INT || value->number < 0x1p63) &&
           value->number == floor(value->number);
}

static void check_emit_field(const struct compile_route *route, const struct dsl_field *said) {
    struct compile *c = route->scope->c;
    const struct language_block *block = c->language->retention;
    const struct language_field *field = language_field(block, said->key.text);
    if (!field) {
        vsr_str *names = ARENA_ARRAY(c->arena, vsr_str, block->n_fields);
        for (size_t i = 0; i < block->n_fields; i++)
            names[i] = block->fields[i].name;
        compile_suggest(c,
                        finding_add(c->findings, FINDING_ERROR, "E220", said->key.at,
                                    "route \"%.*s\": EMIT retention: unknown field \"%.*s\"", VSR_FMT(route->name),
                                    VSR_FMT(said->key.text)),
                        &said->key, names, block->n_fields);
        return;
    }
    if (said->value.kind == DSL_NULL)
        return;
    if (field->field->kind == FIELD_BOOL && said->value.kind != DSL_BOOL)
        finding_add(c->findings, FINDING_ERROR, "E220", said->value.at,
                    "route \"%.*s\": EMIT retention: %.*s must be true or false", VSR_FMT(route->name),
                    VSR_FMT(said->key.text));
    if (field->field->kind == FIELD_INT && !is_count(&said->value))
        finding_add(c->findings, FINDING_ERROR, "E220", said->value.at,
                    "route \"%.*s\": EMIT retention: %.*s must be an integer of at least 0", VSR_FMT(route->name),
                    VSR_FMT(said->key.text));
}

static void check_emit(const struct compile_route *route, const struct dsl_item *item) {
    struct compile *c = route->scope->c;
    const struct dsl_field *drop = dsl_field(&item->fields, VSR_STR("drop"));
    const struct dsl_field *ttl = dsl_field(&item->fields, VSR_STR("ttl_turns"));
    for (size_t i = 0; i < item->fields.n; i++)
        check_emit_field(route, &item->fields.items[i]);
    if (drop && ttl && drop->value.kind == DSL_BOOL && drop->value.truth && is_count(&ttl->value) &&
        ttl->value.number > 0)
        finding_add(c->findings, FINDING_ERROR, "E220", ttl->value.at,
                    "route \"%.*s\": EMIT retention: drop=true conflicts with ttl_turns=%.0f", VSR_FMT(route->name),
                    ttl->value.number);
}

/* Whether it is an emit of a kind that there is, and the first of its kind. */
static bool is_emit(const struct compile_route *route, const struct dsl_item *item, const struct dsl_item *before) {
    struct compile *c = route->scope->c;
    if (!str_eq_c(item->name.text, "retention")) {
        static const vsr_str kinds[] = { VSR_STR_INIT("retention") };
        compile_suggest(c,
                        finding_add(c->findings, FINDING_ERROR, "E220", item->name.at,
                                    "route \"%.*s\": EMIT has no kind \"%.*s\"; there is retention",
                                    VSR_FMT(route->name), VSR_FMT(item->name.text)),
                        &item->name, kinds, VSR_COUNT(kinds));
        return false;
    }
    if (before)
        finding_add(c->findings, FINDING_ERROR, "E220", item->at,
                    "route \"%.*s\": EMIT retention already stands at line %u", VSR_FMT(route->name), before->at.line);
    return !before;
}

struct yaml_node *compile_emits(const struct compile_route *route) {
    struct compile *c = route->scope->c;
    struct yaml_node *emits = compile_node(c, YAML_SEQUENCE, &route->at);
    const struct dsl_item *before = NULL;
    ITEMS(item, route->body, DSL_ITEM_EMIT) {
        struct yaml_node *node, *retention;
        if (!is_emit(route, item, before))
            continue;
        before = item;
        check_emit(route, item);
        node = compile_node(c, YAML_MAPPING, &item->at);
        retention = compile_node(c, YAML_MAPPING, item->fields.at.line ? &item->fields.at : &item->at);
        compile_put(c, node, VSR_STR("kind"), &item->name.at, compile_plain(c, VSR_STR("retention"), &item->name.at));
        compile_block(c, c->language->retention, PLACE_INSIDE, &item->fields, &item->at, retention);
        compile_put(c, node, VSR_STR("retention"), &item->name.at, retention);
        yaml_push(c->arena, emits, node);
    }
    return emits;
}
