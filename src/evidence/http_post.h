/*
 * http_post - one JSON question to a server of one loop: POST, attempts, limits, time.
 *
 * An attempt fails for good, or is worth another one: 429, 5xx, an answer that takes too long, a connection that could
 * not be made or broke (signals.md §4.5). Between attempts it waits 50 ms, doubled each time, at most 500 ms, the
 * second half of it at random so that clients do not return in step; `Retry-After` in seconds counts when it asks for
 * more, and ends the question when it asks for more than an attempt may take: somebody waits, often without a deadline
 * of its own. What would end behind the deadline is not begun: the last failure is told then. Redirections are not
 * followed and answers are taken as they are, without a coding. Loop thread only.
 */
#ifndef VSR_EVIDENCE_HTTP_POST_H
#define VSR_EVIDENCE_HTTP_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/str.h"
#include "signal/results.h"

struct client;
struct client_endpoint;
struct loop;
struct tls_client;
struct http_post;

enum {
    HTTP_POST_DELAY_MS = 50,
    HTTP_POST_DELAY_MS_MAX = 500,
    HTTP_POST_ERROR_LEN_MAX = 4096, /* of an answer that tells a failure */
    HTTP_POST_REASON_LEN = 200,
};

/* Where questions go. */
struct http_server {
    struct loop *loop;
    struct client_endpoint *endpoint; /* NULL: it cannot be asked, `wrong` says why */
    vsr_str authority, path;
    bool tls;
    vsr_str authorization; /* whole value; empty: none */
    const char *wrong;
};

struct http_server_options {
    struct loop *loop;      /* keeps */
    struct client *client;  /* keeps */
    struct tls_client *tls; /* keeps; for https */
    vsr_str url;            /* absolute; a query is dropped */
    vsr_str suffix;         /* appended to the path unless it ends so already: "/embeddings" */
    vsr_str token;          /* empty: none */
};

/*
 * Never fails: a server that cannot be asked answers every question with the reason. Texts live in `arena`, which must
 * outlive the server. End it with http_server_done(), when no question is under way.
 */
void http_server_init(struct http_server *server, const struct http_server_options *options, struct arena *arena);
void http_server_done(struct http_server *server);

struct http_post_answer {
    enum signal_code code; /* SIGNAL_OK: status 2xx, `body` is complete */
    int status;            /* of HTTP; 0: there was none */
    bool longer;           /* failed because it has more than `answer_len_max` */
    const char *reason;    /* of a failure, without anything of the question; valid during the call */
    vsr_str body;          /* valid during the call */
};

typedef void http_post_done_fn(void *owner, const struct http_post_answer *answer);

struct http_post_options {
    uint64_t attempt_ms; /* 0: none of its own */
    uint64_t timeout_ms; /* of all attempts together; 0: none */
    unsigned retries;
    size_t answer_len_max;
};

/*
 * Takes the content of `body`, which is left empty. `done` comes once, later, never from inside; the question is over
 * then. Keeps `server`.
 */
struct http_post *http_post_start(const struct http_server *server, const struct http_post_options *options,
                                  struct buf *body, http_post_done_fn *done, void *owner);
/* Without `done`. Not from inside it. NULL is allowed. */
void http_post_cancel(struct http_post *post);

#endif
