/*
 * Blocks of a user: those between results of tools become one user message, each result a tool message.
 */
#include "core/buf.h"
#include "wire/member_write.h"
#include "wire/messages_to_chat.h"

static void write_image_part(struct to_chat *job, struct to_chat_parts *parts, const vsr_str *pieces, size_t n_pieces) {
    to_chat_open_parts(job, parts);
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", VSR_STR("image_url"));
    member_key(&job->w, "image_url");
    json_write_begin_object(&job->w);
    member_key(&job->w, "url");
    json_write_raw(&job->w, VSR_STR("\""));
    for (size_t i = 0; i < n_pieces; i++)
        buf_append(job->w.out, pieces[i]);
    buf_append(job->w.out, VSR_STR("\""));
    json_write_end(&job->w);
    json_write_end(&job->w);
}

static void add_image(struct to_chat *job, struct to_chat_parts *parts, json_ref block, size_t index) {
    const struct json_doc *doc = job->doc;
    json_ref source = value_get(doc, block, "source");
    json_ref data = value_get(doc, source, "data"), media = value_get(doc, source, "media_type");
    json_ref url = value_get(doc, source, "url"), file = value_get(doc, source, "file_id");
    if (value_is_filled(doc, data) && value_is_filled(doc, media)) {
        vsr_str pieces[] = { VSR_STR("data:"), value_inside(doc, media), VSR_STR(";base64,"), value_inside(doc, data) };
        write_image_part(job, parts, pieces, VSR_COUNT(pieces));
    } else if (value_is_filled(doc, url)) {
        vsr_str pieces[] = { value_inside(doc, url) };
        write_image_part(job, parts, pieces, VSR_COUNT(pieces));
    } else if (value_is_filled(doc, file)) {
        vsr_str pieces[] = { VSR_STR("file_id:"), value_inside(doc, file) };
        write_image_part(job, parts, pieces, VSR_COUNT(pieces));
        to_chat_warn_block(job, WARNING_INFO, "image_file_id_unresolved", index, block);
    } else {
        to_chat_warn_block(job, WARNING_ERROR, "image_source_unknown", index, block);
    }
}

/* Text blocks of a nested content; false when there was none. */
static bool add_nested(struct to_chat *job, struct to_chat_parts *parts, json_ref content) {
    const struct json_doc *doc = job->doc;
    bool any = value_is_filled(doc, content);
    to_chat_add_text(job, parts, content);
    if (!json_is(doc, content, JSON_ARRAY))
        return any;
    for (json_ref b = json_first(doc, content); b != JSON_NONE; b = json_next(doc, content, b)) {
        json_ref string = value_get(doc, b, "text");
        any |= value_is_filled(doc, string);
        to_chat_add_text(job, parts, string);
    }
    return any;
}

/* Documents of text are text; others only an Anthropic backend can read. */
static void add_document(struct to_chat *job, struct to_chat_parts *parts, json_ref block, size_t index) {
    const struct json_doc *doc = job->doc;
    json_ref source = value_get(doc, block, "source");
    bool any = false;
    if (value_type_is(doc, source, "text"))
        any = add_nested(job, parts, value_get(doc, source, "data"));
    else if (value_type_is(doc, source, "content"))
        any = add_nested(job, parts, value_get(doc, source, "content"));
    if (!any)
        to_chat_warn_block(job, WARNING_LOSSY, "document_dropped", index, block);
}

static void add_user_block(struct to_chat *job, struct to_chat_parts *parts, json_ref block, size_t index) {
    const struct json_doc *doc = job->doc;
    if (value_type_is(doc, block, "text"))
        to_chat_add_text(job, parts, value_get(doc, block, "text"));
    else if (value_type_is(doc, block, "image"))
        add_image(job, parts, block, index);
    else if (value_type_is(doc, block, "document"))
        add_document(job, parts, block, index);
    else if (!value_type_is(doc, block, "search_result") || !add_nested(job, parts, value_get(doc, block, "content")))
        to_chat_warn_block(job, WARNING_LOSSY, "block_dropped", index, block);
}

/* From the start of `first` to the end of `last`, as the client wrote it. */
static vsr_str span(const struct to_chat *job, json_ref first, json_ref last) {
    const char *start = json_raw(job->doc, first).ptr;
    vsr_str end = json_raw(job->doc, last);
    return str_make(start, (size_t)(end.ptr + end.len - start));
}

/* The blocks from `*block` up to a tool result, or the end, as one user message. Moves `*block` behind them. */
static void write_user_run(struct to_chat *job, json_ref content, json_ref *block, size_t *index) {
    struct to_chat_parts parts = TO_CHAT_PARTS_NONE;
    json_ref first = *block, last = first;
    struct sidecar_origin origin = { 0 };
    to_chat_begin_message(job, VSR_STR("user"));
    while (*block != JSON_NONE && !value_type_is(job->doc, *block, "tool_result")) {
        add_user_block(job, &parts, *block, (*index)++);
        last = *block;
        *block = json_next(job->doc, content, *block);
    }
    to_chat_close_parts(job, &parts, VSR_STR("\"\""));
    origin.written = to_chat_end_message(job);
    origin.raw = span(job, first, last);
    to_chat_note(job, &job->sidecar->messages, &origin);
}

/* Texts joined by newlines, as the inside of a string. */
static void write_result_text(struct to_chat *job, json_ref content, size_t index, json_ref block) {
    const struct json_doc *doc = job->doc;
    struct buf *out = job->w.out;
    bool any = false;
    json_write_raw(&job->w, VSR_STR("\""));
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
        json_ref string = value_get(doc, part, "text");
        if (!value_is_string(doc, string)) {
            bool is_image = value_type_is(doc, part, "image");
            to_chat_warn_block(job, WARNING_LOSSY, is_image ? "tool_result_image_dropped" : "tool_result_part_dropped",
                               index, block);
            continue;
        }
        if (any)
            buf_append(out, VSR_STR("\\n"));
        buf_append(out, value_inside(doc, string));
        any = true;
    }
    buf_append(out, VSR_STR("\""));
}

static void write_result(struct to_chat *job, json_ref block, size_t index) {
    const struct json_doc *doc = job->doc;
    json_ref id = value_get(doc, block, "tool_use_id"), content = value_get(doc, block, "content");
    struct sidecar_origin origin = { .raw = json_raw(doc, block) };
    if (!value_is_filled(doc, id)) {
        to_chat_warn_block(job, WARNING_ERROR, "tool_result_without_id", index, block);
        return;
    }
    to_chat_begin_message(job, VSR_STR("tool"));
    member_copy(&job->w, "tool_call_id", doc, id);
    member_key(&job->w, "content");
    if (json_is(doc, content, JSON_ARRAY))
        write_result_text(job, content, index, block);
    else
        json_write_raw(&job->w, value_is_string(doc, content) ? json_raw(doc, content) : VSR_STR("\"\""));
    origin.written = to_chat_end_message(job);
    origin.result_id = to_chat_text(job, id);
    origin.is_error = json_is(doc, value_get(doc, block, "is_error"), JSON_TRUE);
    if (origin.is_error)
        to_chat_warn_block(job, WARNING_INFO, "tool_result_is_error", index, block);
    to_chat_note(job, &job->sidecar->messages, &origin);
}

void to_chat_user(struct to_chat *job, json_ref content) {
    const struct json_doc *doc = job->doc;
    size_t index = 0;
    for (json_ref block = json_first(doc, content); block != JSON_NONE;) {
        if (value_type_is(doc, block, "tool_result")) {
            write_result(job, block, index++);
            block = json_next(doc, content, block);
        } else {
            write_user_run(job, content, &block, &index);
        }
    }
}
