/* links: evidence */
/*
 * Any bytes as a file of vectors. What is accepted lies inside the bytes, and is made of numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/arena.h"
#include "core/assert.h"
#include "evidence/vector_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A checksum is the one thing that a fuzzer cannot find: it is put right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct arena *arena = arena_new(0, 0);
    char *bytes = arena_alloc(arena, len + 1);
    struct vector_set set;
    memcpy(bytes, data, len);
    if (len >= 8) {
        uint64_t sum = XXH3_64bits(bytes, len - 8);
        memcpy(bytes + len - 8, &sum, sizeof(sum));
    }
    if (vector_set_parse(arena, str_make(bytes, len), &set, NULL) == 0)
        for (size_t i = 0; i < set.n; i++) {
            const char *at = (const char *)set.entries[i].vector;
            VSR_ASSERT(at >= bytes && set.dims * sizeof(float) <= (size_t)(bytes + len - at));
            for (size_t d = 0; d < set.dims; d++)
                VSR_ASSERT(isfinite(set.entries[i].vector[d]));
        }
    arena_free(arena);
    return 0;
}
