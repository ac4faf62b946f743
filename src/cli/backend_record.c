#include "cli/backend_record.h"

#include <pthread.h>

#include "core/buf.h"
#include "core/json_write.h"
#include "core/mem.h"

enum { RECORD_HEAD_LEN_MAX = 1 << 20, RECORD_BODY_LEN_MAX = 64 << 20 };

struct backend_record {
    pthread_mutex_t lock;
    bool filled;
    struct buf head; /* listener, method, target, then names and values in turn, each with its length before it */
    struct buf body;
    size_t n_fields;
};

struct backend_record *backend_record_new(void) {
    struct backend_record *record = MEM_NEW(struct backend_record);
    pthread_mutex_init(&record->lock, NULL);
    buf_init(&record->head, RECORD_HEAD_LEN_MAX);
    buf_init(&record->body, RECORD_BODY_LEN_MAX);
    return record;
}

void backend_record_free(struct backend_record *record) {
    if (!record)
        return;
    buf_done(&record->head);
    buf_done(&record->body);
    pthread_mutex_destroy(&record->lock);
    mem_free(record);
}

static void put(struct buf *buf, vsr_str text) {
    buf_append(buf, str_make((const char *)&text.len, sizeof(text.len)));
    buf_append(buf, text);
}

static vsr_str take(vsr_str *rest) {
    vsr_str text;
    memcpy(&text.len, rest->ptr, sizeof(text.len));
    text.ptr = rest->ptr + sizeof(text.len);
    *rest = str_sub(*rest, sizeof(text.len) + text.len, rest->len);
    return text;
}

void backend_record_put(struct backend_record *record, vsr_str listener, const struct http1_head *head, vsr_str body) {
    pthread_mutex_lock(&record->lock);
    buf_reset(&record->head);
    buf_reset(&record->body);
    put(&record->head, listener);
    put(&record->head, head->method);
    put(&record->head, head->target);
    for (size_t i = 0; i < head->n_fields; i++) {
        put(&record->head, head->fields[i].name);
        put(&record->head, head->fields[i].value);
    }
    buf_append(&record->body, body);
    record->n_fields = head->n_fields;
    record->filled = !buf_failed(&record->head) && !buf_failed(&record->body);
    pthread_mutex_unlock(&record->lock);
}

static void write_member(struct json_writer *w, const char *key, vsr_str value) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, value);
}

static void write_record(const struct backend_record *record, struct buf *out) {
    struct json_writer w;
    vsr_str rest = buf_str(&record->head);
    json_write_init(&w, out);
    json_write_begin_object(&w);
    write_member(&w, "listener", take(&rest));
    write_member(&w, "method", take(&rest));
    write_member(&w, "target", take(&rest));
    json_write_key(&w, VSR_STR("headers"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < record->n_fields; i++) {
        json_write_begin_array(&w);
        json_write_str(&w, take(&rest));
        json_write_str(&w, take(&rest));
        json_write_end(&w);
    }
    json_write_end(&w);
    write_member(&w, "body", buf_str(&record->body));
    json_write_end(&w);
}

void backend_record_json(struct backend_record *record, struct buf *out) {
    pthread_mutex_lock(&record->lock);
    if (record->filled)
        write_record(record, out);
    else
        buf_append_c(out, "null");
    pthread_mutex_unlock(&record->lock);
}
