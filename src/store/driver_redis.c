/*
 * The place `redis`: a server that several replicas may share.
 *
 *     <prefix>response:<id>         STRING  the record as JSON, `final` and `status` first, with the time it has left
 *     <prefix>deleted:<id>          STRING  empty: it was there
 *     <prefix>unfinished:<instance> SET     ids of records that this instance has under way
 *     <prefix>events:<id>           STREAM  one entry an event; its id is the event's number and one, so that adding
 *                                           it once more is refused
 *
 * The thread of the store turns a loop of its own while it waits for answers; a batch goes out at once. Every command
 * may be repeated. What a server has acknowledged is as safe as its own settings make it (appendfsync).
 */
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "net/loop.h"
#include "net/tls.h"
#include "store/record_copy.h"
#include "store/redis_client.h"
#include "store/response_store.h"
#include "store/store_driver.h"
#include "store/store_op.h"

enum {
    WAIT_MS = 50,            /* one turn of the loop */
    HEAD_LEN_MAX = 64 << 10, /* of a record's members before its object */
    VALUE_LEN_MAX = STORE_RECORD_BYTES_MAX + HEAD_LEN_MAX,
};

#define LEFT_MS_MAX ((int64_t)1 << 50) /* as good as for ever */

/*
 * A final record stays: what is there begins with that. An update may replace one that begins with the same status.
 * KEYS: record, unfinished, deleted. ARGV: value, milliseconds, id, final, update. 0: it stays; -2: it was deleted.
 */
static const char put_script[] =
    "if redis.call('EXISTS', KEYS[3]) == 1 then\n"
    "  redis.call('SREM', KEYS[2], ARGV[3])\n"
    "  return -2\n"
    "end\n"
    "local head = redis.call('GETRANGE', KEYS[1], 0, 12)\n"
    "local same = ARGV[5] == '1' and string.match(ARGV[1], '^{\"final\":true,\"status\":\"[a-z_]*\"')\n"
    "local again = same and redis.call('GETRANGE', KEYS[1], 0, #same - 1) == same\n"
    "if head == '{\"final\":true' and not again then\n"
    "  redis.call('SREM', KEYS[2], ARGV[3])\n"
    "  return 0\n"
    "end\n"
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
    "if ARGV[4] == '1' then redis.call('SREM', KEYS[2], ARGV[3]) else redis.call('SADD', KEYS[2], ARGV[3]) end\n"
    "return 1\n";

/*
 * The status of what is under way has room for the longer of the two words, so that one takes the place of the other.
 * What its own text says of its time does not apply to it: only its key's does. KEYS: record, unfinished, deleted.
 * ARGV: id, milliseconds. -2: it was deleted; -1: it is not there; 0: it is final.
 */
static const char progress_script[] = "local head = redis.call('GETRANGE', KEYS[1], 0, 36)\n"
                                      "if string.sub(head, 1, 14) == '{\"final\":false' then\n"
                                      "  if string.sub(head, 15) == ',\"status\":\"queued\"     ' then\n"
                                      "    redis.call('SETRANGE', KEYS[1], 25, 'in_progress\"')\n"
                                      "  end\n"
                                      "  if redis.call('PTTL', KEYS[1]) < ARGV[2] / 2 then\n"
                                      "    redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
                                      "  end\n"
                                      "  return 1\n"
                                      "end\n"
                                      "redis.call('SREM', KEYS[2], ARGV[1])\n"
                                      "if head ~= '' then return 0 end\n"
                                      "return redis.call('EXISTS', KEYS[3]) == 1 and -2 or -1\n";

/* KEYS: record, unfinished, deleted, the stream, its length. ARGV: id, milliseconds, whether it is marked also where
 * nothing was. */
static const char delete_script[] = "local n = redis.call('DEL', KEYS[1])\n"
                                    "redis.call('DEL', KEYS[4], KEYS[5])\n"
                                    "redis.call('SREM', KEYS[2], ARGV[1])\n"
                                    "if n == 1 or ARGV[3] == '1' then\n"
                                    "  redis.call('SET', KEYS[3], '', 'PX', ARGV[2])\n"
                                    "end\n"
                                    "return n\n";

/*
 * KEYS: the stream, its length, deleted. ARGV: seconds of one that goes on, seconds of one that has ended, most
 * entries, most bytes, whether a gap is allowed, then number, type, json and last of each event. The bytes are counted
 * in the first entry's stead: beside the stream. Below 0: a gap would follow the number that is -2 less that.
 */
static const char append_script[] =
    "if redis.call('EXISTS', KEYS[3]) == 1 then return -1 end\n"
    "local last = -1\n"
    "local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)\n"
    "if tail[1] then last = tonumber(string.match(tail[1][1], '^(%d+)-')) - 1 end\n"
    "local len = tonumber(redis.call('GET', KEYS[2]) or '0')\n"
    "local ttl = ARGV[1]\n"
    "local added = false\n"
    "local first = 6\n"
    "while first < #ARGV and tonumber(ARGV[first]) <= last do first = first + 4 end\n"
    "if first < #ARGV and tonumber(ARGV[first]) ~= last + 1 then\n"
    "  if ARGV[5] ~= '1' then return -last - 2 end\n"
    "  redis.call('DEL', KEYS[1], KEYS[2])\n"
    "  last = -1\n"
    "  len = 0\n"
    "end\n"
    "for i = first, #ARGV, 4 do\n"
    "  if tonumber(ARGV[i]) > last then\n"
    "    redis.call('XADD', KEYS[1], string.format('%.0f-0', ARGV[i] + 1), 't', ARGV[i+1], 'j', ARGV[i+2], 'l', "
    "ARGV[i+3])\n"
    "    len = len + #ARGV[i+1] + #ARGV[i+2]\n"
    "    if ARGV[i+3] == '1' then ttl = ARGV[2] else ttl = ARGV[1] end\n"
    "    added = true\n"
    "  end\n"
    "end\n"
    "if not added then return 0 end\n"
    "local n = redis.call('XLEN', KEYS[1])\n"
    "while n > 1 and (n > tonumber(ARGV[3]) or len > tonumber(ARGV[4])) do\n"
    "  local old = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', math.floor(n / 8) + 1)\n"
    "  for _, e in ipairs(old) do\n"
    "    len = len - #e[2][2] - #e[2][4]\n"
    "    redis.call('XDEL', KEYS[1], e[1])\n"
    "  end\n"
    "  n = redis.call('XLEN', KEYS[1])\n"
    "end\n"
    "redis.call('SET', KEYS[2], string.format('%.0f', len), 'EX', ttl)\n"
    "redis.call('EXPIRE', KEYS[1], ttl)\n"
    "return 1\n";

struct redis_place {
    const struct response_store_options *options;
    struct loop *loop;
    struct tls_client *tls;
    struct redis_client *client;
    struct vsr_err err; /* the first failure of the batch; code 0: none */
    size_t n_waiting;
};

/* ---- commands */

/* One command, and where its answer goes. */
struct asked {
    struct redis_place *place;
    void (*take)(struct asked *asked, const struct redis_value *value);
    struct store_op *op;
    struct arena *arena;
    size_t step;
    void *result;
};

static void fail_place(struct redis_place *place, int code, const char *text) {
    if (place->err.code == 0)
        (void)err_set(&place->err, code, "%s", text);
}

/* An error that the server sent is one of the place: LOADING, OOM, READONLY, WRONGTYPE. */
static void fail_value(struct redis_place *place, const struct redis_value *value) {
    char text[VSR_ERR_TEXT_LEN];
    bool cluster = value->type == REDIS_ERROR &&
                   (str_starts(value->text, VSR_STR("MOVED ")) || str_starts(value->text, VSR_STR("ASK ")) ||
                    str_starts(value->text, VSR_STR("CLUSTERDOWN")));
    (void)snprintf(text, sizeof(text), "Redis at %.*s: %.*s%s", VSR_FMT(place->options->redis.address),
                   value->type == REDIS_ERROR ? (int)value->text.len : 0, value->text.ptr,
                   cluster                      ? " (a cluster is not supported: name a server that is not part of one)"
                   : value->type == REDIS_ERROR ? ""
                                                : "the answer is none to what was asked");
    fail_place(place, VSR_E_UNAVAILABLE, text);
}

static void on_value(void *owner, const struct redis_value *value, const struct vsr_err *err) {
    struct asked *asked = owner;
    struct redis_place *place = asked->place;
    place->n_waiting--;
    if (err)
        fail_place(place, err->code, err->text);
    else if (value->type == REDIS_ERROR)
        fail_value(place, value);
    else
        asked->take(asked, value);
}

static void ask(struct asked *asked, const vsr_str *argv, size_t n) {
    const struct redis_command command = { .argv = argv, .n = n, .repeatable = true };
    asked->place->n_waiting++;
    (void)redis_send(asked->place->client, &command, on_value, asked);
}

/* The loop has stood still since the last batch: it learns what time it is, and whether the connection is still there.
 */
static void begin(struct redis_place *place) {
    place->err = VSR_ERR_NONE;
    loop_run_once(place->loop, 0);
}

/* Every answer has come, or the time of what was asked is over: the client sees to that. */
static int wait(struct redis_place *place, struct vsr_err *err) {
    while (place->n_waiting)
        loop_run_once(place->loop, WAIT_MS);
    return place->err.code ? err_set(err, place->err.code, "%s", place->err.text) : 0;
}

static vsr_str key(const struct redis_place *place, struct arena *arena, const char *kind, vsr_str name) {
    return arena_printf(arena, "%.*s%s:%.*s", VSR_FMT(place->options->redis.key_prefix), kind, VSR_FMT(name));
}

static vsr_str number(struct arena *arena, int64_t value) {
    return arena_printf(arena, "%lld", (long long)value);
}

/* ---- a record as JSON */

static void write_member(struct json_writer *w, const char *name, vsr_str text) {
    json_write_key(w, str_from_c(name));
    json_write_str(w, text);
}

static void write_integer(struct json_writer *w, const char *name, int64_t value) {
    json_write_key(w, str_from_c(name));
    json_write_i64(w, value);
}

/*
 * `final` and `status` come first: scripts look for them there. The lengths say where `object` and `input` end, so that
 * nobody who reads the record has to read them.
 */
static void write_record(struct buf *out, const struct response_record *record, int64_t expires_s) {
    struct json_writer w;
    json_write_init(&w, out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("final"));
    json_write_bool(&w, store_status_is_final(record->status));
    json_write_key(&w, VSR_STR("status"));
    if (str_eq_c(record->status, "queued"))
        json_write_raw(&w, VSR_STR("\"queued\"     "));
    else
        json_write_str(&w, record->status);
    write_member(&w, "id", record->id);
    write_member(&w, "previous_response_id", record->previous_id);
    write_member(&w, "conversation_id", record->conversation_id);
    write_member(&w, "owner", record->owner);
    write_integer(&w, "created_at", record->created_s);
    write_integer(&w, "expires_at", expires_s);
    write_integer(&w, "input_tokens", record->input_tokens);
    write_integer(&w, "output_tokens", record->output_tokens);
    write_integer(&w, "object_len", (int64_t)record->object_json.len);
    write_integer(&w, "input_len", (int64_t)record->input_json.len);
    json_write_key(&w, VSR_STR("object"));
    json_write_raw(&w, record->object_json);
    if (record->input_json.len) {
        json_write_key(&w, VSR_STR("input"));
        json_write_raw(&w, record->input_json);
    }
    json_write_end(&w);
}

static bool member_str(struct arena *arena, const struct json_doc *doc, const char *name, vsr_str *ret) {
    return json_str(arena, doc, json_get(doc, 0, str_from_c(name)), ret);
}

static bool member_i64(const struct json_doc *doc, const char *name, int64_t *ret) {
    json_ref ref = json_get(doc, 0, str_from_c(name));
    return ref != JSON_NONE && json_i64(doc, ref, ret);
}

static bool take_text(vsr_str *rest, vsr_str text) {
    if (!str_starts(*rest, text))
        return false;
    *rest = str_sub(*rest, text.len, rest->len);
    return true;
}

static bool take_bytes(vsr_str *rest, int64_t len, vsr_str *ret) {
    if (len < 0 || (uint64_t)len > rest->len)
        return false;
    *ret = str_sub(*rest, 0, (size_t)len);
    *rest = str_sub(*rest, (size_t)len, rest->len);
    return true;
}

/* What lies behind the members that say how long it is. */
static bool read_texts(const struct json_doc *doc, vsr_str rest, struct response_record *ret) {
    int64_t object_len, input_len;
    if (!member_i64(doc, "object_len", &object_len) || !member_i64(doc, "input_len", &input_len) ||
        !take_bytes(&rest, object_len, &ret->object_json))
        return false;
    if (input_len != 0 &&
        (!take_text(&rest, VSR_STR(",\"input\":")) || !take_bytes(&rest, input_len, &ret->input_json)))
        return false;
    return str_eq(rest, VSR_STR("}"));
}

/* False: it is not what write_record() writes. Neither `object` nor `input` is parsed: they may be large, and as deep
 * as texts may be that are not part of another one. */
static bool read_record(struct arena *arena, vsr_str text, struct response_record *ret) {
    const vsr_str object = VSR_STR(",\"object\":"); /* never inside a text: its quotes would have backslashes */
    ptrdiff_t end = str_find(str_sub(text, 0, HEAD_LEN_MAX), object);
    struct json_doc doc;
    if (end < 0 ||
        json_parse(arena, arena_printf(arena, "%.*s}", VSR_FMT(str_sub(text, 0, (size_t)end))), &doc, NULL) < 0)
        return false;
    *ret = (struct response_record){ 0 };
    return member_str(arena, &doc, "id", &ret->id) &&
           member_str(arena, &doc, "previous_response_id", &ret->previous_id) &&
           member_str(arena, &doc, "conversation_id", &ret->conversation_id) &&
           member_str(arena, &doc, "owner", &ret->owner) && member_str(arena, &doc, "status", &ret->status) &&
           member_i64(&doc, "created_at", &ret->created_s) && member_i64(&doc, "expires_at", &ret->expires_s) &&
           member_i64(&doc, "input_tokens", &ret->input_tokens) &&
           member_i64(&doc, "output_tokens", &ret->output_tokens) &&
           read_texts(&doc, str_sub(text, (size_t)end + object.len, text.len), ret);
}

/* ---- put */

static void take_put(struct asked *asked, const struct redis_value *value) {
    if (value->type != REDIS_INTEGER) {
        fail_value(asked->place, value);
        return;
    }
    if (!asked->op)
        return;
    if (value->integer == 1)
        store_op_settle(asked->op);
    else if (value->integer == 0)
        store_op_settle_kept(asked->op);
    else
        store_op_fail_absent(asked->op, value->integer == -2);
}

static void send_put(struct asked *asked, const struct response_record *record, bool update, int64_t now_s) {
    const struct redis_place *place = asked->place;
    int64_t expires_s = record->expires_s ? record->expires_s : now_s + place->options->ttl_s;
    int64_t left_ms = expires_s < INT64_MAX / 1000 ? expires_s * 1000 - (int64_t)clock_wall_ms() : LEFT_MS_MAX;
    bool listed = !store_status_is_final(record->status) && place->options->instance.len;
    struct buf value;
    buf_init(&value, VALUE_LEN_MAX);
    write_record(&value, record, expires_s);
    if (buf_failed(&value)) {
        if (asked->op)
            store_op_fail(asked->op, buf_failed(&value), "the response is too large");
    } else {
        const vsr_str argv[] = {
            VSR_STR("EVAL"),
            str_from_c(put_script),
            VSR_STR("3"),
            key(place, asked->arena, "response", record->id),
            key(place, asked->arena, "unfinished", place->options->instance),
            key(place, asked->arena, "deleted", record->id),
            buf_str(&value),
            number(asked->arena, left_ms > 0 ? left_ms : 1),
            record->id,
            listed ? VSR_STR("0") : VSR_STR("1"),
            update ? VSR_STR("1") : VSR_STR("0"),
        };
        ask(asked, argv, VSR_COUNT(argv));
    }
    buf_done(&value);
}

static void send_progress(struct asked *asked) {
    const struct redis_place *place = asked->place;
    vsr_str id = asked->op->record.id;
    int64_t ttl_s = place->options->ttl_s;
    const vsr_str argv[] = { VSR_STR("EVAL"),
                             str_from_c(progress_script),
                             VSR_STR("3"),
                             key(place, asked->arena, "response", id),
                             key(place, asked->arena, "unfinished", place->options->instance),
                             key(place, asked->arena, "deleted", id),
                             id,
                             number(asked->arena, ttl_s < LEFT_MS_MAX / 1000 ? ttl_s * 1000 : LEFT_MS_MAX) };
    asked->take = take_put;
    ask(asked, argv, VSR_COUNT(argv));
}

/* ---- get, chain */

static void send_get(struct asked *asked, vsr_str id);

static void finish_chain(struct store_op *op) {
    store_op_reverse(op);
    if (op->n_records)
        store_op_settle(op);
    else
        store_op_fail(op, VSR_E_NOT_FOUND, "no such response");
}

/* One hop of a chain; the next one is asked for from here. */
static void take_record(struct asked *asked, const struct redis_value *value) {
    struct store_op *op = asked->op;
    struct arena *arena = arena_new(0, 0);
    struct response_record record;
    size_t *len = &asked->step;
    if (value->type == REDIS_NIL) {
        finish_chain(op);
    } else if (value->type != REDIS_STRING || !read_record(arena, value->text, &record)) {
        store_op_fail(op, VSR_E_PROTOCOL, "what Redis holds for the response is not ours");
    } else if (store_status_is_final(record.status) && record.expires_s <= (int64_t)(clock_wall_ms() / 1000)) {
        finish_chain(op);
    } else if (op->n_records && *len + record_len(&record) > STORE_CHAIN_BYTES_MAX) {
        finish_chain(op);
    } else if (store_op_add_record(op, &record) < 0) {
        store_op_fail(op, VSR_E_NOMEM, "no memory for responses");
    } else {
        vsr_str previous_id = op->records[op->n_records - 1].previous_id;
        *len += record_len(&record);
        if (op->kind == STORE_OP_CHAIN && op->n_records < op->hops_max && previous_id.len &&
            !store_op_has(op, previous_id))
            send_get(asked, previous_id);
        else
            finish_chain(op);
    }
    arena_free(arena);
}

static void send_get(struct asked *asked, vsr_str id) {
    const vsr_str argv[] = { VSR_STR("GET"), key(asked->place, asked->arena, "response", id) };
    asked->take = take_record;
    ask(asked, argv, VSR_COUNT(argv));
}

/* ---- delete */

static void take_delete(struct asked *asked, const struct redis_value *value) {
    if (value->type != REDIS_INTEGER)
        fail_value(asked->place, value);
    else if (value->integer)
        store_op_settle(asked->op);
    else
        store_op_fail_absent(asked->op, false);
}

static void send_delete(struct asked *asked) {
    const struct redis_place *place = asked->place;
    vsr_str id = asked->op->record.id;
    const vsr_str argv[] = { VSR_STR("EVAL"),
                             str_from_c(delete_script),
                             VSR_STR("5"),
                             key(place, asked->arena, "response", id),
                             key(place, asked->arena, "unfinished", place->options->instance),
                             key(place, asked->arena, "deleted", id),
                             key(place, asked->arena, "events", id),
                             key(place, asked->arena, "events_len", id),
                             id,
                             number(asked->arena, (int64_t)STORE_DELETED_S * 1000),
                             asked->op->held ? VSR_STR("1") : VSR_STR("0") };
    asked->take = take_delete;
    ask(asked, argv, VSR_COUNT(argv));
}

/* ---- events */

static void take_append(struct asked *asked, const struct redis_value *value) {
    if (value->type != REDIS_INTEGER)
        fail_value(asked->place, value);
    else if (value->integer < 0)
        store_op_refuse_gap(asked->op, -2 - value->integer);
    else
        store_op_settle(asked->op);
}

static void send_append(struct asked *asked) {
    const struct redis_place *place = asked->place;
    const struct store_op *op = asked->op;
    struct arena *arena = asked->arena;
    vsr_str *argv = ARENA_ARRAY(arena, vsr_str, 11 + op->n_new_events * 4);
    size_t n = 0;
    argv[n++] = VSR_STR("EVAL");
    argv[n++] = str_from_c(append_script);
    argv[n++] = VSR_STR("3");
    argv[n++] = key(place, arena, "events", op->record.id);
    argv[n++] = key(place, arena, "events_len", op->record.id);
    argv[n++] = key(place, arena, "deleted", op->record.id);
    argv[n++] = number(arena, place->options->ttl_s);
    argv[n++] = number(arena, place->options->event_ttl_s);
    argv[n++] = number(arena, EVENT_LOG_EVENTS_MAX);
    argv[n++] = number(arena, EVENT_LOG_BYTES_MAX);
    argv[n++] = op->held ? VSR_STR("1") : VSR_STR("0");
    for (size_t i = 0; i < op->n_new_events; i++) {
        const struct event_record *event = &op->new_events[i];
        argv[n++] = number(arena, event->seq);
        argv[n++] = event->type;
        argv[n++] = event->json;
        argv[n++] = event->last ? VSR_STR("1") : VSR_STR("0");
    }
    asked->take = take_append;
    ask(asked, argv, n);
}

/* ["<seq + 1>-0", ["t", type, "j", json, "l", last]] */
static bool read_event(const struct redis_value *value, struct event_record *ret) {
    const struct redis_value *fields;
    uint64_t id;
    vsr_str rest;
    if (value->type != REDIS_ARRAY || value->n != 2 || value->items[0].type != REDIS_STRING)
        return false;
    rest = value->items[0].text;
    fields = &value->items[1];
    if (!str_to_u64(str_split(&rest, '-'), &id) || id == 0 || id > INT64_MAX || fields->type != REDIS_ARRAY ||
        fields->n != 6)
        return false;
    for (size_t i = 0; i < fields->n; i++)
        if (fields->items[i].type != REDIS_STRING)
            return false;
    *ret = (struct event_record){ .seq = (int64_t)id - 1,
                                  .type = fields->items[1].text,
                                  .json = fields->items[3].text,
                                  .last = str_eq(fields->items[5].text, VSR_STR("1")) };
    return true;
}

/* The first event that there is, asked for before those that are wanted. */
static void take_first(struct asked *asked, const struct redis_value *value) {
    struct event_record event;
    int64_t *first = asked->result;
    if (value->type == REDIS_ARRAY && value->n && read_event(&value->items[0], &event))
        *first = event.seq;
}

static void take_events(struct asked *asked, const struct redis_value *value) {
    struct store_op *op = asked->op;
    int64_t first = *(const int64_t *)asked->result;
    struct event_record event;
    if (first < 0) {
        store_op_fail(op, VSR_E_NOT_FOUND, "no such log of events");
        return;
    }
    if (value->type != REDIS_ARRAY) {
        fail_value(asked->place, value);
        return;
    }
    for (size_t i = 0; i < value->n; i++) {
        if (!read_event(&value->items[i], &event)) {
            store_op_fail(op, VSR_E_PROTOCOL, "what Redis holds for the events is not ours");
            return;
        }
        if (store_op_add_event(op, &event) < 0) {
            store_op_fail(op, VSR_E_NOMEM, "no memory for events");
            return;
        }
    }
    store_op_settle_events(op, first);
}

static void send_read(struct asked *asked) {
    struct redis_place *place = asked->place;
    struct arena *arena = asked->arena;
    vsr_str stream = key(place, arena, "events", asked->op->record.id);
    unsigned long long from = (unsigned long long)asked->op->after + 2; /* from -1 on */
    const vsr_str head[] = { VSR_STR("XRANGE"), stream, VSR_STR("-"), VSR_STR("+"), VSR_STR("COUNT"), VSR_STR("1") };
    const vsr_str wanted[] = { VSR_STR("XRANGE"), stream,           arena_printf(arena, "%llu-0", from),
                               VSR_STR("+"),      VSR_STR("COUNT"), number(arena, (int64_t)asked->op->limit) };
    struct asked *before = ARENA_NEW(arena, struct asked);
    int64_t *first = ARENA_NEW(arena, int64_t);
    *first = -1;
    *before = (struct asked){ .place = place, .take = take_first, .result = first };
    ask(before, head, VSR_COUNT(head));
    asked->take = take_events;
    asked->result = first;
    ask(asked, wanted, VSR_COUNT(wanted));
}

/* ---- batches */

static void send_op(struct asked *asked, int64_t now_s) {
    switch (asked->op->kind) {
    case STORE_OP_PUT:
        asked->take = take_put;
        send_put(asked, &asked->op->record, asked->op->update, now_s);
        break;
    case STORE_OP_PROGRESS:
        send_progress(asked);
        break;
    case STORE_OP_DELETE:
        send_delete(asked);
        break;
    case STORE_OP_APPEND:
        send_append(asked);
        break;
    case STORE_OP_READ:
        send_read(asked);
        break;
    default:
        send_get(asked, asked->op->record.id);
    }
}

/* A chain asks again and again, so writes behind it are not sent before its end: they would be executed before. */
static int redis_run(void *state, struct store_op **ops, size_t n, int64_t now_s, struct vsr_err *err) {
    struct redis_place *place = state;
    struct arena *arena = arena_new(0, 0);
    struct asked *asked = ARENA_ARRAY(arena, struct asked, n);
    int rc = 0;
    begin(place);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        asked[i] = (struct asked){ .place = place, .op = ops[i], .arena = arena };
        send_op(&asked[i], now_s);
        if (ops[i]->kind == STORE_OP_CHAIN)
            rc = wait(place, err);
    }
    if (wait(place, err) < 0)
        rc = err ? err->code : VSR_E_UNAVAILABLE;
    arena_free(arena);
    return rc;
}

static void take_pong(struct asked *asked, const struct redis_value *value) {
    (void)asked;
    (void)value;
}

/* Also notices that a server is away which nobody has asked for a while. */
static int redis_maintain(void *state, int64_t now_s, struct vsr_err *err) {
    struct redis_place *place = state;
    struct asked asked = { .place = place, .take = take_pong };
    const vsr_str ping = VSR_STR("PING");
    (void)now_s;
    begin(place);
    ask(&asked, &ping, 1);
    return wait(place, err);
}

/* ---- what a former process has left */

struct leftovers {
    struct arena *arena;
    vsr_str *ids;
    size_t n;
};

static void take_ids(struct asked *asked, const struct redis_value *value) {
    struct leftovers *left = asked->result;
    left->ids = ARENA_ARRAY(left->arena, vsr_str, value->n);
    for (size_t i = 0; i < value->n; i++)
        if (value->items[i].type == REDIS_STRING)
            left->ids[left->n++] = arena_str(left->arena, value->items[i].text);
}

static int list_unfinished(struct redis_place *place, struct leftovers *left, struct vsr_err *err) {
    struct asked asked = { .place = place, .take = take_ids, .arena = left->arena, .result = left };
    const vsr_str argv[] = { VSR_STR("SMEMBERS"), key(place, left->arena, "unfinished", place->options->instance) };
    ask(&asked, argv, VSR_COUNT(argv));
    return wait(place, err);
}

static void take_nothing(struct asked *asked, const struct redis_value *value) {
    (void)asked;
    (void)value;
}

static int forget(struct redis_place *place, struct arena *arena, vsr_str id, struct vsr_err *err) {
    struct asked asked = { .place = place, .take = take_nothing, .arena = arena };
    const vsr_str argv[] = { VSR_STR("SREM"), key(place, arena, "unfinished", place->options->instance), id };
    ask(&asked, argv, VSR_COUNT(argv));
    return wait(place, err);
}

static int fail_record(struct redis_place *place, struct arena *arena, vsr_str id, int64_t now_s, size_t *ret_n,
                       struct vsr_err *err) {
    struct store_op op = { .kind = STORE_OP_GET, .arena = arena, .record = { .id = id } };
    struct asked asked = { .place = place, .op = &op, .arena = arena };
    struct response_record record;
    int rc;
    send_get(&asked, id);
    rc = wait(place, err);
    if (rc < 0)
        return rc;
    if (op.rc < 0 || store_status_is_final(op.records[0].status))
        return forget(place, arena, id, err);
    record = op.records[0];
    record.expires_s = 0; /* its text does not know it */
    record.status = VSR_STR("failed");
    record.object_json = record_failed_object(arena, record.object_json);
    asked = (struct asked){ .place = place, .take = take_put, .arena = arena };
    send_put(&asked, &record, true, now_s);
    ++*ret_n;
    return wait(place, err);
}

static int redis_recover(void *state, int64_t now_s, size_t *ret_n, struct vsr_err *err) {
    struct redis_place *place = state;
    struct leftovers left = { .arena = arena_new(0, 0) };
    int rc;
    begin(place);
    rc = list_unfinished(place, &left, err);
    for (size_t i = 0; rc == 0 && i < left.n; i++) {
        struct arena *arena = arena_new(0, 0);
        rc = fail_record(place, arena, left.ids[i], now_s, ret_n, err);
        arena_free(arena);
    }
    arena_free(left.arena);
    return rc;
}

/* ---- life */

static void redis_close(void *state) {
    struct redis_place *place = state;
    redis_client_free(place->client);
    tls_client_free(place->tls);
    if (place->loop)
        loop_run_once(place->loop, 0);
    loop_free(place->loop);
    mem_free(place);
}

static int redis_open(const struct response_store_options *options, void **ret_state, struct vsr_err *err) {
    struct redis_place *place = MEM_NEW(struct redis_place);
    int rc = loop_new(&place->loop, err);
    place->options = options;
    if (rc == 0) {
        loop_run_once(place->loop, 0); /* this thread's */
        rc = redis_tls_new(&options->redis, &place->tls, err);
    }
    if (rc == 0)
        rc = redis_client_new(place->loop, &options->redis, place->tls, &place->client, err);
    if (rc == 0)
        rc = redis_maintain(place, 0, err);
    if (rc < 0) {
        redis_close(place);
        return rc;
    }
    *ret_state = place;
    return 0;
}

const struct store_driver store_driver_redis = {
    .name = "redis",
    .open = redis_open,
    .close = redis_close,
    .run = redis_run,
    .recover = redis_recover,
    .maintain = redis_maintain,
};
