/*
 * event_follow - what a lane does with its follows. Private to store/; loop thread only.
 */
#ifndef VSR_STORE_EVENT_FOLLOW_H
#define VSR_STORE_EVENT_FOLLOW_H

struct event_follow;

struct event_follow *event_follow_next(const struct event_follow *follow);
/* Looks for new events if there may be some. Calls nobody. */
void event_follow_wake(struct event_follow *follow);

#endif
