/*
 * bench_route - microseconds of one routing decision, from facts to outcome.
 *
 * Policies of 10, 100 and 1,000 decisions over 200 keyword rules (five words each), structure and context rules; a
 * prompt of 1 KB. The worst case for the walk: the winner is the last decision. Prints {"10": us, "100": us, "1000":
 * us}, medians.
 */
#include <stdlib.h>

#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/json_write.h"
#include "route/route.h"

enum { KEYWORD_RULES = 200, WORDS = 5, ROUNDS = 2001, RECIPE_LEN_MAX = 16 << 20 };

static uint64_t seed = 7;

static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char *const syllables[] = { "ka", "lo", "mi", "ter", "son", "ra", "be", "chi", "du", "fen", "gor", "hul" };

/* Word number `index`, always the same. */
static void write_word(struct buf *out, uint32_t index) {
    for (int n = 0; n < 4; n++, index /= VSR_COUNT(syllables))
        buf_append_c(out, syllables[index % VSR_COUNT(syllables)]);
}

static void write_signals(struct buf *out) {
    buf_append_c(out, "  signals:\n    keywords:\n");
    for (int i = 0; i < KEYWORD_RULES; i++) {
        buf_printf(out, "      - {name: k%d, operator: OR, keywords: [", i);
        for (int w = 0; w < WORDS; w++) {
            buf_append_c(out, w ? ", " : "");
            write_word(out, (uint32_t)(i * WORDS + w));
        }
        buf_append_c(out, "]}\n");
    }
    buf_append_c(
        out,
        "    context: [{name: short, max_tokens: 999}, {name: long, min_tokens: 1K}]\n"
        "    structure:\n"
        "      - {name: questions, feature: {type: count, source: {type: regex, pattern: '[?]'}}, predicate: {gte: "
        "4}}\n"
        "      - {name: steps, feature: {type: exists, source: {type: regex, pattern: '(?m)^\\s*\\d+\\.\\s+'}}}\n");
}

/*
 * Lanes as people write them: some evidence, something that must not be there, a condition on the shape. None matches
 * the prompt, which holds words of the first half of the rules only; every second one fails at its last condition.
 */
static void write_decision(struct buf *out, int index) {
    uint32_t half = KEYWORD_RULES / 2;
    buf_printf(out, "    - name: d%d\n      priority: %d\n      rules:\n        operator: AND\n        conditions:\n",
               index, 100000 - index);
    if (index % 2)
        buf_printf(out,
                   "          - {type: keyword, name: k%u}\n"
                   "          - {type: keyword, name: k%u}\n"
                   "          - {type: context, name: short}\n",
                   below(half), half + below(half));
    else
        buf_printf(
            out,
            "          - {operator: OR, conditions: [{type: keyword, name: k%u}, {type: context, name: short}]}\n"
            "          - {operator: NOT, conditions: [{type: keyword, name: k%u}]}\n"
            "          - {operator: OR, conditions: [{type: context, name: long}, {type: structure, name: steps}]}\n",
            below(half), half + below(half));
}

static void write_recipe(struct buf *out, int n_decisions) {
    buf_append_c(out, "version: v0.3\nlisteners: [{name: main, address: 127.0.0.1, port: 8080}]\nrouting:\n");
    write_signals(out);
    buf_append_c(out, "  decisions:\n");
    for (int i = 0; i + 1 < n_decisions; i++)
        write_decision(out, i);
    buf_append_c(out, "    - {name: otherwise, priority: 0}\n");
}

/* About 1 KB of prose in which some keywords stand. */
static void write_prompt(struct buf *out) {
    static const char *const prose[] = { "please", "explain", "the",     "way", "in",  "which",
                                         "a",      "system",  "decides", "and", "why?" };
    while (out->len < 1024) {
        if (below(8) == 0)
            write_word(out, below(KEYWORD_RULES / 2 * WORDS));
        else
            buf_append_c(out, prose[below(VSR_COUNT(prose))]);
        buf_append_char(out, ' ');
    }
}

static void die(struct diag *diag, const char *what) {
    struct buf out;
    buf_init(&out, 1 << 20);
    diag_print(diag, &out, false);
    fprintf(stderr, "bench_route: %s\n%.*s", what, (int)out.len, out.ptr ? out.ptr : "");
    exit(1);
}

static struct route *load(struct arena *arena, int n_decisions) {
    struct config_load_options options = { .parts.families = route_families() };
    const struct config_document *doc;
    struct route *route;
    struct diag diag;
    struct buf recipe;
    diag_init(&diag, arena, VSR_STR("recipe"));
    buf_init(&recipe, RECIPE_LEN_MAX);
    write_recipe(&recipe, n_decisions);
    if (config_load_text(arena, buf_str(&recipe), VSR_STR("recipe"), &options, &doc, &diag) < 0 ||
        route_build(arena, doc, &doc->scopes[0], &route, &diag) < 0)
        die(&diag, "the recipe does not load");
    buf_done(&recipe);
    return route;
}

static void read_facts(struct arena *arena, struct request_facts *facts) {
    struct facts_options options = { 0 };
    struct json_doc doc;
    struct buf prompt, body;
    struct vsr_err err = VSR_ERR_NONE;
    buf_init(&prompt, 4096);
    buf_init(&body, 8192);
    write_prompt(&prompt);
    buf_append_c(&body, "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":");
    json_quote(&body, buf_str(&prompt));
    buf_append_c(&body, "}]}");
    if (json_parse(arena, arena_str(arena, buf_str(&body)), &doc, &err) < 0 ||
        facts_read_chat(arena, &doc, &options, facts, &err) < 0) {
        fprintf(stderr, "bench_route: %s\n", err.text);
        exit(1);
    }
    buf_done(&prompt);
    buf_done(&body);
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double measure(int n_decisions) {
    static double times[ROUNDS];
    struct arena *arena = arena_new(1 << 20, 0), *memory = arena_new(256 << 10, 0);
    struct route *route = load(arena, n_decisions);
    struct route_options options = { 0 };
    struct request_facts facts;
    struct route_scratch *scratch;
    if (route_scratch_new(route, &scratch, NULL) < 0)
        exit(1);
    read_facts(arena, &facts);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = clock_mono_ns();
        struct route_state *state = route_begin(route, scratch, memory, &facts, &options);
        if (route_step(state, NULL) != ROUTE_DONE || !route_outcome(state)->decision)
            exit(1);
        times[i] = (double)(clock_mono_ns() - start) / 1e3;
        arena_reset(memory);
    }
    qsort(times, ROUNDS, sizeof(*times), compare_doubles);
    route_scratch_free(scratch);
    arena_free(memory);
    arena_free(arena);
    return times[ROUNDS / 2];
}

int main(void) {
    double ten = measure(10), hundred = measure(100), thousand = measure(1000);
    printf("{\"10\": %.2f, \"100\": %.2f, \"1000\": %.2f}\n", ten, hundred, thousand);
    return 0;
}
