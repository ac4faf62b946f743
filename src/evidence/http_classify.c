/* http_classify - a server that gives every label its probability: {"inputs":"..."} -> [{"label","score"}, ...]. */
#include <math.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/json_write.h"
#include "evidence/http_format.h"
#include "evidence/remote.h"

enum { LABELS_MAX = 4096 }; /* far above what any classifier has */

static const double sum_slack = 0.02; /* signals.md §6.10 */

struct score {
    vsr_str label;
    double value;
};

static void write_question(struct buf *out, const struct signal_source *source, vsr_str text, unsigned steps) {
    struct json_writer w;
    (void)source;
    (void)steps;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("inputs"));
    json_write_str(&w, text);
    json_write_end(&w);
}

/* The list of scores: the answer, or the one list in it. */
static json_ref find_scores(const struct json_doc *doc) {
    json_ref first;
    if (!json_is(doc, 0, JSON_ARRAY))
        return JSON_NONE;
    first = json_first(doc, 0);
    return json_is(doc, first, JSON_ARRAY) && json_next(doc, 0, first) == JSON_NONE ? first : 0;
}

static int read_score(const struct json_doc *doc, json_ref node, struct arena *arena, size_t place,
                      struct score *ret_score, struct vsr_err *err) {
    if (!json_str(arena, doc, json_get(doc, node, VSR_STR("label")), &ret_score->label) || ret_score->label.len == 0)
        return err_set(err, VSR_E_INVALID, "item %zu of the answer has no label", place);
    if (!json_double(doc, json_get(doc, node, VSR_STR("score")), &ret_score->value))
        return err_set(err, VSR_E_INVALID, "item %zu of the answer has no score", place);
    if (!(ret_score->value >= 0 && ret_score->value <= 1))
        return err_set(err, VSR_E_INVALID, "the score of item %zu is %g, not within 0 and 1", place, ret_score->value);
    return 0;
}

static int by_label(const void *a, const void *b) {
    const struct score *x = a, *y = b;
    return str_cmp(x->label, y->label);
}

static int check_scores(const struct score *scores, size_t n, struct vsr_err *err) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += scores[i].value;
        if (i > 0 && str_eq(scores[i - 1].label, scores[i].label))
            return err_set(err, VSR_E_INVALID, "a label comes twice in the answer");
    }
    if (fabs(sum - 1) > sum_slack)
        return err_set(err, VSR_E_INVALID, "the scores add up to %g instead of 1", sum);
    return 0;
}

static const struct score *find(const struct score *scores, size_t n, vsr_str label) {
    const struct score wanted = { .label = label };
    return bsearch(&wanted, scores, n, sizeof(*scores), by_label);
}

/* In the order of the source's labels; without any, by name. */
static int give(const struct signal_source *source, const struct score *scores, size_t n, struct arena *arena,
                struct evidence_answer *ret_answer, struct vsr_err *err) {
    float *numbers = ARENA_ARRAY(arena, float, n);
    vsr_str *labels = ARENA_ARRAY(arena, vsr_str, n);
    if (source->n_labels > 0 && source->n_labels != n)
        return err_set(err, VSR_E_INVALID, "the answer has %zu labels, expected %zu", n, source->n_labels);
    for (size_t i = 0; i < n; i++) {
        const struct score *score = source->n_labels ? find(scores, n, source->labels[i].name) : &scores[i];
        if (!score)
            return err_set(err, VSR_E_INVALID, "the answer lacks the label \"%.*s\"", VSR_FMT(source->labels[i].name));
        labels[i] = source->n_labels ? source->labels[i].name : arena_str(arena, score->label);
        numbers[i] = (float)score->value;
    }
    ret_answer->labels = labels;
    ret_answer->numbers = numbers;
    ret_answer->n_labels = ret_answer->n = n;
    return 0;
}

static int read_answer(const struct signal_source *source, vsr_str body, struct arena *arena,
                       struct evidence_answer *ret_answer, struct vsr_err *err) {
    struct json_doc doc;
    struct vsr_err syntax = VSR_ERR_NONE;
    struct score *scores;
    json_ref list;
    size_t n, place = 0;
    int rc = json_parse(arena, body, &doc, &syntax);
    if (rc < 0)
        return err_set(err, rc, "the answer is no JSON (line %u, column %u)", syntax.line, syntax.col);
    list = find_scores(&doc);
    if (list == JSON_NONE)
        return err_set(err, VSR_E_INVALID, "the answer is no list of labels and scores");
    n = json_count(&doc, list);
    if (n < 2 || n > LABELS_MAX)
        return err_set(err, VSR_E_INVALID, "the answer has %zu labels, expected 2 to %d", n, LABELS_MAX);
    scores = ARENA_ARRAY(arena, struct score, n);
    for (json_ref node = json_first(&doc, list); node != JSON_NONE && rc == 0; node = json_next(&doc, list, node)) {
        rc = read_score(&doc, node, arena, place, &scores[place], err);
        place++;
    }
    if (rc < 0)
        return rc;
    qsort(scores, n, sizeof(*scores), by_label);
    rc = check_scores(scores, n, err);
    return rc < 0 ? rc : give(source, scores, n, arena, ret_answer, err);
}

const struct http_format http_classify = {
    .suffix = "/classify",
    .timeout_ms = REMOTE_CLASSIFY_TIMEOUT_MS,
    .write = write_question,
    .read = read_answer,
};
