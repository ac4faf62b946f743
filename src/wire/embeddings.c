#include "wire/embeddings.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "wire/member_write.h"

/* ---- reading */

static int refuse(struct vsr_err *err, const char *where, const char *why) {
    int rc = err_set(err, VSR_E_INVALID, "%s", why);
    err_at(err, str_from_c(where), 0, 0);
    return rc;
}

static int read_text(struct arena *arena, const struct json_doc *doc, json_ref ref, vsr_str *ret, struct vsr_err *err) {
    if (json_is(doc, ref, JSON_NUMBER) || json_is(doc, ref, JSON_ARRAY))
        return refuse(err, "input", "input must be text; token ids belong to another model's vocabulary");
    if (!json_is(doc, ref, JSON_STRING))
        return refuse(err, "input", "input must be a string or a list of strings");
    if (!json_str(arena, doc, ref, ret))
        return err_set(err, VSR_E_NOMEM, "no memory for the input");
    return ret->len > 0 ? 0 : refuse(err, "input", "input must not be an empty string");
}

static int read_list(struct arena *arena, const struct json_doc *doc, json_ref list, struct embeddings_request *request,
                     struct vsr_err *err) {
    size_t n = json_count(doc, list), i = 0;
    vsr_str *inputs;
    if (n == 0 || n > EMBEDDINGS_INPUTS_MAX)
        return refuse(err, "input", n ? "input must not have more than 2048 texts" : "input must not be an empty list");
    inputs = ARENA_ARRAY(arena, vsr_str, n);
    for (json_ref item = json_first(doc, list); item != JSON_NONE; item = json_next(doc, list, item)) {
        int rc = read_text(arena, doc, item, &inputs[i++], err);
        if (rc < 0)
            return rc;
    }
    request->inputs = inputs;
    request->n = n;
    return 0;
}

static int read_input(struct arena *arena, const struct json_doc *doc, struct embeddings_request *request,
                      struct vsr_err *err) {
    json_ref input = json_get(doc, 0, VSR_STR("input"));
    vsr_str *text;
    int rc;
    if (input == JSON_NONE)
        return refuse(err, "input", "input field is required");
    if (json_is(doc, input, JSON_ARRAY))
        return read_list(arena, doc, input, request, err);
    text = ARENA_NEW(arena, vsr_str);
    rc = read_text(arena, doc, input, text, err);
    request->inputs = text;
    request->n = 1;
    return rc;
}

static int read_format(const struct json_doc *doc, struct embeddings_request *request, struct vsr_err *err) {
    json_ref format = json_get(doc, 0, VSR_STR("encoding_format"));
    if (format == JSON_NONE || json_is(doc, format, JSON_NULL) ||
        (json_is(doc, format, JSON_STRING) && json_str_eq(doc, format, VSR_STR("float"))))
        return 0;
    request->base64 = json_is(doc, format, JSON_STRING) && json_str_eq(doc, format, VSR_STR("base64"));
    return request->base64 ? 0 : refuse(err, "encoding_format", "encoding_format must be \"float\" or \"base64\"");
}

static int read_dimensions(const struct json_doc *doc, struct embeddings_request *request, struct vsr_err *err) {
    json_ref dimensions = json_get(doc, 0, VSR_STR("dimensions"));
    int64_t value = 0;
    if (dimensions == JSON_NONE || json_is(doc, dimensions, JSON_NULL))
        return 0;
    if (!json_i64(doc, dimensions, &value) || value < 1)
        return refuse(err, "dimensions", "dimensions must be a whole number of at least 1");
    request->dimensions = (size_t)value;
    return 0;
}

int embeddings_read(struct arena *arena, const struct json_doc *doc, struct embeddings_request *ret_request,
                    struct vsr_err *err) {
    struct embeddings_request request = { 0 };
    int rc = json_is(doc, 0, JSON_OBJECT) ? 0 : refuse(err, "", "the request body must be a JSON object");
    if (rc == 0)
        rc = read_input(arena, doc, &request, err);
    if (rc == 0)
        rc = read_format(doc, &request, err);
    if (rc == 0)
        rc = read_dimensions(doc, &request, err);
    if (rc == 0)
        *ret_request = request;
    return rc;
}

/* ---- writing */

static void write_numbers(struct json_writer *w, const float *numbers, size_t n) {
    json_write_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_write_double(w, (double)numbers[i]);
    json_write_end(w);
}

/* A byte of the vector as it lies on a little-endian machine. */
static unsigned byte_at(const float *numbers, size_t i) {
    uint32_t bits;
    memcpy(&bits, &numbers[i / 4], sizeof(bits));
    return bits >> (i % 4 * 8) & 255;
}

static void append_base64(struct buf *out, const float *numbers, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = n * sizeof(float);
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned word = byte_at(numbers, i) << 16;
        word |= left > 1 ? byte_at(numbers, i + 1) << 8 : 0;
        word |= left > 2 ? byte_at(numbers, i + 2) : 0;
        (void)buf_append_char(out, digits[word >> 18]);
        (void)buf_append_char(out, digits[word >> 12 & 63]);
        (void)buf_append_char(out, left > 1 ? digits[word >> 6 & 63] : '=');
        (void)buf_append_char(out, left > 2 ? digits[word & 63] : '=');
    }
}

static void write_base64(struct json_writer *w, const float *numbers, size_t n) {
    struct buf text;
    buf_init(&text, n * 6 + 8);
    (void)buf_append_char(&text, '"');
    append_base64(&text, numbers, n);
    (void)buf_append_char(&text, '"');
    json_write_raw(w, buf_str(&text));
    buf_done(&text);
}

static void write_usage(struct json_writer *w, uint64_t tokens) {
    json_write_begin_object(w);
    member_u64(w, "prompt_tokens", tokens);
    member_u64(w, "total_tokens", tokens);
    json_write_end(w);
}

void embeddings_write(struct buf *out, const struct embeddings_answer *answer) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    member_str(&w, "object", VSR_STR("list"));
    member_key(&w, "data");
    json_write_begin_array(&w);
    for (size_t i = 0; i < answer->n; i++) {
        const float *vector = answer->vectors + i * answer->width;
        json_write_begin_object(&w);
        member_str(&w, "object", VSR_STR("embedding"));
        member_u64(&w, "index", i);
        member_key(&w, "embedding");
        if (answer->base64)
            write_base64(&w, vector, answer->width);
        else
            write_numbers(&w, vector, answer->width);
        json_write_end(&w);
    }
    json_write_end(&w);
    member_str(&w, "model", answer->model);
    member_key(&w, "usage");
    write_usage(&w, answer->prompt_tokens);
    json_write_end(&w);
}
