/*
 * simd - vectors of floats under one set of names, so that a kernel is written once and compiled for each level of
 * cpu.h.
 *
 * A file <noun>_portable.c, _avx2.c or _avx512.c includes <noun>_body.h; CMakeLists.txt gives the last two the
 * compiler's flags, and what those define chooses the half of this header that counts. Nothing here may be seen by
 * other files.
 *
 * Loads and stores need no alignment and take a number of lanes `n`, 1 to VW: at a compile-time VW they are the plain
 * instruction, below it lanes past `n` are neither read nor written, and read as 0. LANES() makes both from one body.
 *
 * vf_max(a, b) and vf_min(a, b) are `b` where either is NaN, as the x86 instructions are: put what may be NaN second.
 */
#ifndef VSR_NN_SIMD_H
#define VSR_NN_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/str.h"
#include "nn/cpu.h"
#include "nn/precision.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define SIMD static inline __attribute__((always_inline, unused))

/* Before a loop of few iterations whose number the compiler knows. */
#if defined(__clang__)
#define SIMD_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SIMD_UNROLL _Pragma("GCC unroll 32")
#endif

/* Runs the statements for i = 0, VW, 2 VW, ... with n = VW lanes, and once more for what is left. */
#define LANES(count, ...) \
    do { \
        size_t i = 0; \
        for (; i + VW <= (count); i += VW) { \
            enum { n = VW }; \
            __VA_ARGS__ \
        } \
        if (i < (count)) { \
            const size_t n = (count)-i; \
            __VA_ARGS__ \
        } \
    } while (0)

/*
 * From 0 on, takes `term`, an expression of `sum`, `i` and `n`, for `sum` over all lanes: four of them for speed, which
 * `join` makes one in a fixed order. Lanes past the end must leave `sum` as it is.
 */
#define REDUCE_LANES(join, count, term) \
    ({ \
        vf sums_[4] = { vf_zero(), vf_zero(), vf_zero(), vf_zero() }; \
        size_t i = 0; \
        while (i + (size_t)4 * VW <= (count)) { \
            enum { n = VW }; \
            SIMD_UNROLL \
            for (int k_ = 0; k_ < 4; k_++, i += VW) { \
                vf sum = sums_[k_]; \
                sums_[k_] = (term); \
            } \
        } \
        for (; i < (count); i += VW) { \
            const size_t n = (count)-i < VW ? (count)-i : VW; \
            vf sum = sums_[0]; \
            sums_[0] = (term); \
        } \
        join(join(sums_[0], sums_[1]), join(sums_[2], sums_[3])); \
    })
#define SUM_LANES(count, term) REDUCE_LANES(vf_add, count, term)

#if defined(__AVX512F__)

#define SIMD_ISA CPU_AVX512
#define SIMD_NAME(name) name##_avx512
typedef __m512 vf;
typedef __mmask16 vm;
enum { VW = 16 };

SIMD __mmask16 vm_first(size_t n) {
    return (__mmask16)((1u << n) - 1);
}
SIMD vf vf_set(float x) {
    return _mm512_set1_ps(x);
}
SIMD vf vf_load(const float *p, size_t n) {
    return n == VW ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(vm_first(n), p);
}
SIMD void vf_store(float *p, vf x, size_t n) {
    if (n == VW)
        _mm512_storeu_ps(p, x);
    else
        _mm512_mask_storeu_ps(p, vm_first(n), x);
}
/* 0 past the first `n` lanes. */
SIMD vf vf_cut(vf x, size_t n) {
    return n == VW ? x : _mm512_maskz_mov_ps(vm_first(n), x);
}
SIMD vf vf_add(vf a, vf b) {
    return _mm512_add_ps(a, b);
}
SIMD vf vf_sub(vf a, vf b) {
    return _mm512_sub_ps(a, b);
}
SIMD vf vf_mul(vf a, vf b) {
    return _mm512_mul_ps(a, b);
}
SIMD vf vf_div(vf a, vf b) {
    return _mm512_div_ps(a, b);
}
/* a * b + c */
SIMD vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}
/* c - a * b */
SIMD vf vf_fnma(vf a, vf b, vf c) {
    return _mm512_fnmadd_ps(a, b, c);
}
SIMD vf vf_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}
SIMD vf vf_min(vf a, vf b) {
    return _mm512_min_ps(a, b);
}
SIMD vf vf_abs(vf a) {
    return _mm512_abs_ps(a);
}
/* The greater of two numbers from 0 on; NaN is greater than all. */
SIMD vf vf_max_nan(vf a, vf b) {
    return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
/* To the nearest whole number, ties to even. */
SIMD vf vf_round(vf a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
SIMD vm vf_less(vf a, vf b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
SIMD vf vf_select(vm mask, vf yes, vf no) {
    return _mm512_mask_blend_ps(mask, no, yes);
}
/* x * 2^n for a whole n <= 128, 0 where `tiny`. */
SIMD vf vf_scale2(vf x, vf n, vm tiny) {
    return _mm512_maskz_scalef_ps((__mmask16)~tiny, x, n);
}
SIMD float vf_sum(vf x) {
    return _mm512_reduce_add_ps(x);
}
SIMD float vf_top(vf x) {
    return _mm512_reduce_max_ps(x);
}
SIMD vf vf_load_bf16(const uint16_t *p, size_t n) {
    __m256i h = n == VW ? _mm256_loadu_si256((const void *)p) : _mm256_maskz_loadu_epi16(vm_first(n), p);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
SIMD void vf_store_bf16(uint16_t *p, vf x, size_t n) {
    __m512i bits = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    __m256i h;
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    h = _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
    if (n == VW)
        _mm256_storeu_si256((void *)p, h);
    else
        _mm256_mask_storeu_epi16(p, vm_first(n), h);
}
SIMD vf vf_load_s8(const int8_t *p, size_t n) {
    __m128i b = n == VW ? _mm_loadu_si128((const void *)p) : _mm_maskz_loadu_epi8(vm_first(n), p);
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(b));
}
/* (float)(p[] - minus[]) */
SIMD vf vf_load_s32_minus(const int32_t *p, const int32_t *minus, size_t n) {
    __m512i a = _mm512_maskz_loadu_epi32(vm_first(n), p), b = _mm512_maskz_loadu_epi32(vm_first(n), minus);
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(a, b));
}
/* x rounded to the nearest whole number, plus 128; within -128 to 127. */
SIMD void vf_store_u8(uint8_t *p, vf x, size_t n) {
    __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(128));
    __m128i b = _mm512_cvtepi32_epi8(q);
    if (n == VW)
        _mm_storeu_si128((void *)p, b);
    else
        _mm_mask_storeu_epi8(p, vm_first(n), b);
}
/* The same of four whole vectors. Packing leaves dword l of each in quarter l. */
SIMD void vf_store_u8_four(uint8_t *p, vf a, vf b, vf c, vf d) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i ab = _mm512_packs_epi32(_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b));
    __m512i cd = _mm512_packs_epi32(_mm512_cvtps_epi32(c), _mm512_cvtps_epi32(d));
    __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(ab, cd));
    _mm512_storeu_si512(p, _mm512_xor_si512(bytes, _mm512_set1_epi8((char)0x80)));
}
/* p[index[]] */
SIMD vf vf_gather(const float *p, const int32_t *index, size_t n) {
    __mmask16 mask = vm_first(n);
    __m512i at = _mm512_maskz_loadu_epi32(mask, index);
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, at, p, 4);
}
/* p[index[i] + i * stride] */
SIMD vf vf_gather_step(const float *p, const int32_t *index, int32_t stride, size_t n) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __mmask16 mask = vm_first(n);
    __m512i at =
        _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, index), _mm512_mullo_epi32(lane, _mm512_set1_epi32(stride)));
    return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask, at, p, 4);
}
/* Lanes from `low` up to `high` (exclusive; both 0 to VW) as they are, -inf elsewhere. */
SIMD vf vf_keep(vf x, size_t low, size_t high) {
    if (low == 0 && high == VW)
        return x;
    __mmask16 mask = (__mmask16)(((1u << high) - 1) & ~((1u << low) - 1));
    return _mm512_mask_blend_ps(mask, _mm512_set1_ps(-INFINITY), x);
}
SIMD float vf_first(vf x) {
    return _mm512_cvtss_f32(x);
}
/* Four numbers from each of VW / 4 places, `step` apart. */
SIMD vf vf_load_quads(const float *p, size_t step) {
    __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(p));
    x = _mm512_insertf32x4(x, _mm_loadu_ps(p + step), 1);
    x = _mm512_insertf32x4(x, _mm_loadu_ps(p + 2 * step), 2);
    return _mm512_insertf32x4(x, _mm_loadu_ps(p + 3 * step), 3);
}
/* Each quad of x[j] is a row of a 4 x 4 matrix; transposes all these matrices. */
SIMD void vf_transpose_quads(vf x[4]) {
    __m512 a = _mm512_unpacklo_ps(x[0], x[1]), b = _mm512_unpackhi_ps(x[0], x[1]);
    __m512 c = _mm512_unpacklo_ps(x[2], x[3]), d = _mm512_unpackhi_ps(x[2], x[3]);
    x[0] = _mm512_shuffle_ps(a, c, 0x44);
    x[1] = _mm512_shuffle_ps(a, c, 0xee);
    x[2] = _mm512_shuffle_ps(b, d, 0x44);
    x[3] = _mm512_shuffle_ps(b, d, 0xee);
}

#elif defined(__AVX2__)

#define SIMD_ISA CPU_AVX2
#define SIMD_NAME(name) name##_avx2
typedef __m256 vf;
typedef __m256 vm;
enum { VW = 8 };

SIMD __m256i vm_first(size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}
SIMD vf vf_set(float x) {
    return _mm256_set1_ps(x);
}
SIMD vf vf_load(const float *p, size_t n) {
    return n == VW ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, vm_first(n));
}
SIMD void vf_store(float *p, vf x, size_t n) {
    if (n == VW)
        _mm256_storeu_ps(p, x);
    else
        _mm256_maskstore_ps(p, vm_first(n), x);
}
SIMD vf vf_cut(vf x, size_t n) {
    return n == VW ? x : _mm256_and_ps(x, _mm256_castsi256_ps(vm_first(n)));
}
SIMD vf vf_add(vf a, vf b) {
    return _mm256_add_ps(a, b);
}
SIMD vf vf_sub(vf a, vf b) {
    return _mm256_sub_ps(a, b);
}
SIMD vf vf_mul(vf a, vf b) {
    return _mm256_mul_ps(a, b);
}
SIMD vf vf_div(vf a, vf b) {
    return _mm256_div_ps(a, b);
}
SIMD vf vf_fma(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}
SIMD vf vf_fnma(vf a, vf b, vf c) {
    return _mm256_fnmadd_ps(a, b, c);
}
SIMD vf vf_max(vf a, vf b) {
    return _mm256_max_ps(a, b);
}
SIMD vf vf_min(vf a, vf b) {
    return _mm256_min_ps(a, b);
}
SIMD vf vf_abs(vf a) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
SIMD vf vf_max_nan(vf a, vf b) {
    return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
SIMD vf vf_round(vf a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
SIMD vm vf_less(vf a, vf b) {
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
SIMD vf vf_select(vm mask, vf yes, vf no) {
    return _mm256_blendv_ps(no, yes, mask);
}
SIMD vf vf_scale2(vf x, vf n, vm tiny) {
    __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_andnot_ps(tiny, _mm256_mul_ps(x, _mm256_castsi256_ps(exponent)));
}
SIMD float vf_sum(vf x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
SIMD float vf_top(vf x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
SIMD vf vf_load_bf16(const uint16_t *p, size_t n) {
    uint16_t few[VW] = { 0 };
    if (n != VW) {
        memcpy(few, p, n * sizeof(*p));
        p = few;
    }
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p)), 16));
}
SIMD void vf_store_bf16(uint16_t *p, vf x, size_t n) {
    __m256i bits = _mm256_castps_si256(x), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    __m128i h;
    rounded = _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet), _mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
    rounded = _mm256_srli_epi32(rounded, 16);
    h = _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    if (n == VW) {
        _mm_storeu_si128((void *)p, h);
    } else {
        uint16_t few[VW];
        _mm_storeu_si128((void *)few, h);
        memcpy(p, few, n * sizeof(*p));
    }
}
SIMD vf vf_load_s8(const int8_t *p, size_t n) {
    int8_t few[VW] = { 0 };
    memcpy(few, p, n);
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)few)));
}
SIMD vf vf_load_s32_minus(const int32_t *p, const int32_t *minus, size_t n) {
    __m256i mask = vm_first(n), a = _mm256_maskload_epi32(p, mask), b = _mm256_maskload_epi32(minus, mask);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(a, b));
}
SIMD void vf_store_u8(uint8_t *p, vf x, size_t n) {
    __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(128));
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    uint8_t few[16];
    _mm_storeu_si128((void *)few, _mm_packus_epi16(words, words));
    memcpy(p, few, n);
}
SIMD vf vf_gather(const float *p, const int32_t *index, size_t n) {
    __m256i mask = vm_first(n);
    return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, _mm256_maskload_epi32(index, mask),
                                    _mm256_castsi256_ps(mask), 4);
}
SIMD vf vf_gather_step(const float *p, const int32_t *index, int32_t stride, size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i mask = vm_first(n);
    __m256i at =
        _mm256_add_epi32(_mm256_maskload_epi32(index, mask), _mm256_mullo_epi32(lane, _mm256_set1_epi32(stride)));
    return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, at, _mm256_castsi256_ps(mask), 4);
}
SIMD vf vf_keep(vf x, size_t low, size_t high) {
    if (low == 0 && high == VW)
        return x;
    __m256i inside = _mm256_andnot_si256(vm_first(low), vm_first(high));
    return _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), x, _mm256_castsi256_ps(inside));
}
SIMD float vf_first(vf x) {
    return _mm256_cvtss_f32(x);
}
SIMD vf vf_load_quads(const float *p, size_t step) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + step), 1);
}
SIMD void vf_transpose_quads(vf x[4]) {
    __m256 a = _mm256_unpacklo_ps(x[0], x[1]), b = _mm256_unpackhi_ps(x[0], x[1]);
    __m256 c = _mm256_unpacklo_ps(x[2], x[3]), d = _mm256_unpackhi_ps(x[2], x[3]);
    x[0] = _mm256_shuffle_ps(a, c, 0x44);
    x[1] = _mm256_shuffle_ps(a, c, 0xee);
    x[2] = _mm256_shuffle_ps(b, d, 0x44);
    x[3] = _mm256_shuffle_ps(b, d, 0xee);
}

#else

#define SIMD_ISA CPU_PORTABLE
#define SIMD_NAME(name) name##_portable
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16)));
enum { VW = 4 };

SIMD vf vf_set(float x) {
    return (vf){ x, x, x, x };
}
SIMD vf vf_load(const float *p, size_t n) {
    vf x = { 0 };
    memcpy(&x, p, n == VW ? sizeof(x) : n * sizeof(*p));
    return x;
}
SIMD void vf_store(float *p, vf x, size_t n) {
    memcpy(p, &x, n == VW ? sizeof(x) : n * sizeof(*p));
}
SIMD vf vf_cut(vf x, size_t n) {
    vf y = { 0 };
    memcpy(&y, &x, n == VW ? sizeof(x) : n * sizeof(float));
    return y;
}
SIMD vf vf_add(vf a, vf b) {
    return a + b;
}
SIMD vf vf_sub(vf a, vf b) {
    return a - b;
}
SIMD vf vf_mul(vf a, vf b) {
    return a * b;
}
SIMD vf vf_div(vf a, vf b) {
    return a / b;
}
/* With two roundings where the processor has no such instruction in its base set. */
SIMD vf vf_fma(vf a, vf b, vf c) {
#if defined(__aarch64__)
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}
SIMD vf vf_fnma(vf a, vf b, vf c) {
#if defined(__aarch64__)
    return (vf)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return c - a * b;
#endif
}
SIMD vf vf_select(vm mask, vf yes, vf no) {
    return (vf)((mask & (vm)yes) | (~mask & (vm)no));
}
SIMD vf vf_max(vf a, vf b) {
    return vf_select(a > b, a, b);
}
SIMD vf vf_min(vf a, vf b) {
    return vf_select(a < b, a, b);
}
SIMD vf vf_abs(vf a) {
    return (vf)((vm)a & 0x7fffffff);
}
SIMD vf vf_max_nan(vf a, vf b) {
    return vf_select((vm)a > (vm)b, a, b);
}
/* Adding 1.5 * 2^23 leaves no bits for a fraction. Exact below 2^22; beyond 2^23 there is nothing to round. */
SIMD vf vf_round(vf a) {
    const vf magic = { 0x1.8p23f, 0x1.8p23f, 0x1.8p23f, 0x1.8p23f };
    return vf_select(vf_abs(a) < 0x1p22f, (a + magic) - magic, a);
}
SIMD vm vf_less(vf a, vf b) {
    return a < b;
}
SIMD vf vf_scale2(vf x, vf n, vm tiny) {
    const vf lowest = { -127, -127, -127, -127 };
    vm exponent = __builtin_convertvector(vf_max(lowest, n), vm) + 127; /* where n is less, `tiny` is set */
    return (vf)(~tiny & (vm)(x * (vf)(exponent << 23)));
}
SIMD float vf_sum(vf x) {
    return (x[0] + x[2]) + (x[1] + x[3]);
}
SIMD float vf_top(vf x) {
    float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
    return a > b ? a : b;
}
SIMD vf vf_load_bf16(const uint16_t *p, size_t n) {
    vf x = { 0 };
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, p + i, sizeof(half));
        x[i] = bf16_to_f32(half);
    }
    return x;
}
SIMD void vf_store_bf16(uint16_t *p, vf x, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] = bf16_from_f32(x[i]);
}
SIMD vf vf_load_s8(const int8_t *p, size_t n) {
    vf x = { 0 };
    for (size_t i = 0; i < n; i++)
        x[i] = p[i];
    return x;
}
SIMD vf vf_load_s32_minus(const int32_t *p, const int32_t *minus, size_t n) {
    vm a = { 0 }, b = { 0 };
    memcpy(&a, p, n * sizeof(*p));
    memcpy(&b, minus, n * sizeof(*minus));
    return __builtin_convertvector(a - b, vf);
}
SIMD void vf_store_u8(uint8_t *p, vf x, size_t n) {
    const vf center = { 128, 128, 128, 128 };
    vm q = __builtin_convertvector(vf_round(x) + center, vm);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)q[i];
}
SIMD vf vf_gather(const float *p, const int32_t *index, size_t n) {
    vf x = { 0 };
    for (size_t i = 0; i < n; i++)
        x[i] = p[index[i]];
    return x;
}
SIMD vf vf_gather_step(const float *p, const int32_t *index, int32_t stride, size_t n) {
    vf x = { 0 };
    for (size_t i = 0; i < n; i++)
        x[i] = p[index[i] + (int32_t)i * stride];
    return x;
}
SIMD vf vf_keep(vf x, size_t low, size_t high) {
    if (low == 0 && high == VW)
        return x;
    for (size_t i = 0; i < VW; i++)
        x[i] = i >= low && i < high ? x[i] : -INFINITY;
    return x;
}
SIMD float vf_first(vf x) {
    return x[0];
}
SIMD vf vf_load_quads(const float *p, size_t step) {
    (void)step;
    return vf_load(p, VW);
}
SIMD void vf_transpose_quads(vf x[4]) {
    vf a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    vf c = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    x[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    x[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    x[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    x[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

#endif

/* ---- functions of real numbers; coefficients are minimax fits, errors measured over all of the range */

SIMD vf vf_zero(void) {
    return vf_set(0);
}

#if !defined(__AVX512F__)
SIMD void vf_store_u8_four(uint8_t *p, vf a, vf b, vf c, vf d) {
    vf_store_u8(p, a, VW);
    vf_store_u8(p + VW, b, VW);
    vf_store_u8(p + 2 * VW, c, VW);
    vf_store_u8(p + 3 * VW, d, VW);
}
#endif

/* c[0] + c[1] x + c[2] x^2 + ... */
SIMD vf vf_polynomial(vf x, const float *c, int degree) {
    vf sum = vf_set(c[degree]);
    SIMD_UNROLL
    for (int k = degree - 1; k >= 0; k--)
        sum = vf_fma(sum, x, vf_set(c[k]));
    return sum;
}

/* The same for an odd degree, in even and odd powers: two short chains wait less than a long one. */
SIMD vf vf_polynomial_halves(vf x, const float *c, int degree) {
    vf square = vf_mul(x, x), even = vf_set(c[degree - 1]), odd = vf_set(c[degree]);
    SIMD_UNROLL
    for (int k = degree - 3; k >= 0; k -= 2) {
        even = vf_fma(even, square, vf_set(c[k]));
        odd = vf_fma(odd, square, vf_set(c[k + 1]));
    }
    return vf_fma(odd, x, even);
}

/* e^x within 2 units in the last place; 0 below 2^-126, infinity from 88.38 on. */
SIMD vf vf_exp(vf x) {
    static const float c[] = { 1, 1, 0.49999994f, 0.16666521f, 0.04166839f, 0.008368716f, 0.0013814602f };
    vf n, r;
    x = vf_min(vf_set(88.8f), x); /* whose n is 128, which makes infinity */
    n = vf_round(vf_mul(x, vf_set(0x1.715476p0f)));
    r = vf_fnma(n, vf_set(0x1.62ep-1f), x); /* ln 2 in two parts, the first short enough for an exact product */
    r = vf_fnma(n, vf_set(0x1.0bfbe8p-15f), r);
    return vf_scale2(vf_polynomial(r, c, (int)VSR_COUNT(c) - 1), n, vf_less(x, vf_set(-87.33654f)));
}

/* 2^x for x <= 0 within 2 units in the last place, exactly 1 at 0; 0 below 2^-126. */
SIMD vf vf_exp2_negative(vf x) {
    static const float c[] = { 1, 0.693147f, 0.24022242f, 0.055507336f, 0.009671513f, 0.0013264727f };
    vf n = vf_round(x), r = vf_sub(x, n);
    return vf_scale2(vf_polynomial(r, c, (int)VSR_COUNT(c) - 1), n, vf_less(x, vf_set(-126)));
}

SIMD vf vf_sigmoid(vf x) {
    return vf_div(vf_set(1), vf_add(vf_set(1), vf_exp(vf_sub(vf_zero(), x))));
}

/*
 * erf(x / sqrt 2) within 3e-7, exactly 1 or -1 from |x| = 5.3 on. It is x times a function of x * x, which has no
 * singularity: one polynomial serves the whole range, in a variable that runs from -1 to 1 so that the terms stay
 * small.
 */
SIMD vf vf_erf_half(vf x) {
    static const float c[] = { 0.26678512f,  -0.13303688f,  0.09852897f,    -0.079183266f,  0.06414751f,  -0.050533615f,
                               0.03792857f,  -0.02669292f,  0.017414575f,   -0.010858179f,  0.006656795f, -0.00336328f,
                               0.001159225f, -0.000701177f, 0.00066110585f, -0.00023333059f };
    const float range = 28.09f; /* 5.3^2 */
    _Static_assert(VSR_COUNT(c) % 2 == 0, "the degree is odd, as vf_polynomial_halves() takes it");
    vf u = vf_fma(vf_min(vf_set(range), vf_mul(x, x)), vf_set(2 / range), vf_set(-1));
    vf y = vf_mul(x, vf_polynomial_halves(u, c, (int)VSR_COUNT(c) - 1));
    return vf_max(vf_set(-1), vf_min(vf_set(1), y));
}

SIMD vf vf_gelu(vf x) {
    vf half = vf_mul(x, vf_set(0.5f));
    return vf_fma(half, vf_erf_half(x), half);
}

/* x (1 + tanh z) / 2 = x / (1 + e^-2z) */
SIMD vf vf_gelu_tanh(vf x) {
    vf minus_2z = vf_mul(vf_mul(x, vf_set(-1.5957691216057308f)), vf_fma(vf_mul(x, x), vf_set(0.044715f), vf_set(1)));
    return vf_div(x, vf_add(vf_set(1), vf_exp(minus_2z)));
}

SIMD vf vf_silu(vf x) {
    return vf_div(x, vf_add(vf_set(1), vf_exp(vf_sub(vf_zero(), x))));
}

SIMD vf vf_quick_gelu(vf x) {
    return vf_div(x, vf_add(vf_set(1), vf_exp(vf_mul(vf_set(-1.702f), x))));
}

SIMD vf vf_relu(vf x) {
    return vf_max(vf_zero(), x);
}

SIMD vf vf_tanh(vf x) {
    static const float c[] = { -0.3333326f, 0.1333083f, -0.053688023f, 0.020469418f, -0.005515162f };
    vf size = vf_abs(x), square = vf_mul(x, x);
    vf near = vf_fma(vf_mul(x, square), vf_polynomial(square, c, (int)VSR_COUNT(c) - 1), x);
    vf far = vf_sub(vf_set(1), vf_div(vf_set(2), vf_add(vf_exp(vf_add(size, size)), vf_set(1))));
    far = vf_select(vf_less(x, vf_zero()), vf_sub(vf_zero(), far), far);
    return vf_select(vf_less(size, vf_set(0.625f)), near, far);
}

#endif
