#include "nn/labels.h"

#include <stdlib.h>

#include "core/arena.h"
#include "nn/json_fields.h"
#include "nn/model_file.h"

/* Answers use it for "no answer", so no answer may look like it. */
static const vsr_str reserved = VSR_STR_INIT("classification_error");

static const char *const index_maps[] = { "idx_to_category", "idx_to_label", "id_to_label", "id2label" };
static const char *const label_maps[] = { "category_to_idx", "label_to_idx", "label_to_id", "label2id" };

struct reader {
    struct json_fields f;
    struct arena *arena;
    vsr_str *names; /* [LABELS_MAX]; NULL pointer: none yet */
    size_t n;       /* the highest index so far and one */
};

/* ---- maps */

static void add(struct reader *r, json_ref at, uint64_t index, vsr_str label) {
    if (index >= LABELS_MAX) {
        fields_wrong_value(&r->f, at, "label index %llu, more than %d", (unsigned long long)index, LABELS_MAX - 1);
    } else if (label.len == 0 || label.len > LABEL_LEN_MAX) {
        fields_wrong_value(&r->f, at, "a label of %zu bytes; expected 1 to %d", label.len, LABEL_LEN_MAX);
    } else if (str_eq(label, reserved)) {
        fields_wrong_value(&r->f, at, "the label \"%.*s\" is reserved", VSR_FMT(reserved));
    } else if (r->names[index].ptr && !str_eq(r->names[index], label)) {
        fields_wrong_value(&r->f, at, "index %llu is \"%.*s\" and \"%.*s\"", (unsigned long long)index,
                           VSR_FMT(r->names[index]), VSR_FMT(label));
    } else {
        r->names[index] = label;
        r->n = index + 1 > r->n ? index + 1 : r->n;
    }
}

/* A number, or its digits as a text. */
static bool read_index(struct reader *r, json_ref ref, uint64_t *ret_index) {
    int64_t number;
    if (json_i64(&r->f.doc, ref, &number) && number >= 0) {
        *ret_index = (uint64_t)number;
        return true;
    }
    if (json_is(&r->f.doc, ref, JSON_STRING) && str_to_u64(fields_text_of(&r->f, ref), ret_index))
        return true;
    fields_wrong_value(&r->f, ref, "%.*s is no index of a label", VSR_FMT(str_sub(json_raw(&r->f.doc, ref), 0, 60)));
    return false;
}

/* Labels may be numbers: star ratings are. */
static vsr_str read_label(struct reader *r, json_ref ref) {
    return json_is(&r->f.doc, ref, JSON_NUMBER) ? json_raw(&r->f.doc, ref) : fields_text_of(&r->f, ref);
}

static void read_map(struct reader *r, const char *key, bool by_index) {
    const struct json_doc *doc = &r->f.doc;
    json_ref map = fields_typed(&r->f, 0, key, JSON_OBJECT);
    if (map == JSON_NONE)
        return;
    for (json_ref name = json_first(doc, map); name != JSON_NONE && r->f.rc == 0;) {
        json_ref value = json_next(doc, map, name);
        uint64_t index = 0;
        vsr_str label = read_label(r, by_index ? value : name);
        if (r->f.rc == 0 && read_index(r, by_index ? name : value, &index))
            add(r, name, index, label);
        name = json_next(doc, map, value);
    }
}

static int by_text(const void *a, const void *b) {
    return str_cmp(*(const vsr_str *)a, *(const vsr_str *)b);
}

static int check(struct reader *r) {
    vsr_str *sorted;
    if (r->n == 0)
        return err_set(r->f.err, VSR_E_NOT_FOUND, "no labels in it");
    for (size_t i = 0; i < r->n; i++) {
        if (!r->names[i].ptr)
            return err_set(r->f.err, VSR_E_INVALID, "no label has index %zu, though %zu is named", i, r->n - 1);
    }
    sorted = ARENA_ARRAY(r->f.scratch, vsr_str, r->n);
    memcpy(sorted, r->names, r->n * sizeof(*sorted));
    qsort(sorted, r->n, sizeof(*sorted), by_text);
    for (size_t i = 1; i < r->n; i++) {
        if (str_eq(sorted[i - 1], sorted[i]))
            return err_set(r->f.err, VSR_E_INVALID, "the label \"%.*s\" has two indices", VSR_FMT(sorted[i]));
    }
    return 0;
}

/* ---- notes on labels */

static size_t find_exact(const vsr_str *names, size_t n, vsr_str name) {
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], name))
            return i;
    }
    return LABELS_NONE;
}

static void read_notes(struct reader *r, const char *key, vsr_str *notes) {
    const struct json_doc *doc = &r->f.doc;
    json_ref map = fields_typed(&r->f, 0, key, JSON_OBJECT);
    if (map == JSON_NONE)
        return;
    for (json_ref name = json_first(doc, map); name != JSON_NONE && r->f.rc == 0;) {
        json_ref value = json_next(doc, map, name);
        size_t index = find_exact(r->names, r->n, fields_text_of(&r->f, name));
        vsr_str note = fields_text_of(&r->f, value);
        if (r->f.rc == 0 && (index == LABELS_NONE || note.len > LABEL_NOTE_LEN_MAX))
            fields_wrong(&r->f, 0, key, "%.*s: %s", VSR_FMT(str_sub(json_raw(doc, name), 0, 100)),
                         index == LABELS_NONE ? "there is no such label" : "the text is too long");
        else if (r->f.rc == 0)
            notes[index] = arena_str(r->arena, note);
        name = json_next(doc, map, value);
    }
}

static void finish(struct reader *r, struct labels *ret) {
    vsr_str *names = ARENA_ARRAY(r->arena, vsr_str, r->n);
    vsr_str *descriptions = ARENA_ARRAY(r->arena, vsr_str, r->n), *prompts = ARENA_ARRAY(r->arena, vsr_str, r->n);
    for (size_t i = 0; i < r->n; i++)
        names[i] = arena_str(r->arena, r->names[i]);
    read_notes(r, "category_descriptions", descriptions);
    read_notes(r, "description", descriptions);
    read_notes(r, "category_system_prompts", prompts);
    *ret = (struct labels){ .n = r->n, .names = names, .descriptions = descriptions, .prompts = prompts };
}

int labels_parse(struct arena *arena, vsr_str json, struct labels *ret, struct vsr_err *err) {
    struct reader r = { .arena = arena };
    struct labels labels = { 0 };
    int rc = fields_open(&r.f, json, err);
    if (rc == 0) {
        r.names = ARENA_ARRAY(r.f.scratch, vsr_str, LABELS_MAX);
        for (size_t i = 0; i < VSR_COUNT(index_maps); i++)
            read_map(&r, index_maps[i], true);
        for (size_t i = 0; i < VSR_COUNT(label_maps); i++)
            read_map(&r, label_maps[i], false);
        rc = r.f.rc < 0 ? r.f.rc : check(&r);
    }
    if (rc == 0) {
        finish(&r, &labels);
        rc = r.f.rc;
    }
    fields_end(&r.f);
    if (rc == 0)
        *ret = labels;
    return rc;
}

/* ---- directories */

static void number_labels(struct arena *arena, size_t n, struct labels *ret) {
    vsr_str *names = ARENA_ARRAY(arena, vsr_str, n), *empty = ARENA_ARRAY(arena, vsr_str, n);
    for (size_t i = 0; i < n; i++)
        names[i] = arena_printf(arena, "LABEL_%zu", i);
    *ret = (struct labels){ .n = n, .names = names, .descriptions = empty, .prompts = empty };
}

/* Without names there is at most their number. */
static int count_labels(struct arena *arena, vsr_str json, size_t n_rows, struct labels *ret, struct vsr_err *err) {
    struct json_fields f;
    size_t n = n_rows;
    int rc = fields_open(&f, json, err);
    if (rc == 0)
        n = fields_size(&f, 0, "num_labels", n_rows, 1, LABELS_MAX);
    rc = fields_end(&f);
    if (rc == 0 && n == 0)
        rc = err_set(err, VSR_E_NOT_FOUND, "no labels in it");
    if (rc == 0 && n > LABELS_MAX)
        rc = err_set(err, VSR_E_LIMIT, "%zu labels, more than %d", n, LABELS_MAX);
    if (rc == 0)
        number_labels(arena, n, ret);
    return rc;
}

static vsr_str find_mapping(vsr_str directory) {
    static const vsr_str names[] = {
        VSR_STR_INIT("category_mapping.json"),       VSR_STR_INIT("pii_type_mapping.json"),
        VSR_STR_INIT("jailbreak_type_mapping.json"), VSR_STR_INIT("fact_check_mapping.json"),
        VSR_STR_INIT("label_mapping.json"),
    };
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        if (model_file_exists(directory, names[i]))
            return names[i];
    }
    return VSR_STR("config.json");
}

int labels_read(struct arena *arena, vsr_str directory, vsr_str mapping, size_t n_rows, struct labels *ret,
                struct vsr_err *err) {
    vsr_str name = mapping.len ? mapping : find_mapping(directory), text = { 0 };
    struct labels labels = { 0 };
    bool last = str_eq_c(name, "config.json");
    int rc = model_file_read(arena, directory, name, &text, err);
    if (rc == VSR_E_NOT_FOUND && last && n_rows > 0) { /* adapters come without one */
        text = VSR_STR("{}");
        rc = 0;
    }
    if (rc < 0)
        return rc;
    rc = labels_parse(arena, text, &labels, err);
    if (rc == VSR_E_NOT_FOUND && last)
        rc = count_labels(arena, text, n_rows, &labels, err);
    if (rc == 0 && n_rows > 0 && labels.n != n_rows)
        rc = err_set(err, VSR_E_INVALID, "names %zu labels, but the classifier has %zu rows", labels.n, n_rows);
    if (rc < 0)
        return err_wrap(err, "%.*s", VSR_FMT(name));
    *ret = labels;
    return 0;
}

size_t labels_find(const struct labels *labels, vsr_str name) {
    size_t index = find_exact(labels->names, labels->n, name);
    for (size_t i = 0; i < labels->n && index == LABELS_NONE; i++) {
        if (str_eq_nocase(labels->names[i], name))
            index = i;
    }
    return index;
}
