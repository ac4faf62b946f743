#include "signal/prototypes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/global_shared.h"
#include "core/bits.h"
#include "core/mem.h"
#include "nn/similarity.h"

/* ---- vectors */

/* Lane i sums every 16th product. The compiler makes of it what the processor has; the order of sums is the same. */
enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static float sum_of(const lanes *sums) {
    float lane[LANES];
    memcpy(lane, sums, sizeof(lane));
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

float vector_dot(const float *a, const float *b, size_t n) {
    lanes sums = { 0 }, left = { 0 }, right = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&left, a + i, sizeof(left));
        memcpy(&right, b + i, sizeof(right));
        sums += left * right;
    }
    if (i < n) {
        left = right = (lanes){ 0 };
        memcpy(&left, a + i, (n - i) * sizeof(*a));
        memcpy(&right, b + i, (n - i) * sizeof(*b));
        sums += left * right;
    }
    return sum_of(&sums);
}

/* As far as floats can tell: what comes of length 1 keeps its bits. */
#define LENGTH_TOLERANCE 1e-6

bool vector_normalize(float *vector, size_t n) {
    double square = 0, length;
    for (size_t i = 0; i < n; i++)
        square += (double)vector[i] * vector[i];
    if (!isfinite(square) || square <= 0)
        return false;
    if (fabs(square - 1) <= LENGTH_TOLERANCE)
        return true;
    length = sqrt(square);
    for (size_t i = 0; i < n; i++)
        vector[i] = (float)(vector[i] / length);
    return true;
}

/* ---- grouping */

struct group {
    uint32_t central;
    size_t size;
    double similarity; /* mean, of the central member to all */
};

struct grouping {
    const float *vectors;
    size_t n, dims;
    const struct similarity_scale *scale;
    uint64_t *alike;   /* n rows of n bits */
    uint64_t *left;    /* in no group yet */
    uint32_t *n_alike; /* of those that are left */
    uint32_t *members; /* of the group at hand */
};

/* A float: see central_of(). */
static float similarity(const struct grouping *g, size_t a, size_t b) {
    return (float)similarity_of(g->scale, vector_dot(g->vectors + a * g->dims, g->vectors + b * g->dims, g->dims));
}

static uint64_t *alike_row(const struct grouping *g, size_t example) {
    return g->alike + example * BITS_WORDS(g->n);
}

static void compare_all(struct grouping *g, double least) {
    for (size_t i = 0; i < g->n; i++) {
        bits_add(g->left, i);
        bits_add(alike_row(g, i), i);
        g->n_alike[i]++;
        for (size_t k = 0; k < i; k++) {
            if (similarity(g, i, k) < least)
                continue;
            bits_add(alike_row(g, i), k);
            bits_add(alike_row(g, k), i);
            g->n_alike[i]++;
            g->n_alike[k]++;
        }
    }
}

/* The one with the most that are alike; of several the first. */
static size_t find_seed(const struct grouping *g) {
    size_t best = g->n;
    for (size_t i = bits_next(g->left, 0, g->n); i < g->n; i = bits_next(g->left, i + 1, g->n))
        if (best == g->n || g->n_alike[i] > g->n_alike[best])
            best = i;
    return best;
}

/* Sums of floats as doubles are exact for as many as there can be, so equal means compare as equal. */
static struct group central_of(const struct grouping *g, size_t n_members) {
    struct group group = { .size = n_members };
    for (size_t i = 0; i < n_members; i++) {
        double sum = 1; /* itself */
        for (size_t k = 0; k < n_members; k++)
            if (k != i)
                sum += similarity(g, g->members[i], g->members[k]);
        sum /= (double)n_members;
        if (i == 0 || sum > group.similarity) {
            group.central = g->members[i];
            group.similarity = sum;
        }
    }
    return group;
}

static void take_member(struct grouping *g, size_t member) {
    bits_put(g->left, member, false);
    for (size_t i = bits_next(alike_row(g, member), 0, g->n); i < g->n;
         i = bits_next(alike_row(g, member), i + 1, g->n))
        g->n_alike[i]--;
}

static struct group take_group(struct grouping *g, size_t seed) {
    size_t n_members = 0;
    for (size_t i = bits_next(alike_row(g, seed), 0, g->n); i < g->n; i = bits_next(alike_row(g, seed), i + 1, g->n))
        if (bits_has(g->left, i))
            g->members[n_members++] = (uint32_t)i;
    for (size_t i = 0; i < n_members; i++)
        take_member(g, g->members[i]);
    return central_of(g, n_members);
}

static int compare_groups(const void *left, const void *right) {
    const struct group *a = left, *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    if (a->similarity != b->similarity)
        return a->similarity > b->similarity ? -1 : 1;
    return a->central < b->central ? -1 : a->central > b->central;
}

static size_t choose_centrals(struct grouping *g, size_t max, uint32_t *ret_chosen) {
    struct group *groups = mem_alloc(g->n * sizeof(*groups));
    size_t n_groups = 0, seed;
    while ((seed = find_seed(g)) < g->n)
        groups[n_groups++] = take_group(g, seed);
    qsort(groups, n_groups, sizeof(*groups), compare_groups);
    if (n_groups > max)
        n_groups = max;
    for (size_t i = 0; i < n_groups; i++)
        ret_chosen[i] = groups[i].central;
    mem_free(groups);
    return n_groups;
}

size_t prototypes_choose(const float *vectors, size_t n, size_t dims, const struct similarity_scale *scale,
                         const struct config_prototype_scoring *scoring, uint32_t *ret_chosen) {
    struct grouping g = { .vectors = vectors, .n = n, .dims = dims, .scale = scale };
    size_t n_chosen;
    if (n == 0)
        return 0;
    g.alike = mem_alloc(n * BITS_WORDS(n) * sizeof(*g.alike));
    g.left = mem_alloc(BITS_WORDS(n) * sizeof(*g.left));
    g.n_alike = mem_alloc(n * sizeof(*g.n_alike));
    g.members = mem_alloc(n * sizeof(*g.members));
    compare_all(&g, scoring->cluster_similarity_threshold);
    n_chosen = choose_centrals(&g, (size_t)scoring->max_prototypes, ret_chosen);
    mem_free(g.alike);
    mem_free(g.left);
    mem_free(g.n_alike);
    mem_free(g.members);
    return n_chosen;
}

/* ---- scores */

enum { INSERT_MAX = 32 }; /* up to here inserting beats a general sort */

static int compare_falling(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return a > b ? -1 : a < b;
}

static void sort_falling(float *numbers, size_t n) {
    if (n > INSERT_MAX) {
        qsort(numbers, n, sizeof(*numbers), compare_falling);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        float number = numbers[i];
        size_t k = i;
        for (; k > 0 && numbers[k - 1] < number; k--)
            numbers[k] = numbers[k - 1];
        numbers[k] = number;
    }
}

struct prototypes_score prototypes_blend(float *similarities, size_t n, double best_weight, size_t top_m) {
    struct prototypes_score score = { 0 };
    size_t m = top_m == 0 || top_m > n ? n : top_m;
    double sum = 0;
    if (n == 0)
        return score;
    sort_falling(similarities, n);
    for (size_t i = 0; i < m; i++)
        sum += similarities[i];
    score.best = similarities[0];
    score.support = sum / (double)m;
    score.score = best_weight * score.best + (1 - best_weight) * score.support;
    return score;
}
