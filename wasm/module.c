/*
 * module - what vsr-dsl.wasm exports: the functions of dsl/editor.h, one text in, one JSON text out.
 *
 * The host asks for room with vsrInput(), writes UTF-8 there, calls a function with the length of what it wrote, reads
 * as many bytes as the function says from vsrAnswer(), and gives both texts back with vsrRelease(). Nothing else is
 * kept between two calls but the tables of the language, which the first one builds.
 */
#include "config/document.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/mem.h"
#include "dsl/editor.h"
#include "dsl/language.h"
#include "looper/looper.h"
#include "plugin/plugin.h"
#include "route/text_fault.h"
#include "select/selector.h"
#include "signal/family.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static char *input;
static struct buf answer;

/* ---- the language */

/* In the order of the program's own: selectors, then loopers. */
static struct config_kinds algorithms(void) {
    static struct config_kind kinds[CONFIG_ALGORITHMS_MAX];
    struct config_kinds selectors = select_kinds(), loopers = looper_kinds();
    VSR_ASSERT(selectors.n + loopers.n <= VSR_COUNT(kinds));
    for (size_t i = 0; i < selectors.n; i++)
        kinds[i] = selectors.items[i];
    for (size_t i = 0; i < loopers.n; i++)
        kinds[selectors.n + i] = loopers.items[i];
    return (struct config_kinds){ kinds, selectors.n + loopers.n };
}

static struct config_families families(void) {
    static struct config_family configs[CONFIG_FAMILIES_MAX];
    size_t n;
    const struct signal_family *const *all = signal_families(&n);
    for (size_t i = 0; i < n; i++)
        configs[i] = all[i]->config;
    return (struct config_families){ configs, n };
}

static const struct language *language(void) {
    static const struct language *built;
    static struct config_parts parts;
    if (!built) {
        parts = (struct config_parts){ families(), algorithms(), plugin_kinds(), .text_fault = route_text_fault };
        built = language_build(arena_new(0, 0), &parts);
    }
    return built;
}

/* ---- exports */

/* Room for `len` bytes; NULL: there is none. */
EXPORT(vsrInput) char *input_room(size_t len) {
    mem_free(input);
    input = mem_try_realloc(NULL, len);
    return input;
}

EXPORT(vsrAnswer) const char *answer_text(void) {
    return answer.ptr;
}

EXPORT(vsrRelease) void release(void) {
    mem_free(input);
    input = NULL;
    buf_done(&answer);
}

/* The text is the first `len` bytes of the room. Returns the length of the answer. */
static size_t call(enum editor_function function, size_t len) {
    buf_done(&answer);
    buf_init(&answer, EDITOR_ANSWER_LEN_MAX);
    editor_call(language(), function, str_make(input, input ? len : 0), &answer);
    return answer.len;
}

#define F(id, name) \
    EXPORT(name) size_t call_##name(size_t len) { \
        return call(EDITOR_##id, len); \
    }
EDITOR_FUNCTIONS(F)
#undef F
