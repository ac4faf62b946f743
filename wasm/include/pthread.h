/* pthread - what vsr's sources use of threads when there is one alone; wasi-libc has no such header. */
#ifndef VSR_WASM_PTHREAD_H
#define VSR_WASM_PTHREAD_H

#include <stdbool.h>

typedef bool pthread_once_t;
#define PTHREAD_ONCE_INIT false

static inline int pthread_once(pthread_once_t *once, void (*run)(void)) {
    if (!*once)
        run();
    *once = true;
    return 0;
}

#endif
