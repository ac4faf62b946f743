#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/spelling.h"

static const char *const named[] = { "name", NULL };

/* What a mapping with a name declares. */
static void write_declaration(struct decompile *d, const char *keyword, const struct language_block *block,
                              const struct yaml_node *node) {
    struct decompile_fields fields = { block, node, NULL };
    vsr_str name = decompile_text(node, "name");
    d->where = arena_printf(d->arena, "%s %.*s: ", keyword, VSR_FMT(name));
    if (!decompile_is_mapping(d, node))
        return;
    buf_printf(d->out, "%s ", keyword);
    spell_name(d->out, name);
    buf_append_c(d->out, " {\n");
    decompile_lines(d, &fields, "  ");
    buf_append_c(d->out, "}\n\n");
    decompile_lost_keys(d, node, block, named);
}

static void declarations(struct decompile *d, const char *keyword, const struct language_block *block,
                         const struct yaml_node *list) {
    for (size_t i = 0; list && i < list->n_items; i++)
        write_declaration(d, keyword, block, list->items[i]);
}

static void tell_unknown_lists(struct decompile *d, const struct yaml_node *signals) {
    for (size_t i = 0; signals && i < signals->n_items; i++)
        if (!language_list(d->language, signals->keys[i]->text) && !yaml_is_null(signals->items[i]))
            decompile_lost(d, signals->keys[i], "there are no signals called %.*s", VSR_FMT(signals->keys[i]->text));
}

void decompile_signals(struct decompile *d, const struct yaml_node *routing) {
    const struct yaml_node *signals = decompile_mapping(d, routing, "signals");
    const struct language *language = d->language;
    tell_unknown_lists(d, signals);
    for (size_t i = 0; i < language->n_blocks[LANGUAGE_SIGNALS]; i++) {
        const struct language_block *block = language->blocks[LANGUAGE_SIGNALS][i];
        vsr_str keyword = arena_printf(d->arena, "SIGNAL %.*s%c", VSR_FMT(block->name), '\0');
        vsr_str list = arena_printf(d->arena, "%.*s%c", VSR_FMT(block->list), '\0');
        declarations(d, keyword.ptr, block, decompile_list(d, signals, list.ptr));
        d->where = VSR_STR("");
    }
}

void decompile_projections(struct decompile *d, const struct yaml_node *routing) {
    static const char *const known[] = { "partitions", "scores", "mappings", NULL };
    const struct yaml_node *projections = decompile_mapping(d, routing, "projections");
    const struct language *language = d->language;
    declarations(d, "PROJECTION partition", language->partition, decompile_list(d, projections, known[0]));
    declarations(d, "PROJECTION score", language->score, decompile_list(d, projections, known[1]));
    declarations(d, "PROJECTION mapping", language->mapping, decompile_list(d, projections, known[2]));
    d->where = VSR_STR("");
    if (projections)
        decompile_lost_keys(d, projections, NULL, known);
}
