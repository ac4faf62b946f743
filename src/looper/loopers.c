#include "looper/loopers.h"

#include <pthread.h>

#include "looper/looper.h"

/*
 * To add a looper: write looper/<name>.c that defines `looper_<name>`, add it to LOOPERS in loopers.h, and write
 * documents with its mistakes, tests/fixtures/config/bad_parts/algorithm_<name>*.yaml.
 */
#define X(name) extern const struct config_kind looper_##name;
LOOPERS(X)
#undef X

#define X(name) +1
enum { N_KINDS = LOOPERS(X) };
#undef X

static struct config_kind kinds[N_KINDS];

static void copy_kinds(void) {
    size_t n = 0;
#define X(name) kinds[n++] = looper_##name;
    LOOPERS(X)
#undef X
}

/* Configuration takes one array; descriptors live one per file. Copied together at the first call, constant from then
 * on. */
struct config_kinds looper_kinds(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, copy_kinds);
    return (struct config_kinds){ kinds, N_KINDS };
}
