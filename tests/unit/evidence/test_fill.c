/* Examples get their vectors: by asking, from memory, from the disk, and later when they cannot be had now. */
#include "evidence/fill.h"

#include <stdatomic.h>

#include "evidence/evidence_state.h"
#include "evidence/run.h"
#include "evidence/vector_cache.h"
#include "rig.h"
#include "route/route.h"
#include "signal/bank.h"
#include "unit/route/fixture.h"

#define RECIPE(model) \
    FIXTURE_HEAD \
    "providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: [{name: b, endpoint: " \
    "'127.0.0.1:1'}]}]}\n" \
    "routing:\n" \
    "  modelCards: [{name: m}]\n" \
    "  signals:\n" \
    "    embeddings:\n" \
    "    - {name: one, threshold: 0.5, candidates: [baba duke fori, noru pife reni, sabu tuka bure]}\n" \
    "    - {name: two, threshold: 0.5, candidates: [sabu tuka bure, kobe lili meso]}\n" \
    "  decisions:\n" \
    "  - {name: first, priority: 2, modelRefs: [{model: m}], rules: {operator: AND, conditions: [{type: embedding, " \
    "name: one}]}}\n" \
    "  - {name: second, priority: 1, modelRefs: [{model: m}], rules: {operator: AND, conditions: [{type: embedding, " \
    "name: two}]}}\n" \
    "global: {model_catalog: {embeddings: {semantic: {bert_model_path: " model \
    ", embedding_config: {model_type: bert}}}}}\n"

static const char *const embedders[] = { "bert-embed-mean" };

static struct evidence_binding *bind(struct rig *rig, struct fixture *f, const char *yaml) {
    fixture_must_load(f, yaml);
    return evidence_bind(rig->evidence, f->arena, f->doc, f->route);
}

static struct evidence_fill_state count(const struct evidence_binding *binding) {
    struct evidence_fill_state state = { 0 };
    evidence_fill_count(binding, &state);
    return state;
}

static uint64_t texts_run(struct rig *rig) {
    return engine_stats(rig->engine).queue.run;
}

TEST(each_text_is_run_once_for_good) {
    struct rig rig;
    uint64_t before;
    rig_begin(&rig, embedders, 1, STORE_EAGER, true);
    rig_load(&rig, embedders[0]);
    before = texts_run(&rig);
    for (int process = 0; process < 2; process++) {
        for (int generation = 0; generation < 2; generation++) {
            struct fixture f;
            struct evidence_binding *binding = bind(&rig, &f, RECIPE("bert-embed-mean"));
            CHECK_INT(count(binding).banks, 2, "banks");
            CHECK_INT(count(binding).filled, 0, "not yet");
            evidence_fill_now(binding);
            CHECK_INT(count(binding).filled, 0, "nothing in it is built in");
            evidence_fill_wait(rig.lane, binding);
            CHECK_INT(count(binding).filled, 2, "filled");
            CHECK_INT(texts_run(&rig) - before, 4, "four texts, whatever the number of rules, reloads and restarts");
            fixture_free(&f);
        }
        rig_close_evidence(&rig);
        rig_open_evidence(&rig, true);
    }
    rig_end(&rig);
}

TEST(what_cannot_be_had_says_why) {
    struct rig rig;
    struct fixture f;
    struct evidence_binding *binding;
    rig_begin(&rig, embedders, 1, STORE_EAGER, true);
    binding = bind(&rig, &f, RECIPE("absent"));
    evidence_fill_wait(rig.lane, binding);
    CHECK_INT(count(binding).filled, 0, "nothing");
    fixture_free(&f);
    rig_end(&rig);
}

/* ---- in the background */

struct generation {
    struct fixture f;
    struct evidence_binding *binding;
    atomic_bool released;
};

static void release(void *data) {
    struct generation *generation = data;
    atomic_store(&generation->released, true);
}

static void wait_for(const atomic_bool *what, const char *name) {
    uint64_t late = clock_mono_ms() + RIG_PATIENCE_MS;
    while (!atomic_load(what) && clock_mono_ms() < late)
        usleep(1000);
    CHECK(atomic_load(what), name);
}

TEST(in_the_background) {
    struct rig rig;
    struct generation first, second;
    rig_begin(&rig, embedders, 1, STORE_LAZY, true); /* so that it has to be waited for */
    first.binding = bind(&rig, &first.f, RECIPE("absent"));
    atomic_init(&first.released, false);
    evidence_fill_later(rig.evidence, &first.binding, 1, release, &first);
    CHECK(!atomic_load(&first.released), "tried for as long as it is the last");
    second.binding = bind(&rig, &second.f, RECIPE("bert-embed-mean"));
    atomic_init(&second.released, false);
    evidence_fill_later(rig.evidence, &second.binding, 1, release, &second);
    wait_for(&first.released, "superseded");
    wait_for(&second.released, "over");
    CHECK_INT(count(second.binding).filled, 2, "filled");
    CHECK_INT(count(first.binding).filled, 0, "not filled");
    atomic_store(&first.released, false);
    evidence_fill_later(rig.evidence, &first.binding, 1, release, &first);
    rig_close_evidence(&rig);
    CHECK(atomic_load(&first.released), "with the process at the latest");
    fixture_free(&first.f);
    fixture_free(&second.f);
    rig_end(&rig);
}

/* ---- evaluations that ask */

TEST(a_recipe_is_evaluated) {
    struct rig rig;
    struct fixture f;
    struct evidence_binding *binding;
    struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_ANSWERS };
    rig_begin(&rig, embedders, 1, STORE_EAGER, true);
    binding = bind(&rig, &f, RECIPE("bert-embed-mean"));
    evidence_fill_wait(rig.lane, binding);
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("kobe lili meso")), &options);
    while (route_step(f.state, NULL) == ROUTE_NEEDS_EVIDENCE)
        evidence_run_wait_route(rig.lane, binding, f.state, f.memory);
    CHECK(route_outcome(f.state)->decision != NULL, "a text is its own nearest neighbour");
    CHECK_STR(route_outcome(f.state)->decision->name, "second", "whose example it is");
    fixture_free(&f);
    rig_end(&rig);
}

RUN_TESTS(T(each_text_is_run_once_for_good), T(what_cannot_be_had_says_why), T(in_the_background),
          T(a_recipe_is_evaluated))
