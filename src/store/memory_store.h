/*
 * memory_store - records and events in memory: as a place of its own, and in place of a server that is away.
 *
 * In place of a server (`stands_in`) it holds only what was written since the server went. What it does not have may be
 * there, so it answers VSR_E_UNAVAILABLE instead of VSR_E_NOT_FOUND; deletes are remembered; and all of it can be
 * written on when the server is back. The oldest records leave when there are too many, those under way last. One
 * thread.
 */
#ifndef VSR_STORE_MEMORY_STORE_H
#define VSR_STORE_MEMORY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_store;
struct store_op;

struct memory_limits {
    size_t records_max, bytes_max;
    int64_t ttl_s, event_ttl_s;
    bool stands_in;
};

struct memory_store *memory_store_new(const struct memory_limits *limits);
void memory_store_free(struct memory_store *store); /* NULL is allowed */
/* From now on. */
void memory_store_set_limits(struct memory_store *store, const struct memory_limits *limits);

/* Executes and settles it. */
void memory_store_run(struct memory_store *store, struct store_op *op, int64_t now_s);

/* A place in a walk over what it holds. Zero-initialised stands before the first. */
struct memory_cursor {
    const void *node; /* of the next one */
    bool begun, in_logs;
    size_t n_events; /* of the log at `node` that have been seen */
};

/* What it holds as writes, oldest first: the next one is put into `op`, which has an arena, and whose strings live in
 * the store until it changes. False past the end. */
bool memory_store_next_write(const struct memory_store *store, struct memory_cursor *cursor, struct store_op *op);
/* What the walk has passed is written: it leaves. The cursor goes on. */
void memory_store_drop_written(struct memory_store *store, const struct memory_cursor *cursor);
/* How many deletes it remembers. */
size_t memory_store_deletes(const struct memory_store *store);
/* How many records, deletes and logs it holds. */
size_t memory_store_count(const struct memory_store *store);
void memory_store_clear(struct memory_store *store);

/* What left because there was no room, since it was made. */
uint64_t memory_store_evicted(const struct memory_store *store);

#endif
