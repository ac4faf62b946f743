/*
 * loaded - configurations of tests, as documents.
 */
#ifndef VSR_TESTS_DSL_LOADED_H
#define VSR_TESTS_DSL_LOADED_H

#include "config/load.h"
#include "core/buf.h"
#include "parts.h"
#include "test.h"

static inline const struct config_document *loaded(struct arena *arena, vsr_str text, const char *name) {
    struct config_load_options options = { .parts = *dsl_parts(), .keep_env = true, .no_files = true };
    const struct config_document *doc = NULL;
    struct diag diag;
    struct buf out;
    if (config_load_text(arena, text, str_from_c(name), &options, &doc, &diag) == 0)
        return doc;
    buf_init(&out, 16 << 20);
    diag_print(&diag, &out, false);
    fail_msg("%s does not load: %.*s\n%.*s", name, VSR_FMT(buf_str(&out)), VSR_FMT(text));
    return NULL;
}

#endif
