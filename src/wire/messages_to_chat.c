/*
 * The request's members and its messages; blocks and tools have files of their own.
 */
#include "wire/messages_to_chat.h"

#include "core/arena.h"
#include "core/buf.h"
#include "wire/member_write.h"
#include "wire/members.h"
#include "wire/messages_request.h"

enum {
    MODEL,
    MESSAGES,
    SYSTEM,
    MAX_TOKENS,
    TEMPERATURE,
    TOP_P,
    TOP_K,
    STOP_SEQUENCES,
    STREAM,
    TOOLS,
    TOOL_CHOICE,
    METADATA,
    THINKING,
    OUTPUT_CONFIG,
    BODY_MEMBERS
};

static const vsr_str body_members[BODY_MEMBERS] = {
    [MODEL] = VSR_STR_INIT("model"),
    [MESSAGES] = VSR_STR_INIT("messages"),
    [SYSTEM] = VSR_STR_INIT("system"),
    [MAX_TOKENS] = VSR_STR_INIT("max_tokens"),
    [TEMPERATURE] = VSR_STR_INIT("temperature"),
    [TOP_P] = VSR_STR_INIT("top_p"),
    [TOP_K] = VSR_STR_INIT("top_k"),
    [STOP_SEQUENCES] = VSR_STR_INIT("stop_sequences"),
    [STREAM] = VSR_STR_INIT("stream"),
    [TOOLS] = VSR_STR_INIT("tools"),
    [TOOL_CHOICE] = VSR_STR_INIT("tool_choice"),
    [METADATA] = VSR_STR_INIT("metadata"),
    [THINKING] = VSR_STR_INIT("thinking"),
    [OUTPUT_CONFIG] = VSR_STR_INIT("output_config"),
};

static const vsr_str none = VSR_STR_INIT("");

/* ---- messages */

static void write_plain(struct to_chat *job, vsr_str role, json_ref content) {
    struct sidecar_origin origin = { 0 };
    to_chat_begin_message(job, role);
    member_key(&job->w, "content");
    json_write_raw(&job->w, json_raw(job->doc, content));
    origin.written = to_chat_end_message(job);
    origin.raw = json_raw(job->doc, content);
    to_chat_note(job, &job->sidecar->messages, &origin);
}

static void write_system_blocks(struct to_chat *job, json_ref content, const char *list) {
    const struct json_doc *doc = job->doc;
    struct to_chat_parts parts = TO_CHAT_PARTS_NONE;
    size_t index = 0;
    to_chat_begin_message(job, VSR_STR("system"));
    for (json_ref b = json_first(doc, content); b != JSON_NONE; b = json_next(doc, content, b), index++) {
        json_ref string = value_get(doc, b, "text");
        if (value_is_string(doc, string))
            to_chat_add_text(job, &parts, string);
        else
            to_chat_warn_item(job, WARNING_LOSSY, "block_dropped", list, index, b);
    }
    to_chat_close_parts(job, &parts, VSR_STR("\"\""));
}

/* A role that Messages does not have, but that people write. */
static void write_system_turn(struct to_chat *job, json_ref content) {
    if (value_is_string(job->doc, content)) {
        to_chat_begin_message(job, VSR_STR("system"));
        member_key(&job->w, "content");
        json_write_raw(&job->w, json_raw(job->doc, content));
    } else {
        write_system_blocks(job, content, "messages");
    }
    (void)to_chat_end_message(job); /* no block of the client's stands for it */
}

static void write_message(struct to_chat *job, json_ref message) {
    const struct json_doc *doc = job->doc;
    json_ref role = value_get(doc, message, "role"), content = value_get(doc, message, "content");
    bool user = value_equals(doc, role, "user"), assistant = value_equals(doc, role, "assistant");
    bool system = value_equals(doc, role, "system") || value_equals(doc, role, "developer");
    bool blocks = json_is(doc, content, JSON_ARRAY);
    if (!user && !assistant && !system)
        to_chat_warn_item(job, WARNING_LOSSY, "role_unknown", "messages", job->message, message);
    else if (!blocks && !value_is_string(doc, content))
        to_chat_warn_item(job, WARNING_ERROR, "content_malformed", "messages", job->message, message);
    else if (system)
        write_system_turn(job, content);
    else if (!blocks)
        write_plain(job, user ? VSR_STR("user") : VSR_STR("assistant"), content);
    else if (user)
        to_chat_user(job, content);
    else
        to_chat_assistant(job, content);
}

static void write_system(struct to_chat *job, json_ref system) {
    const struct json_doc *doc = job->doc;
    if (value_is_filled(doc, system)) {
        to_chat_begin_message(job, VSR_STR("system"));
        member_key(&job->w, "content");
        json_write_raw(&job->w, json_raw(doc, system));
    } else if (json_is(doc, system, JSON_ARRAY) && json_first(doc, system) != JSON_NONE) {
        write_system_blocks(job, system, "system");
    } else {
        return;
    }
    job->sidecar->system_written = to_chat_end_message(job);
    job->sidecar->system = json_raw(doc, system);
}

static void write_messages(struct to_chat *job, const json_ref *body) {
    json_ref messages = body[MESSAGES];
    member_key(&job->w, "messages");
    json_write_begin_array(&job->w);
    write_system(job, body[SYSTEM]);
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE && !job->failed;
         m = json_next(job->doc, messages, m), job->message++)
        write_message(job, m);
    json_write_end(&job->w);
}

/* ---- the members beside messages and tools */

static void write_stop(struct to_chat *job, json_ref sequences) {
    const struct json_doc *doc = job->doc;
    bool open = false;
    if (!json_is(doc, sequences, JSON_ARRAY))
        return;
    for (json_ref s = json_first(doc, sequences); s != JSON_NONE; s = json_next(doc, sequences, s)) {
        if (!value_is_filled(doc, s))
            continue;
        if (!open) {
            member_key(&job->w, "stop");
            json_write_begin_array(&job->w);
            open = true;
        }
        json_write_raw(&job->w, json_raw(doc, s));
    }
    if (open)
        json_write_end(&job->w);
}

/* `format` as OpenAI's structured output, which wants a name; `effort` has no counterpart. */
static void write_output_config(struct to_chat *job, json_ref config) {
    const struct json_doc *doc = job->doc;
    json_ref format = value_get(doc, config, "format"), schema = value_get(doc, format, "schema");
    size_t start;
    if (!value_is_present(doc, config))
        return;
    job->sidecar->output_config = json_raw(doc, config);
    if (value_is_present(doc, value_get(doc, config, "effort")))
        warnings_add(job->warnings, WARNING_INFO, "member_not_translated", VSR_STR("output_config.effort"), none);
    if (!value_type_is(doc, format, "json_schema") || !json_is(doc, schema, JSON_OBJECT))
        return;
    member_key(&job->w, "response_format");
    start = job->w.out->len;
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", VSR_STR("json_schema"));
    member_key(&job->w, "json_schema");
    json_write_begin_object(&job->w);
    member_str(&job->w, "name", VSR_STR("output"));
    member_copy(&job->w, "schema", doc, schema);
    member_key(&job->w, "strict");
    json_write_bool(&job->w, true);
    json_write_end(&job->w);
    json_write_end(&job->w);
    if (!buf_failed(job->w.out))
        job->sidecar->response_format_written = sidecar_mark(str_sub(buf_str(job->w.out), start, job->w.out->len));
}

static void write_metadata(struct to_chat *job, json_ref metadata) {
    const struct json_doc *doc = job->doc;
    json_ref user = value_get(doc, metadata, "user_id");
    if (!value_is_present(doc, metadata))
        return;
    job->sidecar->metadata = json_raw(doc, metadata);
    if (!value_is_filled(doc, user))
        return;
    job->sidecar->user_id = to_chat_text(job, user);
    member_copy(&job->w, "user", doc, user);
}

static bool is_known_member(const struct to_chat *job, json_ref name) {
    for (size_t i = 0; i < BODY_MEMBERS; i++)
        if (json_str_eq(job->doc, name, body_members[i]))
            return true;
    return false;
}

/* What this version of vsr does not know goes back to an Anthropic backend as it is. */
static int keep_other_members(struct to_chat *job) {
    const struct json_doc *doc = job->doc;
    struct buf kept;
    int rc;
    buf_init(&kept, doc->text.len + 1);
    for (json_ref name = json_first(doc, 0); name != JSON_NONE;) {
        json_ref value = json_next(doc, 0, name);
        if (!is_known_member(job, name)) {
            if (kept.len > 0)
                buf_append_char(&kept, ',');
            buf_append(&kept, json_raw(doc, name));
            buf_append_char(&kept, ':');
            buf_append(&kept, json_raw(doc, value));
            warnings_add(job->warnings, WARNING_INFO, "member_not_translated", value_inside(doc, name), none);
        }
        name = json_next(doc, 0, value);
    }
    rc = buf_failed(&kept);
    if (rc == 0 && kept.len > 0) {
        char *copy = arena_try_alloc_raw(job->arena, kept.len);
        if (copy)
            memcpy(copy, kept.ptr, kept.len);
        else
            rc = VSR_E_NOMEM;
        job->sidecar->members = str_make(copy, copy ? kept.len : 0);
    }
    buf_done(&kept);
    return rc;
}

static void write_body(struct to_chat *job, const json_ref *body) {
    const struct json_doc *doc = job->doc;
    int64_t max_tokens = MESSAGES_MAX_TOKENS_DEFAULT;
    (void)value_count(doc, body[MAX_TOKENS], &max_tokens); /* checked, where it is there */
    json_write_begin_object(&job->w);
    member_copy(&job->w, "model", doc, body[MODEL]);
    write_messages(job, body);
    member_key(&job->w, "max_tokens");
    json_write_i64(&job->w, max_tokens);
    member_copy(&job->w, "temperature", doc, body[TEMPERATURE]);
    member_copy(&job->w, "top_p", doc, body[TOP_P]);
    write_stop(job, body[STOP_SEQUENCES]);
    member_copy(&job->w, "stream", doc, body[STREAM]);
    to_chat_tools(job, body[TOOLS]);
    to_chat_tool_choice(job, body[TOOL_CHOICE]);
    write_output_config(job, body[OUTPUT_CONFIG]);
    write_metadata(job, body[METADATA]);
    json_write_end(&job->w);
}

int messages_to_chat(struct arena *arena, const struct json_doc *doc, struct sidecar *ret_sidecar,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    struct to_chat job = { .arena = arena, .doc = doc, .sidecar = ret_sidecar, .warnings = warnings };
    json_ref body[BODY_MEMBERS];
    int rc = messages_check(doc, err);
    if (rc < 0)
        return rc;
    sidecar_init(ret_sidecar, arena);
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    json_write_init(&job.w, out);
    if (value_is_present(doc, body[THINKING]))
        ret_sidecar->thinking = json_raw(doc, body[THINKING]);
    if (value_is_present(doc, body[TOP_K]))
        ret_sidecar->top_k = json_raw(doc, body[TOP_K]);
    write_body(&job, body);
    rc = job.failed ? VSR_E_NOMEM : buf_failed(out);
    if (rc == 0)
        rc = keep_other_members(&job);
    return rc < 0 ? err_set(err, rc, "the request in Chat Completions: %s", err_code_text(rc)) : 0;
}
