#include "test.h"

#include <pthread.h>

#include "core/buf.h"
#include "core/metrics.h"

static const char *const label_model[] = { "model" };
static const double bounds[] = { 1, 10 };

static void check_print(struct metrics *metrics, const char *want, const char *name) {
    struct buf out;
    buf_init(&out, 1 << 20);
    metrics_print(metrics, &out);
    CHECK_STR(buf_str(&out), want, name);
    buf_done(&out);
}

TEST(exposition_format) {
    struct metrics *metrics = metrics_new();
    struct metric_family *c = metrics_counter(metrics, "c_total", "Counts.", label_model, 1, 10);
    struct metric_family *h = metrics_histogram(metrics, "h", "Spread.", NULL, 0, 1, bounds, 2);
    metric_add(metric_with(c, &VSR_STR("a\"\\\n"), 1), 2.5);
    metric_observe(metric_with(h, NULL, 0), 1);
    metric_observe(metric_with(h, NULL, 0), 5);
    metric_observe(metric_with(h, NULL, 0), 11);
    check_print(metrics,
                "# HELP c_total Counts.\n# TYPE c_total counter\nc_total{model=\"a\\\"\\\\\\n\"} 2.5\n"
                "# HELP h Spread.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"10\"} 2\n"
                "h_bucket{le=\"+Inf\"} 3\nh_sum 17\nh_count 3\n",
                "text");
    metrics_free(metrics);
}

TEST(series_are_bounded) {
    struct metrics *metrics = metrics_new();
    struct metric_family *c = metrics_counter(metrics, "c_total", "Counts.", label_model, 1, 3);
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        metric_inc(metric_with(c, &(vsr_str){ name, strlen(name) }, 1));
    }
    check_print(metrics,
                "# HELP c_total Counts.\n# TYPE c_total counter\nc_total{model=\"m0\"} 1\nc_total{model=\"m1\"} 1\n"
                "c_total{model=\"m2\"} 1\nc_total{model=\"other\"} 97\n",
                "the rest is one series");
    metrics_free(metrics);
}

TEST(same_name_is_same_family) {
    struct metrics *metrics = metrics_new();
    struct metric_family *a = metrics_counter(metrics, "c_total", "Counts.", label_model, 1, 3);
    CHECK(metrics_counter(metrics, "c_total", "Counts.", label_model, 1, 3) == a, "registered once");
    CHECK(metric_with(a, &VSR_STR("x"), 1) == metric_with(a, &VSR_STR("x"), 1), "one series");
    metrics_free(metrics);
}

enum { THREADS = 40, ADDS = 10000 }; /* more threads than slots */

static void *add_many(void *data) {
    for (int i = 0; i < ADDS; i++)
        metric_inc(data);
    return NULL;
}

TEST(no_add_is_lost) {
    struct metrics *metrics = metrics_new();
    struct metric *metric = metric_with(metrics_counter(metrics, "c_total", "Counts.", NULL, 0, 1), NULL, 0);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, add_many, metric), 0, "thread");
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0, "join");
    CHECK_INT(metric_value(metric), THREADS * ADDS, "sum");
    metrics_free(metrics);
}

RUN_TESTS(T(exposition_format), T(series_are_bounded), T(same_name_is_same_family), T(no_add_is_lost))
