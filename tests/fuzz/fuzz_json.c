/* links: core */
/*
 * Input: the number of edits (one byte), three bytes for each (what, where, where), then the text. Checks that the tape
 * is sound, that an edited text parses again, and that one without changes keeps its bytes.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_edit.h"
#include "core/json_write.h"
#include "core/utf8.h"

enum { EDITS_MAX = 32, EDIT_BYTES = 3, STEPS_MAX = 4, OUT_LEN_MAX = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Quoting the unescaped text must lead to the same text again. */
static void check_string(struct arena *arena, const struct json_doc *doc, json_ref ref) {
    struct json_doc again;
    struct buf quoted;
    vsr_str text, back;
    VSR_ASSERT(json_str(arena, doc, ref, &text));
    VSR_ASSERT(json_str_len(doc, ref) == text.len);
    VSR_ASSERT(json_str_eq(doc, ref, text));
    VSR_ASSERT(utf8_check(text) == text.len);
    buf_init(&quoted, OUT_LEN_MAX);
    json_quote(&quoted, text);
    VSR_ASSERT(json_parse(arena, buf_str(&quoted), &again, NULL) == 0);
    VSR_ASSERT(json_str(arena, &again, 0, &back) && str_eq(text, back));
    buf_done(&quoted);
}

static void check_number(const struct json_doc *doc, json_ref ref) {
    int64_t integer;
    double value;
    if (json_i64(doc, ref, &integer))
        VSR_ASSERT(json_double(doc, ref, &value) && value == (double)integer);
    else
        (void)json_double(doc, ref, &value);
}

static void check_container(const struct json_doc *doc, json_ref ref) {
    const struct json_node *node = &doc->nodes[ref];
    size_t n = 0;
    uint32_t at = node->start + 1;
    for (json_ref child = json_first(doc, ref); child != JSON_NONE; child = json_next(doc, ref, child)) {
        VSR_ASSERT(doc->nodes[child].start >= at && doc->nodes[child].end < node->end);
        at = doc->nodes[child].end;
        n++;
    }
    VSR_ASSERT(json_count(doc, ref) == (node->type == JSON_OBJECT ? n / 2 : n));
    VSR_ASSERT(node->type == JSON_ARRAY || n % 2 == 0);
    VSR_ASSERT((json_duplicate_key(doc, ref) != JSON_NONE) == !!(node->flags & JSON_FLAG_DUPLICATE));
}

static void check_tape(struct arena *arena, const struct json_doc *doc) {
    VSR_ASSERT(doc->n_nodes > 0 && doc->nodes[0].next == doc->n_nodes);
    for (json_ref ref = 0; ref < doc->n_nodes; ref++) {
        const struct json_node *node = &doc->nodes[ref];
        VSR_ASSERT(node->start < node->end && node->end <= doc->text.len);
        VSR_ASSERT(node->next > ref && node->next <= doc->n_nodes);
        if (node->type == JSON_STRING)
            check_string(arena, doc, ref);
        else if (node->type == JSON_NUMBER)
            check_number(doc, ref);
        else if (node->type == JSON_OBJECT || node->type == JSON_ARRAY)
            check_container(doc, ref);
    }
}

/* A path into the document: `where` picks a child at each level, now and then one that is not there. */
static size_t make_path(struct arena *arena, const struct json_doc *doc, uint32_t where, struct json_step *path) {
    json_ref ref = 0;
    size_t n = 0;
    for (; n < STEPS_MAX && where; n++, where /= 13) {
        size_t count = ref == JSON_NONE ? 0 : json_count(doc, ref), pick = where % 13;
        json_ref child = ref == JSON_NONE ? JSON_NONE : json_first(doc, ref);
        vsr_str key = pick % 2 ? VSR_STR("a") : VSR_STR("new \"key\"");
        for (size_t i = 0; i < pick % (count + 1) && child != JSON_NONE; i++)
            child = json_next(doc, ref, json_is(doc, ref, JSON_OBJECT) ? child + 1 : child);
        if (json_is(doc, ref, JSON_ARRAY)) {
            path[n] = JSON_INDEX(pick % (count + 1));
            ref = child;
            continue;
        }
        if (child != JSON_NONE)
            VSR_ASSERT(json_str(arena, doc, child, &key));
        path[n] = JSON_KEY_STR(key.ptr ? key : VSR_STR(""));
        ref = child == JSON_NONE ? JSON_NONE : child + 1;
    }
    return n;
}

static void random_edit(struct arena *arena, const struct json_doc *doc, struct json_edit *edit, const uint8_t *bytes) {
    static const char *const raws[] = { "1", "\"x\"", "{\"a\":[]}", "null" };
    vsr_str raw = str_from_c(raws[bytes[0] / 4 % 4]);
    struct json_step path[STEPS_MAX];
    size_t n = make_path(arena, doc, bytes[1] | (uint32_t)bytes[2] << 8, path);
    struct vsr_err err = VSR_ERR_NONE;
    int rc;
    switch (bytes[0] % 4) {
    case 0:
        rc = json_edit_set(edit, path, n, raw, &err);
        break;
    case 1:
        rc = json_edit_delete(edit, path, n, &err);
        break;
    case 2:
        rc = json_edit_insert(edit, path, n, raw, &err);
        break;
    default:
        rc = json_edit_append(edit, path, n, raw, &err);
        break;
    }
    VSR_ASSERT(rc == 0 || rc == VSR_E_INVALID || rc == VSR_E_NOT_FOUND);
}

static void check_edits(struct arena *arena, const struct json_doc *doc, const uint8_t *edits, size_t n_edits) {
    struct json_edit *edit = json_edit_new(arena, doc);
    struct json_doc again;
    struct buf out;
    int rc;
    for (size_t i = 0; i < n_edits; i++)
        random_edit(arena, doc, edit, edits + i * EDIT_BYTES);
    buf_init(&out, OUT_LEN_MAX);
    VSR_ASSERT(json_edit_apply(edit, &out) == 0);
    rc = json_parse(arena, buf_str(&out), &again, NULL);
    VSR_ASSERT(rc == 0 || rc == VSR_E_LIMIT); /* a new value in the deepest container may be one level too deep */
    VSR_ASSERT(json_edit_changed(edit) || str_eq(buf_str(&out), doc->text));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    size_t n_edits = len > 0 ? data[0] % EDITS_MAX : 0, head = 1 + n_edits * EDIT_BYTES;
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    struct arena *arena;
    if (len < head)
        return 0;
    arena = arena_new(0, 0);
    if (json_parse(arena, str_make((const char *)data + head, len - head), &doc, &err) == 0) {
        check_tape(arena, &doc);
        check_edits(arena, &doc, data + 1, n_edits);
    } else {
        VSR_ASSERT(err.code < 0 && err.line > 0 && err.col > 0);
    }
    arena_free(arena);
    return 0;
}
