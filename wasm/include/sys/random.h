/* random - getrandom() as Linux has it, over what wasi-libc has. */
#ifndef VSR_WASM_SYS_RANDOM_H
#define VSR_WASM_SYS_RANDOM_H

#include <sys/types.h>
#include <unistd.h>

enum { GRND_NONBLOCK = 1 }; /* nothing blocks */

static inline ssize_t getrandom(void *bytes, size_t len, unsigned flags) {
    (void)flags;
    return getentropy(bytes, len) == 0 ? (ssize_t)len : -1;
}

#endif
