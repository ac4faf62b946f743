/*
 * image_call - one call to a backend for a picture, or for the text beside one: sent, read to its end, judged. Worker
 * thread only.
 */
#ifndef VSR_SERVE_IMAGE_CALL_H
#define VSR_SERVE_IMAGE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "net/http1.h"
#include "provider/provider.h"
#include "wire/protocol.h"

struct client_call;
struct client_endpoint;
struct config_model_ref;
struct request;

enum {
    IMAGE_CALL_BODY_MAX = 64 << 20,
    IMAGE_CALL_ANSWER_MAX = 32 << 20, /* a picture of 4096 x 4096 is about half of it, in base64 */
};

struct image_call {
    struct request *request;
    uint64_t timeout_ms;
    void (*ended_fn)(void *owner);
    void *owner;
    struct client_call *call;         /* under way */
    struct client_endpoint *own_pool; /* of a backend that is no model's; a reference */
    struct provider_call provider;    /* of a model's */
    bool begun;                       /* `provider` has to be ended */
    struct buf body, answer;
    int status;
    bool ended;      /* the answer came to its end */
    bool overloaded; /* nobody was asked: too many are under way */
};

/* ended_fn(owner) is called when a call that was sent is over, one way or the other. Keeps all. */
void image_call_init(struct image_call *call, struct request *request, uint64_t timeout_ms,
                     void (*ended_fn)(void *owner), void *owner);
/* Gives up what is under way, and the buffers. */
void image_call_done(struct image_call *call);

/* POSTs call->body. */
void image_call_send(struct image_call *call, struct client_endpoint *pool, vsr_str authority, vsr_str path,
                     const struct http1_field *fields, size_t n_fields);
/*
 * Asks one endpoint of a model, which counts as a request to it, with its own path, key and name for it; write() fills
 * call->body. False: none can be asked; image_call_end() follows.
 */
bool image_call_model(struct image_call *call, const struct config_model_ref *ref, enum protocol protocol,
                      bool (*write)(struct image_call *call, vsr_str model_id));
/* The verdict on the endpoint; gives back what the call held, but its buffers. */
void image_call_end(struct image_call *call, enum provider_failure failure);

#endif
