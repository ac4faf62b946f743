#include "nn/safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/arena.h"
#include "nn/json_fields.h"
#include "nn/model_file.h"

enum { LENGTH_LEN = 8 };

/* ---- one entry of the header */

struct entry {
    struct tensor tensor;
    size_t begin, end; /* in the data */
};

struct header {
    struct json_fields f;
    struct arena *arena;
    struct entry *entries;
    size_t n;
    vsr_str data, format;
    struct safetensors_note *notes;
    size_t n_notes;
    bool has_metadata;
};

#define WRONG(h, value, ...) (fields_wrong_value(&(h)->f, (value), __VA_ARGS__), (h)->f.rc)

static int read_dims(struct header *h, json_ref shape, struct tensor *tensor) {
    json_ref ref;
    tensor->n = 1;
    if (!json_is(&h->f.doc, shape, JSON_ARRAY))
        return WRONG(h, shape, "tensor \"%.*s\": \"shape\" is no array", VSR_FMT(tensor->name));
    for (ref = json_first(&h->f.doc, shape); ref != JSON_NONE; ref = json_next(&h->f.doc, shape, ref)) {
        int64_t dim;
        if (tensor->n_dims == TENSOR_DIMS_MAX)
            return WRONG(h, ref, "tensor \"%.*s\" has more than %d dimensions", VSR_FMT(tensor->name), TENSOR_DIMS_MAX);
        if (!json_i64(&h->f.doc, ref, &dim) || dim < 0)
            return WRONG(h, ref, "tensor \"%.*s\": a dimension is no count", VSR_FMT(tensor->name));
        if (__builtin_mul_overflow(tensor->n, (size_t)dim, &tensor->n))
            return WRONG(h, ref, "tensor \"%.*s\" has more elements than can be counted", VSR_FMT(tensor->name));
        tensor->dims[tensor->n_dims++] = (size_t)dim;
    }
    return 0;
}

static int read_offsets(struct header *h, json_ref offsets, struct entry *entry) {
    const struct json_doc *doc = &h->f.doc;
    const struct tensor *tensor = &entry->tensor;
    json_ref first = json_is(doc, offsets, JSON_ARRAY) ? json_first(doc, offsets) : JSON_NONE;
    json_ref second = first == JSON_NONE ? JSON_NONE : json_next(doc, offsets, first);
    int64_t begin, end;
    size_t len;
    if (second == JSON_NONE || json_next(doc, offsets, second) != JSON_NONE || !json_i64(doc, first, &begin) ||
        !json_i64(doc, second, &end) || begin < 0 || end < begin)
        return WRONG(h, offsets, "tensor \"%.*s\": \"data_offsets\" is no pair of begin and end",
                     VSR_FMT(tensor->name));
    if ((uint64_t)end > h->data.len)
        return WRONG(h, offsets, "tensor \"%.*s\" ends at byte %lld of %zu: the file is cut off", VSR_FMT(tensor->name),
                     (long long)end, h->data.len);
    if (__builtin_mul_overflow(tensor->n, dtype_len(tensor->dtype), &len) || len != (size_t)(end - begin)) {
        char shape[TENSOR_SHAPE_TEXT_LEN];
        return WRONG(h, offsets, "tensor \"%.*s\" has %lld bytes, which is not what %s of %s takes",
                     VSR_FMT(tensor->name), (long long)(end - begin),
                     tensor_shape_text(tensor->dims, tensor->n_dims, shape), dtype_name(tensor->dtype));
    }
    entry->begin = (size_t)begin;
    entry->end = (size_t)end;
    return 0;
}

static int read_entry(struct header *h, vsr_str name, json_ref value, struct entry *entry) {
    const struct json_doc *doc = &h->f.doc;
    json_ref dtype = json_get(doc, value, VSR_STR("dtype")), shape = json_get(doc, value, VSR_STR("shape"));
    json_ref offsets = json_get(doc, value, VSR_STR("data_offsets"));
    vsr_str type;
    int rc;
    *entry = (struct entry){ .tensor = { .name = name } };
    if (dtype == JSON_NONE || shape == JSON_NONE || offsets == JSON_NONE || json_count(doc, value) != 3)
        return WRONG(h, value, "tensor \"%.*s\": expected \"dtype\", \"shape\" and \"data_offsets\", each once",
                     VSR_FMT(name));
    if (!json_str(h->f.scratch, doc, dtype, &type) || !dtype_named(type, &entry->tensor.dtype))
        return WRONG(h, dtype, "tensor \"%.*s\": cannot read data of type %.*s", VSR_FMT(name),
                     VSR_FMT(str_sub(json_raw(doc, dtype), 0, 32)));
    if ((rc = read_dims(h, shape, &entry->tensor)) < 0 || (rc = read_offsets(h, offsets, entry)) < 0)
        return rc;
    entry->tensor.data = h->data.ptr + entry->begin;
    entry->tensor.len = entry->end - entry->begin;
    return 0;
}

/* Texts only; "format" says which library the arrays are laid out for. */
static int read_metadata(struct header *h, json_ref metadata) {
    const struct json_doc *doc = &h->f.doc;
    if (h->has_metadata)
        return WRONG(h, metadata, "\"__metadata__\" stands in the header twice");
    h->has_metadata = true;
    if (!json_is(doc, metadata, JSON_OBJECT))
        return WRONG(h, metadata, "\"__metadata__\" is no object");
    if (json_count(doc, metadata) > SAFETENSORS_NOTES_MAX)
        return WRONG(h, metadata, "\"__metadata__\" has more than %d entries", SAFETENSORS_NOTES_MAX);
    h->notes = ARENA_ARRAY(h->arena, struct safetensors_note, json_count(doc, metadata));
    for (json_ref key = json_first(doc, metadata); key != JSON_NONE;) {
        json_ref value = json_next(doc, metadata, key);
        if (!json_is(doc, value, JSON_STRING))
            return WRONG(h, value, "\"__metadata__\" holds something that is no text");
        h->notes[h->n_notes++] =
            (struct safetensors_note){ .key = arena_str(h->arena, fields_text_of(&h->f, key)),
                                       .value = arena_str(h->arena, fields_text_of(&h->f, value)) };
        key = json_next(doc, metadata, value);
    }
    h->format = arena_str(h->arena, fields_text(&h->f, metadata, "format", VSR_STR("")));
    return 0;
}

static int read_members(struct header *h) {
    const struct json_doc *doc = &h->f.doc;
    size_t n = json_count(doc, 0);
    int rc = 0;
    if (n > SAFETENSORS_TENSORS_MAX)
        return err_set(h->f.err, VSR_E_LIMIT, "%zu tensors, more than %d", n, SAFETENSORS_TENSORS_MAX);
    h->entries = ARENA_ARRAY(h->f.scratch, struct entry, n);
    for (json_ref key = json_first(doc, 0); key != JSON_NONE && rc == 0;) {
        json_ref value = json_next(doc, 0, key);
        if (json_str_eq(doc, key, VSR_STR("__metadata__"))) {
            rc = read_metadata(h, value);
        } else {
            vsr_str name = fields_text_of(&h->f, key);
            rc = h->f.rc < 0 ? h->f.rc : read_entry(h, arena_str(h->arena, name), value, &h->entries[h->n++]);
        }
        key = json_next(doc, 0, value);
    }
    return rc;
}

/* ---- the file as a whole */

static int by_place(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) /* an empty tensor stands before the one that begins where it does */
        return x->end < y->end ? -1 : 1;
    return str_cmp(x->tensor.name, y->tensor.name);
}

static int by_name(const void *a, const void *b) {
    const struct tensor *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static int check_places(const struct header *h) {
    size_t at = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct entry *entry = &h->entries[i];
        if (entry->begin != at)
            return err_set(h->f.err, VSR_E_INVALID, "tensor \"%.*s\" begins at byte %zu, %s the one before it (%zu)",
                           VSR_FMT(entry->tensor.name), entry->begin,
                           entry->begin < at ? "inside" : "with a hole behind", at);
        at = entry->end;
    }
    return 0;
}

static int check_names(const struct safetensors *file, struct vsr_err *err) {
    for (size_t i = 1; i < file->n; i++) {
        if (str_eq(file->tensors[i - 1].name, file->tensors[i].name))
            return err_set(err, VSR_E_INVALID, "tensor \"%.*s\" stands in the header twice",
                           VSR_FMT(file->tensors[i].name));
    }
    return 0;
}

static int collect(struct header *h, struct safetensors *ret) {
    int rc = read_members(h);
    if (rc < 0)
        return rc;
    qsort(h->entries, h->n, sizeof(*h->entries), by_place);
    if ((rc = check_places(h)) < 0)
        return rc;
    *ret = (struct safetensors){ .tensors = ARENA_ARRAY(h->arena, struct tensor, h->n),
                                 .n = h->n,
                                 .format = h->format,
                                 .notes = h->notes,
                                 .n_notes = h->n_notes };
    for (size_t i = 0; i < h->n; i++)
        ret->tensors[i] = h->entries[i].tensor;
    qsort(ret->tensors, ret->n, sizeof(*ret->tensors), by_name);
    return check_names(ret, h->f.err);
}

int safetensors_parse(struct arena *arena, vsr_str bytes, struct safetensors *ret, struct vsr_err *err) {
    struct header h = { .arena = arena };
    struct safetensors file;
    uint64_t len = 0;
    vsr_str text;
    int rc;
    if (bytes.len < LENGTH_LEN)
        return err_set(err, VSR_E_INVALID, "%zu bytes are no safetensors file", bytes.len);
    for (size_t i = 0; i < LENGTH_LEN; i++)
        len |= (uint64_t)(unsigned char)bytes.ptr[i] << (8 * i);
    if (len > SAFETENSORS_HEADER_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the header's length is %llu, more than %d: not a safetensors file?",
                       (unsigned long long)len, SAFETENSORS_HEADER_LEN_MAX);
    if (len > bytes.len - LENGTH_LEN)
        return err_set(err, VSR_E_INVALID, "the header is %llu bytes, the file %zu: it is cut off",
                       (unsigned long long)len, bytes.len);
    text = str_make(bytes.ptr + LENGTH_LEN, (size_t)len);
    if (text.len == 0 || text.ptr[0] != '{')
        return err_set(err, VSR_E_INVALID, "the header does not begin with \"{\": not a safetensors file?");
    h.data = str_make(text.ptr + text.len, bytes.len - LENGTH_LEN - text.len);
    rc = fields_open(&h.f, text, err);
    if (rc == 0)
        rc = collect(&h, &file);
    else
        err_wrap(err, "header");
    (void)fields_end(&h.f); /* its problem is in `rc` already */
    if (rc == 0)
        *ret = file;
    return rc;
}

struct mapping {
    void *ptr;
    size_t len;
};

static void unmap(void *data) {
    struct mapping *mapping = data;
    (void)munmap(mapping->ptr, mapping->len); /* cannot fail on what was mapped */
}

int safetensors_open(struct arena *arena, const char *path, struct safetensors *ret, struct vsr_err *err) {
    struct mapping *mapping = ARENA_NEW(arena, struct mapping);
    int fd = -1, rc = model_file_open(path, &fd, &mapping->len, err);
    if (rc < 0)
        return rc;
    if (mapping->len == 0) {
        (void)close(fd); /* it was only read */
        return err_set(err, VSR_E_INVALID, "\"%s\" is empty", path);
    }
    mapping->ptr = mmap(NULL, mapping->len, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (mapping->ptr == MAP_FAILED)
        return err_set(err, VSR_E_NOMEM, "cannot map \"%s\": %s", path, strerror(errno));
    arena_on_free(arena, unmap, mapping);
    rc = safetensors_parse(arena, str_make(mapping->ptr, mapping->len), ret, err);
    if (rc < 0)
        err_wrap(err, "\"%s\"", path);
    return rc;
}

const struct tensor *safetensors_find(const struct safetensors *file, vsr_str name) {
    struct tensor key = { .name = name };
    return file->n == 0 ? NULL : bsearch(&key, file->tensors, file->n, sizeof(*file->tensors), by_name);
}

vsr_str safetensors_note(const struct safetensors *file, vsr_str key) {
    for (size_t i = 0; i < file->n_notes; i++)
        if (str_eq(file->notes[i].key, key))
            return file->notes[i].value;
    return VSR_STR("");
}

const char *tensor_shape_text(const size_t *dims, size_t n_dims, char text[static TENSOR_SHAPE_TEXT_LEN]) {
    size_t at = 1;
    text[0] = '[';
    for (size_t i = 0; i < n_dims && i < TENSOR_DIMS_MAX; i++)
        at += (size_t)snprintf(text + at, TENSOR_SHAPE_TEXT_LEN - at, "%s%zu", i ? ", " : "", dims[i]);
    (void)snprintf(text + at, TENSOR_SHAPE_TEXT_LEN - at, "]"); /* there is room by its definition */
    return text;
}
