/*
 * response_store - what vsr has answered, kept for those who come back to it.
 *
 * A record is one response with the input that led to it. It lives in one of four places (memory, an SQLite file, a
 * PostgreSQL server, a Redis server), and who uses the store does not see which:
 *
 *     worker's loop                     thread of the store                        place
 *     response_store_put(lane) --op--> queue, batches of 64 --> driver ----------> sqlite | postgres | redis | memory
 *     done(owner, reply)  <--bell----- reply                --> memory while the place is away, written to it later
 *
 * One thread executes what all lanes ask in the order in which it was asked, so a read sees every write that was begun
 * before it, on whichever worker. A worker has a lane; asking never blocks, and done() runs later on the lane's loop,
 * once, unless the operation was cancelled.
 *
 * A place that cannot be reached never fails a write: memory takes it, and when the place is back it is written there,
 * oldest first. Meanwhile reads that memory cannot answer fail with VSR_E_UNAVAILABLE, and so does every read that has
 * waited for STORE_READ_TIMEOUT_MS. A record whose status is final keeps that status for ever, so that a write may be
 * repeated and what comes late does no harm.
 *
 * A record may be gone for many reasons: it was deleted, its time was over, there was no room, its place has lost it or
 * is another one now. Only the first says that nobody wants it any more, so what is deleted leaves a mark (nothing of
 * the response but its id, for STORE_DELETED_S) that writes of the same id, and whoever works on it, run into; in all
 * other cases they write it anew. What is under way leaves after what has ended where room is needed, and its time
 * begins anew while somebody works on it.
 */
#ifndef VSR_STORE_RESPONSE_STORE_H
#define VSR_STORE_RESPONSE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct event_record; /* store/event_log.h */
struct loop;
struct metrics;
struct response_store;
struct store_lane;
struct store_op;

enum {
    STORE_QUEUE_MAX = 8192,            /* operations that wait; past it they fail with VSR_E_UNAVAILABLE */
    STORE_QUEUE_BYTES_MAX = 256 << 20, /* and of what they carry */
    STORE_READ_TIMEOUT_MS = 3000,      /* an answer that comes later helps nobody */
    STORE_ID_LEN_MAX = 256,            /* also of owners, statuses and types */
    STORE_RECORD_BYTES_MAX = 64 << 20, /* object and input of one record */
    STORE_CHAIN_HOPS_MAX = 1000,       /* gateway.md 6.3 */
    STORE_CHAIN_BYTES_MAX = 64 << 20,  /* a longer history loses its oldest turns */
    STORE_TTL_S = 86400,
    STORE_DELETED_S = 3600, /* for which a delete is remembered: longer than any place is away that comes back */
    STORE_HELD_MAX = 65536, /* writes that memory holds for a place that is away */
    STORE_MEMORY_BYTES_MAX = 256 << 20, /* of records held in memory */
};

/* All strings are copied. */
struct response_record {
    vsr_str id;
    vsr_str previous_id;             /* empty: first of its chain */
    vsr_str conversation_id;         /* may be empty */
    vsr_str owner;                   /* whose it is; the caller compares */
    vsr_str status;                  /* queued, in_progress; final: completed, failed, incomplete, cancelled */
    vsr_str object_json, input_json; /* valid JSON, an object and an array; the input may be empty */
    int64_t created_s;
    int64_t expires_s; /* 0: by the store's ttl, from now */
    int64_t input_tokens, output_tokens;
};

/* Whether a record of that status keeps it. */
bool store_status_is_final(vsr_str status);

/* Everything in it is valid during the call. */
struct store_reply {
    int rc; /* 0, VSR_E_NOT_FOUND, VSR_E_UNAVAILABLE, VSR_E_LIMIT, VSR_E_INVALID, VSR_E_NOMEM, VSR_E_PROTOCOL */
    const struct response_record *records;
    size_t n;
    bool kept;    /* a final record was there already and stays; also where the same write had come before */
    bool deleted; /* with VSR_E_NOT_FOUND: since somebody has deleted it, and not for another reason */
    const struct event_record *events;
    size_t n_events;
    const struct vsr_err *err; /* NULL when rc is 0 */
};
typedef void store_done_fn(void *owner, const struct store_reply *reply);

/* ---- the store: one per process; any thread unless it says otherwise */

enum response_store_kind {
    RESPONSE_STORE_MEMORY,
    RESPONSE_STORE_SQLITE,
    RESPONSE_STORE_POSTGRES,
    RESPONSE_STORE_REDIS,
    RESPONSE_STORE_KINDS,
};
const char *response_store_kind_name(enum response_store_kind kind);

/* A server that speaks Redis. */
struct redis_options {
    vsr_str address;    /* host:port; the port may be missing: 6379; [v6]:port */
    vsr_str username;   /* empty: only the password is sent */
    vsr_str password;   /* empty: no AUTH */
    vsr_str key_prefix; /* front of every key; empty: "sr:"; ":" is appended when it is missing */
    int64_t db;
    bool tls, tls_skip_verify;
    vsr_str tls_cert, tls_key, tls_ca; /* files */
    vsr_str tls_name;                  /* empty: the host of the address */
    unsigned retries;                  /* of a command that has no effect when it is repeated */
    uint64_t connect_ms, io_ms;        /* 0: 5000, 3000 */
};

struct postgres_options {
    vsr_str host; /* or the directory of a Unix socket, as libpq has it */
    int64_t port; /* 0: 5432 */
    vsr_str database, user, password;
    vsr_str ssl_mode;           /* empty: libpq's */
    vsr_str table;              /* empty: vsr_responses; "<table>_events" goes with it */
    uint64_t connect_ms, io_ms; /* 0: 5000, 3000 */
};

struct response_store_options {
    enum response_store_kind kind;
    int64_t ttl_s;         /* 0: STORE_TTL_S */
    int64_t event_ttl_s;   /* of events after the last one; 0: 600 */
    size_t responses_max;  /* of the kind memory; 0: 1000 */
    uint64_t file_len_max; /* of an SQLite file; 0: 16 GiB; the oldest records leave */
    vsr_str path;          /* of the SQLite file; its directory is made when it is not there */
    vsr_str instance;      /* this process among those that share the place, the same after a restart; may be empty */
    struct redis_options redis;
    struct postgres_options postgres;
    uint64_t read_ms; /* after which a read fails; 0: STORE_READ_TIMEOUT_MS; only response_store_open() heeds it */
    struct metrics *metrics; /* kept; NULL: none */
};

/*
 * Copies the options. Returns at once: the place is opened on the store's thread, and until it is there memory stands
 * for it. When it is opened for the first time, records of this instance that were not final become `failed`, because
 * nobody works on them any more. Fails when no thread can be made.
 */
int response_store_open(const struct response_store_options *options, struct response_store **ret_store,
                        struct vsr_err *err) VSR_MUST_CHECK;
/* The same store goes on with other options, after what was asked before. Lanes stay; records do not move. */
void response_store_configure(struct response_store *store, const struct response_store_options *options);
/* After its lanes. Executes what is queued, writes what memory holds for a place that is back, and closes. NULL is
 * allowed. */
void response_store_free(struct response_store *store);

struct response_store_status {
    enum response_store_kind kind;
    bool up;         /* the place works; false: memory stands for it */
    bool opened;     /* it has worked since it was configured */
    size_t queued;   /* operations that wait */
    size_t held;     /* writes that memory holds until the place is back */
    uint64_t lost;   /* that memory could not hold */
    char error[256]; /* why it is not up */
};
void response_store_status(struct response_store *store, struct response_store_status *ret_status);

/* ---- lanes and operations: loop thread only */

int store_lane_new(struct response_store *store, struct loop *loop, struct store_lane **ret_lane,
                   struct vsr_err *err) VSR_MUST_CHECK;
/* Cancels what is under way: writes are still done. NULL is allowed. */
void store_lane_free(struct store_lane *lane);

/*
 * Each returns an operation that is the caller's to cancel until done() was called; never NULL, and done() is never
 * called inside. `done` NULL: nobody waits for the answer; the result is NULL then.
 */

/* Inserts or replaces. A final record stays as it is: `kept`. `deleted`: it was, and does not come back. */
struct store_op *response_store_put(struct store_lane *lane, const struct response_record *record, store_done_fn *done,
                                    void *owner);
/*
 * For whoever works on a response that others may end or delete: the same, but a record that has ended with the same
 * status is replaced, so that whoever worked on what others cancelled may add what there was. While the place is away
 * it is found out later, when memory writes there, what others have done.
 */
struct store_op *response_store_update(struct store_lane *lane, const struct response_record *record,
                                       store_done_fn *done, void *owner);
/*
 * The work goes on: the status `queued` becomes `in_progress`, the record has at least half of the store's ttl left,
 * and nothing else is written; of what is under way the record's status applies, whatever its object says. `kept` and
 * `deleted` as above; VSR_E_NOT_FOUND without `deleted`: the record is lost, and may be put again.
 */
struct store_op *response_store_progress(struct store_lane *lane, vsr_str id, store_done_fn *done, void *owner);
/* One record, or VSR_E_NOT_FOUND: also when its time is over. */
struct store_op *response_store_get(struct store_lane *lane, vsr_str id, store_done_fn *done, void *owner);
/*
 * The record `id` and those before it by previous_id, oldest first, at most `hops_max` and STORE_CHAIN_BYTES_MAX. A
 * missing one, or one that was there before, ends the chain; when `id` itself is missing: VSR_E_NOT_FOUND.
 */
struct store_op *response_store_chain(struct store_lane *lane, vsr_str id, unsigned hops_max, store_done_fn *done,
                                      void *owner);
/* With its events. VSR_E_NOT_FOUND when there was none. What runs under that name finds it `deleted`. */
struct store_op *response_store_delete(struct store_lane *lane, vsr_str id, store_done_fn *done, void *owner);

/* No callback follows; a write is done all the same. NULL is allowed. */
void store_op_cancel(struct store_op *op);

#endif
