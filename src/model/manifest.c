#include "model/manifest.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/utf8.h"
#include "model/file.h"

enum { MANIFEST_FORMAT = 1 };

bool model_path_safe(vsr_str path) {
    size_t depth = 0;
    if (path.len == 0 || path.len > MANIFEST_PATH_LEN_MAX || utf8_check(path) != path.len)
        return false;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '\\' || c == ':')
            return false;
    }
    for (vsr_str rest = path; rest.ptr; depth++) {
        vsr_str part = str_split(&rest, '/');
        if (part.len == 0 || str_eq_c(part, ".") || str_eq_c(part, ".."))
            return false;
    }
    return depth <= MANIFEST_PATH_DEPTH_MAX;
}

int manifest_file_compare(const void *a, const void *b) {
    return str_cmp(((const struct manifest_file *)a)->path, ((const struct manifest_file *)b)->path);
}

const struct manifest_file *manifest_find(const struct manifest *manifest, vsr_str path) {
    const struct manifest_file key = { .path = path };
    if (manifest->n_files == 0)
        return NULL;
    return bsearch(&key, manifest->files, manifest->n_files, sizeof(key), manifest_file_compare);
}

/* ---- reading */

static int read_text(struct arena *arena, const struct json_doc *doc, const char *key, vsr_str *ret,
                     struct vsr_err *err) {
    json_ref ref = json_get(doc, 0, str_from_c(key));
    if (ref == JSON_NONE)
        return 0;
    if (!json_str(arena, doc, ref, ret))
        return err_set(err, VSR_E_INVALID, "\"%s\" must be a string", key);
    *ret = arena_str(arena, *ret);
    return 0;
}

static int read_file(struct arena *arena, const struct json_doc *doc, json_ref ref, struct manifest_file *ret,
                     struct vsr_err *err) {
    int64_t size = -1;
    vsr_str hex = VSR_STR("");
    if (!json_str(arena, doc, json_get(doc, ref, VSR_STR("path")), &ret->path) || !model_path_safe(ret->path))
        return err_set(err, VSR_E_INVALID, "\"path\" of a file must be a name below the directory");
    ret->path = arena_str(arena, ret->path);
    if (!json_i64(doc, json_get(doc, ref, VSR_STR("size")), &size) || size < 0)
        return err_set(err, VSR_E_INVALID, "\"size\" of \"%.*s\" must be a number of bytes", VSR_FMT(ret->path));
    if (!json_str(arena, doc, json_get(doc, ref, VSR_STR("sha256")), &hex) ||
        !digest_set(&ret->sha256, DIGEST_SHA256, hex))
        return err_set(err, VSR_E_INVALID, "\"sha256\" of \"%.*s\" must be 64 hexadecimal digits", VSR_FMT(ret->path));
    ret->size = (uint64_t)size;
    return 0;
}

static int read_files(struct arena *arena, const struct json_doc *doc, struct manifest *ret, struct vsr_err *err) {
    json_ref list = json_get(doc, 0, VSR_STR("files"));
    int rc = 0;
    if (!json_is(doc, list, JSON_ARRAY))
        return err_set(err, VSR_E_INVALID, "\"files\" must be a list");
    if (json_count(doc, list) > MANIFEST_FILES_MAX)
        return err_set(err, VSR_E_LIMIT, "more than %d files", MANIFEST_FILES_MAX);
    ret->files = ARENA_ARRAY(arena, struct manifest_file, json_count(doc, list));
    for (json_ref ref = json_first(doc, list); rc == 0 && ref != JSON_NONE; ref = json_next(doc, list, ref))
        rc = read_file(arena, doc, ref, &ret->files[ret->n_files++], err);
    if (rc < 0)
        return rc;
    qsort(ret->files, ret->n_files, sizeof(*ret->files), manifest_file_compare);
    for (size_t i = 1; i < ret->n_files; i++)
        if (str_eq(ret->files[i - 1].path, ret->files[i].path))
            return err_set(err, VSR_E_INVALID, "\"%.*s\" is listed twice", VSR_FMT(ret->files[i].path));
    return 0;
}

int manifest_parse(struct arena *arena, vsr_str text, struct manifest *ret_manifest, struct vsr_err *err) {
    struct manifest made = { 0 };
    struct json_doc doc;
    int64_t format = 0;
    int rc = json_parse(arena, text, &doc, err);
    if (rc < 0)
        return rc;
    if (!json_is(&doc, 0, JSON_OBJECT) || !json_i64(&doc, json_get(&doc, 0, VSR_STR("format")), &format) ||
        format != MANIFEST_FORMAT)
        return err_set(err, VSR_E_INVALID, "expected an object with \"format\": %d", MANIFEST_FORMAT);
    if ((rc = read_text(arena, &doc, "repo_id", &made.repo_id, err)) < 0 ||
        (rc = read_text(arena, &doc, "revision", &made.revision, err)) < 0 ||
        (rc = read_text(arena, &doc, "commit", &made.commit, err)) < 0 ||
        (rc = read_text(arena, &doc, "endpoint", &made.endpoint, err)) < 0 ||
        (rc = read_files(arena, &doc, &made, err)) < 0)
        return rc;
    *ret_manifest = made;
    return 0;
}

int manifest_read(struct arena *arena, int dir_fd, struct manifest *ret_manifest, struct vsr_err *err) {
    vsr_str text;
    int rc = file_read(arena, dir_fd, MANIFEST_NAME, MANIFEST_LEN_MAX, &text, err);
    if (rc == 0 && (rc = manifest_parse(arena, text, ret_manifest, err)) < 0)
        err_wrap(err, "%s", MANIFEST_NAME);
    return rc;
}

/* ---- writing */

void manifest_write(const struct manifest *manifest, struct buf *out) {
    struct json_writer w;
    const struct {
        const char *key;
        vsr_str value;
    } texts[] = {
        { "repo_id", manifest->repo_id },
        { "revision", manifest->revision },
        { "commit", manifest->commit },
        { "endpoint", manifest->endpoint },
    };
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("format"));
    json_write_i64(&w, MANIFEST_FORMAT);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        if (texts[i].value.len == 0)
            continue;
        json_write_key(&w, str_from_c(texts[i].key));
        json_write_str(&w, texts[i].value);
    }
    json_write_key(&w, VSR_STR("files"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < manifest->n_files; i++) {
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("path"));
        json_write_str(&w, manifest->files[i].path);
        json_write_key(&w, VSR_STR("size"));
        json_write_u64(&w, manifest->files[i].size);
        json_write_key(&w, VSR_STR("sha256"));
        json_write_str(&w, str_from_c(manifest->files[i].sha256.hex));
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}
