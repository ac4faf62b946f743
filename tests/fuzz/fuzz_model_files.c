/* links: nn */
/*
 * Any text as one of the small files of a model directory: the first byte says which. What is accepted keeps the
 * promises of the headers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/assert.h"
#include "nn/encoder_config.h"
#include "nn/labels.h"
#include "nn/lora.h"
#include "nn/matryoshka.h"
#include "nn/name_pattern.h"
#include "nn/sentence_files.h"
#include "nn/weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_positive(double value) {
    return isfinite(value) && value > 0;
}

static void check_rope(const struct rope_config *rope) {
    VSR_ASSERT(is_positive(rope->theta) && log(rope->theta) > 0 && is_positive(rope->factor));
    VSR_ASSERT(is_positive(rope->attention_factor));
    VSR_ASSERT(!rope->yarn || (is_positive(rope->original_positions) && is_positive(rope->beta_fast)));
}

static void check_config(struct arena *arena, vsr_str text) {
    struct encoder_config c;
    struct encoder_linears linears;
    if (encoder_config_read(arena, text, &c, NULL) < 0)
        return;
    VSR_ASSERT(c.hidden > 0 && c.layers > 0 && c.layers <= ENCODER_LAYERS_MAX && c.positions > 0 && c.vocabulary > 0);
    VSR_ASSERT(c.heads % c.kv_heads == 0 && c.head_dim > 0 && is_positive((double)c.attention_scale));
    VSR_ASSERT(is_positive((double)c.norm_eps) && is_positive((double)c.embedding_scale));
    for (size_t i = 0; i < c.layers; i++)
        VSR_ASSERT(c.layer_full[i] || c.window > 0);
    for (size_t i = 0; c.labels && i < c.n_labels; i++)
        VSR_ASSERT(c.labels[i].ptr);
    if (c.family >= ENCODER_MODERNBERT) {
        VSR_ASSERT(c.head_dim % 2 == 0);
        check_rope(&c.rope_full);
        check_rope(&c.rope_local);
    }
    linears = encoder_linears(arena, &c);
    for (size_t i = 0; i < linears.n; i++)
        VSR_ASSERT(linears.items[i].in > 0 && linears.items[i].name.len > 0);
}

static void check_labels(struct arena *arena, vsr_str text) {
    struct labels labels;
    if (labels_parse(arena, text, &labels, NULL) < 0)
        return;
    VSR_ASSERT(labels.n > 0 && labels.n <= LABELS_MAX);
    for (size_t i = 0; i < labels.n; i++)
        VSR_ASSERT(labels_find(&labels, labels.names[i]) == i);
}

static void check_sentence(struct arena *arena, vsr_str text) {
    struct sentence_files files = { 0 };
    struct sentence_step step = { 0 };
    vsr_str path;
    if (sentence_modules_parse(arena, text, &files, &path, NULL) == 0)
        VSR_ASSERT(files.n_steps <= SENTENCE_STEPS_MAX);
    if (sentence_pooling_parse(text, &files, NULL) == 0)
        VSR_ASSERT(files.dims > 0 && files.pooling <= SENTENCE_LAST);
    if (sentence_dense_parse(text, &step, NULL) == 0)
        VSR_ASSERT(step.in > 0 && step.out > 0);
    (void)!sentence_limits_parse(text, &files, NULL);
    if (sentence_prompts_parse(arena, text, &files, NULL) == 0 && files.default_prompt.len > 0)
        VSR_ASSERT(sentence_prompt_find(&files, files.default_prompt, &path));
}

static void check_matryoshka(vsr_str text) {
    struct matryoshka m = { .dims = 768, .dims_least = 1, .layers = 22, .leaves_early = true };
    if (matryoshka_layers_parse(text, &m, NULL) < 0)
        return;
    for (size_t i = 0; i < m.n_trained; i++)
        VSR_ASSERT(m.trained[i] > (i ? m.trained[i - 1] : 0) && m.trained[i] <= m.layers);
}

/* Configuration and tensors of an adapter, parted by a NUL, over a small ModernBERT. */
static void check_lora(struct arena *arena, vsr_str text) {
    struct encoder_config config = {
        .family = ENCODER_MODERNBERT, .hidden = 4, .layers = 2, .heads = 2, .intermediate = 6
    };
    struct encoder_linears linears = encoder_linears(arena, &config);
    vsr_str rules = str_split(&text, '\0');
    struct lora *lora = NULL;
    if (lora_parse(rules, text, &lora, NULL) < 0)
        return;
    if (lora_bind(lora, &linears, NULL) == 0) {
        for (size_t i = 0; i < lora->n_modules; i++) {
            struct lora_module *m = &lora->modules[i];
            float *weight = calloc(m->out * m->in + 1, sizeof(*weight));
            VSR_ASSERT(lora_find(lora, m->name) == m && m->rank > 0);
            (void)!lora_fold(m, weight, NULL);
            free(weight);
        }
    }
    lora_free(lora);
}

static void check_pattern(struct arena *arena, vsr_str text) {
    vsr_str regex = str_split(&text, '\0');
    struct name_pattern *pattern;
    if (name_pattern_build(arena, regex, &pattern, NULL) == 0)
        (void)name_pattern_matches(pattern, str_sub(text, 0, 256));
}

/* An index of shards beside two empty shards. */
static void check_index(vsr_str text) {
    static char directory[] = "/tmp/vsr-fuzz-index-XXXXXX", path[sizeof(directory) + 64];
    static const char *const shards[] = { "a.safetensors", "b.safetensors" };
    static bool made;
    struct weights *weights = NULL;
    FILE *file;
    if (!made) {
        VSR_ASSERT(mkdtemp(directory));
        for (size_t i = 0; i < VSR_COUNT(shards); i++) {
            const char *header = i == 0 ? "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"
                                        : "{\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
            snprintf(path, sizeof(path), "%s/%s", directory, shards[i]);
            file = fopen(path, "wb");
            VSR_ASSERT(file && fputc((int)strlen(header), file) >= 0 && fwrite("\0\0\0\0\0\0\0", 1, 7, file) == 7);
            VSR_ASSERT(fputs(header, file) >= 0 && fclose(file) == 0);
        }
        snprintf(path, sizeof(path), "%s/model.safetensors.index.json", directory);
        made = true;
    }
    file = fopen(path, "wb");
    VSR_ASSERT(file && (text.len == 0 || fwrite(text.ptr, 1, text.len, file) == text.len) && fclose(file) == 0);
    if (weights_open(str_from_c(directory), &weights, NULL) == 0)
        VSR_ASSERT(weights_count(weights) > 0 && weights_finish(weights, NULL) < 0);
    weights_unref(weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct arena *arena = arena_new(0, 0);
    vsr_str text = str_make((const char *)data + (len > 0), len - (len > 0));
    switch (len > 0 ? data[0] : 0) {
    case 'c':
        check_config(arena, text);
        break;
    case 'l':
        check_labels(arena, text);
        break;
    case 's':
        check_sentence(arena, text);
        check_matryoshka(text);
        break;
    case 'a':
        check_lora(arena, text);
        break;
    case 'p':
        check_pattern(arena, text);
        break;
    case 'i':
        check_index(text);
        break;
    default:
        break;
    }
    arena_free(arena);
    return 0;
}
