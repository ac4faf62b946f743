#include "cli/backend_dialect.h"

#include "core/arena.h"
#include "wire/error_body.h"

bool backend_refuse(struct backend_refusal *ret_refusal, int status, const char *type, vsr_str message) {
    *ret_refusal = (struct backend_refusal){ .status = status, .type = type, .message = message };
    return false;
}

bool backend_parse(struct arena *arena, vsr_str body, struct json_doc *ret_doc, struct backend_refusal *ret_refusal) {
    struct vsr_err err = VSR_ERR_NONE;
    if (json_parse(arena, body, ret_doc, &err) < 0)
        return backend_refuse(ret_refusal, 400, NULL, arena_str(arena, str_from_c(err.text)));
    if (!json_is(ret_doc, 0, JSON_OBJECT))
        return backend_refuse(ret_refusal, 400, NULL, VSR_STR("request body must be a JSON object"));
    return true;
}

bool backend_flag(const struct json_doc *doc, json_ref object, const char *key) {
    json_ref ref = json_get(doc, object, str_from_c(key));
    bool value = false;
    return ref != JSON_NONE && json_bool(doc, ref, &value) && value;
}

uint64_t backend_count(const struct json_doc *doc, json_ref object, const char *key) {
    json_ref ref = json_get(doc, object, str_from_c(key));
    int64_t value;
    return ref != JSON_NONE && json_i64(doc, ref, &value) && value > 0 ? (uint64_t)value : 0;
}

vsr_str backend_text(struct arena *arena, const struct json_doc *doc, json_ref object, const char *key) {
    json_ref ref = json_get(doc, object, str_from_c(key));
    vsr_str text;
    return ref != JSON_NONE && json_str(arena, doc, ref, &text) ? text : VSR_STR("");
}

bool backend_is(const struct json_doc *doc, json_ref object, const char *key, const char *value) {
    json_ref ref = json_get(doc, object, str_from_c(key));
    return json_is(doc, ref, JSON_STRING) && json_str_eq(doc, ref, str_from_c(value));
}

void backend_add_tool(struct backend_question *question, vsr_str name, json_ref schema) {
    if (name.len > 0 && question->n_tools < BACKEND_TOOLS_MAX)
        question->tools[question->n_tools++] = (struct backend_tool){ name, schema };
}

void backend_openai_error(const struct backend_refusal *refusal, uint64_t id, struct buf *out) {
    const struct error_body error = {
        .status = refusal->status,
        .message = refusal->message,
        .type = refusal->type,
        .code = refusal->code,
        .param = refusal->param,
    };
    (void)id;
    error_body_write(out, &error);
}
