#include "core/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/*
 * Cells of one series are laid out slot by slot: [slot][cell]. A counter or gauge has one cell, a histogram one per
 * bucket, +Inf and the sum. A slot's cells share no cache line with another slot's.
 */
enum { CELLS_PER_LINE = 8 };

struct metric {
    const struct metric_family *family;
    vsr_str labels;          /* `a="x",b="y"`, escaped; empty without labels */
    size_t stride;           /* cells per slot, rounded up to whole cache lines */
    _Atomic uint64_t *cells; /* bit patterns of doubles */
};

struct metric_family {
    struct metrics *metrics;
    enum metric_kind kind;
    const char *name, *help;
    const char *const *labels;
    size_t n_labels, series_max;
    const double *bounds;
    size_t n_bounds;
    struct map series; /* by the printed labels */
    struct metric *other;
};

struct metrics {
    pthread_mutex_t lock; /* guards registration and the list of series; never held while counting */
    struct arena *arena;
    struct map families;
};

static _Atomic unsigned next_slot;
static _Thread_local unsigned thread_slot; /* slot + 1; 0 until first used */

/* This thread's slot. Threads past the last slot share it, which is why cells are added to atomically there. */
static unsigned slot_of_thread(void) {
    if (thread_slot == 0) {
        unsigned slot = atomic_fetch_add_explicit(&next_slot, 1, memory_order_relaxed);
        thread_slot = (slot < METRICS_SLOTS ? slot : METRICS_SLOTS - 1) + 1;
    }
    return thread_slot - 1;
}

static double bits_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* Relaxed is enough: cells are independent sums and publish nothing else. */
static void cell_add(_Atomic uint64_t *cell, double delta, bool shared) {
    uint64_t old = atomic_load_explicit(cell, memory_order_relaxed);
    if (!shared) {
        atomic_store_explicit(cell, double_bits(bits_double(old) + delta), memory_order_relaxed);
        return;
    }
    while (!atomic_compare_exchange_weak_explicit(cell, &old, double_bits(bits_double(old) + delta),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

struct metrics *metrics_new(void) {
    struct metrics *metrics = MEM_NEW(struct metrics);
    (void)pthread_mutex_init(&metrics->lock, NULL); /* default attributes cannot fail */
    metrics->arena = arena_new(0, 0);
    map_init(&metrics->families, metrics->arena);
    return metrics;
}

void metrics_free(struct metrics *metrics) {
    if (!metrics)
        return;
    (void)pthread_mutex_destroy(&metrics->lock);
    arena_free(metrics->arena);
    mem_free(metrics);
}

static struct metric_family *family_register(struct metrics *metrics, const struct metric_family *wanted) {
    struct metric_family *family;
    VSR_ASSERT(wanted->n_labels <= METRICS_LABELS_MAX);
    VSR_ASSERT(wanted->n_bounds <= METRICS_BUCKETS_MAX);
    (void)pthread_mutex_lock(&metrics->lock);
    family = map_get(&metrics->families, str_from_c(wanted->name));
    if (!family) {
        family = ARENA_NEW(metrics->arena, struct metric_family);
        *family = *wanted;
        family->metrics = metrics;
        map_init(&family->series, metrics->arena);
        (void)map_put(&metrics->families, str_from_c(family->name), family); /* was absent */
    }
    (void)pthread_mutex_unlock(&metrics->lock);
    VSR_ASSERT(family->kind == wanted->kind && family->n_labels == wanted->n_labels);
    if (family->n_labels == 0)
        (void)metric_with(family, NULL, 0); /* visible as 0 from the start */
    return family;
}

struct metric_family *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                                      const char *const *labels, size_t n_labels, size_t series_max) {
    return family_register(metrics, &(struct metric_family){ .kind = METRIC_COUNTER,
                                                             .name = name,
                                                             .help = help,
                                                             .labels = labels,
                                                             .n_labels = n_labels,
                                                             .series_max = series_max });
}

struct metric_family *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                                    const char *const *labels, size_t n_labels, size_t series_max) {
    return family_register(metrics, &(struct metric_family){ .kind = METRIC_GAUGE,
                                                             .name = name,
                                                             .help = help,
                                                             .labels = labels,
                                                             .n_labels = n_labels,
                                                             .series_max = series_max });
}

struct metric_family *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                        const char *const *labels, size_t n_labels, size_t series_max,
                                        const double *bounds, size_t n_bounds) {
    return family_register(metrics, &(struct metric_family){ .kind = METRIC_HISTOGRAM,
                                                             .name = name,
                                                             .help = help,
                                                             .labels = labels,
                                                             .n_labels = n_labels,
                                                             .series_max = series_max,
                                                             .bounds = bounds,
                                                             .n_bounds = n_bounds });
}

static size_t n_cells(const struct metric_family *family) {
    return family->kind == METRIC_HISTOGRAM ? family->n_bounds + 2 : 1;
}

/* Label values come from configuration and clients: backslash, quote and line feed are escaped (exposition format). */
static void print_label(struct buf *out, const char *name, vsr_str value) {
    (void)buf_printf(out, "%s%s=\"", out->len ? "," : "", name);
    for (size_t i = 0; i < value.len; i++) {
        switch (value.ptr[i]) {
        case '\\':
            (void)buf_append_c(out, "\\\\");
            break;
        case '"':
            (void)buf_append_c(out, "\\\"");
            break;
        case '\n':
            (void)buf_append_c(out, "\\n");
            break;
        default:
            (void)buf_append_char(out, value.ptr[i]);
        }
    }
    (void)buf_append_char(out, '"');
}

static struct metric *series_new(struct metric_family *family, vsr_str labels) {
    struct arena *arena = family->metrics->arena;
    struct metric *metric = ARENA_NEW(arena, struct metric);
    size_t stride = (n_cells(family) + CELLS_PER_LINE - 1) & ~(size_t)(CELLS_PER_LINE - 1);
    metric->family = family;
    metric->labels = arena_str(arena, labels);
    metric->stride = stride;
    metric->cells = arena_alloc_array(arena, sizeof(*metric->cells), stride * METRICS_SLOTS);
    (void)map_put(&family->series, metric->labels, metric); /* was absent */
    return metric;
}

static struct metric *series_other(struct metric_family *family) {
    struct buf labels;
    if (family->other)
        return family->other;
    buf_init(&labels, 4096);
    for (size_t i = 0; i < family->n_labels; i++)
        print_label(&labels, family->labels[i], VSR_STR("other"));
    family->other = map_get(&family->series, buf_str(&labels));
    if (!family->other)
        family->other = series_new(family, buf_str(&labels));
    buf_done(&labels);
    return family->other;
}

struct metric *metric_with(struct metric_family *family, const vsr_str *values, size_t n_values) {
    struct metrics *metrics = family->metrics;
    struct metric *metric;
    struct buf labels;
    VSR_ASSERT(n_values == family->n_labels);
    buf_init(&labels, 4096);
    for (size_t i = 0; i < n_values; i++)
        print_label(&labels, family->labels[i], values[i]);
    (void)pthread_mutex_lock(&metrics->lock);
    metric = buf_failed(&labels) ? NULL : map_get(&family->series, buf_str(&labels));
    if (!metric) {
        bool full = buf_failed(&labels) || (family->n_labels && family->series.n >= family->series_max);
        metric = full ? series_other(family) : series_new(family, buf_str(&labels));
    }
    (void)pthread_mutex_unlock(&metrics->lock);
    buf_done(&labels);
    return metric;
}

void metric_add(struct metric *metric, double delta) {
    unsigned slot = slot_of_thread();
    cell_add(&metric->cells[slot * metric->stride], delta, slot == METRICS_SLOTS - 1);
}

void metric_observe(struct metric *metric, double value) {
    const struct metric_family *family = metric->family;
    unsigned slot = slot_of_thread();
    _Atomic uint64_t *cells = &metric->cells[slot * metric->stride];
    bool shared = slot == METRICS_SLOTS - 1;
    size_t bucket = 0;
    while (bucket < family->n_bounds && value > family->bounds[bucket])
        bucket++;
    cell_add(&cells[bucket], 1, shared);
    cell_add(&cells[family->n_bounds + 1], value, shared);
}

static double cell_sum(const struct metric *metric, size_t cell) {
    double sum = 0;
    for (size_t slot = 0; slot < METRICS_SLOTS; slot++)
        sum += bits_double(atomic_load_explicit(&metric->cells[slot * metric->stride + cell], memory_order_relaxed));
    return sum;
}

double metric_value(const struct metric *metric) {
    double count = 0;
    if (metric->family->kind != METRIC_HISTOGRAM)
        return cell_sum(metric, 0);
    for (size_t i = 0; i <= metric->family->n_bounds; i++)
        count += cell_sum(metric, i);
    return count;
}

static void print_value(struct buf *out, double value) {
    if (value == floor(value) && fabs(value) < 1e15)
        (void)buf_printf(out, "%.0f\n", value);
    else
        (void)buf_printf(out, "%.17g\n", value);
}

static void print_sample(struct buf *out, const struct metric *metric, const char *suffix, double value) {
    (void)buf_printf(out, "%s%s", metric->family->name, suffix);
    if (metric->labels.len)
        (void)buf_printf(out, "{%.*s}", VSR_FMT(metric->labels));
    (void)buf_append_char(out, ' ');
    print_value(out, value);
}

static void print_histogram(struct buf *out, const struct metric *metric) {
    const struct metric_family *family = metric->family;
    double count = 0;
    for (size_t i = 0; i <= family->n_bounds; i++) {
        count += cell_sum(metric, i);
        (void)buf_printf(out, "%s_bucket{%.*s%sle=\"", family->name, VSR_FMT(metric->labels),
                         metric->labels.len ? "," : "");
        if (i < family->n_bounds)
            (void)buf_printf(out, "%g\"} ", family->bounds[i]);
        else
            (void)buf_append_c(out, "+Inf\"} ");
        print_value(out, count);
    }
    print_sample(out, metric, "_sum", cell_sum(metric, family->n_bounds + 1));
    print_sample(out, metric, "_count", count);
}

static void print_family(const struct metric_family *family, struct buf *out) {
    static const char *const kinds[] = { "counter", "gauge", "histogram" };
    (void)buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                     kinds[family->kind]);
    for (size_t i = 0; i < family->series.n; i++) {
        const struct metric *metric = family->series.entries[i].value;
        if (family->kind == METRIC_HISTOGRAM)
            print_histogram(out, metric);
        else
            print_sample(out, metric, "", cell_sum(metric, 0));
    }
}

void metrics_print(struct metrics *metrics, struct buf *out) {
    (void)pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->families.n; i++)
        print_family(metrics->families.entries[i].value, out);
    (void)pthread_mutex_unlock(&metrics->lock);
}
