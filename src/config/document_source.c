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

enum { READ_LEN = 65536 };

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

/* NAME.yaml beside NAME.dsl, else config.yaml there; one that appears later is noticed. */
static int find_base_beside(struct arena *arena, const char *path, const struct config_load_options *options,
                            struct document_source *source, struct diag *diag) {
    const char *slash = strrchr(path, '/');
    vsr_str name = str_from_c(slash ? slash + 1 : path), suffix = str_from_c(source->notation->suffix);
    char *dir = dir_of(arena, path);
    vsr_str stem = str_ends(name, suffix) ? str_make(name.ptr, name.len - suffix.len) : name;
    vsr_str places[2];
    if (!dir)
        return document_source_report(diag, "find", path);
    places[0] = arena_printf(arena, "%s/%.*s.yaml", dir, VSR_FMT(stem));
    places[1] = arena_printf(arena, "%s/config.yaml", dir);
    free(dir);
    for (size_t i = 0; i < VSR_COUNT(places); i++) {
        const char *place = arena_c_str(arena, places[i]);
        struct stat status;
        if (stat(place, &status) == 0)
            return read_base(arena, place, options, source, diag);
        tell(options, place, NULL);
    }
    return 0;
}

/* Beside the file as it was named; a link that has none there may lead to one that has. */
static int find_base(struct arena *arena, const char *file, const char *resolved,
                     const struct config_load_options *options, struct document_source *source, struct diag *diag) {
    int rc = find_base_beside(arena, file, options, source, diag);
    struct stat status;
    if (rc == 0 && !source->base && lstat(file, &status) == 0 && S_ISLNK(status.st_mode))
        rc = find_base_beside(arena, resolved, options, source, diag);
    if (rc < 0 || source->base || !options->serving)
        return rc;
    diag_error(diag, "E_BASE", (struct diag_at){ 0 },
               VSR_STR("name its configuration with --base, or put it beside it as NAME.yaml or config.yaml"),
               "nothing says where to listen and which backends there are");
    return VSR_E_INVALID;
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
                         : find_base(arena, file, resolved, options, source, diag);
}

/* ---- the tree */

/* What a base without a file says: the version. */
static struct yaml_node *empty_base(struct arena *arena) {
    struct yaml_node *base = yaml_new(arena, YAML_MAPPING, NULL);
    yaml_append(arena, base, yaml_new_scalar(arena, VSR_STR("version"), NULL),
                yaml_new_scalar(arena, VSR_STR(CONFIG_CONTRACT), NULL));
    return base;
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
        *ret_base = empty_base(arena);
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
        source->notation->merge(arena, &options->parts, base, written);
    *ret_root = base; /* what is no mapping is told by whoever reads on */
    return 0;
}
