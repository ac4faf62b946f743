#include <pthread.h>

#include "select/selector.h"
#include "select/selectors.h"

/*
 * To add a selector: write select/<name>.c that defines `selector_<name>`, add it to SELECTORS in selectors.h, and
 * write documents with its mistakes, tests/fixtures/config/bad_parts/algorithm_<name>*.yaml.
 */
#define X(name) extern const struct config_kind selector_##name;
SELECTORS(X)
#undef X

/* Those without a block: there is nothing to say about them. */
static const struct config_kind plain[] = {
    { .type = "static", .ready = true }, { .type = "knn" }, { .type = "kmeans" }, { .type = "svm" }, { .type = "mlp" },
};

#define X(name) +1
enum { N_KINDS = VSR_COUNT(plain) SELECTORS(X) };
#undef X

static struct config_kind kinds[N_KINDS];

static void copy_kinds(void) {
    size_t n = 0;
    for (size_t i = 0; i < VSR_COUNT(plain); i++)
        kinds[n++] = plain[i];
#define X(name) kinds[n++] = selector_##name;
    SELECTORS(X)
#undef X
}

/* Configuration takes one array; descriptors live one per file. Copied together at the first call, constant from then
 * on. */
struct config_kinds select_kinds(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, copy_kinds);
    return (struct config_kinds){ kinds, N_KINDS };
}
