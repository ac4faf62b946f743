#include "core/assert.h"

#include <stdio.h>
#include <stdlib.h>

void vsr_assert_failed(const char *expr, const char *file, int line) {
    (void)fprintf(stderr, "vsr: %s:%d: assertion failed: %s\n", file, line, expr);
    abort();
}

void vsr_out_of_memory(size_t len) {
    (void)fprintf(stderr, "vsr: out of memory (%zu bytes wanted)\n", len);
    abort();
}
