#include "evidence/mcp_verdict.h"

#include <math.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json_write.h"
#include "evidence/mcp_format.h"

static const double sum_slack = 0.02; /* as for classifiers over HTTP */

/* ---- categories */

static bool is_new(const vsr_str *labels, size_t n, vsr_str label) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(labels[i], label))
            return false;
    return true;
}

int mcp_categories_read(struct arena *arena, const struct json_doc *doc, json_ref object, vsr_str **ret_labels,
                        size_t *ret_n, struct vsr_err *err) {
    json_ref list = json_get(doc, object, VSR_STR("categories"));
    size_t n = json_is(doc, list, JSON_ARRAY) ? json_count(doc, list) : 0, i = 0;
    vsr_str *labels;
    if (n == 0 || n > MCP_CATEGORIES_MAX)
        return err_set(err, VSR_E_INVALID, "the tool lists %zu categories, expected 1 to %d", n, MCP_CATEGORIES_MAX);
    labels = ARENA_ARRAY(arena, vsr_str, n);
    for (json_ref node = json_first(doc, list); node != JSON_NONE; node = json_next(doc, list, node), i++) {
        if (!json_str(arena, doc, node, &labels[i]) || str_trim(labels[i]).len == 0 || !is_new(labels, i, labels[i]))
            return err_set(err, VSR_E_INVALID, "category %zu is blank, no text, or there twice", i);
        labels[i] = arena_str(arena, labels[i]);
    }
    *ret_labels = labels;
    *ret_n = n;
    return 0;
}

/* ---- a verdict */

struct reader {
    struct arena *arena;
    const struct json_doc *doc;
    json_ref object;
    const vsr_str *labels;
    size_t n;
    float *numbers;
    struct vsr_err *err;
};

static size_t find_label(const struct reader *r, vsr_str label) {
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->labels[i], label))
            return i;
    for (size_t i = 0; i < r->n; i++)
        if (str_eq_nocase(r->labels[i], label))
            return i;
    return r->n;
}

static int read_unit(const struct reader *r, json_ref node, const char *what, float *ret_number) {
    double value;
    if (!json_double(r->doc, node, &value) || !(value >= 0 && value <= 1))
        return err_set(r->err, VSR_E_INVALID, "%s is no number within 0 and 1", what);
    *ret_number = (float)value;
    return 0;
}

static int by_text(const void *a, const void *b) {
    return str_cmp(*(const vsr_str *)a, *(const vsr_str *)b);
}

/* The keys of `probabilities` stand for the categories that nobody listed. */
static int take_keys(struct reader *r, json_ref probabilities) {
    size_t n = json_count(r->doc, probabilities), i = 0;
    vsr_str *labels;
    if (n == 0 || n > MCP_CATEGORIES_MAX)
        return err_set(r->err, VSR_E_INVALID, "there are %zu probabilities, expected 1 to %d", n, MCP_CATEGORIES_MAX);
    labels = ARENA_ARRAY(r->arena, vsr_str, n);
    for (json_ref node = json_first(r->doc, probabilities); node != JSON_NONE;
         node = json_next(r->doc, probabilities, json_next(r->doc, probabilities, node)))
        if (!json_str(r->arena, r->doc, node, &labels[i++]))
            return err_set(r->err, VSR_E_NOMEM, "no memory for labels");
    qsort(labels, n, sizeof(*labels), by_text);
    r->labels = labels;
    r->n = n;
    return 0;
}

static int read_by_label(struct reader *r, json_ref probabilities) {
    int rc = r->n == 0 ? take_keys(r, probabilities) : 0;
    if (rc < 0)
        return rc;
    if (json_count(r->doc, probabilities) != r->n || json_duplicate_key(r->doc, probabilities) != JSON_NONE)
        return err_set(r->err, VSR_E_INVALID, "there are %zu probabilities for %zu categories",
                       json_count(r->doc, probabilities), r->n);
    r->numbers = ARENA_ARRAY(r->arena, float, r->n);
    for (size_t i = 0; i < r->n && rc == 0; i++)
        rc = read_unit(r, json_get(r->doc, probabilities, r->labels[i]), "the probability of a category",
                       &r->numbers[i]);
    return rc;
}

static int read_in_order(struct reader *r, json_ref probabilities) {
    size_t n = json_count(r->doc, probabilities), i = 0;
    int rc = 0;
    if (r->n == 0)
        return err_set(r->err, VSR_E_INVALID, "there is a list of probabilities, and nobody lists the categories");
    if (n != r->n)
        return err_set(r->err, VSR_E_INVALID, "there are %zu probabilities for %zu categories", n, r->n);
    r->numbers = ARENA_ARRAY(r->arena, float, r->n);
    for (json_ref node = json_first(r->doc, probabilities); node != JSON_NONE && rc == 0;
         node = json_next(r->doc, probabilities, node))
        rc = read_unit(r, node, "a probability", &r->numbers[i++]);
    return rc;
}

static int read_probabilities(struct reader *r, json_ref probabilities) {
    double sum = 0;
    int rc =
        json_is(r->doc, probabilities, JSON_OBJECT) ? read_by_label(r, probabilities) : read_in_order(r, probabilities);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < r->n; i++)
        sum += (double)r->numbers[i];
    if (fabs(sum - 1) > sum_slack)
        return err_set(r->err, VSR_E_INVALID, "the probabilities add up to %g instead of 1", sum);
    return 0;
}

static json_ref class_node(const struct reader *r) {
    static const vsr_str names[] = { VSR_STR_INIT("class"), VSR_STR_INIT("label"), VSR_STR_INIT("category") };
    json_ref node = JSON_NONE;
    for (size_t i = 0; i < VSR_COUNT(names) && node == JSON_NONE; i++)
        node = json_get(r->doc, r->object, names[i]);
    return node;
}

static int read_class(struct reader *r, size_t *ret_class) {
    json_ref node = class_node(r);
    vsr_str label;
    int64_t index;
    if (json_i64(r->doc, node, &index)) {
        if (r->n == 0)
            return err_set(r->err, VSR_E_INVALID, "the class is an index, and nobody lists the categories");
        if (index < 0 || (uint64_t)index >= r->n)
            return err_set(r->err, VSR_E_INVALID, "the class is %lld of %zu categories", (long long)index, r->n);
        *ret_class = (size_t)index;
        return 0;
    }
    if (!json_str(r->arena, r->doc, node, &label) || str_trim(label).len == 0)
        return err_set(r->err, VSR_E_INVALID, "there is no class");
    if (r->n == 0) {
        vsr_str *labels = ARENA_NEW(r->arena, vsr_str);
        *labels = label;
        r->labels = labels;
        r->n = 1;
    }
    *ret_class = find_label(r, str_trim(label));
    if (*ret_class == r->n)
        return err_set(r->err, VSR_E_INVALID, "the class is none of the categories");
    return 0;
}

static int read_top(struct reader *r) {
    json_ref confidence = json_get(r->doc, r->object, VSR_STR("confidence"));
    size_t class = 0;
    float number = 1;
    int rc = read_class(r, &class);
    if (rc == 0 && confidence != JSON_NONE)
        rc = read_unit(r, confidence, "the confidence", &number);
    if (rc < 0)
        return rc;
    r->numbers = ARENA_ARRAY(r->arena, float, r->n);
    r->numbers[class] = number;
    return 0;
}

static int read_object(struct arena *arena, const struct json_doc *doc, json_ref object, const struct mcp_asked *asked,
                       struct mcp_told *ret_told, struct vsr_err *err) {
    json_ref probabilities = json_get(doc, object, VSR_STR("probabilities"));
    struct reader r = {
        .arena = arena, .doc = doc, .object = object, .labels = asked->labels, .n = asked->n_labels, .err = err
    };
    bool has = json_is(doc, probabilities, JSON_OBJECT) || json_is(doc, probabilities, JSON_ARRAY);
    int rc = has && json_count(doc, probabilities) > 0 ? read_probabilities(&r, probabilities) : read_top(&r);
    if (rc == 0)
        *ret_told = (struct mcp_told){ .labels = r.labels, .n_labels = r.n, .numbers = r.numbers, .n = r.n };
    return rc;
}

/* ---- the question */

static void write_arguments(struct json_writer *w, const struct mcp_tools *tools, const struct mcp_asked *asked) {
    json_write_key(w, VSR_STR("text"));
    json_write_str(w, asked->texts[0]);
    if (tools->has_option) {
        json_write_key(w, VSR_STR("with_probabilities"));
        json_write_bool(w, true);
    }
}

const struct mcp_format mcp_verdict = {
    .purpose = "classify",
    .does = "classifies texts",
    .tool = { .usual = "classify_text",
              .brief = "classify",
              .part = "classif",
              .argument = "text",
              .option = "with_probabilities",
              .lister = MCP_LIST_TOOL },
    .write = write_arguments,
    .read = read_object,
};
