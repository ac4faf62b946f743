/*
 * bench_policy - a big generated policy: how long it takes to load, and where the time of one decision goes.
 *
 * 200 keyword rules with 20 literal patterns each, 1,000 decisions of which the last one wins; prompts of 1 KB to 1 MB
 * of prose in which one word of a hundred is a pattern, and (dense) one of eight. Prints JSON: read_ms (document) and
 * compile_ms (engine) of loading; per size the whole decision and its stages in microseconds (`fold` looks for letters
 * to fold, `scan` finds the patterns, `rules` evaluates keyword rules, `decide` gives leaves their states and walks the
 * decisions, `rest` is everything else); scan_gbps at 1 MB; and, for a policy of other methods, words_us: all of BM25,
 * n-grams and slips at 2 KB. Medians.
 */
#include <stdlib.h>
#include <time.h>

#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_write.h"
#include "route/plan.h"
#include "route/route.h"
#include "route/state.h"
#include "text/fold.h"
#include "text/regex.h"
#include "text/unicode.h"

enum { RULES = 200, WORDS = 20, DECISIONS = 1000, ROUNDS_MAX = 2001, RECIPE_LEN_MAX = 16 << 20 };
enum { SPARSE = 100, DENSE = 8 }; /* words of a prompt to each pattern that stands in it */

static uint64_t seed = 7;

static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char *const syllables[] = { "ka", "lo", "mi", "ter", "son", "ra", "be", "chi", "du", "fen", "gor", "hul" };

/* Pattern number `index`, always the same: a word, or every third one a phrase. */
static void write_pattern(struct buf *out, uint32_t index) {
    bool phrase = index % 3 == 0;
    for (int n = 0; n < 4; n++, index /= VSR_COUNT(syllables)) {
        buf_append_c(out, phrase && n == 2 ? " " : "");
        buf_append_c(out, syllables[index % VSR_COUNT(syllables)]);
    }
}

static void write_keywords(struct buf *out, int n_rules, const char *method) {
    buf_append_c(out, "    keywords:\n");
    for (int i = 0; i < n_rules; i++) {
        buf_printf(out, "      - {name: k%d, operator: OR, method: %s, keywords: [", i, method ? method : "exact");
        for (int w = 0; w < WORDS; w++) {
            buf_append_c(out, w ? ", " : "");
            write_pattern(out, (uint32_t)(i * WORDS + w));
        }
        buf_append_c(out, "]}\n");
    }
}

/* None matches: prompts hold patterns of the first half of the rules only, and are never "short". */
static void write_decision(struct buf *out, int index, int n_rules) {
    uint32_t half = (uint32_t)n_rules / 2;
    buf_printf(out, "    - name: d%d\n      priority: %d\n      rules:\n        operator: AND\n        conditions:\n",
               index, 100000 - index);
    buf_printf(out,
               "          - {type: keyword, name: k%u}\n"
               "          - {operator: OR, conditions: [{type: keyword, name: k%u}, {type: context, name: short}]}\n"
               "          - {operator: NOT, conditions: [{type: keyword, name: k%u}]}\n",
               below(half), half + below(half), below(half));
}

static void write_recipe(struct buf *out, int n_rules, int n_decisions, const char *method) {
    buf_append_c(out, "version: v0.3\nlisteners: [{name: main, address: 127.0.0.1, port: 8080}]\nrouting:\n"
                      "  signals:\n    context: [{name: short, max_tokens: 9}]\n");
    write_keywords(out, n_rules, method);
    buf_append_c(out, "  decisions:\n");
    for (int i = 0; i + 1 < n_decisions; i++)
        write_decision(out, i, n_rules);
    buf_append_c(out, "    - {name: otherwise, priority: 0}\n");
}

/* One word in `every` is a pattern of the first half. */
static vsr_str make_prompt(struct arena *arena, size_t len, uint32_t n_patterns, uint32_t every) {
    static const char *const prose[] = { "please", "explain", "the",     "way", "in",  "which",
                                         "a",      "system",  "decides", "and", "why?" };
    struct buf out;
    vsr_str text;
    buf_init(&out, len + 256);
    while (out.len < len) {
        if (below(every) == 0)
            write_pattern(&out, below(n_patterns / 2));
        else
            buf_append_c(&out, prose[below(VSR_COUNT(prose))]);
        buf_append_char(&out, ' ');
    }
    text = arena_str(arena, str_sub(buf_str(&out), 0, len));
    buf_done(&out);
    return text;
}

static void die(struct diag *diag, const char *what) {
    struct buf out;
    buf_init(&out, 1 << 20);
    diag_print(diag, &out, false);
    fprintf(stderr, "bench_policy: %s\n%.*s", what, (int)out.len, out.ptr ? out.ptr : "");
    exit(1);
}

/*
 * What takes milliseconds is timed on the thread's own clock: on a busy machine others run in between. Reading that one
 * costs more than the short stages.
 */
static bool own_clock;

static uint64_t now(void) {
    struct timespec time;
    if (!own_clock)
        return clock_mono_ns();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Microseconds. */
static double since(uint64_t start) {
    return (double)(now() - start) / 1e3;
}

static struct route *load(struct arena *arena, vsr_str recipe, double *ret_read_ms, double *ret_compile_ms) {
    struct config_load_options options = { .parts.families = route_families() };
    const struct config_document *doc;
    struct route *route;
    struct diag diag;
    uint64_t start;
    diag_init(&diag, arena, VSR_STR("recipe"));
    start = now();
    if (config_load_text(arena, recipe, VSR_STR("recipe"), &options, &doc, &diag) < 0)
        die(&diag, "the recipe does not load");
    *ret_read_ms = since(start) / 1e3;
    start = now();
    if (route_build(arena, doc, &doc->scopes[0], &route, &diag) < 0)
        die(&diag, "the recipe cannot be compiled");
    *ret_compile_ms = since(start) / 1e3;
    return route;
}

static void read_facts(struct arena *arena, vsr_str prompt, struct request_facts *facts) {
    struct facts_options options = { 0 };
    struct json_doc doc;
    struct buf body;
    struct vsr_err err = VSR_ERR_NONE;
    buf_init(&body, 4 << 20);
    buf_append_c(&body, "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":");
    json_quote(&body, prompt);
    buf_append_c(&body, "}]}");
    if (json_parse(arena, arena_str(arena, buf_str(&body)), &doc, &err) < 0 ||
        facts_read_chat(arena, &doc, &options, facts, &err) < 0) {
        fprintf(stderr, "bench_policy: %s\n", err.text);
        exit(1);
    }
    buf_done(&body);
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

enum stage { STAGE_ALL, STAGE_FOLD, STAGE_SCAN, STAGE_RULES, STAGE_DECIDE, STAGES };

struct bench {
    struct route *route;
    struct route_scratch *scratch;
    struct arena *memory;
    struct request_facts facts;
    double read_ms, compile_ms; /* of loading */
};

/* One stage after the other on a state that is made as for a request, then once more as a whole. */
static void run_once(struct bench *bench, double times[STAGES]) {
    struct route_options options = { 0 };
    struct route_state *state = route_begin(bench->route, bench->scratch, bench->memory, &bench->facts, &options);
    const struct route_family *keywords = &bench->route->families[0];
    const struct pattern_hits *hits;
    struct policy_verdict verdict;
    uint64_t start;
    state->request.wanted = bench->route->wanted;
    start = now();
    if (!unicode_is_ascii(bench->facts.eval_text))
        (void)fold_non_ascii(bench->memory, bench->facts.eval_text, FOLD_CASE);
    times[STAGE_FOLD] = since(start);
    start = now();
    if (signal_request_hits(&state->request, SIGNAL_TEXT_FULL, &hits, NULL) < 0)
        exit(1);
    times[STAGE_SCAN] = since(start);
    start = now();
    if (keywords->family->eval(keywords->state, &state->request, &state->results, NULL) < 0)
        exit(1);
    times[STAGE_RULES] = since(start);
    start = now();
    rule_leaf_states(&bench->route->policy->rules, &state->view, state->leaves);
    (void)policy_decide(bench->route->policy, state->leaves, &state->view, &verdict, NULL);
    times[STAGE_DECIDE] = since(start);
    arena_reset(bench->memory);
    start = now();
    state = route_begin(bench->route, bench->scratch, bench->memory, &bench->facts, &options);
    if (route_step(state, NULL) != ROUTE_DONE || !route_outcome(state)->decision)
        exit(1);
    times[STAGE_ALL] = since(start);
    arena_reset(bench->memory);
}

static void measure(struct bench *bench, int rounds, double medians[STAGES]) {
    static double times[STAGES][ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        double one[STAGES];
        run_once(bench, one);
        for (int k = 0; k < STAGES; k++)
            times[k][i] = one[k];
    }
    for (int k = 0; k < STAGES; k++) {
        qsort(times[k], (size_t)rounds, sizeof(double), compare_doubles);
        medians[k] = times[k][rounds / 2];
    }
}

static void bench_open(struct bench *bench, struct arena *arena, vsr_str recipe) {
    own_clock = true;
    bench->route = load(arena, recipe, &bench->read_ms, &bench->compile_ms);
    bench->memory = arena_new(256 << 10, 0);
    if (route_scratch_new(bench->route, &bench->scratch, NULL) < 0)
        exit(1);
}

static void bench_close(struct bench *bench) {
    route_scratch_free(bench->scratch);
    arena_free(bench->memory);
}

static double print_sizes(struct bench *bench, struct arena *arena, uint32_t every) {
    static const size_t sizes[] = { 1 << 10, 10 << 10, 100 << 10, 1 << 20 };
    static const char *const names[] = { "1 KB", "10 KB", "100 KB", "1 MB" };
    double rate = 0;
    for (size_t i = 0; i < VSR_COUNT(sizes); i++) {
        double us[STAGES];
        own_clock = sizes[i] >= 100 << 10;
        read_facts(arena, make_prompt(arena, sizes[i], RULES * WORDS, every), &bench->facts);
        measure(bench, sizes[i] > 200 << 10 ? 101 : ROUNDS_MAX, us);
        printf("%s\"%s\": {\"all\": %.2f, \"fold\": %.2f, \"scan\": %.2f, \"rules\": %.2f, \"decide\": %.2f}",
               i ? ", " : "", names[i], us[STAGE_ALL], us[STAGE_FOLD], us[STAGE_SCAN], us[STAGE_RULES],
               us[STAGE_DECIDE]);
        rate = (double)sizes[i] / us[STAGE_SCAN] / 1e3;
    }
    return rate;
}

/* Five rules of 20 entries of one of the methods that look at words, at a prompt of 2 KB. */
static double measure_method(const char *method) {
    enum { METHOD_RULES = 5 };
    struct arena *arena = arena_new(1 << 20, 0);
    struct bench bench;
    struct buf recipe;
    double us[STAGES];
    buf_init(&recipe, RECIPE_LEN_MAX);
    write_recipe(&recipe, METHOD_RULES, METHOD_RULES, method);
    bench_open(&bench, arena, buf_str(&recipe));
    read_facts(arena, make_prompt(arena, 2048, METHOD_RULES * WORDS, SPARSE), &bench.facts);
    own_clock = false;
    measure(&bench, 501, us);
    bench_close(&bench);
    buf_done(&recipe);
    arena_free(arena);
    return us[STAGE_RULES] + us[STAGE_SCAN];
}

int main(void) {
    struct arena *arena = arena_new(1 << 20, 0);
    struct bench bench;
    struct buf recipe;
    double rate;
    buf_init(&recipe, RECIPE_LEN_MAX);
    write_recipe(&recipe, RULES, DECISIONS, NULL);
    bench_open(&bench, arena, buf_str(&recipe));
    printf("{\"read_ms\": %.1f, \"compile_ms\": %.1f, \"sizes\": {", bench.read_ms, bench.compile_ms);
    rate = print_sizes(&bench, arena, SPARSE);
    printf("}, \"dense\": {");
    (void)print_sizes(&bench, arena, DENSE);
    printf("}, \"scan_gbps\": %.2f, \"words_us\": {\"bm25\": %.1f, \"ngram\": %.1f, \"fuzzy\": %.1f}}\n", rate,
           measure_method("bm25"), measure_method("ngram"), measure_method("fuzzy"));
    bench_close(&bench);
    buf_done(&recipe);
    arena_free(arena);
    return 0;
}
