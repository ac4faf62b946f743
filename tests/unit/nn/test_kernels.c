/* Every kernel at every level of the processor, against the same formula in double precision. */
#include "nn/kernels.h"

#include <math.h>
#include <string.h>

#include "nn/cpu.h"
#include "nn/precision.h"
#include "test.h"

enum { WIDTH_MAX = 1200, ROWS_N = 5, GUARD = 64 };

static uint64_t random_state = 1;

static uint32_t random_bits(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

static float random_float(float size) {
    return ((float)(random_bits() >> 8) / 8388608.0f - 1) * size;
}

static void fill(float *x, size_t n, float size) {
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(size);
}

/* Runs `test` at each level that this processor has. */
static void at_each_level(void (*test)(const char *level)) {
    for (int isa = 0; isa <= (int)cpu_isa_best(); isa++) {
        cpu_isa_limit((enum cpu_isa)isa);
        assert_int_equal(cpu_isa(), isa);
        random_state = 1;
        test(cpu_isa_name((enum cpu_isa)isa));
    }
    cpu_isa_limit(CPU_ISAS_N - 1);
}

static const size_t widths[] = { 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 384, 768, 1000, 1152 };

static void check_near(const char *level, const char *what, size_t width, double got, double want, double tolerance) {
    CHECK_MSG(fabs(got - want) <= tolerance, "%s: %s of width %zu: got %.9g, want %.9g", level, what, width, got, want);
}

/* ---- input and output forms */

static struct {
    float f32[ROWS_N * WIDTH_MAX * 2 + GUARD];
    uint16_t bf16[ROWS_N * WIDTH_MAX * 2 + GUARD];
    int32_t s32[ROWS_N * WIDTH_MAX * 2 + GUARD];
    float bias[2 * WIDTH_MAX], column_scale[2 * WIDTH_MAX], row_scale[ROWS_N];
    int32_t compensation[2 * WIDTH_MAX];
} source;

static void make_source(void) {
    fill(source.f32, VSR_COUNT(source.f32), 3);
    fill(source.bias, VSR_COUNT(source.bias), 1);
    for (size_t i = 0; i < VSR_COUNT(source.bf16); i++) {
        source.bf16[i] = bf16_from_f32(random_float(3));
        source.s32[i] = (int32_t)(random_bits() % 2000001) - 1000000;
    }
    for (size_t i = 0; i < VSR_COUNT(source.bias); i++) {
        source.column_scale[i] = 1e-4f * (1 + random_float(0.5f));
        source.compensation[i] = (int32_t)(random_bits() % 200001) - 100000;
    }
    for (size_t i = 0; i < ROWS_N; i++)
        source.row_scale[i] = 0.02f * (1 + random_float(0.5f));
}

/* The form `type` of the source, with a bias or without; stride one more than needed, so that gaps are seen. */
static struct rows_in source_rows(enum rows_type type, bool bias, size_t width) {
    struct rows_in in = { .type = type, .stride = width + 1, .bias = bias ? source.bias : NULL };
    in.data = type == ROWS_F32 ? (void *)source.f32 : type == ROWS_BF16 ? (void *)source.bf16 : (void *)source.s32;
    in.compensation = source.compensation;
    in.column_scale = source.column_scale;
    in.row_scale = source.row_scale;
    return in;
}

static double source_at(const struct rows_in *in, size_t row, size_t column) {
    size_t at = row * in->stride + column;
    double x = in->type == ROWS_F32    ? source.f32[at]
               : in->type == ROWS_BF16 ? bf16_to_f32(source.bf16[at])
                                       : (double)(source.s32[at] - source.compensation[column]) *
                                             source.column_scale[column] * source.row_scale[row];
    return x + (in->bias ? source.bias[column] : 0);
}

static struct {
    float f32[ROWS_N * WIDTH_MAX + GUARD];
    uint16_t bf16[ROWS_N * WIDTH_MAX + GUARD];
    uint8_t u8[ROWS_N * WIDTH_MAX + GUARD];
    float row_scale[ROWS_N];
} target;

static struct rows_out target_rows(enum rows_type type, size_t width) {
    struct rows_out out = { .type = type, .stride = width + 2, .row_scale = target.row_scale };
    memset(&target, 0x5a, sizeof(target));
    out.data = type == ROWS_F32 ? (void *)target.f32 : type == ROWS_BF16 ? (void *)target.bf16 : (void *)target.u8;
    return out;
}

/* What was written is `want`, within what the form can hold and `tolerance` beside; nothing between the rows is. */
static void check_row(const char *level, const char *what, const struct rows_out *out, size_t row, const double *want,
                      size_t width, double tolerance) {
    double max = 0;
    for (size_t i = 0; i < width; i++)
        max = fmax(max, fabs(want[i]));
    for (size_t i = 0; i < width; i++) {
        size_t at = row * out->stride + i;
        double bound = tolerance * fmax(1, fabs(want[i]));
        if (out->type == ROWS_F32)
            check_near(level, what, width, target.f32[at], want[i], bound);
        else if (out->type == ROWS_BF16)
            check_near(level, what, width, bf16_to_f32(target.bf16[at]), want[i], bound + fabs(want[i]) / 256);
        else
            check_near(level, what, width, (target.u8[at] - 128) * (double)target.row_scale[row], want[i],
                       bound + max / 127 * 0.5001);
    }
    for (size_t i = width; i < width + 2; i++) {
        size_t at = row * out->stride + i;
        CHECK_MSG(out->type == ROWS_F32    ? ((const unsigned char *)(target.f32 + at))[0] == 0x5a
                  : out->type == ROWS_BF16 ? target.bf16[at] == 0x5a5a
                                           : target.u8[at] == 0x5a,
                  "%s: %s of width %zu writes past its row", level, what, width);
    }
}

static const enum rows_type forms_in[] = { ROWS_F32, ROWS_BF16, ROWS_S32 };
static const enum rows_type forms_out[] = { ROWS_F32, ROWS_BF16, ROWS_U8 };

/* Calls `test` with each width, each form in, each form out, with and without bias. */
static void with_all_forms(const char *level, void (*test)(const char *level, size_t width, const struct rows_in *in,
                                                           enum rows_type out)) {
    make_source();
    for (size_t w = 0; w < VSR_COUNT(widths); w++) {
        for (size_t k = 0; k < VSR_COUNT(forms_in) * VSR_COUNT(forms_out) * 2; k++) {
            struct rows_in in = source_rows(forms_in[k / 2 % 3], k % 2, widths[w]);
            test(level, widths[w], &in, forms_out[k / 6]);
        }
    }
}

static void convert_case(const char *level, size_t width, const struct rows_in *in, enum rows_type form) {
    struct rows_out out = target_rows(form, width);
    double want[WIDTH_MAX];
    kernel_convert(in, &out, ROWS_N, width);
    for (size_t row = 0; row < ROWS_N; row++) {
        for (size_t i = 0; i < width; i++)
            want[i] = source_at(in, row, i);
        check_row(level, "convert", &out, row, want, width, 3e-7);
    }
}

static void convert_at(const char *level) {
    with_all_forms(level, convert_case);
}

/* The two halves of a gated row together are wider than any other row; as f32 they need no room on the stack. */
TEST(a_wide_conversion) {
    static uint16_t from[2 * KERNELS_WIDTH_MAX];
    static float to[2 * KERNELS_WIDTH_MAX];
    const struct rows_in in = { .type = ROWS_BF16, .data = from, .stride = VSR_COUNT(from) };
    const struct rows_out out = { .type = ROWS_F32, .data = to, .stride = VSR_COUNT(to) };
    for (size_t i = 0; i < VSR_COUNT(from); i++)
        from[i] = (uint16_t)(0x3F80 + i % 64);
    kernel_convert(&in, &out, 1, VSR_COUNT(from));
    for (size_t i = 0; i < VSR_COUNT(to); i++)
        CHECK(to[i] == 1 + (float)(i % 64) / 128, "converted");
}

TEST(conversions) {
    at_each_level(convert_at);
}

/* Bytes are the same whatever makes them, and the extremes are where they belong. */
static void bytes_at(const char *level) {
    static const float rows[][4] = {
        { 0, 0, 0, 0 },   { 127, -127, 0.5f, 1.5f }, { 1e-35f, 0, 0, -1e-35f },
        { NAN, 1, 2, 3 }, { 1, INFINITY, 0, 0 },     { -3e38f, 3e38f, 1e38f, 0 },
    };
    static const struct {
        int bytes[4];
        double scale;
    } want[] = {
        { { 128, 128, 128, 128 }, 1.0 / 127 }, { { 255, 1, 128, 130 }, 1 },     { { 128, 128, 128, 128 }, 1.0 / 127 },
        { { 128, 128, 128, 128 }, NAN },       { { 128, 128, 128, 128 }, NAN }, { { 1, 255, 170, 128 }, 3e38 / 127 },
    };
    for (size_t row = 0; row < VSR_COUNT(rows); row++) {
        uint8_t bytes[4];
        float scale;
        struct rows_in in = { .type = ROWS_F32, .data = rows[row], .stride = 4 };
        struct rows_out out = { .type = ROWS_U8, .data = bytes, .stride = 4, .row_scale = &scale };
        kernel_convert(&in, &out, 1, 4);
        for (size_t i = 0; i < 4; i++)
            CHECK_MSG(bytes[i] == want[row].bytes[i], "%s: row %zu, byte %zu is %d", level, row, i, bytes[i]);
        CHECK_MSG(isnan(want[row].scale) ? isnan(scale) : fabs(scale / want[row].scale - 1) < 1e-6,
                  "%s: row %zu has scale %g", level, row, (double)scale);
    }
}

TEST(bytes) {
    at_each_level(bytes_at);
}

/* bf16 rounds as bf16_from_f32() does, for all kinds of bits. */
static void bf16_at(const char *level) {
    for (int round = 0; round < 2000; round++) {
        float x[19];
        uint16_t y[19];
        struct rows_in in = { .type = ROWS_F32, .data = x, .stride = 19 };
        struct rows_out out = { .type = ROWS_BF16, .data = y, .stride = 19 };
        for (size_t i = 0; i < VSR_COUNT(x); i++) {
            uint32_t bits = random_bits();
            if (round % 3 == 0)
                bits = (bits & 0xffff0000) | 0x8000; /* a tie */
            if (round % 5 == 0)
                bits |= 0x7f800000; /* infinite or NaN */
            memcpy(&x[i], &bits, sizeof(bits));
        }
        kernel_convert(&in, &out, 1, VSR_COUNT(x));
        for (size_t i = 0; i < VSR_COUNT(x); i++)
            CHECK_MSG(y[i] == bf16_from_f32(x[i]), "%s: %a as bf16 is %04x", level, (double)x[i], y[i]);
    }
}

TEST(bf16) {
    at_each_level(bf16_at);
}

/* ---- activations */

static double activation_of(enum activation activation, double x) {
    switch (activation) {
    case ACTIVATION_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case ACTIVATION_GELU_TANH:
        return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case ACTIVATION_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_TANH:
        return tanh(x);
    }
    return NAN;
}

static void activate_case(const char *level, size_t width, const struct rows_in *in, enum rows_type form) {
    static const char *const names[] = { "gelu", "gelu_tanh", "quick_gelu", "silu", "relu", "tanh" };
    for (int a = ACTIVATION_GELU; a <= ACTIVATION_TANH; a++) {
        struct rows_out out = target_rows(form, width);
        double want[WIDTH_MAX];
        kernel_activate((enum activation)a, in, &out, ROWS_N, width);
        for (size_t row = 0; row < ROWS_N; row++) {
            for (size_t i = 0; i < width; i++)
                want[i] = activation_of((enum activation)a, source_at(in, row, i));
            check_row(level, names[a], &out, row, want, width, 6e-7);
        }
    }
}

static void glu_case(const char *level, size_t width, const struct rows_in *in, enum rows_type form) {
    struct rows_in pairs = *in;
    pairs.stride = 2 * width;
    for (int a = ACTIVATION_GELU; a <= ACTIVATION_TANH; a++) {
        struct rows_out out = target_rows(form, width);
        double want[WIDTH_MAX];
        kernel_activate_glu((enum activation)a, &pairs, &out, ROWS_N, width);
        for (size_t row = 0; row < ROWS_N; row++) {
            for (size_t i = 0; i < width; i++)
                want[i] =
                    activation_of((enum activation)a, source_at(&pairs, row, i)) * source_at(&pairs, row, width + i);
            check_row(level, "glu", &out, row, want, width, 2e-6);
        }
    }
}

static void activate_at(const char *level) {
    with_all_forms(level, activate_case);
    with_all_forms(level, glu_case);
}

TEST(activations) {
    at_each_level(activate_at);
}

static void check_accuracy(const char *level, enum activation activation, double absolute, double relative) {
    enum { STEPS = 400000 };
    for (int k = 0; k <= STEPS; k += 16) {
        float x[16], y[16];
        struct rows_in in = { .type = ROWS_F32, .data = x, .stride = 16 };
        struct rows_out out = { .type = ROWS_F32, .data = y, .stride = 16 };
        for (int i = 0; i < 16; i++)
            x[i] = (float)(k + i - STEPS / 2) * (12.0f / (STEPS / 2.0f));
        kernel_activate(activation, &in, &out, 1, 16);
        for (int i = 0; i < 16; i++) {
            double want = activation_of(activation, x[i]);
            CHECK_MSG(fabs(y[i] - want) <= absolute * fmax(1, fabs(x[i])) + relative * fabs(want),
                      "%s: activation %d of %.9g is %.9g, want %.9g", level, activation, (double)x[i], (double)y[i],
                      want);
        }
    }
}

static void accuracy_at(const char *level) {
    check_accuracy(level, ACTIVATION_GELU, 3e-7, 0);
    check_accuracy(level, ACTIVATION_GELU_TANH, 1e-9, 2e-6);  /* relative: e^-2z multiplies the error of z by 2z */
    check_accuracy(level, ACTIVATION_QUICK_GELU, 1e-9, 3e-6); /* e^-1.702x multiplies the error of 1.702x by it */
    check_accuracy(level, ACTIVATION_SILU, 0, 4e-7);
    check_accuracy(level, ACTIVATION_RELU, 0, 0);
    check_accuracy(level, ACTIVATION_TANH, 0, 4e-7);
}

TEST(accuracy) {
    at_each_level(accuracy_at);
}

/* Far out the activations are exactly what they tend to, and NaN stays NaN. */
static void extremes_at(const char *level) {
    static const float far[] = { 5.4f, 20, 90, 1e4f, 1e20f, 3e38f };
    for (int a = ACTIVATION_GELU; a <= ACTIVATION_TANH; a++) {
        for (size_t k = 0; k < VSR_COUNT(far); k++) {
            float x[3] = { far[k], -far[k], NAN }, y[3];
            struct rows_in in = { .type = ROWS_F32, .data = x, .stride = 3 };
            struct rows_out out = { .type = ROWS_F32, .data = y, .stride = 3 };
            kernel_activate((enum activation)a, &in, &out, 1, 3);
            for (int i = 0; i < 2; i++)
                CHECK_MSG(fabs(y[i] - activation_of((enum activation)a, x[i])) <= 1e-7 * far[k] + 1e-5 * (k == 0),
                          "%s: activation %d of %g is %g", level, a, (double)x[i], (double)y[i]);
            CHECK_MSG(isnan(y[2]), "%s: activation %d of NaN is %g", level, a, (double)y[2]);
        }
    }
}

TEST(extremes) {
    at_each_level(extremes_at);
}

/* ---- norms */

static void norm_of(const struct norm *norm, const double *x, size_t width, double *ret) {
    double mean = 0, squares = 0, factor;
    for (size_t i = 0; i < width; i++)
        mean += x[i] / (double)width;
    if (norm->kind != NORM_LAYER)
        mean = 0;
    for (size_t i = 0; i < width; i++)
        squares += (x[i] - mean) * (x[i] - mean) / (double)width;
    factor = 1 / sqrt(squares + (double)norm->eps);
    for (size_t i = 0; i < width; i++)
        ret[i] = (x[i] - mean) * factor * (norm->gamma[i] + (norm->kind == NORM_RMS_PLUS_ONE)) +
                 (norm->beta ? norm->beta[i] : 0);
}

static float gamma_row[WIDTH_MAX], beta_row[WIDTH_MAX], residual[ROWS_N * WIDTH_MAX],
    residual_before[ROWS_N * WIDTH_MAX];

static void norm_case(const char *level, size_t width, const struct rows_in *in, enum rows_type form) {
    for (int k = 0; k < 12; k++) {
        struct norm norm = { .kind = (enum norm_kind)(k % 3), .eps = 1e-5f, .gamma = gamma_row };
        bool with_residual = k / 3 % 2, keep = k / 6;
        struct rows_out out = target_rows(form, width);
        float copy[ROWS_N * WIDTH_MAX];
        struct rows_out also = { .type = ROWS_F32, .data = copy, .stride = width };
        norm.beta = k % 3 == NORM_LAYER && k >= 6 ? beta_row : NULL;
        memcpy(residual, residual_before, sizeof(residual));
        kernel_norm(&norm, in, with_residual ? residual : NULL, width, keep, &out, &also, ROWS_N, width);
        for (size_t row = 0; row < ROWS_N; row++) {
            double x[WIDTH_MAX], want[WIDTH_MAX];
            for (size_t i = 0; i < width; i++)
                x[i] = source_at(in, row, i) + (with_residual ? (double)residual_before[row * width + i] : 0);
            norm_of(&norm, x, width, want);
            check_row(level, "norm", &out, row, want, width, width == 1 ? 1e-4 : 1e-5);
            for (size_t i = 0; i < width; i++) {
                check_near(level, "norm's copy", width, copy[row * width + i], want[i], 1e-4 * fmax(1, fabs(want[i])));
                check_near(level, "residual", width, residual[row * width + i],
                           with_residual && keep ? x[i] : (double)residual_before[row * width + i], 2e-6);
            }
        }
    }
}

static void norm_at(const char *level) {
    fill(gamma_row, WIDTH_MAX, 1);
    fill(beta_row, WIDTH_MAX, 1);
    fill(residual_before, VSR_COUNT(residual_before), 3);
    with_all_forms(level, norm_case);
}

TEST(norms) {
    at_each_level(norm_at);
}

/* The two other forms, and a post-norm block that writes where it reads. */
static void norm_places_at(const char *level) {
    enum { WIDTH = 96, HEAD = 24 };
    struct norm norm = { .kind = NORM_RMS_PLUS_ONE, .eps = 1e-6f, .gamma = gamma_row };
    struct rows_in in;
    struct rows_out out;
    static float data[ROWS_N * WIDTH], was[ROWS_N * WIDTH];
    make_source();
    fill(gamma_row, WIDTH_MAX, 1);
    fill(was, VSR_COUNT(was), 2);
    in = source_rows(ROWS_F32, true, WIDTH);
    memcpy(data, was, sizeof(data));
    kernel_norm_into(&norm, &in, data, WIDTH, ROWS_N, WIDTH);
    for (size_t row = 0; row < ROWS_N; row++) {
        double x[WIDTH], want[WIDTH];
        for (size_t i = 0; i < WIDTH; i++)
            x[i] = source_at(&in, row, i);
        norm_of(&norm, x, WIDTH, want);
        for (size_t i = 0; i < WIDTH; i++)
            check_near(level, "norm_into", WIDTH, data[row * WIDTH + i], want[i] + (double)was[row * WIDTH + i], 2e-6);
    }
    memcpy(data, was, sizeof(data));
    kernel_norm_heads(&norm, data, WIDTH, ROWS_N, WIDTH / HEAD, HEAD);
    for (size_t k = 0; k < ROWS_N * (WIDTH / HEAD); k++) {
        double x[HEAD], want[HEAD];
        for (size_t i = 0; i < HEAD; i++)
            x[i] = was[k * HEAD + i];
        norm_of(&norm, x, HEAD, want);
        for (size_t i = 0; i < HEAD; i++)
            check_near(level, "norm_heads", HEAD, data[k * HEAD + i], want[i], 2e-6);
    }
    norm.kind = NORM_LAYER;
    memcpy(data, was, sizeof(data));
    out = (struct rows_out){ .type = ROWS_F32, .data = data, .stride = WIDTH };
    kernel_norm(&norm, &in, data, WIDTH, false, &out, NULL, ROWS_N, WIDTH);
    for (size_t row = 0; row < ROWS_N; row++) {
        double x[WIDTH], want[WIDTH];
        for (size_t i = 0; i < WIDTH; i++)
            x[i] = source_at(&in, row, i) + (double)was[row * WIDTH + i];
        norm_of(&norm, x, WIDTH, want);
        for (size_t i = 0; i < WIDTH; i++)
            check_near(level, "norm in place", WIDTH, data[row * WIDTH + i], want[i], 4e-6);
    }
}

TEST(norm_places) {
    at_each_level(norm_places_at);
}

/* ---- embeddings */

static void embed_at(const char *level) {
    enum { WORDS = 7, POSITIONS = 5, TYPES = 2, N = 9 };
    static const uint32_t ids[N] = { 0, 6, 3, 3, 1, 2, 5, 4, 6 }, positions[N] = { 4, 3, 2, 1, 0, 1, 2, 3, 4 },
                          types[N] = { 0, 1, 0, 1, 1, 0, 0, 1, 0 };
    static float words[WORDS * WIDTH_MAX], place[POSITIONS * WIDTH_MAX], kind[TYPES * WIDTH_MAX], scales[WORDS];
    static float out[N * (WIDTH_MAX + 1)];
    static unsigned char half[WORDS * WIDTH_MAX * 2 + 1];
    static int8_t bytes[WORDS * WIDTH_MAX];
    fill(words, VSR_COUNT(words), 1);
    fill(place, VSR_COUNT(place), 1);
    fill(kind, VSR_COUNT(kind), 1);
    fill(scales, VSR_COUNT(scales), 0.01f);
    for (size_t i = 0; i < VSR_COUNT(words); i++) {
        uint16_t short_word = bf16_from_f32(words[i]);
        memcpy(half + 1 + 2 * i, &short_word, 2); /* at an odd address, as in a file */
        bytes[i] = (int8_t)(random_bits() % 255 - 127);
    }
    for (size_t k = 0; k < VSR_COUNT(widths) * 3 * 3; k++) {
        size_t width = widths[k / 9];
        int form = (int)(k / 3 % 3), extra = (int)(k % 3);
        struct embed embed = { .scale = 2.5f };
        embed.words.n_rows = WORDS;
        embed.words.dtype = form == 0 ? DTYPE_F32 : form == 1 ? DTYPE_BF16 : DTYPE_I8;
        embed.words.data = form == 0 ? (const void *)words : form == 1 ? (const void *)(half + 1) : bytes;
        embed.words.row_scale = scales;
        if (extra > 0)
            embed.positions = (struct embed_table){ .dtype = DTYPE_F32, .data = place, .n_rows = POSITIONS };
        if (extra > 1)
            embed.types = (struct embed_table){ .dtype = DTYPE_F32, .data = kind, .n_rows = TYPES };
        kernel_embed(&embed, ids, positions, k % 2 ? types : NULL, out, width + 1, N, width);
        for (size_t row = 0; row < N; row++) {
            for (size_t i = 0; i < width; i++) {
                size_t at = ids[row] * width + i, type = k % 2 ? types[row] : 0;
                double want = 2.5 * (form == 0   ? (double)words[at]
                                     : form == 1 ? (double)bf16_to_f32(bf16_from_f32(words[at]))
                                                 : bytes[at] * (double)scales[ids[row]]);
                want += extra > 0 ? (double)place[positions[row] * width + i] : 0;
                want += extra > 1 ? (double)kind[type * width + i] : 0;
                check_near(level, "embed", width, out[row * (width + 1) + i], want, 1e-6);
            }
        }
    }
}

TEST(embeddings) {
    at_each_level(embed_at);
}

/* ---- pooling */

static double pooled(enum pool_kind kind, const float *rows, size_t stride, size_t n, size_t column) {
    double sum = 0, weighted = 0, max = -INFINITY;
    for (size_t r = 0; r < n; r++) {
        double x = rows[r * stride + column];
        sum += x;
        weighted += x * (double)(r + 1);
        max = fmax(max, x);
    }
    switch (kind) {
    case ROWS_FIRST:
        return rows[column];
    case ROWS_LAST:
        return rows[(n - 1) * stride + column];
    case ROWS_MEAN:
        return sum / (double)n;
    case ROWS_MEAN_SQRT:
        return sum / sqrt((double)n);
    case ROWS_WEIGHTED_MEAN:
        return weighted / ((double)n * (double)(n + 1) / 2);
    case ROWS_MAX:
        return max;
    }
    return NAN;
}

static void pool_at(const char *level) {
    static const size_t counts[] = { 1, 2, 3, 63, 64, 65, 130, 1000 };
    enum { STRIDE = 131 };
    static float rows[1000 * STRIDE];
    fill(rows, VSR_COUNT(rows), 1);
    for (size_t k = 0; k < VSR_COUNT(counts) * 6; k++) {
        static const size_t some[] = { 1, 5, 16, 64, 65, 131 };
        for (size_t w = 0; w < VSR_COUNT(some); w++) {
            float out[STRIDE + 1];
            size_t n = counts[k / 6];
            out[some[w]] = 42;
            kernel_pool((enum pool_kind)(k % 6), rows, STRIDE, n, some[w], out);
            for (size_t i = 0; i < some[w]; i++)
                check_near(level, "pool", some[w], out[i], pooled((enum pool_kind)(k % 6), rows, STRIDE, n, i),
                           k % 6 == ROWS_MEAN_SQRT ? 1e-5 : 3e-7);
            assert_true(out[some[w]] == 42);
        }
    }
    rows[7 * STRIDE + 3] = NAN;
    for (int kind = ROWS_MEAN; kind <= ROWS_MAX; kind++) {
        float out[STRIDE];
        kernel_pool((enum pool_kind)kind, rows, STRIDE, 100, STRIDE, out);
        CHECK_MSG(isnan(out[3]) && !isnan(out[2]), "%s: pooling %d hides NaN", level, kind);
    }
}

TEST(pooling) {
    at_each_level(pool_at);
}

static void vectors_at(const char *level) {
    float x[WIDTH_MAX], y[WIDTH_MAX];
    for (size_t w = 0; w < VSR_COUNT(widths); w++) {
        size_t width = widths[w];
        double squares = 0, top = -INFINITY, sum = 0, dot = 0;
        fill(x, width, 8);
        memcpy(y, x, sizeof(x));
        for (size_t i = 0; i < width; i++) {
            squares += (double)x[i] * x[i];
            top = fmax(top, x[i]);
            dot += (double)x[i] * x[width - 1 - i];
        }
        for (size_t i = 0; i < width; i++)
            sum += exp(x[i] - top);
        kernel_normalize(x, y, width);
        for (size_t i = 0; i < width; i++)
            check_near(level, "normalize", width, y[i], x[i] / sqrt(squares), 3e-7);
        memcpy(y, x, sizeof(x));
        kernel_softmax(y, width, 1, width);
        for (size_t i = 0; i < width; i++)
            check_near(level, "softmax", width, y[i], exp(x[i] - top) / sum, 1e-6 * exp(x[i] - top) / sum + 1e-37);
        memcpy(y, x, sizeof(x));
        kernel_sigmoid(y, width);
        for (size_t i = 0; i < width; i++)
            check_near(level, "sigmoid", width, y[i], 1 / (1 + exp(-(double)x[i])), 2e-7);
        for (size_t i = 0; i < width; i++)
            y[i] = x[width - 1 - i];
        check_near(level, "dot", width, kernel_dot(x, y, width), dot, 2e-5 * sqrt((double)width));
    }
}

static void vector_edges_at(const char *level) {
    float zeros[5] = { 0 }, masked[5] = { -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY };
    float half[5] = { -INFINITY, 1, -INFINITY, 1, -INFINITY }, broken[5] = { 0, NAN, 0, 0, 0 };
    float far[4] = { -1e9f, 1e9f, -INFINITY, INFINITY };
    kernel_normalize(zeros, zeros, 5);
    kernel_softmax(masked, 5, 1, 5);
    kernel_softmax(half, 5, 1, 5);
    kernel_softmax(broken, 5, 1, 5);
    kernel_sigmoid(far, 4);
    for (int i = 0; i < 5; i++) {
        CHECK_MSG(zeros[i] == 0 && masked[i] == 0, "%s: a vector of zeros, a row all masked: %g %g", level,
                  (double)zeros[i], (double)masked[i]);
        CHECK_MSG(half[i] == (i % 2 ? 0.5f : 0) && isnan(broken[i]), "%s: %g %g", level, (double)half[i],
                  (double)broken[i]);
        CHECK_MSG(i > 3 || far[i] == (float)(i % 2), "%s: sigmoid %d is %g", level, i, (double)far[i]);
    }
}

TEST(vectors) {
    at_each_level(vectors_at);
    at_each_level(vector_edges_at);
}

/* ---- products of few columns */

enum { RANK_MAX = 33, LOW_RANK_ROWS_N = 11 };

static struct {
    float x[LOW_RANK_ROWS_N * (RANK_MAX + 3)], factor[RANK_MAX * WIDTH_MAX], bias[WIDTH_MAX];
    float y[LOW_RANK_ROWS_N * (WIDTH_MAX + 5)], before[LOW_RANK_ROWS_N * (WIDTH_MAX + 5)], one[WIDTH_MAX];
} thin;

/* Against double precision, and each row to the bit as it is alone; what stands beside the rows is left alone. */
static void check_low_rank(const char *level, size_t width, size_t rank, bool biased) {
    const size_t x_stride = rank + 3, stride = width + 5;
    struct low_rank product = { thin.x, x_stride, thin.factor, rank, biased ? thin.bias : NULL };
    memcpy(thin.y, thin.before, sizeof(thin.y));
    kernel_add_low_rank(&product, thin.y, stride, LOW_RANK_ROWS_N, width);
    for (size_t row = 0; row < LOW_RANK_ROWS_N; row++) {
        const float *before = thin.before + row * stride, *y = thin.y + row * stride;
        product.x = thin.x + row * x_stride;
        memcpy(thin.one, before, width * sizeof(float));
        kernel_add_low_rank(&product, thin.one, width, 1, width);
        CHECK_MSG(memcmp(thin.one, y, width * sizeof(float)) == 0, "%s: row %zu of width %zu, rank %zu differs alone",
                  level, row, width, rank);
        CHECK_MSG(memcmp(y + width, before + width, 5 * sizeof(float)) == 0, "%s: past width %zu", level, width);
        for (size_t i = 0; i < width; i++) {
            double want = (double)before[i] + (biased ? thin.bias[i] : 0);
            for (size_t k = 0; k < rank; k++)
                want += (double)thin.x[row * x_stride + k] * thin.factor[k * width + i];
            check_near(level, "low rank", width, y[i], want, 4e-6);
        }
    }
}

static void low_rank_at(const char *level) {
    static const size_t ranks[] = { 0, 1, 2, 7, 16, RANK_MAX };
    fill(thin.x, VSR_COUNT(thin.x), 1);
    fill(thin.factor, VSR_COUNT(thin.factor), 1);
    fill(thin.bias, VSR_COUNT(thin.bias), 1);
    fill(thin.before, VSR_COUNT(thin.before), 1);
    for (size_t w = 0; w < VSR_COUNT(widths); w++)
        for (size_t r = 0; r < VSR_COUNT(ranks); r++)
            check_low_rank(level, widths[w], ranks[r], r % 2 == 0);
}

TEST(low_rank) {
    at_each_level(low_rank_at);
}

/* ---- a row does not know its neighbours */

static void alone_at(const char *level) {
    enum { WIDTH = 205 };
    static unsigned char together[ROWS_N * WIDTH * 4], alone[WIDTH * 4 + 64];
    struct norm norm = { .kind = NORM_LAYER, .eps = 1e-5f, .gamma = gamma_row, .beta = beta_row };
    make_source();
    fill(gamma_row, WIDTH_MAX, 1);
    fill(beta_row, WIDTH_MAX, 1);
    for (int k = 0; k < 27; k++) {
        struct rows_in in = source_rows(forms_in[k % 3], true, 2 * WIDTH);
        size_t size = k / 3 % 3 == 0 ? 4 : k / 3 % 3 == 1 ? 2 : 1;
        float scales[ROWS_N], scale;
        struct rows_out all = { forms_out[k / 3 % 3], together, WIDTH, scales };
        for (size_t row = 0; row <= ROWS_N; row++) {
            struct rows_in one = in;
            unsigned char *place = alone + row * size; /* another alignment each time */
            struct rows_out out = { all.type, row ? (void *)place : (void *)together, WIDTH, row ? &scale : scales };
            size_t n = row ? 1 : ROWS_N, item = in.type == ROWS_BF16 ? 2 : 4;
            if (row) {
                one.data = (const char *)in.data + (row - 1) * in.stride * item;
                one.row_scale = in.row_scale + (row - 1);
            }
            if (k / 9 == 0)
                kernel_norm(&norm, &one, NULL, 0, false, &out, NULL, n, WIDTH);
            else if (k / 9 == 1)
                kernel_activate_glu(ACTIVATION_GELU, &one, &out, n, WIDTH);
            else
                kernel_activate(ACTIVATION_SILU, &one, &out, n, WIDTH);
            if (!row)
                continue;
            CHECK_MSG(!memcmp(place, together + (row - 1) * WIDTH * size, WIDTH * size), "%s: case %d, row %zu", level,
                      k, row);
            CHECK_MSG(size > 1 || scale == scales[row - 1], "%s: case %d, scale of row %zu", level, k, row);
        }
    }
}

TEST(alone_or_together) {
    at_each_level(alone_at);
}

RUN_TESTS(T(a_wide_conversion), T(conversions), T(bytes), T(bf16), T(activations), T(accuracy), T(extremes), T(norms),
          T(norm_places), T(embeddings), T(pooling), T(vectors), T(low_rank), T(alone_or_together))
