#include "config/migrate.h"

#include "config/alias.h"
#include "config/diag.h"
#include "config/document.h"
#include "config/migrate_tree.h"
#include "config/yaml_notes.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"

static void set_version(struct migrate *m) {
    ptrdiff_t at = yaml_find(m->root, VSR_STR("version"));
    struct yaml_node *value = yaml_new_scalar(m->arena, VSR_STR(CONFIG_CONTRACT), m->root);
    if (at < 0) {
        yaml_append(m->arena, m->root, yaml_new_scalar(m->arena, VSR_STR("version"), m->root), value);
        return;
    }
    if (m->root->items[at]->kind == YAML_SCALAR && str_eq_c(m->root->items[at]->text, CONFIG_CONTRACT))
        return;
    migrate_report(m, MIGRATE_MOVED, m->root->keys[at], VSR_STR("version"), VSR_STR("version"), "is now %s",
                   CONFIG_CONTRACT);
    m->root->items[at] = value;
}

/* Spellings that loading would accept with a warning. */
static void normalise_aliases(struct migrate *m, vsr_str file) {
    struct diag diag;
    migrate_rename(m, yaml_get(yaml_get(m->root, VSR_STR("global")), VSR_STR("stores")), VSR_STR("global.stores"),
                   "semantic_cache", "response_cache");
    diag_init(&diag, m->arena, file);
    alias_normalise(m->root, m->arena, &diag);
    for (size_t i = 0; i < diag.n_items; i++) {
        const struct diag_item *item = &diag.items[i];
        struct yaml_node at = { .line = item->line, .col = item->col };
        migrate_report(m, item->severity == DIAG_ERROR ? MIGRATE_CHECK : MIGRATE_MOVED, &at, item->path, VSR_STR(""),
                       "%.*s", VSR_FMT(item->message));
    }
}

static void order_keys(struct migrate *m) {
    static const char *const document[] = { "version", "listeners", "providers", "routing", "entrypoints",
                                            "recipes", "global",    "setup",     NULL };
    static const char *const providers[] = { "defaults", "models", NULL };
    static const char *const routing[] = { "strategy",    "untiered",  "modelCards", "signals",
                                           "projections", "decisions", NULL };
    static const char *const global[] = { "router", "services", "stores", "integrations", "model_catalog", NULL };
    migrate_order(m, m->root, document);
    if (m->result->n_notes == 0)
        return;
    migrate_order(m, yaml_get(m->root, VSR_STR("providers")), providers);
    migrate_order(m, yaml_get(m->root, VSR_STR("routing")), routing);
    migrate_order(m, yaml_get(m->root, VSR_STR("global")), global);
}

/* The steps of config.md §10. Cards are complete before models look for theirs. */
static void run_steps(struct migrate *m, vsr_str file) {
    migrate_routing(m);
    migrate_models(m);
    migrate_default_card(m);
    migrate_global(m);
    normalise_aliases(m, file);
    set_version(m);
    order_keys(m);
}

int config_migrate(struct arena *arena, vsr_str text, struct buf *out, struct migration *ret_migration,
                   struct diag *diag) {
    struct migrate m = { .arena = arena, .result = ret_migration };
    struct yaml_node *root;
    struct yaml_spans spans;
    int rc = yaml_tree_parse_spans(arena, text, &root, &spans, diag);
    if (rc < 0)
        return rc;
    if (root->kind != YAML_MAPPING) {
        diag_error(diag, "E_TYPE", (struct diag_at){ root->line, root->col, VSR_STR("") }, VSR_STR(""),
                   "the document must be a mapping");
        return VSR_E_INVALID;
    }
    *ret_migration = (struct migration){ 0 };
    yaml_notes_attach(arena, arena_str(arena, text), &spans, root);
    m.root = ret_migration->root = yaml_copy(arena, root);
    map_init(&m.cards, arena);
    map_init(&m.unplaced_names, arena);
    run_steps(&m, diag->file);
    yaml_write(m.root, out);
    if (!buf_failed(out))
        return 0;
    diag_error(diag, "E_YAML", (struct diag_at){ 0 }, VSR_STR(""), "the new document is larger than %zu bytes",
               out->max);
    return VSR_E_LIMIT;
}
