#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/chat_reasoning.h"
#include "wire/members.h"
#include "wire/messages_edit.h"
#include "wire/messages_request.h"
#include "wire/sidecar.h"
#include "wire/warnings.h"

/* Whose turn of the conversation a message belongs to: results of tools are said by the user. */
enum turn { TURN_NONE, TURN_USER, TURN_ASSISTANT, TURN_SYSTEM };

/* One translation. `rc` is sticky; `err` tells what was wrong. */
struct job {
    struct arena *arena;
    const struct json_doc *doc;
    const struct messages_write *options;
    const struct sidecar *sidecar; /* never NULL: an empty one stands for none */
    struct warnings *warnings;
    struct vsr_err *err;
    struct json_writer w;
    enum turn open; /* whose message is open, in its content array */
    size_t cursor;  /* in the sidecar's messages */
    size_t message; /* place of the message that is read */
    int64_t max_tokens;
    bool results_last; /* the conversation ends in results of tools */
    bool has_thinking; /* the last assistant message begins with signed thinking */
    int rc;
};

enum {
    MODEL,
    MESSAGES,
    MAX_COMPLETION_TOKENS,
    MAX_TOKENS,
    TEMPERATURE,
    TOP_P,
    TOP_K,
    STOP,
    TOOLS,
    FUNCTIONS,
    TOOL_CHOICE,
    PARALLEL_TOOL_CALLS,
    RESPONSE_FORMAT,
    USER,
    BODY_MEMBERS
};

static const vsr_str body_members[BODY_MEMBERS] = {
    [MODEL] = VSR_STR_INIT("model"),
    [MESSAGES] = VSR_STR_INIT("messages"),
    [MAX_COMPLETION_TOKENS] = VSR_STR_INIT("max_completion_tokens"),
    [MAX_TOKENS] = VSR_STR_INIT("max_tokens"),
    [TEMPERATURE] = VSR_STR_INIT("temperature"),
    [TOP_P] = VSR_STR_INIT("top_p"),
    [TOP_K] = VSR_STR_INIT("top_k"),
    [STOP] = VSR_STR_INIT("stop"),
    [TOOLS] = VSR_STR_INIT("tools"),
    [FUNCTIONS] = VSR_STR_INIT("functions"),
    [TOOL_CHOICE] = VSR_STR_INIT("tool_choice"),
    [PARALLEL_TOOL_CALLS] = VSR_STR_INIT("parallel_tool_calls"),
    [RESPONSE_FORMAT] = VSR_STR_INIT("response_format"),
    [USER] = VSR_STR_INIT("user"),
};

/* What changes an answer and has no counterpart. */
static const vsr_str lost_members[] = {
    VSR_STR_INIT("seed"),
    VSR_STR_INIT("presence_penalty"),
    VSR_STR_INIT("frequency_penalty"),
    VSR_STR_INIT("logit_bias"),
    VSR_STR_INIT("logprobs"),
    VSR_STR_INIT("top_logprobs"),
    VSR_STR_INIT("modalities"),
    VSR_STR_INIT("prediction"),
    VSR_STR_INIT("verbosity"),
    VSR_STR_INIT("web_search_options"),
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

static bool type_is(const struct job *job, json_ref object, vsr_str type) {
    return equals(job, member(job, object, VSR_STR("type")), type);
}

static vsr_str raw(const struct job *job, json_ref ref) {
    return json_raw(job->doc, ref);
}

static vsr_str inside(const struct job *job, json_ref string) {
    vsr_str quoted = raw(job, string);
    return str_make(quoted.ptr + 1, quoted.len - 2);
}

static vsr_str text(struct job *job, json_ref string) {
    vsr_str decoded = { NULL, 0 };
    if (is_string(job, string) && !json_str(job->arena, job->doc, string, &decoded) && job->rc == 0)
        job->rc = VSR_E_NOMEM;
    return decoded;
}

static void warn(struct job *job, enum warning_severity severity, const char *reason, vsr_str detail) {
    char field[64];
    int len = snprintf(field, sizeof(field), "messages.%zu", job->message);
    warnings_add(job->warnings, severity, reason, str_make(field, (size_t)len), detail);
}

static void warn_part(struct job *job, json_ref part) {
    json_ref type = member(job, part, VSR_STR("type"));
    warn(job, WARNING_LOSSY, "part_dropped", is_string(job, type) ? inside(job, type) : none);
}

/* ---- writing */

static void key(struct job *job, vsr_str name) {
    json_write_key(&job->w, name);
}

static void write_member(struct job *job, vsr_str name, vsr_str value) {
    key(job, name);
    json_write_str(&job->w, value);
}

static void write_raw_member(struct job *job, vsr_str name, vsr_str value) {
    key(job, name);
    json_write_raw(&job->w, value);
}

static void close_turn(struct job *job) {
    if (job->open == TURN_NONE)
        return;
    json_write_end(&job->w);
    json_write_end(&job->w);
    job->open = TURN_NONE;
}

static void begin_turn(struct job *job, enum turn turn) {
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("role"), turn == TURN_USER ? VSR_STR("user") : VSR_STR("assistant"));
    key(job, VSR_STR("content"));
}

/* Before a block: Anthropic wants turns to alternate, so messages of one side share one. */
static void open_turn(struct job *job, enum turn turn) {
    if (job->open == turn)
        return;
    close_turn(job);
    begin_turn(job, turn);
    json_write_begin_array(&job->w);
    job->open = turn;
}

static void write_blocks(struct job *job, enum turn turn, vsr_str blocks) {
    if (blocks.len == 0)
        return;
    open_turn(job, turn);
    json_write_raw(&job->w, blocks);
}

/* `quoted` is a string's raw text. */
static void write_text_block(struct job *job, enum turn turn, vsr_str quoted) {
    if (turn != TURN_SYSTEM)
        open_turn(job, turn);
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), VSR_STR("text"));
    write_raw_member(job, VSR_STR("text"), quoted);
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

static void write_source(struct job *job, vsr_str url) {
    vsr_str media, data;
    json_write_begin_object(&job->w);
    if (split_data_url(url, &media, &data)) {
        write_member(job, VSR_STR("type"), VSR_STR("base64"));
        write_member(job, VSR_STR("media_type"), media);
        write_member(job, VSR_STR("data"), data);
    } else if (str_starts(url, VSR_STR("file_id:"))) {
        write_member(job, VSR_STR("type"), VSR_STR("file"));
        write_member(job, VSR_STR("file_id"), str_sub(url, sizeof("file_id:") - 1, url.len));
    } else {
        write_member(job, VSR_STR("type"), VSR_STR("url"));
        write_member(job, VSR_STR("url"), url);
    }
    json_write_end(&job->w);
}

static void write_sourced(struct job *job, vsr_str type, vsr_str url) {
    open_turn(job, TURN_USER);
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), type);
    key(job, VSR_STR("source"));
    write_source(job, url);
    json_write_end(&job->w);
}

static bool is_text_part(const struct job *job, json_ref part) {
    return (type_is(job, part, VSR_STR("text")) || member(job, part, VSR_STR("type")) == JSON_NONE) &&
           is_string(job, member(job, part, VSR_STR("text")));
}

/* Texts that follow each other become one, with a space between them. */
static json_ref write_text_run(struct job *job, json_ref content, json_ref part) {
    struct buf joined;
    buf_init(&joined, JSON_TEXT_LEN_MAX);
    buf_append_char(&joined, '"');
    for (; part != JSON_NONE && is_text_part(job, part); part = json_next(job->doc, content, part)) {
        json_ref string = member(job, part, VSR_STR("text"));
        if (!is_filled(job, string))
            continue;
        if (joined.len > 1)
            buf_append_char(&joined, ' ');
        buf_append(&joined, inside(job, string));
    }
    buf_append_char(&joined, '"');
    if (buf_failed(&joined) && job->rc == 0)
        job->rc = buf_failed(&joined);
    if (joined.len > 2)
        write_text_block(job, TURN_USER, buf_str(&joined));
    buf_done(&joined);
    return part;
}

static void write_media_part(struct job *job, json_ref part) {
    json_ref image = member(job, part, VSR_STR("image_url"));
    json_ref file = member(job, part, VSR_STR("file"));
    json_ref data = member(job, file, VSR_STR("file_data"));
    vsr_str url, media, bytes;
    if (json_is(job->doc, image, JSON_OBJECT))
        image = member(job, image, VSR_STR("url"));
    if (is_filled(job, image)) {
        write_sourced(job, VSR_STR("image"), text(job, image));
        return;
    }
    url = text(job, data);
    if (split_data_url(url, &media, &bytes) && str_eq(media, VSR_STR("application/pdf")))
        write_sourced(job, VSR_STR("document"), url);
    else
        warn_part(job, part);
}

static void write_user(struct job *job, json_ref content) {
    if (is_filled(job, content))
        write_text_block(job, TURN_USER, raw(job, content));
    if (!json_is(job->doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(job->doc, content); part != JSON_NONE;) {
        if (is_text_part(job, part)) {
            part = write_text_run(job, content, part);
        } else {
            write_media_part(job, part);
            part = json_next(job->doc, content, part);
        }
    }
}

/* ---- an assistant */

static void write_assistant_text(struct job *job, json_ref content) {
    if (is_filled(job, content))
        write_text_block(job, TURN_ASSISTANT, raw(job, content));
    if (!json_is(job->doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(job->doc, content); part != JSON_NONE; part = json_next(job->doc, content, part)) {
        json_ref string =
            member(job, part, type_is(job, part, VSR_STR("refusal")) ? VSR_STR("refusal") : VSR_STR("text"));
        if (is_filled(job, string))
            write_text_block(job, TURN_ASSISTANT, raw(job, string));
    }
}

static void refuse_arguments(struct job *job, json_ref name) {
    vsr_str function = text(job, name);
    if (job->rc < 0)
        return;
    job->rc = err_set(job->err, VSR_E_INVALID, "the arguments of the call of \"%.*s\" are no JSON object",
                      VSR_FMT(str_sub(function, 0, 128)));
    err_at(job->err, arena_printf(job->arena, "messages.%zu.tool_calls", job->message), 0, 0);
}

/* Writes `input`; arguments are JSON text in a string, or an object as some clients write them. */
static void write_input(struct job *job, json_ref function) {
    json_ref arguments = member(job, function, VSR_STR("arguments"));
    struct arena_mark mark = arena_mark(job->arena);
    struct json_doc input;
    vsr_str decoded;
    if (json_is(job->doc, arguments, JSON_OBJECT)) {
        write_raw_member(job, VSR_STR("input"), raw(job, arguments));
        return;
    }
    decoded = str_trim(text(job, arguments));
    if (decoded.len == 0) {
        write_raw_member(job, VSR_STR("input"), VSR_STR("{}"));
    } else if (json_parse(job->arena, decoded, &input, NULL) == 0 && json_is(&input, 0, JSON_OBJECT)) {
        write_raw_member(job, VSR_STR("input"), decoded);
    } else {
        write_raw_member(job, VSR_STR("input"), VSR_STR("{}")); /* the document is thrown away */
        refuse_arguments(job, member(job, function, VSR_STR("name")));
    }
    arena_rewind(job->arena, mark);
}

static void write_call(struct job *job, json_ref call) {
    json_ref function = member(job, call, VSR_STR("function"));
    json_ref id = member(job, call, VSR_STR("id")), name = member(job, function, VSR_STR("name"));
    if (!is_filled(job, id) || !is_filled(job, name)) {
        warn(job, WARNING_ERROR, "tool_call_incomplete", none);
        return;
    }
    open_turn(job, TURN_ASSISTANT);
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), VSR_STR("tool_use"));
    write_raw_member(job, VSR_STR("id"), raw(job, id));
    write_raw_member(job, VSR_STR("name"), raw(job, name));
    write_input(job, function);
    json_write_end(&job->w);
}

/* The client's blocks of the message that made the first of these calls. */
static const struct sidecar_origin *origin_of_calls(struct job *job, json_ref calls) {
    json_ref first = json_is(job->doc, calls, JSON_ARRAY) ? json_first(job->doc, calls) : JSON_NONE;
    return sidecar_find_call(job->sidecar, text(job, member(job, first, VSR_STR("id"))));
}

static void write_assistant(struct job *job, json_ref message) {
    json_ref calls = member(job, message, VSR_STR("tool_calls")), refusal = member(job, message, VSR_STR("refusal"));
    const struct sidecar_origin *origin = origin_of_calls(job, calls);
    job->has_thinking = origin && origin->thinking.len > 0;
    if (origin)
        write_blocks(job, TURN_ASSISTANT, origin->thinking);
    write_assistant_text(job, member(job, message, VSR_STR("content")));
    if (is_filled(job, refusal))
        write_text_block(job, TURN_ASSISTANT, raw(job, refusal));
    if (is_present(job, member(job, message, VSR_STR("function_call"))))
        warn(job, WARNING_LOSSY, "function_call_dropped", none);
    if (!json_is(job->doc, calls, JSON_ARRAY))
        return;
    for (json_ref call = json_first(job->doc, calls); call != JSON_NONE; call = json_next(job->doc, calls, call))
        write_call(job, call);
}

/* ---- results of tools */

static void write_result_content(struct job *job, json_ref content) {
    if (is_filled(job, content)) {
        write_raw_member(job, VSR_STR("content"), raw(job, content));
        return;
    }
    if (!json_is(job->doc, content, JSON_ARRAY))
        return; /* optional */
    key(job, VSR_STR("content"));
    json_write_begin_array(&job->w);
    for (json_ref part = json_first(job->doc, content); part != JSON_NONE; part = json_next(job->doc, content, part)) {
        json_ref string = member(job, part, VSR_STR("text"));
        if (is_filled(job, string))
            write_text_block(job, TURN_USER, raw(job, string));
        else
            warn_part(job, part);
    }
    json_write_end(&job->w);
}

static void write_result(struct job *job, json_ref message) {
    json_ref id = member(job, message, VSR_STR("tool_call_id"));
    const struct sidecar_origin *origin;
    if (!is_filled(job, id)) {
        warn(job, WARNING_ERROR, "tool_result_without_id", none);
        return;
    }
    open_turn(job, TURN_USER);
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), VSR_STR("tool_result"));
    write_raw_member(job, VSR_STR("tool_use_id"), raw(job, id));
    write_result_content(job, member(job, message, VSR_STR("content")));
    origin = sidecar_find_result(job->sidecar, text(job, id));
    if (origin && origin->is_error)
        write_raw_member(job, VSR_STR("is_error"), VSR_STR("true"));
    json_write_end(&job->w);
}

/* ---- messages */

static enum turn turn_of(const struct job *job, json_ref message) {
    json_ref role = member(job, message, VSR_STR("role"));
    if (equals(job, role, VSR_STR("user")) || equals(job, role, VSR_STR("tool")))
        return TURN_USER;
    if (equals(job, role, VSR_STR("assistant")))
        return TURN_ASSISTANT;
    if (equals(job, role, VSR_STR("system")) || equals(job, role, VSR_STR("developer")))
        return TURN_SYSTEM;
    return TURN_NONE;
}

static enum turn next_turn(const struct job *job, json_ref messages, json_ref message) {
    enum turn turn = TURN_SYSTEM; /* stands nowhere in the conversation */
    while (turn == TURN_SYSTEM) {
        message = json_next(job->doc, messages, message);
        turn = message == JSON_NONE ? TURN_NONE : turn_of(job, message);
    }
    return turn;
}

/* A message that nobody has changed, as the client wrote it: a string stays one where its turn is nobody else's. */
static void replay(struct job *job, json_ref messages, json_ref message, const struct sidecar_origin *origin) {
    enum turn turn = turn_of(job, message);
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
        write_text_block(job, turn, origin->raw);
    }
}

static void write_message(struct job *job, json_ref messages, json_ref message) {
    enum turn turn = turn_of(job, message);
    const struct sidecar_origin *origin = NULL;
    bool is_result = equals(job, member(job, message, VSR_STR("role")), VSR_STR("tool"));
    if (turn == TURN_SYSTEM)
        return;
    if (turn == TURN_NONE) {
        json_ref role = member(job, message, VSR_STR("role"));
        warn(job, WARNING_LOSSY, "role_unknown", is_string(job, role) ? inside(job, role) : none);
        return;
    }
    job->results_last = is_result;
    if (job->sidecar->messages.n > 0)
        origin = sidecar_find(&job->sidecar->messages, raw(job, message), &job->cursor);
    if (origin)
        replay(job, messages, message, origin);
    else if (is_result)
        write_result(job, message);
    else if (turn == TURN_USER)
        write_user(job, member(job, message, VSR_STR("content")));
    else
        write_assistant(job, message);
}

static void write_messages(struct job *job, json_ref messages) {
    key(job, VSR_STR("messages"));
    json_write_begin_array(&job->w);
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE && job->rc == 0;
         m = json_next(job->doc, messages, m), job->message++)
        write_message(job, messages, m);
    close_turn(job);
    json_write_end(&job->w);
}

/* ---- system */

static bool is_clients_system(const struct job *job, json_ref message) {
    return sidecar_mark_is(job->sidecar->system_written, raw(job, message));
}

static bool has_system_blocks(const struct job *job) {
    return job->sidecar->system.len > 0 && job->sidecar->system.ptr[0] == '[';
}

/* Calls `add` for each text of a system message, with its raw string. */
static void each_text(struct job *job, json_ref message, void (*add)(struct job *, vsr_str, void *), void *user) {
    json_ref content = member(job, message, VSR_STR("content"));
    if (is_filled(job, content))
        add(job, raw(job, content), user);
    if (!json_is(job->doc, content, JSON_ARRAY))
        return;
    for (json_ref part = json_first(job->doc, content); part != JSON_NONE; part = json_next(job->doc, content, part)) {
        json_ref string = member(job, part, VSR_STR("text"));
        if (is_filled(job, string))
            add(job, raw(job, string), user);
    }
}

static void add_block(struct job *job, vsr_str quoted, void *user) {
    (void)user;
    write_text_block(job, TURN_SYSTEM, quoted);
}

static void add_paragraph(struct job *job, vsr_str quoted, void *user) {
    struct buf *joined = user;
    (void)job;
    if (joined->len > 1)
        buf_append(joined, VSR_STR("\\n\\n"));
    buf_append(joined, str_sub(quoted, 1, quoted.len - 1));
}

static void write_system_blocks(struct job *job, json_ref messages) {
    key(job, VSR_STR("system"));
    json_write_begin_array(&job->w);
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE; m = json_next(job->doc, messages, m)) {
        vsr_str blocks = job->sidecar->system;
        if (turn_of(job, m) != TURN_SYSTEM)
            continue;
        if (!is_clients_system(job, m))
            each_text(job, m, add_block, NULL);
        else if (str_trim(str_sub(blocks, 1, blocks.len - 1)).len > 0)
            json_write_raw(&job->w, str_sub(blocks, 1, blocks.len - 1));
    }
    json_write_end(&job->w);
}

static void write_system_text(struct job *job, json_ref messages) {
    struct buf joined;
    buf_init(&joined, JSON_TEXT_LEN_MAX);
    buf_append_char(&joined, '"');
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE; m = json_next(job->doc, messages, m))
        if (turn_of(job, m) == TURN_SYSTEM)
            each_text(job, m, add_paragraph, &joined);
    buf_append_char(&joined, '"');
    if (buf_failed(&joined) && job->rc == 0)
        job->rc = buf_failed(&joined);
    if (joined.len > 2)
        write_raw_member(job, VSR_STR("system"), buf_str(&joined));
    buf_done(&joined);
}

/* The client's own bytes when theirs is the only system message and nobody has changed it. */
static void write_system(struct job *job, json_ref messages) {
    size_t n = 0, n_own = 0;
    for (json_ref m = json_first(job->doc, messages); m != JSON_NONE; m = json_next(job->doc, messages, m)) {
        if (turn_of(job, m) != TURN_SYSTEM)
            continue;
        n++;
        n_own += is_clients_system(job, m);
    }
    if (n == 1 && n_own == 1)
        write_raw_member(job, VSR_STR("system"), job->sidecar->system);
    else if (n_own > 0 && has_system_blocks(job))
        write_system_blocks(job, messages);
    else if (n > 0)
        write_system_text(job, messages);
}

/* ---- tools */

/* `type` must be there, and is `object`. */
static void write_schema(struct job *job, json_ref parameters) {
    vsr_str schema, rest;
    key(job, VSR_STR("input_schema"));
    if (!json_is(job->doc, parameters, JSON_OBJECT)) {
        json_write_raw(&job->w, VSR_STR("{\"type\":\"object\"}"));
        return;
    }
    schema = raw(job, parameters);
    if (is_present(job, member(job, parameters, VSR_STR("type")))) {
        json_write_raw(&job->w, schema);
        return;
    }
    rest = str_sub(schema, 1, schema.len);
    json_write_raw(&job->w, VSR_STR("{\"type\":\"object\""));
    buf_append(job->w.out, str_trim(rest).ptr[0] == '}' ? none : VSR_STR(","));
    buf_append(job->w.out, rest);
}

static void write_tool(struct job *job, json_ref function) {
    json_ref name = member(job, function, VSR_STR("name")), about = member(job, function, VSR_STR("description"));
    if (!is_filled(job, name)) {
        warnings_add(job->warnings, WARNING_ERROR, "tool_incomplete", VSR_STR("tools"), none);
        return;
    }
    json_write_begin_object(&job->w);
    write_raw_member(job, VSR_STR("name"), raw(job, name));
    if (is_filled(job, about))
        write_raw_member(job, VSR_STR("description"), raw(job, about));
    write_schema(job, member(job, function, VSR_STR("parameters")));
    json_write_end(&job->w);
}

static void write_tool_list(struct job *job, json_ref tools, bool wrapped) {
    size_t cursor = 0;
    if (!json_is(job->doc, tools, JSON_ARRAY))
        return;
    for (json_ref t = json_first(job->doc, tools); t != JSON_NONE; t = json_next(job->doc, tools, t)) {
        const struct sidecar_origin *origin = sidecar_find(&job->sidecar->tools, raw(job, t), &cursor);
        if (origin)
            json_write_raw(&job->w, origin->raw);
        else if (!wrapped)
            write_tool(job, t);
        else if (json_is(job->doc, member(job, t, VSR_STR("function")), JSON_OBJECT))
            write_tool(job, member(job, t, VSR_STR("function")));
        else
            warnings_add(job->warnings, WARNING_LOSSY, "tool_dropped", VSR_STR("tools"), none);
    }
}

static bool has_elements(const struct job *job, json_ref list) {
    return json_is(job->doc, list, JSON_ARRAY) && json_first(job->doc, list) != JSON_NONE;
}

/* Returns whether there are any. The client's server tools go with the others when a policy has taken those out. */
static bool write_tools(struct job *job, const json_ref *body) {
    bool has_own = has_elements(job, body[TOOLS]) || has_elements(job, body[FUNCTIONS]);
    bool has_server = job->sidecar->server_tools.len > 0 && (has_own || job->sidecar->tools.n == 0);
    if (!has_own && !has_server)
        return false;
    key(job, VSR_STR("tools"));
    json_write_begin_array(&job->w);
    write_tool_list(job, body[TOOLS], true);
    write_tool_list(job, body[FUNCTIONS], false);
    if (has_server)
        json_write_raw(&job->w, job->sidecar->server_tools);
    json_write_end(&job->w);
    return true;
}

/* `thinking`: a forced choice is refused together with it. */
static void write_tool_choice(struct job *job, const json_ref *body, bool thinking) {
    json_ref choice = body[TOOL_CHOICE], name = member(job, member(job, choice, VSR_STR("function")), VSR_STR("name"));
    bool serial = json_is(job->doc, body[PARALLEL_TOOL_CALLS], JSON_FALSE);
    bool one = is_filled(job, name), any = equals(job, choice, VSR_STR("required"));
    vsr_str type = equals(job, choice, VSR_STR("none")) ? VSR_STR("none")
                   : any && !thinking                   ? VSR_STR("any")
                   : one && !thinking                   ? VSR_STR("tool")
                                                        : VSR_STR("auto");
    if (is_present(job, choice) && !(thinking && (one || any)) &&
        sidecar_mark_is(job->sidecar->tool_choice_written, raw(job, choice))) {
        write_raw_member(job, VSR_STR("tool_choice"), job->sidecar->tool_choice);
        return;
    }
    if (!is_present(job, choice) && !serial)
        return;
    key(job, VSR_STR("tool_choice"));
    json_write_begin_object(&job->w);
    write_member(job, VSR_STR("type"), type);
    if (str_eq(type, VSR_STR("tool")))
        write_raw_member(job, VSR_STR("name"), raw(job, name));
    if (serial && !str_eq(type, VSR_STR("none")))
        write_raw_member(job, VSR_STR("disable_parallel_tool_use"), VSR_STR("true"));
    json_write_end(&job->w);
}

/* ---- the rest */

static void read_max_tokens(struct job *job, const json_ref *body, vsr_str *ret_raw) {
    json_ref given = is_present(job, body[MAX_COMPLETION_TOKENS]) ? body[MAX_COMPLETION_TOKENS] : body[MAX_TOKENS];
    *ret_raw = none;
    job->max_tokens = MESSAGES_MAX_TOKENS_DEFAULT;
    if (!is_present(job, given))
        return;
    *ret_raw = raw(job, given);
    (void)json_i64(job->doc, given, &job->max_tokens); /* a malformed one is the backend's to refuse */
}

static bool is_blank(const struct job *job, json_ref string) {
    vsr_str quoted = inside(job, string);
    return str_trim(quoted).len == 0;
}

static void add_stop(struct job *job, json_ref string, bool *open) {
    if (!is_filled(job, string))
        return;
    if (is_blank(job, string)) { /* refused by the API */
        warnings_add(job->warnings, WARNING_LOSSY, "stop_dropped", VSR_STR("stop"), none);
        return;
    }
    if (!*open) {
        key(job, VSR_STR("stop_sequences"));
        json_write_begin_array(&job->w);
        *open = true;
    }
    json_write_raw(&job->w, raw(job, string));
}

static void write_stop(struct job *job, json_ref stop) {
    bool open = false;
    add_stop(job, stop, &open);
    if (json_is(job->doc, stop, JSON_ARRAY))
        for (json_ref s = json_first(job->doc, stop); s != JSON_NONE; s = json_next(job->doc, stop, s))
            add_stop(job, s, &open);
    if (open)
        json_write_end(&job->w);
}

/* OpenAI's scale ends at 2, Anthropic's at 1. */
static void write_temperature(struct job *job, json_ref temperature) {
    double value;
    if (!is_present(job, temperature))
        return;
    if (json_double(job->doc, temperature, &value) && value > 1.0) {
        warnings_add(job->warnings, WARNING_LOSSY, "temperature_lowered", VSR_STR("temperature"), none);
        write_raw_member(job, VSR_STR("temperature"), VSR_STR("1"));
    } else {
        write_raw_member(job, VSR_STR("temperature"), raw(job, temperature));
    }
}

static void write_top_k(struct job *job, json_ref top_k) {
    if (job->sidecar->top_k.len > 0)
        write_raw_member(job, VSR_STR("top_k"), job->sidecar->top_k);
    else if (is_present(job, top_k))
        write_raw_member(job, VSR_STR("top_k"), raw(job, top_k));
}

/* Of OpenAI's formats only schemas have a counterpart. The client's own configuration stays while its format does. */
static void write_output_config(struct job *job, json_ref format) {
    const struct sidecar *sidecar = job->sidecar;
    json_ref schema = member(job, member(job, format, VSR_STR("json_schema")), VSR_STR("schema"));
    bool is_own = sidecar->response_format_written.len == 0
                      ? !is_present(job, format)
                      : is_present(job, format) && sidecar_mark_is(sidecar->response_format_written, raw(job, format));
    if (sidecar->output_config.len > 0 && is_own) {
        write_raw_member(job, VSR_STR("output_config"), sidecar->output_config);
    } else if (type_is(job, format, VSR_STR("json_schema")) && json_is(job->doc, schema, JSON_OBJECT)) {
        key(job, VSR_STR("output_config"));
        json_write_begin_object(&job->w);
        key(job, VSR_STR("format"));
        json_write_begin_object(&job->w);
        write_member(job, VSR_STR("type"), VSR_STR("json_schema"));
        write_raw_member(job, VSR_STR("schema"), raw(job, schema));
        json_write_end(&job->w);
        json_write_end(&job->w);
    } else if (is_present(job, format) && !type_is(job, format, VSR_STR("text"))) {
        warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", VSR_STR("response_format"), none);
    }
}

static void write_metadata(struct job *job, json_ref user) {
    if (job->sidecar->metadata.len > 0) {
        write_raw_member(job, VSR_STR("metadata"), job->sidecar->metadata);
    } else if (is_filled(job, user)) {
        key(job, VSR_STR("metadata"));
        json_write_begin_object(&job->w);
        write_raw_member(job, VSR_STR("user_id"), raw(job, user));
        json_write_end(&job->w);
    }
}

/* Writes `thinking` where it is wanted and possible; returns whether a decision has switched it on. */
static bool write_thinking(struct job *job) {
    const struct chat_reasoning *reasoning = job->options->reasoning;
    bool possible = !job->results_last || job->has_thinking;
    int64_t budget;
    if (reasoning && reasoning->on) {
        budget = possible ? messages_thinking_budget(reasoning->effort, job->max_tokens) : 0;
        if (budget == 0)
            return false;
        key(job, VSR_STR("thinking"));
        json_write_begin_object(&job->w);
        write_member(job, VSR_STR("type"), VSR_STR("enabled"));
        key(job, VSR_STR("budget_tokens"));
        json_write_i64(&job->w, budget);
        json_write_end(&job->w);
        return true;
    }
    if (job->sidecar->thinking.len == 0 || (reasoning && reasoning->family != CHAT_FAMILY_NONE))
        return false;
    if (possible)
        write_raw_member(job, VSR_STR("thinking"), job->sidecar->thinking);
    else
        warnings_add(job->warnings, WARNING_LOSSY, "thinking_dropped", VSR_STR("thinking"),
                     VSR_STR("another model called the tools"));
    return false;
}

static void warn_lost_members(struct job *job) {
    json_ref n = member(job, 0, VSR_STR("n"));
    if (is_present(job, n) && !str_eq(raw(job, n), VSR_STR("1")))
        warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", VSR_STR("n"), none);
    if (!job->options->reasoning && is_present(job, member(job, 0, VSR_STR("reasoning_effort"))))
        warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", VSR_STR("reasoning_effort"), none);
    for (size_t i = 0; i < VSR_COUNT(lost_members); i++) {
        json_ref value = member(job, 0, lost_members[i]);
        if (is_present(job, value) && !json_is(job->doc, value, JSON_FALSE))
            warnings_add(job->warnings, WARNING_LOSSY, "member_not_translated", lost_members[i], none);
    }
}

static void write_sampling(struct job *job, const json_ref *body, bool thinking) {
    if (!thinking) {
        write_temperature(job, body[TEMPERATURE]);
        write_top_k(job, body[TOP_K]);
    }
    if (is_present(job, body[TOP_P]))
        write_raw_member(job, VSR_STR("top_p"), raw(job, body[TOP_P]));
    write_stop(job, body[STOP]);
}

static void write_body(struct job *job, const json_ref *body) {
    vsr_str max_tokens;
    bool thinking;
    read_max_tokens(job, body, &max_tokens);
    json_write_begin_object(&job->w);
    if (job->options->model_id.len > 0)
        write_member(job, VSR_STR("model"), job->options->model_id);
    else if (is_present(job, body[MODEL]))
        write_raw_member(job, VSR_STR("model"), raw(job, body[MODEL]));
    key(job, VSR_STR("max_tokens"));
    if (max_tokens.len > 0)
        json_write_raw(&job->w, max_tokens);
    else
        json_write_i64(&job->w, MESSAGES_MAX_TOKENS_DEFAULT);
    write_system(job, body[MESSAGES]);
    write_messages(job, body[MESSAGES]);
    thinking = write_thinking(job);
    write_sampling(job, body, thinking);
    if (write_tools(job, body))
        write_tool_choice(job, body, thinking);
    write_output_config(job, body[RESPONSE_FORMAT]);
    write_metadata(job, body[USER]);
    if (job->options->stream)
        write_raw_member(job, VSR_STR("stream"), VSR_STR("true"));
    if (job->sidecar->members.len > 0) {
        buf_append_char(job->w.out, ',');
        buf_append(job->w.out, job->sidecar->members);
    }
    json_write_end(&job->w);
}

int chat_to_messages(struct arena *arena, const struct json_doc *doc, const struct messages_write *options,
                     struct warnings *warnings, struct buf *out, struct vsr_err *err) {
    static const struct sidecar empty;
    struct job job = {
        .arena = arena,
        .doc = doc,
        .options = options,
        .sidecar = options->sidecar ? options->sidecar : &empty,
        .warnings = warnings,
        .err = err,
    };
    json_ref body[BODY_MEMBERS];
    members_read(doc, 0, body_members, BODY_MEMBERS, body);
    if (!json_is(doc, body[MESSAGES], JSON_ARRAY))
        return err_set(err, VSR_E_INVALID, "messages field must be an array");
    json_write_init(&job.w, out);
    write_body(&job, body);
    warn_lost_members(&job);
    if (job.rc == VSR_E_INVALID)
        return job.rc;
    if (job.rc == 0)
        job.rc = buf_failed(out);
    return job.rc < 0 ? err_set(err, job.rc, "the request in Messages: %s", err_code_text(job.rc)) : 0;
}
