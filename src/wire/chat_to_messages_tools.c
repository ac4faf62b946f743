/*
 * `tools` and `tool_choice`.
 */
#include "core/buf.h"
#include "wire/chat_to_messages.h"
#include "wire/member_write.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

static const vsr_str none = VSR_STR_INIT("");

/* `type` must be there, and is `object`. */
static void write_schema(struct to_messages *job, json_ref parameters) {
    const struct json_doc *doc = job->doc;
    vsr_str schema, rest;
    member_key(&job->w, "input_schema");
    if (!json_is(doc, parameters, JSON_OBJECT)) {
        json_write_raw(&job->w, VSR_STR("{\"type\":\"object\"}"));
        return;
    }
    schema = json_raw(doc, parameters);
    if (value_is_present(doc, value_get(doc, parameters, "type"))) {
        json_write_raw(&job->w, schema);
        return;
    }
    rest = str_sub(schema, 1, schema.len);
    json_write_raw(&job->w, VSR_STR("{\"type\":\"object\""));
    buf_append(job->w.out, str_trim(rest).ptr[0] == '}' ? none : VSR_STR(","));
    buf_append(job->w.out, rest);
}

static void write_tool(struct to_messages *job, json_ref function) {
    const struct json_doc *doc = job->doc;
    json_ref name = value_get(doc, function, "name"), about = value_get(doc, function, "description");
    if (!value_is_filled(doc, name)) {
        warnings_add(job->warnings, WARNING_ERROR, "tool_incomplete", VSR_STR("tools"), none);
        return;
    }
    json_write_begin_object(&job->w);
    member_raw(&job->w, "name", json_raw(doc, name));
    if (value_is_filled(doc, about))
        member_raw(&job->w, "description", json_raw(doc, about));
    write_schema(job, value_get(doc, function, "parameters"));
    json_write_end(&job->w);
}

static void write_tool_list(struct to_messages *job, json_ref tools, bool wrapped) {
    const struct json_doc *doc = job->doc;
    size_t cursor = 0;
    if (!json_is(doc, tools, JSON_ARRAY))
        return;
    for (json_ref t = json_first(doc, tools); t != JSON_NONE; t = json_next(doc, tools, t)) {
        const struct sidecar_origin *origin = sidecar_find(&job->sidecar->tools, json_raw(doc, t), &cursor);
        if (origin)
            json_write_raw(&job->w, origin->raw);
        else if (!wrapped)
            write_tool(job, t);
        else if (json_is(doc, value_get(doc, t, "function"), JSON_OBJECT))
            write_tool(job, value_get(doc, t, "function"));
        else
            warnings_add(job->warnings, WARNING_LOSSY, "tool_dropped", VSR_STR("tools"), none);
    }
}

/* Returns whether there are any. The client's server tools go with the others when a policy has taken those out. */
bool to_messages_tools(struct to_messages *job, json_ref tools, json_ref functions) {
    bool has_own = value_has_elements(job->doc, tools) || value_has_elements(job->doc, functions);
    bool has_server = job->sidecar->server_tools.len > 0 && (has_own || job->sidecar->tools.n == 0);
    if (!has_own && !has_server)
        return false;
    member_key(&job->w, "tools");
    json_write_begin_array(&job->w);
    write_tool_list(job, tools, true);
    write_tool_list(job, functions, false);
    if (has_server)
        json_write_raw(&job->w, job->sidecar->server_tools);
    json_write_end(&job->w);
    return true;
}

/* `thinking`: a forced choice is refused together with it. */
void to_messages_tool_choice(struct to_messages *job, json_ref choice, bool serial, bool thinking) {
    const struct json_doc *doc = job->doc;
    json_ref name = value_get(doc, value_get(doc, choice, "function"), "name");
    bool one = value_is_filled(doc, name), any = value_equals(doc, choice, "required");
    vsr_str type = value_equals(doc, choice, "none") ? VSR_STR("none")
                   : any && !thinking                ? VSR_STR("any")
                   : one && !thinking                ? VSR_STR("tool")
                                                     : VSR_STR("auto");
    if (value_is_present(doc, choice) && !(thinking && (one || any)) &&
        sidecar_mark_is(job->sidecar->tool_choice_written, json_raw(doc, choice))) {
        member_raw(&job->w, "tool_choice", job->sidecar->tool_choice);
        return;
    }
    if (!value_is_present(doc, choice) && !serial)
        return;
    member_key(&job->w, "tool_choice");
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", type);
    if (str_eq(type, VSR_STR("tool")))
        member_raw(&job->w, "name", json_raw(doc, name));
    if (serial && !str_eq(type, VSR_STR("none")))
        member_bool(&job->w, "disable_parallel_tool_use", true);
    json_write_end(&job->w);
}
