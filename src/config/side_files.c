#include "config/side_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/json.h"

/* ---- finding */

size_t side_file_candidates(const struct side_file_roots *roots, vsr_str path, struct arena *arena,
                            vsr_str candidates[SIDE_FILE_CANDIDATES_MAX]) {
    bool managed = str_starts(path, VSR_STR("knowledge_bases/"));
    const vsr_str all[SIDE_FILE_CANDIDATES_MAX] = { managed ? roots->state_dir : VSR_STR(""), roots->base_dir,
                                                    roots->asset_root, roots->install_dir };
    size_t n = 0;
    if (path.len && path.ptr[0] == '/') {
        candidates[n++] = path;
        return n;
    }
    for (size_t i = 0; i < SIDE_FILE_CANDIDATES_MAX; i++)
        if (all[i].len)
            candidates[n++] = arena_printf(arena, "%.*s/%.*s", VSR_FMT(all[i]), VSR_FMT(path));
    return n;
}

/* PREFIX/bin/vsr has its files in PREFIX/share/vsr/config. */
vsr_str side_file_install_dir(struct arena *arena) {
    char *path = arena_alloc(arena, SIDE_FILE_PATH_LEN_MAX);
    ssize_t len = readlink("/proc/self/exe", path, SIDE_FILE_PATH_LEN_MAX);
    vsr_str prefix = { path, len > 0 && len < SIDE_FILE_PATH_LEN_MAX ? (size_t)len : 0 };
    for (int up = 0; up < 2; up++) {
        while (prefix.len && prefix.ptr[prefix.len - 1] != '/')
            prefix.len--;
        if (prefix.len)
            prefix.len--;
    }
    return prefix.len ? arena_printf(arena, "%.*s/share/vsr/config", VSR_FMT(prefix)) : VSR_STR("");
}

static int read_all(int fd, vsr_str file, size_t len, struct arena *arena, vsr_str *ret_text, struct vsr_err *err) {
    char *bytes = arena_alloc(arena, len + 1);
    size_t n = 0;
    while (n <= len) {
        ssize_t got = read(fd, bytes + n, len + 1 - n);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return err_set(err, VSR_E_IO, "cannot read \"%.*s\": %s", VSR_FMT(file), strerror(errno));
        n += got > 0 ? (size_t)got : 0;
    }
    if (n > len)
        return err_set(err, VSR_E_IO, "\"%.*s\" grew while it was read", VSR_FMT(file));
    *ret_text = str_make(bytes, n);
    return 0;
}

/* Only an ordinary file has an end and a length. */
static int read_open(int fd, vsr_str file, struct arena *arena, vsr_str *ret_text, struct vsr_err *err) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return err_set(err, VSR_E_IO, "cannot look at \"%.*s\": %s", VSR_FMT(file), strerror(errno));
    if (!S_ISREG(status.st_mode))
        return err_set(err, VSR_E_IO, "\"%.*s\" is not an ordinary file", VSR_FMT(file));
    if (status.st_size > SIDE_FILE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "\"%.*s\" is longer than %d bytes", VSR_FMT(file), SIDE_FILE_LEN_MAX);
    return read_all(fd, file, (size_t)status.st_size, arena, ret_text, err);
}

int side_file_read(const vsr_str *candidates, size_t n, struct arena *arena, vsr_str *ret_file, vsr_str *ret_text,
                   struct vsr_err *err) {
    for (size_t i = 0; i < n; i++) {
        vsr_str file = candidates[i];
        int fd, rc;
        if (file.len >= SIDE_FILE_PATH_LEN_MAX || memchr(file.ptr, 0, file.len))
            continue;
        fd = open(arena_c_str(arena, file), O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        if (fd < 0)
            return err_set(err, VSR_E_IO, "cannot open \"%.*s\": %s", VSR_FMT(file), strerror(errno));
        rc = read_open(fd, file, arena, ret_text, err);
        (void)close(fd); /* it was only read */
        if (rc == 0)
            *ret_file = file;
        return rc;
    }
    return err_set(err, VSR_E_NOT_FOUND, "there is no such file");
}

/* ---- reading JSON */

struct reader {
    struct arena *arena;
    struct json_doc doc;
    struct vsr_err *err;
};

static int wrong(const struct reader *r, json_ref ref, int code, const char *what) {
    uint32_t line = 0, col = 0;
    json_position(r->doc.text, ref == JSON_NONE ? 0 : r->doc.nodes[ref].start, &line, &col);
    err_set(r->err, code, "%s", what);
    err_at(r->err, VSR_STR(""), line, col);
    return code;
}

static int open_json(struct reader *r, struct arena *arena, vsr_str text, enum json_type type, const char *what,
                     struct vsr_err *err) {
    int rc;
    *r = (struct reader){ .arena = arena, .err = err };
    if (text.len > SIDE_FILE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "longer than %d bytes", SIDE_FILE_LEN_MAX);
    rc = json_parse(arena, text, &r->doc, err);
    if (rc < 0)
        return rc;
    return json_is(&r->doc, 0, type) ? 0 : wrong(r, 0, VSR_E_INVALID, what);
}

/* A copy: the text of the file is let go. Absent and null are empty. */
static int read_text(const struct reader *r, json_ref object, const char *key, vsr_str *ret_text) {
    json_ref ref = json_get(&r->doc, object, str_from_c(key));
    vsr_str text;
    if (ref == JSON_NONE || json_is(&r->doc, ref, JSON_NULL))
        return 0;
    if (!json_str(r->arena, &r->doc, ref, &text))
        return wrong(r, ref, VSR_E_INVALID, "expected text");
    *ret_text = arena_str(r->arena, text);
    return 0;
}

struct text_limits {
    size_t n_max, len_max;
    const char *what; /* is wrong with an entry that is no text, blank or too long */
};

static int read_texts(const struct reader *r, json_ref array, const struct text_limits *limits, vsr_str **ret_items,
                      size_t *ret_n) {
    size_t n = json_count(&r->doc, array), i = 0;
    if (n > limits->n_max)
        return wrong(r, array, VSR_E_LIMIT, "too many entries");
    *ret_items = ARENA_ARRAY(r->arena, vsr_str, n);
    for (json_ref ref = json_first(&r->doc, array); ref != JSON_NONE; ref = json_next(&r->doc, array, ref)) {
        vsr_str text = { 0 };
        if (!json_str(r->arena, &r->doc, ref, &text) || str_trim(text).len == 0 || text.len > limits->len_max)
            return wrong(r, ref, VSR_E_INVALID, limits->what);
        (*ret_items)[i++] = arena_str(r->arena, text);
    }
    *ret_n = n;
    return 0;
}

/* ---- knowledge bases */

static int read_label(const struct reader *r, json_ref key, json_ref value, struct config_kb_label *label) {
    static const struct text_limits limits = { KB_EXEMPLARS_MAX, KB_EXEMPLAR_LEN_MAX,
                                               "an exemplar must be text that is not blank, of at most 65536 bytes" };
    json_ref exemplars = json_get(&r->doc, value, VSR_STR("exemplars"));
    vsr_str name = { 0 };
    int rc;
    if (!json_str(r->arena, &r->doc, key, &name) || str_trim(name).len == 0)
        return wrong(r, key, VSR_E_INVALID, "the name of a label must not be blank");
    label->name = arena_str(r->arena, name);
    if (!json_is(&r->doc, value, JSON_OBJECT))
        return wrong(r, value, VSR_E_INVALID, "expected an object with exemplars");
    if (!json_is(&r->doc, exemplars, JSON_ARRAY) || json_first(&r->doc, exemplars) == JSON_NONE)
        return wrong(r, exemplars == JSON_NONE ? value : exemplars, VSR_E_INVALID,
                     "a label needs a list \"exemplars\" with at least one text");
    rc = read_text(r, value, "description", &label->description);
    return rc < 0 ? rc : read_texts(r, exemplars, &limits, &label->exemplars, &label->n_exemplars);
}

static int read_labels(const struct reader *r, json_ref labels, struct config_kb_manifest *manifest) {
    json_ref key;
    size_t n;
    if (!json_is(&r->doc, labels, JSON_OBJECT) || json_first(&r->doc, labels) == JSON_NONE)
        return wrong(r, labels, VSR_E_INVALID, "expected an object \"labels\" with at least one label");
    n = json_count(&r->doc, labels);
    if (n > KB_LABELS_MAX)
        return wrong(r, labels, VSR_E_LIMIT, "too many labels");
    manifest->labels = ARENA_ARRAY(r->arena, struct config_kb_label, n);
    map_init(&manifest->by_name, r->arena);
    for (key = json_first(&r->doc, labels); key != JSON_NONE;) {
        json_ref value = json_next(&r->doc, labels, key);
        struct config_kb_label *label = &manifest->labels[manifest->n_labels++];
        int rc = read_label(r, key, value, label);
        if (rc < 0)
            return rc;
        if (map_put(&manifest->by_name, label->name, label))
            return wrong(r, key, VSR_E_INVALID, "this label stands here twice");
        key = json_next(&r->doc, labels, value);
    }
    return 0;
}

int kb_manifest_parse(struct arena *arena, vsr_str text, struct config_kb_manifest **ret_manifest,
                      struct vsr_err *err) {
    struct config_kb_manifest *manifest = ARENA_NEW(arena, struct config_kb_manifest);
    struct reader r;
    int rc = open_json(&r, arena, text, JSON_OBJECT, "expected an object with labels", err);
    if (rc == 0)
        rc = read_text(&r, 0, "version", &manifest->version);
    if (rc == 0)
        rc = read_text(&r, 0, "description", &manifest->description);
    if (rc == 0)
        rc = read_labels(&r, json_get(&r.doc, 0, VSR_STR("labels")), manifest);
    if (rc == 0)
        *ret_manifest = manifest;
    return rc;
}

const struct config_kb_label *config_kb_label(const struct config_kb_manifest *manifest, vsr_str name) {
    return map_get(&manifest->by_name, name);
}

/* ---- tools */

static int read_function(const struct reader *r, json_ref tool, struct config_tool *ret_tool) {
    json_ref type = json_get(&r->doc, tool, VSR_STR("type"));
    json_ref function = json_get(&r->doc, tool, VSR_STR("function"));
    int rc;
    if (!json_is(&r->doc, tool, JSON_OBJECT) || !json_is(&r->doc, type, JSON_STRING) ||
        !json_str_eq(&r->doc, type, VSR_STR("function")) || !json_is(&r->doc, function, JSON_OBJECT))
        return wrong(r, tool, VSR_E_INVALID,
                     "expected \"tool\": {\"type\": \"function\", \"function\": {\"name\": ...}}");
    rc = read_text(r, function, "name", &ret_tool->name);
    if (rc == 0 && str_trim(ret_tool->name).len == 0)
        rc = wrong(r, function, VSR_E_INVALID, "a function needs a name");
    if (rc == 0)
        rc = read_text(r, function, "description", &ret_tool->description);
    ret_tool->json = arena_str(r->arena, json_raw(&r->doc, tool));
    return rc;
}

static int read_tool(const struct reader *r, json_ref entry, struct config_tool *ret_tool) {
    static const struct text_limits limits = { TOOL_TAGS_MAX, KB_EXEMPLAR_LEN_MAX,
                                               "a tag must be text that is not blank" };
    json_ref tool = json_get(&r->doc, entry, VSR_STR("tool")), tags = json_get(&r->doc, entry, VSR_STR("tags"));
    int rc;
    if (!json_is(&r->doc, entry, JSON_OBJECT) || tool == JSON_NONE)
        return wrong(r, entry, VSR_E_INVALID, "expected an object with a tool");
    rc = read_function(r, tool, ret_tool);
    if (rc == 0)
        rc = read_text(r, entry, "description", &ret_tool->description);
    if (rc == 0)
        rc = read_text(r, entry, "category", &ret_tool->category);
    if (rc < 0 || tags == JSON_NONE || json_is(&r->doc, tags, JSON_NULL))
        return rc;
    if (!json_is(&r->doc, tags, JSON_ARRAY))
        return wrong(r, tags, VSR_E_INVALID, "expected a list of tags");
    return read_texts(r, tags, &limits, &ret_tool->tags, &ret_tool->n_tags);
}

int tools_db_parse(struct arena *arena, vsr_str text, struct config_tools_db **ret_db, struct vsr_err *err) {
    struct config_tools_db *db = ARENA_NEW(arena, struct config_tools_db);
    struct reader r;
    struct map names;
    int rc = open_json(&r, arena, text, JSON_ARRAY, "expected a list of tools", err);
    if (rc < 0)
        return rc;
    if (json_count(&r.doc, 0) > TOOLS_MAX)
        return wrong(&r, 0, VSR_E_LIMIT, "too many tools");
    map_init(&names, arena);
    db->tools = ARENA_ARRAY(arena, struct config_tool, json_count(&r.doc, 0));
    for (json_ref entry = json_first(&r.doc, 0); entry != JSON_NONE; entry = json_next(&r.doc, 0, entry)) {
        struct config_tool *tool = &db->tools[db->n_tools++];
        rc = read_tool(&r, entry, tool);
        if (rc < 0)
            return rc;
        if (map_put(&names, tool->name, tool))
            return wrong(&r, entry, VSR_E_INVALID, "a tool of that name is already there");
    }
    *ret_db = db;
    return 0;
}
