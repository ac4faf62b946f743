/* The models of the program: their names and labels, one pass for several, pairs, limits, threads. */
#include "model/builtin.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "nn/mixer.h"
#include "test.h"
#include "text/token_shape.h"
#include "text/tokenizer.h"

static const struct builtin_model *open_model(const char *name) {
    struct vsr_err err = VSR_ERR_NONE;
    const struct builtin_model *model = NULL;
    CHECK_MSG(builtin_open(str_from_c(name), &model, &err) == 0, "%s: %s", name, err.text);
    return model;
}

TEST(what_there_is) {
    static const struct {
        const char *name;
        enum builtin_kind kind;
        size_t n_labels; /* 0: not fixed */
        const char *first, *last;
    } cases[] = {
        { "builtin/embedding", BUILTIN_VECTOR, 0, NULL, NULL },
        { "builtin/domain", BUILTIN_CLASSES, 14, "biology", "psychology" },
        { "builtin/jailbreak", BUILTIN_CLASSES, 2, "benign", "jailbreak" },
        { "builtin/pii", BUILTIN_TAGS, 35, "O", "I-ZIP_CODE" },
        { "builtin/fact-check", BUILTIN_CLASSES, 2, "NO_FACT_CHECK_NEEDED", "FACT_CHECK_NEEDED" },
        { "builtin/feedback", BUILTIN_CLASSES, 4, "satisfied", "want_different" },
        { "builtin/modality", BUILTIN_CLASSES, 3, "AR", "BOTH" },
        { "builtin/difficulty", BUILTIN_CLASSES, 0, NULL, NULL },
        { "builtin/hallucination", BUILTIN_PAIR_TAGS, 2, "supported", "hallucinated" },
        { "builtin/nli", BUILTIN_PAIR_CLASSES, 3, "entailment", "contradiction" },
    };
    size_t n;
    (void)builtin_names(&n);
    CHECK_INT(n, VSR_COUNT(cases), "as many as there are names");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        const struct builtin_model *model = open_model(cases[i].name);
        CHECK_STR(model->name, cases[i].name, cases[i].name);
        CHECK_STR(model->task, cases[i].name + strlen(BUILTIN_PREFIX), cases[i].name);
        CHECK_INT(model->kind, cases[i].kind, cases[i].name);
        CHECK_INT(model->version.len, 12, cases[i].name);
        CHECK(model == open_model(cases[i].name), "the same when it is opened again");
        if (cases[i].n_labels > 0)
            CHECK_INT(model->n_labels, cases[i].n_labels, cases[i].name);
        if (model->kind != BUILTIN_VECTOR)
            CHECK_INT(model->width, model->n_labels, cases[i].name);
        if (cases[i].first)
            CHECK_STR(model->labels[0], cases[i].first, cases[i].name);
        if (cases[i].last)
            CHECK_STR(model->labels[model->n_labels - 1], cases[i].last, cases[i].name);
    }
}

TEST(names) {
    struct vsr_err err = VSR_ERR_NONE;
    const struct builtin_model *model = NULL;
    CHECK(builtin_is(VSR_STR("builtin/domain")) && builtin_is(VSR_STR("builtin/domains")), "a name of one");
    CHECK(!builtin_is(VSR_STR("models/builtin/domain")) && !builtin_is(VSR_STR("builtin")), "a name of none");
    CHECK_INT(builtin_open(VSR_STR("builtin/domains"), &model, &err), VSR_E_NOT_FOUND, "a task that is none");
    CHECK_MSG(strstr(err.text, "builtin/domain,"), "%s", err.text);
}

static const char *const texts[] = {
    "",
    " ",
    "a",
    "Reach me at jane.doe@example.com, or call +1 (555) 010-9999 before 5 PM.",
    "\xE6\x88\x91\xE6\x83\xB3\xE7\x9F\xA5\xE9\x81\x93 what \xC3\x89t\xC3\xA9 means \xF0\x9F\x98\x80!",
    "broken \xFF\xFE bytes and a NUL",
    "the gateway\n\n\treads  the   request",
};

static void check_rows(const struct builtin_model *model, const struct builtin_result *result, const char *name) {
    for (size_t row = 0; row < result->n_rows; row++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < model->width; i++) {
            float x = result->numbers[row * model->width + i];
            sum += x;
            squares += (double)x * x;
        }
        CHECK_MSG(fabs((model->kind == BUILTIN_VECTOR ? squares : sum) - 1) < 1e-4 ||
                      (model->kind == BUILTIN_VECTOR && squares < 1e-4),
                  "%s of \"%s\": row %zu adds up to %g", model->name.ptr, name, row, sum);
    }
}

/* Together they say what each says alone. */
TEST(several_in_one_pass) {
    const struct builtin_model *models[] = { open_model("builtin/embedding"), open_model("builtin/domain"),
                                             open_model("builtin/pii"), open_model("builtin/fact-check") };
    struct builtin_scratch *together = builtin_scratch_new(), *alone = builtin_scratch_new();
    for (size_t t = 0; t < VSR_COUNT(texts); t++) {
        struct builtin_result results[VSR_COUNT(models)], one;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_MSG(builtin_run(together, str_from_c(texts[t]), models, VSR_COUNT(models), results, &err) == 0, "%s",
                  err.text);
        for (size_t i = 0; i < VSR_COUNT(models); i++) {
            CHECK_MSG(builtin_run(alone, str_from_c(texts[t]), &models[i], 1, &one, &err) == 0, "%s", err.text);
            CHECK_INT(one.n_rows, results[i].n_rows, texts[t]);
            CHECK(memcmp(one.numbers, results[i].numbers, one.n_rows * models[i]->width * sizeof(float)) == 0,
                  texts[t]);
            check_rows(models[i], &results[i], texts[t]);
        }
    }
    builtin_scratch_free(together);
    builtin_scratch_free(alone);
}

TEST(tags_have_places) {
    const struct builtin_model *pii = open_model("builtin/pii");
    struct builtin_scratch *scratch = builtin_scratch_new();
    for (size_t t = 0; t < VSR_COUNT(texts); t++) {
        struct builtin_result result;
        struct builtin_tokens tokens;
        struct vsr_err err = VSR_ERR_NONE;
        uint32_t at = 0;
        CHECK(builtin_run(scratch, str_from_c(texts[t]), &pii, 1, &result, &err) == 0, err.text);
        tokens = builtin_tokens(scratch);
        CHECK_INT(tokens.n, result.n_rows, texts[t]);
        for (size_t i = 0; i < tokens.n; i++) {
            CHECK(tokens.starts[i] <= tokens.ends[i] && tokens.ends[i] <= strlen(texts[t]), texts[t]);
            CHECK(tokens.starts[i] >= at, texts[t]);
            at = tokens.starts[i];
        }
    }
    builtin_scratch_free(scratch);
}

TEST(pairs) {
    const struct builtin_model *nli = open_model("builtin/nli"), *invents = open_model("builtin/hallucination");
    struct builtin_scratch *scratch = builtin_scratch_new();
    struct builtin_result result;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str context = str_from_c("The gateway was built in 2019."), answer = str_from_c("It was built in 2020.");
    float before[4];
    CHECK(builtin_run_pair(scratch, context, answer, &invents, 1, &result, &err) == 0, err.text);
    CHECK_INT(result.n_rows, builtin_tokens(scratch).n, "a row for each token of the answer");
    CHECK(builtin_tokens(scratch).ends[result.n_rows - 1] == answer.len, "places are the answer's");
    check_rows(invents, &result, "a pair");
    CHECK(builtin_run_pair(scratch, context, answer, &nli, 1, &result, &err) == 0, err.text);
    CHECK_INT(result.n_rows, 1, "one row");
    memcpy(before, result.numbers, 3 * sizeof(float));
    CHECK(builtin_run_pair(scratch, answer, context, &nli, 1, &result, &err) == 0, err.text);
    CHECK(memcmp(before, result.numbers, 3 * sizeof(float)) != 0, "the order counts");
    CHECK(builtin_run_pair(scratch, VSR_STR(""), VSR_STR(""), &nli, 1, &result, &err) == 0, err.text);
    builtin_scratch_free(scratch);
}

TEST(limits) {
    const struct builtin_model *model = open_model("builtin/domain"), *nli = open_model("builtin/nli");
    struct builtin_scratch *scratch = builtin_scratch_new();
    struct builtin_result result;
    struct vsr_err err = VSR_ERR_NONE;
    size_t len = BUILTIN_TEXT_LEN_MAX + 1;
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? '9' : ' ';
    CHECK_INT(builtin_run(scratch, str_make(text, len), &model, 1, &result, &err), VSR_E_LIMIT, "bytes");
    CHECK_MSG(strstr(err.text, "must be cut"), "%s", err.text);
    CHECK_INT(builtin_run_pair(scratch, str_make(text, 6 * (size_t)MIXER_TOKENS_MAX), VSR_STR("x"), &nli, 1, &result,
                               &err),
              VSR_E_LIMIT, "tokens of a pair");
    CHECK_MSG(strstr(err.text, "tokens"), "%s", err.text);
    CHECK_INT(builtin_run(scratch, str_make(text, 6 * (size_t)BUILTIN_TOKENS_MAX), &model, 1, &result, &err),
              VSR_E_LIMIT, "tokens");
    CHECK_MSG(strstr(err.text, "tokens"), "%s", err.text);
    CHECK_INT(builtin_run(scratch, str_make(text, 2000), &model, 1, &result, &err), 0, "works again");
    free(text);
    builtin_scratch_free(scratch);
}

/* What is kept of the last text makes no difference: in any order the answers are those of a new scratch. */
TEST(the_last_text_again) {
    const struct builtin_model *models[] = { open_model("builtin/domain"), open_model("builtin/pii") };
    struct builtin_scratch *kept = builtin_scratch_new();
    for (unsigned i = 0; i < 64; i++) {
        struct builtin_scratch *fresh = builtin_scratch_new();
        vsr_str text = str_from_c(texts[i / 3 % 2 ? 3 : 1]);
        struct builtin_result want, got;
        struct vsr_err err = VSR_ERR_NONE;
        if (i % 7 == 6) { /* others' tokens between */
            uint8_t shape = 0;
            uint32_t id = 0;
            CHECK(builtin_run_tokens(kept, models[0], &id, &shape, 1, &got, &err) == 0, err.text);
        }
        CHECK(builtin_run(fresh, text, &models[i % 2], 1, &want, &err) == 0, err.text);
        CHECK(builtin_run(kept, text, &models[i % 2], 1, &got, &err) == 0, err.text);
        CHECK_INT(got.n_rows, want.n_rows, "rows");
        CHECK_INT(builtin_tokens(kept).n, builtin_tokens(fresh).n, "tokens");
        CHECK(memcmp(got.numbers, want.numbers, got.n_rows * models[i % 2]->width * sizeof(float)) == 0, "the same");
        builtin_scratch_free(fresh);
    }
    builtin_scratch_free(kept);
}

/* What an engine does by itself: tokens first, then one model. */
TEST(tokens_of_others) {
    const struct builtin_model *models[] = { open_model("builtin/pii"), open_model("builtin/domain") };
    struct builtin_scratch *scratch = builtin_scratch_new(), *other = builtin_scratch_new();
    const struct tokenizer_options options = { .bare = true };
    struct tokenizer_scratch *tokenizer = tokenizer_scratch_new();
    for (size_t m = 0; m < VSR_COUNT(models); m++) {
        vsr_str text = str_from_c(texts[3]);
        struct builtin_result want, got;
        struct encoding tokens;
        struct vsr_err err = VSR_ERR_NONE;
        uint8_t shapes[256];
        CHECK(builtin_run(scratch, text, &models[m], 1, &want, &err) == 0, err.text);
        CHECK(tokenizer_encode(builtin_tokenizer(), tokenizer, text, &options, &tokens, &err) == 0, err.text);
        builtin_shapes(text, tokens.ids, tokens.starts, tokens.ends, tokens.n, shapes);
        CHECK(builtin_run_tokens(other, models[m], tokens.ids, shapes, tokens.n, &got, &err) == 0, err.text);
        CHECK_INT(got.n_rows, want.n_rows, "rows");
        CHECK(memcmp(got.numbers, want.numbers, got.n_rows * models[m]->width * sizeof(float)) == 0, "the same");
    }
    tokenizer_scratch_free(tokenizer);
    builtin_scratch_free(scratch);
    builtin_scratch_free(other);
}

TEST(a_pair_of_tokens) {
    const struct builtin_model *model = open_model("builtin/hallucination");
    struct builtin_scratch *scratch = builtin_scratch_new();
    uint32_t ids[] = { 3, 4, 5, 3, 6 };
    uint8_t shapes[] = { 8, 8, 8, 8 | BUILTIN_SECOND, 8 | BUILTIN_SECOND };
    struct builtin_result result;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK(builtin_run_tokens(scratch, model, ids, shapes, 5, &result, &err) == 0, err.text);
    CHECK_INT(result.n_rows, 5, "a row for each token of both");
    for (size_t i = 0; i < 3; i++)
        CHECK(result.numbers[2 * i] == 1 && result.numbers[2 * i + 1] == 0, "of the first text");
    check_rows(model, &result, "tokens");
    builtin_scratch_free(scratch);
}

/* A lone mark of a word's beginning has no shape, wherever its place is. */
TEST(shapes) {
    static const struct {
        const char *text;
        uint8_t want[4];
    } cases[] = {
        { "~", { TOKEN_SHAPE_EMPTY, TOKEN_SHAPE_OTHER + TOKEN_SHAPES } },
        { " 7", { TOKEN_SHAPE_EMPTY, TOKEN_SHAPE_DIGITS + TOKEN_SHAPES } },
        { "! @",
          { TOKEN_SHAPE_EMPTY, TOKEN_SHAPE_STOP + TOKEN_SHAPES, TOKEN_SHAPE_EMPTY, TOKEN_SHAPE_AT + TOKEN_SHAPES } },
    };
    const struct tokenizer_options options = { .bare = true };
    struct tokenizer_scratch *tokenizer = tokenizer_scratch_new();
    (void)open_model("builtin/embedding");
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        struct encoding tokens;
        struct vsr_err err = VSR_ERR_NONE;
        uint8_t got[4];
        CHECK(tokenizer_encode(builtin_tokenizer(), tokenizer, text, &options, &tokens, &err) == 0, err.text);
        CHECK(tokens.n <= 4, cases[i].text);
        builtin_shapes(text, tokens.ids, tokens.starts, tokens.ends, tokens.n, got);
        for (size_t k = 0; k < tokens.n; k++) {
            vsr_str piece = tokenizer_token(builtin_tokenizer(), tokens.ids[k]);
            if (piece.len == 3 || !str_starts(piece, VSR_STR("\xE2\x96\x81"))) /* pieces of any vocabulary */
                CHECK_INT(got[k], cases[i].want[k], cases[i].text);
        }
    }
    tokenizer_scratch_free(tokenizer);
}

static void *ask(void *data) {
    const struct builtin_model *models[] = { open_model("builtin/embedding"), open_model("builtin/pii") };
    struct builtin_scratch *scratch = builtin_scratch_new();
    double *sum = data;
    for (size_t round = 0; round < 20; round++) {
        for (size_t t = 0; t < VSR_COUNT(texts); t++) {
            struct builtin_result results[2];
            struct vsr_err err = VSR_ERR_NONE;
            CHECK(builtin_run(scratch, str_from_c(texts[t]), models, 2, results, &err) == 0, err.text);
            *sum += results[0].numbers[0] + (results[1].n_rows ? results[1].numbers[0] : 0);
        }
    }
    builtin_scratch_free(scratch);
    return NULL;
}

TEST(threads) {
    enum { THREADS = 4 };
    pthread_t ids[THREADS];
    double sums[THREADS] = { 0 };
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&ids[i], NULL, ask, &sums[i]) == 0, "a thread");
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(ids[i], NULL);
        CHECK(sums[i] == sums[0] && sums[i] != 0, "all the same");
    }
}

RUN_TESTS(T(threads), T(what_there_is), T(names), T(several_in_one_pass), T(tags_have_places), T(pairs), T(limits),
          T(the_last_text_again), T(tokens_of_others), T(shapes), T(a_pair_of_tokens))
