#include "wire/responses_stream.h"

#include "wire/member_write.h"
#include "wire/responses_item.h"
#include "wire/sse_write.h"

/* `event:` and the members that every event has. */
static void event_begin(struct responses_stream *s, enum responses_event event) {
    vsr_str type = responses_event_type(event);
    sse_write_begin(s->out, type);
    json_write_init(&s->w, s->out);
    json_write_begin_object(&s->w);
    member_str(&s->w, "type", type);
    member_i64(&s->w, "sequence_number", s->sequence++);
}

static void event_end(struct responses_stream *s) {
    json_write_end(&s->w);
    sse_write_end(s->out);
}

/* With the members of an event about an item, or about one of its parts (RESPONSES_STREAM_NO_PART: none). */
static void item_event_begin(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                             int content_index) {
    event_begin(s, event);
    member_str(&s->w, "item_id", item->id);
    member_i64(&s->w, "output_index", (int64_t)item->place);
    if (content_index >= 0)
        member_i64(&s->w, "content_index", content_index);
}

void responses_stream_response(struct responses_stream *s, enum responses_event event, vsr_str object) {
    if (!s->out)
        return;
    event_begin(s, event);
    member_raw(&s->w, "response", object);
    event_end(s);
}

void responses_stream_item(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                           bool done) {
    if (!s->out)
        return;
    event_begin(s, event);
    member_i64(&s->w, "output_index", (int64_t)item->place);
    member_key(&s->w, "item");
    responses_item_write(&s->w, item, done);
    event_end(s);
}

int responses_stream_refusal_index(const struct responses_item *item) {
    return item->has_text ? 1 : 0;
}

void responses_stream_part(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                           const char *type, bool done) {
    bool is_refusal = str_eq_c(VSR_STR("refusal"), type), is_text = str_eq_c(VSR_STR("output_text"), type);
    if (!s->out)
        return;
    item_event_begin(s, event, item, is_refusal ? responses_stream_refusal_index(item) : 0);
    member_key(&s->w, "part");
    if (is_text)
        responses_item_write_text_part(&s->w, item, done);
    else
        responses_item_write_part(&s->w, type, is_refusal ? "refusal" : "text",
                                  !done        ? VSR_STR("")
                                  : is_refusal ? buf_str(&item->refusal)
                                               : buf_str(&item->text));
    event_end(s);
}

void responses_stream_summary_part(struct responses_stream *s, enum responses_event event,
                                   const struct responses_item *item, vsr_str text) {
    if (!s->out)
        return;
    item_event_begin(s, event, item, RESPONSES_STREAM_NO_PART);
    member_i64(&s->w, "summary_index", 0);
    member_key(&s->w, "part");
    responses_item_write_part(&s->w, "summary_text", "text", text);
    event_end(s);
}

void responses_stream_text(struct responses_stream *s, enum responses_event event, const struct responses_item *item,
                           int content_index, const char *key, vsr_str text) {
    if (!s->out)
        return;
    item_event_begin(s, event, item, content_index);
    if (event == RESPONSES_EVENT_SUMMARY_DELTA || event == RESPONSES_EVENT_SUMMARY_DONE)
        member_i64(&s->w, "summary_index", 0);
    member_str(&s->w, key, text);
    if (event == RESPONSES_EVENT_TEXT_DELTA)
        member_raw(&s->w, "logprobs", VSR_STR("[]"));
    else if (event == RESPONSES_EVENT_TEXT_DONE)
        responses_item_write_list(&s->w, "logprobs", &item->logprobs);
    event_end(s);
}

void responses_stream_annotation(struct responses_stream *s, const struct responses_item *item, vsr_str raw) {
    if (!s->out)
        return;
    item_event_begin(s, RESPONSES_EVENT_ANNOTATION_ADDED, item, 0);
    member_i64(&s->w, "annotation_index", (int64_t)item->n_list);
    member_raw(&s->w, "annotation", raw);
    event_end(s);
}

void responses_stream_image(struct responses_stream *s, const struct responses_item *item) {
    if (!s->out)
        return;
    item_event_begin(s, RESPONSES_EVENT_IMAGE_COMPLETED, item, RESPONSES_STREAM_NO_PART);
    event_end(s);
}

/* ---- the end of an item */

static void end_message(struct responses_stream *s, const struct responses_item *item) {
    if (item->has_text) {
        responses_stream_text(s, RESPONSES_EVENT_TEXT_DONE, item, 0, "text", buf_str(&item->text));
        responses_stream_part(s, RESPONSES_EVENT_PART_DONE, item, "output_text", true);
    }
    if (item->has_refusal) {
        responses_stream_text(s, RESPONSES_EVENT_REFUSAL_DONE, item, responses_stream_refusal_index(item), "refusal",
                              buf_str(&item->refusal));
        responses_stream_part(s, RESPONSES_EVENT_PART_DONE, item, "refusal", true);
    }
}

static void end_reasoning(struct responses_stream *s, const struct responses_item *item) {
    if (item->has_summary) {
        responses_stream_text(s, RESPONSES_EVENT_SUMMARY_DONE, item, RESPONSES_STREAM_NO_PART, "text",
                              buf_str(&item->summary));
        responses_stream_summary_part(s, RESPONSES_EVENT_SUMMARY_PART_DONE, item, buf_str(&item->summary));
    }
    if (item->has_text) {
        responses_stream_text(s, RESPONSES_EVENT_REASONING_DONE, item, 0, "text", buf_str(&item->text));
        responses_stream_part(s, RESPONSES_EVENT_PART_DONE, item, "reasoning_text", true);
    }
}

static void end_tool(struct responses_stream *s, const struct responses_item *item) {
    item_event_begin(s, RESPONSES_EVENT_ARGUMENTS_DONE, item, RESPONSES_STREAM_NO_PART);
    member_str(&s->w, "name", item->name);
    member_str(&s->w, "arguments", buf_str(&item->text));
    event_end(s);
}

void responses_stream_done(struct responses_stream *s, const struct responses_item *item) {
    if (!s->out)
        return;
    if (item->kind == RESPONSES_ITEM_MESSAGE)
        end_message(s, item);
    else if (item->kind == RESPONSES_ITEM_REASONING)
        end_reasoning(s, item);
    else if (item->kind == RESPONSES_ITEM_TOOL)
        end_tool(s, item);
    responses_stream_item(s, RESPONSES_EVENT_ITEM_DONE, item, true);
}
