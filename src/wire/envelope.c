#include "wire/envelope.h"

#include "wire/members.h"
#include "wire/value.h"

/* Where the sums go while one request is walked. */
struct walk {
    const struct json_doc *doc;
    struct envelope *out;
};

#define STRUCTURED_BYTES_PER_TOKEN 3.0

static uint64_t add_sat(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static bool is_absent(const struct walk *w, json_ref ref) {
    return ref == JSON_NONE || json_is(w->doc, ref, JSON_NULL);
}

static void add_text(struct walk *w, json_ref ref) {
    w->out->text_bytes = add_sat(w->out->text_bytes, json_str_len(w->doc, ref));
}

static void add_structured(struct walk *w, json_ref ref) {
    if (is_absent(w, ref))
        return;
    w->out->structured_bytes = add_sat(w->out->structured_bytes, json_raw(w->doc, ref).len);
    w->out->has_non_text = true;
}

static void add_image(struct walk *w) {
    w->out->images = add_sat(w->out->images, 1);
    w->out->has_non_text = true;
}

static void add_framing(struct walk *w, uint64_t tokens) {
    w->out->framing = add_sat(w->out->framing, tokens);
}

static void add_tool_framing(struct walk *w) {
    add_framing(w, ENVELOPE_TOOL_FRAMING);
    w->out->has_non_text = true;
}

/* A value that ought to be text; anything else in its place still costs tokens. */
static void add_text_value(struct walk *w, json_ref value) {
    if (json_is(w->doc, value, JSON_STRING))
        add_text(w, value);
    else
        add_structured(w, value);
}

static void add_text_member(struct walk *w, json_ref object, vsr_str key) {
    add_text_value(w, json_get(w->doc, object, key));
}

static bool is_image_part(const struct walk *w, json_ref part) {
    return value_type_is(w->doc, part, "image_url") || value_type_is(w->doc, part, "input_image") ||
           value_type_is(w->doc, part, "image");
}

static bool is_text_part(const struct walk *w, json_ref part) {
    return (value_type_is(w->doc, part, "text") || value_type_is(w->doc, part, "input_text") ||
            value_type_is(w->doc, part, "output_text")) &&
           json_is(w->doc, json_get(w->doc, part, VSR_STR("text")), JSON_STRING);
}

/* What a tool gave back: all structured, apart from images. */
static void add_tool_content(struct walk *w, json_ref content) {
    if (!json_is(w->doc, content, JSON_ARRAY)) {
        add_structured(w, content);
        return;
    }
    for (json_ref part = json_first(w->doc, content); part != JSON_NONE; part = json_next(w->doc, content, part)) {
        if (is_image_part(w, part))
            add_image(w);
        else
            add_structured(w, part);
    }
}

static void add_tool_use(struct walk *w, json_ref block) {
    add_tool_framing(w);
    if (!json_is(w->doc, json_get(w->doc, block, VSR_STR("name")), JSON_STRING)) {
        add_structured(w, block);
        return;
    }
    add_text_member(w, block, VSR_STR("id"));
    add_text_member(w, block, VSR_STR("type"));
    add_text_member(w, block, VSR_STR("name"));
    add_structured(w, json_get(w->doc, block, VSR_STR("input")));
}

static void add_tool_result(struct walk *w, json_ref block) {
    add_tool_framing(w);
    add_text_member(w, block, VSR_STR("tool_use_id"));
    add_tool_content(w, json_get(w->doc, block, VSR_STR("content")));
}

static void add_part(struct walk *w, json_ref part, enum envelope_api api) {
    if (is_text_part(w, part))
        add_text(w, json_get(w->doc, part, VSR_STR("text")));
    else if (is_image_part(w, part))
        add_image(w);
    else if (api == ENVELOPE_ANTHROPIC_MESSAGES && value_type_is(w->doc, part, "tool_use"))
        add_tool_use(w, part);
    else if (api == ENVELOPE_ANTHROPIC_MESSAGES && value_type_is(w->doc, part, "tool_result"))
        add_tool_result(w, part);
    else
        add_structured(w, part);
}

static void add_content(struct walk *w, json_ref content, enum envelope_api api) {
    if (json_is(w->doc, content, JSON_STRING)) {
        add_text(w, content);
        return;
    }
    if (!json_is(w->doc, content, JSON_ARRAY)) {
        add_structured(w, content);
        return;
    }
    for (json_ref part = json_first(w->doc, content); part != JSON_NONE; part = json_next(w->doc, content, part))
        add_part(w, part, api);
}

/* `{name, arguments}` of a tool call or of a legacy function call. */
static bool is_function(const struct walk *w, json_ref function) {
    return json_is(w->doc, json_get(w->doc, function, VSR_STR("name")), JSON_STRING);
}

static void add_function(struct walk *w, json_ref function) {
    add_text_member(w, function, VSR_STR("name"));
    add_structured(w, json_get(w->doc, function, VSR_STR("arguments")));
}

static void add_tool_call(struct walk *w, json_ref call) {
    json_ref function = json_get(w->doc, call, VSR_STR("function"));
    add_tool_framing(w);
    if (!is_function(w, function)) {
        add_structured(w, call);
        return;
    }
    add_text_member(w, call, VSR_STR("id"));
    add_text_member(w, call, VSR_STR("type"));
    add_text_member(w, call, VSR_STR("tool_call_id"));
    add_function(w, function);
}

static void add_calls(struct walk *w, json_ref calls) {
    if (!json_is(w->doc, calls, JSON_ARRAY)) {
        add_structured(w, calls);
        return;
    }
    for (json_ref call = json_first(w->doc, calls); call != JSON_NONE; call = json_next(w->doc, calls, call))
        add_tool_call(w, call);
}

static void add_legacy_call(struct walk *w, json_ref call) {
    if (is_absent(w, call))
        return;
    add_tool_framing(w);
    if (is_function(w, call))
        add_function(w, call);
    else
        add_structured(w, call);
}

enum { ROLE, NAME, TOOL_CALL_ID, REFUSAL, REASONING, CONTENT, TOOL_CALLS, FUNCTION_CALL, MESSAGE_MEMBERS };

static const vsr_str message_members[MESSAGE_MEMBERS] = {
    [ROLE] = VSR_STR_INIT("role"),
    [NAME] = VSR_STR_INIT("name"),
    [TOOL_CALL_ID] = VSR_STR_INIT("tool_call_id"),
    [REFUSAL] = VSR_STR_INIT("refusal"),
    [REASONING] = VSR_STR_INIT("reasoning_content"),
    [CONTENT] = VSR_STR_INIT("content"),
    [TOOL_CALLS] = VSR_STR_INIT("tool_calls"),
    [FUNCTION_CALL] = VSR_STR_INIT("function_call"),
};

static bool is_tool_role(const struct walk *w, json_ref role) {
    return json_is(w->doc, role, JSON_STRING) &&
           (json_str_eq(w->doc, role, VSR_STR("tool")) || json_str_eq(w->doc, role, VSR_STR("function")));
}

static void add_message(struct walk *w, json_ref message, enum envelope_api api) {
    json_ref m[MESSAGE_MEMBERS];
    add_framing(w, ENVELOPE_MESSAGE_FRAMING);
    if (!json_is(w->doc, message, JSON_OBJECT)) {
        add_structured(w, message);
        return;
    }
    members_read(w->doc, message, message_members, MESSAGE_MEMBERS, m);
    for (size_t i = ROLE; i <= REASONING; i++)
        add_text_value(w, m[i]);
    if (is_tool_role(w, m[ROLE])) {
        add_tool_framing(w);
        add_tool_content(w, m[CONTENT]);
    } else {
        add_content(w, m[CONTENT], api);
    }
    add_calls(w, m[TOOL_CALLS]);
    add_legacy_call(w, m[FUNCTION_CALL]);
}

static void add_messages(struct walk *w, json_ref messages, enum envelope_api api) {
    if (!json_is(w->doc, messages, JSON_ARRAY)) {
        add_structured(w, messages);
        return;
    }
    for (json_ref m = json_first(w->doc, messages); m != JSON_NONE; m = json_next(w->doc, messages, m))
        add_message(w, m, api);
}

/* Anthropic keeps the system prompt outside the messages; it costs what a system message costs. */
static void add_system(struct walk *w, json_ref system) {
    if (is_absent(w, system))
        return;
    add_framing(w, ENVELOPE_MESSAGE_FRAMING);
    w->out->text_bytes = add_sat(w->out->text_bytes, sizeof("system") - 1);
    add_content(w, system, ENVELOPE_ANTHROPIC_MESSAGES);
}

static void add_definitions(struct walk *w, json_ref tools) {
    if (!json_is(w->doc, tools, JSON_ARRAY)) {
        add_structured(w, tools);
        return;
    }
    for (json_ref tool = json_first(w->doc, tools); tool != JSON_NONE; tool = json_next(w->doc, tools, tool)) {
        add_tool_framing(w);
        add_structured(w, tool);
    }
}

/* Digits of a non-negative integer literal, saturating. */
static bool read_count(const struct walk *w, json_ref ref, uint64_t *ret_count) {
    vsr_str raw = json_raw(w->doc, ref);
    uint64_t count = 0;
    if (!json_is(w->doc, ref, JSON_NUMBER) || !(w->doc->nodes[ref].flags & JSON_FLAG_INTEGER) || raw.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < raw.len; i++) {
        uint64_t digit = (uint64_t)(raw.ptr[i] - '0');
        count = count > (UINT64_MAX - digit) / 10 ? UINT64_MAX : count * 10 + digit;
    }
    *ret_count = count;
    return true;
}

enum {
    MESSAGES,
    SYSTEM,
    TOOLS,
    FUNCTIONS,
    TOOL_CHOICE,
    FUNCTION_CHOICE,
    RESPONSE_FORMAT,
    MAX_COMPLETION_TOKENS,
    MAX_TOKENS,
    BODY_MEMBERS
};

static const vsr_str body_members[BODY_MEMBERS] = {
    [MESSAGES] = VSR_STR_INIT("messages"),
    [SYSTEM] = VSR_STR_INIT("system"),
    [TOOLS] = VSR_STR_INIT("tools"),
    [FUNCTIONS] = VSR_STR_INIT("functions"),
    [TOOL_CHOICE] = VSR_STR_INIT("tool_choice"),
    [FUNCTION_CHOICE] = VSR_STR_INIT("function_call"),
    [RESPONSE_FORMAT] = VSR_STR_INIT("response_format"),
    [MAX_COMPLETION_TOKENS] = VSR_STR_INIT("max_completion_tokens"),
    [MAX_TOKENS] = VSR_STR_INIT("max_tokens"),
};

static void add_reserve(struct walk *w, const json_ref *body, enum envelope_api api) {
    json_ref limit = api == ENVELOPE_CHAT_COMPLETIONS ? body[MAX_COMPLETION_TOKENS] : JSON_NONE;
    if (is_absent(w, limit))
        limit = body[MAX_TOKENS];
    if (!is_absent(w, limit) && !read_count(w, limit, &w->out->output_reserve))
        add_structured(w, limit);
}

void envelope_measure(const struct json_doc *doc, enum envelope_api api, struct envelope *ret_envelope) {
    struct walk w = { .doc = doc, .out = ret_envelope };
    json_ref body[BODY_MEMBERS];
    *ret_envelope = (struct envelope){ 0 };
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    if (api == ENVELOPE_ANTHROPIC_MESSAGES)
        add_system(&w, body[SYSTEM]);
    add_messages(&w, body[MESSAGES], api);
    add_definitions(&w, body[TOOLS]);
    add_definitions(&w, body[FUNCTIONS]);
    add_structured(&w, body[TOOL_CHOICE]);
    add_structured(&w, body[FUNCTION_CHOICE]);
    add_structured(&w, body[RESPONSE_FORMAT]);
    add_reserve(&w, body, api);
}

/* ceil(bytes / per_token), where doubles cannot be trusted past 2^53: such a request is refused by size long before. */
static uint64_t structured_tokens(uint64_t bytes, double per_token) {
    double tokens;
    uint64_t whole;
    if (!(per_token >= 1.0))
        per_token = STRUCTURED_BYTES_PER_TOKEN;
    tokens = (double)bytes / per_token;
    if (tokens >= 9007199254740992.0)
        return UINT64_MAX;
    whole = (uint64_t)tokens;
    return (double)whole < tokens ? whole + 1 : whole;
}

uint64_t envelope_input_tokens(const struct envelope *envelope, double structured_bytes_per_token) {
    uint64_t text = envelope->text_bytes / ENVELOPE_TEXT_BYTES_PER_TOKEN +
                    (envelope->text_bytes % ENVELOPE_TEXT_BYTES_PER_TOKEN != 0);
    uint64_t images =
        envelope->images > UINT64_MAX / ENVELOPE_IMAGE_TOKENS ? UINT64_MAX : envelope->images * ENVELOPE_IMAGE_TOKENS;
    uint64_t sum = add_sat(text, structured_tokens(envelope->structured_bytes, structured_bytes_per_token));
    return add_sat(add_sat(sum, images), envelope->framing);
}

uint64_t envelope_floor(const struct envelope *envelope, double structured_bytes_per_token) {
    return add_sat(envelope_input_tokens(envelope, structured_bytes_per_token), envelope->output_reserve);
}
