/* Adapters that run beside their base. */
#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/encoder_adapter.h"
#include "nn/runtime.h"
#include "test.h"

enum { PATH_LEN = 512, TEXTS = 6, ADAPTERS = 3 };

struct rig {
    struct nn_runtime *runtime;
    struct engine *engine;
};

static void rig_begin(struct rig *rig, const struct engine_options *options) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, options, &rig->engine, &err) == 0, "%s", err.text);
}

static void rig_end(struct rig *rig) {
    engine_free(rig->engine);
    nn_runtime_free(rig->runtime);
}

static int try_open(struct rig *rig, const char *name, const struct model_options *options, struct model **ret,
                    struct vsr_err *err) {
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    return model_open(rig->runtime, str_from_c(path), options, ret, err);
}

static struct model *must_open(struct rig *rig, const char *name, const struct model_options *options) {
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    CHECK_MSG(try_open(rig, name, options, &model, &err) == 0, "%s: %s", name, err.text);
    return model;
}

static struct model *open_stacked(struct rig *rig, const char *name, struct model *base) {
    return must_open(rig, name, &(struct model_options){ .stacked_on = base });
}

static struct model *open_folded(struct rig *rig, const char *name, const char *base, enum precision precision) {
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), base);
    return must_open(rig, name, &(struct model_options){ .precision = precision, .base = str_from_c(path) });
}

static const char base_name[] = "modernbert-mlm";
static const char *const names[ADAPTERS] = { "modernbert-mlm-lora-intent", "modernbert-mlm-lora-pii",
                                             "modernbert-mlm-lora-guard" };

static const char *const texts[TEXTS] = {
    "a", "some text", "some text that is longer", "toge gasi diduzuze", "x y z 1 2 3, and so on and so on", "Pedi nude"
};

static void run(struct rig *rig, struct engine_call *calls, size_t n) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(engine_run(rig->engine, calls, n, &err) == 0, "%s", err.text);
}

static void done_with(struct engine_call *calls, size_t n) {
    for (size_t i = 0; i < n; i++)
        engine_call_done(&calls[i]);
}

static void check_like(const struct engine_call *got, const struct engine_call *want, const char *name) {
    CHECK_INT(got->n_rows * got->width, want->n_rows * want->width, name);
    for (size_t i = 0; i < got->n_rows * got->width; i++)
        CHECK_MSG(fabsf(got->result[i] - want->result[i]) < 2e-5F, "%s: %g, folded %g", name, (double)got->result[i],
                  (double)want->result[i]);
}

/* The same probabilities as with the adapter folded in. */
TEST(as_folded) {
    struct rig rig;
    struct model *base;
    rig_begin(&rig, &(struct engine_options){ .threads = 2 });
    base = must_open(&rig, base_name, &(struct model_options){ .precision = PRECISION_F32 });
    for (size_t a = 0; a < ADAPTERS; a++) {
        struct model *stacked = open_stacked(&rig, names[a], base);
        struct model *folded = open_folded(&rig, names[a], base_name, PRECISION_F32);
        struct engine_call got[TEXTS], want[TEXTS];
        CHECK(model_adapter(stacked) && !model_adapter(folded), names[a]);
        CHECK_INT(model_task(stacked), model_task(folded), names[a]);
        CHECK_INT(model_labels(stacked)->n, model_labels(folded)->n, names[a]);
        CHECK(model_bytes(stacked).all < model_bytes(folded).all, "that is what it is for");
        for (size_t i = 0; i < TEXTS; i++) {
            got[i] = (struct engine_call){ .model = stacked, .text = str_from_c(texts[i]) };
            want[i] = (struct engine_call){ .model = folded, .text = str_from_c(texts[i]) };
        }
        run(&rig, got, TEXTS);
        run(&rig, want, TEXTS);
        for (size_t i = 0; i < TEXTS; i++)
            check_like(&got[i], &want[i], names[a]);
        done_with(got, TEXTS);
        done_with(want, TEXTS);
        model_unref(stacked);
        model_unref(folded);
    }
    model_unref(base);
    rig_end(&rig);
}

/* Base and adapters on several texts are one batch, and each result is to the bit what it is alone. */
TEST(one_pass) {
    enum { CALLS = TEXTS * (ADAPTERS + 1) };
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
        struct rig rig;
        struct model *models[ADAPTERS + 1];
        struct engine_call alone[CALLS], together[CALLS];
        uint64_t before;
        rig_begin(&rig, &(struct engine_options){ .threads = 2, .cache_len_max = SIZE_MAX });
        models[ADAPTERS] = must_open(&rig, base_name, &(struct model_options){ .precision = precision });
        for (size_t a = 0; a < ADAPTERS; a++)
            models[a] = open_stacked(&rig, names[a], models[ADAPTERS]);
        for (size_t i = 0; i < CALLS; i++) {
            alone[i] = together[i] = (struct engine_call){ .model = models[i % (ADAPTERS + 1)],
                                                           .text = str_from_c(texts[i / (ADAPTERS + 1)]) };
            run(&rig, &alone[i], 1);
        }
        before = engine_stats(rig.engine).queue.batches;
        run(&rig, together, CALLS);
        CHECK_INT(engine_stats(rig.engine).queue.batches, before + 1, "batches");
        for (size_t i = 0; i < CALLS; i++) {
            CHECK_INT(together[i].n_rows * together[i].width, alone[i].n_rows * alone[i].width, "numbers");
            CHECK_MSG(memcmp(together[i].result, alone[i].result, alone[i].n_rows * alone[i].width * sizeof(float)) ==
                          0,
                      "%s, call %zu differs alone", precision_name(precision), i);
        }
        done_with(alone, CALLS);
        done_with(together, CALLS);
        for (size_t i = ADAPTERS + 1; i-- > 0;) /* the base first: its adapters keep it */
            model_unref(models[i]);
        rig_end(&rig);
    }
}

/* A base of another precision, or that ends earlier, is another pass. */
TEST(kinds) {
    struct rig rig;
    struct model *f32, *int8, *on_f32, *on_int8;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    f32 = must_open(&rig, base_name, &(struct model_options){ .precision = PRECISION_F32 });
    int8 = must_open(&rig, base_name, &(struct model_options){ .precision = PRECISION_INT8 });
    on_f32 = open_stacked(&rig, names[0], f32);
    on_int8 = open_stacked(&rig, names[0], int8);
    CHECK_INT(model_precision(on_int8), PRECISION_INT8, "the base's");
    CHECK(model_kind(on_f32, 0, false) == model_kind(f32, 0, false), "together");
    CHECK(model_kind(on_f32, 0, false) != model_kind(on_int8, 0, false), "not together");
    CHECK(model_kind(f32, 0, false) != model_kind(f32, 1, false), "not after other layers");
    CHECK(model_kind(f32, 1, true) != model_kind(f32, 1, false), "nor in another way");
    CHECK(model_serial(on_f32) != model_serial(f32), "what is remembered of one is not the other's");
    CHECK_INT(encoder_adapter_first_layer(model_adapter(on_f32)), 0, "intent begins at the first layer");
    model_unref(on_f32);
    model_unref(on_int8);
    model_unref(int8);
    model_unref(f32);
    rig_end(&rig);
}

static void check_refused(struct rig *rig, const char *name, struct model *on, const char *says) {
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model;
    CHECK_INT(try_open(rig, name, &(struct model_options){ .stacked_on = on }, &model, &err), VSR_E_INVALID, name);
    CHECK_MSG(strstr(err.text, says), "%s: \"%s\" does not say \"%s\"", name, err.text, says);
}

TEST(refused) {
    struct rig rig;
    struct model *base, *other, *folded, *stacked;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    base = must_open(&rig, base_name, &(struct model_options){ .precision = PRECISION_F32 });
    other = must_open(&rig, "bert-mlm", &(struct model_options){ .precision = PRECISION_F32 });
    folded = open_folded(&rig, names[0], base_name, PRECISION_F32);
    stacked = open_stacked(&rig, names[0], base);
    check_refused(&rig, "modernbert-mlm-lora-dora", base, "DoRA");
    check_refused(&rig, "bert-mlm-lora-pii", other, "DoRA");
    check_refused(&rig, "modernbert-embed", base, "no adapter");
    check_refused(&rig, names[1], folded, "an adapter itself");
    check_refused(&rig, names[1], stacked, "an adapter itself");
    check_refused(&rig, names[1], other, "no linear layer of the base");
    model_unref(stacked);
    model_unref(folded);
    model_unref(other);
    model_unref(base);
    rig_end(&rig);
}

static void never(struct engine_call *call, int rc, const struct vsr_err *err) {
    (void)call, (void)rc, (void)err;
    CHECK(false, "done() of a call that was not taken");
}

/* Calls up to the first that fails are taken. */
TEST(submitted_together) {
    struct rig rig;
    struct model *base, *stacked;
    struct engine_call calls[3];
    struct vsr_err err = VSR_ERR_NONE;
    size_t n;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    base = must_open(&rig, base_name, &(struct model_options){ .precision = PRECISION_F32 });
    stacked = open_stacked(&rig, names[0], base);
    for (size_t i = 0; i < 3; i++)
        calls[i] = (struct engine_call){ .model = stacked, .text = str_from_c(texts[i]), .done = never };
    calls[0].dims = 5;
    CHECK_INT(engine_submit_all(rig.engine, calls, 3, &n, &err), VSR_E_INVALID, "dimensions of a classifier");
    CHECK_INT(n, 0, "none was taken");
    CHECK_INT(engine_run(rig.engine, calls + 1, 2, &err), 0, err.text);
    calls[0].dims = 0;
    calls[2].dims = 5;
    done_with(calls, 3);
    CHECK_INT(engine_run(rig.engine, calls, 3, &err), VSR_E_INVALID, "the last one");
    CHECK(calls[0].result && calls[1].result && !calls[2].result, "those before it have answers");
    done_with(calls, 3);
    model_unref(stacked);
    model_unref(base);
    rig_end(&rig);
}

RUN_TESTS(T(as_folded), T(one_pass), T(kinds), T(refused), T(submitted_together))
