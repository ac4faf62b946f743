#include "nn/tensor_hash.h"

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

/* The three parts are hashed apart and the results together, so that no part can flow into the next. */
struct tensor_hash tensor_hash(const struct tensor *tensor) {
    struct {
        uint64_t dtype, n_dims, dims[TENSOR_DIMS_MAX], data_low, data_high;
    } parts = { .dtype = tensor->dtype, .n_dims = tensor->n_dims };
    XXH128_hash_t hash;
    pthread_once(&secret_once, make_secret);
    for (size_t i = 0; i < tensor->n_dims; i++)
        parts.dims[i] = tensor->dims[i];
    hash = XXH3_128bits_withSecret(tensor->data, tensor->len, secret, sizeof(secret));
    parts.data_low = hash.low64;
    parts.data_high = hash.high64;
    hash = XXH3_128bits_withSecret(&parts, sizeof(parts), secret, sizeof(secret));
    return (struct tensor_hash){ hash.low64, hash.high64 };
}
