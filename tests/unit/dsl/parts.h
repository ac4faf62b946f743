/*
 * parts - the tables of all signals, algorithms and plugins, as the program hands them to the language, and the
 * language over them.
 */
#ifndef VSR_TESTS_DSL_PARTS_H
#define VSR_TESTS_DSL_PARTS_H

#include "config/document.h"
#include "core/arena.h"
#include "core/assert.h"
#include "dsl/language.h"
#include "looper/looper.h"
#include "plugin/plugin.h"
#include "route/route.h"
#include "route/text_fault.h"
#include "select/selector.h"

static inline const struct config_parts *dsl_parts(void) {
    static struct config_kind algorithms[CONFIG_ALGORITHMS_MAX];
    static struct config_parts parts;
    struct config_kinds selectors = select_kinds(), loopers = looper_kinds();
    VSR_ASSERT(selectors.n + loopers.n <= CONFIG_ALGORITHMS_MAX);
    for (size_t i = 0; i < selectors.n; i++)
        algorithms[i] = selectors.items[i];
    for (size_t i = 0; i < loopers.n; i++)
        algorithms[selectors.n + i] = loopers.items[i];
    parts = (struct config_parts){ .families = route_families(),
                                   .algorithms = { algorithms, selectors.n + loopers.n },
                                   .plugins = plugin_kinds(),
                                   .text_fault = route_text_fault,
                                   .try_build = route_try_build };
    return &parts;
}

/* Built once, for as long as the process lives. */
static inline const struct language *dsl_language(void) {
    static const struct language *language;
    static struct arena *arena;
    if (!language) {
        arena = arena_new(0, 0);
        language = language_build(arena, dsl_parts());
    }
    return language;
}

#endif
