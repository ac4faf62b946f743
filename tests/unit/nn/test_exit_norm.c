#include "nn/embedder.h"
#include "nn/sentence_files.h"
#include "unit/nn/encoder_fixture.h"

/* A model that is left early, with the norm behind its last layer and without it. */

static void check_vector(const struct fixture *f, struct rig *rig, const struct embedder *embedder, size_t number,
                         size_t layers, bool raw) {
    struct embedder_scratch *scratch = embedder_scratch_new();
    struct encoder_batch batch = case_batch(f, number);
    struct vsr_err err = VSR_ERR_NONE;
    struct distance d = { .cosine = 1 };
    const struct tensor *want;
    const float *hidden;
    char name[64];
    float *got = ARENA_ARRAY(f->arena, float, embedder_dims(embedder));
    (void)snprintf(name, sizeof(name), raw ? "layer%zu.raw_embedding" : "layer%zu.embedding", layers);
    want = array(f, number, name);
    CHECK(want, name);
    batch.no_final_norm = raw;
    hidden = forward(f, rig, &batch, layers);
    CHECK_MSG(embedder_run(embedder, scratch, encoder_work_gemm(rig->work), hidden, &batch, NULL, 0, got, &err) == 0,
              "%s", err.text);
    (void)compare(&d, got, floats(f, want), want->n);
    CHECK_MSG(d.worst <= 1e-5, "case %zu %s: off by %g", number, name, d.worst);
    embedder_scratch_free(scratch);
}

TEST(left_early) {
    struct sentence_files files;
    struct embedder *embedder;
    struct vsr_err err = VSR_ERR_NONE;
    struct fixture f;
    struct rig rig;
    size_t n = 0;
    rig_begin(&rig);
    fixture_begin(&f, &rig, "modernbert-embed", PRECISION_F32);
    CHECK_MSG(sentence_files_read(f.arena, str_from_c(f.path), &files, &err) == 0, "%s", err.text);
    CHECK_MSG(embedder_new(rig.runtime, &f.config, &files, str_from_c(f.path), &embedder, &err) == 0, "%s", err.text);
    for (size_t number = 0; case_batch(&f, number).n; number++) {
        for (size_t layers = 1; layers < f.config.layers; layers++) {
            char name[64];
            (void)snprintf(name, sizeof(name), "layer%zu.raw_embedding", layers);
            if (!array(&f, number, name))
                continue;
            check_vector(&f, &rig, embedder, number, layers, true);
            check_vector(&f, &rig, embedder, number, layers, false);
            n++;
        }
    }
    CHECK(n > 3, "cases");
    embedder_free(embedder);
    fixture_end(&f);
    rig_end(&rig);
}

RUN_TESTS(T(left_early))
