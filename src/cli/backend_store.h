/*
 * backend_store - the responses that a stand-in has given, for those who come back to them.
 *
 * Kept in memory, the newest BACKEND_STORE_MAX of them, shared by all workers under one lock. What runs in the
 * background takes no work here: the answer is known at once, and until its time has come it is shown as queued, then
 * as in progress. Any thread.
 */
#ifndef VSR_CLI_BACKEND_STORE_H
#define VSR_CLI_BACKEND_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/str.h"

struct arena;
struct backend_answer;
struct backend_refusal;
struct backend_store;
struct buf;

enum { BACKEND_STORE_MAX = 1000, BACKEND_STORE_PAGE = 20, BACKEND_STORE_PAGE_MAX = 100 };

struct backend_store *backend_store_new(void);
void backend_store_free(struct backend_store *store);

/* Keeps a response: its object, its events, its input. `work_ms`: how long one in the background takes. */
void backend_store_put(struct backend_store *store, struct arena *arena, const struct backend_answer *answer,
                       uint64_t now_ms, uint64_t work_ms);

/*
 * Whether what the question goes on from is there: the response before, and a call for each result that has none in the
 * question itself. Else writes the refusal.
 */
bool backend_store_links(struct backend_store *store, struct arena *arena, const struct backend_answer *answer,
                         struct backend_refusal *ret_refusal);

/* What is asked of a response by its path, its method and its query. */
struct backend_store_query {
    vsr_str method;
    vsr_str id;
    vsr_str action; /* behind the id: empty, `cancel`, `input_items` */
    vsr_str query;  /* behind the `?` */
    uint64_t now_ms;
};

struct backend_store_reply {
    int status;
    bool events;      /* the body is a stream of events */
    uint64_t wait_ms; /* not yet: ask again after that time */
};

/* Appends the answer's body, or the message of an error. */
struct backend_store_reply backend_store_ask(struct backend_store *store, struct arena *arena,
                                             const struct backend_store_query *query, struct buf *out);

#endif
