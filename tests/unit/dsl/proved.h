/*
 * proved - policies of tests, loaded and analysed.
 */
#ifndef VSR_TESTS_DSL_PROVED_H
#define VSR_TESTS_DSL_PROVED_H

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/findings.h"
#include "dsl/prove.h"
#include "loaded.h"

enum { PROVED_LEN_MAX = 16 << 20 };

struct proved {
    struct arena *arena;
    const struct config_document *doc;
    struct findings findings;
    struct prove_summary summary;
};

/* `routing`: what stands below that key, indented. */
static inline vsr_str proved_yaml(struct arena *arena, const char *routing) {
    return arena_printf(arena,
                        "version: v0.3\nlisteners: [{name: main, address: 127.0.0.1, port: 8080}]\nrouting:\n"
                        "  modelCards: [{name: a}, {name: b}]\n%s",
                        routing);
}

/* The same in a recipe `x`. */
static inline vsr_str proved_recipe_yaml(struct arena *arena, const char *routing) {
    vsr_str rest = str_from_c(routing);
    struct buf out;
    vsr_str text;
    buf_init(&out, PROVED_LEN_MAX);
    buf_append(&out, proved_yaml(arena, ""));
    buf_append_c(&out, "recipes:\n- name: x\n  routing:\n");
    while (rest.len > 0) {
        vsr_str line = str_split(&rest, '\n');
        buf_printf(&out, "  %.*s\n", VSR_FMT(line));
    }
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static inline void proved_document(struct proved *p, const struct config_document *doc) {
    struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
    p->doc = doc;
    findings_init(&p->findings, p->arena);
    dsl_prove(p->arena, doc, &options, &p->findings, &p->summary);
    findings_sort(&p->findings);
}

static inline void proved_make(struct proved *p, const char *routing) {
    *p = (struct proved){ .arena = arena_new(0, 0) };
    proved_document(p, loaded(p->arena, proved_yaml(p->arena, routing), "test.yaml"));
}

static inline void proved_done(struct proved *p) {
    arena_free(p->arena);
    p->arena = NULL;
}

/* `CODE message {witness}`, one a line. */
static inline vsr_str proved_text(struct proved *p) {
    struct buf out;
    vsr_str text;
    buf_init(&out, PROVED_LEN_MAX);
    for (size_t i = 0; i < p->findings.n; i++) {
        const struct finding *finding = &p->findings.items[i];
        buf_printf(&out, "%s %.*s", finding->code, VSR_FMT(finding->message));
        if (finding->witness.len)
            buf_printf(&out, " {%.*s}", VSR_FMT(finding->witness));
        buf_append_c(&out, "\n");
    }
    text = arena_str(p->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

#endif
