#include "model/completeness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/json.h"
#include "model/builtin.h"
#include "model/file.h"
#include "nn/model_file.h"
#include "nn/multimodal.h"
#include "nn/safetensors.h"
#include "text/tokenizer.h"

enum {
    HEADER_PREFIX_LEN = 8,
    JSON_LEN_MAX = 16 << 20, /* a config.json is 2 KB, an index of shards 100 KB */
    MODULES_MAX = 16,
    SCRATCH_BYTES_MAX = 1 << 30, /* the tape of the largest header */
};

#define WEIGHTS "model.safetensors"
#define WEIGHTS_INDEX "model.safetensors.index.json"
#define ADAPTER_CONFIG "adapter_config.json"
#define ADAPTER_WEIGHTS "adapter_model.safetensors"

struct check {
    struct arena *arena;
    int dir_fd;
    const struct completeness_options *options;
    struct completeness *out;
    size_t cap;
};

static void problem(struct check *check, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(struct check *check, const char *file, const char *format, ...) {
    struct completeness *out = check->out;
    char text[VSR_ERR_TEXT_LEN];
    va_list args;
    if (out->n_problems == COMPLETENESS_PROBLEMS_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut where it is longer */
    va_end(args);
    out->problems = arena_grow(check->arena, out->problems, sizeof(*out->problems), out->n_problems, &check->cap);
    out->problems[out->n_problems++] = (struct model_problem){
        .file = arena_str(check->arena, str_from_c(file)),
        .text = arena_str(check->arena, str_from_c(text)),
    };
}

/* ---- weights */

/* The header's own length stands before it. */
static uint64_t header_len(const unsigned char *bytes) {
    uint64_t len = 0;
    for (int i = HEADER_PREFIX_LEN - 1; i >= 0; i--)
        len = len << 8 | bytes[i];
    return len;
}

/* The reader tolerates bytes behind the last tensor; a file as it was published has none. */
static int check_extent(vsr_str bytes, const struct safetensors *file, struct vsr_err *err) {
    uint64_t want = HEADER_PREFIX_LEN + header_len((const unsigned char *)bytes.ptr);
    for (size_t i = 0; i < file->n; i++)
        want += file->tensors[i].len; /* they lie side by side, within the file: no overflow */
    if (want == bytes.len)
        return 0;
    return err_set(err, VSR_E_INVALID, "it has %zu bytes, its header accounts for %llu: get it anew", bytes.len,
                   (unsigned long long)want);
}

int completeness_check_weights(int fd, struct vsr_err *err) {
    struct arena *scratch;
    struct safetensors file;
    struct stat status;
    void *bytes;
    size_t len;
    int rc;
    if (fstat(fd, &status) != 0)
        return err_set(err, VSR_E_IO, "cannot read: %s", strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return err_set(err, VSR_E_INVALID, "this is no safetensors file: it has %lld bytes", (long long)status.st_size);
    len = (size_t)status.st_size;
    bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return err_set(err, VSR_E_IO, "cannot map: %s", strerror(errno));
    scratch = arena_new(0, SCRATCH_BYTES_MAX);
    rc = safetensors_parse(scratch, str_make(bytes, len), &file, err);
    if (rc == 0)
        rc = check_extent(str_make(bytes, len), &file, err);
    arena_free(scratch);
    munmap(bytes, len);
    return rc;
}

static void check_weights(struct check *check, const char *file) {
    struct vsr_err err = VSR_ERR_NONE;
    struct stat status;
    FILE_AUTO fd = openat(check->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        problem(check, file, errno == ENOENT ? "is missing" : "cannot be read: %s", strerror(errno));
        return;
    }
    check->out->weight_bytes += (uint64_t)status.st_size;
    if (completeness_check_weights(fd, &err) < 0)
        problem(check, file, "%s", err.text);
}

/* ---- JSON files */

/* False, with the problem reported, unless the file is there and holds JSON. */
static bool read_json(struct check *check, const char *file, struct json_doc *ret_doc) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text;
    if (file_read(check->arena, check->dir_fd, file, JSON_LEN_MAX, &text, &err) < 0) {
        problem(check, file, "%s", err.code == VSR_E_NOT_FOUND ? "is missing" : err.text);
        return false;
    }
    if (json_parse(check->arena, text, ret_doc, &err) < 0) {
        problem(check, file, "line %u: %s", err.line, err.text);
        return false;
    }
    return true;
}

static bool is_basename(vsr_str name) {
    return model_path_safe(name) && str_find_char(name, '/') < 0;
}

/* Each shard once, however many tensors lie in it. */
static void check_shards(struct check *check) {
    struct json_doc doc;
    json_ref weight_map;
    vsr_str *seen = NULL;
    size_t n_seen = 0, cap = 0, i;
    if (!read_json(check, WEIGHTS_INDEX, &doc))
        return;
    weight_map = json_get(&doc, 0, VSR_STR("weight_map"));
    if (!json_is(&doc, weight_map, JSON_OBJECT) || json_first(&doc, weight_map) == JSON_NONE) {
        problem(check, WEIGHTS_INDEX, "expected \"weight_map\", from tensors to files");
        return;
    }
    for (json_ref key = json_first(&doc, weight_map); key != JSON_NONE;) {
        json_ref value = json_next(&doc, weight_map, key);
        vsr_str shard;
        if (!json_str(check->arena, &doc, value, &shard) || !is_basename(shard)) {
            problem(check, WEIGHTS_INDEX, "tensor %.*s: expected the name of a file beside it",
                    VSR_FMT(str_sub(json_raw(&doc, key), 0, 128)));
            return;
        }
        for (i = n_seen; i > 0 && !str_eq(seen[i - 1], shard); i--)
            continue; /* tensors of a shard stand together: the last one is the likely one */
        if (i == 0 && n_seen == MANIFEST_FILES_MAX) {
            problem(check, WEIGHTS_INDEX, "names more than %d files", MANIFEST_FILES_MAX);
            return;
        }
        if (i == 0) {
            seen = arena_grow(check->arena, seen, sizeof(*seen), n_seen, &cap);
            seen[n_seen++] = arena_str(check->arena, shard);
            check_weights(check, seen[n_seen - 1].ptr);
        }
        key = json_next(&doc, weight_map, value);
    }
}

/* ---- parts of a directory */

static void check_tokenizer(struct check *check) {
    for (size_t i = 0; tokenizer_files[i]; i++)
        if (file_exists(check->dir_fd, tokenizer_files[i]))
            return;
    problem(check, "tokenizer.json", "is missing, and so is every other form of a tokenizer");
}

static void check_trunk(struct check *check) {
    static const char *const others[] = { "pytorch_model.bin", "pytorch_model.bin.index.json",
                                          "model.onnx",        "onnx/model.onnx",
                                          "tf_model.h5",       "flax_model.msgpack" };
    if (file_exists(check->dir_fd, WEIGHTS)) {
        check_weights(check, WEIGHTS);
        return;
    }
    if (file_exists(check->dir_fd, WEIGHTS_INDEX)) {
        check_shards(check);
        return;
    }
    for (size_t i = 0; i < VSR_COUNT(others); i++) {
        if (file_exists(check->dir_fd, others[i])) {
            problem(check, WEIGHTS, "is missing; there is %s, which vsr does not read: convert it to safetensors",
                    others[i]);
            return;
        }
    }
    problem(check, WEIGHTS, "is missing");
}

static void check_module(struct check *check, const struct json_doc *doc, json_ref module) {
    vsr_str type = VSR_STR(""), path = VSR_STR("");
    const char *file;
    bool dense;
    (void)json_str(check->arena, doc, json_get(doc, module, VSR_STR("type")), &type); /* what is no text stays empty */
    (void)json_str(check->arena, doc, json_get(doc, module, VSR_STR("path")), &path);
    dense = str_ends(type, VSR_STR(".Dense"));
    if (path.len == 0 || (!dense && !str_ends(type, VSR_STR(".Pooling"))))
        return;
    if (path.ptr[path.len - 1] == '/')
        path.len--;
    if (!model_file_is_below(path)) {
        problem(check, "modules.json", "\"path\" of a module must lie below the model's directory");
        return;
    }
    file = arena_printf(check->arena, "%.*s/config.json", VSR_FMT(path)).ptr;
    if (!file_exists(check->dir_fd, file))
        problem(check, file, "is missing");
    if (dense)
        check_weights(check, arena_printf(check->arena, "%.*s/" WEIGHTS, VSR_FMT(path)).ptr);
}

static void check_modules(struct check *check) {
    struct json_doc doc;
    size_t n = 0;
    if (!file_exists(check->dir_fd, "modules.json") || !read_json(check, "modules.json", &doc))
        return;
    if (!json_is(&doc, 0, JSON_ARRAY) || json_count(&doc, 0) > MODULES_MAX) {
        problem(check, "modules.json", "expected a list of at most %d modules", MODULES_MAX);
        return;
    }
    for (json_ref module = json_first(&doc, 0); n < MODULES_MAX && module != JSON_NONE; n++) {
        check_module(check, &doc, module);
        module = json_next(&doc, 0, module);
    }
}

static void check_config(struct check *check) {
    struct json_doc doc;
    vsr_str type;
    if (!read_json(check, "config.json", &doc))
        return;
    if (multimodal_is_doc(&doc)) { /* it says no kind of encoder, as it is none alone */
        check->out->model_type = VSR_STR("multi-modal embedder");
        return;
    }
    if (json_str(check->arena, &doc, json_get(&doc, 0, VSR_STR("model_type")), &type))
        check->out->model_type = arena_str(check->arena, type);
    else
        problem(check, "config.json", "expected \"model_type\", which says what kind of model this is");
}

static void check_adapter(struct check *check) {
    struct json_doc doc;
    (void)read_json(check, ADAPTER_CONFIG, &doc); /* reports */
    check_weights(check, ADAPTER_WEIGHTS);
}

/* ---- manifest */

static void check_hash(struct check *check, const struct manifest_file *file) {
    struct vsr_err err = VSR_ERR_NONE;
    struct digest digest;
    FILE_AUTO fd = openat(check->dir_fd, file->path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        problem(check, file->path.ptr, "cannot be read: %s", strerror(errno));
    else if (digest_fd(fd, DIGEST_SHA256, file->size, &check->options->progress, &digest, &err) < 0)
        problem(check, file->path.ptr, "%s", err.text);
    else if (!digest_eq(&digest, &file->sha256))
        problem(check, file->path.ptr, "has other content than it was downloaded with: sha256 %s, expected %s",
                digest.hex, file->sha256.hex);
    check->out->n_hashed++;
}

static void check_manifest(struct check *check) {
    const struct manifest *manifest = &check->out->manifest;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = manifest_read(check->arena, check->dir_fd, &check->out->manifest, &err);
    if (rc == VSR_E_NOT_FOUND)
        return;
    if (rc < 0) {
        problem(check, MANIFEST_NAME, "%s", err.text);
        return;
    }
    check->out->has_manifest = true;
    for (size_t i = 0; i < manifest->n_files; i++) {
        const struct manifest_file *file = &manifest->files[i];
        uint64_t size;
        if (!file_size(check->dir_fd, file->path.ptr, &size))
            problem(check, file->path.ptr, "is missing");
        else if (size != file->size)
            problem(check, file->path.ptr, "has %llu bytes, it was downloaded with %llu", (unsigned long long)size,
                    (unsigned long long)file->size);
        else if (check->options->hashes)
            check_hash(check, file);
    }
}

/* ---- all of it */

/* A file can be found missing both by what it is for and by the manifest: the first report is the better one. */
static void drop_repeats(struct completeness *out) {
    size_t n = 0;
    for (size_t i = 0; i < out->n_problems; i++) {
        size_t j = 0;
        while (j < n && !str_eq(out->problems[j].file, out->problems[i].file))
            j++;
        if (j == n)
            out->problems[n++] = out->problems[i];
    }
    out->n_problems = n;
}

/* Opening one reads all of it but the table of subwords; what is part of the program cannot be missing. */
static int check_builtin(vsr_str name, struct completeness *ret, struct vsr_err *err) {
    const struct builtin_model *model;
    int rc = builtin_open(name, &model, err);
    if (rc == 0)
        *ret = (struct completeness){ .weight_bytes = builtin_weight_bytes(model), .model_type = VSR_STR("mixer") };
    return rc;
}

int completeness_check(struct arena *arena, vsr_str path, const struct completeness_options *options,
                       struct completeness *ret, struct vsr_err *err) {
    struct completeness made = { 0 };
    struct check check = { .arena = arena, .dir_fd = -1, .options = options, .out = &made };
    FILE_AUTO fd = -1;
    int rc;
    if (builtin_is(path))
        return check_builtin(path, ret, err);
    rc = file_open_dir(AT_FDCWD, path.ptr, &fd, err);
    if (rc < 0)
        return rc;
    check.dir_fd = fd;
    made.adapter = file_exists(fd, ADAPTER_CONFIG) && !file_exists(fd, WEIGHTS) && !file_exists(fd, WEIGHTS_INDEX);
    if (made.adapter) {
        check_adapter(&check);
    } else {
        check_config(&check);
        check_tokenizer(&check);
        check_trunk(&check);
        check_modules(&check);
    }
    for (size_t i = 0; i < options->n_required; i++) {
        const char *file = arena_c_str(arena, options->required[i]);
        if (!file_exists(fd, file))
            problem(&check, file, "is missing, and the configuration names it");
    }
    check_manifest(&check);
    drop_repeats(&made);
    *ret = made;
    return 0;
}
