/*
 * bench_adapters - what low-rank adapters cost beside their base, and folded into copies of it. `bench/nn/run` runs it.
 *
 *     bench_adapters MODEL PRECISION LENGTHS SECONDS RANK
 *
 * MODEL is a directory in published layout without adapters; those measured here are made of random numbers, of RANK on
 * every matrix. For each length in LENGTHS (a list like 16,128) one text is given to 1, 2, 3 and 5 adapters: in one
 * pass beside the base ("stacked"), and by as many passes of models with an adapter folded in ("folded"). "all" adapts
 * every layer, "late" those behind the first two thirds. Both ways are measured in turns; times are medians of
 * processor time of the process, in ms. Prints one JSON object.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/mem.h"
#include "nn/encoder.h"
#include "nn/encoder_adapter.h"
#include "nn/encoder_linears.h"
#include "nn/lora.h"
#include "nn/model_file.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"
#include "nn/weights.h"

enum { ADAPTERS = 5, TOKENS_MAX = 8192, ROUNDS_MIN = 3, ROUNDS_MAX = 201, FILE_LEN_MAX = 1 << 28 };

static const size_t counts[] = { 1, 2, 3, ADAPTERS };

static _Noreturn void die(const char *what, const struct vsr_err *err) {
    fprintf(stderr, "bench_adapters: %s: %s\n", what, err ? err->text : strerror(errno));
    exit(1);
}

static double cpu_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t n) {
    qsort(values, n, sizeof(*values), compare_doubles);
    return values[n / 2];
}

/* ---- adapters */

struct rig {
    struct arena *arena;
    struct nn_runtime *runtime;
    struct encoder_config config;
    enum precision precision;
    const char *model;
    size_t rank;
    struct encoder *base;
    struct encoder_work *work;
    size_t n_adapters; /* made so far: each has numbers of its own */
    struct encoder_adapter *stacked[ADAPTERS];
    struct encoder *folded[ADAPTERS];
    size_t stacked_bytes, folded_bytes; /* of all five, base included in the former */
};

static void add_factor(struct buf *header, struct buf *data, vsr_str layer, char side, size_t rows, size_t cols,
                       uint32_t seed) {
    size_t begin = data->len;
    for (size_t i = 0; i < rows * cols; i++) {
        float value = (float)((int)(((uint32_t)i + seed) * 2654435761u >> 16 & 2047) - 1024) * 1e-5f;
        buf_append(data, str_make((const char *)&value, sizeof(value)));
    }
    buf_printf(header,
               "%s\"base_model.model.%.*s.lora_%c.weight\":{\"dtype\":\"F32\",\"shape\":[%zu,%zu],"
               "\"data_offsets\":[%zu,%zu]}",
               header->len > 1 ? "," : "", VSR_FMT(layer), side, rows, cols, begin, data->len);
}

/* adapter_model.safetensors of an adapter of the layers from `first` on. */
static void make_tensors(const struct rig *rig, const struct encoder_linears *linears, size_t first, struct buf *ret) {
    struct buf header, data;
    uint64_t len;
    buf_init(&header, FILE_LEN_MAX);
    buf_init(&data, FILE_LEN_MAX);
    buf_append_char(&header, '{');
    for (size_t i = 0; i < linears->n; i++) {
        const struct encoder_linear *linear = &linears->items[i];
        uint32_t seed = (uint32_t)(rig->n_adapters * 7919 + 2 * i);
        if (linear->layer == LINEAR_NO_LAYER || linear->layer < first)
            continue;
        add_factor(&header, &data, linear->name, 'A', rig->rank, linear->in, seed);
        add_factor(&header, &data, linear->name, 'B', linear->out, rig->rank, seed + 1);
    }
    buf_append_char(&header, '}');
    len = header.len;
    buf_init(ret, FILE_LEN_MAX);
    buf_append(ret, str_make((const char *)&len, sizeof(len))); /* of a machine that stores low bytes first */
    buf_append(ret, buf_str(&header));
    buf_append(ret, buf_str(&data));
    if (buf_failed(&header) || buf_failed(&data) || buf_failed(ret))
        die("an adapter is too large", NULL);
    buf_done(&header);
    buf_done(&data);
}

static void make_config(const struct rig *rig, size_t first, struct buf *ret) {
    buf_init(ret, FILE_LEN_MAX);
    buf_printf(ret,
               "{\"peft_type\":\"LORA\",\"task_type\":\"FEATURE_EXTRACTION\",\"r\":%zu,\"lora_alpha\":%zu,"
               "\"target_modules\":\"all-linear\",\"layers_to_transform\":[",
               rig->rank, 2 * rig->rank);
    for (size_t layer = first; layer < rig->config.layers; layer++)
        buf_printf(ret, "%s%zu", layer > first ? "," : "", layer);
    buf_append_c(ret, "]}");
}

/* Both ways from the same numbers. */
static void add_adapter(struct rig *rig, size_t first, struct encoder_adapter **stacked, struct encoder **folded) {
    struct vsr_err err = VSR_ERR_NONE;
    struct encoder_linears linears = encoder_linears(rig->arena, &rig->config);
    struct weights *weights;
    struct buf config, tensors;
    struct lora *lora;
    make_config(rig, first, &config);
    make_tensors(rig, &linears, first, &tensors);
    if (weights_open(str_from_c(rig->model), &weights, &err) < 0 ||
        lora_parse(buf_str(&config), buf_str(&tensors), &lora, &err) < 0 || lora_bind(lora, &linears, &err) < 0 ||
        encoder_adapter_new(rig->base, weights, lora, stacked, &err) < 0 ||
        nn_encoder_new(rig->runtime, &rig->config, weights, lora, rig->precision, folded, &err) < 0)
        die("adapter", &err);
    lora_free(lora);
    weights_unref(weights);
    buf_done(&config);
    buf_done(&tensors);
    rig->n_adapters++;
}

static void add_adapters(struct rig *rig, size_t first) {
    size_t before = tensor_store_bytes(rig->runtime->tensors).held, own = 0;
    rig->stacked_bytes = encoder_bytes(rig->base).all;
    for (size_t i = 0; i < ADAPTERS; i++) {
        add_adapter(rig, first, &rig->stacked[i], &rig->folded[i]);
        rig->stacked_bytes += encoder_adapter_bytes(rig->stacked[i]).all;
        own += tensor_store_bytes(rig->runtime->tensors).held - before;
        before = tensor_store_bytes(rig->runtime->tensors).held;
    }
    /* What five folded models hold together: what is new, and what they share with the base. */
    rig->folded_bytes = own + encoder_bytes(rig->folded[0]).shared;
}

static void remove_adapters(struct rig *rig) {
    for (size_t i = 0; i < ADAPTERS; i++) {
        encoder_adapter_free(rig->stacked[i]);
        nn_encoder_free(rig->folded[i]);
    }
}

/* ---- passes */

static const float *run_stacked(struct rig *rig, const uint32_t *ids, size_t tokens, size_t n) {
    static uint32_t all[ADAPTERS * TOKENS_MAX], starts[ADAPTERS + 1];
    const struct encoder_adapter *adapters[ADAPTERS];
    const struct encoder_batch batch = { .ids = all, .starts = starts, .n = n, .adapters = adapters };
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden;
    for (size_t i = 0; i < n; i++) {
        memcpy(all + i * tokens, ids, tokens * sizeof(*ids));
        starts[i + 1] = (uint32_t)((i + 1) * tokens);
        adapters[i] = rig->stacked[i];
    }
    if (encoder_forward(rig->base, rig->work, &batch, 0, &hidden, &err) < 0)
        die("stacked", &err);
    return hidden;
}

static void run_folded(struct rig *rig, const uint32_t *ids, size_t tokens, size_t n) {
    const uint32_t starts[] = { 0, (uint32_t)tokens };
    const struct encoder_batch batch = { .ids = ids, .starts = starts, .n = 1 };
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden;
    for (size_t i = 0; i < n; i++)
        if (encoder_forward(rig->folded[i], rig->work, &batch, 0, &hidden, &err) < 0)
            die("folded", &err);
}

static void measure(struct rig *rig, size_t tokens, size_t n, double seconds) {
    static double stacked[ROUNDS_MAX], folded[ROUNDS_MAX];
    static uint32_t ids[TOKENS_MAX];
    double begin;
    size_t rounds = 0;
    for (size_t i = 0; i < tokens; i++)
        ids[i] = (uint32_t)((i * 7919 + 13) % rig->config.vocabulary);
    (void)run_stacked(rig, ids, tokens, n);
    run_folded(rig, ids, tokens, n);
    for (begin = cpu_ms(); rounds < ROUNDS_MIN || (rounds < ROUNDS_MAX && cpu_ms() - begin < seconds * 1e3); rounds++) {
        double start = cpu_ms(), between;
        (void)run_stacked(rig, ids, tokens, n);
        between = cpu_ms();
        run_folded(rig, ids, tokens, n);
        stacked[rounds] = between - start;
        folded[rounds] = cpu_ms() - between;
    }
    printf("\"%zu\": {\"stacked_ms\": %.4f, \"folded_ms\": %.4f, \"rounds\": %zu}", n, median(stacked, rounds),
           median(folded, rounds), rounds);
}

static void measure_kind(struct rig *rig, const char *name, size_t first, const char *lengths, double seconds) {
    add_adapters(rig, first);
    printf("\"%s\": {\"first_layer\": %zu, \"stacked_mb\": %.1f, \"folded_mb\": %.1f, \"lengths\": {", name, first,
           (double)rig->stacked_bytes / 1048576, (double)rig->folded_bytes / 1048576);
    for (char *end; *lengths; lengths = *end ? end + 1 : end) {
        size_t tokens = strtoul(lengths, &end, 10);
        if (tokens == 0 || tokens > TOKENS_MAX)
            die("LENGTHS", NULL);
        printf("%s\"%zu\": {", lengths[-1] == ',' ? ", " : "", tokens);
        for (size_t i = 0; i < VSR_COUNT(counts); i++) {
            printf("%s", i ? ", " : "");
            measure(rig, tokens, counts[i], seconds);
        }
        printf("}");
    }
    printf("}}");
    remove_adapters(rig);
}

/* ---- the rest */

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    struct weights *weights;
    vsr_str text;
    rig->arena = arena_new(0, 0);
    if (model_file_read(rig->arena, str_from_c(rig->model), VSR_STR("config.json"), &text, &err) < 0 ||
        encoder_config_read(rig->arena, text, &rig->config, &err) < 0 || nn_runtime_new(&rig->runtime, &err) < 0 ||
        weights_open(str_from_c(rig->model), &weights, &err) < 0 ||
        nn_encoder_new(rig->runtime, &rig->config, weights, NULL, rig->precision, &rig->base, &err) < 0)
        die(rig->model, &err);
    weights_unref(weights);
    rig->work = encoder_work_new(rig->runtime);
}

static void rig_end(struct rig *rig) {
    encoder_work_free(rig->work);
    nn_encoder_free(rig->base);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

int main(int argc, char **argv) {
    struct rig rig = { 0 };
    double seconds;
    if (argc != 6 || !precision_named(str_from_c(argv[2]), &rig.precision) ||
        !(rig.rank = strtoul(argv[5], NULL, 10))) {
        fprintf(stderr, "usage: bench_adapters MODEL f32|bf16|int8 LENGTHS SECONDS RANK\n");
        return 2;
    }
    rig.model = argv[1];
    seconds = strtod(argv[4], NULL);
    rig_begin(&rig);
    printf("{\"rank\": %zu, \"base_mb\": %.1f, ", rig.rank, (double)encoder_bytes(rig.base).all / 1048576);
    measure_kind(&rig, "all", 0, argv[3], seconds);
    printf(", ");
    measure_kind(&rig, "late", rig.config.layers * 2 / 3, argv[3], seconds);
    printf("}\n");
    rig_end(&rig);
    return 0;
}
