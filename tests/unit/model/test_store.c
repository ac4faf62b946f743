#include "model/store.h"

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json_write.h"
#include "files.h"
#include "model/engine.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"

enum { PATH_LEN = 512, FILE_MAX = 1 << 20, PATIENCE_MS = 120000, CLIENTS = 4, SWAPS = 12 };
enum { LOADERS = 2, CONFIGURATIONS = 400, CONFIGURATIONS_LEN_MAX = 128 << 10 };

struct rig {
    struct tree tree;
    struct nn_runtime *runtime;
    struct engine *engine;
    struct readiness *readiness;
    struct store *store;
};

/* The models directory holds links to small models of random weights. */
static void rig_begin_reporting(struct rig *rig, uint64_t bytes_max, size_t loaders,
                                void (*report)(void *owner, vsr_str name, enum readiness_state state, vsr_str message),
                                void *owner) {
    const struct engine_options engine = { .threads = 2, .calls_max = 8 };
    struct vsr_err err = VSR_ERR_NONE;
    struct store_options options;
    tree_make(&rig->tree);
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, &engine, &rig->engine, &err) == 0, "%s", err.text);
    rig->readiness = readiness_new();
    options = (struct store_options){ .runtime = rig->runtime,
                                      .engine = rig->engine,
                                      .readiness = rig->readiness,
                                      .places = { .models_dir = tree_str(&rig->tree, "") },
                                      .bytes_max = bytes_max,
                                      .loaders = loaders,
                                      .report = report,
                                      .owner = owner };
    CHECK_MSG(store_new(&options, &rig->store, &err) == 0, "%s", err.text);
}

static void rig_begin(struct rig *rig, uint64_t bytes_max) {
    rig_begin_reporting(rig, bytes_max, LOADERS, NULL, NULL);
}

static void rig_end(struct rig *rig) {
    store_free(rig->store);
    engine_free(rig->engine);
    CHECK_INT(tensor_store_bytes(rig->runtime->tensors).held, 0, "nothing is left of any model");
    nn_runtime_free(rig->runtime);
    readiness_free(rig->readiness);
    tree_remove(&rig->tree);
}

static const char *fixture(const char *name) {
    static char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    return path;
}

static void link_model(struct rig *rig, const char *name, const char *of) {
    tree_link(&rig->tree, name, fixture(of));
}

/* The model's files, one of which is to be broken. */
static void copy_model(struct rig *rig, const char *name, const char *of) {
    static const char *const files[] = { "config.json", "tokenizer.json", "tokenizer_config.json",
                                         "model.safetensors" };
    static char bytes[FILE_MAX];
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        char path[PATH_LEN];
        FILE *file;
        size_t len;
        snprintf(path, sizeof(path), "%s/%s", fixture(of), files[i]);
        file = fopen(path, "rb");
        CHECK(file != NULL, path);
        len = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        if (strcmp(name, "nan") == 0 && strcmp(files[i], "model.safetensors") == 0) {
            uint64_t header;
            memcpy(&header, bytes, sizeof(header));
            memset(bytes + 8 + header, 0xff, len - 8 - header);
        }
        snprintf(path, sizeof(path), "%s/%s", name, files[i]);
        tree_bytes(&rig->tree, path, bytes, len);
    }
}

static void configure(struct rig *rig, const struct store_model *models, size_t n) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(store_configure(rig->store, models, n, &err) == 0, "%s", err.text);
}

static struct store_model wanted(const char *name) {
    return (struct store_model){ .name = str_from_c(name), .type = VSR_STR("jailbreak-detection") };
}

static struct store_handle get(struct rig *rig, const char *name) {
    struct store_handle handle = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = store_get(rig->store, str_from_c(name), clock_mono_ms() + PATIENCE_MS, &handle, &err);
    CHECK_MSG(rc == 0, "%s: %s", name, err.text);
    return handle;
}

static void refused(struct rig *rig, const char *name, int want, const char *text) {
    struct store_handle handle = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(store_get(rig->store, str_from_c(name), clock_mono_ms() + PATIENCE_MS, &handle, &err), want, name);
    CHECK_MSG(strstr(err.text, text) != NULL, "%s: \"%s\" is not in \"%s\"", name, text, err.text);
}

/* Not there yet: it is being looked for, or loaded. */
static void ask_only(struct rig *rig, const char *name, const char *text) {
    struct store_handle handle = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(store_get(rig->store, str_from_c(name), 0, &handle, &err), VSR_E_UNAVAILABLE, name);
    CHECK_MSG(strstr(err.text, text) != NULL, "%s: \"%s\" is not in \"%s\"", name, text, err.text);
}

/* Until nothing is looked for. */
static void wait_for_scout(struct rig *rig) {
    uint64_t end = clock_mono_ms() + PATIENCE_MS;
    struct timespec pause = { 0, 2000000 };
    while (store_stats(rig->store).checking > 0) {
        nanosleep(&pause, NULL);
        CHECK(clock_mono_ms() < end, "it takes too long");
    }
}

/* Until nothing is looked for, queued or being loaded. */
static void settle(struct rig *rig) {
    uint64_t end = clock_mono_ms() + PATIENCE_MS;
    struct timespec pause = { 0, 2000000 };
    struct store_stats stats;
    do {
        nanosleep(&pause, NULL);
        stats = store_stats(rig->store);
        CHECK(clock_mono_ms() < end, "it takes too long");
    } while (stats.checking > 0 || stats.loading > 0 || stats.waited_for > 0);
}

/* Until so many bytes of weights are in memory. */
static void wait_for_bytes(struct rig *rig, uint64_t held) {
    uint64_t end = clock_mono_ms() + PATIENCE_MS;
    struct timespec pause = { 0, 2000000 };
    while (tensor_store_bytes(rig->runtime->tensors).held != held) {
        nanosleep(&pause, NULL);
        CHECK(clock_mono_ms() < end, "memory is not given back");
    }
}

/* ---- a disk that can be stopped: the store's way to it is through this program */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stopped, reached;
} disk = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

DIR *opendir(const char *path) {
    DIR *(*real)(const char *path);
    *(void **)&real = dlsym(RTLD_NEXT, "opendir");
    pthread_mutex_lock(&disk.mutex);
    disk.reached = true;
    pthread_cond_broadcast(&disk.changed);
    while (disk.stopped)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
    return real(path);
}

static void stop_disk(bool stopped) {
    pthread_mutex_lock(&disk.mutex);
    disk.stopped = stopped;
    disk.reached = false;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.mutex);
}

static void wait_for_disk(void) {
    pthread_mutex_lock(&disk.mutex);
    while (!disk.reached)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

static vsr_str phase(struct rig *rig, struct arena *arena) {
    struct buf text;
    struct json_writer w;
    vsr_str at;
    buf_init(&text, 1 << 16);
    json_write_init(&w, &text);
    json_write_begin_object(&w);
    readiness_summary_json(rig->readiness, "ready", &w);
    json_write_end(&w);
    at = arena_str(arena, buf_str(&text));
    buf_done(&text);
    return at;
}

/* Whoever configures or asks is not held up by it, and everybody can see what is going on. */
TEST(a_slow_disk) {
    struct store_model models[] = { wanted("a"), wanted("b"), wanted("c") };
    struct arena *arena = arena_new(0, 0);
    struct store_handle handle = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    char missing[READINESS_NAME_LEN];
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    models[0].mandatory = true;
    stop_disk(true);
    configure(&rig, models, 3);
    wait_for_disk();
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_CHECKING, "state");
    CHECK(!readiness_is_ready(rig.readiness, missing), "a mandatory one");
    CHECK(strstr(phase(&rig, arena).ptr, "\"checking\""), "phase");
    CHECK_INT(store_stats(rig.store).checking, 3, "counted");
    CHECK_INT(store_get(rig.store, VSR_STR("b"), 0, &handle, &err), VSR_E_UNAVAILABLE, "not yet");
    CHECK(strstr(err.text, "being looked for"), err.text);
    CHECK_INT(store_get(rig.store, VSR_STR("b"), clock_mono_ms() + 2, &handle, &err), VSR_E_TIMEOUT, "nor in time");
    models[0].precision = PRECISION_INT8;
    configure(&rig, models, 2);
    CHECK_INT(store_get(rig.store, VSR_STR("c"), 0, &handle, &err), VSR_E_NOT_FOUND, "not wanted any more");
    CHECK_INT(store_stats(rig.store).loads, 0, "nothing yet");
    stop_disk(false);
    settle(&rig);
    CHECK_INT(store_stats(rig.store).loads, 2, "what is mandatory, and what was asked for");
    CHECK(readiness_is_ready(rig.readiness, missing), missing);
    handle = get(&rig, "a");
    CHECK_INT(model_precision(handle.model), PRECISION_INT8, "the last word");
    store_put(&handle);
    stop_disk(true);
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    store_put(&handle);
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_READY, "what is there answers meanwhile");
    stop_disk(false);
    rig_end(&rig);
    arena_free(arena);
}

/* What configurations named that came and went meanwhile is forgotten, though the thread that forgets is held up. */
TEST(a_disk_that_does_not_answer) {
    struct mallinfo2 before = { 0 }; /* zeros under a sanitizer, too */
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "m0", "bert-sequence"); /* to reach the disk with */
    stop_disk(true);
    for (size_t i = 0; i < CONFIGURATIONS; i++) {
        char name[16];
        struct store_model model;
        snprintf(name, sizeof(name), "m%zu", i);
        model = wanted(name);
        configure(&rig, &model, 1);
        if (i == 0) {
            wait_for_disk();
            before = mallinfo2();
        }
    }
    CHECK(mallinfo2().uordblks < before.uordblks + CONFIGURATIONS_LEN_MAX, "their memory");
    CHECK_INT(store_stats(rig.store).models, 1, "the last one");
    stop_disk(false);
    rig_end(&rig);
}

/* What is not wanted any more is given back, though the thread that looks for files is held up. */
TEST(a_disk_that_hangs_keeps_no_model) {
    struct store_model models[] = { wanted("a"), wanted("b") };
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    models[0].load = STORE_EAGER;
    configure(&rig, models, 1);
    settle(&rig);
    CHECK(tensor_store_bytes(rig.runtime->tensors).held > 0, "it weighs something");
    stop_disk(true);
    configure(&rig, models, 2);
    wait_for_disk();
    configure(&rig, models + 1, 1);
    wait_for_bytes(&rig, 0);
    CHECK_INT(store_stats(rig.store).checking, 1, "the other one is not even found");
    stop_disk(false);
    rig_end(&rig);
}

static void copy_view(void *data, const struct readiness_view *view) {
    snprintf(data, READINESS_NAME_LEN, "%s, %s%s", view->name, view->type, view->mandatory ? ", mandatory" : "");
}

/* By the name that the last configuration has for it, also while it is looked for or loaded. */
TEST(called_otherwise) {
    static const char *const names[] = { "models/a", "a" };
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    for (size_t i = 0; i < 4; i++) {
        struct store_model model = wanted(names[i % 2]);
        char shown[READINESS_NAME_LEN], want[READINESS_NAME_LEN], name[READINESS_NAME_LEN];
        model.load = STORE_EAGER;
        model.type = i % 2 ? VSR_STR("pii-detection") : VSR_STR("jailbreak-detection");
        model.mandatory = i % 2;
        snprintf(want, sizeof(want), "%s, %.*s%s", names[i % 2], VSR_FMT(model.type), i % 2 ? ", mandatory" : "");
        configure(&rig, &model, 1);
        readiness_each(rig.readiness, copy_view, shown);
        CHECK_STR(str_from_c(shown), want, "at once");
        if (i == 0) /* else while it is being loaded, or later */
            wait_for_scout(&rig);
        else
            settle(&rig);
        CHECK(store_name_of(rig.store, tree_str(&rig.tree, "a"), name), names[i % 2]);
        CHECK_STR(str_from_c(name), names[i % 2], "of the directory");
    }
    CHECK_INT(store_stats(rig.store).loads, 1, "one model");
    rig_end(&rig);
}

/* What is wrong with the files of a model that answers is shown with it, as long as it is there. */
TEST(a_warning) {
    struct store_model model = wanted("a");
    struct rig rig;
    rig_begin(&rig, 0);
    copy_model(&rig, "a", "modernbert-embed");
    tree_text(&rig.tree, "a/onnx/model_config.json", "{]");
    model.load = STORE_EAGER;
    for (size_t i = 0; i < 2; i++) {
        struct buf text;
        struct json_writer w;
        configure(&rig, &model, 1);
        settle(&rig);
        CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_READY, "it answers");
        buf_init(&text, 1 << 16);
        json_write_init(&w, &text);
        readiness_models_json(rig.readiness, &w);
        CHECK(str_find(buf_str(&text), VSR_STR("\"message\":\"onnx/model_config.json: ")) >= 0, "the warning");
        buf_done(&text);
    }
    CHECK_INT(store_stats(rig.store).loads, 1, "loaded once");
    rig_end(&rig);
}

/* ---- loading */

static void *ask(void *data) {
    struct store_handle handle = get(data, "a");
    store_put(&handle);
    return NULL;
}

TEST(lazy) {
    const struct store_model models[] = { wanted("models/a") };
    struct store_handle handle = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    pthread_t threads[CLIENTS];
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    settle(&rig);
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_WAITING, "nobody has asked");
    CHECK_INT(store_stats(rig.store).loads, 0, "nothing is loaded");
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &rig), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    CHECK_INT(store_stats(rig.store).loads, 1, "all waited for one load");
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_READY, "ready");
    CHECK_INT(store_get(rig.store, VSR_STR("models/a"), 0, &handle, &err), 0, "without waiting, by either name");
    store_put(&handle);
    CHECK_INT(store_get(rig.store, VSR_STR("b"), 0, &handle, &err), VSR_E_NOT_FOUND, "not configured");
    rig_end(&rig);
}

TEST(without_waiting) {
    const struct store_model models[] = { wanted("a") };
    struct store_handle handle = { 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    settle(&rig);
    CHECK_INT(store_get(rig.store, VSR_STR("a"), 0, &handle, &err), VSR_E_UNAVAILABLE, "not yet");
    CHECK(strstr(err.text, "being loaded"), err.text);
    CHECK_INT(store_get(rig.store, VSR_STR("a"), 1, &handle, &err), VSR_E_TIMEOUT, "the time was over already");
    handle = get(&rig, "a");
    store_put(&handle);
    CHECK_INT(store_stats(rig.store).loads, 1, "the first had begun it");
    rig_end(&rig);
}

TEST(eager) {
    struct store_model models[] = { wanted("a"), wanted("b"), wanted("c") };
    char missing[READINESS_NAME_LEN];
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "modernbert-embed");
    link_model(&rig, "c", "roberta-token");
    models[0].load = STORE_EAGER;
    models[1].mandatory = true;
    configure(&rig, models, 3);
    settle(&rig);
    CHECK_INT(store_stats(rig.store).loads, 2, "what is mandatory is not waited for, either");
    CHECK_INT(readiness_state(rig.readiness, 2), MODEL_STATE_WAITING, "lazy");
    CHECK(readiness_is_ready(rig.readiness, missing), missing);
    rig_end(&rig);
}

TEST(an_adapter_finds_its_base) {
    const struct store_model models[] = { wanted("adapter") };
    struct store_handle handle;
    char weights[PATH_LEN];
    struct rig rig;
    rig_begin(&rig, 0);
    snprintf(weights, sizeof(weights), "%s/adapter_model.safetensors", fixture("bert-mlm-lora-intent"));
    tree_link(&rig.tree, "adapter/adapter_model.safetensors", weights);
    tree_text(&rig.tree, "adapter/adapter_config.json",
              "{\"peft_type\":\"LORA\",\"base_model_name_or_path\":\"models/base\",\"bias\":\"none\",\"r\":2,"
              "\"lora_alpha\":4,\"task_type\":\"SEQ_CLS\",\"target_modules\":\"all-linear\",\"lora_bias\":true}");
    configure(&rig, models, 1);
    refused(&rig, "adapter", VSR_E_UNAVAILABLE, "models/base");
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_ABSENT, "its base is not here");
    link_model(&rig, "base", "bert-mlm");
    configure(&rig, models, 1);
    handle = get(&rig, "adapter");
    CHECK_INT(model_task(handle.model), MODEL_CLASSIFY, "task");
    store_put(&handle);
    rig_end(&rig);
}

/* A head of its own, whatever the base was made for; and no base from anywhere on this machine. */
TEST(an_adapter_is_not_its_base) {
    static const char config[] = "{\"peft_type\":\"LORA\",\"base_model_name_or_path\":\"%s\",\"bias\":\"none\",\"r\":2,"
                                 "\"lora_alpha\":4,\"task_type\":\"SEQ_CLS\",\"target_modules\":\"all-linear\","
                                 "\"lora_bias\":true}";
    const struct store_model models[] = { wanted("adapter"), wanted("stray") };
    char weights[PATH_LEN], text[2 * PATH_LEN], *end = text;
    struct store_handle handle;
    struct rig rig;
    FILE *file;
    rig_begin(&rig, 0);
    copy_model(&rig, "base", "bert-mlm");
    file = fopen(tree_path(&rig.tree, "base/config.json"), "r");
    CHECK(file && (end = text + fread(text, 1, sizeof(text) - 64, file)) > text, "base");
    fclose(file);
    while (*--end != '}')
        continue;
    snprintf(end, 64, ",\"problem_type\":\"multi_label_classification\"}");
    tree_text(&rig.tree, "base/config.json", text);
    snprintf(weights, sizeof(weights), "%s/adapter_model.safetensors", fixture("bert-mlm-lora-intent"));
    tree_link(&rig.tree, "adapter/adapter_model.safetensors", weights);
    snprintf(text, sizeof(text), config, "models/base");
    tree_text(&rig.tree, "adapter/adapter_config.json", text);
    configure(&rig, models, 1);
    handle = get(&rig, "adapter");
    CHECK_INT(model_config(handle.model)->problem, PROBLEM_SINGLE_LABEL, "its own problem");
    store_put(&handle);
    snprintf(text, sizeof(text), config, tree_path(&rig.tree, "base"));
    tree_link(&rig.tree, "stray/adapter_model.safetensors", weights);
    tree_text(&rig.tree, "stray/adapter_config.json", text);
    configure(&rig, models, 2);
    refused(&rig, "stray", VSR_E_UNAVAILABLE, "the machine that it was made on");
    rig_end(&rig);
}

/* Models longer than vsr takes are cut, and tokens past their vocabulary matter only if a text becomes one. */
TEST(a_model_with_more_than_is_needed) {
    const struct store_model models[] = { wanted("a") };
    static char text[FILE_MAX];
    struct store_handle handle;
    struct rig rig;
    FILE *file;
    size_t len = 0;
    char *at;
    rig_begin(&rig, 0);
    copy_model(&rig, "a", "qwen3-sequence");
    CHECK(unlink(tree_path(&rig.tree, "a/tokenizer_config.json")) == 0, "it has a length of its own");
    file = fopen(tree_path(&rig.tree, "a/tokenizer.json"), "r");
    CHECK(file && (len = fread(text, 1, sizeof(text) - 256, file)) > 0, "tokenizer");
    fclose(file);
    text[len] = 0;
    at = strstr(text, "\"added_tokens\"");
    CHECK(at && (at = strchr(at, '[')) != NULL, "added tokens");
    {
        static const char more[] = "{\"id\":9999,\"content\":\"<image>\",\"special\":true,\"normalized\":false,"
                                   "\"single_word\":false,\"lstrip\":false,\"rstrip\":false},";
        memmove(at + 1 + strlen(more), at + 1, strlen(at + 1) + 1);
        memcpy(at + 1, more, strlen(more));
    }
    tree_text(&rig.tree, "a/tokenizer.json", text);
    file = fopen(tree_path(&rig.tree, "a/config.json"), "r");
    CHECK(file && (len = fread(text, 1, sizeof(text) - 256, file)) > 0, "config");
    fclose(file);
    text[len] = 0;
    at = strrchr(text, '}');
    snprintf(at, 64, ",\"max_position_embeddings\":1048576}");
    tree_text(&rig.tree, "a/config.json", text);
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    CHECK_INT(model_tokens_max(handle.model), MODEL_TOKENS_MAX, "as long as vsr takes");
    store_put(&handle);
    rig_end(&rig);
}

/* ---- what goes wrong */

TEST(absent) {
    struct store_model models[] = { wanted("mom-embedding-light"), wanted("mine") };
    char missing[READINESS_NAME_LEN];
    struct store_handle handle;
    struct rig rig;
    rig_begin(&rig, 0);
    models[1].mandatory = true;
    configure(&rig, models, 2);
    settle(&rig);
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_ABSENT, "state");
    refused(&rig, "mom-embedding-light", VSR_E_UNAVAILABLE, "vsr model pull");
    refused(&rig, "mine", VSR_E_UNAVAILABLE, "mine");
    CHECK(!readiness_is_ready(rig.readiness, missing), "mandatory");
    CHECK_STR(str_from_c(missing), "mine", "which");
    link_model(&rig, "mine", "bert-sequence");
    configure(&rig, models, 2);
    handle = get(&rig, "mine");
    store_put(&handle);
    CHECK(readiness_is_ready(rig.readiness, missing), "it came");
    rig_end(&rig);
}

TEST(failed) {
    const struct store_model models[] = { wanted("nan"), wanted("a") };
    struct store_handle handle;
    struct rig rig;
    rig_begin(&rig, 0);
    copy_model(&rig, "nan", "bert-sequence");
    copy_model(&rig, "a", "bert-sequence");
    tree_text(&rig.tree, "a/config.json", "{\"model_type\":\"bert\",\"vocab_size\":9}");
    configure(&rig, models, 2);
    refused(&rig, "nan", VSR_E_UNAVAILABLE, "self-test");
    refused(&rig, "nan", VSR_E_UNAVAILABLE, "not a number");
    refused(&rig, "a", VSR_E_UNAVAILABLE, "config.json");
    CHECK_INT(store_stats(rig.store).failures, 2, "a failure is remembered, not repeated");
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_FAILED, "state");
    configure(&rig, models, 2);
    refused(&rig, "a", VSR_E_UNAVAILABLE, "config.json");
    CHECK_INT(store_stats(rig.store).failures, 3, "a reload tries again");
    copy_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 2);
    handle = get(&rig, "a");
    store_put(&handle);
    rig_end(&rig);
}

/* ---- reloading */

TEST(what_did_not_change_stays) {
    struct store_model models[] = { wanted("models/a"), wanted("b"), wanted("a") };
    struct store_handle before, after;
    uint64_t serial;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    configure(&rig, models, 3);
    CHECK_INT(store_stats(rig.store).models, 2, "two names of one model");
    before = get(&rig, "a");
    serial = model_serial(before.model);
    models[0].long_text = LONG_TEXT_SAMPLE;
    models[0].load = STORE_EAGER;
    configure(&rig, models, 1);
    after = get(&rig, "a");
    CHECK(after.model == before.model && model_serial(after.model) == serial, "the same load");
    CHECK_INT(after.long_text, LONG_TEXT_SAMPLE, "what needs no load changes at once");
    store_put(&after);
    refused(&rig, "b", VSR_E_NOT_FOUND, "b");
    models[0].precision = PRECISION_INT8;
    configure(&rig, models, 1);
    settle(&rig);
    after = get(&rig, "a");
    CHECK_INT(model_precision(after.model), PRECISION_INT8, "replaced");
    CHECK_INT(model_precision(before.model), PRECISION_F32, "who had the former one still has it");
    store_put(&before);
    store_put(&after);
    configure(&rig, NULL, 0);
    CHECK_INT(store_stats(rig.store).models, 0, "none");
    rig_end(&rig);
}

TEST(new_files_are_a_new_model) {
    const struct store_model models[] = { wanted("a") };
    struct store_handle handle;
    uint64_t serial;
    struct rig rig;
    rig_begin(&rig, 0);
    copy_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    serial = model_serial(handle.model);
    store_put(&handle);
    CHECK(rename(tree_path(&rig.tree, "a"), tree_path(&rig.tree, "old")) == 0, "moved away");
    copy_model(&rig, "a", "bert-token");
    configure(&rig, models, 1);
    settle(&rig);
    handle = get(&rig, "a");
    CHECK(model_serial(handle.model) != serial && model_task(handle.model) == MODEL_TAG, "the new one");
    store_put(&handle);
    CHECK(rename(tree_path(&rig.tree, "a"), tree_path(&rig.tree, "good")) == 0, "moved away");
    copy_model(&rig, "nan", "bert-token");
    CHECK(rename(tree_path(&rig.tree, "nan"), tree_path(&rig.tree, "a")) == 0, "a bad one in its place");
    configure(&rig, models, 1);
    settle(&rig);
    handle = get(&rig, "a");
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_READY, "the former one goes on");
    CHECK_INT(store_stats(rig.store).failures, 1, "for the new one has failed");
    store_put(&handle);
    rig_end(&rig);
}

/* Also a file that only a module or a configuration names. */
TEST(every_file_counts) {
    static const char *const files[] = { "sentence_bert_config.json", "1_Pooling/config.json", "labels.json" };
    const struct store_model models[] = { wanted("a") };
    struct store_handle handle;
    struct rig rig;
    rig_begin(&rig, 0);
    copy_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        char path[64];
        uint64_t serial = model_serial(handle.model);
        store_put(&handle);
        snprintf(path, sizeof(path), "a/%s", files[i]);
        tree_text(&rig.tree, path, "{}");
        configure(&rig, models, 1);
        settle(&rig);
        handle = get(&rig, "a");
        CHECK(model_serial(handle.model) != serial, files[i]);
    }
    store_put(&handle);
    rig_end(&rig);
}

/* Holds the first load back until it is let go. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool reached, open;
    char order[64]; /* names of what began to load */
};

static const struct gate gate_closed = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void on_report(void *owner, vsr_str name, enum readiness_state state, vsr_str message) {
    struct gate *gate = owner;
    size_t len;
    (void)message;
    if (state != MODEL_STATE_LOADING)
        return;
    pthread_mutex_lock(&gate->mutex);
    len = strlen(gate->order);
    snprintf(gate->order + len, sizeof(gate->order) - len, "%.*s", VSR_FMT(name));
    gate->reached = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void wait_for_load(struct gate *gate) {
    pthread_mutex_lock(&gate->mutex);
    while (!gate->reached)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void open_gate(struct gate *gate) {
    pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

/* While a load is under way another one is wanted, which nobody asks for, and then that one must be there. */
TEST(what_becomes_mandatory_is_loaded) {
    struct gate gate = gate_closed;
    struct store_model models[] = { wanted("a") };
    char missing[READINESS_NAME_LEN];
    struct store_handle handle;
    struct rig rig;
    rig_begin_reporting(&rig, 0, LOADERS, on_report, &gate);
    link_model(&rig, "a", "bert-sequence");
    models[0].load = STORE_EAGER;
    configure(&rig, models, 1);
    wait_for_load(&gate);
    models[0].load = STORE_LAZY;
    models[0].precision = PRECISION_INT8;
    configure(&rig, models, 1);
    models[0].mandatory = true;
    configure(&rig, models, 1);
    open_gate(&gate);
    settle(&rig);
    CHECK(readiness_is_ready(rig.readiness, missing), missing);
    handle = get(&rig, "a");
    CHECK_INT(model_precision(handle.model), PRECISION_INT8, "the one that is wanted");
    store_put(&handle);
    rig_end(&rig);
}

/* Who asks later, or again, does not overtake; what nobody waits for comes last. */
TEST(loaded_as_asked_for) {
    struct store_model models[] = { wanted("a"), wanted("b"), wanted("c"), wanted("d") };
    struct gate gate = gate_closed;
    struct rig rig;
    rig_begin_reporting(&rig, 0, 1, on_report, &gate);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    link_model(&rig, "c", "bert-embed-mean");
    link_model(&rig, "d", "roberta-token");
    configure(&rig, models, 4);
    wait_for_scout(&rig);
    ask_only(&rig, "a", "being loaded");
    wait_for_load(&gate);
    models[3].load = STORE_EAGER;
    configure(&rig, models, 4);
    wait_for_scout(&rig);
    ask_only(&rig, "b", "being loaded");
    ask_only(&rig, "c", "being loaded");
    ask_only(&rig, "c", "being loaded");
    open_gate(&gate);
    settle(&rig);
    CHECK_STR(str_from_c(gate.order), "abcd", "order");
    rig_end(&rig);
}

/* What is under way is not what is wanted any more: asking begins the load of what is. */
TEST(asked_for_during_a_former_load) {
    struct store_model models[] = { wanted("a") };
    struct gate gate = gate_closed;
    struct store_handle handle;
    struct vsr_err err = VSR_ERR_NONE;
    struct rig rig;
    rig_begin_reporting(&rig, 0, LOADERS, on_report, &gate);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    wait_for_scout(&rig);
    ask_only(&rig, "a", "being loaded");
    wait_for_load(&gate);
    models[0].precision = PRECISION_INT8;
    configure(&rig, models, 1);
    wait_for_scout(&rig);
    ask_only(&rig, "a", "being loaded");
    open_gate(&gate);
    settle(&rig);
    CHECK_INT(store_get(rig.store, VSR_STR("a"), 0, &handle, &err), 0, err.text);
    CHECK_INT(model_precision(handle.model), PRECISION_INT8, "the one that is wanted");
    store_put(&handle);
    rig_end(&rig);
}

/* Whoever asked while it was looked for has got it: it is not loaded for him again after it made room. */
TEST(asked_for_once) {
    const struct store_model models[] = { wanted("a"), wanted("b") };
    struct gate gate = gate_closed;
    struct store_handle handle;
    uint64_t one;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    one = store_stats(rig.store).bytes;
    store_put(&handle);
    rig_end(&rig);
    rig_begin_reporting(&rig, one + one / 2, LOADERS, on_report, &gate);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    configure(&rig, models, 2);
    wait_for_scout(&rig);
    ask_only(&rig, "a", "being loaded");
    wait_for_load(&gate);
    stop_disk(true);
    configure(&rig, models, 2);
    ask_only(&rig, "a", "being looked for");
    stop_disk(false);
    wait_for_scout(&rig);
    open_gate(&gate);
    settle(&rig);
    handle = get(&rig, "b");
    store_put(&handle);
    settle(&rig);
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_WAITING, "it made room");
    configure(&rig, models, 2);
    settle(&rig);
    CHECK_INT(store_stats(rig.store).loads, 2, "one for each who asked");
    rig_end(&rig);
}

/* ---- claims */

/* What a former configuration named answers until its last request is over, whether it was loaded or not. */
TEST(a_former_configuration) {
    struct store_model models[] = { wanted("a"), wanted("b"), wanted("c") };
    char missing[READINESS_NAME_LEN];
    struct store_handle handle;
    struct store_claim *first, *again, *second;
    struct rig rig;
    uint64_t one, loads;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    link_model(&rig, "c", "bert-embed-mean");
    models[1].mandatory = true;
    configure(&rig, models, 3);
    first = store_claim(rig.store);
    settle(&rig);
    configure(&rig, models, 3);
    again = store_claim(rig.store);
    settle(&rig);
    configure(&rig, models, 1);
    second = store_claim(rig.store);
    settle(&rig);
    CHECK(readiness_is_ready(rig.readiness, missing), "a lazy one is all that is wanted");
    CHECK_INT(store_stats(rig.store).claimed, 2, "kept");
    loads = store_stats(rig.store).loads;
    handle = get(&rig, "b");
    store_put(&handle);
    CHECK_INT(store_stats(rig.store).loads, loads, "it was there");
    handle = get(&rig, "c");
    store_put(&handle);
    CHECK_INT(store_stats(rig.store).loads, loads + 1, "lazy, asked for first by the former");
    handle = get(&rig, "a");
    store_put(&handle);
    store_claim_free(first);
    CHECK_INT(store_stats(rig.store).claimed, 2, "there is another claim");
    configure(&rig, models, 2);
    CHECK_INT(store_stats(rig.store).claimed, 1, "wanted again");
    CHECK_INT(readiness_state(rig.readiness, 1), MODEL_STATE_READY, "and shown as it is");
    CHECK(readiness_is_ready(rig.readiness, missing), "at once");
    settle(&rig);
    CHECK_INT(store_stats(rig.store).loads, loads + 2, "not loaded again");
    configure(&rig, models, 1);
    store_claim_free(again);
    refused(&rig, "b", VSR_E_NOT_FOUND, "b");
    refused(&rig, "c", VSR_E_NOT_FOUND, "c");
    CHECK_INT(store_stats(rig.store).models, 1, "the one that is wanted");
    one = store_stats(rig.store).bytes;
    CHECK(one > 0, "it weighs something");
    wait_for_bytes(&rig, one);
    configure(&rig, NULL, 0);
    handle = get(&rig, "a");
    store_put(&handle);
    store_claim_free(second);
    wait_for_bytes(&rig, 0);
    rig_end(&rig);
}

/* However many configurations come and go while one request does not end. */
TEST(former_models_are_bounded) {
    struct store_claim *claims[STORE_MODELS_MAX + 2];
    struct rig rig;
    rig_begin(&rig, 0);
    for (size_t i = 0; i < VSR_COUNT(claims); i++) {
        char name[16];
        struct store_model model;
        snprintf(name, sizeof(name), "m%zu", i);
        model = wanted(name);
        configure(&rig, &model, 1);
        claims[i] = store_claim(rig.store);
    }
    configure(&rig, NULL, 0);
    CHECK_INT(store_stats(rig.store).claimed, STORE_MODELS_MAX, "no more");
    for (size_t i = 0; i < VSR_COUNT(claims); i++)
        store_claim_free(claims[i]);
    CHECK_INT(store_stats(rig.store).models, 0, "all gone");
    rig_end(&rig);
}

/* ---- the ceiling */

/* What others hold does not make the store's own models any smaller. */
TEST(shared_bytes_are_counted_once) {
    const struct store_model models[] = { wanted("a"), wanted("b") };
    struct model *other;
    struct vsr_err err = VSR_ERR_NONE;
    struct store_handle handle;
    uint64_t one;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-sequence");
    configure(&rig, models, 2);
    handle = get(&rig, "a");
    store_put(&handle);
    one = store_stats(rig.store).bytes;
    CHECK(one > 0, "it weighs something");
    handle = get(&rig, "b");
    store_put(&handle);
    CHECK_INT(store_stats(rig.store).bytes, one, "two of the same weigh as much as one");
    CHECK_MSG(model_open(rig.runtime, str_from_c(fixture("bert-sequence")), &(struct model_options){ 0 }, &other,
                         &err) == 0,
              "%s", err.text);
    CHECK_INT(store_stats(rig.store).bytes, one, "a third one beside the store");
    model_unref(other);
    rig_end(&rig);
}

/* A model that answered in place of one that failed makes room: what failed is not tried again. */
TEST(a_failure_stays_one) {
    const struct store_model models[] = { wanted("a"), wanted("b") };
    struct store_handle handle;
    uint64_t one;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    one = store_stats(rig.store).bytes;
    store_put(&handle);
    rig_end(&rig);
    rig_begin(&rig, one + one / 2);
    copy_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    configure(&rig, models, 2);
    handle = get(&rig, "a");
    store_put(&handle);
    CHECK(rename(tree_path(&rig.tree, "a"), tree_path(&rig.tree, "old")) == 0, "moved away");
    copy_model(&rig, "nan", "bert-sequence");
    CHECK(rename(tree_path(&rig.tree, "nan"), tree_path(&rig.tree, "a")) == 0, "a bad one in its place");
    configure(&rig, models, 2);
    settle(&rig);
    handle = get(&rig, "b");
    store_put(&handle);
    settle(&rig);
    CHECK_INT(store_stats(rig.store).unloads, 1, "the former one made room");
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_FAILED, "as is remembered");
    refused(&rig, "a", VSR_E_UNAVAILABLE, "self-test");
    rig_end(&rig);
}

TEST(room_is_made) {
    const struct store_model models[] = { wanted("a"), wanted("b"), wanted("c") };
    struct store_handle handle;
    uint64_t one, all;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    one = store_stats(rig.store).bytes;
    store_put(&handle);
    rig_end(&rig);
    all = 2 * one + one / 2;
    rig_begin(&rig, all);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    link_model(&rig, "c", "bert-embed-mean");
    configure(&rig, models, 3);
    handle = get(&rig, "a");
    store_put(&handle);
    handle = get(&rig, "b");
    store_put(&handle);
    handle = get(&rig, "a");
    store_put(&handle);
    handle = get(&rig, "c");
    store_put(&handle);
    settle(&rig);
    CHECK(store_stats(rig.store).bytes <= all, "under the ceiling");
    CHECK_INT(readiness_state(rig.readiness, 0), MODEL_STATE_READY, "used last but one");
    CHECK_INT(readiness_state(rig.readiness, 1), MODEL_STATE_WAITING, "used least recently");
    handle = get(&rig, "b");
    store_put(&handle);
    settle(&rig);
    CHECK(store_stats(rig.store).unloads >= 2, "and so on");
    rig_end(&rig);
}

TEST(too_large) {
    struct store_model models[] = { wanted("a") };
    struct store_handle handle;
    struct rig rig;
    rig_begin(&rig, 1000);
    link_model(&rig, "a", "bert-sequence");
    configure(&rig, models, 1);
    refused(&rig, "a", VSR_E_UNAVAILABLE, "under the ceiling of 1000");
    models[0].load = STORE_EAGER;
    configure(&rig, models, 1);
    handle = get(&rig, "a");
    store_put(&handle);
    rig_end(&rig);
}

/* ---- swaps under load */

struct client {
    struct rig *rig;
    atomic_bool *stop;
    float want[PRECISION_INT8 + 1][3];
    size_t n_right, n_wrong;
};

static bool is_answer(const struct client *client, const struct engine_call *call, enum precision precision) {
    return call->width == 3 && memcmp(call->result, client->want[precision], sizeof(client->want[0])) == 0;
}

static void answer(struct rig *rig, struct model *model, struct engine_call *call, int *ret_rc) {
    struct vsr_err err = VSR_ERR_NONE;
    *call = (struct engine_call){ .model = model, .text = VSR_STR("text 1"), .priority = PRIORITY_ROUTING };
    *ret_rc = engine_run(rig->engine, call, 1, &err);
}

static void *client_main(void *data) {
    struct client *client = data;
    while (!atomic_load(client->stop)) {
        struct store_handle handle = get(client->rig, "a");
        struct engine_call call;
        bool right;
        int rc;
        answer(client->rig, handle.model, &call, &rc);
        right = rc == 0 && is_answer(client, &call, model_precision(handle.model));
        client->n_right += right;
        client->n_wrong += !right;
        engine_call_done(&call);
        store_put(&handle);
    }
    return NULL;
}

static void learn(struct rig *rig, struct client *client) {
    static const enum precision precisions[] = { PRECISION_INT8, PRECISION_F32 };
    for (size_t i = 0; i < VSR_COUNT(precisions); i++) {
        struct store_model model = wanted("a");
        struct store_handle handle;
        struct engine_call call;
        int rc;
        model.precision = precisions[i];
        configure(rig, &model, 1);
        settle(rig);
        handle = get(rig, "a");
        answer(rig, handle.model, &call, &rc);
        CHECK(rc == 0 && model_precision(handle.model) == precisions[i], "alone");
        memcpy(client->want[precisions[i]], call.result, sizeof(client->want[0]));
        engine_call_done(&call);
        store_put(&handle);
    }
}

/* Clients ask all the time while the model changes between two precisions, and while it is taken away and comes back:
 * every answer is that of one of them, to the bit. */
TEST(swapped_under_load) {
    struct client clients[CLIENTS], like = { .n_right = 0 };
    pthread_t threads[CLIENTS];
    atomic_bool stop = false;
    struct rig rig;
    rig_begin(&rig, 0);
    link_model(&rig, "a", "bert-sequence");
    link_model(&rig, "b", "bert-token");
    learn(&rig, &like);
    like.rig = &rig;
    like.stop = &stop;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = like;
        assert_int_equal(pthread_create(&threads[i], NULL, client_main, &clients[i]), 0);
    }
    for (size_t i = 0; i < SWAPS; i++) {
        struct store_model models[] = { wanted("a"), wanted("b") };
        models[0].precision = i % 2 ? PRECISION_F32 : PRECISION_INT8;
        models[1].load = i % 3 ? STORE_EAGER : STORE_LAZY;
        configure(&rig, models, i % 4 == 3 ? 1 : 2);
        if (i % 3 != 1) /* else the next swap overtakes this one */
            settle(&rig);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        CHECK(clients[i].n_right > 0 && clients[i].n_wrong == 0, "right answers only");
    }
    rig_end(&rig);
}

RUN_TESTS(T(lazy), T(without_waiting), T(eager), T(an_adapter_finds_its_base), T(an_adapter_is_not_its_base),
          T(a_model_with_more_than_is_needed), T(absent), T(failed), T(what_did_not_change_stays),
          T(new_files_are_a_new_model), T(every_file_counts), T(what_becomes_mandatory_is_loaded),
          T(loaded_as_asked_for), T(asked_for_during_a_former_load), T(asked_for_once), T(a_former_configuration),
          T(former_models_are_bounded), T(shared_bytes_are_counted_once), T(a_failure_stays_one), T(room_is_made),
          T(too_large), T(swapped_under_load), T(a_disk_that_does_not_answer), T(called_otherwise), T(a_warning),
          T(a_disk_that_hangs_keeps_no_model), T(a_slow_disk)) /* the last: when it fails the disk may be stopped */
