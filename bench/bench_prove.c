/*
 * bench_prove - a big generated policy: how long it takes to prove what holds for every request.
 *
 * 200 routes over 100 signals: 40 keyword rules, 14 domains in a partition, 16 embedding rules in another one, 10
 * context ranges, 8 structure rules over two sources, 6 languages, jailbreak and pii, and two scores over 12 inputs
 * each, whose bands conditions read too. Each condition is an AND of a leaf, two ORs and a NOT over an OR: 8 to 12
 * leaves. Prints JSON: ms of the whole analysis and of comparing the policy with one in which a route moved, how many
 * questions were asked, what was found, and MiB.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/effect.h"
#include "dsl/findings.h"
#include "dsl/prove.h"
#include "route/route.h"

enum { ROUTES = 200, POLICY_LEN_MAX = 16 << 20 };

static uint64_t seed = 5;

static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char *const languages[] = { "en", "zh", "de", "fr", "es", "ja" };
static const char *const domains[] = { "biology",   "business",    "chemistry", "computer science",
                                       "economics", "engineering", "health",    "history",
                                       "law",       "math",        "other",     "philosophy",
                                       "physics",   "psychology" };

/* A list of `n` rules, made of a literal format and its arguments. */
#define WRITE_LIST(out, key, n, ...) \
    do { \
        buf_printf((out), "    %s: [", (key)); \
        for (int i = 0; i < (n); i++) { \
            buf_append_c((out), i ? ", " : ""); \
            buf_printf((out), __VA_ARGS__); \
        } \
        buf_append_c((out), "]\n"); \
    } while (0)

static void write_signals(struct buf *out) {
    buf_append_c(out, "  signals:\n    domains: [");
    for (size_t i = 0; i < VSR_COUNT(domains); i++)
        buf_printf(out, "%s{name: %s}", i ? ", " : "", domains[i]);
    buf_append_c(out, "]\n    language: [");
    for (size_t i = 0; i < VSR_COUNT(languages); i++)
        buf_printf(out, "%s{name: %s}", i ? ", " : "", languages[i]);
    buf_append_c(out, "]\n    jailbreak: [{name: j}]\n    pii: [{name: p, threshold: 0.5}]\n");
    WRITE_LIST(out, "keywords", 40, "{name: k%d, operator: OR, keywords: [w%d]}", i, i);
    WRITE_LIST(out, "embeddings", 16, "{name: e%d, threshold: 0.7, candidates: [c%d]}", i, i);
    WRITE_LIST(out, "context", 10, "{name: c%d, min_tokens: %d00, max_tokens: 2000}", i, i);
    WRITE_LIST(out, "structure", 8,
               "{name: s%d, feature: {type: count, source: {type: regex, pattern: q}}, predicate: {gte: %d}}", i, i);
}

static void write_projections(struct buf *out) {
    buf_append_c(out,
                 "  projections:\n    partitions:\n      - {name: d, semantics: exclusive, default: other, members: [");
    for (size_t i = 0; i < VSR_COUNT(domains); i++)
        buf_printf(out, "%s%s", i ? ", " : "", domains[i]);
    buf_append_c(out, "]}\n      - {name: e, semantics: softmax_exclusive, temperature: 0.1, default: e0, members: [");
    for (int i = 0; i < 16; i++)
        buf_printf(out, "%se%d", i ? ", " : "", i);
    buf_append_c(out, "]}\n    scores:\n");
    for (int s = 0; s < 2; s++) {
        buf_printf(out, "      - {name: s%d, method: weighted_sum, inputs: [", s);
        for (int i = 0; i < 12; i++)
            buf_printf(out, "%s{type: keyword, name: k%d, weight: 0.%d%d}", i ? ", " : "", s * 12 + i, i % 3,
                       1 + i % 9);
        buf_append_c(out, "]}\n");
    }
    buf_append_c(out, "    mappings:\n");
    for (int s = 0; s < 2; s++)
        buf_printf(out,
                   "      - {name: m%d, source: s%d, method: threshold_bands, outputs: [{name: low%d, lt: 0.3}, "
                   "{name: mid%d, gte: 0.3, lt: 0.8}, {name: high%d, gte: 0.8}]}\n",
                   s, s, s, s, s);
}

static void write_leaf(struct buf *out) {
    static const char *const bands[] = { "low", "mid", "high" };
    switch (below(10)) {
    case 0:
        buf_printf(out, "{type: domain, name: %s}", domains[below(VSR_COUNT(domains))]);
        return;
    case 1:
        buf_printf(out, "{type: embedding, name: e%u}", below(16));
        return;
    case 2:
        buf_printf(out, "{type: context, name: c%u}", below(10));
        return;
    case 3:
        buf_printf(out, "{type: structure, name: s%u}", below(8));
        return;
    case 4:
        buf_printf(out, "{type: language, name: %s}", languages[below(VSR_COUNT(languages))]);
        return;
    case 5:
        buf_append_c(out, below(2) ? "{type: jailbreak, name: j}" : "{type: pii, name: p}");
        return;
    case 6:
        buf_printf(out, "{type: projection, name: %s%u}", bands[below(3)], below(2));
        return;
    default:
        buf_printf(out, "{type: keyword, name: k%u}", below(40));
    }
}

static void write_or(struct buf *out, uint32_t n) {
    buf_append_c(out, "{operator: OR, conditions: [");
    for (uint32_t i = 0; i < n; i++) {
        buf_append_c(out, i ? ", " : "");
        write_leaf(out);
    }
    buf_append_c(out, "]}");
}

static void write_routes(struct buf *out, int moved) {
    buf_append_c(out, "  decisions:\n");
    for (int i = 0; i < ROUTES; i++) {
        buf_printf(out, "    - {name: r%d, priority: %d, modelRefs: [{model: m%u, use_reasoning: false}]", i,
                   (i == moved ? ROUTES - i - 20 : ROUTES - i / 2 * 2) + 100, below(3));
        if (i + 1 < ROUTES) {
            buf_append_c(out, ", rules: {operator: AND, conditions: [");
            write_leaf(out);
            buf_append_c(out, ", ");
            write_or(out, 2 + below(2));
            buf_append_c(out, ", ");
            write_or(out, 2 + below(2));
            buf_append_c(out, ", {operator: NOT, conditions: [");
            write_or(out, 3 + below(3));
            buf_append_c(out, "]}]}");
        }
        buf_append_c(out, "}\n");
    }
}

static const struct config_document *load(struct arena *arena, int moved) {
    struct config_load_options options = { .parts.families = route_families(), .no_files = true };
    const struct config_document *doc;
    struct diag diag;
    struct buf out;
    seed = 5;
    buf_init(&out, POLICY_LEN_MAX);
    buf_append_c(&out, "version: v0.3\nlisteners: [{name: main, address: 127.0.0.1, port: 8080}]\nrouting:\n"
                       "  modelCards: [{name: m0}, {name: m1}, {name: m2}]\n");
    write_signals(&out);
    write_projections(&out);
    write_routes(&out, moved);
    if (config_load_text(arena, buf_str(&out), VSR_STR("policy"), &options, &doc, &diag) < 0) {
        struct buf text;
        buf_init(&text, 1 << 20);
        diag_print(&diag, &text, false);
        fprintf(stderr, "bench_prove: the policy does not load\n%.*s", VSR_FMT(buf_str(&text)));
        exit(1);
    }
    buf_done(&out);
    return doc;
}

/* On the thread's own clock: on a busy machine others run in between. */
static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(void) {
    struct arena *arena = arena_new(1 << 20, 0);
    const struct config_document *doc = load(arena, -1), *moved = load(arena, ROUTES / 2);
    const struct config_parts parts = { .families = route_families() };
    const struct schema *schema = config_schema(arena, &parts);
    struct prove_options options = { .families = parts.families, .budget_ms = -1 };
    struct prove_summary summary;
    struct effects effects;
    struct findings findings;
    struct rusage usage;
    double start = now_ms(), proved, compared;
    findings_init(&findings, arena);
    dsl_prove(arena, doc, &options, &findings, &summary);
    proved = now_ms() - start;
    start = now_ms();
    effects_find(arena, schema, doc, moved, &options, &effects);
    compared = now_ms() - start;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"prove_ms\": %.1f, \"effect_ms\": %.1f, \"leaves\": %zu, \"questions\": %zu, \"findings\": %zu, "
           "\"effects\": %zu, \"complete\": %s, \"mib\": %.1f}\n",
           proved, compared, summary.n_leaves, summary.n_questions, findings.n, effects.n,
           summary.complete && effects.complete ? "true" : "false", (double)usage.ru_maxrss / 1024);
    arena_free(arena);
    return 0;
}
