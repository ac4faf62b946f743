#include "cli/route_time.h"

#include <stdlib.h>

#include "cli/profile.h"
#include "cli/profile_models.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "evidence/lane.h"
#include "evidence/run.h"
#include "route/route.h"
#include "serve/eval.h"
#include "wire/facts.h"

enum { TIME_CHUNK_LEN = 64 << 10 };

struct sample {
    uint64_t route_ns, total_ns;
};

static int route_once(const struct profile *profile, const struct snapshot_recipe *recipe, struct arena *arena,
                      vsr_str body, const struct request_facts *caller, struct sample *sample, struct vsr_err *err) {
    struct evidence_lane *lane = profile_models_lane(profile->models, 0);
    const struct route_options route_options = { .evidence = lane ? ROUTE_EVIDENCE_ANSWERS : ROUTE_EVIDENCE_NONE };
    uint64_t begin_ns = clock_mono_ns(), facts_ns, end_ns;
    struct request_facts *facts = ARENA_NEW(arena, struct request_facts);
    struct route_state *state;
    struct json_doc doc;
    int rc = json_parse(arena, body, &doc, err);
    if (rc == 0)
        rc = eval_read(profile->snapshot, arena, &doc, facts, err);
    if (rc < 0)
        return rc;
    facts->user_id = caller->user_id;
    facts->user_groups = caller->user_groups;
    if (lane)
        evidence_lane_refresh(lane); /* else every repetition but the first would know the text already */
    facts_ns = clock_mono_ns();
    state = route_begin(recipe->route, recipe->scratch[0], arena, facts, &route_options);
    while (route_step(state, err) == ROUTE_NEEDS_EVIDENCE)
        evidence_run_wait_route(lane, recipe->evidence, state, arena);
    end_ns = clock_mono_ns();
    *sample = (struct sample){ end_ns - facts_ns, end_ns - begin_ns };
    return 0;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static struct route_spread spread(double *us, size_t n) {
    double sum = 0;
    qsort(us, n, sizeof(*us), compare);
    for (size_t i = 0; i < n; i++)
        sum += us[i];
    return (struct route_spread){ us[0], us[n / 2], sum / (double)n, us[n - 1 - n / 100] };
}

int route_time(const struct profile *profile, const struct snapshot_recipe *recipe, vsr_str body,
               const struct request_facts *caller, uint64_t repetitions, struct route_times *ret_times,
               struct vsr_err *err) {
    size_t n = repetitions ? repetitions : ROUTE_TIME_DEFAULT, warm_up = n / 10 + 1;
    double *route_us = mem_alloc(n * sizeof(double)), *total_us = mem_alloc(n * sizeof(double));
    struct arena *arena = arena_new(TIME_CHUNK_LEN, 0);
    int rc = 0;
    for (size_t i = 0; i < n + warm_up && rc == 0; i++) {
        struct sample sample = { 0 };
        arena_reset(arena);
        rc = route_once(profile, recipe, arena, body, caller, &sample, err);
        if (i < warm_up)
            continue;
        route_us[i - warm_up] = (double)sample.route_ns / 1e3;
        total_us[i - warm_up] = (double)sample.total_ns / 1e3;
    }
    if (rc == 0)
        *ret_times = (struct route_times){ n, spread(route_us, n), spread(total_us, n) };
    arena_free(arena);
    mem_free(route_us);
    mem_free(total_us);
    return rc;
}

static void spread_json(const char *key, const struct route_spread *spread, struct json_writer *w) {
    const struct {
        const char *key;
        double value;
    } members[] = {
        { "min", spread->least }, { "p50", spread->median }, { "mean", spread->mean }, { "p99", spread->p99 }
    };
    json_write_key(w, str_from_c(key));
    json_write_begin_object(w);
    for (size_t i = 0; i < VSR_COUNT(members); i++) {
        json_write_key(w, str_from_c(members[i].key));
        json_write_double(w, members[i].value);
    }
    json_write_end(w);
}

void route_times_json(const struct route_times *times, struct json_writer *w) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("repetitions"));
    json_write_u64(w, times->repetitions);
    spread_json("route_us", &times->route, w);
    spread_json("total_us", &times->total, w);
    json_write_end(w);
}

static void spread_text(const char *label, const struct route_spread *spread, const char *what, struct buf *out) {
    buf_printf(out, "%-10s p50 %.1f us, mean %.1f, min %.1f, p99 %.1f  (%s)\n", label, spread->median, spread->mean,
               spread->least, spread->p99, what);
}

void route_times_text(const struct route_times *times, struct buf *out) {
    spread_text("time", &times->route, "from facts to a decision", out);
    spread_text("", &times->total, "with reading the request", out);
}
