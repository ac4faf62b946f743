#include "dsl/keep.h"

#include "config/schema_value.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/map.h"
#include "dsl/compile.h"
#include "dsl/decompile.h"
#include "dsl/findings.h"
#include "dsl/key.h"
#include "dsl/language.h"
#include "dsl/parse.h"

/*
 * Three trees are walked side by side: `base`, what the language says of it (`said`), and what the program says now.
 *
 *   base   said   now
 *    x      -      -     the language has no words for x: it is put back
 *    x      y      y     the language says y for x, and the program still does: x again, unless they mean the same
 *    x      y      z     the program says something else: z
 *    x      y      -     the program says it no longer: nothing
 */
struct keep {
    struct arena *arena;
    const struct language *language;
};

static const struct yaml_node *value_of(const struct yaml_node *mapping, const char *key) {
    return mapping && mapping->kind == YAML_MAPPING ? yaml_get(mapping, str_from_c(key)) : NULL;
}

static vsr_str text_of(const struct yaml_node *mapping, const char *key) {
    const struct yaml_node *value = value_of(mapping, key);
    return value && value->kind == YAML_SCALAR && !yaml_is_null(value) ? value->text : VSR_STR("");
}

/* ---- keys found again */

enum { INDEX_LEAST = 16 }; /* a mapping of fewer keys is looked through */

/* Where the keys of a mapping stand; those that are appended later are not known. */
struct lookup {
    const struct yaml_node *mapping;
    struct map index; /* key -> its place, from 1 */
};

static void lookup_init(struct lookup *lookup, struct arena *arena, const struct yaml_node *mapping) {
    *lookup = (struct lookup){ mapping };
    if (mapping->kind != YAML_MAPPING || mapping->n_items < INDEX_LEAST)
        return;
    map_init(&lookup->index, arena);
    for (size_t i = 0; i < mapping->n_items; i++)
        map_put(&lookup->index, mapping->keys[i]->text, (void *)(i + 1));
}

static ptrdiff_t lookup_find(const struct lookup *lookup, vsr_str key) {
    return lookup->index.n ? (ptrdiff_t)(uintptr_t)map_get(&lookup->index, key) - 1 : yaml_find(lookup->mapping, key);
}

static const struct yaml_node *lookup_get(const struct lookup *lookup, vsr_str key) {
    ptrdiff_t at = lookup_find(lookup, key);
    return at >= 0 ? lookup->mapping->items[at] : NULL;
}

/* ---- trees compared */

/* Letters by their lower case, dashes as underscores: the language spells words and variables so. */
static bool is_same_word(vsr_str a, vsr_str b) {
    bool same = a.len == b.len;
    for (size_t i = 0; same && i < a.len; i++)
        same = a.ptr[i] == b.ptr[i] || ascii_lower(a.ptr[i]) == ascii_lower(b.ptr[i]) ||
               (a.ptr[i] == '-' && b.ptr[i] == '_');
    return same;
}

/* Whether the language only spells the base's text in another way. Numbers keep their spelling: free form shows it. */
static bool is_respelled(const struct yaml_node *base, const struct yaml_node *said) {
    bool truth, other_truth, old;
    if (is_same_word(base->text, said->text))
        return true;
    return !base->quoted && !said->quoted && value_bool(base->text, &truth, &old) == VALUE_OK &&
           value_bool(said->text, &other_truth, &old) == VALUE_OK && truth == other_truth;
}

static bool is_same(struct arena *arena, const struct yaml_node *a, const struct yaml_node *b, bool respelled);

static bool is_same_mapping(struct arena *arena, const struct yaml_node *a, const struct yaml_node *b, bool respelled) {
    struct lookup others;
    lookup_init(&others, arena, b);
    for (size_t i = 0; i < a->n_items; i++) {
        ptrdiff_t at = lookup_find(&others, a->keys[i]->text);
        if (at < 0 || !is_same(arena, a->items[i], b->items[at], respelled))
            return false;
    }
    return true;
}

/* `respelled`: `b` may spell in its own way what `a` says. */
static bool is_same(struct arena *arena, const struct yaml_node *a, const struct yaml_node *b, bool respelled) {
    if (a->kind != b->kind)
        return false;
    if (a->kind == YAML_SCALAR)
        return respelled ? is_respelled(a, b) : a->quoted == b->quoted && str_eq(a->text, b->text);
    if (a->n_items != b->n_items)
        return false;
    if (a->kind == YAML_MAPPING)
        return is_same_mapping(arena, a, b, respelled);
    for (size_t i = 0; i < a->n_items; i++)
        if (!is_same(arena, a->items[i], b->items[i], respelled))
            return false;
    return true;
}

/* ---- entries of lists */

static vsr_str plugin_type(const struct keep *k, vsr_str type) {
    const struct language_block *block = language_block(k->language, LANGUAGE_PLUGINS, type);
    return block ? block->name : type;
}

static vsr_str variable_of(const struct keep *k, const struct yaml_node *loop) {
    vsr_str name = arena_str(k->arena, text_of(loop, "variable"));
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '-')
            ((char *)name.ptr)[i] = '_';
    return name;
}

/* What tells an entry from the others of its list. */
static vsr_str identity(const struct keep *k, const struct yaml_node *entry) {
    const vsr_str parts[] = {
        text_of(entry, "name"), text_of(entry, "model"),  text_of(entry, "lora_name"),
        text_of(entry, "kind"), text_of(entry, "recipe"), variable_of(k, entry),
        text_of(entry, "kb"),   text_of(entry, "metric"), plugin_type(k, text_of(entry, "type")),
    };
    return dsl_key(k->arena, parts, VSR_COUNT(parts));
}

/* The entries of a list by what they are called; of those that are called the same, each by its number among them. */
struct index {
    struct map entries, counts;
};

static vsr_str numbered(const struct keep *k, struct map *counts, vsr_str name) {
    size_t *n = map_get(counts, name);
    if (!n) {
        n = ARENA_NEW(k->arena, size_t);
        *n = 0;
        map_put(counts, name, n);
    }
    (*n)++;
    const vsr_str parts[] = { name, str_make((const char *)n, sizeof(*n)) };
    return dsl_key(k->arena, parts, VSR_COUNT(parts));
}

static void index_list(const struct keep *k, struct index *index, const struct yaml_node *list) {
    map_init(&index->entries, k->arena);
    map_init(&index->counts, k->arena);
    for (size_t i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++)
        map_put(&index->entries, numbered(k, &index->counts, identity(k, list->items[i])), list->items[i]);
}

static bool is_list_of_mappings(const struct yaml_node *node) {
    for (size_t i = 0; node->kind == YAML_SEQUENCE && i < node->n_items; i++)
        if (node->items[i]->kind != YAML_MAPPING)
            return false;
    return node->kind == YAML_SEQUENCE && node->n_items > 0;
}

static void keep_mapping(const struct keep *k, vsr_str list, const struct yaml_node *base, const struct yaml_node *said,
                         struct yaml_node *now);

/* A loop makes a model of the route that the base has in the loop alone. */
static void drop_made(const struct keep *k, struct yaml_node *now, size_t at, const struct yaml_node *said) {
    if (said && is_same(k->arena, now->items[at], said, false))
        yaml_remove(now, at);
}

static void keep_entries(const struct keep *k, vsr_str list, const struct yaml_node *base, const struct yaml_node *said,
                         struct yaml_node *now) {
    struct index of_base, of_said;
    struct map counts;
    vsr_str *names = ARENA_ARRAY(k->arena, vsr_str, now->n_items);
    index_list(k, &of_base, base);
    index_list(k, &of_said, said);
    map_init(&counts, k->arena);
    for (size_t i = 0; i < now->n_items; i++)
        names[i] = numbered(k, &counts, identity(k, now->items[i]));
    for (size_t i = now->n_items; i > 0; i--) {
        const struct yaml_node *before = map_get(&of_base.entries, names[i - 1]);
        const struct yaml_node *words = map_get(&of_said.entries, names[i - 1]);
        /* Where the language has no words for an entry, nobody knows which of its fields the program leaves out. */
        if (before)
            keep_mapping(k, list, before, words ? words : before, now->items[i - 1]);
        else if (str_eq_c(list, "modelRefs"))
            drop_made(k, now, i - 1, words);
    }
}

/* Loops whose variable is no word. */
static void keep_loops(const struct keep *k, const struct yaml_node *base, const struct yaml_node *said,
                       struct yaml_node *decision) {
    struct index of_said;
    struct map counts;
    struct yaml_node *now = yaml_get(decision, VSR_STR("candidateIterations"));
    index_list(k, &of_said, said);
    map_init(&counts, k->arena);
    if (now == base) /* where the language has words for none of them, all were put back */
        return;
    for (size_t i = 0; base && base->kind == YAML_SEQUENCE && i < base->n_items; i++) {
        if (map_get(&of_said.entries, numbered(k, &counts, identity(k, base->items[i]))))
            continue;
        if (!now) {
            now = yaml_new(k->arena, YAML_SEQUENCE, NULL);
            yaml_append(k->arena, decision, yaml_new_scalar(k->arena, VSR_STR("candidateIterations"), NULL), now);
        }
        yaml_push(k->arena, now, base->items[i]);
    }
}

/* ---- mappings */

/* Fields of EXTRA, and options of references that few write: a program that is silent on them leaves them (dsl.md
 * §7.5).
 */
static bool is_extra(const struct keep *k, vsr_str list, vsr_str key) {
    const struct language_field *option = language_field(k->language->ref, key);
    if (str_eq_c(list, "modelRefs"))
        return option && option->extra;
    return str_eq_c(list, "decisions") && language_field(k->language->extra, key);
}

/* Mappings that stand for themselves, whatever is in them. */
static bool is_section(vsr_str list, vsr_str key) {
    return list.len == 0 && (str_eq_c(key, "routing") || str_eq_c(key, "signals") || str_eq_c(key, "projections"));
}

/* Blocks of another type have nothing in common. */
static bool is_other_type(const struct keep *k, const struct yaml_node *base, const struct yaml_node *now) {
    return !str_eq(plugin_type(k, text_of(base, "type")), plugin_type(k, text_of(now, "type")));
}

static bool is_nothing(const struct yaml_node *node) {
    return node->kind == YAML_SCALAR ? node->text.len == 0 : node->n_items == 0;
}

/* What no key of the program says. `said`: what the program of the base says there, or NULL. */
static void keep_absent(const struct keep *k, vsr_str list, const struct yaml_node *base, size_t at,
                        const struct yaml_node *said, struct yaml_node *now) {
    struct yaml_node *key = base->keys[at], *value = base->items[at];
    if (is_section(list, key->text) && value->kind == YAML_MAPPING) {
        struct yaml_node *kept = yaml_new(k->arena, YAML_MAPPING, value), none = { .kind = YAML_MAPPING };
        keep_mapping(k, list, value, said ? said : &none, kept);
        value = kept;
    } else if (said && !is_extra(k, list, key->text)) {
        return;
    }
    if (!is_nothing(value))
        yaml_append(k->arena, now, key, value);
}

/* What both say. */
static struct yaml_node *kept_value(const struct keep *k, vsr_str key, struct yaml_node *base,
                                    const struct yaml_node *said, struct yaml_node *now) {
    static const struct yaml_node none = { .kind = YAML_MAPPING }, no_entries = { .kind = YAML_SEQUENCE };
    bool rules = str_eq_c(key, "rules");
    if (str_eq_c(key, "type")) /* is_other_type() knows that it is the same, however it is spelled */
        return now;
    if (base->kind == YAML_MAPPING && now->kind == YAML_MAPPING && !rules) {
        keep_mapping(k, VSR_STR(""), base, said ? said : &none, now);
        return now;
    }
    if (is_list_of_mappings(base) && is_list_of_mappings(now)) {
        keep_entries(k, key, base, said ? said : &no_entries, now);
        return now;
    }
    return said && is_same(k->arena, said, now, false) && !is_same(k->arena, base, said, true) ? base : now;
}

/* A reference that only a loop makes is none of the base's. */
static void keep_refs(const struct keep *k, const struct yaml_node *base, const struct yaml_node *said,
                      struct yaml_node *decision) {
    static const struct yaml_node none = { .kind = YAML_SEQUENCE };
    ptrdiff_t at = yaml_find(decision, VSR_STR("modelRefs"));
    if (at < 0 || decision->items[at]->kind != YAML_SEQUENCE)
        return;
    keep_entries(k, VSR_STR("modelRefs"), base ? base : &none, said ? said : &none, decision->items[at]);
    if (decision->items[at]->n_items == 0)
        yaml_remove(decision, (size_t)at);
}

/* `list`: the mapping is an entry of the list of that key; empty: it is none. */
static void keep_mapping(const struct keep *k, vsr_str list, const struct yaml_node *base, const struct yaml_node *said,
                         struct yaml_node *now) {
    struct lookup of_said, of_now;
    bool decision = str_eq_c(list, "decisions");
    if (is_other_type(k, base, now))
        return;
    lookup_init(&of_said, k->arena, said);
    lookup_init(&of_now, k->arena, now);
    for (size_t i = 0; i < base->n_items; i++) {
        vsr_str key = base->keys[i]->text;
        ptrdiff_t at = lookup_find(&of_now, key);
        const struct yaml_node *words = lookup_get(&of_said, key);
        if (yaml_is_null(base->items[i]) || (decision && at >= 0 && str_eq_c(key, "modelRefs")))
            continue;
        if (at < 0)
            keep_absent(k, list, base, i, words, now);
        else
            now->items[at] = kept_value(k, key, base->items[i], words, now->items[at]);
    }
    if (!decision)
        return;
    keep_refs(k, value_of(base, "modelRefs"), value_of(said, "modelRefs"), now);
    keep_loops(k, value_of(base, "candidateIterations"), value_of(said, "candidateIterations"), now);
}

/* ---- all of it */

/* What the language says of the base; NULL: more than a program may have. */
static const struct yaml_node *said_of(const struct keep *k, const struct yaml_node *base) {
    const struct yaml_node *said = NULL;
    struct findings findings;
    struct dsl_parsed parsed;
    struct buf text;
    findings_init(&findings, k->arena);
    buf_init(&text, DSL_BYTES_MAX);
    dsl_decompile(k->arena, k->language, base, &findings, &text);
    if (!buf_failed(&text)) {
        findings_init(&findings, k->arena);
        dsl_parse(k->arena, arena_str(k->arena, buf_str(&text)), &parsed, &findings);
        said = dsl_compile(k->arena, k->language, &parsed.program, &findings);
    }
    buf_done(&text);
    return said;
}

int dsl_keep(struct arena *arena, const struct language *language, const struct yaml_node *base,
             struct yaml_node *compiled) {
    static const vsr_str keys[] = { VSR_STR_INIT("routing"), VSR_STR_INIT("entrypoints"), VSR_STR_INIT("recipes") };
    const struct keep k = { arena, language };
    struct yaml_node *policy = yaml_new(arena, YAML_MAPPING, NULL);
    const struct yaml_node *said;
    for (size_t i = 0; i < VSR_COUNT(keys); i++) {
        ptrdiff_t at = yaml_find(base, keys[i]);
        if (at >= 0 && !yaml_is_null(base->items[at]))
            yaml_append(arena, policy, base->keys[at], base->items[at]);
    }
    if (policy->n_items == 0)
        return 0;
    said = said_of(&k, base);
    if (!said)
        return VSR_E_LIMIT;
    keep_mapping(&k, VSR_STR(""), policy, said, compiled);
    return 0;
}
