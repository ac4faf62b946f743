/*
 * encoder_fixture - small models of every family, adapters among them, and what an independent float64 implementation
 * made of them (tests/nn/README.md).
 */
#ifndef VSR_TESTS_NN_ENCODER_FIXTURE_H
#define VSR_TESTS_NN_ENCODER_FIXTURE_H

#include "test.h"

#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "nn/cpu.h"
#include "nn/encoder.h"
#include "nn/encoder_adapter.h"
#include "nn/head.h"
#include "nn/lora.h"
#include "nn/runtime.h"
#include "nn/safetensors.h"
#include "nn/weights.h"

enum { MODELS_MAX = 128, CASES_MAX = 64, PATH_LEN = 512, FILE_LEN_MAX = 1 << 20 };

struct fixture {
    const char *name;
    char path[PATH_LEN];
    struct arena *arena;
    struct encoder_config config;
    struct weights *weights;
    struct lora *lora; /* NULL: a model of its own */
    struct encoder *encoder;
    struct encoder_adapter *adapter; /* NULL: none, or folded; else the encoder is the base's */
    struct head *head;               /* NULL: none */
    struct safetensors cases;
    enum precision precision;
};

/* How far from the truth, over all results of a fixture. */
struct distance {
    double worst;  /* greatest difference in a row, relative to the row's greatest number */
    double cosine; /* the least of a row */
    double sum;    /* of the distances of last states, each relative to its row's length */
    size_t n;      /* rows in `sum` */
    /* Logits are few and may all lie near zero: a difference is relative to the greatest of the fixture. */
    double logits, greatest_logit;
};

struct rig {
    struct nn_runtime *runtime;
    struct encoder_work *work;
    struct head_scratch *scratch;
};

/* The highest level that a test may use: all, or what VSR_TEST_ISA names. The library's own is ONEDNN_MAX_CPU_ISA's. */
static inline enum cpu_isa test_isa(void) {
    const char *name = getenv("VSR_TEST_ISA");
    int isa = CPU_ISAS_N - 1;
    while (name && isa > 0 && strcmp(name, cpu_isa_name((enum cpu_isa)isa)) != 0)
        isa--;
    return (enum cpu_isa)isa;
}

static inline void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    cpu_isa_limit(test_isa());
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    rig->work = encoder_work_new(rig->runtime);
    rig->scratch = head_scratch_new();
}

static inline void rig_end(struct rig *rig) {
    head_scratch_free(rig->scratch);
    encoder_work_free(rig->work);
    nn_runtime_free(rig->runtime);
}

/* ---- fixtures */

static inline vsr_str read_file(struct arena *arena, const char *dir, const char *name) {
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

/* The model itself, or what an adapter adapts: "base" in its cases.json. */
static inline void find_trunk(const struct fixture *f, char trunk[PATH_LEN * 2]) {
    vsr_str text;
    const char *base;
    snprintf(trunk, PATH_LEN * 2, "%s", f->path);
    if (!lora_is_adapter(str_from_c(f->path)))
        return;
    text = read_file(f->arena, f->path, "cases.json");
    base = strstr(arena_c_str(f->arena, text), "\"base\": \"");
    CHECK(base, f->name);
    base += strlen("\"base\": \"");
    snprintf(trunk, PATH_LEN * 2, "%s/tests/fixtures/nn/%.*s", getenv("VSR_TEST_SOURCE"), (int)strcspn(base, "\""),
             base);
}

static inline void open_adapter(struct fixture *f) {
    struct vsr_err err = VSR_ERR_NONE;
    struct encoder_linears linears = encoder_linears(f->arena, &f->config);
    CHECK_MSG(lora_open(str_from_c(f->path), &f->lora, &err) == 0, "%s: %s", f->name, err.text);
    CHECK_MSG(lora_bind(f->lora, &linears, &err) == 0, "%s: %s", f->name, err.text);
    f->config.task = f->lora->task;
    f->config.n_labels = 0;
}

static inline void open_head(struct fixture *f, struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    if (f->config.task == TASK_SEQUENCE || f->config.task == TASK_TOKENS)
        CHECK_MSG(head_new(rig->runtime, &f->config, f->weights, f->lora, &f->head, &err) == 0, "%s: %s", f->name,
                  err.text);
}

/* Everything but the encoder and what is made with it. */
static inline void open_files(struct fixture *f, const char *name, enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    char cases[PATH_LEN * 2], trunk[PATH_LEN * 2];
    *f = (struct fixture){ .name = name, .precision = precision, .arena = arena_new(0, 0) };
    snprintf(f->path, sizeof(f->path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    snprintf(cases, sizeof(cases), "%s/cases.safetensors", f->path);
    find_trunk(f, trunk);
    CHECK_MSG(encoder_config_read(f->arena, read_file(f->arena, trunk, "config.json"), &f->config, &err) == 0, "%s: %s",
              name, err.text);
    if (strcmp(trunk, f->path) != 0)
        open_adapter(f);
    CHECK_MSG(weights_open(str_from_c(trunk), &f->weights, &err) == 0, "%s: %s", name, err.text);
    CHECK_MSG(safetensors_open(f->arena, cases, &f->cases, &err) == 0, "%s: %s", name, err.text);
}

/* An adapter is folded. */
static inline void fixture_begin(struct fixture *f, struct rig *rig, const char *name, enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    open_files(f, name, precision);
    CHECK_MSG(nn_encoder_new(rig->runtime, &f->config, f->weights, f->lora, precision, &f->encoder, &err) == 0,
              "%s: %s", name, err.text);
    open_head(f, rig);
}

/* An adapter that runs beside its base, which stays open until its end. */
static inline void fixture_begin_stacked(struct fixture *f, struct rig *rig, const struct fixture *base,
                                         const char *name) {
    struct vsr_err err = VSR_ERR_NONE;
    open_files(f, name, base->precision);
    f->encoder = base->encoder;
    CHECK_MSG(encoder_adapter_new(base->encoder, f->weights, f->lora, &f->adapter, &err) == 0, "%s: %s", name,
              err.text);
    open_head(f, rig);
    CHECK_MSG(lora_finish(f->lora, &err) == 0, "%s: %s", name, err.text);
}

static inline void fixture_end(struct fixture *f) {
    head_free(f->head);
    lora_free(f->lora);
    if (!f->adapter)
        nn_encoder_free(f->encoder);
    encoder_adapter_free(f->adapter);
    weights_unref(f->weights);
    arena_free(f->arena);
}

static inline const struct tensor *array(const struct fixture *f, size_t number, const char *what) {
    char name[64];
    snprintf(name, sizeof(name), "case%zu.%s", number, what);
    return safetensors_find(&f->cases, str_from_c(name));
}

static inline float *floats(const struct fixture *f, const struct tensor *tensor) {
    float *values = ARENA_ARRAY(f->arena, float, tensor->n);
    CHECK(dtype_to_f32(tensor->dtype, tensor->data, tensor->n, values), "numbers");
    return values;
}

/* A case as a batch of one; n 0: there is no such case. */
static inline struct encoder_batch case_batch(const struct fixture *f, size_t number) {
    const struct tensor *ids = array(f, number, "ids"), *types = array(f, number, "types");
    uint32_t *words, *starts;
    uint8_t *bytes = NULL;
    const struct encoder_adapter **adapters = NULL;
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
    if (f->adapter) {
        adapters = ARENA_ARRAY(f->arena, const struct encoder_adapter *, 1);
        adapters[0] = f->adapter;
    }
    return (struct encoder_batch){ words, bytes, starts, 1, adapters };
}

/* ---- comparing */

static inline double compare(struct distance *d, const float *got, const float *want, size_t n) {
    double greatest = 0, difference = 0, dot = 0, a = 0, b = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double by = (double)got[i] - want[i];
        greatest = fmax(greatest, fabs(want[i]));
        difference = fmax(difference, fabs(by));
        squares += by * by;
        dot += (double)got[i] * want[i];
        a += (double)got[i] * got[i];
        b += (double)want[i] * want[i];
        if (isnan(got[i]))
            difference = INFINITY;
    }
    d->worst = fmax(d->worst, difference / greatest);
    d->cosine = fmin(d->cosine, dot / sqrt(a * b));
    return sqrt(squares / b);
}

/* `last`: behind all layers. */
static inline void compare_rows(struct distance *d, const struct fixture *f, size_t number, const float *hidden,
                                const struct tensor *want, bool last) {
    const struct tensor *rows = array(f, number, "rows");
    const float *values = floats(f, want);
    for (size_t i = 0; i < rows->n; i++) {
        int32_t row;
        double distance;
        memcpy(&row, (const char *)rows->data + 4 * i, 4);
        distance = compare(d, hidden + (size_t)row * f->config.hidden, values + i * f->config.hidden, f->config.hidden);
        d->sum += last ? distance : 0;
        d->n += last;
    }
}

static inline void compare_logits(struct distance *d, const struct fixture *f, const float *got,
                                  const struct tensor *want) {
    const float *values = floats(f, want);
    for (size_t i = 0; i < want->n; i++) {
        d->greatest_logit = fmax(d->greatest_logit, fabs(values[i]));
        d->logits = fmax(d->logits, isnan(got[i]) ? INFINITY : fabs((double)got[i] - values[i]));
    }
}

static inline const float *forward(const struct fixture *f, struct rig *rig, const struct encoder_batch *batch,
                                   size_t layers) {
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden = NULL;
    CHECK_MSG(encoder_forward(f->encoder, rig->work, batch, layers, &hidden, &err) == 0, "%s: %s", f->name, err.text);
    return hidden;
}

static inline const float *logits_of(const struct fixture *f, struct rig *rig, const struct encoder_batch *batch,
                                     const float *hidden) {
    struct vsr_err err = VSR_ERR_NONE;
    const float *logits = NULL;
    CHECK_MSG(head_run(f->head, rig->scratch, encoder_work_gemm(rig->work), hidden, batch, &logits, &err) == 0,
              "%s: %s", f->name, err.text);
    return logits;
}

static inline void check_case(struct distance *d, const struct fixture *f, struct rig *rig, size_t number) {
    struct encoder_batch batch = case_batch(f, number);
    const struct tensor *want = array(f, number, "logits");
    const float *hidden;
    for (size_t layer = 1; layer < f->config.layers; layer++) {
        char name[32];
        snprintf(name, sizeof(name), "layer%zu.hidden", layer);
        if (array(f, number, name))
            compare_rows(d, f, number, forward(f, rig, &batch, layer), array(f, number, name), false);
    }
    hidden = forward(f, rig, &batch, 0);
    compare_rows(d, f, number, hidden, array(f, number, "hidden"), true);
    if (f->head && want)
        compare_logits(d, f, logits_of(f, rig, &batch, hidden), want);
}

static inline bool is_model(const char *dir) {
    char config[PATH_LEN * 3];
    snprintf(config, sizeof(config), "%s/config.json", dir);
    return access(config, R_OK) == 0 || lora_is_adapter(str_from_c(dir));
}

static inline size_t list_models(char names[MODELS_MAX][64]) {
    char path[PATH_LEN];
    struct dirent **entries;
    size_t n = 0;
    int found;
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn", getenv("VSR_TEST_SOURCE"));
    found = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < found; i++) {
        char config[PATH_LEN * 2];
        snprintf(config, sizeof(config), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && n < MODELS_MAX && is_model(config))
            snprintf(names[n++], sizeof(names[0]), "%s", entries[i]->d_name);
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return n;
}

/*
 * What a precision may cost, at its worst in any row. The reference notices no mistake that moves a result by less than
 * 1e-4 (tests/nn/check_reference.py), and float32 alone moves none by more than 2e-6: the bound lies between.
 */
static const struct {
    double worst, cosine;
    double rounding; /* the mean distance, in terms of what rounding the factors of the products costs in float64 */
} bounds[] = {
    [PRECISION_F32] = { 1e-5, 0.9999999, 0 },
    [PRECISION_BF16] = { 1e-2, 0.9995, 1.05 }, /* so nothing else is rounded */
    [PRECISION_INT8] = { 6e-2, 0.995,
                         1.7 }, /* 1 but where products of bytes would saturate: there weights have a bit less */
};

/* "rounding" in its cases.json. */
static inline double rounding_of(const struct fixture *f) {
    const char *text = arena_c_str(f->arena, read_file(f->arena, f->path, "cases.json"));
    const char *at = strstr(strstr(text, "\"rounding\""), f->precision == PRECISION_BF16 ? "\"bf16\": " : "\"int8\": ");
    CHECK(at, f->name);
    return strtod(at + strlen("\"bf16\": "), NULL);
}

static inline struct distance measure(const struct fixture *f, struct rig *rig) {
    struct distance d = { .cosine = 1 };
    for (size_t i = 0; case_batch(f, i).n; i++)
        check_case(&d, f, rig, i);
    return d;
}

/* Every case, within the bounds of its precision. */
static inline void check_fixture(const struct fixture *f, struct rig *rig) {
    struct distance d = measure(f, rig);
    const char *name = f->name, *precision = precision_name(f->precision);
    double logits = d.greatest_logit > 0 ? d.logits / d.greatest_logit : 0;
    double rounding = f->precision == PRECISION_F32 ? 0 : d.sum / (double)d.n / rounding_of(f);
    if (getenv("VSR_TEST_VERBOSE"))
        fprintf(stderr, "%-28s %-5s off by %.2g, logits %.2g, cosine %.7f, %.3f of the rounding\n", name, precision,
                d.worst, logits, d.cosine, rounding);
    CHECK_MSG(d.worst <= bounds[f->precision].worst, "%s %s: off by %g", name, precision, d.worst);
    CHECK_MSG(logits <= bounds[f->precision].worst, "%s %s: logits off by %g", name, precision, logits);
    CHECK_MSG(d.cosine >= bounds[f->precision].cosine, "%s %s: cosine %g", name, precision, d.cosine);
    CHECK_MSG(rounding <= bounds[f->precision].rounding, "%s %s: %g times what rounding costs", name, precision,
              rounding);
}

#endif
