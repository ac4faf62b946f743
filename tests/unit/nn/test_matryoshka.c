#include "nn/matryoshka.h"

#include "core/arena.h"
#include "test.h"
#include "unit/nn/model_dir.h"

static const struct encoder_config bert = { .family = ENCODER_BERT, .layers = 12 };
static const struct encoder_config mmbert = { .family = ENCODER_MODERNBERT, .layers = 22 };
static const struct encoder_config small_modernbert = { .family = ENCODER_MODERNBERT, .layers = 4 };
static const struct encoder_config qwen3 = { .family = ENCODER_QWEN3, .layers = 28 };
static const struct encoder_config gemma = { .family = ENCODER_GEMMA3, .layers = 24 };

enum { ALL = MATRYOSHKA_DIMS_NATIVE, IGNORED = MATRYOSHKA_LAYERS_IGNORED, UNTRAINED = MATRYOSHKA_LAYERS_UNTRAINED };

static const struct {
    const char *name;
    const struct encoder_config *config;
    size_t native, dims, layers;
    int rc;
    size_t want_dims, want_layers;
    unsigned notes;
} cases[] = {
    { "all", &bert, 384, 0, 0, 0, 384, 0, 0 },
    { "native", &bert, 384, 384, 0, 0, 384, 0, 0 },
    { "one", &bert, 384, 1, 0, 0, 1, 0, 0 },
    { "one too many", &bert, 384, 385, 0, 0, 384, 0, ALL },
    { "far too many", &bert, 384, SIZE_MAX, 0, 0, 384, 0, ALL },
    { "BERT is not left early", &bert, 384, 0, 6, 0, 384, 0, IGNORED },
    { "nor after all layers", &bert, 384, 0, 12, 0, 384, 0, IGNORED },
    { "nor after more", &bert, 384, 400, 99, 0, 384, 0, ALL | IGNORED },
    { "mmBERT 1", &mmbert, 768, 1, 1, 0, 1, 1, UNTRAINED },
    { "mmBERT 3", &mmbert, 768, 64, 3, 0, 64, 3, 0 },
    { "mmBERT 6", &mmbert, 768, 100, 6, 0, 100, 6, 0 },
    { "mmBERT 7", &mmbert, 768, 256, 7, 0, 256, 7, UNTRAINED },
    { "mmBERT 11", &mmbert, 768, 512, 11, 0, 512, 11, 0 },
    { "mmBERT 22 is all", &mmbert, 768, 768, 22, 0, 768, 0, 0 },
    { "mmBERT 23", &mmbert, 768, 768, 23, VSR_E_LIMIT, 0, 0, 0 },
    { "mmBERT 769", &mmbert, 768, 769, 0, 0, 768, 0, ALL },
    { "a small one says nothing", &small_modernbert, 64, 7, 2, 0, 7, 2, 0 },
    { "Qwen3 32", &qwen3, 1024, 32, 0, 0, 32, 0, 0 },
    { "Qwen3 31", &qwen3, 1024, 31, 0, VSR_E_INVALID, 0, 0, 0 },
    { "Qwen3 1000", &qwen3, 1024, 1000, 0, 0, 1000, 0, 0 },
    { "Qwen3 1025", &qwen3, 1024, 1025, 0, 0, 1024, 0, ALL },
    { "Qwen3 is not left early", &qwen3, 1024, 0, 3, 0, 1024, 0, IGNORED },
    { "a Qwen3 of less", &qwen3, 16, 16, 0, 0, 16, 0, 0 },
    { "Gemma 768", &gemma, 768, 768, 0, 0, 768, 0, 0 },
    { "Gemma 512", &gemma, 768, 512, 0, 0, 512, 0, 0 },
    { "Gemma 256", &gemma, 768, 256, 0, 0, 256, 0, 0 },
    { "Gemma 128", &gemma, 768, 128, 0, 0, 128, 0, 0 },
    { "Gemma 64", &gemma, 768, 64, 0, VSR_E_INVALID, 0, 0, 0 },
    { "Gemma 511", &gemma, 768, 511, 0, VSR_E_INVALID, 0, 0, 0 },
    { "Gemma 1024", &gemma, 768, 1024, 0, 0, 768, 0, ALL },
    { "another Gemma", &gemma, 640, 511, 0, 0, 511, 0, 0 },
};

TEST(fitted) {
    struct arena *arena = arena_new(0, 0);
    struct model_dir dir = model_dir_make();
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct matryoshka m;
        struct matryoshka_cut cut = { .dims = 0 };
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(matryoshka_read(arena, model_dir_str(&dir), cases[i].config, cases[i].native, &m, &err), 0,
                  cases[i].name);
        CHECK_INT(matryoshka_fit(&m, cases[i].dims, cases[i].layers, &cut, &err), cases[i].rc, cases[i].name);
        CHECK_INT(cut.dims, cases[i].want_dims, cases[i].name);
        CHECK_INT(cut.layers, cases[i].want_layers, cases[i].name);
        CHECK_INT(cut.notes, cases[i].notes, cases[i].name);
        for (unsigned note = 1; note <= UNTRAINED; note <<= 1)
            CHECK(matryoshka_note_text(&m, (enum matryoshka_note)note, arena).len > 0, "a note says something");
    }
    model_dir_remove(&dir);
    arena_free(arena);
}

/* ---- the layers that a model names */

static const struct {
    const char *name, *file;
    bool usable;
    size_t n, last;
} files[] = {
    { "layers", "{\"available_layers\":[2,4]}", true, 2, 4 },
    { "none", "{\"available_layers\":[]}", true, 0, 0 },
    { "another key", "{\"layers\":[1]}", true, 4, 22 },
    { "null", "{\"available_layers\":null}", true, 4, 22 },
    { "past the last", "{\"available_layers\":[3,23]}", false, 0, 0 },
    { "0", "{\"available_layers\":[0,3]}", false, 0, 0 },
    { "descending", "{\"available_layers\":[6,3]}", false, 0, 0 },
    { "twice", "{\"available_layers\":[6,6]}", false, 0, 0 },
    { "text", "{\"available_layers\":[\"6\"]}", false, 0, 0 },
    { "a number", "{\"available_layers\":6}", false, 0, 0 },
    { "no JSON", "{", false, 0, 0 },
};

TEST(layers_named) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(files); i++) {
        struct model_dir dir = model_dir_make();
        struct matryoshka m = { .dims = 0 };
        struct vsr_err err = VSR_ERR_NONE;
        model_dir_write_c(&dir, "onnx/model_config.json", files[i].file);
        CHECK_INT(matryoshka_read(arena, model_dir_str(&dir), &mmbert, 768, &m, &err), 0, files[i].name);
        CHECK_INT(err.code, 0, files[i].name);
        CHECK_INT(m.n_trained, files[i].n, files[i].name);
        if (files[i].n > 0)
            CHECK_INT(m.trained[files[i].n - 1], files[i].last, files[i].name);
        CHECK_INT(m.warning.len == 0, files[i].usable, files[i].name);
        if (!files[i].usable) {
            struct matryoshka_cut cut;
            CHECK(str_starts(m.warning, VSR_STR("onnx/model_config.json: ")), files[i].name);
            CHECK_INT(matryoshka_fit(&m, 0, 7, &cut, &err), 0, files[i].name);
            CHECK_INT(cut.notes, 0, "nothing is known");
        }
        CHECK_INT(matryoshka_read(arena, model_dir_str(&dir), &bert, 768, &m, &err), 0, "only ModernBERT's is read");
        model_dir_remove(&dir);
    }
    arena_free(arena);
}

TEST(notes_name_layers) {
    struct arena *arena = arena_new(0, 0);
    struct model_dir dir = model_dir_make();
    struct matryoshka m;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(matryoshka_read(arena, model_dir_str(&dir), &mmbert, 768, &m, &err), 0, "read");
    CHECK_STR(matryoshka_note_text(&m, MATRYOSHKA_LAYERS_UNTRAINED, arena),
              "the model was trained to be left after layer 3, 6, 11 or 22", "all of them");
    model_dir_remove(&dir);
    arena_free(arena);
}

RUN_TESTS(T(fitted), T(layers_named), T(notes_name_layers))
