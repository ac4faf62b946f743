#include "nn/concepts.h"

#include <math.h>
#include <string.h>

#include "core/str.h"
#include "nn/kernels.h"
#include "nn/pooling.h"

enum { PERCENT = 100 };

/* "14,60,700": how many classes each group has, all of them together. */
static int read_groups(const struct mixer_file *file, struct concepts *concepts) {
    vsr_str text = safetensors_note(&file->tensors, VSR_STR("concepts.groups"));
    size_t total = 0, classes = concepts->out.out;
    for (vsr_str rest = text; rest.ptr;) {
        vsr_str part = str_split(&rest, ',');
        uint64_t n;
        if (concepts->n_groups == CONCEPTS_GROUPS_MAX)
            return err_set(file->err, VSR_E_LIMIT, "metadata \"concepts.groups\": more than %d groups",
                           CONCEPTS_GROUPS_MAX);
        if (!str_to_u64(part, &n) || n == 0 || n > classes - total)
            return err_set(file->err, VSR_E_INVALID,
                           "metadata \"concepts.groups\" is \"%.*s\", expected how many classes each has, with commas "
                           "between, %zu together",
                           VSR_FMT(str_sub(text, 0, 64)), classes);
        concepts->groups[concepts->n_groups++] = (size_t)n;
        total += (size_t)n;
    }
    if (total != classes)
        return err_set(file->err, VSR_E_INVALID,
                       "metadata \"concepts.groups\" has %zu classes, tensor \"concepts.out.weight\" %zu", total,
                       classes);
    return 0;
}

static int read_layers(struct mixer_file *file, struct concepts *concepts) {
    int rc = mixer_file_matrix(file, "concepts.query", &concepts->n_queries, &concepts->dims, &concepts->queries);
    if (rc == 0 && concepts->n_queries > CONCEPTS_QUERIES_MAX)
        rc = err_set(file->err, VSR_E_LIMIT, "tensor \"concepts.query\": %zu queries, at most %d", concepts->n_queries,
                     CONCEPTS_QUERIES_MAX);
    if (rc == 0)
        rc = mixer_file_linear(file, "concepts.hidden", (concepts->n_queries + 1) * concepts->dims, 0,
                               &concepts->hidden);
    if (rc == 0)
        rc = mixer_file_linear(file, "concepts.out", concepts->hidden.out, 0, &concepts->out);
    if (rc == 0)
        rc = mixer_file_linear(file, "concepts.axes", concepts->out.out, 0, &concepts->axes);
    if (rc == 0 && concepts->axes.out > CONCEPTS_DIMS_MAX)
        rc = err_set(file->err, VSR_E_LIMIT, "tensor \"concepts.axes.weight\": %zu rows, at most %d",
                     concepts->axes.out, CONCEPTS_DIMS_MAX);
    return rc;
}

int concepts_read(struct mixer_file *file, size_t dims, struct concepts *ret) {
    struct concepts concepts = { .dims = dims };
    size_t percent = 0;
    int rc;
    if (!mixer_file_has(file, "concepts.query")) {
        *ret = (struct concepts){ .dims = 0 };
        return 0;
    }
    rc = read_layers(file, &concepts);
    if (rc == 0)
        rc = read_groups(file, &concepts);
    if (rc == 0)
        rc = mixer_file_number(file, "concepts.percent", 0, 1, PERCENT - 1, &percent);
    if (rc == 0 && percent == 0)
        rc = err_set(file->err, VSR_E_INVALID, "tensor \"concepts.query\" needs metadata \"concepts.percent\"");
    if (rc < 0)
        return rc;
    concepts.share = (float)percent / PERCENT;
    *ret = concepts;
    return 0;
}

size_t concepts_dims(const struct concepts *concepts) {
    return concepts->axes.out;
}

/* The room of concepts_of(), one behind the other. */
struct room {
    float *features; /* [(n_queries + 1) * dims] */
    float *hidden, *classes;
    float *scores; /* [n_queries][n] */
};

size_t concepts_room(const struct concepts *concepts, size_t n) {
    return concepts->hidden.in + concepts->hidden.out + concepts->out.out + concepts->n_queries * n;
}

static struct room divide(const struct concepts *concepts, float *room) {
    struct room parts = { .features = room };
    parts.hidden = parts.features + concepts->hidden.in;
    parts.classes = parts.hidden + concepts->hidden.out;
    parts.scores = parts.classes + concepts->out.out;
    return parts;
}

/* Logits of all groups to square roots of probabilities, in place. */
static void distribute(const struct concepts *concepts, float *logits) {
    for (size_t g = 0, at = 0; g < concepts->n_groups; at += concepts->groups[g++])
        kernel_softmax(logits + at, concepts->groups[g], 1, concepts->groups[g]);
    for (size_t i = 0; i < concepts->out.out; i++)
        logits[i] = sqrtf(logits[i]);
}

void concepts_of(const struct concepts *concepts, const float *x, size_t n, const float *m, float *room, float *ret) {
    struct room parts = divide(concepts, room);
    size_t dims = concepts->dims;
    if (n == 0) {
        memset(ret, 0, concepts->axes.out * sizeof(*ret));
        return;
    }
    pooling_run(concepts->queries, concepts->n_queries, x, n, dims, parts.scores, parts.features);
    memcpy(parts.features + concepts->n_queries * dims, m, dims * sizeof(*m));
    mixer_linear_run(&concepts->hidden, parts.features, concepts->hidden.in, 1, parts.hidden);
    mixer_activate(parts.hidden, 1, concepts->hidden.out);
    mixer_linear_run(&concepts->out, parts.hidden, concepts->out.in, 1, parts.classes);
    distribute(concepts, parts.classes);
    mixer_linear_run(&concepts->axes, parts.classes, concepts->axes.in, 1, ret);
}
