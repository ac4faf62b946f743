/*
 * fake_families - signal families for tests of config/, which knows none itself: `keyword` has plain names and lists,
 * `domain` may stand in partitions, `complexity` is referenced as rule:level, `classifier` has labels.
 */
#ifndef VSR_TESTS_FAKE_FAMILIES_H
#define VSR_TESTS_FAKE_FAMILIES_H

#include "config/document.h"
#include "config/load.h"

struct fake_rule {
    struct config_at at;
    vsr_str name, description, method;
    struct config_strings keywords;
    struct config_string_lists sequences;
    int64_t min_tokens;
    double threshold;
    struct config_predicate *predicate;
    const struct yaml_node *composer;
};

static const struct field fake_fields[] = {
    { "name", FIELD_STRING, offsetof(struct fake_rule, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name." },
    { "description", FIELD_STRING, offsetof(struct fake_rule, description), .help = "Text." },
    { "method", FIELD_STRING, offsetof(struct fake_rule, method), .help = "Method." },
    { "keywords", FIELD_STRINGS, offsetof(struct fake_rule, keywords), .flags = FIELD_VERBATIM | FIELD_NONBLANK,
      .help = "Words." },
    { "sequences", FIELD_STRING_LISTS, offsetof(struct fake_rule, sequences), .help = "Lists of words." },
    { "min_tokens", FIELD_TOKENS, offsetof(struct fake_rule, min_tokens), .help = "Tokens." },
    { "threshold", FIELD_NUMBER, offsetof(struct fake_rule, threshold), .flags = FIELD_RANGE, .fallback = "0.5",
      .least = 0, .greatest = 1, .help = "Threshold." },
    { "predicate", FIELD_OPTIONAL, offsetof(struct fake_rule, predicate), .object = &config_predicate_schema,
      .help = "Predicate." },
    { "composer", FIELD_NODE, offsetof(struct fake_rule, composer), .help = "Anything." },
};

/* Keywords keep their dollars when they are regular expressions. */
static bool fake_verbatim(const struct yaml_node *object, const struct field *field) {
    const struct yaml_node *method = yaml_get(object, VSR_STR("method"));
    (void)field;
    return method && str_eq_c(method->text, "regex");
}

static const struct schema fake_schema = SCHEMA("rule", struct fake_rule, fake_fields, .verbatim = fake_verbatim);

static const char *const fake_levels[] = { "easy", "medium", "hard", NULL };

/* One error that only a family can see. */
static void fake_check(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                       struct diag *diag) {
    (void)doc;
    CONFIG_EACH(const struct fake_rule, rule, rules)
    if (rule->threshold == 0)
        diag_error(diag, "E_RANGE", schema_field_at(&fake_schema, rule, "threshold", arena), VSR_STR(""),
                   "must not be 0 here");
}

static const struct config_family fake_family_items[] = {
    { .type = "keyword", .list_key = "keywords", .schema = &fake_schema },
    { .type = "domain", .list_key = "domains", .schema = &fake_schema, .partition_members = true },
    { .type = "embedding", .list_key = "embeddings", .schema = &fake_schema, .partition_members = true },
    { .type = "complexity", .list_key = "complexity", .schema = &fake_schema, .levels = fake_levels },
    { .type = "classifier", .list_key = "classifiers", .schema = &fake_schema, .check = fake_check, .labels = true },
    { .type = "context", .list_key = "context", .schema = &fake_schema },
};

/* An environment that tests control: NAME, value, ..., NULL. */
static const char *const fake_env_pairs[] = { "PORT",        "9000", "EMPTY",    "",      "KEY",
                                              "sk-hidden-1", "HOST", "10.1.2.3", "MULTI", "bad\r\nvalue",
                                              "ON",          "true", "1",        "one",   "W",
                                              "a$b",         NULL };

static const char *fake_env(void *data, const char *name) {
    (void)data;
    for (size_t i = 0; fake_env_pairs[i]; i += 2)
        if (strcmp(fake_env_pairs[i], name) == 0)
            return fake_env_pairs[i + 1];
    return NULL;
}

/* ---- kinds of algorithms and plugins */

struct fake_block {
    struct config_at at;
    int64_t limit;
};

static const struct field fake_block_fields[] = {
    { "limit", FIELD_INT, offsetof(struct fake_block, limit), .flags = FIELD_RANGE, .fallback = "3", .least = 1,
      .greatest = 9, .help = "How many." },
};
static const struct schema fake_block_schema = SCHEMA("fake block", struct fake_block, fake_block_fields);

static void fake_site_check(const struct config_site *site, const void *block) {
    if (site->decision->model_refs.n == 0)
        diag_error(site->diag, "E_REQUIRED", schema_at(block), VSR_STR(""), "the decision needs modelRefs");
}

static const struct config_kind fake_algorithms[] = {
    { .type = "static", .ready = true },
    { .type = "latency_aware",
      .ready = true,
      .schema = &fake_block_schema,
      .block_required = true,
      .check = fake_site_check },
    { .type = "fusion", .schema = &fake_block_schema, .looper = true, .ready = true },
    { .type = "prompt", .ready = true, .schema = &fake_block_schema },
};

static const struct config_kind fake_plugins[] = {
    { .type = "tools", .ready = true, .schema = &fake_block_schema },
    { .type = "rag", .ready = true, .schema = &fake_block_schema, .block_required = true, .check = fake_site_check },
};

static const struct config_parts fake_parts = {
    .families = { fake_family_items, VSR_COUNT(fake_family_items) },
    .algorithms = { fake_algorithms, VSR_COUNT(fake_algorithms) },
    .plugins = { fake_plugins, VSR_COUNT(fake_plugins) },
};

static inline struct config_load_options fake_options(void) {
    return (struct config_load_options){ .parts = fake_parts, .env = fake_env };
}

#endif
