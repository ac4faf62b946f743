/* Banks: what is declared, filled and failed, and what comparing with them gives. */
#include "answered.h"

#include "nn/similarity.h"
#include "signal/learned.h"

struct bench {
    struct arena *arena;
    struct signal_sources sources;
    struct signal_banks banks;
    struct signal_builder builder;
};

static void bench_init(struct bench *b) {
    *b = (struct bench){ .arena = arena_new(0, 0) };
    b->builder = (struct signal_builder){ .arena = b->arena, .sources = &b->sources, .banks = &b->banks };
}

static const struct config_prototype_scoring scoring = {
    .enabled = true, .cluster_similarity_threshold = 0.9, .max_prototypes = 8, .best_weight = 0.75, .top_m = 2
};

static void fill(struct signal_bank *bank) {
    float rows[8][ANSWERED_DIMS];
    const float *vectors[8];
    size_t n;
    const vsr_str *texts = signal_bank_texts(bank, &n);
    for (size_t i = 0; i < n; i++) {
        answered_vector(texts[i], rows[i]);
        vectors[i] = rows[i];
    }
    signal_bank_fill(bank, vectors, ANSWERED_DIMS, NULL);
}

static bool score_of(const struct signal_bank *bank, size_t dims, struct signal_bank_score *score,
                     const char **reason) {
    float query[ANSWERED_DIMS];
    enum signal_code code;
    struct evidence_answer answer = { .numbers = query, .n = dims };
    answered_vector(VSR_STR("1"), query);
    return signal_bank_score(bank, &answer, BANK_BLEND, score, &code, reason);
}

/* Rows of texts, split at `,`. */
static struct signal_bank_options options_of(struct bench *b, const char *texts) {
    vsr_str left = str_from_c(texts), *items = ARENA_ARRAY(b->arena, vsr_str, 8);
    size_t n = 0;
    while (left.ptr && n < 8) {
        ptrdiff_t comma = str_find(left, VSR_STR(","));
        items[n++] = comma < 0 ? left : str_sub(left, 0, (size_t)comma);
        left = comma < 0 ? (vsr_str){ 0 } : str_sub(left, (size_t)comma + 1, left.len);
    }
    return (struct signal_bank_options){ .texts = items, .n_texts = n, .scoring = &scoring };
}

static const struct {
    const char *name, *texts;
    bool repeats_count;
    size_t dims, n_prototypes;
    double score;
} cases[] = {
    { "the vector of the specification", "0.82 a,0.74 b,0.60 c", false, 0, 3, 0.81 },
    { "in another order", "0.60 c,0.82 a,0.74 b", false, 0, 3, 0.81 },
    { "a repeat is no example", "0.8 a,0.8 a,0.4 b", false, 0, 2, 0.75 * 0.8 + 0.25 * 0.6 },
    { "a repeat that counts is in the same group", "0.8 a,0.8 a,0.4 b", true, 0, 2, 0.75 * 0.8 + 0.25 * 0.6 },
    { "blank ones are left out", " ,0.8 a,", false, 0, 1, 0.8 },
    { "cut to the first number everything is alike", "0.8 a,0.6 b", false, 1, 1, 1 },
    { "cut to more than there is", "0.8 a,0.6 b", false, 1000, 2, 0.75 * 0.8 + 0.25 * 0.7 },
};

TEST(banks_score_vectors) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct bench b;
        struct signal_bank_options options;
        struct signal_bank_score score;
        struct signal_bank *bank;
        const char *reason = NULL;
        bench_init(&b);
        options = options_of(&b, cases[i].texts);
        options.repeats_count = cases[i].repeats_count;
        options.dims = cases[i].dims;
        bank = signal_bank_add(&b.builder, &options);
        CHECK(!signal_bank_is_filled(bank), cases[i].name);
        fill(bank);
        CHECK(signal_bank_is_filled(bank), cases[i].name);
        CHECK(score_of(bank, ANSWERED_DIMS, &score, &reason), cases[i].name);
        CHECK_INT(score.n_prototypes, cases[i].n_prototypes, cases[i].name);
        CHECK_CLOSE(score.score, cases[i].score, cases[i].name);
        arena_free(b.arena);
    }
}

TEST(equal_banks_are_one) {
    struct bench b;
    struct signal_bank_options options, other;
    bench_init(&b);
    options = options_of(&b, "a,b");
    other = options_of(&b, "a,b");
    CHECK(signal_bank_add(&b.builder, &options) == signal_bank_add(&b.builder, &other), "the same texts");
    other.source = 1;
    CHECK(signal_bank_add(&b.builder, &options) != signal_bank_add(&b.builder, &other), "another source");
    other = options_of(&b, "b,a");
    CHECK(signal_bank_add(&b.builder, &options) != signal_bank_add(&b.builder, &other), "another order");
    CHECK_INT(b.banks.n, 3, "banks");
    arena_free(b.arena);
}

TEST(banks_without_texts_score_nothing) {
    struct bench b;
    struct signal_bank_score score;
    struct signal_bank *bank;
    const char *reason = NULL;
    bench_init(&b);
    bank = signal_bank_add(&b.builder, &(struct signal_bank_options){ 0 });
    CHECK(signal_bank_is_filled(bank), "there is nothing to fill");
    CHECK(score_of(bank, ANSWERED_DIMS, &score, &reason), "can be compared");
    CHECK(score.score == 0 && score.n_prototypes == 0, "with nothing");
    arena_free(b.arena);
}

TEST(banks_say_why_they_cannot_compare) {
    const float zero[ANSWERED_DIMS] = { 0 }, *none[] = { NULL, NULL }, *bad[] = { NULL, zero };
    struct bench b;
    struct signal_bank_options options;
    struct signal_bank_score score;
    struct signal_bank *bank;
    const char *reason = NULL;
    bench_init(&b);
    options = options_of(&b, "0.8 a,0.6 b");
    bank = signal_bank_add(&b.builder, &options);
    CHECK(!score_of(bank, ANSWERED_DIMS, &score, &reason), "not filled");
    CHECK_STR(str_from_c(reason), "examples are being embedded", "not filled");
    signal_bank_fail(bank, SIGNAL_UNAVAILABLE, "the server is away");
    CHECK(!score_of(bank, ANSWERED_DIMS, &score, &reason), "failed");
    CHECK_STR(str_from_c(reason), "the server is away", "failed");
    signal_bank_fill(bank, none, ANSWERED_DIMS, NULL);
    CHECK(!score_of(bank, ANSWERED_DIMS, &score, &reason), "no vectors");
    CHECK_STR(str_from_c(reason), "none of the examples could be embedded", "no vectors");
    signal_bank_fill(bank, bad, ANSWERED_DIMS, NULL);
    CHECK(!score_of(bank, ANSWERED_DIMS, &score, &reason), "a bad vector");
    CHECK_STR(str_from_c(reason), "an example's vector is zero or not finite", "a bad vector");
    fill(bank);
    CHECK(score_of(bank, ANSWERED_DIMS, &score, &reason), "filled at last");
    signal_bank_fail(bank, SIGNAL_FAILED, "too late");
    CHECK(score_of(bank, ANSWERED_DIMS, &score, &reason), "stays filled");
    CHECK(!score_of(bank, ANSWERED_DIMS - 1, &score, &reason), "another size");
    CHECK(str_find(str_from_c(reason), VSR_STR("another number of dimensions")) >= 0, reason);
    arena_free(b.arena);
}

/* Two examples with a cosine of 0.96: one for most models, two for one that says that this is little. */
TEST(banks_know_what_cosines_mean) {
    static const struct similarity_scale near = { .n = 1, .cosine = { 0.96 }, .similarity = { 0.5 } };
    const struct similarity_scale *scales[] = { NULL, &near };
    const double likeness[] = { 0.96, 0.8737 }; /* of the first; and of what is half way between both: 0.9899 */
    for (size_t i = 0; i < VSR_COUNT(scales); i++) {
        const float left[ANSWERED_DIMS] = { 1 }, right[ANSWERED_DIMS] = { 0.96F, 0.28F };
        struct bench b;
        struct signal_bank_options both, one;
        struct signal_bank_score score;
        struct signal_bank *bank, *other;
        const char *reason;
        double similarity;
        bool scaled;
        bench_init(&b);
        both = options_of(&b, "a,b");
        one = options_of(&b, "c");
        bank = signal_bank_add(&b.builder, &both);
        other = signal_bank_add(&b.builder, &one);
        signal_bank_fill(bank, (const float *[]){ left, right }, ANSWERED_DIMS, scales[i]);
        signal_bank_fill(other, (const float *[]){ right }, ANSWERED_DIMS, scales[i]);
        CHECK(score_of(bank, ANSWERED_DIMS, &score, &reason), "filled");
        CHECK_INT(score.n_prototypes, 1 + i, "groups");
        CHECK(signal_bank_likeness(bank, other, &similarity, &scaled), "can be compared");
        CHECK_INT(scaled, scales[i] != NULL, "whose likeness it is");
        CHECK(fabs(similarity - likeness[i]) < 1e-3, "likeness");
        arena_free(b.arena);
    }
}

/* Angles: 0.6 is 53.13 degrees, 0.8 is 36.87, 0.9 is 25.84. */
static const struct {
    const char *name, *a, *b;
    double least_a, least_b;
    bool meet;
    double similarity;
} caps[] = {
    { "wide enough", "1", "0.6 a", 0.9, 0.8, true, 0.6 },
    { "too narrow", "1", "0.6 a", 0.9, 0.9, false, 0.6 },
    { "one example in the other's cap", "1", "0.6 a", 1, 0.59, true, 0.6 },
    { "at its edge", "1", "0.6 a", 1, 0.6, true, 0.6 },
    { "just outside", "1", "0.6 a", 1, 0.61, false, 0.6 },
    { "the same example", "1", "1", 1, 1, true, 1 },
    { "the nearest two count", "0 b,1", "0.6 a,0 c", 0.9, 0.8, true, 0.6 },
    { "opposite", "1", "-1", 0.01, 0.01, false, -1 },
    { "opposite, and everything counts", "1", "-1", 0, 0, true, -1 },
};

TEST(caps_meet_where_their_angles_reach) {
    for (size_t i = 0; i < VSR_COUNT(caps); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            struct bench b;
            struct signal_bank_options options[2];
            struct signal_bank *banks[2];
            double similarity = 7;
            bool meet = !caps[i].meet;
            bench_init(&b);
            options[0] = options_of(&b, swapped ? caps[i].b : caps[i].a);
            options[1] = options_of(&b, swapped ? caps[i].a : caps[i].b);
            banks[0] = signal_bank_add(&b.builder, &options[0]);
            banks[1] = signal_bank_add(&b.builder, &options[1]);
            CHECK(!signal_bank_meet(banks[0], 0, banks[1], 0, &meet, &similarity) && similarity == 7, "not filled");
            fill(banks[0]);
            fill(banks[1]);
            CHECK(signal_bank_meet(banks[0], swapped ? caps[i].least_b : caps[i].least_a, banks[1],
                                   swapped ? caps[i].least_a : caps[i].least_b, &meet, &similarity),
                  caps[i].name);
            CHECK_INT(meet, caps[i].meet, caps[i].name);
            CHECK_MSG(fabs(similarity - caps[i].similarity) < 1e-6, "%s: %g", caps[i].name, similarity);
            arena_free(b.arena);
        }
}

/* Thresholds are similarities: at 0.5 stands a cosine of 0.96, 16.26 degrees. */
TEST(caps_are_as_wide_as_the_model_says) {
    static const struct similarity_scale near = { .n = 1, .cosine = { 0.96 }, .similarity = { 0.5 } };
    const float left[ANSWERED_DIMS] = { 1 }, right[ANSWERED_DIMS] = { 0.8F, 0.6F };
    struct signal_bank_options options[2];
    struct signal_bank *banks[2];
    double similarity;
    struct bench b;
    bool meet;
    bench_init(&b);
    options[0] = options_of(&b, "a");
    options[1] = options_of(&b, "c");
    for (int i = 0; i < 2; i++) {
        banks[i] = signal_bank_add(&b.builder, &options[i]);
        signal_bank_fill(banks[i], (const float *[]){ i ? right : left }, ANSWERED_DIMS, &near);
    }
    CHECK(signal_bank_meet(banks[0], 0.5, banks[1], 0.5, &meet, &similarity), "36.87 degrees between");
    CHECK(!meet, "32.52 degrees together");
    CHECK_MSG(fabs(similarity - similarity_of(&near, 0.8)) < 1e-6, "%g", similarity);
    CHECK(signal_bank_meet(banks[0], 0.5, banks[1], 0.4, &meet, &similarity) && meet, "20.3 degrees more");
    arena_free(b.arena);
}

TEST(banks_of_two_models_do_not_meet) {
    struct signal_bank_options options[2];
    struct signal_bank *banks[2];
    double similarity;
    struct bench b;
    bool meet;
    bench_init(&b);
    for (uint32_t i = 0; i < 2; i++) {
        options[i] = options_of(&b, "1");
        options[i].source = i;
        banks[i] = signal_bank_add(&b.builder, &options[i]);
        fill(banks[i]);
    }
    CHECK(!signal_bank_meet(banks[0], 0.5, banks[1], 0.5, &meet, &similarity), "nobody compares both with one vector");
    arena_free(b.arena);
}

RUN_TESTS(T(caps_meet_where_their_angles_reach), T(caps_are_as_wide_as_the_model_says),
          T(banks_of_two_models_do_not_meet), T(banks_score_vectors), T(equal_banks_are_one),
          T(banks_without_texts_score_nothing), T(banks_say_why_they_cannot_compare), T(banks_know_what_cosines_mean))
