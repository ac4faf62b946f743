#include "probe/request.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"

struct writer {
    const struct probe_suite *suite;
    const struct probe_variant *variant;
    struct json_writer json;
    struct vsr_err *err;
};

/* ---- YAML as JSON */

/* A plain scalar that is spelled like a JSON number. */
static bool is_number(vsr_str text) {
    size_t at = text.len && text.ptr[0] == '-';
    size_t digits = at;
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    if (at == digits || (at - digits > 1 && text.ptr[digits] == '0'))
        return false;
    if (at < text.len && text.ptr[at] == '.') {
        size_t point = ++at;
        while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
            at++;
        if (at == point)
            return false;
    }
    return at == text.len;
}

static int write_node(struct writer *w, const struct yaml_node *node);

static void write_scalar(struct writer *w, const struct yaml_node *node) {
    bool is_true = str_eq_c(node->text, "true"), is_false = str_eq_c(node->text, "false");
    if (node->quoted)
        json_write_str(&w->json, node->text);
    else if (is_true || is_false)
        json_write_bool(&w->json, is_true);
    else if (yaml_is_null(node))
        json_write_null(&w->json);
    else if (is_number(node->text))
        json_write_raw(&w->json, node->text);
    else
        json_write_str(&w->json, node->text);
}

/* `{type: image_fixture, fixture: ID}` becomes a part with the picture in it. */
static int write_fixture(struct writer *w, const struct yaml_node *part) {
    const struct yaml_node *id = yaml_get(part, VSR_STR("fixture"));
    const struct probe_image *image = id && id->kind == YAML_SCALAR ? probe_image(w->suite, id->text) : NULL;
    struct buf url;
    if (part->n_items != 2 || !image)
        return err_set(w->err, VSR_E_INVALID,
                       "a part of type image_fixture names one of fixtures.images, found \"%.*s\"",
                       VSR_FMT(id && id->kind == YAML_SCALAR ? id->text : VSR_STR("")));
    buf_init(&url, 2 * PROBE_BODY_LEN_MAX);
    buf_printf(&url, "data:%.*s;base64,", VSR_FMT(image->media_type));
    buf_append(&url, image->data_base64);
    json_write_begin_object(&w->json);
    json_write_key(&w->json, VSR_STR("type"));
    json_write_str(&w->json, VSR_STR("image_url"));
    json_write_key(&w->json, VSR_STR("image_url"));
    json_write_begin_object(&w->json);
    json_write_key(&w->json, VSR_STR("url"));
    json_write_str(&w->json, buf_str(&url));
    json_write_end(&w->json);
    json_write_end(&w->json);
    buf_done(&url);
    return 0;
}

static int write_mapping(struct writer *w, const struct yaml_node *node) {
    const struct yaml_node *type = yaml_get(node, VSR_STR("type"));
    int rc = 0;
    if (type && type->kind == YAML_SCALAR && str_eq_c(type->text, "image_fixture"))
        return write_fixture(w, node);
    if (type && type->kind == YAML_SCALAR && (str_eq_c(type->text, "image_url") || str_eq_c(type->text, "input_image")))
        return err_set(w->err, VSR_E_INVALID, "a part of type %.*s is not allowed; use image_fixture",
                       VSR_FMT(type->text));
    json_write_begin_object(&w->json);
    for (size_t i = 0; i < node->n_items && rc == 0; i++) {
        json_write_key(&w->json, node->keys[i]->text);
        rc = write_node(w, node->items[i]);
    }
    json_write_end(&w->json);
    return rc;
}

static int write_node(struct writer *w, const struct yaml_node *node) {
    int rc = 0;
    switch (node->kind) {
    case YAML_NULL:
        json_write_null(&w->json);
        break;
    case YAML_SCALAR:
        write_scalar(w, node);
        break;
    case YAML_SEQUENCE:
        json_write_begin_array(&w->json);
        for (size_t i = 0; i < node->n_items && rc == 0; i++)
            rc = write_node(w, node->items[i]);
        json_write_end(&w->json);
        break;
    case YAML_MAPPING:
        return write_mapping(w, node);
    }
    return rc;
}

/* ---- the query */

static void add_lines(struct buf *out, vsr_str text, int64_t n) {
    for (int64_t i = 0; i < n && text.len; i++) {
        if (out->len)
            buf_append_char(out, '\n');
        buf_append(out, text);
    }
}

/* Copies joined by line ends, padding lines around them; pieces of nothing are dropped. */
static void write_query(struct writer *w) {
    const struct probe_variant *variant = w->variant;
    const struct probe_padding *padding = variant->padding;
    int64_t n = padding ? padding->repeat : 0;
    int64_t before = !padding                             ? 0
                     : padding->placement == PLACE_BEFORE ? n
                     : padding->placement == PLACE_AROUND ? n / 2
                                                          : 0;
    struct buf text;
    buf_init(&text, 2 * PROBE_BODY_LEN_MAX);
    if (padding)
        add_lines(&text, padding->text, before);
    add_lines(&text, variant->query, variant->repeat);
    if (padding)
        add_lines(&text, padding->text, n - before);
    json_write_key(&w->json, VSR_STR("text"));
    json_write_str(&w->json, buf_str(&text));
    buf_done(&text);
}

/* ---- messages */

static bool is_text_part(const struct yaml_node *part) {
    static const char *const types[] = { "text", "input_text", "output_text" };
    const struct yaml_node *text = yaml_get(part, VSR_STR("text")), *type = yaml_get(part, VSR_STR("type"));
    if (!text || text->kind != YAML_SCALAR)
        return false;
    for (size_t i = 0; type && i < VSR_COUNT(types); i++)
        if (type->kind == YAML_SCALAR && str_eq_nocase(str_trim(type->text), str_from_c(types[i])))
            return true;
    return !type;
}

static void write_filler(struct writer *w, char character, size_t len) {
    struct buf text;
    buf_init(&text, 2 * PROBE_BODY_LEN_MAX);
    if (buf_reserve(&text, len) == 0) {
        memset(text.ptr, character, len);
        text.len = len;
    }
    json_write_begin_object(&w->json);
    json_write_key(&w->json, VSR_STR("type"));
    json_write_str(&w->json, VSR_STR("text"));
    json_write_key(&w->json, VSR_STR("text"));
    json_write_str(&w->json, buf_str(&text));
    json_write_end(&w->json);
    buf_done(&text);
}

/* The message's parts, and at the place asked for one that fills its text up. */
static int write_filled_content(struct writer *w, const struct yaml_node *content) {
    const struct probe_generated_text *generated = w->variant->generated_text;
    int64_t present = 0;
    int rc = 0;
    if (!content || content->kind != YAML_SEQUENCE)
        return err_set(w->err, VSR_E_INVALID, "generated_text needs a message whose content is a list");
    for (size_t i = 0; i < content->n_items; i++)
        if (is_text_part(content->items[i]))
            present += (int64_t)yaml_get(content->items[i], VSR_STR("text"))->text.len;
    if (generated->target_text_bytes - present < 1 || generated->content_index > (int64_t)content->n_items)
        return err_set(w->err, VSR_E_INVALID,
                       "generated_text does not fit: the message has %lld bytes of text in %zu parts",
                       (long long)present, content->n_items);
    json_write_begin_array(&w->json);
    for (size_t i = 0; i <= content->n_items && rc == 0; i++) {
        if ((int64_t)i == generated->content_index)
            write_filler(w, generated->character.ptr[0], (size_t)(generated->target_text_bytes - present));
        if (i < content->n_items)
            rc = write_node(w, content->items[i]);
    }
    json_write_end(&w->json);
    return rc;
}

static int write_filled_message(struct writer *w, const struct yaml_node *message) {
    int rc = 0;
    if (message->kind != YAML_MAPPING)
        return err_set(w->err, VSR_E_INVALID, "a message must be a mapping");
    json_write_begin_object(&w->json);
    for (size_t i = 0; i < message->n_items && rc == 0; i++) {
        json_write_key(&w->json, message->keys[i]->text);
        rc = str_eq_c(message->keys[i]->text, "content") ? write_filled_content(w, message->items[i])
                                                         : write_node(w, message->items[i]);
    }
    json_write_end(&w->json);
    return rc;
}

static int write_messages(struct writer *w) {
    const struct yaml_node *messages = w->variant->messages;
    const struct probe_generated_text *generated = w->variant->generated_text;
    int rc = 0;
    if (generated && generated->message_index >= (int64_t)messages->n_items)
        return err_set(w->err, VSR_E_INVALID, "generated_text names message %lld of %zu",
                       (long long)generated->message_index, messages->n_items);
    json_write_key(&w->json, VSR_STR("messages"));
    json_write_begin_array(&w->json);
    for (size_t i = 0; i < messages->n_items && rc == 0; i++)
        rc = generated && (int64_t)i == generated->message_index ? write_filled_message(w, messages->items[i])
                                                                 : write_node(w, messages->items[i]);
    json_write_end(&w->json);
    return rc;
}

/* ---- the body */

static int write_body(struct writer *w, vsr_str model) {
    int rc = 0;
    json_write_begin_object(&w->json);
    if (model.len) {
        json_write_key(&w->json, VSR_STR("model"));
        json_write_str(&w->json, model);
    }
    if (w->variant->messages)
        rc = write_messages(w);
    else
        write_query(w);
    if (rc == 0 && w->variant->tools) {
        json_write_key(&w->json, VSR_STR("tools"));
        rc = write_node(w, w->variant->tools);
    }
    json_write_end(&w->json);
    return rc;
}

int probe_request(const struct probe_suite *suite, const struct probe_variant *variant, vsr_str model,
                  struct arena *arena, vsr_str *ret_body, struct vsr_err *err) {
    struct writer w = { .suite = suite, .variant = variant, .err = err };
    struct buf body;
    int rc;
    buf_init(&body, PROBE_BODY_LEN_MAX);
    json_write_init(&w.json, &body);
    rc = write_body(&w, model);
    if (rc == 0 && buf_failed(&body))
        rc = err_set(err, VSR_E_LIMIT, "the request would be larger than %d bytes", PROBE_BODY_LEN_MAX);
    if (rc == 0)
        *ret_body = arena_str(arena, buf_str(&body));
    buf_done(&body);
    return rc;
}
