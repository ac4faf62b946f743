#include "core/mem.h"
#include "model/store_slot.h"

struct store_claim {
    struct store *store;
    size_t n;
    struct slot *slots[];
};

struct store_claim *store_claim(struct store *store) {
    struct store_claim *claim = mem_alloc(sizeof(*claim) + STORE_MODELS_MAX * sizeof(*claim->slots));
    claim->store = store;
    store_lock(store);
    for (struct slot *slot = store->slots; slot; slot = slot->next) {
        if (!slot->wanted)
            continue;
        claim->slots[claim->n++] = slot;
        slot->n_claims++;
        slot->n_users++;
    }
    store_unlock(store);
    return claim;
}

void store_claim_free(struct store_claim *claim) {
    if (!claim)
        return;
    store_lock(claim->store);
    for (size_t i = 0; i < claim->n; i++) {
        struct slot *slot = claim->slots[i];
        if (--slot->n_claims == 0 && !slot->wanted && !slot->gone)
            slot_drop(claim->store, slot);
        slot_leave(slot);
    }
    (void)pthread_cond_broadcast(&claim->store->changed); /* who waits for one that is gone */
    store_unlock(claim->store);
    mem_free(claim);
}
