#include "serve/signal_metrics.h"

#include "core/arena.h"
#include "core/map.h"
#include "route/route.h"
#include "serve/telemetry.h"

enum { CODES = SIGNAL_TOO_LONG + 1 };

struct family_series {
    struct metric *seconds;
    struct metric *errors[CODES]; /* that of SIGNAL_OK is not there */
    struct metric *decided, *unused;
};

struct rule_series {
    const struct family_series *family;
    struct metric *looked_at, *matched;
};

struct signal_metrics {
    struct map families;       /* type -> struct family_series */
    struct rule_series *rules; /* as route_names() counts them */
    size_t n;
};

/* ---- building */

struct build {
    struct signal_metrics *metrics;
    struct arena *arena;
    const struct telemetry *telemetry;
    vsr_str (*global_name)(const void *data, vsr_str name);
    const void *data;
};

static struct metric *pair(struct metric_family *family, vsr_str first, vsr_str second) {
    return metric_with(family, (vsr_str[]){ first, second }, 2);
}

static const struct family_series *find_family(const struct build *build, vsr_str type) {
    const struct telemetry *t = build->telemetry;
    struct family_series *series = map_get(&build->metrics->families, type);
    if (series)
        return series;
    series = ARENA_NEW(build->arena, struct family_series);
    series->seconds = metric_with(t->signal_seconds, &type, 1);
    series->decided = pair(t->signals_skipped, type, VSR_STR("decided"));
    series->unused = pair(t->signals_skipped, type, VSR_STR("unused"));
    for (int code = SIGNAL_OK + 1; code < CODES; code++)
        series->errors[code] = pair(t->signal_errors, type, str_from_c(signal_code_text((enum signal_code)code)));
    (void)map_put(&build->metrics->families, type, series); /* was absent */
    return series;
}

static void count_rule(void *data, const char *family, vsr_str name) {
    (void)family;
    (void)name;
    ++*(size_t *)data;
}

static void add_rule(void *data, const char *family, vsr_str name) {
    const struct build *build = data;
    vsr_str type = str_from_c(family), label = build->global_name(build->data, name);
    build->metrics->rules[build->metrics->n++] = (struct rule_series){
        .family = find_family(build, type),
        .looked_at = pair(build->telemetry->signals, type, label),
        .matched = pair(build->telemetry->signal_matches, type, label),
    };
}

struct signal_metrics *signal_metrics_new(struct arena *arena, const struct telemetry *telemetry,
                                          const struct route *route,
                                          vsr_str (*global_name)(const void *data, vsr_str name), const void *data) {
    struct signal_metrics *metrics = ARENA_NEW(arena, struct signal_metrics);
    struct build build = { metrics, arena, telemetry, global_name, data };
    size_t n = 0;
    map_init(&metrics->families, arena);
    route_names(route, count_rule, &n);
    metrics->rules = ARENA_ARRAY(arena, struct rule_series, n);
    route_names(route, add_rule, &build);
    return metrics;
}

/* ---- recording */

static void record_result(void *data, const struct route_result *result) {
    const struct signal_metrics *metrics = data;
    const struct rule_series *rule = &metrics->rules[result->index];
    metric_inc(rule->looked_at);
    if (result->matched)
        metric_inc(rule->matched);
    if (result->code != SIGNAL_OK)
        metric_inc(rule->family->errors[result->code]);
}

static void record_skipped(void *data, const char *family, bool unused) {
    const struct family_series *series = map_get(&((const struct signal_metrics *)data)->families, str_from_c(family));
    if (series)
        metric_inc(unused ? series->unused : series->decided);
}

static void record_time(void *data, const char *family, double ms, double confidence) {
    const struct family_series *series = map_get(&((const struct signal_metrics *)data)->families, str_from_c(family));
    (void)confidence;
    if (series && ms > 0)
        metric_observe(series->seconds, ms / 1e3);
}

void signal_metrics_record(const struct signal_metrics *metrics, const struct route_state *state) {
    route_results(state, record_result, (void *)metrics);
    route_skipped(state, record_skipped, (void *)metrics);
    route_times(state, record_time, (void *)metrics);
}
