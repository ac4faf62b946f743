#include "wire/chat_edit.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

enum {
    EDIT_PATH_MAX = 16,            /* members deep; dotted names come from configuration */
    EDIT_VALUE_LEN_MAX = 64 << 10, /* a model name, an effort */
};

vsr_str chat_edit_quote(struct arena *arena, vsr_str text) {
    struct buf out;
    vsr_str quoted;
    buf_init(&out, EDIT_VALUE_LEN_MAX);
    json_quote(&out, text);
    quoted = buf_failed(&out) ? VSR_STR("\"\"") : arena_str(arena, buf_str(&out));
    buf_done(&out);
    return quoted;
}

/* {"key":raw} */
static vsr_str wrap(struct arena *arena, vsr_str key, vsr_str raw) {
    vsr_str quoted = chat_edit_quote(arena, key);
    return arena_printf(arena, "{%.*s:%.*s}", VSR_FMT(quoted), VSR_FMT(raw));
}

int chat_edit_set(struct arena *arena, struct json_edit *edit, const vsr_str *keys, size_t n_keys, vsr_str raw,
                  struct vsr_err *err) {
    struct json_step path[EDIT_PATH_MAX];
    int rc;
    if (n_keys == 0 || n_keys > EDIT_PATH_MAX)
        return err_set(err, VSR_E_LIMIT, "a path of %zu members", n_keys);
    for (size_t i = 0; i < n_keys; i++)
        path[i] = JSON_KEY_STR(keys[i]);
    /* What stands in the way and is no object is found out by trying: with duplicate keys it may be any of several. */
    rc = json_edit_set(edit, path, n_keys, raw, err);
    while (rc == VSR_E_INVALID && n_keys > 1) {
        raw = wrap(arena, keys[--n_keys], raw);
        rc = json_edit_set(edit, path, n_keys, raw, err);
    }
    return rc;
}

int chat_edit_model(struct arena *arena, struct json_edit *edit, const struct json_doc *doc, vsr_str model_id,
                    struct vsr_err *err) {
    json_ref model = json_get(doc, 0, VSR_STR("model"));
    vsr_str key = VSR_STR("model");
    if (json_is(doc, model, JSON_STRING) && json_str_eq(doc, model, model_id) &&
        !(doc->nodes[0].flags & JSON_FLAG_DUPLICATE))
        return 0;
    return chat_edit_set(arena, edit, &key, 1, chat_edit_quote(arena, model_id), err);
}

int chat_edit_include_usage(struct json_edit *edit, const struct json_doc *doc, struct vsr_err *err) {
    static const struct json_step path[] = { { .key = VSR_STR_INIT("stream_options") },
                                             { .key = VSR_STR_INIT("include_usage") } };
    json_ref options = json_get(doc, 0, path[0].key);
    int rc;
    if (json_is(doc, json_get(doc, options, path[1].key), JSON_TRUE) && !(doc->nodes[0].flags & JSON_FLAG_DUPLICATE))
        return 0;
    rc = json_edit_set(edit, path, 2, VSR_STR("true"), err);
    if (rc == VSR_E_INVALID) /* no object: a backend would refuse it, and it says nothing */
        rc = json_edit_set(edit, path, 1, VSR_STR("{\"include_usage\":true}"), err);
    return rc;
}
