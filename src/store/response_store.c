#include "store/response_store.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metrics.h"
#include "store/memory_store.h"
#include "store/record_copy.h"
#include "store/store_driver.h"
#include "store/store_op.h"
#include "store/store_options.h"
#include "store/store_queue.h"

enum {
    WATCH_SLOTS = 1024,
    MAINTAIN_MS = 30000,
    MAINTAIN_MORE_MS = 100,         /* while there is more to clear away */
    HELD_BATCH_BYTES_MAX = 4 << 20, /* also over a slow link one batch arrives within the time limit of a place */
    BACK_OFF_MIN_MS = 100,          /* between attempts to reach a place that is away */
    BACK_OFF_MAX_MS = 5000,
};

static const struct store_driver *const drivers[RESPONSE_STORE_KINDS] = {
    [RESPONSE_STORE_MEMORY] = &store_driver_memory,
    [RESPONSE_STORE_SQLITE] = &store_driver_sqlite,
    [RESPONSE_STORE_POSTGRES] = &store_driver_postgres,
    [RESPONSE_STORE_REDIS] = &store_driver_redis,
};

const char *response_store_kind_name(enum response_store_kind kind) {
    return drivers[kind]->name;
}

struct store_metrics {
    struct metric *operations[STORE_OP_KINDS][2]; /* [kind][failed] */
    struct metric *up, *queued, *lost;
};

/* A place whose leftovers this process has ended: what is unfinished there since then is at work. */
struct recovered_place {
    struct recovered_place *next;
    struct arena *arena;
    const struct response_store_options *options;
};

struct response_store {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    uint64_t read_ms; /* immutable */

    /* under the lock */
    struct store_op *first, **last;
    size_t n_queued, queued_bytes;
    bool stop;
    struct store_watch *watches[WATCH_SLOTS]; /* by the hash of their ids */
    size_t n_watches;
    struct response_store_status status;

    /* of the thread */
    struct arena *arena; /* of the options */
    const struct response_store_options *options;
    const struct store_driver *driver;
    void *state;                 /* of the driver; NULL: the place is away */
    struct memory_store *memory; /* what is to be written when it is back */
    uint64_t held_evicted;       /* of `memory`, that were counted as lost */
    uint64_t retry_ms, back_off_ms, maintain_ms;
    bool opened;
    struct recovered_place *recovered;
    struct store_metrics metrics;
};

/* ---- metrics */

static const char *const op_names[STORE_OP_KINDS] = {
    [STORE_OP_PUT] = "put",     [STORE_OP_PROGRESS] = "progress", [STORE_OP_GET] = "get",
    [STORE_OP_CHAIN] = "chain", [STORE_OP_DELETE] = "delete",     [STORE_OP_APPEND] = "append",
    [STORE_OP_READ] = "read",
};

static void metrics_init(struct store_metrics *m, struct metrics *metrics) {
    static const char *const by_op[] = { "op", "status" }, *const by_store[] = { "store" };
    const vsr_str store = VSR_STR("responses");
    struct metric_family *operations;
    if (!metrics)
        return;
    operations = metrics_counter(metrics, "vsr_response_store_total", "Operations on stored responses.", by_op, 2,
                                 (size_t)STORE_OP_KINDS * 2);
    for (size_t i = 0; i < STORE_OP_KINDS; i++) {
        vsr_str labels[] = { str_from_c(op_names[i]), VSR_STR("ok") };
        m->operations[i][0] = metric_with(operations, labels, 2);
        labels[1] = VSR_STR("error");
        m->operations[i][1] = metric_with(operations, labels, 2);
    }
    m->up = metric_with(metrics_gauge(metrics, "vsr_store_up", "1 while the place of a store works.", by_store, 1, 8),
                        &store, 1);
    m->queued =
        metric_with(metrics_gauge(metrics, "vsr_store_queue", "Operations that wait.", by_store, 1, 8), &store, 1);
    m->lost =
        metric_with(metrics_counter(metrics, "vsr_store_dropped_total",
                                    "Writes that were lost because a queue or the memory was full.", by_store, 1, 8),
                    &store, 1);
}

static void gauge_set(struct metric *metric, double value) {
    if (metric)
        metric_add(metric, value - metric_value(metric));
}

static void count_op(struct response_store *store, const struct store_op *op) {
    struct metric *metric = store->metrics.operations[op->kind][op->rc < 0 && op->rc != VSR_E_NOT_FOUND];
    if (metric)
        metric_inc(metric);
}

/* ---- the queue */

bool store_enqueue(struct response_store *store, struct store_op *op) {
    bool ok;
    (void)pthread_mutex_lock(&store->lock);
    ok = op->kind == STORE_OP_CONFIGURE ||
         (store->n_queued < STORE_QUEUE_MAX && store->queued_bytes + op->len <= STORE_QUEUE_BYTES_MAX);
    if (ok) {
        op->next = NULL;
        *store->last = op;
        store->last = &op->next;
        store->n_queued++;
        store->queued_bytes += op->len;
        (void)pthread_cond_signal(&store->wake);
    } else if (store_op_is_write(op)) {
        store->status.lost++;
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (!ok && store_op_is_write(op) && store->metrics.lost)
        metric_inc(store->metrics.lost);
    return ok;
}

bool store_is_shared(struct response_store *store) {
    bool shared;
    (void)pthread_mutex_lock(&store->lock);
    shared = store->status.kind != RESPONSE_STORE_MEMORY;
    (void)pthread_mutex_unlock(&store->lock);
    return shared;
}

uint64_t store_read_ms(const struct response_store *store) {
    return store->read_ms;
}

/* Under the lock. A change of the options is a batch of its own. */
static size_t take(struct response_store *store, struct store_op **ops) {
    size_t n = 0, len = 0;
    while (store->first && n < STORE_BATCH_MAX && (n == 0 || len + store->first->len <= STORE_BATCH_BYTES_MAX)) {
        struct store_op *op = store->first;
        if (op->kind == STORE_OP_CONFIGURE && n)
            break;
        store->first = op->next;
        if (!store->first)
            store->last = &store->first;
        store->n_queued--;
        store->queued_bytes -= op->len;
        len += op->len;
        ops[n++] = op;
        if (op->kind == STORE_OP_CONFIGURE)
            break;
    }
    return n;
}

/* ---- the place, and memory in its stead */

static void set_status(struct response_store *store, const struct vsr_err *err) {
    size_t held = memory_store_count(store->memory);
    uint64_t lost = memory_store_evicted(store->memory) - store->held_evicted;
    (void)pthread_mutex_lock(&store->lock);
    store->status.kind = store->options->kind;
    store->status.up = store->state != NULL;
    store->status.opened = store->opened;
    store->status.held = held;
    store->status.lost += lost;
    if (store->state)
        store->status.error[0] = 0;
    else if (err)
        (void)snprintf(store->status.error, sizeof(store->status.error), "%s", err->text);
    (void)pthread_mutex_unlock(&store->lock);
    store->held_evicted += lost;
    gauge_set(store->metrics.up, store->state ? 1 : 0);
    if (lost && store->metrics.lost)
        metric_add(store->metrics.lost, (double)lost);
}

static void schedule_retry(struct response_store *store) {
    store->retry_ms = clock_mono_ms() + store->back_off_ms;
    store->back_off_ms *= 2;
    if (store->back_off_ms > BACK_OFF_MAX_MS)
        store->back_off_ms = BACK_OFF_MAX_MS;
}

static void go_down(struct response_store *store, const struct vsr_err *err) {
    if (store->state) {
        LOG_WARN("a store is away; memory stands for it", LOG_C("store", "responses"),
                 LOG_C("backend", store->driver->name), LOG_C("error", err->text));
        store->driver->close(store->state);
        store->state = NULL;
    }
    schedule_retry(store);
    set_status(store, err);
}

static bool is_recovered(const struct response_store *store) {
    const struct recovered_place *place = store->recovered;
    while (place && !store_options_same_place(place->options, store->options))
        place = place->next;
    return place != NULL;
}

static void note_recovered(struct response_store *store) {
    struct arena *arena = arena_new(0, 0);
    struct recovered_place *place = ARENA_NEW(arena, struct recovered_place);
    place->arena = arena;
    place->options = store_options_copy(arena, store->options);
    place->next = store->recovered;
    store->recovered = place;
}

/* Before anything of this process is written there: what was not ended then belongs to a former one. */
static int recover(struct response_store *store, struct vsr_err *err) {
    size_t n = 0;
    int rc = 0;
    if (is_recovered(store))
        return 0;
    if (store->driver->recover && store->options->instance.len)
        rc = store->driver->recover(store->state, (int64_t)(clock_wall_ms() / 1000), &n, err);
    if (rc < 0)
        return rc;
    if (n)
        LOG_INFO("responses that a restart cut off have failed", LOG_U("responses", n));
    note_recovered(store);
    return 0;
}

static int write_batch(struct response_store *store, struct store_op **ops, size_t n, struct vsr_err *err) {
    return n ? store->driver->run(store->state, ops, n, (int64_t)(clock_wall_ms() / 1000), err) : 0;
}

static size_t held_len(const struct store_op *op) {
    size_t len = record_len(&op->record);
    for (size_t i = 0; i < op->n_new_events; i++)
        len += event_len(&op->new_events[i]);
    return len;
}

/* The next writes that memory holds, as many as go together. */
static size_t take_held(struct response_store *store, struct arena *arena, struct memory_cursor *cursor,
                        struct store_op *batch) {
    size_t n = 0, len = 0;
    while (n < STORE_BATCH_MAX) {
        struct memory_cursor before = *cursor;
        batch[n] = (struct store_op){ .arena = arena };
        if (!memory_store_next_write(store->memory, cursor, &batch[n]))
            break;
        len += held_len(&batch[n]);
        if (n && len > HELD_BATCH_BYTES_MAX) {
            *cursor = before;
            break;
        }
        n++;
    }
    return n;
}

/* What memory holds goes to the place. What a batch has brought there leaves memory, so that the next attempt goes on
 * where this one failed. */
static int write_held(struct response_store *store, struct vsr_err *err) {
    struct memory_cursor cursor = { 0 };
    struct arena *arena = arena_new(0, 0);
    struct store_op batch[STORE_BATCH_MAX], *ops[STORE_BATCH_MAX];
    size_t n_written = 0, n;
    int rc = 0;
    for (size_t i = 0; i < STORE_BATCH_MAX; i++)
        ops[i] = &batch[i];
    while (rc == 0 && (n = take_held(store, arena, &cursor, batch))) {
        rc = write_batch(store, ops, n, err);
        if (rc == 0)
            memory_store_drop_written(store->memory, &cursor);
        n_written += n;
        arena_reset(arena);
    }
    arena_free(arena);
    if (rc < 0)
        return rc;
    if (n_written)
        LOG_INFO("a store has what memory held for it", LOG_C("backend", store->driver->name),
                 LOG_U("writes", n_written));
    memory_store_clear(store->memory);
    return 0;
}

static void try_open(struct response_store *store) {
    struct vsr_err err = VSR_ERR_NONE;
    bool was_opened = store->opened;
    int rc = store->driver->open(store->options, &store->state, &err);
    if (rc == 0) {
        rc = recover(store, &err);
        if (rc == 0)
            rc = write_held(store, &err);
        if (rc < 0) {
            store->driver->close(store->state);
            store->state = NULL;
        }
    }
    if (rc < 0) {
        if (store->back_off_ms == BACK_OFF_MIN_MS && !was_opened)
            LOG_WARN("a store cannot be reached; memory stands for it", LOG_C("store", "responses"),
                     LOG_C("backend", store->driver->name), LOG_C("error", err.text));
        schedule_retry(store);
    } else {
        if (was_opened || store->back_off_ms != BACK_OFF_MIN_MS)
            LOG_INFO("a store works again", LOG_C("store", "responses"), LOG_C("backend", store->driver->name));
        store->opened = true;
        store->back_off_ms = BACK_OFF_MIN_MS;
        store->maintain_ms = clock_mono_ms() + MAINTAIN_MS;
    }
    set_status(store, &err);
}

static void maintain(struct response_store *store) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = 0;
    if (!store->state) {
        if (clock_mono_ms() >= store->retry_ms)
            try_open(store);
    } else if (clock_mono_ms() >= store->maintain_ms) {
        if (store->driver->maintain)
            rc = store->driver->maintain(store->state, (int64_t)(clock_wall_ms() / 1000), &err);
        store->maintain_ms = clock_mono_ms() + (rc > 0 ? MAINTAIN_MORE_MS : MAINTAIN_MS);
        if (rc < 0)
            go_down(store, &err);
    }
}

/* ---- execution */

static void run_ops(struct response_store *store, struct store_op **ops, size_t n) {
    struct vsr_err err = VSR_ERR_NONE;
    int64_t now_s = (int64_t)(clock_wall_ms() / 1000);
    if (store->state && store->driver->run(store->state, ops, n, now_s, &err) < 0)
        go_down(store, &err);
    for (size_t i = 0; i < n; i++) {
        if (ops[i]->settled)
            continue;
        store_op_restart(ops[i]);
        memory_store_run(store->memory, ops[i], now_s);
    }
    if (!store->state)
        set_status(store, NULL);
}

/* Under the lock. */
static struct store_watch **watch_slot(struct response_store *store, uint64_t hash) {
    return &store->watches[hash % WATCH_SLOTS];
}

/* Under the lock. */
static void wake_watches_of(struct response_store *store, vsr_str id) {
    uint64_t hash = str_hash(id, 0);
    for (struct store_watch *watch = *watch_slot(store, hash); watch; watch = watch->next)
        if (watch->hash == hash && str_eq(id, watch->id)) {
            watch->woken = true;
            store_lane_ring(watch->lane);
        }
}

static void wake_watches(struct response_store *store, struct store_op *const *ops, size_t n) {
    (void)pthread_mutex_lock(&store->lock);
    for (size_t i = 0; store->n_watches && i < n; i++)
        if (ops[i]->kind == STORE_OP_APPEND || ops[i]->kind == STORE_OP_DELETE)
            wake_watches_of(store, ops[i]->record.id);
    (void)pthread_mutex_unlock(&store->lock);
}

static void answer(struct response_store *store, struct store_op **ops, size_t n) {
    wake_watches(store, ops, n);
    for (size_t i = 0; i < n; i++) {
        count_op(store, ops[i]);
        if (ops[i]->lane)
            store_lane_answer(ops[i]->lane, ops[i]);
        else
            store_op_free(ops[i]);
    }
}

static struct memory_limits limits_of(const struct response_store_options *options) {
    return (struct memory_limits){
        .records_max = STORE_HELD_MAX,
        .bytes_max = STORE_MEMORY_BYTES_MAX,
        .ttl_s = options->ttl_s,
        .event_ttl_s = options->event_ttl_s,
        .stands_in = true,
    };
}

/* Takes the arena. */
static void adopt(struct response_store *store, struct arena *arena, const struct response_store_options *options) {
    struct memory_limits limits = limits_of(options);
    arena_free(store->arena);
    store->arena = arena;
    store->options = options;
    store->driver = drivers[options->kind];
    store->back_off_ms = BACK_OFF_MIN_MS;
    store->opened = false;
    memory_store_set_limits(store->memory, &limits);
    try_open(store);
}

/* What was promised is kept, in the next place; only what was to be deleted in the former one stays there. */
static void leave_place(const struct response_store *store) {
    size_t n = memory_store_count(store->memory), n_deletes = memory_store_deletes(store->memory);
    if (n > n_deletes)
        LOG_INFO("what memory held for a store that is away goes to its successor",
                 LOG_C("backend", store->driver->name), LOG_U("writes", n - n_deletes));
    if (n_deletes)
        LOG_WARN("responses that were deleted while their store was away are still in it",
                 LOG_C("backend", store->driver->name), LOG_U("responses", n_deletes));
}

static void configure(struct response_store *store, struct store_op *op) {
    struct arena *arena = op->arena;
    if (store_options_equal(store->options, op->options)) {
        store_op_free(op);
        return;
    }
    if (store->state)
        store->driver->close(store->state);
    store->state = NULL;
    if (!store_options_same_place(store->options, op->options))
        leave_place(store);
    op->arena = NULL;
    adopt(store, arena, op->options);
    store_op_free(op);
}

static void execute(struct response_store *store, struct store_op **ops, size_t n) {
    if (n && ops[0]->kind == STORE_OP_CONFIGURE) {
        configure(store, ops[0]);
        return;
    }
    maintain(store);
    if (n == 0)
        return;
    run_ops(store, ops, n);
    answer(store, ops, n);
}

/* When something has to be done without an operation. */
static struct timespec next_due(const struct response_store *store) {
    uint64_t due = store->state ? store->maintain_ms : store->retry_ms;
    return (struct timespec){ .tv_sec = (time_t)(due / 1000), .tv_nsec = (long)(due % 1000) * 1000000 };
}

/* Under the lock. False: it is time to end. */
static bool wait_for_work(struct response_store *store) {
    struct timespec due = next_due(store);
    while (!store->first && !store->stop)
        if (pthread_cond_timedwait(&store->wake, &store->lock, &due) == ETIMEDOUT)
            break;
    return store->first || !store->stop;
}

/* The last chance of what memory holds. */
static void close_place(struct response_store *store) {
    if (!store->state && memory_store_count(store->memory))
        try_open(store);
    if (store->state)
        store->driver->close(store->state);
    else if (memory_store_count(store->memory))
        LOG_ERROR("writes are lost: their store is away, and the process ends", LOG_C("store", "responses"),
                  LOG_C("backend", store->driver->name), LOG_U("writes", memory_store_count(store->memory)));
    store->state = NULL;
}

static void *run_thread(void *data) {
    struct response_store *store = data;
    struct store_op *ops[STORE_BATCH_MAX];
    try_open(store);
    for (;;) {
        size_t n, n_queued;
        bool more;
        (void)pthread_mutex_lock(&store->lock);
        more = wait_for_work(store);
        n = take(store, ops);
        n_queued = store->n_queued;
        (void)pthread_mutex_unlock(&store->lock);
        if (!more)
            break;
        gauge_set(store->metrics.queued, (double)n_queued);
        execute(store, ops, n);
    }
    close_place(store);
    return NULL;
}

/* ---- watches */

void store_watch_add(struct response_store *store, struct store_watch *watch) {
    struct store_watch **slot;
    watch->hash = str_hash(watch->id, 0);
    (void)pthread_mutex_lock(&store->lock);
    slot = watch_slot(store, watch->hash);
    watch->prev = NULL;
    watch->next = *slot;
    if (*slot)
        (*slot)->prev = watch;
    *slot = watch;
    store->n_watches++;
    (void)pthread_mutex_unlock(&store->lock);
}

void store_watch_remove(struct response_store *store, struct store_watch *watch) {
    (void)pthread_mutex_lock(&store->lock);
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        *watch_slot(store, watch->hash) = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
    store->n_watches--;
    (void)pthread_mutex_unlock(&store->lock);
}

/* ---- life */

static void init_lock(struct response_store *store) {
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&store->lock, NULL); /* default attributes cannot fail */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&store->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void free_all(struct response_store *store) {
    while (store->recovered) {
        struct recovered_place *place = store->recovered;
        store->recovered = place->next;
        arena_free(place->arena);
    }
    memory_store_free(store->memory);
    arena_free(store->arena);
    (void)pthread_cond_destroy(&store->wake);
    (void)pthread_mutex_destroy(&store->lock);
    mem_free(store);
}

int response_store_open(const struct response_store_options *options, struct response_store **ret_store,
                        struct vsr_err *err) {
    struct response_store *store = MEM_NEW(struct response_store);
    struct memory_limits limits;
    store->read_ms = options->read_ms ? options->read_ms : STORE_READ_TIMEOUT_MS;
    store->arena = arena_new(0, 0);
    store->options = store_options_copy(store->arena, options);
    store->driver = drivers[options->kind];
    store->back_off_ms = BACK_OFF_MIN_MS;
    store->last = &store->first;
    store->status.kind = options->kind;
    limits = limits_of(store->options);
    store->memory = memory_store_new(&limits);
    metrics_init(&store->metrics, options->metrics);
    init_lock(store);
    if (pthread_create(&store->thread, NULL, run_thread, store) != 0) {
        free_all(store);
        return err_set(err, VSR_E_LIMIT, "no thread for a store");
    }
    *ret_store = store;
    return 0;
}

void response_store_configure(struct response_store *store, const struct response_store_options *options) {
    struct store_op *op = MEM_NEW(struct store_op);
    op->kind = STORE_OP_CONFIGURE;
    op->arena = arena_new(0, 0);
    op->options = store_options_copy(op->arena, options);
    (void)store_enqueue(store, op); /* never refused */
}

void response_store_status(struct response_store *store, struct response_store_status *ret_status) {
    (void)pthread_mutex_lock(&store->lock);
    *ret_status = store->status;
    ret_status->queued = store->n_queued;
    (void)pthread_mutex_unlock(&store->lock);
}

void response_store_free(struct response_store *store) {
    if (!store)
        return;
    VSR_ASSERT(store->n_watches == 0);
    (void)pthread_mutex_lock(&store->lock);
    store->stop = true;
    (void)pthread_cond_signal(&store->wake);
    (void)pthread_mutex_unlock(&store->lock);
    (void)pthread_join(store->thread, NULL);
    free_all(store);
}
