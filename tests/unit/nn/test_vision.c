/*
 * Pictures as vectors: the small model of tests/nn/multimodal.py in every precision, on several threads, and files that
 * are not what they say.
 */
#include "nn/vision.h"

#include <math.h>

#include "core/arena.h"
#include "core/json.h"
#include "nn/embedder.h"
#include "nn/encoder.h"
#include "nn/gemm.h"
#include "nn/kernels.h"
#include "nn/multimodal.h"
#include "nn/runtime.h"
#include "nn/safetensors.h"
#include "nn/sentence_files.h"
#include "nn/team.h"
#include "nn/weights.h"
#include "unit/nn/model_dir.h"

enum { PATH_LEN = 1024, FILE_LEN_MAX = 1 << 20, DIMS = 64, CUT = 16, TOKENS = 25, SIDE = 40, THREADS_MAX = 3 };

struct rig {
    struct arena *arena;
    char path[PATH_LEN];
    struct nn_runtime *runtime;
    struct safetensors cases;
    struct json_doc doc;
    struct vision *vision;
    struct vision_scratch *scratch;
    struct trunk_work *work;
    struct gemm_context *gemm;
};

static vsr_str read_at(struct arena *arena, const char *dir, const char *name) {
    char path[PATH_LEN * 2];
    char *bytes = arena_alloc(arena, FILE_LEN_MAX);
    FILE *file;
    size_t n;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "rb");
    CHECK_MSG(file, "cannot open %s", path);
    n = fread(bytes, 1, FILE_LEN_MAX, file);
    (void)fclose(file);
    return str_make(bytes, n);
}

static vsr_str picture(struct arena *arena, const char *name) {
    char dir[PATH_LEN];
    (void)snprintf(dir, sizeof(dir), "%s/tests/fixtures/pictures", getenv("VSR_TEST_SOURCE"));
    return read_at(arena, dir, name);
}

static void open_vision(struct rig *rig, enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    struct multimodal m;
    struct device cpu;
    vsr_str json = read_at(rig->arena, rig->path, "config.json");
    CHECK(multimodal_is(json), "its config.json says so");
    CHECK_MSG(multimodal_open(str_from_c(rig->path), json, &m, &err) == 0, "%s", err.text);
    CHECK_INT(m.dims, DIMS, "dimensions");
    CHECK(m.n_cuts == 3 && m.cuts[2] == CUT, "what they can be cut to");
    CHECK(m.text.family == ENCODER_BERT && m.text.layers == 2 && m.text.heads == 2 && m.text.intermediate == 80,
          "text");
    CHECK(m.image.patch_side == 8 && m.image.positions == TOKENS && m.image.heads == 2, "image");
    CHECK(device_named(VSR_STR("cpu"), &cpu, &err) == 0, err.text);
    CHECK_MSG(vision_new(rig->runtime, cpu, &m.image, m.image_weights, precision, &rig->vision, &err) == 0, "%s",
              err.text);
    multimodal_close(&m);
    CHECK_INT(vision_dims(rig->vision), DIMS, "dimensions");
    CHECK_INT(vision_tokens(rig->vision), TOKENS, "tokens");
    CHECK_INT(vision_side(rig->vision), SIDE, "pixels");
    CHECK(vision_bytes(rig->vision).all > 100000, "bytes");
}

static void rig_begin(struct rig *rig, enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    char path[PATH_LEN + 32];
    *rig = (struct rig){ .arena = arena_new(0, 0) };
    (void)snprintf(rig->path, sizeof(rig->path), "%s/tests/fixtures/multimodal", getenv("VSR_TEST_SOURCE"));
    (void)snprintf(path, sizeof(path), "%s/cases.safetensors", rig->path);
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(safetensors_open(rig->arena, path, &rig->cases, &err) == 0, "%s", err.text);
    CHECK_MSG(json_parse(rig->arena, read_at(rig->arena, rig->path, "cases.json"), &rig->doc, &err) == 0, "%s",
              err.text);
    open_vision(rig, precision);
    rig->scratch = vision_scratch_new();
    rig->work = trunk_work_new(rig->runtime);
    rig->gemm = gemm_context_new(rig->runtime->gemm);
}

static void rig_end(struct rig *rig) {
    vision_scratch_free(rig->scratch);
    trunk_work_free(rig->work);
    gemm_context_free(rig->gemm);
    vision_free(rig->vision);
    nn_runtime_free(rig->runtime);
    arena_free(rig->arena);
}

static void run(struct rig *rig, struct crew *crew, vsr_str file, float ret[DIMS]) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(vision_prepare(rig->vision, rig->scratch, file, &err) == 0, "%s", err.text);
    CHECK_MSG(vision_run(rig->vision, rig->scratch, rig->work, crew, rig->gemm, ret, &err) == 0, "%s", err.text);
}

/* The worst difference, of vectors of length 1. */
static double distance(const struct rig *rig, vsr_str name, const char *what, const float *got, size_t n) {
    const struct tensor *want = safetensors_find(&rig->cases, arena_printf(rig->arena, "%.*s.%s", VSR_FMT(name), what));
    double worst = 0;
    CHECK_MSG(want && want->n == n, "%.*s.%s is there", VSR_FMT(name), what);
    for (size_t i = 0; i < n; i++) {
        float value;
        memcpy(&value, (const char *)want->data + i * sizeof(value), sizeof(value));
        worst = fmax(worst, fabs((double)value - (double)got[i]));
    }
    return worst;
}

static size_t check_cases(struct rig *rig, double tolerance) {
    json_ref cases = json_get(&rig->doc, 0, VSR_STR("cases"));
    size_t n = 0;
    for (json_ref item = json_first(&rig->doc, cases); item != JSON_NONE; item = json_next(&rig->doc, cases, item)) {
        float vector[DIMS], unit[DIMS];
        vsr_str file = { 0 }, name = { 0 };
        double worst;
        if (!json_str(rig->arena, &rig->doc, json_get(&rig->doc, item, VSR_STR("file")), &file))
            continue;
        CHECK(json_str(rig->arena, &rig->doc, json_get(&rig->doc, item, VSR_STR("name")), &name), "name");
        run(rig, NULL, picture(rig->arena, arena_c_str(rig->arena, file)), vector);
        kernel_normalize(vector, unit, DIMS);
        worst = distance(rig, name, "embedding", unit, DIMS);
        CHECK_MSG(worst <= tolerance, "%.*s: off by %g", VSR_FMT(file), worst);
        kernel_normalize(vector, unit, CUT);
        worst = distance(rig, name, "dim16", unit, CUT);
        CHECK_MSG(worst <= 2 * tolerance, "%.*s cut: off by %g", VSR_FMT(file), worst);
        n++;
    }
    return n;
}

/* As the reference in float64 has it; rounding of bf16 and bytes is in the trunk's products only. */
TEST(as_the_reference) {
    static const struct {
        enum precision precision;
        double tolerance;
    } cases[] = { { PRECISION_F32, 1e-5 }, { PRECISION_BF16, 2e-2 }, { PRECISION_INT8, 5e-2 } };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct rig rig;
        rig_begin(&rig, cases[i].precision);
        CHECK_INT(check_cases(&rig, cases[i].tolerance), 7, "cases");
        rig_end(&rig);
    }
}

/* The part for texts, out of the same file. */
TEST(texts) {
    struct embedder_scratch *scratch = embedder_scratch_new();
    const struct sentence_files none = { .include_prompt = true };
    struct vsr_err err = VSR_ERR_NONE;
    struct embedder *embedder;
    struct multimodal m;
    struct trunk *trunk;
    struct device cpu;
    struct rig rig;
    rig_begin(&rig, PRECISION_F32);
    CHECK(device_named(VSR_STR("cpu"), &cpu, &err) == 0, err.text);
    CHECK(multimodal_open(str_from_c(rig.path), VSR_STR("{}"), &m, &err) == 0, err.text);
    CHECK_MSG(trunk_new(rig.runtime, cpu, &m.text, m.text_weights, NULL, PRECISION_F32, &trunk, &err) == 0, "%s",
              err.text);
    weights_ignore(m.text_weights, VSR_STR("pooler."));
    CHECK_MSG(weights_finish(m.text_weights, &err) == 0, "%s", err.text);
    CHECK(embedder_new(rig.runtime, &m.text, &none, VSR_STR("."), &embedder, &err) == 0, err.text);
    for (size_t i = 0; i < 3; i++) {
        vsr_str name = arena_printf(rig.arena, "text%zu", i);
        const struct tensor *ids = safetensors_find(&rig.cases, arena_printf(rig.arena, "text%zu.ids", i));
        const uint32_t starts[2] = { 0, (uint32_t)ids->n };
        uint32_t *copy = arena_alloc(rig.arena, ids->len);
        const struct encoder_batch batch = { .ids = copy, .starts = starts, .n = 1 };
        const float *hidden;
        float vector[DIMS];
        memcpy(copy, ids->data, ids->len);
        CHECK_MSG(trunk_forward(trunk, rig.work, NULL, &batch, 0, &hidden, &err) == 0, "%s", err.text);
        CHECK_MSG(embedder_run(embedder, scratch, rig.gemm, hidden, &batch, NULL, 0, vector, &err) == 0, "%s",
                  err.text);
        CHECK_MSG(distance(&rig, name, "embedding", vector, DIMS) <= 1e-5, "text %zu", i);
    }
    embedder_free(embedder);
    embedder_scratch_free(scratch);
    trunk_free(trunk);
    multimodal_close(&m);
    rig_end(&rig);
}

TEST(threads) {
    struct vsr_err err = VSR_ERR_NONE;
    float want[DIMS], got[DIMS];
    struct rig rig;
    vsr_str file;
    rig_begin(&rig, PRECISION_F32);
    file = picture(rig.arena, "rgb.png");
    run(&rig, NULL, file, want);
    for (size_t n = 1; n <= THREADS_MAX; n++) {
        struct team *team;
        struct crew *crew;
        CHECK_MSG(team_new(n, &team, &err) == 0, "%s", err.text);
        crew = crew_begin(team, 0);
        run(&rig, crew, file, got);
        CHECK_MSG(memcmp(got, want, sizeof(want)) == 0, "on %zu threads", n);
        crew_end(crew);
        team_free(team);
    }
    rig_end(&rig);
}

/* What is no picture is told, and the scratch is as good as before. */
TEST(no_picture) {
    struct vsr_err err = VSR_ERR_NONE;
    float want[DIMS], got[DIMS];
    struct rig rig;
    vsr_str file;
    rig_begin(&rig, PRECISION_F32);
    file = picture(rig.arena, "rgb.png");
    run(&rig, NULL, file, want);
    CHECK_INT(vision_prepare(rig.vision, rig.scratch, VSR_STR("no picture"), &err), VSR_E_INVALID, "a text");
    CHECK_INT(vision_prepare(rig.vision, rig.scratch, str_sub(file, 0, file.len / 2), &err), VSR_E_INVALID, "a half");
    run(&rig, NULL, file, got);
    CHECK(memcmp(got, want, sizeof(want)) == 0, "afterwards");
    rig_end(&rig);
}

/* ---- directories that are not what they say */

/* The fixture's header with one name or number exchanged for another of the same length. */
static void write_changed(const struct rig *rig, const struct model_dir *dir, const char *from, const char *to) {
    vsr_str bytes = read_at(rig->arena, rig->path, "model.safetensors");
    ptrdiff_t at = str_find(bytes, str_from_c(from));
    CHECK_MSG(at > 0 && strlen(from) == strlen(to), "%s", from);
    memcpy((char *)(uintptr_t)bytes.ptr + at, to, strlen(to));
    model_dir_write(dir, "model.safetensors", bytes);
}

static int open_changed(struct rig *rig, const char *from, const char *to, vsr_str config, struct vsr_err *err) {
    struct model_dir dir = model_dir_make();
    struct vision *vision = NULL;
    struct multimodal m;
    struct device cpu;
    int rc;
    write_changed(rig, &dir, from, to);
    CHECK(device_named(VSR_STR("cpu"), &cpu, err) == 0, err->text);
    rc = multimodal_open(model_dir_str(&dir), config, &m, err);
    if (rc == 0) {
        rc = vision_new(rig->runtime, cpu, &m.image, m.image_weights, PRECISION_F32, &vision, err);
        vision_free(vision);
        multimodal_close(&m);
    }
    model_dir_remove(&dir);
    return rc;
}

TEST(wrong_directories) {
    static const struct {
        const char *from, *to, *config, *says;
    } cases[] = {
        { "logit_scale", "logit_scale", "{\"embedding_dim\":32}", "config.json: key \"embedding_dim\"" },
        { "logit_scale", "logit_scale", "{\"text_num_layers\":6}", "6, the weights have 2" },
        { "logit_scale", "logit_scale", "{\"text_hidden_size\":384}", "384, the weights have 64" },
        { "logit_scale", "logit_scale", "{\"matryoshka_dims\":[128]}", "matryoshka_dims" },
        { "logit_scale", "logit_scale", "[]", "config.json" },
        { "audio_encoder.encoder.conv1.weight", "audio_decoder.encoder.conv1.weight", "{}",
          "has no place in the model" },
        { "text_encoder.encoder.embeddings.word_embeddings", "text_encoder.encoder.embeddings.work_embeddings", "{}",
          "text_encoder.encoder.embeddings.word_embeddings.weight\" is missing" },
        { "vision_encoder.head.probe", "vision_encoder.head.prope", "{}", "head.probe\" is missing" },
        { "vision_encoder.encoder.layers.1.mlp.fc1.bias", "vision_encoder.encoder.layers.1.mlp.fc9.bias", "{}",
          "no place in the model" },
        { "vision_encoder.embeddings.patch_embedding.weight", "vision_encoder.embeddings.batch_embedding.weight", "{}",
          "patch_embedding.weight\" is missing" },
        { "image_encoder.projection.bias", "image_encoder.projection.bios", "{}", "projection.bias\" is missing" },
    };
    struct rig rig;
    rig_begin(&rig, PRECISION_F32);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct vsr_err err = VSR_ERR_NONE;
        int rc = open_changed(&rig, cases[i].from, cases[i].to, str_from_c(cases[i].config), &err);
        CHECK_MSG(rc < 0 && strstr(err.text, cases[i].says), "%s: %d, %s", cases[i].to, rc, err.text);
    }
    CHECK(!multimodal_is(VSR_STR("{\"model_type\":\"bert\",\"hidden_size\":384}")), "another model");
    CHECK(!multimodal_is(VSR_STR("no JSON")), "no JSON");
    rig_end(&rig);
}

RUN_TESTS(T(as_the_reference), T(texts), T(threads), T(no_picture), T(wrong_directories))
