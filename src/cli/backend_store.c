#include "cli/backend_store.h"

#include <pthread.h>

#include "cli/backend_responses.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/mem.h"

enum { RECORD_LEN_MAX = 256 << 20, LINKS_MAX = 1000, ID_LEN_MAX = 64 };

struct record {
    struct record *next; /* older */
    char id[ID_LEN_MAX];
    char previous[ID_LEN_MAX];
    bool background, cancelled;
    uint64_t begun_ms, ready_ms;
    struct buf states[BACKEND_RESPONSE_CANCELLED + 1]; /* the object; only the last but one without background */
    struct buf events;
    struct buf items; /* JSON array */
};

struct backend_store {
    pthread_mutex_t lock;
    struct record *newest;
    size_t n;
};

struct backend_store *backend_store_new(void) {
    struct backend_store *store = MEM_NEW(struct backend_store);
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

static void free_record(struct record *record) {
    for (size_t i = 0; i < VSR_COUNT(record->states); i++)
        buf_done(&record->states[i]);
    buf_done(&record->events);
    buf_done(&record->items);
    mem_free(record);
}

void backend_store_free(struct backend_store *store) {
    if (!store)
        return;
    while (store->newest) {
        struct record *record = store->newest;
        store->newest = record->next;
        free_record(record);
    }
    pthread_mutex_destroy(&store->lock);
    mem_free(store);
}

static struct record **find(struct backend_store *store, vsr_str id) {
    struct record **link = &store->newest;
    while (*link && !str_eq_c(id, (*link)->id))
        link = &(*link)->next;
    return link;
}

/* ---- keeping */

static void copy_id(char *to, vsr_str id) {
    size_t len = id.len < ID_LEN_MAX ? id.len : ID_LEN_MAX - 1;
    if (len > 0)
        memcpy(to, id.ptr, len);
    to[len] = 0;
}

static void write_events(struct arena *arena, const struct backend_answer *answer, struct buf *out) {
    struct backend_answer streamed;
    struct backend_step step;
    backend_answer_begin(arena, answer->question, &answer->options, &streamed);
    while (backend_answer_step(&streamed, &step))
        backend_responses.event(arena, &streamed, &step, out);
}

static void write_item_id(const char *id, size_t index, struct buf *out) {
    buf_printf(out, "\"id\":\"msg_%sin%zu\"", id + sizeof("resp_") - 1, index);
}

/* The input as a list of items that all have an id. */
static void write_items(const struct json_doc *doc, const char *id, struct buf *out) {
    json_ref input = json_get(doc, 0, VSR_STR("input"));
    size_t index = 0;
    buf_append_char(out, '[');
    if (json_is(doc, input, JSON_STRING)) {
        buf_append_char(out, '{');
        write_item_id(id, 0, out);
        buf_append_c(out, ",\"type\":\"message\",\"status\":\"completed\",\"role\":\"user\",\"content\":[{\"type\":"
                          "\"input_text\",\"text\":");
        buf_append(out, json_raw(doc, input));
        buf_append_c(out, "}]}");
    } else {
        for (json_ref item = json_first(doc, input); item != JSON_NONE; item = json_next(doc, input, item), index++) {
            vsr_str raw = json_raw(doc, item);
            buf_append_c(out, index ? ",{" : "{");
            if (json_get(doc, item, VSR_STR("id")) == JSON_NONE) {
                write_item_id(id, index, out);
                buf_append_char(out, ',');
            }
            if (json_get(doc, item, VSR_STR("type")) == JSON_NONE)
                buf_append_c(out, "\"type\":\"message\",");
            buf_append(out, str_sub(raw, 1, raw.len));
        }
    }
    buf_append_char(out, ']');
}

static struct record *make_record(struct arena *arena, const struct backend_answer *answer) {
    struct record *record = MEM_NEW(struct record);
    struct buf id;
    buf_init(&id, ID_LEN_MAX);
    backend_responses_id(answer->options.id, &id);
    copy_id(record->id, buf_str(&id));
    buf_done(&id);
    copy_id(record->previous, answer->question->previous_id);
    record->background = answer->question->background;
    buf_init(&record->events, RECORD_LEN_MAX);
    buf_init(&record->items, RECORD_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(record->states); i++) {
        buf_init(&record->states[i], RECORD_LEN_MAX);
        if (record->background || i == BACKEND_RESPONSE_DONE)
            backend_responses_object(arena, answer, (enum backend_response_status)i, &record->states[i]);
    }
    write_events(arena, answer, &record->events);
    write_items(&answer->question->doc, record->id, &record->items);
    return record;
}

static void drop_oldest(struct backend_store *store) {
    struct record **link = &store->newest;
    while ((*link)->next)
        link = &(*link)->next;
    free_record(*link);
    *link = NULL;
    store->n--;
}

void backend_store_put(struct backend_store *store, struct arena *arena, const struct backend_answer *answer,
                       uint64_t now_ms, uint64_t work_ms) {
    struct record *record = make_record(arena, answer);
    record->begun_ms = now_ms;
    record->ready_ms = now_ms + work_ms;
    pthread_mutex_lock(&store->lock);
    record->next = store->newest;
    store->newest = record;
    if (++store->n > BACKEND_STORE_MAX)
        drop_oldest(store);
    pthread_mutex_unlock(&store->lock);
}

/* ---- going on from it */

/* Whether a call of that id was made in the response or before it. */
static bool chain_has_call(struct backend_store *store, struct arena *arena, vsr_str id, vsr_str call_id) {
    vsr_str needle = arena_printf(arena, "\"call_id\":\"%.*s\"", VSR_FMT(call_id));
    const struct record *record = *find(store, id);
    for (int i = 0; record && i < LINKS_MAX; i++) {
        if (str_find(buf_str(&record->states[BACKEND_RESPONSE_DONE]), needle) >= 0 ||
            str_find(buf_str(&record->items), needle) >= 0)
            return true;
        record = record->previous[0] ? *find(store, str_from_c(record->previous)) : NULL;
    }
    return false;
}

bool backend_store_links(struct backend_store *store, struct arena *arena, const struct backend_answer *answer,
                         struct backend_refusal *ret_refusal) {
    const struct backend_question *question = answer->question;
    bool ok = true;
    pthread_mutex_lock(&store->lock);
    if (question->previous_id.len > 0 && !*find(store, question->previous_id)) {
        ok = backend_refuse(ret_refusal, 400, "invalid_request_error",
                            arena_printf(arena, "Previous response with id '%.*s' not found.",
                                         VSR_FMT(question->previous_id)));
        ret_refusal->code = "previous_response_not_found";
        ret_refusal->param = VSR_STR("previous_response_id");
    }
    for (size_t i = 0; ok && i < question->n_open_calls; i++) {
        if (chain_has_call(store, arena, question->previous_id, question->open_calls[i]))
            continue;
        ok = backend_refuse(ret_refusal, 400, "invalid_request_error",
                            arena_printf(arena, "No tool call found for function call output with call_id %.*s.",
                                         VSR_FMT(question->open_calls[i])));
        ret_refusal->param = VSR_STR("input");
    }
    pthread_mutex_unlock(&store->lock);
    return ok;
}

/* ---- asking */

static enum backend_response_status status_of(const struct record *record, uint64_t now_ms) {
    if (record->cancelled)
        return BACKEND_RESPONSE_CANCELLED;
    if (!record->background || now_ms >= record->ready_ms)
        return BACKEND_RESPONSE_DONE;
    return now_ms - record->begun_ms < (record->ready_ms - record->begun_ms) / 2 ? BACKEND_RESPONSE_QUEUED
                                                                                 : BACKEND_RESPONSE_IN_PROGRESS;
}

/* `name=value` in a query; empty when absent. */
static vsr_str parameter(vsr_str query, const char *name) {
    while (query.ptr) {
        vsr_str value = str_split(&query, '&'), key = str_split(&value, '=');
        if (str_eq_c(key, name))
            return value;
    }
    return VSR_STR("");
}

static struct backend_store_reply reply_object(const struct record *record, uint64_t now_ms, struct buf *out) {
    buf_append(out, buf_str(&record->states[status_of(record, now_ms)]));
    return (struct backend_store_reply){ .status = 200 };
}

static struct backend_store_reply refuse(int status, const char *text, struct buf *out) {
    buf_append_c(out, text);
    return (struct backend_store_reply){ .status = status };
}

/* The events behind `after`: each is as many lines as any other, and they are numbered from 0. */
static struct backend_store_reply reply_events(const struct record *record, const struct backend_store_query *query,
                                               struct buf *out) {
    vsr_str rest = buf_str(&record->events), after = parameter(query->query, "starting_after");
    vsr_str end = VSR_STR("\n\n");
    uint64_t skip = 0;
    if (record->background && query->now_ms < record->ready_ms)
        return (struct backend_store_reply){ .wait_ms = record->ready_ms - query->now_ms };
    if (str_to_u64(after, &skip))
        skip++;
    for (; skip > 0; skip--) {
        ptrdiff_t at = str_find(rest, end);
        if (at < 0)
            break;
        rest = str_sub(rest, (size_t)at + end.len, rest.len);
    }
    buf_append(out, rest);
    return (struct backend_store_reply){ .status = 200, .events = true };
}

static vsr_str item_id(struct arena *arena, const struct json_doc *doc, json_ref item) {
    return backend_text(arena, doc, item, "id");
}

static struct backend_store_reply reply_items(struct arena *arena, const struct record *record,
                                              const struct backend_store_query *query, struct buf *out) {
    bool ascending = str_eq_c(parameter(query->query, "order"), "asc");
    vsr_str after = parameter(query->query, "after"), first = VSR_STR(""), last = VSR_STR("");
    uint64_t limit = BACKEND_STORE_PAGE, n = 0;
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    size_t count;
    bool begun = after.len == 0, more = false;
    if (parameter(query->query, "limit").len > 0 &&
        (!str_to_u64(parameter(query->query, "limit"), &limit) || limit == 0 || limit > BACKEND_STORE_PAGE_MAX))
        return refuse(400, "limit must be from 1 to 100", out);
    if (json_parse(arena, arena_str(arena, buf_str(&record->items)), &doc, &err) < 0)
        return refuse(500, err.text, out);
    count = json_count(&doc, 0);
    buf_append_c(out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < count && !more; i++) {
        json_ref item = json_at(&doc, 0, ascending ? i : count - 1 - i);
        vsr_str id = item_id(arena, &doc, item);
        if (!begun) {
            begun = str_eq(id, after);
        } else if (n == limit) {
            more = true;
        } else {
            buf_append_c(out, n++ ? "," : "");
            buf_append(out, json_raw(&doc, item));
            first = n == 1 ? id : first;
            last = id;
        }
    }
    buf_append_c(out, "],\"first_id\":");
    json_quote(out, first);
    buf_append_c(out, ",\"last_id\":");
    json_quote(out, last);
    buf_printf(out, ",\"has_more\":%s}", more ? "true" : "false");
    return (struct backend_store_reply){ .status = 200 };
}

static struct backend_store_reply cancel(struct record *record, uint64_t now_ms, struct buf *out) {
    if (!record->background)
        return refuse(400, "Cannot cancel a synchronous response.", out);
    record->cancelled = record->cancelled || now_ms < record->ready_ms;
    return reply_object(record, now_ms, out);
}

static struct backend_store_reply drop(struct backend_store *store, struct record **link, struct buf *out) {
    struct record *record = *link;
    *link = record->next;
    store->n--;
    buf_printf(out, "{\"id\":\"%s\",\"object\":\"response\",\"deleted\":true}", record->id);
    free_record(record);
    return (struct backend_store_reply){ .status = 200 };
}

static struct backend_store_reply ask(struct backend_store *store, struct arena *arena,
                                      const struct backend_store_query *query, struct buf *out) {
    struct record **link = find(store, query->id);
    bool get = str_eq_c(query->method, "GET");
    if (!*link) {
        buf_printf(out, "Response with id '%.*s' not found.", VSR_FMT(query->id));
        return (struct backend_store_reply){ .status = 404 };
    }
    if (get && str_eq_c(query->action, "input_items"))
        return reply_items(arena, *link, query, out);
    if (get && query->action.len == 0)
        return str_eq_c(parameter(query->query, "stream"), "true") ? reply_events(*link, query, out)
                                                                   : reply_object(*link, query->now_ms, out);
    if (str_eq_c(query->method, "DELETE") && query->action.len == 0)
        return drop(store, link, out);
    if (str_eq_c(query->method, "POST") && str_eq_c(query->action, "cancel"))
        return cancel(*link, query->now_ms, out);
    return refuse(405, "this cannot be done to a response", out);
}

struct backend_store_reply backend_store_ask(struct backend_store *store, struct arena *arena,
                                             const struct backend_store_query *query, struct buf *out) {
    struct backend_store_reply reply;
    pthread_mutex_lock(&store->lock);
    reply = ask(store, arena, query, out);
    pthread_mutex_unlock(&store->lock);
    return reply;
}
