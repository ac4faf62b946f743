#include "model/hub_listing.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"
#include "model/completeness.h"
#include "model/manifest.h"
#include "text/tokenizer.h"

enum { COMMIT_LEN_MIN = 7, INSTEAD_LEN = 160 };

#define WEIGHTS "model.safetensors"
#define WEIGHTS_INDEX "model.safetensors.index.json"

/* ---- reading */

/* Names that nobody gives a file by accident. */
static bool is_hostile(vsr_str path) {
    if (path.len == 0 || path.ptr[0] == '/')
        return true;
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < 0x20 || path.ptr[i] == '\\')
            return true;
    for (vsr_str rest = path; rest.ptr;)
        if (str_eq_c(str_split(&rest, '/'), ".."))
            return true;
    return false;
}

static bool is_commit(vsr_str text) {
    if (text.len < COMMIT_LEN_MIN || text.len > HUB_COMMIT_LEN_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]) && !(text.ptr[i] >= 'a' && text.ptr[i] <= 'f'))
            return false;
    return true;
}

/* A large file's content is known by its SHA-256, a small one's by git's blob id. What is malformed is as good as none.
 */
static void read_digest(struct arena *arena, const struct json_doc *doc, json_ref entry, struct hub_file *file) {
    json_ref lfs = json_get(doc, entry, VSR_STR("lfs"));
    vsr_str hex;
    if (json_is(doc, lfs, JSON_OBJECT)) {
        (void)json_i64(doc, json_get(doc, lfs, VSR_STR("size")), &file->size);
        if (json_str(arena, doc, json_get(doc, lfs, VSR_STR("sha256")), &hex))
            (void)digest_set(&file->digest, DIGEST_SHA256, hex);
    } else if (json_str(arena, doc, json_get(doc, entry, VSR_STR("blobId")), &hex)) {
        (void)digest_set(&file->digest, DIGEST_GIT_BLOB, hex);
    }
}

/* Whether the entry became a file; a name that is merely unusual does not. */
static int read_entry(struct arena *arena, const struct json_doc *doc, json_ref entry, struct hub_file *ret,
                      bool *ret_leads_out, struct vsr_err *err) {
    *ret = (struct hub_file){ .size = -1 };
    if (!json_str(arena, doc, json_get(doc, entry, VSR_STR("rfilename")), &ret->path))
        return err_set(err, VSR_E_INVALID, "expected \"rfilename\" of every file");
    *ret_leads_out = is_hostile(ret->path);
    if (*ret_leads_out)
        return err_set(err, VSR_E_INVALID,
                       "the repository names a file %.*s, which leads out of its directory: nothing of it is taken",
                       VSR_FMT(str_sub(json_raw(doc, json_get(doc, entry, VSR_STR("rfilename"))), 0, 128)));
    if (!model_path_safe(ret->path))
        return 0;
    ret->path = arena_str(arena, ret->path);
    (void)json_i64(doc, json_get(doc, entry, VSR_STR("size")), &ret->size); /* stays -1 when it is none */
    read_digest(arena, doc, entry, ret);
    if (ret->size < 0)
        ret->size = -1;
    return 1;
}

static int compare(const void *a, const void *b) {
    return str_cmp(((const struct hub_file *)a)->path, ((const struct hub_file *)b)->path);
}

static int read_entries(struct arena *arena, const struct json_doc *doc, json_ref list, struct hub_listing *ret,
                        struct vsr_err *err) {
    size_t n = json_count(doc, list);
    int rc = 0;
    if (n > HUB_LISTING_FILES_MAX)
        return err_set(err, VSR_E_LIMIT, "the repository has %zu files, at most %d are read", n, HUB_LISTING_FILES_MAX);
    ret->files = ARENA_ARRAY(arena, struct hub_file, n);
    for (json_ref entry = json_first(doc, list); entry != JSON_NONE; entry = json_next(doc, list, entry)) {
        rc = read_entry(arena, doc, entry, &ret->files[ret->n_files], &ret->leads_out, err);
        if (rc < 0)
            return rc;
        ret->n_files += (size_t)rc;
    }
    if (ret->n_files > 0)
        qsort(ret->files, ret->n_files, sizeof(*ret->files), compare);
    for (size_t i = 1; i < ret->n_files; i++)
        if (str_eq(ret->files[i - 1].path, ret->files[i].path))
            return err_set(err, VSR_E_INVALID, "the repository names \"%.*s\" twice", VSR_FMT(ret->files[i].path));
    return 0;
}

int hub_listing_parse(struct arena *arena, vsr_str json, struct hub_listing *ret_listing, struct vsr_err *err) {
    struct hub_listing made = { 0 };
    struct json_doc doc;
    json_ref list;
    int rc = json_parse(arena, json, &doc, err);
    ret_listing->leads_out = false;
    if (rc < 0)
        return rc;
    list = json_get(&doc, 0, VSR_STR("siblings"));
    if (!json_str(arena, &doc, json_get(&doc, 0, VSR_STR("sha")), &made.commit) || !is_commit(made.commit))
        return err_set(err, VSR_E_INVALID, "expected \"sha\", the commit");
    if (!json_is(&doc, list, JSON_ARRAY))
        return err_set(err, VSR_E_INVALID, "expected \"siblings\", the files");
    made.commit = arena_str(arena, made.commit);
    rc = read_entries(arena, &doc, list, &made, err);
    ret_listing->leads_out = made.leads_out;
    if (rc == 0)
        *ret_listing = made;
    return rc;
}

/* ---- choosing */

static bool digits_between(vsr_str text, const char *before, const char *after) {
    vsr_str head = str_from_c(before), tail = str_from_c(after);
    if (text.len <= head.len + tail.len || !str_starts(text, head) || !str_ends(text, tail))
        return false;
    for (size_t i = head.len; i < text.len - tail.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    return true;
}

/* "model-00001-of-00003.safetensors" */
static bool is_shard(vsr_str name) {
    ptrdiff_t cut = str_find(name, VSR_STR("-of-"));
    return cut > 0 && digits_between(str_sub(name, 0, (size_t)cut), "model-", "") &&
           digits_between(str_sub(name, (size_t)cut, name.len), "-of-", ".safetensors");
}

/* "1_Pooling", "2_Dense": where sentence-transformers puts its modules. */
static bool is_module_dir(vsr_str name) {
    ptrdiff_t cut = str_find_char(name, '_');
    return cut > 0 && (size_t)cut + 1 < name.len && digits_between(str_sub(name, 0, (size_t)cut + 1), "", "_");
}

static bool is_json_wanted(vsr_str name) {
    if (str_ends(name, VSR_STR(".index.json")))
        return str_eq_c(name, WEIGHTS_INDEX);
    return str_ends(name, VSR_STR(".json")) && !str_eq_c(name, "trainer_state.json");
}

static bool is_root_wanted(vsr_str name) {
    static const char *const names[] = {
        WEIGHTS,
        "adapter_model.safetensors",
    };
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    for (size_t i = 0; tokenizer_files[i]; i++)
        if (str_eq_c(name, tokenizer_files[i]))
            return true;
    return is_json_wanted(name) || is_shard(name) || str_starts(name, VSR_STR("LICENSE")) ||
           str_starts(name, VSR_STR("NOTICE"));
}

bool hub_file_wanted(vsr_str path, const char *const *extra, size_t n_extra) {
    char text[MANIFEST_PATH_LEN_MAX + 1];
    vsr_str name = path, dir = str_split(&name, '/');
    if (!model_path_safe(path) || path.ptr[0] == '.')
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", VSR_FMT(path));
    for (size_t i = 0; i < n_extra; i++)
        if (fnmatch(extra[i], text, FNM_PERIOD) == 0)
            return true;
    if (!name.ptr)
        return is_root_wanted(path);
    if (str_eq_c(path, "onnx/model_config.json")) /* says which layers an embedder was trained for */
        return true;
    return is_module_dir(dir) && (str_eq_c(name, "config.json") || str_eq_c(name, WEIGHTS));
}

static bool has(const struct hub_listing *listing, const char *path) {
    const struct hub_file key = { .path = str_from_c(path) };
    return listing->n_files > 0 && bsearch(&key, listing->files, listing->n_files, sizeof(key), compare) != NULL;
}

/* Names of the first weights of other frameworks, for the message. */
static void list_instead(const struct hub_listing *listing, char text[static INSTEAD_LEN]) {
    static const char *const endings[] = { ".bin", ".onnx", ".h5", ".msgpack", ".pt", ".gguf", ".safetensors" };
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < listing->n_files; i++) {
        for (size_t e = 0; e < VSR_COUNT(endings); e++) {
            vsr_str path = listing->files[i].path;
            if (!str_ends(path, str_from_c(endings[e])) || len + path.len + 3 > INSTEAD_LEN)
                continue;
            len += (size_t)snprintf(text + len, INSTEAD_LEN - len, "%s%.*s", len > 0 ? ", " : "", VSR_FMT(path));
        }
    }
}

static int check_runnable(const struct hub_listing *all, const struct hub_listing *selected, struct vsr_err *err) {
    char instead[INSTEAD_LEN];
    bool tokenizer = false;
    if (has(selected, "adapter_config.json") && has(selected, "adapter_model.safetensors"))
        return 0;
    if (!has(selected, WEIGHTS) && !has(selected, WEIGHTS_INDEX)) {
        list_instead(all, instead);
        return err_set(err, VSR_E_INVALID,
                       "the repository has no weights that vsr reads: expected " WEIGHTS ", found %s",
                       instead[0] ? instead : "none at all");
    }
    if (!has(selected, "config.json"))
        return err_set(err, VSR_E_INVALID, "the repository has no config.json");
    for (size_t i = 0; tokenizer_files[i]; i++)
        tokenizer = tokenizer || has(selected, tokenizer_files[i]);
    return tokenizer
               ? 0
               : err_set(err, VSR_E_INVALID, "the repository has no tokenizer that vsr reads: expected tokenizer.json");
}

int hub_listing_select(struct hub_listing *listing, const char *const *extra, size_t n_extra, struct vsr_err *err) {
    struct hub_listing selected = { .commit = listing->commit, .files = listing->files };
    bool whole = has(listing, WEIGHTS);
    struct arena *scratch = arena_new(0, 0);
    int rc;
    selected.files = ARENA_ARRAY(scratch, struct hub_file, listing->n_files);
    for (size_t i = 0; i < listing->n_files; i++) {
        vsr_str path = listing->files[i].path;
        if (hub_file_wanted(path, extra, n_extra) && !(whole && (is_shard(path) || str_eq_c(path, WEIGHTS_INDEX))))
            selected.files[selected.n_files++] = listing->files[i];
    }
    rc = check_runnable(listing, &selected, err);
    if (rc == 0 && selected.n_files > MANIFEST_FILES_MAX)
        rc = err_set(err, VSR_E_LIMIT, "%zu files are wanted, at most %d are taken", selected.n_files,
                     MANIFEST_FILES_MAX);
    if (rc == 0) {
        if (selected.n_files > 0)
            memcpy(listing->files, selected.files, selected.n_files * sizeof(*selected.files));
        listing->n_files = selected.n_files;
    }
    arena_free(scratch);
    return rc;
}
