#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/members.h"
#include "wire/messages_request.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

/* One translation. `failed` is sticky: the sidecar found no memory. */
struct job {
    struct arena *arena;
    const struct json_doc *doc;
    struct sidecar *sidecar;
    struct warnings *warnings;
    struct json_writer w;
    size_t message_start; /* of the message that is being written, in the output */
    size_t message;       /* its place in the request, for warnings */
    bool failed;
};

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

/* ---- looking */

static json_ref member(const struct job *job, json_ref object, vsr_str key) {
    return json_get(job->doc, object, key);
}

static bool is_present(const struct job *job, json_ref ref) {
    return ref != JSON_NONE && !json_is(job->doc, ref, JSON_NULL);
}

static bool is_string(const struct job *job, json_ref ref) {
    return json_is(job->doc, ref, JSON_STRING);
}

static bool is_filled(const struct job *job, json_ref ref) {
    return is_string(job, ref) && json_str_len(job->doc, ref) > 0;
}

static bool equals(const struct job *job, json_ref ref, vsr_str text) {
    return is_string(job, ref) && json_str_eq(job->doc, ref, text);
}

static bool type_is(const struct job *job, json_ref block, vsr_str type) {
    return equals(job, member(job, block, VSR_STR("type")), type);
}

static vsr_str raw(const struct job *job, json_ref ref) {
    return json_raw(job->doc, ref);
}

/* The bytes between a string's quotes: still escaped, so they may be put together with others. */
static vsr_str inside(const struct job *job, json_ref string) {
    vsr_str quoted = raw(job, string);
    return str_make(quoted.ptr + 1, quoted.len - 2);
}

static vsr_str text(struct job *job, json_ref string) {
    vsr_str decoded = { NULL, 0 };
    if (is_string(job, string) && !json_str(job->arena, job->doc, string, &decoded))
        job->failed = true;
    return decoded;
}

/* ---- warnings */

static void warn_at(struct job *job, enum warning_severity severity, const char *reason, vsr_str field,
                    json_ref block) {
    json_ref type = block == JSON_NONE ? JSON_NONE : member(job, block, VSR_STR("type"));
    warnings_add(job->warnings, severity, reason, field, is_string(job, type) ? inside(job, type) : none);
}

static void warn_block(struct job *job, enum warning_severity severity, const char *reason, size_t index,
                       json_ref block) {
    char field[64];
    int len = snprintf(field, sizeof(field), "messages.%zu.content.%zu", job->message, index);
    warn_at(job, severity, reason, str_make(field, (size_t)len), block);
}

static void warn_item(struct job *job, enum warning_severity severity, const char *reason, const char *list,
                      size_t index, json_ref item) {
    char field[64];
    int len = snprintf(field, sizeof(field), "%s.%zu", list, index);
    warn_at(job, severity, reason, str_make(field, (size_t)len), item);
}

/* ---- the chat message that is being written */

static void key(struct job *job, vsr_str name) {
    json_write_key(&job->w, name);
}

static void write_member(struct job *job, vsr_str name, vsr_str value) {
    key(job, name);
    json_write_str(&job->w, value);
}

static void write_raw_member(struct job *job, vsr_str name, json_ref value) {
    key(job, name);
    json_write_raw(&job->w, raw(job, value));
}

static void begin_message(struct job *job, vsr_str role) {
    json_write_begin_object(&job->w);
    job->message_start = job->w.out->len - 1;
    write_member(job, VSR_STR("role"), role);
}

static struct sidecar_mark end_message(struct job *job) {
    vsr_str written;
    json_write_end(&job->w);
    if (buf_failed(job->w.out))
        return (struct sidecar_mark){ 0 };
    written = buf_str(job->w.out);
    return sidecar_mark(str_sub(written, job->message_start, written.len));
}

static void note(struct job *job, struct sidecar_origins *origins, const struct sidecar_origin *origin) {
    if (sidecar_note(job->sidecar, origins, origin) < 0)
        job->failed = true;
}

/* ---- parts */

/* `content: ` of a run of parts; nothing is written before the first, so that a lone text can be a string. */
struct parts {
    json_ref lone; /* a text that may still turn out to be alone */
    bool open;
};

static void write_text_part(struct job *job, json_ref string) {
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), VSR_STR("text"));
    write_raw_member(job, VSR_STR("text"), string);
    json_write_end(&job->w);
}

static void open_parts(struct job *job, struct parts *parts) {
    if (!parts->open) {
        key(job, VSR_STR("content"));
        json_write_begin_array(&job->w);
        parts->open = true;
    }
    if (parts->lone != JSON_NONE)
        write_text_part(job, parts->lone);
    parts->lone = JSON_NONE;
}

static void add_text(struct job *job, struct parts *parts, json_ref string) {
    if (!is_filled(job, string))
        return;
    if (!parts->open && parts->lone == JSON_NONE) {
        parts->lone = string;
        return;
    }
    open_parts(job, parts);
    write_text_part(job, string);
}

/* `empty` is written where there was nothing: a string or null. */
static void close_parts(struct job *job, struct parts *parts, vsr_str empty) {
    if (parts->open) {
        json_write_end(&job->w);
        return;
    }
    key(job, VSR_STR("content"));
    json_write_raw(&job->w, parts->lone == JSON_NONE ? empty : raw(job, parts->lone));
}

/* ---- blocks of a user */

static void write_image_part(struct job *job, struct parts *parts, const vsr_str *pieces, size_t n_pieces) {
    open_parts(job, parts);
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), VSR_STR("image_url"));
    key(job, VSR_STR("image_url"));
    json_write_begin_object(&job->w);
    key(job, VSR_STR("url"));
    json_write_raw(&job->w, VSR_STR("\""));
    for (size_t i = 0; i < n_pieces; i++)
        buf_append(job->w.out, pieces[i]);
    buf_append(job->w.out, VSR_STR("\""));
    json_write_end(&job->w);
    json_write_end(&job->w);
}

static void add_image(struct job *job, struct parts *parts, json_ref block, size_t index) {
    json_ref source = member(job, block, VSR_STR("source"));
    json_ref data = member(job, source, VSR_STR("data")), media = member(job, source, VSR_STR("media_type"));
    json_ref url = member(job, source, VSR_STR("url")), file = member(job, source, VSR_STR("file_id"));
    if (is_filled(job, data) && is_filled(job, media)) {
        vsr_str pieces[] = { VSR_STR("data:"), inside(job, media), VSR_STR(";base64,"), inside(job, data) };
        write_image_part(job, parts, pieces, VSR_COUNT(pieces));
    } else if (is_filled(job, url)) {
        vsr_str pieces[] = { inside(job, url) };
        write_image_part(job, parts, pieces, VSR_COUNT(pieces));
    } else if (is_filled(job, file)) {
        vsr_str pieces[] = { VSR_STR("file_id:"), inside(job, file) };
        write_image_part(job, parts, pieces, VSR_COUNT(pieces));
        warn_block(job, WARNING_INFO, "image_file_id_unresolved", index, block);
    } else {
        warn_block(job, WARNING_ERROR, "image_source_unknown", index, block);
    }
}

/* Text blocks of a nested content; false when there was none. */
static bool add_nested(struct job *job, struct parts *parts, json_ref content) {
    bool any = is_filled(job, content);
    add_text(job, parts, content);
    if (!json_is(job->doc, content, JSON_ARRAY))
        return any;
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b)) {
        json_ref string = member(job, b, VSR_STR("text"));
        any |= is_filled(job, string);
        add_text(job, parts, string);
    }
    return any;
}

/* Documents of text are text; others only an Anthropic backend can read. */
static void add_document(struct job *job, struct parts *parts, json_ref block, size_t index) {
    json_ref source = member(job, block, VSR_STR("source"));
    bool any = false;
    if (type_is(job, source, VSR_STR("text")))
        any = add_nested(job, parts, member(job, source, VSR_STR("data")));
    else if (type_is(job, source, VSR_STR("content")))
        any = add_nested(job, parts, member(job, source, VSR_STR("content")));
    if (!any)
        warn_block(job, WARNING_LOSSY, "document_dropped", index, block);
}

static void add_user_block(struct job *job, struct parts *parts, json_ref block, size_t index) {
    if (type_is(job, block, VSR_STR("text")))
        add_text(job, parts, member(job, block, VSR_STR("text")));
    else if (type_is(job, block, VSR_STR("image")))
        add_image(job, parts, block, index);
    else if (type_is(job, block, VSR_STR("document")))
        add_document(job, parts, block, index);
    else if (!type_is(job, block, VSR_STR("search_result")) ||
             !add_nested(job, parts, member(job, block, VSR_STR("content"))))
        warn_block(job, WARNING_LOSSY, "block_dropped", index, block);
}

/* From the start of `first` to the end of `last`, as the client wrote it. */
static vsr_str span(const struct job *job, json_ref first, json_ref last) {
    const char *start = raw(job, first).ptr;
    vsr_str end = raw(job, last);
    return str_make(start, (size_t)(end.ptr + end.len - start));
}

/* The blocks from `*block` up to a tool result, or the end, as one user message. Moves `*block` behind them. */
static void write_user_run(struct job *job, json_ref content, json_ref *block, size_t *index) {
    struct parts parts = { .lone = JSON_NONE };
    json_ref first = *block, last = first;
    struct sidecar_origin origin = { 0 };
    begin_message(job, VSR_STR("user"));
    while (*block != JSON_NONE && !type_is(job, *block, VSR_STR("tool_result"))) {
        add_user_block(job, &parts, *block, (*index)++);
        last = *block;
        *block = json_next(job->doc, content, *block);
    }
    close_parts(job, &parts, VSR_STR("\"\""));
    origin.written = end_message(job);
    origin.raw = span(job, first, last);
    note(job, &job->sidecar->messages, &origin);
}

/* Texts joined by newlines, as the inside of a string. */
static void write_result_text(struct job *job, json_ref content, size_t index, json_ref block) {
    struct buf *out = job->w.out;
    bool any = false;
    json_write_raw(&job->w, VSR_STR("\""));
    for (json_ref part = json_first(job->doc, content); part != JSON_NONE; part = json_next(job->doc, content, part)) {
        json_ref string = member(job, part, VSR_STR("text"));
        if (!is_string(job, string)) {
            bool is_image = type_is(job, part, VSR_STR("image"));
            warn_block(job, WARNING_LOSSY, is_image ? "tool_result_image_dropped" : "tool_result_part_dropped", index,
                       block);
            continue;
        }
        if (any)
            buf_append(out, VSR_STR("\\n"));
        buf_append(out, inside(job, string));
        any = true;
    }
    buf_append(out, VSR_STR("\""));
}

static void write_result(struct job *job, json_ref block, size_t index) {
    json_ref id = member(job, block, VSR_STR("tool_use_id")), content = member(job, block, VSR_STR("content"));
    struct sidecar_origin origin = { .raw = raw(job, block) };
    if (!is_filled(job, id)) {
        warn_block(job, WARNING_ERROR, "tool_result_without_id", index, block);
        return;
    }
    begin_message(job, VSR_STR("tool"));
    write_raw_member(job, VSR_STR("tool_call_id"), id);
    key(job, VSR_STR("content"));
    if (json_is(job->doc, content, JSON_ARRAY))
        write_result_text(job, content, index, block);
    else
        json_write_raw(&job->w, is_string(job, content) ? raw(job, content) : VSR_STR("\"\""));
    origin.written = end_message(job);
    origin.result_id = text(job, id);
    origin.is_error = json_is(job->doc, member(job, block, VSR_STR("is_error")), JSON_TRUE);
    if (origin.is_error)
        warn_block(job, WARNING_INFO, "tool_result_is_error", index, block);
    note(job, &job->sidecar->messages, &origin);
}

static void write_user_blocks(struct job *job, json_ref content) {
    size_t index = 0;
    for (json_ref block = json_first(job->doc, content); block != JSON_NONE;) {
        if (type_is(job, block, VSR_STR("tool_result"))) {
            write_result(job, block, index++);
            block = json_next(job->doc, content, block);
        } else {
            write_user_run(job, content, &block, &index);
        }
    }
}

/* ---- blocks of an assistant */

static bool is_unsigned_thinking(const struct job *job, json_ref block) {
    return type_is(job, block, VSR_STR("thinking")) && !is_filled(job, member(job, block, VSR_STR("signature")));
}

static bool is_thinking(const struct job *job, json_ref block) {
    return (type_is(job, block, VSR_STR("thinking")) || type_is(job, block, VSR_STR("redacted_thinking"))) &&
           !is_unsigned_thinking(job, block);
}

/* All blocks that pass, joined by commas in the arena. */
static vsr_str join_blocks(struct job *job, json_ref content, bool (*passes)(const struct job *, json_ref)) {
    size_t len = 0, at = 0;
    char *out;
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b))
        if (passes(job, b))
            len += raw(job, b).len + 1;
    if (len == 0)
        return none;
    out = arena_try_alloc_raw(job->arena, len);
    if (!out) {
        job->failed = true;
        return none;
    }
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b)) {
        vsr_str block = raw(job, b);
        if (!passes(job, b))
            continue;
        if (at > 0)
            out[at++] = ',';
        memcpy(out + at, block.ptr, block.len);
        at += block.len;
    }
    return str_make(out, at);
}

static bool can_be_replayed(const struct job *job, json_ref block) {
    return !is_unsigned_thinking(job, block);
}

static bool is_call(const struct job *job, json_ref block) {
    return type_is(job, block, VSR_STR("tool_use")) && is_filled(job, member(job, block, VSR_STR("id"))) &&
           is_filled(job, member(job, block, VSR_STR("name")));
}

static void write_call(struct job *job, json_ref block) {
    json_ref input = member(job, block, VSR_STR("input"));
    json_write_begin_object(&job->w);
    write_raw_member(job, VSR_STR("id"), member(job, block, VSR_STR("id")));
    write_member(job, VSR_STR("type"), VSR_STR("function"));
    key(job, VSR_STR("function"));
    json_write_begin_object(&job->w);
    write_raw_member(job, VSR_STR("name"), member(job, block, VSR_STR("name")));
    write_member(job, VSR_STR("arguments"), json_is(job->doc, input, JSON_OBJECT) ? raw(job, input) : VSR_STR("{}"));
    json_write_end(&job->w);
    json_write_end(&job->w);
}

static void warn_assistant_block(struct job *job, json_ref block, size_t index) {
    if (type_is(job, block, VSR_STR("redacted_thinking")))
        warn_block(job, WARNING_LOSSY, "redacted_thinking_dropped", index, block);
    else if (type_is(job, block, VSR_STR("tool_use")))
        warn_block(job, WARNING_ERROR, "tool_use_incomplete", index, block);
    else if (!type_is(job, block, VSR_STR("thinking"))) /* of no use to other models */
        warn_block(job, WARNING_LOSSY, "block_dropped", index, block);
}

static void write_calls(struct job *job, json_ref content) {
    key(job, VSR_STR("tool_calls"));
    json_write_begin_array(&job->w);
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b))
        if (is_call(job, b))
            write_call(job, b);
    json_write_end(&job->w);
}

static void write_assistant_blocks(struct job *job, json_ref content) {
    struct parts parts = { .lone = JSON_NONE };
    struct sidecar_origin origin = { 0 };
    json_ref first_call = JSON_NONE;
    size_t index = 0;
    begin_message(job, VSR_STR("assistant"));
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b), index++) {
        if (type_is(job, b, VSR_STR("text")))
            add_text(job, &parts, member(job, b, VSR_STR("text")));
        else if (!is_call(job, b))
            warn_assistant_block(job, b, index);
        else if (first_call == JSON_NONE)
            first_call = b;
    }
    close_parts(job, &parts, first_call == JSON_NONE ? VSR_STR("\"\"") : VSR_STR("null"));
    if (first_call != JSON_NONE) {
        write_calls(job, content);
        origin.call_id = text(job, member(job, first_call, VSR_STR("id")));
    }
    origin.written = end_message(job);
    origin.raw = join_blocks(job, content, can_be_replayed);
    origin.thinking = join_blocks(job, content, is_thinking);
    note(job, &job->sidecar->messages, &origin);
}

/* ---- messages */

static void write_plain(struct job *job, vsr_str role, json_ref content) {
    struct sidecar_origin origin = { 0 };
    begin_message(job, role);
    key(job, VSR_STR("content"));
    json_write_raw(&job->w, raw(job, content));
    origin.written = end_message(job);
    origin.raw = raw(job, content);
    note(job, &job->sidecar->messages, &origin);
}

static void write_system_blocks(struct job *job, json_ref content, const char *list) {
    struct parts parts = { .lone = JSON_NONE };
    size_t index = 0;
    begin_message(job, VSR_STR("system"));
    for (json_ref b = json_first(job->doc, content); b != JSON_NONE; b = json_next(job->doc, content, b), index++) {
        json_ref string = member(job, b, VSR_STR("text"));
        if (is_string(job, string))
            add_text(job, &parts, string);
        else
            warn_item(job, WARNING_LOSSY, "block_dropped", list, index, b);
    }
    close_parts(job, &parts, VSR_STR("\"\""));
}

/* A role that Messages does not have, but that people write. */
static void write_system_turn(struct job *job, json_ref content) {
    if (is_string(job, content)) {
        begin_message(job, VSR_STR("system"));
        key(job, VSR_STR("content"));
        json_write_raw(&job->w, raw(job, content));
    } else {
        write_system_blocks(job, content, "messages");
    }
    (void)end_message(job); /* no block of the client's stands for it */
}

static void write_message(struct job *job, json_ref message) {
    json_ref role = member(job, message, VSR_STR("role")), content = member(job, message, VSR_STR("content"));
    bool user = equals(job, role, VSR_STR("user")), assistant = equals(job, role, VSR_STR("assistant"));
    bool system = equals(job, role, VSR_STR("system")) || equals(job, role, VSR_STR("developer"));
    bool blocks = json_is(job->doc, content, JSON_ARRAY);
    if (!user && !assistant && !system)
        warn_item(job, WARNING_LOSSY, "role_unknown", "messages", job->message, message);
    else if (!blocks && !is_string(job, content))
        warn_item(job, WARNING_ERROR, "content_malformed", "messages", job->message, message);
    else if (system)
        write_system_turn(job, content);
    else if (!blocks)
        write_plain(job, user ? VSR_STR("user") : VSR_STR("assistant"), content);
    else if (user)
        write_user_blocks(job, content);
    else
        write_assistant_blocks(job, content);
}

static void write_system(struct job *job, json_ref system) {
    if (is_filled(job, system)) {
        begin_message(job, VSR_STR("system"));
        key(job, VSR_STR("content"));
        json_write_raw(&job->w, raw(job, system));
    } else if (json_is(job->doc, system, JSON_ARRAY) && json_first(job->doc, system) != JSON_NONE) {
        write_system_blocks(job, system, "system");
    } else {
        return;
    }
    job->sidecar->system_written = end_message(job);
    job->sidecar->system = raw(job, system);
}

static void write_messages(struct job *job, const json_ref *body) {
    json_ref messages = body[MESSAGES];
    key(job, VSR_STR("messages"));
    json_write_begin_array(&job->w);
    write_system(job, body[SYSTEM]);
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE && !job->failed;
         m = json_next(job->doc, messages, m), job->message++)
        write_message(job, m);
    json_write_end(&job->w);
}

/* ---- tools */

static bool is_client_tool(const struct job *job, json_ref tool) {
    json_ref type = member(job, tool, VSR_STR("type"));
    return !is_present(job, type) || equals(job, type, VSR_STR("custom"));
}

static void write_tool(struct job *job, json_ref tool) {
    json_ref description = member(job, tool, VSR_STR("description"));
    json_ref schema = member(job, tool, VSR_STR("input_schema"));
    struct sidecar_origin origin = { .raw = raw(job, tool) };
    size_t start;
    vsr_str written;
    json_write_begin_object(&job->w);
    start = job->w.out->len - 1;
    write_member(job, VSR_STR("type"), VSR_STR("function"));
    key(job, VSR_STR("function"));
    json_write_begin_object(&job->w);
    write_raw_member(job, VSR_STR("name"), member(job, tool, VSR_STR("name")));
    if (is_string(job, description))
        write_raw_member(job, VSR_STR("description"), description);
    key(job, VSR_STR("parameters"));
    json_write_raw(&job->w, json_is(job->doc, schema, JSON_OBJECT)
                                ? raw(job, schema)
                                : VSR_STR("{\"type\":\"object\",\"properties\":{}}"));
    json_write_end(&job->w);
    json_write_end(&job->w);
    if (buf_failed(job->w.out))
        return;
    written = buf_str(job->w.out);
    origin.written = sidecar_mark(str_sub(written, start, written.len));
    note(job, &job->sidecar->tools, &origin);
}

static bool is_server_tool(const struct job *job, json_ref tool) {
    return json_is(job->doc, tool, JSON_OBJECT) && !is_client_tool(job, tool);
}

static bool is_translated(const struct job *job, json_ref tool) {
    return is_client_tool(job, tool) && is_filled(job, member(job, tool, VSR_STR("name")));
}

static void write_tools(struct job *job, json_ref tools) {
    size_t index = 0, n = 0;
    if (!json_is(job->doc, tools, JSON_ARRAY))
        return;
    for (json_ref t = json_first(job->doc, tools); t != JSON_NONE; t = json_next(job->doc, tools, t), index++) {
        if (is_translated(job, t))
            n++;
        else if (is_server_tool(job, t))
            warn_item(job, WARNING_INFO, "server_tool", "tools", index, t);
        else
            warn_item(job, WARNING_ERROR, "tool_incomplete", "tools", index, t);
    }
    job->sidecar->server_tools = join_blocks(job, tools, is_server_tool);
    if (n == 0)
        return;
    key(job, VSR_STR("tools"));
    json_write_begin_array(&job->w);
    for (json_ref t = json_first(job->doc, tools); t != JSON_NONE && !job->failed; t = json_next(job->doc, tools, t))
        if (is_translated(job, t))
            write_tool(job, t);
    json_write_end(&job->w);
}

static void write_tool_choice(struct job *job, json_ref choice) {
    json_ref name = member(job, choice, VSR_STR("name"));
    bool one = type_is(job, choice, VSR_STR("tool")) && is_filled(job, name);
    vsr_str word = type_is(job, choice, VSR_STR("auto"))   ? VSR_STR("auto")
                   : type_is(job, choice, VSR_STR("none")) ? VSR_STR("none")
                   : type_is(job, choice, VSR_STR("any"))  ? VSR_STR("required")
                                                           : none;
    size_t start;
    if (!is_present(job, choice))
        return;
    job->sidecar->tool_choice = raw(job, choice);
    if (json_is(job->doc, member(job, choice, VSR_STR("disable_parallel_tool_use")), JSON_TRUE)) {
        key(job, VSR_STR("parallel_tool_calls"));
        json_write_bool(&job->w, false);
    }
    if (!one && word.len == 0) {
        warn_at(job, WARNING_ERROR, "tool_choice_unknown", VSR_STR("tool_choice"), choice);
        return;
    }
    key(job, VSR_STR("tool_choice"));
    start = job->w.out->len;
    if (one) {
        json_write_begin_object(&job->w);
        write_member(job, VSR_STR("type"), VSR_STR("function"));
        key(job, VSR_STR("function"));
        json_write_begin_object(&job->w);
        write_raw_member(job, VSR_STR("name"), name);
        json_write_end(&job->w);
        json_write_end(&job->w);
    } else {
        json_write_str(&job->w, word);
    }
    if (!buf_failed(job->w.out))
        job->sidecar->tool_choice_written = sidecar_mark(str_sub(buf_str(job->w.out), start, job->w.out->len));
}

/* ---- the members beside messages and tools */

static void write_stop(struct job *job, json_ref sequences) {
    bool open = false;
    if (!json_is(job->doc, sequences, JSON_ARRAY))
        return;
    for (json_ref s = json_first(job->doc, sequences); s != JSON_NONE; s = json_next(job->doc, sequences, s)) {
        if (!is_filled(job, s))
            continue;
        if (!open) {
            key(job, VSR_STR("stop"));
            json_write_begin_array(&job->w);
            open = true;
        }
        json_write_raw(&job->w, raw(job, s));
    }
    if (open)
        json_write_end(&job->w);
}

/* `format` as OpenAI's structured output, which wants a name; `effort` has no counterpart. */
static void write_output_config(struct job *job, json_ref config) {
    json_ref format = member(job, config, VSR_STR("format")), schema = member(job, format, VSR_STR("schema"));
    size_t start;
    if (!is_present(job, config))
        return;
    job->sidecar->output_config = raw(job, config);
    if (is_present(job, member(job, config, VSR_STR("effort"))))
        warnings_add(job->warnings, WARNING_INFO, "member_not_translated", VSR_STR("output_config.effort"), none);
    if (!type_is(job, format, VSR_STR("json_schema")) || !json_is(job->doc, schema, JSON_OBJECT))
        return;
    key(job, VSR_STR("response_format"));
    start = job->w.out->len;
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), VSR_STR("json_schema"));
    key(job, VSR_STR("json_schema"));
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("name"), VSR_STR("output"));
    write_raw_member(job, VSR_STR("schema"), schema);
    key(job, VSR_STR("strict"));
    json_write_bool(&job->w, true);
    json_write_end(&job->w);
    json_write_end(&job->w);
    if (!buf_failed(job->w.out))
        job->sidecar->response_format_written = sidecar_mark(str_sub(buf_str(job->w.out), start, job->w.out->len));
}

static void write_metadata(struct job *job, json_ref metadata) {
    json_ref user = member(job, metadata, VSR_STR("user_id"));
    if (!is_present(job, metadata))
        return;
    job->sidecar->metadata = raw(job, metadata);
    if (!is_filled(job, user))
        return;
    job->sidecar->user_id = text(job, user);
    write_raw_member(job, VSR_STR("user"), user);
}

static void write_if_present(struct job *job, const json_ref *body, size_t which) {
    if (is_present(job, body[which]))
        write_raw_member(job, body_members[which], body[which]);
}

static bool is_known_member(const struct job *job, json_ref name) {
    for (size_t i = 0; i < BODY_MEMBERS; i++)
        if (json_str_eq(job->doc, name, body_members[i]))
            return true;
    return false;
}

/* What this version of vsr does not know goes back to an Anthropic backend as it is. */
static int keep_other_members(struct job *job) {
    struct buf kept;
    int rc;
    buf_init(&kept, job->doc->text.len + 1);
    for (json_ref name = json_first(job->doc, 0); name != JSON_NONE;) {
        json_ref value = json_next(job->doc, 0, name);
        if (!is_known_member(job, name)) {
            if (kept.len > 0)
                buf_append_char(&kept, ',');
            buf_append(&kept, raw(job, name));
            buf_append_char(&kept, ':');
            buf_append(&kept, raw(job, value));
            warnings_add(job->warnings, WARNING_INFO, "member_not_translated", inside(job, name), none);
        }
        name = json_next(job->doc, 0, value);
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

static void write_body(struct job *job, const json_ref *body) {
    json_write_begin_object(&job->w);
    write_raw_member(job, VSR_STR("model"), body[MODEL]);
    write_messages(job, body);
    key(job, VSR_STR("max_tokens"));
    if (is_present(job, body[MAX_TOKENS]))
        json_write_raw(&job->w, raw(job, body[MAX_TOKENS]));
    else
        json_write_i64(&job->w, MESSAGES_MAX_TOKENS_DEFAULT);
    write_if_present(job, body, TEMPERATURE);
    write_if_present(job, body, TOP_P);
    write_stop(job, body[STOP_SEQUENCES]);
    write_if_present(job, body, STREAM);
    write_tools(job, body[TOOLS]);
    write_tool_choice(job, body[TOOL_CHOICE]);
    write_output_config(job, body[OUTPUT_CONFIG]);
    write_metadata(job, body[METADATA]);
    json_write_end(&job->w);
}

int messages_to_chat(struct arena *arena, const struct json_doc *doc, struct sidecar *ret_sidecar,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    struct job job = { .arena = arena, .doc = doc, .sidecar = ret_sidecar, .warnings = warnings };
    json_ref body[BODY_MEMBERS];
    int rc = messages_check(doc, err);
    if (rc < 0)
        return rc;
    sidecar_init(ret_sidecar, arena);
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    json_write_init(&job.w, out);
    if (is_present(&job, body[THINKING]))
        ret_sidecar->thinking = raw(&job, body[THINKING]);
    if (is_present(&job, body[TOP_K]))
        ret_sidecar->top_k = raw(&job, body[TOP_K]);
    write_body(&job, body);
    rc = job.failed ? VSR_E_NOMEM : buf_failed(out);
    if (rc == 0)
        rc = keep_other_members(&job);
    return rc < 0 ? err_set(err, rc, "the request in Chat Completions: %s", err_code_text(rc)) : 0;
}
