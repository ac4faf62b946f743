#include "nn/encoder_adapter.h"

#include <math.h>
#include <string.h>

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

RUN_TESTS(T(as_the_reference), T(mixed))
