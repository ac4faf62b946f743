#include "plugin/plugins.h"

#include <pthread.h>

#include "plugin/plugin.h"

/*
 * To add a plugin: write plugin/<name>.c that defines `plugin_<name>`, add it to PLUGINS in plugins.h, and write
 * documents with its mistakes, tests/fixtures/config/bad_parts/plugin_<name>*.yaml.
 */
#define X(name) extern const struct config_kind plugin_##name;
PLUGINS(X)
#undef X

#define X(name) +1
enum { N_KINDS = PLUGINS(X) };
#undef X

static struct config_kind kinds[N_KINDS];

static void copy_kinds(void) {
    size_t n = 0;
#define X(name) kinds[n++] = plugin_##name;
    PLUGINS(X)
#undef X
}

/* Configuration takes one array; descriptors live one per file. Copied together at the first call, constant from then
 * on. */
struct config_kinds plugin_kinds(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, copy_kinds);
    return (struct config_kinds){ kinds, N_KINDS };
}
