#include "wire/responses_request.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/member_write.h"
#include "wire/members.h"
#include "wire/responses_id.h"
#include "wire/value.h"

static const vsr_str member_names[RESPONSES_MEMBERS] = {
    [RESPONSES_BACKGROUND] = VSR_STR_INIT("background"),
    [RESPONSES_CONVERSATION] = VSR_STR_INIT("conversation"),
    [RESPONSES_CONVERSATION_ID] = VSR_STR_INIT("conversation_id"),
    [RESPONSES_INCLUDE] = VSR_STR_INIT("include"),
    [RESPONSES_INPUT] = VSR_STR_INIT("input"),
    [RESPONSES_INSTRUCTIONS] = VSR_STR_INIT("instructions"),
    [RESPONSES_MAX_OUTPUT_TOKENS] = VSR_STR_INIT("max_output_tokens"),
    [RESPONSES_MAX_TOOL_CALLS] = VSR_STR_INIT("max_tool_calls"),
    [RESPONSES_METADATA] = VSR_STR_INIT("metadata"),
    [RESPONSES_MODEL] = VSR_STR_INIT("model"),
    [RESPONSES_PARALLEL_TOOL_CALLS] = VSR_STR_INIT("parallel_tool_calls"),
    [RESPONSES_PREVIOUS_RESPONSE_ID] = VSR_STR_INIT("previous_response_id"),
    [RESPONSES_PROMPT] = VSR_STR_INIT("prompt"),
    [RESPONSES_PROMPT_CACHE_KEY] = VSR_STR_INIT("prompt_cache_key"),
    [RESPONSES_REASONING] = VSR_STR_INIT("reasoning"),
    [RESPONSES_SAFETY_IDENTIFIER] = VSR_STR_INIT("safety_identifier"),
    [RESPONSES_SERVICE_TIER] = VSR_STR_INIT("service_tier"),
    [RESPONSES_STORE] = VSR_STR_INIT("store"),
    [RESPONSES_STREAM] = VSR_STR_INIT("stream"),
    [RESPONSES_TEMPERATURE] = VSR_STR_INIT("temperature"),
    [RESPONSES_TEXT] = VSR_STR_INIT("text"),
    [RESPONSES_TOOL_CHOICE] = VSR_STR_INIT("tool_choice"),
    [RESPONSES_TOOLS] = VSR_STR_INIT("tools"),
    [RESPONSES_TOP_LOGPROBS] = VSR_STR_INIT("top_logprobs"),
    [RESPONSES_TOP_P] = VSR_STR_INIT("top_p"),
    [RESPONSES_TRUNCATION] = VSR_STR_INIT("truncation"),
    [RESPONSES_USER] = VSR_STR_INIT("user"),
};

/* What a member has to be, when it is there and not null. */
enum shape { ANY, BOOLEAN, STRING, NUMBER, ARRAY, OBJECT, STRING_OR_ARRAY, STRING_OR_OBJECT };

static const struct {
    const char *text;
    unsigned types; /* bits of enum json_type */
} shapes[] = {
    [ANY] = { "anything", ~0u },
    [BOOLEAN] = { "true or false", 1u << JSON_TRUE | 1u << JSON_FALSE },
    [STRING] = { "a string", 1u << JSON_STRING },
    [NUMBER] = { "a number", 1u << JSON_NUMBER },
    [ARRAY] = { "an array", 1u << JSON_ARRAY },
    [OBJECT] = { "an object", 1u << JSON_OBJECT },
    [STRING_OR_ARRAY] = { "a string or an array of items", 1u << JSON_STRING | 1u << JSON_ARRAY },
    [STRING_OR_OBJECT] = { "a string or an object", 1u << JSON_STRING | 1u << JSON_OBJECT },
};

/* Members that only backends read are theirs to check. */
static const enum shape member_shapes[RESPONSES_MEMBERS] = {
    [RESPONSES_BACKGROUND] = BOOLEAN,
    [RESPONSES_CONVERSATION] = STRING_OR_OBJECT,
    [RESPONSES_CONVERSATION_ID] = STRING,
    [RESPONSES_INCLUDE] = ARRAY,
    [RESPONSES_INPUT] = STRING_OR_ARRAY,
    [RESPONSES_INSTRUCTIONS] = STRING,
    [RESPONSES_MAX_OUTPUT_TOKENS] = NUMBER,
    [RESPONSES_METADATA] = OBJECT,
    [RESPONSES_MODEL] = STRING,
    [RESPONSES_PARALLEL_TOOL_CALLS] = BOOLEAN,
    [RESPONSES_PREVIOUS_RESPONSE_ID] = STRING,
    [RESPONSES_REASONING] = OBJECT,
    [RESPONSES_STORE] = BOOLEAN,
    [RESPONSES_STREAM] = BOOLEAN,
    [RESPONSES_TEMPERATURE] = NUMBER,
    [RESPONSES_TEXT] = OBJECT,
    [RESPONSES_TOOL_CHOICE] = STRING_OR_OBJECT,
    [RESPONSES_TOOLS] = ARRAY,
    [RESPONSES_TOP_LOGPROBS] = NUMBER,
    [RESPONSES_TOP_P] = NUMBER,
};

static int refuse(struct vsr_err *err, vsr_str member, const char *text) {
    int rc = err_set(err, VSR_E_INVALID, "%s", text);
    err_at(err, member, 0, 0);
    return rc;
}

static int check_shapes(struct responses_request *request, struct vsr_err *err) {
    const struct json_doc *doc = request->doc;
    for (size_t i = 0; i < RESPONSES_MEMBERS; i++) {
        json_ref ref = request->members[i];
        if (!value_is_present(doc, ref)) {
            request->members[i] = JSON_NONE;
            continue;
        }
        if (!(shapes[member_shapes[i]].types & 1u << json_type_of(doc, ref))) {
            int rc =
                err_set(err, VSR_E_INVALID, "%.*s must be %s", VSR_FMT(member_names[i]), shapes[member_shapes[i]].text);
            err_at(err, member_names[i], 0, 0);
            return rc;
        }
    }
    return 0;
}

static bool read_text(struct arena *arena, const struct responses_request *request, enum responses_member member,
                      vsr_str *ret_text) {
    json_ref ref = request->members[member];
    if (!json_is(request->doc, ref, JSON_STRING))
        return true;
    return json_str(arena, request->doc, ref, ret_text);
}

static bool read_bool(const struct responses_request *request, enum responses_member member, bool otherwise) {
    bool value = otherwise;
    if (request->members[member] != JSON_NONE)
        (void)json_bool(request->doc, request->members[member], &value); /* the shape has been checked */
    return value;
}

/* `conversation` is an id or an object with one; `conversation_id` is what older clients of ours say. */
static bool read_conversation(struct arena *arena, struct responses_request *request) {
    json_ref ref = request->members[RESPONSES_CONVERSATION];
    if (json_is(request->doc, ref, JSON_OBJECT))
        ref = json_get(request->doc, ref, VSR_STR("id"));
    if (!json_is(request->doc, ref, JSON_STRING))
        ref = request->members[RESPONSES_CONVERSATION_ID];
    return !json_is(request->doc, ref, JSON_STRING) || json_str(arena, request->doc, ref, &request->conversation_id);
}

static void read_include(struct responses_request *request) {
    const struct json_doc *doc = request->doc;
    json_ref list = request->members[RESPONSES_INCLUDE];
    request->wants_logprobs = request->members[RESPONSES_TOP_LOGPROBS] != JSON_NONE;
    if (list == JSON_NONE)
        return;
    for (json_ref ref = json_first(doc, list); ref != JSON_NONE; ref = json_next(doc, list, ref)) {
        if (!json_is(doc, ref, JSON_STRING))
            continue;
        request->wants_encrypted_reasoning |= json_str_eq(doc, ref, VSR_STR("reasoning.encrypted_content"));
        request->wants_logprobs |= json_str_eq(doc, ref, VSR_STR("message.output_text.logprobs"));
    }
}

static int read_tools(struct arena *arena, struct responses_request *request, struct vsr_err *err) {
    const struct json_doc *doc = request->doc;
    json_ref list = request->members[RESPONSES_TOOLS];
    size_t index = 0;
    if (list == JSON_NONE)
        return 0;
    for (json_ref ref = json_first(doc, list); ref != JSON_NONE; ref = json_next(doc, list, ref), index++) {
        json_ref type = json_get(doc, ref, VSR_STR("type"));
        if (!json_is(doc, ref, JSON_OBJECT) || !json_is(doc, type, JSON_STRING)) {
            int rc = err_set(err, VSR_E_INVALID, "tools[%zu].type must be a string", index);
            err_at(err, arena_printf(arena, "tools[%zu]", index), 0, 0);
            return rc;
        }
        if (json_str_eq(doc, type, VSR_STR("function")))
            continue;
        if (json_str_eq(doc, type, VSR_STR("image_generation")))
            request->wants_image = true;
        else if (json_str_eq(doc, type, VSR_STR("mcp")))
            request->wants_mcp = true;
        else if (request->foreign_tool.len == 0 && !json_str(arena, doc, type, &request->foreign_tool))
            return err_set(err, VSR_E_NOMEM, "the tools are too large");
    }
    return 0;
}

static int check_members(const struct responses_request *request, struct vsr_err *err) {
    const struct json_doc *doc = request->doc;
    json_ref max_output = request->members[RESPONSES_MAX_OUTPUT_TOKENS];
    int64_t tokens;
    if (request->members[RESPONSES_MODEL] == JSON_NONE)
        return refuse(err, VSR_STR("model"), "model field is required");
    if (request->members[RESPONSES_INPUT] == JSON_NONE)
        return refuse(err, VSR_STR("input"),
                      json_get(doc, 0, VSR_STR("messages")) == JSON_NONE
                          ? "input field is required: a string or an array of items"
                          : "input field is required: this endpoint takes `input`, not `messages`");
    if (request->members[RESPONSES_PROMPT] != JSON_NONE)
        return refuse(err, VSR_STR("prompt"), "stored prompts are not kept here: send instructions and input");
    if (max_output != JSON_NONE && (!json_i64(doc, max_output, &tokens) || tokens < 1))
        return refuse(err, VSR_STR("max_output_tokens"), "max_output_tokens must be a whole number of at least 1");
    if (request->previous_response_id.len && request->conversation_id.len &&
        request->members[RESPONSES_CONVERSATION] != JSON_NONE)
        return refuse(err, VSR_STR("previous_response_id"), "previous_response_id and conversation exclude each other");
    if (request->background && !request->store)
        return refuse(err, VSR_STR("background"),
                      "background needs store: an answer that nobody waits for must be kept");
    return 0;
}

int responses_read(struct arena *arena, const struct json_doc *doc, struct responses_request *ret_request,
                   struct vsr_err *err) {
    struct responses_request request = { .doc = doc };
    int rc;
    if (!json_is(doc, 0, JSON_OBJECT))
        return refuse(err, VSR_STR(""), "the request body must be a JSON object");
    members_read(doc, 0, member_names, RESPONSES_MEMBERS, request.members);
    rc = check_shapes(&request, err);
    if (rc < 0)
        return rc;
    if (!read_text(arena, &request, RESPONSES_MODEL, &request.model) ||
        !read_text(arena, &request, RESPONSES_INSTRUCTIONS, &request.instructions) ||
        !read_text(arena, &request, RESPONSES_PREVIOUS_RESPONSE_ID, &request.previous_response_id) ||
        !read_conversation(arena, &request))
        return err_set(err, VSR_E_NOMEM, "the request body is too large");
    if (request.conversation_id.len > RESPONSES_CONVERSATION_LEN_MAX ||
        str_find_char(request.conversation_id, '\0') >= 0)
        return refuse(err, VSR_STR("conversation"), "a conversation's id has at most 256 bytes and no NUL");
    request.stream = read_bool(&request, RESPONSES_STREAM, false);
    request.background = read_bool(&request, RESPONSES_BACKGROUND, false);
    request.store = read_bool(&request, RESPONSES_STORE, true);
    read_include(&request);
    rc = read_tools(arena, &request, err);
    if (rc == 0)
        rc = check_members(&request, err);
    if (rc == 0)
        *ret_request = request;
    return rc;
}

vsr_str responses_raw(const struct responses_request *request, enum responses_member member) {
    json_ref ref = request->members[member];
    return ref == JSON_NONE ? (vsr_str){ NULL, 0 } : json_raw(request->doc, ref);
}

/* ---- items as they are stored */

/* Prefix of the id of an item of that type. */
static const char *id_prefix(const struct json_doc *doc, json_ref type) {
    static const struct {
        vsr_str type;
        const char *prefix;
    } prefixes[] = {
        { VSR_STR_INIT("message"), "msg_" },      { VSR_STR_INIT("reasoning"), "rs_" },
        { VSR_STR_INIT("function_call"), "fc_" }, { VSR_STR_INIT("image_generation_call"), "ig_" },
        { VSR_STR_INIT("mcp_call"), "mcp_" },
    };
    if (type == JSON_NONE)
        return "msg_";
    for (size_t i = 0; i < VSR_COUNT(prefixes); i++)
        if (json_str_eq(doc, type, prefixes[i].type))
            return prefixes[i].prefix;
    return "item_";
}

/* A text as the one part that it stands for. */
static void write_content(struct json_writer *w, const struct json_doc *doc, json_ref content, bool is_output) {
    if (!json_is(doc, content, JSON_STRING)) {
        json_write_raw(w, json_raw(doc, content));
        return;
    }
    json_write_begin_array(w);
    json_write_begin_object(w);
    member_str(w, "type", is_output ? VSR_STR("output_text") : VSR_STR("input_text"));
    member_raw(w, "text", json_raw(doc, content));
    if (is_output) {
        member_raw(w, "annotations", VSR_STR("[]"));
    }
    json_write_end(w);
    json_write_end(w);
}

static bool is_key(const struct json_doc *doc, json_ref key, const char *name) {
    return json_str_eq(doc, key, str_from_c(name));
}

/* One item with what it lacks: id, type and status first, then its own members. */
static int write_item(struct json_writer *w, struct arena *arena, const struct json_doc *doc, json_ref item,
                      vsr_str response_id, size_t index) {
    json_ref type = json_get(doc, item, VSR_STR("type")), id = json_get(doc, item, VSR_STR("id"));
    json_ref role = json_get(doc, item, VSR_STR("role")), status = json_get(doc, item, VSR_STR("status"));
    bool is_message, is_assistant = json_is(doc, role, JSON_STRING) && json_str_eq(doc, role, VSR_STR("assistant"));
    if (!json_is(doc, type, JSON_STRING))
        type = JSON_NONE;
    is_message = type == JSON_NONE || json_str_eq(doc, type, VSR_STR("message"));
    json_write_begin_object(w);
    member_key(w, "id");
    if (json_is(doc, id, JSON_STRING) && json_str_len(doc, id) > 0)
        json_write_raw(w, json_raw(doc, id));
    else
        json_write_str(w, responses_id_of_item(arena, id_prefix(doc, type), response_id, false, index));
    member_raw(w, "type", type == JSON_NONE ? VSR_STR("\"message\"") : json_raw(doc, type));
    member_raw(w, "status", json_is(doc, status, JSON_STRING) ? json_raw(doc, status) : VSR_STR("\"completed\""));
    if (is_message) {
        member_raw(w, "role", json_is(doc, role, JSON_STRING) ? json_raw(doc, role) : VSR_STR("\"user\""));
    }
    for (json_ref key = json_first(doc, item); key != JSON_NONE;) {
        json_ref value = json_next(doc, item, key);
        bool is_content = is_message && is_key(doc, key, "content");
        if (!is_key(doc, key, "id") && !is_key(doc, key, "type") && !is_key(doc, key, "status") &&
            !(is_message && is_key(doc, key, "role"))) {
            vsr_str name;
            if (!json_str(arena, doc, key, &name))
                return VSR_E_NOMEM;
            json_write_key(w, name);
            if (is_content)
                write_content(w, doc, value, is_assistant);
            else
                json_write_raw(w, json_raw(doc, value));
        }
        key = json_next(doc, item, value);
    }
    json_write_end(w);
    return 0;
}

static void write_text_item(struct json_writer *w, struct arena *arena, const struct json_doc *doc, json_ref text,
                            vsr_str response_id) {
    json_write_begin_object(w);
    member_str(w, "id", responses_id_of_item(arena, "msg_", response_id, false, 0));
    member_str(w, "type", VSR_STR("message"));
    member_str(w, "status", VSR_STR("completed"));
    member_str(w, "role", VSR_STR("user"));
    member_key(w, "content");
    write_content(w, doc, text, false);
    json_write_end(w);
}

int responses_input_items(struct arena *arena, const struct responses_request *request, vsr_str response_id,
                          struct buf *out, struct vsr_err *err) {
    const struct json_doc *doc = request->doc;
    json_ref input = request->members[RESPONSES_INPUT];
    struct json_writer w;
    size_t index = 0;
    int rc = 0;
    json_write_init(&w, out);
    json_write_begin_array(&w);
    if (json_is(doc, input, JSON_STRING))
        write_text_item(&w, arena, doc, input, response_id);
    else
        for (json_ref item = json_first(doc, input); item != JSON_NONE && rc == 0;
             item = json_next(doc, input, item), index++)
            if (json_is(doc, item, JSON_OBJECT))
                rc = write_item(&w, arena, doc, item, response_id, index);
    json_write_end(&w);
    if (rc < 0)
        return err_set(err, rc, "the input is too large to be kept");
    return buf_failed(out) ? err_set(err, buf_failed(out), "the input is too large to be kept") : 0;
}
