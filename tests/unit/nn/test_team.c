#include "nn/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "test.h"

enum { PARTS = 500, CLIENTS = 12, PASSES = 40, CORES = 4 };

static size_t n_kits_freed;

static void kit_free(void *kit) {
    n_kits_freed++;
    free(kit);
}

static struct team *new_team(size_t cores) {
    struct vsr_err err = VSR_ERR_NONE;
    struct team *team = NULL;
    CHECK_MSG(team_new(cores, &team, &err) == 0, "%s", err.text);
    return team;
}

/* ---- parts */

struct work {
    struct crew *crew;
    unsigned char done[PARTS]; /* how often; each part writes its own */
    atomic_size_t *working, *most;
    size_t fails_from; /* every tenth part from here on fails; PARTS: none */
    useconds_t sleep_us;
};

static void enter(const struct work *work) {
    size_t now = atomic_fetch_add(work->working, 1) + 1, most = atomic_load(work->most);
    while (now > most && !atomic_compare_exchange_weak(work->most, &most, now))
        ;
}

static int do_part(void *owner, size_t part, size_t member, struct vsr_err *err) {
    struct work *work = owner;
    if (work->working)
        enter(work);
    if (member > 0) {
        struct crew_kit *kit = crew_kit(work->crew, member);
        if (!kit->data)
            *kit = (struct crew_kit){ calloc(1, sizeof(size_t)), kit_free };
        ++*(size_t *)kit->data; /* nobody else's */
    }
    work->done[part]++;
    if (work->sleep_us)
        usleep(work->sleep_us);
    if (work->working)
        atomic_fetch_sub(work->working, 1);
    return part >= work->fails_from && part % 10 == 0 ? err_set(err, VSR_E_LIMIT, "part %zu", part) : 0;
}

static void check_done(const struct work *work, size_t n) {
    for (size_t i = 0; i < PARTS; i++)
        CHECK_INT(work->done[i], i < n ? 1 : 0, "once");
}

/* Each part once, whatever the numbers of threads and parts. */
TEST(each_part_once) {
    static const size_t counts[] = { 0, 1, 2, 3, 7, 64, PARTS };
    for (size_t cores = 1; cores <= 5; cores++) {
        struct team *team = new_team(cores);
        for (size_t round = 0; round < 50; round++) {
            for (size_t i = 0; i < VSR_COUNT(counts); i++) {
                struct work work = { .crew = crew_begin(team, round % (cores + 1)), .fails_from = PARTS };
                struct vsr_err err = VSR_ERR_NONE;
                CHECK_INT(crew_run(work.crew, counts[i], do_part, &work, &err), 0, "none fails");
                check_done(&work, counts[i]);
                CHECK(crew_gather(work.crew) >= 1 && crew_gather(work.crew) <= cores, "threads");
                crew_end(work.crew);
            }
        }
        CHECK_INT(team_stats(team).working, 0, "all are idle");
        CHECK(team_stats(team).working_most <= cores, "never more than there are");
        team_free(team);
    }
}

TEST(without_a_crew) {
    struct work work = { .fails_from = 200 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(crew_run(NULL, PARTS, do_part, &work, &err), VSR_E_LIMIT, "fails");
    CHECK(strcmp(err.text, "part 200") == 0, err.text);
    CHECK_INT(crew_gather(NULL), 1, "the caller");
}

/* The failure of the least part is told, whoever ran it. */
TEST(failures) {
    struct team *team = new_team(3);
    for (size_t round = 0; round < 200; round++) {
        struct work work = { .crew = crew_begin(team, 0), .fails_from = round };
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(crew_run(work.crew, PARTS, do_part, &work, &err), VSR_E_LIMIT, "fails");
        CHECK(strncmp(err.text, "part ", 5) == 0 && strtoul(err.text + 5, NULL, 10) >= round, err.text);
        work.fails_from = PARTS;
        memset(work.done, 0, sizeof(work.done));
        CHECK_INT(crew_run(work.crew, PARTS, do_part, &work, &err), 0, "and the next does not");
        check_done(&work, PARTS);
        crew_end(work.crew);
    }
    team_free(team);
}

/* Helpers do help when there is something to do for them, and not when they may not. */
TEST(help) {
    struct team *team = new_team(3);
    struct work work = { .fails_from = PARTS, .sleep_us = 200 };
    struct vsr_err err = VSR_ERR_NONE;
    n_kits_freed = 0;
    work.crew = crew_begin(team, 1);
    CHECK_INT(crew_run(work.crew, PARTS / 10, do_part, &work, &err), 0, "alone");
    CHECK_INT(crew_gather(work.crew), 1, "alone");
    crew_end(work.crew);
    CHECK_INT(team_stats(team).helped, 0, "no help wanted");
    memset(work.done, 0, sizeof(work.done));
    work.crew = crew_begin(team, 0);
    CHECK_INT(crew_gather(work.crew), 3, "all");
    CHECK_INT(team_stats(team).working, 3, "are taken");
    CHECK_INT(crew_run(work.crew, PARTS, do_part, &work, &err), 0, "together");
    check_done(&work, PARTS);
    crew_end(work.crew);
    CHECK(team_stats(team).helped > 0, "they did");
    team_free(team);
    CHECK(n_kits_freed >= 1 && n_kits_freed <= 2, "what they kept is freed");
}

TEST(refused) {
    struct vsr_err err;
    struct team *team;
    CHECK_INT(team_new(0, &team, &err), VSR_E_INVALID, "no core");
    CHECK_INT(team_new(TEAM_CORES_MAX + 1, &team, &err), VSR_E_INVALID, "too many");
    team_free(NULL);
}

/* ---- who comes gets a core */

struct guest {
    struct team *team;
    atomic_bool *came;
};

static void *guest_main(void *data) {
    struct guest *guest = data;
    struct crew *crew = crew_begin(guest->team, 0);
    atomic_store(guest->came, true);
    crew_end(crew);
    return NULL;
}

struct host {
    struct team *team;
    struct crew *crew;
    atomic_bool came;
    pthread_t guest;
    struct guest as;
};

/* The guest is let in while the parts go on: the first part brings it, and later ones wait for it. */
static int host_part(void *owner, size_t part, size_t member, struct vsr_err *err) {
    struct host *host = owner;
    (void)member;
    if (part == 0) {
        host->as = (struct guest){ host->team, &host->came };
        if (pthread_create(&host->guest, NULL, guest_main, &host->as) != 0)
            return err_set(err, VSR_E_NOMEM, "no thread");
    }
    if (part < PARTS - 1)
        usleep(100);
    else
        for (size_t i = 0; i < 10000 && !atomic_load(&host->came); i++)
            usleep(1000);
    return 0;
}

TEST(a_guest_does_not_wait_for_the_end) {
    struct host host = { .team = new_team(2) };
    struct vsr_err err = VSR_ERR_NONE;
    host.crew = crew_begin(host.team, 0);
    CHECK_INT(crew_gather(host.crew), 2, "both cores");
    CHECK_INT(crew_run(host.crew, PARTS, host_part, &host, &err), 0, "runs");
    CHECK(atomic_load(&host.came), "it came in the middle");
    crew_end(host.crew);
    pthread_join(host.guest, NULL);
    CHECK_INT(team_stats(host.team).working_most, 2, "and no third thread worked");
    team_free(host.team);
}

/* ---- a helper between two crews */

enum { FOUR = 4 };

struct between {
    struct team *team;
    atomic_bool helped, came, called;
    atomic_size_t done;
};

/* The owner stays in its first part until another crew has called the helper that left this one. */
static int first_part(void *owner, size_t part, size_t member, struct vsr_err *err) {
    struct between *b = owner;
    (void)part;
    (void)err;
    if (member == 0) {
        while (!atomic_load(&b->called))
            ;
    } else if (!atomic_load(&b->came)) {
        atomic_store(&b->helped, true);
        usleep(5000);
    }
    return 0;
}

static int guest_part(void *owner, size_t part, size_t member, struct vsr_err *err) {
    struct between *b = owner;
    (void)part;
    (void)err;
    if (member == 0)
        atomic_store(&b->called, true);
    atomic_fetch_add(&b->done, 1);
    return 0;
}

struct other {
    struct between *b;
    struct crew *c, *d;
};

static void *other_main(void *data) {
    struct other *other = data;
    struct between *b = other->b;
    struct vsr_err err = VSR_ERR_NONE;
    struct crew *crew;
    while (!atomic_load(&b->helped))
        usleep(100);
    crew = crew_begin(b->team, 0); /* the helper resigns for it */
    atomic_store(&b->came, true);
    usleep(5000); /* and falls asleep */
    crew_end(other->c);
    crew_end(other->d);
    CHECK_INT(crew_run(crew, 8, guest_part, b, &err), 0, "runs");
    atomic_store(&b->called, true); /* helpers may have been so quick that no part was left for this thread */
    crew_end(crew);
    return NULL;
}

/* A crew that is done takes back the calls that were not answered: its own, and not those of others. */
TEST(a_call_of_another_crew_stays) {
    struct between b = { .team = new_team(FOUR) };
    struct vsr_err err = VSR_ERR_NONE;
    struct other other = { .b = &b };
    struct crew *crew;
    pthread_t id;
    crew = crew_begin(b.team, 2);
    CHECK_INT(crew_gather(crew), 2, "a helper");
    other.c = crew_begin(b.team, 1);
    other.d = crew_begin(b.team, 1); /* now all cores are taken */
    assert_int_equal(pthread_create(&id, NULL, other_main, &other), 0);
    CHECK_INT(crew_run(crew, 200, first_part, &b, &err), 0, "runs");
    crew_end(crew);
    assert_int_equal(pthread_join(id, NULL), 0);
    CHECK_INT(atomic_load(&b.done), 8, "all parts of the other");
    CHECK_INT(team_stats(b.team).working, 0, "all are idle");
    team_free(b.team);
}

/* ---- many */

struct client {
    struct team *team;
    atomic_size_t *working, *most;
    bool right;
};

static void *client_main(void *data) {
    struct client *client = data;
    client->right = true;
    for (size_t pass = 0; pass < PASSES; pass++) {
        struct work work = { .crew = crew_begin(client->team, pass % 3 == 0 ? 2 : 0),
                             .working = client->working,
                             .most = client->most,
                             .fails_from = PARTS,
                             .sleep_us = pass % 4 == 0 ? 20 : 0 };
        struct vsr_err err = VSR_ERR_NONE;
        for (size_t run = 0; run < 5; run++) {
            size_t n = pass * run % 37;
            memset(work.done, 0, sizeof(work.done));
            client->right &= crew_run(work.crew, n, do_part, &work, &err) == 0;
            for (size_t i = 0; i < PARTS; i++)
                client->right &= work.done[i] == (i < n ? 1 : 0);
        }
        crew_end(work.crew);
    }
    return NULL;
}

/* More clients than cores: all are served, and never do more threads work than there are cores. */
TEST(never_more_than_cores) {
    atomic_size_t working = 0, most = 0;
    struct client clients[CLIENTS];
    pthread_t ids[CLIENTS];
    struct team *team = new_team(CORES);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ team, &working, &most, false };
        assert_int_equal(pthread_create(&ids[i], NULL, client_main, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(ids[i], NULL), 0);
        CHECK(clients[i].right, "each part once");
    }
    CHECK(atomic_load(&most) <= CORES, "at the same time");
    CHECK(team_stats(team).working_most <= CORES, "by the team's own account");
    CHECK_INT(team_stats(team).working, 0, "all are idle");
    team_free(team);
}

RUN_TESTS(T(each_part_once), T(without_a_crew), T(failures), T(help), T(refused), T(a_guest_does_not_wait_for_the_end),
          T(a_call_of_another_crew_stays), T(never_more_than_cores))
