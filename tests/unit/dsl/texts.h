/*
 * texts - files that tests read.
 */
#ifndef VSR_TESTS_DSL_TEXTS_H
#define VSR_TESTS_DSL_TEXTS_H

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

enum { TEXTS_LEN_MAX = 64 << 20 };

static inline vsr_str text_of_file(struct arena *arena, vsr_str path) {
    FILE *file = fopen(arena_c_str(arena, path), "rb");
    struct buf out;
    vsr_str text;
    char part[65536];
    size_t n;
    CHECK_MSG(file != NULL, "%.*s cannot be read", VSR_FMT(path));
    buf_init(&out, TEXTS_LEN_MAX);
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        buf_append(&out, str_make(part, n));
    (void)fclose(file);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* A file of the project: `folder`/`name``ending`. */
static inline vsr_str text_of_project(struct arena *arena, const char *folder, const char *name, const char *ending) {
    const char *source = getenv("VSR_TEST_SOURCE");
    return text_of_file(arena, arena_printf(arena, "%s/%s/%s%s", source ? source : ".", folder, name, ending));
}

/* The published profiles, which are handed out: to be read where test_shared_dir() is not NULL. */
static const char *const published_profiles[] = { "accuracy", "balance", "feedback", "privacy" };

/* `file`: config.yaml, or recipe.dsl, the program that stands for its routing. */
static inline vsr_str text_of_published(struct arena *arena, const char *profile, const char *file) {
    return text_of_file(arena, arena_printf(arena, "%s/recipes/%s/%s", test_shared_dir(), profile, file));
}

#endif
