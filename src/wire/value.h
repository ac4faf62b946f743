/*
 * value - a value of a request, asked what translators ask of it.
 *
 * Requests are hostile and optional: every question may be asked of a member that is absent (JSON_NONE) or of any type,
 * and the answer is then no. Pure: any thread.
 */
#ifndef VSR_WIRE_VALUE_H
#define VSR_WIRE_VALUE_H

#include "core/json.h"

#define VALUE_COUNT_MAX 9007199254740991.0 /* 2^53 - 1 */

/* A member of an object; JSON_NONE where there is none. */
static inline json_ref value_get(const struct json_doc *doc, json_ref object, const char *name) {
    return json_get(doc, object, str_from_c(name));
}

/* Neither absent nor null. */
static inline bool value_is_present(const struct json_doc *doc, json_ref ref) {
    return ref != JSON_NONE && !json_is(doc, ref, JSON_NULL);
}

static inline bool value_is_string(const struct json_doc *doc, json_ref ref) {
    return json_is(doc, ref, JSON_STRING);
}

/* A string that is not empty. */
static inline bool value_is_filled(const struct json_doc *doc, json_ref ref) {
    return value_is_string(doc, ref) && json_str_len(doc, ref) > 0;
}

/* An array with an element. */
static inline bool value_has_elements(const struct json_doc *doc, json_ref ref) {
    return json_is(doc, ref, JSON_ARRAY) && json_first(doc, ref) != JSON_NONE;
}

/* The string `text`. */
static inline bool value_equals(const struct json_doc *doc, json_ref ref, const char *text) {
    return value_is_string(doc, ref) && json_str_eq(doc, ref, str_from_c(text));
}

/* An object whose `type` is the string `type`: how blocks, parts, items and tools say what they are. */
static inline bool value_type_is(const struct json_doc *doc, json_ref object, const char *type) {
    return value_equals(doc, value_get(doc, object, "type"), type);
}

/*
 * A number of things that a request asks for, also where it was written as 100.0 or 1e2: whole, not below 0, and small
 * enough to mean the same to every reader of JSON.
 */
static inline bool value_count(const struct json_doc *doc, json_ref ref, int64_t *ret_count) {
    double count;
    if (!json_double(doc, ref, &count) || !(count >= 0 && count <= VALUE_COUNT_MAX) || count != (double)(int64_t)count)
        return false;
    *ret_count = (int64_t)count;
    return true;
}

/* The bytes between a string's quotes: still escaped, so they may be put together with others. Of strings only. */
static inline vsr_str value_inside(const struct json_doc *doc, json_ref string) {
    vsr_str quoted = json_raw(doc, string);
    return str_make(quoted.ptr + 1, quoted.len - 2);
}

#endif
