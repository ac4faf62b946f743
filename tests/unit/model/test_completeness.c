#include "model/completeness.h"

#include "core/arena.h"
#include "files.h"

#define HASH_OF_EMPTY_OBJECT "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* "{}" */

static struct completeness look(struct arena *arena, const struct tree *tree, const char *dir, bool hashes) {
    const struct completeness_options options = { .hashes = hashes };
    struct completeness found = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(completeness_check(arena, arena_str(arena, tree_str(tree, dir)), &options, &found, &err) == 0, "%s",
              err.text);
    return found;
}

/* A complete model, then `file` replaced by `text` (NULL: removed). */
static const struct {
    const char *name, *file, *text, *want; /* the one problem's text holds `want`; NULL: none */
} cases[] = {
    { "complete", "notes.txt", "", NULL },
    { "no configuration", "config.json", NULL, "is missing" },
    { "configuration is no JSON", "config.json", "{", "line 1" },
    { "configuration names no type", "config.json", "{}", "model_type" },
    { "type is no text", "config.json", "{\"model_type\":7}", "model_type" },
    { "no tokenizer", "tokenizer.json", NULL, "every other form" },
    { "no weights", "model.safetensors", NULL, "is missing" },
    { "empty weights", "model.safetensors", "", "no safetensors file" },
    { "weights are text", "model.safetensors", "version https://git-lfs.github.com/spec/v1\n", "safetensors file" },
    { "modules are no list", "modules.json", "{}", "expected a list" },
    { "modules without files", "modules.json", "[{\"path\":\"1_Pooling\",\"type\":\"x.Pooling\"}]", "is missing" },
    { "module outside", "modules.json", "[{\"path\":\"../x\",\"type\":\"x.Pooling\"}]", "below the model" },
    { "module below a directory", "modules.json", "[{\"path\":\"a/1_Pooling/\",\"type\":\"x.Pooling\"}]",
      "is missing" },
    { "module in the root", "modules.json", "[{\"path\":\"\",\"type\":\"x.Transformer\"}]", NULL },
    { "manifest is no JSON", MANIFEST_NAME, "{", "" },
    { "manifest of another format", MANIFEST_NAME, "{\"format\":2,\"files\":[]}", "\"format\": 1" },
    { "manifest outside", MANIFEST_NAME,
      "{\"format\":1,\"files\":[{\"path\":\"../x\",\"size\":1,\"sha256\":\"" HASH_OF_EMPTY_OBJECT "\"}]}",
      "below the directory" },
    { "manifest with a short hash", MANIFEST_NAME,
      "{\"format\":1,\"files\":[{\"path\":\"x\",\"size\":1,\"sha256\":\"44\"}]}", "64 hexadecimal" },
    { "manifest names an absent file", MANIFEST_NAME,
      "{\"format\":1,\"files\":[{\"path\":\"x\",\"size\":1,\"sha256\":\"" HASH_OF_EMPTY_OBJECT "\"}]}", "is missing" },
    { "manifest has another size", MANIFEST_NAME,
      "{\"format\":1,\"files\":[{\"path\":\"tokenizer.json\",\"size\":3,\"sha256\":\"" HASH_OF_EMPTY_OBJECT "\"}]}",
      "has 2 bytes, it was downloaded with 3" },
};

TEST(one_thing_wrong) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct completeness found;
        struct tree tree;
        char path[128];
        tree_make(&tree);
        tree_model(&tree, "m");
        snprintf(path, sizeof(path), "m/%s", cases[i].file);
        if (cases[i].text)
            tree_text(&tree, path, cases[i].text);
        else
            CHECK(unlink(tree_path(&tree, path)) == 0, cases[i].name);
        found = look(arena, &tree, "m", true);
        CHECK_INT(found.n_problems, cases[i].want != NULL, cases[i].name);
        if (cases[i].want)
            CHECK_MSG(str_find(found.problems[0].text, str_from_c(cases[i].want)) >= 0, "case \"%s\": \"%.*s\"",
                      cases[i].name, VSR_FMT(found.problems[0].text));
        tree_remove(&tree);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *header;
    size_t data_len;
    const char *want;
} weights[] = {
    { "as long as it says", WEIGHTS_HEADER, 8, NULL },
    { "cut", WEIGHTS_HEADER, 7, "cut off" },
    { "longer", WEIGHTS_HEADER, 9, "accounts for" },
    { "no data", WEIGHTS_HEADER, 0, "cut off" },
    { "no tensors", "{}", 0, NULL },
    { "metadata is no tensor", "{\"__metadata__\":{\"format\":\"pt\"}}", 0, NULL },
    { "padded", "{}      ", 0, NULL },
    { "the last tensor first",
      "{\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[2,4]},"
      "\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
      4, NULL },
    { "no object", "[]", 0, "" },
    { "no JSON", "{\"w\":", 0, "" },
    { "no offsets", "{\"w\":{}}", 0, "" },
    { "offsets backwards", "{\"w\":{\"data_offsets\":[4,0]}}", 4, "" },
    { "negative offsets", "{\"w\":{\"data_offsets\":[-8,0]}}", 0, "" },
    { "huge offsets", "{\"w\":{\"data_offsets\":[0,9223372036854775807]}}", 0, "" },
    { "offsets past all numbers", "{\"w\":{\"data_offsets\":[0,9223372036854775808]}}", 0, "" },
    { "one offset", "{\"w\":{\"data_offsets\":[0]}}", 0, "" },
};

TEST(weights_are_as_long_as_their_header_says) {
    for (size_t i = 0; i < VSR_COUNT(weights); i++) {
        struct arena *arena = arena_new(0, 0);
        struct completeness found;
        struct tree tree;
        tree_make(&tree);
        tree_model(&tree, "m");
        tree_weights(&tree, "m/model.safetensors", weights[i].header, weights[i].data_len);
        found = look(arena, &tree, "m", false);
        CHECK_INT(found.n_problems, weights[i].want != NULL, weights[i].name);
        if (weights[i].want)
            CHECK_MSG(str_find(found.problems[0].text, str_from_c(weights[i].want)) >= 0, "case \"%s\": \"%.*s\"",
                      weights[i].name, VSR_FMT(found.problems[0].text));
        tree_remove(&tree);
        arena_free(arena);
    }
}

TEST(header_longer_than_the_file) {
    static const unsigned char lengths[][8] = {
        { 1, 0, 0, 0, 0, 0, 0, 0 },
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
        { 0, 0, 0, 0, 0, 0, 0, 0x80 },
        { 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
    };
    for (size_t i = 0; i < VSR_COUNT(lengths); i++) {
        struct arena *arena = arena_new(0, 0);
        struct completeness found;
        struct tree tree;
        tree_make(&tree);
        tree_model(&tree, "m");
        tree_bytes(&tree, "m/model.safetensors", lengths[i], sizeof(lengths[i]));
        found = look(arena, &tree, "m", false);
        CHECK_INT(found.n_problems, 1, "a header that cannot be");
        tree_remove(&tree);
        arena_free(arena);
    }
}

TEST(shards) {
    struct arena *arena = arena_new(0, 0);
    struct completeness found;
    struct tree tree;
    tree_make(&tree);
    tree_model(&tree, "m");
    unlink(tree_path(&tree, "m/model.safetensors"));
    tree_text(&tree, "m/model.safetensors.index.json",
              "{\"weight_map\":{\"a\":\"s1.safetensors\",\"b\":\"s2.safetensors\",\"c\":\"s1.safetensors\"}}");
    tree_weights(&tree, "m/s1.safetensors", WEIGHTS_HEADER, 8);
    found = look(arena, &tree, "m", false);
    CHECK_INT(found.n_problems, 1, "one is missing");
    CHECK_STR(found.problems[0].file, "s2.safetensors", "which");
    tree_weights(&tree, "m/s2.safetensors", WEIGHTS_HEADER, 7);
    CHECK_INT(look(arena, &tree, "m", false).n_problems, 1, "one is cut");
    tree_weights(&tree, "m/s2.safetensors", WEIGHTS_HEADER, 8);
    found = look(arena, &tree, "m", false);
    CHECK_INT(found.n_problems, 0, "all there");
    CHECK_INT(found.weight_bytes, 2 * (8 + strlen(WEIGHTS_HEADER) + 8), "each once");
    tree_text(&tree, "m/model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../s1.safetensors\"}}");
    CHECK_INT(look(arena, &tree, "m", false).n_problems, 1, "outside");
    tree_text(&tree, "m/model.safetensors.index.json", "{\"weight_map\":{}}");
    CHECK_INT(look(arena, &tree, "m", false).n_problems, 1, "no shards");
    tree_remove(&tree);
    arena_free(arena);
}

TEST(adapter) {
    struct arena *arena = arena_new(0, 0);
    struct completeness found;
    struct tree tree;
    tree_make(&tree);
    tree_text(&tree, "m/adapter_config.json", "{}");
    found = look(arena, &tree, "m", false);
    CHECK(found.adapter, "adapter");
    CHECK_INT(found.n_problems, 1, "no weights");
    tree_weights(&tree, "m/adapter_model.safetensors", WEIGHTS_HEADER, 8);
    CHECK_INT(look(arena, &tree, "m", false).n_problems, 0, "complete without tokenizer and configuration");
    tree_remove(&tree);
    arena_free(arena);
}

TEST(other_weights_are_named) {
    struct arena *arena = arena_new(0, 0);
    struct completeness found;
    struct tree tree;
    tree_make(&tree);
    tree_model(&tree, "m");
    unlink(tree_path(&tree, "m/model.safetensors"));
    tree_text(&tree, "m/onnx/model.onnx", "x");
    found = look(arena, &tree, "m", false);
    CHECK_INT(found.n_problems, 1, "one");
    CHECK(str_find(found.problems[0].text, VSR_STR("onnx/model.onnx, which vsr does not read")) >= 0, "which");
    tree_remove(&tree);
    arena_free(arena);
}

TEST(hashes_only_on_request) {
    struct arena *arena = arena_new(0, 0);
    struct completeness found;
    struct tree tree;
    tree_make(&tree);
    tree_model(&tree, "m");
    tree_text(&tree, "m/" MANIFEST_NAME,
              "{\"format\":1,\"repo_id\":\"me/own\",\"commit\":\"c0\",\"files\":[{\"path\":\"tokenizer.json\","
              "\"size\":2,\"sha256\":\"" HASH_OF_EMPTY_OBJECT "\"}]}");
    found = look(arena, &tree, "m", true);
    CHECK_INT(found.n_problems, 0, "as downloaded");
    CHECK_INT(found.n_hashed, 1, "hashed");
    CHECK_STR(found.manifest.repo_id, "me/own", "repository");
    tree_text(&tree, "m/tokenizer.json", "[]");
    CHECK_INT(look(arena, &tree, "m", false).n_problems, 0, "same size, nobody looked");
    found = look(arena, &tree, "m", true);
    CHECK_INT(found.n_problems, 1, "changed");
    CHECK(str_find(found.problems[0].text, VSR_STR("expected " HASH_OF_EMPTY_OBJECT)) >= 0, "which hash");
    tree_remove(&tree);
    arena_free(arena);
}

TEST(required_files) {
    const vsr_str required[] = { VSR_STR("category_mapping.json"), VSR_STR("tokenizer.json") };
    const struct completeness_options options = { .required = required, .n_required = VSR_COUNT(required) };
    struct arena *arena = arena_new(0, 0);
    struct completeness found;
    struct vsr_err err = VSR_ERR_NONE;
    struct tree tree;
    tree_make(&tree);
    tree_model(&tree, "m");
    CHECK_INT(completeness_check(arena, tree_str(&tree, "m"), &options, &found, &err), 0, "looks");
    CHECK_INT(found.n_problems, 1, "one is missing");
    CHECK_STR(found.problems[0].file, "category_mapping.json", "which");
    CHECK_INT(completeness_check(arena, tree_str(&tree, "nowhere"), &options, &found, &err), VSR_E_NOT_FOUND, "absent");
    tree_remove(&tree);
    arena_free(arena);
}

/* Whatever is wrong, all of it is said at once. */
TEST(all_problems) {
    struct arena *arena = arena_new(0, 0);
    struct tree tree;
    tree_make(&tree);
    tree_text(&tree, "m/notes.txt", "");
    CHECK_INT(look(arena, &tree, "m", false).n_problems, 3, "configuration, tokenizer, weights");
    tree_remove(&tree);
    arena_free(arena);
}

RUN_TESTS(T(one_thing_wrong), T(weights_are_as_long_as_their_header_says), T(header_longer_than_the_file), T(shards),
          T(adapter), T(other_weights_are_named), T(hashes_only_on_request), T(required_files), T(all_problems))
