/*
 * asking - a store with one lane, and operations that wait for their answer, for tests of store/.
 */
#ifndef VSR_TESTS_STORE_ASKING_H
#define VSR_TESTS_STORE_ASKING_H

#include "core/arena.h"
#include "core/clock.h"
#include "net/loop.h"
#include "store/event_log.h"
#include "store/response_store.h"
#include "test.h"

enum { ASK_MS_MAX = 60000 };

struct asking {
    struct response_store *store;
    struct loop *loop;
    struct store_lane *lane;
    struct arena *arena; /* of the last answer */
    size_t n_replies;
    int rc;
    bool kept, deleted;
    struct response_record *records;
    size_t n;
    struct event_record *events;
    size_t n_events;
    char error[VSR_ERR_TEXT_LEN];
};

static inline void asking_wait(struct asking *a, size_t n_replies, const char *name) {
    uint64_t end = clock_mono_ms() + ASK_MS_MAX;
    while (a->n_replies < n_replies) {
        CHECK_MSG(clock_mono_ms() < end, "case \"%s\": no answer", name);
        loop_run_once(a->loop, 2);
    }
}

static inline vsr_str asking_copy(struct asking *a, vsr_str text) {
    return arena_str(a->arena, text);
}

static inline void asking_take(void *owner, const struct store_reply *reply) {
    struct asking *a = owner;
    arena_reset(a->arena);
    a->n_replies++;
    a->rc = reply->rc;
    a->kept = reply->kept;
    a->deleted = reply->deleted;
    a->n = reply->n;
    a->n_events = reply->n_events;
    a->records = ARENA_ARRAY(a->arena, struct response_record, reply->n);
    a->events = ARENA_ARRAY(a->arena, struct event_record, reply->n_events);
    for (size_t i = 0; i < reply->n; i++) {
        struct response_record *r = &a->records[i];
        *r = reply->records[i];
        r->id = asking_copy(a, r->id);
        r->previous_id = asking_copy(a, r->previous_id);
        r->conversation_id = asking_copy(a, r->conversation_id);
        r->owner = asking_copy(a, r->owner);
        r->status = asking_copy(a, r->status);
        r->object_json = asking_copy(a, r->object_json);
        r->input_json = asking_copy(a, r->input_json);
    }
    for (size_t i = 0; i < reply->n_events; i++) {
        a->events[i] = reply->events[i];
        a->events[i].type = asking_copy(a, reply->events[i].type);
        a->events[i].json = asking_copy(a, reply->events[i].json);
    }
    (void)snprintf(a->error, sizeof(a->error), "%s", reply->err ? reply->err->text : "");
    CHECK_INT(reply->err != NULL, reply->rc < 0, "a failure says why");
}

static inline void asking_begin(struct asking *a, const struct response_store_options *options) {
    struct vsr_err err = VSR_ERR_NONE;
    *a = (struct asking){ .arena = arena_new(0, 0) };
    CHECK(loop_new(&a->loop, &err) == 0, err.text);
    CHECK(response_store_open(options, &a->store, &err) == 0, err.text);
    CHECK(store_lane_new(a->store, a->loop, &a->lane, &err) == 0, err.text);
    loop_run_once(a->loop, 0); /* the thread of the loop is ours */
}

static inline void asking_end(struct asking *a) {
    store_lane_free(a->lane);
    response_store_free(a->store);
    loop_run_once(a->loop, 0);
    loop_free(a->loop);
    arena_free(a->arena);
}

/* Until the store has opened its place, or (`up` false) has lost it. */
static inline void asking_wait_up(struct asking *a, bool up, const char *name) {
    uint64_t end = clock_mono_ms() + ASK_MS_MAX;
    struct response_store_status status;
    for (;;) {
        response_store_status(a->store, &status);
        if (status.up == up)
            return;
        CHECK_MSG(clock_mono_ms() < end, "case \"%s\": the place is %s: %s", name, up ? "away" : "there", status.error);
        loop_run_once(a->loop, 2);
    }
}

static inline int ask_put(struct asking *a, const struct response_record *record, const char *name) {
    size_t n = a->n_replies;
    (void)response_store_put(a->lane, record, asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_update(struct asking *a, const struct response_record *record, const char *name) {
    size_t n = a->n_replies;
    (void)response_store_update(a->lane, record, asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_progress(struct asking *a, const char *id, const char *name) {
    size_t n = a->n_replies;
    (void)response_store_progress(a->lane, str_from_c(id), asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_get(struct asking *a, const char *id, const char *name) {
    size_t n = a->n_replies;
    (void)response_store_get(a->lane, str_from_c(id), asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_chain(struct asking *a, const char *id, unsigned hops_max, const char *name) {
    size_t n = a->n_replies;
    (void)response_store_chain(a->lane, str_from_c(id), hops_max, asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_delete(struct asking *a, const char *id, const char *name) {
    size_t n = a->n_replies;
    (void)response_store_delete(a->lane, str_from_c(id), asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_append(struct asking *a, const char *id, const struct event_record *events, size_t n_events,
                             const char *name) {
    size_t n = a->n_replies;
    (void)event_log_append(a->lane, str_from_c(id), events, n_events, asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

static inline int ask_read(struct asking *a, const char *id, int64_t after, size_t limit, const char *name) {
    size_t n = a->n_replies;
    (void)event_log_read(a->lane, str_from_c(id), after, limit, asking_take, a);
    asking_wait(a, n + 1, name);
    return a->rc;
}

/* A record with what every test needs. */
static inline struct response_record record_of(const char *id, const char *previous_id, const char *status,
                                               const char *object_json) {
    return (struct response_record){ .id = str_from_c(id),
                                     .previous_id = str_from_c(previous_id),
                                     .conversation_id = VSR_STR("conv_1"),
                                     .owner = VSR_STR("tenant/user"),
                                     .status = str_from_c(status),
                                     .object_json = str_from_c(object_json),
                                     .input_json = VSR_STR("[{\"type\":\"message\"}]"),
                                     .created_s = 1700000000,
                                     .input_tokens = 7,
                                     .output_tokens = 11 };
}

#endif
