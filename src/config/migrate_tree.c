#include "config/migrate_tree.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/schema.h"
#include "config/yaml_notes.h"
#include "core/arena.h"

enum {
    MESSAGE_LEN_MAX = 512,
    MERGE_PAIRS_MAX = 1 << 24, /* comparisons when two mappings are merged: no real one comes near */
};

const char *migrate_kind_name(enum migrate_kind kind) {
    static const char *const names[] = { "moved", "dropped", "check" };
    return names[kind];
}

void migrate_report(struct migrate *m, enum migrate_kind kind, const struct yaml_node *at, vsr_str path, vsr_str to,
                    const char *format, ...) {
    struct migration *result = m->result;
    char message[MESSAGE_LEN_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    result->notes = arena_grow(m->arena, result->notes, sizeof(*result->notes), result->n_notes, &result->cap);
    result->notes[result->n_notes++] = (struct migrate_note){
        .kind = kind,
        .line = at ? at->line : 0,
        .col = at ? at->col : 0,
        .path = path,
        .to = to,
        .message = arena_str(m->arena, str_from_c(message)),
    };
    result->n_checks += kind == MIGRATE_CHECK;
}

/* ---- looking */

vsr_str migrate_text(const struct yaml_node *mapping, const char *name) {
    const struct yaml_node *node = yaml_get(mapping, str_from_c(name));
    return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text : VSR_STR("");
}

bool migrate_is_empty(const struct yaml_node *node) {
    if (yaml_is_null(node))
        return true;
    return node->kind == YAML_SCALAR ? node->text.len == 0 : node->n_items == 0;
}

struct yaml_node *migrate_named(const struct yaml_node *list, vsr_str name) {
    for (size_t i = 0; name.len && list && list->kind == YAML_SEQUENCE && i < list->n_items; i++)
        if (str_eq(migrate_text(list->items[i], "name"), name))
            return list->items[i];
    return NULL;
}

/* ---- taking and making */

struct migrate_pair migrate_take(struct yaml_node *mapping, const char *name) {
    ptrdiff_t at = yaml_find(mapping, str_from_c(name));
    struct migrate_pair pair = { 0 };
    if (at < 0)
        return pair;
    pair = (struct migrate_pair){ mapping->keys[at], mapping->items[at] };
    yaml_remove(mapping, (size_t)at);
    return pair;
}

struct yaml_node *migrate_block(struct migrate *m, struct yaml_node *mapping, const char *name, enum yaml_kind kind,
                                const struct yaml_node *at) {
    ptrdiff_t found = yaml_find(mapping, str_from_c(name));
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    if (found >= 0 && mapping->items[found]->kind == kind)
        return mapping->items[found];
    if (found >= 0 && !yaml_is_null(mapping->items[found]))
        return NULL;
    if (found >= 0)
        return mapping->items[found] = yaml_new(m->arena, kind, at);
    /* What was written as {} shall not become a long line. */
    mapping->flow = mapping->flow && mapping->n_items;
    yaml_append(m->arena, mapping, yaml_new_scalar(m->arena, str_from_c(name), at), yaml_new(m->arena, kind, at));
    return mapping->items[mapping->n_items - 1];
}

struct yaml_node *migrate_mapping_at(struct migrate *m, vsr_str path, const struct yaml_node *at) {
    struct yaml_node *node = m->root;
    for (vsr_str rest = path; rest.ptr && node;) {
        vsr_str step = str_split(&rest, '.');
        node = migrate_block(m, node, arena_c_str(m->arena, step), YAML_MAPPING, at);
    }
    return node;
}

void migrate_set(struct migrate *m, struct yaml_node *mapping, const char *name, vsr_str text, bool quoted,
                 const struct yaml_node *at) {
    ptrdiff_t found = yaml_find(mapping, str_from_c(name));
    struct yaml_node *value;
    if (found >= 0 && !yaml_is_null(mapping->items[found]))
        return;
    value = yaml_new_scalar(m->arena, text, at);
    value->quoted = quoted;
    if (found >= 0)
        mapping->items[found] = value;
    else
        yaml_append(m->arena, mapping, yaml_new_scalar(m->arena, str_from_c(name), at), value);
}

/* The block of what has no place, which an earlier migration may have left. */
static struct yaml_node *unplaced_block(struct migrate *m) {
    vsr_str name = VSR_STR("x-unplaced");
    for (unsigned n = 2; !m->unplaced; n++) {
        m->unplaced = migrate_block(m, m->root, arena_c_str(m->arena, name), YAML_MAPPING, NULL);
        m->unplaced_name = name;
        name = arena_printf(m->arena, "x-unplaced-%u", n);
    }
    return m->unplaced;
}

static unsigned *new_count(struct migrate *m) {
    unsigned *n = ARENA_NEW(m->arena, unsigned);
    *n = 1;
    return n;
}

/* Paths of elements that share a name are told apart by a number. */
static vsr_str free_name(struct migrate *m, const struct yaml_node *unplaced, vsr_str path) {
    unsigned *n;
    vsr_str name = path;
    if (m->unplaced_names.n == 0)
        for (size_t i = 0; i < unplaced->n_items; i++)
            map_put(&m->unplaced_names, unplaced->keys[i]->text, new_count(m));
    n = map_get(&m->unplaced_names, path);
    if (!n) {
        map_put(&m->unplaced_names, path, new_count(m));
        return name;
    }
    do
        name = arena_printf(m->arena, "%.*s (%u)", VSR_FMT(path), ++*n);
    while (map_get(&m->unplaced_names, name));
    map_put(&m->unplaced_names, name, new_count(m));
    return name;
}

void migrate_set_aside(struct migrate *m, struct migrate_pair pair, vsr_str path, const char *why) {
    struct yaml_node *unplaced;
    vsr_str name;
    if (!pair.key)
        return;
    unplaced = unplaced_block(m);
    name = free_name(m, unplaced, path);
    migrate_report(m, MIGRATE_CHECK, pair.key, path,
                   arena_printf(m->arena, "%.*s[%.*s]", VSR_FMT(m->unplaced_name), VSR_FMT(name)), "%s", why);
    pair.key->text = name;
    pair.key->quoted = true;
    pair.key->style = YAML_PLAIN;
    yaml_append(m->arena, unplaced, pair.key, pair.value);
}

/* ---- putting */

static bool is_same(const struct yaml_node *a, const struct yaml_node *b) {
    if (a->kind != b->kind || a->n_items != b->n_items)
        return false;
    if (a->kind == YAML_SCALAR)
        return str_eq(a->text, b->text);
    for (size_t i = 0; i < a->n_items; i++) {
        if (a->kind == YAML_MAPPING && !str_eq(a->keys[i]->text, b->keys[i]->text))
            return false;
        if (!is_same(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

static void merge_mapping(struct migrate *m, struct yaml_node *into, vsr_str to, struct migrate_pair pair,
                          vsr_str path) {
    if (into->n_items * pair.value->n_items > MERGE_PAIRS_MAX) {
        migrate_set_aside(m, pair, path, "too large to be merged with what is in its new place");
        return;
    }
    for (size_t i = 0; i < pair.value->n_items; i++) {
        struct migrate_pair inner = { pair.value->keys[i], pair.value->items[i] };
        vsr_str name = inner.key->text;
        yaml_notes_give(m->arena, pair.key, inner.key);
        migrate_put(m, into, to, arena_c_str(m->arena, name), inner, schema_path(m->arena, path, name));
    }
}

/* Models and their cards are merged field by field; a rule of half one and half another would mean neither. */
static bool merges_elements(vsr_str to) {
    return str_eq_c(to, "providers.models") || str_eq_c(to, "routing.modelCards");
}

/* Other elements whose name is there already are set aside. */
static void merge_list(struct migrate *m, struct yaml_node *into, vsr_str to, struct migrate_pair pair, vsr_str path) {
    size_t n_moved = 0;
    struct map names;
    map_init(&names, m->arena);
    for (size_t i = 0; i < into->n_items; i++)
        if (migrate_text(into->items[i], "name").len)
            map_put(&names, migrate_text(into->items[i], "name"), into->items[i]);
    for (size_t i = 0; i < pair.value->n_items; i++) {
        struct yaml_node *item = pair.value->items[i];
        vsr_str name = migrate_text(item, "name");
        struct yaml_node *there = name.len ? map_get(&names, name) : NULL;
        struct migrate_pair one = { yaml_new_scalar(m->arena, name, item), item };
        if (!there) {
            yaml_push(m->arena, into, item);
            n_moved++;
        } else if (merges_elements(to)) {
            (void)migrate_take(item, "name");
            merge_mapping(m, there, schema_element_path(m->arena, to, there, 0), one,
                          arena_printf(m->arena, "%.*s[%.*s]", VSR_FMT(path), VSR_FMT(name)));
        } else if (!is_same(there, item)) {
            migrate_set_aside(m, one, schema_element_path(m->arena, path, item, i),
                              "an entry of that name is in the new place already");
        }
    }
    if (n_moved)
        migrate_report(m, MIGRATE_MOVED, pair.key, path, to, "appended to what is there");
}

/* An empty list of automatic names means that there are none; elsewhere nothing and emptiness are the same. */
static bool is_droppable(const struct yaml_node *value, vsr_str name) {
    return migrate_is_empty(value) && !(value->kind == YAML_SEQUENCE && str_eq_c(name, "auto_model_names"));
}

void migrate_put(struct migrate *m, struct yaml_node *mapping, vsr_str to_above, const char *name,
                 struct migrate_pair pair, vsr_str path) {
    vsr_str to = schema_path(m->arena, to_above, str_from_c(name));
    ptrdiff_t at = yaml_find(mapping, str_from_c(name));
    if (!pair.key)
        return;
    if (is_droppable(pair.value, str_from_c(name))) {
        migrate_report(m, MIGRATE_DROPPED, pair.key, path, VSR_STR(""), "it is empty");
        return;
    }
    if (!mapping || mapping->kind != YAML_MAPPING) {
        migrate_set_aside(m, pair, path, "its new place is taken by something of another shape");
    } else if (at < 0 || yaml_is_null(mapping->items[at])) {
        pair.key->text = arena_str(m->arena, str_from_c(name));
        if (at < 0) {
            mapping->flow = mapping->flow && mapping->n_items;
            yaml_append(m->arena, mapping, pair.key, pair.value);
        } else {
            yaml_notes_give(m->arena, mapping->keys[at], pair.key);
            mapping->keys[at] = pair.key;
            mapping->items[at] = pair.value;
        }
        migrate_report(m, MIGRATE_MOVED, pair.key, path, to, "%s", "");
    } else if (mapping->items[at]->kind == YAML_MAPPING && pair.value->kind == YAML_MAPPING) {
        merge_mapping(m, mapping->items[at], to, pair, path);
    } else if (mapping->items[at]->kind == YAML_SEQUENCE && pair.value->kind == YAML_SEQUENCE) {
        merge_list(m, mapping->items[at], to, pair, path);
    } else if (is_same(mapping->items[at], pair.value)) {
        migrate_report(m, MIGRATE_DROPPED, pair.key, path, to, "the new place says the same");
    } else {
        migrate_set_aside(m, pair, path,
                          arena_c_str(m->arena, arena_printf(m->arena, "%.*s is set as well, and wins", VSR_FMT(to))));
    }
}

void migrate_put_at(struct migrate *m, vsr_str to, struct migrate_pair pair, vsr_str path) {
    struct yaml_node *mapping = m->root;
    size_t cut = to.len;
    if (!pair.key)
        return;
    while (cut > 0 && to.ptr[cut - 1] != '.')
        cut--;
    /* What is empty makes no place for itself. */
    if (cut)
        mapping = is_droppable(pair.value, str_sub(to, cut, to.len))
                      ? NULL
                      : migrate_mapping_at(m, str_sub(to, 0, cut - 1), pair.key);
    migrate_put(m, mapping, str_sub(to, 0, cut ? cut - 1 : 0), arena_c_str(m->arena, str_sub(to, cut, to.len)), pair,
                path);
}

void migrate_rename(struct migrate *m, struct yaml_node *mapping, vsr_str path, const char *old, const char *name) {
    ptrdiff_t at = yaml_find(mapping, str_from_c(old));
    vsr_str from = schema_path(m->arena, path, str_from_c(old));
    if (at < 0)
        return;
    if (yaml_find(mapping, str_from_c(name)) >= 0) {
        migrate_put(m, mapping, path, name, migrate_take(mapping, old), from);
        return;
    }
    mapping->keys[at]->text = arena_str(m->arena, str_from_c(name));
    migrate_report(m, MIGRATE_MOVED, mapping->keys[at], from, schema_path(m->arena, path, str_from_c(name)), "renamed");
}

void migrate_order(struct migrate *m, struct yaml_node *mapping, const char *const *order) {
    struct yaml_node *sorted = yaml_new(m->arena, YAML_MAPPING, mapping);
    if (!mapping || mapping->kind != YAML_MAPPING)
        return;
    for (size_t i = 0; order[i]; i++) {
        struct migrate_pair pair = migrate_take(mapping, order[i]);
        if (pair.key)
            yaml_append(m->arena, sorted, pair.key, pair.value);
    }
    for (size_t i = 0; i < mapping->n_items; i++)
        yaml_append(m->arena, sorted, mapping->keys[i], mapping->items[i]);
    mapping->keys = sorted->keys;
    mapping->items = sorted->items;
    mapping->n_items = sorted->n_items;
    mapping->cap = sorted->cap;
}

/* ---- cards */

struct yaml_node *migrate_card(struct migrate *m, vsr_str name, const struct yaml_node *at) {
    struct yaml_node *cards =
        migrate_block(m, migrate_mapping_at(m, VSR_STR("routing"), at), "modelCards", YAML_SEQUENCE, at);
    struct yaml_node *card;
    if (!cards)
        return NULL;
    if (!m->cards_known) {
        for (size_t i = 0; i < cards->n_items; i++)
            if (migrate_text(cards->items[i], "name").len && !map_get(&m->cards, migrate_text(cards->items[i], "name")))
                map_put(&m->cards, migrate_text(cards->items[i], "name"), cards->items[i]);
        m->cards_known = true;
    }
    card = map_get(&m->cards, name);
    if (card)
        return card;
    cards->flow = cards->flow && cards->n_items;
    card = yaml_new(m->arena, YAML_MAPPING, at);
    migrate_set(m, card, "name", name, true, at);
    yaml_push(m->arena, cards, card);
    map_put(&m->cards, migrate_text(card, "name"), card);
    migrate_report(m, MIGRATE_MOVED, at, VSR_STR(""), arena_printf(m->arena, "routing.modelCards[%.*s]", VSR_FMT(name)),
                   "made for the model");
    return card;
}
