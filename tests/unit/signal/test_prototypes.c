/* Which examples stand for others, and how scores are blended. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "config/global_shared.h"
#include "nn/similarity.h"
#include "signal/prototypes.h"

#define CHECK_CLOSE(got, want, what) \
    CHECK_MSG(fabs((got) - (want)) < 1e-6, "%s: got %.9g, want %.9g", (what), (double)(got), (double)(want))

/* ---- blends: signals.md §16, 1 */

static const struct {
    const char *name;
    float similarities[4];
    size_t n;
    double weight;
    size_t top_m;
    double best, support, score;
} blends[] = {
    { "defaults", { 0.60F, 0.82F, 0.74F }, 3, 0.75, 2, 0.82, 0.78, 0.81 },
    { "one", { 0.5F }, 1, 0.75, 2, 0.5, 0.5, 0.5 },
    { "none", { 0 }, 0, 0.75, 2, 0, 0, 0 },
    { "mean", { 0.9F, 0.3F, 0.6F }, 3, 0, 0, 0.9, 0.6, 0.6 },
    { "best", { 0.9F, 0.3F, 0.6F }, 3, 1, 2, 0.9, 0.75, 0.9 },
    { "negative", { -0.5F, -0.25F }, 2, 0.75, 2, -0.25, -0.375, -0.28125 },
    { "more than there are", { 0.5F, 0.25F }, 2, 0.5, 9, 0.5, 0.375, 0.4375 },
};

TEST(similarities_are_blended) {
    for (size_t i = 0; i < VSR_COUNT(blends); i++) {
        float similarities[4];
        struct prototypes_score score;
        memcpy(similarities, blends[i].similarities, sizeof(similarities));
        score = prototypes_blend(similarities, blends[i].n, blends[i].weight, blends[i].top_m);
        CHECK_CLOSE(score.best, blends[i].best, blends[i].name);
        CHECK_CLOSE(score.support, blends[i].support, blends[i].name);
        CHECK_CLOSE(score.score, blends[i].score, blends[i].name);
    }
}

TEST(many_similarities_are_sorted_like_few) {
    float many[100];
    struct prototypes_score score;
    for (size_t i = 0; i < VSR_COUNT(many); i++)
        many[i] = (float)((i * 37) % 100) / 100;
    score = prototypes_blend(many, VSR_COUNT(many), 0.5, 2);
    CHECK_CLOSE(score.best, 0.99, "best");
    CHECK_CLOSE(score.support, 0.985, "support");
}

/* ---- vectors */

TEST(products_are_those_of_doubles) {
    for (size_t n = 0; n < 70; n++) {
        float a[70], b[70];
        double want = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = (float)sin((double)(i + n));
            b[i] = (float)cos((double)(i * n));
            want += (double)a[i] * b[i];
        }
        CHECK_MSG(fabs(vector_dot(a, b, n) - want) < 1e-5, "n %zu: got %.9g, want %.9g", n, (double)vector_dot(a, b, n),
                  want);
        CHECK_MSG(vector_dot(a, b, n) == vector_dot(b, a, n), "n %zu: the order counts", n);
    }
}

TEST(vectors_without_direction_have_no_length_one) {
    float good[] = { 3, 4 }, zero[] = { 0, 0 }, odd[] = { 1, NAN }, huge[] = { INFINITY, 1 };
    CHECK(vector_normalize(good, 2), "good");
    CHECK_CLOSE(good[0], 0.6, "cut to one");
    CHECK(!vector_normalize(zero, 2) && !vector_normalize(odd, 2) && !vector_normalize(huge, 2), "bad ones");
    CHECK(!vector_normalize(good, 0), "none at all");
}

/* ---- groups: on a circle, so that similarity is the cosine of a difference of angles */

enum { POINTS_MAX = 24 };

static const struct config_prototype_scoring defaults = { .enabled = true,
                                                          .cluster_similarity_threshold = 0.9,
                                                          .max_prototypes = 8 };

static size_t choose(const double *degrees, size_t n, const struct config_prototype_scoring *scoring,
                     uint32_t *ret_chosen) {
    float vectors[POINTS_MAX * 2];
    for (size_t i = 0; i < n; i++) {
        vectors[2 * i] = (float)cos(degrees[i] * M_PI / 180);
        vectors[2 * i + 1] = (float)sin(degrees[i] * M_PI / 180);
    }
    return prototypes_choose(vectors, n, 2, NULL, scoring, ret_chosen);
}

/* cos 25° = 0.906, cos 26° = 0.899 */
static const struct {
    const char *name;
    double degrees[8];
    size_t n;
    const char *want; /* indexes, in order */
    int64_t max;
} groupings[] = {
    { "one", { 0 }, 1, "0 ", 8 },
    { "two apart", { 0, 90 }, 2, "0 1 ", 8 },
    { "two alike: the first", { 0, 20 }, 2, "0 ", 8 },
    { "the middle of three", { 0, 40, 20 }, 3, "2 ", 8 },
    { "the biggest first", { 0, 90, 100 }, 3, "1 0 ", 8 },
    { "the closer of two that are as big", { 0, 20, 90, 95 }, 4, "2 0 ", 8 },
    { "a chain falls apart at its biggest part", { 0, 24, 48, 72 }, 4, "1 3 ", 8 },
    { "the smallest are left out", { 0, 90, 100, 180, 181, 182 }, 6, "4 1 ", 2 },
    { "none", { 0 }, 0, "", 8 },
};

TEST(examples_that_are_alike_are_one) {
    for (size_t i = 0; i < VSR_COUNT(groupings); i++) {
        struct config_prototype_scoring scoring = defaults;
        uint32_t chosen[8];
        char got[64] = "";
        size_t n, len = 0;
        scoring.max_prototypes = groupings[i].max;
        n = choose(groupings[i].degrees, groupings[i].n, &scoring, chosen);
        for (size_t k = 0; k < n; k++)
            len += (size_t)snprintf(got + len, sizeof(got) - len, "%u ", chosen[k]);
        CHECK_STR(str_from_c(got), groupings[i].want, groupings[i].name);
    }
}

/* Of a model whose vectors all lie near each other a cosine of 0.94 is no likeness, and one of 0.98 is. */
TEST(alike_is_by_the_scale_of_the_model) {
    static const struct similarity_scale near = { .n = 2, .cosine = { 0.95, 0.98 }, .similarity = { 0.5, 0.95 } };
    const float vectors[] = { 1, 0, 0.94F, 0.341174F, 0.98F, -0.198997F };
    uint32_t chosen[3];
    CHECK_INT(prototypes_choose(vectors, 3, 2, NULL, &defaults, chosen), 1, "all near the first");
    CHECK_INT(prototypes_choose(vectors, 3, 2, &near, &defaults, chosen), 2, "one is another");
    CHECK(chosen[0] == 0 && chosen[1] == 1, "which");
}

/* ---- the naive way gives the same */

static double like(const double *degrees, size_t a, size_t b) {
    return cos((degrees[a] - degrees[b]) * M_PI / 180);
}

/* As specified, one step after the other, over a set of what is left. */
static size_t choose_naively(const double *degrees, size_t n, double least, uint32_t *ret_chosen) {
    bool left[POINTS_MAX];
    size_t sizes[POINTS_MAX], n_groups = 0;
    double means[POINTS_MAX];
    for (size_t i = 0; i < n; i++)
        left[i] = true;
    for (size_t n_left = n; n_left > 0;) {
        size_t best = 0, members[POINTS_MAX];
        for (size_t seed = 0; seed < n; seed++) {
            size_t found[POINTS_MAX], n_found = 0;
            for (size_t k = 0; k < n && left[seed]; k++)
                if (left[k] && like(degrees, seed, k) >= least)
                    found[n_found++] = k;
            if (n_found > best) {
                best = n_found;
                memcpy(members, found, sizeof(found));
            }
        }
        means[n_groups] = -2;
        for (size_t m = 0; m < best; m++) {
            double mean = 1;
            for (size_t k = 0; k < best; k++)
                mean += k == m ? 0 : like(degrees, members[m], members[k]);
            if (mean / (double)best > means[n_groups] + 1e-9) {
                means[n_groups] = mean / (double)best;
                ret_chosen[n_groups] = (uint32_t)members[m];
            }
        }
        sizes[n_groups++] = best;
        for (size_t m = 0; m < best; m++)
            left[members[m]] = false;
        n_left -= best;
    }
    for (size_t i = 0; i < n_groups; i++) /* the biggest and closest first */
        for (size_t k = i + 1; k < n_groups; k++)
            if (sizes[k] > sizes[i] ||
                (sizes[k] == sizes[i] && (means[k] > means[i] + 1e-9 ||
                                          (fabs(means[k] - means[i]) <= 1e-9 && ret_chosen[k] < ret_chosen[i])))) {
                size_t size = sizes[i];
                double mean = means[i];
                uint32_t one = ret_chosen[i];
                sizes[i] = sizes[k];
                means[i] = means[k];
                ret_chosen[i] = ret_chosen[k];
                sizes[k] = size;
                means[k] = mean;
                ret_chosen[k] = one;
            }
    return n_groups;
}

TEST(groups_are_those_of_the_naive_way) {
    uint64_t seed = 1;
    for (size_t round = 0; round < 2000; round++) {
        struct config_prototype_scoring scoring = defaults;
        double degrees[POINTS_MAX];
        uint32_t got[POINTS_MAX], want[POINTS_MAX];
        size_t n, n_got, n_want;
        scoring.max_prototypes = POINTS_MAX;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        n = 1 + (seed >> 33) % POINTS_MAX;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            degrees[i] = (double)((seed >> 33) % 3600) / 10 + 0.0137 * (double)i; /* no two products are near 0.9 */
        }
        n_got = choose(degrees, n, &scoring, got);
        n_want = choose_naively(degrees, n, 0.9, want);
        CHECK_MSG(n_got == n_want, "round %zu: %zu groups, want %zu", round, n_got, n_want);
        for (size_t i = 0; i < n_got; i++)
            CHECK_MSG(got[i] == want[i], "round %zu: prototype %zu is %u, want %u", round, i, got[i], want[i]);
    }
}

RUN_TESTS(T(similarities_are_blended), T(many_similarities_are_sorted_like_few), T(products_are_those_of_doubles),
          T(vectors_without_direction_have_no_length_one), T(examples_that_are_alike_are_one),
          T(alike_is_by_the_scale_of_the_model), T(groups_are_those_of_the_naive_way))
