#include "nn/attention_vnni.h"

#include <float.h>
#include <string.h>

#include "core/assert.h"
#include "nn/cpu.h"

#if defined(__x86_64__)
#include "nn/attention_walk.h"
#include "nn/simd.h"

/*
 * Both products are made with queries in the lanes: scores are keys times queries, the result is columns of the values
 * times weights. So a query's maximum and sum are those of a lane, and nothing is summed up across a register.
 *
 * A tile is ROWS keys or columns by VECTORS vectors of queries: 24 sums in registers, four vectors of queries and four
 * broadcast numbers beside them. That is 34 instructions and 10 loads for 24 products. (With operands that the
 * instruction itself broadcasts it would be fewer instructions, and a load for each, which takes 1.8 times as long.)
 *
 *     queries   vectors v ... of a tile: [step][vector], a step is two numbers of the head
 *     keys      [key][step]
 *     scores    [key][vector]; weights: [key / 2][vector], two keys beside each other
 *     values    [column / PANEL][key / 2][PANEL], two keys beside each other
 *     sums      [column][vector]
 *
 * The order of steps is that which packing finds easy; sums are exact, so it only has to be the same on both sides.
 *
 * A row below is a query of one of the heads: head * queries + query. Rows past the last one up to a whole vector are
 * zero.
 */
enum {
    ROWS = 6,
    VECTORS = 4,
    PANEL = VW,
    KEYS = 64, /* of a block: its scores stay in the nearest cache */
    QUERIES = ATTENTION_VNNI_QUERIES,
    CHUNK = 2 * VW,     /* numbers of a head that are packed at a time */
    UNROLLED = 4,       /* steps of a product between two jumps: all depths are multiples of it */
    WEIGHT_ONE = 16383, /* the greatest weight */
    VALUE_MAX = 2047,
    OCTAVE = 1024, /* differences of scores count in parts of a doubling of the weight */
};
_Static_assert((int64_t)KEYS *WEIGHT_ONE *VALUE_MAX <= INT32_MAX, "sums of weighted values fit");
_Static_assert(KEYS % (2 * UNROLLED) == 0 && CHUNK / 4 % UNROLLED == 0 && QUERIES % VW == 0, "as products want it");

/* Below it a row counts as zero: nothing is lost beside other numbers, and no factor overflows. */
static const float least_size = 1e-30f;

/* 2^(-i / 32) and 2^(-i / 1024) */
static const int16_t coarse_powers[32] = { 32767, 32065, 31378, 30705, 30047, 29404, 28774, 28157, 27554, 26963, 26385,
                                           25820, 25267, 24725, 24196, 23677, 23170, 22673, 22187, 21712, 21247, 20791,
                                           20346, 19910, 19483, 19066, 18657, 18258, 17866, 17483, 17109, 16742 },
                     fine_powers[32] = { 32767, 32745, 32723, 32701, 32678, 32656, 32634, 32612, 32590, 32568, 32546,
                                         32524, 32502, 32480, 32458, 32436, 32414, 32392, 32370, 32348, 32326, 32305,
                                         32283, 32261, 32239, 32217, 32195, 32174, 32152, 32130, 32108, 32087 };

bool attention_vnni_serves(const struct attention *attention) {
    bool one_head = attention->heads == attention->kv_heads; /* in the lanes of a vector, as bias_of() has it */
    return attention->narrow && !attention->positions && (!attention->relative || one_head) && cpu_has_vnni();
}

/* ---- scratch */

/* Parts of the scratch, all 64-byte aligned. */
struct scratch {
    int32_t *q;                    /* [vector][step][VW], tile by tile */
    int32_t *k;                    /* [key][step] */
    int32_t *v;                    /* [column / PANEL][key / 2][PANEL] */
    int32_t *scores;               /* [key][vector] */
    int32_t *weights;              /* [key / 2][vector] */
    float *sums;                   /* [vector][column][VW], tile by tile */
    float *v_scale;                /* [column] */
    float *q_scale, *top, *weight; /* [row]: octaves in an integer; greatest score so far, in octaves; sum of weights */
    int32_t *place;                /* [row]: in the sequence */
};

/* Steps of a head: of two numbers, in chunks or, at the end, half a chunk. */
static size_t steps_of(size_t dim) {
    size_t rest = dim % CHUNK;
    return dim / CHUNK * (CHUNK / 2) + (rest == 0 ? 0 : rest <= CHUNK / 2 ? CHUNK / 4 : CHUNK / 2);
}

/*
 * Products go over whole UNROLLED pairs of keys, so that with keys from the middle of a block on, up to UNROLLED - 1
 * pairs past a panel of values are read: the next panel's, or what `v` is longer for. Their weights are 0, see
 * weigh_vector().
 */
static size_t lay_out(const struct attention *attention, void *base, struct scratch *ret) {
    size_t dim = attention->head_dim, steps = steps_of(dim), columns = attention_round_up(dim, PANEL), used = 0;
    ret->q = attention_part(base, &used, QUERIES * steps * sizeof(int32_t));
    ret->k = attention_part(base, &used, KEYS * steps * sizeof(int32_t));
    ret->v = attention_part(base, &used, (KEYS / 2 * columns + (UNROLLED - 1) * PANEL) * sizeof(int32_t));
    ret->scores = attention_part(base, &used, (size_t)KEYS * VECTORS * VW * sizeof(int32_t));
    ret->weights = attention_part(base, &used, (size_t)KEYS / 2 * VECTORS * VW * sizeof(int32_t));
    ret->sums = attention_part(base, &used, QUERIES * columns * sizeof(float));
    ret->v_scale = attention_part(base, &used, columns * sizeof(float));
    ret->q_scale = attention_part(base, &used, QUERIES * sizeof(float));
    ret->top = attention_part(base, &used, QUERIES * sizeof(float));
    ret->weight = attention_part(base, &used, QUERIES * sizeof(float));
    ret->place = attention_part(base, &used, QUERIES * sizeof(int32_t));
    return used;
}

size_t attention_vnni_scratch_len(const struct attention *attention) {
    struct scratch parts;
    return lay_out(attention, NULL, &parts);
}

/* ---- the product of a tile */

/* R(V, row, a register for what is broadcast, the row's sums) */
#define ROWS_1(R, V) R(V, 0, 28, 0, 1, 2, 3)
#define ROWS_2(R, V) ROWS_1(R, V) R(V, 1, 29, 4, 5, 6, 7)
#define ROWS_3(R, V) ROWS_2(R, V) R(V, 2, 30, 8, 9, 10, 11)
#define ROWS_4(R, V) ROWS_3(R, V) R(V, 3, 31, 12, 13, 14, 15)
#define ROWS_5(R, V) ROWS_4(R, V) R(V, 4, 28, 16, 17, 18, 19)
#define ROWS_6(R, V) ROWS_5(R, V) R(V, 5, 29, 20, 21, 22, 23)

/* F(x, the vector's register, the sum) for the vectors of a tile; registers of vectors are 24 to 27. */
#define VECTORS_1(F, x, a, b, c, d) F(x, 24, a)
#define VECTORS_2(F, x, a, b, c, d) F(x, 24, a) F(x, 25, b)
#define VECTORS_3(F, x, a, b, c, d) F(x, 24, a) F(x, 25, b) F(x, 26, c)
#define VECTORS_4(F, x, a, b, c, d) F(x, 24, a) F(x, 25, b) F(x, 26, c) F(x, 27, d)

#define LOAD_FROM(from, at, v) "vmovdqu32 (64 * (%c[vectors] * " at " + " #v " - 24))(%[" from "]), %%zmm" #v "\n\t"
#define LOAD(x, v, sum) LOAD_FROM("b", "\\at", v)
#define MULTIPLY(x, v, sum) "vpmaddwd %%zmm" #x ", %%zmm" #v ", %%zmm" #sum "\n\t"
#define ADD(x, v, sum) "vpdpwssd %%zmm" #x ", %%zmm" #v ", %%zmm" #sum "\n\t"

/* Numbers of the left side: rows `row` bytes apart, or PANEL of them side by side. */
#define KEY_0 "(%[a])"
#define KEY_1 "(%[a], %[row])"
#define KEY_2 "(%[a], %[row], 2)"
#define KEY_3 "(%[a3])"
#define KEY_4 "(%[a3], %[row])"
#define KEY_5 "(%[a3], %[row], 2)"
#define KEY_FIRST(V, r, t, a, b, c, d) "vpbroadcastd (4 * \\at)" KEY_##r ", %%zmm" #t "\n\t" V(MULTIPLY, t, a, b, c, d)
#define KEY_NEXT(V, r, t, a, b, c, d) "vpbroadcastd (4 * \\at)" KEY_##r ", %%zmm" #t "\n\t" V(ADD, t, a, b, c, d)
#define COLUMN(r, t) "vpbroadcastd (64 * \\at + 4 * " #r ")(%[a]), %%zmm" #t "\n\t"
#define COLUMN_FIRST(V, r, t, a, b, c, d) COLUMN(r, t) V(MULTIPLY, t, a, b, c, d)
#define COLUMN_NEXT(V, r, t, a, b, c, d) COLUMN(r, t) V(ADD, t, a, b, c, d)

/* The sums over `depth` steps. `forward` takes the left side UNROLLED steps on. */
#define PRODUCT(rows, V, first, next, forward) \
    ".irp at, 0\n\t" V(LOAD, 0, 0, 0, 0, 0) \
        rows(first, V) ".endr\n\t" \
                       ".irp at, 1, 2, 3\n\t" V(LOAD, 0, 0, 0, 0, 0) \
                           rows(next, V) ".endr\n\t" \
                                         "jmp 2f\n" \
                                         "1:\n\t" \
                                         ".irp at, 0, 1, 2, 3\n\t" V(LOAD, 0, 0, 0, 0, 0) \
                                             rows(next, V) ".endr\n" \
                                                           "2:\n\t" forward "add $256 * %c[vectors], %[b]\n\t" \
                                                           "sub $4, %[depth]\n\t" \
                                                           "jnz 1b\n\t"

/* Scores: stored, and the greatest so far in each lane. */
#define LOAD_BEST(x, v, sum) LOAD_FROM("best", "0", v)
#define STORE_BEST(x, v, sum) "vmovdqu32 %%zmm" #v ", (64 * (" #v " - 24))(%[best])\n\t"
#define STORE_SCORE(r, v, sum) \
    "vpmaxsd %%zmm" #sum ", %%zmm" #v ", %%zmm" #v "\n\t" \
    "vmovdqu32 %%zmm" #sum ", (64 * (%c[vectors] * " #r " + " #v " - 24))(%[to])\n\t"
#define STORE_SCORES(V, r, t, a, b, c, d) V(STORE_SCORE, r, a, b, c, d)
#define SCORES(rows, V) \
    "lea (%[row], %[row], 2), %[a3]\n\t" \
    "add %[a], %[a3]\n\t" PRODUCT(rows, V, KEY_FIRST, KEY_NEXT, "add $16, %[a]\n\tadd $16, %[a3]\n\t") \
        V(LOAD_BEST, 0, 0, 0, 0, 0) rows(STORE_SCORES, V) V(STORE_BEST, 0, 0, 0, 0, 0)

/* Values: what was there shrinks to a part of it, and a part of the block's sums is added. */
#define LOAD_KEEP(x, v, sum) LOAD_FROM("keep", "0", v)
#define LOAD_SHARE(x, v, sum) LOAD_FROM("share", "0", v)
#define SHARE_SUM(r, v, sum) \
    "vcvtdq2ps %%zmm" #sum ", %%zmm" #sum "\n\t" \
    "vmulps %%zmm" #v ", %%zmm" #sum ", %%zmm" #sum "\n\t"
#define SHARE_SUMS(V, r, t, a, b, c, d) V(SHARE_SUM, r, a, b, c, d)
#define JOIN_SUM(r, v, sum) \
    "vmulps %%zmm31, %%zmm" #sum ", %%zmm" #sum "\n\t" \
    "vfmadd231ps (64 * (%c[vectors] * " #r " + " #v " - 24))(%[to]), %%zmm" #v ", %%zmm" #sum "\n\t" \
    "vmovups %%zmm" #sum ", (64 * (%c[vectors] * " #r " + " #v " - 24))(%[to])\n\t"
#define JOIN_SUMS(V, r, t, a, b, c, d) "vbroadcastss (4 * " #r ")(%[scale]), %%zmm31\n\t" V(JOIN_SUM, r, a, b, c, d)
#define VALUES(rows, V) \
    PRODUCT(rows, V, COLUMN_FIRST, COLUMN_NEXT, "add $256, %[a]\n\t") \
    V(LOAD_SHARE, 0, 0, 0, 0, 0) rows(SHARE_SUMS, V) V(LOAD_KEEP, 0, 0, 0, 0, 0) rows(JOIN_SUMS, V)

#define ZMM_ALL \
    "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11", "zmm12", \
        "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "zmm24", \
        "zmm25", "zmm26", "zmm27", "zmm28", "zmm29", "zmm30", "zmm31"

_Static_assert(PANEL * 4 == 64 && UNROLLED == 4 && ROWS == 6 && VECTORS == 4, "as the instructions above have it");

/* to[r][] = sum over the steps of a[r] . b[]; `best` becomes the greatest of itself and these. */
typedef void multiply_keys(const int32_t *a, size_t row, const int32_t *b, size_t depth, int32_t *to, int32_t *best);
/* to[r][] = keep[] * to[r][] + share[] * scale[r] * sum over the steps of a[r] . b[] */
typedef void multiply_columns(const int32_t *a, const int32_t *b, size_t depth, float *to, const float *keep,
                              const float *share, const float *scale);

#define X(n, m) \
    static void keys_##n##_##m(const int32_t *a, size_t row, const int32_t *b, size_t depth, int32_t *to, \
                               int32_t *best) { \
        const int32_t *a3; \
        __asm__ volatile(SCORES(ROWS_##n, VECTORS_##m) \
                         : [a] "+&r"(a), [a3] "=&r"(a3), [b] "+&r"(b), [depth] "+&r"(depth) \
                         : [row] "r"(row), [to] "r"(to), [best] "r"(best), [vectors] "i"(m) \
                         : "memory", "cc", ZMM_ALL); \
    } \
    static void columns_##n##_##m(const int32_t *a, const int32_t *b, size_t depth, float *to, const float *keep, \
                                  const float *share, const float *scale) { \
        __asm__ volatile(VALUES(ROWS_##n, VECTORS_##m) \
                         : [a] "+&r"(a), [b] "+&r"(b), [depth] "+&r"(depth) \
                         : [to] "r"(to), [keep] "r"(keep), [share] "r"(share), [scale] "r"(scale), [vectors] "i"(m) \
                         : "memory", "cc", ZMM_ALL); \
    }
#define EACH_TILE(n) X(n, 1) X(n, 2) X(n, 3) X(n, 4)
EACH_TILE(1)
EACH_TILE(2)
EACH_TILE(3)
EACH_TILE(4)
EACH_TILE(5)
EACH_TILE(6)
#undef X

#define OF_ROWS(name, n) \
    { name##_##n##_1, name##_##n##_2, name##_##n##_3, name##_##n##_4 }
#define OF_TILES(name) \
    { OF_ROWS(name, 1), OF_ROWS(name, 2), OF_ROWS(name, 3), OF_ROWS(name, 4), OF_ROWS(name, 5), OF_ROWS(name, 6) }
static multiply_keys *const keys_of[ROWS][VECTORS] = OF_TILES(keys);
static multiply_columns *const columns_of[ROWS][VECTORS] = OF_TILES(columns);

/* ---- sixteen rows at once */

/* Lane r of the result is what `op` makes of all lanes of x[r]. */
#define REDUCE_ROWS(name, op) \
    SIMD __m512i name(const __m512i x[VW]) { \
        __m512i y[8], z[4]; \
        SIMD_UNROLL \
        for (size_t i = 0; i < 8; i++) \
            y[i] = op(_mm512_unpacklo_epi32(x[2 * i], x[2 * i + 1]), _mm512_unpackhi_epi32(x[2 * i], x[2 * i + 1])); \
        SIMD_UNROLL \
        for (size_t i = 0; i < 4; i++) \
            z[i] = op(_mm512_unpacklo_epi64(y[2 * i], y[2 * i + 1]), _mm512_unpackhi_epi64(y[2 * i], y[2 * i + 1])); \
        SIMD_UNROLL \
        for (size_t i = 0; i < 2; i++) \
            y[i] = op(_mm512_shuffle_i32x4(z[2 * i], z[2 * i + 1], 0x88), \
                      _mm512_shuffle_i32x4(z[2 * i], z[2 * i + 1], 0xdd)); \
        return op(_mm512_shuffle_i32x4(y[0], y[1], 0x88), _mm512_shuffle_i32x4(y[0], y[1], 0xdd)); \
    }

REDUCE_ROWS(tops_of_rows, _mm512_max_epi32)

/* Each of x[] is a row of a 16 x 16 matrix. */
SIMD void transpose(__m512i x[VW]) {
    __m512i y[VW];
    SIMD_UNROLL
    for (size_t i = 0; i < VW; i += 2) {
        y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    SIMD_UNROLL
    for (size_t i = 0; i < VW; i += 4) {
        x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
        x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
        x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
        x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
    }
    SIMD_UNROLL
    for (size_t j = 0; j < 4; j++) {
        __m512i a = _mm512_shuffle_i32x4(x[j], x[j + 4], 0x44), b = _mm512_shuffle_i32x4(x[j], x[j + 4], 0xee);
        __m512i c = _mm512_shuffle_i32x4(x[j + 8], x[j + 12], 0x44),
                d = _mm512_shuffle_i32x4(x[j + 8], x[j + 12], 0xee);
        x[j] = _mm512_shuffle_i32x4(a, c, 0x88);
        x[j + 4] = _mm512_shuffle_i32x4(a, c, 0xdd);
        x[j + 8] = _mm512_shuffle_i32x4(b, d, 0x88);
        x[j + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* ---- numbers become integers */

/* The greatest size of the lanes so far, as bits: NaN is greater than all. */
SIMD __m512i greater_size(__m512i so_far, vf x) {
    return _mm512_max_epi32(so_far, _mm512_castps_si512(vf_abs(x)));
}

/* For sizes up to `greatest` to become integers up to `limit`: what to multiply by; 0 where that cannot be. */
SIMD vf factor_of(vf greatest, float limit) {
    __mmask16 some = _mm512_cmp_ps_mask(greatest, vf_set(least_size), _CMP_GT_OQ); /* NaN is not greater */
    return _mm512_maskz_div_ps(some, vf_set(limit), greatest);
}

/* What such an integer is worth, times `more`; NaN where any of the numbers is NaN or infinite. */
SIMD vf worth_of(vf greatest, float limit, float more) {
    __mmask16 some = _mm512_cmp_ps_mask(greatest, vf_set(least_size), _CMP_GT_OQ);
    vf worth = vf_mul(_mm512_maskz_div_ps(some, greatest, vf_set(limit)), vf_set(more));
    return vf_fma(greatest, vf_zero(), worth);
}

/* So that a sum of `dim` products fits 32 bits. */
static float score_limit(size_t dim) {
    double limit = floor(sqrt((double)INT32_MAX / (double)dim));
    return limit < INT16_MAX ? (float)limit : INT16_MAX;
}

/* A chunk of a row, times `factor`, as integers; the order of its pairs is that of the instruction. */
SIMD __m512i chunk_integers(const float *row, size_t lanes, vf factor) {
    vf a, b;
    if (lanes == CHUNK) {
        a = vf_load(row, VW);
        b = vf_load(row + VW, VW);
    } else {
        a = vf_load(row, attention_least(lanes, VW));
        b = lanes > VW ? vf_load(row + VW, lanes - VW) : vf_zero();
    }
    return _mm512_packs_epi32(_mm512_cvtps_epi32(vf_mul(a, factor)), _mm512_cvtps_epi32(vf_mul(b, factor)));
}

/* The pairs of the first half of a chunk, which are not zero where there is no second one. */
enum { HALF_PAIRS = 0x3333 };

/* 16 rows of which some may be missing, as columns: to[step * to_step + row]. */
static void pack_queries(const float *const rows[VW], size_t dim, float scale, int32_t *to, size_t to_step,
                         float *ret_scale) {
    float factor[VW], limit = score_limit(dim);
    __m512i x[VW];
    vf top;
    for (size_t r = 0; r < VW; r++) {
        x[r] = _mm512_setzero_si512();
        if (rows[r])
            LANES(dim, x[r] = greater_size(x[r], vf_load(rows[r] + i, n)););
    }
    top = _mm512_castsi512_ps(tops_of_rows(x));
    vf_store(factor, factor_of(top, limit), VW);
    vf_store(ret_scale, worth_of(top, limit, scale), VW);
    for (size_t from = 0; from < dim; from += CHUNK) {
        size_t lanes = attention_least(dim - from, CHUNK);
        for (size_t r = 0; r < VW; r++)
            x[r] = rows[r] ? chunk_integers(rows[r] + from, lanes, vf_set(factor[r])) : _mm512_setzero_si512();
        transpose(x);
        SIMD_UNROLL
        for (size_t i = 0; i < VW; i++) {
            if (lanes <= VW && !(HALF_PAIRS >> i & 1))
                continue;
            _mm512_storeu_si512(to, x[i]);
            to += to_step;
        }
    }
}

/* Returns what an integer of a key is worth. */
static float pack_keys(const float *rows, size_t stride, size_t n_keys, size_t dim, int32_t *to) {
    float limit = score_limit(dim);
    __m512i greatest = _mm512_setzero_si512();
    vf top, factor;
    for (size_t j = 0; j < n_keys; j++)
        LANES(dim, greatest = greater_size(greatest, vf_load(rows + j * stride + i, n)););
    top = _mm512_castsi512_ps(_mm512_set1_epi32(_mm512_reduce_max_epi32(greatest)));
    factor = factor_of(top, limit);
    for (size_t j = 0; j < n_keys; j++) {
        for (size_t from = 0; from < dim; from += CHUNK) {
            size_t lanes = attention_least(dim - from, CHUNK);
            __m512i x = chunk_integers(rows + j * stride + from, lanes, factor);
            if (lanes > VW)
                _mm512_storeu_si512(to, x);
            else
                _mm256_storeu_si256((void *)to, _mm512_castsi512_si256(_mm512_maskz_compress_epi32(HALF_PAIRS, x)));
            to += lanes > VW ? CHUNK / 2 : CHUNK / 4;
        }
    }
    return vf_first(worth_of(top, limit, 1));
}

/* A panel of the values of `n` keys, `lanes` columns; an odd last key has zeros beside it. */
static void pack_panel(const float *rows, size_t stride, size_t n, size_t lanes, int32_t *to, float *ret_scale) {
    __mmask16 mask = vm_first(lanes);
    __m512i greatest = _mm512_setzero_si512();
    vf top, factor;
    for (size_t j = 0; j < n; j++)
        greatest = greater_size(greatest, _mm512_maskz_loadu_ps(mask, rows + j * stride));
    top = _mm512_castsi512_ps(greatest);
    factor = factor_of(top, VALUE_MAX);
    vf_store(ret_scale, worth_of(top, VALUE_MAX, 1.0f / (WEIGHT_ONE + 1)), VW);
    for (size_t j = 0; j < n; j += 2) {
        vf a = _mm512_maskz_loadu_ps(mask, rows + j * stride), b = vf_zero();
        __m512i even = _mm512_cvtps_epi32(vf_mul(a, factor)), odd;
        if (j + 1 < n)
            b = _mm512_maskz_loadu_ps(mask, rows + (j + 1) * stride);
        odd = _mm512_slli_epi32(_mm512_cvtps_epi32(vf_mul(b, factor)), 16);
        _mm512_storeu_si512(to + j / 2 * PANEL, _mm512_mask_blend_epi16(0xaaaaaaaa, even, odd));
    }
}

static void pack_values(const float *rows, size_t stride, size_t n, size_t dim, int32_t *to, float *ret_scale) {
    for (size_t c = 0; c < dim; c += PANEL)
        pack_panel(rows + c, stride, n, attention_least(dim - c, PANEL), to + c * (KEYS / 2), ret_scale + c);
}

/* ---- scores become weights */

/* Vectors of queries against some keys of a block. */
struct tile {
    size_t vector, n_vectors;
    size_t key, n_keys; /* counted from the sequence's start, and from an even one in the block */
    bool hidden;        /* whether some query does not see some key */
    const int32_t *place;
};

/*
 * 2^(-x / OCTAVE) * WEIGHT_ONE of two keys, x >= 0, beside each other, rounded; less than 2^-16 is nothing. What is
 * outside of the integers, or not a number, becomes the lowest of all, which as bits is as far as any.
 */
SIMD __m512i weights_of(vf even, vf odd) {
    const __m512i coarse = _mm512_loadu_si512(coarse_powers), fine = _mm512_loadu_si512(fine_powers);
    const __m512i beside = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
    __m512i x = _mm512_packs_epi32(_mm512_cvtps_epi32(even), _mm512_cvtps_epi32(odd)), power;
    x = _mm512_shuffle_epi8(x, beside);
    power = _mm512_mulhrs_epi16(_mm512_permutexvar_epi16(_mm512_srli_epi16(x, 5), coarse),
                                _mm512_permutexvar_epi16(x, fine));
    return _mm512_avg_epu16(_mm512_srlv_epi16(power, _mm512_srli_epi16(x, 10)), _mm512_setzero_si512());
}

/* The compilers' own function for it makes copies of the sum. */
SIMD void add_pairs(__m512i *sum, __m512i x, __m512i y) {
    __asm__("vpdpwssd %1, %2, %0" : "+v"(*sum) : "v"(x), "v"(y));
}

/* Lanes whose query at `place` sees `key`. */
SIMD __mmask16 sees(const struct attention *attention, __m512i place, size_t key) {
    __m512i far = _mm512_sub_epi32(_mm512_set1_epi32((int32_t)key), place);
    __mmask16 mask = 0xffff;
    if (attention->causal)
        mask = _mm512_cmple_epi32_mask(far, _mm512_setzero_si512());
    if (attention->window)
        mask &= _mm512_cmple_epu32_mask(_mm512_abs_epi32(far), _mm512_set1_epi32((int32_t)attention->window));
    return mask;
}

/* What the distance adds to scores of `key` with `n` queries, of which `place` is the first: falls from lane to lane.
 */
SIMD vf bias_of(const struct attention_walk *w, size_t key, size_t place, size_t n) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const struct attention *attention = w->attention;
    size_t reach = attention->relative_reach;
    size_t last = w->item->kv_head * (2 * reach + 1) + reach + key - (place + n - 1);
    __m512i backwards = _mm512_sub_epi32(_mm512_set1_epi32((int32_t)n - 1), lane);
    return _mm512_permutexvar_ps(backwards, _mm512_maskz_loadu_ps(vm_first(n), attention->relative + last));
}

/*
 * Scores of one vector of queries become floats, in octaves, with what the distance adds and -inf where a key is not
 * seen. Returns the greatest; NaN where any is not finite.
 */
static vf to_floats(const struct attention_walk *w, const struct tile *tile, size_t v, vf factor, int32_t *scores) {
    const vf unit = vf_set(0x1.715476p0f);
    __m512i place = _mm512_loadu_si512(tile->place + v * VW);
    size_t row = (tile->vector + v) * VW, n = attention_least(w->group * w->n_queries - row, VW);
    vf best = vf_set(-INFINITY), broken = vf_zero();
    for (size_t j = 0; j < tile->n_keys; j++) {
        int32_t *at = scores + (j * tile->n_vectors + v) * VW;
        vf x = vf_mul(_mm512_cvtepi32_ps(_mm512_loadu_si512(at)), factor);
        if (w->attention->relative)
            x = vf_fma(bias_of(w, tile->key + j, w->item->begin + row, n), unit, x);
        broken = vf_fma(x, vf_zero(), broken);
        if (tile->hidden)
            x = _mm512_mask_blend_ps(sees(w->attention, place, tile->key + j), vf_set(-INFINITY), x);
        best = vf_max(best, x);
        _mm512_storeu_ps(at, x);
    }
    return vf_add(best, broken);
}

/* How far a score is below the greatest, exactly for integers. */
SIMD vf below(__m512i top, __m512i score, bool floats) {
    return floats ? vf_sub(_mm512_castsi512_ps(top), _mm512_castsi512_ps(score))
                  : _mm512_cvtepu32_ps(_mm512_sub_epi32(top, score));
}

/*
 * Scores of one vector of queries, floats or integers that are worth `unit` parts of an octave, become weights of the
 * greatest of them, `top`. Returns their sum. Differences are taken before anything is rounded: whatever the scores'
 * size, the greatest has the greatest weight.
 *
 * With an odd number of keys, the score beside the last one was never written; its weight is made 0. Pairs of keys are
 * filled up with weights of 0 to what products want: what is packed of values there may be anything.
 */
SIMD __m512i weigh_vector(const struct tile *tile, const int32_t *scores, vf unit, __m512i top, bool floats,
                          int32_t *weights) {
    size_t step = tile->n_vectors * VW;
    __m512i sum = _mm512_setzero_si512();
    for (size_t j = 0; j < tile->n_keys; j += 2) {
        __m512i a = _mm512_loadu_si512(scores), b = _mm512_loadu_si512(scores + step), x;
        x = weights_of(vf_mul(below(top, a, floats), unit), vf_mul(below(top, b, floats), unit));
        if (j + 1 == tile->n_keys)
            x = _mm512_maskz_mov_epi16(0x55555555, x);
        add_pairs(&sum, x, _mm512_set1_epi16(1));
        _mm512_storeu_si512(weights, x);
        scores += 2 * step;
        weights += step;
    }
    for (size_t j = attention_round_up(tile->n_keys, 2); j % (2 * UNROLLED); j += 2, weights += step)
        _mm512_storeu_si512(weights, _mm512_setzero_si512());
    return sum;
}

/* 2^(of - top); 1 where they are the same, infinite or not. */
SIMD vf part_of(vf of, vf top) {
    return vf_select(_mm512_cmp_ps_mask(of, top, _CMP_EQ_OQ), vf_set(1), vf_exp2_negative(vf_sub(of, top)));
}

/*
 * Scores become weights, 0 to WEIGHT_ONE, of the greatest score that the lane has in this block; the sum of all of a
 * query's is kept in parts of one, of the greatest so far. `ret_keep` is by how much what was summed up before has to
 * shrink, `ret_share` by how much the block's own sums have to.
 */
static void weigh(const struct attention_walk *w, const struct tile *tile, float k_scale, const struct scratch *scratch,
                  const int32_t *best, float *ret_keep, float *ret_share) {
    for (size_t v = 0; v < tile->n_vectors; v++) {
        size_t row = (tile->vector + v) * VW;
        vf factor = vf_mul(vf_load(scratch->q_scale + row, VW), vf_set(k_scale)), of_block, now, keep, share, sum;
        vf before = vf_load(scratch->top + row, VW);
        int32_t *scores = scratch->scores + v * VW, *weights = scratch->weights + v * VW;
        if (tile->hidden || w->attention->relative) {
            of_block = to_floats(w, tile, v, factor, scratch->scores);
            sum = _mm512_cvtepi32_ps(
                weigh_vector(tile, scores, vf_set(OCTAVE), _mm512_castps_si512(of_block), true, weights));
        } else {
            __m512i top = _mm512_loadu_si512(best + v * VW);
            vf unit = vf_min(vf_set(FLT_MAX), vf_mul(factor, vf_set(OCTAVE))); /* 0 times it has to be 0 */
            of_block = vf_mul(_mm512_cvtepi32_ps(top), factor);
            of_block = vf_fma(of_block, vf_zero(), of_block); /* NaN stays, and infinity becomes it */
            sum = _mm512_cvtepi32_ps(weigh_vector(tile, scores, unit, top, false, weights));
        }
        now = vf_select(_mm512_cmp_ps_mask(of_block, before, _CMP_LE_OQ), before, of_block);
        keep = part_of(before, now);
        share = part_of(of_block, now);
        sum = vf_mul(sum, vf_mul(share, vf_set(1.0f / (WEIGHT_ONE + 1))));
        vf_store(scratch->top + row, now, VW);
        vf_store(ret_keep + v * VW, keep, VW);
        vf_store(ret_share + v * VW, share, VW);
        vf_store(scratch->weight + row, vf_fma(vf_load(scratch->weight + row, VW), keep, sum), VW);
    }
}

/* ---- an item */

static size_t rows_of(const struct attention_walk *w) {
    return w->group * w->n_queries;
}

/* Vectors of queries are shared out to tiles; they differ by one at most. */
static size_t n_tiles(const struct attention_walk *w) {
    return (rows_of(w) + VECTORS * VW - 1) / (VECTORS * VW);
}

static size_t tile_begin(const struct attention_walk *w, size_t tile) {
    return (rows_of(w) + VW - 1) / VW * tile / n_tiles(w);
}

static void pack_vector(const struct attention_walk *w, const struct scratch *scratch, size_t vector, int32_t *to,
                        size_t to_step) {
    const float *rows[VW] = { NULL };
    for (size_t r = vector * VW; r < attention_least(rows_of(w), (vector + 1) * VW); r++)
        rows[r % VW] = w->q + (w->item->begin + r % w->n_queries) * w->q_stride + r / w->n_queries * w->dim;
    pack_queries(rows, w->dim, w->attention->scale * 0x1.715476p0f, to, to_step, scratch->q_scale + vector * VW);
}

static void start(const struct attention_walk *w, const struct scratch *scratch) {
    size_t rows = attention_round_up(rows_of(w), VW);
    memset(scratch->sums, 0, rows * attention_round_up(w->dim, PANEL) * sizeof(float));
    memset(scratch->weight, 0, rows * sizeof(float));
    for (size_t r = 0; r < rows; r++) {
        scratch->top[r] = -INFINITY;
        scratch->place[r] = (int32_t)(w->item->begin + r % w->n_queries);
    }
    for (size_t tile = 0; tile < n_tiles(w); tile++) {
        size_t begin = tile_begin(w, tile), end = tile_begin(w, tile + 1);
        for (size_t v = begin; v < end; v++)
            pack_vector(w, scratch, v, scratch->q + (begin * steps_of(w->dim) + v - begin) * VW, (end - begin) * VW);
    }
}

/* Keys of a tile: those that any of its queries sees, from `block` to `end`. */
static void find_keys(const struct attention_walk *w, struct tile *tile, size_t block, size_t end) {
    const struct attention *attention = w->attention;
    size_t row = tile->vector * VW, rows = attention_least(rows_of(w), row + tile->n_vectors * VW);
    bool one_head = row / w->n_queries == (rows - 1) / w->n_queries;
    size_t first = w->item->begin + (one_head ? row % w->n_queries : 0);
    size_t last = w->item->begin + (one_head ? (rows - 1) % w->n_queries : w->n_queries - 1);
    size_t low, high;
    attention_visible(w, first, last + 1, &low, &high);
    low = block + (attention_most(low, block) - block) / 2 * 2;
    high = attention_least(high, end);
    tile->key = low;
    tile->n_keys = low < high ? high - low : 0;
    tile->hidden = (attention->causal && high > first + 1) ||
                   (attention->window && (low + attention->window < last || high > first + attention->window + 1));
}

static void run_tile(struct attention_walk *w, const struct scratch *scratch, struct tile *tile, size_t block,
                     float k_scale) {
    size_t steps = steps_of(w->dim), vectors = tile->n_vectors, from = tile->key - block;
    const int32_t *q = scratch->q + tile->vector * steps * VW;
    float *sums = scratch->sums + tile->vector * attention_round_up(w->dim, PANEL) * VW;
    size_t parts = (tile->n_keys + ROWS - 1) / ROWS, depth = attention_round_up(tile->n_keys, 2 * UNROLLED) / 2;
    size_t rows = attention_least(rows_of(w) - tile->vector * VW, vectors * VW);
    int32_t best[VECTORS * VW];
    float keep[VECTORS * VW], share[VECTORS * VW];
    VSR_ASSERT(vectors > 0 && vectors <= VECTORS);
    VSR_ASSERT(from % 2 == 0 && from + tile->n_keys <= KEYS && depth <= KEYS / 2);
    for (size_t i = 0; i < vectors * VW; i++)
        best[i] = INT32_MIN;
    for (size_t i = 0; i < parts; i++) {
        size_t j = tile->n_keys * i / parts, n = tile->n_keys * (i + 1) / parts - j;
        attention_fetch(w, rows * (i + 1) / parts - rows * i / parts);
        keys_of[n - 1][vectors - 1](scratch->k + (from + j) * steps, steps * sizeof(int32_t), q, steps,
                                    scratch->scores + j * vectors * VW, best);
    }
    weigh(w, tile, k_scale, scratch, best, keep, share);
    for (size_t c = 0; c < w->dim; c += PANEL) {
        const int32_t *v = scratch->v + c * (KEYS / 2) + from / 2 * PANEL;
        size_t columns = attention_least(w->dim - c, PANEL);
        parts = (columns + ROWS - 1) / ROWS;
        for (size_t i = 0; i < parts; i++) {
            size_t j = columns * i / parts, n = columns * (i + 1) / parts - j;
            VSR_ASSERT(n > 0 && n <= ROWS);
            columns_of[n - 1][vectors - 1](v + j, scratch->weights, depth, sums + (c + j) * vectors * VW, keep, share,
                                           scratch->v_scale + c + j);
        }
    }
}

static void run_block(struct attention_walk *w, const struct scratch *scratch, size_t block, size_t end) {
    float k_scale = pack_keys(w->k + block * w->k_stride, w->k_stride, end - block, w->dim, scratch->k);
    pack_values(w->v + block * w->v_stride, w->v_stride, end - block, w->dim, scratch->v, scratch->v_scale);
    for (size_t t = 0; t < n_tiles(w); t++) {
        struct tile tile = { .vector = tile_begin(w, t) };
        tile.n_vectors = tile_begin(w, t + 1) - tile.vector;
        tile.place = scratch->place + tile.vector * VW;
        find_keys(w, &tile, block, end);
        if (tile.n_keys > 0)
            run_tile(w, scratch, &tile, block, k_scale);
    }
}

/* A panel of columns of a vector of queries, as rows. */
static void finish_panel(const struct attention_walk *w, const float *sums, size_t step, size_t vector, size_t column,
                         vf factor, const struct rows_out *out) {
    size_t lanes = attention_least(w->dim - column, PANEL);
    __m512i x[VW];
    for (size_t c = 0; c < VW; c++)
        x[c] = _mm512_castps_si512(c < lanes ? vf_mul(vf_load(sums + c * step, VW), factor) : vf_zero());
    transpose(x);
    for (size_t r = vector * VW; r < attention_least(rows_of(w), (vector + 1) * VW); r++) {
        size_t head = w->item->kv_head * w->group + r / w->n_queries;
        size_t token = w->item->first + w->item->begin + r % w->n_queries;
        size_t at = token * out->stride + head * w->dim + column;
        vf y = _mm512_castsi512_ps(x[r % VW]);
        if (out->type == ROWS_BF16)
            vf_store_bf16((uint16_t *)out->data + at, y, lanes);
        else
            vf_store((float *)out->data + at, y, lanes);
    }
}

static void finish(const struct attention_walk *w, const struct scratch *scratch, const struct rows_out *out) {
    for (size_t t = 0; t < n_tiles(w); t++) {
        size_t begin = tile_begin(w, t), end = tile_begin(w, t + 1), step = (end - begin) * VW;
        const float *sums = scratch->sums + begin * attention_round_up(w->dim, PANEL) * VW;
        for (size_t v = begin; v < end; v++) {
            vf weight = vf_load(scratch->weight + v * VW, VW);
            __mmask16 none = _mm512_cmp_ps_mask(weight, vf_zero(), _CMP_EQ_OQ);
            vf factor = _mm512_maskz_div_ps((__mmask16)~none, vf_set(1), weight);
            for (size_t c = 0; c < w->dim; c += PANEL)
                finish_panel(w, sums + c * step + (v - begin) * VW, step, v, c, factor, out);
        }
    }
}

void attention_vnni_run(const struct attention *attention, const struct attention_rows *rows,
                        const struct attention_item *item, void *scratch) {
    struct attention_walk w = attention_walk_of(attention, rows, item);
    struct scratch parts;
    size_t low, high;
    (void)lay_out(attention, scratch, &parts);
    start(&w, &parts);
    attention_visible(&w, item->begin, item->end, &low, &high);
    for (size_t block = low / 2 * 2; block < high; block += KEYS) {
        attention_plan(&w, attention_least(block + KEYS, high), low, high, KEYS);
        run_block(&w, &parts, block, attention_least(block + KEYS, high));
    }
    finish(&w, &parts, &rows->out);
}

#else

bool attention_vnni_serves(const struct attention *attention) {
    (void)attention;
    return false;
}

size_t attention_vnni_scratch_len(const struct attention *attention) {
    (void)attention;
    return 0;
}

void attention_vnni_run(const struct attention *attention, const struct attention_rows *rows,
                        const struct attention_item *item, void *scratch) {
    (void)rows;
    (void)item;
    (void)scratch;
    VSR_ASSERT(attention_vnni_serves(attention));
}

#endif
