#include "probe/summary.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/map.h"
#include "serve/eval.h"
#include "serve/snapshot.h"

enum { COMPLAINT_LEN_MAX = 512 };

double probe_percent(struct probe_rate rate) {
    return rate.total == 0 ? 100 : round(1000.0 * (double)rate.passed / (double)rate.total) / 10;
}

struct summing {
    struct probe_summary *s;
    struct arena *arena;
    size_t complaints_cap;
};

static void complain(struct summing *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void complain(struct summing *b, const char *format, ...) {
    struct probe_summary *s = b->s;
    char text[COMPLAINT_LEN_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* what is longer is cut */
    va_end(args);
    s->complaints = arena_grow(b->arena, s->complaints, sizeof(*s->complaints), s->n_complaints, &b->complaints_cap);
    s->complaints[s->n_complaints++] = arena_str(b->arena, str_from_c(text));
}

/* ---- rates */

static bool counts(const struct probe_summary *s, const struct probe_outcome *outcome) {
    return !s->options->by_independence || outcome->independent || outcome->state == PROBE_NOT_ASKED;
}

static void add(struct probe_rate *rate, const struct probe_outcome *outcome) {
    rate->total++;
    rate->passed += outcome->state == PROBE_PASSED;
}

static struct probe_decision_rate *rate_of(struct probe_summary *s, const struct probe_decision *decision) {
    for (size_t i = 0; i < s->n_decisions; i++)
        if (s->decisions[i].decision == decision)
            return &s->decisions[i];
    s->decisions[s->n_decisions] = (struct probe_decision_rate){
        .decision = decision,
        .least = decision->robustness ? decision->robustness->min_pass_rate
                                      : s->options->suite->acceptance.min_decision_pass_rate,
    };
    return &s->decisions[s->n_decisions++];
}

static void sum_rates(struct summing *b) {
    struct probe_summary *s = b->s;
    s->decisions = ARENA_ARRAY(b->arena, struct probe_decision_rate, s->options->suite->decisions.n);
    for (size_t i = 0; i < s->outcomes->n; i++) {
        const struct probe_outcome *outcome = &s->outcomes->items[i];
        struct probe_decision_rate *rate = rate_of(s, outcome->decision);
        unsigned tags = probe_tags(outcome->variant);
        if (!counts(s, outcome)) {
            s->n_dependent++;
            s->n_dependent_passed += outcome->state == PROBE_PASSED;
            continue;
        }
        add(&s->rate, outcome);
        add(&rate->rate, outcome);
        for (int tag = 0; tag < PROBE_TAGS; tag++)
            if (tags & 1u << tag)
                add(&s->tags[tag], outcome);
    }
}

static void check_rates(struct summing *b) {
    struct probe_summary *s = b->s;
    double least = s->options->suite->acceptance.min_probe_pass_rate;
    if (probe_percent(s->rate) < least)
        complain(b, "%.1f %% of the probes pass, %.1f %% are asked for", probe_percent(s->rate), least);
    for (size_t i = 0; i < s->n_decisions; i++)
        if (probe_percent(s->decisions[i].rate) < s->decisions[i].least)
            complain(b, "%.1f %% of the probes of %.*s pass, %.1f %% are asked for",
                     probe_percent(s->decisions[i].rate), VSR_FMT(s->decisions[i].decision->id), s->decisions[i].least);
}

static int find_tag(vsr_str text) {
    for (int tag = 0; tag < PROBE_TAGS; tag++)
        if (str_eq_c(text, probe_tag_text((enum probe_tag)tag)))
            return tag;
    return -1;
}

static void check_tags(struct summing *b) {
    struct probe_summary *s = b->s;
    const struct probe_coverage *coverage = &s->options->suite->coverage;
    size_t count[PROBE_TAGS] = { 0 };
    for (size_t i = 0; i < s->outcomes->n; i++)
        for (int tag = 0; tag < PROBE_TAGS; tag++)
            count[tag] += (probe_tags(s->outcomes->items[i].variant) >> tag) & 1;
    for (size_t i = 0; i < coverage->min_tag_counts.n; i++) {
        int tag = find_tag(coverage->min_tag_counts.keys[i]);
        if (tag >= 0 && (double)count[tag] < coverage->min_tag_counts.values[i])
            complain(b, "%zu probes are tagged %s, %g are asked for", count[tag], probe_tag_text((enum probe_tag)tag),
                     coverage->min_tag_counts.values[i]);
    }
    for (size_t i = 0; i < coverage->min_tag_pass_rate.n; i++) {
        int tag = find_tag(coverage->min_tag_pass_rate.keys[i]);
        if (tag >= 0 && probe_percent(s->tags[tag]) < coverage->min_tag_pass_rate.values[i])
            complain(b, "%.1f %% of the probes tagged %s pass, %.1f %% are asked for", probe_percent(s->tags[tag]),
                     probe_tag_text((enum probe_tag)tag), coverage->min_tag_pass_rate.values[i]);
    }
}

static bool has_shape(const struct probe_variant *variant, vsr_str shape) {
    if (str_eq_c(shape, "text"))
        return !variant->messages;
    if (str_eq_c(shape, "messages"))
        return variant->messages != NULL;
    return variant->tools && variant->tools->n_items > 0;
}

static void check_shapes(struct summing *b) {
    struct probe_summary *s = b->s;
    const struct config_strings *required = &s->options->suite->coverage.required_request_shapes;
    for (size_t i = 0; i < required->n; i++) {
        bool found = false;
        for (size_t k = 0; k < s->outcomes->n && !found; k++)
            found = has_shape(s->outcomes->items[k].variant, required->items[i]);
        if (!found)
            complain(b, "no probe has the shape %.*s", VSR_FMT(required->items[i]));
    }
}

/* ---- latency */

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Linear interpolation at (n - 1) * p. */
static double quantile(const double *sorted, size_t n, double p) {
    double at = p * (double)(n - 1);
    size_t below = (size_t)at;
    double upper = below + 1 < n ? sorted[below + 1] : sorted[below];
    return sorted[below] + (at - (double)below) * (upper - sorted[below]);
}

static void sum_latency(struct summing *b) {
    struct probe_summary *s = b->s;
    double *times = ARENA_ARRAY(b->arena, double, s->outcomes->n);
    size_t n = 0;
    for (size_t i = 0; i < s->outcomes->n; i++)
        if (s->outcomes->items[i].state != PROBE_NOT_ASKED)
            times[n++] = s->outcomes->items[i].time_us;
    s->n_not_asked = s->outcomes->n - n;
    if (n > 0) {
        qsort(times, n, sizeof(*times), compare);
        s->latency = (struct probe_latency){ times[0], quantile(times, n, 0.5), quantile(times, n, 0.95),
                                             quantile(times, n, 0.99), times[n - 1] };
    }
    s->per_second = s->outcomes->time_ns ? (double)s->outcomes->n * 1e9 / (double)s->outcomes->time_ns : 0;
}

/* ---- coverage: what the profile has, and what some probe says of it; outputs of projections are signals too */

enum { COVER_SIGNALS, COVER_PROJECTIONS, COVER_ALGORITHMS, COVER_PLUGINS };

struct covering {
    struct summing *b;
    struct map asserted[PROBE_COVERAGES], configured[PROBE_COVERAGES];
    vsr_str recipe;
};

static vsr_str recipe_key(struct covering *c, vsr_str recipe, vsr_str kind, vsr_str name) {
    return arena_printf(c->b->arena, "%.*s\n%.*s\n%.*s", VSR_FMT(recipe), VSR_FMT(kind), VSR_FMT(name));
}

/* `rule:level` asserts the rule. */
static vsr_str base_name(vsr_str name) {
    ptrdiff_t colon = str_find_last_char(name, ':');
    return colon < 0 ? name : str_sub(name, 0, (size_t)colon);
}

static void assert_signals(struct covering *c, vsr_str recipe, const struct config_strings_map *map) {
    for (size_t i = 0; i < map->n; i++)
        for (size_t k = 0; k < map->values[i].n; k++) {
            bool projection = str_eq_c(map->keys[i], "projection");
            vsr_str name = projection ? map->values[i].items[k] : base_name(map->values[i].items[k]);
            vsr_str at = recipe_key(c, recipe, map->keys[i], name);
            (void)map_put(&c->asserted[COVER_SIGNALS], at, c);
            if (projection)
                (void)map_put(&c->asserted[COVER_PROJECTIONS], at, c);
        }
}

static void assert_decision(struct covering *c, const struct probe_decision *decision) {
    vsr_str recipe = decision->expected_recipe;
    assert_signals(c, recipe, &decision->forbidden_signals);
    CONFIG_EACH(const struct probe_variant, variant, &decision->variants)
    assert_signals(c, recipe, probe_expected_signals(decision, variant));
    if (decision->expected_algorithm.len)
        (void)map_put(&c->asserted[COVER_ALGORITHMS],
                      recipe_key(c, recipe, decision->expected_decision, decision->expected_algorithm), c);
    for (size_t i = 0; i < decision->expected_plugins.n; i++)
        (void)map_put(&c->asserted[COVER_PLUGINS],
                      recipe_key(c, recipe, decision->expected_decision, decision->expected_plugins.items[i]), c);
}

static void configure_name(void *data, const char *family, vsr_str name) {
    struct covering *c = data;
    vsr_str key = str_from_c(eval_response_key(family));
    bool projection = str_eq_c(key, "projection");
    vsr_str at = recipe_key(c, c->recipe, key, projection ? name : base_name(name));
    (void)map_put(&c->configured[COVER_SIGNALS], at, c);
    if (projection)
        (void)map_put(&c->configured[COVER_PROJECTIONS], at, c);
}

static void configure_recipe(struct covering *c, const struct snapshot_recipe *recipe) {
    c->recipe = recipe->scope->name;
    route_names(recipe->route, configure_name, c);
    CONFIG_EACH(const struct config_decision, decision, &recipe->scope->routing->decisions) {
        if (decision->algorithm)
            (void)map_put(&c->configured[COVER_ALGORITHMS],
                          recipe_key(c, c->recipe, decision->name, decision->algorithm->type), c);
        CONFIG_EACH(const struct config_plugin, plugin, &decision->plugins)
        (void)map_put(&c->configured[COVER_PLUGINS], recipe_key(c, c->recipe, decision->name, plugin->type), c);
    }
}

static void check_reached(struct covering *c, const struct snapshot_recipe *recipe) {
    CONFIG_EACH(const struct config_decision, decision, &recipe->scope->routing->decisions) {
        bool found = false;
        CONFIG_EACH(const struct probe_decision, probe, &c->b->s->options->suite->decisions)
        found |=
            str_eq(probe->expected_decision, decision->name) && str_eq(probe->expected_recipe, recipe->scope->name);
        if (!found)
            complain(c->b, "no probe expects decision %.*s of recipe %.*s", VSR_FMT(decision->name),
                     VSR_FMT(recipe->scope->name));
    }
}

/* A slip in the suite, which otherwise looks like a policy that fails. */
static void check_expected(struct covering *c, const struct config_document *doc) {
    CONFIG_EACH(const struct probe_decision, probe, &c->b->s->options->suite->decisions) {
        const struct config_scope *scope = config_scope(doc, probe->expected_recipe);
        bool found = false;
        if (!scope) {
            complain(c->b, "%.*s expects recipe %.*s, which the profile does not have", VSR_FMT(probe->id),
                     VSR_FMT(probe->expected_recipe));
            continue;
        }
        CONFIG_EACH(const struct config_decision, decision, &scope->routing->decisions)
        found |= str_eq(decision->name, probe->expected_decision);
        if (!found)
            complain(c->b, "%.*s expects decision %.*s, which recipe %.*s does not have", VSR_FMT(probe->id),
                     VSR_FMT(probe->expected_decision), VSR_FMT(probe->expected_recipe));
    }
}

static bool is_asked_for(const struct probe_outcomes *outcomes, const struct config_strings *models) {
    for (size_t i = 0; i < outcomes->n; i++)
        for (size_t k = 0; k < models->n; k++)
            if (str_eq(outcomes->items[i].model, models->items[k]))
                return true;
    return false;
}

static void check_entrypoints(struct covering *c, const struct config_document *doc) {
    CONFIG_EACH(const struct config_entrypoint, entrypoint, &doc->entrypoints) {
        if (!is_asked_for(c->b->s->outcomes, &entrypoint->model_names))
            complain(c->b, "no probe asks for the entrypoint of recipe %.*s", VSR_FMT(entrypoint->recipe));
    }
}

/* A name that nothing has would be forbidden in vain. */
static void check_asserted(struct covering *c) {
    const struct map *asserted = &c->asserted[COVER_SIGNALS];
    for (size_t i = 0; i < asserted->n; i++) {
        vsr_str name = asserted->entries[i].key, recipe, kind;
        if (map_get(&c->configured[COVER_SIGNALS], name))
            continue;
        recipe = str_split(&name, '\n');
        kind = str_split(&name, '\n');
        complain(c->b, "the probes speak of %.*s %.*s, which recipe %.*s does not have", VSR_FMT(kind), VSR_FMT(name),
                 VSR_FMT(recipe));
    }
}

static void sum_rate(struct covering *c, size_t which, const char *what, double least) {
    struct probe_coverage_rate *rate = &c->b->s->coverage[which];
    const struct map *configured = &c->configured[which];
    *rate = (struct probe_coverage_rate){ what, 0, configured->n, least };
    for (size_t i = 0; i < configured->n; i++)
        rate->asserted += map_get(&c->asserted[which], configured->entries[i].key) != NULL;
    if (probe_percent((struct probe_rate){ rate->asserted, rate->configured }) < least)
        complain(c->b, "%zu of %zu %s are asserted, %.1f %% are asked for", rate->asserted, rate->configured, what,
                 least);
}

static void sum_coverage(struct summing *b) {
    static const char *const what[] = { "signals", "projections", "algorithms", "plugins" };
    const struct probe_coverage *least = &b->s->options->suite->coverage;
    const struct snapshot *snapshot = b->s->options->snapshot;
    const double percents[] = { least->min_signal_assertion_percent, least->min_projection_assertion_percent,
                                least->min_algorithm_assertion_percent, least->min_plugin_assertion_percent };
    struct covering c = { .b = b };
    for (size_t i = 0; i < PROBE_COVERAGES; i++) {
        map_init(&c.asserted[i], b->arena);
        map_init(&c.configured[i], b->arena);
    }
    CONFIG_EACH(const struct probe_decision, decision, &b->s->options->suite->decisions)
    assert_decision(&c, decision);
    for (size_t i = 0; i < snapshot->n_recipes; i++) {
        configure_recipe(&c, &snapshot->recipes[i]);
        check_reached(&c, &snapshot->recipes[i]);
    }
    check_entrypoints(&c, snapshot->doc);
    check_expected(&c, snapshot->doc);
    check_asserted(&c);
    for (size_t i = 0; i < PROBE_COVERAGES; i++)
        sum_rate(&c, i, what[i], percents[i]);
}

void probe_summarize(const struct probe_options *options, const struct probe_outcomes *outcomes, struct arena *arena,
                     struct probe_summary *ret_summary) {
    struct summing b = { .s = ret_summary, .arena = arena };
    *ret_summary = (struct probe_summary){ .options = options, .outcomes = outcomes, .whole = options->n_ids == 0 };
    sum_rates(&b);
    sum_latency(&b);
    check_rates(&b);
    if (!ret_summary->whole)
        return;
    check_tags(&b);
    check_shapes(&b);
    sum_coverage(&b);
}
