#include "wire/error_body.h"

#include "core/buf.h"
#include "core/json_write.h"

static const struct {
    int status;
    const char *type, *code;
} kinds[] = {
    { 400, "invalid_request_error", NULL },
    { 401, "authentication_error", "invalid_api_key" },
    { 403, "permission_error", NULL },
    { 404, "not_found_error", NULL },
    { 405, "invalid_request_error", "method_not_allowed" },
    { 408, "timeout_error", "timeout" },
    { 413, "invalid_request_error", "request_too_large" },
    { 429, "rate_limit_error", "rate_limit_exceeded" },
    { 431, "invalid_request_error", "headers_too_large" },
    { 503, "server_error", ERROR_CODE_OVERLOADED },
    { 504, "timeout_error", "timeout" },
};

const char *error_type(int status) {
    for (size_t i = 0; i < VSR_COUNT(kinds); i++)
        if (kinds[i].status == status)
            return kinds[i].type;
    return status >= 500 ? "server_error" : "invalid_request_error";
}

const char *error_code(int status) {
    for (size_t i = 0; i < VSR_COUNT(kinds); i++)
        if (kinds[i].status == status)
            return kinds[i].code;
    return NULL;
}

static void write_optional(struct json_writer *w, vsr_str key, vsr_str value) {
    json_write_key(w, key);
    if (value.len > 0)
        json_write_str(w, value);
    else
        json_write_null(w);
}

void error_body_write(struct buf *out, const struct error_body *error) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("error"));
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("message"));
    json_write_str(&w, error->message);
    json_write_key(&w, VSR_STR("type"));
    json_write_str(&w, str_from_c(error->type ? error->type : error_type(error->status)));
    write_optional(&w, VSR_STR("param"), error->param);
    write_optional(&w, VSR_STR("code"), str_from_c(error->code ? error->code : error_code(error->status)));
    json_write_key(&w, VSR_STR("status"));
    json_write_i64(&w, error->status);
    json_write_end(&w);
    json_write_end(&w);
}

void error_event_write(struct buf *out, const struct error_body *error) {
    buf_append(out, VSR_STR("data: "));
    error_body_write(out, error);
    buf_append(out, VSR_STR("\n\n"));
}
