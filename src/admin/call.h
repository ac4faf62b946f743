/*
 * call - one request to the management API, and the table of what can be called. Internal to admin/.
 */
#ifndef VSR_ADMIN_CALL_H
#define VSR_ADMIN_CALL_H

#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/random.h"
#include "net/http1.h"

enum { ADMIN_BODY_LEN_MAX = 10 << 20, ADMIN_ANSWER_LEN_MAX = 64 << 20 };

struct admin;
struct exchange;
struct gateway;
struct snapshot;

struct admin_call {
    struct admin *admin;
    struct exchange *exchange;
    const struct admin_route *route; /* NULL: none, and `status` says why */
    struct arena *arena;
    vsr_str query; /* behind the question mark */
    vsr_str request_id;
    struct buf body;

    const struct snapshot *snapshot; /* of the generation that serves; while the handler runs */
    /* Of a handler that answers later, by admin_reply(): ends what it waits for, when the client goes away before. */
    void (*cancel)(struct admin_call *call);
    void *work; /* its own */
    int status;
    const char *content_type;
    vsr_str allow; /* of a 405 */
    struct buf answer;
};

struct admin_route {
    const char *method, *path;
    const char *permission; /* NULL: nobody is asked who they are */
    const char *description;
    void (*handle)(struct admin_call *call);
};

const struct admin_route *admin_routes(size_t *ret_n);

/* The body of an error: {"error":{"code","message","timestamp","request_id"}}. */
void admin_error(struct admin_call *call, int status, const char *code, vsr_str message);

/* Whether the caller may; else the error is in `call`. */
bool admin_allowed(struct admin_call *call, const struct http1_head *head);

/* The value of a query parameter, as it stands; empty when it is absent. */
vsr_str admin_query(const struct admin_call *call, vsr_str name);

/* Answers; for a handler that had set `cancel`. The call may be gone afterwards. */
void admin_reply(struct admin_call *call);

struct gateway *admin_gateway(const struct admin *admin);
/* Whether it listens on all addresses of a machine that others can reach. */
bool admin_exposed(const struct admin *admin);

/* ---- handlers, one file per group */

void admin_health(struct admin_call *call);
void admin_ready(struct admin_call *call);
void admin_metrics(struct admin_call *call);
void admin_models(struct admin_call *call);
void admin_index(struct admin_call *call);
void admin_eval(struct admin_call *call);

#endif
