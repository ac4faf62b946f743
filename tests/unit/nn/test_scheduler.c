#include "nn/scheduler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "test.h"

enum { LOG_MAX = 4096 };

/* What was run, in order; and a gate that holds the threads up. */
struct world {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
    size_t inside;     /* runs that wait at the gate */
    char log[LOG_MAX]; /* batches of names: "ab c " */
    size_t n_log;
    int fail_with;
    struct scheduler *scheduler;
};

enum { ITEMS = 32 };

struct item {
    struct scheduler_job job;
    struct world *world;
    char name;
    atomic_int n_done;
    int rc;
    char text[64];
};

static void world_begin(struct world *world, bool open) {
    memset(world, 0, sizeof(*world));
    assert_int_equal(pthread_mutex_init(&world->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&world->changed, NULL), 0);
    world->open = open;
}

static void gate(struct world *world, bool open) {
    pthread_mutex_lock(&world->mutex);
    world->open = open;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static int run(void *owner, struct scheduler_job *const *jobs, size_t n, size_t thread, struct vsr_err *err) {
    struct world *world = owner;
    int rc;
    (void)thread;
    pthread_mutex_lock(&world->mutex);
    world->inside++;
    pthread_cond_broadcast(&world->changed);
    while (!world->open)
        pthread_cond_wait(&world->changed, &world->mutex);
    world->inside--;
    for (size_t i = 0; i < n && world->n_log < LOG_MAX - 2; i++)
        world->log[world->n_log++] = ((struct item *)jobs[i]->owner)->name;
    if (world->n_log < LOG_MAX)
        world->log[world->n_log++] = ' ';
    rc = world->fail_with;
    pthread_mutex_unlock(&world->mutex);
    return rc < 0 ? err_set(err, rc, "broken on purpose") : 0;
}

static void done(struct scheduler_job *job, int rc, const struct vsr_err *err) {
    struct item *item = job->owner;
    pthread_mutex_lock(&item->world->mutex);
    item->rc = rc;
    (void)snprintf(item->text, sizeof(item->text), "%s", rc < 0 ? err->text : "");
    atomic_fetch_add(&item->n_done, 1);
    pthread_cond_broadcast(&item->world->changed);
    pthread_mutex_unlock(&item->world->mutex);
}

static void start(struct world *world, size_t threads, size_t jobs_max, size_t tokens_max, size_t batch_max) {
    struct vsr_err err = VSR_ERR_NONE;
    const struct scheduler_options options = { threads, jobs_max, tokens_max, batch_max, run, world };
    CHECK_MSG(scheduler_new(&options, &world->scheduler, &err) == 0, "%s", err.text);
}

static int submit(struct world *world, struct item *item, char name, const char *kind, enum scheduler_priority priority,
                  size_t tokens) {
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t deadline_ms = item->job.deadline_ms;
    bool heavy = item->job.heavy;
    item->world = world;
    item->name = name;
    item->job = (struct scheduler_job){ .kind = kind,
                                        .priority = priority,
                                        .tokens = tokens,
                                        .heavy = heavy,
                                        .deadline_ms = deadline_ms,
                                        .done = done,
                                        .owner = item };
    return scheduler_submit(world->scheduler, &item->job, &err);
}

static void wait_done(struct world *world, struct item *items, size_t n) {
    pthread_mutex_lock(&world->mutex);
    for (size_t i = 0; i < n; i++)
        while (atomic_load(&items[i].n_done) == 0)
            pthread_cond_wait(&world->changed, &world->mutex);
    pthread_mutex_unlock(&world->mutex);
}

static void wait_inside(struct world *world, size_t n) {
    pthread_mutex_lock(&world->mutex);
    while (world->inside < n)
        pthread_cond_wait(&world->changed, &world->mutex);
    pthread_mutex_unlock(&world->mutex);
}

/* The first one holds the only thread up while the others line up. */
static const struct {
    const char *name;
    const char *jobs; /* kind, priority and tokens of each after the first: "A0:10 B1:20" */
    const char *log;
} orders[] = {
    { "alone", "", "a " },
    { "same kind goes together", "A1:1 A1:1 A1:1", "a bcd " },
    { "kinds apart, in order of arrival", "A1:1 B1:1 A1:1 B1:1", "a bd ce " },
    { "safety first", "A2:1 B1:1 C0:1", "a d c b " },
    { "company from below", "A2:1 B1:1 A0:1", "a db c " },
    { "tokens are bounded", "A1:60 A1:50 A1:40", "a bd c " },
    { "too long for company", "A1:200 A1:10 A1:200", "a b c d " },
    { "jobs are bounded", "A1:1 A1:1 A1:1 A1:1 A1:1", "a bcde f " },
};

TEST(order) {
    static const char kinds[] = "ABC";
    for (size_t i = 0; i < VSR_COUNT(orders); i++) {
        struct world world;
        struct item items[8] = { 0 };
        size_t n = 1;
        world_begin(&world, false);
        start(&world, 1, 100, 100, 4);
        assert_int_equal(submit(&world, &items[0], 'a', &kinds[0], PRIORITY_ROUTING, 1), 0);
        wait_inside(&world, 1);
        for (const char *at = orders[i].jobs; *at;) {
            char kind;
            int priority, tokens, len;
            assert_int_equal(sscanf(at, "%c%d:%d%n", &kind, &priority, &tokens, &len), 3);
            assert_int_equal(submit(&world, &items[n], (char)('a' + n), &kinds[kind - 'A'],
                                    (enum scheduler_priority)priority, (size_t)tokens),
                             0);
            n++;
            at += len + (at[len] == ' ');
        }
        gate(&world, true);
        wait_done(&world, items, n);
        CHECK_STR(str_make(world.log, world.n_log), orders[i].log, orders[i].name);
        scheduler_free(world.scheduler);
        for (size_t k = 0; k < n; k++)
            CHECK_INT(items[k].rc, 0, orders[i].name);
    }
}

static void wait_idle(struct world *world, size_t inside) {
    wait_inside(world, inside);
    (void)usleep(20000); /* whoever else would begin has had the time */
    pthread_mutex_lock(&world->mutex);
    CHECK_INT(world->inside, inside, "and no more");
    pthread_mutex_unlock(&world->mutex);
}

/* What takes long has half of the threads at most, and the only one; others pass it by, and nothing is forgotten. */
TEST(heavy_jobs_leave_threads_for_others) {
    static const struct { size_t threads, heavy; } cases[] = { { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 2 } };
    static const char kind;
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct world world;
        struct item items[12] = { 0 };
        size_t n = 0, threads = cases[i].threads;
        world_begin(&world, false);
        start(&world, threads, 100, 100, 4);
        for (; n < 6; n++) {
            items[n].job.heavy = true;
            assert_int_equal(submit(&world, &items[n], 'h', &kind, PRIORITY_SAFETY, 1), 0);
        }
        wait_idle(&world, cases[i].heavy);
        for (; n < 6 + threads - cases[i].heavy; n++) {
            assert_int_equal(submit(&world, &items[n], 't', &kind, PRIORITY_ROUTING, 100), 0);
            wait_idle(&world, cases[i].heavy + n - 5);
        }
        gate(&world, true);
        wait_done(&world, items, n);
        for (size_t k = 0; k < n; k++)
            CHECK_INT(items[k].rc, 0, "done");
        for (size_t k = 0; k + 1 < world.n_log; k++)
            CHECK(world.log[k] != 'h' || world.log[k + 1] == ' ', "alone");
        CHECK_INT(scheduler_stats(world.scheduler).batches, n, "each by itself");
        scheduler_free(world.scheduler);
    }
}

TEST(limits) {
    static const char kind;
    struct world world;
    struct item items[4] = { 0 };
    world_begin(&world, false);
    start(&world, 1, 2, 100, 4);
    assert_int_equal(submit(&world, &items[0], 'a', &kind, PRIORITY_ROUTING, 1), 0);
    wait_inside(&world, 1);
    assert_int_equal(submit(&world, &items[1], 'b', &kind, PRIORITY_ROUTING, 1), 0);
    assert_int_equal(submit(&world, &items[2], 'c', &kind, PRIORITY_COMFORT, 1), 0);
    CHECK_INT(submit(&world, &items[3], 'd', &kind, PRIORITY_SAFETY, 1), VSR_E_UNAVAILABLE, "full");
    CHECK(scheduler_cancel(world.scheduler, &items[1].job), "cancelled");
    CHECK(!scheduler_cancel(world.scheduler, &items[1].job), "once");
    CHECK(!scheduler_cancel(world.scheduler, &items[0].job), "it runs");
    CHECK_INT(submit(&world, &items[3], 'd', &kind, PRIORITY_SAFETY, 1), 0, "room again");
    gate(&world, true);
    wait_done(&world, &items[2], 2);
    CHECK_STR(str_make(world.log, world.n_log), "a dc ", "order");
    CHECK_INT(atomic_load(&items[1].n_done), 0, "not told");
    scheduler_free(world.scheduler);
}

TEST(deadlines) {
    static const char kind;
    struct world world;
    struct item items[3] = { 0 };
    struct scheduler_stats stats;
    world_begin(&world, false);
    start(&world, 1, 10, 100, 4);
    assert_int_equal(submit(&world, &items[0], 'a', &kind, PRIORITY_ROUTING, 1), 0);
    wait_inside(&world, 1);
    items[1].job.deadline_ms = clock_mono_ms(); /* now is too late */
    items[2].job.deadline_ms = clock_mono_ms() + 600000;
    assert_int_equal(submit(&world, &items[1], 'b', &kind, PRIORITY_ROUTING, 1), 0);
    assert_int_equal(submit(&world, &items[2], 'c', &kind, PRIORITY_ROUTING, 1), 0);
    gate(&world, true);
    wait_done(&world, items, 3);
    CHECK_INT(items[1].rc, VSR_E_TIMEOUT, "late");
    CHECK_INT(items[2].rc, 0, "in time");
    CHECK_STR(str_make(world.log, world.n_log), "a c ", "never run");
    stats = scheduler_stats(world.scheduler);
    CHECK_INT(stats.submitted, 3, "submitted");
    CHECK_INT(stats.expired, 1, "expired");
    CHECK_INT(stats.waiting, 0, "waiting");
    scheduler_free(world.scheduler);
}

/* However many are too late at once, none is run. */
TEST(many_deadlines) {
    enum { MANY = 2 * SCHEDULER_BATCH_MAX + 10 };
    static const char kind;
    static struct item items[MANY];
    struct world world;
    world_begin(&world, false);
    start(&world, 1, MANY, MANY, 4);
    assert_int_equal(submit(&world, &items[0], 'a', &kind, PRIORITY_SAFETY, 1), 0);
    wait_inside(&world, 1);
    for (size_t i = 1; i < MANY; i++) {
        items[i].job.deadline_ms = clock_mono_ms();
        assert_int_equal(submit(&world, &items[i], 'b', &kind, PRIORITY_SAFETY, 1), 0);
    }
    gate(&world, true);
    wait_done(&world, items, MANY);
    CHECK_STR(str_make(world.log, world.n_log), "a ", "never run");
    CHECK_INT(scheduler_stats(world.scheduler).expired, MANY - 1, "expired");
    CHECK_INT(scheduler_stats(world.scheduler).batches, 1, "and no batch of none");
    scheduler_free(world.scheduler);
}

/* The only thread is held up all the time: what is late is told all the same, and takes nobody's place. */
TEST(late_jobs_take_no_place) {
    static const char kind;
    struct world world;
    struct item items[6] = { 0 };
    world_begin(&world, false);
    start(&world, 1, 2, 100, 4);
    assert_int_equal(submit(&world, &items[0], 'a', &kind, PRIORITY_SAFETY, 1), 0);
    wait_inside(&world, 1);
    for (size_t round = 0; round < 2;
         round++) { /* the second time the keeper has gone to sleep without anything to do */
        struct item *late = &items[1 + 2 * round];
        late[0].job.deadline_ms = clock_mono_ms() + 30;
        late[1].job.deadline_ms = clock_mono_ms() + 10; /* earlier than what the keeper sleeps for */
        assert_int_equal(submit(&world, &late[0], 'b', &kind, PRIORITY_SAFETY, 1), 0);
        assert_int_equal(submit(&world, &late[1], 'c', &kind, PRIORITY_SAFETY, 1), 0);
        wait_done(&world, late, 2);
        CHECK(late[0].rc == VSR_E_TIMEOUT && late[1].rc == VSR_E_TIMEOUT, "late");
        CHECK_INT(scheduler_stats(world.scheduler).waiting, 0, "out of the queue");
    }
    CHECK_INT(submit(&world, &items[5], 'd', &kind, PRIORITY_SAFETY, 1), 0, "room");
    gate(&world, true);
    wait_done(&world, items, 6);
    CHECK_STR(str_make(world.log, world.n_log), "a d ", "never run");
    CHECK_INT(scheduler_stats(world.scheduler).expired, 4, "expired");
    scheduler_free(world.scheduler);
}

/* How many more find a place behind the first `n`: until one is refused. Nothing is checked before the gate is open:
 * threads that wait behind it would outlive the test. */
static size_t fill(struct world *world, struct item *items, size_t n, enum scheduler_priority priority, bool heavy) {
    static const char kind;
    size_t more = 0;
    items[n].job.heavy = heavy;
    while (n + more < ITEMS && submit(world, &items[n + more], 'b', &kind, priority, 1) == 0) {
        more++;
        items[n + more].job.heavy = heavy;
    }
    return more;
}

/* One runs, and holds the only thread up; 16 places behind it. */
static void fill_begin(struct world *world, struct item *items) {
    static const char kind;
    world_begin(world, false);
    start(world, 1, 16, 100, 4);
    assert_int_equal(submit(world, &items[0], 'a', &kind, PRIORITY_SAFETY, 1), 0);
    wait_inside(world, 1);
}

static void fill_end(struct world *world, struct item *items, size_t n) {
    gate(world, true);
    wait_done(world, items, n);
    scheduler_free(world->scheduler);
}

/* Warming up fills its share of the queue, and what requests wait for still has places. */
TEST(places) {
    static struct item items[ITEMS + 1];
    size_t n = 1, found[PRIORITIES];
    struct world world;
    fill_begin(&world, items);
    for (size_t priority = PRIORITIES; priority-- > 0;)
        n += found[priority] = fill(&world, items, n, (enum scheduler_priority)priority, false);
    fill_end(&world, items, n);
    CHECK_INT(found[PRIORITY_COMFORT], 12, "comfort");
    CHECK_INT(found[PRIORITY_ROUTING], 2, "routing, of 14");
    CHECK_INT(found[PRIORITY_SAFETY], 2, "safety, of 16");
}

/* What takes long fills half of the queue. */
TEST(heavy_jobs_leave_places_for_others) {
    static struct item items[ITEMS + 1];
    size_t heavy, others;
    struct world world;
    fill_begin(&world, items);
    heavy = fill(&world, items, 1, PRIORITY_ROUTING, true);
    others = fill(&world, items, 1 + heavy, PRIORITY_ROUTING, false);
    fill_end(&world, items, 1 + heavy + others);
    CHECK_INT(heavy, 7, "half of 14");
    CHECK_INT(others, 7, "the other half");
}

/* Nobody who waits for an answer waits for much that nobody waits for. */
TEST(company) {
    static const char kind;
    struct world world;
    struct item items[6] = { 0 };
    world_begin(&world, false);
    start(&world, 1, 10, 80, 8);
    assert_int_equal(submit(&world, &items[0], 'a', &kind, PRIORITY_SAFETY, 1), 0);
    wait_inside(&world, 1);
    assert_int_equal(submit(&world, &items[1], 'b', &kind, PRIORITY_COMFORT, 30), 0);
    assert_int_equal(submit(&world, &items[2], 'c', &kind, PRIORITY_COMFORT, 5), 0);
    assert_int_equal(submit(&world, &items[3], 'd', &kind, PRIORITY_COMFORT, 5), 0);
    assert_int_equal(submit(&world, &items[4], 'e', &kind, PRIORITY_SAFETY, 4), 0);
    assert_int_equal(submit(&world, &items[5], 'f', &kind, PRIORITY_ROUTING, 1), 0);
    gate(&world, true);
    wait_done(&world, items, 6);
    CHECK_STR(str_make(world.log, world.n_log), "a efc bd ", "an eighth of the room");
    scheduler_free(world.scheduler);
}

TEST(failure_and_end) {
    static const char kind;
    struct world world;
    struct item items[3] = { 0 };
    world_begin(&world, false);
    world.fail_with = VSR_E_INTERNAL;
    start(&world, 1, 10, 100, 4);
    assert_int_equal(submit(&world, &items[0], 'a', &kind, PRIORITY_ROUTING, 1), 0);
    wait_inside(&world, 1);
    gate(&world, true);
    wait_done(&world, items, 1);
    CHECK_INT(items[0].rc, VSR_E_INTERNAL, "told");
    CHECK_STR(str_from_c(items[0].text), "broken on purpose", "why");
    scheduler_free(world.scheduler);
    scheduler_free(NULL);
}

struct client {
    struct world *world;
    size_t index;
    atomic_size_t answered;
};

enum { CLIENTS = 4, CLIENT_JOBS = 2000 };

/* Submits, cancels some, and counts what comes back. */
static void *client_main(void *data) {
    static const char kinds[3];
    struct client *client = data;
    for (size_t i = 0; i < CLIENT_JOBS; i++) {
        struct item item = { .job.heavy = i % 4 == client->index % 2 };
        int rc = submit(client->world, &item, 'x', &kinds[(i + client->index) % 3],
                        (enum scheduler_priority)(i % PRIORITIES), i % 7);
        if (rc == VSR_E_UNAVAILABLE || (i % 5 == 0 && scheduler_cancel(client->world->scheduler, &item.job))) {
            CHECK_INT(atomic_load(&item.n_done), 0, "nothing was run");
            client->answered++;
            continue;
        }
        wait_done(client->world, &item, 1);
        /* done() holds the lock when it counts, so nobody touches the item once the lock is had. */
        pthread_mutex_lock(&client->world->mutex);
        CHECK_INT(atomic_load(&item.n_done), 1, "told once");
        pthread_mutex_unlock(&client->world->mutex);
        client->answered++;
    }
    return NULL;
}

TEST(many_clients) {
    struct world world;
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    world_begin(&world, true);
    start(&world, 3, 3, 20, 8);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .world = &world, .index = i };
        assert_int_equal(pthread_create(&threads[i], NULL, client_main, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        CHECK_INT(clients[i].answered, CLIENT_JOBS, "all");
    }
    CHECK_INT(scheduler_stats(world.scheduler).waiting, 0, "nobody waits");
    scheduler_free(world.scheduler);
}

RUN_TESTS(T(order), T(heavy_jobs_leave_threads_for_others), T(limits), T(deadlines), T(many_deadlines), T(places),
          T(heavy_jobs_leave_places_for_others), T(company), T(failure_and_end), T(many_clients),
          T(late_jobs_take_no_place))
