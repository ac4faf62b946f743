/*
 * Blocks of an assistant: one message, with its texts and its calls.
 */
#include "wire/member_write.h"
#include "wire/messages_to_chat.h"

static bool is_unsigned_thinking(const struct to_chat *job, json_ref block) {
    const struct json_doc *doc = job->doc;
    return value_type_is(doc, block, "thinking") && !value_is_filled(doc, value_get(doc, block, "signature"));
}

static bool is_thinking(const struct to_chat *job, json_ref block) {
    return (value_type_is(job->doc, block, "thinking") || value_type_is(job->doc, block, "redacted_thinking")) &&
           !is_unsigned_thinking(job, block);
}

static bool can_be_replayed(const struct to_chat *job, json_ref block) {
    return !is_unsigned_thinking(job, block);
}

static bool is_call(const struct to_chat *job, json_ref block) {
    const struct json_doc *doc = job->doc;
    return value_type_is(doc, block, "tool_use") && value_is_filled(doc, value_get(doc, block, "id")) &&
           value_is_filled(doc, value_get(doc, block, "name"));
}

static void write_call(struct to_chat *job, json_ref block) {
    const struct json_doc *doc = job->doc;
    json_ref input = value_get(doc, block, "input");
    json_write_begin_object(&job->w);
    member_copy(&job->w, "id", doc, value_get(doc, block, "id"));
    member_str(&job->w, "type", VSR_STR("function"));
    member_key(&job->w, "function");
    json_write_begin_object(&job->w);
    member_copy(&job->w, "name", doc, value_get(doc, block, "name"));
    member_str(&job->w, "arguments", json_is(doc, input, JSON_OBJECT) ? json_raw(doc, input) : VSR_STR("{}"));
    json_write_end(&job->w);
    json_write_end(&job->w);
}

static void warn_assistant_block(struct to_chat *job, json_ref block, size_t index) {
    const struct json_doc *doc = job->doc;
    if (value_type_is(doc, block, "redacted_thinking"))
        to_chat_warn_block(job, WARNING_LOSSY, "redacted_thinking_dropped", index, block);
    else if (value_type_is(doc, block, "tool_use"))
        to_chat_warn_block(job, WARNING_ERROR, "tool_use_incomplete", index, block);
    else if (!value_type_is(doc, block, "thinking")) /* of no use to other models */
        to_chat_warn_block(job, WARNING_LOSSY, "block_dropped", index, block);
}

static void write_calls(struct to_chat *job, json_ref content) {
    member_key(&job->w, "tool_calls");
    json_write_begin_array(&job->w);
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b))
        if (is_call(job, b))
            write_call(job, b);
    json_write_end(&job->w);
}

void to_chat_assistant(struct to_chat *job, json_ref content) {
    const struct json_doc *doc = job->doc;
    struct to_chat_parts parts = TO_CHAT_PARTS_NONE;
    struct sidecar_origin origin = { 0 };
    json_ref first_call = JSON_NONE;
    size_t index = 0;
    to_chat_begin_message(job, VSR_STR("assistant"));
    for (json_ref b = json_first(doc, content); b != JSON_NONE; b = json_next(doc, content, b), index++) {
        if (value_type_is(doc, b, "text"))
            to_chat_add_text(job, &parts, value_get(doc, b, "text"));
        else if (!is_call(job, b))
            warn_assistant_block(job, b, index);
        else if (first_call == JSON_NONE)
            first_call = b;
    }
    to_chat_close_parts(job, &parts, first_call == JSON_NONE ? VSR_STR("\"\"") : VSR_STR("null"));
    if (first_call != JSON_NONE) {
        write_calls(job, content);
        origin.call_id = to_chat_text(job, value_get(doc, first_call, "id"));
    }
    origin.written = to_chat_end_message(job);
    origin.raw = to_chat_join(job, content, can_be_replayed);
    origin.thinking = to_chat_join(job, content, is_thinking);
    to_chat_note(job, &job->sidecar->messages, &origin);
}
