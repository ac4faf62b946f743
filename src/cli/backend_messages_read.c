#include "cli/backend_messages_read.h"

#include "core/arena.h"
#include "net/http1.h"

#define INVALID "invalid_request_error"

enum { THINKING_BUDGET_LEAST = 1024 };

struct reader {
    struct arena *arena;
    struct backend_question *question;
    struct backend_refusal *refusal;
    size_t context_len; /* bytes of text in the whole request */
    size_t message;     /* index of the one that is read */
    vsr_str said;       /* texts of the message */
    json_ref before;    /* content of the message before; JSON_NONE: none */
    bool before_assistant;
    bool thinks;
    bool old; /* the version of 2023, in which nobody but user and assistant speaks */
};

static bool invalid(struct reader *r, vsr_str message) {
    return backend_refuse(r->refusal, 400, INVALID, message);
}

static vsr_str text_of(const struct reader *r, json_ref object, const char *key) {
    return backend_text(r->arena, &r->question->doc, object, key);
}

static bool is_type(const struct reader *r, json_ref block, const char *type) {
    return backend_is(&r->question->doc, block, "type", type);
}

/* ---- the head */

static bool check_head(const struct http1_head *head, struct backend_refusal *ret_refusal) {
    bool bearer = str_starts(http1_field(head, VSR_STR("authorization")), VSR_STR("Bearer "));
    if (!http1_field(head, VSR_STR("x-api-key")).ptr && !bearer)
        return backend_refuse(ret_refusal, 401, "authentication_error", VSR_STR("x-api-key header is required"));
    if (!http1_field(head, VSR_STR("anthropic-version")).ptr)
        return backend_refuse(ret_refusal, 400, INVALID, VSR_STR("anthropic-version: header is required"));
    return true;
}

/* ---- members */

/* What the provider calls extra inputs. */
static bool check_members(struct reader *r, bool counting) {
    static const char *const known[] = {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "speed",
        "mcp_servers",
        "output_config",
        "output_format",
        "context_management",
        "cache_control",
        "workspace_id",
        "user_profile_id",
        /* Of a message alone. */
        "max_tokens",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "metadata",
        "stop_sequences",
        "service_tier",
        "container",
        "inference_geo",
        "diagnostics",
    };
    const size_t n_counted = 14; /* of them, those that count_tokens takes */
    const struct json_doc *doc = &r->question->doc;
    size_t n = counting ? n_counted : VSR_COUNT(known);
    for (json_ref key = json_first(doc, 0); key != JSON_NONE;) {
        size_t i = 0;
        while (i < n && !json_str_eq(doc, key, str_from_c(known[i])))
            i++;
        if (i == n)
            return invalid(r, arena_printf(r->arena, "%.*s: Extra inputs are not permitted",
                                           VSR_FMT(str_sub(json_raw(doc, key), 1, json_raw(doc, key).len - 1))));
        key = json_next(doc, 0, json_next(doc, 0, key));
    }
    return true;
}

static bool read_model(struct reader *r, bool counting) {
    struct backend_question *q = r->question;
    q->model = text_of(r, 0, "model");
    q->stream = backend_flag(&q->doc, 0, "stream");
    q->ceiling = backend_count(&q->doc, 0, "max_tokens");
    if (q->model.len == 0)
        return invalid(r, VSR_STR("model: Field required"));
    if (!counting && json_get(&q->doc, 0, VSR_STR("max_tokens")) == JSON_NONE)
        return invalid(r, VSR_STR("max_tokens: Field required"));
    if (!counting && q->ceiling == 0)
        return invalid(r, VSR_STR("max_tokens: Input should be greater than or equal to 1"));
    return true;
}

static bool read_system(struct reader *r) {
    const struct json_doc *doc = &r->question->doc;
    json_ref system = json_get(doc, 0, VSR_STR("system"));
    if (json_is(doc, system, JSON_STRING)) {
        r->context_len += json_str_len(doc, system);
        return true;
    }
    if (system == JSON_NONE)
        return true;
    if (!json_is(doc, system, JSON_ARRAY))
        return invalid(r, VSR_STR("system: Input should be a valid string or list"));
    for (json_ref block = json_first(doc, system); block != JSON_NONE; block = json_next(doc, system, block)) {
        if (!is_type(r, block, "text"))
            return invalid(r, VSR_STR("system: Input should be a text block"));
        if (text_of(r, block, "text").len == 0)
            return invalid(r, VSR_STR("system: text content blocks must be non-empty"));
        r->context_len += text_of(r, block, "text").len;
    }
    return true;
}

static bool read_thinking(struct reader *r) {
    const struct json_doc *doc = &r->question->doc;
    json_ref thinking = json_get(doc, 0, VSR_STR("thinking")), choice = json_get(doc, 0, VSR_STR("tool_choice"));
    json_ref temperature = json_get(doc, 0, VSR_STR("temperature"));
    uint64_t budget = backend_count(doc, thinking, "budget_tokens");
    double heat = 1;
    r->thinks = is_type(r, thinking, "enabled");
    if (is_type(r, thinking, "adaptive"))
        r->question->thinking = BACKEND_THINKING_TOKENS;
    if (!r->thinks)
        return true;
    if (budget < THINKING_BUDGET_LEAST)
        return invalid(r, VSR_STR("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"));
    if (r->question->ceiling > 0 && budget >= r->question->ceiling)
        return invalid(r, VSR_STR("`max_tokens` must be greater than `thinking.budget_tokens`"));
    if (temperature != JSON_NONE && (!json_double(doc, temperature, &heat) || heat < 1 || heat > 1))
        return invalid(r, VSR_STR("`temperature` may only be set to 1 when thinking is enabled"));
    if (json_get(doc, 0, VSR_STR("top_k")) != JSON_NONE)
        return invalid(r, VSR_STR("`top_k` must be unset when thinking is enabled"));
    if (is_type(r, choice, "any") || is_type(r, choice, "tool"))
        return invalid(r, VSR_STR("Thinking may not be enabled when tool_choice forces tool use."));
    r->question->thinking = BACKEND_THINKING_TOKENS;
    return true;
}

static bool read_tools(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref tools = json_get(&q->doc, 0, VSR_STR("tools")), choice = json_get(&q->doc, 0, VSR_STR("tool_choice"));
    if (json_is(&q->doc, tools, JSON_ARRAY)) {
        size_t n = 0;
        for (json_ref tool = json_first(&q->doc, tools); tool != JSON_NONE;
             tool = json_next(&q->doc, tools, tool), n++) {
            json_ref schema = json_get(&q->doc, tool, VSR_STR("input_schema"));
            bool ours = json_get(&q->doc, tool, VSR_STR("type")) == JSON_NONE || is_type(r, tool, "custom");
            if (!ours)
                continue; /* a tool of the provider */
            if (text_of(r, tool, "name").len == 0)
                return invalid(r, arena_printf(r->arena, "tools.%zu.custom.name: Field required", n));
            if (!backend_is(&q->doc, schema, "type", "object"))
                return invalid(r, arena_printf(r->arena, "tools.%zu.custom.input_schema.type: Field required", n));
            backend_add_tool(q, text_of(r, tool, "name"), schema);
        }
    }
    if (choice == JSON_NONE)
        return true;
    if (tools == JSON_NONE)
        return invalid(r, VSR_STR("tool_choice: may only be specified while providing tools"));
    q->tool_name = text_of(r, choice, "name");
    q->one_tool = backend_flag(&q->doc, choice, "disable_parallel_tool_use");
    q->tool_choice = is_type(r, choice, "none")   ? TOOL_CHOICE_NONE
                     : is_type(r, choice, "any")  ? TOOL_CHOICE_REQUIRED
                     : is_type(r, choice, "tool") ? TOOL_CHOICE_NAMED
                                                  : TOOL_CHOICE_AUTO;
    if (q->tool_choice == TOOL_CHOICE_AUTO && !is_type(r, choice, "auto"))
        return invalid(r, VSR_STR("tool_choice: Input tag does not match any of the expected tags: 'auto', 'any', "
                                  "'tool', 'none'"));
    return true;
}

static void read_stops(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref stops = json_get(&q->doc, 0, VSR_STR("stop_sequences"));
    if (!json_is(&q->doc, stops, JSON_ARRAY))
        return;
    for (json_ref item = json_first(&q->doc, stops); item != JSON_NONE && q->n_stops < BACKEND_STOPS_MAX;
         item = json_next(&q->doc, stops, item))
        q->n_stops += json_str(r->arena, &q->doc, item, &q->stops[q->n_stops]);
}

/* ---- content */

/* Appends to what the message says, with one blank between. */
static void add_said(struct reader *r, vsr_str text) {
    r->context_len += text.len;
    if (text.len == 0)
        return;
    r->said = r->said.len == 0 ? text : arena_printf(r->arena, "%.*s %.*s", VSR_FMT(r->said), VSR_FMT(text));
}

/* Whether `content` holds a block of `type` whose member `key` is `id`. */
static bool has_block(const struct reader *r, json_ref content, const char *type, const char *key, vsr_str id) {
    const struct json_doc *doc = &r->question->doc;
    if (!json_is(doc, content, JSON_ARRAY))
        return false;
    for (json_ref block = json_first(doc, content); block != JSON_NONE; block = json_next(doc, content, block))
        if (is_type(r, block, type) && str_eq(text_of(r, block, key), id))
            return true;
    return false;
}

static bool read_result(struct reader *r, json_ref block, size_t index) {
    const struct json_doc *doc = &r->question->doc;
    json_ref content = json_get(doc, block, VSR_STR("content"));
    vsr_str id = text_of(r, block, "tool_use_id");
    if (!r->before_assistant || !has_block(r, r->before, "tool_use", "id", id))
        return invalid(r, arena_printf(r->arena,
                                       "messages.%zu.content.%zu: unexpected `tool_use_id` found in `tool_result` "
                                       "blocks: %.*s. Each `tool_result` block must have a corresponding `tool_use` "
                                       "block in the previous message.",
                                       r->message, index, VSR_FMT(id)));
    if (json_is(doc, content, JSON_STRING))
        add_said(r, text_of(r, block, "content"));
    if (json_is(doc, content, JSON_ARRAY)) {
        for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
            add_said(r, text_of(r, part, "text"));
            r->question->n_images += is_type(r, part, "image");
        }
    }
    r->question->after_tool = true;
    return true;
}

static bool read_thought(struct reader *r, json_ref block, size_t index) {
    vsr_str thought = text_of(r, block, "thinking");
    if (str_eq(text_of(r, block, "signature"), backend_signature(r->arena, thought)))
        return true;
    return invalid(r, arena_printf(r->arena, "messages.%zu.content.%zu: Invalid `signature` in `thinking` block",
                                   r->message, index));
}

static bool read_image(struct reader *r, json_ref block, size_t index) {
    const struct json_doc *doc = &r->question->doc;
    json_ref source = json_get(doc, block, VSR_STR("source"));
    bool data = backend_is(doc, source, "type", "base64") && text_of(r, source, "data").len > 0 &&
                str_starts(text_of(r, source, "media_type"), VSR_STR("image/"));
    bool url = backend_is(doc, source, "type", "url") && text_of(r, source, "url").len > 0;
    bool file = backend_is(doc, source, "type", "file") && text_of(r, source, "file_id").len > 0;
    r->question->n_images++;
    if (data || url || file)
        return true;
    return invalid(r,
                   arena_printf(r->arena, "messages.%zu.content.%zu.image.source: Field required", r->message, index));
}

static bool read_text(struct reader *r, json_ref block, size_t index) {
    vsr_str text = text_of(r, block, "text");
    if (str_trim(text).len == 0)
        return invalid(r, arena_printf(r->arena, "messages.%zu.content.%zu: text content blocks must be non-empty",
                                       r->message, index));
    add_said(r, text);
    return true;
}

/* Blocks that are taken as they come. */
static bool is_other_block(const struct reader *r, json_ref block) {
    static const char *const others[] = { "document", "redacted_thinking", "server_tool_use", "search_result",
                                          "container_upload" };
    for (size_t i = 0; i < VSR_COUNT(others); i++)
        if (is_type(r, block, others[i]))
            return true;
    return str_ends(text_of(r, block, "type"), VSR_STR("_tool_result"));
}

static bool read_block(struct reader *r, json_ref block, size_t index, bool assistant) {
    const struct json_doc *doc = &r->question->doc;
    if (is_type(r, block, "text"))
        return read_text(r, block, index);
    if (!assistant && is_type(r, block, "tool_result"))
        return read_result(r, block, index);
    if (!assistant && is_type(r, block, "image"))
        return read_image(r, block, index);
    if (assistant && is_type(r, block, "thinking"))
        return read_thought(r, block, index);
    if (assistant && is_type(r, block, "tool_use") && text_of(r, block, "id").len > 0 &&
        text_of(r, block, "name").len > 0 && json_is(doc, json_get(doc, block, VSR_STR("input")), JSON_OBJECT))
        return true;
    if (is_other_block(r, block))
        return true;
    return invalid(r, arena_printf(r->arena, "messages.%zu.content.%zu: this block does not belong here", r->message,
                                   index));
}

/* Every call has to be answered by the message behind it. */
static bool check_answered(struct reader *r, json_ref content) {
    const struct json_doc *doc = &r->question->doc;
    if (!r->before_assistant || !json_is(doc, r->before, JSON_ARRAY))
        return true;
    for (json_ref block = json_first(doc, r->before); block != JSON_NONE; block = json_next(doc, r->before, block)) {
        vsr_str id = text_of(r, block, "id");
        if (is_type(r, block, "tool_use") && !has_block(r, content, "tool_result", "tool_use_id", id))
            return invalid(r, arena_printf(r->arena,
                                           "messages.%zu: `tool_use` ids were found without `tool_result` blocks "
                                           "immediately after: %.*s.",
                                           r->message - 1, VSR_FMT(id)));
    }
    return true;
}

static bool read_message(struct reader *r, json_ref message) {
    const struct json_doc *doc = &r->question->doc;
    json_ref content = json_get(doc, message, VSR_STR("content"));
    bool assistant = backend_is(doc, message, "role", "assistant");
    bool system = !r->old && backend_is(doc, message, "role", "system");
    size_t index = 0;
    if (!assistant && !system && !backend_is(doc, message, "role", "user"))
        return invalid(r,
                       arena_printf(r->arena, "messages.%zu.role: Input should be 'user' or 'assistant'", r->message));
    if (r->message == 0 && assistant)
        return invalid(r, VSR_STR("messages: first message must use the \"user\" role"));
    r->said = VSR_STR("");
    r->question->after_tool = false;
    r->question->user_last = !assistant && !system;
    if (!check_answered(r, content))
        return false;
    if (json_is(doc, content, JSON_STRING)) {
        add_said(r, text_of(r, message, "content"));
        if (r->said.len == 0)
            return invalid(r, arena_printf(r->arena, "messages.%zu: user messages must have non-empty content",
                                           r->message));
    } else if (json_is(doc, content, JSON_ARRAY)) {
        for (json_ref block = json_first(doc, content); block != JSON_NONE;
             block = json_next(doc, content, block), index++)
            if (!read_block(r, block, index, assistant))
                return false;
    } else {
        return invalid(r, arena_printf(r->arena, "messages.%zu.content: Field required", r->message));
    }
    r->before = content;
    r->before_assistant = assistant;
    return true;
}

static bool read_messages(struct reader *r) {
    struct backend_question *q = r->question;
    json_ref messages = json_get(&q->doc, 0, VSR_STR("messages"));
    if (messages == JSON_NONE)
        return invalid(r, VSR_STR("messages: Field required"));
    if (!json_is(&q->doc, messages, JSON_ARRAY) || json_first(&q->doc, messages) == JSON_NONE)
        return invalid(r, VSR_STR("messages: at least one message is required"));
    for (json_ref message = json_first(&q->doc, messages); message != JSON_NONE;
         message = json_next(&q->doc, messages, message), r->message++) {
        if (!read_message(r, message))
            return false;
        if (q->user_last)
            q->said = r->said;
    }
    if (!check_answered(r, JSON_NONE))
        return false;
    q->user_last = q->user_last && !q->after_tool;
    q->prompt_tokens = backend_prompt_tokens(r->context_len);
    return true;
}

bool backend_messages_read(struct arena *arena, const struct http1_head *head, vsr_str body, bool counting,
                           struct backend_question *ret_question, struct backend_refusal *ret_refusal) {
    struct reader r = { .arena = arena, .question = ret_question, .refusal = ret_refusal, .before = JSON_NONE };
    if (!check_head(head, ret_refusal))
        return false;
    r.old = str_eq(http1_field(head, VSR_STR("anthropic-version")), VSR_STR("2023-06-01"));
    if (!backend_parse(arena, body, &ret_question->doc, ret_refusal)) {
        ret_refusal->type = INVALID;
        return false;
    }
    ret_question->n_choices = 1;
    ret_question->answer_schema = JSON_NONE;
    if (!check_members(&r, counting) || !read_model(&r, counting) || !read_system(&r) || !read_thinking(&r) ||
        !read_tools(&r) || !read_messages(&r))
        return false;
    read_stops(&r);
    return true;
}
