#include "model/store_slot.h"

#include "core/mem.h"

/* ---- the list */

struct slot *slot_of_path(const struct store *store, vsr_str path) {
    struct slot *slot = store->slots;
    while (slot && !str_eq(slot->wish->path, path))
        slot = slot->next;
    return slot;
}

/* By the name that the configuration uses, which costs no look into the catalogue, else by any other. */
struct slot *slot_of_name(const struct store *store, vsr_str name) {
    for (struct slot *slot = store->slots; slot; slot = slot->next)
        if (str_eq(slot->wish->model.name, name))
            return slot;
    return slot_of_path(store, wish_path(name));
}

struct slot *slot_new(struct store *store, struct wish *wish) {
    struct slot *slot = MEM_NEW(struct slot), **at = &store->slots;
    slot->wish = wish;
    wish->n_refs++;
    slot->state = MODEL_STATE_CHECKING;
    while (*at)
        at = &(*at)->next;
    *at = slot;
    return slot;
}

void slot_unwant(struct store *store, struct slot *slot) {
    if (!slot->wanted)
        return;
    slot->wanted = false;
    readiness_remove(store->options.readiness, slot->readiness);
}

static void free_slot(struct slot *slot) {
    wish_unref(slot->asked);
    wish_unref(slot->wish);
    mem_free(slot);
}

static void send_off(struct store *store, struct slot *slot) {
    slot->leaving = slot->model;
    slot->model = NULL;
    slot->n_users++; /* who frees it */
    slot->next = store->gone;
    store->gone = slot;
    (void)pthread_cond_signal(&store->scouting);
    (void)pthread_cond_broadcast(&store->changed);
}

void slot_let_go(struct store *store) {
    struct slot *slot = store->gone;
    store->gone = slot->next;
    store_unlock(store);
    model_unref(slot->leaving);
    store_lock(store);
    slot_leave(slot);
}

void slot_drop(struct store *store, struct slot *slot) {
    struct slot **at = &store->slots;
    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    slot_unqueue(store, slot);
    slot_unwant(store, slot);
    slot->gone = true;
    if (slot->model)
        send_off(store, slot);
    else if (slot->n_users == 0)
        free_slot(slot);
}

void slot_leave(struct slot *slot) {
    if (--slot->n_users == 0 && slot->gone)
        free_slot(slot);
}

bool slot_is_eager(const struct slot *slot) {
    return slot->wanted && (slot->wish->model.load == STORE_EAGER || slot->wish->model.mandatory);
}

/* ---- the queue */

void slot_unqueue(struct store *store, struct slot *slot) {
    struct slot **at = &store->queue;
    if (!slot->queued)
        return;
    while (*at != slot)
        at = &(*at)->behind;
    *at = slot->behind;
    slot->behind = NULL;
    slot->queued = slot->awaited = false;
}

void slot_enqueue(struct store *store, struct slot *slot, bool awaited) {
    struct slot **at = &store->queue;
    if (slot->queued && (slot->awaited || !awaited))
        return;
    slot_unqueue(store, slot);
    while (*at && (!awaited || (*at)->awaited))
        at = &(*at)->behind;
    slot->behind = *at;
    *at = slot;
    slot->queued = true;
    slot->awaited = awaited;
    (void)pthread_cond_broadcast(&store->changed);
}
