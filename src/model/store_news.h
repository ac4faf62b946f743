/*
 * store_news - what a store says about its models: to readiness at once, to whoever has it report once the lock is
 * free. Private to the store*.c files.
 *
 * Readiness shows what can be asked: a slot whose former model still answers is ready there, whatever becomes of the
 * new one. Slots that only claims hold are none of it.
 */
#ifndef VSR_MODEL_STORE_NEWS_H
#define VSR_MODEL_STORE_NEWS_H

#include "model/store_slot.h"

/* For the report. A copy: the slot may change, or be gone, when it is told. */
struct news {
    enum readiness_state state;
    char name[READINESS_NAME_LEN], message[READINESS_MESSAGE_LEN];
};

/* Without the lock. */
void news_tell(const struct store *store, const struct news *news);

/* The slot is in this state from now on. */
void news_of_state(struct store *store, struct slot *slot, enum readiness_state state, const char *message,
                   struct news *ret);
/* Its model answers, and is what is wanted; a warning about its files is the message. */
void news_of_ready(struct store *store, struct slot *slot, struct news *ret);
/* What its model is; it has one. */
void news_of_load(struct store *store, const struct slot *slot);
/* It is wanted from now on, in these words. One that was kept for a claim is shown as it is. */
void news_of_wanting(struct store *store, struct slot *slot, const struct store_model *model);
/* How far all of them are, after any change of what is wanted, looked for, queued or loaded. */
void news_of_phase(struct store *store);

#endif
