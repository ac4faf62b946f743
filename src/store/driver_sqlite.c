/*
 * The place `sqlite`: a file in the state directory. A batch of operations is one transaction, so that many writers
 * cost one commit.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "store/record_copy.h"
#include "store/response_store.h"
#include "store/sqlite_file.h"
#include "store/store_driver.h"
#include "store/store_op.h"

enum {
    EXPIRE_MAX = 500,     /* records that one look clears away: what waits behind it is not held up for long */
    EXPIRE_LOGS_MAX = 64, /* and logs */
    TRIM_MIN = 16,        /* records that leave at once when the file is full */
    RECOVER_BATCH = 256,
};

struct sqlite_place {
    const struct response_store_options *options;
    struct sqlite_file file;
    bool full; /* what the last failure was about */
};

/* ---- records */

static void read_record(sqlite3_stmt *s, struct response_record *ret_record) {
    *ret_record = (struct response_record){
        .id = sqlite_str(s, 0),
        .previous_id = sqlite_str(s, 1),
        .conversation_id = sqlite_str(s, 2),
        .owner = sqlite_str(s, 3),
        .status = sqlite_str(s, 4),
        .object_json = sqlite_str(s, 5),
        .input_json = sqlite_str(s, 6),
        .created_s = sqlite3_column_int64(s, 7),
        .expires_s = sqlite3_column_int64(s, 8),
        .input_tokens = sqlite3_column_int64(s, 9),
        .output_tokens = sqlite3_column_int64(s, 10),
    };
}

/* `update`: also in place of the same end. */
static int put(struct sqlite_place *place, const struct response_record *record, bool update, int64_t now_s,
               struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_PUT);
    sqlite_bind_str(s, 1, record->id);
    sqlite_bind_str(s, 2, record->previous_id);
    sqlite_bind_str(s, 3, record->conversation_id);
    sqlite_bind_str(s, 4, record->owner);
    sqlite_bind_str(s, 5, record->status);
    (void)sqlite3_bind_int(s, 6, store_status_is_final(record->status));
    sqlite_bind_str(s, 7, place->options->instance);
    sqlite_bind_bytes(s, 8, record->object_json);
    sqlite_bind_bytes(s, 9, record->input_json);
    (void)sqlite3_bind_int64(s, 10, record->created_s);
    (void)sqlite3_bind_int64(s, 11, record->expires_s ? record->expires_s : now_s + place->options->ttl_s);
    (void)sqlite3_bind_int64(s, 12, record->input_tokens);
    (void)sqlite3_bind_int64(s, 13, record->output_tokens);
    (void)sqlite3_bind_int64(s, 14, now_s);
    (void)sqlite3_bind_int(s, 15, update);
    return sqlite_file_do(&place->file, SQL_PUT, err);
}

enum state { ABSENT, DELETED, UNDER_WAY, AT_WORK, FINAL }; /* AT_WORK: progress has nothing to change */

static enum state state_of(const struct sqlite_place *place, sqlite3_stmt *s, int64_t now_s) {
    if (str_eq_c(sqlite_str(s, 1), "deleted"))
        return DELETED;
    if (sqlite3_column_int(s, 0))
        return FINAL;
    return str_eq_c(sqlite_str(s, 1), "in_progress") && sqlite3_column_int64(s, 2) - now_s >= place->options->ttl_s / 2
               ? AT_WORK
               : UNDER_WAY;
}

static int get_state(struct sqlite_place *place, vsr_str id, int64_t now_s, enum state *ret, struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_STATE);
    int step;
    sqlite_bind_str(s, 1, id);
    (void)sqlite3_bind_int64(s, 2, now_s);
    step = sqlite3_step(s);
    *ret = step == SQLITE_ROW ? state_of(place, s, now_s) : ABSENT;
    (void)sqlite3_reset(s);
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : sqlite_file_failed(&place->file, err);
}

static int run_put(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    enum state state = ABSENT;
    int rc = put(place, &op->record, op->update, now_s, err);
    if (rc == 0 && sqlite3_changes(place->file.db) > 0) {
        store_op_settle(op);
        return 0;
    }
    if (rc == 0)
        rc = get_state(place, op->record.id, now_s, &state, err);
    if (rc < 0)
        return rc;
    if (state == DELETED)
        store_op_fail_absent(op, true);
    else
        store_op_settle_kept(op);
    return 0;
}

/* One statement at most, and none of what is at work already: it needs no transaction. */
static int run_progress(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    enum state state;
    int rc = get_state(place, op->record.id, now_s, &state, err);
    if (rc == 0 && state == UNDER_WAY) {
        sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_PROGRESS);
        sqlite_bind_str(s, 1, op->record.id);
        (void)sqlite3_bind_int64(s, 2, now_s + place->options->ttl_s);
        rc = sqlite_file_do(&place->file, SQL_PROGRESS, err);
    }
    if (rc < 0)
        return rc;
    if (state == UNDER_WAY || state == AT_WORK)
        store_op_settle(op);
    else if (state == FINAL)
        store_op_settle_kept(op);
    else
        store_op_fail_absent(op, state == DELETED);
    return 0;
}

/* One more record of the answer. 1: there is none of that id; it does not fit: 2. */
static int add_record(struct sqlite_place *place, struct store_op *op, vsr_str id, int64_t now_s, size_t *len,
                      struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_GET);
    struct response_record record;
    int rc, step;
    sqlite_bind_str(s, 1, id);
    (void)sqlite3_bind_int64(s, 2, now_s);
    step = sqlite3_step(s);
    if (step == SQLITE_ROW) {
        read_record(s, &record);
        *len += record_len(&record);
        rc = op->n_records && *len > STORE_CHAIN_BYTES_MAX ? 2 : store_op_add_record(op, &record);
    } else {
        rc = step == SQLITE_DONE ? 1 : sqlite_file_failed(&place->file, err);
    }
    (void)sqlite3_reset(s);
    return rc;
}

/* A single record is a chain of one hop. */
static int run_chain(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    unsigned hops_max = op->kind == STORE_OP_CHAIN ? op->hops_max : 1;
    vsr_str id = op->record.id;
    size_t len = 0;
    int rc = 0;
    while (rc == 0 && id.len && op->n_records < hops_max && !store_op_has(op, id)) {
        rc = add_record(place, op, id, now_s, &len, err);
        if (rc == 0)
            id = op->records[op->n_records - 1].previous_id;
    }
    if (rc == VSR_E_NOMEM)
        store_op_fail(op, VSR_E_NOMEM, "no memory for responses");
    else if (rc < 0)
        return rc;
    else if (op->n_records == 0)
        store_op_fail(op, VSR_E_NOT_FOUND, "no such response");
    else
        store_op_settle(op);
    store_op_reverse(op);
    return 0;
}

static int delete_by(struct sqlite_place *place, enum sqlite_statement which, vsr_str id, int *ret_n,
                     struct vsr_err *err) {
    int rc;
    sqlite_bind_str(sqlite_file_use(&place->file, which), 1, id);
    rc = sqlite_file_do(&place->file, which, err);
    *ret_n = sqlite3_changes(place->file.db);
    return rc;
}

static int delete_log(struct sqlite_place *place, vsr_str id, struct vsr_err *err) {
    int n, rc = delete_by(place, SQL_DELETE_LOG, id, &n, err);
    return rc < 0 ? rc : delete_by(place, SQL_DELETE_EVENTS, id, &n, err);
}

static int run_delete(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_DELETE);
    int n, rc;
    sqlite_bind_str(s, 1, op->record.id);
    (void)sqlite3_bind_int64(s, 2, now_s + STORE_DELETED_S);
    (void)sqlite3_bind_int64(s, 3, now_s);
    (void)sqlite3_bind_int(s, 4, op->held);
    rc = sqlite_file_do(&place->file, SQL_DELETE, err);
    n = sqlite3_changes(place->file.db);
    if (rc == 0)
        rc = delete_log(place, op->record.id, err);
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

static int get_log(struct sqlite_place *place, vsr_str id, int64_t now_s, struct log_size *ret, struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_LOG_GET);
    int step;
    *ret = (struct log_size){ .last_seq = -1 };
    sqlite_bind_str(s, 1, id);
    (void)sqlite3_bind_int64(s, 2, now_s);
    step = sqlite3_step(s);
    if (step == SQLITE_ROW)
        *ret = (struct log_size){ true, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
                                  sqlite3_column_int64(s, 2) };
    (void)sqlite3_reset(s);
    return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : sqlite_file_failed(&place->file, err);
}

static int put_event(struct sqlite_place *place, vsr_str id, const struct event_record *event, struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_EVENT_PUT);
    sqlite_bind_str(s, 1, id);
    (void)sqlite3_bind_int64(s, 2, event->seq);
    sqlite_bind_str(s, 3, event->type);
    sqlite_bind_bytes(s, 4, event->json);
    (void)sqlite3_bind_int(s, 5, event->last);
    return sqlite_file_do(&place->file, SQL_EVENT_PUT, err);
}

static int put_log(struct sqlite_place *place, vsr_str id, const struct log_size *size, int64_t expires_s,
                   struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_LOG_PUT);
    sqlite_bind_str(s, 1, id);
    (void)sqlite3_bind_int64(s, 2, size->n);
    (void)sqlite3_bind_int64(s, 3, size->len);
    (void)sqlite3_bind_int64(s, 4, size->last_seq);
    (void)sqlite3_bind_int64(s, 5, expires_s);
    return sqlite_file_do(&place->file, SQL_LOG_PUT, err);
}

/* An eighth leaves at a time, so that the size is rarely counted anew. */
static int trim_log(struct sqlite_place *place, vsr_str id, struct log_size *size, struct vsr_err *err) {
    int rc = 0;
    while (rc == 0 && size->n > 1 && (size->n > EVENT_LOG_EVENTS_MAX || size->len > EVENT_LOG_BYTES_MAX)) {
        sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_EVENTS_TRIM);
        sqlite_bind_str(s, 1, id);
        (void)sqlite3_bind_int64(s, 2, size->n / 8 + 1);
        rc = sqlite_file_do(&place->file, SQL_EVENTS_TRIM, err);
        s = sqlite_file_use(&place->file, SQL_LOG_SIZE);
        sqlite_bind_str(s, 1, id);
        if (rc == 0 && sqlite3_step(s) != SQLITE_ROW)
            rc = sqlite_file_failed(&place->file, err);
        if (rc == 0) {
            size->n = sqlite3_column_int64(s, 0);
            size->len = sqlite3_column_int64(s, 1);
        }
        (void)sqlite3_reset(s);
    }
    return rc;
}

static int run_append(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    struct log_size size;
    enum state state = ABSENT;
    int64_t ttl_s = place->options->ttl_s;
    bool changed = false;
    int rc = get_log(place, op->record.id, now_s, &size, err);
    size_t i = 0;
    while (rc == 0 && i < op->n_new_events && op->new_events[i].seq <= size.last_seq)
        i++;
    if (rc == 0 && store_op_leaves_gap(op, i, size.last_seq)) {
        if (!op->held) {
            store_op_refuse_gap(op, size.last_seq);
            return 0;
        }
        size = (struct log_size){ .last_seq = -1 };
    }
    if (rc == 0 && !size.found)
        rc = get_state(place, op->record.id, now_s, &state, err);
    if (rc == 0 && state == DELETED) { /* nor does any part of it come back */
        store_op_refuse_gap(op, -1);
        return 0;
    }
    if (rc == 0 && !size.found)
        rc = delete_log(place, op->record.id, err); /* one that has expired, or has no part of what is held */
    for (; rc == 0 && i < op->n_new_events; i++) {
        const struct event_record *event = &op->new_events[i];
        rc = put_event(place, op->record.id, event, err);
        size.n++;
        size.len += (int64_t)event_len(event);
        size.last_seq = event->seq;
        ttl_s = event->last ? place->options->event_ttl_s : place->options->ttl_s;
        changed = true;
    }
    if (rc == 0 && changed)
        rc = trim_log(place, op->record.id, &size, err);
    if (rc == 0 && changed)
        rc = put_log(place, op->record.id, &size, now_s + ttl_s, err);
    if (rc == 0)
        store_op_settle(op);
    return rc;
}

static int first_event(struct sqlite_place *place, vsr_str id, int64_t *ret_seq, struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_EVENT_FIRST);
    int rc = 0;
    sqlite_bind_str(s, 1, id);
    if (sqlite3_step(s) == SQLITE_ROW)
        *ret_seq = sqlite3_column_int64(s, 0);
    else
        rc = sqlite_file_failed(&place->file, err);
    (void)sqlite3_reset(s);
    return rc;
}

static int read_events(struct sqlite_place *place, struct store_op *op, struct vsr_err *err) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_EVENTS);
    int step, rc = 0;
    sqlite_bind_str(s, 1, op->record.id);
    (void)sqlite3_bind_int64(s, 2, op->after);
    (void)sqlite3_bind_int64(s, 3, (int64_t)op->limit);
    while (rc == 0 && (step = sqlite3_step(s)) == SQLITE_ROW) {
        const struct event_record event = { .seq = sqlite3_column_int64(s, 0),
                                            .type = sqlite_str(s, 1),
                                            .json = sqlite_str(s, 2),
                                            .last = sqlite3_column_int(s, 3) };
        rc = store_op_add_event(op, &event);
    }
    if (rc == 0 && step != SQLITE_DONE)
        rc = sqlite_file_failed(&place->file, err);
    (void)sqlite3_reset(s);
    return rc;
}

static int run_read(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    struct log_size size;
    int64_t first = 0;
    int rc = get_log(place, op->record.id, now_s, &size, err);
    if (rc == 0 && !size.found) {
        store_op_fail(op, VSR_E_NOT_FOUND, "no such log of events");
        return 0;
    }
    if (rc == 0)
        rc = first_event(place, op->record.id, &first, err);
    if (rc == 0 && first <= op->after + 1)
        rc = read_events(place, op, err);
    if (rc == VSR_E_NOMEM)
        store_op_fail(op, VSR_E_NOMEM, "no memory for events");
    else if (rc == 0)
        store_op_settle_events(op, first);
    return rc == VSR_E_NOMEM ? 0 : rc;
}

/* ---- batches */

static int run_one(struct sqlite_place *place, struct store_op *op, int64_t now_s, struct vsr_err *err) {
    switch (op->kind) {
    case STORE_OP_PUT:
        return run_put(place, op, now_s, err);
    case STORE_OP_PROGRESS:
        return run_progress(place, op, now_s, err);
    case STORE_OP_DELETE:
        return run_delete(place, op, now_s, err);
    case STORE_OP_APPEND:
        return run_append(place, op, now_s, err);
    case STORE_OP_READ:
        return run_read(place, op, now_s, err);
    default:
        return run_chain(place, op, now_s, err);
    }
}

static int transact(struct sqlite_place *place, struct store_op **ops, size_t n, int64_t now_s, struct vsr_err *err) {
    bool writes = false;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        writes |= store_op_is_write(ops[i]);
    if (writes)
        rc = sqlite_file_do(&place->file, SQL_BEGIN, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = run_one(place, ops[i], now_s, err);
    if (rc == 0 && writes)
        rc = sqlite_file_do(&place->file, SQL_COMMIT, err);
    place->full = rc < 0 && sqlite3_errcode(place->file.db) == SQLITE_FULL;
    if (rc < 0 && !sqlite3_get_autocommit(place->file.db))
        (void)sqlite_file_do(&place->file, SQL_ROLLBACK, NULL); /* closing does it, too */
    for (size_t i = 0; rc < 0 && i < n; i++)
        store_op_restart(ops[i]);
    return rc;
}

static int64_t count(struct sqlite_place *place, const char *sql) {
    sqlite3_stmt *s;
    int64_t n = 0;
    if (sqlite3_prepare_v2(place->file.db, sql, -1, &s, NULL) == SQLITE_OK) {
        n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
        sqlite3_finalize(s);
    }
    return n;
}

/* Up to `n_max` logs whose time ends at `until_s`, those first whose time ends first. How many; or an error. */
static int64_t drop_logs(struct sqlite_place *place, int64_t until_s, int64_t n_max, struct vsr_err *err) {
    for (int64_t n = 0; n < n_max; n++) {
        char id[STORE_ID_LEN_MAX];
        sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_OLDEST_LOG);
        vsr_str log;
        int rc;
        (void)sqlite3_bind_int64(s, 1, until_s);
        if (sqlite3_step(s) != SQLITE_ROW) {
            (void)sqlite3_reset(s);
            return n;
        }
        log = sqlite_str(s, 0);
        log.len = log.len < sizeof(id) ? log.len : sizeof(id);
        memcpy(id, log.ptr, log.len);
        (void)sqlite3_reset(s);
        rc = delete_log(place, str_make(id, log.len), err);
        if (rc < 0)
            return rc;
    }
    return n_max;
}

static int trim(struct sqlite_place *place, enum sqlite_statement which, struct vsr_err *err) {
    (void)sqlite3_bind_int64(sqlite_file_use(&place->file, which), 1,
                             count(place, "SELECT count(*) FROM responses") / 16 + TRIM_MIN);
    return sqlite_file_do(&place->file, which, err);
}

/* The oldest make room: a sixteenth of the records and of the logs, which is rarely needed again at once. What is under
 * way only where nothing has ended. */
static int make_room(struct sqlite_place *place, struct vsr_err *err) {
    int64_t n_logs = count(place, "SELECT count(*) FROM event_logs");
    int rc = trim(place, SQL_TRIM, err);
    if (rc == 0 && sqlite3_changes(place->file.db) == 0)
        rc = trim(place, SQL_TRIM_UNFINISHED, err);
    if (rc == 0 && drop_logs(place, INT64_MAX, n_logs / 16 + 1, err) < 0)
        rc = VSR_E_IO;
    return rc;
}

static int sqlite_run(void *state, struct store_op **ops, size_t n, int64_t now_s, struct vsr_err *err) {
    struct sqlite_place *place = state;
    int rc = transact(place, ops, n, now_s, err);
    /* the limit of the file, unless it is that of the disk */
    if (rc < 0 && place->full && sqlite_file_len(&place->file) >= place->options->file_len_max &&
        make_room(place, err) == 0)
        rc = transact(place, ops, n, now_s, err);
    return rc < 0 ? err_wrap(err, "%.*s", VSR_FMT(place->options->path)) : 0;
}

static int sqlite_maintain(void *state, int64_t now_s, struct vsr_err *err) {
    struct sqlite_place *place = state;
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_EXPIRE);
    int64_t n_logs = 0;
    bool more;
    int rc;
    (void)sqlite3_bind_int64(s, 1, now_s);
    (void)sqlite3_bind_int64(s, 2, EXPIRE_MAX);
    rc = sqlite_file_do(&place->file, SQL_EXPIRE, err);
    more = sqlite3_changes(place->file.db) == EXPIRE_MAX;
    if (rc == 0)
        n_logs = drop_logs(place, now_s, EXPIRE_LOGS_MAX, err);
    if (n_logs < 0)
        rc = VSR_E_IO;
    if (rc == 0 && sqlite_file_len(&place->file) > place->options->file_len_max)
        rc = make_room(place, err);
    sqlite_file_shrink(&place->file);
    return rc < 0 ? rc : more || n_logs == EXPIRE_LOGS_MAX;
}

/* ---- what a former process has left */

static int fail_record(struct sqlite_place *place, struct arena *arena, vsr_str id, int64_t now_s,
                       struct vsr_err *err) {
    struct store_op op = { .arena = arena };
    size_t len = 0;
    int rc = add_record(place, &op, id, now_s, &len, err);
    struct response_record record;
    int n;
    if (rc == 1)
        return delete_by(place, SQL_FORGET, id, &n, err); /* its time is over */
    if (rc < 0)
        return rc;
    VSR_ASSERT(op.records);
    record = op.records[0];
    record.status = VSR_STR("failed");
    record.object_json = record_failed_object(arena, record.object_json);
    return put(place, &record, true, now_s, err);
}

static size_t unfinished(struct sqlite_place *place, struct arena *arena, vsr_str *ids) {
    sqlite3_stmt *s = sqlite_file_use(&place->file, SQL_UNFINISHED);
    size_t n = 0;
    sqlite_bind_str(s, 1, place->options->instance);
    (void)sqlite3_bind_int(s, 2, RECOVER_BATCH);
    while (n < RECOVER_BATCH && sqlite3_step(s) == SQLITE_ROW)
        ids[n++] = arena_str(arena, sqlite_str(s, 0));
    (void)sqlite3_reset(s);
    return n;
}

static int sqlite_recover(void *state, int64_t now_s, size_t *ret_n, struct vsr_err *err) {
    struct sqlite_place *place = state;
    struct arena *arena = arena_new(0, 0);
    vsr_str ids[RECOVER_BATCH];
    size_t n;
    int rc = 0;
    while (rc == 0 && (n = unfinished(place, arena, ids))) {
        for (size_t i = 0; rc == 0 && i < n; i++)
            rc = fail_record(place, arena, ids[i], now_s, err);
        *ret_n += n;
        arena_reset(arena);
    }
    arena_free(arena);
    return rc;
}

/* ---- life */

static void sqlite_close(void *state) {
    struct sqlite_place *place = state;
    sqlite_file_close(&place->file);
    mem_free(place);
}

static int sqlite_open(const struct response_store_options *options, void **ret_state, struct vsr_err *err) {
    struct sqlite_place *place = MEM_NEW(struct sqlite_place);
    int rc = sqlite_file_open(&place->file, options->path.ptr, options->file_len_max, err);
    place->options = options;
    if (rc < 0) {
        sqlite_close(place);
        return rc;
    }
    *ret_state = place;
    return 0;
}

const struct store_driver store_driver_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .run = sqlite_run,
    .recover = sqlite_recover,
    .maintain = sqlite_maintain,
};
