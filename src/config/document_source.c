#include "config/document_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/file_hash.h"
#include "config/notation.h"
#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"

enum { READ_LEN = 65536, BASE_PLACES = 2 };

/* ---- bytes */

int document_source_report(struct diag *diag, const char *what, const char *path) {
    diag_error(diag, "E_IO", (struct diag_at){ 0 }, VSR_STR(""), "cannot %s \"%s\": %s", what, path, strerror(errno));
    return VSR_E_IO;
}

/* Reads at most one byte more than a document may have, so that a larger file is noticed and an endless one ends. */
static int read_open_file(FILE *file, const char *path, struct arena *arena, vsr_str *ret_text, struct diag *diag) {
    struct buf bytes;
    int rc = 0;
    buf_init(&bytes, YAML_BYTES_MAX + 1);
    while (rc == 0 && !feof(file) && bytes.len <= YAML_BYTES_MAX) {
        size_t room = YAML_BYTES_MAX + 1 - bytes.len;
        if (room > READ_LEN)
            room = READ_LEN;
        rc = buf_reserve(&bytes, room);
        if (rc == 0)
            bytes.len += fread(bytes.ptr + bytes.len, 1, room, file);
        if (ferror(file))
            rc = document_source_report(diag, "read", path);
    }
    if (rc == 0)
        *ret_text = arena_str(arena, buf_str(&bytes));
    buf_done(&bytes);
    return rc;
}

static int read_file(const char *path, struct arena *arena, vsr_str *ret_text, bool *ret_shared, struct diag *diag) {
    FILE *file = fopen(path, "rbe");
    struct stat status;
    int rc;
    if (!file)
        return document_source_report(diag, "open", path);
    *ret_shared = fstat(fileno(file), &status) == 0 && status.st_mode & (S_IRGRP | S_IROTH);
    rc = read_open_file(file, path, arena, ret_text, diag);
    (void)fclose(file); /* it was only read */
    return rc;
}

/* ---- the base */

/* Keys that a notation writes. */
static bool is_written(vsr_str key) {
    return str_eq_c(key, "routing") || str_eq_c(key, "entrypoints") || str_eq_c(key, "recipes");
}

bool config_is_routing_alone(const struct yaml_node *root) {
    for (size_t i = 0; root->kind == YAML_MAPPING && i < root->n_items; i++)
        if (!is_written(root->keys[i]->text) && !str_eq_c(root->keys[i]->text, "version"))
            return false;
    return root->kind == YAML_MAPPING;
}

static void tell(const struct config_load_options *options, const char *path, const vsr_str *text) {
    char hash[FILE_HASH_LEN];
    if (!options->on_file)
        return;
    if (text)
        text_hash(*text, hash);
    options->on_file(options->on_file_data, str_from_c(path), str_make(hash, text ? sizeof(hash) : 0));
}

static int read_base(struct arena *arena, const char *path, const struct config_load_options *options,
                     struct document_source *source, struct diag *diag) {
    int rc = read_file(path, arena, &source->base_text, &source->is_shared, diag);
    if (rc < 0)
        return rc;
    source->base = path;
    tell(options, path, &source->base_text);
    return 0;
}

static int read_named_base(struct arena *arena, const struct config_load_options *options,
                           struct document_source *source, struct diag *diag) {
    char *resolved = realpath(options->base, NULL);
    int rc;
    if (!resolved)
        return document_source_report(diag, "find", options->base);
    rc = read_base(arena, arena_c_str(arena, str_from_c(resolved)), options, source, diag);
    free(resolved);
    return rc;
}

/* Directory of a path, without links; NULL with errno. Freed by the caller. */
static char *dir_of(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    return realpath(slash ? len ? arena_c_str(arena, str_make(path, len)) : "/" : ".", NULL);
}

/* NAME.yaml beside NAME.dsl, else config.yaml there. False with errno: there is no such folder. */
static bool places_beside(struct arena *arena, const char *path, const struct config_notation *notation,
                          const char *ret_places[static BASE_PLACES]) {
    const char *slash = strrchr(path, '/');
    vsr_str name = str_from_c(slash ? slash + 1 : path), suffix = str_from_c(notation->suffix);
    char *dir = dir_of(arena, path);
    vsr_str stem = str_ends(name, suffix) ? str_make(name.ptr, name.len - suffix.len) : name;
    if (!dir)
        return false;
    ret_places[0] = arena_c_str(arena, arena_printf(arena, "%s/%.*s.yaml", dir, VSR_FMT(stem)));
    ret_places[1] = arena_c_str(arena, arena_printf(arena, "%s/config.yaml", dir));
    free(dir);
    return true;
}

/* Whether it says nothing but routing, as what a program was compiled to. What cannot be read says so when it is used.
 */
static bool says_routing_alone(const char *path, const struct config_load_options *options) {
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root;
    struct diag diag;
    vsr_str text;
    bool is_shared, alone;
    diag_init(&diag, arena, str_from_c(path));
    alone = read_file(path, arena, &text, &is_shared, &diag) == 0 && yaml_tree_parse(arena, text, &root, &diag) == 0 &&
            config_is_routing_alone(root);
    if (alone && options)
        tell(options, path, &text);
    arena_free(arena);
    return alone;
}

/* What was found: a base that says where to listen and the like, else the first that does not. */
struct found {
    const char *base, *routing_alone;
};

/* One that appears later is noticed, and so is one that was passed over and says more later. */
static int find_base_beside(struct arena *arena, const char *path, const struct config_notation *notation,
                            const struct config_load_options *options, struct found *found, struct diag *diag) {
    const char *places[BASE_PLACES];
    if (!places_beside(arena, path, notation, places))
        return diag ? document_source_report(diag, "find", path) : VSR_E_IO;
    for (size_t i = 0; i < BASE_PLACES && !found->base; i++) {
        struct stat status;
        if (stat(places[i], &status) < 0) {
            if (options)
                tell(options, places[i], NULL);
        } else if (!S_ISREG(status.st_mode) || !says_routing_alone(places[i], options)) {
            found->base = places[i];
        } else if (!found->routing_alone) {
            found->routing_alone = places[i];
        }
    }
    return 0;
}

/* Beside the file as it was named; a link that has none there may lead to one that has. */
static int find_base(struct arena *arena, const char *file, const char *resolved,
                     const struct config_notation *notation, const struct config_load_options *options,
                     const char **ret_base, struct diag *diag) {
    struct found found = { 0 };
    int rc = find_base_beside(arena, file, notation, options, &found, diag);
    struct stat status;
    if (rc == 0 && !found.base && lstat(file, &status) == 0 && S_ISLNK(status.st_mode))
        rc = find_base_beside(arena, resolved, notation, options, &found, diag);
    *ret_base = found.base ? found.base : found.routing_alone;
    return rc;
}

const char *config_find_base(struct arena *arena, const char *file, const struct config_notation *notation) {
    char *resolved = str_ends(str_from_c(file), str_from_c(notation->suffix)) ? realpath(file, NULL) : NULL;
    const char *base = NULL;
    if (resolved && find_base(arena, file, resolved, notation, NULL, &base, NULL) < 0)
        base = NULL;
    free(resolved);
    return base;
}

static int report_no_base(struct diag *diag) {
    diag_error(diag, "E_BASE", (struct diag_at){ 0 },
               VSR_STR("name its configuration with --base, or put it beside it as NAME.yaml or config.yaml"),
               "nothing says where to listen and which backends there are");
    return VSR_E_INVALID;
}

static int read_found_base(struct arena *arena, const char *file, const char *resolved,
                           const struct config_load_options *options, struct document_source *source,
                           struct diag *diag) {
    const char *base = NULL;
    int rc = find_base(arena, file, resolved, source->notation, options, &base, diag);
    if (rc == 0 && base)
        return read_base(arena, base, options, source, diag);
    return rc == 0 && options->serving ? report_no_base(diag) : rc;
}

int document_source_read(struct arena *arena, const char *file, const char *resolved,
                         const struct config_load_options *options, struct document_source *ret_source,
                         struct diag *diag) {
    struct document_source *source = ret_source;
    const struct config_notation *notation = options->notation;
    int rc;
    *source = (struct document_source){ 0 };
    rc = read_file(resolved, arena, &source->text, &source->is_shared, diag);
    if (rc < 0 || !notation || !str_ends(str_from_c(resolved), str_from_c(notation->suffix)))
        return rc;
    source->notation = notation;
    source->is_shared = false;
    return options->base ? read_named_base(arena, options, source, diag)
                         : read_found_base(arena, file, resolved, options, source, diag);
}

/* ---- the tree */

bool config_complete_base(struct arena *arena, struct yaml_node *root) {
    if (root->kind != YAML_MAPPING)
        return false;
    if (yaml_find(root, VSR_STR("routing")) < 0) /* a policy that says nothing is one */
        yaml_append(arena, root, yaml_new_scalar(arena, VSR_STR("routing"), NULL), yaml_new(arena, YAML_MAPPING, NULL));
    for (size_t i = 0; i < root->n_items; i++)
        if (!is_written(root->keys[i]->text))
            return false;
    yaml_append(arena, root, yaml_new_scalar(arena, VSR_STR("version"), NULL),
                yaml_new_scalar(arena, VSR_STR(CONFIG_CONTRACT), NULL));
    return true;
}

/* The base's problems become problems of the document's second file. */
static void take_problems(const struct diag *of_base, struct diag *diag) {
    for (size_t i = 0; i < of_base->n_items; i++) {
        const struct diag_item *item = &of_base->items[i];
        struct diag_at at = { item->line + YAML_SECOND_FILE, item->col, item->path };
        if (item->severity == DIAG_ERROR)
            diag_error(diag, item->code, at, item->hint, "%.*s", VSR_FMT(item->message));
        else
            diag_warn(diag, item->code, at, item->hint, "%.*s", VSR_FMT(item->message));
    }
}

static int read_base_tree(struct arena *arena, const struct document_source *source, struct yaml_node **ret_base,
                          struct diag *diag) {
    struct diag of_base;
    int rc;
    if (!source->base) {
        *ret_base = yaml_new(arena, YAML_MAPPING, NULL);
        return 0;
    }
    diag->second_file = str_from_c(source->base);
    diag_init(&of_base, arena, diag->second_file);
    rc = yaml_tree_parse(arena, source->base_text, ret_base, &of_base);
    take_problems(&of_base, diag);
    if (rc == 0)
        yaml_tree_set_second_file(*ret_base);
    return rc;
}

int document_source_tree(struct arena *arena, const struct document_source *source,
                         const struct config_load_options *options, struct yaml_node **ret_root, struct diag *diag) {
    struct yaml_node *base = NULL, *written = NULL;
    int rc, base_rc;
    if (!source->notation)
        return yaml_tree_parse(arena, source->text, ret_root, diag);
    rc = source->notation->read(arena, &options->parts, source->text, &written, diag);
    base_rc = read_base_tree(arena, source, &base, diag);
    if (rc < 0 || base_rc < 0)
        return rc < 0 ? rc : base_rc;
    if (base->kind == YAML_MAPPING)
        rc = source->notation->merge(arena, &options->parts, base, written, diag);
    if (rc < 0)
        return rc;
    *ret_root = base; /* what is no mapping is told by whoever reads on */
    return config_complete_base(arena, base) && options->serving ? report_no_base(diag) : 0;
}
