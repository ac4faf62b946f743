#include "core/random.h"

#include <sys/random.h>

#include "core/clock.h"

static uint64_t rotl(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

void random_init(struct random *random) {
    ssize_t got = getrandom(random->s, sizeof(random->s), 0);
    if (got != (ssize_t)sizeof(random->s)) { /* no entropy source: the clock is enough for jitter */
        for (size_t i = 0; i < 4; i++)
            random->s[i] = clock_mono_ns() * 0x9e3779b97f4a7c15u + i;
    }
    random->s[0] |= 1; /* the all-zero state never leaves itself */
}

uint64_t random_next(struct random *random) {
    uint64_t *s = random->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

void random_uuid_v7(struct random *random, uint64_t wall_ms, char out[static RANDOM_UUID_LEN]) {
    static const char hex[] = "0123456789abcdef";
    uint64_t high = (wall_ms << 16) | 0x7000u | (random_next(random) & 0x0fffu);
    uint64_t low = (random_next(random) & 0x3fffffffffffffffu) | 0x8000000000000000u;
    size_t at = 0;
    for (int nibble = 0; nibble < 32; nibble++) {
        uint64_t word = nibble < 16 ? high : low;
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20)
            out[at++] = '-';
        out[at++] = hex[(word >> (60 - 4 * (nibble % 16))) & 15];
    }
}
