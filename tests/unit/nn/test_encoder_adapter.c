#include "nn/encoder_adapter.h"

#include <math.h>
#include <string.h>

#include "nn/cpu.h"
#include "nn/team.h"
#include "unit/nn/encoder_fixture.h"
#include "unit/nn/model_dir.h"

enum { MODELS = 6 /* a base and five adapters */, MIX_MAX = CASES_MAX * MODELS * 2 };

/* ---- the fixtures' adapters beside their bases */

static const struct {
    const char *base, *names[4];
} bases[] = {
    { "bert-mlm", { "bert-mlm-lora-head", "bert-mlm-lora-intent" } },
    { "bert-embed-mean", { "bert-embed-mean-lora-domain", "bert-embed-mean-lora-topic" } },
    { "modernbert-mlm", { "modernbert-mlm-lora-guard", "modernbert-mlm-lora-intent", "modernbert-mlm-lora-pii" } },
};

static void check_base(struct rig *rig, size_t i, enum precision precision) {
    struct fixture base, f;
    fixture_begin(&base, rig, bases[i].base, precision);
    for (size_t k = 0; k < VSR_COUNT(bases[i].names) && bases[i].names[k]; k++) {
        fixture_begin_stacked(&f, rig, &base, bases[i].names[k]);
        check_fixture(&f, rig);
        fixture_end(&f);
    }
    fixture_end(&base);
}

TEST(as_the_reference) {
    struct rig rig;
    rig_begin(&rig);
    for (size_t i = 0; i < VSR_COUNT(bases); i++)
        for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
            check_base(&rig, i, precision);
    rig_end(&rig);
}

/* ---- one sequence, whatever stands beside it */

/* Models of one base, the base first; the others run beside it. All are asked what the last one has cases of. */
struct family {
    struct fixture models[MODELS];
    size_t n;
};

static struct encoder_batch text_of(const struct family *family, size_t model, size_t number) {
    struct encoder_batch batch = case_batch(&family->models[family->n - 1], number);
    const struct encoder_adapter **adapters = ARENA_ARRAY(family->models[0].arena, const struct encoder_adapter *, 1);
    adapters[0] = family->models[model].adapter;
    batch.adapters = adapters;
    return batch;
}

static size_t count_texts(const struct family *family) {
    size_t n = 0;
    while (n < CASES_MAX && text_of(family, 0, n).n)
        n++;
    return n;
}

struct mix {
    struct encoder_batch batch;
    size_t cases[MIX_MAX], models[MIX_MAX];
};

static void mix_begin(struct mix *mix, struct arena *arena) {
    *mix = (struct mix){ .batch = { .n = 0 } };
    mix->batch.ids = ARENA_ARRAY(arena, uint32_t, 1 << 18);
    mix->batch.types = ARENA_ARRAY(arena, uint8_t, 1 << 18);
    mix->batch.starts = ARENA_ARRAY(arena, uint32_t, MIX_MAX + 1);
    mix->batch.adapters = ARENA_ARRAY(arena, const struct encoder_adapter *, MIX_MAX);
    memset((void *)mix->batch.starts, 0, sizeof(uint32_t));
}

static void mix_add(struct mix *mix, const struct family *family, size_t model, size_t number) {
    struct encoder_batch one = text_of(family, model, number), *to = &mix->batch;
    size_t from = to->starts[to->n], n = one.starts[1];
    memcpy((uint32_t *)to->ids + from, one.ids, n * sizeof(*one.ids));
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to->types)[from + i] = one.types ? one.types[i] : 0;
    mix->cases[to->n] = number;
    mix->models[to->n] = model;
    ((const struct encoder_adapter **)to->adapters)[to->n] = one.adapters[0];
    ((uint32_t *)to->starts)[++to->n] = (uint32_t)(from + n);
}

/* Ways to put a batch together. */
enum order { BY_MODEL, BY_CASE, BACKWARDS, TWICE, SOME, ORDERS };

static void mix_all(struct mix *mix, const struct family *family, enum order order) {
    size_t n_cases = count_texts(family), n = n_cases * family->n;
    for (size_t k = 0; k < (order == TWICE ? 2 * n : n); k++) {
        size_t i = order == BACKWARDS ? n - 1 - k : k % n;
        bool by_model = order == BY_MODEL || order == TWICE;
        size_t model = by_model ? i / n_cases : i % family->n, number = by_model ? i % n_cases : i / family->n;
        if (order != SOME || (number + 2 * model) % 3 != 0)
            mix_add(mix, family, model, number);
    }
}

/* The same on three threads. */
static void check_threads(const struct fixture *base, struct rig *rig, const struct mix *mix, size_t layers) {
    size_t n = mix->batch.starts[mix->batch.n] * base->config.hidden;
    struct vsr_err err = VSR_ERR_NONE;
    float *want = ARENA_ARRAY(base->arena, float, n);
    struct team *team;
    struct crew *crew;
    memcpy(want, forward(base, rig, &mix->batch, layers), n * sizeof(*want));
    CHECK_MSG(team_new(3, &team, &err) == 0, "%s", err.text);
    crew = crew_begin(team, 0);
    encoder_work_crew(rig->work, crew);
    CHECK_MSG(memcmp(forward(base, rig, &mix->batch, layers), want, n * sizeof(*want)) == 0,
              "%s %s, %zu layers: differs on three threads", base->name, precision_name(base->precision), layers);
    encoder_work_crew(rig->work, NULL);
    crew_end(crew);
    team_free(team);
}

/* `alone`: by model and case. */
static void check_mix(const struct family *family, struct rig *rig, enum order order, size_t layers,
                      const float *const alone[MODELS][CASES_MAX]) {
    const struct fixture *base = &family->models[0];
    size_t cols = base->config.hidden;
    struct mix mix;
    const float *hidden;
    mix_begin(&mix, base->arena);
    mix_all(&mix, family, order);
    hidden = forward(base, rig, &mix.batch, layers);
    for (size_t s = 0; s < mix.batch.n; s++) {
        size_t from = mix.batch.starts[s], n = mix.batch.starts[s + 1] - from;
        CHECK_MSG(memcmp(hidden + from * cols, alone[mix.models[s]][mix.cases[s]], n * cols * sizeof(float)) == 0,
                  "%s %s, order %d, %zu layers: case %zu of model %zu differs alone", base->name,
                  precision_name(base->precision), (int)order, layers, mix.cases[s], mix.models[s]);
    }
    if (order == TWICE)
        check_threads(base, rig, &mix, layers);
}

/* Every way to mix the models' cases gives to the bit what each gives alone. */
static void check_mixes(const struct family *family, struct rig *rig, size_t layers) {
    const float *alone[MODELS][CASES_MAX];
    const struct fixture *base = &family->models[0];
    for (size_t m = 0; m < family->n; m++) {
        for (size_t i = 0; i < count_texts(family); i++) {
            struct encoder_batch one = text_of(family, m, i);
            size_t n = one.starts[1] * base->config.hidden;
            float *copy = ARENA_ARRAY(base->arena, float, n);
            memcpy(copy, forward(&family->models[m], rig, &one, layers), n * sizeof(*copy));
            alone[m][i] = copy;
        }
    }
    for (enum order order = 0; order < ORDERS; order++)
        check_mix(family, rig, order, layers, alone);
}

static void open_family(struct family *family, struct rig *rig, size_t i, enum precision precision) {
    fixture_begin(&family->models[0], rig, bases[i].base, precision);
    family->n = 1;
    for (size_t k = 0; k < VSR_COUNT(bases[i].names) && bases[i].names[k]; k++)
        fixture_begin_stacked(&family->models[family->n++], rig, &family->models[0], bases[i].names[k]);
}

static void close_family(struct family *family) {
    while (family->n > 0)
        fixture_end(&family->models[--family->n]);
}

TEST(mixed) {
    struct rig rig;
    rig_begin(&rig);
    for (size_t i = 0; i < VSR_COUNT(bases); i++) {
        for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
            struct family family;
            open_family(&family, &rig, i, precision);
            for (size_t layers = 0; layers < family.models[0].config.layers; layers++)
                check_mixes(&family, &rig, layers);
            close_family(&family);
        }
    }
    rig_end(&rig);
}

/* ---- every family: adapters of random numbers, beside their base and folded */

static const char *const families[] = { "bert-sequence", "roberta-token",    "xlm-roberta-embed", "mpnet-embed",
                                        "deberta-c2p",   "deberta-unshared", "deberta-sequence",  "modernbert-yarn",
                                        "qwen3-embed",   "gemma-embed" };

/* What is drawn: numbers of an adapter of the layers from `first` on. */
struct drawn {
    size_t first, rank; /* first: counted from the end when above the number of layers */
    bool biases;        /* lora_bias */
};

static const struct drawn drawn[MODELS - 1] = {
    { 0, 4, false }, { 1, 7, true }, { 0, 17, true }, { 99, 2, false }, { 0, 1, false },
};

static float draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*state >> 32) / 2147483648.0f;
}

static void add_drawn(struct tensor_file *file, struct arena *arena, vsr_str name, const char *end, size_t rows,
                      size_t cols, float size, uint64_t *state) {
    float *values = ARENA_ARRAY(arena, float, rows *cols);
    vsr_str shape = cols > 1 || str_eq_c(str_from_c(end), ".lora_B.weight")
                        ? arena_printf(arena, "[%zu,%zu]", rows, cols)
                        : arena_printf(arena, "[%zu]", rows);
    for (size_t i = 0; i < rows * cols; i++)
        values[i] = size * draw(state);
    tensor_file_add(file, arena_c_str(arena, arena_printf(arena, "base_model.model.%.*s%s", VSR_FMT(name), end)), "F32",
                    arena_c_str(arena, shape), values, rows * cols * sizeof(*values));
}

static size_t first_layer(const struct drawn *d, const struct encoder_config *config) {
    return d->first < config->layers ? d->first : config->layers - 1;
}

static void write_drawn(const struct model_dir *dir, const struct drawn *d, const struct fixture *base, uint64_t seed) {
    struct encoder_linears linears = encoder_linears(base->arena, &base->config);
    struct tensor_file file;
    vsr_str layers = VSR_STR(""), config;
    tensor_file_begin(&file);
    for (size_t i = 0; i < linears.n; i++) {
        const struct encoder_linear *linear = &linears.items[i];
        if (linear->layer == LINEAR_NO_LAYER || linear->layer < first_layer(d, &base->config))
            continue;
        add_drawn(&file, base->arena, linear->name, ".lora_A.weight", d->rank, linear->in, 0.2f, &seed);
        add_drawn(&file, base->arena, linear->name, ".lora_B.weight", linear->out, d->rank, 0.2f, &seed);
        if (d->biases)
            add_drawn(&file, base->arena, linear->name, ".lora_B.bias", linear->out, 1, 0.2f, &seed);
    }
    for (size_t i = first_layer(d, &base->config); i < base->config.layers; i++)
        layers = arena_printf(base->arena, "%.*s%s%zu", VSR_FMT(layers), layers.len ? "," : "", i);
    config = arena_printf(base->arena,
                          "{\"peft_type\":\"LORA\",\"task_type\":\"FEATURE_EXTRACTION\",\"r\":%zu,\"lora_alpha\":%zu,"
                          "\"target_modules\":\"all-linear\",\"lora_bias\":%s,\"layers_to_transform\":[%.*s]}",
                          d->rank, d->rank, d->biases ? "true" : "false", VSR_FMT(layers));
    model_dir_write(dir, "adapter_config.json", config);
    model_dir_write(dir, "adapter_model.safetensors", tensor_file_bytes(&file));
    tensor_file_end(&file);
}

/* An adapter in a directory, asked what its base has cases of. */
static void open_drawn_files(struct fixture *f, const struct fixture *base, const struct model_dir *dir) {
    struct vsr_err err = VSR_ERR_NONE;
    char cases[PATH_LEN * 2];
    *f = (struct fixture){ .name = base->name, .precision = base->precision, .arena = arena_new(0, 0) };
    f->config = base->config;
    snprintf(f->path, sizeof(f->path), "%s", dir->path);
    snprintf(cases, sizeof(cases), "%s/cases.safetensors", base->path);
    open_adapter(f);
    f->config.task = TASK_NONE;
    CHECK_MSG(weights_open(str_from_c(base->path), &f->weights, &err) == 0, "%s", err.text);
    CHECK_MSG(safetensors_open(f->arena, cases, &f->cases, &err) == 0, "%s", err.text);
}

static void open_drawn(struct fixture *f, struct rig *rig, const struct fixture *base, const struct model_dir *dir,
                       bool stacked) {
    struct vsr_err err = VSR_ERR_NONE;
    open_drawn_files(f, base, dir);
    f->encoder = base->encoder;
    if (stacked)
        CHECK_MSG(encoder_adapter_new(base->encoder, f->weights, f->lora, &f->adapter, &err) == 0, "%s: %s", base->name,
                  err.text);
    else
        CHECK_MSG(nn_encoder_new(rig->runtime, &f->config, f->weights, f->lora, f->precision, &f->encoder, &err) == 0,
                  "%s: %s", base->name, err.text);
    CHECK_MSG(lora_finish(f->lora, &err) == 0, "%s: %s", base->name, err.text);
}

static float *vectors_of(const struct fixture *f, struct rig *rig, size_t number, size_t *ret_n) {
    struct encoder_batch one = case_batch(f, number);
    float *copy;
    *ret_n = one.starts[1] * f->config.hidden;
    copy = ARENA_ARRAY(f->arena, float, *ret_n);
    memcpy(copy, forward(f, rig, &one, 0), *ret_n * sizeof(*copy));
    return copy;
}

/* Differs from the base by the adapter, and from the folded adapter by rounding. */
static void check_like_folded(const struct fixture *stacked, const struct fixture *folded, const struct fixture *base,
                              struct rig *rig, const struct drawn *d) {
    struct distance near = { .cosine = 1 }, far = { .cosine = 1 };
    for (size_t i = 0; i < CASES_MAX && case_batch(base, i).n; i++) {
        size_t n;
        const float *want = vectors_of(folded, rig, i, &n), *got = vectors_of(stacked, rig, i, &n);
        compare(&near, got, want, n);
        compare(&far, vectors_of(base, rig, i, &n), want, n);
    }
    if (getenv("VSR_TEST_VERBOSE"))
        fprintf(stderr, "%-18s from layer %zu: off by %.2g, the base by %.2g\n", base->name, d->first, near.worst,
                far.worst);
    CHECK_MSG(near.worst <= bounds[PRECISION_F32].worst, "%s from layer %zu: off by %g", base->name, d->first,
              near.worst);
    CHECK_MSG(far.worst > 0.01, "%s from layer %zu: the adapter changes nothing", base->name, d->first);
    CHECK_INT(encoder_adapter_first_layer(stacked->adapter), first_layer(d, &base->config), base->name);
}

static void check_family(struct rig *rig, const char *name, enum precision precision) {
    struct family family = { .n = 1 };
    struct fixture *base = &family.models[0];
    fixture_begin(base, rig, name, precision);
    for (size_t i = 0; i < VSR_COUNT(drawn); i++) {
        struct model_dir dir = model_dir_make();
        struct fixture folded;
        write_drawn(&dir, &drawn[i], base, i + 1);
        open_drawn(&family.models[family.n], rig, base, &dir, true);
        if (precision == PRECISION_F32) {
            open_drawn(&folded, rig, base, &dir, false);
            check_like_folded(&family.models[family.n], &folded, base, rig, &drawn[i]);
            fixture_end(&folded);
        }
        family.n++;
        model_dir_remove(&dir);
    }
    check_mixes(&family, rig, 0);
    check_mixes(&family, rig, 1);
    close_family(&family);
}

TEST(all_families) {
    struct rig rig;
    rig_begin(&rig);
    for (size_t i = 0; i < VSR_COUNT(families); i++)
        for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
            check_family(&rig, families[i], precision);
    rig_end(&rig);
}

/* Our own kernels at every level that this processor has. */
TEST(levels) {
    for (enum cpu_isa isa = CPU_PORTABLE; isa < cpu_isa_best(); isa++) {
        struct rig rig;
        cpu_isa_limit(isa);
        rig_begin(&rig);
        for (size_t i = 0; i < VSR_COUNT(bases); i++) {
            check_base(&rig, i, PRECISION_F32);
            check_base(&rig, i, PRECISION_INT8);
        }
        rig_end(&rig);
        cpu_isa_limit(CPU_ISAS_N - 1);
    }
}

/* ---- what an adapter replaces */

/* Biases and norms by name; factors, so that it is an adapter, of the last layer only. */
#define FACTORS "encoder.layer.1.attention.self.query"
static const struct {
    const char *name, *more;
    struct named_tensor tensors[3];
    const char *says; /* NULL: it is taken */
} replaced[] = {
    { "the norm of the embeddings", "\"bias\":\"all\"", { { "embeddings.LayerNorm.bias", NULL, 0, 0 } }, NULL },
    { "a norm of a layer", "\"bias\":\"all\"", { { "encoder.layer.0.output.LayerNorm.bias", NULL, 0, 0 } }, NULL },
    { "biases of matrices",
      "\"bias\":\"lora_only\"",
      { { "encoder.layer.1.attention.self.query.bias", NULL, 0, 0 },
        { "encoder.layer.0.attention.self.value.bias", NULL, 0, 0 } },
      NULL },
    { "positions",
      "\"modules_to_save\":[\"position_embeddings\"]",
      { { "embeddings.position_embeddings.weight", "positions", 0, 0 } },
      NULL },
    { "a matrix",
      "\"modules_to_save\":[\"key\"]",
      { { "encoder.layer.0.attention.self.key.weight", "square", 0, 0 } },
      "only be folded" },
};

static void add_replaced(struct tensor_file *file, const struct fixture *base, const struct named_tensor *tensor,
                         uint64_t *seed) {
    size_t hidden = base->config.hidden, rows = hidden, cols = 1;
    if (tensor->shape) {
        rows = strcmp(tensor->shape, "square") == 0 ? hidden : base->config.positions;
        cols = hidden;
    }
    add_drawn(file, base->arena, str_from_c(tensor->name), "", rows, cols, 1, seed);
}

static void write_replaced(const struct model_dir *dir, const struct fixture *base, size_t i) {
    struct tensor_file file;
    uint64_t seed = 7 + i;
    tensor_file_begin(&file);
    add_drawn(&file, base->arena, VSR_STR(FACTORS), ".lora_A.weight", 3, base->config.hidden, 0.2f, &seed);
    add_drawn(&file, base->arena, VSR_STR(FACTORS), ".lora_B.weight", base->config.hidden, 3, 0.2f, &seed);
    for (size_t k = 0; k < VSR_COUNT(replaced[i].tensors) && replaced[i].tensors[k].name; k++)
        add_replaced(&file, base, &replaced[i].tensors[k], &seed);
    model_dir_write(dir, "adapter_config.json",
                    arena_printf(base->arena,
                                 "{\"peft_type\":\"LORA\",\"r\":3,\"lora_alpha\":3,\"target_modules\":[\"query\"],"
                                 "\"layers_to_transform\":[1],%s}",
                                 replaced[i].more));
    model_dir_write(dir, "adapter_model.safetensors", tensor_file_bytes(&file));
    tensor_file_end(&file);
}

static void check_like(struct rig *rig, const struct fixture *base, const struct model_dir *dir, const char *name) {
    struct family family = { .n = 2 };
    struct fixture folded, *stacked = &family.models[1];
    struct distance near = { .cosine = 1 };
    family.models[0] = *base;
    open_drawn(stacked, rig, base, dir, true);
    open_drawn(&folded, rig, base, dir, false);
    for (size_t i = 0; i < CASES_MAX && case_batch(base, i).n; i++) {
        size_t n;
        const float *got = vectors_of(stacked, rig, i, &n);
        compare(&near, got, vectors_of(&folded, rig, i, &n), n);
    }
    CHECK_MSG(near.worst <= bounds[PRECISION_F32].worst, "%s: off by %g", name, near.worst);
    check_mixes(&family, rig, 0);
    fixture_end(&folded);
    fixture_end(stacked);
}

TEST(replaced_whole) {
    struct rig rig;
    struct fixture base;
    rig_begin(&rig);
    fixture_begin(&base, &rig, "bert-sequence", PRECISION_F32);
    for (size_t i = 0; i < VSR_COUNT(replaced); i++) {
        struct model_dir dir = model_dir_make();
        write_replaced(&dir, &base, i);
        if (replaced[i].says) {
            struct fixture f;
            struct encoder_adapter *adapter;
            struct vsr_err err = VSR_ERR_NONE;
            open_drawn_files(&f, &base, &dir);
            CHECK_INT(encoder_adapter_new(base.encoder, f.weights, f.lora, &adapter, &err), VSR_E_INVALID,
                      replaced[i].name);
            CHECK_ERR(err, replaced[i].says, replaced[i].name);
            f.encoder = NULL;
            fixture_end(&f);
        } else {
            check_like(&rig, &base, &dir, replaced[i].name);
        }
        model_dir_remove(&dir);
    }
    fixture_end(&base);
    rig_end(&rig);
}

/* ---- memory */

/* Pages that this process has mapped. */
static size_t mapped(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%lu", &pages) == 1, "statm");
    fclose(file);
    return pages;
}

/* Once a batch as large has been run, none maps memory: adapters' rows are room that there is. */
TEST(nothing_grows) {
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
        struct rig rig;
        struct family family;
        struct mix mixes[ORDERS];
        size_t before;
        rig_begin(&rig);
        open_family(&family, &rig, 2, precision);
        for (enum order order = 0; order < ORDERS; order++) {
            mix_begin(&mixes[order], family.models[0].arena);
            mix_all(&mixes[order], &family, order);
        }
        for (size_t i = 0; i < 2; i++)
            (void)forward(&family.models[0], &rig, &mixes[TWICE].batch, 0);
        before = mapped();
        for (enum order order = 0; order < ORDERS; order++)
            (void)forward(&family.models[0], &rig, &mixes[order].batch, 0);
        CHECK_INT(mapped(), before, "pages");
        close_family(&family);
        rig_end(&rig);
    }
}

/* ---- what is refused */

TEST(refused) {
    struct rig rig;
    struct fixture base, other, stacked, dora;
    struct encoder_adapter *adapter = NULL;
    struct encoder_batch batch;
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden;
    rig_begin(&rig);
    fixture_begin(&base, &rig, "modernbert-mlm", PRECISION_F32);
    fixture_begin(&other, &rig, "modernbert-mlm", PRECISION_F32);
    fixture_begin_stacked(&stacked, &rig, &other, "modernbert-mlm-lora-intent");
    open_files(&dora, "modernbert-mlm-lora-dora", PRECISION_F32);
    CHECK_INT(encoder_adapter_new(base.encoder, dora.weights, dora.lora, &adapter, &err), VSR_E_INVALID, "DoRA");
    CHECK_ERR(err, "DoRA", "DoRA");
    batch = case_batch(&stacked, 0);
    CHECK_INT(encoder_forward(base.encoder, rig.work, &batch, 0, &hidden, &err), VSR_E_INVALID, "another base");
    CHECK_ERR(err, "another base", "another base");
    encoder_adapter_free(NULL);
    fixture_end(&dora);
    fixture_end(&stacked);
    fixture_end(&other);
    fixture_end(&base);
    rig_end(&rig);
}

RUN_TESTS(T(as_the_reference), T(mixed), T(all_families), T(levels), T(replaced_whole), T(nothing_grows), T(refused))
