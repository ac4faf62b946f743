#include "wire/responses_chat.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/map.h"
#include "wire/members.h"
#include "wire/responses_request.h"
#include "wire/warnings.h"

/* What an item is to a conversation in chat. */
enum item_kind {
    ITEM_MESSAGE,   /* of user, system or developer */
    ITEM_ASSISTANT, /* a message of the assistant */
    ITEM_CALL,      /* function_call */
    ITEM_OUTPUT,    /* function_call_output */
    ITEM_DONE_CALL, /* mcp_call: a call and its output in one */
    ITEM_REASONING,
    ITEM_DROPPED,
};

enum { TYPE, ROLE, CONTENT, CALL_ID, NAME, ARGUMENTS, OUTPUT, ID, ENCRYPTED, SUMMARY, ITEM_MEMBERS };

static const vsr_str item_members[ITEM_MEMBERS] = {
    [TYPE] = VSR_STR_INIT("type"),       [ROLE] = VSR_STR_INIT("role"), [CONTENT] = VSR_STR_INIT("content"),
    [CALL_ID] = VSR_STR_INIT("call_id"), [NAME] = VSR_STR_INIT("name"), [ARGUMENTS] = VSR_STR_INIT("arguments"),
    [OUTPUT] = VSR_STR_INIT("output"),   [ID] = VSR_STR_INIT("id"),     [ENCRYPTED] = VSR_STR_INIT("encrypted_content"),
    [SUMMARY] = VSR_STR_INIT("summary"),
};

struct item {
    const struct json_doc *doc;
    json_ref ref;
    enum item_kind kind;
    bool own;        /* of the request itself, not of a stored turn */
    bool answered;   /* OUTPUT: stands behind its call */
    size_t index;    /* in its array */
    vsr_str call_id; /* CALL, OUTPUT */
    size_t output;   /* CALL: index of its output + 1; 0: none */
};

/* One translation. `failed` is 0 or a sticky code. */
struct translation {
    struct arena *arena;
    const struct responses_request *request;
    const struct responses_chat *chat;
    struct warnings *warnings;
    struct vsr_err *err;
    struct json_writer w;
    struct item *items;
    size_t n, cap;
    size_t last_user; /* index of the last message of the user + 1; 0: none */
    int failed;

    /* The message of the assistant that is being put together: indexes into items. */
    size_t reasoning, text;        /* + 1; 0: none */
    size_t calls_begin, calls_end; /* items in between that are calls; begin == end: none */
};

static int fail(struct translation *t, int code, const char *text) {
    if (t->failed == 0)
        t->failed = err_set(t->err, code, "%s", text);
    return t->failed;
}

static vsr_str item_path(const struct translation *t, const struct item *item, const char *member) {
    return arena_printf(t->arena, "%s[%zu]%s%s", item->own ? "input" : "history", item->index, *member ? "." : "",
                        member);
}

static int refuse(struct translation *t, const struct item *item, const char *member, const char *text) {
    if (t->failed == 0) {
        fail(t, VSR_E_INVALID, text);
        err_at(t->err, item_path(t, item, member), 0, 0);
    }
    return t->failed;
}

static void warn(struct translation *t, enum warning_severity severity, const char *reason, const struct item *item,
                 vsr_str detail) {
    warnings_add(t->warnings, severity, reason, item_path(t, item, ""), detail);
}

static bool text_is(const struct json_doc *doc, json_ref ref, const char *text) {
    return json_is(doc, ref, JSON_STRING) && json_str_eq(doc, ref, str_from_c(text));
}

static json_ref member(const struct item *item, const char *name) {
    return json_get(item->doc, item->ref, str_from_c(name));
}

/* ---- reading items */

/* Types whose loss changes nothing but what the model remembers of its own doings. */
static const char *const dropped_types[] = {
    "image_generation_call",   "web_search_call",  "file_search_call",        "code_interpreter_call",
    "computer_call",           "mcp_list_tools",   "mcp_approval_request",    "mcp_approval_response",
    "computer_call_output",    "custom_tool_call", "custom_tool_call_output", "local_shell_call",
    "local_shell_call_output", "shell_call",       "shell_call_output",       "apply_patch_call",
    "apply_patch_call_output", "compaction",
};

static enum item_kind message_kind(const struct json_doc *doc, json_ref role) {
    return text_is(doc, role, "assistant") ? ITEM_ASSISTANT : ITEM_MESSAGE;
}

static bool read_call_id(struct translation *t, struct item *item, json_ref ref) {
    if (!json_is(item->doc, ref, JSON_STRING) || json_str_len(item->doc, ref) == 0) {
        refuse(t, item, "call_id", "call_id must be a string that names the call");
        return false;
    }
    if (!json_str(t->arena, item->doc, ref, &item->call_id))
        fail(t, VSR_E_NOMEM, "the input is too large");
    return t->failed == 0;
}

static void check_call(struct translation *t, struct item *item, const json_ref *m) {
    if (!json_is(item->doc, m[NAME], JSON_STRING))
        refuse(t, item, "name", "name of the function must be a string");
    else if (!json_is(item->doc, m[ARGUMENTS], JSON_STRING))
        refuse(t, item, "arguments", "arguments must be a string of JSON");
}

static void read_kind(struct translation *t, struct item *item) {
    const struct json_doc *doc = item->doc;
    json_ref m[ITEM_MEMBERS];
    vsr_str type = VSR_STR("");
    members_read(doc, item->ref, item_members, ITEM_MEMBERS, m);
    if (m[TYPE] == JSON_NONE || text_is(doc, m[TYPE], "message")) {
        item->kind = message_kind(doc, m[ROLE]);
    } else if (text_is(doc, m[TYPE], "function_call")) {
        item->kind = ITEM_CALL;
        if (read_call_id(t, item, m[CALL_ID]))
            check_call(t, item, m);
    } else if (text_is(doc, m[TYPE], "function_call_output")) {
        item->kind = ITEM_OUTPUT;
        (void)read_call_id(t, item, m[CALL_ID]);
    } else if (text_is(doc, m[TYPE], "mcp_call")) {
        item->kind = ITEM_DONE_CALL;
        if (read_call_id(t, item, m[ID]))
            check_call(t, item, m);
    } else if (text_is(doc, m[TYPE], "reasoning")) {
        item->kind = ITEM_REASONING;
    } else if (text_is(doc, m[TYPE], "item_reference")) {
        refuse(t, item, "type", "item_reference is not supported: send the item itself, or previous_response_id");
    } else {
        item->kind = ITEM_DROPPED;
        if (!json_str(t->arena, doc, m[TYPE], &type))
            refuse(t, item, "type", "the type of an item must be a string");
        for (size_t i = 0; i < VSR_COUNT(dropped_types); i++)
            if (str_eq_c(type, dropped_types[i]))
                return;
        if (t->failed == 0)
            warn(t, WARNING_LOSSY, "unknown_item_dropped", item, type);
    }
}

static void add_item(struct translation *t, const struct json_doc *doc, json_ref ref, bool own, size_t index) {
    struct item *item;
    if (t->n >= RESPONSES_ITEMS_MAX) {
        fail(t, VSR_E_LIMIT, "the conversation has too many items");
        return;
    }
    if (t->n == t->cap) {
        struct item *items = arena_try_grow(t->arena, t->items, sizeof(*items), t->n, 1, &t->cap);
        if (!items) {
            fail(t, VSR_E_NOMEM, "the input is too large");
            return;
        }
        t->items = items;
    }
    item = &t->items[t->n];
    *item = (struct item){ .doc = doc, .ref = ref, .own = own, .index = index };
    if (!json_is(doc, ref, JSON_OBJECT)) {
        refuse(t, item, "", "an item of the input must be an object");
        return;
    }
    read_kind(t, item);
    t->n++;
    if (item->kind == ITEM_MESSAGE && (member(item, "role") == JSON_NONE || text_is(doc, member(item, "role"), "user")))
        t->last_user = t->n;
}

static void add_items(struct translation *t, const struct json_doc *doc, json_ref array, bool own) {
    size_t index = 0;
    for (json_ref ref = json_first(doc, array); ref != JSON_NONE && t->failed == 0; ref = json_next(doc, array, ref))
        add_item(t, doc, ref, own, index++);
}

static void add_stored(struct translation *t, vsr_str text) {
    struct json_doc *doc = ARENA_NEW(t->arena, struct json_doc);
    struct vsr_err why = VSR_ERR_NONE;
    if (text.len == 0 || t->failed)
        return;
    if (json_parse(t->arena, text, doc, &why) < 0)
        fail(t, why.code == VSR_E_NOMEM ? VSR_E_NOMEM : VSR_E_INTERNAL, "a stored turn cannot be read");
    else if (json_is(doc, 0, JSON_ARRAY))
        add_items(t, doc, 0, false);
}

/* Each output to the last call before it, else the first behind it, that has the same id and no output yet. */
static void match_outputs(struct translation *t) {
    struct map calls;
    map_init(&calls, t->arena);
    for (int pass = 0; pass < 2 && t->failed == 0; pass++) {
        for (size_t i = 0; i < t->n; i++) {
            struct item *item = &t->items[i];
            if (pass == 0 && item->kind == ITEM_CALL)
                map_put(&calls, item->call_id, item);
            if (item->kind == ITEM_OUTPUT && !item->answered) {
                struct item *call = map_get(&calls, item->call_id);
                if (call && call->output == 0) {
                    call->output = i + 1;
                    item->answered = true;
                }
            }
        }
    }
}

static void check_outputs(struct translation *t) {
    for (size_t i = 0; i < t->n && t->failed == 0; i++) {
        struct item *item = &t->items[i];
        if (item->kind != ITEM_OUTPUT || item->answered)
            continue;
        if (t->chat->trimmed)
            warn(t, WARNING_LOSSY, "tool_output_dropped", item, item->call_id);
        else
            refuse(t, item, "call_id", "no function call with this call_id is in the conversation");
    }
}

/* ---- content */

static bool is_text_part(const struct json_doc *doc, json_ref type) {
    return text_is(doc, type, "input_text") || text_is(doc, type, "output_text") || text_is(doc, type, "text") ||
           text_is(doc, type, "summary_text") || text_is(doc, type, "reasoning_text");
}

/*
 * Appends the text of a JSON string, still escaped, to an open one; a space before it when it is not the first. Escapes
 * stay whole, since the scan refuses lone surrogates.
 */
static void append_text(struct translation *t, const struct json_doc *doc, json_ref text, bool *first) {
    vsr_str raw = json_raw(doc, text);
    if (raw.len <= 2)
        return;
    if (!*first)
        buf_append_char(t->w.out, ' ');
    *first = false;
    buf_append(t->w.out, str_sub(raw, 1, raw.len - 1));
}

/* The text parts of a content as one JSON string. `only`: of parts of this type; NULL: all that are text. */
static void write_texts(struct translation *t, const struct json_doc *doc, json_ref content, const char *only) {
    bool first = true;
    json_write_raw(&t->w, VSR_STR("\"")); /* commas are the writer's; the rest goes straight to the buffer */
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
        json_ref type = json_get(doc, part, VSR_STR("type"));
        json_ref text = json_get(doc, part, VSR_STR("text"));
        if (json_is(doc, text, JSON_STRING) && (only ? text_is(doc, type, only) : is_text_part(doc, type)))
            append_text(t, doc, text, &first);
    }
    buf_append_char(t->w.out, '"');
}

static void write_key_raw(struct translation *t, const char *key, const struct json_doc *doc, json_ref value) {
    if (value == JSON_NONE || json_is(doc, value, JSON_NULL))
        return;
    json_write_key(&t->w, str_from_c(key));
    json_write_raw(&t->w, json_raw(doc, value));
}

static void write_key_c(struct translation *t, const char *key, const char *text) {
    json_write_key(&t->w, str_from_c(key));
    json_write_str(&t->w, str_from_c(text));
}

static void write_image(struct translation *t, const struct item *item, json_ref part) {
    const struct json_doc *doc = item->doc;
    json_ref url = json_get(doc, part, VSR_STR("image_url"));
    if (!json_is(doc, url, JSON_STRING)) {
        warn(t, WARNING_LOSSY, "image_file_id_unresolved", item, VSR_STR(""));
        return;
    }
    json_write_begin_object(&t->w);
    write_key_c(t, "type", "image_url");
    json_write_key(&t->w, VSR_STR("image_url"));
    json_write_begin_object(&t->w);
    write_key_raw(t, "url", doc, url);
    write_key_raw(t, "detail", doc, json_get(doc, part, VSR_STR("detail")));
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static void write_file(struct translation *t, const struct item *item, json_ref part) {
    const struct json_doc *doc = item->doc;
    json_ref data = json_get(doc, part, VSR_STR("file_data")), id = json_get(doc, part, VSR_STR("file_id"));
    if (!json_is(doc, data, JSON_STRING) && !json_is(doc, id, JSON_STRING)) {
        warn(t, WARNING_LOSSY, "file_url_dropped", item, VSR_STR(""));
        return;
    }
    json_write_begin_object(&t->w);
    write_key_c(t, "type", "file");
    json_write_key(&t->w, VSR_STR("file"));
    json_write_begin_object(&t->w);
    write_key_raw(t, "filename", doc, json_get(doc, part, VSR_STR("filename")));
    write_key_raw(t, "file_data", doc, data);
    if (!json_is(doc, data, JSON_STRING))
        write_key_raw(t, "file_id", doc, id);
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static void write_part(struct translation *t, const struct item *item, json_ref part) {
    const struct json_doc *doc = item->doc;
    json_ref type = json_get(doc, part, VSR_STR("type"));
    vsr_str name = VSR_STR("");
    if (is_text_part(doc, type)) {
        json_ref text = json_get(doc, part, VSR_STR("text"));
        if (!json_is(doc, text, JSON_STRING))
            return;
        json_write_begin_object(&t->w);
        write_key_c(t, "type", "text");
        write_key_raw(t, "text", doc, text);
        json_write_end(&t->w);
    } else if (text_is(doc, type, "input_image")) {
        write_image(t, item, part);
    } else if (text_is(doc, type, "input_file")) {
        write_file(t, item, part);
    } else if (text_is(doc, type, "input_audio")) {
        json_write_raw(&t->w, json_raw(doc, part)); /* the same in both */
    } else {
        (void)json_str(t->arena, doc, type, &name);
        warn(t, WARNING_LOSSY, "unknown_part_dropped", item, name);
    }
}

static bool only_texts(const struct json_doc *doc, json_ref content) {
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
        if (!is_text_part(doc, json_get(doc, part, VSR_STR("type"))))
            return false;
    return true;
}

/* A text, or parts; parts of nothing but text are one text, which every backend takes. */
static void write_content(struct translation *t, const struct item *item, json_ref content, bool parts_ok) {
    const struct json_doc *doc = item->doc;
    json_write_key(&t->w, VSR_STR("content"));
    if (json_is(doc, content, JSON_STRING)) {
        json_write_raw(&t->w, json_raw(doc, content));
        return;
    }
    if (!json_is(doc, content, JSON_ARRAY)) {
        refuse(t, item, "content", "content must be a string or an array of parts");
        json_write_null(&t->w);
        return;
    }
    if (!parts_ok && !only_texts(doc, content))
        warn(t, WARNING_LOSSY, "part_dropped", item, VSR_STR("only text"));
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

static void write_message(struct translation *t, const struct item *item) {
    static const char *const roles[] = { "user", "system", "developer" };
    json_ref role = member(item, "role");
    const char *name = role == JSON_NONE ? "user" : NULL;
    for (size_t i = 0; i < VSR_COUNT(roles) && !name; i++)
        if (text_is(item->doc, role, roles[i]))
            name = roles[i];
    if (!name) {
        refuse(t, item, "role", "role must be user, assistant, system or developer");
        return;
    }
    json_write_begin_object(&t->w);
    write_key_c(t, "role", name);
    write_content(t, item, member(item, "content"), str_eq_c(str_from_c(name), "user"));
    json_write_end(&t->w);
}

/* The reasoning that goes along: in the open, or sealed by us. */
static void write_reasoning(struct translation *t, const struct item *item) {
    const struct json_doc *doc = item->doc;
    json_ref content = member(item, "content"), sealed = member(item, "encrypted_content");
    vsr_str blob, text;
    if (json_is(doc, content, JSON_ARRAY) && json_first(doc, content) != JSON_NONE) {
        json_write_key(&t->w, VSR_STR("reasoning_content"));
        write_texts(t, doc, content, "reasoning_text");
        return;
    }
    if (!json_is(doc, sealed, JSON_STRING) || !t->chat->unseal)
        return;
    if (!json_str(t->arena, doc, sealed, &blob)) {
        fail(t, VSR_E_NOMEM, "the input is too large");
    } else if (t->chat->unseal(t->chat->unseal_user, t->arena, blob, &text) < 0) {
        refuse(t, item, "encrypted_content", "encrypted_content was not made here, or was changed, or its key is gone");
    } else {
        json_write_key(&t->w, VSR_STR("reasoning_content"));
        json_write_str(&t->w, text);
    }
}

static void write_call(struct translation *t, const struct item *item) {
    json_write_begin_object(&t->w);
    json_write_key(&t->w, VSR_STR("id"));
    json_write_str(&t->w, item->call_id);
    write_key_c(t, "type", "function");
    json_write_key(&t->w, VSR_STR("function"));
    json_write_begin_object(&t->w);
    write_key_raw(t, "name", item->doc, member(item, "name"));
    write_key_raw(t, "arguments", item->doc, member(item, "arguments"));
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static bool is_call(const struct item *item) {
    return item->kind == ITEM_CALL || item->kind == ITEM_DONE_CALL;
}

static void write_tool(struct translation *t, const struct item *call) {
    const struct item *from = call->kind == ITEM_DONE_CALL ? call : &t->items[call->output - 1];
    json_ref output = member(from, "output"), error = member(from, "error");
    json_write_begin_object(&t->w);
    write_key_c(t, "role", "tool");
    json_write_key(&t->w, VSR_STR("tool_call_id"));
    json_write_str(&t->w, call->call_id);
    if (output != JSON_NONE && !json_is(from->doc, output, JSON_NULL)) {
        write_content(t, from, output, false);
    } else {
        json_write_key(&t->w, VSR_STR("content"));
        if (json_is(from->doc, error, JSON_STRING))
            json_write_raw(&t->w, json_raw(from->doc, error));
        else
            json_write_str(&t->w, VSR_STR(""));
    }
    json_write_end(&t->w);
}

static void write_assistant_text(struct translation *t, const struct item *item) {
    const struct json_doc *doc = item->doc;
    json_ref content = member(item, "content");
    json_ref refusal = JSON_NONE;
    if (json_is(doc, content, JSON_ARRAY))
        for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part))
            if (text_is(doc, json_get(doc, part, VSR_STR("type")), "refusal"))
                refusal = json_get(doc, part, VSR_STR("refusal"));
    if (refusal == JSON_NONE) {
        write_content(t, item, content, false);
        return;
    }
    json_write_key(&t->w, VSR_STR("content"));
    write_texts(t, doc, content, NULL);
    write_key_raw(t, "refusal", doc, refusal);
}

/* Writes the message of the assistant that was put together, and behind it what its calls gave. */
static void flush(struct translation *t) {
    bool has_calls = t->calls_begin < t->calls_end;
    if (t->text == 0 && !has_calls) { /* reasoning that led to nothing */
        t->reasoning = 0;
        return;
    }
    json_write_begin_object(&t->w);
    write_key_c(t, "role", "assistant");
    if (t->text) {
        write_assistant_text(t, &t->items[t->text - 1]);
    } else {
        json_write_key(&t->w, VSR_STR("content"));
        json_write_null(&t->w);
    }
    if (t->reasoning && t->reasoning > t->last_user)
        write_reasoning(t, &t->items[t->reasoning - 1]);
    if (has_calls) {
        json_write_key(&t->w, VSR_STR("tool_calls"));
        json_write_begin_array(&t->w);
        for (size_t i = t->calls_begin; i < t->calls_end; i++)
            if (is_call(&t->items[i]))
                write_call(t, &t->items[i]);
        json_write_end(&t->w);
    }
    json_write_end(&t->w);
    for (size_t i = t->calls_begin; i < t->calls_end; i++)
        if (t->items[i].kind == ITEM_DONE_CALL || (t->items[i].kind == ITEM_CALL && t->items[i].output))
            write_tool(t, &t->items[i]);
    t->reasoning = t->text = t->calls_begin = t->calls_end = 0;
}

static void write_item(struct translation *t, size_t i) {
    struct item *item = &t->items[i];
    bool has_calls = t->calls_begin < t->calls_end;
    switch (item->kind) {
    case ITEM_MESSAGE:
        flush(t);
        write_message(t, item);
        break;
    case ITEM_ASSISTANT:
        if (t->text || has_calls)
            flush(t);
        t->text = i + 1;
        break;
    case ITEM_REASONING:
        if (t->text || has_calls)
            flush(t);
        t->reasoning = i + 1;
        break;
    case ITEM_CALL:
    case ITEM_DONE_CALL:
        if (!has_calls)
            t->calls_begin = i;
        t->calls_end = i + 1;
        break;
    case ITEM_OUTPUT: /* stands behind its call; calls that come after it are another step */
        flush(t);
        break;
    case ITEM_DROPPED:
        break;
    }
}

static void write_messages(struct translation *t) {
    const struct responses_request *request = t->request;
    json_ref instructions = request->members[RESPONSES_INSTRUCTIONS];
    json_write_key(&t->w, VSR_STR("messages"));
    json_write_begin_array(&t->w);
    if (request->instructions.len) {
        json_write_begin_object(&t->w);
        write_key_c(t, "role", "system");
        write_key_raw(t, "content", request->doc, instructions);
        json_write_end(&t->w);
    }
    for (size_t i = 0; i < t->n && t->failed == 0; i++)
        write_item(t, i);
    flush(t);
    if (json_is(request->doc, request->members[RESPONSES_INPUT], JSON_STRING)) {
        json_write_begin_object(&t->w);
        write_key_c(t, "role", "user");
        write_key_raw(t, "content", request->doc, request->members[RESPONSES_INPUT]);
        json_write_end(&t->w);
    }
    json_write_end(&t->w);
}

/* ---- the other members */

/* The real API writes a function's members flat; `function: {...}` as in chat is accepted too. */
static void write_tool_definition(struct translation *t, json_ref tool) {
    static const char *const members[] = { "name", "description", "parameters", "strict" };
    const struct json_doc *doc = t->request->doc;
    json_ref nested = json_get(doc, tool, VSR_STR("function"));
    json_ref from = json_is(doc, nested, JSON_OBJECT) ? nested : tool;
    json_write_begin_object(&t->w);
    write_key_c(t, "type", "function");
    json_write_key(&t->w, VSR_STR("function"));
    json_write_begin_object(&t->w);
    for (size_t i = 0; i < VSR_COUNT(members); i++)
        write_key_raw(t, members[i], doc, json_get(doc, from, str_from_c(members[i])));
    json_write_end(&t->w);
    json_write_end(&t->w);
}

static bool write_tools(struct translation *t) {
    const struct json_doc *doc = t->request->doc;
    json_ref list = t->request->members[RESPONSES_TOOLS];
    bool any = false;
    if (list == JSON_NONE)
        return false;
    for (json_ref tool = json_first(doc, list); tool != JSON_NONE; tool = json_next(doc, list, tool)) {
        if (!text_is(doc, json_get(doc, tool, VSR_STR("type")), "function"))
            continue;
        if (!any) {
            json_write_key(&t->w, VSR_STR("tools"));
            json_write_begin_array(&t->w);
        }
        any = true;
        write_tool_definition(t, tool);
    }
    if (any)
        json_write_end(&t->w);
    return any;
}

static void write_tool_choice(struct translation *t) {
    const struct json_doc *doc = t->request->doc;
    json_ref choice = t->request->members[RESPONSES_TOOL_CHOICE];
    json_ref type = json_get(doc, choice, VSR_STR("type"));
    json_ref function = json_get(doc, choice, VSR_STR("function"));
    json_ref name = json_get(doc, json_is(doc, function, JSON_OBJECT) ? function : choice, VSR_STR("name"));
    if (json_is(doc, choice, JSON_STRING)) {
        write_key_raw(t, "tool_choice", doc, choice);
    } else if (text_is(doc, type, "function") && json_is(doc, name, JSON_STRING)) {
        json_write_key(&t->w, VSR_STR("tool_choice"));
        json_write_begin_object(&t->w);
        write_key_c(t, "type", "function");
        json_write_key(&t->w, VSR_STR("function"));
        json_write_begin_object(&t->w);
        write_key_raw(t, "name", doc, name);
        json_write_end(&t->w);
        json_write_end(&t->w);
    } else {
        json_ref mode = json_get(doc, choice, VSR_STR("mode"));
        warnings_add(t->warnings, WARNING_LOSSY, "tool_choice_widened", VSR_STR("tool_choice"), VSR_STR(""));
        write_key_raw(t, "tool_choice", doc, json_is(doc, mode, JSON_STRING) ? mode : JSON_NONE);
    }
}

static void write_format(struct translation *t) {
    static const char *const members[] = { "name", "description", "schema", "strict" };
    const struct json_doc *doc = t->request->doc;
    json_ref text = t->request->members[RESPONSES_TEXT];
    json_ref format = json_get(doc, text, VSR_STR("format"));
    json_ref type = json_get(doc, format, VSR_STR("type"));
    write_key_raw(t, "verbosity", doc, json_get(doc, text, VSR_STR("verbosity")));
    if (text_is(doc, type, "json_object")) {
        json_write_key(&t->w, VSR_STR("response_format"));
        json_write_raw(&t->w, VSR_STR("{\"type\":\"json_object\"}"));
    } else if (text_is(doc, type, "json_schema")) {
        json_write_key(&t->w, VSR_STR("response_format"));
        json_write_begin_object(&t->w);
        write_key_c(t, "type", "json_schema");
        json_write_key(&t->w, VSR_STR("json_schema"));
        json_write_begin_object(&t->w);
        for (size_t i = 0; i < VSR_COUNT(members); i++)
            write_key_raw(t, members[i], doc, json_get(doc, format, str_from_c(members[i])));
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

static void write_body(struct translation *t) {
    const struct responses_request *request = t->request;
    const struct json_doc *doc = request->doc;
    json_write_begin_object(&t->w);
    write_key_raw(t, "model", doc, request->members[RESPONSES_MODEL]);
    write_messages(t);
    for (size_t i = 0; i < VSR_COUNT(same_members); i++)
        write_key_raw(t, same_members[i].chat, doc, request->members[same_members[i].member]);
    if (request->wants_logprobs) {
        json_write_key(&t->w, VSR_STR("logprobs"));
        json_write_bool(&t->w, true);
    }
    write_key_raw(t, "reasoning_effort", doc, json_get(doc, request->members[RESPONSES_REASONING], VSR_STR("effort")));
    if (request->members[RESPONSES_TEXT] != JSON_NONE)
        write_format(t);
    if (write_tools(t)) { /* chat refuses these two without tools */
        if (request->members[RESPONSES_TOOL_CHOICE] != JSON_NONE)
            write_tool_choice(t);
        write_key_raw(t, "parallel_tool_calls", doc, request->members[RESPONSES_PARALLEL_TOOL_CALLS]);
    }
    if (request->stream) {
        json_write_key(&t->w, VSR_STR("stream"));
        json_write_bool(&t->w, true);
        json_write_key(&t->w, VSR_STR("stream_options"));
        json_write_raw(&t->w, VSR_STR("{\"include_usage\":true}"));
    }
    json_write_end(&t->w);
}

int responses_to_chat(struct arena *arena, const struct responses_request *request, const struct responses_chat *chat,
                      struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    struct translation t = { .arena = arena, .request = request, .chat = chat, .warnings = warnings, .err = err };
    json_write_init(&t.w, out);
    for (size_t i = 0; i < chat->n_turns; i++) {
        add_stored(&t, chat->turns[i].input);
        add_stored(&t, chat->turns[i].output);
    }
    if (json_is(request->doc, request->members[RESPONSES_INPUT], JSON_ARRAY))
        add_items(&t, request->doc, request->members[RESPONSES_INPUT], true);
    else
        t.last_user = t.n + 1; /* the text behind all items */
    if (t.failed == 0)
        match_outputs(&t);
    check_outputs(&t);
    if (t.failed == 0)
        write_body(&t);
    if (t.failed)
        return t.failed;
    return buf_failed(out) ? err_set(err, buf_failed(out), "the conversation is larger than this server accepts") : 0;
}
