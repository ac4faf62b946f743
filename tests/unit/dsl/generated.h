/*
 * generated - configurations and programs made at random out of the tables: every field of every block, over texts and
 * numbers that are hard to write. The same seed gives the same case.
 */
#ifndef VSR_TESTS_DSL_GENERATED_H
#define VSR_TESTS_DSL_GENERATED_H

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "compiled.h"
#include "config/document.h"
#include "config/yaml_edit.h"
#include "core/json_number.h"
#include "core/random.h"

struct gen {
    struct arena *arena;
    struct random random;
    const struct schema *document;
    vsr_str models[6]; /* names of the catalogue, sorted */
    size_t n_models;
    int depth;
};

enum { GEN_DEPTH_MAX = 5 };

static inline void gen_seed(struct gen *g, uint64_t seed) {
    for (size_t i = 0; i < VSR_COUNT(g->random.s); i++) { /* splitmix64 */
        uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        g->random.s[i] = z ^ z >> 31;
    }
}

/* 0 to n - 1. */
static inline size_t gen_below(struct gen *g, size_t n) {
    return n ? (size_t)(random_next(&g->random) >> 11) % n : 0;
}

static inline bool gen_chance(struct gen *g, size_t percent) {
    return gen_below(g, 100) < percent;
}

/* ---- texts and numbers */

static const char *const gen_pieces[] = {
    "a",
    "urgent",
    "B",
    "7",
    "7b",
    "0",
    "-",
    ".",
    "/",
    "_",
    " ",
    "\"",
    "\\",
    "\\d+",
    "\n",
    "\r\n",
    "\t",
    "\x01",
    "\x1f",
    "\x7f",
    "#",
    "# x",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    ": ",
    ",",
    "- ",
    "->",
    "=",
    "'",
    "''",
    "%",
    "@",
    "`",
    "!tag",
    "&a",
    "*a",
    "|",
    ">",
    "?",
    "? ",
    "~",
    "null",
    "true",
    "false",
    "yes",
    "1e5",
    "0x1F",
    ".5",
    "1_000",
    "ROUTE",
    "WHEN",
    "NOT",
    "}\nROUTE x {",
    "<<",
    "\u00a0",
    "\xC2\x85",
    "\u00e9",
    "\u200b",
    "\u200d",
    "\u2028",
    "\ufeff",
    "\u672c\u5730",
    "\u0939",
    "\u0627",
    "\U0001F469\u200d\U0001F4BB",
    "\U0010FFFF",
    "\ue000",
    "\U000E0001",
    "...",
    "---",
};

static inline vsr_str gen_text(struct gen *g) {
    vsr_str text = VSR_STR("");
    size_t n = gen_chance(g, 40) ? 1 : gen_below(g, 5);
    for (size_t i = 0; i < n; i++)
        text = arena_printf(g->arena, "%.*s%s", VSR_FMT(text), gen_pieces[gen_below(g, VSR_COUNT(gen_pieces))]);
    return text;
}

/* More often than not a word. */
static inline vsr_str gen_name(struct gen *g) {
    static const char *const words[] = { "a", "law", "computer science", "x/y-1.5", "priority", "default", "MODEL" };
    vsr_str name = gen_chance(g, 70) ? str_from_c(words[gen_below(g, VSR_COUNT(words))]) : gen_text(g);
    return str_trim(name).len ? name : VSR_STR("n");
}

static inline double gen_number(struct gen *g) {
    static const double numbers[] = {
        0,    -0.0, 1,          -1,     0.1,     0.5,    0.72,   1e-9,    1e-5,
        1e21, 1e22, 123456.789, 5e-324, DBL_MAX, 0x1p53, 0x1p63, -0x1p63, 1000,
    };
    union {
        uint64_t bits;
        double number;
    } any = { .bits = random_next(&g->random) };
    if (gen_chance(g, 70) || !isfinite(any.number))
        return numbers[gen_below(g, VSR_COUNT(numbers))];
    return fabs(any.number) > FLT_MAX || gen_chance(g, 50) ? any.number : (double)(float)any.number;
}

static inline int64_t gen_int(struct gen *g) {
    static const int64_t numbers[] = { 0, 1, 2, -1, 7, 100, 65536, INT64_MAX, INT64_MIN, INT64_C(9007199254740993) };
    return gen_chance(g, 80) ? numbers[gen_below(g, VSR_COUNT(numbers))] : (int64_t)random_next(&g->random);
}

/* ---- YAML */

static inline struct yaml_node *gen_plain(struct gen *g, vsr_str text) {
    return yaml_new_scalar(g->arena, text, NULL);
}

static inline struct yaml_node *gen_string(struct gen *g, vsr_str text) {
    struct yaml_node *node = gen_plain(g, text);
    node->quoted = true;
    node->style = YAML_DOUBLE_QUOTED;
    return node;
}

static inline void gen_put(struct gen *g, struct yaml_node *mapping, const char *key, struct yaml_node *value) {
    yaml_append(g->arena, mapping, gen_string(g, str_from_c(key)), value);
}

static inline struct yaml_node *gen_mapping(struct gen *g) {
    return yaml_new(g->arena, YAML_MAPPING, NULL);
}

static inline struct yaml_node *gen_list(struct gen *g) {
    return yaml_new(g->arena, YAML_SEQUENCE, NULL);
}

static inline bool gen_in_range(const struct field *field, double number) {
    bool open = field->flags & FIELD_LEAST_OPEN;
    return !(field->flags & FIELD_RANGE) ||
           ((open ? number > field->least : number >= field->least) && number <= field->greatest);
}

static inline struct yaml_node *gen_number_node(struct gen *g, const struct field *field) {
    char text[JSON_NUMBER_LEN_MAX];
    double number = gen_number(g);
    for (int i = 0; i < 20 && !gen_in_range(field, number); i++)
        number = gen_chance(g, 50) ? gen_number(g) : (double)gen_below(g, 1000) / 1000;
    return gen_plain(g, arena_str(g->arena, str_make(text, json_number_print(number, text))));
}

static inline struct yaml_node *gen_int_node(struct gen *g, const struct field *field) {
    int64_t number = gen_int(g);
    for (int i = 0; i < 20 && !gen_in_range(field, (double)number); i++)
        number = gen_chance(g, 50) ? gen_int(g) : (int64_t)gen_below(g, 100);
    return gen_plain(g, arena_printf(g->arena, "%" PRId64, number));
}

static inline vsr_str gen_word(struct gen *g, const struct field *field) {
    size_t n = 0;
    for (const char *const *choice = field->choices; choice && *choice; choice++)
        n++;
    return n && gen_chance(g, 90) ? str_from_c(field->choices[gen_below(g, n)]) : gen_text(g);
}

static inline struct yaml_node *gen_object(struct gen *g, const struct schema *schema);

static inline struct yaml_node *gen_texts(struct gen *g, const struct field *field) {
    struct yaml_node *list = gen_list(g);
    for (size_t i = gen_below(g, 4); i > 0; i--)
        yaml_push(g->arena, list, gen_string(g, gen_word(g, field)));
    return list;
}

/* Text in text, in maps and lists. */
static inline struct yaml_node *gen_any(struct gen *g) {
    struct yaml_node *node;
    size_t n = gen_below(g, 4);
    if (g->depth >= GEN_DEPTH_MAX || gen_chance(g, 70))
        return gen_string(g, gen_text(g));
    g->depth++;
    node = gen_chance(g, 50) ? gen_list(g) : gen_mapping(g);
    for (size_t i = 0; i < n; i++) {
        if (node->kind == YAML_SEQUENCE)
            yaml_push(g->arena, node, gen_any(g));
        else if (yaml_find(node, str_from_c(gen_pieces[i])) < 0)
            gen_put(g, node, gen_pieces[gen_below(g, 8) * 4 + i], gen_any(g));
    }
    g->depth--;
    return node;
}

static inline struct yaml_node *gen_entry(struct gen *g, const struct field *field) {
    switch (field->kind) {
    case FIELD_NUMBER_MAP:
        return gen_number_node(g, field);
    case FIELD_STRINGS_MAP:
        return gen_texts(g, field);
    case FIELD_OBJECT_MAP:
        return gen_object(g, field->object);
    default:
        return field->flags & FIELD_ANY ? gen_any(g) : gen_string(g, gen_text(g));
    }
}

static inline struct yaml_node *gen_map(struct gen *g, const struct field *field) {
    struct yaml_node *map = gen_mapping(g);
    for (size_t i = gen_below(g, 4); i > 0; i--) {
        vsr_str key = gen_name(g);
        if (yaml_find(map, key) < 0)
            yaml_append(g->arena, map, gen_string(g, key), gen_entry(g, field));
    }
    return map;
}

static inline struct yaml_node *gen_rule(struct gen *g, const char *above);

static inline struct yaml_node *gen_value(struct gen *g, const struct field *field, const struct yaml_node *object,
                                          const struct schema *schema) {
    static const char *const durations[] = { "0", "10s", "1h30m", "250ms", "1.5h" };
    static const char *const counts[] = { "0", "8K", "1.5m", "256k", "12", "2147483647", "" };
    struct yaml_node *list = gen_list(g);
    const struct field_variant *variant;
    if (field->object == &config_rule_schema && field->kind == FIELD_OPTIONAL)
        return gen_rule(g, "");
    switch (field->kind) {
    case FIELD_BOOL:
        return gen_plain(g, gen_chance(g, 50) ? VSR_STR("true") : VSR_STR("false"));
    case FIELD_INT:
        return gen_int_node(g, field);
    case FIELD_INT_OR_AUTO:
        return gen_chance(g, 50) ? gen_plain(g, VSR_STR("auto")) : gen_int_node(g, field);
    case FIELD_NUMBER:
        return gen_number_node(g, field);
    case FIELD_STRING:
    case FIELD_ENUM:
        return gen_string(g, strcmp(field->name, "name") == 0 ? gen_name(g) : gen_word(g, field));
    case FIELD_DURATION:
        return gen_string(g, str_from_c(durations[gen_below(g, VSR_COUNT(durations))]));
    case FIELD_TOKENS:
        return gen_string(g, str_from_c(counts[gen_below(g, VSR_COUNT(counts))]));
    case FIELD_STRINGS:
        return gen_texts(g, field);
    case FIELD_STRING_LISTS:
        for (size_t i = gen_below(g, 3); i > 0; i--)
            yaml_push(g->arena, list, gen_texts(g, field));
        return list;
    case FIELD_OBJECTS:
        for (size_t i = gen_below(g, 4); i > 0; i--)
            yaml_push(g->arena, list, gen_object(g, field->object));
        return list;
    case FIELD_INT_LIST:
        for (size_t i = gen_below(g, 4); i > 0; i--)
            yaml_push(g->arena, list, gen_int_node(g, field));
        return list;
    case FIELD_NUMBER_LIST:
        for (size_t i = gen_below(g, 4); i > 0; i--)
            yaml_push(g->arena, list, gen_number_node(g, field));
        return list;
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        return gen_object(g, field->object);
    case FIELD_PAIRS:
    case FIELD_NUMBER_MAP:
    case FIELD_STRINGS_MAP:
    case FIELD_OBJECT_MAP:
        return gen_map(g, field);
    case FIELD_NODE:
        return gen_any(g);
    case FIELD_VARIANT:
        variant = schema_variant(schema, field, object);
        return variant && variant->schema ? gen_object(g, variant->schema) : NULL;
    }
    return NULL;
}

/* What chooses a variant names one, as a rule. */
static inline struct yaml_node *gen_selector(struct gen *g, const struct schema *schema, const struct field *field) {
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *variant = &schema->fields[i];
        if (variant->kind == FIELD_VARIANT && variant->n_variants && strcmp(variant->selector, field->name) == 0) {
            const struct field_variant *chosen = &variant->variants[gen_below(g, variant->n_variants)];
            return chosen->old ? NULL : gen_string(g, str_from_c(chosen->name));
        }
    }
    return NULL;
}

static inline void gen_field(struct gen *g, struct yaml_node *object, const struct schema *schema,
                             const struct field *field) {
    struct yaml_node *value = gen_selector(g, schema, field);
    value = value ? value : gen_value(g, field, object, schema);
    if (value)
        gen_put(g, object, field->name, value);
}

/* Variants last, when what chooses them is known. */
static inline void gen_fields(struct gen *g, struct yaml_node *object, const struct schema *schema, size_t percent,
                              const char *const *without) {
    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < schema->n_fields; i++) {
            const struct field *field = &schema->fields[i];
            bool skipped = field->flags & FIELD_HIDDEN || (field->kind == FIELD_VARIANT) != turn;
            for (const char *const *name = without; name && *name; name++)
                skipped |= strcmp(*name, field->name) == 0;
            bool named = strcmp(field->name, "name") == 0;
            if (!skipped && (named || gen_chance(g, percent) || (field->flags & FIELD_REQUIRED && gen_chance(g, 95))))
                gen_field(g, object, schema, field);
        }
}

static inline struct yaml_node *gen_object(struct gen *g, const struct schema *schema) {
    struct yaml_node *object = gen_mapping(g);
    g->depth++;
    gen_fields(g, object, schema, g->depth >= GEN_DEPTH_MAX ? 0 : 45, NULL);
    g->depth--;
    return object;
}

/* ---- conditions, in the form that compiling gives them */

static inline struct yaml_node *gen_leaf(struct gen *g) {
    static const char *const without[] = { "type", "name", "not", "operator", "conditions", NULL };
    const struct language *language = dsl_language();
    struct yaml_node *leaf = gen_mapping(g);
    size_t at = gen_below(g, language->n_blocks[LANGUAGE_SIGNALS] + 1);
    vsr_str type =
        at < language->n_blocks[LANGUAGE_SIGNALS] ? language->names[LANGUAGE_SIGNALS][at] : VSR_STR("projection");
    gen_put(g, leaf, "type", gen_string(g, type));
    gen_put(g, leaf, "name", gen_string(g, gen_name(g)));
    gen_fields(g, leaf, &config_rule_schema, 10, without);
    return leaf;
}

static inline struct yaml_node *gen_group(struct gen *g, const char *op, size_t n) {
    struct yaml_node *group = gen_mapping(g), *conditions = gen_list(g);
    gen_put(g, group, "operator", gen_string(g, str_from_c(op)));
    gen_put(g, group, "conditions", conditions);
    g->depth++;
    for (size_t i = 0; i < n; i++)
        yaml_push(g->arena, conditions, gen_rule(g, op));
    g->depth--;
    return group;
}

/* No group of one, and none within one of the same operator. */
static inline struct yaml_node *gen_rule(struct gen *g, const char *above) {
    static const char *const operators[] = { "AND", "OR", "NOT" };
    const char *op = operators[gen_below(g, VSR_COUNT(operators))];
    bool is_not = strcmp(op, "NOT") == 0;
    if (g->depth >= GEN_DEPTH_MAX || gen_chance(g, 40) || (strcmp(op, above) == 0 && !is_not))
        return gen_leaf(g);
    return gen_group(g, op, is_not ? 1 : 2 + gen_below(g, 3));
}

static inline struct yaml_node *gen_root(struct gen *g) {
    struct yaml_node *rule, *root, *conditions;
    if (gen_chance(g, 10)) {
        root = gen_mapping(g);
        gen_put(g, root, "operator", gen_string(g, VSR_STR("AND")));
        return root;
    }
    rule = gen_rule(g, "");
    if (yaml_find(rule, VSR_STR("operator")) >= 0)
        return rule;
    root = gen_mapping(g);
    conditions = gen_list(g);
    yaml_push(g->arena, conditions, rule);
    gen_put(g, root, "operator", gen_string(g, VSR_STR("AND")));
    gen_put(g, root, "conditions", conditions);
    return root;
}

/* ---- decisions */

static inline struct yaml_node *gen_ref(struct gen *g, const struct schema *schema) {
    static const char *const without[] = { "model", NULL };
    struct yaml_node *ref = gen_mapping(g);
    gen_put(g, ref, "model", gen_string(g, g->models[gen_below(g, g->n_models)]));
    gen_fields(g, ref, schema, 30, without);
    return ref;
}

static inline struct yaml_node *gen_algorithm(struct gen *g) {
    const struct config_kinds *kinds = &dsl_parts()->algorithms;
    const struct config_kind *kind = &kinds->items[gen_below(g, kinds->n)];
    const struct language_block *block = language_block(dsl_language(), LANGUAGE_ALGORITHMS, str_from_c(kind->type));
    const struct language_field *on_error = language_field(block, VSR_STR("on_error"));
    struct yaml_node *algorithm = gen_mapping(g), *inside = NULL, *said = NULL;
    gen_put(g, algorithm, "type", gen_string(g, str_from_c(kind->type)));
    if (kind->schema && (kind->block_required || gen_chance(g, 80))) {
        inside = gen_object(g, kind->schema);
        said = yaml_get(inside, VSR_STR("on_error"));
        gen_put(g, algorithm, kind->type, inside);
    }
    if (on_error->place == PLACE_BOTH && said) /* compiling says it in both places, a configuration need not */
        gen_put(g, algorithm, "on_error", gen_chance(g, 80) ? said : gen_string(g, gen_text(g)));
    else if (on_error->place == PLACE_BESIDE && gen_chance(g, 30))
        gen_put(g, algorithm, "on_error", gen_string(g, gen_chance(g, 70) ? VSR_STR("skip") : gen_text(g)));
    return algorithm;
}

static inline struct yaml_node *gen_plugins(struct gen *g) {
    const struct config_kinds *kinds = &dsl_parts()->plugins;
    struct yaml_node *plugins = gen_list(g);
    size_t first = gen_below(g, kinds->n);
    for (size_t i = 0, n = gen_below(g, 4); i < n; i++) {
        const struct config_kind *kind = &kinds->items[(first + i) % kinds->n];
        struct yaml_node *plugin = gen_mapping(g);
        gen_put(g, plugin, "type", gen_string(g, str_from_c(kind->type)));
        if (kind->block_required || gen_chance(g, 90))
            gen_put(g, plugin, "configuration", gen_object(g, kind->schema));
        yaml_push(g->arena, plugins, plugin);
    }
    return plugins;
}

/* Loops over models that the decision has anyway. */
static inline struct yaml_node *gen_loops(struct gen *g, const struct yaml_node *refs) {
    struct yaml_node *loops = gen_list(g);
    for (size_t i = gen_chance(g, 70) ? 1 : gen_below(g, 3); i > 0; i--) {
        struct yaml_node *loop = gen_mapping(g), *models = gen_list(g), *outputs = gen_list(g);
        bool listed = gen_chance(g, 70);
        vsr_str variable = gen_chance(g, 80) ? VSR_STR("m") : VSR_STR("a_b.c/d");
        gen_put(g, loop, "variable", gen_string(g, variable));
        gen_put(g, loop, "source", gen_string(g, listed ? VSR_STR("models") : VSR_STR("decision.candidates")));
        for (size_t j = 0; listed && j < refs->n_items; j++) {
            struct yaml_node *entry = gen_mapping(g), *lora = yaml_get(refs->items[j], VSR_STR("lora_name"));
            gen_put(g, entry, "model", yaml_get(refs->items[j], VSR_STR("model")));
            if (lora)
                gen_put(g, entry, "lora_name", lora);
            if (gen_chance(g, 90) || models->n_items == 0)
                yaml_push(g->arena, models, entry);
        }
        if (models->n_items)
            gen_put(g, loop, "models", models);
        for (size_t j = gen_chance(g, 80) ? 1 : gen_below(g, 3); j > 0; j--) {
            struct yaml_node *output = gen_mapping(g);
            gen_put(g, output, "type", gen_string(g, VSR_STR("model")));
            gen_put(g, output, "value", gen_string(g, variable));
            yaml_push(g->arena, outputs, output);
        }
        gen_put(g, loop, "outputs", outputs);
        yaml_push(g->arena, loops, loop);
    }
    return loops;
}

static inline struct yaml_node *gen_emits(struct gen *g, const struct schema *schema) {
    struct yaml_node *emits = gen_list(g), *emit = gen_mapping(g);
    gen_put(g, emit, "kind", gen_string(g, VSR_STR("retention")));
    gen_put(g, emit, "retention", gen_object(g, schema_field(schema, VSR_STR("retention"))->object));
    yaml_push(g->arena, emits, emit);
    return emits;
}

static inline struct yaml_node *gen_decision(struct gen *g, const struct schema *schema) {
    static const char *const without[] = { "name",  "rules", "modelRefs", "algorithm", "plugins", "candidateIterations",
                                           "emits", NULL };
    struct yaml_node *decision = gen_mapping(g), *refs = gen_list(g);
    gen_put(g, decision, "name", gen_string(g, gen_name(g)));
    gen_fields(g, decision, schema, 20, without);
    gen_put(g, decision, "rules", gen_root(g));
    for (size_t i = gen_below(g, 4); i > 0; i--)
        yaml_push(g->arena, refs, gen_ref(g, schema_field(schema, VSR_STR("modelRefs"))->object));
    gen_put(g, decision, "modelRefs", refs);
    if (gen_chance(g, 40))
        gen_put(g, decision, "algorithm", gen_algorithm(g));
    if (gen_chance(g, 40))
        gen_put(g, decision, "plugins", gen_plugins(g));
    if (refs->n_items && gen_chance(g, 20))
        gen_put(g, decision, "candidateIterations", gen_loops(g, refs));
    if (gen_chance(g, 10))
        gen_put(g, decision, "emits", gen_emits(g, schema_field(schema, VSR_STR("emits"))->object));
    return decision;
}

/* ---- profiles */

static inline void gen_set(struct yaml_node *mapping, const char *key, struct yaml_node *value) {
    mapping->items[yaml_find(mapping, str_from_c(key))] = value;
}

static inline struct yaml_node *gen_signals(struct gen *g) {
    const struct config_families *families = &dsl_parts()->families;
    struct yaml_node *signals = gen_mapping(g);
    for (size_t i = 0; i < families->n; i++) {
        struct yaml_node *list = gen_list(g);
        if (!gen_chance(g, 8))
            continue;
        for (size_t n = 1 + gen_below(g, 2); n > 0; n--) {
            static const char *const without[] = { "name", NULL };
            struct yaml_node *rule = gen_mapping(g);
            gen_put(g, rule, "name", gen_string(g, gen_name(g)));
            gen_fields(g, rule, families->items[i].schema, 50, without);
            yaml_push(g->arena, list, rule);
        }
        gen_put(g, signals, families->items[i].list_key, list);
    }
    return signals;
}

static inline void gen_profile(struct gen *g, struct yaml_node *routing, const struct schema *schema) {
    static const char *const without[] = { "modelCards", "signals", "projections", "decisions", NULL };
    struct yaml_node *decisions = gen_list(g);
    gen_fields(g, routing, schema, 30, without);
    gen_put(g, routing, "signals", gen_signals(g));
    if (gen_chance(g, 30))
        gen_put(g, routing, "projections", gen_object(g, schema_field(schema, VSR_STR("projections"))->object));
    for (size_t i = gen_below(g, 3); i > 0; i--)
        yaml_push(g->arena, decisions, gen_decision(g, schema_field(schema, VSR_STR("decisions"))->object));
    gen_put(g, routing, "decisions", decisions);
}

static inline struct yaml_node *gen_cards(struct gen *g, const struct schema *schema) {
    static const char *const without[] = { "name", NULL };
    struct yaml_node *cards = gen_list(g);
    for (size_t i = 0; i < g->n_models; i++) {
        struct yaml_node *card = gen_mapping(g);
        gen_put(g, card, "name", gen_string(g, g->models[i]));
        gen_fields(g, card, schema, 40, without);
        yaml_push(g->arena, cards, card);
    }
    return cards;
}

/* Names of models: some words, some not, sorted and each once. */
static inline void gen_models(struct gen *g) {
    static const char *const names[] = { "\"", "7b", "a", "google/gemini-3.1-pro", "m", "small model", "~", "\u672c" };
    g->n_models = 0;
    for (size_t i = 0; i < VSR_COUNT(names) && g->n_models < VSR_COUNT(g->models); i++)
        if (gen_chance(g, 40) || (g->n_models == 0 && i == 2))
            g->models[g->n_models++] = str_from_c(names[i]);
}

static inline struct yaml_node *gen_config(struct gen *g) {
    const struct schema *routing = schema_field(g->document, VSR_STR("routing"))->object;
    const struct schema *recipe = schema_field(g->document, VSR_STR("recipes"))->object;
    const struct schema *entrypoint = schema_field(g->document, VSR_STR("entrypoints"))->object;
    struct yaml_node *root = gen_mapping(g), *profile = gen_mapping(g), *list = gen_list(g), *entries = gen_list(g);
    size_t n_recipes = gen_chance(g, 12) ? 1 + gen_below(g, 2) : 0;
    g->depth = 0;
    gen_models(g);
    gen_put(g, profile, "modelCards", gen_cards(g, schema_field(routing, VSR_STR("modelCards"))->object));
    gen_profile(g, profile, routing);
    gen_put(g, root, "routing", profile);
    for (size_t i = 0; i < n_recipes; i++) {
        static const char *const without[] = { "name", "routing", NULL };
        struct yaml_node *one = gen_mapping(g), *inner = gen_mapping(g), *entry;
        vsr_str name = gen_text(g);
        gen_put(g, one, "name", gen_string(g, arena_printf(g->arena, "r%zu%.*s", i, VSR_FMT(name))));
        gen_fields(g, one, recipe, 50, without);
        gen_profile(g, inner, schema_field(recipe, VSR_STR("routing"))->object);
        gen_put(g, one, "routing", inner);
        yaml_push(g->arena, list, one);
        entry = gen_object(g, entrypoint);
        if (yaml_find(entry, VSR_STR("recipe")) >= 0)
            gen_set(entry, "recipe", yaml_get(one, VSR_STR("name")));
        yaml_push(g->arena, entries, entry);
    }
    gen_put(g, root, "entrypoints", entries);
    gen_put(g, root, "recipes", list);
    return root;
}

#endif
