/*
 * endpoints - which paths the data plane answers, and what each of them asks for (gateway.md 2).
 *
 * One table: path, methods, protocol. To add an endpoint: a kind, a row in endpoints.c, and whoever answers it: a case
 * of answer_at_once() in stage_admit.c, or the stages. Immutable; any thread.
 */
#ifndef VSR_SERVE_ENDPOINTS_H
#define VSR_SERVE_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "wire/protocol.h"

enum endpoint_kind {
    ENDPOINT_NONE,
    ENDPOINT_CHAT,
    ENDPOINT_MESSAGES,
    ENDPOINT_COUNT_TOKENS,
    ENDPOINT_RESPONSES,      /* create */
    ENDPOINT_RESPONSE,       /* GET and DELETE of one */
    ENDPOINT_RESPONSE_ITEMS, /* its input items */
    ENDPOINT_RESPONSE_CANCEL,
    ENDPOINT_COMPLETIONS,
    ENDPOINT_EMBEDDINGS,
    ENDPOINT_IMAGES,
    ENDPOINT_MODELS,
    ENDPOINT_MODEL,
    ENDPOINT_HEALTH,
    ENDPOINT_READY,
};

enum {
    ENDPOINT_GET = 1u << 0, /* HEAD included */
    ENDPOINT_POST = 1u << 1,
    ENDPOINT_DELETE = 1u << 2,
};

struct endpoint_row {
    vsr_str path;   /* whole, or what comes before the id when `prefix` */
    bool prefix;    /* an id follows, which is not empty */
    vsr_str id;     /* what the id begins with */
    vsr_str suffix; /* what follows the id, which then holds no slash; only where `prefix` */
    enum endpoint_kind kind;
    enum protocol protocol; /* which errors are written in, too */
    unsigned methods;
    bool routed; /* its model name may be one that vsr routes by a recipe */
    bool open;   /* needs no listener key: load balancers have none, and it tells nothing */
};

/* The row of a path without query and trailing slash; NULL: 404. `*ret_id` is the id as it was sent, or empty. */
const struct endpoint_row *endpoints_find(vsr_str path, vsr_str *ret_id);

/* The path that somebody meant who asked for one that is none: with too much or too little in front of it, or misspelt.
 * Empty: none is near. */
vsr_str endpoints_suggest(vsr_str path);

/* The bit of a method; 0: none that any endpoint takes. */
unsigned endpoints_method(vsr_str method);
/* For the Allow header. */
vsr_str endpoints_allow(const struct endpoint_row *row);

/* What a path that may not be one of ours speaks: errors under /v1/messages are Anthropic's, others OpenAI's. */
enum protocol endpoints_protocol(vsr_str path);

/* A request target without scheme and host (absolute form, RFC 9112 3.2.2): path and query. */
vsr_str endpoints_origin(vsr_str target);
/* The path of an origin target: without query and one trailing slash (gateway.md 2). */
vsr_str endpoints_path(vsr_str origin);

#endif
