/*
 * bench_dsl - the routing language over a program of 1 MB, and over a file when one is named.
 *
 * The program: keyword and embedding signals, cards and routes with conditions of three to five leaves, models with
 * options, an algorithm and plugins. Prints JSON, milliseconds of the thread's own clock, medians: `read` is text to
 * tree, `check` what an editor does after each keystroke besides, `compile` tree to configuration, `decompile` and
 * `format` back to text.
 */
#include <stdlib.h>
#include <time.h>

#include "../tests/unit/dsl/parts.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check.h"
#include "dsl/compile.h"
#include "dsl/decompile.h"
#include "dsl/findings.h"
#include "dsl/format.h"
#include "dsl/language.h"
#include "dsl/parse.h"

enum { PROGRAM_LEN = 1 << 20, SIGNALS = 1000, MODELS = 50, TEXT_LEN_MAX = 64 << 20, ROUNDS = 15 };

static uint32_t below(uint32_t n) {
    static uint64_t seed = 7;
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

/* ---- the program */

static void write_words(struct buf *out, int n) {
    static const char *const words[] = {
        "explain", "contract", "integral", "\xE5\x90\x88\xE5\x90\x8C", "kernel", "dose"
    };
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s\"%s %u\"", i ? ", " : "", words[below(VSR_COUNT(words))], below(1000));
}

static void write_signal(struct buf *out, int index) {
    bool embedding = index % 4 == 3;
    buf_printf(out, "SIGNAL %s s%d {\n", embedding ? "embedding" : "keyword", index);
    buf_append_c(out, embedding ? "  threshold: 0.72\n  candidates: [" : "  operator: \"OR\"\n  keywords: [");
    write_words(out, 8);
    buf_append_c(out, embedding ? "]\n  aggregation_method: \"max\"\n}\n\n" : "]\n  case_sensitive: false\n}\n\n");
}

static void write_leaf(struct buf *out) {
    uint32_t index = below(SIGNALS);
    buf_printf(out, "%s(\"s%u\")", index % 4 == 3 ? "embedding" : "keyword", index);
}

static void write_route(struct buf *out, int index) {
    buf_printf(out, "ROUTE r%d (description = \"what is asked for %d times\") {\n  PRIORITY %d\n  WHEN (", index, index,
               100000 - index);
    write_leaf(out);
    buf_append_c(out, " OR ");
    write_leaf(out);
    buf_append_c(out, ") AND NOT ");
    write_leaf(out);
    for (uint32_t more = below(3); more > 0; more--) {
        buf_append_c(out, " AND ");
        write_leaf(out);
    }
    buf_printf(out, "\n  MODEL \"m%u\" (reasoning = true, effort = \"low\"),\n        \"m%u\" (reasoning = false)\n",
               below(MODELS), below(MODELS));
    buf_append_c(out, "  ALGORITHM multi_factor {\n    weights: { cost: 0.2, latency: 0.3, quality: 0.5 }\n  }\n"
                      "  PLUGIN system_prompt {\n    enabled: true\n    system_prompt: \"Be terse.\"\n  }\n}\n\n");
}

static void write_program(struct buf *out) {
    for (int i = 0; i < SIGNALS; i++)
        write_signal(out, i);
    for (int i = 0; i < MODELS; i++)
        buf_printf(out, "MODEL m%d {\n  param_size: \"7B\"\n  capabilities: [\"chat\", \"tools\"]\n}\n\n", i);
    for (int i = 0; out->len < PROGRAM_LEN; i++)
        write_route(out, i);
}

/* ---- times */

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static double since(uint64_t start) {
    return (double)(now() - start) / 1e6;
}

enum stage { STAGE_READ, STAGE_CHECK, STAGE_COMPILE, STAGE_DECOMPILE, STAGE_FORMAT, STAGES };

static void tell(const struct findings *findings, const char *what) {
    struct findings_style style = { 0 };
    struct buf out;
    if (findings->n_of[FINDING_ERROR] == 0)
        return;
    buf_init(&out, TEXT_LEN_MAX);
    findings_print(findings, &style, &out);
    fprintf(stderr, "bench_dsl: %s\n%.*s", what, (int)out.len, out.ptr);
    exit(1);
}

static void run_once(const struct language *language, vsr_str source, double times[STAGES]) {
    struct arena *arena = arena_new(1 << 20, 0);
    struct findings findings;
    struct dsl_parsed parsed;
    struct yaml_node *root;
    struct buf text;
    uint64_t start = now();
    findings_init(&findings, arena);
    dsl_parse(arena, source, &parsed, &findings);
    times[STAGE_READ] = since(start);
    tell(&findings, "the program does not parse");
    start = now();
    dsl_check(arena, language, &parsed, NULL, &findings);
    times[STAGE_CHECK] = since(start);
    start = now();
    root = dsl_compile(arena, language, &parsed.program, &findings);
    times[STAGE_COMPILE] = since(start);
    tell(&findings, "the program does not compile");
    buf_init(&text, TEXT_LEN_MAX);
    start = now();
    dsl_decompile(arena, language, root, &findings, &text);
    times[STAGE_DECOMPILE] = since(start);
    buf_reset(&text);
    start = now();
    dsl_format(language, &parsed, &text);
    times[STAGE_FORMAT] = since(start);
    tell(&findings, "the configuration cannot be written");
    buf_done(&text);
    arena_free(arena);
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(const struct language *language, const char *name, vsr_str source) {
    static const char *const names[STAGES] = { "read", "check", "compile", "decompile", "format" };
    double times[STAGES][ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double one[STAGES];
        run_once(language, source, one);
        for (int k = 0; k < STAGES; k++)
            times[k][i] = one[k];
    }
    printf("\"%s\": {\"bytes\": %zu", name, source.len);
    for (int k = 0; k < STAGES; k++) {
        qsort(times[k], ROUNDS, sizeof(double), compare_doubles);
        printf(", \"%s_ms\": %.2f", names[k], times[k][ROUNDS / 2]);
    }
    printf("}");
}

static void read_file(const char *path, struct buf *out) {
    char chunk[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t n;
    if (!file) {
        perror(path);
        exit(1);
    }
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_append(out, str_make(chunk, n));
    fclose(file);
}

int main(int argc, char **argv) {
    const struct language *language = dsl_language();
    struct buf source;
    buf_init(&source, TEXT_LEN_MAX);
    write_program(&source);
    printf("{");
    measure(language, "program", buf_str(&source));
    if (argc > 1) {
        buf_reset(&source);
        read_file(argv[1], &source);
        printf(", ");
        measure(language, "file", buf_str(&source));
    }
    printf("}\n");
    buf_done(&source);
    return 0;
}
