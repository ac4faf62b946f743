/* Reading a tape: everything that json.h offers behind json_parse(). */
#include "core/arena.h"
#include "core/json.h"
#include "core/json_keys.h"
#include "core/json_number.h"
#include "core/json_string.h"

static bool is_container(const struct json_doc *doc, json_ref ref) {
    return json_is(doc, ref, JSON_OBJECT) || json_is(doc, ref, JSON_ARRAY);
}

/* The bytes between the quotes of a STRING node. */
static vsr_str inside(const struct json_doc *doc, json_ref ref) {
    vsr_str raw = json_raw(doc, ref);
    return str_make(raw.ptr + 1, raw.len - 2);
}

json_ref json_first(const struct json_doc *doc, json_ref parent) {
    return is_container(doc, parent) && parent + 1 < doc->nodes[parent].next ? parent + 1 : JSON_NONE;
}

json_ref json_next(const struct json_doc *doc, json_ref parent, json_ref child) {
    json_ref next = doc->nodes[child].next;
    return next < doc->nodes[parent].next ? next : JSON_NONE;
}

size_t json_count(const struct json_doc *doc, json_ref parent) {
    size_t n = 0;
    if (!is_container(doc, parent))
        return 0;
    for (json_ref child = parent + 1; child < doc->nodes[parent].next; child = doc->nodes[child].next)
        n++;
    return json_is(doc, parent, JSON_OBJECT) ? n / 2 : n;
}

json_ref json_get(const struct json_doc *doc, json_ref object, vsr_str key) {
    json_ref found = JSON_NONE;
    if (!json_is(doc, object, JSON_OBJECT))
        return JSON_NONE;
    for (json_ref name = object + 1; name < doc->nodes[object].next; name = doc->nodes[name + 1].next) {
        if (!json_str_eq(doc, name, key))
            continue;
        found = name + 1;
        if (!(doc->nodes[object].flags & JSON_FLAG_DUPLICATE))
            break;
    }
    return found;
}

json_ref json_at(const struct json_doc *doc, json_ref array, size_t index) {
    if (!json_is(doc, array, JSON_ARRAY))
        return JSON_NONE;
    for (json_ref child = array + 1; child < doc->nodes[array].next; child = doc->nodes[child].next) {
        if (index-- == 0)
            return child;
    }
    return JSON_NONE;
}

/* Without memory for the table: slow, but right. */
static json_ref repeated_slowly(const struct json_doc *doc, json_ref object) {
    json_ref end = doc->nodes[object].next;
    for (json_ref key = object + 1; key < end; key = doc->nodes[key + 1].next) {
        for (json_ref other = doc->nodes[key + 1].next; other < end; other = doc->nodes[other + 1].next) {
            if (json_keys_same(doc, key, other))
                return key;
        }
    }
    return JSON_NONE;
}

json_ref json_duplicate_key(const struct json_doc *doc, json_ref object) {
    json_ref key;
    if (!json_is(doc, object, JSON_OBJECT) || !(doc->nodes[object].flags & JSON_FLAG_DUPLICATE))
        return JSON_NONE;
    return json_keys_repeated(doc, object, &key) < 0 ? repeated_slowly(doc, object) : key;
}

bool json_str(struct arena *arena, const struct json_doc *doc, json_ref ref, vsr_str *ret_text) {
    vsr_str text;
    char *plain;
    if (!json_is(doc, ref, JSON_STRING))
        return false;
    text = inside(doc, ref);
    if (doc->nodes[ref].flags & JSON_FLAG_ESCAPED) {
        plain = arena_try_alloc_raw(arena, text.len);
        if (!plain)
            return false;
        text = str_make(plain, json_string_unescape(text, plain));
    }
    *ret_text = text;
    return true;
}

bool json_str_eq(const struct json_doc *doc, json_ref ref, vsr_str text) {
    if (!json_is(doc, ref, JSON_STRING))
        return false;
    if (!(doc->nodes[ref].flags & JSON_FLAG_ESCAPED))
        return str_eq(inside(doc, ref), text);
    return json_string_eq(inside(doc, ref), text);
}

size_t json_str_len(const struct json_doc *doc, json_ref ref) {
    if (!json_is(doc, ref, JSON_STRING))
        return 0;
    if (!(doc->nodes[ref].flags & JSON_FLAG_ESCAPED))
        return inside(doc, ref).len;
    return json_string_len(inside(doc, ref));
}

bool json_bool(const struct json_doc *doc, json_ref ref, bool *ret_value) {
    if (!json_is(doc, ref, JSON_TRUE) && !json_is(doc, ref, JSON_FALSE))
        return false;
    *ret_value = json_is(doc, ref, JSON_TRUE);
    return true;
}

bool json_i64(const struct json_doc *doc, json_ref ref, int64_t *ret_value) {
    if (!json_is(doc, ref, JSON_NUMBER) || !(doc->nodes[ref].flags & JSON_FLAG_INTEGER))
        return false;
    return json_number_i64(json_raw(doc, ref), ret_value);
}

bool json_double(const struct json_doc *doc, json_ref ref, double *ret_value) {
    return json_is(doc, ref, JSON_NUMBER) && json_number_double(json_raw(doc, ref), ret_value);
}
