#include "wire/responses_item.h"

#include "core/mem.h"
#include "wire/member_write.h"

struct responses_item *responses_item_new(enum responses_item_kind kind, size_t place, vsr_str id,
                                          size_t text_len_max) {
    struct responses_item *item = MEM_NEW(struct responses_item);
    item->kind = kind;
    item->open = true;
    item->place = place;
    item->id = id;
    buf_init(&item->text, text_len_max);
    buf_init(&item->refusal, text_len_max);
    buf_init(&item->summary, text_len_max);
    buf_init(&item->list, RESPONSES_ITEM_EXTRA_LEN_MAX);
    buf_init(&item->logprobs, RESPONSES_ITEM_EXTRA_LEN_MAX);
    buf_init(&item->sealed, RESPONSES_ITEM_EXTRA_LEN_MAX);
    return item;
}

void responses_item_free(struct responses_item *item) {
    buf_done(&item->text);
    buf_done(&item->refusal);
    buf_done(&item->summary);
    buf_done(&item->list);
    buf_done(&item->logprobs);
    buf_done(&item->sealed);
    mem_free(item);
}

void responses_item_write_list(struct json_writer *w, const char *name, const struct buf *elements) {
    member_raw(w, name, VSR_STR("["));
    buf_append(w->out, buf_str(elements));
    buf_append_char(w->out, ']');
}

void responses_item_write_text_part(struct json_writer *w, const struct responses_item *item, bool done) {
    json_write_begin_object(w);
    member_str(w, "type", VSR_STR("output_text"));
    member_str(w, "text", done ? buf_str(&item->text) : VSR_STR(""));
    if (done) {
        responses_item_write_list(w, "annotations", &item->list);
        responses_item_write_list(w, "logprobs", &item->logprobs);
    } else {
        member_raw(w, "annotations", VSR_STR("[]"));
        member_raw(w, "logprobs", VSR_STR("[]"));
    }
    json_write_end(w);
}

void responses_item_write_part(struct json_writer *w, const char *type, const char *key, vsr_str text) {
    json_write_begin_object(w);
    member_str(w, "type", str_from_c(type));
    member_str(w, key, text);
    json_write_end(w);
}

static void write_message(struct json_writer *w, const struct responses_item *item, bool done) {
    member_str(w, "role", VSR_STR("assistant"));
    member_key(w, "content");
    json_write_begin_array(w);
    if (done && (item->has_text || !item->has_refusal))
        responses_item_write_text_part(w, item, true);
    if (done && item->has_refusal)
        responses_item_write_part(w, "refusal", "refusal", buf_str(&item->refusal));
    json_write_end(w);
}

static void write_reasoning(struct json_writer *w, const struct responses_item *item, bool done) {
    member_key(w, "summary");
    json_write_begin_array(w);
    if (done && item->has_summary)
        responses_item_write_part(w, "summary_text", "text", buf_str(&item->summary));
    json_write_end(w);
    member_key(w, "content");
    json_write_begin_array(w);
    if (done && item->has_text)
        responses_item_write_part(w, "reasoning_text", "text", buf_str(&item->text));
    json_write_end(w);
    if (done && item->sealed.len)
        member_str(w, "encrypted_content", buf_str(&item->sealed));
}

static const char *const item_types[] = {
    [RESPONSES_ITEM_REASONING] = "reasoning",
    [RESPONSES_ITEM_MESSAGE] = "message",
    [RESPONSES_ITEM_TOOL] = "function_call",
    [RESPONSES_ITEM_IMAGE] = "image_generation_call",
};

void responses_item_write(struct json_writer *w, const struct responses_item *item, bool done) {
    if (item->kind == RESPONSES_ITEM_FOREIGN) {
        json_write_raw(w, buf_str(&item->text));
        return;
    }
    json_write_begin_object(w);
    member_str(w, "id", item->id);
    member_str(w, "type", str_from_c(item_types[item->kind]));
    member_str(w, "status", !done ? VSR_STR("in_progress") : item->cut ? VSR_STR("incomplete") : VSR_STR("completed"));
    switch (item->kind) {
    case RESPONSES_ITEM_MESSAGE:
        write_message(w, item, done);
        break;
    case RESPONSES_ITEM_REASONING:
        write_reasoning(w, item, done);
        break;
    case RESPONSES_ITEM_TOOL:
        member_str(w, "call_id", item->call_id);
        member_str(w, "name", item->name);
        member_str(w, "arguments", done ? buf_str(&item->text) : VSR_STR(""));
        break;
    case RESPONSES_ITEM_IMAGE:
        member_key(w, "result");
        if (done)
            json_write_str(w, buf_str(&item->text));
        else
            json_write_null(w);
        break;
    case RESPONSES_ITEM_FOREIGN:
        break;
    }
    json_write_end(w);
}
