#include "test.h"

#include <math.h>

#include "core/arena.h"
#include "nn/lora.h"
#include "nn/lora_rules.h"
#include "unit/nn/model_dir.h"

/* A ModernBERT of two layers: hidden 4, Wqkv [12, 4], Wi [12, 4], mlp.Wo [4, 6]. */
enum { HIDDEN = 4, INTER = 6, RANK = 2 };

static struct encoder_linears base_linears(struct arena *arena) {
    struct encoder_config config = { .family = ENCODER_MODERNBERT,
                                     .hidden = HIDDEN,
                                     .layers = 2,
                                     .heads = 2,
                                     .kv_heads = 2,
                                     .head_dim = 2,
                                     .intermediate = INTER };
    return encoder_linears(arena, &config);
}

#define CONFIG(more) \
    "{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":4,\"target_modules\":[\"attn.Wqkv\"],\"task_type\":\"SEQ_CLS\"," \
    "\"layers_to_transform\":[1]" more "}"

/* Factors of layers.1.attn.Wqkv and a classifier of three classes. */
#define A_NAME "base_model.model.model.layers.1.attn.Wqkv.lora_A.weight"
#define B_NAME "base_model.model.model.layers.1.attn.Wqkv.lora_B.weight"
#define CLASSIFIER_WEIGHT \
    { "base_model.model.classifier.weight", "[3,4]", 12, 100 }
#define CLASSIFIER_BIAS \
    { "base_model.model.classifier.bias", "[3]", 3, 200 }
static const struct named_tensor plain[] = {
    { A_NAME, "[2,4]", 8, 1 },
    { B_NAME, "[12,2]", 24, -3 },
    CLASSIFIER_WEIGHT,
    CLASSIFIER_BIAS,
};

static int open_adapter(const char *config, const struct named_tensor *tensors, size_t n, struct lora **ret,
                        struct vsr_err *err) {
    struct model_dir dir = model_dir_make();
    int rc;
    model_dir_write_c(&dir, "adapter_config.json", config);
    model_dir_write_tensors(&dir, "adapter_model.safetensors", tensors, n);
    rc = lora_open(model_dir_str(&dir), ret, err);
    model_dir_remove(&dir);
    return rc;
}

static struct lora *bound(struct arena *arena, const char *config, const struct named_tensor *tensors, size_t n) {
    struct encoder_linears linears = base_linears(arena);
    struct lora *lora = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = open_adapter(config, tensors, n, &lora, &err);
    CHECK_MSG(rc == 0, "%s", err.text);
    rc = lora_bind(lora, &linears, &err);
    CHECK_MSG(rc == 0, "%s", err.text);
    return lora;
}

static struct weights *base_weights(const char *prefix) {
    static const struct {
        const char *name, *shape;
        size_t n;
        bool head;
    } tensors[] = {
        { "embeddings.tok_embeddings.weight", "[5,4]", 20, false },
        { "layers.0.attn.Wqkv.weight", "[12,4]", 48, false },
        { "layers.1.attn.Wqkv.weight", "[12,4]", 48, false },
        { "final_norm.bias", "[4]", 4, false },
        { "head.dense.weight", "[4,4]", 16, true },
    };
    struct model_dir dir = model_dir_make();
    struct tensor_file file;
    struct weights *weights = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    char name[128];
    tensor_file_begin(&file);
    for (size_t i = 0; i < VSR_COUNT(tensors); i++) {
        snprintf(name, sizeof(name), "%s%s", tensors[i].head ? "" : prefix, tensors[i].name);
        tensor_file_add_f32(&file, name, tensors[i].shape, tensors[i].n, 0.5f);
    }
    model_dir_write(&dir, "model.safetensors", tensor_file_bytes(&file));
    CHECK_MSG(weights_open(model_dir_str(&dir), &weights, &err) == 0, "%s", err.text);
    CHECK(weights_probe(weights, encoder_family_embedding(ENCODER_MODERNBERT), NULL) == 0, "probe");
    tensor_file_end(&file);
    model_dir_remove(&dir);
    return weights;
}

/* Row `o`, column `i` of W + scale B A, with the numbers that the files above hold. */
static double folded(size_t o, size_t i, double scale) {
    double sum = 0;
    for (size_t k = 0; k < RANK; k++)
        sum += (-3.0 + (double)(o * RANK + k)) * (1.0 + (double)(k * HIDDEN + i));
    return 0.5 + (double)(o * HIDDEN + i) + scale * sum;
}

TEST(reads_an_adapter) {
    struct arena *arena = arena_new(0, 0);
    struct lora *lora =
        bound(arena, CONFIG(",\"base_model_name_or_path\":\"owner/base\",\"use_dora\":false"), plain, 4);
    const struct lora_module *m = lora_find(lora, VSR_STR("layers.1.attn.Wqkv"));
    CHECK(m && m->rank == 2 && m->out == 12 && m->in == 4 && m->scale == 2 && m->layer == 1, "module");
    CHECK_STR(m->path, "model.layers.1.attn.Wqkv", "path");
    CHECK(lora->n_modules == 1 && lora->n_saved == 2 && lora->first_layer == 1 && !lora->dora, "adapter");
    CHECK(lora->task == TASK_SEQUENCE, "task");
    CHECK_STR(lora->base, "owner/base", "base");
    CHECK(!lora_find(lora, VSR_STR("layers.0.attn.Wqkv")), "not adapted");
    CHECK(lora_find_saved(lora, VSR_STR("classifier.weight")) && !lora_find_saved(lora, VSR_STR("head.dense.weight")),
          "saved");
    lora_free(lora);
    arena_free(arena);
}

TEST(folds) {
    struct arena *arena = arena_new(0, 0);
    struct lora *lora = bound(arena, CONFIG(""), plain, 4);
    struct weights *weights = base_weights("model.");
    struct vsr_err err = VSR_ERR_NONE;
    float w[12 * HIDDEN], head[16], classes[12], bias[3], norm[4];
    const struct tensor *tensor;
    size_t rows;
    CHECK(lora_weight(lora, weights, WEIGHTS_TRUNK, VSR_STR("layers.1.attn.Wqkv"), 12, HIDDEN, w, &err) == 0, err.text);
    for (size_t o = 0; o < 12; o++) {
        for (size_t i = 0; i < HIDDEN; i++)
            CHECK_MSG(w[o * HIDDEN + i] == (float)folded(o, i, 2), "row %zu column %zu: %g", o, i,
                      (double)w[o * HIDDEN + i]);
    }
    CHECK(lora_weight(lora, weights, WEIGHTS_TRUNK, VSR_STR("layers.0.attn.Wqkv"), 12, HIDDEN, w, NULL) == 0, "base");
    CHECK(w[0] == 0.5f && w[47] == 47.5f, "left alone");
    CHECK(lora_finish(lora, &err) < 0, "the classifier is not used yet");
    CHECK(lora_rows(lora, weights, WEIGHTS_HEAD, VSR_STR("classifier"), &rows, NULL) == 0 && rows == 3, "rows");
    CHECK(lora_weight(lora, weights, WEIGHTS_HEAD, VSR_STR("classifier"), 3, HIDDEN, classes, NULL) == 0, "classifier");
    CHECK(lora_bias(lora, weights, WEIGHTS_HEAD, VSR_STR("classifier"), 3, bias, NULL) == 0, "its bias");
    CHECK(classes[0] == 100 && classes[11] == 111 && bias[2] == 202, "saved");
    CHECK(lora_finish(lora, &err) == 0, err.text);
    CHECK(weights_finish(weights, NULL) < 0, "the base is not used up");
    CHECK(lora_weight(lora, weights, WEIGHTS_HEAD, VSR_STR("head.dense"), 4, 4, head, NULL) == 0, "head of the base");
    CHECK(lora_tensor(lora, weights, WEIGHTS_TRUNK, VSR_STR("final_norm.bias"), WEIGHTS_SHAPE(4), norm, NULL) == 0,
          "norm");
    CHECK(weights_get(weights, WEIGHTS_TRUNK, VSR_STR("embeddings.tok_embeddings.weight"), WEIGHTS_SHAPE(5, 4), &tensor,
                      NULL) == 0,
          "table");
    CHECK(weights_finish(weights, &err) == 0, err.text);
    CHECK(!lora_has_bias(lora, weights, WEIGHTS_TRUNK, VSR_STR("layers.1.attn.Wqkv")), "no bias");
    CHECK(lora_has_bias(lora, weights, WEIGHTS_HEAD, VSR_STR("classifier")), "a saved bias");
    CHECK(lora_has_bias(NULL, weights, WEIGHTS_TRUNK, VSR_STR("final_norm")), "the base's");
    CHECK(lora_weight(NULL, weights, WEIGHTS_TRUNK, VSR_STR("layers.1.attn.Wqkv"), 12, HIDDEN, w, NULL) == 0 &&
              w[0] == 0.5f,
          "without an adapter");
    weights_unref(weights);
    lora_free(lora);
    arena_free(arena);
}

/* The scale of the one module by configuration. */
static const struct {
    const char *config;
    double scale;
} scales[] = {
    { CONFIG(""), 2 },
    { CONFIG(",\"use_rslora\":true"), 4 / 1.4142135623730951 },
    { CONFIG(",\"alpha_pattern\":{\"attn.Wqkv\":6}"), 3 },
    { CONFIG(",\"alpha_pattern\":{\"Wqkv\":6,\"attn.Wqkv\":8}"), 3 },
    { CONFIG(",\"alpha_pattern\":{\"qkv\":6}"), 2 },
    { CONFIG(",\"alpha_pattern\":{\"model.layers.1.attn.Wqkv\":1}"), 0.5 },
    { CONFIG(",\"alpha_pattern\":{\"layers\\\\.[01]\\\\.attn.*\":1}"), 0.5 },
    { CONFIG(",\"alpha_pattern\":{\"layers.0.*\":1}"), 2 },
    { CONFIG(",\"r\":8,\"rank_pattern\":{\"Wqkv\":2}"), 2 },
    { CONFIG(",\"r\":8,\"rank_pattern\":{\"Wqkv\":2},\"alpha_pattern\":{\"Wqkv\":5}"), 2.5 },
};

TEST(scales_by_configuration) {
    for (size_t i = 0; i < VSR_COUNT(scales); i++) {
        struct arena *arena = arena_new(0, 0);
        struct lora *lora = bound(arena, scales[i].config, plain, 4);
        CHECK_MSG(lora->modules[0].scale == (float)scales[i].scale, "%s: %g", scales[i].config,
                  (double)lora->modules[0].scale);
        lora_free(lora);
        arena_free(arena);
    }
}

/* Other spellings of the same. */
TEST(older_names) {
    static const struct named_tensor older[] = {
        { "base_model.model.layers.1.attn.Wqkv.lora_A.default.weight", "[2,4]", 8, 1 },
        { "base_model.model.layers.1.attn.Wqkv.lora_B.default.weight", "[12,2]", 24, -3 },
        { "base_model.model.classifier.modules_to_save.default.weight", "[3,4]", 12, 100 },
        { "base_model.model.classifier.modules_to_save.bias", "[3]", 3, 200 },
    };
    struct arena *arena = arena_new(0, 0);
    struct lora *lora = bound(arena, CONFIG(""), older, 4);
    CHECK(lora_find(lora, VSR_STR("layers.1.attn.Wqkv")) != NULL, "without the trunk's prefix");
    CHECK(lora_find_saved(lora, VSR_STR("classifier.weight")) && lora_find_saved(lora, VSR_STR("classifier.bias")),
          "saved");
    lora_free(lora);
    arena_free(arena);
}

TEST(dora) {
    static const struct named_tensor tensors[] = {
        { A_NAME, "[2,4]", 8, 1 },
        { B_NAME, "[12,2]", 24, -3 },
        { "base_model.model.model.layers.1.attn.Wqkv.lora_magnitude_vector", "[12]", 12, 5 },
        CLASSIFIER_WEIGHT,
    };
    struct arena *arena = arena_new(0, 0);
    struct lora *lora = bound(arena, CONFIG(",\"use_dora\":true"), tensors, 4);
    struct weights *weights = base_weights("");
    float w[12 * HIDDEN];
    CHECK(lora->dora, "it says so");
    CHECK(lora_weight(lora, weights, WEIGHTS_TRUNK, VSR_STR("layers.1.attn.Wqkv"), 12, HIDDEN, w, NULL) == 0, "fold");
    for (size_t o = 0; o < 12; o++) {
        double length = 0;
        for (size_t i = 0; i < HIDDEN; i++)
            length += folded(o, i, 2) * folded(o, i, 2);
        for (size_t i = 0; i < HIDDEN; i++) {
            double want = (5 + (double)o) * folded(o, i, 2) / sqrt(length);
            CHECK_MSG(fabs(w[o * HIDDEN + i] - want) <= 1e-6 * fabs(want), "row %zu: %g", o, (double)w[o * HIDDEN + i]);
        }
    }
    weights_unref(weights);
    lora_free(lora);
    arena_free(arena);
}

TEST(biases) {
    static const struct named_tensor tensors[] = {
        { A_NAME, "[2,4]", 8, 1 },
        { B_NAME, "[12,2]", 24, -3 },
        { "base_model.model.model.layers.1.attn.Wqkv.lora_B.bias", "[12]", 12, 1 },
        { "base_model.model.model.final_norm.bias", "[4]", 4, 9 },
        CLASSIFIER_WEIGHT,
    };
    struct arena *arena = arena_new(0, 0);
    struct lora *lora = bound(arena, CONFIG(",\"bias\":\"all\",\"lora_bias\":true"), tensors, 5);
    struct weights *weights = base_weights("model.");
    struct vsr_err err = VSR_ERR_NONE;
    float bias[12], norm[4];
    CHECK(lora_has_bias(lora, weights, WEIGHTS_TRUNK, VSR_STR("layers.1.attn.Wqkv")), "the adapter brings it");
    CHECK(lora_bias(lora, weights, WEIGHTS_TRUNK, VSR_STR("layers.1.attn.Wqkv"), 12, bias, &err) == 0, err.text);
    CHECK(bias[0] == 2 && bias[11] == 24, "scaled, over none in the base");
    CHECK(lora_tensor(lora, weights, WEIGHTS_TRUNK, VSR_STR("final_norm.bias"), WEIGHTS_SHAPE(4), norm, &err) == 0,
          err.text);
    CHECK(norm[0] == 9, "replaced");
    CHECK(lora->first_layer == 0, "a norm somewhere in the trunk");
    weights_unref(weights);
    lora_free(lora);
    arena_free(arena);
}

/* Which layers a configuration means. */
static const struct {
    const char *name, *config, *path;
    bool output, adapts;
} rules[] = {
    { "end of the path", "\"target_modules\":[\"query\"]", "bert.encoder.layer.0.attention.self.query", false, true },
    { "the whole path", "\"target_modules\":[\"query\"]", "query", false, true },
    { "not within a word", "\"target_modules\":[\"ery\"]", "bert.encoder.layer.0.attention.self.query", false, false },
    { "two components", "\"target_modules\":[\"output.dense\"]", "encoder.layer.0.attention.output.dense", false,
      true },
    { "a pattern matches the whole", "\"target_modules\":\".*query\"", "encoder.layer.0.attention.self.query", false,
      true },
    { "a pattern is not found within", "\"target_modules\":\"query\"", "encoder.layer.0.attention.self.query", false,
      false },
    { "all", "\"target_modules\":\"all-linear\"", "layers.0.mlp.Wi", false, true },
    { "all but the output", "\"target_modules\":\"all-linear\"", "score", true, false },
    { "excluded", "\"target_modules\":[\"Wi\"],\"exclude_modules\":[\"layers.0.mlp.Wi\"]", "layers.0.mlp.Wi", false,
      false },
    { "excluded elsewhere", "\"target_modules\":[\"Wi\"],\"exclude_modules\":[\"layers.0.mlp.Wi\"]", "layers.1.mlp.Wi",
      false, true },
    { "excluded by pattern", "\"target_modules\":[\"Wi\"],\"exclude_modules\":\"layers\\\\.0.*\"", "layers.0.mlp.Wi",
      false, false },
    { "saved whole", "\"target_modules\":[\"dense\"],\"modules_to_save\":[\"head\"]", "head.dense", false, false },
    { "not saved", "\"target_modules\":[\"dense\"],\"modules_to_save\":[\"hea\"]", "head.dense", false, true },
    { "a classifier is saved", "\"target_modules\":[\"dense\"],\"task_type\":\"TOKEN_CLS\"", "classifier.dense", false,
      false },
    { "no classifier task", "\"target_modules\":[\"dense\"],\"task_type\":\"FEATURE_EXTRACTION\"", "classifier.dense",
      false, true },
    { "layer", "\"target_modules\":[\"Wi\"],\"layers_to_transform\":[0,2]", "layers.2.mlp.Wi", false, true },
    { "another layer", "\"target_modules\":[\"Wi\"],\"layers_to_transform\":[0,2]", "layers.12.mlp.Wi", false, false },
    { "one layer", "\"target_modules\":[\"Wi\"],\"layers_to_transform\":1", "layers.1.mlp.Wi", false, true },
    { "no layer", "\"target_modules\":[\"Wi\"],\"layers_to_transform\":1", "mlp.Wi", false, false },
    { "list of layers", "\"target_modules\":[\"Wi\"],\"layers_to_transform\":1,\"layers_pattern\":\"layers\"",
      "x.0.layers.1.mlp.Wi", false, true },
    { "other list of layers", "\"target_modules\":[\"Wi\"],\"layers_to_transform\":1,\"layers_pattern\":[\"blocks\"]",
      "layers.1.mlp.Wi", false, false },
};

TEST(which_layers_are_meant) {
    for (size_t i = 0; i < VSR_COUNT(rules); i++) {
        struct arena *arena = arena_new(0, 0);
        struct lora_rules r;
        struct vsr_err err = VSR_ERR_NONE;
        vsr_str json = arena_printf(arena, "{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":4,%s}", rules[i].config);
        CHECK_MSG(lora_rules_parse(arena, json, &r, &err) == 0, "case \"%s\": %s", rules[i].name, err.text);
        CHECK_INT(lora_rules_adapt(&r, str_from_c(rules[i].path), rules[i].output), rules[i].adapts, rules[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *config, *says;
} configs[] = {
    { "no object", "[]", "object" },
    { "another method", "{\"peft_type\":\"IA3\",\"r\":2,\"lora_alpha\":4,\"target_modules\":[\"a\"]}", "IA3" },
    { "no rank", "{\"peft_type\":\"LORA\",\"lora_alpha\":4,\"target_modules\":[\"a\"]}", "\"r\"" },
    { "rank zero", CONFIG(",\"r\":0"), "\"r\"" },
    { "rank too large", CONFIG(",\"r\":1025"), "\"r\"" },
    { "no alpha", CONFIG(",\"lora_alpha\":null"), "lora_alpha" },
    { "no targets", CONFIG(",\"target_modules\":null"), "target_modules" },
    { "targets are a number", CONFIG(",\"target_modules\":1"), "target_modules" },
    { "empty target", CONFIG(",\"target_modules\":[\"\"]"), "target_modules" },
    { "target pattern", CONFIG(",\"target_modules\":\"(?=a)b\""), "target_modules" },
    { "transposed base", CONFIG(",\"fan_in_fan_out\":true"), "fan_in_fan_out" },
    { "layers copied", CONFIG(",\"layer_replication\":[[0,2]]"), "layer_replication" },
    { "single tokens", CONFIG(",\"trainable_token_indices\":[1]"), "trainable_token_indices" },
    { "base changed", CONFIG(",\"init_lora_weights\":\"pissa_niter_4\""), "pissa" },
    { "bias", CONFIG(",\"bias\":\"some\""), "bias" },
    { "task", CONFIG(",\"task_type\":\"SEQ_2_SEQ_LM\""), "task_type" },
    { "layer is a text", CONFIG(",\"layers_to_transform\":[\"1\"]"), "layers_to_transform" },
    { "negative layer", CONFIG(",\"layers_to_transform\":-1"), "layers_to_transform" },
    { "rank of a pattern", CONFIG(",\"rank_pattern\":{\"a\":0}"), "rank_pattern" },
    { "costly patterns", CONFIG(",\"rank_pattern\":{\"(a?){255}(b?){255}(c?){255}(d?){255}(e?){255}\":1}"),
      "more than 2048 steps" },
    { "bad pattern", CONFIG(",\"rank_pattern\":{\"(\":1}"), "rank_pattern" },
    { "patterns are a list", CONFIG(",\"alpha_pattern\":[]"), "alpha_pattern" },
};

TEST(configurations_that_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(configs); i++) {
        struct lora *lora = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK(open_adapter(configs[i].config, plain, 4, &lora, &err) < 0, configs[i].name);
        CHECK_ERR(err, configs[i].says, configs[i].name);
        CHECK_ERR(err, "adapter_config.json", configs[i].name);
    }
}

#define PATH "base_model.model.layers.1.attn.Wqkv"
#define SIXTEEN "a.a.a.a.a.a.a.a."
#define LONG_PATH \
    "base_model.model." SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN \
        SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN "Wqkv"
static const struct {
    const char *name, *config;
    struct named_tensor tensors[4];
    const char *says;
} files[] = {
    { "nothing", CONFIG(""), { { NULL } }, "adapts nothing" },
    { "no B", CONFIG(""), { { PATH ".lora_A.weight", "[2,4]", 8, 0 } }, "no lora_B" },
    { "no A", CONFIG(""), { { PATH ".lora_B.weight", "[12,2]", 24, 0 } }, "no lora_A" },
    { "a long name",
      CONFIG(""),
      { { LONG_PATH ".lora_A.weight", "[2,4]", 8, 0 }, { LONG_PATH ".lora_B.weight", "[12,2]", 24, 0 } },
      "longer than 256" },
    { "ranks differ",
      CONFIG(""),
      { { PATH ".lora_A.weight", "[2,4]", 8, 0 }, { PATH ".lora_B.weight", "[12,3]", 36, 0 } },
      "[out, rank]" },
    { "a vector",
      CONFIG(""),
      { { PATH ".lora_A.weight", "[8]", 8, 0 }, { PATH ".lora_B.weight", "[12,2]", 24, 0 } },
      "[out, rank]" },
    { "twice",
      CONFIG(""),
      { { PATH ".lora_A.weight", "[2,4]", 8, 0 }, { PATH ".lora_A.default.weight", "[2,4]", 8, 0 } },
      "are the same" },
    { "saved twice",
      CONFIG(""),
      { { "base_model.model.classifier.weight", "[1]", 1, 0 },
        { "base_model.model.classifier.modules_to_save.weight", "[1]", 1, 0 } },
      "are the same" },
    { "another beginning",
      CONFIG(""),
      { { "model.layers.1.attn.Wqkv.lora_A.weight", "[2,4]", 8, 0 } },
      "does not begin" },
    { "an embedding's factors",
      CONFIG(""),
      { { "base_model.model.embed.lora_embedding_A", "[2,4]", 8, 0 } },
      "not supported" },
    { "another adapter's name", CONFIG(""), { { PATH ".lora_A.other.weight", "[2,4]", 8, 0 } }, "not supported" },
    { "a tensor of the base", CONFIG(""), { { PATH ".weight", "[12,4]", 48, 0 } }, "has no place" },
    { "a bias that is not said", CONFIG(""), { { PATH ".bias", "[12]", 12, 0 } }, "has no place" },
    { "magnitudes that are not said",
      CONFIG(""),
      { { PATH ".lora_A.weight", "[2,4]", 8, 0 },
        { PATH ".lora_B.weight", "[12,2]", 24, 0 },
        { PATH ".lora_magnitude_vector", "[12]", 12, 0 } },
      "use_dora" },
    { "magnitudes that are missing",
      CONFIG(",\"use_dora\":true"),
      { { PATH ".lora_A.weight", "[2,4]", 8, 0 }, { PATH ".lora_B.weight", "[12,2]", 24, 0 } },
      "use_dora" },
    { "a bias of the wrong length",
      CONFIG(",\"lora_bias\":true"),
      { { PATH ".lora_A.weight", "[2,4]", 8, 0 },
        { PATH ".lora_B.weight", "[12,2]", 24, 0 },
        { PATH ".lora_B.bias", "[3]", 3, 0 } },
      "lora_bias" },
};

TEST(files_that_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        struct lora *lora = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        size_t n = 0;
        while (n < VSR_COUNT(files[i].tensors) && files[i].tensors[n].name)
            n++;
        CHECK(open_adapter(files[i].config, files[i].tensors, n, &lora, &err) < 0, files[i].name);
        CHECK_ERR(err, files[i].says, files[i].name);
        CHECK_ERR(err, "adapter_model.safetensors", files[i].name);
    }
}

#define FACTORS(path, in, n_in, out, n_out) \
    { path ".lora_A.weight", "[2," in "]", n_in, 0 }, { \
        path ".lora_B.weight", "[" out ",2]", n_out, 0 \
    }
static const struct {
    const char *name, *config;
    struct named_tensor tensors[4];
    const char *says;
} bases[] = {
    { "no such layer",
      CONFIG(",\"layers_to_transform\":[2]"),
      { FACTORS("base_model.model.layers.2.attn.Wqkv", "4", 8, "12", 24) },
      "no linear layer" },
    { "no such name",
      CONFIG(""),
      { FACTORS("base_model.model.layers.1.attn.query", "4", 8, "4", 8) },
      "no linear layer" },
    { "a head with the trunk's prefix",
      CONFIG(",\"target_modules\":[\"dense\"]"),
      { FACTORS("base_model.model.model.head.dense", "4", 8, "4", 8) },
      "no linear layer" },
    { "another rank",
      CONFIG(""),
      { { PATH ".lora_A.weight", "[3,4]", 12, 0 }, { PATH ".lora_B.weight", "[12,3]", 36, 0 } },
      "rank 2" },
    { "another size", CONFIG(""), { FACTORS(PATH, "4", 8, "4", 8) }, "[12, 4] in the base" },
    { "another width", CONFIG(""), { FACTORS(PATH, "6", 12, "12", 24) }, "[12, 4] in the base" },
    { "not meant", CONFIG(",\"layers_to_transform\":[0]"), { FACTORS(PATH, "4", 8, "12", 24) }, "does not mean" },
    { "one is missing",
      CONFIG(",\"layers_to_transform\":null"),
      { FACTORS(PATH, "4", 8, "12", 24) },
      "layers.0.attn.Wqkv\", but the file" },
    { "two prefixes",
      CONFIG(",\"layers_to_transform\":null"),
      { FACTORS("base_model.model.layers.0.attn.Wqkv", "4", 8, "12", 24),
        FACTORS("base_model.model.model.layers.1.attn.Wqkv", "4", 8, "12", 24) },
      "no linear layer" },
};

TEST(another_base) {
    for (size_t i = 0; i < VSR_COUNT(bases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct encoder_linears linears = base_linears(arena);
        struct lora *lora = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        size_t n = 0;
        while (n < VSR_COUNT(bases[i].tensors) && bases[i].tensors[n].name)
            n++;
        CHECK_MSG(open_adapter(bases[i].config, bases[i].tensors, n, &lora, &err) == 0, "case \"%s\": %s",
                  bases[i].name, err.text);
        CHECK(lora_bind(lora, &linears, &err) < 0, bases[i].name);
        CHECK_ERR(err, bases[i].says, bases[i].name);
        lora_free(lora);
        arena_free(arena);
    }
}

/* The layer that first differs, by what is adapted. */
TEST(first_layer) {
    static const struct named_tensor head[] = { FACTORS("base_model.model.head.dense", "4", 8, "4", 8) };
    static const struct named_tensor only_saved[] = { CLASSIFIER_WEIGHT };
    struct arena *arena = arena_new(0, 0);
    struct lora *lora =
        bound(arena, CONFIG(",\"target_modules\":[\"head.dense\"],\"layers_to_transform\":null"), head, 2);
    CHECK(lora->first_layer == LINEAR_NO_LAYER, "a head");
    lora_free(lora);
    lora = bound(arena, CONFIG(",\"layers_to_transform\":[7]"), only_saved, 1);
    CHECK(lora->first_layer == LINEAR_NO_LAYER, "a classifier");
    lora_free(lora);
    arena_free(arena);
}

/* A configuration may mean a head that the base does without. */
TEST(heads_may_be_missing) {
    struct arena *arena = arena_new(0, 0);
    struct lora *lora = bound(arena,
                              CONFIG(",\"target_modules\":[\"head.dense\",\"attn.Wqkv\"],\"layers_to_transform\":null,"
                                     "\"exclude_modules\":[\"layers.0.attn.Wqkv\"]"),
                              plain, 4);
    CHECK_INT(lora->first_layer, 1, "layer");
    lora_free(lora);
    arena_free(arena);
}

TEST(directories) {
    struct model_dir dir = model_dir_make();
    struct lora *lora = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(!lora_is_adapter(model_dir_str(&dir)), "nothing");
    CHECK_INT(lora_open(model_dir_str(&dir), &lora, &err), VSR_E_NOT_FOUND, "no configuration");
    model_dir_write_c(&dir, "adapter_config.json", CONFIG(""));
    CHECK(lora_is_adapter(model_dir_str(&dir)), "an adapter");
    CHECK_INT(lora_open(model_dir_str(&dir), &lora, &err), VSR_E_NOT_FOUND, "no tensors");
    model_dir_write_c(&dir, "adapter_model.safetensors", "broken");
    CHECK(lora_open(model_dir_str(&dir), &lora, &err) < 0, "broken tensors");
    model_dir_write_c(&dir, "model.safetensors", "");
    CHECK(!lora_is_adapter(model_dir_str(&dir)), "weights of its own");
    lora_free(NULL);
    model_dir_remove(&dir);
}

/* Names and sizes for each family. */
static const struct {
    enum encoder_family family;
    const char *name;
    size_t layer, out, in;
} linears[] = {
    { ENCODER_BERT, "encoder.layer.1.attention.self.query", 1, 8, 8 },
    { ENCODER_BERT, "encoder.layer.0.intermediate.dense", 0, 20, 8 },
    { ENCODER_BERT, "encoder.layer.0.output.dense", 0, 8, 20 },
    { ENCODER_BERT, "pooler.dense", LINEAR_NO_LAYER, 8, 8 },
    { ENCODER_ROBERTA, "classifier.out_proj", LINEAR_NO_LAYER, 0, 8 },
    { ENCODER_MPNET, "encoder.layer.0.attention.attn.o", 0, 8, 8 },
    { ENCODER_DEBERTA, "encoder.layer.0.attention.self.pos_key_proj", 0, 8, 8 },
    { ENCODER_MODERNBERT, "layers.1.mlp.Wi", 1, 40, 8 },
    { ENCODER_MODERNBERT, "layers.1.attn.Wqkv", 1, 24, 8 },
    { ENCODER_QWEN3, "layers.1.self_attn.q_proj", 1, 12, 8 },
    { ENCODER_QWEN3, "layers.1.self_attn.k_proj", 1, 6, 8 },
    { ENCODER_GEMMA3, "layers.1.self_attn.o_proj", 1, 8, 12 },
    { ENCODER_GEMMA3, "layers.1.mlp.down_proj", 1, 8, 20 },
};

TEST(linear_layers) {
    for (size_t i = 0; i < VSR_COUNT(linears); i++) {
        bool decoder = linears[i].family == ENCODER_QWEN3 || linears[i].family == ENCODER_GEMMA3;
        struct encoder_config config = { .family = linears[i].family,
                                         .hidden = 8,
                                         .layers = 2,
                                         .heads = 4,
                                         .kv_heads = decoder ? 2 : 4,
                                         .head_dim = decoder ? 3 : 2, /* else hidden / heads */
                                         .intermediate = 20,
                                         .deberta = { .content_to_position = true } };
        struct arena *arena = arena_new(0, 0);
        struct encoder_linears all = encoder_linears(arena, &config);
        const struct encoder_linear *linear = encoder_linear_find(&all, str_from_c(linears[i].name));
        CHECK(linear != NULL, linears[i].name);
        CHECK(linear->layer == linears[i].layer && linear->out == linears[i].out && linear->in == linears[i].in,
              linears[i].name);
        CHECK(!encoder_linear_find(&all, VSR_STR("encoder.layer.0.attention.self.pos_query_proj")), "no such term");
        arena_free(arena);
    }
}

RUN_TESTS(T(reads_an_adapter), T(folds), T(scales_by_configuration), T(older_names), T(dora), T(biases),
          T(which_layers_are_meant), T(configurations_that_are_refused), T(files_that_are_refused), T(another_base),
          T(first_layer), T(heads_may_be_missing), T(directories), T(linear_layers))
