/*
 * bench_builtin - what the models of the program cost for one text, on one core.
 *
 *     bench_builtin TEXT
 *
 * TEXT is a file of prose. Prints how long the first model takes to open and what all take in memory, then a line for
 * each length of text: microseconds of processor time for the tokens alone, for one model, and for several in one pass.
 * Of each the best of some rounds over different parts of the file.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "model/builtin.h"
#include "text/tokenizer.h"

enum { FILE_MAX = 1 << 20, ROUNDS = 7, PARTS = 20, SETS_MAX = 8, MODELS_MAX = 4 };

static const struct {
    const char *name;
    const char *models[MODELS_MAX];
} sets[] = {
    { "vector", { "builtin/embedding" } },
    { "+3", { "builtin/embedding", "builtin/domain", "builtin/fact-check", "builtin/feedback" } },
    { "domain", { "builtin/domain" } },
    { "jailbreak", { "builtin/jailbreak" } },
    { "pii", { "builtin/pii" } },
    { "all", { "builtin/embedding", "builtin/domain", "builtin/jailbreak", "builtin/pii" } },
};

/* Of this thread, so that others on the machine do not count. */
static double cpu_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int fail(const struct vsr_err *err) {
    fprintf(stderr, "bench_builtin: %s\n", err->text);
    return 1;
}

/* The part that begins at byte `from` and has about `n` tokens. */
static vsr_str part(struct tokenizer_scratch *scratch, vsr_str text, size_t from, size_t n) {
    const struct tokenizer_options options = { .bare = true, .tokens_max = n };
    struct encoding tokens = { .n = 0 };
    vsr_str rest = str_sub(text, from, from + 16 * n);
    if (tokenizer_encode(builtin_tokenizer(), scratch, rest, &options, &tokens, NULL) < 0 || tokens.n == 0)
        return rest;
    return str_sub(rest, 0, tokens.ends[tokens.n - 1]);
}

static double tokens_us(struct tokenizer_scratch *scratch, const vsr_str *parts) {
    const struct tokenizer_options options = { .bare = true };
    double best = 1e9;
    for (size_t round = 0; round < ROUNDS; round++) {
        double begun = cpu_us(), each;
        struct encoding tokens;
        for (size_t i = 0; i < PARTS; i++)
            if (tokenizer_encode(builtin_tokenizer(), scratch, parts[i], &options, &tokens, NULL) < 0)
                return -1;
        each = (cpu_us() - begun) / PARTS;
        best = each < best ? each : best;
    }
    return best;
}

static double set_us(struct builtin_scratch *scratch, const vsr_str *parts, const struct builtin_model *const *models,
                     size_t n) {
    double best = 1e9;
    for (size_t round = 0; round < ROUNDS; round++) {
        double begun = cpu_us(), each;
        struct builtin_result results[MODELS_MAX];
        for (size_t i = 0; i < PARTS; i++)
            if (builtin_run(scratch, parts[i], models, n, results, NULL) < 0)
                return -1;
        each = (cpu_us() - begun) / PARTS;
        best = each < best ? each : best;
    }
    return best;
}

int main(int argc, char **argv) {
    static const size_t lengths[] = { 16, 64, 250, 500, 2000 };
    const struct builtin_model *models[SETS_MAX][MODELS_MAX];
    size_t n_models[SETS_MAX] = { 0 };
    struct arena *arena = arena_new(0, 0);
    char *bytes = arena_alloc(arena, FILE_MAX);
    struct vsr_err err = VSR_ERR_NONE;
    struct builtin_scratch *scratch = builtin_scratch_new();
    struct tokenizer_scratch *tokenizer = tokenizer_scratch_new();
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    double begun;
    size_t len;
    if (!file) {
        fprintf(stderr, "usage: bench_builtin TEXT\n");
        return 2;
    }
    len = fread(bytes, 1, FILE_MAX, file);
    (void)fclose(file);
    begun = cpu_us();
    if (builtin_open(VSR_STR("builtin/embedding"), &models[0][0], &err) < 0)
        return fail(&err);
    printf("trunk open in %.1f ms", (cpu_us() - begun) / 1000);
    for (size_t s = 0; s < VSR_COUNT(sets); s++)
        for (size_t i = 0; i < MODELS_MAX && sets[s].models[i]; i++, n_models[s]++)
            if (builtin_open(str_from_c(sets[s].models[i]), &models[s][i], &err) < 0)
                return fail(&err);
    printf(", all in %.1f ms, %zu KB beside the files\n%8s%8s%10s", (cpu_us() - begun) / 1000, builtin_bytes() / 1024,
           "tokens", "bytes", "tokens us");
    for (size_t s = 0; s < VSR_COUNT(sets); s++)
        printf("%10s", sets[s].name);
    printf("\n");
    for (size_t l = 0; l < VSR_COUNT(lengths); l++) {
        vsr_str parts[PARTS];
        size_t total = 0;
        for (size_t i = 0; i < PARTS; i++) {
            parts[i] = part(tokenizer, str_make(bytes, len), i * (len / (PARTS + 2)), lengths[l]);
            total += parts[i].len;
        }
        printf("%8zu%8zu%10.1f", lengths[l], total / PARTS, tokens_us(tokenizer, parts));
        for (size_t s = 0; s < VSR_COUNT(sets); s++)
            printf("%10.1f", set_us(scratch, parts, models[s], n_models[s]));
        printf("\n");
    }
    tokenizer_scratch_free(tokenizer);
    builtin_scratch_free(scratch);
    arena_free(arena);
    return 0;
}
