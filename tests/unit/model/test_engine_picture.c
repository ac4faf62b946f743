/* Pictures through the engine: as files and as base64, shared, remembered, refused, late, beside texts of one model. */
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/buf.h"
#include "core/clock.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/picture.h"
#include "nn/runtime.h"
#include "nn/safetensors.h"
#include "nn/vision.h"
#include "test.h"

enum { PATH_LEN = 1024, FILE_LEN_MAX = 1 << 16, DIMS = 64, CLIENTS = 6, ROUNDS = 20 };

struct rig {
    struct nn_runtime *runtime;
    struct engine *engine;
    struct model *model;
    struct arena *arena;
};

static void rig_begin(struct rig *rig, const struct engine_options *options) {
    const struct model_options f32 = { .precision = PRECISION_F32 };
    struct vsr_err err = VSR_ERR_NONE;
    char path[PATH_LEN];
    rig->arena = arena_new(0, 0);
    (void)snprintf(path, sizeof(path), "%s/tests/fixtures/multimodal", getenv("VSR_TEST_SOURCE"));
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, options, &rig->engine, &err) == 0, "%s", err.text);
    CHECK_MSG(model_open(rig->runtime, str_from_c(path), &f32, &rig->model, &err) == 0, "%s", err.text);
    CHECK(model_task(rig->model) == MODEL_EMBED && model_vision(rig->model), "it embeds texts and pictures");
    CHECK_INT(model_width(rig->model), DIMS, "dimensions");
}

static void rig_end(struct rig *rig) {
    model_unref(rig->model);
    engine_free(rig->engine);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

static vsr_str picture(struct rig *rig, const char *name) {
    char path[PATH_LEN], *bytes = arena_alloc(rig->arena, FILE_LEN_MAX);
    FILE *file;
    size_t n;
    (void)snprintf(path, sizeof(path), "%s/tests/fixtures/pictures/%s", getenv("VSR_TEST_SOURCE"), name);
    file = fopen(path, "rb");
    CHECK_MSG(file, "cannot open %s", path);
    n = fread(bytes, 1, FILE_LEN_MAX, file);
    (void)fclose(file);
    return str_make(bytes, n);
}

static vsr_str base64(struct rig *rig, vsr_str bytes) {
    struct buf out;
    vsr_str text;
    buf_init(&out, 1 << 20);
    base64_write(&out, bytes);
    text = arena_str(rig->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static int run(struct rig *rig, struct engine_call *call, struct vsr_err *err) {
    call->model = call->model ? call->model : rig->model;
    call->priority = PRIORITY_ROUTING;
    return engine_run(rig->engine, call, 1, err);
}

/* As the reference has it. */
static void check_vector(struct rig *rig, const char *name, const float *got, size_t n) {
    struct vsr_err err = VSR_ERR_NONE;
    struct safetensors cases;
    const struct tensor *want;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof(path), "%s/tests/fixtures/multimodal/cases.safetensors", getenv("VSR_TEST_SOURCE"));
    CHECK_MSG(safetensors_open(rig->arena, path, &cases, &err) == 0, "%s", err.text);
    want = safetensors_find(&cases, str_from_c(name));
    CHECK(want && want->n == n, name);
    for (size_t i = 0; i < n; i++) {
        float value;
        memcpy(&value, (const char *)want->data + i * sizeof(value), sizeof(value));
        CHECK_MSG(fabsf(value - got[i]) < 2e-5F, "%s: number %zu is %g, want %g", name, i, (double)got[i],
                  (double)value);
    }
}

TEST(files_and_base64) {
    struct vsr_err err = VSR_ERR_NONE;
    struct engine_call call, coded, cut;
    struct rig rig;
    vsr_str file;
    rig_begin(&rig, &(struct engine_options){ .threads = 2 });
    file = picture(&rig, "rgb.png");
    call = (struct engine_call){ .picture = file };
    coded = (struct engine_call){ .picture = base64(&rig, file), .picture_base64 = true };
    cut = (struct engine_call){ .picture = file, .dims = 16, .layers = 1 };
    CHECK_MSG(run(&rig, &call, &err) == 0 && run(&rig, &coded, &err) == 0 && run(&rig, &cut, &err) == 0, "%s",
              err.text);
    CHECK(call.width == DIMS && call.n_rows == 1 && !call.remembered, "one vector");
    check_vector(&rig, "picture0.embedding", call.result, DIMS);
    CHECK(memcmp(call.result, coded.result, DIMS * sizeof(float)) == 0, "the same by base64");
    CHECK_INT(cut.width, 16, "cut; the layers are those of texts");
    check_vector(&rig, "picture0.dim16", cut.result, 16);
    engine_call_done(&coded);
    engine_call_done(&cut);
    coded = (struct engine_call){ .picture = file };
    CHECK_MSG(run(&rig, &coded, &err) == 0 && coded.remembered, "asked for again");
    CHECK(memcmp(call.result, coded.result, DIMS * sizeof(float)) == 0, "and the same");
    engine_call_done(&call);
    engine_call_done(&coded);
    rig_end(&rig);
}

/* Asked for by several at once it is run once. */
TEST(shared) {
    struct vsr_err err = VSR_ERR_NONE;
    struct engine_call calls[16];
    struct engine_stats stats;
    struct rig rig;
    vsr_str file;
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .cache_len_max = SIZE_MAX });
    file = picture(&rig, "plain.jpg");
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        calls[i] = (struct engine_call){ .model = rig.model, .picture = file };
    CHECK_MSG(engine_run(rig.engine, calls, VSR_COUNT(calls), &err) == 0, "%s", err.text);
    stats = engine_stats(rig.engine);
    CHECK_INT(stats.queue.run, 1, "runs");
    CHECK_INT(stats.shared, VSR_COUNT(calls) - 1, "shared");
    CHECK_INT(stats.bytes, 0, "bytes afterwards");
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        CHECK(memcmp(calls[0].result, calls[i].result, DIMS * sizeof(float)) == 0, "one result");
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        engine_call_done(&calls[i]);
    rig_end(&rig);
}

static struct model *open_other(struct rig *rig, const char *name) {
    const struct model_options f32 = { .precision = PRECISION_F32 };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    char path[PATH_LEN];
    (void)snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    CHECK_MSG(model_open(rig->runtime, str_from_c(path), &f32, &model, &err) == 0, "%s", err.text);
    return model;
}

TEST(refused) {
    static char large[PICTURE_LEN_MAX / 3 * 4 + 64];
    struct rig rig;
    struct model *texts, *classes;
    vsr_str file;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    texts = open_other(&rig, "bert-embed-mean");
    classes = open_other(&rig, "bert-sequence");
    file = picture(&rig, "rgb.png");
    memset(large, 'A', sizeof(large));
    {
        const struct {
            const char *name;
            struct engine_call call;
            int code;
            const char *says;
        } cases[] = {
            { "a model of texts", { .model = texts, .picture = file }, VSR_E_UNAVAILABLE, "reads no pictures" },
            { "a classifier", { .model = classes, .picture = file }, VSR_E_UNAVAILABLE, "reads no pictures" },
            { "no picture", { .picture = VSR_STR("a text") }, VSR_E_INVALID, "no picture that can be read" },
            { "half of one", { .picture = str_sub(file, 0, file.len / 2) }, VSR_E_INVALID, "PNG" },
            { "moving", { .picture = picture(&rig, "moving.webp") }, VSR_E_INVALID, "moves" },
            { "no base64", { .picture = VSR_STR("!"), .picture_base64 = true }, VSR_E_INVALID, "not base64" },
            { "too long",
              { .picture = str_make(large, sizeof(large)), .picture_base64 = true },
              VSR_E_LIMIT,
              "at most" },
            { "a size that is none", { .picture = file, .dims = 17 }, VSR_E_INVALID, "32 or 16" },
        };
        for (size_t i = 0; i < VSR_COUNT(cases); i++) {
            struct vsr_err err = VSR_ERR_NONE;
            struct engine_call call = cases[i].call;
            int rc = run(&rig, &call, &err);
            CHECK_INT(rc, cases[i].code, cases[i].name);
            CHECK_MSG(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].name, err.text);
            engine_call_done(&call);
        }
    }
    {
        struct vsr_err err = VSR_ERR_NONE;
        struct engine_call call = { .picture = file };
        CHECK_MSG(run(&rig, &call, &err) == 0, "afterwards: %s", err.text);
        engine_call_done(&call);
    }
    model_unref(texts);
    model_unref(classes);
    rig_end(&rig);
}

TEST(too_late) {
    struct vsr_err err = VSR_ERR_NONE;
    struct rig rig;
    struct engine_call call;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    call = (struct engine_call){ .picture = picture(&rig, "rgb.png"), .deadline_ms = clock_mono_ms() - 1 };
    CHECK_INT(run(&rig, &call, &err), VSR_E_TIMEOUT, "its deadline is over");
    engine_call_done(&call);
    rig_end(&rig);
}

/* ---- room for others */

static void on_jam(struct engine_call *call, int rc, const struct vsr_err *err) {
    sem_t *jam = call->owner;
    (void)rc;
    (void)err;
    (void)sem_wait(jam); /* and the only thread with it */
}

static void on_end(struct engine_call *call, int rc, const struct vsr_err *err) {
    sem_t *ends = call->owner;
    (void)rc; /* they are no pictures */
    (void)err;
    (void)sem_post(ends);
}

/* However large and many pictures are that wait, half of the memory is for texts. */
TEST(pictures_leave_memory_to_texts) {
    enum { ROOM = 8 << 20, PICTURE_LEN = 1 << 20, MOST = ROOM / 8 * 7 / 2 / PICTURE_LEN, MANY = 8 };
    static char files[MANY][PICTURE_LEN];
    struct engine_call calls[MANY], text, jammed;
    struct vsr_err err = VSR_ERR_NONE;
    struct rig rig;
    sem_t jam, ends;
    size_t n = 0;
    CHECK(sem_init(&jam, 0, 0) == 0 && sem_init(&ends, 0, 0) == 0, "semaphores");
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .bytes_max = ROOM });
    jammed = (struct engine_call){ .text = VSR_STR("bada"), .done = on_jam, .owner = &jam };
    jammed.model = rig.model;
    CHECK_MSG(engine_submit(rig.engine, &jammed, &err) == 0, "%s", err.text);
    for (; n < MANY; n++) {
        files[n][0] = (char)('a' + n);
        calls[n] = (struct engine_call){ .model = rig.model,
                                         .picture = str_make(files[n], PICTURE_LEN),
                                         .priority = PRIORITY_ROUTING,
                                         .done = on_end,
                                         .owner = &ends };
        if (engine_submit(rig.engine, &calls[n], &err) < 0)
            break;
    }
    CHECK_INT(n, MOST, "pictures that wait");
    CHECK_MSG(strstr(err.text, "the inference queue is full") != NULL, "%s", err.text);
    text = (struct engine_call){ .model = rig.model, .text = VSR_STR("bede"), .done = on_end, .owner = &ends };
    CHECK_MSG(engine_submit(rig.engine, &text, &err) == 0, "%s", err.text);
    (void)sem_post(&jam);
    for (size_t i = 0; i < n + 1; i++)
        (void)sem_wait(&ends);
    for (size_t i = 0; i < n; i++)
        engine_call_done(&calls[i]);
    engine_call_done(&text);
    engine_call_done(&jammed);
    rig_end(&rig);
    (void)sem_destroy(&jam);
    (void)sem_destroy(&ends);
}

/* ---- several clients */

struct client {
    struct rig *rig;
    const vsr_str *files;
    float (*want)[DIMS]; /* of three pictures and a text */
    pthread_t id;
    size_t n_wrong;
};

static void *client_main(void *data) {
    struct client *client = data;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct vsr_err err = VSR_ERR_NONE;
        size_t which = (i + (size_t)(uintptr_t)client / 64) % 4;
        struct engine_call call = { .model = client->rig->model };
        if (which < 3)
            call.picture = client->files[which];
        else
            call.text = VSR_STR("bada bede fina");
        client->n_wrong += engine_run(client->rig->engine, &call, 1, &err) < 0 ||
                           memcmp(call.result, client->want[which], sizeof(*client->want)) != 0;
        engine_call_done(&call);
    }
    return NULL;
}

TEST(several_clients) {
    static float want[4][DIMS];
    struct client clients[CLIENTS];
    struct rig rig;
    vsr_str files[3];
    rig_begin(&rig, &(struct engine_options){ .threads = 3, .cache_len_max = SIZE_MAX });
    files[0] = picture(&rig, "rgb.png");
    files[1] = picture(&rig, "progressive.jpg");
    files[2] = picture(&rig, "lossless.webp");
    for (size_t i = 0; i < 4; i++) {
        struct vsr_err err = VSR_ERR_NONE;
        struct engine_call call = { .text = VSR_STR("bada bede fina") };
        if (i < 3)
            call.picture = files[i];
        CHECK_MSG(run(&rig, &call, &err) == 0, "%s", err.text);
        memcpy(want[i], call.result, sizeof(want[i]));
        engine_call_done(&call);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .rig = &rig, .files = files, .want = want };
        CHECK(pthread_create(&clients[i].id, NULL, client_main, &clients[i]) == 0, "thread");
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i].id, NULL);
        CHECK_INT(clients[i].n_wrong, 0, "wrong answers");
    }
    rig_end(&rig);
}

RUN_TESTS(T(files_and_base64), T(shared), T(refused), T(too_late), T(pictures_leave_memory_to_texts),
          T(several_clients))
