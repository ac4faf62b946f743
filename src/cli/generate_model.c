#include "cli/generate_model.h"

#include <errno.h>
#include <string.h>

#include "cli/config_migrate_file.h"
#include "cli/http_call.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/fd.h"
#include "core/json_write.h"

enum { BODY_SHOWN = 300, REQUEST_LEN_MAX = 128 << 20 };

/* ---- answers */

/* One line of what a server said, that no terminal acts on. */
static vsr_str shown(struct arena *arena, vsr_str body) {
    vsr_str cut = str_trim(body);
    char *bytes;
    if (cut.len > BODY_SHOWN)
        cut.len = BODY_SHOWN;
    bytes = arena_c_str(arena, cut);
    for (size_t i = 0; i < cut.len; i++)
        if ((unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] >= 0x7F)
            bytes[i] = ' ';
    return str_make(bytes, cut.len);
}

/* A chat completion; its content may also come in parts. */
static int read_completion(struct arena *arena, const struct json_doc *doc, json_ref root,
                           struct generate_reply *ret_reply, struct vsr_err *err) {
    json_ref choices = json_get(doc, root, VSR_STR("choices"));
    json_ref choice = json_is(doc, choices, JSON_ARRAY) ? json_at(doc, choices, 0) : JSON_NONE;
    json_ref content = json_get(doc, json_get(doc, choice, VSR_STR("message")), VSR_STR("content"));
    json_ref reason = json_get(doc, choice, VSR_STR("finish_reason"));
    struct generate_reply reply = { .text = VSR_STR("") };
    if (choice == JSON_NONE)
        return err_set(err, VSR_E_INVALID, "the model's answer has no choices: %.*s",
                       VSR_FMT(shown(arena, json_raw(doc, root))));
    if (json_is(doc, content, JSON_ARRAY)) {
        for (json_ref part = json_first(doc, content); part != JSON_NONE; part = json_next(doc, content, part)) {
            vsr_str text;
            if (json_str(arena, doc, json_get(doc, part, VSR_STR("text")), &text))
                reply.text = arena_printf(arena, "%.*s%.*s", VSR_FMT(reply.text), VSR_FMT(text));
        }
    } else if (content != JSON_NONE && json_is(doc, content, JSON_STRING)) {
        if (!json_str(arena, doc, content, &reply.text))
            return err_set(err, VSR_E_NOMEM, "the model's answer is too long");
    }
    reply.cut_off = json_is(doc, reason, JSON_STRING) && json_str_eq(doc, reason, VSR_STR("length"));
    *ret_reply = reply;
    return 0;
}

static int read_answer(struct arena *arena, vsr_str body, struct generate_reply *ret_reply, struct vsr_err *err) {
    struct vsr_err ignored = VSR_ERR_NONE;
    struct json_doc doc;
    if (json_parse(arena, body, &doc, &ignored) < 0)
        return err_set(err, VSR_E_INVALID, "the model's answer is no JSON (%s): %.*s", ignored.text,
                       VSR_FMT(shown(arena, body)));
    return read_completion(arena, &doc, 0, ret_reply, err);
}

/* ---- canned answers */

int generate_model_mock(struct generate_model *model, struct arena *arena, const char *file, struct vsr_err *err) {
    mode_t mode;
    if (config_file_read(arena, file, GENERATE_MOCK_LEN_MAX, &model->mock, &mode, err) < 0)
        return err->code;
    if (str_trim(model->mock).len == 0)
        return err_set(err, VSR_E_INVALID, "%s: no answers: one JSON value a line is expected", file);
    model->canned = true;
    model->mock = str_trim(model->mock);
    model->mock_name = str_from_c(file);
    model->next_line = model->mock;
    model->line = 0;
    return 0;
}

/* The last line stays the next one. */
static vsr_str take_line(struct generate_model *model) {
    vsr_str rest = model->next_line, line = VSR_STR("");
    while (rest.len > 0 && line.len == 0)
        line = str_trim(str_split(&rest, '\n'));
    if (rest.ptr && str_trim(rest).len > 0)
        model->next_line = rest;
    else
        model->next_line = line;
    return line;
}

static int answer_of_line(struct arena *arena, const struct json_doc *doc, struct generate_reply *ret_reply,
                          struct vsr_err *err) {
    json_ref response = json_get(doc, 0, VSR_STR("response")), content = json_get(doc, 0, VSR_STR("content")),
             error = json_get(doc, 0, VSR_STR("error"));
    struct generate_reply reply = { 0 };
    vsr_str text;
    if (json_str(arena, doc, error, &text))
        return err_set(err, VSR_E_UNAVAILABLE, "%.*s", VSR_FMT(shown(arena, text)));
    if (!json_str(arena, doc, json_is(doc, 0, JSON_STRING) ? 0 : content, &reply.text))
        return read_completion(arena, doc, response != JSON_NONE ? response : 0, ret_reply, err);
    *ret_reply = reply;
    return 0;
}

static int ask_mock(struct generate_model *model, struct arena *arena, struct generate_reply *ret_reply,
                    struct vsr_err *err) {
    struct vsr_err wrong = VSR_ERR_NONE;
    vsr_str line = take_line(model);
    struct json_doc doc;
    if (json_parse(arena, line, &doc, &wrong) < 0)
        return err_set(err, VSR_E_INVALID, "%.*s: a canned answer is no JSON (%s): %.*s", VSR_FMT(model->mock_name),
                       wrong.text, VSR_FMT(shown(arena, line)));
    return answer_of_line(arena, &doc, ret_reply, err);
}

/* ---- a server */

static bool is_near(vsr_str host) {
    return str_eq_nocase(host, VSR_STR("localhost")) || str_starts(host, VSR_STR("127.")) ||
           str_starts(host, VSR_STR("[::1]")) || str_eq_c(host, "0.0.0.0") || str_eq_c(host, "host.docker.internal");
}

static vsr_str with_scheme(struct arena *arena, vsr_str url) {
    vsr_str authority = url, port = VSR_STR("");
    ptrdiff_t colon;
    if (str_find(url, VSR_STR("://")) >= 0)
        return url;
    authority = str_split(&authority, '/');
    colon = str_find_last_char(authority, ':');
    if (colon >= 0 && (authority.ptr[0] != '[' || authority.ptr[colon - 1] == ']')) {
        port = str_sub(authority, (size_t)colon + 1, authority.len);
        authority = str_sub(authority, 0, (size_t)colon);
    }
    return arena_printf(arena, "%s://%.*s", is_near(authority) || str_eq_c(port, "80") ? "http" : "https",
                        VSR_FMT(url));
}

vsr_str generate_model_url(struct arena *arena, vsr_str url) {
    const char *rest = "/v1/chat/completions";
    url = with_scheme(arena, str_trim(url));
    while (str_ends(url, VSR_STR("/")))
        url = str_sub(url, 0, url.len - 1);
    if (str_ends(url, VSR_STR("/chat/completions")))
        rest = "";
    else if (str_ends(url, VSR_STR("/v1")))
        rest = "/chat/completions";
    return arena_printf(arena, "%.*s%s", VSR_FMT(url), rest);
}

static void write_request(const struct generate_model *model, const struct generate_message *messages,
                          struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("model"));
    json_write_str(&w, model->model);
    json_write_key(&w, VSR_STR("messages"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < GENERATE_MESSAGES; i++) {
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("role"));
        json_write_str(&w, messages[i].role);
        json_write_key(&w, VSR_STR("content"));
        json_write_str(&w, messages[i].content);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_key(&w, VSR_STR("temperature"));
    json_write_double(&w, model->temperature);
    json_write_key(&w, VSR_STR("max_tokens"));
    json_write_u64(&w, model->max_tokens);
    json_write_end(&w);
}

static int ask_server(const struct generate_model *model, struct arena *arena, vsr_str request, vsr_str *ret_body,
                      struct vsr_err *err) {
    const struct http_call call = {
        .url = model->url,
        .method = VSR_STR("POST"),
        .path = VSR_STR(""),
        .body = request,
        .timeout_ms = model->timeout_ms,
        .token = model->key,
    };
    struct http_answer answer;
    if (http_call(arena, &call, &answer, err) < 0) {
        if (err->code == VSR_E_IO) /* of files alone */
            err->code = VSR_E_UNAVAILABLE;
        return err->code;
    }
    if (answer.status != 200)
        return err_set(err, VSR_E_UNAVAILABLE, "the model server answered with status %d: %.*s", answer.status,
                       VSR_FMT(shown(arena, answer.body)));
    *ret_body = answer.body;
    return 0;
}

/* ---- recording */

static void write_record(vsr_str request, vsr_str response, const struct generate_reply *reply, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("request"));
    json_write_raw(&w, request);
    if (response.ptr) {
        /* Its breaks would end the line: JSON has them between values only. */
        vsr_str rest = response;
        json_write_key(&w, VSR_STR("response"));
        json_write_raw(&w, VSR_STR(""));
        while (rest.ptr && rest.len > 0)
            buf_append(out, str_trim(str_split(&rest, '\n')));
    } else {
        json_write_key(&w, VSR_STR("content"));
        json_write_str(&w, reply->text);
    }
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static int record(const struct generate_model *model, vsr_str request, vsr_str response,
                  const struct generate_reply *reply, struct vsr_err *err) {
    struct buf out;
    int rc = 0;
    if (model->record_fd < 0)
        return 0;
    buf_init(&out, REQUEST_LEN_MAX);
    write_record(request, response, reply, &out);
    if (buf_failed(&out))
        rc = err_set(err, VSR_E_LIMIT, "the record is too long");
    else if (fd_write_all(model->record_fd, buf_str(&out)) < 0)
        rc = err_set(err, VSR_E_IO, "cannot write the record: %s", strerror(errno));
    buf_done(&out);
    return rc;
}

int generate_model_ask(void *owner, const struct generate_message messages[GENERATE_MESSAGES], struct arena *arena,
                       struct generate_reply *ret_reply, struct vsr_err *err) {
    struct generate_model *model = owner;
    vsr_str request, response = { 0 };
    struct buf out;
    int rc;
    buf_init(&out, REQUEST_LEN_MAX);
    write_request(model, messages, &out);
    request = arena_str(arena, buf_str(&out));
    rc = buf_failed(&out) ? err_set(err, VSR_E_LIMIT, "the task is too long") : 0;
    buf_done(&out);
    if (rc == 0 && model->canned)
        rc = ask_mock(model, arena, ret_reply, err);
    else if (rc == 0)
        rc = ask_server(model, arena, request, &response, err);
    if (rc == 0 && !model->canned)
        rc = read_answer(arena, response, ret_reply, err);
    return rc < 0 ? rc : record(model, request, response, ret_reply, err);
}
