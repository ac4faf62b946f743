/*
 * random - a small fast generator for jitter, load balancing and request ids. Not for secrets.
 *
 * xoshiro256** (Blackman, Vigna), seeded from the kernel. One per thread.
 */
#ifndef VSR_CORE_RANDOM_H
#define VSR_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { RANDOM_UUID_LEN = 36 };

struct random {
    uint64_t s[4];
};

void random_init(struct random *random);
uint64_t random_next(struct random *random);

/* A UUIDv7 (RFC 9562) of this wall-clock millisecond: 36 characters, no NUL. */
void random_uuid_v7(struct random *random, uint64_t wall_ms, char out[static RANDOM_UUID_LEN]);

#endif
