#include "wire/error_body.h"

#include "core/buf.h"
#include "core/json_write.h"
#include "wire/member_write.h"

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
    { 529, "server_error", ERROR_CODE_OVERLOADED },
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

const char *error_type_messages(int status) {
    switch (status) {
    case 401:
        return "authentication_error";
    case 402:
        return "billing_error";
    case 403:
        return "permission_error";
    case 404:
        return "not_found_error";
    case 413:
        return "request_too_large";
    case 429:
        return "rate_limit_error";
    case 408:
    case 504:
        return "timeout_error";
    case 503:
    case 529:
        return "overloaded_error";
    default:
        return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

static void write_optional(struct json_writer *w, vsr_str key, vsr_str value) {
    json_write_key(w, key);
    if (value.len > 0)
        json_write_str(w, value);
    else
        json_write_null(w);
}

static void write_messages(struct json_writer *w, const struct error_body *error) {
    json_write_begin_object(w);
    member_str(w, "type", VSR_STR("error"));
    member_key(w, "error");
    json_write_begin_object(w);
    member_str(w, "type", str_from_c(error->type ? error->type : error_type_messages(error->status)));
    member_str(w, "message", error->message);
    json_write_end(w);
    json_write_end(w);
}

void error_body_write(struct buf *out, const struct error_body *error) {
    struct json_writer w;
    json_write_init(&w, out);
    if (error->protocol == PROTOCOL_MESSAGES) {
        write_messages(&w, error);
        return;
    }
    json_write_begin_object(&w);
    member_key(&w, "error");
    json_write_begin_object(&w);
    member_str(&w, "message", error->message);
    member_str(&w, "type", str_from_c(error->type ? error->type : error_type(error->status)));
    write_optional(&w, VSR_STR("param"), error->param);
    write_optional(&w, VSR_STR("code"), str_from_c(error->code ? error->code : error_code(error->status)));
    member_i64(&w, "status", error->status);
    json_write_end(&w);
    json_write_end(&w);
}

void error_event_write(struct buf *out, const struct error_body *error) {
    if (error->protocol == PROTOCOL_MESSAGES)
        buf_append(out, VSR_STR("event: error\n"));
    buf_append(out, VSR_STR("data: "));
    error_body_write(out, error);
    buf_append(out, VSR_STR("\n\n"));
}
