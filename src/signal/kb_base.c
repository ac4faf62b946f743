#include "signal/kb_base.h"

#include <math.h>
#include <stdlib.h>

#include "config/global_catalog.h"
#include "config/side_files.h"
#include "core/arena.h"
#include "signal/compression.h"
#include "signal/learned.h"

struct kb_label {
    vsr_str name;
    double threshold;
    struct signal_bank *bank;
};

struct kb_group {
    vsr_str name;
    size_t *labels;
    size_t n_labels;
};

struct kb_base {
    const struct config_kb *kb;
    struct kb_label *labels; /* by name */
    size_t n_labels;
    struct kb_group *groups;
    size_t n_groups;
    uint32_t source;
    enum signal_text text;
};

/* ---- compiled */

static double threshold_of(const struct config_kb *kb, vsr_str label) {
    for (size_t i = 0; i < kb->label_thresholds.n; i++)
        if (str_eq(kb->label_thresholds.keys[i], label))
            return kb->label_thresholds.values[i];
    return kb->threshold;
}

static int compare_labels(const void *left, const void *right) {
    const struct kb_label *a = left, *b = right;
    return str_cmp(a->name, b->name);
}

static void build_labels(struct signal_builder *builder, struct kb_base *base) {
    const struct config_kb_manifest *manifest = base->kb->manifest;
    base->n_labels = manifest->n_labels;
    base->labels = ARENA_ARRAY(builder->arena, struct kb_label, base->n_labels);
    for (size_t i = 0; i < base->n_labels; i++) {
        const struct config_kb_label *label = &manifest->labels[i];
        struct signal_bank_options options = { .source = base->source,
                                               .texts = label->exemplars,
                                               .n_texts = label->n_exemplars,
                                               .scoring = &base->kb->prototype_scoring,
                                               .repeats_count = true };
        base->labels[i] =
            (struct kb_label){ label->name, threshold_of(base->kb, label->name), signal_bank_add(builder, &options) };
    }
    qsort(base->labels, base->n_labels, sizeof(*base->labels), compare_labels);
}

static void build_groups(struct signal_builder *builder, struct kb_base *base) {
    const struct config_strings_map *groups = &base->kb->groups;
    base->n_groups = groups->n;
    base->groups = ARENA_ARRAY(builder->arena, struct kb_group, groups->n);
    for (size_t i = 0; i < groups->n; i++) {
        struct kb_group *group = &base->groups[i];
        group->name = groups->keys[i];
        group->labels = ARENA_ARRAY(builder->arena, size_t, groups->values[i].n);
        for (size_t k = 0; k < groups->values[i].n; k++) {
            size_t label = kb_base_label(base, groups->values[i].items[k]);
            if (label != KB_NONE)
                group->labels[group->n_labels++] = label;
        }
    }
}

const struct kb_base *kb_base_build(struct signal_builder *builder, const struct config_kb *kb) {
    struct kb_base *base;
    if (!kb->manifest)
        return NULL;
    base = ARENA_NEW(builder->arena, struct kb_base);
    base->kb = kb;
    base->source = learned_embedder(builder, false);
    base->text = compression_text_of(&builder->doc->global.model_catalog.modules.prompt_compression, VSR_STR("kb"));
    build_labels(builder, base);
    build_groups(builder, base);
    return base;
}

size_t kb_base_label(const struct kb_base *base, vsr_str name) {
    for (size_t i = 0; i < base->n_labels; i++)
        if (str_eq(base->labels[i].name, name))
            return i;
    return KB_NONE;
}

size_t kb_base_group(const struct kb_base *base, vsr_str name) {
    for (size_t i = 0; i < base->n_groups; i++)
        if (str_eq(base->groups[i].name, name))
            return i;
    return KB_NONE;
}

/* ---- evaluated */

static void find_labels(const struct kb_base *base, const double *scores, struct arena *arena,
                        struct kb_verdict *verdict) {
    bool *matched = ARENA_ARRAY(arena, bool, base->n_labels);
    double second = -INFINITY;
    for (size_t i = 0; i < base->n_labels; i++) {
        matched[i] = scores[i] >= base->labels[i].threshold;
        if (matched[i] && (verdict->best_matched == KB_NONE || scores[i] > scores[verdict->best_matched]))
            verdict->best_matched = i;
        if (verdict->best_label == KB_NONE || scores[i] > scores[verdict->best_label]) {
            second = verdict->best_label == KB_NONE ? second : scores[verdict->best_label];
            verdict->best_label = i;
        } else {
            second = fmax(second, scores[i]);
        }
    }
    verdict->label_matched = matched;
    if (verdict->best_label == KB_NONE)
        return;
    verdict->best_score = scores[verdict->best_label];
    if (verdict->best_score - second < base->kb->prototype_scoring.margin_threshold)
        verdict->best_label = KB_NONE;
}

/* Groups may hold each other, and the bigger then has the score of the smaller: the smaller says more. */
static bool is_better_group(const struct kb_base *base, const double *scores, size_t a, size_t b) {
    if (scores[a] != scores[b])
        return scores[a] > scores[b];
    if (base->groups[a].n_labels != base->groups[b].n_labels)
        return base->groups[a].n_labels < base->groups[b].n_labels;
    return str_cmp(base->groups[a].name, base->groups[b].name) < 0;
}

static void find_groups(const struct kb_base *base, const double *scores, struct arena *arena,
                        struct kb_verdict *verdict) {
    verdict->groups = ARENA_ARRAY(arena, double, base->n_groups);
    verdict->group_matched = ARENA_ARRAY(arena, bool, base->n_groups);
    for (size_t i = 0; i < base->n_groups; i++) {
        const struct kb_group *group = &base->groups[i];
        for (size_t k = 0; k < group->n_labels; k++) {
            verdict->groups[i] = fmax(verdict->groups[i], scores[group->labels[k]]);
            verdict->group_matched[i] |= verdict->label_matched[group->labels[k]];
        }
        if (verdict->best_group == KB_NONE || is_better_group(base, verdict->groups, i, verdict->best_group))
            verdict->best_group = i;
    }
}

struct kb_verdict *kb_evaluate(const struct kb_base *base, const double *scores, struct arena *arena) {
    struct kb_verdict *verdict = ARENA_NEW(arena, struct kb_verdict);
    *verdict =
        (struct kb_verdict){ .labels = scores, .best_label = KB_NONE, .best_matched = KB_NONE, .best_group = KB_NONE };
    find_labels(base, scores, arena, verdict);
    find_groups(base, scores, arena, verdict);
    return verdict;
}

/* ---- compared */

int kb_base_ask(const struct kb_base *base, struct signal_request *request, const struct evidence_answer **ret_answer,
                struct vsr_err *err) {
    return learned_ask_window(request, EVIDENCE_VECTOR, base->source, base->text, ret_answer, err);
}

static void compare(const struct kb_base *base, const struct evidence_answer *answer, struct arena *arena,
                    struct kb_result *result) {
    double *scores = ARENA_ARRAY(arena, double, base->n_labels);
    for (size_t i = 0; i < base->n_labels; i++) {
        struct signal_bank_score score;
        if (!signal_bank_score(base->labels[i].bank, answer, BANK_BLEND, &score, &result->failure.code,
                               &result->failure.reason))
            return;
        scores[i] = score.score;
    }
    result->verdict = kb_evaluate(base, scores, arena);
}

int kb_base_compare(const struct kb_base *base, struct signal_request *request, const struct kb_result **ret_result,
                    struct vsr_err *err) {
    const struct evidence_answer *answer;
    struct kb_result *result = request->kbs;
    int rc;
    while (result && result->kb != base->kb)
        result = result->next;
    if (result) {
        *ret_result = result;
        return 0;
    }
    rc = kb_base_ask(base, request, &answer, err);
    if (rc < 0)
        return rc;
    result = ARENA_NEW(request->arena, struct kb_result);
    result->kb = base->kb;
    result->next = request->kbs;
    compare(base, answer, request->arena, result);
    *ret_result = request->kbs = result;
    return 0;
}
