/*
 * store_scout - the thread of a store that looks for files, and frees the models of slots that are gone: both take as
 * long as they take. Private to the store*.c files.
 *
 * What it finds becomes the wish of the slot that was asked about, unless something else has been asked since; then
 * that is looked for next.
 */
#ifndef VSR_MODEL_STORE_SCOUT_H
#define VSR_MODEL_STORE_SCOUT_H

#include "model/store_state.h"

/* Without the lock, as is the next one. */
int store_scout_start(struct store *store, struct vsr_err *err) VSR_MUST_CHECK;
/* Waits for it if it runs; the store is stopping. */
void store_scout_join(struct store *store);

/* Frees the model of the first slot that is gone; there is one. Gives up the lock meanwhile. */
void store_scout_let_go(struct store *store);

#endif
