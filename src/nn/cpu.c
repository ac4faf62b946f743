#include "nn/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { UNKNOWN = -1 };

/* Writing the same value twice is harmless, so neither needs more than relaxed order. */
static _Atomic int best = UNKNOWN;
static _Atomic int units = UNKNOWN;
static _Atomic int limit = CPU_ISAS_N - 1;

#if defined(__x86_64__)
/* Not every compiler's __builtin_cpu_supports() knows the name. */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

static enum cpu_isa detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
        return CPU_PORTABLE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return CPU_AVX2;
    return CPU_AVX512;
#else
    return CPU_PORTABLE;
#endif
}

/* Beside the levels. */
enum { UNIT_VNNI = 1, UNIT_AMX_INT8 = 2 };

/* CPUID's leaf 7; not every compiler has names for the bits. */
static int detect_units(void) {
    int found = 0;
#if defined(__x86_64__)
    enum { ECX_VNNI = 1u << 11, EDX_AMX_INT8 = 1u << 25 };
    unsigned a, b, c, d;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        found = (c & ECX_VNNI ? UNIT_VNNI : 0) | (d & EDX_AMX_INT8 ? UNIT_AMX_INT8 : 0);
#endif
    return found;
}

/* Asking the processor is slow where it is a virtual one. */
static bool has_unit(int unit) {
    int found = atomic_load_explicit(&units, memory_order_relaxed);
    if (found == UNKNOWN) {
        found = detect_units();
        atomic_store_explicit(&units, found, memory_order_relaxed);
    }
    return found & unit;
}

enum cpu_isa cpu_isa_best(void) {
    int found = atomic_load_explicit(&best, memory_order_relaxed);
    if (found == UNKNOWN) {
        found = (int)detect();
        atomic_store_explicit(&best, found, memory_order_relaxed);
    }
    return (enum cpu_isa)found;
}

enum cpu_isa cpu_isa(void) {
    int has = (int)cpu_isa_best(), may = atomic_load_explicit(&limit, memory_order_relaxed);
    return (enum cpu_isa)(has < may ? has : may);
}

bool cpu_has_vnni(void) {
    return cpu_isa() >= CPU_AVX512 && has_unit(UNIT_VNNI);
}

bool cpu_has_amx_int8(void) {
    return has_unit(UNIT_AMX_INT8);
}

void cpu_isa_limit(enum cpu_isa highest) {
    atomic_store_explicit(&limit, (int)highest, memory_order_relaxed);
}

const char *cpu_isa_name(enum cpu_isa isa) {
    static const char *const names[CPU_ISAS_N] = { "portable", "avx2", "avx512" };
    return names[isa];
}
