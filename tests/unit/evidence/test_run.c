/* What is asked is answered once: by models of the process, by servers, or by the reason why not. */
#include "evidence/run.h"

#include <math.h>

#include "config/global_catalog.h"
#include "core/buf.h"
#include "core/metrics.h"
#include "evidence/evidence_state.h"
#include "evidence/mailbox.h"
#include "model/builtin.h"
#include "rig.h"
#include "signal/risk.h"
#include "unit/net/script.h"

/* ---- questions */

struct quiz {
    struct rig *rig;
    struct bound_source sources[8];
    struct signal_source described[8];
    struct evidence_binding binding;
    struct evidence_ask asks[320];
    struct evidence_ask *pointers[320];
    size_t n_asks;
    struct config_semantic semantic;
    struct evidence_run *run;
    size_t n_answers;
    bool done, in_batches;
};

static void quiz_begin(struct quiz *quiz, struct rig *rig) {
    *quiz = (struct quiz){ .rig = rig };
    quiz->binding = (struct evidence_binding){ .evidence = rig->evidence, .sources = quiz->sources };
}

static uint32_t add_source(struct quiz *quiz, enum evidence_place place, const char *path) {
    uint32_t source = (uint32_t)quiz->binding.n_sources++;
    quiz->described[source] = (struct signal_source){ .model = { .path = str_from_c(path), .type = "embedding" } };
    quiz->sources[source] =
        (struct bound_source){ .source = &quiz->described[source], .place = place, .priority = PRIORITY_ROUTING };
    return source;
}

static uint32_t add_server(struct quiz *quiz, uint16_t port) {
    uint32_t source = add_source(quiz, PLACE_HTTP, "");
    quiz->semantic.endpoint =
        (struct config_embedding_endpoint){ .base_url = arena_printf(quiz->rig->arena, "http://127.0.0.1:%u/v1", port),
                                            .model = VSR_STR("embedder") };
    quiz->described[source].kind = SOURCE_HTTP_EMBEDDINGS;
    quiz->described[source].config = &quiz->semantic;
    return source;
}

static struct evidence_ask *add_ask(struct quiz *quiz, enum evidence_kind kind, uint32_t source, const char *text) {
    struct evidence_ask *ask = &quiz->asks[quiz->n_asks];
    *ask = (struct evidence_ask){ .kind = kind, .source = source, .text = str_from_c(text) };
    quiz->pointers[quiz->n_asks++] = ask;
    return ask;
}

static void on_answer(void *data, struct evidence_ask *ask, const struct evidence_answer *answer) {
    struct quiz *quiz = data;
    CHECK(!ask->answered, "once");
    CHECK(!quiz->done, "before the end");
    ask->answered = true;
    ask->answer = *answer;
    quiz->n_answers++;
}

static void on_done(void *owner) {
    struct quiz *quiz = owner;
    CHECK(quiz->n_answers == quiz->n_asks, "after the last answer");
    quiz->done = true;
    quiz->run = NULL;
}

static struct evidence_question question_of(struct quiz *quiz) {
    return (struct evidence_question){ .binding = &quiz->binding,
                                       .asks = quiz->pointers,
                                       .n_asks = quiz->n_asks,
                                       .arena = quiz->rig->arena,
                                       .in_batches = quiz->in_batches,
                                       .answer = on_answer,
                                       .data = quiz,
                                       .done = on_done,
                                       .owner = quiz };
}

static void start(struct quiz *quiz) {
    const struct evidence_question question = question_of(quiz);
    quiz->run = evidence_run_start(quiz->rig->lane, &question);
    CHECK(!quiz->done, "not from inside");
    if (!quiz->run) {
        CHECK_INT(quiz->n_answers, quiz->n_asks, "everything at once");
        quiz->done = true;
    }
}

static void finish(struct quiz *quiz) {
    uint64_t late = clock_mono_ms() + RIG_PATIENCE_MS;
    while (!quiz->done && clock_mono_ms() < late)
        (void)loop_run_once(quiz->rig->loop, 100);
    CHECK(quiz->done, "everything is answered");
    CHECK(evidence_lane_is_idle(quiz->rig->lane), "idle again");
}

static void check_failed(const struct evidence_ask *ask, enum signal_code code, const char *part, const char *name) {
    CHECK(ask->answered, name);
    CHECK_MSG(ask->answer.code == code, "case \"%s\": %s, want %s", name, signal_code_text(ask->answer.code),
              signal_code_text(code));
    CHECK_MSG(ask->answer.reason && strstr(ask->answer.reason, part), "case \"%s\": \"%s\" is not in \"%s\"", name,
              part, ask->answer.reason ? ask->answer.reason : "");
    CHECK(ask->answer.numbers == NULL && ask->answer.n_spans == 0, "a failure has no numbers");
}

static double length_of(const struct evidence_answer *answer) {
    double sum = 0;
    for (size_t i = 0; i < answer->n; i++)
        sum += (double)answer->numbers[i] * answer->numbers[i];
    return sqrt(sum);
}

/* ---- models of the process */

static const char *const three[] = { "bert-embed-mean", "bert-sequence", "bert-token" };

TEST(every_kind_of_answer) {
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *vector, *classes, *spans;
    double sum = 0;
    rig_begin(&rig, three, 3, STORE_EAGER, false);
    for (size_t i = 0; i < 3; i++)
        rig_load(&rig, three[i]);
    quiz_begin(&quiz, &rig);
    vector = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "one two");
    classes = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), "one two");
    spans = add_ask(&quiz, EVIDENCE_SPANS, add_source(&quiz, PLACE_MODEL, three[2]), "one two");
    start(&quiz);
    finish(&quiz);
    CHECK_INT(vector->answer.code, SIGNAL_OK, "vector");
    CHECK(vector->answer.n > 1 && fabs(length_of(&vector->answer) - 1) < 1e-5, "of unit length");
    CHECK_STR(str_from_c(vector->answer.model), three[0], "who said so");
    CHECK_INT(strlen(vector->answer.version), 16, "in which version");
    CHECK_INT(classes->answer.code, SIGNAL_OK, "classes");
    CHECK_INT(classes->answer.n, classes->answer.n_labels, "one for each label");
    for (size_t i = 0; i < classes->answer.n; i++)
        sum += (double)classes->answer.numbers[i];
    CHECK(fabs(sum - 1) < 1e-5, "probabilities");
    CHECK_STR(classes->answer.labels[1], "jailbreak", "a label");
    CHECK_INT(spans->answer.code, SIGNAL_OK, "spans");
    CHECK(spans->answer.n_labels > 0, "labels");
    for (size_t i = 0; i < spans->answer.n_spans; i++)
        CHECK(spans->answer.spans[i].end <= 7 && spans->answer.spans[i].start < spans->answer.spans[i].end &&
                  spans->answer.spans[i].label < spans->answer.n_labels,
              "inside the text");
    rig_end(&rig);
}

/* What was found in a part of a text is told, and that it is a part: the rules judge both, guards' too. */
TEST(texts_that_are_cut_are_answered) {
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *classes, *guarded, *spans, *brief;
    struct vsr_err err = VSR_ERR_NONE;
    const struct store_model cut[] = {
        { .name = str_from_c(three[1]), .type = VSR_STR("guard"), .tokens_max = 8, .long_text = LONG_TEXT_TRUNCATE },
        { .name = str_from_c(three[2]), .type = VSR_STR("tags"), .tokens_max = 8, .long_text = LONG_TEXT_TRUNCATE },
    };
    const char *text = "one two three four five six seven eight nine ten eleven twelve";
    rig_begin(&rig, three, 3, STORE_LAZY, false);
    CHECK_MSG(store_configure(rig.store, cut, VSR_COUNT(cut), &err) == 0, "%s", err.text);
    for (size_t i = 1; i < 3; i++)
        rig_load(&rig, three[i]);
    quiz_begin(&quiz, &rig);
    classes = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), text);
    guarded = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), text);
    brief = add_ask(&quiz, EVIDENCE_CLASSES, guarded->source, "one");
    spans = add_ask(&quiz, EVIDENCE_SPANS, add_source(&quiz, PLACE_MODEL, three[2]), text);
    quiz.sources[guarded->source].priority = quiz.sources[spans->source].priority = PRIORITY_SAFETY;
    start(&quiz);
    finish(&quiz);
    CHECK_INT(classes->answer.code, SIGNAL_OK, "a subject");
    CHECK_INT(brief->answer.code, SIGNAL_OK, "a text that was read whole");
    CHECK(classes->answer.cut && !brief->answer.cut, "what was left out is told");
    CHECK_INT(guarded->answer.code, SIGNAL_OK, "a guard");
    CHECK(guarded->answer.cut && guarded->answer.n == guarded->answer.n_labels, "and what it saw");
    CHECK_INT(spans->answer.code, SIGNAL_OK, "a tagger");
    CHECK(spans->answer.cut && spans->answer.n_labels > 0, "and what it saw");
    rig_end(&rig);
}

/* A guard's model that takes less than a piece of text reads it in windows: the worst of them counts, not the mean. */
TEST(risk_in_one_window_is_risk) {
    vsr_str positive[] = { VSR_STR_INIT("Jailbreak") }, strange[] = { VSR_STR_INIT("attack") };
    const struct config_strings is_jailbreak = { .items = positive, .n = 1 }, is_attack = { .items = strange, .n = 1 };
    const struct signal_risk listed = { &is_jailbreak, true }, unlisted = { &is_attack, true };
    const struct store_model cut = {
        .name = str_from_c(three[1]), .type = VSR_STR("guard"), .tokens_max = 12, .long_text = LONG_TEXT_CHUNK
    };
    const char *text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *mean, *worst, *unknown;
    struct vsr_err err = VSR_ERR_NONE;
    struct engine_call call;
    struct store_handle handle;
    bool risk[8] = { false, true };
    rig_begin(&rig, three, 2, STORE_LAZY, false);
    CHECK_MSG(store_configure(rig.store, &cut, 1, &err) == 0, "%s", err.text);
    rig_load(&rig, three[1]);
    quiz_begin(&quiz, &rig);
    mean = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), text);
    worst = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), text);
    unknown = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), text);
    quiz.described[worst->source].risk = &listed;
    quiz.described[unknown->source].risk = &unlisted;
    start(&quiz);
    finish(&quiz);
    CHECK_INT(store_get(rig.store, str_from_c(three[1]), 0, &handle, &err), 0, err.text);
    call = (struct engine_call){
        .model = handle.model, .text = str_from_c(text), .long_text = LONG_TEXT_CHUNK, .risk = risk
    };
    CHECK_INT(engine_run(rig.engine, &call, 1, &err), 0, err.text);
    CHECK(call.n_parts > 1, "windows");
    CHECK(worst->answer.numbers[1] == call.result[1], "the worst window");
    CHECK(mean->answer.numbers[1] < worst->answer.numbers[1], "a mean is less");
    CHECK(unknown->answer.numbers[1] == mean->answer.numbers[1], "labels that say nothing");
    engine_call_done(&call);
    store_put(&handle);
    rig_end(&rig);
}

static void add_builtin(struct quiz *quiz, const char *name, const char *text) {
    struct vsr_err err = VSR_ERR_NONE;
    struct evidence_ask *ask = add_ask(quiz, EVIDENCE_CLASSES, add_source(quiz, PLACE_BUILTIN, name), text);
    CHECK_MSG(builtin_open(str_from_c(name), &quiz->sources[ask->source].builtin, &err) == 0, "%s", err.text);
}

/* What the models of the program do not take at once is cut, by whomever they are asked. */
TEST(built_in_models_read_texts_of_any_length) {
    enum { WORDS = 12000 };
    static char text[WORDS * 5 + 1];
    static const struct store_model wanted[] = {
        { .name = VSR_STR_INIT("builtin/domain"), .type = VSR_STR_INIT("domains"), .long_text = LONG_TEXT_CHUNK },
        { .name = VSR_STR_INIT("builtin/jailbreak"), .type = VSR_STR_INIT("guard"), .long_text = LONG_TEXT_CHUNK },
    };
    float numbers[2][2];
    for (size_t i = 0; i < WORDS; i++)
        memcpy(text + 5 * i, i == 7000 ? "law, " : "word ", 5);
    for (int patient = 0; patient < 2; patient++) {
        struct rig rig;
        struct quiz quiz;
        struct evidence_question question;
        struct vsr_err err = VSR_ERR_NONE;
        rig_begin(&rig, three, 0, STORE_LAZY, patient);
        CHECK_MSG(store_configure(rig.store, wanted, VSR_COUNT(wanted), &err) == 0, "%s", err.text);
        rig_load(&rig, "builtin/domain");
        rig_load(&rig, "builtin/jailbreak");
        quiz_begin(&quiz, &rig);
        add_builtin(&quiz, "builtin/domain", text);
        add_builtin(&quiz, "builtin/jailbreak", text);
        question = question_of(&quiz);
        if (patient) {
            evidence_run_wait(rig.lane, &question, NULL);
        } else {
            start(&quiz);
            finish(&quiz);
        }
        for (size_t i = 0; i < 2; i++) {
            CHECK_MSG(quiz.asks[i].answer.code == SIGNAL_OK, "%s", quiz.asks[i].answer.reason);
            numbers[patient][i] = quiz.asks[i].answer.numbers[0];
        }
        rig_end(&rig);
    }
    CHECK(memcmp(numbers[0], numbers[1], sizeof(numbers[0])) == 0, "the same answers");
}

/* A text of few bytes is read where it is asked about, unless it has too many tokens for that. */
TEST(short_texts_of_many_tokens_are_left_to_the_engine) {
    static const struct store_model domain = { .name = VSR_STR_INIT("builtin/domain"),
                                               .type = VSR_STR_INIT("domains"),
                                               .long_text = LONG_TEXT_CHUNK };
    enum { DIGITS = 5000 }; /* each a token */
    _Static_assert((int)DIGITS > BUILTIN_TOKENS_MAX && (int)DIGITS < EVIDENCE_INLINE_LEN_MAX, "many tokens, few bytes");
    static char digits[DIGITS + 1];
    static const struct {
        const char *text;
        bool patient, by_engine;
    } cases[] = { { "law", false, false }, { digits, false, true }, { digits, true, true } };
    float numbers[VSR_COUNT(cases)];
    memset(digits, '7', DIGITS);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct rig rig;
        struct quiz quiz;
        struct evidence_question question;
        struct vsr_err err = VSR_ERR_NONE;
        uint64_t before;
        rig_begin(&rig, three, 0, STORE_LAZY, cases[i].patient);
        CHECK_MSG(store_configure(rig.store, &domain, 1, &err) == 0, "%s", err.text);
        rig_load(&rig, "builtin/domain");
        quiz_begin(&quiz, &rig);
        add_builtin(&quiz, "builtin/domain", cases[i].text);
        question = question_of(&quiz);
        before = engine_stats(rig.engine).queue.submitted;
        if (cases[i].patient) {
            evidence_run_wait(rig.lane, &question, NULL);
        } else {
            start(&quiz);
            CHECK(quiz.done == !cases[i].by_engine, "what is read here is answered at once");
            finish(&quiz);
        }
        CHECK_MSG(quiz.asks[0].answer.code == SIGNAL_OK, "%s", quiz.asks[0].answer.reason);
        CHECK((engine_stats(rig.engine).queue.submitted > before) == cases[i].by_engine, "by whom");
        numbers[i] = quiz.asks[0].answer.numbers[0];
        rig_end(&rig);
    }
    CHECK(numbers[1] == numbers[2], "the same answer, whoever waits");
}

TEST(the_same_again_is_remembered) {
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *ask;
    rig_begin(&rig, three, 1, STORE_EAGER, false);
    rig_load(&rig, three[0]);
    for (int round = 0; round < 2; round++) {
        quiz_begin(&quiz, &rig);
        ask = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "one two");
        start(&quiz);
        CHECK_INT(quiz.done, round, "what is remembered is there at once");
        finish(&quiz);
        CHECK_INT(ask->answer.remembered, round, "and says so");
    }
    rig_end(&rig);
}

TEST(why_not) {
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *task, *absent, *unknown, *builtin, *empty, *image, *fine;
    rig_begin(&rig, three, 2, STORE_EAGER, false);
    rig_load(&rig, three[0]);
    rig_load(&rig, three[1]);
    quiz_begin(&quiz, &rig);
    task = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[1]), "one");
    absent = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, "absent"), "one");
    unknown = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, "nobody"), "one");
    builtin = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_BUILTIN, "builtin/nothing"), "one");
    quiz.sources[builtin->source].missing = "there is no built-in model";
    image = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "data:image/png;base64,AAAA");
    quiz.described[image->source].images = true;
    empty = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "data:image/png;base64,");
    quiz.described[empty->source].images = true;
    fine = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "one");
    start(&quiz);
    finish(&quiz);
    check_failed(task, SIGNAL_UNAVAILABLE, "gives classes of texts, and vectors of texts are wanted", "another task");
    check_failed(absent, SIGNAL_UNAVAILABLE, "which does not exist", "absent");
    check_failed(unknown, SIGNAL_UNAVAILABLE, "nobody", "not configured");
    check_failed(builtin, SIGNAL_UNAVAILABLE, "no built-in model", "not built in");
    check_failed(image, SIGNAL_UNAVAILABLE, "reads no pictures", "an image");
    check_failed(empty, SIGNAL_FAILED, "the picture is empty", "an image of no bytes");
    CHECK_INT(fine->answer.code, SIGNAL_OK, "the others go on");
    rig.no_models = true;
    quiz_begin(&quiz, &rig);
    fine = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "one");
    start(&quiz);
    CHECK(quiz.done, "at once");
    check_failed(fine, SIGNAL_UNAVAILABLE, "no models", "a process without models");
    rig_end(&rig);
}

TEST(a_lazy_model_is_waited_for) {
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *first, *second, *absent;
    rig_begin(&rig, three, 2, STORE_LAZY, false);
    quiz_begin(&quiz, &rig);
    first = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "one");
    second = add_ask(&quiz, EVIDENCE_CLASSES, add_source(&quiz, PLACE_MODEL, three[1]), "one");
    second->timeout_ms = RIG_PATIENCE_MS;
    absent = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, "absent"), "one");
    start(&quiz);
    CHECK(!quiz.done, "it is not there yet");
    finish(&quiz);
    CHECK_INT(first->answer.code, SIGNAL_OK, "without a time of its own");
    CHECK_INT(second->answer.code, SIGNAL_OK, "and with one");
    check_failed(absent, SIGNAL_UNAVAILABLE, "absent", "what will not come is not waited for");
    rig_end(&rig);
}

/* ---- time, and clients that go away */

TEST(a_server_that_is_silent) {
    static const struct script_reply silence = { .act = SCRIPT_SILENCE };
    struct script script;
    struct rig rig;
    struct quiz quiz;
    struct evidence_ask *late, *fine;
    rig_begin(&rig, three, 1, STORE_EAGER, false);
    rig_load(&rig, three[0]);
    script_begin(&script, &silence, 1);
    quiz_begin(&quiz, &rig);
    late = add_ask(&quiz, EVIDENCE_VECTOR, add_server(&quiz, script.port), "one");
    late->timeout_ms = 30;
    fine = add_ask(&quiz, EVIDENCE_VECTOR, add_source(&quiz, PLACE_MODEL, three[0]), "one");
    start(&quiz);
    SCRIPT_RUN(rig.loop, &script, quiz.done, "the time is over");
    CHECK_INT(late->answer.code, SIGNAL_TIMEOUT, "late");
    CHECK_INT(fine->answer.code, SIGNAL_OK, "in time");
    rig_end(&rig);
    script_end(&script);
}

TEST(who_goes_away_is_told_nothing) {
    static const struct script_reply silence = { .act = SCRIPT_SILENCE };
    static char texts[40][400];
    struct script script;
    struct rig rig;
    struct quiz quiz;
    uint32_t model, server;
    rig_begin(&rig, three, 1, STORE_EAGER, false);
    rig_load(&rig, three[0]);
    script_begin(&script, &silence, 1);
    quiz_begin(&quiz, &rig);
    model = add_source(&quiz, PLACE_MODEL, three[0]);
    server = add_server(&quiz, script.port);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) { /* one thread: some wait, one may run, some may be over */
        snprintf(texts[i], sizeof(texts[i]), "%zu %0300d", i, 7);
        add_ask(&quiz, EVIDENCE_VECTOR, model, texts[i]);
    }
    add_ask(&quiz, EVIDENCE_VECTOR, server, "one");
    start(&quiz);
    CHECK(quiz.run != NULL, "under way");
    for (int turn = 0; turn < 3 && quiz.n_answers == 0; turn++)
        (void)loop_run_once(rig.loop, 1);
    evidence_run_cancel(quiz.run);
    CHECK(evidence_lane_is_idle(rig.lane), "at once");
    quiz.n_asks = 0; /* nobody may be answered from here on: the quiz is over */
    quiz.done = true;
    arena_reset(rig.arena);
    for (int turn = 0; turn < 5; turn++)
        (void)loop_run_once(rig.loop, 5);
    evidence_run_cancel(NULL);
    rig_end(&rig);
    script_end(&script);
}

/* Each number another text, of words that the models know. */
static const char *words_of(size_t number, char text[static 64]) {
    for (size_t bit = 0; bit < 9; bit++)
        memcpy(text + 5 * bit, number >> bit & 1 ? "baba " : "duke ", 6);
    return text;
}

/* A client chooses how many pieces its text has, and not how many are asked about at once. */
TEST(few_are_in_flight) {
    static char texts[300][64];
    struct rig rig;
    struct quiz quiz;
    uint64_t before;
    uint32_t model;
    rig_begin(&rig, three, 1, STORE_EAGER, false);
    rig_load(&rig, three[0]);
    quiz_begin(&quiz, &rig);
    model = add_source(&quiz, PLACE_MODEL, three[0]);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        add_ask(&quiz, EVIDENCE_VECTOR, model, words_of(i, texts[i]));
    }
    before = engine_stats(rig.engine).queue.submitted;
    start(&quiz);
    CHECK_INT(engine_stats(rig.engine).queue.submitted - before, EVIDENCE_FLYING_MAX, "at once");
    finish(&quiz);
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        CHECK_INT(quiz.asks[i].answer.code, SIGNAL_OK, texts[i]);
    quiz_begin(&quiz, &rig); /* what is known is not in flight, and many answers take several turns of the loop */
    model = add_source(&quiz, PLACE_MODEL, three[0]);
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        add_ask(&quiz, EVIDENCE_VECTOR, model, texts[i]);
    start(&quiz);
    CHECK_INT(quiz.n_answers, EVIDENCE_FLYING_MAX, "one turn");
    finish(&quiz);
    rig_end(&rig);
}

/* What a silent server is asked holds nobody else up, not even a model that is still being loaded. */
TEST(sources_do_not_wait_for_each_other) {
    static const struct script_reply silence = { .act = SCRIPT_SILENCE };
    static char texts[100][64];
    struct script script;
    struct rig rig;
    struct quiz quiz;
    uint32_t server, lazy;
    uint64_t late = clock_mono_ms() + RIG_PATIENCE_MS;
    rig_begin(&rig, three, 2, STORE_LAZY, false);
    script_begin(&script, &silence, 1);
    quiz_begin(&quiz, &rig);
    server = add_server(&quiz, script.port);
    lazy = add_source(&quiz, PLACE_MODEL, three[0]);
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        add_ask(&quiz, EVIDENCE_VECTOR, server, words_of(i, texts[i]))->timeout_ms = 2 * RIG_PATIENCE_MS;
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        add_ask(&quiz, EVIDENCE_VECTOR, lazy, texts[i]);
    start(&quiz);
    while (quiz.n_answers < VSR_COUNT(texts) && clock_mono_ms() < late)
        (void)loop_run_once(rig.loop, 10);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        CHECK(!quiz.asks[i].answered, "silence");
        CHECK_INT(quiz.asks[VSR_COUNT(texts) + i].answer.code, SIGNAL_OK, texts[i]);
    }
    evidence_run_cancel(quiz.run);
    rig_end(&rig);
    script_end(&script);
}

/* Time runs for those that wait to be asked, too. */
TEST(all_are_late_together) {
    static const struct script_reply silence = { .act = SCRIPT_SILENCE };
    static char texts[100][64];
    struct script script;
    struct rig rig;
    struct quiz quiz;
    uint32_t server;
    rig_begin(&rig, three, 0, STORE_LAZY, false);
    script_begin(&script, &silence, 1);
    quiz_begin(&quiz, &rig);
    server = add_server(&quiz, script.port);
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        add_ask(&quiz, EVIDENCE_VECTOR, server, words_of(i, texts[i]))->timeout_ms = 50;
    start(&quiz);
    SCRIPT_RUN(rig.loop, &script, quiz.done, "the time is over");
    for (size_t i = 0; i < VSR_COUNT(texts); i++)
        CHECK_INT(quiz.asks[i].answer.code, SIGNAL_TIMEOUT, texts[i]);
    rig_end(&rig);
    script_end(&script);
}

/* The lane goes while models still work for it. */
TEST(mail_for_nobody) {
    static char texts[40][400];
    struct rig rig;
    struct quiz quiz;
    uint32_t model;
    rig_begin(&rig, three, 1, STORE_EAGER, false);
    rig_load(&rig, three[0]);
    quiz_begin(&quiz, &rig);
    model = add_source(&quiz, PLACE_MODEL, three[0]);
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%zu %0300d", i, 7);
        add_ask(&quiz, EVIDENCE_VECTOR, model, texts[i]);
    }
    start(&quiz);
    evidence_run_cancel(quiz.run);
    rig_close_evidence(&rig);
    rig_end(&rig);
}

/* ---- servers */

TEST(texts_for_one_server_go_together) {
    static const struct script_reply reply = { .status = 200,
                                               .body = "{\"data\":[{\"index\":0,\"embedding\":[1,0]},"
                                                       "{\"index\":1,\"embedding\":[0,1]}]}" };
    struct script script;
    struct rig rig;
    struct quiz quiz;
    uint32_t server;
    rig_begin(&rig, three, 0, STORE_EAGER, false);
    script_begin(&script, &reply, 1);
    quiz_begin(&quiz, &rig);
    quiz.in_batches = true;
    server = add_server(&quiz, script.port);
    add_ask(&quiz, EVIDENCE_VECTOR, server, "one");
    add_ask(&quiz, EVIDENCE_VECTOR, server, "two");
    start(&quiz);
    SCRIPT_RUN(rig.loop, &script, quiz.done, "together");
    CHECK_INT(script.n_asked, 1, "one question");
    CHECK_INT(quiz.asks[0].answer.n, 2, "dimensions");
    CHECK(quiz.asks[0].answer.numbers[0] == 1 && quiz.asks[1].answer.numbers[1] == 1, "each its own");
    evidence_lane_forget(rig.lane, &quiz.binding);
    evidence_lane_forget(rig.lane, &quiz.binding); /* nothing is left */
    rig_end(&rig);
    script_end(&script);
}

/* ---- numbers */

TEST(asks_are_counted) {
    struct evidence_metrics counted;
    struct metrics *metrics = metrics_new();
    struct buf out;
    buf_init(&out, 1 << 20);
    evidence_metrics_init(&counted, metrics);
    evidence_metrics_count(&counted, PLACE_BUILTIN, &(struct evidence_answer){ .code = SIGNAL_OK }, 30000);
    evidence_metrics_count(&counted, PLACE_MODEL, &(struct evidence_answer){ .remembered = true }, 30000);
    evidence_metrics_count(&counted, PLACE_HTTP, &(struct evidence_answer){ .code = SIGNAL_TIMEOUT }, 30000);
    metrics_print(metrics, &out);
    CHECK(str_find(buf_str(&out), VSR_STR("asks_total{source=\"builtin\",outcome=\"answered\"} 1")) >= 0, "answered");
    CHECK(str_find(buf_str(&out), VSR_STR("asks_total{source=\"model\",outcome=\"remembered\"} 1")) >= 0, "remembered");
    CHECK(str_find(buf_str(&out), VSR_STR("asks_total{source=\"http\",outcome=\"timeout\"} 1")) >= 0, "timeout");
    CHECK(str_find(buf_str(&out), VSR_STR("seconds_count{source=\"http\"} 1")) >= 0, "seconds");
    evidence_metrics_init(&counted, NULL);
    evidence_metrics_count(&counted, PLACE_HTTP, &(struct evidence_answer){ .code = SIGNAL_OK }, 1);
    buf_done(&out);
    metrics_free(metrics);
}

RUN_TESTS(T(every_kind_of_answer), T(texts_that_are_cut_are_answered), T(risk_in_one_window_is_risk),
          T(built_in_models_read_texts_of_any_length), T(short_texts_of_many_tokens_are_left_to_the_engine),
          T(the_same_again_is_remembered), T(why_not), T(a_lazy_model_is_waited_for), T(a_server_that_is_silent),
          T(who_goes_away_is_told_nothing), T(mail_for_nobody), T(few_are_in_flight),
          T(sources_do_not_wait_for_each_other), T(all_are_late_together), T(texts_for_one_server_go_together),
          T(asks_are_counted))
