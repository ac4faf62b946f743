#include <stdlib.h>

#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/spelling.h"

static const struct language_block *block_of(const struct decompile *d, const struct yaml_node *plugin) {
    const struct yaml_node *type = yaml_get(plugin, VSR_STR("type"));
    return type && type->kind == YAML_SCALAR ? language_block(d->language, LANGUAGE_PLUGINS, type->text) : NULL;
}

/* ---- templates: decoration for each type that is used more than once */

static void count_uses(const struct decompile *d, const struct yaml_node *decisions, size_t *uses) {
    const struct language *language = d->language;
    for (size_t i = 0; decisions && i < decisions->n_items; i++) {
        const struct yaml_node *plugins = yaml_get(decisions->items[i], VSR_STR("plugins"));
        for (size_t j = 0; plugins && plugins->kind == YAML_SEQUENCE && j < plugins->n_items; j++) {
            const struct language_block *block = block_of(d, plugins->items[j]);
            for (size_t k = 0; block && k < language->n_blocks[LANGUAGE_PLUGINS]; k++)
                uses[k] += language->blocks[LANGUAGE_PLUGINS][k] == block;
        }
    }
}

void decompile_templates(struct decompile *d, const struct yaml_node *decisions) {
    const struct language *language = d->language;
    size_t *uses = ARENA_ARRAY(d->arena, size_t, language->n_blocks[LANGUAGE_PLUGINS]);
    bool any = false;
    memset(uses, 0, language->n_blocks[LANGUAGE_PLUGINS] * sizeof(*uses));
    count_uses(d, decisions, uses);
    for (size_t i = 0; i < language->n_blocks[LANGUAGE_PLUGINS]; i++) {
        vsr_str type = language->blocks[LANGUAGE_PLUGINS][i]->name;
        if (uses[i] < 2)
            continue;
        if (!any)
            decompile_header(d, "PLUGINS", (vsr_str){ 0 });
        any = true;
        buf_printf(d->out, "PLUGIN %.*s %.*s {}\n\n", VSR_FMT(type), VSR_FMT(type));
    }
}

/* ---- uses */

/* A false or a zero that was said of a field that is written in its place only when it is true. */
static bool is_later(const struct decompile_fields *fields, const struct language_field *field) {
    const struct yaml_node *value = decompile_said(fields, field);
    return field->extra || (field->zero == ZERO_LATER && value && language_is_zero(field, value));
}

static int compare_names(const void *a, const void *b) {
    const struct language_field *const *one = a, *const *other = b;
    return str_cmp((*one)->name, (*other)->name);
}

/* The fields in their order, then the extras in theirs. */
static void write_settings(struct decompile *d, const struct decompile_fields *fields) {
    const struct language_block *block = fields->block;
    const struct language_field **later = ARENA_ARRAY(d->arena, const struct language_field *, block->n_fields);
    size_t n = 0;
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct language_field *field = &block->fields[i];
        const struct yaml_node *value = decompile_shown(d, fields, field);
        if (!value)
            continue;
        if (block->order == ORDER_ROWS && is_later(fields, field))
            later[n++] = field;
        else
            decompile_line(d, fields, field, value, "    ");
    }
    if (n)
        qsort((void *)later, n, sizeof(struct language_field *), compare_names);
    for (size_t i = 0; i < n; i++)
        decompile_line(d, fields, later[i], decompile_shown(d, fields, later[i]), "    ");
}

static void write_plugin(struct decompile *d, const struct yaml_node *plugin) {
    static const char *const known[] = { "type", "configuration", NULL };
    struct decompile_fields fields = { block_of(d, plugin), NULL, NULL };
    vsr_str type = decompile_text(plugin, "type");
    size_t mark;
    if (!decompile_is_mapping(d, plugin))
        return;
    if (!fields.block) {
        decompile_wrong(d, "E203", plugin, "unknown plugin type \"%.*s\"", VSR_FMT(type));
        return;
    }
    fields.inside = decompile_mapping(d, plugin, "configuration");
    buf_printf(d->out, "  PLUGIN %.*s", VSR_FMT(fields.block->name));
    mark = decompile_open(d);
    write_settings(d, &fields);
    (void)decompile_close(d, mark); /* without braces when it is empty */
    buf_append_char(d->out, '\n');
    decompile_lost_keys(d, plugin, NULL, known);
    if (fields.inside)
        decompile_lost_keys(d, fields.inside, fields.block, NULL);
}

void decompile_plugins(struct decompile *d, const struct yaml_node *plugins) {
    for (size_t i = 0; plugins && i < plugins->n_items; i++)
        write_plugin(d, plugins->items[i]);
}
