/*
 * checked - programs of tests through parser, compiler and checks: everything that is told of them.
 */
#ifndef VSR_TESTS_DSL_CHECKED_H
#define VSR_TESTS_DSL_CHECKED_H

#include "compiled.h"
#include "dsl/check.h"

/* Borrows `text`. `base`: NULL for none. */
static inline void checked_make(struct compiled *c, vsr_str text, const struct yaml_node *base) {
    compiled_make(c, text);
    dsl_check(c->arena, c->language, &c->parsed, base, &c->findings);
    findings_sort(&c->findings);
}

/* ---- tables: a program and what is told of it, at the top level and inside of a recipe */

enum {
    CHECKED_TOP = 1u << 0,   /* says what only a file can */
    CHECKED_HINTS = 1u << 1, /* hints are wanted, too */
};

struct checked_case {
    const char *name;
    unsigned flags;
    const char *source, *want;
};

#define CHECKED_RECIPE "RECIPE x { "

/* The lines as they are told of the same text behind CHECKED_RECIPE: places move in the first line only. */
static inline vsr_str checked_in_recipe(struct arena *arena, const char *want) {
    vsr_str rest = str_from_c(want), all = VSR_STR("");
    while (rest.len > 0) {
        vsr_str told = str_split(&rest, '\n'), line = str_split(&told, ':'), col = str_split(&told, ':');
        vsr_str level = str_split(&told, ':');
        uint64_t column;
        CHECK_MSG(str_to_u64(col, &column), "no column: %s", want);
        column += str_eq_c(line, "1") ? sizeof(CHECKED_RECIPE) - 1 : 0;
        all = arena_printf(arena, "%.*s%.*s:%llu:%.*s: recipe \"x\":%.*s\n", VSR_FMT(all), VSR_FMT(line),
                           (unsigned long long)column, VSR_FMT(level), VSR_FMT(told));
    }
    return all;
}

static inline void checked_case(const struct checked_case *it, bool in_recipe) {
    struct arena *arena = arena_new(0, 0);
    struct compiled c;
    vsr_str source = str_from_c(it->source), want = str_from_c(it->want);
    char name[256];
    snprintf(name, sizeof(name), "%s%s", it->name, in_recipe ? ", inside of a recipe" : "");
    if (in_recipe) {
        source = arena_printf(arena, CHECKED_RECIPE "%s }", it->source);
        want = checked_in_recipe(arena, it->want);
    }
    checked_make(&c, source, NULL);
    CHECK_STR(compiled_shown(&c, it->flags & CHECKED_HINTS), arena_c_str(arena, want), name);
    compiled_done(&c);
    arena_free(arena);
}

static inline void checked_cases(const struct checked_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        checked_case(&cases[i], false);
        if (!(cases[i].flags & CHECKED_TOP))
            checked_case(&cases[i], true);
    }
}

#endif
