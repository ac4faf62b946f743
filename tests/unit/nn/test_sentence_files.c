#include "test.h"

#include "core/arena.h"
#include "nn/sentence_files.h"
#include "unit/nn/model_dir.h"

#define ST(type) "\"type\":\"sentence_transformers.models." type "\""
#define MODULES \
    "[{\"idx\":0,\"name\":\"0\",\"path\":\"\"," ST( \
        "Transformer") "}," \
                       "{\"idx\":1,\"name\":\"1\",\"path\":\"1_Pooling\"," ST("Pooling") "}"
#define POOLING "{\"word_embedding_dimension\":8,\"pooling_mode_mean_tokens\":true}"

/* Files by name and text; NULL ends them. */
static int read_files(struct arena *arena, const char *const *files, struct sentence_files *ret, struct vsr_err *err) {
    struct model_dir dir = model_dir_make();
    int rc;
    for (size_t i = 0; files[i]; i += 2)
        model_dir_write_c(&dir, files[i], files[i + 1]);
    rc = sentence_files_read(arena, model_dir_str(&dir), ret, err);
    model_dir_remove(&dir);
    return rc;
}

TEST(nothing_there) {
    struct arena *arena = arena_new(0, 0);
    struct sentence_files f;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(read_files(arena, (const char *[]){ NULL }, &f, &err) == 0, "empty");
    CHECK(!f.has_modules && f.tokens_max == 0 && f.n_prompts == 0 && f.include_prompt && err.code == 0, "defaults");
    arena_free(arena);
}

TEST(all_there) {
    const char *const files[] = {
        "modules.json",
        MODULES ",{\"idx\":2,\"path\":\"2_Dense/\"," ST("Dense") "},{\"idx\":3,\"path\":\"3_Dense\"," ST(
            "Dense") "},"
                     "{\"idx\":4,\"path\":\"4_Normalize\"," ST("Normalize") "}]",
        "1_Pooling/config.json",
        POOLING,
        "2_Dense/config.json",
        "{\"in_features\":8,\"out_features\":32,\"bias\":false,\"activation_function\":\"torch.nn.modules.linear."
        "Identity\"}",
        "3_Dense/config.json",
        "{\"in_features\":32,\"out_features\":4}",
        "sentence_bert_config.json",
        "{\"max_seq_length\":256,\"do_lower_case\":true}",
        "config_sentence_transformers.json",
        "{\"prompts\":{\"query\":\"Query: \",\"document\":\"\"},\"default_prompt_name\":\"query\"}",
        NULL,
    };
    struct arena *arena = arena_new(0, 0);
    struct sentence_files f;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text;
    CHECK_MSG(read_files(arena, files, &f, &err) == 0, "%s", err.text);
    CHECK(f.has_modules && f.pooling == SENTENCE_MEAN && f.dims == 8 && f.include_prompt, "pooling");
    CHECK(f.n_steps == 3, "steps");
    CHECK_STR(f.steps[0].path, "2_Dense", "path");
    CHECK(f.steps[0].in == 8 && f.steps[0].out == 32 && !f.steps[0].bias && !f.steps[0].has_activation, "first map");
    CHECK(f.steps[1].out == 4 && f.steps[1].bias && f.steps[1].has_activation &&
              f.steps[1].activation == ACTIVATION_TANH,
          "second map, by the library's defaults");
    CHECK(f.steps[2].kind == SENTENCE_NORMALIZE && f.steps[2].in == 4, "unit vector");
    CHECK(f.tokens_max == 256 && f.lower_case, "limits");
    CHECK_STR(f.default_prompt, "query", "default");
    CHECK(sentence_prompt_find(&f, VSR_STR("document"), &text) && text.len == 0, "an empty prompt is one");
    CHECK(!sentence_prompt_find(&f, VSR_STR("Query"), &text), "no prompt");
    arena_free(arena);
}

static const struct {
    const char *json;
    enum sentence_pooling pooling;
} poolings[] = {
    { "{\"word_embedding_dimension\":8}", SENTENCE_MEAN },
    { "{\"word_embedding_dimension\":8,\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":false}",
      SENTENCE_FIRST },
    { "{\"word_embedding_dimension\":8,\"pooling_mode_max_tokens\":true,\"pooling_mode_mean_tokens\":false}",
      SENTENCE_MAX },
    { "{\"word_embedding_dimension\":8,\"pooling_mode_mean_sqrt_len_tokens\":true,\"pooling_mode_mean_tokens\":false}",
      SENTENCE_MEAN_SQRT },
    { "{\"word_embedding_dimension\":8,\"pooling_mode_weightedmean_tokens\":true,\"pooling_mode_mean_tokens\":false}",
      SENTENCE_WEIGHTED },
    { "{\"word_embedding_dimension\":8,\"pooling_mode_lasttoken\":true,\"pooling_mode_mean_tokens\":false}",
      SENTENCE_LAST },
    { "{\"embedding_dimension\":8,\"pooling_mode\":\"cls\"}", SENTENCE_FIRST },
    { "{\"embedding_dimension\":8,\"pooling_mode\":\"mean\"}", SENTENCE_MEAN },
    { "{\"embedding_dimension\":8,\"pooling_mode\":\"max\"}", SENTENCE_MAX },
    { "{\"embedding_dimension\":8,\"pooling_mode\":\"mean_sqrt_len_tokens\"}", SENTENCE_MEAN_SQRT },
    { "{\"embedding_dimension\":8,\"pooling_mode\":\"weightedmean\"}", SENTENCE_WEIGHTED },
    { "{\"embedding_dimension\":8,\"pooling_mode\":\"lasttoken\"}", SENTENCE_LAST },
};

TEST(ways_of_pooling) {
    for (size_t i = 0; i < VSR_COUNT(poolings); i++) {
        struct sentence_files f = { 0 };
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_MSG(sentence_pooling_parse(str_from_c(poolings[i].json), &f, &err) == 0, "%s: %s", poolings[i].json,
                  err.text);
        CHECK_INT(f.pooling, poolings[i].pooling, poolings[i].json);
        CHECK_INT(f.dims, 8, poolings[i].json);
    }
}

/* One file of a good directory in another form. */
static const struct {
    const char *name, *file, *text, *says;
} refused[] = {
    { "modules is an object", "modules.json", "{}", "expected an array" },
    { "no modules", "modules.json", "[]", "at least" },
    { "module is a text", "modules.json", "[\"a\"]", "expected an object" },
    { "no pooling", "modules.json", "[{\"path\":\"\"," ST("Transformer") "}]", "at least" },
    { "an encoder elsewhere", "modules.json",
      "[{\"path\":\"0_Transformer\"," ST("Transformer") "},{\"path\":\"1_Pooling\"," ST("Pooling") "}]",
      "beside modules" },
    { "pooling first", "modules.json", "[{\"path\":\"1_Pooling\"," ST("Pooling") "}]", "Transformer" },
    { "two poolings", "modules.json", MODULES ",{\"path\":\"1_Pooling\"," ST("Pooling") "}]", "Transformer" },
    { "two encoders", "modules.json", MODULES ",{\"path\":\"\"," ST("Transformer") "}]", "Transformer" },
    { "order", "modules.json", MODULES ",{\"idx\":1,\"path\":\"2\"," ST("Normalize") "}]", "order" },
    { "unknown module", "modules.json", MODULES ",{\"path\":\"2\"," ST("LSTM") "}]", "LSTM" },
    { "module of another package", "modules.json", MODULES ",{\"path\":\"2\",\"type\":\"custom_st.Normalize\"}]",
      "custom_st" },
    { "no type", "modules.json", "[{\"path\":\"\"}]", "type" },
    { "path out of the directory", "modules.json", MODULES ",{\"path\":\"../2\"," ST("Dense") "}]", "below" },
    { "absolute path", "modules.json", MODULES ",{\"path\":\"/etc\"," ST("Dense") "}]", "below" },
    { "too many", "modules.json",
      MODULES ",{" ST("Normalize") "},{" ST("Normalize") "},{" ST("Normalize") "},{" ST("Normalize") "},{" ST(
          "Normalize") "},{" ST("Normalize") "},{" ST("Normalize") "},{" ST("Normalize") "},{" ST("Normalize") "}]",
      "more than 8" },
    { "no dense file", "modules.json", MODULES ",{\"path\":\"2_Dense\"," ST("Dense") "}]", "2_Dense/config.json" },
    { "dimensions do not fit", "modules.json", MODULES ",{\"path\":\"9_Dense\"," ST("Dense") "}]",
      "9_Dense/config.json" },
    { "no pooling file", "modules.json",
      "[{\"path\":\"\"," ST("Transformer") "},{\"path\":\"7_Pooling\"," ST("Pooling") "}]", "7_Pooling" },
    { "two ways", "1_Pooling/config.json", "{\"word_embedding_dimension\":8,\"pooling_mode_cls_token\":true}",
      "exactly one" },
    { "no way", "1_Pooling/config.json", "{\"word_embedding_dimension\":8,\"pooling_mode_mean_tokens\":false}",
      "exactly one" },
    { "unknown way", "1_Pooling/config.json", "{\"word_embedding_dimension\":8,\"pooling_mode\":\"attention\"}",
      "attention" },
    { "no dimensions", "1_Pooling/config.json", "{}", "word_embedding_dimension" },
    { "length is a text", "sentence_bert_config.json", "{\"max_seq_length\":\"256\"}", "max_seq_length" },
    { "length zero", "sentence_roberta_config.json", "{\"max_seq_length\":0}", "sentence_roberta_config.json" },
    { "prompts is a list", "config_sentence_transformers.json", "{\"prompts\":[]}", "prompts" },
    { "prompt is a number", "config_sentence_transformers.json", "{\"prompts\":{\"a\":1}}", "text" },
    { "a prompt twice", "config_sentence_transformers.json", "{\"prompts\":{\"a\":\"\",\"a\":\"b\"}}", "twice" },
    { "default that is none", "config_sentence_transformers.json", "{\"prompts\":{},\"default_prompt_name\":\"q\"}",
      "\"q\"" },
};

TEST(files_that_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++) {
        const char *const files[] = { "modules.json",  MODULES "]",           "1_Pooling/config.json",
                                      POOLING,         "9_Dense/config.json", "{\"in_features\":9,\"out_features\":9}",
                                      refused[i].file, refused[i].text,       NULL };
        struct arena *arena = arena_new(0, 0);
        struct sentence_files f = { .n_steps = 77 };
        struct vsr_err err = VSR_ERR_NONE;
        CHECK(read_files(arena, files, &f, &err) < 0, refused[i].name);
        CHECK_ERR(err, refused[i].says, refused[i].name);
        CHECK(f.n_steps == 77, refused[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *json, *says;
} dense[] = {
    { "no sizes", "{\"in_features\":8}", "out_features" },
    { "wide", "{\"in_features\":8,\"out_features\":16385}", "out_features" },
    { "activation",
      "{\"in_features\":8,\"out_features\":8,\"activation_function\":\"torch.nn.modules.activation.Softmax\"}",
      "Softmax" },
    { "of the tokens", "{\"in_features\":8,\"out_features\":8,\"module_input_name\":\"token_embeddings\"}",
      "token_embeddings" },
};

TEST(dense_files_that_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(dense); i++) {
        struct sentence_step step = { 0 };
        struct vsr_err err = VSR_ERR_NONE;
        CHECK(sentence_dense_parse(str_from_c(dense[i].json), &step, &err) < 0, dense[i].name);
        CHECK_ERR(err, dense[i].says, dense[i].name);
    }
}

TEST(a_published_model) {
    const char *shared = test_shared_dir();
    struct arena *arena = arena_new(0, 0);
    struct sentence_files f;
    struct vsr_err err = VSR_ERR_NONE;
    char path[1024];
    if (shared) {
        snprintf(path, sizeof(path), "%s/data/tokenizers/bert-uncased", shared);
        CHECK_MSG(sentence_files_read(arena, str_from_c(path), &f, &err) == 0, "%s", err.text);
        CHECK(!f.has_modules || (f.pooling == SENTENCE_MEAN && f.dims == 384 && f.n_steps == 1 && f.tokens_max == 256),
              "mean, unit vector");
    }
    arena_free(arena);
}

RUN_TESTS(T(nothing_there), T(all_there), T(ways_of_pooling), T(files_that_are_refused),
          T(dense_files_that_are_refused), T(a_published_model))
