#include "wire/responses_chat.h"

#include "core/arena.h"
#include "core/buf.h"
#include "wire/member_write.h"
#include "wire/responses_chat_parts.h"
#include "wire/responses_request.h"
#include "wire/warnings.h"

/* The real API writes a function's members flat; `function: {...}` as in chat is accepted too. */
static void write_tool_definition(struct responses_translation *t, json_ref tool) {
    static const char *const members[] = { "name", "description", "parameters", "strict" };
    const struct json_doc *doc = t->request->doc;
    json_ref nested = value_get(doc, tool, "function");
    json_ref from = json_is(doc, nested, JSON_OBJECT) ? nested : tool;
    json_write_begin_object(&t->w);
    member_str(&t->w, "type", VSR_STR("function"));
    member_key(&t->w, "function");
    json_write_begin_object(&t->w);
    for (size_t i = 0; i < VSR_COUNT(members); i++)
        member_copy(&t->w, members[i], doc, json_get(doc, from, str_from_c(members[i])));
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static bool write_tools(struct responses_translation *t) {
    const struct json_doc *doc = t->request->doc;
    json_ref list = t->request->members[RESPONSES_TOOLS];
    bool any = false;
    if (list == JSON_NONE)
        return false;
    for (json_ref tool = json_first(doc, list); tool != JSON_NONE; tool = json_next(doc, list, tool)) {
        if (!value_type_is(doc, tool, "function"))
            continue;
        if (!any) {
            member_key(&t->w, "tools");
            json_write_begin_array(&t->w);
        }
        any = true;
        write_tool_definition(t, tool);
    }
    if (any)
        json_write_end(&t->w);
    return any;
}

static void write_tool_choice(struct responses_translation *t) {
    const struct json_doc *doc = t->request->doc;
    json_ref choice = t->request->members[RESPONSES_TOOL_CHOICE];
    json_ref type = value_get(doc, choice, "type");
    json_ref function = value_get(doc, choice, "function");
    json_ref name = value_get(doc, json_is(doc, function, JSON_OBJECT) ? function : choice, "name");
    if (json_is(doc, choice, JSON_STRING)) {
        member_copy(&t->w, "tool_choice", doc, choice);
    } else if (value_equals(doc, type, "function") && json_is(doc, name, JSON_STRING)) {
        member_key(&t->w, "tool_choice");
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("function"));
        member_key(&t->w, "function");
        json_write_begin_object(&t->w);
        member_copy(&t->w, "name", doc, name);
        json_write_end(&t->w);
        json_write_end(&t->w);
    } else {
        json_ref mode = value_get(doc, choice, "mode");
        warnings_add(t->warnings, WARNING_LOSSY, "tool_choice_widened", VSR_STR("tool_choice"), VSR_STR(""));
        member_copy(&t->w, "tool_choice", doc, json_is(doc, mode, JSON_STRING) ? mode : JSON_NONE);
    }
}

static void write_format(struct responses_translation *t) {
    static const char *const members[] = { "name", "description", "schema", "strict" };
    const struct json_doc *doc = t->request->doc;
    json_ref text = t->request->members[RESPONSES_TEXT];
    json_ref format = value_get(doc, text, "format");
    json_ref type = value_get(doc, format, "type");
    member_copy(&t->w, "verbosity", doc, value_get(doc, text, "verbosity"));
    if (value_equals(doc, type, "json_object")) {
        member_raw(&t->w, "response_format", VSR_STR("{\"type\":\"json_object\"}"));
    } else if (value_equals(doc, type, "json_schema")) {
        member_key(&t->w, "response_format");
        json_write_begin_object(&t->w);
        member_str(&t->w, "type", VSR_STR("json_schema"));
        member_key(&t->w, "json_schema");
        json_write_begin_object(&t->w);
        for (size_t i = 0; i < VSR_COUNT(members); i++)
            member_copy(&t->w, members[i], doc, json_get(doc, format, str_from_c(members[i])));
        json_write_end(&t->w);
        json_write_end(&t->w);
    }
}

/* Members that chat has under another name, or the same. */
static const struct {
    enum responses_member member;
    const char *chat;
} same_members[] = {
    { RESPONSES_MAX_OUTPUT_TOKENS, "max_tokens" },
    { RESPONSES_TEMPERATURE, "temperature" },
    { RESPONSES_TOP_P, "top_p" },
    { RESPONSES_TOP_LOGPROBS, "top_logprobs" },
    { RESPONSES_METADATA, "metadata" },
    { RESPONSES_USER, "user" },
    { RESPONSES_SERVICE_TIER, "service_tier" },
    { RESPONSES_PROMPT_CACHE_KEY, "prompt_cache_key" },
    { RESPONSES_SAFETY_IDENTIFIER, "safety_identifier" },
};

static void write_body(struct responses_translation *t) {
    const struct responses_request *request = t->request;
    const struct json_doc *doc = request->doc;
    json_write_begin_object(&t->w);
    member_copy(&t->w, "model", doc, request->members[RESPONSES_MODEL]);
    responses_chat_messages(t);
    for (size_t i = 0; i < VSR_COUNT(same_members); i++)
        member_copy(&t->w, same_members[i].chat, doc, request->members[same_members[i].member]);
    if (request->wants_logprobs) {
        member_bool(&t->w, "logprobs", true);
    }
    member_copy(&t->w, "reasoning_effort", doc, value_get(doc, request->members[RESPONSES_REASONING], "effort"));
    if (request->members[RESPONSES_TEXT] != JSON_NONE)
        write_format(t);
    if (write_tools(t)) { /* chat refuses these two without tools */
        if (request->members[RESPONSES_TOOL_CHOICE] != JSON_NONE)
            write_tool_choice(t);
        member_copy(&t->w, "parallel_tool_calls", doc, request->members[RESPONSES_PARALLEL_TOOL_CALLS]);
    }
    if (request->stream) {
        member_bool(&t->w, "stream", true);
        member_raw(&t->w, "stream_options", VSR_STR("{\"include_usage\":true}"));
    }
    json_write_end(&t->w);
}

int responses_to_chat(struct arena *arena, const struct responses_request *request, const struct responses_chat *chat,
                      struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    struct responses_translation t = {
        .arena = arena, .request = request, .chat = chat, .warnings = warnings, .err = err
    };
    json_write_init(&t.w, out);
    responses_chat_read(&t);
    if (t.failed == 0)
        write_body(&t);
    if (t.failed)
        return t.failed;
    return buf_failed(out) ? err_set(err, buf_failed(out), "the conversation is larger than this server accepts") : 0;
}
