/*
 * responses - the Responses API in the pipeline: what a request adds to a chat request, and what it leaves behind.
 *
 *     stage "stored"      stage_stored()           GET, DELETE, input_items, cancel: answers from the store
 *     stage "translate"   responses_translate()    create: reads the request, loads the chain, brings it to chat
 *     stage "adapt"       stage_adapt()            the model is known: what it cannot do, and how much it can read
 *     relay               responses_meta()         what the encoder repeats
 *     relay, at the end   responses_settle()       keeps the response before its last bytes go out
 *     request_free()      responses_free()
 *
 * Whose a response is: the tenant and the user that a trusted proxy names, and the listener's key. Nobody else learns
 * that it is there. What `previous_response_id` names is resolved here, whatever the backend, so that a conversation
 * may go on with another model. Worker thread only.
 */
#ifndef VSR_SERVE_RESPONSES_H
#define VSR_SERVE_RESPONSES_H

#include <stdbool.h>

#include "core/buf.h"
#include "net/loop.h"
#include "serve/pipeline.h"
#include "wire/responses_chat.h"
#include "wire/responses_events.h"
#include "wire/responses_object.h"
#include "wire/responses_request.h"

struct arena;
struct event_follow;
struct request;
struct store_op;
struct vsr_err;

enum {
    RESPONSES_SETTLE_MS = 50, /* how long the end of an answer waits for the store */
    RESPONSES_ITEMS_PAGE_MAX = 100,
    RESPONSES_ITEMS_PAGE = 20,
};

/* Of one request; lives in its arena. */
struct responses_exchange {
    struct responses_request request;
    struct response_meta meta;
    vsr_str owner;
    vsr_str input_items; /* of this request, as they are stored */
    struct responses_turn *turns;
    size_t n_turns, first_turn; /* those before it are left out: the model cannot read so much */
    enum { RESPONSES_NEW, RESPONSES_LOADING, RESPONSES_LOADED, RESPONSES_QUEUED, RESPONSES_READY } state;
    struct run *run; /* it runs in the background; NULL: a client waits */

    /* what is asked of the store */
    struct store_op *op;
    struct event_follow *follow;
    int rc;
    struct response_record *record; /* in the arena */
    bool asked, answered;
    bool crowded;  /* what the store answered had no room: request->reply says so */
    bool promised; /* a run, by run_promise() */
    vsr_str follow_id;
    int64_t after;                 /* events up to this one are not sent */
    bool from_after;               /* and not read either */
    int64_t seen, seen_when_asked; /* the last event that was read: now, and when the record was asked for */

    /* settling */
    struct loop_timer timer;
    void (*go_on)(struct request *request);
    bool settled;
};

enum stage_result stage_stored(struct request *request);
enum stage_result responses_translate(struct request *request);
enum stage_result stage_adapt(struct request *request);

/* request->upstream_body for a backend that speaks this protocol, too: the client's body with the chain in it. */
int responses_body_write(struct request *request, vsr_str model_id, vsr_str effort, struct vsr_err *err);

/* What the encoder of this request's answer repeats; NULL on other endpoints. */
const struct response_meta *responses_meta(const struct request *request);

/*
 * The answer is complete in request->encoder. Asked again while it waits: the new `go_on` takes the place of the one
 * before. False: nothing to wait for. True: `go_on` is called later, when the
 * store has the response, or has not answered within RESPONSES_SETTLE_MS; never inside this call.
 */
bool responses_settle(struct request *request, void (*go_on)(struct request *request));

/* Whether that is waited for. */
bool responses_settling(const struct request *request);

/* The client takes more; for streams that come from the store. True: it was one of those. */
bool responses_drained(struct request *request);

/* Forgets what is under way. What was given to the store is kept all the same. */
void responses_free(struct request *request);

/* ---- between responses*.c */

/* The exchange of this request, made when it is not there. */
struct responses_exchange *responses_exchange(struct request *request);
/* 404 as for a response that never was. */
enum stage_result responses_not_found(struct request *request, vsr_str id);
/* What is answered when the store fails with `rc`: 503 and when to come back where it is away, else what it says. */
enum stage_result responses_store_failed(struct request *request, int rc);
/* Asks for the record of the path's id once: STAGE_WAIT until it is there, then STAGE_NEXT, or the failure. */
enum stage_result responses_load_record(struct request *request);

/* The object in `arena`, without output. */
vsr_str responses_object(const struct response_meta *meta, struct arena *arena, const struct response_state *state);

/* The last event of a stream whose response ended like that. Of one that was cancelled it is `response.incomplete`: the
 * protocol has none of its own, and clients end with it. */
enum responses_event responses_end_event(vsr_str status);

/* responses_stored.c */
enum stage_result responses_stored(struct request *request);

/*
 * responses_follow.c: answers with the events of a response above `after`, those that are there and those that come.
 * STAGE_WAIT: the answer goes on by itself.
 */
enum stage_result responses_follow(struct request *request, vsr_str id, int64_t after);
void responses_follow_free(struct request *request);

/* responses_background.c: gives the response of this request its record, begins its run, and answers the client. */
enum stage_result responses_queue(struct request *request);
/* The request ends. Where its run has not begun, nobody was told of it: its record goes. */
void responses_unqueue(struct request *request);

#endif
