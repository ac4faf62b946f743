/*
 * backend_responses_read - reads a Responses request; refuses parameters it does not know, tools of another form and
 * results of calls that nobody made, as the provider does.
 */
#include "cli/backend_responses.h"

#include "core/arena.h"

struct reader {
    struct arena *arena;
    struct backend_question *question;
    struct backend_refusal *refusal;
    size_t context_len;
};

static bool invalid(struct reader *r, const char *code, vsr_str param, vsr_str message) {
    (void)backend_refuse(r->refusal, 400, "invalid_request_error", message);
    r->refusal->code = code;
    r->refusal->param = param;
    return false;
}

static vsr_str text_of(const struct reader *r, json_ref object, const char *key) {
    return backend_text(r->arena, &r->question->doc, object, key);
}

static bool is_type(const struct reader *r, json_ref item, const char *type) {
    return backend_is(&r->question->doc, item, "type", type);
}

/* ---- parameters */

static bool check_members(struct reader *r) {
    static const char *const known[] = {
        "model",
        "input",
        "instructions",
        "previous_response_id",
        "conversation",
        "store",
        "stream",
        "background",
        "max_output_tokens",
        "temperature",
        "top_p",
        "tools",
        "tool_choice",
        "metadata",
        "text",
        "reasoning",
        "include",
        "user",
        "truncation",
        "service_tier",
        "top_logprobs",
        "parallel_tool_calls",
        "prompt_cache_key",
        "safety_identifier",
        "prompt",
        "max_tool_calls",
        "stream_options",
        "prompt_cache_retention",
        "context_management",
    };
    const struct json_doc *doc = &r->question->doc;
    for (json_ref key = json_first(doc, 0); key != JSON_NONE;) {
        size_t i = 0;
        vsr_str name;
        while (i < VSR_COUNT(known) && !json_str_eq(doc, key, str_from_c(known[i])))
            i++;
        if (i == VSR_COUNT(known) && json_str(r->arena, doc, key, &name))
            return invalid(r, "unknown_parameter", name,
                           arena_printf(r->arena, "Unknown parameter: '%.*s'.", VSR_FMT(name)));
        key = json_next(doc, 0, json_next(doc, 0, key));
    }
    return true;
}

static bool read_tools(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref tools = json_get(&q->doc, 0, VSR_STR("tools")), choice = json_get(&q->doc, 0, VSR_STR("tool_choice"));
    size_t index = 0;
    if (json_is(&q->doc, tools, JSON_ARRAY)) {
        for (json_ref tool = json_first(&q->doc, tools); tool != JSON_NONE;
             tool = json_next(&q->doc, tools, tool), index++) {
            if (!is_type(r, tool, "function"))
                continue; /* of the provider, or of a server elsewhere */
            if (text_of(r, tool, "name").len == 0) {
                vsr_str param = arena_printf(r->arena, "tools[%zu].name", index);
                return invalid(r, "missing_required_parameter", param,
                               arena_printf(r->arena, "Missing required parameter: '%.*s'.", VSR_FMT(param)));
            }
            backend_add_tool(q, text_of(r, tool, "name"), json_get(&q->doc, tool, VSR_STR("parameters")));
        }
    }
    if (backend_is(&q->doc, 0, "tool_choice", "none"))
        q->tool_choice = TOOL_CHOICE_NONE;
    else if (backend_is(&q->doc, 0, "tool_choice", "required"))
        q->tool_choice = TOOL_CHOICE_REQUIRED;
    else if (is_type(r, choice, "function"))
        q->tool_choice = TOOL_CHOICE_NAMED;
    q->tool_name = text_of(r, choice, "name");
    q->one_tool = json_is(&q->doc, json_get(&q->doc, 0, VSR_STR("parallel_tool_calls")), JSON_FALSE);
    return true;
}

static void read_format(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref format = json_get(&q->doc, json_get(&q->doc, 0, VSR_STR("text")), VSR_STR("format"));
    bool schema = is_type(r, format, "json_schema");
    q->wants_json = schema || is_type(r, format, "json_object");
    q->answer_schema = schema ? json_get(&q->doc, format, VSR_STR("schema")) : JSON_NONE;
}

static void read_reasoning(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref reasoning = json_get(&q->doc, 0, VSR_STR("reasoning")), include = json_get(&q->doc, 0, VSR_STR("include"));
    vsr_str effort = text_of(r, reasoning, "effort");
    q->summary = text_of(r, reasoning, "summary").len > 0;
    if ((effort.len > 0 && !str_eq_c(effort, "none")) || q->summary)
        q->thinking = BACKEND_THINKING_TOKENS;
    if (!json_is(&q->doc, include, JSON_ARRAY))
        return;
    for (json_ref item = json_first(&q->doc, include); item != JSON_NONE; item = json_next(&q->doc, include, item))
        q->encrypted |=
            json_is(&q->doc, item, JSON_STRING) && json_str_eq(&q->doc, item, VSR_STR("reasoning.encrypted_content"));
}

static bool read_parameters(struct reader *r) {
    struct backend_question *q = r->question;
    q->model = text_of(r, 0, "model");
    q->stream = backend_flag(&q->doc, 0, "stream");
    q->background = backend_flag(&q->doc, 0, "background");
    q->store = !json_is(&q->doc, json_get(&q->doc, 0, VSR_STR("store")), JSON_FALSE);
    q->ceiling = backend_count(&q->doc, 0, "max_output_tokens");
    q->previous_id = text_of(r, 0, "previous_response_id");
    r->context_len += text_of(r, 0, "instructions").len;
    if (q->model.len == 0)
        return invalid(r, "missing_required_parameter", VSR_STR("model"),
                       VSR_STR("Missing required parameter: 'model'."));
    if (q->background && !q->store)
        return invalid(r, NULL, VSR_STR("background"), VSR_STR("Background responses have to be stored."));
    return true;
}

/* ---- input */

static bool read_parts(struct reader *r, json_ref content, vsr_str where) {
    static const char *const others[] = { "input_file", "input_audio", "refusal", "reasoning_text", "summary_text" };
    struct backend_question *q = r->question;
    for (json_ref part = json_first(&q->doc, content); part != JSON_NONE; part = json_next(&q->doc, content, part)) {
        vsr_str text = text_of(r, part, "text");
        bool known = false;
        for (size_t i = 0; i < VSR_COUNT(others); i++)
            known |= is_type(r, part, others[i]);
        if (is_type(r, part, "input_image")) {
            q->n_images++;
        } else if (is_type(r, part, "input_text") || is_type(r, part, "output_text")) {
            q->said = q->said.len == 0 ? text : arena_printf(r->arena, "%.*s %.*s", VSR_FMT(q->said), VSR_FMT(text));
            r->context_len += text.len;
        } else if (!known) {
            return invalid(r, "invalid_value", where,
                           arena_printf(r->arena,
                                        "Invalid value: '%.*s'. Supported values are: 'input_text', "
                                        "'input_image', 'output_text', 'refusal', 'input_file'.",
                                        VSR_FMT(text_of(r, part, "type"))));
        }
    }
    return true;
}

static bool read_message(struct reader *r, json_ref item, vsr_str where) {
    static const char *const roles[] = { "user", "assistant", "system", "developer" };
    struct backend_question *q = r->question;
    json_ref content = json_get(&q->doc, item, VSR_STR("content"));
    size_t role = 0;
    vsr_str before = q->said;
    while (role < VSR_COUNT(roles) && !backend_is(&q->doc, item, "role", roles[role]))
        role++;
    if (role == VSR_COUNT(roles))
        return invalid(r, "invalid_value", where, VSR_STR("Invalid role of a message"));
    q->user_last = role == 0;
    q->after_tool = false;
    q->said = VSR_STR("");
    if (json_is(&q->doc, content, JSON_STRING)) {
        q->said = text_of(r, item, "content");
        r->context_len += q->said.len;
    } else if (!json_is(&q->doc, content, JSON_ARRAY)) {
        return invalid(r, "missing_required_parameter", where, VSR_STR("Missing required parameter: 'content'."));
    } else if (!read_parts(r, content, where)) {
        return false;
    }
    if (role != 0)
        q->said = before;
    return true;
}

/* Whether a call of that id stands in the input. */
static bool has_call(const struct reader *r, json_ref input, vsr_str id) {
    const struct json_doc *doc = &r->question->doc;
    for (json_ref item = json_first(doc, input); item != JSON_NONE; item = json_next(doc, input, item))
        if (is_type(r, item, "function_call") && str_eq(text_of(r, item, "call_id"), id))
            return true;
    return false;
}

static bool read_output(struct reader *r, json_ref input, json_ref item, vsr_str where) {
    struct backend_question *q = r->question;
    json_ref output = json_get(&q->doc, item, VSR_STR("output"));
    vsr_str id = text_of(r, item, "call_id"), text = text_of(r, item, "output");
    bool again = q->after_tool;
    if (id.len == 0 || output == JSON_NONE)
        return invalid(r, "missing_required_parameter", where,
                       VSR_STR("A function_call_output needs a call_id and an output."));
    if (!has_call(r, input, id) && q->n_open_calls < BACKEND_OPEN_CALLS_MAX)
        q->open_calls[q->n_open_calls++] = id;
    q->said = again ? arena_printf(r->arena, "%.*s %.*s", VSR_FMT(q->said), VSR_FMT(text)) : text;
    q->after_tool = true;
    q->user_last = false;
    r->context_len += text.len;
    return true;
}

static bool read_item(struct reader *r, json_ref input, json_ref item, size_t index) {
    static const char *const others[] = {
        "item_reference", "web_search_call",       "file_search_call",      "computer_call", "mcp_call",
        "mcp_list_tools", "image_generation_call", "code_interpreter_call", "compaction"
    };
    const struct json_doc *doc = &r->question->doc;
    vsr_str where = arena_printf(r->arena, "input[%zu]", index);
    vsr_str sealed = text_of(r, item, "encrypted_content");
    if (!json_is(doc, item, JSON_OBJECT))
        return invalid(r, "invalid_type", where, VSR_STR("Invalid type: expected an object."));
    if (json_get(doc, item, VSR_STR("type")) == JSON_NONE || is_type(r, item, "message"))
        return read_message(r, item, where);
    if (is_type(r, item, "function_call_output"))
        return read_output(r, input, item, where);
    if (is_type(r, item, "function_call") && text_of(r, item, "call_id").len > 0 && text_of(r, item, "name").len > 0)
        return true;
    if (is_type(r, item, "reasoning")) {
        if (sealed.len == 0 || str_starts(sealed, VSR_STR(BACKEND_SEAL)))
            return true;
        return invalid(r, "invalid_encrypted_content", where,
                       VSR_STR("The encrypted content could not be verified or decrypted."));
    }
    for (size_t i = 0; i < VSR_COUNT(others); i++)
        if (is_type(r, item, others[i]))
            return true;
    return invalid(r, "invalid_value", where,
                   arena_printf(r->arena, "Invalid value: '%.*s'.", VSR_FMT(text_of(r, item, "type"))));
}

static bool read_input(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref input = json_get(&q->doc, 0, VSR_STR("input"));
    size_t index = 0;
    if (json_is(&q->doc, input, JSON_STRING)) {
        q->said = text_of(r, 0, "input");
        q->user_last = true;
        r->context_len += q->said.len;
    } else if (json_is(&q->doc, input, JSON_ARRAY)) {
        for (json_ref item = json_first(&q->doc, input); item != JSON_NONE;
             item = json_next(&q->doc, input, item), index++)
            if (!read_item(r, input, item, index))
                return false;
    } else {
        return invalid(r, "missing_required_parameter", VSR_STR("input"),
                       VSR_STR("Missing required parameter: 'input'."));
    }
    q->prompt_tokens = backend_prompt_tokens(r->context_len);
    return true;
}

bool backend_responses_read(struct arena *arena, const struct http1_head *head, vsr_str body,
                            struct backend_question *ret_question, struct backend_refusal *ret_refusal) {
    struct reader r = { .arena = arena, .question = ret_question, .refusal = ret_refusal };
    (void)head;
    if (!backend_parse(arena, body, &ret_question->doc, ret_refusal))
        return false;
    ret_question->n_choices = 1;
    if (!check_members(&r) || !read_parameters(&r) || !read_tools(&r) || !read_input(&r))
        return false;
    read_format(&r);
    read_reasoning(&r);
    return true;
}
