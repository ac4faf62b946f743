/*
 * event_log - the events of a streamed response, kept so that a client that lost its connection can go on.
 *
 * A log belongs to a response's id and lives where the response lives. Its events are numbered from 0 without a gap;
 * appending one that is there already changes nothing, and one that would leave a gap is refused: whoever reads a log
 * sees all of it up to its end. The oldest leave when a log holds more than EVENT_LOG_EVENTS_MAX or
 * EVENT_LOG_BYTES_MAX; the whole log leaves `event_ttl_s` after its last event, or with its response. Loop thread only,
 * on a lane.
 */
#ifndef VSR_STORE_EVENT_LOG_H
#define VSR_STORE_EVENT_LOG_H

#include "store/response_store.h"

struct event_follow;

enum {
    EVENT_LOG_EVENTS_MAX = 65536,
    EVENT_LOG_BYTES_MAX = 16 << 20,
    EVENT_LOG_READ_MAX = 256,     /* events in one reply */
    EVENT_LOG_APPEND_MAX = 1024,  /* in one call */
    EVENT_LOG_POLL_MS = 250,      /* what other replicas append is seen after at most this, while it comes */
    EVENT_LOG_POLL_MAX_MS = 2000, /* and this, after a silence */
    EVENT_LOG_TTL_S = 600,
};

/* Strings are copied where one is given, and valid during the call where one is received. */
struct event_record {
    int64_t seq; /* sequence_number, from 0 */
    vsr_str type, json;
    bool last; /* nothing follows: the log is complete */
};

/*
 * `events` consecutive, at most EVENT_LOG_APPEND_MAX. `done` as in response_store.h. VSR_E_INVALID: what comes before
 * them is missing. VSR_E_NOT_FOUND: the whole log is, since they do not begin with 0.
 */
struct store_op *event_log_append(struct store_lane *lane, vsr_str id, const struct event_record *events, size_t n,
                                  store_done_fn *done, void *owner);

/*
 * Events whose number is above `after` (-1: all), at most `limit` (0 or more than EVENT_LOG_READ_MAX: that many); none
 * when there is nothing new. VSR_E_NOT_FOUND: no such log. VSR_E_LIMIT: the event that would come first is gone.
 */
struct store_op *event_log_read(struct store_lane *lane, vsr_str id, int64_t after, size_t limit, store_done_fn *done,
                                void *owner);

/*
 * Brings the events above `after` as they come, in replies of rc 0 with at least one event. The call that brings the
 * last event, or an rc below 0, is the last one: the follow is gone after it. Never inside this call. What this process
 * appends is brought at once, what others do after EVENT_LOG_POLL_MS, or EVENT_LOG_POLL_MAX_MS where nothing came for a
 * while. Once it has read, a store that is away for some seconds is waited for.
 */
struct event_follow *event_log_follow(struct store_lane *lane, vsr_str id, int64_t after, store_done_fn *fn,
                                      void *owner);
/* No call while it is paused. The owner may pause inside a call. */
void event_follow_pause(struct event_follow *follow);
void event_follow_resume(struct event_follow *follow);
/* No call follows. NULL is allowed; inside its own call it is, too. */
void event_follow_free(struct event_follow *follow);

#endif
