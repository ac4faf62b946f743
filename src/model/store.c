#include "model/store.h"

#include <stdio.h>
#include <time.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "model/store_loader.h"
#include "model/store_news.h"
#include "model/store_room.h"
#include "model/store_scout.h"

void store_lock(struct store *store) {
    (void)pthread_mutex_lock(&store->mutex); /* fails only for a mutex that is none */
}

void store_unlock(struct store *store) {
    (void)pthread_mutex_unlock(&store->mutex);
}

/* ---- configuring */

/* How a model is kept needs no look at its files. */
static void keep_as(struct slot *slot, const struct store_model *model) {
    slot->wish->model.long_text = model->long_text;
    slot->wish->model.load = model->load;
    slot->wish->model.mandatory = model->mandatory;
}

/* Takes the wish, which the scout looks after. */
static void ask(struct store *store, struct wish *wish) {
    struct slot *slot = slot_of_path(store, wish->path);
    if (!slot)
        slot = slot_new(store, wish);
    news_of_wanting(store, slot, &wish->model);
    wish_unref(slot->asked);
    slot->asked = wish;
    keep_as(slot, &wish->model);
    (void)pthread_cond_signal(&store->scouting);
}

static bool is_among(vsr_str path, struct wish *const *wishes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(wishes[i]->path, path))
            return true;
    return false;
}

/* Names that mean one model make one wish. */
static size_t make_wishes(const struct store_model *models, size_t n, struct wish **wishes) {
    size_t n_wishes = 0;
    for (size_t i = 0; i < n; i++) {
        vsr_str path = wish_path(models[i].name);
        size_t k = 0;
        while (k < n_wishes && !str_eq(wishes[k]->path, path))
            k++;
        if (k == n_wishes) {
            wishes[n_wishes++] = wish_new(&models[i]);
            continue;
        }
        wishes[k]->model.mandatory |= models[i].mandatory;
        if (models[i].load == STORE_EAGER)
            wishes[k]->model.load = STORE_EAGER;
    }
    return n_wishes;
}

static size_t count_claimed(const struct store *store) {
    size_t n = 0;
    for (const struct slot *slot = store->slots; slot; slot = slot->next)
        n += !slot->wanted;
    return n;
}

/* What is claimed stays, but is not loaded before somebody asks. */
static void drop_others(struct store *store, struct wish *const *wishes, size_t n) {
    size_t n_claimed = count_claimed(store);
    struct slot *next;
    for (struct slot *slot = store->slots; slot; slot = next) {
        next = slot->next;
        if (!slot->wanted || is_among(slot->wish->path, wishes, n))
            continue;
        if (slot->n_claims == 0 || n_claimed == STORE_MODELS_MAX) {
            slot_drop(store, slot);
            continue;
        }
        n_claimed++;
        slot_unwant(store, slot);
        if (slot->n_users == slot->n_claims)
            slot_unqueue(store, slot);
    }
}

int store_configure(struct store *store, const struct store_model *models, size_t n, struct vsr_err *err) {
    struct wish *wishes[STORE_MODELS_MAX];
    size_t n_wishes;
    if (n > STORE_MODELS_MAX)
        return err_set(err, VSR_E_LIMIT, "%zu models, at most %d", n, STORE_MODELS_MAX);
    n_wishes = make_wishes(models, n, wishes);
    store_lock(store);
    drop_others(store, wishes, n_wishes);
    for (size_t i = 0; i < n_wishes; i++)
        ask(store, wishes[i]);
    news_of_phase(store);
    (void)pthread_cond_broadcast(&store->changed);
    store_unlock(store);
    return 0;
}

/* ---- asking */

static void until(uint64_t deadline_ms, struct timespec *ret) {
    *ret = (struct timespec){ (time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000L };
}

/* Why a slot without a model has none; 0: it may get one. */
static int refuse(const struct store *store, const struct slot *slot, struct vsr_err *err) {
    if (store->stopping)
        return err_set(err, VSR_E_CLOSED, "models are being unloaded: the process ends");
    if (slot->gone)
        return err_set(err, VSR_E_NOT_FOUND, "the configuration does not name the model any more");
    if (!slot->asked && (slot->state == MODEL_STATE_ABSENT || slot->state == MODEL_STATE_FAILED))
        return err_set(err, VSR_E_UNAVAILABLE, "%s", slot->why.text);
    return 0;
}

/* Until the slot has a model. Gives up the lock meanwhile. */
static int await(struct store *store, struct slot *slot, uint64_t deadline_ms, struct vsr_err *err) {
    struct timespec deadline;
    int rc;
    until(deadline_ms, &deadline);
    while (!slot->model) {
        rc = refuse(store, slot, err);
        if (rc < 0)
            return rc;
        if (slot->asked)
            slot->called = true;
        else if (slot->under_way != slot->wish)
            slot_enqueue(store, slot, true);
        if (deadline_ms == 0)
            return err_set(err, VSR_E_UNAVAILABLE, "it is being %s", slot->asked ? "looked for" : "loaded");
        if (clock_mono_ms() >= deadline_ms)
            return err_set(err, VSR_E_TIMEOUT, "it is still being %s", slot->asked ? "looked for" : "loaded");
        (void)pthread_cond_timedwait(&store->changed, &store->mutex, &deadline); /* the loop looks at the time */
    }
    return 0;
}

int store_get(struct store *store, vsr_str name, uint64_t deadline_ms, struct store_handle *ret, struct vsr_err *err) {
    struct slot *slot;
    int rc;
    store_lock(store);
    slot = slot_of_name(store, name);
    if (!slot) {
        store_unlock(store);
        return err_set(err, VSR_E_NOT_FOUND, "no model is configured as \"%.*s\"", VSR_FMT(str_sub(name, 0, 128)));
    }
    slot->n_users++;
    rc = await(store, slot, deadline_ms, err);
    if (rc == 0) {
        slot->used = ++store->clock;
        model_ref(slot->model);
        *ret = (struct store_handle){ slot->model, slot->wish->model.long_text };
    }
    slot_leave(slot);
    store_unlock(store);
    return rc < 0 ? err_wrap(err, "model %.*s", VSR_FMT(str_sub(name, 0, 128))) : 0;
}

bool store_is_coming(struct store *store, vsr_str name, bool *ret_lazy) {
    const struct slot *slot;
    bool coming;
    store_lock(store);
    slot = slot_of_name(store, name);
    coming = slot && (slot->model || refuse(store, slot, NULL) == 0);
    *ret_lazy = slot && !slot_is_eager(slot);
    store_unlock(store);
    return coming;
}

void store_put(struct store_handle *handle) {
    model_unref(handle->model);
    handle->model = NULL;
}

/* ---- life */

int store_new(const struct store_options *options, struct store **ret, struct vsr_err *err) {
    struct store *store;
    pthread_condattr_t monotonic;
    int rc;
    if (options->loaders > STORE_LOADERS_MAX)
        return err_set(err, VSR_E_INVALID, "at most %d models are loaded at the same time", STORE_LOADERS_MAX);
    store = MEM_NEW(struct store);
    store->options = *options;
    store->arena = arena_new(0, 0);
    store->options.places.models_dir = arena_str(store->arena, options->places.models_dir);
    store->options.places.hub_dir = arena_str(store->arena, options->places.hub_dir);
    (void)pthread_mutex_init(&store->mutex, NULL); /* cannot fail with default attributes, nor can the others */
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the clock is there */
    (void)pthread_cond_init(&store->changed, &monotonic);
    (void)pthread_cond_init(&store->scouting, NULL);
    (void)pthread_condattr_destroy(&monotonic);
    news_of_phase(store); /* nobody else is there yet: the lock is not needed */
    rc = store_scout_start(store, err);
    if (rc == 0)
        rc = store_loaders_start(store, options->loaders, err);
    if (rc < 0) {
        store_free(store);
        return rc;
    }
    *ret = store;
    return 0;
}

void store_free(struct store *store) {
    if (!store)
        return;
    store_lock(store);
    store->stopping = true;
    (void)pthread_cond_broadcast(&store->changed);
    (void)pthread_cond_signal(&store->scouting);
    store_unlock(store);
    store_scout_join(store);
    store_loaders_join(store);
    store_lock(store);
    while (store->slots)
        slot_drop(store, store->slots);
    while (store->gone)
        slot_let_go(store);
    store_unlock(store);
    (void)pthread_cond_destroy(&store->scouting);
    (void)pthread_cond_destroy(&store->changed);
    (void)pthread_mutex_destroy(&store->mutex);
    arena_free(store->arena);
    mem_free(store);
}

bool store_name_of(struct store *store, vsr_str directory, char name[static READINESS_NAME_LEN]) {
    const struct slot *slot;
    store_lock(store);
    slot = store->slots;
    while (slot && !str_eq(slot->wish->directory, directory))
        slot = slot->next;
    if (slot)
        (void)snprintf(name, READINESS_NAME_LEN, "%.*s", VSR_FMT(slot->wish->model.name));
    store_unlock(store);
    return slot != NULL;
}

struct store_stats store_stats(struct store *store) {
    struct store_stats stats = { 0 };
    store_lock(store);
    for (const struct slot *slot = store->slots; slot; slot = slot->next) {
        stats.models++;
        stats.claimed += !slot->wanted;
        stats.checking += slot->asked != NULL;
        stats.loaded += slot->model != NULL;
        stats.loading += slot->loading || slot->settling;
        stats.waited_for += slot->queued;
        stats.failed += slot->state == MODEL_STATE_FAILED;
        stats.absent += slot->state == MODEL_STATE_ABSENT;
    }
    stats.bytes = room_taken(store);
    stats.loads = store->loads;
    stats.failures = store->failures;
    stats.unloads = store->unloads;
    store_unlock(store);
    return stats;
}
