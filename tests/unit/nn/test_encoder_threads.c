#include "nn/team.h"
#include "unit/nn/encoder_fixture.h"

/* One pass on several threads gives to the bit what it gives on one. */

enum { CORES_MAX = 4 };

struct teams {
    struct team *of[CORES_MAX + 1]; /* by cores, from 1 on */
};

static void teams_begin(struct teams *teams) {
    struct vsr_err err = VSR_ERR_NONE;
    for (size_t cores = 1; cores <= CORES_MAX; cores++)
        CHECK_MSG(team_new(cores, &teams->of[cores], &err) == 0, "%s", err.text);
}

static void teams_end(struct teams *teams) {
    for (size_t cores = 1; cores <= CORES_MAX; cores++) {
        struct team_stats stats = team_stats(teams->of[cores]);
        CHECK(cores == 1 ? stats.helped == 0 : stats.helped > 0, "helpers did help");
        CHECK(stats.working_most <= cores, "no more than there are");
        team_free(teams->of[cores]);
    }
}

static void check_batch(const struct fixture *f, struct rig *rig, const struct teams *teams,
                        const struct encoder_batch *batch, size_t layers) {
    size_t n = batch->starts[batch->n] * f->config.hidden;
    float *want = ARENA_ARRAY(f->arena, float, n);
    memcpy(want, forward(f, rig, batch, layers), n * sizeof(*want));
    for (size_t cores = 1; cores <= CORES_MAX; cores++) {
        struct crew *crew = crew_begin(teams->of[cores], 0);
        encoder_work_crew(rig->work, crew);
        CHECK_MSG(memcmp(forward(f, rig, batch, layers), want, n * sizeof(*want)) == 0,
                  "%s %s: %u tokens on %zu threads", f->name, precision_name(f->precision), batch->starts[batch->n],
                  cores);
        encoder_work_crew(rig->work, NULL);
        crew_end(crew);
    }
}

static size_t longest_case(const struct fixture *f) {
    size_t longest = 0;
    for (size_t i = 0; i < CASES_MAX && case_batch(f, i).n; i++)
        if (case_batch(f, i).starts[1] > case_batch(f, longest).starts[1])
            longest = i;
    return longest;
}

/* All cases end to end. */
static struct encoder_batch all_cases(const struct fixture *f) {
    uint32_t *ids = ARENA_ARRAY(f->arena, uint32_t, 1 << 16), *starts = ARENA_ARRAY(f->arena, uint32_t, CASES_MAX + 1);
    uint8_t *types = ARENA_ARRAY(f->arena, uint8_t, 1 << 16);
    size_t i;
    for (i = 0; i < CASES_MAX && case_batch(f, i).n; i++) {
        struct encoder_batch one = case_batch(f, i);
        size_t from = starts[i], n = one.starts[1];
        memcpy(ids + from, one.ids, n * sizeof(*ids));
        for (size_t t = 0; t < n; t++)
            types[from + t] = one.types ? one.types[t] : 0;
        starts[i + 1] = (uint32_t)(from + n);
    }
    return (struct encoder_batch){ .ids = ids, .types = types, .starts = starts, .n = i };
}

static void check_model(struct rig *rig, const struct teams *teams, const char *name, enum precision precision) {
    struct fixture f;
    struct encoder_batch batch;
    fixture_begin(&f, rig, name, precision);
    batch = all_cases(&f);
    check_batch(&f, rig, teams, &batch, 0);
    batch = case_batch(&f, longest_case(&f));
    check_batch(&f, rig, teams, &batch, 2);
    fixture_end(&f);
}

/* Every family, and what differs within one. */
TEST(models) {
    static const char *const names[] = { "bert-embed-mean",  "roberta-token", "mpnet-embed",
                                         "deberta-sequence", "deberta-c2p",   "modernbert-embed",
                                         "qwen3-sliding",    "gemma-embed",   "modernbert-mlm-lora-dora" };
    struct teams teams;
    struct rig rig;
    rig_begin(&rig);
    teams_begin(&teams);
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++)
        for (size_t i = 0; i < VSR_COUNT(names); i++)
            check_model(&rig, &teams, names[i], precision);
    teams_end(&teams);
    rig_end(&rig);
}

/* What is refused is refused before there are parts, and a crew survives it. */
TEST(refused) {
    static const uint32_t ids[] = { 1, 1 << 20 }, starts[] = { 0, 2 };
    const struct encoder_batch batch = { .ids = ids, .starts = starts, .n = 1 };
    struct vsr_err err = VSR_ERR_NONE;
    const float *hidden;
    struct fixture f;
    struct teams teams;
    struct encoder_batch one;
    struct crew *crew;
    struct rig rig;
    rig_begin(&rig);
    teams_begin(&teams);
    fixture_begin(&f, &rig, "bert-sequence", PRECISION_F32);
    one = case_batch(&f, 0);
    for (size_t cores = 1; cores <= CORES_MAX; cores++) {
        crew = crew_begin(teams.of[cores], 0);
        encoder_work_crew(rig.work, crew);
        CHECK_INT(encoder_forward(f.encoder, rig.work, &batch, 0, &hidden, &err), VSR_E_LIMIT, "an unknown token");
        (void)forward(&f, &rig, &one, 0);
        encoder_work_crew(rig.work, NULL);
        crew_end(crew);
        team_free(teams.of[cores]);
    }
    fixture_end(&f);
    rig_end(&rig);
}

RUN_TESTS(T(models), T(refused))
