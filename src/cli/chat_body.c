#include "cli/chat_body.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_edit.h"
#include "core/json_write.h"

enum { READ_LEN = 64 << 10 };

vsr_str chat_body_join(struct arena *arena, int argc, char **argv) {
    struct buf out;
    vsr_str text;
    buf_init(&out, SIZE_MAX);
    for (int i = 0; i < argc; i++)
        buf_printf(&out, "%s%s", i == 0 ? "" : " ", argv[i]);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

vsr_str chat_body_from_prompt(struct arena *arena, vsr_str model, vsr_str prompt) {
    struct buf out;
    struct json_writer w;
    vsr_str body;
    buf_init(&out, CHAT_BODY_LEN_MAX);
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("model"));
    json_write_str(&w, model);
    json_write_key(&w, VSR_STR("messages"));
    json_write_begin_array(&w);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("role"));
    json_write_str(&w, VSR_STR("user"));
    json_write_key(&w, VSR_STR("content"));
    json_write_str(&w, prompt);
    json_write_end(&w);
    json_write_end(&w);
    json_write_end(&w);
    body = arena_str(arena, buf_str(&out)); /* arguments are far shorter than the ceiling */
    buf_done(&out);
    return body;
}

static int read_descriptor(int fd, struct buf *out, struct vsr_err *err) {
    for (;;) {
        ssize_t n;
        int rc = buf_reserve(out, READ_LEN);
        if (rc < 0)
            return err_set(err, rc, "longer than %d bytes", CHAT_BODY_LEN_MAX);
        n = read(fd, out->ptr + out->len, READ_LEN);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(err, VSR_E_IO, "%s", strerror(errno));
        if (n > 0)
            out->len += (size_t)n;
    }
}

static int read_file(struct arena *arena, const char *file, vsr_str *ret_text, struct vsr_err *err) {
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC), rc;
    struct buf out;
    if (fd < 0)
        return err_set(err, VSR_E_IO, "cannot read \"%s\": %s", file, strerror(errno));
    buf_init(&out, CHAT_BODY_LEN_MAX + READ_LEN);
    rc = read_descriptor(fd, &out, err);
    if (rc < 0)
        err_wrap(err, "cannot read \"%s\"", file);
    else
        *ret_text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    if (!is_stdin)
        (void)close(fd);
    return rc;
}

/* `{"model":...,"messages":[...]}` around a list of messages. */
static vsr_str wrap_messages(struct arena *arena, vsr_str model, vsr_str messages) {
    struct buf out;
    vsr_str body;
    buf_init(&out, SIZE_MAX);
    buf_append_c(&out, "{\"model\":");
    json_quote(&out, model);
    buf_append_c(&out, ",\"messages\":");
    buf_append(&out, messages);
    buf_append_char(&out, '}');
    body = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return body;
}

static int set_model(struct arena *arena, const struct json_doc *doc, vsr_str model, vsr_str *ret_body,
                     struct vsr_err *err) {
    struct json_edit *edit = json_edit_new(arena, doc);
    struct buf out;
    int rc;
    buf_init(&out, SIZE_MAX);
    json_quote(&out, model);
    rc = json_edit_set(edit, &JSON_KEY("model"), 1, buf_str(&out), err);
    buf_reset(&out);
    if (rc == 0)
        rc = json_edit_apply(edit, &out);
    if (rc == 0)
        *ret_body = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return rc;
}

int chat_body_from_file(struct arena *arena, const char *file, vsr_str model, bool model_given, vsr_str *ret_body,
                        struct vsr_err *err) {
    struct json_doc doc;
    vsr_str text = { NULL, 0 };
    int rc = read_file(arena, file, &text, err);
    if (rc < 0)
        return rc;
    rc = json_parse(arena, text, &doc, err);
    if (rc < 0) {
        err_at(err, str_from_c(file), err->line, err->col);
        return rc;
    }
    if (json_is(&doc, 0, JSON_ARRAY)) {
        *ret_body = wrap_messages(arena, model, text);
        return 0;
    }
    if (!json_is(&doc, 0, JSON_OBJECT))
        return err_set(err, VSR_E_INVALID, "\"%s\" holds neither an array of messages nor a request body", file);
    if (model_given || json_get(&doc, 0, VSR_STR("model")) == JSON_NONE)
        return set_model(arena, &doc, model, ret_body, err);
    *ret_body = text;
    return 0;
}
