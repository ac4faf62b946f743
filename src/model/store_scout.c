#include "model/store_scout.h"

#include "model/store_news.h"

static bool same_key(struct result_key a, struct result_key b) {
    return a.low == b.low && a.high == b.high;
}

/* What there is to do about a slot whose wish is new, or stands again. */
static void plan(struct store *store, struct slot *slot, struct news *news) {
    struct wish *wish = slot->wish;
    slot->why = wish->absent;
    if (slot->model && same_key(slot->loaded_as, wish->key) && wish->absent.code == 0) {
        slot_unqueue(store, slot);
        news_of_ready(store, slot, news);
    } else if (wish->absent.code < 0) {
        slot_unqueue(store, slot);
        news_of_state(store, slot, MODEL_STATE_ABSENT, wish->absent.text, news);
    } else {
        news_of_state(store, slot, MODEL_STATE_WAITING, "", news);
        if (slot_is_eager(slot) || slot->model)
            slot_enqueue(store, slot, false);
    }
}

/* Takes what was found. A model that is being loaded as it is wanted is left in peace. */
static void want(struct store *store, struct slot *slot, struct wish *wish, struct news *news) {
    wish_unref(slot->asked);
    slot->asked = NULL;
    news->name[0] = 0;
    if (slot->under_way && slot->under_way == slot->wish && same_key(slot->wish->key, wish->key)) {
        slot->called = false;
        wish_rename(slot->wish, &wish->model);
        wish_unref(wish);
        return;
    }
    wish_unref(slot->wish);
    slot->wish = wish;
    plan(store, slot, news);
    if (slot->called && !slot->model && slot->state == MODEL_STATE_WAITING)
        slot_enqueue(store, slot, true);
    slot->called = false;
}

/* Gives up the lock meanwhile. The settings are copied: of a new slot they are its wish's, too. */
static void look_for(struct store *store, struct slot *slot) {
    const struct store_model model = slot->asked->model;
    struct wish *asked = slot->asked, *found;
    struct news news = { .name = "" };
    asked->n_refs++;
    slot->n_users++;
    store_unlock(store);
    found = wish_look(&store->options.places, &model);
    store_lock(store);
    if (!slot->gone && slot->asked == asked)
        want(store, slot, found, &news);
    else /* something else is wanted by now, and looked for next */
        wish_unref(found);
    wish_unref(asked);
    slot_leave(slot);
    (void)pthread_cond_broadcast(&store->changed);
    if (news.name[0]) {
        store_unlock(store);
        news_tell(store, &news);
        store_lock(store);
    }
    news_of_phase(store);
}

static void *scout_main(void *data) {
    struct store *store = data;
    store_lock(store);
    while (!store->stopping) {
        struct slot *slot = store->slots;
        while (slot && !slot->asked)
            slot = slot->next;
        if (store->gone)
            slot_let_go(store);
        else if (slot)
            look_for(store, slot);
        else
            (void)pthread_cond_wait(&store->scouting, &store->mutex);
    }
    store_unlock(store);
    return NULL;
}

int store_scout_start(struct store *store, struct vsr_err *err) {
    if (pthread_create(&store->scout, NULL, scout_main, store) != 0)
        return err_set(err, VSR_E_NOMEM, "cannot start the thread that looks for models");
    store->has_scout = true;
    return 0;
}

void store_scout_join(struct store *store) {
    if (store->has_scout)
        (void)pthread_join(store->scout, NULL);
}
