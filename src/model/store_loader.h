/*
 * store_loader - the threads of a store that load models. Private to the store*.c files.
 *
 * Each takes the first slot of the queue that nobody is loading already, opens its model and tests it, and puts it in
 * the place of the former one. What is not wanted any more by then is thrown away.
 */
#ifndef VSR_MODEL_STORE_LOADER_H
#define VSR_MODEL_STORE_LOADER_H

#include "model/store_state.h"

/* `n`: how many; 0: by processors. On failure some may run. Without the lock, as is the next one. */
int store_loaders_start(struct store *store, size_t n, struct vsr_err *err) VSR_MUST_CHECK;
/* Waits for those that run, and for what they load; the store is stopping. */
void store_loaders_join(struct store *store);

#endif
