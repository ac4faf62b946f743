/*
 * redis_reply - reads what a Redis server answers (RESP2).
 *
 * Bytes go in as they come, whole replies come out, whatever the split. What a server can claim is bounded before it
 * costs memory: the length of a reply, of a line, its depth and the number of its elements. After an error the
 * connection is of no use. One thread; pure.
 */
#ifndef VSR_STORE_REDIS_REPLY_H
#define VSR_STORE_REDIS_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    REDIS_REPLY_LEN_MAX = 192 << 20, /* a record at its limit, written as JSON, and more */
    REDIS_LINE_LEN_MAX = 64 << 10,
    REDIS_DEPTH_MAX = 8,
    REDIS_ITEMS_MAX = 1 << 20,
};

enum redis_type { REDIS_NIL, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_STRING, REDIS_ARRAY };

struct redis_value {
    enum redis_type type;
    vsr_str text; /* STATUS, ERROR, STRING */
    int64_t integer;
    const struct redis_value *items;
    size_t n;
};

struct redis_reader {
    struct buf bytes;
    size_t begin, seen;              /* of the reply that is read; how far it has been looked at */
    size_t missing[REDIS_DEPTH_MAX]; /* elements of each open array */
    size_t depth, n_items;
};

void redis_reader_init(struct redis_reader *reader);
void redis_reader_done(struct redis_reader *reader);
/* Forgets what was read: a new connection. */
void redis_reader_reset(struct redis_reader *reader);

/* VSR_E_LIMIT, VSR_E_NOMEM. */
int redis_reader_feed(struct redis_reader *reader, vsr_str bytes);
/*
 * 1 with a whole reply, whose arrays lie in `arena` and whose texts are good until the reader is fed again; 0 when it
 * is not whole yet; VSR_E_PROTOCOL, VSR_E_LIMIT.
 */
int redis_reader_next(struct redis_reader *reader, struct arena *arena, struct redis_value *ret_value,
                      struct vsr_err *err);

/* Appends a command as an array of strings. */
void redis_command_write(struct buf *out, const vsr_str *argv, size_t n);

#endif
