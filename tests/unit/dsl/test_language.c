/* The blocks of the language over the configuration's tables: names, orders, zeros, nothing left out. */
#include "test.h"

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "dsl/language.h"
#include "dsl/language_rows.h"
#include "parts.h"

struct fixture {
    struct arena *arena;
    const struct language *language;
};

static struct fixture fixture_make(void) {
    struct fixture f = { .arena = arena_new(0, 0) };
    f.language = language_build(f.arena, dsl_parts());
    return f;
}

static void check_names(const struct language *language, enum language_kind kind, const char *const *want, size_t n) {
    CHECK_INT(language->n_blocks[kind], n, "blocks");
    for (size_t i = 0; i < n; i++)
        CHECK_STR(language->names[kind][i], want[i], "name");
}

TEST(names_are_those_of_the_language) {
    static const char *const signals[] = {
        "authz",    "classifier", "complexity", "context", "conversation", "domain",        "embedding",
        "event",    "fact_check", "jailbreak",  "kb",      "keyword",      "language",      "metadata",
        "modality", "pii",        "preference", "reask",   "structure",    "user_feedback",
    };
    static const char *const algorithms[] = {
        "automix",      "confidence", "fusion",  "hybrid", "kmeans",    "knn",    "latency_aware", "mlp",
        "multi_factor", "prompt",     "ratings", "remom",  "router_dc", "static", "svm",           "workflows",
    };
    static const char *const plugins[] = {
        "context_compression",
        "fast_response",
        "hallucination",
        "header_mutation",
        "image_gen",
        "memory",
        "rag",
        "request_params",
        "response_cache",
        "response_jailbreak",
        "router_replay",
        "system_prompt",
        "tool_selection",
        "tools",
    };
    struct fixture f = fixture_make();
    check_names(f.language, LANGUAGE_SIGNALS, signals, VSR_COUNT(signals));
    check_names(f.language, LANGUAGE_ALGORITHMS, algorithms, VSR_COUNT(algorithms));
    check_names(f.language, LANGUAGE_PLUGINS, plugins, VSR_COUNT(plugins));
    arena_free(f.arena);
}

/* ---- the rows name what is there */

static void check_row(const struct language_block *block, const struct language_row *row) {
    const struct language_field *field = language_field(block, str_from_c(row->name));
    CHECK_MSG(field != NULL, "%.*s: no field %s", VSR_FMT(block->name), row->name);
    CHECK_MSG(!field->extra, "%.*s: %s is an extra", VSR_FMT(block->name), row->name);
    CHECK_MSG(field->place == row->place, "%.*s: place of %s", VSR_FMT(block->name), row->name);
    for (size_t i = 0; row->nested && i < row->nested->n; i++)
        if (row->nested->items[i].nested != row->nested) /* rule trees hold themselves */
            check_row(field->block, &row->nested->items[i]);
}

static void check_rows(const struct language_block *block, const struct language_rows *rows) {
    CHECK_MSG(block != NULL, "no block for the rows of %s", rows->name);
    for (size_t i = 0; i < rows->n; i++) {
        check_row(block, &rows->items[i]);
        if (rows->order == ORDER_ROWS)
            CHECK_STR(block->fields[i].name, rows->items[i].name, rows->name);
    }
}

TEST(every_row_names_a_field) {
    static const struct language_row_set *const sets[LANGUAGE_KINDS] = { &language_signal_rows,
                                                                         &language_algorithm_rows,
                                                                         &language_plugin_rows };
    struct fixture f = fixture_make();
    for (int kind = 0; kind < LANGUAGE_KINDS; kind++)
        for (size_t i = 0; i < sets[kind]->n; i++) {
            const struct language_rows *rows = &sets[kind]->items[i];
            check_rows(language_block(f.language, (enum language_kind)kind, str_from_c(rows->name)), rows);
        }
    check_rows(f.language->partition, &language_partition_rows);
    check_rows(f.language->score, &language_score_rows);
    check_rows(f.language->mapping, &language_mapping_rows);
    check_rows(f.language->model, &language_model_rows);
    check_rows(f.language->entrypoint, &language_entrypoint_rows);
    check_rows(f.language->retention, &language_retention_rows);
    check_rows(f.language->routing, &language_routing_rows);
    check_rows(f.language->leaf, &language_leaf_rows);
    check_rows(f.language->ref, &language_ref_rows);
    check_rows(f.language->extra, &language_extra_rows);
    arena_free(f.arena);
}

/* ---- the configuration's fields are all there */

static void check_whole(const struct language_block *block, const char *hidden) {
    for (size_t i = 0; block->schema && i < block->schema->n_fields; i++) {
        const struct field *field = &block->schema->fields[i];
        bool found = strcmp(field->name, hidden) == 0;
        for (size_t j = 0; j < block->n_fields; j++)
            found |= block->fields[j].field == field;
        CHECK_MSG(found, "%.*s: %s is lost", VSR_FMT(block->name), field->name);
    }
    for (size_t i = 0; i < block->n_fields; i++) {
        size_t n = 0;
        for (size_t j = 0; j < block->n_fields; j++)
            n += block->yaml[j] == &block->fields[i];
        CHECK_INT(n, 1, "each field once in YAML's order");
    }
}

TEST(no_field_is_lost) {
    struct fixture f = fixture_make();
    for (int kind = 0; kind < LANGUAGE_KINDS; kind++)
        for (size_t i = 0; i < f.language->n_blocks[kind]; i++)
            check_whole(f.language->blocks[kind][i], kind == LANGUAGE_SIGNALS ? "name" : "");
    check_whole(f.language->partition, "name");
    check_whole(f.language->score, "name");
    check_whole(f.language->mapping, "name");
    check_whole(f.language->model, "name");
    check_whole(f.language->entrypoint, "");
    check_whole(f.language->retention, "");
    CHECK(language_field(f.language->extra, VSR_STR("annotations")) != NULL, "annotations");
    CHECK(language_field(f.language->extra, VSR_STR("on_unknown")) != NULL, "on_unknown");
    CHECK(language_field(f.language->extra, VSR_STR("rules")) == NULL, "rules");
    CHECK(language_field(f.language->extra, VSR_STR("name")) == NULL, "name");
    CHECK(language_field(f.language->routing, VSR_STR("untiered")) != NULL, "untiered");
    CHECK(language_field(f.language->routing, VSR_STR("decisions")) == NULL, "decisions");
    CHECK(language_field(f.language->ref, VSR_STR("reasoning_description")) != NULL, "reasoning_description");
    CHECK(language_field(f.language->ref, VSR_STR("use_reasoning")) == NULL, "use_reasoning");
    CHECK(language_field(f.language->leaf, VSR_STR("on_unknown")) != NULL, "leaf");
    arena_free(f.arena);
}

/* ---- orders */

static vsr_str joined(struct arena *arena, const struct language_block *block, bool yaml) {
    vsr_str text = VSR_STR("");
    for (size_t i = 0; i < block->n_fields; i++) {
        const struct language_field *field = yaml ? block->yaml[i] : &block->fields[i];
        text = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(text), i ? " " : "", VSR_FMT(field->name));
    }
    return text;
}

TEST(fields_stand_in_order) {
    struct fixture f = fixture_make();
    const struct language_block *context = language_block(f.language, LANGUAGE_SIGNALS, VSR_STR("context"));
    const struct language_block *tools = language_block(f.language, LANGUAGE_PLUGINS, VSR_STR("tool_selection"));
    const struct language_block *prompt = language_block(f.language, LANGUAGE_ALGORITHMS, VSR_STR("prompt"));
    const struct language_block *aware = language_block(f.language, LANGUAGE_ALGORITHMS, VSR_STR("latency_aware"));
    const struct language_block *output = language_field(f.language->mapping, VSR_STR("outputs"))->block;
    CHECK_STR(joined(f.arena, context, false), "description min_tokens max_tokens include_output_reserve", "context");
    CHECK_STR(joined(f.arena, tools, false),
              "enabled mode tools_db_path top_k similarity_threshold strategy fallback_to_empty relevance_threshold "
              "preserve_count advanced_filtering",
              "tool_selection");
    CHECK_STR(joined(f.arena, f.language->model, false),
              "param_size context_window_size description capabilities loras tags quality_score modality", "model");
    CHECK_STR(joined(f.arena, f.language->model, true),
              "param_size context_window_size description capabilities loras quality_score modality tags", "card");
    CHECK_STR(joined(f.arena, output, false), "name gt gte lt lte", "output");
    CHECK_STR(joined(f.arena, output, true), "name lt lte gt gte", "output in YAML");
    CHECK_STR(joined(f.arena, prompt, false), "on_error prompt", "prompt");
    CHECK_STR(joined(f.arena, aware, false), "description on_error tpot_percentile ttft_percentile", "latency_aware");
    CHECK_STR(joined(f.arena, f.language->ref, true), "lora weight reasoning effort reasoning_description", "ref");
    CHECK_STR(f.language->blocks[LANGUAGE_SIGNALS][0]->name, "domain", "first signal");
    CHECK_STR(f.language->lists[0]->list, "keywords", "first list");
    CHECK_STR(f.language->lists[19]->list, "classifiers", "last list");
    arena_free(f.arena);
}

TEST(rule_trees_hold_themselves) {
    struct fixture f = fixture_make();
    const struct language_block *complexity = language_block(f.language, LANGUAGE_SIGNALS, VSR_STR("complexity"));
    const struct language_block *composer = language_field(complexity, VSR_STR("composer"))->block;
    CHECK(language_field(composer, VSR_STR("conditions"))->block == composer, "composer");
    CHECK_STR(composer->fields[0].name, "operator", "operator first");
    arena_free(f.arena);
}

/* ---- other spellings */

TEST(plugins_have_other_spellings) {
    static const char *const spellings[][2] = {
        { "semantic-cache", "response_cache" },         { "semantic_cache", "response_cache" },
        { "response-cache", "response_cache" },         { "context-compression", "context_compression" },
        { "system-prompt", "system_prompt" },           { "header-mutation", "header_mutation" },
        { "router-replay", "router_replay" },           { "image-gen", "image_gen" },
        { "fast-response", "fast_response" },           { "request-params", "request_params" },
        { "response-jailbreak", "response_jailbreak" },
    };
    struct fixture f = fixture_make();
    for (size_t i = 0; i < VSR_COUNT(spellings); i++) {
        const struct language_block *block = language_block(f.language, LANGUAGE_PLUGINS, str_from_c(spellings[i][0]));
        CHECK_MSG(block != NULL, "%s", spellings[i][0]);
        CHECK_STR(block->name, spellings[i][1], spellings[i][0]);
    }
    CHECK(!language_block(f.language, LANGUAGE_PLUGINS, VSR_STR("system_promt")), "unknown");
    CHECK(!language_block(f.language, LANGUAGE_SIGNALS, VSR_STR("fact-check")), "signals have one spelling");
    CHECK_STR(language_list(f.language, VSR_STR("role_bindings"))->name, "authz", "list");
    arena_free(f.arena);
}

/* ---- zeros */

static const struct {
    enum language_kind kind;
    const char *block, *field, *value; /* NULL: absent */
    bool text, yaml;
} zeros[] = {
    { LANGUAGE_SIGNALS, "keyword", "case_sensitive", NULL, false, true },
    { LANGUAGE_SIGNALS, "keyword", "case_sensitive", "false", false, true },
    { LANGUAGE_SIGNALS, "keyword", "case_sensitive", "true", true, true },
    { LANGUAGE_SIGNALS, "keyword", "case_sensitive", "no", false, true },
    { LANGUAGE_SIGNALS, "keyword", "case_sensitive", "On", true, true },
    { LANGUAGE_SIGNALS, "keyword", "fuzzy_match", "false", false, false },
    { LANGUAGE_SIGNALS, "keyword", "fuzzy_match", "OFF", false, false },
    { LANGUAGE_SIGNALS, "keyword", "ngram_arity", "0", true, true }, /* its default is 3 */
    { LANGUAGE_SIGNALS, "embedding", "aggregation_method", NULL, true, true },
    { LANGUAGE_SIGNALS, "embedding", "query_modality", "text", false, false },
    { LANGUAGE_SIGNALS, "embedding", "query_modality", "image", true, true },
    { LANGUAGE_SIGNALS, "context", "min_tokens", "0", true, true },
    { LANGUAGE_SIGNALS, "context", "min_tokens", "", false, true },
    { LANGUAGE_SIGNALS, "jailbreak", "threshold", "-0.0", false, true },
    { LANGUAGE_SIGNALS, "jailbreak", "threshold", "0.01", true, true },
    { LANGUAGE_SIGNALS, "complexity", "threshold", "0", true, true },
    { LANGUAGE_ALGORITHMS, "hybrid", "normalize_scores", "false", true, true },
    { LANGUAGE_ALGORITHMS, "static", "on_error", "", false, false },
    { LANGUAGE_PLUGINS, "memory", "enabled", "false", true, true },
    { LANGUAGE_PLUGINS, "response_jailbreak", "enabled", "false", true, true },
    { LANGUAGE_PLUGINS, "response_jailbreak", "enabled", NULL, true, true },
    { LANGUAGE_PLUGINS, "request_params", "max_n", NULL, false, false },
};

TEST(zeros_are_written_where_they_count) {
    struct fixture f = fixture_make();
    for (size_t i = 0; i < VSR_COUNT(zeros); i++) {
        const struct language_block *block = language_block(f.language, zeros[i].kind, str_from_c(zeros[i].block));
        const struct language_field *field = language_field(block, str_from_c(zeros[i].field));
        struct yaml_node *value = zeros[i].value ? yaml_new_scalar(f.arena, str_from_c(zeros[i].value), NULL) : NULL;
        if (value)
            value->quoted = zeros[i].value[0] == '\0';
        CHECK_MSG(language_in_text(field, value) == zeros[i].text, "%s.%s: %s in text", zeros[i].block, zeros[i].field,
                  zeros[i].value ? zeros[i].value : "absent");
        CHECK_MSG(language_in_yaml(field, value) == zeros[i].yaml, "%s.%s: %s in YAML", zeros[i].block, zeros[i].field,
                  zeros[i].value ? zeros[i].value : "absent");
    }
    arena_free(f.arena);
}

RUN_TESTS(T(names_are_those_of_the_language), T(every_row_names_a_field), T(no_field_is_lost), T(fields_stand_in_order),
          T(rule_trees_hold_themselves), T(plugins_have_other_spellings), T(zeros_are_written_where_they_count))
