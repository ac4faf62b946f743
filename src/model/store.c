/*
 * One slot for each model. What a configuration asks of it becomes its wish once the scout, a thread that does nothing
 * else, has looked for the files. A slot's wish says what it should be, its model what it is; they differ while a load
 * is under way, and after one that failed. Loaders take slots from a queue: those that somebody waits for stand at its
 * front. A slot that is not wanted any more leaves the list at once and is freed by the last who looks at it; the scout
 * frees its model, for giving memory back takes a while as well. With a claim to it, it stays in the list unwanted.
 */
#include "model/store.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "model/catalogue.h"
#include "model/engine.h"
#include "model/wish.h"
#include "nn/backend.h"
#include "nn/embedder.h"
#include "nn/gemm.h"
#include "nn/head.h"
#include "nn/labels.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"

enum {
    LOADERS_DEFAULT_MAX = 4, /* each packs with one core, and reads with one disk */
    SELF_TEST_TRIES = 1500,  /* while the queue of the engine is full */
    SELF_TEST_WAIT_MS = 20,
};

struct slot {
    struct slot *next;   /* of all slots */
    struct slot *behind; /* of the queue */
    int readiness;       /* its number there; none when it is not wanted */
    struct wish *wish;
    struct wish *asked;         /* what it shall be, until it has been looked for; NULL: that is `wish` */
    enum readiness_state state; /* of the wish */
    struct vsr_err why;         /* of ABSENT and FAILED */
    struct model *model;        /* NULL: none is loaded */
    struct model *leaving;      /* of one that is gone: for the scout to free */
    uint64_t load_ms, self_test_us;
    struct result_key loaded_as;
    uint64_t used;                /* the store's clock when it was asked for last */
    const struct wish *under_way; /* what is being loaded; compared only: it may not be wanted any more */
    bool wanted;                  /* by the last configuration, not by claims alone */
    bool queued, loading, gone;
    bool called;   /* somebody asked for it while it was being looked for */
    bool settling; /* it is loaded; room is being made for it */
    size_t n_claims;
    size_t n_users; /* loader, askers, claims, and the scout */
};

struct store_claim {
    struct store *store;
    size_t n;
    struct slot *slots[];
};

struct loader {
    struct store *store;
    pthread_t id;
};

struct store {
    struct store_options options;
    struct arena *arena;
    struct loader loaders[STORE_LOADERS_MAX];
    size_t n_loaders;
    pthread_t scout;
    bool has_scout;
    pthread_mutex_t configuring; /* one at a time */
    pthread_mutex_t mutex;       /* guards the rest */
    pthread_cond_t changed;      /* a load has ended, one is wanted, or the store stops */
    pthread_cond_t scouting;     /* there is something to look for or to free, or the store stops */
    struct slot *slots, *first, *last;
    struct slot *gone; /* whose models the scout frees */
    uint64_t clock;
    uint64_t loads, failures, unloads;
    bool stopping;
};

static void lock(struct store *store) {
    (void)pthread_mutex_lock(&store->mutex); /* fails only for a mutex that is none */
}

static void unlock(struct store *store) {
    (void)pthread_mutex_unlock(&store->mutex);
}

/* ---- telling */

static bool same_key(struct result_key a, struct result_key b) {
    return a.low == b.low && a.high == b.high;
}

static bool is_eager(const struct slot *slot) {
    return slot->wanted && (slot->wish->model.load == STORE_EAGER || slot->wish->model.mandatory);
}

/* What is to be said once the lock is free. */
struct news {
    enum readiness_state state;
    char name[READINESS_NAME_LEN], message[READINESS_MESSAGE_LEN];
};

static void tell(const struct store *store, const struct news *news) {
    if (store->options.report)
        store->options.report(store->options.owner, str_from_c(news->name), news->state, str_from_c(news->message));
}

/* With the lock. A slot whose former model still answers is ready, whatever becomes of the new one. */
static void show(struct store *store, struct slot *slot, enum readiness_state state, const char *message,
                 struct news *news) {
    slot->state = state;
    news->state = state;
    (void)snprintf(news->name, sizeof(news->name), "%.*s", VSR_FMT(slot->wish->model.name));
    (void)snprintf(news->message, sizeof(news->message), "%s", message);
    if (slot->gone || !slot->wanted)
        return;
    readiness_set_state(store->options.readiness, slot->readiness, slot->model ? MODEL_STATE_READY : state,
                        str_from_c(message));
}

/* With the lock. */
static void show_phase(struct store *store) {
    char missing[READINESS_NAME_LEN];
    size_t n = 0, checked = 0, under_way = 0;
    for (const struct slot *slot = store->slots; slot; slot = slot->next) {
        n += slot->wanted;
        checked += slot->wanted && slot->asked && !slot->model;
        under_way += (slot->queued || slot->loading) && is_eager(slot);
    }
    if (n == 0)
        readiness_set_phase(store->options.readiness, READINESS_SKIPPED, VSR_STR(""));
    else if (checked > 0)
        readiness_set_phase(store->options.readiness, READINESS_CHECKING, VSR_STR(""));
    else if (under_way > 0)
        readiness_set_phase(store->options.readiness, READINESS_INITIALIZING, VSR_STR(""));
    else if (readiness_is_ready(store->options.readiness, missing))
        readiness_set_phase(store->options.readiness, READINESS_READY, VSR_STR(""));
    else
        readiness_set_phase(store->options.readiness, READINESS_FAILED, str_from_c(missing));
}

/* ---- slots; the lock is held */

static struct slot *find_path(const struct store *store, vsr_str path) {
    struct slot *slot = store->slots;
    while (slot && !str_eq(slot->wish->path, path))
        slot = slot->next;
    return slot;
}

/* By the name that the configuration uses, which costs no look into the catalogue, else by any other. */
static struct slot *find_name(const struct store *store, vsr_str name) {
    for (struct slot *slot = store->slots; slot; slot = slot->next)
        if (str_eq(slot->wish->model.name, name))
            return slot;
    return find_path(store, wish_path(name));
}

static void unqueue(struct store *store, struct slot *slot) {
    struct slot *before = NULL;
    if (!slot->queued)
        return;
    for (struct slot *at = store->first; at != slot; at = at->behind)
        before = at;
    if (before)
        before->behind = slot->behind;
    else
        store->first = slot->behind;
    if (store->last == slot)
        store->last = before;
    slot->behind = NULL;
    slot->queued = false;
}

static void enqueue(struct store *store, struct slot *slot, bool at_front) {
    unqueue(store, slot);
    slot->queued = true;
    if (at_front) {
        slot->behind = store->first;
        store->first = slot;
        if (!store->last)
            store->last = slot;
    } else {
        if (store->last)
            store->last->behind = slot;
        else
            store->first = slot;
        store->last = slot;
    }
    (void)pthread_cond_broadcast(&store->changed);
}

static void free_slot(struct slot *slot) {
    wish_unref(slot->asked);
    wish_unref(slot->wish);
    mem_free(slot);
}

static void leave_slot(struct slot *slot) {
    if (--slot->n_users == 0 && slot->gone)
        free_slot(slot);
}

static void unwant(struct store *store, struct slot *slot) {
    if (!slot->wanted)
        return;
    slot->wanted = false;
    readiness_remove(store->options.readiness, slot->readiness);
}

static void drop_slot(struct store *store, struct slot *slot) {
    struct slot **at = &store->slots;
    while (*at != slot)
        at = &(*at)->next;
    *at = slot->next;
    unqueue(store, slot);
    unwant(store, slot);
    slot->leaving = slot->model;
    slot->model = NULL;
    slot->gone = true;
    slot->n_users++; /* the scout */
    slot->next = store->gone;
    store->gone = slot;
    (void)pthread_cond_signal(&store->scouting);
}

/* ---- the ceiling */

/* Of a model's weights, what was not counted for another one since tensor_store_recount(). */
static uint64_t count_bytes(const struct model *model) {
    const struct head *head = model_head(model);
    uint64_t trunk = trunk_bytes(model_trunk(model)).first;
    return trunk + (head ? head_bytes(head).first : embedder_bytes(model_embedder(model)).first);
}

/* With the lock. Models that calls still hold, and the store not, are not counted: they are about to go. */
static uint64_t bytes_held(const struct store *store) {
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
        if (slot != except && slot->model && !slot->loading && !slot->queued && !is_eager(slot) &&
            (!least || slot->used < least->used))
            least = slot;
    return least;
}

/* With the lock: whether a lazy model may stay beside those that do in any case. */
static bool fits(const struct store *store, const struct slot *slot, const struct model *model) {
    uint64_t bytes;
    if (store->options.bytes_max == 0 || is_eager(slot))
        return true;
    tensor_store_recount(store->options.runtime->tensors);
    bytes = count_bytes(model);
    for (const struct slot *other = store->slots; other; other = other->next)
        if (other != slot && other->model && is_eager(other))
            bytes += count_bytes(other->model);
    return bytes <= store->options.bytes_max;
}

/* With the lock, which is given up meanwhile: unloads others than `slot` until the ceiling holds. */
static void make_room(struct store *store, const struct slot *slot) {
    while (store->options.bytes_max && bytes_held(store) > store->options.bytes_max) {
        struct slot *victim = least_recently_used(store, slot);
        struct model *model;
        struct news news;
        if (!victim)
            return;
        model = victim->model;
        victim->model = NULL;
        store->unloads++;
        if (victim->why.code < 0) /* it answered in place of what is wanted */
            show(store, victim, victim->state, victim->why.text, &news);
        else
            show(store, victim, MODEL_STATE_WAITING, "unloaded to make room", &news);
        unlock(store);
        tell(store, &news);
        model_unref(model);
        lock(store);
    }
}

/* ---- loading */

#define SELF_TEST_TEXT \
    "The committee met on the third Tuesday of the month, read the minutes of its last session, and asked whether 42 " \
    "parcels sent to Lisbon had arrived. Nobody knew; a clerk promised to write to the harbour office at once."

/* Two short texts, before others: somebody may wait for the model with a request. */
static int self_test(struct store *store, struct model *model, uint64_t *ret_us, struct vsr_err *err) {
    struct engine_call calls[2] = { { .model = model, .text = VSR_STR("Does it work?"), .priority = PRIORITY_SAFETY },
                                    { .model = model, .text = VSR_STR(SELF_TEST_TEXT), .priority = PRIORITY_SAFETY } };
    const struct timespec wait = { 0, SELF_TEST_WAIT_MS * 1000000L };
    uint64_t begun = 0;
    int rc = VSR_E_UNAVAILABLE;
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

/* With the lock. */
static void show_loaded(struct store *store, const struct slot *slot) {
    const struct model *model = slot->model;
    const struct labels *labels = model_labels(model);
    const struct readiness_load shown = {
        .resolved_path = slot->wish->directory,
        .load_ms = slot->load_ms,
        .self_test_us = slot->self_test_us,
        .memory_bytes = model_bytes(model).all,
        .task = str_from_c(model_task_name(model_task(model))),
        .architecture = str_from_c(encoder_family_name(model_config(model)->family)),
        .precision = str_from_c(precision_name(model_precision(model))),
        .tokens_max = model_tokens_max(model),
        .width = model_width(model),
        .labels = labels->names,
        .n_labels = labels->n,
    };
    if (slot->wanted)
        readiness_loaded(store->options.readiness, slot->readiness, &shown);
}

/* With the lock: the new model takes the place of the old one, which is returned. */
static struct model *put_in(struct store *store, struct slot *slot, struct loaded *loaded, struct news *news) {
    struct model *old = slot->model;
    if (loaded->rc < 0) {
        char text[READINESS_MESSAGE_LEN];
        store->failures++;
        slot->why = loaded->err;
        slot->why.code = loaded->rc;
        (void)snprintf(text, sizeof(text), "%s%s", old ? "the former one goes on: " : "", loaded->err.text);
        show(store, slot, MODEL_STATE_FAILED, text, news);
        return NULL;
    }
    store->loads++;
    slot->model = loaded->model;
    slot->load_ms = loaded->load_ms;
    slot->self_test_us = loaded->self_test_us;
    slot->loaded_as = slot->wish->key;
    slot->used = ++store->clock;
    show(store, slot, MODEL_STATE_READY, "", news);
    show_loaded(store, slot);
    return old;
}

static void refuse_too_large(const struct store *store, const struct slot *slot, struct loaded *loaded) {
    if (loaded->rc < 0 || fits(store, slot, loaded->model))
        return;
    loaded->rc = err_set(&loaded->err, VSR_E_LIMIT,
                         "%zu bytes do not fit under the ceiling of %llu, beside the models "
                         "that stay",
                         model_bytes(loaded->model).all, (unsigned long long)store->options.bytes_max);
    loaded->too_large = loaded->model;
    loaded->model = NULL;
}

/* With the lock, which is given up meanwhile. */
static void load_slot(struct store *store, struct slot *slot) {
    struct wish *wish = slot->wish;
    struct model *old = NULL;
    struct loaded loaded;
    struct news news;
    wish->n_refs++;
    slot->n_users++;
    slot->loading = true;
    slot->under_way = wish;
    show(store, slot, MODEL_STATE_LOADING, slot->model ? "being replaced" : "", &news);
    unlock(store);
    tell(store, &news);
    load(store, wish, &loaded);
    lock(store);
    slot->loading = false;
    slot->under_way = NULL;
    slot->settling = true;
    refuse_too_large(store, slot, &loaded);
    if (slot->gone || slot->wish != wish) { /* not wanted any more; what is wanted now stands in the queue again */
        unlock(store);
        model_unref(loaded.model);
        lock(store);
    } else {
        old = put_in(store, slot, &loaded, &news);
        (void)pthread_cond_broadcast(&store->changed);
        unlock(store);
        tell(store, &news);
        model_unref(old);
        lock(store);
        make_room(store, slot);
    }
    slot->settling = false;
    wish_unref(wish);
    leave_slot(slot);
    unlock(store);
    model_unref(loaded.too_large);
    lock(store);
    show_phase(store);
    (void)pthread_cond_broadcast(&store->changed);
}

/* One that is being loaded for a former wish is left to that loader. */
static struct slot *next_in_queue(const struct store *store) {
    struct slot *slot = store->first;
    while (slot && slot->loading)
        slot = slot->behind;
    return slot;
}

static void *loader_main(void *data) {
    struct loader *loader = data;
    struct store *store = loader->store;
    struct gemm_context *alone = gemm_context_new(store->options.runtime->gemm); /* packs on this core only */
    lock(store);
    while (!store->stopping) {
        struct slot *slot = next_in_queue(store);
        if (slot) {
            unqueue(store, slot);
            load_slot(store, slot);
        } else {
            (void)pthread_cond_wait(&store->changed, &store->mutex);
        }
    }
    unlock(store);
    gemm_context_free(alone);
    return NULL;
}

/* ---- configuring */

/* With the lock: what there is to do about a slot whose wish is new, or stands again. */
static void plan(struct store *store, struct slot *slot, struct news *news) {
    struct wish *wish = slot->wish;
    slot->why = wish->absent;
    if (slot->model && same_key(slot->loaded_as, wish->key) && wish->absent.code == 0) {
        unqueue(store, slot);
        show(store, slot, MODEL_STATE_READY, "", news);
    } else if (wish->absent.code < 0) {
        unqueue(store, slot);
        show(store, slot, MODEL_STATE_ABSENT, wish->absent.text, news);
    } else {
        show(store, slot, MODEL_STATE_WAITING, "", news);
        if (is_eager(slot) || slot->model)
            enqueue(store, slot, false);
    }
}

/* With the lock. One that was kept for a claim is shown as it is. */
static void show_anew(struct store *store, struct slot *slot) {
    const struct readiness_model shown = { slot->wish->model.name, slot->wish->model.type,
                                           catalogue_path(slot->wish->model.name), slot->wish->model.mandatory };
    slot->wanted = true;
    slot->readiness = readiness_add(store->options.readiness, &shown);
    VSR_ASSERT(slot->readiness >= 0); /* there is room for STORE_MODELS_MAX */
    if (slot->model)
        show_loaded(store, slot);
    else
        readiness_set_state(store->options.readiness, slot->readiness, slot->state, VSR_STR(""));
}

static struct slot *new_slot(struct store *store, struct wish *wish) {
    struct slot *slot = MEM_NEW(struct slot), **at = &store->slots;
    slot->wish = wish;
    wish->n_refs++;
    slot->state = MODEL_STATE_CHECKING;
    while (*at)
        at = &(*at)->next;
    *at = slot;
    return slot;
}

/* How a model is kept needs no look at its files. */
static void keep_as(struct slot *slot, const struct store_model *model) {
    slot->wish->model.long_text = model->long_text;
    slot->wish->model.load = model->load;
    slot->wish->model.mandatory = model->mandatory;
}

/* With the lock. Takes the wish, which the scout looks after. */
static void ask(struct store *store, struct wish *wish) {
    struct slot *slot = find_path(store, wish->path);
    if (!slot)
        slot = new_slot(store, wish);
    if (!slot->wanted)
        show_anew(store, slot);
    wish_unref(slot->asked);
    slot->asked = wish;
    keep_as(slot, &wish->model);
    readiness_set_mandatory(store->options.readiness, slot->readiness, wish->model.mandatory);
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

/* With the lock. What is claimed stays, but is not loaded before somebody asks. */
static void drop_others(struct store *store, struct wish *const *wishes, size_t n) {
    size_t n_claimed = count_claimed(store);
    struct slot *next;
    for (struct slot *slot = store->slots; slot; slot = next) {
        next = slot->next;
        if (!slot->wanted || is_among(slot->wish->path, wishes, n))
            continue;
        if (slot->n_claims == 0 || n_claimed == STORE_MODELS_MAX) {
            drop_slot(store, slot);
            continue;
        }
        n_claimed++;
        unwant(store, slot);
        if (slot->n_users == slot->n_claims)
            unqueue(store, slot);
    }
}

int store_configure(struct store *store, const struct store_model *models, size_t n, struct vsr_err *err) {
    struct wish *wishes[STORE_MODELS_MAX];
    size_t n_wishes;
    if (n > STORE_MODELS_MAX)
        return err_set(err, VSR_E_LIMIT, "%zu models, at most %d", n, STORE_MODELS_MAX);
    (void)pthread_mutex_lock(&store->configuring); /* fails only for a mutex that is none */
    n_wishes = make_wishes(models, n, wishes);
    lock(store);
    drop_others(store, wishes, n_wishes);
    for (size_t i = 0; i < n_wishes; i++)
        ask(store, wishes[i]);
    show_phase(store);
    (void)pthread_cond_broadcast(&store->changed);
    unlock(store);
    (void)pthread_mutex_unlock(&store->configuring);
    return 0;
}

/* ---- claims */

struct store_claim *store_claim(struct store *store) {
    struct store_claim *claim = mem_alloc(sizeof(*claim) + STORE_MODELS_MAX * sizeof(*claim->slots));
    claim->store = store;
    lock(store);
    for (struct slot *slot = store->slots; slot; slot = slot->next) {
        if (!slot->wanted)
            continue;
        claim->slots[claim->n++] = slot;
        slot->n_claims++;
        slot->n_users++;
    }
    unlock(store);
    return claim;
}

void store_claim_free(struct store_claim *claim) {
    if (!claim)
        return;
    lock(claim->store);
    for (size_t i = 0; i < claim->n; i++) {
        struct slot *slot = claim->slots[i];
        if (--slot->n_claims == 0 && !slot->wanted && !slot->gone)
            drop_slot(claim->store, slot);
        leave_slot(slot);
    }
    (void)pthread_cond_broadcast(&claim->store->changed); /* who waits for one that is gone */
    unlock(claim->store);
    mem_free(claim);
}

/* ---- the scout */

/* With the lock. Takes what was found. A model that is being loaded as it is wanted is left in peace. */
static void want(struct store *store, struct slot *slot, struct wish *wish, struct news *news) {
    wish_unref(slot->asked);
    slot->asked = NULL;
    news->name[0] = 0;
    if (slot->under_way && slot->under_way == slot->wish && same_key(slot->wish->key, wish->key)) {
        wish_unref(wish);
        return;
    }
    wish_unref(slot->wish);
    slot->wish = wish;
    plan(store, slot, news);
    if (slot->called && !slot->model && slot->state == MODEL_STATE_WAITING)
        enqueue(store, slot, true);
    slot->called = false;
}

/* With the lock, which is given up meanwhile. The settings are copied: of a new slot they are its wish's, too. */
static void look_for(struct store *store, struct slot *slot) {
    const struct store_model model = slot->asked->model;
    struct wish *asked = slot->asked, *found;
    struct news news = { .name = "" };
    asked->n_refs++;
    slot->n_users++;
    unlock(store);
    found = wish_look(&store->options.places, &model);
    lock(store);
    if (!slot->gone && slot->asked == asked)
        want(store, slot, found, &news);
    else /* something else is wanted by now, and looked for next */
        wish_unref(found);
    wish_unref(asked);
    leave_slot(slot);
    (void)pthread_cond_broadcast(&store->changed);
    if (news.name[0]) {
        unlock(store);
        tell(store, &news);
        lock(store);
    }
    show_phase(store);
}

/* With the lock, which is given up meanwhile: the first of those that left. */
static void let_go(struct store *store) {
    struct slot *slot = store->gone;
    store->gone = slot->next;
    unlock(store);
    model_unref(slot->leaving);
    lock(store);
    leave_slot(slot);
}

static void *scout_main(void *data) {
    struct store *store = data;
    lock(store);
    while (!store->stopping) {
        struct slot *slot = store->slots;
        while (slot && !slot->asked)
            slot = slot->next;
        if (slot)
            look_for(store, slot);
        else if (store->gone)
            let_go(store);
        else
            (void)pthread_cond_wait(&store->scouting, &store->mutex);
    }
    unlock(store);
    return NULL;
}

/* ---- asking */

static void until(uint64_t deadline_ms, struct timespec *ret) {
    *ret = (struct timespec){ (time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000L };
}

/* With the lock: why a slot without a model has none; 0: it may get one. */
static int refuse(const struct store *store, const struct slot *slot, struct vsr_err *err) {
    if (store->stopping)
        return err_set(err, VSR_E_CLOSED, "models are being unloaded: the process ends");
    if (slot->gone)
        return err_set(err, VSR_E_NOT_FOUND, "the configuration does not name the model any more");
    if (!slot->asked && (slot->state == MODEL_STATE_ABSENT || slot->state == MODEL_STATE_FAILED))
        return err_set(err, VSR_E_UNAVAILABLE, "%s", slot->why.text);
    return 0;
}

/* With the lock. */
static int await(struct store *store, struct slot *slot, uint64_t deadline_ms, struct vsr_err *err) {
    struct timespec deadline;
    bool asked = false;
    int rc;
    until(deadline_ms, &deadline);
    while (!slot->model) {
        rc = refuse(store, slot, err);
        if (rc < 0)
            return rc;
        if (slot->asked)
            slot->called = true;
        else if (slot->queued ? !asked : !slot->loading) /* before those that nobody waits for */
            enqueue(store, slot, true);
        asked = !slot->asked;
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
    lock(store);
    slot = find_name(store, name);
    if (!slot) {
        unlock(store);
        return err_set(err, VSR_E_NOT_FOUND, "no model is configured as \"%.*s\"", VSR_FMT(str_sub(name, 0, 128)));
    }
    slot->n_users++;
    rc = await(store, slot, deadline_ms, err);
    if (rc == 0) {
        slot->used = ++store->clock;
        model_ref(slot->model);
        *ret = (struct store_handle){ slot->model, slot->wish->model.long_text };
    }
    leave_slot(slot);
    unlock(store);
    return rc < 0 ? err_wrap(err, "model %.*s", VSR_FMT(str_sub(name, 0, 128))) : 0;
}

void store_put(struct store_handle *handle) {
    model_unref(handle->model);
    handle->model = NULL;
}

/* ---- life */

static size_t loaders_default(void) {
    size_t n = (engine_threads_default() + 1) / 2;
    return n > LOADERS_DEFAULT_MAX ? LOADERS_DEFAULT_MAX : n;
}

static int start_threads(struct store *store, size_t n, struct vsr_err *err) {
    if (pthread_create(&store->scout, NULL, scout_main, store) != 0)
        return err_set(err, VSR_E_NOMEM, "cannot start the thread that looks for models");
    store->has_scout = true;
    for (size_t i = 0; i < n; i++) {
        struct loader *loader = &store->loaders[i];
        loader->store = store;
        if (pthread_create(&loader->id, NULL, loader_main, loader) != 0)
            return err_set(err, VSR_E_NOMEM, "cannot start thread %zu to load models", i + 1);
        store->n_loaders++;
    }
    return 0;
}

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
    (void)pthread_mutex_init(&store->configuring, NULL); /* cannot fail with default attributes, nor can the others */
    (void)pthread_mutex_init(&store->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the clock is there */
    (void)pthread_cond_init(&store->changed, &monotonic);
    (void)pthread_cond_init(&store->scouting, NULL);
    (void)pthread_condattr_destroy(&monotonic);
    show_phase(store);
    rc = start_threads(store, options->loaders ? options->loaders : loaders_default(), err);
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
    lock(store);
    store->stopping = true;
    (void)pthread_cond_broadcast(&store->changed);
    (void)pthread_cond_signal(&store->scouting);
    unlock(store);
    if (store->has_scout)
        (void)pthread_join(store->scout, NULL);
    for (size_t i = 0; i < store->n_loaders; i++)
        (void)pthread_join(store->loaders[i].id, NULL);
    lock(store);
    while (store->slots)
        drop_slot(store, store->slots);
    while (store->gone)
        let_go(store);
    unlock(store);
    (void)pthread_cond_destroy(&store->scouting);
    (void)pthread_cond_destroy(&store->changed);
    (void)pthread_mutex_destroy(&store->mutex);
    (void)pthread_mutex_destroy(&store->configuring);
    arena_free(store->arena);
    mem_free(store);
}

bool store_name_of(struct store *store, vsr_str directory, char name[static READINESS_NAME_LEN]) {
    const struct slot *slot;
    lock(store);
    slot = store->slots;
    while (slot && !str_eq(slot->wish->directory, directory))
        slot = slot->next;
    if (slot)
        (void)snprintf(name, READINESS_NAME_LEN, "%.*s", VSR_FMT(slot->wish->model.name));
    unlock(store);
    return slot != NULL;
}

struct store_stats store_stats(struct store *store) {
    struct store_stats stats = { 0 };
    lock(store);
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
    stats.bytes = bytes_held(store);
    stats.loads = store->loads;
    stats.failures = store->failures;
    stats.unloads = store->unloads;
    unlock(store);
    return stats;
}
