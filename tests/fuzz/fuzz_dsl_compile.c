/* links: dsl route select looper plugin */
/*
 * Any text as a program that is compiled. What compiles without an error is YAML that reads back as the same tree, with
 * places inside of the text; compiling once more gives the same; and so do its wrappings and its merging into a base.
 */
#include <stdlib.h>

#include "../unit/dsl/parts.h"
#include "config/diag.h"
#include "config/yaml_edit.h"
#include "config/yaml_tree.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "dsl/compile.h"
#include "dsl/emit.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_LEN_MAX = 256 << 20 };

static bool is_same(const struct yaml_node *a, const struct yaml_node *b) {
    if (a->kind != b->kind || a->n_items != b->n_items || !str_eq(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->n_items; i++)
        if (!is_same(a->items[i], b->items[i]) ||
            (a->kind == YAML_MAPPING && !str_eq(a->keys[i]->text, b->keys[i]->text)))
            return false;
    return true;
}

static void check_places(const struct yaml_node *node, size_t len) {
    VSR_ASSERT(node->line > 0 && node->col > 0 && node->start <= node->end && node->end <= len);
    for (size_t i = 0; i < node->n_items; i++) {
        if (node->kind == YAML_MAPPING)
            check_places(node->keys[i], len);
        check_places(node->items[i], len);
    }
}

static void write(struct buf *out, const struct yaml_node *root) {
    buf_reset(out);
    yaml_write(root, out);
    VSR_ASSERT(!buf_failed(out));
}

static void check_reads_back(struct arena *arena, struct buf *out, const struct yaml_node *root) {
    struct yaml_node *again = NULL;
    struct diag diag;
    write(out, root);
    diag_init(&diag, arena, VSR_STR("compiled"));
    VSR_ASSERT(yaml_tree_parse(arena, buf_str(out), &again, &diag) == 0);
    VSR_ASSERT(is_same(root, again));
}

static struct yaml_node *compile(struct arena *arena, vsr_str source, bool *ret_good) {
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *root;
    findings_init(&findings, arena);
    dsl_parse(arena, source, &parsed, &findings);
    root = dsl_compile(arena, dsl_language(), &parsed.program, &findings);
    *ret_good = findings.n_of[FINDING_ERROR] == 0;
    return root;
}

/* A base whose decisions may have the program's names, so that fields of theirs are kept. */
static const char base[] = "zoo: 1\nversion: v0.3\nrouting:\n  decisions:\n"
                           "    - {name: r, annotations: {a: b}, modelRefs: [{model: m, reasoning_description: d}]}\n"
                           "recipes: [{name: x, routing: {decisions: [{name: r, fallback: true}]}}]\n";

static void check_wrappings(struct arena *arena, struct buf *out, struct yaml_node *root) {
    struct emit_options options = { .legacy = true };
    struct yaml_node *merged = NULL;
    struct diag diag;
    check_reads_back(arena, out, emit_crd(arena, root, &options));
    check_reads_back(arena, out, emit_helm(arena, root));
    diag_init(&diag, arena, VSR_STR("base"));
    VSR_ASSERT(yaml_tree_parse(arena, str_from_c(base), &merged, &diag) == 0);
    VSR_ASSERT(dsl_merge(arena, dsl_language(), merged, root) == 0);
    check_reads_back(arena, out, merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    vsr_str source = str_make((const char *)data, size);
    bool good;
    struct yaml_node *root = compile(arena, source, &good);
    struct buf out;
    buf_init(&out, TEXT_LEN_MAX);
    if (good && root->n_items > 0) {
        check_places(root, size);
        check_reads_back(arena, &out, root);
        VSR_ASSERT(is_same(root, compile(arena, source, &good)));
        check_wrappings(arena, &out, root);
    }
    buf_done(&out);
    arena_free(arena);
    return 0;
}
