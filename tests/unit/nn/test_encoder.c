#include "nn/encoder.h"

#include <math.h>
#include <string.h>

#include <dnnl.h>

#include "nn/attention_vnni.h"
#include "nn/cpu.h"
#include "nn/encoder_model.h"
#include "nn/gemm.h"
#include "unit/nn/encoder_fixture.h"

static void each_model(struct rig *rig, enum precision precision,
                       void (*fn)(struct rig *rig, const char *name, enum precision precision)) {
    char names[MODELS_MAX][64];
    size_t n = list_models(names);
    CHECK(n > 0, "there are fixtures");
    for (size_t i = 0; i < n; i++)
        fn(rig, names[i], precision);
}

static void check_model(struct rig *rig, const char *name, enum precision precision) {
    struct fixture f;
    fixture_begin(&f, rig, name, precision);
    check_fixture(&f, rig);
    fixture_end(&f);
}

TEST(models) {
    struct rig rig;
    rig_begin(&rig);
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
        each_model(&rig, precision, check_model);
    rig_end(&rig);
}

/* Our own kernels at every level that this processor has; the library stays at its own. */
TEST(levels) {
    for (enum cpu_isa isa = CPU_PORTABLE; isa < cpu_isa_best() && isa < test_isa(); isa++) {
        struct rig rig;
        rig_begin(&rig);
        cpu_isa_limit(isa);
        each_model(&rig, PRECISION_F32, check_model);
        each_model(&rig, PRECISION_INT8, check_model);
        rig_end(&rig);
    }
}

/* Only a model of bytes is content with that. */
static void check_attention(struct rig *rig, const char *name, enum precision precision) {
    struct fixture f;
    fixture_begin(&f, rig, name, precision);
    for (size_t i = 0; i < f.config.layers; i++) {
        struct attention attention = encoder_attention(f.encoder, i);
        CHECK_MSG(attention_vnni_serves(&attention) ==
                      (precision == PRECISION_INT8 && cpu_has_vnni() && f.config.family != ENCODER_DEBERTA),
                  "%s %s: attention of layer %zu", name, precision_name(precision), i);
    }
    fixture_end(&f);
}

TEST(attention_in_integers) {
    struct rig rig;
    rig_begin(&rig);
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
        each_model(&rig, precision, check_attention);
    rig_end(&rig);
}

/* A test at a lower level is one of the library at that level too. */
TEST(the_library_follows) {
#if defined(__x86_64__)
    struct vsr_err err = VSR_ERR_NONE;
    struct gemm_library *library;
    unsigned bits = (unsigned)dnnl_get_effective_cpu_isa(), avx512 = dnnl_cpu_isa_avx512_core & ~dnnl_cpu_isa_avx2;
    CHECK(test_isa() >= CPU_AVX512 || (bits & avx512) == 0, "no AVX-512");
    CHECK(test_isa() >= CPU_AVX2 || (bits & (unsigned)dnnl_cpu_isa_avx2) == (unsigned)dnnl_cpu_isa_sse41, "no AVX");
    CHECK_MSG(gemm_library_new(&library, &err) == 0, "%s", err.text);
    CHECK(test_isa() >= CPU_AVX512 || gemm_byte_max(library) == 63, "bytes that cannot saturate");
    gemm_library_free(library);
#endif
}

/* ---- classes */

enum { ASKED = 1000, ASKED_TOKENS_MAX = 40, ASKED_WORDS = 8, TOGETHER = 50 };
enum { FIRST_WORD = 3 /* before it are the special tokens */ };

/* By splitmix64. */
static uint32_t draw(uint64_t *state, uint32_t n) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ z >> 31) % n);
}

/* TOGETHER texts. Each has few words, so that texts differ in more than their order, as those that are told apart do.
 */
static struct encoder_batch drawn_batch(const struct fixture *f, uint64_t *state) {
    uint32_t *ids = ARENA_ARRAY(f->arena, uint32_t, TOGETHER * ASKED_TOKENS_MAX);
    uint32_t *starts = ARENA_ARRAY(f->arena, uint32_t, TOGETHER + 1);
    for (size_t s = 0; s < TOGETHER; s++) {
        uint32_t n = 2 + draw(state, ASKED_TOKENS_MAX - 1), words[ASKED_WORDS];
        for (size_t i = 0; i < ASKED_WORDS; i++)
            words[i] = FIRST_WORD + draw(state, (uint32_t)f->config.vocabulary - FIRST_WORD);
        for (uint32_t i = 0; i < n; i++)
            ids[starts[s] + i] = words[draw(state, ASKED_WORDS)];
        starts[s + 1] = starts[s] + n;
    }
    return (struct encoder_batch){ .ids = ids, .starts = starts, .n = TOGETHER };
}

static size_t argmax(const float *row, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

static size_t count_equal(const struct fixture *exact, const struct fixture *other, struct rig *rig,
                          const struct encoder_batch *batch, size_t *ret_rows) {
    size_t classes = head_classes(exact->head), equal = 0;
    size_t n = head_is_per_token(exact->head) ? batch->starts[batch->n] : batch->n;
    const float *got;
    float *want = ARENA_ARRAY(exact->arena, float, n *classes);
    memcpy(want, logits_of(exact, rig, batch, forward(exact, rig, batch, 0)), n * classes * sizeof(*want));
    got = logits_of(other, rig, batch, forward(other, rig, batch, 0));
    for (size_t i = 0; i < n; i++)
        equal += argmax(want + i * classes, classes) == argmax(got + i * classes, classes);
    *ret_rows += n;
    return equal;
}

static void check_classes(struct rig *rig, const char *name, enum precision precision) {
    struct fixture exact, other;
    uint64_t state = 1;
    size_t rows = 0, equal = 0;
    double least = gemm_byte_max(rig->runtime->gemm) == 127 ? 0.99 : 0.98; /* weights with a bit less cost as much */
    fixture_begin(&exact, rig, name, PRECISION_F32);
    fixture_begin(&other, rig, name, precision);
    if (exact.head && head_classes(exact.head) > 1) {
        for (size_t n = 0; n < ASKED; n += TOGETHER) {
            struct encoder_batch batch = drawn_batch(&exact, &state);
            equal += count_equal(&exact, &other, rig, &batch, &rows);
        }
        if (getenv("VSR_TEST_VERBOSE"))
            fprintf(stderr, "%-28s %-5s %zu of %zu classes\n", name, precision_name(precision), equal, rows);
        CHECK_MSG((double)equal >= least * (double)rows, "%s %s: %zu of %zu classes", name, precision_name(precision),
                  equal, rows);
    }
    fixture_end(&other);
    fixture_end(&exact);
}

/* A lower precision finds the same class. */
TEST(classes) {
    struct rig rig;
#ifdef __SANITIZE_THREAD__
    return; /* one thread, a thousand texts a model: nothing to see, for minutes */
#endif
    if (test_isa() == CPU_PORTABLE) /* rounds like the next level, and the library takes minutes */
        return;
    rig_begin(&rig);
    each_model(&rig, PRECISION_BF16, check_classes);
    each_model(&rig, PRECISION_INT8, check_classes);
    rig_end(&rig);
}

/* ---- one sequence, whatever stands beside it */

/* All cases end to end, those with an even number twice. */
static struct encoder_batch all_cases(const struct fixture *f, size_t *ret_numbers) {
    struct encoder_batch batch = { .n = 0 };
    uint32_t *ids = ARENA_ARRAY(f->arena, uint32_t, 1 << 16), *starts = ARENA_ARRAY(f->arena, uint32_t, CASES_MAX * 2);
    uint8_t *types = ARENA_ARRAY(f->arena, uint8_t, 1 << 16);
    starts[0] = 0;
    for (size_t i = 0; i < CASES_MAX && case_batch(f, i).n; i++) {
        struct encoder_batch one = case_batch(f, i);
        for (size_t times = 0; times < 1 + (i % 2 == 0); times++) {
            size_t from = starts[batch.n];
            memcpy(ids + from, one.ids, one.starts[1] * sizeof(*ids));
            for (size_t t = 0; t < one.starts[1]; t++)
                types[from + t] = one.types ? one.types[t] : 0;
            ret_numbers[batch.n++] = i;
            starts[batch.n] = starts[batch.n - 1] + one.starts[1];
        }
    }
    batch.ids = ids;
    batch.types = types;
    batch.starts = starts;
    return batch;
}

static void check_beside_others(struct rig *rig, const char *name, enum precision precision) {
    struct fixture f;
    struct encoder_batch batch;
    size_t numbers[CASES_MAX * 2], cols;
    const float *hidden;
    float *together;
    fixture_begin(&f, rig, name, precision);
    cols = f.config.hidden;
    batch = all_cases(&f, numbers);
    hidden = forward(&f, rig, &batch, 0);
    together = ARENA_ARRAY(f.arena, float, batch.starts[batch.n] * cols);
    memcpy(together, hidden, batch.starts[batch.n] * cols * sizeof(*together));
    for (size_t s = 0; s < batch.n; s++) {
        struct encoder_batch one = case_batch(&f, numbers[s]);
        hidden = forward(&f, rig, &one, 0);
        CHECK_MSG(memcmp(hidden, together + batch.starts[s] * cols, one.starts[1] * cols * sizeof(*hidden)) == 0,
                  "%s %s: case %zu differs alone", name, precision_name(precision), numbers[s]);
    }
    fixture_end(&f);
}

TEST(beside_others) {
    struct rig rig;
    rig_begin(&rig);
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
        each_model(&rig, precision, check_beside_others);
    rig_end(&rig);
}

/* ---- what is refused */

TEST(refused) {
    static const uint32_t ids[] = { 1, 5, 1 << 20 }, starts[] = { 0, 2, 3 }, empty[] = { 0, 1, 1 };
    static const uint8_t types[] = { 0, 9 };
    static const struct {
        const char *name;
        struct encoder_batch batch;
        size_t layers;
    } cases[] = {
        { "no sequence", { ids, NULL, starts, 0 }, 0 },       { "an empty sequence", { ids, NULL, empty, 2 }, 0 },
        { "an unknown token", { ids, NULL, starts, 2 }, 0 },  { "an unknown type", { ids, types, starts, 1 }, 0 },
        { "a layer too many", { ids, NULL, starts, 1 }, 99 },
    };
    struct rig rig;
    struct fixture f;
    rig_begin(&rig);
    fixture_begin(&f, &rig, "bert-sequence", PRECISION_F32);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        const float *hidden;
        CHECK_INT(encoder_forward(f.encoder, rig.work, &cases[i].batch, cases[i].layers, &hidden, &err), VSR_E_LIMIT,
                  cases[i].name);
    }
    fixture_end(&f);
    rig_end(&rig);
}

TEST(too_long_for_its_positions) {
    struct rig rig;
    struct fixture f;
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden;
    uint32_t *ids, starts[2] = { 0 };
    rig_begin(&rig);
    fixture_begin(&f, &rig, "bert-sequence", PRECISION_F32);
    starts[1] = (uint32_t)f.config.positions + 1;
    ids = ARENA_ARRAY(f.arena, uint32_t, starts[1]);
    for (size_t i = 0; i < starts[1]; i++)
        ids[i] = 3;
    CHECK_INT(encoder_forward(f.encoder, rig.work, &(struct encoder_batch){ ids, NULL, starts, 1 }, 0, &hidden, &err),
              VSR_E_LIMIT, "too long");
    starts[1]--;
    CHECK_INT(encoder_forward(f.encoder, rig.work, &(struct encoder_batch){ ids, NULL, starts, 1 }, 0, &hidden, &err),
              0, "as long as it may be");
    fixture_end(&f);
    rig_end(&rig);
}

RUN_TESTS(T(models), T(levels), T(attention_in_integers), T(the_library_follows), T(classes), T(beside_others),
          T(refused), T(too_long_for_its_positions))
