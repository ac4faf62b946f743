/* Who is let in, who waits, who is turned away; and that no place is lost between threads. */
#include "serve/admission.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/err.h"
#include "test.h"

enum { PLACES = 16 };

struct caller {
    struct admission_place place;
    char name;
    struct bench *bench;
};

struct bench {
    struct admission *admission;
    struct loop *loop;
    struct admission_lane *lane;
    struct caller callers[PLACES];
    char told[PLACES + 1]; /* names in the order in which they were told; lower case: turned away */
    size_t n_told;
};

static void open_bench(struct bench *b) {
    *b = (struct bench){ .admission = admission_new() };
    CHECK_INT(loop_new(&b->loop, NULL), 0, "loop");
    b->lane = admission_lane_new(b->admission, b->loop);
}

static void close_bench(struct bench *b) {
    for (size_t i = 0; i < PLACES; i++)
        admission_leave(&b->callers[i].place);
    admission_lane_free(b->lane);
    admission_free(b->admission);
    loop_free(b->loop);
}

static void on_told(void *owner) {
    struct caller *caller = owner;
    bool in = caller->place.state == ADMISSION_IN;
    caller->bench->told[caller->bench->n_told++] = in ? caller->name : (char)(caller->name - 'A' + 'a');
}

/* A script: `A5` comes with priority 5, `-A` leaves, `.` lets the loop run. Who is told is compared. */
static const struct {
    const char *name;
    size_t active_max, queued_max;
    const char *script;
    const char *in;   /* let in at once */
    const char *shed; /* turned away at once */
    const char *told;
} cases[] = {
    { "no limit", 0, 0, "A0 B0 C0", "ABC", "", "" },
    { "room", 2, 4, "A0 B0", "AB", "", "" },
    { "one waits", 2, 4, "A0 B0 C0 . -A .", "AB", "", "C" },
    { "who leaves the queue is not told", 1, 4, "A5 B5 C5 -B -A .", "A", "", "C" },
    { "who was chosen leaves before it is told", 1, 4, "A5 B5 C5 -A -B .", "A", "", "C" },
    { "the important first", 1, 4, "A5 B1 C9 D5 -A . -C . -D .", "A", "", "CDB" },
    { "first come among equals", 1, 4, "A5 B5 C5 D5 -A . -B . -C .", "A", "", "BCD" },
    { "full", 1, 2, "A5 B5 C5 D5", "A", "D", "" },
    { "full of less important", 1, 2, "A5 B3 C3 D5 .", "A", "", "c" },
    { "the newest of the lowest goes", 1, 3, "A5 B2 C4 D2 E9 . F9 .", "A", "", "db" },
    { "nobody is less important", 1, 2, "A5 B5 C9 D5 .", "A", "D", "" },
    { "no queue", 1, 0, "A5 B9", "A", "B", "" },
    { "two places for two", 2, 4, "A5 B5 C5 D5 -A -B .", "AB", "", "CD" },
};

static void run_loop(struct bench *b) {
    for (int i = 0; i < 3; i++)
        (void)loop_run_once(b->loop, 0);
}

static void run_script(struct bench *b, size_t i, char *in, char *shed) {
    const struct admission_limits limits = { cases[i].active_max, cases[i].queued_max, 60000 };
    for (const char *p = cases[i].script; *p; p++) {
        if (*p == '.') {
            run_loop(b);
        } else if (*p == '-') {
            admission_leave(&b->callers[*++p - 'A'].place);
        } else if (*p != ' ') {
            struct caller *caller = &b->callers[*p - 'A'];
            enum admission_state state;
            caller->name = *p;
            caller->bench = b;
            state = admission_enter(b->lane, &limits, (unsigned)(*++p - '0'), &caller->place, on_told, caller);
            if (state == ADMISSION_IN)
                *in++ = caller->name;
            if (state == ADMISSION_SHED)
                *shed++ = caller->name;
            if (state == ADMISSION_SHED)
                CHECK(caller->place.retry_after_s >= 1, "says when");
        }
    }
}

TEST(scripts) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct bench b;
        char in[PLACES + 1] = { 0 }, shed[PLACES + 1] = { 0 };
        open_bench(&b);
        run_script(&b, i, in, shed);
        CHECK_STR(str_from_c(in), cases[i].in, cases[i].name);
        CHECK_STR(str_from_c(shed), cases[i].shed, cases[i].name);
        CHECK_STR(str_from_c(b.told), cases[i].told, cases[i].name);
        close_bench(&b);
    }
}

TEST(waits_no_longer_than_that) {
    const struct admission_limits limits = { 1, 4, 20 };
    struct bench b;
    open_bench(&b);
    for (size_t i = 0; i < 2; i++) {
        b.callers[i] = (struct caller){ .name = (char)('A' + i), .bench = &b };
        (void)admission_enter(b.lane, &limits, 5, &b.callers[i].place, on_told, &b.callers[i]);
    }
    while (b.n_told == 0)
        (void)loop_run_once(b.loop, 10);
    CHECK_STR(str_from_c(b.told), "b", "turned away");
    CHECK_INT(admission_counts(b.admission).queued, 0, "and gone from the queue");
    close_bench(&b);
}

/* A new limit lets in those who wait, before who brings it. */
TEST(limit_grows) {
    struct bench b;
    open_bench(&b);
    for (size_t i = 0; i < 3; i++) {
        const struct admission_limits limits = { i < 2 ? 1 : 2, 4, 60000 };
        b.callers[i] = (struct caller){ .name = (char)('A' + i), .bench = &b };
        (void)admission_enter(b.lane, &limits, 5, &b.callers[i].place, on_told, &b.callers[i]);
    }
    run_loop(&b);
    CHECK_STR(str_from_c(b.told), "B", "who waited");
    CHECK_INT(b.callers[2].place.state, ADMISSION_WAITING, "who came last");
    close_bench(&b);
}

/* ---- threads */

enum { THREADS = 4, ROUNDS = 3000, ACTIVE_MAX = 3 };

struct shared {
    struct admission *admission;
    _Atomic int active, highest, n_in, n_shed;
};

struct visitor {
    struct shared *shared;
    struct loop *loop;
    struct admission_place place;
    bool told;
};

static void on_visit(void *owner) {
    ((struct visitor *)owner)->told = true;
}

static void stay(struct visitor *visitor) {
    int active = atomic_fetch_add(&visitor->shared->active, 1) + 1, seen = atomic_load(&visitor->shared->highest);
    while (active > seen && !atomic_compare_exchange_weak(&visitor->shared->highest, &seen, active))
        ;
    atomic_fetch_add(&visitor->shared->n_in, 1);
    atomic_fetch_sub(&visitor->shared->active, 1);
}

/* Whoever was told has been in, or not, and leaves. */
static bool end_visit(struct visitor *visitor) {
    if (visitor->told && visitor->place.state != ADMISSION_OUT) {
        if (visitor->place.state == ADMISSION_IN)
            stay(visitor);
        else
            atomic_fetch_add(&visitor->shared->n_shed, 1);
        admission_leave(&visitor->place);
    }
    return visitor->told;
}

/* Two requests at a time on each thread, so that places go over to other threads and back. */
static void *visit(void *data) {
    const struct admission_limits limits = { ACTIVE_MAX, 4, 60000 };
    struct shared *shared = data;
    struct visitor visitors[2] = { { .shared = shared }, { .shared = shared } };
    struct loop *loop;
    struct admission_lane *lane;
    if (loop_new(&loop, NULL) < 0)
        return NULL;
    lane = admission_lane_new(shared->admission, loop);
    for (int i = 0; i < ROUNDS; i++) {
        bool ended[2];
        for (int v = 0; v < 2; v++) {
            visitors[v].told = false;
            if (admission_enter(lane, &limits, (unsigned)(i + v) % 10, &visitors[v].place, on_visit, &visitors[v]) !=
                ADMISSION_WAITING)
                visitors[v].told = true;
        }
        if (i % 7 == 0) /* a client that does not wait */
            visitors[1].told = true;
        for (;;) {
            for (int v = 0; v < 2; v++)
                ended[v] = end_visit(&visitors[v]);
            if (ended[0] && ended[1])
                break;
            (void)loop_run_once(loop, 1);
        }
    }
    admission_lane_free(lane);
    loop_free(loop);
    return NULL;
}

TEST(no_place_is_lost) {
    struct shared shared = { .admission = admission_new() };
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, visit, &shared), 0, "thread");
    for (size_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0, "thread");
    CHECK_MSG(shared.highest <= ACTIVE_MAX && shared.highest > 0, "%d at once", shared.highest);
    CHECK_INT(shared.n_in + shared.n_shed, THREADS * ROUNDS * 2, "each has come to an end");
    CHECK_INT(admission_counts(shared.admission).active, 0, "nobody is in");
    admission_free(shared.admission);
}

RUN_TESTS(T(scripts), T(waits_no_longer_than_that), T(limit_grows), T(no_place_is_lost))
