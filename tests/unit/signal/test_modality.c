/* What kind of answer is asked for. */
#include "signal/modality.h"

#include <math.h>

#include "fixture.h"

extern const struct signal_family signal_modality;

#define RULES "[{name: BOTH}, {name: AR}, {name: DIFFUSION}]"

TEST(names) {
    struct fixture f;
    CHECK(fixture_decode(&f, &signal_modality, VSR_STR(RULES)), "all three");
    fixture_free(&f);
    fixture_must_refuse(&signal_modality, "[{name: diffusion}]", "did you mean \"DIFFUSION\"?");
    fixture_must_refuse(&signal_modality, "[{name: video}]", "\"video\" is not one of AR, DIFFUSION, BOTH");
}

static vsr_str image_words[] = { VSR_STR_INIT("draw"), VSR_STR_INIT("Image"), VSR_STR_INIT(" "),
                                 VSR_STR_INIT("\u753B\u4E00\u5F20"), VSR_STR_INIT("oil painting") };
static vsr_str both_words[] = { VSR_STR_INIT("explain"), VSR_STR_INIT("and describe") };
static const struct config_modality_detector keyword_detector = {
    .enabled = true,
    .method = MODALITY_KEYWORD,
    .keywords = { .items = image_words, .n = VSR_COUNT(image_words) },
    .both_keywords = { .items = both_words, .n = VSR_COUNT(both_words) },
};

/* Evaluates the three rules; the label that matched and who said so, or "-". */
static const char *judged(const struct config_modality_detector *detector, vsr_str text) {
    static char out[64];
    struct fixture f;
    size_t n = 0;
    CHECK(fixture_decode(&f, &signal_modality, VSR_STR(RULES)), "rules");
    f.doc.global.model_catalog.modules.modality_detector = *detector;
    CHECK(fixture_build(&f), "build");
    fixture_eval_text(&f, text);
    CHECK_INT(f.rc, 0, "eval");
    snprintf(out, sizeof(out), "-");
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(bits_has(f.results.evaluated, i), "every rule has a result");
        CHECK(bits_has(f.results.unavailable, i) == !f.request.modality.method, "all or none are unavailable");
        if (!fixture_matched(&f, i))
            continue;
        n++;
        CHECK_STR(f.slots.items[i].name, modality_label(f.request.modality.label), "the rule of the verdict");
        snprintf(out, sizeof(out), "%.*s %.2f %s", VSR_FMT(f.slots.items[i].name), f.request.modality.confidence,
                 f.request.modality.method);
    }
    CHECK_INT(n, f.request.modality.method != NULL, "exactly one matches");
    fixture_free(&f);
    return out;
}

static void check_judged(const struct config_modality_detector *detector, const char *text, const char *want) {
    const char *got = judged(detector, str_from_c(text));
    CHECK_MSG(strcmp(got, want) == 0, "\"%s\": got %s, want %s", text, got, want);
}

static const struct {
    const char *text, *want;
} prompts[] = {
    { "", "AR 1.00 default" },
    { " \n\t", "AR 1.00 default" },
    { "What is 2 + 2?", "AR 0.80 keyword" },
    { "DRAW a cat", "DIFFUSION 0.80 keyword" },
    { "an image.", "DIFFUSION 0.80 keyword" },
    { "Draw a cat and explain it", "BOTH 0.75 keyword" },
    { "explain it", "AR 0.80 keyword" },
    { "imagery of thought, a drawer", "AR 0.80 keyword" },
    { "\u8BF7\u753B\u4E00\u5F20\u732B", "DIFFUSION 0.80 keyword" },
    { "an oil  painting", "AR 0.80 keyword" },
    { "an oil painting", "DIFFUSION 0.80 keyword" },
};

TEST(by_words) {
    for (size_t i = 0; i < VSR_COUNT(prompts); i++)
        check_judged(&keyword_detector, prompts[i].text, prompts[i].want);
}

TEST(without_a_detector) {
    struct config_modality_detector detector = keyword_detector;
    detector.enabled = false;
    check_judged(&detector, "draw a cat", "-");
    check_judged(&detector, "", "-");
    detector.enabled = true;
    detector.method = MODALITY_CLASSIFIER;
    check_judged(&detector, "draw a cat", "-");
    check_judged(&detector, "", "AR 1.00 default");
    detector.method = MODALITY_HYBRID;
    check_judged(&detector, "draw a cat", "DIFFUSION 0.80 keyword");
    detector.keywords.n = 0;
    check_judged(&detector, "draw a cat", "-");
    detector.method = MODALITY_KEYWORD;
    check_judged(&detector, "draw a cat", "AR 0.50 keyword");
}

/* The middle of a long text is outside of the window, whatever the recipe's scan finds there. */
TEST(words_in_the_window) {
    struct buf text;
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 6000; i++)
        buf_append_c(&text, i == 1500 ? "draw " : "word ");
    CHECK(strcmp(judged(&keyword_detector, buf_str(&text)), "AR 0.80 keyword") == 0, "between the parts");
    buf_append_c(&text, "draw");
    CHECK(strcmp(judged(&keyword_detector, buf_str(&text)), "DIFFUSION 0.80 keyword") == 0, "at the end");
    buf_done(&text);
}

static const struct {
    double model;
    enum modality_kind label;
    const char *method;
    enum modality_kind want;
    double confidence;
} blends[] = {
    { .6, MODALITY_DIFFUSION, "hybrid/classifier", MODALITY_DIFFUSION, .6 },
    { .59, MODALITY_AR, "hybrid/agree", MODALITY_AR, .695 },
    { .1, MODALITY_AR, "hybrid/agree", MODALITY_AR, .45 },
    { .59, MODALITY_BOTH, "hybrid/classifier-preferred", MODALITY_BOTH, .59 },
    { .3, MODALITY_BOTH, "hybrid/classifier-preferred", MODALITY_BOTH, .3 },
    { .29, MODALITY_BOTH, "hybrid/keyword-override", MODALITY_AR, .8 },
};

TEST(hybrid_with_a_model) {
    struct config_modality_detector detector = keyword_detector;
    struct modality_verdict words = modality_by_words(&detector, false, false), verdict;
    detector.method = MODALITY_HYBRID;
    detector.confidence_threshold = .6;
    detector.lower_threshold_ratio = .5;
    for (size_t i = 0; i < VSR_COUNT(blends); i++) {
        struct modality_verdict model = { .label = blends[i].label, .confidence = blends[i].model };
        verdict = modality_decide(&detector, &words, &model);
        CHECK_MSG(strcmp(verdict.method, blends[i].method) == 0, "%zu: %s", i, verdict.method);
        CHECK(verdict.label == blends[i].want && fabs(verdict.confidence - blends[i].confidence) < 1e-12,
              blends[i].method);
    }
    detector.method = MODALITY_CLASSIFIER;
    verdict =
        modality_decide(&detector, &words, &(struct modality_verdict){ .label = MODALITY_BOTH, .confidence = .2 });
    CHECK(strcmp(verdict.method, "classifier") == 0 && verdict.label == MODALITY_BOTH, "the model alone");
}

RUN_TESTS(T(names), T(by_words), T(without_a_detector), T(words_in_the_window), T(hybrid_with_a_model))
