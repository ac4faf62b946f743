/* Whole programs through parser, compiler and checks: the erroneous inputs of the specification line by line, published
 * profiles and our own without any finding.
 */
#include "checked.h"
#include "decompiled.h"
#include "texts.h"

/* ---- tests/fixtures/dsl/erroneous/NAME.dsl is told NAME.txt */

static const char *const erroneous[] = {
    "01_missing_colon",      "02_unknown_item",        "03_priority_text",        "04_when_unfinished",
    "05_list_without_comma", "06_bad_character",       "07_open_string",          "08_end_of_input",
    "09_removed_block",      "10_tree_without_else",   "11_branch_without_model", "12_tree_and_route",
    "13_undefined_signal",   "14_unknown_plugin",      "15_route_without_model",  "16_unknown_lora",
    "17_threshold_range",    "18_unknown_signal_type", "19_unknown_algorithm",    "20_unknown_category",
    "21_sequence_source",    "22_emit_conflict",       "23_impossible_and",       "24_missing_guard",
    "25_unknown_recipe",     "26_score_cycle",         "27_unknown_test_route",   "28_unknown_field",
    "29_token_count_number", "30_mapping_source",
};

TEST(erroneous_inputs_are_told_line_by_line) {
    for (size_t i = 0; i < VSR_COUNT(erroneous); i++) {
        struct arena *arena = arena_new(0, 0);
        struct compiled c;
        vsr_str want = text_of_project(arena, "tests/fixtures/dsl/erroneous", erroneous[i], ".txt");
        checked_make(&c, text_of_project(arena, "tests/fixtures/dsl/erroneous", erroneous[i], ".dsl"), NULL);
        CHECK_STR(compiled_shown(&c, true), arena_c_str(arena, want), erroneous[i]);
        compiled_done(&c);
        arena_free(arena);
    }
}

/* ---- profiles: nothing is told of them, hints aside */

static void check_silent(vsr_str text, const struct yaml_node *base, const char *name) {
    struct compiled c;
    checked_make(&c, text, base);
    CHECK_STR(compiled_shown(&c, false), "", name);
    compiled_done(&c);
}

TEST(published_profiles_are_clean) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        const char *name = published_profiles[i];
        struct yaml_node *root = yaml_parsed(arena, text_of_published(arena, name, "config.yaml"));
        check_silent(text_of_published(arena, name, "recipe.dsl"), NULL, name);
        check_silent(decompiled(arena, root, NULL), NULL, name);
        arena_free(arena);
    }
}

static const char *const own[] = { "coding", "cost-saver", "demo", "long-context", "privacy-first", "starter" };

TEST(own_profiles_are_clean) {
    for (size_t i = 0; i < VSR_COUNT(own); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *root = yaml_parsed(arena, text_of_project(arena, "recipes", own[i], "/config.yaml"));
        vsr_str findings;
        check_silent(decompiled(arena, root, &findings), root, own[i]);
        arena_free(arena);
    }
}

static const char *const examples[] = {
    "01_catch_all",   "02_keyword_leaf",  "03_precedence",         "04_not_over_and", "05_template",
    "06_projections", "07_decision_tree", "09_loop_and_retention", "10_recipes",
};

TEST(examples_are_clean) {
    for (size_t i = 0; i < VSR_COUNT(examples); i++) {
        struct arena *arena = arena_new(0, 0);
        check_silent(text_of_project(arena, "tests/fixtures/dsl/examples", examples[i], ".dsl"), NULL, examples[i]);
        arena_free(arena);
    }
}

RUN_TESTS(T(erroneous_inputs_are_told_line_by_line), T(published_profiles_are_clean), T(own_profiles_are_clean),
          T(examples_are_clean))
