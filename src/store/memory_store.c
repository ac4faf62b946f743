#include "store/memory_store.h"

#include "core/arena.h"
#include "core/mem.h"
#include "store/ordered_table.h"
#include "store/record_copy.h"
#include "store/store_op.h"

enum {
    LOG_BYTES_MAX = 256 << 20, /* of all logs */
    SWEEP_MAX = 4,             /* expired ones that one operation clears away */
    PASS_OVER_MAX = 1024,      /* of those that are under way, where one is looked for that may leave */
    DELETED_S = 60,            /* as a place, which one process has: who runs what was deleted looks within seconds */
};

struct memory_record {
    struct ordered_node node; /* first: a node is its record */
    struct response_record record;
    size_t len;
    bool deleted; /* the mark of one that was; stands in: to be deleted in the place, too */
    bool update;  /* stands in: how it is to be written */
    char bytes[];
};

struct memory_event {
    struct event_record event;
    char bytes[];
};

struct memory_log {
    struct ordered_node node; /* first: a node is its log */
    struct memory_event **events;
    size_t begin, end, cap; /* events[begin..end) */
    size_t len;
    int64_t expires_s;
    char id[];
};

struct memory_store {
    struct memory_limits limits;
    struct ordered_table records, logs;
    size_t record_bytes, log_bytes;
    uint64_t evicted;
};

/* ---- records */

static void drop_record(struct memory_store *store, struct memory_record *held) {
    if (!held)
        return;
    ordered_table_remove(&store->records, &held->node);
    store->record_bytes -= held->len;
    mem_free(held);
}

static struct memory_record *find_record(struct memory_store *store, vsr_str id, int64_t now_s) {
    struct memory_record *held = (struct memory_record *)ordered_table_find(&store->records, id);
    if (held && held->record.expires_s <= now_s) {
        drop_record(store, held);
        return NULL;
    }
    return held;
}

/* What somebody works on, and what a place has yet to hear of, is missed sooner than what has ended. */
static bool is_needed(const struct memory_store *store, const struct memory_record *held) {
    return held->deleted ? store->limits.stands_in : !store_status_is_final(held->record.status);
}

/* The oldest that is not needed becomes the first of all. */
static void pass_over_needed(struct memory_store *store) {
    for (size_t i = 0; i < PASS_OVER_MAX && i < store->records.n; i++) {
        struct memory_record *oldest = (struct memory_record *)store->records.first;
        if (!is_needed(store, oldest))
            return;
        ordered_table_remove(&store->records, &oldest->node);
        ordered_table_add(&store->records, &oldest->node, oldest->record.id);
    }
}

static void make_room(struct memory_store *store, size_t n_more, size_t len) {
    while (store->records.first && (store->records.n + n_more > store->limits.records_max ||
                                    store->record_bytes + len > store->limits.bytes_max)) {
        pass_over_needed(store);
        drop_record(store, (struct memory_record *)store->records.first);
        store->evicted++;
    }
}

static void sweep(struct memory_store *store, int64_t now_s) {
    for (int i = 0; i < SWEEP_MAX && store->records.first; i++) {
        struct memory_record *oldest = (struct memory_record *)store->records.first;
        if (oldest->record.expires_s > now_s)
            return;
        drop_record(store, oldest);
    }
}

enum how { WRITTEN, UPDATED, DELETED };

/* Never in the table already. False: no memory. */
static bool add_record(struct memory_store *store, const struct response_record *record, enum how how) {
    size_t len = record_len(record);
    struct memory_record *held = mem_try_realloc(NULL, sizeof(*held) + len);
    if (!held)
        return false;
    make_room(store, 1, len);
    *held = (struct memory_record){ .len = len, .deleted = how == DELETED, .update = how == UPDATED };
    record_copy_to(held->bytes, record, &held->record);
    ordered_table_add(&store->records, &held->node, held->record.id);
    store->record_bytes += len;
    return true;
}

static void miss(const struct memory_store *store, struct store_op *op, const char *what) {
    if (store->limits.stands_in)
        store_op_fail(op, VSR_E_UNAVAILABLE, "the store is away, and memory has no such %s", what);
    else
        store_op_fail(op, VSR_E_NOT_FOUND, "no such %s", what);
}

static void run_put(struct memory_store *store, struct store_op *op, int64_t now_s) {
    struct memory_record *old = find_record(store, op->record.id, now_s);
    struct response_record record = op->record;
    if (old && old->deleted) {
        store_op_fail_absent(op, true);
        return;
    }
    if (old && store_status_is_final(old->record.status) &&
        !(op->update && str_eq(old->record.status, record.status))) {
        store_op_settle_kept(op);
        return;
    }
    if (record.expires_s == 0)
        record.expires_s = now_s + store->limits.ttl_s;
    drop_record(store, old);
    if (add_record(store, &record, op->update ? UPDATED : WRITTEN))
        store_op_settle(op);
    else
        store_op_fail(op, VSR_E_NOMEM, "no memory for a response");
}

static void run_progress(struct memory_store *store, struct store_op *op, int64_t now_s) {
    struct memory_record *held = find_record(store, op->record.id, now_s);
    if (held ? held->deleted : !store->limits.stands_in) { /* standing in, it does not know of what it does not hold */
        store_op_fail_absent(op, held);
    } else if (held && store_status_is_final(held->record.status)) {
        store_op_settle_kept(op);
    } else {
        if (held)
            held->record.status = VSR_STR("in_progress");
        if (held && held->record.expires_s < now_s + store->limits.ttl_s)
            held->record.expires_s = now_s + store->limits.ttl_s;
        store_op_settle(op);
    }
}

static void run_get(struct memory_store *store, struct store_op *op, int64_t now_s) {
    const struct memory_record *held = find_record(store, op->record.id, now_s);
    if (!held)
        miss(store, op, "response");
    else if (held->deleted)
        store_op_fail(op, VSR_E_NOT_FOUND, "no such response");
    else if (store_op_add_record(op, &held->record) < 0)
        store_op_fail(op, VSR_E_NOMEM, "no memory for a response");
    else
        store_op_settle(op);
}

static void run_chain(struct memory_store *store, struct store_op *op, int64_t now_s) {
    vsr_str id = op->record.id;
    size_t len = 0;
    while (id.len && op->n_records < op->hops_max && !store_op_has(op, id)) {
        const struct memory_record *held = find_record(store, id, now_s);
        if (!held && store->limits.stands_in) {
            miss(store, op, "response");
            return;
        }
        if (!held || held->deleted || (op->n_records && len + held->len > STORE_CHAIN_BYTES_MAX))
            break;
        if (store_op_add_record(op, &held->record) < 0) {
            store_op_fail(op, VSR_E_NOMEM, "no memory for a chain of responses");
            return;
        }
        len += held->len;
        id = held->record.previous_id;
    }
    store_op_reverse(op);
    if (op->n_records)
        store_op_settle(op);
    else
        store_op_fail(op, VSR_E_NOT_FOUND, "no such response");
}

/* ---- events */

static void drop_oldest_event(struct memory_store *store, struct memory_log *log) {
    struct memory_event *oldest = log->events[log->begin++];
    size_t len = event_len(&oldest->event);
    log->len -= len;
    store->log_bytes -= len;
    mem_free(oldest);
}

static void drop_log(struct memory_store *store, struct memory_log *log) {
    if (!log)
        return;
    while (log->begin < log->end)
        drop_oldest_event(store, log);
    ordered_table_remove(&store->logs, &log->node);
    mem_free(log->events);
    mem_free(log);
}

static struct memory_log *find_log(struct memory_store *store, vsr_str id, int64_t now_s) {
    struct memory_log *log = (struct memory_log *)ordered_table_find(&store->logs, id);
    if (log && log->expires_s <= now_s) {
        drop_log(store, log);
        return NULL;
    }
    return log;
}

static void sweep_logs(struct memory_store *store, int64_t now_s) {
    for (int i = 0; i < SWEEP_MAX && store->logs.first; i++) {
        struct memory_log *oldest = (struct memory_log *)store->logs.first;
        if (oldest->expires_s > now_s)
            return;
        drop_log(store, oldest);
    }
}

static struct memory_log *add_log(struct memory_store *store, vsr_str id) {
    struct memory_log *log;
    if (store->logs.n >= store->limits.records_max) {
        drop_log(store, (struct memory_log *)store->logs.first);
        store->evicted++;
    }
    log = mem_alloc(sizeof(*log) + id.len);
    memcpy(log->id, id.ptr, id.len);
    ordered_table_add(&store->logs, &log->node, str_make(log->id, id.len));
    return log;
}

/* Space for one more behind the last: what left at the front is used again. */
static bool reserve_event(struct memory_log *log) {
    size_t n = log->end - log->begin;
    if (log->end < log->cap)
        return true;
    if (log->begin > n) {
        memmove(log->events, log->events + log->begin, n * sizeof(struct memory_event *));
    } else {
        size_t cap = log->cap ? log->cap * 2 : 16;
        struct memory_event **events = mem_try_realloc(log->events, cap * sizeof(struct memory_event *));
        if (!events)
            return false;
        log->events = events;
        log->cap = cap;
        memmove(events, events + log->begin, n * sizeof(struct memory_event *));
    }
    log->begin = 0;
    log->end = n;
    return true;
}

static bool add_event(struct memory_store *store, struct memory_log *log, const struct event_record *event) {
    size_t len = event_len(event);
    struct memory_event *held = mem_try_realloc(NULL, sizeof(*held) + len);
    if (!held || !reserve_event(log)) {
        mem_free(held);
        return false;
    }
    held->event = *event;
    held->event.type = str_make(held->bytes, event->type.len);
    held->event.json = str_make(held->bytes + event->type.len, event->json.len);
    if (event->type.len)
        memcpy(held->bytes, event->type.ptr, event->type.len);
    if (event->json.len)
        memcpy(held->bytes + event->type.len, event->json.ptr, event->json.len);
    log->events[log->end++] = held;
    log->len += len;
    store->log_bytes += len;
    while (log->end - log->begin > EVENT_LOG_EVENTS_MAX ||
           (log->len > EVENT_LOG_BYTES_MAX && log->end - log->begin > 1))
        drop_oldest_event(store, log);
    return true;
}

/* Never the youngest log: it is the one that is written. */
static void make_log_room(struct memory_store *store) {
    while (store->log_bytes > LOG_BYTES_MAX && store->logs.n > 1) {
        drop_log(store, (struct memory_log *)store->logs.first);
        store->evicted++;
    }
}

static bool is_deleted(struct memory_store *store, vsr_str id, int64_t now_s) {
    const struct memory_record *held = find_record(store, id, now_s);
    return held && held->deleted;
}

/* Where memory stands in, the beginning may be in the place. */
static void run_append(struct memory_store *store, struct store_op *op, int64_t now_s) {
    struct memory_log *log = find_log(store, op->record.id, now_s);
    int64_t last_seq = log && log->begin < log->end ? log->events[log->end - 1]->event.seq : -1;
    size_t i = 0;
    while (i < op->n_new_events && op->new_events[i].seq <= last_seq)
        i++;
    bool deleted = is_deleted(store, op->record.id, now_s);
    if (deleted || (store_op_leaves_gap(op, i, last_seq) && (last_seq >= 0 || !store->limits.stands_in))) {
        store_op_refuse_gap(op, deleted ? -1 : last_seq);
        return;
    }
    if (!log)
        log = add_log(store, op->record.id);
    for (; i < op->n_new_events; i++) {
        const struct event_record *event = &op->new_events[i];
        if (!add_event(store, log, event)) {
            store_op_fail(op, VSR_E_NOMEM, "no memory for an event");
            return;
        }
        log->expires_s = now_s + (event->last ? store->limits.event_ttl_s : store->limits.ttl_s);
    }
    make_log_room(store);
    store_op_settle(op);
}

static void run_read(struct memory_store *store, struct store_op *op, int64_t now_s) {
    const struct memory_log *log = find_log(store, op->record.id, now_s);
    if (!log || log->begin == log->end) {
        miss(store, op, "log of events");
        return;
    }
    if (store->limits.stands_in && log->events[log->begin]->event.seq > op->after + 1) {
        miss(store, op, "event");
        return;
    }
    for (size_t i = log->begin; i < log->end && op->n_events < op->limit; i++) {
        const struct event_record *event = &log->events[i]->event;
        if (event->seq > op->after && store_op_add_event(op, event) < 0) {
            store_op_fail(op, VSR_E_NOMEM, "no memory for events");
            return;
        }
    }
    store_op_settle_events(op, log->events[log->begin]->event.seq);
}

/* Somebody may work on it: what was cancelled until he has seen that. */
static bool may_run(const struct memory_record *held) {
    return !store_status_is_final(held->record.status) || str_eq_c(held->record.status, "cancelled");
}

static void run_delete(struct memory_store *store, struct store_op *op, int64_t now_s) {
    const struct response_record mark = { .id = op->record.id,
                                          .expires_s = store->limits.stands_in ? INT64_MAX : now_s + DELETED_S };
    struct memory_record *held = find_record(store, op->record.id, now_s);
    bool found = held && !held->deleted, marked = store->limits.stands_in || (found && may_run(held));
    drop_log(store, find_log(store, op->record.id, now_s));
    if (found || marked)
        drop_record(store, held);
    if (marked && !add_record(store, &mark, DELETED))
        store_op_fail(op, VSR_E_NOMEM, "no memory to remember a delete");
    else if (found || marked)
        store_op_settle(op);
    else
        store_op_fail_absent(op, false);
}

/* ---- all of it */

void memory_store_run(struct memory_store *store, struct store_op *op, int64_t now_s) {
    static void (*const run[STORE_OP_KINDS])(struct memory_store *, struct store_op *, int64_t) = {
        [STORE_OP_PUT] = run_put,     [STORE_OP_PROGRESS] = run_progress, [STORE_OP_GET] = run_get,
        [STORE_OP_CHAIN] = run_chain, [STORE_OP_DELETE] = run_delete,     [STORE_OP_APPEND] = run_append,
        [STORE_OP_READ] = run_read,
    };
    sweep(store, now_s);
    sweep_logs(store, now_s);
    run[op->kind](store, op, now_s);
}

static bool next_record(struct memory_cursor *cursor, struct store_op *op) {
    const struct memory_record *held = cursor->node;
    op->kind = held->deleted ? STORE_OP_DELETE : STORE_OP_PUT;
    op->held = true;
    op->update = held->update;
    op->record = held->record;
    cursor->node = held->node.next;
    return true;
}

static bool next_log(struct memory_cursor *cursor, struct store_op *op) {
    const struct memory_log *log = cursor->node;
    size_t n = log->end - log->begin - cursor->n_events;
    if (n > EVENT_LOG_APPEND_MAX)
        n = EVENT_LOG_APPEND_MAX;
    op->kind = STORE_OP_APPEND;
    op->held = true;
    op->record = (struct response_record){ .id = log->node.key };
    op->new_events = ARENA_ARRAY(op->arena, struct event_record, n);
    for (size_t i = 0; i < n; i++)
        op->new_events[i] = log->events[log->begin + cursor->n_events + i]->event;
    op->n_new_events = n;
    cursor->n_events += n;
    if (cursor->n_events == log->end - log->begin) {
        cursor->node = log->node.next;
        cursor->n_events = 0;
    }
    return true;
}

bool memory_store_next_write(const struct memory_store *store, struct memory_cursor *cursor, struct store_op *op) {
    if (!cursor->begun) {
        cursor->begun = true;
        cursor->node = store->records.first;
    }
    if (!cursor->in_logs && cursor->node)
        return next_record(cursor, op);
    if (!cursor->in_logs) {
        cursor->in_logs = true;
        cursor->node = store->logs.first;
    }
    return cursor->node && next_log(cursor, op);
}

void memory_store_drop_written(struct memory_store *store, const struct memory_cursor *cursor) {
    const void *record = cursor->in_logs ? NULL : cursor->node;
    if (!cursor->begun)
        return;
    while (store->records.first && store->records.first != record)
        drop_record(store, (struct memory_record *)store->records.first);
    while (cursor->in_logs && store->logs.first && store->logs.first != cursor->node)
        drop_log(store, (struct memory_log *)store->logs.first);
}

size_t memory_store_deletes(const struct memory_store *store) {
    size_t n = 0;
    for (const struct ordered_node *node = store->records.first; node; node = node->next)
        n += ((const struct memory_record *)node)->deleted;
    return n;
}

size_t memory_store_count(const struct memory_store *store) {
    return store->records.n + store->logs.n;
}

void memory_store_clear(struct memory_store *store) {
    while (store->records.first)
        drop_record(store, (struct memory_record *)store->records.first);
    while (store->logs.first)
        drop_log(store, (struct memory_log *)store->logs.first);
}

uint64_t memory_store_evicted(const struct memory_store *store) {
    return store->evicted;
}

struct memory_store *memory_store_new(const struct memory_limits *limits) {
    struct memory_store *store = MEM_NEW(struct memory_store);
    store->limits = *limits;
    return store;
}

void memory_store_set_limits(struct memory_store *store, const struct memory_limits *limits) {
    store->limits = *limits;
    make_room(store, 0, 0);
}

void memory_store_free(struct memory_store *store) {
    if (!store)
        return;
    memory_store_clear(store);
    ordered_table_done(&store->records);
    ordered_table_done(&store->logs);
    mem_free(store);
}
