#include "model/store_loader.h"

#include <stdio.h>
#include <time.h>

#include "core/clock.h"
#include "model/builtin.h"
#include "model/engine.h"
#include "model/store_news.h"
#include "model/store_room.h"
#include "nn/backend.h"
#include "nn/gemm.h"
#include "nn/runtime.h"

enum {
    LOADERS_DEFAULT_MAX = 4, /* each packs with one core, and reads with one disk */
    SELF_TEST_TRIES = 1500,  /* while the queue of the engine is full */
    SELF_TEST_WAIT_MS = 20,
};

#define SELF_TEST_TEXT \
    "The committee met on the third Tuesday of the month, read the minutes of its last session, and asked whether 42 " \
    "parcels sent to Lisbon had arrived. Nobody knew; a clerk promised to write to the harbour office at once."

/* Two short texts, before others: somebody may wait for the model with a request. Without the lock. */
static int self_test(struct store *store, struct model *model, uint64_t *ret_us, struct vsr_err *err) {
    struct engine_call calls[2] = { { .model = model, .text = VSR_STR("Does it work?"), .priority = PRIORITY_SAFETY },
                                    { .model = model, .text = VSR_STR(SELF_TEST_TEXT), .priority = PRIORITY_SAFETY } };
    const struct timespec wait = { 0, SELF_TEST_WAIT_MS * 1000000L };
    const struct builtin_model *builtin = model_builtin(model);
    uint64_t begun = 0;
    int rc = VSR_E_UNAVAILABLE;
    for (size_t i = 0; i < VSR_COUNT(calls) && builtin && builtin_is_pair(builtin); i++) {
        calls[i].is_pair = true;
        calls[i].second = calls[i].text;
    }
    for (size_t i = 0; i < SELF_TEST_TRIES && rc == VSR_E_UNAVAILABLE; i++) {
        if (i > 0)
            (void)nanosleep(&wait, NULL); /* when it is cut short, the next try comes sooner */
        begun = clock_mono_ns();
        rc = engine_run(store->options.engine, calls, VSR_COUNT(calls), err);
        for (size_t k = 0; k < VSR_COUNT(calls); k++)
            engine_call_done(&calls[k]);
    }
    *ret_us = (clock_mono_ns() - begun) / 1000;
    return rc < 0 ? err_wrap(err, "self-test") : 0;
}

struct loaded {
    struct model *model, *too_large; /* either */
    uint64_t load_ms, self_test_us;
    struct vsr_err err;
    int rc;
};

/* Without the lock. */
static void load(struct store *store, const struct wish *wish, struct loaded *ret) {
    const struct model_options options = { .precision = wish->model.precision,
                                           .tokens_max = wish->model.tokens_max,
                                           .label_file = wish->model.label_file,
                                           .base = wish->base,
                                           .device = wish->model.device };
    uint64_t begun = clock_mono_ms();
    *ret = (struct loaded){ .err = VSR_ERR_NONE };
    ret->rc = model_open(store->options.runtime, wish->directory, &options, &ret->model, &ret->err);
    if (ret->rc == 0)
        ret->rc = self_test(store, ret->model, &ret->self_test_us, &ret->err);
    if (ret->rc < 0) {
        model_unref(ret->model);
        ret->model = NULL;
    }
    ret->load_ms = clock_mono_ms() - begun;
}

/* The new model takes the place of the old one, which is returned. */
static struct model *put_in(struct store *store, struct slot *slot, struct loaded *loaded, struct news *news) {
    struct model *old = slot->model;
    if (loaded->rc < 0) {
        char text[READINESS_MESSAGE_LEN];
        store->failures++;
        slot->why = loaded->err;
        slot->why.code = loaded->rc;
        (void)snprintf(text, sizeof(text), "%s%s", old ? "the former one goes on: " : "", loaded->err.text);
        news_of_state(store, slot, MODEL_STATE_FAILED, text, news);
        return NULL;
    }
    store->loads++;
    slot->model = loaded->model;
    slot->load_ms = loaded->load_ms;
    slot->self_test_us = loaded->self_test_us;
    slot->loaded_as = slot->wish->key;
    slot->used = ++store->clock;
    news_of_load(store, slot);
    news_of_ready(store, slot, news);
    return old;
}

static void refuse_too_large(const struct store *store, const struct slot *slot, struct loaded *loaded) {
    if (loaded->rc < 0 || room_is_for(store, slot, loaded->model))
        return;
    loaded->rc = err_set(&loaded->err, VSR_E_LIMIT,
                         "%zu bytes do not fit under the ceiling of %llu, beside the models that stay",
                         model_bytes(loaded->model).all, (unsigned long long)store->options.bytes_max);
    loaded->too_large = loaded->model;
    loaded->model = NULL;
}

/* Gives up the lock meanwhile. */
static void load_slot(struct store *store, struct slot *slot) {
    struct wish *wish = slot->wish;
    struct model *old = NULL;
    struct loaded loaded;
    struct news news;
    wish->n_refs++;
    slot->n_users++;
    slot->loading = true;
    slot->under_way = wish;
    news_of_state(store, slot, MODEL_STATE_LOADING, slot->model ? "being replaced" : "", &news);
    store_unlock(store);
    news_tell(store, &news);
    load(store, wish, &loaded);
    store_lock(store);
    slot->loading = false;
    slot->under_way = NULL;
    slot->settling = true;
    refuse_too_large(store, slot, &loaded);
    if (slot->gone || slot->wish != wish) { /* not wanted any more; what is wanted now stands in the queue again */
        store_unlock(store);
        model_unref(loaded.model);
        store_lock(store);
    } else {
        old = put_in(store, slot, &loaded, &news);
        (void)pthread_cond_broadcast(&store->changed);
        store_unlock(store);
        news_tell(store, &news);
        model_unref(old);
        store_lock(store);
        room_make(store, slot);
    }
    slot->settling = false;
    wish_unref(wish);
    slot_leave(slot);
    store_unlock(store);
    model_unref(loaded.too_large);
    store_lock(store);
    news_of_phase(store);
    (void)pthread_cond_broadcast(&store->changed);
}

/* One that is being loaded for a former wish is left to that loader. */
static struct slot *next_in_queue(const struct store *store) {
    struct slot *slot = store->queue;
    while (slot && slot->loading)
        slot = slot->behind;
    return slot;
}

static void *loader_main(void *data) {
    struct loader *loader = data;
    struct store *store = loader->store;
    struct gemm_context *alone = gemm_context_new(store->options.runtime->gemm); /* packs on this core only */
    store_lock(store);
    while (!store->stopping) {
        struct slot *slot = next_in_queue(store);
        if (store->gone) { /* before another one is loaded: the scout may be held up by the disk */
            slot_let_go(store);
        } else if (slot) {
            slot_unqueue(store, slot);
            load_slot(store, slot);
        } else {
            (void)pthread_cond_wait(&store->changed, &store->mutex);
        }
    }
    store_unlock(store);
    gemm_context_free(alone);
    return NULL;
}

static size_t loaders_default(void) {
    size_t n = (engine_threads_default() + 1) / 2;
    return n > LOADERS_DEFAULT_MAX ? LOADERS_DEFAULT_MAX : n;
}

int store_loaders_start(struct store *store, size_t n, struct vsr_err *err) {
    if (n == 0)
        n = loaders_default();
    for (size_t i = 0; i < n; i++) {
        struct loader *loader = &store->loaders[i];
        loader->store = store;
        if (pthread_create(&loader->id, NULL, loader_main, loader) != 0)
            return err_set(err, VSR_E_NOMEM, "cannot start thread %zu to load models", i + 1);
        store->n_loaders++;
    }
    return 0;
}

void store_loaders_join(struct store *store) {
    for (size_t i = 0; i < store->n_loaders; i++)
        (void)pthread_join(store->loaders[i].id, NULL);
}
