#include "nn/rope.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "nn/cpu.h"
#include "test.h"

static const struct rope_config plain = { .theta = 10000, .factor = 1, .attention_factor = 1 };

static struct rope *get(struct rope_library *library, const struct rope_config *config, size_t head_dim, size_t n) {
    struct rope *rope;
    struct vsr_err err = VSR_ERR_NONE;
    assert_int_equal(rope_get(library, config, head_dim, &rope, &err), 0);
    assert_int_equal(rope_reserve(rope, n, &err), 0);
    return rope;
}

static float value(size_t i) {
    return sinf((float)i * 0.7f) * 2;
}

/* Rows, heads and positions against the formula, angles rounded to f32 twice. */
static void rotation(size_t head_dim, size_t n_heads, size_t first, size_t n_rows, const char *level) {
    struct rope_library *library = rope_library_new();
    struct rope *rope = get(library, &plain, head_dim, first + n_rows);
    size_t stride = n_heads * head_dim + 3, half = head_dim / 2;
    float *data = malloc(n_rows * stride * sizeof(float));
    assert_non_null(data);
    for (size_t i = 0; i < n_rows * stride; i++)
        data[i] = value(i);
    rope_apply(rope, first, data, stride, n_rows, n_heads);
    for (size_t at = 0; at < n_rows * stride; at++) {
        size_t row = at / stride, i = at % stride % head_dim, a = at - i + i % half, b = a + half;
        double want = value(at);
        if (at % stride < n_heads * head_dim) {
            float inverse = 1 / (float)pow(10000, (double)((float)(2 * (i % half)) / (float)head_dim));
            float angle = (float)(first + row) * inverse;
            want = i < half ? value(a) * cos(angle) - value(b) * sin(angle)
                            : value(b) * cos(angle) + value(a) * sin(angle);
        }
        CHECK_MSG(fabs(data[at] - want) < 1e-6, "%s: head_dim %zu, row %zu, number %zu: %g, not %g", level, head_dim,
                  row, i, (double)data[at], want);
    }
    free(data);
    rope_library_free(library);
}

TEST(rotations) {
    for (int isa = 0; isa <= (int)cpu_isa_best(); isa++) {
        cpu_isa_limit((enum cpu_isa)isa);
        for (size_t half = 1; half <= 40; half++)
            rotation(2 * half, 3, 0, 5, cpu_isa_name((enum cpu_isa)isa));
        rotation(64, 12, 505, 600, cpu_isa_name((enum cpu_isa)isa)); /* over two bounds between chunks */
        rotation(128, 1, 32760, 8, cpu_isa_name((enum cpu_isa)isa));
        rotation(256, 2, 0, 1, cpu_isa_name((enum cpu_isa)isa));
    }
    cpu_isa_limit(CPU_ISAS_N - 1);
}

TEST(tables_are_shared) {
    struct rope_library *library = rope_library_new();
    struct rope_config other = plain;
    other.theta = 160000;
    assert_ptr_equal(get(library, &plain, 64, 1), get(library, &plain, 64, 600));
    assert_ptr_not_equal(get(library, &plain, 64, 1), get(library, &plain, 32, 1));
    assert_ptr_not_equal(get(library, &plain, 64, 1), get(library, &other, 64, 1));
    rope_library_free(library);
    rope_library_free(NULL);
}

TEST(linear) {
    struct rope_library *library = rope_library_new();
    struct rope_config stretched = plain;
    stretched.factor = 4;
    for (size_t i = 0; i < 32; i++)
        assert_true(rope_inverse_frequencies(get(library, &stretched, 64, 1))[i] ==
                    rope_inverse_frequencies(get(library, &plain, 64, 1))[i] / 4);
    rope_library_free(library);
}

/* Against the formula; what turns fast is kept, what turns slowly is stretched, and the gain is in the table. */
TEST(yarn) {
    struct rope_library *library = rope_library_new();
    struct rope_config config = { .theta = 10000,
                                  .factor = 4,
                                  .yarn = true,
                                  .original_positions = 2048,
                                  .beta_fast = 32,
                                  .beta_slow = 1,
                                  .attention_factor = 1.1386,
                                  .truncate = true };
    struct rope *rope = get(library, &config, 64, 10);
    const float *got = rope_inverse_frequencies(rope), *base = rope_inverse_frequencies(get(library, &plain, 64, 1));
    float row[64] = { 0 };
    double low = floor(64 * log(2048 / (32 * 2 * M_PI)) / (2 * log(10000))),
           high = ceil(64 * log(2048 / (2 * M_PI)) / (2 * log(10000)));
    assert_int_equal((int)low, 8);
    assert_int_equal((int)high, 21);
    for (size_t i = 0; i < 32; i++) {
        double ramp = fmin(1, fmax(0, ((double)i - low) / (high - low)));
        double want = base[i] / 4 * ramp + base[i] * (1 - ramp);
        CHECK_MSG(fabs(got[i] / want - 1) < 3e-7, "frequency %zu is %g, not %g", i, (double)got[i], want);
    }
    assert_true(got[3] == base[3] && got[31] == base[31] / 4);
    row[0] = 1;
    rope_apply(rope, 2, row, 64, 1, 1);
    assert_true(fabs(row[0] - cos(2) * 1.1386) < 1e-6 && fabs(row[32] - sin(2) * 1.1386) < 1e-6);
    config.truncate = false;
    assert_true(rope_inverse_frequencies(get(library, &config, 64, 1))[12] != got[12]);
    rope_library_free(library);
}

TEST(refused) {
    struct rope_library *library = rope_library_new();
    struct rope *rope = get(library, &plain, 2, 1);
    struct vsr_err err = VSR_ERR_NONE;
    assert_int_equal(rope_get(library, &plain, 0, &rope, &err), VSR_E_INVALID);
    assert_int_equal(rope_get(library, &plain, 63, &rope, &err), VSR_E_INVALID);
    assert_int_equal(rope_get(library, &plain, ROPE_HEAD_DIM_MAX + 2, &rope, &err), VSR_E_INVALID);
    assert_int_equal(rope_reserve(rope, ROPE_POSITIONS_MAX, &err), 0);
    assert_int_equal(rope_reserve(rope, ROPE_POSITIONS_MAX + 1, &err), VSR_E_LIMIT);
    rope_library_free(library);
}

static void *grow_and_turn(void *arg) {
    struct rope *rope = arg;
    for (size_t n = 1; n < 5000; n += 313) {
        float row[8] = { 1, 0, 0, 0, 0, 0, 0, 0 };
        struct vsr_err err = VSR_ERR_NONE;
        if (rope_reserve(rope, n, &err) < 0)
            return arg;
        rope_apply(rope, n - 1, row, 8, 1, 1);
        if (fabs(row[0] - cos((double)(n - 1))) > 1e-6)
            return arg;
    }
    return NULL;
}

TEST(threads) {
    struct rope_library *library = rope_library_new();
    struct rope *rope = get(library, &plain, 8, 0);
    pthread_t threads[4];
    for (size_t k = 0; k < VSR_COUNT(threads); k++)
        assert_int_equal(pthread_create(&threads[k], NULL, grow_and_turn, rope), 0);
    for (size_t k = 0; k < VSR_COUNT(threads); k++) {
        void *failed;
        pthread_join(threads[k], &failed);
        assert_null(failed);
    }
    rope_library_free(library);
}

RUN_TESTS(T(rotations), T(tables_are_shared), T(linear), T(yarn), T(refused), T(threads))
