#include "config/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/alias.h"
#include "config/check.h"
#include "config/document_source.h"
#include "config/document_tables.h"
#include "config/file_hash.h"
#include "config/legacy.h"
#include "core/arena.h"
#include "core/err.h"

enum {
    UNEXPECTED_LEN_MAX = 512, /* of the list of unexpected keys: a message is read by people */
};

/* ---- canonical form: version and blocks */

static struct diag_at node_at(const struct yaml_node *node, vsr_str path) {
    return (struct diag_at){ node->line, node->col, path };
}

static void check_version(const struct yaml_node *root, struct diag *diag) {
    const struct yaml_node *version = yaml_get(root, VSR_STR("version"));
    if (yaml_is_null(version))
        diag_error(diag, "E_VERSION", node_at(root, VSR_STR("version")),
                   VSR_STR("add it, or convert an older document with `vsr config migrate`"),
                   "missing, expected \"" CONFIG_CONTRACT "\"");
    else if (version->kind != YAML_SCALAR)
        diag_error(diag, "E_VERSION", node_at(version, VSR_STR("version")), VSR_STR(""),
                   "expected the text \"" CONFIG_CONTRACT "\"");
    else if (!str_eq_c(version->text, CONFIG_CONTRACT))
        diag_error(diag, "E_VERSION", node_at(version, VSR_STR("version")), VSR_STR(""),
                   "found \"%.*s\", expected \"" CONFIG_CONTRACT "\"", VSR_FMT(version->text));
}

static bool is_known_key(vsr_str key) {
    return schema_field(&config_document_schema, key) || str_starts(key, VSR_STR("x-"));
}

static void check_canonical(const struct yaml_node *root, struct diag *diag) {
    static const vsr_str blocks[] = { VSR_STR_INIT("routing"), VSR_STR_INIT("global"), VSR_STR_INIT("providers"),
                                      VSR_STR_INIT("recipes") };
    vsr_str unexpected = { 0 };
    for (size_t i = 0; i < VSR_COUNT(blocks); i++)
        if (yaml_get(root, blocks[i]))
            return;
    for (size_t i = 0; i < root->n_items && unexpected.len < UNEXPECTED_LEN_MAX; i++)
        if (!is_known_key(root->keys[i]->text))
            unexpected = arena_printf(diag->arena, "%.*s%s%.*s", VSR_FMT(unexpected),
                                      unexpected.len ? ", " : "; unexpected keys: ", VSR_FMT(root->keys[i]->text));
    diag_error(diag, "E_NOT_CANONICAL", node_at(root, VSR_STR("")),
               unexpected.len
                   ? VSR_STR("an older document is converted by `vsr config migrate`")
                   : VSR_STR("a policy says at least providers and routing; an older document is converted by "
                             "`vsr config migrate`"),
               "none of routing, global, providers and recipes is there%.*s", VSR_FMT(unexpected));
}

static void check_form(const struct yaml_node *root, struct diag *diag) {
    if (root->kind != YAML_MAPPING) {
        diag_error(diag, "E_TYPE", node_at(root, VSR_STR("")), VSR_STR(""), "the document must be a mapping");
        return;
    }
    check_version(root, diag);
    check_canonical(root, diag);
}

/* ---- checks across blocks */

static void settle_strategy(const struct config_document *doc, struct config_routing *routing) {
    if (routing->strategy == STRATEGY_UNSET)
        routing->strategy = doc->global.router.strategy;
    if (routing->strategy == STRATEGY_UNSET)
        routing->strategy = STRATEGY_PRIORITY;
    routing->untiered_first = routing->untiered == 1;
}

static struct config_index *new_index(struct arena *arena) {
    struct config_index *index = ARENA_NEW(arena, struct config_index);
    map_init(&index->cards, arena);
    map_init(&index->loras, arena);
    map_init(&index->models, arena);
    return index;
}

static void clear_names(struct check *c) {
    for (size_t i = 0; i < CONFIG_FAMILIES_MAX; i++)
        map_init(&c->rules[i], c->scratch);
    map_init(&c->scores, c->scratch);
    map_init(&c->mappings, c->scratch);
    map_init(&c->outputs, c->scratch);
}

/* Names of one recipe are looked up in that recipe alone. */
static void check_scope(struct check *c, struct config_scope *scope) {
    size_t errors_before = c->diag->n_errors;
    c->scope = scope;
    c->routing = scope->routing;
    clear_names(c);
    settle_strategy(c->doc, c->routing);
    check_signals(c);
    check_projections(c);
    check_rule_trees(c);
    check_decisions(c);
    /* What a broken reference meant to use would look unused. */
    if (c->diag->n_errors == errors_before) {
        check_unused(c);
        check_ranks(c);
    }
    if (c->diag->n_errors == errors_before)
        check_scope_features(c);
}

static void check_document(struct config_document *doc, const struct config_load_options *options,
                           const struct env *env, struct arena *arena, struct diag *diag) {
    struct check c = { .doc = doc, .options = options, .env = env, .arena = arena, .diag = diag };
    c.scratch = arena_new(0, 0);
    doc->index = c.index = new_index(arena);
    map_init(&c.taken, c.scratch);
    check_listeners(&c);
    check_models(&c);
    check_authz(&c);
    check_global(&c);
    check_scopes(&c);
    for (size_t i = 0; i < doc->n_scopes; i++)
        check_scope(&c, &doc->scopes[i]);
    check_entrypoints(&c);
    check_side_files(&c);
    if (diag->n_errors == 0)
        check_global_features(&c);
    arena_free(c.scratch);
}

/* ---- the stages */

static const char *process_env(void *data, const char *name) {
    (void)data;
    return getenv(name);
}

/* Decoding begins with an empty document; what is known of its file already stays. */
static void decode(const struct schema *schema, const struct yaml_node *root, struct config_document *doc,
                   struct arena *arena, struct diag *diag) {
    vsr_str hash = doc->hash, base_hash = doc->base_hash, base_dir = doc->base_dir;
    schema_decode(schema, root, VSR_STR(""), doc, arena, diag);
    doc->hash = hash;
    doc->base_hash = base_hash;
    doc->base_dir = base_dir;
}

static int run_stages(struct arena *arena, struct yaml_node *root, const struct config_load_options *options,
                      struct config_document *doc, struct diag_at *ret_secret, struct diag *diag) {
    const struct schema *schema = config_schema(arena, &options->parts);
    struct env env = { .get = options->env ? options->env : process_env,
                       .data = options->env_data,
                       .strict = options->strict_env,
                       .keep = options->keep_env };
    check_form(root, diag);
    alias_normalise(root, arena, diag);
    legacy_check(root, arena, diag);
    if (diag->n_errors == 0)
        env_substitute(&env, schema, root, arena, diag, ret_secret);
    if (diag->n_errors == 0)
        decode(schema, root, doc, arena, diag);
    if (diag->n_errors == 0) {
        doc->has_providers = schema_present(schema, doc, "providers");
        check_document(doc, options, &env, arena, diag);
    }
    return diag->n_errors ? VSR_E_INVALID : 0;
}

/* $VSR_CONFIG_BASE_DIR, or the directory of the resolved file: of the base, where there are two. */
static int find_base_dir(const struct config_load_options *options, const char *resolved, struct arena *arena,
                         vsr_str *ret_dir, struct diag *diag) {
    const char *set =
        options->env ? options->env(options->env_data, "VSR_CONFIG_BASE_DIR") : getenv("VSR_CONFIG_BASE_DIR");
    const char *slash = strrchr(resolved, '/');
    struct stat status;
    if (!set || !*set) {
        *ret_dir = arena_str(arena, (vsr_str){ resolved, slash == resolved ? 1 : (size_t)(slash - resolved) });
        return 0;
    }
    if (*set != '/' || stat(set, &status) != 0 || !S_ISDIR(status.st_mode)) {
        diag_error(diag, "E_BASE_DIR", (struct diag_at){ 0 },
                   VSR_STR("name an existing directory by its absolute path"),
                   "VSR_CONFIG_BASE_DIR is \"%s\", which is %s", set,
                   *set == '/' ? "no existing directory" : "not absolute");
        return VSR_E_INVALID;
    }
    *ret_dir = arena_str(arena, str_from_c(set));
    return 0;
}

static vsr_str hash_hex(struct arena *arena, vsr_str text) {
    char *hex = arena_alloc(arena, FILE_HASH_LEN);
    text_hash(text, hex);
    return (vsr_str){ hex, FILE_HASH_LEN };
}

static int load(struct arena *arena, const struct document_source *source, const struct config_load_options *options,
                struct config_document *doc, const struct config_document **ret_doc, struct diag *diag) {
    struct diag_at secret = { 0 };
    struct yaml_node *root;
    int rc = document_source_tree(arena, source, options, &root, diag);
    doc->hash = hash_hex(arena, source->text);
    if (source->base)
        doc->base_hash = hash_hex(arena, source->base_text);
    if (rc == 0)
        rc = run_stages(arena, root, options, doc, &secret, diag);
    if (source->is_shared && secret.line)
        diag_warn(diag, "W_SECRET", secret, VSR_STR("use ${NAME} or the *_env field, or take the permission away"),
                  "a secret stands in clear text in a file that others may read");
    diag_sort(diag);
    if (rc == 0)
        *ret_doc = doc;
    return rc;
}

int config_load_text(struct arena *arena, vsr_str text, vsr_str file, const struct config_load_options *options,
                     const struct config_document **ret_doc, struct diag *diag) {
    struct document_source source = { .text = text };
    diag_init(diag, arena, arena_str(arena, file));
    return load(arena, &source, options, ARENA_NEW(arena, struct config_document), ret_doc, diag);
}

int config_load_tree(struct arena *arena, struct yaml_node *root, vsr_str file,
                     const struct config_load_options *options, const struct config_document **ret_doc,
                     struct diag *diag) {
    struct config_document *doc = ARENA_NEW(arena, struct config_document);
    struct diag_at secret = { 0 };
    int rc = 0;
    diag_init(diag, arena, arena_str(arena, file));
    doc->hash = hash_hex(arena, VSR_STR(""));
    if (options->made_from)
        rc = find_base_dir(options, options->made_from, arena, &doc->base_dir, diag);
    if (rc == 0)
        rc = run_stages(arena, root, options, doc, &secret, diag);
    diag_sort(diag);
    if (rc == 0)
        *ret_doc = doc;
    return rc;
}

/* ---- files */

static int load_resolved(struct arena *arena, const char *file, const char *resolved,
                         const struct config_load_options *options, const struct config_document **ret_doc,
                         struct diag *diag) {
    struct config_document *doc = ARENA_NEW(arena, struct config_document);
    struct document_source source = { 0 };
    int rc = document_source_read(arena, file, resolved, options, &source, diag);
    if (rc == 0)
        rc = find_base_dir(options, source.base ? source.base : resolved, arena, &doc->base_dir, diag);
    return rc < 0 ? rc : load(arena, &source, options, doc, ret_doc, diag);
}

int config_load_file(struct arena *arena, const char *file, const struct config_load_options *options,
                     const struct config_document **ret_doc, struct diag *diag) {
    char *resolved = realpath(file, NULL);
    int rc;
    diag_init(diag, arena, arena_str(arena, str_from_c(file)));
    if (!resolved)
        return document_source_report(diag, "find", file);
    rc = load_resolved(arena, file, resolved, options, ret_doc, diag);
    free(resolved);
    return rc;
}
