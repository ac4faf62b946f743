#include "test.h"

#include <dirent.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/labels.h"
#include "nn/lora.h"
#include "nn/model_file.h"
#include "nn/sentence_files.h"
#include "unit/nn/model_dir.h"

/* The small models of tests/fixtures/nn, of every family: files are as their libraries write them. */

struct model {
    struct arena *arena;
    const char *name;
    vsr_str directory;
    struct encoder_config config;
    struct encoder_linears linears;
    struct weights *weights;
    struct lora *lora; /* NULL: none */
};

static vsr_str fixture(struct arena *arena, vsr_str name) {
    return arena_printf(arena, "%s/tests/fixtures/nn/%.*s", getenv("VSR_TEST_SOURCE"), VSR_FMT(name));
}

static void open_base(struct model *m, vsr_str directory) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text;
    CHECK_MSG(model_file_read(m->arena, directory, VSR_STR("config.json"), &text, &err) == 0, "%s: %s", m->name,
              err.text);
    CHECK_MSG(encoder_config_read(m->arena, text, &m->config, &err) == 0, "%s: %s", m->name, err.text);
    CHECK_MSG(weights_open(directory, &m->weights, &err) == 0, "%s: %s", m->name, err.text);
    CHECK_MSG(weights_probe(m->weights, encoder_family_embedding(m->config.family), &err) == 0, "%s: %s", m->name,
              err.text);
    m->linears = encoder_linears(m->arena, &m->config);
}

static void open_model(struct model *m) {
    struct vsr_err err = VSR_ERR_NONE;
    ptrdiff_t slash;
    if (!lora_is_adapter(m->directory)) {
        open_base(m, m->directory);
        return;
    }
    CHECK_MSG(lora_open(m->directory, &m->lora, &err) == 0, "%s: %s", m->name, err.text);
    slash = str_find_last_char(m->lora->base, '/');
    open_base(m, fixture(m->arena, str_sub(m->lora->base, (size_t)(slash + 1), m->lora->base.len)));
    CHECK_MSG(lora_bind(m->lora, &m->linears, &err) == 0, "%s: %s", m->name, err.text);
}

/* Each layer of the trunk is there in the size that config.json says; so is the output. */
static void read_linear(struct model *m, const struct encoder_linear *linear) {
    vsr_str weight = arena_printf(m->arena, "%.*s.weight", VSR_FMT(linear->name));
    bool exists = weights_has(m->weights, linear->part, weight) || (m->lora && lora_find_saved(m->lora, weight));
    struct vsr_err err = VSR_ERR_NONE;
    size_t out = linear->out;
    float *values;
    if (linear->layer == LINEAR_NO_LAYER && !exists)
        return;
    if (out == 0)
        CHECK_MSG(lora_rows(m->lora, m->weights, linear->part, linear->name, &out, &err) == 0, "%s: %s", m->name,
                  err.text);
    values = mem_alloc(out * (linear->in + 1) * sizeof(*values));
    CHECK_MSG(lora_weight(m->lora, m->weights, linear->part, linear->name, out, linear->in, values, &err) == 0,
              "%s: %s", m->name, err.text);
    if (lora_has_bias(m->lora, m->weights, linear->part, linear->name))
        CHECK_MSG(lora_bias(m->lora, m->weights, linear->part, linear->name, out, values, &err) == 0, "%s: %s", m->name,
                  err.text);
    mem_free(values);
}

/* What an adapter saves of norms takes the place of the base's. */
static void read_saved(struct model *m, const struct lora_saved *saved) {
    struct vsr_err err = VSR_ERR_NONE;
    struct weights_shape shape = { .n_dims = saved->tensor->n_dims };
    float *values = mem_alloc(saved->tensor->n * sizeof(*values));
    memcpy(shape.dims, saved->tensor->dims, sizeof(shape.dims));
    CHECK_MSG(weights_has(m->weights, WEIGHTS_TRUNK, saved->name) || weights_has(m->weights, WEIGHTS_HEAD, saved->name),
              "%s: the base has no \"%.*s\"", m->name, VSR_FMT(saved->name));
    CHECK_MSG(lora_tensor(m->lora, m->weights, WEIGHTS_TRUNK, saved->name, shape, values, &err) == 0, "%s: %s", m->name,
              err.text);
    mem_free(values);
}

/* All but the norms and tables: nobody read them here. */
static void check_account(struct model *m) {
    static const char *const others[] = { "embeddings.",
                                          "embed_tokens.",
                                          "norm.",
                                          "final_norm.",
                                          "head.norm.",
                                          "decoder.",
                                          "encoder.rel_embeddings.",
                                          "encoder.LayerNorm.",
                                          "encoder.relative_attention_bias." };
    struct vsr_err err = VSR_ERR_NONE;
    for (size_t i = 0; i < VSR_COUNT(others); i++)
        weights_ignore(m->weights, str_from_c(others[i]));
    for (size_t i = 0; i < weights_count(m->weights); i++) {
        vsr_str name = weights_at(m->weights, i)->name;
        if (str_find(name, VSR_STR("norm")) >= 0 || str_find(name, VSR_STR("LayerNorm")) >= 0)
            weights_ignore(m->weights, str_starts(name, weights_prefix(m->weights))
                                           ? str_sub(name, weights_prefix(m->weights).len, name.len)
                                           : name);
    }
    CHECK_MSG(weights_finish(m->weights, &err) == 0, "%s: %s", m->name, err.text);
    CHECK_MSG(!m->lora || lora_finish(m->lora, &err) == 0, "%s: %s", m->name, err.text);
}

static void check_labels(struct model *m) {
    struct labels labels;
    struct vsr_err err = VSR_ERR_NONE;
    if (m->lora || (m->config.task != TASK_SEQUENCE && m->config.task != TASK_TOKENS))
        return;
    CHECK_MSG(labels_read(m->arena, m->directory, VSR_STR(""), m->config.n_labels, &labels, &err) == 0, "%s: %s",
              m->name, err.text);
}

static void check_sentence_files(struct model *m) {
    struct sentence_files files;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(sentence_files_read(m->arena, m->directory, &files, &err) == 0, "%s: %s", m->name, err.text);
    CHECK(!files.has_modules || files.dims == m->config.hidden, m->name);
    for (size_t i = 0; i < files.n_steps; i++) {
        const struct sentence_step *step = &files.steps[i];
        const struct tensor *tensor;
        struct weights *weights = NULL;
        if (step->kind != SENTENCE_DENSE)
            continue;
        CHECK_MSG(weights_open(arena_printf(m->arena, "%.*s/%.*s", VSR_FMT(m->directory), VSR_FMT(step->path)),
                               &weights, &err) == 0,
                  "%s: %s", m->name, err.text);
        CHECK_MSG(weights_get(weights, WEIGHTS_HEAD, VSR_STR("linear.weight"), WEIGHTS_SHAPE(step->out, step->in),
                              &tensor, &err) == 0,
                  "%s: %s", m->name, err.text);
        weights_unref(weights);
    }
}

static void check_model(const char *name) {
    struct model m = { .arena = arena_new(0, 0), .name = name };
    m.directory = fixture(m.arena, str_from_c(name));
    open_model(&m);
    for (size_t i = 0; i < m.linears.n; i++)
        read_linear(&m, &m.linears.items[i]);
    for (size_t i = 0; m.lora && i < m.lora->n_saved; i++) {
        if (!m.lora->saved[i].used)
            read_saved(&m, &m.lora->saved[i]);
    }
    check_account(&m);
    check_labels(&m);
    check_sentence_files(&m);
    weights_unref(m.weights);
    lora_free(m.lora);
    arena_free(m.arena);
}

TEST(every_fixture_loads) {
    struct arena *arena = arena_new(0, 0);
    DIR *dir = opendir(arena_c_str(arena, fixture(arena, VSR_STR("."))));
    size_t n = 0;
    CHECK(dir != NULL, "tests/fixtures/nn");
    for (const struct dirent *entry; (entry = readdir(dir));) {
        vsr_str path = fixture(arena, str_from_c(entry->d_name));
        if (!model_file_exists(path, VSR_STR("config.json")) && !lora_is_adapter(path))
            continue;
        check_model(entry->d_name);
        n++;
    }
    closedir(dir);
    CHECK_MSG(n >= 30, "%zu models", n);
    arena_free(arena);
}

static const struct {
    const char *name;
    size_t first;
} firsts[] = {
    { "modernbert-mlm-lora-dora", 1 },
    { "modernbert-mlm-lora-intent", 0 },
    { "modernbert-mlm-lora-guard", 2 },
    { "bert-mlm-lora-head", 2 },
};

TEST(layers_before_the_first_adapted_one) {
    for (size_t i = 0; i < VSR_COUNT(firsts); i++) {
        struct model m = { .arena = arena_new(0, 0), .name = firsts[i].name };
        m.directory = fixture(m.arena, str_from_c(m.name));
        open_model(&m);
        CHECK_INT(m.lora->first_layer, firsts[i].first, m.name);
        weights_unref(m.weights);
        lora_free(m.lora);
        arena_free(m.arena);
    }
}

RUN_TESTS(T(every_fixture_loads), T(layers_before_the_first_adapted_one))
