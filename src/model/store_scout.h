/*
 * store_scout - the thread of a store that looks for files, which takes as long as it takes. Before it looks it frees
 * the models of slots that are gone, as loaders do: what comes in their place finds room, and no disk holds it up.
 * Private to the store*.c files.
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

#endif
