#include "nn/encoder.h"

#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "nn/head.h"
#include "nn/runtime.h"
#include "nn/safetensors.h"
#include "nn/weights.h"
#include "test.h"

/*
 * Small models of every family, and what an independent float64 implementation made of them (tests/nn/README.md).
 */

enum { MODELS_MAX = 128, CASES_MAX = 64, PATH_LEN = 512, FILE_LEN_MAX = 1 << 20 };

struct fixture {
    const char *name;
    char path[PATH_LEN];
    struct arena *arena;
    struct encoder_config config;
    struct weights *weights;
    struct encoder *encoder;
    struct head *head; /* NULL: none */
    struct safetensors cases;
    enum precision precision;
};

/* How far from the truth, over all results of a fixture. */
struct distance {
    double worst; /* greatest difference, relative to the greatest number of its array */
    double cosine;
    size_t n_rows, n_agree; /* of logits: the same greatest class */
};

struct rig {
    struct nn_runtime *runtime;
    struct encoder_work *work;
    struct head_scratch *scratch;
};

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    rig->work = encoder_work_new(rig->runtime);
    rig->scratch = head_scratch_new();
}

static void rig_end(struct rig *rig) {
    head_scratch_free(rig->scratch);
    encoder_work_free(rig->work);
    nn_runtime_free(rig->runtime);
}

/* ---- fixtures */

static vsr_str read_file(struct arena *arena, const char *dir, const char *name) {
    char path[PATH_LEN * 2];
    char *text = arena_alloc(arena, FILE_LEN_MAX);
    FILE *file;
    size_t len;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "r");
    CHECK_MSG(file, "cannot open %s", path);
    len = fread(text, 1, FILE_LEN_MAX, file);
    fclose(file);
    return str_make(text, len);
}

static void fixture_begin(struct fixture *f, struct rig *rig, const char *name, enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    char cases[PATH_LEN * 2];
    *f = (struct fixture){ .name = name, .precision = precision, .arena = arena_new(0, 0) };
    snprintf(f->path, sizeof(f->path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    snprintf(cases, sizeof(cases), "%s/cases.safetensors", f->path);
    CHECK_MSG(encoder_config_read(f->arena, read_file(f->arena, f->path, "config.json"), &f->config, &err) == 0,
              "%s: %s", name, err.text);
    CHECK_MSG(weights_open(str_from_c(f->path), &f->weights, &err) == 0, "%s: %s", name, err.text);
    CHECK_MSG(encoder_new(rig->runtime, &f->config, f->weights, precision, &f->encoder, &err) == 0, "%s: %s", name,
              err.text);
    if (f->config.task == TASK_SEQUENCE || f->config.task == TASK_TOKENS)
        CHECK_MSG(head_new(rig->runtime->gemm, &f->config, f->weights, &f->head, &err) == 0, "%s: %s", name, err.text);
    CHECK_MSG(safetensors_open(f->arena, cases, &f->cases, &err) == 0, "%s: %s", name, err.text);
}

static void fixture_end(struct fixture *f) {
    head_free(f->head);
    encoder_free(f->encoder);
    weights_unref(f->weights);
    arena_free(f->arena);
}

static const struct tensor *array(const struct fixture *f, size_t number, const char *what) {
    char name[64];
    snprintf(name, sizeof(name), "case%zu.%s", number, what);
    return safetensors_find(&f->cases, str_from_c(name));
}

static float *floats(const struct fixture *f, const struct tensor *tensor) {
    float *values = ARENA_ARRAY(f->arena, float, tensor->n);
    CHECK(dtype_to_f32(tensor->dtype, tensor->data, tensor->n, values), "numbers");
    return values;
}

/* A case as a batch of one; n 0: there is no such case. */
static struct encoder_batch case_batch(const struct fixture *f, size_t number) {
    const struct tensor *ids = array(f, number, "ids"), *types = array(f, number, "types");
    uint32_t *words, *starts;
    uint8_t *bytes = NULL;
    if (!ids)
        return (struct encoder_batch){ .n = 0 };
    words = ARENA_ARRAY(f->arena, uint32_t, ids->n);
    starts = ARENA_ARRAY(f->arena, uint32_t, 2);
    for (size_t i = 0; i < ids->n; i++)
        memcpy(&words[i], (const char *)ids->data + 4 * i, 4);
    if (types) {
        bytes = ARENA_ARRAY(f->arena, uint8_t, ids->n);
        for (size_t i = 0; i < ids->n; i++)
            bytes[i] = *((const uint8_t *)types->data + 4 * i);
    }
    starts[0] = 0;
    starts[1] = (uint32_t)ids->n;
    return (struct encoder_batch){ words, bytes, starts, 1 };
}

/* ---- comparing */

static void compare(struct distance *d, const float *got, const float *want, size_t n) {
    double greatest = 1e-3, difference = 0, dot = 0, a = 0, b = 0;
    for (size_t i = 0; i < n; i++) {
        greatest = fmax(greatest, fabs(want[i]));
        difference = fmax(difference, fabs((double)got[i] - want[i]));
        dot += (double)got[i] * want[i];
        a += (double)got[i] * got[i];
        b += (double)want[i] * want[i];
        if (isnan(got[i]))
            difference = INFINITY;
    }
    d->worst = fmax(d->worst, difference / greatest);
    if (a > 0 && b > 0)
        d->cosine = fmin(d->cosine, dot / sqrt(a * b));
}

static void compare_rows(struct distance *d, const struct fixture *f, size_t number, const float *hidden,
                         const struct tensor *want) {
    const struct tensor *rows = array(f, number, "rows");
    const float *values = floats(f, want);
    for (size_t i = 0; i < rows->n; i++) {
        int32_t row;
        memcpy(&row, (const char *)rows->data + 4 * i, 4);
        compare(d, hidden + (size_t)row * f->config.hidden, values + i * f->config.hidden, f->config.hidden);
    }
}

static size_t argmax(const float *row, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

static void compare_logits(struct distance *d, const struct fixture *f, const float *got, const struct tensor *want) {
    size_t classes = head_classes(f->head), n = want->n / classes;
    const float *values = floats(f, want);
    compare(d, got, values, want->n);
    for (size_t i = 0; i < n; i++) {
        d->n_rows++;
        d->n_agree += argmax(got + i * classes, classes) == argmax(values + i * classes, classes);
    }
}

static const float *forward(const struct fixture *f, struct rig *rig, const struct encoder_batch *batch,
                            size_t layers) {
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden = NULL;
    CHECK_MSG(encoder_forward(f->encoder, rig->work, batch, layers, &hidden, &err) == 0, "%s: %s", f->name, err.text);
    return hidden;
}

static const float *logits_of(const struct fixture *f, struct rig *rig, const struct encoder_batch *batch,
                              const float *hidden) {
    struct vsr_err err = VSR_ERR_NONE;
    const float *logits = NULL;
    CHECK_MSG(head_run(f->head, rig->scratch, encoder_work_gemm(rig->work), hidden, batch, &logits, &err) == 0,
              "%s: %s", f->name, err.text);
    return logits;
}

static void check_case(struct distance *d, const struct fixture *f, struct rig *rig, size_t number) {
    struct encoder_batch batch = case_batch(f, number);
    const struct tensor *want = array(f, number, "logits");
    const float *hidden;
    for (size_t layer = 1; layer < f->config.layers; layer++) {
        char name[32];
        snprintf(name, sizeof(name), "layer%zu.hidden", layer);
        if (array(f, number, name))
            compare_rows(d, f, number, forward(f, rig, &batch, layer), array(f, number, name));
    }
    hidden = forward(f, rig, &batch, 0);
    compare_rows(d, f, number, hidden, array(f, number, "hidden"));
    if (f->head && want)
        compare_logits(d, f, logits_of(f, rig, &batch, hidden), want);
}

static size_t list_models(char names[MODELS_MAX][64]) {
    char path[PATH_LEN];
    struct dirent **entries;
    size_t n = 0;
    int found;
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn", getenv("VSR_TEST_SOURCE"));
    found = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        char config[PATH_LEN * 2];
        snprintf(config, sizeof(config), "%s/%s/config.json", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && n < MODELS_MAX && access(config, R_OK) == 0) /* adapters have none */
            snprintf(names[n++], sizeof(names[0]), "%s", entries[i]->d_name);
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return n;
}

static void check_model(struct rig *rig, const char *name, enum precision precision) {
    struct fixture f;
    struct distance d = { .cosine = 1 };
    fixture_begin(&f, rig, name, precision);
    for (size_t i = 0; case_batch(&f, i).n; i++)
        check_case(&d, &f, rig, i);
    fprintf(stderr, "%-32s %s: off by %.2g, cosine %.6f, %zu of %zu classes\n", name, precision_name(precision),
            d.worst, d.cosine, d.n_agree, d.n_rows);
    fixture_end(&f);
}

TEST(models) {
    char names[MODELS_MAX][64];
    size_t n = list_models(names);
    struct rig rig;
    CHECK(n > 0, "there are fixtures");
    rig_begin(&rig);
    for (size_t i = 0; i < n; i++)
        for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
            check_model(&rig, names[i], precision);
    rig_end(&rig);
}

RUN_TESTS(T(models))
