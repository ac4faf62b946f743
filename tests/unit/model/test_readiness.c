#include "model/readiness.h"

#include <pthread.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "test.h"

static int add(struct readiness *r, const char *name, bool mandatory) {
    const struct readiness_model model = { str_from_c(name), VSR_STR("embedding"), VSR_STR("models/x"), mandatory };
    return readiness_add(r, &model);
}

static void loaded(struct readiness *r, int model, const char *path, uint64_t load_ms, uint64_t bytes) {
    const vsr_str labels[] = { VSR_STR("calm"), VSR_STR("angry") };
    const struct readiness_load load = { .resolved_path = str_from_c(path),
                                         .load_ms = load_ms,
                                         .self_test_us = 7,
                                         .memory_bytes = bytes,
                                         .task = VSR_STR("classify"),
                                         .architecture = VSR_STR("bert"),
                                         .precision = VSR_STR("int8"),
                                         .tokens_max = 512,
                                         .width = 2,
                                         .labels = labels,
                                         .n_labels = VSR_COUNT(labels) };
    readiness_loaded(r, model, &load);
}

TEST(only_mandatory_models_hold_it_up) {
    struct readiness *r = readiness_new();
    char missing[READINESS_NAME_LEN];
    int guard, comfort;
    CHECK(readiness_is_ready(r, missing), "no models");
    guard = add(r, "guard", true);
    comfort = add(r, "comfort", false);
    CHECK(!readiness_is_ready(r, missing), "nothing loaded");
    CHECK_STR(str_from_c(missing), "guard", "which");
    loaded(r, comfort, "/m/comfort", 5, 100);
    CHECK(!readiness_is_ready(r, missing), "the other one is loaded");
    readiness_set_state(r, guard, MODEL_STATE_LOADING, VSR_STR(""));
    CHECK(!readiness_is_ready(r, missing), "on its way");
    loaded(r, guard, "/m/guard", 7, 200);
    CHECK(readiness_is_ready(r, missing), "loaded");
    CHECK_STR(str_from_c(missing), "", "nothing");
    readiness_set_state(r, comfort, MODEL_STATE_FAILED, VSR_STR("no"));
    CHECK(readiness_is_ready(r, missing), "best effort");
    readiness_set_state(r, guard, MODEL_STATE_FAILED, VSR_STR("gone"));
    CHECK(!readiness_is_ready(r, missing), "failed later");
    CHECK_INT(readiness_state(r, guard), MODEL_STATE_FAILED, "state");
    readiness_free(r);
}

static bool json_has(struct readiness *r, const char *want) {
    struct json_writer w;
    struct buf out;
    bool has;
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    readiness_json(r, &w);
    has = str_find(buf_str(&out), str_from_c(want)) >= 0;
    buf_done(&out);
    return has;
}

TEST(json) {
    struct readiness *r = readiness_new();
    int a = add(r, "a", false), b = add(r, "b", true);
    CHECK(json_has(r, "\"phase\":\"checking\""), "first phase");
    readiness_set_phase(r, READINESS_DOWNLOADING, VSR_STR("one of two"));
    readiness_set_state(r, a, MODEL_STATE_DOWNLOADING, VSR_STR(""));
    CHECK(json_has(r, "\"ready\":false,\"any_ready\":false,\"phase\":\"downloading\",\"message\":\"one of two\","
                      "\"downloading_model\":\"a\",\"pending_models\":[\"a\",\"b\"],\"ready_models\":0,"
                      "\"total_models\":2"),
          "downloading");
    loaded(r, a, "/m/a", 12, 34);
    readiness_set_state(r, b, MODEL_STATE_FAILED, VSR_STR("no \"room\""));
    readiness_set_phase(r, READINESS_FAILED, VSR_STR("b"));
    CHECK(json_has(r, "\"any_ready\":true,\"phase\":\"failed\""), "failed");
    CHECK(json_has(r, "\"pending_models\":[]"), "a failed model is not pending");
    CHECK(json_has(r, "\"loaded\":true,\"state\":\"ready\",\"mandatory\":false,\"model_path\":\"models/x\","
                      "\"resolved_model_path\":\"/m/a\",\"message\":\"\",\"load_time_ms\":12,"
                      "\"memory_usage_bytes\":34"),
          "loaded");
    CHECK(json_has(r, "\"message\":\"no \\\"room\\\"\""), "why");
    readiness_free(r);
}

TEST(limits) {
    struct readiness *r = readiness_new();
    char name[3 * READINESS_NAME_LEN];
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = "\xe6\xa8\xa1"[i % 3];
    for (int i = 0; i < READINESS_MODELS_MAX; i++) {
        const struct readiness_model model = { .name = str_make(name, sizeof(name)), .mandatory = true };
        CHECK_INT(readiness_add(r, &model), i, "room");
    }
    CHECK_INT(add(r, "one more", false), -1, "full");
    readiness_is_ready(r, name);
    CHECK_INT(strlen(name), (READINESS_NAME_LEN - 1) / 3 * 3, "cut between characters");
    readiness_free(r);
}

static void *report(void *data) {
    struct readiness *r = data;
    int model = add(r, "mine", true);
    for (int i = 0; i < 2000; i++) {
        readiness_set_state(r, model, MODEL_STATE_LOADING, VSR_STR("working"));
        loaded(r, model, "/m", 1, 1);
    }
    return NULL;
}

TEST(many_threads) {
    struct readiness *r = readiness_new();
    char missing[READINESS_NAME_LEN];
    pthread_t threads[4];
    for (size_t i = 0; i < VSR_COUNT(threads); i++)
        CHECK_INT(pthread_create(&threads[i], NULL, report, r), 0, "thread");
    for (int i = 0; i < 200; i++)
        CHECK(json_has(r, "\"models\":["), "a whole document");
    for (size_t i = 0; i < VSR_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK(readiness_is_ready(r, missing), "all of them");
    CHECK(json_has(r, "\"ready_models\":4,\"total_models\":4"), "count");
    readiness_free(r);
}

RUN_TESTS(T(only_mandatory_models_hold_it_up), T(json), T(limits), T(many_threads))
