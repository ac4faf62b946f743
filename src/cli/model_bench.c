/* model_bench - `vsr model bench`: how fast a model is on this machine, and what it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/model_row.h"
#include "cli/model_use.h"
#include "cli/term.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/precision.h"
#include "text/tokenizer.h"

enum {
    OUT_LEN_MAX = 1 << 20,
    SHORTEST = 16,
    LONGEST = 8192,
    LENGTHS_MAX = 16,
    PRECISIONS = 3,
    TEXTS = 16, /* different ones in turn, so that no two calls are alike */
    RUNS_LEAST = 3,
    RUNS_MAX = 100000,
    BATCH_TOKENS = 4096, /* what a batch of the engine holds */
    BATCH_TEXTS_MAX = 64,
};

/* One length in one precision. */
struct point {
    size_t tokens; /* of the longest text that was run */
    size_t n_runs;
    double p50_ms, p99_ms, alone; /* tokens a second, one call at a time */
    size_t batch_texts;
    double together; /* tokens a second, many calls at a time */
};

struct column {
    enum precision precision;
    uint64_t load_ms;
    size_t model_bytes, peak_bytes;
    struct point points[LENGTHS_MAX];
};

struct bench {
    const struct cli *cli;
    const char *name;
    const char *task;
    size_t lengths[LENGTHS_MAX], n_lengths;
    struct column columns[PRECISIONS];
    size_t n_columns;
    uint64_t seconds_ns; /* for one number */
    size_t threads;
    size_t n_done; /* numbers, for the progress bar */
};

/* ---- texts of a length */

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

/* Words of two to nine letters, the same on every machine. */
static vsr_str words(struct arena *arena, size_t n, uint32_t seed) {
    enum { WORD_LEN_MAX = 10 };
    char *text = ARENA_ARRAY(arena, char, n *WORD_LEN_MAX);
    uint32_t state = seed;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        size_t letters = 2 + next_random(&state) % (WORD_LEN_MAX - 2);
        for (size_t k = 1; k < letters; k++)
            text[len++] = (char)('a' + next_random(&state) % 26);
        text[len++] = ' ';
    }
    return str_make(text, len);
}

/* No tokenizer makes fewer tokens than words; cut where the model's has made `tokens` of them. */
static int text_of_length(const struct model_use *use, struct tokenizer_scratch *scratch, size_t tokens, uint32_t seed,
                          vsr_str *ret, struct vsr_err *err) {
    const struct tokenizer_options options = { .tokens_max = tokens };
    vsr_str text = words(use->arena, tokens, seed);
    struct encoding encoding;
    size_t end = 0;
    int rc = tokenizer_encode(model_tokenizer(use->model), scratch, text, &options, &encoding, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < encoding.n; i++)
        end = encoding.ends[i] > end ? encoding.ends[i] : end;
    *ret = str_sub(text, 0, end);
    return 0;
}

static int make_texts(const struct model_use *use, size_t tokens, size_t n, vsr_str *ret, struct vsr_err *err) {
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = text_of_length(use, scratch, tokens, (uint32_t)(i * 7919 + tokens), &ret[i], err);
    tokenizer_scratch_free(scratch);
    return rc;
}

/* ---- measuring */

static int compare_ns(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The least number that a fraction `p` of them does not exceed. */
static double percentile_ms(const uint64_t *sorted, size_t n, double p) {
    size_t rank = (size_t)(p * (double)n + 0.999999);
    return (double)sorted[rank < 1 ? 0 : rank - 1] / 1e6;
}

/* Runs texts[0..n) at once. Returns how many tokens that was. */
static int run_once(const struct model_use *use, const vsr_str *texts, size_t n, struct engine_call *calls,
                    size_t *ret_tokens, size_t *longest, struct vsr_err *err) {
    int rc;
    *ret_tokens = 0;
    for (size_t i = 0; i < n; i++)
        calls[i] = (struct engine_call){ .model = use->model, .text = texts[i], .priority = PRIORITY_ROUTING };
    rc = engine_run(use->engine, calls, n, err);
    for (size_t i = 0; i < n; i++) {
        *ret_tokens += calls[i].n_tokens;
        *longest = calls[i].n_tokens > *longest ? calls[i].n_tokens : *longest;
        engine_call_done(&calls[i]);
    }
    return rc;
}

static bool goes_on(const struct bench *b, size_t n, uint64_t begun) {
    return n < RUNS_MAX && (n < RUNS_LEAST || clock_mono_ns() - begun < b->seconds_ns);
}

/* One call at a time, each for itself. */
static int measure_alone(const struct bench *b, const struct model_use *use, const vsr_str *texts, struct point *point,
                         struct vsr_err *err) {
    uint64_t *times = mem_alloc(RUNS_MAX * sizeof(*times)), begun, total = 0;
    struct engine_call call;
    size_t tokens, sum = 0, n = 0;
    int rc = run_once(use, texts, 1, &call, &tokens, &point->tokens, err); /* primitives of this length are made */
    begun = clock_mono_ns();
    while (rc == 0 && goes_on(b, n, begun)) {
        uint64_t start = clock_mono_ns();
        rc = run_once(use, &texts[n % TEXTS], 1, &call, &tokens, &point->tokens, err);
        times[n] = clock_mono_ns() - start;
        total += times[n++];
        sum += tokens;
    }
    qsort(times, n, sizeof(*times), compare_ns);
    if (rc == 0) {
        point->n_runs = n;
        point->p50_ms = percentile_ms(times, n, 0.5);
        point->p99_ms = percentile_ms(times, n, 0.99);
        point->alone = (double)sum / ((double)total / 1e9);
    }
    mem_free(times);
    return rc;
}

/* Enough for every thread twice. */
static int measure_together(const struct bench *b, const struct model_use *use, const vsr_str *texts, size_t n_texts,
                            struct point *point, struct vsr_err *err) {
    struct engine_call *calls = ARENA_ARRAY(use->arena, struct engine_call, n_texts);
    size_t tokens, sum = 0, n = 0;
    uint64_t begun;
    int rc = run_once(use, texts, n_texts, calls, &tokens, &point->tokens, err);
    begun = clock_mono_ns();
    while (rc == 0 && goes_on(b, n, begun)) {
        rc = run_once(use, texts, n_texts, calls, &tokens, &point->tokens, err);
        sum += tokens;
        n++;
    }
    point->batch_texts = n_texts;
    point->together = (double)sum / ((double)(clock_mono_ns() - begun) / 1e9);
    return rc;
}

static void show_progress(struct bench *b, enum precision precision, size_t tokens) {
    char text[96];
    (void)snprintf(text, sizeof(text), "%s, %zu tokens", precision_name(precision), tokens);
    term_progress(text, b->n_done++, 2 * b->n_columns * b->n_lengths);
}

static size_t texts_together(const struct bench *b, size_t tokens) {
    size_t n = BATCH_TOKENS / tokens;
    n = n < 1 ? 1 : n > BATCH_TEXTS_MAX ? BATCH_TEXTS_MAX : n;
    n *= 2 * b->threads;
    return n < TEXTS ? TEXTS : n > MODEL_TEXTS_MAX ? MODEL_TEXTS_MAX : n;
}

static int measure(struct bench *b, const struct model_use *use, size_t tokens, struct point *point,
                   struct vsr_err *err) {
    size_t n = texts_together(b, tokens);
    vsr_str *texts = ARENA_ARRAY(use->arena, vsr_str, n);
    int rc = make_texts(use, tokens, n, texts, err);
    show_progress(b, model_precision(use->model), tokens);
    if (rc == 0) /* first, so that every thread has grown to the length */
        rc = measure_together(b, use, texts, n, point, err);
    show_progress(b, model_precision(use->model), tokens);
    if (rc == 0)
        rc = measure_alone(b, use, texts, point, err);
    return rc;
}

/* ---- memory of this process */

/* From here on the peak counts anew, where the system can do that. */
static void reset_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    (void)fputs("5", file); /* else the peak is that of the whole run, which is never too low */
    (void)fclose(file);
}

/* 0: not to be had. */
static size_t peak_bytes(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    size_t kib = 0;
    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    (void)fclose(file); /* it was only read */
    return kib * 1024;
}

/* ---- a precision */

static void plan_lengths(struct bench *b, const struct model *model) {
    size_t most = model_tokens_max(model), wanted = (size_t)options_number(b->cli->options, "tokens-max");
    b->n_lengths = 0;
    most = wanted && wanted < most ? wanted : most;
    for (size_t tokens = SHORTEST; tokens <= LONGEST && tokens <= most; tokens *= 2)
        b->lengths[b->n_lengths++] = tokens;
    if (b->n_lengths == 0)
        b->lengths[b->n_lengths++] = most;
}

static int measure_all(struct bench *b, const struct model_use *use, struct column *column) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = 0;
    plan_lengths(b, use->model);
    b->task = model_task_name(model_task(use->model));
    for (size_t i = 0; i < b->n_lengths && rc == 0; i++)
        rc = measure(b, use, b->lengths[i], &column->points[i], &err);
    column->model_bytes = model_bytes(use->model).all;
    column->peak_bytes = peak_bytes();
    return rc < 0 ? cli_fail_err(b->cli, &err) : CLI_OK;
}

static int run_column(struct bench *b, struct column *column) {
    const struct model_choice choice = { .precision = column->precision,
                                         .threads = b->threads,
                                         .cache_len_max = SIZE_MAX };
    struct model_use use;
    uint64_t begun = clock_mono_ms();
    int code;
    reset_peak();
    code = model_use_open_with(b->cli, b->name, &choice, &use);
    column->load_ms = clock_mono_ms() - begun;
    if (code == CLI_OK)
        code = measure_all(b, &use, column);
    model_use_close(&use);
    return code;
}

/* ---- printing */

static void column_text(const struct bench *b, const struct column *column, struct buf *out) {
    buf_printf(out, "%s: loaded in %.2f s, %.1f MB of weights and tables, %.1f MB resident at most\n",
               precision_name(column->precision), (double)column->load_ms / 1e3, (double)column->model_bytes / 1e6,
               (double)column->peak_bytes / 1e6);
    buf_append_c(out, "  tokens     runs   p50 ms   p99 ms   tokens/s   batched tokens/s\n");
    for (size_t i = 0; i < b->n_lengths; i++) {
        const struct point *p = &column->points[i];
        buf_printf(out, "  %6zu %8zu %8.2f %8.2f %10.0f %10.0f of %zu\n", p->tokens, p->n_runs, p->p50_ms, p->p99_ms,
                   p->alone, p->together, p->batch_texts);
    }
}

static void print_text(const struct bench *b, struct buf *out) {
    buf_printf(out, "%s, %s, %zu threads\n", b->name, b->task, b->threads);
    for (size_t i = 0; i < b->n_columns; i++)
        column_text(b, &b->columns[i], out);
}

static void number(struct json_writer *w, const char *key, double value) {
    json_write_key(w, str_from_c(key));
    json_write_double(w, value);
}

static void count(struct json_writer *w, const char *key, uint64_t value) {
    json_write_key(w, str_from_c(key));
    json_write_u64(w, value);
}

static void text(struct json_writer *w, const char *key, vsr_str value) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, value);
}

static void point_json(const struct point *p, struct json_writer *w) {
    json_write_begin_object(w);
    count(w, "tokens", p->tokens);
    count(w, "runs", p->n_runs);
    number(w, "p50_ms", p->p50_ms);
    number(w, "p99_ms", p->p99_ms);
    number(w, "tokens_per_second", p->alone);
    count(w, "batch_texts", p->batch_texts);
    number(w, "batch_tokens_per_second", p->together);
    json_write_end(w);
}

static void column_json(const struct bench *b, const struct column *column, struct json_writer *w) {
    json_write_begin_object(w);
    text(w, "precision", str_from_c(precision_name(column->precision)));
    count(w, "load_ms", column->load_ms);
    count(w, "model_bytes", column->model_bytes);
    count(w, "peak_resident_bytes", column->peak_bytes);
    json_write_key(w, VSR_STR("lengths"));
    json_write_begin_array(w);
    for (size_t i = 0; i < b->n_lengths; i++)
        point_json(&column->points[i], w);
    json_write_end(w);
    json_write_end(w);
}

static void print_json(const struct bench *b, struct buf *out) {
    struct json_writer w;
    json_write_init_pretty(&w, out, 2);
    json_write_begin_object(&w);
    text(&w, "model", str_from_c(b->name));
    text(&w, "task", str_from_c(b->task));
    count(&w, "threads", b->threads);
    json_write_key(&w, VSR_STR("precisions"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < b->n_columns; i++)
        column_json(b, &b->columns[i], &w);
    json_write_end(&w);
    json_write_end(&w);
    buf_append_char(out, '\n');
}

static int print_all(const struct bench *b) {
    struct buf out;
    int code;
    buf_init(&out, OUT_LEN_MAX);
    if (options_has(b->cli->options, "json"))
        print_json(b, &out);
    else
        print_text(b, &out);
    code = cli_finish(b->cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

/* ---- from the command line */

static void add_precision(struct bench *b, enum precision precision) {
    for (size_t i = 0; i < b->n_columns; i++)
        if (b->columns[i].precision == precision)
            return;
    b->columns[b->n_columns++].precision = precision;
}

/* Without any: those that somebody would choose here. bf16 without a unit for it only saves memory. */
static void plan_precisions(struct bench *b) {
    size_t n = options_count(b->cli->options, "precision");
    for (size_t i = 0; i < n; i++) {
        enum precision precision;
        if (precision_named(str_from_c(options_nth(b->cli->options, "precision", i)), &precision))
            add_precision(b, precision);
    }
    if (n > 0)
        return;
    add_precision(b, PRECISION_F32);
    add_precision(b, precision_default());
    add_precision(b, PRECISION_INT8);
}

static int bench_run(const struct cli *cli, int argc, char **argv) {
    struct bench *b = MEM_NEW(struct bench);
    int code = CLI_OK;
    (void)argc; /* one, by the table */
    b->cli = cli;
    b->name = argv[0];
    b->seconds_ns = (uint64_t)(options_decimal(cli->options, "seconds") * 1e9);
    b->threads = model_use_threads(cli);
    plan_precisions(b);
    for (size_t i = 0; i < b->n_columns && code == CLI_OK; i++)
        code = run_column(b, &b->columns[i]);
    term_progress("", 1, 1);
    if (code == CLI_OK)
        code = print_all(b);
    mem_free(b);
    return code;
}

static const struct option_spec bench_options[] = {
    MODEL_OPTION_DIR,
    { "base", 'b', OPTION_TEXT, 0, "NAME", "what an adapter adapts; by default what its own file says" },
    MODEL_OPTION_DEVICE,
    { "precision", 'p', OPTION_TEXT, OPTION_REPEATABLE, "NAME",
      "f32, bf16 or int8, several times for several; by default those that make sense here", NULL, NULL,
      model_precisions },
    { "threads", 't', OPTION_NUMBER, 0, "N", "inference threads; by default one for each processor", NULL, NULL, NULL,
      1, 256 },
    { "tokens-max", 0, OPTION_NUMBER, 0, "N", "leave out longer texts", NULL, NULL, NULL, 4, 131072 },
    { "seconds", 0, OPTION_DECIMAL, 0, "S", "time for each number; three runs are made in any case", "1", NULL, NULL, 0,
      3600 },
    { "json", 0, OPTION_FLAG, 0, NULL, "print JSON" },
};

const struct command command_model_bench_spec = {
    .name = "bench",
    .summary = "measure how fast a model is on this machine, and what it takes",
    .usage = "vsr model bench [OPTION]... NAME",
    .details =
        "Texts of 16, 32, ... 8192 tokens, as far as the model takes them: latency of one call at a time, and tokens "
        "a\n"
        "second of one call at a time and of many. Nothing is remembered between calls. Resident memory is that of\n"
        "this process at its peak.\n",
    .examples = "vsr model bench mom-embedding-light\n"
                "vsr model bench -p f32 -p int8 --threads 4 --tokens-max 512 --json ./my-classifier\n",
    .operands = OPERANDS_TEXT,
    .operands_least = 1,
    .operands_most = 1,
    .options = bench_options,
    .n_options = VSR_COUNT(bench_options),
    .run = bench_run,
};
