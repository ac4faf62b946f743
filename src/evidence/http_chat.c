#include "evidence/http_chat.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_write.h"

/* ---- writing */

static void write_message(struct json_writer *w, const char *role, vsr_str content) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("role"));
    json_write_str(w, str_from_c(role));
    json_write_key(w, VSR_STR("content"));
    json_write_str(w, content);
    json_write_end(w);
}

static void write_reply_form(struct json_writer *w, const struct http_chat *chat) {
    if (chat->reply == HTTP_CHAT_TEXT)
        return;
    json_write_key(w, VSR_STR("response_format"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("type"));
    if (chat->reply == HTTP_CHAT_JSON) {
        json_write_str(w, VSR_STR("json_object"));
    } else {
        json_write_str(w, VSR_STR("json_schema"));
        json_write_key(w, VSR_STR("json_schema"));
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("name"));
        json_write_str(w, VSR_STR("reply"));
        json_write_key(w, VSR_STR("strict"));
        json_write_bool(w, true);
        json_write_key(w, VSR_STR("schema"));
        json_write_raw(w, chat->schema);
        json_write_end(w);
    }
    json_write_end(w);
}

void http_chat_write(struct buf *out, const struct http_chat *chat) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("model"));
    json_write_str(&w, chat->model);
    json_write_key(&w, VSR_STR("messages"));
    json_write_begin_array(&w);
    if (chat->system.len)
        write_message(&w, "system", chat->system);
    write_message(&w, "user", chat->user);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("temperature"));
    json_write_double(&w, chat->temperature);
    json_write_key(&w, VSR_STR("max_tokens"));
    json_write_i64(&w, chat->max_tokens);
    json_write_key(&w, VSR_STR("stream"));
    json_write_bool(&w, false);
    if (chat->top_logprobs > 0) {
        json_write_key(&w, VSR_STR("logprobs"));
        json_write_bool(&w, true);
        json_write_key(&w, VSR_STR("top_logprobs"));
        json_write_i64(&w, chat->top_logprobs);
    }
    write_reply_form(&w, chat);
    json_write_end(&w);
}

/* ---- reading */

static vsr_str join_parts(const struct json_doc *doc, json_ref content, struct arena *arena) {
    struct buf all;
    vsr_str text;
    buf_init(&all, doc->text.len);
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
        if (json_str(arena, doc, json_get(doc, part, VSR_STR("text")), &text))
            buf_append(&all, text);
    text = arena_str(arena, buf_str(&all));
    buf_done(&all);
    return text;
}

static vsr_str without_thoughts(vsr_str text) {
    static const vsr_str open = VSR_STR_INIT("<think>"), shut = VSR_STR_INIT("</think>");
    ptrdiff_t end = str_starts(text, open) ? str_find(text, shut) : -1;
    return end < 0 ? text : str_trim(str_sub(text, (size_t)end + shut.len, text.len));
}

int http_chat_parse(vsr_str body, struct arena *arena, struct json_doc *doc, vsr_str *ret_text, struct vsr_err *err) {
    struct vsr_err syntax = VSR_ERR_NONE;
    vsr_str text = { 0 };
    json_ref content;
    int rc = json_parse(arena, body, doc, &syntax);
    if (rc < 0)
        return err_set(err, rc, "the answer is no JSON (line %u, column %u)", syntax.line, syntax.col);
    content = json_get(doc, json_at(doc, json_get(doc, 0, VSR_STR("choices")), 0), VSR_STR("message"));
    content = json_get(doc, content, VSR_STR("content"));
    if (json_is(doc, content, JSON_ARRAY))
        text = join_parts(doc, content, arena);
    else
        (void)json_str(arena, doc, content, &text); /* no text at all is told below */
    text = without_thoughts(str_trim(text));
    if (text.len == 0)
        return err_set(err, VSR_E_INVALID, "the answer has no text in choices[0].message.content");
    *ret_text = text;
    return 0;
}

int http_chat_read(vsr_str body, struct arena *arena, vsr_str *ret_text, struct vsr_err *err) {
    struct json_doc doc;
    return http_chat_parse(body, arena, &doc, ret_text, err);
}

vsr_str http_chat_object(vsr_str text) {
    ptrdiff_t begin = str_find_char(text, '{'), end = str_find_last_char(text, '}');
    return begin >= 0 && end > begin ? str_sub(text, (size_t)begin, (size_t)end + 1) : VSR_STR("");
}
