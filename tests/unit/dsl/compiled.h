/*
 * compiled - programs of tests to trees of YAML, and trees compared by what they mean.
 */
#ifndef VSR_TESTS_DSL_COMPILED_H
#define VSR_TESTS_DSL_COMPILED_H

#include <stdlib.h>

#include "config/diag.h"
#include "config/schema_value.h"
#include "config/yaml_tree.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/compile.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"
#include "parts.h"
#include "test.h"

enum { COMPILED_LEN_MAX = 64 << 20 };

struct compiled {
    struct arena *arena;
    const struct language *language;
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *root;
};

/* Borrows `text`. */
static inline void compiled_make(struct compiled *c, vsr_str text) {
    *c = (struct compiled){ .arena = arena_new(0, 0) };
    c->language = dsl_language();
    findings_init(&c->findings, c->arena);
    dsl_parse(c->arena, text, &c->parsed, &c->findings);
    c->root = dsl_compile(c->arena, c->language, &c->parsed.program, &c->findings);
    findings_sort(&c->findings);
}

static inline void compiled_done(struct compiled *c) {
    arena_free(c->arena);
    c->arena = NULL;
}

/* The findings as they are shown, one a line. */
static inline vsr_str compiled_shown(struct compiled *c, bool hints) {
    struct findings_style style = { .hints = hints };
    struct buf out;
    vsr_str text;
    buf_init(&out, COMPILED_LEN_MAX);
    findings_print(&c->findings, &style, &out);
    text = arena_str(c->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static inline vsr_str compiled_findings(struct compiled *c) {
    return compiled_shown(c, false);
}

static inline vsr_str yaml_text(struct arena *arena, const struct yaml_node *root) {
    struct buf out;
    vsr_str text;
    buf_init(&out, COMPILED_LEN_MAX);
    yaml_write(root, &out);
    CHECK_MSG(!buf_failed(&out), "the tree is too large to be written");
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static inline struct yaml_node *yaml_parsed(struct arena *arena, vsr_str text) {
    struct yaml_node *root = NULL;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("expected.yaml"));
    CHECK_MSG(yaml_tree_parse(arena, text, &root, &diag) == 0, "not YAML: %.*s", VSR_FMT(text));
    return root;
}

/* ---- equal by meaning: the order of keys and the spelling of numbers do not count */

static inline bool yaml_same_number(vsr_str a, vsr_str b) {
    double one, other;
    return value_number(a, &one) == VALUE_OK && value_number(b, &other) == VALUE_OK && one == other;
}

/* `use_reasoning: false` is what holds unsaid. */
static inline bool yaml_says_nothing(const struct yaml_node *mapping, size_t i) {
    return str_eq_c(mapping->keys[i]->text, "use_reasoning") && str_eq_c(mapping->items[i]->text, "false");
}

static inline bool yaml_means(const struct yaml_node *a, const struct yaml_node *b) {
    if (a->kind != b->kind)
        return false;
    if (a->kind == YAML_SCALAR)
        return str_eq(a->text, b->text) || yaml_same_number(a->text, b->text);
    if (a->kind == YAML_SEQUENCE) {
        bool same = a->n_items == b->n_items;
        for (size_t i = 0; same && i < a->n_items; i++)
            same = yaml_means(a->items[i], b->items[i]);
        return same;
    }
    for (size_t i = 0; a->kind == YAML_MAPPING && i < a->n_items; i++) {
        const struct yaml_node *value = yaml_get(b, a->keys[i]->text);
        if (yaml_get(a, a->keys[i]->text) != a->items[i]) /* a key twice */
            return false;
        if (!yaml_says_nothing(a, i) && (!value || !yaml_means(a->items[i], value)))
            return false;
    }
    for (size_t i = 0; a->kind == YAML_MAPPING && i < b->n_items; i++)
        if ((!yaml_says_nothing(b, i) && !yaml_get(a, b->keys[i]->text)) ||
            yaml_get(b, b->keys[i]->text) != b->items[i])
            return false;
    return true;
}

#define CHECK_MEANS(in, got, want, name) \
    do { \
        struct arena *arena_ = (in); \
        const struct yaml_node *got_ = (got), *want_ = (want); \
        CHECK_MSG(yaml_means(got_, want_), "case \"%s\": got\n%.*s\nwant\n%.*s", (name), \
                  VSR_FMT(yaml_text(arena_, got_)), VSR_FMT(yaml_text(arena_, want_))); \
    } while (0)

#endif
