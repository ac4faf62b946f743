/*
 * The messages that items become, with their content.
 */
#include "core/arena.h"
#include "core/buf.h"
#include "wire/member_write.h"
#include "wire/responses_chat_parts.h"
#include "wire/responses_request.h"
#include "wire/warnings.h"

static bool is_text_part(const struct json_doc *doc, json_ref type) {
    return value_equals(doc, type, "input_text") || value_equals(doc, type, "output_text") ||
           value_equals(doc, type, "text") || value_equals(doc, type, "summary_text") ||
           value_equals(doc, type, "reasoning_text");
}

/*
 * Appends the text of a JSON string, still escaped, to an open one; a space before it when it is not the first. Escapes
 * stay whole, since the scan refuses lone surrogates.
 */
static void append_text(struct responses_translation *t, const struct json_doc *doc, json_ref text, bool *first) {
    vsr_str raw = json_raw(doc, text);
    if (raw.len <= 2)
        return;
    if (!*first)
        buf_append_char(t->w.out, ' ');
    *first = false;
    buf_append(t->w.out, value_inside(doc, text));
}

/* The text parts of a content as one JSON string. `only`: of parts of this type; NULL: all that are text. */
static void write_texts(struct responses_translation *t, const struct json_doc *doc, json_ref content,
                        const char *only) {
    bool first = true;
    json_write_raw(&t->w, VSR_STR("\"")); /* commas are the writer's; the rest goes straight to the buffer */
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
        json_ref type = value_get(doc, part, "type");
        json_ref text = value_get(doc, part, "text");
        if (json_is(doc, text, JSON_STRING) && (only ? value_equals(doc, type, only) : is_text_part(doc, type)))
            append_text(t, doc, text, &first);
    }
    buf_append_char(t->w.out, '"');
}

static void write_image(struct responses_translation *t, const struct chat_item *item, json_ref part) {
    const struct json_doc *doc = item->doc;
    json_ref url = value_get(doc, part, "image_url");
    if (!json_is(doc, url, JSON_STRING)) {
        responses_chat_warn(t, WARNING_LOSSY, "image_file_id_unresolved", item, VSR_STR(""));
        return;
    }
    json_write_begin_object(&t->w);
    member_str(&t->w, "type", VSR_STR("image_url"));
    member_key(&t->w, "image_url");
    json_write_begin_object(&t->w);
    member_copy(&t->w, "url", doc, url);
    member_copy(&t->w, "detail", doc, value_get(doc, part, "detail"));
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static void write_file(struct responses_translation *t, const struct chat_item *item, json_ref part) {
    const struct json_doc *doc = item->doc;
    json_ref data = value_get(doc, part, "file_data"), id = value_get(doc, part, "file_id");
    if (!json_is(doc, data, JSON_STRING) && !json_is(doc, id, JSON_STRING)) {
        responses_chat_warn(t, WARNING_LOSSY, "file_url_dropped", item, VSR_STR(""));
        return;
    }
    json_write_begin_object(&t->w);
    member_str(&t->w, "type", VSR_STR("file"));
    member_key(&t->w, "file");
    json_write_begin_object(&t->w);
    member_copy(&t->w, "filename", doc, value_get(doc, part, "filename"));
    member_copy(&t->w, "file_data", doc, data);
    if (!json_is(doc, data, JSON_STRING))
        member_copy(&t->w, "file_id", doc, id);
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static void write_part(struct responses_translation *t, const struct chat_item *item, json_ref part) {
    const struct json_doc *doc = item->doc;
    json_ref type = value_get(doc, part, "type");
    vsr_str name = VSR_STR("");
    if (is_text_part(doc, type)) {
        json_ref text = value_get(doc, part, "text");
        if (!json_is(doc, text, JSON_STRING))
            return;
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("text"));
        member_copy(&t->w, "text", doc, text);
        json_write_end(&t->w);
    } else if (value_equals(doc, type, "input_image")) {
        write_image(t, item, part);
    } else if (value_equals(doc, type, "input_file")) {
        write_file(t, item, part);
    } else if (value_equals(doc, type, "input_audio")) {
        json_write_raw(&t->w, json_raw(doc, part)); /* the same in both */
    } else {
        (void)json_str(t->arena, doc, type, &name);
        responses_chat_warn(t, WARNING_LOSSY, "unknown_part_dropped", item, name);
    }
}

static bool only_texts(const struct json_doc *doc, json_ref content) {
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
        if (!is_text_part(doc, value_get(doc, part, "type")))
            return false;
    return true;
}

/* A text, or parts; parts of nothing but text are one text, which every backend takes. */
static void write_content(struct responses_translation *t, const struct chat_item *item, json_ref content,
                          bool parts_ok) {
    const struct json_doc *doc = item->doc;
    member_key(&t->w, "content");
    if (json_is(doc, content, JSON_STRING)) {
        json_write_raw(&t->w, json_raw(doc, content));
        return;
    }
    if (!json_is(doc, content, JSON_ARRAY)) {
        responses_chat_refuse(t, item, "content", "content must be a string or an array of parts");
        json_write_null(&t->w);
        return;
    }
    if (!parts_ok && !only_texts(doc, content))
        responses_chat_warn(t, WARNING_LOSSY, "part_dropped", item, VSR_STR("only text"));
    if (!parts_ok || only_texts(doc, content)) {
        write_texts(t, doc, content, NULL);
        return;
    }
    json_write_begin_array(&t->w);
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
        write_part(t, item, part);
    json_write_end(&t->w);
}

/* ---- messages */

static void write_message(struct responses_translation *t, const struct chat_item *item) {
    static const char *const roles[] = { "user", "system", "developer" };
    json_ref role = responses_chat_member(item, "role");
    const char *name = role == JSON_NONE ? "user" : NULL;
    for (size_t i = 0; i < VSR_COUNT(roles) && !name; i++)
        if (value_equals(item->doc, role, roles[i]))
            name = roles[i];
    if (!name) {
        responses_chat_refuse(t, item, "role", "role must be user, assistant, system or developer");
        return;
    }
    json_write_begin_object(&t->w);
    member_str(&t->w, "role", str_from_c(name));
    write_content(t, item, responses_chat_member(item, "content"), str_eq_c(str_from_c(name), "user"));
    json_write_end(&t->w);
}

/* The reasoning that goes along: in the open, or sealed by us. */
static void write_reasoning(struct responses_translation *t, const struct chat_item *item) {
    const struct json_doc *doc = item->doc;
    json_ref content = responses_chat_member(item, "content"),
             sealed = responses_chat_member(item, "encrypted_content");
    vsr_str blob, text;
    if (json_is(doc, content, JSON_ARRAY) && json_first(doc, content) != JSON_NONE) {
        member_key(&t->w, "reasoning_content");
        write_texts(t, doc, content, "reasoning_text");
        return;
    }
    if (!json_is(doc, sealed, JSON_STRING) || !t->chat->unseal)
        return;
    if (!json_str(t->arena, doc, sealed, &blob)) {
        responses_chat_fail(t, VSR_E_NOMEM, "the input is too large");
    } else if (t->chat->unseal(t->chat->unseal_user, t->arena, blob, &text) < 0) {
        responses_chat_refuse(t, item, "encrypted_content",
                              "encrypted_content was not made here, or was changed, or its key is gone");
    } else {
        member_str(&t->w, "reasoning_content", text);
    }
}

static void write_call(struct responses_translation *t, const struct chat_item *item) {
    json_write_begin_object(&t->w);
    member_str(&t->w, "id", item->call_id);
    member_str(&t->w, "type", VSR_STR("function"));
    member_key(&t->w, "function");
    json_write_begin_object(&t->w);
    member_copy(&t->w, "name", item->doc, responses_chat_member(item, "name"));
    member_copy(&t->w, "arguments", item->doc, responses_chat_member(item, "arguments"));
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static bool is_call(const struct chat_item *item) {
    return item->kind == CHAT_ITEM_CALL || item->kind == CHAT_ITEM_DONE_CALL;
}

static void write_tool(struct responses_translation *t, const struct chat_item *call) {
    const struct chat_item *from = call->kind == CHAT_ITEM_DONE_CALL ? call : &t->items[call->output - 1];
    json_ref output = responses_chat_member(from, "output"), error = responses_chat_member(from, "error");
    json_write_begin_object(&t->w);
    member_str(&t->w, "role", VSR_STR("tool"));
    member_str(&t->w, "tool_call_id", call->call_id);
    if (output != JSON_NONE && !json_is(from->doc, output, JSON_NULL)) {
        write_content(t, from, output, false);
    } else {
        member_key(&t->w, "content");
        if (json_is(from->doc, error, JSON_STRING))
            json_write_raw(&t->w, json_raw(from->doc, error));
        else
            json_write_str(&t->w, VSR_STR(""));
    }
    json_write_end(&t->w);
}

static void write_assistant_text(struct responses_translation *t, const struct chat_item *item) {
    const struct json_doc *doc = item->doc;
    json_ref content = responses_chat_member(item, "content");
    json_ref refusal = JSON_NONE;
    if (json_is(doc, content, JSON_ARRAY))
        for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
            if (value_type_is(doc, part, "refusal"))
                refusal = value_get(doc, part, "refusal");
    if (refusal == JSON_NONE) {
        write_content(t, item, content, false);
        return;
    }
    member_key(&t->w, "content");
    write_texts(t, doc, content, NULL);
    member_copy(&t->w, "refusal", doc, refusal);
}

/* Writes the message of the assistant that was put together, and behind it what its calls gave. */
static void flush(struct responses_translation *t) {
    bool has_calls = t->calls_begin < t->calls_end;
    if (t->text == 0 && !has_calls) { /* reasoning that led to nothing */
        t->reasoning = 0;
        return;
    }
    json_write_begin_object(&t->w);
    member_str(&t->w, "role", VSR_STR("assistant"));
    if (t->text) {
        write_assistant_text(t, &t->items[t->text - 1]);
    } else {
        member_key(&t->w, "content");
        json_write_null(&t->w);
    }
    if (t->reasoning && t->reasoning > t->last_user)
        write_reasoning(t, &t->items[t->reasoning - 1]);
    if (has_calls) {
        member_key(&t->w, "tool_calls");
        json_write_begin_array(&t->w);
        for (size_t i = t->calls_begin; i < t->calls_end; i++)
            if (is_call(&t->items[i]))
                write_call(t, &t->items[i]);
        json_write_end(&t->w);
    }
    json_write_end(&t->w);
    for (size_t i = t->calls_begin; i < t->calls_end; i++)
        if (t->items[i].kind == CHAT_ITEM_DONE_CALL || (t->items[i].kind == CHAT_ITEM_CALL && t->items[i].output))
            write_tool(t, &t->items[i]);
    t->reasoning = t->text = t->calls_begin = t->calls_end = 0;
}

static void write_item(struct responses_translation *t, size_t i) {
    struct chat_item *item = &t->items[i];
    bool has_calls = t->calls_begin < t->calls_end;
    switch (item->kind) {
    case CHAT_ITEM_MESSAGE:
        flush(t);
        write_message(t, item);
        break;
    case CHAT_ITEM_ASSISTANT:
        if (t->text || has_calls)
            flush(t);
        t->text = i + 1;
        break;
    case CHAT_ITEM_REASONING:
        if (t->text || has_calls)
            flush(t);
        t->reasoning = i + 1;
        break;
    case CHAT_ITEM_CALL:
    case CHAT_ITEM_DONE_CALL:
        if (!has_calls)
            t->calls_begin = i;
        t->calls_end = i + 1;
        break;
    case CHAT_ITEM_OUTPUT: /* stands behind its call; calls that come after it are another step */
        flush(t);
        break;
    case CHAT_ITEM_DROPPED:
        break;
    }
}

void responses_chat_messages(struct responses_translation *t) {
    const struct responses_request *request = t->request;
    json_ref instructions = request->members[RESPONSES_INSTRUCTIONS];
    member_key(&t->w, "messages");
    json_write_begin_array(&t->w);
    if (request->instructions.len) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "role", VSR_STR("system"));
        member_copy(&t->w, "content", request->doc, instructions);
        json_write_end(&t->w);
    }
    for (size_t i = 0; i < t->n && t->failed == 0; i++)
        write_item(t, i);
    flush(t);
    if (json_is(request->doc, request->members[RESPONSES_INPUT], JSON_STRING)) {
        json_write_begin_object(&t->w);
        member_str(&t->w, "role", VSR_STR("user"));
        member_copy(&t->w, "content", request->doc, request->members[RESPONSES_INPUT]);
        json_write_end(&t->w);
    }
    json_write_end(&t->w);
}
