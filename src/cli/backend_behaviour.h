/*
 * backend_behaviour - what the stand-in model server is told to do to a request.
 *
 * Set three ways, each over the one before: by the command's options, for one listener at run time (`PUT /_behaviour`),
 * and for one request by its header `x-backend-behaviour: stall=200,cut=17,status=429`. All of them use the same names.
 */
#ifndef VSR_CLI_BACKEND_BEHAVIOUR_H
#define VSR_CLI_BACKEND_BEHAVIOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct options;

#define BEHAVIOUR_HEADER "x-backend-behaviour"

enum {
    BEHAVIOUR_STALL_MS_MAX = 3600 * 1000,
    BEHAVIOUR_TOKENS_MAX = 10 * 1000 * 1000,
    BEHAVIOUR_RATE_MAX = 100 * 1000 * 1000,
    BEHAVIOUR_STATUS_LEAST = 200,
    BEHAVIOUR_STATUS_MOST = 599,
};

struct behaviour {
    uint64_t status;      /* answer with it; 0: a proper answer */
    double fail_rate;     /* share of requests that get `status` (500 when unset); 0: all of them, if there is one */
    uint64_t retry_after; /* seconds, beside `status`; 0: none */
    uint64_t health;      /* status of GET /health; 0: 200 */
    uint64_t stall;       /* milliseconds before the head */
    uint64_t cut;         /* cut the connection after that many body bytes; UINT64_MAX: never */
    double rate;          /* tokens per second of a stream; 0: as fast as they go */
    uint64_t tokens;      /* length of an answer; 0: what the text comes to */
    uint64_t garbage;     /* the body is no JSON and no event stream */
    uint64_t slow_head;   /* milliseconds between two bytes of the head; whole server only, see backend_raw.h */
    uint64_t reset;       /* cut the connection without any answer */
    uint64_t hang;        /* never answer */
    uint64_t no_done;     /* a stream ends without `[DONE]` */
};

/* Nothing special. */
struct behaviour behaviour_none(void);

/*
 * Applies a comma list of `name=value` to `behaviour`; a name alone means 1. Empty parts are skipped. VSR_E_INVALID
 * names the first bad part; what stood before it is applied.
 */
int behaviour_read(struct behaviour *behaviour, vsr_str list, struct vsr_err *err) VSR_MUST_CHECK;

/* The same from the options of `vsr backend`, which have the same names. */
void behaviour_from_options(struct behaviour *behaviour, const struct options *options);

/* Whether it is behaviour_none(): the fast path asks. */
bool behaviour_is_plain(const struct behaviour *behaviour);

#endif
