/*
 * `tools` and `tool_choice`.
 */
#include "core/buf.h"
#include "wire/member_write.h"
#include "wire/messages_to_chat.h"

static const vsr_str none = VSR_STR_INIT("");

static bool is_client_tool(const struct to_chat *job, json_ref tool) {
    const struct json_doc *doc = job->doc;
    json_ref type = value_get(doc, tool, "type");
    return !value_is_present(doc, type) || value_equals(doc, type, "custom");
}

static void write_tool(struct to_chat *job, json_ref tool) {
    const struct json_doc *doc = job->doc;
    json_ref description = value_get(doc, tool, "description");
    json_ref schema = value_get(doc, tool, "input_schema");
    struct sidecar_origin origin = { .raw = json_raw(doc, tool) };
    size_t start;
    vsr_str written;
    json_write_begin_object(&job->w);
    start = job->w.out->len - 1;
    member_str(&job->w, "type", VSR_STR("function"));
    member_key(&job->w, "function");
    json_write_begin_object(&job->w);
    member_copy(&job->w, "name", doc, value_get(doc, tool, "name"));
    if (value_is_string(doc, description))
        member_copy(&job->w, "description", doc, description);
    member_key(&job->w, "parameters");
    json_write_raw(&job->w, json_is(doc, schema, JSON_OBJECT) ? json_raw(doc, schema)
                                                              : VSR_STR("{\"type\":\"object\",\"properties\":{}}"));
    json_write_end(&job->w);
    json_write_end(&job->w);
    if (buf_failed(job->w.out))
        return;
    written = buf_str(job->w.out);
    origin.written = sidecar_mark(str_sub(written, start, written.len));
    to_chat_note(job, &job->sidecar->tools, &origin);
}

static bool is_server_tool(const struct to_chat *job, json_ref tool) {
    return json_is(job->doc, tool, JSON_OBJECT) && !is_client_tool(job, tool);
}

static bool is_translated(const struct to_chat *job, json_ref tool) {
    return is_client_tool(job, tool) && value_is_filled(job->doc, value_get(job->doc, tool, "name"));
}

void to_chat_tools(struct to_chat *job, json_ref tools) {
    const struct json_doc *doc = job->doc;
    size_t index = 0, n = 0;
    if (!json_is(doc, tools, JSON_ARRAY))
        return;
    for (json_ref t = json_first(doc, tools); t != JSON_NONE; t = json_next(doc, tools, t), index++) {
        if (is_translated(job, t))
            n++;
        else if (is_server_tool(job, t))
            to_chat_warn_item(job, WARNING_INFO, "server_tool", "tools", index, t);
        else
            to_chat_warn_item(job, WARNING_ERROR, "tool_incomplete", "tools", index, t);
    }
    job->sidecar->server_tools = to_chat_join(job, tools, is_server_tool);
    if (n == 0)
        return;
    member_key(&job->w, "tools");
    json_write_begin_array(&job->w);
    for (json_ref t = json_first(doc, tools); t != JSON_NONE && !job->failed; t = json_next(doc, tools, t))
        if (is_translated(job, t))
            write_tool(job, t);
    json_write_end(&job->w);
}

void to_chat_tool_choice(struct to_chat *job, json_ref choice) {
    const struct json_doc *doc = job->doc;
    json_ref name = value_get(doc, choice, "name");
    bool one = value_type_is(doc, choice, "tool") && value_is_filled(doc, name);
    vsr_str word = value_type_is(doc, choice, "auto")   ? VSR_STR("auto")
                   : value_type_is(doc, choice, "none") ? VSR_STR("none")
                   : value_type_is(doc, choice, "any")  ? VSR_STR("required")
                                                        : none;
    size_t start;
    if (!value_is_present(doc, choice))
        return;
    job->sidecar->tool_choice = json_raw(doc, choice);
    if (json_is(doc, value_get(doc, choice, "disable_parallel_tool_use"), JSON_TRUE)) {
        member_key(&job->w, "parallel_tool_calls");
        json_write_bool(&job->w, false);
    }
    if (!one && word.len == 0) {
        to_chat_warn(job, WARNING_ERROR, "tool_choice_unknown", VSR_STR("tool_choice"), choice);
        return;
    }
    member_key(&job->w, "tool_choice");
    start = job->w.out->len;
    if (one) {
        json_write_begin_object(&job->w);
        member_str(&job->w, "type", VSR_STR("function"));
        member_key(&job->w, "function");
        json_write_begin_object(&job->w);
        member_copy(&job->w, "name", doc, name);
        json_write_end(&job->w);
        json_write_end(&job->w);
    } else {
        json_write_str(&job->w, word);
    }
    if (!buf_failed(job->w.out))
        job->sidecar->tool_choice_written = sidecar_mark(str_sub(buf_str(job->w.out), start, job->w.out->len));
}
