#include "store/store_op.h"

#include "core/arena.h"
#include "core/mem.h"
#include "store/record_copy.h"

void store_op_free(struct store_op *op) {
    if (!op)
        return;
    arena_free(op->arena);
    mem_free(op);
}

void store_op_settle(struct store_op *op) {
    op->settled = true;
    op->rc = 0;
}

void store_op_fail(struct store_op *op, int rc, const char *format, ...) {
    char text[VSR_ERR_TEXT_LEN];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    op->err = ARENA_NEW(op->arena, struct vsr_err);
    op->rc = err_set(op->err, rc, "%s", text);
    op->settled = true;
}

static bool is_power_of_two(size_t n) {
    return (n & (n - 1)) == 0;
}

/* Room for one more in an array whose capacity is the next power of two. */
static void *room(struct arena *arena, void *array, size_t size, size_t n) {
    void *more;
    if (n && !is_power_of_two(n))
        return array;
    more = arena_try_alloc(arena, (n ? n * 2 : 1) * size);
    if (more && n)
        memcpy(more, array, n * size);
    return more;
}

int store_op_add_record(struct store_op *op, const struct response_record *record) {
    struct response_record *records = room(op->arena, op->records, sizeof(*records), op->n_records);
    int rc = records ? record_copy(op->arena, record, &records[op->n_records]) : VSR_E_NOMEM;
    if (rc < 0)
        return rc;
    op->records = records;
    op->n_records++;
    return 0;
}

int store_op_add_event(struct store_op *op, const struct event_record *event) {
    struct event_record *events = room(op->arena, op->events, sizeof(*events), op->n_events);
    int rc = events ? event_copy(op->arena, event, &events[op->n_events]) : VSR_E_NOMEM;
    if (rc < 0)
        return rc;
    op->events = events;
    op->n_events++;
    return 0;
}

void store_op_reverse(struct store_op *op) {
    for (size_t i = 0, j = op->n_records; i + 1 < j; i++) {
        struct response_record swap = op->records[i];
        op->records[i] = op->records[--j];
        op->records[j] = swap;
    }
}

bool store_op_has(const struct store_op *op, vsr_str id) {
    for (size_t i = 0; i < op->n_records; i++)
        if (str_eq(op->records[i].id, id))
            return true;
    return false;
}

void store_op_restart(struct store_op *op) {
    op->settled = false;
    op->rc = 0;
    op->err = NULL;
    op->records = NULL;
    op->events = NULL;
    op->n_records = op->n_events = 0;
    op->kept = op->deleted = false;
}

void store_op_settle_kept(struct store_op *op) {
    op->kept = true;
    store_op_settle(op);
}

void store_op_fail_absent(struct store_op *op, bool deleted) {
    op->deleted = deleted;
    store_op_fail(op, VSR_E_NOT_FOUND, deleted ? "the response was deleted" : "no such response");
}

bool store_op_leaves_gap(const struct store_op *op, size_t first_new, int64_t last_seq) {
    return first_new < op->n_new_events && op->new_events[first_new].seq != last_seq + 1;
}

void store_op_refuse_gap(struct store_op *op, int64_t last_seq) {
    if (last_seq < 0)
        store_op_fail(op, VSR_E_NOT_FOUND, "no such log of events");
    else
        store_op_fail(op, VSR_E_INVALID, "events are missing behind number %lld", (long long)last_seq);
}

void store_op_settle_events(struct store_op *op, int64_t first) {
    if (first > op->after + 1)
        store_op_fail(op, VSR_E_LIMIT, "the events before number %lld are gone", (long long)first);
    else
        store_op_settle(op);
}
