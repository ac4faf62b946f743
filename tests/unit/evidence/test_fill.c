/* Examples get their vectors: by asking, from memory, from the disk, and later when they cannot be had now. */
#include "evidence/fill.h"

#include <pthread.h>
#include <stdatomic.h>

#include "evidence/evidence_state.h"
#include "evidence/run.h"
#include "evidence/vector_cache.h"
#include "rig.h"
#include "route/route.h"
#include "signal/bank.h"
#include "unit/net/script.h"
#include "unit/route/fixture.h"

#define EXAMPLE_EMBEDDED_BY(last, semantic) \
    FIXTURE_HEAD \
    "providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: [{name: b, endpoint: " \
    "'127.0.0.1:1'}]}]}\n" \
    "routing:\n" \
    "  modelCards: [{name: m}]\n" \
    "  signals:\n" \
    "    embeddings:\n" \
    "    - {name: one, threshold: 0.5, candidates: [baba duke fori, noru pife reni, sabu tuka bure]}\n" \
    "    - {name: two, threshold: 0.5, candidates: [sabu tuka bure, " last "]}\n" \
    "  decisions:\n" \
    "  - {name: first, priority: 2, modelRefs: [{model: m}], rules: {operator: AND, conditions: [{type: embedding, " \
    "name: one}]}}\n" \
    "  - {name: second, priority: 1, modelRefs: [{model: m}], rules: {operator: AND, conditions: [{type: embedding, " \
    "name: two}]}}\n" \
    "global: {model_catalog: {embeddings: {semantic: {" semantic "}}}}\n"
#define EMBEDDED_BY(semantic) EXAMPLE_EMBEDDED_BY("kobe lili meso", semantic)
#define RECIPE(model) EMBEDDED_BY("bert_model_path: " model ", embedding_config: {model_type: bert}")

static const char *const embedders[] = { "bert-embed-mean" };

static struct evidence_binding *bind_recipe(struct rig *rig, struct fixture *f, const char *yaml) {
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
            struct evidence_binding *binding = bind_recipe(&rig, &f, RECIPE("bert-embed-mean"));
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
    binding = bind_recipe(&rig, &f, RECIPE("absent"));
    evidence_fill_wait(rig.lane, binding);
    CHECK_INT(count(binding).filled, 0, "nothing");
    fixture_free(&f);
    rig_end(&rig);
}

/* ---- a server, which may change its model behind the name */

struct server {
    pthread_t thread;
    int listen_fd;
    uint16_t port;
    atomic_bool ending;
    atomic_int model, n_texts; /* what runs there; how many it was asked for */
};

/* Vectors that only depend on the text and the model. */
static void embed(struct server *server, struct peer *peer, vsr_str request) {
    struct arena *arena = arena_new(0, 0);
    struct json_doc doc;
    struct buf body, out;
    vsr_str text;
    json_ref input;
    size_t n = 0;
    buf_init(&body, 1 << 20);
    buf_init(&out, 1 << 20);
    CHECK(json_parse(arena, str_sub(request, (size_t)str_find(request, VSR_STR("\r\n\r\n")) + 4, request.len), &doc,
                     NULL) == 0,
          "a question");
    input = json_get(&doc, 0, VSR_STR("input"));
    for (json_ref node = json_first(&doc, input); node != JSON_NONE; node = json_next(&doc, input, node)) {
        CHECK(json_str(arena, &doc, node, &text), "a text");
        text.len = text.len < 4 ? text.len : 4;
        buf_printf(&body, "%s{\"index\":%zu,\"embedding\":[%d,%d,%d]}", n ? "," : "", n, text.ptr[0] - 96,
                   atomic_load(&server->model), text.ptr[2] - 96);
        n++;
    }
    atomic_fetch_add(&server->n_texts, (int)n);
    buf_printf(&out, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n{\"data\":[%.*s]}", body.len + 11,
               VSR_FMT(buf_str(&body)));
    (void)peer_send_str(peer, buf_str(&out), NULL);
    buf_done(&body);
    buf_done(&out);
    arena_free(arena);
}

static void *serve(void *data) {
    struct server *server = data;
    struct peer peers[16];
    size_t n = 0;
    while (!atomic_load(&server->ending)) {
        if (n < VSR_COUNT(peers) && peer_accept(&peers[n], server->listen_fd))
            n++;
        for (size_t i = 0; i < n; i++) {
            vsr_str request = script_request(&peers[i]);
            if (request.len == 0)
                continue;
            embed(server, &peers[i], request);
            buf_consume(&peers[i].got, request.len);
        }
        usleep(500);
    }
    for (size_t i = 0; i < n; i++)
        peer_close(&peers[i]);
    close(server->listen_fd);
    return NULL;
}

static void server_begin(struct server *server) {
    *server = (struct server){ .model = 1 };
    server->listen_fd = peer_listen(&server->port);
    CHECK(pthread_create(&server->thread, NULL, serve, server) == 0, "thread");
}

static void server_end(struct server *server) {
    atomic_store(&server->ending, true);
    CHECK(pthread_join(server->thread, NULL) == 0, "join");
}

/* As a process that has just begun. Returns how many texts the server was asked for. */
static int fill_anew(struct rig *rig, struct server *server, const char *yaml, size_t n_filled, const char *name) {
    struct fixture f;
    int before = atomic_load(&server->n_texts);
    struct evidence_binding *binding = bind_recipe(rig, &f, yaml);
    evidence_fill_wait(rig->lane, binding);
    CHECK_INT(count(binding).filled, n_filled, name);
    fixture_free(&f);
    rig_close_evidence(rig);
    rig_open_evidence(rig, true);
    return atomic_load(&server->n_texts) - before;
}

static const char *recipe_of_server(struct arena *arena, const struct server *server) {
    return arena_printf(arena,
                        EMBEDDED_BY("endpoint: {base_url: 'http://127.0.0.1:%u/v1', model: m}, "
                                    "embedding_config: {backend: openai_compatible, model_type: remote}"),
                        server->port)
        .ptr;
}

TEST(a_server_with_another_model) {
    struct rig rig;
    struct server server;
    const char *yaml;
    server_begin(&server);
    rig_begin(&rig, embedders, 0, STORE_EAGER, true);
    yaml = recipe_of_server(rig.arena, &server);
    CHECK_INT(fill_anew(&rig, &server, yaml, 2, "first"), 5, "four examples, and whether it is the one that it was");
    CHECK_INT(fill_anew(&rig, &server, yaml, 2, "second"), 1, "it is");
    atomic_store(&server.model, 20);
    CHECK_INT(fill_anew(&rig, &server, yaml, 2, "third"), 5, "it is not");
    CHECK_INT(fill_anew(&rig, &server, yaml, 2, "fourth"), 1, "it is");
    server_end(&server);
    CHECK_INT(fill_anew(&rig, &server, yaml, 0, "fifth"), 0, "nobody says so");
    rig_end(&rig);
}

/* What there was room for is of use to the next process. */
TEST(a_server_with_more_examples_than_room) {
    enum { ROOM = 220 }; /* three vectors of three numbers */
    struct rig rig;
    struct server server;
    const char *yaml;
    server_begin(&server);
    rig_begin(&rig, embedders, 0, STORE_EAGER, true);
    rig_close_evidence(&rig);
    rig.vectors_len_max = ROOM;
    rig_open_evidence(&rig, true);
    yaml = recipe_of_server(rig.arena, &server);
    CHECK_INT(fill_anew(&rig, &server, yaml, 2, "first"), 5, "four examples, and whether it is the one that it was");
    CHECK_INT(fill_anew(&rig, &server, yaml, 2, "second"), 4, "it is, and one of them was kept until it was needed");
    server_end(&server);
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
    first.binding = bind_recipe(&rig, &first.f, RECIPE("absent"));
    atomic_init(&first.released, false);
    evidence_fill_later(rig.evidence, &first.binding, 1, release, &first);
    CHECK(!atomic_load(&first.released), "tried for as long as it is the last");
    second.binding = bind_recipe(&rig, &second.f, RECIPE("bert-embed-mean"));
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

/* ---- everything at once; for ThreadSanitizer more than for what is checked here */

enum { GENERATIONS = 16, READERS = 2, FILLERS = 2 };

struct traffic {
    struct rig *rig;
    struct generation generations[GENERATIONS];
    const struct request_facts *facts;
    _Atomic(struct generation *) latest;
    atomic_bool ending;
};

static const char *recipe_of(struct arena *arena, size_t i) {
    return arena_printf(arena,
                        EXAMPLE_EMBEDDED_BY("kobe lili %zu", "bert_model_path: bert-embed-mean, embedding_config: "
                                                             "{model_type: bert}"),
                        i)
        .ptr;
}

static struct evidence_lane *open_lane(const struct rig *rig) {
    const struct evidence_lane_options options = { .evidence = rig->evidence, .patient = true };
    struct evidence_lane *lane;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(evidence_lane_new(&options, &lane, &err) == 0, "%s", err.text);
    return lane;
}

/* A worker: requests of the latest generation, whose banks are being filled. */
static void *read_banks(void *data) {
    struct traffic *traffic = data;
    struct evidence_lane *lane = open_lane(traffic->rig);
    const struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_ANSWERS };
    do {
        struct generation *generation = atomic_load(&traffic->latest);
        struct arena *arena = arena_new(0, 0);
        struct route_scratch *scratch;
        struct route_state *state;
        CHECK(route_scratch_new(generation->f.route, &scratch, NULL) == 0, "scratch");
        state = route_begin(generation->f.route, scratch, arena, traffic->facts, &options);
        while (route_step(state, NULL) == ROUTE_NEEDS_EVIDENCE)
            evidence_run_wait_route(lane, generation->binding, state, arena);
        CHECK(route_outcome(state) != NULL, "an outcome, filled or not");
        route_scratch_free(scratch);
        arena_free(arena);
    } while (!atomic_load(&traffic->ending));
    evidence_lane_free(lane);
    return NULL;
}

/* Recipes of its own with the same texts, so that shelves are shared. */
static void *fill_others(void *data) {
    struct traffic *traffic = data;
    struct evidence_lane *lane = open_lane(traffic->rig);
    struct arena *arena = arena_new(0, 0);
    size_t i = 0;
    do {
        struct fixture f;
        struct evidence_binding *binding = bind_recipe(traffic->rig, &f, recipe_of(arena, i++ % GENERATIONS));
        evidence_fill_wait(lane, binding);
        CHECK_INT(count(binding).filled, 2, "filled beside others");
        fixture_free(&f);
    } while (!atomic_load(&traffic->ending));
    arena_free(arena);
    evidence_lane_free(lane);
    return NULL;
}

static void begin_generation(struct traffic *traffic, size_t i) {
    struct generation *generation = &traffic->generations[i];
    generation->binding = bind_recipe(traffic->rig, &generation->f, recipe_of(traffic->rig->arena, i));
    atomic_init(&generation->released, false);
    evidence_fill_now(generation->binding);
    if (i == 0)
        traffic->facts = fixture_prompt(&generation->f, VSR_STR("sabu tuka bure"));
    atomic_store(&traffic->latest, generation);
    evidence_fill_later(traffic->rig->evidence, &generation->binding, 1, release, generation);
}

TEST(filled_while_generations_change) {
    struct rig rig;
    struct traffic traffic = { .rig = &rig };
    pthread_t threads[READERS + FILLERS];
    rig_begin(&rig, embedders, 1, STORE_EAGER, true);
    rig_load(&rig, embedders[0]);
    begin_generation(&traffic, 0);
    for (size_t i = 0; i < READERS + FILLERS; i++)
        CHECK(pthread_create(&threads[i], NULL, i < READERS ? read_banks : fill_others, &traffic) == 0, "thread");
    for (size_t i = 1; i < GENERATIONS; i++)
        begin_generation(&traffic, i);
    wait_for(&traffic.generations[GENERATIONS - 1].released, "the last one");
    atomic_store(&traffic.ending, true);
    for (size_t i = 0; i < READERS + FILLERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0, "join");
    CHECK_INT(count(traffic.generations[GENERATIONS - 1].binding).filled, 2, "filled");
    rig_close_evidence(&rig);
    for (size_t i = 0; i < GENERATIONS; i++) {
        CHECK(atomic_load(&traffic.generations[i].released), "each was let go");
        fixture_free(&traffic.generations[i].f);
    }
    rig_end(&rig);
}

/* ---- evaluations that ask */

TEST(a_recipe_is_evaluated) {
    struct rig rig;
    struct fixture f;
    struct evidence_binding *binding;
    struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_ANSWERS };
    rig_begin(&rig, embedders, 1, STORE_EAGER, true);
    binding = bind_recipe(&rig, &f, RECIPE("bert-embed-mean"));
    evidence_fill_wait(rig.lane, binding);
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("kobe lili meso")), &options);
    while (route_step(f.state, NULL) == ROUTE_NEEDS_EVIDENCE)
        evidence_run_wait_route(rig.lane, binding, f.state, f.memory);
    CHECK(route_outcome(f.state)->decision != NULL, "a text is its own nearest neighbour");
    CHECK_STR(route_outcome(f.state)->decision->name, "second", "whose example it is");
    fixture_free(&f);
    rig_end(&rig);
}

RUN_TESTS(T(each_text_is_run_once_for_good), T(what_cannot_be_had_says_why), T(a_server_with_another_model),
          T(a_server_with_more_examples_than_room), T(in_the_background), T(filled_while_generations_change),
          T(a_recipe_is_evaluated))
