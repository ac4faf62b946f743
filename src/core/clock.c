#include "core/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_ns(clockid_t id) {
    struct timespec now;
    (void)clock_gettime(id, &now); /* cannot fail for these clocks */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ns(void) {
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void) {
    return clock_mono_ns() / 1000000u;
}

uint64_t clock_wall_ms(void) {
    return read_ns(CLOCK_REALTIME) / 1000000u;
}

const char *clock_rfc3339(uint64_t wall_ms, char out[static CLOCK_RFC3339_LEN]) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char day[20];
    (void)gmtime_r(&seconds, &utc); /* fails only past the year 2^31 */
    (void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out, CLOCK_RFC3339_LEN, "%s.%03uZ", day, (unsigned)(wall_ms % 1000));
    return out;
}
