/*
 * bench_nn - how fast, how large and how steady encoders run. `bench/nn/run` runs it and makes a table.
 *
 *     bench_nn machine                                      which instructions there are
 *     bench_nn forward MODEL PRECISION LENGTHS SECONDS [FOLDER]   passes of one text; with FOLDER the vectors, as .f32
 *     bench_nn peak MODEL PRECISION SECONDS                 its matrix products alone
 *     bench_nn heads MODEL PRECISION TOKENS SECONDS         one head over the trunk, and all of MODEL/head-<n>
 *     bench_nn soak MODEL PRECISION REQUESTS                memory over many short requests
 *     bench_nn clients MODEL PRECISION SECONDS              32 clients of one scheduler, beside batches without clients
 *
 * Each prints one JSON object. MODEL is a directory in published layout, LENGTHS a list like 16,128. Times in "ms" are
 * medians of processor time of the process, because others may run on the machine; "wall_ms" is by the clock on the
 * wall, and the same where nobody else runs. One thread computes. bench/nn/ort.mjs measures the same for ONNX Runtime,
 * with the same tokens.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <dnnl.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "nn/cpu.h"
#include "nn/encoder.h"
#include "nn/gemm.h"
#include "nn/head.h"
#include "nn/model_file.h"
#include "nn/pages.h"
#include "nn/runtime.h"
#include "nn/scheduler.h"
#include "nn/weights.h"

enum { ROUNDS_MIN = 3, ROUNDS_MAX = 1001, SLOW_MS = 5000, HEADS_MAX = 16, TOKENS_MAX = 1 << 16 };

static void die(const char *what, const struct vsr_err *err) {
    fprintf(stderr, "bench_nn: %s: %s\n", what, err ? err->text : strerror(errno));
    exit(1);
}

/* ---- time and memory */

static uint64_t cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct times {
    double cpu_ms, wall_ms; /* medians */
    size_t rounds;
};

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(double *values, size_t n, double q) {
    qsort(values, n, sizeof(*values), compare_doubles);
    return values[(size_t)((double)(n - 1) * q)];
}

static struct times run_rounds(void (*fn)(void *owner), void *owner, size_t rounds) {
    static double cpu[ROUNDS_MAX], wall[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        uint64_t cpu_begin = cpu_ns(), begin = clock_mono_ns();
        fn(owner);
        wall[i] = (double)(clock_mono_ns() - begin) / 1e6;
        cpu[i] = (double)(cpu_ns() - cpu_begin) / 1e6;
    }
    return (struct times){ quantile(cpu, rounds, 0.5), quantile(wall, rounds, 0.5), rounds };
}

/* Warms up, then as many rounds as fit in `seconds`, within limits: at least three, one of what takes seconds itself.
 */
static struct times measure(void (*fn)(void *owner), void *owner, double seconds) {
    double rounds;
    if (run_rounds(fn, owner, 1).wall_ms > SLOW_MS)
        return run_rounds(fn, owner, 1);
    rounds = seconds * 1e3 / run_rounds(fn, owner, 1).wall_ms;
    return run_rounds(fn, owner, rounds < ROUNDS_MIN ? ROUNDS_MIN : rounds < ROUNDS_MAX ? (size_t)rounds : ROUNDS_MAX);
}

static void print_times(const struct times *times) {
    printf("{\"ms\": %.4f, \"wall_ms\": %.4f, \"rounds\": %zu}", times->cpu_ms, times->wall_ms, times->rounds);
}

/* A line of /proc/self/status, such as "RssAnon:", in MB. */
static double status_mb(const char *key) {
    char line[256];
    double kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file)
        die("/proc/self/status", NULL);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0)
            kb = strtod(line + strlen(key), NULL);
    (void)fclose(file);
    return kb / 1024;
}

static void print_memory(const char *name) {
    printf("\"%s\": {\"anonymous_mb\": %.1f, \"mapped_mb\": %.1f}", name, status_mb("RssAnon:"), status_mb("RssFile:"));
}

/* ---- models */

struct rig {
    struct arena *arena;
    struct nn_runtime *runtime;
    struct encoder_config config;
    enum precision precision;
    struct encoder *encoder;
    struct encoder_work *work;
    struct head *heads[HEADS_MAX];
    struct head_scratch *scratch[HEADS_MAX];
    size_t n_heads;
    double load_ms;
};

static void read_config(struct rig *rig, vsr_str directory, struct encoder_config *ret) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text;
    if (model_file_read(rig->arena, directory, VSR_STR("config.json"), &text, &err) < 0 ||
        encoder_config_read(rig->arena, text, ret, &err) < 0)
        die("config.json", &err);
}

static void rig_begin(struct rig *rig, const char *model, const char *precision) {
    struct vsr_err err = VSR_ERR_NONE;
    rig->arena = arena_new(0, 0);
    if (!precision_named(str_from_c(precision), &rig->precision)) {
        (void)err_set(&err, VSR_E_INVALID, "expected f32, bf16 or int8");
        die(precision, &err);
    }
    read_config(rig, str_from_c(model), &rig->config);
    if (nn_runtime_new(&rig->runtime, &err) < 0)
        die("oneDNN", &err);
}

static void load_trunk(struct rig *rig, const char *model) {
    struct vsr_err err = VSR_ERR_NONE;
    struct weights *weights;
    uint64_t begin = clock_mono_ns();
    if (weights_open(str_from_c(model), &weights, &err) < 0 ||
        weights_probe(weights, encoder_family_embedding(rig->config.family), &err) < 0 ||
        nn_encoder_new(rig->runtime, &rig->config, weights, NULL, rig->precision, &rig->encoder, &err) < 0 ||
        weights_finish(weights, &err) < 0)
        die(model, &err);
    weights_unref(weights);
    rig->load_ms = (double)(clock_mono_ns() - begin) / 1e6;
    rig->work = encoder_work_new(rig->runtime);
}

/* MODEL/head-0, head-1, ...: up to `n` of them. */
static void load_heads(struct rig *rig, const char *model, size_t n) {
    while (rig->n_heads < n) {
        vsr_str directory = arena_printf(rig->arena, "%s/head-%zu", model, rig->n_heads);
        struct vsr_err err = VSR_ERR_NONE;
        struct encoder_config config;
        struct weights *weights;
        if (!model_file_exists(directory, VSR_STR("config.json")))
            break;
        read_config(rig, directory, &config);
        if (weights_open(directory, &weights, &err) < 0 ||
            head_new(rig->runtime, &config, weights, NULL, &rig->heads[rig->n_heads], &err) < 0 ||
            weights_finish(weights, &err) < 0)
            die("head", &err);
        weights_unref(weights);
        rig->scratch[rig->n_heads++] = head_scratch_new();
    }
}

static void rig_end(struct rig *rig) {
    for (size_t i = 0; i < rig->n_heads; i++) {
        head_free(rig->heads[i]);
        head_scratch_free(rig->scratch[i]);
    }
    encoder_work_free(rig->work);
    nn_encoder_free(rig->encoder);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

/* ---- one text */

struct pass {
    struct rig *rig;
    struct encoder_batch batch;
    size_t n_heads; /* run over the vectors */
    const float *hidden;
};

/* bench/nn/ort.mjs makes the same. */
static void fill_ids(uint32_t *ids, size_t n, size_t first, size_t vocabulary) {
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint32_t)(((first + i) * 7919 + 13) % vocabulary);
}

static void run_pass(void *owner) {
    struct pass *pass = owner;
    struct rig *rig = pass->rig;
    struct vsr_err err = VSR_ERR_NONE;
    if (encoder_forward(rig->encoder, rig->work, &pass->batch, 0, &pass->hidden, &err) < 0)
        die("forward", &err);
    for (size_t i = 0; i < pass->n_heads; i++) {
        const float *logits;
        if (head_run(rig->heads[i], rig->scratch[i], encoder_work_gemm(rig->work), pass->hidden, &pass->batch, &logits,
                     &err) < 0)
            die("head", &err);
    }
}

static struct times measure_text(struct pass *pass, size_t n, double seconds) {
    static uint32_t ids[TOKENS_MAX];
    uint32_t starts[2] = { 0, (uint32_t)n };
    if (n == 0 || n > TOKENS_MAX) {
        errno = ERANGE;
        die("tokens", NULL);
    }
    fill_ids(ids, n, 0, pass->rig->config.vocabulary);
    pass->batch = (struct encoder_batch){ .ids = ids, .starts = starts, .n = 1 };
    return measure(run_pass, pass, seconds);
}

static void write_vectors(const struct pass *pass, const char *folder, size_t n) {
    char path[MODEL_PATH_LEN_MAX];
    size_t count = n * pass->rig->config.hidden;
    FILE *file;
    (void)snprintf(path, sizeof(path), "%s/%zu.f32", folder, n);
    file = fopen(path, "wb");
    if (!file || fwrite(pass->hidden, sizeof(float), count, file) != count || fclose(file) != 0)
        die(path, NULL);
}

static void bench_forward(const char *model, const char *precision, const char *lengths, double seconds,
                          const char *folder) {
    struct rig rig = { 0 };
    struct pass pass = { .rig = &rig };
    rig_begin(&rig, model, precision);
    load_trunk(&rig, model);
    printf("{\"load_ms\": %.1f, \"packed_mb\": %.1f, ", rig.load_ms, (double)encoder_bytes(rig.encoder).all / 1048576);
    print_memory("loaded");
    printf(", \"lengths\": {");
    for (char *end; *lengths; lengths = *end ? end + 1 : end) {
        size_t n = strtoul(lengths, &end, 10);
        struct times times = measure_text(&pass, n, seconds);
        printf("%s\"%zu\": ", lengths[-1] == ',' ? ", " : "", n);
        print_times(&times);
        if (folder)
            write_vectors(&pass, folder, n);
    }
    printf("}, ");
    print_memory("used");
    printf("}\n");
    rig_end(&rig);
}

/* In turns, because machines slow down and recover. */
static void bench_heads(const char *model, const char *precision, size_t tokens, double seconds) {
    enum { TURNS = 5 };
    double one[TURNS], all[TURNS];
    struct rig rig = { 0 };
    struct pass pass = { .rig = &rig };
    rig_begin(&rig, model, precision);
    load_trunk(&rig, model);
    load_heads(&rig, model, HEADS_MAX);
    for (size_t turn = 0; turn < TURNS; turn++) {
        pass.n_heads = 1;
        one[turn] = measure_text(&pass, tokens, seconds).cpu_ms;
        pass.n_heads = rig.n_heads;
        all[turn] = measure_text(&pass, tokens, seconds).cpu_ms;
    }
    printf("{\"heads\": %zu, \"one_ms\": %.4f, \"all_ms\": %.4f}\n", rig.n_heads, quantile(one, TURNS, 0.5),
           quantile(all, TURNS, 0.5));
    rig_end(&rig);
}

/* ---- matrix products alone */

enum { PEAK_ROWS = 512, LAYER_MATRICES = 4 };

/* All matrices of a model, of which each is as cold as in a forward pass. */
struct peak {
    struct gemm_context *context;
    struct gemm *matrices[ENCODER_LAYERS_MAX * LAYER_MATRICES];
    size_t n_matrices;
    struct pages x, y;
    float scales[PEAK_ROWS];
    double flop; /* of one token */
};

static void add_matrix(struct peak *peak, const struct rig *rig, size_t out, size_t in) {
    struct vsr_err err = VSR_ERR_NONE;
    float *weights = mem_alloc(out * in * sizeof(*weights)), *bias = mem_alloc(out * sizeof(*bias));
    for (size_t i = 0; i < out * in; i++)
        weights[i] = (float)(int)(i * 2654435761u % 2001 - 1000) * 5e-5f;
    if (gemm_new(rig->runtime->gemm, weights, bias, out, in, rig->precision, &peak->matrices[peak->n_matrices], &err) <
            0 ||
        gemm_prepare(peak->matrices[peak->n_matrices], peak->context, &err) < 0 ||
        pages_grow(&peak->x, PEAK_ROWS * in * sizeof(float), &err) < 0 ||
        pages_grow(&peak->y, PEAK_ROWS * out * sizeof(float), &err) < 0)
        die("matrix", &err);
    peak->n_matrices++;
    peak->flop += 2.0 * (double)out * (double)in;
    mem_free(weights);
    mem_free(bias);
}

static void fill_operand(struct peak *peak, enum precision precision) {
    size_t n = peak->x.len / sizeof(float);
    for (size_t i = 0; i < n; i++) {
        float value = (float)((int)(i * 40503 % 2001) - 1000) * 1e-3f;
        if (precision == PRECISION_F32)
            ((float *)peak->x.data)[i] = value;
        else if (precision == PRECISION_BF16)
            ((uint16_t *)peak->x.data)[i] = bf16_from_f32(value);
        else
            ((uint8_t *)peak->x.data)[i] = (uint8_t)(i * 40503 >> 4);
    }
    for (size_t i = 0; i < PEAK_ROWS; i++)
        peak->scales[i] = 1e-2f;
}

static void run_products(void *owner) {
    struct peak *peak = owner;
    struct vsr_err err = VSR_ERR_NONE;
    for (size_t i = 0; i < peak->n_matrices; i++) {
        struct rows_in rows;
        if (gemm_run(peak->matrices[i], peak->context, peak->x.data, peak->scales, PEAK_ROWS, peak->y.data, &rows,
                     &err) < 0)
            die("product", &err);
    }
}

/*
 * The same products by oneDNN itself, in one call of 512 rows each, with the weights in the order that it likes best:
 * what gemm.h could reach. Numbers that only the machine sees.
 */
struct direct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct {
        dnnl_primitive_t primitive;
        dnnl_memory_t x, weights, y;
    } products[ENCODER_LAYERS_MAX * LAYER_MATRICES];
    size_t n;
};

static void check(dnnl_status_t status) {
    struct vsr_err err = VSR_ERR_NONE;
    if (status != dnnl_success) {
        (void)err_set(&err, VSR_E_INTERNAL, "status %d", (int)status);
        die("oneDNN", &err);
    }
}

static dnnl_memory_desc_t matrix_of(size_t rows, size_t cols, dnnl_data_type_t type, dnnl_format_tag_t tag) {
    dnnl_dims_t dims = { (dnnl_dim_t)rows, (dnnl_dim_t)cols };
    dnnl_memory_desc_t desc;
    check(dnnl_memory_desc_init_by_tag(&desc, 2, dims, type, tag));
    return desc;
}

static dnnl_memory_t matrix_new(const struct direct *direct, const dnnl_memory_desc_t *desc) {
    dnnl_memory_t memory;
    void *bytes;
    check(dnnl_memory_create(&memory, desc, direct->engine, DNNL_MEMORY_ALLOCATE));
    check(dnnl_memory_get_data_handle(memory, &bytes));
    memset(bytes, 0x3c, dnnl_memory_desc_get_size(desc)); /* 0.0115 in f32 and bf16, 60 in bytes */
    return memory;
}

static void direct_add(struct direct *direct, size_t out, size_t in, enum precision precision) {
    static const dnnl_data_type_t x_types[] = { dnnl_f32, dnnl_bf16, dnnl_u8 },
                                  weight_types[] = { dnnl_f32, dnnl_bf16, dnnl_s8 },
                                  y_types[] = { dnnl_f32, dnnl_f32, dnnl_s32 };
    dnnl_memory_desc_t x = matrix_of(PEAK_ROWS, in, x_types[precision], dnnl_ab);
    dnnl_memory_desc_t weights = matrix_of(in, out, weight_types[precision], dnnl_format_tag_any);
    dnnl_memory_desc_t y = matrix_of(PEAK_ROWS, out, y_types[precision], dnnl_ab);
    dnnl_primitive_desc_t desc;
    dnnl_matmul_desc_t matmul;
    check(dnnl_matmul_desc_init(&matmul, &x, &weights, NULL, &y));
    check(dnnl_primitive_desc_create(&desc, &matmul, NULL, direct->engine, NULL));
    check(dnnl_primitive_create(&direct->products[direct->n].primitive, desc));
    direct->products[direct->n].x = matrix_new(direct, &x);
    direct->products[direct->n].weights =
        matrix_new(direct, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0));
    direct->products[direct->n++].y = matrix_new(direct, &y);
    check(dnnl_primitive_desc_destroy(desc));
}

static void run_direct(void *owner) {
    struct direct *direct = owner;
    for (size_t i = 0; i < direct->n; i++) {
        const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, direct->products[i].x },
                                         { DNNL_ARG_WEIGHTS, direct->products[i].weights },
                                         { DNNL_ARG_DST, direct->products[i].y } };
        check(dnnl_primitive_execute(direct->products[i].primitive, direct->stream, VSR_COUNT(args), args));
    }
    check(dnnl_stream_wait(direct->stream));
}

/* Milliseconds for all matrices of `peak`. On the thread of a gemm_context, whose products run on it alone. */
static double measure_direct(const struct peak *peak, enum precision precision, double seconds) {
    static struct direct direct;
    struct times times;
    check(dnnl_engine_create(&direct.engine, dnnl_cpu, 0));
    check(dnnl_stream_create(&direct.stream, direct.engine, dnnl_stream_default_flags));
    for (size_t i = 0; i < peak->n_matrices; i++)
        direct_add(&direct, gemm_out(peak->matrices[i]), gemm_in(peak->matrices[i]), precision);
    times = measure(run_direct, &direct, seconds);
    for (size_t i = 0; i < direct.n; i++) {
        check(dnnl_primitive_destroy(direct.products[i].primitive));
        check(dnnl_memory_destroy(direct.products[i].x));
        check(dnnl_memory_destroy(direct.products[i].weights));
        check(dnnl_memory_destroy(direct.products[i].y));
    }
    check(dnnl_stream_destroy(direct.stream));
    check(dnnl_engine_destroy(direct.engine));
    return times.cpu_ms;
}

static void bench_peak(const char *model, const char *precision, double seconds) {
    static struct peak peak;
    struct rig rig = { 0 };
    const struct encoder_config *config = &rig.config;
    struct times times;
    bool gated;
    rig_begin(&rig, model, precision);
    peak.context = gemm_context_new(rig.runtime->gemm);
    gated = config->family >= ENCODER_MODERNBERT;
    for (size_t i = 0; i < config->layers; i++) {
        size_t context = config->heads * config->head_dim;
        add_matrix(&peak, &rig, context + 2 * config->kv_heads * config->head_dim, config->hidden);
        add_matrix(&peak, &rig, config->hidden, context);
        add_matrix(&peak, &rig, config->intermediate * (gated ? 2 : 1), config->hidden);
        add_matrix(&peak, &rig, config->hidden, config->intermediate);
    }
    fill_operand(&peak, rig.precision);
    times = measure(run_products, &peak, seconds);
    printf("{\"token_flop\": %.0f, \"gemm_gflops\": %.2f, \"direct_gflops\": %.2f}\n", peak.flop,
           peak.flop * PEAK_ROWS / times.cpu_ms / 1e6,
           peak.flop * PEAK_ROWS / measure_direct(&peak, rig.precision, seconds) / 1e6);
    for (size_t i = 0; i < peak.n_matrices; i++)
        gemm_free(peak.matrices[i]);
    gemm_context_free(peak.context);
    pages_free(&peak.x);
    pages_free(&peak.y);
    rig_end(&rig);
}

/* ---- many clients */

enum {
    CLIENTS = 32,
    PROMPT_MAX = 64,  /* tokens */
    LATENCIES = 8192, /* of one client; the newest are kept */
    BATCH_TOKENS_MAX = 4096,
    QUEUE_SHORT = 8, /* fewer than there are clients */
    SHARES = 10,     /* of a soak, after each of which memory is looked at */
};

struct range {
    size_t least, greatest;
};

static const struct range short_texts = { 4, 32 }, prompts = { 16, PROMPT_MAX };

struct client {
    struct service *service;
    struct scheduler_job job;
    sem_t done;
    int rc;
    uint32_t ids[PROMPT_MAX];
    uint64_t sent, refused, tokens;
    double latencies[LATENCIES]; /* ms */
    size_t n_latencies;
    char refusal[VSR_ERR_TEXT_LEN];
};

struct service {
    struct rig *rig;
    struct scheduler *scheduler;
    atomic_bool stop;
    atomic_long requests_left;
    struct range tokens; /* of a request */
    struct client clients[CLIENTS];
    /* Of the inference thread. */
    struct encoder_work *work;
    uint32_t ids[BATCH_TOKENS_MAX], starts[SCHEDULER_BATCH_MAX + 1];
};

/* The trunk and the first head, over what the clients of the jobs ask. */
static int serve(void *owner, struct scheduler_job *const *jobs, size_t n, size_t thread, struct vsr_err *err) {
    struct service *service = owner;
    struct encoder_batch batch = { .ids = service->ids, .starts = service->starts, .n = n };
    const float *hidden, *logits;
    int rc;
    (void)thread; /* there is one */
    if (!service->work)
        service->work = encoder_work_new(service->rig->runtime);
    for (size_t i = 0; i < n; i++) {
        const struct client *client = jobs[i]->owner;
        memcpy(service->ids + service->starts[i], client->ids, jobs[i]->tokens * sizeof(*client->ids));
        service->starts[i + 1] = service->starts[i] + (uint32_t)jobs[i]->tokens;
    }
    rc = encoder_forward(service->rig->encoder, service->work, &batch, 0, &hidden, err);
    if (rc == 0)
        rc = head_run(service->rig->heads[0], service->rig->scratch[0], encoder_work_gemm(service->work), hidden,
                      &batch, &logits, err);
    return rc;
}

static void on_done(struct scheduler_job *job, int rc, const struct vsr_err *err) {
    struct client *client = job->owner;
    client->rc = rc;
    if (rc < 0)
        die("request", err);
    (void)sem_post(&client->done);
}

/* Texts of all lengths in turn, the same whoever asks. */
static size_t request_tokens(struct range range, uint64_t number) {
    return range.least + (size_t)(number * 11 % (range.greatest - range.least + 1));
}

static void ask(struct client *client, uint64_t number) {
    struct service *service = client->service;
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t begin = clock_mono_ns();
    size_t tokens = request_tokens(service->tokens, number);
    fill_ids(client->ids, tokens, number, service->rig->config.vocabulary);
    client->job = (struct scheduler_job){
        .kind = service->rig->encoder, .priority = PRIORITY_ROUTING, .tokens = tokens, .done = on_done, .owner = client
    };
    if (scheduler_submit(service->scheduler, &client->job, &err) < 0) {
        client->refused++;
        (void)snprintf(client->refusal, sizeof(client->refusal), "%s", err.text);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        return;
    }
    while (sem_wait(&client->done) < 0 && errno == EINTR)
        ;
    client->latencies[client->n_latencies++ % LATENCIES] = (double)(clock_mono_ns() - begin) / 1e6;
    client->tokens += tokens;
    client->sent++;
}

static void *client_main(void *owner) {
    struct client *client = owner;
    uint64_t number = (uint64_t)(client - client->service->clients);
    for (; !client->service->stop && atomic_fetch_sub(&client->service->requests_left, 1) > 0; number += CLIENTS)
        ask(client, number);
    return NULL;
}

struct outcome {
    uint64_t sent, refused;
    double tokens_s, requests_s, p50_ms, p99_ms, batch;
    char refusal[VSR_ERR_TEXT_LEN];
};

/* By processor time: on a machine to itself the inference thread never rests. */
static struct outcome collect(const struct service *service, double cpu_s) {
    static double latencies[CLIENTS * LATENCIES];
    struct outcome outcome = { 0 };
    size_t n = 0;
    uint64_t tokens = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct client *client = &service->clients[i];
        size_t kept = client->n_latencies < LATENCIES ? client->n_latencies : LATENCIES;
        memcpy(latencies + n, client->latencies, kept * sizeof(double));
        n += kept;
        outcome.sent += client->sent;
        outcome.refused += client->refused;
        tokens += client->tokens;
        if (client->refused)
            memcpy(outcome.refusal, client->refusal, sizeof(outcome.refusal));
    }
    outcome.tokens_s = (double)tokens / cpu_s;
    outcome.requests_s = (double)outcome.sent / cpu_s;
    if (n > 0) {
        outcome.p50_ms = quantile(latencies, n, 0.5);
        outcome.p99_ms = quantile(latencies, n, 0.99);
    }
    return outcome;
}

static void watch(struct service *service, long requests, double seconds) {
    long share = requests / SHARES, seen = requests;
    if (seconds > 0) {
        usleep((useconds_t)(seconds * 1e6));
        service->stop = true;
        return;
    }
    printf("\"anonymous_mb\": [");
    for (int i = 1; i <= SHARES; i++) {
        while (seen > requests - i * share) {
            usleep(1000);
            seen = service->requests_left;
        }
        printf("%s%.2f", i > 1 ? ", " : "", status_mb("RssAnon:"));
        (void)fflush(stdout);
    }
    printf("], ");
}

/* `requests` in all, or for `seconds` when that is not 0. */
static struct outcome run_clients(struct rig *rig, struct range tokens, size_t jobs_max, long requests,
                                  double seconds) {
    struct service *service = MEM_NEW(struct service);
    struct scheduler_options options = { .threads = 1,
                                         .jobs_max = jobs_max,
                                         .tokens_max = BATCH_TOKENS_MAX,
                                         .batch_max = SCHEDULER_BATCH_MAX,
                                         .run = serve,
                                         .owner = service };
    struct vsr_err err = VSR_ERR_NONE;
    struct scheduler_stats stats;
    struct outcome outcome;
    pthread_t threads[CLIENTS];
    uint64_t begin;
    memset(service, 0xff, sizeof(*service)); /* what is touched here does not count as growth later */
    memset(service, 0, sizeof(*service));
    service->rig = rig;
    service->tokens = tokens;
    service->requests_left = requests;
    if (scheduler_new(&options, &service->scheduler, &err) < 0)
        die("scheduler", &err);
    begin = cpu_ns();
    for (size_t i = 0; i < CLIENTS; i++) {
        service->clients[i].service = service;
        (void)sem_init(&service->clients[i].done, 0, 0);
        if (pthread_create(&threads[i], NULL, client_main, &service->clients[i]) != 0)
            die("pthread_create", NULL);
    }
    watch(service, requests, seconds);
    for (size_t i = 0; i < CLIENTS; i++)
        (void)pthread_join(threads[i], NULL);
    outcome = collect(service, (double)(cpu_ns() - begin) / 1e9);
    stats = scheduler_stats(service->scheduler);
    outcome.batch = (double)stats.run / (double)(stats.batches ? stats.batches : 1);
    scheduler_free(service->scheduler);
    encoder_work_free(service->work);
    mem_free(service);
    return outcome;
}

static void bench_soak(const char *model, const char *precision, long requests) {
    struct rig rig = { 0 };
    struct outcome outcome;
    rig_begin(&rig, model, precision);
    load_trunk(&rig, model);
    load_heads(&rig, model, 1);
    printf("{");
    outcome = run_clients(&rig, short_texts, CLIENTS, requests, 0);
    printf("\"requests\": %" PRIu64 "}\n", outcome.sent);
    rig_end(&rig);
}

/* The same texts in batches of `n` on this thread, without clients: tokens of a second, of all passes as with clients.
 */
static double stream(struct rig *rig, size_t n, double seconds) {
    static uint32_t ids[SCHEDULER_BATCH_MAX * PROMPT_MAX], starts[SCHEDULER_BATCH_MAX + 1];
    struct pass pass = { .rig = rig, .batch = { .ids = ids, .starts = starts, .n = n }, .n_heads = 1 };
    uint64_t begin, until;
    double passes = 0;
    for (size_t i = 0; i < n; i++)
        starts[i + 1] = starts[i] + (uint32_t)request_tokens(prompts, i);
    fill_ids(ids, starts[n], 0, rig->config.vocabulary);
    run_pass(&pass); /* makes room */
    begin = cpu_ns();
    until = begin + (uint64_t)(seconds * 1e9);
    while (cpu_ns() < until || passes < ROUNDS_MIN) {
        run_pass(&pass);
        passes++;
    }
    return starts[n] * passes / (double)(cpu_ns() - begin) * 1e9;
}

enum { STREAMS = 7 }; /* batches of 1 to 64 */

/* Before and after the clients, half of it each: the machine may be faster at one time than at another. */
static void add_streams(struct rig *rig, double seconds, double rates[STREAMS]) {
    for (size_t i = 0; i < STREAMS; i++)
        rates[i] += stream(rig, (size_t)1 << i, seconds / 8) / 2;
}

static void bench_clients(const char *model, const char *precision, double seconds) {
    struct rig rig = { 0 };
    struct outcome outcome;
    double rates[STREAMS] = { 0 };
    size_t best = 0;
    rig_begin(&rig, model, precision);
    load_trunk(&rig, model);
    load_heads(&rig, model, 1);
    add_streams(&rig, seconds, rates);
    outcome = run_clients(&rig, prompts, CLIENTS, INT32_MAX, seconds);
    add_streams(&rig, seconds, rates);
    for (size_t i = 1; i < STREAMS; i++)
        best = rates[i] > rates[best] ? i : best;
    printf("{\"stream_tokens_s\": %.0f, \"stream_batch\": %zu, \"tokens_s\": %.0f, \"requests_s\": %.0f, "
           "\"batch\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"refused\": %" PRIu64 ", ",
           rates[best], (size_t)1 << best, outcome.tokens_s, outcome.requests_s, outcome.batch, outcome.p50_ms,
           outcome.p99_ms, outcome.refused);
    outcome = run_clients(&rig, prompts, QUEUE_SHORT, INT32_MAX, seconds / 4);
    printf("\"overflow\": {\"queue\": %d, \"answered\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"says\": \"%s\"}}\n",
           QUEUE_SHORT, outcome.sent, outcome.refused, outcome.refusal);
    rig_end(&rig);
}

/* ---- the rest */

/* Leaf 7 of CPUID. Not every compiler's __builtin_cpu_supports() knows the names. */
static void print_units(void) {
#if defined(__x86_64__)
    unsigned a, b, c = 0, d = 0, a1 = 0, b1, c1, d1;
    (void)__get_cpuid_count(7, 0, &a, &b, &c, &d); /* leaves zeros where there is no such leaf */
    (void)__get_cpuid_count(7, 1, &a1, &b1, &c1, &d1);
    printf("%s%s%s%s", c >> 11 & 1 ? ", \"avx512_vnni\"" : "", a1 >> 5 & 1 ? ", \"avx512_bf16\"" : "",
           d >> 22 & 1 ? ", \"amx_bf16\"" : "", d >> 25 & 1 ? ", \"amx_int8\"" : "");
#endif
}

static void bench_machine(void) {
    printf("{\"isa\": \"%s\", \"has\": [\"f32\"", cpu_isa_name(cpu_isa()));
    print_units();
    printf("], \"threads\": 1, \"cores\": %ld, \"default\": \"%s\"}\n", sysconf(_SC_NPROCESSORS_ONLN),
           precision_name(precision_default()));
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "machine") == 0 && argc == 2)
        bench_machine();
    else if (strcmp(command, "forward") == 0 && (argc == 6 || argc == 7))
        bench_forward(argv[2], argv[3], argv[4], strtod(argv[5], NULL), argc == 7 ? argv[6] : NULL);
    else if (strcmp(command, "peak") == 0 && argc == 5)
        bench_peak(argv[2], argv[3], strtod(argv[4], NULL));
    else if (strcmp(command, "heads") == 0 && argc == 6)
        bench_heads(argv[2], argv[3], strtoul(argv[4], NULL, 10), strtod(argv[5], NULL));
    else if (strcmp(command, "soak") == 0 && argc == 5)
        bench_soak(argv[2], argv[3], strtol(argv[4], NULL, 10));
    else if (strcmp(command, "clients") == 0 && argc == 5)
        bench_clients(argv[2], argv[3], strtod(argv[4], NULL));
    else {
        fprintf(stderr,
                "usage: bench_nn machine|forward|peak|heads|soak|clients MODEL PRECISION ..., see bench_nn.c\n");
        return 2;
    }
    return 0;
}
