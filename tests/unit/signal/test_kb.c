/* Knowledge bases: what follows from scores of labels, and what rules and metrics make of it. */
#include "answered.h"

#include "config/side_files.h"
#include "signal/kb_base.h"

extern const struct signal_family signal_kb, signal_kb_metric;

/* ---- a base whose labels have one example each: its cosine is the label's score */

enum { LABELS_MAX = 6, GROUPS_MAX = 4 };

struct base {
    vsr_str examples[LABELS_MAX];
    struct config_kb_label labels[LABELS_MAX];
    struct config_kb_manifest manifest;
    vsr_str threshold_names[LABELS_MAX];
    double thresholds[LABELS_MAX];
    vsr_str group_names[GROUPS_MAX], members[GROUPS_MAX][LABELS_MAX];
    struct config_strings groups[GROUPS_MAX];
    struct config_kb_metric metric;
    struct config_kb kb;
};

static struct base base; /* that the document of the test at hand has */

struct label {
    const char *name, *example;
    double threshold; /* 0: the base's */
};
struct group {
    const char *name, *labels; /* one letter each */
};

static void make_base(const struct label *labels, const struct group *groups) {
    base = (struct base){ .kb = { .name = VSR_STR("K"), .threshold = 0.5, .manifest = &base.manifest } };
    base.kb.prototype_scoring = (struct config_prototype_scoring){
        .enabled = true, .cluster_similarity_threshold = 0.9, .best_weight = 0.75, .max_prototypes = 8, .top_m = 2
    };
    base.manifest.labels = base.labels;
    base.kb.label_thresholds = (struct config_number_map){ .keys = base.threshold_names, .values = base.thresholds };
    base.kb.groups = (struct config_strings_map){ .keys = base.group_names, .values = base.groups };
    for (size_t i = 0; labels[i].name; i++) {
        struct config_number_map *thresholds = &base.kb.label_thresholds;
        base.examples[i] = str_from_c(labels[i].example);
        base.labels[i] = (struct config_kb_label){ str_from_c(labels[i].name), VSR_STR(""), &base.examples[i], 1 };
        base.manifest.n_labels++;
        if (labels[i].threshold > 0) {
            thresholds->keys[thresholds->n] = str_from_c(labels[i].name);
            thresholds->values[thresholds->n++] = labels[i].threshold;
        }
    }
    for (size_t i = 0; groups[i].name; i++) {
        base.group_names[i] = str_from_c(groups[i].name);
        base.groups[i].items = base.members[i];
        for (const char *label = groups[i].labels; *label; label++)
            base.members[i][base.groups[i].n++] = str_make(label, 1);
        base.kb.groups.n++;
    }
    base.metric = (struct config_kb_metric){ .name = VSR_STR("Margin"),
                                             .positive_group = base.group_names[0],
                                             .negative_group = base.group_names[1] };
    base.kb.metrics = (struct config_list){ &base.metric, base.kb.groups.n >= 2 };
}

static void have_base(struct config_document *doc) {
    answered_defaults(doc);
    doc->global.model_catalog.kbs = (struct config_list){ &base.kb, 1 };
}

/* ---- rules */

#define LABEL(name) "{name: " #name ", kb: K, target: {kind: label, value: " #name "}}"
#define BEST_LABEL(name) "{name: " #name ", kb: K, match: best, target: {kind: label, value: " #name "}}"
#define GROUP(name) "{name: " #name ", kb: K, target: {kind: group, value: " #name "}}"
#define BEST_GROUP(name) "{name: " #name ", kb: K, match: best, target: {kind: group, value: " #name "}}"

static const struct {
    const char *name;
    struct label labels[LABELS_MAX];
    struct group groups[GROUPS_MAX];
    double margin_least;
    const char *rules, *matches;
} cases[] = {
    { "labels by threshold: signals.md 16, 22",
      { { "a", "0.6 a", 0.55 }, { "b", "0.58 b", 0.7 } },
      { { "g1", "ab" }, { "g2", "b" } },
      0,
      "[" LABEL(a) "," LABEL(b) "," GROUP(g1) "," GROUP(g2) "]",
      "a 0.6 g1 0.6 " },
    { "the best label and group",
      { { "a", "0.6 a", 0.55 }, { "b", "0.58 b", 0.7 } },
      { { "g1", "ab" }, { "g2", "b" } },
      0,
      "[" BEST_LABEL(a) "," BEST_LABEL(b) "," BEST_GROUP(g1) "," BEST_GROUP(g2) "]",
      "a 0.6 g1 0.6 " },
    { "the best needs no threshold",
      { { "a", "0.3 a", 0 } },
      { { NULL, NULL } },
      0,
      "[" LABEL(a) ",{name: best, kb: K, match: best, target: {kind: label, value: a}},"
                   " {name: strict, kb: K, match: best, require_threshold: true, target: {kind: label, value: a}}]",
      "best 0.3 " },
    { "a group whose member reaches its own threshold",
      { { "a", "0.6 a", 0.9 }, { "b", "0.5 b", 0.4 } },
      { { "g", "ab" } },
      0,
      "[" GROUP(g) "]",
      "g 0.6 " },
    { "ties of labels go by name",
      { { "b", "0.5 b", 0 }, { "a", "0.5 a", 0 } },
      { { NULL, NULL } },
      0,
      "[" BEST_LABEL(a) "," BEST_LABEL(b) "]",
      "a 0.5 " },
    { "ties of groups go to the smaller",
      { { "a", "0.5 a", 0 }, { "b", "0.3 b", 0 } },
      { { "all", "ab" }, { "some", "a" } },
      0,
      "[" BEST_GROUP(all) "," BEST_GROUP(some) "]",
      "some 0.5 " },
    { "then by name",
      { { "a", "0.5 a", 0 }, { "b", "0.3 b", 0 } },
      { { "some", "a" }, { "any", "a" } },
      0,
      "[" BEST_GROUP(any) "," BEST_GROUP(some) "]",
      "any 0.5 " },
    { "too near to the second there is no best",
      { { "a", "0.6 a", 0 }, { "b", "0.55 b", 0 } },
      { { NULL, NULL } },
      0.1,
      "[" BEST_LABEL(a) "," BEST_LABEL(b) "]",
      "" },
    { "far enough there is",
      { { "a", "0.6 a", 0 }, { "b", "0.45 b", 0 } },
      { { NULL, NULL } },
      0.1,
      "[" BEST_LABEL(a) "]",
      "a 0.6 " },
    { "alone there is", { { "a", "0.05 a", 0 } }, { { NULL, NULL } }, 0.1, "[" BEST_LABEL(a) "]", "a 0.05 " },
    { "groups are not below zero",
      { { "a", "-0.5 a", 0 }, { "b", "-0.6 b", 0 } },
      { { "g", "ab" } },
      0,
      "[" BEST_GROUP(g) "," BEST_LABEL(a) "]",
      "g 0 a -0.5 " },
};

TEST(rules_match_by_label_or_group) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        make_base(cases[i].labels, cases[i].groups);
        base.kb.prototype_scoring.margin_threshold = cases[i].margin_least;
        answered_decode_in(&f, &signal_kb, cases[i].rules, have_base);
        answered_build(&f);
        answered_eval(&f, answered_text(&f, "what"), NULL);
        CHECK_STR(answered_matches(&f), cases[i].matches, cases[i].name);
        CHECK_INT(f.asks.n, 1, cases[i].name);
        fixture_free(&f);
    }
}

TEST(bases_fail_as_a_whole) {
    struct fixture f;
    make_base(cases[0].labels, cases[0].groups);
    answered_decode_in(&f, &signal_kb, "[" LABEL(a) "," BEST_GROUP(g2) "]", have_base);
    answered_build(&f);
    answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .fails = VSR_STR("what") });
    CHECK_STR(answered_matches(&f), "a failed g2 failed ", "no vector");
    CHECK_STR(str_from_c(f.results.reasons[1]), "the test says so", "reason");
    fixture_free(&f);
    answered_decode_in(&f, &signal_kb, "[" LABEL(a) "]", have_base);
    answered_build(&f);
    answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .leave_banks = true });
    CHECK_STR(answered_matches(&f), "a unavailable ", "no examples yet");
    fixture_free(&f);
}

TEST(a_base_that_was_not_read_is_unavailable) {
    struct fixture f;
    make_base(cases[0].labels, cases[0].groups);
    base.kb.manifest = NULL;
    answered_decode_in(&f, &signal_kb, "[" BEST_GROUP(g1) "]", have_base);
    answered_build(&f);
    answered_eval(&f, answered_text(&f, "what"), NULL);
    CHECK_STR(answered_matches(&f), "g1 unavailable ", "not read");
    CHECK_STR(str_from_c(f.results.reasons[0]), "the file of the knowledge base was not read", "reason");
    CHECK_INT(f.asks.n, 0, "nothing to ask");
    fixture_free(&f);
}

/* ---- metrics: no rules, slots by name */

static const struct {
    const char *name, *slot;
    struct label labels[LABELS_MAX];
    double value;
} metrics[] = {
    { "signals.md 16, 22", "k:margin", { { "a", "0.6 a", 0.55 }, { "b", "0.58 b", 0.7 } }, 0.02 },
    { "best", "k:best_score", { { "a", "0.6 a", 0.9 }, { "b", "0.58 b", 0 } }, 0.6 },
    { "best of those that match", "k:best_matched_score", { { "a", "0.6 a", 0.9 }, { "b", "0.58 b", 0 } }, 0.58 },
    { "none matches", "k:best_matched_score", { { "a", "0.6 a", 0.9 }, { "b", "0.4 b", 0 } }, 0 },
    { "groups are not below zero", "k:margin", { { "a", "0.3 a", 0 }, { "b", "-0.5 b", 0 } }, 0.3 },
};

TEST(metrics_measure_bases) {
    static const struct group groups[GROUPS_MAX] = { { "g1", "ab" }, { "g2", "b" } };
    for (size_t i = 0; i < VSR_COUNT(metrics); i++) {
        struct fixture f = { .arena = arena_new(0, 0), .family = &signal_kb_metric };
        struct signal_builder builder = {
            .arena = f.arena, .doc = &f.doc, .slots = &f.slots, .sources = &f.sources, .banks = &f.banks, .n_slots = 1
        };
        make_base(metrics[i].labels, groups);
        have_base(&f.doc);
        signal_slots_init(&f.slots, f.arena);
        signal_slots_add(&f.slots, VSR_STR("kb_metric"), str_from_c(metrics[i].slot));
        f.builder_slots = 1;
        f.state = signal_kb_metric.build(&builder);
        answered_eval(&f, answered_text(&f, "what"), NULL);
        CHECK_CLOSE(fixture_value(&f, metrics[i].slot), metrics[i].value, metrics[i].name);
        CHECK(!fixture_matched(&f, 0), metrics[i].name);
        answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .fails = VSR_STR("what") });
        CHECK(bits_has(f.results.unavailable, 0), metrics[i].name);
        arena_free(f.arena);
    }
}

RUN_TESTS(T(rules_match_by_label_or_group), T(bases_fail_as_a_whole), T(a_base_that_was_not_read_is_unavailable),
          T(metrics_measure_bases))
