#include "dsl/decompile.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/spelling.h"

enum { RULE_COLUMNS = 77, MESSAGE_LEN_MAX = 512 };

/* ---- messages */

static struct dsl_at place_of(const struct yaml_node *node) {
    return (struct dsl_at){ node->start, node->end, node->line, node->col };
}

__attribute__((format(printf, 5, 0))) static void tell(struct decompile *d, enum finding_level level, const char *code,
                                                       const struct yaml_node *node, const char *format, va_list args) {
    char text[MESSAGE_LEN_MAX];
    (void)vsnprintf(text, sizeof(text), format, args);
    (void)finding_add(d->findings, level, code, place_of(node), "%.*s%s", VSR_FMT(d->where), text);
}

void decompile_lost(struct decompile *d, const struct yaml_node *node, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(d, FINDING_WARNING, "W501", node, format, args);
    va_end(args);
}

void decompile_wrong(struct decompile *d, const char *code, const struct yaml_node *node, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(d, FINDING_ERROR, code, node, format, args);
    va_end(args);
}

static bool is_listed(const char *const *names, vsr_str name) {
    for (; names && *names; names++)
        if (str_eq_c(name, *names))
            return true;
    return false;
}

static bool has_field(const struct language_block *block, vsr_str key, bool beside) {
    for (size_t i = 0; block && i < block->n_fields; i++)
        if (str_eq_c(key, block->fields[i].field->name) &&
            (beside ? block->fields[i].place != PLACE_INSIDE : block->fields[i].place != PLACE_BESIDE))
            return true;
    return false;
}

static void lost_keys(struct decompile *d, const struct yaml_node *mapping, const struct language_block *block,
                      bool beside, const char *const *known) {
    for (size_t i = 0; mapping->kind == YAML_MAPPING && i < mapping->n_items; i++) {
        vsr_str key = mapping->keys[i]->text;
        if (!yaml_is_null(mapping->items[i]) && !is_listed(known, key) && !has_field(block, key, beside))
            decompile_lost(d, mapping->keys[i], "the language has no place for the field %.*s", VSR_FMT(key));
    }
}

void decompile_lost_keys(struct decompile *d, const struct yaml_node *mapping, const struct language_block *block,
                         const char *const *known) {
    lost_keys(d, mapping, block, false, known);
}

void decompile_lost_beside(struct decompile *d, const struct yaml_node *mapping, const struct language_block *block,
                           const char *const *known) {
    lost_keys(d, mapping, block, true, known);
}

/* ---- reading */

static const struct yaml_node *child(struct decompile *d, const struct yaml_node *mapping, const char *key,
                                     enum yaml_kind kind) {
    const struct yaml_node *node = mapping ? yaml_get(mapping, str_from_c(key)) : NULL;
    if (yaml_is_null(node))
        return NULL;
    if (node->kind == kind)
        return node;
    decompile_wrong(d, "E210", node, "%s must be a %s", key, kind == YAML_SEQUENCE ? "list" : "mapping");
    return NULL;
}

const struct yaml_node *decompile_list(struct decompile *d, const struct yaml_node *mapping, const char *key) {
    return child(d, mapping, key, YAML_SEQUENCE);
}

const struct yaml_node *decompile_mapping(struct decompile *d, const struct yaml_node *mapping, const char *key) {
    return child(d, mapping, key, YAML_MAPPING);
}

bool decompile_is_mapping(struct decompile *d, const struct yaml_node *node) {
    if (node->kind == YAML_MAPPING)
        return true;
    decompile_wrong(d, "E210", node, "a mapping is expected here");
    return false;
}

vsr_str decompile_text(const struct yaml_node *mapping, const char *key) {
    const struct yaml_node *node = mapping ? yaml_get(mapping, str_from_c(key)) : NULL;
    return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text : VSR_STR("");
}

/* ---- sections */

static void write_rule(struct decompile *d) {
    char rule[RULE_COLUMNS];
    memset(rule, '=', sizeof(rule));
    buf_append_c(d->out, "# ");
    buf_append(d->out, str_make(rule, sizeof(rule)));
    buf_append_char(d->out, '\n');
}

void decompile_header(struct decompile *d, const char *title, vsr_str name) {
    write_rule(d);
    buf_printf(d->out, "# %s", title);
    if (name.ptr) {
        buf_append_char(d->out, ' ');
        spell_name(d->out, name);
    }
    buf_append_char(d->out, '\n');
    write_rule(d);
    buf_append_char(d->out, '\n');
}

/* `strategy` is a bare word where it can be one; a profile that has other settings alone says an empty one. */
static void write_settings(struct decompile *d, const struct yaml_node *routing) {
    struct decompile_fields fields = { d->language->routing, routing, NULL };
    vsr_str strategy = decompile_text(routing, "strategy");
    if (!routing || !decompile_has_fields(d, &fields))
        return;
    decompile_header(d, "ROUTING PROFILE", (vsr_str){ 0 });
    buf_append_c(d->out, "ROUTING {\n  strategy: ");
    spell_word(d->out, strategy);
    buf_append_char(d->out, '\n');
    for (size_t i = 0; i < fields.block->n_fields; i++) {
        const struct language_field *field = &fields.block->fields[i];
        const struct yaml_node *value = decompile_shown(d, &fields, field);
        if (value && !str_eq_c(field->name, "strategy"))
            decompile_line(d, &fields, field, value, "  ");
    }
    buf_append_c(d->out, "}\n\n");
}

/* All of a scope; the catalogue of models belongs to the whole. */
static void write_profile(struct decompile *d, const struct yaml_node *routing, bool whole) {
    static const char *const known[] = { "signals", "projections", "decisions", "modelCards", NULL };
    static const char *const known_of_recipes[] = { "signals", "projections", "decisions", NULL };
    const struct yaml_node *decisions = routing ? decompile_list(d, routing, "decisions") : NULL;
    write_settings(d, routing);
    decompile_header(d, "SIGNALS", (vsr_str){ 0 });
    decompile_signals(d, routing);
    decompile_projections(d, routing);
    if (whole)
        decompile_models(d);
    decompile_templates(d, decisions);
    decompile_routes(d, decisions);
    if (routing)
        decompile_lost_keys(d, routing, d->language->routing, whole ? known : known_of_recipes);
}

static void write_entrypoints(struct decompile *d, const struct yaml_node *entrypoints) {
    if (!entrypoints || entrypoints->n_items == 0)
        return;
    decompile_header(d, "ENTRYPOINTS", (vsr_str){ 0 });
    for (size_t i = 0; i < entrypoints->n_items; i++) {
        struct decompile_fields fields = { d->language->entrypoint, entrypoints->items[i], NULL };
        d->where = VSR_STR("ENTRYPOINT: ");
        if (!decompile_is_mapping(d, entrypoints->items[i]))
            continue;
        buf_append_c(d->out, "ENTRYPOINT {\n");
        decompile_lines(d, &fields, "  ");
        buf_append_c(d->out, "}\n\n");
        decompile_lost_keys(d, entrypoints->items[i], fields.block, NULL);
    }
    d->where = VSR_STR("");
}

/* ---- recipes */

/* Text has a break at the end of each line; empty lines stay empty. */
static void append_indented(struct buf *out, vsr_str text) {
    while (text.len) {
        size_t end = (size_t)str_find_char(text, '\n') + 1;
        if (end > 1)
            buf_append_c(out, "  ");
        buf_append(out, str_sub(text, 0, end));
        text = str_sub(text, end, text.len);
    }
}

static void write_recipe(struct decompile *d, const struct yaml_node *recipe) {
    static const char *const known[] = { "name", "description", "routing", NULL };
    vsr_str name = decompile_text(recipe, "name"), description = decompile_text(recipe, "description");
    vsr_str prefix = d->findings->prefix;
    struct buf *out = d->out, body;
    decompile_header(d, "RECIPE", name);
    buf_append_c(out, "RECIPE ");
    spell_name(out, name);
    if (description.len) {
        buf_append_c(out, " (description = ");
        spell_string(out, description);
        buf_append_char(out, ')');
    }
    buf_append_c(out, " {\n");
    d->findings->prefix = arena_printf(d->arena, "recipe \"%.*s\": ", VSR_FMT(name));
    buf_init(&body, out->max);
    d->out = &body;
    write_profile(d, decompile_mapping(d, recipe, "routing"), false);
    d->out = out;
    append_indented(out, buf_str(&body));
    if (buf_failed(&body))
        (void)buf_reserve(out, out->max + 1); /* its failure is ours */
    buf_done(&body);
    buf_append_c(out, "}\n\n");
    decompile_lost_keys(d, recipe, NULL, known);
    d->findings->prefix = prefix;
}

static void write_recipes(struct decompile *d, const struct yaml_node *recipes) {
    for (size_t i = 0; recipes && i < recipes->n_items; i++) {
        vsr_str name = decompile_text(recipes->items[i], "name");
        if (!decompile_is_mapping(d, recipes->items[i]))
            continue;
        if (str_eq_c(name, "default"))
            decompile_wrong(d, "E202", recipes->items[i],
                            "in the language, default is the name of the profile that belongs to no RECIPE");
        write_recipe(d, recipes->items[i]);
    }
}

/* Something else in YAML would become an empty program, and all would be well. Nothing at all is one. */
static bool is_configuration(struct decompile *d, const struct yaml_node *root) {
    static const char *const keys[] = { "version",     "listeners", "providers", "routing",
                                        "entrypoints", "recipes",   "global" };
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        if (yaml_find(root, str_from_c(keys[i])) >= 0)
            return true;
    if (root->n_items == 0)
        return true;
    decompile_wrong(d, "E210", root->keys[0],
                    "this is no configuration: expected routing, entrypoints or recipes, or version, listeners, "
                    "providers or global");
    return false;
}

void dsl_decompile(struct arena *arena, const struct language *language, const struct yaml_node *root,
                   struct findings *findings, struct buf *out) {
    struct decompile d = { .arena = arena, .language = language, .findings = findings, .out = out };
    if (yaml_is_null(root))
        root = yaml_new(arena, YAML_MAPPING, root);
    if (!decompile_is_mapping(&d, root) || !is_configuration(&d, root))
        return;
    decompile_find_cards(&d, root);
    write_profile(&d, decompile_mapping(&d, root, "routing"), true);
    write_entrypoints(&d, decompile_list(&d, root, "entrypoints"));
    write_recipes(&d, decompile_list(&d, root, "recipes"));
    while (out->len > 1 && out->ptr[out->len - 1] == '\n' && out->ptr[out->len - 2] == '\n')
        out->len--;
    if (out->len > DSL_BYTES_MAX)
        decompile_wrong(&d, "E106", root, "the text is %zu bytes long, and the language reads at most %d", out->len,
                        DSL_BYTES_MAX);
}
