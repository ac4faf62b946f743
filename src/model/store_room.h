/*
 * store_room - the ceiling on the weights in memory. Private to the store*.c files.
 *
 * What models share counts once, and with every model that has it. Models that calls still hold, and the store not,
 * are not counted: they are about to go.
 */
#ifndef VSR_MODEL_STORE_ROOM_H
#define VSR_MODEL_STORE_ROOM_H

#include "model/store_slot.h"

/* Of weights in memory. */
uint64_t room_taken(const struct store *store);
/* Whether the slot's new model may stay beside those that do in any case; one that is eager may. */
bool room_is_for(const struct store *store, const struct slot *slot, const struct model *model);
/* Unloads others than `slot`, the least recently used first, until the ceiling holds or there is none that may go.
 * Gives up the lock meanwhile. */
void room_make(struct store *store, const struct slot *slot);

#endif
