#include "test.h"

#include "core/utf8.h"
#include "text/edit_distance.h"
#include "unit/vectors.h"

static size_t read_points(vsr_str text, uint32_t *points) {
    size_t n = 0;
    for (size_t pos = 0; pos < text.len;)
        points[n++] = utf8_next(text, &pos);
    return n;
}

TEST(shared_vectors) {
    VECTORS_EACH(v, "keyword.json", "edit_distance") {
        uint32_t a[64], b[64];
        size_t a_len = read_points(vectors_str(&v, v.given, "a"), a),
               b_len = read_points(vectors_str(&v, v.given, "b"), b);
        CHECK_INT(edit_distance(a, a_len, b, b_len, EDIT_DISTANCE_MAX), vectors_number(&v, v.want, "distance", -1),
                  v.name);
    }
}

/* ---- against the textbook's full table */

static uint32_t seed = 11;
static uint32_t below(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

enum { LEN_MAX = 12 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t full_table(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len) {
    size_t d[LEN_MAX + 1][LEN_MAX + 1];
    for (size_t i = 0; i <= a_len; i++)
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(d[i - 1][j - 1] + (a[i - 1] != b[j - 1]), least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a_len][b_len];
}

TEST(band_equals_full_table) {
    for (int round = 0; round < 100000; round++) {
        uint32_t a[LEN_MAX], b[LEN_MAX];
        size_t a_len = below(LEN_MAX + 1), b_len = below(LEN_MAX + 1), max = below(LEN_MAX + 2), want;
        for (size_t i = 0; i < a_len; i++)
            a[i] = 'a' + below(3);
        for (size_t i = 0; i < b_len; i++)
            b[i] = i < a_len && below(4) ? a[i] : 'a' + below(3);
        want = full_table(a, a_len, b, b_len);
        want = want > max ? max + 1 : want;
        CHECK_MSG(edit_distance(a, a_len, b, b_len, max) == want, "round %d: %zu, want %zu (max %zu)", round,
                  edit_distance(a, a_len, b, b_len, max), want, max);
    }
}

RUN_TESTS(T(shared_vectors), T(band_equals_full_table))
