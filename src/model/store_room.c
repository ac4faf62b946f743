#include "model/store_room.h"

#include "model/store_news.h"
#include "nn/backend.h"
#include "nn/embedder.h"
#include "nn/head.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"

/* Of a model's weights, what was not counted for another one since tensor_store_recount(). */
static uint64_t count_bytes(const struct model *model) {
    const struct head *head = model_head(model);
    uint64_t trunk;
    if (model_builtin(model)) /* they stay, whatever is unloaded */
        return 0;
    trunk = trunk_bytes(model_trunk(model)).first;
    return trunk + (head ? head_bytes(head).first : embedder_bytes(model_embedder(model)).first);
}

uint64_t room_taken(const struct store *store) {
    uint64_t all = 0;
    tensor_store_recount(store->options.runtime->tensors);
    for (const struct slot *slot = store->slots; slot; slot = slot->next)
        if (slot->model)
            all += count_bytes(slot->model);
    return all;
}

static struct slot *least_recently_used(const struct store *store, const struct slot *except) {
    struct slot *least = NULL;
    for (struct slot *slot = store->slots; slot; slot = slot->next)
        if (slot != except && slot->model && !slot->loading && !slot->queued && !slot_is_eager(slot) &&
            (!least || slot->used < least->used))
            least = slot;
    return least;
}

bool room_is_for(const struct store *store, const struct slot *slot, const struct model *model) {
    uint64_t bytes;
    if (store->options.bytes_max == 0 || slot_is_eager(slot))
        return true;
    tensor_store_recount(store->options.runtime->tensors);
    bytes = count_bytes(model);
    for (const struct slot *other = store->slots; other; other = other->next)
        if (other != slot && other->model && slot_is_eager(other))
            bytes += count_bytes(other->model);
    return bytes <= store->options.bytes_max;
}

void room_make(struct store *store, const struct slot *slot) {
    while (store->options.bytes_max && room_taken(store) > store->options.bytes_max) {
        struct slot *victim = least_recently_used(store, slot);
        struct model *model;
        struct news news;
        if (!victim)
            return;
        model = victim->model;
        victim->model = NULL;
        store->unloads++;
        if (victim->why.code < 0) /* it answered in place of what is wanted */
            news_of_state(store, victim, victim->state, victim->why.text, &news);
        else
            news_of_state(store, victim, MODEL_STATE_WAITING, "unloaded to make room", &news);
        store_unlock(store);
        news_tell(store, &news);
        model_unref(model);
        store_lock(store);
    }
}
