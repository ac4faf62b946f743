/*
 * The items of a conversation: what each is in chat, and which output belongs to which call.
 */
#include "core/arena.h"
#include "core/map.h"
#include "wire/members.h"
#include "wire/responses_chat_parts.h"
#include "wire/responses_request.h"
#include "wire/value.h"
#include "wire/warnings.h"

enum { TYPE, ROLE, CONTENT, CALL_ID, NAME, ARGUMENTS, OUTPUT, ID, ENCRYPTED, SUMMARY, ITEM_MEMBERS };

static const vsr_str item_members[ITEM_MEMBERS] = {
    [TYPE] = VSR_STR_INIT("type"),       [ROLE] = VSR_STR_INIT("role"), [CONTENT] = VSR_STR_INIT("content"),
    [CALL_ID] = VSR_STR_INIT("call_id"), [NAME] = VSR_STR_INIT("name"), [ARGUMENTS] = VSR_STR_INIT("arguments"),
    [OUTPUT] = VSR_STR_INIT("output"),   [ID] = VSR_STR_INIT("id"),     [ENCRYPTED] = VSR_STR_INIT("encrypted_content"),
    [SUMMARY] = VSR_STR_INIT("summary"),
};

int responses_chat_fail(struct responses_translation *t, int code, const char *text) {
    if (t->failed == 0)
        t->failed = err_set(t->err, code, "%s", text);
    return t->failed;
}

static vsr_str item_path(const struct responses_translation *t, const struct chat_item *item, const char *member) {
    return arena_printf(t->arena, "%s[%zu]%s%s", item->own ? "input" : "history", item->index, *member ? "." : "",
                        member);
}

int responses_chat_refuse(struct responses_translation *t, const struct chat_item *item, const char *member,
                          const char *text) {
    if (t->failed == 0) {
        responses_chat_fail(t, VSR_E_INVALID, text);
        err_at(t->err, item_path(t, item, member), 0, 0);
    }
    return t->failed;
}

void responses_chat_warn(struct responses_translation *t, enum warning_severity severity, const char *reason,
                         const struct chat_item *item, vsr_str detail) {
    warnings_add(t->warnings, severity, reason, item_path(t, item, ""), detail);
}

json_ref responses_chat_member(const struct chat_item *item, const char *name) {
    return json_get(item->doc, item->ref, str_from_c(name));
}

/* Types whose loss changes nothing but what the model remembers of its own doings. */
static const char *const dropped_types[] = {
    "image_generation_call",   "web_search_call",  "file_search_call",        "code_interpreter_call",
    "computer_call",           "mcp_list_tools",   "mcp_approval_request",    "mcp_approval_response",
    "computer_call_output",    "custom_tool_call", "custom_tool_call_output", "local_shell_call",
    "local_shell_call_output", "shell_call",       "shell_call_output",       "apply_patch_call",
    "apply_patch_call_output", "compaction",
};

static enum chat_item_kind message_kind(const struct json_doc *doc, json_ref role) {
    return value_equals(doc, role, "assistant") ? CHAT_ITEM_ASSISTANT : CHAT_ITEM_MESSAGE;
}

static bool read_call_id(struct responses_translation *t, struct chat_item *item, json_ref ref) {
    if (!json_is(item->doc, ref, JSON_STRING) || json_str_len(item->doc, ref) == 0) {
        responses_chat_refuse(t, item, "call_id", "call_id must be a string that names the call");
        return false;
    }
    if (!json_str(t->arena, item->doc, ref, &item->call_id))
        responses_chat_fail(t, VSR_E_NOMEM, "the input is too large");
    return t->failed == 0;
}

static void check_call(struct responses_translation *t, struct chat_item *item, const json_ref *m) {
    if (!json_is(item->doc, m[NAME], JSON_STRING))
        responses_chat_refuse(t, item, "name", "name of the function must be a string");
    else if (!json_is(item->doc, m[ARGUMENTS], JSON_STRING))
        responses_chat_refuse(t, item, "arguments", "arguments must be a string of JSON");
}

static void read_kind(struct responses_translation *t, struct chat_item *item) {
    const struct json_doc *doc = item->doc;
    json_ref m[ITEM_MEMBERS];
    vsr_str type = VSR_STR("");
    members_read(doc, item->ref, item_members, ITEM_MEMBERS, m);
    if (m[TYPE] == JSON_NONE || value_equals(doc, m[TYPE], "message")) {
        item->kind = message_kind(doc, m[ROLE]);
    } else if (value_equals(doc, m[TYPE], "function_call")) {
        item->kind = CHAT_ITEM_CALL;
        if (read_call_id(t, item, m[CALL_ID]))
            check_call(t, item, m);
    } else if (value_equals(doc, m[TYPE], "function_call_output")) {
        item->kind = CHAT_ITEM_OUTPUT;
        (void)read_call_id(t, item, m[CALL_ID]);
    } else if (value_equals(doc, m[TYPE], "mcp_call")) {
        item->kind = CHAT_ITEM_DONE_CALL;
        if (read_call_id(t, item, m[ID]))
            check_call(t, item, m);
    } else if (value_equals(doc, m[TYPE], "reasoning")) {
        item->kind = CHAT_ITEM_REASONING;
    } else if (value_equals(doc, m[TYPE], "item_reference")) {
        responses_chat_refuse(t, item, "type",
                              "item_reference is not supported: send the item itself, or previous_response_id");
    } else {
        item->kind = CHAT_ITEM_DROPPED;
        if (!json_str(t->arena, doc, m[TYPE], &type))
            responses_chat_refuse(t, item, "type", "the type of an item must be a string");
        for (size_t i = 0; i < VSR_COUNT(dropped_types); i++)
            if (str_eq_c(type, dropped_types[i]))
                return;
        if (t->failed == 0)
            responses_chat_warn(t, WARNING_LOSSY, "unknown_item_dropped", item, type);
    }
}

static void add_item(struct responses_translation *t, const struct json_doc *doc, json_ref ref, bool own,
                     size_t index) {
    struct chat_item *item;
    if (t->n >= RESPONSES_ITEMS_MAX) {
        responses_chat_fail(t, VSR_E_LIMIT, "the conversation has too many items");
        return;
    }
    if (t->n == t->cap) {
        struct chat_item *items = arena_try_grow(t->arena, t->items, sizeof(*items), t->n, 1, &t->cap);
        if (!items) {
            responses_chat_fail(t, VSR_E_NOMEM, "the input is too large");
            return;
        }
        t->items = items;
    }
    item = &t->items[t->n];
    *item = (struct chat_item){ .doc = doc, .ref = ref, .own = own, .index = index };
    if (!json_is(doc, ref, JSON_OBJECT)) {
        responses_chat_refuse(t, item, "", "an item of the input must be an object");
        return;
    }
    read_kind(t, item);
    t->n++;
    if (item->kind == CHAT_ITEM_MESSAGE && (responses_chat_member(item, "role") == JSON_NONE ||
                                            value_equals(doc, responses_chat_member(item, "role"), "user")))
        t->last_user = t->n;
}

static void add_items(struct responses_translation *t, const struct json_doc *doc, json_ref array, bool own) {
    size_t index = 0;
    for (json_ref ref = json_first(doc, array); ref != JSON_NONE && t->failed == 0; ref = json_next(doc, array, ref))
        add_item(t, doc, ref, own, index++);
}

static void add_stored(struct responses_translation *t, vsr_str text) {
    struct json_doc *doc = ARENA_NEW(t->arena, struct json_doc);
    struct vsr_err why = VSR_ERR_NONE;
    if (text.len == 0 || t->failed)
        return;
    if (json_parse(t->arena, text, doc, &why) < 0)
        responses_chat_fail(t, why.code == VSR_E_NOMEM ? VSR_E_NOMEM : VSR_E_INTERNAL, "a stored turn cannot be read");
    else if (json_is(doc, 0, JSON_ARRAY))
        add_items(t, doc, 0, false);
}

/* Each output to the last call before it, else the first behind it, that has the same id and no output yet. */
static void match_outputs(struct responses_translation *t) {
    struct map calls;
    map_init(&calls, t->arena);
    for (int pass = 0; pass < 2 && t->failed == 0; pass++) {
        for (size_t i = 0; i < t->n; i++) {
            struct chat_item *item = &t->items[i];
            if (pass == 0 && item->kind == CHAT_ITEM_CALL)
                map_put(&calls, item->call_id, item);
            if (item->kind == CHAT_ITEM_OUTPUT && !item->answered) {
                struct chat_item *call = map_get(&calls, item->call_id);
                if (call && call->output == 0) {
                    call->output = i + 1;
                    item->answered = true;
                }
            }
        }
    }
}

static void check_outputs(struct responses_translation *t) {
    for (size_t i = 0; i < t->n && t->failed == 0; i++) {
        struct chat_item *item = &t->items[i];
        if (item->kind != CHAT_ITEM_OUTPUT || item->answered)
            continue;
        if (t->chat->trimmed)
            responses_chat_warn(t, WARNING_LOSSY, "tool_output_dropped", item, item->call_id);
        else
            responses_chat_refuse(t, item, "call_id", "no function call with this call_id is in the conversation");
    }
}

void responses_chat_read(struct responses_translation *t) {
    const struct responses_request *request = t->request;
    json_ref input = request->members[RESPONSES_INPUT];
    for (size_t i = 0; i < t->chat->n_turns; i++) {
        add_stored(t, t->chat->turns[i].input);
        add_stored(t, t->chat->turns[i].output);
    }
    if (json_is(request->doc, input, JSON_ARRAY))
        add_items(t, request->doc, input, true);
    else
        t->last_user = t->n + 1; /* the text behind all items */
    if (t->failed == 0)
        match_outputs(t);
    check_outputs(t);
}
