#include "wire/responses_relay.h"

#include "core/arena.h"
#include "core/json_edit.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "wire/decoder.h"
#include "wire/error_body.h"
#include "wire/responses_end.h"
#include "wire/responses_events.h"
#include "wire/responses_request.h"
#include "wire/sse.h"
#include "wire/sse_write.h"

enum { SCRATCH_CHUNK_LEN = 8 << 10, SCRATCH_LEN_MAX = 256 << 20 };

struct responses_relay {
    union {
        struct encoder base;
        struct responses_end end;
    };
    const struct response_meta *meta;
    struct sse_parser sse;
    struct arena *scratch; /* of one event */
    struct buf body;       /* whole: what has come */
    int64_t sequence;
    bool told;   /* the last event has been */
    bool failed; /* the backend has said so: the decoder tells it, and nothing that follows counts */
    struct answer_error error;
};

static struct responses_relay *self(struct encoder *encoder) {
    return (struct responses_relay *)encoder;
}

/* ---- what is vsr's own */

/* A member of the object at `path`, which has room for one more step. */
static int set(struct json_edit *edit, struct json_step *path, size_t n, const char *key, vsr_str raw) {
    path[n] = JSON_KEY_STR(str_from_c(key));
    return json_edit_set(edit, path, n + 1, raw, NULL);
}

static vsr_str quote(struct arena *arena, vsr_str text) {
    struct buf out;
    vsr_str quoted;
    if (text.len == 0)
        return VSR_STR("null");
    buf_init(&out, 16 * text.len + 64);
    json_quote(&out, text);
    quoted = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return quoted;
}

static int edit_object(struct responses_relay *r, struct json_edit *edit, struct json_step *path, size_t n) {
    const struct response_meta *meta = r->meta;
    int rc = set(edit, path, n, "id", quote(r->scratch, meta->id));
    if (rc == 0)
        rc = set(edit, path, n, "model", quote(r->scratch, meta->model));
    if (rc == 0)
        rc = set(edit, path, n, "previous_response_id", quote(r->scratch, meta->previous_response_id));
    if (rc == 0)
        rc = set(edit, path, n, "store", meta->stores ? VSR_STR("true") : VSR_STR("false"));
    if (rc == 0)
        rc = set(edit, path, n, "background", meta->request->background ? VSR_STR("true") : VSR_STR("false"));
    if (rc == 0 && meta->conversation_id.len)
        rc = set(edit, path, n, "conversation_id", quote(r->scratch, meta->conversation_id));
    return rc;
}

/* ---- the end */

static enum response_status status_of(const struct json_doc *doc, json_ref response, enum response_status otherwise) {
    static const enum response_status all[] = { RESPONSE_STATUS_COMPLETED, RESPONSE_STATUS_INCOMPLETE,
                                                RESPONSE_STATUS_FAILED, RESPONSE_STATUS_CANCELLED };
    json_ref ref = json_get(doc, response, VSR_STR("status"));
    for (size_t i = 0; i < VSR_COUNT(all); i++)
        if (json_is(doc, ref, JSON_STRING) && json_str_eq(doc, ref, str_from_c(response_status_name(all[i]))))
            return all[i];
    return otherwise;
}

static void keep_object(struct responses_relay *r, vsr_str object, enum response_status status) {
    buf_reset(&r->end.object);
    (void)buf_append(&r->end.object, object);
    r->end.status = status;
    r->told = true;
}

/* An end that the backend did not tell. */
static void fail(struct responses_relay *r) {
    const struct response_state state = { .status = RESPONSE_STATUS_FAILED,
                                          .error_code = response_error_code(r->error.status, r->error.code),
                                          .error_message = r->error.message };
    vsr_str type = responses_event_type(RESPONSES_EVENT_FAILED);
    struct json_writer w;
    buf_reset(&r->end.object);
    json_write_init(&w, &r->end.object);
    response_object_write(&w, r->meta, &state);
    r->end.status = RESPONSE_STATUS_FAILED;
    r->told = true;
    if (!r->base.options.streamed)
        return;
    sse_write_begin(r->base.out, type);
    buf_printf(r->base.out, "{\"type\":\"%.*s\",\"sequence_number\":%lld,\"response\":", VSR_FMT(type),
               (long long)r->sequence++);
    buf_append(r->base.out, buf_str(&r->end.object));
    buf_append_char(r->base.out, '}');
    sse_write_end(r->base.out);
}

/* ---- events */

static vsr_str type_of(struct responses_relay *r, const struct json_doc *doc, vsr_str said) {
    json_ref ref = json_get(doc, 0, VSR_STR("type"));
    vsr_str type = { NULL, 0 };
    if (json_is(doc, ref, JSON_STRING))
        (void)json_str(r->scratch, doc, ref, &type);
    return type.len ? type : said;
}

/* A line end in a type would end the event's line. */
static bool is_line(vsr_str text) {
    return str_find_char(text, '\n') < 0 && str_find_char(text, '\r') < 0;
}

/* JSON that came in several lines, in one: line ends stand between its values only. */
static void join_lines(struct buf *out, size_t from) {
    for (size_t i = from; i < out->len; i++)
        if (out->ptr[i] == '\n' || out->ptr[i] == '\r')
            out->ptr[i] = ' ';
}

static int write_event(struct responses_relay *r, const struct json_doc *doc, vsr_str type, unsigned flags) {
    struct json_edit *edit = json_edit_new(r->scratch, doc);
    struct json_step path[3] = { JSON_KEY("response") };
    struct json_step number[1];
    size_t begin;
    int rc = set(edit, number, 0, "sequence_number", arena_printf(r->scratch, "%lld", (long long)r->sequence));
    if (rc == 0 && flags & RESPONSES_EVENT_HAS_RESPONSE)
        rc = edit_object(r, edit, path, 1);
    if (rc < 0)
        return rc;
    sse_write_begin(r->base.out, type);
    begin = r->base.out->len;
    rc = json_edit_apply(edit, r->base.out);
    join_lines(r->base.out, begin);
    sse_write_end(r->base.out);
    r->sequence++;
    return rc;
}

/* The object of the event as it was written. */
static void take_last(struct responses_relay *r, const struct json_doc *doc) {
    json_ref response = json_get(doc, 0, VSR_STR("response"));
    struct json_edit *edit;
    struct json_doc object;
    struct json_step path[2];
    struct buf out;
    if (json_parse(r->scratch, json_raw(doc, response), &object, NULL) < 0)
        return;
    edit = json_edit_new(r->scratch, &object);
    buf_init(&out, ENCODER_BODY_LEN_MAX);
    if (edit_object(r, edit, path, 0) == 0 && json_edit_apply(edit, &out) == 0)
        keep_object(r, buf_str(&out), status_of(&object, 0, RESPONSE_STATUS_COMPLETED));
    buf_done(&out);
}

static void on_event(void *user, const struct sse_event *event) {
    struct responses_relay *r = user;
    struct json_doc doc;
    enum responses_event known;
    unsigned flags;
    vsr_str type;
    if (event->comment_only || r->told || r->failed)
        return;
    arena_reset(r->scratch);
    if (json_parse(r->scratch, event->data, &doc, NULL) < 0 || !json_is(&doc, 0, JSON_OBJECT))
        return; /* what is no event of this protocol: the decoder counts it */
    type = type_of(r, &doc, event->type);
    known = responses_event_find(type);
    flags = responses_event_flags(known);
    if (flags & RESPONSES_EVENT_HAS_RESPONSE && !json_is(&doc, json_get(&doc, 0, VSR_STR("response")), JSON_OBJECT))
        return;
    r->failed = known == RESPONSES_EVENT_ERROR; /* told as the end that it is, when the decoder says so */
    if (r->failed || type.len == 0 || !is_line(type))
        return;
    if (r->meta->queued && (known == RESPONSES_EVENT_CREATED || known == RESPONSES_EVENT_QUEUED))
        return;
    if (write_event(r, &doc, type, flags) == 0 && flags & RESPONSES_EVENT_ENDS)
        take_last(r, &doc);
}

void responses_relay_feed(struct encoder *relay, vsr_str bytes) {
    struct responses_relay *r = self(relay);
    if (r->base.ended)
        return;
    if (r->base.options.streamed)
        sse_feed(&r->sse, bytes);
    else
        (void)buf_append(&r->body, bytes); /* its limit is the decoder's, who tells of it */
}

/* ---- whole */

static void end_whole(struct responses_relay *r) {
    struct json_doc doc;
    struct json_edit *edit;
    struct json_step path[2];
    struct buf out;
    buf_init(&out, ENCODER_BODY_LEN_MAX);
    arena_reset(r->scratch);
    if (r->error.status == 0 && json_parse(r->scratch, buf_str(&r->body), &doc, NULL) == 0 &&
        json_is(&doc, 0, JSON_OBJECT)) {
        edit = json_edit_new(r->scratch, &doc);
        if (edit_object(r, edit, path, 0) == 0 && json_edit_apply(edit, &out) == 0)
            keep_object(r, buf_str(&out), status_of(&doc, 0, RESPONSE_STATUS_COMPLETED));
    }
    buf_done(&out);
    if (r->told) {
        buf_append(r->base.out, buf_str(&r->end.object));
        return;
    }
    if (r->error.status == 0)
        r->error = (struct answer_error){ .status = 502, .message = VSR_STR("the answer cannot be passed on") };
    fail(r);
    r->base.error_status = r->error.status;
    error_body_write(r->base.out, &(struct error_body){
                                      .status = r->error.status,
                                      .message = r->error.message,
                                      .code = r->error.code.len ? arena_c_str(r->base.arena, r->error.code) : NULL });
}

static void take_end(struct responses_relay *r) {
    if (!r->base.options.streamed) {
        end_whole(r);
        return;
    }
    sse_finish(&r->sse);
    if (r->told)
        return;
    if (r->error.status == 0)
        r->error = (struct answer_error){ .status = 502, .message = VSR_STR("the backend's answer ended early") };
    fail(r);
}

static void take(struct encoder *encoder, const struct answer_delta *delta) {
    struct responses_relay *r = self(encoder);
    if (delta->kind == DELTA_ERROR) {
        r->error = delta->error;
        r->error.code = encoder_keep(encoder, delta->error.code);
        r->error.message = encoder_keep(encoder, delta->error.message);
        r->error.status = delta->error.status ? delta->error.status : 502;
    } else if (delta->kind == DELTA_END) {
        take_end(r);
    }
}

static void ping(struct encoder *encoder) {
    buf_append_c(encoder->out, ": keep-alive\n\n");
}

static void done(struct encoder *encoder) {
    struct responses_relay *r = self(encoder);
    sse_done(&r->sse);
    arena_free(r->scratch);
    buf_done(&r->body);
    buf_done(&r->end.object);
}

static const struct encoder_kind relay_kind = {
    .size = sizeof(struct responses_relay),
    .take = take,
    .ping = ping,
    .done = done,
};

struct encoder *responses_relay_new(const struct encoder_options *options, struct arena *arena, struct buf *out) {
    struct responses_relay *r = mem_alloc(sizeof(*r));
    r->base.kind = &relay_kind;
    r->base.options = *options;
    r->base.arena = arena;
    r->base.out = out;
    r->meta = options->response;
    r->sequence = r->meta->queued ? RESPONSES_QUEUED_EVENTS : 0;
    r->scratch = arena_new(SCRATCH_CHUNK_LEN, SCRATCH_LEN_MAX);
    sse_init(&r->sse, on_event, r);
    sse_set_max(&r->sse, DECODER_EVENT_LEN_MAX);
    buf_init(&r->body, ENCODER_BODY_LEN_MAX);
    buf_init(&r->end.object, ENCODER_BODY_LEN_MAX);
    return &r->base;
}
