/*
 * remote - what other servers say about a text: vectors, probabilities, labels, routes, over HTTP and MCP.
 *
 * A client asks one source from one loop. Whatever goes wrong ends as an answer with a code and a reason, never as a
 * class that nobody named:
 *
 *     SIGNAL_UNAVAILABLE   it could not be reached, or refuses for now: connection, DNS, TLS, 429, 5xx, no key
 *     SIGNAL_TIMEOUT       it did not answer in time
 *     SIGNAL_FAILED        it answered, but not what was asked: another 4xx, broken JSON, unknown labels, bad numbers
 *     SIGNAL_TOO_LONG      it says that the text is too long (413)
 *
 * Reasons name the server and what it did; nothing of the text is in them, nor any secret.
 *
 * What each kind of source takes, and what is decided here because nobody else says it:
 *
 * SOURCE_HTTP_EMBEDDINGS  VECTOR. Attempts of `timeout_seconds` (10), `max_retries` more; a batch of texts goes out in
 *     pieces of REMOTE_BATCH_MAX, the first one of REMOTE_FIRST_MAX where nobody says the dimensions: all of an answer
 *     is parsed at once on the loop. `dimensions` is asked for and expected; without it all vectors of a call must have
 *     one length. An item without `index`, or with the index 0 that another had, stands for its place (signals.md
 *     §4.5). A vector of zeros has no direction and fails. An answer may be as long as one with the numbers that are
 *     expected can be, 0.7 MB for one text and dimensions unknown.
 * SOURCE_HTTP_CLASSIFY  CLASSES, POST /classify. Every label exactly once, no others, each score in [0, 1], sum
 *     within 0.02 of 1. Without labels those of the answer count, at least two, each once, sorted by name, so that the
 *     order does not depend on the text. A list of one list, which common servers give, is read as its inner one.
 * SOURCE_HTTP_GUARD  CLASSES of two labels: the first is what safe is called, the second what unsafe is; "benign" and
 *     "jailbreak" when the source names none. P(second) is 0.9 unsafe, 0.6 controversial, 0.1 safe, or what the
 *     server's log-probabilities say (http_guard.c).
 *
 * SOURCE_HTTP_LABEL  CLASSES: 1 for the label that was picked, else 0. The reply is an object of exactly `label`, which
 *     is one of them, and `rationale`, which is not blank.
 * SOURCE_HTTP_ROUTE  CLASSES: what the reply says about how sure it is, else 1, for the route that was picked; a reply
 *     that names none of them gives 0 everywhere, which is an answer.
 * SOURCE_MCP_CLASSIFY  CLASSES by a tool; mcp_verdict.h says how its answers are read. `timeout_seconds` (10) covers
 *     the wait for a session that is just beginning.
 *
 * SOURCE_MCP_EMBEDDINGS  VECTOR by a tool; mcp_vectors.c says how its answers are read. `timeout_seconds` is of one
 *     question, of REMOTE_BATCH_MAX texts or as many as have room in one message. All vectors of a call, and of a
 *     server's session, have one length, which is not less than the configured `target_dimension`.
 *
 * Guards, labels and routes are asked once, without another attempt: what is worth waiting for is one answer.
 *
 * Loop thread only, except that clients of SOURCE_MCP_* share sessions that may live on another loop.
 */
#ifndef VSR_EVIDENCE_REMOTE_H
#define VSR_EVIDENCE_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "signal/evidence.h"

struct arena;
struct client;
struct loop;
struct mcp_hub;
struct remote_call;
struct remote_client;
struct tls_client;

enum {
    REMOTE_BATCH_MAX = 32,                /* texts in one question; common servers take no more */
    REMOTE_FIRST_MAX = 4,                 /* of them while dimensions are unknown; 2.7 MB of answer */
    REMOTE_TEXTS_MAX = 1 << 16,           /* texts of one call */
    REMOTE_DIMS_MAX = 1 << 14,            /* numbers of one vector */
    REMOTE_VERDICT_LEN_MAX = 1 << 20,     /* bytes of an answer without vectors */
    REMOTE_EMBEDDINGS_TIMEOUT_MS = 10000, /* signals.md §3.5, of one attempt */
    REMOTE_CLASSIFY_TIMEOUT_MS = 5000,
    REMOTE_GUARD_TIMEOUT_MS = 30000,
    REMOTE_LABEL_TIMEOUT_MS = 5000,
    REMOTE_ROUTE_TIMEOUT_MS = 30000,
    REMOTE_MCP_TIMEOUT_MS = 10000,
};

/* What the clients of one loop have in common. All kept. */
struct remote_host {
    struct loop *loop;
    struct client *client;
    struct tls_client *tls; /* NULL: https cannot be asked */
    struct mcp_hub *mcp;    /* mcp/hub.h; NULL: tools are unavailable */
    /* Environment lookup for keys; NULL: getenv. Asked once, when a client is made. */
    const char *(*env)(void *data, const char *name);
    void *env_data;
};

/*
 * Never fails: a source that cannot be asked (no key in the environment, a URL that is none) answers every call with
 * the reason. Keeps the source and its configuration. Not for SOURCE_MODEL. Copies `host`.
 */
struct remote_client *remote_client_new(const struct remote_host *host, const struct signal_source *source);
/* Calls must be over; from inside the last `done` they are. NULL is allowed. */
void remote_client_free(struct remote_client *client);

/* Where it asks, for people: "http://host:8000/v1/embeddings", "mcp: command". Lives as long as the client. */
vsr_str remote_client_name(const struct remote_client *client);

/*
 * `answer` lives in the call's arena, apart from texts of the source. For several texts, numbers holds their vectors
 * one behind the other, n in all. Comes once, later, never from inside remote_call_start(); the call is over then.
 */
typedef void remote_done_fn(void *owner, const struct evidence_answer *answer);

struct remote_question {
    enum evidence_kind kind; /* what the source does not give fails */
    const vsr_str *texts;    /* several for VECTOR alone; kept until the call ends, with the array */
    size_t n_texts;          /* at least one */
    uint64_t timeout_ms;     /* for everything together; 0: as the source has it */
    struct arena *arena;     /* kept: where the answer goes */
};

struct remote_call *remote_call_start(struct remote_client *client, const struct remote_question *question,
                                      remote_done_fn *done, void *owner);
/* Ends it without `done`. Not from inside it. NULL is allowed. */
void remote_call_cancel(struct remote_call *call);

#endif
