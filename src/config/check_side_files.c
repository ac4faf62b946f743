/*
 * Reads the manifests of the knowledge bases that some recipe uses, and the tools when they are enabled, and checks
 * what the document says of them. Where a built-in knowledge base has no file, what is in the program counts; any other
 * file that is not there switches its feature off with a warning, as a missing model does. One that is broken is an
 * error. Read-only validation looks at no file, and so cannot tell which labels there are.
 */
#include "config/check.h"
#include "config/document_tables.h"
#include "config/file_hash.h"
#include "config/kb_builtin.h"
#include "config/side_files.h"
#include "core/arena.h"
#include "core/assert.h"

/* A knowledge base, and the rule or input that first names it. */
struct use {
    struct config_kb *kb;
    struct diag_at at;
};

struct files {
    struct check *c;
    struct side_file_roots roots;
    struct map used; /* name of a knowledge base -> struct use */
};

/* ---- where */

static vsr_str variable(struct check *c, const char *name) {
    const char *value = c->env->get(c->env->data, name);
    return value ? arena_str(c->scratch, str_from_c(value)) : VSR_STR("");
}

static void find_roots(struct check *c, struct side_file_roots *roots) {
    roots->base_dir = c->doc->base_dir;
    roots->state_dir = variable(c, "VSR_STATE_DIR");
    if (roots->state_dir.len == 0 && roots->base_dir.len)
        roots->state_dir = arena_printf(c->scratch, "%.*s/.vsr", VSR_FMT(roots->base_dir));
    roots->asset_root = variable(c, "VSR_CONFIG_ASSET_ROOT");
    roots->install_dir = side_file_install_dir(c->scratch);
}

static void report_missing(struct check *c, struct diag_at at, const char *what, const vsr_str *candidates, size_t n) {
    vsr_str tried = { 0 };
    for (size_t i = 0; i < n; i++)
        tried = arena_printf(c->scratch, "%.*s%s%.*s", VSR_FMT(tried), i ? ", " : "", VSR_FMT(candidates[i]));
    diag_warn(c->diag, "W_ASSET", at,
              VSR_STR("put the file into one of these places, or name the folder above it in VSR_CONFIG_ASSET_ROOT"),
              "%s, because its file is not there; tried %.*s", what, VSR_FMT(n ? tried : VSR_STR("nothing")));
}

static void report_broken(struct check *c, struct diag_at at, const struct vsr_err *err, vsr_str file) {
    if (err->line)
        diag_error(c->diag, "E_ASSET", at, VSR_STR(""), "%.*s:%u:%u: %s", VSR_FMT(file), err->line, err->col,
                   err->text);
    else
        diag_error(c->diag, "E_ASSET", at, VSR_STR(""), "%.*s%s%s", VSR_FMT(file), file.len ? ": " : "", err->text);
}

/* Tells whoever asked to be told: places that were looked at in vain, then the file that counts. */
static void note_files(struct check *c, const vsr_str *candidates, size_t n, vsr_str file, vsr_str text) {
    const struct config_load_options *options = c->options;
    char hash[FILE_HASH_LEN];
    if (!options->on_file)
        return;
    for (size_t i = 0; i < n && !str_eq(candidates[i], file); i++)
        options->on_file(options->on_file_data, candidates[i], VSR_STR(""));
    if (file.len == 0)
        return;
    text_hash(text, hash);
    options->on_file(options->on_file_data, file, str_make(hash, text.ptr ? sizeof(hash) : 0));
}

/* ---- which knowledge bases */

static void use_kb(struct files *f, vsr_str name, const void *user) {
    const struct config_kb *kb = config_kb(&f->c->doc->global.model_catalog, name);
    struct use *use;
    if (!kb || map_get(&f->used, name))
        return;
    use = ARENA_NEW(f->c->scratch, struct use);
    use->kb = (struct config_kb *)kb; /* the document is still ours to complete */
    use->at = schema_at(user);
    map_put(&f->used, kb->name, use);
}

/* Rules of the family are read as they were written: its struct is known above. */
static const struct config_list *kb_rules(const struct check *c, const struct config_scope *scope,
                                          const struct schema **ret_schema) {
    int family = check_family(c, VSR_STR("kb"));
    if (family < 0)
        return NULL;
    *ret_schema = c->options->parts.families.items[family].schema;
    return &scope->routing->signals.rules[family];
}

static const struct yaml_node *scalar_of(const struct yaml_node *mapping, const char *key) {
    const struct yaml_node *node = yaml_get(mapping, str_from_c(key));
    return node && node->kind == YAML_SCALAR ? node : NULL;
}

static void find_used_by_scores(struct files *f, const struct config_routing *routing) {
    CONFIG_EACH(const struct config_score, score, &routing->projections.scores)
    CONFIG_EACH(const struct config_score_input, input, &score->inputs)
    if (input->kb.len)
        use_kb(f, input->kb, input);
}

static void find_used_by_rules(struct files *f, const struct config_scope *scope) {
    const struct schema *schema = NULL;
    const struct config_list *rules = kb_rules(f->c, scope, &schema);
    for (size_t i = 0; rules && i < rules->n; i++) {
        const struct config_at *rule = (const void *)((const char *)rules->items + i * schema->size);
        const struct yaml_node *name = scalar_of(rule->node, "kb");
        if (name)
            use_kb(f, name->text, rule);
    }
}

/* ---- labels */

static vsr_str suggest_label(struct check *c, const struct config_kb_manifest *manifest, vsr_str found) {
    vsr_str *names = ARENA_ARRAY(c->scratch, vsr_str, manifest->n_labels);
    for (size_t i = 0; i < manifest->n_labels; i++)
        names[i] = manifest->labels[i].name;
    return diag_suggest(c->diag, found, names, manifest->n_labels);
}

static void check_label(struct check *c, const struct config_kb *kb, struct diag_at at, vsr_str label) {
    if (!config_kb_label(kb->manifest, label))
        diag_error(c->diag, "E_REF", at, suggest_label(c, kb->manifest, label),
                   "knowledge base \"%.*s\" has no label \"%.*s\" in %.*s", VSR_FMT(kb->name), VSR_FMT(label),
                   VSR_FMT(kb->manifest->file));
}

static void check_kb_labels(struct check *c, const struct config_kb *kb) {
    for (size_t i = 0; i < kb->label_thresholds.n; i++)
        check_label(c, kb, check_pair_at(c, kb, "label_thresholds", kb->label_thresholds.keys[i]),
                    kb->label_thresholds.keys[i]);
    for (size_t i = 0; i < kb->groups.n; i++)
        for (size_t k = 0; k < kb->groups.values[i].n; k++) {
            struct diag_at at = check_pair_at(c, kb, "groups", kb->groups.keys[i]);
            at.path = arena_printf(c->arena, "%.*s[%zu]", VSR_FMT(at.path), k);
            at.line = kb->groups.values[i].nodes[k]->line;
            at.col = kb->groups.values[i].nodes[k]->col;
            check_label(c, kb, at, kb->groups.values[i].items[k]);
        }
}

/* A rule's target may be a label, which only the manifest knows. */
static void check_target(struct check *c, const struct config_at *rule) {
    const struct yaml_node *target = yaml_get(rule->node, VSR_STR("target"));
    const struct yaml_node *name = scalar_of(rule->node, "kb"), *kind = scalar_of(target, "kind");
    const struct yaml_node *value = scalar_of(target, "value");
    const struct config_kb *kb = name ? config_kb(&c->doc->global.model_catalog, name->text) : NULL;
    struct diag_at at = { 0 };
    if (!kb || !kb->manifest || !kind || !str_eq_c(kind->text, "label") || !value)
        return;
    at.line = value->line;
    at.col = value->col;
    at.path = schema_path(c->arena, schema_path(c->arena, rule->path, VSR_STR("target")), VSR_STR("value"));
    check_label(c, kb, at, value->text);
}

static void check_targets(struct check *c, const struct config_scope *scope) {
    const struct schema *schema = NULL;
    const struct config_list *rules = kb_rules(c, scope, &schema);
    for (size_t i = 0; rules && i < rules->n; i++)
        check_target(c, (const void *)((const char *)rules->items + i * schema->size));
}

/* ---- reading */

static struct diag_at source_at(struct check *c, const struct config_kb *kb) {
    return schema_field_at(&config_kb_source_schema, &kb->source, "path", c->arena);
}

/* A base of the defaults stands nowhere in the document: then who uses it is pointed at. */
static struct diag_at file_at(struct check *c, const struct use *use) {
    struct diag_at at = source_at(c, use->kb);
    if (at.line == 0) {
        at.line = use->at.line;
        at.col = use->at.col;
    }
    return at;
}

static void read_kb(struct files *f, const struct use *use) {
    struct check *c = f->c;
    struct config_kb *kb = use->kb;
    struct config_kb_manifest *manifest = NULL;
    vsr_str candidates[SIDE_FILE_CANDIDATES_MAX], file = { 0 }, text = { 0 }, folder = kb->source.path, path;
    struct vsr_err err = VSR_ERR_NONE;
    size_t n;
    int rc;
    if (check_is_open(&kb->source, "path") || check_is_open(&kb->source, "manifest"))
        return;
    while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
        folder.len--;
    path = arena_printf(c->scratch, "%.*s/%.*s", VSR_FMT(folder), VSR_FMT(kb->source.manifest));
    n = side_file_candidates(&f->roots, path, c->scratch, candidates);
    rc = side_file_read(candidates, n, c->scratch, &file, &text, &err);
    note_files(c, candidates, n, file, text); /* a file that appears later takes the place of a built-in one */
    if (rc == VSR_E_NOT_FOUND && kb_builtin(path, &file, &text))
        rc = 0;
    if (rc == 0)
        rc = kb_manifest_parse(c->arena, text, &manifest, &err);
    if (rc == VSR_E_NOT_FOUND) {
        report_missing(c, file_at(c, use),
                       arena_printf(c->scratch, "signals and scores of knowledge base \"%.*s\" are unavailable",
                                    VSR_FMT(kb->name))
                           .ptr,
                       candidates, n);
    } else if (rc < 0) {
        report_broken(c, file_at(c, use), &err, file);
    } else {
        VSR_ASSERT(manifest != NULL);
        manifest->file = arena_str(c->arena, file);
        kb->manifest = manifest;
        check_kb_labels(c, kb);
    }
}

static void read_tools(struct files *f, struct config_tools *tools) {
    struct check *c = f->c;
    struct config_tools_db *db = NULL;
    vsr_str candidates[SIDE_FILE_CANDIDATES_MAX], file = { 0 }, text = { 0 };
    struct diag_at at = schema_field_at(&config_tools_schema, tools, "tools_db_path", c->arena);
    struct vsr_err err = VSR_ERR_NONE;
    size_t n = side_file_candidates(&f->roots, tools->tools_db_path, c->scratch, candidates);
    int rc = side_file_read(candidates, n, c->scratch, &file, &text, &err);
    note_files(c, candidates, n, file, text);
    if (rc == 0)
        rc = tools_db_parse(c->arena, text, &db, &err);
    if (rc == VSR_E_NOT_FOUND) {
        report_missing(c, at, "no tool can be offered", candidates, n);
    } else if (rc < 0) {
        report_broken(c, at, &err, file);
    } else {
        VSR_ASSERT(db != NULL);
        db->file = arena_str(c->arena, file);
        tools->db = db;
    }
}

/* Who may only have a document judged must not learn by it which files there are. */
static void refuse_absolute(struct check *c) {
    CONFIG_EACH(const struct config_kb, kb, &c->doc->global.model_catalog.kbs)
    if (kb->source.path.ptr[0] == '/')
        diag_error(c->diag, "E_ASSET", source_at(c, kb), VSR_STR("write it relative to the document"),
                   "the path of a knowledge base must not be absolute in a document that is only validated");
}

void check_side_files(struct check *c) {
    struct files f = { .c = c };
    struct config_tools *tools = &c->doc->global.integrations.tools;
    if (c->options->no_files) {
        refuse_absolute(c);
        return;
    }
    find_roots(c, &f.roots);
    map_init(&f.used, c->scratch);
    for (size_t i = 0; i < c->doc->n_scopes; i++) {
        find_used_by_rules(&f, &c->doc->scopes[i]);
        find_used_by_scores(&f, c->doc->scopes[i].routing);
    }
    for (size_t i = 0; i < f.used.n; i++)
        read_kb(&f, f.used.entries[i].value);
    for (size_t i = 0; i < c->doc->n_scopes; i++)
        check_targets(c, &c->doc->scopes[i]);
    if (tools->enabled && !check_is_open(tools, "tools_db_path"))
        read_tools(&f, tools);
}
