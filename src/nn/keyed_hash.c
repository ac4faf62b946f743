#include "nn/keyed_hash.h"

#include <pthread.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/assert.h"

enum { SECRET_LEN = XXH3_SECRET_DEFAULT_SIZE };

static unsigned char secret[SECRET_LEN];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void make_secret(void) {
    VSR_ASSERT(getrandom(secret, sizeof(secret), 0) == sizeof(secret)); /* up to 256 bytes never come in part */
}

struct keyed_hash keyed_hash(const void *data, size_t len) {
    XXH128_hash_t hash;
    pthread_once(&secret_once, make_secret);
    hash = XXH3_128bits_withSecret(data, len, secret, sizeof(secret));
    return (struct keyed_hash){ hash.low64, hash.high64 };
}
