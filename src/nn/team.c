#include "nn/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/pages.h"

enum { SPINS = 1000 /* some ten microseconds */, LINE = 64 /* of cache */ };

/* One pass; in the team, so that a helper that is just leaving may still look at it. */
struct crew {
    _Alignas(LINE) struct team *team;
    bool taken; /* guarded by the team's mutex, like the next two */
    size_t threads, threads_max;
    /* The parts: written before helpers are called, until the last of them has left. */
    crew_part *part;
    void *owner;
    size_t n;
    _Alignas(LINE) atomic_size_t next;
    atomic_size_t busy; /* helpers that were called, and have neither left nor been told not to come */
    atomic_bool failed;
    pthread_mutex_t mutex; /* guards what is below */
    pthread_cond_t left;
    atomic_bool waits; /* its thread sleeps until `busy` is 0 */
    size_t failed_part;
    int rc;
    struct vsr_err err;
};

/* The order to come to no more parts, as the address of a crew that is none. */
static struct crew stop;

struct helper {
    _Alignas(LINE) struct team *team;
    struct crew *crew;            /* NULL: idle. Guarded by the team's mutex */
    _Atomic(struct crew *) order; /* whose parts; NULL: none */
    atomic_bool asleep;
    pthread_mutex_t mutex; /* for sleeping only */
    pthread_cond_t wake;
    pthread_t id;
    size_t member;
    struct crew_kit kit;
    atomic_uint_fast64_t helped;
};

struct team {
    struct pages memory;    /* of both; zeroed, and in whole cache lines */
    struct helper *helpers; /* [n_helpers] */
    size_t n_helpers;
    struct crew *crews; /* [cores] */
    size_t cores;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t freed;
    size_t free, n_crews, most;
    atomic_size_t waiting; /* crews for a core; also looked at without the mutex */
};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- cores; the team's mutex is held */

/* What each crew may have when all that want cores get some. */
static size_t share(const struct team *team) {
    size_t n = team->n_crews + atomic_load_explicit(&team->waiting, memory_order_relaxed);
    return n >= team->cores ? 1 : team->cores / n;
}

static void count(struct team *team) {
    size_t working = team->cores - team->free;
    team->most = working > team->most ? working : team->most;
}

static void dismiss(struct helper *helper) {
    helper->crew->threads--;
    helper->crew = NULL;
    helper->team->free++;
    (void)pthread_cond_signal(&helper->team->freed);
}

/* Gives back what others wait for, or takes on whoever is idle. */
static void settle(struct crew *crew, size_t wanted) {
    struct team *team = crew->team;
    bool wait = atomic_load_explicit(&team->waiting, memory_order_relaxed) > 0;
    size_t fair = share(team), most = crew->threads_max < wanted ? crew->threads_max : wanted;
    for (size_t i = 0; i < team->n_helpers; i++) {
        struct helper *helper = &team->helpers[i];
        if (wait && helper->crew == crew && crew->threads > fair) {
            dismiss(helper);
        } else if (!wait && !helper->crew && team->free > 0 && crew->threads < most && crew->threads < fair) {
            helper->crew = crew;
            crew->threads++;
            team->free--;
        }
    }
    count(team);
}

/* ---- helpers */

/* Whether a helper leaves its crew in the middle of the parts, because somebody waits for a core. */
static bool resigns(struct helper *helper, const struct crew *crew) {
    struct team *team = helper->team;
    bool leaves;
    if (atomic_load_explicit(&team->waiting, memory_order_relaxed) == 0)
        return false;
    (void)pthread_mutex_lock(&team->mutex); /* fails only for a mutex that is none */
    leaves = helper->crew == crew && atomic_load_explicit(&team->waiting, memory_order_relaxed) > 0 &&
             crew->threads > share(team);
    if (leaves)
        dismiss(helper);
    (void)pthread_mutex_unlock(&team->mutex);
    return leaves;
}

static void note_failure(struct crew *crew, size_t part, int rc, const struct vsr_err *err) {
    (void)pthread_mutex_lock(&crew->mutex);
    if (crew->rc == 0 || part < crew->failed_part) {
        crew->rc = rc;
        crew->err = *err;
        crew->failed_part = part;
    }
    (void)pthread_mutex_unlock(&crew->mutex);
    atomic_store_explicit(&crew->failed, true, memory_order_relaxed);
}

/* One of the parts. False: there is none left. */
static bool run_next(struct crew *crew, size_t member) {
    struct vsr_err err = VSR_ERR_NONE;
    size_t part = atomic_fetch_add_explicit(&crew->next, 1, memory_order_relaxed);
    int rc;
    if (part >= crew->n)
        return false;
    if (atomic_load_explicit(&crew->failed, memory_order_relaxed))
        return true;
    rc = crew->part(crew->owner, part, member, &err);
    if (rc < 0)
        note_failure(crew, part, rc, &err);
    return true;
}

/* The crew is not touched any more behind `busy`, but for its thread's sleep: that may then be of a later pass. */
static void leave(struct crew *crew) {
    if (atomic_fetch_sub(&crew->busy, 1) > 1 || !atomic_load(&crew->waits))
        return;
    (void)pthread_mutex_lock(&crew->mutex);
    (void)pthread_cond_signal(&crew->left);
    (void)pthread_mutex_unlock(&crew->mutex);
}

static void help(struct helper *helper, struct crew *crew) {
    while (run_next(crew, helper->member)) {
        atomic_fetch_add_explicit(&helper->helped, 1, memory_order_relaxed);
        if (resigns(helper, crew))
            break;
    }
    (void)resigns(helper, crew); /* nothing is left for it, but others may still be at their parts */
    leave(crew);
}

static bool is_idle(struct helper *helper) {
    return atomic_load_explicit(&helper->order, memory_order_acquire) == NULL;
}

static void await_order(struct helper *helper) {
    for (size_t i = 0; i < SPINS; i++) {
        if (!is_idle(helper))
            return;
        relax();
    }
    (void)pthread_mutex_lock(&helper->mutex);
    atomic_store(&helper->asleep, true); /* before the order is looked at; who gives it does it the other way about */
    while (atomic_load(&helper->order) == NULL)
        (void)pthread_cond_wait(&helper->wake, &helper->mutex);
    atomic_store(&helper->asleep, false);
    (void)pthread_mutex_unlock(&helper->mutex);
}

/*
 * An order that is still open is for whoever takes it first: the helper, or the crew that does without. Only its own: a
 * helper that has left the crew may have been called by another since.
 */
static bool take_order(struct helper *helper, struct crew *crew) {
    return atomic_compare_exchange_strong(&helper->order, &crew, NULL);
}

static void *helper_main(void *data) {
    struct helper *helper = data;
    for (;;) {
        struct crew *crew;
        await_order(helper);
        crew = atomic_load(&helper->order);
        if (crew == &stop)
            return NULL;
        if (crew && take_order(helper, crew))
            help(helper, crew);
    }
}

static void wake(struct helper *helper) {
    if (!atomic_load(&helper->asleep))
        return;
    (void)pthread_mutex_lock(&helper->mutex);
    (void)pthread_cond_signal(&helper->wake);
    (void)pthread_mutex_unlock(&helper->mutex);
}

/* ---- life */

static int start_helper(struct team *team, struct vsr_err *err) {
    struct helper *helper = &team->helpers[team->n_helpers];
    helper->team = team;
    helper->member = team->n_helpers + 1;
    (void)pthread_mutex_init(&helper->mutex, NULL); /* cannot fail with default attributes, nor can the other */
    (void)pthread_cond_init(&helper->wake, NULL);
    if (pthread_create(&helper->id, NULL, helper_main, helper) != 0) {
        (void)pthread_cond_destroy(&helper->wake);
        (void)pthread_mutex_destroy(&helper->mutex);
        return err_set(err, VSR_E_NOMEM, "cannot start helper thread %zu", helper->member);
    }
    team->n_helpers++;
    return 0;
}

int team_new(size_t cores, struct team **ret, struct vsr_err *err) {
    struct team *team;
    int rc;
    if (cores == 0 || cores > TEAM_CORES_MAX)
        return err_set(err, VSR_E_INVALID, "a team of %zu cores, expected 1 to %d", cores, TEAM_CORES_MAX);
    team = MEM_NEW(struct team);
    team->cores = team->free = cores;
    rc = pages_new(cores * (sizeof(*team->crews) + sizeof(*team->helpers)), "a team", &team->memory, err);
    if (rc < 0) {
        mem_free(team);
        return rc;
    }
    team->crews = team->memory.data;
    team->helpers = (struct helper *)(team->crews + cores);
    (void)pthread_mutex_init(&team->mutex, NULL); /* cannot fail with default attributes, nor can the others */
    (void)pthread_cond_init(&team->freed, NULL);
    for (size_t i = 0; i < cores; i++) {
        team->crews[i].team = team;
        (void)pthread_mutex_init(&team->crews[i].mutex, NULL);
        (void)pthread_cond_init(&team->crews[i].left, NULL);
    }
    for (size_t i = 0; i + 1 < cores && rc == 0; i++)
        rc = start_helper(team, err);
    if (rc < 0) {
        team_free(team);
        return rc;
    }
    *ret = team;
    return 0;
}

static void stop_helper(struct helper *helper) {
    atomic_store(&helper->order, &stop);
    wake(helper);
    (void)pthread_join(helper->id, NULL);
    (void)pthread_cond_destroy(&helper->wake);
    (void)pthread_mutex_destroy(&helper->mutex);
    if (helper->kit.data)
        helper->kit.free(helper->kit.data);
}

void team_free(struct team *team) {
    if (!team)
        return;
    VSR_ASSERT(team->n_crews == 0);
    for (size_t i = 0; i < team->n_helpers; i++)
        stop_helper(&team->helpers[i]);
    for (size_t i = 0; i < team->cores; i++) {
        (void)pthread_cond_destroy(&team->crews[i].left);
        (void)pthread_mutex_destroy(&team->crews[i].mutex);
    }
    (void)pthread_cond_destroy(&team->freed);
    (void)pthread_mutex_destroy(&team->mutex);
    pages_free(&team->memory);
    mem_free(team);
}

struct team_stats team_stats(struct team *team) {
    struct team_stats stats = { .cores = team->cores };
    (void)pthread_mutex_lock(&team->mutex);
    stats.crews = team->n_crews;
    stats.working = team->cores - team->free;
    stats.working_most = team->most;
    (void)pthread_mutex_unlock(&team->mutex);
    for (size_t i = 0; i < team->n_helpers; i++)
        stats.helped += atomic_load_explicit(&team->helpers[i].helped, memory_order_relaxed);
    return stats;
}

/* ---- crews */

struct crew *crew_begin(struct team *team, size_t threads_max) {
    struct crew *crew = team->crews;
    (void)pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->waiting, 1);
    while (team->free == 0)
        (void)pthread_cond_wait(&team->freed, &team->mutex);
    atomic_fetch_sub(&team->waiting, 1);
    team->free--;
    team->n_crews++;
    while (crew->taken) /* each has a core, so one is left */
        crew++;
    crew->taken = true;
    crew->threads = 1;
    crew->threads_max = threads_max ? threads_max : team->cores;
    count(team);
    (void)pthread_mutex_unlock(&team->mutex);
    return crew;
}

void crew_end(struct crew *crew) {
    struct team *team = crew->team;
    (void)pthread_mutex_lock(&team->mutex);
    for (size_t i = 0; i < team->n_helpers && crew->threads > 1; i++)
        if (team->helpers[i].crew == crew)
            dismiss(&team->helpers[i]);
    crew->taken = false;
    team->n_crews--;
    team->free++;
    (void)pthread_cond_signal(&team->freed);
    (void)pthread_mutex_unlock(&team->mutex);
}

static int run_alone(size_t n, crew_part *part, void *owner, struct vsr_err *err) {
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = part(owner, i, 0, err);
    return rc;
}

/* Calls the crew's helpers, no more than there are parts for. */
static size_t call_helpers(struct crew *crew, struct helper *called[static TEAM_CORES_MAX]) {
    struct team *team = crew->team;
    size_t n = 0;
    (void)pthread_mutex_lock(&team->mutex);
    settle(crew, crew->n);
    for (size_t i = 0; i < team->n_helpers && n + 1 < crew->threads && n + 1 < crew->n; i++)
        if (team->helpers[i].crew == crew)
            called[n++] = &team->helpers[i];
    atomic_store_explicit(&crew->busy, n, memory_order_relaxed); /* before the first of them may leave */
    for (size_t i = 0; i < n; i++)                               /* with the mutex: who has resigned is not called */
        atomic_store(&called[i]->order, crew);
    (void)pthread_mutex_unlock(&team->mutex);
    for (size_t i = 0; i < n; i++)
        wake(called[i]);
    return n;
}

/* There are no parts left. Helpers that have not come yet need not: nobody waits for a thread to wake up. */
static void await_helpers(struct crew *crew, struct helper *called[], size_t n) {
    for (size_t i = 0; i < n; i++)
        if (take_order(called[i], crew))
            atomic_fetch_sub(&crew->busy, 1);
    for (size_t i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&crew->busy, memory_order_acquire) == 0)
            return;
        relax();
    }
    (void)pthread_mutex_lock(&crew->mutex);
    atomic_store(&crew->waits, true); /* before `busy` is looked at; helpers do it the other way about */
    while (atomic_load(&crew->busy) > 0)
        (void)pthread_cond_wait(&crew->left, &crew->mutex);
    atomic_store(&crew->waits, false);
    (void)pthread_mutex_unlock(&crew->mutex);
}

int crew_run(struct crew *crew, size_t n, crew_part *part, void *owner, struct vsr_err *err) {
    struct helper *called[TEAM_CORES_MAX];
    size_t n_called;
    if (!crew || crew->threads_max == 1 || n < 2)
        return run_alone(n, part, owner, err);
    crew->part = part;
    crew->owner = owner;
    crew->n = n;
    crew->rc = 0;
    atomic_store_explicit(&crew->failed, false, memory_order_relaxed);
    atomic_store_explicit(&crew->next, 0, memory_order_relaxed);
    n_called = call_helpers(crew, called);
    while (run_next(crew, 0))
        ;
    await_helpers(crew, called, n_called);
    if (crew->rc < 0)
        *err = crew->err;
    return crew->rc;
}

size_t crew_gather(struct crew *crew) {
    size_t threads;
    if (!crew || crew->threads_max == 1)
        return 1;
    (void)pthread_mutex_lock(&crew->team->mutex);
    settle(crew, crew->team->cores);
    threads = crew->threads;
    (void)pthread_mutex_unlock(&crew->team->mutex);
    return threads;
}

struct crew_kit *crew_kit(struct crew *crew, size_t member) {
    VSR_ASSERT(member > 0 && member <= crew->team->n_helpers);
    return &crew->team->helpers[member - 1].kit;
}
