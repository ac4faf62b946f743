#include <stdlib.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/spelling.h"

/*
 * The cards of canonical text (dsl.md §7.2): the catalogue, the models of providers, and those that routes refer to, in
 * recipes too, because compiling gives each of them a card. A LoRA has none of its own.
 */

static void add_card(struct decompile *d, vsr_str name, const struct yaml_node *card) {
    struct yaml_node *empty;
    if (map_get(&d->cards, name))
        return;
    if (!card) {
        empty = ARENA_NEW(d->arena, struct yaml_node);
        *empty = (struct yaml_node){ .kind = YAML_MAPPING };
        card = empty;
    }
    map_put(&d->cards, name, (void *)card);
}

static void add_catalogue(struct decompile *d, const struct yaml_node *cards) {
    for (size_t i = 0; cards && i < cards->n_items; i++) {
        vsr_str name = decompile_text(cards->items[i], "name");
        if (!decompile_is_mapping(d, cards->items[i]))
            continue;
        if (map_get(&d->cards, name))
            decompile_wrong(d, "E202", cards->items[i], "the model %.*s is declared twice", VSR_FMT(name));
        add_card(d, name, cards->items[i]);
    }
}

static const struct yaml_node *list_of(const struct yaml_node *mapping, const char *key) {
    const struct yaml_node *list = yaml_get(mapping, str_from_c(key));
    return list && list->kind == YAML_SEQUENCE ? list : NULL;
}

/* The catalogue's LoRAs by name. */
static void find_loras(struct decompile *d, struct map *loras) {
    size_t n = d->cards.n;
    map_init(loras, d->arena);
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *list = list_of(d->cards.entries[i].value, "loras");
        for (size_t j = 0; list && j < list->n_items; j++) {
            vsr_str name = decompile_text(list->items[j], "name");
            if (name.len)
                map_put(loras, name, list->items[j]);
        }
    }
}

static void add_providers(struct decompile *d, const struct yaml_node *root) {
    const struct yaml_node *models = list_of(yaml_get(root, VSR_STR("providers")), "models");
    for (size_t i = 0; models && i < models->n_items; i++) {
        vsr_str name = decompile_text(models->items[i], "name");
        if (name.len)
            add_card(d, name, NULL);
    }
}

static void add_referred(struct decompile *d, vsr_str model, const struct map *loras) {
    if (!map_get(loras, model))
        add_card(d, model, NULL);
}

static void add_of_decision(struct decompile *d, const struct yaml_node *decision, const struct map *loras) {
    const struct yaml_node *refs = list_of(decision, "modelRefs"), *loops = list_of(decision, "candidateIterations");
    for (size_t i = 0; refs && i < refs->n_items; i++) {
        const struct yaml_node *model = yaml_get(refs->items[i], VSR_STR("model"));
        if (!yaml_is_null(model) && model->kind == YAML_SCALAR)
            add_referred(d, model->text, loras);
    }
    for (size_t i = 0; loops && i < loops->n_items; i++) {
        const struct yaml_node *models = decompile_given(loops->items[i]);
        for (size_t j = 0; models && j < models->n_items; j++)
            add_referred(d, decompile_loop_model(models->items[j]), loras);
    }
}

static void add_of_profile(struct decompile *d, const struct yaml_node *routing, const struct map *loras) {
    const struct yaml_node *decisions = list_of(routing, "decisions");
    for (size_t i = 0; decisions && i < decisions->n_items; i++)
        if (decisions->items[i]->kind == YAML_MAPPING)
            add_of_decision(d, decisions->items[i], loras);
}

void decompile_find_cards(struct decompile *d, const struct yaml_node *root) {
    const struct yaml_node *routing = yaml_get(root, VSR_STR("routing"));
    const struct yaml_node *recipes = list_of(root, "recipes");
    struct map loras;
    map_init(&d->cards, d->arena);
    add_catalogue(d, routing ? decompile_list(d, routing, "modelCards") : NULL);
    find_loras(d, &loras);
    add_providers(d, root);
    add_of_profile(d, routing, &loras);
    for (size_t i = 0; recipes && i < recipes->n_items; i++)
        add_of_profile(d, yaml_get(recipes->items[i], VSR_STR("routing")), &loras);
}

/* ---- MODEL */

/* One LoRA a line; those without a name are none. */
static void write_loras(struct decompile *d, const struct language_field *field, const struct yaml_node *list) {
    struct decompile_fields fields = { field->block, NULL, NULL };
    size_t mark = d->out->len;
    bool first = true;
    buf_append_c(d->out, "  loras: [\n");
    for (size_t i = 0; i < list->n_items; i++) {
        bool first_field = true;
        if (decompile_text(list->items[i], "name").len == 0) {
            decompile_lost(d, list->items[i], "a LoRA without a name is none");
            continue;
        }
        fields.inside = list->items[i];
        buf_append_c(d->out, first ? "    { " : ",\n    { ");
        for (size_t j = 0; j < field->block->n_fields; j++) {
            const struct yaml_node *value = decompile_shown(d, &fields, &field->block->fields[j]);
            if (value)
                decompile_inline(d, &field->block->fields[j], value, ": ", &first_field);
        }
        decompile_lost_keys(d, list->items[i], field->block, NULL);
        buf_append_c(d->out, " }");
        first = false;
    }
    buf_append_c(d->out, "\n  ]\n");
    if (first)
        d->out->len = mark;
}

static void write_model(struct decompile *d, vsr_str name, const struct yaml_node *card) {
    static const char *const known[] = { "name", NULL };
    struct decompile_fields fields = { d->language->model, card, NULL };
    d->where = arena_printf(d->arena, "MODEL %.*s: ", VSR_FMT(name));
    buf_append_c(d->out, "MODEL ");
    spell_name(d->out, name);
    buf_append_c(d->out, " {\n");
    for (size_t i = 0; i < fields.block->n_fields; i++) {
        const struct language_field *field = &fields.block->fields[i];
        const struct yaml_node *value = decompile_shown(d, &fields, field);
        if (value && str_eq_c(field->name, "loras") && value->kind == YAML_SEQUENCE)
            write_loras(d, field, value);
        else if (value)
            decompile_line(d, &fields, field, value, "  ");
    }
    buf_append_c(d->out, "}\n\n");
    decompile_lost_keys(d, card, fields.block, known);
}

static int compare_cards(const void *a, const void *b) {
    const struct map_entry *one = a, *other = b;
    return str_cmp(one->key, other->key);
}

void decompile_models(struct decompile *d) {
    struct map_entry *sorted = ARENA_ARRAY(d->arena, struct map_entry, d->cards.n);
    if (d->cards.n == 0)
        return;
    memcpy(sorted, d->cards.entries, d->cards.n * sizeof(*sorted));
    qsort(sorted, d->cards.n, sizeof(*sorted), compare_cards);
    decompile_header(d, "MODELS", (vsr_str){ 0 });
    for (size_t i = 0; i < d->cards.n; i++)
        write_model(d, sorted[i].key, sorted[i].value);
    d->where = VSR_STR("");
}
