/*
 * clock - monotonic and wall time. Any thread.
 */
#ifndef VSR_CORE_CLOCK_H
#define VSR_CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { CLOCK_RFC3339_LEN = 25 };

uint64_t clock_mono_ns(void);
uint64_t clock_mono_ms(void);
uint64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */

/* "2026-01-02T03:04:05.678Z", NUL-terminated. Returns `out`. */
const char *clock_rfc3339(uint64_t wall_ms, char out[static CLOCK_RFC3339_LEN]);

#endif
