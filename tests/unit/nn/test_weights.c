#include "test.h"

#include "nn/weights.h"
#include "unit/nn/model_dir.h"

#define EMBEDDING VSR_STR("embeddings.word_embeddings.weight")

static struct weights *open_good(const struct model_dir *dir) {
    struct weights *w = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = weights_open(model_dir_str(dir), &w, &err);
    CHECK_MSG(rc == 0, "%s", err.text);
    return w;
}

/* Outer and inner prefix of a checkpoint. */
static const struct {
    const char *outer, *inner;
} prefixes[] = {
    { "", "" },
    { "", "bert." },
    { "", "roberta." },
    { "", "deberta." },
    { "", "mpnet." },
    { "", "model." },
    { "_orig_mod.", "" },
    { "_orig_mod.", "model." },
    { "base_model.model.", "" },
    { "base_model.model.", "bert." },
};

TEST(prefixes_are_found) {
    for (size_t i = 0; i < VSR_COUNT(prefixes); i++) {
        struct model_dir dir = model_dir_make();
        char table[128], norm[128], head[128], prefix[128];
        struct named_tensor tensors[] = { { table, "[4,2]", 8, 0 }, { norm, "[2]", 2, 10 }, { head, "[3,2]", 6, 20 } };
        const struct tensor *tensor;
        struct weights *w;
        float values[2];
        snprintf(prefix, sizeof(prefix), "%s%s", prefixes[i].outer, prefixes[i].inner);
        snprintf(table, sizeof(table), "%sembeddings.word_embeddings.weight", prefix);
        snprintf(norm, sizeof(norm), "%sembeddings.LayerNorm.gamma", prefix);
        snprintf(head, sizeof(head), "%sclassifier.weight", prefixes[i].outer);
        model_dir_write_tensors(&dir, "model.safetensors", tensors, VSR_COUNT(tensors));
        w = open_good(&dir);
        CHECK(weights_probe(w, EMBEDDING, NULL) == 0, prefix);
        CHECK_STR(weights_prefix(w), prefix, prefix);
        CHECK(weights_get(w, WEIGHTS_TRUNK, EMBEDDING, WEIGHTS_SHAPE(4, 2), &tensor, NULL) == 0, prefix);
        CHECK(weights_finish(w, NULL) < 0, prefix);
        CHECK(weights_get_f32(w, WEIGHTS_TRUNK, VSR_STR("embeddings.LayerNorm.weight"), WEIGHTS_SHAPE(2), values,
                              NULL) == 0,
              prefix);
        CHECK(values[0] == 10 && values[1] == 11, prefix);
        CHECK(weights_get(w, WEIGHTS_HEAD, VSR_STR("classifier.weight"), WEIGHTS_SHAPE(3, 2), &tensor, NULL) == 0,
              prefix);
        CHECK(weights_finish(w, NULL) == 0, prefix);
        weights_unref(w);
        model_dir_remove(&dir);
    }
}

TEST(another_architecture) {
    struct model_dir dir = model_dir_make();
    struct named_tensor tensors[] = { { "t5.embeddings.word_embeddings.weight", "[1]", 1, 0 } };
    struct vsr_err err = VSR_ERR_NONE;
    struct weights *w;
    model_dir_write_tensors(&dir, "model.safetensors", tensors, 1);
    w = open_good(&dir);
    CHECK_INT(weights_probe(w, EMBEDDING, &err), VSR_E_NOT_FOUND, "no prefix leads there");
    CHECK_ERR(err, "embeddings.word_embeddings.weight", "names it");
    weights_unref(w);
    model_dir_remove(&dir);
}

TEST(wrong_requests) {
    struct model_dir dir = model_dir_make();
    struct named_tensor tensors[] = { { "bert.embeddings.word_embeddings.weight", "[4,2]", 8, 0 } };
    struct vsr_err err = VSR_ERR_NONE;
    const struct tensor *tensor;
    struct weights *w;
    char long_name[2 * WEIGHTS_NAME_LEN_MAX];
    size_t size;
    model_dir_write_tensors(&dir, "model.safetensors", tensors, 1);
    w = open_good(&dir);
    CHECK(weights_probe(w, EMBEDDING, NULL) == 0, "probe");
    CHECK_INT(weights_get(w, WEIGHTS_TRUNK, VSR_STR("encoder.x"), WEIGHTS_SHAPE(1), &tensor, &err), VSR_E_NOT_FOUND,
              "missing");
    CHECK_ERR(err, "\"bert.encoder.x\" is missing", "missing");
    CHECK_INT(weights_get(w, WEIGHTS_TRUNK, EMBEDDING, WEIGHTS_SHAPE(2, 4), &tensor, &err), VSR_E_INVALID,
              "transposed");
    CHECK_ERR(err, "is [4, 2], expected [2, 4]", "transposed");
    CHECK_INT(weights_get(w, WEIGHTS_TRUNK, EMBEDDING, WEIGHTS_SHAPE(8), &tensor, &err), VSR_E_INVALID, "flat");
    CHECK(weights_finish(w, NULL) < 0, "a failed request is no use");
    CHECK(weights_dim(w, WEIGHTS_TRUNK, EMBEDDING, 0, &size, NULL) == 0 && size == 4, "rows");
    CHECK(weights_dim(w, WEIGHTS_TRUNK, EMBEDDING, 2, &size, NULL) < 0, "no such dimension");
    memset(long_name, 'a', sizeof(long_name));
    CHECK(!weights_has(w, WEIGHTS_TRUNK, str_make(long_name, sizeof(long_name))), "a long name");
    weights_unref(w);
    model_dir_remove(&dir);
}

/* What nobody asked for: whether it is an error. */
static const struct {
    const char *name;
    bool allowed;
} leftovers[] = {
    { "bert.embeddings.position_ids", true },
    { "cls.predictions.bias", true },
    { "lm_head.weight", true },
    { "decoder.bias", true },
    { "lm_predictions.lm_head.bias", true },
    { "mask_predictions.dense.weight", true },
    { "bert.pooler.dense.weight", false },
    { "bert.encoder.layer.0.attention.self.query.lora_A.weight", false },
    { "classifier.weight", false },
    { "clsx.weight", false },
    { "position_idsx", false },
    { "bert.embeddings.LayerNorm.gamma", false },
};

TEST(nothing_is_left_over) {
    for (size_t i = 0; i < VSR_COUNT(leftovers); i++) {
        struct model_dir dir = model_dir_make();
        struct named_tensor tensors[] = { { "bert.embeddings.word_embeddings.weight", "[4,2]", 8, 0 },
                                          { leftovers[i].name, "[1]", 1, 0 } };
        struct vsr_err err = VSR_ERR_NONE;
        const struct tensor *tensor;
        struct weights *w;
        model_dir_write_tensors(&dir, "model.safetensors", tensors, VSR_COUNT(tensors));
        w = open_good(&dir);
        CHECK(weights_probe(w, EMBEDDING, NULL) == 0, leftovers[i].name);
        CHECK(weights_get(w, WEIGHTS_TRUNK, EMBEDDING, WEIGHTS_SHAPE(4, 2), &tensor, NULL) == 0, leftovers[i].name);
        CHECK_INT(weights_finish(w, &err) == 0, leftovers[i].allowed, leftovers[i].name);
        if (!leftovers[i].allowed)
            CHECK_ERR(err, leftovers[i].name, "names it");
        weights_ignore(w, VSR_STR("pooler."));
        weights_ignore(w, VSR_STR("classifier."));
        if (str_find(str_from_c(leftovers[i].name), VSR_STR("pooler")) > 0)
            CHECK(weights_finish(w, NULL) == 0, "ignored in the trunk");
        if (str_starts(str_from_c(leftovers[i].name), VSR_STR("classifier")))
            CHECK(weights_finish(w, NULL) == 0, "ignored in the head");
        weights_unref(w);
        model_dir_remove(&dir);
    }
}

/* Two shards: a and b in the first, c in the second. */
static const struct {
    const char *name, *index, *says; /* NULL: it is good */
} indexes[] = {
    { "good",
      "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\",\"c\":\"2."
      "safetensors\"}}",
      NULL },
    { "no map", "{}", "weight_map" },
    { "empty map", "{\"weight_map\":{}}", "weight_map" },
    { "map is a list", "{\"weight_map\":[]}", "expected an object" },
    { "no object", "[]", "expected an object" },
    { "broken", "{", "model.safetensors.index.json" },
    { "a tensor twice", "{\"weight_map\":{\"a\":\"1.safetensors\",\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"}}",
      "twice" },
    { "a tensor left out", "{\"weight_map\":{\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"}}", "names 2 tensors" },
    { "a tensor that is not there",
      "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\",\"x\":\"2.safetensors\"}}", "\"x\" is not in" },
    { "a tensor in the other shard",
      "{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\",\"c\":\"2.safetensors\"}}", "\"b\" is not in" },
    { "no such shard", "{\"weight_map\":{\"a\":\"3.safetensors\"}}", "3.safetensors" },
    { "parent folder", "{\"weight_map\":{\"a\":\"../1.safetensors\"}}", "no name of a shard" },
    { "absolute", "{\"weight_map\":{\"a\":\"/etc/1.safetensors\"}}", "no name of a shard" },
    { "back slash", "{\"weight_map\":{\"a\":\"..\\\\1.safetensors\"}}", "no name of a shard" },
    { "dots", "{\"weight_map\":{\"a\":\"..\"}}", "no name of a shard" },
    { "nul", "{\"weight_map\":{\"a\":\"1.safetensors\\u0000.safetensors\"}}", "no name of a shard" },
    { "another kind of file", "{\"weight_map\":{\"a\":\"pytorch_model.bin\"}}", "no name of a shard" },
    { "a number", "{\"weight_map\":{\"a\":1}}", "expected a text" },
};

TEST(shards) {
    for (size_t i = 0; i < VSR_COUNT(indexes); i++) {
        struct model_dir dir = model_dir_make();
        struct named_tensor first[] = { { "a", "[1]", 1, 1 }, { "b", "[1]", 1, 2 } },
                            second[] = { { "c", "[1]", 1, 3 } };
        struct weights *w = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        float value = 0;
        int rc;
        model_dir_write_tensors(&dir, "1.safetensors", first, 2);
        model_dir_write_tensors(&dir, "2.safetensors", second, 1);
        model_dir_write_c(&dir, "model.safetensors.index.json", indexes[i].index);
        rc = weights_open(model_dir_str(&dir), &w, &err);
        if (indexes[i].says) {
            CHECK(rc < 0, indexes[i].name);
            CHECK_ERR(err, indexes[i].says, indexes[i].name);
        } else {
            CHECK_MSG(rc == 0, "case \"%s\": %s", indexes[i].name, err.text);
            CHECK_INT(weights_count(w), 3, indexes[i].name);
            CHECK(weights_at(w, 2) && !weights_at(w, 3), indexes[i].name);
            CHECK(weights_get_f32(w, WEIGHTS_TRUNK, VSR_STR("c"), WEIGHTS_SHAPE(1), &value, NULL) == 0 && value == 3,
                  indexes[i].name);
            weights_unref(w);
        }
        model_dir_remove(&dir);
    }
}

static const struct {
    const char *name, *file, *text, *says;
} directories[] = {
    { "nothing", "readme", "", "neither" },
    { "adapter", "adapter_config.json", "{}", "adapter" },
    { "pickle", "pytorch_model.bin", "PK", "convert" },
    { "broken file", "model.safetensors", "broken", "model.safetensors" },
};

TEST(directories_without_weights) {
    for (size_t i = 0; i < VSR_COUNT(directories); i++) {
        struct model_dir dir = model_dir_make();
        struct weights *w = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        model_dir_write_c(&dir, directories[i].file, directories[i].text);
        CHECK(weights_open(model_dir_str(&dir), &w, &err) < 0, directories[i].name);
        CHECK_ERR(err, directories[i].says, directories[i].name);
        model_dir_remove(&dir);
    }
}

TEST(formats_and_types) {
    struct model_dir dir = model_dir_make();
    struct tensor_file file;
    struct vsr_err err = VSR_ERR_NONE;
    struct weights *w = NULL;
    float value;
    tensor_file_begin(&file);
    buf_printf(&file.header, "\"__metadata__\":{\"format\":\"flax\"}");
    tensor_file_add(&file, "a", "BF16", "[1]", "\x80\x3f", 2);
    model_dir_write(&dir, "model.safetensors", tensor_file_bytes(&file));
    CHECK_INT(weights_open(model_dir_str(&dir), &w, &err), VSR_E_INVALID, "flax");
    CHECK_ERR(err, "flax", "says so");
    buf_reset(&file.header);
    buf_reset(&file.data);
    tensor_file_add(&file, "a", "BF16", "[1]", "\x80\x3f", 2);
    tensor_file_add(&file, "b", "BOOL", "[1]", "\1", 1);
    model_dir_write(&dir, "model.safetensors", tensor_file_bytes(&file));
    w = open_good(&dir);
    CHECK(weights_get_f32(w, WEIGHTS_TRUNK, VSR_STR("a"), WEIGHTS_SHAPE(1), &value, NULL) == 0 && value == 1, "bf16");
    CHECK(weights_get_f32(w, WEIGHTS_TRUNK, VSR_STR("b"), WEIGHTS_SHAPE(1), &value, &err) < 0, "truth is no number");
    weights_forget_pages(weights_at(w, 0));
    CHECK(weights_get_f32(w, WEIGHTS_TRUNK, VSR_STR("a"), WEIGHTS_SHAPE(1), &value, NULL) == 0 && value == 1,
          "read again");
    weights_unref(weights_ref(w));
    CHECK_INT(weights_count(w), 2, "one reference is left");
    weights_unref(w);
    weights_unref(NULL);
    tensor_file_end(&file);
    model_dir_remove(&dir);
}

RUN_TESTS(T(prefixes_are_found), T(another_architecture), T(wrong_requests), T(nothing_is_left_over), T(shards),
          T(directories_without_weights), T(formats_and_types))
