/*
 * cpu - which of our hand-written code this processor runs.
 *
 * Kernels exist once for each level below, compiled from the same source (nn/simd.h); the level is found once, by
 * CPUID, and what the operating system saves counts too. A result is the same on every processor of a level; between
 * levels it differs by rounding. Any thread.
 */
#ifndef VSR_NN_CPU_H
#define VSR_NN_CPU_H

#include <stdbool.h>

enum cpu_isa {
    CPU_PORTABLE, /* C with vectors of four floats: SSE2, NEON, or whatever the compiler makes of them */
    CPU_AVX2,     /* with FMA and F16C */
    CPU_AVX512,   /* F, BW, DQ, VL */
    CPU_ISAS_N,
};

/* The highest level that this processor has and cpu_isa_limit() leaves. */
enum cpu_isa cpu_isa(void);

/* Whether there are AVX-512's VNNI instructions beside CPU_AVX512, and cpu_isa_limit() leaves that. */
bool cpu_has_vnni(void);

/* Whether there are tiles of bytes (AMX-INT8), whatever the limit; their use is oneDNN's. */
bool cpu_has_amx_int8(void);

/* What the processor has, whatever the limit. */
enum cpu_isa cpu_isa_best(void);

/* For tests and measurements: no level past `highest` is used from now on. Calls in progress finish as they began. */
void cpu_isa_limit(enum cpu_isa highest);

/* "portable", "avx2", "avx512". */
const char *cpu_isa_name(enum cpu_isa isa);

#endif
