#include "core/mem.h"

#include <stdlib.h>

#include "core/assert.h"

void *mem_alloc(size_t len) {
    void *ptr = calloc(1, len ? len : 1);
    if (!ptr)
        vsr_out_of_memory(len);
    return ptr;
}

void *mem_try_realloc(void *old, size_t len) {
    return realloc(old, len ? len : 1);
}

void mem_free(void *ptr) {
    free(ptr);
}
