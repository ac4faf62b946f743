#include "model/embedder.h"

#include "test.h"

#define Q (1u << EMBEDDER_QWEN3)
#define G (1u << EMBEDDER_GEMMA)
#define M (1u << EMBEDDER_MMBERT)

static const struct {
    const char *name;
    size_t tokens, dim;
    double quality, latency;
    unsigned loaded;
    int want; /* enum embedder, or an error */
} cases[] = {
    { "short, no wish", 100, 0, 0, 0, Q | G | M, EMBEDDER_QWEN3 },
    { "short, quick", 100, 0, 0, 0.8, Q | G | M, EMBEDDER_GEMMA },
    { "short, good before quick", 100, 0, 0.8, 0.8, Q | G | M, EMBEDDER_QWEN3 },
    { "short, just not quick", 100, 0, 0, 0.7, Q | G | M, EMBEDDER_QWEN3 },
    { "last short", 512, 0, 0, 0, Q | G | M, EMBEDDER_QWEN3 },
    { "first middle", 513, 0, 1, 0, Q | G | M, EMBEDDER_GEMMA },
    { "last middle", 2048, 0, 1, 0, Q | G | M, EMBEDDER_GEMMA },
    { "first long", 2049, 0, 0, 1, Q | G | M, EMBEDDER_QWEN3 },
    { "few dimensions, quick", 100, 256, 0.9, 0.6, Q | G | M, EMBEDDER_GEMMA },
    { "few dimensions, not quick", 100, 256, 0.9, 0.5, Q | G | M, EMBEDDER_QWEN3 },
    { "all dimensions", 100, 768, 0.9, 0.6, Q | G | M, EMBEDDER_QWEN3 },
    { "few dimensions do not send long text to gemma", 2049, 256, 0, 1, Q | G | M, EMBEDDER_QWEN3 },
    { "no qwen3", 100, 0, 0, 0, G | M, EMBEDDER_MMBERT },
    { "gemma alone", 100, 0, 0, 0, G, EMBEDDER_GEMMA },
    { "no gemma", 600, 0, 0, 0, Q | M, EMBEDDER_MMBERT },
    { "qwen3 alone", 600, 0, 0, 0, Q, EMBEDDER_QWEN3 },
    { "long, gemma alone", 2049, 0, 0, 0, G, VSR_E_UNAVAILABLE },
    { "long, no qwen3", 2049, 0, 0, 0, G | M, EMBEDDER_MMBERT },
    { "nothing", 1, 0, 0, 0, 0, VSR_E_UNAVAILABLE },
    { "bert is not among them", 1, 0, 0, 0, 1u << EMBEDDER_BERT, VSR_E_UNAVAILABLE },
    { "longest", 32768, 0, 0, 0, Q, EMBEDDER_QWEN3 },
    { "too long", 32769, 0, 0, 0, Q, VSR_E_LIMIT },
    { "no tokens", 0, 0, 0, 0, Q, EMBEDDER_QWEN3 },
};

TEST(choice) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct embedder_wish wish = { cases[i].tokens, cases[i].quality, cases[i].latency, cases[i].dim, { false } };
        enum embedder got = EMBEDDER_AUTO;
        struct vsr_err err = VSR_ERR_NONE;
        int rc;
        for (size_t e = 0; e < EMBEDDERS_COUNT; e++)
            wish.loaded[e] = cases[i].loaded >> e & 1;
        rc = embedder_choose(&wish, &got, &err);
        CHECK_INT(rc < 0 ? rc : (int)got, cases[i].want, cases[i].name);
    }
}

TEST(name_lists) {
    struct vsr_err err = VSR_ERR_NONE;
    enum embedder got;
    for (size_t i = 0; i < EMBEDDERS_COUNT; i++) {
        const char *name = embedder_name((enum embedder)i);
        CHECK_INT(embedder_parse(str_from_c(name), &got, &err), 0, name);
        CHECK_INT(got, i, name);
    }
    CHECK_INT(embedder_parse(VSR_STR("Gemma"), &got, &err), VSR_E_INVALID, "case counts");
    CHECK_INT(embedder_parse(VSR_STR(""), &got, &err), VSR_E_INVALID, "empty");
}

TEST(defaults) {
    bool has[EMBEDDERS_COUNT] = { false };
    CHECK_INT(embedder_default(has), EMBEDDER_BERT, "none");
    has[EMBEDDER_GEMMA] = true;
    CHECK_INT(embedder_default(has), EMBEDDER_GEMMA, "gemma");
    has[EMBEDDER_QWEN3] = true;
    CHECK_INT(embedder_default(has), EMBEDDER_QWEN3, "qwen3");
    has[EMBEDDER_MULTIMODAL] = true;
    CHECK_INT(embedder_default(has), EMBEDDER_MULTIMODAL, "multimodal");
    has[EMBEDDER_MMBERT] = true;
    CHECK_INT(embedder_default(has), EMBEDDER_MMBERT, "mmbert");
}

RUN_TESTS(T(choice), T(name_lists), T(defaults))
