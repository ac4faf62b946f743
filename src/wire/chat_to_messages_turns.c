/*
 * The conversation: messages of Chat Completions as turns of Messages.
 *
 * Turns alternate in Messages, so what one side says in several messages, results of tools included, shares a turn; it
 * is open until the other side speaks.
 */
#include "core/arena.h"
#include "core/buf.h"
#include "wire/chat_to_messages.h"
#include "wire/member_write.h"
#include "wire/messages_request.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

static const vsr_str none = VSR_STR_INIT("");

static vsr_str text(struct to_messages *job, json_ref string) {
    vsr_str decoded = { NULL, 0 };
    if (value_is_string(job->doc, string) && !json_str(job->arena, job->doc, string, &decoded) && job->rc == 0)
        job->rc = VSR_E_NOMEM;
    return decoded;
}

static void warn(struct to_messages *job, enum warning_severity severity, const char *reason, vsr_str detail) {
    char field[64];
    int len = snprintf(field, sizeof(field), "messages.%zu", job->message);
    warnings_add(job->warnings, severity, reason, str_make(field, (size_t)len), detail);
}

static void warn_part(struct to_messages *job, json_ref part) {
    const struct json_doc *doc = job->doc;
    json_ref type = value_get(doc, part, "type");
    warn(job, WARNING_LOSSY, "part_dropped", value_is_string(doc, type) ? value_inside(doc, type) : none);
}

static void close_turn(struct to_messages *job) {
    if (job->open == TURN_NONE)
        return;
    json_write_end(&job->w);
    json_write_end(&job->w);
    job->open = TURN_NONE;
}

static void begin_turn(struct to_messages *job, enum turn turn) {
    json_write_begin_object(&job->w);
    member_str(&job->w, "role", turn == TURN_USER ? VSR_STR("user") : VSR_STR("assistant"));
    member_key(&job->w, "content");
}

/* Before a block: Anthropic wants turns to alternate, so messages of one side share one. */
static void open_turn(struct to_messages *job, enum turn turn) {
    if (job->open == turn)
        return;
    close_turn(job);
    begin_turn(job, turn);
    json_write_begin_array(&job->w);
    job->open = turn;
}

static void write_blocks(struct to_messages *job, enum turn turn, vsr_str blocks) {
    if (blocks.len == 0)
        return;
    open_turn(job, turn);
    json_write_raw(&job->w, blocks);
}

/* `quoted` is a string's raw text. */
void to_messages_text_block(struct to_messages *job, enum turn turn, vsr_str quoted) {
    if (turn != TURN_SYSTEM)
        open_turn(job, turn);
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", VSR_STR("text"));
    member_raw(&job->w, "text", quoted);
    json_write_end(&job->w);
}

/* ---- parts of a user */

/* `data:<media>;base64,<data>`; false for any other URL. */
static bool split_data_url(vsr_str url, vsr_str *ret_media, vsr_str *ret_data) {
    ptrdiff_t comma = str_find_char(url, ',');
    vsr_str head;
    if (!str_starts(url, VSR_STR("data:")) || comma < 0)
        return false;
    head = str_sub(url, sizeof("data:") - 1, (size_t)comma);
    if (!str_ends(head, VSR_STR(";base64")))
        return false;
    *ret_media = str_sub(head, 0, head.len - (sizeof(";base64") - 1));
    *ret_data = str_sub(url, (size_t)comma + 1, url.len);
    return true;
}

static void write_source(struct to_messages *job, vsr_str url) {
    vsr_str media, data;
    json_write_begin_object(&job->w);
    if (split_data_url(url, &media, &data)) {
        member_str(&job->w, "type", VSR_STR("base64"));
        member_str(&job->w, "media_type", media);
        member_str(&job->w, "data", data);
    } else if (str_starts(url, VSR_STR("file_id:"))) {
        member_str(&job->w, "type", VSR_STR("file"));
        member_str(&job->w, "file_id", str_sub(url, sizeof("file_id:") - 1, url.len));
    } else {
        member_str(&job->w, "type", VSR_STR("url"));
        member_str(&job->w, "url", url);
    }
    json_write_end(&job->w);
}

static void write_sourced(struct to_messages *job, vsr_str type, vsr_str url) {
    open_turn(job, TURN_USER);
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", type);
    member_key(&job->w, "source");
    write_source(job, url);
    json_write_end(&job->w);
}

static bool is_text_part(const struct to_messages *job, json_ref part) {
    const struct json_doc *doc = job->doc;
    return (value_type_is(doc, part, "text") || value_get(doc, part, "type") == JSON_NONE) &&
           value_is_string(doc, value_get(doc, part, "text"));
}

/* Texts that follow each other become one, with a space between them. */
static json_ref write_text_run(struct to_messages *job, json_ref content, json_ref part) {
    const struct json_doc *doc = job->doc;
    struct buf joined;
    buf_init(&joined, JSON_TEXT_LEN_MAX);
    buf_append_char(&joined, '"');
    for (; part != JSON_NONE && is_text_part(job, part); part = json_next(doc, content, part)) {
        json_ref string = value_get(doc, part, "text");
        if (!value_is_filled(doc, string))
            continue;
        if (joined.len > 1)
            buf_append_char(&joined, ' ');
        buf_append(&joined, value_inside(doc, string));
    }
    buf_append_char(&joined, '"');
    if (buf_failed(&joined) && job->rc == 0)
        job->rc = buf_failed(&joined);
    if (joined.len > 2)
        to_messages_text_block(job, TURN_USER, buf_str(&joined));
    buf_done(&joined);
    return part;
}

static void write_media_part(struct to_messages *job, json_ref part) {
    const struct json_doc *doc = job->doc;
    json_ref image = value_get(doc, part, "image_url");
    json_ref file = value_get(doc, part, "file");
    json_ref data = value_get(doc, file, "file_data");
    vsr_str url, media, bytes;
    if (json_is(doc, image, JSON_OBJECT))
        image = value_get(doc, image, "url");
    if (value_is_filled(doc, image)) {
        write_sourced(job, VSR_STR("image"), text(job, image));
        return;
    }
    url = text(job, data);
    if (split_data_url(url, &media, &bytes) && str_eq(media, VSR_STR("application/pdf")))
        write_sourced(job, VSR_STR("document"), url);
    else
        warn_part(job, part);
}

static void write_user(struct to_messages *job, json_ref content) {
    const struct json_doc *doc = job->doc;
    if (value_is_filled(doc, content))
        to_messages_text_block(job, TURN_USER, json_raw(doc, content));
    if (!json_is(doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(doc, content); part != JSON_NONE;) {
        if (is_text_part(job, part)) {
            part = write_text_run(job, content, part);
        } else {
            write_media_part(job, part);
            part = json_next(doc, content, part);
        }
    }
}

/* ---- an assistant */

static void write_assistant_text(struct to_messages *job, json_ref content) {
    const struct json_doc *doc = job->doc;
    if (value_is_filled(doc, content))
        to_messages_text_block(job, TURN_ASSISTANT, json_raw(doc, content));
    if (!json_is(doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
        json_ref string =
            json_get(doc, part, value_type_is(doc, part, "refusal") ? VSR_STR("refusal") : VSR_STR("text"));
        if (value_is_filled(doc, string))
            to_messages_text_block(job, TURN_ASSISTANT, json_raw(doc, string));
    }
}

static void refuse_arguments(struct to_messages *job, json_ref name) {
    vsr_str function = text(job, name);
    if (job->rc < 0)
        return;
    job->rc = err_set(job->err, VSR_E_INVALID, "the arguments of the call of \"%.*s\" are no JSON object",
                      VSR_FMT(str_sub(function, 0, 128)));
    err_at(job->err, arena_printf(job->arena, "messages.%zu.tool_calls", job->message), 0, 0);
}

/* Writes `input`; arguments are JSON text in a string, or an object as some clients write them. */
static void write_input(struct to_messages *job, json_ref function) {
    const struct json_doc *doc = job->doc;
    json_ref arguments = value_get(doc, function, "arguments");
    struct arena_mark mark = arena_mark(job->arena);
    struct json_doc input;
    vsr_str decoded;
    if (json_is(doc, arguments, JSON_OBJECT)) {
        member_raw(&job->w, "input", json_raw(doc, arguments));
        return;
    }
    decoded = str_trim(text(job, arguments));
    if (decoded.len == 0) {
        member_raw(&job->w, "input", VSR_STR("{}"));
    } else if (json_parse(job->arena, decoded, &input, NULL) == 0 && json_is(&input, 0, JSON_OBJECT)) {
        member_raw(&job->w, "input", decoded);
    } else {
        member_raw(&job->w, "input", VSR_STR("{}")); /* the document is thrown away */
        refuse_arguments(job, value_get(doc, function, "name"));
    }
    arena_rewind(job->arena, mark);
}

static void write_call(struct to_messages *job, json_ref call) {
    const struct json_doc *doc = job->doc;
    json_ref function = value_get(doc, call, "function");
    json_ref id = value_get(doc, call, "id"), name = value_get(doc, function, "name");
    if (!value_is_filled(doc, id) || !value_is_filled(doc, name)) {
        warn(job, WARNING_ERROR, "tool_call_incomplete", none);
        return;
    }
    open_turn(job, TURN_ASSISTANT);
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", VSR_STR("tool_use"));
    member_raw(&job->w, "id", json_raw(doc, id));
    member_raw(&job->w, "name", json_raw(doc, name));
    write_input(job, function);
    json_write_end(&job->w);
}

/* The client's blocks of the message that made the first of these calls. */
static const struct sidecar_origin *origin_of_calls(struct to_messages *job, json_ref calls) {
    const struct json_doc *doc = job->doc;
    json_ref first = json_is(doc, calls, JSON_ARRAY) ? json_first(doc, calls) : JSON_NONE;
    return sidecar_find_call(job->sidecar, text(job, value_get(doc, first, "id")));
}

static void write_assistant(struct to_messages *job, json_ref message) {
    const struct json_doc *doc = job->doc;
    json_ref calls = value_get(doc, message, "tool_calls"), refusal = value_get(doc, message, "refusal");
    const struct sidecar_origin *origin = origin_of_calls(job, calls);
    job->has_thinking = origin && origin->thinking.len > 0;
    if (origin)
        write_blocks(job, TURN_ASSISTANT, origin->thinking);
    write_assistant_text(job, value_get(doc, message, "content"));
    if (value_is_filled(doc, refusal))
        to_messages_text_block(job, TURN_ASSISTANT, json_raw(doc, refusal));
    if (value_is_present(doc, value_get(doc, message, "function_call")))
        warn(job, WARNING_LOSSY, "function_call_dropped", none);
    if (!json_is(doc, calls, JSON_ARRAY))
        return;
    for (json_ref call = json_first(doc, calls); call != JSON_NONE; call = json_next(doc, calls, call))
        write_call(job, call);
}

/* ---- results of tools */

static void write_result_content(struct to_messages *job, json_ref content) {
    const struct json_doc *doc = job->doc;
    if (value_is_filled(doc, content)) {
        member_raw(&job->w, "content", json_raw(doc, content));
        return;
    }
    if (!json_is(doc, content, JSON_ARRAY))
        return; /* optional */
    member_key(&job->w, "content");
    json_write_begin_array(&job->w);
    for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
        json_ref string = value_get(doc, part, "text");
        if (value_is_filled(doc, string))
            to_messages_text_block(job, TURN_USER, json_raw(doc, string));
        else
            warn_part(job, part);
    }
    json_write_end(&job->w);
}

static void write_result(struct to_messages *job, json_ref message) {
    const struct json_doc *doc = job->doc;
    json_ref id = value_get(doc, message, "tool_call_id");
    const struct sidecar_origin *origin;
    if (!value_is_filled(doc, id)) {
        warn(job, WARNING_ERROR, "tool_result_without_id", none);
        return;
    }
    open_turn(job, TURN_USER);
    json_write_begin_object(&job->w);
    member_str(&job->w, "type", VSR_STR("tool_result"));
    member_raw(&job->w, "tool_use_id", json_raw(doc, id));
    write_result_content(job, value_get(doc, message, "content"));
    origin = sidecar_find_result(job->sidecar, text(job, id));
    if (origin && origin->is_error)
        member_bool(&job->w, "is_error", true);
    json_write_end(&job->w);
}

/* ---- messages */

enum turn to_messages_turn_of(const struct to_messages *job, json_ref message) {
    const struct json_doc *doc = job->doc;
    json_ref role = value_get(doc, message, "role");
    if (value_equals(doc, role, "user") || value_equals(doc, role, "tool"))
        return TURN_USER;
    if (value_equals(doc, role, "assistant"))
        return TURN_ASSISTANT;
    if (value_equals(doc, role, "system") || value_equals(doc, role, "developer"))
        return TURN_SYSTEM;
    return TURN_NONE;
}

static enum turn next_turn(const struct to_messages *job, json_ref messages, json_ref message) {
    enum turn turn = TURN_SYSTEM; /* stands nowhere in the conversation */
    while (turn == TURN_SYSTEM) {
        message = json_next(job->doc, messages, message);
        turn = message == JSON_NONE ? TURN_NONE : to_messages_turn_of(job, message);
    }
    return turn;
}

/* A message that nobody has changed, as the client wrote it: a string stays one where its turn is nobody else's. */
static void replay(struct to_messages *job, json_ref messages, json_ref message, const struct sidecar_origin *origin) {
    enum turn turn = to_messages_turn_of(job, message);
    bool is_plain = origin->raw.len > 0 && origin->raw.ptr[0] == '"';
    if (turn == TURN_ASSISTANT)
        job->has_thinking = origin->thinking.len > 0;
    if (!is_plain) {
        write_blocks(job, turn, origin->raw);
    } else if (origin->raw.len > 2 && job->open != turn && next_turn(job, messages, message) != turn) {
        close_turn(job);
        begin_turn(job, turn);
        json_write_raw(&job->w, origin->raw);
        json_write_end(&job->w);
    } else if (origin->raw.len > 2) {
        to_messages_text_block(job, turn, origin->raw);
    }
}

static void write_message(struct to_messages *job, json_ref messages, json_ref message) {
    const struct json_doc *doc = job->doc;
    enum turn turn = to_messages_turn_of(job, message);
    const struct sidecar_origin *origin = NULL;
    bool is_result = value_equals(doc, value_get(doc, message, "role"), "tool");
    if (turn == TURN_SYSTEM)
        return;
    if (turn == TURN_NONE) {
        json_ref role = value_get(doc, message, "role");
        warn(job, WARNING_LOSSY, "role_unknown", value_is_string(doc, role) ? value_inside(doc, role) : none);
        return;
    }
    job->results_last = is_result;
    if (job->sidecar->messages.n > 0)
        origin = sidecar_find(&job->sidecar->messages, json_raw(doc, message), &job->cursor);
    if (origin)
        replay(job, messages, message, origin);
    else if (is_result)
        write_result(job, message);
    else if (turn == TURN_USER)
        write_user(job, value_get(doc, message, "content"));
    else
        write_assistant(job, message);
}

void to_messages_turns(struct to_messages *job, json_ref messages) {
    member_key(&job->w, "messages");
    json_write_begin_array(&job->w);
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE && job->rc == 0;
         m = json_next(job->doc, messages, m), job->message++)
        write_message(job, messages, m);
    close_turn(job);
    json_write_end(&job->w);
}
