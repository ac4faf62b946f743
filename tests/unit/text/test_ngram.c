#include "text/ngram.h"

#include "unit/vectors.h"

#include "core/utf8.h"
#include "text/words.h"

enum { KEYWORDS_MAX = 32, ARITY = 3 };

static struct ngram_result *scan(struct arena *arena, const vsr_str *keywords, size_t n,
                                 const struct ngram_options *options, vsr_str text) {
    struct ngram_list list = { .arena = arena };
    struct ngram_result *results;
    for (size_t i = 0; i < n; i++)
        CHECK_INT(ngram_list_add(&list, keywords[i], options), (long)i, "index");
    CHECK_INT(ngram_scan(ngram_set_build(&list), arena, text, &results, NULL), 0, "scan");
    return results;
}

/* Either text as the keyword. */
TEST(shared_similarities) {
    VECTORS_EACH(v, "ngram.json", "ngram_similarity") {
        vsr_str a = vectors_str(&v, v.given, "a"), b = vectors_str(&v, v.given, "b");
        struct ngram_options options = { .arity = (uint32_t)vectors_number(&v, v.given, "arity", 0), .threshold = 2 };
        double want = vectors_number(&v, v.want, "similarity", -1);
        CHECK_NEAR(&v, scan(v.arena, &a, 1, &options, b)->best, want, "similarity");
        CHECK_NEAR(&v, scan(v.arena, &b, 1, &options, a)->best, want, "similarity the other way round");
    }
}

/* Every keyword's best similarity, in the order of the list. */
TEST(shared_lists) {
    VECTORS_EACH(v, "ngram.json", "keyword_rule") {
        json_ref rule = vectors_get(&v, v.given, "rule"), want = vectors_get(&v, v.want, "similarities");
        json_ref list = vectors_get(&v, rule, "keywords");
        struct ngram_options options = { .arity = (uint32_t)vectors_number(&v, rule, "ngram_arity", ARITY),
                                         .case_sensitive = vectors_bool(&v, rule, "case_sensitive"),
                                         .threshold = 2 };
        vsr_str keywords[KEYWORDS_MAX];
        struct ngram_result *results;
        size_t n = 0;
        for (json_ref ref = json_first(&v.doc, list); ref != JSON_NONE; ref = json_next(&v.doc, list, ref))
            keywords[n++] = vectors_text(&v, ref);
        CHECK_INT(vectors_count(&v, want), (long)n, v.name);
        results = scan(v.arena, keywords, n, &options, vectors_str(&v, v.given, "text"));
        for (size_t i = 0; i < n; i++) {
            double similarity = -1;
            CHECK(json_double(&v.doc, json_at(&v.doc, want, i), &similarity), v.name);
            CHECK_NEAR(&v, results[i].best, similarity, "similarity of a keyword");
        }
    }
}

/* ---- against the definition */

struct padded {
    uint32_t points[256];
    size_t n;
};

static struct padded pad(const uint32_t *points, size_t n, uint32_t arity) {
    struct padded out = { .n = n + 2 * (arity - 1) };
    CHECK(out.n <= VSR_COUNT(out.points), "short texts");
    for (size_t i = 0; i < out.n; i++)
        out.points[i] = ' ';
    memcpy(out.points + arity - 1, points, n * sizeof(*points));
    return out;
}

static double plain_similarity(const struct padded *a, const struct padded *b, uint32_t arity) {
    size_t n_a = a->n - arity + 1, n_b = b->n - arity + 1, same = 0;
    bool used[256] = { false };
    double all;
    for (size_t i = 0; i < n_a; i++)
        for (size_t k = 0; k < n_b; k++)
            if (!used[k] && memcmp(a->points + i, b->points + k, arity * sizeof(uint32_t)) == 0) {
                used[k] = true;
                same++;
                break;
            }
    all = (double)(n_a + n_b - same);
    return 1 - (all - (double)same) / all * ((all - (double)same) / all);
}

/* Over all windows of as many words as the keyword has. */
static double plain_best(struct arena *arena, vsr_str keyword, vsr_str text, uint32_t arity) {
    struct words keyword_words, words;
    struct padded wanted;
    double best = 0;
    CHECK_INT(words_split(arena, keyword, WORDS_WIDE, true, &keyword_words, NULL), 0, "keyword");
    CHECK_INT(words_split(arena, text, WORDS_WIDE, true, &words, NULL), 0, "text");
    wanted = pad(keyword_words.points, keyword_words.n_points, arity);
    for (size_t i = 0; i + keyword_words.n <= words.n; i++) {
        uint32_t start = words.items[i].start, end = words.items[i + keyword_words.n - 1].end;
        struct padded window = pad(words.points + start, end - start, arity);
        best = fmax(best, plain_similarity(&wanted, &window, arity));
    }
    return best;
}

static uint32_t seed = 11;
static uint32_t random_below(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* Few letters, so that grams repeat. */
static vsr_str random_words(struct arena *arena, uint32_t n_words) {
    static const char *const letters[] = { "a", "b", "A", "é", "ж", "_" };
    vsr_str text = { 0 };
    for (uint32_t i = 0; i < n_words; i++) {
        text = arena_printf(arena, "%.*s%s", VSR_FMT(text), i ? " " : "");
        for (uint32_t len = 1 + random_below(6); len > 0; len--)
            text = arena_printf(arena, "%.*s%s", VSR_FMT(text), letters[random_below(VSR_COUNT(letters))]);
    }
    return text;
}

TEST(index_equals_definition) {
    enum { ROUNDS = 300, KEYWORDS = 8 };
    for (int round = 0; round < ROUNDS; round++) {
        struct arena *arena = arena_new(0, 0);
        struct ngram_options options = { .arity = 2 + random_below(5), .threshold = 2 };
        vsr_str keywords[KEYWORDS], text = random_words(arena, random_below(8));
        struct ngram_result *results;
        for (int i = 0; i < KEYWORDS; i++)
            keywords[i] = random_words(arena, 1 + random_below(3));
        results = scan(arena, keywords, KEYWORDS, &options, text);
        for (int i = 0; i < KEYWORDS; i++) {
            double want = plain_best(arena, keywords[i], text, options.arity);
            CHECK_MSG(fabs(results[i].best - want) < 1e-12, "\"%.*s\" in \"%.*s\" by %u: %.12g, want %.12g",
                      VSR_FMT(keywords[i]), VSR_FMT(text), options.arity, results[i].best, want);
        }
        arena_free(arena);
    }
}

/* ---- limits */

TEST(costly_texts_are_refused) {
    enum { LEN = 1 << 20 };
    struct arena *arena = arena_new(0, 0);
    struct ngram_list list = { .arena = arena };
    struct ngram_options options = { .arity = 2, .threshold = 0.4 };
    struct ngram_result *results;
    char *text = arena_alloc(arena, LEN);
    for (int i = 0; i < 200; i++)
        ngram_list_add(&list, arena_printf(arena, "aa aa aa aa aa aa aa aa%d", i), &options);
    for (size_t i = 0; i < LEN; i++)
        text[i] = i % 3 == 2 ? ' ' : 'a';
    CHECK_INT(ngram_scan(ngram_set_build(&list), arena, str_make(text, LEN), &results, NULL), VSR_E_LIMIT, "steps");
    arena_free(arena);
}

RUN_TESTS(T(shared_similarities), T(shared_lists), T(index_equals_definition), T(costly_texts_are_refused))
