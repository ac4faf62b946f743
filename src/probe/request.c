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

static int too_large(struct writer *w) {
    return err_set(w->err, VSR_E_LIMIT, "the request would be larger than %d bytes", PROBE_BODY_LEN_MAX);
}

/* Closes an object or a list, unless what it holds could not be written: a key may lack its value then. */
static int end_value(struct writer *w, int rc) {
    if (rc == 0)
        json_write_end(&w->json);
    return rc;
}

/* ---- YAML as JSON */

/* Moves `*at` behind digits. False when there are none. */
static bool skip_digits(vsr_str text, size_t *at) {
    size_t begin = *at;
    while (*at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9')
        ++*at;
    return *at > begin;
}

/* Spelled like a JSON number (RFC 8259 §6). */
static bool is_number(vsr_str text) {
    size_t at = text.len && text.ptr[0] == '-', begin = at;
    if (!skip_digits(text, &at) || (at - begin > 1 && text.ptr[begin] == '0'))
        return false;
    if (at < text.len && text.ptr[at] == '.' && (++at, !skip_digits(text, &at)))
        return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
        if (!skip_digits(text, &at))
            return false;
    }
    return at == text.len;
}

/* What a plain scalar means in JSON: YAML words that JSON lacks (`yes`, `0x1F`, `.inf`) are strings. */
enum scalar { SCALAR_STRING, SCALAR_NUMBER, SCALAR_TRUE, SCALAR_FALSE, SCALAR_NULL };

static enum scalar scalar_of(const struct yaml_node *node) {
    if (node->quoted)
        return SCALAR_STRING;
    if (yaml_is_null(node))
        return SCALAR_NULL;
    if (str_eq_c(node->text, "true"))
        return SCALAR_TRUE;
    if (str_eq_c(node->text, "false"))
        return SCALAR_FALSE;
    return is_number(node->text) ? SCALAR_NUMBER : SCALAR_STRING;
}

static bool is_string(const struct yaml_node *node) {
    return node && node->kind == YAML_SCALAR && scalar_of(node) == SCALAR_STRING;
}

static int write_node(struct writer *w, const struct yaml_node *node);

static void write_scalar(struct writer *w, const struct yaml_node *node) {
    switch (scalar_of(node)) {
    case SCALAR_STRING:
        json_write_str(&w->json, node->text);
        break;
    case SCALAR_NUMBER:
        json_write_raw(&w->json, node->text);
        break;
    case SCALAR_TRUE:
    case SCALAR_FALSE:
        json_write_bool(&w->json, scalar_of(node) == SCALAR_TRUE);
        break;
    case SCALAR_NULL:
        json_write_null(&w->json);
        break;
    }
}

/* ---- parts of messages */

/* Whether a mapping has that `type`, in any case, blanks around it aside. */
static bool has_type(const struct yaml_node *part, const char *type) {
    const struct yaml_node *node = yaml_get(part, VSR_STR("type"));
    return is_string(node) && str_eq_nocase(str_trim(node->text), str_from_c(type));
}

/* `{type: image_fixture, fixture: ID}` becomes a part with the picture in it. */
static int write_fixture(struct writer *w, const struct yaml_node *part) {
    const struct yaml_node *id = yaml_get(part, VSR_STR("fixture"));
    vsr_str name = id && id->kind == YAML_SCALAR ? id->text : VSR_STR("");
    const struct probe_image *image = probe_image(w->suite, name);
    struct buf url;
    if (part->n_items != 2)
        return err_set(w->err, VSR_E_INVALID, "a part of type image_fixture has `fixture` and nothing else");
    if (!image)
        return err_set(w->err, VSR_E_INVALID, "fixtures.images has no picture \"%.*s\"", VSR_FMT(name));
    buf_init(&url, PROBE_BODY_LEN_MAX);
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
    int rc = 0;
    if (has_type(node, "image_fixture"))
        return write_fixture(w, node);
    if (has_type(node, "image_url") || has_type(node, "input_image"))
        return err_set(w->err, VSR_E_INVALID, "a part of type %.*s is not allowed; use image_fixture",
                       VSR_FMT(yaml_get(node, VSR_STR("type"))->text));
    json_write_begin_object(&w->json);
    for (size_t i = 0; i < node->n_items && rc == 0; i++) {
        json_write_key(&w->json, node->keys[i]->text);
        rc = write_node(w, node->items[i]);
    }
    return end_value(w, rc);
}

static int write_sequence(struct writer *w, const struct yaml_node *node) {
    int rc = 0;
    json_write_begin_array(&w->json);
    for (size_t i = 0; i < node->n_items && rc == 0; i++)
        rc = write_node(w, node->items[i]);
    return end_value(w, rc);
}

static int write_node(struct writer *w, const struct yaml_node *node) {
    switch (node->kind) {
    case YAML_NULL:
        json_write_null(&w->json);
        break;
    case YAML_SCALAR:
        write_scalar(w, node);
        break;
    case YAML_SEQUENCE:
        return write_sequence(w, node);
    case YAML_MAPPING:
        return write_mapping(w, node);
    }
    return 0;
}

/* ---- the query */

static void add_lines(struct buf *out, vsr_str text, int64_t n) {
    for (int64_t i = 0; i < n && text.len && !buf_failed(out); i++) {
        if (out->len)
            buf_append_char(out, '\n');
        buf_append(out, text);
    }
}

/* How many of the padding's lines stand before the query. */
static int64_t lines_before(const struct probe_padding *padding) {
    switch ((enum probe_placement)padding->placement) {
    case PLACE_BEFORE:
        return padding->repeat;
    case PLACE_AROUND:
        return padding->repeat / 2;
    case PLACE_AFTER:
        break;
    }
    return 0;
}

/* Copies joined by line ends, padding lines around them; pieces of nothing are dropped. */
static int write_query(struct writer *w) {
    const struct probe_variant *variant = w->variant;
    const struct probe_padding none = { 0 }, *padding = variant->padding ? variant->padding : &none;
    int64_t before = lines_before(padding);
    struct buf text;
    int rc;
    buf_init(&text, PROBE_BODY_LEN_MAX);
    add_lines(&text, padding->text, before);
    add_lines(&text, variant->query, variant->repeat);
    add_lines(&text, padding->text, padding->repeat - before);
    rc = buf_failed(&text) ? too_large(w) : 0;
    json_write_key(&w->json, VSR_STR("text"));
    json_write_str(&w->json, buf_str(&text));
    buf_done(&text);
    return rc;
}

/* ---- messages */

static bool is_text_part(const struct yaml_node *part) {
    return is_string(yaml_get(part, VSR_STR("text"))) &&
           (!yaml_get(part, VSR_STR("type")) || has_type(part, "text") || has_type(part, "input_text") ||
            has_type(part, "output_text"));
}

static void write_filler(struct writer *w, char character, size_t len) {
    struct buf text;
    buf_init(&text, PROBE_BODY_LEN_MAX);
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
    return end_value(w, rc);
}

static int write_filled_message(struct writer *w, const struct yaml_node *message) {
    int rc = 0;
    if (message->kind != YAML_MAPPING || !yaml_get(message, VSR_STR("content")))
        return err_set(w->err, VSR_E_INVALID, "generated_text needs a message with content");
    json_write_begin_object(&w->json);
    for (size_t i = 0; i < message->n_items && rc == 0; i++) {
        json_write_key(&w->json, message->keys[i]->text);
        rc = str_eq_c(message->keys[i]->text, "content") ? write_filled_content(w, message->items[i])
                                                         : write_node(w, message->items[i]);
    }
    return end_value(w, rc);
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
    return end_value(w, rc);
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
        rc = write_query(w);
    if (rc == 0 && w->variant->tools) {
        json_write_key(&w->json, VSR_STR("tools"));
        rc = write_node(w, w->variant->tools);
    }
    return end_value(w, rc);
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
        rc = too_large(&w);
    if (rc == 0)
        *ret_body = arena_str(arena, buf_str(&body));
    buf_done(&body);
    return rc;
}
