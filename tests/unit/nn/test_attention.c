/*
 * Attention at every level of the processor, and in integers of 16 bits, against the formula in double precision; alone
 * against in a batch.
 */
#include "nn/attention.h"

#include <math.h>
#include <string.h>

#include "nn/cpu.h"
#include "nn/precision.h"
#include "test.h"

static uint64_t random_state = 1;

static uint32_t random_bits(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

static void fill(float *x, size_t n, float size) {
    for (size_t i = 0; i < n; i++)
        x[i] = ((float)(random_bits() >> 8) / 8388608.0f - 1) * size;
}

static void *allocate(size_t len) {
    void *data = aligned_alloc(64, (len + 64) / 64 * 64);
    assert_non_null(data);
    return data;
}

/* Whether what is tested now asks for integers. */
static bool narrow;

static void in_integers(void (*test)(const char *level)) {
    narrow = true;
    random_state = 7;
    test(cpu_has_vnni() ? "16 bits" : "16 bits, which are f32 here");
    narrow = false;
}

static void at_each_level(void (*test)(const char *level)) {
    for (int isa = 0; isa <= (int)cpu_isa_best(); isa++) {
        cpu_isa_limit((enum cpu_isa)isa);
        random_state = 7;
        test(cpu_isa_name((enum cpu_isa)isa));
    }
    cpu_isa_limit(CPU_ISAS_N - 1);
    in_integers(test);
}

/* One [tokens][stride] array: queries, keys, values, and a gap. */
struct batch {
    float *qkv, *out;
    size_t n_tokens, stride, width;
    struct attention_rows rows;
};

static struct batch batch_new(const struct attention *a, size_t n_tokens) {
    struct batch b = { .n_tokens = n_tokens, .width = a->heads * a->head_dim };
    size_t kv = a->kv_heads * a->head_dim;
    b.stride = b.width + 2 * kv + 3;
    b.qkv = allocate(n_tokens * b.stride * sizeof(float));
    b.out = allocate((n_tokens * (b.width + 1) + 1) * sizeof(float));
    fill(b.qkv, n_tokens * b.stride, 1);
    for (size_t i = 0; i < n_tokens * (b.width + 1) + 1; i++)
        b.out[i] = 42;
    b.rows = (struct attention_rows){ b.qkv,
                                      b.qkv + b.width,
                                      b.qkv + b.width + kv,
                                      b.stride,
                                      b.stride,
                                      b.stride,
                                      { .type = ROWS_F32, .data = b.out, .stride = b.width + 1 } };
    return b;
}

static void batch_free(struct batch *b) {
    free(b->qkv);
    free(b->out);
}

static void run(const struct attention *a, const struct attention_rows *rows, const uint32_t *starts, size_t n) {
    size_t n_items = attention_items(a, starts, n, NULL);
    struct attention_item *items = allocate((n_items + 1) * sizeof(*items));
    void *scratch = allocate(attention_scratch_len(a));
    assert_true(n_items <= attention_items_max(a, starts[n] - starts[0], n));
    assert_int_equal(attention_items(a, starts, n, items), n_items);
    memset(scratch, 0xff, attention_scratch_len(a)); /* NaN: nothing is read before it is written */
    for (size_t k = n_items; k-- > 0;)
        attention_run(a, rows, &items[k], scratch);
    free(items);
    free(scratch);
}

static bool sees(const struct attention *a, ptrdiff_t i, ptrdiff_t j) {
    return (!a->causal || j <= i) && (!a->window || labs(i - j) <= (long)a->window);
}

static double score(const struct attention *a, const struct batch *b, size_t head, size_t first, size_t i, size_t j) {
    size_t kv_head = head / (a->heads / a->kv_heads), d = a->head_dim;
    const float *q = b->rows.q + (first + i) * b->stride + head * d;
    const float *k = b->rows.k + (first + j) * b->stride + kv_head * d;
    const struct attention_positions *p = a->positions;
    double sum = 0;
    for (size_t s = 0; s < d; s++)
        sum += (double)q[s] * k[s];
    if (p) {
        size_t slot = (size_t)p->slot[p->reach + j - i];
        for (size_t s = 0; s < d; s++) {
            sum += p->keys ? (double)q[s] * p->keys[slot * p->stride + head * d + s] : 0;
            sum += p->queries ? (double)k[s] * p->queries[slot * p->stride + head * d + s] : 0;
        }
    }
    sum *= a->scale;
    return a->relative ? sum + a->relative[head * (2 * a->relative_reach + 1) + a->relative_reach + j - i] : sum;
}

static double greatest_size(const float *rows, size_t stride, size_t n, size_t width) {
    double greatest = 0;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < width; i++)
            greatest = fmax(greatest, fabs((double)rows[r * stride + i]));
    return greatest;
}

enum { BLOCK = 64 }; /* keys of one greatest weight */

/*
 * How far a result of integers may be from the formula's: numbers are rounded to half a unit, queries and keys to
 * `limit` units, weights to 16383 of the greatest of their block, values to 2047, differences of scores to a part of an
 * octave. `sum`: of the weights, the greatest is 1; `score`: the greatest size of one.
 */
static double narrow_bound(const struct attention *a, const struct batch *b, size_t head, size_t first, size_t length,
                           size_t i, double sum, double score) {
    size_t kv_head = head / (a->heads / a->kv_heads), d = a->head_dim;
    double limit = fmin(32767, floor(sqrt(2147483647.0 / (double)d)));
    double q = greatest_size(b->rows.q + (first + i) * b->stride + head * d, b->stride, 1, d);
    double k = greatest_size(b->rows.k + first * b->stride + kv_head * d, b->stride, length, d);
    double v = greatest_size(b->rows.v + first * b->stride + kv_head * d, b->stride, length, d);
    double of_score = a->scale * (double)d * q * k * (1 / limit + 0.25 / limit / limit) + log(2) / 2048 + 4e-7 * score;
    double of_weight = expm1(of_score) + 1e-4 + fmin(BLOCK, (double)length / sum) / 32766;
    return v * (2 * of_weight / (1 - fmin(0.9, of_weight)) + 0.51 / 2047 + 1e-5);
}

static double scores[1100], weighted[ATTENTION_HEAD_DIM_MAX];
static double error_sum; /* of all that was checked, in parts of what is allowed */
static size_t error_count;

static void check_query(const char *what, const struct attention *a, const struct batch *b, size_t head, size_t first,
                        size_t length, size_t i) {
    size_t d = a->head_dim, kv_head = head / (a->heads / a->kv_heads);
    const float *got = (const float *)b->rows.out.data + (first + i) * b->rows.out.stride + head * d;
    double top = -INFINITY, sum = 0, size = 0, allowed = 3e-6;
    for (size_t j = 0; j < length; j++) {
        scores[j] = sees(a, (ptrdiff_t)i, (ptrdiff_t)j) ? score(a, b, head, first, i, j) : -INFINITY;
        top = fmax(top, scores[j]);
        size = isfinite(scores[j]) ? fmax(size, fabs(scores[j])) : size;
    }
    memset(weighted, 0, sizeof(weighted));
    for (size_t j = 0; j < length; j++) {
        double p = exp(scores[j] - top);
        sum += p;
        for (size_t s = 0; s < d && p > 0; s++)
            weighted[s] += p * b->rows.v[(first + j) * b->stride + kv_head * d + s];
    }
    if (narrow && !a->positions && cpu_has_vnni())
        allowed = narrow_bound(a, b, head, first, length, i, sum, size);
    for (size_t s = 0; s < d; s++) {
        error_sum += fabs(got[s] - weighted[s] / sum) / allowed;
        error_count++;
        CHECK_MSG(fabs(got[s] - weighted[s] / sum) <= allowed,
                  "%s: length %zu, head %zu, query %zu, column %zu: %g, not %g", what, length, head, i, s,
                  (double)got[s], weighted[s] / sum);
    }
}

/* Checks `some` queries of each head at random besides the first and the last, or all when there are few. */
static void check_batch(const char *what, const struct attention *a, const struct batch *b, const uint32_t *starts,
                        size_t n, size_t some) {
    for (size_t s = 0; s < n; s++) {
        size_t length = starts[s + 1] - starts[s];
        for (size_t head = 0; head < a->heads; head++) {
            for (size_t k = 0; k < length && k < some; k++) {
                size_t i = length <= some ? k : k == 0 ? 0 : k == 1 ? length - 1 : random_bits() % length;
                check_query(what, a, b, head, starts[s], length, i);
            }
        }
    }
    for (size_t t = 0; t < b->n_tokens; t++)
        assert_true(b->out[t * (b->width + 1) + b->width] == 42);
}

static void one_length(const char *what, const struct attention *a, size_t length, size_t some) {
    uint32_t starts[2] = { 0, (uint32_t)length };
    struct batch b = batch_new(a, length);
    run(a, &b.rows, starts, 1);
    check_batch(what, a, &b, starts, 1, some);
    batch_free(&b);
}

/* ---- modes and lengths */

static const struct {
    const char *name;
    bool causal;
    size_t window;
} modes[] = {
    { "full", false, 0 },
    { "window 1", false, 1 },
    { "window 5", false, 5 },
    { "window 64", false, 64 },
    { "window 256", false, 256 },
    { "causal", true, 0 },
    { "causal, window 1", true, 1 },
    { "causal, window 100", true, 100 },
};

static void lengths_at(const char *level) {
    for (size_t m = 0; m < VSR_COUNT(modes); m++) {
        char what[64];
        struct attention a = { .heads = 2, .kv_heads = 2, .head_dim = 32, .scale = 0.6f, .narrow = narrow };
        a.causal = modes[m].causal;
        a.window = modes[m].window;
        snprintf(what, sizeof(what), "%s, %s", level, modes[m].name);
        for (size_t length = 1; length <= 300; length++)
            one_length(what, &a, length, length < 40 ? length : 6);
        one_length(what, &a, 1000, 40);
    }
}

TEST(lengths) {
    at_each_level(lengths_at);
}

static void shapes_at(const char *level) {
    static const struct {
        size_t heads, kv_heads, head_dim;
    } shapes[] = {
        { 1, 1, 1 },  { 3, 3, 3 },  { 2, 2, 8 },    { 4, 2, 16 },  { 3, 1, 20 },  { 2, 2, 24 }, { 2, 1, 40 },
        { 2, 2, 64 }, { 1, 1, 80 }, { 16, 8, 128 }, { 3, 1, 256 }, { 1, 1, 512 }, { 64, 1, 8 }, { 2, 2, 63 }
    };
    static const size_t lengths[] = { 1, 2, 17, 63, 64, 65, 129, 260 };
    for (size_t k = 0; k < VSR_COUNT(shapes) * VSR_COUNT(lengths); k++) {
        size_t shape = k / VSR_COUNT(lengths);
        for (size_t m = 0; m < VSR_COUNT(modes); m += 3) {
            char what[64];
            struct attention a = { .heads = shapes[shape].heads,
                                   .kv_heads = shapes[shape].kv_heads,
                                   .head_dim = shapes[shape].head_dim,
                                   .scale = 0.3f,
                                   .causal = modes[m].causal,
                                   .window = modes[m].window,
                                   .narrow = narrow };
            snprintf(what, sizeof(what), "%s, %zu heads of %zu, %s", level, a.heads, a.head_dim, modes[m].name);
            one_length(what, &a, lengths[k % VSR_COUNT(lengths)], 3);
        }
    }
}

TEST(shapes) {
    at_each_level(shapes_at);
}

/* Large scores: the running maximum has to move, and what is far below it becomes nothing. */
static void sharp_at(const char *level) {
    struct attention a = { .heads = 1, .kv_heads = 1, .head_dim = 16, .scale = 1, .narrow = narrow };
    uint32_t starts[2] = { 0, 700 };
    struct batch b = batch_new(&a, 700);
    for (size_t j = 0; j < 700; j++)
        for (size_t s = 0; s < 16; s++)
            b.qkv[j * b.stride + 16 + s] *= (float)j * 0.05f; /* keys grow */
    run(&a, &b.rows, starts, 1);
    for (size_t i = 0; i < 700; i += 13) {
        /* The scores' own rounding is multiplied by their size: only the weights' sum and range are checked here. */
        for (size_t s = 0; s < 16; s++)
            CHECK_MSG(fabsf(b.out[i * 17 + s]) <= 1.0001f, "%s: query %zu: %g", level, i, (double)b.out[i * 17 + s]);
    }
    for (size_t j = 0; j < 700; j++)
        for (size_t s = 0; s < 16; s++)
            b.qkv[j * b.stride + 32 + s] = 3; /* all values the same: so is every mean of them */
    run(&a, &b.rows, starts, 1);
    for (size_t i = 0; i < 700; i++)
        CHECK_MSG(fabsf(b.out[i * 17 + i % 16] - 3) < 4e-6f, "%s: query %zu: %g", level, i, (double)b.out[i * 17]);
    b.qkv[5 * b.stride + 16] = NAN;
    run(&a, &b.rows, starts, 1);
    assert_true(isnan(b.out[100 * 17]));
    batch_free(&b);
}

TEST(sharp) {
    at_each_level(sharp_at);
}

/* ---- terms that depend on the distance */

static void relative_at(const char *level) {
    enum { HEADS = 3, REACH = 400 };
    static float table[32 * HEADS], relative[HEADS * (2 * REACH + 1)];
    static const size_t lengths[] = { 1, 5, 33, 128, 129, 401 };
    fill(table, VSR_COUNT(table), 2);
    attention_relative_from_buckets(table, HEADS, REACH, relative);
    for (size_t k = 0; k < VSR_COUNT(lengths); k++) {
        struct attention a = { .heads = HEADS,
                               .kv_heads = HEADS,
                               .head_dim = 16,
                               .scale = 0.25f,
                               .relative = relative,
                               .relative_reach = REACH,
                               .narrow = narrow };
        one_length(level, &a, lengths[k], 8);
        a.window = 20;
        one_length(level, &a, lengths[k], 8);
    }
}

TEST(relative) {
    at_each_level(relative_at);
}

/* The formula of the specification in floating point, away from its steps; the steps as listed there. */
TEST(buckets) {
    enum { REACH = 300 };
    static float table[32], relative[2 * REACH + 1];
    static const struct {
        int distance, bucket;
    } steps[] = { { 0, 0 },    { 1, 17 },   { -1, 1 },   { -7, 7 },    { -8, 8 },   { -11, 8 },  { -12, 9 },
                  { -15, 9 },  { -16, 10 }, { -22, 10 }, { -23, 11 },  { -31, 11 }, { -32, 12 }, { -63, 13 },
                  { -64, 14 }, { -90, 14 }, { -91, 15 }, { -300, 15 }, { 8, 24 },   { 64, 30 },  { 300, 31 } };
    for (int k = 0; k < 32; k++)
        table[k] = (float)k;
    attention_relative_from_buckets(table, 1, REACH, relative);
    for (size_t k = 0; k < VSR_COUNT(steps); k++)
        CHECK_MSG((int)relative[REACH + steps[k].distance] == steps[k].bucket, "distance %d: bucket %d, not %d",
                  steps[k].distance, (int)relative[REACH + steps[k].distance], steps[k].bucket);
    for (int n = 8; n < REACH; n++) {
        double exact = log(n / 8.0) / log(16) * 8;
        if (fabs(exact - round(exact)) > 1e-6)
            assert_int_equal((int)relative[REACH - n], 8 + (exact < 7 ? (int)exact : 7));
    }
}

TEST(slots) {
    enum { REACH = 600 };
    static int32_t slot[2 * REACH + 1];
    static const int known[][2] = { { 0, 0 },     { 1, 1 },     { 128, 128 }, { 129, 129 },
                                    { 130, 130 }, { 200, 169 }, { 510, 255 }, { 511, 255 } };
    attention_slots(256, 512, REACH, slot);
    for (size_t k = 0; k < VSR_COUNT(known); k++) {
        assert_int_equal(slot[REACH - known[k][0]], 256 + known[k][1]);
        assert_int_equal(slot[REACH + known[k][0]], 256 - known[k][1]);
    }
    assert_int_equal(slot[REACH - 512], 511);
    assert_int_equal(slot[REACH + 512], 0);
    assert_int_equal(slot[0], 511);
    for (size_t k = 0; k < 2 * REACH; k++)
        assert_true(slot[k] >= slot[k + 1]);
    attention_slots(0, 16, REACH, slot);
    assert_int_equal(slot[REACH - 5], 21);
    assert_int_equal(slot[REACH + 16], 0);
    assert_int_equal(slot[0], 31);
}

static void positions_at(const char *level) {
    enum { HEADS = 2, DIM = 20, REACH = 399 };
    static const struct { size_t buckets, positions; } kinds[] = { { 8, 16 }, { 256, 512 }, { 0, 40 } };
    static const size_t lengths[] = { 1, 2, 7, 8, 16, 100, 128, 130, 400 };
    static int32_t slot[2 * REACH + 1];
    static float keys[512 * HEADS * DIM], queries[512 * HEADS * DIM];
    fill(keys, VSR_COUNT(keys), 1);
    fill(queries, VSR_COUNT(queries), 1);
    for (size_t k = 0; k < VSR_COUNT(kinds) * VSR_COUNT(lengths) * 3; k++) {
        size_t kind = k % 3, terms = k / 3 % 3;
        struct attention_positions positions = { .keys = terms == 1 ? NULL : keys,
                                                 .queries = terms == 2 ? NULL : queries,
                                                 .stride = HEADS * DIM,
                                                 .slot = slot,
                                                 .reach = REACH };
        struct attention a = {
            .heads = HEADS, .kv_heads = HEADS, .head_dim = DIM, .scale = 0.2f, .positions = &positions, .narrow = narrow
        };
        positions.n_slots = 2 * (kinds[kind].buckets ? kinds[kind].buckets : kinds[kind].positions);
        attention_slots(kinds[kind].buckets, kinds[kind].positions, REACH, slot);
        one_length(level, &a, lengths[k / 9], 6);
    }
}

TEST(positions) {
    at_each_level(positions_at);
}

/* ---- batches */

static void together_at(const char *level) {
    enum { N = 7 };
    static const uint32_t starts[N + 1] = { 3, 4, 4, 133, 150, 450, 462, 700 };
    for (size_t m = 0; m < VSR_COUNT(modes); m++) {
        struct attention a = { .heads = 4,
                               .kv_heads = 2,
                               .head_dim = 24,
                               .scale = 0.5f,
                               .causal = modes[m].causal,
                               .window = modes[m].window,
                               .narrow = narrow };
        struct batch b = batch_new(&a, 701);
        char what[64];
        snprintf(what, sizeof(what), "%s, batch, %s", level, modes[m].name);
        run(&a, &b.rows, starts, N);
        check_batch(what, &a, &b, starts, N, 5);
        for (size_t i = 0; i < 3 * (b.width + 1); i++)
            assert_true(b.out[i] == 42); /* tokens of no sequence */
        for (size_t s = 0; s < N; s++) {
            uint32_t alone_starts[2] = { 0, starts[s + 1] - starts[s] };
            struct batch alone = batch_new(&a, alone_starts[1] + 1);
            memcpy(alone.qkv, b.qkv + starts[s] * b.stride, alone_starts[1] * b.stride * sizeof(float));
            run(&a, &alone.rows, alone_starts, 1);
            CHECK_MSG(!memcmp(alone.out, b.out + starts[s] * (b.width + 1),
                              alone_starts[1] * (b.width + 1) * sizeof(float)),
                      "%s: sequence %zu differs alone", what, s);
            batch_free(&alone);
        }
        batch_free(&b);
    }
}

TEST(alone_or_together) {
    at_each_level(together_at);
}

/* A causal model's first tokens do not depend on what follows, and a window as long as the text is none. */
static void prefix_at(const char *level) {
    struct attention a = { .heads = 2, .kv_heads = 1, .head_dim = 32, .scale = 0.5f, .causal = true, .narrow = narrow };
    uint32_t long_starts[2] = { 0, 333 }, short_starts[2] = { 0, 200 };
    struct batch b = batch_new(&a, 333);
    float *first = allocate(200 * (b.width + 1) * sizeof(float));
    run(&a, &b.rows, short_starts, 1);
    memcpy(first, b.out, 200 * (b.width + 1) * sizeof(float));
    run(&a, &b.rows, long_starts, 1);
    /* Integers are scaled by blocks, which end later here. */
    CHECK_MSG(narrow || !memcmp(first, b.out, 200 * (b.width + 1) * sizeof(float)), "%s: a prefix changes", level);
    a.causal = false;
    run(&a, &b.rows, short_starts, 1);
    memcpy(first, b.out, 200 * (b.width + 1) * sizeof(float));
    a.window = 199;
    run(&a, &b.rows, short_starts, 1);
    CHECK_MSG(!memcmp(first, b.out, 200 * (b.width + 1) * sizeof(float)), "%s: a window of all changes", level);
    free(first);
    batch_free(&b);
}

TEST(prefix) {
    at_each_level(prefix_at);
}

/* bf16 output is the f32 output rounded. */
static void bf16_at(const char *level) {
    struct attention a = { .heads = 2, .kv_heads = 2, .head_dim = 36, .scale = 0.3f, .narrow = narrow };
    uint32_t starts[2] = { 0, 50 };
    struct batch b = batch_new(&a, 50);
    uint16_t *half = allocate(50 * 80 * sizeof(*half));
    memset(half, 0x5a, 50 * 80 * sizeof(*half));
    run(&a, &b.rows, starts, 1);
    b.rows.out = (struct rows_out){ .type = ROWS_BF16, .data = half, .stride = 80 };
    run(&a, &b.rows, starts, 1);
    for (size_t t = 0; t < 50; t++)
        for (size_t i = 0; i < 80; i++)
            CHECK_MSG(half[t * 80 + i] == (i < 72 ? bf16_from_f32(b.out[t * 73 + i]) : 0x5a5a), "%s: %zu %zu", level, t,
                      i);
    free(half);
    batch_free(&b);
}

TEST(bf16) {
    at_each_level(bf16_at);
}

/* ---- integers */

static void all_widths(const char *level) {
    for (size_t dim = 1; dim <= 130; dim++) {
        struct attention a = { .heads = 2, .kv_heads = 1, .head_dim = dim, .scale = 0.4f, .narrow = narrow };
        one_length(level, &a, 1 + random_bits() % 150, 3);
    }
}

TEST(integer_widths) {
    in_integers(all_widths);
}

static void all_lengths(const char *level) {
    struct attention a = { .heads = 2, .kv_heads = 2, .head_dim = 32, .scale = 0.4f, .narrow = narrow };
    error_sum = 0;
    error_count = 0;
    for (size_t length = 1; length <= 600; length++)
        one_length(level, &a, length, 3);
    /* What is allowed adds up all that could go wrong in one direction; chance leaves much less. */
    CHECK_MSG(error_sum / (double)error_count < 0.03, "%s: errors are %g of what is allowed", level,
              error_sum / (double)error_count);
}

TEST(integer_lengths) {
    in_integers(all_lengths);
}

static void multiply(float *rows, size_t stride, size_t n, size_t width, float by) {
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < width; i++)
            rows[r * stride + i] *= by;
}

/* All values become `value`, and so does every mean of them. */
static void check_same(const char *level, const struct attention *a, struct batch *b, float value) {
    uint32_t starts[2] = { 0, (uint32_t)b->n_tokens };
    for (size_t t = 0; t < b->n_tokens; t++)
        for (size_t i = 0; i < a->head_dim; i++)
            b->qkv[t * b->stride + 2 * a->head_dim + i] = value;
    run(a, &b->rows, starts, 1);
    for (size_t t = 0; t < b->n_tokens; t++)
        for (size_t i = 0; i < a->head_dim; i++)
            CHECK_MSG(fabsf(b->out[t * (b->width + 1) + i] - value) <= 1e-5f * value + 1e-30f,
                      "%s: row %zu of values %g is %g", level, t, (double)value,
                      (double)b->out[t * (b->width + 1) + i]);
}

/* Numbers of any size: what matters is what they are beside each other. Nothing, where all are. */
static void sizes(const char *level) {
    static const float size[][3] = {
        { 1e-18f, 1e18f, 1 }, { 1e18f, 1e-18f, 1e30f }, { 1, 1, 1e-20f },      { 0, 1, 1 },     { 1, 0, 1 },
        { 1, 1, 0 },          { 1e-40f, 1, 1 },         { 1, 1e-42f, 1e-44f }, { 1, 1, 1e36f }, { 30, 30, 1 },
        { 1e4f, 1e5f, 1 },    { 1e15f, 1e15f, 1 },      { 1e18f, 1e18f, 1 }
    };
    enum { N = 150, DIM = 32 };
    for (size_t k = 0; k < VSR_COUNT(size); k++) {
        struct attention a = { .heads = 1, .kv_heads = 1, .head_dim = DIM, .scale = 0.4f, .narrow = narrow };
        uint32_t starts[2] = { 0, N };
        struct batch b = batch_new(&a, N);
        double allowed = greatest_size(b.rows.v, b.stride, N, DIM) * size[k][2] * 1.001 + 1e-30;
        multiply(b.qkv, b.stride, N, DIM, size[k][0]);
        multiply(b.qkv + DIM, b.stride, N, DIM, size[k][1]);
        multiply(b.qkv + (size_t)2 * DIM, b.stride, N, DIM, size[k][2]);
        run(&a, &b.rows, starts, 1);
        for (size_t t = 0; t < N; t++)
            for (size_t i = 0; i < DIM; i++)
                CHECK_MSG(fabs((double)b.out[t * (DIM + 1) + i]) <= allowed, "%s: sizes %zu: row %zu is %g", level, k,
                          t, (double)b.out[t * (DIM + 1) + i]);
        if (size[k][0] * size[k][1] <= 1 && size[k][2] > 1e-25f && size[k][2] < 1e35f)
            check_batch(level, &a, &b, starts, 1, 10);
        check_same(level, &a, &b, size[k][2]);
        batch_free(&b);
    }
}

TEST(integer_sizes) {
    in_integers(sizes);
}

/* Scores that are far greater than what their rounding leaves of a weight: the greatest still has all of it. */
static void huge(const char *level) {
    static const float sizes[] = { 1e4f, 1e5f, 1e6f, 1e8f, 1e10f, 1e14f, 1e18f };
    for (size_t k = 0; k < VSR_COUNT(sizes) * 4; k++) {
        struct attention a = { .heads = 1, .kv_heads = 1, .head_dim = 24, .scale = 1, .narrow = narrow };
        struct batch b = batch_new(&a, 200);
        a.causal = k % 4 == 1;
        a.window = k % 4 == 2 ? 20 : 0;
        multiply(b.qkv, b.stride, 200, 24, sizes[k / 4]);
        multiply(b.qkv + 24, b.stride, 200, 24, k % 4 == 3 ? 1 : sizes[k / 4]);
        check_same(level, &a, &b, 1);
        batch_free(&b);
    }
}

TEST(huge_scores) {
    at_each_level(huge);
}

/* One key that outweighs the others, at any place, so that the maximum comes early or late; then a long flat tail. */
static void one_of_many(const char *level) {
    enum { N = 600, DIM = 64 };
    static const size_t places[] = { 0, 1, 63, 64, 130, 599 };
    for (size_t k = 0; k < VSR_COUNT(places) * 4; k++) {
        struct attention a = { .heads = 1, .kv_heads = 1, .head_dim = DIM, .scale = 1, .narrow = narrow };
        float ahead = (float)(k % 4) * 3; /* of the others' scores */
        uint32_t starts[2] = { 0, N };
        struct batch b = batch_new(&a, N);
        for (size_t t = 0; t < N; t++) {
            memset(b.qkv + t * b.stride, 0, (size_t)2 * DIM * sizeof(float));
            b.qkv[t * b.stride] = 1;
            b.qkv[t * b.stride + DIM] = t == places[k / 4] ? ahead : 0;
            for (size_t i = 0; i < DIM; i++)
                b.qkv[t * b.stride + (size_t)2 * DIM + i] = t == places[k / 4] ? 1 : -1;
        }
        run(&a, &b.rows, starts, 1);
        for (size_t t = 0; t < N; t += 7) {
            double weight = exp((double)ahead), want = (weight - (N - 1)) / (weight + (N - 1));
            CHECK_MSG(fabs(b.out[t * (DIM + 1) + t % DIM] - want) < 0.012 * (1 - want) + 1e-5,
                      "%s: %g at %zu: %g, not %g", level, (double)ahead, places[k / 4], (double)b.out[t * (DIM + 1)],
                      want);
        }
        batch_free(&b);
    }
}

TEST(integer_tail) {
    in_integers(one_of_many);
}

/*
 * A key far ahead of all others that has nothing to say: what the result says, the others do. What is allowed grows
 * with their weights' rounding, to half a unit of the greatest in their block of 64, or all of a weight that is less.
 * Of a flat tail much below the sink that is 63 keys, those of the sink's block.
 */
static double sink_bound(const float *keys, size_t n, size_t sink, double least_value, double greatest_value) {
    double limit = floor(sqrt(2147483647.0 / 64)), of_weight, tail = 0, lost = 0;
    for (size_t block = 0; block < n; block += BLOCK) {
        size_t end = block + BLOCK < n ? block + BLOCK : n;
        float top = keys[block];
        for (size_t j = block; j < end; j++)
            top = fmaxf(top, keys[j]);
        for (size_t j = block; j < end; j++) {
            double weight = exp((double)keys[j] - keys[sink]);
            tail += j == sink ? 0 : weight;
            lost += j == sink ? 0 : fmin(weight, exp((double)top - keys[sink]) / 32766);
        }
    }
    of_weight = expm1(keys[sink] / limit + log(2) / 2048) + 1e-4;
    return 2 * of_weight / (1 - of_weight) + (1.02 * lost / tail + 0.51 / 2047) * greatest_value / least_value;
}

static void check_sink(const char *level, size_t n, size_t sink, float ahead, float spread) {
    enum { DIM = 64 };
    static float keys[2048];
    struct attention a = { .heads = 1, .kv_heads = 1, .head_dim = DIM, .scale = 1, .narrow = narrow };
    uint32_t starts[2] = { 0, (uint32_t)n };
    struct batch b = batch_new(&a, n);
    fill(keys, n, spread);
    keys[sink] = spread + ahead;
    for (size_t t = 0; t < n; t++) {
        memset(b.qkv + t * b.stride, 0, (size_t)2 * DIM * sizeof(float));
        b.qkv[t * b.stride] = 1;
        b.qkv[t * b.stride + DIM] = keys[t];
        for (size_t i = 0; i < DIM; i++) /* 0.8 to 1.2 */
            b.qkv[t * b.stride + (size_t)2 * DIM + i] = t == sink ? 0 : 1 + 0.2f * b.qkv[t * b.stride + 2 * DIM + i];
    }
    run(&a, &b.rows, starts, 1);
    for (size_t i = 0; i < DIM; i++) {
        double want = 0, sum = 0, allowed = sink_bound(keys, n, sink, 0.8, 1.2);
        for (size_t t = 0; t < n; t++) {
            sum += exp((double)keys[t] - keys[sink]);
            want += exp((double)keys[t] - keys[sink]) * b.qkv[t * b.stride + (size_t)2 * DIM + i];
        }
        want /= sum;
        CHECK_MSG(fabs(b.out[(n - 1) * (DIM + 1) + i] - want) <= allowed * want,
                  "%s: %g ahead of %zu keys within %g, column %zu: %g, not %g within %g", level, (double)ahead, n,
                  (double)spread, i, (double)b.out[(n - 1) * (DIM + 1) + i], want, allowed * want);
    }
    batch_free(&b);
}

static void sinks(const char *level) {
    static const size_t lengths[] = { 64, 65, 128, 300, 512, 1024, 2048 };
    static const float ahead[] = { 5, 10, 12, 15 };
    for (size_t l = 0; l < VSR_COUNT(lengths); l++)
        for (size_t k = 0; k < VSR_COUNT(ahead) * 4; k++)
            check_sink(level, lengths[l], k % 2 ? 0 : 37, ahead[k / 4], k / 2 % 2 ? 2 : 0);
}

TEST(integer_sinks) {
    in_integers(sinks);
}

/* Whoever sees a number that is not finite has a result that is not. */
static void not_finite(const char *level) {
    static const float bad[] = { NAN, INFINITY, -INFINITY };
    enum { N = 200, DIM = 20 };
    for (size_t k = 0; k < VSR_COUNT(bad) * 3 * 3; k++) {
        struct attention a = {
            .heads = 1, .kv_heads = 1, .head_dim = DIM, .scale = 0.4f, .causal = k % 3 == 1, .narrow = narrow
        };
        size_t part = k / 3 % 3, token = 170, column = 7;
        uint32_t starts[2] = { 0, N };
        struct batch b = batch_new(&a, N);
        a.window = k % 3 == 2 ? 10 : 0;
        b.qkv[token * b.stride + part * DIM + column] = bad[k / 9];
        run(&a, &b.rows, starts, 1);
        for (size_t t = 0; t < N; t++) {
            bool must = part == 0 ? t == token : sees(&a, (ptrdiff_t)t, (ptrdiff_t)token), is = false;
            for (size_t i = part == 2 ? column : 0; i < (part == 2 ? column + 1 : DIM); i++)
                is |= !isfinite(b.out[t * (DIM + 1) + i]);
            CHECK_MSG(is || !must, "%s: %g in part %zu of token %zu leaves row %zu finite", level, (double)bad[k / 9],
                      part, token, t);
            CHECK_MSG(!is || part > 0 || must, "%s: a query makes another's row not finite", level);
            CHECK_MSG(!is || (!a.window && !a.causal) || t + 150 > token, "%s: row %zu is not finite", level, t);
        }
        batch_free(&b);
    }
}

TEST(integer_not_finite) {
    in_integers(not_finite);
}

/* They are used where they can be, and only where they are asked for. */
TEST(integers_or_not) {
    struct attention a = { .heads = 1, .kv_heads = 1, .head_dim = 32, .scale = 0.4f };
    uint32_t starts[2] = { 0, 40 };
    struct batch b = batch_new(&a, 40);
    float *wide = allocate(40 * 33 * sizeof(float));
    bool differ = false;
    run(&a, &b.rows, starts, 1);
    memcpy(wide, b.out, 40 * 33 * sizeof(float));
    a.narrow = true;
    run(&a, &b.rows, starts, 1);
    for (size_t i = 0; i < (size_t)40 * 33; i++)
        differ |= wide[i] != b.out[i];
    assert_int_equal(differ, cpu_has_vnni());
    free(wide);
    batch_free(&b);
}

RUN_TESTS(T(lengths), T(shapes), T(sharp), T(relative), T(buckets), T(slots), T(positions), T(alone_or_together),
          T(prefix), T(bf16), T(integer_widths), T(integer_lengths), T(integer_sizes), T(huge_scores), T(integer_tail),
          T(integer_sinks), T(integer_not_finite), T(integers_or_not))
