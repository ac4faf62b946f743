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
    BEHAVIOUR_PARALLEL_MAX = 16,
    BEHAVIOUR_STATUS_LEAST = 200,
    BEHAVIOUR_STATUS_MOST = 599,
};

/* How an answer ends, over all protocols; each says it in its own word. */
enum behaviour_finish {
    FINISH_AS_IT_IS,
    FINISH_WITH_STOP,
    FINISH_WITH_LENGTH,
    FINISH_WITH_TOOL_CALLS,
    FINISH_WITH_CONTENT_FILTER,
    FINISH_WITH_REFUSAL,
    FINISH_WITH_STOP_SEQUENCE,
    FINISH_WITH_PAUSE_TURN,
};

/* Where a stream reports its tokens. */
enum behaviour_usage {
    USAGE_AS_ASKED,
    USAGE_SAME,    /* with the finish reason */
    USAGE_AFTER,   /* in an event of its own behind it */
    USAGE_EVERY,   /* with every event, counting up */
    USAGE_PREVIEW, /* in an event of its own before the first word, and after */
    USAGE_NONE,
};

struct behaviour {
    uint64_t status;         /* answer with it; 0: a proper answer */
    double fail_rate;        /* share of requests that get `status` (500 when unset); 0: all of them, if there is one */
    uint64_t retry_after;    /* seconds, beside `status`; 0: none */
    uint64_t health;         /* status of GET /health; 0: 200 */
    uint64_t stall;          /* milliseconds before the head */
    uint64_t work;           /* milliseconds that a response in the background takes */
    uint64_t cut;            /* cut the connection after that many body bytes; UINT64_MAX: never */
    double rate;             /* tokens per second of a stream; 0: as fast as they go */
    uint64_t tokens;         /* length of an answer; 0: what the text comes to */
    uint64_t garbage;        /* the body is no JSON and no event stream */
    uint64_t slow_head;      /* milliseconds between two bytes of the head; whole server only, see backend_raw.h */
    uint64_t reset;          /* cut the connection without any answer */
    uint64_t hang;           /* never answer */
    uint64_t no_done;        /* a stream ends without its last event: `[DONE]`, message_stop, response.completed */
    uint64_t no_terminal;    /* it ends behind its last word: no finish reason, no usage, nothing */
    uint64_t error_event;    /* a stream fails after that many tokens, with an error event; UINT64_MAX: never */
    uint64_t overloaded;     /* answer as an overloaded provider does: 529 to Messages, 503 to others */
    uint64_t thinking;       /* tokens of thought before the answer */
    uint64_t redacted;       /* a redacted thought before it; Messages alone */
    uint64_t refusal;        /* refuse to answer */
    uint64_t parallel_tools; /* call that many tools at once, if there are any */
    uint64_t usage;          /* enum behaviour_usage */
    uint64_t finish;         /* enum behaviour_finish */
    uint64_t cached;         /* tokens of the prompt that were read from a cache */
    uint64_t cache_write;    /* tokens of the prompt that were written to it */
};

/* Nothing special. */
struct behaviour behaviour_none(void);

/*
 * Applies a comma list of `name=value` to `behaviour`; a name alone means 1. Empty parts are skipped. VSR_E_INVALID
 * names the first bad part; what stood before it is applied.
 */
int behaviour_read(struct behaviour *behaviour, vsr_str list, struct vsr_err *err) VSR_MUST_CHECK;

/* The same from the options of `vsr backend`, which have the same names. VSR_E_INVALID for a word that is none. */
int behaviour_from_options(struct behaviour *behaviour, const struct options *options,
                           struct vsr_err *err) VSR_MUST_CHECK;

/* Whether it is behaviour_none(): the fast path asks. */
bool behaviour_is_plain(const struct behaviour *behaviour);

#endif
