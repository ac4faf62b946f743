#include "nn/backend.h"

#include <string.h>

#include "core/arena.h"
#include "nn/model_file.h"
#include "nn/runtime.h"
#include "nn/weights.h"
#include "test.h"

struct rig {
    struct arena *arena;
    struct nn_runtime *runtime;
    struct encoder_config config;
    struct weights *weights;
};

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str directory, text;
    rig->arena = arena_new(0, 0);
    directory = arena_printf(rig->arena, "%s/tests/fixtures/nn/modernbert-embed", getenv("VSR_TEST_SOURCE"));
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(model_file_read(rig->arena, directory, VSR_STR("config.json"), &text, &err) == 0, "%s", err.text);
    CHECK_MSG(encoder_config_read(rig->arena, text, &rig->config, &err) == 0, "%s", err.text);
    CHECK_MSG(weights_open(directory, &rig->weights, &err) == 0, "%s", err.text);
}

static void rig_end(struct rig *rig) {
    weights_unref(rig->weights);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

/* ---- names */

TEST(names) {
    static const struct {
        const char *name, *text, *want;
        int rc;
    } cases[] = {
        { "the default", "", "cpu", 0 },
        { "auto", "auto", "cpu", 0 },
        { "the processor", "cpu", "cpu", 0 },
        { "of another build", "cuda:0", "this build has no cuda, it has: cpu", VSR_E_UNAVAILABLE },
        { "without a number", "cuda", "this build has no cuda, it has: cpu", VSR_E_UNAVAILABLE },
        { "another one", "rocm:3", "this build has no rocm, it has: cpu", VSR_E_UNAVAILABLE },
        { "the processor has no number", "cpu:0", "expected auto", VSR_E_INVALID },
        { "unknown", "tpu", "what this build has: cpu", VSR_E_INVALID },
        { "no number", "cuda:", "\"cuda:\" is none", VSR_E_INVALID },
        { "no number either", "cuda:x", "expected auto", VSR_E_INVALID },
        { "a long number", "cuda:99999999999999999999", "expected auto", VSR_E_INVALID },
        { "another case", "CPU", "expected auto", VSR_E_INVALID },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        struct device device = { NULL, 9 };
        int rc = device_named(str_from_c(cases[i].text), &device, &err);
        CHECK_INT(rc, cases[i].rc, cases[i].name);
        CHECK_MSG(rc < 0 ? strstr(err.text, cases[i].want) != NULL : strcmp(device.backend->name, cases[i].want) == 0,
                  "%s: %s", cases[i].name, err.text);
        if (rc == 0)
            CHECK_INT(device.index, 0, cases[i].name);
    }
}

/* ---- a device of ours, which adds its number to what the processor makes of the same */

struct other {
    size_t index;
    struct encoder *encoder;
};

struct other_work {
    struct encoder_work *work;
    float hidden[64 * 1024];
};

static size_t n_loaded, n_works;

static int other_find(size_t index, struct vsr_err *err) {
    return index < 4 ? 0 : err_set(err, VSR_E_UNAVAILABLE, "there are four");
}

static int other_load(struct nn_runtime *runtime, size_t index, const struct encoder_config *config,
                      struct weights *weights, struct lora *lora, enum precision precision, void **ret,
                      struct vsr_err *err) {
    struct other *other = calloc(1, sizeof(*other));
    int rc = other_find(index, err);
    if (rc == 0)
        rc = nn_encoder_new(runtime, config, weights, lora, precision, &other->encoder, err);
    if (rc < 0) {
        free(other);
        return rc;
    }
    other->index = index;
    n_loaded++;
    *ret = other;
    return 0;
}

static void other_unload(void *encoder) {
    struct other *other = encoder;
    nn_encoder_free(other->encoder);
    free(other);
    n_loaded--;
}

static struct tensor_holding_bytes other_bytes(const void *encoder) {
    (void)encoder;
    return (struct tensor_holding_bytes){ .all = 77 };
}

static void *other_work_new(struct nn_runtime *runtime, size_t index) {
    struct other_work *work = calloc(1, sizeof(*work));
    (void)index;
    work->work = encoder_work_new(runtime);
    n_works++;
    return work;
}

static void other_work_free(void *data) {
    struct other_work *work = data;
    encoder_work_free(work->work);
    free(work);
    n_works--;
}

static int other_forward(const void *encoder, void *data, struct crew *crew, const struct encoder_batch *batch,
                         size_t layers, const float **ret_hidden, struct vsr_err *err) {
    const struct other *other = encoder;
    struct other_work *work = data;
    size_t n = batch->starts[batch->n] * encoder_config(other->encoder)->hidden;
    const float *hidden;
    int rc = encoder_forward(other->encoder, work->work, batch, layers, &hidden, err);
    (void)crew;
    if (rc < 0)
        return rc;
    assert_true(n <= VSR_COUNT(work->hidden));
    for (size_t i = 0; i < n; i++)
        work->hidden[i] = hidden[i] + (float)other->index;
    *ret_hidden = work->hidden;
    return 0;
}

static const struct backend other_backend = {
    "other", true, other_find, other_load, other_unload, other_bytes, other_work_new, other_work_free, other_forward,
};

static struct trunk *load(struct rig *rig, struct device device) {
    struct vsr_err err = VSR_ERR_NONE;
    struct trunk *trunk = NULL;
    CHECK_MSG(trunk_new(rig->runtime, device, &rig->config, rig->weights, NULL, PRECISION_F32, &trunk, &err) == 0, "%s",
              err.text);
    return trunk;
}

static const float *run(const struct trunk *trunk, struct trunk_work *work) {
    static const uint32_t ids[] = { 1, 5, 9, 2, 3 }, starts[] = { 0, 2, 5 };
    const struct encoder_batch batch = { .ids = ids, .starts = starts, .n = 2 };
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden = NULL;
    CHECK_MSG(trunk_forward(trunk, work, NULL, &batch, 0, &hidden, &err) == 0, "%s", err.text);
    return hidden;
}

/* One work serves trunks on several devices, each with what its device needs. */
TEST(devices) {
    const struct device devices[] = { { &backend_cpu, 0 }, { &other_backend, 0 }, { &other_backend, 3 } };
    struct trunk *trunks[VSR_COUNT(devices)];
    struct trunk_work *work;
    struct vsr_err err;
    struct rig rig;
    rig_begin(&rig);
    work = trunk_work_new(rig.runtime);
    for (size_t i = 0; i < VSR_COUNT(devices); i++)
        trunks[i] = load(&rig, devices[i]);
    CHECK_INT(n_loaded, 2, "by the device");
    CHECK_INT(n_works, 0, "work is made when it is needed");
    for (size_t round = 0; round < 3; round++) {
        const float *want = run(trunks[0], work);
        for (size_t i = 0; i < VSR_COUNT(devices); i++) {
            const float *got = run(trunks[i], work);
            for (size_t k = 0; k < 5 * rig.config.hidden; k++)
                CHECK(got[k] == want[k] + (float)devices[i].index, "as the device says");
        }
    }
    CHECK_INT(n_works, 2, "one for each device");
    CHECK(trunk_bytes(trunks[0]).all > 77 && trunk_bytes(trunks[1]).all == 77, "the device's own account");
    CHECK(trunk_on_cpu(trunks[0]) && !trunk_on_cpu(trunks[1]), "where");
    CHECK(trunk_device(trunks[2]).index == 3, "which");
    CHECK_INT(trunk_precision(trunks[2]), PRECISION_F32, "precision");
    CHECK_INT(trunk_new(rig.runtime, (struct device){ &other_backend, 4 }, &rig.config, rig.weights, NULL,
                        PRECISION_F32, &trunks[0], &err),
              VSR_E_UNAVAILABLE, "the device's own error");
    for (size_t i = 0; i < VSR_COUNT(devices); i++)
        trunk_free(trunks[i]);
    trunk_work_free(work);
    trunk_free(NULL);
    trunk_work_free(NULL);
    CHECK(n_loaded == 0 && n_works == 0, "all is freed");
    rig_end(&rig);
}

RUN_TESTS(T(names), T(devices))
