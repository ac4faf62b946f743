#include "nn/concepts.h"

#include <math.h>
#include <string.h>

#include "core/str.h"
#include "nn/kernels.h"
#include "nn/pooling.h"

enum { PERCENT = 100 };

static int read_groups(const struct mixer_file *file, struct concepts *ret) {
    vsr_str text = safetensors_note(&file->tensors, VSR_STR("concepts.groups"));
    size_t total = 0;
    for (vsr_str rest = text; rest.ptr;) {
        vsr_str part = str_split(&rest, ',');
        uint64_t n;
        if (ret->n_groups == CONCEPTS_GROUPS_MAX || !str_to_u64(part, &n) || n == 0 || n > ret->out.out - total)
            return err_set(file->err, VSR_E_INVALID,
                           "metadata \"concepts.groups\" is \"%.*s\", expected 1 to %d sizes with commas between, %zu "
                           "together",
                           VSR_FMT(str_sub(text, 0, 64)), CONCEPTS_GROUPS_MAX, ret->out.out);
        ret->groups[ret->n_groups++] = (size_t)n;
        total += (size_t)n;
    }
    if (total != ret->out.out)
        return err_set(file->err, VSR_E_INVALID,
                       "metadata \"concepts.groups\" has %zu classes, tensor \"concepts.out.weight\" %zu", total,
                       ret->out.out);
    return 0;
}

int concepts_read(struct mixer_file *file, size_t dims, struct concepts *ret) {
    size_t percent = 0;
    int rc;
    *ret = (struct concepts){ .share = 0 };
    if (!mixer_file_has(file, "concepts.query"))
        return 0;
    rc = mixer_file_matrix(file, "concepts.query", &ret->n_queries, &dims, &ret->queries);
    if (rc == 0 && ret->n_queries > CONCEPTS_QUERIES_MAX)
        rc = err_set(file->err, VSR_E_LIMIT, "tensor \"concepts.query\": %zu queries, at most %d", ret->n_queries,
                     CONCEPTS_QUERIES_MAX);
    if (rc == 0)
        rc = mixer_file_linear(file, "concepts.hidden", (ret->n_queries + 1) * dims, 0, &ret->hidden);
    if (rc == 0)
        rc = mixer_file_linear(file, "concepts.out", ret->hidden.out, 0, &ret->out);
    if (rc == 0)
        rc = mixer_file_linear(file, "concepts.axes", ret->out.out, 0, &ret->axes);
    if (rc == 0 && ret->axes.out > CONCEPTS_DIMS_MAX)
        rc = err_set(file->err, VSR_E_LIMIT, "tensor \"concepts.axes.weight\": %zu rows, at most %d", ret->axes.out,
                     CONCEPTS_DIMS_MAX);
    if (rc == 0)
        rc = read_groups(file, ret);
    if (rc == 0)
        rc = mixer_file_number(file, "concepts.percent", 0, 1, PERCENT - 1, &percent);
    if (rc == 0 && percent == 0)
        rc = err_set(file->err, VSR_E_INVALID, "tensor \"concepts.query\" needs metadata \"concepts.percent\"");
    ret->share = (float)percent / PERCENT;
    return rc;
}

size_t concepts_dims(const struct concepts *concepts) {
    return concepts->axes.out;
}

size_t concepts_room(const struct concepts *concepts, size_t n) {
    return concepts->hidden.in + concepts->hidden.out + concepts->out.out + concepts->n_queries * n;
}

static void activate(float *row, size_t width) {
    const struct rows_in in = { .type = ROWS_F32, .data = row, .stride = width };
    const struct rows_out out = { .type = ROWS_F32, .data = row, .stride = width };
    kernel_activate(ACTIVATION_GELU, &in, &out, 1, width);
}

/* Logits of all groups to square roots of probabilities, in place. */
static void distribute(const struct concepts *concepts, float *logits) {
    for (size_t g = 0, at = 0; g < concepts->n_groups; at += concepts->groups[g++])
        kernel_softmax(logits + at, concepts->groups[g], 1, concepts->groups[g]);
    for (size_t i = 0; i < concepts->out.out; i++)
        logits[i] = sqrtf(logits[i]);
}

void concepts_of(const struct concepts *concepts, const float *x, size_t n, const float *m, float *room, float *ret) {
    size_t pooled = concepts->hidden.in * concepts->n_queries / (concepts->n_queries + 1);
    size_t dims = concepts->hidden.in - pooled;
    float *hidden = room + concepts->hidden.in, *classes = hidden + concepts->hidden.out;
    if (n == 0) {
        memset(ret, 0, concepts->axes.out * sizeof(*ret));
        return;
    }
    pooling_run(concepts->queries, concepts->n_queries, x, n, dims, classes + concepts->out.out, room);
    memcpy(room + pooled, m, dims * sizeof(*m));
    mixer_linear_run(&concepts->hidden, room, concepts->hidden.in, 1, hidden);
    activate(hidden, concepts->hidden.out);
    mixer_linear_run(&concepts->out, hidden, concepts->out.in, 1, classes);
    distribute(concepts, classes);
    mixer_linear_run(&concepts->axes, classes, concepts->axes.in, 1, ret);
}
