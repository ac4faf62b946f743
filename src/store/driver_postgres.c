/*
 * The place `postgres`: tables that several replicas may share. Named after the option `table`:
 *
 *     <table>         one row a record
 *     <table>_logs    one row a log of events, with its size
 *     <table>_events  one row an event
 *
 * A batch of operations is one transaction. Tables are made when they are not there, by one replica at a time.
 */
#include "core/arena.h"
#include "core/buf.h"
#include "core/mem.h"
#include "store/postgres_conn.h"
#include "store/record_copy.h"
#include "store/response_store.h"
#include "store/store_driver.h"
#include "store/store_op.h"

enum {
    EXPIRE_MAX = 500,         /* records that one look clears away: what waits behind it is not held up for long */
    EXPIRE_LOGS_MAX = 16,     /* and logs */
    EXPIRE_EVENTS_MAX = 2000, /* of a log at once: a statement has little time */
    RECOVER_BATCH = 256,
    SQL_LEN_MAX = 256 << 10,
    LOCK_KEY = 0x7673725f, /* of the advisory lock under which tables are made */
};

enum statement {
    PG_PUT,
    PG_STATE,
    PG_PROGRESS,
    PG_CHAIN,
    PG_DELETE,
    PG_FORGET,
    PG_DELETE_LOG,
    PG_DELETE_EVENTS,
    PG_LOG_GET,
    PG_LOG_PUT,
    PG_LOG_SIZE,
    PG_FIRST,
    PG_EVENTS,
    PG_TRIM,
    PG_UNFINISHED,
    PG_EXPIRE,
    PG_EXPIRED_LOGS,
    PG_STATEMENTS,
};

/* `@` is the name of the table, and `@_logs` that of its neighbour. */
static const struct {
    const char *name, *sql;
} statements[PG_STATEMENTS] = {
    [PG_PUT] = { "vsr_put",
                 "INSERT INTO @ AS r (id, previous_id, conversation_id, owner, status, final, instance, object, input,"
                 " created_s, expires_s, input_tokens, output_tokens)"
                 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
                 " ON CONFLICT (id) DO UPDATE SET previous_id = $2, conversation_id = $3, owner = $4, status = $5,"
                 " final = $6, instance = $7, object = $8, input = $9, created_s = $10, expires_s = $11,"
                 " input_tokens = $12, output_tokens = $13"
                 " WHERE NOT r.final OR r.expires_s <= $14 OR ($15::boolean AND r.status = $5)" },
    [PG_STATE] = { "vsr_state", "SELECT status FROM @ WHERE id = $1 AND expires_s > $2" },
    [PG_PROGRESS] = { "vsr_progress",
                      "WITH changed AS (UPDATE @ SET status = 'in_progress', expires_s = greatest(expires_s, "
                      "$3::bigint)"
                      " WHERE id = $1 AND NOT final AND expires_s > $2 AND (status <> 'in_progress' OR expires_s < $4))"
                      " SELECT status FROM @ WHERE id = $1 AND expires_s > $2" },
    /* first who is in the chain, then what they hold: the sizes bound what is read */
    [PG_CHAIN] = { "vsr_chain",
                   "WITH RECURSIVE chain (id, previous_id, hop, len, seen) AS ("
                   " SELECT id, previous_id, 1::bigint, octet_length(object)::bigint + octet_length(input),"
                   " ARRAY[id] FROM @ WHERE id = $1 AND expires_s > $2 AND status <> 'deleted'"
                   " UNION ALL SELECT r.id, r.previous_id, c.hop + 1,"
                   " c.len + octet_length(r.object) + octet_length(r.input), c.seen || r.id"
                   " FROM chain c JOIN @ r ON r.id = c.previous_id WHERE r.expires_s > $2 AND r.status <> 'deleted'"
                   " AND c.hop < $3::bigint"
                   " AND c.len + octet_length(r.object) + octet_length(r.input) <= $4::bigint"
                   " AND NOT r.id = ANY (c.seen))"
                   " SELECT r.id, r.previous_id, r.conversation_id, r.owner, r.status, r.object, r.input, r.created_s,"
                   " r.expires_s, r.input_tokens, r.output_tokens"
                   " FROM chain c JOIN @ r ON r.id = c.id ORDER BY c.hop DESC" },
    /* what stays is the mark; $4: also where nothing was */
    [PG_DELETE] = { "vsr_delete",
                    "INSERT INTO @ AS r (id, previous_id, conversation_id, owner, status, final, instance, object, "
                    "input,"
                    " created_s, expires_s, input_tokens, output_tokens)"
                    " SELECT $1::text, '', '', '', 'deleted', true, '', ''::bytea, ''::bytea, 0, $2::bigint, 0, 0"
                    " WHERE $4::boolean OR EXISTS (SELECT 1 FROM @ WHERE id = $1 AND expires_s > $3)"
                    " ON CONFLICT (id) DO UPDATE SET previous_id = '', conversation_id = '', owner = '',"
                    " status = 'deleted', final = true, instance = '', object = '', input = '', created_s = 0,"
                    " expires_s = $2, input_tokens = 0, output_tokens = 0"
                    " WHERE r.status <> 'deleted' OR r.expires_s <= $3" },
    [PG_FORGET] = { "vsr_forget", "DELETE FROM @ WHERE id = $1" },
    [PG_DELETE_LOG] = { "vsr_delete_log", "DELETE FROM @_logs WHERE id = $1" },
    [PG_DELETE_EVENTS] = { "vsr_delete_events", "DELETE FROM @_events WHERE log = $1" },
    [PG_LOG_GET] = { "vsr_log_get", "SELECT n, len, last_seq FROM @_logs WHERE id = $1 AND expires_s > $2 FOR UPDATE" },
    [PG_LOG_PUT] = { "vsr_log_put", "INSERT INTO @_logs (id, n, len, last_seq, expires_s) VALUES ($1, $2, $3, $4, $5)"
                                    " ON CONFLICT (id) DO UPDATE SET n = $2, len = $3, last_seq = $4, expires_s = $5" },
    [PG_LOG_SIZE] = { "vsr_log_size",
                      "SELECT count(*), coalesce(sum(octet_length(type) + octet_length(json)), 0)::bigint"
                      " FROM @_events WHERE log = $1" },
    [PG_FIRST] = { "vsr_first", "SELECT (SELECT min(seq) FROM @_events WHERE log = $1)"
                                " FROM @_logs WHERE id = $1 AND expires_s > $2" },
    [PG_EVENTS] = { "vsr_events",
                    "SELECT seq, type, json, last FROM @_events WHERE log = $1 AND seq > $2 ORDER BY seq LIMIT $3" },
    [PG_TRIM] = { "vsr_trim", "DELETE FROM @_events WHERE log = $1 AND seq IN"
                              " (SELECT seq FROM @_events WHERE log = $1 ORDER BY seq LIMIT $2)" },
    [PG_UNFINISHED] = { "vsr_unfinished", "SELECT id FROM @ WHERE instance = $1 AND NOT final LIMIT $2" },
    [PG_EXPIRE] = { "vsr_expire", "DELETE FROM @ WHERE id IN (SELECT id FROM @ WHERE expires_s <= $1 LIMIT $2)" },
    [PG_EXPIRED_LOGS] = { "vsr_expired_logs", "SELECT id FROM @_logs WHERE expires_s <= $1 LIMIT $2" },
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS @ (id text PRIMARY KEY, previous_id text NOT NULL, conversation_id text NOT NULL,"
    " owner text NOT NULL, status text NOT NULL, final boolean NOT NULL, instance text NOT NULL, object bytea NOT NULL,"
    " input bytea NOT NULL, created_s bigint NOT NULL, expires_s bigint NOT NULL, input_tokens bigint NOT NULL,"
    " output_tokens bigint NOT NULL);"
    "CREATE INDEX IF NOT EXISTS @_expires ON @ (expires_s);"
    "CREATE INDEX IF NOT EXISTS @_unfinished ON @ (instance) WHERE NOT final;"
    "CREATE TABLE IF NOT EXISTS @_logs (id text PRIMARY KEY, n bigint NOT NULL, len bigint NOT NULL,"
    " last_seq bigint NOT NULL, expires_s bigint NOT NULL);"
    "CREATE INDEX IF NOT EXISTS @_logs_expires ON @_logs (expires_s);"
    "CREATE TABLE IF NOT EXISTS @_events (log text NOT NULL, seq bigint NOT NULL, type text NOT NULL,"
    " json bytea NOT NULL, last boolean NOT NULL, PRIMARY KEY (log, seq));";

struct postgres_place {
    const struct response_store_options *options;
    PGconn *conn;
};

/* ---- statements */

/* Puts the name in the place of each `@`, with what follows it to the end of a name, as one quoted name. */
static char *expand(struct arena *arena, const char *sql, vsr_str table) {
    struct buf out;
    char *result;
    buf_init(&out, SQL_LEN_MAX);
    for (const char *at = sql; *at;) {
        if (*at != '@') {
            (void)buf_append_char(&out, *at++);
            continue;
        }
        (void)buf_append_char(&out, '"');
        for (size_t i = 0; i < table.len; i++) {
            if (table.ptr[i] == '"')
                (void)buf_append_char(&out, '"');
            (void)buf_append_char(&out, table.ptr[i]);
        }
        for (at++; *at == '_' || (*at >= 'a' && *at <= 'z'); at++)
            (void)buf_append_char(&out, *at);
        (void)buf_append_char(&out, '"');
    }
    result = arena_c_str(arena, buf_str(&out));
    buf_done(&out);
    return result;
}

static uint64_t timeout_ms(const struct postgres_place *place) {
    return place->options->postgres.io_ms;
}

static int do_text(struct postgres_place *place, const char *sql, struct vsr_err *err) {
    return postgres_exec(place->conn, NULL, sql, NULL, timeout_ms(place), NULL, err);
}

static int use(struct postgres_place *place, enum statement which, const struct postgres_params *params,
               PGresult **ret_result, struct vsr_err *err) {
    return postgres_exec(place->conn, statements[which].name, NULL, params, timeout_ms(place), ret_result, err);
}

/* Rows that it changed. */
static int change(struct postgres_place *place, enum statement which, const struct postgres_params *params,
                  uint64_t *ret_n, struct vsr_err *err) {
    PGresult *result = NULL;
    int rc = use(place, which, params, &result, err);
    if (rc < 0)
        return rc;
    if (ret_n && !str_to_u64(str_from_c(PQcmdTuples(result)), ret_n))
        *ret_n = 0;
    PQclear(result);
    return 0;
}

/* ---- records */

/* For PG_PUT; `update`: also in place of the same end. */
static void record_params(const struct postgres_place *place, struct arena *arena, const struct response_record *record,
                          bool update, int64_t now_s, struct postgres_params *p) {
    postgres_params_init(p, arena, 15);
    postgres_add_str(p, arena, record->id);
    postgres_add_str(p, arena, record->previous_id);
    postgres_add_str(p, arena, record->conversation_id);
    postgres_add_str(p, arena, record->owner);
    postgres_add_str(p, arena, record->status);
    postgres_add_bool(p, store_status_is_final(record->status));
    postgres_add_str(p, arena, place->options->instance);
    postgres_add_bytes(p, record->object_json);
    postgres_add_bytes(p, record->input_json);
    postgres_add_i64(p, record->created_s);
    postgres_add_i64(p, record->expires_s ? record->expires_s : now_s + place->options->ttl_s);
    postgres_add_i64(p, record->input_tokens);
    postgres_add_i64(p, record->output_tokens);
    postgres_add_i64(p, now_s);
    postgres_add_bool(p, update);
}

/* Settles it as the status says that PG_STATE or PG_PROGRESS has read; what is under way is what was asked for. */
static void settle_by(struct store_op *op, const PGresult *result) {
    bool there = PQntuples(result) > 0;
    vsr_str status = there ? postgres_str(result, 0, 0) : VSR_STR("deleted");
    if (str_eq_c(status, "deleted"))
        store_op_fail_absent(op, there);
    else if (store_status_is_final(status))
        store_op_settle_kept(op);
    else
        store_op_settle(op);
}

static int ask_state(struct postgres_place *place, struct arena *arena, vsr_str id, int64_t now_s, PGresult **ret,
                     struct vsr_err *err) {
    struct postgres_params p;
    postgres_params_init(&p, arena, 2);
    postgres_add_str(&p, arena, id);
    postgres_add_i64(&p, now_s);
    return use(place, PG_STATE, &p, ret, err);
}

static int run_put(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                   struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    uint64_t n = 0;
    int rc;
    record_params(place, arena, &op->record, op->update, now_s, &p);
    rc = change(place, PG_PUT, &p, &n, err);
    if (rc == 0 && n == 0)
        rc = ask_state(place, arena, op->record.id, now_s, &result, err);
    if (rc < 0)
        return rc;
    if (n)
        store_op_settle(op);
    else
        settle_by(op, result);
    PQclear(result);
    return 0;
}

static int run_progress(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                        struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc;
    postgres_params_init(&p, arena, 4);
    postgres_add_str(&p, arena, op->record.id);
    postgres_add_i64(&p, now_s);
    postgres_add_i64(&p, now_s + place->options->ttl_s);
    postgres_add_i64(&p, now_s + place->options->ttl_s / 2);
    rc = use(place, PG_PROGRESS, &p, &result, err);
    if (rc < 0)
        return rc;
    settle_by(op, result);
    PQclear(result);
    return 0;
}

static int add_records(struct store_op *op, const PGresult *result) {
    int rc = 0;
    for (int row = 0; rc == 0 && row < PQntuples(result); row++) {
        const struct response_record record = {
            .id = postgres_str(result, row, 0),
            .previous_id = postgres_str(result, row, 1),
            .conversation_id = postgres_str(result, row, 2),
            .owner = postgres_str(result, row, 3),
            .status = postgres_str(result, row, 4),
            .object_json = postgres_str(result, row, 5),
            .input_json = postgres_str(result, row, 6),
            .created_s = postgres_i64(result, row, 7),
            .expires_s = postgres_i64(result, row, 8),
            .input_tokens = postgres_i64(result, row, 9),
            .output_tokens = postgres_i64(result, row, 10),
        };
        rc = store_op_add_record(op, &record);
    }
    return rc;
}

/* A single record is a chain of one hop. */
static int run_chain(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                     struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc;
    postgres_params_init(&p, arena, 4);
    postgres_add_str(&p, arena, op->record.id);
    postgres_add_i64(&p, now_s);
    postgres_add_i64(&p, op->kind == STORE_OP_CHAIN ? (int64_t)op->hops_max : 1);
    postgres_add_i64(&p, STORE_CHAIN_BYTES_MAX);
    rc = use(place, PG_CHAIN, &p, &result, err);
    if (rc < 0)
        return rc;
    if (add_records(op, result) < 0)
        store_op_fail(op, VSR_E_NOMEM, "no memory for responses");
    else if (op->n_records)
        store_op_settle(op);
    else
        store_op_fail(op, VSR_E_NOT_FOUND, "no such response");
    PQclear(result);
    return 0;
}

static int delete_by(struct postgres_place *place, struct arena *arena, enum statement which, vsr_str id,
                     uint64_t *ret_n, struct vsr_err *err) {
    struct postgres_params p;
    postgres_params_init(&p, arena, 1);
    postgres_add_str(&p, arena, id);
    return change(place, which, &p, ret_n, err);
}

static int delete_log(struct postgres_place *place, struct arena *arena, vsr_str id, struct vsr_err *err) {
    int rc = delete_by(place, arena, PG_DELETE_LOG, id, NULL, err);
    return rc < 0 ? rc : delete_by(place, arena, PG_DELETE_EVENTS, id, NULL, err);
}

static int run_delete(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                      struct vsr_err *err) {
    struct postgres_params p;
    uint64_t n = 0;
    int rc;
    postgres_params_init(&p, arena, 4);
    postgres_add_str(&p, arena, op->record.id);
    postgres_add_i64(&p, now_s + STORE_DELETED_S);
    postgres_add_i64(&p, now_s);
    postgres_add_bool(&p, op->held);
    rc = change(place, PG_DELETE, &p, &n, err);
    if (rc == 0)
        rc = delete_log(place, arena, op->record.id, err);
    if (rc < 0)
        return rc;
    if (n)
        store_op_settle(op);
    else
        store_op_fail_absent(op, false);
    return 0;
}

/* ---- events */

struct log_size {
    bool found;
    int64_t n, len, last_seq;
};

static int get_log(struct postgres_place *place, struct arena *arena, vsr_str id, int64_t now_s, struct log_size *ret,
                   struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc;
    postgres_params_init(&p, arena, 2);
    postgres_add_str(&p, arena, id);
    postgres_add_i64(&p, now_s);
    rc = use(place, PG_LOG_GET, &p, &result, err);
    if (rc < 0)
        return rc;
    *ret = (struct log_size){ .last_seq = -1 };
    if (PQntuples(result))
        *ret = (struct log_size){ true, postgres_i64(result, 0, 0), postgres_i64(result, 0, 1),
                                  postgres_i64(result, 0, 2) };
    PQclear(result);
    return 0;
}

static int put_log(struct postgres_place *place, struct arena *arena, vsr_str id, const struct log_size *size,
                   int64_t expires_s, struct vsr_err *err) {
    struct postgres_params p;
    postgres_params_init(&p, arena, 5);
    postgres_add_str(&p, arena, id);
    postgres_add_i64(&p, size->n);
    postgres_add_i64(&p, size->len);
    postgres_add_i64(&p, size->last_seq);
    postgres_add_i64(&p, expires_s);
    return change(place, PG_LOG_PUT, &p, NULL, err);
}

/* An eighth leaves at a time, so that the size is rarely counted anew. */
static int trim_log(struct postgres_place *place, struct arena *arena, vsr_str id, struct log_size *size,
                    struct vsr_err *err) {
    int rc = 0;
    while (rc == 0 && size->n > 1 && (size->n > EVENT_LOG_EVENTS_MAX || size->len > EVENT_LOG_BYTES_MAX)) {
        struct postgres_params p;
        PGresult *result = NULL;
        postgres_params_init(&p, arena, 2);
        postgres_add_str(&p, arena, id);
        postgres_add_i64(&p, size->n / 8 + 1);
        rc = change(place, PG_TRIM, &p, NULL, err);
        p.n = 1;
        if (rc == 0)
            rc = use(place, PG_LOG_SIZE, &p, &result, err);
        if (rc == 0) {
            size->n = postgres_i64(result, 0, 0);
            size->len = postgres_i64(result, 0, 1);
            PQclear(result);
        }
    }
    return rc;
}

/* All new events in one statement. */
static int put_events(struct postgres_place *place, struct arena *arena, const struct store_op *op, size_t first,
                      struct vsr_err *err) {
    struct postgres_params p;
    struct buf sql;
    int rc;
    buf_init(&sql, SQL_LEN_MAX);
    postgres_params_init(&p, arena, 1 + 4 * (op->n_new_events - first));
    postgres_add_str(&p, arena, op->record.id);
    (void)buf_append_c(&sql, "INSERT INTO @_events (log, seq, type, json, last) VALUES ");
    for (size_t i = first; i < op->n_new_events; i++) {
        const struct event_record *event = &op->new_events[i];
        size_t n = p.n;
        postgres_add_i64(&p, event->seq);
        postgres_add_str(&p, arena, event->type);
        postgres_add_bytes(&p, event->json);
        postgres_add_bool(&p, event->last);
        (void)buf_printf(&sql, "%s($1, $%zu::bigint, $%zu, $%zu::bytea, $%zu::boolean)", i > first ? ", " : "", n + 1,
                         n + 2, n + 3, n + 4);
    }
    (void)buf_append_c(&sql, " ON CONFLICT (log, seq) DO NOTHING");
    (void)buf_append_char(&sql, 0);
    rc = buf_failed(&sql) ? err_set(err, VSR_E_LIMIT, "too many events at once")
                          : postgres_exec(place->conn, NULL, expand(arena, sql.ptr, place->options->postgres.table), &p,
                                          timeout_ms(place), NULL, err);
    buf_done(&sql);
    return rc;
}

static int is_deleted(struct postgres_place *place, struct arena *arena, vsr_str id, int64_t now_s, bool *ret,
                      struct vsr_err *err) {
    PGresult *result = NULL;
    int rc = ask_state(place, arena, id, now_s, &result, err);
    *ret = rc == 0 && PQntuples(result) && str_eq_c(postgres_str(result, 0, 0), "deleted");
    PQclear(result);
    return rc;
}

static int run_append(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                      struct vsr_err *err) {
    const struct response_store_options *o = place->options;
    struct log_size size;
    size_t first = 0;
    bool deleted = false;
    int rc = get_log(place, arena, op->record.id, now_s, &size, err);
    while (rc == 0 && first < op->n_new_events && op->new_events[first].seq <= size.last_seq)
        first++;
    if (rc == 0 && store_op_leaves_gap(op, first, size.last_seq)) {
        if (!op->held) {
            store_op_refuse_gap(op, size.last_seq);
            return 0;
        }
        size = (struct log_size){ .last_seq = -1 };
    }
    if (rc == 0 && !size.found)
        rc = is_deleted(place, arena, op->record.id, now_s, &deleted, err);
    if (rc == 0 && deleted) { /* nor does any part of it come back */
        store_op_refuse_gap(op, -1);
        return 0;
    }
    if (rc == 0 && !size.found)
        rc = delete_log(place, arena, op->record.id, err); /* one that has expired, or has no part of what is held */
    if (rc < 0 || first == op->n_new_events) {
        if (rc == 0)
            store_op_settle(op);
        return rc;
    }
    rc = put_events(place, arena, op, first, err);
    size.n += (int64_t)(op->n_new_events - first);
    for (size_t i = first; i < op->n_new_events; i++)
        size.len += (int64_t)event_len(&op->new_events[i]);
    size.last_seq = op->new_events[op->n_new_events - 1].seq;
    if (rc == 0)
        rc = trim_log(place, arena, op->record.id, &size, err);
    if (rc == 0)
        rc = put_log(place, arena, op->record.id, &size,
                     now_s + (op->new_events[op->n_new_events - 1].last ? o->event_ttl_s : o->ttl_s), err);
    if (rc == 0)
        store_op_settle(op);
    return rc;
}

/* -1: no such log. */
static int first_event(struct postgres_place *place, struct arena *arena, vsr_str id, int64_t now_s, int64_t *ret_seq,
                       struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc;
    postgres_params_init(&p, arena, 2);
    postgres_add_str(&p, arena, id);
    postgres_add_i64(&p, now_s);
    rc = use(place, PG_FIRST, &p, &result, err);
    if (rc < 0)
        return rc;
    *ret_seq = PQntuples(result) && !PQgetisnull(result, 0, 0) ? postgres_i64(result, 0, 0) : -1;
    PQclear(result);
    return 0;
}

static int add_events(struct store_op *op, const PGresult *result) {
    int rc = 0;
    for (int row = 0; rc == 0 && row < PQntuples(result); row++) {
        const struct event_record event = { .seq = postgres_i64(result, row, 0),
                                            .type = postgres_str(result, row, 1),
                                            .json = postgres_str(result, row, 2),
                                            .last = postgres_bool(result, row, 3) };
        rc = store_op_add_event(op, &event);
    }
    return rc;
}

static int run_read(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                    struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int64_t first;
    int rc = first_event(place, arena, op->record.id, now_s, &first, err);
    if (rc < 0)
        return rc;
    if (first < 0) {
        store_op_fail(op, VSR_E_NOT_FOUND, "no such log of events");
        return 0;
    }
    if (first > op->after + 1) {
        store_op_settle_events(op, first);
        return 0;
    }
    postgres_params_init(&p, arena, 3);
    postgres_add_str(&p, arena, op->record.id);
    postgres_add_i64(&p, op->after);
    postgres_add_i64(&p, (int64_t)op->limit);
    rc = use(place, PG_EVENTS, &p, &result, err);
    if (rc < 0)
        return rc;
    if (add_events(op, result) < 0)
        store_op_fail(op, VSR_E_NOMEM, "no memory for events");
    else
        store_op_settle_events(op, first);
    PQclear(result);
    return 0;
}

/* ---- batches */

static int run_one(struct postgres_place *place, struct arena *arena, struct store_op *op, int64_t now_s,
                   struct vsr_err *err) {
    switch (op->kind) {
    case STORE_OP_PUT:
        return run_put(place, arena, op, now_s, err);
    case STORE_OP_PROGRESS:
        return run_progress(place, arena, op, now_s, err);
    case STORE_OP_DELETE:
        return run_delete(place, arena, op, now_s, err);
    case STORE_OP_APPEND:
        return run_append(place, arena, op, now_s, err);
    case STORE_OP_READ:
        return run_read(place, arena, op, now_s, err);
    default:
        return run_chain(place, arena, op, now_s, err);
    }
}

static int postgres_run(void *state, struct store_op **ops, size_t n, int64_t now_s, struct vsr_err *err) {
    struct postgres_place *place = state;
    bool writes = false;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        writes |= store_op_is_write(ops[i]);
    if (writes)
        rc = do_text(place, "BEGIN", err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct arena *arena = arena_new(0, 0);
        rc = run_one(place, arena, ops[i], now_s, err);
        arena_free(arena);
    }
    if (rc == 0 && writes)
        rc = do_text(place, "COMMIT", err);
    for (size_t i = 0; rc < 0 && i < n; i++)
        store_op_restart(ops[i]);
    return rc;
}

/* Some of its events, and the log when no more are left. 1: there are more. */
static int expire_log(struct postgres_place *place, struct arena *arena, vsr_str id, struct vsr_err *err) {
    struct postgres_params p;
    uint64_t n = 0;
    int rc;
    postgres_params_init(&p, arena, 2);
    postgres_add_str(&p, arena, id);
    postgres_add_i64(&p, EXPIRE_EVENTS_MAX);
    rc = change(place, PG_TRIM, &p, &n, err);
    if (rc == 0 && n == EXPIRE_EVENTS_MAX)
        return 1;
    return rc < 0 ? rc : delete_by(place, arena, PG_DELETE_LOG, id, &n, err);
}

/* 1: there are more. */
static int expire_logs(struct postgres_place *place, struct arena *arena, int64_t now_s, struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc, n;
    postgres_params_init(&p, arena, 2);
    postgres_add_i64(&p, now_s);
    postgres_add_i64(&p, EXPIRE_LOGS_MAX);
    rc = use(place, PG_EXPIRED_LOGS, &p, &result, err);
    if (rc < 0)
        return rc;
    n = PQntuples(result);
    for (int row = 0; rc == 0 && row < n; row++)
        rc = expire_log(place, arena, postgres_str(result, row, 0), err);
    PQclear(result);
    return rc != 0 ? rc : n == EXPIRE_LOGS_MAX;
}

static int postgres_maintain(void *state, int64_t now_s, struct vsr_err *err) {
    struct postgres_place *place = state;
    struct arena *arena = arena_new(1024, 0);
    struct postgres_params p;
    uint64_t n = 0;
    int rc;
    postgres_params_init(&p, arena, 2);
    postgres_add_i64(&p, now_s);
    postgres_add_i64(&p, EXPIRE_MAX);
    rc = change(place, PG_EXPIRE, &p, &n, err);
    if (rc == 0)
        rc = expire_logs(place, arena, now_s, err);
    arena_free(arena);
    return rc != 0 ? rc : n == EXPIRE_MAX;
}

/* ---- what a former process has left */

static int fail_record(struct postgres_place *place, struct arena *arena, vsr_str id, int64_t now_s,
                       struct vsr_err *err) {
    struct store_op op = { .kind = STORE_OP_GET, .arena = arena, .record = { .id = id } };
    struct response_record record;
    uint64_t n;
    int rc = run_chain(place, arena, &op, now_s, err);
    if (rc < 0)
        return rc;
    if (op.rc < 0)
        return delete_by(place, arena, PG_FORGET, id, &n, err); /* its time is over */
    record = op.records[0];
    record.status = VSR_STR("failed");
    record.object_json = record_failed_object(arena, record.object_json);
    op = (struct store_op){ .kind = STORE_OP_PUT, .arena = arena, .record = record, .update = true };
    return run_put(place, arena, &op, now_s, err);
}

static int fail_some(struct postgres_place *place, struct arena *arena, int64_t now_s, size_t *ret_n,
                     struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc;
    postgres_params_init(&p, arena, 2);
    postgres_add_str(&p, arena, place->options->instance);
    postgres_add_i64(&p, RECOVER_BATCH);
    rc = use(place, PG_UNFINISHED, &p, &result, err);
    for (int row = 0; rc == 0 && row < PQntuples(result); row++)
        rc = fail_record(place, arena, postgres_str(result, row, 0), now_s, err);
    *ret_n = rc == 0 ? (size_t)PQntuples(result) : 0;
    PQclear(result);
    return rc;
}

static int postgres_recover(void *state, int64_t now_s, size_t *ret_n, struct vsr_err *err) {
    size_t n = 1;
    int rc = 0;
    while (rc == 0 && n) {
        struct arena *arena = arena_new(0, 0);
        rc = fail_some(state, arena, now_s, &n, err);
        *ret_n += n;
        arena_free(arena);
    }
    return rc;
}

/* ---- life */

/* Whoever may use the tables but not make any finds them made. */
static int find_tables(struct postgres_place *place, struct arena *arena, bool *ret_found, struct vsr_err *err) {
    struct postgres_params p;
    PGresult *result = NULL;
    int rc;
    postgres_params_init(&p, arena, 1);
    postgres_add_str(&p, arena, str_from_c(expand(arena, "@_events", place->options->postgres.table)));
    rc = postgres_exec(place->conn, NULL, "SELECT to_regclass($1) IS NOT NULL", &p, timeout_ms(place), &result, err);
    if (rc < 0)
        return rc;
    *ret_found = postgres_bool(result, 0, 0);
    PQclear(result);
    return 0;
}

static int make_tables(struct postgres_place *place, struct arena *arena, struct vsr_err *err) {
    char lock[64];
    bool found = false;
    int rc = find_tables(place, arena, &found, err);
    if (rc < 0 || found)
        return rc;
    (void)snprintf(lock, sizeof(lock), "SELECT pg_advisory_xact_lock(%d)", LOCK_KEY);
    rc = do_text(place, "BEGIN", err);
    if (rc == 0)
        rc = do_text(place, lock, err);
    if (rc == 0)
        rc = do_text(place, expand(arena, schema, place->options->postgres.table), err);
    return rc < 0 ? rc : do_text(place, "COMMIT", err);
}

static int prepare(struct postgres_place *place, struct arena *arena, struct vsr_err *err) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < PG_STATEMENTS; i++)
        rc = postgres_prepare(place->conn, statements[i].name,
                              expand(arena, statements[i].sql, place->options->postgres.table), timeout_ms(place), err);
    return rc;
}

static void postgres_close(void *state) {
    struct postgres_place *place = state;
    PQfinish(place->conn);
    mem_free(place);
}

static int postgres_open(const struct response_store_options *options, void **ret_state, struct vsr_err *err) {
    struct postgres_place *place = MEM_NEW(struct postgres_place);
    struct arena *arena = arena_new(0, 0);
    int rc = postgres_connect(&options->postgres, &place->conn, err);
    place->options = options;
    if (rc == 0)
        rc = make_tables(place, arena, err);
    if (rc == 0)
        rc = prepare(place, arena, err);
    arena_free(arena);
    if (rc < 0) {
        postgres_close(place);
        return rc;
    }
    *ret_state = place;
    return 0;
}

const struct store_driver store_driver_postgres = {
    .name = "postgres",
    .open = postgres_open,
    .close = postgres_close,
    .run = postgres_run,
    .recover = postgres_recover,
    .maintain = postgres_maintain,
};
