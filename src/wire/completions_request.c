#include "wire/completions_request.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/member_write.h"

static int refuse(struct vsr_err *err, vsr_str where, const char *text) {
    int rc = err_set(err, VSR_E_INVALID, "%s", text);
    err_at(err, where, 0, 0);
    return rc;
}

/* Texts behind each other; numbers and lists of numbers are tokens. */
static int join_texts(struct arena *arena, const struct json_doc *doc, json_ref list, struct buf *text,
                      struct vsr_err *err) {
    for (json_ref item = json_first(doc, list); item != JSON_NONE; item = json_next(doc, list, item)) {
        vsr_str piece;
        if (json_is(doc, item, JSON_NUMBER) || json_is(doc, item, JSON_ARRAY))
            continue;
        if (!json_is(doc, item, JSON_STRING))
            return refuse(err, VSR_STR("prompt"), "prompt must be a string, a list of strings, or tokens");
        if (!json_str(arena, doc, item, &piece))
            return VSR_E_NOMEM;
        if (text->len > 0)
            buf_append_c(text, "\n");
        buf_append(text, piece);
    }
    return buf_failed(text) ? VSR_E_NOMEM : 0;
}

static int read_prompt(struct arena *arena, const struct json_doc *doc, vsr_str *ret_text, struct vsr_err *err) {
    json_ref prompt = json_get(doc, 0, VSR_STR("prompt"));
    struct buf text;
    int rc;
    if (prompt == JSON_NONE || json_is(doc, prompt, JSON_NULL))
        return refuse(err, VSR_STR("prompt"), "prompt field is required");
    if (json_is(doc, prompt, JSON_STRING))
        return json_str(arena, doc, prompt, ret_text) ? 0 : VSR_E_NOMEM;
    if (!json_is(doc, prompt, JSON_ARRAY))
        return refuse(err, VSR_STR("prompt"), "prompt must be a string, a list of strings, or tokens");
    buf_init(&text, doc->text.len + 1); /* joined, they are shorter than with their quotes */
    rc = join_texts(arena, doc, prompt, &text, err);
    if (rc == 0)
        *ret_text = arena_str(arena, buf_str(&text));
    buf_done(&text);
    return rc;
}

int completions_to_chat(struct arena *arena, const struct json_doc *doc, struct buf *out_chat, struct vsr_err *err) {
    static const vsr_str kept[] = { VSR_STR_INIT("model"),          VSR_STR_INIT("stream"),
                                    VSR_STR_INIT("stream_options"), VSR_STR_INIT("max_tokens"),
                                    VSR_STR_INIT("metadata"),       VSR_STR_INIT("user") };
    struct json_writer w;
    json_ref twice;
    vsr_str prompt, name;
    int rc;
    if (!json_is(doc, 0, JSON_OBJECT))
        return refuse(err, VSR_STR(""), "the request body must be a JSON object");
    twice = json_duplicate_key(doc, 0);
    if (twice != JSON_NONE)
        return refuse(err, json_str(arena, doc, twice, &name) ? name : VSR_STR(""), "a member stands there twice");
    rc = read_prompt(arena, doc, &prompt, err);
    if (rc < 0)
        return rc;
    json_write_init(&w, out_chat);
    json_write_begin_object(&w);
    for (size_t i = 0; i < VSR_COUNT(kept); i++) {
        json_ref value = json_get(doc, 0, kept[i]);
        if (value == JSON_NONE)
            continue;
        json_write_key(&w, kept[i]);
        json_write_raw(&w, json_raw(doc, value));
    }
    member_key(&w, "messages");
    json_write_begin_array(&w);
    json_write_begin_object(&w);
    member_str(&w, "role", VSR_STR("user"));
    member_str(&w, "content", prompt);
    json_write_end(&w);
    json_write_end(&w);
    json_write_end(&w);
    return buf_failed(out_chat) ? VSR_E_NOMEM : 0;
}
