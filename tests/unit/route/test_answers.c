/* What families ask of models, in which stage, and what becomes of answers that do not come. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>

#include "nn/similarity.h"
#include "signal/bank.h"

static const char recipe[] =
    FIXTURE_HEAD "routing:\n"
                 "  signals:\n"
                 "    keywords: [{name: code, operator: OR, keywords: [code]}]\n"
                 "    embeddings:\n"
                 "      - {name: near, threshold: 0.5, candidates: ['0.8']}\n"
                 "      - {name: far, threshold: 0.5, candidates: ['0.3']}\n"
                 "    complexity:\n"
                 "      - {name: c, hard: {candidates: ['0.9']}, easy: {candidates: ['0.5']}, composer: {type: domain, "
                 "name: math}}\n"
                 "      - {name: plain, hard: {candidates: ['0.9']}, easy: {candidates: ['0.5']}}\n"
                 "    reasks: [{name: again}]\n"
                 "    domains: [{name: law}, {name: math}]\n"
                 "  decisions:\n"
                 "    - {name: coding, priority: 90, rules: {type: keyword, name: code}}\n"
                 "    - {name: near, priority: 80, rules: {type: embedding, name: far}}\n"
                 "    - {name: hard, priority: 70, rules: {type: complexity, name: 'c:hard'}}\n"
                 "    - {name: again, priority: 60, rules: {type: reask, name: again}}\n";

/* A text's vector: a number is the cosine to texts that are none. */
static void make_vector(vsr_str text, float vector[2]) {
    char number[8] = { 0 };
    double cosine;
    memcpy(number, text.ptr, text.len < sizeof(number) - 1 ? text.len : sizeof(number) - 1);
    cosine = number[0] == '0' ? strtod(number, NULL) : 1;
    vector[0] = (float)cosine;
    vector[1] = (float)sqrt(1 - cosine * cosine);
}

static void fill_banks_scaled(struct fixture *f, const struct similarity_scale *scale) {
    size_t n;
    struct signal_bank *const *banks = route_banks(f->route, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_texts;
        const vsr_str *texts = signal_bank_texts(banks[i], &n_texts);
        float vector[2];
        const float *row = vector;
        CHECK_INT(n_texts, 1, "texts");
        make_vector(texts[0], vector);
        signal_bank_fill(banks[i], &row, 2, scale);
    }
}

static void fill_banks(struct fixture *f) {
    fill_banks_scaled(f, NULL);
}

static const vsr_str domains[] = { VSR_STR_INIT("law"), VSR_STR_INIT("math") };

/* Everything that is asked, "kind:text " one after the other, with `|` behind each stage. */
struct asked {
    struct buf text;
    const char *type; /* not answered: sources of this type; NULL: all are */
    bool cut;         /* texts were not read to their ends */
    struct route_clock clock;
};

static void load(struct fixture *f, struct asked *asked, const char *yaml) {
    *asked = (struct asked){ 0 };
    buf_init(&asked->text, 1 << 16);
    fixture_must_load(f, yaml);
}

static void unload(struct fixture *f, struct asked *asked) {
    buf_done(&asked->text);
    fixture_free(f);
}

static void answer_one(struct fixture *f, struct evidence_ask *ask, struct asked *asked) {
    static const char *const kinds[] = { "vector", "classes", "spans" };
    static const float probabilities[] = { 0.1F, 0.9F };
    size_t n;
    const struct signal_source *source = &route_sources(f->route, &n)[ask->source];
    float *vector = ARENA_ARRAY(f->memory, float, 2);
    struct evidence_answer answer = {
        .numbers = vector, .n = 2, .labels = domains, .n_labels = 2, .model = "m", .version = "7"
    };
    answer.cut = asked->cut;
    buf_printf(&asked->text, "%s:%.*s ", kinds[ask->kind], VSR_FMT(ask->text));
    make_vector(ask->text, vector);
    if (ask->kind == EVIDENCE_CLASSES)
        answer.numbers = probabilities;
    if (!asked->type || strcmp(asked->type, source->model.type) != 0)
        route_answer(f->state, ask, &answer);
}

static void evaluate(struct fixture *f, const struct request_facts *facts, bool full, struct asked *asked) {
    struct route_options options = { .full = full, .evidence = ROUTE_EVIDENCE_ANSWERS, .clock = asked->clock };
    buf_reset(&asked->text);
    f->state = route_begin(f->route, f->scratch, f->memory, facts, &options);
    while (route_step(f->state, NULL) == ROUTE_NEEDS_EVIDENCE) {
        size_t n;
        struct evidence_ask *const *asks = route_asks(f->state, &n);
        CHECK(n > 0, "there is something to answer");
        for (size_t i = 0; i < n; i++)
            answer_one(f, asks[i], asked);
        buf_append_c(&asked->text, "|");
    }
    f->outcome = route_outcome(f->state);
}

static void check_winner(const struct fixture *f, const char *name, const char *what) {
    CHECK_STR(f->outcome->decision ? f->outcome->decision->name : VSR_STR("none"), name, what);
}

static void check_in(const struct fixture *f, bool json, const char *part) {
    struct json_writer w;
    struct buf out;
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    if (json)
        route_trace_json(f->state, &w);
    else
        route_trace_text(f->state, false, &out);
    CHECK_MSG(str_find(buf_str(&out), str_from_c(part)) >= 0, "no %s in %.*s", part, (int)out.len, out.ptr);
    buf_done(&out);
}

static const struct request_facts *conversation(struct fixture *f, const char *then, const char *now) {
    return fixture_facts(f, arena_printf(f->memory,
                                         "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"},"
                                         "{\"role\":\"user\",\"content\":\"%s\"}]}",
                                         then, now));
}

/* ---- stages */

TEST(what_is_asked_is_asked_once) {
    struct fixture f;
    struct asked asked;
    load(&f, &asked, recipe);
    fill_banks(&f);
    evaluate(&f, fixture_prompt(&f, VSR_STR("x")), false, &asked);
    CHECK_STR(buf_str(&asked.text), "vector:x |classes:x |", "a later stage has the vector already");
    check_winner(&f, "hard", "x");
    evaluate(&f, conversation(&f, "0.9", "x"), false, &asked);
    CHECK_STR(buf_str(&asked.text), "vector:x vector:0.9 |classes:x |", "families share the prompt's vector");
    evaluate(&f, conversation(&f, "x", "x"), true, &asked);
    CHECK_STR(buf_str(&asked.text), "vector:x |classes:x |", "the same text twice");
    unload(&f, &asked);
}

TEST(what_cannot_matter_is_not_asked) {
    struct fixture f;
    struct asked asked;
    load(&f, &asked, recipe);
    fill_banks(&f);
    evaluate(&f, fixture_prompt(&f, VSR_STR("code")), false, &asked);
    CHECK_STR(buf_str(&asked.text), "", "a keyword decides");
    check_winner(&f, "coding", "code");
    evaluate(&f, fixture_prompt(&f, VSR_STR("0.3")), false, &asked);
    CHECK_STR(buf_str(&asked.text), "vector:0.3 |", "an example decides");
    check_winner(&f, "near", "the best embedding");
    evaluate(&f, fixture_prompt(&f, VSR_STR("code")), true, &asked);
    CHECK_STR(buf_str(&asked.text), "vector:code |classes:code |", "all of it");
    check_winner(&f, "coding", "all the same");
    unload(&f, &asked);
}

static void note_asked(void *data, const char *family, const struct signal_source *source) {
    buf_printf(data, "%s:%s|", family, source->model.type);
}

TEST(sources_of_a_recipe_are_few) {
    struct fixture f;
    struct asked asked;
    size_t n;
    const struct signal_source *sources;
    load(&f, &asked, recipe);
    sources = route_sources(f.route, &n);
    CHECK_INT(n, 2, "an embedder and a classifier");
    CHECK(strcmp(sources[0].model.type, "embedding") == 0, sources[0].model.type);
    route_asked(f.route, note_asked, &asked.text);
    CHECK_STR(buf_str(&asked.text),
              "embedding:embedding|domain:domain-classification|reask:embedding|"
              "complexity:embedding|",
              "whom each family asks");
    route_banks(f.route, &n);
    CHECK_INT(n, 4, "two rules; two sides that two rules share");
    unload(&f, &asked);
}

/* ---- what does not come */

TEST(what_is_not_answered_is_unavailable) {
    struct fixture f;
    struct asked asked;
    load(&f, &asked, recipe);
    fill_banks(&f);
    asked.type = "embedding";
    evaluate(&f, conversation(&f, "0.9", "x"), true, &asked);
    check_in(&f, true, "\"embedding:*\":\"unavailable\"");
    check_in(&f, true, "\"embedding:*\":\"no model for text embeddings\"");
    check_in(&f, true, "\"reask:again\":\"no model for text embeddings\"");
    check_in(&f, true, "\"complexity:*\":\"no model for text embeddings\"");
    check_winner(&f, "none", "nothing is known");
    unload(&f, &asked);
}

TEST(banks_may_be_filled_later) {
    struct fixture f;
    struct asked asked;
    load(&f, &asked, recipe);
    evaluate(&f, fixture_prompt(&f, VSR_STR("0.3")), false, &asked);
    check_winner(&f, "none", "no examples");
    check_in(&f, true, "\"embedding:*\":\"examples are being embedded\"");
    fill_banks(&f);
    evaluate(&f, fixture_prompt(&f, VSR_STR("0.3")), false, &asked);
    check_winner(&f, "near", "examples");
    unload(&f, &asked);
}

TEST(nobody_answers_without_evidence) {
    struct route_options options = { .full = true };
    struct fixture f;
    struct asked asked;
    load(&f, &asked, recipe);
    fill_banks(&f);
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("x")), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_DONE, "nothing is asked");
    f.outcome = route_outcome(f.state);
    check_in(&f, true, "\"embedding:*\":\"no model for text embeddings\"");
    check_in(&f, true, "\"models\":{}");
    unload(&f, &asked);
}

static uint64_t fake_now;
static uint64_t now(void *data) {
    (void)data;
    return fake_now;
}

TEST(late_answers_do_not_count) {
    static const char timed[] =
        FIXTURE_HEAD "global: {router: {signal_timeout_ms: 50, signal_timeouts: {embedding: 20, domain: 10}}}\n"
                     "routing:\n"
                     "  signals:\n"
                     "    embeddings: [{name: e, threshold: 0.5, candidates: ['0.8']}]\n"
                     "    reasks: [{name: again}]\n"
                     "    domains: [{name: law}]\n"
                     "  decisions:\n"
                     "    - {name: e, priority: 3, rules: {operator: AND, conditions: [\n"
                     "        {type: embedding, name: e}, {type: reask, name: again}]}}\n"
                     "    - {name: law, priority: 2, rules: {type: domain, name: law}}\n";
    struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_ANSWERS, .clock = { .now_ms = now } };
    struct evidence_ask *const *asks;
    struct fixture f;
    size_t n;
    fixture_must_load(&f, timed);
    fill_banks(&f);
    fake_now = 1000;
    f.state = route_begin(f.route, f.scratch, f.memory, conversation(&f, "0.9", "x"), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_NEEDS_EVIDENCE, "vectors");
    asks = route_asks(f.state, &n);
    CHECK_INT(n, 2, "of two turns");
    CHECK_INT(asks[0]->timeout_ms, 50, "the most patient family waits longest");
    CHECK_INT(asks[1]->timeout_ms, 50, "the request's limit");
    fake_now += 45;
    CHECK_INT(route_step(f.state, NULL), ROUTE_NEEDS_EVIDENCE, "classes");
    asks = route_asks(f.state, &n);
    CHECK(n == 1 && asks[0]->timeout_ms == 5, "what is left");
    fake_now += 5;
    CHECK_INT(route_step(f.state, NULL), ROUTE_DONE, "too late");
    f.outcome = route_outcome(f.state);
    check_in(&f, true, "\"embedding:e\":\"unavailable\"");
    check_in(&f, true, "\"domain:law\":\"timeout\"");
    fixture_free(&f);
}

/* ---- traces */

TEST(traces_say_who_was_asked) {
    struct fixture f;
    struct asked asked;
    load(&f, &asked, recipe);
    fill_banks(&f);
    evaluate(&f, conversation(&f, "0.9", "x"), true, &asked);
    check_in(&f, true, "\"model\":\"m\",\"version\":\"7\",\"asked\":1}]");
    check_in(&f, true, "\"reask\":[{\"source\":");
    check_in(&f, true, "\"asked\":2}]");
    check_in(&f, true, "\"embedding:near\":0.8");
    check_in(&f, false, "Models\n");
    check_in(&f, false, ", version 7  asked about 2 texts\n");
    check_in(&f, false, "embedding:near  confidence 0.8  value 0.8");
    asked.cut = true;
    evaluate(&f, fixture_prompt(&f, VSR_STR("x")), true, &asked);
    check_in(&f, true, "\"asked\":1,\"cut\":1}]");
    check_in(&f, false, "asked about 1 text, 1 cut\n");
    asked.type = "embedding";
    evaluate(&f, fixture_prompt(&f, VSR_STR("x")), true, &asked);
    check_in(&f, true, "\"asked\":1,\"failed\":1}]");
    check_in(&f, false, "asked about 1 text, 1 failed\n");
    unload(&f, &asked);
}

/* ---- what a softmax can hardly tell apart */

static void note_alike(void *data, const struct route_alike *alike) {
    buf_printf(data, "%.*s: %.*s %.*s %.2f|", VSR_FMT(alike->partition), VSR_FMT(alike->a), VSR_FMT(alike->b),
               alike->similarity);
}

TEST(rules_that_are_alike_are_found) {
    static const char partitions[] = FIXTURE_HEAD
        "routing:\n"
        "  signals:\n"
        "    embeddings:\n"
        "      - {name: a, threshold: 0.5, candidates: ['0.9']}\n"
        "      - {name: b, threshold: 0.5, candidates: ['0.8']}\n"
        "      - {name: c, threshold: 0.5, candidates: ['0.2']}\n"
        "    domains: [{name: law}, {name: math}]\n"
        "  projections:\n"
        "    partitions:\n"
        "      - {name: soft, semantics: softmax_exclusive, temperature: 0.1, members: [a, b, c], default: c}\n"
        "      - {name: hard, semantics: exclusive, members: [a, b], default: a}\n"
        "      - {name: topic, semantics: softmax_exclusive, temperature: 0.1, members: [law, math], default: law}\n"
        "  decisions: [{name: d, rules: {type: embedding, name: a}}]\n";
    /* Of a line that leaves cosines as they are. */
    static const struct similarity_scale scale = { .n = 1, .cosine = { 0.5 }, .similarity = { 0.5 } };
    static const struct {
        const struct similarity_scale *scale;
        const char *want;
    } alike[] = { { NULL, "soft: a b 0.98|soft: b c 0.75|" }, { &scale, "soft: a b 0.98|" } };
    for (size_t i = 0; i < VSR_COUNT(alike); i++) {
        struct fixture f;
        struct asked asked;
        load(&f, &asked, partitions);
        route_alike(f.route, note_alike, &asked.text);
        CHECK_STR(buf_str(&asked.text), "", "nothing is known yet");
        fill_banks_scaled(&f, alike[i].scale);
        route_alike(f.route, note_alike, &asked.text);
        CHECK_STR(buf_str(&asked.text), alike[i].want, "cosines are 0.98, 0.61, 0.75");
        unload(&f, &asked);
    }
}

RUN_TESTS(T(what_is_asked_is_asked_once), T(what_cannot_matter_is_not_asked), T(sources_of_a_recipe_are_few),
          T(what_is_not_answered_is_unavailable), T(banks_may_be_filled_later), T(nobody_answers_without_evidence),
          T(late_answers_do_not_count), T(traces_say_who_was_asked), T(rules_that_are_alike_are_found))
