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
#include "core/mem.h"
#include "wire/error_body.h"
#include "wire/responses_end.h"
#include "wire/responses_events.h"
#include "wire/responses_id.h"
#include "wire/responses_request.h"

enum { ITEMS_MAX = 1024, ITEM_EXTRA_LEN_MAX = 8 << 20 };

enum item_kind { ITEM_REASONING, ITEM_MESSAGE, ITEM_TOOL, ITEM_IMAGE, ITEM_FOREIGN };

struct item {
    enum item_kind kind;
    bool open;
    bool cut;       /* was open when the answer ended early */
    size_t place;   /* output_index */
    uint32_t index; /* of the delta: which call, which block */
    vsr_str id;
    struct buf text;     /* of the message, the reasoning, the arguments; the image; raw JSON of a foreign item */
    struct buf refusal;  /* of a message */
    struct buf summary;  /* of reasoning */
    struct buf list;     /* annotations of a message, joined by commas */
    struct buf logprobs; /* the same */
    struct buf sealed;   /* of reasoning: what the backend wants back */
    size_t n_list;
    bool has_text, has_refusal, has_summary; /* the part was opened */
    vsr_str call_id, name;
};

struct responses_encoder {
    union {
        struct encoder base;
        struct responses_end end;
    };
    const struct response_meta *meta;
    struct json_writer w;
    struct item **items; /* in the arena */
    size_t n, cap;
    size_t text_len; /* of all items */
    int64_t sequence;
    bool started, closed;
    enum finish finish;
    struct usage usage;
    bool has_usage;
    bool lost; /* a text did not fit */
    struct answer_error error;
};

static struct responses_encoder *self(struct encoder *encoder) {
    return (struct responses_encoder *)encoder;
}

/* ---- writing */

static void key_str(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, text);
}

static void key_i64(struct json_writer *w, const char *key, int64_t value) {
    json_write_key(w, str_from_c(key));
    json_write_i64(w, value);
}

static void key_list(struct json_writer *w, const char *key, const struct buf *items) {
    json_write_key(w, str_from_c(key));
    json_write_raw(w, VSR_STR("["));
    buf_append(w->out, buf_str(items));
    buf_append_char(w->out, ']');
}

/* `event:` and the members that every event has. */
static void event_begin(struct responses_encoder *e, enum responses_event event) {
    vsr_str type = responses_event_type(event);
    buf_append_c(e->base.out, "event: ");
    buf_append(e->base.out, type);
    buf_append_c(e->base.out, "\ndata: ");
    json_write_init(&e->w, e->base.out);
    json_write_begin_object(&e->w);
    key_str(&e->w, "type", type);
    key_i64(&e->w, "sequence_number", e->sequence++);
}

static void event_end(struct responses_encoder *e) {
    json_write_end(&e->w);
    buf_append_c(e->base.out, "\n\n");
}

/* With the members of an event about an item, or about one of its parts (content_index -1: none). */
static void item_event_begin(struct responses_encoder *e, enum responses_event event, const struct item *item,
                             int content_index) {
    event_begin(e, event);
    key_str(&e->w, "item_id", item->id);
    key_i64(&e->w, "output_index", (int64_t)item->place);
    if (content_index >= 0)
        key_i64(&e->w, "content_index", content_index);
}

static void write_text_part(struct json_writer *w, const struct item *item, bool done) {
    json_write_begin_object(w);
    key_str(w, "type", VSR_STR("output_text"));
    key_str(w, "text", done ? buf_str(&item->text) : VSR_STR(""));
    if (done) {
        key_list(w, "annotations", &item->list);
        key_list(w, "logprobs", &item->logprobs);
    } else {
        json_write_key(w, VSR_STR("annotations"));
        json_write_raw(w, VSR_STR("[]"));
        json_write_key(w, VSR_STR("logprobs"));
        json_write_raw(w, VSR_STR("[]"));
    }
    json_write_end(w);
}

static void write_plain_part(struct json_writer *w, const char *type, const char *key, vsr_str text) {
    json_write_begin_object(w);
    key_str(w, "type", str_from_c(type));
    key_str(w, key, text);
    json_write_end(w);
}

static void write_message(struct json_writer *w, const struct item *item, bool done) {
    key_str(w, "role", VSR_STR("assistant"));
    json_write_key(w, VSR_STR("content"));
    json_write_begin_array(w);
    if (done && (item->has_text || !item->has_refusal))
        write_text_part(w, item, true);
    if (done && item->has_refusal)
        write_plain_part(w, "refusal", "refusal", buf_str(&item->refusal));
    json_write_end(w);
}

static void write_reasoning(struct json_writer *w, const struct item *item, bool done) {
    json_write_key(w, VSR_STR("summary"));
    json_write_begin_array(w);
    if (done && item->has_summary)
        write_plain_part(w, "summary_text", "text", buf_str(&item->summary));
    json_write_end(w);
    json_write_key(w, VSR_STR("content"));
    json_write_begin_array(w);
    if (done && item->has_text)
        write_plain_part(w, "reasoning_text", "text", buf_str(&item->text));
    json_write_end(w);
    if (done && item->sealed.len)
        key_str(w, "encrypted_content", buf_str(&item->sealed));
}

static const char *const item_types[] = {
    [ITEM_REASONING] = "reasoning",
    [ITEM_MESSAGE] = "message",
    [ITEM_TOOL] = "function_call",
    [ITEM_IMAGE] = "image_generation_call",
};

static void write_item(struct json_writer *w, const struct item *item, bool done) {
    if (item->kind == ITEM_FOREIGN) {
        json_write_raw(w, buf_str(&item->text));
        return;
    }
    json_write_begin_object(w);
    key_str(w, "id", item->id);
    key_str(w, "type", str_from_c(item_types[item->kind]));
    key_str(w, "status", !done ? VSR_STR("in_progress") : item->cut ? VSR_STR("incomplete") : VSR_STR("completed"));
    switch (item->kind) {
    case ITEM_MESSAGE:
        write_message(w, item, done);
        break;
    case ITEM_REASONING:
        write_reasoning(w, item, done);
        break;
    case ITEM_TOOL:
        key_str(w, "call_id", item->call_id);
        key_str(w, "name", item->name);
        key_str(w, "arguments", done ? buf_str(&item->text) : VSR_STR(""));
        break;
    case ITEM_IMAGE:
        json_write_key(w, VSR_STR("result"));
        if (done)
            json_write_str(w, buf_str(&item->text));
        else
            json_write_null(w);
        break;
    case ITEM_FOREIGN:
        break;
    }
    json_write_end(w);
}

static void write_output(struct responses_encoder *e, struct buf *out) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_array(&w);
    for (size_t i = 0; i < e->n; i++)
        write_item(&w, e->items[i], true);
    json_write_end(&w);
}

static void append_texts(struct responses_encoder *e, struct buf *out) {
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i]->kind == ITEM_MESSAGE)
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

static void response_event(struct responses_encoder *e, enum responses_event event) {
    event_begin(e, event);
    json_write_key(&e->w, VSR_STR("response"));
    json_write_raw(&e->w, buf_str(&e->end.object));
    event_end(e);
}

static void start(struct responses_encoder *e) {
    if (e->started)
        return;
    e->started = true;
    if (!e->base.options.streamed)
        return;
    make_object(e, RESPONSE_STATUS_IN_PROGRESS);
    if (e->meta->queued)
        e->sequence = RESPONSES_QUEUED_EVENTS;
    else
        response_event(e, RESPONSES_EVENT_CREATED);
    response_event(e, RESPONSES_EVENT_IN_PROGRESS);
}

/* ---- items */

static bool streams(const struct responses_encoder *e) {
    return e->base.options.streamed;
}

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

static void item_event(struct responses_encoder *e, enum responses_event event, const struct item *item, bool done) {
    if (!streams(e))
        return;
    event_begin(e, event);
    key_i64(&e->w, "output_index", (int64_t)item->place);
    json_write_key(&e->w, VSR_STR("item"));
    write_item(&e->w, item, done);
    event_end(e);
}

static struct item *item_new(struct responses_encoder *e, enum item_kind kind, const char *prefix) {
    struct item *item;
    if (e->n >= ITEMS_MAX) {
        e->lost = true;
        return NULL;
    }
    item = MEM_NEW(struct item);
    item->kind = kind;
    item->open = true;
    item->place = e->n;
    item->id = responses_id_of_item(e->base.arena, prefix, e->meta->id, true, e->n);
    buf_init(&item->text, RESPONSES_TEXT_LEN_MAX);
    buf_init(&item->refusal, RESPONSES_TEXT_LEN_MAX);
    buf_init(&item->summary, RESPONSES_TEXT_LEN_MAX);
    buf_init(&item->list, ITEM_EXTRA_LEN_MAX);
    buf_init(&item->logprobs, ITEM_EXTRA_LEN_MAX);
    buf_init(&item->sealed, ITEM_EXTRA_LEN_MAX);
    e->items = arena_grow(e->base.arena, e->items, sizeof(*e->items), e->n, &e->cap);
    e->items[e->n++] = item;
    return item;
}

static void item_free(struct item *item) {
    buf_done(&item->text);
    buf_done(&item->refusal);
    buf_done(&item->summary);
    buf_done(&item->list);
    buf_done(&item->logprobs);
    buf_done(&item->sealed);
    mem_free(item);
}

static struct item *open_item(const struct responses_encoder *e, enum item_kind kind) {
    for (size_t i = e->n; i > 0; i--)
        if (e->items[i - 1]->open && e->items[i - 1]->kind == kind)
            return e->items[i - 1];
    return NULL;
}

/* Content index of a refusal: behind the text, where there is one. */
static int refusal_index(const struct item *item) {
    return item->has_text ? 1 : 0;
}

static void part_event(struct responses_encoder *e, enum responses_event event, const struct item *item,
                       const char *type, bool done) {
    bool is_refusal = str_eq_c(VSR_STR("refusal"), type), is_text = str_eq_c(VSR_STR("output_text"), type);
    if (!streams(e))
        return;
    item_event_begin(e, event, item, is_refusal ? refusal_index(item) : 0);
    json_write_key(&e->w, VSR_STR("part"));
    if (is_text)
        write_text_part(&e->w, item, done);
    else
        write_plain_part(&e->w, type, is_refusal ? "refusal" : "text",
                         !done        ? VSR_STR("")
                         : is_refusal ? buf_str(&item->refusal)
                                      : buf_str(&item->text));
    event_end(e);
}

static void summary_part_event(struct responses_encoder *e, enum responses_event event, const struct item *item,
                               vsr_str text) {
    if (!streams(e))
        return;
    item_event_begin(e, event, item, -1);
    key_i64(&e->w, "summary_index", 0);
    json_write_key(&e->w, VSR_STR("part"));
    write_plain_part(&e->w, "summary_text", "text", text);
    event_end(e);
}

/* A piece of text (`key` is "delta"), or all of it ("text", "refusal"). */
static void text_event(struct responses_encoder *e, enum responses_event event, const struct item *item,
                       int content_index, const char *key, vsr_str text) {
    if (!streams(e))
        return;
    item_event_begin(e, event, item, content_index);
    if (event == RESPONSES_EVENT_SUMMARY_DELTA || event == RESPONSES_EVENT_SUMMARY_DONE)
        key_i64(&e->w, "summary_index", 0);
    key_str(&e->w, key, text);
    if (event == RESPONSES_EVENT_TEXT_DELTA) {
        json_write_key(&e->w, VSR_STR("logprobs"));
        json_write_raw(&e->w, VSR_STR("[]"));
    } else if (event == RESPONSES_EVENT_TEXT_DONE) {
        key_list(&e->w, "logprobs", &item->logprobs);
    }
    event_end(e);
}

static void close_message(struct responses_encoder *e, struct item *item) {
    if (!item->has_text && !item->has_refusal) { /* a message that says nothing has an empty text */
        item->has_text = true;
        part_event(e, RESPONSES_EVENT_PART_ADDED, item, "output_text", false);
    }
    if (item->has_text) {
        text_event(e, RESPONSES_EVENT_TEXT_DONE, item, 0, "text", buf_str(&item->text));
        part_event(e, RESPONSES_EVENT_PART_DONE, item, "output_text", true);
    }
    if (item->has_refusal) {
        text_event(e, RESPONSES_EVENT_REFUSAL_DONE, item, refusal_index(item), "refusal", buf_str(&item->refusal));
        part_event(e, RESPONSES_EVENT_PART_DONE, item, "refusal", true);
    }
}

/* What the client keeps for us: the reasoning's text, sealed; or what the backend itself sealed. */
static void seal(struct responses_encoder *e, struct item *item) {
    vsr_str sealed;
    if (!e->meta->seal || item->text.len == 0 || item->sealed.len)
        return;
    if (e->meta->seal(e->meta->seal_user, e->base.arena, buf_str(&item->text), &sealed) == 0)
        (void)keep(e, &item->sealed, sealed);
}

static void close_reasoning(struct responses_encoder *e, struct item *item) {
    seal(e, item);
    if (item->has_summary) {
        text_event(e, RESPONSES_EVENT_SUMMARY_DONE, item, -1, "text", buf_str(&item->summary));
        summary_part_event(e, RESPONSES_EVENT_SUMMARY_PART_DONE, item, buf_str(&item->summary));
    }
    if (item->has_text) {
        text_event(e, RESPONSES_EVENT_REASONING_DONE, item, 0, "text", buf_str(&item->text));
        part_event(e, RESPONSES_EVENT_PART_DONE, item, "reasoning_text", true);
    }
}

static void close_tool(struct responses_encoder *e, const struct item *item) {
    if (!streams(e))
        return;
    item_event_begin(e, RESPONSES_EVENT_ARGUMENTS_DONE, item, -1);
    key_str(&e->w, "name", item->name);
    key_str(&e->w, "arguments", buf_str(&item->text));
    event_end(e);
}

static void close_item(struct responses_encoder *e, struct item *item) {
    item->open = false;
    if (item->kind == ITEM_MESSAGE)
        close_message(e, item);
    else if (item->kind == ITEM_REASONING)
        close_reasoning(e, item);
    else if (item->kind == ITEM_TOOL)
        close_tool(e, item);
    item_event(e, RESPONSES_EVENT_ITEM_DONE, item, true);
}

/* Closes what is open and of another kind: places rise with the index of a call. */
static void close_others(struct responses_encoder *e, enum item_kind kind) {
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i]->open && e->items[i]->kind != kind)
            close_item(e, e->items[i]);
}

/* ---- deltas */

static struct item *message(struct responses_encoder *e) {
    struct item *item = open_item(e, ITEM_MESSAGE);
    if (item)
        return item;
    close_others(e, ITEM_MESSAGE);
    item = item_new(e, ITEM_MESSAGE, "msg_");
    if (item)
        item_event(e, RESPONSES_EVENT_ITEM_ADDED, item, false);
    return item;
}

static void take_text(struct responses_encoder *e, vsr_str text) {
    struct item *item = text.len ? message(e) : NULL;
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
        part_event(e, RESPONSES_EVENT_PART_ADDED, item, "output_text", false);
    }
    text_event(e, RESPONSES_EVENT_TEXT_DELTA, item, 0, "delta", text);
}

static void take_refusal(struct responses_encoder *e, vsr_str text) {
    struct item *item = text.len ? message(e) : NULL;
    if (!item || !keep(e, &item->refusal, text))
        return;
    if (!item->has_refusal) {
        item->has_refusal = true;
        part_event(e, RESPONSES_EVENT_PART_ADDED, item, "refusal", false);
    }
    text_event(e, RESPONSES_EVENT_REFUSAL_DELTA, item, refusal_index(item), "delta", text);
}

/* Another block of reasoning is another item: each has a signature of its own. */
static struct item *reasoning(struct responses_encoder *e, uint32_t index) {
    struct item *item = open_item(e, ITEM_REASONING);
    if (item && item->index == index)
        return item;
    if (item)
        close_item(e, item);
    close_others(e, ITEM_REASONING);
    item = item_new(e, ITEM_REASONING, "rs_");
    if (item) {
        item->index = index;
        item_event(e, RESPONSES_EVENT_ITEM_ADDED, item, false);
    }
    return item;
}

static void take_reasoning(struct responses_encoder *e, const struct answer_delta *delta) {
    struct item *item = delta->text.len ? reasoning(e, delta->index) : NULL;
    if (!item || !keep(e, &item->text, delta->text))
        return;
    if (!item->has_text) {
        item->has_text = true;
        part_event(e, RESPONSES_EVENT_PART_ADDED, item, "reasoning_text", false);
    }
    text_event(e, RESPONSES_EVENT_REASONING_DELTA, item, 0, "delta", delta->text);
}

static void take_summary(struct responses_encoder *e, const struct answer_delta *delta) {
    struct item *item = delta->text.len ? reasoning(e, delta->index) : NULL;
    if (!item || !keep(e, &item->summary, delta->text))
        return;
    if (!item->has_summary) {
        item->has_summary = true;
        summary_part_event(e, RESPONSES_EVENT_SUMMARY_PART_ADDED, item, VSR_STR(""));
    }
    text_event(e, RESPONSES_EVENT_SUMMARY_DELTA, item, -1, "delta", delta->text);
}

static struct item *find_tool(const struct responses_encoder *e, uint32_t index) {
    for (size_t i = e->n; i > 0; i--)
        if (e->items[i - 1]->kind == ITEM_TOOL && e->items[i - 1]->index == index)
            return e->items[i - 1];
    return NULL;
}

static void take_tool_begin(struct responses_encoder *e, const struct answer_delta *delta) {
    struct item *item;
    if (delta->server) { /* not the client's to run */
        encoder_warn(&e->base, WARNING_LOSSY, "server_tool_dropped", delta->name);
        return;
    }
    close_others(e, ITEM_TOOL);
    item = item_new(e, ITEM_TOOL, "fc_");
    if (!item)
        return;
    item->index = delta->index;
    item->name = encoder_keep(&e->base, delta->name);
    item->call_id = delta->id.len ? encoder_keep(&e->base, delta->id)
                                  : responses_id_of_item(e->base.arena, "call_", e->meta->id, true, item->place);
    item_event(e, RESPONSES_EVENT_ITEM_ADDED, item, false);
}

static void take_arguments(struct responses_encoder *e, const struct answer_delta *delta) {
    struct item *item = find_tool(e, delta->index);
    if (!item || !item->open || !keep(e, &item->text, delta->text) || delta->text.len == 0)
        return;
    text_event(e, RESPONSES_EVENT_ARGUMENTS_DELTA, item, -1, "delta", delta->text);
}

/* `data:` URIs as the bare base64 that clients expect of this item. */
static vsr_str image_result(vsr_str url) {
    ptrdiff_t at = str_find(url, VSR_STR(";base64,"));
    return str_starts(url, VSR_STR("data:")) && at > 0 ? str_sub(url, (size_t)at + 8, url.len) : url;
}

static void take_image(struct responses_encoder *e, vsr_str url) {
    struct item *item;
    close_others(e, ITEM_IMAGE);
    item = item_new(e, ITEM_IMAGE, "ig_");
    if (!item)
        return;
    item_event(e, RESPONSES_EVENT_ITEM_ADDED, item, false);
    if (!keep(e, &item->text, image_result(url)))
        return;
    if (streams(e)) {
        item_event_begin(e, RESPONSES_EVENT_IMAGE_COMPLETED, item, -1);
        event_end(e);
    }
    close_item(e, item);
}

static void take_foreign(struct responses_encoder *e, const struct answer_delta *delta) {
    struct item *item;
    if (delta->family != PROTOCOL_RESPONSES) {
        encoder_warn(&e->base, WARNING_LOSSY, "block_dropped", delta->name);
        return;
    }
    close_others(e, ITEM_FOREIGN);
    item = item_new(e, ITEM_FOREIGN, "item_");
    if (!item || !keep(e, &item->text, delta->text))
        return;
    item_event(e, RESPONSES_EVENT_ITEM_ADDED, item, true);
    close_item(e, item);
}

/*
 * An annotation: this family's own is taken as it is; Chat Completions' has its members one level deeper. Those of
 * other families point into documents that this protocol cannot name.
 */
static bool read_annotation(struct responses_encoder *e, const struct answer_delta *delta, struct buf *out) {
    struct json_doc doc;
    json_ref type, nested;
    struct json_writer w;
    if (json_parse(e->base.arena, delta->text, &doc, NULL) < 0 || !json_is(&doc, 0, JSON_OBJECT))
        return false;
    type = json_get(&doc, 0, VSR_STR("type"));
    if (delta->family == PROTOCOL_RESPONSES) {
        buf_append(out, delta->text);
        return true;
    }
    nested = json_get(&doc, 0, VSR_STR("url_citation"));
    if (delta->family != PROTOCOL_CHAT || !json_is(&doc, type, JSON_STRING) || !json_is(&doc, nested, JSON_OBJECT))
        return false;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    key_str(&w, "type", VSR_STR("url_citation"));
    for (json_ref at = json_first(&doc, nested); at != JSON_NONE;) {
        json_ref value = json_next(&doc, nested, at);
        vsr_str name;
        if (!json_str(e->base.arena, &doc, at, &name))
            return false;
        json_write_key(&w, name);
        json_write_raw(&w, json_raw(&doc, value));
        at = json_next(&doc, nested, value);
    }
    json_write_end(&w);
    return true;
}

static void take_citation(struct responses_encoder *e, const struct answer_delta *delta) {
    struct arena_mark mark = arena_mark(e->base.arena);
    struct item *item = open_item(e, ITEM_MESSAGE);
    struct buf annotation;
    buf_init(&annotation, ITEM_EXTRA_LEN_MAX);
    if (!item || !read_annotation(e, delta, &annotation) || buf_failed(&annotation)) {
        encoder_warn(&e->base, WARNING_LOSSY, "citation_dropped", VSR_STR(""));
        buf_done(&annotation);
        return; /* a warning may lie behind the mark */
    }
    arena_rewind(e->base.arena, mark);
    if (keep_element(e, &item->list, buf_str(&annotation)) && streams(e)) {
        item_event_begin(e, RESPONSES_EVENT_ANNOTATION_ADDED, item, 0);
        key_i64(&e->w, "annotation_index", (int64_t)item->n_list);
        json_write_key(&e->w, VSR_STR("annotation"));
        json_write_raw(&e->w, buf_str(&annotation));
        event_end(e);
    }
    item->n_list++;
    buf_done(&annotation);
}

/* Raw JSON: the elements of an array are joined to those before. */
static void take_logprobs(struct responses_encoder *e, vsr_str raw) {
    struct item *item = open_item(e, ITEM_MESSAGE);
    vsr_str trimmed = str_trim(raw), inner;
    if (!item || trimmed.len < 2 || trimmed.ptr[0] != '[')
        return;
    inner = str_trim(str_sub(trimmed, 1, trimmed.len - 1));
    if (inner.len == 0)
        return;
    (void)keep_element(e, &item->logprobs, inner);
}

static void take_sealed(struct responses_encoder *e, const struct answer_delta *delta) {
    struct item *item = delta->kind == DELTA_REASONING_REDACTED ? NULL : open_item(e, ITEM_REASONING);
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
        if (e->items[i]->kind != ITEM_REASONING)
            return true;
    return false;
}

/* Items that the end of the answer cut are told to be incomplete. */
static void close_all(struct responses_encoder *e) {
    bool early = e->end.status != RESPONSE_STATUS_COMPLETED;
    if (e->end.status != RESPONSE_STATUS_FAILED && !said_something(e))
        (void)message(e);
    for (size_t i = 0; i < e->n; i++) {
        struct item *item = e->items[i];
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
    response_event(e, events[e->end.status]);
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
            item_free(e->items[i]);
        e->n = 0;
        make_object(e, e->end.status);
    }
    if (streams(e))
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
    buf_init(&e->end.object, ENCODER_BODY_LEN_MAX);
}

static void ping(struct encoder *encoder) {
    buf_append_c(encoder->out, ": keep-alive\n\n");
}

static void done(struct encoder *encoder) {
    struct responses_encoder *e = self(encoder);
    for (size_t i = 0; i < e->n; i++)
        item_free(e->items[i]);
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
