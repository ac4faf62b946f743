/*
 * responses_encoder - deltas as a Responses stream or object (gateway.md 6.2, 6.4).
 *
 * What is said opens an output item; an item is closed when another kind opens, or at the end. Calls of tools stay open
 * side by side. Logprobs come behind the text they belong to and stand in the part's end and in the object. Only the
 * first choice is told, since the protocol has no others.
 */
#include "wire/responses_encoder.h"

#include "core/arena.h"
#include "core/json_write.h"
#include "wire/error_body.h"
#include "wire/member_write.h"
#include "wire/responses_annotation.h"
#include "wire/responses_end.h"
#include "wire/responses_id.h"
#include "wire/responses_item.h"
#include "wire/responses_request.h"
#include "wire/responses_stream.h"

enum { ITEMS_MAX = 1024 };

struct responses_encoder {
    union {
        struct encoder base;
        struct responses_end end;
    };
    const struct response_meta *meta;
    struct responses_stream stream;
    struct responses_item **items; /* in the arena */
    size_t n, cap;
    size_t text_len; /* of all items */
    bool started;
    enum finish finish;
    struct usage usage;
    bool has_usage;
    bool lost; /* a text did not fit */
    struct answer_error error;
};

static struct responses_encoder *self(struct encoder *encoder) {
    return (struct responses_encoder *)encoder;
}

static void write_output(struct responses_encoder *e, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_array(&w);
    for (size_t i = 0; i < e->n; i++)
        responses_item_write(&w, e->items[i], true);
    json_write_end(&w);
}

static void append_texts(struct responses_encoder *e, struct buf *out) {
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i]->kind == RESPONSES_ITEM_MESSAGE)
            buf_append(out, buf_str(&e->items[i]->text));
}

/* The object as it is now, into `object`. */
static void make_object(struct responses_encoder *e, enum response_status status) {
    struct buf output, text;
    struct response_state state = { .status = status, .usage = e->has_usage ? &e->usage : NULL };
    struct json_writer w;
    buf_init(&output, ENCODER_BODY_LEN_MAX);
    buf_init(&text, ENCODER_BODY_LEN_MAX);
    if (status != RESPONSE_STATUS_IN_PROGRESS) {
        write_output(e, &output);
        append_texts(e, &text);
    }
    state.output = buf_str(&output);
    state.output_text = buf_str(&text);
    if (status == RESPONSE_STATUS_INCOMPLETE)
        state.incomplete_reason =
            e->finish == FINISH_CONTENT_FILTER || e->finish == FINISH_REFUSAL ? "content_filter" : "max_output_tokens";
    state.error_code = response_error_code(e->error.status, e->error.code);
    state.error_message = e->error.message;
    if (status == RESPONSE_STATUS_COMPLETED)
        state.completed_s = e->base.options.now_s;
    buf_reset(&e->end.object);
    json_write_init(&w, &e->end.object);
    response_object_write(&w, e->meta, &state);
    if (buf_failed(&output) || buf_failed(&text))
        e->lost = true;
    buf_done(&output);
    buf_done(&text);
}

static void start(struct responses_encoder *e) {
    if (e->started)
        return;
    e->started = true;
    if (!e->base.options.streamed)
        return;
    make_object(e, RESPONSE_STATUS_IN_PROGRESS);
    if (e->meta->queued)
        e->stream.sequence = RESPONSES_QUEUED_EVENTS;
    else
        responses_stream_response(&e->stream, RESPONSES_EVENT_CREATED, buf_str(&e->end.object));
    responses_stream_response(&e->stream, RESPONSES_EVENT_IN_PROGRESS, buf_str(&e->end.object));
}

/* ---- items */

/* What is too long is dropped, and the answer fails at its end. */
static bool keep(struct responses_encoder *e, struct buf *buf, vsr_str text) {
    if (e->lost || e->text_len + text.len > RESPONSES_TEXT_LEN_MAX || buf_append(buf, text) < 0) {
        e->lost = true;
        return false;
    }
    e->text_len += text.len;
    return true;
}

/* An element of a list, or several, behind those that are there. */
static bool keep_element(struct responses_encoder *e, struct buf *list, vsr_str raw) {
    size_t len = list->len;
    if ((len == 0 || keep(e, list, VSR_STR(","))) && keep(e, list, raw))
        return true;
    list->len = len;
    return false;
}

static struct responses_item *item_new(struct responses_encoder *e, enum responses_item_kind kind, const char *prefix) {
    struct responses_item *item;
    if (e->n >= ITEMS_MAX) {
        e->lost = true;
        return NULL;
    }
    item = responses_item_new(kind, e->n, responses_id_of_item(e->base.arena, prefix, e->meta->id, true, e->n),
                              RESPONSES_TEXT_LEN_MAX);
    e->items = arena_grow(e->base.arena, e->items, sizeof(*e->items), e->n, &e->cap);
    e->items[e->n++] = item;
    return item;
}

static struct responses_item *open_item(const struct responses_encoder *e, enum responses_item_kind kind) {
    for (size_t i = e->n; i > 0; i--)
        if (e->items[i - 1]->open && e->items[i - 1]->kind == kind)
            return e->items[i - 1];
    return NULL;
}

/* What the client keeps for us: the reasoning's text, sealed; or what the backend itself sealed. */
static void seal(struct responses_encoder *e, struct responses_item *item) {
    vsr_str sealed;
    if (!e->meta->seal || item->text.len == 0 || item->sealed.len)
        return;
    if (e->meta->seal(e->meta->seal_user, e->base.arena, buf_str(&item->text), &sealed) == 0)
        (void)keep(e, &item->sealed, sealed);
}

static void close_item(struct responses_encoder *e, struct responses_item *item) {
    item->open = false;
    if (item->kind == RESPONSES_ITEM_MESSAGE && !item->has_text &&
        !item->has_refusal) { /* one that says nothing has an empty text */
        item->has_text = true;
        responses_stream_part(&e->stream, RESPONSES_EVENT_PART_ADDED, item, "output_text", false);
    }
    if (item->kind == RESPONSES_ITEM_REASONING)
        seal(e, item);
    responses_stream_done(&e->stream, item);
}

/* Closes what is open and of another kind: places rise with the index of a call. */
static void close_others(struct responses_encoder *e, enum responses_item_kind kind) {
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i]->open && e->items[i]->kind != kind)
            close_item(e, e->items[i]);
}

/* ---- deltas */

static struct responses_item *message(struct responses_encoder *e) {
    struct responses_item *item = open_item(e, RESPONSES_ITEM_MESSAGE);
    if (item)
        return item;
    close_others(e, RESPONSES_ITEM_MESSAGE);
    item = item_new(e, RESPONSES_ITEM_MESSAGE, "msg_");
    if (item)
        responses_stream_item(&e->stream, RESPONSES_EVENT_ITEM_ADDED, item, false);
    return item;
}

static void take_text(struct responses_encoder *e, vsr_str text) {
    struct responses_item *item = text.len ? message(e) : NULL;
    if (!item || !keep(e, &item->text, text))
        return;
    if (item->has_refusal && !item->has_text) { /* a refusal is the last part: the text is another message's */
        item->text.len -= text.len;
        close_item(e, item);
        take_text(e, text);
        return;
    }
    if (!item->has_text) {
        item->has_text = true;
        responses_stream_part(&e->stream, RESPONSES_EVENT_PART_ADDED, item, "output_text", false);
    }
    responses_stream_text(&e->stream, RESPONSES_EVENT_TEXT_DELTA, item, 0, "delta", text);
}

static void take_refusal(struct responses_encoder *e, vsr_str text) {
    struct responses_item *item = text.len ? message(e) : NULL;
    if (!item || !keep(e, &item->refusal, text))
        return;
    if (!item->has_refusal) {
        item->has_refusal = true;
        responses_stream_part(&e->stream, RESPONSES_EVENT_PART_ADDED, item, "refusal", false);
    }
    responses_stream_text(&e->stream, RESPONSES_EVENT_REFUSAL_DELTA, item, responses_stream_refusal_index(item),
                          "delta", text);
}

/* Another block of reasoning is another item: each has a signature of its own. */
static struct responses_item *reasoning(struct responses_encoder *e, uint32_t index) {
    struct responses_item *item = open_item(e, RESPONSES_ITEM_REASONING);
    if (item && item->index == index)
        return item;
    if (item)
        close_item(e, item);
    close_others(e, RESPONSES_ITEM_REASONING);
    item = item_new(e, RESPONSES_ITEM_REASONING, "rs_");
    if (item) {
        item->index = index;
        responses_stream_item(&e->stream, RESPONSES_EVENT_ITEM_ADDED, item, false);
    }
    return item;
}

static void take_reasoning(struct responses_encoder *e, const struct answer_delta *delta) {
    struct responses_item *item = delta->text.len ? reasoning(e, delta->index) : NULL;
    if (!item || !keep(e, &item->text, delta->text))
        return;
    if (!item->has_text) {
        item->has_text = true;
        responses_stream_part(&e->stream, RESPONSES_EVENT_PART_ADDED, item, "reasoning_text", false);
    }
    responses_stream_text(&e->stream, RESPONSES_EVENT_REASONING_DELTA, item, 0, "delta", delta->text);
}

static void take_summary(struct responses_encoder *e, const struct answer_delta *delta) {
    struct responses_item *item = delta->text.len ? reasoning(e, delta->index) : NULL;
    if (!item || !keep(e, &item->summary, delta->text))
        return;
    if (!item->has_summary) {
        item->has_summary = true;
        responses_stream_summary_part(&e->stream, RESPONSES_EVENT_SUMMARY_PART_ADDED, item, VSR_STR(""));
    }
    responses_stream_text(&e->stream, RESPONSES_EVENT_SUMMARY_DELTA, item, RESPONSES_STREAM_NO_PART, "delta",
                          delta->text);
}

static struct responses_item *find_tool(const struct responses_encoder *e, uint32_t index) {
    for (size_t i = e->n; i > 0; i--)
        if (e->items[i - 1]->kind == RESPONSES_ITEM_TOOL && e->items[i - 1]->index == index)
            return e->items[i - 1];
    return NULL;
}

static void take_tool_begin(struct responses_encoder *e, const struct answer_delta *delta) {
    struct responses_item *item;
    if (delta->server) { /* not the client's to run */
        encoder_warn(&e->base, WARNING_LOSSY, "server_tool_dropped", delta->name);
        return;
    }
    close_others(e, RESPONSES_ITEM_TOOL);
    item = item_new(e, RESPONSES_ITEM_TOOL, "fc_");
    if (!item)
        return;
    item->index = delta->index;
    item->name = encoder_keep(&e->base, delta->name);
    item->call_id = delta->id.len ? encoder_keep(&e->base, delta->id)
                                  : responses_id_of_item(e->base.arena, "call_", e->meta->id, true, item->place);
    responses_stream_item(&e->stream, RESPONSES_EVENT_ITEM_ADDED, item, false);
}

static void take_arguments(struct responses_encoder *e, const struct answer_delta *delta) {
    struct responses_item *item = find_tool(e, delta->index);
    if (!item || !item->open || !keep(e, &item->text, delta->text) || delta->text.len == 0)
        return;
    responses_stream_text(&e->stream, RESPONSES_EVENT_ARGUMENTS_DELTA, item, RESPONSES_STREAM_NO_PART, "delta",
                          delta->text);
}

/* `data:` URIs as the bare base64 that clients expect of this item. */
static vsr_str image_result(vsr_str url) {
    ptrdiff_t at = str_find(url, VSR_STR(";base64,"));
    return str_starts(url, VSR_STR("data:")) && at > 0 ? str_sub(url, (size_t)at + 8, url.len) : url;
}

static void take_image(struct responses_encoder *e, vsr_str url) {
    struct responses_item *item;
    close_others(e, RESPONSES_ITEM_IMAGE);
    item = item_new(e, RESPONSES_ITEM_IMAGE, "ig_");
    if (!item)
        return;
    responses_stream_item(&e->stream, RESPONSES_EVENT_ITEM_ADDED, item, false);
    if (!keep(e, &item->text, image_result(url)))
        return;
    responses_stream_image(&e->stream, item);
    close_item(e, item);
}

static void take_foreign(struct responses_encoder *e, const struct answer_delta *delta) {
    struct responses_item *item;
    if (delta->family != PROTOCOL_RESPONSES) {
        encoder_warn(&e->base, WARNING_LOSSY, "block_dropped", delta->name);
        return;
    }
    close_others(e, RESPONSES_ITEM_FOREIGN);
    item = item_new(e, RESPONSES_ITEM_FOREIGN, "item_");
    if (!item || !keep(e, &item->text, delta->text))
        return;
    responses_stream_item(&e->stream, RESPONSES_EVENT_ITEM_ADDED, item, true);
    close_item(e, item);
}

static void take_citation(struct responses_encoder *e, const struct answer_delta *delta) {
    struct arena_mark mark = arena_mark(e->base.arena);
    struct responses_item *item = open_item(e, RESPONSES_ITEM_MESSAGE);
    struct buf annotation;
    buf_init(&annotation, RESPONSES_ITEM_EXTRA_LEN_MAX);
    if (!item || !responses_annotation_write(e->base.arena, delta, &annotation) || buf_failed(&annotation)) {
        encoder_warn(&e->base, WARNING_LOSSY, "citation_dropped", VSR_STR(""));
        buf_done(&annotation);
        return; /* a warning may lie behind the mark */
    }
    arena_rewind(e->base.arena, mark);
    if (keep_element(e, &item->list, buf_str(&annotation)))
        responses_stream_annotation(&e->stream, item, buf_str(&annotation));
    item->n_list++;
    buf_done(&annotation);
}

/* Raw JSON: the elements of an array are joined to those before. */
static void take_logprobs(struct responses_encoder *e, vsr_str raw) {
    struct responses_item *item = open_item(e, RESPONSES_ITEM_MESSAGE);
    vsr_str trimmed = str_trim(raw), inner;
    if (!item || trimmed.len < 2 || trimmed.ptr[0] != '[')
        return;
    inner = str_trim(str_sub(trimmed, 1, trimmed.len - 1));
    if (inner.len == 0)
        return;
    (void)keep_element(e, &item->logprobs, inner);
}

static void take_sealed(struct responses_encoder *e, const struct answer_delta *delta) {
    struct responses_item *item =
        delta->kind == DELTA_REASONING_REDACTED ? NULL : open_item(e, RESPONSES_ITEM_REASONING);
    if (delta->family != PROTOCOL_RESPONSES)
        return; /* another provider's: this protocol's clients would send it where nobody can read it */
    if (!item)
        item = reasoning(e, delta->index);
    if (!item)
        return;
    buf_reset(&item->sealed);
    (void)keep(e, &item->sealed, delta->text);
}

/* ---- the end */

static enum response_status end_status(const struct responses_encoder *e) {
    if (e->error.status)
        return RESPONSE_STATUS_FAILED;
    switch (e->finish) {
    case FINISH_LENGTH:
    case FINISH_CONTEXT:
    case FINISH_CONTENT_FILTER:
        return RESPONSE_STATUS_INCOMPLETE;
    default:
        return RESPONSE_STATUS_COMPLETED;
    }
}

static void fail(struct responses_encoder *e, int status, vsr_str code, vsr_str message) {
    e->error = (struct answer_error){ .status = status, .code = code, .message = message };
}

static bool said_something(const struct responses_encoder *e) {
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i]->kind != RESPONSES_ITEM_REASONING)
            return true;
    return false;
}

/* Items that the end of the answer cut are told to be incomplete. */
static void close_all(struct responses_encoder *e) {
    bool early = e->end.status != RESPONSE_STATUS_COMPLETED;
    if (e->end.status != RESPONSE_STATUS_FAILED && !said_something(e))
        (void)message(e);
    for (size_t i = 0; i < e->n; i++) {
        struct responses_item *item = e->items[i];
        if (!item->open)
            continue;
        item->cut = early;
        if (e->end.status == RESPONSE_STATUS_FAILED)
            item->open = false;
        else
            close_item(e, item);
    }
}

static void end_stream(struct responses_encoder *e) {
    static const enum responses_event events[] = {
        [RESPONSE_STATUS_COMPLETED] = RESPONSES_EVENT_COMPLETED,
        [RESPONSE_STATUS_INCOMPLETE] = RESPONSES_EVENT_INCOMPLETE,
        [RESPONSE_STATUS_FAILED] = RESPONSES_EVENT_FAILED,
    };
    responses_stream_response(&e->stream, events[e->end.status], buf_str(&e->end.object));
}

static void end_whole(struct responses_encoder *e) {
    if (e->end.status != RESPONSE_STATUS_FAILED) {
        buf_append(e->base.out, buf_str(&e->end.object));
        return;
    }
    e->base.error_status = e->error.status;
    error_body_write(e->base.out, &(struct error_body){
                                      .status = e->error.status,
                                      .message = e->error.message,
                                      .code = e->error.code.len ? arena_c_str(e->base.arena, e->error.code) : NULL });
}

static void take_end(struct responses_encoder *e) {
    if (e->lost)
        fail(e, 502, VSR_STR("answer_too_long"), VSR_STR("the answer is longer than this server keeps"));
    start(e);
    e->end.status = end_status(e);
    close_all(e);
    make_object(e, e->end.status);
    if (buf_failed(&e->end.object)) { /* the texts fit, the object around them does not */
        fail(e, 502, VSR_STR("answer_too_long"), VSR_STR("the answer is longer than this server keeps"));
        e->end.status = RESPONSE_STATUS_FAILED;
        for (size_t i = 0; i < e->n; i++)
            responses_item_free(e->items[i]);
        e->n = 0;
        make_object(e, e->end.status);
    }
    if (e->base.options.streamed)
        end_stream(e);
    else
        end_whole(e);
}

static void take_error(struct responses_encoder *e, const struct answer_error *error) {
    fail(e, error->status ? error->status : 502, encoder_keep(&e->base, error->code),
         encoder_keep(&e->base, error->message));
}

static void take(struct encoder *encoder, const struct answer_delta *delta) {
    struct responses_encoder *e = self(encoder);
    if (delta->choice != 0)
        return;
    if (delta->kind != DELTA_ERROR)
        start(e);
    switch (delta->kind) {
    case DELTA_BEGIN:
    case DELTA_PING:
    case DELTA_TOOL_END: /* calls are closed in their order, when another kind opens */
        break;
    case DELTA_TEXT:
        take_text(e, delta->text);
        break;
    case DELTA_REASONING:
        take_reasoning(e, delta);
        break;
    case DELTA_REASONING_SIGNATURE:
    case DELTA_REASONING_REDACTED:
        take_sealed(e, delta);
        break;
    case DELTA_REASONING_SUMMARY:
        take_summary(e, delta);
        break;
    case DELTA_REFUSAL:
        take_refusal(e, delta->text);
        break;
    case DELTA_TOOL_BEGIN:
        take_tool_begin(e, delta);
        break;
    case DELTA_TOOL_ARGUMENTS:
        take_arguments(e, delta);
        break;
    case DELTA_IMAGE:
        take_image(e, delta->text);
        break;
    case DELTA_CITATION:
        take_citation(e, delta);
        break;
    case DELTA_LOGPROBS:
        take_logprobs(e, delta->text);
        break;
    case DELTA_FOREIGN:
        take_foreign(e, delta);
        break;
    case DELTA_FINISH:
        e->finish = delta->finish;
        break;
    case DELTA_USAGE:
        e->usage = *delta->usage;
        e->has_usage = true;
        break;
    case DELTA_ERROR:
        take_error(e, &delta->error);
        break;
    case DELTA_END:
        take_end(e);
        break;
    }
}

static void init(struct encoder *encoder) {
    struct responses_encoder *e = self(encoder);
    e->meta = encoder->options.response;
    e->stream.out = encoder->options.streamed ? encoder->out : NULL;
    buf_init(&e->end.object, ENCODER_BODY_LEN_MAX);
}

static void ping(struct encoder *encoder) {
    buf_append_c(encoder->out, ": keep-alive\n\n");
}

static void done(struct encoder *encoder) {
    struct responses_encoder *e = self(encoder);
    for (size_t i = 0; i < e->n; i++)
        responses_item_free(e->items[i]);
    buf_done(&e->end.object);
}

const struct encoder_kind encoder_responses = {
    .size = sizeof(struct responses_encoder),
    .init = init,
    .take = take,
    .ping = ping,
    .done = done,
};

enum response_status responses_encoder_status(const struct encoder *encoder) {
    return ((const struct responses_end *)encoder)->status;
}

vsr_str responses_encoder_object(const struct encoder *encoder) {
    return buf_str(&((const struct responses_end *)encoder)->object);
}

bool responses_encoder_cancel(struct encoder *encoder) {
    struct responses_encoder *e = self(encoder);
    if (encoder->kind != &encoder_responses || encoder->failed || encoder->ended)
        return false;
    encoder->ended = true;
    e->end.status = RESPONSE_STATUS_CANCELLED;
    for (size_t i = 0; i < e->n; i++) {
        e->items[i]->cut |= e->items[i]->open;
        e->items[i]->open = false;
    }
    make_object(e, e->end.status);
    return !e->lost && !buf_failed(&e->end.object);
}
