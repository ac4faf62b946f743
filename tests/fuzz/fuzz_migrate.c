/* links: config */
/*
 * Any YAML through the migration. What is written must be YAML, and the tree that was meant: what the writer quotes
 * wrongly, or a comment that swallows a value, would show. Documents that the moves made too deep or too large to be
 * read are let through.
 */
#include <stdlib.h>

#include "config/diag.h"
#include "config/migrate.h"
#include "config/yaml_tree.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"

enum { OUT_LEN_MAX = 1 << 24 };

static size_t depth_of(const struct yaml_node *node) {
    size_t deepest = 0;
    for (size_t i = 0; i < node->n_items; i++) {
        size_t depth = depth_of(node->items[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return node->kind == YAML_MAPPING || node->kind == YAML_SEQUENCE ? deepest + 1 : 0;
}

static void check_same(const struct yaml_node *a, const struct yaml_node *b) {
    if (yaml_is_null(a) || yaml_is_null(b)) {
        VSR_ASSERT(yaml_is_null(a) && yaml_is_null(b));
        return;
    }
    VSR_ASSERT(a->kind == b->kind && a->n_items == b->n_items);
    VSR_ASSERT(a->kind != YAML_SCALAR || str_eq(a->text, b->text));
    for (size_t i = 0; i < a->n_items; i++) {
        VSR_ASSERT(a->kind != YAML_MAPPING || str_eq(a->keys[i]->text, b->keys[i]->text));
        check_same(a->items[i], b->items[i]);
    }
}

static void check_document(struct arena *arena, vsr_str text, const struct migration *migration) {
    struct yaml_node *root;
    struct diag diag;
    if (depth_of(migration->root) > YAML_DEPTH_MAX || text.len > YAML_BYTES_MAX)
        return;
    diag_init(&diag, arena, VSR_STR("new.yaml"));
    VSR_ASSERT(yaml_tree_parse(arena, text, &root, &diag) == 0);
    check_same(migration->root, root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct arena *arena = arena_new(0, 0);
    struct migration migration;
    struct diag diag;
    struct buf out;
    int rc;
    diag_init(&diag, arena, VSR_STR("old.yaml"));
    buf_init(&out, OUT_LEN_MAX);
    rc = config_migrate(arena, str_make((const char *)data, len), &out, &migration, &diag);
    VSR_ASSERT((rc == 0) == (diag.n_errors == 0));
    if (rc == 0)
        check_document(arena, buf_str(&out), &migration);
    buf_done(&out);
    arena_free(arena);
    return 0;
}
