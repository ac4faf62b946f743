/*
 * The tree as JSON, in the shape that editors of the language know (dsl.md §8.5): declarations by kind, conditions as
 * binary trees, places as {"Line","Column"}.
 *
 * Chains `a AND b AND c` become ((a, b), c); long ones are balanced, since readers of JSON bound its depth. For the
 * same reason this writes text itself: json_write's own bound is made for messages, a program's tree may be deeper.
 */
#include "core/buf.h"
#include "core/json_number.h"
#include "core/json_write.h"
#include "dsl/parse.h"

enum { LEFT_DEEP_MAX = 8 };

/* ---- pieces of text */

/* Begins a member or an element: a comma, unless it is the first. */
static void separate(struct buf *out) {
    char last = out->len ? out->ptr[out->len - 1] : '[';
    if (last != '{' && last != '[' && last != ':')
        buf_append_char(out, ',');
}

static void put_key(struct buf *out, const char *key) {
    separate(out);
    buf_printf(out, "\"%s\":", key);
}

static void put_text(struct buf *out, const char *key, vsr_str text) {
    put_key(out, key);
    json_quote(out, text);
}

static void open_list(struct buf *out, const char *key) {
    put_key(out, key);
    buf_append_char(out, '[');
}

static void put_pos(struct buf *out, struct dsl_at at) {
    put_key(out, "pos");
    buf_printf(out, "{\"Line\":%u,\"Column\":%u}", at.line, at.col);
}

/* ---- values */

static void put_members(struct buf *out, const struct dsl_fields *fields, bool but_name);

static void put_value(struct buf *out, const struct dsl_value *value) {
    char number[JSON_NUMBER_LEN_MAX];
    switch (value->kind) {
    case DSL_STRING:
        json_quote(out, value->text);
        break;
    case DSL_INT:
        buf_printf(out, "%lld", (long long)value->integer);
        break;
    case DSL_FLOAT:
        buf_append(out, str_make(number, json_number_print(value->number, number)));
        break;
    case DSL_BOOL:
        buf_append_c(out, value->truth ? "true" : "false");
        break;
    case DSL_NULL:
        buf_append_c(out, "null");
        break;
    case DSL_ARRAY:
        buf_append_char(out, '[');
        for (size_t i = 0; i < value->n_items; i++) {
            separate(out);
            put_value(out, &value->items[i]);
        }
        buf_append_char(out, ']');
        break;
    case DSL_OBJECT:
        buf_append_char(out, '{');
        put_members(out, &value->fields, false);
        buf_append_char(out, '}');
    }
}

/* `but_name`: without those that the declaration itself has. */
static void put_members(struct buf *out, const struct dsl_fields *fields, bool but_name) {
    for (size_t i = 0; i < fields->n; i++) {
        const struct dsl_field *field = &fields->items[i];
        if (field->overridden || (but_name && (str_eq_c(field->key.text, "name") || str_eq_c(field->key.text, "pos"))))
            continue;
        separate(out);
        json_quote(out, field->key.text);
        buf_append_char(out, ':');
        put_value(out, &field->value);
    }
}

static void put_fields(struct buf *out, const struct dsl_fields *fields) {
    put_key(out, "fields");
    buf_append_char(out, '{');
    put_members(out, fields, false);
    buf_append_char(out, '}');
}

/* A string that a declaration has as a field or an option; nothing where it has none. */
static void put_text_field(struct buf *out, const char *key, const struct dsl_fields *fields, const char *field_name) {
    const struct dsl_field *field = dsl_field(fields, str_from_c(field_name));
    if (field && field->value.kind == DSL_STRING)
        put_text(out, key, field->value.text);
}

/* ---- conditions */

static void put_expr(struct buf *out, const struct dsl_expr *expr);

/* Items [first, end) of a chain. */
static void put_chain(struct buf *out, const struct dsl_expr *chain, size_t first, size_t end) {
    size_t n = end - first, middle = n <= LEFT_DEEP_MAX ? end - 1 : first + (n + 1) / 2;
    if (n == 1) {
        put_expr(out, chain->items[first]);
        return;
    }
    buf_printf(out, "{\"type\":\"%s\",\"left\":", chain->kind == DSL_AND ? "and" : "or");
    put_chain(out, chain, first, middle);
    buf_append_c(out, ",\"right\":");
    put_chain(out, chain, middle, end);
    put_pos(out, first == 0 ? chain->at : chain->items[first]->at);
    buf_append_char(out, '}');
}

static void put_expr(struct buf *out, const struct dsl_expr *expr) {
    switch (expr->kind) {
    case DSL_AND:
    case DSL_OR:
        put_chain(out, expr, 0, expr->n_items);
        return;
    case DSL_NOT:
        buf_append_c(out, "{\"type\":\"not\",\"expr\":");
        put_expr(out, expr->items[0]);
        break;
    case DSL_SIGNAL:
        buf_append_c(out, "{\"type\":\"signal_ref\"");
        put_text(out, "signalType", expr->type.text);
        put_text(out, "signalName", expr->name.text);
        if (expr->fields.n > 0)
            put_fields(out, &expr->fields);
    }
    put_pos(out, expr->at);
    buf_append_char(out, '}');
}

/* ---- routes */

static void put_model(struct buf *out, const struct dsl_model_ref *ref) {
    static const struct {
        const char *option, *key;
    } options[] = { { "reasoning", "reasoning" },
                    { "effort", "effort" },
                    { "lora", "lora" },
                    { "weight", "weight" },
                    { "param_size", "paramSize" } };
    separate(out);
    buf_append_char(out, '{');
    put_text(out, "model", ref->model.text);
    for (size_t i = 0; i < VSR_COUNT(options); i++) {
        const struct dsl_field *option = dsl_field(&ref->options, str_from_c(options[i].option));
        if (!option)
            continue;
        put_key(out, options[i].key);
        put_value(out, &option->value);
    }
    put_pos(out, ref->model.at);
    buf_append_char(out, '}');
}

static void put_models(struct buf *out, const struct dsl_model_list *models) {
    for (size_t i = 0; i < models->n; i++)
        put_model(out, &models->items[i]);
}

/* `name_key` and the fields of an algorithm, a plugin, an emission. */
static void put_block(struct buf *out, const char *name_key, const struct dsl_item *item, struct dsl_at at) {
    buf_append_char(out, '{');
    put_text(out, name_key, item->name.text);
    put_fields(out, &item->fields);
    put_pos(out, at);
    buf_append_char(out, '}');
}

static void put_iteration(struct buf *out, const struct dsl_item *item) {
    buf_append_char(out, '{');
    put_text(out, "variable", item->name.text);
    put_text(out, "source", item->source.at.line ? item->source.text : VSR_STR("models"));
    open_list(out, "models");
    put_models(out, &item->models);
    buf_append_char(out, ']');
    open_list(out, "outputs");
    for (size_t i = 0; i < item->outputs.n; i++) {
        separate(out);
        buf_append_c(out, "{\"type\":\"model\"");
        put_text(out, "value", item->outputs.items[i].model.text);
        put_pos(out, item->outputs.items[i].model.at);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
    put_pos(out, item->at);
    buf_append_char(out, '}');
}

/* The items of one kind as a list. */
static void put_items(struct buf *out, const char *key, const struct dsl_body *body, enum dsl_item_kind kind) {
    open_list(out, key);
    for (size_t i = 0; i < body->n; i++) {
        const struct dsl_item *item = &body->items[i];
        if (item->kind != kind)
            continue;
        if (kind != DSL_ITEM_MODEL)
            separate(out);
        if (kind == DSL_ITEM_MODEL)
            put_models(out, &item->models);
        else if (kind == DSL_ITEM_FOR)
            put_iteration(out, item);
        else if (kind == DSL_ITEM_EMIT)
            put_block(out, "kind", item, item->at);
        else
            put_block(out, "name", item, item->name.at);
    }
    buf_append_char(out, ']');
}

static void put_integer_item(struct buf *out, const char *key, const struct dsl_body *body, enum dsl_item_kind kind) {
    const struct dsl_item *item = dsl_item(body, kind);
    put_key(out, key);
    buf_printf(out, "%lld", item ? (long long)item->value.integer : 0LL);
}

/* What routes and branches share. `when`: NULL: none. */
static void put_body(struct buf *out, const struct dsl_body *body, const struct dsl_expr *when) {
    const struct dsl_item *algorithm = dsl_item(body, DSL_ITEM_ALGORITHM);
    put_integer_item(out, "tier", body, DSL_ITEM_TIER);
    put_key(out, "when");
    if (when)
        put_expr(out, when);
    else
        buf_append_c(out, "null");
    put_items(out, "models", body, DSL_ITEM_MODEL);
    put_items(out, "candidateIterations", body, DSL_ITEM_FOR);
    if (algorithm) {
        put_key(out, "algorithm");
        put_block(out, "algoType", algorithm, algorithm->name.at);
    }
    put_items(out, "plugins", body, DSL_ITEM_PLUGIN);
    put_items(out, "emits", body, DSL_ITEM_EMIT);
    if (dsl_item(body, DSL_ITEM_EXTRA)) {
        put_key(out, "extra");
        buf_append_char(out, '{');
        for (size_t i = 0; i < body->n; i++)
            if (body->items[i].kind == DSL_ITEM_EXTRA)
                put_members(out, &body->items[i].fields, false);
        buf_append_char(out, '}');
    }
}

static void put_description(struct buf *out, const struct dsl_decl *decl) {
    const struct dsl_item *item = dsl_item(&decl->body, DSL_ITEM_DESCRIPTION);
    if (item)
        put_text(out, "description", item->value.text);
    else
        put_text_field(out, "description", &decl->options, "description");
}

static void put_route(struct buf *out, const struct dsl_decl *decl) {
    const struct dsl_item *when = dsl_item(&decl->body, DSL_ITEM_WHEN);
    put_description(out, decl);
    put_integer_item(out, "priority", &decl->body, DSL_ITEM_PRIORITY);
    put_body(out, &decl->body, when ? when->when : NULL);
}

static void put_tree(struct buf *out, const struct dsl_decl *decl) {
    open_list(out, "branches");
    for (size_t i = 0; i < decl->n_branches; i++) {
        const struct dsl_branch *branch = &decl->branches[i];
        const struct dsl_item *name = dsl_item(&branch->body, DSL_ITEM_NAME);
        const struct dsl_item *description = dsl_item(&branch->body, DSL_ITEM_DESCRIPTION);
        separate(out);
        buf_append_char(out, '{');
        if (name)
            put_text(out, "name", name->name.text);
        if (description)
            put_text(out, "description", description->value.text);
        put_body(out, &branch->body, branch->when);
        put_pos(out, branch->at);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

/* ---- declarations */

static void put_entries(struct buf *out, const struct dsl_decl *decl) {
    open_list(out, "entries");
    for (size_t i = 0; i < decl->n_cases; i++) {
        const struct dsl_test_case *test = &decl->cases[i];
        separate(out);
        buf_append_char(out, '{');
        put_text(out, "query", test->query.text);
        put_text(out, "routeName", test->route.text);
        if (test->facts.at.line) {
            put_key(out, "facts");
            buf_append_char(out, '{');
            put_members(out, &test->facts, false);
            buf_append_char(out, '}');
        }
        put_pos(out, test->query.at);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

static void put_entrypoint(struct buf *out, const struct dsl_decl *decl) {
    const struct dsl_field *names = dsl_field(&decl->fields, VSR_STR("model_names"));
    put_key(out, "modelNames");
    if (names && names->value.kind == DSL_ARRAY)
        put_value(out, &names->value);
    else
        buf_append_c(out, "[]");
    put_text_field(out, "recipe", &decl->fields, "recipe");
}

static void put_program(struct buf *out, const struct dsl_program *program, const struct dsl_decl *recipe);

static void put_recipe(struct buf *out, const struct dsl_decl *decl) {
    put_text_field(out, "description", &decl->options, "description");
    put_key(out, "program");
    put_program(out, decl->recipe, decl);
}

static void put_decl(struct buf *out, const struct dsl_decl *decl) {
    separate(out);
    buf_append_char(out, '{');
    if (decl->kind == DSL_SIGNAL_DECL)
        put_text(out, "signalType", decl->type.text);
    if (decl->name.at.line)
        put_text(out, "name", decl->name.text);
    if (decl->kind == DSL_PLUGIN)
        put_text(out, "pluginType", decl->type.text);
    switch (decl->kind) {
    case DSL_ENTRYPOINT:
        put_entrypoint(out, decl);
        break;
    case DSL_RECIPE:
        put_recipe(out, decl);
        break;
    case DSL_PARTITION:
    case DSL_SCORE:
    case DSL_MAPPING:
        put_members(out, &decl->fields, true);
        break;
    case DSL_ROUTE:
        put_route(out, decl);
        break;
    case DSL_TREE:
        put_tree(out, decl);
        break;
    case DSL_TEST:
        put_entries(out, decl);
        break;
    default:
        put_fields(out, &decl->fields);
    }
    put_pos(out, decl->at);
    buf_append_char(out, '}');
}

/* The last ROUTING counts; in a recipe it goes before the option. */
static void put_strategy(struct buf *out, const struct dsl_program *program, const struct dsl_decl *recipe) {
    const struct dsl_decl *routing = NULL;
    DSL_EACH(decl, program, DSL_ROUTING) {
        routing = decl;
    }
    if (routing)
        put_text_field(out, "strategy", &routing->fields, "strategy");
    else if (recipe)
        put_text_field(out, "strategy", &recipe->options, "strategy");
}

static void put_program(struct buf *out, const struct dsl_program *program, const struct dsl_decl *recipe) {
    static const struct {
        const char *key;
        enum dsl_decl_kind kind;
        bool in_recipe;
    } lists[] = {
        { "entrypoints", DSL_ENTRYPOINT, false },
        { "recipes", DSL_RECIPE, false },
        { "signals", DSL_SIGNAL_DECL, true },
        { "projectionPartitions", DSL_PARTITION, true },
        { "projectionScores", DSL_SCORE, true },
        { "projectionMappings", DSL_MAPPING, true },
        { "routes", DSL_ROUTE, true },
        { "decisionTrees", DSL_TREE, true },
        { "models", DSL_MODEL, false },
        { "plugins", DSL_PLUGIN, true },
        { "testBlocks", DSL_TEST, true },
    };
    buf_append_char(out, '{');
    put_strategy(out, program, recipe);
    for (size_t i = 0; i < VSR_COUNT(lists); i++) {
        if (recipe && !lists[i].in_recipe)
            continue;
        open_list(out, lists[i].key);
        DSL_EACH(decl, program, lists[i].kind) {
            put_decl(out, decl);
        }
        buf_append_char(out, ']');
    }
    buf_append_char(out, '}');
}

void dsl_tree_json(const struct dsl_parsed *parsed, struct buf *out) {
    put_program(out, &parsed->program, NULL);
}
