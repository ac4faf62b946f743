#include "net/loop.h"

#include <pthread.h>

#include "peer.h"

struct probe {
    struct loop *loop;
    struct loop_timer timer, other;
    struct loop_task task, task2;
    int n, n_other;
    uint64_t last_ms;
};

static struct loop *make_loop(void) {
    struct loop *loop = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(loop_new(&loop, &err) == 0, "%s", err.text);
    return loop;
}

static void count(void *data) {
    struct probe *probe = data;
    probe->n++;
    probe->last_ms = loop_now_ms(probe->loop);
}

static void count_other(void *data) {
    struct probe *probe = data;
    probe->n_other++;
}

TEST(timer_fires_once) {
    struct probe probe = { .loop = make_loop() };
    uint64_t begin = loop_now_ms(probe.loop);
    loop_timer_start(probe.loop, &probe.timer, 30, count, &probe);
    CHECK(loop_timer_active(&probe.timer), "armed");
    PUMP(probe.loop, probe.n == 1, "fires");
    CHECK(probe.last_ms - begin >= 30, "not early");
    CHECK(!loop_timer_active(&probe.timer), "idle after it fired");
    for (int i = 0; i < 10; i++)
        loop_run_once(probe.loop, 5);
    CHECK_INT(probe.n, 1, "once");
    loop_free(probe.loop);
}

TEST(timer_moves_and_stops) {
    struct probe probe = { .loop = make_loop() };
    uint64_t begin;
    loop_timer_start(probe.loop, &probe.timer, 20, count, &probe);
    loop_timer_start(probe.loop, &probe.timer, 80, count, &probe);
    begin = loop_now_ms(probe.loop);
    PUMP(probe.loop, probe.n == 1, "later");
    CHECK(probe.last_ms - begin >= 80, "the later time counts");
    loop_timer_start(probe.loop, &probe.timer, 100000, count, &probe);
    loop_timer_start(probe.loop, &probe.timer, 10, count, &probe);
    PUMP(probe.loop, probe.n == 2, "earlier");
    loop_timer_start(probe.loop, &probe.timer, 10, count, &probe);
    loop_timer_start(probe.loop, &probe.other, 40, count_other, &probe);
    loop_timer_stop(&probe.timer);
    loop_timer_stop(&probe.timer);
    PUMP(probe.loop, probe.n_other == 1, "the other");
    CHECK_INT(probe.n, 2, "stopped");
    CHECK(!loop_run_once(probe.loop, 0), "nothing is alive");
    loop_free(probe.loop);
}

static void rearm(void *data) {
    struct probe *probe = data;
    probe->n++;
    if (probe->n < 3)
        loop_timer_start(probe->loop, &probe->timer, 0, rearm, probe);
    loop_timer_stop(&probe->other); /* due in the same batch */
}

TEST(timer_inside_timer) {
    struct probe probe = { .loop = make_loop() };
    loop_timer_start(probe.loop, &probe.timer, 10, rearm, &probe);
    loop_timer_start(probe.loop, &probe.other, 10, count_other, &probe);
    PUMP(probe.loop, probe.n == 3, "rearmed");
    CHECK_INT(probe.n_other, 0, "stopped by its neighbour");
    loop_free(probe.loop);
}

static void defer_again(void *data) {
    struct probe *probe = data;
    probe->n++;
    loop_defer_cancel(&probe->task2);
    if (probe->n == 1)
        loop_defer(probe->loop, &probe->task, defer_again, probe);
}

TEST(tasks) {
    struct probe probe = { .loop = make_loop() };
    loop_defer(probe.loop, &probe.task, defer_again, &probe);
    loop_defer(probe.loop, &probe.task, defer_again, &probe);
    loop_defer(probe.loop, &probe.task2, count_other, &probe);
    CHECK_INT(probe.n, 0, "not inside the call");
    loop_run_once(probe.loop, 0);
    CHECK_INT(probe.n, 1, "once");
    loop_run_once(probe.loop, 0);
    CHECK_INT(probe.n, 2, "next turn");
    CHECK_INT(probe.n_other, 0, "cancelled");
    loop_free(probe.loop);
}

enum { POSTS = 20000, POSTERS = 3 };

struct counter {
    int seen[POSTERS];
    int n, disorder;
};

struct message {
    struct counter *counter;
    int poster, number;
};

static void take(void *data) {
    struct message *message = data;
    struct counter *counter = message->counter;
    if (counter->seen[message->poster] != message->number)
        counter->disorder++;
    counter->seen[message->poster]++;
    counter->n++;
}

static struct loop *posted_loop;
static struct message messages[POSTERS][POSTS];

static void *poster(void *data) {
    struct message *mine = data;
    for (int i = 0; i < POSTS; i++)
        loop_post(posted_loop, take, &mine[i]);
    return NULL;
}

TEST(posts_keep_order) {
    static struct counter counter;
    pthread_t threads[POSTERS];
    posted_loop = make_loop();
    for (int p = 0; p < POSTERS; p++) {
        for (int i = 0; i < POSTS; i++)
            messages[p][i] = (struct message){ &counter, p, i };
        CHECK(pthread_create(&threads[p], NULL, poster, messages[p]) == 0, "thread");
    }
    PUMP(posted_loop, counter.n == POSTERS * POSTS, "all arrive");
    CHECK_INT(counter.disorder, 0, "in order");
    for (int p = 0; p < POSTERS; p++)
        pthread_join(threads[p], NULL);
    loop_free(posted_loop);
}

static void *stopper(void *data) {
    usleep(2000);
    loop_stop(data);
    return NULL;
}

TEST(run_until_stopped) {
    struct loop *loop = make_loop();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stopper, loop) == 0, "thread");
    loop_run(loop);
    CHECK(loop_on_thread(loop), "its thread");
    pthread_join(thread, NULL);
    loop_free(loop);
    loop_free(NULL);
}

RUN_TESTS(T(timer_fires_once), T(timer_moves_and_stops), T(timer_inside_timer), T(tasks), T(posts_keep_order),
          T(run_until_stopped))
