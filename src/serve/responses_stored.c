/*
 * responses_stored - what clients ask about responses that are there: one of them, its input, its end.
 */
#include "core/arena.h"
#include "core/json_edit.h"
#include "core/json_write.h"
#include "serve/request.h"
#include "serve/responses.h"
#include "serve/responses_service.h"
#include "serve/worker.h"
#include "store/response_store.h"
#include "wire/responses_id.h"

static enum stage_result reply_json(struct request *request, vsr_str body) {
    request->reply = (struct reply){ .status = 200, .body = body, .content_type = VSR_STR("application/json") };
    return STAGE_REPLY;
}

/* Value of a query parameter, undecoded: ids and numbers need no escapes. Empty when it is absent. */
static vsr_str query_value(const struct request *request, vsr_str name) {
    ptrdiff_t mark = str_find_char(request->origin_target, '?');
    vsr_str rest;
    if (mark < 0)
        return (vsr_str){ NULL, 0 };
    for (rest = str_sub(request->origin_target, (size_t)mark + 1, request->origin_target.len); rest.ptr;) {
        vsr_str part = str_split(&rest, '&');
        ptrdiff_t equals = str_find_char(part, '=');
        if (equals > 0 && str_eq(str_sub(part, 0, (size_t)equals), name))
            return str_sub(part, (size_t)equals + 1, part.len);
    }
    return (vsr_str){ NULL, 0 };
}

static enum stage_result refuse_query(struct request *request, const char *param, const char *text) {
    request_error(request, 400, TELEMETRY_REASON_parse_error, NULL, str_from_c(text));
    request->reply.param = str_from_c(param);
    return STAGE_FAIL;
}

/* ---- input items */

struct page {
    vsr_str *items; /* raw JSON, in the order in which they were sent */
    vsr_str *ids;
    size_t n;
};

static vsr_str id_of(struct arena *arena, const struct json_doc *doc, json_ref item) {
    vsr_str id;
    json_ref ref = json_get(doc, item, VSR_STR("id"));
    return json_is(doc, ref, JSON_STRING) && json_str(arena, doc, ref, &id) ? id : VSR_STR("");
}

/* The instructions as the item that stands before the input; its id follows from the response's. */
static vsr_str instruction_item(struct arena *arena, vsr_str id, vsr_str text_json) {
    return arena_printf(
        arena,
        "{\"id\":\"%.*s\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"system\",\"content\":[{"
        "\"type\":\"input_text\",\"text\":%.*s}]}",
        VSR_FMT(id), VSR_FMT(text_json));
}

static void push(struct page *page, vsr_str id, vsr_str item) {
    page->ids[page->n] = id;
    page->items[page->n++] = item;
}

static bool read_items(struct request *request, struct page *page) {
    const struct response_record *record = request->responses->record;
    struct arena *arena = request->arena;
    struct json_doc object, input;
    json_ref instructions;
    size_t n = 1;
    if (json_parse(arena, record->object_json, &object, NULL) < 0)
        return false;
    if (record->input_json.len && json_parse(arena, record->input_json, &input, NULL) < 0)
        return false;
    if (record->input_json.len)
        n += json_count(&input, 0);
    page->items = ARENA_ARRAY(arena, vsr_str, n);
    page->ids = ARENA_ARRAY(arena, vsr_str, n);
    instructions = json_get(&object, 0, VSR_STR("instructions"));
    if (json_is(&object, instructions, JSON_STRING)) {
        vsr_str id = responses_id_of_item(arena, "msg_", record->id, false, SIZE_MAX);
        push(page, id, instruction_item(arena, id, json_raw(&object, instructions)));
    }
    if (record->input_json.len)
        for (json_ref item = json_first(&input, 0); item != JSON_NONE; item = json_next(&input, 0, item))
            push(page, id_of(arena, &input, item), json_raw(&input, item));
    return true;
}

static void reverse(vsr_str *list, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        vsr_str other = list[n - 1 - i];
        list[n - 1 - i] = list[i];
        list[i] = other;
    }
}

/* Place of an id; n: it is not there. */
static size_t place_of(const struct page *page, vsr_str id) {
    size_t i = 0;
    while (i < page->n && !str_eq(page->ids[i], id))
        i++;
    return i;
}

static vsr_str write_page(struct request *request, const struct page *page, size_t begin, size_t end, bool more) {
    struct json_writer w;
    struct buf out;
    vsr_str text;
    buf_init(&out, STORE_RECORD_BYTES_MAX);
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("object"));
    json_write_str(&w, VSR_STR("list"));
    json_write_key(&w, VSR_STR("data"));
    json_write_begin_array(&w);
    for (size_t i = begin; i < end; i++)
        json_write_raw(&w, page->items[i]);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("first_id"));
    if (begin < end)
        json_write_str(&w, page->ids[begin]);
    else
        json_write_null(&w);
    json_write_key(&w, VSR_STR("last_id"));
    if (begin < end)
        json_write_str(&w, page->ids[end - 1]);
    else
        json_write_null(&w);
    json_write_key(&w, VSR_STR("has_more"));
    json_write_bool(&w, more);
    json_write_end(&w);
    text = arena_str(request->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static enum stage_result list_items(struct request *request) {
    vsr_str limit_text = query_value(request, VSR_STR("limit")), order = query_value(request, VSR_STR("order"));
    vsr_str after = query_value(request, VSR_STR("after")), before = query_value(request, VSR_STR("before"));
    struct page page = { 0 };
    uint64_t limit = RESPONSES_ITEMS_PAGE;
    size_t begin = 0, end;
    if (limit_text.len && (!str_to_u64(limit_text, &limit) || limit < 1 || limit > RESPONSES_ITEMS_PAGE_MAX))
        return refuse_query(request, "limit", "limit must be a whole number from 1 to 100");
    if (order.len && !str_eq(order, VSR_STR("asc")) && !str_eq(order, VSR_STR("desc")))
        return refuse_query(request, "order", "order must be asc or desc");
    if (!read_items(request, &page)) {
        request_error(request, 500, TELEMETRY_REASON_parse_error, NULL, VSR_STR("the stored response cannot be read"));
        return STAGE_FAIL;
    }
    if (!str_eq(order, VSR_STR("asc"))) {
        reverse(page.items, page.n);
        reverse(page.ids, page.n);
    }
    end = page.n;
    if (after.len) {
        begin = place_of(&page, after) + 1;
        if (begin > page.n)
            return refuse_query(request, "after", "no input item of this response has that id");
    }
    if (before.len) {
        end = place_of(&page, before);
        if (end == page.n)
            return refuse_query(request, "before", "no input item of this response has that id");
    }
    if (end < begin)
        end = begin;
    if (before.len && !after.len && end - begin > limit)
        return reply_json(request, write_page(request, &page, end - limit, end, true));
    if (end - begin > limit)
        return reply_json(request, write_page(request, &page, begin, begin + limit, true));
    return reply_json(request, write_page(request, &page, begin, end, false));
}

/* ---- one response */

static void on_deleted(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    request->responses->op = NULL;
    request->responses->rc = reply->rc;
    request->responses->state = RESPONSES_READY;
    if (reply->rc == 0)
        (void)responses_service_stop(request->worker->responses_service, request->responses->record->id);
    pipeline_resume(request);
}

static void on_cancelled(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    request->responses->op = NULL;
    request->responses->rc = reply->rc;
    request->responses->state = RESPONSES_LOADED;
    pipeline_resume(request);
}

static enum stage_result delete_one(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    vsr_str id = exchange->record->id;
    if (exchange->state == RESPONSES_NEW) {
        exchange->state = RESPONSES_LOADING;
        exchange->op = response_store_delete(request->worker->store, id, on_deleted, request);
    }
    if (exchange->state != RESPONSES_READY)
        return STAGE_WAIT;
    if (exchange->rc == VSR_E_NOT_FOUND) /* somebody else was faster */
        return responses_not_found(request, id);
    if (exchange->rc < 0)
        return responses_store_failed(request, exchange->rc);
    return reply_json(request,
                      arena_printf(request->arena, "{\"id\":\"%.*s\",\"object\":\"response.deleted\",\"deleted\":true}",
                                   VSR_FMT(id)));
}

/* The object with that status; the rest of it as it was. */
static vsr_str with_status(struct arena *arena, vsr_str object, const char *status) {
    const struct json_step path[] = { JSON_KEY("status") };
    vsr_str raw = arena_printf(arena, "\"%s\"", status), text = object;
    struct json_edit *edit;
    struct json_doc doc;
    struct buf out;
    if (json_parse(arena, object, &doc, NULL) < 0)
        return object;
    edit = json_edit_new(arena, &doc);
    buf_init(&out, STORE_RECORD_BYTES_MAX);
    if (json_edit_set(edit, path, VSR_COUNT(path), raw, NULL) == 0 && json_edit_apply(edit, &out) == 0)
        text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* Of what is under way the status alone is kept up to date. */
static vsr_str object_of(const struct request *request) {
    const struct response_record *record = request->responses->record;
    if (store_status_is_final(record->status))
        return record->object_json;
    return with_status(request->arena, record->object_json, arena_c_str(request->arena, record->status));
}

static bool is_background(struct arena *arena, vsr_str object) {
    struct json_doc doc;
    bool background = false;
    return json_parse(arena, object, &doc, NULL) == 0 &&
           json_bool(&doc, json_get(&doc, 0, VSR_STR("background")), &background) && background;
}

/*
 * The record says cancelled first; then whoever runs the response is told. An end that came in between stays, and is
 * what the client gets: so the record is read once more. That holds of another cancel, too: whoever ran the response
 * may have added by then what there was, and only they may (response_store_update()).
 */
static enum stage_result cancel_one(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    struct response_record record = *exchange->record;
    if (exchange->state == RESPONSES_READY || store_status_is_final(record.status))
        return reply_json(request, record.object_json);
    if (exchange->state == RESPONSES_LOADED) { /* cancelled: as it is now */
        if (exchange->rc == VSR_E_NOT_FOUND)   /* deleted in between */
            return responses_not_found(request, record.id);
        if (exchange->rc < 0)
            return responses_store_failed(request, exchange->rc);
        (void)responses_service_stop(request->worker->responses_service, record.id);
        exchange->state = RESPONSES_READY;
        exchange->answered = false;
        exchange->asked = false;
        return responses_stored(request);
    }
    if (!is_background(request->arena, record.object_json)) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("Only background responses can be cancelled."));
        return STAGE_FAIL;
    }
    if (exchange->state == RESPONSES_NEW) {
        exchange->state = RESPONSES_LOADING;
        record.status = VSR_STR("cancelled");
        record.expires_s = 0; /* anew, as that of any end */
        record.object_json = with_status(request->arena, record.object_json, "cancelled");
        exchange->op = response_store_put(request->worker->store, &record, on_cancelled, request);
    }
    return STAGE_WAIT;
}

/* ---- streams */

static enum stage_result follow(struct request *request) {
    vsr_str text = query_value(request, VSR_STR("starting_after"));
    uint64_t after = 0;
    if (request->front.ops->in_one_piece && !store_status_is_final(request->responses->record->status))
        return refuse_query(request, "stream",
                            "stream=true of a response that is not finished is not available behind Envoy: poll it");
    if (text.len && (!str_to_u64(text, &after) || after > INT32_MAX))
        return refuse_query(request, "starting_after", "starting_after must be the sequence_number of an event");
    return responses_follow(request, request->responses->record->id, text.len ? (int64_t)after : -1);
}

enum stage_result responses_stored(struct request *request) {
    enum stage_result result = responses_load_record(request);
    if (result != STAGE_NEXT)
        return result;
    switch (request->endpoint) {
    case ENDPOINT_RESPONSE_ITEMS:
        return list_items(request);
    case ENDPOINT_RESPONSE_CANCEL:
        return cancel_one(request);
    default:
        break;
    }
    if (str_eq(request->head->method, VSR_STR("DELETE")))
        return delete_one(request);
    if (str_eq(query_value(request, VSR_STR("stream")), VSR_STR("true")))
        return follow(request);
    return reply_json(request, object_of(request));
}
