#include "model/hub_listing.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "test.h"

#define SHA "\"sha\":\"0123456789abcdef0123456789abcdef01234567\""
#define HASH "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define BLOB "ce013625030ba8dba906f756967f9e9ca394464a"

static const struct {
    const char *path;
    bool wanted;
} paths[] = {
    { "config.json", true },
    { "tokenizer.json", true },
    { "category_mapping.json", true },
    { "modules.json", true },
    { "vocab.txt", true },
    { "tokenizer.model", true },
    { "spiece.model", true },
    { "spm.model", true },
    { "model.safetensors", true },
    { "model.safetensors.index.json", true },
    { "model-00001-of-00002.safetensors", true },
    { "adapter_model.safetensors", true },
    { "adapter_config.json", true },
    { "1_Pooling/config.json", true },
    { "2_Dense/model.safetensors", true },
    { "LICENSE", true },
    { "LICENSE.txt", true },
    { "NOTICE", true },
    { "model.fp16.safetensors", false },
    { "model-a-of-b.safetensors", false },
    { "consolidated.safetensors", false },
    { "pytorch_model.bin", false },
    { "pytorch_model.bin.index.json", false },
    { "tf_model.h5", false },
    { "trainer_state.json", false },
    { "merges.txt", false },
    { "sentencepiece.bpe.model", true },
    { "onnx/model_config.json", true },
    { "onnx/config.json", false },
    { "README.md", false },
    { "onnx/model.onnx", false },
    { "onnx/config.json", false },
    { "1_Pooling/other.json", false },
    { "1_Pooling/a/config.json", false },
    { "_Pooling/config.json", false },
    { "1_/config.json", false },
    { "checkpoint-500/config.json", false },
    { ".gitattributes", false },
    { ".vsr-manifest.json", false },
    { ".cache/config.json", false },
    { "../config.json", false },
    { "", false },
};

TEST(wanted_files) {
    for (size_t i = 0; i < VSR_COUNT(paths); i++)
        CHECK_INT(hub_file_wanted(str_from_c(paths[i].path), NULL, 0), paths[i].wanted, paths[i].path);
}

TEST(wanted_on_request) {
    static const char *const extra[] = { "onnx/*.json", "*.md", "../*" };
    CHECK(hub_file_wanted(VSR_STR("onnx/config.json"), extra, 3), "pattern");
    CHECK(hub_file_wanted(VSR_STR("README.md"), extra, 3), "another");
    CHECK(!hub_file_wanted(VSR_STR("onnx/model.onnx"), extra, 3), "no pattern");
    CHECK(!hub_file_wanted(VSR_STR("../x"), extra, 3), "never outside");
    CHECK(!hub_file_wanted(VSR_STR(".git/x.md"), extra, 3), "nothing hidden");
}

TEST(reading) {
    static const char text[] = "{" SHA ",\"siblings\":["
                               "{\"rfilename\":\"tokenizer.json\",\"size\":6,\"blobId\":\"" BLOB "\"},"
                               "{\"rfilename\":\"model.safetensors\",\"size\":7,\"blobId\":\"" BLOB
                               "\",\"lfs\":{\"sha256\":\"" HASH "\",\"size\":8}},"
                               "{\"rfilename\":\"config.json\"},"
                               "{\"rfilename\":\"odd:name.json\"},"
                               "{\"rfilename\":\"a.json\",\"size\":-5,\"blobId\":\"short\"}]}";
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct hub_listing listing;
    CHECK_INT(hub_listing_parse(arena, str_from_c(text), &listing, &err), 0, err.text);
    CHECK_STR(listing.commit, "0123456789abcdef0123456789abcdef01234567", "commit");
    CHECK_INT(listing.n_files, 4, "the odd one is left out");
    CHECK_STR(listing.files[0].path, "a.json", "sorted");
    CHECK_INT(listing.files[0].size, -1, "no size");
    CHECK_INT(listing.files[0].digest.kind, DIGEST_NONE, "no hash");
    CHECK_INT(listing.files[1].size, -1, "not said");
    CHECK_INT(listing.files[2].size, 8, "of the content, not of the pointer");
    CHECK_STR(str_from_c(listing.files[2].digest.hex), HASH, "of the content");
    CHECK_INT(listing.files[2].digest.kind, DIGEST_SHA256, "kind");
    CHECK_STR(str_from_c(listing.files[3].digest.hex), BLOB, "git's");
    CHECK_INT(listing.files[3].digest.kind, DIGEST_GIT_BLOB, "kind");
    arena_free(arena);
}

TEST(refusals) {
    static const struct {
        const char *text;
        int code;
        bool leads_out;
    } cases[] = {
        { "", VSR_E_SYNTAX },
        { "[]", VSR_E_INVALID },
        { "{}", VSR_E_INVALID },
        { "{" SHA "}", VSR_E_INVALID },
        { "{" SHA ",\"siblings\":{}}", VSR_E_INVALID },
        { "{" SHA ",\"siblings\":[1]}", VSR_E_INVALID },
        { "{\"sha\":\"main\",\"siblings\":[]}", VSR_E_INVALID },
        { "{\"sha\":\"0123456/../x\",\"siblings\":[]}", VSR_E_INVALID },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"../x\"}]}", VSR_E_INVALID, true },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"a/../../x\"}]}", VSR_E_INVALID, true },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"/x\"}]}", VSR_E_INVALID, true },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"a\\\\b\"}]}", VSR_E_INVALID, true },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"a\\u0000b\"}]}", VSR_E_INVALID, true },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"\"}]}", VSR_E_INVALID, true },
        { "{" SHA ",\"siblings\":[{\"rfilename\":\"x\"},{\"rfilename\":\"x\"}]}", VSR_E_INVALID },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct hub_listing listing;
        CHECK_INT(hub_listing_parse(arena, str_from_c(cases[i].text), &listing, &err), cases[i].code, cases[i].text);
        CHECK_INT(listing.leads_out, cases[i].leads_out, cases[i].text);
        arena_free(arena);
    }
}

/* Files that exist, separated by spaces; files that are taken, or what the refusal says. */
static const struct {
    const char *name, *files, *taken, *error;
} selections[] = {
    { "plain", "README.md config.json model.safetensors tokenizer.json", "config.json model.safetensors tokenizer.json",
      NULL },
    { "shards", "config.json model-1-of-2.safetensors model-2-of-2.safetensors model.safetensors.index.json vocab.txt",
      "config.json model-1-of-2.safetensors model-2-of-2.safetensors model.safetensors.index.json vocab.txt", NULL },
    { "whole and shards",
      "config.json model-1-of-1.safetensors model.safetensors model.safetensors.index.json tokenizer.json",
      "config.json model.safetensors tokenizer.json", NULL },
    { "adapter", "README.md adapter_config.json adapter_model.safetensors",
      "adapter_config.json adapter_model.safetensors", NULL },
    { "pickles", "config.json pytorch_model.bin tokenizer.json", NULL, "found pytorch_model.bin" },
    { "exports", "config.json onnx/model.onnx tf_model.h5 tokenizer.json", NULL, "found onnx/model.onnx, tf_model.h5" },
    { "nothing", "", NULL, "none at all" },
    { "no configuration", "model.safetensors tokenizer.json", NULL, "no config.json" },
    { "no tokenizer", "config.json model.safetensors", NULL, "no tokenizer" },
    { "a tokenizer of another kind", "config.json model.safetensors sentencepiece.model", NULL, "no tokenizer" },
    { "DeBERTa's tokenizer", "config.json model.safetensors spm.model", "config.json model.safetensors spm.model",
      NULL },
};

TEST(selection) {
    for (size_t i = 0; i < VSR_COUNT(selections); i++) {
        struct arena *arena = arena_new(0, 0);
        struct vsr_err err = VSR_ERR_NONE;
        struct hub_listing listing = { .files = ARENA_ARRAY(arena, struct hub_file, 16) };
        struct buf taken;
        int rc;
        for (vsr_str rest = str_from_c(selections[i].files); rest.ptr && rest.len > 0;)
            listing.files[listing.n_files++].path = str_split(&rest, ' ');
        rc = hub_listing_select(&listing, NULL, 0, &err);
        CHECK_INT(rc, selections[i].taken ? 0 : VSR_E_INVALID, selections[i].name);
        buf_init(&taken, 4096);
        for (size_t f = 0; rc == 0 && f < listing.n_files; f++)
            buf_printf(&taken, "%s%.*s", f > 0 ? " " : "", VSR_FMT(listing.files[f].path));
        if (selections[i].taken)
            CHECK_STR(buf_str(&taken), selections[i].taken, selections[i].name);
        else
            CHECK_MSG(strstr(err.text, selections[i].error) != NULL, "case \"%s\": %s", selections[i].name, err.text);
        buf_done(&taken);
        arena_free(arena);
    }
}

RUN_TESTS(T(wanted_files), T(wanted_on_request), T(reading), T(refusals), T(selection))
