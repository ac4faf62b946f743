#include "nn/precision.h"

#include <math.h>

static const struct {
    const char *name;
    size_t len;
} dtypes[] = {
#define X(name, len) { #name, len },
    DTYPES(X)
#undef X
};

static const char *const precisions[] = { "f32", "bf16", "int8" };

const char *precision_name(enum precision precision) {
    return precisions[precision];
}

bool precision_named(vsr_str name, enum precision *ret_precision) {
    for (size_t i = 0; i < VSR_COUNT(precisions); i++) {
        if (!str_eq_c(name, precisions[i]))
            continue;
        *ret_precision = (enum precision)i;
        return true;
    }
    return false;
}

enum precision precision_default(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bf16"))
        return PRECISION_BF16;
#endif
    return PRECISION_F32;
}

const char *dtype_name(enum dtype dtype) {
    return dtypes[dtype].name;
}

bool dtype_named(vsr_str name, enum dtype *ret_dtype) {
    for (size_t i = 0; i < VSR_COUNT(dtypes); i++) {
        if (!str_eq_c(name, dtypes[i].name))
            continue;
        *ret_dtype = (enum dtype)i;
        return true;
    }
    return false;
}

size_t dtype_len(enum dtype dtype) {
    return dtypes[dtype].len;
}

/* ---- conversion; files are little-endian and need not be aligned */

/* Exact: f32 has every value of a float with fewer exponent and mantissa bits. */
static float small_float(uint32_t bits, unsigned exponent_bits, unsigned mantissa_bits, bool has_inf) {
    uint32_t sign = bits >> (exponent_bits + mantissa_bits) & 1;
    uint32_t exponent = bits >> mantissa_bits & ((1u << exponent_bits) - 1);
    uint32_t mantissa = bits & ((1u << mantissa_bits) - 1), top = (1u << exponent_bits) - 1;
    int bias = (1 << (exponent_bits - 1)) - 1;
    float value;
    if (exponent == top && has_inf)
        value = mantissa ? NAN : INFINITY;
    else if (exponent == top && mantissa == (1u << mantissa_bits) - 1)
        value = NAN; /* E4M3 gives up its infinities for one more binade; all ones remain NaN */
    else if (exponent == 0)
        value = ldexpf((float)mantissa, 1 - bias - (int)mantissa_bits);
    else
        value = ldexpf((float)(mantissa | 1u << mantissa_bits), (int)exponent - bias - (int)mantissa_bits);
    return sign ? -value : value;
}

#define CONVERT(type, expression) \
    for (size_t i = 0; i < n; i++) { \
        type x; \
        memcpy(&x, (const char *)from + i * sizeof(x), sizeof(x)); \
        ret[i] = (expression); \
    } \
    return true

bool dtype_to_f32(enum dtype dtype, const void *from, size_t n, float *ret) {
    switch (dtype) {
    case DTYPE_F32:
        if (n)
            memcpy(ret, from, n * sizeof(*ret));
        return true;
    case DTYPE_F64:
        CONVERT(double, (float)x);
    case DTYPE_F16:
        CONVERT(uint16_t, small_float(x, 5, 10, true));
    case DTYPE_BF16:
        CONVERT(uint16_t, bf16_to_f32(x));
    case DTYPE_F8_E4M3:
        CONVERT(uint8_t, small_float(x, 4, 3, false));
    case DTYPE_F8_E5M2:
        CONVERT(uint8_t, small_float(x, 5, 2, true));
    case DTYPE_I64:
        CONVERT(int64_t, (float)x);
    case DTYPE_I32:
        CONVERT(int32_t, (float)x);
    case DTYPE_I16:
        CONVERT(int16_t, (float)x);
    case DTYPE_I8:
        CONVERT(int8_t, (float)x);
    case DTYPE_U8:
        CONVERT(uint8_t, (float)x);
    case DTYPE_BOOL:
    case DTYPES_N:
        break;
    }
    return false;
}
