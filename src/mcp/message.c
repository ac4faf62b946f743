#include "mcp/message.h"

#include "core/arena.h"
#include "core/json_write.h"

/* ---- reading */

/* "2.0", one of the four forms, members of the right type. */
static int read_one(struct arena *arena, const struct json_doc *doc, json_ref node, struct mcp_message *ret_message,
                    struct vsr_err *err) {
    json_ref id = json_get(doc, node, VSR_STR("id")), method = json_get(doc, node, VSR_STR("method"));
    json_ref error = json_get(doc, node, VSR_STR("error"));
    struct mcp_message message = {
        .doc = doc,
        .params = json_get(doc, node, VSR_STR("params")),
        .result = json_get(doc, node, VSR_STR("result")),
    };
    bool has_id = json_is(doc, id, JSON_NUMBER) || json_is(doc, id, JSON_STRING);
    if (!json_is(doc, node, JSON_OBJECT) || json_duplicate_key(doc, node) != JSON_NONE)
        return err_set(err, VSR_E_PROTOCOL, "a message is no object with different members");
    if (!json_str_eq(doc, json_get(doc, node, VSR_STR("jsonrpc")), VSR_STR("2.0")))
        return err_set(err, VSR_E_PROTOCOL, "a message is not of JSON-RPC 2.0");
    (void)json_i64(doc, id, &message.id); /* else it is not one of ours */
    if (method != JSON_NONE) {
        if (!json_str(arena, doc, method, &message.method) || message.method.len > MCP_METHOD_LEN_MAX)
            return err_set(err, VSR_E_PROTOCOL, "a message has a method that is no short text");
        if (id != JSON_NONE && !has_id)
            return err_set(err, VSR_E_PROTOCOL, "a request has an id that is neither number nor text");
        message.kind = has_id ? MCP_REQUEST : MCP_NOTIFICATION;
        message.id_raw = has_id ? json_raw(doc, id) : VSR_STR("");
    } else if (json_is(doc, error, JSON_OBJECT)) {
        message.kind = MCP_ERROR;
        if (!json_i64(doc, json_get(doc, error, VSR_STR("code")), &message.code))
            return err_set(err, VSR_E_PROTOCOL, "an error has no code");
        (void)json_str(arena, doc, json_get(doc, error, VSR_STR("message")), &message.message);
    } else if (message.result != JSON_NONE && has_id) {
        message.kind = MCP_RESULT;
    } else {
        return err_set(err, VSR_E_PROTOCOL, "a message is neither request, notification nor answer");
    }
    *ret_message = message;
    return 0;
}

static int read_list(struct arena *arena, const struct json_doc *doc, struct mcp_message **ret_messages, size_t *ret_n,
                     struct vsr_err *err) {
    size_t n = json_count(doc, 0), i = 0;
    struct mcp_message *messages;
    if (n == 0 || n > MCP_BATCH_MAX)
        return err_set(err, n ? VSR_E_LIMIT : VSR_E_PROTOCOL, "a list of %zu messages, expected 1 to %d", n,
                       MCP_BATCH_MAX);
    messages = ARENA_ARRAY(arena, struct mcp_message, n);
    for (json_ref node = json_first(doc, 0); node != JSON_NONE; node = json_next(doc, 0, node)) {
        int rc = read_one(arena, doc, node, &messages[i++], err);
        if (rc < 0)
            return rc;
    }
    *ret_messages = messages;
    *ret_n = n;
    return 0;
}

int mcp_message_read(struct arena *arena, vsr_str text, mcp_message_fn *fn, void *user, struct vsr_err *err) {
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    struct mcp_message *messages = NULL;
    struct vsr_err syntax = VSR_ERR_NONE;
    size_t n = 0;
    int rc;
    if (text.len > MCP_MESSAGE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "a message is longer than %d bytes", MCP_MESSAGE_LEN_MAX);
    rc = json_parse(arena, text, doc, &syntax);
    if (rc < 0)
        return err_set(err, rc, "a message is no JSON (line %u, column %u)", syntax.line, syntax.col);
    if (json_is(doc, 0, JSON_ARRAY)) {
        rc = read_list(arena, doc, &messages, &n, err);
    } else {
        messages = ARENA_NEW(arena, struct mcp_message);
        n = 1;
        rc = read_one(arena, doc, 0, messages, err);
    }
    for (size_t i = 0; i < n && rc == 0; i++)
        fn(user, &messages[i]);
    return rc;
}

/* ---- writing */

static void begin(struct json_writer *w, struct buf *out) {
    json_write_init(w, out);
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("jsonrpc"));
    json_write_str(w, VSR_STR("2.0"));
}

static void write_call(struct json_writer *w, const char *method, vsr_str params) {
    json_write_key(w, VSR_STR("method"));
    json_write_str(w, str_from_c(method));
    if (params.len) {
        json_write_key(w, VSR_STR("params"));
        json_write_raw(w, params);
    }
    json_write_end(w);
}

void mcp_write_request(struct buf *out, int64_t id, const char *method, vsr_str params) {
    struct json_writer w;
    begin(&w, out);
    json_write_key(&w, VSR_STR("id"));
    json_write_i64(&w, id);
    write_call(&w, method, params);
}

void mcp_write_notification(struct buf *out, const char *method, vsr_str params) {
    struct json_writer w;
    begin(&w, out);
    write_call(&w, method, params);
}

void mcp_write_result(struct buf *out, vsr_str id_raw, vsr_str result) {
    struct json_writer w;
    begin(&w, out);
    json_write_key(&w, VSR_STR("id"));
    json_write_raw(&w, id_raw);
    json_write_key(&w, VSR_STR("result"));
    json_write_raw(&w, result);
    json_write_end(&w);
}

void mcp_write_error(struct buf *out, vsr_str id_raw, int code, const char *message) {
    struct json_writer w;
    begin(&w, out);
    json_write_key(&w, VSR_STR("id"));
    json_write_raw(&w, id_raw);
    json_write_key(&w, VSR_STR("error"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("code"));
    json_write_i64(&w, code);
    json_write_key(&w, VSR_STR("message"));
    json_write_str(&w, str_from_c(message));
    json_write_end(&w);
    json_write_end(&w);
}

/* ---- lines */

void mcp_lines_init(struct mcp_lines *lines) {
    *lines = (struct mcp_lines){ 0 };
    buf_init(&lines->line, MCP_MESSAGE_LEN_MAX + 2);
}

void mcp_lines_done(struct mcp_lines *lines) {
    buf_done(&lines->line);
}

bool mcp_lines_next(struct mcp_lines *lines, vsr_str *bytes, vsr_str *ret_line) {
    ptrdiff_t end = str_find_char(*bytes, '\n');
    size_t taken = end < 0 ? bytes->len : (size_t)end + 1;
    if (lines->line.len && lines->line.ptr[lines->line.len - 1] == '\n')
        buf_reset(&lines->line);
    if (!lines->broken && buf_append(&lines->line, str_sub(*bytes, 0, taken)) < 0)
        lines->broken = true;
    *bytes = str_sub(*bytes, taken, bytes->len);
    if (end < 0 || lines->broken)
        return false;
    *ret_line = str_make(lines->line.ptr, lines->line.len - 1);
    if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
        ret_line->len--;
    return true;
}
