#include "wire/members.h"

/* Index of the name that the key spells, or n_names. */
static size_t find(const struct json_doc *doc, json_ref key, const vsr_str *names, size_t n_names) {
    bool escaped = doc->nodes[key].flags & JSON_FLAG_ESCAPED;
    vsr_str quoted = json_raw(doc, key);
    vsr_str raw = str_make(quoted.ptr + 1, quoted.len - 2);
    for (size_t i = 0; i < n_names; i++) {
        if (escaped ? json_str_eq(doc, key, names[i])
                    : raw.len == names[i].len && memcmp(raw.ptr, names[i].ptr, raw.len) == 0)
            return i;
    }
    return n_names;
}

void members_read(const struct json_doc *doc, json_ref object, const vsr_str *names, size_t n_names,
                  json_ref *ret_values) {
    json_ref end;
    for (size_t i = 0; i < n_names; i++)
        ret_values[i] = JSON_NONE;
    if (!json_is(doc, object, JSON_OBJECT))
        return;
    end = doc->nodes[object].next;
    for (json_ref key = object + 1; key < end; key = doc->nodes[key + 1].next) {
        size_t i = find(doc, key, names, n_names);
        if (i < n_names)
            ret_values[i] = key + 1;
    }
}
