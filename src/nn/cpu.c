#include "nn/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { UNKNOWN = -1 };

/* Writing the same value twice is harmless, so neither needs more than relaxed order. */
static _Atomic int best = UNKNOWN;
static _Atomic int vnni = UNKNOWN;
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

static bool detect_vnni(void) {
#if defined(__x86_64__)
    enum { VNNI = 1u << 11 }; /* leaf 7, ECX; not every compiler has a name for it */
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & VNNI);
#else
    return false;
#endif
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
    int found = atomic_load_explicit(&vnni, memory_order_relaxed);
    if (found == UNKNOWN) { /* asking the processor is slow where it is a virtual one */
        found = detect_vnni();
        atomic_store_explicit(&vnni, found, memory_order_relaxed);
    }
    return found && cpu_isa() >= CPU_AVX512;
}

void cpu_isa_limit(enum cpu_isa highest) {
    atomic_store_explicit(&limit, (int)highest, memory_order_relaxed);
}

const char *cpu_isa_name(enum cpu_isa isa) {
    static const char *const names[CPU_ISAS_N] = { "portable", "avx2", "avx512" };
    return names[isa];
}
