#include "store/record_copy.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_edit.h"
#include "core/utf8.h"

bool store_status_is_final(vsr_str status) {
    return !str_eq_c(status, "queued") && !str_eq_c(status, "in_progress");
}

size_t record_len(const struct response_record *r) {
    return r->id.len + r->previous_id.len + r->conversation_id.len + r->owner.len + r->status.len + r->object_json.len +
           r->input_json.len;
}

static vsr_str put(char **at, vsr_str text) {
    vsr_str copy = str_make(*at, text.len);
    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

void record_copy_to(char *at, const struct response_record *record, struct response_record *ret_record) {
    struct response_record copy = *record;
    copy.id = put(&at, record->id);
    copy.previous_id = put(&at, record->previous_id);
    copy.conversation_id = put(&at, record->conversation_id);
    copy.owner = put(&at, record->owner);
    copy.status = put(&at, record->status);
    copy.object_json = put(&at, record->object_json);
    copy.input_json = put(&at, record->input_json);
    *ret_record = copy;
}

int record_copy(struct arena *arena, const struct response_record *record, struct response_record *ret_record) {
    char *at = arena_try_alloc_raw(arena, record_len(record));
    if (!at)
        return VSR_E_NOMEM;
    record_copy_to(at, record, ret_record);
    return 0;
}

size_t event_len(const struct event_record *event) {
    return event->type.len + event->json.len;
}

int event_copy(struct arena *arena, const struct event_record *event, struct event_record *ret_event) {
    char *at = arena_try_alloc_raw(arena, event_len(event));
    struct event_record copy = *event;
    if (!at)
        return VSR_E_NOMEM;
    copy.type = put(&at, event->type);
    copy.json = put(&at, event->json);
    *ret_event = copy;
    return 0;
}

static int check_name(vsr_str name, const char *what, struct vsr_err *err) {
    if (name.len > STORE_ID_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "%s has %zu bytes; at most %d are kept", what, name.len, STORE_ID_LEN_MAX);
    if (name.len && (memchr(name.ptr, 0, name.len) || utf8_check(name) != name.len)) /* no text for PostgreSQL */
        return err_set(err, VSR_E_INVALID, "%s is no UTF-8, or holds a NUL", what);
    return 0;
}

int event_id_check(vsr_str id, struct vsr_err *err) {
    return id.len ? check_name(id, "the id", err) : err_set(err, VSR_E_INVALID, "the id is empty");
}

int record_check(const struct response_record *record, struct vsr_err *err) {
    size_t len = record->object_json.len + record->input_json.len;
    int rc = event_id_check(record->id, err);
    if (rc == 0)
        rc = check_name(record->previous_id, "the previous id", err);
    if (rc == 0)
        rc = check_name(record->conversation_id, "the conversation's id", err);
    if (rc == 0)
        rc = check_name(record->owner, "the owner", err);
    if (rc == 0)
        rc = check_name(record->status, "the status", err);
    if (rc == 0 && len > STORE_RECORD_BYTES_MAX)
        rc = err_set(err, VSR_E_LIMIT, "the response has %zu bytes; at most %d are kept", len, STORE_RECORD_BYTES_MAX);
    return rc;
}

vsr_str record_failed_object(struct arena *arena, vsr_str object_json) {
    const struct json_step status = JSON_KEY("status"), error = JSON_KEY("error");
    struct json_doc doc;
    struct json_edit *edit;
    struct buf out;
    vsr_str result = object_json;
    if (json_parse(arena, object_json, &doc, NULL) < 0 || !json_is(&doc, 0, JSON_OBJECT))
        return object_json;
    edit = json_edit_new(arena, &doc);
    buf_init(&out, object_json.len + 1024);
    if (json_edit_set(edit, &status, 1, VSR_STR("\"failed\""), NULL) == 0 &&
        json_edit_set(edit, &error, 1, VSR_STR("{\"code\":\"server_error\",\"message\":\"the server restarted\"}"),
                      NULL) == 0 &&
        json_edit_apply(edit, &out) == 0)
        result = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return result;
}
